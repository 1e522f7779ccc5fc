/* Publishing offers: what files of JSON, tables and the questions of `offer new` share. */
#ifndef COLLEGA_CLI_PUBLISHING_H
#define COLLEGA_CLI_PUBLISHING_H
#include "client/cli/common.h"
#include "client/library/publication.h"

/* Signs and stores all of them, or none; with --once only what is new. */
enum collega_status publishing_store(struct desk *desk, const struct offer_inputs *inputs,
                                     struct publication *out,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
/* The ids, one a line, or document_publication. */
enum collega_status publishing_print(struct desk *desk, const struct publication *publishing,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
/* --wait: until the broker has receipted them all. */
enum collega_status publishing_wait(struct desk *desk, struct publication *publishing,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;

/* offer publish FILE.csv: reads, judges, publishes, and tells of every row. */
enum collega_status publish_csv(struct desk *desk, const char *file,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
