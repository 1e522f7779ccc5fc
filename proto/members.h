/* The public side: who is known, by records of class `members` (cards, certificates, mandates, their
 * ends, revocations, trust lists, epoch starts). One table in memory, filled lazily through a loader, so
 * that the broker, the node and `verify` judge signatures by the same code. Not thread-safe: one per
 * thread. Keys outsiders choose are hashed with a random key. */
#ifndef COLLEGA_PROTO_MEMBERS_H
#define COLLEGA_PROTO_MEMBERS_H
#include "base/bytes.h"
#include "base/clock.h"
#include "proto/record.h"

struct known_card {
  struct id record;
  uint32_t number;
  struct public_keys keys;
  collega_time time;
  bool recovered;                 /* signed by the recovery key */
  struct receipt_position anchor; /* zero origin: not receipted, as far as is known */
};
/* A card that a card of the recovery key has put aside, lost or stolen. What was anchored while it counted - a record
 * receipted, a deal decided - stays valid; what comes later is nobody's word. */
struct replaced_card {
  struct known_card card;
  uint32_t
      branch; /* number of the recovered card that took the place of this one, or of one before it */
  struct receipt_position
      until; /* that card's receipt; zero origin: not known, then `time` is its own word */
};
struct known_mandate {
  struct id record;
  uint32_t key_epoch; /* the card that signed it */
  char *person, *function, *ground;
  bool jointly;
  uint32_t headcount_limit;                    /* 0: none */
  collega_time valid_from, valid_until, ended; /* 0: open */
  struct receipt_position anchor;              /* zero origin: not receipted */
  bool replaced; /* its card was put aside, and it ended with that; whose it was nobody knows */
};
struct known_cert {
  struct id record, broker, host;
  uint32_t key_epoch; /* the broker's card that signed it */
  int role;           /* enum Collega__Role; host zero: hosts itself */
  char *name, *kvk;   /* the first legal entity */
  collega_time valid_from, valid_until;
};
#define CERTS_KEPT    8 /* of each broker: renewals, so that an old decision can still be judged */
#define MANDATES_KEPT 256 /* of one party; more are refused */
struct known_party {
  struct id id;
  char short_name[20]; /* the fingerprint's first groups */
  uint8_t recovery_key[32];
  struct known_card *cards;
  size_t card_count; /* ascending, card 0 first */
  struct replaced_card *replaced;
  size_t replaced_count;
  struct known_mandate *mandates;
  size_t mandate_count;
  struct known_cert *certs;
  size_t cert_count; /* newest valid_from first */
  bool revoked;
  struct receipt_position revoked_at;
  uint32_t revoked_key_epoch; /* last valid position */
};

struct members;
/* Called when a party is not in memory yet: give its records, in the order they were taken, through
 * members_take. NULL loader: only what is taken exists. */
typedef enum collega_status (*members_loader)(void *context, struct members *members,
                                              const struct id *party, struct collega_error *error);
struct members *members_new(members_loader loader, void *context);
void members_destroy(struct members **members);

/* Takes one leaf of a run of class members after verifying its signature: a card 0 by its own key and
 * party id; card n by card n-1's key or the recovery key (which wins: it replaces a card n that was signed
 * by a signing key, and all after it, in whatever order they come); others by the signer's card, or, with an
 * `anchor`, by one that was replaced later. A certificate, revocation, trust list
 * or epoch start is believed only from `issuers` (a list of broker ids; NULL: from anyone whose card is
 * known - verify judges trust itself). `anchor`: its receipt's position, may be NULL. Taking the same
 * record again is COLLEGA_OK and changes nothing, except that the missing anchor of a card or mandate is filled in.
 * The end of a mandate counts from its receipt's time, if that is later than what its author says.
 * COLLEGA_NOT_FOUND: the signer, the card before, or the mandate that ends is not known; COLLEGA_FORGED: the
 * signature; COLLEGA_REFUSED: another card of that number is known, not an issuer, too many mandates.
 * A recovered card also ends the mandates that were signed with the cards it replaces. */
enum collega_status members_take(struct members *members, const struct run_view *view, size_t index,
                                 const struct receipt_position *anchor, const struct id *issuers,
                                 size_t issuer_count,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
bool body_is_members_class(const Collega__Body *body);
/* NULL: not known. The pointer holds until the next members_take of that party, or members_forget. */
const struct known_party *members_find(struct members *members, const struct id *party);
void members_forget(struct members *members,
                    const struct id *party); /* drop from memory; the loader comes again */
/* The key that verifies `signer`'s signatures of `key_epoch`. COLLEGA_NOT_FOUND: party or card unknown. */
enum collega_status members_signing_key(struct members *members, const struct id *signer,
                                        uint32_t key_epoch, uint8_t key[32],
                                        struct collega_error *error) COLLEGA_MUST_CHECK;
/* Verifies a whole run by its signer's known card. */
enum collega_status members_verify_run(struct members *members, const struct run_view *view,
                                       struct collega_error *error) COLLEGA_MUST_CHECK;
/* The same for what was anchored at `at` (the position of a receipt; or with seq 0 the time at which its broker
 * decided; NULL: at a time that is not known, but before the cards that were replaced were): a card counts that had not
 * been replaced by then. *by (may be NULL): the card, until the next members_take of that party. */
enum collega_status members_verify_anchored(struct members *members, const struct run_view *view,
                                            const struct receipt_position *at,
                                            const struct known_card **by,
                                            struct collega_error *error) COLLEGA_MUST_CHECK;
/* Has the recovery key put aside the card of this number, or one before it? What was signed with that is nobody's word
 * any more, and not the fault of who passes it on. */
bool known_party_replaced(const struct known_party *party, uint32_t key_epoch);
/* "Snijder BV" or, without a certificate, the fingerprint's first groups; never NULL. */
const char *known_party_name(const struct known_party *party);
const char *known_party_kvk(const struct known_party *party); /* "" when not certified */
/* May the party (NULL: not known) see what is for this audience (NULL: everybody)? Who wrote it may, besides. */
bool known_party_in_audience(const struct known_party *party, const char *audience);
/* The certificate by `broker` valid at `time`; NULL: none. broker NULL: any. */
const struct known_cert *known_party_cert(const struct known_party *party, const struct id *broker,
                                          collega_time time);
const struct known_mandate *known_party_mandate(const struct known_party *party,
                                                const struct id *record);
/* The moment to judge a mandate at by another clock than its author's, which may be ahead: that its beginning
 * has not come counts only when it lies more than CLOCKS_APART_MS ahead. */
collega_time mandate_time(const struct known_mandate *mandate, collega_time now);
/* COLLEGA_REFUSED with the rule (mandate_not_yet, mandate_over, mandate_joint, mandate_limit) when it does not
 * cover signing for `headcount` people (0: not known) at `time`. */
enum collega_status mandate_covers(const struct known_mandate *mandate, collega_time time,
                                   uint32_t headcount,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
/* COLLEGA_REFUSED with the rule (mandate_unknown, mandate_not_yet, mandate_over, mandate_joint,
 * mandate_limit) when the mandate does not cover signing for `headcount` people at `time`. */
enum collega_status known_mandate_covers(const struct known_party *party, const struct id *mandate,
                                         collega_time time, uint32_t headcount,
                                         struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
