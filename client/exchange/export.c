/* The ledger into a file. Entries do not change once they are written, so it is read in short
 * transactions, up to the head that the file's beginning names; only erasing changes what was
 * written before, and then the export begins anew. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/exchange/inside.h"
#include "client/exchange/import_rows.h"
#include "client/exchange/transfer.h"

#define EXPORT_CHUNK 512 /* entries in one read transaction: a long one makes the file grow */
#define CURSORS_MOST 1000

struct exporting {
  struct exchange *exchange;
  struct ledger_sink *sink;
  struct arena *arena;
  struct ledger_head head;
  Collega__LedgerFacts facts;
};

/* ---- the beginning */

struct counting {
  struct exporting *exporting;
  struct arena *arena;
  bool no_memory;
};

static bool visit_payload(void *context, struct bytes key, struct bytes value) {
  struct counting *counting = context;
  (void)key;
  if (value.length == 0) counting->exporting->facts.erased++;
  return true;
}

static bool visit_cursor(void *context, struct bytes key, struct bytes value) {
  struct counting *counting = context;
  Collega__LedgerFacts *facts = &counting->exporting->facts;
  Collega__LedgerCursor *cursor = arena_take(counting->arena, sizeof *cursor);
  if (value.length != 8 || facts->n_cursors == CURSORS_MOST) return true;
  if (cursor) {
    collega__ledger_cursor__init(cursor);
    cursor->name = arena_print(counting->arena, "%.*s", (int)key.length, (const char *)key.data);
    field_set(&cursor->place, arena_copy(counting->arena, value.data, value.length), value.length);
    facts->cursors[facts->n_cursors++] = cursor;
  }
  counting->no_memory = !cursor || !cursor->name || !cursor->place.data;
  return !counting->no_memory;
}

static enum collega_status read_facts(struct exporting *exporting, struct arena *arena,
                                      struct collega_error *error) {
  struct ledger_txn *txn = NULL;
  struct counting counting = {.exporting = exporting, .arena = arena};
  Collega__LedgerFacts *facts = &exporting->facts;
  facts->cursors = arena_take(arena, CURSORS_MOST * sizeof(Collega__LedgerCursor *));
  if (!facts->cursors) return exchange_no_memory(error);
  enum collega_status status = ledger_read(exporting->exchange->ledger, &txn, error);
  if (status != COLLEGA_OK) return status;
  status = ledger_head(txn, &exporting->head, error);
  if (status == COLLEGA_OK)
    status =
        table_each(txn, TABLE_PAYLOAD, bytes_of(NULL, 0), NULL, visit_payload, &counting, error);
  if (status == COLLEGA_OK)
    status =
        table_each(txn, TABLE_CURSORS, bytes_of(NULL, 0), NULL, visit_cursor, &counting, error);
  ledger_abort(&txn);
  return status == COLLEGA_OK && counting.no_memory ? exchange_no_memory(error) : status;
}

static enum collega_status put_start(struct exporting *exporting, collega_time now,
                                     struct arena *arena, struct collega_error *error) {
  struct exchange *exchange = exporting->exchange;
  struct identity *identity = exchange_identity(exchange, &exchange->host);
  Collega__LedgerFacts *facts = &exporting->facts;
  Collega__LedgerStart start = COLLEGA__LEDGER_START__INIT;
  struct bytes packed;
  struct id root;
  uint8_t signature[64];
  enum collega_status status = read_facts(exporting, arena, error);
  if (status != COLLEGA_OK) return status;
  if (!identity) return exchange_row_damaged(error, "own");
  facts->made = now;
  field_set_id(&facts->party, &exchange->host);
  facts->key_epoch = identity_card_number(identity);
  field_set(&facts->epoch, exporting->head.epoch.byte, EPOCH_BYTES);
  facts->number = exporting->head.number;
  field_set_id(&facts->hash, &exporting->head.hash);
  status = exchange_pack(arena, &facts->base, &packed, error);
  if (status != COLLEGA_OK) return status;
  ledger_facts_root(packed, &root);
  identity_sign(identity, PURPOSE_HEAD, exporting->head.number, &root, signature);
  field_set(&start.facts, packed.data, packed.length);
  field_set(&start.signature, signature, sizeof signature);
  return ledger_sink_put(exporting->sink, &start.base, error);
}

/* ---- the entries */

static enum collega_status put_entry(struct exporting *exporting, struct ledger_txn *txn,
                                     uint64_t number, struct collega_error *error) {
  struct ledger_row row;
  Collega__LedgerEntry entry = COLLEGA__LEDGER_ENTRY__INIT;
  arena_reset(exporting->arena);
  enum collega_status status = ledger_row(txn, number, exporting->arena, &row, error);
  if (status != COLLEGA_OK) return status;
  field_set(&entry.entry, row.entry.data, row.entry.length);
  field_set_id(&entry.hash, &row.hash);
  entry.has_salt = entry.has_payload = row.salt.data != NULL;
  field_set(&entry.salt, row.salt.data, row.salt.length);
  field_set(&entry.payload, row.data.data, row.data.length);
  entry.has_reduced = entry.reduced = row.reduced;
  if (protobuf_c_message_get_packed_size(&entry.base) > LEDGER_ENTRY_BYTES) {
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, number);
    return error_set(error, COLLEGA_FULL, RULE_export_too_long, NULL, text, NULL);
  }
  return ledger_sink_put(exporting->sink, &entry.base, error);
}

static enum collega_status put_chunk(struct exporting *exporting, uint64_t *next,
                                     struct collega_error *error) {
  struct ledger_txn *txn = NULL;
  uint64_t erased = 0;
  enum collega_status status = ledger_read(exporting->exchange->ledger, &txn, error);
  if (status == COLLEGA_OK) status = ledger_last_erased(txn, &erased, error);
  if (status == COLLEGA_OK && erased > exporting->head.number)
    status = error_set(error, COLLEGA_BUSY, RULE_export_erased_meanwhile, NULL, NULL);
  for (int i = 0; status == COLLEGA_OK && i < EXPORT_CHUNK && *next <= exporting->head.number; i++)
    status = put_entry(exporting, txn, (*next)++, error);
  ledger_abort(&txn);
  return status;
}

enum collega_status node_export(struct exchange *exchange, const char *path, collega_time now,
                                void (*progress)(void *, uint64_t, uint64_t), void *context,
                                uint64_t *entries, struct collega_error *error) {
  struct exporting exporting = {.exchange = exchange, .arena = exchange_arena()};
  struct arena *arena = exchange_arena();
  collega__ledger_facts__init(&exporting.facts);
  uint64_t next = 1;
  enum collega_status status = arena && exporting.arena ? COLLEGA_OK : exchange_no_memory(error);
  if (status == COLLEGA_OK) status = ledger_sink_open(path, &exporting.sink, error);
  if (status == COLLEGA_OK) {
    status = put_start(&exporting, now, arena, error);
    while (status == COLLEGA_OK && next <= exporting.head.number) {
      status = put_chunk(&exporting, &next, error);
      if (progress) progress(context, next - 1, exporting.head.number);
    }
    status = ledger_sink_close(&exporting.sink, status, error);
  }
  *entries = exporting.head.number;
  arena_destroy(&exporting.arena);
  arena_destroy(&arena);
  return status;
}
