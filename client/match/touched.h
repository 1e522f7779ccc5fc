/* Which offers entries of the chain touch, each once. */
#ifndef COLLEGA_CLIENT_MATCH_TOUCHED_H
#define COLLEGA_CLIENT_MATCH_TOUCHED_H
#include <sodium.h>
#include "client/ledger/ledger.h"

struct touched {
  struct short_id offer;
  struct touched *next;
};
/* The table has open addressing and lies in the arena; ids come from outside, so it is hashed with a key of its own. */
struct touched_set {
  struct arena *arena; /* the caller's; the set dies with it */
  struct touched *first, **table;
  size_t count, size; /* size: a power of two, or 0 */
  uint8_t secret[crypto_shorthash_KEYBYTES];
  bool failed;  /* out of memory: not all are in it */
  bool revoked; /* somebody was: all that he offered is gone, without being named */
};
void touched_begin(struct touched_set *set, struct arena *arena);
/* Adds the offers of which the entry holds a revision, a status or a tombstone. Of most kinds there are none; where all
 * are concerned (a Reset, another filter, a revocation: `revoked`) the caller looks at all. */
void touched_entry(struct touched_set *set, const struct ledger_event *event);
#endif
