/* Branch and bound over arcs with a least. A branch is a stack of decisions; each is undone where it was made. */
#include "client/match/solve_least.h"

#include <stdlib.h>
#include <string.h>

#define NO_ARC SIZE_MAX

/* One arc that is decided, and what is left to try of it. */
struct decision {
  size_t arc;
  int64_t bound; /* of the flow that broke it */
  bool filled;   /* to its least; else closed */
  bool second;   /* the other way was tried before */
};
struct search {
  const struct least_network *network;
  flow_over over;
  void *context;
  struct flow_arc *arcs; /* with the decisions taken: capacities less what is filled */
  int64_t *supply;
  bool *filled;
  int32_t *flow, *best;
  struct decision *stack;
  size_t depth, room;
  int64_t best_cost;
  bool over_now;
  struct least_result *out;
};

static bool time_over(void *context) {
  struct search *search = context;
  if (!search->over_now && search->over) search->over_now = search->over(search->context);
  return search->over_now;
}

/* ---- decisions */

static void close_arc(struct search *search, size_t arc) {
  search->arcs[arc].capacity = 0;
}

static void fill_arc(struct search *search, size_t arc) {
  int32_t least = search->network->least[arc];
  search->arcs[arc].capacity = search->network->flow.arcs[arc].capacity - least;
  search->supply[search->arcs[arc].from] -= least;
  search->supply[search->arcs[arc].to] += least;
  search->filled[arc] = true;
}

static void open_arc(struct search *search, size_t arc) {
  int32_t least = search->network->least[arc];
  search->arcs[arc].capacity = search->network->flow.arcs[arc].capacity;
  if (!search->filled[arc]) return;
  search->supply[search->arcs[arc].from] += least;
  search->supply[search->arcs[arc].to] -= least;
  search->filled[arc] = false;
}

/* ---- one flow */

/* The flow with the decisions taken. *bound: no flow under them costs less. */
static enum collega_status relax(struct search *search, bool *feasible, int64_t *cost,
                                 int64_t *bound, struct collega_error *error) {
  struct flow_network network = search->network->flow;
  struct flow_result result;
  int64_t filled = 0;
  network.arcs = search->arcs;
  network.supply = search->supply;
  enum collega_status status =
      flow_solve(&network, time_over, search, search->flow, &result, error);
  if (status != COLLEGA_OK) return status;
  search->out->steps += result.steps;
  for (size_t i = 0; i < network.arc_count; ++i) {
    if (!search->filled[i]) continue;
    search->flow[i] += search->network->least[i];
    filled += (int64_t)search->network->least[i] * search->arcs[i].cost;
  }
  *feasible = result.feasible;
  *cost = result.cost + filled;
  *bound = result.bound + filled;
  return COLLEGA_OK;
}

/* The arc that breaks its least by the most; NO_ARC: none does. */
static size_t broken(const struct search *search) {
  size_t found = NO_ARC;
  int32_t most = 0;
  for (size_t i = 0; i < search->network->flow.arc_count; ++i) {
    int32_t flow = search->flow[i], least = search->network->least[i];
    if (flow == 0 || flow >= least) continue;
    int32_t distance = flow < least - flow ? flow : least - flow;
    if (found != NO_ARC && distance <= most) continue;
    most = distance;
    found = i;
  }
  return found;
}

static void keep(struct search *search, int64_t cost) {
  if (cost >= search->best_cost) return;
  search->best_cost = cost;
  memcpy(search->best, search->flow, search->network->flow.arc_count * sizeof *search->best);
}

/* Leads what is broken by node 0, where both its ends have an arc that way: a first answer at once. */
static void detour(struct search *search) {
  const struct flow_network *network = &search->network->flow;
  int64_t cost = 0;
  for (size_t i = 0; i < network->arc_count; ++i) {
    const struct flow_arc *arc = &network->arcs[i];
    int32_t flow = search->flow[i];
    if (flow == 0 || flow >= search->network->least[i]) continue;
    uint32_t up = network->start ? network->start[arc->from] : FLOW_NO_ARC;
    uint32_t down = network->start ? network->start[arc->to] : FLOW_NO_ARC;
    if (up == FLOW_NO_ARC || down == FLOW_NO_ARC || network->arcs[up].from != arc->from ||
        network->arcs[down].to != arc->to || network->arcs[up].capacity - search->flow[up] < flow ||
        network->arcs[down].capacity - search->flow[down] < flow)
      return;
    search->flow[i] = 0;
    search->flow[up] += flow;
    search->flow[down] += flow;
  }
  for (size_t i = 0; i < network->arc_count; ++i)
    cost += (int64_t)search->flow[i] * network->arcs[i].cost;
  keep(search, cost);
}

/* Closes all that is broken, again and again: each round closes one arc at least, so it ends. */
static enum collega_status dive(struct search *search, struct collega_error *error) {
  size_t count = search->network->flow.arc_count;
  int64_t cost = 0, bound = 0;
  bool feasible = true, whole = false;
  enum collega_status status = COLLEGA_OK;
  while (status == COLLEGA_OK && !whole) {
    whole = true;
    for (size_t i = 0; i < count; ++i) {
      if (search->flow[i] == 0 || search->flow[i] >= search->network->least[i]) continue;
      close_arc(search, i);
      whole = false;
    }
    if (feasible) detour(search);
    if (whole || time_over(search)) break;
    status = relax(search, &feasible, &cost, &bound, error);
  }
  for (size_t i = 0; i < count; ++i)
    open_arc(search, i);
  return status;
}

/* ---- the search */

static bool push(struct search *search, size_t arc, int64_t bound) {
  if (search->depth == search->room) {
    size_t room = search->room ? search->room * 2 : 64;
    struct decision *stack = realloc(search->stack, room * sizeof *stack);
    if (!stack) return false;
    search->stack = stack;
    search->room = room;
  }
  bool fill = search->flow[arc] * 2 >= search->network->least[arc];
  search->stack[search->depth++] = (struct decision){.arc = arc, .bound = bound, .filled = fill};
  if (fill)
    fill_arc(search, arc);
  else
    close_arc(search, arc);
  return true;
}

/* Back to the last decision that has another way which may be better. False: there is none. */
static bool turn(struct search *search) {
  while (search->depth) {
    struct decision *last = &search->stack[search->depth - 1];
    open_arc(search, last->arc);
    if (!last->second && last->bound < search->best_cost) {
      last->second = true;
      last->filled = !last->filled;
      if (last->filled)
        fill_arc(search, last->arc);
      else
        close_arc(search, last->arc);
      return true;
    }
    --search->depth;
  }
  return false;
}

/* What may still be found where the search did not come: the least bound of the decisions with a way untried. */
static int64_t open_bound(const struct search *search, int64_t here) {
  int64_t bound = here;
  for (size_t i = 0; i < search->depth; ++i)
    if (!search->stack[i].second && search->stack[i].bound < bound) bound = search->stack[i].bound;
  return bound;
}

static enum collega_status branch(struct search *search, struct collega_error *error) {
  bool feasible = true;
  int64_t cost = 0, bound = 0;
  enum collega_status status = relax(search, &feasible, &cost, &bound, error);
  search->out->bound = bound;
  size_t arc = broken(search);
  if (status == COLLEGA_OK && arc == NO_ARC) {
    keep(search, cost);
    search->out->optimal = cost == bound;
    return status;
  }
  if (status == COLLEGA_OK) status = dive(search, error);
  if (status == COLLEGA_OK) status = relax(search, &feasible, &cost, &bound, error);
  for (bool more = true; status == COLLEGA_OK && more;) {
    if (search->out->branches++ >= search->network->branches_most || time_over(search)) {
      int64_t open = open_bound(search, bound);
      search->out->bound = open < search->best_cost ? open : search->best_cost;
      return status;
    }
    arc = feasible ? broken(search) : NO_ARC;
    if (feasible && arc == NO_ARC) keep(search, cost);
    if (arc != NO_ARC && bound < search->best_cost) {
      if (!push(search, arc, bound))
        return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
    } else {
      more = turn(search);
    }
    if (more) status = relax(search, &feasible, &cost, &bound, error);
  }
  search->out->bound = search->best_cost;
  search->out->optimal = true;
  return status;
}

static void search_free(struct search *search) {
  free(search->arcs);
  free(search->supply);
  free(search->filled);
  free(search->flow);
  free(search->stack);
}

enum collega_status least_solve(const struct least_network *network, flow_over over, void *context,
                                int32_t *flow, struct least_result *out,
                                struct collega_error *error) {
  const struct flow_network *plain = &network->flow;
  size_t arcs = plain->arc_count ? plain->arc_count : 1;
  size_t nodes = plain->node_count ? plain->node_count : 1;
  struct search search = {.network = network,
                          .over = over,
                          .context = context,
                          .arcs = malloc(arcs * sizeof *search.arcs),
                          .supply = calloc(nodes, sizeof *search.supply),
                          .filled = calloc(arcs, sizeof *search.filled),
                          .flow = calloc(arcs, sizeof *search.flow),
                          .best = flow,
                          .out = out};
  *out = (struct least_result){0};
  enum collega_status status = COLLEGA_OK;
  for (size_t i = 0; i < plain->arc_count; ++i)
    if (network->least[i] < 0 || network->least[i] > plain->arcs[i].capacity)
      status = error_set(error, COLLEGA_INVALID, RULE_flow_network, NULL, NULL);
  if (status != COLLEGA_OK) {
    /* nothing to search */
  } else if (!search.arcs || !search.supply || !search.filled || !search.flow) {
    status = error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  } else {
    if (plain->arc_count) memcpy(search.arcs, plain->arcs, plain->arc_count * sizeof *search.arcs);
    memset(flow, 0, plain->arc_count * sizeof *flow); /* nothing, at no cost */
    if (plain->supply) memcpy(search.supply, plain->supply, nodes * sizeof *search.supply);
    status = branch(&search, error);
    out->cost = search.best_cost;
  }
  search_free(&search);
  return status;
}
