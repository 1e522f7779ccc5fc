/* The engine's front: offers by id and author; what they are is kept in rows.c and asked in search.c.
 *
 * Offers are found by id in a table with open addressing; ids come from outside, so it is hashed with a key. uthash would
 * take 56 bytes for each offer, more than its entry. */
#include "client/match/engine.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/match/rows.h"

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define LEAST_TABLE 64

struct author {
  struct id id;
  size_t offers;
  UT_hash_handle hh;
};

struct match_engine *match_engine_new(const struct match_rules *rules) {
  _Static_assert(sizeof((struct match_engine *)0)->secret == crypto_shorthash_KEYBYTES, "key");
  struct match_engine *engine = calloc(1, sizeof *engine);
  if (!engine) return NULL;
  engine->rules = *rules;
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
  rows_free(engine);
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

/* ---- putting and removing */

static void held_drop(struct match_engine *engine, struct held *held) {
  rows_remove(engine, held, ALL);
  if (held->place[MINE] != NOWHERE) --engine->mine;
  rows_remove(engine, held, MINE);
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
  size_t bytes = match_card_fill((struct match_card *)room, offer->offer, &engine->rules.sources);
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
  for (size_t set = ALL; set <= (mine ? (size_t)MINE : (size_t)ALL); ++set) {
    if (!rows_add(engine, held, set)) return false;
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

/* ---- asking */

static enum collega_status search_set(struct match_engine *engine, size_t set,
                                      const struct short_id *id, size_t most,
                                      struct match_found *out, size_t *count,
                                      struct collega_error *error) {
  *count = 0;
  const struct held *self = engine->table[table_place(engine, id)];
  if (!self) return error_set(error, COLLEGA_NOT_FOUND, RULE_match_offer_unknown, NULL, NULL);
  return rows_search(engine, set, self, most, out, count, error);
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
                                        engine->author_count * (sizeof(struct author) + 24) +
                                        rows_bytes(engine)};
}
