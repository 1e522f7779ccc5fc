/* What the broker's answers change in the outbox: receipts, Stored, refusals, and what lapsed by
 * itself. */
#include "client/exchange/inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "proto/guard.h"

#define UNIT_SEPARATOR "\x1f"

enum collega_status apply_send(struct apply *apply, CollegaStore__OutboxItem *item,
                               uint64_t *number) {
  item->time = apply->event->time;
  field_set_id(&item->party, &apply->party);
  enum collega_status status = outbox_put(apply->txn, item, apply->error);
  if (number) *number = item->number;
  return status;
}

/* The arena keeps the hash: an item has no bytes of its own. */
enum collega_status apply_envelope_item(struct apply *apply, struct bytes envelope,
                                        CollegaStore__OutboxItem *item,
                                        const Collega__Envelope **read) {
  const Collega__Envelope *says;
  struct id *hash = arena_zero(apply->arena, sizeof *hash);
  if (!hash) return exchange_no_memory(apply->error);
  enum collega_status status = envelope_read(envelope, apply->arena, &says, apply->error);
  if (status != COLLEGA_OK) return status;
  envelope_hash(hash, envelope);
  item->kind = COLLEGA_STORE__OUTBOX_KIND__OUTBOX_KIND_SEND;
  field_set(&item->data, envelope.data, envelope.length);
  field_set_id(&item->key, hash);
  item->open = 1;
  item->has_not_after = true;
  item->not_after = says->not_after;
  if (read) *read = says;
  return COLLEGA_OK;
}

/* ---- what waits */

bool number_add(struct number_list *list, uint64_t number) {
  if (list->count == list->capacity) {
    size_t capacity = list->capacity ? 2 * list->capacity : 64;
    uint64_t *grown = realloc(list->number, capacity * sizeof *grown);
    if (!grown) return false;
    list->number = grown;
    list->capacity = capacity;
  }
  list->number[list->count++] = number;
  return true;
}

struct waiting {
  struct arena *arena; /* of one item */
  struct number_list *list;
  bool failed;
};

static bool visit_waiting(void *context, const CollegaStore__OutboxItem *item) {
  struct waiting *waiting = context;
  waiting->failed = !number_add(waiting->list, item->number);
  arena_reset(waiting->arena);
  return !waiting->failed;
}

enum collega_status apply_list_waiting(struct apply *apply, struct number_list *out) {
  struct waiting waiting = {.arena = exchange_arena(), .list = out};
  if (!waiting.arena) return exchange_no_memory(apply->error);
  enum collega_status status =
      outbox_each(apply->txn, 0, waiting.arena, visit_waiting, &waiting, apply->error);
  arena_destroy(&waiting.arena);
  return status == COLLEGA_OK && waiting.failed ? exchange_no_memory(apply->error) : status;
}

/* ---- settling */

static void settled(struct apply *apply, uint64_t number) {
  struct exchange *exchange = apply->exchange;
  if (exchange->settled_first == 0 || number < exchange->settled_first)
    exchange->settled_first = number;
  if (number > exchange->settled_last) exchange->settled_last = number;
}

enum collega_status apply_settle_flush(struct apply *apply) {
  if (apply->settle_count == 0) return COLLEGA_OK;
  enum collega_status status =
      outbox_settle(apply->txn, apply->settle_number, apply->settle_count, apply->error);
  settled(apply, apply->settle_number);
  apply->settle_count = 0;
  return status == COLLEGA_NOT_FOUND ? COLLEGA_OK : status; /* forgotten by the user meanwhile */
}

enum collega_status apply_settle(struct apply *apply, uint64_t number) {
  if (number == 0) return COLLEGA_OK;
  enum collega_status status = COLLEGA_OK;
  if (apply->settle_count > 0 && apply->settle_number != number) status = apply_settle_flush(apply);
  apply->settle_number = number;
  apply->settle_count++;
  return status;
}

enum collega_status apply_receipted(struct apply *apply, const struct id *record,
                                    const struct receipt_position *position) {
  struct own_record own;
  enum collega_status status =
      own_record_get(apply->txn, bytes_of(record->byte, ID_BYTES), &own, apply->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status != COLLEGA_OK || own.state == RECORD_RECEIPTED) return status;
  bool was_waiting = own.state == RECORD_WAITING;
  own.state = RECORD_RECEIPTED;
  own.epoch = position->epoch;
  own.seq = position->seq;
  status = own_record_put(apply->txn, record, &own, apply->error);
  if (status == COLLEGA_OK && was_waiting) status = apply_settle(apply, own.outbox);
  if (status != COLLEGA_OK || !own.has_offer) return status;

  CollegaStore__OfferRow *row;
  status = offer_row(apply->txn, bytes_of(own.offer.byte, SHORT_ID_BYTES), apply->arena, &row,
                     apply->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status != COLLEGA_OK || !field_is(&row->content, record)) return status;
  row->position = position_new(apply->arena, position);
  row->refused = NULL;
  row->refused_words = NULL;
  return row->position ? offer_row_put(apply->txn, row, apply->error)
                       : exchange_no_memory(apply->error);
}

enum collega_status apply_receipts(struct apply *apply) {
  ProtobufCMessage *message;
  enum collega_status status = apply_payload(apply, &collega__receipts__descriptor, &message);
  if (status != COLLEGA_OK) return status;
  const Collega__Receipts *receipts = (const Collega__Receipts *)message;
  const Collega__ReceiptRun *receipt = receipts->receipt;
  struct receipt_position position = {.time = receipt->time};
  if (!id_from(&position.origin, receipt->origin.data, receipt->origin.len) ||
      !epoch_from(&position.epoch, receipt->epoch.data, receipt->epoch.len))
    return exchange_row_damaged(apply->error, "receipts");
  for (size_t i = 0; status == COLLEGA_OK && i < receipts->n_ids; i++) {
    struct id record;
    if (!id_from(&record, receipts->ids[i].data, receipts->ids[i].len))
      return exchange_row_damaged(apply->error, "receipts");
    position.seq = receipt->first_seq + (receipt->n_leaves ? receipt->leaves[i] : (uint32_t)i);
    status = apply_receipted(apply, &record, &position);
  }
  return status;
}

enum collega_status apply_stored(struct apply *apply) {
  ProtobufCMessage *message;
  enum collega_status status = apply_payload(apply, &collega__stored__descriptor, &message);
  if (status != COLLEGA_OK) return status;
  const Collega__Stored *stored = (const Collega__Stored *)message;
  struct id hash;
  CollegaStore__OutboxItem *item;
  if (!id_from(&hash, stored->hash.data, stored->hash.len))
    return exchange_row_damaged(apply->error, "stored");
  status = outbox_find(apply->txn, &hash, apply->arena, &item, apply->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  return status == COLLEGA_OK ? apply_settle(apply, item->number) : status;
}

/* ---- refusals */

/* The refusal's arguments as the offer's row keeps them. */
static char *joined_arguments(const Collega__Refusal *refusal, struct arena *arena) {
  char *text = arena_text(arena, "");
  for (size_t i = 0; text && i < refusal->n_arguments; i++)
    text = arena_print(arena, "%s%s%s", text, i ? UNIT_SEPARATOR : "", refusal->arguments[i]);
  return text;
}

static enum collega_status refuse_offer(struct apply *apply, const struct id *record,
                                        const struct own_record *own,
                                        const Collega__Refusal *refusal) {
  CollegaStore__OfferRow *row;
  enum collega_status status = offer_row(apply->txn, bytes_of(own->offer.byte, SHORT_ID_BYTES),
                                         apply->arena, &row, apply->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status != COLLEGA_OK || !field_is(&row->content, record)) return status;
  row->refused = refusal->rule;
  row->refused_words = joined_arguments(refusal, apply->arena);
  if (row->revision > 1) apply->exchange->unseen_known = false;
  return row->refused_words ? offer_row_put(apply->txn, row, apply->error)
                            : exchange_no_memory(apply->error);
}

static enum collega_status refuse_item(struct apply *apply, const CollegaStore__OutboxItem *item,
                                       const Collega__Refusal *refusal) {
  /* Only its number is refused: it is sealed anew. */
  if (refusal->code == COLLEGA__REFUSAL_CODE__REFUSAL_CODE_SEQUENCE_TAKEN)
    return apply_settle(apply, item->number);
  settled(apply, item->number);
  enum collega_status status =
      outbox_refuse(apply->txn, item->number, refusal->rule,
                    (const char *const *)refusal->arguments, refusal->n_arguments, apply->error);
  if (status == COLLEGA_OK && item->has_deal) status = apply_deal_refused(apply, item, refusal);
  return status;
}

/* A record of a Publish: alone in its item it marks the item; among others it leaves it. */
static enum collega_status refuse_record(struct apply *apply, const struct id *record,
                                         struct own_record *own, const Collega__Refusal *refusal) {
  if (own->state != RECORD_WAITING) return COLLEGA_OK;
  own->state = RECORD_REFUSED;
  enum collega_status status = own_record_put(apply->txn, record, own, apply->error);
  if (status == COLLEGA_OK && own->has_offer) status = refuse_offer(apply, record, own, refusal);
  if (status != COLLEGA_OK || own->outbox == 0) return status;
  CollegaStore__OutboxItem *item;
  status = outbox_get(apply->txn, own->outbox, apply->arena, &item, apply->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status != COLLEGA_OK) return status;
  /* Its number was taken: it is signed anew, as another record. */
  bool anew = refusal->code == COLLEGA__REFUSAL_CODE__REFUSAL_CODE_SEQUENCE_TAKEN;
  return !anew && item->open == 1 && field_is(&item->key, record)
             ? refuse_item(apply, item, refusal)
             : apply_settle(apply, own->outbox);
}

enum collega_status apply_refused(struct apply *apply) {
  ProtobufCMessage *message;
  enum collega_status status = apply_payload(apply, &collega__refusal__descriptor, &message);
  if (status != COLLEGA_OK) return status;
  const Collega__Refusal *refusal = (const Collega__Refusal *)message;
  struct id which;
  struct own_record own;
  if (!id_from(&which, refusal->which.data, refusal->which.len))
    return exchange_row_damaged(apply->error, "refusal");
  status = own_record_get(apply->txn, field_bytes(&refusal->which), &own, apply->error);
  if (status == COLLEGA_OK) return refuse_record(apply, &which, &own, refusal);
  if (status != COLLEGA_NOT_FOUND) return status;
  CollegaStore__OutboxItem *item;
  status = outbox_find(apply->txn, &which, apply->arena, &item, apply->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  return status == COLLEGA_OK && !item->refused ? refuse_item(apply, item, refusal) : status;
}

/* Is there a former revision on the board, perhaps? */
static enum collega_status note_unseen(struct apply *apply, const CollegaStore__OutboxItem *item) {
  struct run_view view;
  if (item->kind != COLLEGA_STORE__OUTBOX_KIND__OUTBOX_KIND_PUBLISH) return COLLEGA_OK;
  enum collega_status status =
      run_read_bytes(field_bytes(&item->data), apply->arena, &view, apply->error);
  for (size_t i = 0; status == COLLEGA_OK && i < view.count; i++)
    if (view.records[i].body->offer && view.records[i].body->offer->revision > 1)
      apply->exchange->unseen_known = false;
  return status;
}

enum collega_status apply_lapsed(struct apply *apply) {
  if (apply->event->payload.length != 8) return exchange_row_damaged(apply->error, "lapsed");
  uint64_t number = get_be64(apply->event->payload.data);
  CollegaStore__OutboxItem *item;
  enum collega_status status = outbox_get(apply->txn, number, apply->arena, &item, apply->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status != COLLEGA_OK) return status;
  settled(apply, number);
  status = note_unseen(apply, item);
  if (status != COLLEGA_OK) return status;
  /* A deal's message may have been taken, and only its answer lost: the deal waits for the
   * decider's word. */
  return outbox_refuse(apply->txn, number, rule_name(RULE_lapsed), NULL, 0, apply->error);
}
