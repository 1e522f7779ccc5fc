/* Matching on large boards: bench_match OFFERS QUERIES [SEED [HOME/taxonomy]]. Offers as grounded.h has them.
 *
 * Figures: offers indexed a second, bytes for each (by the engine's own count, and by what the process grew), the
 * time of the best 20 for one offer (p50, p99), and of the same by a scan over all cards. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/match/engine.h"
#include "tests/bench/grounded.h"
#include "tests/bench/measure.h"

#define BEST      20
#define EMPLOYERS 20000

static void name(struct match_offer *offer, size_t at, uint32_t employer) {
  memset(offer, 0, sizeof *offer);
  put_be64(offer->id.byte, (uint64_t)at * UINT64_C(0x9e3779b97f4a7c15));
  put_be32(offer->author.byte, employer);
}

/* The plain way, for comparison: every card against one. */
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

int main(int count, char **arguments) {
  if (count < 3) give_up("usage: bench_match OFFERS QUERIES [SEED [HOME/taxonomy]]");
  size_t offers = number_argument(arguments[1]), queries = number_argument(arguments[2]);
  static struct generator generator;
  struct collega_error error;
  NEED(bytes_start(&error) == COLLEGA_OK);
  grounded_prepare(&generator, count > 3 ? number_argument(arguments[3]) : 20270104);
  struct arena *arena = arena_new(16384, 1u << 20);
  struct taxonomy *taxonomy = NULL;
  struct match_rules rules = match_rules_default;
  if (count > 4) {
    int64_t began = thread_nanoseconds();
    NEED(taxonomy_open(arguments[4], &taxonomy, &error) == COLLEGA_OK);
    say("match_taxonomy_ms", (double)(thread_nanoseconds() - began) / 1e6);
  }
  rules.sources.taxonomy = generator.taxonomy = taxonomy;
  struct match_engine *engine = match_engine_new(&rules);
  struct scan scan = {0};
  NEED(arena && engine);

  double before = process_memory(getpid());
  int64_t indexing = 0;
  for (size_t i = 0; i < offers; ++i) {
    struct match_offer offer;
    arena_reset(arena);
    name(&offer, i, grounded_number(&generator, EMPLOYERS));
    offer.offer = grounded_offer(&generator, arena);
    int64_t began = thread_nanoseconds();
    NEED(match_engine_put(engine, &offer, &error) == COLLEGA_OK);
    indexing += thread_nanoseconds() - began;
  }
  double grown = process_memory(getpid()) - before;
  struct match_engine_size size;
  match_engine_size(engine, &size);
  say("match_offers", (double)size.offers);
  say("match_indexed_a_second", per_second(offers, indexing));
  say("match_bytes_an_offer", (double)size.bytes / (double)offers);
  say("match_grown_an_offer", grown / (double)offers);

  int64_t *times = calloc(queries, sizeof *times);
  struct match_found found[BEST];
  size_t answers = 0, got;
  NEED(times);
  for (size_t i = 0; i < queries; ++i) {
    struct match_offer asked;
    name(&asked, grounded_number(&generator, (uint32_t)offers), 0);
    int64_t began = thread_nanoseconds(); /* it waits for nothing: its time is its CPU */
    NEED(match_engine_top(engine, &asked.id, BEST, found, &got, &error) == COLLEGA_OK);
    times[i] = thread_nanoseconds() - began;
    answers += got;
  }
  say("match_answers_a_query", (double)answers / (double)queries);
  say("match_best20_p50_us", (double)percentile(times, queries, 0.5) / 1000.0);
  say("match_best20_p99_us", (double)percentile(times, queries, 0.99) / 1000.0);
  match_engine_destroy(&engine);

  for (size_t i = 0; i < offers; ++i) {
    arena_reset(arena);
    scan_add(&scan, grounded_offer(&generator, arena), &rules);
  }
  size_t scans = queries < 100 ? queries : 100;
  double sum = 0;
  for (size_t i = 0; i < scans; ++i) {
    _Alignas(struct match_card) uint8_t room[CARD_ROOM];
    arena_reset(arena);
    match_card_fill((struct match_card *)room, grounded_offer(&generator, arena), &rules.sources);
    int64_t began = thread_nanoseconds();
    sum += scan_best(&scan, (struct match_card *)room, &rules);
    times[i] = thread_nanoseconds() - began;
  }
  NEED(sum > 0);
  say("match_scan_p50_us", (double)percentile(times, scans, 0.5) / 1000.0);
  free(scan.cards);
  free(times);
  arena_destroy(&arena);
  taxonomy_close(&taxonomy);
  return 0;
}
