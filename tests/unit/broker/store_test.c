/* The disk: full, killed in the middle, restored. */
#include "world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *own_program;

/* ---- a full disk */

static int small_world_setup(void **state) {
  if (world_setup(state)) return -1;
  struct world *world = *state;
  world_close(world);
  world->map_bytes = 4u * 1024u * 1024u;
  world_open(world);
  return 0;
}

static void a_full_disk_refuses_in_words_and_reading_goes_on(void **state) {
  struct world *world = *state;
  struct party party;
  party_join(world, &party, 1);
  uint64_t taken = 0;
  enum collega_status status = COLLEGA_OK;
  struct broker_state before = {0};
  struct id full_head = {{0}};
  for (size_t i = 0; i < 200 && !status; i++) {
    enum { EACH = 100 };
    struct bytes bodies[EACH];
    for (size_t j = 0; j < EACH; j++)
      bodies[j] = plain_offer_body(world, &party, "Vol");
    before = world_state(world);
    full_head = party.head;
    struct request *request = publish_request(world, &party, sign_run(world, &party, bodies, EACH));
    status = commit_requests(world, &request, 1);
    if (!status) taken += EACH;
  }
  assert_int_equal(status, COLLEGA_FULL);
  assert_true(taken > 0);
  assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_FULL);
  assert_null(world->result.log);
  assert_int_equal(world_state(world).log_seq, before.log_seq);

  Collega__Filter all = COLLEGA__FILTER__INIT;
  struct board_seen seen;
  read_board(world, &all, 0, &seen);
  assert_int_equal(seen.count, before.log_seq);
  assert_int_equal(seen.seqs[seen.count - 1], before.log_seq);
  struct store_txn *txn = world_read(world);
  struct head_row head;
  bool found;
  must(head_row_read(txn, &party.id, &head, &found, &error));
  store_end(&txn);
  assert_true(found && id_equal(&head.hash, &full_head));
  free(seen.ids);
  free(seen.seqs);
  party_free(&party);
}

/* ---- killed */

/* The child: serves until its fault point kills it, and tells each id whose answer it had in
 * hand. */
static int child(const char *directory) {
  void *state = NULL;
  struct world *world = calloc(1, sizeof *world);
  state = world;
  (void)state;
  snprintf(world->directory, sizeof world->directory, "%s", directory);
  world->map_bytes = 64u * 1024u * 1024u;
  world->now = TEST_TIME;
  world->arena = arena_new(65536, 1024u * 1024u * 1024u);
  must(bytes_start(&error));
  must(identity_load(directory, &world->identity, &error));
  world_open(world);
  struct party party;
  party_join(world, &party, 1);
  for (;;) {
    struct bytes bodies[3];
    struct id ids[3];
    for (size_t i = 0; i < 3; i++)
      bodies[i] = plain_offer_body(world, &party, "Onderbroken");
    bodies_ids(bodies, 3, ids);
    publish(world, &party, bodies, 3);
    if (write(STDOUT_FILENO, ids, sizeof ids) != (ssize_t)sizeof ids) return 1;
  }
}

/* Runs the child until it is killed; the ids it told, in order. */
static size_t run_until_killed(const struct world *world, const char *fault, struct id *ids,
                               size_t most) {
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    setenv("COLLEGA_FAULT", fault, 1);
    execl(own_program, own_program, "child", world->directory, (char *)NULL);
    _exit(127);
  }
  close(ends[1]);
  size_t length = 0;
  ssize_t got;
  while (length < most * sizeof *ids &&
         (got = read(ends[0], (uint8_t *)ids + length, most * sizeof *ids - length)) > 0)
    length += (size_t)got;
  close(ends[0]);
  int status = 0;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  return length / sizeof *ids;
}

static void killed_at(struct world *world, const char *fault, size_t expected, size_t stored) {
  struct id ids[64];
  world_close(world);
  must(identity_save(world->identity, world->directory, &error));
  size_t told = run_until_killed(world, fault, ids, 64);
  assert_int_equal(told, expected);
  world_open(world);
  Collega__Filter all = COLLEGA__FILTER__INIT;
  struct board_seen seen;
  read_board(world, &all, 0, &seen);
  size_t members = 4; /* cards of both, the epoch, the certificate */
  assert_int_equal(seen.count, members + stored);
  assert_memory_equal(seen.ids + members, ids, told * sizeof *ids);
  free(seen.ids);
  free(seen.seqs);
}

/* Commits of the child: opening, invitation, joining, then three records each. */
static void what_was_answered_survives_a_kill_before_a_commit(void **state) {
  killed_at(*state, "broker_commit_before:6", 6, 6);
}

static void what_was_committed_survives_a_kill_before_its_answer(void **state) {
  killed_at(*state, "broker_commit_after:6", 6, 9);
}

/* ---- reopening */

static void a_store_belongs_to_one_broker(void **state) {
  struct world *world = *state;
  struct identity *other = NULL;
  struct commit *commit = NULL;
  char recovery[RECOVERY_TEXT_BYTES];
  struct epoch epoch;
  struct collega_error error;
  random_fill(&epoch, sizeof epoch);
  enum collega_status status =
      identity_create(true, &epoch, 1, world->now, recovery, &other, &error);
  assert_int_equal(status, COLLEGA_OK);
  status = commit_open(world->store, other, "Ander", &commit, &error);
  assert_int_equal(status, COLLEGA_REFUSED);
  assert_int_equal(error.rule, RULE_store_other_broker);
  assert_null(commit);
  identity_destroy(&other);
}

static void reopening_adds_nothing_to_the_log(void **state) {
  struct world *world = *state;
  uint64_t seq = world_state(world).log_seq;
  assert_int_equal(seq, 2); /* its card, its epoch */
  world_close(world);
  world_open(world);
  assert_int_equal(world_state(world).log_seq, seq);
}

static void a_rotated_card_is_logged_at_the_next_opening(void **state) {
  struct world *world = *state;
  struct broker_state before = world_state(world);
  world_close(world);
  must(identity_rotate(world->identity, &before.author_epoch, before.author_seq + 1, world->now,
                       &error));
  world_open(world);
  struct broker_state after = world_state(world);
  assert_int_equal(after.log_seq, before.log_seq + 1);
  assert_int_equal(after.author_seq, before.author_seq + 1);
  struct party party; /* receipts and certificates are signed by the new card, and verify */
  party_join(world, &party, 1);
  struct bytes body = plain_offer_body(world, &party, "Nieuwe kaart");
  struct id id;
  bodies_ids(&body, 1, &id);
  publish(world, &party, &body, 1);
  assert_receipts(world, answer_at(world, 0), &id, 1);
  assert_int_equal(answer_at(world, 0)->receipts->receipt->key_epoch, 1);
  party_free(&party);
}

/* ---- rows of the log */

#define FIRST UINT64_C(1000000) /* far behind all that the world has logged */

/* One commit: runs of the given sizes, then the receipt of all. Returns the next number. */
static uint64_t append_commit(struct store_txn *txn, uint64_t first, const uint32_t *sizes,
                              size_t runs) {
  static const struct facet facets[8] = {{.type = 1}};
  static const struct id leaves[16] = {{{0}}};
  uint32_t base = 0;
  for (size_t i = 0; i < runs; i++) {
    struct log_row row = {.first_seq = first + base,
                          .count = sizes[i],
                          .base = base,
                          .facets = facets,
                          .run = bytes_of("run", 3)};
    must(log_row_append(txn, &row, &error));
    base += sizes[i];
  }
  struct commit_row commit = {.first_seq = first,
                              .count = base,
                              .time = TEST_TIME,
                              .receipt = bytes_of("receipt", 7),
                              .leaves = leaves};
  must(commit_row_append(txn, &commit, &error));
  return first + base;
}

static uint64_t run_of(struct store_txn *txn, uint64_t seq) {
  struct log_row row;
  must(log_row_find(txn, seq, &row, &error));
  return row.count ? row.first_seq : 0;
}

static uint64_t commit_of(struct store_txn *txn, uint64_t seq) {
  struct commit_row row;
  must(commit_row_find(txn, seq, &row, &error));
  return row.count ? row.first_seq : 0;
}

static void a_run_and_its_receipt_are_found_by_every_number(void **state) {
  struct world *world = *state;
  static const uint32_t mixed[] = {2, 3, 1}, one[] = {1};
  struct store_txn *txn = NULL;
  must(store_write(world->store, &txn, &error));
  uint64_t second = append_commit(txn, FIRST, mixed, 3), end = append_commit(txn, second, one, 1);
  assert_int_equal(second, FIRST + 6);
  static const uint64_t runs[] = {0, 0, 2, 2, 2, 5, 6};
  for (uint64_t seq = FIRST; seq < end; seq++) {
    assert_int_equal(run_of(txn, seq), FIRST + runs[seq - FIRST]);
    assert_int_equal(commit_of(txn, seq), seq < second ? FIRST : second);
  }
  assert_int_equal(run_of(txn, FIRST - 1), 0);
  assert_int_equal(commit_of(txn, FIRST - 1), 0);
  assert_int_equal(run_of(txn, end), 0);
  assert_int_equal(commit_of(txn, end), 0);
  store_end(&txn);
}

/* The next run of the walk; count 0: past the end. */
static struct log_row next_run(struct store_cursor *cursor) {
  struct log_row row;
  do
    must(log_rows_next(cursor, &row, &error));
  while (row.is_commit);
  return row;
}

static void a_run_that_went_leaves_its_receipt_and_the_walk_goes_on_behind_it(void **state) {
  struct world *world = *state;
  static const uint32_t mixed[] = {2, 3, 1}, one[] = {1};
  struct store_txn *txn = NULL;
  must(store_write(world->store, &txn, &error));
  uint64_t second = append_commit(txn, FIRST, mixed, 3), third = append_commit(txn, second, one, 1);
  append_commit(txn, third, mixed, 3);
  must(log_row_delete(txn, FIRST + 2, 2, &error)); /* the second of the first commit */
  must(log_row_delete(txn, second, 0, &error));    /* the only one of the second */
  for (uint64_t seq = FIRST + 2; seq < FIRST + 5; seq++) {
    assert_int_equal(run_of(txn, seq), 0);
    assert_int_equal(commit_of(txn, seq), FIRST);
  }
  assert_int_equal(run_of(txn, second), 0);
  assert_int_equal(commit_of(txn, second), second);

  struct store_cursor cursor;
  struct log_row row;
  must(store_cursor_open(txn, STORE_LOG, &cursor, &error));
  must(log_rows_seek(&cursor, FIRST + 5, &row, &error));
  assert_int_equal(row.first_seq, FIRST + 5);
  static const uint64_t rest[] = {0, 2, 5};
  for (size_t i = 0; i < 3; i++) {
    row = next_run(&cursor);
    assert_int_equal(row.first_seq, third + rest[i]);
    assert_int_equal(row.count, mixed[i]);
  }
  assert_int_equal(next_run(&cursor).count, 0);
  must(log_rows_seek(&cursor, second, &row, &error)); /* gone: the next, or one before it */
  assert_true(row.count > 0 && row.first_seq <= third);
  store_cursor_close(&cursor);
  store_end(&txn);
}

/* Receipts stay for ever. Whoever follows from the beginning passes them a bounded number at a time. */
static void receipts_of_what_is_gone_are_passed_a_frame_at_a_time(void **state) {
  enum { COMMITS = 150000 };
  struct world *world = *state;
  static const struct id leaf = {{0}};
  struct store_txn *txn = NULL;
  must(store_write(world->store, &txn, &error));
  uint64_t end = FIRST;
  for (size_t i = 0; i < COMMITS; i++) {
    struct commit_row commit = {.first_seq = end,
                                .count = 1,
                                .time = TEST_TIME,
                                .receipt = bytes_of("receipt", 7),
                                .leaves = &leaf};
    must(commit_row_append(txn, &commit, &error));
    end++;
  }
  must(compacted_write(txn, end - 1, &error));

  Collega__Filter all = COLLEGA__FILTER__INIT;
  struct broker_state broker = world_state(world);
  size_t frames = 0;
  for (uint64_t after = FIRST - 1, through; after < end - 1; after = through, frames++) {
    struct bytes frame;
    uint32_t records;
    must(board_read(txn, &broker.broker, &broker.epoch, 1, &all, after, world->arena, &frame,
                    &records, &through, &error));
    assert_true(through > after && through < end);
    assert_int_equal(records, 0);
  }
  assert_in_range(frames, 2, 10);
  store_end(&txn);
}

/* Heads stand among the rows of authors: whatever epochs and numbers an author chooses, neither is taken
 * for the other. */
static void a_head_is_no_row_of_an_author(void **state) {
  struct world *world = *state;
  struct store_txn *txn = NULL;
  struct id home;
  struct epoch epoch, other = {{0}};
  struct head_row head = {.number = 7}, read;
  bool found;
  uint64_t seq;
  memset(home.byte, 0xff, sizeof home.byte);
  memset(epoch.byte, 0xff, sizeof epoch.byte);
  must(store_write(world->store, &txn, &error));
  must(head_row_write(txn, &home, &head, &error));
  must(author_find(txn, &home, &epoch, UINT64_MAX, &seq, &error));
  assert_int_equal(seq, 0);
  struct author_row row = {.first = UINT64_MAX, .log_seq = 5, .count = 1, .epoch = epoch};
  must(author_row_put(txn, &home, &row, &error));
  must(author_find(txn, &home, &epoch, UINT64_MAX, &seq, &error));
  assert_int_equal(seq, 5);
  must(author_find(txn, &home, &other, UINT64_MAX, &seq, &error));
  assert_int_equal(seq, 0);
  must(head_row_read(txn, &home, &read, &found, &error));
  assert_true(found && read.number == 7);
  home.byte[ID_BYTES - 1] = 0xfe;
  must(head_row_read(txn, &home, &read, &found, &error));
  assert_false(found);
  memset(home.byte, 0xff, sizeof home.byte);
  home.byte[0] = 0; /* behind nobody's rows: the floor is another's head, or nothing */
  must(head_row_write(txn, &home, &head, &error));
  home.byte[0] = 1;
  must(author_find(txn, &home, &epoch, 1, &seq, &error));
  assert_int_equal(seq, 0);
  store_end(&txn);
}

int main(int argc, char **argv) {
  own_program = argv[0];
  if (argc == 3 && !strcmp(argv[1], "child")) return child(argv[2]);
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_full_disk_refuses_in_words_and_reading_goes_on,
                                      small_world_setup, world_teardown),
      TEST(what_was_answered_survives_a_kill_before_a_commit),
      TEST(what_was_committed_survives_a_kill_before_its_answer),
      TEST(a_store_belongs_to_one_broker),
      TEST(reopening_adds_nothing_to_the_log),
      TEST(a_rotated_card_is_logged_at_the_next_opening),
      TEST(a_run_and_its_receipt_are_found_by_every_number),
      TEST(a_run_that_went_leaves_its_receipt_and_the_walk_goes_on_behind_it),
      TEST(receipts_of_what_is_gone_are_passed_a_frame_at_a_time),
      TEST(a_head_is_no_row_of_an_author),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
