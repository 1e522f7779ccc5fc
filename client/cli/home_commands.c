/* init, join, run, status. */
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/process/process.h"
#include "client/cli/common.h"
#include "client/daemon/daemon.h"
#include "client/library/settings.h"
#include "client/ledger/outbox.h"
#include "client/library/node_state.h"
#include "client/exchange/node_clock.h"

#define ARENA_BYTES (1u << 20)

enum collega_status home_write_settings(const char *home, struct collega_error *error) {
  char path[PATH_MAX];
  enum collega_status status = path_join(path, sizeof path, home, "settings.ini", error);
  if (status != COLLEGA_OK) return status;
  return config_write_template(path, node_settings, NODE_SETTING_COUNT, error);
}

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
  if (status == COLLEGA_OK) status = home_write_settings(init.home, error);
  if (status != COLLEGA_OK) return status;
  fingerprint_write(fingerprint, &party);
  struct desk desk = {.arguments = arguments, .language = argument_language(arguments)};
  if (argument_json(arguments))
    return json_print(document_new_home(&party, fingerprint, recovery), error);
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
  if (status == COLLEGA_OK && !*met &&
      party_token_refused(desk->exchange, exchange_host(desk->exchange), error))
    status = COLLEGA_REFUSED;
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
  const struct known_party *self =
      members_find(exchange_members(desk->exchange, desk->txn), &desk->party);
  const struct known_cert *cert =
      self ? known_party_cert(self, &id, node_clock_now(desk->home)) : NULL;
  char until[32] = "";
  if (cert) date_write(until, sizeof until, date_of_time(cert->valid_until));
  if (argument_json(desk->arguments)) {
    json_t *document = json_object(), *part = json_object();
    if (!document || !part || !json_put(part, "id", json_hex(id.byte, ID_BYTES)) ||
        !json_put(part, "name", json_string(broker->name)) ||
        !json_put(part, "fingerprint", json_string(theirs)) ||
        !json_put(document, "joined", json_true()) ||
        (cert && !json_put(document, "valid_until", json_time(cert->valid_until))) ||
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
  if (cert) say(desk, RULE_said_renewed, until, NULL);
  return COLLEGA_OK;
}

/* The token is used, or refused. */
static enum collega_status token_gone(struct desk *desk, void *context, bool *met,
                                      struct collega_error *error) {
  (void)context;
  (void)error;
  *met = !party_token_waits(desk->exchange, exchange_host(desk->exchange));
  return COLLEGA_OK;
}

/* The daemon beside us joins; the token was stored for it. */
static enum collega_status wait_for_daemon(struct desk *desk, CollegaStore__BrokerRow **broker,
                                           struct collega_error *error) {
  if (!*broker) return desk_wait(desk, joined, broker, error);
  if (!argument_value(desk->arguments, "wait")) return COLLEGA_OK;
  enum collega_status status = desk_wait(desk, token_gone, NULL, error);
  if (status == COLLEGA_OK &&
      party_token_refused(desk->exchange, exchange_host(desk->exchange), error))
    status = COLLEGA_REFUSED;
  return status;
}

static enum collega_status join_here(struct desk *desk, CollegaStore__BrokerRow **broker,
                                     int64_t wait_ms, struct collega_error *error) {
  /* One opening of the ledger a process: ours makes place for the daemon's loop. */
  exchange_close(&desk->exchange);
  struct daemon_options options = {desk->home, true, wait_ms};
  enum collega_status status = daemon_run(&options, error);
  if (status == COLLEGA_OK) status = exchange_open(desk->home, &desk->exchange, error);
  if (status == COLLEGA_OK) status = desk_read(desk, error);
  if (status == COLLEGA_OK) status = exchange_broker(desk->txn, desk->arena, broker, error);
  return status;
}

/* The same broker again renews the certificate. */
enum collega_status command_join(const struct arguments *arguments, struct collega_error *error) {
  return join_with(arguments, argument_at(arguments, 0), error);
}

enum collega_status join_with(const struct arguments *arguments, const char *token,
                              struct collega_error *error) {
  struct desk desk;
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  CollegaStore__BrokerRow *broker = NULL;
  int64_t seconds = 30;
  bool given = false;
  status = option_number(arguments, "wait", 0, 86400, &given, &seconds, error);
  if (status == COLLEGA_OK) status = exchange_broker(desk.txn, desk.arena, &broker, error);
  bool renews = broker != NULL, beside = false;
  desk_release(&desk);
  if (status == COLLEGA_OK) status = join_store_token(desk.exchange, token, error);
  if (status == COLLEGA_OK) {
    beside = run_lock_held(desk.home);
    status = beside ? wait_for_daemon(&desk, &broker, error)
                    : join_here(&desk, &broker, seconds * SECOND_MS, error);
  }
  bool stored = renews && beside && !given;
  if (status == COLLEGA_OK && broker && !stored) status = desk_read(&desk, error);
  if (status == COLLEGA_OK && broker && !stored) status = join_said(&desk, broker, error);
  if (status == COLLEGA_OK && (!broker || stored)) say(&desk, RULE_said_token_stored, NULL);
  desk_close(&desk);
  return status;
}

enum collega_status command_run(const struct arguments *arguments, struct collega_error *error) {
  struct daemon_options options = {0};
  enum collega_status status = argument_home(arguments, &options.home, error);
  return status == COLLEGA_OK ? daemon_run(&options, error) : status;
}

/* ---- status */

static void say_number(struct desk *desk, enum rule rule, uint64_t number) {
  char text[24];
  snprintf(text, sizeof text, "%" PRIu64, number);
  if (number) say(desk, rule, text, NULL);
}

/* "7:03:12": hours, minutes, seconds. */
static void write_span(char *out, size_t capacity, int64_t span) {
  snprintf(out, capacity, "%" PRId64 ":%02" PRId64 ":%02" PRId64, span / HOUR_MS,
           span % HOUR_MS / MINUTE_MS, span % MINUTE_MS / SECOND_MS);
}

#define CLOCK_TOLD_MS MINUTE_MS /* a difference that people care about */

/* What the last Welcome said of this machine's clock, where it is worth a line. */
static void print_clock(struct desk *desk, const struct node_clock *clock) {
  char one[32], other[32];
  int64_t ahead = -clock->difference;
  if (!clock->measured || (ahead < CLOCK_TOLD_MS && -ahead < CLOCK_TOLD_MS)) return;
  if (node_clock_wrong(clock)) {
    time_write_local(one, sizeof one, clock_now());
    time_write_local(other, sizeof other, clock_now() + clock->difference);
    say(desk, RULE_said_clocks_apart, one, other, NULL);
    return;
  }
  write_span(one, sizeof one, ahead > 0 ? ahead : -ahead);
  say(desk, ahead > 0 ? RULE_said_clock_ahead : RULE_said_clock_behind, one, NULL);
}

static void print_why(struct desk *desk, const struct node_facts *facts) {
  const struct party_facts *host = node_facts_host(facts);
  struct view view = desk_view(desk);
  say(desk, RULE_said_not_connected, NULL);
  if (facts->why == RULE_join_refused && host) {
    say(desk, RULE_said_join_refused, party_why_words(&view, host), NULL);
    say(desk, RULE_said_join_again, NULL);
  } else {
    say(desk, facts->why, NULL);
  }
}

/* How the node is, then what waits for whom, and what to type. */
static void print_status(struct desk *desk, const struct node_facts *facts) {
  char records[24], mail[24], entries[24], since[32];
  say(desk, RULE_said_node, facts->own->name, facts->own->kvk, hex_text(desk, desk->party.byte, 4),
      NULL);
  if (facts->why)
    print_why(desk, facts);
  else
    say(desk, RULE_said_connected, facts->broker->name, facts->state.broker_address, NULL);
  print_clock(desk, &facts->clock);
  if (facts->outbox.waiting) {
    snprintf(records, sizeof records, "%" PRIu64, facts->outbox.records);
    snprintf(mail, sizeof mail, "%" PRIu64, facts->outbox.mail);
    time_write_local(since, sizeof since, facts->outbox.oldest);
    say(desk, RULE_said_outbox, since, records, mail, NULL);
  } else {
    say(desk, RULE_said_outbox_empty, NULL);
  }
  say_number(desk, RULE_said_acts_wait, facts->waiting_acts);
  say_number(desk, RULE_said_answers_due, facts->due_us);
  say_number(desk, RULE_said_others_due, facts->due_other);
  say_number(desk, RULE_said_decisions_due, facts->due_decider);
  say_number(desk, RULE_said_outbox_refused, facts->outbox.refused);
  say_number(desk, RULE_said_lost_agreements, facts->lost_agreements);
  snprintf(entries, sizeof entries, "%" PRIu64, facts->head.number);
  say(desk, RULE_said_ledger, entries, hex_text(desk, facts->head.hash.byte, 8), NULL);
}

/* In a home of several. What waits for another than the one that asks is not in the lines above. */
static enum collega_status print_housemates(struct desk *desk, const struct node_facts *facts,
                                            struct collega_error *error) {
  if (facts->party_count < 2) return COLLEGA_OK;
  say(desk, RULE_said_parties, NULL);
  enum collega_status status = print_parties(desk, facts->parties, facts->party_count, error);
  for (size_t i = 0; i < facts->party_count; i++) {
    const struct party_facts *party = &facts->parties[i];
    char due[24];
    snprintf(due, sizeof due, "%" PRIu64, party->due_us);
    if (party->due_us && !id_equal(party->party, &desk->party))
      say(desk, RULE_said_party_answers_due, party->row->name, due, party->row->kvk, NULL);
  }
  return status;
}

/* A certificate that ends is not noticed otherwise before it has ended. */
static void print_certificates(struct desk *desk, const struct node_facts *facts) {
  struct view view = desk_view(desk);
  for (size_t i = 0; i < facts->party_count; i++) {
    const struct party_facts *party = &facts->parties[i];
    const char *until = party_until_words(&view, party),
               *next = party->row->host ? "join" : "party renew";
    switch (party->standing.renewal) {
    case RENEWAL_NONE:
      break;
    case RENEWAL_DUE:
      say(desk,
          party->standing.state == PARTY_LAPSED ? RULE_said_certificate_over
                                                : RULE_said_certificate_ends,
          party->row->name, party->row->kvk, until, next, NULL);
      break;
    case RENEWAL_WAITS:
      say(desk, RULE_said_renewal_waits, party->row->name, party->row->kvk, NULL);
      break;
    case RENEWAL_REFUSED:
      say(desk, RULE_said_renewal_refused, party->row->name, party->row->kvk,
          party_why_words(&view, party), NULL);
      break;
    }
  }
}

enum collega_status command_status(const struct arguments *arguments, struct collega_error *error) {
  struct desk desk;
  struct node_facts facts;
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  struct view view = desk_view(&desk);
  status = node_facts_read(&view, &facts, error);
  if (status == COLLEGA_OK && argument_json(arguments)) {
    status = json_print(document_status(&view, &facts), error);
  } else if (status == COLLEGA_OK) {
    print_status(&desk, &facts);
    print_certificates(&desk, &facts);
    status = print_housemates(&desk, &facts, error);
  }
  desk_close(&desk);
  return status;
}
