/* Publishing offers: what files of JSON, tables and the questions of `offer new` share. */
#ifndef COLLEGA_CLI_PUBLISHING_H
#define COLLEGA_CLI_PUBLISHING_H
#include "client/cli/common.h"
#include "client/library/offer_input.h"

struct publishing {
  struct offer_input *inputs;
  struct short_id *ids;
  size_t count;
};
/* With room for the ids, in the desk's arena. */
enum collega_status publishing_begin(struct desk *desk, struct publishing *publishing,
                                     const struct offer_inputs *inputs,
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
enum collega_status publish_csv(struct desk *desk, const char *file,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
