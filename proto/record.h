/* Records and runs: reading, verifying, signing, cutting (see record.proto for the formulas). */
#ifndef COLLEGA_PROTO_RECORD_H
#define COLLEGA_PROTO_RECORD_H
#include "base/bytes.h"
#include "proto/keys.h"
#include "proto/record.pb-c.h"

struct record {
  struct id id;
  struct bytes bytes; /* the body, verbatim */
  const Collega__Body *body;
  uint32_t leaf; /* index in its tree */
  const struct collega_error
      *refused; /* run_read: why check_body refused this leaf; NULL: it did not */
};
struct run_view {
  const Collega__Run *run;
  struct record *records;
  struct id *leaves; /* hash of each record's leaf */
  size_t count;
  struct id root; /* what the signature must cover */
  struct id signer;
};

void record_id(struct id *out, struct bytes body);
/* Reads a guarded Run: bodies through guard and check_body (a body that cannot be unpacked or whose
 * author is not the signer fails the run, COLLEGA_INVALID; one that breaks a rule of meaning is marked
 * `refused`), ids, root. Signature not yet verified. All in the arena, but for what the run has: the view
 * borrows its bytes. */
enum collega_status run_read(const Collega__Run *run, struct arena *arena, struct run_view *out,
                             struct collega_error *error) COLLEGA_MUST_CHECK;
/* Marks the record as refused, with a copy of `why` in the arena; when that is exhausted, with a constant
 * that says so. */
void record_refuse(struct record *record, const struct collega_error *why, struct arena *arena);
/* From packed bytes of a Run. */
enum collega_status run_read_bytes(struct bytes packed, struct arena *arena, struct run_view *out,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
/* COLLEGA_FORGED when the signature does not fit the key. */
enum collega_status run_verify(const struct run_view *view, const uint8_t key[32],
                               struct collega_error *error) COLLEGA_MUST_CHECK;
/* Signs `count` (1..4096) packed bodies as one tree with the identity's current card. The run borrows the
 * bodies' bytes: they must outlive it. */
enum collega_status run_sign(const struct identity *identity, const struct bytes *bodies,
                             size_t count, struct arena *arena, Collega__Run **out,
                             struct collega_error *error) COLLEGA_MUST_CHECK;
/* The run that holds only the leaves at `positions` (ascending indices into view->records). It borrows the
 * bytes of the view's run. */
enum collega_status run_cut(const struct run_view *view, const uint32_t *positions, size_t count,
                            struct arena *arena, Collega__Run **out,
                            struct collega_error *error) COLLEGA_MUST_CHECK;
/* A body with its envelope fields set; the content field and `type` are the caller's. `author`, `epoch`
 * must outlive it. */
void body_init(Collega__Body *body, const struct id *author, const struct epoch *epoch,
               uint64_t seq);

/* Receipts (message ReceiptRun). Leaf datum: origin (32), epoch (8), seq (8), time (8), id (32). */
struct receipt_position {
  struct id origin;
  struct epoch epoch;
  uint64_t seq;
  collega_time time;
};
void receipt_leaf(struct id *out, const struct receipt_position *position, const struct id *record);
/* Signs one commit: ids[0..count-1] got first_seq .. first_seq+count-1. `leaves_out` (count hashes, may
 * be NULL) lets the caller cut without hashing again. */
enum collega_status receipt_sign(const struct identity *broker, const struct epoch *epoch,
                                 uint64_t first_seq, collega_time time, const struct id *ids,
                                 size_t count, struct arena *arena, Collega__ReceiptRun **out,
                                 struct id *leaves_out,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* The part for `picked` leaf indices of the whole tree `leaves` of `all->tree_size`. */
enum collega_status receipt_cut(const Collega__ReceiptRun *all, const struct id *leaves,
                                const uint32_t *picked, size_t count, struct arena *arena,
                                Collega__ReceiptRun **out,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
/* What the signature covers: the root, over these ids. Judges the receipt's shape (COLLEGA_INVALID). `count` and
 * `seqs` as below. */
enum collega_status receipt_root(const Collega__ReceiptRun *receipt, const struct id *ids,
                                 size_t count, struct id *root, uint64_t *seqs,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* `count` is the number of the receipt's leaves (absent leaves: tree_size); key is the origin's signing
 * key of receipt->key_epoch. seqs (may be NULL) gets the sequence number of each. */
enum collega_status receipt_verify(const Collega__ReceiptRun *receipt, const struct id *ids,
                                   size_t count, const uint8_t key[32], uint64_t *seqs,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
/* The signature that was verified last, and what it covers: all that a broker commits at once has one, and comes to a
 * follower in as many parts as there were authors. Zero: none yet. */
struct receipt_seen {
  bool any;
  uint8_t key[32], signature[64];
  struct id origin, root;
  size_t size;
};
/* The same, where many come one after the other: a signature that was seen is not verified again. */
enum collega_status receipt_verify_next(const Collega__ReceiptRun *receipt, const struct id *ids,
                                        size_t count, const uint8_t key[32],
                                        struct receipt_seen *seen,
                                        struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
