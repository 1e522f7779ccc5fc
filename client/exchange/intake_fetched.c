/* A node that is behind: the broker has seen this home further on than this ledger is, so this is
 * a restored copy. It signs nothing, and takes nothing in its usual turn, before it has fetched
 * what is missing.
 *
 * First the board, to where the log ended at Welcome: it brings the cards and this home's own
 * offers, which the mail is judged against. Then, for each party that lives here, the copies of
 * what it sent, sealed to itself; what it received, acknowledged or not; the copies once more,
 * because an acceptance can only be put back when its proposal is here; and every decision on its
 * deals. What is here already changes nothing. Then an entry says that this ledger follows on the
 * head that the broker had seen, a new ledger epoch begins, and so does a new session. */
#include "client/exchange/deal_rows.h"
#include "client/exchange/intake.h"
#include "client/exchange/parties.h"

#include <string.h>

#include "base/log.h"
#include "base/words.h"
#include "proto/guard.h"

bool intake_catching_up(const struct intake *intake) {
  return intake->exchange->catch_up.phase != CATCH_UP_NOT;
}

void intake_catch_up_begin(struct intake *intake, const Collega__Welcome *welcome) {
  struct catch_up *catch_up = &intake->exchange->catch_up;
  *catch_up = (struct catch_up){.phase = CATCH_UP_NOT};
  if (!intake->outcome->welcomed || !intake->outcome->behind) return;
  catch_up->phase = CATCH_UP_BOARD;
  catch_up->board = welcome->log_seq;
  catch_up->seen = intake->told->head;
  (void)epoch_from(&catch_up->epoch, welcome->epoch.data, welcome->epoch.len);
  log_info("behind", "board=%llu", (unsigned long long)catch_up->board);
}

/* ---- the steps */

static bool class_of(enum catch_up_phase phase, Collega__FetchClass *out) {
  switch (phase) {
  case CATCH_UP_COPIES:
  case CATCH_UP_COPIES_AGAIN:
    *out = COLLEGA__FETCH_CLASS__FETCH_CLASS_COPIES;
    return true;
  case CATCH_UP_MAIL:
    *out = COLLEGA__FETCH_CLASS__FETCH_CLASS_MAIL;
    return true;
  case CATCH_UP_DECISIONS:
    *out = COLLEGA__FETCH_CLASS__FETCH_CLASS_DECISIONS;
    return true;
  case CATCH_UP_NOT:
  case CATCH_UP_BOARD:
  case CATCH_UP_OVER:
    break;
  }
  return false;
}

static const struct id *party_of(const struct intake *intake) {
  return identity_party(intake->exchange->identities[intake->exchange->catch_up.party]);
}

static enum collega_status send_fetch(struct intake *intake) {
  Collega__ToBroker to = COLLEGA__TO_BROKER__INIT;
  Collega__Fetch fetch = COLLEGA__FETCH__INIT;
  if (!class_of(intake->exchange->catch_up.phase, &fetch.what)) return COLLEGA_OK;
  field_set_id(&fetch.party, party_of(intake));
  to.fetch = &fetch;
  intake->outcome->frame_due = true;
  return exchange_pack(intake->arena, &to.base, &intake->outcome->frame, intake->error);
}

static enum collega_status adopt(struct intake *intake) {
  const struct ledger_head *seen = &intake->exchange->catch_up.seen;
  Collega__Head head = COLLEGA__HEAD__INIT;
  field_set(&head.epoch, seen->epoch.byte, EPOCH_BYTES);
  head.number = seen->number;
  field_set_id(&head.hash, &seen->hash);
  enum collega_status status = intake_append(intake, COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_ADOPTED,
                                             NULL, &seen->hash, NULL, &head.base);
  if (status == COLLEGA_OK) status = ledger_new_epoch(intake->txn, intake->now, intake->error);
  intake->outcome->caught_up = status == COLLEGA_OK;
  return status;
}

/* The broker knows nothing of a party that it has not certified yet. */
static enum collega_status next_party(struct intake *intake, bool *more) {
  struct catch_up *catch_up = &intake->exchange->catch_up;
  enum collega_status status = COLLEGA_OK;
  *more = false;
  while (status == COLLEGA_OK && !*more && ++catch_up->party < intake->exchange->identity_count)
    status = party_is_certified(intake->txn, id_bytes(party_of(intake)), more, intake->error);
  return status;
}

static enum collega_status next_step(struct intake *intake) {
  struct catch_up *catch_up = &intake->exchange->catch_up;
  enum collega_status status;
  bool more;
  switch (catch_up->phase) {
  case CATCH_UP_BOARD:
    catch_up->party = 0;
    catch_up->phase = CATCH_UP_COPIES;
    break;
  case CATCH_UP_COPIES:
    catch_up->phase = CATCH_UP_MAIL;
    break;
  case CATCH_UP_MAIL:
    catch_up->phase = CATCH_UP_COPIES_AGAIN;
    break;
  case CATCH_UP_COPIES_AGAIN:
    catch_up->phase = CATCH_UP_DECISIONS;
    break;
  case CATCH_UP_DECISIONS:
    status = next_party(intake, &more);
    if (status != COLLEGA_OK) return status;
    catch_up->phase = more ? CATCH_UP_COPIES : CATCH_UP_OVER;
    if (more) break;
    return adopt(intake);
  case CATCH_UP_NOT:
  case CATCH_UP_OVER:
    return COLLEGA_OK;
  }
  return send_fetch(intake);
}

enum collega_status intake_catch_up(struct intake *intake) {
  const struct catch_up *catch_up = &intake->exchange->catch_up;
  CollegaStore__BrokerRow *row;
  if (catch_up->phase != CATCH_UP_BOARD) return COLLEGA_OK;
  enum collega_status status = exchange_broker(intake->txn, intake->arena, &row, intake->error);
  if (status != COLLEGA_OK || !row || !row->has_log_epoch || row->log_seq < catch_up->board ||
      !bytes_equal(field_bytes(&row->log_epoch), bytes_of(catch_up->epoch.byte, EPOCH_BYTES)))
    return status;
  return next_step(intake);
}

/* ---- what is fetched: copies of our own. Wanted is what this ledger does not hold. */

/* Rows that are not here want nothing. */
static enum collega_status known_deal(struct intake *intake, const struct id *party,
                                      const ProtobufCBinaryData *deal, CollegaStore__DealRow **row,
                                      bool *known) {
  enum collega_status status =
      deal_row(intake->txn, party, field_bytes(deal), intake->arena, row, intake->error);
  *known = status == COLLEGA_OK;
  return status == COLLEGA_NOT_FOUND ? COLLEGA_OK : status;
}

static enum collega_status judge_header(struct intake *intake, const struct id *party,
                                        const struct record *record,
                                        const Collega__SaltedTerms *terms, bool *wanted) {
  CollegaStore__DealRow row = COLLEGA_STORE__DEAL_ROW__INIT, *known_row;
  struct deal_view view;
  struct deal_event event;
  struct id commitment, deal = record->id;
  ProtobufCBinaryData key;
  bool known = false;
  field_set_id(&key, &deal);
  enum collega_status status = known_deal(intake, party, &key, &known_row, &known);
  if (status != COLLEGA_OK || (known && known_row->has_header_run)) return status;
  const Collega__Edge *edge = record->body->deal->edges[0];
  row.deal = key;
  row.root = record->body->deal->root;
  field_set_id(&row.party, party);
  row.lends = field_is(&edge->lender, party);
  row.counterparty = row.lends ? edge->borrower : edge->lender;
  field_set(&row.header, record->bytes.data, record->bytes.length);
  if (!terms || (!row.lends && !field_is(&edge->borrower, party)) ||
      !field_is(&record->body->deal->decider, &intake->broker))
    return error_set(intake->error, COLLEGA_REFUSED, RULE_proposal_parties, NULL, NULL);
  status = terms_commitment(terms, &commitment, intake->error);
  if (status == COLLEGA_OK && !field_is(&edge->commitment, &commitment))
    status = error_set(intake->error, COLLEGA_REFUSED, RULE_proposal_terms, "terms", NULL);
  if (status == COLLEGA_OK) status = deal_view_of(&row, intake->arena, &view, intake->error);
  if (status != COLLEGA_OK) return status;
  header_event(&view, DEAL_EVENT_COPY, intake->now, &event);
  event.act = COLLEGA_STORE__ACT_KIND__ACT_KIND_PROPOSE;
  status = intake_try_event(intake, party, &view.root, &view.decider, &event);
  *wanted = *wanted || status == COLLEGA_OK;
  return status;
}

static enum collega_status judge_offer(struct intake *intake, const Collega__Body *body,
                                       bool *wanted) {
  CollegaStore__OfferRow *row;
  const ProtobufCBinaryData *offer = body->offer ? &body->offer->id : &body->status->id;
  enum collega_status status =
      offer_row(intake->txn, field_bytes(offer), intake->arena, &row, intake->error);
  if (status == COLLEGA_NOT_FOUND) {
    *wanted = *wanted || body->offer;
    return COLLEGA_OK;
  }
  if (status != COLLEGA_OK) return status;
  if (body->offer ? body->offer->revision > row->revision
                  : body->status->number > row->status_number)
    *wanted = true;
  return COLLEGA_OK;
}

static enum collega_status judge_release(struct intake *intake, const struct id *party,
                                         const Collega__Body *body, bool *wanted) {
  CollegaStore__RootRow *row;
  const ProtobufCBinaryData *root =
      body->release ? &body->release->root : &body->release_answer->root;
  enum collega_status status =
      root_row(intake->txn, party, field_bytes(root), intake->arena, &row, intake->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status == COLLEGA_OK && !(body->release ? row->has_release : row->has_release_answer))
    *wanted = true;
  return status;
}

/* The answer to a proposal, or what was asked of the decider. */
static enum collega_status judge_act(struct intake *intake, const struct id *party,
                                     const Collega__Body *body, bool *wanted) {
  CollegaStore__DealRow *row;
  bool known = false;
  const ProtobufCBinaryData *deal = body->acceptance ? &body->acceptance->deal
                                    : body->decline  ? &body->decline->deal
                                                     : &body->withdraw->deal;
  enum collega_status status = known_deal(intake, party, deal, &row, &known);
  if (status != COLLEGA_OK || !known) return status;
  bool received = row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_RECEIVED;
  if (body->acceptance) *wanted = *wanted || (!row->mine && !row->has_acceptance_run);
  if (body->decline) *wanted = *wanted || (received && !row->decline_sent);
  if (body->withdraw)
    *wanted = *wanted ||
              (row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_PROPOSED && !row->withdraw_sent);
  return COLLEGA_OK;
}

struct thread_search {
  struct intake *intake;
  struct arena *arena;
  const struct id *envelope;
  bool found;
};

static bool visit_thread(void *context, struct bytes key, struct bytes value) {
  struct thread_search *search = context;
  struct ledger_event event;
  (void)key;
  arena_reset(search->arena);
  if (value.length != 8 || ledger_entry(search->intake->txn, get_be64(value.data), search->arena,
                                        &event, NULL) != COLLEGA_OK)
    return true;
  search->found = event.record && id_equal(event.record, search->envelope);
  return !search->found;
}

/* A message in a talk: is an entry of the thread about this envelope? */
static enum collega_status judge_talk(struct intake *intake, const struct id *party,
                                      const ProtobufCBinaryData *thread, const struct id *envelope,
                                      bool *wanted) {
  uint8_t prefix[2 * ID_BYTES];
  struct thread_search search = {.intake = intake, .arena = exchange_arena(), .envelope = envelope};
  if (!search.arena) return exchange_no_memory(intake->error);
  memcpy(prefix, party->byte, ID_BYTES);
  memcpy(prefix + ID_BYTES, thread->data, ID_BYTES);
  enum collega_status status =
      table_each(intake->txn, TABLE_THREADS, bytes_of(prefix, sizeof prefix), NULL, visit_thread,
                 &search, intake->error);
  arena_destroy(&search.arena);
  *wanted = *wanted || !search.found;
  return status;
}

static enum collega_status judge_run(struct intake *intake, const struct id *party,
                                     const struct run_view *view, const Collega__SaltedTerms *terms,
                                     const struct id *envelope, bool *wanted) {
  const struct record *record = &view->records[0];
  const Collega__Body *body = record->body;
  if (view->count != 1 || record->refused != NULL || !id_equal(&view->signer, party))
    return error_set(intake->error, COLLEGA_INVALID, RULE_letter_content, NULL, NULL);
  enum collega_status status = members_verify_run(intake->members, view, intake->error);
  if (status != COLLEGA_OK) return status;
  if (body->deal) return judge_header(intake, party, record, terms, wanted);
  if (body->offer || body->status) return judge_offer(intake, body, wanted);
  if (body->release || body->release_answer) return judge_release(intake, party, body, wanted);
  if (body->acceptance || body->decline || body->withdraw)
    return judge_act(intake, party, body, wanted);
  if (body->interest) return judge_talk(intake, party, &body->interest->thread, envelope, wanted);
  if (body->talk) return judge_talk(intake, party, &body->talk->thread, envelope, wanted);
  return COLLEGA_OK; /* mandates come with the board; questions need no answer any more */
}

static enum collega_status append_fetched(struct intake *intake, const struct mail_place *place,
                                          const struct id *record, struct bytes envelope,
                                          struct bytes letter) {
  CollegaStore__MailIn mail = COLLEGA_STORE__MAIL_IN__INIT;
  field_set_id(&mail.party, &place->party);
  field_set(&mail.epoch, place->position.epoch.byte, EPOCH_BYTES);
  mail.seq = place->position.seq;
  field_set(&mail.envelope, envelope.data, envelope.length);
  mail.has_letter = letter.data != NULL;
  field_set(&mail.letter, letter.data, letter.length);
  mail.has_own_copy = mail.own_copy = true;
  return intake_append(intake, COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_FETCHED, &place->party, record,
                       NULL, &mail.base);
}

static enum collega_status copy_letter(struct intake *intake, const struct mail_place *place,
                                       struct bytes bytes) {
  const Collega__Envelope *envelope;
  const Collega__Letter *letter = NULL;
  const struct identity *self = exchange_identity(intake->exchange, &place->party);
  struct bytes packed;
  struct id hash;
  bool wanted = false;
  envelope_hash(&hash, bytes);
  enum collega_status status = envelope_read(bytes, intake->arena, &envelope, intake->error);
  if (status == COLLEGA_OK && !field_is(&envelope->from, &place->party))
    status = error_set(intake->error, COLLEGA_INVALID, RULE_letter_content, NULL, NULL);
  if (status == COLLEGA_OK)
    status = letter_open(self, intake->members, envelope, intake->arena, &letter, intake->error);
  for (size_t i = 0; status == COLLEGA_OK && i < letter->n_runs; i++) {
    struct run_view view;
    status = run_read(letter->runs[i], intake->arena, &view, intake->error);
    if (status == COLLEGA_OK)
      status = judge_run(intake, &place->party, &view, letter->terms, &hash, &wanted);
  }
  if (status != COLLEGA_OK || !wanted) return status;
  status = exchange_pack(intake->arena, &letter->base, &packed, intake->error);
  return status == COLLEGA_OK ? append_fetched(intake, place, &hash, bytes, packed) : status;
}

static enum collega_status copy_run(struct intake *intake, const struct mail_place *place,
                                    struct bytes bytes) {
  struct run_view view;
  bool wanted = false;
  enum collega_status status = run_read_bytes(bytes, intake->arena, &view, intake->error);
  if (status == COLLEGA_OK)
    status = judge_run(intake, &place->party, &view, NULL, &view.records[0].id, &wanted);
  if (status != COLLEGA_OK || !wanted) return status;
  return append_fetched(intake, place, &view.records[0].id, bytes, bytes_of(NULL, 0));
}

/* One copy that cannot be used (its key is gone, its deal was decided otherwise) keeps none of the
 * others away. */
static enum collega_status take_copy(struct intake *intake, const struct mail_place *place,
                                     const Collega__MailItem *item) {
  enum collega_status status = item->has_envelope
                                   ? copy_letter(intake, place, field_bytes(&item->envelope))
                                   : copy_run(intake, place, field_bytes(&item->decision));
  if (status != COLLEGA_REFUSED && status != COLLEGA_INVALID && status != COLLEGA_FORGED &&
      status != COLLEGA_NOT_FOUND && status != COLLEGA_EXISTS)
    return status;
  log_warning("copy_not_taken", "rule=%s", rule_name(intake->error->rule));
  error_clear(intake->error);
  return COLLEGA_OK;
}

/* ---- a frame */

static enum collega_status take_item(struct intake *intake, const struct mail_place *place,
                                     const Collega__MailItem *item, uint64_t cursor) {
  switch (intake->exchange->catch_up.phase) {
  case CATCH_UP_COPIES:
  case CATCH_UP_COPIES_AGAIN:
    return take_copy(intake, place, item);
  case CATCH_UP_MAIL:
    if (item->seq <= cursor) return COLLEGA_OK; /* the backup held it */
    return item->has_decision
               ? intake_decision_item(intake, place, field_bytes(&item->decision), true)
               : intake_envelope(intake, place, field_bytes(&item->envelope));
  case CATCH_UP_DECISIONS:
    return intake_decision_item(intake, place, field_bytes(&item->decision), false);
  case CATCH_UP_NOT:
  case CATCH_UP_BOARD:
  case CATCH_UP_OVER:
    break;
  }
  return COLLEGA_OK;
}

enum collega_status intake_fetched(struct intake *intake, const Collega__Mail *mail) {
  struct mail_place place;
  Collega__FetchClass wanted;
  uint64_t cursor = 0;
  if (!class_of(intake->exchange->catch_up.phase, &wanted) || mail->fetched != wanted ||
      !field_is(&mail->party, party_of(intake)))
    return COLLEGA_OK; /* nobody asks for it any more */
  if (!intake_mail_place(intake, mail, &place)) return intake_forged(intake, RULE_not_this_broker);
  enum collega_status status =
      intake_mail_cursor(intake, &place.party, field_bytes(&mail->epoch), &cursor);
  for (size_t i = 0; status == COLLEGA_OK && i < mail->n_items; i++) {
    place.position.seq = mail->items[i]->seq;
    status = take_item(intake, &place, mail->items[i], cursor);
  }
  if (status != COLLEGA_OK || !mail->has_last || !mail->last) return status;
  return next_step(intake);
}
