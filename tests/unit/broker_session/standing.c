/* Rates of parties, and who offends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include "broker/session/standing.h"

#define NOW INT64_C(1000000)

static struct standings *standings;
static struct id home = {{1}}, other = {{2}};

static int start(void **state) {
  (void)state;
  static const struct rates rates = {.records = 100, .bytes = 0, .frames = 5, .sessions = 6};
  standings = standings_new();
  standings_set_rates(standings, &rates);
  return 0;
}
static int stop(void **state) {
  (void)state;
  standings_destroy(&standings);
  return 0;
}

static void use(uint32_t records, collega_time now) {
  standing_use(standings, &home, (struct frame_cost){3, records, 1000}, now);
}

static void what_is_used_comes_back_by_itself(void **state) {
  (void)state;
  assert_true(standing_may_go_on(standings, &home, NOW));
  use(100 * BURST_SECONDS - 1, NOW);
  assert_true(standing_may_go_on(standings, &home, NOW));
  use(201, NOW);
  assert_false(standing_may_go_on(standings, &home, NOW));
  assert_false(standing_may_go_on(standings, &home, NOW + 2000));
  assert_true(standing_may_go_on(standings, &home, NOW + 2001));
  assert_true(standing_may_go_on(standings, &other, NOW));
}

static void no_more_than_the_burst_is_saved(void **state) {
  (void)state;
  use(1, NOW);
  use(100 * BURST_SECONDS, NOW + DAY_MS);
  assert_false(standing_may_go_on(standings, &home, NOW + DAY_MS));
}

static void a_time_that_stands_still_gives_nothing(void **state) {
  (void)state;
  use(100 * BURST_SECONDS + 1, NOW);
  for (int i = 0; i < 1000; i++)
    assert_false(standing_may_go_on(standings, &home, NOW - i));
}

static void frames_above_the_rate_are_refused(void **state) {
  (void)state;
  for (int i = 0; i < 5 * BURST_SECONDS; i++)
    assert_true(standing_frame(standings, &home, NOW));
  assert_false(standing_frame(standings, &home, NOW));
  assert_false(standing_frame(standings, &home, NOW + 199));
  assert_true(standing_frame(standings, &home, NOW + 200));
  assert_true(standing_frame(standings, &other, NOW + 200));
}

static void sessions_above_the_rate_are_refused(void **state) {
  (void)state;
  for (int i = 0; i < 6; i++)
    assert_true(standing_session(standings, &home, NOW));
  assert_false(standing_session(standings, &home, NOW));
  assert_false(standing_session(standings, &home, NOW + 9999));
  assert_true(standing_session(standings, &home, NOW + 10000));
}

static void a_new_session_is_no_new_beginning(void **state) {
  (void)state;
  use(100 * BURST_SECONDS + 2 * CREDIT_RECORDS, NOW);
  assert_true(standing_session(standings, &home, NOW));
  use(1, NOW);
  assert_false(standing_session(standings, &home, NOW));
  assert_true(standing_session(standings, &home, NOW + SECOND_MS));
}

static void without_rates_everything_goes(void **state) {
  (void)state;
  static const struct rates none;
  standings_set_rates(standings, &none);
  for (int i = 0; i < 1000; i++) {
    use(4096, NOW);
    assert_true(standing_frame(standings, &home, NOW));
    assert_true(standing_session(standings, &home, NOW));
  }
  assert_true(standing_may_go_on(standings, &home, NOW));
}

static void the_worst_come_first_and_are_few(void **state) {
  (void)state;
  struct offender worst[OFFENDERS_MOST];
  assert_true(standing_session(standings, &home, NOW));
  assert_int_equal(standings_worst(standings, worst), 0);
  for (uint8_t party = 1; party <= 2 * OFFENDERS_MOST; party++) {
    struct id id = {{party}};
    for (uint8_t times = 0; times < party * 7 % 33; times++)
      standing_offends(standings, &id, times == 0 ? OFFENCE_cut : OFFENCE_malformed);
  }
  assert_int_equal(standings_worst(standings, worst), OFFENDERS_MOST);
  for (size_t i = 1; i < OFFENDERS_MOST; i++)
    assert_true(worst[i - 1].total >= worst[i].total);
  assert_int_equal(worst[0].total, 32);
  assert_int_equal(worst[0].count[OFFENCE_cut], 1);
  assert_int_equal(worst[0].count[OFFENCE_malformed], 31);
}

static void the_table_does_not_grow_without_end(void **state) {
  (void)state;
  for (uint32_t i = 0; i < STANDINGS_MOST + 100; i++) {
    struct id id = {{0}};
    put_be32(id.byte, i);
    standing_offends(standings, &id, OFFENCE_cut);
  }
  assert_int_equal(standings_count(standings), STANDINGS_MOST);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(what_is_used_comes_back_by_itself, start, stop),
      cmocka_unit_test_setup_teardown(no_more_than_the_burst_is_saved, start, stop),
      cmocka_unit_test_setup_teardown(a_time_that_stands_still_gives_nothing, start, stop),
      cmocka_unit_test_setup_teardown(frames_above_the_rate_are_refused, start, stop),
      cmocka_unit_test_setup_teardown(sessions_above_the_rate_are_refused, start, stop),
      cmocka_unit_test_setup_teardown(a_new_session_is_no_new_beginning, start, stop),
      cmocka_unit_test_setup_teardown(without_rates_everything_goes, start, stop),
      cmocka_unit_test_setup_teardown(the_worst_come_first_and_are_few, start, stop),
      cmocka_unit_test_setup_teardown(the_table_does_not_grow_without_end, start, stop),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
