/* The network simplex method.
 *
 * The basis is a spanning tree of all nodes and a root that stands beside them; artificial arcs, dearer than any
 * path, join each node to the root at the start, or to node 0 where the caller names an arc. Arcs outside the tree
 * carry nothing or all that they can. A step takes an arc outside of it whose reduced cost says that more (or
 * less) of it is cheaper, sends as much as fits around the circle that it closes with the tree, and takes the arc
 * that filled or emptied first out of the tree.
 *
 * The tree is kept as parents and lists of children. A step moves one branch: the path between the two ends is turned
 * round, and depths and potentials of that branch alone change. */
#include "client/match/solve.h"

#include <stdlib.h>
#include <string.h>

#define NONE        UINT32_MAX
#define STEPS_ASKED 256u /* steps between two looks at `over` */
#define BLOCK_LEAST 64u

enum place { AT_MOST = -1, IN_TREE = 0, AT_LEAST = 1 };

struct node {
  uint32_t parent, arc; /* the arc that joins it to its parent */
  uint32_t first_child, next, before;
  uint32_t depth;
  bool up; /* that arc leads to the parent */
};
struct simplex {
  const struct flow_network *network;
  size_t nodes, arcs; /* the root, and artificial arcs, included */
  uint32_t root;
  struct node *node;
  int64_t *potential;   /* by node: apart, as it is read for every arc that is looked at */
  struct flow_arc *arc; /* a copy of the network's, and the artificial ones behind them */
  int64_t *cost;        /* of each: artificial arcs cost more than an int32 holds */
  int64_t *flow, *most;
  int8_t *place;
  size_t block, at;
};

/* ---- the tree */

static void hang(struct simplex *simplex, uint32_t child, uint32_t parent) {
  struct node *node = &simplex->node[child], *under = &simplex->node[parent];
  node->parent = parent;
  node->before = NONE;
  node->next = under->first_child;
  if (under->first_child != NONE) simplex->node[under->first_child].before = child;
  under->first_child = child;
}

static void unhang(struct simplex *simplex, uint32_t child) {
  struct node *node = &simplex->node[child];
  if (node->before != NONE)
    simplex->node[node->before].next = node->next;
  else
    simplex->node[node->parent].first_child = node->next;
  if (node->next != NONE) simplex->node[node->next].before = node->before;
}

/* All of the branch under `top`, each node after its parent. */
static uint32_t next_in_branch(const struct simplex *simplex, uint32_t at, uint32_t top) {
  if (simplex->node[at].first_child != NONE) return simplex->node[at].first_child;
  while (at != top && simplex->node[at].next == NONE)
    at = simplex->node[at].parent;
  return at == top ? NONE : simplex->node[at].next;
}

/* ---- starting */

static int64_t supply_of(const struct flow_network *network, size_t node) {
  return network->supply ? network->supply[node] : 0;
}

static bool network_fits(const struct flow_network *network) {
  int64_t sum = 0;
  if (network->node_count > FLOW_NODES_MOST || network->arc_count > FLOW_ARCS_MOST) return false;
  for (size_t i = 0; i < network->node_count; ++i) {
    int64_t supply = supply_of(network, i);
    if (supply > FLOW_CAPACITY_MOST || supply < -(int64_t)FLOW_CAPACITY_MOST) return false;
    sum += supply;
  }
  for (size_t i = 0; i < network->arc_count; ++i) {
    const struct flow_arc *arc = &network->arcs[i];
    if (arc->from >= network->node_count || arc->to >= network->node_count || arc->capacity < 0 ||
        arc->cost > FLOW_COST_MOST || arc->cost < -FLOW_COST_MOST)
      return false;
  }
  return sum == 0;
}

/* The arc that the caller names for the start, if it can be in the first tree: it must be able to carry a little more
 * towards the root. */
static uint32_t start_arc(const struct simplex *simplex, uint32_t node) {
  const struct flow_network *network = simplex->network;
  uint32_t arc = network->start && node ? network->start[node] : FLOW_NO_ARC;
  if (arc >= network->arc_count || simplex->cost[arc] != 0) return NONE;
  int64_t supply = supply_of(network, node);
  bool up = simplex->arc[arc].from == node && simplex->arc[arc].to == 0;
  bool down = simplex->arc[arc].to == node && simplex->arc[arc].from == 0;
  if (up && supply >= 0 && supply < simplex->most[arc]) return arc;
  return down && supply < 0 && -supply <= simplex->most[arc] ? arc : NONE;
}

/* Through node 0, at no cost. What the arcs bring there node 0's own artificial arc takes on. */
static void start_at_hub(struct simplex *simplex, uint32_t node, uint32_t arc) {
  int64_t supply = supply_of(simplex->network, node);
  bool up = supply >= 0;
  simplex->flow[arc] = up ? supply : -supply;
  simplex->place[arc] = IN_TREE;
  simplex->potential[node] = simplex->potential[0];
  simplex->node[node] = (struct node){.arc = arc, .first_child = NONE, .depth = 2, .up = up};
  hang(simplex, node, 0);
}

/* An arc that points to the root carries what its node has, so that no arc that could take more points away from it:
 * that is what makes the tree strongly feasible. */
static void start_at_root(struct simplex *simplex, uint32_t node, int64_t carried, int64_t dear) {
  uint32_t arc = (uint32_t)simplex->network->arc_count + node;
  bool up = carried >= 0;
  simplex->arc[arc] =
      (struct flow_arc){.from = up ? node : simplex->root, .to = up ? simplex->root : node};
  simplex->cost[arc] = dear;
  simplex->most[arc] = INT64_MAX / 4;
  simplex->flow[arc] = up ? carried : -carried;
  simplex->place[arc] = IN_TREE;
  simplex->potential[node] = up ? -dear : dear;
  simplex->node[node] = (struct node){.arc = arc, .first_child = NONE, .depth = 1, .up = up};
  hang(simplex, node, simplex->root);
}

static void start_tree(struct simplex *simplex) {
  int64_t dear = 1, hub = supply_of(simplex->network, 0);
  for (size_t i = 0; i < simplex->network->arc_count; ++i)
    if (llabs(simplex->cost[i]) >= dear) dear = llabs(simplex->cost[i]) + 1;
  dear *= (int64_t)simplex->nodes;
  simplex->node[simplex->root] = (struct node){NONE, NONE, NONE, NONE, NONE, 0, false};
  for (uint32_t i = 1; i < simplex->root; ++i)
    if (start_arc(simplex, i) != NONE) hub += supply_of(simplex->network, i);
  if (simplex->root > 0) start_at_root(simplex, 0, hub, dear);
  for (uint32_t i = 1; i < simplex->root; ++i) {
    uint32_t arc = start_arc(simplex, i);
    if (arc == NONE)
      start_at_root(simplex, i, supply_of(simplex->network, i), dear);
    else
      start_at_hub(simplex, i, arc);
  }
}

static void simplex_free(struct simplex *simplex) {
  free(simplex->node);
  free(simplex->potential);
  free(simplex->arc);
  free(simplex->cost);
  free(simplex->flow);
  free(simplex->most);
  free(simplex->place);
}

static bool simplex_start(struct simplex *simplex, const struct flow_network *network) {
  *simplex = (struct simplex){.network = network,
                              .nodes = network->node_count + 1,
                              .arcs = network->arc_count + network->node_count,
                              .root = (uint32_t)network->node_count};
  size_t arcs = simplex->arcs ? simplex->arcs : 1;
  simplex->node = calloc(simplex->nodes, sizeof *simplex->node);
  simplex->potential = calloc(simplex->nodes, sizeof *simplex->potential);
  simplex->arc = malloc(arcs * sizeof *simplex->arc);
  simplex->cost = malloc(arcs * sizeof *simplex->cost);
  simplex->flow = calloc(arcs, sizeof *simplex->flow);
  simplex->most = malloc(arcs * sizeof *simplex->most);
  simplex->place = malloc(arcs * sizeof *simplex->place);
  if (!simplex->node || !simplex->potential || !simplex->arc || !simplex->cost || !simplex->flow ||
      !simplex->most || !simplex->place)
    return false;
  for (size_t i = 0; i < network->arc_count; ++i) {
    simplex->arc[i] = network->arcs[i];
    simplex->cost[i] = network->arcs[i].cost;
    simplex->most[i] = network->arcs[i].capacity;
    simplex->place[i] = AT_LEAST;
  }
  for (size_t i = network->arc_count; i < simplex->arcs; ++i) {
    simplex->cost[i] = simplex->most[i] = 0;
    simplex->place[i] = AT_LEAST;
  }
  start_tree(simplex);
  simplex->block = BLOCK_LEAST;
  while (simplex->block * simplex->block < network->arc_count)
    simplex->block += simplex->block / 4;
  return true;
}

/* ---- a step */

static int64_t reduced(const struct simplex *simplex, size_t arc) {
  return simplex->cost[arc] + simplex->potential[simplex->arc[arc].from] -
         simplex->potential[simplex->arc[arc].to];
}

/* The arc of a block that gains the most by a unit; the next block where this one has none. Artificial arcs never come
 * back. NONE: no arc gains anything. */
static uint32_t entering(struct simplex *simplex) {
  size_t count = simplex->network->arc_count, in_block = 0;
  int64_t best = 0;
  uint32_t found = NONE;
  for (size_t seen = 0; seen < count; ++seen) {
    size_t arc = simplex->at;
    simplex->at = arc + 1 == count ? 0 : arc + 1;
    int64_t gain = simplex->place[arc] * reduced(simplex, arc);
    if (gain < best) {
      best = gain;
      found = (uint32_t)arc;
    }
    if (++in_block >= simplex->block) {
      if (found != NONE) return found;
      in_block = 0;
    }
  }
  return found;
}

static uint32_t meeting(const struct simplex *simplex, uint32_t one, uint32_t other) {
  while (one != other) {
    if (simplex->node[one].depth < simplex->node[other].depth)
      other = simplex->node[other].parent;
    else
      one = simplex->node[one].parent;
  }
  return one;
}

struct circle {
  uint32_t arc, first, second, top; /* flow runs first -> arc -> second -> top -> first */
  int64_t most;                     /* that fits around it */
  uint32_t leaving; /* the node whose arc to its parent is full or empty then; NONE: `arc` itself */
  bool on_first;    /* that node is on the side of `first` */
};

/* Of equals the last one in the direction of the flow, seen from the top, leaves: so the tree stays strongly feasible. */
static void measure(const struct simplex *simplex, struct circle *circle) {
  circle->most = simplex->most[circle->arc];
  circle->leaving = NONE;
  circle->on_first = false;
  for (uint32_t at = circle->first; at != circle->top; at = simplex->node[at].parent) {
    uint32_t arc = simplex->node[at].arc;
    int64_t room =
        simplex->node[at].up ? simplex->flow[arc] : simplex->most[arc] - simplex->flow[arc];
    if (room >= circle->most) continue;
    circle->most = room;
    circle->leaving = at;
    circle->on_first = true;
  }
  for (uint32_t at = circle->second; at != circle->top; at = simplex->node[at].parent) {
    uint32_t arc = simplex->node[at].arc;
    int64_t room =
        simplex->node[at].up ? simplex->most[arc] - simplex->flow[arc] : simplex->flow[arc];
    if (room > circle->most) continue;
    circle->most = room;
    circle->leaving = at;
    circle->on_first = false;
  }
}

static void send(struct simplex *simplex, const struct circle *circle) {
  if (circle->most == 0) return;
  simplex->flow[circle->arc] += simplex->place[circle->arc] * circle->most;
  for (uint32_t at = circle->first; at != circle->top; at = simplex->node[at].parent)
    simplex->flow[simplex->node[at].arc] += simplex->node[at].up ? -circle->most : circle->most;
  for (uint32_t at = circle->second; at != circle->top; at = simplex->node[at].parent)
    simplex->flow[simplex->node[at].arc] += simplex->node[at].up ? circle->most : -circle->most;
}

/* Hangs the branch that ends at `circle->leaving` under the other end of the entering arc, turned round. */
static void move_branch(struct simplex *simplex, const struct circle *circle) {
  uint32_t top = circle->on_first ? circle->first : circle->second;
  uint32_t under = circle->on_first ? circle->second : circle->first;
  uint32_t at = top, parent = under, arc = circle->arc;
  for (bool last = false; !last;) {
    struct node *node = &simplex->node[at];
    uint32_t old_parent = node->parent, old_arc = node->arc;
    last = at == circle->leaving;
    unhang(simplex, at);
    node->arc = arc;
    node->up = simplex->arc[arc].from == at;
    hang(simplex, at, parent);
    parent = at;
    arc = old_arc;
    at = old_parent;
  }
  int64_t cost = simplex->cost[circle->arc], base = simplex->potential[under];
  int64_t change = (simplex->node[top].up ? base - cost : base + cost) - simplex->potential[top];
  for (uint32_t i = top; i != NONE; i = next_in_branch(simplex, i, top)) {
    simplex->potential[i] += change;
    simplex->node[i].depth = simplex->node[simplex->node[i].parent].depth + 1;
  }
}

static void step(struct simplex *simplex, uint32_t arc) {
  bool more = simplex->place[arc] == AT_LEAST;
  struct circle circle = {.arc = arc,
                          .first = more ? simplex->arc[arc].from : simplex->arc[arc].to,
                          .second = more ? simplex->arc[arc].to : simplex->arc[arc].from};
  circle.top = meeting(simplex, circle.first, circle.second);
  measure(simplex, &circle);
  send(simplex, &circle);
  if (circle.leaving == NONE) {
    simplex->place[arc] = (int8_t)-simplex->place[arc];
    return;
  }
  uint32_t out = simplex->node[circle.leaving].arc;
  simplex->place[arc] = IN_TREE;
  simplex->place[out] = simplex->flow[out] == 0 ? AT_LEAST : AT_MOST;
  move_branch(simplex, &circle);
}

/* ---- the answer */

static void tell(const struct simplex *simplex, int32_t *flow, struct flow_result *out) {
  size_t own = simplex->network->arc_count;
  out->feasible = true;
  for (size_t i = 0; i < own; ++i) {
    flow[i] = (int32_t)simplex->flow[i];
    out->cost += simplex->cost[i] * simplex->flow[i];
    int64_t gain = reduced(simplex, i);
    if (gain < 0) out->bound += gain * simplex->most[i];
  }
  for (size_t i = 0; i < simplex->network->node_count; ++i) {
    out->bound -= simplex->potential[i] * supply_of(simplex->network, i);
    out->feasible = out->feasible && simplex->flow[own + i] == 0;
  }
}

enum collega_status flow_solve(const struct flow_network *network, flow_over over, void *context,
                               int32_t *flow, struct flow_result *out,
                               struct collega_error *error) {
  struct simplex simplex;
  *out = (struct flow_result){0};
  if (!network_fits(network))
    return error_set(error, COLLEGA_INVALID, RULE_flow_network, NULL, NULL);
  bool ready = simplex_start(&simplex, network);
  bool ended = false;
  while (ready && !ended) {
    uint32_t arc = entering(&simplex);
    ended = arc == NONE;
    if (!ended) step(&simplex, arc);
    if (!ended && ++out->steps % STEPS_ASKED == 0 && over && over(context)) break;
  }
  if (ready) tell(&simplex, flow, out);
  out->optimal = ended && out->feasible;
  simplex_free(&simplex);
  return ready ? COLLEGA_OK : error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}
