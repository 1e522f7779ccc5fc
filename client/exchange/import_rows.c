/* One thread reads and follows the chain, a second judges what the entries hold, the caller's stores
 * it: each takes about as long as the others. Between them go batches, in a circle of a few. */
#include "client/exchange/import_rows.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/exchange/inside.h"
#include "client/exchange/verification.h"
#include "proto/guard.h"

#define BATCHES     6
#define BATCH_ARENA ((size_t)256 * 1024 * 1024)

/* The hash of what is left of a reduced payload, until an entry tells that it is right. */
struct rest {
  uint64_t number;
  struct id hash;
  bool told;
};

struct import_rows {
  struct ledger_file *file;
  const Collega__LedgerFacts *facts;
  struct verification *verification;
  pthread_t reader, judge;
  bool reading, judging; /* the thread was started */

  /* The reader's own. */
  struct arena *arena; /* what following one entry takes */
  struct ledger_head head;
  struct rest *rests;
  size_t rest_count, rest_capacity;
  uint64_t erased;

  pthread_mutex_t mutex;
  pthread_cond_t changed;
  /* Under the mutex. */
  /* Batches: from `taken` on the storer's, from `judged` on the judge's, from `read` on the reader's. */
  size_t read, judged, taken;
  bool all_read, all_judged, stop;
  enum collega_status read_status, judge_status; /* why there are no more */
  struct collega_error read_error, judge_error;
  struct import_batch batch[BATCHES];
};

void ledger_facts_root(struct bytes facts, struct id *root) {
  hash_one(root, "collega/ledger/1", facts.data, facts.length);
}

/* ---- reduced payloads */

static enum collega_status keep_rest(struct import_rows *rows, uint64_t number,
                                     const struct id *hash, struct collega_error *error) {
  if (rows->rest_count == rows->rest_capacity) {
    size_t capacity = rows->rest_capacity ? 2 * rows->rest_capacity : 64;
    struct rest *grown = realloc(rows->rests, capacity * sizeof *grown);
    if (!grown) return exchange_no_memory(error);
    rows->rests = grown;
    rows->rest_capacity = capacity;
  }
  rows->rests[rows->rest_count++] = (struct rest){.number = number, .hash = *hash};
  return COLLEGA_OK;
}

static struct rest *find_rest(struct import_rows *rows, uint64_t number) {
  size_t low = 0, high = rows->rest_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (rows->rests[middle].number < number)
      low = middle + 1;
    else
      high = middle;
  }
  return low < rows->rest_count && rows->rests[low].number == number ? &rows->rests[low] : NULL;
}

/* The last entry that names a number is right about it: it may have been reduced more than once. */
static void tell_rests(struct import_rows *rows, const CollegaStore__Erased *erased) {
  for (size_t i = 0; i < erased->n_payloads; i++) {
    const CollegaStore__ErasedPayload *payload = erased->payloads[i];
    struct rest *rest = find_rest(rows, payload->number);
    if (rest) rest->told = field_is(&payload->payload_hash, &rest->hash);
  }
}

static enum collega_status note_rests(struct import_rows *rows, const struct ledger_event *event,
                                      const struct id *rest, struct collega_error *error) {
  if (event->erased) rows->erased++;
  if (event->reduced) return keep_rest(rows, event->number, rest, error);
  if (event->kind != COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_ERASED || !event->payload.data)
    return COLLEGA_OK;
  ProtobufCMessage *erased;
  enum collega_status status = row_unpack_outside(&collega_store__erased__descriptor,
                                                  event->payload, rows->arena, &erased, error);
  if (status == COLLEGA_OK) tell_rests(rows, (const CollegaStore__Erased *)erased);
  return status;
}

/* ---- one row */

static enum collega_status told_to(const struct import_rows *rows, enum rule rule,
                                   struct collega_error *error) {
  char text[24];
  snprintf(text, sizeof text, "%" PRIu64, rows->facts->number);
  return error_set(error, COLLEGA_INVALID, rule, NULL, text, NULL);
}

/* What an entry says its number is; the hash has failed. 0: it cannot be read. */
static uint64_t number_of(const struct ledger_row *row, struct arena *arena) {
  ProtobufCMessage *message;
  if (row_unpack_outside(&collega_store__chain_entry__descriptor, row->entry, arena, &message,
                         NULL) != COLLEGA_OK)
    return 0;
  return ((const CollegaStore__ChainEntry *)message)->number;
}

static enum collega_status misfit(struct import_rows *rows, const struct ledger_row *row,
                                  struct collega_error *error) {
  uint64_t number = number_of(row, rows->arena), wanted = rows->head.number + 1;
  char told[24], expected[24];
  snprintf(told, sizeof told, "%" PRIu64, number);
  snprintf(expected, sizeof expected, "%" PRIu64, wanted);
  if (number != 0 && number != wanted)
    return error_set(error, COLLEGA_INVALID, RULE_import_order, "entry.number", told, expected,
                     NULL);
  return error_set(error, COLLEGA_INVALID, RULE_import_hash, "entry", NULL);
}

static enum collega_status follow_row(struct import_rows *rows, struct import_row *out,
                                      struct arena *arena, struct collega_error *error) {
  struct collega_error why = {0};
  struct id rest;
  ProtobufCMessage *entry;
  enum collega_status status = row_unpack_outside(&collega_store__chain_entry__descriptor,
                                                  out->row.entry, rows->arena, &entry, &why);
  if (status == COLLEGA_OK)
    status = ledger_row_judge(&out->row, &rows->head, arena, &out->event, &rest, &why);
  else if (status == COLLEGA_INVALID)
    return misfit(rows, &out->row, error);
  if (status == COLLEGA_DAMAGED)
    return why.rule == RULE_chain_payload_damaged
               ? error_set(error, COLLEGA_INVALID, RULE_import_payload, "payload", NULL)
               : misfit(rows, &out->row, error);
  if (status != COLLEGA_OK) {
    *error = why;
    return status;
  }
  status = note_rests(rows, &out->event, &rest, error);
  if (status == COLLEGA_OK) status = verification_read(&out->event, arena, &out->content, error);
  if (status != COLLEGA_OK) error_prefix(error, "payload");
  return status;
}

static enum collega_status read_row(struct import_rows *rows, struct import_row *out,
                                    struct arena *arena, size_t *bytes,
                                    struct collega_error *error) {
  struct bytes frame;
  ProtobufCMessage *message;
  enum collega_status status =
      ledger_file_next(rows->file, LEDGER_ENTRY_BYTES, arena, &frame, error);
  if (status == COLLEGA_NOT_FOUND ||
      (status == COLLEGA_INVALID && error->rule == RULE_wire_truncated))
    return told_to(rows, RULE_import_truncated, error);
  if (status == COLLEGA_OK)
    status =
        guard_unpack_borrowing(&collega__ledger_entry__descriptor, frame, arena, &message, error);
  if (status != COLLEGA_OK) return status;
  const Collega__LedgerEntry *entry = (const Collega__LedgerEntry *)message;
  memset(out, 0, sizeof *out);
  out->row.entry = field_bytes(&entry->entry);
  (void)id_from(&out->row.hash, entry->hash.data, entry->hash.len); /* the guard saw its length */
  if (entry->has_salt != entry->has_payload || (entry->has_reduced && !entry->has_salt))
    return error_set(error, COLLEGA_INVALID, RULE_import_payload, "payload", NULL);
  if (entry->has_salt) {
    out->row.salt = field_bytes(&entry->salt);
    out->row.data = field_bytes(&entry->payload);
    out->row.reduced = entry->has_reduced && entry->reduced;
  }
  out->row.erased = !entry->has_salt;
  *bytes += frame.length;
  arena_reset(rows->arena);
  status = follow_row(rows, out, arena, error);
  out->row.erased = out->event.erased;
  return status;
}

/* ---- the reader */

static void name_entry(uint64_t number, struct collega_error *error) {
  char place[40];
  snprintf(place, sizeof place, "entries[%" PRIu64 "]", number);
  error_prefix(error, place);
}

/* The batch to fill; NULL: nobody wants it any more. */
static struct import_batch *empty_batch(struct import_rows *rows) {
  pthread_mutex_lock(&rows->mutex);
  while (!rows->stop && rows->read - rows->taken == BATCHES)
    pthread_cond_wait(&rows->changed, &rows->mutex);
  bool stop = rows->stop;
  pthread_mutex_unlock(&rows->mutex);
  return stop ? NULL : &rows->batch[rows->read % BATCHES];
}

/* To who comes after: one more batch of `count`. */
static void pass_on(struct import_rows *rows, size_t *count) {
  pthread_mutex_lock(&rows->mutex);
  ++*count;
  pthread_cond_broadcast(&rows->changed);
  pthread_mutex_unlock(&rows->mutex);
}

/* Up to the first entry that is wrong: those before it are judged all the same, as one of them may be wrong too. */
static enum collega_status fill(struct import_rows *rows, struct import_batch *batch,
                                struct collega_error *error) {
  enum collega_status status = COLLEGA_OK;
  size_t bytes = 0;
  batch->count = 0;
  arena_reset(batch->arena);
  while (status == COLLEGA_OK && batch->count < IMPORT_BATCH_ROWS && bytes < IMPORT_BATCH_BYTES &&
         rows->head.number < rows->facts->number) {
    uint64_t number = rows->head.number + 1;
    status = read_row(rows, &batch->row[batch->count], batch->arena, &bytes, error);
    if (status == COLLEGA_OK)
      batch->count++;
    else
      name_entry(number, error);
  }
  return status;
}

static enum collega_status finish(struct import_rows *rows, struct collega_error *error) {
  const Collega__LedgerFacts *facts = rows->facts;
  struct bytes frame;
  enum collega_status status =
      ledger_file_next(rows->file, LEDGER_ENTRY_BYTES, rows->arena, &frame, error);
  if (status == COLLEGA_OK || status == COLLEGA_INVALID)
    return error_set(error, COLLEGA_INVALID, RULE_import_trailing, NULL, NULL);
  if (status != COLLEGA_NOT_FOUND) return status;
  if (!field_is(&facts->hash, &rows->head.hash) ||
      !bytes_equal(field_bytes(&facts->epoch), bytes_of(rows->head.epoch.byte, EPOCH_BYTES)))
    return error_set(error, COLLEGA_INVALID, RULE_import_head, NULL, NULL);
  for (size_t i = 0; i < rows->rest_count; i++) {
    if (rows->rests[i].told) continue;
    char place[40];
    snprintf(place, sizeof place, "entries[%" PRIu64 "].payload", rows->rests[i].number);
    return error_set(error, COLLEGA_INVALID, RULE_import_rest, place, NULL);
  }
  if (rows->erased == facts->erased) return COLLEGA_OK;
  char found[24], told[24];
  snprintf(found, sizeof found, "%" PRIu64, rows->erased);
  snprintf(told, sizeof told, "%" PRIu64, facts->erased);
  return error_set(error, COLLEGA_INVALID, RULE_import_erased, NULL, found, told, NULL);
}

static void *read_all(void *context) {
  struct import_rows *rows = context;
  struct collega_error error = {0};
  enum collega_status status = COLLEGA_OK;
  struct import_batch *batch = NULL;
  while (status == COLLEGA_OK && rows->head.number < rows->facts->number &&
         (batch = empty_batch(rows))) {
    status = fill(rows, batch, &error);
    pass_on(rows, &rows->read);
  }
  if (status == COLLEGA_OK && rows->head.number == rows->facts->number)
    status = finish(rows, &error);
  pthread_mutex_lock(&rows->mutex);
  rows->read_status = status;
  rows->read_error = error;
  rows->all_read = true;
  pthread_cond_broadcast(&rows->changed);
  pthread_mutex_unlock(&rows->mutex);
  return NULL;
}

/* ---- the judge */

/* The next batch that was read; NULL: there are no more, or nobody wants them. */
static struct import_batch *read_batch(struct import_rows *rows) {
  pthread_mutex_lock(&rows->mutex);
  while (!rows->stop && rows->judged == rows->read && !rows->all_read)
    pthread_cond_wait(&rows->changed, &rows->mutex);
  bool none = rows->stop || rows->judged == rows->read;
  pthread_mutex_unlock(&rows->mutex);
  return none ? NULL : &rows->batch[rows->judged % BATCHES];
}

static enum collega_status judge_batch(struct import_rows *rows, struct import_batch *batch,
                                       struct collega_error *error) {
  enum collega_status status = COLLEGA_OK;
  for (size_t i = 0; status == COLLEGA_OK && i < batch->count; i++) {
    struct import_row *row = &batch->row[i];
    status = verification_take(rows->verification, &row->event, row->content, batch->arena,
                               &row->read, error);
    if (status == COLLEGA_OK) continue;
    error_prefix(error, "payload");
    name_entry(row->event.number, error);
  }
  return status;
}

static void *judge_all(void *context) {
  struct import_rows *rows = context;
  struct collega_error error = {0};
  enum collega_status status = COLLEGA_OK;
  struct import_batch *batch;
  while (status == COLLEGA_OK && (batch = read_batch(rows))) {
    status = judge_batch(rows, batch, &error);
    if (status == COLLEGA_OK) pass_on(rows, &rows->judged);
  }
  pthread_mutex_lock(&rows->mutex);
  rows->judge_status = status;
  rows->judge_error = error;
  rows->all_judged = true;
  if (status != COLLEGA_OK) rows->stop = true;
  pthread_cond_broadcast(&rows->changed);
  pthread_mutex_unlock(&rows->mutex);
  return NULL;
}

/* ---- the other side */

enum collega_status import_rows_start(struct ledger_file *file, const Collega__LedgerFacts *facts,
                                      struct import_rows **out, struct collega_error *error) {
  *out = NULL;
  struct import_rows *rows = calloc(1, sizeof *rows);
  if (!rows) return exchange_no_memory(error);
  rows->file = file;
  rows->facts = facts;
  rows->verification = verification_new();
  rows->arena = arena_new(REPLAY_FIRST_BYTES, WORK_ARENA_BYTES);
  pthread_mutex_init(&rows->mutex, NULL);
  pthread_cond_init(&rows->changed, NULL);
  bool whole = rows->verification && rows->arena;
  for (unsigned i = 0; i < BATCHES; i++) {
    rows->batch[i].arena = arena_new(4 * IMPORT_BATCH_BYTES, BATCH_ARENA);
    whole = whole && rows->batch[i].arena;
  }
  rows->reading = whole && pthread_create(&rows->reader, NULL, read_all, rows) == 0;
  rows->judging = rows->reading && pthread_create(&rows->judge, NULL, judge_all, rows) == 0;
  if (!rows->judging) {
    import_rows_destroy(&rows);
    return exchange_no_memory(error);
  }
  *out = rows;
  return COLLEGA_OK;
}

enum collega_status import_rows_next(struct import_rows *rows, const struct import_batch **out,
                                     struct collega_error *error) {
  enum collega_status status = COLLEGA_OK;
  pthread_mutex_lock(&rows->mutex);
  if (*out) { /* the one before is done with */
    rows->taken++;
    pthread_cond_broadcast(&rows->changed);
  }
  while (rows->taken == rows->judged && !rows->all_judged)
    pthread_cond_wait(&rows->changed, &rows->mutex);
  *out = rows->taken < rows->judged ? &rows->batch[rows->taken % BATCHES] : NULL;
  if (!*out) { /* what the judge found stands before what the reader stopped at */
    bool judge = rows->judge_status != COLLEGA_OK;
    status = judge ? rows->judge_status : rows->read_status;
    if (status != COLLEGA_OK && error) *error = judge ? rows->judge_error : rows->read_error;
  }
  pthread_mutex_unlock(&rows->mutex);
  return status;
}

static void end_threads(struct import_rows *rows) {
  pthread_mutex_lock(&rows->mutex);
  rows->stop = true;
  pthread_cond_broadcast(&rows->changed);
  pthread_mutex_unlock(&rows->mutex);
  if (rows->reading) pthread_join(rows->reader, NULL);
  if (rows->judging) pthread_join(rows->judge, NULL);
  rows->reading = rows->judging = false;
}

enum collega_status import_rows_end(struct import_rows *rows, uint64_t *signatures,
                                    struct collega_error *error) {
  end_threads(rows);
  *signatures = verification_signatures(rows->verification);
  return verification_end(rows->verification, error);
}

void import_rows_destroy(struct import_rows **rows) {
  struct import_rows *own = *rows;
  if (!own) return;
  end_threads(own);
  verification_destroy(&own->verification);
  arena_destroy(&own->arena);
  for (unsigned i = 0; i < BATCHES; i++)
    arena_destroy(&own->batch[i].arena);
  pthread_mutex_destroy(&own->mutex);
  pthread_cond_destroy(&own->changed);
  free(own->rests);
  free(own);
  *rows = NULL;
}
