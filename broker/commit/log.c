/* The write side of the log: runs get their sequence numbers, one tree of receipts is signed over
 * all that came in, and what was owed for its leaves is answered from it.
 *
 * The tree stays open while the batch goes on; 4,096 leaves close it and another begins, in the
 * same transaction. Rows of the log are written at once: nothing in them depends on the
 * signature. */
#include <stdlib.h>
#include <string.h>

#include "broker/commit/batch.h"
#include "proto/guard.h"
#include "proto/limits.h"
#include "proto/record.h"

#define PART_ARENA_BYTES (256u * 1024u * 1024u) /* a batch of 4 MiB takes a small part of it */
#define PREFIX_BYTES     8u

static struct log_part *part_new(void) {
  struct arena *arena = arena_new(8192, PART_ARENA_BYTES);
  struct log_part *part = arena ? arena_zero(arena, sizeof *part) : NULL;
  if (!part) {
    arena_destroy(&arena);
    return NULL;
  }
  part->references = 1;
  part->arena = arena;
  return part;
}

void log_part_hold(struct log_part *part) {
  __atomic_add_fetch(&part->references, 1, __ATOMIC_RELAXED);
}

void log_part_drop(struct log_part **part) {
  struct log_part *dropped = *part;
  *part = NULL;
  if (!dropped || __atomic_sub_fetch(&dropped->references, 1, __ATOMIC_ACQ_REL) > 0) return;
  struct arena *arena = dropped->arena; /* the part lies in it */
  arena_destroy(&arena);
}

/* Who the world must know better for this record: the party it is about. */
static bool members_subject(const struct record *record, struct id *subject) {
  const Collega__Body *body = record->body;
  if (!body_is_members_class(body)) return false;
  const ProtobufCBinaryData *about = &body->author;
  if (body->cert) about = &body->cert->party;
  if (body->revocation) about = &body->revocation->party;
  return id_from(subject, about->data, about->len);
}

static enum collega_status index_members(struct batch *batch, const struct log_entry *entry,
                                         uint64_t first_seq, struct collega_error *error) {
  for (uint32_t i = 0; i < entry->count; i++) {
    struct id subject;
    if (!members_subject(entry->records[i], &subject)) continue;
    enum collega_status status = member_index_put(batch->txn, &subject, first_seq + i, error);
    if (!status) status = news_changed(batch, &subject, error);
    if (status) return status;
  }
  return COLLEGA_OK;
}

/* One row for each stretch of consecutive sequence numbers. */
static enum collega_status index_author(struct batch *batch, const struct log_entry *entry,
                                        uint64_t first_seq, struct collega_error *error) {
  uint8_t *prefixes = arena_zero(batch->commit->scratch, entry->count * PREFIX_BYTES);
  if (!prefixes) return batch_exhausted(error);
  bool offers = false;
  for (uint32_t i = 0; i < entry->count; i++) {
    const Collega__OfferRevision *offer = entry->records[i]->body->offer;
    if (!offer) continue;
    memcpy(prefixes + i * PREFIX_BYTES, offer->id.data, PREFIX_BYTES);
    offers = true;
  }
  for (uint32_t from = 0, until; from < entry->count; from = until) {
    const Collega__Body *first = entry->records[from]->body;
    for (until = from + 1; until < entry->count; until++)
      if (entry->records[until]->body->seq != first->seq + (until - from)) break;
    struct author_row row = {.first = first->seq,
                             .log_seq = first_seq + from,
                             .count = until - from,
                             .prefixes = offers ? prefixes + from * PREFIX_BYTES : NULL};
    memcpy(row.epoch.byte, first->epoch.data, EPOCH_BYTES);
    enum collega_status status = author_row_put(batch->txn, &entry->author, &row, error);
    if (status) return status;
  }
  return COLLEGA_OK;
}

/* The part's copy of a run: what live followers read when the request is long gone. */
static enum collega_status keep_run(struct batch *batch, const struct log_entry *entry,
                                    uint64_t first_seq, struct log_row **out,
                                    struct collega_error *error) {
  struct log_part *part = batch->result->log;
  if (!part) part = batch->result->log = part_new();
  if (!part) return batch_exhausted(error);
  struct log_run *runs =
      array_grow(part->arena, part->runs, part->run_count, &batch->run_capacity, sizeof *runs);
  uint8_t *priors = arena_take(part->arena, entry->prior_count * PRIOR_BYTES + 1);
  struct log_row row = {
      .first_seq = first_seq,
      .count = entry->count,
      .base = batch->open,
      .facets = arena_copy(part->arena, entry->facets, entry->count * sizeof *entry->facets),
      .priors = bytes_of(priors, entry->prior_count * PRIOR_BYTES),
      .run =
          bytes_of(arena_copy(part->arena, entry->run.data, entry->run.length), entry->run.length)};
  if (!runs || !priors || !row.facets || !row.run.data) return batch_exhausted(error);
  for (uint32_t i = 0; i < entry->prior_count; i++)
    prior_encode(priors + i * PRIOR_BYTES, &entry->priors[i]);
  part->runs = runs;
  runs[part->run_count] = (struct log_run){.row = row};
  *out = &runs[part->run_count++].row;
  return COLLEGA_OK;
}

static enum collega_status keep_ids(struct batch *batch, const struct log_entry *entry,
                                    struct collega_error *error) {
  if (batch->open + entry->count > batch->ids_capacity) {
    uint32_t capacity = batch->ids_capacity ? batch->ids_capacity : 16;
    while (capacity < batch->open + entry->count)
      capacity *= 2;
    struct id *ids = arena_take(batch->arena, capacity * sizeof *ids);
    if (!ids) return batch_exhausted(error);
    if (batch->open) memcpy(ids, batch->ids, batch->open * sizeof *ids);
    batch->ids = ids;
    batch->ids_capacity = capacity;
  }
  for (uint32_t i = 0; i < entry->count; i++)
    batch->ids[batch->open + i] = entry->records[i]->id;
  batch->open += entry->count;
  return COLLEGA_OK;
}

enum collega_status batch_log(struct batch *batch, const struct log_entry *entry,
                              uint64_t *first_seq, struct collega_error *error) {
  enum collega_status status = COLLEGA_OK;
  if (batch->open + entry->count > LIMIT_RUN_RECORDS) status = batch_sign(batch, error);
  if (status) return status;
  uint64_t first = batch->state.log_seq + 1;
  if (!batch->open) batch->open_first = first;
  struct log_row *row = NULL;
  status = keep_run(batch, entry, first, &row, error);
  if (!status) status = log_row_append(batch->txn, row, error);
  if (!status) status = index_author(batch, entry, first, error);
  if (!status) status = index_members(batch, entry, first, error);
  if (!status) status = keep_ids(batch, entry, error);
  batch->state.log_seq += entry->count;
  *first_seq = first;
  return status;
}

enum collega_status batch_owe(struct batch *batch, uint64_t session, uint32_t base,
                              const uint32_t *picks, uint32_t count, struct collega_error *error) {
  struct due *dues =
      array_grow(batch->arena, batch->dues, batch->due_count, &batch->due_capacity, sizeof *dues);
  if (!dues) return batch_exhausted(error);
  batch->dues = dues;
  dues[batch->due_count] = (struct due){session, base, count, picks, (uint32_t)batch->due_count};
  batch->due_count++;
  return COLLEGA_OK;
}

static uint32_t leaf_of_due(const struct due *due, uint32_t index) {
  return due->base + (due->picks ? due->picks[index] : index);
}

static int by_session(const void *left, const void *right) {
  const struct due *a = left, *b = right;
  if (a->session != b->session) return a->session < b->session ? -1 : 1;
  return a->order < b->order ? -1 : a->order > b->order;
}

/* How many of the sorted dues one answer can speak for: those of one session whose leaves ascend. */
static size_t dues_together(const struct due *dues, size_t count) {
  size_t together = 1;
  while (together < count && dues[together].session == dues[0].session &&
         leaf_of_due(&dues[together], 0) >
             leaf_of_due(&dues[together - 1], dues[together - 1].count - 1))
    together++;
  return together;
}

/* One answer: its leaves stand together in the tree, so they share most of the path to its root. */
static enum collega_status settle(struct batch *batch, const struct due *dues, size_t count,
                                  const struct receipt_tree *tree, struct collega_error *error) {
  uint32_t leaves = 0, filled = 0;
  for (size_t i = 0; i < count; i++)
    leaves += dues[i].count;
  uint32_t *picks = arena_take(batch->arena, leaves * sizeof *picks);
  struct id *ids = arena_take(batch->arena, leaves * sizeof *ids);
  if (!picks || !ids) return batch_exhausted(error);
  for (size_t i = 0; i < count; i++)
    for (uint32_t j = 0; j < dues[i].count; j++, filled++) {
      picks[filled] = leaf_of_due(&dues[i], j);
      ids[filled] = batch->ids[picks[filled]];
    }
  return answer_receipts(batch, dues[0].session, tree, 0, picks, leaves, ids, error);
}

/* A session hears of all it is owed at once: a node that sends records one by one, and many of them, gets
 * one frame a commit. */
static enum collega_status settle_all(struct batch *batch, const struct receipt_tree *tree,
                                      struct collega_error *error) {
  enum collega_status status = COLLEGA_OK;
  qsort(batch->dues, batch->due_count, sizeof *batch->dues, by_session);
  for (size_t i = 0, together; !status && i < batch->due_count; i += together) {
    together = dues_together(&batch->dues[i], batch->due_count - i);
    status = settle(batch, &batch->dues[i], together, tree, error);
  }
  return status;
}

enum collega_status batch_sign(struct batch *batch, struct collega_error *error) {
  if (!batch->open) return COLLEGA_OK;
  struct log_part *part = batch->result->log;
  const struct broker_state *state = &batch->state;
  struct id *leaves = arena_take(part->arena, batch->open * sizeof *leaves);
  if (!leaves) return batch_exhausted(error);
  Collega__ReceiptRun *receipt = NULL;
  enum collega_status status =
      receipt_sign(batch->commit->identity, &state->epoch, batch->open_first, batch->now,
                   batch->ids, batch->open, part->arena, &receipt, leaves, error);
  if (status) return status;
  struct bytes stem = message_pack(&receipt->base, part->arena);
  const struct receipt_tree *tree =
      stem.data ? receipt_tree_build(part->arena, stem, batch->open_first, leaves, batch->open)
                : NULL;
  if (!tree) return batch_exhausted(error);
  struct commit_row row = {batch->open_first, batch->open, batch->now, state->epoch, stem, leaves};
  status = commit_row_append(batch->txn, &row, error);
  for (; batch->signed_runs < part->run_count; batch->signed_runs++)
    part->runs[batch->signed_runs].tree = tree;
  if (!status && batch->due_count) status = settle_all(batch, tree, error);
  if (part->first_seq == 0) part->first_seq = batch->open_first;
  part->last_seq = batch->open_first + batch->open - 1;
  part->time = batch->now;
  batch->open = 0;
  batch->due_count = 0;
  return status;
}

/* ---- the broker's own records */

enum collega_status batch_own_record(struct batch *batch, Collega__Body *body, bool log,
                                     struct bytes *run, struct id *id, uint64_t *seq,
                                     struct collega_error *error) {
  struct broker_state *state = &batch->state;
  body->author = (ProtobufCBinaryData){ID_BYTES, (uint8_t *)(uintptr_t)state->broker.byte};
  body->epoch = (ProtobufCBinaryData){EPOCH_BYTES, (uint8_t *)(uintptr_t)state->author_epoch.byte};
  body->seq = ++state->author_seq;
  struct bytes packed = message_pack(&body->base, batch->arena);
  if (!packed.data) return batch_exhausted(error);
  Collega__Run *signed_run = NULL;
  enum collega_status status =
      run_sign(batch->commit->identity, &packed, 1, batch->arena, &signed_run, error);
  if (status) return status;
  *run = message_pack(&signed_run->base, batch->arena);
  record_id(id, packed);
  *seq = 0;
  if (!run->data) return batch_exhausted(error);
  if (!log) return COLLEGA_OK;
  struct record record = {.id = *id, .bytes = packed, .body = body};
  const struct record *records[1] = {&record};
  struct facet facet = {.type = (uint8_t)body->type, .any = 1};
  struct log_entry entry = {
      .run = *run, .records = records, .facets = &facet, .count = 1, .author = state->broker};
  return batch_log(batch, &entry, seq, error);
}

/* Is the record that stands at `seq` this one? The stored leaf is a hash over position and id. */
enum collega_status batch_same_record(struct batch *batch, uint64_t seq, const struct id *id,
                                      bool *same, struct collega_error *error) {
  if (batch->open && seq >= batch->open_first) {
    *same = id_equal(&batch->ids[seq - batch->open_first], id);
    return COLLEGA_OK;
  }
  struct commit_row row;
  enum collega_status status = commit_row_find(batch->txn, seq, &row, error);
  if (status) return status;
  if (!row.count)
    return error_set(error, COLLEGA_DAMAGED, RULE_disk_corrupt, NULL, "log", "commit", NULL);
  struct receipt_position position = {batch->state.broker, row.epoch, seq, row.time};
  struct id leaf;
  receipt_leaf(&leaf, &position, id);
  *same = id_equal(&leaf, &row.leaves[seq - row.first_seq]);
  return COLLEGA_OK;
}
