/* Flows of which some arcs carry nothing or at least so much: a lender who will not lend fewer than four at once.
 *
 * That makes the problem hard in general (it holds knapsacks), so it is searched: the flow without the leasts
 * (solve.h) is a bound; where it breaks a least, the arc is closed in one branch and filled to its least in the
 * other. Branches whose bound is no better than what was found are left (branch and bound: Land and Doig, An
 * automatic method of solving discrete programming problems, Econometrica 28, 1960). Before that, closing whatever
 * is broken until nothing is gives a first answer; even before, where the network has a way by node 0
 * (flow.start), what is broken is led that way. When the time is over, the best so far is given, and how far the
 * bound is from it. */
#ifndef COLLEGA_CLIENT_MATCH_SOLVE_LEAST_H
#define COLLEGA_CLIENT_MATCH_SOLVE_LEAST_H
#include "client/match/solve.h"

struct least_network {
  struct flow_network
      flow;               /* a flow in which all arcs with a least carry nothing must be allowed */
  const int32_t *least;   /* of each arc, 0 .. its capacity; 0 or 1: none */
  uint64_t branches_most; /* 0: only the first answer and its bound */
};
struct least_result {
  int64_t cost, bound; /* bound <= least cost <= cost */
  bool optimal;
  uint64_t steps, branches;
};
/* flow: room for arc_count; a flow that obeys all rules; where time was over before there was one, nothing
 * at all, which obeys the leasts. COLLEGA_INVALID flow_network,
 * COLLEGA_FULL. */
enum collega_status least_solve(const struct least_network *network, flow_over over, void *context,
                                int32_t *flow, struct least_result *out,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
