/* From JSON to offers that can be published: what files of JSON, tables, questions and the public library share. */
#ifndef COLLEGA_CLIENT_LIBRARY_OFFER_INPUT_H
#define COLLEGA_CLIENT_LIBRARY_OFFER_INPUT_H
#include "client/library/occupation_words.h"
#include "client/library/view.h"
#include "client/match/places.h"

/* In one call, and so in one transaction. */
#define OFFERS_AT_ONCE      100000u
#define OFFERS_AT_ONCE_TEXT "100000"
#define OFFERS_FILE_BYTES   (64u * 1024u * 1024u)
#define OFFER_FILE_BYTES    (4u * 1024u * 1024u) /* of one */

/* An offer with its private part, in the arena. The error's field is the path in the JSON. */
enum collega_status offer_input_read(const json_t *json, struct arena *arena,
                                     struct offer_input *out,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;

/* The same of an offer that comes from outside, whose occupation is judged at once: where it is missing or wrong,
 * the error proposes some (occupation_words.h, for `guide` too). */
enum collega_status offer_input_take(const struct view *view, struct occupation_guide **guide,
                                     const json_t *json, struct offer_input *out,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;

/* Holds the place against the imported postcodes (NULL: none): a postcode of four digits that is not among them is
 * refused (postcode_not_imported), a region that is not told is filled in where they tell it. */
enum collega_status offer_place_judge(const struct places *places, const struct offer_input *input,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;
/* The same of one offer alone. */
enum collega_status offer_input_place(const struct view *view, const struct offer_input *input,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;
/* HOME/places of the view's home; *out NULL: none. */
enum collega_status view_places(const struct view *view, struct places **out,
                                struct collega_error *error) COLLEGA_MUST_CHECK;

struct offer_inputs {
  struct offer_input *input;
  size_t count;
};
/* One offer, a list of them, or {"offers": [...]}; not judged yet. */
enum collega_status offer_inputs_read(const struct view *view, const json_t *json,
                                      struct offer_inputs *out,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;

/* Judges one offer as publishing will, so that each of many can be told what is wrong with it. Needs the view's
 * transaction the first time that an audience names somebody. */
struct offer_judge {
  const struct view *view;
  char (*kvk)[9]; /* of all members, ascending; read when first asked */
  size_t count, capacity;
  bool read, failed;
};
enum collega_status offer_input_judge(struct offer_judge *judge, const struct offer_input *input,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
