/* Deals: what entries change in negotiations, holds and the outbox. The deal machine decides; here its effects become
 * rows. Effects that ask for a signature are not done here: signing.c makes an entry of each, and that comes back. */
#include "client/exchange/deal_rows.h"

#include <string.h>

#include "base/words.h"
#include "proto/guard.h"

/* ---- effects */

static enum collega_status put_hold(struct apply *apply, const struct deal_view *view, bool agreed, const collega_date *until) {
  CollegaStore__Hold hold;
  enum collega_status status = deal_row_hold(view, apply->arena, &hold, apply->error);
  if (status != COLLEGA_OK) return status;
  hold.agreed = agreed;
  if (until && *until < hold.until) hold.until = *until;
  return holds_put(apply->txn, &hold, apply->error);
}

static bool own_subject(const struct deal_view *view, struct short_id *out) {
  const ProtobufCBinaryData *subject = view->own->has_offer ? &view->own->offer : &view->own->capacity;
  return short_id_from(out, subject->data, subject->len);
}

static enum collega_status drop_hold(struct apply *apply, const struct deal_view *view) {
  struct short_id subject;
  if (!own_subject(view, &subject)) return row_damaged(apply->error, "deals");
  return holds_drop(apply->txn, &view->party, &subject, &view->root, &view->deal, apply->error);
}

/* A DECISION may conclude what this ledger never held (a restored home): then it is agreed at once. */
static enum collega_status agree_hold(struct apply *apply, const struct deal_view *view) {
  struct short_id subject;
  if (!own_subject(view, &subject)) return row_damaged(apply->error, "deals");
  enum collega_status status = holds_agree(apply->txn, &view->party, &subject, &view->root, &view->deal, apply->error);
  return status == COLLEGA_NOT_FOUND ? put_hold(apply, view, true, NULL) : status;
}

/* A deal that is decided has no act left to sign. */
static enum collega_status drop_act_if_over(struct apply *apply, const struct negotiation *negotiation, const struct deal_view *view) {
  for (size_t i = 0; i < negotiation->count; i++) {
    const struct deal_slot *slot = &negotiation->deals[i];
    if (!id_equal(&slot->deal, &view->deal)) continue;
    bool over = slot->phase == PHASE_VOID || slot->phase == PHASE_CONCLUDED || slot->phase == PHASE_RELEASED ||
                slot->phase == PHASE_TERMINATED;
    if (!over || !view->row->has_act) return COLLEGA_OK;
    view->row->has_act = false;
    return deal_row_put(apply->txn, view->row, apply->error);
  }
  return COLLEGA_OK;
}

static enum collega_status do_effect(struct apply *apply, const struct negotiation *negotiation, const struct deal_effect *effect) {
  struct deal_view view;
  enum collega_status status;
  switch (effect->kind) {
  case DEAL_EFFECT_HOLD:
  case DEAL_EFFECT_HOLD_DROP:
  case DEAL_EFFECT_HOLD_AGREE:
  case DEAL_EFFECT_HOLD_END:
  case DEAL_EFFECT_CHANGED: break;
  case DEAL_EFFECT_SIGN_HEADER:
  case DEAL_EFFECT_SIGN_ACCEPT:
  case DEAL_EFFECT_SIGN_DECLINE:
  case DEAL_EFFECT_SIGN_WITHDRAW:
  case DEAL_EFFECT_SIGN_ASK:
  case DEAL_EFFECT_SIGN_TERMINATE:
  case DEAL_EFFECT_SIGN_EPOCH_ANSWER:
  case DEAL_EFFECT_SIGN_RELEASE:
  case DEAL_EFFECT_SIGN_RELEASE_ANSWER:
  case DEAL_EFFECT_LODGE_RELEASE: return COLLEGA_OK;
  }
  if (id_is_zero(&effect->deal)) return COLLEGA_OK; /* the root's own change: its row is stored anyway */
  status = deal_view_read(apply->txn, &effect->deal, apply->arena, &view, apply->error);
  if (status == COLLEGA_NOT_FOUND) return row_damaged(apply->error, "deals");
  if (status != COLLEGA_OK) return status;
  if (effect->kind == DEAL_EFFECT_HOLD) return put_hold(apply, &view, false, NULL);
  if (effect->kind == DEAL_EFFECT_HOLD_DROP) return drop_hold(apply, &view);
  if (effect->kind == DEAL_EFFECT_HOLD_AGREE) return agree_hold(apply, &view);
  if (effect->kind == DEAL_EFFECT_HOLD_END) return put_hold(apply, &view, true, &effect->effective);
  return drop_act_if_over(apply, negotiation, &view);
}

/* One event on a root: machine, holds, rows. */
static enum collega_status step(struct apply *apply, const struct id *root, const struct deal_event *event) {
  struct negotiation negotiation;
  struct deal_effects effects;
  CollegaStore__RootRow *row;
  enum collega_status status = negotiation_load(apply->txn, root, apply->arena, &negotiation, &row, apply->error);
  if (status != COLLEGA_OK) return status;
  if (!row) return row_damaged(apply->error, "roots");
  status = deal_step(&negotiation, event, &effects, apply->error);
  if (status == COLLEGA_OK) status = negotiation_store(apply->txn, &negotiation, row, apply->arena, apply->error);
  for (size_t i = 0; status == COLLEGA_OK && i < effects.count; i++)
    status = do_effect(apply, &negotiation, &effects.effect[i]);
  return status;
}

/* ---- a new deal */

static enum collega_status put_capacity(struct apply *apply, const CollegaStore__Capacity *capacity) {
  if (!capacity) return COLLEGA_OK;
  return row_put(apply->txn, TABLE_CAPACITIES, field_bytes(&capacity->capacity), &capacity->base, apply->error);
}

/* The row before the machine has spoken: its state is written by the step that follows. */
static enum collega_status new_row(struct apply *apply, struct bytes body, bool mine, CollegaStore__DealRow *row,
                                   struct deal_view *view) {
  const Collega__Body *read;
  struct id deal;
  enum collega_status status = body_of_bytes(body, apply->arena, &read, apply->error);
  if (status != COLLEGA_OK) return status;
  if (!read->deal || read->deal->n_edges != 1) return row_damaged(apply->error, "deals");
  const Collega__Edge *edge = read->deal->edges[0];
  record_id(&deal, body);
  const struct id *kept = arena_copy(apply->arena, &deal, sizeof deal);
  const struct id *party = arena_copy(apply->arena, apply->event->party, sizeof *party);
  if (!kept || !party) return no_memory(apply->error);
  collega_store__deal_row__init(row);
  set_id(&row->deal, kept);
  row->root = read->deal->root;
  set_id(&row->party, party);
  row->lends = field_is(&edge->lender, party);
  row->counterparty = row->lends ? edge->borrower : edge->lender;
  row->mine = mine;
  row->state = COLLEGA_STORE__DEAL_STATE__DEAL_STATE_DRAFT;
  set_bytes(&row->header, body.data, body.length);
  row->accept_by = read->deal->accept_by;
  row->time = apply->event->time;
  row->entry = apply->event->number;
  row->offers = arena_take(apply->arena, 2 * sizeof *row->offers);
  if (!row->offers) return no_memory(apply->error);
  if (edge->lends->has_offer) row->offers[row->n_offers++] = edge->lends->offer;
  if (edge->borrows->has_offer) row->offers[row->n_offers++] = edge->borrows->offer;
  return deal_view_of(row, apply->arena, view, apply->error);
}

/* The root's row, made when this is its first header; the deal is listed in it. */
static enum collega_status list_in_root(struct apply *apply, const struct deal_view *view, CollegaStore__RootRow **out) {
  CollegaStore__RootRow *row;
  CollegaStore__BrokerRow *broker;
  enum collega_status status = root_row(apply->txn, bytes_of(view->root.byte, ID_BYTES), apply->arena, &row, apply->error);
  if (status == COLLEGA_NOT_FOUND) {
    row = arena_take(apply->arena, sizeof *row);
    if (!row) return no_memory(apply->error);
    collega_store__root_row__init(row);
    row->root = view->row->root;
    row->decider = view->header->decider;
    row->decider_epoch = view->header->decider_epoch;
    row->has_thread = row->has_party = true;
    row->thread = view->header->thread;
    row->party = view->row->party;
    status = exchange_broker(apply->txn, apply->arena, &broker, apply->error);
    if (status == COLLEGA_OK && broker && bytes_equal(field_bytes(&broker->broker), field_bytes(&row->decider)) &&
        bytes_equal(field_bytes(&broker->epoch), field_bytes(&row->decider_epoch))) {
      row->has_decider_epoch_number = true;
      row->decider_epoch_number = broker->epoch_number;
    }
  }
  if (status != COLLEGA_OK) return status;
  ProtobufCBinaryData *deals = arena_take(apply->arena, (row->n_deals + 1) * sizeof *deals);
  if (!deals) return no_memory(apply->error);
  if (row->n_deals) memcpy(deals, row->deals, row->n_deals * sizeof *deals);
  deals[row->n_deals++] = view->row->deal;
  row->deals = deals;
  *out = row;
  return COLLEGA_OK;
}

/* The machine learns of the deal by the event itself, so the row that it will change must stand before the
 * negotiation is stored, and must not be listed in the root when it is loaded. */
static enum collega_status add_deal(struct apply *apply, const struct deal_view *view, enum deal_event_kind kind) {
  struct negotiation negotiation;
  struct deal_effects effects;
  struct deal_event event;
  CollegaStore__RootRow *row;
  enum collega_status status = negotiation_load(apply->txn, &view->root, apply->arena, &negotiation, &row, apply->error);
  if (status == COLLEGA_OK) status = list_in_root(apply, view, &row);
  if (status != COLLEGA_OK) return status;
  if (negotiation.count == 0 && id_is_zero(&negotiation.decider)) {
    negotiation.decider = view->decider;
    negotiation.root_epoch_number = row->decider_epoch_number;
    negotiation.epoch_number = row->decider_epoch_number;
  }
  header_event(view, kind, apply->event->time, &event);
  event.room = event.fits = true; /* judged before the entry was written */
  status = deal_step(&negotiation, &event, &effects, apply->error);
  if (status == COLLEGA_OK) status = deal_row_put(apply->txn, view->row, apply->error);
  if (status == COLLEGA_OK) status = negotiation_store(apply->txn, &negotiation, row, apply->arena, apply->error);
  for (size_t i = 0; status == COLLEGA_OK && i < effects.count; i++)
    status = do_effect(apply, &negotiation, &effects.effect[i]);
  return status;
}

/* ---- drafts */

static enum collega_status draft_proposal(struct apply *apply, const CollegaStore__DealAct *act) {
  CollegaStore__DealRow row;
  struct deal_view view;
  enum collega_status status = put_capacity(apply, act->capacity);
  if (status == COLLEGA_OK) status = new_row(apply, field_bytes(&act->body), true, &row, &view);
  if (status != COLLEGA_OK) return status;
  row.has_terms = act->has_terms;
  row.terms = act->terms;
  row.has_act = true;
  set_bytes(&row.act, apply->event->payload.data, apply->event->payload.length);
  return add_deal(apply, &view, DEAL_EVENT_DRAFT);
}

/* Accept, decline and withdraw: the machine hears of them when the user acts; the signature follows. */
static enum collega_status draft_answer(struct apply *apply, const CollegaStore__DealAct *act, enum deal_event_kind kind) {
  struct deal_view view;
  struct deal_event event = {.kind = kind, .now = apply->event->time, .room = true, .fits = true};
  if (!id_from(&event.deal, act->deal.data, act->deal.len)) return row_damaged(apply->error, "act");
  enum collega_status status = deal_view_read(apply->txn, &event.deal, apply->arena, &view, apply->error);
  if (status == COLLEGA_NOT_FOUND) return row_damaged(apply->error, "deals");
  if (status == COLLEGA_OK) status = step(apply, &view.root, &event);
  if (status == COLLEGA_OK) status = deal_view_read(apply->txn, &event.deal, apply->arena, &view, apply->error);
  if (status != COLLEGA_OK) return status;
  view.row->has_act = true;
  set_bytes(&view.row->act, apply->event->payload.data, apply->event->payload.length);
  return deal_row_put(apply->txn, view.row, apply->error);
}

enum collega_status apply_draft(struct apply *apply) {
  ProtobufCMessage *message;
  enum collega_status status = apply_payload(apply, &collega_store__deal_act__descriptor, &message);
  if (status != COLLEGA_OK) return status;
  const CollegaStore__DealAct *act = (const CollegaStore__DealAct *)message;
  switch (act->kind) {
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_PROPOSE: return draft_proposal(apply, act);
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_ACCEPT: return draft_answer(apply, act, DEAL_EVENT_ACCEPT);
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_DECLINE: return draft_answer(apply, act, DEAL_EVENT_DECLINE);
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_WITHDRAW: return draft_answer(apply, act, DEAL_EVENT_WITHDRAW);
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_ASK:
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_TERMINATE:
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE:
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE_ANSWER:
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_EPOCH_ANSWER:
  case _COLLEGA_STORE__ACT_KIND_IS_INT_SIZE: break;
  }
  return row_damaged(apply->error, "act");
}

enum collega_status apply_act_dropped(struct apply *apply) {
  ProtobufCMessage *message;
  struct deal_view view;
  struct deal_event event = {.kind = DEAL_EVENT_DROP_DRAFT, .now = apply->event->time};
  enum collega_status status = apply_payload(apply, &collega_store__act_dropped__descriptor, &message);
  if (status != COLLEGA_OK) return status;
  const CollegaStore__ActDropped *dropped = (const CollegaStore__ActDropped *)message;
  if (!id_from(&event.deal, dropped->deal.data, dropped->deal.len)) return row_damaged(apply->error, "act");
  status = deal_view_read(apply->txn, &event.deal, apply->arena, &view, apply->error);
  if (status == COLLEGA_NOT_FOUND) return row_damaged(apply->error, "deals");
  event.why = rule_from_name(dropped->why);
  if (status == COLLEGA_OK) status = step(apply, &view.root, &event);
  if (status == COLLEGA_OK) status = deal_view_read(apply->txn, &event.deal, apply->arena, &view, apply->error);
  if (status != COLLEGA_OK) return status;
  view.row->has_act = false;
  return deal_row_put(apply->txn, view.row, apply->error);
}

/* ---- signed acts */

static enum collega_status send_letter(struct apply *apply, const struct deal_view *view, struct bytes envelope) {
  CollegaStore__OutboxItem item = COLLEGA_STORE__OUTBOX_ITEM__INIT;
  const Collega__Envelope *read;
  struct id hash;
  enum collega_status status = envelope_read(envelope, apply->arena, &read, apply->error);
  if (status != COLLEGA_OK) return status;
  envelope_hash(&hash, envelope);
  item.kind = COLLEGA_STORE__OUTBOX_KIND__OUTBOX_KIND_SEND;
  set_bytes(&item.data, envelope.data, envelope.length);
  set_id(&item.key, &hash);
  item.open = 1;
  item.has_not_after = true;
  item.not_after = read->not_after;
  /* Only a proposal lives or dies with its letter; an acceptance is the decider's to take. */
  item.has_deal = !view->row->has_acceptance_run;
  item.deal = view->row->deal;
  return apply_send(apply, &item, NULL);
}

/* Header first, then the act. */
static enum collega_status send_request(struct apply *apply, const struct deal_view *view, struct bytes act_run,
                                        const struct id *act) {
  CollegaStore__OutboxItem item = COLLEGA_STORE__OUTBOX_ITEM__INIT;
  CollegaStore__DecideRuns runs = COLLEGA_STORE__DECIDE_RUNS__INIT;
  ProtobufCBinaryData run[2];
  struct bytes packed;
  if (!view->row->has_header_run) return row_damaged(apply->error, "deals");
  run[0] = view->row->header_run;
  set_bytes(&run[1], act_run.data, act_run.length);
  runs.n_runs = 2;
  runs.runs = run;
  enum collega_status status = pack_into(apply->arena, &runs.base, &packed, apply->error);
  if (status != COLLEGA_OK) return status;
  item.kind = COLLEGA_STORE__OUTBOX_KIND__OUTBOX_KIND_DECIDE;
  set_bytes(&item.data, packed.data, packed.length);
  set_id(&item.key, act);
  item.open = 1;
  item.has_deal = item.has_decider = true;
  item.deal = view->row->deal;
  set_id(&item.decider, &view->decider);
  return apply_send(apply, &item, NULL);
}

/* Our mandate's run goes beside the deal: the proof shows it even where the board's copy is gone. */
static enum collega_status add_mandate_run(struct apply *apply, CollegaStore__DealRow *row, const struct id *party,
                                           protobuf_c_boolean named, const ProtobufCBinaryData *mandate) {
  struct id record;
  struct bytes run;
  if (!named || !id_from(&record, mandate->data, mandate->len)) return COLLEGA_OK;
  enum collega_status status = member_run(apply->txn, party, &record, apply->arena, &run, apply->error);
  if (status != COLLEGA_OK || !run.data) return status;
  ProtobufCBinaryData *runs = arena_take(apply->arena, (row->n_mandate_runs + 1) * sizeof *runs);
  if (!runs) return no_memory(apply->error);
  if (row->n_mandate_runs) memcpy(runs, row->mandate_runs, row->n_mandate_runs * sizeof *runs);
  set_bytes(&runs[row->n_mandate_runs++], run.data, run.length);
  row->mandate_runs = runs;
  return COLLEGA_OK;
}

static enum collega_status signed_header(struct apply *apply, struct deal_view *view, const CollegaStore__SignedAct *act) {
  struct deal_event event = {.kind = DEAL_EVENT_SIGN, .deal = view->deal, .now = apply->event->time, .room = true,
                             .fits = true, .welcomed = true};
  enum collega_status status = step(apply, &view->root, &event);
  if (status == COLLEGA_OK) status = deal_view_read(apply->txn, &view->deal, apply->arena, view, apply->error);
  if (status == COLLEGA_OK)
    status = add_mandate_run(apply, view->row, &view->party, view->header->has_mandate, &view->header->mandate);
  if (status != COLLEGA_OK) return status;
  view->row->has_header_run = true;
  view->row->header_run = act->run;
  view->row->has_act = false;
  status = deal_row_put(apply->txn, view->row, apply->error);
  return status == COLLEGA_OK ? send_letter(apply, view, field_bytes(&act->envelope)) : status;
}

/* Signed once; a pending deal whose decider was restored has its acceptance sent again. */
static enum collega_status signed_acceptance(struct apply *apply, struct deal_view *view, const CollegaStore__SignedAct *act,
                                             const struct record *record) {
  enum collega_status status = COLLEGA_OK;
  if (view->row->state != COLLEGA_STORE__DEAL_STATE__DEAL_STATE_PENDING) {
    struct deal_event event = {.kind = DEAL_EVENT_ACCEPT_SIGN, .deal = view->deal, .now = apply->event->time, .room = true,
                               .fits = true, .welcomed = true};
    status = step(apply, &view->root, &event);
    if (status == COLLEGA_OK) status = deal_view_read(apply->txn, &view->deal, apply->arena, view, apply->error);
    if (status == COLLEGA_OK)
      status = add_mandate_run(apply, view->row, &view->party, record->body->acceptance->has_mandate,
                               &record->body->acceptance->mandate);
    if (status != COLLEGA_OK) return status;
    view->row->has_acceptance_run = true;
    view->row->acceptance_run = act->run;
    view->row->has_act = false;
    status = deal_row_put(apply->txn, view->row, apply->error);
    /* The proposer needs the acceptance itself for the proof: before the decider's word can reach it. */
    if (status == COLLEGA_OK && act->has_envelope) status = send_letter(apply, view, field_bytes(&act->envelope));
  }
  return status == COLLEGA_OK ? send_request(apply, view, field_bytes(&act->run), &record->id) : status;
}

/* Past accept_by one question in an epoch is enough: the decider answers every one that it gets. */
static enum collega_status note_asked(struct apply *apply, const struct deal_view *view) {
  struct negotiation negotiation;
  CollegaStore__RootRow *row;
  if (apply->event->time < view->row->accept_by) return COLLEGA_OK;
  enum collega_status status = negotiation_load(apply->txn, &view->root, apply->arena, &negotiation, &row, apply->error);
  if (status != COLLEGA_OK) return status;
  view->row->has_ask_sent_epoch = true;
  view->row->ask_sent_epoch = negotiation.epoch_number;
  return deal_row_put(apply->txn, view->row, apply->error);
}

static enum collega_status signed_request(struct apply *apply, struct deal_view *view, const CollegaStore__SignedAct *act,
                                          const struct record *record) {
  enum collega_status status = act->kind == COLLEGA_STORE__ACT_KIND__ACT_KIND_ASK ? note_asked(apply, view) : COLLEGA_OK;
  if (status == COLLEGA_OK && act->kind != COLLEGA_STORE__ACT_KIND__ACT_KIND_ASK) {
    view->row->has_act = false;
    status = deal_row_put(apply->txn, view->row, apply->error);
  }
  return status == COLLEGA_OK ? send_request(apply, view, field_bytes(&act->run), &record->id) : status;
}

enum collega_status apply_signed(struct apply *apply) {
  ProtobufCMessage *message;
  struct deal_view view;
  struct run_view run;
  struct id deal;
  enum collega_status status = apply_payload(apply, &collega_store__signed_act__descriptor, &message);
  if (status != COLLEGA_OK) return status;
  const CollegaStore__SignedAct *act = (const CollegaStore__SignedAct *)message;
  if (!id_from(&deal, act->deal.data, act->deal.len)) return row_damaged(apply->error, "act");
  status = deal_view_read(apply->txn, &deal, apply->arena, &view, apply->error);
  if (status == COLLEGA_NOT_FOUND) return row_damaged(apply->error, "deals");
  if (status == COLLEGA_OK) status = run_read_bytes(field_bytes(&act->run), apply->arena, &run, apply->error);
  if (status != COLLEGA_OK) return status;
  switch (act->kind) {
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_PROPOSE: return signed_header(apply, &view, act);
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_ACCEPT:
    if (!run.records[0].body->acceptance) break;
    return signed_acceptance(apply, &view, act, &run.records[0]);
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_DECLINE:
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_WITHDRAW:
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_ASK: return signed_request(apply, &view, act, &run.records[0]);
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_TERMINATE:
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE:
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE_ANSWER:
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_EPOCH_ANSWER:
  case _COLLEGA_STORE__ACT_KIND_IS_INT_SIZE: break;
  }
  return row_damaged(apply->error, "act");
}

/* ---- what came in */

static enum collega_status take_proposal(struct apply *apply, const Collega__Letter *letter, const struct run_view *header) {
  CollegaStore__DealRow row, *known;
  struct deal_view view;
  struct bytes packed;
  const struct record *record = &header->records[0];
  enum collega_status status = deal_row(apply->txn, bytes_of(record->id.byte, ID_BYTES), apply->arena, &known, apply->error);
  if (status != COLLEGA_NOT_FOUND) return status; /* a proposal that is here already */
  status = new_row(apply, record->bytes, false, &row, &view);
  if (status == COLLEGA_OK) status = pack_into(apply->arena, &letter->terms->base, &packed, apply->error);
  if (status != COLLEGA_OK) return status;
  row.has_terms = true;
  set_bytes(&row.terms, packed.data, packed.length);
  status = pack_into(apply->arena, &header->run->base, &packed, apply->error);
  if (status != COLLEGA_OK) return status;
  row.has_header_run = true;
  set_bytes(&row.header_run, packed.data, packed.length);
  row.mandate_runs = arena_take(apply->arena, letter->n_runs * sizeof *row.mandate_runs);
  if (!row.mandate_runs) return no_memory(apply->error);
  for (size_t i = 0; status == COLLEGA_OK && i < letter->n_runs; i++) {
    struct run_view other;
    status = run_read(letter->runs[i], apply->arena, &other, apply->error);
    if (status != COLLEGA_OK || !other.records[0].body->mandate) continue;
    status = pack_into(apply->arena, &letter->runs[i]->base, &packed, apply->error);
    set_bytes(&row.mandate_runs[row.n_mandate_runs++], packed.data, packed.length);
  }
  return status == COLLEGA_OK ? add_deal(apply, &view, DEAL_EVENT_PROPOSAL) : status;
}

static enum collega_status take_acceptance(struct apply *apply, const struct run_view *run) {
  struct deal_view view;
  struct id deal;
  struct bytes packed;
  const Collega__Acceptance *acceptance = run->records[0].body->acceptance;
  if (!id_from(&deal, acceptance->deal.data, acceptance->deal.len)) return row_damaged(apply->error, "mail");
  enum collega_status status = deal_view_read(apply->txn, &deal, apply->arena, &view, apply->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status != COLLEGA_OK || view.row->has_acceptance_run) return status;
  status = pack_into(apply->arena, &run->run->base, &packed, apply->error);
  if (status != COLLEGA_OK) return status;
  view.row->has_acceptance_run = true;
  set_bytes(&view.row->acceptance_run, packed.data, packed.length);
  return deal_row_put(apply->txn, view.row, apply->error);
}

/* The decision's run beside the deal it is about, once. */
static enum collega_status keep_decision(struct apply *apply, const struct record *record, struct bytes packed_run) {
  CollegaStore__DealRow *row;
  enum collega_status status =
      deal_row(apply->txn, field_bytes(&record->body->decision->deal), apply->arena, &row, apply->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK; /* of a deal that never came here */
  if (status != COLLEGA_OK) return status;
  for (size_t i = 0; i < row->n_decisions; i++)
    if (bytes_equal(field_bytes(&row->decisions[i]), packed_run)) return COLLEGA_OK;
  ProtobufCBinaryData *decisions = arena_take(apply->arena, (row->n_decisions + 1) * sizeof *decisions);
  if (!decisions) return no_memory(apply->error);
  if (row->n_decisions) memcpy(decisions, row->decisions, row->n_decisions * sizeof *decisions);
  set_bytes(&decisions[row->n_decisions++], packed_run.data, packed_run.length);
  row->decisions = decisions;
  return deal_row_put(apply->txn, row, apply->error);
}

static enum collega_status take_decision(struct apply *apply, const struct run_view *run, struct bytes packed_run) {
  const struct record *record = &run->records[0];
  struct deal_event event;
  struct id root;
  if (!record->body->decision || !id_from(&root, record->body->decision->root.data, record->body->decision->root.len))
    return row_damaged(apply->error, "decision");
  enum collega_status status = decision_event(record, apply->event->time, apply->arena, &event, apply->error);
  if (status == COLLEGA_OK) status = keep_decision(apply, record, packed_run);
  return status == COLLEGA_OK ? step(apply, &root, &event) : status;
}

enum collega_status apply_decision(struct apply *apply) {
  struct run_view run;
  enum collega_status status = run_read_bytes(apply->event->payload, apply->arena, &run, apply->error);
  if (status == COLLEGA_OK) status = take_decision(apply, &run, apply->event->payload);
  return status == COLLEGA_OK ? apply_mailbox_cursor(apply) : status;
}

enum collega_status apply_letter_deals(struct apply *apply, const Collega__Letter *letter) {
  enum collega_status status = COLLEGA_OK;
  for (size_t i = 0; status == COLLEGA_OK && i < letter->n_runs; i++) {
    struct run_view run;
    struct bytes packed;
    status = run_read(letter->runs[i], apply->arena, &run, apply->error);
    if (status != COLLEGA_OK || run.count != 1) continue;
    const Collega__Body *body = run.records[0].body;
    if (body->deal && letter->terms) status = take_proposal(apply, letter, &run);
    if (status == COLLEGA_OK && body->acceptance) status = take_acceptance(apply, &run);
    if (status == COLLEGA_OK && body->decision) {
      status = pack_into(apply->arena, &letter->runs[i]->base, &packed, apply->error);
      if (status == COLLEGA_OK) status = take_decision(apply, &run, packed);
    }
  }
  return status;
}

/* ---- refused */

/* Whose message it was: the machine tells a proposal's end from that of a question. */
static enum collega_status act_of_item(struct apply *apply, const CollegaStore__OutboxItem *item, CollegaStore__ActKind *out) {
  *out = COLLEGA_STORE__ACT_KIND__ACT_KIND_PROPOSE;
  if (item->kind != COLLEGA_STORE__OUTBOX_KIND__OUTBOX_KIND_DECIDE) return COLLEGA_OK;
  const CollegaStore__DecideRuns *runs = (const CollegaStore__DecideRuns *)row_unpack(
      &collega_store__decide_runs__descriptor, field_bytes(&item->data), apply->arena);
  struct run_view run;
  if (!runs || runs->n_runs < 2) return row_damaged(apply->error, "outbox");
  enum collega_status status = run_read_bytes(field_bytes(&runs->runs[1]), apply->arena, &run, apply->error);
  if (status != COLLEGA_OK) return status;
  const Collega__Body *body = run.records[0].body;
  *out = body->acceptance ? COLLEGA_STORE__ACT_KIND__ACT_KIND_ACCEPT
         : body->decline  ? COLLEGA_STORE__ACT_KIND__ACT_KIND_DECLINE
         : body->withdraw ? COLLEGA_STORE__ACT_KIND__ACT_KIND_WITHDRAW
                          : COLLEGA_STORE__ACT_KIND__ACT_KIND_ASK;
  return COLLEGA_OK;
}

enum collega_status apply_deal_refused(struct apply *apply, const CollegaStore__OutboxItem *item, Collega__RefusalCode code) {
  struct deal_view view;
  struct deal_event event = {.now = apply->event->time};
  struct negotiation negotiation;
  struct deal_effects effects;
  CollegaStore__RootRow *row;
  if (!id_from(&event.deal, item->deal.data, item->deal.len)) return row_damaged(apply->error, "outbox");
  enum collega_status status = deal_view_read(apply->txn, &event.deal, apply->arena, &view, apply->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status == COLLEGA_OK) status = act_of_item(apply, item, &event.act);
  if (status == COLLEGA_OK) status = negotiation_load(apply->txn, &view.root, apply->arena, &negotiation, &row, apply->error);
  if (status != COLLEGA_OK) return status;
  event.kind = code == COLLEGA__REFUSAL_CODE__REFUSAL_CODE_UNKNOWN ? DEAL_EVENT_UNREACHABLE : DEAL_EVENT_REFUSED;
  /* The machine may have no use for it (a deal that is decided already): then nothing changes. */
  if (deal_step(&negotiation, &event, &effects, NULL) != COLLEGA_OK) return COLLEGA_OK;
  return step(apply, &view.root, &event);
}
