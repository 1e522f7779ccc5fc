/* The terms of a proposal, as far as they follow from what is known: section by section from
 * both offers and from what this party keeps private, as far as the stage needs; then the user's
 * own. */
#include "client/exchange/propose.h"

#include "proto/check.h"

/* What both offers and the private part say already. All borrowed from them. */
struct drawn_terms {
  Collega__Terms terms;
  Collega__TermsWork work;
  Collega__TermsPlace place;
  Collega__TermsRates rates;
  Collega__TermsContact contact;
  Collega__TermsRules rules;
  Collega__TermsEnding ending;
};

static void draw_place(struct drawing *drawing, struct drawn_terms *out) {
  /* The work is done at the borrower's. The exact address is the borrower's own to tell. */
  const struct side *borrower = drawing->lends ? &drawing->theirs : &drawing->mine;
  if (!borrower->offer) return;
  const Collega__Place *place = borrower->offer->place;
  out->place.establishment = borrower->offer->establishment;
  out->place.postcode = place->postcode;
  out->place.city = place->city;
  out->place.country = place->country;
  if (!drawing->lends && drawing->private_part) out->place.address = drawing->private_part->address;
  out->terms.place = &out->place;
}

static void draw_rates(struct drawing *drawing, struct drawn_terms *out) {
  const struct side *lender = drawing->lends ? &drawing->mine : &drawing->theirs;
  const Collega__OfferPrivate *own = drawing->lends ? drawing->private_part : NULL;
  const Collega__Terms *given = drawing->wanted->terms;
  if (own && own->has_hourly_cost_cents) {
    out->rates.has_hourly_cents = true;
    out->rates.hourly_cents = own->hourly_cost_cents;
  }
  if (drawing->wanted->has_rate) {
    out->rates.has_hourly_cents = true;
    out->rates.hourly_cents = drawing->wanted->rate_cents;
  }
  bool amount = out->rates.has_hourly_cents || (given && given->rates);
  if (amount)
    out->rates.currency = own && own->currency ? own->currency : (char *)(uintptr_t) "EUR";
  if (lender->offer && lender->offer->terms) {
    out->rates.has_cost_basis = lender->offer->terms->has_cost_basis;
    out->rates.cost_basis = lender->offer->terms->cost_basis;
    out->rates.vat = lender->offer->terms->vat;
  }
  if (amount || out->rates.has_cost_basis || out->rates.vat) out->terms.rates = &out->rates;
}

static void draw_rules(struct drawing *drawing, struct drawn_terms *out) {
  const struct side *lender = drawing->lends ? &drawing->mine : &drawing->theirs;
  const struct side *borrower = drawing->lends ? &drawing->theirs : &drawing->mine;
  const Collega__OfferTerms *lends = lender->offer ? lender->offer->terms : NULL;
  const Collega__OfferTerms *borrows = borrower->offer ? borrower->offer->terms : NULL;
  if (lends) {
    out->rules.lender_cao = lends->cao;
    out->rules.has_contract = lends->has_contract;
    out->rules.contract = lends->contract;
    out->ending.has_return_guarantee = lends->has_return_guarantee;
    out->ending.return_guarantee = lends->return_guarantee;
    out->ending.has_takeover = lends->has_takeover;
    out->ending.takeover = lends->takeover;
  }
  if (borrows) out->rules.borrower_cao = borrows->cao;
  if (out->rules.lender_cao || out->rules.borrower_cao || out->rules.has_contract)
    out->terms.rules = &out->rules;
  if (out->ending.has_return_guarantee || out->ending.has_takeover)
    out->terms.ending = &out->ending;
}

static bool slots_given(const struct drawing *drawing) {
  const Collega__Terms *given = drawing->wanted->terms;
  return drawing->wanted->slot_count || (given && given->work && given->work->n_slots);
}

static void draw_work(struct drawing *drawing, struct drawn_terms *out) {
  const Collega__Offer *borrower = drawing->lends ? drawing->theirs.offer : drawing->mine.offer;
  const Collega__Offer *described = borrower ? borrower : drawing->theirs.offer;
  out->work.headcount = drawing->work.headcount;
  out->work.from = drawing->work.from;
  out->work.has_until = drawing->work.has_until;
  out->work.until = drawing->work.until;
  out->work.hours_per_week = drawing->work.hours_per_week;
  out->work.function =
      described->occupation->title ? described->occupation->title : described->title;
  out->work.isco = described->occupation->isco;
  /* Lists of two messages are joined, not replaced: those that the user gives stand alone. */
  if (!slots_given(drawing)) {
    out->work.n_slots = described->hours->n_slots;
    out->work.slots = described->hours->slots;
  }
  out->work.has_kind = true;
  bool transfer = described->kind == COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_IN ||
                  described->kind == COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_OUT;
  out->work.kind = transfer ? COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_OUT
                            : COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT;
  out->terms.work = &out->work;
}

static void draw_terms(struct drawing *drawing, struct drawn_terms *out) {
  collega__terms__init(&out->terms);
  collega__terms_work__init(&out->work);
  collega__terms_place__init(&out->place);
  collega__terms_rates__init(&out->rates);
  collega__terms_contact__init(&out->contact);
  collega__terms_rules__init(&out->rules);
  collega__terms_ending__init(&out->ending);
  draw_work(drawing, out);
  draw_place(drawing, out);
  draw_rates(drawing, out);
  draw_rules(drawing, out);
  if (drawing->private_part && drawing->private_part->contact) {
    *(drawing->lends ? &out->contact.lender : &out->contact.borrower) =
        drawing->private_part->contact;
    out->terms.contact = &out->contact;
  }
}

/* Later bytes win field by field, as protobuf merges: the offers', then the user's file, then
 * the options. */
static enum collega_status merge_terms(struct drawing *drawing, const struct drawn_terms *drawn,
                                       Collega__Terms **out) {
  Collega__Terms last = COLLEGA__TERMS__INIT;
  Collega__TermsWork work = COLLEGA__TERMS_WORK__INIT;
  Collega__TermsRates rates = COLLEGA__TERMS_RATES__INIT;
  work.headcount = drawing->work.headcount;
  work.from = drawing->work.from;
  work.has_until = drawing->work.has_until;
  work.until = drawing->work.until;
  work.hours_per_week = drawing->work.hours_per_week;
  work.slots = (char **)(uintptr_t)drawing->wanted->slots;
  work.n_slots = drawing->wanted->slot_count;
  last.work = &work;
  if (drawing->wanted->has_rate) {
    rates.has_hourly_cents = true;
    rates.hourly_cents = drawing->wanted->rate_cents;
    if (drawing->base && !(drawing->base_terms->rates && drawing->base_terms->rates->currency))
      rates.currency = (char *)(uintptr_t) "EUR";
    last.rates = &rates;
  }
  const Collega__Terms *given = drawing->wanted->terms;
  Collega__Terms user = COLLEGA__TERMS__INIT;
  Collega__TermsWork user_work = COLLEGA__TERMS_WORK__INIT;
  if (given && given->work && work.n_slots) { /* what is chosen by itself wins */
    user = *given;
    user_work = *given->work;
    user_work.n_slots = 0;
    user.work = &user_work;
    given = &user;
  }
  const Collega__Terms *layers[3] = {drawing->base ? drawing->base_terms : &drawn->terms, given,
                                     &last};
  size_t size = 0, at = 0;
  for (size_t i = 0; i < 3; i++)
    size += layers[i] ? collega__terms__get_packed_size(layers[i]) : 0;
  uint8_t *packed = arena_take(drawing->arena, size);
  if (!packed) return exchange_no_memory(drawing->error);
  for (size_t i = 0; i < 3; i++)
    at += layers[i] ? collega__terms__pack(layers[i], packed + at) : 0;
  *out = (Collega__Terms *)row_unpack(&collega__terms__descriptor, bytes_of(packed, size),
                                      drawing->arena);
  if (!*out) return exchange_no_memory(drawing->error);
  enum collega_status status = check_fields(&(*out)->base, drawing->error);
  return status == COLLEGA_OK ? check_terms(*out, drawing->error) : status;
}

/* Lists of two messages are joined, not replaced: those that the user gives stand alone. */
static void drop_lists_given(struct drawing *drawing) {
  const Collega__Terms *given = drawing->wanted->terms;
  Collega__Terms *base = drawing->base_terms;
  if (base->work && slots_given(drawing)) base->work->n_slots = 0;
  if (!given) return;
  if (base->rates && given->rates && given->rates->n_build_up) base->rates->n_build_up = 0;
  if (base->rates && given->rates && given->rates->n_allowances) base->rates->n_allowances = 0;
  if (base->persons && given->persons && given->persons->n_persons) base->persons->n_persons = 0;
}

enum collega_status propose_terms(struct drawing *drawing, Collega__Terms **out) {
  struct drawn_terms drawn;
  if (drawing->base)
    drop_lists_given(drawing);
  else
    draw_terms(drawing, &drawn);
  return merge_terms(drawing, &drawn, out);
}
