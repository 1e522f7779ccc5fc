/* A ledger made of rows that come from elsewhere. It is made beside the home's own place, in
 * HOME/ledger.importing, and takes that place by a rename when it is whole: whoever dies before leaves
 * the home as it was, and a directory that the next import removes. Since nobody sees it before, what
 * is written on the way needs no fsync; one comes at the end.
 *
 * Transactions end every so often: LMDB keeps the pages that one has written in memory. */
#include "client/ledger/late.h"
#include "base/fault.h"
#include "base/process/process.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IMPORTING         "ledger.importing"
#define TRANSACTION_BYTES ((size_t)16 << 20)
#define LATE_BYTES        ((size_t)224 << 20) /* before they would be written all in one transaction */

struct ledger_import {
  struct ledger *ledger;
  struct ledger_txn *txn;
  struct late_rows *late;
  uint64_t outbox_replayed;
  size_t written; /* bytes, in this transaction */
};

/* ---- the directory */

static enum collega_status remove_file(const char *directory, const char *name,
                                       struct collega_error *error) {
  char path[PATH_MAX];
  enum collega_status status = path_join(path, sizeof path, directory, name, error);
  if (status != COLLEGA_OK) return status;
  return unlink(path) == 0 || errno == ENOENT ? COLLEGA_OK : error_system(error, path, errno);
}

/* An environment that nobody has open. */
static enum collega_status remove_environment(const char *path, struct collega_error *error) {
  enum collega_status status = remove_file(path, "data.mdb", error);
  if (status == COLLEGA_OK) status = remove_file(path, "lock.mdb", error);
  if (status != COLLEGA_OK) return status;
  return rmdir(path) == 0 || errno == ENOENT ? COLLEGA_OK : error_system(error, path, errno);
}

/* ---- transactions */

static enum collega_status begin(struct ledger_import *import, struct collega_error *error) {
  struct ledger_txn *txn = calloc(1, sizeof *txn);
  if (!txn) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  txn->ledger = import->ledger;
  txn->writing = txn->replaying = true;
  txn->late = import->late;
  txn->outbox_replayed = import->outbox_replayed;
  buffer_init(&txn->scratch, 0);
  import->txn = txn;
  import->written = 0;
  enum collega_status status = disk_has_room(import->ledger->disk, error);
  return status == COLLEGA_OK ? disk_write(import->ledger->disk, &txn->mdb, error) : status;
}

static enum collega_status turn_over(struct ledger_import *import, struct collega_error *error) {
  import->outbox_replayed = import->txn->outbox_replayed;
  enum collega_status status = ledger_commit(&import->txn, error);
  if (status == COLLEGA_OK) status = begin(import, error);
  return status == COLLEGA_OK ? head_load(import->txn, error) : status;
}

enum collega_status ledger_import_begin(const char *home, struct ledger_import **out,
                                        struct collega_error *error) {
  char path[PATH_MAX];
  *out = NULL;
  enum collega_status status = path_join(path, sizeof path, home, IMPORTING, error);
  if (status == COLLEGA_OK) status = remove_environment(path, error);
  if (status != COLLEGA_OK) return status;
  struct ledger_import *import = calloc(1, sizeof *import);
  if (import) import->late = late_new();
  if (!import || !import->late) {
    free(import);
    return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  }
  status = ledger_environment(home, IMPORTING, false, &import->ledger, error);
  if (status == COLLEGA_OK) {
    int code = mdb_env_set_flags(disk_env(import->ledger->disk), MDB_NOSYNC, 1);
    if (code != 0) status = disk_error(error, path, code);
  }
  if (status == COLLEGA_OK) status = begin(import, error);
  if (status == COLLEGA_OK)
    status = ledger_tables(import->ledger, import->txn->mdb, MDB_CREATE, error);
  if (status == COLLEGA_OK)
    *out = import;
  else
    ledger_import_abandon(&import);
  return status;
}

void ledger_import_abandon(struct ledger_import **import) {
  struct ledger_import *own = *import;
  char path[PATH_MAX], *home = NULL;
  if (!own) return;
  ledger_abort(&own->txn);
  late_destroy(&own->late);
  if (own->ledger) home = strdup(own->ledger->home);
  ledger_close(&own->ledger);
  /* What is left lies outside of the ledger, and the next import removes it. */
  if (home && path_join(path, sizeof path, home, IMPORTING, NULL) == COLLEGA_OK &&
      remove_environment(path, NULL) != COLLEGA_OK)
    errno = 0;
  free(home);
  free(own);
  *import = NULL;
}

/* ---- rows */

static ProtobufCBinaryData binary(struct bytes bytes) {
  return (ProtobufCBinaryData){bytes.length, (uint8_t *)(uintptr_t)bytes.data};
}

/* The last of its table: its value is the caller's to write. */
static enum collega_status append(struct ledger_import *import, enum ledger_table table,
                                  uint64_t number, size_t length, uint8_t **place,
                                  struct collega_error *error) {
  uint8_t bytes[8];
  put_be64(bytes, number);
  MDB_val key = {sizeof bytes, bytes}, value = {length, NULL};
  int code = mdb_put(import->txn->mdb, import->ledger->table[table], &key, &value,
                     MDB_APPEND | MDB_RESERVE);
  if (code != 0) return disk_error(error, table_name(table), code);
  *place = value.mv_data;
  import->txn->changed = true;
  import->written += length;
  return COLLEGA_OK;
}

static enum collega_status put_payload(struct ledger_import *import, const struct ledger_row *row,
                                       uint64_t number, struct collega_error *error) {
  CollegaStore__Payload payload = COLLEGA_STORE__PAYLOAD__INIT;
  payload.salt = binary(row->salt);
  payload.data = binary(row->data);
  payload.has_reduced = payload.reduced = row->reduced;
  size_t length = row->salt.data ? protobuf_c_message_get_packed_size(&payload.base) : 0;
  uint8_t *place;
  enum collega_status status = append(import, TABLE_PAYLOAD, number, length, &place, error);
  if (status == COLLEGA_OK && length > 0) protobuf_c_message_pack(&payload.base, place);
  return status;
}

/* Rows whose keys come in no order touch pages all over their tables. */
static enum collega_status write_late(struct ledger_import *import, struct collega_error *error) {
  bool more = true;
  enum collega_status status = COLLEGA_OK;
  while (status == COLLEGA_OK && more) {
    status = late_flush_some(import->late, import->txn, TRANSACTION_BYTES, &more, error);
    if (status == COLLEGA_OK && more) status = turn_over(import, error);
  }
  return status;
}

enum collega_status ledger_import_put(struct ledger_import *import, const struct ledger_row *row,
                                      const struct ledger_event *event, ledger_apply apply,
                                      void *context, struct collega_error *error) {
  uint8_t *place;
  enum collega_status status =
      late_bytes(import->late) > LATE_BYTES ? write_late(import, error) : COLLEGA_OK;
  if (status == COLLEGA_OK && import->written > TRANSACTION_BYTES)
    status = turn_over(import, error);
  if (status == COLLEGA_OK)
    status =
        append(import, TABLE_CHAIN, event->number, ID_BYTES + row->entry.length, &place, error);
  if (status != COLLEGA_OK) return status;
  memcpy(place, row->hash.byte, ID_BYTES);
  memcpy(place + ID_BYTES, row->entry.data, row->entry.length);
  if (row->salt.data || row->erased) status = put_payload(import, row, event->number, error);
  import->txn->head.number = event->number;
  import->txn->head.hash = row->hash;
  import->txn->head_changed = true;
  if (status == COLLEGA_OK && event->kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_ERASED)
    status = erased_note(import->txn, event->number, error);
  if (status == COLLEGA_OK) status = apply(import->txn, event, context, error);
  fault_point(FAULT_import_row);
  return status;
}

/* ---- the end */

enum collega_status ledger_import_end(struct ledger_import *import, const struct epoch *epoch,
                                      struct ledger **out, struct collega_error *error) {
  enum collega_status status = write_late(import, error);
  import->txn->head.epoch = *epoch;
  import->txn->head_changed = true;
  if (status == COLLEGA_OK) status = outbox_keep_number(import->txn, error);
  if (status == COLLEGA_OK) status = ledger_commit(&import->txn, error);
  *out = import->ledger;
  return status;
}

struct ledger_txn *ledger_import_txn(struct ledger_import *import) {
  return import->txn;
}

enum collega_status ledger_import_install(struct ledger_import **import,
                                          struct collega_error *error) {
  struct ledger_import *own = *import;
  char from[PATH_MAX], to[PATH_MAX];
  const char *home = own->ledger->home;
  enum collega_status status = path_join(from, sizeof from, home, IMPORTING, error);
  if (status == COLLEGA_OK) status = path_join(to, sizeof to, home, "ledger", error);
  if (status == COLLEGA_OK) {
    int code = mdb_env_sync(disk_env(own->ledger->disk), 1);
    if (code != 0) status = disk_error(error, from, code);
  }
  fault_point(FAULT_import_whole);
  if (status == COLLEGA_OK) {
    /* The lock file is of no use to whoever opens it next, and a directory is only replaced when empty. */
    disk_close(&own->ledger->disk);
    status = remove_file(from, "lock.mdb", error);
    if (status == COLLEGA_OK) status = remove_file(to, "lock.mdb", error);
    if (status == COLLEGA_OK && rename(from, to) != 0) status = error_system(error, to, errno);
    if (status == COLLEGA_OK) status = directory_of_sync(to, error);
  }
  fault_point(FAULT_import_moved);
  ledger_import_abandon(import);
  return status;
}
