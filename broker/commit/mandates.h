/* Mandates as the log has them, looked up inside a batch: what a deal's signature names must be in force when the
 * decider decides, and nobody may fill the members' tables with mandates. */
#ifndef COLLEGA_BROKER_MANDATES_H
#define COLLEGA_BROKER_MANDATES_H
#include "broker/commit/batch.h"

/* COLLEGA_OK with why->status: COLLEGA_OK when the mandate is in the log and in force at batch->now (its limit in
 * people is not judged here: the decider does not know the terms), else COLLEGA_REFUSED and the rule. */
enum collega_status mandate_judge(struct batch *batch, const struct id *party,
                                  const struct id *mandate, struct collega_error *why,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
/* Both close the open tree (batch_sign). How many the party has in the log, ended ones too. */
enum collega_status mandates_count(struct batch *batch, const struct id *party, uint32_t *out,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
