/* A min-cost flow: how much to send along each arc of a network, so that every node passes on what it gets and the
 * sum of cost * flow is least.
 *
 *   minimise   sum of cost[a] * flow[a]
 *   so that    flow out of i - flow into i = supply[i]     for each node i
 *              0 <= flow[a] <= capacity[a]                 for each arc a
 *
 * All numbers are whole, and so is the answer. The supplies sum to 0.
 *
 * Algorithm: the primal network simplex method with strongly feasible spanning trees, which cannot cycle
 * (Cunningham, A network simplex method, Mathematical Programming 11, 1976), and block search for the entering arc
 * (as measured best by Kiraly and Kovacs, Efficient implementations of minimum-cost flow algorithms, Acta
 * Universitatis Sapientiae, Informatica 4, 2012); both as in Ahuja, Magnanti and Orlin, Network Flows, 1993,
 * chapter 11.
 *
 * It may be stopped: the flow so far obeys all rules but the least cost (and, until the first feasible flow, the
 * supplies), and the potentials so far give a bound that no flow can pass:
 *
 *   bound = sum of min(0, reduced[a]) * capacity[a] - sum of potential[i] * supply[i]
 *   reduced[a] = cost[a] + potential[from] - potential[to]
 *
 * At the end cost = bound. Pure: no clock, no randomness; the same network gives the same flow. */
#ifndef COLLEGA_CLIENT_MATCH_SOLVE_H
#define COLLEGA_CLIENT_MATCH_SOLVE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

#define FLOW_NODES_MOST    4000000u
#define FLOW_ARCS_MOST     64000000u
#define FLOW_CAPACITY_MOST INT32_MAX
#define FLOW_NO_ARC        UINT32_MAX
#define FLOW_COST_MOST     1000000 /* of a unit, to either side: sums stay far within 63 bits */

struct flow_arc {
  uint32_t from, to; /* nodes, 0 .. node_count - 1; an arc to itself is allowed and useless */
  int32_t capacity;  /* 0 .. FLOW_CAPACITY_MOST */
  int32_t cost;      /* -FLOW_COST_MOST .. FLOW_COST_MOST */
};
struct flow_network {
  size_t node_count, arc_count;
  const struct flow_arc *arcs;
  const int64_t *supply; /* NULL: 0 for all, a circulation */
  /* NULL, or for each node an arc of cost 0 between it and node 0 that can carry more than its whole supply, towards
   * node 0 where the supply is 0 or more, away from it where it is less: the search then begins with a flow along
   * these, and ends much sooner. FLOW_NO_ARC: none. An arc that cannot do that is not used so. */
  const uint32_t *start;
};
/* Asked every few hundred steps; true ends the search. */
typedef bool (*flow_over)(void *context);
struct flow_result {
  int64_t cost, bound; /* bound <= least cost <= cost */
  bool optimal;        /* cost = bound */
  bool feasible;       /* the supplies are met; false at the end: they cannot be */
  uint64_t steps;      /* pivots */
};
/* flow: room for arc_count. `over` may be NULL. COLLEGA_INVALID flow_network: a number is out of range, or the
 * supplies do not sum to 0; COLLEGA_FULL. */
enum collega_status flow_solve(const struct flow_network *network, flow_over over, void *context,
                               int32_t *flow, struct flow_result *out,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
