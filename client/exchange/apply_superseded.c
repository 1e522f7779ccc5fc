/* This home was restored: what had not been sent yet, as far as the backup knows, and must not be sent any more. The
 * home that is gone went on, and what replaced it may have been at the broker for long: it would come behind that, and
 * a follower would go back to it. */
#include "client/exchange/inside.h"

#include <stdlib.h>

#include "proto/guard.h"

/* A former content is of no use: where a later one stands on the board, or did, it would come behind that. Where
 * the later ones went by mail, what withdrew it goes to everybody who may have it. Nor is the content of an offer that
 * is withdrawn: behind that word it would be open to who did not have it before. Of states the newest counts, and
 * whatever withdrew a content. */
enum collega_status apply_superseded(struct apply *apply, const struct record *record,
                                     bool *superseded) {
  CollegaStore__OfferRow *row;
  const Collega__OfferRevision *offer = record->body->offer;
  const Collega__OfferStatus *change = record->body->status;
  *superseded = false;
  if (!offer && !change) return COLLEGA_OK;
  enum collega_status status = offer_row(apply->txn, field_bytes(offer ? &offer->id : &change->id),
                                         apply->arena, &row, apply->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status != COLLEGA_OK) return status;
  if (offer)
    *superseded = offer->revision < row->revision ||
                  row->state == COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN;
  else
    *superseded = change->number < row->status_number &&
                  change->state != COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN;
  return COLLEGA_OK;
}

/* Does this record wait in the item, and is it of use? One that is of none waits no more. */
static enum collega_status still_waits(struct apply *apply, const CollegaStore__OutboxItem *item,
                                       const struct record *record, bool *waits, bool *dropped) {
  struct own_record own;
  bool superseded = false;
  *waits = false;
  enum collega_status status =
      own_record_get(apply->txn, id_bytes(&record->id), &own, apply->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status == COLLEGA_OK) status = apply_superseded(apply, record, &superseded);
  *waits = own.outbox == item->number && own.state == RECORD_WAITING && !superseded;
  if (status != COLLEGA_OK || !superseded || own.outbox != item->number) return status;
  *dropped = true;
  own.outbox = 0;
  return own_record_put(apply->txn, &record->id, &own, apply->error);
}

/* The item without what is of no use any more. */
static enum collega_status drop_records(struct apply *apply, CollegaStore__OutboxItem *item) {
  struct run_view view;
  struct bytes packed;
  Collega__Run *run;
  bool dropped = false, waits;
  size_t count = 0;
  enum collega_status status =
      run_read_bytes(field_bytes(&item->data), apply->arena, &view, apply->error);
  if (status != COLLEGA_OK) return status;
  uint32_t *kept = arena_take(apply->arena, view.count * sizeof *kept);
  if (!kept) return exchange_no_memory(apply->error);
  for (size_t i = 0; status == COLLEGA_OK && i < view.count; i++) {
    status = still_waits(apply, item, &view.records[i], &waits, &dropped);
    if (waits) kept[count++] = (uint32_t)i;
  }
  if (status != COLLEGA_OK || !dropped) return status;
  if (count == 0) return outbox_forget(apply->txn, item->number, apply->error);
  status = run_cut(&view, kept, count, apply->arena, &run, apply->error);
  if (status == COLLEGA_OK) status = exchange_pack(apply->arena, &run->base, &packed, apply->error);
  if (status != COLLEGA_OK) return status;
  field_set_id(&item->key, &view.records[kept[0]].id);
  field_set(&item->data, packed.data, packed.length);
  item->open = (uint32_t)count;
  return outbox_update(apply->txn, item, apply->error);
}

static enum collega_status holds_superseded(struct apply *apply, const Collega__Run *run,
                                            bool *superseded) {
  struct run_view view;
  *superseded = false;
  enum collega_status status = run_read(run, apply->arena, &view, apply->error);
  for (size_t i = 0; status == COLLEGA_OK && i < view.count && !*superseded; i++)
    if (view.records[i].body->offer) status = apply_superseded(apply, &view.records[i], superseded);
  return status;
}

static enum collega_status drop_envelope(struct apply *apply, const ProtobufCBinaryData *envelope) {
  CollegaStore__OutboxItem *item;
  struct id hash;
  envelope_hash(&hash, field_bytes(envelope));
  enum collega_status status = outbox_find(apply->txn, &hash, apply->arena, &item, apply->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  return status == COLLEGA_OK ? outbox_forget(apply->txn, item->number, apply->error) : status;
}

/* Written here: what is in the letters, the entry tells that they were sealed in. */
static enum collega_status drop_own(struct apply *apply, struct bytes payload) {
  bool superseded = false;
  const CollegaStore__OwnRecords *own = (const CollegaStore__OwnRecords *)row_unpack(
      &collega_store__own_records__descriptor, payload, apply->arena);
  if (!own) return exchange_row_damaged(apply->error, "own records");
  if (own->n_envelopes == 0) return COLLEGA_OK;
  const Collega__Run *run = (const Collega__Run *)row_unpack(&collega__run__descriptor,
                                                             field_bytes(&own->run), apply->arena);
  if (!run) return exchange_row_damaged(apply->error, "own records");
  enum collega_status status = holds_superseded(apply, run, &superseded);
  for (size_t i = 0; status == COLLEGA_OK && superseded && i < own->n_envelopes; i++)
    status = drop_envelope(apply, &own->envelopes[i]);
  return status;
}

/* Fetched from the broker after an earlier restore, and sent again since to a broker that had lost it. */
static enum collega_status drop_fetched(struct apply *apply, struct bytes payload) {
  const CollegaStore__MailIn *mail;
  const Collega__Letter *letter;
  bool superseded = false;
  enum collega_status status = fetched_letter(payload, apply->arena, &mail, &letter, apply->error);
  for (size_t i = 0; status == COLLEGA_OK && letter && i < letter->n_runs && !superseded; i++)
    status = holds_superseded(apply, letter->runs[i], &superseded);
  return status == COLLEGA_OK && superseded ? drop_envelope(apply, &mail->envelope) : status;
}

static enum collega_status drop_letters(struct apply *apply) {
  enum collega_status status = COLLEGA_OK;
  for (uint64_t number = 1; status == COLLEGA_OK && number < apply->event->number; number++) {
    struct ledger_event event;
    arena_reset(apply->arena);
    status = ledger_entry(apply->txn, number, apply->arena, &event, apply->error);
    if (status != COLLEGA_OK || !event.payload.data) continue;
    if (event.kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_OWN_RECORDS)
      status = drop_own(apply, event.payload);
    else if (event.kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_FETCHED)
      status = drop_fetched(apply, event.payload);
  }
  return status;
}

enum collega_status apply_drop_superseded(struct apply *apply) {
  struct number_list waiting = {.count = 0};
  struct arena *arena = apply->arena, *scratch = exchange_arena();
  bool letters = false;
  if (!scratch) return exchange_no_memory(apply->error);
  enum collega_status status = apply_list_waiting(apply, &waiting);
  apply->arena = scratch;
  for (size_t i = 0; status == COLLEGA_OK && i < waiting.count; i++) {
    CollegaStore__OutboxItem *item;
    arena_reset(scratch);
    status = outbox_get(apply->txn, waiting.number[i], scratch, &item, apply->error);
    if (status != COLLEGA_OK) break;
    letters = letters || item->kind == COLLEGA_STORE__OUTBOX_KIND__OUTBOX_KIND_SEND;
    if (item->kind == COLLEGA_STORE__OUTBOX_KIND__OUTBOX_KIND_PUBLISH)
      status = drop_records(apply, item);
  }
  if (status == COLLEGA_OK && letters) status = drop_letters(apply);
  apply->arena = arena;
  arena_destroy(&scratch);
  free(waiting.number);
  return status;
}
