/* What becomes of an offer: states, revisions, audiences, and being full. */
#include "pair.h"

#include <string.h>

#include "proto/guard.h"

#define OPEN      COLLEGA__OFFER_STATE__OFFER_STATE_OPEN
#define PAUSED    COLLEGA__OFFER_STATE__OFFER_STATE_PAUSED
#define FILLED    COLLEGA__OFFER_STATE__OFFER_STATE_FILLED
#define WITHDRAWN COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN
#define LOAN_OUT  COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT
#define LOAN_IN   COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_IN

static Collega__OfferState state_at(struct home *home, const struct short_id *offer) {
  struct arena *arena = arena_new(65536, 1u << 24);
  CollegaStore__OfferRow *row = world_offer_row(home, offer, arena);
  uint32_t state = row ? row->state : 0;
  arena_destroy(&arena);
  return (Collega__OfferState)state;
}

static uint32_t revision_at(struct home *home, const struct short_id *offer) {
  struct arena *arena = arena_new(65536, 1u << 24);
  CollegaStore__OfferRow *row = world_offer_row(home, offer, arena);
  uint32_t revision = row ? row->revision : 0;
  arena_destroy(&arena);
  return revision;
}

static enum collega_status set(struct world *world, struct home *home, const struct short_id *offer,
                               Collega__OfferState state, struct collega_error *error) {
  return offer_set_state(home->exchange, &home->party, offer, state, world->now, error);
}

static enum collega_status revise(struct world *world, struct home *home,
                                  const struct short_id *offer, const Collega__Offer *content,
                                  struct collega_error *error) {
  struct offer_input input = {content, NULL};
  uint32_t revision = 0;
  return offer_revise(home->exchange, &home->party, offer, &input, world->now, &revision, error);
}

static struct id propose(struct world *world, struct home *home, const struct id *match,
                         uint32_t headcount) {
  struct proposal proposal = {
      .match = match, .headcount = headcount, .accept_by = world->now + 3 * DAY_MS};
  struct id deal;
  must(deal_propose(home->exchange, &home->party, &proposal, world->now, &deal, &error));
  return deal;
}

/* A lender of `headcount` and a borrower of as many, who know of each other's offers. */
static struct pair paired(struct world *world, uint32_t headcount) {
  struct pair pair = pair_make(world, headcount, headcount);
  pair_match_borrower(&pair);
  return pair;
}

static void states_follow_one_another_at_all(void **state) {
  struct world *world = *state;
  struct home *a = world_home(world, "Snijder BV", "12345678", true);
  struct home *b = world_home(world, "Bakker BV", "87654321", true);
  struct collega_error why;
  struct short_id id = world_publish(world, a, LOAN_OUT, 3);
  static const Collega__OfferState walk[] = {PAUSED, OPEN, FILLED, OPEN, PAUSED, FILLED, WITHDRAWN};
  assert_int_equal(set(world, a, &id, OPEN, &why), COLLEGA_REFUSED);
  assert_int_equal(why.rule, RULE_offer_already);
  for (size_t i = 0; i < sizeof walk / sizeof *walk; i++) {
    must(set(world, a, &id, walk[i], &error));
    world_settle(world);
    assert_int_equal(state_at(a, &id), walk[i]);
    assert_int_equal(state_at(b, &id), walk[i]);
    assert_int_equal(revision_at(b, &id), 1);
    assert_int_equal(set(world, b, &id, PAUSED, &why), COLLEGA_REFUSED);
    assert_int_equal(why.rule, RULE_offer_not_yours);
  }
  uint64_t entries = world_entries(a);
  assert_int_equal(set(world, a, &id, OPEN, &why), COLLEGA_REFUSED);
  assert_int_equal(why.rule, RULE_offer_already);
  Collega__Offer offer;
  world_offer(&offer, LOAN_OUT, 3);
  assert_int_equal(revise(world, a, &id, &offer, &why), COLLEGA_REFUSED);
  struct short_id other;
  memset(&other, 9, sizeof other);
  assert_int_equal(set(world, a, &other, OPEN, &why), COLLEGA_NOT_FOUND);
  assert_int_equal(world_entries(a), entries);
}

static void an_expired_offer_is_not_changed_any_more(void **state) {
  struct world *world = *state;
  struct home *a = world_home(world, "Snijder BV", "12345678", true);
  struct collega_error why;
  Collega__Offer offer;
  struct short_id id;
  world_offer(&offer, LOAN_OUT, 3);
  offer.has_expires = true;
  offer.expires = world->now + HOUR_MS;
  struct offer_input input = {&offer, NULL};
  must(offer_publish(a->exchange, &a->party, &input, 1, world->now, &id, &error));
  world_settle(world);
  world->now += HOUR_MS;
  assert_int_equal(set(world, a, &id, PAUSED, &why), COLLEGA_REFUSED);
  assert_string_equal(why.argument[0], "expired");
  offer.has_expires = false;
  assert_int_equal(revise(world, a, &id, &offer, &why), COLLEGA_REFUSED);
  assert_string_equal(why.argument[0], "expired");
}

static void a_revision_is_a_new_content_and_keeps_state_and_private_part(void **state) {
  struct world *world = *state;
  struct home *a = world_home(world, "Snijder BV", "12345678", true);
  struct home *b = world_home(world, "Bakker BV", "87654321", true);
  struct arena *arena = arena_new(65536, 1u << 24);
  struct collega_error why;
  struct short_id id = world_publish(world, a, LOAN_OUT, 3);
  must(set(world, a, &id, PAUSED, &error));
  world_settle(world);
  Collega__Offer offer, *read;
  world_offer(&offer, LOAN_OUT, 5);
  must(revise(world, a, &id, &offer, &error));
  world_settle(world);
  for (size_t i = 0; i < 2; i++) {
    CollegaStore__OfferRow *row = world_offer_row(i ? b : a, &id, arena);
    must(offer_of_row(row, arena, &read, &error));
    assert_int_equal(row->revision, 2);
    assert_int_equal(row->state, PAUSED);
    assert_int_equal(read->headcount, 5);
    assert_non_null(row->position);
    assert_int_equal(row->has_private_, i == 0);
  }
  world_offer(&offer, LOAN_IN, 5);
  assert_int_equal(revise(world, a, &id, &offer, &why), COLLEGA_REFUSED);
  assert_int_equal(why.rule, RULE_offer_kind_stays);
  assert_string_equal(why.field, "kind");
  world_offer(&offer, LOAN_OUT, 0);
  assert_int_equal(revise(world, a, &id, &offer, &why), COLLEGA_INVALID);
  assert_int_equal(revision_at(a, &id), 2);
  arena_destroy(&arena);
}

static void no_day_is_revised_below_what_is_agreed_and_held(void **state) {
  struct pair pair = paired(*state, 6);
  struct world *world = pair.world;
  struct collega_error why;
  Collega__Offer offer;
  struct id deal = propose(world, pair.borrower, &pair.match, 4);
  world_settle(world); /* held at the borrower, known at the lender */
  world_offer(&offer, LOAN_IN, 3);
  assert_int_equal(revise(world, pair.borrower, &pair.in, &offer, &why), COLLEGA_REFUSED);
  assert_int_equal(why.rule, RULE_offer_below_holds);
  assert_string_equal(why.field, "headcount");
  assert_string_equal(why.argument[0], "2027-01-04");
  assert_string_equal(why.argument[1], "4");
  assert_string_equal(why.argument[2], "3");
  world_offer(&offer, LOAN_IN, 6);
  (void)date_read("2027-03-01", &offer.period->until);
  assert_int_equal(revise(world, pair.borrower, &pair.in, &offer, &why), COLLEGA_REFUSED);
  assert_string_equal(why.field, "period");
  assert_string_equal(why.argument[0], "2027-03-02");
  world_offer(&offer, LOAN_IN, 4);
  must(revise(world, pair.borrower, &pair.in, &offer, &error));
  /* The lender has promised nothing yet: it may offer less, and then cannot accept. */
  world_offer(&offer, LOAN_OUT, 3);
  must(revise(world, pair.lender, &pair.out, &offer, &error));
  assert_int_equal(
      deal_accept(pair.lender->exchange, &pair.lender->party, &deal, NULL, world->now, &why),
      COLLEGA_REFUSED);
  assert_int_equal(why.rule, RULE_offer_changed);
  world_offer(&offer, LOAN_OUT, 9);
  must(revise(world, pair.lender, &pair.out, &offer, &error));
  must(deal_accept(pair.lender->exchange, &pair.lender->party, &deal, NULL, world->now, &error));
  world_settle(world);
  assert_int_equal(world_deal_state(pair.lender, &deal, NULL),
                   COLLEGA_STORE__DEAL_STATE__DEAL_STATE_CONCLUDED);
  world_offer(&offer, LOAN_OUT, 3);
  assert_int_equal(revise(world, pair.lender, &pair.out, &offer, &why), COLLEGA_REFUSED);
  assert_int_equal(why.rule, RULE_offer_below_holds);
}

static void a_withdrawal_blocks_new_signatures_and_not_given_ones(void **state) {
  struct pair pair = paired(*state, 3);
  struct world *world = pair.world;
  struct collega_error why;
  struct id deal = propose(world, pair.borrower, &pair.match, 3);
  world_settle(world);
  must(world_withdraw(world, pair.borrower, &pair.in, &error));
  world_settle(world);
  must(deal_accept(pair.lender->exchange, &pair.lender->party, &deal, NULL, world->now, &error));
  world_settle(world);
  assert_int_equal(world_deal_state(pair.borrower, &deal, NULL),
                   COLLEGA_STORE__DEAL_STATE__DEAL_STATE_CONCLUDED);
  assert_int_equal(state_at(pair.borrower, &pair.in), WITHDRAWN);
  struct proposal again = {.match = &pair.match, .accept_by = world->now + DAY_MS};
  assert_int_equal(
      deal_propose(pair.lender->exchange, &pair.lender->party, &again, world->now, &deal, &why),
      COLLEGA_REFUSED);
  assert_int_equal(why.rule, RULE_offer_not_open);
}

static void a_proposal_to_an_expired_offer_says_so(void **state) {
  struct pair pair = paired(*state, 3);
  struct collega_error why;
  struct id deal;
  collega_time later = pair.world->now + 200 * DAY_MS;
  struct proposal proposal = {.match = &pair.match, .accept_by = later + DAY_MS};
  assert_int_equal(
      deal_propose(pair.borrower->exchange, &pair.borrower->party, &proposal, later, &deal, &why),
      COLLEGA_REFUSED);
  assert_int_equal(why.rule, RULE_offer_expired);
}

static void an_offer_of_which_all_are_agreed_is_filled_by_itself(void **state) {
  struct pair pair = paired(*state, 3);
  struct world *world = pair.world;
  Collega__Offer offer;
  struct id deal = propose(world, pair.borrower, &pair.match, 2);
  world_settle(world);
  must(deal_accept(pair.lender->exchange, &pair.lender->party, &deal, NULL, world->now, &error));
  world_settle(world);
  assert_int_equal(state_at(pair.lender, &pair.out), OPEN);
  world_offer(&offer, LOAN_OUT, 2); /* the third is not on offer any more: full */
  must(revise(world, pair.lender, &pair.out, &offer, &error));
  world_settle(world);
  assert_int_equal(state_at(pair.lender, &pair.out), FILLED);
  assert_int_equal(state_at(pair.borrower, &pair.out), FILLED);
  assert_int_equal(state_at(pair.borrower, &pair.in), OPEN);
  world_offer(&offer, LOAN_OUT, 4); /* two more: there is room again */
  must(revise(world, pair.lender, &pair.out, &offer, &error));
  assert_int_equal(state_at(pair.lender, &pair.out), FILLED);
  world_reopen(pair.lender); /* another process: it finds what the first one filled */
  world_settle(world);
  assert_int_equal(state_at(pair.lender, &pair.out), OPEN);
  assert_int_equal(state_at(pair.borrower, &pair.out), OPEN);
  must(set(world, pair.lender, &pair.out, FILLED, &error)); /* what the user says stays */
  world_settle(world);
  assert_int_equal(state_at(pair.lender, &pair.out), FILLED);
  for (size_t i = 0; i < world->count; i++) {
    struct id before = world_tables(&world->home[i]), after;
    must(ledger_rebuild(exchange_ledger(world->home[i].exchange), exchange_apply,
                        world->home[i].exchange, &error));
    after = world_tables(&world->home[i]);
    assert_memory_equal(&after, &before, sizeof before);
  }
}

static void audiences_narrow_and_widen(void **state) {
  struct world *world = *state;
  struct home *a = world_home(world, "Snijder BV", "12345678", true);
  struct home *b = world_home(world, "Bakker BV", "87654321", true);
  struct home *c = world_home(world, "Visser BV", "11223344", true);
  struct collega_error why;
  Collega__Offer offer;
  world_settle(world);
  struct short_id id = world_publish(world, a, LOAN_OUT, 3);
  world_settle(world);
  world_offer(&offer, LOAN_OUT, 4);
  offer.audience = (char *)(uintptr_t) "named:87654321";
  must(revise(world, a, &id, &offer, &error));
  world_settle(world);
  assert_int_equal(state_at(b, &id), OPEN);
  assert_int_equal(revision_at(b, &id), 2);
  assert_int_equal(state_at(c, &id), WITHDRAWN);
  assert_int_equal(revision_at(c, &id), 1); /* it never saw the second */
  must(set(world, a, &id, PAUSED, &error));
  world_settle(world);
  assert_int_equal(state_at(b, &id), PAUSED);
  assert_int_equal(state_at(c, &id), WITHDRAWN);
  offer.audience = (char *)(uintptr_t) "named:11223344";
  must(revise(world, a, &id, &offer, &error));
  world_settle(world);
  assert_int_equal(state_at(b, &id), WITHDRAWN);
  assert_int_equal(state_at(c, &id), PAUSED);
  offer.audience = NULL;
  must(revise(world, a, &id, &offer, &error));
  must(set(world, a, &id, OPEN, &error));
  world_settle(world);
  assert_int_equal(state_at(b, &id), OPEN);
  assert_int_equal(state_at(c, &id), OPEN);
  assert_int_equal(revision_at(b, &id), 4);
  uint64_t entries = world_entries(a);
  offer.audience = (char *)(uintptr_t) "named:87654321,55555555";
  assert_int_equal(revise(world, a, &id, &offer, &why), COLLEGA_NOT_FOUND);
  assert_int_equal(why.rule, RULE_audience_unknown);
  assert_string_equal(why.argument[0], "55555555");
  assert_int_equal(world_entries(a), entries);
}

static void an_offer_that_points_at_one_person_is_seen(void **state) {
  (void)state;
  Collega__Offer offer;
  Collega__Credential first = COLLEGA__CREDENTIAL__INIT, second = COLLEGA__CREDENTIAL__INIT;
  Collega__Credential *both[2] = {&first, &second};
  world_offer(&offer, LOAN_OUT, 1);
  first.code = (char *)(uintptr_t) "forklift";
  second.code = (char *)(uintptr_t) "vca-basic";
  first.has_need = second.has_need = true;
  first.need = second.need = COLLEGA__NEED__NEED_MUST;
  offer.credentials = both;
  offer.n_credentials = 2;
  assert_false(offer_points_at_one(&offer));
  offer.establishment = (char *)(uintptr_t) "000012345678";
  assert_true(offer_points_at_one(&offer));
  second.need = COLLEGA__NEED__NEED_NICE;
  assert_false(offer_points_at_one(&offer));
  offer.place->postcode = (char *)(uintptr_t) "4811AB";
  assert_true(offer_points_at_one(&offer));
  offer.kind = LOAN_IN;
  assert_false(offer_points_at_one(&offer)); /* who is asked for is nobody yet */
  offer.kind = LOAN_OUT;
  offer.headcount = 2;
  assert_false(offer_points_at_one(&offer));
  offer.place->postcode = NULL;
}

#define world_test(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      world_test(states_follow_one_another_at_all),
      world_test(an_expired_offer_is_not_changed_any_more),
      world_test(a_revision_is_a_new_content_and_keeps_state_and_private_part),
      world_test(no_day_is_revised_below_what_is_agreed_and_held),
      world_test(a_withdrawal_blocks_new_signatures_and_not_given_ones),
      world_test(a_proposal_to_an_expired_offer_says_so),
      world_test(an_offer_of_which_all_are_agreed_is_filled_by_itself),
      world_test(audiences_narrow_and_widen),
      world_test(an_offer_that_points_at_one_person_is_seen),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
