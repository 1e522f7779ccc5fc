/* Loans as a flow: each supply offer has its people, each demand offer asks for its own; they go along the pairs, or by node
 * 0, which costs nothing and is not a loan. */
#include <stdlib.h>
#include <string.h>

#include "client/match/plan_inside.h"
#include "client/match/solve_least.h"

struct building {
  struct flow_arc *arcs;
  int32_t *least, *flow;
  uint32_t *pair_of; /* of the arcs behind those of the offers */
  uint32_t *start;   /* by node */
  int64_t *supply;
  size_t count, offer_arcs;
};

static void building_free(struct building *building) {
  free(building->arcs);
  free(building->least);
  free(building->flow);
  free(building->pair_of);
  free(building->start);
  free(building->supply);
}

static bool building_new(struct building *building, const struct plan_board *board) {
  size_t most = board->offer_count + board->pair_count + 1, nodes = board->offer_count + 1;
  *building = (struct building){.arcs = malloc(most * sizeof *building->arcs),
                                .least = calloc(most, sizeof *building->least),
                                .flow = calloc(most, sizeof *building->flow),
                                .pair_of = malloc(most * sizeof *building->pair_of),
                                .start = malloc(nodes * sizeof *building->start),
                                .supply = calloc(nodes, sizeof *building->supply)};
  return building->arcs && building->least && building->flow && building->pair_of &&
         building->start && building->supply;
}

static bool pair_can(const struct plan_board *board, const struct plan_pair *pair,
                     const int32_t *left, bool in_return, int32_t *most) {
  const struct plan_offer *supply = &board->offers[pair->supply];
  const struct plan_offer *demand = &board->offers[pair->demand];
  if (!in_return && (supply->in_return || demand->in_return)) return false;
  *most = left[pair->supply];
  if (left[pair->demand] < *most) *most = left[pair->demand];
  return *most >= pair->least && *most > 0;
}

/* Offer i is node i + 1. */
static void build(struct building *building, const struct plan_board *board, const int32_t *left,
                  bool in_return) {
  building->start[0] = FLOW_NO_ARC;
  for (uint32_t i = 0; i < board->offer_count; ++i) {
    bool supplies = board->offers[i].supplies;
    int32_t people = left[i] > 0 ? left[i] : 0;
    building->supply[i + 1] = supplies ? people : -people;
    building->supply[0] -= building->supply[i + 1];
    building->start[i + 1] = (uint32_t)building->count;
    building->arcs[building->count++] =
        (struct flow_arc){supplies ? i + 1 : 0, supplies ? 0 : i + 1, FLOW_CAPACITY_MOST, 0};
  }
  building->offer_arcs = building->count;
  for (uint32_t i = 0; i < board->pair_count; ++i) {
    const struct plan_pair *pair = &board->pairs[i];
    int32_t most = 0;
    if (!pair_can(board, pair, left, in_return, &most)) continue;
    building->pair_of[building->count - building->offer_arcs] = i;
    building->least[building->count] = pair->least;
    building->arcs[building->count++] =
        (struct flow_arc){pair->supply + 1, pair->demand + 1, most, -pair->score};
  }
}

enum collega_status loans_solve(const struct plan_board *board, const int32_t *left,
                                enum loans_how how, flow_over over, void *context, int32_t *flow,
                                struct loans_answer *out, struct collega_error *error) {
  struct building building;
  struct least_result result;
  *out = (struct loans_answer){0};
  memset(flow, 0, board->pair_count * sizeof *flow);
  if (!building_new(&building, board)) {
    building_free(&building);
    return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  }
  build(&building, board, left, how == LOANS_BOUND);
  struct least_network network = {
      {board->offer_count + 1, building.count, building.arcs, building.supply, building.start},
      building.least,
      how == LOANS_BEST ? UINT64_MAX : 0};
  enum collega_status status = least_solve(&network, over, context, building.flow, &result, error);
  if (status == COLLEGA_OK) {
    for (size_t i = building.offer_arcs; i < building.count; ++i)
      flow[building.pair_of[i - building.offer_arcs]] = building.flow[i];
    *out = (struct loans_answer){-result.cost, -result.bound, result.optimal};
  }
  building_free(&building);
  return status;
}
