/* The parts of an agreement that one party ended, as a Decision lists them: what the decider, the node and the judge of
 * a proof all count with. */
#ifndef COLLEGA_PROTO_REDUCTIONS_H
#define COLLEGA_PROTO_REDUCTIONS_H
#include "base/bytes.h"
#include "base/clock.h"
#include "proto/deal.pb-c.h"

#define REDUCTIONS_MOST 16 /* of one agreement, as the schema allows */

struct reduction {
  uint32_t headcount;     /* people who end; from 1 */
  collega_date effective; /* their last day */
  struct id by, basis;    /* the party that ended it; record id of its Terminate */
  collega_time time;      /* when it was decided first */
};
/* Those that the decision lists, in order; returns how many, at most REDUCTIONS_MOST. */
size_t reductions_read(const Collega__Decision *decision, struct reduction out[REDUCTIONS_MOST]);
/* How many of `headcount` people are left on `day`; never below 0. */
uint32_t reductions_left(uint32_t headcount, const struct reduction *reductions, size_t count,
                         collega_date day);
#endif
