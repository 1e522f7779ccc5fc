/* What the broker counts, and the pages that tell it: /metrics in Prometheus' text form, /healthz.
 * The loop alone writes; the http thread reads. Each number is whole by itself (atomic), and no two
 * need to agree. */
#ifndef COLLEGA_BROKER_DAEMON_METRICS_H
#define COLLEGA_BROKER_DAEMON_METRICS_H
#include <pthread.h>
#include <stdatomic.h>
#include "base/clock.h"
#include "base/http/http.h"

/* METRIC(name, kind, help): kind is gauge or counter */
#define METRICS                                                                                    \
  METRIC(members, gauge, "members whose key may come in")                                          \
  METRIC(invitations, gauge, "keys of invitations that may come in")                               \
  METRIC(sessions, gauge, "connected nodes")                                                       \
  METRIC(connections, gauge, "open connections, authenticated or not")                             \
  METRIC(follows, gauge, "follows of all sessions")                                                \
  METRIC(log_seq, gauge, "last sequence number of the log")                                        \
  METRIC(records, counter, "records put into the log")                                             \
  METRIC(commits, counter, "transactions brought to disk")                                         \
  METRIC(receipts, counter, "Receipts frames sent")                                                \
  METRIC(mail_sent, counter, "items of mailboxes sent")                                            \
  METRIC(board_frames, counter, "Board frames sent")                                               \
  METRIC(frames_received, counter, "frames received from nodes")                                   \
  METRIC(frames_malformed, counter, "frames that could not be read")                               \
  METRIC(multipart, counter, "messages of more than one frame, cut")                               \
  METRIC(sessions_cut, counter, "sessions ended by the broker")                                    \
  METRIC(connections_choked, counter, "connections hung up on because they sent without end")      \
  METRIC(handshakes_admitted, counter, "handshakes of known keys")                                 \
  METRIC(handshakes_refused, counter, "handshakes of unknown keys")                                \
  METRIC(connections_refused, counter, "connections hung up on by their address")                  \
  METRIC(connections_silent, counter, "connections hung up on because nobody spoke")               \
  METRIC(sessions_refused, counter, "sessions refused by the rate of their member")                \
  METRIC(credit_paced, counter, "times credit was kept back by the rate of a member")              \
  METRIC(credit_waits, counter, "frames kept back because the receiver had no credit")             \
  METRIC(under_way_bytes, gauge, "bytes of frames between receipt and answer")                     \
  METRIC(mailbox_bytes, gauge, "unacknowledged mail on disk")                                      \
  METRIC(store_used_bytes, gauge, "bytes of the database in use")                                  \
  METRIC(store_map_bytes, gauge, "bytes the database can grow to")                                 \
  METRIC(store_free_bytes, gauge, "bytes free on its file system")                                 \
  METRIC(start_time_ms, gauge, "when the broker started, ms since 1970")

enum metric {
#define METRIC(name, kind, help) METRIC_##name,
  METRICS
#undef METRIC
      METRIC_COUNT
};
#define REFUSAL_CODES   16
#define OFFENDERS_BYTES 32768
struct metrics {
  atomic_uint_fast64_t value[METRIC_COUNT];
  atomic_uint_fast64_t refused[REFUSAL_CODES]; /* by Collega__RefusalCode */
  atomic_int_fast64_t beat;                    /* monotonic time of the loop's last round */
  pthread_mutex_t lock;                        /* of what follows, held for a copy */
  char offenders[OFFENDERS_BYTES];             /* lines of the page, made by the loop */
  size_t offenders_length;
};
void metrics_start(struct metrics *metrics);
void metrics_stop(struct metrics *metrics);
/* The lines that name who offends; cut at the last whole line that fits. */
void metrics_tell_offenders(struct metrics *metrics, const char *lines);
void metric_add(struct metrics *metrics, enum metric metric, uint64_t more);
void metric_set(struct metrics *metrics, enum metric metric, uint64_t value);
uint64_t metric_get(const struct metrics *metrics, enum metric metric);
const char *metric_name(enum metric metric);
void metric_refused(struct metrics *metrics, int code);

extern const struct http_route metrics_routes[]; /* their context is the struct metrics */
extern const size_t metrics_route_count;
#endif
