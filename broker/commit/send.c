/* Send and Ack: mail into mailboxes, and the reader's word that it has it. The broker carries
 * envelopes and cannot read what is in them; it checks who sends, whether the recipient is a
 * member, and the quota.
 *
 * What is counted is the sealed letter, not the copy that goes with it for its sender, and only
 * until the recipient acknowledges. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "broker/commit/batch.h"
#include "broker/mail/mailbox.h"
#include "proto/limits.h"

struct sending {
  const Collega__Envelope *envelope;
  struct id from, to;
  struct epoch epoch;
  struct box box; /* the recipient's */
  struct party_row recipient;
  uint64_t sender_bytes; /* of this sender, waiting there */
};

static enum collega_status refuse_quota(struct batch *batch, const struct request *request,
                                        enum rule rule, uint64_t limit,
                                        struct collega_error *error) {
  struct collega_error why;
  char mebibytes[24];
  snprintf(mebibytes, sizeof mebibytes, "%" PRIu64, limit / (1024u * 1024u));
  error_set(&why, COLLEGA_FULL, rule, NULL, mebibytes, NULL);
  return answer_refusal(batch, request->session, &request->which,
                        COLLEGA__REFUSAL_CODE__REFUSAL_CODE_QUOTA, &why, error);
}

/* Everything that may forbid a new envelope. */
static enum collega_status gate_envelope(struct batch *batch, const struct request *request,
                                         struct sending *sending, bool *passed,
                                         struct collega_error *error) {
  *passed = false;
  const Collega__Envelope *envelope = sending->envelope;
  if (batch->now > envelope->not_after) {
    struct collega_error why;
    char text[40];
    time_write(text, sizeof text, envelope->not_after);
    error_set(&why, COLLEGA_INVALID, RULE_not_after_past, "not_after", text, NULL);
    return answer_refusal(batch, request->session, &request->which,
                          COLLEGA__REFUSAL_CODE__REFUSAL_CODE_EXPIRED, &why, error);
  }
  if (envelope->not_after > batch->now + MAIL_LIFETIME_MS + DAY_MS) { /* a day for clocks apart */
    struct collega_error why;
    char days[24];
    snprintf(days, sizeof days, "%" PRId64, MAIL_LIFETIME_MS / DAY_MS);
    error_set(&why, COLLEGA_INVALID, RULE_expires_late, "not_after", days, NULL);
    return answer_refusal(batch, request->session, &request->which,
                          COLLEGA__REFUSAL_CODE__REFUSAL_CODE_INVALID, &why, error);
  }
  bool known = false;
  enum collega_status status =
      party_row_read(batch->txn, &sending->to, &sending->recipient, &known, error);
  if (status) return status;
  if (!known || !party_row_in_force(&sending->recipient, batch->now))
    return refuse_rule(batch, request, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_UNKNOWN,
                       RULE_recipient_unknown, error);
  status = box_read(batch->txn, &sending->to, &sending->box, error);
  if (!status)
    status = sender_read(batch->txn, &sending->to, &sending->from, &sending->sender_bytes, error);
  if (status) return status;
  if (sending->box.waiting_bytes + envelope->sealed.len > MAILBOX_BYTES)
    return refuse_quota(batch, request, RULE_mailbox_full, MAILBOX_BYTES, error);
  if (sending->sender_bytes + envelope->sealed.len > MAILBOX_SENDER_BYTES)
    return refuse_quota(batch, request, RULE_mailbox_sender_full, MAILBOX_SENDER_BYTES, error);
  *passed = true;
  return COLLEGA_OK;
}

static enum collega_status keep_copy(struct batch *batch, const struct sending *sending,
                                     uint64_t seq, struct collega_error *error) {
  struct box own;
  enum collega_status status = box_read(batch->txn, &sending->from, &own, error);
  if (status) return status;
  struct copy_row copy = {.kind = COPY_ENVELOPE,
                          .number = ++own.last_copy,
                          .time = batch->now,
                          .to = sending->to,
                          .seq = seq};
  status = copy_put(batch->txn, &sending->from, &copy, error);
  return status ? status : box_write(batch->txn, &sending->from, &own, error);
}

static enum collega_status deliver(struct batch *batch, const struct request *request,
                                   struct sending *sending, struct collega_error *error) {
  const ProtobufCBinaryData *packed = &request->frame->send->envelope;
  size_t counted = sending->envelope->sealed.len;
  struct mail_row row = {.kind = MAIL_ENVELOPE,
                         .seq = ++sending->box.last_seq,
                         .time = batch->now,
                         .sender = sending->from,
                         .counted = (uint32_t)counted,
                         .envelope = bytes_of(packed->data, packed->len)};
  sending->box.waiting_bytes += counted;
  struct send_row send = {request->envelope_hash, sending->to, batch->state.epoch, row.seq,
                          batch->now};
  enum collega_status status = mail_row_put(batch->txn, &sending->to, &row, error);
  if (!status) status = box_write(batch->txn, &sending->to, &sending->box, error);
  if (!status)
    status = sender_write(batch->txn, &sending->to, &sending->from, sending->sender_bytes + counted,
                          error);
  if (!status)
    status = send_write(batch->txn, &sending->from, &sending->epoch, sending->envelope->seq, &send,
                        error);
  if (!status && sending->envelope->has_copy) status = keep_copy(batch, sending, row.seq, error);
  if (!status) status = news_mail(batch, &sending->to, &sending->recipient.host, row.seq, error);
  if (!status)
    status = answer_stored(batch, request->session, &send.hash, &send.epoch, send.seq, error);
  return status;
}

enum collega_status take_send(struct batch *batch, struct request *request,
                              struct collega_error *error) {
  struct sending sending = {.envelope = request->envelope};
  const Collega__Head *head = request->frame->send->head;
  id_from(&sending.from, request->envelope->from.data, request->envelope->from.len);
  id_from(&sending.to, request->envelope->to.data, request->envelope->to.len);
  epoch_from(&sending.epoch, request->envelope->epoch.data, request->envelope->epoch.len);
  bool passed = false, fits = false, known = false;
  struct send_row before;
  enum collega_status status = gate_head(batch, request, head, &fits, error);
  if (!status) status = gate_member(batch, request, &sending.from, NULL, &passed, error);
  if (!status && fits) status = head_store(batch, request, head, error);
  if (status || !passed) return status;
  status = send_read(batch->txn, &sending.from, &sending.epoch, sending.envelope->seq, &before,
                     &known, error);
  if (status) return status;
  if (known && id_equal(&before.hash, &request->envelope_hash))
    return answer_stored(batch, request->session, &before.hash, &before.epoch, before.seq, error);
  if (!fits) return refuse_head(batch, request, error);
  if (known)
    return refuse_rule(batch, request, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_SEQUENCE_TAKEN,
                       RULE_sequence_taken, error);
  status = gate_envelope(batch, request, &sending, &passed, error);
  if (status || !passed) return status;
  return deliver(batch, request, &sending, error);
}

/* ---- Ack */

/* Takes what is acknowledged out of the quota, of the mailbox and of each sender. */
static enum collega_status release(struct batch *batch, const struct id *party, struct box *box,
                                   uint64_t through, struct collega_error *error) {
  uint8_t first[NUMBERED_KEY_BYTES];
  numbered_key(first, party, box->acknowledged + 1);
  struct store_cursor cursor;
  enum collega_status status = store_cursor_open(batch->txn, STORE_MAIL, &cursor, error);
  if (status) return status;
  status = store_seek(&cursor, bytes_of(first, sizeof first), error);
  while (!status && cursor.key.data && !memcmp(cursor.key.data, party->byte, ID_BYTES)) {
    struct mail_row row;
    uint64_t waiting = 0;
    status = mail_row_decode(cursor.key, cursor.value, &row, error);
    if (status || row.seq > through) break;
    box->waiting_bytes -= row.counted < box->waiting_bytes ? row.counted : box->waiting_bytes;
    if (row.counted) {
      status = sender_read(batch->txn, party, &row.sender, &waiting, error);
      waiting -= row.counted < waiting ? row.counted : waiting;
      if (!status) status = sender_write(batch->txn, party, &row.sender, waiting, error);
    }
    if (!status) status = store_next(&cursor, error);
  }
  store_cursor_close(&cursor);
  return status;
}

enum collega_status take_ack(struct batch *batch, struct request *request,
                             struct collega_error *error) {
  const Collega__Ack *ack = request->frame->ack;
  struct id party;
  struct box box;
  bool passed = false;
  id_from(&party, ack->party.data, ack->party.len);
  enum collega_status status = gate_member(batch, request, &party, NULL, &passed, error);
  if (status || !passed) return status;
  status = box_read(batch->txn, &party, &box, error);
  if (status) return status;
  /* Of an epoch before a restore: those numbers were given out again since. */
  bool current = bytes_equal(bytes_of(ack->epoch.data, ack->epoch.len),
                             bytes_of(batch->state.epoch.byte, EPOCH_BYTES));
  uint64_t through = ack->seq < box.last_seq ? ack->seq : box.last_seq;
  if (!current || through <= box.acknowledged) return COLLEGA_OK;
  status = release(batch, &party, &box, through, error);
  box.acknowledged = through;
  if (!status) status = box_write(batch->txn, &party, &box, error);
  return status;
}
