/* Rows of offers. Those of others, which the board brought, do not repeat the body: it stands in the payload of
 * their entry already, and a row of 800 bytes under a random key would be a page written for each. The payload of
 * a board's entry is never erased: there is nothing personal in it. */
#include "client/ledger/transaction.h"

#include "proto/wire.h"

#define PAYLOAD_DATA 2u /* its number in Payload */

static enum collega_status row_damaged(struct collega_error *error) {
  return error_set(error, COLLEGA_DAMAGED, RULE_ledger_row_damaged, NULL, table_name(TABLE_OFFERS),
                   NULL);
}

/* Fills in the body of a row that tells only where it is. */
static enum collega_status fetch_body(struct ledger_txn *txn, CollegaStore__OfferRow *row,
                                      struct arena *arena, struct collega_error *error) {
  uint8_t key[8];
  struct bytes value, data = {NULL, 0};
  uint32_t number = 0;
  put_be64(key, row->entry);
  enum collega_status status =
      table_get(txn, TABLE_PAYLOAD, bytes_of(key, sizeof key), &value, error);
  if (status == COLLEGA_NOT_FOUND) return row_damaged(error);
  if (status != COLLEGA_OK) return status;
  while (number != PAYLOAD_DATA)
    if (!wire_next(&value, &number, &data)) return row_damaged(error);
  if (row->body_at > data.length || row->body_length > data.length - row->body_at)
    return row_damaged(error);
  row->has_body = true;
  row->body.len = row->body_length;
  row->body.data = arena_copy(arena, data.data + row->body_at, row->body.len);
  if (row->body.data) return COLLEGA_OK;
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

enum collega_status ledger_offer_read(struct ledger_txn *txn, struct bytes value,
                                      struct arena *arena, CollegaStore__OfferRow **out,
                                      struct collega_error *error) {
  *out = (CollegaStore__OfferRow *)row_unpack(&collega_store__offer_row__descriptor, value, arena);
  if (*out && (*out)->has_body_at) return fetch_body(txn, *out, arena, error);
  if (*out && (*out)->has_body) return COLLEGA_OK;
  return arena_exhausted(arena) ? error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL)
                                : row_damaged(error);
}

enum collega_status ledger_offer(struct ledger_txn *txn, struct bytes offer, struct arena *arena,
                                 CollegaStore__OfferRow **out, struct collega_error *error) {
  struct bytes value;
  *out = NULL;
  enum collega_status status = table_get(txn, TABLE_OFFERS, offer, &value, error);
  return status == COLLEGA_OK ? ledger_offer_read(txn, value, arena, out, error) : status;
}

enum collega_status ledger_offer_put(struct ledger_txn *txn, const CollegaStore__OfferRow *row,
                                     struct collega_error *error) {
  CollegaStore__OfferRow stored = *row;
  if (stored.has_body_at) {
    stored.has_body = false;
    stored.body = (ProtobufCBinaryData){0, NULL};
  }
  return row_put(txn, TABLE_OFFERS, bytes_of(row->offer.data, row->offer.len), &stored.base, error);
}
