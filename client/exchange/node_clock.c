/* The node's idea of time: see node_clock.h. HOME/clock holds lines "name value", replaced whole. */
#include "client/exchange/node_clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/process/process.h"
#include "base/words.h"
#include "proto/limits.h"

#define CLOCK_FILE       "clock"
#define CLOCK_FILE_BYTES 256u
/* Two readings of when the machine started differ by less as long as nobody sets its clock; what is set by less
 * matters to nobody. */
#define SET_LEAST_MS SECOND_MS

static int64_t distance(int64_t one, int64_t other) {
  return one > other ? one - other : other - one;
}

bool node_clock_was_set(const struct node_clock *clock) {
  return clock->measured && distance(clock_started(), clock->started) >= SET_LEAST_MS;
}

bool node_clock_wrong(const struct node_clock *clock) {
  return clock->measured && distance(clock->difference, 0) > CLOCKS_APART_MS;
}

bool node_clock_sure(const struct node_clock *clock) {
  return clock->measured && !node_clock_wrong(clock) && !node_clock_was_set(clock);
}

collega_time node_clock_time(const struct node_clock *clock) {
  return clock_now() + (node_clock_sure(clock) ? clock->difference : 0);
}

void node_clock_read(const char *home, struct node_clock *out) {
  char path[4096];
  struct buffer text;
  struct node_clock read = {0};
  *out = read;
  buffer_init(&text, CLOCK_FILE_BYTES + 1);
  if (path_join(path, sizeof path, home, CLOCK_FILE, NULL) == COLLEGA_OK &&
      file_read(path, CLOCK_FILE_BYTES, &text, NULL) == COLLEGA_OK &&
      sscanf(buffer_text(&text), "difference %" SCNd64 "\nstarted %" SCNd64, &read.difference,
             &read.started) == 2) {
    read.measured = true;
    if (!node_clock_was_set(&read)) *out = read;
  }
  buffer_free(&text);
}

collega_time node_clock_now(const char *home) {
  struct node_clock clock;
  node_clock_read(home, &clock);
  return node_clock_time(&clock);
}

collega_time node_clock_begin(const char *home, collega_time now) {
  struct node_clock clock = {0};
  if (home) node_clock_read(home, &clock);
  return node_clock_sure(&clock) ? now : now - CLOCKS_APART_MS;
}

void node_clock_measure(struct node_clock *clock, collega_time asked, collega_time came,
                        collega_time told) {
  int64_t difference = told > came ? told - came : told < asked ? told - asked : 0;
  *clock = (struct node_clock){difference, clock_started(), true};
}

enum collega_status node_clock_write(const char *home, const struct node_clock *clock,
                                     struct collega_error *error) {
  char path[4096], text[CLOCK_FILE_BYTES];
  enum collega_status status = path_join(path, sizeof path, home, CLOCK_FILE, error);
  if (status != COLLEGA_OK) return status;
  int length = snprintf(text, sizeof text, "difference %" PRId64 "\nstarted %" PRId64 "\n",
                        clock->difference, clock->started);
  return file_write(path, text, (size_t)length, 0600, error);
}

enum collega_status node_clock_check(const char *home, collega_time now,
                                     struct collega_error *error) {
  struct node_clock clock;
  char time[32];
  if (now < CLOCK_EARLIEST) {
    time_write(time, sizeof time, now);
    return error_set(error, COLLEGA_REFUSED, RULE_clock_lost, NULL, time, NULL);
  }
  if (!home) return COLLEGA_OK;
  node_clock_read(home, &clock);
  if (!node_clock_wrong(&clock)) return COLLEGA_OK;
  return error_set(error, COLLEGA_REFUSED, RULE_clock_wrong, NULL, NULL);
}
