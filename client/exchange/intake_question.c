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
  bool has_header;
};

/* ---- has it been answered, and does the answer still wait here? */

struct answer_search {
  const Collega__Question *question; /* names the party, too: two of one home may be asked */
  struct arena *arena;
  bool found;
};

static bool visit_item(void *context, const CollegaStore__OutboxItem *item) {
  struct answer_search *search = context;
  struct run_view run;
  if (item->kind != COLLEGA_STORE__OUTBOX_KIND__OUTBOX_KIND_DECIDE || item->refused ||
      !bytes_equal(field_bytes(&item->party), field_bytes(&search->question->party)))
    return true;
  const CollegaStore__DecideRuns *runs = (const CollegaStore__DecideRuns *)row_unpack(
      &collega_store__decide_runs__descriptor, field_bytes(&item->data), search->arena);
  if (!runs || runs->n_runs == 0 ||
      run_read_bytes(field_bytes(&runs->runs[runs->n_runs - 1]), search->arena, &run, NULL) !=
          COLLEGA_OK)
    return true;
  const Collega__EpochAnswer *answer = run.records[0].body->epoch_answer;
  search->found = answer &&
                  bytes_equal(field_bytes(&answer->root), field_bytes(&search->question->root)) &&
                  bytes_equal(field_bytes(&answer->epoch), field_bytes(&search->question->epoch));
  return !search->found;
}

static enum collega_status is_waiting(struct intake *intake, const Collega__Question *question,
                                      bool *waiting) {
  struct answer_search search = {.question = question, .arena = intake->arena};
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

/* Of a deal the newest entry of the chain that is its own, the newest that ended a part of it, the newest that
 * ended the chain with it, and the newest void: what an older epoch said of the same is said again in them, and
 * what ended a part lists the parts that ended before. */
static enum collega_status show_deal(struct answering *answering, const CollegaStore__DealRow *row,
                                     Collega__EpochAnswer *answer, size_t *bytes) {
  struct intake *intake = answering->intake;
  bool shown[4] = {false, false, false, false};
  struct id deal;
  if (!id_from(&deal, row->deal.data, row->deal.len))
    return exchange_row_damaged(intake->error, "deals");
  for (size_t i = row->n_decisions; i-- > 0 && answer->n_decisions < SHOWN_MOST;) {
    struct run_view view;
    enum collega_status status =
        run_read_bytes(field_bytes(&row->decisions[i]), intake->arena, &view, intake->error);
    if (status != COLLEGA_OK) return status;
    const Collega__Decision *decision = view.records[0].body->decision;
    if (!decision) continue;
    bool ends = decision->verdict == COLLEGA__VERDICT__VERDICT_TERMINATED ||
                decision->verdict == COLLEGA__VERDICT__VERDICT_RELEASED;
    bool voids = decision->verdict == COLLEGA__VERDICT__VERDICT_VOID;
    bool reduces = decision->verdict == COLLEGA__VERDICT__VERDICT_REDUCED;
    size_t kind = ends ? 0 : voids ? 1 : reduces ? 2 : 3;
    if (shown[kind] || *bytes + row->decisions[i].len > SHOWN_BYTES_MOST ||
        !deal_shows(&answering->negotiation, &deal, decision->verdict, decision->position))
      continue;
    shown[kind] = true;
    answer->decisions[answer->n_decisions++] = row->decisions[i];
    *bytes += row->decisions[i].len;
  }
  return COLLEGA_OK;
}

/* The chain's last deal first: it must not be the one that there is no room for. */
static enum collega_status show_deals(struct answering *answering, Collega__EpochAnswer *answer) {
  struct intake *intake = answering->intake;
  const CollegaStore__RootRow *root = answering->row;
  size_t bytes = 0;
  enum collega_status status = COLLEGA_OK;
  for (int others = 0; others < 2; others++) {
    for (size_t i = root->n_deals; status == COLLEGA_OK && i-- > 0;) {
      CollegaStore__DealRow *row;
      bool last = root->has_last_deal &&
                  bytes_equal(field_bytes(&root->deals[i]), field_bytes(&root->last_deal));
      if (last == (others == 1)) continue;
      status = deal_row(intake->txn, &answering->party, field_bytes(&root->deals[i]), intake->arena,
                        &row, intake->error);
      if (status == COLLEGA_OK) status = show_deal(answering, row, answer, &bytes);
    }
  }
  return status;
}

/* Of a root that never came here nothing is held; without a header the act names the root. */
static enum collega_status sign_answer(struct answering *answering) {
  struct intake *intake = answering->intake;
  Collega__EpochAnswer answer = COLLEGA__EPOCH_ANSWER__INIT;
  ProtobufCBinaryData decisions[SHOWN_MOST], releases[2];
  const ProtobufCBinaryData *asked = NULL;
  Collega__Body *body;
  bool both = false;
  field_set_id(&answer.root, &answering->root);
  answer.epoch = intake->broker_row->epoch;
  answer.decisions = decisions;
  answer.releases = releases;
  answer.time = intake->now;
  enum collega_status status = COLLEGA_OK;
  if (answering->row) status = show_deals(answering, &answer);
  if (status == COLLEGA_OK && answering->row)
    status = release_pair(answering->row, intake->arena, &asked, &both, intake->error);
  if (both) {
    releases[answer.n_releases++] = *asked;
    releases[answer.n_releases++] = answering->row->release_answer;
  }
  if (status == COLLEGA_OK) status = new_body(answering, &body);
  if (status != COLLEGA_OK) return status;
  body->type = COLLEGA__BODY_TYPE__BODY_TYPE_EPOCH_ANSWER;
  body->epoch_answer = &answer;
  return append_body(answering, answering->has_header ? &answering->view.deal : &answering->root,
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
  case DEAL_EFFECT_HOLD_REDUCE:
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
static enum collega_status find_header(struct answering *answering) {
  struct intake *intake = answering->intake;
  answering->has_header = false;
  for (size_t i = 0; !answering->has_header && i < answering->row->n_deals; i++) {
    struct id deal;
    if (!id_from(&deal, answering->row->deals[i].data, answering->row->deals[i].len))
      return exchange_row_damaged(intake->error, "roots");
    enum collega_status status = deal_view_read(intake->txn, &answering->party, &deal,
                                                intake->arena, &answering->view, intake->error);
    if (status != COLLEGA_OK) return status;
    answering->has_header = answering->view.row->has_header_run;
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
  enum collega_status status = find_header(answering);
  if (status == COLLEGA_OK)
    status = negotiation_load(intake->txn, &answering->party, &answering->root, intake->arena,
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

/* Of a root that never came here - its letters were lost, or refused here - nothing is held, and that
 * is said: the other side, which has signed, must not wait for ever. From now on no word of an older
 * epoch is taken here, on this root or any: the newest epoch that is known is the broker's. */
enum collega_status intake_question(struct intake *intake, const Collega__Question *question) {
  struct answering answering = {.intake = intake};
  CollegaStore__RootRow *row;
  bool waiting = false;
  if (!intake->broker_row || intake_catching_up(intake) ||
      !bytes_equal(field_bytes(&intake->broker_row->epoch), field_bytes(&question->epoch)) ||
      !id_from(&answering.root, question->root.data, question->root.len) ||
      !id_from(&answering.party, question->party.data, question->party.len))
    return COLLEGA_OK;
  answering.identity = exchange_identity(intake->exchange, &answering.party);
  if (!answering.identity) return COLLEGA_OK;
  enum collega_status status = is_waiting(intake, question, &waiting);
  if (status != COLLEGA_OK || waiting) return status;
  status = root_row(intake->txn, &answering.party, field_bytes(&question->root), intake->arena,
                    &row, intake->error);
  if (status == COLLEGA_NOT_FOUND) return sign_answer(&answering);
  if (status != COLLEGA_OK) return status;
  answering.row = row;
  if (!field_is(&row->decider, &intake->broker)) return COLLEGA_OK;
  log_info("question", "epoch=%u", intake->broker_row->epoch_number);
  return answer(&answering, question);
}
