/* The engine against a plain list: the same answers, in the same order, while offers come, change and go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/match/samples.h"

#define OFFERS 150
#define ROUNDS 400
#define MOST   8

struct listed {
  bool in, mine;
  struct short_id id;
  struct id author;
  struct arena *arena;
  Collega__Offer *offer;
};

static int by_score(const void *one, const void *other) {
  const struct match_found *a = one, *b = other;
  if (a->score != b->score) return a->score < b->score ? 1 : -1;
  return memcmp(a->id.byte, b->id.byte, SHORT_ID_BYTES);
}

static size_t plain_top(const struct listed *list, size_t at, bool only_mine,
                        struct match_found *out) {
  static struct match_result result;
  size_t count = 0;
  for (size_t i = 0; i < OFFERS; ++i) {
    if (i == at || !list[i].in || (only_mine && !list[i].mine)) continue;
    match_pair(list[at].offer, &list[at].author, list[i].offer, &list[i].author, &result);
    if (result.fits) out[count++] = (struct match_found){list[i].id, result.score};
  }
  qsort(out, count, sizeof *out, by_score);
  return count < MOST ? count : MOST;
}

static void compare(struct match_engine *engine, const struct listed *list, size_t at,
                    size_t *answers) {
  struct match_found expected[OFFERS], found[MOST];
  size_t count = 0;
  for (int only_mine = 0; only_mine < 2; ++only_mine) {
    size_t wanted = plain_top(list, at, only_mine, expected);
    enum collega_status status =
        only_mine ? match_engine_touched(engine, &list[at].id, MOST, found, &count, NULL)
                  : match_engine_top(engine, &list[at].id, MOST, found, &count, NULL);
    assert_int_equal(status, COLLEGA_OK);
    assert_int_equal(count, wanted);
    for (size_t i = 0; i < count; ++i) {
      assert_memory_equal(found[i].id.byte, expected[i].id.byte, SHORT_ID_BYTES);
      assert_true(found[i].score == expected[i].score);
    }
    *answers += count;
  }
}

static void the_engine_answers_like_a_plain_list(void **state) {
  (void)state;
  uint64_t random = 42;
  size_t answers = 0;
  struct listed *list = calloc(OFFERS, sizeof *list);
  struct match_engine *engine = match_engine_new();
  for (int round = 0; round < ROUNDS; ++round) {
    size_t at = sample_number(&random, OFFERS);
    struct listed *one = &list[at];
    if (one->in && sample_number(&random, 3) == 0) {
      match_engine_remove(engine, &one->id);
      one->in = false;
      struct match_found found[MOST];
      size_t count;
      assert_int_equal(match_engine_top(engine, &one->id, MOST, found, &count, NULL),
                       COLLEGA_NOT_FOUND);
      continue;
    }
    if (!one->arena) one->arena = arena_new(4096, 1u << 20);
    arena_reset(one->arena);
    put_be32(one->id.byte, (uint32_t)at * 2654435761u);
    one->author = sample_employer(sample_number(&random, 20));
    one->mine = sample_number(&random, 4) == 0;
    one->offer = sample_random(one->arena, &random);
    one->in = true;
    struct match_offer offer = {one->id, one->author, one->mine, one->offer};
    struct collega_error error;
    assert_int_equal(match_engine_put(engine, &offer, &error), COLLEGA_OK);
    compare(engine, list, at, &answers);
  }
  assert_true(answers > 200); /* not vacuous */
  for (size_t i = 0; i < OFFERS; ++i)
    arena_destroy(&list[i].arena);
  match_engine_destroy(&engine);
  assert_null(engine);
  free(list);
}

int main(void) {
  struct collega_error error;
  if (bytes_start(&error) != COLLEGA_OK) return 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_engine_answers_like_a_plain_list)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
