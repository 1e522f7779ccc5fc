/* Loans as a flow: each supply offer has its people, each demand offer asks for its own; they go along the pairs,
 * or by node 0, which costs nothing and is not a loan. */
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

/* What a building is for. */
struct order {
  const struct plan_board *board;
  const struct plan_jobs *jobs;
  const int32_t *left;
  enum loans_how how;
};

static bool has_places(enum loans_how how) {
  return how == LOANS_PLACES || how == LOANS_PLACES_QUICK;
}

static uint32_t job_of(const struct order *order, uint32_t offer) {
  return order->jobs->job ? order->jobs->job[offer] : PLAN_NO_JOB;
}

/* People that an offer can carry. Of a shared job as many as could work the fewest hours, where a bound is wanted. */
static int32_t people_of(const struct order *order, uint32_t offer) {
  int32_t left = order->left[offer] > 0 ? order->left[offer] : 0;
  uint32_t job = job_of(order, offer);
  if (job == PLAN_NO_JOB) return left;
  if (order->how == LOANS_BEST || order->how == LOANS_QUICK) return 0;
  const struct plan_week *week = &order->board->sharing->weeks[offer];
  int32_t hours = job_hours_left(order->board, job, order->left[offer]);
  int32_t each = has_places(order->how) ? week->hours_max : week->hours_min;
  return (hours + each - 1) / each;
}

/* A person in a shared job is worth the share of its hours that they can work; in a ring, all. */
static int32_t score_of(const struct order *order, const struct plan_pair *pair) {
  if (job_of(order, pair->demand) == PLAN_NO_JOB ||
      (order->how == LOANS_BOUND && order->jobs->rings))
    return pair->score;
  int32_t all = order->board->sharing->weeks[pair->demand].hours_max;
  int32_t hours = order->board->sharing->weeks[pair->supply].hours_max;
  if (hours > all) hours = all;
  return (pair->score * hours + all - 1) / all;
}

static bool pair_can(const struct order *order, const struct plan_pair *pair, int32_t *most) {
  const struct plan_offer *supply = &order->board->offers[pair->supply];
  const struct plan_offer *demand = &order->board->offers[pair->demand];
  if (order->how != LOANS_BOUND && (supply->in_return || demand->in_return)) return false;
  if (has_places(order->how) && pair->least > 1 && job_of(order, pair->demand) != PLAN_NO_JOB)
    return false;
  int32_t asked = people_of(order, pair->demand);
  *most = order->left[pair->supply];
  if (asked < *most) *most = asked;
  return *most >= pair->least && *most > 0;
}

/* Offer i is node i + 1. */
static void build(struct building *building, const struct order *order) {
  const struct plan_board *board = order->board;
  building->start[0] = FLOW_NO_ARC;
  for (uint32_t i = 0; i < board->offer_count; ++i) {
    bool supplies = board->offers[i].supplies;
    int32_t people = people_of(order, i);
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
    if (!pair_can(order, pair, &most)) continue;
    building->pair_of[building->count - building->offer_arcs] = i;
    building->least[building->count] = pair->least;
    building->arcs[building->count++] =
        (struct flow_arc){pair->supply + 1, pair->demand + 1, most, -score_of(order, pair)};
  }
}

enum collega_status loans_solve(const struct plan_board *board, const struct plan_jobs *jobs,
                                const int32_t *left, enum loans_how how, flow_over over,
                                void *context, int32_t *flow, struct loans_answer *out,
                                struct collega_error *error) {
  struct building building;
  struct least_result result;
  const struct order order = {board, jobs, left, how};
  *out = (struct loans_answer){0};
  memset(flow, 0, board->pair_count * sizeof *flow);
  if (!building_new(&building, board)) {
    building_free(&building);
    return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  }
  build(&building, &order);
  struct least_network network = {
      {board->offer_count + 1, building.count, building.arcs, building.supply, building.start},
      building.least,
      how == LOANS_BEST || how == LOANS_PLACES ? UINT64_MAX : 0};
  enum collega_status status = least_solve(&network, over, context, building.flow, &result, error);
  if (status == COLLEGA_OK) {
    for (size_t i = building.offer_arcs; i < building.count; ++i)
      flow[building.pair_of[i - building.offer_arcs]] = building.flow[i];
    *out = (struct loans_answer){-result.cost, -result.bound, result.optimal};
  }
  building_free(&building);
  return status;
}
