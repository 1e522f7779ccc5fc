/* Who may come in: the CURVE keys of members and of open invitations. ZAP asks this table at a
 * handshake and the loop at every message, because a revoked key's connection would otherwise go
 * on. One thread. */
#ifndef COLLEGA_BROKER_SESSION_LINKS_H
#define COLLEGA_BROKER_SESSION_LINKS_H
#include "base/bytes.h"
#include "base/clock.h"
#include "proto/link/link.h"

#define PEER_KEY_BYTES 32
struct peer_entry {
  uint8_t key[PEER_KEY_BYTES];
  enum peer_role role;  /* PEER_INVITED or PEER_MEMBER */
  struct id party;      /* the host that a member's key belongs to; zero for an invitation */
  collega_time expires; /* of an invitation; 0: never */
};
struct links;
struct links *links_new(void); /* NULL: out of memory */
void links_destroy(struct links **links);
/* Admits a key, or replaces what was known of it. False: out of memory. */
bool links_admit(struct links *links, const struct peer_entry *row) COLLEGA_MUST_CHECK;
void links_drop(struct links *links, const uint8_t key[PEER_KEY_BYTES]);
/* NULL: not known, or expired. Holds until the next change. */
const struct peer_entry *links_find(const struct links *links, const uint8_t key[PEER_KEY_BYTES],
                                    collega_time now);
size_t links_count(const struct links *links, enum peer_role role);
#endif
