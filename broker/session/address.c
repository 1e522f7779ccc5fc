/* Refusals by address: a leaky count for each, in a table that is in the order of last use (uthash
 * keeps the order of insertion, and an entry that is touched is inserted anew). */
#include "broker/session/address.h"
#include "broker/session/table.h"
#include <stdlib.h>
#include <string.h>

#define ADDRESS_CHARACTERS 64

struct entry {
  char address[ADDRESS_CHARACTERS];
  collega_time trusted_until;
  uint32_t open; /* connections on which nobody has spoken */
  uint64_t refused, turned_away, silent;
  collega_time
      free_at; /* when every refusal is forgiven: now + refusals * ADDRESS_REFUSED_BACK_MS */
  UT_hash_handle hh;
};

struct addresses {
  struct hash_key hash_key;
  struct entry *table;
};

struct addresses *addresses_new(void) {
  struct addresses *addresses = calloc(1, sizeof *addresses);
  if (addresses != NULL) random_fill(&addresses->hash_key, sizeof addresses->hash_key);
  return addresses;
}

void addresses_destroy(struct addresses **addresses) {
  if (*addresses == NULL) return;
  struct entry *entry, *next;
  HASH_ITER(hh, (*addresses)->table, entry, next) {
    HASH_DEL((*addresses)->table, entry);
    free(entry);
  }
  free(*addresses);
  *addresses = NULL;
}

static struct entry *find(const struct addresses *addresses, const char *address) {
  struct entry *entry = NULL;
  size_t length = strnlen(address, ADDRESS_CHARACTERS - 1);
  unsigned hash = keyed_hash(&addresses->hash_key, address, length);
  HASH_FIND_BYHASHVALUE(hh, addresses->table, address, length, hash, entry);
  return entry;
}

/* The entry of an address, made if there is none, as the one that was heard of last. NULL: out of
 * memory. */
static struct entry *touch(struct addresses *addresses, const char *address) {
  struct entry *entry = find(addresses, address);
  if (entry != NULL) {
    HASH_DEL(addresses->table, entry);
  } else {
    if (HASH_COUNT(addresses->table) >= ADDRESSES_MOST) {
      struct entry *oldest = addresses->table;
      HASH_DEL(addresses->table, oldest);
      free(oldest);
    }
    entry = calloc(1, sizeof *entry);
    if (entry == NULL) return NULL;
    memcpy(entry->address, address, strnlen(address, ADDRESS_CHARACTERS - 1));
  }
  size_t length = strlen(entry->address);
  unsigned hash = keyed_hash(&addresses->hash_key, entry->address, length);
  HASH_ADD_KEYPTR_BYHASHVALUE(hh, addresses->table, entry->address, length, hash, entry);
  if (entry->hh.tbl != NULL) return entry;
  free(entry);
  return NULL;
}

void address_admitted(struct addresses *addresses, const char *address, collega_time now) {
  struct entry *entry = touch(addresses, address);
  if (entry == NULL) return;
  entry->trusted_until = now + ADDRESS_TRUSTED_MS;
  entry->free_at = now;
}

void address_refused(struct addresses *addresses, const char *address, collega_time now) {
  struct entry *entry = touch(addresses, address);
  if (entry == NULL) return;
  entry->refused++;
  if (entry->free_at < now) entry->free_at = now;
  entry->free_at += ADDRESS_REFUSED_BACK_MS;
  /* Hung up on, it cannot be refused again; without a limit several at once would add up for
   * hours. */
  collega_time most = now + ADDRESS_REFUSED_MOST * ADDRESS_REFUSED_BACK_MS;
  if (entry->free_at > most) entry->free_at = most;
}

bool address_may_connect(const struct addresses *addresses, const char *address, collega_time now) {
  const struct entry *entry = find(addresses, address);
  if (entry == NULL) return true;
  bool trusted = now < entry->trusted_until;
  if (entry->open > (trusted ? ADDRESS_SILENT_TRUSTED : ADDRESS_SILENT_MOST)) return false;
  if (trusted) return true;
  return entry->free_at - now <= (ADDRESS_REFUSED_MOST - 1) * ADDRESS_REFUSED_BACK_MS;
}

void address_opened(struct addresses *addresses, const char *address) {
  struct entry *entry = touch(addresses, address);
  if (entry != NULL) entry->open++;
}

void address_spoke(struct addresses *addresses, const char *address) {
  struct entry *entry = find(addresses, address);
  if (entry != NULL && entry->open > 0) entry->open--; /* else it was dropped meanwhile */
}

void address_note(struct addresses *addresses, const char *address, enum address_event event) {
  struct entry *entry = touch(addresses, address);
  if (entry == NULL) return;
  switch (event) {
  case ADDRESS_TURNED_AWAY:
    entry->turned_away++;
    break;
  case ADDRESS_SILENT:
    entry->silent++;
    break;
  }
}

size_t addresses_worst(const struct addresses *addresses, struct address_offender *out,
                       size_t most) {
  size_t count = 0;
  for (const struct entry *entry = addresses->table; entry != NULL; entry = entry->hh.next) {
    uint64_t total = entry->refused + entry->turned_away + entry->silent;
    if (total == 0) continue;
    size_t place = count;
    while (place > 0 && out[place - 1].total < total)
      place--;
    if (place == most) continue;
    size_t moved = (count < most ? count : most - 1) - place;
    memmove(&out[place + 1], &out[place], moved * sizeof out[0]);
    out[place] = (struct address_offender){.refused = entry->refused,
                                           .turned_away = entry->turned_away,
                                           .silent = entry->silent,
                                           .total = total};
    memcpy(out[place].address, entry->address, sizeof entry->address);
    if (count < most) count++;
  }
  return count;
}

size_t addresses_count(const struct addresses *addresses) {
  return HASH_COUNT(addresses->table);
}
