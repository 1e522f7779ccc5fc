/* SEQUENCE_TAKEN: a number that this home gave out stands at the broker under another record. So
 * this home is a copy, or was restored by hand, and cannot know which other numbers are taken. It
 * begins a new ledger epoch, whose numbers are its own, and signs anew what was refused. */
#include "client/exchange/deal_rows.h"
#include "client/exchange/intake.h"

#include "base/log.h"
#include "proto/guard.h"

/* One new epoch for all that was numbered in the old one. */
static enum collega_status leave_epoch(struct intake *intake, const ProtobufCBinaryData *taken) {
  struct epoch epoch;
  enum collega_status status = ledger_epoch(intake->txn, &epoch, intake->error);
  if (status != COLLEGA_OK || !bytes_equal(field_bytes(taken), bytes_of(epoch.byte, EPOCH_BYTES)))
    return status;
  log_warning("sequence_taken", "a new ledger epoch begins");
  return ledger_new_epoch(intake->txn, intake->now, intake->error);
}

static enum collega_status append_refusal(struct intake *intake, const struct id *refused,
                                          const Collega__Refusal *refusal) {
  return intake_append(intake, COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_REFUSED,
                       &intake->exchange->host, refused, NULL, &refusal->base);
}

/* ---- a record of a Publish */

static enum collega_status append_record(struct intake *intake, const struct id *party,
                                         Collega__Body *body, ProtobufCBinaryData *private_part) {
  const struct identity *identity = exchange_identity(intake->exchange, party);
  CollegaStore__OwnRecords content = COLLEGA_STORE__OWN_RECORDS__INIT;
  struct bytes packed, run_bytes;
  struct id id;
  Collega__Run *run;
  if (!identity) return exchange_row_damaged(intake->error, "own");
  enum collega_status status = body_finish(body, intake->arena, &packed, &id, intake->error);
  if (status == COLLEGA_OK)
    status = run_sign(identity, &packed, 1, intake->arena, &run, intake->error);
  if (status == COLLEGA_OK)
    status = exchange_pack(intake->arena, &run->base, &run_bytes, intake->error);
  if (status != COLLEGA_OK) return status;
  field_set(&content.run, run_bytes.data, run_bytes.length);
  content.n_privates = private_part ? 1 : 0;
  content.privates = private_part;
  return intake_append(intake, COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_OWN_RECORDS, party, &id, NULL,
                       &content.base);
}

static enum collega_status record_anew(struct intake *intake, const struct id *refused,
                                       const struct own_record *own) {
  struct ledger_event event;
  struct run_view view;
  Collega__Body *numbered;
  enum collega_status status =
      ledger_entry(intake->txn, own->entry, intake->arena, &event, intake->error);
  if (status != COLLEGA_OK || !event.payload.data) return status;
  const CollegaStore__OwnRecords *records = (const CollegaStore__OwnRecords *)row_unpack(
      &collega_store__own_records__descriptor, event.payload, intake->arena);
  if (!records) return exchange_row_damaged(intake->error, "own records");
  status = run_read_bytes(field_bytes(&records->run), intake->arena, &view, intake->error);
  for (size_t i = 0; status == COLLEGA_OK && i < view.count; i++) {
    if (!id_equal(&view.records[i].id, refused)) continue;
    Collega__Body body = *view.records[i].body;
    status = leave_epoch(intake, &body.epoch);
    if (status == COLLEGA_OK)
      status = exchange_own_body(intake->exchange, intake->txn, &view.signer, intake->arena,
                                 &numbered, intake->error);
    if (status != COLLEGA_OK) return status;
    body.epoch = numbered->epoch;
    body.seq = numbered->seq;
    return append_record(intake, &view.signer, &body,
                         i < records->n_privates ? &records->privates[i] : NULL);
  }
  return status;
}

/* ---- a letter */

static enum collega_status letter_anew(struct intake *intake,
                                       const CollegaStore__OutboxItem *item) {
  struct bytes bytes = field_bytes(&item->data), sealed;
  const Collega__Envelope *envelope;
  const Collega__Letter *letter;
  CollegaStore__Sealed content = COLLEGA_STORE__SEALED__INIT;
  struct epoch epoch;
  struct id from, to, hash;
  enum collega_status status = envelope_read(bytes, intake->arena, &envelope, intake->error);
  if (status != COLLEGA_OK) return status;
  (void)id_from(&from, envelope->from.data, envelope->from.len);
  (void)id_from(&to, envelope->to.data, envelope->to.len);
  const struct identity *self = exchange_identity(intake->exchange, &from);
  const struct known_party *recipient = members_find(intake->members, &to);
  if (!self || !recipient || !envelope->has_copy) return COLLEGA_OK; /* it cannot be read here */
  status = letter_open(self, intake->members, envelope, intake->arena, &letter, intake->error);
  if (status == COLLEGA_OK) status = leave_epoch(intake, &letter->epoch);
  if (status == COLLEGA_OK) status = ledger_epoch(intake->txn, &epoch, intake->error);
  if (status != COLLEGA_OK) return status;
  Collega__Letter anew = *letter;
  field_set(&anew.epoch, epoch.byte, EPOCH_BYTES);
  status = ledger_next_sequence(intake->txn, &from, SEQUENCE_MAIL, 1, &anew.seq, intake->error);
  if (status == COLLEGA_OK)
    status = letter_seal(self, recipient, &anew, true, envelope->not_after, intake->arena, &sealed,
                         intake->error);
  if (status != COLLEGA_OK) return status;
  envelope_hash(&hash, sealed);
  field_set(&content.envelope, sealed.data, sealed.length);
  content.has_deal = item->has_deal;
  content.deal = item->deal;
  return intake_append(intake, COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_SEALED, &from, &hash, NULL,
                       &content.base);
}

enum collega_status intake_sign_anew(struct intake *intake, const struct id *refused,
                                     const struct own_record *own,
                                     const CollegaStore__OutboxItem *item,
                                     const Collega__Refusal *refusal) {
  enum collega_status status = append_refusal(intake, refused, refusal);
  if (status != COLLEGA_OK) return status;
  if (!item) return record_anew(intake, refused, own);
  return item->kind == COLLEGA_STORE__OUTBOX_KIND__OUTBOX_KIND_SEND ? letter_anew(intake, item)
                                                                    : COLLEGA_OK;
}
