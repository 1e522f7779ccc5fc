/* What a restored broker has lost comes back from those who said it: all of it, in its order, and nothing
 * that is over. */
#include "world.h"

#include <stdio.h>

#include "client/exchange/backup.h"

#define OPEN      COLLEGA__OFFER_STATE__OFFER_STATE_OPEN
#define PAUSED    COLLEGA__OFFER_STATE__OFFER_STATE_PAUSED
#define WITHDRAWN COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN
#define NOT_THERE ((Collega__OfferState)0)

/* An author, and two who may be named. */
struct three {
  struct home *author, *first, *second;
  char copy[128]; /* of the broker */
};

static struct three make_three(struct world *world) {
  struct three three = {.author = world_home(world, "Snijder BV", "12345678", true),
                        .first = world_home(world, "Bakker BV", "87654321", true),
                        .second = world_home(world, "Visser BV", "11223344", true)};
  world_settle(world);
  return three;
}

static void back_up(struct world *world, struct three *three) {
  snprintf(three->copy, sizeof three->copy, "%s/copy-%u", world->directory, ++world->restores);
  world_backup_broker(world, three->copy);
}

/* The broker is restored, and all have come back to it. */
static void restore(struct world *world, const struct three *three) {
  world_restore_broker(world, three->copy);
  for (size_t i = 0; i < world->count; i++)
    world_welcome(world, &world->home[i]);
}

static void fill(struct world *world, Collega__Offer *offer, uint32_t headcount,
                 collega_time lasts) {
  world_offer(offer, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT, headcount);
  offer->has_expires = true;
  offer->expires = world->now + lasts;
}

static struct short_id publish(struct world *world, struct home *home, const char *audience,
                               collega_time lasts) {
  Collega__Offer offer;
  struct short_id id;
  fill(world, &offer, 3, lasts);
  offer.audience = (char *)(uintptr_t)audience;
  struct offer_input input = {&offer, NULL};
  must(offer_publish(home->exchange, &home->party, &input, 1, world->now, &id, &error));
  return id;
}

static void revise(struct world *world, struct home *home, const struct short_id *id,
                   const char *audience, collega_time lasts) {
  Collega__Offer offer;
  uint32_t revision = 0;
  fill(world, &offer, 4, lasts);
  offer.audience = (char *)(uintptr_t)audience;
  struct offer_input input = {&offer, NULL};
  must(offer_revise(home->exchange, &home->party, id, &input, world->now, &revision, &error));
}

static void pause_offer(struct world *world, struct home *home, const struct short_id *id) {
  must(offer_set_state(home->exchange, &home->party, id, PAUSED, world->now, &error));
}

static void send_all(struct world *world, struct home *home) {
  while (world_send_waiting(world, home))
    continue;
}

static Collega__OfferState state_at(struct home *home, const struct short_id *id) {
  struct arena *arena = arena_new(65536, 1u << 24);
  const CollegaStore__OfferRow *row = world_offer_row(home, id, arena);
  Collega__OfferState state = row ? (Collega__OfferState)row->state : NOT_THERE;
  arena_destroy(&arena);
  return state;
}

/* It would come before its offer, and be left aside. */
static void nothing_is_sent_before_it_is_known_what_was_lost(void **state) {
  struct world *world = *state;
  struct three three = make_three(world);
  back_up(world, &three);
  struct short_id id = publish(world, three.author, NULL, 30 * DAY_MS);
  world_settle(world);
  restore(world, &three);
  pause_offer(world, three.author, &id);
  assert_false(world_send_waiting(world, three.author));
  world_settle(world);
  assert_int_equal(state_at(three.first, &id), PAUSED);
  assert_int_equal(state_at(three.author, &id), PAUSED);
  world_rebuilds(three.author);
}

static void what_was_not_sent_goes_behind_what_was_lost(void **state) {
  struct world *world = *state;
  struct three three = make_three(world);
  back_up(world, &three);
  struct short_id open = publish(world, three.author, NULL, 30 * DAY_MS);
  struct short_id named = publish(world, three.author, "named:87654321", 30 * DAY_MS);
  send_all(world, three.author);
  pause_offer(world, three.author, &open);
  pause_offer(world, three.author, &named);
  restore(world, &three);
  world_settle(world);
  assert_int_equal(state_at(three.first, &open), PAUSED);
  assert_int_equal(state_at(three.first, &named), PAUSED);
  assert_int_equal(state_at(three.second, &named), NOT_THERE);
  world_rebuilds(three.author);
}

/* The one before it would be on the board for another month. */
static void a_lost_revision_that_has_expired_ends_the_one_before_it(void **state) {
  struct world *world = *state;
  struct three three = make_three(world);
  struct short_id id = publish(world, three.author, NULL, 60 * DAY_MS);
  world_settle(world);
  back_up(world, &three);
  revise(world, three.author, &id, NULL, DAY_MS);
  world_settle(world);
  world->now += 2 * DAY_MS;
  restore(world, &three);
  world_settle(world);
  assert_int_equal(state_at(three.first, &id), WITHDRAWN);
  assert_int_equal(state_at(three.author, &id), WITHDRAWN);
  world_rebuilds(three.author);
}

static void a_revision_that_expires_unsent_ends_the_one_before_it(void **state) {
  struct world *world = *state;
  struct three three = make_three(world);
  struct short_id id = publish(world, three.author, NULL, 60 * DAY_MS);
  struct short_id other = publish(world, three.author, NULL, DAY_MS);
  world_settle(world);
  three.author->welcomed = false;
  revise(world, three.author, &id, NULL, DAY_MS);
  world->now += 2 * DAY_MS;
  world_welcome(world, three.author);
  world_settle(world);
  assert_int_equal(state_at(three.first, &id), WITHDRAWN);
  assert_int_equal(state_at(three.author, &other), OPEN); /* it is known to have expired */
  world_rebuilds(three.author);
}

/* Its letter is still in the mailbox of the broker; the one that took it back is lost. */
static void who_is_named_no_longer_is_told_so_again(void **state) {
  struct world *world = *state;
  struct three three = make_three(world);
  struct short_id to_network = publish(world, three.author, "named:87654321", 60 * DAY_MS);
  struct short_id to_other = publish(world, three.author, "named:87654321", 60 * DAY_MS);
  three.first->welcomed = false; /* and has not read it */
  send_all(world, three.author);
  back_up(world, &three);
  revise(world, three.author, &to_network, NULL, DAY_MS);
  revise(world, three.author, &to_other, "named:11223344", 30 * DAY_MS);
  world_settle(world);
  world->now += 2 * DAY_MS;
  restore(world, &three);
  world_settle(world);
  assert_int_equal(state_at(three.first, &to_network), WITHDRAWN);
  assert_int_equal(state_at(three.first, &to_other), WITHDRAWN);
  assert_int_equal(state_at(three.second, &to_other), OPEN);
  world_rebuilds(three.author);
  world_rebuilds(three.first);
}

/* And so does an author who was restored itself in between. */
static void a_restored_author_still_knows_whom_it_named(void **state) {
  struct world *world = *state;
  struct three three = make_three(world);
  char home[128];
  snprintf(home, sizeof home, "%s/home-copy", world->directory);
  must(node_backup(three.author->exchange, home, &error));
  struct short_id id = publish(world, three.author, "named:87654321", 60 * DAY_MS);
  three.first->welcomed = false;
  send_all(world, three.author);
  back_up(world, &three);
  revise(world, three.author, &id, "named:11223344", 30 * DAY_MS);
  world_settle(world);
  world_restore_home(world, three.author, home);
  world_catch_up(world, three.author);
  world_settle(world);
  restore(world, &three);
  world_settle(world);
  assert_int_equal(state_at(three.first, &id), WITHDRAWN);
  assert_int_equal(state_at(three.second, &id), OPEN);
  world_rebuilds(three.author);
}

/* What it was told then is of no use any more: it must be told again where to begin. */
static void who_had_not_read_anything_since_reads_on_after_the_next_restore(void **state) {
  struct world *world = *state;
  struct three three = make_three(world);
  back_up(world, &three);
  restore(world, &three);
  restore(world, &three);
  struct short_id id = publish(world, three.author, NULL, 30 * DAY_MS);
  world_settle(world);
  assert_int_equal(state_at(three.first, &id), OPEN);
}

/* Neither the letter nor the one that takes it back is at the broker any more, and the author has both in its outbox:
 * the first never sent, as far as its backup knows. */
static void a_restored_author_sends_no_letter_that_was_taken_back(void **state) {
  struct world *world = *state;
  struct three three = make_three(world);
  struct follow_texts only_other = {.kinds = "transfer_in"};
  char home[128];
  snprintf(home, sizeof home, "%s/home-copy", world->directory);
  back_up(world, &three);
  struct short_id id = publish(world, three.author, "named:87654321", 60 * DAY_MS);
  must(node_backup(three.author->exchange, home, &error));
  world_settle(world);
  revise(world, three.author, &id, NULL, 30 * DAY_MS);
  world_settle(world);
  restore(world, &three);
  must(exchange_set_filter(three.first->exchange, &only_other, &error));
  world_welcome(world, three.first);
  world_settle(world);
  assert_int_equal(state_at(three.first, &id), NOT_THERE);
  world_restore_home(world, three.author, home);
  world_catch_up(world, three.author);
  world_settle(world);
  assert_int_equal(state_at(three.first, &id), NOT_THERE);
  assert_int_equal(state_at(three.second, &id), OPEN);
  world_rebuilds(three.author);
}

static void offer_at(struct world *world, struct home *home, struct short_id *id, bool fresh,
                     const char *region) {
  Collega__Offer offer;
  Collega__Place place = COLLEGA__PLACE__INIT;
  uint32_t revision = 0;
  struct offer_input input = {&offer, NULL};
  fill(world, &offer, 3, 60 * DAY_MS);
  place.city = (char *)(uintptr_t) "Breda";
  place.region = (char *)(uintptr_t)region;
  offer.place = &place;
  if (fresh)
    must(offer_publish(home->exchange, &home->party, &input, 1, world->now, id, &error));
  else
    must(offer_revise(home->exchange, &home->party, id, &input, world->now, &revision, &error));
}

static void a_restored_author_publishes_nothing_that_was_replaced(void **state) {
  struct world *world = *state;
  struct three three = make_three(world);
  struct follow_texts here = {.regions = "AM25"};
  struct short_id id, other;
  char home[128];
  snprintf(home, sizeof home, "%s/home-copy", world->directory);
  must(exchange_set_filter(three.first->exchange, &here, &error));
  world_welcome(world, three.first);
  back_up(world, &three);
  offer_at(world, three.author, &id, true, "AM25");
  offer_at(world, three.author, &other, true, "AM25");
  must(node_backup(three.author->exchange, home, &error));
  world_settle(world);
  offer_at(world, three.author, &id, false, "AM01");
  world_settle(world);
  restore(world, &three);
  world_settle(world);
  assert_int_equal(state_at(three.first, &id), NOT_THERE);
  world_restore_home(world, three.author, home);
  world_catch_up(world, three.author);
  world_settle(world);
  assert_int_equal(state_at(three.first, &id), NOT_THERE);
  assert_int_equal(state_at(three.first, &other), OPEN);
  assert_int_equal(state_at(three.second, &id), OPEN);
  world_rebuilds(three.author);
}

/* What an offer was before is what stands last in the log, in whichever of its author's epochs. */
static void a_restored_author_takes_its_offers_out_of_view(void **state) {
  struct world *world = *state;
  struct three three = make_three(world);
  struct follow_texts here = {.regions = "AM25"};
  must(exchange_set_filter(three.first->exchange, &here, &error));
  world_welcome(world, three.first);
  for (int i = 0; i < 6;
       i++) { /* epochs have no order: any of them may be the one that is met first */
    struct short_id id;
    char home[128];
    offer_at(world, three.author, &id, true, "AM01");
    world_settle(world);
    snprintf(home, sizeof home, "%s/home-copy-%d", world->directory, i);
    must(node_backup(three.author->exchange, home, &error));
    world_restore_home(world, three.author, home);
    world_catch_up(world, three.author);
    offer_at(world, three.author, &id, false, "AM25");
    world_settle(world);
    assert_int_equal(state_at(three.first, &id), OPEN);
    offer_at(world, three.author, &id, false, "AM01");
    world_settle(world);
    assert_int_equal(state_at(three.first, &id), NOT_THERE);
  }
}

#define world_test(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      world_test(nothing_is_sent_before_it_is_known_what_was_lost),
      world_test(what_was_not_sent_goes_behind_what_was_lost),
      world_test(a_lost_revision_that_has_expired_ends_the_one_before_it),
      world_test(a_revision_that_expires_unsent_ends_the_one_before_it),
      world_test(who_is_named_no_longer_is_told_so_again),
      world_test(a_restored_author_still_knows_whom_it_named),
      world_test(a_restored_author_sends_no_letter_that_was_taken_back),
      world_test(a_restored_author_publishes_nothing_that_was_replaced),
      world_test(a_restored_author_takes_its_offers_out_of_view),
      world_test(who_had_not_read_anything_since_reads_on_after_the_next_restore),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
