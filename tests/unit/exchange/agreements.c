/* What becomes of proposals and agreements, between homes in one process: holds per day, both sides
 * alike, every frame delivered twice, and every ledger rebuilt to the same rows. */
#include "pair.h"

#include <stdio.h>
#include <string.h>

#include "base/words.h"

#define RECEIVED   COLLEGA_STORE__DEAL_STATE__DEAL_STATE_RECEIVED
#define CONCLUDED  COLLEGA_STORE__DEAL_STATE__DEAL_STATE_CONCLUDED
#define VOID       COLLEGA_STORE__DEAL_STATE__DEAL_STATE_VOID
#define RELEASED   COLLEGA_STORE__DEAL_STATE__DEAL_STATE_RELEASED
#define TERMINATED COLLEGA_STORE__DEAL_STATE__DEAL_STATE_TERMINATED

/* A lender with five people to lend, a borrower who wants four, and their match at both. */
static struct pair make_pair(struct world *world) {
  struct pair pair = pair_make(world, 5, 4);
  pair_match_borrower(&pair);
  return pair;
}

static collega_date day(const char *text) {
  collega_date date = 0;
  assert_true(date_read(text, &date));
  return date;
}

static uint64_t standing(const struct pair *pair, struct home *home, const char *from,
                         const char *until) {
  struct ledger_txn *txn = NULL;
  const struct short_id *offer = home == pair->lender ? &pair->out : &pair->in;
  uint64_t most = 0;
  must(ledger_read(exchange_ledger(home->exchange), &txn, &error));
  must(holds_most(txn, &home->party, offer, day(from), day(until), false, &most, &error));
  ledger_abort(&txn);
  return most;
}

static uint64_t all_days(const struct pair *pair, struct home *home) {
  return standing(pair, home, "2027-01-04", "2027-12-31");
}

static void rebuilds(struct pair *pair) {
  struct home *homes[] = {pair->lender, pair->borrower};
  for (size_t i = 0; i < 2; i++) {
    struct id before = world_tables(homes[i]), after;
    must(ledger_rebuild(exchange_ledger(homes[i]->exchange), exchange_apply, homes[i]->exchange,
                        &error));
    after = world_tables(homes[i]);
    assert_memory_equal(&after, &before, sizeof before);
  }
}

static struct id propose(struct pair *pair, struct home *home, uint32_t headcount) {
  struct proposal proposal = {.match = &pair->match, .headcount = headcount};
  struct id deal;
  must(deal_propose(home->exchange, &home->party, &proposal, pair->world->now, &deal, &error));
  world_settle(pair->world);
  return deal;
}

static void accept(struct pair *pair, struct home *home, const struct id *deal) {
  must(deal_accept(home->exchange, &home->party, deal, NULL, pair->world->now, &error));
  world_settle(pair->world);
}

static struct id conclude(struct pair *pair, uint32_t headcount) {
  struct id deal = propose(pair, pair->lender, headcount);
  accept(pair, pair->borrower, &deal);
  assert_int_equal(world_deal_state(pair->lender, &deal, NULL), CONCLUDED);
  return deal;
}

static struct id counter(struct pair *pair, struct home *home, const struct id *deal,
                         uint32_t headcount) {
  struct proposal proposal = {.headcount = headcount};
  struct id made;
  must(
      deal_counter(home->exchange, &home->party, deal, &proposal, pair->world->now, &made, &error));
  world_settle(pair->world);
  return made;
}

static struct id amend(struct pair *pair, struct home *home, const struct id *deal,
                       const struct proposal *proposal) {
  struct id made;
  must(deal_amend(home->exchange, &home->party, deal, proposal, pair->world->now, &made, &error));
  world_settle(pair->world);
  return made;
}

static void both_are(struct pair *pair, const struct id *deal, CollegaStore__DealState state,
                     const char *why) {
  struct home *homes[] = {pair->lender, pair->borrower};
  for (size_t i = 0; i < 2; i++) {
    char said[64];
    assert_int_equal(world_deal_state(homes[i], deal, said), state);
    if (why) assert_string_equal(said, why);
  }
}

/* ---- counters */

static void a_counter_holds_the_larger_until_one_is_concluded(void **state) {
  struct pair pair = make_pair(*state);
  struct id first = propose(&pair, pair.lender, 2);
  struct id second = counter(&pair, pair.borrower, &first, 4);
  assert_int_equal(all_days(&pair, pair.lender), 2);
  assert_int_equal(all_days(&pair, pair.borrower), 4);
  struct id third = counter(&pair, pair.lender, &second, 3);
  assert_int_equal(all_days(&pair, pair.lender), 3);
  accept(&pair, pair.borrower, &third);
  both_are(&pair, &third, CONCLUDED, NULL);
  both_are(&pair, &first, VOID, "replaced");
  both_are(&pair, &second, VOID, "replaced");
  assert_int_equal(all_days(&pair, pair.lender), 3);
  assert_int_equal(all_days(&pair, pair.borrower), 3);
  rebuilds(&pair);
}

static void a_counter_has_no_more_room_than_there_is(void **state) {
  struct pair pair = make_pair(*state);
  struct collega_error why;
  struct proposal proposal = {.headcount = 3};
  struct id agreed = conclude(&pair, 3), made;
  (void)agreed;
  struct id first = propose(&pair, pair.borrower, 1);
  uint64_t before = world_entries(pair.lender);
  assert_int_equal(deal_counter(pair.lender->exchange, &pair.lender->party, &first, &proposal,
                                pair.world->now, &made, &why),
                   COLLEGA_REFUSED);
  assert_int_equal(why.rule, RULE_no_room);
  assert_int_equal(world_entries(pair.lender), before);
  assert_int_equal(world_deal_state(pair.lender, &first, NULL), RECEIVED);
}

static void a_counter_to_nothing_of_ours_is_refused(void **state) {
  struct pair pair = make_pair(*state);
  struct collega_error why;
  struct proposal proposal = {.headcount = 1};
  struct id made, agreed = conclude(&pair, 2), nothing = {{7}};
  assert_int_equal(deal_counter(pair.lender->exchange, &pair.lender->party, &nothing, &proposal,
                                pair.world->now, &made, &why),
                   COLLEGA_NOT_FOUND);
  assert_int_equal(deal_counter(pair.lender->exchange, &pair.lender->party, &agreed, &proposal,
                                pair.world->now, &made, &why),
                   COLLEGA_REFUSED);
  assert_int_equal(why.rule, RULE_deal_not_open);
  assert_int_equal(deal_amend(pair.lender->exchange, &pair.lender->party, &nothing, &proposal,
                              pair.world->now, &made, &why),
                   COLLEGA_NOT_FOUND);
}

/* ---- amendments */

static void an_amendment_holds_only_what_it_adds(void **state) {
  struct pair pair = make_pair(*state);
  struct id deal = conclude(&pair, 2);
  struct proposal longer = {.headcount = 3, .until = day("2027-06-30"), .has_until = true};
  struct id amendment = amend(&pair, pair.lender, &deal, &longer);
  assert_int_equal(standing(&pair, pair.lender, "2027-01-04", "2027-03-26"), 3);
  assert_int_equal(standing(&pair, pair.lender, "2027-06-01", "2027-12-31"), 3);
  assert_int_equal(all_days(&pair, pair.borrower), 2);
  accept(&pair, pair.borrower, &amendment);
  both_are(&pair, &amendment, CONCLUDED, NULL);
  both_are(&pair, &deal, CONCLUDED, NULL);
  assert_int_equal(standing(&pair, pair.borrower, "2027-06-30", "2027-12-31"), 3);
  assert_int_equal(standing(&pair, pair.borrower, "2027-07-01", "2027-12-31"), 0);
  struct proposal fewer = {.headcount = 1};
  struct id again = amend(&pair, pair.borrower, &amendment, &fewer);
  assert_int_equal(all_days(&pair, pair.borrower), 3); /* until the other has signed */
  accept(&pair, pair.lender, &again);
  assert_int_equal(all_days(&pair, pair.lender), 1);
  assert_int_equal(all_days(&pair, pair.borrower), 1);
  rebuilds(&pair);
}

static void a_declined_amendment_leaves_the_agreement_as_it_was(void **state) {
  struct pair pair = make_pair(*state);
  struct id deal = conclude(&pair, 2);
  struct proposal more = {.headcount = 4};
  struct id amendment = amend(&pair, pair.lender, &deal, &more);
  assert_int_equal(all_days(&pair, pair.lender), 4);
  must(deal_decline(pair.borrower->exchange, &pair.borrower->party, &amendment, pair.world->now,
                    &error));
  world_settle(pair.world);
  both_are(&pair, &amendment, VOID, "declined");
  both_are(&pair, &deal, CONCLUDED, NULL);
  assert_int_equal(all_days(&pair, pair.lender), 2);
  rebuilds(&pair);
}

static void an_amendment_that_lost_its_place_is_void(void **state) {
  struct pair pair = make_pair(*state);
  struct id deal = conclude(&pair, 2);
  struct proposal more = {.headcount = 4}, less = {.headcount = 1};
  struct id one = amend(&pair, pair.lender, &deal, &more);
  struct id two = amend(&pair, pair.borrower, &deal, &less);
  accept(&pair, pair.borrower, &one);
  both_are(&pair, &two, VOID, "overtaken");
  assert_int_equal(all_days(&pair, pair.lender), 4);
  assert_int_equal(all_days(&pair, pair.borrower), 4);
  rebuilds(&pair);
}

/* The decider's word has another name after a restore: what follows the old one cannot be decided, and both are told
 * why. Proposed anew it can. */
static void an_amendment_that_is_open_across_a_restore_is_proposed_anew(void **state) {
  struct pair pair = make_pair(*state);
  struct world *world = pair.world;
  struct proposal more = {.headcount = 4};
  char copy[128];
  snprintf(copy, sizeof copy, "%s/broker-copy", world->directory);
  struct id deal = conclude(&pair, 2);
  struct id amendment = amend(&pair, pair.lender, &deal, &more);
  world_backup_broker(world, copy);
  world_restore_broker(world, copy);
  world_welcome(world, pair.lender);
  world_welcome(world, pair.borrower);
  world_settle(world);
  both_are(&pair, &amendment, VOID, "said_anew");
  both_are(&pair, &deal, CONCLUDED, NULL);
  assert_int_equal(all_days(&pair, pair.lender), 2);
  struct id again = amend(&pair, pair.lender, &deal, &more);
  accept(&pair, pair.borrower, &again);
  both_are(&pair, &again, CONCLUDED, NULL);
  assert_int_equal(all_days(&pair, pair.lender), 4);
  assert_int_equal(all_days(&pair, pair.borrower), 4);
  rebuilds(&pair);
}

/* ---- the end */

static void terminate(struct pair *pair, struct home *home, const struct id *deal,
                      const char *effective) {
  struct id last;
  must(deal_terminate(home->exchange, &home->party, deal, day(effective), 0, NULL, pair->world->now,
                      &last, &error));
}

static void an_agreement_ends_on_its_day(void **state) {
  struct pair pair = make_pair(*state);
  struct arena *arena = arena_new(4096, 1u << 20);
  struct id deal = conclude(&pair, 3);
  terminate(&pair, pair.borrower, &deal, "2027-02-10");
  terminate(&pair, pair.borrower, &deal, "2027-02-10"); /* said twice is said once */
  struct collega_error why;
  struct id last;
  assert_int_equal(deal_terminate(pair.borrower->exchange, &pair.borrower->party, &deal,
                                  day("2027-02-11"), 0, NULL, pair.world->now, &last, &why),
                   COLLEGA_REFUSED);
  assert_int_equal(why.rule, RULE_terminate_asked);
  world_settle(pair.world);
  both_are(&pair, &deal, TERMINATED, NULL);
  struct home *homes[] = {pair.lender, pair.borrower};
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(standing(&pair, homes[i], "2027-02-10", "2027-12-31"), 3);
    assert_int_equal(standing(&pair, homes[i], "2027-02-11", "2027-12-31"), 0);
    const CollegaStore__DealRow *row = world_deal_row(homes[i], &deal, arena);
    assert_int_equal(row->effective, day("2027-02-10"));
    assert_false(row->disputed);
  }
  rebuilds(&pair);
  pair.match = world_match(pair.lender, &pair.out, &pair.in);
  arena_destroy(&arena);
}

static void ended_before_it_began_nobody_is_held(void **state) {
  struct pair pair = make_pair(*state);
  struct id deal = conclude(&pair, 3);
  char today[32];
  date_write(today, sizeof today, date_of_time(pair.world->now));
  terminate(&pair, pair.lender, &deal, today);
  world_settle(pair.world);
  both_are(&pair, &deal, TERMINATED, NULL);
  assert_int_equal(all_days(&pair, pair.lender), 0);
  assert_int_equal(all_days(&pair, pair.borrower), 0);
  rebuilds(&pair);
}

/* Both sign before either hears of the other: the end is signed again for what is the last entry. */
static void an_end_overtaken_by_an_amendment_is_signed_again(void **state) {
  struct pair pair = make_pair(*state);
  struct id deal = conclude(&pair, 2);
  struct proposal more = {.headcount = 4};
  struct id amendment = amend(&pair, pair.lender, &deal, &more);
  must(deal_accept(pair.borrower->exchange, &pair.borrower->party, &amendment, NULL,
                   pair.world->now, &error));
  terminate(&pair, pair.lender, &deal, "2027-02-10");
  world_settle(pair.world);
  both_are(&pair, &deal, TERMINATED, NULL);
  CollegaStore__DealState ended = world_deal_state(pair.lender, &amendment, NULL);
  assert_true(ended == TERMINATED || ended == VOID);
  both_are(&pair, &amendment, ended, NULL);
  assert_int_equal(standing(&pair, pair.lender, "2027-02-11", "2027-12-31"), 0);
  rebuilds(&pair);
}

/* The decider was restored and asks both sides first; one of them is away. Its answer comes long after the end was
 * signed for the agreement as it is said anew. */
static void end_across_a_restore(struct world *world, bool away) {
  struct pair pair = make_pair(world);
  char copy[128];
  snprintf(copy, sizeof copy, "%s/broker-copy", world->directory);
  struct id deal = conclude(&pair, 3);
  world_backup_broker(world, copy);
  world_restore_broker(world, copy);
  world_welcome(world, pair.borrower);
  terminate(&pair, pair.borrower, &deal, "2027-02-10");
  world_settle(world);
  both_are(&pair, &deal, CONCLUDED, NULL);
  pair.borrower->welcomed = !away;
  world_welcome(world, pair.lender);
  world_settle(world);
  if (away) world_welcome(world, pair.borrower);
  world_settle(world);
  both_are(&pair, &deal, TERMINATED, NULL);
  rebuilds(&pair);
}

static void an_end_is_signed_again_when_the_other_side_has_answered(void **state) {
  end_across_a_restore(*state, false);
}

static void an_end_is_signed_again_by_who_comes_back_after_the_other_side_has_answered(
    void **state) {
  end_across_a_restore(*state, true);
}

static void an_end_waits_for_no_agreement(void **state) {
  struct pair pair = make_pair(*state);
  struct collega_error why;
  struct id deal = propose(&pair, pair.lender, 2), last;
  assert_int_equal(deal_terminate(pair.lender->exchange, &pair.lender->party, &deal,
                                  day("2027-02-10"), 0, NULL, pair.world->now, &last, &why),
                   COLLEGA_REFUSED);
  assert_int_equal(why.rule, RULE_no_agreement);
  accept(&pair, pair.borrower, &deal);
  assert_int_equal(deal_terminate(pair.lender->exchange, &pair.lender->party, &deal,
                                  day("2027-03-26"), 1, NULL, pair.world->now, &last, &why),
                   COLLEGA_REFUSED);
  assert_int_equal(why.rule, RULE_terminate_days); /* it is the agreement's own last day */
  both_are(&pair, &deal, CONCLUDED, NULL);
}

/* ---- a part of it */

static void end_part(struct pair *pair, struct home *home, const struct id *deal,
                     uint32_t headcount, const char *effective) {
  struct id last;
  must(deal_terminate(home->exchange, &home->party, deal, day(effective), headcount, NULL,
                      pair->world->now, &last, &error));
}

static void part_is_refused(struct pair *pair, const struct id *deal, uint32_t headcount,
                            enum rule rule) {
  struct collega_error why;
  struct id last;
  assert_int_equal(deal_terminate(pair->lender->exchange, &pair->lender->party, deal,
                                  day("2027-02-10"), headcount, NULL, pair->world->now, &last,
                                  &why),
                   COLLEGA_REFUSED);
  assert_int_equal(why.rule, rule);
  if (rule == RULE_terminate_headcount) assert_string_equal(why.field, "headcount");
}

/* How many stand on one day, at both. */
static void both_hold(struct pair *pair, const char *on, uint64_t people) {
  assert_int_equal(standing(pair, pair->lender, on, on), people);
  assert_int_equal(standing(pair, pair->borrower, on, on), people);
}

static void a_part_ends_on_its_day_and_the_rest_goes_on(void **state) {
  struct pair pair = make_pair(*state);
  struct arena *arena = arena_new(4096, 1u << 20);
  struct id deal = conclude(&pair, 4);
  part_is_refused(&pair, &deal, 4, RULE_terminate_headcount);
  part_is_refused(&pair, &deal, 5, RULE_terminate_headcount);
  end_part(&pair, pair.lender, &deal, 1, "2027-02-10");
  part_is_refused(&pair, &deal, 2, RULE_terminate_asked);
  both_hold(&pair, "2027-02-11", 4); /* until the decision */
  world_settle(pair.world);
  both_are(&pair, &deal, CONCLUDED, NULL);
  both_hold(&pair, "2027-02-10", 4);
  both_hold(&pair, "2027-02-11", 3);
  end_part(&pair, pair.borrower, &deal, 2, "2027-01-20"); /* the later of them ends earlier */
  world_settle(pair.world);
  both_hold(&pair, "2027-01-20", 4);
  both_hold(&pair, "2027-01-21", 2);
  both_hold(&pair, "2027-02-11", 1);
  part_is_refused(&pair, &deal, 1, RULE_terminate_headcount_one);
  struct home *homes[] = {pair.lender, pair.borrower};
  for (size_t i = 0; i < 2; i++) {
    const CollegaStore__DealRow *row = world_deal_row(homes[i], &deal, arena);
    assert_int_equal(row->n_reductions, 2);
    assert_int_equal(row->reductions[0]->ours, homes[i] == pair.lender);
    assert_int_equal(row->reductions[1]->ours, homes[i] == pair.borrower);
    assert_false(row->reductions[0]->disputed || row->reductions[1]->disputed);
  }
  rebuilds(&pair);
  terminate(&pair, pair.lender, &deal, "2027-03-01"); /* and then the whole */
  world_settle(pair.world);
  both_are(&pair, &deal, TERMINATED, NULL);
  both_hold(&pair, "2027-01-10", 4);
  both_hold(&pair, "2027-03-01", 1);
  both_hold(&pair, "2027-03-02", 0);
  rebuilds(&pair);
  arena_destroy(&arena);
}

/* People who came free can be lent again from the day after, and not before. */
static void who_came_free_can_be_lent_again(void **state) {
  struct pair pair = make_pair(*state);
  struct id deal = conclude(&pair, 4), made;
  struct collega_error why;
  end_part(&pair, pair.lender, &deal, 3, "2027-02-10");
  world_settle(pair.world);
  pair.match = world_match(pair.lender, &pair.out, &pair.in);
  struct proposal next = {.match = &pair.match,
                          .headcount = 3,
                          .from = day("2027-02-10"),
                          .has_from = true,
                          .until = day("2027-03-20"),
                          .has_until = true};
  assert_int_equal(
      deal_propose(pair.lender->exchange, &pair.lender->party, &next, pair.world->now, &made, &why),
      COLLEGA_REFUSED);
  assert_int_equal(why.rule, RULE_no_room);
  next.from = day("2027-02-11");
  must(deal_propose(pair.lender->exchange, &pair.lender->party, &next, pair.world->now, &made,
                    &error));
  world_settle(pair.world);
  accept(&pair, pair.borrower, &made);
  both_are(&pair, &made, CONCLUDED, NULL);
  both_hold(&pair, "2027-02-11", 4);
  rebuilds(&pair);
}

/* Both sign before either hears of the other. One comes first; the part ends once, and of what there is then. */
static void a_part_overtaken_by_an_amendment_ends_once(void **state) {
  struct pair pair = make_pair(*state);
  struct id deal = conclude(&pair, 2);
  struct proposal more = {.headcount = 4};
  struct id amendment = amend(&pair, pair.lender, &deal, &more);
  must(deal_accept(pair.borrower->exchange, &pair.borrower->party, &amendment, NULL,
                   pair.world->now, &error));
  end_part(&pair, pair.lender, &deal, 1, "2027-02-10");
  world_settle(pair.world);
  bool amended = world_deal_state(pair.lender, &amendment, NULL) == CONCLUDED;
  both_are(&pair, &amendment, amended ? CONCLUDED : VOID, NULL);
  both_hold(&pair, "2027-02-10", amended ? 4 : 2);
  both_hold(&pair, "2027-02-11", amended ? 3 : 1);
  rebuilds(&pair);
}

/* Two ends of a part cross. The second is about what is left, or about nothing. */
static void parts_that_cross_both_end_while_enough_are_left(void **state) {
  struct pair pair = make_pair(*state);
  struct arena *arena = arena_new(4096, 1u << 20);
  struct id deal = conclude(&pair, 4);
  end_part(&pair, pair.lender, &deal, 1, "2027-02-10");
  end_part(&pair, pair.borrower, &deal, 1, "2027-02-12");
  world_settle(pair.world);
  both_hold(&pair, "2027-02-11", 3);
  both_hold(&pair, "2027-02-13", 2);
  end_part(&pair, pair.lender, &deal, 1, "2027-02-14");
  end_part(&pair, pair.borrower, &deal, 1, "2027-02-14");
  world_settle(pair.world);
  both_are(&pair, &deal, CONCLUDED, NULL);
  both_hold(&pair, "2027-02-15", 1); /* of the last one nobody ended a part: it was given up */
  size_t dropped = 0;
  struct home *homes[] = {pair.lender, pair.borrower};
  for (size_t i = 0; i < 2; i++) {
    const CollegaStore__RootRow *root = world_root_row(homes[i], &deal, arena);
    assert_false(root->terminate_wanted);
    dropped += root->terminate_dropped != NULL;
    if (root->terminate_dropped)
      assert_string_equal(root->terminate_dropped, "terminate_headcount");
  }
  assert_int_equal(dropped, 1);
  rebuilds(&pair);
  arena_destroy(&arena);
}

/* An amendment says how many there are on all its days; while some have yet to leave, its author must say it. */
static void an_amendment_after_a_part_ended_is_about_who_is_left(void **state) {
  struct pair pair = make_pair(*state);
  struct id deal = conclude(&pair, 4), made;
  struct collega_error why;
  struct proposal longer = {.until = day("2027-06-30"), .has_until = true};
  end_part(&pair, pair.lender, &deal, 1, "2027-02-10");
  world_settle(pair.world);
  assert_int_equal(deal_amend(pair.borrower->exchange, &pair.borrower->party, &deal, &longer,
                              pair.world->now, &made, &why),
                   COLLEGA_REFUSED);
  assert_int_equal(why.rule, RULE_amend_headcount);
  assert_string_equal(why.field, "headcount");
  longer.headcount = 3;
  made = amend(&pair, pair.borrower, &deal, &longer);
  accept(&pair, pair.lender, &made);
  both_are(&pair, &made, CONCLUDED, NULL);
  both_hold(&pair, "2027-01-10", 3);
  both_hold(&pair, "2027-06-30", 3);
  end_part(&pair, pair.borrower, &deal, 2, "2027-04-01"); /* named by its first deal */
  world_settle(pair.world);
  both_hold(&pair, "2027-04-01", 3);
  both_hold(&pair, "2027-04-02", 1);
  rebuilds(&pair);
}

/* ---- release */

static void release(struct pair *pair, struct home *home, const struct id *deal,
                    enum deal_release what) {
  must(deal_release(home->exchange, &home->party, deal, what, pair->world->now, &error));
}

static void release_frees_everything_at_both(void **state) {
  struct pair pair = make_pair(*state);
  struct id deal = conclude(&pair, 3);
  release(&pair, pair.lender, &deal, DEAL_RELEASE_ASK);
  world_settle(pair.world);
  assert_int_equal(all_days(&pair, pair.lender), 3); /* who asks keeps its hold */
  release(&pair, pair.borrower, &deal, DEAL_RELEASE_SIGN);
  world_settle(pair.world);
  both_are(&pair, &deal, RELEASED, NULL);
  assert_int_equal(all_days(&pair, pair.lender), 0);
  assert_int_equal(all_days(&pair, pair.borrower), 0);
  rebuilds(&pair);
  pair.match = world_match(pair.lender, &pair.out, &pair.in);
  struct id next = propose(&pair, pair.lender, 4);
  assert_int_equal(world_deal_state(pair.borrower, &next, NULL), RECEIVED);
}

static void release_refused_keeps_everything(void **state) {
  struct pair pair = make_pair(*state);
  struct collega_error why;
  struct id deal = propose(&pair, pair.lender, 3);
  release(&pair, pair.lender, &deal, DEAL_RELEASE_ASK);
  world_settle(pair.world);
  assert_int_equal(deal_release(pair.lender->exchange, &pair.lender->party, &deal, DEAL_RELEASE_ASK,
                                pair.world->now, &why),
                   COLLEGA_REFUSED);
  assert_int_equal(
      deal_withdraw(pair.lender->exchange, &pair.lender->party, &deal, pair.world->now, &why),
      COLLEGA_REFUSED);
  assert_int_equal(why.rule, RULE_release_under_way);
  release(&pair, pair.borrower, &deal, DEAL_RELEASE_KEEP);
  world_settle(pair.world);
  accept(&pair, pair.borrower, &deal);
  both_are(&pair, &deal, CONCLUDED, NULL);
  rebuilds(&pair);
}

static void releases_that_cross_sign_each_other(void **state) {
  struct pair pair = make_pair(*state);
  struct id deal = conclude(&pair, 3);
  release(&pair, pair.lender, &deal, DEAL_RELEASE_ASK);
  release(&pair, pair.borrower, &deal, DEAL_RELEASE_ASK);
  world_settle(pair.world);
  both_are(&pair, &deal, RELEASED, NULL);
  assert_int_equal(all_days(&pair, pair.lender), 0);
  rebuilds(&pair);
}

/* ---- interest and talk */

static const char *state_of(struct pair *pair, struct home *home) {
  static char said[16];
  struct arena *arena = arena_new(4096, 1u << 20);
  struct ledger_txn *txn = NULL;
  const char *state = NULL;
  bool mine;
  must(ledger_read(exchange_ledger(home->exchange), &txn, &error));
  must(
      match_state(txn, &home->party, &pair->match, pair->world->now, arena, &state, &mine, &error));
  ledger_abort(&txn);
  snprintf(said, sizeof said, "%s", state);
  arena_destroy(&arena);
  return said;
}

static void interested(struct pair *pair, struct home *home, const char *text) {
  struct id envelope;
  must(match_interest(home->exchange, &home->party, &pair->match, text, pair->world->now, &envelope,
                      &error));
  world_settle(pair->world);
}

static void interest_is_answered_within_its_time(void **state) {
  struct pair pair = make_pair(*state);
  assert_string_equal(state_of(&pair, pair.lender), "suggested");
  interested(&pair, pair.lender, "Wij hebben er vijf.");
  assert_string_equal(state_of(&pair, pair.borrower), "interested");
  pair.world->now += 13 * DAY_MS;
  interested(&pair, pair.borrower, NULL);
  assert_string_equal(state_of(&pair, pair.lender), "answered");
  assert_string_equal(state_of(&pair, pair.borrower), "answered");
  pair.world->now += 30 * DAY_MS;
  assert_string_equal(state_of(&pair, pair.lender), "answered");
  rebuilds(&pair);
}

static void interest_that_is_not_answered_lapses(void **state) {
  struct pair pair = make_pair(*state);
  interested(&pair, pair.lender, NULL);
  uint64_t before = world_entries(pair.lender);
  interested(&pair, pair.lender, NULL); /* said twice is said once */
  assert_int_equal(world_entries(pair.lender), before);
  pair.world->now += 15 * DAY_MS;
  assert_string_equal(state_of(&pair, pair.lender), "lapsed");
  assert_string_equal(state_of(&pair, pair.borrower), "lapsed");
  interested(&pair, pair.borrower, NULL); /* too late for an answer: it is the first anew */
  assert_string_equal(state_of(&pair, pair.lender), "interested");
  interested(&pair, pair.lender, NULL);
  assert_string_equal(state_of(&pair, pair.borrower), "answered");
  rebuilds(&pair);
}

struct lines {
  size_t count;
  char last[64];
};

static bool count_line(void *context, const struct talk_line *line) {
  struct lines *lines = context;
  lines->count++;
  const char *text = line->talk ? line->talk->text : line->interest->text;
  snprintf(lines->last, sizeof lines->last, "%s", text ? text : "");
  return true;
}

static struct lines heard(struct pair *pair, struct home *home) {
  struct lines lines = {0, ""};
  struct arena *arena = arena_new(4096, 1u << 20);
  struct ledger_txn *txn = NULL;
  must(ledger_read(exchange_ledger(home->exchange), &txn, &error));
  must(talk_each(txn, &home->party, &pair->match, arena, count_line, &lines, &error));
  ledger_abort(&txn);
  arena_destroy(&arena);
  return lines;
}

static void a_talk_is_only_between_those_who_began_it(void **state) {
  struct pair pair = make_pair(*state);
  struct home *stranger = world_home(pair.world, "Derde BV", "11112222", true);
  struct collega_error why;
  struct id envelope;
  assert_int_equal(talk_send(pair.lender->exchange, &pair.lender->party, &pair.match, "Hallo", NULL,
                             pair.world->now, &envelope, &why),
                   COLLEGA_REFUSED);
  assert_int_equal(why.rule, RULE_talk_not_open);
  interested(&pair, pair.lender, "Hallo");
  must(talk_send(pair.borrower->exchange, &pair.borrower->party, &pair.match, "Dag", NULL,
                 pair.world->now, &envelope, &error));
  world_settle(pair.world);
  struct lines lines = heard(&pair, pair.lender);
  assert_int_equal(lines.count, 2);
  assert_string_equal(lines.last, "Dag");
  assert_int_equal(talk_send(stranger->exchange, &stranger->party, &pair.match, "Ik ook", NULL,
                             pair.world->now, &envelope, &why),
                   COLLEGA_NOT_FOUND);
  rebuilds(&pair);
}

#define world_test(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      world_test(a_counter_holds_the_larger_until_one_is_concluded),
      world_test(a_counter_has_no_more_room_than_there_is),
      world_test(a_counter_to_nothing_of_ours_is_refused),
      world_test(an_amendment_holds_only_what_it_adds),
      world_test(a_declined_amendment_leaves_the_agreement_as_it_was),
      world_test(an_amendment_that_lost_its_place_is_void),
      world_test(an_amendment_that_is_open_across_a_restore_is_proposed_anew),
      world_test(an_agreement_ends_on_its_day),
      world_test(ended_before_it_began_nobody_is_held),
      world_test(an_end_overtaken_by_an_amendment_is_signed_again),
      world_test(an_end_is_signed_again_when_the_other_side_has_answered),
      world_test(an_end_is_signed_again_by_who_comes_back_after_the_other_side_has_answered),
      world_test(an_end_waits_for_no_agreement),
      world_test(a_part_ends_on_its_day_and_the_rest_goes_on),
      world_test(who_came_free_can_be_lent_again),
      world_test(a_part_overtaken_by_an_amendment_ends_once),
      world_test(parts_that_cross_both_end_while_enough_are_left),
      world_test(an_amendment_after_a_part_ended_is_about_who_is_left),
      world_test(release_frees_everything_at_both),
      world_test(release_refused_keeps_everything),
      world_test(releases_that_cross_sign_each_other),
      world_test(interest_is_answered_within_its_time),
      world_test(interest_that_is_not_answered_lapses),
      world_test(a_talk_is_only_between_those_who_began_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
