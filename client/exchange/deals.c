/* What a user does to a deal that is there: accept, decline, withdraw. Each is judged by the
 * deal machine on what the ledger holds, and stored as a draft act; only the daemon signs. */
#include "client/exchange/deal_rows.h"
#include "client/exchange/mandates.h"

#include <string.h>

#include "base/words.h"
#include "proto/guard.h"

/* ---- records of a party */

enum collega_status exchange_member_run(struct ledger_txn *txn, const struct id *party,
                                        const struct id *record, struct arena *arena,
                                        struct bytes *run, struct collega_error *error) {
  ProtobufCMessage *message;
  *run = bytes_of(NULL, 0);
  enum collega_status status = row_get(txn, TABLE_PARTIES, bytes_of(party->byte, ID_BYTES),
                                       &collega_store__party__descriptor, arena, &message, error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status != COLLEGA_OK) return status;
  const CollegaStore__Party *row = (const CollegaStore__Party *)message;
  for (size_t i = 0; i < row->n_records; i++) {
    const Collega__Run *one = (const Collega__Run *)row_unpack(
        &collega__run__descriptor, field_bytes(&row->records[i]->run), arena);
    struct id id;
    if (!one || one->n_bodies != 1) continue;
    record_id(&id, field_bytes(&one->bodies[0]));
    if (id_equal(&id, record)) *run = field_bytes(&row->records[i]->run);
  }
  return COLLEGA_OK;
}

/* ---- entries */

enum collega_status exchange_append_act(struct exchange *exchange, struct ledger_txn *txn,
                                        const struct id *party, const struct id *deal,
                                        CollegaStore__DealAct *act, collega_time now,
                                        struct arena *arena, struct collega_error *error) {
  struct ledger_event event = {.time = now,
                               .kind = COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_DRAFT,
                               .party = party,
                               .record = deal};
  enum collega_status status = exchange_pack(arena, &act->base, &event.payload, error);
  return status == COLLEGA_OK ? exchange_append(exchange, txn, &event, error) : status;
}

enum collega_status exchange_append_dropped(struct exchange *exchange, struct ledger_txn *txn,
                                            const struct id *party, const struct id *deal,
                                            CollegaStore__ActKind kind, enum rule why,
                                            collega_time now, struct arena *arena,
                                            struct collega_error *error) {
  CollegaStore__ActDropped dropped = COLLEGA_STORE__ACT_DROPPED__INIT;
  dropped.kind = kind;
  field_set_id(&dropped.deal, deal);
  dropped.why = (char *)(uintptr_t)rule_name(why);
  struct ledger_event event = {.time = now,
                               .kind = COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_ACT_DROPPED,
                               .party = party,
                               .record = deal};
  enum collega_status status = exchange_pack(arena, &dropped.base, &event.payload, error);
  return status == COLLEGA_OK ? exchange_append(exchange, txn, &event, error) : status;
}

/* ---- the three acts */

struct user_act {
  struct exchange *exchange;
  struct ledger_txn *txn;
  const struct id *party;
  const struct id *mandate;
  collega_time now;
  struct arena *arena;
  struct deal_view view;
  struct collega_error *error;
};

static enum collega_status open_deal(struct user_act *act, const struct id *deal) {
  enum collega_status status =
      deal_view_read(act->txn, act->party, deal, act->arena, &act->view, act->error);
  if (status == COLLEGA_NOT_FOUND)
    return error_set(act->error, COLLEGA_NOT_FOUND, RULE_deal_unknown, NULL, NULL);
  return status;
}

/* Would the machine take it? On a copy: the entry makes it so. *news false: it was done before. */
static enum collega_status try_event(struct user_act *act, const struct deal_event *event,
                                     bool *news) {
  struct negotiation negotiation;
  struct deal_effects effects;
  CollegaStore__RootRow *row;
  enum collega_status status = negotiation_load(act->txn, act->party, &act->view.root, act->arena,
                                                &negotiation, &row, act->error);
  if (status == COLLEGA_OK) status = deal_step(&negotiation, event, &effects, act->error);
  *news = status == COLLEGA_OK && effects.count > 0;
  return status;
}

static enum collega_status finish_act(struct user_act *act, CollegaStore__ActKind kind,
                                      const Collega__Body *body) {
  CollegaStore__DealAct draft = COLLEGA_STORE__DEAL_ACT__INIT;
  struct bytes packed;
  struct id id;
  enum collega_status status = body_finish(body, act->arena, &packed, &id, act->error);
  if (status != COLLEGA_OK) return status;
  draft.kind = kind;
  field_set_id(&draft.deal, &act->view.deal);
  field_set(&draft.body, packed.data, packed.length);
  return exchange_append_act(act->exchange, act->txn, act->party, &act->view.deal, &draft, act->now,
                             act->arena, act->error);
}

/* Does the card count no more that signed the proposal? */
static enum collega_status signed_by_replaced(struct user_act *act, bool *out) {
  struct run_view view;
  struct collega_error why;
  struct members *members = exchange_members(act->exchange, act->txn);
  enum collega_status status =
      run_read_bytes(field_bytes(&act->view.row->header_run), act->arena, &view, act->error);
  *out = status == COLLEGA_OK && members_verify_run(members, &view, &why) != COLLEGA_OK &&
         why.status != COLLEGA_FULL;
  return status;
}

/* Their membership, or what the proposal was signed with, may have ended since: the decider would not conclude it. */
static enum collega_status check_counterparty(struct user_act *act, uint32_t headcount) {
  const Collega__DealHeader *header = act->view.header;
  struct id mandate;
  const struct known_party *other =
      members_find(exchange_members(act->exchange, act->txn), &act->view.counterparty);
  if (other && other->revoked)
    return error_set(act->error, COLLEGA_REFUSED, RULE_their_membership_over, NULL,
                     known_party_name(other), NULL);
  bool replaced = false;
  enum collega_status status = signed_by_replaced(act, &replaced);
  if (status != COLLEGA_OK) return status;
  if (replaced) return error_set(act->error, COLLEGA_REFUSED, RULE_their_card_replaced, NULL, NULL);
  if (!other || !header->has_mandate ||
      !id_from(&mandate, header->mandate.data, header->mandate.len))
    return COLLEGA_OK;
  const struct known_mandate *known = known_party_mandate(other, &mandate);
  if (known && mandate_covers(known, mandate_time(known, act->now), headcount, NULL) == COLLEGA_OK)
    return COLLEGA_OK;
  return error_set(act->error, COLLEGA_REFUSED, RULE_their_mandate_over, NULL,
                   known_party_name(other), NULL);
}

static enum collega_status accept(struct user_act *act) {
  struct collega_error no_room;
  struct deal_event event = {
      .kind = DEAL_EVENT_ACCEPT, .deal = act->view.deal, .now = act->now, .no_room = &no_room};
  Collega__Acceptance acceptance = COLLEGA__ACCEPTANCE__INIT;
  Collega__Terms *terms;
  Collega__Body *body = NULL;
  struct id mandate;
  bool news = false;
  enum collega_status status = deal_terms(act->view.row, act->arena, &terms, act->error);
  if (status == COLLEGA_OK)
    status = deal_room(act->txn, &act->view, act->now, act->arena, &event.fits, &event.room,
                       &no_room, act->error);
  if (status == COLLEGA_OK && !event.fits)
    error_set(&no_room, COLLEGA_REFUSED, RULE_offer_changed, NULL, NULL);
  if (status == COLLEGA_OK) status = try_event(act, &event, &news);
  if (status == COLLEGA_OK && !news) return COLLEGA_OK;
  if (status == COLLEGA_OK) status = check_counterparty(act, terms->work->headcount);
  if (status == COLLEGA_OK)
    status = exchange_choose_mandate(act->exchange, act->txn, act->party, act->mandate,
                                     terms->work->headcount, act->now, &mandate, act->error);
  if (status == COLLEGA_OK)
    status = exchange_own_body(act->exchange, act->txn, act->party, act->arena, &body, act->error);
  if (status != COLLEGA_OK) return status;
  field_set_id(&acceptance.deal, &act->view.deal);
  acceptance.has_mandate = !id_is_zero(&mandate);
  field_set_id(&acceptance.mandate, &mandate);
  acceptance.time = act->now;
  body->type = COLLEGA__BODY_TYPE__BODY_TYPE_ACCEPTANCE;
  body->acceptance = &acceptance;
  return finish_act(act, COLLEGA_STORE__ACT_KIND__ACT_KIND_ACCEPT, body);
}

/* The body of an act that needs nothing but that its event is taken; NULL: it is no news. */
static enum collega_status begin_act(struct user_act *act, enum deal_event_kind kind,
                                     Collega__Body **body) {
  struct deal_event event = {.kind = kind, .deal = act->view.deal, .now = act->now};
  bool news = false;
  *body = NULL;
  enum collega_status status = try_event(act, &event, &news);
  if (status != COLLEGA_OK || !news) return status;
  return exchange_own_body(act->exchange, act->txn, act->party, act->arena, body, act->error);
}

static enum collega_status decline(struct user_act *act) {
  Collega__Decline content = COLLEGA__DECLINE__INIT;
  Collega__Body *body;
  enum collega_status status = begin_act(act, DEAL_EVENT_DECLINE, &body);
  if (status != COLLEGA_OK || !body) return status;
  field_set_id(&content.deal, &act->view.deal);
  content.time = act->now;
  body->type = COLLEGA__BODY_TYPE__BODY_TYPE_DECLINE;
  body->decline = &content;
  return finish_act(act, COLLEGA_STORE__ACT_KIND__ACT_KIND_DECLINE, body);
}

/* Of what nobody has seen yet the withdrawal is a fact; after that it is a request to the
 * decider. */
static enum collega_status withdraw(struct user_act *act) {
  Collega__Withdraw content = COLLEGA__WITHDRAW__INIT;
  Collega__Body *body;
  if (act->view.row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_DRAFT)
    return exchange_append_dropped(act->exchange, act->txn, act->party, &act->view.deal,
                                   COLLEGA_STORE__ACT_KIND__ACT_KIND_PROPOSE, RULE_withdrawn,
                                   act->now, act->arena, act->error);
  enum collega_status status = begin_act(act, DEAL_EVENT_WITHDRAW, &body);
  if (status != COLLEGA_OK || !body) return status;
  field_set_id(&content.deal, &act->view.deal);
  content.time = act->now;
  body->type = COLLEGA__BODY_TYPE__BODY_TYPE_WITHDRAW;
  body->withdraw = &content;
  return finish_act(act, COLLEGA_STORE__ACT_KIND__ACT_KIND_WITHDRAW, body);
}

static enum collega_status run_act(struct exchange *exchange, const struct id *party,
                                   const struct id *deal, const struct id *mandate,
                                   collega_time now, enum collega_status (*what)(struct user_act *),
                                   struct collega_error *error) {
  struct user_act act = {.exchange = exchange,
                         .party = party,
                         .mandate = mandate,
                         .now = now,
                         .arena = exchange_arena(),
                         .error = error};
  if (!act.arena) return exchange_no_memory(error);
  enum collega_status status = exchange_begin(exchange, &act.txn, error);
  if (status == COLLEGA_OK) {
    status = open_deal(&act, deal);
    if (status == COLLEGA_OK) status = what(&act);
    status = exchange_end(exchange, &act.txn, status, error);
  }
  arena_destroy(&act.arena);
  return status;
}

enum collega_status deal_accept(struct exchange *exchange, const struct id *party,
                                const struct id *deal, const struct id *mandate, collega_time now,
                                struct collega_error *error) {
  return run_act(exchange, party, deal, mandate, now, accept, error);
}

enum collega_status deal_decline(struct exchange *exchange, const struct id *party,
                                 const struct id *deal, collega_time now,
                                 struct collega_error *error) {
  return run_act(exchange, party, deal, NULL, now, decline, error);
}

enum collega_status deal_withdraw(struct exchange *exchange, const struct id *party,
                                  const struct id *deal, collega_time now,
                                  struct collega_error *error) {
  return run_act(exchange, party, deal, NULL, now, withdraw, error);
}

/* ---- reading */

const char *deal_state_name(const CollegaStore__DealRow *row, const Collega__Terms *terms,
                            collega_date today) {
  if (row->release_state == (uint32_t)RELEASE_ASKED && row->has_header_run &&
      row->state != COLLEGA_STORE__DEAL_STATE__DEAL_STATE_VOID)
    return "releasing";
  if (row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_CONCLUDED && terms && terms->work) {
    if (terms->work->has_until && terms->work->until < today) return "ended";
    if (terms->work->from <= today) return "active";
  }
  return deal_phase_name((enum deal_phase)row->state);
}
