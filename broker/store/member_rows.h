/* Who may do what: rows that are written when somebody is invited, joins, rotates a key or is
 * revoked. What the world knows of a member is in the log; these rows are what the broker itself
 * asks at every message.
 *
 * parties      party (32) -> host (32), role (4), revoked (1), certified until (8), card's record
 *              id (32), card number (4), link key (32), link key before it (32, zero: none), name
 *              (text), kvk (text)
 * links        CURVE key (32) -> party (32; zero: an invitation), expires (8, invitations only)
 * invitations  CURVE key (32) -> expires (8), role (4), card that used it (32, zero: none), party
 *              (32), log seq of its certificate (8), name (text), kvk (text), and for a party that
 *              another one hosts: host (32)
 * members      party (32), log seq (8) -> nothing. A card stands under its party, a certificate and
 *              a revocation under the party they speak of, everything else under its author */
#ifndef COLLEGA_BROKER_MEMBER_ROWS_H
#define COLLEGA_BROKER_MEMBER_ROWS_H
#include "base/clock.h"
#include "broker/store/store.h"
#include "proto/members.h"

#define LINK_KEY_BYTES    32
#define MEMBER_NAME_BYTES 121
#define MEMBER_KVK_BYTES  9

struct party_row {
  struct id host; /* itself, when it hosts itself */
  uint32_t role;  /* Collega__Role */
  bool revoked;
  collega_time certified_until;
  struct id card; /* record id of the newest card */
  uint32_t card_number;
  uint8_t link_key[LINK_KEY_BYTES], old_link_key[LINK_KEY_BYTES]; /* zero: none */
  char name[MEMBER_NAME_BYTES], kvk[MEMBER_KVK_BYTES];
};
/* *found false: not a member. */
enum collega_status party_row_read(struct store_txn *txn, const struct id *party,
                                   struct party_row *out, bool *found,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status party_row_write(struct store_txn *txn, const struct id *party,
                                    const struct party_row *row,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
/* All members, for the command `members`. Stops when `each` returns false. */
enum collega_status party_rows_walk(struct store_txn *txn,
                                    bool (*each)(void *context, const struct id *party,
                                                 const struct party_row *row),
                                    void *context, struct collega_error *error) COLLEGA_MUST_CHECK;
/* The parties that live at `host`'s node besides itself, revoked ones too: `*count` of them, to be freed by
 * the caller. Only a network hosts anybody: of all others it is known without a look at every row. */
enum collega_status party_rows_hosted(struct store_txn *txn, const struct id *host, struct id **out,
                                      size_t *count,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;
/* Certified at `now`, and not revoked. */
bool party_row_in_force(const struct party_row *row, collega_time now);

/* What ZAP admits. */
struct link_row {
  uint8_t key[LINK_KEY_BYTES];
  struct id party;      /* zero: an invitation's key */
  collega_time expires; /* of an invitation */
};
enum collega_status link_row_read(struct store_txn *txn, const uint8_t key[LINK_KEY_BYTES],
                                  struct link_row *out, bool *found,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status link_row_write(struct store_txn *txn, const struct link_row *row,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status link_row_delete(struct store_txn *txn, const uint8_t key[LINK_KEY_BYTES],
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
/* All of them, at start: members' keys and invitations, expired ones too. */
enum collega_status link_rows_walk(struct store_txn *txn,
                                   bool (*each)(void *context, const struct link_row *row),
                                   void *context, struct collega_error *error) COLLEGA_MUST_CHECK;

struct invitation_row {
  collega_time expires;
  uint32_t role;
  struct id card, party; /* zero: not used yet */
  struct id host;        /* zero: whoever uses it hosts itself */
  uint64_t cert_seq;     /* in the log */
  char name[MEMBER_NAME_BYTES], kvk[MEMBER_KVK_BYTES];
};
enum collega_status invitation_row_read(struct store_txn *txn, const uint8_t key[LINK_KEY_BYTES],
                                        struct invitation_row *out, bool *found,
                                        struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status invitation_row_write(struct store_txn *txn, const uint8_t key[LINK_KEY_BYTES],
                                         const struct invitation_row *row,
                                         struct collega_error *error) COLLEGA_MUST_CHECK;

/* ---- records of class members */
enum collega_status member_index_put(struct store_txn *txn, const struct id *party,
                                     uint64_t log_seq,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
/* A loader for members_new: context is a struct member_source. Each call uses a read transaction of
 * its own, so the source may be used by one thread at a time. */
struct member_source {
  struct store *store;
  struct id broker;
};
enum collega_status member_source_load(void *source, struct members *members,
                                       const struct id *party, struct collega_error *error);
/* The party's records inside a given transaction, in the order in which they were taken: the run of
 * each and the record's place in it. Stops when `each` returns another status than COLLEGA_OK, and
 * returns that. */
struct member_record {
  struct bytes run;
  uint32_t index;
  uint64_t seq;
  struct receipt_position anchor;
};
enum collega_status member_records_walk(
    struct store_txn *txn, const struct id *broker, const struct id *party,
    enum collega_status (*each)(void *context, const struct member_record *record,
                                struct collega_error *error),
    void *context, struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
