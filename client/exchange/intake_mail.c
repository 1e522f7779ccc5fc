/* Mail: letters sealed to a party that lives here, and the broker's decisions. What cannot be
 * opened or does not stand up is recorded with the reason, and acknowledged: it would not get
 * better by coming again. */
#include "client/exchange/deal_rows.h"
#include "client/exchange/intake.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/words.h"
#include "proto/check.h"
#include "proto/guard.h"

static enum collega_status append_mail(struct intake *intake, const struct mail_place *place,
                                       struct bytes envelope, struct bytes letter, bool fetched,
                                       const char *problem) {
  CollegaStore__MailIn mail = COLLEGA_STORE__MAIL_IN__INIT;
  struct id hash;
  field_set_id(&mail.party, &place->party);
  field_set(&mail.epoch, place->position.epoch.byte, EPOCH_BYTES);
  mail.seq = place->position.seq;
  field_set(&mail.envelope, envelope.data, envelope.length);
  mail.has_letter = letter.data != NULL;
  field_set(&mail.letter, letter.data, letter.length);
  mail.has_fetched = mail.fetched = fetched;
  mail.problem = (char *)(uintptr_t)problem;
  envelope_hash(&hash, envelope);
  return intake_append(intake,
                       problem ? COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MAIL_BAD
                               : COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MAIL_IN,
                       &place->party, &hash, &place->position, &mail.base);
}

/* Is it the fault of what came in? Otherwise it is ours, and it must come again. */
static bool is_bad(enum collega_status status) {
  switch (status) {
  case COLLEGA_INVALID:
  case COLLEGA_REFUSED:
  case COLLEGA_NOT_FOUND:
  case COLLEGA_EXISTS:
  case COLLEGA_FORGED:
    return true;
  case COLLEGA_OK:
  case COLLEGA_USAGE:
  case COLLEGA_UNREACHABLE:
  case COLLEGA_BUSY:
  case COLLEGA_FULL:
  case COLLEGA_DAMAGED:
  case COLLEGA_SYSTEM:
    break;
  }
  return false;
}

/* ---- what is in a letter */

static enum collega_status judge_record(struct intake *intake, const struct mail_place *place,
                                        const struct id *sender, const struct run_view *view,
                                        const Collega__Letter *letter) {
  const struct record *record = &view->records[0];
  if (record->refused != NULL) {
    *intake->error = *record->refused;
    return record->refused->status;
  }
  switch (record->body->type) {
  case COLLEGA__BODY_TYPE__BODY_TYPE_MANDATE:
    return members_take(intake->members, view, 0, NULL, &intake->broker, 1, intake->error);
  case COLLEGA__BODY_TYPE__BODY_TYPE_OFFER:
  case COLLEGA__BODY_TYPE__BODY_TYPE_STATUS:
    return COLLEGA_OK;
  case COLLEGA__BODY_TYPE__BODY_TYPE_INTEREST:
  case COLLEGA__BODY_TYPE__BODY_TYPE_TALK:
    return intake_talk_record(intake, &place->party, sender, view);
  case COLLEGA__BODY_TYPE__BODY_TYPE_TERMINATE:
  case COLLEGA__BODY_TYPE__BODY_TYPE_RELEASE:
  case COLLEGA__BODY_TYPE__BODY_TYPE_RELEASE_ANSWER:
    return intake_change_record(intake, &place->party, sender, view);
  case COLLEGA__BODY_TYPE__BODY_TYPE_DEAL:
  case COLLEGA__BODY_TYPE__BODY_TYPE_ACCEPTANCE:
    return intake_deal_record(intake, &place->party, sender, view, letter->terms);
  case COLLEGA__BODY_TYPE__BODY_TYPE_DECISION:
    return intake_decision(intake, &place->party, view);
  case COLLEGA__BODY_TYPE__BODY_TYPE_CARD:
  case COLLEGA__BODY_TYPE__BODY_TYPE_CERT:
  case COLLEGA__BODY_TYPE__BODY_TYPE_MANDATE_END:
  case COLLEGA__BODY_TYPE__BODY_TYPE_REVOCATION:
  case COLLEGA__BODY_TYPE__BODY_TYPE_TRUST:
  case COLLEGA__BODY_TYPE__BODY_TYPE_EPOCH_START:
  case COLLEGA__BODY_TYPE__BODY_TYPE_DECLINE:
  case COLLEGA__BODY_TYPE__BODY_TYPE_WITHDRAW:
  case COLLEGA__BODY_TYPE__BODY_TYPE_ASK:
  case COLLEGA__BODY_TYPE__BODY_TYPE_EPOCH_ANSWER:
    break;
  case _COLLEGA__BODY_TYPE_IS_INT_SIZE:
    break;
  }
  return error_set(intake->error, COLLEGA_INVALID, RULE_letter_content, NULL, NULL);
}

/* A letter may have waited until its sender's card was replaced. Then a proposal in it is nobody's word: who has the
 * stolen key may write one at any time. An acceptance is taken, since it counts only by a decision that names it, and
 * that the decider gave while the card counted. *skip: a mandate beside it, which the board brings. */
static enum collega_status verify_in_letter(struct intake *intake, const struct run_view *view,
                                            bool *skip) {
  const Collega__Body *body = view->records[0].body;
  enum collega_status status = members_verify_run(intake->members, view, intake->error);
  if ((status != COLLEGA_FORGED && status != COLLEGA_NOT_FOUND) ||
      (!body->acceptance && !body->mandate))
    return status;
  struct collega_error why;
  if (members_verify_anchored(intake->members, view, NULL, NULL, &why) != COLLEGA_OK) return status;
  *skip = body->mandate;
  return COLLEGA_OK;
}

/* Records are the sender's own, one a run, except decisions: those are the decider's. */
static enum collega_status judge_letter(struct intake *intake, const struct mail_place *place,
                                        const Collega__Letter *letter) {
  struct id sender;
  enum collega_status status = COLLEGA_OK;
  if (!id_from(&sender, letter->from.data, letter->from.len))
    return error_set(intake->error, COLLEGA_INVALID, RULE_letter_content, NULL, NULL);
  /* Mandates first: a proposal names one that may have come with it. */
  for (int mandates = 1; status == COLLEGA_OK && mandates >= 0; mandates--) {
    for (size_t i = 0; status == COLLEGA_OK && i < letter->n_runs; i++) {
      struct run_view view;
      status = run_read(letter->runs[i], intake->arena, &view, intake->error);
      if (status != COLLEGA_OK) break;
      Collega__BodyType type = view.records[0].body->type;
      if ((type == COLLEGA__BODY_TYPE__BODY_TYPE_MANDATE) != (mandates == 1)) continue;
      bool decision = type == COLLEGA__BODY_TYPE__BODY_TYPE_DECISION;
      if (view.count != 1 || (!decision && !id_equal(&view.signer, &sender)))
        return error_set(intake->error, COLLEGA_INVALID, RULE_letter_content, NULL, NULL);
      bool skip = false;
      status = verify_in_letter(intake, &view, &skip);
      if (status == COLLEGA_OK && !skip)
        status = judge_record(intake, place, &sender, &view, letter);
    }
  }
  return status;
}

/* ---- one item */

/* The reason is the error that is at hand. */
enum collega_status intake_bad_item(struct intake *intake, const struct mail_place *place,
                                    struct bytes bytes) {
  const char *problem = rule_name(intake->error->rule);
  log_warning("mail_bad", "rule=%s", problem);
  return append_mail(intake, place, bytes, bytes_of(NULL, 0), false, problem);
}

enum collega_status intake_envelope(struct intake *intake, const struct mail_place *place,
                                    struct bytes bytes, enum mail_turn turn, bool *left) {
  const Collega__Envelope *envelope = NULL;
  const Collega__Letter *letter = NULL;
  const struct identity *self = exchange_identity(intake->exchange, &place->party);
  struct bytes packed = {NULL, 0};
  struct id sender;
  enum collega_status status = envelope_read(bytes, intake->arena, &envelope, intake->error);
  if (status == COLLEGA_OK && id_from(&sender, envelope->from.data, envelope->from.len) &&
      !members_find(intake->members, &sender)) {
    /* The broker takes mail from members only, and its board brings their cards: this one's is
     * on its way. */
    status = error_set(intake->error, COLLEGA_UNREACHABLE, RULE_sender_not_known_yet, NULL, NULL);
    if (turn == MAIL_FETCHED) *left = true;
    return turn == MAIL_FETCHED ? COLLEGA_OK : status;
  }
  if (status == COLLEGA_OK)
    status = letter_open(self, intake->members, envelope, intake->arena, &letter, intake->error);
  if (status == COLLEGA_NOT_FOUND && intake->error->rule == RULE_card_unknown && place->may_wait)
    /* Signed with a new card, which is on its way as well. */
    return error_set(intake->error, COLLEGA_UNREACHABLE, RULE_sender_not_known_yet, NULL, NULL);
  if (status == COLLEGA_OK && !field_is(&letter->to, &place->party))
    status = error_set(intake->error, COLLEGA_INVALID, RULE_letter_content, NULL, NULL);
  if (status == COLLEGA_OK) status = judge_letter(intake, place, letter);
  if (status == COLLEGA_OK) {
    status = exchange_pack(intake->arena, &letter->base, &packed, intake->error);
    return status == COLLEGA_OK
               ? append_mail(intake, place, bytes, packed, turn == MAIL_FETCHED, NULL)
               : status;
  }
  if (!is_bad(status)) return status;
  if (turn == MAIL_FETCHED) *left = true;
  return turn == MAIL_FETCHED ? COLLEGA_OK : intake_bad_item(intake, place, bytes);
}

/* Is this decision beside its deal already? Without the deal there is nothing to see that by, and its turn in the
 * mailbox will come, or was: it counts as held, lest every repeat of it were one more entry. */
static enum collega_status decision_held(struct intake *intake, const struct id *party,
                                         const struct run_view *view, struct bytes bytes,
                                         bool *held) {
  CollegaStore__DealRow *row;
  *held = false;
  enum collega_status status =
      deal_row(intake->txn, party, field_bytes(&view->records[0].body->decision->deal),
               intake->arena, &row, intake->error);
  *held = status == COLLEGA_NOT_FOUND;
  if (*held) return COLLEGA_OK;
  for (size_t i = 0; status == COLLEGA_OK && i < row->n_decisions && !*held; i++)
    *held = bytes_equal(field_bytes(&row->decisions[i]), bytes);
  return status;
}

static enum collega_status read_decision(struct intake *intake, struct bytes bytes,
                                         struct run_view *view) {
  enum collega_status status = run_read_bytes(bytes, intake->arena, view, intake->error);
  if (status == COLLEGA_OK && (view->count != 1 || !view->records[0].body->decision))
    return error_set(intake->error, COLLEGA_INVALID, RULE_letter_content, NULL, NULL);
  if (status == COLLEGA_OK && view->records[0].refused != NULL) {
    *intake->error = *view->records[0].refused;
    return intake->error->status;
  }
  return status == COLLEGA_OK ? members_verify_run(intake->members, view, intake->error) : status;
}

struct deal_request {
  const CollegaStore__DealRow *row;
  bool waits;
};

static bool visit_request(void *context, const CollegaStore__OutboxItem *item) {
  struct deal_request *request = context;
  request->waits = item->kind == COLLEGA_STORE__OUTBOX_KIND__OUTBOX_KIND_DECIDE && item->has_deal &&
                   bytes_equal(field_bytes(&item->deal), field_bytes(&request->row->deal)) &&
                   bytes_equal(field_bytes(&item->party), field_bytes(&request->row->party));
  return !request->waits;
}

/* The last word, said once more: who wants the agreement to end signs that again. A decider that was restored asks both
 * sides before it rules, and keeps no notice meanwhile. One that is on its way need not be signed twice. */
static enum collega_status ends_again(struct intake *intake, const struct id *party,
                                      const struct id *root, const struct record *record,
                                      bool *use) {
  struct negotiation negotiation;
  struct deal_request request = {.waits = false};
  CollegaStore__RootRow *root_row;
  CollegaStore__DealRow *row;
  enum collega_status status = negotiation_load(intake->txn, party, root, intake->arena,
                                                &negotiation, &root_row, intake->error);
  if (status != COLLEGA_OK || !negotiation.terminate_wanted ||
      !id_equal(&negotiation.last_decision, &record->id))
    return status;
  status = deal_row(intake->txn, party, field_bytes(&record->body->decision->deal), intake->arena,
                    &row, intake->error);
  if (status != COLLEGA_OK || row->has_act) return status;
  request.row = row;
  status = outbox_each(intake->txn, 0, intake->arena, visit_request, &request, intake->error);
  *use = status == COLLEGA_OK && !request.waits;
  return status;
}

/* A word that the machine would not take, of an epoch that is over, is of use only in its turn. */
static enum collega_status is_of_use(struct intake *intake, const struct id *party,
                                     const struct run_view *view, struct bytes bytes, bool *use) {
  struct deal_event event;
  struct id root;
  bool held = false;
  *use = false;
  enum collega_status status = decision_held(intake, party, view, bytes, &held);
  const ProtobufCBinaryData *field = &view->records[0].body->decision->root;
  if (status != COLLEGA_OK || !id_from(&root, field->data, field->len)) return status;
  if (held) return ends_again(intake, party, &root, &view->records[0], use);
  status = decision_event(&view->records[0], intake->now, intake->arena, &event, intake->error);
  return status == COLLEGA_OK
             ? decision_counts(intake->txn, party, &root, &event, intake->arena, use, intake->error)
             : status;
}

/* A decision also comes as the answer to a question, before or after its turn: then it is taken (or
 * is here already), and the mailbox stays where it was read to. */
enum collega_status intake_decision_item(struct intake *intake, const struct mail_place *place,
                                         struct bytes bytes, enum mail_turn turn, bool *left) {
  struct run_view view;
  bool use = true;
  enum collega_status status = read_decision(intake, bytes, &view);
  /* The broker's own word: forged, it is the broker that lies, and the frame is refused. */
  if (status == COLLEGA_FORGED) return status;
  if (status == COLLEGA_OK && turn == MAIL_BESIDE)
    status = is_of_use(intake, &place->party, &view, bytes, &use);
  if (status == COLLEGA_OK && !use) return COLLEGA_OK;
  if (status == COLLEGA_OK) status = intake_decision(intake, &place->party, &view);
  if (status == COLLEGA_OK) {
    struct ledger_event event = {.time = intake->now,
                                 .kind = COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_DECISION_IN,
                                 .party = &place->party,
                                 .record = &view.records[0].id,
                                 .counterpart = &intake->broker,
                                 .position = turn == MAIL_BESIDE ? NULL : &place->position,
                                 .payload = bytes};
    return exchange_append(intake->exchange, intake->txn, &event, intake->error);
  }
  if (!is_bad(status)) return status;
  if (turn == MAIL_NEXT) return intake_bad_item(intake, place, bytes);
  log_info("decision_not_taken", "rule=%s", rule_name(intake->error->rule));
  if (turn == MAIL_FETCHED) *left = true;
  return COLLEGA_OK;
}

static enum collega_status acknowledge(struct intake *intake, const struct mail_place *place,
                                       uint64_t seq) {
  Collega__ToBroker to = COLLEGA__TO_BROKER__INIT;
  Collega__Ack ack = COLLEGA__ACK__INIT;
  field_set_id(&ack.party, &place->party);
  field_set(&ack.epoch, place->position.epoch.byte, EPOCH_BYTES);
  ack.seq = seq;
  to.ack = &ack;
  intake->outcome->frame_due = true;
  return exchange_pack(intake->arena, &to.base, &intake->outcome->frame, intake->error);
}

/* ---- mail before its sender's card */

void exchange_drop_held(struct exchange *exchange) {
  for (size_t i = 0; i < exchange->held_count; i++)
    free(exchange->held[i].data);
  exchange->held_count = 0;
}

static enum collega_status hold(struct intake *intake, const Collega__Mail *mail) {
  struct exchange *exchange = intake->exchange;
  if (exchange->held_count ==
      HELD_MAIL_FRAMES) /* the board does not come: a new session may bring it */
    return error_set(intake->error, COLLEGA_UNREACHABLE, RULE_sender_not_known_yet, NULL, NULL);
  struct held_mail *held = &exchange->held[exchange->held_count];
  held->length = collega__mail__get_packed_size(mail);
  held->data = malloc(held->length);
  if (!held->data) return exchange_no_memory(intake->error);
  collega__mail__pack(mail, held->data);
  held->since = intake->now;
  exchange->held_count++;
  return COLLEGA_OK;
}

/* ---- a frame */

bool intake_mail_place(struct intake *intake, const Collega__Mail *mail, struct mail_place *place) {
  *place = (struct mail_place){.position = {.origin = intake->broker}};
  return id_from(&place->party, mail->party.data, mail->party.len) &&
         epoch_from(&place->position.epoch, mail->epoch.data, mail->epoch.len) &&
         exchange_identity(intake->exchange, &place->party);
}

enum collega_status intake_mail_cursor(struct intake *intake, const struct id *party,
                                       struct bytes epoch, uint64_t *cursor) {
  CollegaStore__OwnParty *row;
  *cursor = 0;
  enum collega_status status =
      own_row(intake->txn, id_bytes(party), intake->arena, &row, intake->error);
  if (status == COLLEGA_NOT_FOUND) return exchange_row_damaged(intake->error, "own");
  if (status == COLLEGA_OK && row->has_mailbox_epoch &&
      bytes_equal(field_bytes(&row->mailbox_epoch), epoch))
    *cursor = row->mailbox_seq;
  return status;
}

/* *held: it has come to a letter whose sender is not known yet. */
static enum collega_status take_items(struct intake *intake, const Collega__Mail *mail,
                                      collega_time since, bool *held) {
  struct mail_place place;
  uint64_t cursor = 0;
  *held = false;
  memset(&place, 0, sizeof place);
  if (!intake->broker_row) return intake_forged(intake, RULE_not_this_broker);
  if (!intake_mail_place(intake, mail, &place)) {
    /* A backup that is older than the party has no keys of it. The rest of the home goes on. */
    log_warning("mail_for_nobody_here", "the party's keys are not in this home");
    return COLLEGA_OK;
  }
  place.may_wait = intake->now < since + CARD_WAIT_MS;
  /* Read anew: held mail follows on what was taken in the same transaction. */
  enum collega_status status =
      intake_mail_cursor(intake, &place.party, field_bytes(&mail->epoch), &cursor);
  if (status != COLLEGA_OK) return status;
  if (cursor > 0 && mail->has_after && mail->after > cursor) {
    /* What lies between was acknowledged, and not by this copy of the home: it must be fetched. */
    log_warning("mail_missing", "another instance of this home acknowledged it");
    intake->outcome->fenced = true;
    return exchange_append_restored(intake->exchange, intake->txn, intake->now, intake->error);
  }
  for (size_t i = 0; i < mail->n_items; i++) {
    const Collega__MailItem *item = mail->items[i];
    bool in_order = mail->has_after || !item->has_decision;
    bool next = in_order ? item->seq > cursor : item->seq == cursor + 1;
    place.position.seq = item->seq;
    if (item->has_decision)
      status = intake_decision_item(intake, &place, field_bytes(&item->decision),
                                    next ? MAIL_NEXT : MAIL_BESIDE, NULL);
    else if (next)
      status = intake_envelope(intake, &place, field_bytes(&item->envelope), MAIL_NEXT, NULL);
    *held = status == COLLEGA_UNREACHABLE;
    if (*held) break;
    if (status != COLLEGA_OK) return status;
    if (next) cursor = item->seq; /* else taken before: only the acknowledgement was lost */
  }
  return cursor > 0 ? acknowledge(intake, &place, cursor) : COLLEGA_OK;
}

enum collega_status intake_mail(struct intake *intake, const Collega__Mail *mail) {
  bool held = false;
  enum collega_status status = check_mail(mail, intake->error);
  if (status != COLLEGA_OK) {
    error_prefix(intake->error, "mail");
    return status;
  }
  if (mail->has_fetched) return intake_fetched(intake, mail);
  /* It is fetched, in its turn: nothing is taken beside that. */
  if (intake_catching_up(intake)) return COLLEGA_OK;
  if (intake->exchange->held_count > 0) return hold(intake, mail);
  status = take_items(intake, mail, intake->now, &held);
  return status == COLLEGA_OK && held ? hold(intake, mail) : status;
}

enum collega_status intake_held_mail(struct intake *intake) {
  struct exchange *exchange = intake->exchange;
  size_t done = 0;
  bool held = false;
  enum collega_status status = COLLEGA_OK;
  while (status == COLLEGA_OK && done < exchange->held_count) {
    const struct held_mail *next = &exchange->held[done];
    const Collega__Mail *mail = (const Collega__Mail *)row_unpack(
        &collega__mail__descriptor, bytes_of(next->data, next->length), intake->arena);
    if (!mail) return exchange_no_memory(intake->error);
    status = take_items(intake, mail, next->since, &held);
    if (held) break;
    done++;
  }
  for (size_t i = 0; i < done; i++)
    free(exchange->held[i].data);
  exchange->held_count -= done;
  memmove(exchange->held, exchange->held + done, exchange->held_count * sizeof exchange->held[0]);
  return status;
}
