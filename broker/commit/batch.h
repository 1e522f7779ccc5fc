/* Inside the committer: one batch on its way through one transaction. Shared by the sources of this
 * room only; the daemon sees commit.h. */
#ifndef COLLEGA_BROKER_BATCH_H
#define COLLEGA_BROKER_BATCH_H
#include "broker/board/board.h"
#include "broker/commit/commit.h"
#include "broker/store/member_rows.h"

struct commit {
  struct store *store;
  struct identity *identity;
  struct id broker;
  struct broker_state state; /* as committed last */
  struct arena *scratch;     /* of one request; reset before each */
  struct sweep {
    unsigned table; /* index of the table that is swept now (sweep.c) */
    uint8_t key[ID_BYTES + EPOCH_BYTES + 8];
    size_t key_length; /* where to go on; 0: at the first row */
  } sweep;
  uint64_t compacted_rows; /* rows of the log up to here were looked at (compact.c) */
};

/* Receipts that are owed for leaves of the tree that is still open. */
struct due {
  uint64_t session;
  uint32_t base, count;
  const uint32_t *picks; /* NULL: base, base + 1, ... */
  uint32_t order;        /* in which they came */
};
struct batch {
  struct commit *commit;
  struct store_txn *txn;
  collega_time now;
  struct commit_result *result;
  struct arena *arena;       /* result->arena */
  struct broker_state state; /* becomes commit->state once it is on disk */
  struct id *ids;            /* record ids of the open tree's leaves */
  uint32_t open, ids_capacity;
  uint64_t open_first; /* their first seq */
  size_t signed_runs;  /* of part->runs, those that have their tree */
  struct due *dues;
  size_t due_count, due_capacity;
  struct receipt_tree *stored_tree; /* of the commit that a duplicate was found in last */
  size_t answer_capacity, run_capacity, mail_capacity, changed_capacity, link_capacity;
  bool decided; /* a fault point */
};

/* Room for one more item in an array of the arena. NULL: exhausted, the array as it was. */
void *array_grow(struct arena *arena, void *items, size_t count, size_t *capacity, size_t size);
enum collega_status batch_exhausted(struct collega_error *error);

/* ---- the log */
struct log_entry {
  struct bytes run;                    /* packed; copied */
  const struct record *const *records; /* its leaves */
  const struct facet *facets;
  const struct prior *priors;
  uint32_t prior_count;
  uint32_t count;
  struct id author;
};
/* Appends a run: its row, its rows of `authors`, its members index. *first_seq: of its first
 * leaf. */
enum collega_status batch_log(struct batch *batch, const struct log_entry *entry,
                              uint64_t *first_seq, struct collega_error *error) COLLEGA_MUST_CHECK;
/* Is the record that stands in the log at `seq`, which is taken, the one with this id? */
enum collega_status batch_same_record(struct batch *batch, uint64_t seq, const struct id *id,
                                      bool *same, struct collega_error *error) COLLEGA_MUST_CHECK;
/* Signs the open tree and answers what is owed for it. Nothing open: nothing happens. */
enum collega_status batch_sign(struct batch *batch, struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status batch_owe(struct batch *batch, uint64_t session, uint32_t base,
                              const uint32_t *picks, uint32_t count,
                              struct collega_error *error) COLLEGA_MUST_CHECK;
/* A record by the broker itself, signed and logged (with `log`) or only signed. `body` has its
 * content and type; the rest is filled in. *run: packed, in the batch's arena. */
enum collega_status batch_own_record(struct batch *batch, Collega__Body *body, bool log,
                                     struct bytes *run, struct id *id, uint64_t *seq,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;

/* ---- answers */
enum collega_status answer_add(struct batch *batch, uint64_t session, struct bytes packed,
                               uint32_t records, struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status answer_refusal(struct batch *batch, uint64_t session, const struct id *which,
                                   Collega__RefusalCode code, const struct collega_error *refusal,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
/* Receipts for leaves of a tree, with their record ids. */
enum collega_status answer_receipts(struct batch *batch, uint64_t session,
                                    const struct receipt_tree *tree, uint32_t base,
                                    const uint32_t *picks, uint32_t count, const struct id *ids,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status answer_stored(struct batch *batch, uint64_t session, const struct id *hash,
                                  const struct epoch *epoch, uint64_t seq,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status answer_frame(struct batch *batch, uint64_t session, const struct id *home,
                                 const Collega__FromBroker *frame, uint32_t records,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status news_mail(struct batch *batch, const struct id *party, const struct id *home,
                              uint64_t seq, struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status news_changed(struct batch *batch, const struct id *party,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status news_link(struct batch *batch, const uint8_t key[LINK_KEY_BYTES], bool added,
                              struct collega_error *error) COLLEGA_MUST_CHECK;

/* ---- gates. They refuse by an answer: *passed false, and COLLEGA_OK. */
/* The home is a member in force, and `party` is itself or hosted by it. *row (may be NULL): of
 * `party`. */
enum collega_status gate_member(struct batch *batch, const struct request *request,
                                const struct id *party, struct party_row *row, bool *passed,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
/* Compares the frame's head with the one that is stored. It says nothing to the sender. */
enum collega_status gate_head(struct batch *batch, const struct request *request,
                              const Collega__Head *head, bool *fits,
                              struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status head_store(struct batch *batch, const struct request *request,
                               const Collega__Head *head,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status refuse_head(struct batch *batch, const struct request *request,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status refuse_rule(struct batch *batch, const struct request *request,
                                Collega__RefusalCode code, enum rule rule,
                                struct collega_error *error) COLLEGA_MUST_CHECK;

/* ---- the kinds of requests. COLLEGA_OK also when the request is refused; anything else ends the
 * batch. */
enum collega_status take_join(struct batch *batch, struct request *request,
                              struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status take_publish(struct batch *batch, struct request *request,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status take_send(struct batch *batch, struct request *request,
                              struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status take_ack(struct batch *batch, struct request *request,
                             struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status take_decide(struct batch *batch, struct request *request,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status take_invite(struct batch *batch, struct request *request,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status take_revoke(struct batch *batch, struct request *request,
                                struct collega_error *error) COLLEGA_MUST_CHECK;

/* ---- facets that need the store (publish_facets.c) */
/* Gives every status the facet of the content it names, and every revision a prior: the facet that
 * its offer had. `records` and `facets` are the leaves that will be appended next, by `author`.
 * Priors in the arena. */
enum collega_status facets_resolve(struct batch *batch, const struct id *author,
                                   const struct record *const *records, struct facet *facets,
                                   uint32_t count, struct prior **priors, uint32_t *prior_count,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
