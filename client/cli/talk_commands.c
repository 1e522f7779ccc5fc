/* match interest, match decline, deal talk: what binds nobody. */
#include <string.h>

#include "client/cli/deals.h"
#include "proto/json.h"

/* ---- sending */

/* Until the broker has stored it, or will not. */
static enum collega_status has_left(struct desk *desk, void *context, bool *met,
                                    struct collega_error *error) {
  CollegaStore__OutboxItem *item = NULL;
  enum collega_status status = outbox_find(desk->txn, context, desk->arena, &item, error);
  *met = status == COLLEGA_NOT_FOUND || (status == COLLEGA_OK && item->refused);
  return status == COLLEGA_NOT_FOUND ? COLLEGA_OK : status;
}

static enum collega_status wait_sent(struct desk *desk, struct id *envelope,
                                     struct collega_error *error) {
  if (id_is_zero(envelope) || !argument_value(desk->arguments, "wait")) return COLLEGA_OK;
  return desk_wait(desk, has_left, envelope, error);
}

static enum collega_status told_state(struct desk *desk, const struct id *match, enum rule said,
                                      struct collega_error *error) {
  const char *state = NULL;
  bool mine = false;
  if (!argument_json(desk->arguments)) {
    say(desk, said, hex_text(desk, match->byte, 4), NULL);
    return COLLEGA_OK;
  }
  enum collega_status status = desk_read(desk, error);
  if (status == COLLEGA_OK)
    status =
        match_state(desk->txn, &desk->party, match, desk->now, desk->arena, &state, &mine, error);
  if (status != COLLEGA_OK) return status;
  json_t *out = json_object();
  bool ok = out && json_put(out, "id", json_hex(match->byte, ID_BYTES)) &&
            json_put(out, "state", json_string(state)) && json_put(out, "mine", json_boolean(mine));
  if (ok) return json_print(out, error);
  json_decref(out);
  return json_print(NULL, error);
}

static enum collega_status about_match(const struct arguments *arguments, bool interest,
                                       struct collega_error *error) {
  struct desk desk;
  struct id match, envelope;
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  status = desk_match_id(&desk, argument_at(arguments, 0), &match, error);
  desk_release(&desk);
  if (status == COLLEGA_OK)
    status = interest
                 ? match_interest(desk.exchange, &desk.party, &match,
                                  argument_value(arguments, "message"), desk.now, &envelope, error)
                 : match_decline(desk.exchange, &desk.party, &match, desk.now, &envelope, error);
  if (status == COLLEGA_OK) status = wait_sent(&desk, &envelope, error);
  if (status == COLLEGA_OK)
    status =
        told_state(&desk, &match, interest ? RULE_said_interest : RULE_said_match_declined, error);
  desk_close(&desk);
  return status;
}

enum collega_status command_match_interest(const struct arguments *arguments,
                                           struct collega_error *error) {
  return about_match(arguments, true, error);
}

enum collega_status command_match_decline(const struct arguments *arguments,
                                          struct collega_error *error) {
  return about_match(arguments, false, error);
}

/* ---- showing */

struct telling {
  struct desk *desk;
  const char *other;
  json_t *list; /* NULL: as text */
  bool failed, any;
};

static const char *line_kind(const struct talk_line *line) {
  if (line->talk) return "talk";
  return line->interest->declined ? "declined" : "interest";
}

static json_t *line_json(const struct talk_line *line) {
  const char *text = line->talk ? line->talk->text : line->interest->text;
  json_t *out = json_object();
  bool ok = out && json_put(out, "time", json_time(line->time)) &&
            json_put(out, "mine", json_boolean(line->mine)) &&
            json_put(out, "kind", json_string(line_kind(line)));
  if (ok && text) ok = json_put(out, "text", json_string(text));
  if (ok && line->talk && line->talk->draft)
    ok = json_put(out, "draft", json_from_message(&line->talk->draft->base));
  if (ok) return out;
  json_decref(out);
  return NULL;
}

static void print_line(struct telling *telling, const struct talk_line *line) {
  struct desk *desk = telling->desk;
  const char *text = line->talk ? line->talk->text : line->interest->text;
  char time[40];
  time_write(time, sizeof time, line->time);
  const char *who = line->mine ? (desk->language == LANGUAGE_NL ? "wij" : "we") : telling->other;
  enum rule rule = line->talk                 ? RULE_said_talk_line
                   : line->interest->declined ? RULE_said_talk_declined
                                              : RULE_said_talk_interest;
  say(desk, rule, time, who, text ? text : "", NULL);
  if (!line->talk || !line->talk->draft) return;
  json_t *draft = json_from_message(&line->talk->draft->base);
  char *dump = draft ? json_dumps(draft, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
  if (dump) say(desk, RULE_said_talk_draft, dump, NULL);
  telling->failed = !dump;
  free(dump);
  json_decref(draft);
}

static bool tell_line(void *context, const struct talk_line *line) {
  struct telling *telling = context;
  telling->any = true;
  if (!telling->list) {
    print_line(telling, line);
    return !telling->failed;
  }
  telling->list = json_add(telling->list, line_json(line));
  telling->failed = telling->list == NULL;
  return !telling->failed;
}

static enum collega_status show_talk(struct desk *desk, const struct id *thread,
                                     struct collega_error *error) {
  struct id counterparty;
  const char *state = NULL;
  bool mine = false;
  struct telling telling = {.desk = desk, .other = ""};
  enum collega_status status = desk_read(desk, error);
  if (status == COLLEGA_OK)
    status = talk_counterparty(desk->txn, &desk->party, thread, desk->arena, &counterparty, error);
  bool begun = status == COLLEGA_OK;
  if (status == COLLEGA_NOT_FOUND) status = COLLEGA_OK;
  if (status == COLLEGA_OK)
    status =
        match_state(desk->txn, &desk->party, thread, desk->now, desk->arena, &state, &mine, error);
  if (status != COLLEGA_OK) return status;
  if (begun) telling.other = party_name(desk, &counterparty);
  bool json = argument_json(desk->arguments);
  if (json) telling.list = json_array();
  status = talk_each(desk->txn, &desk->party, thread, desk->arena, tell_line, &telling, error);
  if (status == COLLEGA_OK && telling.failed)
    status = error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  if (status == COLLEGA_OK && !json && !telling.any) say(desk, RULE_said_no_talk, NULL);
  if (status != COLLEGA_OK || !json) {
    json_decref(telling.list);
    return status;
  }
  json_t *out = json_object();
  bool ok = out && json_put(out, "thread", json_hex(thread->byte, ID_BYTES)) &&
            json_put(out, "state", json_string(state)) &&
            (!begun || json_put(out, "counterparty", json_party(desk, &counterparty)));
  if (ok) ok = json_object_set(out, "messages", telling.list) == 0;
  json_decref(telling.list);
  if (ok) return json_print(out, error);
  json_decref(out);
  return json_print(NULL, error);
}

/* A deal, a match, or a talk that outlived its match. */
static enum collega_status thread_argument(struct desk *desk, const char *typed, struct id *thread,
                                           struct collega_error *error) {
  struct id deal;
  enum collega_status status = desk_deal_id(desk, typed, &deal, error);
  if (status == COLLEGA_OK) return desk_deal_thread(desk, &deal, thread, error);
  if (status == COLLEGA_NOT_FOUND) status = desk_match_id(desk, typed, thread, error);
  if (status == COLLEGA_NOT_FOUND)
    status = table_find_prefix(desk->txn, TABLE_THREADS, bytes_of(desk->party.byte, ID_BYTES),
                               typed, thread->byte, ID_BYTES, error);
  return status;
}

enum collega_status command_deal_talk(const struct arguments *arguments,
                                      struct collega_error *error) {
  struct desk desk;
  struct id thread, envelope;
  Collega__Terms *draft = NULL;
  const char *text = argument_value(arguments, "message");
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  status = thread_argument(&desk, argument_at(arguments, 0), &thread, error);
  if (status == COLLEGA_OK) status = desk_terms_option(&desk, &draft, error);
  desk_release(&desk);
  if (status == COLLEGA_OK && (text || draft)) {
    status =
        talk_send(desk.exchange, &desk.party, &thread, text, draft, desk.now, &envelope, error);
    if (status == COLLEGA_OK) status = wait_sent(&desk, &envelope, error);
    if (status == COLLEGA_OK && !argument_json(arguments)) say(&desk, RULE_said_talk_sent, NULL);
    if (status == COLLEGA_OK && argument_json(arguments)) status = show_talk(&desk, &thread, error);
  } else if (status == COLLEGA_OK) {
    status = show_talk(&desk, &thread, error);
  }
  desk_close(&desk);
  return status;
}
