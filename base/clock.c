/* The clocks, and times as text. Dates and the Dutch calendar are in calendar.c. */
#include "base/clock.h"
#include "base/fault.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t clock_read(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * SECOND_MS + now.tv_nsec / 1000000;
}

/* By how much a test has set the wall clock, as an administrator would. */
static int64_t was_set(void) {
  return fault_number("COLLEGA_CLOCK_SET_FILE", 0);
}

collega_time clock_now(void) {
  return clock_read(CLOCK_REALTIME) + fault_number("COLLEGA_CLOCK_FILE", 0) + was_set();
}

#define READ_TOGETHER_MS 20 /* two clocks read within this belong together */
#define READ_TRIES       5

collega_time clock_started(void) {
  int64_t before = clock_read(CLOCK_BOOTTIME), wall = 0;
  for (int i = 0; i < READ_TRIES; i++) {
    wall = clock_read(CLOCK_REALTIME);
    int64_t after = clock_read(CLOCK_BOOTTIME);
    if (after - before <= READ_TOGETHER_MS) break;
    before = after;
  }
  return wall - before + was_set();
}

int64_t clock_monotonic(void) {
  return clock_read(CLOCK_MONOTONIC);
}

int64_t clock_monotonic_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void time_write(char *out, size_t capacity, collega_time time) {
  int64_t days = time / DAY_MS, rest = time % DAY_MS;
  if (rest < 0) {
    days--;
    rest += DAY_MS;
  }
  int year, month, day;
  /* A time from outside may be any number; a date of 32 bits reaches five million years. */
  if (days > INT32_MAX) days = INT32_MAX;
  if (days < INT32_MIN) days = INT32_MIN;
  date_civil((collega_date)days, &year, &month, &day);
  int hour = (int)(rest / HOUR_MS), minute = (int)(rest / MINUTE_MS % 60);
  int second = (int)(rest / SECOND_MS % 60), milliseconds = (int)(rest % SECOND_MS);
  if (milliseconds == 0)
    snprintf(out, capacity, "%04d-%02d-%02dT%02d:%02d:%02dZ", year, month, day, hour, minute,
             second);
  else
    snprintf(out, capacity, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", year, month, day, hour, minute,
             second, milliseconds);
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* Exactly two digits, at most `most`; moves *text past them. */
static bool two_digits(const char **text, int most, int *out) {
  const char *at = *text;
  if (!is_digit(at[0]) || !is_digit(at[1])) return false;
  *out = (at[0] - '0') * 10 + (at[1] - '0');
  *text = at + 2;
  return *out <= most;
}

/* ".5", ".25", ".1239": to milliseconds, further digits are dropped. */
static bool fraction(const char **text, int *milliseconds) {
  const char *at = *text + 1;
  if (!is_digit(*at)) return false;
  int weight = 100;
  for (; is_digit(*at); at++, weight /= 10)
    *milliseconds += (*at - '0') * weight;
  *text = at;
  return true;
}

/* "Z" or "+01:00": what has to be subtracted from the local time, in minutes. */
static bool offset(const char **text, int *minutes) {
  char sign = **text;
  (*text)++;
  if (sign == 'Z' || sign == 'z') {
    *minutes = 0;
    return true;
  }
  int hour, minute;
  if ((sign != '+' && sign != '-') || !two_digits(text, 23, &hour) || **text != ':') return false;
  (*text)++;
  if (!two_digits(text, 59, &minute)) return false;
  *minutes = (hour * 60 + minute) * (sign == '+' ? 1 : -1);
  return true;
}

bool time_read(const char *text, collega_time *out) {
  char day[11];
  if (strnlen(text, 10) < 10) return false;
  memcpy(day, text, 10);
  day[10] = '\0';
  collega_date date;
  if (!date_read(day, &date)) return false;
  text += 10;
  if (*text != 'T' && *text != 't' && *text != ' ') return false;
  text++;
  int hour, minute, second = 0, milliseconds = 0, east;
  if (!two_digits(&text, 23, &hour) || *text != ':') return false;
  text++;
  if (!two_digits(&text, 59, &minute)) return false;
  if (*text == ':') {
    text++;
    if (!two_digits(&text, 59, &second)) return false;
    if (*text == '.' && !fraction(&text, &milliseconds)) return false;
  }
  if (!offset(&text, &east) || *text != '\0') return false;
  collega_time time = date * DAY_MS + hour * HOUR_MS + (minute - east) * MINUTE_MS +
                      second * SECOND_MS + milliseconds;
  if (time < 0 || time >= (date_from_civil(2169, 12, 31) + 1) * DAY_MS) return false;
  *out = time;
  return true;
}
