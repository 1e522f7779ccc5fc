/* Reading mailboxes: what waits, and what a restored home asks for. Envelopes and decisions go out
 * as they were stored, straight from the store into the frame. */
#include <string.h>

#include "broker/commit/commit.h"
#include "broker/mail/mailbox.h"
#include "proto/guard.h"
#include "proto/limits.h"

#define MAIL_ITEMS_MOST 256u /* in the schema */
#define MAIL_FRAME_BYTES                                                                           \
  (LIMIT_FRAME_BYTES - 16384u) /* the items; the rest is for what is around them */

struct reading {
  struct store_txn *txn;
  struct arena *arena;
  const struct id *party;
  Collega__Mail mail;
  Collega__MailItem *items[MAIL_ITEMS_MOST];
  uint32_t most;
  size_t most_bytes, bytes;
  uint64_t last; /* number of the last row dealt with */
  bool full;
};

static ProtobufCBinaryData field_of(const void *data, size_t length) {
  return (ProtobufCBinaryData){length, (uint8_t *)(uintptr_t)data};
}

static void reading_start(struct reading *reading, struct store_txn *txn, const struct id *party,
                          const struct epoch *epoch, uint64_t after, uint32_t most,
                          size_t most_bytes, struct arena *arena) {
  *reading = (struct reading){.txn = txn, .arena = arena, .party = party, .last = after};
  collega__mail__init(&reading->mail);
  reading->mail.party = field_of(party->byte, ID_BYTES);
  reading->mail.epoch = field_of(epoch->byte, EPOCH_BYTES);
  reading->mail.items = reading->items;
  reading->most = most < MAIL_ITEMS_MOST ? most : MAIL_ITEMS_MOST;
  reading->most_bytes = most_bytes < MAIL_FRAME_BYTES ? most_bytes : MAIL_FRAME_BYTES;
}

/* Adds one item; the first always fits. False: it must wait for another frame. */
static enum collega_status add_item(struct reading *reading, uint64_t seq, struct bytes content,
                                    bool decision, bool *added, struct collega_error *error) {
  size_t count = reading->mail.n_items;
  *added = count < reading->most &&
           (count == 0 || reading->bytes + content.length <= reading->most_bytes);
  if (!*added) {
    reading->full = true;
    return COLLEGA_OK;
  }
  Collega__MailItem *item = arena_take(reading->arena, sizeof *item);
  if (!item) return error_set(error, COLLEGA_FULL, RULE_arena_full, NULL, NULL);
  collega__mail_item__init(item);
  item->seq = seq;
  item->has_decision = decision;
  item->has_envelope = !decision;
  if (decision)
    item->decision = field_of(content.data, content.length);
  else
    item->envelope = field_of(content.data, content.length);
  reading->items[reading->mail.n_items++] = item;
  reading->bytes += content.length + 32;
  return COLLEGA_OK;
}

static enum collega_status decision_bytes(struct reading *reading, const struct id *root,
                                          const struct id *decision, struct bytes *out,
                                          struct collega_error *error) {
  struct decision_row row;
  bool found = false;
  enum collega_status status = decision_read(reading->txn, root, decision, &row, &found, error);
  if (!status && !found)
    return error_set(error, COLLEGA_DAMAGED, RULE_disk_corrupt, NULL, "decisions", "row", NULL);
  *out = row.run;
  return status;
}

/* ---- one row of each kind. `skipped`: there is nothing to give for it any more. */

static enum collega_status read_mail(struct reading *reading, struct bytes key, struct bytes value,
                                     bool *added, struct collega_error *error) {
  struct mail_row row;
  enum collega_status status = mail_row_decode(key, value, &row, error);
  if (status) return status;
  struct bytes content = row.envelope;
  if (row.kind == MAIL_DECISION)
    status = decision_bytes(reading, &row.root, &row.decision, &content, error);
  return status ? status
                : add_item(reading, row.seq, content, row.kind == MAIL_DECISION, added, error);
}

static enum collega_status read_copy(struct reading *reading, struct bytes key, struct bytes value,
                                     bool *added, struct collega_error *error) {
  struct copy_row row;
  enum collega_status status = copy_decode(key, value, &row, error);
  if (status) return status;
  if (row.kind == COPY_RUN) return add_item(reading, row.number, row.run, true, added, error);
  struct mail_row mail;
  bool found = false;
  status = mail_row_read(reading->txn, &row.to, row.seq, &mail, &found, error);
  *added = true; /* past its lifetime: passed over */
  if (status || !found) return status;
  return add_item(reading, row.number, mail.envelope, false, added, error);
}

static enum collega_status read_ruling(struct reading *reading, struct bytes key,
                                       struct bytes value, bool *added,
                                       struct collega_error *error) {
  struct ruling_row row;
  struct bytes content;
  enum collega_status status = ruling_decode(key, value, &row, error);
  if (!status) status = decision_bytes(reading, &row.root, &row.decision, &content, error);
  return status ? status : add_item(reading, row.number, content, true, added, error);
}

typedef enum collega_status (*row_reading)(struct reading *reading, struct bytes key,
                                           struct bytes value, bool *added,
                                           struct collega_error *error);

static enum collega_status read_rows(struct reading *reading, enum store_table table,
                                     row_reading each, struct collega_error *error) {
  uint8_t first[NUMBERED_KEY_BYTES];
  struct store_cursor cursor;
  numbered_key(first, reading->party, reading->last + 1);
  enum collega_status status = store_cursor_open(reading->txn, table, &cursor, error);
  if (status) return status;
  status = store_seek(&cursor, bytes_of(first, sizeof first), error);
  while (!status && !reading->full && cursor.key.length == NUMBERED_KEY_BYTES &&
         !memcmp(cursor.key.data, reading->party->byte, ID_BYTES)) {
    bool added = false;
    status = each(reading, cursor.key, cursor.value, &added, error);
    if (status || !added) break;
    reading->last = get_be64(cursor.key.data + ID_BYTES);
    status = store_next(&cursor, error);
  }
  store_cursor_close(&cursor);
  return status;
}

static enum collega_status pack(struct reading *reading, struct bytes *frame,
                                struct collega_error *error) {
  Collega__FromBroker from = COLLEGA__FROM_BROKER__INIT;
  from.mail = &reading->mail;
  *frame = message_pack(&from.base, reading->arena);
  return frame->data ? COLLEGA_OK : error_set(error, COLLEGA_FULL, RULE_arena_full, NULL, NULL);
}

enum collega_status mail_read(struct store_txn *txn, const struct id *party,
                              const struct epoch *epoch, uint64_t after, uint32_t records,
                              size_t most_bytes, struct arena *arena, struct bytes *frame,
                              uint32_t *items, uint64_t *last, struct collega_error *error) {
  struct reading reading;
  *frame = bytes_of(NULL, 0);
  *items = 0;
  *last = after;
  reading_start(&reading, txn, party, epoch, after, records, most_bytes, arena);
  enum collega_status status = read_rows(&reading, STORE_MAIL, read_mail, error);
  if (status || !reading.mail.n_items) return status;
  *items = (uint32_t)reading.mail.n_items;
  *last = reading.last;
  reading.mail.has_after = 1;
  reading.mail.after = after;
  return pack(&reading, frame, error);
}

enum collega_status fetch_read(struct store_txn *txn, const struct epoch *epoch,
                               const Collega__Fetch *fetch, uint64_t *after, struct arena *arena,
                               struct bytes *frame, uint32_t *items, bool *done,
                               struct collega_error *error) {
  struct reading reading;
  struct id party;
  id_from(&party, fetch->party.data, fetch->party.len);
  reading_start(&reading, txn, &party, epoch, *after, MAIL_ITEMS_MOST, LIMIT_BOARD_BYTES, arena);
  enum collega_status status = COLLEGA_OK;
  switch (fetch->what) {
  case COLLEGA__FETCH_CLASS__FETCH_CLASS_COPIES:
    status = read_rows(&reading, STORE_COPIES, read_copy, error);
    break;
  case COLLEGA__FETCH_CLASS__FETCH_CLASS_MAIL:
    status = read_rows(&reading, STORE_MAIL, read_mail, error);
    break;
  case COLLEGA__FETCH_CLASS__FETCH_CLASS_DECISIONS:
    status = read_rows(&reading, STORE_RULINGS, read_ruling, error);
    break;
  case _COLLEGA__FETCH_CLASS_IS_INT_SIZE:
    break;
  }
  if (status) return status;
  *after = reading.last;
  *items = (uint32_t)reading.mail.n_items;
  *done = !reading.full;
  reading.mail.has_fetched = 1;
  reading.mail.fetched = fetch->what;
  reading.mail.has_last = 1;
  reading.mail.last = *done;
  return pack(&reading, frame, error);
}
