/* Verifying the chain, and rebuilding the tables from it. */
#include "home.h"
#include "client/ledger/outbox.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KIND(name) COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_##name

static void append(struct ledger_txn *txn, CollegaStore__EntryKind kind, const char *text) {
  struct ledger_event event = {.time = TEST_TIME, .kind = kind};
  if (text != NULL) event.payload = bytes_of(text, strlen(text));
  must(ledger_append(txn, &event, &error));
}

/* Entries 2..6; 4 has no payload. */
static void fill(struct test_home *home) {
  struct ledger_txn *txn = test_write(home);
  append(txn, KIND(DRAFT), "two");
  append(txn, KIND(DRAFT), "three");
  append(txn, KIND(DRAFT), NULL);
  append(txn, KIND(DRAFT), "five");
  append(txn, KIND(DRAFT), "six");
  test_commit(txn);
}

static void verify_refuses(struct test_home *home, enum rule rule, const char *number,
                           uint64_t checked_before) {
  struct collega_error why;
  uint64_t checked;
  assert_int_equal(ledger_verify(home->ledger, 1, NULL, NULL, &checked, &why), COLLEGA_DAMAGED);
  assert_int_equal(why.rule, rule);
  assert_string_equal(why.argument[0], number);
  assert_int_equal(checked, checked_before);
}

static void verify_accepts(struct test_home *home) {
  uint64_t checked;
  must(ledger_verify(home->ledger, 1, NULL, NULL, &checked, &error));
  assert_int_equal(checked, 6);
}

/* Turns one bit of every byte of a row, one at a time: each must be found. */
static void every_byte_counts(struct test_home *home, const char *table, enum rule rule) {
  uint8_t key[8];
  put_be64(key, 3);
  size_t length;
  uint8_t *row = raw_get(home->ledger, table, bytes_of(key, 8), &length);
  assert_true(length > 16);
  for (size_t i = 0; i < length; i++) {
    row[i] ^= 0x10;
    raw_put(home->ledger, table, bytes_of(key, 8), bytes_of(row, length));
    verify_refuses(home, rule, "3", 2);
    row[i] ^= 0x10;
  }
  raw_put(home->ledger, table, bytes_of(key, 8), bytes_of(row, length));
  verify_accepts(home);
  free(row);
}

static void verify_finds_a_changed_byte_in_an_entry(void **state) {
  fill(*state);
  every_byte_counts(*state, "chain", RULE_chain_entry_damaged);
}

static void verify_finds_a_changed_byte_in_a_payload(void **state) {
  fill(*state);
  every_byte_counts(*state, "payload", RULE_chain_payload_damaged);
}

static void verify_accepts_an_erased_payload_and_reading_tells_it(void **state) {
  struct test_home *home = *state;
  fill(home);
  uint8_t key[8];
  put_be64(key, 5);
  raw_put(home->ledger, "payload", bytes_of(key, 8), bytes_of("", 0));
  verify_accepts(home);
  struct ledger_txn *txn = test_read(home);
  struct arena *arena = arena_new(1024, 1 << 20);
  struct ledger_event event;
  must(ledger_entry(txn, 5, arena, &event, &error));
  assert_true(event.erased);
  assert_null(event.payload.data);
  must(ledger_entry(txn, 6, arena, &event, &error));
  assert_false(event.erased);
  arena_destroy(&arena);
  ledger_abort(&txn);
}

static void verify_finds_a_missing_payload_and_a_missing_entry(void **state) {
  struct test_home *home = *state;
  fill(home);
  uint8_t key[8];
  size_t length;
  put_be64(key, 6);
  uint8_t *row = raw_get(home->ledger, "payload", bytes_of(key, 8), &length);
  raw_put(home->ledger, "payload", bytes_of(key, 8), bytes_of(NULL, 0));
  verify_refuses(home, RULE_chain_payload_damaged, "6", 5);
  raw_put(home->ledger, "payload", bytes_of(key, 8), bytes_of(row, length));
  verify_accepts(home);
  free(row);
  raw_put(home->ledger, "chain", bytes_of(key, 8), bytes_of(NULL, 0));
  verify_refuses(home, RULE_chain_entry_damaged, "6", 5);
}

static void verify_compares_the_head(void **state) {
  struct test_home *home = *state;
  fill(home);
  size_t length;
  uint8_t *head = raw_get(home->ledger, "state", bytes_of("head", 4), &length);
  head[length - 1] ^= 1;
  raw_put(home->ledger, "state", bytes_of("head", 4), bytes_of(head, length));
  verify_refuses(home, RULE_chain_head_damaged, "", 6);
  free(head);
}

struct progress {
  uint64_t calls, last, total;
};

static void note_progress(void *context, uint64_t at, uint64_t total) {
  struct progress *progress = context;
  assert_true(at > progress->last);
  progress->calls++;
  progress->last = at;
  progress->total = total;
}

static void verify_goes_in_chunks_from_any_entry(void **state) {
  struct test_home *home = *state;
  struct ledger_txn *txn = test_write(home);
  for (int i = 0; i < 1300; i++)
    append(txn, KIND(BOARD), "batch");
  test_commit(txn);
  struct progress progress = {0, 0, 0};
  uint64_t checked;
  must(ledger_verify(home->ledger, 1, note_progress, &progress, &checked, &error));
  assert_int_equal(checked, 1301);
  assert_true(progress.calls > 1);
  assert_int_equal(progress.last, 1301);
  assert_int_equal(progress.total, 1301);
  must(ledger_verify(home->ledger, 1000, NULL, NULL, &checked, &error));
  assert_int_equal(checked, 302);
  must(ledger_verify(home->ledger, 1302, NULL, NULL, &checked, &error));
  assert_int_equal(checked, 0);
}

/* ---- rebuild, with a small apply of its own */

static enum collega_status put_item(struct ledger_txn *txn, const struct ledger_event *event,
                                    struct collega_error *error) {
  CollegaStore__OutboxItem item = COLLEGA_STORE__OUTBOX_ITEM__INIT;
  uint8_t byte = event->payload.data[0];
  item.kind = COLLEGA_STORE__OUTBOX_KIND__OUTBOX_KIND_PUBLISH;
  item.party = item.key = item.data = (ProtobufCBinaryData){1, &byte};
  item.open = 2;
  return outbox_put(txn, &item, error);
}

/* DRAFT: a deal row and an item in the outbox. STORED: settles the item that the payload numbers.
 * LAPSED: marks it. ACT_DROPPED: removes the deal row again. Context: fails at that entry. */
static enum collega_status apply(struct ledger_txn *txn, const struct ledger_event *event,
                                 void *context, struct collega_error *error) {
  const uint64_t *fails_at = context;
  if (fails_at != NULL && event->number == *fails_at)
    return error_set(error, COLLEGA_INVALID, RULE_id_unknown, NULL, "x", NULL);
  enum collega_status status = COLLEGA_OK;
  const struct bytes payload = event->payload;
  if (event->kind == KIND(DRAFT)) {
    status =
        table_put(txn, TABLE_DEALS, payload, bytes_of(&event->time, sizeof event->time), error);
    if (status == COLLEGA_OK) status = put_item(txn, event, error);
  } else if (event->kind == KIND(STORED)) {
    status = outbox_settle(txn, payload.data[0], 1, error);
  } else if (event->kind == KIND(LAPSED)) {
    status = outbox_refuse(txn, payload.data[0], "lapsed", NULL, 0, error);
  } else if (event->kind == KIND(ACT_DROPPED)) {
    status = table_delete(txn, TABLE_DEALS, payload, error);
  }
  return status;
}

static void happen(struct ledger_txn *txn, CollegaStore__EntryKind kind, const char *payload) {
  struct ledger_event event = {
      .time = TEST_TIME, .kind = kind, .payload = bytes_of(payload, strlen(payload))};
  must(ledger_append(txn, &event, &error));
  must(apply(txn, &event, NULL, &error));
}

static void live(struct test_home *home) {
  struct ledger_txn *txn = test_write(home);
  happen(txn, KIND(DRAFT), "a"); /* item 1 */
  happen(txn, KIND(DRAFT), "b"); /* 2 */
  happen(txn, KIND(STORED), "\001");
  happen(txn, KIND(STORED), "\001"); /* 1 is gone */
  happen(txn, KIND(DRAFT), "c");     /* 3 */
  test_commit(txn);
  txn = test_write(home);
  happen(txn, KIND(STORED), "\002");
  happen(txn, KIND(LAPSED), "\003");
  happen(txn, KIND(ACT_DROPPED), "b");
  must(ledger_cursor_set(txn, "matcher", 5, &error));
  test_commit(txn);
}

static bool add_row(void *context, struct bytes key, struct bytes value) {
  struct buffer *dump = context;
  uint8_t lengths[16];
  put_be64(lengths, key.length);
  put_be64(lengths + 8, value.length);
  buffer_append(dump, lengths, sizeof lengths);
  buffer_append(dump, key.data, key.length);
  buffer_append(dump, value.data, value.length);
  return true;
}

/* Every row of every table. */
static struct buffer dump_all(struct test_home *home) {
  struct buffer dump;
  buffer_init(&dump, 0);
  struct ledger_txn *txn = test_read(home);
  for (unsigned table = 0; table < TABLE_COUNT; table++) {
    buffer_print(&dump, "table %u", table);
    must(
        table_each(txn, (enum ledger_table)table, bytes_of(NULL, 0), NULL, add_row, &dump, &error));
  }
  ledger_abort(&txn);
  assert_false(dump.failed);
  return dump;
}

static void assert_dump(struct test_home *home, const struct buffer *expected) {
  struct buffer now = dump_all(home);
  assert_int_equal(now.length, expected->length);
  assert_memory_equal(now.data, expected->data, now.length);
  buffer_free(&now);
}

static void rebuild_gives_the_same_bytes_in_every_table(void **state) {
  struct test_home *home = *state;
  live(home);
  struct buffer before = dump_all(home);
  must(ledger_rebuild(home->ledger, apply, NULL, &error));
  assert_dump(home, &before);

  /* Also when the tables had lost, gained and changed rows. */
  uint8_t key[8];
  put_be64(key, 2);
  raw_put(home->ledger, "outbox", bytes_of(key, 8), bytes_of(NULL, 0));
  raw_put(home->ledger, "deals", bytes_of("a", 1), bytes_of("changed", 7));
  raw_put(home->ledger, "roots", bytes_of("stray", 5), bytes_of("row", 3));
  must(ledger_rebuild(home->ledger, apply, NULL, &error));
  assert_dump(home, &before);
  buffer_free(&before);

  /* The outbox counts on. */
  struct ledger_txn *txn = test_write(home);
  CollegaStore__OutboxItem item = COLLEGA_STORE__OUTBOX_ITEM__INIT;
  item.kind = COLLEGA_STORE__OUTBOX_KIND__OUTBOX_KIND_SEND;
  must(outbox_put(txn, &item, &error));
  assert_int_equal(item.number, 4);
  ledger_abort(&txn);
}

static void a_rebuild_that_fails_changes_nothing(void **state) {
  struct test_home *home = *state;
  live(home);
  struct buffer before = dump_all(home);
  struct collega_error why;
  uint64_t fails_at = 5;
  assert_int_equal(ledger_rebuild(home->ledger, apply, &fails_at, &why), COLLEGA_INVALID);
  assert_int_equal(why.rule, RULE_id_unknown);
  assert_dump(home, &before);
  buffer_free(&before);

  uint8_t key[8];
  put_be64(key, 4);
  size_t length;
  uint8_t *row = raw_get(home->ledger, "payload", bytes_of(key, 8), &length);
  row[length - 1] ^= 1;
  raw_put(home->ledger, "payload", bytes_of(key, 8), bytes_of(row, length));
  free(row);
  before = dump_all(home);
  assert_int_equal(ledger_rebuild(home->ledger, apply, NULL, &why), COLLEGA_DAMAGED);
  assert_int_equal(why.rule, RULE_chain_payload_damaged);
  assert_string_equal(why.argument[0], "4");
  assert_dump(home, &before);
  buffer_free(&before);
}

#define WITH_HOME(test) cmocka_unit_test_setup_teardown(test, home_setup, home_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_HOME(verify_finds_a_changed_byte_in_an_entry),
      WITH_HOME(verify_finds_a_changed_byte_in_a_payload),
      WITH_HOME(verify_accepts_an_erased_payload_and_reading_tells_it),
      WITH_HOME(verify_finds_a_missing_payload_and_a_missing_entry),
      WITH_HOME(verify_compares_the_head),
      WITH_HOME(verify_goes_in_chunks_from_any_entry),
      WITH_HOME(rebuild_gives_the_same_bytes_in_every_table),
      WITH_HOME(a_rebuild_that_fails_changes_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
