/* The loop: one thread that owns the server socket and all sessions. It waits in one place, does
 * little each time, and never waits for the disk: what may, is a job.
 *
 * The end: on SIGTERM or SIGINT it reads no more from nodes, lets what was taken be committed and
 * answered, and returns. */
#include "broker/daemon/broker.h"
#include "base/log.h"
#include "base/process/process.h"
#include "base/words.h"
#include "broker/daemon/control.h"
#include <signal.h>
#include <string.h>

#define TICK_MS        250
#define TICKS_A_SECOND 4
#define FIGURES_TICKS  (15 * TICKS_A_SECOND)
#define QUIET_TICKS    (60 * TICKS_A_SECOND)
#define SWEEP_TICKS    (60 * TICKS_A_SECOND)
#define JOBS_ROUND     256 /* from one thread, before the others are looked at */
#define ZAP_ROUND      64
#define DRAIN_MOST_MS  (30 * SECOND_MS)

/* ---- connections */

static void opened(struct broker *broker, int descriptor) {
  char address[PEER_ADDRESS_BYTES];
  uint16_t port = 0;
  if (!connection_peer(descriptor, address, &port)) return; /* gone again: its end is told next */
  limits_heard(broker, descriptor); /* if the end of an older one went unnoticed */
  connection_open(broker->connections, descriptor, port, clock_monotonic());
  if (limits_opened(broker, descriptor, address)) return;
  metric_add(broker->metrics, METRIC_connections_refused, 1);
  connection_hang_up(descriptor, port);
}

static void ended(struct broker *broker, int descriptor) {
  limits_heard(broker, descriptor);
  uint64_t number = connection_end(broker->connections, descriptor);
  struct session *session = number == 0 ? NULL : session_by_number(broker->sessions, number);
  if (session != NULL) broker_end(broker, session);
}

void broker_monitor(struct broker *broker) {
  int descriptor = -1;
  for (;;) {
    switch (server_event(broker->monitor, &descriptor)) {
    case CONNECTION_NONE:
      return;
    case CONNECTION_OPENED:
      opened(broker, descriptor);
      break;
    case CONNECTION_ENDED:
      ended(broker, descriptor);
      break;
    case CONNECTION_OTHER:
      break;
    }
  }
}

/* ---- jobs that come back */

static void figures_back(struct broker *broker, const struct job *job) {
  broker->figures_asked = false;
  if (job->status != COLLEGA_OK) return;
  metric_set(broker->metrics, METRIC_store_used_bytes, job->figures.store_used);
  metric_set(broker->metrics, METRIC_store_map_bytes, job->figures.store_map);
  metric_set(broker->metrics, METRIC_store_free_bytes, job->figures.store_free);
  metric_set(broker->metrics, METRIC_mailbox_bytes, job->figures.mailbox_bytes);
}

static void job_back(struct broker *broker, struct job *job) {
  switch (job->kind) {
  case JOB_FRAME:
    broker_frame_back(broker, &job);
    return;
  case JOB_COMMITTED:
    broker_committed(broker, &job);
    return;
  case JOB_WELCOME:
    welcome_back(broker, job);
    break;
  case JOB_BOARD:
    board_read_back(broker, job);
    break;
  case JOB_LIVE:
    board_live_back(broker, job);
    break;
  case JOB_MAIL:
    mail_back(broker, job);
    break;
  case JOB_FETCH:
    fetch_back(broker, job);
    break;
  case JOB_REPORT:
    order_report_back(broker, job);
    break;
  case JOB_FIGURES:
    figures_back(broker, job);
    break;
  case JOB_STOP: /* a thread that ended without being told to */
    broker->failed = true;
    break;
  case JOB_SWEEP:
    broker->compacted = job->through;
    break;
  case JOB_FORGET:
  case JOB_COMMIT:
    break;
  }
  job_destroy(&job);
}

static void serve_jobs(struct broker *broker) {
  if (broker->came == NULL) broker->came = job_receive(broker->world.back);
  for (int i = 0; i < JOBS_ROUND && broker->came != NULL; i++) {
    struct job *job = broker->came;
    broker->came = job->next;
    job->next = NULL;
    job_back(broker, job);
  }
}

/* ---- ticks */

static void tick_session(struct broker *broker, struct session *session, collega_time now) {
  if (session->ended != 0) {
    bool idle = session->preparing == 0 && session->committing == 0;
    if (idle && now - session->ended >= SESSION_KEPT_AFTER_CUT_MS)
      session_remove(broker->sessions, &session);
    return;
  }
  bool send_ping;
  uint64_t number = 0;
  if (broker_session_tick(&session->machine, now, &send_ping, &number) == LINK_CUT) {
    struct collega_error error;
    error_set(&error, COLLEGA_REFUSED, RULE_session_silent, NULL, NULL);
    broker_cut(broker, session, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED, &error);
    return;
  }
  if (send_ping) {
    Collega__Ping ping = COLLEGA__PING__INIT;
    ping.number = number;
    Collega__FromBroker frame = COLLEGA__FROM_BROKER__INIT;
    frame.ping = &ping;
    broker_send_message(broker, session, &frame);
  }
  broker_pump(broker, session);
}

static void tick_second(struct broker *broker, collega_time now) {
  for (struct session *next, *session = session_first(broker->sessions); session != NULL;
       session = next) {
    next = session_next(session);
    tick_session(broker, session, now);
  }
  limits_tell(broker);
  struct metrics *metrics = broker->metrics;
  metric_set(metrics, METRIC_members, links_count(broker->links, PEER_MEMBER));
  metric_set(metrics, METRIC_invitations, links_count(broker->links, PEER_INVITED));
  metric_set(metrics, METRIC_sessions, sessions_open(broker->sessions));
  metric_set(metrics, METRIC_connections, connections_count(broker->connections));
  metric_set(metrics, METRIC_follows, follows_count(broker->follows));
  metric_set(metrics, METRIC_log_seq, broker->head);
  metric_set(metrics, METRIC_under_way_bytes, broker->under_way_bytes);
  metric_set(metrics, METRIC_handshakes_admitted, broker->handshakes.admitted);
  metric_set(metrics, METRIC_handshakes_refused,
             broker->handshakes.refused + broker->handshakes.malformed);
}

static void ask_figures(struct broker *broker) {
  struct job *job = broker->figures_asked ? NULL : job_new(JOB_FIGURES);
  if (job == NULL) return;
  broker->figures_asked = true;
  job_send(broker->workers[0], &job);
}

static void ask_sweep(struct broker *broker) {
  struct job *job = job_new(JOB_SWEEP);
  if (job != NULL) job_send(broker->committer, &job);
}

static void tick(struct broker *broker, uint64_t count, collega_time now) {
  connections_hang_up_due(broker->connections, now, connection_hang_up);
  limits_watch(broker, now);
  limits_tick(broker);
  if (count % TICKS_A_SECOND == 0) tick_second(broker, now);
  if (count % FIGURES_TICKS == 0) ask_figures(broker);
  if (count % QUIET_TICKS == 0) board_quiet(broker);
  if (count % SWEEP_TICKS == 0) ask_sweep(broker);
}

/* ---- signals */

/* The limits at once; link.advertise is read when an invitation is made. */
static enum collega_status take_settings(void *context, const struct config *fresh,
                                         struct collega_error *error) {
  (void)error;
  limits_take_settings(context, fresh);
  return COLLEGA_OK;
}

static void reload(struct broker *broker) {
  char path[PATH_MAX];
  struct collega_error error;
  if (broker_settings_path(path, broker->home, &error) == COLLEGA_OK)
    config_reload(path, &broker->config, take_settings, broker);
}

static void serve_signals(struct broker *broker) {
  for (int number; (number = signals_next(broker->signals)) != 0;) {
    if (number == SIGHUP) {
      reload(broker);
      continue;
    }
    if (!broker->draining)
      log_info("stopping", "signal=%d under_way=%zu", number, broker->under_way);
    broker->draining = true;
  }
}

/* ---- what is waited for */

enum { WAIT_SIGNALS, WAIT_THREADS, WAIT_MONITOR, WAIT_ZAP, WAIT_CONTROL };
#define WAIT_MOST (WAIT_CONTROL + 1 + CONTROL_CLIENTS + 1)

/* A descriptor of libzmq's tells of a change once, and of nothing that was there before its socket
 * was looked at. So a socket is served until nothing waits in it, or `waits` says that something
 * may. Sending takes note of changes as well: the router is asked each time. */
struct wait_set {
  struct pollfd items[WAIT_MOST];
  size_t count, control_end;
  bool receives, router_waits, zap_waits;
};

static bool may_receive(const struct broker *broker) {
  return !broker->draining && broker->under_way < UNDER_WAY_MOST &&
         broker->under_way_bytes < UNDER_WAY_MOST_BYTES;
}

static void add(struct wait_set *set, int descriptor) {
  set->items[set->count++] = (struct pollfd){.fd = descriptor, .events = POLLIN};
}

static void build(const struct broker *broker, struct wait_set *set) {
  set->count = 0;
  add(set, broker->signals);
  add(set, job_queue_bell(broker->world.back));
  add(set, socket_descriptor(broker->monitor));
  add(set, socket_descriptor(broker->zap));
  set->count += control_poll(broker->control, &set->items[WAIT_CONTROL]);
  set->control_end = set->count;
  set->receives = may_receive(broker);
  set->router_waits = set->receives && socket_waits(broker->router);
  if (set->receives) add(set, socket_descriptor(broker->router));
}

/* Until something is there, `most_ms` at the most. */
static void await(struct broker *broker, struct wait_set *set, int64_t most_ms) {
  bool there = set->router_waits || set->zap_waits || broker->came != NULL ||
               !job_queue_rest(broker->world.back);
  int wait_ms = there || most_ms < 0 ? 0 : (int)most_ms;
  poll(set->items, (nfds_t)set->count, wait_ms); /* interrupted: nothing is there */
}

static void take_order(void *context, uint64_t number, json_t *question) {
  order_take(context, number, question);
}

static void serve_zap(struct broker *broker, struct wait_set *set) {
  size_t served = zap_serve(broker->zap, ZAP_ROUND, broker->links, broker->addresses, clock_now(),
                            clock_monotonic(), &broker->handshakes);
  set->zap_waits = served == ZAP_ROUND;
}

static void serve(struct broker *broker, struct wait_set *set) {
  serve_jobs(broker);
  if (set->items[WAIT_MONITOR].revents) broker_monitor(broker);
  if (set->items[WAIT_ZAP].revents || set->zap_waits) serve_zap(broker, set);
  if (set->router_waits || (set->receives && set->items[set->control_end].revents))
    broker_receive(broker);
  bool control = false;
  for (size_t i = WAIT_CONTROL; i < set->control_end; i++)
    control = control || set->items[i].revents != 0;
  if (control) control_serve(broker->control, take_order, broker);
  if (set->items[WAIT_SIGNALS].revents) serve_signals(broker);
}

enum collega_status broker_loop(struct broker *broker, struct collega_error *error) {
  struct wait_set set = {.zap_waits = true};
  uint64_t ticks = 0;
  int64_t next = clock_monotonic(), drained_by = 0;
  broker_monitor(broker);
  while (!broker->failed) {
    int64_t now = clock_monotonic();
    atomic_store(&broker->metrics->beat, now);
    if (now >= next) {
      tick(broker, ticks++, now);
      next = now + TICK_MS;
    }
    if (broker->draining && drained_by == 0) drained_by = now + DRAIN_MOST_MS;
    if (broker->draining && (broker->under_way == 0 || now >= drained_by)) return COLLEGA_OK;
    build(broker, &set);
    int64_t left = next - clock_monotonic(), gather = gather_wait(broker);
    await(broker, &set, gather < left ? gather : left);
    serve(broker, &set);
    gather_send(broker);
  }
  return error_set(error, COLLEGA_SYSTEM, RULE_broker_stalled, NULL, NULL);
}
