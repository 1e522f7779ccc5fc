/* Counters that are stored and never derived: deleting the newest row must not give its number
 * away again.
 *
 *   "state"  "sequence", which (1), ledger epoch (8), party (32) -> next (8, big-endian)
 *            "outbox" -> number given last (8, big-endian)
 *
 * The ledger epoch is part of the key, so the sequences of a new epoch start at 1 by themselves. */
#include "client/ledger/transaction.h"
#include <string.h>

/* *value stays as it is when the counter has never been stored. */
static enum collega_status counter_get(struct ledger_txn *txn, struct bytes key, uint64_t *value,
                                       struct collega_error *error) {
  struct bytes stored;
  enum collega_status status = table_get(txn, TABLE_META, key, &stored, error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status != COLLEGA_OK) return status;
  if (stored.length != 8)
    return error_set(error, COLLEGA_DAMAGED, RULE_ledger_row_damaged, NULL, table_name(TABLE_META),
                     NULL);
  *value = get_be64(stored.data);
  return COLLEGA_OK;
}

static enum collega_status counter_put(struct ledger_txn *txn, struct bytes key, uint64_t value,
                                       struct collega_error *error) {
  uint8_t bytes[8];
  put_be64(bytes, value);
  return table_put(txn, TABLE_META, key, bytes_of(bytes, sizeof bytes), error);
}

enum collega_status ledger_next_sequence(struct ledger_txn *txn, const struct id *party,
                                         enum ledger_sequence which, uint32_t count,
                                         uint64_t *first, struct collega_error *error) {
  static const char name[8] = {'s', 'e', 'q', 'u', 'e', 'n', 'c', 'e'};
  uint8_t key[sizeof name + 1 + EPOCH_BYTES + ID_BYTES];
  uint8_t *at = key;
  memcpy(at, name, sizeof name);
  at += sizeof name;
  switch (which) {
  case SEQUENCE_RECORDS:
    *at++ = 'r';
    break;
  case SEQUENCE_MAIL:
    *at++ = 'm';
    break;
  }
  memcpy(at, txn->head.epoch.byte, EPOCH_BYTES);
  memcpy(at + EPOCH_BYTES, party->byte, ID_BYTES);
  uint64_t next = 1;
  enum collega_status status = counter_get(txn, bytes_of(key, sizeof key), &next, error);
  if (status == COLLEGA_OK)
    status = counter_put(txn, bytes_of(key, sizeof key), next + count, error);
  if (status == COLLEGA_OK) *first = next;
  return status;
}

static const struct bytes outbox_key = {(const uint8_t *)"outbox", 6};

enum collega_status outbox_next_number(struct ledger_txn *txn, uint64_t *number,
                                       struct collega_error *error) {
  /* A replay puts the items in again in the same order: they get the numbers that they had, which
   * entries of the chain name. */
  if (txn->replaying) {
    *number = ++txn->outbox_replayed;
    return COLLEGA_OK;
  }
  uint64_t last = 0;
  enum collega_status status = counter_get(txn, outbox_key, &last, error);
  if (status == COLLEGA_OK) status = counter_put(txn, outbox_key, last + 1, error);
  if (status == COLLEGA_OK) *number = last + 1;
  return status;
}

enum collega_status outbox_keep_number(struct ledger_txn *txn, struct collega_error *error) {
  uint64_t last = 0;
  enum collega_status status = counter_get(txn, outbox_key, &last, error);
  if (status == COLLEGA_OK && txn->outbox_replayed > last)
    status = counter_put(txn, outbox_key, txn->outbox_replayed, error);
  return status;
}
