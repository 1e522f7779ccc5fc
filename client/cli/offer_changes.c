/* offer revise, pause, resume, filled, withdraw: what becomes of an offer of ours. */
#include <stdio.h>
#include <string.h>

#include "base/process/process.h"
#include "client/cli/publishing.h"
#include "proto/json.h"

void desk_warn_one_person(const struct desk *desk, const struct offer_inputs *inputs,
                          const bool *already) {
  for (size_t i = 0; i < inputs->count; ++i) {
    if ((already && already[i]) || !offer_points_at_one(inputs->input[i].offer)) continue;
    char place[32] = "", words[512];
    if (inputs->count > 1) snprintf(place, sizeof place, "[%zu]: ", i);
    words_render(desk->language, RULE_warn_points_at_one, NULL, 0, words, sizeof words);
    fprintf(stderr, "%s%s\n", place, words);
  }
}

/* The broker has everything: nothing waits in the outbox any more. */
static enum collega_status all_sent(struct desk *desk, void *context, bool *met,
                                    struct collega_error *error) {
  struct outbox_counts counts;
  (void)context;
  enum collega_status status = outbox_count(desk->txn, &counts, error);
  *met = status == COLLEGA_OK && counts.waiting == 0;
  return status;
}

static enum collega_status tell_offer(struct desk *desk, const struct short_id *id, enum rule words,
                                      uint32_t revision, struct collega_error *error) {
  CollegaStore__OfferRow *row = NULL;
  Collega__Offer *offer = NULL;
  enum collega_status status = desk_read(desk, error);
  if (status == COLLEGA_OK && argument_value(desk->arguments, "wait"))
    status = desk_wait(desk, all_sent, NULL, error);
  if (status == COLLEGA_OK) status = desk_offer_row(desk, id, &row, error);
  if (status == COLLEGA_OK && row->refused)
    return error_set(error, COLLEGA_REFUSED, rule_from_name(row->refused),
                     hex_text(desk, id->byte, 8), row->refused_words ? row->refused_words : "",
                     NULL);
  if (status == COLLEGA_OK) status = offer_of_row(row, desk->arena, &offer, error);
  if (status != COLLEGA_OK) return status;
  if (argument_json(desk->arguments)) {
    const char *state = offer_state_text(offer_state(row, offer, desk->now));
    return json_print(json_pack("{s:s, s:I, s:s}", "id", hex_text(desk, id->byte, SHORT_ID_BYTES),
                                "revision", (json_int_t)row->revision, "state", state),
                      error);
  }
  char number[16];
  snprintf(number, sizeof number, "%u", (unsigned)revision);
  say(desk, words, hex_text(desk, id->byte, 4), number, NULL);
  return COLLEGA_OK;
}

static enum collega_status change_state(const struct arguments *arguments,
                                        Collega__OfferState state, enum rule words,
                                        struct collega_error *error) {
  struct desk desk;
  struct short_id id;
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  status = desk_offer_id(&desk, argument_at(arguments, 0), &id, error);
  struct view view = desk_view(&desk);
  if (status == COLLEGA_OK) status = view_own_offer(&view, &id, error);
  desk_release(&desk);
  if (status == COLLEGA_OK)
    status = offer_set_state(desk.exchange, &desk.party, &id, state, desk.now, error);
  if (status == COLLEGA_OK) status = tell_offer(&desk, &id, words, 0, error);
  desk_close(&desk);
  return status;
}

enum collega_status command_offer_pause(const struct arguments *arguments,
                                        struct collega_error *error) {
  return change_state(arguments, COLLEGA__OFFER_STATE__OFFER_STATE_PAUSED, RULE_said_paused, error);
}

enum collega_status command_offer_resume(const struct arguments *arguments,
                                         struct collega_error *error) {
  return change_state(arguments, COLLEGA__OFFER_STATE__OFFER_STATE_OPEN, RULE_said_resumed, error);
}

enum collega_status command_offer_filled(const struct arguments *arguments,
                                         struct collega_error *error) {
  return change_state(arguments, COLLEGA__OFFER_STATE__OFFER_STATE_FILLED, RULE_said_filled, error);
}

enum collega_status command_offer_withdraw(const struct arguments *arguments,
                                           struct collega_error *error) {
  return change_state(arguments, COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN, RULE_said_withdrawn,
                      error);
}

enum collega_status command_offer_revise(const struct arguments *arguments,
                                         struct collega_error *error) {
  struct desk desk;
  struct short_id id;
  struct offer_input input;
  struct buffer text;
  struct occupation_guide *guide = NULL;
  json_t *json = NULL;
  uint32_t revision = 0;
  buffer_init(&text, 0); /* what file_read is not asked for must not be freed */
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  status = desk_offer_id(&desk, argument_at(arguments, 0), &id, error);
  struct view view = desk_view(&desk);
  if (status == COLLEGA_OK) status = view_own_offer(&view, &id, error);
  desk_release(&desk);
  if (status == COLLEGA_OK)
    status = file_read(argument_at(arguments, 1), OFFER_FILE_BYTES, &text, error);
  if (status == COLLEGA_OK) status = json_parse(bytes_of(text.data, text.length), &json, error);
  if (status == COLLEGA_OK) status = offer_input_take(&view, &guide, json, &input, error);
  occupation_guide_close(&guide);
  if (status == COLLEGA_OK) status = offer_input_place(&view, &input, error);
  if (status == COLLEGA_OK)
    status = offer_revise(desk.exchange, &desk.party, &id, &input, desk.now, &revision, error);
  if (status == COLLEGA_OK) {
    desk_warn_one_person(&desk, &(struct offer_inputs){&input, 1}, NULL);
    status = tell_offer(&desk, &id, RULE_said_revised, revision, error);
  }
  json_decref(json);
  buffer_free(&text);
  desk_close(&desk);
  return status;
}
