/* The outbox. Key: the item's number (8, big-endian), value: OutboxItem. Numbers rise and are
 * never given twice, so the order of keys is the order of sending. */
#include "client/ledger/outbox.h"
#include "client/ledger/transaction.h"
#include <string.h>

#define ITEM_ARENA_BYTES 16384

static const ProtobufCMessageDescriptor *const item_type = &collega_store__outbox_item__descriptor;

static enum collega_status no_memory(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

enum collega_status outbox_update(struct ledger_txn *txn, const CollegaStore__OutboxItem *item,
                                  struct collega_error *error) {
  uint8_t key[8];
  put_be64(key, item->number);
  return row_put(txn, TABLE_OUTBOX, bytes_of(key, sizeof key), &item->base, error);
}

enum collega_status outbox_put(struct ledger_txn *txn, CollegaStore__OutboxItem *item,
                               struct collega_error *error) {
  enum collega_status status = outbox_next_number(txn, &item->number, error);
  return status == COLLEGA_OK ? outbox_update(txn, item, error) : status;
}

enum collega_status outbox_get(struct ledger_txn *txn, uint64_t number, struct arena *arena,
                               CollegaStore__OutboxItem **out, struct collega_error *error) {
  uint8_t key[8];
  put_be64(key, number);
  ProtobufCMessage *row;
  enum collega_status status =
      row_get(txn, TABLE_OUTBOX, bytes_of(key, sizeof key), item_type, arena, &row, error);
  *out = status == COLLEGA_OK ? (CollegaStore__OutboxItem *)row : NULL;
  return status;
}

enum collega_status outbox_forget(struct ledger_txn *txn, uint64_t number,
                                  struct collega_error *error) {
  uint8_t key[8];
  put_be64(key, number);
  return table_delete(txn, TABLE_OUTBOX, bytes_of(key, sizeof key), error);
}

/* ---- walks */

/* One walk over unpacked items; `why` stays COLLEGA_OK unless an item cannot be read. */
struct walk {
  struct arena *arena;
  bool reset; /* items are looked at one by one: the arena is emptied before each */
  bool (*visit)(void *context, const CollegaStore__OutboxItem *item);
  void *context;
  enum collega_status why;
  struct collega_error *error;
};

static bool walk_row(void *context, struct bytes key, struct bytes value) {
  (void)key;
  struct walk *walk = context;
  if (walk->reset) arena_reset(walk->arena);
  const CollegaStore__OutboxItem *item =
      (const CollegaStore__OutboxItem *)row_unpack(item_type, value, walk->arena);
  if (item != NULL) return walk->visit(walk->context, item);
  if (arena_exhausted(walk->arena))
    walk->why = no_memory(walk->error);
  else
    walk->why = error_set(walk->error, COLLEGA_DAMAGED, RULE_ledger_row_damaged, NULL,
                          table_name(TABLE_OUTBOX), NULL);
  return false;
}

static enum collega_status walk_items(struct ledger_txn *txn, uint64_t from, struct walk *walk) {
  uint8_t key[8];
  put_be64(key, from);
  const struct bytes start = bytes_of(key, sizeof key);
  enum collega_status status =
      table_each(txn, TABLE_OUTBOX, bytes_of(NULL, 0), &start, walk_row, walk, walk->error);
  return status == COLLEGA_OK ? walk->why : status;
}

struct waiting_only {
  bool (*visit)(void *context, const CollegaStore__OutboxItem *item);
  void *context;
};

static bool visit_waiting(void *context, const CollegaStore__OutboxItem *item) {
  const struct waiting_only *wanted = context;
  return item->refused != NULL || wanted->visit(wanted->context, item);
}

enum collega_status outbox_each(struct ledger_txn *txn, uint64_t after, struct arena *arena,
                                bool (*visit)(void *context, const CollegaStore__OutboxItem *item),
                                void *context, struct collega_error *error) {
  if (after == UINT64_MAX) return COLLEGA_OK;
  struct waiting_only wanted = {visit, context};
  struct walk walk = {.arena = arena, .visit = visit_waiting, .context = &wanted, .error = error};
  return walk_items(txn, after + 1, &walk);
}

struct key_search {
  const struct id *key;
  uint64_t number; /* 0: not found */
};

static bool visit_key(void *context, const CollegaStore__OutboxItem *item) {
  struct key_search *search = context;
  if (!bytes_equal(bytes_of(item->key.data, item->key.len), bytes_of(search->key->byte, ID_BYTES)))
    return true;
  search->number = item->number;
  return false;
}

enum collega_status outbox_find(struct ledger_txn *txn, const struct id *key, struct arena *arena,
                                CollegaStore__OutboxItem **out, struct collega_error *error) {
  *out = NULL;
  struct key_search search = {.key = key};
  struct arena *scratch = arena_new(ITEM_ARENA_BYTES, LEDGER_ARENA_BYTES);
  if (scratch == NULL) return no_memory(error);
  struct walk walk = {
      .arena = scratch, .reset = true, .visit = visit_key, .context = &search, .error = error};
  enum collega_status status = walk_items(txn, 0, &walk);
  arena_destroy(&scratch);
  if (status != COLLEGA_OK) return status;
  return search.number == 0 ? COLLEGA_NOT_FOUND : outbox_get(txn, search.number, arena, out, error);
}

static bool visit_count(void *context, const CollegaStore__OutboxItem *item) {
  struct outbox_counts *counts = context;
  if (item->refused != NULL) {
    counts->refused++;
    return true;
  }
  if (counts->waiting == 0 || item->time < counts->oldest) counts->oldest = item->time;
  counts->waiting++;
  if (item->kind == COLLEGA_STORE__OUTBOX_KIND__OUTBOX_KIND_PUBLISH)
    counts->records += item->open;
  else
    counts->mail++;
  return true;
}

enum collega_status outbox_count(struct ledger_txn *txn, struct outbox_counts *out,
                                 struct collega_error *error) {
  memset(out, 0, sizeof *out);
  struct arena *scratch = arena_new(ITEM_ARENA_BYTES, LEDGER_ARENA_BYTES);
  if (scratch == NULL) return no_memory(error);
  struct walk walk = {
      .arena = scratch, .reset = true, .visit = visit_count, .context = out, .error = error};
  enum collega_status status = walk_items(txn, 0, &walk);
  arena_destroy(&scratch);
  return status;
}

/* ---- answers */

enum collega_status outbox_settle(struct ledger_txn *txn, uint64_t number, uint32_t leaves,
                                  struct collega_error *error) {
  struct arena *arena = arena_new(ITEM_ARENA_BYTES, LEDGER_ARENA_BYTES);
  if (arena == NULL) return no_memory(error);
  CollegaStore__OutboxItem *item;
  enum collega_status status = outbox_get(txn, number, arena, &item, error);
  if (status == COLLEGA_OK) {
    if (leaves >= item->open) {
      status = outbox_forget(txn, number, error);
    } else {
      item->open -= leaves;
      status = outbox_update(txn, item, error);
    }
  }
  arena_destroy(&arena);
  return status;
}

enum collega_status outbox_refuse(struct ledger_txn *txn, uint64_t number, const char *rule,
                                  const char *const *arguments, size_t count,
                                  struct collega_error *error) {
  struct arena *arena = arena_new(ITEM_ARENA_BYTES, LEDGER_ARENA_BYTES);
  if (arena == NULL) return no_memory(error);
  CollegaStore__OutboxItem *item;
  enum collega_status status = outbox_get(txn, number, arena, &item, error);
  if (status != COLLEGA_OK) goto done;
  item->refused = arena_text(arena, rule);
  item->refused_arguments = arena_take(arena, count * sizeof(char *));
  item->n_refused_arguments = 0;
  for (size_t i = 0; i < count && !arena_exhausted(arena); i++)
    item->refused_arguments[item->n_refused_arguments++] = arena_text(arena, arguments[i]);
  status = arena_exhausted(arena) ? no_memory(error) : outbox_update(txn, item, error);
done:
  arena_destroy(&arena);
  return status;
}
