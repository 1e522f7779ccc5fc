/* The chain, its head, two processes on it, the bell, and what happens when there is no room. */
#include "home.h"
#include "base/disk/disk.h"
#include "base/process/process.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define KIND(name) COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_##name

static uint64_t append_text(struct ledger_txn *txn, const char *text) {
  struct ledger_event event = {.time = TEST_TIME, .kind = KIND(DRAFT)};
  if (text != NULL) event.payload = bytes_of(text, strlen(text));
  must(ledger_append(txn, &event, &error));
  return event.number;
}

/* The chain's hash up to `last`, computed from the stored entries by the formula in ledger.h
 * alone. */
static struct id hash_by_hand(struct ledger *ledger, uint64_t last) {
  struct id hash = {{0}};
  for (uint64_t number = 1; number <= last; number++) {
    uint8_t key[8];
    size_t length;
    put_be64(key, number);
    uint8_t *row = raw_get(ledger, "chain", bytes_of(key, 8), &length);
    assert_true(length > 32);
    const struct bytes parts[] = {bytes_of(hash.byte, 32), bytes_of(row + 32, length - 32)};
    hash_parts(&hash, "collega/chain/1", parts, 2);
    free(row);
  }
  return hash;
}

static void a_new_ledger_has_its_genesis_entry_and_a_random_epoch(void **state) {
  struct test_home *home = *state;
  struct ledger_txn *txn = test_read(home);
  struct ledger_head head;
  must(ledger_head(txn, &head, &error));
  assert_int_equal(head.number, 1);
  struct arena *arena = arena_new(1024, 1 << 20);
  struct ledger_event event;
  must(ledger_entry(txn, 1, arena, &event, &error));
  assert_int_equal(event.kind, KIND(GENESIS));
  assert_true(event.time == TEST_TIME);
  assert_null(event.payload.data);
  assert_false(event.erased);
  struct epoch epoch;
  must(ledger_epoch(txn, &epoch, &error));
  assert_memory_equal(epoch.byte, head.epoch.byte, EPOCH_BYTES);
  ledger_abort(&txn);
  struct id expected = hash_by_hand(home->ledger, 1);
  assert_true(id_equal(&head.hash, &expected));
  arena_destroy(&arena);

  struct test_home other;
  home_make(&other, "node");
  must(ledger_create(other.path, TEST_TIME, &error));
  home_reopen(&other);
  txn = test_read(&other);
  struct ledger_head second;
  must(ledger_head(txn, &second, &error));
  ledger_abort(&txn);
  assert_memory_not_equal(second.epoch.byte, head.epoch.byte, EPOCH_BYTES);
  assert_false(id_equal(&second.hash, &head.hash));
  home_remove(&other);
}

static void entries_come_back_as_they_were_appended(void **state) {
  struct test_home *home = *state;
  const struct id party = test_id(1), record = test_id(2), counterpart = test_id(3);
  struct receipt_position position = {.origin = test_id(4), .seq = UINT64_MAX, .time = 5};
  memset(position.epoch.byte, 6, EPOCH_BYTES);
  struct ledger_event full = {.time = TEST_TIME + 1,
                              .kind = KIND(RECEIPTS),
                              .party = &party,
                              .record = &record,
                              .counterpart = &counterpart,
                              .position = &position,
                              .payload = bytes_of("salted", 6)};
  struct ledger_event bare = {.time = TEST_TIME + 2, .kind = KIND(LAPSED)};
  struct ledger_event empty = {
      .time = TEST_TIME + 3, .kind = KIND(BOARD), .payload = bytes_of("", 0)};
  struct ledger_txn *txn = test_write(home);
  must(ledger_append(txn, &full, &error));
  must(ledger_append(txn, &bare, &error));
  must(ledger_append(txn, &empty, &error));
  test_commit(txn);
  assert_int_equal(full.number, 2);
  assert_int_equal(bare.number, 3);
  assert_int_equal(empty.number, 4);

  home_reopen(home);
  txn = test_read(home);
  struct arena *arena = arena_new(1024, 1 << 20);
  struct ledger_event event;
  must(ledger_entry(txn, 2, arena, &event, &error));
  assert_int_equal(event.number, 2);
  assert_true(event.time == TEST_TIME + 1);
  assert_int_equal(event.kind, KIND(RECEIPTS));
  assert_true(id_equal(event.party, &party));
  assert_true(id_equal(event.record, &record));
  assert_true(id_equal(event.counterpart, &counterpart));
  assert_true(id_equal(&event.position->origin, &position.origin));
  assert_memory_equal(event.position->epoch.byte, position.epoch.byte, EPOCH_BYTES);
  assert_true(event.position->seq == UINT64_MAX);
  assert_int_equal(event.payload.length, 6);
  assert_memory_equal(event.payload.data, "salted", 6);
  must(ledger_entry(txn, 3, arena, &event, &error));
  assert_null(event.party);
  assert_null(event.record);
  assert_null(event.counterpart);
  assert_null(event.position);
  assert_null(event.payload.data);
  must(ledger_entry(txn, 4, arena, &event, &error));
  assert_non_null(event.payload.data);
  assert_int_equal(event.payload.length, 0);
  struct collega_error why;
  assert_int_equal(ledger_entry(txn, 5, arena, &event, &why), COLLEGA_NOT_FOUND);
  assert_int_equal(why.rule, RULE_chain_beyond_head);
  assert_int_equal(ledger_entry(txn, 0, arena, &event, &why), COLLEGA_NOT_FOUND);
  ledger_abort(&txn);
  arena_destroy(&arena);
}

static void equal_payloads_have_different_hashes(void **state) {
  struct test_home *home = *state;
  struct ledger_txn *txn = test_write(home);
  append_text(txn, "the same");
  append_text(txn, "the same");
  test_commit(txn);
  uint8_t key[8];
  size_t first_length, second_length;
  put_be64(key, 2);
  uint8_t *first = raw_get(home->ledger, "payload", bytes_of(key, 8), &first_length);
  put_be64(key, 3);
  uint8_t *second = raw_get(home->ledger, "payload", bytes_of(key, 8), &second_length);
  assert_int_equal(first_length, second_length);
  assert_memory_not_equal(first, second, first_length);
  free(first);
  free(second);
}

static void the_head_is_the_hash_of_all_entries(void **state) {
  struct test_home *home = *state;
  for (int round = 0; round < 3; round++) {
    struct ledger_txn *txn = test_write(home);
    for (int i = 0; i < 4; i++)
      append_text(txn, i % 2 == 0 ? "text" : NULL);
    struct ledger_head inside;
    must(ledger_head(txn, &inside, &error));
    assert_int_equal(inside.number, 1 + 4 * (round + 1));
    test_commit(txn);
    home_reopen(home);
    txn = test_read(home);
    struct ledger_head head;
    must(ledger_head(txn, &head, &error));
    ledger_abort(&txn);
    assert_int_equal(head.number, inside.number);
    assert_true(id_equal(&head.hash, &inside.hash));
    struct id expected = hash_by_hand(home->ledger, head.number);
    assert_true(id_equal(&head.hash, &expected));
  }
  struct ledger_txn *txn = test_read(home);
  for (uint64_t number = 1; number <= 13; number++) {
    ledger_abort(&txn);
    struct id expected = hash_by_hand(home->ledger, number), at;
    txn = test_read(home);
    must(ledger_hash_at(txn, number, &at, &error));
    assert_true(id_equal(&at, &expected));
  }
  struct id at;
  must(ledger_hash_at(txn, 0, &at, &error));
  assert_true(id_is_zero(&at));
  assert_int_equal(ledger_hash_at(txn, 14, &at, NULL), COLLEGA_NOT_FOUND);
  ledger_abort(&txn);
}

static void an_aborted_transaction_leaves_nothing(void **state) {
  struct test_home *home = *state;
  struct ledger_txn *txn = test_write(home);
  append_text(txn, "given up");
  ledger_abort(&txn);
  assert_null(txn);
  txn = test_read(home);
  struct ledger_head head;
  must(ledger_head(txn, &head, &error));
  ledger_abort(&txn);
  assert_int_equal(head.number, 1);
  size_t length;
  uint8_t key[8];
  put_be64(key, 2);
  assert_null(raw_get(home->ledger, "payload", bytes_of(key, 8), &length));
}

static void a_new_epoch_is_told_by_an_entry_and_restarts_sequences(void **state) {
  struct test_home *home = *state;
  const struct id party = test_id(1);
  struct ledger_txn *txn = test_write(home);
  struct epoch before, after;
  uint64_t first;
  must(ledger_epoch(txn, &before, &error));
  must(ledger_next_sequence(txn, &party, SEQUENCE_RECORDS, 7, &first, &error));
  must(ledger_new_epoch(txn, TEST_TIME + 9, &error));
  must(ledger_epoch(txn, &after, &error));
  assert_memory_not_equal(before.byte, after.byte, EPOCH_BYTES);
  must(ledger_next_sequence(txn, &party, SEQUENCE_RECORDS, 1, &first, &error));
  assert_int_equal(first, 1);
  test_commit(txn);
  home_reopen(home);
  txn = test_read(home);
  struct ledger_head head;
  must(ledger_head(txn, &head, &error));
  assert_memory_equal(head.epoch.byte, after.byte, EPOCH_BYTES);
  struct arena *arena = arena_new(1024, 1 << 20);
  struct ledger_event event;
  must(ledger_entry(txn, head.number, arena, &event, &error));
  assert_int_equal(event.kind, KIND(EPOCH));
  assert_int_equal(event.payload.length, EPOCH_BYTES);
  assert_memory_equal(event.payload.data, after.byte, EPOCH_BYTES);
  arena_destroy(&arena);
  ledger_abort(&txn);
}

/* ---- opening */

static void opening_refuses_what_is_not_a_ledger(void **state) {
  (void)state;
  struct test_home home;
  struct ledger *ledger = NULL;
  struct collega_error why;
  home_make(&home, "node");
  assert_int_equal(ledger_open(home.path, &ledger, &why), COLLEGA_NOT_FOUND);
  assert_int_equal(why.rule, RULE_ledger_missing);
  assert_null(ledger);
  assert_int_equal(ledger_open(home.directory, &ledger, &why), COLLEGA_NOT_FOUND);
  assert_int_equal(why.rule, RULE_home_missing);
  home_remove(&home);

  home_make(&home, "broker");
  assert_int_equal(ledger_open(home.path, &ledger, &why), COLLEGA_REFUSED);
  assert_int_equal(why.rule, RULE_home_other_kind);
  assert_int_equal(ledger_create(home.path, TEST_TIME, &why), COLLEGA_REFUSED);
  assert_int_equal(why.rule, RULE_home_other_kind);
  home_remove(&home);
}

static void environment_at(const struct test_home *home, const char *format) {
  char path[128];
  snprintf(path, sizeof path, "%s/ledger", home->path);
  struct disk *disk;
  const struct disk_options options = {
      .path = path, .format = format, .version = 1, .databases = 2};
  must(disk_open(&options, &disk, &error));
  disk_close(&disk);
}

static void an_environment_of_another_program_is_refused(void **state) {
  (void)state;
  struct test_home home;
  struct collega_error why;
  home_make(&home, "node");
  environment_at(&home, "something-else");
  assert_int_equal(ledger_open(home.path, &home.ledger, &why), COLLEGA_REFUSED);
  assert_int_equal(why.rule, RULE_disk_foreign);
  assert_int_equal(ledger_create(home.path, TEST_TIME, &why), COLLEGA_REFUSED);
  home_remove(&home);
}

static void a_creation_that_was_cut_short_is_finished_by_the_next(void **state) {
  (void)state;
  struct test_home home;
  struct collega_error why;
  home_make(&home, "node");
  environment_at(&home, "collega-ledger");
  assert_int_equal(ledger_open(home.path, &home.ledger, &why), COLLEGA_NOT_FOUND);
  assert_int_equal(why.rule, RULE_ledger_missing);
  must(ledger_create(home.path, TEST_TIME, &error));
  home_reopen(&home);
  home_remove(&home);
}

static void a_ledger_is_created_once_and_opened_once_a_process(void **state) {
  struct test_home *home = *state;
  struct ledger *second = NULL;
  struct collega_error why;
  assert_int_equal(ledger_open(home->path, &second, &why), COLLEGA_REFUSED);
  assert_int_equal(why.rule, RULE_disk_open_twice);
  ledger_close(&home->ledger);
  assert_int_equal(ledger_create(home->path, TEST_TIME, &why), COLLEGA_EXISTS);
  assert_int_equal(why.rule, RULE_ledger_exists);
  home_reopen(home);
  assert_string_equal(ledger_home(home->ledger), home->path);
}

/* ---- two processes */

#define TURNS 10

/* Appends one entry at each byte read, and answers with a byte. Runs in the child: no cmocka. */
static int child_writes(const char *path, int turn, int done) {
  struct ledger *ledger = NULL;
  if (ledger_open(path, &ledger, NULL) != COLLEGA_OK) return 1;
  char byte;
  while (read(turn, &byte, 1) == 1) {
    struct ledger_txn *txn;
    if (ledger_write(ledger, &txn, NULL) != COLLEGA_OK) return 2;
    struct ledger_event event = {
        .time = TEST_TIME, .kind = KIND(STORED), .payload = bytes_of("child", 5)};
    if (ledger_append(txn, &event, NULL) != COLLEGA_OK) return 3;
    if (ledger_commit(&txn, NULL) != COLLEGA_OK) return 4;
    if (write(done, &byte, 1) != 1) return 5;
  }
  ledger_close(&ledger);
  return 0;
}

static void two_processes_writing_in_turn_see_one_chain(void **state) {
  struct test_home *home = *state;
  ledger_close(&home->ledger); /* LMDB must be opened after the fork, by each for itself */
  int turn[2], done[2];
  assert_int_equal(pipe(turn), 0);
  assert_int_equal(pipe(done), 0);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    close(turn[1]);
    close(done[0]);
    _exit(child_writes(home->path, turn[0], done[1]));
  }
  close(turn[0]);
  close(done[1]);
  home_reopen(home);
  for (int i = 0; i < TURNS; i++) {
    struct ledger_txn *txn = test_write(home);
    assert_int_equal(append_text(txn, "parent"), 2 + 2 * i);
    test_commit(txn);
    char byte = 'x';
    assert_int_equal(write(turn[1], &byte, 1), 1);
    assert_int_equal(read(done[0], &byte, 1), 1);
  }
  close(turn[1]);
  close(done[0]);
  int how;
  assert_int_equal(waitpid(child, &how, 0), child);
  assert_true(WIFEXITED(how));
  assert_int_equal(WEXITSTATUS(how), 0);

  struct ledger_txn *txn = test_read(home);
  struct ledger_head head;
  must(ledger_head(txn, &head, &error));
  assert_int_equal(head.number, 1 + 2 * TURNS);
  struct arena *arena = arena_new(1024, 1 << 20);
  for (uint64_t number = 2; number <= head.number; number++) {
    struct ledger_event event;
    must(ledger_entry(txn, number, arena, &event, &error));
    assert_int_equal(event.kind, number % 2 == 0 ? KIND(DRAFT) : KIND(STORED));
  }
  arena_destroy(&arena);
  ledger_abort(&txn);
  uint64_t checked;
  must(ledger_verify(home->ledger, 1, NULL, NULL, &checked, &error));
  assert_int_equal(checked, head.number);
}

/* ---- the bell */

static bool rang(int fd, int wait_ms) {
  struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
  bool heard = poll(&poll_fd, 1, wait_ms) == 1;
  bell_drain(fd);
  return heard;
}

static void a_commit_rings_the_bell_and_only_a_commit(void **state) {
  struct test_home *home = *state;
  int fd;
  must(bell_listen(home->path, &fd, &error));
  struct ledger_txn *txn = test_write(home);
  append_text(txn, "heard");
  assert_false(rang(fd, 0));
  test_commit(txn);
  assert_true(rang(fd, 5000));

  txn = test_write(home);
  append_text(txn, "given up");
  ledger_abort(&txn);
  assert_false(rang(fd, 0));
  txn = test_write(home); /* nothing written: a listener that does this must not wake itself */
  must(table_delete(txn, TABLE_DEALS, bytes_of("absent", 6), &error));
  test_commit(txn);
  assert_false(rang(fd, 0));
  close(fd);
}

/* ---- no room */

static void a_full_map_refuses_writing_and_goes_on_reading(void **state) {
  (void)state;
  struct test_home home;
  home_make(&home, "node");
  setenv("COLLEGA_MAP_MIB", "1", 1);
  must(ledger_create(home.path, TEST_TIME, &error));
  home_reopen(&home);
  static uint8_t large[2 << 20];
  struct collega_error why;

  /* One transaction larger than the map. */
  struct ledger_txn *txn = test_write(&home);
  struct ledger_event event = {
      .time = TEST_TIME, .kind = KIND(BOARD), .payload = bytes_of(large, sizeof large)};
  assert_int_equal(ledger_append(txn, &event, &why), COLLEGA_FULL);
  assert_int_equal(why.rule, RULE_disk_full);
  ledger_abort(&txn);

  /* Many small ones: refused before the map is full. */
  enum collega_status status = COLLEGA_OK;
  uint64_t written = 1;
  while (status == COLLEGA_OK && written < 1000) {
    status = ledger_write(home.ledger, &txn, &why);
    if (status != COLLEGA_OK) break;
    event.payload = bytes_of(large, 10000);
    must(ledger_append(txn, &event, &error));
    test_commit(txn);
    written = event.number;
  }
  assert_int_equal(status, COLLEGA_FULL);
  assert_int_equal(why.rule, RULE_disk_map_nearly_full);
  assert_null(txn);
  uint64_t checked;
  must(ledger_verify(home.ledger, 1, NULL, NULL, &checked, &error));
  assert_int_equal(checked, written);
  assert_true(checked > 20);
  home_reopen(&home);
  must(ledger_verify(home.ledger, 1, NULL, NULL, &checked, &error));

  /* With more room it goes on where it was. */
  setenv("COLLEGA_MAP_MIB", "64", 1);
  home_reopen(&home);
  txn = test_write(&home);
  assert_int_equal(append_text(txn, "room again"), written + 1);
  test_commit(txn);
  home_remove(&home);
}

#define WITH_HOME(test) cmocka_unit_test_setup_teardown(test, home_setup, home_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_HOME(a_new_ledger_has_its_genesis_entry_and_a_random_epoch),
      WITH_HOME(entries_come_back_as_they_were_appended),
      WITH_HOME(equal_payloads_have_different_hashes),
      WITH_HOME(the_head_is_the_hash_of_all_entries),
      WITH_HOME(an_aborted_transaction_leaves_nothing),
      WITH_HOME(a_new_epoch_is_told_by_an_entry_and_restarts_sequences),
      cmocka_unit_test(opening_refuses_what_is_not_a_ledger),
      cmocka_unit_test(an_environment_of_another_program_is_refused),
      cmocka_unit_test(a_creation_that_was_cut_short_is_finished_by_the_next),
      WITH_HOME(a_ledger_is_created_once_and_opened_once_a_process),
      WITH_HOME(two_processes_writing_in_turn_see_one_chain),
      WITH_HOME(a_commit_rings_the_bell_and_only_a_commit),
      cmocka_unit_test(a_full_map_refuses_writing_and_goes_on_reading),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
