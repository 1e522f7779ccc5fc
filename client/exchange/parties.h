/* Inside the room: the parties that live in this home. */
#ifndef COLLEGA_CLIENT_EXCHANGE_PARTIES_H
#define COLLEGA_CLIENT_EXCHANGE_PARTIES_H
#include <limits.h>

#include "client/exchange/inside.h"

#define INVITATION_FILE "invitation" /* the host's in the home itself, others' beside their keys */

/* What can be refused is refused before anything is made. */
enum collega_status party_check(const struct party_init *init, collega_time now,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
/* Identity (with a link key: the host's), entries of party and first mandate, keys on disk. `init`
 * was checked. */
enum collega_status party_make(struct exchange *exchange, struct ledger_txn *txn,
                               const struct party_init *init, bool host, collega_time now,
                               struct id *party, char recovery_text[RECOVERY_TEXT_BYTES],
                               struct arena *arena, struct collega_error *error) COLLEGA_MUST_CHECK;
/* A home for the party of which the invitation holds the cards: its next card, signed by the recovery key.
 * COLLEGA_INVALID recovery_text, COLLEGA_REFUSED recovery_other, COLLEGA_FORGED card_chain. */
enum collega_status party_make_again(struct exchange *exchange, struct ledger_txn *txn,
                                     const Collega__Invitation *invitation,
                                     const char *recovery_text, collega_time now, struct id *party,
                                     struct arena *arena,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
/* The keys of all that the ledger names and that are not in memory yet; the host's first. */
enum collega_status parties_load(struct exchange *exchange, struct ledger_txn *txn,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* May what it signed go out? False also when nobody of that id lives here. */
enum collega_status party_is_certified(struct ledger_txn *txn, struct bytes party, bool *certified,
                                       struct collega_error *error) COLLEGA_MUST_CHECK;
/* Stores it for the daemon, in place of another one and of what became of that. */
enum collega_status party_store_token(struct exchange *exchange, const struct id *party,
                                      const char *token,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;
/* The token of the host, or of a hosted party, is of no use any more: the certificate is stored. */
void party_invitation_done(struct exchange *exchange, const struct id *party);
#endif
