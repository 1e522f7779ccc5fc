/* Rows by their ids, and the small things that every file of the room does with messages. */
#include "client/exchange/inside.h"

#include <string.h>

#include "proto/guard.h"

enum collega_status exchange_no_memory(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

enum collega_status exchange_row_damaged(struct collega_error *error, const char *what) {
  return error_set(error, COLLEGA_DAMAGED, RULE_exchange_damaged, NULL, what, NULL);
}

struct arena *exchange_arena(void) {
  return arena_new(WORK_FIRST_BYTES, WORK_ARENA_BYTES);
}

void field_set(ProtobufCBinaryData *field, const void *data, size_t length) {
  field->data =
      (uint8_t *)(uintptr_t)data; /* protobuf-c's fields are not const; packing only reads them */
  field->len = length;
}

void field_set_id(ProtobufCBinaryData *field, const struct id *id) {
  field_set(field, id->byte, ID_BYTES);
}

enum collega_status exchange_pack(struct arena *arena, const ProtobufCMessage *message,
                                  struct bytes *out, struct collega_error *error) {
  *out = message_pack(message, arena);
  return out->data ? COLLEGA_OK : exchange_no_memory(error);
}

enum collega_status body_of_bytes(struct bytes bytes, struct arena *arena,
                                  const Collega__Body **out, struct collega_error *error) {
  ProtobufCMessage *message = NULL;
  enum collega_status status =
      guard_unpack(&collega__body__descriptor, bytes, arena, &message, error);
  *out = (const Collega__Body *)message;
  return status;
}

enum collega_status offer_row(struct ledger_txn *txn, struct bytes offer, struct arena *arena,
                              CollegaStore__OfferRow **out, struct collega_error *error) {
  ProtobufCMessage *row = NULL;
  enum collega_status status =
      row_get(txn, TABLE_OFFERS, offer, &collega_store__offer_row__descriptor, arena, &row, error);
  *out = (CollegaStore__OfferRow *)row;
  return status;
}

enum collega_status offer_row_put(struct ledger_txn *txn, const CollegaStore__OfferRow *row,
                                  struct collega_error *error) {
  return row_put(txn, TABLE_OFFERS, field_bytes(&row->offer), &row->base, error);
}

/* The key of a row of TABLE_DEALS and TABLE_ROOTS. */
struct party_key {
  uint8_t byte[2 * ID_BYTES];
};

static bool party_key(struct party_key *key, struct bytes party, struct bytes id) {
  if (party.length != ID_BYTES || id.length != ID_BYTES) return false;
  memcpy(key->byte, party.data, ID_BYTES);
  memcpy(key->byte + ID_BYTES, id.data, ID_BYTES);
  return true;
}

static enum collega_status party_row(struct ledger_txn *txn, enum ledger_table table,
                                     const struct id *party, struct bytes id,
                                     const ProtobufCMessageDescriptor *type, struct arena *arena,
                                     ProtobufCMessage **out, struct collega_error *error) {
  struct party_key key;
  *out = NULL;
  if (!party_key(&key, id_bytes(party), id)) return COLLEGA_NOT_FOUND;
  return row_get(txn, table, bytes_of(key.byte, sizeof key.byte), type, arena, out, error);
}

enum collega_status deal_row(struct ledger_txn *txn, const struct id *party, struct bytes deal,
                             struct arena *arena, CollegaStore__DealRow **out,
                             struct collega_error *error) {
  ProtobufCMessage *row;
  enum collega_status status = party_row(txn, TABLE_DEALS, party, deal,
                                         &collega_store__deal_row__descriptor, arena, &row, error);
  *out = (CollegaStore__DealRow *)row;
  return status;
}

enum collega_status deal_row_put(struct ledger_txn *txn, const CollegaStore__DealRow *row,
                                 struct collega_error *error) {
  struct party_key key;
  if (!party_key(&key, field_bytes(&row->party), field_bytes(&row->deal)))
    return exchange_row_damaged(error, "deals");
  return row_put(txn, TABLE_DEALS, bytes_of(key.byte, sizeof key.byte), &row->base, error);
}

enum collega_status root_row(struct ledger_txn *txn, const struct id *party, struct bytes root,
                             struct arena *arena, CollegaStore__RootRow **out,
                             struct collega_error *error) {
  ProtobufCMessage *row;
  enum collega_status status = party_row(txn, TABLE_ROOTS, party, root,
                                         &collega_store__root_row__descriptor, arena, &row, error);
  *out = (CollegaStore__RootRow *)row;
  return status == COLLEGA_OK && (*out)->has_elsewhere ? COLLEGA_NOT_FOUND : status;
}

enum collega_status root_elsewhere(struct ledger_txn *txn, const struct id *party,
                                   struct bytes root, struct arena *arena,
                                   CollegaStore__RootRow **out, struct collega_error *error) {
  ProtobufCMessage *row;
  enum collega_status status = party_row(txn, TABLE_ROOTS, party, root,
                                         &collega_store__root_row__descriptor, arena, &row, error);
  *out = (CollegaStore__RootRow *)row;
  return status == COLLEGA_OK && !(*out)->has_elsewhere ? COLLEGA_NOT_FOUND : status;
}

enum collega_status root_row_put(struct ledger_txn *txn, const CollegaStore__RootRow *row,
                                 struct collega_error *error) {
  struct party_key key;
  if (!row->has_party || !party_key(&key, field_bytes(&row->party), field_bytes(&row->root)))
    return exchange_row_damaged(error, "roots");
  return row_put(txn, TABLE_ROOTS, bytes_of(key.byte, sizeof key.byte), &row->base, error);
}

enum collega_status own_row(struct ledger_txn *txn, struct bytes party, struct arena *arena,
                            CollegaStore__OwnParty **out, struct collega_error *error) {
  ProtobufCMessage *row = NULL;
  enum collega_status status =
      row_get(txn, TABLE_OWN, party, &collega_store__own_party__descriptor, arena, &row, error);
  *out = (CollegaStore__OwnParty *)row;
  return status;
}

enum collega_status own_row_put(struct ledger_txn *txn, const CollegaStore__OwnParty *row,
                                struct collega_error *error) {
  return row_put(txn, TABLE_OWN, field_bytes(&row->party), &row->base, error);
}

enum collega_status broker_row_put(struct ledger_txn *txn, const CollegaStore__BrokerRow *row,
                                   struct collega_error *error) {
  return row_put(txn, TABLE_BROKERS, field_bytes(&row->broker), &row->base, error);
}

static bool visit_first(void *context, struct bytes key, struct bytes value) {
  (void)key;
  *(struct bytes *)context = value;
  return false;
}

/* A home has one broker for now: the table's first row. */
enum collega_status exchange_broker(struct ledger_txn *txn, struct arena *arena,
                                    CollegaStore__BrokerRow **out, struct collega_error *error) {
  *out = NULL;
  struct bytes value = {NULL, 0};
  enum collega_status status =
      table_each(txn, TABLE_BROKERS, bytes_of(NULL, 0), NULL, visit_first, &value, error);
  if (status != COLLEGA_OK || !value.data) return status;
  *out =
      (CollegaStore__BrokerRow *)row_unpack(&collega_store__broker_row__descriptor, value, arena);
  if (*out) return COLLEGA_OK;
  return arena_exhausted(arena) ? exchange_no_memory(error)
                                : exchange_row_damaged(error, "brokers");
}

enum collega_status exchange_party_is_own(struct ledger_txn *txn, struct bytes party, bool *own,
                                          struct collega_error *error) {
  struct bytes value;
  enum collega_status status = table_get(txn, TABLE_OWN, party, &value, error);
  *own = status == COLLEGA_OK;
  return status == COLLEGA_NOT_FOUND ? COLLEGA_OK : status;
}

CollegaStore__Position *position_new(struct arena *arena, const struct receipt_position *position) {
  CollegaStore__Position *row = arena_take(arena, sizeof *row);
  struct receipt_position *copy = arena_copy(arena, position, sizeof *position);
  if (!row || !copy) return NULL;
  collega_store__position__init(row);
  field_set_id(&row->origin, &copy->origin);
  field_set(&row->epoch, copy->epoch.byte, EPOCH_BYTES);
  row->seq = copy->seq;
  row->time = copy->time;
  return row;
}

#define OWN_RECORD_BYTES (8 + 1 + 8 + EPOCH_BYTES + 8)

bool own_record_read(struct bytes value, struct own_record *out) {
  memset(out, 0, sizeof *out);
  out->has_offer = value.length == OWN_RECORD_BYTES + SHORT_ID_BYTES;
  if ((value.length != OWN_RECORD_BYTES && !out->has_offer) || value.data[8] > RECORD_REFUSED)
    return false;
  out->entry = get_be64(value.data);
  out->state = (enum record_state)value.data[8];
  out->outbox = get_be64(value.data + 9);
  memcpy(out->epoch.byte, value.data + 17, EPOCH_BYTES);
  out->seq = get_be64(value.data + 17 + EPOCH_BYTES);
  if (out->has_offer) memcpy(out->offer.byte, value.data + OWN_RECORD_BYTES, SHORT_ID_BYTES);
  return true;
}

enum collega_status own_record_get(struct ledger_txn *txn, struct bytes record,
                                   struct own_record *out, struct collega_error *error) {
  struct bytes value;
  memset(out, 0, sizeof *out);
  enum collega_status status = table_get(txn, TABLE_RECORDS, record, &value, error);
  if (status != COLLEGA_OK) return status;
  return own_record_read(value, out) ? COLLEGA_OK : exchange_row_damaged(error, "records");
}

enum collega_status own_record_put(struct ledger_txn *txn, const struct id *record,
                                   const struct own_record *row, struct collega_error *error) {
  uint8_t value[OWN_RECORD_BYTES + SHORT_ID_BYTES];
  put_be64(value, row->entry);
  value[8] = (uint8_t)row->state;
  put_be64(value + 9, row->outbox);
  memcpy(value + 17, row->epoch.byte, EPOCH_BYTES);
  put_be64(value + 17 + EPOCH_BYTES, row->seq);
  memcpy(value + OWN_RECORD_BYTES, row->offer.byte, SHORT_ID_BYTES);
  return table_put(txn, TABLE_RECORDS, bytes_of(record->byte, ID_BYTES),
                   bytes_of(value, row->has_offer ? sizeof value : OWN_RECORD_BYTES), error);
}
