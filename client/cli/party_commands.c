/* party add, renew, list: the employers that a network's node hosts. */
#include <string.h>

#include "base/process/process.h"
#include "client/cli/common.h"
#include "client/daemon/daemon.h"

#define JOIN_SECONDS 30

/* ---- add */

struct adding {
  struct party_init init;
  const char *token;
  int64_t seconds; /* to wait for the broker */
  struct id party;
  char recovery[RECOVERY_TEXT_BYTES];
  bool made;
};

static enum collega_status read_options(const struct arguments *arguments, struct adding *adding,
                                        struct collega_error *error) {
  static const char *const required[] = {"name", "kvk", "invitation"};
  bool given;
  for (size_t i = 0; i < sizeof required / sizeof required[0]; i++) {
    char option[32];
    if (argument_value(arguments, required[i])) continue;
    snprintf(option, sizeof option, "--%s", required[i]);
    return error_set(error, COLLEGA_USAGE, RULE_option_missing, option, NULL);
  }
  adding->init = (struct party_init){.name = argument_value(arguments, "name"),
                                     .kvk = argument_value(arguments, "kvk"),
                                     .signatory = argument_value(arguments, "signatory"),
                                     .function = argument_value(arguments, "function")};
  adding->token = argument_value(arguments, "invitation");
  adding->seconds = JOIN_SECONDS;
  return option_number(arguments, "wait", 0, 86400, &given, &adding->seconds, error);
}

static enum collega_status answered(struct desk *desk, void *context, bool *met,
                                    struct collega_error *error) {
  const struct adding *adding = context;
  struct party_standing standing;
  enum collega_status status = party_standing(desk->exchange, desk->txn, &adding->party, desk->now,
                                              desk->arena, &standing, error);
  *met = standing.state == PARTY_CERTIFIED && standing.renewal != RENEWAL_WAITS;
  if (status != COLLEGA_OK ||
      (standing.state != PARTY_REFUSED && standing.renewal != RENEWAL_REFUSED))
    return status;
  *error = standing.why;
  return standing.why.status;
}

/* By the daemon beside us; where none runs, by ourselves, as `join` does. */
static enum collega_status certify(struct desk *desk, struct adding *adding, bool *certified,
                                   struct collega_error *error) {
  *certified = false;
  if (run_lock_held(desk->home)) {
    if (!argument_value(desk->arguments, "wait")) return COLLEGA_OK;
    enum collega_status status = desk_wait(desk, answered, adding, error);
    *certified = status == COLLEGA_OK;
    return status;
  }
  /* One opening of the ledger a process: ours makes place for the daemon's loop. */
  exchange_close(&desk->exchange);
  struct daemon_options options = {desk->home, true, adding->seconds * SECOND_MS};
  enum collega_status status = daemon_run(&options, error);
  struct collega_error reopened;
  enum collega_status again = exchange_open(desk->home, &desk->exchange, &reopened);
  if (status != COLLEGA_OK) return status;
  if (again != COLLEGA_OK) {
    *error = reopened;
    return again;
  }
  status = desk_read(desk, error);
  return status == COLLEGA_OK ? answered(desk, adding, certified, error) : status;
}

static void tell_made(struct desk *desk, const struct adding *adding) {
  char fingerprint[FINGERPRINT_BYTES];
  fingerprint_write(fingerprint, &adding->party);
  say(desk, adding->made ? RULE_said_party_made : RULE_said_party_again, adding->init.name,
      adding->init.kvk, NULL);
  say(desk, RULE_said_fingerprint, fingerprint, NULL);
  if (!adding->made) return;
  say(desk, RULE_said_recovery, adding->recovery, NULL);
  if (!adding->init.signatory) say(desk, RULE_said_no_mandate, NULL);
}

static enum collega_status print_made(const struct adding *adding, bool certified,
                                      struct collega_error *error) {
  char fingerprint[FINGERPRINT_BYTES];
  fingerprint_write(fingerprint, &adding->party);
  json_t *document = json_object();
  bool ok = document && json_put(document, "id", json_hex(adding->party.byte, ID_BYTES)) &&
            json_put(document, "fingerprint", json_string(fingerprint)) &&
            json_put(document, "certified", json_boolean(certified)) &&
            (!adding->made || json_put(document, "recovery_key", json_string(adding->recovery)));
  if (ok) return json_print(document, error);
  json_decref(document);
  return json_print(NULL, error);
}

enum collega_status command_party_add(const struct arguments *arguments,
                                      struct collega_error *error) {
  struct desk desk;
  struct adding adding = {.made = false};
  bool certified = false, json = argument_json(arguments);
  enum collega_status status = read_options(arguments, &adding, error);
  if (status == COLLEGA_OK) status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  desk_release(&desk);
  status = party_add(desk.exchange, &adding.init, adding.token, desk.now, &adding.party,
                     adding.recovery, &adding.made, error);
  if (status == COLLEGA_OK) {
    /* The recovery key is shown once, and now: whatever the broker says, the party is there. */
    if (!json) tell_made(&desk, &adding);
    fflush(stdout);
    status = certify(&desk, &adding, &certified, error);
    struct collega_error unprinted;
    enum collega_status printed = json ? print_made(&adding, certified, &unprinted) : COLLEGA_OK;
    if (status == COLLEGA_OK && printed != COLLEGA_OK) {
      *error = unprinted;
      status = printed;
    }
    if (status == COLLEGA_OK && !json)
      say(&desk, certified ? RULE_said_party_certified : RULE_said_party_waits, NULL);
  }
  desk_close(&desk);
  return status;
}

/* ---- renew */

static enum collega_status renewed_said(struct desk *desk, const struct adding *adding,
                                        bool certified, struct collega_error *error) {
  struct party_standing standing;
  char until[32] = "";
  enum collega_status status = desk_read(desk, error);
  if (status == COLLEGA_OK)
    status = party_standing(desk->exchange, desk->txn, &adding->party, desk->now, desk->arena,
                            &standing, error);
  if (status != COLLEGA_OK) return status;
  if (argument_json(desk->arguments)) {
    json_t *document = json_object();
    if (document && (!json_put(document, "id", json_hex(adding->party.byte, ID_BYTES)) ||
                     !json_put(document, "renewed", json_boolean(certified)) ||
                     !json_put(document, "valid_until", json_time(standing.valid_until)))) {
      json_decref(document);
      document = NULL;
    }
    return json_print(document, error);
  }
  if (standing.valid_until) date_write(until, sizeof until, date_of_time(standing.valid_until));
  if (certified)
    say(desk, RULE_said_renewed, until, NULL);
  else
    say(desk, RULE_said_party_waits, NULL);
  return COLLEGA_OK;
}

enum collega_status command_party_renew(const struct arguments *arguments,
                                        struct collega_error *error) {
  struct desk desk;
  struct adding adding = {.seconds = JOIN_SECONDS};
  bool given, certified = false;
  enum collega_status status =
      option_number(arguments, "wait", 0, 86400, &given, &adding.seconds, error);
  if (status == COLLEGA_OK) status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  struct id wanted = desk.party;
  desk_release(&desk);
  status = party_renew(desk.exchange, argument_value(arguments, "as") ? &wanted : NULL,
                       argument_at(arguments, 0), &adding.party, error);
  if (status == COLLEGA_OK) status = certify(&desk, &adding, &certified, error);
  if (status == COLLEGA_OK) status = renewed_said(&desk, &adding, certified, error);
  desk_close(&desk);
  return status;
}

/* ---- list */

static void add_row(struct desk *desk, struct table *table, const struct party_facts *party) {
  struct view view = desk_view(desk);
  char host[32] = "";
  if (party->row->host)
    words_render(desk->language, RULE_party_is_host, NULL, 0, host, sizeof host);
  const char *cells[] = {hex_text(desk, party->party->byte, 4),
                         safe(desk, party->row->name),
                         safe(desk, party->row->kvk),
                         host,
                         party_state_words(&view, party),
                         party_until_words(&view, party),
                         safe(desk, party_why_words(&view, party))};
  table_row(table, cells);
}

enum collega_status print_parties(struct desk *desk, const struct party_facts *parties,
                                  size_t count, struct collega_error *error) {
  static const char *const dutch[] = {"id",    "werkgever",  "KvK",   "",
                                      "staat", "geldig tot", "waarom"};
  static const char *const english[] = {"id", "employer", "KvK", "", "state", "valid until", "why"};
  struct table *table = table_new(7, desk->language == LANGUAGE_NL ? dutch : english, 0);
  if (!table) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  for (size_t i = 0; i < count; i++)
    add_row(desk, table, &parties[i]);
  table_print(table, stdout);
  table_destroy(&table);
  return COLLEGA_OK;
}

static enum collega_status print_documents(struct desk *desk, const struct party_facts *parties,
                                           size_t count, struct collega_error *error) {
  struct view view = desk_view(desk);
  json_t *list = json_array();
  for (size_t i = 0; list && i < count; i++)
    list = json_add(list, document_party(&view, &parties[i]));
  return json_print_list("parties", list, error);
}

enum collega_status command_party_list(const struct arguments *arguments,
                                       struct collega_error *error) {
  struct desk desk;
  struct party_facts *parties = NULL;
  size_t count = 0;
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  struct view view = desk_view(&desk);
  status = parties_read(&view, &parties, &count, error);
  if (status == COLLEGA_OK)
    status = argument_json(arguments) ? print_documents(&desk, parties, count, error)
                                      : print_parties(&desk, parties, count, error);
  desk_close(&desk);
  return status;
}
