/* The engine's front: offers by id and author; what they are is kept in rows.c and asked in search.c. */
#include "client/match/engine.h"

#include <stdlib.h>
#include <string.h>

#include "client/match/rows.h"

struct author {
  struct id id;
  size_t offers;
};

struct match_engine *match_engine_new(const struct match_rules *rules) {
  struct match_engine *engine = calloc(1, sizeof *engine);
  if (!engine) return NULL;
  engine->rules = *rules;
  bool room = id_table_start(&engine->offers, sizeof(struct short_id));
  if (!id_table_start(&engine->authors, sizeof(struct id)) || !room) match_engine_destroy(&engine);
  return engine;
}

void match_engine_destroy(struct match_engine **engine_place) {
  struct match_engine *engine = engine_place ? *engine_place : NULL;
  if (!engine) return;
  rows_free(engine);
  for (size_t i = 0; engine->authors.thing && i < engine->authors.size; ++i)
    free(engine->authors.thing[i]);
  id_table_free(&engine->authors);
  id_table_free(&engine->offers);
  slab_free(&engine->slab);
  free(engine);
  *engine_place = NULL;
}

/* ---- authors */

static struct author *author_take(struct id_table *authors, const struct id *id, size_t hash) {
  if (!id_table_make_room(authors)) return NULL;
  size_t place = id_table_place(authors, hash, id);
  struct author *author = authors->thing[place];
  if (!author) {
    author = malloc(sizeof *author);
    if (!author) return NULL;
    *author = (struct author){.id = *id};
    id_table_add(authors, place, author);
  }
  ++author->offers;
  return author;
}

static void author_give(struct id_table *authors, struct author *author) {
  if (--author->offers > 0) return;
  id_table_remove(authors,
                  id_table_place(authors, id_table_hash(authors, &author->id), &author->id));
  free(author);
}

/* ---- putting and removing */

static void held_drop(struct match_engine *engine, struct held *held) {
  rows_remove(engine, held, ALL);
  if (held->place[MINE] != NOWHERE) --engine->mine;
  rows_remove(engine, held, MINE);
  if (held->author) author_give(&engine->authors, held->author);
  slab_give(&engine->slab, held, offsetof(struct held, card) + card_bytes(&held->card));
}

static void remove_at(struct match_engine *engine, size_t place) {
  struct held *held = engine->offers.thing[place];
  if (!held) return;
  id_table_remove(&engine->offers, place);
  held_drop(engine, held);
}

void match_engine_remove(struct match_engine *engine, const struct short_id *id) {
  remove_at(engine, id_table_place(&engine->offers, id_table_hash(&engine->offers, id), id));
}

static struct held *held_new(struct match_engine *engine, const struct match_offer *offer) {
  _Alignas(struct match_card) uint8_t room[CARD_ROOM];
  size_t bytes = match_card_fill((struct match_card *)room, offer->offer, &engine->rules.sources);
  struct held *held = slab_take(&engine->slab, offsetof(struct held, card) + bytes);
  if (!held) return NULL;
  held->id = offer->id;
  held->place[ALL] = held->place[MINE] = NOWHERE;
  memcpy(&held->card, room, bytes);
  held->author = NULL;
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
  struct id_table *offers = &engine->offers;
  size_t hash = id_table_hash(offers, &offer->id),
         author = id_table_hash(&engine->authors, &offer->author);
  bool room = id_table_make_room(offers);
  id_table_fetch(offers, hash);
  id_table_fetch(&engine->authors, author);
  struct held *held = held_new(engine, offer);
  id_table_fetch_thing(&engine->authors, author);
  size_t place = id_table_place(offers, hash, &offer->id);
  if (offers->thing[place]) {
    remove_at(engine, place);
    place = id_table_place(offers, hash, &offer->id);
  }
  bool placed = room && held && held_place(engine, held, offer->mine);
  if (placed) held->author = author_take(&engine->authors, &offer->author, author);
  if (!placed || !held->author) {
    if (held) held_drop(engine, held);
    return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  }
  id_table_add(offers, place, held);
  return COLLEGA_OK;
}

/* ---- asking */

static enum collega_status search_set(struct match_engine *engine, size_t set,
                                      const struct short_id *id, size_t most,
                                      struct match_found *out, size_t *count,
                                      struct collega_error *error) {
  *count = 0;
  const struct id_table *offers = &engine->offers;
  const struct held *self = offers->thing[id_table_place(offers, id_table_hash(offers, id), id)];
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
  /* Of authors, what malloc keeps beside each block, and rounds up. */
  *out = (struct match_engine_size){
      engine->offers.count, engine->mine,
      sizeof *engine + (engine->offers.size + engine->authors.size) * sizeof(void *) +
          engine->slab.bytes + engine->authors.count * (sizeof(struct author) + 16) +
          rows_bytes(engine)};
}
