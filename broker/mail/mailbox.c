/* Rows of mailboxes; the formats stand in mailbox.h. */
#include "broker/mail/mailbox.h"

#include <string.h>

#include "broker/store/row_codec.h"

static struct bytes id_key(const struct id *id) {
  return bytes_of(id->byte, ID_BYTES);
}

void numbered_key(uint8_t out[NUMBERED_KEY_BYTES], const struct id *party, uint64_t number) {
  memcpy(out, party->byte, ID_BYTES);
  put_be64(out + ID_BYTES, number);
}

static uint64_t number_of(struct bytes key) {
  return key.length == NUMBERED_KEY_BYTES ? get_be64(key.data + ID_BYTES) : 0;
}

/* The rest of a row after its fixed part. */
static struct bytes row_rest(struct row_in *row) {
  struct bytes rest = bytes_of(row->at, row->left);
  row->left = 0;
  return rest;
}

/* ---- boxes */

enum collega_status box_read(struct store_txn *txn, const struct id *party, struct box *out,
                             struct collega_error *error) {
  *out = (struct box){0};
  struct bytes value;
  enum collega_status status = store_get(txn, STORE_BOXES, id_key(party), &value, error);
  if (status || !value.data) return status;
  struct row_in row = row_reader(value);
  out->last_seq = row_get_u64(&row);
  out->acknowledged = row_get_u64(&row);
  out->waiting_bytes = row_get_u64(&row);
  out->last_copy = row_get_u64(&row);
  out->last_ruling = row_get_u64(&row);
  return row_complete(&row) ? COLLEGA_OK : row_damaged(error, "boxes");
}

enum collega_status box_write(struct store_txn *txn, const struct id *party, const struct box *box,
                              struct collega_error *error) {
  struct row_out row = {.length = 0};
  row_put_u64(&row, box->last_seq);
  row_put_u64(&row, box->acknowledged);
  row_put_u64(&row, box->waiting_bytes);
  row_put_u64(&row, box->last_copy);
  row_put_u64(&row, box->last_ruling);
  return store_put(txn, STORE_BOXES, id_key(party), row_bytes(&row), error);
}

/* ---- mail */

enum collega_status mail_row_put(struct store_txn *txn, const struct id *party,
                                 const struct mail_row *row, struct collega_error *error) {
  uint8_t key[NUMBERED_KEY_BYTES];
  numbered_key(key, party, row->seq);
  struct row_out out = {.length = 0};
  row_put_u8(&out, (uint8_t)row->kind);
  row_put_u64(&out, (uint64_t)row->time);
  row_put(&out, row->sender.byte, ID_BYTES);
  row_put_u32(&out, row->counted);
  if (row->kind == MAIL_DECISION) {
    row_put(&out, row->root.byte, ID_BYTES);
    row_put(&out, row->decision.byte, ID_BYTES);
  }
  struct bytes parts[] = {row_bytes(&out),
                          row->kind == MAIL_ENVELOPE ? row->envelope : bytes_of(NULL, 0)};
  return store_put_parts(txn, STORE_MAIL, bytes_of(key, sizeof key), parts, 2, error);
}

enum collega_status mail_row_decode(struct bytes key, struct bytes value, struct mail_row *out,
                                    struct collega_error *error) {
  *out = (struct mail_row){.seq = number_of(key)};
  struct row_in row = row_reader(value);
  uint8_t kind = row_get_u8(&row);
  out->time = (collega_time)row_get_u64(&row);
  row_get(&row, out->sender.byte, ID_BYTES);
  out->counted = row_get_u32(&row);
  if (kind == MAIL_ENVELOPE) {
    out->kind = MAIL_ENVELOPE;
    out->envelope = row_rest(&row);
  } else if (kind == MAIL_DECISION) {
    out->kind = MAIL_DECISION;
    row_get(&row, out->root.byte, ID_BYTES);
    row_get(&row, out->decision.byte, ID_BYTES);
  } else {
    return row_damaged(error, "mail");
  }
  return row_complete(&row) && out->seq ? COLLEGA_OK : row_damaged(error, "mail");
}

enum collega_status mail_row_read(struct store_txn *txn, const struct id *party, uint64_t seq,
                                  struct mail_row *out, bool *found, struct collega_error *error) {
  uint8_t key[NUMBERED_KEY_BYTES];
  struct bytes value;
  numbered_key(key, party, seq);
  enum collega_status status = store_get(txn, STORE_MAIL, bytes_of(key, sizeof key), &value, error);
  *found = !status && value.data;
  return *found ? mail_row_decode(bytes_of(key, sizeof key), value, out, error) : status;
}

/* ---- senders */

enum collega_status sender_read(struct store_txn *txn, const struct id *party,
                                const struct id *sender, uint64_t *waiting_bytes,
                                struct collega_error *error) {
  uint8_t key[2 * ID_BYTES];
  struct bytes value;
  memcpy(key, party->byte, ID_BYTES);
  memcpy(key + ID_BYTES, sender->byte, ID_BYTES);
  *waiting_bytes = 0;
  enum collega_status status =
      store_get(txn, STORE_BOXES, bytes_of(key, sizeof key), &value, error);
  if (status || !value.data) return status;
  struct row_in row = row_reader(value);
  *waiting_bytes = row_get_u64(&row);
  return row_complete(&row) ? COLLEGA_OK : row_damaged(error, "boxes");
}

enum collega_status sender_write(struct store_txn *txn, const struct id *party,
                                 const struct id *sender, uint64_t waiting_bytes,
                                 struct collega_error *error) {
  uint8_t key[2 * ID_BYTES], value[8];
  memcpy(key, party->byte, ID_BYTES);
  memcpy(key + ID_BYTES, sender->byte, ID_BYTES);
  put_be64(value, waiting_bytes);
  if (!waiting_bytes) return store_delete(txn, STORE_BOXES, bytes_of(key, sizeof key), error);
  return store_put(txn, STORE_BOXES, bytes_of(key, sizeof key), bytes_of(value, sizeof value),
                   error);
}

/* ---- sends */

static struct row_out send_key(const struct id *from, const struct epoch *epoch, uint64_t seq) {
  struct row_out key = {.length = 0};
  row_put(&key, from->byte, ID_BYTES);
  row_put(&key, epoch->byte, EPOCH_BYTES);
  row_put_u64(&key, seq);
  return key;
}

enum collega_status send_decode(struct bytes value, struct send_row *out,
                                struct collega_error *error) {
  struct row_in row = row_reader(value);
  row_get(&row, out->hash.byte, ID_BYTES);
  row_get(&row, out->to.byte, ID_BYTES);
  row_get(&row, out->epoch.byte, EPOCH_BYTES);
  out->seq = row_get_u64(&row);
  out->time = (collega_time)row_get_u64(&row);
  return row_complete(&row) ? COLLEGA_OK : row_damaged(error, "sends");
}

enum collega_status send_read(struct store_txn *txn, const struct id *from,
                              const struct epoch *epoch, uint64_t seq, struct send_row *out,
                              bool *found, struct collega_error *error) {
  struct row_out key = send_key(from, epoch, seq);
  struct bytes value;
  enum collega_status status = store_get(txn, STORE_SENDS, row_bytes(&key), &value, error);
  *found = !status && value.data;
  return *found ? send_decode(value, out, error) : status;
}

enum collega_status send_write(struct store_txn *txn, const struct id *from,
                               const struct epoch *epoch, uint64_t seq, const struct send_row *row,
                               struct collega_error *error) {
  struct row_out key = send_key(from, epoch, seq), out = {.length = 0};
  row_put(&out, row->hash.byte, ID_BYTES);
  row_put(&out, row->to.byte, ID_BYTES);
  row_put(&out, row->epoch.byte, EPOCH_BYTES);
  row_put_u64(&out, row->seq);
  row_put_u64(&out, (uint64_t)row->time);
  return store_put(txn, STORE_SENDS, row_bytes(&key), row_bytes(&out), error);
}

/* ---- copies */

enum collega_status copy_put(struct store_txn *txn, const struct id *party,
                             const struct copy_row *row, struct collega_error *error) {
  uint8_t key[NUMBERED_KEY_BYTES];
  numbered_key(key, party, row->number);
  struct row_out out = {.length = 0};
  row_put_u8(&out, (uint8_t)row->kind);
  row_put_u64(&out, (uint64_t)row->time);
  if (row->kind == COPY_ENVELOPE) {
    row_put(&out, row->to.byte, ID_BYTES);
    row_put_u64(&out, row->seq);
  }
  struct bytes parts[] = {row_bytes(&out), row->kind == COPY_RUN ? row->run : bytes_of(NULL, 0)};
  return store_put_parts(txn, STORE_COPIES, bytes_of(key, sizeof key), parts, 2, error);
}

enum collega_status copy_decode(struct bytes key, struct bytes value, struct copy_row *out,
                                struct collega_error *error) {
  *out = (struct copy_row){.number = number_of(key)};
  struct row_in row = row_reader(value);
  uint8_t kind = row_get_u8(&row);
  out->time = (collega_time)row_get_u64(&row);
  if (kind == COPY_ENVELOPE) {
    out->kind = COPY_ENVELOPE;
    row_get(&row, out->to.byte, ID_BYTES);
    out->seq = row_get_u64(&row);
  } else if (kind == COPY_RUN) {
    out->kind = COPY_RUN;
    out->run = row_rest(&row);
  } else {
    return row_damaged(error, "copies");
  }
  return row_complete(&row) && out->number ? COLLEGA_OK : row_damaged(error, "copies");
}

/* ---- rulings and decisions */

enum collega_status ruling_put(struct store_txn *txn, const struct id *party,
                               const struct ruling_row *row, struct collega_error *error) {
  uint8_t key[NUMBERED_KEY_BYTES];
  numbered_key(key, party, row->number);
  struct row_out out = {.length = 0};
  row_put(&out, row->root.byte, ID_BYTES);
  row_put(&out, row->decision.byte, ID_BYTES);
  return store_put(txn, STORE_RULINGS, bytes_of(key, sizeof key), row_bytes(&out), error);
}

enum collega_status ruling_decode(struct bytes key, struct bytes value, struct ruling_row *out,
                                  struct collega_error *error) {
  struct row_in row = row_reader(value);
  out->number = number_of(key);
  row_get(&row, out->root.byte, ID_BYTES);
  row_get(&row, out->decision.byte, ID_BYTES);
  return row_complete(&row) && out->number ? COLLEGA_OK : row_damaged(error, "rulings");
}

static struct row_out decision_key(const struct id *root, const struct id *decision) {
  struct row_out key = {.length = 0};
  row_put(&key, root->byte, ID_BYTES);
  row_put(&key, decision->byte, ID_BYTES);
  return key;
}

enum collega_status decision_put(struct store_txn *txn, const struct id *root,
                                 const struct id *decision, const struct decision_row *row,
                                 struct collega_error *error) {
  struct row_out key = decision_key(root, decision), out = {.length = 0};
  for (size_t i = 0; i < 2; i++) {
    row_put(&out, row->parties[i].byte, ID_BYTES);
    row_put_u64(&out, row->seqs[i]);
  }
  struct bytes parts[] = {row_bytes(&out), row->run};
  return store_put_parts(txn, STORE_DECISIONS, row_bytes(&key), parts, 2, error);
}

enum collega_status decision_read(struct store_txn *txn, const struct id *root,
                                  const struct id *decision, struct decision_row *out, bool *found,
                                  struct collega_error *error) {
  struct row_out key = decision_key(root, decision);
  struct bytes value;
  enum collega_status status = store_get(txn, STORE_DECISIONS, row_bytes(&key), &value, error);
  *found = !status && value.data;
  if (!*found) return status;
  struct row_in row = row_reader(value);
  for (size_t i = 0; i < 2; i++) {
    row_get(&row, out->parties[i].byte, ID_BYTES);
    out->seqs[i] = row_get_u64(&row);
  }
  out->run = row_rest(&row);
  return row_complete(&row) && out->run.length ? COLLEGA_OK : row_damaged(error, "decisions");
}
