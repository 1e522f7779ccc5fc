/* Where the engine keeps its offers: rows, cells, entries, and the summaries over them (rows.h). */
#include "client/match/rows.h"

#include <stdlib.h>
#include <string.h>

#define LEAST_ROOM 4

static const struct span nothing = {.from = INT32_MAX, .until = INT32_MIN, .hours_min = UINT8_MAX};

struct shelf *shelf_of(struct match_engine *engine, size_t set, unsigned kind) {
  return &engine->shelves[set][(kind - 1) % KINDS];
}

/* ---- signatures of skills */

/* An offer's skills, for its row and cell, and into the filter for its row. */
static void add_skills(struct shelf *shelf, const struct row *row, const struct taxonomy *taxonomy,
                       const struct match_card *card, struct span *sum) {
  size_t number = (size_t)(row - shelf->rows), word = number / 64;
  uint64_t bit = UINT64_C(1) << (number % 64);
  for (size_t i = 0; i < card->skill_count; ++i) {
    uint32_t key = card->items[i] & CARD_KEY;
    sum->keys[key_word(key)] |= key_bit(key);
    filter_rows(shelf, key, false)[word] |= bit;
    if (!taxonomy || !card_is_concept(key)) continue;
    const uint32_t *broader;
    uint32_t count = taxonomy_broader(taxonomy, key, &broader);
    sum->kinds |= kind_bit(key);
    filter_rows(shelf, key, true)[word] |= bit;
    for (uint32_t j = 0; j < count; ++j) {
      sum->kinds |= kind_bit(broader[j]);
      filter_rows(shelf, broader[j], true)[word] |= bit;
    }
  }
}

static void filter_clear(struct shelf *shelf, const struct row *row) {
  size_t number = (size_t)(row - shelf->rows), words = shelf->room / 64;
  for (size_t i = 0; i < FILTER_BITS; ++i)
    shelf->filter[i * words + number / 64] &= ~(UINT64_C(1) << (number % 64));
}

/* ---- rows */

static struct row *row_find(const struct shelf *shelf, uint16_t isco) {
  if (!shelf->row_of || shelf->row_of[isco] == NO_ROW) return NULL;
  return &shelf->rows[shelf->row_of[isco]];
}

static void row_free(struct slab *slab, struct row *row) {
  for (size_t i = 0; i < row->count; ++i)
    slab_give(slab, row->cells[i].times, row->cells[i].room * ENTRY_BYTES);
  free(row->cells);
  free(row->cell_of);
}

/* Room for 64 rows more. */
static bool shelf_grow(struct shelf *shelf) {
  if (!shelf->row_of) {
    shelf->row_of = malloc(OCCUPATION_KEYS * sizeof *shelf->row_of);
    if (!shelf->row_of) return false;
    memset(shelf->row_of, 0xff, OCCUPATION_KEYS * sizeof *shelf->row_of);
  }
  size_t words = shelf->room / 64;
  struct row *rows = realloc(shelf->rows, (words + 1) * 64 * sizeof *rows);
  if (rows) shelf->rows = rows;
  uint64_t *filter = calloc(FILTER_BITS * (words + 1), sizeof *filter);
  if (!rows || !filter) {
    free(filter);
    return false;
  }
  for (size_t i = 0; i < FILTER_BITS && words > 0; ++i)
    memcpy(filter + i * (words + 1), shelf->filter + i * words, words * sizeof *filter);
  free(shelf->filter);
  shelf->filter = filter;
  shelf->room += 64;
  return true;
}

static struct row *row_make(const struct taxonomy *taxonomy, struct shelf *shelf, uint16_t isco) {
  struct row *found = row_find(shelf, isco);
  if (found) return found;
  if (shelf->count == shelf->room && !shelf_grow(shelf)) return NULL;
  struct row row = {.isco = isco, .span = nothing};
  row.cell_of = calloc(CELLS_A_ROW, sizeof *row.cell_of);
  if (!row.cell_of) return NULL;
  uint32_t first, count = taxonomy ? taxonomy_group(taxonomy, isco, &first) : 0;
  if (count > 0) {
    row.first_key = (uint16_t)first;
    row.key_count = (uint16_t)count;
  }
  shelf->row_of[isco] = (uint16_t)shelf->count;
  shelf->rows[shelf->count] = row;
  return &shelf->rows[shelf->count++];
}

/* ---- cells */

static size_t cell_at(const struct match_engine *engine, const struct held *held, uint16_t point) {
  size_t names = held->card.skill_count ? NAMES_SKILLS : NAMES_NONE;
  return (size_t)zone_of(&engine->zones, point) * CELLS_A_ZONE + names;
}

static struct cell *cell_make(struct row *row, size_t at) {
  if (row->cell_of[at]) return &row->cells[row->cell_of[at] - 1];
  if (row->count == row->room) {
    uint16_t room = (uint16_t)(row->room + row->room / 4 + LEAST_ROOM);
    struct cell *cells = realloc(row->cells, room * sizeof *cells);
    if (!cells) return NULL;
    row->cells = cells;
    row->room = room;
  }
  row->cells[row->count] = (struct cell){.span = nothing};
  row->cell_of[at] = ++row->count;
  return &row->cells[row->count - 1];
}

static void widen(struct span *span, const struct span *one) {
  for (size_t i = 0; i < WIDE; ++i)
    span->keys[i] |= one->keys[i];
  span->kinds |= one->kinds;
  if (one->from < span->from) span->from = one->from;
  if (one->until > span->until) span->until = one->until;
  if (one->hours_min < span->hours_min) span->hours_min = one->hours_min;
  if (one->hours_max > span->hours_max) span->hours_max = one->hours_max;
}

/* Cells grow by an eighth, small ones by two: with a million offers the spare room is a few bytes for each. */
static bool cell_grow(struct slab *slab, struct cell *cell) {
  if (cell->count < cell->room) return true;
  uint32_t room = cell->room + cell->room / 8 + 2;
  struct times *times = slab_take(slab, room * ENTRY_BYTES);
  if (!times) return false;
  if (cell->count > 0) {
    memcpy(times, cell->times, cell->count * sizeof *times);
    memcpy(times + room, cell_entries(cell), cell->count * sizeof(struct entry));
  }
  slab_give(slab, cell->times, cell->room * ENTRY_BYTES);
  cell->times = times;
  cell->room = room;
  return true;
}

static void count_skills(struct times *times, const struct entry *entry,
                         const struct match_card *card) {
  unsigned skills = 0;
  for (size_t i = 0; i < card->skill_count; ++i)
    skills += (card->items[i] & CARD_ALIAS) == 0;
  unsigned shared = card->skill_count - (unsigned)__builtin_popcountll(entry->keys);
  if (skills > 31 || shared > 15) return;
  times->skills = skills & 0x1fu;
  times->shared = shared & 0xfu;
}

bool rows_add(struct match_engine *engine, struct held *held, size_t set) {
  const struct match_card *card = &held->card;
  const struct taxonomy *taxonomy = engine->rules.sources.taxonomy;
  uint16_t point;
  if (!zones_add(&engine->zones, card->point, card->terms & CARD_PLACE_FINE, &point)) return false;
  struct shelf *shelf = shelf_of(engine, set, card->kind);
  struct row *row = row_make(taxonomy, shelf, occupation_isco(taxonomy, card->occupation));
  struct cell *cell = row ? cell_make(row, cell_at(engine, held, point)) : NULL;
  if (!cell || !cell_grow(&engine->slab, cell)) return false;
  struct times *times = &cell->times[cell->count];
  struct entry *entry = &cell_entries(cell)[cell->count];
  struct span one = {.from = card->from - card->flex_days,
                     .until = card->until + card->flex_days,
                     .hours_min = card->hours_min,
                     .hours_max = card->hours_max};
  add_skills(shelf, row, taxonomy, card, &one);
  *times = (struct times){
      .from = (uint64_t)card->from & 0x1ffffu,
      .until = (uint64_t)card->until & 0x1ffffu,
      .flex_days = card->flex_days & 0x1ffu,
      .hours_min = card->hours_min & 0x3fu,
      .hours_max = card->hours_max & 0x3fu,
  };
  *entry = (struct entry){held, span_keys(&one), one.kinds, card->occupation, point};
  count_skills(times, entry, card);
  widen(&cell->span, &one);
  widen(&row->span, &one);
  held->place[set] = cell->count++;
  row->nameless += card->skill_count == 0;
  ++row->offers;
  return true;
}

void rows_remove(struct match_engine *engine, struct held *held, size_t set) {
  if (held->place[set] == NOWHERE) return;
  struct shelf *shelf = shelf_of(engine, set, held->card.kind);
  struct row *row =
      row_find(shelf, occupation_isco(engine->rules.sources.taxonomy, held->card.occupation));
  size_t at = cell_at(engine, held, zones_find(&engine->zones, held->card.point));
  struct cell *cell = &row->cells[row->cell_of[at] - 1];
  struct entry *entries = cell_entries(cell), *last = &entries[--cell->count];
  cell->times[held->place[set]] = cell->times[cell->count];
  entries[held->place[set]] = *last;
  last->held->place[set] = held->place[set];
  held->place[set] = NOWHERE;
  if (cell->count == 0) cell->span = nothing;
  row->nameless -= held->card.skill_count == 0;
  if (--row->offers > 0) return;
  row->span = nothing;
  filter_clear(shelf, row);
}

/* ---- all of it */

void rows_free(struct match_engine *engine) {
  for (size_t set = ALL; set <= MINE; ++set)
    for (size_t kind = 0; kind < KINDS; ++kind) {
      struct shelf *shelf = &engine->shelves[set][kind];
      for (size_t i = 0; i < shelf->count; ++i)
        row_free(&engine->slab, &shelf->rows[i]);
      free(shelf->rows);
      free(shelf->row_of);
      free(shelf->filter);
    }
  zones_free(&engine->zones);
}

size_t rows_bytes(const struct match_engine *engine) {
  size_t bytes = zones_bytes(&engine->zones);
  for (size_t set = ALL; set <= MINE; ++set)
    for (size_t kind = 0; kind < KINDS; ++kind) {
      const struct shelf *shelf = &engine->shelves[set][kind];
      bytes += shelf->room * (sizeof *shelf->rows + FILTER_BITS / 8) +
               (shelf->row_of ? OCCUPATION_KEYS * sizeof *shelf->row_of : 0);
      for (size_t i = 0; i < shelf->count; ++i)
        bytes += shelf->rows[i].room * sizeof(struct cell) + CELLS_A_ROW * sizeof(uint16_t);
    }
  return bytes;
}
