/* Compaction: what is over leaves the board and the disk; members and receipts stay. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

#define LIFETIME_DAYS 210 /* an offer's 180, and 30 for its tombstones */

static struct bytes an_offer(struct world *world, struct party *party) {
  struct test_offer offer;
  struct short_id id;
  random_fill(&id, sizeof id);
  test_offer_fill(&offer, "Koks");
  offer.period.from = date_of_time(world->now) + 1;
  offer.period.until = offer.period.from + 30;
  offer.offer.expires = world->now + 30 * DAY_MS;
  return offer_body(world, party, &offer.offer, &id, 1);
}

static uint64_t compact_all(struct world *world) {
  bool more = true;
  uint64_t through = 0;
  for (int i = 0; more; i++) {
    assert_true(i < 100);
    must(commit_compact(world->commit, world->now, &through, &more, &error));
  }
  return through;
}

static bool row_stands(struct world *world, uint64_t seq) {
  struct store_txn *txn = world_read(world);
  struct log_row row;
  must(log_row_find(txn, seq, &row, &error));
  store_end(&txn);
  return row.count > 0;
}

static size_t on_board(struct world *world, uint64_t after) {
  Collega__Filter all = COLLEGA__FILTER__INIT;
  struct board_seen seen;
  read_board(world, &all, after, &seen);
  size_t count = seen.count;
  free(seen.ids);
  free(seen.seqs);
  free(seen.tombstones);
  return count;
}

static void what_is_over_goes_and_members_and_receipts_stay(void **state) {
  struct world *world = *state;
  struct party party;
  while (world->now <= clock_now()) /* the broker opened its epoch by the clock */
    world->now += DAY_MS;
  party_join(world, &party, 1);
  uint64_t members = world_state(world).log_seq;
  size_t members_seen = on_board(world, 0);
  struct bytes bodies[3];
  for (size_t i = 0; i < 3; i++)
    bodies[i] = an_offer(world, &party);
  Collega__Run *run = sign_run(world, &party, bodies, 3);
  commit_one(world, publish_request(world, &party, run));
  struct bytes first = world->result.answers[0].packed;
  struct bytes kept = bytes_of(arena_copy(world->arena, first.data, first.length), first.length);
  assert_int_equal(on_board(world, 0), members_seen + 3);

  world->now += (LIFETIME_DAYS - 1) * DAY_MS;
  assert_true(compact_all(world) <= members);
  assert_int_equal(on_board(world, 0), members_seen + 3);

  struct bytes late = an_offer(world, &party);
  publish(world, &party, &late, 1);
  world->now += 2 * DAY_MS;
  assert_int_equal(compact_all(world), members + 3);
  assert_int_equal(on_board(world, 0), members_seen + 1);
  assert_int_equal(on_board(world, members + 3), 1);
  for (uint64_t seq = 1; seq <= members; seq++)
    assert_true(row_stands(world, seq));
  assert_false(row_stands(world, members + 1));
  assert_true(row_stands(world, members + 4));

  /* It is known for ever that these were taken. */
  commit_one(world, publish_request(world, &party, run));
  assert_int_equal(world->result.answer_count, 1);
  assert_true(bytes_equal(world->result.answers[0].packed, kept));

  world_close(world);
  world_open(world);
  assert_int_equal(on_board(world, 0), members_seen + 1);
  assert_int_equal(compact_all(world), members + 3);
  party_free(&party);
}

/* The last rows may be gone as well: a follower still hears how far the log was read. */
static void a_board_of_which_all_is_over_is_read_to_its_end(void **state) {
  struct world *world = *state;
  struct party party;
  while (world->now <= clock_now())
    world->now += DAY_MS;
  party_join(world, &party, 1);
  struct bytes body = an_offer(world, &party);
  publish(world, &party, &body, 1);
  uint64_t head = world_state(world).log_seq;
  world->now += (LIFETIME_DAYS + 1) * DAY_MS;
  assert_int_equal(compact_all(world), head);
  assert_false(row_stands(world, head));
  struct store_txn *txn = world_read(world);
  struct broker_state broker = world_state(world);
  Collega__Filter all = COLLEGA__FILTER__INIT;
  struct bytes frame;
  uint32_t records;
  uint64_t through;
  must(board_read(txn, &broker.broker, &broker.epoch, 1, &all, 0, world->arena, &frame, &records,
                  &through, &error));
  store_end(&txn);
  assert_int_equal(through, head);
  party_free(&party);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
  const struct CMUnitTest tests[] = {
      TEST(what_is_over_goes_and_members_and_receipts_stay),
      TEST(a_board_of_which_all_is_over_is_read_to_its_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
