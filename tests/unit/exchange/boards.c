/* Parts of the board that come one after the other and are stored together. */
#include "world.h"

#include <string.h>

#include "broker/board/board.h"
#include "broker/store/log_rows.h"
#include "proto/guard.h"

#define FRAMES      4u
#define ARENA_BYTES ((size_t)64 * 1024 * 1024)

/* A reader that has read nothing of what an author published since, and the frames with which it would: one for each
 * offer. */
struct reading {
  struct world *world;
  struct home *author, *reader;
  struct arena *arena;
  struct short_id offer[FRAMES];
  struct bytes packed[FRAMES];
  const Collega__FromBroker *frame[FRAMES];
};

/* All that the broker has logged after `*through`, which moves on. */
static struct bytes frame_after(struct reading *reading, uint64_t *through) {
  struct world *world = reading->world;
  struct store_txn *txn = NULL;
  struct bytes frame;
  struct broker_state state;
  Collega__Filter everything = COLLEGA__FILTER__INIT;
  uint32_t records = 0;
  bool found = false;
  must(store_read(world->store, &txn, &error));
  must(state_read(txn, &state, &found, &error));
  must(board_read(txn, &world->broker_id, &state.epoch, 1, &everything, *through, reading->arena,
                  &frame, &records, through, &error));
  store_end(&txn);
  return frame;
}

static const Collega__FromBroker *unpacked(struct reading *reading, struct bytes packed) {
  ProtobufCMessage *message;
  must(guard_unpack(&collega__from_broker__descriptor, packed, reading->arena, &message, &error));
  return (const Collega__FromBroker *)message;
}

static void reading_begin(struct reading *reading, struct world *world) {
  *reading = (struct reading){.world = world, .arena = arena_new(65536, ARENA_BYTES)};
  assert_non_null(reading->arena);
  reading->author = world_home(world, "Snijder BV", "12345678", true);
  reading->reader = world_home(world, "Lezer BV", "87654321", true);
  world_settle(world);
  uint64_t through = reading->reader->board;
  for (size_t i = 0; i < FRAMES; i++) {
    reading->offer[i] =
        world_publish(world, reading->author, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT, 3);
    while (world_send_waiting(world, reading->author))
      continue;
    reading->packed[i] = frame_after(reading, &through);
    reading->frame[i] = unpacked(reading, reading->packed[i]);
    assert_non_null(reading->frame[i]->board);
  }
}

static void reading_end(struct reading *reading) {
  arena_destroy(&reading->arena);
}

static bool has_offer(struct reading *reading, size_t number) {
  return world_offer_row(reading->reader, &reading->offer[number], reading->arena) != NULL;
}

static enum collega_status take(struct reading *reading, const Collega__FromBroker *const *frames,
                                size_t count, size_t *taken, struct intake_outcome *outcome) {
  return intake_boards(reading->reader->exchange, frames, count, reading->world->now,
                       &reading->reader->told, reading->arena, taken, outcome,
                       &reading->reader->intake_error);
}

/* One entry of the chain for each frame, and a rebuild gives the same tables. */
static void frames_together_are_each_an_entry(void **state) {
  struct reading reading;
  struct intake_outcome outcome;
  size_t taken;
  reading_begin(&reading, *state);
  uint64_t before = world_entries(reading.reader);
  assert_int_equal(take(&reading, reading.frame, FRAMES, &taken, &outcome), COLLEGA_OK);
  assert_int_equal(taken, FRAMES);
  assert_false(outcome.frame_due);
  assert_int_equal(world_entries(reading.reader), before + FRAMES);
  for (size_t i = 0; i < FRAMES; i++)
    assert_true(has_offer(&reading, i));
  world_rebuilds(reading.reader);
  reading_end(&reading);
}

/* What is read already changes nothing, alone or between others. */
static void frames_that_come_twice_change_nothing(void **state) {
  struct reading reading;
  struct intake_outcome outcome;
  size_t taken;
  reading_begin(&reading, *state);
  const Collega__FromBroker *twice[] = {reading.frame[0], reading.frame[0], reading.frame[1],
                                        reading.frame[0], reading.frame[1]};
  uint64_t before = world_entries(reading.reader);
  assert_int_equal(take(&reading, twice, 5, &taken, &outcome), COLLEGA_OK);
  assert_int_equal(taken, 5);
  assert_int_equal(world_entries(reading.reader), before + 2);
  struct id tables = world_tables(reading.reader);
  assert_int_equal(take(&reading, twice, 5, &taken, &outcome), COLLEGA_OK);
  struct id after = world_tables(reading.reader);
  assert_memory_equal(&after, &tables, sizeof tables);
  reading_end(&reading);
}

/* A forged frame leaves no trace, and takes nothing from those before it. */
static void refused_frame_keeps_those_before_it(void **state) {
  struct reading reading;
  struct intake_outcome outcome;
  size_t taken;
  reading_begin(&reading, *state);
  struct bytes forged =
      bytes_of(arena_copy(reading.arena, reading.packed[2].data, reading.packed[2].length),
               reading.packed[2].length);
  const Collega__FromBroker *bad = unpacked(&reading, forged);
  bad->board->runs[0]->run->signature.data[5] ^= 1;
  const Collega__FromBroker *frames[] = {reading.frame[0], reading.frame[1], bad, reading.frame[3]};
  uint64_t before = world_entries(reading.reader);
  assert_int_equal(take(&reading, frames, 4, &taken, &outcome), COLLEGA_FORGED);
  assert_int_equal(reading.reader->intake_error.rule, RULE_run_signature);
  assert_int_equal(taken, 2);
  assert_int_equal(world_entries(reading.reader), before + 2);
  assert_true(has_offer(&reading, 1));
  assert_false(has_offer(&reading, 2));
  assert_int_equal(take(&reading, frames + 2, 2, &taken, &outcome), COLLEGA_FORGED);
  assert_int_equal(taken, 0);
  assert_int_equal(world_entries(reading.reader), before + 2);

  assert_int_equal(take(&reading, reading.frame + 2, 2, &taken, &outcome), COLLEGA_OK);
  assert_int_equal(taken, 2);
  assert_true(has_offer(&reading, 3));
  world_rebuilds(reading.reader);
  reading_end(&reading);
}

/* Something is missing in between: what came before it is stored first, and asked on from there. */
static void gap_is_asked_for_from_what_is_stored(void **state) {
  struct reading reading;
  struct intake_outcome outcome;
  size_t taken;
  reading_begin(&reading, *state);
  const Collega__FromBroker *frames[] = {reading.frame[0], reading.frame[2]};
  assert_int_equal(take(&reading, frames, 2, &taken, &outcome), COLLEGA_OK);
  assert_int_equal(taken, 1);
  assert_false(outcome.frame_due);
  assert_int_equal(take(&reading, frames + 1, 1, &taken, &outcome), COLLEGA_OK);
  assert_int_equal(taken, 1);
  assert_true(outcome.frame_due);
  ProtobufCMessage *message;
  must(guard_unpack(&collega__to_broker__descriptor, outcome.frame, reading.arena, &message,
                    &error));
  const Collega__Follow *follow = ((const Collega__ToBroker *)message)->follow;
  assert_non_null(follow);
  assert_int_equal(follow->n_cursors, 1);
  assert_int_equal(follow->cursors[0]->seq, reading.frame[0]->board->through);
  reading_end(&reading);
}

static CollegaStore__OfferRow *stored_row(struct ledger_txn *txn, struct bytes key,
                                          struct arena *arena) {
  ProtobufCMessage *row = NULL;
  must(row_get(txn, TABLE_OFFERS, key, &collega_store__offer_row__descriptor, arena, &row, &error));
  return (CollegaStore__OfferRow *)row;
}

/* An author's own row holds its body; a reader's tells where it stands in the chain. */
static void rows_of_others_do_not_repeat_the_body(void **state) {
  struct reading reading;
  struct intake_outcome outcome;
  struct ledger_txn *txn = NULL;
  struct collega_error why;
  size_t taken;
  reading_begin(&reading, *state);
  assert_int_equal(take(&reading, reading.frame, FRAMES, &taken, &outcome), COLLEGA_OK);
  for (size_t i = 0; i < FRAMES; i++) {
    CollegaStore__OfferRow *mine =
        world_offer_row(reading.author, &reading.offer[i], reading.arena);
    CollegaStore__OfferRow *theirs =
        world_offer_row(reading.reader, &reading.offer[i], reading.arena);
    assert_false(mine->has_body_at);
    assert_true(theirs->has_body_at);
    assert_int_equal(theirs->body.len, mine->body.len);
    assert_memory_equal(theirs->body.data, mine->body.data, mine->body.len);
  }
  struct bytes key = bytes_of(reading.offer[1].byte, SHORT_ID_BYTES);
  must(ledger_write(exchange_ledger(reading.reader->exchange), &txn, &error));
  CollegaStore__OfferRow *stored = stored_row(txn, key, reading.arena), *whole;
  assert_false(stored->has_body);
  must(ledger_offer(txn, key, reading.arena, &whole, &error));
  must(ledger_offer_put(txn, whole, &error)); /* what was filled in is not written */
  assert_false(stored_row(txn, key, reading.arena)->has_body);

  const uint64_t at = stored->body_at, beyond[] = {UINT64_MAX, 1u << 20, at};
  const uint32_t lengths[] = {stored->body_length, 1, UINT32_MAX};
  for (size_t i = 0; i < 3; i++) {
    stored->body_at = beyond[i];
    stored->body_length = lengths[i];
    must(row_put(txn, TABLE_OFFERS, key, &stored->base, &error));
    assert_int_equal(ledger_offer(txn, key, reading.arena, &whole, &why), COLLEGA_DAMAGED);
    assert_int_equal(why.rule, RULE_ledger_row_damaged);
  }
  stored->has_body_at = false; /* and no body either */
  must(row_put(txn, TABLE_OFFERS, key, &stored->base, &error));
  assert_int_equal(ledger_offer(txn, key, reading.arena, &whole, &why), COLLEGA_DAMAGED);
  stored->has_body = true; /* as rows were before they told where it is */
  stored->body = reading.frame[1]->board->runs[0]->run->bodies[0];
  must(row_put(txn, TABLE_OFFERS, key, &stored->base, &error));
  must(ledger_offer(txn, key, reading.arena, &whole, &error));
  assert_int_equal(whole->body.len, reading.frame[1]->board->runs[0]->run->bodies[0].len);
  ledger_abort(&txn);
  reading_end(&reading);
}

#define RUNS 80u /* each signed alone: so many are verified by all cores */

static const Collega__FromBroker *many_runs(struct reading *reading, uint64_t *through) {
  for (size_t i = 0; i < RUNS; i++)
    world_publish(reading->world, reading->author, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT, 3);
  while (world_send_waiting(reading->world, reading->author))
    continue;
  const Collega__FromBroker *frame = unpacked(reading, frame_after(reading, through));
  assert_true(frame->board->n_runs >= RUNS);
  return frame;
}

static bool count_row(void *context, struct bytes key, struct bytes value) {
  (void)key, (void)value;
  ++*(size_t *)context;
  return true;
}

static size_t offers_of(struct reading *reading) {
  struct ledger_txn *txn = NULL;
  size_t count = 0;
  must(ledger_read(exchange_ledger(reading->reader->exchange), &txn, &error));
  must(table_each(txn, TABLE_OFFERS, bytes_of("", 0), NULL, count_row, &count, &error));
  ledger_abort(&txn);
  return count;
}

/* One author's card comes in the frame before what it signs, another's is known: both count. */
static void many_signatures_are_judged_like_one(void **state) {
  struct world *world = *state;
  struct reading reading = {.world = world, .arena = arena_new(65536, ARENA_BYTES)};
  struct intake_outcome outcome;
  size_t taken;
  reading.reader = world_home(world, "Lezer BV", "87654321", true);
  world_settle(world);
  uint64_t through = reading.reader->board;
  reading.author = world_home(world, "Snijder BV", "12345678", true);
  const Collega__FromBroker *frame = many_runs(&reading, &through);
  assert_int_equal(take(&reading, &frame, 1, &taken, &outcome), COLLEGA_OK);
  assert_int_equal(offers_of(&reading), RUNS);

  frame = many_runs(&reading, &through);
  uint8_t *byte = &frame->board->runs[RUNS / 2]->run->signature.data[7];
  *byte ^= 1;
  assert_int_equal(take(&reading, &frame, 1, &taken, &outcome), COLLEGA_FORGED);
  assert_int_equal(reading.reader->intake_error.rule, RULE_run_signature);
  assert_int_equal(offers_of(&reading), RUNS);
  *byte ^= 1;
  assert_int_equal(take(&reading, &frame, 1, &taken, &outcome), COLLEGA_OK);
  assert_int_equal(offers_of(&reading), 2 * RUNS);
  world_rebuilds(reading.reader);
  reading_end(&reading);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(frames_together_are_each_an_entry, world_setup,
                                      world_teardown),
      cmocka_unit_test_setup_teardown(frames_that_come_twice_change_nothing, world_setup,
                                      world_teardown),
      cmocka_unit_test_setup_teardown(refused_frame_keeps_those_before_it, world_setup,
                                      world_teardown),
      cmocka_unit_test_setup_teardown(gap_is_asked_for_from_what_is_stored, world_setup,
                                      world_teardown),
      cmocka_unit_test_setup_teardown(rows_of_others_do_not_repeat_the_body, world_setup,
                                      world_teardown),
      cmocka_unit_test_setup_teardown(many_signatures_are_judged_like_one, world_setup,
                                      world_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
