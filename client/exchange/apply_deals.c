/* Deals: what entries change in negotiations, holds and the outbox. The deal machine decides;
 * here its effects become rows. Effects that ask for a signature are not done here: signing.c
 * makes an entry of each, and that comes back. */
#include "client/exchange/deal_rows.h"

#include <string.h>

#include "base/words.h"
#include "proto/guard.h"

/* ---- effects */

static bool own_subject(const struct deal_view *view, struct short_id *out) {
  const ProtobufCBinaryData *subject =
      view->own->has_offer ? &view->own->offer : &view->own->capacity;
  return short_id_from(out, subject->data, subject->len);
}

static enum collega_status drop_hold(struct apply *apply, const struct deal_view *view) {
  struct short_id subject;
  if (!own_subject(view, &subject)) return exchange_row_damaged(apply->error, "deals");
  return holds_drop(apply->txn, &view->party, &subject, &view->root, &view->deal, apply->error);
}

static enum collega_status put_hold(struct apply *apply, const struct deal_view *view, bool agreed,
                                    const collega_date *until) {
  CollegaStore__Hold hold;
  enum collega_status status = deal_row_hold(view, apply->arena, &hold, apply->error);
  if (status != COLLEGA_OK) return status;
  hold.agreed = agreed;
  if (until && *until < hold.until) hold.until = *until;
  if (hold.until < hold.from) return drop_hold(apply, view); /* ended before it began */
  return holds_put(apply->txn, &hold, apply->error);
}

/* A DECISION may conclude what this ledger never held (a restored home): then it is agreed at
 * once. */
static enum collega_status agree_hold(struct apply *apply, const struct deal_view *view) {
  struct short_id subject;
  if (!own_subject(view, &subject)) return exchange_row_damaged(apply->error, "deals");
  enum collega_status status =
      holds_agree(apply->txn, &view->party, &subject, &view->root, &view->deal, apply->error);
  return status == COLLEGA_NOT_FOUND ? put_hold(apply, view, true, NULL) : status;
}

/* Parts of the deal ended: what is agreed for it, until whatever day, is fewer people from then on. */
static enum collega_status reduce_hold(struct apply *apply, struct deal_view *view,
                                       const struct deal_effect *effect) {
  struct short_id subject;
  CollegaStore__Hold *hold;
  if (!own_subject(view, &subject)) return exchange_row_damaged(apply->error, "deals");
  enum collega_status status = apply_reductions(apply, view, effect);
  if (status == COLLEGA_OK)
    status = holds_find(apply->txn, &view->party, &subject, &view->root, &view->deal, apply->arena,
                        &hold, apply->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status != COLLEGA_OK || !hold->agreed) return status;
  collega_date until = hold->until;
  return put_hold(apply, view, true, &until);
}

/* A deal that is decided has no act left to sign. */
static enum collega_status drop_act_if_over(struct apply *apply,
                                            const struct negotiation *negotiation,
                                            const struct deal_view *view) {
  for (size_t i = 0; i < negotiation->count; i++) {
    const struct deal_slot *slot = &negotiation->deals[i];
    if (!id_equal(&slot->deal, &view->deal)) continue;
    bool over = slot->phase == PHASE_VOID || slot->phase == PHASE_CONCLUDED ||
                slot->phase == PHASE_RELEASED || slot->phase == PHASE_TERMINATED;
    if (!over || !view->row->has_act) return COLLEGA_OK;
    const CollegaStore__DealAct *act = (const CollegaStore__DealAct *)row_unpack(
        &collega_store__deal_act__descriptor, field_bytes(&view->row->act), apply->arena);
    if (!act) return exchange_row_damaged(apply->error, "deals");
    if (act_outlives_deal(act->kind)) return COLLEGA_OK;
    view->row->has_act = false;
    return deal_row_put(apply->txn, view->row, apply->error);
  }
  return COLLEGA_OK;
}

static enum collega_status do_effect(struct apply *apply, const struct negotiation *negotiation,
                                     const struct deal_effect *effect) {
  struct deal_view view;
  enum collega_status status;
  switch (effect->kind) {
  case DEAL_EFFECT_HOLD:
  case DEAL_EFFECT_HOLD_DROP:
  case DEAL_EFFECT_HOLD_AGREE:
  case DEAL_EFFECT_HOLD_END:
  case DEAL_EFFECT_HOLD_REDUCE:
  case DEAL_EFFECT_CHANGED:
  case DEAL_EFFECT_SIGN_TERMINATE:
  case DEAL_EFFECT_SIGN_RELEASE:
  case DEAL_EFFECT_SIGN_RELEASE_ANSWER:
    break;
  case DEAL_EFFECT_LODGE_RELEASE:
    return apply_lodge_release(apply, &negotiation->root);
  case DEAL_EFFECT_SIGN_HEADER:
  case DEAL_EFFECT_SIGN_ACCEPT:
  case DEAL_EFFECT_SIGN_DECLINE:
  case DEAL_EFFECT_SIGN_WITHDRAW:
  case DEAL_EFFECT_SIGN_ASK:
  case DEAL_EFFECT_SIGN_EPOCH_ANSWER:
    return COLLEGA_OK;
  }
  if (id_is_zero(&effect->deal))
    return COLLEGA_OK; /* the root's own change: its row is stored anyway */
  status =
      deal_view_read(apply->txn, &apply->party, &effect->deal, apply->arena, &view, apply->error);
  if (status == COLLEGA_NOT_FOUND) return exchange_row_damaged(apply->error, "deals");
  if (status != COLLEGA_OK) return status;
  if (effect->kind == DEAL_EFFECT_HOLD) return put_hold(apply, &view, false, NULL);
  if (effect->kind == DEAL_EFFECT_HOLD_DROP) return drop_hold(apply, &view);
  if (effect->kind == DEAL_EFFECT_HOLD_AGREE) return agree_hold(apply, &view);
  if (effect->kind == DEAL_EFFECT_HOLD_END) return put_hold(apply, &view, true, &effect->effective);
  if (effect->kind == DEAL_EFFECT_HOLD_REDUCE) return reduce_hold(apply, &view, effect);
  if (effect->kind != DEAL_EFFECT_CHANGED) return apply_change_wanted(apply, &view, effect);
  return drop_act_if_over(apply, negotiation, &view);
}

enum collega_status apply_deal_step(struct apply *apply, const struct id *root,
                                    const struct deal_event *event) {
  struct negotiation negotiation;
  struct deal_effects effects;
  CollegaStore__RootRow *row;
  enum collega_status status = negotiation_load(apply->txn, &apply->party, root, apply->arena,
                                                &negotiation, &row, apply->error);
  if (status != COLLEGA_OK) return status;
  if (!row) return exchange_row_damaged(apply->error, "roots");
  status = deal_step(&negotiation, event, &effects, apply->error);
  if (status == COLLEGA_OK)
    status = negotiation_store(apply->txn, &negotiation, row, apply->arena, apply->error);
  for (size_t i = 0; status == COLLEGA_OK && i < effects.count; i++)
    status = do_effect(apply, &negotiation, &effects.effect[i]);
  return status;
}

/* ---- a new deal */

static enum collega_status put_capacity(struct apply *apply,
                                        const CollegaStore__Capacity *capacity) {
  if (!capacity) return COLLEGA_OK;
  return row_put(apply->txn, TABLE_CAPACITIES, field_bytes(&capacity->capacity), &capacity->base,
                 apply->error);
}

enum collega_status apply_new_row(struct apply *apply, struct bytes body, bool mine,
                                  CollegaStore__DealRow *row, struct deal_view *view) {
  const Collega__Body *read;
  struct id deal;
  enum collega_status status = body_of_bytes(body, apply->arena, &read, apply->error);
  if (status != COLLEGA_OK) return status;
  if (!read->deal || read->deal->n_edges != 1) return exchange_row_damaged(apply->error, "deals");
  const Collega__Edge *edge = read->deal->edges[0];
  record_id(&deal, body);
  const struct id *kept = arena_copy(apply->arena, &deal, sizeof deal);
  const struct id *party = arena_copy(apply->arena, &apply->party, sizeof *party);
  if (!kept || !party) return exchange_no_memory(apply->error);
  collega_store__deal_row__init(row);
  field_set_id(&row->deal, kept);
  row->root = read->deal->root;
  field_set_id(&row->party, party);
  row->lends = field_is(&edge->lender, party);
  row->counterparty = row->lends ? edge->borrower : edge->lender;
  row->mine = mine;
  row->state = COLLEGA_STORE__DEAL_STATE__DEAL_STATE_DRAFT;
  field_set(&row->header, body.data, body.length);
  row->accept_by = read->deal->accept_by;
  row->time = apply->event->time;
  row->entry = apply->event->number;
  row->offers = arena_take(apply->arena, 2 * sizeof *row->offers);
  if (!row->offers) return exchange_no_memory(apply->error);
  if (edge->lends->has_offer) row->offers[row->n_offers++] = edge->lends->offer;
  if (edge->borrows->has_offer) row->offers[row->n_offers++] = edge->borrows->offer;
  return deal_view_of(row, apply->arena, view, apply->error);
}

/* The root's row, made when this is its first header; the deal is listed in it. */
static enum collega_status list_in_root(struct apply *apply, const struct deal_view *view,
                                        CollegaStore__RootRow **out) {
  CollegaStore__RootRow *row;
  CollegaStore__BrokerRow *broker;
  enum collega_status status =
      root_row(apply->txn, &apply->party, bytes_of(view->root.byte, ID_BYTES), apply->arena, &row,
               apply->error);
  if (status == COLLEGA_NOT_FOUND) {
    row = arena_take(apply->arena, sizeof *row);
    if (!row) return exchange_no_memory(apply->error);
    collega_store__root_row__init(row);
    row->root = view->row->root;
    row->decider = view->header->decider;
    row->decider_epoch = view->header->decider_epoch;
    row->has_thread = row->has_party = true;
    row->thread = view->header->thread;
    row->party = view->row->party;
    status = exchange_broker(apply->txn, apply->arena, &broker, apply->error);
    if (status == COLLEGA_OK && broker &&
        bytes_equal(field_bytes(&broker->broker), field_bytes(&row->decider)) &&
        bytes_equal(field_bytes(&broker->epoch), field_bytes(&row->decider_epoch))) {
      row->has_decider_epoch_number = true;
      row->decider_epoch_number = broker->epoch_number;
    } else if (status == COLLEGA_OK && broker && broker->epoch_number > 1 &&
               bytes_equal(field_bytes(&broker->broker), field_bytes(&row->decider))) {
      row->has_decider_epoch_number = true; /* not the current one: an older one */
      row->decider_epoch_number = broker->epoch_number - 1;
    }
  }
  if (status != COLLEGA_OK) return status;
  ProtobufCBinaryData *deals = arena_take(apply->arena, (row->n_deals + 1) * sizeof *deals);
  if (!deals) return exchange_no_memory(apply->error);
  if (row->n_deals) memcpy(deals, row->deals, row->n_deals * sizeof *deals);
  deals[row->n_deals++] = view->row->deal;
  row->deals = deals;
  *out = row;
  return COLLEGA_OK;
}

/* The machine learns of the deal by the event itself, so the row that it will change must stand
 * before the negotiation is stored, and must not be listed in the root when it is loaded. */
enum collega_status apply_add_deal(struct apply *apply, const struct deal_view *view,
                                   enum deal_event_kind kind) {
  struct negotiation negotiation;
  struct deal_effects effects;
  struct deal_event event;
  CollegaStore__RootRow *row;
  enum collega_status status = negotiation_load(apply->txn, &apply->party, &view->root,
                                                apply->arena, &negotiation, &row, apply->error);
  if (status == COLLEGA_OK) status = list_in_root(apply, view, &row);
  if (status != COLLEGA_OK) return status;
  if (negotiation.count == 0 && id_is_zero(&negotiation.decider)) {
    negotiation.decider = view->decider;
    negotiation.root_epoch_number = row->decider_epoch_number;
    negotiation.epoch_number = row->decider_epoch_number;
  }
  header_event(view, kind, apply->event->time, &event);
  event.room = event.fits = true;                        /* judged before the entry was written */
  event.act = COLLEGA_STORE__ACT_KIND__ACT_KIND_PROPOSE; /* of a COPY */
  status = deal_step(&negotiation, &event, &effects, apply->error);
  if (status == COLLEGA_OK) status = deal_row_put(apply->txn, view->row, apply->error);
  if (status == COLLEGA_OK)
    status = negotiation_store(apply->txn, &negotiation, row, apply->arena, apply->error);
  for (size_t i = 0; status == COLLEGA_OK && i < effects.count; i++)
    status = do_effect(apply, &negotiation, &effects.effect[i]);
  return status;
}

/* ---- drafts */

static enum collega_status draft_proposal(struct apply *apply, const CollegaStore__DealAct *act) {
  CollegaStore__DealRow row;
  struct deal_view view;
  enum collega_status status = put_capacity(apply, act->capacity);
  if (status == COLLEGA_OK)
    status = apply_new_row(apply, field_bytes(&act->body), true, &row, &view);
  if (status != COLLEGA_OK) return status;
  row.has_terms = act->has_terms;
  row.terms = act->terms;
  row.has_act = true;
  field_set(&row.act, apply->event->payload.data, apply->event->payload.length);
  return apply_add_deal(apply, &view, DEAL_EVENT_DRAFT);
}

/* Accept, decline and withdraw: the machine hears of them when the user acts; the signature
 * follows. */
static enum collega_status draft_answer(struct apply *apply, const CollegaStore__DealAct *act,
                                        enum deal_event_kind kind) {
  struct deal_view view;
  struct deal_event event = {.kind = kind, .now = apply->event->time, .room = true, .fits = true};
  if (!id_from(&event.deal, act->deal.data, act->deal.len))
    return exchange_row_damaged(apply->error, "act");
  enum collega_status status =
      deal_view_read(apply->txn, &apply->party, &event.deal, apply->arena, &view, apply->error);
  if (status == COLLEGA_NOT_FOUND) return exchange_row_damaged(apply->error, "deals");
  if (status == COLLEGA_OK) status = apply_deal_step(apply, &view.root, &event);
  if (status == COLLEGA_OK)
    status =
        deal_view_read(apply->txn, &apply->party, &event.deal, apply->arena, &view, apply->error);
  if (status != COLLEGA_OK) return status;
  view.row->has_act = true;
  view.row->why = NULL;
  field_set(&view.row->act, apply->event->payload.data, apply->event->payload.length);
  return deal_row_put(apply->txn, view.row, apply->error);
}

enum collega_status apply_draft(struct apply *apply) {
  ProtobufCMessage *message;
  enum collega_status status = apply_payload(apply, &collega_store__deal_act__descriptor, &message);
  if (status != COLLEGA_OK) return status;
  const CollegaStore__DealAct *act = (const CollegaStore__DealAct *)message;
  switch (act->kind) {
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_PROPOSE:
    return draft_proposal(apply, act);
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_ACCEPT:
    return draft_answer(apply, act, DEAL_EVENT_ACCEPT);
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_DECLINE:
    return draft_answer(apply, act, DEAL_EVENT_DECLINE);
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_WITHDRAW:
    return draft_answer(apply, act, DEAL_EVENT_WITHDRAW);
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_TERMINATE:
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE:
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE_ANSWER:
    return apply_draft_change(apply, act);
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_ASK:
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_EPOCH_ANSWER:
  case _COLLEGA_STORE__ACT_KIND_IS_INT_SIZE:
    break;
  }
  return exchange_row_damaged(apply->error, "act");
}

enum collega_status apply_act_dropped(struct apply *apply) {
  ProtobufCMessage *message;
  struct deal_view view;
  struct deal_event event = {.kind = DEAL_EVENT_DROP_DRAFT, .now = apply->event->time};
  enum collega_status status =
      apply_payload(apply, &collega_store__act_dropped__descriptor, &message);
  if (status != COLLEGA_OK) return status;
  const CollegaStore__ActDropped *dropped = (const CollegaStore__ActDropped *)message;
  if (!id_from(&event.deal, dropped->deal.data, dropped->deal.len))
    return exchange_row_damaged(apply->error, "act");
  status =
      deal_view_read(apply->txn, &apply->party, &event.deal, apply->arena, &view, apply->error);
  if (status == COLLEGA_NOT_FOUND) return exchange_row_damaged(apply->error, "deals");
  event.why = rule_from_name(dropped->why);
  if (status == COLLEGA_OK && !act_outlives_deal(dropped->kind))
    status = apply_deal_step(apply, &view.root, &event);
  if (status == COLLEGA_OK)
    status =
        deal_view_read(apply->txn, &apply->party, &event.deal, apply->arena, &view, apply->error);
  if (status != COLLEGA_OK) return status;
  view.row->has_act = false;
  if (dropped->kind == COLLEGA_STORE__ACT_KIND__ACT_KIND_TERMINATE) {
    status = deal_row_put(apply->txn, view.row, apply->error);
    return status == COLLEGA_OK ? apply_terminate_dropped(apply, &view, dropped->why) : status;
  }
  if (dropped->kind == COLLEGA_STORE__ACT_KIND__ACT_KIND_ACCEPT &&
      view.row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_RECEIVED)
    view.row->why = dropped->why; /* until it is accepted again, or ends */
  return deal_row_put(apply->txn, view.row, apply->error);
}
