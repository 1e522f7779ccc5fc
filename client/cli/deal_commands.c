/* deal propose, accept, decline, withdraw. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/process/process.h"
#include "client/cli/deals.h"
#include "client/exchange/deal_machine.h"
#include "proto/guard.h"
#include "proto/json.h"

#define TERMS_FILE_BYTES (1024u * 1024u)

enum collega_status desk_deal_terms(struct desk *desk, const CollegaStore__DealRow *row,
                                    Collega__Terms **out, struct collega_error *error) {
  struct view view = desk_view(desk);
  return view_terms(&view, row, out, error);
}

json_t *desk_deal_json(struct desk *desk, const CollegaStore__DealRow *row) {
  struct view view = desk_view(desk);
  return document_deal(&view, row);
}

/* ---- waiting for what became of it */

struct awaited {
  struct id party, deal;
  bool only_decided;  /* whatever was not signed meanwhile */
  bool until_decided; /* else until it has left: no act waits and nothing of it is in the outbox */
};

static bool outbox_visit_deal(void *context, const CollegaStore__OutboxItem *item) {
  struct awaited *awaited = ((void **)context)[0];
  bool *waiting = ((void **)context)[1];
  if (item->has_deal &&
      bytes_equal(bytes_of(item->deal.data, item->deal.len),
                  bytes_of(awaited->deal.byte, ID_BYTES)) &&
      bytes_equal(bytes_of(item->party.data, item->party.len),
                  bytes_of(awaited->party.byte, ID_BYTES)))
    *waiting = true;
  return !*waiting;
}

static enum collega_status deal_moved(struct desk *desk, void *context, bool *met,
                                      struct collega_error *error) {
  struct awaited *awaited = context;
  CollegaStore__DealRow *row = NULL;
  enum collega_status status = desk_deal_row(desk, &awaited->deal, &row, error);
  if (status != COLLEGA_OK) return status;
  bool open = row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_DRAFT ||
              row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_PROPOSED ||
              row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_RECEIVED ||
              row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_PENDING;
  bool not_signed = row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_RECEIVED && row->why;
  *met = !open || (not_signed && !awaited->only_decided);
  if (*met || awaited->until_decided || row->has_act) return COLLEGA_OK;
  bool waiting = false;
  void *pair[2] = {awaited, &waiting};
  status = outbox_each(desk->txn, 0, desk->arena, outbox_visit_deal, pair, error);
  *met = status == COLLEGA_OK && !waiting;
  return status;
}

enum collega_status desk_wait_decided(struct desk *desk, const struct id *deal,
                                      struct collega_error *error) {
  struct awaited awaited = {
      .party = desk->party, .deal = *deal, .only_decided = true, .until_decided = true};
  return argument_value(desk->arguments, "wait") ? desk_wait(desk, deal_moved, &awaited, error)
                                                 : COLLEGA_OK;
}

enum collega_status desk_act_done(struct desk *desk, const struct id *deal, bool until_decided,
                                  enum rule said, struct collega_error *error) {
  struct awaited awaited = {.party = desk->party, .deal = *deal, .until_decided = until_decided};
  enum collega_status status = COLLEGA_OK;
  if (argument_value(desk->arguments, "wait"))
    status = desk_wait(desk, deal_moved, &awaited, error);
  return status == COLLEGA_OK ? desk_act_told(desk, deal, said, error) : status;
}

enum collega_status desk_act_told(struct desk *desk, const struct id *deal, enum rule said,
                                  struct collega_error *error) {
  CollegaStore__DealRow *row = NULL;
  Collega__Terms *terms = NULL;
  bool json = argument_json(desk->arguments),
       waited = argument_value(desk->arguments, "wait") != NULL;
  if (!json && !said) return COLLEGA_OK;
  if (!json && !waited) {
    say(desk, said, hex_text(desk, deal->byte, 4), NULL);
    return COLLEGA_OK;
  }
  enum collega_status status = desk_read(desk, error);
  if (status == COLLEGA_OK) status = desk_deal_row(desk, deal, &row, error);
  if (status == COLLEGA_OK && waited && row->why && !row->has_act &&
      row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_RECEIVED)
    return error_set(error, COLLEGA_REFUSED, rule_from_name(row->why), NULL, NULL);
  if (status == COLLEGA_OK && json) return json_print(desk_deal_json(desk, row), error);
  if (status == COLLEGA_OK) status = desk_deal_terms(desk, row, &terms, error);
  if (status == COLLEGA_OK)
    say(desk, RULE_said_deal_state, hex_text(desk, deal->byte, 4),
        state_text(desk, deal_state_name(row, terms, date_of_time(desk->now))), NULL);
  return status;
}

/* ---- propose */

enum collega_status desk_mandate_option(struct desk *desk, struct id *mandate,
                                        const struct id **out, struct collega_error *error) {
  const char *typed = argument_value(desk->arguments, "mandate");
  *out = NULL;
  if (!typed) return COLLEGA_OK;
  struct view view = desk_view(desk);
  enum collega_status status = view_mandate_id(&view, typed, mandate, error);
  if (status == COLLEGA_INVALID)
    return error_set(error, COLLEGA_USAGE, RULE_id_malformed, "--mandate", typed, NULL);
  if (status != COLLEGA_OK) error_prefix(error, "--mandate");
  if (status == COLLEGA_OK) *out = mandate;
  return status;
}

enum collega_status desk_terms_option(struct desk *desk, Collega__Terms **out,
                                      struct collega_error *error) {
  const char *file = argument_value(desk->arguments, "terms");
  *out = NULL;
  if (!file) return COLLEGA_OK;
  struct buffer text;
  json_t *json = NULL;
  ProtobufCMessage *terms = NULL;
  buffer_init(&text, TERMS_FILE_BYTES + 1);
  enum collega_status status = file_read(file, TERMS_FILE_BYTES, &text, error);
  if (status == COLLEGA_OK) status = json_parse(bytes_of(text.data, text.length), &json, error);
  if (status == COLLEGA_OK)
    status = json_to_message(json, &collega__terms__descriptor, NULL, desk->arena, &terms, error);
  json_decref(json);
  buffer_free(&text);
  *out = (Collega__Terms *)terms;
  return status;
}

enum collega_status desk_read_proposal(struct desk *desk, struct proposal *proposal,
                                       struct collega_error *error) {
  const struct arguments *arguments = desk->arguments;
  bool given = false;
  int64_t number = 0;
  Collega__Terms *terms = NULL;
  enum collega_status status =
      option_number(arguments, "headcount", 1, 10000, &given, &number, error);
  if (given) proposal->headcount = (uint32_t)number;
  if (status == COLLEGA_OK)
    status = option_number(arguments, "hours", 1, 60, &given, &number, error);
  if (status == COLLEGA_OK && given) proposal->hours_per_week = (uint32_t)number;
  if (status == COLLEGA_OK)
    status = option_date(arguments, "from", &proposal->has_from, &proposal->from, error);
  if (status == COLLEGA_OK)
    status = option_date(arguments, "until", &proposal->has_until, &proposal->until, error);
  if (status == COLLEGA_OK)
    status = option_money(arguments, "rate", &proposal->has_rate, &proposal->rate_cents, error);
  if (status == COLLEGA_OK)
    status = option_time(arguments, "accept-by", &given, &proposal->accept_by, error);
  if (status == COLLEGA_OK) status = desk_terms_option(desk, &terms, error);
  proposal->terms = terms;
  return status;
}

enum collega_status command_deal_propose(const struct arguments *arguments,
                                         struct collega_error *error) {
  struct desk desk;
  struct proposal proposal = {0};
  struct id match, deal, mandate;
  struct short_id offer;
  const char *to = argument_value(arguments, "to");
  if ((argument_count(arguments) == 1) == (to != NULL))
    return error_set(error, COLLEGA_USAGE, RULE_propose_to_what, NULL, NULL);
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  status = desk_read_proposal(&desk, &proposal, error); /* usage before look-ups */
  if (status == COLLEGA_OK && to) {
    status = desk_offer_id(&desk, to, &offer, error);
    proposal.to_offer = &offer;
  } else if (status == COLLEGA_OK) {
    status = desk_match_id(&desk, argument_at(arguments, 0), &match, error);
    proposal.match = &match;
  }
  if (status == COLLEGA_OK) status = desk_mandate_option(&desk, &mandate, &proposal.mandate, error);
  desk_release(&desk);
  if (status == COLLEGA_OK)
    status = deal_propose(desk.exchange, &desk.party, &proposal, desk.now, &deal, error);
  if (status == COLLEGA_OK && !argument_json(arguments)) {
    printf("%s\n", hex_text(&desk, deal.byte, ID_BYTES));
    fflush(stdout);
  }
  if (status == COLLEGA_OK) status = desk_act_done(&desk, &deal, false, RULE_NONE, error);
  desk_close(&desk);
  return status;
}

/* ---- accept, decline, withdraw */

enum collega_status desk_open_deal(const struct arguments *arguments, struct desk *desk,
                                   struct id *deal, struct collega_error *error) {
  enum collega_status status = desk_open(arguments, desk, error);
  if (status != COLLEGA_OK) return status;
  status = desk_deal_id(desk, argument_at(arguments, 0), deal, error);
  if (status != COLLEGA_OK) desk_close(desk);
  return status;
}

enum collega_status command_deal_accept(const struct arguments *arguments,
                                        struct collega_error *error) {
  struct desk desk;
  struct id deal, mandate;
  const struct id *chosen = NULL;
  enum collega_status status = desk_open_deal(arguments, &desk, &deal, error);
  if (status != COLLEGA_OK) return status;
  status = desk_mandate_option(&desk, &mandate, &chosen, error);
  desk_release(&desk);
  if (status == COLLEGA_OK)
    status = deal_accept(desk.exchange, &desk.party, &deal, chosen, desk.now, error);
  if (status == COLLEGA_OK) status = desk_act_done(&desk, &deal, true, RULE_said_accepted, error);
  desk_close(&desk);
  return status;
}

/* What takes only the deal, and is told by `said`. */
static enum collega_status act_on_deal(const struct arguments *arguments,
                                       enum collega_status (*act)(struct exchange *exchange,
                                                                  const struct id *party,
                                                                  const struct id *deal,
                                                                  collega_time now,
                                                                  struct collega_error *error),
                                       enum rule said, struct collega_error *error) {
  struct desk desk;
  struct id deal;
  enum collega_status status = desk_open_deal(arguments, &desk, &deal, error);
  if (status != COLLEGA_OK) return status;
  desk_release(&desk);
  status = act(desk.exchange, &desk.party, &deal, desk.now, error);
  if (status == COLLEGA_OK) status = desk_act_done(&desk, &deal, true, said, error);
  desk_close(&desk);
  return status;
}

enum collega_status command_deal_decline(const struct arguments *arguments,
                                         struct collega_error *error) {
  return act_on_deal(arguments, deal_decline, RULE_said_declined, error);
}

enum collega_status command_deal_withdraw(const struct arguments *arguments,
                                          struct collega_error *error) {
  return act_on_deal(arguments, deal_withdraw, RULE_said_withdraw_asked, error);
}
