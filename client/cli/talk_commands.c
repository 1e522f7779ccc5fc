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
  bool failed, any;
};

static bool print_line(void *context, const struct talk_line *line) {
  struct telling *telling = context;
  struct desk *desk = telling->desk;
  const char *text = line->talk ? line->talk->text : line->interest->text;
  char time[40];
  telling->any = true;
  time_write_local(time, sizeof time, line->time);
  const char *who = line->mine ? (desk->language == LANGUAGE_NL ? "wij" : "we") : telling->other;
  enum rule rule = line->talk                 ? RULE_said_talk_line
                   : line->interest->declined ? RULE_said_talk_declined
                                              : RULE_said_talk_interest;
  if (line->erased && !text) text = row_words(desk, rule_name(RULE_said_erased_line), NULL, 0);
  say(desk, rule, time, who, text ? text : "", NULL);
  if (!line->talk || !line->talk->draft) return true;
  json_t *draft = json_from_message(&line->talk->draft->base);
  char *dump = draft ? json_dumps(draft, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
  if (dump) say(desk, RULE_said_talk_draft, dump, NULL);
  telling->failed = !dump;
  free(dump);
  json_decref(draft);
  return !telling->failed;
}

static enum collega_status print_talk(struct desk *desk, const struct id *thread,
                                      struct collega_error *error) {
  struct id counterparty;
  struct telling telling = {.desk = desk, .other = ""};
  enum collega_status status =
      talk_counterparty(desk->txn, &desk->party, thread, desk->arena, &counterparty, error);
  if (status == COLLEGA_OK) telling.other = party_name(desk, &counterparty);
  if (status == COLLEGA_OK || status == COLLEGA_NOT_FOUND) /* nobody has begun it */
    status = talk_each(desk->txn, &desk->party, thread, desk->arena, print_line, &telling, error);
  if (status == COLLEGA_OK && telling.failed)
    status = error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  if (status == COLLEGA_OK && !telling.any) say(desk, RULE_said_no_talk, NULL);
  return status;
}

static enum collega_status show_talk(struct desk *desk, const struct id *thread,
                                     struct collega_error *error) {
  json_t *document = NULL;
  enum collega_status status = desk_read(desk, error);
  if (status == COLLEGA_OK && !argument_json(desk->arguments))
    return print_talk(desk, thread, error);
  struct view view = desk_view(desk);
  if (status == COLLEGA_OK) status = document_talk(&view, thread, &document, error);
  return status == COLLEGA_OK ? json_print(document, error) : status;
}

enum collega_status command_deal_talk(const struct arguments *arguments,
                                      struct collega_error *error) {
  struct desk desk;
  struct id thread, envelope;
  Collega__Terms *draft = NULL;
  const char *text = argument_value(arguments, "message");
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  struct view view = desk_view(&desk);
  status = view_thread_id(&view, argument_at(arguments, 0), &thread, error);
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
