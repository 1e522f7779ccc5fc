/* The tables: raw values, rows of store messages, prefixes as users type them, followers'
 * cursors. */
#include "client/ledger/late.h"
#include <string.h>

static MDB_val value_of(struct bytes bytes) {
  /* LMDB's field is not const; keys and values that go in are only read. */
  return (MDB_val){bytes.length, (void *)(uintptr_t)bytes.data};
}

static struct bytes bytes_in(const MDB_val *value) {
  return bytes_of(value->mv_data, value->mv_size);
}

/* ---- raw */

enum collega_status table_get(struct ledger_txn *txn, enum ledger_table table, struct bytes key,
                              struct bytes *value, struct collega_error *error) {
  MDB_val wanted = value_of(key), found;
  if (late_takes(txn->late, table, key) && late_get(txn->late, table, key, value))
    return value->data ? COLLEGA_OK : COLLEGA_NOT_FOUND;
  int code = mdb_get(txn->mdb, txn->ledger->table[table], &wanted, &found);
  if (code == MDB_NOTFOUND) return COLLEGA_NOT_FOUND;
  if (code != 0) return disk_error(error, table_name(table), code);
  *value = bytes_in(&found);
  return COLLEGA_OK;
}

enum collega_status table_put(struct ledger_txn *txn, enum ledger_table table, struct bytes key,
                              struct bytes value, struct collega_error *error) {
  MDB_val name = value_of(key), content = value_of(value);
  if (late_takes(txn->late, table, key)) return late_put(txn->late, txn, table, key, &value, error);
  int code = mdb_put(txn->mdb, txn->ledger->table[table], &name, &content, 0);
  if (code != 0) return disk_error(error, table_name(table), code);
  txn->changed = true;
  return COLLEGA_OK;
}

enum collega_status table_delete(struct ledger_txn *txn, enum ledger_table table, struct bytes key,
                                 struct collega_error *error) {
  MDB_val name = value_of(key);
  if (late_takes(txn->late, table, key)) return late_put(txn->late, txn, table, key, NULL, error);
  int code = mdb_del(txn->mdb, txn->ledger->table[table], &name, NULL);
  if (code == MDB_NOTFOUND) return COLLEGA_OK;
  if (code != 0) return disk_error(error, table_name(table), code);
  txn->changed = true;
  return COLLEGA_OK;
}

static bool begins_with(const MDB_val *key, struct bytes prefix) {
  return key->mv_size >= prefix.length &&
         (prefix.length == 0 || memcmp(key->mv_data, prefix.data, prefix.length) == 0);
}

enum collega_status table_each(struct ledger_txn *txn, enum ledger_table table, struct bytes prefix,
                               const struct bytes *start, table_visit visit, void *context,
                               struct collega_error *error) {
  MDB_cursor *cursor;
  enum collega_status status =
      txn->late ? late_flush_table(txn->late, txn, table, error) : COLLEGA_OK;
  if (status != COLLEGA_OK) return status;
  int code = mdb_cursor_open(txn->mdb, txn->ledger->table[table], &cursor);
  if (code != 0) return disk_error(error, table_name(table), code);
  MDB_val key = value_of(start != NULL ? *start : prefix), value;
  /* An empty key is not one that LMDB can look for. */
  MDB_cursor_op move = key.mv_size == 0 ? MDB_FIRST : MDB_SET_RANGE;
  for (;;) {
    code = mdb_cursor_get(cursor, &key, &value, move);
    if (code != 0 || !begins_with(&key, prefix)) break;
    if (!visit(context, bytes_in(&key), bytes_in(&value))) break;
    move = MDB_NEXT;
  }
  mdb_cursor_close(cursor);
  if (code == 0 || code == MDB_NOTFOUND) return COLLEGA_OK;
  return disk_error(error, table_name(table), code);
}

/* ---- rows of store messages */

static void *from_arena(void *arena, size_t size) {
  return arena_take(arena, size);
}

static void never_free(void *arena, void *memory) {
  (void)arena; /* the memory dies with the arena */
  (void)memory;
}

ProtobufCMessage *row_unpack(const ProtobufCMessageDescriptor *type, struct bytes bytes,
                             struct arena *arena) {
  ProtobufCAllocator allocator = {from_arena, never_free, arena};
  return protobuf_c_message_unpack(type, &allocator, bytes.length, bytes.data);
}

enum collega_status row_get(struct ledger_txn *txn, enum ledger_table table, struct bytes key,
                            const ProtobufCMessageDescriptor *type, struct arena *arena,
                            ProtobufCMessage **out, struct collega_error *error) {
  *out = NULL;
  struct bytes value;
  enum collega_status status = table_get(txn, table, key, &value, error);
  if (status != COLLEGA_OK) return status;
  *out = row_unpack(type, value, arena);
  if (*out != NULL) return COLLEGA_OK;
  if (arena_exhausted(arena)) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  return error_set(error, COLLEGA_DAMAGED, RULE_ledger_row_damaged, NULL, table_name(table), NULL);
}

enum collega_status row_put(struct ledger_txn *txn, enum ledger_table table, struct bytes key,
                            const ProtobufCMessage *row, struct collega_error *error) {
  /* Packed aside first: fields of the row may still point into the map, which a write may move. */
  txn->scratch.length = 0;
  size_t size = protobuf_c_message_get_packed_size(row);
  uint8_t *packed = buffer_extend(&txn->scratch, size);
  if (txn->scratch.failed) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  protobuf_c_message_pack(row, packed);
  return table_put(txn, table, key, bytes_of(packed, size), error);
}

/* ---- ids as users type them */

struct prefix_search {
  struct bytes skip; /* what every key begins with */
  struct id_search ids;
};

static bool visit_prefixed(void *context, struct bytes key, struct bytes value) {
  (void)value;
  struct prefix_search *search = context;
  if (key.length < search->skip.length + search->ids.length) return true;
  return id_search_give(&search->ids, key.data + search->skip.length);
}

enum collega_status table_find_prefix(struct ledger_txn *txn, enum ledger_table table,
                                      struct bytes key_prefix, const char *typed, uint8_t *key,
                                      size_t key_length, struct collega_error *error) {
  struct prefix_search search = {.skip = key_prefix};
  if (!id_search_begin(&search.ids, typed, key_length))
    return error_set(error, COLLEGA_INVALID, RULE_id_malformed, NULL, typed, NULL);
  uint8_t start[512]; /* LMDB's keys have at most 511 bytes */
  const size_t whole = search.ids.digits / 2;
  if (key_prefix.length + whole > sizeof start)
    return disk_error(error, table_name(table), MDB_BAD_VALSIZE);
  if (key_prefix.length > 0) memcpy(start, key_prefix.data, key_prefix.length);
  memcpy(start + key_prefix.length, search.ids.prefix.byte, whole);
  const struct bytes first = bytes_of(start, key_prefix.length + whole);
  enum collega_status status = table_each(txn, table, first, NULL, visit_prefixed, &search, error);
  return status == COLLEGA_OK ? id_search_end(&search.ids, typed, key, error) : status;
}

/* ---- followers */

enum collega_status ledger_cursor(struct ledger_txn *txn, const char *name, uint64_t *out,
                                  struct collega_error *error) {
  *out = 0;
  struct bytes value;
  enum collega_status status =
      table_get(txn, TABLE_CURSORS, bytes_of(name, strlen(name)), &value, error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status != COLLEGA_OK) return status;
  if (value.length != 8)
    return error_set(error, COLLEGA_DAMAGED, RULE_ledger_row_damaged, NULL,
                     table_name(TABLE_CURSORS), NULL);
  *out = get_be64(value.data);
  return COLLEGA_OK;
}

enum collega_status ledger_cursor_set(struct ledger_txn *txn, const char *name, uint64_t number,
                                      struct collega_error *error) {
  uint8_t value[8];
  put_be64(value, number);
  return table_put(txn, TABLE_CURSORS, bytes_of(name, strlen(name)), bytes_of(value, sizeof value),
                   error);
}
