/* The log's rows: what is written for every run that is published, in keys that only grow or that
 * belong to one author. No row here is keyed by a record's id: an index of random keys would cost
 * thirty times as much as all the rest. What one commit writes stands side by side, on as few pages as
 * can be: its runs and their receipt, a home's newest row and its head.
 *
 * state     "state" -> broker (32), epoch (8), epoch number (4), last log seq (8), author epoch
 *           (8), last author-seq (8), restored (1), name (text)
 *           "compacted" -> last log seq of which only the members class is left (8)
 * epochs    number (4) -> epoch (8), last log seq kept of the one before (8), time (8)
 * log       first seq of a commit (8), leaves of it that stand before a run (4) -> leaves (4),
 *           priors (4), facets (16 each), priors (20 each), the Run, verbatim
 *           first seq of a commit (8), 0xffffffff (4) -> leaves (4), time (8), epoch (8), length of
 *           the ReceiptRun (4), the ReceiptRun of the whole commit, the hashes of its leaves (32
 *           each)
 * authors   author (32), epoch (8), first author-seq (8) -> first log seq (8), leaves (4), then, if
 *           any of them is an offer, the first 8 bytes of each leaf's offer id (zero: no offer)
 *           home (32), 17 bytes 0xff -> the head it told last: ledger epoch (8), number (8), hash
 *           (32)
 *
 * Example: a party publishes sequence numbers 7, 8 and 9 as one run, with somebody's run of two
 * before it in the same commit, and the log stood at 40. Then log has rows (41, 0) (2 leaves), (41, 2) (3
 * leaves) and (41, 0xffffffff) (5 leaves: 41 to 45), authors has row (party, epoch, 7) -> 43, 3
 * leaves.
 *
 * A row of `authors` covers consecutive numbers only, so that rows never overlap and finding the
 * row at or below a number answers whether it is taken. The record's id is not stored: the leaf of
 * its receipt is, and that is BLAKE2b-256 over position and id, so a duplicate is told from an
 * equivocation by hashing the candidate's id with the stored position.
 *
 * A facet holds what filters ask about one leaf, so that reading the board needs no unpacking. A
 * status has the facet of the content it names. A prior is the leaf's number within the row and the
 * facet that the same offer had before it was revised: who followed that gets a tombstone. */
#ifndef COLLEGA_BROKER_LOG_ROWS_H
#define COLLEGA_BROKER_LOG_ROWS_H
#include "base/clock.h"
#include "broker/store/store.h"

#define BROKER_NAME_BYTES 121

struct broker_state {
  struct id broker;
  struct epoch epoch; /* of log, mailboxes and registers */
  uint32_t epoch_number;
  uint64_t log_seq;          /* given last; 0: none */
  struct epoch author_epoch; /* of the broker's own records */
  uint64_t author_seq;       /* given last */
  bool restored;             /* a new epoch must be opened before anything else */
  char name[BROKER_NAME_BYTES];
};
/* *found false: a new store. */
enum collega_status state_read(struct store_txn *txn, struct broker_state *out, bool *found,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status state_write(struct store_txn *txn, const struct broker_state *state,
                                struct collega_error *error) COLLEGA_MUST_CHECK;

/* Up to and including this number only the members class is still on the board; 0: all is. */
enum collega_status compacted_read(struct store_txn *txn, uint64_t *through,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status compacted_write(struct store_txn *txn, uint64_t through,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;

enum collega_status epoch_write(struct store_txn *txn, uint32_t number, const struct epoch *epoch,
                                uint64_t last_kept, collega_time time,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
/* The number of an epoch of this broker; 0: it never was one. *last_kept (may be NULL): the last
 * log seq of that epoch that is in the log still; UINT64_MAX for the current one. */
enum collega_status epoch_find(struct store_txn *txn, const struct epoch *epoch, uint32_t *number,
                               uint64_t *last_kept, struct collega_error *error) COLLEGA_MUST_CHECK;

/* One byte each, so that the struct is its own stored form. */
struct facet {
  uint8_t type;     /* body type */
  uint8_t kind;     /* offer kind */
  uint8_t region;   /* AMnn: nn; 0: absent */
  uint8_t audience; /* 1: network */
  char isco[4];
  char sector[6]; /* digits, without the point */
  uint8_t any;    /* passes every filter: members, and status of content that is not found */
  uint8_t reserved;
};
struct prior {
  uint32_t leaf;
  struct facet facet;
};
#define PRIOR_BYTES 20

/* A run; or, behind the runs of a commit, which may all be gone, the commit's own row: all of its leaves. */
struct log_row {
  uint64_t first_seq;
  uint32_t count; /* 0: no such row */
  bool is_commit; /* its own row: commit_row_find reads it, here is nothing more of it */
  uint32_t base;  /* leaves of the same commit before it */
  const struct facet *facets;
  struct bytes priors; /* PRIOR_BYTES each */
  struct bytes run;
};
/* Behind the runs of its commit that stand before it. */
enum collega_status log_row_append(struct store_txn *txn, const struct log_row *row,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status log_row_delete(struct store_txn *txn, uint64_t first_seq, uint32_t base,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
/* A walk over the rows of the log, in order: to the run that holds `seq` or, where that is gone, to a row
 * before it or the next one after it; then on, a row at a time. It passes the commits' own rows, too: of a log that is
 * mostly over they are the most, and whoever walks has a limit. `row->count` is 0 past the end. */
enum collega_status log_rows_seek(struct store_cursor *cursor, uint64_t seq, struct log_row *row,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status log_rows_next(struct store_cursor *cursor, struct log_row *row,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status log_row_decode(struct bytes key, struct bytes value, struct log_row *out,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
void prior_encode(uint8_t out[PRIOR_BYTES], const struct prior *prior);
struct prior prior_decode(struct bytes priors, size_t index);
/* The run that holds `seq`; count 0: none. */
enum collega_status log_row_find(struct store_txn *txn, uint64_t seq, struct log_row *out,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;

struct commit_row {
  uint64_t first_seq;
  uint32_t count; /* 0: no such row */
  collega_time time;
  struct epoch epoch;
  struct bytes receipt; /* packed ReceiptRun of all leaves */
  const struct id *leaves;
};
/* Behind all runs of the commit. */
enum collega_status commit_row_append(struct store_txn *txn, const struct commit_row *row,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;
/* The commit that `seq` was receipted in. */
enum collega_status commit_row_find(struct store_txn *txn, uint64_t seq, struct commit_row *out,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;

struct author_row {
  uint64_t first;   /* author's sequence number */
  uint64_t log_seq; /* of the first */
  uint32_t count;   /* 0: no such row */
  struct epoch epoch;
  const uint8_t *prefixes; /* 8 bytes each; NULL: no offers */
};
/* `prefixes` may be NULL. */
enum collega_status author_row_put(struct store_txn *txn, const struct id *author,
                                   const struct author_row *row,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
/* Where (author, epoch, seq) stands in the log; *log_seq 0: not taken yet. */
enum collega_status author_find(struct store_txn *txn, const struct id *author,
                                const struct epoch *epoch, uint64_t seq, uint64_t *log_seq,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
#define AUTHOR_KEY_BYTES (ID_BYTES + EPOCH_BYTES + 8)
enum collega_status author_row_decode(struct bytes key, struct bytes value, struct author_row *out,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;

struct head_row {
  struct epoch epoch;
  uint64_t number;
  struct id hash;
};
enum collega_status head_row_read(struct store_txn *txn, const struct id *home,
                                  struct head_row *out, bool *found,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status head_row_write(struct store_txn *txn, const struct id *home,
                                   const struct head_row *row,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
/* *is_head false: the row is an author's. */
enum collega_status head_row_decode(struct bytes key, struct bytes value, bool *is_head,
                                    struct head_row *out,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
