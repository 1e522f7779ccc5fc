/* Deals between homes, through a broker's commit room, to the proof. */
#include "pair.h"

#include <stdio.h>
#include <string.h>

#include "base/words.h"
#include "client/exchange/mandates.h"
#include "proto/guard.h"
#include "proto/limits.h"
#include "proto/proof.h"

#define DRAFT     COLLEGA_STORE__DEAL_STATE__DEAL_STATE_DRAFT
#define PROPOSED  COLLEGA_STORE__DEAL_STATE__DEAL_STATE_PROPOSED
#define RECEIVED  COLLEGA_STORE__DEAL_STATE__DEAL_STATE_RECEIVED
#define PENDING   COLLEGA_STORE__DEAL_STATE__DEAL_STATE_PENDING
#define CONCLUDED COLLEGA_STORE__DEAL_STATE__DEAL_STATE_CONCLUDED
#define VOID      COLLEGA_STORE__DEAL_STATE__DEAL_STATE_VOID

/* The most people that stand on the days of the test's offers. */
static void assert_void(struct home *home, const struct id *deal, const char *why) {
  char said[64];
  assert_int_equal(world_deal_state(home, deal, said), VOID);
  assert_string_equal(said, why);
}

static uint64_t waiting(struct home *home) {
  struct outbox_counts counts;
  struct ledger_txn *txn = NULL;
  must(ledger_read(exchange_ledger(home->exchange), &txn, &error));
  must(outbox_count(txn, &counts, &error));
  ledger_abort(&txn);
  return counts.waiting;
}

/* ---- to an agreement */

static void a_proposal_that_is_accepted_is_concluded_on_both_sides(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  struct id deal = pair_propose(world, &pair, 2);
  assert_int_equal(world_deal_state(pair.lender, &deal, NULL), DRAFT);
  assert_int_equal(world_standing(pair.lender, &pair.out), 2);
  world_reopen(pair.lender);
  world_settle(world);
  assert_int_equal(world_deal_state(pair.lender, &deal, NULL), PROPOSED);
  assert_int_equal(world_deal_state(pair.borrower, &deal, NULL), RECEIVED);
  assert_int_equal(world_standing(pair.borrower, &pair.in), 0);
  must(
      deal_accept(pair.borrower->exchange, &pair.borrower->party, &deal, NULL, world->now, &error));
  must(
      deal_accept(pair.borrower->exchange, &pair.borrower->party, &deal, NULL, world->now, &error));
  assert_int_equal(world_standing(pair.borrower, &pair.in), 2);
  world_reopen(pair.borrower);
  world_settle(world);
  assert_int_equal(world_deal_state(pair.lender, &deal, NULL), CONCLUDED);
  assert_int_equal(world_deal_state(pair.borrower, &deal, NULL), CONCLUDED);
  assert_int_equal(world_standing(pair.lender, &pair.out), 2);
  assert_int_equal(world_standing(pair.borrower, &pair.in), 2);
  assert_int_equal(waiting(pair.lender), 0);
  assert_int_equal(waiting(pair.borrower), 0);
  world_rebuilds(pair.lender);
  world_rebuilds(pair.borrower);
}

static void judge(struct world *world, struct home *home, const struct id *deal, unsigned hide,
                  struct arena *arena, struct proof_judgement *out) {
  struct bytes file;
  char fingerprint[FINGERPRINT_BYTES];
  const char *fingerprints[1] = {fingerprint};
  fingerprint_write(fingerprint, &world->broker_id);
  must(deal_prove(home->exchange, &home->party, deal, hide, world->now, arena, &file, &error));
  must(proof_judge(file, fingerprints, 1, arena, out, &error));
  for (size_t i = 0; i < out->finding_count; i++)
    if (out->findings[i].against) world_print_error(&out->findings[i].words);
}

/* The board brings the mandate that the other side signed with. Mail may be ahead of it. */
static void a_proof_that_would_not_verify_is_not_given(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  struct mandate_input input = {.person = "P. Bakker", .function = "planner"};
  struct proposal proposal = {.match = &pair.match, .headcount = 2};
  struct proof_judgement judgement;
  struct collega_error why;
  struct id mandate, deal;
  struct bytes file = {NULL, 0};
  struct arena *arena = arena_new(65536, 1u << 26);
  uint32_t acts;
  pair.borrower->welcomed = false; /* nothing is delivered to it for a while */
  must(mandate_add(pair.lender->exchange, &pair.lender->party, &input, world->now, &mandate,
                   &error));
  world_settle(world);
  proposal.mandate = &mandate;
  must(deal_propose(pair.lender->exchange, &pair.lender->party, &proposal, world->now, &deal,
                    &error));
  world_settle(world);
  pair.borrower->welcomed = true;
  while (world_mail(world, pair.borrower)) {}
  must(
      deal_accept(pair.borrower->exchange, &pair.borrower->party, &deal, NULL, world->now, &error));
  must(exchange_sign(pair.borrower->exchange, world->now, true, &acts, &error));
  while (world_send_waiting(world, pair.borrower)) {}
  while (world_mail(world, pair.borrower)) {}
  assert_int_equal(world_deal_state(pair.borrower, &deal, NULL), CONCLUDED);

  assert_int_equal(deal_prove(pair.borrower->exchange, &pair.borrower->party, &deal, 0, world->now,
                              arena, &file, &why),
                   COLLEGA_UNREACHABLE);
  assert_int_equal(why.rule, RULE_proof_not_yet);
  assert_string_equal(why.argument[0], rule_name(RULE_proof_lacks_mandate));
  assert_null(file.data);

  world_settle(world);
  judge(world, pair.borrower, &deal, 0, arena, &judgement);
  assert_true(judgement.valid);
  /* What nothing can still come for is said as whoever gets the file would read it. */
  assert_int_equal(deal_prove(pair.borrower->exchange, &pair.borrower->party, &deal, 0,
                              world->now - 3 * DAY_MS, arena, &file, &why),
                   COLLEGA_FORGED);
  assert_int_equal(why.rule, RULE_proof_made);
  assert_string_equal(why.field, "proof.made");
  arena_destroy(&arena);
}

static void the_proof_of_either_side_is_valid(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  struct arena *arena = arena_new(65536, 1u << 26);
  struct proof_judgement judgement;
  struct collega_error why;
  struct bytes file;
  unsigned hide = 0;
  struct id deal = pair_propose(world, &pair, 2);
  assert_int_equal(deal_prove(pair.lender->exchange, &pair.lender->party, &deal, 0, world->now,
                              arena, &file, &why),
                   COLLEGA_REFUSED);
  world_settle(world);
  must(
      deal_accept(pair.borrower->exchange, &pair.borrower->party, &deal, NULL, world->now, &error));
  world_settle(world);
  must(terms_mask("rates,contact", &hide, &error));
  judge(world, pair.lender, &deal, 0, arena, &judgement);
  assert_true(judgement.valid);
  assert_true(judgement.trusted);
  assert_true(judgement.lender.named);
  assert_string_equal(judgement.lender.name, "Snijder BV");
  assert_string_equal(judgement.borrower.kvk, "87654321");
  assert_string_equal(judgement.borrower.mandate_person, "A. de Boer");
  assert_int_equal(judgement.terms->work->headcount, 2);
  assert_int_equal(judgement.terms->rates->hourly_cents, 2380);
  assert_string_equal(judgement.terms->contact->lender->name, "Snijder BV");
  judge(world, pair.borrower, &deal, hide, arena, &judgement);
  assert_true(judgement.valid);
  assert_int_equal(judgement.hidden, hide);
  assert_null(judgement.terms->rates);
  arena_destroy(&arena);
}

static void the_borrower_may_propose_too_and_tells_the_address(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  struct arena *arena = arena_new(65536, 1u << 26);
  struct proof_judgement judgement;
  struct id match = world_match(pair.borrower, &pair.in, &pair.out), deal;
  assert_memory_equal(&match, &pair.match, sizeof match);
  struct proposal proposal = {
      .match = &match, .has_rate = true, .rate_cents = 2500, .hours_per_week = 32};
  must(deal_propose(pair.borrower->exchange, &pair.borrower->party, &proposal, world->now, &deal,
                    &error));
  world_settle(world);
  must(deal_accept(pair.lender->exchange, &pair.lender->party, &deal, NULL, world->now, &error));
  world_settle(world);
  judge(world, pair.lender, &deal, 0, arena, &judgement);
  assert_true(judgement.valid);
  assert_int_equal(judgement.terms->work->hours_per_week, 32);
  assert_int_equal(judgement.terms->work->headcount, 2);
  assert_int_equal(judgement.terms->rates->hourly_cents, 2500);
  assert_string_equal(judgement.terms->rates->currency, "EUR");
  assert_string_equal(judgement.terms->place->address, "Haven 1");
  arena_destroy(&arena);
}

static void a_proposal_to_an_offer_makes_a_capacity_to_fit(void **state) {
  struct world *world = *state;
  struct home *lender = world_home(world, "Snijder BV", "12345678", true);
  struct home *borrower = world_home(world, "Bakker BV", "87654321", true);
  struct arena *arena = arena_new(65536, 1u << 26);
  struct proof_judgement judgement;
  struct short_id in = world_publish(world, borrower, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_IN, 2);
  struct id deal;
  world_settle(world);
  struct proposal proposal = {.to_offer = &in, .headcount = 1};
  must(deal_propose(lender->exchange, &lender->party, &proposal, world->now, &deal, &error));
  world_settle(world);
  must(deal_accept(borrower->exchange, &borrower->party, &deal, NULL, world->now, &error));
  world_settle(world);
  assert_int_equal(world_deal_state(lender, &deal, NULL), CONCLUDED);
  judge(world, lender, &deal, 0, arena, &judgement);
  assert_true(judgement.valid);
  world_rebuilds(lender);
  arena_destroy(&arena);
}

static void terms_of_the_user_win_over_those_of_the_offers(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  struct arena *arena = arena_new(65536, 1u << 26);
  struct proof_judgement judgement;
  struct collega_error why;
  Collega__Terms terms = COLLEGA__TERMS__INIT;
  Collega__TermsWork work = COLLEGA__TERMS_WORK__INIT;
  Collega__TermsRates rates = COLLEGA__TERMS_RATES__INIT;
  Collega__TermsNote note = COLLEGA__TERMS_NOTE__INIT;
  struct id deal;
  terms.work = &work;
  terms.rates = &rates;
  terms.note = &note;
  work.headcount = 1;
  assert_true(date_read("2027-02-01", &work.from));
  work.hours_per_week = 30;
  work.tasks = (char *)(uintptr_t) "inpakken";
  rates.has_payment_days = true;
  rates.payment_days = 14;
  note.text = (char *)(uintptr_t) "bel 123456782";
  struct proposal proposal = {.match = &pair.match, .terms = &terms, .hours_per_week = 32};
  assert_int_equal(
      deal_propose(pair.lender->exchange, &pair.lender->party, &proposal, world->now, &deal, &why),
      COLLEGA_INVALID);
  assert_string_equal(why.field, "note.text");
  note.text = (char *)(uintptr_t) "graag met eigen schoenen";
  must(deal_propose(pair.lender->exchange, &pair.lender->party, &proposal, world->now, &deal,
                    &error));
  world_settle(world);
  must(
      deal_accept(pair.borrower->exchange, &pair.borrower->party, &deal, NULL, world->now, &error));
  world_settle(world);
  judge(world, pair.borrower, &deal, 0, arena, &judgement);
  assert_true(judgement.valid);
  const Collega__Terms *agreed = judgement.terms;
  assert_int_equal(agreed->work->headcount, 1);
  assert_int_equal(agreed->work->from, work.from);
  assert_int_equal(agreed->work->hours_per_week, 32);
  assert_string_equal(agreed->work->tasks, "inpakken");
  assert_string_equal(agreed->work->isco, "4321");
  assert_int_equal(agreed->rates->hourly_cents, 2380);
  assert_int_equal(agreed->rates->payment_days, 14);
  assert_string_equal(agreed->note->text, "graag met eigen schoenen");
  arena_destroy(&arena);
}

static struct short_id publish_transfer(struct world *world, struct home *home,
                                        Collega__OfferKind kind) {
  Collega__Offer offer;
  struct short_id id;
  world_offer(&offer, kind, 1);
  Collega__Period open = *offer.period;
  open.has_until = false;
  offer.period = &open;
  struct offer_input input = {&offer, NULL};
  must(offer_publish(home->exchange, &home->party, &input, 1, world->now, &id, &error));
  return id;
}

static void a_transfer_has_no_end_and_takes_its_place_for_good(void **state) {
  struct world *world = *state;
  struct home *from = world_home(world, "Snijder BV", "12345678", true);
  struct home *to = world_home(world, "Bakker BV", "87654321", true);
  struct collega_error why;
  struct short_id out = publish_transfer(world, from, COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_OUT);
  struct short_id in = publish_transfer(world, to, COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_IN);
  struct id deal, other;
  world_settle(world);
  struct id match = world_match(to, &in, &out);
  struct proposal proposal = {.match = &match};
  must(deal_propose(to->exchange, &to->party, &proposal, world->now, &deal, &error));
  world_settle(world);
  must(deal_accept(from->exchange, &from->party, &deal, NULL, world->now, &error));
  world_settle(world);
  assert_int_equal(world_deal_state(to, &deal, NULL), CONCLUDED);
  assert_int_equal(world_deal_state(from, &deal, NULL), CONCLUDED);
  assert_int_equal(world_standing(from, &out), 1);
  assert_int_equal(deal_propose(to->exchange, &to->party, &proposal, world->now, &other, &why),
                   COLLEGA_REFUSED);
  assert_int_equal(why.rule, RULE_offer_not_open); /* full, so filled */
}

/* ---- to nothing */

static void a_declined_proposal_is_void_and_frees_its_hold(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  struct id deal = pair_propose(world, &pair, 2);
  struct collega_error why;
  world_settle(world);
  assert_int_equal(
      deal_decline(pair.lender->exchange, &pair.lender->party, &deal, world->now, &why),
      COLLEGA_REFUSED);
  assert_int_equal(why.rule, RULE_deal_own);
  must(deal_decline(pair.borrower->exchange, &pair.borrower->party, &deal, world->now, &error));
  must(deal_decline(pair.borrower->exchange, &pair.borrower->party, &deal, world->now, &error));
  world_settle(world);
  assert_void(pair.lender, &deal, "declined");
  assert_void(pair.borrower, &deal, "declined");
  assert_int_equal(world_standing(pair.lender, &pair.out), 0);
  struct id again = pair_propose(world, &pair, 1);
  world_settle(world);
  assert_int_equal(world_deal_state(pair.borrower, &again, NULL), RECEIVED);
  world_rebuilds(pair.lender);
  world_rebuilds(pair.borrower);
}

static void a_draft_is_withdrawn_at_once_and_a_proposal_by_the_decider(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  struct id draft = pair_propose(world, &pair, 2);
  must(deal_withdraw(pair.lender->exchange, &pair.lender->party, &draft, world->now, &error));
  assert_void(pair.lender, &draft, "withdrawn");
  assert_int_equal(world_standing(pair.lender, &pair.out), 0);
  world_settle(world);
  assert_int_equal(world_deal_state(pair.borrower, &draft, NULL), 0);
  world->now += 1; /* the same terms at the same moment are still another deal */
  struct id deal = pair_propose(world, &pair, 2);
  world_settle(world);
  must(deal_withdraw(pair.lender->exchange, &pair.lender->party, &deal, world->now, &error));
  assert_int_equal(world_standing(pair.lender, &pair.out), 2);
  world_settle(world);
  assert_void(pair.lender, &deal, "withdrawn");
  assert_void(pair.borrower, &deal, "withdrawn");
  assert_int_equal(world_standing(pair.lender, &pair.out), 0);
  world_rebuilds(pair.lender);
}

static void an_unanswered_proposal_lapses_on_both_sides(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  struct id deal = pair_propose(world, &pair, 2);
  struct collega_error why;
  world_settle(world);
  world->now += 30 * DAY_MS;
  assert_int_equal(
      deal_accept(pair.borrower->exchange, &pair.borrower->party, &deal, NULL, world->now, &why),
      COLLEGA_REFUSED);
  assert_int_equal(why.rule, RULE_deal_past);
  assert_int_equal(world_standing(pair.lender, &pair.out), 2);
  world_settle(world);
  assert_void(pair.lender, &deal, "lapsed");
  assert_void(pair.borrower, &deal, "lapsed");
  assert_int_equal(world_standing(pair.lender, &pair.out), 0);
  world_rebuilds(pair.lender);
  world_rebuilds(pair.borrower);
}

static void a_draft_past_its_time_is_dropped(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  pair.lender->welcomed = false;
  struct id deal = pair_propose(world, &pair, 2);
  world->now += 30 * DAY_MS;
  pair.lender->welcomed = true;
  world_settle(world);
  assert_void(pair.lender, &deal, "lapsed");
  assert_int_equal(world_standing(pair.lender, &pair.out), 0);
  assert_int_equal(world_deal_state(pair.borrower, &deal, NULL), 0);
}

static void a_message_refused_for_its_head_ends_its_hold(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  struct arena *arena = arena_new(65536, 1u << 24);
  uint32_t acts = 0, records = 0;
  uint64_t number = 0;
  struct bytes frame;
  struct id deal = pair_propose(world, &pair, 2), hash;
  ProtobufCMessage *message = NULL;
  must(exchange_sign(pair.lender->exchange, world->now, true, &acts, &error));
  assert_int_equal(acts, 1);
  must(exchange_next_frame(pair.lender->exchange, pair.lender->sent, world->now, &pair.lender->told,
                           arena, &frame, &records, &number, &error));
  must(guard_unpack(&collega__to_broker__descriptor, frame, arena, &message, &error));
  const Collega__Send *send = ((Collega__ToBroker *)message)->send;
  assert_non_null(send);
  envelope_hash(&hash, bytes_of(send->envelope.data, send->envelope.len));
  struct collega_error why;
  error_set(&why, COLLEGA_REFUSED, RULE_head_other, NULL, NULL);
  must(world_deliver(world, pair.lender,
                     refusal_pack(arena, &hash, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_QUOTA, &why)));
  assert_int_equal(world_deal_state(pair.lender, &deal, NULL), PROPOSED);
  must(world_deliver(world, pair.lender,
                     refusal_pack(arena, &hash, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_HEAD, &why)));
  assert_void(pair.lender, &deal, "message_refused");
  assert_int_equal(world_standing(pair.lender, &pair.out), 0);
  assert_int_equal(waiting(pair.lender), 0);
  world_rebuilds(pair.lender);
  arena_destroy(&arena);
}

/* ---- limits */

static void refuse(struct world *world, const struct pair *pair, const struct proposal *proposal,
                   const char *field, const char *limit) {
  struct collega_error why;
  struct id deal, tables = world_tables(pair->lender), after;
  uint64_t entries = world_entries(pair->lender);
  assert_true(deal_propose(pair->lender->exchange, &pair->lender->party, proposal, world->now,
                           &deal, &why) != COLLEGA_OK);
  assert_string_equal(why.field, field);
  assert_true(strcmp(why.argument[0], limit) == 0 || strcmp(why.argument[1], limit) == 0);
  after = world_tables(pair->lender);
  assert_int_equal(world_entries(pair->lender), entries);
  assert_memory_equal(&after, &tables, sizeof tables);
}

static void a_proposal_keeps_to_the_limits_of_both_offers(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  struct proposal proposal = {.match = &pair.match, .headcount = 3};
  refuse(world, &pair, &proposal, "headcount", "2");
  proposal = (struct proposal){.match = &pair.match, .hours_per_week = 41};
  refuse(world, &pair, &proposal, "hours", "40");
  proposal = (struct proposal){.match = &pair.match, .hours_per_week = 23};
  refuse(world, &pair, &proposal, "hours", "24");
  proposal = (struct proposal){.match = &pair.match, .has_from = true};
  assert_true(date_read("2027-01-03", &proposal.from));
  refuse(world, &pair, &proposal, "from", "2027-01-04");
  proposal = (struct proposal){.match = &pair.match, .has_until = true};
  assert_true(date_read("2027-03-27", &proposal.until));
  refuse(world, &pair, &proposal, "until", "2027-03-26");
  proposal =
      (struct proposal){.match = &pair.match, .accept_by = world->now + ACCEPT_BY_MOST_MS + 1};
  refuse(world, &pair, &proposal, "accept_by", "90");
}

static void an_own_offer_is_not_proposed_to_nor_one_that_is_withdrawn(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  struct collega_error why;
  struct id deal, unknown = {{9}};
  struct proposal proposal = {.to_offer = &pair.out, .headcount = 1};
  assert_int_equal(
      deal_propose(pair.lender->exchange, &pair.lender->party, &proposal, world->now, &deal, &why),
      COLLEGA_REFUSED);
  assert_int_equal(why.rule, RULE_offer_yours);
  proposal = (struct proposal){.match = &unknown};
  assert_int_equal(
      deal_propose(pair.lender->exchange, &pair.lender->party, &proposal, world->now, &deal, &why),
      COLLEGA_NOT_FOUND);
  must(world_withdraw(world, pair.borrower, &pair.in, &error));
  world_settle(world);
  proposal = (struct proposal){.match = &pair.match};
  assert_true(deal_propose(pair.lender->exchange, &pair.lender->party, &proposal, world->now, &deal,
                           &why) != COLLEGA_OK);
}

/* The recipient took its own offer back before it answered: nothing more is signed on it. */
static void an_acceptance_on_a_withdrawn_offer_is_refused(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  struct collega_error why;
  struct id deal = pair_propose(world, &pair, 2);
  world_settle(world);
  must(world_withdraw(world, pair.borrower, &pair.in, &error));
  assert_int_equal(
      deal_accept(pair.borrower->exchange, &pair.borrower->party, &deal, NULL, world->now, &why),
      COLLEGA_REFUSED);
  assert_int_equal(why.rule, RULE_offer_changed);
}

#define BIDDERS 10

static void ten_proposals_of_one_offer_never_hold_more_than_it_has(void **state) {
  struct world *world = *state;
  struct home *lender = world_home(world, "Snijder BV", "12345678", true);
  struct short_id out = world_publish(world, lender, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT, 3),
                  in[BIDDERS];
  char kvk[9];
  for (size_t i = 0; i < BIDDERS; i++) {
    snprintf(kvk, sizeof kvk, "%08zu", 20000000 + i);
    struct home *borrower = world_home(world, "Bakker BV", kvk, true);
    in[i] = world_publish(world, borrower, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_IN, 1);
  }
  world_settle(world);
  size_t taken = 0;
  for (size_t i = 0; i < BIDDERS; i++) {
    struct collega_error why;
    struct id match = world_match(lender, &out, &in[i]), deal;
    struct proposal proposal = {.match = &match, .headcount = 1};
    enum collega_status status =
        deal_propose(lender->exchange, &lender->party, &proposal, world->now, &deal, &why);
    if (status == COLLEGA_OK)
      taken++;
    else
      assert_int_equal(why.rule, RULE_no_room);
    assert_true(world_standing(lender, &out) <= 3);
  }
  assert_int_equal(taken, 3);
  world_settle(world);
  assert_int_equal(world_standing(lender, &out), 3);
}

static void ten_bidders_for_three_people_get_three(void **state) {
  struct world *world = *state;
  struct home *lender = world_home(world, "Snijder BV", "12345678", true), *borrower[BIDDERS];
  struct short_id out = world_publish(world, lender, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT, 3),
                  in[BIDDERS];
  struct id deal[BIDDERS];
  char kvk[9];
  for (size_t i = 0; i < BIDDERS; i++) {
    snprintf(kvk, sizeof kvk, "%08zu", 20000000 + i);
    borrower[i] = world_home(world, "Bakker BV", kvk, true);
    in[i] = world_publish(world, borrower[i], COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_IN, 1);
  }
  world_settle(world);
  for (size_t i = 0; i < BIDDERS; i++) {
    struct id match = world_match(borrower[i], &in[i], &out);
    struct proposal proposal = {.match = &match};
    must(deal_propose(borrower[i]->exchange, &borrower[i]->party, &proposal, world->now, &deal[i],
                      &error));
  }
  world_settle(world);
  for (size_t i = 0; i < BIDDERS; i++) {
    struct collega_error why;
    enum collega_status status =
        deal_accept(lender->exchange, &lender->party, &deal[i], NULL, world->now, &why);
    assert_true(status == COLLEGA_OK || why.rule == RULE_no_room);
    assert_true(world_standing(lender, &out) <= 3);
  }
  world_settle(world);
  size_t concluded = 0;
  for (size_t i = 0; i < BIDDERS; i++) {
    CollegaStore__DealState there = world_deal_state(borrower[i], &deal[i], NULL);
    assert_true((there == CONCLUDED) == (world_deal_state(lender, &deal[i], NULL) == CONCLUDED));
    concluded += there == CONCLUDED;
  }
  assert_int_equal(concluded, 3);
  world->now += 30 * DAY_MS;
  world_settle(world);
  for (size_t i = 0; i < BIDDERS; i++) {
    CollegaStore__DealState there = world_deal_state(borrower[i], &deal[i], NULL);
    assert_true(there == CONCLUDED || there == VOID);
    assert_int_equal(there, world_deal_state(lender, &deal[i], NULL));
  }
  world_rebuilds(lender);
}

/* Both propose about the same two offers at once: one agreement comes of it, not two. */
static void crossing_proposals_make_one_agreement(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  struct id match = world_match(pair.borrower, &pair.in, &pair.out),
            mine = pair_propose(world, &pair, 2), theirs;
  struct proposal proposal = {.match = &match, .headcount = 1};
  struct collega_error why;
  must(deal_propose(pair.borrower->exchange, &pair.borrower->party, &proposal, world->now, &theirs,
                    &error));
  world_settle(world);
  assert_int_equal(world_deal_state(pair.lender, &theirs, NULL), RECEIVED);
  assert_int_equal(world_deal_state(pair.borrower, &mine, NULL), RECEIVED);
  must(
      deal_accept(pair.borrower->exchange, &pair.borrower->party, &mine, NULL, world->now, &error));
  (void)!deal_accept(pair.lender->exchange, &pair.lender->party, &theirs, NULL, world->now, &why);
  world_settle(world);
  bool first = world_deal_state(pair.lender, &mine, NULL) == CONCLUDED;
  bool second = world_deal_state(pair.lender, &theirs, NULL) == CONCLUDED;
  assert_true(first != second);
  assert_int_equal(world_deal_state(pair.borrower, &mine, NULL), first ? CONCLUDED : VOID);
  assert_int_equal(world_deal_state(pair.borrower, &theirs, NULL), second ? CONCLUDED : VOID);
  assert_int_equal(world_deal_state(pair.lender, first ? &theirs : &mine, NULL), VOID);
  world_rebuilds(pair.lender);
  world_rebuilds(pair.borrower);
  /* The next negotiation of the pair has a root of its own. (Matches are the matcher's:
   * rebuilding drops them.) */
  pair.match = world_match(pair.lender, &pair.out, &pair.in);
  struct id next = pair_propose(world, &pair, 1);
  world_settle(world);
  assert_int_equal(world_deal_state(pair.borrower, &next, NULL), RECEIVED);
}

/* A session that broke before the answers came: everything is sent again, and nothing happens
 * twice. */
static void what_was_sent_before_a_new_session_counts_once(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  struct id deal = pair_propose(world, &pair, 2);
  world_settle(world);
  must(
      deal_accept(pair.borrower->exchange, &pair.borrower->party, &deal, NULL, world->now, &error));
  world_settle(world);
  uint64_t entries = world_entries(pair.lender);
  world_welcome(world, pair.lender);
  world_welcome(world, pair.borrower);
  pair.lender->board = 0; /* the broker begins the board again too */
  world_settle(world);
  assert_int_equal(world_deal_state(pair.lender, &deal, NULL), CONCLUDED);
  assert_int_equal(world_entries(pair.lender), entries);
}

/* Somebody joined and proposed while this home was away, and the mail comes before the board. */
static void mail_of_a_new_member_waits_for_its_card(void **state) {
  struct world *world = *state;
  struct home *old = world_home(world, "Bakker BV", "87654321", true);
  struct short_id in = world_publish(world, old, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_IN, 2);
  world_settle(world);
  old->welcomed = false;
  struct home *fresh = world_home(world, "Snijder BV", "12345678", true);
  struct short_id out = world_publish(world, fresh, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT, 3);
  world_settle(world);
  struct id match = world_match(fresh, &out, &in), deal;
  struct proposal proposal = {.match = &match};
  must(deal_propose(fresh->exchange, &fresh->party, &proposal, world->now, &deal, &error));
  world_settle(world);
  world_welcome(world, old);
  assert_true(world_mail(world, old));
  assert_int_equal(world_deal_state(old, &deal, NULL), 0);
  /* Also when the session breaks before the board has come. */
  world_welcome(world, old);
  assert_true(world_mail(world, old));
  assert_int_equal(world_deal_state(old, &deal, NULL), 0);
  assert_true(world_board(world, old));
  assert_int_equal(world_deal_state(old, &deal, NULL), RECEIVED);
  must(deal_accept(old->exchange, &old->party, &deal, NULL, world->now, &error));
  world_settle(world);
  assert_int_equal(world_deal_state(fresh, &deal, NULL), CONCLUDED);
  world_rebuilds(old);
}

/* ---- bad mail */

static void mail_that_cannot_be_opened_is_recorded_and_acknowledged(void **state) {
  struct world *world = *state;
  struct pair pair = pair_make(world, 3, 2);
  struct arena *arena = arena_new(65536, 1u << 24);
  Collega__FromBroker from = COLLEGA__FROM_BROKER__INIT;
  Collega__Mail mail = COLLEGA__MAIL__INIT;
  Collega__MailItem item = COLLEGA__MAIL_ITEM__INIT, *items = &item;
  Collega__Envelope envelope = COLLEGA__ENVELOPE__INIT;
  CollegaStore__BrokerRow *broker = NULL;
  struct ledger_txn *txn = NULL;
  uint8_t sealed[1024];
  random_fill(sealed, sizeof sealed);
  must(ledger_read(exchange_ledger(pair.borrower->exchange), &txn, &error));
  must(exchange_broker(txn, arena, &broker, &error));
  ledger_abort(&txn);
  envelope.from = (ProtobufCBinaryData){ID_BYTES, pair.lender->party.byte};
  envelope.to = mail.party = (ProtobufCBinaryData){ID_BYTES, pair.borrower->party.byte};
  envelope.epoch = mail.epoch = broker->epoch;
  envelope.seq = item.seq = 1;
  envelope.not_after = world->now + DAY_MS;
  envelope.sealed = (ProtobufCBinaryData){sizeof sealed, sealed};
  struct bytes packed = message_pack(&envelope.base, arena);
  item.has_envelope = true;
  item.envelope = (ProtobufCBinaryData){packed.length, (uint8_t *)(uintptr_t)packed.data};
  mail.n_items = 1;
  mail.items = &items;
  from.mail = &mail;
  uint64_t entries = world_entries(pair.borrower);
  must(world_deliver(world, pair.borrower, message_pack(&from.base, arena)));
  assert_int_equal(world_entries(pair.borrower), entries + 1);
  struct ledger_event event;
  must(ledger_read(exchange_ledger(pair.borrower->exchange), &txn, &error));
  must(ledger_entry(txn, entries + 1, arena, &event, &error));
  ledger_abort(&txn);
  assert_int_equal(event.kind, COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MAIL_BAD);
  world_rebuilds(pair.borrower);
  arena_destroy(&arena);
}

/* A Welcome while letters wait: the question about each proposal follows its own letter, and none is left out. */
static void questions_of_a_welcome_follow_their_letters(void **state) {
  struct world *world = *state;
  static const char *const kvk[] = {"22345678", "32345678", "42345678", "52345678"};
  enum { BIDS = sizeof kvk / sizeof kvk[0] };
  struct home *lender = world_home(world, "Snijder BV", "12345678", true);
  struct short_id out =
      world_publish(world, lender, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT, 2 * BIDS);
  struct short_id in[BIDS];
  struct id deal[BIDS];
  uint32_t acts, asked = 0;
  for (size_t i = 0; i < BIDS; i++)
    in[i] = world_publish(world, world_home(world, "Bakker BV", kvk[i], true),
                          COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_IN, 2);
  world_settle(world);
  for (size_t i = 0; i < BIDS; i++) {
    struct id match = world_match(lender, &out, &in[i]);
    struct proposal proposal = {.match = &match, .headcount = 2};
    must(deal_propose(lender->exchange, &lender->party, &proposal, world->now, &deal[i], &error));
  }
  must(exchange_sign(lender->exchange, world->now, true, &acts, &error));
  assert_int_equal(acts, BIDS);
  world_welcome(world, lender);
  must(exchange_sign(lender->exchange, world->now, true, &acts, &error));
  assert_int_equal(acts, 0); /* all letters are still here */
  for (size_t i = 0; i < BIDS; i++) {
    assert_true(world_send_waiting(world, lender));
    must(exchange_sign(lender->exchange, world->now, true, &acts, &error));
    asked += acts;
    assert_int_equal(asked, i + 1);
  }
  world_settle(world);
  for (size_t i = 0; i < BIDS; i++)
    assert_int_equal(world_deal_state(lender, &deal[i], NULL), PROPOSED);
}

#define world_test(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      world_test(a_proposal_that_is_accepted_is_concluded_on_both_sides),
      world_test(a_proof_that_would_not_verify_is_not_given),
      world_test(the_proof_of_either_side_is_valid),
      world_test(the_borrower_may_propose_too_and_tells_the_address),
      world_test(a_proposal_to_an_offer_makes_a_capacity_to_fit),
      world_test(terms_of_the_user_win_over_those_of_the_offers),
      world_test(a_transfer_has_no_end_and_takes_its_place_for_good),
      world_test(questions_of_a_welcome_follow_their_letters),
      world_test(a_declined_proposal_is_void_and_frees_its_hold),
      world_test(a_draft_is_withdrawn_at_once_and_a_proposal_by_the_decider),
      world_test(an_unanswered_proposal_lapses_on_both_sides),
      world_test(a_draft_past_its_time_is_dropped),
      world_test(a_message_refused_for_its_head_ends_its_hold),
      world_test(a_proposal_keeps_to_the_limits_of_both_offers),
      world_test(an_own_offer_is_not_proposed_to_nor_one_that_is_withdrawn),
      world_test(an_acceptance_on_a_withdrawn_offer_is_refused),
      world_test(ten_proposals_of_one_offer_never_hold_more_than_it_has),
      world_test(ten_bidders_for_three_people_get_three),
      world_test(crossing_proposals_make_one_agreement),
      world_test(what_was_sent_before_a_new_session_counts_once),
      world_test(mail_of_a_new_member_waits_for_its_card),
      world_test(mail_that_cannot_be_opened_is_recorded_and_acknowledged),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
