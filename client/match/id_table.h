/* A table of things by the id that each begins with: open addressing, linear probing, deletion by moving back what
 * follows.
 *
 * Eight bytes for each place and nothing in the things themselves; uthash would take 56 bytes for each of a
 * million offers and walks a chain. Ids come from outside, so they are hashed with a key. The things stay their
 * owner's. */
#ifndef COLLEGA_CLIENT_ID_TABLE_H
#define COLLEGA_CLIENT_ID_TABLE_H
#include "base/bytes.h"

struct id_table {
  void **thing; /* size places; NULL: empty */
  size_t size, count, id_bytes;
  uint8_t secret[16]; /* crypto_shorthash_KEYBYTES */
};

/* `id_bytes`: of each id. False: out of memory. */
bool id_table_start(struct id_table *table, size_t id_bytes);
void id_table_free(struct id_table *table);

size_t id_table_hash(const struct id_table *table, const void *id);
/* Asks ahead for the memory that a look-up of this hash begins with. */
static inline void id_table_fetch(const struct id_table *table, size_t hash) {
  __builtin_prefetch(&table->thing[hash & (table->size - 1)]);
}
/* And, when that has come, for the thing that it finds. */
static inline void id_table_fetch_thing(const struct id_table *table, size_t hash) {
  __builtin_prefetch(table->thing[hash & (table->size - 1)]);
}
/* Where it is, or the empty place where it would be; true until the next change. */
size_t id_table_place(const struct id_table *table, size_t hash, const void *id);
/* Sees to it that one more fits, before its place is asked for. False: out of memory. */
bool id_table_make_room(struct id_table *table);
void id_table_add(struct id_table *table, size_t place, void *thing);
void id_table_remove(struct id_table *table, size_t place);
#endif
