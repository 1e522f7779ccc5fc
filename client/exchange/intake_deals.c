/* What comes in about deals, judged before it is stored: who says it, whether it hangs together
 * with what is here, and whether the deal machine takes it. */
#include "client/exchange/deal_rows.h"
#include "client/exchange/intake.h"

#include "proto/check.h"
#include "proto/guard.h"

static enum collega_status refuse(struct intake *intake, enum rule rule, const char *field) {
  return error_set(intake->error, COLLEGA_REFUSED, rule, field, NULL);
}

enum collega_status intake_try_event(struct intake *intake, const struct id *party,
                                     const struct id *root, const struct id *decider,
                                     const struct deal_event *event) {
  struct negotiation negotiation;
  struct deal_effects effects;
  CollegaStore__RootRow *row;
  enum collega_status status =
      negotiation_load(intake->txn, party, root, intake->arena, &negotiation, &row, intake->error);
  if (status != COLLEGA_OK) return status;
  if (!row) {
    negotiation.decider = *decider;
    negotiation.epoch_number = intake->broker_row->epoch_number;
  }
  return deal_step(&negotiation, event, &effects, intake->error);
}

/* ---- proposals */

struct coming {
  struct intake *intake;
  const struct id *party, *sender;
  const struct record *record;
  const Collega__DealHeader *header;
  const Collega__Edge *edge;
  bool lends; /* this party lends */
  const Collega__OfferRef *own, *other;
  const Collega__SaltedTerms *salted;
};

static enum collega_status judge_sides(struct coming *coming) {
  const Collega__Edge *edge = coming->edge;
  coming->lends = field_is(&edge->lender, coming->party);
  const ProtobufCBinaryData *here = coming->lends ? &edge->lender : &edge->borrower;
  const ProtobufCBinaryData *there = coming->lends ? &edge->borrower : &edge->lender;
  if (!field_is(here, coming->party) || !field_is(there, coming->sender))
    return refuse(coming->intake, RULE_proposal_parties, "edges[0]");
  if (!field_is(&coming->header->decider, &coming->intake->broker))
    return refuse(coming->intake, RULE_proposal_decider, "decider");
  coming->own = coming->lends ? edge->lends : edge->borrows;
  coming->other = coming->lends ? edge->borrows : edge->lends;
  return COLLEGA_OK;
}

static bool kind_lends(Collega__OfferKind kind) {
  return kind == COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT ||
         kind == COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_OUT;
}

/* A capacity that we made for this negotiation: the header counters or amends what we proposed with
 * it. */
static enum collega_status judge_capacity(struct coming *coming) {
  struct intake *intake = coming->intake;
  ProtobufCMessage *message;
  enum collega_status status =
      row_get(intake->txn, TABLE_CAPACITIES, field_bytes(&coming->own->capacity),
              &collega_store__capacity__descriptor, intake->arena, &message, intake->error);
  if (status == COLLEGA_NOT_FOUND) return refuse(intake, RULE_proposal_offer, "edges[0]");
  if (status != COLLEGA_OK) return status;
  return field_is(&((const CollegaStore__Capacity *)message)->party, coming->party)
             ? COLLEGA_OK
             : refuse(intake, RULE_proposal_offer, "edges[0]");
}

/* Ours must be here; the sender's may still be on its way, but if it is here it must be the
 * sender's. */
static enum collega_status judge_offers(struct coming *coming) {
  struct intake *intake = coming->intake;
  CollegaStore__OfferRow *row;
  Collega__Offer *offer;
  enum collega_status status;
  if (!coming->own->has_offer) return judge_capacity(coming);
  status =
      offer_row(intake->txn, field_bytes(&coming->own->offer), intake->arena, &row, intake->error);
  if (status == COLLEGA_NOT_FOUND) return refuse(intake, RULE_proposal_offer, "edges[0]");
  if (status == COLLEGA_OK) status = offer_of_row(row, intake->arena, &offer, intake->error);
  if (status != COLLEGA_OK) return status;
  if (!field_is(&row->author, coming->party) || kind_lends(offer->kind) != coming->lends)
    return refuse(intake, RULE_proposal_offer, "edges[0]");
  if (!coming->other->has_offer) return COLLEGA_OK;
  status = offer_row(intake->txn, field_bytes(&coming->other->offer), intake->arena, &row,
                     intake->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status == COLLEGA_OK && !field_is(&row->author, coming->sender))
    return refuse(intake, RULE_proposal_offer, "edges[0]");
  return status;
}

/* What it amends began the same negotiation, with the same parts. */
static enum collega_status judge_amended(struct coming *coming) {
  struct intake *intake = coming->intake;
  CollegaStore__DealRow *row;
  struct deal_view view;
  if (!coming->header->has_amends) return COLLEGA_OK;
  enum collega_status status =
      deal_row(intake->txn, coming->party, field_bytes(&coming->header->amends), intake->arena,
               &row, intake->error);
  if (status == COLLEGA_NOT_FOUND) return refuse(intake, RULE_proposal_root, "amends");
  if (status == COLLEGA_OK) status = deal_view_of(row, intake->arena, &view, intake->error);
  if (status != COLLEGA_OK) return status;
  bool same = bytes_equal(field_bytes(&row->root), field_bytes(&coming->header->root)) &&
              !view.header->has_amends && row->lends == coming->lends &&
              field_is(&row->counterparty, coming->sender);
  return same ? COLLEGA_OK : refuse(intake, RULE_proposal_root, "amends");
}

/* The thread follows from the offers, and the root from the thread. The sender may have closed
 * one negotiation more or fewer of this pair than we know of. */
static enum collega_status judge_root(struct coming *coming) {
  struct intake *intake = coming->intake;
  struct id thread, root;
  uint64_t closed = 0;
  struct bytes other = coming->other->has_offer ? field_bytes(&coming->other->offer)
                                                : bytes_of(coming->sender->byte, ID_BYTES);
  struct bytes own = coming->own->has_offer ? field_bytes(&coming->own->offer)
                                            : bytes_of(coming->party->byte, ID_BYTES);
  match_id(&thread, own, other);
  if (!field_is(&coming->header->thread, &thread))
    return refuse(intake, RULE_proposal_root, "thread");
  enum collega_status status =
      negotiation_count_closed(intake->txn, coming->party, &thread, &closed, intake->error);
  for (uint64_t i = 0; status == COLLEGA_OK && i <= closed + 1; i++) {
    negotiation_root(&root, &thread, i);
    if (field_is(&coming->header->root, &root)) return COLLEGA_OK;
  }
  return status == COLLEGA_OK ? refuse(intake, RULE_proposal_root, "root") : status;
}

static enum collega_status judge_terms(struct coming *coming, uint32_t *headcount) {
  struct intake *intake = coming->intake;
  Collega__Terms *terms;
  struct id commitment;
  unsigned hidden = 0;
  if (!coming->salted) return refuse(intake, RULE_proposal_terms, "terms");
  enum collega_status status = terms_commitment(coming->salted, &commitment, intake->error);
  if (status == COLLEGA_OK)
    status = terms_read(coming->salted, intake->arena, &terms, &hidden, intake->error);
  if (status == COLLEGA_OK) status = check_terms(terms, intake->error);
  if (status != COLLEGA_OK) return status;
  if (hidden || !terms->work || !field_is(&coming->edge->commitment, &commitment))
    return refuse(intake, RULE_proposal_terms, "terms");
  *headcount = terms->work->headcount;
  return COLLEGA_OK;
}

static enum collega_status judge_mandate(struct coming *coming, uint32_t headcount) {
  struct id mandate;
  const struct known_party *sender = members_find(coming->intake->members, coming->sender);
  if (!coming->header->has_mandate) return COLLEGA_OK;
  if (!sender || !id_from(&mandate, coming->header->mandate.data, coming->header->mandate.len))
    return refuse(coming->intake, RULE_mandate_unknown, "mandate");
  return known_mandate_covers(sender, &mandate, coming->header->time, headcount,
                              coming->intake->error);
}

static enum collega_status judge_proposal(struct coming *coming) {
  struct intake *intake = coming->intake;
  CollegaStore__DealRow row = COLLEGA_STORE__DEAL_ROW__INIT, *known;
  struct deal_view view;
  struct deal_event event;
  uint32_t headcount = 0;
  enum collega_status status = deal_row(intake->txn, coming->party, id_bytes(&coming->record->id),
                                        intake->arena, &known, intake->error);
  if (status != COLLEGA_NOT_FOUND) return status; /* here already */
  status = judge_sides(coming);
  if (status == COLLEGA_OK) status = judge_offers(coming);
  if (status == COLLEGA_OK) status = judge_root(coming);
  if (status == COLLEGA_OK) status = judge_amended(coming);
  if (status == COLLEGA_OK) status = judge_terms(coming, &headcount);
  if (status == COLLEGA_OK) status = judge_mandate(coming, headcount);
  if (status != COLLEGA_OK) return status;
  field_set_id(&row.deal, &coming->record->id);
  row.root = coming->header->root;
  field_set_id(&row.party, coming->party);
  field_set_id(&row.counterparty, coming->sender);
  row.lends = coming->lends;
  field_set(&row.header, coming->record->bytes.data, coming->record->bytes.length);
  status = deal_view_of(&row, intake->arena, &view, intake->error);
  if (status != COLLEGA_OK) return status;
  header_event(&view, DEAL_EVENT_PROPOSAL, intake->now, &event);
  return intake_try_event(intake, coming->party, &view.root, &view.decider, &event);
}

static enum collega_status judge_acceptance(struct intake *intake, const struct id *party,
                                            const struct id *sender,
                                            const Collega__Acceptance *acceptance) {
  CollegaStore__DealRow *row;
  enum collega_status status = deal_row(intake->txn, party, field_bytes(&acceptance->deal),
                                        intake->arena, &row, intake->error);
  if (status == COLLEGA_NOT_FOUND) return refuse(intake, RULE_deal_unknown, NULL);
  if (status != COLLEGA_OK) return status;
  if (!row->mine || !field_is(&row->counterparty, sender))
    return refuse(intake, RULE_proposal_parties, NULL);
  return COLLEGA_OK;
}

enum collega_status intake_deal_record(struct intake *intake, const struct id *party,
                                       const struct id *sender, const struct run_view *view,
                                       const Collega__SaltedTerms *terms) {
  const struct record *record = &view->records[0];
  if (record->body->acceptance)
    return judge_acceptance(intake, party, sender, record->body->acceptance);
  struct coming coming = {.intake = intake,
                          .party = party,
                          .sender = sender,
                          .record = record,
                          .header = record->body->deal,
                          .edge = record->body->deal->edges[0],
                          .salted = terms};
  return judge_proposal(&coming);
}

/* ---- decisions */

enum collega_status intake_decision(struct intake *intake, const struct id *party,
                                    const struct run_view *view) {
  const Collega__Decision *decision = view->records[0].body->decision;
  CollegaStore__RootRow *row;
  struct deal_event event;
  struct id root, decider;
  enum collega_status status = root_row(intake->txn, party, field_bytes(&decision->root),
                                        intake->arena, &row, intake->error);
  if (status == COLLEGA_NOT_FOUND) return refuse(intake, RULE_deal_unknown, NULL);
  if (status != COLLEGA_OK) return status;
  if (!field_is(&row->decider, &view->signer)) return refuse(intake, RULE_proposal_decider, NULL);
  if (!id_from(&root, row->root.data, row->root.len) ||
      !id_from(&decider, row->decider.data, row->decider.len))
    return exchange_row_damaged(intake->error, "roots");
  status = decision_event(&view->records[0], intake->now, intake->arena, &event, intake->error);
  event.party = *party;
  return status == COLLEGA_OK ? intake_try_event(intake, party, &root, &decider, &event) : status;
}
