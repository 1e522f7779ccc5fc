/* A node that is behind: the broker has seen this home further on than this ledger is, so this is
 * a restored copy. It signs nothing, and takes nothing in its usual turn, before it has fetched
 * what is missing.
 *
 * First the board, to where the log ended at Welcome: it brings the cards and this home's own
 * offers, which the mail is judged against. Then, for each party that lives here, the copies of
 * what it sent, sealed to itself; what it received, acknowledged or not; and every decision on its
 * deals. Either side's words lean on the other's - an acceptance on its proposal, an answer on its
 * question - so the three are read again, for what could not be used yet, until a round brings
 * nothing more; only then is what cannot be used recorded as such. What is here already changes
 * nothing, also after a crash in the middle. Then an entry says that this ledger follows on the
 * head that the broker had seen, a new ledger epoch begins, and so does a new session. */
#include "client/exchange/deal_rows.h"
#include "client/exchange/intake.h"
#include "client/exchange/parties.h"
#include "client/exchange/talk.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/words.h"
#include "proto/guard.h"

bool intake_catching_up(const struct intake *intake) {
  return intake->exchange->catch_up.phase != CATCH_UP_NOT;
}

static void drop_party(struct catch_up *catch_up) {
  free(catch_up->held);
  free(catch_up->waiting.seq);
  free(catch_up->left.seq);
  catch_up->held = NULL;
  catch_up->held_count = 0;
  catch_up->waiting = catch_up->left = (struct seq_list){NULL, 0, 0};
}

void exchange_drop_catch_up(struct exchange *exchange) {
  drop_party(&exchange->catch_up);
  exchange->catch_up = (struct catch_up){.phase = CATCH_UP_NOT};
}

void intake_catch_up_begin(struct intake *intake, const Collega__Welcome *welcome) {
  struct catch_up *catch_up = &intake->exchange->catch_up;
  exchange_drop_catch_up(intake->exchange);
  if (!intake->outcome->welcomed || !intake->outcome->behind) return;
  catch_up->phase = CATCH_UP_BOARD;
  catch_up->board = welcome->log_seq;
  catch_up->seen = intake->told->head;
  (void)epoch_from(&catch_up->epoch, welcome->epoch.data, welcome->epoch.len);
  log_info("behind", "board=%llu", (unsigned long long)catch_up->board);
}

/* ---- what the chain has told of already */

static int by_id(const void *one, const void *other) {
  return memcmp(one, other, ID_BYTES);
}

static bool is_mail(const struct ledger_event *event) {
  return event->record && (event->kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MAIL_IN ||
                           event->kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MAIL_BAD ||
                           event->kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_DECISION_IN);
}

static bool hold_id(struct catch_up *catch_up, const struct id *id, size_t *capacity) {
  if (catch_up->held_count == *capacity) {
    size_t more = *capacity ? 2 * *capacity : 256;
    struct id *grown = realloc(catch_up->held, more * sizeof *grown);
    if (!grown) return false;
    catch_up->held = grown;
    *capacity = more;
  }
  catch_up->held[catch_up->held_count++] = *id;
  return true;
}

/* The letters of our own that an entry holds. */
static bool hold_letters(struct catch_up *catch_up, const struct ledger_event *event,
                         struct arena *arena, size_t *capacity) {
  bool held = true;
  if (event->kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_FETCHED && event->record)
    return hold_id(catch_up, event->record, capacity);
  if (event->kind != COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_OWN_RECORDS || !event->payload.data)
    return true;
  const CollegaStore__OwnRecords *own = (const CollegaStore__OwnRecords *)row_unpack(
      &collega_store__own_records__descriptor, event->payload, arena);
  for (size_t i = 0; own && held && i < own->n_envelopes; i++) {
    struct id hash;
    envelope_hash(&hash, field_bytes(&own->envelopes[i]));
    held = hold_id(catch_up, &hash, capacity);
  }
  return held;
}

static const struct id *party_of(const struct intake *intake) {
  return identity_party(intake->exchange->identities[intake->exchange->catch_up.party]);
}

/* Goes over the whole chain: a home that is behind has time for that. */
static enum collega_status list_held(struct intake *intake) {
  struct catch_up *catch_up = &intake->exchange->catch_up;
  struct ledger_head head;
  struct ledger_event event;
  size_t capacity = 0;
  struct arena *arena = exchange_arena();
  if (!arena) return exchange_no_memory(intake->error);
  enum collega_status status = ledger_head(intake->txn, &head, intake->error);
  for (uint64_t number = 1; status == COLLEGA_OK && number <= head.number; number++) {
    arena_reset(arena);
    status = ledger_entry(intake->txn, number, arena, &event, intake->error);
    /* Between two parties of one home a letter is a copy to the one, and mail to the other. */
    if (status == COLLEGA_OK && (!event.party || !id_equal(event.party, party_of(intake))))
      continue;
    if (status == COLLEGA_OK && is_mail(&event) && !hold_id(catch_up, event.record, &capacity))
      status = exchange_no_memory(intake->error);
    if (status == COLLEGA_OK && !hold_letters(catch_up, &event, arena, &capacity))
      status = exchange_no_memory(intake->error);
  }
  if (catch_up->held_count > 1)
    qsort(catch_up->held, catch_up->held_count, sizeof *catch_up->held, by_id);
  arena_destroy(&arena);
  return status;
}

static bool is_held(const struct catch_up *catch_up, const struct id *id) {
  return catch_up->held_count > 0 &&
         bsearch(id, catch_up->held, catch_up->held_count, sizeof *catch_up->held, by_id) != NULL;
}

static bool seq_add(struct seq_list *list, uint64_t seq) {
  if (list->count == list->capacity) {
    size_t capacity = list->capacity ? 2 * list->capacity : 64;
    uint64_t *grown = realloc(list->seq, capacity * sizeof *grown);
    if (!grown) return false;
    list->seq = grown;
    list->capacity = capacity;
  }
  list->seq[list->count++] = seq;
  return true;
}

static int by_seq(const void *one, const void *other) {
  uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
  return a < b ? -1 : a > b;
}

/* ---- the steps */

static bool class_of(enum catch_up_phase phase, Collega__FetchClass *out) {
  switch (phase) {
  case CATCH_UP_COPIES:
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

static void begin_round(struct catch_up *catch_up) {
  free(catch_up->waiting.seq);
  catch_up->waiting = catch_up->left;
  catch_up->left = (struct seq_list){NULL, 0, 0};
  catch_up->phase = CATCH_UP_COPIES;
  catch_up->round++;
  catch_up->through = 0;
  catch_up->news = catch_up->lacks = false;
}

static enum collega_status begin_party(struct intake *intake, size_t party) {
  struct catch_up *catch_up = &intake->exchange->catch_up;
  drop_party(catch_up);
  catch_up->party = party;
  catch_up->round = 0;
  catch_up->last = false;
  begin_round(catch_up);
  return list_held(intake);
}

/* Something still waits: another round may bring what it lacks, if this one brought anything. */
static enum collega_status end_round(struct intake *intake) {
  struct catch_up *catch_up = &intake->exchange->catch_up;
  if (!catch_up->last && catch_up->lacks) {
    catch_up->last = !catch_up->news || catch_up->round >= CATCH_UP_ROUNDS;
    begin_round(catch_up);
    return COLLEGA_OK;
  }
  bool more = false;
  enum collega_status status = next_party(intake, &more);
  if (status != COLLEGA_OK) return status;
  if (more) return begin_party(intake, catch_up->party);
  drop_party(catch_up);
  catch_up->phase = CATCH_UP_OVER;
  return adopt(intake);
}

static enum collega_status next_step(struct intake *intake) {
  struct catch_up *catch_up = &intake->exchange->catch_up;
  enum collega_status status = COLLEGA_OK;
  switch (catch_up->phase) {
  case CATCH_UP_BOARD:
    status = begin_party(intake, 0);
    break;
  case CATCH_UP_COPIES:
    catch_up->phase = CATCH_UP_MAIL;
    break;
  case CATCH_UP_MAIL:
    catch_up->phase = CATCH_UP_DECISIONS;
    break;
  case CATCH_UP_DECISIONS:
    status = end_round(intake);
    break;
  case CATCH_UP_NOT:
  case CATCH_UP_OVER:
    return COLLEGA_OK;
  }
  return status == COLLEGA_OK ? send_fetch(intake) : status;
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

/* What leans on something that is not here (yet) is looked at again in the next round. */
static void lacks(struct intake *intake) {
  intake->exchange->catch_up.lacks = true;
}

static bool is_last(const struct intake *intake) {
  return intake->exchange->catch_up.last;
}

/* Rows that are not here want nothing. */
static enum collega_status known_deal(struct intake *intake, const struct id *party,
                                      const ProtobufCBinaryData *deal, CollegaStore__DealRow **row,
                                      bool *known) {
  enum collega_status status =
      deal_row(intake->txn, party, field_bytes(deal), intake->arena, row, intake->error);
  *known = status == COLLEGA_OK;
  if (status == COLLEGA_NOT_FOUND) lacks(intake);
  return status == COLLEGA_NOT_FOUND ? COLLEGA_OK : status;
}

/* A counter-proposal or an amendment is not the first of its root: how old the root is, and what there
 * is to amend, its first header tells. */
static enum collega_status waits_for_first(struct intake *intake, const struct id *party,
                                           const Collega__DealHeader *header, bool *waits) {
  CollegaStore__DealRow *row;
  *waits = false;
  if ((!header->has_replaces && !header->has_amends) || is_last(intake)) return COLLEGA_OK;
  enum collega_status status = deal_row(
      intake->txn, party, field_bytes(header->has_amends ? &header->amends : &header->replaces),
      intake->arena, &row, intake->error);
  *waits = status == COLLEGA_NOT_FOUND;
  if (*waits) lacks(intake);
  return *waits ? COLLEGA_OK : status;
}

static enum collega_status judge_header(struct intake *intake, const struct id *party,
                                        const struct record *record,
                                        const Collega__SaltedTerms *terms, bool *wanted) {
  CollegaStore__DealRow row = COLLEGA_STORE__DEAL_ROW__INIT, *known_row;
  struct deal_view view;
  struct deal_event event;
  struct id commitment, deal = record->id;
  ProtobufCBinaryData key;
  bool known = false, waits = false;
  field_set_id(&key, &deal);
  enum collega_status status =
      deal_row(intake->txn, party, field_bytes(&key), intake->arena, &known_row, intake->error);
  known = status == COLLEGA_OK;
  if (status != COLLEGA_OK && status != COLLEGA_NOT_FOUND) return status;
  if (known && known_row->has_header_run) return COLLEGA_OK;
  status = waits_for_first(intake, party, record->body->deal, &waits);
  if (status != COLLEGA_OK || waits) return status;
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

/* Of one for named employers each letter is wanted: a broker that is restored may have lost one of them. So is each that
 * withdrew an offer from somebody, also before this home hears of the offer again. */
static enum collega_status judge_offer(struct intake *intake, const Collega__Body *body,
                                       const struct id *envelope, bool *wanted) {
  const struct catch_up *catch_up = &intake->exchange->catch_up;
  CollegaStore__OfferRow *row;
  const ProtobufCBinaryData *offer = body->offer ? &body->offer->id : &body->status->id;
  enum collega_status status =
      offer_row(intake->txn, field_bytes(offer), intake->arena, &row, intake->error);
  bool fresh = catch_up->round == 1 && !is_held(catch_up, envelope);
  bool withdrawal =
      body->status && body->status->state == COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN;
  if (status == COLLEGA_NOT_FOUND) {
    *wanted = *wanted || body->offer || (fresh && withdrawal);
    return COLLEGA_OK;
  }
  if (status != COLLEGA_OK) return status;
  bool letter = fresh && row->by_mail;
  bool current = body->offer ? body->offer->revision == row->revision
                             : body->status->number == row->status_number;
  if ((letter && current) || (fresh && withdrawal) ||
      (body->offer ? body->offer->revision > row->revision
                   : body->status->number > row->status_number))
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
  if (status == COLLEGA_NOT_FOUND) lacks(intake);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status == COLLEGA_OK && !(body->release ? row->has_release_asked : row->has_release_answer))
    *wanted = true;
  return status;
}

/* Its agreement must be known to run here, or to have ended, before the wish to end it can stand. */
static enum collega_status judge_terminate(struct intake *intake, const struct id *party,
                                           const Collega__Terminate *terminate, struct bytes run,
                                           bool *wanted) {
  CollegaStore__DealRow *deal;
  CollegaStore__RootRow *root;
  bool known = false;
  enum collega_status status = known_deal(intake, party, &terminate->deal, &deal, &known);
  if (status != COLLEGA_OK || !known) return status;
  status =
      root_row(intake->txn, party, field_bytes(&deal->root), intake->arena, &root, intake->error);
  if (status == COLLEGA_NOT_FOUND) return exchange_row_damaged(intake->error, "roots");
  if (status != COLLEGA_OK) return status;
  for (size_t i = 0; i < root->n_terminates; i++)
    if (bytes_equal(field_bytes(&root->terminates[i]), run)) return COLLEGA_OK;
  if (root->has_position || is_last(intake))
    *wanted = true;
  else
    lacks(intake);
  return COLLEGA_OK;
}

/* The answer to a proposal, or what was asked of the decider. */
static enum collega_status judge_act(struct intake *intake, const struct id *party,
                                     const Collega__Body *body, struct bytes packed, bool *wanted) {
  CollegaStore__DealRow *row;
  bool known = false;
  const ProtobufCBinaryData *deal = body->acceptance ? &body->acceptance->deal
                                    : body->decline  ? &body->decline->deal
                                                     : &body->withdraw->deal;
  enum collega_status status = known_deal(intake, party, deal, &row, &known);
  if (status != COLLEGA_OK || !known) return status;
  bool received = row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_RECEIVED;
  if (body->acceptance)
    *wanted = *wanted || (!row->mine && row->n_other_acceptances < OTHER_ACCEPTANCES_MOST &&
                          !deal_row_holds_acceptance(row, packed));
  if (body->decline) *wanted = *wanted || (received && !row->decline_sent);
  if (body->withdraw)
    *wanted = *wanted ||
              (row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_PROPOSED && !row->withdraw_sent);
  return COLLEGA_OK;
}

/* A message in a talk: is an entry of the thread about this envelope? */
static enum collega_status judge_talk(struct intake *intake, const struct id *party,
                                      const ProtobufCBinaryData *thread, const struct id *envelope,
                                      bool *wanted) {
  bool held = false;
  enum collega_status status = thread_holds(intake->txn, bytes_of(party->byte, ID_BYTES),
                                            field_bytes(thread), envelope, &held, intake->error);
  *wanted = *wanted || !held;
  return status;
}

static enum collega_status judge_run(struct intake *intake, const struct id *party,
                                     const struct run_view *view, const Collega__SaltedTerms *terms,
                                     const struct id *envelope, bool *wanted) {
  const struct record *record = &view->records[0];
  const Collega__Body *body = record->body;
  if (view->count != 1 || record->refused != NULL || !id_equal(&view->signer, party))
    return error_set(intake->error, COLLEGA_INVALID, RULE_letter_content, NULL, NULL);
  /* The broker keeps copies of its members only: what it has of a card that was replaced came before that. */
  enum collega_status status =
      members_verify_anchored(intake->members, view, NULL, NULL, intake->error);
  if (status != COLLEGA_OK) return status;
  if (body->deal) return judge_header(intake, party, record, terms, wanted);
  if (body->offer || body->status) return judge_offer(intake, body, envelope, wanted);
  if (body->release || body->release_answer) return judge_release(intake, party, body, wanted);
  if (body->acceptance || body->decline || body->withdraw || body->terminate) {
    struct bytes packed;
    status = exchange_pack(intake->arena, &view->run->base, &packed, intake->error);
    if (status != COLLEGA_OK) return status;
    return body->terminate ? judge_terminate(intake, party, body->terminate, packed, wanted)
                           : judge_act(intake, party, body, packed, wanted);
  }
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
  intake->exchange->catch_up.news = true;
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

/* ---- what is fetched: what came from others */

static enum collega_status take_mail(struct intake *intake, const struct mail_place *place,
                                     const Collega__MailItem *item) {
  struct catch_up *catch_up = &intake->exchange->catch_up;
  struct bytes bytes = field_bytes(item->has_decision ? &item->decision : &item->envelope);
  struct run_view view;
  struct id hash;
  bool left = false;
  if (item->seq <= catch_up->through) return COLLEGA_OK;
  catch_up->through = item->seq;
  if (catch_up->round > 1 &&
      (catch_up->waiting.count == 0 || !bsearch(&item->seq, catch_up->waiting.seq,
                                                catch_up->waiting.count, sizeof item->seq, by_seq)))
    return COLLEGA_OK;
  envelope_hash(&hash, bytes);
  if (is_held(catch_up, &hash)) return COLLEGA_OK;
  if (item->has_decision && run_read_bytes(bytes, intake->arena, &view, NULL) == COLLEGA_OK &&
      is_held(catch_up, &view.records[0].id))
    return COLLEGA_OK;
  enum collega_status status = item->has_decision
                                   ? intake_decision_item(intake, place, bytes, MAIL_FETCHED, &left)
                                   : intake_envelope(intake, place, bytes, MAIL_FETCHED, &left);
  if (status != COLLEGA_OK) return status;
  if (left && catch_up->last) return intake_bad_item(intake, place, bytes);
  if (!left) {
    catch_up->news = true;
    return COLLEGA_OK;
  }
  lacks(intake);
  return seq_add(&catch_up->left, item->seq) ? COLLEGA_OK : exchange_no_memory(intake->error);
}

static enum collega_status take_item(struct intake *intake, const struct mail_place *place,
                                     const Collega__MailItem *item) {
  switch (intake->exchange->catch_up.phase) {
  case CATCH_UP_COPIES:
    return take_copy(intake, place, item);
  case CATCH_UP_MAIL:
    return take_mail(intake, place, item);
  case CATCH_UP_DECISIONS:
    return intake_decision_item(intake, place, field_bytes(&item->decision), MAIL_BESIDE, NULL);
  case CATCH_UP_NOT:
  case CATCH_UP_BOARD:
  case CATCH_UP_OVER:
    break;
  }
  return COLLEGA_OK;
}

/* ---- a frame */

enum collega_status intake_fetched(struct intake *intake, const Collega__Mail *mail) {
  struct mail_place place;
  Collega__FetchClass wanted;
  if (!class_of(intake->exchange->catch_up.phase, &wanted) || mail->fetched != wanted ||
      !field_is(&mail->party, party_of(intake)))
    return COLLEGA_OK; /* nobody asks for it any more */
  if (!intake_mail_place(intake, mail, &place)) return intake_forged(intake, RULE_not_this_broker);
  enum collega_status status = COLLEGA_OK;
  for (size_t i = 0; status == COLLEGA_OK && i < mail->n_items; i++) {
    place.position.seq = mail->items[i]->seq;
    status = take_item(intake, &place, mail->items[i]);
  }
  if (status != COLLEGA_OK || !mail->has_last || !mail->last) return status;
  return next_step(intake);
}
