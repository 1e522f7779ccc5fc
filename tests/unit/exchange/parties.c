/* Several parties in one home: they deal with each other, and a rebuild and a restore keep them apart. */
#include "world.h"

#include <stdio.h>
#include <string.h>

#include "base/words.h"
#include "client/exchange/backup.h"

#define CONCLUDED COLLEGA_STORE__DEAL_STATE__DEAL_STATE_CONCLUDED
#define PROPOSED  COLLEGA_STORE__DEAL_STATE__DEAL_STATE_PROPOSED
#define RECEIVED  COLLEGA_STORE__DEAL_STATE__DEAL_STATE_RECEIVED
#define VOID      COLLEGA_STORE__DEAL_STATE__DEAL_STATE_VOID

struct place {
  struct home *host, lender, borrower; /* the last two live at the first */
  struct short_id out, in;
  struct id match;
};

static void look(struct place *place) {
  place->lender = world_hosted(place->host, 0);
  place->borrower = world_hosted(place->host, 1);
}

static struct place make_place(struct world *world) {
  struct place place = {.host = world_network(world, "ACE West", "90000001")};
  world_host(world, place.host, "Snijder BV", "12345678");
  world_host(world, place.host, "Bakker BV", "87654321");
  look(&place);
  place.out = world_publish(world, &place.lender, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT, 3);
  place.in = world_publish(world, &place.borrower, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_IN, 2);
  world_settle(world);
  place.match = world_match(&place.lender, &place.out, &place.in);
  return place;
}

static struct id propose(struct world *world, const struct place *place, uint32_t headcount) {
  struct proposal proposal = {.match = &place->match, .headcount = headcount};
  struct id deal;
  must(deal_propose(place->lender.exchange, &place->lender.party, &proposal, world->now, &deal,
                    &error));
  world_settle(world);
  return deal;
}

static void accept_deal(struct world *world, const struct place *place, const struct id *deal) {
  must(deal_accept(place->borrower.exchange, &place->borrower.party, deal, NULL, world->now,
                   &error));
  world_settle(world);
}

static void two_of_one_home_conclude_and_each_has_its_side(void **state) {
  struct world *world = *state;
  struct place place = make_place(world);
  struct id deal = propose(world, &place, 2);
  assert_int_equal(world_deal_state(&place.lender, &deal, NULL), PROPOSED);
  assert_int_equal(world_deal_state(&place.borrower, &deal, NULL), RECEIVED);
  assert_int_equal(world_deal_state(place.host, &deal, NULL), 0);
  accept_deal(world, &place, &deal);
  assert_int_equal(world_deal_state(&place.lender, &deal, NULL), CONCLUDED);
  assert_int_equal(world_deal_state(&place.borrower, &deal, NULL), CONCLUDED);
  assert_int_equal(world_standing(&place.lender, &place.out), 2);
  assert_int_equal(world_standing(&place.borrower, &place.in), 2);
  world_rebuilds(place.host);
}

static void a_declined_proposal_is_void_on_both_sides_and_frees_both(void **state) {
  struct world *world = *state;
  struct place place = make_place(world);
  struct id deal = propose(world, &place, 1);
  must(deal_decline(place.borrower.exchange, &place.borrower.party, &deal, world->now, &error));
  world_settle(world);
  assert_int_equal(world_deal_state(&place.lender, &deal, NULL), VOID);
  assert_int_equal(world_deal_state(&place.borrower, &deal, NULL), VOID);
  assert_int_equal(world_standing(&place.lender, &place.out), 0);
  assert_int_equal(world_standing(&place.borrower, &place.in), 0);
  world_rebuilds(place.host);
}

static void a_counter_and_a_release_between_neighbours_end_as_they_should(void **state) {
  struct world *world = *state;
  struct place place = make_place(world);
  struct id first = propose(world, &place, 2), counter;
  struct proposal fewer = {.headcount = 1};
  must(deal_counter(place.borrower.exchange, &place.borrower.party, &first, &fewer, world->now,
                    &counter, &error));
  world_settle(world);
  must(deal_accept(place.lender.exchange, &place.lender.party, &counter, NULL, world->now, &error));
  world_settle(world);
  assert_int_equal(world_deal_state(&place.borrower, &counter, NULL), CONCLUDED);
  assert_int_equal(world_deal_state(&place.lender, &counter, NULL), CONCLUDED);
  assert_int_equal(world_deal_state(&place.lender, &first, NULL), VOID);
  must(deal_release(place.lender.exchange, &place.lender.party, &counter, DEAL_RELEASE_ASK,
                    world->now, &error));
  world_settle(world);
  must(deal_release(place.borrower.exchange, &place.borrower.party, &counter, DEAL_RELEASE_SIGN,
                    world->now, &error));
  world_settle(world);
  assert_int_equal(world_deal_state(&place.lender, &counter, NULL),
                   COLLEGA_STORE__DEAL_STATE__DEAL_STATE_RELEASED);
  assert_int_equal(world_deal_state(&place.borrower, &counter, NULL),
                   COLLEGA_STORE__DEAL_STATE__DEAL_STATE_RELEASED);
  assert_int_equal(world_standing(&place.lender, &place.out), 0);
  assert_int_equal(world_standing(&place.borrower, &place.in), 0);
  world_rebuilds(place.host);
}

static void a_party_acts_on_its_own_deals_and_offers_only(void **state) {
  struct world *world = *state;
  struct place place = make_place(world);
  struct id deal = propose(world, &place, 2);
  struct collega_error error;
  assert_int_equal(
      deal_accept(place.host->exchange, &place.host->party, &deal, NULL, world->now, &error),
      COLLEGA_NOT_FOUND);
  assert_int_equal(world_withdraw(world, &place.lender, &place.in, &error), COLLEGA_REFUSED);
  assert_int_equal(error.rule, RULE_offer_not_yours);
}

static void a_restored_host_fetches_for_every_party(void **state) {
  struct world *world = *state;
  struct place place = make_place(world);
  char copy[160];
  snprintf(copy, sizeof copy, "%s/backup", world->directory);
  must(node_backup(place.host->exchange, copy, &error));
  struct id deal = propose(world, &place, 2);
  accept_deal(world, &place, &deal);

  exchange_close(&place.host->exchange);
  snprintf(place.host->path, sizeof place.host->path, "%s/restored", world->directory);
  must(node_restore(copy, place.host->path, world->now, &error));
  must(exchange_open(place.host->path, &place.host->exchange, &error));
  place.host->restored = true;
  place.host->caught_up = false;
  world_welcome(world, place.host);
  assert_true(place.host->behind);
  while (!place.host->caught_up)
    assert_true(world_board(world, place.host));
  place.host->behind = false;
  world_welcome(world, place.host);
  assert_false(place.host->behind);
  world_settle(world);
  look(&place);
  assert_int_equal(world_deal_state(&place.lender, &deal, NULL), CONCLUDED);
  assert_int_equal(world_deal_state(&place.borrower, &deal, NULL), CONCLUDED);
  assert_int_equal(world_standing(&place.lender, &place.out), 2);
  assert_int_equal(world_standing(&place.borrower, &place.in), 2);
  world_rebuilds(place.host);
}

/* A backup from before the party came has no keys of it: its mail is left alone, the others' is read. */
static void mail_for_a_party_whose_keys_are_gone_stops_nobody(void **state) {
  struct world *world = *state;
  struct home *host = world_network(world, "ACE West", "90000001");
  world_host(world, host, "Snijder BV", "12345678");
  char copy[160];
  snprintf(copy, sizeof copy, "%s/backup", world->directory);
  must(node_backup(host->exchange, copy, &error));
  world_host(world, host, "Bakker BV", "87654321");
  struct home lender = world_hosted(host, 0), borrower = world_hosted(host, 1);
  struct short_id out = world_publish(world, &lender, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT, 3);
  struct short_id in = world_publish(world, &borrower, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_IN, 2);
  world_settle(world);
  struct id match = world_match(&lender, &out, &in), deal;
  struct proposal proposal = {.match = &match, .headcount = 1};
  must(deal_propose(lender.exchange, &lender.party, &proposal, world->now, &deal, &error));
  world_settle(world);

  exchange_close(&host->exchange);
  snprintf(host->path, sizeof host->path, "%s/restored", world->directory);
  must(node_restore(copy, host->path, world->now, &error));
  must(exchange_open(host->path, &host->exchange, &error));
  host->restored = true;
  world_welcome(world, host);
  while (!host->caught_up)
    assert_true(world_board(world, host));
  world_welcome(world, host);
  world_settle(world);
  lender = world_hosted(host, 0);
  assert_int_equal(world_deal_state(&lender, &deal, NULL), PROPOSED);
  world_rebuilds(host);
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
      TEST(two_of_one_home_conclude_and_each_has_its_side),
      TEST(a_declined_proposal_is_void_on_both_sides_and_frees_both),
      TEST(a_counter_and_a_release_between_neighbours_end_as_they_should),
      TEST(a_party_acts_on_its_own_deals_and_offers_only),
      TEST(a_restored_host_fetches_for_every_party),
      TEST(mail_for_a_party_whose_keys_are_gone_stops_nobody),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
