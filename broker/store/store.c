/* LMDB behind the store's interface. Everything here is translation: LMDB's numbers into our
 * errors, its values into struct bytes. Every table is a named database without flags: fixed binary
 * keys, big-endian numbers, so that memcmp order is the order of meaning; no DUPSORT, whose deletes
 * are not to be trusted.
 *
 * One table has no name: the few rows of the state, which nearly every commit writes, stand in
 * LMDB's tree of names, where every commit writes the roots of the others. That saves it a page.
 * Their keys are no table's name.
 *
 * Cursors for store_floor are kept for the length of a transaction, because the committer asks that
 * question once for every run. */
#include "broker/store/store.h"

#include <lmdb.h>
#include <stdlib.h>
#include <string.h>

#include "base/disk/disk.h"

#define STORE_FORMAT  "collega-broker"
#define STORE_VERSION 2u

static const char *const table_names[STORE_TABLES] = {
    [STORE_STATE] = NULL, /* in the tree of names */
    [STORE_EPOCHS] = "epochs",
    [STORE_LOG] = "log",
    [STORE_AUTHORS] = "authors",
    [STORE_MEMBERS] = "members",
    [STORE_PARTIES] = "parties",
    [STORE_LINKS] = "links",
    [STORE_INVITATIONS] = "invitations",
    [STORE_BOXES] = "boxes",
    [STORE_MAIL] = "mail",
    [STORE_SENDS] = "sends",
    [STORE_COPIES] = "copies",
    [STORE_RULINGS] = "rulings",
    [STORE_DECISIONS] = "decisions",
    [STORE_REGISTERS] = "registers",
};

/* For errors. */
static const char *name_of(enum store_table table) {
  return table_names[table] ? table_names[table] : "state";
}

struct store {
  struct disk *disk;
  MDB_dbi tables[STORE_TABLES];
};

struct store_txn {
  struct store *store;
  MDB_txn *inner;
  bool writes;
  MDB_cursor *floors[STORE_TABLES]; /* NULL: not opened yet */
};

static MDB_val value_of(struct bytes bytes) {
  return (MDB_val){bytes.length, (void *)(uintptr_t)bytes.data};
}

static struct bytes bytes_of_value(MDB_val value) {
  return bytes_of(value.mv_data, value.mv_size);
}

static enum collega_status open_tables(struct store *store, struct collega_error *error) {
  MDB_txn *txn = NULL;
  enum collega_status status = disk_write(store->disk, &txn, error);
  for (size_t i = 0; !status && i < STORE_TABLES; i++) {
    int number =
        mdb_dbi_open(txn, table_names[i], table_names[i] ? MDB_CREATE : 0, &store->tables[i]);
    if (number) status = disk_error(error, name_of((enum store_table)i), number);
  }
  if (!status) return disk_commit(&txn, error);
  disk_abort(&txn);
  return status;
}

enum collega_status store_open(const struct store_options *options, struct store **out,
                               struct collega_error *error) {
  *out = NULL;
  struct store *store = calloc(1, sizeof *store);
  if (!store) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  struct disk_options disk = {.path = options->path,
                              .format = STORE_FORMAT,
                              .version = STORE_VERSION,
                              .map_bytes = options->map_bytes,
                              .databases = STORE_TABLES + 1, /* and disk's own, "meta" */
                              .must_exist = options->must_exist,
                              .grows_ahead = true};
  enum collega_status status = disk_open(&disk, &store->disk, error);
  if (!status) status = open_tables(store, error);
  if (status) {
    store_close(&store);
    return status;
  }
  *out = store;
  return COLLEGA_OK;
}

void store_close(struct store **store) {
  if (!*store) return;
  disk_close(&(*store)->disk);
  free(*store);
  *store = NULL;
}

static enum collega_status begin(struct store *store, bool writes, struct store_txn **out,
                                 struct collega_error *error) {
  *out = NULL;
  struct store_txn *txn = calloc(1, sizeof *txn);
  if (!txn) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  txn->store = store;
  txn->writes = writes;
  enum collega_status status = writes ? disk_write(store->disk, &txn->inner, error)
                                      : disk_read(store->disk, &txn->inner, error);
  if (status) {
    free(txn);
    return status;
  }
  *out = txn;
  return COLLEGA_OK;
}

enum collega_status store_read(struct store *store, struct store_txn **out,
                               struct collega_error *error) {
  return begin(store, false, out, error);
}

enum collega_status store_write(struct store *store, struct store_txn **out,
                                struct collega_error *error) {
  return begin(store, true, out, error);
}

static void close_floors(struct store_txn *txn) {
  for (size_t i = 0; i < STORE_TABLES; i++) {
    if (txn->floors[i]) mdb_cursor_close(txn->floors[i]);
    txn->floors[i] = NULL;
  }
}

void store_rest(struct store_txn *txn) {
  close_floors(txn);
  mdb_txn_reset(txn->inner);
}

enum collega_status store_renew(struct store_txn *txn, struct collega_error *error) {
  int number = mdb_txn_renew(txn->inner);
  return number ? disk_error(error, "renew", number) : COLLEGA_OK;
}

enum collega_status store_commit(struct store_txn **txn, struct collega_error *error) {
  close_floors(*txn);
  enum collega_status status = disk_commit(&(*txn)->inner, error);
  free(*txn);
  *txn = NULL;
  return status;
}

void store_end(struct store_txn **txn) {
  if (!*txn) return;
  close_floors(*txn);
  disk_abort(&(*txn)->inner);
  free(*txn);
  *txn = NULL;
}

enum collega_status store_has_room(struct store *store, struct collega_error *error) {
  return disk_has_room(store->disk, error);
}

enum collega_status store_room(struct store *store, struct store_room *out,
                               struct collega_error *error) {
  struct disk_room room;
  enum collega_status status = disk_room(store->disk, &room, error);
  if (!status) *out = (struct store_room){room.used, room.map, room.free};
  return status;
}

enum collega_status store_backup(struct store *store, const char *path,
                                 struct collega_error *error) {
  return disk_backup(store->disk, path, error);
}

int store_check_readers(struct store *store) {
  return disk_check_readers(store->disk);
}

enum collega_status store_get(struct store_txn *txn, enum store_table table, struct bytes key,
                              struct bytes *value, struct collega_error *error) {
  MDB_val wanted = value_of(key), found = {0, NULL};
  int number = mdb_get(txn->inner, txn->store->tables[table], &wanted, &found);
  *value = number ? bytes_of(NULL, 0) : bytes_of_value(found);
  return number && number != MDB_NOTFOUND ? disk_error(error, name_of(table), number) : COLLEGA_OK;
}

/* One step of a cursor; past either end is no error. */
static enum collega_status step(MDB_cursor *cursor, MDB_cursor_op operation, struct bytes sought,
                                struct bytes *key, struct bytes *value,
                                struct collega_error *error) {
  MDB_val found = value_of(sought), data = {0, NULL};
  int number = mdb_cursor_get(cursor, &found, &data, operation);
  *key = number ? bytes_of(NULL, 0) : bytes_of_value(found);
  *value = number ? bytes_of(NULL, 0) : bytes_of_value(data);
  return number && number != MDB_NOTFOUND ? disk_error(error, "cursor", number) : COLLEGA_OK;
}

static enum collega_status step_to_floor(MDB_cursor *cursor, struct bytes sought, struct bytes *key,
                                         struct bytes *value, struct collega_error *error) {
  enum collega_status status = step(cursor, MDB_SET_RANGE, sought, key, value, error);
  if (status || (key->data && bytes_equal(*key, sought))) return status;
  return step(cursor, key->data ? MDB_PREV : MDB_LAST, bytes_of(NULL, 0), key, value, error);
}

enum collega_status store_floor(struct store_txn *txn, enum store_table table, struct bytes key,
                                struct bytes *found, struct bytes *value,
                                struct collega_error *error) {
  *found = *value = bytes_of(NULL, 0);
  if (!txn->floors[table]) {
    int number = mdb_cursor_open(txn->inner, txn->store->tables[table], &txn->floors[table]);
    if (number) return disk_error(error, name_of(table), number);
  }
  return step_to_floor(txn->floors[table], key, found, value, error);
}

enum collega_status store_put(struct store_txn *txn, enum store_table table, struct bytes key,
                              struct bytes value, struct collega_error *error) {
  MDB_val at = value_of(key), data = value_of(value);
  int number = mdb_put(txn->inner, txn->store->tables[table], &at, &data, 0);
  return number ? disk_error(error, name_of(table), number) : COLLEGA_OK;
}

static enum collega_status put_parts(struct store_txn *txn, enum store_table table,
                                     struct bytes key, const struct bytes *parts, size_t count,
                                     unsigned flags, struct collega_error *error) {
  size_t length = 0;
  for (size_t i = 0; i < count; i++)
    length += parts[i].length;
  MDB_val at = value_of(key), data = {length, NULL};
  int number = mdb_put(txn->inner, txn->store->tables[table], &at, &data, MDB_RESERVE | flags);
  if (number) return disk_error(error, name_of(table), number);
  uint8_t *to = data.mv_data;
  for (size_t i = 0; i < count; i++) {
    if (parts[i].length) memcpy(to, parts[i].data, parts[i].length);
    to += parts[i].length;
  }
  return COLLEGA_OK;
}

enum collega_status store_put_parts(struct store_txn *txn, enum store_table table, struct bytes key,
                                    const struct bytes *parts, size_t count,
                                    struct collega_error *error) {
  return put_parts(txn, table, key, parts, count, 0, error);
}

enum collega_status store_append(struct store_txn *txn, enum store_table table, struct bytes key,
                                 const struct bytes *parts, size_t count,
                                 struct collega_error *error) {
  return put_parts(txn, table, key, parts, count, MDB_APPEND, error);
}

enum collega_status store_delete(struct store_txn *txn, enum store_table table, struct bytes key,
                                 struct collega_error *error) {
  MDB_val at = value_of(key);
  int number = mdb_del(txn->inner, txn->store->tables[table], &at, NULL);
  return number && number != MDB_NOTFOUND ? disk_error(error, name_of(table), number) : COLLEGA_OK;
}

enum collega_status store_cursor_open(struct store_txn *txn, enum store_table table,
                                      struct store_cursor *cursor, struct collega_error *error) {
  *cursor = (struct store_cursor){0};
  MDB_cursor *inner = NULL;
  int number = mdb_cursor_open(txn->inner, txn->store->tables[table], &inner);
  if (number) return disk_error(error, name_of(table), number);
  cursor->inner = inner;
  return COLLEGA_OK;
}

void store_cursor_close(struct store_cursor *cursor) {
  if (cursor->inner) mdb_cursor_close(cursor->inner);
  *cursor = (struct store_cursor){0};
}

enum collega_status store_seek(struct store_cursor *cursor, struct bytes key,
                               struct collega_error *error) {
  MDB_cursor_op operation = key.length ? MDB_SET_RANGE : MDB_FIRST;
  return step(cursor->inner, operation, key, &cursor->key, &cursor->value, error);
}

enum collega_status store_seek_back(struct store_cursor *cursor, struct bytes key,
                                    struct collega_error *error) {
  return step_to_floor(cursor->inner, key, &cursor->key, &cursor->value, error);
}

enum collega_status store_next(struct store_cursor *cursor, struct collega_error *error) {
  return step(cursor->inner, MDB_NEXT, bytes_of(NULL, 0), &cursor->key, &cursor->value, error);
}

enum collega_status store_previous(struct store_cursor *cursor, struct collega_error *error) {
  return step(cursor->inner, MDB_PREV, bytes_of(NULL, 0), &cursor->key, &cursor->value, error);
}
