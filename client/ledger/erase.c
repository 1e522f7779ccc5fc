/* Erasing. What was personal in a payload goes; what remains of it takes its place, under a salt of
 * its own, and an entry of kind ERASED in the chain tells the hash of that. So nobody who can write the
 * file can pass off other bytes as "what remained". Which entries are of that kind stands in
 * TABLE_META under "erased": their numbers (8 bytes each, big-endian), in order.
 *
 * The database keeps old bytes longer than one would think. A page that is no longer used goes to
 * LMDB's list of free pages as it was; within a page in use, what was moved away or deleted stays in
 * the gap; and LMDB uses the memory of pages that were written before for new ones, gap and all. So
 * ledger_reduce writes zeros over a row before it writes what remains, and ledger_scrub, in an
 * environment that was opened anew (its memory is clean), moves every row to fresh pages - the derived
 * tables by a rebuild - and then fills all free pages with zeros, by putting rows of exactly a page
 * into a table of its own and deleting them again. Behind the last page in use may lie those of a commit
 * that was cut off before its end: that part of the file is cut off, too. */
#include "client/ledger/transaction.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SALT_BYTES 16
#define ERASED_KEY "erased"

/* ---- what tells for a reduced payload */

static enum collega_status told_in(struct ledger_txn *txn, uint64_t entry, uint64_t number,
                                   struct arena *arena, struct id *out,
                                   struct collega_error *error) {
  struct ledger_event event;
  enum collega_status status = ledger_entry(txn, entry, arena, &event, error);
  if (status != COLLEGA_OK) return status;
  const CollegaStore__Erased *erased =
      event.kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_ERASED && event.payload.data &&
              !event.reduced
          ? (const CollegaStore__Erased *)row_unpack(&collega_store__erased__descriptor,
                                                     event.payload, arena)
          : NULL;
  size_t low = 0, high = erased ? erased->n_payloads : 0;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    const CollegaStore__ErasedPayload *payload = erased->payloads[middle];
    if (payload->number == number)
      return id_from(out, payload->payload_hash.data, payload->payload_hash.len)
                 ? COLLEGA_OK
                 : COLLEGA_NOT_FOUND;
    if (payload->number < number)
      low = middle + 1;
    else
      high = middle;
  }
  return COLLEGA_NOT_FOUND;
}

/* The newest that names it: it may have been reduced more than once. Only an entry behind it can. */
enum collega_status erased_hash(struct ledger_txn *txn, uint64_t number, struct id *out,
                                struct collega_error *error) {
  struct bytes list;
  enum collega_status status =
      table_get(txn, TABLE_META, bytes_of(ERASED_KEY, strlen(ERASED_KEY)), &list, error);
  struct arena *arena = status == COLLEGA_OK ? arena_new(65536, LEDGER_ARENA_BYTES) : NULL;
  if (status != COLLEGA_OK) return status;
  if (arena == NULL) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  status = COLLEGA_NOT_FOUND;
  for (size_t at = list.length / 8; status == COLLEGA_NOT_FOUND && at-- > 0;) {
    uint64_t entry = get_be64(list.data + 8 * at);
    arena_reset(arena);
    if (entry > number && entry <= txn->head.number)
      status = told_in(txn, entry, number, arena, out, error);
  }
  arena_destroy(&arena);
  return status;
}

enum collega_status ledger_last_erased(struct ledger_txn *txn, uint64_t *entry,
                                       struct collega_error *error) {
  struct bytes list;
  *entry = 0;
  enum collega_status status =
      table_get(txn, TABLE_META, bytes_of(ERASED_KEY, strlen(ERASED_KEY)), &list, error);
  if (status == COLLEGA_OK && list.length >= 8) *entry = get_be64(list.data + list.length - 8);
  return status == COLLEGA_NOT_FOUND ? COLLEGA_OK : status;
}

enum collega_status erased_note(struct ledger_txn *txn, uint64_t entry,
                                struct collega_error *error) {
  struct bytes key = bytes_of(ERASED_KEY, strlen(ERASED_KEY)), list = {NULL, 0};
  enum collega_status status = table_get(txn, TABLE_META, key, &list, error);
  if (status != COLLEGA_OK && status != COLLEGA_NOT_FOUND) return status;
  size_t length = status == COLLEGA_OK ? list.length : 0;
  uint8_t *longer = malloc(length + 8);
  if (longer == NULL) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  if (length > 0) memcpy(longer, list.data, length);
  put_be64(longer + length, entry);
  status = table_put(txn, TABLE_META, key, bytes_of(longer, length + 8), error);
  free(longer);
  return status;
}

/* ---- reducing */

/* In place: a value of the same length is written over the old one. */
static enum collega_status put_zeros(struct ledger_txn *txn, struct bytes key,
                                     struct collega_error *error) {
  struct bytes value;
  enum collega_status status = table_get(txn, TABLE_PAYLOAD, key, &value, error);
  if (status != COLLEGA_OK || value.length == 0) return status;
  uint8_t *zeros = calloc(1, value.length);
  if (zeros == NULL) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  status = table_put(txn, TABLE_PAYLOAD, key, bytes_of(zeros, value.length), error);
  free(zeros);
  return status;
}

static enum collega_status reduce_one(struct ledger_txn *txn,
                                      const struct ledger_reduction *reduction, struct id *hash,
                                      struct collega_error *error) {
  uint8_t number[8], salt[SALT_BYTES];
  CollegaStore__Payload row = COLLEGA_STORE__PAYLOAD__INIT;
  put_be64(number, reduction->number);
  enum collega_status status = put_zeros(txn, bytes_of(number, sizeof number), error);
  if (status != COLLEGA_OK) return status;
  random_fill(salt, sizeof salt);
  payload_hash(hash, bytes_of(salt, sizeof salt), reduction->payload);
  row.salt = (ProtobufCBinaryData){sizeof salt, salt};
  row.data = (ProtobufCBinaryData){reduction->payload.length,
                                   (uint8_t *)(uintptr_t)reduction->payload.data};
  row.has_reduced = row.reduced = true;
  return row_put(txn, TABLE_PAYLOAD, bytes_of(number, sizeof number), &row.base, error);
}

static enum collega_status append_erased(struct ledger_txn *txn, const CollegaStore__Erased *erased,
                                         collega_time now, struct collega_error *error) {
  size_t size = protobuf_c_message_get_packed_size(&erased->base);
  uint8_t *packed = malloc(size);
  if (packed == NULL) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  protobuf_c_message_pack(&erased->base, packed);
  struct ledger_event event = {.time = now,
                               .kind = COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_ERASED,
                               .payload = bytes_of(packed, size)};
  enum collega_status status = ledger_append(txn, &event, error);
  free(packed);
  return status == COLLEGA_OK ? erased_note(txn, event.number, error) : status;
}

enum collega_status ledger_reduce(struct ledger_txn *txn, const struct ledger_reduction *list,
                                  size_t count, collega_time now, struct collega_error *error) {
  CollegaStore__Erased erased = COLLEGA_STORE__ERASED__INIT;
  if (count == 0) return COLLEGA_OK;
  enum collega_status status = COLLEGA_OK;
  CollegaStore__ErasedPayload *rows = calloc(count, sizeof *rows);
  CollegaStore__ErasedPayload **pointers = calloc(count, sizeof *pointers);
  struct id *hashes = calloc(count, sizeof *hashes);
  if (!rows || !pointers || !hashes)
    status = error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  for (size_t i = 0; status == COLLEGA_OK && i < count; i++) {
    status = reduce_one(txn, &list[i], &hashes[i], error);
    collega_store__erased_payload__init(&rows[i]);
    rows[i].number = list[i].number;
    rows[i].payload_hash = (ProtobufCBinaryData){ID_BYTES, hashes[i].byte};
    pointers[i] = &rows[i];
  }
  erased.n_payloads = count;
  erased.payloads = pointers;
  if (status == COLLEGA_OK) status = append_erased(txn, &erased, now, error);
  free(rows);
  free(pointers);
  free(hashes);
  return status;
}

/* ---- scrubbing */

#define SCRUB_TABLE "scrub"
#define SCRUB_BATCH 4096 /* pages in a transaction: 16 MiB */
#define MOVE_ROWS   4096 /* and so many rows, or bytes of them */
#define MOVE_BYTES  ((size_t)16 * 1024 * 1024)
#define PAGE_HEADER 16

struct scrub {
  struct ledger *ledger;
  MDB_dbi table;
  size_t page; /* bytes */
  uint8_t *zeros;
};

/* Pages on the list of free ones, of transactions that nobody reads any more and of others. */
static enum collega_status count_free(struct scrub *scrub, uint64_t *pages,
                                      struct collega_error *error) {
  MDB_txn *txn = NULL;
  MDB_cursor *cursor = NULL;
  MDB_val key, value;
  *pages = 0;
  enum collega_status status = disk_read(scrub->ledger->disk, &txn, error);
  if (status != COLLEGA_OK) return status;
  int code = mdb_cursor_open(txn, 0, &cursor); /* 0: the list */
  for (; code == 0;) {
    code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    if (code != 0) break;
    size_t count = 0;
    if (value.mv_size >= sizeof count) memcpy(&count, value.mv_data, sizeof count);
    *pages += count;
  }
  if (cursor) mdb_cursor_close(cursor);
  disk_abort(&txn);
  return code == MDB_NOTFOUND ? COLLEGA_OK : disk_error(error, SCRUB_TABLE, code);
}

static enum collega_status fill(struct scrub *scrub, uint64_t from, uint64_t until,
                                struct collega_error *error) {
  MDB_txn *txn = NULL;
  enum collega_status status = disk_write(scrub->ledger->disk, &txn, error);
  if (status != COLLEGA_OK) return status;
  for (uint64_t number = from; status == COLLEGA_OK && number < until; number++) {
    uint8_t bytes[8];
    put_be64(bytes, number);
    MDB_val key = {sizeof bytes, bytes}, value = {scrub->page - PAGE_HEADER, scrub->zeros};
    int code = mdb_put(txn, scrub->table, &key, &value, MDB_APPEND);
    if (code != 0) status = disk_error(error, SCRUB_TABLE, code);
  }
  if (status == COLLEGA_OK) return disk_commit(&txn, error);
  disk_abort(&txn);
  return status;
}

/* Without a commit in between nothing of what was freed last can be used again. */
static enum collega_status open_table(struct scrub *scrub, bool drop, struct collega_error *error) {
  MDB_txn *txn = NULL;
  enum collega_status status = disk_write(scrub->ledger->disk, &txn, error);
  if (status != COLLEGA_OK) return status;
  int code = drop ? 0 : mdb_dbi_open(txn, SCRUB_TABLE, MDB_CREATE, &scrub->table);
  if (code == 0) code = mdb_drop(txn, scrub->table, drop); /* one that died left its rows behind */
  if (code == 0) return disk_commit(&txn, error);
  disk_abort(&txn);
  return disk_error(error, SCRUB_TABLE, code);
}

/* The row at `key` or behind it, written anew, unchanged. MDB_NOTFOUND: there is none. */
static int move_row(MDB_txn *txn, MDB_dbi table, uint8_t *key, size_t *length, size_t *moved) {
  MDB_cursor *cursor = NULL;
  MDB_val at = {*length, key}, value;
  int code = mdb_cursor_open(txn, table, &cursor);
  if (code == 0) code = mdb_cursor_get(cursor, &at, &value, *length ? MDB_SET_RANGE : MDB_FIRST);
  if (cursor) mdb_cursor_close(cursor);
  if (code != 0) return code;
  uint8_t *copy = malloc(value.mv_size ? value.mv_size : 1);
  if (copy == NULL) return ENOMEM;
  if (value.mv_size) memcpy(copy, value.mv_data, value.mv_size);
  memcpy(key, at.mv_data, at.mv_size); /* at most 511 bytes */
  *length = at.mv_size;
  *moved += value.mv_size;
  MDB_val same = {*length, key}, again = {value.mv_size, copy};
  code = mdb_put(txn, table, &same, &again, 0);
  free(copy);
  key[(*length)++] = 0; /* the next key is behind this one */
  return code;
}

static enum collega_status move_rows(struct scrub *scrub, enum ledger_table table,
                                     struct collega_error *error) {
  enum collega_status status = COLLEGA_OK;
  uint8_t key[512];
  size_t length = 0;
  for (int code = 0; code == 0 && status == COLLEGA_OK;) {
    MDB_txn *txn = NULL;
    size_t moved = 0;
    status = disk_write(scrub->ledger->disk, &txn, error);
    if (status != COLLEGA_OK) break;
    for (unsigned i = 0; code == 0 && i < MOVE_ROWS && moved < MOVE_BYTES; i++)
      code = move_row(txn, scrub->ledger->table[table], key, &length, &moved);
    if (code != 0 && code != MDB_NOTFOUND) status = disk_error(error, table_name(table), code);
    if (status == COLLEGA_OK)
      status = disk_commit(&txn, error);
    else
      disk_abort(&txn);
  }
  return status;
}

/* What is not made again from the chain. */
static enum collega_status move_tables(struct scrub *scrub, struct collega_error *error) {
  static const enum ledger_table KEPT[] = {TABLE_META, TABLE_CHAIN, TABLE_PAYLOAD, TABLE_CURSORS};
  enum collega_status status = COLLEGA_OK;
  for (size_t i = 0; status == COLLEGA_OK && i < sizeof KEPT / sizeof *KEPT; i++)
    status = move_rows(scrub, KEPT[i], error);
  return status;
}

static enum collega_status scrub_pages(struct scrub *scrub, bool *left,
                                       struct collega_error *error) {
  uint64_t pages = 0, filled = 0, before;
  enum collega_status status = move_tables(scrub, error);
  if (status == COLLEGA_OK) status = open_table(scrub, false, error);
  if (status == COLLEGA_OK) status = count_free(scrub, &pages, error);
  /* Filling frees the pages of its own tables' trees: a few more each time, and then none that held
   * anything else. What does not shrink is held by a reader. */
  before = UINT64_MAX;
  while (status == COLLEGA_OK && pages > 0 && pages < before) {
    before = pages;
    for (uint64_t done = 0; status == COLLEGA_OK && done < pages; done += SCRUB_BATCH) {
      uint64_t count = pages - done < SCRUB_BATCH ? pages - done : SCRUB_BATCH;
      status = fill(scrub, filled, filled + count, error);
      filled += count;
    }
    if (status == COLLEGA_OK) status = count_free(scrub, &pages, error);
  }
  *left = pages > SCRUB_BATCH;
  enum collega_status dropped = open_table(scrub, true, error);
  if (status == COLLEGA_OK) status = dropped;
  return status == COLLEGA_OK ? disk_cut_tail(scrub->ledger->disk, error) : status;
}

enum collega_status ledger_scrub(struct ledger *ledger, ledger_apply apply, void *context,
                                 bool *left, struct collega_error *error) {
  MDB_stat stat;
  struct scrub scrub = {.ledger = ledger};
  *left = false;
  (void)disk_check_readers(ledger->disk);
  int code = mdb_env_stat(disk_env(ledger->disk), &stat);
  if (code != 0) return disk_error(error, SCRUB_TABLE, code);
  scrub.page = stat.ms_psize;
  scrub.zeros = calloc(1, scrub.page);
  if (scrub.zeros == NULL) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  enum collega_status status = ledger_rebuild(ledger, apply, context, error);
  if (status == COLLEGA_OK) status = scrub_pages(&scrub, left, error);
  free(scrub.zeros);
  return status;
}
