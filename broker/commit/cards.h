/* Cards after the first, and the keys of the link that come and go with them. */
#ifndef COLLEGA_BROKER_CARDS_H
#define COLLEGA_BROKER_CARDS_H
#include "broker/commit/batch.h"

/* Takes the card into `row`, which the caller writes, and its link key into the table of those that may come in; the
 * record's signature is verified. The key before it stays until the new one is used (link_used); after a recovery it
 * goes at once, as it may be stolen. COLLEGA_OK with why->status: COLLEGA_OK, or COLLEGA_REFUSED: card_order,
 * join_link_key. */
enum collega_status card_take(struct batch *batch, struct party_row *row,
                              const struct record *record, bool recovery, struct collega_error *why,
                              struct collega_error *error) COLLEGA_MUST_CHECK;
/* A session with this key was begun, or used: a key that it replaced goes. */
enum collega_status link_used(struct batch *batch, const struct id *party,
                              const uint8_t key[LINK_KEY_BYTES],
                              struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
