/* Homes, joining, offers, the board, and what rebuilding gives. */
#include "world.h"

#include <stdio.h>
#include <string.h>

#include "proto/guard.h"
#include "proto/limits.h"

static void a_home_opens_with_its_party_and_mandate(void **state) {
  struct world *world = *state;
  struct home *home = world_home(world, "Snijder BV", "12345678", false);
  struct ledger_txn *txn = NULL;
  world_reopen(home);
  assert_memory_equal(exchange_host(home->exchange), &home->party, sizeof home->party);
  assert_non_null(exchange_identity(home->exchange, &home->party));
  must(ledger_read(exchange_ledger(home->exchange), &txn, &error));
  const struct known_party *self =
      members_find(exchange_members(home->exchange, txn), &home->party);
  assert_non_null(self);
  assert_int_equal(self->mandate_count, 1);
  assert_string_equal(self->mandates[0].person, "A. de Boer");
  ledger_abort(&txn);
}

static void init_refuses_a_wrong_number_before_anything_exists(void **state) {
  struct world *world = *state;
  struct collega_error error;
  struct id party;
  char path[128], recovery[RECOVERY_TEXT_BYTES];
  snprintf(path, sizeof path, "%s/none", world->directory);
  struct node_init init = {.home = path, .name = "Snijder BV", .kvk = "123"};
  assert_int_equal(node_init(&init, world->now, &party, recovery, &error), COLLEGA_INVALID);
  assert_string_equal(error.field, "kvk");
  init.kvk = "12345678";
  init.signatory = "A. de Boer";
  assert_int_equal(node_init(&init, world->now, &party, recovery, &error), COLLEGA_USAGE);
  assert_string_equal(error.field, "function");
  init.function = "directeur\n";
  assert_int_equal(node_init(&init, world->now, &party, recovery, &error), COLLEGA_INVALID);
  assert_string_equal(error.field, "function");
  assert_int_equal(exchange_open(path, &(struct exchange *){NULL}, &error), COLLEGA_NOT_FOUND);
}

static void a_token_is_kept_only_when_it_is_for_this_employer(void **state) {
  struct world *world = *state;
  struct home *home = world_home(world, "Snijder BV", "12345678", false);
  struct collega_error why;
  struct arena *arena = arena_new(65536, 1u << 20);
  Collega__Invitation *pending = NULL;
  char token[INVITATION_TEXT_BYTES];
  world_token(world, "Bakker BV", "87654321", token);
  assert_int_equal(join_store_token(home->exchange, "collega1.abc", &why), COLLEGA_INVALID);
  assert_int_equal(join_store_token(home->exchange, token, &why), COLLEGA_REFUSED);
  assert_int_equal(why.rule, RULE_invitation_kvk);
  must(party_invitation(home->exchange, &home->party, arena, &pending, &error));
  assert_null(pending);
  world_token(world, "Snijder BV", "12345678", token);
  must(join_store_token(home->exchange, token, &error));
  must(party_invitation(home->exchange, &home->party, arena, &pending, &error));
  assert_string_equal(pending->kvk, "12345678");
  arena_destroy(&arena);
}

static void a_second_invitation_of_the_same_broker_renews(void **state) {
  struct world *world = *state;
  struct home *home = world_home(world, "Snijder BV", "12345678", true);
  struct collega_error why;
  char token[INVITATION_TEXT_BYTES];
  world_token(world, "Snijder BV", "12345678", token);
  must(join_store_token(home->exchange, token, &error));
  assert_true(party_token_waits(home->exchange, &home->party));
  error_set(&why, COLLEGA_REFUSED, RULE_invitation_expired, NULL, "2027-01-01", NULL);
  party_invitation_refused(home->exchange, &home->party, &why);
  assert_false(party_token_waits(home->exchange, &home->party));
  struct collega_error told;
  assert_true(party_token_refused(home->exchange, &home->party, &told));
  assert_int_equal(told.rule, RULE_invitation_expired);
  assert_string_equal(told.argument[0], "2027-01-01");
  must(join_store_token(home->exchange, token, &error));
  assert_false(party_token_refused(home->exchange, &home->party, &told));
}

static void an_offer_reaches_the_others_and_keeps_its_private_part(void **state) {
  struct world *world = *state;
  struct home *a = world_home(world, "Snijder BV", "12345678", true);
  struct home *b = world_home(world, "Bakker BV", "87654321", true);
  struct arena *arena = arena_new(65536, 1u << 24);
  struct short_id id = world_publish(world, a, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT, 3);
  CollegaStore__OfferRow *row = world_offer_row(a, &id, arena);
  assert_non_null(row);
  assert_null(row->position);
  world_settle(world);
  row = world_offer_row(a, &id, arena);
  assert_non_null(row->position);
  assert_true(row->mine);
  assert_true(row->has_private_);
  row = world_offer_row(b, &id, arena);
  assert_non_null(row);
  assert_false(row->mine);
  assert_false(row->has_private_);
  Collega__Offer *offer;
  must(offer_of_row(row, arena, &offer, &error));
  assert_int_equal(offer->headcount, 3);
  assert_true(offer->has_expires);
  assert_int_equal(offer_state(row, offer, world->now), COLLEGA__OFFER_STATE__OFFER_STATE_OPEN);
  assert_int_equal(offer_state(row, offer, offer->expires),
                   COLLEGA__OFFER_STATE__OFFER_STATE_EXPIRED);
  struct outbox_counts counts;
  struct ledger_txn *txn = NULL;
  must(ledger_read(exchange_ledger(a->exchange), &txn, &error));
  must(outbox_count(txn, &counts, &error));
  ledger_abort(&txn);
  assert_int_equal(counts.waiting, 0);
  assert_int_equal(counts.refused, 0);
  arena_destroy(&arena);
}

static void a_withdrawn_offer_is_withdrawn_everywhere_and_once(void **state) {
  struct world *world = *state;
  struct home *a = world_home(world, "Snijder BV", "12345678", true);
  struct home *b = world_home(world, "Bakker BV", "87654321", true);
  struct arena *arena = arena_new(65536, 1u << 24);
  struct collega_error error;
  struct short_id id = world_publish(world, a, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT, 3), other;
  world_settle(world);
  assert_int_equal(world_withdraw(world, b, &id, &error), COLLEGA_REFUSED);
  assert_int_equal(error.rule, RULE_offer_not_yours);
  memset(&other, 7, sizeof other);
  assert_int_equal(world_withdraw(world, b, &other, &error), COLLEGA_NOT_FOUND);
  assert_int_equal(world_withdraw(world, a, &id, &error), COLLEGA_OK);
  assert_int_equal(world_withdraw(world, a, &id, &error), COLLEGA_REFUSED);
  assert_int_equal(error.rule, RULE_offer_already);
  world_settle(world);
  CollegaStore__OfferRow *row = world_offer_row(b, &id, arena);
  assert_true(!row || row->state == COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN);
  arena_destroy(&arena);
}

static void bad_offers_leave_no_trace(void **state) {
  struct world *world = *state;
  struct home *home = world_home(world, "Snijder BV", "12345678", false);
  struct collega_error error;
  struct short_id ids[2];
  Collega__Offer good, bad;
  Collega__OfferPrivate private_part = COLLEGA__OFFER_PRIVATE__INIT;
  uint64_t entries = world_entries(home);
  struct id tables = world_tables(home), after;
  world_offer(&good, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT, 3);
  bad = good;
  bad.headcount = 0;
  struct offer_input inputs[2] = {{&good, NULL}, {&bad, NULL}};
  assert_int_equal(offer_publish(home->exchange, &home->party, inputs, 2, world->now, ids, &error),
                   COLLEGA_INVALID);
  assert_string_equal(error.field, "[1].headcount");
  assert_int_equal(
      offer_publish(home->exchange, &home->party, &inputs[1], 1, world->now, ids, &error),
      COLLEGA_INVALID);
  assert_string_equal(error.field, "headcount");
  bad = good;
  bad.has_expires = true;
  bad.expires = world->now + OFFER_LIFETIME_MS + 1;
  assert_int_equal(
      offer_publish(home->exchange, &home->party, &inputs[1], 1, world->now, ids, &error),
      COLLEGA_INVALID);
  assert_string_equal(error.field, "expires");
  inputs[0].private_part = &private_part;
  private_part.note = (char *)(uintptr_t) "vraag naar 123456782 aan de balie";
  assert_int_equal(offer_publish(home->exchange, &home->party, inputs, 1, world->now, ids, &error),
                   COLLEGA_INVALID);
  assert_string_equal(error.field, "private.note");
  assert_int_equal(error.rule, RULE_bsn_forbidden);
  bad = good;
  bad.audience = (char *)(uintptr_t) "named:87654321";
  assert_int_equal(
      offer_publish(home->exchange, &home->party, &inputs[1], 1, world->now, ids, &error),
      COLLEGA_NOT_FOUND);
  assert_string_equal(error.field, "audience");
  after = world_tables(home);
  assert_int_equal(world_entries(home), entries);
  assert_memory_equal(&after, &tables, sizeof tables);
}

/* It would go to nobody, and be gone with this ledger. */
static void an_offer_for_nobody_but_its_author_is_refused(void **state) {
  struct world *world = *state;
  struct home *home = world_home(world, "Snijder BV", "12345678", true);
  struct collega_error why;
  struct short_id id;
  Collega__Offer offer;
  uint32_t revision = 0;
  world_settle(world);
  world_offer(&offer, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT, 3);
  struct offer_input input = {&offer, NULL};
  must(offer_publish(home->exchange, &home->party, &input, 1, world->now, &id, &error));
  uint64_t entries = world_entries(home);
  offer.audience = (char *)(uintptr_t) "named:12345678";
  assert_int_equal(
      offer_revise(home->exchange, &home->party, &id, &input, world->now, &revision, &why),
      COLLEGA_INVALID);
  assert_int_equal(why.rule, RULE_audience_only_you);
  assert_int_equal(offer_publish(home->exchange, &home->party, &input, 1, world->now, &id, &why),
                   COLLEGA_INVALID);
  assert_int_equal(why.rule, RULE_audience_only_you);
  assert_string_equal(why.field, "audience");
  assert_int_equal(world_entries(home), entries);
}

static void a_large_batch_is_one_transaction_and_all_of_it_arrives(void **state) {
  struct world *world = *state;
  struct home *a = world_home(world, "Snijder BV", "12345678", true);
  struct home *b = world_home(world, "Bakker BV", "87654321", true);
  enum { COUNT = 3000 };
  struct offer_input *inputs = test_calloc(COUNT, sizeof *inputs);
  struct short_id *ids = test_calloc(COUNT, sizeof *ids);
  struct arena *arena = arena_new(65536, 1u << 28);
  Collega__Offer offer;
  char description[300];
  memset(description, 'x', sizeof description);
  description[sizeof description - 1] = '\0';
  world_offer(&offer, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT, 3);
  offer.description = description;
  for (size_t i = 0; i < COUNT; i++)
    inputs[i] = (struct offer_input){&offer, NULL};
  must(offer_publish(a->exchange, &a->party, inputs, COUNT, world->now, ids, &error));
  world_settle(world);
  for (size_t i = 0; i < COUNT; i += 499) {
    assert_non_null(world_offer_row(a, &ids[i], arena)->position);
    assert_non_null(world_offer_row(b, &ids[i], arena));
  }
  assert_non_null(world_offer_row(b, &ids[COUNT - 1], arena));
  arena_destroy(&arena);
  test_free(inputs);
  test_free(ids);
}

static void an_offer_for_named_employers_goes_by_mail_to_them_alone(void **state) {
  struct world *world = *state;
  struct home *a = world_home(world, "Snijder BV", "12345678", true);
  struct home *b = world_home(world, "Bakker BV", "87654321", true);
  struct home *c = world_home(world, "Visser BV", "11223344", true);
  struct arena *arena = arena_new(65536, 1u << 24);
  struct short_id id;
  Collega__Offer offer;
  world_settle(world);
  world_offer(&offer, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT, 3);
  offer.audience = (char *)(uintptr_t) "named:87654321";
  struct offer_input input = {&offer, NULL};
  must(offer_publish(a->exchange, &a->party, &input, 1, world->now, &id, &error));
  world_settle(world);
  CollegaStore__OfferRow *row = world_offer_row(b, &id, arena);
  assert_non_null(row);
  assert_true(row->by_mail);
  assert_null(world_offer_row(c, &id, arena));
  must(world_withdraw(world, a, &id, &error));
  world_settle(world);
  assert_int_equal(world_offer_row(b, &id, arena)->state,
                   COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN);
  arena_destroy(&arena);
}

/* One bit of a signature on the board: the frame is refused, and nothing of it is stored. */
static void a_board_with_a_forged_signature_is_refused(void **state) {
  struct world *world = *state;
  struct home *a = world_home(world, "Snijder BV", "12345678", true);
  struct home *b = world_home(world, "Bakker BV", "87654321", true);
  struct arena *arena = arena_new(65536, 1u << 26);
  struct store_txn *txn = NULL;
  struct bytes frame;
  uint32_t records;
  uint64_t through, before = b->board;
  Collega__Filter filter = COLLEGA__FILTER__INIT;
  struct short_id id = world_publish(world, a, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT, 3);
  b->welcomed = false; /* b reads nothing meanwhile */
  world_settle(world);
  assert_int_equal(b->board, before);
  assert_null(world_offer_row(b, &id, arena));
  ProtobufCMessage *message = NULL;
  struct ledger_txn *read = NULL;
  CollegaStore__BrokerRow *broker = NULL;
  must(ledger_read(exchange_ledger(b->exchange), &read, &error));
  must(exchange_broker(read, arena, &broker, &error));
  ledger_abort(&read);
  struct epoch epoch;
  assert_true(epoch_from(&epoch, broker->epoch.data, broker->epoch.len));
  must(store_read(world->store, &txn, &error));
  must(board_read(txn, &world->broker_id, &epoch, 1, &filter, before, arena, &frame, &records,
                  &through, &error));
  store_end(&txn);
  must(guard_unpack(&collega__from_broker__descriptor, frame, arena, &message, &error));
  Collega__Board *board = ((Collega__FromBroker *)message)->board;
  assert_true(board->n_runs > 0);
  Collega__BoardRun *last = board->runs[board->n_runs - 1];
  uint64_t entries = world_entries(b);
  last->run->signature.data[9] ^= 1;
  assert_int_equal(world_deliver(world, b, message_pack(message, arena)), COLLEGA_FORGED);
  last->run->signature.data[9] ^= 1;
  last->receipt->signature.data[9] ^= 1;
  assert_int_equal(world_deliver(world, b, message_pack(message, arena)), COLLEGA_FORGED);
  last->receipt->signature.data[9] ^= 1;
  last->run->bodies[0].data[last->run->bodies[0].len - 1] ^= 1;
  assert_true(world_deliver(world, b, message_pack(message, arena)) != COLLEGA_OK);
  last->run->bodies[0].data[last->run->bodies[0].len - 1] ^= 1;
  assert_int_equal(world_entries(b), entries);
  assert_null(world_offer_row(b, &id, arena));
  assert_int_equal(world_deliver(world, b, message_pack(message, arena)), COLLEGA_OK);
  assert_non_null(world_offer_row(b, &id, arena));
  arena_destroy(&arena);
}

static void rebuilding_gives_the_same_tables(void **state) {
  struct world *world = *state;
  struct home *a = world_home(world, "Snijder BV", "12345678", true);
  struct home *b = world_home(world, "Bakker BV", "87654321", true);
  struct short_id id = world_publish(world, a, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT, 3);
  world_publish(world, b, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_IN, 2);
  world_settle(world);
  must(world_withdraw(world, a, &id, &error));
  world_settle(world);
  world_publish(world, a, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT, 5);
  for (size_t i = 0; i < world->count; i++) {
    struct id before = world_tables(&world->home[i]), after;
    uint64_t checked = 0;
    must(ledger_rebuild(exchange_ledger(world->home[i].exchange), exchange_apply,
                        world->home[i].exchange, &error));
    after = world_tables(&world->home[i]);
    assert_memory_equal(&after, &before, sizeof before);
    must(ledger_verify(exchange_ledger(world->home[i].exchange), 1, NULL, NULL, &checked, &error));
  }
}

static void a_lapsed_offer_is_marked_and_the_rest_goes_on(void **state) {
  struct world *world = *state;
  struct home *a = world_home(world, "Snijder BV", "12345678", true);
  struct arena *arena = arena_new(65536, 1u << 24);
  Collega__Offer offer;
  struct short_id first;
  world_settle(world);
  world_offer(&offer, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT, 3);
  offer.has_expires = true;
  offer.expires = world->now + HOUR_MS;
  struct offer_input input = {&offer, NULL};
  must(offer_publish(a->exchange, &a->party, &input, 1, world->now, &first, &error));
  struct short_id second = world_publish(world, a, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT, 4);
  world->now += 2 * HOUR_MS;
  world_settle(world);
  assert_null(world_offer_row(a, &first, arena)->position);
  assert_non_null(world_offer_row(a, &second, arena)->position);
  struct outbox_counts counts;
  struct ledger_txn *txn = NULL;
  must(ledger_read(exchange_ledger(a->exchange), &txn, &error));
  must(outbox_count(txn, &counts, &error));
  ledger_abort(&txn);
  assert_int_equal(counts.waiting, 0);
  assert_int_equal(counts.refused, 1);
  arena_destroy(&arena);
}

#define world_test(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      world_test(a_home_opens_with_its_party_and_mandate),
      world_test(init_refuses_a_wrong_number_before_anything_exists),
      world_test(a_token_is_kept_only_when_it_is_for_this_employer),
      world_test(a_second_invitation_of_the_same_broker_renews),
      world_test(an_offer_reaches_the_others_and_keeps_its_private_part),
      world_test(a_withdrawn_offer_is_withdrawn_everywhere_and_once),
      world_test(bad_offers_leave_no_trace),
      world_test(an_offer_for_nobody_but_its_author_is_refused),
      world_test(a_large_batch_is_one_transaction_and_all_of_it_arrives),
      world_test(an_offer_for_named_employers_goes_by_mail_to_them_alone),
      world_test(a_board_with_a_forged_signature_is_refused),
      world_test(rebuilding_gives_the_same_tables),
      world_test(a_lapsed_offer_is_marked_and_the_rest_goes_on),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
