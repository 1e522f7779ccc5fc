/* The engine against a plain list: the same answers while offers come, change and go, with and without a taxonomy,
 * with the default weights and with others.
 *
 * Boards are random, of a seed that is printed; COLLEGA_SEED repeats one. The plain score (plain.c) is computed
 * from the offers themselves, in another arithmetic, so scores may differ in the last digits: offers within
 * TOLERANCE of each other may change places, and nothing else. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/match/plain.h"
#include "tests/unit/match/samples.h"
#include "tests/support/share.h"

#define MOST_OFFERS 2000
#define MOST        50
#define QUERIES     12
#define TOLERANCE   1e-5 /* a place's point is good to a metre: 1e-5 of the distance part's 100 km */

struct listed {
  bool in, mine;
  struct short_id id;
  struct id author;
  struct arena *arena;
  Collega__Offer *offer;
};
struct board {
  const struct plain *plain;
  struct match_engine *engine;
  struct listed *list;
  size_t room, answers;
  uint64_t random;
};

static int descending(const void *one, const void *other) {
  double a = *(const double *)one, b = *(const double *)other;
  return (a < b) - (a > b);
}

static size_t plain_scores(const struct board *board, size_t at, bool only_mine, double *scores) {
  size_t count = 0;
  const struct listed *self = &board->list[at];
  for (size_t i = 0; i < board->room; ++i) {
    const struct listed *other = &board->list[i];
    if (i == at || !other->in || (only_mine && !other->mine)) continue;
    double score =
        plain_score(board->plain, self->offer, &self->author, other->offer, &other->author);
    if (score >= 0) scores[count++] = score;
  }
  qsort(scores, count, sizeof *scores, descending);
  return count;
}

static const struct listed *find(const struct board *board, const struct short_id *id) {
  for (size_t i = 0; i < board->room; ++i)
    if (board->list[i].in && memcmp(&board->list[i].id, id, sizeof *id) == 0)
      return &board->list[i];
  return NULL;
}

/* Each answer is an offer that is there, with its own plain score, which is the one that belongs at this place. */
static void compare(struct board *board, size_t at, size_t most, bool only_mine) {
  double expected[MOST_OFFERS];
  struct match_found found[MOST];
  const struct listed *self = &board->list[at];
  size_t count = 0, wanted = plain_scores(board, at, only_mine, expected);
  enum collega_status status =
      only_mine ? match_engine_touched(board->engine, &self->id, most, found, &count, NULL)
                : match_engine_top(board->engine, &self->id, most, found, &count, NULL);
  assert_int_equal(status, COLLEGA_OK);
  assert_int_equal(count, wanted < most ? wanted : most);
  for (size_t i = 0; i < count; ++i) {
    const struct listed *other = find(board, &found[i].id);
    assert_non_null(other);
    assert_true(!only_mine || other->mine);
    double score =
        plain_score(board->plain, self->offer, &self->author, other->offer, &other->author);
    assert_true(fabs(score - found[i].score) < TOLERANCE);
    assert_true(fabs(expected[i] - found[i].score) < TOLERANCE);
    if (i == 0) continue;
    assert_memory_not_equal(&found[i].id, &found[i - 1].id, sizeof found[i].id);
    assert_true(found[i].score <= found[i - 1].score);
    if (found[i].score >= found[i - 1].score)
      assert_true(memcmp(&found[i].id, &found[i - 1].id, sizeof found[i].id) > 0);
  }
  board->answers += count;
}

static void change(struct board *board, size_t at) {
  struct listed *one = &board->list[at];
  if (one->in && sample_number(&board->random, 3) == 0) {
    struct match_found found;
    size_t count;
    match_engine_remove(board->engine, &one->id);
    match_engine_remove(board->engine, &one->id); /* twice: once in effect */
    one->in = false;
    assert_int_equal(match_engine_top(board->engine, &one->id, 1, &found, &count, NULL),
                     COLLEGA_NOT_FOUND);
    return;
  }
  if (!one->arena) one->arena = arena_new(2048, 1u << 20);
  arena_reset(one->arena);
  if (!one->in) /* a revision keeps its id and author */
    one->author = sample_employer(sample_number(&board->random, 40));
  put_be32(one->id.byte, (uint32_t)at * 2654435761u);
  one->mine = sample_number(&board->random, 4) == 0;
  one->offer = sample_random(one->arena, &board->random);
  one->in = true;
  struct match_offer offer = {one->id, one->author, one->mine, one->offer};
  struct collega_error error;
  assert_int_equal(match_engine_put(board->engine, &offer, &error), COLLEGA_OK);
}

static void count_up(const struct board *board) {
  struct match_engine_size size;
  size_t in = 0, mine = 0;
  for (size_t i = 0; i < board->room; ++i) {
    in += board->list[i].in;
    mine += board->list[i].in && board->list[i].mine;
  }
  match_engine_size(board->engine, &size);
  assert_int_equal(size.offers, in);
  assert_int_equal(size.mine, mine);
}

/* Every second board has the default weights. */
static void random_weights(uint64_t seed, struct match_rules *rules) {
  uint64_t random = seed;
  double sum = 0;
  if (sample_number(&random, 2)) return;
  for (size_t i = 0; i < MATCH_PARTS; ++i)
    sum += rules->weight[i] = sample_number(&random, 4) ? sample_number(&random, 100) : 0;
  for (size_t i = 0; i < MATCH_PARTS; ++i)
    rules->weight[i] = sum > 0 ? rules->weight[i] / sum : match_rules_default.weight[i];
}

static void try_board(uint64_t seed, const struct match_sources *sources, size_t *answers) {
  struct match_rules rules = match_rules_default;
  struct plain plain;
  rules.sources = *sources;
  random_weights(seed, &rules);
  plain_prepare(&plain, sources->taxonomy != NULL);
  memcpy(plain.weight, rules.weight, sizeof plain.weight);
  struct board board = {.plain = &plain, .engine = match_engine_new(&rules), .random = seed};
  board.room = 1 + sample_number(&board.random, MOST_OFFERS);
  board.list = calloc(board.room, sizeof *board.list);
  assert_non_null(board.engine);
  assert_non_null(board.list);
  for (size_t i = 0; i < board.room; ++i)
    change(&board, i);
  for (size_t i = 0; i < QUERIES; ++i) {
    for (size_t j = 0; j < board.room / 4; ++j)
      change(&board, sample_number(&board.random, (uint32_t)board.room));
    size_t at = sample_number(&board.random, (uint32_t)board.room);
    if (board.list[at].in) compare(&board, at, 1 + sample_number(&board.random, MOST), i % 3 == 0);
  }
  count_up(&board);
  *answers += board.answers;
  for (size_t i = 0; i < board.room; ++i)
    arena_destroy(&board.list[i].arena);
  match_engine_destroy(&board.engine);
  assert_null(board.engine);
  free(board.list);
}

static void try_boards(unsigned boards, const struct match_sources *sources) {
  const char *given = getenv("COLLEGA_SEED");
  uint64_t seed = given ? strtoull(given, NULL, 10) : 20270104;
  size_t answers = 0;
  for (unsigned i = 0; i < boards; ++i) {
    print_message("COLLEGA_SEED=%llu\n", (unsigned long long)seed);
    try_board(seed, sources, &answers);
    seed = seed * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX */
    if (given) break;
  }
  if (!given) assert_true(answers > 20 * boards); /* not vacuous */
}

static void the_engine_answers_like_a_plain_list(void **state) {
  (void)state;
  try_boards(TESTS_SHARE(1000), &match_rules_default.sources);
}

static void the_engine_answers_like_a_plain_list_with_a_taxonomy(void **state) {
  (void)state;
  struct taxonomy *taxonomy = made_up_taxonomy();
  struct courses *courses = made_up_table();
  try_boards(TESTS_SHARE(1000), &(struct match_sources){.taxonomy = taxonomy, .courses = courses});
  taxonomy_close(&taxonomy);
  courses_close(&courses);
}

static void asking_for_none_gets_none(void **state) {
  (void)state;
  struct match_engine *engine = match_engine_new(&match_rules_default);
  struct arena *arena = arena_new(4096, 1u << 20);
  struct match_offer one = {.id = {{1}}, .author = sample_employer(1), .offer = sample_out(arena)};
  struct match_offer other = {.id = {{2}}, .author = sample_employer(2), .offer = sample_in(arena)};
  struct match_found found[2];
  struct collega_error error;
  size_t count = 7;
  assert_int_equal(match_engine_put(engine, &one, &error), COLLEGA_OK);
  assert_int_equal(match_engine_put(engine, &other, &error), COLLEGA_OK);
  assert_int_equal(match_engine_top(engine, &one.id, 0, found, &count, &error), COLLEGA_OK);
  assert_int_equal(count, 0);
  assert_int_equal(match_engine_top(engine, &one.id, 2, found, &count, &error), COLLEGA_OK);
  assert_int_equal(count, 1);
  assert_memory_equal(&found[0].id, &other.id, sizeof other.id);
  match_engine_destroy(&engine);
  arena_destroy(&arena);
}

int main(void) {
  struct collega_error error;
  if (bytes_start(&error) != COLLEGA_OK) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_engine_answers_like_a_plain_list),
      cmocka_unit_test(the_engine_answers_like_a_plain_list_with_a_taxonomy),
      cmocka_unit_test(asking_for_none_gets_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
