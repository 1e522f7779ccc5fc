/* Publish: a run's leaves are judged singly. Each is a duplicate (answered with the receipt it got
 * then), an equivocation, refused by a rule, or new; the new ones are logged as one row and get
 * their receipts from the tree that this batch signs.
 *
 * A leaf is looked up by its author and sequence number. As the numbers of a run ascend, one look
 * tells most runs to be new altogether: if no stored stretch reaches as far as their first
 * number. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "broker/commit/cards.h"
#include "broker/commit/mandates.h"
#include "proto/guard.h"
#include "proto/limits.h"

/* What happens to one leaf. */
enum fate { FATE_NEW, FATE_STORED, FATE_OPEN, FATE_REFUSED };
struct judged {
  enum fate fate;
  uint64_t seq;
};

struct publish {
  struct batch *batch;
  struct request *request;
  struct party_row author; /* as it will be after this run's cards */
  bool card_taken;
  struct judged *leaves;
  uint32_t fresh, known;          /* leaves that are new; leaves that are duplicates */
  struct collega_error *refusals; /* of single leaves, by index; NULL: none yet */
  Collega__RefusalCode *codes;
};

static enum collega_status refuse_leaf(struct publish *publish, uint32_t index,
                                       Collega__RefusalCode code, const struct collega_error *why,
                                       struct collega_error *error) {
  struct arena *scratch = publish->batch->commit->scratch;
  size_t count = publish->request->run.count;
  if (!publish->refusals) {
    publish->refusals = arena_take(scratch, count * sizeof *publish->refusals);
    publish->codes = arena_take(scratch, count * sizeof *publish->codes);
    if (!publish->refusals || !publish->codes) return batch_exhausted(error);
  }
  publish->leaves[index].fate = FATE_REFUSED;
  publish->refusals[index] = *why;
  publish->codes[index] = code;
  return COLLEGA_OK;
}

static enum collega_status refuse_leaf_rule(struct publish *publish, uint32_t index,
                                            Collega__RefusalCode code, enum rule rule,
                                            struct collega_error *error) {
  struct collega_error why;
  error_set(&why, COLLEGA_REFUSED, rule, NULL, NULL);
  return refuse_leaf(publish, index, code, &why, error);
}

/* A card that verifies still has to follow on the one that is known here now. */
static enum collega_status judge_card(struct publish *publish, uint32_t index,
                                      struct collega_error *error) {
  const struct run_view *run = &publish->request->run;
  const struct record *record = &run->records[index];
  bool recovery = run->run->has_recovery && run->run->recovery;
  struct collega_error why;
  enum collega_status status =
      card_take(publish->batch, &publish->author, record, recovery, &why, error);
  if (status) return status;
  if (why.status)
    return refuse_leaf(publish, index, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED, &why,
                       error);
  publish->card_taken = true;
  return COLLEGA_OK;
}

/* True when nothing of this author and epoch is stored at `first` or above, up to `last`. */
static enum collega_status stretch_is_new(struct publish *publish, const struct epoch *epoch,
                                          uint64_t first, uint64_t last, bool *all_new,
                                          struct collega_error *error) {
  uint8_t wanted[AUTHOR_KEY_BYTES];
  struct bytes key, value;
  memcpy(wanted, publish->request->run.signer.byte, ID_BYTES);
  memcpy(wanted + ID_BYTES, epoch->byte, EPOCH_BYTES);
  put_be64(wanted + ID_BYTES + EPOCH_BYTES, last);
  enum collega_status status = store_floor(publish->batch->txn, STORE_AUTHORS,
                                           bytes_of(wanted, sizeof wanted), &key, &value, error);
  *all_new = true;
  if (status || key.length != AUTHOR_KEY_BYTES ||
      memcmp(key.data, wanted, ID_BYTES + EPOCH_BYTES) != 0)
    return status;
  struct author_row row;
  status = author_row_decode(key, value, &row, error);
  *all_new = row.first + row.count <= first;
  return status;
}

static enum collega_status judge_known(struct publish *publish, uint32_t index, uint64_t seq,
                                       struct collega_error *error) {
  struct batch *batch = publish->batch;
  bool same = false;
  enum collega_status status =
      batch_same_record(batch, seq, &publish->request->run.records[index].id, &same, error);
  if (status) return status;
  if (!same)
    return refuse_leaf_rule(publish, index, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_SEQUENCE_TAKEN,
                            RULE_sequence_taken, error);
  bool open = batch->open && seq >= batch->open_first;
  publish->leaves[index] = (struct judged){open ? FATE_OPEN : FATE_STORED, seq};
  publish->known++;
  return COLLEGA_OK;
}

static enum collega_status judge(struct publish *publish, struct collega_error *error) {
  const struct run_view *run = &publish->request->run;
  const Collega__Body *first = run->records[0].body, *last = run->records[run->count - 1].body;
  struct epoch epoch;
  epoch_from(&epoch, first->epoch.data, first->epoch.len);
  bool all_new = false;
  uint64_t before = 0;
  enum collega_status status = last->seq < first->seq ? COLLEGA_OK
                                                      : stretch_is_new(publish, &epoch, first->seq,
                                                                       last->seq, &all_new, error);
  for (uint32_t i = 0; !status && i < run->count; i++) {
    const struct record *record = &run->records[i];
    uint64_t at = 0;
    if (record->body->seq <= before ||
        memcmp(record->body->epoch.data, epoch.byte, EPOCH_BYTES) != 0) {
      status = refuse_leaf_rule(publish, i, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_INVALID,
                                RULE_sequence_order, error);
      continue;
    }
    before = record->body->seq;
    if (!all_new)
      status =
          author_find(publish->batch->txn, &run->signer, &epoch, record->body->seq, &at, error);
    if (status) break;
    if (at)
      status = judge_known(publish, i, at, error);
    else if (record->refused)
      status = refuse_leaf(publish, i, refusal_code_of(record->refused), record->refused, error);
    else
      publish->fresh++;
  }
  return status;
}

/* Nobody fills everybody's tables with mandates. What this batch has logged already is counted too. */
static enum collega_status judge_mandates(struct publish *publish, struct collega_error *error) {
  const struct run_view *run = &publish->request->run;
  enum collega_status status = COLLEGA_OK;
  bool counted = false;
  uint32_t count = 0;
  for (uint32_t i = 0; !status && i < run->count; i++) {
    if (!run->records[i].body->mandate || publish->leaves[i].fate != FATE_NEW) continue;
    if (!counted) status = mandates_count(publish->batch, &run->signer, &count, error);
    counted = true;
    if (status || count++ < MANDATES_KEPT) continue;
    struct collega_error why;
    error_set(&why, COLLEGA_REFUSED, RULE_mandate_too_many, NULL, publish->author.name, NULL);
    status = refuse_leaf(publish, i, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED, &why, error);
    publish->fresh--;
  }
  return status;
}

/* Cards last, when it is certain that the message is taken: they change rows at once. */
static enum collega_status judge_cards(struct publish *publish, struct collega_error *error) {
  const struct run_view *run = &publish->request->run;
  enum collega_status status = COLLEGA_OK;
  for (uint32_t i = 0; !status && i < run->count; i++) {
    if (!run->records[i].body->card || publish->leaves[i].fate != FATE_NEW) continue;
    status = judge_card(publish, i, error);
    if (publish->leaves[i].fate == FATE_REFUSED) publish->fresh--;
  }
  if (!status && publish->card_taken)
    status = party_row_write(publish->batch->txn, &run->signer, &publish->author, error);
  return status;
}

/* ---- writing */

static enum collega_status log_fresh(struct publish *publish, struct collega_error *error) {
  struct batch *batch = publish->batch;
  struct request *request = publish->request;
  const struct run_view *run = &request->run;
  struct arena *scratch = batch->commit->scratch;
  uint32_t *picks = arena_take(scratch, publish->fresh * sizeof *picks);
  const struct record **records = arena_take(scratch, publish->fresh * sizeof *records);
  struct facet *facets = request->facets;
  if (!picks || !records) return batch_exhausted(error);
  uint32_t count = 0;
  for (uint32_t i = 0; i < run->count; i++) {
    if (publish->leaves[i].fate != FATE_NEW) continue;
    facets[count] = facets[i];
    records[count] = &run->records[i];
    picks[count++] = i;
  }
  struct log_entry entry = {.run = request->run_bytes,
                            .records = records,
                            .facets = facets,
                            .count = count,
                            .author = run->signer};
  enum collega_status status = COLLEGA_OK;
  if (count < run->count) {
    Collega__Run *cut = NULL;
    status = run_cut(run, picks, count, scratch, &cut, error);
    if (status) return status;
    entry.run = message_pack(&cut->base, scratch);
    if (!entry.run.data) return batch_exhausted(error);
  }
  struct prior *priors = NULL;
  status = facets_resolve(batch, &run->signer, records, facets, count, &priors, &entry.prior_count,
                          error);
  if (status) return status;
  entry.priors = priors;
  uint64_t first_seq;
  status = batch_log(batch, &entry, &first_seq, error);
  if (status) return status;
  return batch_owe(batch, request->session, (uint32_t)(first_seq - batch->open_first), NULL, count,
                   error);
}

/* ---- duplicates */

static enum collega_status stored_tree(struct batch *batch, uint64_t seq, struct receipt_tree **out,
                                       struct collega_error *error) {
  *out = batch->stored_tree;
  if (*out && seq >= (*out)->first_seq && seq - (*out)->first_seq < (*out)->size) return COLLEGA_OK;
  struct commit_row row;
  enum collega_status status = commit_row_find(batch->txn, seq, &row, error);
  if (status) return status;
  if (!row.count)
    return error_set(error, COLLEGA_DAMAGED, RULE_disk_corrupt, NULL, "log", "commit", NULL);
  const void *stem = arena_copy(batch->arena, row.receipt.data, row.receipt.length);
  const struct id *leaves = arena_copy(batch->arena, row.leaves, row.count * sizeof *leaves);
  *out = stem && leaves ? receipt_tree_build(batch->arena, bytes_of(stem, row.receipt.length),
                                             row.first_seq, leaves, row.count)
                        : NULL;
  batch->stored_tree = *out;
  return *out ? COLLEGA_OK : batch_exhausted(error);
}

/* One answer for each group of leaves of one commit, as they were answered then. */
static enum collega_status answer_stored_leaves(struct publish *publish,
                                                struct collega_error *error) {
  struct batch *batch = publish->batch;
  const struct run_view *run = &publish->request->run;
  uint32_t *picks = arena_take(batch->arena, publish->known * sizeof *picks);
  struct id *ids = arena_take(batch->arena, publish->known * sizeof *ids);
  if (!picks || !ids) return batch_exhausted(error);
  struct receipt_tree *tree = NULL;
  uint32_t from = 0, count = 0;
  enum collega_status status = COLLEGA_OK;
  for (uint32_t i = 0; !status && i <= run->count; i++) {
    if (i < run->count && publish->leaves[i].fate != FATE_STORED) continue;
    uint64_t seq = i < run->count ? publish->leaves[i].seq : 0;
    bool joins = tree && i < run->count && seq >= tree->first_seq &&
                 seq - tree->first_seq < tree->size &&
                 (count == from || seq - tree->first_seq > picks[count - 1]);
    if (!joins && count > from) {
      status = answer_receipts(batch, publish->request->session, tree, 0, picks + from,
                               count - from, ids + from, error);
      from = count;
    }
    if (status || i == run->count) break;
    if (!joins) status = stored_tree(batch, seq, &tree, error);
    if (status) break;
    picks[count] = (uint32_t)(seq - tree->first_seq);
    ids[count++] = run->records[i].id;
  }
  return status;
}

/* The same for leaves of the tree that this very batch will sign. */
static enum collega_status owe_open_leaves(struct publish *publish, struct collega_error *error) {
  struct batch *batch = publish->batch;
  const struct run_view *run = &publish->request->run;
  uint32_t *picks = arena_take(batch->arena, publish->known * sizeof *picks);
  if (!picks) return batch_exhausted(error);
  uint32_t from = 0, count = 0;
  enum collega_status status = COLLEGA_OK;
  for (uint32_t i = 0; !status && i < run->count; i++) {
    if (publish->leaves[i].fate != FATE_OPEN) continue;
    uint32_t pick = (uint32_t)(publish->leaves[i].seq - batch->open_first);
    if (count > from && pick <= picks[count - 1]) {
      status = batch_owe(batch, publish->request->session, 0, picks + from, count - from, error);
      from = count;
    }
    picks[count++] = pick;
  }
  if (!status && count > from)
    status = batch_owe(batch, publish->request->session, 0, picks + from, count - from, error);
  return status;
}

static enum collega_status answer_refused_leaves(struct publish *publish,
                                                 struct collega_error *error) {
  const struct run_view *run = &publish->request->run;
  enum collega_status status = COLLEGA_OK;
  for (uint32_t i = 0; !status && publish->refusals && i < run->count; i++) {
    if (publish->leaves[i].fate != FATE_REFUSED) continue;
    status = answer_refusal(publish->batch, publish->request->session, &run->records[i].id,
                            publish->codes[i], &publish->refusals[i], error);
  }
  return status;
}

static bool holds_mandate(const struct run_view *run) {
  for (uint32_t i = 0; i < run->count; i++)
    if (run->records[i].body->mandate) return true;
  return false;
}

enum collega_status take_publish(struct batch *batch, struct request *request,
                                 struct collega_error *error) {
  struct publish publish = {.batch = batch, .request = request};
  const Collega__Head *head = request->frame->publish->head;
  bool passed = false, fits = false;
  publish.leaves = arena_zero(batch->commit->scratch, request->run.count * sizeof *publish.leaves);
  if (!publish.leaves) return batch_exhausted(error);
  /* A tree that is about to be full is closed now: duplicates found in it then are stored ones. So is one
   * that the author's mandates may stand in: what is looked up must be under a signature. */
  enum collega_status status = COLLEGA_OK;
  if (batch->open + request->run.count > LIMIT_RUN_RECORDS || holds_mandate(&request->run))
    status = batch_sign(batch, error);
  if (!status) status = gate_head(batch, request, head, &fits, error);
  if (!status)
    status = gate_member(batch, request, &request->run.signer, &publish.author, &passed, error);
  if (!status && fits) status = head_store(batch, request, head, error);
  if (status || !passed) return status;
  status = judge(&publish, error);
  if (status) return status;
  /* A head that does not fit forbids anything new; what was taken before keeps its answer. */
  if (!fits && publish.known < request->run.count) return refuse_head(batch, request, error);
  if (publish.fresh) status = judge_mandates(&publish, error);
  if (!status && publish.fresh) status = judge_cards(&publish, error);
  if (!status && publish.known) status = answer_stored_leaves(&publish, error);
  if (!status && publish.known) status = owe_open_leaves(&publish, error);
  if (!status && publish.fresh) status = log_fresh(&publish, error);
  if (!status) status = answer_refused_leaves(&publish, error);
  return status;
}
