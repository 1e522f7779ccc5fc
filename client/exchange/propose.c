/* A proposal: from two offers that fit, what the user wants, and what this party keeps private,
 * to terms; from these to a header that is complete but for its signature. */
#include "client/exchange/propose.h"
#include "client/exchange/mandates.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/check.h"
#include "proto/guard.h"

/* ---- the two sides */

enum collega_status propose_load_offer(struct drawing *drawing, struct bytes offer,
                                       struct side *side) {
  enum collega_status status =
      offer_row(drawing->txn, offer, drawing->arena, &side->row, drawing->error);
  if (status == COLLEGA_NOT_FOUND)
    return error_set(drawing->error, COLLEGA_NOT_FOUND, RULE_offer_unknown, NULL, NULL);
  if (status == COLLEGA_OK)
    status = offer_of_row(side->row, drawing->arena, &side->offer, drawing->error);
  if (status != COLLEGA_OK) return status;
  struct id author;
  const struct known_party *known = NULL;
  if (id_from(&author, side->row->author.data, side->row->author.len))
    known = members_find(exchange_members(drawing->exchange, drawing->txn), &author);
  side->name = known ? arena_text(drawing->arena, known_party_name(known)) : "?";
  return side->name ? COLLEGA_OK : exchange_no_memory(drawing->error);
}

static enum collega_status load_side(struct drawing *drawing, struct bytes offer,
                                     struct side *side) {
  enum collega_status status = propose_load_offer(drawing, offer, side);
  if (status != COLLEGA_OK) return status;
  Collega__OfferState state = offer_state(side->row, side->offer, drawing->now);
  if (state == COLLEGA__OFFER_STATE__OFFER_STATE_EXPIRED)
    return error_set(drawing->error, COLLEGA_REFUSED, RULE_offer_expired, NULL, side->name, NULL);
  if (state != COLLEGA__OFFER_STATE__OFFER_STATE_OPEN || side->row->refused)
    return error_set(drawing->error, COLLEGA_REFUSED, RULE_offer_not_open, NULL, side->name, NULL);
  return COLLEGA_OK;
}

static enum collega_status sides_of_match(struct drawing *drawing) {
  uint8_t key[2 * ID_BYTES];
  ProtobufCMessage *message;
  memcpy(key, drawing->party->byte, ID_BYTES);
  memcpy(key + ID_BYTES, drawing->wanted->match->byte, ID_BYTES);
  enum collega_status status =
      row_get(drawing->txn, TABLE_MATCHES, bytes_of(key, sizeof key),
              &collega_store__match_row__descriptor, drawing->arena, &message, drawing->error);
  if (status == COLLEGA_NOT_FOUND)
    return error_set(drawing->error, COLLEGA_NOT_FOUND, RULE_match_unknown, NULL, NULL);
  if (status != COLLEGA_OK) return status;
  const CollegaStore__MatchRow *match = (const CollegaStore__MatchRow *)message;
  drawing->thread = *drawing->wanted->match;
  status = load_side(drawing, field_bytes(&match->mine), &drawing->mine);
  return status == COLLEGA_OK ? load_side(drawing, field_bytes(&match->counter), &drawing->theirs)
                              : status;
}

/* loan_out (1) and loan_in (2) meet, and transfer_out (3) and transfer_in (4). */
static bool kinds_meet(Collega__OfferKind one, Collega__OfferKind other) {
  return (((unsigned)one - 1u) ^ 1u) == (unsigned)other - 1u;
}

/* Ours, and of the other kind: nobody has found these two to fit before. */
static enum collega_status load_own(struct drawing *drawing, struct bytes own) {
  enum collega_status status = load_side(drawing, own, &drawing->mine);
  if (status != COLLEGA_OK) return status;
  if (!field_is(&drawing->mine.row->author, drawing->party))
    return error_set(drawing->error, COLLEGA_NOT_FOUND, RULE_offer_unknown, NULL, NULL);
  if (!kinds_meet(drawing->mine.offer->kind, drawing->theirs.offer->kind))
    return error_set(drawing->error, COLLEGA_REFUSED, RULE_match_kinds, NULL, NULL);
  return COLLEGA_OK;
}

static enum collega_status load_sides(struct drawing *drawing) {
  enum collega_status status;
  if (drawing->wanted->match) {
    status = sides_of_match(drawing);
  } else {
    struct bytes offer = bytes_of(drawing->wanted->to_offer->byte, SHORT_ID_BYTES);
    const struct short_id *own_offer = drawing->wanted->own_offer;
    struct bytes own = own_offer ? bytes_of(own_offer->byte, SHORT_ID_BYTES)
                                 : bytes_of(drawing->party->byte, ID_BYTES);
    match_id(&drawing->thread, own, offer);
    status = load_side(drawing, offer, &drawing->theirs);
    if (status == COLLEGA_OK && own_offer) status = load_own(drawing, own);
    /* Another party of this home may have it, for itself alone. */
    if (status == COLLEGA_OK && !field_is(&drawing->theirs.row->author, drawing->party) &&
        !known_party_in_audience(
            members_find(exchange_members(drawing->exchange, drawing->txn), drawing->party),
            drawing->theirs.offer->audience))
      return error_set(drawing->error, COLLEGA_NOT_FOUND, RULE_offer_unknown, NULL, NULL);
  }
  if (status != COLLEGA_OK) return status;
  if (!id_from(&drawing->counterparty, drawing->theirs.row->author.data,
               drawing->theirs.row->author.len) ||
      id_equal(&drawing->counterparty, drawing->party))
    return error_set(drawing->error, COLLEGA_REFUSED, RULE_offer_yours, NULL, NULL);
  Collega__OfferKind kind = drawing->theirs.offer->kind;
  drawing->lends = kind == COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_IN ||
                   kind == COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_IN;
  if (drawing->mine.row && drawing->mine.row->has_private_) {
    drawing->private_part = (const Collega__OfferPrivate *)row_unpack(
        &collega__offer_private__descriptor, field_bytes(&drawing->mine.row->private_),
        drawing->arena);
    if (!drawing->private_part) return exchange_row_damaged(drawing->error, "offers");
  }
  return COLLEGA_OK;
}

/* ---- days, people, hours */

static collega_date least_date(collega_date a, collega_date b) {
  return a < b ? a : b;
}
static collega_date most_date(collega_date a, collega_date b) {
  return a > b ? a : b;
}

/* The days that an offer leaves, with its flexible ones. */
static void window_of(const struct side *side, collega_date *from, collega_date *until) {
  struct capacity capacity;
  *from = INT32_MIN;
  *until = DATE_OPEN;
  if (!side->offer) return;
  offer_capacity(side->offer, &capacity);
  *from = capacity.from;
  *until = capacity.until;
}

/* Where nothing else is said: what both offers allow. */
static void days_of_offers(struct drawing *drawing, collega_date *from_out,
                           collega_date *until_out) {
  const Collega__Period *theirs = drawing->theirs.offer->period;
  const Collega__Period *mine = drawing->mine.offer ? drawing->mine.offer->period : theirs;
  collega_date from = most_date(mine->from, theirs->from);
  collega_date until = least_date(mine->has_until ? mine->until : DATE_OPEN,
                                  theirs->has_until ? theirs->until : DATE_OPEN);
  if (until < from) { /* only their flexible days meet */
    collega_date other_from, other_until;
    window_of(&drawing->mine, &from, &until);
    window_of(&drawing->theirs, &other_from, &other_until);
    from = most_date(from, other_from);
    until = least_date(until, other_until);
  }
  *from_out = most_date(from, least_date(date_of_time(drawing->now), until));
  *until_out = until;
}

static void choose_days(struct drawing *drawing, const Collega__TermsWork *given) {
  const struct proposal *wanted = drawing->wanted;
  collega_date from, until;
  if (drawing->base) {
    const Collega__TermsWork *base = drawing->base_terms->work;
    from = base->from;
    until = base->has_until ? base->until : DATE_OPEN;
  } else {
    days_of_offers(drawing, &from, &until);
  }
  if (given) from = given->from;
  if (wanted->has_from) from = wanted->from;
  if (given && given->has_until) until = given->until;
  if (wanted->has_until) until = wanted->until;
  drawing->work.from = from;
  drawing->work.has_until = until != DATE_OPEN;
  drawing->work.until = drawing->work.has_until ? until : 0;
}

/* What is free of the own offer on the chosen days; with carve people are not the measure. */
static enum collega_status free_people(struct drawing *drawing, uint32_t *out) {
  struct capacity capacity;
  struct short_id offer;
  uint64_t most = 0;
  offer_capacity(drawing->mine.offer, &capacity);
  *out = capacity.headcount;
  if (capacity.carve ||
      !short_id_from(&offer, drawing->mine.row->offer.data, drawing->mine.row->offer.len))
    return COLLEGA_OK;
  enum collega_status status = holds_most(drawing->txn, drawing->party, &offer, drawing->work.from,
                                          drawing->work.has_until ? drawing->work.until : DATE_OPEN,
                                          false, &most, drawing->error);
  if (most < *out)
    *out -= (uint32_t)most; /* else: nothing is free, and holds_fit says so with the day */
  return status;
}

static enum collega_status choose_from_offers(struct drawing *drawing, uint32_t *people,
                                              uint32_t *hours) {
  const Collega__Offer *theirs = drawing->theirs.offer, *mine = drawing->mine.offer;
  uint32_t free = theirs->headcount;
  enum collega_status status = mine ? free_people(drawing, &free) : COLLEGA_OK;
  *people = free < theirs->headcount ? free : theirs->headcount;
  *hours = theirs->hours->per_week_max;
  if (mine && mine->hours->per_week_max < *hours) *hours = mine->hours->per_week_max;
  return status;
}

/* What starts from an agreement has as many people as go on in it. While a part of it has yet to end there is no such
 * number for all its days: then the user says one. */
static enum collega_status people_of_base(struct drawing *drawing, bool given, uint32_t *people) {
  const CollegaStore__DealRow *row = drawing->base->row;
  *people = deal_people(row, drawing->base_terms->work->headcount, DATE_OPEN);
  for (size_t i = 0; i < row->n_reductions && !given; i++) {
    char last[32];
    if (row->reductions[i]->effective < date_of_time(drawing->now)) continue;
    date_write(last, sizeof last, row->reductions[i]->effective);
    return error_set(drawing->error, COLLEGA_REFUSED, RULE_amend_headcount, "headcount", last,
                     NULL);
  }
  return COLLEGA_OK;
}

static enum collega_status choose_work(struct drawing *drawing) {
  const Collega__Terms *terms = drawing->wanted->terms;
  const Collega__TermsWork *given = terms ? terms->work : NULL;
  Collega__TermsWork *work = &drawing->work;
  uint32_t people = 0, hours = 0;
  collega__terms_work__init(work);
  choose_days(drawing, given);
  if (drawing->base) {
    enum collega_status status =
        people_of_base(drawing, given || drawing->wanted->headcount, &people);
    if (status != COLLEGA_OK) return status;
    hours = drawing->base_terms->work->hours_per_week;
  } else {
    enum collega_status status = choose_from_offers(drawing, &people, &hours);
    if (status != COLLEGA_OK) return status;
  }
  if (given) {
    people = given->headcount;
    hours = given->hours_per_week;
  }
  work->headcount = drawing->wanted->headcount ? drawing->wanted->headcount : people;
  work->hours_per_week = drawing->wanted->hours_per_week ? drawing->wanted->hours_per_week : hours;
  return COLLEGA_OK;
}

static enum collega_status outside(struct drawing *drawing, enum rule rule, const char *field,
                                   uint32_t from, uint32_t to, const struct side *side) {
  char least[16], most[16];
  snprintf(least, sizeof least, "%" PRIu32, from);
  snprintf(most, sizeof most, "%" PRIu32, to);
  return error_set(drawing->error, COLLEGA_REFUSED, rule, field, least, most, side->name, NULL);
}

static enum collega_status check_days(struct drawing *drawing, const struct side *side) {
  const Collega__TermsWork *work = &drawing->work;
  collega_date from, until, last = work->has_until ? work->until : DATE_OPEN;
  char first_text[32], last_text[32] = "...";
  window_of(side, &from, &until);
  bool from_fits = work->from >= from && work->from <= until, until_fits = last <= until;
  if (from_fits && until_fits) return COLLEGA_OK;
  date_write(first_text, sizeof first_text, from);
  if (until != DATE_OPEN) date_write(last_text, sizeof last_text, until);
  return error_set(drawing->error, COLLEGA_REFUSED, RULE_proposal_days,
                   from_fits ? "until" : "from", first_text, last_text, side->name, NULL);
}

/* Against the limits of one side's offer. How much of the own headcount is free is the holds' to
 * say. */
static enum collega_status check_side(struct drawing *drawing, const struct side *side) {
  const Collega__Offer *offer = side->offer;
  const Collega__TermsWork *work = &drawing->work;
  if (!offer) return COLLEGA_OK;
  uint32_t least = offer->has_min_headcount ? offer->min_headcount : 1;
  if (work->headcount < least || work->headcount > offer->headcount)
    return outside(drawing, RULE_proposal_headcount, "headcount", least, offer->headcount, side);
  if (work->hours_per_week < offer->hours->per_week_min ||
      work->hours_per_week > offer->hours->per_week_max)
    return outside(drawing, RULE_proposal_hours, "hours", offer->hours->per_week_min,
                   offer->hours->per_week_max, side);
  return check_days(drawing, side);
}

static enum collega_status check_work(struct drawing *drawing) {
  const Collega__TermsWork *work = &drawing->work;
  const struct side *side = drawing->theirs.offer ? &drawing->theirs : &drawing->mine;
  bool transfer =
      side->offer && (side->offer->kind == COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_IN ||
                      side->offer->kind == COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_OUT);
  if (!work->has_until && !transfer)
    return error_set(drawing->error, COLLEGA_INVALID, RULE_until_required, "until", NULL);
  /* What an agreement became in the end is between its parties: the offers only began it. */
  enum collega_status status = drawing->amends ? COLLEGA_OK : check_side(drawing, &drawing->theirs);
  if (status == COLLEGA_OK && !drawing->amends) status = check_side(drawing, &drawing->mine);
  if (status == COLLEGA_OK && work->has_until && work->until < work->from) {
    char text[32];
    date_write(text, sizeof text, work->from);
    status = error_set(drawing->error, COLLEGA_INVALID, RULE_order_of_dates, "until", text, NULL);
  }
  return status;
}

/* An amendment changes something. Where parts of the agreement have ended, the headcount of old is a change too. */
static enum collega_status check_change(struct drawing *drawing, struct bytes agreed,
                                        const Collega__Terms *terms) {
  if (!drawing->amends || drawing->base->row->n_reductions > 0) return COLLEGA_OK;
  struct bytes now;
  enum collega_status status = exchange_pack(drawing->arena, &terms->base, &now, drawing->error);
  if (status != COLLEGA_OK || now.length != agreed.length ||
      memcmp(now.data, agreed.data, now.length) != 0)
    return status;
  return error_set(drawing->error, COLLEGA_INVALID, RULE_amend_same, NULL, NULL);
}

/* ---- the header */

/* `before`: what the base says of this side; NULL: no base. */
static void fill_ref(const struct side *side, const Collega__OfferRef *before,
                     const struct short_id *capacity, Collega__OfferRef *out) {
  collega__offer_ref__init(out);
  if (before) *out = *before;
  if (before && !side->row) return;
  if (side->row) {
    out->has_offer = out->has_content = true;
    out->offer = side->row->offer;
    out->content = side->row->content;
  } else {
    out->has_capacity = true;
    field_set(&out->capacity, capacity->byte, SHORT_ID_BYTES);
  }
}

struct header {
  Collega__DealHeader header;
  Collega__Edge edge, *edges;
  Collega__OfferRef mine, theirs;
  struct id root, commitment, mandate;
};

static enum collega_status check_counterparty(struct drawing *drawing) {
  const struct known_party *other =
      members_find(exchange_members(drawing->exchange, drawing->txn), &drawing->counterparty);
  if (!other || !other->revoked) return COLLEGA_OK;
  return error_set(drawing->error, COLLEGA_REFUSED, RULE_their_membership_over, NULL,
                   known_party_name(other), NULL);
}

static enum collega_status fill_header(struct drawing *drawing, const Collega__SaltedTerms *salted,
                                       struct header *out) {
  uint64_t closed = 0;
  const struct deal_view *base = drawing->base;
  enum collega_status status =
      base ? COLLEGA_OK
           : negotiation_count_closed(drawing->txn, drawing->party, &drawing->thread, &closed,
                                      drawing->error);
  if (status == COLLEGA_OK) status = terms_commitment(salted, &out->commitment, drawing->error);
  if (status == COLLEGA_OK)
    status = exchange_choose_mandate(drawing->exchange, drawing->txn, drawing->party,
                                     drawing->wanted->mandate, drawing->work.headcount,
                                     drawing->now, &out->mandate, drawing->error);
  if (status != COLLEGA_OK) return status;
  if (base)
    out->root = base->root;
  else
    negotiation_root(&out->root, &drawing->thread, closed);
  collega__deal_header__init(&out->header);
  collega__edge__init(&out->edge);
  fill_ref(&drawing->mine, base ? base->own : NULL, &drawing->capacity, &out->mine);
  fill_ref(&drawing->theirs, base ? base->other : NULL, NULL, &out->theirs);
  field_set_id(&out->edge.lender, drawing->lends ? drawing->party : &drawing->counterparty);
  field_set_id(&out->edge.borrower, drawing->lends ? &drawing->counterparty : drawing->party);
  out->edge.lends = drawing->lends ? &out->mine : &out->theirs;
  out->edge.borrows = drawing->lends ? &out->theirs : &out->mine;
  field_set_id(&out->edge.commitment, &out->commitment);
  out->edges = &out->edge;
  out->header.n_edges = 1;
  out->header.edges = &out->edges;
  out->header.decider = drawing->broker->broker;
  out->header.decider_epoch = drawing->broker->epoch;
  out->header.accept_by = drawing->wanted->accept_by
                              ? drawing->wanted->accept_by
                              : time_after_working_days(drawing->now, ACCEPT_BY_WORKING_DAYS);
  field_set_id(&out->header.root, &out->root);
  out->header.has_replaces = base && !drawing->amends;
  if (base) field_set_id(&out->header.replaces, &base->deal);
  out->header.has_amends = out->header.has_predecessor = drawing->amends;
  field_set_id(&out->header.amends, &drawing->agreement);
  field_set_id(&out->header.predecessor, &drawing->predecessor);
  out->header.has_mandate = !id_is_zero(&out->mandate);
  field_set_id(&out->header.mandate, &out->mandate);
  out->header.time = drawing->now;
  field_set_id(&out->header.thread, &drawing->thread);
  return check_header(&out->header, drawing->error);
}

/* ---- the draft */

/* The machine's word on a new draft, with the room there is. */
static enum collega_status try_draft(struct drawing *drawing, const struct header *header,
                                     const struct id *deal, const struct capacity *capacity,
                                     const CollegaStore__Hold *hold) {
  struct negotiation negotiation;
  struct deal_effects effects;
  struct collega_error no_room;
  CollegaStore__RootRow *row;
  struct deal_event event = {.kind = DEAL_EVENT_DRAFT,
                             .deal = *deal,
                             .now = drawing->now,
                             .fits = true,
                             .no_room = &no_room,
                             .accept_by = header->header.accept_by};
  if (drawing->base && !drawing->amends) event.replaces = drawing->base->deal;
  event.amends = drawing->agreement;
  event.predecessor = drawing->predecessor;
  enum collega_status status = holds_fit(drawing->txn, capacity, hold, &no_room);
  event.room = status == COLLEGA_OK;
  if (status != COLLEGA_OK && status != COLLEGA_REFUSED) {
    if (drawing->error) *drawing->error = no_room;
    return status;
  }
  status = negotiation_load(drawing->txn, drawing->party, &header->root, drawing->arena,
                            &negotiation, &row, drawing->error);
  if (status != COLLEGA_OK) return status;
  (void)id_from(&negotiation.decider, header->header.decider.data, header->header.decider.len);
  return deal_step(&negotiation, &event, &effects, drawing->error);
}

static enum collega_status append_draft(struct drawing *drawing, const struct header *header,
                                        struct bytes body, const struct id *deal,
                                        struct bytes terms) {
  CollegaStore__DealAct act = COLLEGA_STORE__DEAL_ACT__INIT;
  CollegaStore__Hold hold = COLLEGA_STORE__HOLD__INIT;
  CollegaStore__Capacity made = COLLEGA_STORE__CAPACITY__INIT;
  struct capacity capacity = {.headcount = drawing->work.headcount,
                              .hours_per_week = drawing->work.hours_per_week,
                              .from = drawing->work.from,
                              .until = drawing->work.has_until ? drawing->work.until : DATE_OPEN};
  field_set_id(&hold.party, drawing->party);
  hold.subject = header->mine.has_offer ? header->mine.offer : header->mine.capacity;
  field_set_id(&hold.root, &header->root);
  field_set_id(&hold.deal, deal);
  hold.from = capacity.from;
  hold.until = capacity.until;
  hold.people = drawing->work.headcount;
  hold.hours_per_week = drawing->work.hours_per_week;
  if (drawing->mine.offer) {
    offer_capacity(drawing->mine.offer, &capacity);
    if (drawing->amends) capacity_cover(&capacity, &hold);
  } else if (!drawing->base) {
    field_set(&made.capacity, drawing->capacity.byte, SHORT_ID_BYTES);
    field_set_id(&made.party, drawing->party);
    made.headcount = capacity.headcount;
    made.from = capacity.from;
    made.has_until = drawing->work.has_until;
    made.until = drawing->work.until;
    made.hours_per_week = capacity.hours_per_week;
    act.capacity = &made;
  }
  enum collega_status status = try_draft(drawing, header, deal, &capacity, &hold);
  if (status != COLLEGA_OK) return status;
  act.kind = COLLEGA_STORE__ACT_KIND__ACT_KIND_PROPOSE;
  field_set_id(&act.deal, deal);
  field_set(&act.body, body.data, body.length);
  act.has_terms = true;
  field_set(&act.terms, terms.data, terms.length);
  act.hold = &hold;
  return exchange_append_act(drawing->exchange, drawing->txn, drawing->party, deal, &act,
                             drawing->now, drawing->arena, drawing->error);
}

enum collega_status propose_draw(struct drawing *drawing, struct id *deal) {
  struct header header;
  Collega__Terms *terms = NULL;
  Collega__SaltedTerms *salted = NULL;
  Collega__Body *body = NULL;
  struct bytes packed, packed_terms;
  enum collega_status status =
      exchange_broker(drawing->txn, drawing->arena, &drawing->broker, drawing->error);
  if (status == COLLEGA_OK && !drawing->broker)
    return error_set(drawing->error, COLLEGA_REFUSED, RULE_not_joined, NULL, NULL);
  if (status == COLLEGA_OK)
    status = drawing->base ? propose_load_base(drawing) : load_sides(drawing);
  if (status == COLLEGA_OK) status = check_counterparty(drawing);
  if (status == COLLEGA_OK) status = choose_work(drawing);
  if (status == COLLEGA_OK) status = check_work(drawing);
  if (status != COLLEGA_OK) return status;
  random_fill(drawing->capacity.byte, SHORT_ID_BYTES);
  struct bytes agreed = bytes_of(NULL, 0); /* as the terms that are made of them may change them */
  if (drawing->amends)
    status = exchange_pack(drawing->arena, &drawing->base_terms->base, &agreed, drawing->error);
  if (status == COLLEGA_OK) status = propose_terms(drawing, &terms);
  if (status == COLLEGA_OK) status = check_change(drawing, agreed, terms);
  if (status == COLLEGA_OK) status = terms_salt(terms, drawing->arena, &salted, drawing->error);
  if (status == COLLEGA_OK)
    status = exchange_pack(drawing->arena, &salted->base, &packed_terms, drawing->error);
  if (status == COLLEGA_OK) status = fill_header(drawing, salted, &header);
  if (status == COLLEGA_OK)
    status = exchange_own_body(drawing->exchange, drawing->txn, drawing->party, drawing->arena,
                               &body, drawing->error);
  if (status != COLLEGA_OK) return status;
  body->type = COLLEGA__BODY_TYPE__BODY_TYPE_DEAL;
  body->deal = &header.header;
  status = body_finish(body, drawing->arena, &packed, deal, drawing->error);
  return status == COLLEGA_OK ? append_draft(drawing, &header, packed, deal, packed_terms) : status;
}

enum collega_status deal_propose(struct exchange *exchange, const struct id *party,
                                 const struct proposal *proposal, collega_time now, struct id *deal,
                                 struct collega_error *error) {
  if (!exchange_identity(exchange, party))
    return error_set(error, COLLEGA_NOT_FOUND, RULE_party_not_ours, NULL, NULL);
  if (!proposal->match == !proposal->to_offer)
    return error_set(error, COLLEGA_USAGE, RULE_match_or_offer, NULL, NULL);
  struct drawing drawing = {.exchange = exchange,
                            .party = party,
                            .wanted = proposal,
                            .now = now,
                            .arena = exchange_arena(),
                            .error = error};
  if (!drawing.arena) return exchange_no_memory(error);
  enum collega_status status = exchange_begin(exchange, &drawing.txn, error);
  if (status == COLLEGA_OK) {
    status = propose_draw(&drawing, deal);
    status = exchange_end(exchange, &drawing.txn, status, error);
  }
  arena_destroy(&drawing.arena);
  return status;
}
