/* Where the engine keeps its offers: rows, cells, entries, and the summaries over them (rows.h). */
#include "client/match/rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_ROOM   4
#define LEAST_POINTS 64u

static const struct span nothing = {.from = INT32_MAX, .until = INT32_MIN, .hours_min = UINT8_MAX};

struct shelf *shelf_of(struct match_engine *engine, size_t set, unsigned kind) {
  return &engine->shelves[set][(kind - 1) % KINDS];
}

/* ---- signatures of skills */

struct signature skill_signature(const struct taxonomy *taxonomy, const struct match_card *card) {
  struct signature signature = {0};
  for (size_t i = 0; i < card->skill_count; ++i) {
    uint32_t key = card->items[i] & CARD_KEY;
    signature.keys |= key_bit(key);
    if (!taxonomy || !card_is_concept(key)) continue;
    const uint32_t *broader;
    uint32_t count = taxonomy_broader(taxonomy, key, &broader);
    signature.kinds |= kind_bit(key);
    for (uint32_t j = 0; j < count; ++j)
      signature.kinds |= kind_bit(broader[j]);
  }
  return signature;
}

static void filter_set(struct row *row, uint32_t key, bool kind) {
  uint32_t place = filter_place(key, kind);
  row->filter[place / 64] |= UINT64_C(1) << (place % 64);
}

static void filter_add(struct row *row, const struct taxonomy *taxonomy,
                       const struct match_card *card) {
  for (size_t i = 0; i < card->skill_count; ++i) {
    uint32_t key = card->items[i] & CARD_KEY;
    filter_set(row, key, false);
    if (!taxonomy || !card_is_concept(key)) continue;
    const uint32_t *broader;
    uint32_t count = taxonomy_broader(taxonomy, key, &broader);
    filter_set(row, key, true);
    for (uint32_t j = 0; j < count; ++j)
      filter_set(row, broader[j], true);
  }
}

/* ---- points */

static size_t point_slot(const struct points *points, const float point[3]) {
  uint32_t bits[3];
  memcpy(bits, point, sizeof bits);
  size_t at = ((bits[0] * 2654435769u) ^ (bits[1] * 2246822519u) ^ (bits[2] * 3266489917u)) &
              (points->table_size - 1);
  while (points->table[at] &&
         memcmp(points->point[points->table[at] - 1], point, 3 * sizeof(float)) != 0)
    at = (at + 1) & (points->table_size - 1);
  return at;
}

static bool points_grow(struct points *points) {
  if (points->count * 2 < points->table_size) return true;
  size_t size = points->table_size ? points->table_size * 2 : LEAST_POINTS;
  float(*point)[3] = realloc(points->point, size * sizeof *point);
  if (point) points->point = point;
  uint16_t *table = calloc(size, sizeof *table);
  if (!point || !table) {
    free(table);
    return false;
  }
  free(points->table);
  points->table = table;
  points->table_size = points->room = size;
  for (size_t i = 0; i < points->count; ++i)
    table[point_slot(points, point[i])] = (uint16_t)(i + 1);
  return true;
}

/* Beyond POINTS_MOST points an entry has none, and its distance is not bounded by it. */
static bool point_number(struct points *points, const float point[3], uint16_t *out) {
  if (!points_grow(points)) return false;
  size_t slot = point_slot(points, point);
  *out = POINTS_MOST;
  if (!points->table[slot]) {
    if (points->count == POINTS_MOST - 1) return true;
    memcpy(points->point[points->count++], point, 3 * sizeof(float));
    points->table[slot] = (uint16_t)points->count;
  }
  *out = (uint16_t)(points->table[slot] - 1);
  return true;
}

/* ---- rows */

static struct row *row_find(const struct shelf *shelf, uint16_t isco) {
  if (!shelf->row_of || shelf->row_of[isco] == NO_ROW) return NULL;
  return &shelf->rows[shelf->row_of[isco]];
}

static struct row *row_make(struct shelf *shelf, uint16_t isco) {
  struct row *found = row_find(shelf, isco);
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
  uint64_t *filter = calloc(FILTER_BITS / 64, sizeof *filter);
  if (!filter) return NULL;
  shelf->row_of[isco] = (uint16_t)shelf->count;
  shelf->rows[shelf->count] = (struct row){.isco = isco, .span = nothing, .filter = filter};
  return &shelf->rows[shelf->count++];
}

/* ---- cells: squares of 0.25 by 0.4 degrees of the sphere's own axes, some 28 by 27 km in the Netherlands. Any grid will
 * do: bounds use the ball around what is really there. */

uint16_t square_of(const float point[3]) {
  if (point[0] == 0 && point[1] == 0 && point[2] == 0) return 0; /* not known */
  const double step = 28.0 / EARTH_KM;
  unsigned across = (unsigned)(((double)point[2] + 1.0) / step) & 0xffu; /* by latitude */
  unsigned along = (unsigned)(((double)point[1] + 1.0) / step) & 0xffu;  /* by longitude */
  return (uint16_t)(across << 8 | along | 1u << 15);
}

double chord(const float one[3], const float other[3]) {
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
  span->skills.keys |= entry->keys;
  span->content = span->content || entry->keys == 0;
  span->skills.kinds |= entry->kinds;
  int32_t from = (int32_t)entry->from - (int32_t)entry->flex_days,
          until = (int32_t)entry->until + (int32_t)entry->flex_days;
  if (from < span->from) span->from = from;
  if (until > span->until) span->until = until;
  if (entry->hours_min < span->hours_min) span->hours_min = (uint8_t)entry->hours_min;
  if (entry->hours_max > span->hours_max) span->hours_max = (uint8_t)entry->hours_max;
}

/* Cells grow by an eighth: with a million offers the spare room is a few bytes for each. */
static struct entry *entry_make(struct cell *cell) {
  if (cell->count == cell->room) {
    uint32_t room = cell->room + cell->room / 8 + LEAST_ROOM;
    struct entry *entries = realloc(cell->entries, room * sizeof *entries);
    if (!entries) return NULL;
    cell->entries = entries;
    cell->room = room;
  }
  return &cell->entries[cell->count];
}

static void count_skills(struct entry *entry, const struct match_card *card) {
  unsigned skills = 0;
  for (size_t i = 0; i < card->skill_count; ++i)
    skills += (card->items[i] & CARD_ALIAS) == 0;
  unsigned shared = card->skill_count - (unsigned)__builtin_popcountll(entry->keys);
  if (skills > 31 || shared > 15) return;
  entry->skills = skills & 0x1fu;
  entry->shared = shared & 0xfu;
}

bool rows_add(struct match_engine *engine, struct held *held, size_t set) {
  const struct match_card *card = &held->card;
  const struct taxonomy *taxonomy = engine->rules.sources.taxonomy;
  uint16_t point;
  struct row *row =
      row_make(shelf_of(engine, set, card->kind), occupation_isco(taxonomy, card->occupation));
  struct cell *cell = row ? cell_make(row, square_of(card->point), card->point) : NULL;
  struct entry *entry = cell ? entry_make(cell) : NULL;
  if (!entry || !point_number(&engine->points, card->point, &point)) return false;
  struct signature skills = skill_signature(taxonomy, card);
  *entry = (struct entry){
      .held = held,
      .keys = skills.keys,
      .kinds = skills.kinds,
      .occupation = card->occupation,
      .point = point,
      .from = (uint64_t)card->from & 0x1ffffu,
      .until = (uint64_t)card->until & 0x1ffffu,
      .flex_days = card->flex_days & 0x1ffu,
      .hours_min = card->hours_min & 0x3fu,
      .hours_max = card->hours_max & 0x3fu,
  };
  count_skills(entry, card);
  widen(&cell->span, entry);
  widen(&row->span, entry);
  filter_add(row, taxonomy, card);
  float away = (float)chord(cell->point, card->point);
  if (away > cell->radius) cell->radius = away;
  held->place[set] = cell->count++;
  ++row->offers;
  return true;
}

void rows_remove(struct match_engine *engine, struct held *held, size_t set) {
  if (held->place[set] == NOWHERE) return;
  struct row *row =
      row_find(shelf_of(engine, set, held->card.kind),
               occupation_isco(engine->rules.sources.taxonomy, held->card.occupation));
  struct cell *cell = cell_find(row, square_of(held->card.point));
  struct entry *last = &cell->entries[--cell->count];
  cell->entries[held->place[set]] = *last;
  last->held->place[set] = held->place[set];
  held->place[set] = NOWHERE;
  if (cell->count == 0) cell->span = nothing;
  if (--row->offers > 0) return;
  row->span = nothing;
  memset(row->filter, 0, FILTER_BITS / 8);
}

/* ---- all of it */

static void row_free(struct row *row) {
  for (size_t i = 0; i < row->count; ++i)
    free(row->cells[i].entries);
  free(row->cells);
  free(row->filter);
}

void rows_free(struct match_engine *engine) {
  for (size_t set = ALL; set <= MINE; ++set)
    for (size_t kind = 0; kind < KINDS; ++kind) {
      struct shelf *shelf = &engine->shelves[set][kind];
      for (size_t i = 0; i < shelf->count; ++i)
        row_free(&shelf->rows[i]);
      free(shelf->rows);
      free(shelf->row_of);
    }
  free(engine->points.point);
  free(engine->points.table);
}

static size_t row_bytes(const struct row *row) {
  size_t bytes = row->room * sizeof *row->cells + FILTER_BITS / 8;
  for (size_t i = 0; i < row->count; ++i)
    bytes += row->cells[i].room * sizeof(struct entry) + 8; /* malloc's own */
  return bytes;
}

size_t rows_bytes(const struct match_engine *engine) {
  const struct points *points = &engine->points;
  size_t bytes = points->room * sizeof *points->point + points->table_size * sizeof *points->table;
  for (size_t set = ALL; set <= MINE; ++set)
    for (size_t kind = 0; kind < KINDS; ++kind) {
      const struct shelf *shelf = &engine->shelves[set][kind];
      bytes += shelf->room * sizeof *shelf->rows +
               (shelf->row_of ? OCCUPATION_KEYS * sizeof *shelf->row_of : 0);
      for (size_t i = 0; i < shelf->count; ++i)
        bytes += row_bytes(&shelf->rows[i]);
    }
  return bytes;
}
