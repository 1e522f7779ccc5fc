/* Mailboxes, row by row. What is in a mailbox stays MAIL_LIFETIME_MS, acknowledged or not, so that
 * a restored home can fetch what it sent and received; a decision stays for good. The quota counts
 * envelopes that wait.
 *
 * boxes      party (32) -> last seq (8), acknowledged seq (8), waiting bytes (8), last copy (8),
 *            last ruling (8)
 *            party (32), sender (32) -> waiting bytes (8)
 * mail       party (32), seq (8) -> kind (1), time (8), sender (32), counted bytes (4), then kind
 *            1: the envelope, verbatim; kind 2: root (32), decision's record id (32)
 * sends      sender (32), epoch (8), seq (8) -> envelope hash (32), to (32), mailbox epoch (8), seq
 *            (8), time (8)
 * copies     party (32), number (8) -> kind (1), time (8), then kind 1: to (32), seq (8) of an
 *            envelope with a copy for its sender; kind 2: a run that the party sent to the decider,
 *            verbatim
 * rulings    party (32), number (8) -> root (32), decision's record id (32)
 * decisions  root (32), record id (32) -> party (32), its mailbox seq (8), the other party (32),
 *            its (8), the Run
 *
 * Example: Alfa sends Bravo a proposal with a copy for itself: mail (Bravo, 1) holds the envelope,
 * copies (Alfa, 1) names (Bravo, 1), sends (Alfa, epoch, 7) remembers where it went. Bravo's
 * acceptance brings a decision: decisions (root, id) holds it, mail (Alfa, 1) and (Bravo, 2) and
 * rulings (Alfa, 1) and (Bravo, 1) name it. */
#ifndef COLLEGA_BROKER_MAILBOX_H
#define COLLEGA_BROKER_MAILBOX_H
#include "base/clock.h"
#include "broker/store/store.h"

struct box {
  uint64_t last_seq, acknowledged, waiting_bytes, last_copy, last_ruling;
};
/* An absent box is an empty one. */
enum collega_status box_read(struct store_txn *txn, const struct id *party, struct box *out,
                             struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status box_write(struct store_txn *txn, const struct id *party, const struct box *box,
                              struct collega_error *error) COLLEGA_MUST_CHECK;

enum mail_kind { MAIL_ENVELOPE = 1, MAIL_DECISION = 2 };
struct mail_row {
  enum mail_kind kind;
  uint64_t seq;
  collega_time time;
  struct id sender; /* zero: a decision */
  uint32_t counted;
  struct bytes envelope;
  struct id root, decision;
};
enum collega_status mail_row_put(struct store_txn *txn, const struct id *party,
                                 const struct mail_row *row,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status mail_row_decode(struct bytes key, struct bytes value, struct mail_row *out,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status mail_row_read(struct store_txn *txn, const struct id *party, uint64_t seq,
                                  struct mail_row *out, bool *found,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;

enum collega_status sender_read(struct store_txn *txn, const struct id *party,
                                const struct id *sender, uint64_t *waiting_bytes,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status sender_write(struct store_txn *txn, const struct id *party,
                                 const struct id *sender, uint64_t waiting_bytes,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;

struct send_row {
  struct id hash, to;
  struct epoch epoch;
  uint64_t seq;
  collega_time time;
};
enum collega_status send_read(struct store_txn *txn, const struct id *from,
                              const struct epoch *epoch, uint64_t seq, struct send_row *out,
                              bool *found, struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status send_write(struct store_txn *txn, const struct id *from,
                               const struct epoch *epoch, uint64_t seq, const struct send_row *row,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status send_decode(struct bytes value, struct send_row *out,
                                struct collega_error *error) COLLEGA_MUST_CHECK;

enum copy_kind { COPY_ENVELOPE = 1, COPY_RUN = 2 };
struct copy_row {
  enum copy_kind kind;
  uint64_t number;
  collega_time time;
  struct id to;
  uint64_t seq;
  struct bytes run;
};
enum collega_status copy_put(struct store_txn *txn, const struct id *party,
                             const struct copy_row *row,
                             struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status copy_decode(struct bytes key, struct bytes value, struct copy_row *out,
                                struct collega_error *error) COLLEGA_MUST_CHECK;

struct ruling_row {
  uint64_t number;
  struct id root, decision;
};
enum collega_status ruling_put(struct store_txn *txn, const struct id *party,
                               const struct ruling_row *row,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status ruling_decode(struct bytes key, struct bytes value, struct ruling_row *out,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;

struct decision_row {
  struct id parties[2];
  uint64_t seqs[2];
  struct bytes run;
};
enum collega_status decision_put(struct store_txn *txn, const struct id *root,
                                 const struct id *decision, const struct decision_row *row,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status decision_read(struct store_txn *txn, const struct id *root,
                                  const struct id *decision, struct decision_row *out, bool *found,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;

/* party (32), number (8): the key of a row of mail, copies and rulings. */
#define NUMBERED_KEY_BYTES (ID_BYTES + 8)
void numbered_key(uint8_t out[NUMBERED_KEY_BYTES], const struct id *party, uint64_t number);
#endif
