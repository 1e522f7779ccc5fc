/* A restored decider asks about a root that is older than its epoch. The answer shows, signed,
 * every decision that this party took; from then on it takes none of an older epoch. What it had
 * asked and got no word on it asks again, since the decider has forgotten that too. Question,
 * answer and what is sent are one transaction. */
#include "client/exchange/deal_rows.h"
#include "client/exchange/intake.h"

#include <string.h>

#include "base/log.h"
#include "proto/guard.h"
#include "proto/limits.h"

#define SHOWN_MOST       64u
#define SHOWN_BYTES_MOST (LIMIT_BODY_BYTES - 2048u)

struct answering {
  struct intake *intake;
  const CollegaStore__RootRow *row;
  struct negotiation negotiation; /* as the question left it */
  struct id root, party;
  const struct identity *identity;
  struct deal_view view; /* of the deal whose header goes with the answer */
};

/* ---- has it been answered, and does the answer still wait here? */

struct answer_search {
  const CollegaStore__RootRow *row;
  struct arena *arena;
  bool found;
};

static bool visit_item(void *context, const CollegaStore__OutboxItem *item) {
  struct answer_search *search = context;
  struct run_view run;
  bool of_root = false;
  if (item->kind != COLLEGA_STORE__OUTBOX_KIND__OUTBOX_KIND_DECIDE || !item->has_deal ||
      !bytes_equal(field_bytes(&item->party), field_bytes(&search->row->party)))
    return true;
  for (size_t i = 0; i < search->row->n_deals; i++)
    of_root = of_root || bytes_equal(field_bytes(&search->row->deals[i]), field_bytes(&item->deal));
  const CollegaStore__DecideRuns *runs =
      of_root
          ? (const CollegaStore__DecideRuns *)row_unpack(&collega_store__decide_runs__descriptor,
                                                         field_bytes(&item->data), search->arena)
          : NULL;
  if (runs && runs->n_runs == 2 &&
      run_read_bytes(field_bytes(&runs->runs[1]), search->arena, &run, NULL) == COLLEGA_OK)
    search->found = run.records[0].body->epoch_answer != NULL;
  return !search->found;
}

static enum collega_status is_waiting(struct answering *answering, bool *waiting) {
  struct intake *intake = answering->intake;
  struct answer_search search = {.row = answering->row, .arena = intake->arena};
  *waiting = false;
  if (answering->row->answered_epoch != intake->broker_row->epoch_number) return COLLEGA_OK;
  enum collega_status status =
      outbox_each(intake->txn, 0, intake->arena, visit_item, &search, intake->error);
  *waiting = search.found;
  return status;
}

/* ---- signing */

static enum collega_status append_run(struct answering *answering, const struct id *deal,
                                      CollegaStore__ActKind kind, struct bytes run) {
  struct intake *intake = answering->intake;
  CollegaStore__SignedAct content = COLLEGA_STORE__SIGNED_ACT__INIT;
  content.kind = kind;
  field_set_id(&content.deal, deal);
  field_set(&content.run, run.data, run.length);
  return intake_append(intake, COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_SIGNED, &answering->party,
                       deal, NULL, &content.base);
}

static enum collega_status append_body(struct answering *answering, const struct id *deal,
                                       CollegaStore__ActKind kind, Collega__Body *body) {
  struct intake *intake = answering->intake;
  struct bytes packed, run_bytes;
  struct id id;
  Collega__Run *run;
  enum collega_status status = body_finish(body, intake->arena, &packed, &id, intake->error);
  if (status == COLLEGA_OK)
    status = run_sign(answering->identity, &packed, 1, intake->arena, &run, intake->error);
  if (status == COLLEGA_OK)
    status = exchange_pack(intake->arena, &run->base, &run_bytes, intake->error);
  return status == COLLEGA_OK ? append_run(answering, deal, kind, run_bytes) : status;
}

static enum collega_status new_body(struct answering *answering, Collega__Body **body) {
  struct intake *intake = answering->intake;
  return exchange_own_body(intake->exchange, intake->txn, &answering->party, intake->arena, body,
                           intake->error);
}

/* ---- what is shown */

static enum collega_status show_deal(struct answering *answering, const CollegaStore__DealRow *row,
                                     Collega__EpochAnswer *answer, size_t *bytes) {
  struct intake *intake = answering->intake;
  struct id deal;
  if (!id_from(&deal, row->deal.data, row->deal.len))
    return exchange_row_damaged(intake->error, "deals");
  for (size_t i = 0; i < row->n_decisions && answer->n_decisions < SHOWN_MOST; i++) {
    struct run_view view;
    enum collega_status status =
        run_read_bytes(field_bytes(&row->decisions[i]), intake->arena, &view, intake->error);
    if (status != COLLEGA_OK) return status;
    const Collega__Decision *decision = view.records[0].body->decision;
    if (!decision || *bytes + row->decisions[i].len > SHOWN_BYTES_MOST ||
        !deal_shows(&answering->negotiation, &deal, decision->verdict, decision->position))
      continue;
    answer->decisions[answer->n_decisions++] = row->decisions[i];
    *bytes += row->decisions[i].len;
  }
  return COLLEGA_OK;
}

static enum collega_status sign_answer(struct answering *answering) {
  struct intake *intake = answering->intake;
  Collega__EpochAnswer answer = COLLEGA__EPOCH_ANSWER__INIT;
  ProtobufCBinaryData decisions[SHOWN_MOST], releases[2];
  Collega__Body *body;
  size_t bytes = 0;
  answer.root = answering->row->root;
  answer.epoch = intake->broker_row->epoch;
  answer.decisions = decisions;
  answer.releases = releases;
  answer.time = intake->now;
  enum collega_status status = COLLEGA_OK;
  for (size_t i = 0; status == COLLEGA_OK && i < answering->row->n_deals; i++) {
    CollegaStore__DealRow *row;
    status = deal_row(intake->txn, &answering->party, field_bytes(&answering->row->deals[i]),
                      intake->arena, &row, intake->error);
    if (status == COLLEGA_OK) status = show_deal(answering, row, &answer, &bytes);
  }
  enum release_phase release = answering->negotiation.release;
  if ((release == RELEASE_SIGNED || release == RELEASE_DONE) && answering->row->has_release &&
      answering->row->has_release_answer) {
    releases[answer.n_releases++] = answering->row->release;
    releases[answer.n_releases++] = answering->row->release_answer;
  }
  if (status == COLLEGA_OK) status = new_body(answering, &body);
  if (status != COLLEGA_OK) return status;
  body->type = COLLEGA__BODY_TYPE__BODY_TYPE_EPOCH_ANSWER;
  body->epoch_answer = &answer;
  return append_body(answering, &answering->view.deal,
                     COLLEGA_STORE__ACT_KIND__ACT_KIND_EPOCH_ANSWER, body);
}

static enum collega_status sign_again(struct answering *answering,
                                      const struct deal_effect *effect) {
  struct intake *intake = answering->intake;
  struct deal_view view;
  Collega__Decline decline = COLLEGA__DECLINE__INIT;
  Collega__Withdraw withdraw = COLLEGA__WITHDRAW__INIT;
  Collega__Body *body = NULL;
  bool declines = effect->kind == DEAL_EFFECT_SIGN_DECLINE;
  enum collega_status status = deal_view_read(intake->txn, &answering->party, &effect->deal,
                                              intake->arena, &view, intake->error);
  if (status != COLLEGA_OK || !view.row->has_header_run) return status;
  if (effect->kind == DEAL_EFFECT_SIGN_ACCEPT)
    return view.row->has_acceptance_run
               ? append_run(answering, &view.deal, COLLEGA_STORE__ACT_KIND__ACT_KIND_ACCEPT,
                            field_bytes(&view.row->acceptance_run))
               : COLLEGA_OK;
  if (view.row->has_act) return COLLEGA_OK; /* it has yet to be signed for the first time */
  status = new_body(answering, &body);
  if (status != COLLEGA_OK) return status;
  field_set_id(&decline.deal, &view.deal);
  field_set_id(&withdraw.deal, &view.deal);
  decline.time = withdraw.time = intake->now;
  body->type =
      declines ? COLLEGA__BODY_TYPE__BODY_TYPE_DECLINE : COLLEGA__BODY_TYPE__BODY_TYPE_WITHDRAW;
  if (declines)
    body->decline = &decline;
  else
    body->withdraw = &withdraw;
  return append_body(answering, &view.deal,
                     declines ? COLLEGA_STORE__ACT_KIND__ACT_KIND_DECLINE
                              : COLLEGA_STORE__ACT_KIND__ACT_KIND_WITHDRAW,
                     body);
}

static enum collega_status carry_out(struct answering *answering,
                                     const struct deal_effect *effect) {
  switch (effect->kind) {
  case DEAL_EFFECT_SIGN_EPOCH_ANSWER:
    return sign_answer(answering);
  case DEAL_EFFECT_SIGN_ACCEPT:
  case DEAL_EFFECT_SIGN_DECLINE:
  case DEAL_EFFECT_SIGN_WITHDRAW:
    return sign_again(answering, effect);
  case DEAL_EFFECT_HOLD:
  case DEAL_EFFECT_HOLD_DROP:
  case DEAL_EFFECT_HOLD_AGREE:
  case DEAL_EFFECT_HOLD_END:
  case DEAL_EFFECT_SIGN_HEADER:
  case DEAL_EFFECT_SIGN_ASK:
  case DEAL_EFFECT_SIGN_TERMINATE:
  case DEAL_EFFECT_SIGN_RELEASE:
  case DEAL_EFFECT_SIGN_RELEASE_ANSWER:
  case DEAL_EFFECT_LODGE_RELEASE:
  case DEAL_EFFECT_CHANGED:
    break;
  }
  return COLLEGA_OK;
}

/* ---- the question */

/* A deal of the root whose signed header is here goes first in the request. */
static enum collega_status find_header(struct answering *answering, bool *found) {
  struct intake *intake = answering->intake;
  *found = false;
  for (size_t i = 0; !*found && i < answering->row->n_deals; i++) {
    struct id deal;
    if (!id_from(&deal, answering->row->deals[i].data, answering->row->deals[i].len))
      return exchange_row_damaged(intake->error, "roots");
    enum collega_status status = deal_view_read(intake->txn, &answering->party, &deal,
                                                intake->arena, &answering->view, intake->error);
    if (status != COLLEGA_OK) return status;
    *found = answering->view.row->has_header_run;
  }
  return COLLEGA_OK;
}

static enum collega_status answer(struct answering *answering, const Collega__Question *question) {
  struct intake *intake = answering->intake;
  struct deal_effects effects;
  CollegaStore__RootRow *row;
  struct deal_event event = {.kind = DEAL_EVENT_QUESTION,
                             .now = intake->now,
                             .epoch_number = intake->broker_row->epoch_number};
  enum collega_status status =
      negotiation_load(intake->txn, &answering->party, &answering->root, intake->arena,
                       &answering->negotiation, &row, intake->error);
  if (status == COLLEGA_OK)
    status = deal_step(&answering->negotiation, &event, &effects, intake->error);
  if (status == COLLEGA_OK && effects.count > 0)
    status = intake_append(intake, COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_QUESTION,
                           &answering->party, &answering->root, NULL, &question->base);
  for (size_t i = 0; status == COLLEGA_OK && i < effects.count; i++)
    status = carry_out(answering, &effects.effect[i]);
  return status;
}

/* A root that is not known here cannot be answered for: its proposal is on its way once more, and
 * the decider is asked about it when it comes. */
enum collega_status intake_question(struct intake *intake, const Collega__Question *question) {
  struct answering answering = {.intake = intake};
  CollegaStore__RootRow *row;
  bool waiting = false, header = false;
  if (!intake->broker_row || intake_catching_up(intake) ||
      !bytes_equal(field_bytes(&intake->broker_row->epoch), field_bytes(&question->epoch)) ||
      !id_from(&answering.root, question->root.data, question->root.len) ||
      !id_from(&answering.party, question->party.data, question->party.len))
    return COLLEGA_OK;
  answering.identity = exchange_identity(intake->exchange, &answering.party);
  enum collega_status status = root_row(intake->txn, &answering.party, field_bytes(&question->root),
                                        intake->arena, &row, intake->error);
  if (status == COLLEGA_NOT_FOUND || !answering.identity) return COLLEGA_OK;
  if (status != COLLEGA_OK) return status;
  answering.row = row;
  if (!field_is(&row->decider, &intake->broker)) return COLLEGA_OK;
  status = is_waiting(&answering, &waiting);
  if (status == COLLEGA_OK && !waiting) status = find_header(&answering, &header);
  if (status != COLLEGA_OK || waiting || !header) return status;
  log_info("question", "epoch=%u", intake->broker_row->epoch_number);
  return answer(&answering, question);
}
