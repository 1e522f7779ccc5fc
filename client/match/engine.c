/* The best of many offers, exactly, without judging most of them.
 *
 * For each kind of offer and each occupation there is a row of entries: 40 bytes that tell, without a look at the
 * offer's card, the most that it can score against a given offer - its distance, its days, its hours, and a signature
 * of 64 bits of its skills. A search goes through the rows in the order of their occupation's closeness, keeps the best
 * k so far, passes over every entry whose bound is below the k-th, and stops at the first row whose occupation alone
 * puts it there. A bound is never below the score (bound_of says why), so the answer is that of judging all.
 *
 * The offers of this node stand in rows of their own as well, so that "which of my offers does it touch" asks only
 * those. Offers are found by id in a table with open addressing; ids come from outside, so it is hashed with a key.
 * uthash would take 56 bytes for each offer, more than its entry. */
#include "client/match/engine.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/match/occupation.h"

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define KINDS       4 /* enum OfferKind, from 1 */
#define LEAST_ROOM  4
#define LEAST_TABLE 64
#define NOWHERE     UINT32_MAX
#define ROUNDING    1e-6 /* bounds and scores are sums of a few doubles from floats */
#define EARTH_KM    6371.0
#define NO_ROW      UINT16_MAX

struct author {
  struct id id;
  size_t offers;
  UT_hash_handle hh;
};

/* An offer in the engine: one block of memory. */
struct held {
  struct short_id id;
  struct author *author;
  uint32_t place[2]; /* in its row of all, of mine; NOWHERE */
  struct match_card card;
};

/* What the bound is made of. */
struct entry {
  struct held *held;
  uint64_t skills; /* one bit for each key of a skill */
  float point[3];
  int32_t from, until;
  uint16_t flex_days;
  uint8_t hours_min, hours_max;
};
struct row {
  uint16_t occupation;
  uint32_t count, room;
  struct entry *entries;
};
/* The rows of one kind of offer. */
struct shelf {
  struct row *rows;
  size_t count, room;
  uint16_t *row_of; /* by occupation; NO_ROW: none */
};
struct match_engine {
  struct shelf shelves[2][KINDS]; /* of all, of mine */
  struct held **table;
  size_t table_size, offers, mine; /* size: a power of two */
  struct author *authors;
  size_t author_count, held_bytes;
  uint8_t secret[crypto_shorthash_KEYBYTES];
};

enum { ALL, MINE };

struct match_engine *match_engine_new(void) {
  struct match_engine *engine = calloc(1, sizeof *engine);
  if (!engine) return NULL;
  random_fill(engine->secret, sizeof engine->secret);
  engine->table = calloc(LEAST_TABLE, sizeof *engine->table);
  engine->table_size = LEAST_TABLE;
  if (!engine->table) match_engine_destroy(&engine);
  return engine;
}

void match_engine_destroy(struct match_engine **engine_place) {
  struct match_engine *engine = engine_place ? *engine_place : NULL;
  if (!engine) return;
  for (size_t i = 0; engine->table && i < engine->table_size; ++i)
    free(engine->table[i]);
  free(engine->table);
  for (size_t set = ALL; set <= MINE; ++set)
    for (size_t kind = 0; kind < KINDS; ++kind) {
      struct shelf *shelf = &engine->shelves[set][kind];
      for (size_t i = 0; i < shelf->count; ++i)
        free(shelf->rows[i].entries);
      free(shelf->rows);
      free(shelf->row_of);
    }
  struct author *author, *next;
  HASH_ITER(hh, engine->authors, author, next) {
    HASH_DEL(engine->authors, author);
    free(author);
  }
  free(engine);
  *engine_place = NULL;
}

/* ---- offers by id: linear probing, deletion by moving back what follows */

static size_t hash_of(const struct match_engine *engine, const void *id, size_t length) {
  uint8_t out[crypto_shorthash_BYTES];
  crypto_shorthash(out, id, length, engine->secret);
  return (size_t)get_be64(out);
}

static size_t home_of(const struct match_engine *engine, const struct short_id *id) {
  return hash_of(engine, id->byte, sizeof id->byte) & (engine->table_size - 1);
}

/* Where it is, or the empty place where it would be. */
static size_t table_place(const struct match_engine *engine, const struct short_id *id) {
  size_t at = home_of(engine, id);
  while (engine->table[at] && memcmp(&engine->table[at]->id, id, sizeof *id) != 0)
    at = (at + 1) & (engine->table_size - 1);
  return at;
}

static bool table_grow(struct match_engine *engine) {
  struct held **old = engine->table;
  size_t old_size = engine->table_size;
  struct held **fresh = calloc(old_size * 2, sizeof *fresh);
  if (!fresh) return false;
  engine->table = fresh;
  engine->table_size = old_size * 2;
  for (size_t i = 0; i < old_size; ++i)
    if (old[i]) fresh[table_place(engine, &old[i]->id)] = old[i];
  free(old);
  return true;
}

static void table_remove(struct match_engine *engine, size_t hole) {
  size_t mask = engine->table_size - 1;
  engine->table[hole] = NULL;
  for (size_t at = (hole + 1) & mask; engine->table[at]; at = (at + 1) & mask) {
    size_t home = home_of(engine, &engine->table[at]->id);
    /* It may move to the hole if its home does not lie behind the hole, up to where it is. */
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    engine->table[hole] = engine->table[at];
    engine->table[at] = NULL;
    hole = at;
  }
}

/* ---- authors */

static struct author *author_take(struct match_engine *engine, const struct id *id) {
  struct author *author = NULL;
  unsigned hash = (unsigned)hash_of(engine, id->byte, sizeof id->byte);
  HASH_FIND_BYHASHVALUE(hh, engine->authors, id, sizeof *id, hash, author);
  if (!author) {
    author = calloc(1, sizeof *author);
    if (!author) return NULL;
    author->id = *id;
    HASH_ADD_BYHASHVALUE(hh, engine->authors, id, sizeof author->id, hash, author);
    if (!author->hh.tbl) { /* HASH_NONFATAL_OOM leaves it out */
      free(author);
      return NULL;
    }
    ++engine->author_count;
  }
  ++author->offers;
  return author;
}

static void author_give(struct match_engine *engine, struct author *author) {
  if (--author->offers > 0) return;
  HASH_DEL(engine->authors, author);
  free(author);
  --engine->author_count;
}

/* ---- rows */

static uint64_t skill_bit(uint32_t key) {
  return UINT64_C(1) << ((key * 2654435769u) >> 26); /* Fibonacci hashing: Knuth, TAOCP 3, 6.4 */
}

static uint64_t skill_signature(const struct match_card *card) {
  uint64_t signature = 0;
  for (size_t i = 0; i < card->skill_count; ++i)
    signature |= skill_bit(card->items[i] & CARD_KEY);
  return signature;
}

static struct shelf *shelf_of(struct match_engine *engine, size_t set, unsigned kind) {
  return &engine->shelves[set][(kind - 1) % KINDS];
}

static struct row *row_find(const struct shelf *shelf, uint16_t occupation) {
  if (!shelf->row_of || shelf->row_of[occupation] == NO_ROW) return NULL;
  return &shelf->rows[shelf->row_of[occupation]];
}

static struct row *row_make(struct shelf *shelf, uint16_t occupation) {
  struct row *found = row_find(shelf, occupation);
  if (found) return found;
  if (!shelf->row_of) {
    shelf->row_of = malloc(OCCUPATION_KEYS * sizeof *shelf->row_of);
    if (!shelf->row_of) return NULL;
    memset(shelf->row_of, 0xff, OCCUPATION_KEYS * sizeof *shelf->row_of);
  }
  if (shelf->count == shelf->room) {
    size_t room = shelf->room ? shelf->room * 2 : LEAST_ROOM;
    struct row *rows = realloc(shelf->rows, room * sizeof *rows);
    if (!rows) return NULL;
    shelf->rows = rows;
    shelf->room = room;
  }
  shelf->row_of[occupation] = (uint16_t)shelf->count;
  shelf->rows[shelf->count] = (struct row){.occupation = occupation};
  return &shelf->rows[shelf->count++];
}

/* Rows grow by an eighth: with a million offers the spare room is a few bytes for each. */
static bool row_add(struct row *row, struct held *held, size_t set) {
  if (row->count == row->room) {
    uint32_t room = row->room + row->room / 8 + LEAST_ROOM;
    struct entry *entries = realloc(row->entries, room * sizeof *entries);
    if (!entries) return false;
    row->entries = entries;
    row->room = room;
  }
  const struct match_card *card = &held->card;
  row->entries[row->count] = (struct entry){
      .held = held,
      .skills = skill_signature(card),
      .point = {card->point[0], card->point[1], card->point[2]},
      .from = card->from,
      .until = card->until,
      .flex_days = card->flex_days,
      .hours_min = card->hours_min,
      .hours_max = card->hours_max,
  };
  held->place[set] = row->count++;
  return true;
}

static void row_remove(struct match_engine *engine, struct held *held, size_t set) {
  if (held->place[set] == NOWHERE) return;
  struct row *row = row_find(shelf_of(engine, set, held->card.kind), held->card.occupation);
  struct entry *last = &row->entries[--row->count];
  row->entries[held->place[set]] = *last;
  last->held->place[set] = held->place[set];
  held->place[set] = NOWHERE;
}

/* ---- putting and removing */

static void held_drop(struct match_engine *engine, struct held *held) {
  row_remove(engine, held, ALL);
  if (held->place[MINE] != NOWHERE) --engine->mine;
  row_remove(engine, held, MINE);
  if (held->author) author_give(engine, held->author);
  engine->held_bytes -= offsetof(struct held, card) + card_bytes(&held->card);
  free(held);
}

void match_engine_remove(struct match_engine *engine, const struct short_id *id) {
  size_t at = table_place(engine, id);
  struct held *held = engine->table[at];
  if (!held) return;
  table_remove(engine, at);
  --engine->offers;
  held_drop(engine, held);
}

static struct held *held_new(struct match_engine *engine, const struct match_offer *offer) {
  _Alignas(struct match_card) uint8_t room[CARD_ROOM];
  size_t bytes = match_card_fill((struct match_card *)room, offer->offer);
  struct held *held = malloc(offsetof(struct held, card) + bytes);
  if (!held) return NULL;
  held->id = offer->id;
  held->place[ALL] = held->place[MINE] = NOWHERE;
  memcpy(&held->card, room, bytes);
  engine->held_bytes += offsetof(struct held, card) + bytes;
  held->author = author_take(engine, &offer->author);
  return held;
}

static bool held_place(struct match_engine *engine, struct held *held, bool mine) {
  unsigned kind = held->card.kind;
  for (size_t set = ALL; set <= (mine ? (size_t)MINE : (size_t)ALL); ++set) {
    struct row *row = row_make(shelf_of(engine, set, kind), held->card.occupation);
    if (!row || !row_add(row, held, set)) return false;
    if (set == MINE) ++engine->mine;
  }
  return true;
}

enum collega_status match_engine_put(struct match_engine *engine, const struct match_offer *offer,
                                     struct collega_error *error) {
  match_engine_remove(engine, &offer->id);
  struct held *held = NULL;
  bool room = engine->offers * 4 < engine->table_size * 3 || table_grow(engine);
  if (room) held = held_new(engine, offer);
  if (!held || !held->author || !held_place(engine, held, offer->mine)) {
    if (held) held_drop(engine, held);
    return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  }
  engine->table[table_place(engine, &held->id)] = held;
  ++engine->offers;
  return COLLEGA_OK;
}

/* ---- searching */

struct search {
  const struct held *self;
  bool supplies; /* self does */
  uint64_t signature;
  double asked_weight; /* of self's skills, where it demands; 0: none asked */
  size_t most, count;
  struct match_found *found;
};

/* Better first; equal scores by id, so that the order is stable. */
static bool before(const struct match_found *one, const struct match_found *other) {
  if (one->score > other->score) return true;
  if (one->score < other->score) return false;
  return memcmp(one->id.byte, other->id.byte, SHORT_ID_BYTES) < 0;
}

static void keep(struct search *search, const struct match_found *found) {
  if (search->count == search->most) {
    if (!before(found, &search->found[search->most - 1])) return;
    --search->count;
  }
  size_t at = search->count++;
  for (; at > 0 && before(found, &search->found[at - 1]); --at)
    search->found[at] = search->found[at - 1];
  search->found[at] = *found;
}

/* Below this no offer gets in any more. */
static double least(const struct search *search) {
  return search->count < search->most ? -1.0 : search->found[search->most - 1].score - ROUNDING;
}

/* The most of the skills part: of the demanded skills those can be met of which a bit is in the supply's signature. Two
 * skills may share a bit, so it can be more than is met and never less. Where the other side demands, its weights are
 * in its card; without a bit in common nothing is met. */
static double skills_bound(const struct search *search, uint64_t other) {
  if (search->supplies) return other && !(other & search->signature) ? 0.0 : 1.0;
  if (search->asked_weight <= 0) return 1.0;
  const struct match_card *card = &search->self->card;
  double met = 0, weight = 0;
  bool hit = false;
  for (size_t i = 0; i < card->skill_count; ++i) {
    uint32_t item = card->items[i];
    if (!(item & CARD_ALIAS)) {
      met += hit ? weight : 0;
      weight = item & CARD_MUST ? 2 : 1;
      hit = false;
    }
    hit = hit || skill_bit(item & CARD_KEY) & other;
  }
  return (met + (hit ? weight : 0)) / search->asked_weight;
}

/* The most of the period part; negative: no day in common. A shift moves either end by at most the flexible days, so
 * widening one side by them at both ends covers every shift; more than what either side has is never in common. */
static double period_bound(const struct search *search, const struct entry *entry) {
  const struct match_card *self = &search->self->card;
  long flexible = (long)self->flex_days + entry->flex_days;
  long from = self->from > entry->from - flexible ? self->from : entry->from - flexible;
  long until = self->until < entry->until + flexible ? self->until : entry->until + flexible;
  if (until < from) return -1.0;
  long own = (long)self->until - self->from + 1, other = (long)entry->until - entry->from + 1;
  long days = until - from + 1, asked = search->supplies ? other : own;
  long shorter = own < other ? own : other;
  return (double)(days < shorter ? days : shorter) / (double)asked;
}

/* The chord is shorter than the arc, so this is never below the distance part. */
static double distance_bound(const struct search *search, const struct entry *entry) {
  const float *one = search->self->card.point, *other = entry->point;
  double x = (double)one[0] - (double)other[0], y = (double)one[1] - (double)other[1],
         z = (double)one[2] - (double)other[2];
  double square = x * x + y * y + z * z;
  /* A place that is not known stands in the middle of the earth, 6,371 km from all others: it counts half. */
  if (square > 0.9) return 0.5;
  double value = 1.0 - sqrt(square) * EARTH_KM / 100.0;
  return value > 0 ? value : 0;
}

/* The most that the entry's offer can score; `others` is what its occupation and the parts that no entry tells can give.
 * Negative: a hard rule is broken. */
static double bound_of(const struct search *search, const struct entry *entry, double others) {
  const struct match_card *self = &search->self->card;
  double period = period_bound(search, entry);
  if (period < 0 || entry->hours_min > self->hours_max || entry->hours_max < self->hours_min)
    return -1.0;
  unsigned asked = search->supplies ? entry->hours_max : self->hours_max;
  unsigned both = entry->hours_max < self->hours_max ? entry->hours_max : self->hours_max;
  return others + match_weights[MATCH_PERIOD] * period +
         match_weights[MATCH_HOURS] * (double)both / (double)asked +
         match_weights[MATCH_DISTANCE] * distance_bound(search, entry) +
         match_weights[MATCH_SKILLS] * skills_bound(search, entry->skills);
}

static void search_row(struct search *search, const struct row *row, double others,
                       bool skill_needed) {
  for (uint32_t i = 0; i < row->count; ++i) {
    const struct entry *entry = &row->entries[i];
    if (skill_needed && !(entry->skills & search->signature)) continue;
    double bound = bound_of(search, entry, others);
    if (bound < 0 || bound < least(search)) continue;
    const struct held *held = entry->held;
    if (held->author == search->self->author) continue;
    struct match_found found = {.id = held->id};
    double part[MATCH_PARTS];
    if (match_cards(&search->self->card, &held->card, &found.score, part)) keep(search, &found);
  }
}

/* Rows, closest occupation first. */
struct reach {
  const struct row *row;
  double closeness;
};

static int by_closeness(const void *one, const void *other) {
  const struct reach *a = one, *b = other;
  if (a->closeness < b->closeness) return 1;
  if (a->closeness > b->closeness) return -1;
  return (a->row->occupation > b->row->occupation) - (a->row->occupation < b->row->occupation);
}

static enum collega_status search_shelf(struct search *search, const struct shelf *shelf,
                                        struct collega_error *error) {
  if (shelf->count == 0 || search->most == 0) return COLLEGA_OK;
  struct reach *reach = malloc(shelf->count * sizeof *reach);
  if (!reach) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  for (size_t i = 0; i < shelf->count; ++i)
    reach[i] = (struct reach){&shelf->rows[i], occupation_closeness(search->self->card.occupation,
                                                                    shelf->rows[i].occupation)};
  qsort(reach, shelf->count, sizeof *reach, by_closeness);
  double unknown = match_weights[MATCH_CREDENTIALS] + match_weights[MATCH_LANGUAGES] +
                   match_weights[MATCH_HEADCOUNT] + match_weights[MATCH_TERMS];
  double rest = match_weights[MATCH_SKILLS] + match_weights[MATCH_DISTANCE] +
                match_weights[MATCH_PERIOD] + match_weights[MATCH_HOURS];
  for (size_t i = 0; i < shelf->count; ++i) {
    double others = unknown + match_weights[MATCH_OCCUPATION] * reach[i].closeness;
    if (others + rest < least(search)) break;
    search_row(search, reach[i].row, others, reach[i].closeness <= 0);
  }
  free(reach);
  return COLLEGA_OK;
}

static enum collega_status search_set(struct match_engine *engine, size_t set,
                                      const struct short_id *id, size_t most,
                                      struct match_found *out, size_t *count,
                                      struct collega_error *error) {
  *count = 0;
  const struct held *self = engine->table[table_place(engine, id)];
  if (!self) return error_set(error, COLLEGA_NOT_FOUND, RULE_match_offer_unknown, NULL, NULL);
  Collega__OfferKind kind = (Collega__OfferKind)self->card.kind;
  struct search search = {.self = self,
                          .supplies = kind_supplies(kind),
                          .signature = skill_signature(&self->card),
                          .most = most,
                          .found = out};
  for (size_t i = 0; i < self->card.skill_count; ++i)
    if (!(self->card.items[i] & CARD_ALIAS))
      search.asked_weight += self->card.items[i] & CARD_MUST ? 2 : 1;
  enum collega_status status =
      search_shelf(&search, shelf_of(engine, set, kind_counter(kind)), error);
  *count = search.count;
  return status;
}

enum collega_status match_engine_top(struct match_engine *engine, const struct short_id *id,
                                     size_t most, struct match_found *out, size_t *count,
                                     struct collega_error *error) {
  return search_set(engine, ALL, id, most, out, count, error);
}

enum collega_status match_engine_touched(struct match_engine *engine, const struct short_id *id,
                                         size_t most, struct match_found *out, size_t *count,
                                         struct collega_error *error) {
  return search_set(engine, MINE, id, most, out, count, error);
}

void match_engine_size(const struct match_engine *engine, struct match_engine_size *out) {
  /* malloc keeps eight bytes beside each block, and rounds up to sixteen. */
  *out = (struct match_engine_size){engine->offers, engine->mine,
                                    sizeof *engine + engine->table_size * sizeof *engine->table +
                                        engine->held_bytes + engine->offers * 16 +
                                        engine->author_count * (sizeof(struct author) + 24)};
  for (size_t set = ALL; set <= MINE; ++set)
    for (size_t kind = 0; kind < KINDS; ++kind) {
      const struct shelf *shelf = &engine->shelves[set][kind];
      out->bytes += shelf->room * sizeof *shelf->rows +
                    (shelf->row_of ? OCCUPATION_KEYS * sizeof *shelf->row_of : 0);
      for (size_t i = 0; i < shelf->count; ++i)
        out->bytes += shelf->rows[i].room * sizeof(struct entry);
    }
}
