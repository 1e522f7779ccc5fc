/* Carving against trying every share of the hours and of the week, written plainly from plan.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "client/match/plan.h"
#include "tests/support/random.h"

#define LENDERS_MOST 4
#define PERSONS_MOST 3

/* ---- everything, tried: each person in turn gives nothing, any number of hours, or any parts of the week */

struct plain {
  const struct carve_job *job;
  uint32_t person[PERSONS_MOST]; /* whose */
  size_t count;
  int32_t room[WEEK_SLOTS], left; /* posts, hours */
  int64_t value, best;
};

static void try_person(struct plain *plain, size_t at);

static void try_hours(struct plain *plain, size_t at) {
  const struct carve_lender *lender = &plain->job->lenders[plain->person[at]];
  for (int32_t hours = lender->hours_min;
       hours <= lender->hours_max && hours <= plain->left && hours <= plain->job->hours; ++hours) {
    if (hours == 0) continue;
    plain->left -= hours;
    plain->value += (int64_t)hours * lender->score;
    try_person(plain, at + 1);
    plain->left += hours;
    plain->value -= (int64_t)hours * lender->score;
  }
}

static void try_parts(struct plain *plain, size_t at) {
  const struct carve_job *job = plain->job;
  const struct carve_lender *lender = &job->lenders[plain->person[at]];
  uint32_t may = lender->slots ? lender->slots : job->slots;
  if (job->slots) may &= job->slots;
  for (uint32_t set = may; set; set = (set - 1) & may) {
    int32_t hours = 0;
    bool fits = true;
    for (unsigned slot = 0; slot < WEEK_SLOTS; ++slot) {
      if (!(set & 1u << slot)) continue;
      hours += job->slots ? job->hours / __builtin_popcount(job->slots) : slot % 4 == 3 ? 8 : 4;
      fits = fits && plain->room[slot] > 0;
    }
    if (!fits || hours < lender->hours_min || hours > lender->hours_max || hours > job->hours ||
        hours > plain->left)
      continue;
    for (unsigned slot = 0; slot < WEEK_SLOTS; ++slot)
      if (set & 1u << slot) --plain->room[slot];
    plain->left -= hours;
    plain->value += (int64_t)hours * lender->score;
    try_person(plain, at + 1);
    plain->left += hours;
    plain->value -= (int64_t)hours * lender->score;
    for (unsigned slot = 0; slot < WEEK_SLOTS; ++slot)
      if (set & 1u << slot) ++plain->room[slot];
  }
}

static void try_person(struct plain *plain, size_t at) {
  if (plain->value > plain->best) plain->best = plain->value;
  if (at == plain->count) return;
  try_person(plain, at + 1);
  if (plain->job->slots || plain->job->lenders[plain->person[at]].slots)
    try_parts(plain, at);
  else
    try_hours(plain, at);
}

static int64_t try_everything(const struct carve_job *job) {
  struct plain plain = {.job = job, .left = job->posts * job->hours - job->taken};
  for (unsigned slot = 0; slot < WEEK_SLOTS; ++slot)
    plain.room[slot] = job->posts - (job->taken_people ? job->taken_people[slot] : 0);
  for (uint32_t i = 0; i < job->lender_count; ++i)
    for (int32_t j = 0; j < job->lenders[i].people; ++j) {
      assert_true(plain.count < PERSONS_MOST);
      plain.person[plain.count++] = i;
    }
  try_person(&plain, 0);
  return plain.best;
}

/* ---- jobs at random */

#define SOME_SLOTS 0x133u /* Monday and Tuesday by day, Wednesday morning */
#define SOME_COUNT 5

static uint32_t some_slots(uint64_t *random, uint32_t of) {
  uint32_t set = (uint32_t)random_next(random) & of;
  return set ? set : of;
}

struct drawn {
  struct carve_lender lender[LENDERS_MOST];
  int32_t taken[WEEK_SLOTS];
  struct carve_job job;
};

/* slots: of the job. Lenders name parts in `of_four` out of four. */
static void draw_job(struct drawn *drawn, uint64_t *random, uint32_t slots, uint8_t hours,
                     int32_t of_four) {
  size_t count = 0;
  memset(drawn, 0, sizeof *drawn);
  for (int32_t left = PERSONS_MOST; left > 0 && count < LENDERS_MOST; ++count) {
    int32_t most = 2 + random_below(random, hours + 4), people = random_below(random, left + 1);
    uint32_t of = slots ? slots | 1u << 12 : SOME_SLOTS | 1u << 11;
    drawn->lender[count] = (struct carve_lender){
        people, 1 + random_below(random, 100), (uint8_t)(1 + random_below(random, most)),
        (uint8_t)most, random_below(random, 4) < of_four ? some_slots(random, of) : 0};
    left -= people;
  }
  drawn->job = (struct carve_job){.posts = 1 + random_below(random, 2),
                                  .hours = hours,
                                  .slots = slots,
                                  .lenders = drawn->lender,
                                  .lender_count = count};
}

/* Somebody works there already. */
static void take_some(struct drawn *drawn, uint64_t *random) {
  for (unsigned slot = 0; slot < WEEK_SLOTS; ++slot)
    if (SOME_SLOTS & 1u << slot && random_below(random, 3) == 0) {
      drawn->taken[slot] = 1;
      drawn->job.taken += drawn->job.slots ? drawn->job.hours / SOME_COUNT : 4;
    }
  drawn->job.taken_people = drawn->taken;
  if (drawn->job.taken > drawn->job.posts * drawn->job.hours)
    drawn->job.taken = drawn->job.posts * drawn->job.hours;
}

static size_t compare(uint32_t slots, uint8_t hours, int32_t of_four, bool taken, uint64_t seed) {
  uint64_t random = seed;
  size_t shared = 0;
  for (size_t i = 0; i < 150; ++i) {
    struct drawn drawn;
    struct carving carving;
    draw_job(&drawn, &random, slots, hours, of_four);
    if (taken) take_some(&drawn, &random);
    assert_int_equal(plan_carve(&drawn.job, NULL, NULL, &carving, NULL), COLLEGA_OK);
    assert_true(carving_obeys(&drawn.job, &carving));
    assert_true(carving.optimal && carving.bound == carving.value);
    assert_true(carving.value == try_everything(&drawn.job));
    int64_t single = carving.best_lender == SIZE_MAX
                         ? 0
                         : (int64_t)carving.best_people * carving.best_hours *
                               drawn.lender[carving.best_lender].score;
    if (!taken) assert_true(single <= carving.value);
    shared += carving.part_count > 1;
    carving_free(&carving);
  }
  return shared;
}

static void hours_are_shared_as_well_as_can_be(void **state) {
  (void)state;
  assert_true(compare(0, 10, 0, false, 21) > 20);
}
static void parts_of_the_week_are_shared_as_well_as_can_be(void **state) {
  (void)state;
  assert_true(compare(SOME_SLOTS, 20, 3, false, 22) > 20);
  assert_true(compare(SOME_SLOTS, 20, 3, true, 23) > 10);
}
static void who_names_days_is_not_beside_another_where_the_job_names_none(void **state) {
  (void)state;
  assert_true(compare(0, 16, 4, false, 24) > 20);
  assert_true(compare(0, 18, 2, false, 25) > 20);
  assert_true(compare(0, 20, 2, true, 26) > 10);
}

/* ---- by name */

enum { DAY = 3u, MONDAY = DAY, TUESDAY = DAY << 4, WEDNESDAY = DAY << 8, THURSDAY = DAY << 12 };
#define FRIDAY (DAY << 16)
#define WEEK   (MONDAY | TUESDAY | WEDNESDAY | THURSDAY | FRIDAY)

/* Forty hours over ten half-days: three part-timers on the days that each has. */
static void a_job_is_carved_along_the_week(void **state) {
  (void)state;
  struct carve_lender lenders[3] = {
      {1, 9000, 8, 16, MONDAY | TUESDAY | WEDNESDAY}, {2, 8000, 4, 16, 0}, {1, 7000, 24, 40, 0}};
  struct carve_job job = {1, 40, 0, WEEK, NULL, lenders, 3};
  struct carving carving;
  assert_int_equal(plan_carve(&job, NULL, NULL, &carving, NULL), COLLEGA_OK);
  assert_int_equal(carving.hours, 40);
  assert_true(carving.optimal && carving.value == 16 * 9000 + 24 * 8000);
  assert_true(carving_obeys(&job, &carving));
  uint32_t covered = 0;
  for (size_t i = 0; i < carving.part_count; ++i) {
    const struct carve_part *part = &carving.parts[i];
    assert_true(part->lender < 2 && part->people == 1 && part->hours <= 16);
    assert_int_equal(covered & part->slots, 0); /* one post: nobody stands beside another */
    covered |= part->slots;
  }
  assert_int_equal(covered, job.slots);
  carving_free(&carving);
}

/* One place for two lenders; the same where the job does not say which days it is. */
static void two_lenders_share_a_place_on_different_days(void **state) {
  (void)state;
  struct carve_lender lenders[3] = {{1, 8000, 8, 24, MONDAY | TUESDAY | WEDNESDAY},
                                    {1, 9000, 8, 24, MONDAY | TUESDAY | WEDNESDAY},
                                    {1, 7000, 8, 16, THURSDAY | FRIDAY}};
  for (int named = 0; named < 2; ++named) {
    struct carve_job job = {1, 40, 0, named ? (uint32_t)WEEK : 0, NULL, lenders, 3};
    struct carving carving;
    assert_int_equal(plan_carve(&job, NULL, NULL, &carving, NULL), COLLEGA_OK);
    assert_true(carving.optimal && carving_obeys(&job, &carving));
    assert_true(carving.part_count == 2 && carving.hours == 40);
    assert_true(carving.value == 24 * 9000 + 16 * 7000);
    assert_true(carving.best_lender == 1 && carving.best_people == 1 && carving.best_hours == 24);
    carving_free(&carving);
  }
}

/* Monday to Wednesday is agreed: the rest of the week is still to be had. */
static void what_is_agreed_leaves_the_other_days(void **state) {
  (void)state;
  int32_t there[WEEK_SLOTS] = {0};
  for (unsigned slot = 0; slot < 12; ++slot)
    there[slot] = (MONDAY | TUESDAY | WEDNESDAY) >> slot & 1;
  struct carve_lender lenders[2] = {{1, 9000, 8, 40, 0}, {1, 9500, 8, 16, MONDAY | TUESDAY}};
  struct carve_job job = {1, 40, 24, WEEK, there, lenders, 2};
  struct carving carving;
  assert_int_equal(plan_carve(&job, NULL, NULL, &carving, NULL), COLLEGA_OK);
  assert_true(carving.part_count == 1 && carving.parts[0].lender == 0 && carving.hours == 16);
  assert_int_equal(carving.parts[0].slots, THURSDAY | FRIDAY);
  carving_free(&carving);
}

/* A carving that breaks a rule is told from one that does not: else the tests above could not fail. */
static void a_broken_carving_is_found(void **state) {
  (void)state;
  struct carve_lender lenders[2] = {{2, 10, 8, 24, MONDAY | TUESDAY | WEDNESDAY},
                                    {1, 10, 4, 16, 0}};
  struct carve_job job = {1, 40, 0, 0, NULL, lenders, 2};
  struct carve_part parts[2] = {{0, 1, 24, MONDAY | TUESDAY | WEDNESDAY}, {1, 1, 16, 0}};
  struct carving carving = {
      .parts = parts, .part_count = 2, .hours = 40, .asked = 40, .value = 400, .bound = 400};
  assert_true(carving_obeys(&job, &carving));
  job.taken = 1; /* more hours than are left */
  assert_false(carving_obeys(&job, &carving));
  job.taken = 0;
  parts[1] = (struct carve_part){0, 1, 16, MONDAY | TUESDAY}; /* beside another */
  assert_false(carving_obeys(&job, &carving));
  job.posts = 2;
  assert_true(carving_obeys(&job, &carving));
  lenders[0].people = 1; /* more people than there are */
  assert_false(carving_obeys(&job, &carving));
  lenders[0].people = 2;
  parts[1].slots = THURSDAY | FRIDAY; /* not offered */
  assert_false(carving_obeys(&job, &carving));
  parts[1] = (struct carve_part){1, 1, 20, 0}; /* too many hours for this person */
  carving.hours = 44;
  carving.value = carving.bound = 440;
  assert_false(carving_obeys(&job, &carving));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hours_are_shared_as_well_as_can_be),
      cmocka_unit_test(parts_of_the_week_are_shared_as_well_as_can_be),
      cmocka_unit_test(who_names_days_is_not_beside_another_where_the_job_names_none),
      cmocka_unit_test(a_job_is_carved_along_the_week),
      cmocka_unit_test(two_lenders_share_a_place_on_different_days),
      cmocka_unit_test(what_is_agreed_leaves_the_other_days),
      cmocka_unit_test(a_broken_carving_is_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
