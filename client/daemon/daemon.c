/* The node's daemon. Threads: ZeroMQ's, this loop, the matcher. Signals are blocked before any of them starts and
 * taken here. Between the command line and this loop the ledger is the queue and the bell a hint: it is looked at
 * again every LOOK_AGAIN_MS even when nothing rang. */
#include "client/daemon/daemon.h"

#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/disk/disk.h"
#include "base/log.h"
#include "base/process/process.h"
#include "base/words.h"
#include "client/daemon/matcher_thread.h"
#include "client/daemon/session.h"
#include "client/library/settings.h"
#include "client/exchange/keys.h"
#include "client/exchange/node_clock.h"

#define TICK_MS          1000
#define READERS_EVERY_MS MINUTE_MS
#define KEYS_EVERY_MS    HOUR_MS
#define JOIN_WAIT_MS     (30 * SECOND_MS)
#define JOIN_SPREAD_MS   2000 /* somebody waits for the answer */

struct daemon {
  const struct daemon_options *options;
  int lock, signals, bell;
  struct config *config;
  struct exchange *exchange;
  struct link_context *context;
  struct node_link *link;
  struct matcher_thread *matcher;
};

static enum collega_status settings_path(const struct daemon *daemon, char *out, size_t capacity,
                                         struct collega_error *error) {
  return path_join(out, capacity, daemon->options->home, SETTINGS_FILE, error);
}

static enum collega_status take_filter(struct daemon *daemon, const struct config *config,
                                       struct collega_error *error) {
  struct follow_texts texts = {.kinds = config_text(config, "follow.kinds"),
                               .occupations = config_text(config, "follow.occupations"),
                               .regions = config_text(config, "follow.regions"),
                               .sectors = config_text(config, "follow.sectors")};
  return exchange_set_filter(daemon->exchange, &texts, error);
}

/* The thread has its weights for good: others take another thread. */
static enum collega_status start_matcher(struct daemon *daemon, const struct config *config,
                                         struct collega_error *error) {
  double weight[MATCH_PARTS];
  enum collega_status status = settings_weights(config, weight, error);
  if (status != COLLEGA_OK || daemon->options->until_joined) return status;
  matcher_thread_stop(&daemon->matcher);
  return matcher_thread_start(exchange_ledger(daemon->exchange), weight, &daemon->matcher, error);
}

static bool weighs_differently(const struct config *one, const struct config *other) {
  double weight[2][MATCH_PARTS];
  return settings_weights(one, weight[0], NULL) != COLLEGA_OK ||
         settings_weights(other, weight[1], NULL) != COLLEGA_OK ||
         memcmp(weight[0], weight[1], sizeof weight[0]) != 0;
}

/* A command that joins does not spread its attempts. */
static int64_t spread_of(const struct daemon *daemon, const struct config *config) {
  int64_t spread = config_number(config, "link.reconnect_spread_ms");
  return daemon->options->until_joined && spread > JOIN_SPREAD_MS ? JOIN_SPREAD_MS : spread;
}

static enum collega_status daemon_open(struct daemon *daemon, struct collega_error *error) {
  const char *home = daemon->options->home;
  char path[PATH_MAX];
  enum collega_status status = home_check(home, "node", error);
  if (status == COLLEGA_OK) status = run_lock_take(home, &daemon->lock, error);
  if (status == COLLEGA_OK) status = signals_take(&daemon->signals, error);
  if (status == COLLEGA_OK) status = settings_path(daemon, path, sizeof path, error);
  if (status == COLLEGA_OK)
    status = config_load(path, node_settings, NODE_SETTING_COUNT, &daemon->config, error);
  if (status == COLLEGA_OK && !daemon->options->until_joined)
    log_threshold((enum log_level)config_number(daemon->config, LOG_LEVEL_SETTING));
  if (status == COLLEGA_OK) status = exchange_open(home, &daemon->exchange, error);
  if (status == COLLEGA_OK) exchange_use_all_cores(daemon->exchange);
  if (status == COLLEGA_OK) status = take_filter(daemon, daemon->config, error);
  if (status == COLLEGA_OK) status = bell_listen(home, &daemon->bell, error);
  if (status == COLLEGA_OK) status = link_context_new(&daemon->context, error);
  if (status == COLLEGA_OK)
    status = node_link_open(daemon->exchange, daemon->context, spread_of(daemon, daemon->config),
                            &daemon->link, error);
  if (status == COLLEGA_OK) status = start_matcher(daemon, daemon->config, error);
  return status;
}

static void daemon_close(struct daemon *daemon) {
  matcher_thread_stop(&daemon->matcher);
  node_link_close(&daemon->link);
  link_context_destroy(&daemon->context);
  exchange_close(&daemon->exchange);
  config_destroy(&daemon->config);
  if (daemon->bell >= 0) close(daemon->bell);
  if (daemon->signals >= 0) close(daemon->signals);
  run_lock_release(&daemon->lock);
}

static bool follows_differently(const struct config *one, const struct config *other) {
  static const char *const names[] = {"follow.kinds", "follow.occupations", "follow.regions",
                                      "follow.sectors"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i)
    if (strcmp(config_text(one, names[i]), config_text(other, names[i])) != 0) return true;
  return false;
}

static enum collega_status take_fresh(void *context, const struct config *fresh,
                                      struct collega_error *error) {
  struct daemon *daemon = context;
  double weight[MATCH_PARTS];
  enum collega_status status = settings_weights(fresh, weight, error);
  if (status == COLLEGA_OK) status = take_filter(daemon, fresh, error);
  if (status == COLLEGA_OK && weighs_differently(daemon->config, fresh))
    status = start_matcher(daemon, fresh, error);
  if (status != COLLEGA_OK) return status;
  node_link_set_spread(daemon->link, spread_of(daemon, fresh));
  if (follows_differently(daemon->config, fresh)) node_link_renew(daemon->link);
  return COLLEGA_OK;
}

static void reload(struct daemon *daemon) {
  char path[PATH_MAX];
  struct collega_error error;
  if (settings_path(daemon, path, sizeof path, &error) == COLLEGA_OK)
    config_reload(path, &daemon->config, take_fresh, daemon);
}

/* SIGTERM and SIGINT end; SIGHUP reads the settings again. */
static bool told_to_stop(struct daemon *daemon) {
  for (int number; (number = signals_next(daemon->signals)) != 0;) {
    if (number == SIGTERM || number == SIGINT) return true;
    if (number == SIGHUP) reload(daemon);
  }
  return false;
}

static void wait_for_something(struct daemon *daemon) {
  zmq_pollitem_t items[4] = {
      {.fd = daemon->signals, .events = ZMQ_POLLIN},
      {.fd = daemon->bell, .events = ZMQ_POLLIN},
  };
  int count = 2 + node_link_poll(daemon->link, items + 2);
  if (zmq_poll(items, count, TICK_MS) < 0) return;
  if (items[1].revents) bell_drain(daemon->bell);
}

/* Keys that opened mail which is not kept any more are of no use but to a thief. What is destroyed does not come back:
 * a clock that nobody has confirmed does not suffice. */
static void expire_keys(struct daemon *daemon, int64_t *next) {
  size_t destroyed = 0;
  struct collega_error error;
  struct node_clock clock;
  if (daemon->options->until_joined || clock_monotonic() < *next) return;
  node_clock_read(daemon->options->home, &clock);
  if (!node_clock_sure(&clock)) return;
  *next = clock_monotonic() + KEYS_EVERY_MS;
  if (keys_expire(daemon->exchange, node_clock_time(&clock), &destroyed, &error) != COLLEGA_OK)
    log_warning("keys_not_destroyed", "rule=%s", rule_name(error.rule));
}

/* Nobody answered, or somebody did and would not let us in. */
static enum collega_status join_over(const struct node_state *state, struct collega_error *error) {
  if (state->problem == RULE_invitation_not_let_in)
    return error_set(error, COLLEGA_UNREACHABLE, state->problem, NULL, NULL);
  return error_set(error, COLLEGA_UNREACHABLE, RULE_join_unreachable, NULL, state->broker_address,
                   NULL);
}

static enum collega_status loop(struct daemon *daemon, struct collega_error *error) {
  int64_t readers_at = 0, keys_at = 0, started = clock_monotonic();
  int64_t wait_ms = daemon->options->wait_ms ? daemon->options->wait_ms : JOIN_WAIT_MS;
  for (;;) {
    node_link_receive(daemon->link);
    node_link_work(daemon->link);
    if (daemon->matcher) matcher_thread_wake(daemon->matcher);
    if (daemon->options->until_joined) {
      if (node_link_joined(daemon->link)) return COLLEGA_OK;
      if (node_link_join_refused(daemon->link, error)) return COLLEGA_REFUSED;
      if (clock_monotonic() - started >= wait_ms) {
        return join_over(node_link_state(daemon->link), error);
      }
    }
    if (clock_monotonic() >= readers_at) {
      disk_check_readers(ledger_disk(exchange_ledger(daemon->exchange)));
      expire_keys(daemon, &keys_at);
      readers_at = clock_monotonic() + READERS_EVERY_MS;
    }
    wait_for_something(daemon);
    if (told_to_stop(daemon)) return COLLEGA_OK;
  }
}

enum collega_status daemon_run(const struct daemon_options *options, struct collega_error *error) {
  struct daemon daemon = {.options = options, .lock = -1, .signals = -1, .bell = -1};
  process_start();
  if (options->until_joined) log_threshold(LOG_ERROR); /* a command, which tells by itself */
  enum collega_status status = daemon_open(&daemon, error);
  if (status == COLLEGA_OK) {
    ready_tell(options->until_joined ? "joining" : "running");
    if (!options->until_joined) log_info("node_running", "home=%s", options->home);
    status = loop(&daemon, error);
    if (!options->until_joined) log_info("node_stopped", "home=%s", options->home);
  }
  daemon_close(&daemon);
  return status;
}
