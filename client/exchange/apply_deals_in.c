/* What others say about deals, once it is judged: proposals, acceptances, decisions. */
#include "client/exchange/deal_rows.h"

#include <string.h>

#include "proto/guard.h"

/* ---- what came in */

static enum collega_status take_proposal(struct apply *apply, const Collega__Letter *letter,
                                         const struct run_view *header) {
  CollegaStore__DealRow row, *known;
  struct deal_view view;
  struct bytes packed;
  const struct record *record = &header->records[0];
  enum collega_status status =
      deal_row(apply->txn, &apply->party, bytes_of(record->id.byte, ID_BYTES), apply->arena, &known,
               apply->error);
  if (status != COLLEGA_NOT_FOUND) return status; /* a proposal that is here already */
  status = apply_new_row(apply, record->bytes, false, &row, &view);
  if (status == COLLEGA_OK)
    status = exchange_pack(apply->arena, &letter->terms->base, &packed, apply->error);
  if (status != COLLEGA_OK) return status;
  row.has_terms = true;
  field_set(&row.terms, packed.data, packed.length);
  status = exchange_pack(apply->arena, &header->run->base, &packed, apply->error);
  if (status != COLLEGA_OK) return status;
  row.has_header_run = true;
  field_set(&row.header_run, packed.data, packed.length);
  row.mandate_runs = arena_take(apply->arena, letter->n_runs * sizeof *row.mandate_runs);
  if (!row.mandate_runs) return exchange_no_memory(apply->error);
  for (size_t i = 0; status == COLLEGA_OK && i < letter->n_runs; i++) {
    struct run_view other;
    status = run_read(letter->runs[i], apply->arena, &other, apply->error);
    if (status != COLLEGA_OK || !other.records[0].body->mandate) continue;
    status = exchange_pack(apply->arena, &letter->runs[i]->base, &packed, apply->error);
    field_set(&row.mandate_runs[row.n_mandate_runs++], packed.data, packed.length);
  }
  return status == COLLEGA_OK ? apply_add_deal(apply, &view, DEAL_EVENT_PROPOSAL) : status;
}

/* Does a decision that came say that it follows from this record? */
static enum collega_status is_basis(struct apply *apply, const CollegaStore__DealRow *row,
                                    const struct id *record, bool *basis) {
  *basis = false;
  for (size_t i = 0; i < row->n_decisions; i++) {
    struct run_view view;
    enum collega_status status =
        run_read_bytes(field_bytes(&row->decisions[i]), apply->arena, &view, apply->error);
    if (status != COLLEGA_OK) return status;
    const Collega__Decision *decision = view.records[0].body->decision;
    if (decision && decision->has_basis && field_is(&decision->basis, record)) *basis = true;
  }
  return COLLEGA_OK;
}

/* Of several (one may have been refused, or signed anew by a home that was restored) the decided one counts,
 * before that the newest; the others are kept, for the decision may name one of them. */
enum collega_status apply_keep_acceptance(struct apply *apply, const struct run_view *run) {
  struct deal_view view;
  bool basis = false;
  struct id deal;
  struct bytes packed;
  const Collega__Acceptance *acceptance = run->records[0].body->acceptance;
  if (!id_from(&deal, acceptance->deal.data, acceptance->deal.len))
    return exchange_row_damaged(apply->error, "mail");
  enum collega_status status =
      deal_view_read(apply->txn, &apply->party, &deal, apply->arena, &view, apply->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status == COLLEGA_OK) status = is_basis(apply, view.row, &run->records[0].id, &basis);
  if (status == COLLEGA_OK)
    status = exchange_pack(apply->arena, &run->run->base, &packed, apply->error);
  if (status != COLLEGA_OK) return status;
  ProtobufCBinaryData kept;
  field_set(&kept, packed.data, packed.length);
  status = deal_row_accepted(view.row, &kept, basis || view.row->n_decisions == 0, apply->arena,
                             apply->error);
  return status == COLLEGA_OK ? deal_row_put(apply->txn, view.row, apply->error) : status;
}

/* The machine takes no word of an older epoch than it has heard of, or answered in: it is not kept beside
 * the deal either, so that it is never shown as held. */
enum collega_status decision_counts(struct ledger_txn *txn, const struct id *party,
                                    const struct id *root, const struct deal_event *event,
                                    struct arena *arena, bool *out, struct collega_error *error) {
  struct negotiation negotiation;
  CollegaStore__RootRow *row;
  enum collega_status status = negotiation_load(txn, party, root, arena, &negotiation, &row, error);
  *out = status == COLLEGA_OK && event->epoch_number >= negotiation.epoch_number;
  return status;
}

/* The decision's run beside the deal it is about, once. */
static enum collega_status keep_decision(struct apply *apply, const struct record *record,
                                         struct bytes packed_run) {
  CollegaStore__DealRow *row;
  enum collega_status status =
      deal_row(apply->txn, &apply->party, field_bytes(&record->body->decision->deal), apply->arena,
               &row, apply->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK; /* of a deal that never came here */
  if (status != COLLEGA_OK) return status;
  for (size_t i = 0; i < row->n_decisions; i++)
    if (bytes_equal(field_bytes(&row->decisions[i]), packed_run)) return COLLEGA_OK;
  ProtobufCBinaryData *decisions =
      arena_take(apply->arena, (row->n_decisions + 1) * sizeof *decisions);
  if (!decisions) return exchange_no_memory(apply->error);
  if (row->n_decisions) memcpy(decisions, row->decisions, row->n_decisions * sizeof *decisions);
  field_set(&decisions[row->n_decisions++], packed_run.data, packed_run.length);
  row->decisions = decisions;
  return deal_row_put(apply->txn, row, apply->error);
}

static enum collega_status take_decision(struct apply *apply, const struct run_view *run,
                                         struct bytes packed_run) {
  const struct record *record = &run->records[0];
  struct deal_event event;
  struct id root;
  if (!record->body->decision ||
      !id_from(&root, record->body->decision->root.data, record->body->decision->root.len))
    return exchange_row_damaged(apply->error, "decision");
  enum collega_status status =
      decision_event(record, apply->event->time, apply->arena, &event, apply->error);
  bool counts = false;
  event.party = apply->party;
  if (status == COLLEGA_OK)
    status = decision_counts(apply->txn, &apply->party, &root, &event, apply->arena, &counts,
                             apply->error);
  if (status != COLLEGA_OK || !counts) return status;
  status = keep_decision(apply, record, packed_run);
  if (status == COLLEGA_OK) status = apply_deal_step(apply, &root, &event);
  return status == COLLEGA_OK ? apply_termination(apply, &root, record->body->decision) : status;
}

enum collega_status apply_decision(struct apply *apply) {
  struct run_view run;
  enum collega_status status =
      run_read_bytes(apply->event->payload, apply->arena, &run, apply->error);
  if (status == COLLEGA_OK) status = take_decision(apply, &run, apply->event->payload);
  return status == COLLEGA_OK ? apply_mailbox_cursor(apply) : status;
}

enum collega_status apply_letter_deals(struct apply *apply, const Collega__Letter *letter) {
  enum collega_status status = COLLEGA_OK;
  for (size_t i = 0; status == COLLEGA_OK && i < letter->n_runs; i++) {
    struct run_view run;
    struct bytes packed;
    status = run_read(letter->runs[i], apply->arena, &run, apply->error);
    if (status != COLLEGA_OK || run.count != 1) continue;
    const Collega__Body *body = run.records[0].body;
    if (body->deal && letter->terms) status = take_proposal(apply, letter, &run);
    if (status == COLLEGA_OK && body->acceptance) status = apply_keep_acceptance(apply, &run);
    if (status == COLLEGA_OK && (body->terminate || body->release || body->release_answer))
      status = apply_change_in(apply, &run);
    if (status == COLLEGA_OK && body->decision) {
      status = exchange_pack(apply->arena, &letter->runs[i]->base, &packed, apply->error);
      if (status == COLLEGA_OK) status = take_decision(apply, &run, packed);
    }
  }
  return status;
}
