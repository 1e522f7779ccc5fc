/* Time. `collega_time` is milliseconds since 1970-01-01T00:00:00Z; `collega_date` days since
 * 1970-01-01 in Europe/Amsterdam. Cores get time as a parameter; only shells call clock_now(). */
#ifndef COLLEGA_BASE_CLOCK_H
#define COLLEGA_BASE_CLOCK_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int64_t collega_time;
typedef int32_t collega_date;
#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

/* The machine's wall clock. A node takes node_clock_now() instead, which its broker has set right. In builds with
 * COLLEGA_TESTING the number of milliseconds that stands in the file named by COLLEGA_CLOCK_FILE is added (read
 * again at every call). */
collega_time clock_now(void);
/* Monotonic milliseconds, for timers. */
int64_t clock_monotonic(void);
int64_t clock_monotonic_us(void); /* the same in microseconds */
/* When this machine started, by its wall clock as that stands now: it changes when somebody sets the clock, by as
 * much, and when the machine starts again. Good to some tens of milliseconds. Test builds: the clock that
 * COLLEGA_CLOCK_FILE turns is one that goes on; the milliseconds in the file named by COLLEGA_CLOCK_SET_FILE are
 * those by which the wall clock was set. */
collega_time clock_started(void);
/* A machine that says it is earlier has lost its clock: nothing is to be signed with that. 2026-01-01. */
#define CLOCK_EARLIEST (INT64_C(20454) * DAY_MS)

/* "2027-01-31T23:00:00Z" (milliseconds only when there are any). out: at least 32 bytes. */
void time_write(char *out, size_t capacity, collega_time time);
/* RFC 3339 with Z or an offset, 1970 to 2169; seconds and fraction (to ms) optional. */
bool time_read(const char *text, collega_time *out);
void date_write(char *out, size_t capacity, collega_date date); /* "2027-01-04" */
bool date_read(const char *text, collega_date *out); /* 1970-01-01 to 2169-12-31, must exist */
void date_civil(collega_date date, int *year, int *month, int *day);
collega_date date_from_civil(int year, int month, int day);
int date_weekday(collega_date date); /* 1 Monday .. 7 Sunday */
/* Europe/Amsterdam by the European rule (last Sundays of March and October, 01:00 UTC). */
collega_date date_of_time(collega_time time);
collega_time time_of_date(collega_date date, int hour,
                          int minute); /* local wall time of that day */

/* "2027-01-04 13:05", the wall time in Europe/Amsterdam: for people. out: at least 32 bytes. */
void time_write_local(char *out, size_t capacity, collega_time time);

/* Dutch public holidays as the trade counts them (Good Friday is not one), and working days. */
bool date_is_holiday(collega_date date);
bool date_is_working_day(collega_date date);
/* The end (24:00 local, Amsterdam) of the `days`th working day after the day of `from`. */
collega_time time_after_working_days(collega_time from, int days);
#endif
