/* Things by their id (id_table.h). */
#include "client/match/id_table.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_PLACES 64u
#define THINGS_AHEAD 8u /* things lie all over memory: asked for ahead */

bool id_table_start(struct id_table *table, size_t id_bytes) {
  _Static_assert(sizeof table->secret == crypto_shorthash_KEYBYTES, "key");
  *table = (struct id_table){.size = LEAST_PLACES, .id_bytes = id_bytes};
  random_fill(table->secret, sizeof table->secret);
  table->thing = calloc(table->size, sizeof *table->thing);
  return table->thing != NULL;
}

void id_table_free(struct id_table *table) {
  free(table->thing);
}

size_t id_table_hash(const struct id_table *table, const void *id) {
  uint8_t out[crypto_shorthash_BYTES];
  crypto_shorthash(out, id, table->id_bytes, table->secret);
  return (size_t)get_be64(out);
}

size_t id_table_place(const struct id_table *table, size_t hash, const void *id) {
  size_t at = hash & (table->size - 1);
  while (table->thing[at] && memcmp(table->thing[at], id, table->id_bytes) != 0)
    at = (at + 1) & (table->size - 1);
  return at;
}

bool id_table_make_room(struct id_table *table) {
  if (table->count * 4 < table->size * 3) return true;
  void **old = table->thing, **fresh = calloc(table->size * 2, sizeof *fresh);
  size_t old_size = table->size;
  if (!fresh) return false;
  table->thing = fresh;
  table->size = old_size * 2;
  for (size_t i = 0; i < old_size; ++i) {
    if (i + THINGS_AHEAD < old_size) __builtin_prefetch(old[i + THINGS_AHEAD]);
    if (old[i]) fresh[id_table_place(table, id_table_hash(table, old[i]), old[i])] = old[i];
  }
  free(old);
  return true;
}

void id_table_add(struct id_table *table, size_t place, void *thing) {
  table->thing[place] = thing;
  ++table->count;
}

void id_table_remove(struct id_table *table, size_t hole) {
  size_t mask = table->size - 1;
  table->thing[hole] = NULL;
  --table->count;
  for (size_t at = (hole + 1) & mask; table->thing[at]; at = (at + 1) & mask) {
    size_t home = id_table_hash(table, table->thing[at]) & mask;
    /* It may move to the hole if its home does not lie behind the hole, up to where it is. */
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    table->thing[hole] = table->thing[at];
    table->thing[at] = NULL;
    hole = at;
  }
}
