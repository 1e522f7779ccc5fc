/* Start and end of a broker.
 *
 * Order matters twice. At the start: signals are blocked before any thread exists, the ZAP handler
 * answers before the server socket is bound, and readiness is told last. At the end: the server
 * socket closes first, with time to send what is still in it, and the ZAP handler after it. */
#include "broker/daemon/run.h"
#include "base/log.h"
#include "base/process/process.h"
#include "broker/daemon/broker.h"
#include "broker/daemon/control.h"
#include "broker/store/log_rows.h"
#include "broker/store/member_rows.h"
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define GIBIBYTE         (UINT64_C(1) << 30)
#define USUAL_MAP_GIB    64
#define LINGER_AT_END_MS 2000
#define MOST_DESCRIPTORS 65536
/* Frames and what becomes of them come and go by the thousand in blocks of up to a few MiB. Given back to
 * the system each time, every page of them would be cleared and mapped anew: an eighth of the broker's
 * time. So blocks of this size stay with the allocator, and of what is free it keeps this much. */
#define KEPT_BLOCK_BYTES  (8 << 20)
#define KEPT_MEMORY_BYTES (64 << 20)
#define DESCRIPTORS_USUAL 1024
#define DESCRIPTORS_OWN   256 /* store, threads, http, control, listening */

struct run {
  struct broker broker;
  struct metrics metrics;
  struct identity *identity;
  struct store *store;
  struct commit *commit;
  struct http_server *http;
  struct thread workers[WORKERS_MOST], committer;
  int lock;
};

enum collega_status broker_store_open(const char *home, const struct config *config,
                                      bool must_exist, struct store **out,
                                      struct collega_error *error) {
  char path[PATH_MAX];
  *out = NULL;
  enum collega_status status = path_join(path, sizeof path, home, "store", error);
  if (status != COLLEGA_OK) return status;
  int64_t map = config_number(config, SETTING_MAP);
  struct store_options options = {.path = path,
                                  .map_bytes = map == USUAL_MAP_GIB ? 0 : (uint64_t)map * GIBIBYTE,
                                  .must_exist = must_exist};
  return store_open(&options, out, error);
}

/* ---- the store and what stands in it */

struct filling {
  struct links *links;
  bool failed;
};

static bool fill_link(void *context, const struct link_row *row) {
  struct filling *filling = context;
  struct peer_entry entry = {.party = row->party};
  memcpy(entry.key, row->key, sizeof entry.key);
  entry.role = id_is_zero(&row->party) ? PEER_INVITED : PEER_MEMBER;
  entry.expires = entry.role == PEER_INVITED ? row->expires : 0;
  filling->failed = !links_admit(filling->links, &entry);
  return !filling->failed;
}

/* What the store says of itself. */
static enum collega_status read_state(struct run *run, struct broker_state *state,
                                      struct collega_error *error) {
  struct store_txn *txn = NULL;
  bool found = false;
  enum collega_status status = store_read(run->store, &txn, error);
  if (status == COLLEGA_OK) status = state_read(txn, state, &found, error);
  if (status == COLLEGA_OK) status = compacted_read(txn, &run->broker.compacted, error);
  store_end(&txn);
  if (status == COLLEGA_OK && !found)
    return error_set(error, COLLEGA_DAMAGED, RULE_broker_empty, NULL, run->broker.home, NULL);
  return status;
}

static enum collega_status read_links(struct run *run, struct collega_error *error) {
  struct store_txn *txn = NULL;
  struct filling filling = {run->broker.links, false};
  enum collega_status status = store_read(run->store, &txn, error);
  if (status == COLLEGA_OK) status = link_rows_walk(txn, fill_link, &filling, error);
  store_end(&txn);
  if (status == COLLEGA_OK && filling.failed)
    return error_set(error, COLLEGA_SYSTEM, RULE_out_of_memory, NULL, NULL);
  return status;
}

/* Opens the broker's epoch (a new one when the store is a restored copy) and reads what it now
 * says. */
static enum collega_status open_commit(struct run *run, struct collega_error *error) {
  struct broker *broker = &run->broker;
  struct broker_state state;
  enum collega_status status = read_state(run, &state, error);
  if (status == COLLEGA_OK)
    status = commit_open(run->store, run->identity, state.name, &run->commit, error);
  if (status == COLLEGA_OK) status = read_state(run, &state, error);
  if (status != COLLEGA_OK) return status;
  broker->identity = run->identity;
  broker->world.store = run->store;
  broker->world.broker = state.broker;
  broker->world.epoch = state.epoch;
  broker->head = state.log_seq;
  snprintf(broker->name, sizeof broker->name, "%s", state.name);
  return COLLEGA_OK;
}

static enum collega_status open_tables(struct run *run, struct collega_error *error) {
  struct broker *broker = &run->broker;
  broker->links = links_new();
  broker->addresses = addresses_new();
  broker->standings = standings_new();
  broker->sessions = sessions_new();
  broker->follows = follows_new();
  broker->connections = connections_new();
  if (broker->links && broker->addresses && broker->standings && broker->sessions &&
      broker->follows && broker->connections)
    return COLLEGA_OK;
  return error_set(error, COLLEGA_SYSTEM, RULE_out_of_memory, NULL, NULL);
}

static enum collega_status open_home(struct run *run, const char *home,
                                     struct collega_error *error) {
  struct broker *broker = &run->broker;
  enum collega_status status = home_check(home, "broker", error);
  if (status == COLLEGA_OK) status = run_lock_take(home, &run->lock, error);
  if (status == COLLEGA_OK) status = signals_take(&broker->signals, error);
  if (status == COLLEGA_OK) status = broker_settings_load(home, &broker->config, error);
  if (status == COLLEGA_OK)
    log_threshold((enum log_level)config_number(broker->config, LOG_LEVEL_SETTING));
  if (status == COLLEGA_OK) status = identity_load(home, &run->identity, error);
  if (status == COLLEGA_OK)
    status = broker_store_open(home, broker->config, true, &run->store, error);
  if (status == COLLEGA_OK) {
    store_check_readers(run->store);
    status = open_commit(run, error);
  }
  if (status == COLLEGA_OK) status = open_tables(run, error);
  if (status == COLLEGA_OK) limits_take_settings(broker, broker->config);
  return status == COLLEGA_OK ? read_links(run, error) : status;
}

/* ---- sockets and threads */

static enum collega_status open_queues(struct broker *broker, struct collega_error *error) {
  broker->worker_count = (size_t)config_number(broker->config, SETTING_WORKERS);
  broker->world.back = job_queue_new();
  broker->committer = broker->world.back == NULL ? NULL : job_queue_new();
  bool made = broker->committer != NULL;
  for (size_t i = 0; made && i < broker->worker_count; i++) {
    broker->workers[i] = job_queue_new();
    made = broker->workers[i] != NULL;
  }
  return made ? COLLEGA_OK : error_system(error, "eventfd", errno);
}

static enum collega_status start_threads(struct run *run, struct collega_error *error) {
  struct broker *broker = &run->broker;
  enum collega_status status =
      committer_start(&broker->world, broker->committer, &run->commit, &run->committer, error);
  for (size_t i = 0; status == COLLEGA_OK && i < broker->worker_count; i++) {
    char name[32];
    snprintf(name, sizeof name, "worker-%zu", i);
    status = worker_start(&broker->world, broker->workers[i], name, &run->workers[i], error);
  }
  return status;
}

static enum collega_status start_http(struct run *run, struct collega_error *error) {
  struct broker *broker = &run->broker;
  const char *listen = config_text(broker->config, SETTING_HTTP);
  snprintf(broker->http_endpoint, sizeof broker->http_endpoint, "off");
  if (strcmp(listen, "off") == 0) return COLLEGA_OK;
  enum collega_status status =
      http_start(listen, metrics_routes, metrics_route_count, &run->metrics, &run->http, error);
  if (status != COLLEGA_OK) return status;
  const char *colon = strrchr(listen, ':');
  int length = colon == NULL ? (int)strlen(listen) : (int)(colon - listen);
  snprintf(broker->http_endpoint, sizeof broker->http_endpoint, "%.*s:%u", length, listen,
           http_port(run->http));
  return COLLEGA_OK;
}

static enum collega_status open_sockets(struct run *run, struct collega_error *error) {
  struct broker *broker = &run->broker;
  const uint8_t *secret = identity_link_secret(run->identity);
  broker->context = zmq_ctx_new();
  if (broker->context == NULL) return error_system(error, "zmq_ctx_new", errno);
  zmq_ctx_set(broker->context, ZMQ_MAX_SOCKETS, 1024);
  enum collega_status status = open_queues(broker, error);
  if (status == COLLEGA_OK) status = start_threads(run, error);
  if (status != COLLEGA_OK) return status;
  broker->zap = zap_open(broker->context);
  if (broker->zap == NULL) return error_system(error, "zap", errno);
  status = control_open(broker->home, &broker->control, error);
  if (status == COLLEGA_OK) status = start_http(run, error);
  if (status != COLLEGA_OK) return status;
  return server_open(broker->context, secret, config_text(broker->config, SETTING_LISTEN),
                     broker->endpoint, sizeof broker->endpoint, &broker->router, &broker->monitor,
                     error);
}

/* HOME/NAME holds where to reach something, for scripts and for invitations while the broker is
 * down. */
static enum collega_status tell_where(const char *home, const char *name, const char *what,
                                      struct collega_error *error) {
  char path[PATH_MAX], line[ENDPOINT_BYTES + 1];
  enum collega_status status = path_join(path, sizeof path, home, name, error);
  if (status != COLLEGA_OK) return status;
  int length = snprintf(line, sizeof line, "%s\n", what);
  return file_write(path, line, (size_t)length, 0600, error);
}

static enum collega_status tell_ready(struct broker *broker, struct collega_error *error) {
  char text[2 * ENDPOINT_BYTES + 16];
  enum collega_status status = tell_where(broker->home, "endpoint", broker->endpoint, error);
  if (status == COLLEGA_OK) status = tell_where(broker->home, "http", broker->http_endpoint, error);
  if (status != COLLEGA_OK) return status;
  log_info("ready", "endpoint=%s http=%s members=%zu log=%llu", broker->endpoint,
           broker->http_endpoint, links_count(broker->links, PEER_MEMBER),
           (unsigned long long)broker->head);
  snprintf(text, sizeof text, "%s http=%s", broker->endpoint, broker->http_endpoint);
  ready_tell(text);
  return COLLEGA_OK;
}

/* ---- the end */

static void stop_thread(struct job_queue **jobs, struct thread *thread) {
  struct job *stop = thread->started ? job_new(JOB_STOP) : NULL;
  if (stop != NULL) job_send(*jobs, &stop);
  thread_join(thread);
  job_queue_destroy(jobs);
}

static void close_sockets(struct run *run) {
  struct broker *broker = &run->broker;
  if (broker->router != NULL) {
    int linger = LINGER_AT_END_MS;
    zmq_setsockopt(broker->router, ZMQ_LINGER, &linger, sizeof linger);
    zmq_socket_monitor(broker->router, NULL, 0);
    zmq_close(broker->router);
  }
  if (broker->monitor != NULL) zmq_close(broker->monitor);
  control_close(&broker->control);
  http_stop(&run->http);
  for (size_t i = 0; i < broker->worker_count; i++)
    stop_thread(&broker->workers[i], &run->workers[i]);
  stop_thread(&broker->committer, &run->committer);
  job_queue_destroy(&broker->world.back);
  job_list_destroy(&broker->came);
  if (broker->zap != NULL) zmq_close(broker->zap);
  if (broker->context != NULL) zmq_ctx_term(broker->context);
}

static void close_all(struct run *run) {
  struct broker *broker = &run->broker;
  close_sockets(run);
  for (struct session *session = broker->sessions == NULL ? NULL : session_first(broker->sessions);
       session != NULL; session = session_next(session)) {
    follow_stop_all(broker->follows, session);
    broker_frames_drop(session);
  }
  gather_drop(broker);
  sessions_destroy(&broker->sessions);
  follows_destroy(&broker->follows);
  connections_destroy(&broker->connections);
  standings_destroy(&broker->standings);
  addresses_destroy(&broker->addresses);
  links_destroy(&broker->links);
  commit_close(&run->commit);
  store_close(&run->store);
  identity_destroy(&run->identity);
  config_destroy(&broker->config);
  if (broker->signals >= 0) close(broker->signals);
  run_lock_release(&run->lock);
}

/* Returns how many connections there is room for. */
static size_t raise_limits(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return DESCRIPTORS_USUAL - DESCRIPTORS_OWN;
  rlim_t wanted = limit.rlim_max < MOST_DESCRIPTORS ? limit.rlim_max : MOST_DESCRIPTORS;
  rlim_t before = limit.rlim_cur;
  limit.rlim_cur = wanted;
  if (before < wanted && setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    log_warning("limits", "open files stay at the usual number");
    wanted = before;
  }
  rlim_t room = before > wanted ? before : wanted;
  return room > 2 * DESCRIPTORS_OWN ? (size_t)(room - DESCRIPTORS_OWN) : DESCRIPTORS_OWN;
}

static void keep_memory(void) {
  if (mallopt(M_MMAP_THRESHOLD, KEPT_BLOCK_BYTES) != 1 ||
      mallopt(M_TRIM_THRESHOLD, KEPT_MEMORY_BYTES) != 1)
    log_warning("limits", "the allocator gives memory back at once");
}

enum collega_status broker_run(const char *home, struct collega_error *error) {
  struct run *run = calloc(1, sizeof *run);
  if (run == NULL) return error_set(error, COLLEGA_SYSTEM, RULE_out_of_memory, NULL, NULL);
  run->lock = run->broker.signals = -1;
  run->broker.home = home;
  run->broker.metrics = &run->metrics;
  metric_set(&run->metrics, METRIC_start_time_ms, (uint64_t)clock_now());
  atomic_store(&run->metrics.beat, clock_monotonic());
  metrics_start(&run->metrics);
  run->broker.connections_most = raise_limits();
  keep_memory();
  enum collega_status status = open_home(run, home, error);
  if (status == COLLEGA_OK) status = open_sockets(run, error);
  if (status == COLLEGA_OK) status = tell_ready(&run->broker, error);
  if (status == COLLEGA_OK) status = broker_loop(&run->broker, error);
  close_all(run);
  metrics_stop(&run->metrics);
  free(run);
  if (status == COLLEGA_OK) log_info("stopped", "%s", "");
  return status;
}
