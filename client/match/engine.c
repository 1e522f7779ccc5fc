/* The first engine: every offer against every other, by the definitions of match_pair.
 *
 * It keeps a packed copy of each offer and an unpacked one in an arena of its own, in a hash table by offer id
 * (a keyed hash: ids come from outside). A full index (posting lists over a million offers) goes behind the same
 * functions; this one is its definition in the tests. */
#include "client/match/match.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/guard.h"

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define ENTRY_ARENA_BYTES (256u * 1024u) /* a body is at most 32 KiB */

struct engine_entry {
  struct short_id id;
  struct id author;
  bool mine;
  struct arena *arena;
  const Collega__Offer *offer;
  UT_hash_handle hh;
};
struct match_engine {
  struct engine_entry *entries;
  uint8_t secret[crypto_shorthash_KEYBYTES];
  struct match_result result; /* scratch: large */
};

/* Ids are chosen by outsiders: a keyed hash keeps them from choosing collisions. */
static unsigned hash_of(const struct match_engine *engine, const struct short_id *id) {
  uint8_t out[crypto_shorthash_BYTES];
  crypto_shorthash(out, id->byte, sizeof id->byte, engine->secret);
  return (unsigned)get_be32(out);
}

struct match_engine *match_engine_new(void) {
  struct match_engine *engine = calloc(1, sizeof *engine);
  if (engine) random_fill(engine->secret, sizeof engine->secret);
  return engine;
}

static void entry_free(struct match_engine *engine, struct engine_entry *entry) {
  HASH_DEL(engine->entries, entry);
  arena_destroy(&entry->arena);
  free(entry);
}

void match_engine_destroy(struct match_engine **engine) {
  if (!engine || !*engine) return;
  struct engine_entry *entry, *next;
  HASH_ITER(hh, (*engine)->entries, entry, next) entry_free(*engine, entry);
  free(*engine);
  *engine = NULL;
}

static struct engine_entry *find(const struct match_engine *engine, const struct short_id *id) {
  struct engine_entry *entry = NULL;
  unsigned hash = hash_of(engine, id);
  HASH_FIND_BYHASHVALUE(hh, engine->entries, id, sizeof *id, hash, entry);
  return entry;
}

void match_engine_remove(struct match_engine *engine, const struct short_id *id) {
  struct engine_entry *entry = find(engine, id);
  if (entry) entry_free(engine, entry);
}

enum collega_status match_engine_put(struct match_engine *engine, const struct match_offer *offer,
                                     struct collega_error *error) {
  struct engine_entry *entry = calloc(1, sizeof *entry);
  struct arena *arena = arena_new(4096, ENTRY_ARENA_BYTES);
  if (!entry || !arena) goto out_of_memory;
  struct bytes packed = message_pack(&offer->offer->base, arena);
  if (!packed.data) goto out_of_memory;
  ProtobufCMessage *copy = NULL;
  enum collega_status status =
      guard_unpack(&collega__offer__descriptor, packed, arena, &copy, error);
  if (status != COLLEGA_OK) {
    arena_destroy(&arena);
    free(entry);
    return status;
  }
  match_engine_remove(engine, &offer->id);
  entry->id = offer->id;
  entry->author = offer->author;
  entry->mine = offer->mine;
  entry->arena = arena;
  entry->offer = (const Collega__Offer *)copy;
  unsigned hash = hash_of(engine, &entry->id);
  HASH_ADD_BYHASHVALUE(hh, engine->entries, id, sizeof entry->id, hash, entry);
  if (!entry->hh.tbl) goto out_of_memory; /* HASH_NONFATAL_OOM leaves it out */
  return COLLEGA_OK;
out_of_memory:
  arena_destroy(&arena);
  free(entry);
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

/* Better first; equal scores by id, so that the order is stable. */
static bool before(const struct match_found *one, const struct match_found *other) {
  if (one->score > other->score) return true;
  if (one->score < other->score) return false;
  return memcmp(one->id.byte, other->id.byte, SHORT_ID_BYTES) < 0;
}

static void keep(struct match_found *out, size_t *count, size_t most,
                 const struct match_found *found) {
  size_t at = *count < most ? (*count)++ : most - 1;
  if (at == most - 1 && *count == most && out[at].score >= 0 && !before(found, &out[at])) return;
  while (at > 0 && before(found, &out[at - 1])) {
    out[at] = out[at - 1];
    --at;
  }
  out[at] = *found;
}

static enum collega_status search(struct match_engine *engine, const struct short_id *id,
                                  bool only_mine, size_t most, struct match_found *out,
                                  size_t *count, struct collega_error *error) {
  *count = 0;
  const struct engine_entry *self = find(engine, id);
  if (!self) return error_set(error, COLLEGA_NOT_FOUND, RULE_match_offer_unknown, NULL, NULL);
  if (most == 0) return COLLEGA_OK;
  for (size_t i = 0; i < most; ++i)
    out[i].score = -1.0;
  struct engine_entry *entry, *next;
  HASH_ITER(hh, engine->entries, entry, next) {
    if (entry == self || (only_mine && !entry->mine)) continue;
    match_pair(self->offer, &self->author, entry->offer, &entry->author, &engine->result);
    if (!engine->result.fits) continue;
    struct match_found found = {entry->id, engine->result.score};
    keep(out, count, most, &found);
  }
  return COLLEGA_OK;
}

enum collega_status match_engine_top(struct match_engine *engine, const struct short_id *id,
                                     size_t most, struct match_found *out, size_t *count,
                                     struct collega_error *error) {
  return search(engine, id, false, most, out, count, error);
}

enum collega_status match_engine_touched(struct match_engine *engine, const struct short_id *id,
                                         size_t most, struct match_found *out, size_t *count,
                                         struct collega_error *error) {
  return search(engine, id, true, most, out, count, error);
}
