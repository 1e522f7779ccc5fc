/* invite, members, status, revoke: asked of the running broker, or done here when there is none. */
#include "broker/admin/invite.h"
#include "broker/admin/office.h"
#include "broker/admin/report.h"
#include "base/process/process.h"
#include "broker/daemon/control.h"
#include "broker/daemon/settings.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MEBIBYTE (1024 * 1024)

/* Asks the running broker. *asked false: it is down. Takes the question over. */
static enum collega_status ask_take(const char *home, json_t *question, bool *asked,
                                    json_t **answer, struct collega_error *error) {
  *answer = NULL;
  enum collega_status status = home_check(home, "broker", error);
  *asked = status == COLLEGA_OK && run_lock_held(home);
  if (*asked)
    status = question == NULL ? error_set(error, COLLEGA_SYSTEM, RULE_out_of_memory, NULL, NULL)
                              : control_ask(home, question, answer, error);
  json_decref(question);
  return status;
}

/* ---- reports */

/* The same report as the broker would give, read here. */
static enum collega_status report_here(const char *home, const char *command, json_t **answer,
                                       struct collega_error *error) {
  struct office office;
  struct store_txn *txn = NULL;
  enum collega_status status = office_open(home, &office, error);
  if (status == COLLEGA_OK) status = store_read(office.store, &txn, error);
  if (status == COLLEGA_OK)
    status = strcmp(command, "members") == 0
                 ? report_members(txn, clock_now(), answer, error)
                 : report_status(office.store, txn, clock_now(), answer, error);
  store_end(&txn);
  office_close(&office);
  return status;
}

static enum collega_status get_report(const struct arguments *arguments, const char *command,
                                      json_t **answer, struct collega_error *error) {
  const char *home;
  bool asked = false;
  *answer = NULL;
  enum collega_status status = argument_home(arguments, &home, error);
  if (status == COLLEGA_OK)
    status = ask_take(home, json_pack("{s:s}", "command", command), &asked, answer, error);
  if (status == COLLEGA_OK && !asked) status = report_here(home, command, answer, error);
  return status;
}

static const char *text_in(const json_t *object, const char *name) {
  const char *text = json_string_value(json_object_get(object, name));
  return text == NULL ? "" : text;
}

/* ---- invite */

static enum collega_status find_host(struct office *office, const char *host, struct id *out,
                                     struct collega_error *error) {
  struct store_txn *txn = NULL;
  if (host == NULL) return COLLEGA_OK;
  enum collega_status status = store_read(office->store, &txn, error);
  if (status == COLLEGA_OK) status = report_find_member(txn, host, out, error);
  store_end(&txn);
  return status;
}

/* *found keeps what the wish points into. */
static enum collega_status find_lost(struct office *office, const char *member,
                                     struct invite_wish *wish, json_t **found,
                                     struct collega_error *error) {
  struct store_txn *txn = NULL;
  if (member == NULL) return COLLEGA_OK;
  enum collega_status status = store_read(office->store, &txn, error);
  if (status == COLLEGA_OK) status = report_recovery(txn, member, found, error);
  store_end(&txn);
  if (status == COLLEGA_OK) invite_wish_recover(wish, *found);
  return status;
}

static enum collega_status invite_here(const char *home, struct invite_wish *wish, const char *host,
                                       const char *recover, json_t **answer,
                                       struct collega_error *error) {
  json_t *found = NULL;
  struct office office;
  struct arena *arena = arena_new(1024, 65536);
  char *addresses[INVITE_ADDRESSES], token[INVITATION_TEXT_BYTES];
  struct request *request = NULL;
  enum collega_status status = office_open(home, &office, error);
  if (status == COLLEGA_OK && arena == NULL)
    status = error_set(error, COLLEGA_SYSTEM, RULE_out_of_memory, NULL, NULL);
  if (status == COLLEGA_OK) status = find_host(&office, host, &wish->host, error);
  if (status == COLLEGA_OK) status = find_lost(&office, recover, wish, &found, error);
  if (status == COLLEGA_OK) {
    struct invite_broker broker = {office.identity, office.state.name, addresses, 0};
    struct collega_error why;
    broker.address_count =
        invite_addresses(config_text(office.config, SETTING_ADVERTISE),
                         config_text(office.config, SETTING_LISTEN), arena, addresses, &why);
    if (broker.address_count == 0) {
      *error = why;
      status = why.status;
    } else {
      status = invite_prepare(&broker, wish, clock_now(), token, &request, error);
    }
  }
  if (status == COLLEGA_OK) status = office_commit_take(&office, request, error);
  if (status == COLLEGA_OK)
    *answer = json_pack("{s:s,s:s,s:s}", "token", token, "name", wish->name, "kvk", wish->kvk);
  json_decref(found);
  office_close(&office);
  arena_destroy(&arena);
  return status;
}

static enum collega_status read_days(const char *text, int64_t *days, struct collega_error *error) {
  char *end;
  *days = 0;
  if (text == NULL) return COLLEGA_OK;
  errno = 0;
  *days = strtoll(text, &end, 10);
  if (errno == 0 && end != text && *end == '\0' && *days >= 1 && *days <= INVITE_DAYS_MOST)
    return COLLEGA_OK;
  return error_set(error, COLLEGA_INVALID, RULE_range, "days", "1", "365", NULL);
}

/* The employer in force that has this number already, NULL when there is none: a certificate goes to its party only. */
static enum collega_status find_namesake(const struct arguments *arguments,
                                         const struct invite_wish *wish, json_t **out,
                                         struct collega_error *error) {
  json_t *answer, *member;
  size_t i;
  *out = NULL;
  if (wish->role != COLLEGA__ROLE__ROLE_EMPLOYER) return COLLEGA_OK;
  enum collega_status status = get_report(arguments, "members", &answer, error);
  if (status != COLLEGA_OK) return status;
  json_array_foreach(json_object_get(answer, "members"), i, member) {
    if (json_is_true(json_object_get(member, "in_force")) &&
        strcmp(text_in(member, "role"), "employer") == 0 &&
        strcmp(text_in(member, "kvk"), wish->kvk) == 0)
      *out = json_incref(member);
  }
  json_decref(answer);
  return COLLEGA_OK;
}

/* On standard error: a script reads the token. */
static void warn_namesake(const struct arguments *arguments, const json_t *member) {
  const char *values[] = {text_in(member, "name"), text_in(member, "kvk"),
                          text_in(member, "fingerprint")};
  char text[512];
  words_render(argument_language(arguments), RULE_invite_kvk_taken, values, 3, text, sizeof text);
  terminal_print(stderr, "collega-broker: ", SENTENCE_INDENT, text);
}

static enum collega_status print_invitation(const struct arguments *arguments, json_t *answer,
                                            const json_t *namesake, struct collega_error *error) {
  const char *token = json_string_value(json_object_get(answer, "token"));
  if (namesake != NULL) json_object_set(answer, "renews", json_object_get(namesake, "fingerprint"));
  if (argument_json(arguments)) return json_print_take(json_incref(answer), error);
  if (namesake != NULL) warn_namesake(arguments, namesake);
  return token != NULL && printf("%s\n", token) > 0 ? COLLEGA_OK : error_output(error, errno);
}

enum collega_status command_invite(const struct arguments *arguments, struct collega_error *error) {
  const char *home, *role = argument_value(arguments, "role"),
                    *host = argument_value(arguments, "host");
  if (role == NULL) role = "employer";
  struct invite_wish wish = {.name = argument_value(arguments, "name"),
                             .kvk = argument_value(arguments, "kvk")};
  json_t *answer = NULL, *namesake = NULL;
  bool asked = false;
  enum collega_status status = argument_home(arguments, &home, error);
  const char *recover = argument_value(arguments, "recover");
  if (status == COLLEGA_OK && recover != NULL) {
    if (wish.name != NULL || wish.kvk != NULL || host != NULL || argument_value(arguments, "role"))
      status = error_set(error, COLLEGA_USAGE, RULE_recover_alone, "--recover", NULL);
    wish.name = wish.kvk = "";
  }
  if (status == COLLEGA_OK && (wish.name == NULL || wish.kvk == NULL))
    status = error_set(error, COLLEGA_USAGE, RULE_arguments_missing, NULL,
                       "--name NAME --kvk NUMBER", NULL);
  if (status == COLLEGA_OK && !role_read(role, &wish.role))
    status = error_set(error, COLLEGA_INVALID, RULE_role_unknown, "role", NULL);
  if (status == COLLEGA_OK)
    status = read_days(argument_value(arguments, "days"), &wish.days, error);
  if (status == COLLEGA_OK && recover == NULL)
    status = find_namesake(arguments, &wish, &namesake, error);
  if (status == COLLEGA_OK)
    status =
        ask_take(home,
                 json_pack("{s:s,s:s,s:s,s:s,s:I,s:s,s:s}", "command", "invite", "name", wish.name,
                           "kvk", wish.kvk, "role", role, "days", (json_int_t)wish.days, "host",
                           host == NULL ? "" : host, "recover", recover == NULL ? "" : recover),
                 &asked, &answer, error);
  if (status == COLLEGA_OK && !asked)
    status = invite_here(home, &wish, host, recover, &answer, error);
  if (status == COLLEGA_OK) status = print_invitation(arguments, answer, namesake, error);
  json_decref(answer);
  json_decref(namesake);
  return status;
}

/* ---- members and status */

static const char *words_of(const struct arguments *arguments, enum rule rule, char *out,
                            size_t capacity) {
  words_render(argument_language(arguments), rule, NULL, 0, out, capacity);
  return out;
}

/* The day, here, of a time in the answer. */
static void day_in(const json_t *object, const char *name, char *out, size_t capacity) {
  collega_time time;
  *out = '\0';
  if (time_read(text_in(object, name), &time)) date_write(out, capacity, date_of_time(time));
}

static void print_members(const struct arguments *arguments, const json_t *members) {
  char name[40], role[40], state[40], until[40], fingerprint[40];
  const char *headings[] = {
      words_of(arguments, RULE_label_name, name, sizeof name),
      "KvK",
      words_of(arguments, RULE_label_role, role, sizeof role),
      words_of(arguments, RULE_label_state, state, sizeof state),
      words_of(arguments, RULE_label_until, until, sizeof until),
      words_of(arguments, RULE_label_fingerprint, fingerprint, sizeof fingerprint)};
  struct table *table = table_new(6, headings, 0);
  struct arena *arena = arena_new(4096, 16u << 20);
  for (size_t i = 0; table != NULL && arena != NULL && i < json_array_size(members); i++) {
    const json_t *member = json_array_get(members, i);
    enum rule rule = json_is_true(json_object_get(member, "revoked"))    ? RULE_member_revoked
                     : json_is_true(json_object_get(member, "in_force")) ? RULE_member_in_force
                                                                         : RULE_member_lapsed;
    char words[40], role_words[40], role_rule[40], day[sizeof "2027-01-31"];
    day_in(member, "certified_until", day, sizeof day);
    snprintf(role_rule, sizeof role_rule, "role_%s", text_in(member, "role"));
    const char *cells[] = {
        terminal_safe(arena, text_in(member, "name")),
        text_in(member, "kvk"),
        words_of(arguments, rule_from_name(role_rule), role_words, sizeof role_words),
        words_of(arguments, rule, words, sizeof words),
        day,
        text_in(member, "fingerprint")};
    table_row(table, cells);
  }
  if (table != NULL) table_print(table, stdout);
  table_destroy(&table);
  arena_destroy(&arena);
}

enum collega_status command_members(const struct arguments *arguments,
                                    struct collega_error *error) {
  json_t *answer;
  enum collega_status status = get_report(arguments, "members", &answer, error);
  if (status != COLLEGA_OK) return status;
  if (argument_json(arguments)) return json_print_take(answer, error);
  print_members(arguments, json_object_get(answer, "members"));
  json_decref(answer);
  return COLLEGA_OK;
}

static const char *number_in(const json_t *object, const char *name, json_int_t divisor,
                             char out[24]) {
  snprintf(out, 24, "%" JSON_INTEGER_FORMAT,
           json_integer_value(json_object_get(object, name)) / divisor);
  return out;
}

static void print_status(const struct arguments *arguments, const json_t *status) {
  const json_t *broker = json_object_get(status, "broker"),
               *running = json_object_get(status, "running");
  const json_t *store = json_object_get(status, "store");
  char a[24], b[24], c[24];
  say(arguments, RULE_broker_status, text_in(broker, "name"), text_in(broker, "fingerprint"), NULL);
  if (running == NULL)
    say(arguments, RULE_broker_status_down, NULL);
  else
    say(arguments, RULE_broker_status_up, text_in(running, "endpoint"), text_in(running, "http"),
        number_in(running, "sessions", 1, a), number_in(running, "uptime_seconds", 1, b), NULL);
  say(arguments, RULE_broker_status_log, number_in(status, "members", 1, a),
      number_in(json_object_get(status, "log"), "seq", 1, b),
      number_in(json_object_get(status, "mailboxes"), "waiting_bytes", 1, c), NULL);
  if (json_integer_value(json_object_get(status, "certificates_ending")) > 0)
    say(arguments, RULE_broker_status_ending, number_in(status, "certificates_ending", 1, a), NULL);
  say(arguments, RULE_broker_status_store, number_in(store, "used", MEBIBYTE, a),
      number_in(store, "map", MEBIBYTE, b), number_in(store, "free", MEBIBYTE, c), NULL);
}

enum collega_status command_status(const struct arguments *arguments, struct collega_error *error) {
  json_t *answer;
  enum collega_status status = get_report(arguments, "status", &answer, error);
  if (status != COLLEGA_OK) return status;
  if (argument_json(arguments)) return json_print_take(answer, error);
  print_status(arguments, answer);
  json_decref(answer);
  return COLLEGA_OK;
}

/* ---- revoke */

static enum collega_status revoke_here(const char *home, const char *member, const char *reason,
                                       struct collega_error *error) {
  struct office office;
  struct store_txn *txn = NULL;
  struct id party;
  enum collega_status status = office_open(home, &office, error);
  if (status == COLLEGA_OK) status = store_read(office.store, &txn, error);
  if (status == COLLEGA_OK) status = report_find_member(txn, member, &party, error);
  store_end(&txn);
  if (status == COLLEGA_OK)
    status = office_commit_take(&office, revoke_request(&party, reason), error);
  office_close(&office);
  return status;
}

enum collega_status command_revoke(const struct arguments *arguments, struct collega_error *error) {
  const char *home, *member = argument_at(arguments, 0),
                    *reason = argument_value(arguments, "reason");
  if (reason == NULL) reason = "";
  json_t *answer = NULL;
  bool asked = false;
  enum collega_status status = argument_home(arguments, &home, error);
  if (status == COLLEGA_OK && strlen(reason) >= 240)
    status = error_set(error, COLLEGA_INVALID, RULE_too_long, "reason", "239", NULL);
  if (status == COLLEGA_OK)
    status = ask_take(
        home, json_pack("{s:s,s:s,s:s}", "command", "revoke", "member", member, "reason", reason),
        &asked, &answer, error);
  json_decref(answer);
  if (status == COLLEGA_OK && !asked) status = revoke_here(home, member, reason, error);
  if (status != COLLEGA_OK) return status;
  if (argument_json(arguments))
    return json_print_take(json_pack("{s:s}", "revoked", member), error);
  say(arguments, RULE_broker_revoked, member, NULL);
  return COLLEGA_OK;
}
