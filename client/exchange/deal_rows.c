/* A deal's row, read: header, terms, which side is ours, and how much of our offer it takes. */
#include "client/exchange/deal_rows.h"

#include <string.h>

#include "proto/guard.h"

enum collega_status deal_view_of(CollegaStore__DealRow *row, struct arena *arena,
                                 struct deal_view *out, struct collega_error *error) {
  out->row = row;
  enum collega_status status = body_of_bytes(field_bytes(&row->header), arena, &out->body, error);
  if (status != COLLEGA_OK) return status;
  out->header = out->body->deal;
  if (!out->header || out->header->n_edges != 1 ||
      !id_from(&out->deal, row->deal.data, row->deal.len) ||
      !id_from(&out->root, row->root.data, row->root.len) ||
      !id_from(&out->party, row->party.data, row->party.len) ||
      !id_from(&out->counterparty, row->counterparty.data, row->counterparty.len) ||
      !id_from(&out->decider, out->header->decider.data, out->header->decider.len))
    return exchange_row_damaged(error, "deals");
  out->edge = out->header->edges[0];
  out->own = row->lends ? out->edge->lends : out->edge->borrows;
  out->other = row->lends ? out->edge->borrows : out->edge->lends;
  return COLLEGA_OK;
}

enum collega_status deal_view_read(struct ledger_txn *txn, const struct id *party,
                                   const struct id *deal, struct arena *arena,
                                   struct deal_view *out, struct collega_error *error) {
  CollegaStore__DealRow *row;
  enum collega_status status = deal_row(txn, party, id_bytes(deal), arena, &row, error);
  return status == COLLEGA_OK ? deal_view_of(row, arena, out, error) : status;
}

enum collega_status deal_terms(const CollegaStore__DealRow *row, struct arena *arena,
                               Collega__Terms **out, struct collega_error *error) {
  unsigned hidden;
  const Collega__SaltedTerms *salted = NULL;
  if (row->has_terms)
    salted = (const Collega__SaltedTerms *)row_unpack(&collega__salted_terms__descriptor,
                                                      field_bytes(&row->terms), arena);
  if (!salted) return exchange_row_damaged(error, "terms");
  enum collega_status status = terms_read(salted, arena, out, &hidden, error);
  if (status != COLLEGA_OK) return status;
  return (*out)->work ? COLLEGA_OK : exchange_row_damaged(error, "terms");
}

uint32_t deal_people(const CollegaStore__DealRow *row, uint32_t headcount, collega_date day) {
  for (size_t i = 0; i < row->n_reductions; i++) {
    const CollegaStore__ReductionRow *part = row->reductions[i];
    if (part->effective < day)
      headcount -= part->headcount < headcount ? part->headcount : headcount;
  }
  return headcount;
}

/* Of the people held, those who end before the others. */
static enum collega_status put_ends(const CollegaStore__DealRow *row, struct arena *arena,
                                    CollegaStore__Hold *out, struct collega_error *error) {
  if (row->n_reductions == 0) return COLLEGA_OK;
  CollegaStore__HoldEnd *ends = arena_take(arena, row->n_reductions * sizeof *ends);
  out->ends = arena_take(arena, row->n_reductions * sizeof(CollegaStore__HoldEnd *));
  if (!ends || !out->ends) return exchange_no_memory(error);
  for (size_t i = 0; i < row->n_reductions; i++) {
    collega_store__hold_end__init(&ends[i]);
    ends[i].people = row->reductions[i]->headcount;
    ends[i].until = row->reductions[i]->effective;
    out->ends[out->n_ends++] = &ends[i];
  }
  return COLLEGA_OK;
}

enum collega_status deal_row_hold(const struct deal_view *view, struct arena *arena,
                                  CollegaStore__Hold *out, struct collega_error *error) {
  Collega__Terms *terms;
  enum collega_status status = deal_terms(view->row, arena, &terms, error);
  if (status != COLLEGA_OK) return status;
  collega_store__hold__init(out);
  out->party = view->row->party;
  out->subject = view->own->has_offer ? view->own->offer : view->own->capacity;
  out->root = view->row->root;
  out->deal = view->row->deal;
  out->from = terms->work->from;
  out->until = terms->work->has_until ? terms->work->until : DATE_OPEN;
  out->people = terms->work->headcount;
  out->hours_per_week = terms->work->hours_per_week;
  out->agreed = false;
  return put_ends(view->row, arena, out, error);
}

/* Flexible days widen the period at both ends. */
void offer_capacity(const Collega__Offer *offer, struct capacity *out) {
  const Collega__Period *period = offer->period;
  collega_date flex = period->has_flex_days ? (collega_date)period->flex_days : 0;
  out->headcount = offer->headcount;
  out->hours_per_week = offer->hours->per_week_max;
  out->carve = offer->has_carve && offer->carve;
  out->from = period->from - flex;
  out->until = period->has_until ? period->until + flex : DATE_OPEN;
}

static enum collega_status stored_capacity(struct ledger_txn *txn, const struct deal_view *view,
                                           const CollegaStore__Hold *wanted, struct arena *arena,
                                           struct capacity *out, struct collega_error *error) {
  ProtobufCMessage *message;
  enum collega_status status =
      row_get(txn, TABLE_CAPACITIES, field_bytes(&view->own->capacity),
              &collega_store__capacity__descriptor, arena, &message, error);
  if (status == COLLEGA_NOT_FOUND) return exchange_row_damaged(error, "capacities");
  if (status != COLLEGA_OK) return status;
  const CollegaStore__Capacity *row = (const CollegaStore__Capacity *)message;
  *out = (struct capacity){.headcount = row->headcount,
                           .hours_per_week = row->hours_per_week,
                           .from = row->from,
                           .until = row->has_until ? row->until : DATE_OPEN};
  /* Made to fit this one negotiation, and nobody else knows of it: it goes along with what is
   * proposed there, and accepting that is for the user to decide. */
  if (wanted->people > out->headcount) out->headcount = wanted->people;
  if (wanted->hours_per_week > out->hours_per_week) out->hours_per_week = wanted->hours_per_week;
  capacity_cover(out, wanted);
  return COLLEGA_OK;
}

void capacity_cover(struct capacity *capacity, const CollegaStore__Hold *wanted) {
  if (wanted->from < capacity->from) capacity->from = wanted->from;
  if (wanted->until > capacity->until) capacity->until = wanted->until;
}

/* Does what is wanted lie within the limits of a revised offer? */
static bool revision_fits(const Collega__Offer *offer, const struct capacity *capacity,
                          const CollegaStore__Hold *wanted) {
  uint32_t least = offer->has_min_headcount ? offer->min_headcount : 1;
  return wanted->hours_per_week >= offer->hours->per_week_min &&
         wanted->hours_per_week <= offer->hours->per_week_max && wanted->people >= least &&
         wanted->people <= offer->headcount && wanted->from >= capacity->from &&
         wanted->until <= capacity->until;
}

/* The own offer as it is now; `fits` false: withdrawn, expired, or revised to something else. Of
 * one that is filled the holds say whether there is room. */
static enum collega_status current_offer(struct ledger_txn *txn, const struct deal_view *view,
                                         collega_time now, const CollegaStore__Hold *wanted,
                                         struct arena *arena, bool *fits, struct capacity *out,
                                         struct collega_error *error) {
  CollegaStore__OfferRow *row;
  Collega__Offer *offer;
  *fits = false;
  enum collega_status status = offer_row(txn, field_bytes(&view->own->offer), arena, &row, error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status == COLLEGA_OK) status = offer_of_row(row, arena, &offer, error);
  if (status != COLLEGA_OK) return status;
  Collega__OfferState state = offer_state(row, offer, now);
  bool open = state == COLLEGA__OFFER_STATE__OFFER_STATE_OPEN ||
              state == COLLEGA__OFFER_STATE__OFFER_STATE_PAUSED ||
              state == COLLEGA__OFFER_STATE__OFFER_STATE_FILLED;
  bool same = bytes_equal(field_bytes(&row->content), field_bytes(&view->own->content));
  offer_capacity(offer, out);
  if (view->header->has_amends) { /* the agreement stands, whatever became of the offer */
    *fits = true;
    capacity_cover(out, wanted);
    return COLLEGA_OK;
  }
  *fits = open && (same || revision_fits(offer, out, wanted));
  return COLLEGA_OK;
}

enum collega_status deal_room(struct ledger_txn *txn, const struct deal_view *view,
                              collega_time now, struct arena *arena, bool *fits, bool *room,
                              struct collega_error *why, struct collega_error *error) {
  CollegaStore__Hold wanted;
  struct capacity capacity = {.headcount = 0};
  *fits = true;
  *room = false;
  enum collega_status status = deal_row_hold(view, arena, &wanted, error);
  if (status != COLLEGA_OK) return status;
  status = view->own->has_offer
               ? current_offer(txn, view, now, &wanted, arena, fits, &capacity, error)
               : stored_capacity(txn, view, &wanted, arena, &capacity, error);
  if (status != COLLEGA_OK || !*fits) return status;
  status = holds_fit(txn, &capacity, &wanted, why);
  *room = status == COLLEGA_OK;
  if (status == COLLEGA_REFUSED) return COLLEGA_OK;
  if (status != COLLEGA_OK && error) *error = *why;
  return status;
}

/* ---- acceptances */

bool deal_row_holds_acceptance(const CollegaStore__DealRow *row, struct bytes run) {
  if (row->has_acceptance_run && bytes_equal(field_bytes(&row->acceptance_run), run)) return true;
  for (size_t i = 0; i < row->n_other_acceptances; i++)
    if (bytes_equal(field_bytes(&row->other_acceptances[i]), run)) return true;
  return false;
}

enum collega_status deal_row_accepted(CollegaStore__DealRow *row, const ProtobufCBinaryData *run,
                                      bool counts, struct arena *arena,
                                      struct collega_error *error) {
  const ProtobufCBinaryData former = row->acceptance_run;
  if (!row->has_acceptance_run) {
    row->has_acceptance_run = true;
    row->acceptance_run = *run;
    return COLLEGA_OK;
  }
  if (bytes_equal(field_bytes(&former), field_bytes(run))) return COLLEGA_OK;
  if (counts) row->acceptance_run = *run;
  for (size_t i = 0; i < row->n_other_acceptances; i++)
    if (bytes_equal(field_bytes(&row->other_acceptances[i]), field_bytes(run))) {
      if (counts) row->other_acceptances[i] = former;
      return COLLEGA_OK;
    }
  if (row->n_other_acceptances >= OTHER_ACCEPTANCES_MOST) return COLLEGA_OK;
  ProtobufCBinaryData *runs = arena_take(arena, (row->n_other_acceptances + 1) * sizeof *runs);
  if (!runs) return exchange_no_memory(error);
  if (row->n_other_acceptances)
    memcpy(runs, row->other_acceptances, row->n_other_acceptances * sizeof *runs);
  runs[row->n_other_acceptances++] = counts ? former : *run;
  row->other_acceptances = runs;
  return COLLEGA_OK;
}
