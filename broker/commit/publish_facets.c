/* Facets that one body does not tell by itself. A status is filtered as the content that it names;
 * a revision remembers what its offer was before, so that those who followed that hear of its
 * going.
 *
 * Both are found by walking back through the author's own rows, newest first, comparing the first
 * bytes of offer ids that stand in them: one walk for all that a run wants, bounded, and none for
 * plain new offers. A home that was restored numbers in a new epoch, and which of its epochs is the
 * newest their names do not tell: what an offer was before is what stands last in the log. What is
 * not found within the bound passes every filter, now or before: then a follower may hear of an
 * offer that it never had, or of its going, which it can tell, and nobody misses anything. */
#include <stdlib.h>
#include <string.h>

#include "broker/commit/batch.h"
#include "proto/record.h"

#define PREFIX_BYTES     8u
#define WALK_LEAVES_MOST 65536u /* about half a millisecond */

struct wanted {
  uint64_t prefix;
  uint32_t leaf; /* which of the run wants it */
  bool found;
  bool settled; /* found where nothing newer can stand */
  bool met;     /* in the epoch that is being walked through */
  uint64_t seq; /* where it was found */
  struct facet facet;
};

static uint64_t prefix_of(const ProtobufCBinaryData *offer) {
  return get_be64(offer->data);
}

static bool wants(const Collega__Body *body, uint64_t *prefix) {
  if (body->status)
    *prefix = prefix_of(&body->status->id);
  else if (body->offer && body->offer->revision > 1)
    *prefix = prefix_of(&body->offer->id);
  else
    return false;
  return true;
}

static int by_prefix(const void *left, const void *right) {
  const struct wanted *a = left, *b = right;
  if (a->prefix != b->prefix) return a->prefix < b->prefix ? -1 : 1;
  return a->leaf < b->leaf ? -1 : a->leaf > b->leaf;
}

static int by_leaf(const void *left, const void *right) {
  const struct wanted *a = left, *b = right;
  return a->leaf < b->leaf ? -1 : a->leaf > b->leaf;
}

/* Within the run itself: the newest content of the same offer before the leaf, the one it names for
 * a status. */
static bool find_in_run(const struct record *const *records, const struct facet *facets,
                        struct wanted *wanted) {
  const Collega__OfferStatus *status = records[wanted->leaf]->body->status;
  for (uint32_t i = wanted->leaf; i-- > 0;) {
    const Collega__OfferRevision *offer = records[i]->body->offer;
    if (!offer || prefix_of(&offer->id) != wanted->prefix) continue;
    if (status && memcmp(status->content.data, records[i]->id.byte, ID_BYTES) != 0) continue;
    wanted->facet = facets[i];
    wanted->found = wanted->settled = true;
    return true;
  }
  return false;
}

/* The content at `seq`, for one that wants its offer: a status only if it is the content it
 * names. */
static enum collega_status try_stored(struct batch *batch, const struct record *record,
                                      uint64_t seq, struct wanted *wanted,
                                      struct collega_error *error) {
  const Collega__OfferStatus *of = record->body->status;
  if (of) {
    struct id content, leaf;
    bool same = false;
    id_from(&content, of->content.data, of->content.len);
    if (batch->open && seq >= batch->open_first) {
      same = id_equal(&batch->ids[seq - batch->open_first], &content);
    } else {
      struct commit_row commit;
      enum collega_status status = commit_row_find(batch->txn, seq, &commit, error);
      if (status || !commit.count) return status;
      struct receipt_position position = {batch->state.broker, commit.epoch, seq, commit.time};
      receipt_leaf(&leaf, &position, &content);
      same = id_equal(&leaf, &commit.leaves[seq - commit.first_seq]);
    }
    if (!same) return COLLEGA_OK;
  }
  struct log_row row;
  enum collega_status status = log_row_find(batch->txn, seq, &row, error);
  if (status || !row.count) return status;
  wanted->facet = row.facets[seq - row.first_seq];
  wanted->seq = seq;
  wanted->found = true;
  wanted->settled = of != NULL;
  return COLLEGA_OK;
}

/* The first of the sorted `wanted` with this prefix; count: none. */
static uint32_t first_with(const struct wanted *wanted, uint32_t count, uint64_t prefix) {
  uint32_t low = 0, high = count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (wanted[middle].prefix < prefix)
      low = middle + 1;
    else
      high = middle;
  }
  return low < count && wanted[low].prefix == prefix ? low : count;
}

static enum collega_status search_row(struct batch *batch, const struct record *const *records,
                                      const struct author_row *row, struct wanted *wanted,
                                      uint32_t count, uint32_t *missing,
                                      struct collega_error *error) {
  for (uint32_t i = row->count; row->prefixes && i-- > 0;) {
    uint64_t prefix = get_be64(row->prefixes + i * PREFIX_BYTES), seq = row->log_seq + i;
    for (uint32_t at = first_with(wanted, count, prefix); at < count && wanted[at].prefix == prefix;
         at++) {
      struct wanted *one = &wanted[at];
      if (one->settled || one->met) continue;
      bool of_status = records[one->leaf]->body->status != NULL;
      if (of_status || seq > one->seq) {
        enum collega_status status = try_stored(batch, records[one->leaf], seq, one, error);
        if (status) return status;
      }
      one->met = one->settled || !of_status;
      if (one->met) --*missing;
    }
  }
  return COLLEGA_OK;
}

static uint32_t begin_epoch(struct wanted *wanted, uint32_t count) {
  uint32_t missing = 0;
  for (uint32_t i = 0; i < count; i++) {
    wanted[i].met = false;
    missing += !wanted[i].settled;
  }
  return missing;
}

/* From the cursor's row on to the one before it, or, with nothing more to find in its epoch, to the last
 * of another epoch. */
static enum collega_status step_back(struct store_cursor *cursor, const struct id *author,
                                     const struct epoch *epoch, bool leaves,
                                     struct collega_error *error) {
  uint8_t before[AUTHOR_KEY_BYTES] = {0};
  if (!leaves) return store_previous(cursor, error);
  memcpy(before, author->byte, ID_BYTES);
  memcpy(before + ID_BYTES, epoch->byte, EPOCH_BYTES);
  return store_seek_back(cursor, bytes_of(before, sizeof before), error);
}

/* Newest first within an epoch; the order of epochs says nothing. *all: none was left out. */
static enum collega_status search_store(struct batch *batch, const struct id *author,
                                        const struct record *const *records, struct wanted *wanted,
                                        uint32_t count, bool *all, struct collega_error *error) {
  uint8_t last[AUTHOR_KEY_BYTES];
  memcpy(last, author->byte, ID_BYTES);
  memset(last + ID_BYTES, 0xff, sizeof last - ID_BYTES);
  struct store_cursor cursor;
  enum collega_status status = store_cursor_open(batch->txn, STORE_AUTHORS, &cursor, error);
  if (status) return status;
  struct epoch epoch = {{0}};
  uint32_t seen = 0, missing = 0;
  bool any = false;
  status = store_seek_back(&cursor, bytes_of(last, sizeof last), error);
  while (!status && seen < WALK_LEAVES_MOST && cursor.key.data &&
         !memcmp(cursor.key.data, author->byte, ID_BYTES)) {
    struct author_row row;
    status = author_row_decode(cursor.key, cursor.value, &row, error);
    if (status) break;
    if (!any || memcmp(epoch.byte, row.epoch.byte, EPOCH_BYTES) != 0)
      missing = begin_epoch(wanted, count);
    any = true;
    epoch = row.epoch;
    status = search_row(batch, records, &row, wanted, count, &missing, error);
    seen += row.count;
    if (!status) status = step_back(&cursor, author, &epoch, missing == 0, error);
  }
  *all = !cursor.key.data || memcmp(cursor.key.data, author->byte, ID_BYTES) != 0;
  store_cursor_close(&cursor);
  return status;
}

enum collega_status facets_resolve(struct batch *batch, const struct id *author,
                                   const struct record *const *records, struct facet *facets,
                                   uint32_t count, struct prior **priors, uint32_t *prior_count,
                                   struct collega_error *error) {
  struct arena *scratch = batch->commit->scratch;
  uint32_t wanting = 0, missing = 0;
  uint64_t prefix;
  *priors = NULL;
  *prior_count = 0;
  for (uint32_t i = 0; i < count; i++)
    wanting += wants(records[i]->body, &prefix);
  if (!wanting) return COLLEGA_OK;
  struct wanted *wanted = arena_zero(scratch, wanting * sizeof *wanted);
  *priors = arena_take(scratch, wanting * sizeof **priors);
  if (!wanted || !*priors) return batch_exhausted(error);
  uint32_t at = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (!wants(records[i]->body, &prefix)) continue;
    wanted[at] = (struct wanted){.prefix = prefix, .leaf = i};
    if (!find_in_run(records, facets, &wanted[at])) missing++;
    at++;
  }
  qsort(wanted, wanting, sizeof *wanted, by_prefix);
  bool all = true;
  enum collega_status status =
      missing ? search_store(batch, author, records, wanted, wanting, &all, error) : COLLEGA_OK;
  qsort(wanted, wanting, sizeof *wanted, by_leaf);
  for (uint32_t i = 0; !status && i < wanting; i++) {
    const struct wanted *one = &wanted[i];
    if (records[one->leaf]->body->offer) {
      bool known = one->settled || (one->found && all);
      struct facet every = {.type = COLLEGA__BODY_TYPE__BODY_TYPE_OFFER, .any = 1};
      (*priors)[(*prior_count)++] = (struct prior){one->leaf, known ? one->facet : every};
    } else if (one->found) {
      facets[one->leaf] = one->facet;
      facets[one->leaf].type = COLLEGA__BODY_TYPE__BODY_TYPE_STATUS;
    }
  }
  return status;
}
