/* What is past its lifetime goes: envelopes, the copies that name them, the memory of sends.
 * Decisions stay for good, and so does everything in the log.
 *
 * A sweep looks at a bounded number of rows, from where the last one stopped, on a reader's
 * transaction, and deletes what it found on a writer's. It goes round the tables for ever, a little
 * at a time, and writes nothing when there is nothing to delete. */
#include <string.h>

#include "broker/commit/batch.h"
#include "broker/mail/mailbox.h"
#include "proto/limits.h"

#define ROWS_LOOKED_AT 4096u
#define ROWS_DELETED   512u

/* An envelope may say a day more than its lifetime (send.c); only when it can be taken no more may
 * it be forgotten that it was. */
#define SEND_LIFETIME_MS (MAIL_LIFETIME_MS + 2 * DAY_MS)

static const enum store_table tables[] = {STORE_MAIL, STORE_COPIES, STORE_SENDS};
#define TABLE_COUNT (sizeof tables / sizeof *tables)

struct doomed {
  struct bytes keys[ROWS_DELETED]; /* in the arena */
  size_t count;
};

static enum collega_status row_time(enum store_table table, const struct store_cursor *row,
                                    collega_time *expires, struct collega_error *error) {
  enum collega_status status;
  *expires = INT64_MAX;
  if (table == STORE_MAIL) {
    struct mail_row mail;
    status = mail_row_decode(row->key, row->value, &mail, error);
    if (!status && mail.kind == MAIL_ENVELOPE) *expires = mail.time + MAIL_LIFETIME_MS;
  } else if (table == STORE_COPIES) {
    struct copy_row copy;
    status = copy_decode(row->key, row->value, &copy, error);
    if (!status) *expires = copy.time + MAIL_LIFETIME_MS;
  } else {
    struct send_row send;
    status = send_decode(row->value, &send, error);
    if (!status) *expires = send.time + SEND_LIFETIME_MS;
  }
  return status;
}

/* Moves on to `key`, or to the next table where it is empty. */
static void move_on(struct sweep *sweep, struct bytes key) {
  if (!key.data || key.length > sizeof sweep->key) {
    sweep->table = (sweep->table + 1) % TABLE_COUNT;
    sweep->key_length = 0;
    return;
  }
  memcpy(sweep->key, key.data, key.length);
  sweep->key_length = key.length;
}

static enum collega_status find_doomed(struct commit *commit, struct store_txn *txn,
                                       collega_time now, struct doomed *doomed,
                                       struct collega_error *error) {
  struct sweep *sweep = &commit->sweep;
  enum store_table table = tables[sweep->table];
  struct store_cursor cursor;
  enum collega_status status = store_cursor_open(txn, table, &cursor, error);
  if (status) return status;
  status = store_seek(&cursor, bytes_of(sweep->key, sweep->key_length), error);
  for (size_t i = 0;
       !status && i < ROWS_LOOKED_AT && doomed->count < ROWS_DELETED && cursor.key.data; i++) {
    collega_time expires;
    status = row_time(table, &cursor, &expires, error);
    if (status) break;
    if (now >= expires) {
      void *key = arena_copy(commit->scratch, cursor.key.data, cursor.key.length);
      if (!key)
        status = batch_exhausted(error);
      else
        doomed->keys[doomed->count++] = bytes_of(key, cursor.key.length);
    }
    if (!status) status = store_next(&cursor, error);
  }
  if (!status) move_on(sweep, cursor.key);
  store_cursor_close(&cursor);
  return status;
}

/* An envelope that nobody came for is no longer in anybody's quota. */
static enum collega_status release_mail(struct store_txn *txn, struct bytes key,
                                        struct collega_error *error) {
  struct mail_row mail;
  struct id party;
  struct box box;
  bool found = false;
  uint64_t waiting;
  if (!id_from(&party, key.data, ID_BYTES)) return COLLEGA_OK;
  enum collega_status status =
      mail_row_read(txn, &party, get_be64(key.data + ID_BYTES), &mail, &found, error);
  if (!status && found) status = box_read(txn, &party, &box, error);
  if (status || !found || mail.seq <= box.acknowledged) return status;
  status = sender_read(txn, &party, &mail.sender, &waiting, error);
  if (status) return status;
  waiting -= mail.counted < waiting ? mail.counted : waiting;
  box.waiting_bytes -= mail.counted < box.waiting_bytes ? mail.counted : box.waiting_bytes;
  status = sender_write(txn, &party, &mail.sender, waiting, error);
  return status ? status : box_write(txn, &party, &box, error);
}

static enum collega_status delete_doomed(struct commit *commit, enum store_table table,
                                         const struct doomed *doomed, struct collega_error *error) {
  struct store_txn *txn = NULL;
  enum collega_status status = store_write(commit->store, &txn, error);
  for (size_t i = 0; !status && i < doomed->count; i++) {
    if (table == STORE_MAIL) status = release_mail(txn, doomed->keys[i], error);
    if (!status) status = store_delete(txn, table, doomed->keys[i], error);
  }
  if (!status) return store_commit(&txn, error);
  store_end(&txn);
  return status;
}

enum collega_status commit_sweep(struct commit *commit, collega_time now, bool *more,
                                 struct collega_error *error) {
  *more = false;
  arena_reset(commit->scratch);
  enum store_table table = tables[commit->sweep.table];
  struct doomed *doomed = arena_zero(commit->scratch, sizeof *doomed);
  struct store_txn *txn = NULL;
  if (!doomed) return batch_exhausted(error);
  enum collega_status status = store_read(commit->store, &txn, error);
  if (!status) status = find_doomed(commit, txn, now, doomed, error);
  store_end(&txn);
  *more = doomed->count == ROWS_DELETED;
  if (status || !doomed->count) return status;
  return delete_doomed(commit, table, doomed, error);
}
