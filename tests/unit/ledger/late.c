/* Rows that a replay writes late: whoever reads them meanwhile, and afterwards, sees what was put. */
#include "home.h"
#include "client/ledger/late.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS  500
#define STEPS 20000

static struct ledger_txn *begin_late(struct test_home *home) {
  struct ledger_txn *txn = test_write(home);
  txn->late = late_new();
  assert_non_null(txn->late);
  return txn;
}

static void end_late(struct ledger_txn *txn) {
  must(late_flush(txn->late, txn, &error));
  late_destroy(&txn->late);
}

/* A row of the model: what was put last. */
struct expected {
  bool any;
  size_t length;
  uint8_t byte;
};

static struct bytes key_of(size_t number, uint8_t key[SHORT_ID_BYTES]) {
  memset(key, 0, SHORT_ID_BYTES);
  put_be64(key, (uint64_t)number * UINT64_C(0x9E3779B97F4A7C15)); /* in no order */
  return bytes_of(key, SHORT_ID_BYTES);
}

static void assert_row(struct ledger_txn *txn, size_t number, const struct expected *expected) {
  uint8_t key[SHORT_ID_BYTES];
  struct bytes value;
  enum collega_status status = table_get(txn, TABLE_OFFERS, key_of(number, key), &value, NULL);
  assert_int_equal(status, expected->any ? COLLEGA_OK : COLLEGA_NOT_FOUND);
  if (!expected->any) return;
  assert_int_equal(value.length, expected->length);
  for (size_t i = 0; i < value.length; i++)
    assert_int_equal(value.data[i], expected->byte);
}

static void change(struct ledger_txn *txn, size_t number, unsigned turn,
                   struct expected *expected) {
  uint8_t key[SHORT_ID_BYTES], value[256];
  *expected = (struct expected){turn % 5 != 0, (turn * 7) % sizeof value, (uint8_t)turn};
  memset(value, expected->byte, sizeof value);
  if (expected->any)
    must(table_put(txn, TABLE_OFFERS, key_of(number, key), bytes_of(value, expected->length),
                   &error));
  else
    must(table_delete(txn, TABLE_OFFERS, key_of(number, key), &error));
}

static bool count_row(void *context, struct bytes key, struct bytes value) {
  (void)key, (void)value;
  ++*(size_t *)context;
  return true;
}

static void assert_count(struct ledger_txn *txn, const struct expected *model) {
  size_t found = 0, wanted = 0;
  must(table_each(txn, TABLE_OFFERS, bytes_of(NULL, 0), NULL, count_row, &found, &error));
  for (size_t i = 0; i < KEYS; i++)
    wanted += model[i].any;
  assert_int_equal(found, wanted);
}

static void what_is_read_is_what_was_put_last(void **state) {
  struct expected *model = calloc(KEYS, sizeof *model);
  struct ledger_txn *txn = begin_late(*state);
  uint32_t random = 1;
  for (unsigned step = 1; step <= STEPS; step++) {
    random = random * 1664525u + 1013904223u;
    size_t number = (random >> 8) % KEYS;
    assert_row(txn, number, &model[number]);
    change(txn, number, random >> 20, &model[number]);
    assert_row(txn, number, &model[number]);
    if (step % 5000 == 0) assert_count(txn, model); /* a walk has them written first */
  }
  end_late(txn);
  assert_count(txn, model);
  for (size_t i = 0; i < KEYS; i++)
    assert_row(txn, i, &model[i]);
  ledger_abort(&txn);
  free(model);
}

static void rows_are_written_in_pieces_over_transactions(void **state) {
  struct test_home *home = *state;
  struct expected *model = calloc(KEYS, sizeof *model);
  struct ledger_txn *txn = begin_late(home);
  struct late_rows *late = txn->late;
  for (size_t i = 0; i < KEYS; i++)
    change(txn, i, (unsigned)i + 1, &model[i]);
  assert_true(late_bytes(late) > 0);
  bool more = true;
  unsigned pieces = 0;
  for (; more; pieces++) {
    must(late_flush_some(late, txn, 4096, &more, &error));
    txn->late = NULL;
    test_commit(txn);
    txn = test_write(home);
    txn->late = late;
  }
  assert_true(pieces > 4);
  assert_int_equal(late_bytes(late), 0);
  end_late(txn);
  assert_count(txn, model);
  for (size_t i = 0; i < KEYS; i++)
    assert_row(txn, i, &model[i]);
  ledger_abort(&txn);
  free(model);
}

static void other_tables_and_empty_values_are_themselves(void **state) {
  struct ledger_txn *txn = begin_late(*state);
  uint8_t key[SHORT_ID_BYTES], row[8] = {0};
  struct bytes value, mine = key_of(7, key);
  must(table_put(txn, TABLE_MINE, mine, bytes_of("", 0), &error));
  must(table_put(txn, TABLE_OUTBOX, bytes_of(row, sizeof row), bytes_of("x", 1), &error));
  must(table_get(txn, TABLE_MINE, mine, &value, &error));
  assert_int_equal(value.length, 0);
  assert_int_equal(table_get(txn, TABLE_OFFERS, mine, &value, NULL), COLLEGA_NOT_FOUND);
  must(table_get(txn, TABLE_OUTBOX, bytes_of(row, sizeof row), &value, &error));
  assert_int_equal(value.length, 1);
  end_late(txn);
  must(table_get(txn, TABLE_MINE, mine, &value, &error));
  assert_int_equal(value.length, 0);
  ledger_abort(&txn);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(what_is_read_is_what_was_put_last, home_setup, home_teardown),
      cmocka_unit_test_setup_teardown(rows_are_written_in_pieces_over_transactions, home_setup,
                                      home_teardown),
      cmocka_unit_test_setup_teardown(other_tables_and_empty_values_are_themselves, home_setup,
                                      home_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
