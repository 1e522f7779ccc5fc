/* The board: runs of many authors, each by its own signature, all under the broker's receipts.
 * The frame becomes one entry; what is in it that this node cannot take is left out of the
 * entry, so that replaying judges nothing. */
#include "client/exchange/intake.h"

#include <string.h>

#include "base/log.h"
#include "base/words.h"
#include "proto/guard.h"

/* What a card signed that the recovery key has put aside counts as far as the broker receipted it before that. Of the
 * rest nobody is the author. */
static enum collega_status leave_out_replaced(struct intake *intake, const struct run_view *view,
                                              enum collega_status status, bool *take) {
  const struct known_party *signer = members_find(intake->members, &view->signer);
  if ((status != COLLEGA_FORGED && status != COLLEGA_NOT_FOUND) || !signer ||
      !known_party_replaced(signer, view->run->key_epoch))
    return status;
  log_warning("run_left_out", "its card was replaced by the recovery key");
  *take = false;
  return COLLEGA_OK;
}

/* As members_verify_anchored. What was verified ahead counts for the key that the signer has by now. */
static enum collega_status verify_run(struct intake *intake, const struct run_view *view,
                                      const struct receipt_position *at,
                                      const struct run_ahead *ahead) {
  uint8_t key[32];
  if (ahead && ahead->fits &&
      members_signing_key(intake->members, &view->signer, view->run->key_epoch, key,
                          intake->error) == COLLEGA_OK &&
      memcmp(key, ahead->key, sizeof key) == 0)
    return COLLEGA_OK;
  return members_verify_anchored(intake->members, view, at, NULL, intake->error);
}

/* A run that is forged condemns the frame. One that holds a record of class members which nobody
 * can take (a mandate that ends nothing, one too many) is its author's own doing, and costs only
 * that run. */
static enum collega_status judge_run(struct intake *intake, const Collega__BoardRun *board_run,
                                     const struct run_ahead *ahead, struct run_view *view,
                                     bool *take) {
  enum collega_status status = COLLEGA_OK;
  *take = false;
  if (ahead)
    *view = ahead->view;
  else
    status = run_read(board_run->run, intake->arena, view, intake->error);
  if (status != COLLEGA_OK) return status;
  struct id *ids = arena_take(intake->arena, view->count * sizeof *ids);
  if (!ids) return exchange_no_memory(intake->error);
  for (size_t i = 0; i < view->count; i++)
    ids[i] = view->records[i].id;
  struct receipt_position at = {.origin = intake->broker, .time = board_run->receipt->time};
  (void)epoch_from(&at.epoch, board_run->receipt->epoch.data, board_run->receipt->epoch.len);
  status = intake_receipt(intake, board_run->receipt, ids, view->count);
  if (status != COLLEGA_OK) return status;
  bool verified = false;
  *take = true;
  for (size_t i = 0; status == COLLEGA_OK && i < view->count; i++) {
    if (view->records[i].refused != NULL) continue;
    const Collega__ReceiptRun *receipt = board_run->receipt;
    at.seq = receipt->first_seq + (receipt->n_leaves ? receipt->leaves[i] : (uint32_t)i);
    if (!body_is_members_class(view->records[i].body)) {
      if (!verified) {
        status = verify_run(intake, view, &at, ahead);
        status = leave_out_replaced(intake, view, status, take);
      }
      verified = true;
      if (status == COLLEGA_NOT_FOUND) status = intake_forged(intake, RULE_author_unknown);
      continue;
    }
    struct collega_error why;
    enum collega_status taken =
        members_take(intake->members, view, i, &at, &intake->broker, 1, &why);
    taken = leave_out_replaced(intake, view, taken, take);
    if (taken == COLLEGA_REFUSED || taken == COLLEGA_NOT_FOUND || taken == COLLEGA_INVALID) {
      log_warning("member_record_left_out", "rule=%s", rule_name(why.rule));
      *take = false;
    } else if (taken != COLLEGA_OK) {
      if (intake->error) *intake->error = why;
      status = taken;
    }
  }
  return status;
}

/* What is to be done with a frame that was judged. */
enum board_turn {
  BOARD_STORE,
  BOARD_PASS, /* nothing: it was read before, or nobody asks for it any more */
  BOARD_GAP   /* something is missing before it */
};

static enum board_turn turn_of(const struct intake *intake, const Collega__Board *board) {
  const CollegaStore__BrokerRow *row = intake->broker_row;
  if (board->follow != FOLLOW_NUMBER) return BOARD_PASS;
  bool same_epoch =
      row->has_log_epoch && bytes_equal(field_bytes(&row->log_epoch), field_bytes(&board->epoch));
  /* A new epoch of the broker comes with a Reset, or before anything was read of the one before. */
  if (row->has_log_epoch && row->log_seq > 0 && !same_epoch) return BOARD_PASS;
  uint64_t cursor = same_epoch ? row->log_seq : 0;
  if (same_epoch && board->through <= cursor) return BOARD_PASS; /* read before */
  return board->after > cursor ? BOARD_GAP : BOARD_STORE;
}

/* Writes nothing: who is refused here leaves no trace. `kept` is in the intake's arena. */
static enum collega_status judge(struct intake *intake, const Collega__Board *board,
                                 enum board_turn *turn, Collega__Board *kept,
                                 struct board_read *read) {
  enum collega_status status = intake_read_broker(intake);
  if (status != COLLEGA_OK) return status;
  if (!intake->broker_row || !field_is(&board->origin, &intake->broker))
    return intake_forged(intake, RULE_not_this_broker);
  *turn = turn_of(intake, board);
  if (*turn != BOARD_STORE) return COLLEGA_OK;
  *kept = *board;
  kept->n_runs = 0;
  kept->runs = arena_take(intake->arena, (board->n_runs + 1) * sizeof(Collega__BoardRun *));
  *read = (struct board_read){
      kept, arena_take(intake->arena, (board->n_runs + 1) * sizeof(struct run_view))};
  if (!kept->runs || !read->view) return exchange_no_memory(intake->error);
  struct run_ahead *ahead = NULL;
  if (intake->exchange->verify_ahead)
    status = intake->exchange->verify_ahead(intake, board, &ahead);
  if (status != COLLEGA_OK) return status;
  for (size_t i = 0; i < board->n_runs; i++) {
    bool wanted;
    status = judge_run(intake, board->runs[i], ahead ? &ahead[i] : NULL, &read->view[kept->n_runs],
                       &wanted);
    if (status != COLLEGA_OK) return status;
    if (wanted) kept->runs[kept->n_runs++] = board->runs[i];
  }
  return COLLEGA_OK;
}

static enum collega_status store(struct intake *intake, const struct board_read *read) {
  const Collega__Board *board = read->board;
  struct receipt_position position = {.origin = intake->broker, .seq = board->through};
  struct ledger_event event = {.time = intake->now,
                               .kind = COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_BOARD,
                               .counterpart = &intake->broker,
                               .position = &position};
  (void)epoch_from(&position.epoch, board->epoch.data, board->epoch.len);
  enum collega_status status =
      exchange_pack(intake->arena, &board->base, &event.payload, intake->error);
  return status == COLLEGA_OK
             ? exchange_append_board(intake->exchange, intake->txn, &event, read, intake->error)
             : status;
}

/* The frames until one is refused, which *refused tells, or something is missing before one. */
static enum collega_status take_boards(struct intake *intake,
                                       const Collega__FromBroker *const *frames, size_t count,
                                       size_t *taken, enum collega_status *refused) {
  struct intake_outcome *outcome = intake->outcome;
  enum collega_status status = COLLEGA_OK;
  while (status == COLLEGA_OK && *taken < count && !outcome->frame_due) {
    Collega__Board kept;
    struct board_read read;
    enum board_turn turn = BOARD_PASS;
    *refused = judge(intake, frames[*taken]->board, &turn, &kept, &read);
    if (*refused != COLLEGA_OK) break;
    if (turn == BOARD_STORE) {
      status = store(intake, &read);
    } else if (turn == BOARD_GAP) { /* ask again from where we are, once that is on the disk */
      if (*taken > 0) break;
      outcome->frame_due = true;
      status = exchange_follow(intake->exchange, intake->arena, &outcome->frame, intake->error);
    }
    if (status == COLLEGA_OK) ++*taken;
  }
  return status;
}

enum collega_status intake_boards(struct exchange *exchange,
                                  const Collega__FromBroker *const *frames, size_t count,
                                  collega_time now, struct told_head *told, struct arena *arena,
                                  size_t *taken, struct intake_outcome *outcome,
                                  struct collega_error *error) {
  struct intake intake;
  struct collega_error own_error, why;
  enum collega_status refused = COLLEGA_OK;
  if (!error) error = &own_error;
  *taken = 0;
  enum collega_status status = intake_begin(&intake, exchange, now, told, arena, outcome, error);
  if (status != COLLEGA_OK) return status;
  status = take_boards(&intake, frames, count, taken, &refused);
  why = *error;
  if (status == COLLEGA_OK && *taken == 0) status = refused; /* there is nothing to keep */
  if (status == COLLEGA_OK && !outcome->frame_due) status = intake_held_mail(&intake);
  if (status == COLLEGA_OK && !outcome->frame_due) status = intake_catch_up(&intake);
  status = intake_end(&intake, status);
  if (status != COLLEGA_OK) {
    *taken = 0;
    return status;
  }
  if (refused == COLLEGA_OK) return COLLEGA_OK;
  exchange->members_stale = true; /* it may have brought cards that are not in the ledger */
  *error = why;
  return refused;
}
