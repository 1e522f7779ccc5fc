/* The outbox: order, settling, refusing, counting, finding. */
#include "home.h"
#include "client/ledger/outbox.h"
#include <stdio.h>
#include <string.h>

static uint64_t put(struct ledger_txn *txn, uint8_t key, uint32_t open, int64_t time) {
  struct id id = test_id(key), party = test_id(0xee);
  CollegaStore__OutboxItem item = COLLEGA_STORE__OUTBOX_ITEM__INIT;
  item.kind = COLLEGA_STORE__OUTBOX_KIND__OUTBOX_KIND_PUBLISH;
  item.party = (ProtobufCBinaryData){ID_BYTES, party.byte};
  item.key = (ProtobufCBinaryData){ID_BYTES, id.byte};
  item.data = (ProtobufCBinaryData){4, (uint8_t *)"data"};
  item.time = time;
  item.open = open;
  must(outbox_put(txn, &item, &error));
  return item.number;
}

struct numbers {
  uint64_t seen[8];
  size_t count, most;
};

static bool note_number(void *context, const CollegaStore__OutboxItem *item) {
  struct numbers *numbers = context;
  assert_true(numbers->count < 8);
  numbers->seen[numbers->count++] = item->number;
  return numbers->most == 0 || numbers->count < numbers->most;
}

static struct numbers walk(struct ledger_txn *txn, uint64_t after, size_t most) {
  struct numbers numbers = {.most = most};
  struct arena *arena = arena_new(1024, 1 << 20);
  must(outbox_each(txn, after, arena, note_number, &numbers, &error));
  arena_destroy(&arena);
  return numbers;
}

static void items_leave_in_the_order_they_came(void **state) {
  struct test_home *home = *state;
  struct ledger_txn *txn = test_write(home);
  for (uint8_t i = 1; i <= 5; i++)
    assert_int_equal(put(txn, i, 1, TEST_TIME), i);
  test_commit(txn);
  home_reopen(home);
  txn = test_read(home);
  struct numbers all = walk(txn, 0, 0);
  assert_int_equal(all.count, 5);
  for (size_t i = 0; i < 5; i++)
    assert_int_equal(all.seen[i], i + 1);
  struct numbers rest = walk(txn, 3, 1);
  assert_int_equal(rest.count, 1);
  assert_int_equal(rest.seen[0], 4);
  assert_int_equal(walk(txn, 5, 0).count, 0);
  assert_int_equal(walk(txn, UINT64_MAX, 0).count, 0);
  ledger_abort(&txn);
}

static void a_number_is_never_given_again(void **state) {
  struct test_home *home = *state;
  struct ledger_txn *txn = test_write(home);
  put(txn, 1, 1, TEST_TIME);
  uint64_t newest = put(txn, 2, 1, TEST_TIME);
  must(outbox_forget(txn, newest, &error));
  must(outbox_settle(txn, 1, 1, &error));
  test_commit(txn);
  home_reopen(home);
  txn = test_write(home);
  assert_int_equal(put(txn, 3, 1, TEST_TIME), newest + 1);
  ledger_abort(&txn);
}

static void an_item_goes_when_all_of_it_is_settled(void **state) {
  struct ledger_txn *txn = test_write(*state);
  uint64_t number = put(txn, 1, 5, TEST_TIME);
  struct arena *arena = arena_new(1024, 1 << 20);
  CollegaStore__OutboxItem *item;
  must(outbox_settle(txn, number, 2, &error));
  must(outbox_get(txn, number, arena, &item, &error));
  assert_int_equal(item->open, 3);
  assert_int_equal(item->number, number);
  must(outbox_settle(txn, number, 0, &error));
  must(outbox_get(txn, number, arena, &item, &error));
  assert_int_equal(item->open, 3);
  must(outbox_settle(txn, number, 3, &error));
  assert_int_equal(outbox_get(txn, number, arena, &item, NULL), COLLEGA_NOT_FOUND);
  assert_null(item);
  assert_int_equal(outbox_settle(txn, number, 1, NULL), COLLEGA_NOT_FOUND);
  uint64_t other = put(txn, 2, 2, TEST_TIME);
  must(outbox_settle(txn, other, 9, &error)); /* an answer that counts too many leaves none open */
  assert_int_equal(outbox_get(txn, other, arena, &item, NULL), COLLEGA_NOT_FOUND);
  arena_destroy(&arena);
  ledger_abort(&txn);
}

static void a_refused_item_stays_marked_and_is_not_sent(void **state) {
  struct ledger_txn *txn = test_write(*state);
  uint64_t number = put(txn, 1, 1, TEST_TIME);
  put(txn, 2, 1, TEST_TIME);
  const char *const arguments[] = {"1", "10000"};
  must(outbox_refuse(txn, number, "headcount_range", arguments, 2, &error));
  struct arena *arena = arena_new(1024, 1 << 20);
  CollegaStore__OutboxItem *item;
  must(outbox_get(txn, number, arena, &item, &error));
  assert_string_equal(item->refused, "headcount_range");
  assert_int_equal(item->n_refused_arguments, 2);
  assert_string_equal(item->refused_arguments[1], "10000");
  assert_int_equal(item->data.len, 4);
  /* A second refusal replaces the first. */
  must(outbox_refuse(txn, number, "lapsed", NULL, 0, &error));
  must(outbox_get(txn, number, arena, &item, &error));
  assert_string_equal(item->refused, "lapsed");
  assert_int_equal(item->n_refused_arguments, 0);
  struct numbers waiting = walk(txn, 0, 0);
  assert_int_equal(waiting.count, 1);
  assert_int_equal(waiting.seen[0], 2);
  assert_int_equal(outbox_refuse(txn, 77, "lapsed", NULL, 0, NULL), COLLEGA_NOT_FOUND);
  must(outbox_forget(txn, number, &error));
  must(outbox_forget(txn, number, &error));
  assert_int_equal(outbox_get(txn, number, arena, &item, NULL), COLLEGA_NOT_FOUND);
  arena_destroy(&arena);
  ledger_abort(&txn);
}

static void counts_tell_waiting_refused_and_the_oldest(void **state) {
  struct ledger_txn *txn = test_write(*state);
  struct outbox_counts counts;
  must(outbox_count(txn, &counts, &error));
  assert_int_equal(counts.waiting, 0);
  assert_int_equal(counts.refused, 0);
  assert_true(counts.oldest == 0);
  uint64_t first = put(txn, 1, 1, TEST_TIME - 50);
  put(txn, 2, 1, TEST_TIME + 10);
  put(txn, 3, 1, TEST_TIME - 20);
  must(outbox_refuse(txn, first, "lapsed", NULL, 0, &error));
  must(outbox_count(txn, &counts, &error));
  assert_int_equal(counts.waiting, 2);
  assert_int_equal(counts.refused, 1);
  assert_true(counts.oldest == TEST_TIME - 20); /* the refused one no longer waits */
  ledger_abort(&txn);
}

static void an_item_is_found_by_its_key(void **state) {
  struct ledger_txn *txn = test_write(*state);
  for (uint8_t i = 1; i <= 4; i++)
    put(txn, i, 1, TEST_TIME);
  struct arena *arena = arena_new(1024, 1 << 20);
  CollegaStore__OutboxItem *item;
  struct id key = test_id(3), absent = test_id(9);
  must(outbox_find(txn, &key, arena, &item, &error));
  assert_int_equal(item->number, 3);
  assert_memory_equal(item->key.data, key.byte, ID_BYTES);
  assert_int_equal(outbox_find(txn, &absent, arena, &item, NULL), COLLEGA_NOT_FOUND);
  assert_null(item);
  must(outbox_refuse(txn, 3, "lapsed", NULL, 0, &error));
  must(outbox_find(txn, &key, arena, &item, &error)); /* a late answer still finds it */
  assert_string_equal(item->refused, "lapsed");
  arena_destroy(&arena);
  ledger_abort(&txn);
}

static void a_damaged_item_is_told(void **state) {
  struct ledger_txn *txn = test_write(*state);
  uint8_t key[8];
  put_be64(key, 1);
  must(table_put(txn, TABLE_OUTBOX, bytes_of(key, 8), bytes_of("\xff", 1), &error));
  struct outbox_counts counts;
  struct collega_error why;
  assert_int_equal(outbox_count(txn, &counts, &why), COLLEGA_DAMAGED);
  assert_int_equal(why.rule, RULE_ledger_row_damaged);
  ledger_abort(&txn);
}

#define WITH_HOME(test) cmocka_unit_test_setup_teardown(test, home_setup, home_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_HOME(items_leave_in_the_order_they_came),
      WITH_HOME(a_number_is_never_given_again),
      WITH_HOME(an_item_goes_when_all_of_it_is_settled),
      WITH_HOME(a_refused_item_stays_marked_and_is_not_sent),
      WITH_HOME(counts_tell_waiting_refused_and_the_oldest),
      WITH_HOME(an_item_is_found_by_its_key),
      WITH_HOME(a_damaged_item_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
