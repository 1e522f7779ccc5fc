/* Matching on large boards: bench_match OFFERS QUERIES [SEED].
 *
 * Offers are random but grounded: all ISCO-08 unit groups, with a few that most people work in more often; of each group
 * a dozen skills, of which an offer names some; the 90 postcode areas by their share of addresses, roughly; periods of
 * some weeks that begin in the seasons. Half offer, half ask.
 *
 * Figures: offers indexed a second, bytes for each (by the engine's own count, and by what the process grew), the
 * time of the best 20 for one offer (p50, p99), and of the same by a scan over all cards. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/match/engine.h"
#include "proto/lists.h"
#include "tests/bench/measure.h"

#define BEST       20
#define SKILLS     12
#define FIRST_DAY  20822 /* 2027-01-04 */
#define EMPLOYERS  20000
#define GROUPS_MAX 500

struct generator {
  uint64_t state;
  const struct isco_row *groups[GROUPS_MAX];
  size_t group_count;
  char postcodes[100][5];
  size_t postcode_count;
};

/* xorshift64*: Vigna, 2016. */
static uint32_t number(struct generator *generator, uint32_t below) {
  uint64_t *state = &generator->state;
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return (uint32_t)((*state * UINT64_C(2685821657736338717)) >> 33) % below;
}

static void prepare(struct generator *generator, uint64_t seed) {
  generator->state = seed;
  for (unsigned code = 0; code < 10000; ++code) {
    char digits[5];
    snprintf(digits, sizeof digits, "%04u", code);
    const struct isco_row *row = isco_find(digits);
    if (row && generator->group_count < GROUPS_MAX)
      generator->groups[generator->group_count++] = row;
  }
  for (unsigned area = 10; area < 100; ++area) {
    char postcode[5];
    snprintf(postcode, sizeof postcode, "%02u11", area);
    if (postcode_area_find(postcode))
      memcpy(generator->postcodes[generator->postcode_count++], postcode, sizeof postcode);
  }
  NEED(generator->group_count > 400 && generator->postcode_count > 80);
}

/* The square of a uniform number: the first tenth of the groups has a third of the offers. */
static const char *group(struct generator *generator) {
  uint64_t one = number(generator, 1000);
  return generator->groups[one * one * generator->group_count / 1000000]->code;
}

static void skills(struct generator *generator, struct arena *arena, Collega__Offer *offer) {
  offer->n_skills = 3 + number(generator, 6);
  offer->skills = arena_take(arena, offer->n_skills * sizeof *offer->skills);
  uint32_t first = number(generator, SKILLS);
  for (size_t i = 0; i < offer->n_skills; ++i) {
    char label[32];
    snprintf(label, sizeof label, "skill %s/%u", offer->occupation->isco,
             (unsigned)((first + i) % SKILLS));
    offer->skills[i] = arena_zero(arena, sizeof *offer->skills[i]);
    collega__skill__init(offer->skills[i]);
    offer->skills[i]->label = arena_text(arena, label);
    offer->skills[i]->has_need = 1;
    offer->skills[i]->need =
        number(generator, 4) ? COLLEGA__NEED__NEED_NICE : COLLEGA__NEED__NEED_MUST;
  }
}

static Collega__Offer *offer_new(struct generator *generator, struct arena *arena) {
  static const uint32_t seasons[] = {0, 60, 90, 160, 240, 270};
  Collega__Offer *offer = arena_zero(arena, sizeof *offer);
  NEED(offer);
  collega__offer__init(offer);
  offer->kind = number(generator, 2) ? COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT
                                     : COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_IN;
  offer->occupation = arena_zero(arena, sizeof *offer->occupation);
  offer->period = arena_zero(arena, sizeof *offer->period);
  offer->hours = arena_zero(arena, sizeof *offer->hours);
  offer->place = arena_zero(arena, sizeof *offer->place);
  NEED(offer->occupation && offer->period && offer->hours && offer->place);
  collega__occupation__init(offer->occupation);
  collega__period__init(offer->period);
  collega__hours__init(offer->hours);
  collega__place__init(offer->place);
  offer->occupation->isco = arena_text(arena, group(generator));
  offer->headcount = 1 + number(generator, 12);
  offer->period->from =
      FIRST_DAY + (int32_t)(seasons[number(generator, 6)] + number(generator, 30));
  offer->period->has_until = 1;
  offer->period->until = offer->period->from + 20 + (int32_t)number(generator, 100);
  offer->period->has_flex_days = 1;
  offer->period->flex_days = number(generator, 15);
  offer->hours->per_week_min = 8 * (1 + number(generator, 3));
  offer->hours->per_week_max = offer->hours->per_week_min + 8 * number(generator, 3);
  offer->place->postcode =
      generator->postcodes[number(generator, (uint32_t)generator->postcode_count)];
  offer->has_travel_km = 1;
  offer->travel_km = 20 + 10 * number(generator, 6);
  skills(generator, arena, offer);
  NEED(!arena_exhausted(arena));
  return offer;
}

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

static void scan_add(struct scan *scan, const Collega__Offer *offer) {
  if (scan->room - scan->bytes < CARD_ROOM) {
    scan->room = scan->room * 2 + CARD_ROOM;
    scan->cards = realloc(scan->cards, scan->room);
    NEED(scan->cards);
  }
  scan->bytes += match_card_fill((struct match_card *)(void *)(scan->cards + scan->bytes), offer,
                                 &match_rules_default.sources);
}

static double scan_best(const struct scan *scan, const struct match_card *self) {
  double best = -1, part[MATCH_PARTS], score;
  for (size_t at = 0; at < scan->bytes;) {
    const struct match_card *card = (const struct match_card *)(const void *)(scan->cards + at);
    if (match_cards(&match_rules_default, self, card, &score, part) && score > best) best = score;
    at += card_bytes(card);
  }
  return best;
}

int main(int count, char **arguments) {
  if (count < 3) give_up("usage: bench_match OFFERS QUERIES [SEED]");
  size_t offers = number_argument(arguments[1]), queries = number_argument(arguments[2]);
  static struct generator generator;
  struct collega_error error;
  NEED(bytes_start(&error) == COLLEGA_OK);
  prepare(&generator, count > 3 ? number_argument(arguments[3]) : 20270104);
  struct arena *arena = arena_new(16384, 1u << 20);
  struct match_engine *engine = match_engine_new(&match_rules_default);
  struct scan scan = {0};
  NEED(arena && engine);

  double before = process_memory(getpid());
  int64_t indexing = 0;
  for (size_t i = 0; i < offers; ++i) {
    struct match_offer offer;
    arena_reset(arena);
    name(&offer, i, number(&generator, EMPLOYERS));
    offer.offer = offer_new(&generator, arena);
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
    name(&asked, number(&generator, (uint32_t)offers), 0);
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
    scan_add(&scan, offer_new(&generator, arena));
  }
  size_t scans = queries < 100 ? queries : 100;
  double sum = 0;
  for (size_t i = 0; i < scans; ++i) {
    _Alignas(struct match_card) uint8_t room[CARD_ROOM];
    arena_reset(arena);
    match_card_fill((struct match_card *)room, offer_new(&generator, arena),
                    &match_rules_default.sources);
    int64_t began = thread_nanoseconds();
    sum += scan_best(&scan, (struct match_card *)room);
    times[i] = thread_nanoseconds() - began;
  }
  NEED(sum > 0);
  say("match_scan_p50_us", (double)percentile(times, scans, 0.5) / 1000.0);
  free(scan.cards);
  free(times);
  arena_destroy(&arena);
  return 0;
}
