/* Boards with jobs that lenders share, against trying everything: each person stays, gets a place of their own, or
 * any part of a shared job. Written plainly from plan.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/match/plan.h"
#include "tests/support/random.h"

#define OFFERS_MOST  6
#define PAIRS_MOST   9
#define PERSONS_MOST 4
#define SOME_SLOTS   0x33u /* Monday and Tuesday by day */

/* ---- small boards: some supplies, then demands, of which the first ones are shared */

struct small {
  struct plan_offer offer[OFFERS_MOST];
  struct plan_week week[OFFERS_MOST];
  struct plan_pair pair[PAIRS_MOST];
  struct plan_job job[OFFERS_MOST];
  int32_t taken[OFFERS_MOST][WEEK_SLOTS];
  struct plan_sharing sharing;
  struct plan_board board;
};

static void draw_supplies(struct small *small, uint64_t *random, size_t supplies) {
  for (size_t i = 0, left = PERSONS_MOST; i < supplies; ++i) {
    int32_t people = random_below(random, (int32_t)left + 1), most = 4 + random_below(random, 17);
    if (people > 2) people = 2;
    left -= (size_t)people;
    small->offer[i] = (struct plan_offer){(uint32_t)i, people, true, false};
    small->week[i] = (struct plan_week){
        (uint8_t)(1 + random_below(random, most)), (uint8_t)most,
        random_below(random, 3) ? (uint32_t)random_next(random) & SOME_SLOTS : 0};
  }
}

/* A job of 16 hours, or 12 where it names three parts; some of it may be gone. */
static void draw_job(struct small *small, uint64_t *random, size_t offer, size_t job) {
  bool named = random_below(random, 2) == 0, gone = random_below(random, 3) == 0;
  int32_t posts = 1 + random_below(random, 2);
  small->week[offer] = (struct plan_week){4, named ? 12 : 16, named ? 0x13u : 0};
  small->job[job] = (struct plan_job){(uint32_t)offer, posts, gone ? 4 : 0, small->taken[job]};
  small->taken[job][0] = gone;
  small->offer[offer].people = posts - gone;
}

static void make_small(struct small *small, uint64_t *random, bool rings) {
  memset(small, 0, sizeof *small);
  size_t supplies = (size_t)(2 + random_below(random, 2)),
         offers = supplies + (size_t)(1 + random_below(random, 3));
  size_t jobs = (size_t)(1 + random_below(random, (int32_t)(offers - supplies))), pairs = 0;
  draw_supplies(small, random, supplies);
  for (size_t i = supplies; i < offers; ++i) {
    uint32_t employer = (uint32_t)(rings ? i - supplies : i);
    small->offer[i] = (struct plan_offer){employer, 1 + random_below(random, 2), false, false};
    small->week[i] = (struct plan_week){1, 40, 0};
    if (i - supplies < jobs) draw_job(small, random, i, i - supplies);
  }
  if (rings) small->offer[0].in_return = true;
  for (uint32_t i = 0; i < supplies; ++i)
    for (uint32_t j = (uint32_t)supplies; j < offers; ++j)
      if (random_below(random, 4) && small->offer[i].employer != small->offer[j].employer)
        small->pair[pairs++] = (struct plan_pair){i, j, 1 + random_below(random, 1000),
                                                  1 + (random_below(random, 6) == 0)};
  small->sharing = (struct plan_sharing){small->week, small->job, jobs};
  small->board = (struct plan_board){small->offer, small->pair, offers, pairs, &small->sharing};
}

/* ---- everything, tried */

struct plain {
  const struct small *small;
  uint32_t person[PERSONS_MOST];
  size_t count;
  int32_t room[OFFERS_MOST][WEEK_SLOTS], hours[OFFERS_MOST]; /* of jobs, by number */
  int32_t places[OFFERS_MOST], lent[PAIRS_MOST];             /* of other demands */
  int64_t worth[OFFERS_MOST], value, best;                   /* worth: of jobs, hours * score */
};

static void try_person(struct plain *plain, size_t at);

static void end(struct plain *plain) {
  const struct small *small = plain->small;
  int64_t value = plain->value;
  for (size_t i = 0; i < small->board.pair_count; ++i)
    if (plain->lent[i] && plain->lent[i] < small->pair[i].least) return;
  for (size_t i = 0; i < small->sharing.job_count; ++i)
    value += plain->worth[i] / small->week[small->job[i].offer].hours_max;
  if (value > plain->best) plain->best = value;
}

static void give(struct plain *plain, size_t at, size_t job, uint32_t set, int32_t hours,
                 int32_t score, int32_t sign) {
  for (unsigned slot = 0; slot < WEEK_SLOTS; ++slot)
    if (set & 1u << slot) plain->room[job][slot] -= sign;
  plain->hours[job] -= sign * hours;
  plain->worth[job] += sign * (int64_t)hours * score;
  if (sign > 0) try_person(plain, at + 1);
}

static void try_part(struct plain *plain, size_t at, size_t job, uint32_t set, int32_t hours,
                     int32_t score) {
  const struct plan_week *week = &plain->small->week[plain->person[at]],
                         *post = &plain->small->week[plain->small->job[job].offer];
  bool fits = hours >= week->hours_min && hours >= post->hours_min && hours <= week->hours_max &&
              hours <= post->hours_max && hours <= plain->hours[job];
  for (unsigned slot = 0; slot < WEEK_SLOTS; ++slot)
    if (set & 1u << slot) fits = fits && plain->room[job][slot] > 0;
  if (!fits) return;
  give(plain, at, job, set, hours, score, 1);
  give(plain, at, job, set, hours, score, -1);
}

static void try_job(struct plain *plain, size_t at, size_t job, int32_t score) {
  const struct plan_week *week = &plain->small->week[plain->person[at]],
                         *post = &plain->small->week[plain->small->job[job].offer];
  uint32_t may = week->slots ? week->slots : post->slots;
  if (post->slots) may &= post->slots;
  if (!week->slots && !post->slots)
    for (int32_t hours = 1; hours <= post->hours_max; ++hours)
      try_part(plain, at, job, 0, hours, score);
  else
    for (uint32_t set = may; set; set = (set - 1) & may)
      try_part(plain, at, job, set, 4 * __builtin_popcount(set), score);
}

static void try_person(struct plain *plain, size_t at) {
  const struct small *small = plain->small;
  if (at == plain->count) {
    end(plain);
    return;
  }
  try_person(plain, at + 1);
  for (size_t i = 0; i < small->board.pair_count; ++i) {
    const struct plan_pair *pair = &small->pair[i];
    size_t job = 0;
    if (pair->supply != plain->person[at]) continue;
    while (job < small->sharing.job_count && small->job[job].offer != pair->demand)
      ++job;
    if (job < small->sharing.job_count) {
      if (pair->least <= 1) try_job(plain, at, job, pair->score);
    } else if (plain->places[pair->demand] > 0) {
      --plain->places[pair->demand];
      ++plain->lent[i];
      plain->value += pair->score;
      try_person(plain, at + 1);
      plain->value -= pair->score;
      --plain->lent[i];
      ++plain->places[pair->demand];
    }
  }
}

static int64_t try_everything(const struct small *small) {
  struct plain plain = {.small = small};
  for (uint32_t i = 0; i < small->board.offer_count; ++i) {
    plain.places[i] = small->offer[i].people;
    for (int32_t j = 0; small->offer[i].supplies && j < small->offer[i].people; ++j) {
      assert_true(plain.count < PERSONS_MOST);
      plain.person[plain.count++] = i;
    }
  }
  for (size_t i = 0; i < small->sharing.job_count; ++i) {
    const struct plan_job *job = &small->job[i];
    plain.hours[i] = job->posts * small->week[job->offer].hours_max - job->taken;
    for (unsigned slot = 0; slot < WEEK_SLOTS; ++slot)
      plain.room[i][slot] = job->posts - job->taken_people[slot];
  }
  try_person(&plain, 0);
  return plain.best;
}

static bool count_down(void *context) {
  int *left = context;
  return --*left < 0;
}

static void a_board_with_shared_jobs_is_planned_as_well_as_can_be(void **state) {
  (void)state;
  uint64_t random = 31;
  size_t shared = 0;
  for (size_t i = 0; i < 300; ++i) {
    struct small small;
    struct plan plan;
    size_t parts = 0;
    make_small(&small, &random, false);
    assert_int_equal(plan_make(&small.board, PLAN_LOANS, NULL, NULL, &plan, NULL), COLLEGA_OK);
    assert_true(plan_obeys(&small.board, PLAN_LOANS, &plan));
    int64_t best = try_everything(&small);
    assert_true(plan.value == best);
    assert_true(plan.optimal && plan.bound == best);
    for (size_t j = 0; j < plan.loan_count; ++j)
      parts += plan.loans[j].hours > 0;
    shared += parts > 1;
    plan_free(&plan);
    for (int asked = 0; asked < 40; asked = asked * 3 + 1) { /* stopped early */
      int left = asked;
      assert_int_equal(plan_make(&small.board, PLAN_LOANS, count_down, &left, &plan, NULL),
                       COLLEGA_OK);
      assert_true(plan_obeys(&small.board, PLAN_LOANS, &plan));
      assert_true(plan.value <= best && plan.bound >= best &&
                  (!plan.optimal || plan.value == best));
      plan_free(&plan);
    }
  }
  assert_true(shared > 60);
}

static void with_rings_every_rule_is_obeyed(void **state) {
  (void)state;
  uint64_t random = 32;
  size_t rings = 0, parts = 0;
  for (size_t i = 0; i < 400; ++i) {
    struct small small;
    make_small(&small, &random, true);
    for (enum plan_mode mode = PLAN_LOANS; mode <= PLAN_RINGS; ++mode) {
      struct plan plan;
      assert_int_equal(plan_make(&small.board, mode, NULL, NULL, &plan, NULL), COLLEGA_OK);
      assert_true(plan_obeys(&small.board, mode, &plan));
      for (size_t j = 0; j < plan.loan_count; ++j) {
        rings += plan.loans[j].ring > 0;
        parts += plan.loans[j].hours > 0;
      }
      plan_free(&plan);
    }
  }
  assert_true(rings > 10 && parts > 100);
}

/* ---- a larger board: the rules, and how far from the bound */

#define LARGE_OFFERS 600
#define LARGE_PAIRS  6000
struct large {
  struct plan_offer offer[LARGE_OFFERS];
  struct plan_week week[LARGE_OFFERS];
  struct plan_pair pair[LARGE_PAIRS];
  struct plan_job job[LARGE_OFFERS];
};

static void a_large_board_obeys_every_rule(void **state) {
  (void)state;
  static const uint32_t days[4] = {0x333u, 0x33u << 12, 0, 0x33333u};
  uint64_t random = 33;
  struct large *large = calloc(1, sizeof *large);
  struct plan_sharing sharing = {large->week, large->job, 0};
  struct plan_board board = {large->offer, large->pair, LARGE_OFFERS, LARGE_PAIRS, &sharing};
  assert_non_null(large);
  for (uint32_t i = 0; i < LARGE_OFFERS; ++i) {
    uint32_t when = days[random_below(&random, 4)];
    int32_t people = 1 + random_below(&random, 5);
    uint8_t most = (uint8_t)(when == days[0] ? 24 : when == days[1] ? 16 : 40);
    large->offer[i] =
        (struct plan_offer){(uint32_t)random_below(&random, 200), people, i % 2 == 0, false};
    large->week[i] = (struct plan_week){8, most, when};
    if (i % 2 && i % 3 == 0) {
      large->week[i] = (struct plan_week){4, 40, days[2 + random_below(&random, 2)]};
      large->job[sharing.job_count++] = (struct plan_job){i, people, 0, NULL};
    }
  }
  for (size_t i = 0; i < LARGE_PAIRS;) {
    uint32_t supply = 2 * (uint32_t)random_below(&random, LARGE_OFFERS / 2);
    uint32_t demand = 2 * (uint32_t)random_below(&random, LARGE_OFFERS / 2) + 1;
    if (large->offer[supply].employer != large->offer[demand].employer)
      large->pair[i++] =
          (struct plan_pair){supply, demand, 1 + random_below(&random, PLAN_SCORE_MOST),
                             1 + (random_below(&random, 9) == 0)};
  }
  for (int asked = 0; asked <= 3000;
       asked += 3000) { /* when it is stopped at once, jobs are shared all the same */
    struct plan plan;
    int left = asked;
    size_t parts = 0;
    assert_int_equal(plan_make(&board, PLAN_LOANS, count_down, &left, &plan, NULL), COLLEGA_OK);
    assert_true(plan_obeys(&board, PLAN_LOANS, &plan) && !plan.optimal);
    for (size_t i = 0; i < plan.loan_count; ++i)
      parts += plan.loans[i].hours > 0;
    print_message("value %lld, bound %lld, %zu parts\n", (long long)plan.value,
                  (long long)plan.bound, parts);
    assert_true(parts > 100 && plan.value * 100 > plan.bound * (asked ? 90 : 30));
    plan_free(&plan);
  }
  free(large);
}

/* Two half weeks are one place; and the third lender is left for the other job. */
static void two_half_weeks_are_one_place(void **state) {
  (void)state;
  struct plan_offer offers[5] = {{0, 1, true, false},
                                 {1, 1, true, false},
                                 {2, 1, true, false},
                                 {3, 1, false, false},
                                 {4, 1, false, false}};
  const uint32_t early = 0x333u, late = 0x33u << 12;
  struct plan_week weeks[5] = {
      {8, 24, early}, {8, 16, late}, {8, 24, early}, {4, 40, early | late}, {8, 40, 0}};
  struct plan_pair pairs[4] = {{0, 3, 9000, 1}, {1, 3, 8000, 1}, {2, 3, 9500, 1}, {2, 4, 9400, 1}};
  struct plan_job job = {3, 1, 0, NULL};
  struct plan_sharing sharing = {weeks, &job, 1};
  struct plan_board board = {offers, pairs, 5, 4, &sharing};
  struct plan plan;
  assert_int_equal(plan_make(&board, PLAN_LOANS, NULL, NULL, &plan, NULL), COLLEGA_OK);
  assert_true(plan.optimal && plan_obeys(&board, PLAN_LOANS, &plan) && plan.loan_count == 3);
  assert_int_equal(plan.value, (24 * 9000 + 16 * 8000) / 40 + 9400);
  /* A broken one is found. */
  for (size_t i = 0; i < plan.loan_count; ++i)
    if (plan.loans[i].pair == 1) plan.loans[i].slots = early;
  assert_false(plan_obeys(&board, PLAN_LOANS, &plan));
  struct plan_loan whole = {1, 1, 0, 0, 0}; /* a place of its own in a job that is shared */
  struct plan alone = {.loans = &whole, .loan_count = 1, .people = 1, .value = 8000, .bound = 9000};
  assert_false(plan_obeys(&board, PLAN_LOANS, &alone));
  board.sharing = NULL;
  assert_true(plan_obeys(&board, PLAN_LOANS, &alone));
  board.sharing = &sharing;
  plan_free(&plan);
  job.posts = 0; /* fewer posts than are free */
  assert_int_equal(plan_make(&board, PLAN_LOANS, NULL, NULL, &plan, NULL), COLLEGA_INVALID);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_board_with_shared_jobs_is_planned_as_well_as_can_be),
      cmocka_unit_test(with_rings_every_rule_is_obeyed),
      cmocka_unit_test(a_large_board_obeys_every_rule),
      cmocka_unit_test(two_half_weeks_are_one_place),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
