/* Mail as the ledger's rows see it: offers for named employers, talks, deals; and how far the
 * mailbox was read. */
#include "client/exchange/talk.h"

#include <string.h>

#include "base/words.h"
#include "proto/guard.h"

enum collega_status apply_mailbox_cursor(struct apply *apply) {
  CollegaStore__OwnParty *own;
  const struct receipt_position *position = apply->event->position;
  if (!position) return COLLEGA_OK; /* a decision that came out of its turn */
  struct bytes epoch = bytes_of(position->epoch.byte, EPOCH_BYTES);
  enum collega_status status =
      own_row(apply->txn, id_bytes(&apply->party), apply->arena, &own, apply->error);
  if (status == COLLEGA_NOT_FOUND) return exchange_row_damaged(apply->error, "own");
  if (status != COLLEGA_OK) return status;
  /* What a restored home could not use at first is recorded after what followed it. */
  if (own->has_mailbox_epoch && own->mailbox_seq >= position->seq &&
      bytes_equal(field_bytes(&own->mailbox_epoch), epoch))
    return COLLEGA_OK;
  own->has_mailbox_epoch = own->has_mailbox_seq = true;
  field_set(&own->mailbox_epoch, epoch.data, epoch.length);
  own->mailbox_seq = position->seq;
  return own_row_put(apply->txn, own, apply->error);
}

/* Mail that comes in its turn was said when it came, by our own clock. */
static enum collega_status said_when(struct apply *apply, const CollegaStore__MailIn *mail,
                                     struct said *out) {
  ProtobufCBinaryData to;
  *out = (struct said){.time = apply->event->time};
  if (!mail->has_fetched || !mail->fetched) return COLLEGA_OK;
  return mail_sealed(mail, apply->event->time, apply->arena, &out->time, &to, apply->error);
}

static enum collega_status apply_letter(struct apply *apply, const Collega__Letter *letter,
                                        const struct said *said) {
  enum collega_status status = COLLEGA_OK;
  for (size_t i = 0; status == COLLEGA_OK && i < letter->n_runs; i++) {
    struct run_view view;
    status = run_read(letter->runs[i], apply->arena, &view, apply->error);
    if (status != COLLEGA_OK || view.count != 1) continue;
    const Collega__Body *body = view.records[0].body;
    if (body->offer || body->status)
      status = apply_public(apply, &view.records[0], NULL, true, bytes_of(NULL, 0));
    if (status == COLLEGA_OK && (body->interest || body->talk))
      status = apply_talk_in(apply, body, said);
  }
  return status == COLLEGA_OK ? apply_letter_deals(apply, letter) : status;
}

/* The broker's word about a deal of which nothing else came here: it was made with keys that are lost. Its root is
 * closed all the same, and the user is told that there is an agreement (or was). */
static enum collega_status note_elsewhere(struct apply *apply, const CollegaStore__MailIn *mail) {
  struct run_view run;
  CollegaStore__RootRow *known, row = COLLEGA_STORE__ROOT_ROW__INIT;
  if (strcmp(mail->problem, rule_name(RULE_deal_unknown)) != 0 ||
      run_read_bytes(field_bytes(&mail->envelope), apply->arena, &run, NULL) != COLLEGA_OK ||
      run.count != 1 || !run.records[0].body->decision)
    return COLLEGA_OK; /* a letter */
  const Collega__Decision *decision = run.records[0].body->decision;
  if (decision->position == 0) return COLLEGA_OK;
  enum collega_status status = root_row(apply->txn, &apply->party, field_bytes(&decision->root),
                                        apply->arena, &known, apply->error);
  if (status != COLLEGA_NOT_FOUND) return status;
  status = root_elsewhere(apply->txn, &apply->party, field_bytes(&decision->root), apply->arena,
                          &known, apply->error);
  if (status != COLLEGA_NOT_FOUND &&
      (status != COLLEGA_OK || known->position >= decision->position))
    return status;
  bool agreed = decision->verdict == COLLEGA__VERDICT__VERDICT_CONCLUDED ||
                decision->verdict == COLLEGA__VERDICT__VERDICT_AMENDED;
  row.root = decision->root;
  field_set_id(&row.decider, &run.signer);
  row.decider_epoch = decision->epoch;
  row.has_position = true;
  row.position = decision->position;
  row.has_closed = row.closed = true;
  row.has_party = true;
  field_set_id(&row.party, &apply->party);
  row.has_elsewhere = true;
  row.elsewhere = agreed ? COLLEGA_STORE__ELSEWHERE__ELSEWHERE_AGREED
                         : COLLEGA_STORE__ELSEWHERE__ELSEWHERE_ENDED;
  return root_row_put(apply->txn, &row, apply->error);
}

enum collega_status apply_mail(struct apply *apply) {
  ProtobufCMessage *message;
  enum collega_status status = apply_payload(apply, &collega_store__mail_in__descriptor, &message);
  if (status != COLLEGA_OK) return status;
  const CollegaStore__MailIn *mail = (const CollegaStore__MailIn *)message;
  if (mail->has_letter && !mail->problem) {
    struct said said;
    status = said_when(apply, mail, &said);
    if (status != COLLEGA_OK) return status;
    const Collega__Letter *letter = (const Collega__Letter *)row_unpack(
        &collega__letter__descriptor, field_bytes(&mail->letter), apply->arena);
    status =
        letter ? apply_letter(apply, letter, &said) : exchange_row_damaged(apply->error, "mail");
  }
  if (status == COLLEGA_OK && mail->problem) status = note_elsewhere(apply, mail);
  return status == COLLEGA_OK ? apply_mailbox_cursor(apply) : status;
}
