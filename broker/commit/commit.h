/* The committer: takes a batch of prepared requests into one store transaction - log, mailboxes, registers,
 * members, heads -, signs one receipt tree for all of it, fsyncs, and only then hands out answers.
 * One thread owns it. The read side (commit_view) may be used by other threads on their own transactions. */
#ifndef COLLEGA_BROKER_COMMIT_H
#define COLLEGA_BROKER_COMMIT_H
#include "broker/commit/request.h"
#include "broker/store/store.h"
#include "proto/keys.h"

#define COMMIT_MOST_RECORDS 4096u
#define COMMIT_MOST_BYTES   (4u * 1024u * 1024u)

/* New leaves in the log: kept by the daemon for its live followers. Reference-counted; read by board_live. */
struct log_part {
  int references; /* atomic */
  uint64_t first_seq, last_seq;
  collega_time time;
  struct log_run *runs;
  size_t run_count; /* ascending; broker/board/board.h */
  struct arena *arena;
};
struct mail_news {
  struct id party, home;
  uint64_t seq;
};

struct commit_result {
  struct arena *arena; /* of this result; commit_result_free */
  struct answer *answers;
  size_t answer_count;
  struct log_part *log; /* NULL: nothing new */
  struct mail_news *mail;
  size_t mail_count;
  struct id *changed;
  size_t changed_count; /* parties whose members records changed: forget them */
  uint8_t (*link_keys)[32];
  bool *link_key_added;
  size_t link_key_count; /* ZAP's table: keys to admit or drop */
};
struct commit;
/* Opens the epoch (a new one when the store says it was restored), loads registers lazily. */
enum collega_status commit_open(struct store *store, struct identity *identity, const char *name,
                                struct commit **out,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
void commit_close(struct commit **commit);
/* All of `requests` in one transaction. On COLLEGA_OK everything in result is on disk. On failure (disk
 * full: COLLEGA_FULL) nothing is, and each request gets a Refusal in result->answers. Heads of refused frames
 * are not stored then, so cut the sessions concerned: their later frames would not fit.
 * The result is filled either way and must be freed. Answers to the control socket: INVITE a Stored with the
 * invitation's public key, REVOKE the Receipts of the revocation, or a Refusal. */
enum collega_status commit_batch(struct commit *commit, struct request **requests, size_t count,
                                 collega_time now, struct commit_result *result,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
void commit_result_free(struct commit_result *result);
/* Deletes mail, copies and memories of sends that are past their lifetime: a small part of the store at each
 * call, in a transaction of its own. Call it once a minute; *more: there is work left for now. */
enum collega_status commit_sweep(struct commit *commit, collega_time now, bool *more,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* Takes offers and states off the board that are over, whatever they say: receipted longer ago than an offer may
 * last, and 30 days for its tombstones. A small part at each call, once a minute; *through: the last number of which
 * only the members class is left; *more: there is work left for now. */
enum collega_status commit_compact(struct commit *commit, collega_time now, uint64_t *through,
                                   bool *more, struct collega_error *error) COLLEGA_MUST_CHECK;
void log_part_hold(struct log_part *part);
void log_part_drop(struct log_part **part);

/* ---- reading, any thread, own store transaction */
/* A Board frame (packed FromBroker) with what passes `filter` after `after`, about LIMIT_BOARD_BYTES; sets
 * *through. `self` is not needed: frames hold nothing about their receiver. Only audience `network` and class
 * members travel on the board. */
enum collega_status board_read(struct store_txn *txn, const struct id *origin,
                               const struct epoch *epoch, uint32_t follow,
                               const Collega__Filter *filter, uint64_t after, struct arena *arena,
                               struct bytes *frame, uint32_t *records, uint64_t *through,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
/* The same from a part in memory (live followers). `after` is at least part->first_seq - 1; a part may need
 * several frames (LIMIT_FRAME_BYTES): go on with after = *through until that is part->last_seq. */
enum collega_status board_live(const struct log_part *part, const struct id *origin,
                               const struct epoch *epoch, uint32_t follow,
                               const Collega__Filter *filter, uint64_t after, struct arena *arena,
                               struct bytes *frame, uint32_t *records, uint64_t *through,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
/* Mail after `after` for a party, at most `records` items and `most_bytes`. */
enum collega_status mail_read(struct store_txn *txn, const struct id *party,
                              const struct epoch *epoch, uint64_t after, uint32_t records,
                              size_t most_bytes, struct arena *arena, struct bytes *frame,
                              uint32_t *items, uint64_t *last,
                              struct collega_error *error) COLLEGA_MUST_CHECK;
/* One part of the answer to Fetch; *done when it was the last. */
enum collega_status fetch_read(struct store_txn *txn, const struct epoch *epoch,
                               const Collega__Fetch *fetch, uint64_t *after, struct arena *arena,
                               struct bytes *frame, uint32_t *items, bool *done,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
/* Welcome for a home (packed FromBroker). */
enum collega_status welcome_read(struct store_txn *txn, const struct id *home, bool member,
                                 collega_time now, struct arena *arena, struct bytes *frame,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
