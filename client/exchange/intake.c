/* The one door in. The link has let a frame through its guard; here it is verified, judged
 * against what the ledger holds, and stored in one transaction, or it leaves no trace. What has
 * been taken before changes nothing. */
#include "client/exchange/intake.h"
#include "client/exchange/parties.h"

#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/words.h"
#include "proto/check.h"
#include "proto/guard.h"

enum collega_status intake_forged(struct intake *intake, enum rule rule) {
  return error_set(intake->error, COLLEGA_FORGED, rule, NULL, NULL);
}

enum collega_status intake_append(struct intake *intake, CollegaStore__EntryKind kind,
                                  const struct id *party, const struct id *record,
                                  const struct receipt_position *position,
                                  const ProtobufCMessage *payload) {
  struct ledger_event event = {.time = intake->now,
                               .kind = kind,
                               .party = party,
                               .record = record,
                               .counterpart = id_is_zero(&intake->broker) ? NULL : &intake->broker,
                               .position = position};
  enum collega_status status = exchange_pack(intake->arena, payload, &event.payload, intake->error);
  return status == COLLEGA_OK
             ? exchange_append(intake->exchange, intake->txn, &event, intake->error)
             : status;
}

/* What is signed by somebody unknown is as good as forged: the board brings cards before what
 * they sign. */
static enum collega_status forged_if_unknown(enum collega_status status,
                                             struct collega_error *error) {
  if (status != COLLEGA_NOT_FOUND) return status;
  if (error) error->status = COLLEGA_FORGED;
  return COLLEGA_FORGED;
}

enum collega_status intake_receipt(struct intake *intake, const Collega__ReceiptRun *receipt,
                                   const struct id *ids, size_t count) {
  uint8_t key[32];
  if (id_is_zero(&intake->broker) || !field_is(&receipt->origin, &intake->broker))
    return intake_forged(intake, RULE_not_this_broker);
  enum collega_status status =
      members_signing_key(intake->members, &intake->broker, receipt->key_epoch, key, intake->error);
  if (status != COLLEGA_OK) return forged_if_unknown(status, intake->error);
  return receipt_verify_next(receipt, ids, count, key, &intake->exchange->receipt_seen,
                             intake->error);
}

/* ---- Welcome and Cert */

/* The broker's cards, each verified by the one before. */
static enum collega_status take_cards(struct intake *intake, Collega__Run *const *cards,
                                      size_t count, const struct id *broker) {
  enum collega_status status = COLLEGA_OK;
  for (size_t i = 0; status == COLLEGA_OK && i < count; i++) {
    struct run_view view;
    status = run_read(cards[i], intake->arena, &view, intake->error);
    if (status != COLLEGA_OK) break;
    if (view.count != 1 || !view.records[0].body->card ||
        !field_is(&view.records[0].body->card->party, broker))
      return intake_forged(intake, RULE_not_this_broker);
    status = members_take(intake->members, &view, 0, NULL, broker, 1, intake->error);
  }
  return forged_if_unknown(status, intake->error);
}

/* Who invites the party that is about to join; zero: nobody. */
static enum collega_status invited_by(struct intake *intake, const struct id *party,
                                      Collega__Invitation **invitation, struct id *broker) {
  memset(broker, 0, sizeof *broker);
  enum collega_status status =
      party_invitation(intake->exchange, party, intake->arena, invitation, intake->error);
  if (status == COLLEGA_OK && *invitation)
    (void)id_from(broker, (*invitation)->broker.data, (*invitation)->broker.len);
  return status;
}

/* Has the broker seen this home further on than this ledger is? Compared by hash: a restored or
 * copied home may have gone on by itself. */
static enum collega_status is_behind(struct intake *intake, const Collega__Head *seen,
                                     bool *behind) {
  struct id hash;
  *behind = false;
  const CollegaStore__BrokerRow *row = intake->broker_row;
  if (row && row->has_told_hash && field_is(&row->told_hash, &intake->told->head.hash))
    return COLLEGA_OK; /* fetched before: this ledger follows on it */
  enum collega_status status = ledger_hash_at(intake->txn, seen->number, &hash, intake->error);
  if (status == COLLEGA_NOT_FOUND) {
    *behind = true;
    return COLLEGA_OK;
  }
  if (status == COLLEGA_OK) *behind = !field_is(&seen->hash, &hash);
  return status;
}

static enum collega_status tell_seen(struct intake *intake, const Collega__Head *seen) {
  struct told_head *told = intake->told;
  memset(told, 0, sizeof *told);
  if (!seen) return COLLEGA_OK;
  told->any = true;
  told->head.number = seen->number;
  if (!epoch_from(&told->head.epoch, seen->epoch.data, seen->epoch.len) ||
      !id_from(&told->head.hash, seen->hash.data, seen->hash.len))
    return intake_forged(intake, RULE_not_this_broker);
  return is_behind(intake, seen, &intake->outcome->behind);
}

/* An entry only when something about the broker changed. */
static enum collega_status note_broker(struct intake *intake, const Collega__Welcome *welcome,
                                       bool new_card) {
  const CollegaStore__BrokerRow *row = intake->broker_row;
  if (!new_card && strcmp(row->name, welcome->name) == 0 &&
      row->epoch_number == welcome->epoch_number &&
      bytes_equal(field_bytes(&row->epoch), field_bytes(&welcome->epoch)))
    return COLLEGA_OK;
  /* A number that is given to two epochs cannot tell which word is the newer one. */
  if (welcome->epoch_number < row->epoch_number ||
      (welcome->epoch_number == row->epoch_number &&
       !bytes_equal(field_bytes(&row->epoch), field_bytes(&welcome->epoch))))
    return intake_forged(intake, RULE_epoch_not_newer);
  CollegaStore__BrokerSeen seen = COLLEGA_STORE__BROKER_SEEN__INIT;
  seen.broker = row->broker;
  seen.name = welcome->name;
  seen.epoch = welcome->epoch;
  seen.epoch_number = welcome->epoch_number;
  seen.cards = arena_take(intake->arena, welcome->n_cards * sizeof *seen.cards);
  if (!seen.cards) return exchange_no_memory(intake->error);
  for (size_t i = 0; i < welcome->n_cards; i++) {
    struct bytes packed;
    enum collega_status status =
        exchange_pack(intake->arena, &welcome->cards[i]->base, &packed, intake->error);
    if (status != COLLEGA_OK) return status;
    field_set(&seen.cards[seen.n_cards++], packed.data, packed.length);
  }
  return intake_append(intake, COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_WELCOME, NULL, NULL, NULL,
                       &seen.base);
}

static size_t cards_known(struct intake *intake, const struct id *party) {
  const struct known_party *known = members_find(intake->members, party);
  return known ? known->card_count : 0;
}

static enum collega_status take_welcome(struct intake *intake, const Collega__Welcome *welcome) {
  struct exchange *exchange = intake->exchange;
  Collega__Invitation *invitation = NULL;
  struct id broker = intake->broker;
  enum collega_status status = COLLEGA_OK;
  if (!intake->broker_row) status = invited_by(intake, &exchange->host, &invitation, &broker);
  if (status != COLLEGA_OK) return status;
  if (id_is_zero(&broker)) return intake_forged(intake, RULE_not_this_broker);
  size_t before = cards_known(intake, &broker);
  status = take_cards(intake, welcome->cards, welcome->n_cards, &broker);
  if (status == COLLEGA_OK) status = tell_seen(intake, welcome->seen);
  if (intake->broker_row && intake->broker_row->restored) intake->outcome->behind = true;
  if (status == COLLEGA_OK && intake->broker_row)
    status = note_broker(intake, welcome, cards_known(intake, &broker) > before);
  if (status != COLLEGA_OK) return status;
  (void)epoch_from(&exchange->welcome_epoch, welcome->epoch.data, welcome->epoch.len);
  exchange->welcome_number = welcome->epoch_number;
  intake->outcome->welcomed = welcome->member && intake->broker_row;
  exchange->ask_due = exchange->ask_due || intake->outcome->welcomed;
  intake_catch_up_begin(intake, welcome);
  return COLLEGA_OK;
}

static bool holds_cert(const struct known_party *party, const struct id *record) {
  for (size_t i = 0; i < party->cert_count; i++)
    if (id_equal(&party->certs[i].record, record)) return true;
  return false;
}

static enum collega_status take_cert(struct intake *intake, const Collega__Cert *cert) {
  struct exchange *exchange = intake->exchange;
  Collega__Invitation *invitation = NULL;
  struct id broker;
  struct run_view view;
  struct bytes packed;
  const struct id *party = id_is_zero(&exchange->joining) ? &exchange->host : &exchange->joining;
  bool hosted = !id_equal(party, &exchange->host), certified = intake->broker_row != NULL;
  enum collega_status status =
      hosted ? party_is_certified(intake->txn, id_bytes(party), &certified, intake->error)
             : COLLEGA_OK;
  if (status == COLLEGA_OK) status = invited_by(intake, party, &invitation, &broker);
  if (status != COLLEGA_OK) return status;
  /* The answer to a Join that was sent twice. */
  intake->outcome->joined = certified && !invitation;
  if (intake->outcome->joined) return COLLEGA_OK;
  if (!invitation || (intake->broker_row && !id_equal(&broker, &intake->broker)))
    return intake_forged(intake, RULE_not_this_broker);
  status = take_cards(intake, cert->cards, cert->n_cards, &broker);
  if (status == COLLEGA_OK) status = run_read(cert->cert, intake->arena, &view, intake->error);
  if (status != COLLEGA_OK) return status;
  if (view.count != 1 || !view.records[0].body->cert || !id_equal(&view.signer, &broker) ||
      !field_is(&view.records[0].body->cert->party, party) ||
      hosted != (bool)view.records[0].body->cert->has_host ||
      (hosted && !field_is(&view.records[0].body->cert->host, &exchange->host)))
    return intake_forged(intake, RULE_not_this_broker);
  const struct known_party *self = members_find(intake->members, party);
  intake->outcome->joined = certified && self && holds_cert(self, &view.records[0].id);
  if (intake->outcome->joined) return COLLEGA_OK; /* the same token again */
  status = members_take(intake->members, &view, 0, NULL, &broker, 1, intake->error);
  if (status == COLLEGA_OK)
    status = exchange_pack(intake->arena, &cert->base, &packed, intake->error);
  if (status != COLLEGA_OK) return forged_if_unknown(status, intake->error);

  CollegaStore__Joined joined = COLLEGA_STORE__JOINED__INIT;
  field_set_id(&joined.broker, &broker);
  field_set(&joined.cert, packed.data, packed.length);
  joined.n_addresses = invitation->n_addresses;
  joined.addresses = invitation->addresses;
  joined.link_key = invitation->link_key;
  field_set(&joined.epoch, exchange->welcome_epoch.byte, EPOCH_BYTES);
  joined.epoch_number = exchange->welcome_number;
  status = intake_append(intake, COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_JOINED, party,
                         &view.records[0].id, NULL, &joined.base);
  intake->outcome->joined = status == COLLEGA_OK;
  return status;
}

/* ---- answers */

static enum collega_status any_waiting(struct intake *intake, const struct id *ids, size_t count,
                                       bool *any) {
  *any = false;
  for (size_t i = 0; i < count && !*any; i++) {
    struct own_record own;
    enum collega_status status =
        own_record_get(intake->txn, bytes_of(ids[i].byte, ID_BYTES), &own, intake->error);
    if (status != COLLEGA_OK && status != COLLEGA_NOT_FOUND) return status;
    *any = status == COLLEGA_OK && own.state != RECORD_RECEIPTED;
  }
  return COLLEGA_OK;
}

static enum collega_status take_receipts(struct intake *intake, const Collega__Receipts *receipts) {
  bool any = false;
  struct id *ids = arena_take(intake->arena, receipts->n_ids * sizeof *ids);
  if (!ids) return exchange_no_memory(intake->error);
  for (size_t i = 0; i < receipts->n_ids; i++)
    if (!id_from(&ids[i], receipts->ids[i].data, receipts->ids[i].len))
      return intake_forged(intake, RULE_not_this_broker);
  enum collega_status status = intake_receipt(intake, receipts->receipt, ids, receipts->n_ids);
  if (status == COLLEGA_OK) status = any_waiting(intake, ids, receipts->n_ids, &any);
  if (status != COLLEGA_OK || !any) return status;
  status = intake_append(intake, COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_RECEIPTS,
                         &intake->exchange->host, &ids[0], NULL, &receipts->base);
  fault_point(FAULT_node_receipt_before_commit);
  return status;
}

/* NOT_FOUND: nothing of ours waits under this id. */
static enum collega_status waiting_item(struct intake *intake, const ProtobufCBinaryData *field,
                                        struct id *key, CollegaStore__OutboxItem **item) {
  if (!id_from(key, field->data, field->len)) return COLLEGA_NOT_FOUND;
  enum collega_status status = outbox_find(intake->txn, key, intake->arena, item, intake->error);
  return status == COLLEGA_OK && (*item)->refused ? COLLEGA_NOT_FOUND : status;
}

static enum collega_status take_stored(struct intake *intake, const Collega__Stored *stored) {
  struct id key;
  CollegaStore__OutboxItem *item = NULL;
  enum collega_status status = waiting_item(intake, &stored->hash, &key, &item);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status != COLLEGA_OK) return status;
  struct receipt_position position = {.origin = intake->broker, .seq = stored->seq};
  (void)epoch_from(&position.epoch, stored->epoch.data, stored->epoch.len);
  return intake_append(intake, COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_STORED,
                       &intake->exchange->host, &key, &position, &stored->base);
}

/* Refusals that time or another connection cures: what was refused goes on waiting. A wrong head
 * ends a message about a deal for good, but a record may well be published with the right one. */
static bool refusal_passes(Collega__RefusalCode code, bool publish) {
  switch (code) {
  case COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_MEMBER:
  case COLLEGA__REFUSAL_CODE__REFUSAL_CODE_QUOTA:
  case COLLEGA__REFUSAL_CODE__REFUSAL_CODE_FULL:
    return true;
  case COLLEGA__REFUSAL_CODE__REFUSAL_CODE_HEAD:
    return publish;
  case COLLEGA__REFUSAL_CODE__REFUSAL_CODE_MALFORMED:
  case COLLEGA__REFUSAL_CODE__REFUSAL_CODE_INVALID:
  case COLLEGA__REFUSAL_CODE__REFUSAL_CODE_SEQUENCE_TAKEN:
  case COLLEGA__REFUSAL_CODE__REFUSAL_CODE_EXPIRED:
  case COLLEGA__REFUSAL_CODE__REFUSAL_CODE_UNKNOWN:
  case COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED:
  case COLLEGA__REFUSAL_CODE__REFUSAL_CODE_INVITATION:
    return false;
  case _COLLEGA__REFUSAL_CODE_IS_INT_SIZE:
    break;
  }
  return false;
}

static enum collega_status take_refusal(struct intake *intake, const Collega__Refusal *refusal) {
  struct id key;
  struct own_record own;
  CollegaStore__OutboxItem *item = NULL;
  if (!refusal->has_which) return COLLEGA_OK; /* of the frame as a whole: the link's business */
  enum collega_status status =
      own_record_get(intake->txn, field_bytes(&refusal->which), &own, intake->error);
  bool publish = status == COLLEGA_OK;
  if (publish) {
    if (own.state != RECORD_WAITING) return COLLEGA_OK;
    (void)id_from(&key, refusal->which.data, refusal->which.len);
  } else if (status == COLLEGA_NOT_FOUND) {
    status = waiting_item(intake, &refusal->which, &key, &item);
    if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  }
  if (status != COLLEGA_OK) return status;
  if (refusal->code == COLLEGA__REFUSAL_CODE__REFUSAL_CODE_HEAD) intake->outcome->fenced = true;
  if (refusal->code == COLLEGA__REFUSAL_CODE__REFUSAL_CODE_SEQUENCE_TAKEN)
    return intake_sign_anew(intake, &key, &own, item, refusal);
  if (refusal_passes(refusal->code, publish)) {
    log_warning("refused_for_now", "rule=%s", refusal->rule);
    return COLLEGA_OK;
  }
  return intake_append(intake, COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_REFUSED,
                       &intake->exchange->host, &key, NULL, &refusal->base);
}

static enum collega_status take_reset(struct intake *intake, const Collega__Reset *reset) {
  if (reset->follow != FOLLOW_NUMBER) return COLLEGA_OK;
  if (id_is_zero(&intake->broker) || !field_is(&reset->origin, &intake->broker))
    return intake_forged(intake, RULE_not_this_broker);
  const CollegaStore__BrokerRow *row = intake->broker_row;
  if (row->has_log_seq && row->log_seq == 0 && row->has_log_epoch &&
      bytes_equal(field_bytes(&row->log_epoch), field_bytes(&reset->epoch)))
    return COLLEGA_OK; /* dropped already, and nothing read since */
  return intake_append(intake, COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_RESET, NULL, NULL, NULL,
                       &reset->base);
}

/* ---- the door */

static enum collega_status take(struct intake *intake, const Collega__FromBroker *frame) {
  if (frame->welcome) return take_welcome(intake, frame->welcome);
  if (frame->cert) return take_cert(intake, frame->cert);
  if (frame->receipts) return take_receipts(intake, frame->receipts);
  if (frame->reset) return take_reset(intake, frame->reset);
  if (frame->mail) return intake_mail(intake, frame->mail);
  if (frame->stored) return take_stored(intake, frame->stored);
  if (frame->question) return intake_question(intake, frame->question);
  if (frame->refusal) return take_refusal(intake, frame->refusal);
  return COLLEGA_OK; /* Credit, Ping, Pong are the link's */
}

enum collega_status intake_read_broker(struct intake *intake) {
  enum collega_status status =
      exchange_broker(intake->txn, intake->arena, &intake->broker_row, intake->error);
  if (status == COLLEGA_OK && intake->broker_row &&
      !id_from(&intake->broker, intake->broker_row->broker.data, intake->broker_row->broker.len))
    status = exchange_row_damaged(intake->error, "brokers");
  return status;
}

enum collega_status intake_begin(struct intake *intake, struct exchange *exchange, collega_time now,
                                 struct told_head *told, struct arena *arena,
                                 struct intake_outcome *outcome, struct collega_error *error) {
  memset(outcome, 0, sizeof *outcome);
  exchange->settled_first = exchange->settled_last = 0;
  exchange->intake_time = now;
  *intake = (struct intake){.exchange = exchange,
                            .now = now,
                            .told = told,
                            .arena = arena,
                            .outcome = outcome,
                            .error = error};
  enum collega_status status = exchange_begin(exchange, &intake->txn, error);
  if (status == COLLEGA_OK) intake->members = exchange_members(exchange, intake->txn);
  return status;
}

enum collega_status intake_end(struct intake *intake, enum collega_status status) {
  struct intake_outcome *outcome = intake->outcome;
  fault_point(FAULT_node_intake_before_commit);
  status = exchange_end(intake->exchange, &intake->txn, status, intake->error);
  fault_point(FAULT_node_intake_after_commit);
  if (status != COLLEGA_OK) {
    outcome->frame_due = outcome->joined = outcome->welcomed = outcome->caught_up = false;
    return status;
  }
  outcome->settled_first = intake->exchange->settled_first;
  outcome->settled_last = intake->exchange->settled_last;
  return COLLEGA_OK;
}

enum collega_status intake_frame(struct exchange *exchange, const Collega__FromBroker *frame,
                                 struct bytes packed, collega_time now, struct told_head *told,
                                 struct arena *arena, struct intake_outcome *outcome,
                                 struct collega_error *error) {
  (void)packed; /* records and envelopes inside are bytes of their own, and stay verbatim */
  struct collega_error
      own_error; /* why a letter is bad is stored, whether or not the caller asks */
  struct intake intake;
  size_t taken;
  if (!error) error = &own_error;
  if (frame->board)
    return intake_boards(exchange, &frame, 1, now, told, arena, &taken, outcome, error);
  enum collega_status status = intake_begin(&intake, exchange, now, told, arena, outcome, error);
  if (status != COLLEGA_OK) return status;
  status = intake_read_broker(&intake);
  if (frame->welcome) exchange_drop_held(exchange); /* a new session: it all comes again */
  if (status == COLLEGA_OK) status = take(&intake, frame);
  if (status == COLLEGA_OK && !outcome->frame_due) status = intake_catch_up(&intake);
  status = intake_end(&intake, status);
  if (status == COLLEGA_OK && outcome->joined)
    party_invitation_done(exchange,
                          id_is_zero(&exchange->joining) ? &exchange->host : &exchange->joining);
  return status;
}
