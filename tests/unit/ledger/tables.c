/* Raw tables and rows, prefixes of ids, sequences, cursors. */
#include "home.h"
#include <stdio.h>
#include <string.h>

static void put(struct ledger_txn *txn, const char *key, const char *value) {
  must(table_put(txn, TABLE_ROOTS, bytes_of(key, strlen(key)), bytes_of(value, strlen(value)),
                 &error));
}

static void rows_are_put_got_and_deleted(void **state) {
  struct ledger_txn *txn = test_write(*state);
  put(txn, "key", "first");
  put(txn, "key", "second");
  struct bytes value;
  must(table_get(txn, TABLE_ROOTS, bytes_of("key", 3), &value, &error));
  assert_true(bytes_equal(value, bytes_of("second", 6)));
  assert_int_equal(table_get(txn, TABLE_DEALS, bytes_of("key", 3), &value, NULL),
                   COLLEGA_NOT_FOUND);
  must(table_delete(txn, TABLE_ROOTS, bytes_of("key", 3), &error));
  must(table_delete(txn, TABLE_ROOTS, bytes_of("key", 3), &error));
  assert_int_equal(table_get(txn, TABLE_ROOTS, bytes_of("key", 3), &value, NULL),
                   COLLEGA_NOT_FOUND);
  ledger_abort(&txn);
}

struct seen {
  char keys[128];
  size_t stop_after;
};

static bool note_key(void *context, struct bytes key, struct bytes value) {
  struct seen *seen = context;
  size_t length = strlen(seen->keys);
  snprintf(seen->keys + length, sizeof seen->keys - length, "%.*s=%.*s ", (int)key.length,
           (const char *)key.data, (int)value.length, (const char *)value.data);
  return seen->stop_after == 0 || --seen->stop_after > 0;
}

static void assert_each(struct ledger_txn *txn, const char *prefix, const char *start,
                        size_t stop_after, const char *expected) {
  struct seen seen = {.stop_after = stop_after};
  struct bytes from = bytes_of(start, start == NULL ? 0 : strlen(start));
  must(table_each(txn, TABLE_ROOTS, bytes_of(prefix, strlen(prefix)), start == NULL ? NULL : &from,
                  note_key, &seen, &error));
  assert_string_equal(seen.keys, expected);
}

static void a_walk_takes_the_rows_of_a_prefix_in_order(void **state) {
  struct ledger_txn *txn = test_write(*state);
  assert_each(txn, "", NULL, 0, "");
  put(txn, "b2", "4");
  put(txn, "a", "1");
  put(txn, "b", "2");
  put(txn, "c", "5");
  put(txn, "b1", "3");
  assert_each(txn, "", NULL, 0, "a=1 b=2 b1=3 b2=4 c=5 ");
  assert_each(txn, "b", NULL, 0, "b=2 b1=3 b2=4 ");
  assert_each(txn, "b", "b1", 0, "b1=3 b2=4 ");
  assert_each(txn, "b", "b11", 0, "b2=4 ");
  assert_each(txn, "b", "c", 0, "");
  assert_each(txn, "d", NULL, 0, "");
  assert_each(txn, "", "b2", 0, "b2=4 c=5 ");
  assert_each(txn, "b", NULL, 2, "b=2 b1=3 ");
  ledger_abort(&txn);
}

static void a_row_is_unpacked_into_the_arena(void **state) {
  struct ledger_txn *txn = test_write(*state);
  struct id party = test_id(7);
  CollegaStore__OwnParty row = COLLEGA_STORE__OWN_PARTY__INIT, *back = NULL;
  row.party = (ProtobufCBinaryData){ID_BYTES, party.byte};
  row.name = "Snijder BV";
  row.kvk = "12345678";
  row.host = 1;
  const struct bytes key = bytes_of(party.byte, ID_BYTES);
  must(row_put(txn, TABLE_OWN, key, &row.base, &error));
  struct arena *arena = arena_new(1024, 4096);
  must(row_get(txn, TABLE_OWN, key, &collega_store__own_party__descriptor, arena,
               (ProtobufCMessage **)&back, &error));
  assert_string_equal(back->name, "Snijder BV");
  assert_memory_equal(back->party.data, party.byte, ID_BYTES);
  assert_int_equal(back->host, 1);

  struct collega_error why;
  ProtobufCMessage *none;
  struct id other = test_id(8);
  assert_int_equal(row_get(txn, TABLE_OWN, bytes_of(other.byte, ID_BYTES),
                           &collega_store__own_party__descriptor, arena, &none, NULL),
                   COLLEGA_NOT_FOUND);
  must(table_put(txn, TABLE_OWN, key, bytes_of("\x0a\x7f", 2), &error));
  assert_int_equal(
      row_get(txn, TABLE_OWN, key, &collega_store__own_party__descriptor, arena, &none, &why),
      COLLEGA_DAMAGED);
  assert_int_equal(why.rule, RULE_ledger_row_damaged);
  assert_null(none);
  must(row_put(txn, TABLE_OWN, key, &row.base, &error));
  while (arena_take(arena, 64) != NULL) {}
  arena_reset(arena);
  while (arena_used(arena) < 4000)
    assert_non_null(arena_take(arena, 16));
  assert_int_equal(
      row_get(txn, TABLE_OWN, key, &collega_store__own_party__descriptor, arena, &none, &why),
      COLLEGA_FULL);
  arena_destroy(&arena);
  ledger_abort(&txn);
}

static void a_row_without_fields_is_a_row(void **state) {
  struct ledger_txn *txn = test_write(*state);
  CollegaStore__Party empty = COLLEGA_STORE__PARTY__INIT;
  struct bytes value;
  must(row_put(txn, TABLE_PARTIES, bytes_of("k", 1), &empty.base, &error));
  must(table_get(txn, TABLE_PARTIES, bytes_of("k", 1), &value, &error));
  assert_int_equal(value.length, 0);
  ledger_abort(&txn);
}

/* ---- prefixes */

static void put_id(struct ledger_txn *txn, const char *before, const char *hex, const char *after) {
  uint8_t key[64] = {0};
  size_t length = strlen(before);
  memcpy(key, before, length);
  assert_true(hex_read(key + length, SHORT_ID_BYTES, hex));
  memcpy(key + length + SHORT_ID_BYTES, after, strlen(after));
  length += SHORT_ID_BYTES + strlen(after);
  must(table_put(txn, TABLE_MINE, bytes_of(key, length), bytes_of("", 0), &error));
}

static enum collega_status find(struct ledger_txn *txn, const char *before, const char *typed,
                                uint8_t last, enum rule rule) {
  struct short_id found = {{0}};
  struct collega_error why = {.rule = RULE_NONE};
  enum collega_status status = table_find_prefix(txn, TABLE_MINE, bytes_of(before, strlen(before)),
                                                 typed, found.byte, sizeof found.byte, &why);
  assert_int_equal(why.rule, rule);
  if (status == COLLEGA_OK) assert_int_equal(found.byte[15], last);
  return status;
}

static void an_id_is_found_by_any_unambiguous_prefix(void **state) {
  struct ledger_txn *txn = test_write(*state);
  put_id(txn, "A", "ab120000000000000000000000000001", "");
  put_id(txn, "A", "ab1f0000000000000000000000000002", "");
  put_id(txn, "A", "cd000000000000000000000000000003", "");
  put_id(txn, "B", "ab120000000000000000000000000004", "one");
  put_id(txn, "B", "ab120000000000000000000000000004", "two");
  assert_int_equal(find(txn, "A", "c", 3, RULE_NONE), COLLEGA_OK);
  assert_int_equal(find(txn, "A", "CD", 3, RULE_NONE), COLLEGA_OK);
  assert_int_equal(find(txn, "A", "ab12", 1, RULE_NONE), COLLEGA_OK);
  assert_int_equal(find(txn, "A", "ab1f0", 2, RULE_NONE), COLLEGA_OK);
  assert_int_equal(find(txn, "A", "cd000000000000000000000000000003", 3, RULE_NONE), COLLEGA_OK);
  assert_int_equal(find(txn, "B", "a", 4, RULE_NONE), COLLEGA_OK); /* two rows, one id */
  ledger_abort(&txn);
}

static void an_unknown_or_ambiguous_or_malformed_prefix_is_refused(void **state) {
  struct ledger_txn *txn = test_write(*state);
  put_id(txn, "A", "ab120000000000000000000000000001", "");
  put_id(txn, "A", "ab1f0000000000000000000000000002", "");
  assert_int_equal(find(txn, "A", "ab", 0, RULE_id_ambiguous), COLLEGA_REFUSED);
  assert_int_equal(find(txn, "A", "ab1", 0, RULE_id_ambiguous), COLLEGA_REFUSED);
  assert_int_equal(find(txn, "A", "ab13", 0, RULE_id_unknown), COLLEGA_NOT_FOUND);
  assert_int_equal(find(txn, "A", "ac", 0, RULE_id_unknown), COLLEGA_NOT_FOUND);
  assert_int_equal(find(txn, "C", "a", 0, RULE_id_unknown), COLLEGA_NOT_FOUND);
  assert_int_equal(find(txn, "A", "ab1200000000000000000000000000010", 0, RULE_id_unknown),
                   COLLEGA_NOT_FOUND);
  assert_int_equal(find(txn, "A", "xy", 0, RULE_id_malformed), COLLEGA_INVALID);
  assert_int_equal(find(txn, "A", "", 0, RULE_id_malformed), COLLEGA_INVALID);
  ledger_abort(&txn);
}

/* ---- counters */

static uint64_t take(struct test_home *home, const struct id *party, enum ledger_sequence which,
                     uint32_t count) {
  struct ledger_txn *txn = test_write(home);
  uint64_t first;
  must(ledger_next_sequence(txn, party, which, count, &first, &error));
  test_commit(txn);
  return first;
}

static void sequences_go_on_after_deletion_and_reopening(void **state) {
  struct test_home *home = *state;
  const struct id one = test_id(1), two = test_id(2);
  assert_int_equal(take(home, &one, SEQUENCE_RECORDS, 1), 1);
  assert_int_equal(take(home, &one, SEQUENCE_RECORDS, 4096), 2);
  assert_int_equal(take(home, &one, SEQUENCE_MAIL, 1), 1);
  assert_int_equal(take(home, &two, SEQUENCE_RECORDS, 3), 1);

  /* Every row that a sequence number could be derived from goes. */
  struct ledger_txn *txn = test_write(home);
  must(table_put(txn, TABLE_RECORDS, bytes_of("newest", 6), bytes_of("row", 3), &error));
  must(table_delete(txn, TABLE_RECORDS, bytes_of("newest", 6), &error));
  test_commit(txn);
  home_reopen(home);
  assert_int_equal(take(home, &one, SEQUENCE_RECORDS, 1), 4098);
  assert_int_equal(take(home, &one, SEQUENCE_MAIL, 1), 2);
  assert_int_equal(take(home, &two, SEQUENCE_RECORDS, 1), 4);

  txn = test_write(home);
  uint64_t first;
  must(ledger_next_sequence(txn, &one, SEQUENCE_MAIL, 10, &first, &error));
  ledger_abort(&txn); /* nothing was signed with them */
  assert_int_equal(take(home, &one, SEQUENCE_MAIL, 1), 3);
}

static void a_cursor_is_zero_until_it_is_set_and_then_stays(void **state) {
  struct test_home *home = *state;
  struct ledger_txn *txn = test_write(home);
  uint64_t at = 99;
  must(ledger_cursor(txn, "matcher", &at, &error));
  assert_int_equal(at, 0);
  must(ledger_cursor_set(txn, "matcher", 12, &error));
  must(ledger_cursor_set(txn, "pages", UINT64_MAX, &error));
  test_commit(txn);
  home_reopen(home);
  txn = test_read(home);
  must(ledger_cursor(txn, "matcher", &at, &error));
  assert_int_equal(at, 12);
  must(ledger_cursor(txn, "pages", &at, &error));
  assert_true(at == UINT64_MAX);
  ledger_abort(&txn);
}

#define WITH_HOME(test) cmocka_unit_test_setup_teardown(test, home_setup, home_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_HOME(rows_are_put_got_and_deleted),
      WITH_HOME(a_walk_takes_the_rows_of_a_prefix_in_order),
      WITH_HOME(a_row_is_unpacked_into_the_arena),
      WITH_HOME(a_row_without_fields_is_a_row),
      WITH_HOME(an_id_is_found_by_any_unambiguous_prefix),
      WITH_HOME(an_unknown_or_ambiguous_or_malformed_prefix_is_refused),
      WITH_HOME(sequences_go_on_after_deletion_and_reopening),
      WITH_HOME(a_cursor_is_zero_until_it_is_set_and_then_stays),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
