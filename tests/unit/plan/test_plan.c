/* Plans against trying everything on small boards, written plainly from plan.h; the rules on larger boards, and when
 * stopped early. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/match/plan.h"
#include "tests/support/random.h"

#define OFFERS_MOST 8
#define PAIRS_MOST  7
#define PLAIN_RINGS 400

/* ---- small boards */

struct small {
  struct plan_offer offer[OFFERS_MOST];
  struct plan_pair pair[PAIRS_MOST];
  struct plan_board board;
};

static void make_small(struct small *small, uint64_t *state, int32_t in_return_of_ten) {
  memset(small, 0, sizeof *small);
  size_t offers = (size_t)(2 + random_below(state, OFFERS_MOST - 1)), pairs = 0;
  int32_t employers = 2 + random_below(state, 3);
  for (size_t i = 0; i < offers; ++i)
    small->offer[i] = (struct plan_offer){
        (uint32_t)(random_below(state, employers) % (int32_t)offers), random_below(state, 4),
        i % 2 == 0, random_below(state, 10) < in_return_of_ten};
  for (size_t tries = 0; tries < 40 && pairs < PAIRS_MOST; ++tries) {
    uint32_t supply = (uint32_t)random_below(state, (int32_t)offers),
             demand = (uint32_t)random_below(state, (int32_t)offers);
    bool known = false;
    for (size_t i = 0; i < pairs; ++i)
      known = known || (small->pair[i].supply == supply && small->pair[i].demand == demand);
    if (known || !small->offer[supply].supplies || small->offer[demand].supplies ||
        small->offer[supply].employer == small->offer[demand].employer)
      continue;
    small->pair[pairs++] =
        (struct plan_pair){supply, demand, 1 + random_below(state, 100),
                           1 + random_below(state, 3) * (random_below(state, 3) == 0)};
  }
  small->board = (struct plan_board){small->offer, small->pair, offers, pairs, NULL};
}

/* All ways to lend, tried one after the other. */
struct plain {
  const struct plan_board *board;
  enum plan_mode mode;
  uint32_t ring[PLAIN_RINGS][PLAN_RING_MOST];
  size_t length[PLAIN_RINGS], ring_count;
  int32_t left[OFFERS_MOST];
  int64_t value, best;
};

static uint32_t lender(const struct plan_board *board, uint32_t pair) {
  return board->offers[board->pairs[pair].supply].employer;
}
static uint32_t borrower(const struct plan_board *board, uint32_t pair) {
  return board->offers[board->pairs[pair].demand].employer;
}

/* Each ring once: the one that begins with its employer of the lowest number. */
static void plain_rings(struct plain *plain, uint32_t *pairs, size_t length) {
  const struct plan_board *board = plain->board;
  for (size_t i = 0; i < length; ++i) {
    if (i > 0 && lender(board, pairs[i]) <= lender(board, pairs[0])) return;
    if (i > 0 && lender(board, pairs[i]) != borrower(board, pairs[i - 1])) return;
    for (size_t j = 0; j < i; ++j)
      if (lender(board, pairs[i]) == lender(board, pairs[j])) return;
  }
  if (length >= 2 && borrower(board, pairs[length - 1]) == lender(board, pairs[0])) {
    assert_true(plain->ring_count < PLAIN_RINGS);
    memcpy(plain->ring[plain->ring_count], pairs, length * sizeof *pairs);
    plain->length[plain->ring_count++] = length;
    return;
  }
  if (length == PLAN_RING_MOST) return;
  for (uint32_t i = 0; i < board->pair_count; ++i) {
    pairs[length] = i;
    plain_rings(plain, pairs, length + 1);
  }
}

static bool move(struct plain *plain, uint32_t pair, int32_t people) {
  const struct plan_pair *one = &plain->board->pairs[pair];
  plain->left[one->supply] -= people;
  plain->left[one->demand] -= people;
  plain->value += (int64_t)people * one->score;
  return plain->left[one->supply] >= 0 && plain->left[one->demand] >= 0;
}

static void try_loans(struct plain *plain, uint32_t pair) {
  if (pair == plain->board->pair_count) {
    if (plain->value > plain->best) plain->best = plain->value;
    return;
  }
  const struct plan_pair *one = &plain->board->pairs[pair];
  try_loans(plain, pair + 1);
  if (plain->board->offers[one->supply].in_return || plain->board->offers[one->demand].in_return)
    return;
  for (int32_t people = one->least; people <= 3; ++people) {
    if (move(plain, pair, people)) try_loans(plain, pair + 1);
    move(plain, pair, -people);
  }
}

static void try_rings(struct plain *plain, size_t ring) {
  if (ring == plain->ring_count) {
    if (plain->mode == PLAN_LOANS)
      try_loans(plain, 0);
    else if (plain->value > plain->best)
      plain->best = plain->value;
    return;
  }
  for (int32_t people = 0; people <= 3; ++people) {
    bool fits = true;
    for (size_t i = 0; i < plain->length[ring]; ++i) {
      uint32_t pair = plain->ring[ring][i];
      fits = move(plain, pair, people) && fits &&
             (people == 0 || people >= plain->board->pairs[pair].least);
    }
    if (fits) try_rings(plain, ring + 1);
    for (size_t i = 0; i < plain->length[ring]; ++i)
      move(plain, plain->ring[ring][i], -people);
  }
}

static int64_t try_everything(const struct plan_board *board, enum plan_mode mode, size_t *rings) {
  struct plain plain = {.board = board, .mode = mode};
  uint32_t pairs[PLAN_RING_MOST];
  for (size_t i = 0; i < board->offer_count; ++i)
    plain.left[i] = board->offers[i].people;
  plain_rings(&plain, pairs, 0);
  try_rings(&plain, 0);
  *rings = plain.ring_count;
  return plain.best;
}

static void compare(enum plan_mode mode, int32_t in_return_of_ten, uint64_t seed) {
  uint64_t random = seed;
  size_t with_rings = 0, with_loans = 0;
  for (size_t i = 0; i < 300; ++i) {
    struct small small;
    struct plan plan;
    size_t rings = 0;
    make_small(&small, &random, in_return_of_ten);
    assert_int_equal(plan_make(&small.board, mode, NULL, NULL, &plan, NULL), COLLEGA_OK);
    int64_t best = try_everything(&small.board, mode, &rings);
    assert_true(plan_obeys(&small.board, mode, &plan));
    assert_true(plan.optimal && plan.value == best && plan.bound == best);
    assert_true(plan.best_value >= 0 && (plan.best_value <= best || in_return_of_ten || mode));
    with_rings += plan.ring_count > 0;
    with_loans += plan.loan_count > 0;
    plan_free(&plan);
  }
  assert_true(with_loans > 10);
  if (in_return_of_ten || mode == PLAN_RINGS) assert_true(with_rings > 10);
}

static void loans_are_the_best_of_all(void **state) {
  (void)state;
  compare(PLAN_LOANS, 0, 1);
}
static void with_offers_in_return_too(void **state) {
  (void)state;
  compare(PLAN_LOANS, 5, 2);
}
static void rings_are_the_best_of_all(void **state) {
  (void)state;
  compare(PLAN_RINGS, 3, 3);
}

/* ---- larger boards: the rules, and the bound */

#define BOARD_OFFERS 600
#define BOARD_PAIRS  6000
struct large {
  struct plan_offer offer[BOARD_OFFERS];
  struct plan_pair pair[BOARD_PAIRS];
  struct plan_board board;
};

static struct large *make_large(uint64_t *state) {
  struct large *large = calloc(1, sizeof *large);
  assert_non_null(large);
  size_t pairs = 0;
  for (size_t i = 0; i < BOARD_OFFERS; ++i)
    large->offer[i] =
        (struct plan_offer){(uint32_t)random_below(state, 150), 1 + random_below(state, 20),
                            i % 2 == 0, random_below(state, 50) == 0};
  while (pairs < BOARD_PAIRS) {
    uint32_t supply = 2 * (uint32_t)random_below(state, BOARD_OFFERS / 2),
             demand = 2 * (uint32_t)random_below(state, BOARD_OFFERS / 2) + 1;
    if (large->offer[supply].employer != large->offer[demand].employer)
      large->pair[pairs++] =
          (struct plan_pair){supply, demand, 1 + random_below(state, PLAN_SCORE_MOST),
                             1 + (random_below(state, 5) == 0) * random_below(state, 6)};
  }
  large->board = (struct plan_board){large->offer, large->pair, BOARD_OFFERS, BOARD_PAIRS, NULL};
  return large;
}

static bool count_down(void *context) {
  int *left = context;
  return --*left < 0;
}

static void every_rule_is_obeyed_however_early_it_is_stopped(void **state) {
  (void)state;
  uint64_t random = 9;
  struct large *large = make_large(&random);
  int64_t least_bound = INT64_MAX, most_value = 0;
  for (int asked = 0; asked <= 3000; asked = asked * 4 + 1)
    for (enum plan_mode mode = PLAN_LOANS; mode <= PLAN_RINGS; ++mode) {
      int left = asked;
      struct plan plan;
      assert_int_equal(plan_make(&large->board, mode, count_down, &left, &plan, NULL), COLLEGA_OK);
      assert_true(plan_obeys(&large->board, mode, &plan));
      if (mode == PLAN_LOANS && plan.bound < least_bound) least_bound = plan.bound;
      if (mode == PLAN_LOANS && plan.value > most_value) most_value = plan.value;
      plan_free(&plan);
    }
  print_message("best %lld, bound %lld\n", (long long)most_value, (long long)least_bound);
  assert_true(most_value > 0 && most_value <= least_bound);
  assert_true(most_value * 100 > least_bound * 95); /* and not far from the bound */
  free(large);
}

/* A plan that breaks a rule is told from one that does not: else the tests above could not fail. */
static void a_broken_plan_is_found(void **state) {
  (void)state;
  struct plan_offer offers[4] = {
      {0, 5, true, false}, {1, 4, false, false}, {1, 5, true, true}, {0, 5, false, false}};
  struct plan_pair pairs[2] = {{0, 1, 50, 2}, {2, 3, 60, 1}};
  struct plan_board board = {offers, pairs, 4, 2, NULL};
  struct plan_loan loans[2] = {{0, 4, 1, 0, 0}, {1, 4, 1, 0, 0}};
  struct plan plan = {.loans = loans, .loan_count = 2, .people = 8, .value = 440, .bound = 440};
  assert_true(plan_obeys(&board, PLAN_LOANS, &plan));
  loans[1].people = 3; /* a ring that does not go round */
  plan.value = 380;
  assert_false(plan_obeys(&board, PLAN_LOANS, &plan));
  loans[0].people = 5; /* more than is asked */
  loans[1].people = 5;
  plan.value = plan.bound = 550;
  assert_false(plan_obeys(&board, PLAN_LOANS, &plan));
  loans[0] = (struct plan_loan){0, 1, 0, 0, 0}; /* below its least */
  plan.loan_count = 1;
  plan.value = 50;
  assert_false(plan_obeys(&board, PLAN_LOANS, &plan));
  loans[0] = (struct plan_loan){1, 2, 0, 0, 0}; /* given in return, and nothing comes */
  plan.value = 120;
  assert_false(plan_obeys(&board, PLAN_LOANS, &plan));
  loans[0] = (struct plan_loan){0, 2, 0, 0, 0};
  plan.value = 100;
  assert_true(plan_obeys(&board, PLAN_LOANS, &plan));
  assert_false(plan_obeys(&board, PLAN_RINGS, &plan));
}

static void what_is_no_board_is_refused(void **state) {
  (void)state;
  struct plan_offer offers[2] = {{0, 1, true, false}, {1, 1, false, false}};
  struct plan_pair pair = {0, 1, 50, 1};
  struct plan_board board = {offers, &pair, 2, 1, NULL};
  struct plan plan;
  pair.demand = 2;
  assert_int_equal(plan_make(&board, PLAN_LOANS, NULL, NULL, &plan, NULL), COLLEGA_INVALID);
  pair.demand = 0;
  assert_int_equal(plan_make(&board, PLAN_LOANS, NULL, NULL, &plan, NULL), COLLEGA_INVALID);
  pair.demand = 1;
  pair.score = PLAN_SCORE_MOST + 1;
  assert_int_equal(plan_make(&board, PLAN_LOANS, NULL, NULL, &plan, NULL), COLLEGA_INVALID);
  pair.score = 5;
  offers[1].employer = 0;
  assert_int_equal(plan_make(&board, PLAN_LOANS, NULL, NULL, &plan, NULL), COLLEGA_INVALID);
  struct plan_board nothing = {0};
  assert_int_equal(plan_make(&nothing, PLAN_RINGS, NULL, NULL, &plan, NULL), COLLEGA_OK);
  assert_true(plan.optimal && plan.loan_count == 0 && plan.best_pair == SIZE_MAX);
  plan_free(&plan);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(loans_are_the_best_of_all),
      cmocka_unit_test(with_offers_in_return_too),
      cmocka_unit_test(rings_are_the_best_of_all),
      cmocka_unit_test(every_rule_is_obeyed_however_early_it_is_stopped),
      cmocka_unit_test(a_broken_plan_is_found),
      cmocka_unit_test(what_is_no_board_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
