/* What the board no longer shows. An offer may be open for 180 days after its receipt, and its
 * tombstones and states are kept for another 30: what was receipted before that is over, whatever
 * it says. So one number, the horizon, says of the whole log which offers and states are gone: all
 * up to and including it. Records of class members stay for ever, and so do all receipts, by which
 * a duplicate is still told from an equivocation.
 *
 * The horizon moves first, in a transaction of its own: from then on the board shows nothing behind
 * it, and who left off before it starts anew. The rows are deleted after that, a few at a time; a
 * row that holds a record of class members stays as it is. */
#include <string.h>

#include "broker/board/facet.h"
#include "broker/commit/batch.h"
#include "proto/check.h"
#include "proto/limits.h"

#define COMMITS_LOOKED_AT 4096u
#define ROWS_LOOKED_AT    1024u
#define ROWS_DELETED      256u

/* The last number of the commits that are old enough, from the horizon on. */
static enum collega_status find_horizon(struct store_txn *txn, collega_time now, uint64_t from,
                                        uint64_t *horizon, bool *more,
                                        struct collega_error *error) {
  *horizon = from;
  size_t looked_at = 0;
  for (; looked_at < COMMITS_LOOKED_AT; looked_at++) {
    struct commit_row row;
    enum collega_status status = commit_row_find(txn, *horizon + 1, &row, error);
    if (status) return status;
    if (!row.count || row.time + OFFER_LIFETIME_MS + TOMBSTONE_KEEP_MS >= now) break;
    *horizon = row.first_seq + row.count - 1;
  }
  *more = looked_at == COMMITS_LOOKED_AT;
  return COLLEGA_OK;
}

static bool holds_members(const struct log_row *row) {
  for (uint32_t i = 0; i < row->count; i++)
    if (facet_is_members(&row->facets[i])) return true;
  return false;
}

struct gone {
  struct {
    uint64_t first_seq;
    uint32_t base;
  } rows[ROWS_DELETED];
  size_t count;
};

/* Rows behind the horizon that may go, from where the last look ended. */
static enum collega_status find_rows(struct commit *commit, struct store_txn *txn, uint64_t horizon,
                                     struct gone *gone, bool *more, struct collega_error *error) {
  struct store_cursor cursor;
  struct log_row row;
  enum collega_status status = store_cursor_open(txn, STORE_LOG, &cursor, error);
  if (status) return status;
  status = log_rows_seek(&cursor, commit->compacted_rows + 1, &row, error);
  size_t looked_at = 0;
  for (; !status && row.count && looked_at < ROWS_LOOKED_AT && gone->count < ROWS_DELETED;
       looked_at++) {
    uint64_t last = row.first_seq + row.count - 1;
    if (last > horizon) break;
    if (last > commit->compacted_rows) {
      if (!row.is_commit && !holds_members(&row)) {
        gone->rows[gone->count].first_seq = row.first_seq;
        gone->rows[gone->count++].base = row.base;
      }
      commit->compacted_rows = last;
    }
    status = log_rows_next(&cursor, &row, error);
  }
  *more = *more || looked_at == ROWS_LOOKED_AT || gone->count == ROWS_DELETED;
  store_cursor_close(&cursor);
  return status;
}

static enum collega_status write_compacted(struct commit *commit, uint64_t horizon, bool moved,
                                           const struct gone *gone, struct collega_error *error) {
  struct store_txn *txn = NULL;
  enum collega_status status = store_write(commit->store, &txn, error);
  if (!status && moved) status = compacted_write(txn, horizon, error);
  for (size_t i = 0; !status && i < gone->count; i++)
    status = log_row_delete(txn, gone->rows[i].first_seq, gone->rows[i].base, error);
  if (!status) return store_commit(&txn, error);
  store_end(&txn);
  return status;
}

enum collega_status commit_compact(struct commit *commit, collega_time now, uint64_t *through,
                                   bool *more, struct collega_error *error) {
  struct store_txn *txn = NULL;
  struct gone gone = {.count = 0};
  uint64_t stored = 0, horizon = 0;
  uint64_t rows_before = commit->compacted_rows;
  *more = false;
  enum collega_status status = store_read(commit->store, &txn, error);
  if (!status) status = compacted_read(txn, &stored, error);
  if (!status) status = find_horizon(txn, now, stored, &horizon, more, error);
  /* Only behind the horizon that is on disk already. */
  if (!status) status = find_rows(commit, txn, stored, &gone, more, error);
  store_end(&txn);
  *through = stored;
  if (status || (horizon == stored && gone.count == 0)) return status;
  status = write_compacted(commit, horizon, horizon > stored, &gone, error);
  if (status)
    commit->compacted_rows = rows_before;
  else
    *through = horizon;
  *more = *more || horizon > stored;
  return status;
}
