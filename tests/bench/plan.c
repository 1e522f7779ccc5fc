/* Plans on large boards: bench_plan [--seed N] [--home HOME] [--seconds N] LENDERS OFFERS.
 *
 * LENDERS offers of one occupation, to fill one request of 100 people: judging them all, and the plan. Then a
 * board of OFFERS grounded offers (grounded.h, with what was imported in HOME) of employers with four each: the 20
 * best offers for each request, rings of up to four among them, and the best loans of the whole board. Seconds of
 * CPU, which are the time on a core of its own; the gap is how far the bound is from the value. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/match/engine.h"
#include "client/match/plan_inside.h"
#include "tests/bench/grounded.h"
#include "tests/bench/measure.h"

#define NEIGHBOURS  20u
#define ASKED       100
#define SECONDS     10u /* to search, where nothing else is said */
#define OF_EMPLOYER 4u

struct bench {
  struct grounded_home home;
  struct match_rules rules;
  struct generator generator;
  struct plan_offer *offers;
  struct plan_pair *pairs;
  size_t offer_count, pair_count, pair_room;
  size_t seconds;
  int64_t until;
};

static bool is_over(void *context) {
  return thread_nanoseconds() >= *(const int64_t *)context;
}

static double seconds_since(int64_t began) {
  return (double)(thread_nanoseconds() - began) / 1e9;
}

static void add_pair(struct bench *bench, size_t supply, size_t demand, double score) {
  if (bench->pair_count == bench->pair_room) {
    bench->pair_room = bench->pair_room ? bench->pair_room * 2 : 1024;
    bench->pairs = realloc(bench->pairs, bench->pair_room * sizeof *bench->pairs);
    NEED(bench->pairs);
  }
  int32_t points = (int32_t)(score * PLAN_SCORE_MOST + 0.5);
  bench->pairs[bench->pair_count++] =
      (struct plan_pair){(uint32_t)supply, (uint32_t)demand, points > 0 ? points : 1,
                         1 + (int32_t)grounded_number(&bench->generator, 2)};
}

static void tell(const char *name, const struct bench *bench, enum plan_mode mode,
                 const struct plan *plan, double seconds) {
  char text[80];
  struct plan_board board = {bench->offers, bench->pairs, bench->offer_count, bench->pair_count,
                             NULL};
  NEED(plan_obeys(&board, mode, plan));
  snprintf(text, sizeof text, "plan_%s_seconds", name);
  say(text, seconds);
  snprintf(text, sizeof text, "plan_%s_people", name);
  say(text, (double)plan->people);
  snprintf(text, sizeof text, "plan_%s_gap_percent", name);
  say(text, plan->value ? (double)(plan->bound - plan->value) * 100.0 / (double)plan->value : 0);
}

static void run(struct bench *bench, const char *name, enum plan_mode mode) {
  struct plan plan;
  struct collega_error error;
  struct plan_board board = {bench->offers, bench->pairs, bench->offer_count, bench->pair_count,
                             NULL};
  int64_t began = thread_nanoseconds();
  bench->until = began + (int64_t)bench->seconds * 1000000000;
  NEED(plan_make(&board, mode, is_over, &bench->until, &plan, &error) == COLLEGA_OK);
  tell(name, bench, mode, &plan, seconds_since(began));
  if (mode == PLAN_RINGS) say("plan_rings_found", (double)plan.ring_count);
  plan_free(&plan);
}

static void bench_clear(struct bench *bench) {
  free(bench->offers);
  free(bench->pairs);
  bench->offers = NULL;
  bench->pairs = NULL;
  bench->offer_count = bench->pair_count = bench->pair_room = 0;
}

/* ---- one request, many lenders */

static void fill_one(struct bench *bench, size_t lenders) {
  _Alignas(struct match_card) uint8_t rooms[2][CARD_ROOM];
  struct match_card *asked = (struct match_card *)rooms[0], *card = (struct match_card *)rooms[1];
  struct arena *arena = arena_new(16384, 1u << 20);
  bench->offers = calloc(lenders + 1, sizeof *bench->offers);
  NEED(arena && bench->offers);
  Collega__Offer *request = grounded_offer(&bench->generator, arena);
  request->kind = COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_IN;
  request->headcount = ASKED;
  request->has_travel_km = 0;
  match_card_fill(asked, request, &bench->rules.sources);
  struct arena *kept = arena_new(1024, 1u << 20);
  NEED(kept);
  char *isco = arena_text(kept, request->occupation->isco);
  char *esco = request->occupation->esco ? arena_text(kept, request->occupation->esco) : NULL;
  bench->offers[bench->offer_count++] = (struct plan_offer){0, ASKED, false, false};
  int64_t judging = 0;
  while (bench->offer_count <= lenders) {
    double score, part[MATCH_PARTS];
    arena_reset(arena);
    Collega__Offer *offer = grounded_offer(&bench->generator, arena);
    offer->kind = COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT;
    offer->has_travel_km = 0;
    offer->occupation->isco = isco;
    offer->occupation->esco = esco;
    match_card_fill(card, offer, &bench->rules.sources);
    int64_t began = thread_nanoseconds();
    bool fits = match_cards(&bench->rules, card, asked, &score, part);
    judging += thread_nanoseconds() - began;
    if (!fits) continue;
    size_t at = bench->offer_count++;
    bench->offers[at] =
        (struct plan_offer){(uint32_t)at, 1 + (int32_t)(offer->headcount % 5), true, false};
    add_pair(bench, at, 0, score);
  }
  say("plan_100_people_lenders", (double)lenders);
  say("plan_100_people_judging_seconds", (double)judging / 1e9);
  run(bench, "100_people", PLAN_LOANS);
  arena_destroy(&arena);
  arena_destroy(&kept);
}

/* ---- a board */

static struct short_id number_id(size_t number) {
  struct short_id id = {{0}};
  put_be64(id.byte, number);
  return id;
}

static void fill_board(struct bench *bench, struct match_engine *engine, size_t offers) {
  struct collega_error error;
  struct arena *arena = arena_new(16384, 1u << 20);
  bench->offers = calloc(offers, sizeof *bench->offers);
  NEED(arena && bench->offers);
  for (size_t i = 0; i < offers; ++i) {
    arena_reset(arena);
    uint32_t employer = grounded_number(
        &bench->generator, (uint32_t)(offers / OF_EMPLOYER ? offers / OF_EMPLOYER : 1));
    struct match_offer offer = {.id = number_id(i),
                                .offer = grounded_offer(&bench->generator, arena)};
    put_be32(offer.author.byte, employer + 1);
    bench->offers[bench->offer_count++] = (struct plan_offer){
        employer, (int32_t)offer.offer->headcount, kind_supplies(offer.offer->kind), false};
    NEED(match_engine_put(engine, &offer, &error) == COLLEGA_OK);
  }
  arena_destroy(&arena);
}

static void find_pairs(struct bench *bench, struct match_engine *engine) {
  struct collega_error error;
  for (size_t i = 0; i < bench->offer_count; ++i) {
    struct match_found found[NEIGHBOURS];
    struct short_id id = number_id(i);
    size_t count = 0;
    if (bench->offers[i].supplies) continue;
    NEED(match_engine_top(engine, &id, NEIGHBOURS, found, &count, &error) == COLLEGA_OK);
    for (size_t j = 0; j < count; ++j)
      add_pair(bench, (size_t)get_be64(found[j].id.byte), i, found[j].score);
  }
}

/* What a plan of rings begins with: all rings, and the best of them packed. */
static void list_rings(const struct bench *bench) {
  struct plan_board board = {bench->offers, bench->pairs, bench->offer_count, bench->pair_count,
                             NULL};
  struct plan_rings rings;
  struct packing packing;
  struct collega_error error;
  int64_t began = thread_nanoseconds();
  NEED(rings_list(&board, false, NULL, NULL, &rings, &error) == COLLEGA_OK);
  NEED(packing_new(&packing, &board, &rings, &error) == COLLEGA_OK);
  packing_greedy(&packing);
  say("plan_rings_listed_and_packed_seconds", seconds_since(began));
  say("plan_rings_listed", (double)rings.count);
  packing_free(&packing);
  rings_free(&rings);
}

int main(int count, char **arguments) {
  static struct bench bench;
  struct collega_error error;
  struct grounded_options options =
      grounded_options(count, arguments, "seconds",
                       "bench_plan [--seed N] [--home HOME] [--seconds N] LENDERS OFFERS");
  NEED(bytes_start(&error) == COLLEGA_OK);
  grounded_home_open(&bench.home, options.home);
  bench.rules = grounded_rules(&bench.home);
  bench.seconds = options.own ? number_argument(options.own) : SECONDS;
  grounded_prepare(&bench.generator, options.seed, &bench.home);
  fill_one(&bench, options.amount[0]);
  bench_clear(&bench);
  struct match_engine *engine = match_engine_new(&bench.rules);
  NEED(engine);
  fill_board(&bench, engine, options.amount[1]);
  int64_t began = thread_nanoseconds();
  find_pairs(&bench, engine);
  say("plan_board_offers", (double)options.amount[1]);
  say("plan_board_pairs", (double)bench.pair_count);
  say("plan_board_pairs_seconds", seconds_since(began));
  match_engine_destroy(&engine);
  list_rings(&bench);
  run(&bench, "rings", PLAN_RINGS);
  run(&bench, "board", PLAN_LOANS);
  bench_clear(&bench);
  grounded_home_close(&bench.home);
  return 0;
}
