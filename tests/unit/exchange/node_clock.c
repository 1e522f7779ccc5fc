/* The node's idea of time: measured at Welcome, limited to a day, void once the machine's clock is set. */
#include "client/exchange/node_clock.h"
#include "tests/unit/base/support.h"
#include "base/words.h"
#include "proto/limits.h"

#define THEN (INT64_C(1800000000) * SECOND_MS)

static void clocks_that_agree_as_far_as_can_be_seen_are_left_alone(void **state) {
  (void)state;
  struct node_clock clock;
  for (collega_time told = THEN; told <= THEN + 4000; told += 500) {
    node_clock_measure(&clock, THEN, THEN + 4000, told); /* an answer that took four seconds */
    assert_int_equal(clock.difference, 0);
  }
}

static void the_smallest_difference_that_explains_it_is_taken(void **state) {
  (void)state;
  struct node_clock clock;
  node_clock_measure(&clock, THEN, THEN + 100, THEN + HOUR_MS);
  assert_int_equal(clock.difference, HOUR_MS - 100);
  node_clock_measure(&clock, THEN, THEN + 100, THEN - HOUR_MS);
  assert_int_equal(clock.difference, -HOUR_MS);
}

/* What the machine's clock says, corrected by `difference`, as other processes of the home read it. */
static void expect_time(const char *home, int64_t difference) {
  int64_t off = node_clock_now(home) - clock_now() - difference;
  assert_in_range(off + MINUTE_MS, 0, 2 * MINUTE_MS);
}

static void write_difference(const char *home, int64_t difference) {
  struct node_clock clock;
  collega_time now = clock_now();
  node_clock_measure(&clock, now, now, now + difference);
  assert_int_equal(node_clock_write(home, &clock, NULL), COLLEGA_OK);
}

static void processes_of_a_home_share_it_up_to_a_day(void **state) {
  const char *home = ((struct scratch *)*state)->directory;
  expect_time(home, 0);
  write_difference(home, 7 * HOUR_MS);
  expect_time(home, 7 * HOUR_MS);
  write_difference(home, -CLOCKS_APART_MS);
  expect_time(home, -CLOCKS_APART_MS); /* from the machine's own clock: no two add up */
  assert_int_equal(node_clock_check(home, clock_now(), NULL), COLLEGA_OK);
  for (int sign = -1; sign <= 1; sign += 2) {
    struct collega_error error;
    write_difference(home, sign * (CLOCKS_APART_MS + 1));
    expect_time(home, 0);
    assert_int_equal(node_clock_check(home, clock_now(), &error), COLLEGA_REFUSED);
    assert_int_equal(error.rule, RULE_clock_wrong);
  }
}

static void it_is_void_once_the_machines_clock_is_set(void **state) {
  const char *home = ((struct scratch *)*state)->directory;
  const char *set = scratch_path(*state, "set");
  struct node_clock clock;
  write_difference(home, 7 * HOUR_MS);
  node_clock_read(home, &clock);
  assert_true(node_clock_sure(&clock));
  setenv("COLLEGA_CLOCK_SET_FILE", set, 1);
  scratch_write(set, "-1500", 5);
  assert_true(node_clock_was_set(&clock));
  assert_false(node_clock_sure(&clock));
  expect_time(home, 0);
  unlink(set); /* and back: it is the clock that was measured */
  expect_time(home, 7 * HOUR_MS);
  unsetenv("COLLEGA_CLOCK_SET_FILE");
}

static void what_is_no_measurement_corrects_nothing(void **state) {
  const char *home = ((struct scratch *)*state)->directory;
  const char *path = scratch_path(*state, "clock");
  static const char *const texts[] = {"", "difference\n", "difference x\nstarted 1\n",
                                      "started 1\n",
                                      "difference 99999999999999999999\nstarted 1\n"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    scratch_write(path, texts[i], strlen(texts[i]));
    expect_time(home, 0);
  }
}

static void what_begins_at_once_begins_when_it_has_surely_come(void **state) {
  const char *home = ((struct scratch *)*state)->directory;
  assert_true(node_clock_begin(NULL, THEN) == THEN - CLOCKS_APART_MS);
  assert_true(node_clock_begin(home, THEN) == THEN - CLOCKS_APART_MS);
  write_difference(home, 0);
  assert_true(node_clock_begin(home, THEN) == THEN);
}

static void a_machine_that_lost_its_clock_signs_nothing(void **state) {
  (void)state;
  struct collega_error error;
  assert_int_equal(node_clock_check(NULL, CLOCK_EARLIEST - 1, &error), COLLEGA_REFUSED);
  assert_int_equal(error.rule, RULE_clock_lost);
  assert_int_equal(node_clock_check(NULL, CLOCK_EARLIEST, &error), COLLEGA_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(clocks_that_agree_as_far_as_can_be_seen_are_left_alone),
      cmocka_unit_test(the_smallest_difference_that_explains_it_is_taken),
      scratch_test(processes_of_a_home_share_it_up_to_a_day),
      scratch_test(it_is_void_once_the_machines_clock_is_set),
      scratch_test(what_is_no_measurement_corrects_nothing),
      scratch_test(what_begins_at_once_begins_when_it_has_surely_come),
      cmocka_unit_test(a_machine_that_lost_its_clock_signs_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
