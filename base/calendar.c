/* Dates, the Amsterdam day, Dutch public holidays and working days.
 *
 * The time zone is computed, not looked up: the European rule (summer time from the last Sunday of
 * March to the last Sunday of October, both at 01:00 UTC) is the law for the dates we deal with,
 * and a bare machine has no zone files. Days before 1996 follow the same rule, which is not
 * history. */
#include "base/clock.h"
#include <stdio.h>
#include <string.h>

/* More working days than this are asked for by nobody; it keeps a wrong number from running
 * long. */
#define MOST_WORKING_DAYS 10000

/* The civil calendar in eras of 400 years that begin on 1 March, so that a leap day ends its
 * year. */
collega_date date_from_civil(int year, int month, int day) {
  int64_t y = month <= 2 ? (int64_t)year - 1 : year;
  int64_t era = (y >= 0 ? y : y - 399) / 400;
  int64_t year_of_era = y - era * 400;
  int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return (collega_date)(era * 146097 + day_of_era - 719468);
}

void date_civil(collega_date date, int *year, int *month, int *day) {
  int64_t z = (int64_t)date + 719468;
  int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  int64_t day_of_era = z - era * 146097;
  int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t shifted = (5 * day_of_year + 2) / 153; /* 0 is March */
  *day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
  *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
  *year = (int)(year_of_era + era * 400 + (*month <= 2 ? 1 : 0));
}

int date_weekday(collega_date date) {
  int64_t from_monday = ((int64_t)date + 3) % 7; /* 1970-01-01 was a Thursday */
  return (int)(from_monday < 0 ? from_monday + 8 : from_monday + 1);
}

void date_write(char *out, size_t capacity, collega_date date) {
  int year, month, day;
  date_civil(date, &year, &month, &day);
  snprintf(out, capacity, "%04d-%02d-%02d", year, month, day);
}

bool date_read(const char *text, collega_date *out) {
  static const char form[] = "dddd-dd-dd";
  for (size_t i = 0; i < sizeof form; i++) {
    bool fits = form[i] == 'd' ? text[i] >= '0' && text[i] <= '9' : text[i] == form[i];
    if (!fits) return false;
  }
  int year = 0, month = (text[5] - '0') * 10 + (text[6] - '0');
  int day = (text[8] - '0') * 10 + (text[9] - '0');
  for (size_t i = 0; i < 4; i++)
    year = year * 10 + (text[i] - '0');
  if (year < 1970 || year > 2169 || month < 1 || month > 12 || day < 1 || day > 31) return false;
  collega_date date = date_from_civil(year, month, day);
  int back_year, back_month, back_day;
  date_civil(date, &back_year, &back_month, &back_day);
  if (back_month != month || back_day != day) return false; /* 30 February */
  *out = date;
  return true;
}

static int64_t floor_days(collega_time time) {
  int64_t days = time / DAY_MS;
  return time % DAY_MS < 0 ? days - 1 : days;
}

/* Every number of milliseconds has a date; those beyond 32 bits share the last one. */
static collega_date clamp(int64_t days) {
  return days > INT32_MAX ? INT32_MAX : days < INT32_MIN ? INT32_MIN : (collega_date)days;
}

/* 01:00 UTC on the last Sunday of a month that has 31 days. */
static collega_time last_sunday(int year, int month) {
  collega_date last = date_from_civil(year, month, 31);
  return (last - date_weekday(last) % 7) * DAY_MS + HOUR_MS;
}

static int64_t hours_east(collega_time time) {
  int year, month, day;
  date_civil(clamp(floor_days(time)), &year, &month, &day);
  return time >= last_sunday(year, 3) && time < last_sunday(year, 10) ? 2 : 1;
}

collega_date date_of_time(collega_time time) {
  if (time > INT64_MAX - 2 * HOUR_MS) time = INT64_MAX - 2 * HOUR_MS;
  return clamp(floor_days(time + hours_east(time) * HOUR_MS));
}

collega_time time_of_date(collega_date date, int hour, int minute) {
  /* An hour that occurs twice means the first; one that is skipped means the hour after it. */
  collega_time local = date * DAY_MS + hour * HOUR_MS + minute * MINUTE_MS;
  collega_time summer = local - 2 * HOUR_MS;
  return hours_east(summer) == 2 ? summer : local - HOUR_MS;
}

/* Easter Sunday by the Gregorian computus (Meeus, Jones, Butcher). */
static collega_date easter(int year) {
  int a = year % 19, b = year / 100, c = year % 100, d = b / 4, e = b % 4;
  int f = (b + 8) / 25, g = (b - f + 1) / 3, h = (19 * a + b - d - g + 15) % 30;
  int i = c / 4, k = c % 4, l = (32 + 2 * e + 2 * i - h - k) % 7, m = (a + 11 * h + 22 * l) / 451;
  int n = h + l - 7 * m + 114;
  return date_from_civil(year, n / 31, n % 31 + 1);
}

bool date_is_holiday(collega_date date) {
  int year, month, day;
  date_civil(date, &year, &month, &day);
  if (month == 1 && day == 1) return true;
  if (month == 12 && (day == 25 || day == 26)) return true;
  if (month == 5 && day == 5 && year % 5 == 0) return true;
  /* King's Day is 27 April, and 26 April when the 27th is a Sunday. */
  if (month == 4 && day == 27 && date_weekday(date) != 7) return true;
  if (month == 4 && day == 26 && date_weekday(date) == 6) return true;
  int64_t after_easter = (int64_t)date - easter(year);
  return after_easter == 0 || after_easter == 1 || after_easter == 39 || after_easter == 49 ||
         after_easter == 50;
}

bool date_is_working_day(collega_date date) {
  return date_weekday(date) <= 5 && !date_is_holiday(date);
}

collega_time time_after_working_days(collega_time from, int days) {
  collega_date date = date_of_time(from);
  if (days > MOST_WORKING_DAYS) days = MOST_WORKING_DAYS;
  while (days > 0) {
    date++;
    if (date_is_working_day(date)) days--;
  }
  return time_of_date(date + 1, 0, 0);
}

void time_write_local(char *out, size_t capacity, collega_time time) {
  char day[32];
  collega_date date = date_of_time(time);
  collega_time local = time + hours_east(time) * HOUR_MS;
  int64_t minutes = (local - date * DAY_MS) / MINUTE_MS;
  date_write(day, sizeof day, date);
  snprintf(out, capacity, "%s %02d:%02d", day, (int)(minutes / 60), (int)(minutes % 60));
}
