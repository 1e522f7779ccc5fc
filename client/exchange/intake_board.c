/* The board: runs of many authors, each by its own signature, all under the broker's receipts.
 * The frame becomes one entry; what is in it that this node cannot take is left out of the
 * entry, so that replaying judges nothing. */
#include "client/exchange/intake.h"

#include "base/log.h"
#include "base/words.h"
#include "proto/guard.h"

/* What somebody signed with stolen keys does not count once the recovery key has spoken; whoever reads the board from an
 * older place meets it again. */
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

/* A run that is forged condemns the frame. One that holds a record of class members which nobody
 * can take (a mandate that ends nothing, one too many) is its author's own doing, and costs only
 * that run. */
static enum collega_status judge_run(struct intake *intake, const Collega__BoardRun *board_run,
                                     bool *take) {
  struct run_view view;
  *take = false;
  enum collega_status status = run_read(board_run->run, intake->arena, &view, intake->error);
  if (status != COLLEGA_OK) return status;
  struct id *ids = arena_take(intake->arena, view.count * sizeof *ids);
  if (!ids) return exchange_no_memory(intake->error);
  for (size_t i = 0; i < view.count; i++)
    ids[i] = view.records[i].id;
  status = intake_receipt(intake, board_run->receipt, ids, view.count);
  if (status != COLLEGA_OK) return status;
  bool verified = false;
  *take = true;
  for (size_t i = 0; status == COLLEGA_OK && i < view.count; i++) {
    if (view.records[i].refused != NULL) continue;
    if (!body_is_members_class(view.records[i].body)) {
      if (!verified) {
        status = members_verify_run(intake->members, &view, intake->error);
        status = leave_out_replaced(intake, &view, status, take);
      }
      verified = true;
      if (status == COLLEGA_NOT_FOUND) status = intake_forged(intake, RULE_author_unknown);
      continue;
    }
    struct collega_error why;
    enum collega_status taken =
        members_take(intake->members, &view, i, NULL, &intake->broker, 1, &why);
    taken = leave_out_replaced(intake, &view, taken, take);
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

enum collega_status intake_board(struct intake *intake, const Collega__Board *board) {
  const CollegaStore__BrokerRow *row = intake->broker_row;
  if (!row || !field_is(&board->origin, &intake->broker))
    return intake_forged(intake, RULE_not_this_broker);
  if (board->follow != FOLLOW_NUMBER) return COLLEGA_OK;
  bool same_epoch =
      row->has_log_epoch && bytes_equal(field_bytes(&row->log_epoch), field_bytes(&board->epoch));
  /* A new epoch of the broker comes with a Reset, or before anything was read. */
  if (row->has_log_epoch && !same_epoch) return COLLEGA_OK;
  uint64_t cursor = same_epoch ? row->log_seq : 0;
  if (same_epoch && board->through <= cursor) return COLLEGA_OK; /* read before */
  if (board->after > cursor) { /* something is missing in between: ask again from where we are */
    intake->outcome->frame_due = true;
    return exchange_follow(intake->exchange, intake->arena, &intake->outcome->frame, intake->error);
  }
  Collega__Board kept = *board;
  kept.n_runs = 0;
  kept.runs = arena_take(intake->arena, (board->n_runs + 1) * sizeof(Collega__BoardRun *));
  if (!kept.runs) return exchange_no_memory(intake->error);
  for (size_t i = 0; i < board->n_runs; i++) {
    bool wanted;
    enum collega_status status = judge_run(intake, board->runs[i], &wanted);
    if (status != COLLEGA_OK) return status;
    if (wanted) kept.runs[kept.n_runs++] = board->runs[i];
  }
  struct receipt_position position = {.origin = intake->broker, .seq = board->through};
  (void)epoch_from(&position.epoch, board->epoch.data, board->epoch.len);
  return intake_append(intake, COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_BOARD, NULL, NULL, &position,
                       &kept.base);
}
