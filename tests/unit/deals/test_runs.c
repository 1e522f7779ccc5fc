/* Random lives of the two cores together. COLLEGA_RUNS says how many, COLLEGA_SEED where to begin; a run that
 * goes wrong prints its seed and its story, and COLLEGA_SEED=seed COLLEGA_RUNS=1 tells it again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "world.h"

#define RUNS  20000
#define STORY 60000 /* characters of it that are printed: the end */

static struct world world;

static uint64_t setting(const char *name, uint64_t usual) {
  const char *text = getenv(name);
  return text != NULL && text[0] != '\0' ? strtoull(text, NULL, 10) : usual;
}

static void every_life_keeps_the_invariants_and_settles(void **state) {
  (void)state;
  uint64_t seed = setting("COLLEGA_SEED", 1), runs = setting("COLLEGA_RUNS", RUNS);
  for (uint64_t i = 0; i < runs; i++) {
    const char *wrong = world_run(&world, seed + i);
    if (wrong == NULL) continue;
    size_t from = world.trace_length > STORY ? world.trace_length - STORY : 0;
    fprintf(stderr, "%s\n", wrong + from);
    fail_msg("seed %llu: COLLEGA_SEED=%llu COLLEGA_RUNS=1 repeats it",
             (unsigned long long)world.seed, (unsigned long long)world.seed);
  }
  print_message("seeds %llu..%llu: decisions concluded %zu, amended %zu, terminated %zu, released "
                "%zu, void %zu; "
                "questions %zu, adopted %zu, refusals %zu\n",
                (unsigned long long)seed, (unsigned long long)(seed + runs - 1), world.concluded,
                world.amended, world.terminated, world.released, world.voided, world.questions,
                world.adopted, world.refusals);
  /* Lives in which nothing happens would keep every invariant. */
  if (runs >= RUNS) {
    assert_true(world.concluded > runs && world.voided > runs);
    assert_true(world.amended > runs / 20 && world.terminated > runs / 20 &&
                world.released > runs / 100);
    assert_true(world.questions > runs / 10 && world.adopted > runs / 10);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_life_keeps_the_invariants_and_settles)};
  return cmocka_run_group_tests_name("deals: random lives", tests, NULL, NULL);
}
