/* The two pages. A broker whose loop has not come round for five seconds is not well, nor is one
 * without room on its disk: /healthz says 503 then, and why. */
#include "broker/daemon/metrics.h"
#include "proto/link.pb-c.h"
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#define BEAT_MOST_MS     (5 * SECOND_MS)
#define FREE_LEAST_BYTES (64u * 1024u * 1024u)

static const struct {
  const char *name, *kind, *help;
} table[METRIC_COUNT] = {
#define METRIC(name, kind, help) {#name, #kind, help},
    METRICS
#undef METRIC
};

void metric_add(struct metrics *metrics, enum metric metric, uint64_t more) {
  atomic_fetch_add_explicit(&metrics->value[metric], more, memory_order_relaxed);
}

void metric_set(struct metrics *metrics, enum metric metric, uint64_t value) {
  atomic_store_explicit(&metrics->value[metric], value, memory_order_relaxed);
}

uint64_t metric_get(const struct metrics *metrics, enum metric metric) {
  return atomic_load_explicit(&metrics->value[metric], memory_order_relaxed);
}

const char *metric_name(enum metric metric) {
  return table[metric].name;
}

void metric_refused(struct metrics *metrics, int code) {
  if (code >= 0 && code < REFUSAL_CODES)
    atomic_fetch_add_explicit(&metrics->refused[code], 1, memory_order_relaxed);
}

/* "REFUSAL_CODE_NOT_MEMBER" becomes "not_member". */
static void print_refusals(const struct metrics *metrics, struct buffer *out) {
  const ProtobufCEnumDescriptor *codes = &collega__refusal_code__descriptor;
  buffer_print(out, "# HELP collega_broker_refused_total requests refused, by code\n"
                    "# TYPE collega_broker_refused_total counter\n");
  for (unsigned i = 0; i < codes->n_values; i++) {
    int code = codes->values[i].value;
    if (code < 0 || code >= REFUSAL_CODES) continue;
    buffer_print(out, "collega_broker_refused_total{code=\"");
    const char *name = codes->values[i].name;
    for (const char *at = name + sizeof "REFUSAL_CODE_" - 1; *at != '\0'; at++)
      buffer_print(out, "%c", tolower((unsigned char)*at));
    buffer_print(out, "\"} %" PRIuFAST64 "\n", atomic_load(&metrics->refused[code]));
  }
}

void metrics_start(struct metrics *metrics) {
  pthread_mutex_init(&metrics->lock, NULL);
}

void metrics_stop(struct metrics *metrics) {
  pthread_mutex_destroy(&metrics->lock);
}

void metrics_tell_offenders(struct metrics *metrics, const char *lines) {
  size_t length = strlen(lines);
  if (length > sizeof metrics->offenders) {
    length = sizeof metrics->offenders;
    while (length > 0 && lines[length - 1] != '\n')
      length--;
  }
  pthread_mutex_lock(&metrics->lock);
  memcpy(metrics->offenders, lines, length);
  metrics->offenders_length = length;
  pthread_mutex_unlock(&metrics->lock);
}

static void print_offenders(struct metrics *metrics, struct buffer *out) {
  pthread_mutex_lock(&metrics->lock);
  buffer_append(out, metrics->offenders, metrics->offenders_length);
  pthread_mutex_unlock(&metrics->lock);
}

static void metrics_page(void *context, struct http_answer *answer) {
  struct metrics *metrics = context;
  answer->status = 200;
  answer->content_type = "text/plain; version=0.0.4; charset=utf-8";
  for (size_t i = 0; i < METRIC_COUNT; i++) {
    const char *end = table[i].kind[0] == 'c' ? "_total" : "";
    buffer_print(&answer->body, "# HELP collega_broker_%s%s %s\n# TYPE collega_broker_%s%s %s\n",
                 table[i].name, end, table[i].help, table[i].name, end, table[i].kind);
    buffer_print(&answer->body, "collega_broker_%s%s %" PRIu64 "\n", table[i].name, end,
                 metric_get(metrics, (enum metric)i));
  }
  print_refusals(metrics, &answer->body);
  print_offenders(metrics, &answer->body);
  collega_time up = clock_now() - (collega_time)metric_get(metrics, METRIC_start_time_ms);
  buffer_print(&answer->body,
               "# HELP collega_broker_uptime_seconds since the start\n"
               "# TYPE collega_broker_uptime_seconds gauge\n"
               "collega_broker_uptime_seconds %" PRId64 "\n",
               up < 0 ? 0 : up / SECOND_MS);
}

static void health_page(void *context, struct http_answer *answer) {
  const struct metrics *metrics = context;
  int64_t silent = clock_monotonic() - atomic_load(&metrics->beat);
  uint64_t map = metric_get(metrics, METRIC_store_map_bytes);
  bool full = map > 0 && (metric_get(metrics, METRIC_store_used_bytes) > map / 10 * 9 ||
                          metric_get(metrics, METRIC_store_free_bytes) < FREE_LEAST_BYTES);
  const char *word = silent > BEAT_MOST_MS ? "stalled" : full ? "full" : "ok";
  answer->status = silent > BEAT_MOST_MS || full ? 503 : 200;
  answer->content_type = "text/plain; charset=utf-8";
  buffer_print(&answer->body, "%s\n", word);
}

const struct http_route metrics_routes[] = {{"/metrics", metrics_page}, {"/healthz", health_page}};
const size_t metrics_route_count = sizeof metrics_routes / sizeof metrics_routes[0];
