/* From JSON to an offer that can be published, and the publishing itself: what files of JSON, tables
 * and the questions of `offer new` share. */
#ifndef COLLEGA_CLI_OFFER_INPUT_H
#define COLLEGA_CLI_OFFER_INPUT_H
#include "client/cli/common.h"

/* An offer with its private part, in the arena. The error's field is the path in the JSON. */
enum collega_status offer_input_read(const json_t *json, struct arena *arena,
                                     struct offer_input *out,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;

/* Judges one offer as publishing will, so that each of many can be told what is wrong with it. Needs
 * the desk's read transaction the first time that an audience names somebody. */
struct offer_judge {
  struct desk *desk;
  char (*kvk)[9]; /* of all members, ascending; read when first asked */
  size_t count, capacity;
  bool read, failed;
};
enum collega_status offer_input_judge(struct offer_judge *judge, const struct offer_input *input,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;

struct publishing {
  struct offer_input *inputs;
  struct short_id *ids;
  size_t count;
};
/* Room for `count`, in the desk's arena. */
enum collega_status publishing_begin(struct desk *desk, struct publishing *publishing, size_t count,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
/* Signs and stores all of them, or none. */
enum collega_status publishing_store(struct desk *desk, struct publishing *publishing,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
/* The ids, one a line, or {"offers":[{"id"}]}. */
enum collega_status publishing_print(struct desk *desk, const struct publishing *publishing,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
/* --wait: until the broker has receipted them all. */
enum collega_status publishing_wait(struct desk *desk, struct publishing *publishing,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;

/* offer publish FILE.csv: reads, judges, publishes, and tells of every row. */
enum collega_status publish_csv(struct desk *desk, const char *file, size_t most_bytes,
                                uint32_t most_rows, struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
