/* This home was restored: what was fetched becomes rows again. And what the decider asks after a restore of
 * its own. */
#include "client/exchange/deal_rows.h"
#include "client/exchange/talk.h"

#include <string.h>

#include "proto/guard.h"

/* ---- this home was restored: copies of what it had signed */

/* A capacity that was made to fit its proposal (`propose --to`) is in the terms. */
static enum collega_status restore_capacity(struct apply *apply, const struct deal_view *view) {
  CollegaStore__Capacity row = COLLEGA_STORE__CAPACITY__INIT;
  Collega__Terms *terms;
  struct bytes value;
  if (view->own->has_offer) return COLLEGA_OK;
  enum collega_status status = table_get(apply->txn, TABLE_CAPACITIES,
                                         field_bytes(&view->own->capacity), &value, apply->error);
  if (status != COLLEGA_NOT_FOUND) return status;
  status = deal_terms(view->row, apply->arena, &terms, apply->error);
  if (status != COLLEGA_OK) return status;
  row.capacity = view->own->capacity;
  row.party = view->row->party;
  row.headcount = terms->work->headcount;
  row.from = terms->work->from;
  row.has_until = terms->work->has_until;
  row.until = terms->work->until;
  row.hours_per_week = terms->work->hours_per_week;
  return row_put(apply->txn, TABLE_CAPACITIES, field_bytes(&row.capacity), &row.base, apply->error);
}

static enum collega_status fill_header(struct apply *apply, struct deal_view *view,
                                       const struct run_view *run, const Collega__Letter *letter) {
  struct bytes packed;
  enum collega_status status = exchange_pack(apply->arena, &run->run->base, &packed, apply->error);
  if (status != COLLEGA_OK) return status;
  view->row->has_header_run = true;
  field_set(&view->row->header_run, packed.data, packed.length);
  status = exchange_pack(apply->arena, &letter->terms->base, &packed, apply->error);
  view->row->has_terms = true;
  field_set(&view->row->terms, packed.data, packed.length);
  view->row->has_act = false;
  view->row->has_letter_entry = true;
  view->row->letter_entry = apply->event->number;
  return status == COLLEGA_OK ? apply_add_mandate(apply, view->row, &view->party,
                                                  view->header->has_mandate, &view->header->mandate)
                              : status;
}

static enum collega_status copy_header(struct apply *apply, const struct run_view *run,
                                       const Collega__Letter *letter) {
  CollegaStore__DealRow row;
  struct deal_view view;
  struct deal_event event;
  const struct record *record = &run->records[0];
  if (!letter || !letter->terms) return COLLEGA_OK;
  enum collega_status status =
      deal_view_read(apply->txn, &apply->party, &record->id, apply->arena, &view, apply->error);
  bool fresh = status == COLLEGA_NOT_FOUND;
  if (fresh) status = apply_new_row(apply, record->bytes, true, &row, &view);
  if (status != COLLEGA_OK || view.row->has_header_run) return status;
  status = fill_header(apply, &view, run, letter);
  if (status == COLLEGA_OK) status = restore_capacity(apply, &view);
  if (status != COLLEGA_OK) return status;
  if (fresh) return apply_add_deal(apply, &view, DEAL_EVENT_COPY);
  status = deal_row_put(apply->txn, view.row, apply->error);
  header_event(&view, DEAL_EVENT_COPY, apply->event->time, &event);
  event.act = COLLEGA_STORE__ACT_KIND__ACT_KIND_PROPOSE;
  return status == COLLEGA_OK ? apply_deal_step(apply, &view.root, &event) : status;
}

/* It binds again, and is asked of the decider again: whoever kept the copy need not be whoever
 * took the request. */
static enum collega_status copy_acceptance(struct apply *apply, const struct run_view *run,
                                           struct bytes packed, bool letter) {
  const Collega__Acceptance *acceptance = run->records[0].body->acceptance;
  struct deal_view view;
  struct deal_event event = {.kind = DEAL_EVENT_COPY,
                             .act = COLLEGA_STORE__ACT_KIND__ACT_KIND_ACCEPT,
                             .now = apply->event->time};
  if (!id_from(&event.deal, acceptance->deal.data, acceptance->deal.len))
    return exchange_row_damaged(apply->error, "fetched");
  enum collega_status status =
      deal_view_read(apply->txn, &apply->party, &event.deal, apply->arena, &view, apply->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status != COLLEGA_OK || view.row->mine) return status;
  bool received = view.row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_RECEIVED;
  status = apply_keep_acceptance(apply, run);
  if (status == COLLEGA_OK && received) status = apply_deal_step(apply, &view.root, &event);
  if (status == COLLEGA_OK)
    status =
        deal_view_read(apply->txn, &apply->party, &event.deal, apply->arena, &view, apply->error);
  if (status == COLLEGA_OK)
    status = apply_add_mandate(apply, view.row, &view.party, acceptance->has_mandate,
                               &acceptance->mandate);
  if (status != COLLEGA_OK) return status;
  view.row->has_act = view.row->has_act && !received;
  if (letter) {
    view.row->has_letter_entry = true;
    view.row->letter_entry = apply->event->number;
  }
  status = deal_row_put(apply->txn, view.row, apply->error);
  if (status != COLLEGA_OK || !received) return status;
  return apply_send_request(apply, &view, packed, &run->records[0].id);
}

/* What was asked of the decider need not be asked again. */
static enum collega_status copy_request(struct apply *apply, const Collega__Body *body) {
  CollegaStore__DealRow *row;
  const ProtobufCBinaryData *deal = body->decline ? &body->decline->deal : &body->withdraw->deal;
  enum collega_status status =
      deal_row(apply->txn, &apply->party, field_bytes(deal), apply->arena, &row, apply->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status != COLLEGA_OK) return status;
  if (body->decline) row->has_decline_sent = row->decline_sent = true;
  if (body->withdraw) row->has_withdraw_sent = row->withdraw_sent = true;
  row->has_act = false;
  return deal_row_put(apply->txn, row, apply->error);
}

/* An offer for named employers went to each of them by a letter of its own. */
static enum collega_status copy_offer(struct apply *apply, const struct record *record) {
  CollegaStore__OfferRow *row;
  const ProtobufCBinaryData *id =
      record->body->offer ? &record->body->offer->id : &record->body->status->id;
  bool withdrawal = record->body->status &&
                    record->body->status->state == COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN;
  enum collega_status status = apply_public(apply, record, NULL, true, bytes_of(NULL, 0));
  if (status == COLLEGA_OK)
    status = offer_row(apply->txn, field_bytes(id), apply->arena, &row, apply->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status != COLLEGA_OK || !row->mine) return status;
  if (withdrawal || !row->by_mail)
    return COLLEGA_OK; /* apply_lost.c finds withdrawals by themselves */
  uint64_t *entries = arena_take(apply->arena, (row->n_letter_entries + 1) * sizeof *entries);
  if (!entries) return exchange_no_memory(apply->error);
  if (row->n_letter_entries)
    memcpy(entries, row->letter_entries, row->n_letter_entries * sizeof *entries);
  entries[row->n_letter_entries++] = apply->event->number;
  row->letter_entries = entries;
  return offer_row_put(apply->txn, row, apply->error);
}

static enum collega_status copy_run(struct apply *apply, const struct run_view *run,
                                    const Collega__Letter *letter, const struct said *said) {
  const Collega__Body *body = run->records[0].body;
  struct bytes packed;
  enum collega_status status = exchange_pack(apply->arena, &run->run->base, &packed, apply->error);
  if (status != COLLEGA_OK || run->count != 1) return status;
  if (body->deal) return copy_header(apply, run, letter);
  if (body->acceptance) return copy_acceptance(apply, run, packed, letter != NULL);
  if (body->decline || body->withdraw) return copy_request(apply, body);
  if (body->terminate || body->release || body->release_answer)
    return apply_change_copy(apply, run, letter != NULL);
  if (body->offer || body->status) return copy_offer(apply, &run->records[0]);
  if (body->interest || body->talk) return apply_talk_in(apply, body, said);
  return COLLEGA_OK;
}

enum collega_status fetched_letter(struct bytes payload, struct arena *arena,
                                   const CollegaStore__MailIn **mail,
                                   const Collega__Letter **letter, struct collega_error *error) {
  ProtobufCMessage *row =
      payload.data ? row_unpack(&collega_store__mail_in__descriptor, payload, arena) : NULL;
  *mail = (const CollegaStore__MailIn *)row;
  *letter = NULL;
  if (row && (*mail)->has_letter) {
    row = row_unpack(&collega__letter__descriptor, field_bytes(&(*mail)->letter), arena);
    *letter = (const Collega__Letter *)row;
  }
  if (row) return COLLEGA_OK;
  return arena_exhausted(arena) ? exchange_no_memory(error)
                                : exchange_row_damaged(error, "fetched");
}

enum collega_status apply_fetched(struct apply *apply) {
  const CollegaStore__MailIn *mail;
  const Collega__Letter *letter;
  struct run_view run;
  enum collega_status status =
      fetched_letter(apply->event->payload, apply->arena, &mail, &letter, apply->error);
  if (status != COLLEGA_OK) return status;
  struct said said = {.mine = true, .time = apply->event->time};
  if (!letter) {
    status = run_read_bytes(field_bytes(&mail->envelope), apply->arena, &run, apply->error);
    return status == COLLEGA_OK ? copy_run(apply, &run, NULL, &said) : status;
  }
  status = mail_sealed(mail, said.time, apply->arena, &said.time, &said.to, apply->error);
  if (status != COLLEGA_OK) return status;
  for (size_t i = 0; status == COLLEGA_OK && i < letter->n_runs; i++) {
    status = run_read(letter->runs[i], apply->arena, &run, apply->error);
    if (status == COLLEGA_OK) status = copy_run(apply, &run, letter, &said);
  }
  return status;
}

/* Nothing to fetch where no broker is joined yet. */
enum collega_status apply_restored(struct apply *apply) {
  CollegaStore__BrokerRow *row = NULL;
  enum collega_status status = exchange_broker(apply->txn, apply->arena, &row, apply->error);
  if (status != COLLEGA_OK || !row) return status;
  row->has_restored = row->restored = true;
  return broker_row_put(apply->txn, row, apply->error);
}

enum collega_status apply_adopted(struct apply *apply) {
  ProtobufCMessage *message;
  CollegaStore__BrokerRow *row = NULL;
  enum collega_status status = apply_payload(apply, &collega__head__descriptor, &message);
  if (status == COLLEGA_OK) status = exchange_broker(apply->txn, apply->arena, &row, apply->error);
  if (status != COLLEGA_OK) return status;
  if (!row) return exchange_row_damaged(apply->error, "brokers");
  const Collega__Head *head = (const Collega__Head *)message;
  row->has_told_epoch = row->has_told_number = row->has_told_hash = true;
  row->told_epoch = head->epoch;
  row->told_number = head->number;
  row->told_hash = head->hash;
  row->has_restored = false;
  status = broker_row_put(apply->txn, row, apply->error);
  return status == COLLEGA_OK ? apply_drop_superseded(apply) : status;
}

/* ---- the decider was restored, and asks */

enum collega_status apply_question(struct apply *apply) {
  ProtobufCMessage *message;
  CollegaStore__BrokerRow *broker = NULL;
  struct id root;
  struct deal_event event = {.kind = DEAL_EVENT_QUESTION, .now = apply->event->time};
  enum collega_status status = apply_payload(apply, &collega__question__descriptor, &message);
  if (status == COLLEGA_OK)
    status = exchange_broker(apply->txn, apply->arena, &broker, apply->error);
  if (status != COLLEGA_OK) return status;
  const Collega__Question *question = (const Collega__Question *)message;
  if (!broker || !id_from(&root, question->root.data, question->root.len))
    return exchange_row_damaged(apply->error, "question");
  event.epoch_number = broker->epoch_number;
  return apply_deal_step(apply, &root, &event);
}
