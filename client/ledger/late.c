/* Rows that are written late. A replay writes a row for each record under keys that come in no order,
 * and a tree that grows in no order splits, copies and moves its pages all the time: that was half of
 * what a rebuild cost. So rows of the tables with such keys are kept in memory meanwhile and written
 * in the order of their keys, at the end or when they have become many. Whoever reads a table while
 * replaying is given the row from here; a walk over a table has it written first.
 *
 * The rows are found through a table of numbers (open addressing); the hash of a key is keyed, since
 * outsiders choose the ids of offers. */
#include "client/ledger/late.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BYTES    (3 * ID_BYTES) /* longer keys are not kept here */
#define BLOCK_BYTES  ((size_t)1 << 20)
#define LATE_BYTES   ((size_t)256 << 20) /* all of them; then they are written at once */
#define FIRST_PLACES 1024u               /* a power of two; at most half of them are taken */

struct late_row {
  uint8_t *value; /* NULL: deleted */
  size_t length, room;
  uint8_t key_length;
  uint8_t key[KEY_BYTES];
};

struct block {
  struct block *next;
  size_t used, size;
  uint8_t data[];
};

/* Where a row is found: part of its key's hash tells most others apart without a look at them. */
struct place {
  uint32_t number; /* of the row, from 1; 0: free */
  uint32_t tag;
};

struct ordered;
struct late_table {
  struct late_row *rows;
  size_t count, capacity;
  /* While they are written: */
  struct ordered *order; /* NULL: they are not */
  size_t written;
  unsigned flags;
  struct place *places;
  size_t place_count;
};

struct late_rows {
  uint8_t secret[crypto_shorthash_KEYBYTES];
  struct late_table table[TABLE_COUNT];
  struct block *blocks;
  size_t bytes;
};

static bool keeps(enum ledger_table table) {
  return table == TABLE_OFFERS || table == TABLE_MINE || table == TABLE_RECORDS;
}

struct late_rows *late_new(void) {
  struct late_rows *late = calloc(1, sizeof *late);
  if (late) random_fill(late->secret, sizeof late->secret);
  return late;
}

static void forget(struct late_rows *late) {
  for (struct block *block; (block = late->blocks);) {
    late->blocks = block->next;
    free(block);
  }
  for (unsigned i = 0; i < TABLE_COUNT; i++) {
    free(late->table[i].rows);
    free(late->table[i].order);
    free(late->table[i].places);
  }
  memset(late->table, 0, sizeof late->table);
  late->bytes = 0;
}

void late_destroy(struct late_rows **late) {
  if (!*late) return;
  forget(*late);
  free(*late);
  *late = NULL;
}

/* ---- finding */

static uint64_t hash_of(const struct late_rows *late, struct bytes key) {
  uint8_t out[crypto_shorthash_BYTES];
  crypto_shorthash(out, key.data, key.length, late->secret);
  return get_be64(out);
}

/* The place of the key, or the free one where it belongs, with its tag. There is always one. */
static struct place *place_of(const struct late_rows *late, const struct late_table *table,
                              struct bytes key) {
  const uint64_t hash = hash_of(late, key);
  const uint32_t tag = (uint32_t)(hash >> 32);
  const size_t mask = table->place_count - 1;
  for (size_t at = (size_t)hash & mask;; at = (at + 1) & mask) {
    struct place *place = &table->places[at];
    if (place->number == 0) {
      place->tag = tag;
      return place;
    }
    if (place->tag != tag) continue;
    const struct late_row *row = &table->rows[place->number - 1];
    if (bytes_equal(key, bytes_of(row->key, row->key_length))) return place;
  }
}

bool late_get(const struct late_rows *late, enum ledger_table table, struct bytes key,
              struct bytes *value) {
  const struct late_table *kept = &late->table[table];
  if (kept->count == 0) return false;
  const struct place *place = place_of(late, kept, key);
  if (place->number == 0) return false;
  const struct late_row *row = &kept->rows[place->number - 1];
  *value = bytes_of(row->value, row->length);
  return true;
}

/* ---- keeping */

static bool widen(struct late_rows *late, struct late_table *table) {
  size_t count = table->place_count ? 2 * table->place_count : FIRST_PLACES;
  struct place *places = calloc(count, sizeof *places);
  struct late_row *rows = places ? realloc(table->rows, count / 2 * sizeof *table->rows) : NULL;
  if (!rows) {
    free(places);
    return false;
  }
  free(table->places);
  table->places = places;
  table->place_count = count;
  table->rows = rows;
  table->capacity = count / 2;
  for (size_t i = 0; i < table->count; i++)
    place_of(late, table, bytes_of(rows[i].key, rows[i].key_length))->number = (uint32_t)i + 1;
  return true;
}

static uint8_t *room(struct late_rows *late, size_t length) {
  struct block *block = late->blocks;
  if (!block || block->size - block->used < length) {
    size_t size = length > BLOCK_BYTES ? length : BLOCK_BYTES;
    block = malloc(sizeof *block + size);
    if (!block) return NULL;
    *block = (struct block){.next = late->blocks, .size = size};
    late->blocks = block;
    late->bytes += size;
  }
  uint8_t *out = block->data + block->used;
  block->used += length;
  return out;
}

/* The row of the key; made when there is none. NULL: out of memory. */
static struct late_row *row_of(struct late_rows *late, struct late_table *table, struct bytes key) {
  if (table->count == table->capacity && !widen(late, table)) return NULL;
  struct place *place = place_of(late, table, key);
  if (place->number != 0) return &table->rows[place->number - 1];
  struct late_row *row = &table->rows[table->count++];
  place->number = (uint32_t)table->count;
  *row = (struct late_row){.key_length = (uint8_t)key.length};
  memcpy(row->key, key.data, key.length);
  late->bytes += sizeof *row + 2 * sizeof *place;
  return row;
}

bool late_takes(const struct late_rows *late, enum ledger_table table, struct bytes key) {
  return late && keeps(table) && key.length > 0 && key.length <= KEY_BYTES;
}

enum collega_status late_put(struct late_rows *late, struct ledger_txn *txn,
                             enum ledger_table table, struct bytes key, const struct bytes *value,
                             struct collega_error *error) {
  struct late_row *row = row_of(late, &late->table[table], key);
  if (!row) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  if (!value) {
    row->value = NULL;
    row->length = row->room = 0;
    return COLLEGA_OK;
  }
  if (!row->value || row->room < value->length) {
    row->value = room(late, value->length ? value->length : 1);
    row->room = value->length;
    if (!row->value) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  }
  if (value->length)
    memmove(row->value, value->data, value->length); /* it may have come from here */
  row->length = value->length;
  return late->bytes > LATE_BYTES ? late_flush(late, txn, error) : COLLEGA_OK;
}

/* ---- writing */

/* A row in the order of keys: their first bytes, as a number, decide almost always. */
struct ordered {
  uint64_t first;
  const struct late_row *row;
};

static int in_order(const void *one, const void *other) {
  const struct ordered *a = one, *b = other;
  if (a->first != b->first) return a->first < b->first ? -1 : 1;
  const struct late_row *x = a->row, *y = b->row;
  size_t shorter = x->key_length < y->key_length ? x->key_length : y->key_length;
  int order = memcmp(x->key, y->key, shorter);
  return order != 0 ? order : (int)x->key_length - (int)y->key_length;
}

/* malloc'ed; NULL: out of memory. Keys are zero behind their end. */
static struct ordered *put_in_order(const struct late_table *table) {
  struct ordered *order = malloc(table->count * sizeof *order);
  for (size_t i = 0; order && i < table->count; i++)
    order[i] = (struct ordered){get_be64(table->rows[i].key), &table->rows[i]};
  if (order) qsort(order, table->count, sizeof *order, in_order);
  return order;
}

static int write_row(MDB_txn *txn, MDB_dbi dbi, const struct late_row *row, unsigned flags) {
  MDB_val key = {row->key_length, (void *)(uintptr_t)row->key}, value = {row->length, row->value};
  int code = row->value ? mdb_put(txn, dbi, &key, &value, flags) : mdb_del(txn, dbi, &key, NULL);
  return code == MDB_NOTFOUND ? 0 : code;
}

static enum collega_status begin_writing(struct late_table *kept, struct ledger_txn *txn,
                                         enum ledger_table table, struct collega_error *error) {
  MDB_stat stat;
  int code = mdb_stat(txn->mdb, txn->ledger->table[table], &stat);
  if (code != 0) return disk_error(error, table_name(table), code);
  kept->order = put_in_order(kept);
  if (!kept->order) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  kept->written = 0;
  kept->flags = stat.ms_entries == 0 ? MDB_APPEND : 0;
  return COLLEGA_OK;
}

/* At most `most` bytes of them; *bytes: how many. When all are written, they are forgotten; the values stay where they
 * are until all tables are written. */
static enum collega_status write_some(struct late_rows *late, struct ledger_txn *txn,
                                      enum ledger_table table, size_t most, size_t *bytes,
                                      struct collega_error *error) {
  struct late_table *kept = &late->table[table];
  *bytes = 0;
  if (kept->count == 0) return COLLEGA_OK;
  enum collega_status status = kept->order ? COLLEGA_OK : begin_writing(kept, txn, table, error);
  if (status != COLLEGA_OK) return status;
  int code = 0;
  while (code == 0 && kept->written < kept->count && *bytes < most) {
    const struct late_row *row = kept->order[kept->written++].row;
    code = write_row(txn->mdb, txn->ledger->table[table], row, kept->flags);
    *bytes += row->length + row->key_length;
  }
  txn->changed = true;
  if (code != 0) return disk_error(error, table_name(table), code);
  if (kept->written < kept->count) return COLLEGA_OK;
  free(kept->order);
  kept->order = NULL;
  kept->count = 0;
  memset(kept->places, 0, kept->place_count * sizeof *kept->places);
  return COLLEGA_OK;
}

enum collega_status late_flush_table(struct late_rows *late, struct ledger_txn *txn,
                                     enum ledger_table table, struct collega_error *error) {
  size_t bytes;
  return write_some(late, txn, table, SIZE_MAX, &bytes, error);
}

enum collega_status late_flush_some(struct late_rows *late, struct ledger_txn *txn, size_t most,
                                    bool *more, struct collega_error *error) {
  enum collega_status status = COLLEGA_OK;
  *more = false;
  for (unsigned i = 0; status == COLLEGA_OK && !*more && i < TABLE_COUNT; i++) {
    size_t bytes;
    status = write_some(late, txn, (enum ledger_table)i, most, &bytes, error);
    most -= bytes < most ? bytes : most;
    *more = late->table[i].count > 0;
  }
  if (status == COLLEGA_OK && !*more) forget(late);
  return status;
}

enum collega_status late_flush(struct late_rows *late, struct ledger_txn *txn,
                               struct collega_error *error) {
  bool more;
  return late_flush_some(late, txn, SIZE_MAX, &more, error);
}

size_t late_bytes(const struct late_rows *late) {
  return late->bytes;
}
