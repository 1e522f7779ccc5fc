/* The keys of a party that lives here: the next card, and which card is the one to use.
 *
 * The identity's file and the ledger change together, the file first: a card counts once the ledger has it, and what
 * the file holds beyond that was never used and is forgotten. */
#ifndef COLLEGA_CLIENT_EXCHANGE_KEYS_H
#define COLLEGA_CLIENT_EXCHANGE_KEYS_H
#include "client/exchange/exchange.h"

/* The next card from fresh randomness, signed by the key before it; published. *number: the card's. A daemon beside us
 * goes on with it. COLLEGA_REFUSED: another card of that number is known (recover then), or this home is a backup that
 * has not caught up (key_after_restore). */
enum collega_status key_rotate(struct exchange *exchange, const struct id *party, collega_time now,
                               uint32_t *number, struct collega_error *error) COLLEGA_MUST_CHECK;
/* The same, signed by the recovery key: it takes the place of every card that somebody else made of the keys that this
 * home has. COLLEGA_INVALID recovery_text, COLLEGA_REFUSED recovery_other. */
enum collega_status key_recover(struct exchange *exchange, const struct id *party,
                                const char *recovery_text, collega_time now, uint32_t *number,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
/* Destroys the secrets of cards that were replaced longer ago than mail lives; *destroyed: of how many. */
enum collega_status keys_expire(struct exchange *exchange, collega_time now, size_t *destroyed,
                                struct collega_error *error) COLLEGA_MUST_CHECK;

/* The card whose link key the broker knows: the host's newest that was receipted. `turn` counts refused handshakes: a
 * broker that was restored may know an older one, so the others are tried in turn. */
enum collega_status key_link_card(struct exchange *exchange, uint32_t turn, uint32_t *number,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
