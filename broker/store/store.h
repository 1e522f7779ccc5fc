/* The broker's store: tables of bytes, sorted by key, under transactions that are on disk when
 * store_commit returns. One interface; LMDB stands behind it (store.c alone includes lmdb.h).
 *
 * One writer at a time (the committer); any number of readers, each with a transaction of its own
 * that sees one moment. A transaction may move between threads but serves one at a time. What
 * stands in the tables, row by row, is told in log_rows.h, member_rows.h and broker/mail/mailbox.h. */
#ifndef COLLEGA_BROKER_STORE_H
#define COLLEGA_BROKER_STORE_H
#include "base/bytes.h"

/* A commit costs what it changes: every page on the way to every row, in each table. So what most
 * commits write stands together, side by side in few tables. */
enum store_table {
  STORE_STATE,       /* epoch, sequences, name */
  STORE_EPOCHS,      /* epoch number -> epoch, last kept, time */
  STORE_LOG,         /* sequence number -> a commit's receipt, and the runs of that commit */
  STORE_AUTHORS,     /* author, epoch, first author-seq -> consecutive sequence numbers in the log;
                    home -> the ledger head it told last */
  STORE_MEMBERS,     /* party, log seq -> nothing: its records of class members */
  STORE_PARTIES,     /* party -> what the committer asks about a member */
  STORE_LINKS,       /* CURVE key -> member or invitation */
  STORE_INVITATIONS, /* CURVE key of an invitation -> whom it admits, and who came */
  STORE_BOXES,       /* party -> where its mailbox stands; party, sender -> unacknowledged bytes */
  STORE_MAIL,        /* party, mailbox seq -> envelope or decision */
  STORE_SENDS,       /* sender, epoch, seq -> where its envelope was stored */
  STORE_COPIES,      /* party, number -> what it sent */
  STORE_RULINGS,     /* party, number -> a decision on one of its deals */
  STORE_DECISIONS,   /* root, decision's record id -> the signed decision */
  STORE_REGISTERS,   /* root -> the decider's register */
  STORE_TABLES
};

struct store;
struct store_txn;
struct store_options {
  const char *path;   /* a directory, made if missing unless `must_exist` */
  uint64_t map_bytes; /* 0: the usual 64 GiB of address space */
  bool must_exist;
};
enum collega_status store_open(const struct store_options *options, struct store **out,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
void store_close(struct store **store);

/* A reader's transaction. store_rest lets its moment go and keeps the transaction; store_renew
 * takes a new moment. Rest between jobs and never hold a moment across a wait: the file cannot
 * reuse pages meanwhile. */
enum collega_status store_read(struct store *store, struct store_txn **out,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
void store_rest(struct store_txn *txn);
enum collega_status store_renew(struct store_txn *txn,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
/* The writer's transaction; waits for another process's. */
enum collega_status store_write(struct store *store, struct store_txn **out,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
/* On disk when it returns COLLEGA_OK; after a failure nothing of it is. The transaction is gone
 * either way. */
enum collega_status store_commit(struct store_txn **txn,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* Ends a reader's transaction, abandons a writer's. */
void store_end(struct store_txn **txn);

/* Room for new work (COLLEGA_FULL, in words), and figures for status. */
enum collega_status store_has_room(struct store *store,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
struct store_room {
  uint64_t used, map, free;
}; /* bytes; `free` of the file system */
enum collega_status store_room(struct store *store, struct store_room *out,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
/* A compacted copy into the new directory `path`, while everything goes on. */
enum collega_status store_backup(struct store *store, const char *path,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* Clears readers of dead processes: at start and every minute. Returns how many. */
int store_check_readers(struct store *store);

/* ---- rows. Bytes that come out are the store's: they hold until the next write in the same
 * transaction or its end. Absence is no error: value->data is NULL then. */
enum collega_status store_get(struct store_txn *txn, enum store_table table, struct bytes key,
                              struct bytes *value, struct collega_error *error) COLLEGA_MUST_CHECK;
/* The row with the greatest key that is not above `key`. */
enum collega_status store_floor(struct store_txn *txn, enum store_table table, struct bytes key,
                                struct bytes *found, struct bytes *value,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status store_put(struct store_txn *txn, enum store_table table, struct bytes key,
                              struct bytes value, struct collega_error *error) COLLEGA_MUST_CHECK;
/* A value made of parts, copied once. */
enum collega_status store_put_parts(struct store_txn *txn, enum store_table table, struct bytes key,
                                    const struct bytes *parts, size_t count,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
/* The same behind all rows of the table: its key is greater than every other. */
enum collega_status store_append(struct store_txn *txn, enum store_table table, struct bytes key,
                                 const struct bytes *parts, size_t count,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* No such row: nothing happens. */
enum collega_status store_delete(struct store_txn *txn, enum store_table table, struct bytes key,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;

/* A walk over a table's rows in order. `key.data` is NULL past the end. */
struct store_cursor {
  struct bytes key, value;
  void *inner;
};
enum collega_status store_cursor_open(struct store_txn *txn, enum store_table table,
                                      struct store_cursor *cursor,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;
void store_cursor_close(struct store_cursor *cursor);
/* To the first row whose key is not below `key` (empty: the first of all). */
enum collega_status store_seek(struct store_cursor *cursor, struct bytes key,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
/* To the last row whose key is not above `key`. */
enum collega_status store_seek_back(struct store_cursor *cursor, struct bytes key,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status store_next(struct store_cursor *cursor,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status store_previous(struct store_cursor *cursor,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
