/* Times and dates as text, the Amsterdam day, Dutch holidays and working days. The expected values
 * were looked up in printed calendars, not computed. */
#include "support.h"
#include "base/clock.h"

static collega_time at(const char *text) {
  collega_time time;
  if (!time_read(text, &time)) fail_msg("not a time: %s", text);
  return time;
}

static collega_date day(const char *text) {
  collega_date date;
  if (!date_read(text, &date)) fail_msg("not a date: %s", text);
  return date;
}

static void assert_time(collega_time time, const char *expected) {
  char text[32];
  time_write(text, sizeof text, time);
  assert_string_equal(text, expected);
}

static void assert_date(collega_date date, const char *expected) {
  char text[32];
  date_write(text, sizeof text, date);
  assert_string_equal(text, expected);
}

static void times_are_written_with_milliseconds_only_when_there_are_any(void **state) {
  (void)state;
  assert_time(0, "1970-01-01T00:00:00Z");
  assert_time(1, "1970-01-01T00:00:00.001Z");
  assert_time(INT64_C(951782400000), "2000-02-29T00:00:00Z");
  assert_time(-1, "1969-12-31T23:59:59.999Z");
}

static void every_number_of_milliseconds_can_be_written(void **state) {
  (void)state;
  char text[32];
  time_write(text, sizeof text, INT64_MAX);
  assert_true(strlen(text) < sizeof text);
  time_write(text, sizeof text, INT64_MIN);
  assert_true(strlen(text) < sizeof text);
  assert_true(date_of_time(INT64_MAX) == INT32_MAX);
  assert_true(date_of_time(INT64_MIN) == INT32_MIN);
}

static void times_are_read_in_all_their_forms(void **state) {
  (void)state;
  assert_time(at("2027-01-31T23:00:00Z"), "2027-01-31T23:00:00Z");
  assert_time(at("2027-01-31T23:00Z"), "2027-01-31T23:00:00Z");
  assert_time(at("2027-02-01T00:00:00+01:00"), "2027-01-31T23:00:00Z");
  assert_time(at("2027-01-31T18:30:00-04:30"), "2027-01-31T23:00:00Z");
  assert_time(at("2027-01-31t23:00:00.5z"), "2027-01-31T23:00:00.500Z");
  assert_time(at("2027-01-31T23:00:00.123987Z"), "2027-01-31T23:00:00.123Z");
  assert_time(at("2169-12-31T23:59:59.999Z"), "2169-12-31T23:59:59.999Z");
}

static void what_is_not_a_time_is_refused(void **state) {
  (void)state;
  static const char *const wrong[] = {"",
                                      "2027",
                                      "2027-01-31",
                                      "2027-01-31T23:00:00",
                                      "2027-01-31T24:00:00Z",
                                      "2027-01-31T23:60:00Z",
                                      "2027-01-31T23:00:60Z",
                                      "2027-02-29T00:00:00Z",
                                      "2027-01-31T23:00:00.Z",
                                      "2027-01-31T23:00:00Zx",
                                      "2027-01-31T23:00:00+1:00",
                                      "2027-01-31T23:00:00+24:00",
                                      "2027-01-31T23:00:00+0100",
                                      "1970-01-01T00:00:00+00:01",
                                      "2169-12-31T23:59:59-00:01",
                                      "1969-12-31T23:59:59Z",
                                      "2170-01-01T00:00:00Z",
                                      "2027-01-31T2:00:00Z",
                                      "2027-01-31T23:00:"};
  collega_time time;
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
    if (time_read(wrong[i], &time)) fail_msg("was read as a time: %s", wrong[i]);
}

static void dates_must_exist(void **state) {
  (void)state;
  static const char *const wrong[] = {"",           "2027-1-04",  "2027-13-01",  "2027-00-01",
                                      "2027-04-31", "2027-02-29", "2100-02-29",  "1969-12-31",
                                      "2170-01-01", "2027-01-00", "2027-01-04 ", "2027/01/04"};
  collega_date date;
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
    if (date_read(wrong[i], &date)) fail_msg("was read as a date: %s", wrong[i]);
  assert_int_equal(day("1970-01-01"), 0);
  assert_int_equal(day("2000-02-29"), 11016);
  assert_date(day("2169-12-31"), "2169-12-31");
}

static void every_day_of_two_centuries_is_its_own(void **state) {
  (void)state;
  for (collega_date date = 0; date <= day("2169-12-31"); date++) {
    int year, month, day_of_month;
    date_civil(date, &year, &month, &day_of_month);
    assert_int_equal(date_from_civil(year, month, day_of_month), date);
    assert_int_equal(date_weekday(date), (date + 3) % 7 + 1);
  }
  assert_int_equal(date_weekday(day("2027-01-04")), 1);
  assert_int_equal(date_weekday(day("2027-03-28")), 7);
  assert_int_equal(date_weekday(-1), 3);
}

static void the_amsterdam_day_follows_summer_time(void **state) {
  (void)state;
  assert_date(date_of_time(at("2027-01-31T22:59:59Z")), "2027-01-31");
  assert_date(date_of_time(at("2027-01-31T23:00:00Z")), "2027-02-01");
  assert_date(date_of_time(at("2027-07-01T21:59:59Z")), "2027-07-01");
  assert_date(date_of_time(at("2027-07-01T22:00:00Z")), "2027-07-02");
  /* The night before the change is still winter time, the night after it is summer time. */
  assert_date(date_of_time(at("2027-03-27T22:30:00Z")), "2027-03-27");
  assert_date(date_of_time(at("2027-03-28T22:00:00Z")), "2027-03-29");
  assert_date(date_of_time(at("2027-10-30T22:00:00Z")), "2027-10-31");
  assert_date(date_of_time(at("2027-10-31T22:59:59Z")), "2027-10-31");
  assert_date(date_of_time(at("2027-10-31T23:00:00Z")), "2027-11-01");
}

static void wall_time_crosses_the_changes_of_the_clock(void **state) {
  (void)state;
  collega_date spring = day("2027-03-28"), autumn = day("2027-10-31");
  assert_time(time_of_date(spring, 0, 0), "2027-03-27T23:00:00Z");
  assert_time(time_of_date(spring, 1, 59), "2027-03-28T00:59:00Z");
  assert_time(time_of_date(spring, 3, 0), "2027-03-28T01:00:00Z");
  assert_time(time_of_date(spring, 2, 30), "2027-03-28T01:30:00Z"); /* there is no such hour */
  assert_time(time_of_date(spring + 1, 0, 0), "2027-03-28T22:00:00Z");
  assert_time(time_of_date(autumn, 0, 0), "2027-10-30T22:00:00Z");
  assert_time(time_of_date(autumn, 2, 30), "2027-10-31T00:30:00Z"); /* the first of two */
  assert_time(time_of_date(autumn, 3, 0), "2027-10-31T02:00:00Z");
  assert_time(time_of_date(autumn, 24, 0), "2027-10-31T23:00:00Z");
  /* 29 March and 25 October in 2026; 31 March and 27 October in 2024. */
  assert_time(time_of_date(day("2026-03-29"), 3, 0), "2026-03-29T01:00:00Z");
  assert_time(time_of_date(day("2026-03-28"), 3, 0), "2026-03-28T02:00:00Z");
  assert_time(time_of_date(day("2024-10-27"), 3, 0), "2024-10-27T02:00:00Z");
  assert_time(time_of_date(day("2024-10-26"), 3, 0), "2024-10-26T01:00:00Z");
}

static void dutch_holidays_are_known(void **state) {
  (void)state;
  static const char *const holidays[] = {
      "2027-01-01", "2027-03-28", "2027-03-29", "2027-04-27", "2027-05-06",
      "2027-05-16", "2027-05-17", "2027-12-25", "2027-12-26",               /* 2027, all */
      "2024-04-01", "2024-05-09", "2024-05-20",                             /* Easter 31 March */
      "2025-04-21", "2025-04-26", "2025-05-05", "2025-05-29", "2025-06-09", /* King's Day early */
      "2026-04-06", "2026-04-27", "2026-05-14", "2026-05-25", "2030-04-22",
      "2030-05-05", "2031-04-26", "2038-04-26", /* Easter 25 April, as late as it can be */
      "2008-03-24"};                            /* Easter 23 March */
  for (size_t i = 0; i < sizeof holidays / sizeof holidays[0]; i++) {
    if (!date_is_holiday(day(holidays[i]))) fail_msg("not a holiday: %s", holidays[i]);
    assert_false(date_is_working_day(day(holidays[i])));
  }
}

static void other_days_are_no_holidays(void **state) {
  (void)state;
  static const char *const ordinary[] = {"2027-03-26", /* Good Friday */
                                         "2025-04-27", "2027-04-26", "2027-05-05", "2026-05-05",
                                         "2027-12-24", "2027-12-31", "2027-04-30", "2027-11-11",
                                         "2027-12-05", "2028-02-29"};
  for (size_t i = 0; i < sizeof ordinary / sizeof ordinary[0]; i++)
    if (date_is_holiday(day(ordinary[i]))) fail_msg("a holiday: %s", ordinary[i]);
}

static void a_year_has_nine_or_ten_holidays(void **state) {
  (void)state;
  for (int year = 2015; year <= 2100; year++) {
    int count = 0;
    for (collega_date date = date_from_civil(year, 1, 1); date < date_from_civil(year + 1, 1, 1);
         date++)
      count += date_is_holiday(date);
    /* 5 May every fifth year, and never on Ascension Day in such a year before 2101. */
    assert_int_equal(count, year % 5 == 0 ? 10 : 9);
  }
}

static void working_days_skip_weekends_and_holidays(void **state) {
  (void)state;
  assert_time(time_after_working_days(at("2027-01-04T09:00:00Z"), 3), "2027-01-07T23:00:00Z");
  assert_time(time_after_working_days(at("2027-12-23T09:00:00Z"), 3), "2027-12-28T23:00:00Z");
  assert_time(time_after_working_days(at("2027-03-25T09:00:00Z"), 3), "2027-03-31T22:00:00Z");
  assert_time(time_after_working_days(at("2027-01-08T23:30:00Z"), 1), "2027-01-11T23:00:00Z");
  assert_time(time_after_working_days(at("2027-01-08T12:00:00Z"), 0), "2027-01-08T23:00:00Z");
  assert_time(time_after_working_days(at("2027-01-08T12:00:00Z"), -4), "2027-01-08T23:00:00Z");
}

static void a_test_build_can_turn_the_clock(void **state) {
  struct scratch *scratch = *state;
  const char *path = scratch_path(scratch, "clock");
  collega_time before = clock_now();
  scratch_write(path, "86400000\n", 9);
  setenv("COLLEGA_CLOCK_FILE", path, 1);
  assert_true(clock_now() >= before + DAY_MS);
  scratch_write(path, "-86400000", 9);
  assert_true(clock_now() < before);
  unlink(path);
  assert_true(clock_now() >= before);
  unsetenv("COLLEGA_CLOCK_FILE");
}

static void people_read_the_wall_time_of_amsterdam(void **state) {
  (void)state;
  static const struct {
    const char *time, *shown;
  } cases[] = {{"2027-01-05T12:00:30Z", "2027-01-05 13:00"},
               {"2027-07-05T22:05:00Z", "2027-07-06 00:05"},
               {"2027-03-28T00:59:59Z", "2027-03-28 01:59"}, /* then the clock is put forward */
               {"2027-03-28T01:00:00Z", "2027-03-28 03:00"},
               {"2027-10-31T00:30:00Z", "2027-10-31 02:30"}, /* and back: 02:30 comes twice */
               {"2027-10-31T01:30:00Z", "2027-10-31 02:30"},
               {"2027-12-31T23:00:00Z", "2028-01-01 00:00"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    collega_time time;
    char shown[32];
    assert_true(time_read(cases[i].time, &time));
    time_write_local(shown, sizeof shown, time);
    assert_string_equal(shown, cases[i].shown);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(times_are_written_with_milliseconds_only_when_there_are_any),
      cmocka_unit_test(every_number_of_milliseconds_can_be_written),
      cmocka_unit_test(times_are_read_in_all_their_forms),
      cmocka_unit_test(what_is_not_a_time_is_refused),
      cmocka_unit_test(dates_must_exist),
      cmocka_unit_test(every_day_of_two_centuries_is_its_own),
      cmocka_unit_test(the_amsterdam_day_follows_summer_time),
      cmocka_unit_test(wall_time_crosses_the_changes_of_the_clock),
      cmocka_unit_test(dutch_holidays_are_known),
      cmocka_unit_test(other_days_are_no_holidays),
      cmocka_unit_test(a_year_has_nine_or_ten_holidays),
      cmocka_unit_test(working_days_skip_weekends_and_holidays),
      scratch_test(a_test_build_can_turn_the_clock),
      cmocka_unit_test(people_read_the_wall_time_of_amsterdam),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
