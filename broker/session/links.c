/* The table of keys that may come in: filled from the store at start, changed by what commits
 * say. */
#include "broker/session/links.h"
#include "broker/session/table.h"
#include <stdlib.h>
#include <string.h>

struct entry {
  struct peer_entry row;
  UT_hash_handle hh;
};

struct links {
  struct hash_key hash_key;
  struct entry *table;
  size_t members, invited;
};

struct links *links_new(void) {
  struct links *links = calloc(1, sizeof *links);
  if (links != NULL) random_fill(&links->hash_key, sizeof links->hash_key);
  return links;
}

static struct entry *find(const struct links *links, const uint8_t *key) {
  struct entry *entry = NULL;
  unsigned hash = keyed_hash(&links->hash_key, key, PEER_KEY_BYTES);
  HASH_FIND_BYHASHVALUE(hh, links->table, key, PEER_KEY_BYTES, hash, entry);
  return entry;
}

static void count(struct links *links, enum peer_role role, bool more) {
  size_t *counter = role == PEER_MEMBER ? &links->members : &links->invited;
  *counter = more ? *counter + 1 : *counter - 1;
}

static void forget(struct links *links, struct entry *entry) {
  HASH_DEL(links->table, entry);
  count(links, entry->row.role, false);
  free(entry);
}

void links_destroy(struct links **links) {
  if (*links == NULL) return;
  struct entry *entry, *next;
  HASH_ITER(hh, (*links)->table, entry, next) forget(*links, entry);
  free(*links);
  *links = NULL;
}

bool links_admit(struct links *links, const struct peer_entry *row) {
  struct entry *entry = find(links, row->key);
  if (entry != NULL) {
    count(links, entry->row.role, false);
    entry->row = *row;
    count(links, row->role, true);
    return true;
  }
  entry = calloc(1, sizeof *entry);
  if (entry == NULL) return false;
  entry->row = *row;
  unsigned hash = keyed_hash(&links->hash_key, row->key, PEER_KEY_BYTES);
  HASH_ADD_BYHASHVALUE(hh, links->table, row.key, PEER_KEY_BYTES, hash, entry);
  if (entry->hh.tbl == NULL) {
    free(entry);
    return false;
  }
  count(links, row->role, true);
  return true;
}

void links_drop(struct links *links, const uint8_t key[PEER_KEY_BYTES]) {
  struct entry *entry = find(links, key);
  if (entry != NULL) forget(links, entry);
}

const struct peer_entry *links_find(const struct links *links, const uint8_t key[PEER_KEY_BYTES],
                                    collega_time now) {
  const struct entry *entry = find(links, key);
  if (entry == NULL) return NULL;
  if (entry->row.expires != 0 && now >= entry->row.expires) return NULL;
  return &entry->row;
}

size_t links_count(const struct links *links, enum peer_role role) {
  return role == PEER_MEMBER ? links->members : role == PEER_INVITED ? links->invited : 0;
}
