/* Acts that were signed, and what became of their messages: rows and outbox. */
#include "client/exchange/deal_rows.h"

#include <string.h>

#include "proto/guard.h"

/* ---- signed acts */

enum collega_status apply_send_letter(struct apply *apply, const struct deal_view *view,
                                      struct bytes envelope) {
  CollegaStore__OutboxItem item = COLLEGA_STORE__OUTBOX_ITEM__INIT;
  enum collega_status status = apply_envelope_item(apply, envelope, &item, NULL);
  if (status != COLLEGA_OK) return status;
  /* Only a proposal lives or dies with its letter; an acceptance is the decider's to take. */
  item.has_deal = !view->row->has_acceptance_run;
  item.deal = view->row->deal;
  return apply_send(apply, &item, NULL);
}

enum collega_status apply_send_runs(struct apply *apply, const struct deal_view *view,
                                    const ProtobufCBinaryData *runs, size_t count,
                                    const struct id *key) {
  CollegaStore__OutboxItem item = COLLEGA_STORE__OUTBOX_ITEM__INIT;
  CollegaStore__DecideRuns decide = COLLEGA_STORE__DECIDE_RUNS__INIT;
  struct bytes packed;
  ProtobufCBinaryData *all = arena_take(apply->arena, (count + 1) * sizeof *all);
  if (!all) return exchange_no_memory(apply->error);
  all[0] = view->row->header_run;
  memcpy(all + 1, runs, count * sizeof *runs);
  decide.n_runs = count + 1;
  decide.runs = all;
  enum collega_status status = exchange_pack(apply->arena, &decide.base, &packed, apply->error);
  if (status != COLLEGA_OK) return status;
  item.kind = COLLEGA_STORE__OUTBOX_KIND__OUTBOX_KIND_DECIDE;
  field_set(&item.data, packed.data, packed.length);
  field_set_id(&item.key, key);
  item.open = 1;
  item.has_deal = item.has_decider = true;
  item.deal = view->row->deal;
  field_set_id(&item.decider, &view->decider);
  return apply_send(apply, &item, NULL);
}

enum collega_status apply_send_request(struct apply *apply, const struct deal_view *view,
                                       struct bytes act_run, const struct id *act) {
  ProtobufCBinaryData run;
  if (!view->row->has_header_run) return exchange_row_damaged(apply->error, "deals");
  field_set(&run, act_run.data, act_run.length);
  return apply_send_runs(apply, view, &run, 1, act);
}

/* Our mandate's run goes beside the deal: the proof shows it even where the board's copy is
 * gone. */
enum collega_status apply_add_mandate(struct apply *apply, CollegaStore__DealRow *row,
                                      const struct id *party, protobuf_c_boolean named,
                                      const ProtobufCBinaryData *mandate) {
  struct id record;
  struct bytes run;
  if (!named || !id_from(&record, mandate->data, mandate->len)) return COLLEGA_OK;
  enum collega_status status =
      exchange_member_run(apply->txn, party, &record, apply->arena, &run, apply->error);
  if (status != COLLEGA_OK || !run.data) return status;
  ProtobufCBinaryData *runs = arena_take(apply->arena, (row->n_mandate_runs + 1) * sizeof *runs);
  if (!runs) return exchange_no_memory(apply->error);
  if (row->n_mandate_runs) memcpy(runs, row->mandate_runs, row->n_mandate_runs * sizeof *runs);
  field_set(&runs[row->n_mandate_runs++], run.data, run.length);
  row->mandate_runs = runs;
  return COLLEGA_OK;
}

static enum collega_status signed_header(struct apply *apply, struct deal_view *view,
                                         const CollegaStore__SignedAct *act) {
  struct deal_event event = {.kind = DEAL_EVENT_SIGN,
                             .deal = view->deal,
                             .now = apply->event->time,
                             .room = true,
                             .fits = true,
                             .welcomed = true};
  enum collega_status status = apply_deal_step(apply, &view->root, &event);
  if (status == COLLEGA_OK)
    status =
        deal_view_read(apply->txn, &apply->party, &view->deal, apply->arena, view, apply->error);
  if (status == COLLEGA_OK)
    status = apply_add_mandate(apply, view->row, &view->party, view->header->has_mandate,
                               &view->header->mandate);
  if (status != COLLEGA_OK) return status;
  view->row->has_header_run = true;
  view->row->header_run = act->run;
  view->row->has_act = false;
  view->row->has_letter_entry = true;
  view->row->letter_entry = apply->event->number;
  status = deal_row_put(apply->txn, view->row, apply->error);
  if (status == COLLEGA_OK && act->has_envelope_hash)
    return apply_send_erased(apply, &act->envelope_hash, &view->row->deal);
  return status == COLLEGA_OK ? apply_send_letter(apply, view, field_bytes(&act->envelope))
                              : status;
}

/* Signed once; a pending deal whose decider was restored has its acceptance sent again. */
static enum collega_status signed_acceptance(struct apply *apply, struct deal_view *view,
                                             const CollegaStore__SignedAct *act,
                                             const struct record *record) {
  enum collega_status status = COLLEGA_OK;
  if (view->row->state != COLLEGA_STORE__DEAL_STATE__DEAL_STATE_PENDING) {
    struct deal_event event = {.kind = DEAL_EVENT_ACCEPT_SIGN,
                               .deal = view->deal,
                               .now = apply->event->time,
                               .room = true,
                               .fits = true,
                               .welcomed = true};
    status = apply_deal_step(apply, &view->root, &event);
    if (status == COLLEGA_OK)
      status =
          deal_view_read(apply->txn, &apply->party, &view->deal, apply->arena, view, apply->error);
    if (status == COLLEGA_OK)
      status =
          apply_add_mandate(apply, view->row, &view->party, record->body->acceptance->has_mandate,
                            &record->body->acceptance->mandate);
    if (status == COLLEGA_OK)
      status = deal_row_accepted(view->row, &act->run, true, apply->arena, apply->error);
    if (status != COLLEGA_OK) return status;
    view->row->has_act = false;
    view->row->has_letter_entry = view->row->has_letter_entry || act->has_envelope;
    if (act->has_envelope) view->row->letter_entry = apply->event->number;
    status = deal_row_put(apply->txn, view->row, apply->error);
    /* The proposer needs the acceptance itself for the proof: before the decider's word can
     * reach it. */
    if (status == COLLEGA_OK && act->has_envelope)
      status = apply_send_letter(apply, view, field_bytes(&act->envelope));
  }
  return status == COLLEGA_OK ? apply_send_request(apply, view, field_bytes(&act->run), &record->id)
                              : status;
}

/* Past accept_by one question in an epoch is enough: the decider answers every one that it gets. */
static enum collega_status note_asked(struct apply *apply, const struct deal_view *view) {
  struct negotiation negotiation;
  CollegaStore__RootRow *row;
  if (apply->event->time < view->row->accept_by) return COLLEGA_OK;
  enum collega_status status = negotiation_load(apply->txn, &apply->party, &view->root,
                                                apply->arena, &negotiation, &row, apply->error);
  if (status != COLLEGA_OK) return status;
  view->row->has_ask_sent_epoch = true;
  view->row->ask_sent_epoch = negotiation.epoch_number;
  return deal_row_put(apply->txn, view->row, apply->error);
}

static enum collega_status signed_request(struct apply *apply, struct deal_view *view,
                                          const CollegaStore__SignedAct *act,
                                          const struct record *record) {
  enum collega_status status =
      act->kind == COLLEGA_STORE__ACT_KIND__ACT_KIND_ASK ? note_asked(apply, view) : COLLEGA_OK;
  if (status == COLLEGA_OK && act->kind != COLLEGA_STORE__ACT_KIND__ACT_KIND_ASK) {
    view->row->has_act = false;
    status = deal_row_put(apply->txn, view->row, apply->error);
  }
  return status == COLLEGA_OK ? apply_send_request(apply, view, field_bytes(&act->run), &record->id)
                              : status;
}

/* "I hold none", of a root that has no header here: the answer goes alone. */
static enum collega_status answer_alone(struct apply *apply, const ProtobufCBinaryData *run,
                                        const struct id *key) {
  CollegaStore__OutboxItem item = COLLEGA_STORE__OUTBOX_ITEM__INIT;
  CollegaStore__DecideRuns runs = COLLEGA_STORE__DECIDE_RUNS__INIT;
  ProtobufCBinaryData only = *run;
  struct bytes packed;
  runs.n_runs = 1;
  runs.runs = &only;
  enum collega_status status = exchange_pack(apply->arena, &runs.base, &packed, apply->error);
  if (status != COLLEGA_OK) return status;
  item.kind = COLLEGA_STORE__OUTBOX_KIND__OUTBOX_KIND_DECIDE;
  field_set(&item.data, packed.data, packed.length);
  field_set_id(&item.key, key);
  item.open = 1;
  item.has_decider = apply->event->counterpart != NULL;
  if (item.has_decider) field_set_id(&item.decider, apply->event->counterpart);
  return apply_send(apply, &item, NULL);
}

enum collega_status apply_signed(struct apply *apply) {
  ProtobufCMessage *message;
  struct deal_view view;
  struct run_view run;
  struct id deal;
  enum collega_status status =
      apply_payload(apply, &collega_store__signed_act__descriptor, &message);
  if (status != COLLEGA_OK) return status;
  const CollegaStore__SignedAct *act = (const CollegaStore__SignedAct *)message;
  if (!id_from(&deal, act->deal.data, act->deal.len))
    return exchange_row_damaged(apply->error, "act");
  status = run_read_bytes(field_bytes(&act->run), apply->arena, &run, apply->error);
  if (status == COLLEGA_OK)
    status = deal_view_read(apply->txn, &apply->party, &deal, apply->arena, &view, apply->error);
  if (status == COLLEGA_NOT_FOUND && act->kind == COLLEGA_STORE__ACT_KIND__ACT_KIND_EPOCH_ANSWER)
    return answer_alone(apply, &act->run, &run.records[0].id);
  if (status == COLLEGA_NOT_FOUND) return exchange_row_damaged(apply->error, "deals");
  if (status != COLLEGA_OK) return status;
  switch (act->kind) {
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_PROPOSE:
    return signed_header(apply, &view, act);
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_ACCEPT:
    if (!run.records[0].body->acceptance) break;
    return signed_acceptance(apply, &view, act, &run.records[0]);
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_DECLINE:
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_WITHDRAW:
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_ASK:
    return signed_request(apply, &view, act, &run.records[0]);
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_EPOCH_ANSWER: /* about the root: it moves no deal */
    return apply_send_request(apply, &view, field_bytes(&act->run), &run.records[0].id);
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_TERMINATE:
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE:
  case COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE_ANSWER:
    return apply_signed_change(apply, &view, act, &run.records[0]);
  case _COLLEGA_STORE__ACT_KIND_IS_INT_SIZE:
    break;
  }
  return exchange_row_damaged(apply->error, "act");
}

/* ---- refused */

/* Whose message it was: the machine tells a proposal's end from that of a question. */
static enum collega_status act_of_item(struct apply *apply, const CollegaStore__OutboxItem *item,
                                       CollegaStore__ActKind *out) {
  *out = COLLEGA_STORE__ACT_KIND__ACT_KIND_PROPOSE;
  if (item->kind != COLLEGA_STORE__OUTBOX_KIND__OUTBOX_KIND_DECIDE) return COLLEGA_OK;
  const CollegaStore__DecideRuns *runs = (const CollegaStore__DecideRuns *)row_unpack(
      &collega_store__decide_runs__descriptor, field_bytes(&item->data), apply->arena);
  struct run_view run;
  if (!runs || runs->n_runs < 2) return exchange_row_damaged(apply->error, "outbox");
  enum collega_status status =
      run_read_bytes(field_bytes(&runs->runs[1]), apply->arena, &run, apply->error);
  if (status != COLLEGA_OK) return status;
  const Collega__Body *body = run.records[0].body;
  *out = body->acceptance  ? COLLEGA_STORE__ACT_KIND__ACT_KIND_ACCEPT
         : body->decline   ? COLLEGA_STORE__ACT_KIND__ACT_KIND_DECLINE
         : body->withdraw  ? COLLEGA_STORE__ACT_KIND__ACT_KIND_WITHDRAW
         : body->terminate ? COLLEGA_STORE__ACT_KIND__ACT_KIND_TERMINATE
         : body->release   ? COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE
                           : COLLEGA_STORE__ACT_KIND__ACT_KIND_ASK;
  return COLLEGA_OK;
}

enum collega_status apply_deal_refused(struct apply *apply, const CollegaStore__OutboxItem *item,
                                       const Collega__Refusal *refusal) {
  struct deal_view view;
  struct deal_event event = {.now = apply->event->time};
  struct negotiation negotiation;
  struct deal_effects effects;
  CollegaStore__RootRow *row;
  /* Refusals are told to the home. */
  if (!id_from(&event.deal, item->deal.data, item->deal.len) ||
      !id_from(&apply->party, item->party.data, item->party.len))
    return exchange_row_damaged(apply->error, "outbox");
  enum collega_status status =
      deal_view_read(apply->txn, &apply->party, &event.deal, apply->arena, &view, apply->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status == COLLEGA_OK) status = act_of_item(apply, item, &event.act);
  if (status == COLLEGA_OK)
    status = negotiation_load(apply->txn, &apply->party, &view.root, apply->arena, &negotiation,
                              &row, apply->error);
  if (status != COLLEGA_OK) return status;
  /* An amendment came first: the machine signs anew when it hears of that, nothing is lost. */
  if (act_outlives_deal(event.act)) return outbox_forget(apply->txn, item->number, apply->error);
  event.kind = refusal->code == COLLEGA__REFUSAL_CODE__REFUSAL_CODE_UNKNOWN ? DEAL_EVENT_UNREACHABLE
                                                                            : DEAL_EVENT_REFUSED;
  /* The machine may have no use for it (a deal that is decided already): then nothing changes. */
  if (deal_step(&negotiation, &event, &effects, NULL) != COLLEGA_OK) return COLLEGA_OK;
  status = apply_deal_step(apply, &view.root, &event);
  if (status == COLLEGA_OK)
    status =
        deal_view_read(apply->txn, &apply->party, &event.deal, apply->arena, &view, apply->error);
  if (status != COLLEGA_OK || event.act != COLLEGA_STORE__ACT_KIND__ACT_KIND_ACCEPT ||
      view.row->state != COLLEGA_STORE__DEAL_STATE__DEAL_STATE_RECEIVED)
    return status;
  view.row->why = refusal->rule; /* why it stands there again, until it is accepted anew or ends */
  return deal_row_put(apply->txn, view.row, apply->error);
}
