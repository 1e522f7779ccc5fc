/* Random lives of the two cores together. COLLEGA_RUNS says how many, COLLEGA_SEED where to begin; a run that
 * goes wrong prints its seed and its story, and COLLEGA_SEED=seed COLLEGA_RUNS=1 tells it again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "checker.h"
#include "tests/support/share.h"

#define RUNS  20000
#define STORY 60000 /* characters of it that are printed: the end */

static struct world world;

static uint64_t setting(const char *name, uint64_t usual) {
  const char *text = getenv(name);
  return text != NULL && text[0] != '\0' ? strtoull(text, NULL, 10) : usual;
}

/* What no life here comes to: a party that was restored (COPY), a broker that can never take a message
 * (REFUSED), a decider out of reach from the start (UNREACHABLE). test_deal_machine.c drives these rows one
 * by one, tests/model/party.pml the first two, tests/fault/test_restore.py real homes. */
static bool elsewhere(const char *row) {
  static const char *const rows[] = {
      "proposer cut_draft", "proposer refused",   "proposer copy",    "proposer copy_late",
      "proposer copy_free", "proposer free_copy", "acceptor refused", "acceptor cut_received",
      "acceptor copy",      "acceptor free_copy", "release copy_ask", "release copy_sign",
      "release copy_keep"};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if (strcmp(rows[i], row) == 0) return true;
  return false;
}

static void every_life_keeps_the_invariants_and_settles(void **state) {
  (void)state;
  uint64_t seed = setting("COLLEGA_SEED", 1), runs = setting("COLLEGA_RUNS", TESTS_SHARE(RUNS));
  for (uint64_t i = 0; i < runs; i++) {
    const char *wrong = world_run(&world, seed + i);
    if (wrong == NULL) continue;
    size_t from = world.trace_length > STORY ? world.trace_length - STORY : 0;
    fprintf(stderr, "%s\n", wrong + from);
    fail_msg("seed %llu: COLLEGA_SEED=%llu COLLEGA_RUNS=1 repeats it",
             (unsigned long long)world.seed, (unsigned long long)world.seed);
  }
  print_message("seeds %llu..%llu: decisions concluded %zu, amended %zu, reduced %zu, terminated "
                "%zu, released "
                "%zu, void %zu; "
                "questions %zu, adopted %zu, refusals %zu\n",
                (unsigned long long)seed, (unsigned long long)(seed + runs - 1), world.concluded,
                world.amended, world.reduced, world.terminated, world.released, world.voided,
                world.questions, world.adopted, world.refusals);
  /* Lives in which nothing happens would keep every invariant. */
  if (runs >= RUNS) {
    const char *row;
    for (size_t at = 0; (row = checker_never_taken(&at)) != NULL;)
      if (!elsewhere(row)) fail_msg("no life came to this row of the table: %s", row);
    assert_true(world.concluded > runs && world.voided > runs);
    assert_true(world.amended > runs / 20 && world.terminated > runs / 20 &&
                world.reduced > runs / 20 && world.released > runs / 100);
    assert_true(world.questions > runs / 10 && world.adopted > runs / 10);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_life_keeps_the_invariants_and_settles)};
  return cmocka_run_group_tests_name("deals: random lives", tests, NULL, NULL);
}
