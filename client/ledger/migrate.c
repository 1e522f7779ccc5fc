/* Older versions of the ledger's format, brought up to date in place, in one transaction.
 *
 *   1 -> 2  "records": a row was chain number (8), state (1), outbox number (8) and perhaps an
 *           offer's id (16). Since 2 the broker's epoch (8) and sequence (8) of the receipt stand
 *           before the offer's id; of older rows they are not known here, and are zeros (`ledger
 *           rebuild` finds them in the chain).
 *   2 -> 3  A home had one party. Since 3 it may have several: rows of "deals" and "roots" have the
 *           party before the deal's or root's id in their key, and how far a mailbox was read stands
 *           with its party in "own" instead of with the broker.
 *   3 -> 4  Rows of "offers" that the board brought tell where their body stands in the chain. Older
 *           ones hold it themselves: they stay so until they change, or the tables are rebuilt. */
#include "client/ledger/transaction.h"

#include <stdlib.h>
#include <string.h>

#define V1_RECORD_BYTES 17u
#define V2_ADDED_BYTES  16u
#define OFFER_BYTES     16u

/* A table as it was: all is read before anything is written, since a cursor would meet what it has
 * written itself. */
struct old_row {
  struct bytes key, value; /* in the arena */
};
struct old_rows {
  struct arena *arena;
  struct old_row *row;
  size_t count, capacity;
};

static enum collega_status no_memory(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

static enum collega_status row_damaged(enum ledger_table table, struct collega_error *error) {
  return error_set(error, COLLEGA_DAMAGED, RULE_ledger_row_damaged, NULL, table_name(table), NULL);
}

static bool copy_bytes(struct arena *arena, const MDB_val *from, struct bytes *out) {
  const void *copy = arena_copy(arena, from->mv_data, from->mv_size);
  *out = bytes_of(copy, from->mv_size);
  return copy != NULL;
}

static bool keep(struct old_rows *rows, const MDB_val *key, const MDB_val *value) {
  if (rows->count == rows->capacity) {
    size_t capacity = rows->capacity ? 2 * rows->capacity : 256;
    struct old_row *grown = realloc(rows->row, capacity * sizeof *grown);
    if (grown == NULL) return false;
    rows->row = grown;
    rows->capacity = capacity;
  }
  struct old_row *row = &rows->row[rows->count];
  if (!copy_bytes(rows->arena, key, &row->key) || !copy_bytes(rows->arena, value, &row->value))
    return false;
  rows->count++;
  return true;
}

static void rows_free(struct old_rows *rows) {
  free(rows->row);
  arena_destroy(&rows->arena);
}

/* COLLEGA_NOT_FOUND without words: there is no such table, the ledger's creation was never
 * finished. The rows are the caller's to free, whatever is returned. */
static enum collega_status read_table(MDB_txn *txn, enum ledger_table table, MDB_dbi *database,
                                      struct old_rows *rows, struct collega_error *error) {
  MDB_cursor *cursor = NULL;
  MDB_val key, value;
  *rows = (struct old_rows){.arena = arena_new(65536, LEDGER_ARENA_BYTES)};
  if (rows->arena == NULL) return no_memory(error);
  int code = mdb_dbi_open(txn, table_name(table), 0, database);
  if (code == MDB_NOTFOUND) return COLLEGA_NOT_FOUND;
  if (code == 0) code = mdb_cursor_open(txn, *database, &cursor);
  if (code != 0) return disk_error(error, table_name(table), code);
  code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
  while (code == 0 && keep(rows, &key, &value))
    code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
  mdb_cursor_close(cursor);
  if (code == 0) return no_memory(error);
  return code == MDB_NOTFOUND ? COLLEGA_OK : disk_error(error, table_name(table), code);
}

static enum collega_status put(MDB_txn *txn, enum ledger_table table, MDB_dbi database,
                               struct bytes key, struct bytes value, struct collega_error *error) {
  /* LMDB's fields are not const; what goes in is only read. */
  MDB_val name = {key.length, (void *)(uintptr_t)key.data};
  MDB_val content = {value.length, (void *)(uintptr_t)value.data};
  int code = mdb_put(txn, database, &name, &content, 0);
  return code == 0 ? COLLEGA_OK : disk_error(error, table_name(table), code);
}

/* ---- 1 -> 2 */

static enum collega_status widen(MDB_txn *txn, MDB_dbi records, const struct old_row *old,
                                 struct collega_error *error) {
  uint8_t value[V1_RECORD_BYTES + V2_ADDED_BYTES + OFFER_BYTES] = {0};
  size_t length = old->value.length;
  if ((length != V1_RECORD_BYTES && length != V1_RECORD_BYTES + OFFER_BYTES) ||
      old->key.length != ID_BYTES)
    return row_damaged(TABLE_RECORDS, error);
  memcpy(value, old->value.data, V1_RECORD_BYTES);
  memcpy(value + V1_RECORD_BYTES + V2_ADDED_BYTES, old->value.data + V1_RECORD_BYTES,
         length - V1_RECORD_BYTES);
  return put(txn, TABLE_RECORDS, records, old->key, bytes_of(value, length + V2_ADDED_BYTES),
             error);
}

static enum collega_status records_to_2(MDB_txn *txn, struct collega_error *error) {
  struct old_rows rows;
  MDB_dbi records;
  enum collega_status status = read_table(txn, TABLE_RECORDS, &records, &rows, error);
  for (size_t i = 0; status == COLLEGA_OK && i < rows.count; i++)
    status = widen(txn, records, &rows.row[i], error);
  rows_free(&rows);
  return status == COLLEGA_NOT_FOUND ? COLLEGA_OK : status;
}

/* ---- 2 -> 3 */

static enum collega_status put_message(MDB_txn *txn, enum ledger_table table, MDB_dbi database,
                                       struct bytes key, const ProtobufCMessage *row,
                                       struct arena *arena, struct collega_error *error) {
  size_t size = protobuf_c_message_get_packed_size(row);
  uint8_t *packed = arena_take(arena, size);
  if (packed == NULL) return no_memory(error);
  protobuf_c_message_pack(row, packed);
  return put(txn, table, database, key, bytes_of(packed, size), error);
}

/* The one party of the home, with the mailbox cursor that stood in its broker's row. */
static enum collega_status own_to_3(MDB_txn *txn, struct id *party, struct collega_error *error) {
  struct old_rows own, brokers = {0};
  MDB_dbi own_table, broker_table;
  enum collega_status status = read_table(txn, TABLE_OWN, &own_table, &own, error);
  if (status == COLLEGA_OK && own.count == 0) status = COLLEGA_NOT_FOUND;
  if (status == COLLEGA_OK) status = read_table(txn, TABLE_BROKERS, &broker_table, &brokers, error);
  if (status != COLLEGA_OK) goto done;
  CollegaStore__OwnParty *row = (CollegaStore__OwnParty *)row_unpack(
      &collega_store__own_party__descriptor, own.row[0].value, own.arena);
  const CollegaStore__BrokerRow *broker = NULL;
  if (brokers.count > 0) {
    broker = (const CollegaStore__BrokerRow *)row_unpack(&collega_store__broker_row__descriptor,
                                                         brokers.row[0].value, brokers.arena);
    if (broker == NULL) status = row_damaged(TABLE_BROKERS, error);
  }
  if (status == COLLEGA_OK &&
      (row == NULL || own.count > 1 || !id_from(party, own.row[0].key.data, own.row[0].key.length)))
    status = row_damaged(TABLE_OWN, error);
  if (status != COLLEGA_OK || broker == NULL) goto done;
  row->has_certified = row->certified = true;
  row->has_mailbox_epoch = broker->has_mailbox_epoch;
  row->mailbox_epoch = broker->mailbox_epoch;
  row->has_mailbox_seq = broker->has_mailbox_seq;
  row->mailbox_seq = broker->mailbox_seq;
  status = put_message(txn, TABLE_OWN, own_table, own.row[0].key, &row->base, own.arena, error);
  if (status != COLLEGA_OK) goto done;
  CollegaStore__BrokerRow changed = *broker;
  changed.has_mailbox_epoch = changed.has_mailbox_seq = false;
  changed.mailbox_seq = 0;
  status = put_message(txn, TABLE_BROKERS, broker_table, brokers.row[0].key, &changed.base,
                       brokers.arena, error);
done:
  rows_free(&own);
  rows_free(&brokers);
  return status;
}

/* Rows of one table under keys that begin with the party. */
static enum collega_status table_to_3(MDB_txn *txn, enum ledger_table table, const struct id *party,
                                      struct collega_error *error) {
  struct old_rows rows;
  MDB_dbi database;
  enum collega_status status = read_table(txn, table, &database, &rows, error);
  if (status == COLLEGA_OK) {
    int code = mdb_drop(txn, database, 0);
    if (code != 0) status = disk_error(error, table_name(table), code);
  }
  for (size_t i = 0; status == COLLEGA_OK && i < rows.count; i++) {
    uint8_t key[2 * ID_BYTES];
    if (rows.row[i].key.length != ID_BYTES) {
      status = row_damaged(table, error);
      break;
    }
    memcpy(key, party->byte, ID_BYTES);
    memcpy(key + ID_BYTES, rows.row[i].key.data, ID_BYTES);
    status = put(txn, table, database, bytes_of(key, sizeof key), rows.row[i].value, error);
  }
  rows_free(&rows);
  return status;
}

static enum collega_status parties_to_3(MDB_txn *txn, struct collega_error *error) {
  struct id party;
  enum collega_status status = own_to_3(txn, &party, error);
  if (status == COLLEGA_OK) status = table_to_3(txn, TABLE_DEALS, &party, error);
  if (status == COLLEGA_OK) status = table_to_3(txn, TABLE_ROOTS, &party, error);
  return status == COLLEGA_NOT_FOUND ? COLLEGA_OK : status;
}

enum collega_status ledger_migrate(MDB_env *env, MDB_txn *txn, uint32_t from,
                                   struct collega_error *error) {
  (void)env;
  enum collega_status status = from < 2 ? records_to_2(txn, error) : COLLEGA_OK;
  return status == COLLEGA_OK && from < 3 ? parties_to_3(txn, error) : status;
}
