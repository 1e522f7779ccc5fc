/* How this room uses uthash: keys that outsiders choose are hashed with a random key of the table's
 * own, and a failed allocation leaves an entry out instead of ending the process. Internal to this
 * room. */
#ifndef COLLEGA_BROKER_SESSION_TABLE_H
#define COLLEGA_BROKER_SESSION_TABLE_H
#include "base/bytes.h"
#include <sodium.h>

#define HASH_NONFATAL_OOM          1
#define uthash_nonfatal_oom(entry) ((void)(entry))
#include <uthash.h>

struct hash_key {
  uint8_t byte[crypto_shorthash_KEYBYTES];
};

static inline unsigned keyed_hash(const struct hash_key *key, const void *data, size_t length) {
  uint8_t out[crypto_shorthash_BYTES];
  crypto_shorthash(out, data, length, key->byte);
  return get_be32(out);
}
#endif
