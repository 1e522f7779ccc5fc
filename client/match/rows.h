/* What the engine keeps of its offers: shelves of rows of cells of entries. Shared by engine.c (offers by id), rows.c
 * (offers by what they are) and search.c.
 *
 * Offers of one kind and unit group (ISCO) form a row, in it those of one zone (zones.h) a cell; those that name
 * no skill have a cell of their own, because a request that asks for none is met whole, and would lift the bound
 * of all others. Each offer has an entry of 32 bytes in its cell, in two parts, which tells, without a look at the
 * offer's card, the most that it can score against a given offer: its occupation, its place, its days, its hours,
 * and signatures of its skills. Cells and rows know the same of all that is in them. */
#ifndef COLLEGA_CLIENT_MATCH_ROWS_H
#define COLLEGA_CLIENT_MATCH_ROWS_H
#include "client/match/engine.h"
#include "client/match/id_table.h"
#include "client/match/occupation.h"
#include "client/match/slab.h"
#include "client/match/zones.h"

#define KINDS       4 /* enum OfferKind, from 1 */
#define NOWHERE     UINT32_MAX
#define NO_ROW      UINT16_MAX
#define FILTER_BITS 4096u /* filter_place: 12 bits */

/* An offer in the engine: one block of memory. The table finds it by its id, which stands first. */
struct held {
  struct short_id id;
  struct author *author;
  uint32_t place[2]; /* in its cell of all, of mine; NOWHERE */
  struct match_card card;
};

/* Of each entry first what most are passed over by: days and hours that do not meet. They stand together, so that
 * few lines of memory tell it of all of a cell. */
struct times {
  uint64_t from : 17, until : 17, flex_days : 9, hours_min : 6, hours_max : 6;
  uint64_t skills : 5,
      shared : 4; /* how many; bits of `keys` that are set more than once. 0 skills: too many to tell */
};
/* Its skills are a signature: a bit for each key of a skill, and one for each concept and for what is broader than
 * it, where a taxonomy knows it. Two may share a bit; no bit in common means nothing in common. */
struct entry {
  struct held *held;
  uint64_t keys;
  uint32_t kinds;
  uint16_t occupation; /* as in the card */
  uint16_t point;      /* of the engine's zones */
};
#define WIDE 4u /* key_word */
/* What the bound of a cell or a row is made of: its ranges hold the ranges of each entry. A summary is not
 * narrowed when an offer leaves, unless it was the last. */
struct span {
  uint64_t keys[WIDE]; /* as in a signature, each in one of the words: fewer share a bit */
  uint32_t kinds;
  int32_t from, until; /* with the flexible days at both ends */
  uint8_t hours_min, hours_max;
};
static inline uint64_t span_keys(const struct span *span) {
  return span->keys[0] | span->keys[1] | span->keys[2] | span->keys[3];
}
struct cell {
  struct span span;
  uint32_t count, room;
  struct times *times; /* room of them, and behind them as many entries: cell_entries */
};
#define ENTRY_BYTES (sizeof(struct times) + sizeof(struct entry))
static inline struct entry *cell_entries(const struct cell *cell) {
  return (struct entry *)(void *)(cell->times + cell->room);
}
enum { NAMES_SKILLS, NAMES_NONE, CELLS_A_ZONE };
#define CELLS_A_ROW ((size_t)ZONES_MOST * CELLS_A_ZONE)
struct row {
  uint16_t isco;
  uint16_t first_key, key_count; /* of the taxonomy, in this group; none: 0 */
  uint16_t count, room;          /* cells, in the order in which they were made */
  uint32_t offers, nameless;     /* all, those that name no skill */
  struct span span;
  struct cell *cells;
  uint16_t *cell_of; /* CELLS_A_ZONE for each zone: cell + 1; 0: none */
};
/* The rows of one kind of offer. The filter tells which rows have a skill, for fewer share a bit in it than in a
 * signature: for each of FILTER_BITS a bit for each row, so that one look tells it of all rows. */
struct shelf {
  struct row *rows;
  size_t count, room; /* room: a multiple of 64 */
  uint16_t *row_of;   /* by unit group; NO_ROW: none */
  uint64_t *filter;
};
enum { ALL, MINE };
struct match_engine {
  struct match_rules rules;
  struct shelf shelves[2][KINDS]; /* of all, of mine */
  struct zones zones;
  struct id_table offers, authors; /* of struct held, struct author */
  size_t mine;
  struct slab slab; /* of offers, and of what their cells hold */
};

struct shelf *shelf_of(struct match_engine *engine, size_t set, unsigned kind);
/* Puts an offer among the others of its kind and group. False: out of memory, and it is not there. */
bool rows_add(struct match_engine *engine, struct held *held, size_t set);
void rows_remove(struct match_engine *engine, struct held *held, size_t set);
void rows_free(struct match_engine *engine);
size_t rows_bytes(const struct match_engine *engine);

/* The bits of a skill's key (of a card's item, or a concept), and of a concept as what it is or what is broader.
 * Fibonacci hashing: Knuth, The Art of Computer Programming 3, section 6.4. */
static inline uint64_t key_bit(uint32_t key) {
  return UINT64_C(1) << ((key * 2654435769u) >> 26);
}
static inline uint32_t key_word(uint32_t key) {
  return ((key * 2654435769u) >> 24) & (WIDE - 1u);
}
static inline uint32_t kind_bit(uint32_t concept) {
  return 1u << ((concept * 2654435769u) >> 27);
}
/* A shelf's filter: kinds have bits of their own, by another multiplier. The rows that have it, room / 64 words. */
static inline uint64_t *filter_rows(const struct shelf *shelf, uint32_t key, bool kind) {
  uint32_t place = (key * (kind ? 2246822519u : 2654435769u)) >> 20;
  return shelf->filter + place * (shelf->room / 64);
}

enum collega_status rows_search(struct match_engine *engine, size_t set, const struct held *self,
                                size_t most, struct match_found *out, size_t *count,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
