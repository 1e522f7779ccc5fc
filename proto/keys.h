/* Identities: the secret side of a party or a broker.
 *
 * Each key epoch (card) has 32 bytes of fresh randomness; with crypto_kdf (context "collega1") it gives
 * 1: Ed25519 seed, 2: X25519 secret, 3: CURVE secret for the link. On disk: DIRECTORY/identity, mode
 * 0600, text lines ("party HEX", "recovery HEX" (public), "card N SEED-HEX RUN-HEX" for each card still
 * needed). The recovery secret is never stored: it is shown once, as eight groups of eight hexadecimal
 * digits. Secrets are locked in memory (sodium_mlock, best effort) and wiped on destroy. Once a replaced
 * card's secrets have outlived the mail that they open, SEED-HEX is "-": its run stays, to show the chain. */
#ifndef COLLEGA_PROTO_KEYS_H
#define COLLEGA_PROTO_KEYS_H
#include "base/bytes.h"
#include "base/clock.h"
#include "proto/record.pb-c.h"

struct public_keys {
  uint8_t signing[32], sealing[32], link[32];
  bool has_link;
};
struct identity; /* opaque: party id, recovery public key, the secrets of all kept cards */

#define RECOVERY_TEXT_BYTES 72
/* Makes card 0. `epoch` and `seq` are the author position that the card's record takes. The recovery
 * secret is written to `recovery_text`. */
enum collega_status identity_create(bool with_link, const struct epoch *epoch, uint64_t seq,
                                    collega_time now, char recovery_text[RECOVERY_TEXT_BYTES],
                                    struct identity **out,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
/* The same from given randomness instead of fresh: for test vectors. */
enum collega_status identity_create_from(const uint8_t seed[32], const uint8_t recovery_secret[32],
                                         bool with_link, const struct epoch *epoch, uint64_t seq,
                                         collega_time now, struct identity **out,
                                         struct collega_error *error) COLLEGA_MUST_CHECK;
/* The next card, signed by the current key; becomes current. Expires old secrets, as identity_expire. */
enum collega_status identity_rotate(struct identity *identity, const struct epoch *epoch,
                                    uint64_t seq, collega_time now,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
/* The same, signed by the recovery key: it beats a card of that number which somebody else signed with a
 * stolen key. COLLEGA_INVALID: not a recovery text (case, blanks and hyphens do not matter); COLLEGA_REFUSED:
 * that of another identity. */
enum collega_status identity_recover(struct identity *identity, const char *recovery_text,
                                     const struct epoch *epoch, uint64_t seq, collega_time now,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
/* The public half of a party's chain of cards (packed runs, card 0 first), verified: what its recovery key alone
 * can go on from. Before anything else identity_recover makes a card of which it has the secrets. COLLEGA_FORGED
 * card_chain. */
enum collega_status identity_of_cards(const struct bytes *cards, size_t count,
                                      struct identity **out,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;
/* Destroys the secrets of cards that were replaced longer than MAIL_LIFETIME_MS before `now`; returns of how
 * many (more than 0: save). */
size_t identity_expire(struct identity *identity, collega_time now);
/* Forgets the cards after `number`, in memory: they were made by somebody who did not come to the end. */
void identity_cut(struct identity *identity, uint32_t number);
enum collega_status identity_save(const struct identity *identity, const char *directory,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status identity_load(const char *directory, struct identity **out,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
void identity_destroy(struct identity **identity);

const struct id *identity_party(const struct identity *identity);
uint32_t identity_card_number(const struct identity *identity); /* the current one */
struct bytes identity_card_run(const struct identity *identity,
                               uint32_t number); /* packed Run; empty: not kept */
const struct public_keys *identity_public(const struct identity *identity);
const uint8_t *identity_link_secret(const struct identity *identity); /* 32 bytes; NULL: none */
/* Of card `number`; NULL: none, or destroyed. */
const uint8_t *identity_link_secret_of(const struct identity *identity, uint32_t number);
/* The record id of card `number`; NULL: not kept. */
const struct id *identity_card_record(const struct identity *identity, uint32_t number);
/* Was it signed by the recovery key? */
bool identity_card_recovered(const struct identity *identity, uint32_t number);
/* The signing key (public) of card `number`; NULL: not kept. */
const uint8_t *identity_signing_key(const struct identity *identity, uint32_t number);

enum purpose { PURPOSE_RECORD = 1, PURPOSE_RECEIPT = 2, PURPOSE_LETTER = 3, PURPOSE_HEAD = 4 };
/* Ed25519 over "collega/signature/1", purpose, signer, tree size (8 bytes, big-endian), root. */
void identity_sign(const struct identity *identity, enum purpose purpose, uint64_t tree_size,
                   const struct id *root, uint8_t signature[64]);
bool signature_verify(const uint8_t key[32], enum purpose purpose, const struct id *signer,
                      uint64_t tree_size, const struct id *root, const uint8_t signature[64]);
/* Opens a sealed box to card `number`; `out` has room for sealed.length bytes. Returns the plain length
 * through *length; false: cannot be opened. */
bool identity_unseal(const struct identity *identity, uint32_t number, struct bytes sealed,
                     uint8_t *out, size_t *length);
void party_id(struct id *out, const uint8_t signing_key[32], const uint8_t recovery_key[32]);
/* Fingerprint as people compare it: eight groups of four hexadecimal digits of the id's first 16 bytes. */
#define FINGERPRINT_BYTES 40
void fingerprint_write(char out[FINGERPRINT_BYTES], const struct id *party);
/* Is the text a fingerprint: such groups, or 32 or 64 hexadecimal digits; blanks and colons are ignored. */
bool fingerprint_valid(const char *text);
/* Does it name this party? False also when it is no fingerprint. */
bool fingerprint_fits(const char *text, const struct id *party);
#endif
