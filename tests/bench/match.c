/* Matching on large boards: bench_match [--seed N] [--home HOME] [--write DIRECTORY] OFFERS QUERIES.
 *
 * Offers as grounded.h has them, with what was imported in HOME. Figures: offers indexed a second, and with
 * unpacking; bytes for each (by the engine's own count, and by what the process grew); the time of the best 20 for
 * one offer, by CPU and by the clock on the wall; the same with the words of all twenty; and a scan over all
 * cards. --write puts board, questions and answers into files (board_file.h), for another program to answer the
 * same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/match/engine.h"
#include "proto/guard.h"
#include "tests/bench/board_file.h"
#include "tests/bench/grounded.h"
#include "tests/bench/measure.h"

#define BEST           20
#define EMPLOYERS_MOST 20000
#define OF_EMPLOYER    4 /* on a small board, the fewest on a larger one */
#define SCANS          100
#define RUN            64 /* offers unpacked, then put */

/* One question: whose best twenty, and which they were. */
struct question {
  size_t offer, count;
  struct match_found found[BEST];
};

struct bench {
  struct grounded_options options; /* its own: where to write the board */
  size_t offers, queries;
  struct grounded_home home;
  struct match_rules rules;
  struct generator generator;
  struct arena *arena;
  struct match_engine *engine;
  struct board_file *file; /* NULL: none is wanted */
  struct question *questions;
  int64_t *times, *wall_times; /* one for each question */
};

/* ---- the board */

static void name(struct match_offer *offer, size_t at, uint32_t employer) {
  memset(offer, 0, sizeof *offer);
  put_be64(offer->id.byte, (uint64_t)at * UINT64_C(0x9e3779b97f4a7c15));
  put_be64(offer->id.byte + 8, at);
  put_be32(offer->author.byte, employer);
}

static size_t place_of(const struct short_id *id) {
  return (size_t)get_be64(id->byte + 8);
}

/* The offers come in the same order each time that the generator was prepared. */
static struct match_offer next_offer(struct bench *bench, size_t at) {
  struct match_offer offer;
  size_t employers = bench->offers / OF_EMPLOYER;
  if (employers > EMPLOYERS_MOST) employers = EMPLOYERS_MOST;
  arena_reset(bench->arena);
  name(&offer, at, grounded_number(&bench->generator, (uint32_t)(employers ? employers : 1)));
  offer.offer = grounded_offer(&bench->generator, bench->arena);
  return offer;
}

static const Collega__Offer *unpacked(struct bytes packed, struct arena *arena) {
  ProtobufCMessage *message = NULL;
  NEED(guard_unpack(&collega__offer__descriptor, packed, arena, &message, NULL) == COLLEGA_OK);
  return (const Collega__Offer *)message;
}

/* As a node reads them: a run of offers is unpacked, then put. The clock is read once a run, because a look at it
 * takes a sixth of the time of one offer. */
static void index_board(struct bench *bench) {
  size_t offers = bench->offers;
  struct arena *arena = arena_new(1u << 20, 1u << 26);
  struct collega_error error;
  int64_t unpacking = 0, indexing = 0;
  NEED(arena);
  double before = process_memory(getpid());
  for (size_t i = 0; i < offers;) {
    struct match_offer run[RUN];
    struct bytes packed[RUN];
    size_t count = offers - i < RUN ? offers - i : RUN;
    arena_reset(arena);
    for (size_t j = 0; j < count; ++j) {
      run[j] = next_offer(bench, i + j);
      packed[j] = message_pack(&run[j].offer->base, arena);
      NEED(packed[j].data);
    }
    int64_t began = thread_nanoseconds();
    for (size_t j = 0; j < count; ++j)
      run[j].offer = unpacked(packed[j], arena);
    int64_t read = thread_nanoseconds();
    for (size_t j = 0; j < count; ++j)
      NEED(match_engine_put(bench->engine, &run[j], &error) == COLLEGA_OK);
    indexing += thread_nanoseconds() - read;
    unpacking += read - began;
    i += count;
  }
  double grown = process_memory(getpid()) - before;
  struct match_engine_size size;
  match_engine_size(bench->engine, &size);
  say("offers", (double)size.offers);
  say("indexed_a_second", per_second(offers, indexing));
  say("load_seconds", (double)(unpacking + indexing) / 1e9);
  say("bytes_an_offer", (double)size.bytes / (double)offers);
  say("grown_an_offer", grown / (double)offers);
  arena_destroy(&arena);
}

/* ---- the best twenty */

static void say_times(const char *what, const int64_t *times, size_t count) {
  static const struct {
    const char *name;
    double part;
  } told[] = {{"p50", 0.5}, {"p99", 0.99}};
  int64_t *sorted = malloc(count * sizeof *sorted);
  NEED(sorted);
  memcpy(sorted, times, count * sizeof *sorted);
  for (size_t i = 0; i < sizeof told / sizeof told[0]; ++i) {
    char text[80];
    snprintf(text, sizeof text, "%s_%s_us", what, told[i].name);
    say(text, (double)percentile(sorted, count, told[i].part) / 1000.0);
  }
  free(sorted);
}

static void ask(struct bench *bench) {
  size_t answers = 0, queries = bench->queries;
  int64_t sum = 0;
  struct collega_error error;
  for (size_t i = 0; i < queries; ++i) {
    struct question *question = &bench->questions[i];
    struct match_offer asked;
    question->offer = grounded_number(&bench->generator, (uint32_t)bench->offers);
    name(&asked, question->offer, 0);
    int64_t began = thread_nanoseconds(), began_wall = nanoseconds();
    NEED(match_engine_top(bench->engine, &asked.id, BEST, question->found, &question->count,
                          &error) == COLLEGA_OK);
    bench->wall_times[i] = nanoseconds() - began_wall;
    bench->times[i] = thread_nanoseconds() - began;
    sum += bench->times[i];
    answers += question->count;
    if (bench->file) board_file_asked(bench->file, &asked.id, question->found, question->count);
  }
  say("answers_a_query", (double)answers / (double)queries);
  say("best20_mean_us", (double)sum / (double)queries / 1000.0);
  say_times("best20", bench->times, queries);
  say_times("best20_wall", bench->wall_times, queries);
}

/* ---- with words: as whoever is shown all twenty, from the packed offers */

struct kept {
  struct bytes packed; /* NULL: not among those asked for */
  struct id author;
};

/* Goes over the board once more, and writes it where that is wanted. */
static struct kept *keep_asked(struct bench *bench, struct arena *arena) {
  size_t offers = bench->offers;
  struct kept *kept = calloc(offers, sizeof *kept);
  bool *wanted = calloc(offers, sizeof *wanted);
  NEED(kept && wanted);
  for (size_t i = 0; i < bench->queries; ++i) {
    const struct question *question = &bench->questions[i];
    wanted[question->offer] = true;
    for (size_t j = 0; j < question->count; ++j)
      wanted[place_of(&question->found[j].id)] = true;
  }
  grounded_prepare(&bench->generator, bench->options.seed, &bench->home);
  for (size_t i = 0; i < offers; ++i) {
    struct match_offer offer = next_offer(bench, i);
    if (bench->file) board_file_offer(bench->file, &offer);
    if (!wanted[i]) continue;
    kept[i] = (struct kept){message_pack(&offer.offer->base, arena), offer.author};
    NEED(kept[i].packed.data);
  }
  free(wanted);
  return kept;
}

static void explain(struct bench *bench) {
  struct arena *packed = arena_new(1u << 20, 4000000000u);
  static struct match_result result;
  NEED(packed);
  struct kept *kept = keep_asked(bench, packed);
  for (size_t i = 0; i < bench->queries; ++i) {
    const struct question *question = &bench->questions[i];
    const struct kept *mine = &kept[question->offer];
    struct match_side asker, found;
    arena_reset(bench->arena);
    int64_t began = thread_nanoseconds();
    match_side_fill(&asker, &bench->rules, unpacked(mine->packed, bench->arena), &mine->author);
    for (size_t j = 0; j < question->count; ++j) {
      const struct kept *theirs = &kept[place_of(&question->found[j].id)];
      match_side_fill(&found, &bench->rules, unpacked(theirs->packed, bench->arena),
                      &theirs->author);
      match_sides(&bench->rules, &asker, &found, &result);
      NEED(result.fits);
    }
    bench->times[i] += thread_nanoseconds() - began;
  }
  say_times("explained", bench->times, bench->queries);
  free(kept);
  arena_destroy(&packed);
}

/* ---- the plain way, for comparison: every card against one */

struct scan {
  uint8_t *cards;
  size_t bytes, room;
};

static void scan_add(struct scan *scan, const Collega__Offer *offer,
                     const struct match_rules *rules) {
  if (scan->room - scan->bytes < CARD_ROOM) {
    scan->room = scan->room * 2 + CARD_ROOM;
    scan->cards = realloc(scan->cards, scan->room);
    NEED(scan->cards);
  }
  scan->bytes += match_card_fill((struct match_card *)(void *)(scan->cards + scan->bytes), offer,
                                 &rules->sources);
}

static double scan_best(const struct scan *scan, const struct match_card *self,
                        const struct match_rules *rules) {
  double best = -1, part[MATCH_PARTS], score;
  for (size_t at = 0; at < scan->bytes;) {
    const struct match_card *card = (const struct match_card *)(const void *)(scan->cards + at);
    if (match_cards(rules, self, card, &score, part) && score > best) best = score;
    at += card_bytes(card);
  }
  return best;
}

static void scan_board(struct bench *bench) {
  struct scan scan = {0};
  size_t scans = bench->queries < SCANS ? bench->queries : SCANS;
  double sum = 0;
  for (size_t i = 0; i < bench->offers; ++i)
    scan_add(&scan, next_offer(bench, i).offer, &bench->rules);
  for (size_t i = 0; i < scans; ++i) {
    _Alignas(struct match_card) uint8_t room[CARD_ROOM];
    struct match_card *self = (struct match_card *)(void *)room;
    match_card_fill(self, next_offer(bench, 0).offer, &bench->rules.sources);
    int64_t began = thread_nanoseconds();
    sum += scan_best(&scan, self, &bench->rules);
    bench->times[i] = thread_nanoseconds() - began;
  }
  NEED(sum > 0);
  say("scan_p50_us", (double)percentile(bench->times, scans, 0.5) / 1000.0);
  free(scan.cards);
}

int main(int count, char **arguments) {
  static struct bench bench;
  struct collega_error error;
  bench.options =
      grounded_options(count, arguments, "write",
                       "bench_match [--seed N] [--home HOME] [--write DIRECTORY] OFFERS QUERIES");
  bench.offers = bench.options.amount[0];
  bench.queries = bench.options.amount[1];
  NEED(bytes_start(&error) == COLLEGA_OK);
  grounded_home_open(&bench.home, bench.options.home);
  bench.rules = grounded_rules(&bench.home);
  grounded_prepare(&bench.generator, bench.options.seed, &bench.home);
  bench.arena = arena_new(16384, 1u << 20);
  bench.engine = match_engine_new(&bench.rules);
  bench.questions = calloc(bench.queries, sizeof *bench.questions);
  bench.times = calloc(bench.queries, sizeof *bench.times);
  bench.wall_times = calloc(bench.queries, sizeof *bench.wall_times);
  NEED(bench.arena && bench.engine && bench.questions && bench.times && bench.wall_times);
  if (bench.options.own) bench.file = board_file_new(bench.options.own, &bench.rules);

  index_board(&bench);
  ask(&bench);
  match_engine_destroy(&bench.engine);
  explain(&bench);
  board_file_finish(&bench.file);
  scan_board(&bench);

  free(bench.questions);
  free(bench.times);
  free(bench.wall_times);
  arena_destroy(&bench.arena);
  grounded_home_close(&bench.home);
  return 0;
}
