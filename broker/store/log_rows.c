/* Rows of state, epochs, log and authors; the formats stand in log_rows.h. What is read
 * back is checked for length only: LMDB gives whole values, and a damaged file shows in them as
 * nonsense. */
#include "broker/store/log_rows.h"

#include <string.h>

#include "broker/store/row_codec.h"
#include "proto/limits.h"

#define STATE_KEY         "state"
#define COMPACTED_KEY     "compacted"
#define LOG_HEAD_BYTES    8u
#define COMMIT_HEAD_BYTES 24u
#define AUTHOR_HEAD_BYTES 12u
#define PREFIX_BYTES      8u

_Static_assert(sizeof(struct facet) == 16, "a facet is its own stored form");

static struct bytes state_key(void) {
  return bytes_of(STATE_KEY, sizeof STATE_KEY - 1);
}

enum collega_status state_read(struct store_txn *txn, struct broker_state *out, bool *found,
                               struct collega_error *error) {
  *out = (struct broker_state){0};
  struct bytes value;
  enum collega_status status = store_get(txn, STORE_STATE, state_key(), &value, error);
  *found = !status && value.data;
  if (!*found) return status;
  struct row_in row = row_reader(value);
  row_get(&row, out->broker.byte, ID_BYTES);
  row_get(&row, out->epoch.byte, EPOCH_BYTES);
  out->epoch_number = row_get_u32(&row);
  out->log_seq = row_get_u64(&row);
  row_get(&row, out->author_epoch.byte, EPOCH_BYTES);
  out->author_seq = row_get_u64(&row);
  out->restored = row_get_u8(&row) != 0;
  row_get_text(&row, out->name, sizeof out->name);
  return row_complete(&row) ? COLLEGA_OK : row_damaged(error, "state");
}

enum collega_status state_write(struct store_txn *txn, const struct broker_state *state,
                                struct collega_error *error) {
  struct row_out row = {.length = 0};
  row_put(&row, state->broker.byte, ID_BYTES);
  row_put(&row, state->epoch.byte, EPOCH_BYTES);
  row_put_u32(&row, state->epoch_number);
  row_put_u64(&row, state->log_seq);
  row_put(&row, state->author_epoch.byte, EPOCH_BYTES);
  row_put_u64(&row, state->author_seq);
  row_put_u8(&row, state->restored);
  row_put_text(&row, state->name);
  return store_put(txn, STORE_STATE, state_key(), row_bytes(&row), error);
}

static struct bytes compacted_key(void) {
  return bytes_of(COMPACTED_KEY, sizeof COMPACTED_KEY - 1);
}

enum collega_status compacted_read(struct store_txn *txn, uint64_t *through,
                                   struct collega_error *error) {
  struct bytes value;
  *through = 0;
  enum collega_status status = store_get(txn, STORE_STATE, compacted_key(), &value, error);
  if (status || !value.data) return status;
  if (value.length != 8) return row_damaged(error, "state");
  *through = get_be64(value.data);
  return COLLEGA_OK;
}

enum collega_status compacted_write(struct store_txn *txn, uint64_t through,
                                    struct collega_error *error) {
  uint8_t value[8];
  put_be64(value, through);
  return store_put(txn, STORE_STATE, compacted_key(), bytes_of(value, sizeof value), error);
}

enum collega_status epoch_write(struct store_txn *txn, uint32_t number, const struct epoch *epoch,
                                uint64_t last_kept, collega_time time,
                                struct collega_error *error) {
  uint8_t key[4];
  put_be32(key, number);
  struct row_out row = {.length = 0};
  row_put(&row, epoch->byte, EPOCH_BYTES);
  row_put_u64(&row, last_kept);
  row_put_u64(&row, (uint64_t)time);
  return store_put(txn, STORE_EPOCHS, bytes_of(key, sizeof key), row_bytes(&row), error);
}

enum collega_status epoch_find(struct store_txn *txn, const struct epoch *epoch, uint32_t *number,
                               uint64_t *last_kept, struct collega_error *error) {
  *number = 0;
  struct store_cursor cursor;
  enum collega_status status = store_cursor_open(txn, STORE_EPOCHS, &cursor, error);
  if (status) return status;
  uint64_t kept_by_next = UINT64_MAX;
  /* From the newest back: a row says what the one after it kept of it. Few rows: one a restore. */
  static const uint8_t last[4] = {0xff, 0xff, 0xff, 0xff};
  status = store_seek_back(&cursor, bytes_of(last, sizeof last), error);
  while (!status && cursor.key.data) {
    struct row_in key = row_reader(cursor.key), row = row_reader(cursor.value);
    uint32_t at = row_get_u32(&key);
    struct epoch stored;
    row_get(&row, stored.byte, EPOCH_BYTES);
    uint64_t kept = row_get_u64(&row);
    row_get_u64(&row); /* time */
    if (!row_complete(&key) || !row_complete(&row)) {
      status = row_damaged(error, "epochs");
      break;
    }
    if (!memcmp(stored.byte, epoch->byte, EPOCH_BYTES)) {
      *number = at;
      if (last_kept) *last_kept = kept_by_next;
      break;
    }
    if (kept < kept_by_next) kept_by_next = kept;
    status = store_previous(&cursor, error);
  }
  store_cursor_close(&cursor);
  return status;
}

/* ---- log */

#define LOG_KEY_BYTES 12u
#define OF_COMMIT     UINT32_MAX /* in the place of `base`: the commit's own row, the last one of it */

struct log_key {
  uint8_t byte[LOG_KEY_BYTES];
};

static struct log_key log_key(uint64_t commit, uint32_t base) {
  struct log_key key;
  put_be64(key.byte, commit);
  put_be32(key.byte + 8, base);
  return key;
}

static struct bytes key_bytes(const struct log_key *key) {
  return bytes_of(key->byte, sizeof key->byte);
}

enum collega_status log_row_append(struct store_txn *txn, const struct log_row *row,
                                   struct collega_error *error) {
  struct log_key key = log_key(row->first_seq - row->base, row->base);
  uint8_t head[LOG_HEAD_BYTES];
  put_be32(head, row->count);
  put_be32(head + 4, (uint32_t)(row->priors.length / PRIOR_BYTES));
  struct bytes parts[] = {bytes_of(head, sizeof head),
                          bytes_of(row->facets, row->count * sizeof *row->facets), row->priors,
                          row->run};
  return store_append(txn, STORE_LOG, key_bytes(&key), parts, 4, error);
}

enum collega_status log_row_delete(struct store_txn *txn, uint64_t first_seq, uint32_t base,
                                   struct collega_error *error) {
  struct log_key key = log_key(first_seq - base, base);
  return store_delete(txn, STORE_LOG, key_bytes(&key), error);
}

/* How many leaves the row of a commit, which is `value`, has; 0: it is damaged. */
static uint32_t commit_leaves(struct bytes value) {
  if (value.length < COMMIT_HEAD_BYTES) return 0;
  uint32_t count = get_be32(value.data), length = get_be32(value.data + 20);
  return count <= LIMIT_RUN_RECORDS &&
                 value.length == COMMIT_HEAD_BYTES + (size_t)length + (size_t)count * ID_BYTES
             ? count
             : 0;
}

static enum collega_status commit_decode(struct bytes key, struct bytes value, struct log_row *out,
                                         struct collega_error *error) {
  *out = (struct log_row){
      .first_seq = get_be64(key.data), .count = commit_leaves(value), .is_commit = true};
  return out->count ? COLLEGA_OK : row_damaged(error, "log");
}

enum collega_status log_row_decode(struct bytes key, struct bytes value, struct log_row *out,
                                   struct collega_error *error) {
  *out = (struct log_row){0};
  if (key.length != LOG_KEY_BYTES) return row_damaged(error, "log");
  uint32_t base = get_be32(key.data + 8);
  if (base == OF_COMMIT) return commit_decode(key, value, out, error);
  if (value.length < LOG_HEAD_BYTES) return row_damaged(error, "log");
  uint32_t count = get_be32(value.data), priors = get_be32(value.data + 4);
  if (count == 0 || count > LIMIT_RUN_RECORDS || base > LIMIT_RUN_RECORDS - count || priors > count)
    return row_damaged(error, "log");
  size_t facet_bytes = count * sizeof(struct facet), prior_bytes = priors * PRIOR_BYTES;
  if (value.length < LOG_HEAD_BYTES + facet_bytes + prior_bytes) return row_damaged(error, "log");
  const uint8_t *at = value.data + LOG_HEAD_BYTES;
  out->first_seq = get_be64(key.data) + base;
  out->count = count;
  out->base = base;
  out->facets = (const struct facet *)(const void *)at;
  out->priors = bytes_of(at + facet_bytes, prior_bytes);
  at += facet_bytes + prior_bytes;
  out->run = bytes_of(at, (size_t)(value.data + value.length - at));
  return COLLEGA_OK;
}

void prior_encode(uint8_t out[PRIOR_BYTES], const struct prior *prior) {
  put_be32(out, prior->leaf);
  memcpy(out + 4, &prior->facet, sizeof prior->facet);
}

struct prior prior_decode(struct bytes priors, size_t index) {
  struct prior prior = {.leaf = get_be32(priors.data + index * PRIOR_BYTES)};
  memcpy(&prior.facet, priors.data + index * PRIOR_BYTES + 4, sizeof prior.facet);
  return prior;
}

/* The commit that holds `seq`, or the last one before it: its own row, or, while it is still open, its
 * last run. */
static enum collega_status floor_commit(struct store_txn *txn, uint64_t seq, uint64_t *commit,
                                        struct bytes *key, struct bytes *value,
                                        struct collega_error *error) {
  struct log_key wanted = log_key(seq, OF_COMMIT);
  *commit = 0;
  enum collega_status status = store_floor(txn, STORE_LOG, key_bytes(&wanted), key, value, error);
  if (status || !key->data) return status;
  if (key->length != LOG_KEY_BYTES) return row_damaged(error, "log");
  *commit = get_be64(key->data);
  return COLLEGA_OK;
}

static bool holds(const struct log_row *row, uint64_t seq) {
  return row->count && !row->is_commit && seq >= row->first_seq &&
         seq - row->first_seq < row->count;
}

enum collega_status log_row_find(struct store_txn *txn, uint64_t seq, struct log_row *out,
                                 struct collega_error *error) {
  *out = (struct log_row){0};
  struct bytes key, value;
  uint64_t commit;
  enum collega_status status = floor_commit(txn, seq, &commit, &key, &value, error);
  if (status || !key.data || seq - commit >= LIMIT_RUN_RECORDS) return status;
  struct log_key wanted = log_key(commit, (uint32_t)(seq - commit));
  status = store_floor(txn, STORE_LOG, key_bytes(&wanted), &key, &value, error);
  if (status || !key.data) return status;
  status = log_row_decode(key, value, out, error);
  if (!holds(out, seq)) *out = (struct log_row){0};
  return status;
}

/* ---- a walk */

static enum collega_status row_here(const struct store_cursor *cursor, struct log_row *row,
                                    struct collega_error *error) {
  *row = (struct log_row){0};
  return cursor->key.data ? log_row_decode(cursor->key, cursor->value, row, error) : COLLEGA_OK;
}

enum collega_status log_rows_seek(struct store_cursor *cursor, uint64_t seq, struct log_row *row,
                                  struct collega_error *error) {
  struct log_key key = log_key(seq, OF_COMMIT);
  enum collega_status status = store_seek_back(cursor, key_bytes(&key), error);
  if (!status && cursor->key.data) {
    if (cursor->key.length != LOG_KEY_BYTES) return row_damaged(error, "log");
    uint64_t commit = get_be64(cursor->key.data), base = seq - commit;
    key = log_key(commit, base < OF_COMMIT ? (uint32_t)base : OF_COMMIT);
    status = store_seek_back(cursor, key_bytes(&key), error);
  }
  if (!status && !cursor->key.data) status = store_seek(cursor, bytes_of(NULL, 0), error);
  return status ? status : row_here(cursor, row, error);
}

enum collega_status log_rows_next(struct store_cursor *cursor, struct log_row *row,
                                  struct collega_error *error) {
  enum collega_status status = store_next(cursor, error);
  return status ? status : row_here(cursor, row, error);
}

/* ---- commits */

enum collega_status commit_row_append(struct store_txn *txn, const struct commit_row *row,
                                      struct collega_error *error) {
  struct log_key key = log_key(row->first_seq, OF_COMMIT);
  uint8_t head[COMMIT_HEAD_BYTES];
  put_be32(head, row->count);
  put_be64(head + 4, (uint64_t)row->time);
  memcpy(head + 12, row->epoch.byte, EPOCH_BYTES);
  put_be32(head + 20, (uint32_t)row->receipt.length);
  struct bytes parts[] = {bytes_of(head, sizeof head), row->receipt,
                          bytes_of(row->leaves, row->count * ID_BYTES)};
  return store_append(txn, STORE_LOG, key_bytes(&key), parts, 3, error);
}

enum collega_status commit_row_find(struct store_txn *txn, uint64_t seq, struct commit_row *out,
                                    struct collega_error *error) {
  *out = (struct commit_row){0};
  struct bytes key, value;
  uint64_t first;
  enum collega_status status = floor_commit(txn, seq, &first, &key, &value, error);
  if (status || !key.data || get_be32(key.data + 8) != OF_COMMIT) return status;
  uint32_t count = commit_leaves(value), length;
  if (!count) return row_damaged(error, "log");
  length = get_be32(value.data + 20);
  out->first_seq = first;
  if (seq - first >= count) return COLLEGA_OK;
  out->count = count;
  out->time = (collega_time)get_be64(value.data + 4);
  memcpy(out->epoch.byte, value.data + 12, EPOCH_BYTES);
  out->receipt = bytes_of(value.data + COMMIT_HEAD_BYTES, length);
  out->leaves = (const struct id *)(const void *)(value.data + COMMIT_HEAD_BYTES + length);
  return COLLEGA_OK;
}

/* ---- authors */

static void author_key(uint8_t out[AUTHOR_KEY_BYTES], const struct id *author,
                       const struct epoch *epoch, uint64_t seq) {
  memcpy(out, author->byte, ID_BYTES);
  memcpy(out + ID_BYTES, epoch->byte, EPOCH_BYTES);
  put_be64(out + ID_BYTES + EPOCH_BYTES, seq);
}

/* A row of the author and epoch that `wanted` names? Others stand beside it: other authors', and heads. */
static bool author_key_is(struct bytes key, const uint8_t wanted[AUTHOR_KEY_BYTES]) {
  return key.length == AUTHOR_KEY_BYTES && !memcmp(key.data, wanted, ID_BYTES + EPOCH_BYTES);
}

enum collega_status author_row_put(struct store_txn *txn, const struct id *author,
                                   const struct author_row *row, struct collega_error *error) {
  uint8_t key[AUTHOR_KEY_BYTES], head[AUTHOR_HEAD_BYTES];
  author_key(key, author, &row->epoch, row->first);
  put_be64(head, row->log_seq);
  put_be32(head + 8, row->count);
  struct bytes parts[] = {bytes_of(head, sizeof head),
                          bytes_of(row->prefixes, row->prefixes ? row->count * PREFIX_BYTES : 0)};
  return store_put_parts(txn, STORE_AUTHORS, bytes_of(key, sizeof key), parts, 2, error);
}

enum collega_status author_row_decode(struct bytes key, struct bytes value, struct author_row *out,
                                      struct collega_error *error) {
  *out = (struct author_row){0};
  if (key.length != AUTHOR_KEY_BYTES || value.length < AUTHOR_HEAD_BYTES)
    return row_damaged(error, "authors");
  uint32_t count = get_be32(value.data + 8);
  size_t prefixes = value.length - AUTHOR_HEAD_BYTES;
  if (count == 0 || count > LIMIT_RUN_RECORDS ||
      (prefixes != 0 && prefixes != count * PREFIX_BYTES))
    return row_damaged(error, "authors");
  memcpy(out->epoch.byte, key.data + ID_BYTES, EPOCH_BYTES);
  out->first = get_be64(key.data + ID_BYTES + EPOCH_BYTES);
  out->log_seq = get_be64(value.data);
  out->count = count;
  out->prefixes = prefixes ? value.data + AUTHOR_HEAD_BYTES : NULL;
  return COLLEGA_OK;
}

enum collega_status author_find(struct store_txn *txn, const struct id *author,
                                const struct epoch *epoch, uint64_t seq, uint64_t *log_seq,
                                struct collega_error *error) {
  *log_seq = 0;
  uint8_t wanted[AUTHOR_KEY_BYTES];
  author_key(wanted, author, epoch, seq);
  struct bytes key, value;
  enum collega_status status =
      store_floor(txn, STORE_AUTHORS, bytes_of(wanted, sizeof wanted), &key, &value, error);
  if (status || !author_key_is(key, wanted)) return status;
  struct author_row row;
  status = author_row_decode(key, value, &row, error);
  if (!status && seq - row.first < row.count) *log_seq = row.log_seq + (seq - row.first);
  return status;
}

/* ---- heads */

#define HEAD_KEY_BYTES (AUTHOR_KEY_BYTES + 1) /* behind every epoch and number there may be */

static void head_key(uint8_t out[HEAD_KEY_BYTES], const struct id *home) {
  memcpy(out, home->byte, ID_BYTES);
  memset(out + ID_BYTES, 0xff, HEAD_KEY_BYTES - ID_BYTES);
}

enum collega_status head_row_decode(struct bytes key, struct bytes value, bool *is_head,
                                    struct head_row *out, struct collega_error *error) {
  *is_head = key.length == HEAD_KEY_BYTES;
  if (!*is_head) return COLLEGA_OK;
  struct row_in row = row_reader(value);
  row_get(&row, out->epoch.byte, EPOCH_BYTES);
  out->number = row_get_u64(&row);
  row_get(&row, out->hash.byte, ID_BYTES);
  return row_complete(&row) ? COLLEGA_OK : row_damaged(error, "authors");
}

enum collega_status head_row_read(struct store_txn *txn, const struct id *home,
                                  struct head_row *out, bool *found, struct collega_error *error) {
  uint8_t key[HEAD_KEY_BYTES];
  struct bytes value;
  head_key(key, home);
  *found = false;
  enum collega_status status =
      store_get(txn, STORE_AUTHORS, bytes_of(key, sizeof key), &value, error);
  if (status || !value.data) return status;
  return head_row_decode(bytes_of(key, sizeof key), value, found, out, error);
}

enum collega_status head_row_write(struct store_txn *txn, const struct id *home,
                                   const struct head_row *row, struct collega_error *error) {
  uint8_t key[HEAD_KEY_BYTES];
  struct row_out out = {.length = 0};
  head_key(key, home);
  row_put(&out, row->epoch.byte, EPOCH_BYTES);
  row_put_u64(&out, row->number);
  row_put(&out, row->hash.byte, ID_BYTES);
  return store_put(txn, STORE_AUTHORS, bytes_of(key, sizeof key), row_bytes(&out), error);
}
