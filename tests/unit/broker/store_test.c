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
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
