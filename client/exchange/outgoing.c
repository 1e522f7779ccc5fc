/* What waits in the outbox, one frame after the other, each with the head of this ledger. */
#include "client/exchange/parties.h"

#include <string.h>

#include "proto/guard.h"

struct next_item {
  struct ledger_txn *txn;
  const CollegaStore__OutboxItem *item;
  enum collega_status status;
  struct collega_error *error;
};

/* What is signed with a new card can be verified once the broker has that card: nothing is sent behind one
 * until it is settled. */
static bool publishes_card(const CollegaStore__OutboxItem *item, struct arena *arena) {
  const Collega__Body *body;
  if (item->kind != COLLEGA_STORE__OUTBOX_KIND__OUTBOX_KIND_PUBLISH) return false;
  const Collega__Run *run =
      (const Collega__Run *)row_unpack(&collega__run__descriptor, field_bytes(&item->data), arena);
  return run && run->n_bodies == 1 &&
         body_of_bytes(field_bytes(&run->bodies[0]), arena, &body, NULL) == COLLEGA_OK &&
         body->card;
}

struct settled {
  uint64_t number;
  bool waits;
};

static bool visit_settled(void *context, const CollegaStore__OutboxItem *item) {
  struct settled *settled = context;
  settled->waits = item->number == settled->number && !item->refused;
  return false;
}

static enum collega_status card_waits(struct exchange *exchange, uint64_t after,
                                      struct arena *arena, bool *waits,
                                      struct collega_error *error) {
  struct settled settled = {.number = exchange->card_sent};
  struct ledger_txn *txn = NULL;
  *waits = false;
  if (exchange->card_sent == 0 || after < exchange->card_sent) {
    exchange->card_sent = 0; /* a new session begins with the first item */
    return COLLEGA_OK;
  }
  enum collega_status status = ledger_read(exchange->ledger, &txn, error);
  if (status == COLLEGA_OK)
    status = outbox_each(txn, settled.number - 1, arena, visit_settled, &settled, error);
  ledger_abort(&txn);
  *waits = settled.waits;
  if (status == COLLEGA_OK && !settled.waits) exchange->card_sent = 0;
  return status;
}

/* What a party signed before its certificate came waits for that. */
static bool visit_first_item(void *context, const CollegaStore__OutboxItem *item) {
  struct next_item *next = context;
  bool certified = false;
  next->status = party_is_certified(next->txn, field_bytes(&item->party), &certified, next->error);
  if (certified) next->item = item;
  return next->status == COLLEGA_OK && !certified;
}

static enum collega_status next_item(struct exchange *exchange, uint64_t after, struct arena *arena,
                                     const CollegaStore__OutboxItem **item,
                                     struct ledger_head *head, struct collega_error *error) {
  struct ledger_txn *txn = NULL;
  CollegaStore__BrokerRow *broker = NULL;
  enum collega_status status = ledger_read(exchange->ledger, &txn, error);
  struct next_item next = {.txn = txn, .error = error};
  if (status == COLLEGA_OK) status = exchange_broker(txn, arena, &broker, error);
  /* What a restored broker has lost goes first (apply_lost.c). */
  bool held = broker && broker->awaits_start;
  if (status == COLLEGA_OK && !held)
    status = outbox_each(txn, after, arena, visit_first_item, &next, error);
  if (status == COLLEGA_OK) status = next.status;
  if (status == COLLEGA_OK) status = ledger_head(txn, head, error);
  ledger_abort(&txn);
  *item = next.item;
  return status;
}

/* Past its not-after no broker takes it: told once, in the ledger, and marked. */
static enum collega_status mark_lapsed(struct exchange *exchange,
                                       const CollegaStore__OutboxItem *item, collega_time now,
                                       struct collega_error *error) {
  struct ledger_txn *txn = NULL;
  struct id party, key;
  uint8_t number[8];
  put_be64(number, item->number);
  if (!id_from(&party, item->party.data, item->party.len) ||
      !id_from(&key, item->key.data, item->key.len))
    return exchange_row_damaged(error, "outbox");
  struct ledger_event event = {.time = now,
                               .kind = COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_LAPSED,
                               .party = &party,
                               .record = &key,
                               .payload = bytes_of(number, sizeof number)};
  enum collega_status status = exchange_begin(exchange, &txn, error);
  if (status != COLLEGA_OK) return status;
  status = exchange_append(exchange, txn, &event, error);
  return exchange_end(exchange, &txn, status, error);
}

static enum collega_status frame_of(const CollegaStore__OutboxItem *item, Collega__Head *head,
                                    struct arena *arena, struct bytes *frame, uint32_t *records,
                                    struct collega_error *error) {
  Collega__ToBroker to = COLLEGA__TO_BROKER__INIT;
  Collega__Publish publish = COLLEGA__PUBLISH__INIT;
  Collega__Send send = COLLEGA__SEND__INIT;
  Collega__Decide decide = COLLEGA__DECIDE__INIT;
  *records = 1;
  switch (item->kind) {
  case COLLEGA_STORE__OUTBOX_KIND__OUTBOX_KIND_PUBLISH:
    publish.run =
        (Collega__Run *)row_unpack(&collega__run__descriptor, field_bytes(&item->data), arena);
    if (!publish.run) return exchange_row_damaged(error, "outbox");
    publish.head = head;
    *records = (uint32_t)publish.run->n_bodies;
    to.publish = &publish;
    break;
  case COLLEGA_STORE__OUTBOX_KIND__OUTBOX_KIND_SEND:
    send.envelope = item->data;
    send.head = head;
    to.send = &send;
    break;
  case COLLEGA_STORE__OUTBOX_KIND__OUTBOX_KIND_DECIDE: {
    const CollegaStore__DecideRuns *runs = (const CollegaStore__DecideRuns *)row_unpack(
        &collega_store__decide_runs__descriptor, field_bytes(&item->data), arena);
    decide.runs = runs ? arena_take(arena, (runs->n_runs + 1) * sizeof(Collega__Run *)) : NULL;
    if (!decide.runs) return exchange_row_damaged(error, "outbox");
    for (size_t i = 0; i < runs->n_runs; i++) {
      decide.runs[i] =
          (Collega__Run *)row_unpack(&collega__run__descriptor, field_bytes(&runs->runs[i]), arena);
      if (!decide.runs[i]) return exchange_row_damaged(error, "outbox");
      decide.n_runs++;
    }
    decide.party = item->party;
    decide.head = head;
    to.decide = &decide;
    *records = 0;
    break;
  }
  case _COLLEGA_STORE__OUTBOX_KIND_IS_INT_SIZE:
    return exchange_row_damaged(error, "outbox");
  }
  return exchange_pack(arena, &to.base, frame, error);
}

enum collega_status exchange_next_frame(struct exchange *exchange, uint64_t after, collega_time now,
                                        struct told_head *told, struct arena *arena,
                                        struct bytes *frame, uint32_t *records, uint64_t *number,
                                        struct collega_error *error) {
  const CollegaStore__OutboxItem *item = NULL;
  struct ledger_head at;
  *number = 0;
  *records = 0;
  *frame = bytes_of(NULL, 0);
  bool waits = false;
  enum collega_status status = card_waits(exchange, after, arena, &waits, error);
  if (status != COLLEGA_OK || waits) return status;
  status = next_item(exchange, after, arena, &item, &at, error);
  while (status == COLLEGA_OK && item && item->has_not_after && item->not_after <= now) {
    status = mark_lapsed(exchange, item, now, error);
    if (status == COLLEGA_OK) status = next_item(exchange, item->number, arena, &item, &at, error);
  }
  if (status != COLLEGA_OK || !item) return status;
  Collega__Head head = COLLEGA__HEAD__INIT;
  field_set(&head.epoch, at.epoch.byte, EPOCH_BYTES);
  head.number = at.number;
  field_set_id(&head.hash, &at.hash);
  head.has_previous = told->any;
  if (told->any) field_set_id(&head.previous, &told->head.hash);
  status = frame_of(item, &head, arena, frame, records, error);
  if (status != COLLEGA_OK) return status;
  if (publishes_card(item, arena)) exchange->card_sent = item->number;
  told->any = true;
  told->head = at;
  *number = item->number;
  return COLLEGA_OK;
}
