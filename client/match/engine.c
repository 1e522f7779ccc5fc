/* The best of many offers, exactly, without judging most of them.
 *
 * Offers of one kind and occupation form a row, in it those of one square of the map a cell. Each offer has an entry of 40
 * bytes in its cell, which tells, without a look at the offer's card, the most that it can score against a given offer:
 * its place, its days, its hours, and a signature of 64 bits of its skills. Cells and rows know the same of all that is
 * in them. A search goes through the rows in the order of their occupation's closeness, in each through the cells in the
 * order of their bound, keeps the best k so far, and passes over every row, cell and entry whose bound is below the k-th.
 * A bound is never below the score (the comments at the bounds say why), so the answer is that of judging all.
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
#define CONTENT     UINT64_MAX /* the signature of a span in which somebody asks for no skill */

struct author {
  struct id id;
  size_t offers;
  UT_hash_handle hh;
};

/* An offer in the engine: one block of memory. */
struct held {
  struct short_id id;
  struct author *author;
  uint32_t place[2]; /* in its cell of all, of mine; NOWHERE */
  struct match_card card;
};

/* What the bound is made of: of an offer, or of all offers in a cell or row, whose ranges hold the ranges of each. A
 * summary is not narrowed when an offer leaves. */
struct span {
  uint64_t skills;     /* one bit for each key of a skill */
  int32_t from, until; /* with the flexible days at both ends */
  uint8_t hours_min, hours_max;
};
struct entry {
  struct held *held;
  uint64_t skills;
  float point[3];
  int32_t from, until;
  uint16_t flex_days;
  uint8_t hours_min, hours_max;
};
struct cell {
  uint16_t square;
  struct span span;
  float point[3], radius; /* a ball that holds the places of all; radius in units of the sphere's */
  uint32_t count, room;
  struct entry *entries;
};
struct row {
  uint16_t occupation;
  uint16_t count, room; /* cells, ascending by square */
  struct span span;
  struct cell *cells;
};
/* The rows of one kind of offer. */
struct shelf {
  struct row *rows;
  size_t count, room;
  uint16_t *row_of; /* by occupation; NO_ROW: none */
};
struct match_engine {
  struct match_sources sources;
  struct shelf shelves[2][KINDS]; /* of all, of mine */
  struct held **table;
  size_t table_size, offers, mine; /* size: a power of two */
  struct author *authors;
  size_t author_count, held_bytes;
  uint8_t secret[crypto_shorthash_KEYBYTES];
};

enum { ALL, MINE };

struct match_engine *match_engine_new(const struct match_sources *sources) {
  struct match_engine *engine = calloc(1, sizeof *engine);
  if (!engine) return NULL;
  if (sources) engine->sources = *sources;
  random_fill(engine->secret, sizeof engine->secret);
  engine->table = calloc(LEAST_TABLE, sizeof *engine->table);
  engine->table_size = LEAST_TABLE;
  if (!engine->table) match_engine_destroy(&engine);
  return engine;
}

static void row_free(struct row *row) {
  for (size_t i = 0; i < row->count; ++i)
    free(row->cells[i].entries);
  free(row->cells);
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
        row_free(&shelf->rows[i]);
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

static const struct span nothing = {.from = INT32_MAX, .until = INT32_MIN, .hours_min = UINT8_MAX};

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
  shelf->rows[shelf->count] = (struct row){.occupation = occupation, .span = nothing};
  return &shelf->rows[shelf->count++];
}

/* ---- cells: squares of 0.25 by 0.4 degrees of the sphere's own axes, some 28 by 27 km in the Netherlands. Any grid will
 * do: bounds use the ball around what is really there. */

static uint16_t square_of(const float point[3]) {
  if (point[0] == 0 && point[1] == 0 && point[2] == 0) return 0; /* not known */
  const double step = 28.0 / EARTH_KM;
  unsigned across = (unsigned)(((double)point[2] + 1.0) / step) & 0xffu; /* by latitude */
  unsigned along = (unsigned)(((double)point[1] + 1.0) / step) & 0xffu;  /* by longitude */
  return (uint16_t)(across << 8 | along | 1u << 15);
}

static double chord(const float one[3], const float other[3]) {
  double x = (double)one[0] - (double)other[0], y = (double)one[1] - (double)other[1],
         z = (double)one[2] - (double)other[2];
  return sqrt(x * x + y * y + z * z);
}

static struct cell *cell_place(const struct row *row, uint16_t square) {
  size_t low = 0, high = row->count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (row->cells[middle].square < square)
      low = middle + 1;
    else
      high = middle;
  }
  return row->cells + low;
}

static struct cell *cell_find(const struct row *row, uint16_t square) {
  struct cell *cell = cell_place(row, square);
  return cell < row->cells + row->count && cell->square == square ? cell : NULL;
}

static struct cell *cell_make(struct row *row, uint16_t square, const float point[3]) {
  struct cell *found = row->count ? cell_find(row, square) : NULL;
  if (found) return found;
  if (row->count == row->room) {
    uint16_t room = (uint16_t)(row->room + row->room / 4 + LEAST_ROOM);
    struct cell *cells = realloc(row->cells, room * sizeof *cells);
    if (!cells) return NULL;
    row->cells = cells;
    row->room = room;
  }
  struct cell *at = cell_place(row, square);
  memmove(at + 1, at, (size_t)(row->cells + row->count - at) * sizeof *at);
  *at = (struct cell){.square = square, .span = nothing, .point = {point[0], point[1], point[2]}};
  ++row->count;
  return at;
}

static void widen(struct span *span, const struct entry *entry) {
  span->skills |= entry->skills ? entry->skills : CONTENT;
  if (entry->from - entry->flex_days < span->from) span->from = entry->from - entry->flex_days;
  if (entry->until + entry->flex_days > span->until) span->until = entry->until + entry->flex_days;
  if (entry->hours_min < span->hours_min) span->hours_min = entry->hours_min;
  if (entry->hours_max > span->hours_max) span->hours_max = entry->hours_max;
}

/* Cells grow by an eighth: with a million offers the spare room is a few bytes for each. */
static bool row_add(struct row *row, struct held *held, size_t set) {
  const struct match_card *card = &held->card;
  struct cell *cell = cell_make(row, square_of(card->point), card->point);
  if (!cell) return false;
  if (cell->count == cell->room) {
    uint32_t room = cell->room + cell->room / 8 + LEAST_ROOM;
    struct entry *entries = realloc(cell->entries, room * sizeof *entries);
    if (!entries) return false;
    cell->entries = entries;
    cell->room = room;
  }
  struct entry *entry = &cell->entries[cell->count];
  *entry = (struct entry){
      .held = held,
      .skills = skill_signature(card),
      .point = {card->point[0], card->point[1], card->point[2]},
      .from = card->from,
      .until = card->until,
      .flex_days = card->flex_days,
      .hours_min = card->hours_min,
      .hours_max = card->hours_max,
  };
  widen(&cell->span, entry);
  widen(&row->span, entry);
  float away = (float)chord(cell->point, card->point);
  if (away > cell->radius) cell->radius = away;
  held->place[set] = cell->count++;
  return true;
}

static void row_remove(struct match_engine *engine, struct held *held, size_t set) {
  if (held->place[set] == NOWHERE) return;
  struct row *row = row_find(shelf_of(engine, set, held->card.kind), held->card.occupation);
  struct cell *cell = cell_find(row, square_of(held->card.point));
  struct entry *last = &cell->entries[--cell->count];
  cell->entries[held->place[set]] = *last;
  last->held->place[set] = held->place[set];
  held->place[set] = NOWHERE;
  if (cell->count == 0) cell->span = nothing;
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
  size_t bytes = match_card_fill((struct match_card *)room, offer->offer, &engine->sources);
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
  bool nowhere;        /* self's place is not known */
  double travel_km;    /* beyond this self takes nobody */
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
  if (search->supplies)
    return other && other != CONTENT && !(other & search->signature) ? 0.0 : 1.0;
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

/* The chord is shorter than the arc, so this is never below the distance part, and where it is beyond a travel limit the
 * arc is too. A place that is not known stands in the middle of the earth, 6,371 km from all others: it counts half.
 * Negative: too far. */
static double distance_bound(const struct search *search, double away) {
  if (away > 0.9 || search->nowhere) return 0.5;
  double km = away * EARTH_KM;
  if (km > search->travel_km) return -1.0;
  return km < 100.0 ? 1.0 - km / 100.0 : 0.0;
}

/* The most that an offer of this entry can score; `others` is what its occupation and the parts that no entry tells can
 * give. Negative: a hard rule is broken, or it is below `least`. Cheap parts first. */
static double entry_bound(const struct search *search, const struct entry *entry, double others,
                          double least_score) {
  const struct match_card *self = &search->self->card;
  double period = period_bound(search, entry);
  if (period < 0 || entry->hours_min > self->hours_max || entry->hours_max < self->hours_min)
    return -1.0;
  double bound = others + match_weights[MATCH_PERIOD] * period;
  if (bound + match_weights[MATCH_HOURS] + match_weights[MATCH_DISTANCE] +
          match_weights[MATCH_SKILLS] <
      least_score)
    return -1.0;
  double near = distance_bound(search, chord(self->point, entry->point));
  if (near < 0) return -1.0;
  unsigned asked = search->supplies ? entry->hours_max : self->hours_max;
  unsigned both = entry->hours_max < self->hours_max ? entry->hours_max : self->hours_max;
  bound += match_weights[MATCH_DISTANCE] * near +
           match_weights[MATCH_HOURS] * (double)both / (double)asked;
  if (bound + match_weights[MATCH_SKILLS] < least_score) return -1.0;
  bound += match_weights[MATCH_SKILLS] * skills_bound(search, entry->skills);
  return bound < least_score ? -1.0 : bound;
}

/* The most that any offer of a span can score, but for the distance. Negative: a hard rule is broken by all of them. */
static double span_bound(const struct search *search, const struct span *span, double others) {
  const struct match_card *self = &search->self->card;
  if (span->from > (long)self->until + self->flex_days ||
      span->until < (long)self->from - self->flex_days || span->hours_min > self->hours_max ||
      span->hours_max < self->hours_min)
    return -1.0;
  return others + match_weights[MATCH_PERIOD] + match_weights[MATCH_HOURS] +
         match_weights[MATCH_SKILLS] * skills_bound(search, span->skills);
}

static void search_cell(struct search *search, const struct cell *cell, double others,
                        bool skill_needed) {
  double least_score = least(search);
  for (uint32_t i = 0; i < cell->count; ++i) {
    const struct entry *entry = &cell->entries[i];
    if (skill_needed && !(entry->skills & search->signature)) continue;
    if (entry_bound(search, entry, others, least_score) < 0) continue;
    const struct held *held = entry->held;
    if (held->author == search->self->author) continue;
    struct match_found found = {.id = held->id};
    double part[MATCH_PARTS];
    if (!match_cards(&search->self->card, &held->card, &found.score, part)) continue;
    keep(search, &found);
    least_score = least(search);
  }
}

/* Cells with their bound, best first. */
struct visit {
  const struct cell *cell;
  double bound;
};

static int by_bound(const void *one, const void *other) {
  const struct visit *a = one, *b = other;
  return (a->bound < b->bound) - (a->bound > b->bound);
}

static void search_row(struct search *search, const struct row *row, double others,
                       bool skill_needed, struct visit *visits) {
  size_t count = 0;
  for (size_t i = 0; i < row->count; ++i) {
    const struct cell *cell = &row->cells[i];
    if (cell->count == 0) continue;
    double bound = span_bound(search, &cell->span, others);
    if (bound < 0) continue;
    double away = chord(search->self->card.point, cell->point) - (double)cell->radius;
    double near = distance_bound(search, away > 0 ? away : 0);
    if (near < 0) continue;
    bound += match_weights[MATCH_DISTANCE] * near;
    if (bound >= least(search)) visits[count++] = (struct visit){cell, bound};
  }
  qsort(visits, count, sizeof *visits, by_bound);
  for (size_t i = 0; i < count && visits[i].bound >= least(search); ++i)
    search_cell(search, visits[i].cell, others, skill_needed);
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

static size_t most_cells(const struct shelf *shelf) {
  size_t most = 1;
  for (size_t i = 0; i < shelf->count; ++i)
    if (shelf->rows[i].count > most) most = shelf->rows[i].count;
  return most;
}

static void search_rows(struct search *search, const struct reach *reach, size_t count,
                        struct visit *visits) {
  double unknown = match_weights[MATCH_CREDENTIALS] + match_weights[MATCH_LANGUAGES] +
                   match_weights[MATCH_HEADCOUNT] + match_weights[MATCH_TERMS];
  double rest = match_weights[MATCH_SKILLS] + match_weights[MATCH_DISTANCE] +
                match_weights[MATCH_PERIOD] + match_weights[MATCH_HOURS];
  for (size_t i = 0; i < count; ++i) {
    double others = unknown + match_weights[MATCH_OCCUPATION] * reach[i].closeness;
    if (others + rest < least(search)) break;
    const struct row *row = reach[i].row;
    bool skill_needed = reach[i].closeness <= 0;
    if (skill_needed && !(row->span.skills & search->signature)) continue;
    double bound = span_bound(search, &row->span, others);
    if (bound < 0 || bound + match_weights[MATCH_DISTANCE] < least(search)) continue;
    search_row(search, row, others, skill_needed, visits);
  }
}

static enum collega_status search_shelf(struct search *search, const struct shelf *shelf,
                                        struct collega_error *error) {
  if (shelf->count == 0 || search->most == 0) return COLLEGA_OK;
  struct reach *reach = malloc(shelf->count * sizeof *reach);
  struct visit *visits = malloc(most_cells(shelf) * sizeof *visits);
  if (reach && visits) {
    for (size_t i = 0; i < shelf->count; ++i)
      reach[i] = (struct reach){&shelf->rows[i], occupation_closeness(search->self->card.occupation,
                                                                      shelf->rows[i].occupation)};
    qsort(reach, shelf->count, sizeof *reach, by_closeness);
    search_rows(search, reach, shelf->count, visits);
  }
  bool done = reach && visits;
  free(reach);
  free(visits);
  return done ? COLLEGA_OK : error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
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
                          .nowhere = square_of(self->card.point) == 0,
                          .travel_km = self->card.travel_km == CARD_NOT_TOLD
                                           ? 2 * EARTH_KM
                                           : self->card.travel_km + MATCH_PLACE_DOUBT_KM + 0.01,
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

static size_t row_bytes(const struct row *row) {
  size_t bytes = row->room * sizeof *row->cells;
  for (size_t i = 0; i < row->count; ++i)
    bytes += row->cells[i].room * sizeof(struct entry) + 8;
  return bytes;
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
        out->bytes += row_bytes(&shelf->rows[i]);
    }
}
