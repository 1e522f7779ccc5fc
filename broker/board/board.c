/* The board: what passes a filter, as frames that hold nothing about their receiver, so that one
 * frame serves every follower of that filter.
 *
 * Facets decide, so most leaves are never looked at again: a run of which all leaves pass is
 * spliced into the frame as it was received, and only a run of which some pass is cut. A frame is
 * closed at about LIMIT_BOARD_BYTES; a single run that would pass LIMIT_FRAME_BYTES is cut in
 * pieces. */
#include "broker/board/board.h"

#include <string.h>

#include "broker/board/facet.h"
#include "broker/board/packed_run.h"
#include "broker/commit/commit.h"
#include "proto/limits.h"

enum {
  FROM_BROKER_BOARD = 4,
  BOARD_ORIGIN = 1,
  BOARD_EPOCH = 2,
  BOARD_AFTER = 3,
  BOARD_THROUGH = 4,
  BOARD_RUNS = 5,
  BOARD_TOMBSTONES = 6,
  BOARD_FOLLOW = 7,
  BOARD_RUN_RUN = 1,
  BOARD_RUN_RECEIPT = 2,
  TOMBSTONE_OFFER = 1,
  TOMBSTONE_SEQ = 2
};
#define BOARD_HEAD_BYTES 128u /* origin, epoch, after, through, follow, tags and lengths */
#define BOARD_RUNS_MOST  4096u
#define BOARD_LEAVES_MOST                                                                          \
  65536u                   /* looked at for one frame: a quiet filter must not hold a reader */
#define OFFER_FIELD    20u /* in Body */
#define OFFER_ID_FIELD 1u  /* in OfferRevision */

struct board {
  struct arena *arena;
  struct board_filter filter;
  struct frame runs, tombstones;
  uint32_t run_count, tombstone_count, records;
  uint32_t looked_at;
  uint64_t after, through, compacted;
  bool full;
};

static enum collega_status exhausted(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_arena_full, NULL, NULL);
}

static void board_start(struct board *board, struct arena *arena, const Collega__Filter *filter,
                        uint64_t after, size_t expected) {
  *board = (struct board){.arena = arena, .after = after, .through = after};
  board_filter_start(&board->filter, filter);
  frame_start(&board->runs, arena, expected);
  frame_start(&board->tombstones, arena, 64);
}

static size_t board_size(const struct board *board) {
  return BOARD_HEAD_BYTES + board->runs.length + board->tombstones.length;
}

/* ---- one run */

struct selection {
  const struct log_run *run;
  uint32_t *picks; /* positions in the row */
  uint32_t count;
};

/* What is compacted is gone for every filter, but for the members class. */
static bool passes(const struct board *board, const struct log_row *row, uint32_t leaf) {
  const struct facet *facet = &row->facets[leaf];
  if (row->first_seq + leaf <= board->compacted && !facet_is_members(facet)) return false;
  return board_filter_passes(&board->filter, facet);
}

static bool select_leaves(struct board *board, const struct log_run *run, struct selection *out) {
  const struct log_row *row = &run->row;
  uint32_t from =
      board->through >= row->first_seq ? (uint32_t)(board->through - row->first_seq + 1) : 0;
  *out = (struct selection){.run = run,
                            .picks = arena_take(board->arena, row->count * sizeof *out->picks)};
  for (uint32_t i = from; out->picks && i < row->count; i++)
    if (passes(board, row, i)) out->picks[out->count++] = i;
  return out->picks != NULL;
}

static bool is_whole(const struct selection *selection) {
  return selection->count == selection->run->row.count;
}

static enum collega_status add_run(struct board *board, const struct selection *selection,
                                   struct bytes run, struct collega_error *error) {
  const struct log_run *from = selection->run;
  uint32_t base = (uint32_t)(from->row.first_seq - from->tree->first_seq);
  const uint32_t *picks = is_whole(selection) ? NULL : selection->picks;
  struct receipt_part part;
  if (!receipt_part_prepare(&part, from->tree, base, picks, selection->count, board->arena))
    return exhausted(error);
  size_t inner = frame_field_size(run.length) + frame_field_size(part.bytes);
  if (board->run_count && board_size(board) + frame_field_size(inner) > LIMIT_BOARD_BYTES) {
    board->full = true;
    return COLLEGA_OK;
  }
  frame_open(&board->runs, BOARD_RUNS, inner);
  frame_bytes(&board->runs, BOARD_RUN_RUN, run.data, run.length);
  frame_open(&board->runs, BOARD_RUN_RECEIPT, part.bytes);
  receipt_part_write(&part, &board->runs);
  board->run_count++;
  board->records += selection->count;
  board->full = board->run_count == BOARD_RUNS_MOST;
  return board->runs.failed ? exhausted(error) : COLLEGA_OK;
}

/* Fewer leaves than were selected, where all of them would not fit into a frame. */
static void shorten(const struct packed_run *run, struct selection *selection) {
  size_t bytes = 0;
  uint32_t kept = 0;
  while (kept < selection->count) {
    bytes += run->bodies[selection->picks[kept]].length + 8;
    if (kept && bytes > LIMIT_BOARD_BYTES) break;
    kept++;
  }
  selection->count = kept;
}

static enum collega_status cut(struct board *board, struct selection *selection, struct bytes *out,
                               bool *all, struct collega_error *error) {
  struct packed_run run;
  uint32_t wanted = selection->count;
  enum collega_status status = packed_run_read(selection->run->row.run, board->arena, &run, error);
  if (status) return status;
  if (run.count != selection->run->row.count)
    return error_set(error, COLLEGA_DAMAGED, RULE_disk_corrupt, NULL, "log", "run", NULL);
  shorten(&run, selection);
  *all = selection->count == wanted;
  return packed_run_cut(&run, NULL, selection->picks, selection->count, board->arena, out, error);
}

/* ---- tombstones: what a filter passed before it was revised, and passes no more */

static struct bytes inner_field(struct bytes packed, uint32_t number) {
  struct field field;
  bool bad;
  while (field_next(&packed, &field, &bad))
    if (field.number == number) return field.content;
  return bytes_of(NULL, 0);
}

static enum collega_status add_tombstone(struct board *board, const struct log_row *row,
                                         uint32_t leaf, struct collega_error *error) {
  struct packed_run run;
  enum collega_status status = packed_run_read(row->run, board->arena, &run, error);
  if (status) return status;
  struct bytes offer = bytes_of(NULL, 0);
  if (leaf < run.count)
    offer = inner_field(inner_field(run.bodies[leaf], OFFER_FIELD), OFFER_ID_FIELD);
  if (offer.length != SHORT_ID_BYTES)
    return error_set(error, COLLEGA_DAMAGED, RULE_disk_corrupt, NULL, "log", "prior", NULL);
  uint64_t seq = row->first_seq + leaf;
  frame_open(&board->tombstones, BOARD_TOMBSTONES,
             frame_field_size(SHORT_ID_BYTES) + 1 + varint_size(seq));
  frame_bytes(&board->tombstones, TOMBSTONE_OFFER, offer.data, offer.length);
  frame_number(&board->tombstones, TOMBSTONE_SEQ, seq);
  board->tombstone_count++;
  board->records++;
  return board->tombstones.failed ? exhausted(error) : COLLEGA_OK;
}

static bool is_buried(const struct board *board, const struct log_row *row,
                      const struct prior *prior) {
  return prior->leaf < row->count && board_filter_passes(&board->filter, &prior->facet) &&
         !board_filter_passes(&board->filter, &row->facets[prior->leaf]);
}

static enum collega_status add_tombstones(struct board *board, const struct log_row *row,
                                          uint64_t through, struct collega_error *error) {
  if (board->filter.all) return COLLEGA_OK;
  for (size_t i = 0; i < row->priors.length / PRIOR_BYTES; i++) {
    struct prior prior = prior_decode(row->priors, i);
    uint64_t seq = row->first_seq + prior.leaf;
    if (seq <= board->through || seq > through || seq <= board->compacted) continue;
    if (!is_buried(board, row, &prior)) continue;
    enum collega_status status = add_tombstone(board, row, prior.leaf, error);
    if (status) return status;
  }
  return COLLEGA_OK;
}

/* Adds what passes of one row. Sets board->full when no more should be added, board->through to the
 * last seq that was dealt with. */
static enum collega_status add_row(struct board *board, const struct log_run *run,
                                   struct collega_error *error) {
  const struct log_row *row = &run->row;
  struct selection selection;
  if (board->tombstone_count + row->priors.length / PRIOR_BYTES > BOARD_RUNS_MOST) {
    board->full = true;
    return COLLEGA_OK;
  }
  if (!select_leaves(board, run, &selection)) return exhausted(error);
  uint64_t through = row->first_seq + row->count - 1;
  uint32_t before = board->run_count;
  enum collega_status status = COLLEGA_OK;
  bool fits =
      is_whole(&selection) && row->run.length + 2 * BOARD_HEAD_BYTES + 8192 < LIMIT_FRAME_BYTES;
  if (selection.count && fits) {
    status = add_run(board, &selection, row->run, error);
  } else if (selection.count) {
    struct bytes packed = bytes_of(NULL, 0);
    bool all = true;
    status = cut(board, &selection, &packed, &all, error);
    if (!all) through = row->first_seq + selection.picks[selection.count - 1];
    if (!status) status = add_run(board, &selection, packed, error);
    if (!all) board->full = true;
  }
  if (status || (selection.count && board->run_count == before))
    return status; /* it waits for the next frame */
  status = add_tombstones(board, row, through, error);
  board->through = through;
  board->looked_at += row->count;
  if (board_size(board) >= LIMIT_BOARD_BYTES || board->looked_at >= BOARD_LEAVES_MOST)
    board->full = true;
  return status;
}

/* ---- the frame around the runs */

static enum collega_status board_finish(struct board *board, const struct id *origin,
                                        const struct epoch *epoch, uint32_t follow,
                                        struct bytes *out, struct collega_error *error) {
  struct frame head, frame;
  frame_start(&head, board->arena, BOARD_HEAD_BYTES);
  frame_bytes(&head, BOARD_ORIGIN, origin->byte, ID_BYTES);
  frame_bytes(&head, BOARD_EPOCH, epoch->byte, EPOCH_BYTES);
  frame_number(&head, BOARD_AFTER, board->after);
  frame_number(&head, BOARD_THROUGH, board->through);
  size_t inner =
      head.length + board->runs.length + board->tombstones.length + 1 + varint_size(follow);
  frame_start(&frame, board->arena, frame_field_size(inner));
  frame_open(&frame, FROM_BROKER_BOARD, inner);
  frame_raw(&frame, head.data, head.length);
  frame_raw(&frame, board->runs.data, board->runs.length);
  frame_raw(&frame, board->tombstones.data, board->tombstones.length);
  frame_number(&frame, BOARD_FOLLOW, follow);
  if (head.failed || frame.failed || board->runs.failed || board->tombstones.failed)
    return exhausted(error);
  *out = bytes_of(frame.data, frame.length);
  return COLLEGA_OK;
}

/* ---- where a follower left off */

bool board_cursor_known(const Collega__Follow *follow, const struct id *origin,
                        const struct epoch *epoch, uint64_t head, uint64_t compacted,
                        uint64_t *through) {
  bool known = true;
  *through = 0;
  for (size_t i = 0; i < follow->n_cursors; i++) {
    const Collega__Cursor *cursor = follow->cursors[i];
    if (memcmp(cursor->origin.data, origin->byte, ID_BYTES) != 0) continue;
    bool here = !memcmp(cursor->epoch.data, epoch->byte, EPOCH_BYTES) && cursor->seq <= head;
    if (here && cursor->seq >= compacted) {
      *through = cursor->seq;
      return true;
    }
    known = here && cursor->seq == 0; /* of another epoch: it must hear that this one began */
  }
  return known;
}

/* ---- from memory */

/* The first run that reaches past `after`. */
static size_t first_run(const struct log_part *part, uint64_t after) {
  size_t low = 0, high = part->run_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    const struct log_row *row = &part->runs[middle].row;
    if (row->first_seq + row->count - 1 <= after)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

enum collega_status board_live(const struct log_part *part, const struct id *origin,
                               const struct epoch *epoch, uint32_t follow,
                               const Collega__Filter *filter, uint64_t after, struct arena *arena,
                               struct bytes *frame, uint32_t *records, uint64_t *through,
                               struct collega_error *error) {
  struct board board;
  size_t first = first_run(part, after), expected = 1024;
  for (size_t i = first; i < part->run_count && expected < LIMIT_BOARD_BYTES; i++)
    expected += part->runs[i].row.run.length + 1024;
  board_start(&board, arena, filter, after, expected);
  enum collega_status status = COLLEGA_OK;
  for (size_t i = first; !status && !board.full && i < part->run_count; i++)
    status = add_row(&board, &part->runs[i], error);
  if (!status) status = board_finish(&board, origin, epoch, follow, frame, error);
  *records = board.records;
  *through = board.through;
  return status;
}

/* ---- from the store */

/* Rows come in order, so the tree of the last one's commit mostly serves the next. */
static enum collega_status tree_of(struct store_txn *txn, struct arena *arena, uint64_t seq,
                                   const struct receipt_tree **tree, struct collega_error *error) {
  if (*tree && seq >= (*tree)->first_seq && seq - (*tree)->first_seq < (*tree)->size)
    return COLLEGA_OK;
  struct commit_row commit;
  enum collega_status status = commit_row_find(txn, seq, &commit, error);
  if (status) return status;
  if (!commit.count)
    return error_set(error, COLLEGA_DAMAGED, RULE_disk_corrupt, NULL, "log", "commit", NULL);
  *tree = receipt_tree_build(arena, commit.receipt, commit.first_seq, commit.leaves, commit.count);
  return *tree ? COLLEGA_OK : exhausted(error);
}

/* Does anything of the row pass, or was anything of it followed before? Then its receipt is
 * needed. */
static bool concerns(const struct board *board, const struct log_row *row) {
  if (row->priors.length) return true;
  for (uint32_t i = 0; i < row->count; i++)
    if (passes(board, row, i)) return true;
  return false;
}

static void pass_over(struct board *board, uint64_t through, uint32_t looked_at) {
  if (through > board->through) board->through = through;
  board->looked_at += looked_at;
  board->full = board->looked_at >= BOARD_LEAVES_MOST;
}

static enum collega_status read_rows(struct store_txn *txn, struct board *board,
                                     struct store_cursor *cursor, struct collega_error *error) {
  struct log_run run = {.tree = NULL};
  enum collega_status status = log_rows_seek(cursor, board->after + 1, &run.row, error);
  while (!status && !board->full && run.row.count) {
    uint64_t last = run.row.first_seq + run.row.count - 1;
    if (run.row.is_commit) { /* its runs came before it, or are gone */
      pass_over(board, last, 1);
    } else if (last > board->through && !concerns(board, &run.row)) {
      pass_over(board, last, run.row.count);
    } else if (last > board->through) {
      status = tree_of(txn, board->arena, last, &run.tree, error);
      if (!status) status = add_row(board, &run, error);
    }
    if (!status && !board->full) status = log_rows_next(cursor, &run.row, error);
  }
  /* Rows at the end may be gone altogether. */
  if (!status && !board->full && board->through < board->compacted)
    board->through = board->compacted;
  return status;
}

enum collega_status board_read(struct store_txn *txn, const struct id *origin,
                               const struct epoch *epoch, uint32_t follow,
                               const Collega__Filter *filter, uint64_t after, struct arena *arena,
                               struct bytes *frame, uint32_t *records, uint64_t *through,
                               struct collega_error *error) {
  struct board board;
  struct store_cursor cursor;
  *frame = bytes_of(NULL, 0);
  *records = 0;
  *through = after;
  enum collega_status status = store_cursor_open(txn, STORE_LOG, &cursor, error);
  if (status) return status;
  board_start(&board, arena, filter, after, 64u * 1024u);
  status = compacted_read(txn, &board.compacted, error);
  if (!status) status = read_rows(txn, &board, &cursor, error);
  store_cursor_close(&cursor);
  if (!status && board.through > after)
    status = board_finish(&board, origin, epoch, follow, frame, error);
  if (status) return status;
  *records = board.records;
  *through = board.through;
  return COLLEGA_OK;
}
