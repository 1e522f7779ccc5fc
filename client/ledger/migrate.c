/* Older versions of the ledger's format, brought up to date in place, in one transaction.
 *
 *   1 -> 2  "records": a row was chain number (8), state (1), outbox number (8) and perhaps an
 *           offer's id (16). Since 2 the broker's epoch (8) and sequence (8) of the receipt stand
 *           before the offer's id; of older rows they are not known here, and are zeros (`ledger
 *           rebuild` finds them in the chain). */
#include "client/ledger/transaction.h"

#include <stdlib.h>
#include <string.h>

#define V1_RECORD_BYTES 17u
#define V2_ADDED_BYTES  16u
#define OFFER_BYTES     16u

struct wide_row {
  uint8_t key[ID_BYTES], value[V1_RECORD_BYTES + V2_ADDED_BYTES + OFFER_BYTES];
  size_t length;
};
struct wide_rows {
  struct wide_row *row;
  size_t count, capacity;
};

static enum collega_status widen(struct wide_rows *rows, const MDB_val *key, const MDB_val *value,
                                 struct collega_error *error) {
  if ((value->mv_size != V1_RECORD_BYTES && value->mv_size != V1_RECORD_BYTES + OFFER_BYTES) ||
      key->mv_size != ID_BYTES)
    return error_set(error, COLLEGA_DAMAGED, RULE_ledger_row_damaged, NULL,
                     table_name(TABLE_RECORDS), NULL);
  if (rows->count == rows->capacity) {
    size_t capacity = rows->capacity ? 2 * rows->capacity : 256;
    struct wide_row *grown = realloc(rows->row, capacity * sizeof *grown);
    if (grown == NULL) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
    rows->row = grown;
    rows->capacity = capacity;
  }
  const uint8_t *old = value->mv_data;
  struct wide_row *row = &rows->row[rows->count++];
  *row = (struct wide_row){.length = value->mv_size + V2_ADDED_BYTES};
  memcpy(row->key, key->mv_data, ID_BYTES);
  memcpy(row->value, old, V1_RECORD_BYTES);
  memcpy(row->value + V1_RECORD_BYTES + V2_ADDED_BYTES, old + V1_RECORD_BYTES,
         value->mv_size - V1_RECORD_BYTES);
  return COLLEGA_OK;
}

static enum collega_status read_wide(MDB_txn *txn, MDB_dbi records, struct wide_rows *rows,
                                     struct collega_error *error) {
  MDB_cursor *cursor = NULL;
  MDB_val key, value;
  enum collega_status status = COLLEGA_OK;
  int code = mdb_cursor_open(txn, records, &cursor);
  if (code != 0) return disk_error(error, table_name(TABLE_RECORDS), code);
  code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
  while (status == COLLEGA_OK && code == 0) {
    status = widen(rows, &key, &value, error);
    code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
  }
  mdb_cursor_close(cursor);
  if (status == COLLEGA_OK && code != MDB_NOTFOUND)
    status = disk_error(error, table_name(TABLE_RECORDS), code);
  return status;
}

static enum collega_status records_to_2(MDB_txn *txn, struct collega_error *error) {
  struct wide_rows rows = {NULL, 0, 0};
  MDB_dbi records;
  int code = mdb_dbi_open(txn, table_name(TABLE_RECORDS), 0, &records);
  if (code == MDB_NOTFOUND) return COLLEGA_OK; /* its creation was never finished */
  if (code != 0) return disk_error(error, table_name(TABLE_RECORDS), code);
  /* All are read before one is written: a cursor would meet its own longer rows again. */
  enum collega_status status = read_wide(txn, records, &rows, error);
  for (size_t i = 0; status == COLLEGA_OK && i < rows.count; i++) {
    MDB_val key = {ID_BYTES, rows.row[i].key}, value = {rows.row[i].length, rows.row[i].value};
    code = mdb_put(txn, records, &key, &value, 0);
    if (code != 0) status = disk_error(error, table_name(TABLE_RECORDS), code);
  }
  free(rows.row);
  return status;
}

enum collega_status ledger_migrate(MDB_env *env, MDB_txn *txn, uint32_t from,
                                   struct collega_error *error) {
  (void)env;
  return from < 2 ? records_to_2(txn, error) : COLLEGA_OK;
}
