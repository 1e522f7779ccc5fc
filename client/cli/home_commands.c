/* init, join, run, status. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/process/process.h"
#include "client/cli/common.h"
#include "client/daemon/daemon.h"
#include "client/ledger/outbox.h"
#include "client/library/node_state.h"

#define ARENA_BYTES (1u << 20)

enum collega_status command_init(const struct arguments *arguments, struct collega_error *error) {
  struct node_init init = {.name = argument_value(arguments, "name"),
                           .kvk = argument_value(arguments, "kvk"),
                           .signatory = argument_value(arguments, "signatory"),
                           .function = argument_value(arguments, "function")};
  enum collega_status status = argument_home(arguments, &init.home, error);
  if (status != COLLEGA_OK) return status;
  if (!init.name) return error_set(error, COLLEGA_USAGE, RULE_option_missing, "--name", NULL);
  if (!init.kvk) return error_set(error, COLLEGA_USAGE, RULE_option_missing, "--kvk", NULL);
  struct id party;
  char recovery[RECOVERY_TEXT_BYTES], fingerprint[FINGERPRINT_BYTES];
  status = node_init(&init, clock_now(), &party, recovery, error);
  if (status != COLLEGA_OK) return status;
  fingerprint_write(fingerprint, &party);
  struct desk desk = {.arguments = arguments, .language = argument_language(arguments)};
  if (argument_json(arguments)) {
    json_t *document = json_object();
    if (!document || !json_put(document, "id", json_hex(party.byte, ID_BYTES)) ||
        !json_put(document, "fingerprint", json_string(fingerprint)) ||
        !json_put(document, "recovery_key", json_string(recovery))) {
      json_decref(document);
      document = NULL;
    }
    return json_print(document, error);
  }
  desk.arena = arena_new(4096, ARENA_BYTES);
  if (!desk.arena) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  say(&desk, RULE_said_home_made, init.home, init.name, NULL);
  say(&desk, RULE_said_fingerprint, fingerprint, NULL);
  say(&desk, RULE_said_recovery, recovery, NULL);
  if (!init.signatory) say(&desk, RULE_said_no_mandate, NULL);
  say(&desk, RULE_said_join_next, NULL);
  arena_destroy(&desk.arena);
  return COLLEGA_OK;
}

static enum collega_status joined(struct desk *desk, void *context, bool *met,
                                  struct collega_error *error) {
  CollegaStore__BrokerRow **broker = context;
  enum collega_status status = exchange_broker(desk->txn, desk->arena, broker, error);
  *met = status == COLLEGA_OK && *broker;
  return status;
}

static enum collega_status join_said(struct desk *desk, const CollegaStore__BrokerRow *broker,
                                     struct collega_error *error) {
  struct id id;
  char theirs[FINGERPRINT_BYTES], ours[FINGERPRINT_BYTES];
  if (!id_from(&id, broker->broker.data, broker->broker.len))
    return error_set(error, COLLEGA_DAMAGED, RULE_id_unknown, NULL, "", NULL);
  fingerprint_write(theirs, &id);
  fingerprint_write(ours, &desk->party);
  if (argument_json(desk->arguments)) {
    json_t *document = json_object(), *part = json_object();
    if (!document || !part || !json_put(part, "id", json_hex(id.byte, ID_BYTES)) ||
        !json_put(part, "name", json_string(broker->name)) ||
        !json_put(part, "fingerprint", json_string(theirs)) ||
        !json_put(document, "joined", json_true()) ||
        !json_put(document, "fingerprint", json_string(ours)) ||
        json_object_set(document, "broker", part) != 0) {
      json_decref(document);
      document = NULL;
    }
    json_decref(part);
    return json_print(document, error);
  }
  say(desk, RULE_said_joined, broker->name, NULL);
  say(desk, RULE_said_broker_fingerprint, theirs, NULL);
  say(desk, RULE_said_fingerprint, ours, NULL);
  return COLLEGA_OK;
}

/* Is this the broker that invites? Joining the same broker again is no error: a repeated command, or a daemon that was
 * faster than the one who typed. */
static enum collega_status joined_already(struct desk *desk, const char *token,
                                          CollegaStore__BrokerRow **broker,
                                          struct collega_error *error) {
  Collega__Invitation *invitation = NULL;
  enum collega_status status = invitation_read(token, desk->arena, &invitation, error);
  if (status == COLLEGA_OK) status = exchange_broker(desk->txn, desk->arena, broker, error);
  if (status == COLLEGA_OK && *broker &&
      !bytes_equal(bytes_of((*broker)->broker.data, (*broker)->broker.len),
                   bytes_of(invitation->broker.data, invitation->broker.len)))
    *broker = NULL; /* another one: join_store_token says why not */
  return status;
}

enum collega_status command_join(const struct arguments *arguments, struct collega_error *error) {
  struct desk desk;
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  CollegaStore__BrokerRow *broker = NULL;
  int64_t seconds = 30;
  bool given = false;
  status = option_number(arguments, "wait", 0, 86400, &given, &seconds, error);
  if (status == COLLEGA_OK)
    status = joined_already(&desk, argument_at(arguments, 0), &broker, error);
  bool done = broker != NULL;
  if (status == COLLEGA_OK && done) status = join_said(&desk, broker, error);
  desk_release(&desk);
  if (status != COLLEGA_OK || done) {
    desk_close(&desk);
    return status;
  }
  status = join_store_token(desk.exchange, argument_at(arguments, 0), error);
  if (status == COLLEGA_OK && run_lock_held(desk.home)) {
    /* The daemon joins; the token was stored for it. */
    status = desk_wait(&desk, joined, &broker, error);
  } else if (status == COLLEGA_OK) {
    /* One opening of the ledger a process: ours makes place for the daemon's loop. */
    exchange_close(&desk.exchange);
    struct daemon_options options = {desk.home, true, seconds * SECOND_MS};
    status = daemon_run(&options, error);
    if (status == COLLEGA_OK) status = exchange_open(desk.home, &desk.exchange, error);
    if (status == COLLEGA_OK) status = desk_read(&desk, error);
    if (status == COLLEGA_OK) status = exchange_broker(desk.txn, desk.arena, &broker, error);
  }
  if (status == COLLEGA_OK && broker) status = join_said(&desk, broker, error);
  if (status == COLLEGA_OK && !broker) say(&desk, RULE_said_token_stored, NULL);
  desk_close(&desk);
  return status;
}

enum collega_status command_run(const struct arguments *arguments, struct collega_error *error) {
  struct daemon_options options = {0};
  enum collega_status status = argument_home(arguments, &options.home, error);
  return status == COLLEGA_OK ? daemon_run(&options, error) : status;
}

/* ---- status */

struct status_facts {
  struct node_state state;
  struct outbox_counts outbox;
  struct ledger_head head;
  CollegaStore__BrokerRow *broker;
  CollegaStore__OwnParty *own;
  uint64_t waiting_acts;
  struct arena *arena;
};

static bool count_acts(void *context, struct bytes key, struct bytes value) {
  struct status_facts *facts = context;
  (void)key;
  CollegaStore__DealRow *row = (CollegaStore__DealRow *)row_unpack(
      &collega_store__deal_row__descriptor, value, facts->arena);
  if (row && row->has_act) ++facts->waiting_acts;
  return true;
}

static enum collega_status gather(struct desk *desk, struct status_facts *facts,
                                  struct collega_error *error) {
  memset(facts, 0, sizeof *facts);
  facts->arena = desk->arena;
  node_state_read(desk->home, &facts->state);
  ProtobufCMessage *own = NULL;
  enum collega_status status = outbox_count(desk->txn, &facts->outbox, error);
  if (status == COLLEGA_OK) status = ledger_head(desk->txn, &facts->head, error);
  if (status == COLLEGA_OK) status = exchange_broker(desk->txn, desk->arena, &facts->broker, error);
  if (status == COLLEGA_OK)
    status = row_get(desk->txn, TABLE_OWN, bytes_of(desk->party.byte, ID_BYTES),
                     &collega_store__own_party__descriptor, desk->arena, &own, error);
  if (status == COLLEGA_OK)
    status = table_each(desk->txn, TABLE_DEALS, bytes_of("", 0), NULL, count_acts, facts, error);
  facts->own = (CollegaStore__OwnParty *)own;
  return status;
}

/* Why things wait, as a rule: the most telling first. RULE_NONE: nothing holds them up. */
static enum rule why_waiting(const struct status_facts *facts) {
  if (!facts->broker) return RULE_node_not_joined;
  if (!facts->state.running) return RULE_daemon_down;
  if (facts->state.behind) return RULE_node_behind;
  if (!facts->state.connected)
    return facts->state.problem ? facts->state.problem : RULE_link_silent;
  return RULE_NONE;
}

static json_t *status_json(struct desk *desk, const struct status_facts *facts) {
  char fingerprint[FINGERPRINT_BYTES], broker_fingerprint[FINGERPRINT_BYTES] = "";
  fingerprint_write(fingerprint, &desk->party);
  struct id broker = {{0}};
  if (facts->broker && id_from(&broker, facts->broker->broker.data, facts->broker->broker.len))
    fingerprint_write(broker_fingerprint, &broker);
  enum rule why = why_waiting(facts);
  json_t *node = json_pack("{s:s, s:s, s:s, s:b}", "name", facts->own->name, "kvk", facts->own->kvk,
                           "fingerprint", fingerprint, "running", facts->state.running);
  json_t *link =
      json_pack("{s:b, s:b, s:b}", "joined", facts->broker != NULL, "connected",
                facts->state.running && facts->state.connected, "behind", facts->state.behind);
  json_t *outbox =
      json_pack("{s:I, s:I, s:I}", "waiting", (json_int_t)facts->outbox.waiting, "refused",
                (json_int_t)facts->outbox.refused, "to_sign", (json_int_t)facts->waiting_acts);
  json_t *ledger = json_pack("{s:I}", "entries", (json_int_t)facts->head.number);
  json_t *document = json_object();
  bool ok = node && link && outbox && ledger && document &&
            json_put(node, "id", json_hex(desk->party.byte, ID_BYTES)) &&
            json_put(ledger, "head", json_hex(facts->head.hash.byte, ID_BYTES));
  if (ok && facts->broker)
    ok = json_put(link, "id", json_hex(broker.byte, ID_BYTES)) &&
         json_put(link, "name", json_string(facts->broker->name)) &&
         json_put(link, "fingerprint", json_string(broker_fingerprint)) &&
         json_put(link, "address", json_string(facts->state.broker_address)) &&
         json_put(link, "clock_difference_ms", json_integer(facts->state.clock_difference));
  if (ok && why) ok = json_put(link, "why", json_string(rule_name(why)));
  if (ok && facts->outbox.waiting) ok = json_put(outbox, "oldest", json_time(facts->outbox.oldest));
  ok = ok && json_object_set(document, "node", node) == 0 &&
       json_object_set(document, "broker", link) == 0 &&
       json_object_set(document, "outbox", outbox) == 0 &&
       json_object_set(document, "ledger", ledger) == 0;
  json_decref(node);
  json_decref(link);
  json_decref(outbox);
  json_decref(ledger);
  if (ok) return document;
  json_decref(document);
  return NULL;
}

enum collega_status command_status(const struct arguments *arguments, struct collega_error *error) {
  struct desk desk;
  struct status_facts facts;
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  status = gather(&desk, &facts, error);
  if (status == COLLEGA_OK && argument_json(arguments)) {
    status = json_print(status_json(&desk, &facts), error);
  } else if (status == COLLEGA_OK) {
    char waiting[24], refused[24], entries[24], acts[24];
    snprintf(waiting, sizeof waiting, "%" PRIu64, facts.outbox.waiting);
    snprintf(refused, sizeof refused, "%" PRIu64, facts.outbox.refused);
    snprintf(entries, sizeof entries, "%" PRIu64, facts.head.number);
    snprintf(acts, sizeof acts, "%" PRIu64, facts.waiting_acts);
    enum rule why = why_waiting(&facts);
    say(&desk, RULE_said_node, facts.own->name, facts.own->kvk, hex_text(&desk, desk.party.byte, 4),
        NULL);
    if (why)
      say(&desk, RULE_said_not_connected, NULL), say(&desk, why, NULL);
    else
      say(&desk, RULE_said_connected, facts.broker->name, facts.state.broker_address, NULL);
    if (facts.outbox.waiting)
      say(&desk, RULE_said_outbox, waiting, NULL);
    else
      say(&desk, RULE_said_outbox_empty, NULL);
    if (facts.waiting_acts) say(&desk, RULE_said_acts_wait, acts, NULL);
    if (facts.outbox.refused) say(&desk, RULE_said_outbox_refused, refused, NULL);
    say(&desk, RULE_said_ledger, entries, hex_text(&desk, facts.head.hash.byte, 8), NULL);
  }
  desk_close(&desk);
  return status;
}
