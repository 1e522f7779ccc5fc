/* How a party stands: what it has used of its rates, and what it has done wrong. One entry for each
 * home that has ever come in since the start, so that a new session is no new beginning; at most
 * STANDINGS_MOST, the one longest unheard of is dropped.
 *
 * A rate is a bucket that fills by itself: `rate` a second, up to BURST_SECONDS of it. Records and
 * bytes may go below zero, by what the session's credit allows: credit is given back only while
 * both buckets are above zero, so a party that sends too much is slowed down and loses nothing.
 * Frames that cost no credit cannot be slowed down; without frames left the session is cut.
 *
 * One thread, no clock of its own: `now` is monotonic. */
#ifndef COLLEGA_BROKER_SESSION_STANDING_H
#define COLLEGA_BROKER_SESSION_STANDING_H
#include "base/bytes.h"
#include "base/clock.h"
#include "proto/link/link.h"

#define BURST_SECONDS  10
#define STANDINGS_MOST 65536
#define OFFENDERS_MOST 16 /* told in /metrics, the worst first */

/* OFFENCE(name, help): what is counted for a party */
#define OFFENCES                                                                                   \
  OFFENCE(malformed, "frames that could not be read")                                              \
  OFFENCE(multipart, "messages of more than one frame")                                            \
  OFFENCE(refused, "requests refused")                                                             \
  OFFENCE(credit, "more sent than credit allowed")                                                 \
  OFFENCE(slow, "answers not read")                                                                \
  OFFENCE(choked, "messages without end")                                                          \
  OFFENCE(frames, "frames above the rate")                                                         \
  OFFENCE(sessions, "sessions above the rate")                                                     \
  OFFENCE(paced, "times credit was kept back by a rate")                                           \
  OFFENCE(cut, "sessions ended by the broker")
enum offence {
#define OFFENCE(name, help) OFFENCE_##name,
  OFFENCES
#undef OFFENCE
      OFFENCE_COUNT
};
const char *offence_name(enum offence offence);

/* 0: no limit. */
struct rates {
  uint32_t records, bytes, frames; /* a second */
  uint32_t sessions;               /* a minute */
};
struct standings;
struct standings *standings_new(void); /* NULL: out of memory */
void standings_destroy(struct standings **standings);
void standings_set_rates(struct standings *standings, const struct rates *rates);

/* A session of this home begins. False: too many, or it still owes more than two windows of
 * credit. */
bool standing_session(struct standings *standings, const struct id *home, collega_time now);
/* A frame that costs no records came. False: too many. */
bool standing_frame(struct standings *standings, const struct id *home, collega_time now);
/* What a frame cost was used. */
void standing_use(struct standings *standings, const struct id *home, struct frame_cost cost,
                  collega_time now);
/* May credit be given back? */
bool standing_may_go_on(struct standings *standings, const struct id *home, collega_time now);
/* Home zero (who is still joining) is counted too, under that id. */
void standing_offends(struct standings *standings, const struct id *home, enum offence offence);

struct offender {
  struct id home;
  uint64_t count[OFFENCE_COUNT];
  uint64_t total;
};
/* The worst of them, by their total; those without any are left out. Returns how many. */
size_t standings_worst(const struct standings *standings, struct offender out[OFFENDERS_MOST]);
size_t standings_count(const struct standings *standings);
#endif
