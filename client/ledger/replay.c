/* Going over the chain from end to end: verifying it, and rebuilding the derived tables from it. */
#include "client/ledger/late.h"
#include <assert.h>
#include <stdlib.h>

/* A long read transaction keeps LMDB from using freed pages again, so verifying takes short
 * ones. */
#define VERIFY_CHUNK 512

#define REPLAY_ARENA_BYTES 65536

static enum collega_status no_memory(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

static bool is_derived(enum ledger_table table) {
  switch (table) {
  case TABLE_META:
  case TABLE_CHAIN:
  case TABLE_PAYLOAD:
  case TABLE_CURSORS:
    return false;
  case TABLE_OWN:
  case TABLE_BROKERS:
  case TABLE_PARTIES:
  case TABLE_OFFERS:
  case TABLE_MINE:
  case TABLE_CAPACITIES:
  case TABLE_HOLDS:
  case TABLE_DEALS:
  case TABLE_ROOTS:
  case TABLE_THREADS:
  case TABLE_MATCHES:
  case TABLE_OUTBOX:
  case TABLE_RECORDS:
    return true;
  case TABLE_COUNT:
    break;
  }
  assert(false);
  return false;
}

/* What lies between two chunks. */
struct verification {
  uint64_t next, until; /* until: the head when it began */
  struct id hash;       /* of entry next - 1 */
  struct ledger_head head;
};

static enum collega_status verify_begin(struct ledger *ledger, uint64_t from,
                                        struct verification *work, struct collega_error *error) {
  struct ledger_txn *txn;
  enum collega_status status = ledger_read(ledger, &txn, error);
  if (status != COLLEGA_OK) return status;
  work->next = from == 0 ? 1 : from;
  work->head = txn->head;
  work->until = txn->head.number;
  if (work->next <= work->until) status = ledger_hash_at(txn, work->next - 1, &work->hash, error);
  ledger_abort(&txn);
  return status;
}

static enum collega_status verify_chunk(struct ledger *ledger, struct verification *work,
                                        struct arena *arena, struct collega_error *error) {
  struct ledger_txn *txn;
  enum collega_status status = ledger_read(ledger, &txn, error);
  for (int i = 0; status == COLLEGA_OK && i < VERIFY_CHUNK && work->next <= work->until; i++) {
    arena_reset(arena);
    status = chain_check(txn, work->next, &work->hash, arena, &work->hash, NULL, error);
    if (status == COLLEGA_OK) work->next++;
  }
  ledger_abort(&txn);
  return status;
}

enum collega_status ledger_verify(struct ledger *ledger, uint64_t from,
                                  void (*progress)(void *, uint64_t, uint64_t), void *context,
                                  uint64_t *checked, struct collega_error *error) {
  *checked = 0;
  struct verification work;
  enum collega_status status = verify_begin(ledger, from, &work, error);
  if (status != COLLEGA_OK || work.next > work.until) return status;
  struct arena *arena = arena_new(REPLAY_ARENA_BYTES, LEDGER_ARENA_BYTES);
  if (arena == NULL) return no_memory(error);
  const uint64_t first = work.next;
  while (status == COLLEGA_OK && work.next <= work.until) {
    status = verify_chunk(ledger, &work, arena, error);
    *checked = work.next - first;
    if (progress != NULL) progress(context, work.next - 1, work.until);
  }
  if (status == COLLEGA_OK && !id_equal(&work.hash, &work.head.hash))
    status = error_set(error, COLLEGA_DAMAGED, RULE_chain_head_damaged, NULL, NULL);
  arena_destroy(&arena);
  return status;
}

static enum collega_status empty_derived(struct ledger_txn *txn, struct collega_error *error) {
  for (unsigned i = 0; i < TABLE_COUNT; i++) {
    if (!is_derived((enum ledger_table)i)) continue;
    int code = mdb_drop(txn->mdb, txn->ledger->table[i], 0);
    if (code != 0) return disk_error(error, table_name((enum ledger_table)i), code);
  }
  txn->changed = true;
  return COLLEGA_OK;
}

static enum collega_status replay(struct ledger_txn *txn, struct arena *arena, ledger_apply apply,
                                  void *context, struct collega_error *error) {
  struct id hash = {{0}};
  for (uint64_t number = 1; number <= txn->head.number; number++) {
    arena_reset(arena);
    struct ledger_event event;
    enum collega_status status = chain_check(txn, number, &hash, arena, &hash, &event, error);
    if (status == COLLEGA_OK) status = apply(txn, &event, context, error);
    if (status != COLLEGA_OK) return status;
  }
  if (!id_equal(&hash, &txn->head.hash))
    return error_set(error, COLLEGA_DAMAGED, RULE_chain_head_damaged, NULL, NULL);
  return COLLEGA_OK;
}

enum collega_status ledger_replay(struct ledger_txn *txn, ledger_apply apply, void *context,
                                  struct collega_error *error) {
  struct arena *arena = arena_new(REPLAY_ARENA_BYTES, LEDGER_ARENA_BYTES);
  if (arena == NULL) return no_memory(error);
  txn->replaying = true;
  txn->late = late_new();
  enum collega_status status = txn->late ? empty_derived(txn, error) : no_memory(error);
  if (status == COLLEGA_OK) status = replay(txn, arena, apply, context, error);
  if (status == COLLEGA_OK) status = late_flush(txn->late, txn, error);
  if (status == COLLEGA_OK) status = outbox_keep_number(txn, error);
  late_destroy(&txn->late);
  arena_destroy(&arena);
  return status;
}

enum collega_status ledger_rebuild(struct ledger *ledger, ledger_apply apply, void *context,
                                   struct collega_error *error) {
  struct ledger_txn *txn = NULL;
  enum collega_status status = ledger_write(ledger, &txn, error);
  if (status == COLLEGA_OK) status = ledger_replay(txn, apply, context, error);
  if (status == COLLEGA_OK) status = ledger_commit(&txn, error);
  ledger_abort(&txn);
  return status;
}
