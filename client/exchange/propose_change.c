/* Counter-proposals and amendments: a proposal that starts from another one of its negotiation. What
 * the user does not give stays as it was there; days, hours, people and terms that are given win. */
#include "client/exchange/propose.h"

#include <string.h>

/* A side that was published: the offer as it is now, if it is still here. */
static enum collega_status base_side(struct drawing *drawing, const Collega__OfferRef *reference,
                                     bool own, struct side *side) {
  side->name = "?";
  if (!reference->has_offer) return COLLEGA_OK;
  enum collega_status status = propose_load_offer(drawing, field_bytes(&reference->offer), side);
  if (status == COLLEGA_NOT_FOUND && !own) {
    memset(side, 0, sizeof *side);
    side->name = "?";
    return COLLEGA_OK; /* gone from the board: its author knows what is left of it */
  }
  if (status != COLLEGA_OK || drawing->amends || !own) return status;
  /* Withdrawal blocks new signatures. */
  Collega__OfferState state = offer_state(side->row, side->offer, drawing->now);
  if (state == COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN ||
      state == COLLEGA__OFFER_STATE__OFFER_STATE_EXPIRED)
    return error_set(drawing->error, COLLEGA_REFUSED, RULE_offer_not_open, NULL, side->name, NULL);
  return COLLEGA_OK;
}

enum collega_status propose_load_base(struct drawing *drawing) {
  const struct deal_view *base = drawing->base;
  drawing->counterparty = base->counterparty;
  drawing->lends = base->row->lends;
  if (!id_from(&drawing->thread, base->header->thread.data, base->header->thread.len))
    return exchange_row_damaged(drawing->error, "deals");
  enum collega_status status =
      deal_terms(base->row, drawing->arena, &drawing->base_terms, drawing->error);
  if (status == COLLEGA_OK) status = base_side(drawing, base->own, true, &drawing->mine);
  if (status == COLLEGA_OK) status = base_side(drawing, base->other, false, &drawing->theirs);
  return status;
}

/* The agreement of the deal's root: its first deal, and the one whose terms hold now. */
static enum collega_status find_agreement(struct drawing *drawing, struct deal_view *view) {
  struct negotiation negotiation;
  CollegaStore__RootRow *row;
  enum collega_status status = negotiation_load(drawing->txn, drawing->party, &view->root,
                                                drawing->arena, &negotiation, &row, drawing->error);
  if (status != COLLEGA_OK) return status;
  for (size_t i = 0; i < negotiation.count; i++) {
    const struct deal_slot *slot = &negotiation.deals[i];
    if (!slot->amendment && slot->phase == PHASE_CONCLUDED) drawing->agreement = slot->deal;
  }
  if (negotiation.position == 0 || id_is_zero(&drawing->agreement))
    return error_set(drawing->error, COLLEGA_REFUSED, RULE_no_agreement, NULL, NULL);
  drawing->predecessor = negotiation.last_decision;
  status = deal_view_read(drawing->txn, drawing->party, &negotiation.last_deal, drawing->arena,
                          view, drawing->error);
  return status == COLLEGA_NOT_FOUND ? exchange_row_damaged(drawing->error, "roots") : status;
}

static enum collega_status change(struct drawing *drawing, const struct id *deal, struct id *out) {
  struct deal_view view;
  enum collega_status status =
      deal_view_read(drawing->txn, drawing->party, deal, drawing->arena, &view, drawing->error);
  if (status == COLLEGA_NOT_FOUND)
    return error_set(drawing->error, COLLEGA_NOT_FOUND, RULE_deal_unknown, NULL, NULL);
  if (status == COLLEGA_OK && drawing->amends) status = find_agreement(drawing, &view);
  drawing->base = &view;
  if (status == COLLEGA_OK) status = propose_draw(drawing, out);
  drawing->base = NULL;
  return status;
}

static enum collega_status run(struct exchange *exchange, const struct id *party,
                               const struct id *deal, const struct proposal *proposal, bool amends,
                               collega_time now, struct id *out, struct collega_error *error) {
  if (!exchange_identity(exchange, party))
    return error_set(error, COLLEGA_NOT_FOUND, RULE_party_not_ours, NULL, NULL);
  struct drawing drawing = {.exchange = exchange,
                            .party = party,
                            .wanted = proposal,
                            .now = now,
                            .arena = exchange_arena(),
                            .amends = amends,
                            .error = error};
  if (!drawing.arena) return exchange_no_memory(error);
  enum collega_status status = exchange_begin(exchange, &drawing.txn, error);
  if (status == COLLEGA_OK) {
    status = change(&drawing, deal, out);
    status = exchange_end(exchange, &drawing.txn, status, error);
  }
  arena_destroy(&drawing.arena);
  return status;
}

enum collega_status deal_counter(struct exchange *exchange, const struct id *party,
                                 const struct id *deal, const struct proposal *proposal,
                                 collega_time now, struct id *counter,
                                 struct collega_error *error) {
  return run(exchange, party, deal, proposal, false, now, counter, error);
}

enum collega_status deal_amend(struct exchange *exchange, const struct id *party,
                               const struct id *deal, const struct proposal *proposal,
                               collega_time now, struct id *amendment,
                               struct collega_error *error) {
  return run(exchange, party, deal, proposal, true, now, amendment, error);
}
