/* Who may have how much, and who takes more. Rates belong to parties: records and bytes are slowed
 * down by keeping credit back, other frames and sessions above their rate are refused. Before
 * anybody knows whose a connection is, limits belong to addresses. The worst of both are told by
 * name in the metrics: a fixed number of them, whatever comes. */
#include "broker/daemon/broker.h"
#include "base/log.h"
#include "base/words.h"
#include "proto/keys.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define REFUSAL_ARENA_BYTES 4096u
#define LEAVE_MS            SECOND_MS /* for the node to read why */

void limits_take_settings(struct broker *broker, const struct config *config) {
  struct rates rates = {
      .records = (uint32_t)config_number(config, SETTING_RECORDS),
      .bytes = (uint32_t)config_number(config, SETTING_BYTES),
      .frames = (uint32_t)config_number(config, SETTING_FRAMES),
      .sessions = (uint32_t)config_number(config, SETTING_SESSIONS),
  };
  standings_set_rates(broker->standings, &rates);
}

void limits_offends(struct broker *broker, const struct session *session, enum offence offence) {
  standing_offends(broker->standings, &session->home, offence);
}

/* ---- addresses */

bool limits_opened(struct broker *broker, int descriptor, const char *address) {
  connection_name(broker->connections, descriptor, address);
  address_opened(broker->addresses, address);
  if (connections_count(broker->connections) <= broker->connections_most &&
      address_may_connect(broker->addresses, address, clock_monotonic()))
    return true;
  address_note(broker->addresses, address, ADDRESS_TURNED_AWAY);
  return false;
}

void limits_heard(struct broker *broker, int descriptor) {
  if (connection_silent(broker->connections, descriptor))
    address_spoke(broker->addresses, connection_address(broker->connections, descriptor));
}

static void found(void *context, int descriptor, uint16_t port, uint64_t session,
                  enum connection_fault fault) {
  struct broker *broker = context;
  const char *address = connection_address(broker->connections, descriptor);
  const struct session *by = session == 0 ? NULL : session_by_number(broker->sessions, session);
  switch (fault) {
  case CONNECTION_CHOKED:
    metric_add(broker->metrics, METRIC_connections_choked, 1);
    log_warning("connection_choked", "address=%s", address);
    if (by != NULL) limits_offends(broker, by, OFFENCE_choked);
    break;
  case CONNECTION_SILENT:
    metric_add(broker->metrics, METRIC_connections_silent, 1);
    address_note(broker->addresses, address, ADDRESS_SILENT);
    break;
  }
  connection_hang_up(descriptor, port);
}

void limits_watch(struct broker *broker, collega_time now) {
  struct connection_watch watch = {now, connection_received, found, broker};
  connections_watch(broker->connections, &watch);
}

/* ---- parties */

static void refuse_session(struct broker *broker, struct bytes routing, int descriptor) {
  struct collega_error error;
  struct arena *arena = arena_new(512, REFUSAL_ARENA_BYTES);
  error_set(&error, COLLEGA_REFUSED, RULE_rate_sessions, NULL, NULL);
  if (arena != NULL) {
    Collega__RefusalCode code = COLLEGA__REFUSAL_CODE__REFUSAL_CODE_QUOTA;
    metric_refused(broker->metrics, (int)code);
    struct bytes packed = refusal_pack(arena, NULL, code, &error);
    if (packed.length > 0) (void)server_send_copy(broker->router, routing, packed);
  }
  arena_destroy(&arena);
  connection_leave(broker->connections, descriptor, clock_monotonic() + LEAVE_MS);
}

bool limits_session(struct broker *broker, const struct peer_entry *peer, struct bytes routing,
                    int descriptor) {
  if (connection_leaving(broker->connections, descriptor)) return false;
  if (peer->role != PEER_MEMBER) return true; /* an invitation ends by itself */
  if (standing_session(broker->standings, &peer->party, clock_monotonic())) return true;
  standing_offends(broker->standings, &peer->party, OFFENCE_sessions);
  metric_add(broker->metrics, METRIC_sessions_refused, 1);
  refuse_session(broker, routing, descriptor);
  return false;
}

bool limits_frame(struct broker *broker, struct session *session, struct frame_cost cost) {
  collega_time now = clock_monotonic();
  standing_use(broker->standings, &session->home, cost, now);
  if (cost.records > 0 || standing_frame(broker->standings, &session->home, now)) return true;
  struct collega_error error;
  error_set(&error, COLLEGA_REFUSED, RULE_rate_frames, NULL,
            config_text(broker->config, SETTING_FRAMES), NULL);
  limits_offends(broker, session, OFFENCE_frames);
  broker_cut(broker, session, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_QUOTA, &error);
  return false;
}

static bool owes(const struct session *session) {
  return session->owed.records > 0 || session->owed.bytes > 0;
}

bool limits_credit(struct broker *broker, struct session *session, struct frame_cost cost) {
  bool costs = cost.records > 0 || cost.bytes > 0;
  if (!costs || id_is_zero(&session->home)) return true;
  bool owed = owes(session);
  if (!owed && standing_may_go_on(broker->standings, &session->home, clock_monotonic()))
    return true;
  if (!owed) {
    limits_offends(broker, session, OFFENCE_paced);
    metric_add(broker->metrics, METRIC_credit_paced, 1);
  }
  session->owed.records += cost.records;
  session->owed.bytes += cost.bytes;
  broker->paced = true;
  return false;
}

void limits_tick(struct broker *broker) {
  if (!broker->paced) return;
  broker->paced = false;
  collega_time now = clock_monotonic();
  for (struct session *next, *session = session_first(broker->sessions); session != NULL;
       session = next) {
    next = session_next(session);
    if (session->ended != 0 || !owes(session)) continue;
    if (!standing_may_go_on(broker->standings, &session->home, now)) {
      broker->paced = true;
      continue;
    }
    struct frame_cost owed = session->owed;
    session->owed = (struct frame_cost){0};
    broker_return_credit(broker, session, owed);
  }
}

/* ---- who is told of */

static void print_parties(const struct broker *broker, struct buffer *out) {
  struct offender worst[OFFENDERS_MOST];
  size_t count = standings_worst(broker->standings, worst);
  buffer_print(out, "# HELP collega_broker_party_offences_total what a party did wrong: the worst "
                    "parties, by fingerprint\n"
                    "# TYPE collega_broker_party_offences_total counter\n");
  for (size_t i = 0; i < count; i++) {
    char fingerprint[FINGERPRINT_BYTES];
    fingerprint_write(fingerprint, &worst[i].home);
    bool invited = id_is_zero(&worst[i].home);
    for (int kind = 0; kind < OFFENCE_COUNT; kind++)
      if (worst[i].count[kind] > 0)
        buffer_print(out,
                     "collega_broker_party_offences_total{party=\"%s\",kind=\"%s\"} %" PRIu64 "\n",
                     invited ? "invited" : fingerprint, offence_name((enum offence)kind),
                     worst[i].count[kind]);
  }
}

static void print_address(struct buffer *out, const char *address, const char *kind,
                          uint64_t count) {
  if (count > 0)
    buffer_print(out,
                 "collega_broker_address_offences_total{address=\"%s\",kind=\"%s\"} %" PRIu64 "\n",
                 address, kind, count);
}

static void print_addresses(const struct broker *broker, struct buffer *out) {
  struct address_offender worst[OFFENDERS_MOST];
  size_t count = addresses_worst(broker->addresses, worst, OFFENDERS_MOST);
  buffer_print(out, "# HELP collega_broker_address_offences_total handshakes refused, connections "
                    "turned away or silent: the worst addresses\n"
                    "# TYPE collega_broker_address_offences_total counter\n");
  for (size_t i = 0; i < count; i++) {
    print_address(out, worst[i].address, "refused", worst[i].refused);
    print_address(out, worst[i].address, "turned_away", worst[i].turned_away);
    print_address(out, worst[i].address, "silent", worst[i].silent);
  }
}

void limits_tell(struct broker *broker) {
  struct buffer lines;
  buffer_init(&lines, 2 * OFFENDERS_BYTES);
  print_parties(broker, &lines);
  print_addresses(broker, &lines);
  metrics_tell_offenders(broker->metrics, buffer_text(&lines));
  buffer_free(&lines);
}
