/* The daemon's side of deals: it alone signs them, and only when it is up to date with what its
 * broker has seen of this home. Each act is a transaction of its own: judged again on what the
 * ledger holds now, signed, stored with what is to be sent. An act that cannot be signed any
 * more is dropped with the reason. */
#include "client/exchange/signing.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/words.h"
#include "proto/guard.h"

/* ---- which deals */

struct party_deal {
  struct id party, deal;
  bool asks; /* as after a Welcome: the machine may want to ask about it */
};

struct deal_list {
  struct arena *arena;
  collega_time now;
  bool all;                       /* all ask: there was a Welcome */
  const struct party_deal *later; /* those that were to ask before, and had to wait; by key */
  size_t later_count, later_at;   /* those before later_at were passed */
  struct party_deal *deal;
  size_t count, capacity;
  collega_time next; /* the earliest time at which another deal needs a look; 0: none */
  bool failed;
};

static bool list_add(struct deal_list *list, struct bytes key, bool asks) {
  if (list->count == list->capacity) {
    size_t capacity = list->capacity ? 2 * list->capacity : 64;
    struct party_deal *grown = realloc(list->deal, capacity * sizeof *grown);
    if (!grown) return false;
    list->deal = grown;
    list->capacity = capacity;
  }
  struct party_deal *deal = &list->deal[list->count];
  if (key.length != 2 * ID_BYTES || !id_from(&deal->party, key.data, ID_BYTES) ||
      !id_from(&deal->deal, key.data + ID_BYTES, ID_BYTES))
    return false;
  deal->asks = asks;
  list->count++;
  return true;
}

/* Deals are visited in the order of their keys, and `later` is in that order too. */
static bool asks_later(struct deal_list *list, struct bytes key) {
  if (key.length != 2 * ID_BYTES) return false;
  for (; list->later_at < list->later_count; list->later_at++) {
    const struct party_deal *later = &list->later[list->later_at];
    int order = memcmp(later->party.byte, key.data, ID_BYTES);
    if (order == 0) order = memcmp(later->deal.byte, key.data + ID_BYTES, ID_BYTES);
    if (order >= 0) return order == 0;
  }
  return false;
}

static bool is_open(CollegaStore__DealState state) {
  return state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_DRAFT ||
         state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_PROPOSED ||
         state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_RECEIVED ||
         state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_PENDING;
}

/* The machine waits a little past accept_by before it asks; a look a minute later is soon
 * enough. */
#define LOOK_AGAIN_MS MINUTE_MS

static bool visit_deal(void *context, struct bytes key, struct bytes value) {
  struct deal_list *list = context;
  arena_reset(list->arena);
  const CollegaStore__DealRow *row = (const CollegaStore__DealRow *)row_unpack(
      &collega_store__deal_row__descriptor, value, list->arena);
  if (!row) {
    list->failed = true;
    return false;
  }
  bool open = is_open(row->state), past = open && row->accept_by <= list->now;
  bool asks = row->state != COLLEGA_STORE__DEAL_STATE__DEAL_STATE_VOID &&
              (list->all || asks_later(list, key));
  if (open) {
    collega_time look = past ? list->now + LOOK_AGAIN_MS : row->accept_by;
    if (list->next == 0 || look < list->next) list->next = look;
  }
  if (row->has_act || past || asks) list->failed = !list_add(list, key, asks);
  return !list->failed;
}

static enum collega_status list_deals(struct exchange *exchange, struct deal_list *list,
                                      struct ledger_head *head, struct collega_error *error) {
  struct ledger_txn *txn = NULL;
  enum collega_status status = ledger_read(exchange->ledger, &txn, error);
  if (status == COLLEGA_OK) status = ledger_head(txn, head, error);
  if (status == COLLEGA_OK)
    status = table_each(txn, TABLE_DEALS, bytes_of(NULL, 0), NULL, visit_deal, list, error);
  ledger_abort(&txn);
  if (status == COLLEGA_OK && list->failed) status = exchange_row_damaged(error, "deals");
  return status;
}

/* ---- signing one act */

enum collega_status signing_drop(struct signing *signing, CollegaStore__ActKind kind,
                                 const struct collega_error *why) {
  log_info("act_dropped", "rule=%s", rule_name(why->rule));
  return exchange_append_dropped(signing->exchange, signing->txn, &signing->view.party,
                                 &signing->view.deal, kind, why->rule, signing->now, signing->arena,
                                 signing->error);
}

/* Would the machine sign? With the room looked at again: other commands may have come before. */
static enum collega_status may_sign(struct signing *signing, enum deal_event_kind kind,
                                    struct collega_error *why) {
  struct collega_error no_room;
  struct negotiation negotiation;
  struct deal_effects effects;
  CollegaStore__RootRow *row;
  struct deal_event event = {.kind = kind,
                             .deal = signing->view.deal,
                             .now = signing->now,
                             .welcomed = true,
                             .no_room = &no_room};
  error_set(&no_room, COLLEGA_REFUSED, RULE_offer_changed, NULL, NULL);
  enum collega_status status = deal_room(signing->txn, &signing->view, signing->now, signing->arena,
                                         &event.fits, &event.room, &no_room, signing->error);
  if (status == COLLEGA_OK)
    status = negotiation_load(signing->txn, &signing->view.party, &signing->view.root,
                              signing->arena, &negotiation, &row, signing->error);
  if (status != COLLEGA_OK) return status;
  error_clear(why);
  return deal_step(&negotiation, &event, &effects, why) == COLLEGA_OK ? COLLEGA_OK
                                                                      : COLLEGA_REFUSED;
}

enum collega_status signing_append(struct signing *signing, CollegaStore__ActKind kind,
                                   Collega__Run *run, struct bytes envelope) {
  CollegaStore__SignedAct content = COLLEGA_STORE__SIGNED_ACT__INIT;
  struct bytes packed;
  enum collega_status status = exchange_pack(signing->arena, &run->base, &packed, signing->error);
  if (status != COLLEGA_OK) return status;
  content.kind = kind;
  field_set_id(&content.deal, &signing->view.deal);
  field_set(&content.run, packed.data, packed.length);
  content.has_envelope = envelope.data != NULL;
  field_set(&content.envelope, envelope.data, envelope.length);
  struct ledger_event event = {.time = signing->now,
                               .kind = COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_SIGNED,
                               .party = &signing->view.party,
                               .record = &signing->view.deal,
                               .counterpart = &signing->view.counterparty};
  status = exchange_pack(signing->arena, &content.base, &event.payload, signing->error);
  if (status == COLLEGA_OK)
    status = exchange_append(signing->exchange, signing->txn, &event, signing->error);
  if (status == COLLEGA_OK) (*signing->signed_acts)++;
  return status;
}

/* The letter to the other side: the record, the mandate that it names, and for a proposal the
 * terms. */
enum collega_status signing_seal(struct signing *signing, Collega__Run *run, bool named,
                                 const ProtobufCBinaryData *mandate, Collega__SaltedTerms *terms,
                                 struct bytes *envelope) {
  Collega__Run *runs[2] = {run, NULL};
  struct id record;
  struct bytes packed = {NULL, 0};
  size_t count = 1;
  enum collega_status status = COLLEGA_OK;
  if (named && id_from(&record, mandate->data, mandate->len))
    status = exchange_member_run(signing->txn, &signing->view.party, &record, signing->arena,
                                 &packed, signing->error);
  if (status != COLLEGA_OK) return status;
  if (packed.data) {
    runs[count] = (Collega__Run *)row_unpack(&collega__run__descriptor, packed, signing->arena);
    if (!runs[count++]) return exchange_no_memory(signing->error);
  }
  return exchange_seal(signing->exchange, signing->txn, &signing->view.party,
                       &signing->view.counterparty, runs, count, terms, true, signing->now,
                       signing->arena, envelope, signing->error);
}

enum collega_status signing_mandate(struct signing *signing, bool named,
                                    const ProtobufCBinaryData *mandate, struct collega_error *why) {
  struct id id;
  Collega__Terms *terms = NULL;
  if (!named || !id_from(&id, mandate->data, mandate->len)) return COLLEGA_OK;
  enum collega_status status =
      deal_terms(signing->view.row, signing->arena, &terms, signing->error);
  if (status != COLLEGA_OK) return status;
  const struct known_party *self =
      members_find(exchange_members(signing->exchange, signing->txn), &signing->view.party);
  if (!self) return exchange_row_damaged(signing->error, "parties");
  status = known_mandate_covers(self, &id, signing->now, terms->work->headcount, why);
  return status == COLLEGA_OK ? status
                              : error_set(why, COLLEGA_REFUSED, RULE_mandate_lapsed, NULL, NULL);
}

static enum collega_status sign_body(struct signing *signing, const CollegaStore__DealAct *act,
                                     Collega__Run **run) {
  struct bytes *body = arena_take(signing->arena, sizeof *body);
  if (!body) return exchange_no_memory(signing->error);
  *body = field_bytes(&act->body);
  return run_sign(signing->identity, body, 1, signing->arena, run, signing->error);
}

static enum collega_status sign_proposal(struct signing *signing,
                                         const CollegaStore__DealAct *act) {
  struct collega_error why;
  Collega__Run *run;
  struct bytes envelope;
  enum collega_status status = may_sign(signing, DEAL_EVENT_SIGN, &why);
  if (status == COLLEGA_REFUSED) {
    if (why.rule == RULE_deal_past) why.rule = RULE_lapsed;
    return signing_drop(signing, act->kind, &why);
  }
  if (status == COLLEGA_OK)
    status = signing_mandate(signing, signing->view.header->has_mandate,
                             &signing->view.header->mandate, &why);
  if (status == COLLEGA_REFUSED) return signing_drop(signing, act->kind, &why);
  if (status == COLLEGA_OK) status = sign_body(signing, act, &run);
  if (status != COLLEGA_OK) return status;
  Collega__SaltedTerms *terms = (Collega__SaltedTerms *)row_unpack(
      &collega__salted_terms__descriptor, field_bytes(&signing->view.row->terms), signing->arena);
  if (!terms) return exchange_row_damaged(signing->error, "terms");
  status = signing_seal(signing, run, signing->view.header->has_mandate,
                        &signing->view.header->mandate, terms, &envelope);
  if (status ==
      COLLEGA_NOT_FOUND) { /* nobody knows the recipient's card: nothing can be sealed to it */
    error_set(&why, COLLEGA_REFUSED, RULE_decider_unreachable, NULL, NULL);
    return signing_drop(signing, act->kind, &why);
  }
  return status == COLLEGA_OK ? signing_append(signing, act->kind, run, envelope) : status;
}

static enum collega_status sign_acceptance(struct signing *signing,
                                           const CollegaStore__DealAct *act) {
  struct collega_error why;
  const Collega__Body *body;
  Collega__Run *run;
  struct bytes envelope = {NULL, 0};
  enum collega_status status = may_sign(signing, DEAL_EVENT_ACCEPT_SIGN, &why);
  if (status == COLLEGA_REFUSED) return signing_drop(signing, act->kind, &why);
  if (status == COLLEGA_OK)
    status = body_of_bytes(field_bytes(&act->body), signing->arena, &body, signing->error);
  if (status == COLLEGA_OK && !body->acceptance)
    status = exchange_row_damaged(signing->error, "act");
  if (status == COLLEGA_OK)
    status =
        signing_mandate(signing, body->acceptance->has_mandate, &body->acceptance->mandate, &why);
  if (status == COLLEGA_REFUSED) return signing_drop(signing, act->kind, &why);
  if (status == COLLEGA_OK) status = sign_body(signing, act, &run);
  if (status != COLLEGA_OK) return status;
  status = signing_seal(signing, run, body->acceptance->has_mandate, &body->acceptance->mandate,
                        NULL, &envelope);
  return status == COLLEGA_OK ? signing_append(signing, act->kind, run, envelope) : status;
}

static enum collega_status sign_waiting(struct signing *signing) {
  const CollegaStore__DealAct *act = (const CollegaStore__DealAct *)row_unpack(
      &collega_store__deal_act__descriptor, field_bytes(&signing->view.row->act), signing->arena);
  Collega__Run *run;
  if (!act) return exchange_row_damaged(signing->error, "deals");
  if (act->kind == COLLEGA_STORE__ACT_KIND__ACT_KIND_PROPOSE) return sign_proposal(signing, act);
  if (act->kind == COLLEGA_STORE__ACT_KIND__ACT_KIND_ACCEPT) return sign_acceptance(signing, act);
  if (act->kind == COLLEGA_STORE__ACT_KIND__ACT_KIND_TERMINATE ||
      act->kind == COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE ||
      act->kind == COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE_ANSWER)
    return sign_change(signing, act);
  enum collega_status status = sign_body(signing, act, &run);
  return status == COLLEGA_OK ? signing_append(signing, act->kind, run, bytes_of(NULL, 0)) : status;
}

/* ---- asking */

struct deal_mail {
  const struct deal_view *view;
  bool letter, request;
};

static bool visit_item(void *context, const CollegaStore__OutboxItem *item) {
  struct deal_mail *mail = context;
  if (!item->has_deal || !field_is(&item->deal, &mail->view->deal) ||
      !field_is(&item->party, &mail->view->party))
    return true;
  if (item->kind == COLLEGA_STORE__OUTBOX_KIND__OUTBOX_KIND_DECIDE)
    mail->request = true;
  else
    mail->letter = true;
  return true;
}

/* A question is of no use while what it asks about still waits here to be sent. One that is due at a Welcome is put
 * then: a decider that was restored meanwhile may have said anew what the letter builds on. */
static enum collega_status wants_asking(struct signing *signing, bool welcome, bool *ask) {
  struct negotiation negotiation;
  struct deal_effects effects;
  CollegaStore__RootRow *row;
  struct deal_event event = {.kind = welcome ? DEAL_EVENT_WELCOME : DEAL_EVENT_TICK,
                             .now = signing->now,
                             .epoch_number = signing->exchange->welcome_number};
  *ask = false;
  enum collega_status status =
      negotiation_load(signing->txn, &signing->view.party, &signing->view.root, signing->arena,
                       &negotiation, &row, signing->error);
  if (status == COLLEGA_OK) status = deal_step(&negotiation, &event, &effects, signing->error);
  if (status != COLLEGA_OK) return status;
  for (size_t i = 0; i < effects.count; i++)
    if (effects.effect[i].kind == DEAL_EFFECT_SIGN_ASK &&
        id_equal(&effects.effect[i].deal, &signing->view.deal))
      *ask = true;
  /* The answer is the last word, and the end that is wanted is signed for that again: it may have been lost. */
  if (welcome && negotiation.terminate_wanted &&
      id_equal(&negotiation.last_deal, &signing->view.deal))
    *ask = true;
  if (!*ask) return COLLEGA_OK;
  struct deal_mail mail = {.view = &signing->view};
  status = outbox_each(signing->txn, 0, signing->arena, visit_item, &mail, signing->error);
  bool waits = mail.letter && signing->now < signing->view.row->accept_by;
  if (mail.request || waits) *ask = false;
  signing->ask_later = welcome && waits && !mail.request;
  return status;
}

static enum collega_status sign_ask(struct signing *signing) {
  Collega__Ask content = COLLEGA__ASK__INIT;
  Collega__Body *body;
  Collega__Run *run;
  struct bytes packed;
  struct id id;
  if (!signing->view.row->has_header_run) return COLLEGA_OK;
  enum collega_status status = exchange_own_body(
      signing->exchange, signing->txn, &signing->view.party, signing->arena, &body, signing->error);
  if (status != COLLEGA_OK) return status;
  field_set_id(&content.deal, &signing->view.deal);
  content.time = signing->now;
  body->type = COLLEGA__BODY_TYPE__BODY_TYPE_ASK;
  body->ask = &content;
  status = body_finish(body, signing->arena, &packed, &id, signing->error);
  if (status == COLLEGA_OK)
    status = run_sign(signing->identity, &packed, 1, signing->arena, &run, signing->error);
  return status == COLLEGA_OK ? signing_append(signing, COLLEGA_STORE__ACT_KIND__ACT_KIND_ASK, run,
                                               bytes_of(NULL, 0))
                              : status;
}

/* ---- one deal, all deals */

static enum collega_status sign_deal(struct signing *signing, const struct party_deal *deal,
                                     bool welcome) {
  bool ask = false;
  enum collega_status status = deal_view_read(signing->txn, &deal->party, &deal->deal,
                                              signing->arena, &signing->view, signing->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status != COLLEGA_OK) return status;
  signing->identity = exchange_identity(signing->exchange, &signing->view.party);
  if (!signing->identity) return exchange_row_damaged(signing->error, "deals");
  if (signing->view.row->has_act) {
    status = sign_waiting(signing);
    if (status == COLLEGA_OK)
      status = deal_view_read(signing->txn, &deal->party, &deal->deal, signing->arena,
                              &signing->view, signing->error);
  }
  if (status == COLLEGA_OK) status = wants_asking(signing, welcome, &ask);
  return status == COLLEGA_OK && ask ? sign_ask(signing) : status;
}

/* deal->asks: afterwards, whether the question is still to come. */
static enum collega_status sign_in_transaction(struct exchange *exchange, struct party_deal *deal,
                                               collega_time now, uint32_t *signed_acts,
                                               struct collega_error *error) {
  uint32_t before = *signed_acts;
  struct signing signing = {.exchange = exchange,
                            .now = now,
                            .arena = exchange_arena(),
                            .signed_acts = signed_acts,
                            .error = error};
  if (!signing.arena) return exchange_no_memory(error);
  enum collega_status status = exchange_begin(exchange, &signing.txn, error);
  if (status == COLLEGA_OK) {
    status = sign_deal(&signing, deal, deal->asks);
    fault_point(FAULT_node_sign_before_commit);
    status = exchange_end(exchange, &signing.txn, status, error);
    fault_point(FAULT_node_sign_after_commit);
  }
  if (status == COLLEGA_OK)
    deal->asks = signing.ask_later;
  else
    *signed_acts = before;
  arena_destroy(&signing.arena);
  return status;
}

/* Those of the list whose question is still to come, in the place of the former ones. */
static void keep_later(struct exchange *exchange, struct deal_list *list) {
  size_t count = 0;
  for (size_t i = 0; i < list->count; i++)
    if (list->deal[i].asks) list->deal[count++] = list->deal[i];
  free(exchange->ask_later);
  exchange->ask_later = count > 0 ? list->deal : NULL;
  exchange->ask_later_count = count;
  if (count > 0) list->deal = NULL;
}

/* Nothing has moved and no deal's time has come since the last look. */
static bool nothing_new(struct exchange *exchange, const struct ledger_head *head,
                        collega_time now) {
  return exchange->signing_known && !exchange->ask_due &&
         head->number == exchange->signing_at.number &&
         id_equal(&head->hash, &exchange->signing_at.hash) &&
         (exchange->signing_next == 0 || now < exchange->signing_next);
}

static enum collega_status head_now(struct exchange *exchange, struct ledger_head *head,
                                    struct collega_error *error) {
  struct ledger_txn *txn = NULL;
  enum collega_status status = ledger_read(exchange->ledger, &txn, error);
  if (status == COLLEGA_OK) status = ledger_head(txn, head, error);
  ledger_abort(&txn);
  return status;
}

enum collega_status exchange_sign(struct exchange *exchange, collega_time now, bool welcomed,
                                  uint32_t *signed_acts, struct collega_error *error) {
  *signed_acts = 0;
  if (!welcomed) return COLLEGA_OK;
  struct ledger_head head;
  enum collega_status status = head_now(exchange, &head, error);
  if (status != COLLEGA_OK || nothing_new(exchange, &head, now)) return status;
  struct deal_list list = {.arena = exchange_arena(),
                           .now = now,
                           .all = exchange->ask_due,
                           .later = exchange->ask_later,
                           .later_count = exchange->ask_later_count};
  if (!list.arena) return exchange_no_memory(error);
  status = list_deals(exchange, &list, &head, error);
  size_t count = status == COLLEGA_OK ? list.count : 0;
  for (size_t i = 0; i < count; i++) {
    /* One deal that cannot be worked on does not stop the others; the first error is told. */
    struct collega_error *why = status == COLLEGA_OK ? error : NULL;
    enum collega_status one = sign_in_transaction(exchange, &list.deal[i], now, signed_acts, why);
    if (status == COLLEGA_OK) status = one;
  }
  uint32_t filled = 0, withdrawn = 0;
  if (status == COLLEGA_OK) status = offers_look_filled(exchange, now, &filled, error);
  if (status == COLLEGA_OK) status = offers_look_unseen(exchange, now, &withdrawn, error);
  *signed_acts += filled + withdrawn;
  if (status == COLLEGA_OK) {
    exchange->ask_due = false;
    keep_later(exchange, &list);
    exchange->signing_known = true;
    exchange->signing_at =
        head; /* what was signed moved the ledger on: the next look sees that it is done */
    exchange->signing_next = list.next;
  }
  free(list.deal);
  arena_destroy(&list.arena);
  return status;
}
