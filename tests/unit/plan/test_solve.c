/* Flows: against trying every flow on small networks, against a dynamic program on larger ones with leasts, and stopped
 * early: what is given then obeys every rule, and the bound holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/match/solve_least.h"
#include "tests/support/random.h"

#define ARCS_MOST  8
#define NODES_MOST 5
#define INSTANCES  400

struct instance {
  struct flow_arc arc[ARCS_MOST];
  int32_t least[ARCS_MOST];
  int64_t supply[NODES_MOST];
  struct least_network network;
};

/* Costs of both signs, circles, twin arcs, arcs of no capacity. With `supplied` the supplies may be impossible to
 * meet. */
static void make(struct instance *one, uint64_t *state, bool supplied, bool leasts) {
  memset(one, 0, sizeof *one);
  size_t nodes = (size_t)(2 + random_below(state, NODES_MOST - 1)),
         arcs = (size_t)(1 + random_below(state, ARCS_MOST));
  for (size_t i = 0; i < arcs; ++i) {
    one->arc[i] = (struct flow_arc){(uint32_t)random_below(state, (int32_t)nodes),
                                    (uint32_t)random_below(state, (int32_t)nodes),
                                    random_below(state, 4), random_below(state, 13) - 6};
    if (leasts) one->least[i] = random_below(state, one->arc[i].capacity + 1);
  }
  for (size_t i = 0; supplied && i < 2; ++i) {
    int32_t amount = random_below(state, 3);
    one->supply[random_below(state, (int32_t)nodes)] += amount;
    one->supply[random_below(state, (int32_t)nodes)] -= amount;
  }
  one->network =
      (struct least_network){.flow = {nodes, arcs, one->arc, supplied ? one->supply : NULL, NULL},
                             .least = one->least,
                             .branches_most = UINT64_MAX};
}

static bool obeys(const struct instance *one, const int32_t *flow, int64_t *cost) {
  int64_t left[NODES_MOST];
  memcpy(left, one->supply, sizeof left);
  *cost = 0;
  for (size_t i = 0; i < one->network.flow.arc_count; ++i) {
    if (flow[i] < 0 || flow[i] > one->arc[i].capacity) return false;
    if (flow[i] > 0 && flow[i] < one->least[i]) return false;
    left[one->arc[i].from] -= flow[i];
    left[one->arc[i].to] += flow[i];
    *cost += (int64_t)flow[i] * one->arc[i].cost;
  }
  for (size_t i = 0; i < NODES_MOST; ++i)
    if (left[i] != 0) return false;
  return true;
}

/* Every flow, one after the other, as a counter counts. */
static bool try_all(const struct instance *one, int64_t *best) {
  int32_t flow[ARCS_MOST] = {0};
  bool found = false;
  for (;;) {
    int64_t cost = 0;
    if (obeys(one, flow, &cost) && (!found || cost < *best)) {
      *best = cost;
      found = true;
    }
    size_t at = 0;
    while (at < one->network.flow.arc_count && flow[at] == one->arc[at].capacity)
      flow[at++] = 0;
    if (at == one->network.flow.arc_count) return found;
    ++flow[at];
  }
}

static void a_flow_costs_as_little_as_the_best_of_all(void **state) {
  (void)state;
  uint64_t random = 7;
  size_t possible = 0;
  for (size_t i = 0; i < INSTANCES; ++i) {
    struct instance one;
    int32_t flow[ARCS_MOST];
    int64_t best = 0, cost = 0;
    struct flow_result result;
    make(&one, &random, i % 2 == 1, false);
    assert_int_equal(flow_solve(&one.network.flow, NULL, NULL, flow, &result, NULL), COLLEGA_OK);
    bool found = try_all(&one, &best);
    assert_int_equal(result.feasible, found);
    if (!found) continue;
    ++possible;
    assert_true(obeys(&one, flow, &cost));
    assert_true(cost == best && result.cost == best && result.bound == best && result.optimal);
  }
  assert_true(possible > INSTANCES / 2);
}

static void with_leasts_too(void **state) {
  (void)state;
  uint64_t random = 11;
  size_t branched = 0;
  for (size_t i = 0; i < INSTANCES; ++i) {
    struct instance one;
    int32_t flow[ARCS_MOST];
    int64_t best = 0, cost = 0;
    struct least_result result;
    make(&one, &random, false, true);
    assert_int_equal(least_solve(&one.network, NULL, NULL, flow, &result, NULL), COLLEGA_OK);
    assert_true(try_all(&one, &best));
    assert_true(obeys(&one, flow, &cost));
    assert_true(cost == best && result.cost == best && result.bound == best && result.optimal);
    branched += result.branches > 0;
  }
  assert_true(branched > 10); /* else the leasts were never in the way */
}

/* ---- stopped early */

static bool count_down(void *context) {
  int *left = context;
  return --*left < 0;
}

/* 40 lenders and 30 borrowers, all pairs, leasts everywhere. */
#define LENDERS   40u
#define BORROWERS 30u
#define PAIRS     (LENDERS * BORROWERS)
struct board {
  struct flow_arc arc[PAIRS + LENDERS + BORROWERS];
  int32_t least[PAIRS + LENDERS + BORROWERS];
  struct least_network network;
};

static void make_board(struct board *board, uint64_t *state) {
  uint32_t count = 0;
  memset(board, 0, sizeof *board);
  for (uint32_t i = 0; i < LENDERS; ++i)
    board->arc[count++] = (struct flow_arc){0, 1 + i, 1 + random_below(state, 9), 0};
  for (uint32_t i = 0; i < BORROWERS; ++i)
    board->arc[count++] = (struct flow_arc){1 + LENDERS + i, 0, 1 + random_below(state, 12), 0};
  for (uint32_t i = 0; i < PAIRS; ++i) {
    board->least[count] = 1 + random_below(state, 4);
    board->arc[count++] = (struct flow_arc){1 + i / BORROWERS, 1 + LENDERS + i % BORROWERS, 8,
                                            -1 - random_below(state, 9999)};
  }
  board->network = (struct least_network){
      {1 + LENDERS + BORROWERS, count, board->arc, NULL, NULL}, board->least, UINT64_MAX};
}

static void check_board(const struct board *board, const int32_t *flow,
                        const struct least_result *result) {
  int64_t left[1 + LENDERS + BORROWERS] = {0}, cost = 0;
  for (size_t i = 0; i < board->network.flow.arc_count; ++i) {
    const struct flow_arc *arc = &board->arc[i];
    assert_true(flow[i] >= 0 && flow[i] <= arc->capacity);
    assert_true(flow[i] == 0 || flow[i] >= board->least[i]);
    left[arc->from] -= flow[i];
    left[arc->to] += flow[i];
    cost += (int64_t)flow[i] * arc->cost;
  }
  for (size_t i = 0; i < sizeof left / sizeof *left; ++i)
    assert_true(left[i] == 0);
  assert_true(cost == result->cost && result->bound <= result->cost);
}

static void stopped_at_any_time_it_gives_what_it_has(void **state) {
  (void)state;
  static struct board board;
  static int32_t flow[PAIRS + LENDERS + BORROWERS];
  uint64_t random = 3;
  make_board(&board, &random);
  int64_t best_bound = INT64_MIN, best_cost = INT64_MAX;
  for (int asked = 0; asked < 200; asked += asked < 8 ? 1 : 24) {
    int left = asked;
    struct least_result result;
    assert_int_equal(least_solve(&board.network, count_down, &left, flow, &result, NULL),
                     COLLEGA_OK);
    check_board(&board, flow, &result);
    if (result.bound > best_bound) best_bound = result.bound;
    if (result.cost < best_cost) best_cost = result.cost;
    if (asked > 100) assert_true(result.cost < 0);
  }
  assert_true(best_bound <= best_cost); /* every bound holds for every answer */
}

/* ---- one borrower and many lenders: a knapsack, by a table of all numbers of people */

#define MANY   400
#define PEOPLE 60

static int64_t by_table(const struct flow_arc *pair, const int32_t *least) {
  int64_t best[PEOPLE + 1] = {0};
  for (size_t i = 0; i < MANY; ++i)
    for (int32_t people = PEOPLE; people > 0; --people)
      for (int32_t x = least[i] ? least[i] : 1; x <= pair[i].capacity && x <= people; ++x) {
        int64_t value = best[people - x] - (int64_t)x * pair[i].cost;
        if (value > best[people]) best[people] = value;
      }
  return best[PEOPLE];
}

static void many_lenders_for_one_are_as_good_as_a_table_says(void **state) {
  (void)state;
  static struct flow_arc arc[2 * MANY + 1];
  static int32_t least[2 * MANY + 1], flow[2 * MANY + 1];
  uint64_t random = 5;
  for (int round = 0; round < 10; ++round) {
    memset(least, 0, sizeof least);
    for (uint32_t i = 0; i < MANY; ++i) {
      int32_t people = 1 + random_below(&random, 12);
      arc[i] = (struct flow_arc){2 + i, 1, people, -1 - random_below(&random, 9999)};
      least[i] = 1 + random_below(&random, people);
      arc[MANY + i] = (struct flow_arc){0, 2 + i, people, 0};
    }
    arc[2 * MANY] = (struct flow_arc){1, 0, PEOPLE, 0};
    struct least_network network = {{MANY + 2, 2 * MANY + 1, arc, NULL, NULL}, least, UINT64_MAX};
    struct least_result result;
    assert_int_equal(least_solve(&network, NULL, NULL, flow, &result, NULL), COLLEGA_OK);
    assert_true(result.optimal && -result.cost == by_table(arc, least));
  }
}

static void what_cannot_be_is_refused(void **state) {
  (void)state;
  int32_t flow[2], least[2] = {0, 0};
  struct flow_arc arc[2] = {{0, 1, 3, 1}, {1, 0, 3, 1}};
  int64_t supply[2] = {1, 0};
  struct flow_network network = {2, 2, arc, supply, NULL};
  struct flow_result result;
  struct least_result least_result;
  assert_int_equal(flow_solve(&network, NULL, NULL, flow, &result, NULL), COLLEGA_INVALID);
  network.supply = NULL;
  arc[1].to = 2;
  assert_int_equal(flow_solve(&network, NULL, NULL, flow, &result, NULL), COLLEGA_INVALID);
  arc[1].to = 0;
  arc[1].capacity = -1;
  assert_int_equal(flow_solve(&network, NULL, NULL, flow, &result, NULL), COLLEGA_INVALID);
  arc[1].capacity = 3;
  arc[0].cost = FLOW_COST_MOST + 1;
  assert_int_equal(flow_solve(&network, NULL, NULL, flow, &result, NULL), COLLEGA_INVALID);
  arc[0].cost = 1;
  least[1] = 4;
  struct least_network with_least = {network, least, UINT64_MAX};
  assert_int_equal(least_solve(&with_least, NULL, NULL, flow, &least_result, NULL),
                   COLLEGA_INVALID);
  struct flow_network nothing = {0};
  assert_int_equal(flow_solve(&nothing, NULL, NULL, flow, &result, NULL), COLLEGA_OK);
  assert_true(result.optimal && result.cost == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_flow_costs_as_little_as_the_best_of_all),
      cmocka_unit_test(with_leasts_too),
      cmocka_unit_test(stopped_at_any_time_it_gives_what_it_has),
      cmocka_unit_test(many_lenders_for_one_are_as_good_as_a_table_says),
      cmocka_unit_test(what_cannot_be_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
