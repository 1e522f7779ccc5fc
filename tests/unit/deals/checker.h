/* What must hold after each step, and the table of transitions held against each change. */
#ifndef TESTS_DEALS_CHECKER_H
#define TESTS_DEALS_CHECKER_H
#include "world.h"

/* Is each change of a party's negotiation a row of the table, with its guards? NULL: yes. */
const char *check_party_step(const struct negotiation *before, const struct negotiation *after,
                             const struct deal_event *event);
/* The same for a register at its decider. */
const char *check_decider_step(const struct decide_register *before,
                               const struct decide_register *after,
                               const struct decide_request *request, uint32_t epoch,
                               collega_time now);
/* The invariants of the design, section 6, for one root, and the employer's room over all of them. */
const char *check_invariants(const struct world *world, size_t root);
/* At the end, when all were back: nothing is left open, and all say the same. */
const char *check_settled(const struct world *world, size_t root);
/* Rows of the table that no change so far has needed, by name, from *at on (0 to begin with); NULL: no more. */
const char *checker_never_taken(size_t *at);
/* People that stand on `day` at the employer: over the roots the sum of the larger within each. `with` is a
 * deal that is counted as if it stood (WORLD_DEALS: none). */
unsigned people_on(const struct world *world, unsigned day, size_t with);
#endif
