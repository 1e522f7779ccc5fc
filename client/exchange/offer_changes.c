/* What becomes of an offer after it was published: another state, another content.
 *
 * Status numbers and content revisions count apart. A status follows whoever has the content; a
 * revision goes to its own audience, and those who were in the former one only get a withdrawal of
 * the former content first: one status number below the one that the new audience gets. So whoever
 * is in both, or hears of both in any order, ends with the newer. As a follower may have dropped
 * the offer in between, a revision brings the status along wherever it is not simply open. */
#include "client/exchange/offer_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "client/exchange/deal_rows.h"

const char *offer_state_text(Collega__OfferState state) {
  switch (state) {
  case COLLEGA__OFFER_STATE__OFFER_STATE_OPEN:
    return "open";
  case COLLEGA__OFFER_STATE__OFFER_STATE_PAUSED:
    return "paused";
  case COLLEGA__OFFER_STATE__OFFER_STATE_FILLED:
    return "filled";
  case COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN:
    return "withdrawn";
  case COLLEGA__OFFER_STATE__OFFER_STATE_EXPIRED:
    return "expired";
  case _COLLEGA__OFFER_STATE_IS_INT_SIZE:
    break;
  }
  return "unknown";
}

/* ---- one offer, opened for a change */

struct change {
  struct exchange *exchange;
  struct ledger_txn *txn;
  collega_time now;
  struct arena *arena;
  struct collega_error *error;
  struct short_id offer;
  const struct id *asked_by; /* NULL: by itself, whose ever it is */
  bool ends;                 /* withdraws what expired without the board's knowing */
  struct id party, content;
  CollegaStore__OfferRow *row;
  Collega__Offer *former;
  struct audience audience; /* of the former content */
  struct offer_batch batch;
};

static bool is_over(Collega__OfferState state) {
  return state == COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN ||
         state == COLLEGA__OFFER_STATE__OFFER_STATE_EXPIRED;
}

static enum collega_status open_offer(struct change *change) {
  enum collega_status status = offer_row(change->txn, bytes_of(change->offer.byte, SHORT_ID_BYTES),
                                         change->arena, &change->row, change->error);
  if (status == COLLEGA_NOT_FOUND)
    return error_set(change->error, COLLEGA_NOT_FOUND, RULE_offer_unknown, NULL, NULL);
  if (status == COLLEGA_OK)
    status = offer_of_row(change->row, change->arena, &change->former, change->error);
  if (status != COLLEGA_OK) return status;
  if (!change->row->mine || (change->asked_by && !field_is(&change->row->author, change->asked_by)))
    return error_set(change->error, COLLEGA_REFUSED, RULE_offer_not_yours, NULL, NULL);
  Collega__OfferState state = offer_state(change->row, change->former, change->now);
  bool ends_expired = change->ends && state == COLLEGA__OFFER_STATE__OFFER_STATE_EXPIRED;
  if (is_over(state) && !ends_expired)
    return error_set(change->error, COLLEGA_REFUSED, RULE_offer_already, NULL,
                     offer_state_text(state), NULL);
  if (!id_from(&change->party, change->row->author.data, change->row->author.len) ||
      !id_from(&change->content, change->row->content.data, change->row->content.len))
    return exchange_row_damaged(change->error, "offers");
  change->batch = (struct offer_batch){.exchange = change->exchange,
                                       .txn = change->txn,
                                       .party = &change->party,
                                       .now = change->now,
                                       .arena = change->arena};
  status = audience_read(change->exchange, change->txn, change->former->audience, NULL, change->now,
                         &change->audience, change->error);
  return status == COLLEGA_OK ? offer_batch_begin(&change->batch, 2, change->error) : status;
}

static enum collega_status send(struct change *change, const struct audience *to) {
  return to->named ? offer_batch_mail(&change->batch, to, change->error)
                   : offer_batch_publish(&change->batch, change->error);
}

static enum collega_status in_transaction(struct change *change,
                                          enum collega_status (*what)(struct change *, void *),
                                          void *context) {
  change->arena = exchange_arena();
  if (!change->arena) return exchange_no_memory(change->error);
  enum collega_status status = exchange_begin(change->exchange, &change->txn, change->error);
  if (status == COLLEGA_OK) {
    status = open_offer(change);
    if (status == COLLEGA_OK) status = what(change, context);
    fault_point(FAULT_node_publish_before_commit);
    status = exchange_end(change->exchange, &change->txn, status, change->error);
    fault_point(FAULT_node_publish_after_commit);
  }
  arena_destroy(&change->arena);
  return status;
}

/* ---- states */

struct wanted_state {
  Collega__OfferState state;
  bool by_itself;
};

static enum collega_status change_state(struct change *change, void *context) {
  const struct wanted_state *wanted = context;
  if (change->row->state == (uint32_t)wanted->state)
    return error_set(change->error, COLLEGA_REFUSED, RULE_offer_already, NULL,
                     offer_state_text(wanted->state), NULL);
  enum collega_status status =
      offer_batch_status(&change->batch, &change->offer, change->row->status_number + 1,
                         wanted->state, &change->content, change->error);
  change->batch.by_itself = wanted->by_itself;
  return status == COLLEGA_OK ? send(change, &change->audience) : status;
}

enum collega_status offer_set_state(struct exchange *exchange, const struct id *party,
                                    const struct short_id *offer, Collega__OfferState state,
                                    collega_time now, struct collega_error *error) {
  struct change change = {
      .exchange = exchange, .now = now, .error = error, .offer = *offer, .asked_by = party};
  struct wanted_state wanted = {state, false};
  return in_transaction(&change, change_state, &wanted);
}

enum collega_status offer_state_by_itself(struct exchange *exchange, const struct short_id *offer,
                                          Collega__OfferState state, collega_time now,
                                          struct collega_error *error) {
  struct change change = {.exchange = exchange,
                          .now = now,
                          .error = error,
                          .offer = *offer,
                          .ends = state == COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN};
  struct wanted_state wanted = {state, true};
  return in_transaction(&change, change_state, &wanted);
}

/* ---- contents */

struct holding {
  struct arena *arena;
  const CollegaStore__Hold **row;
  size_t count, capacity;
  bool failed;
};

static bool visit_hold(void *context, struct bytes key, struct bytes value) {
  struct holding *holding = context;
  (void)key;
  if (holding->count == holding->capacity) {
    size_t capacity = holding->capacity ? 2 * holding->capacity : 16;
    const CollegaStore__Hold **grown = realloc(holding->row, capacity * sizeof *grown);
    holding->failed = !grown;
    if (!grown) return false;
    holding->row = grown;
    holding->capacity = capacity;
  }
  const CollegaStore__Hold *hold = (const CollegaStore__Hold *)row_unpack(
      &collega_store__hold__descriptor, value, holding->arena);
  holding->failed = !hold;
  if (hold) holding->row[holding->count++] = hold;
  return hold != NULL;
}

static uint64_t offered_on(const struct capacity *capacity, collega_date day) {
  if (day < capacity->from || day > capacity->until) return 0;
  return capacity->carve ? (uint64_t)capacity->headcount * capacity->hours_per_week
                         : capacity->headcount;
}

static enum collega_status refuse_below(struct change *change, const struct capacity *capacity,
                                        collega_date day, uint64_t stands) {
  char day_text[32], stands_text[24], offered_text[24];
  date_write(day_text, sizeof day_text, day);
  snprintf(stands_text, sizeof stands_text, "%" PRIu64, stands);
  snprintf(offered_text, sizeof offered_text, "%" PRIu64, offered_on(capacity, day));
  bool outside = day < capacity->from || day > capacity->until;
  return error_set(change->error, COLLEGA_REFUSED,
                   capacity->carve ? RULE_offer_below_hours : RULE_offer_below_holds,
                   outside ? "period" : "headcount", day_text, stands_text, offered_text, NULL);
}

/* What stands only grows on the first day of a hold, and what is offered only falls after the last
 * day of the period: the first day that is too full is one of these. */
static enum collega_status check_holds(struct change *change, const Collega__Offer *offer) {
  uint8_t prefix[ID_BYTES + SHORT_ID_BYTES];
  struct capacity capacity;
  struct holding holding = {.arena = change->arena};
  bool found = false;
  collega_date first = 0;
  offer_capacity(offer, &capacity);
  memcpy(prefix, change->party.byte, ID_BYTES);
  memcpy(prefix + ID_BYTES, change->offer.byte, SHORT_ID_BYTES);
  enum collega_status status = table_each(change->txn, TABLE_HOLDS, bytes_of(prefix, sizeof prefix),
                                          NULL, visit_hold, &holding, change->error);
  if (status == COLLEGA_OK && holding.failed) status = exchange_row_damaged(change->error, "holds");
  for (size_t i = 0; status == COLLEGA_OK && i <= holding.count; i++) {
    if (i == holding.count && capacity.until == DATE_OPEN) break;
    collega_date day = i < holding.count ? holding.row[i]->from : capacity.until + 1;
    uint64_t stands = holds_on_day(holding.row, holding.count, day, capacity.carve);
    if (stands <= offered_on(&capacity, day) || (found && first <= day)) continue;
    found = true;
    first = day;
  }
  if (status == COLLEGA_OK && found)
    status = refuse_below(change, &capacity, first,
                          holds_on_day(holding.row, holding.count, first, capacity.carve));
  free(holding.row);
  return status;
}

struct revising {
  const struct offer_input *input;
  uint32_t revision;
};

/* Those who had the offer and are not in its new audience; *any: there are such. */
static void losers(const struct audience *former, const struct audience *next, struct audience *out,
                   bool *any) {
  *out = (struct audience){.named = former->named};
  *any = !former->named && next->named;
  if (!former->named) return;
  for (size_t i = 0; i < former->count; i++)
    if (!next->named || !audience_has(next, &former->party[i]))
      out->party[out->count++] = former->party[i];
  *any = out->count > 0;
}

static enum collega_status revise(struct change *change, void *context) {
  struct revising *revising = context;
  struct prepared prepared;
  struct audience next, gone;
  struct id record;
  bool lost = false;
  uint32_t number = change->row->status_number;
  Collega__OfferState state = (Collega__OfferState)change->row->state;
  enum collega_status status =
      offer_prepare(revising->input, change->now, &prepared, change->error);
  if (status != COLLEGA_OK) return status;
  if (prepared.offer.kind != change->former->kind)
    return error_set(change->error, COLLEGA_REFUSED, RULE_offer_kind_stays, "kind", NULL);
  prepared.id = change->offer;
  status = check_holds(change, &prepared.offer);
  if (status == COLLEGA_OK)
    status = audience_read(change->exchange, change->txn, prepared.offer.audience, &change->party,
                           change->now, &next, change->error);
  if (status != COLLEGA_OK) return status;
  losers(&change->audience, &next, &gone, &lost);
  bool moved = change->audience.named != next.named;
  if (lost) {
    status = offer_batch_status(&change->batch, &change->offer, ++number,
                                COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN, &change->content,
                                change->error);
    if (status == COLLEGA_OK) status = send(change, &gone);
  }
  revising->revision = change->row->revision + 1;
  if (status == COLLEGA_OK)
    status =
        offer_batch_revision(&change->batch, &prepared, revising->revision, &record, change->error);
  if (status == COLLEGA_OK && (number > 0 || moved))
    status = offer_batch_status(&change->batch, &change->offer, number + 1, state, &record,
                                change->error);
  change->batch.by_itself = change->row->filled_by_itself;
  return status == COLLEGA_OK ? send(change, &next) : status;
}

enum collega_status offer_revise(struct exchange *exchange, const struct id *party,
                                 const struct short_id *offer, const struct offer_input *input,
                                 collega_time now, uint32_t *revision,
                                 struct collega_error *error) {
  struct change change = {
      .exchange = exchange, .now = now, .error = error, .offer = *offer, .asked_by = party};
  struct revising revising = {.input = input};
  enum collega_status status = in_transaction(&change, revise, &revising);
  if (status == COLLEGA_OK) *revision = revising.revision;
  return status;
}

/* ---- one person */

#define FULL_POSTCODE 6u /* 4811AB: a street, or a part of one */

bool offer_points_at_one(const Collega__Offer *offer) {
  bool gives = offer->kind == COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT ||
               offer->kind == COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_OUT;
  size_t required = 0;
  if (!gives || offer->headcount != 1 || !offer->establishment) return false;
  for (size_t i = 0; i < offer->n_credentials; i++)
    required +=
        offer->credentials[i]->has_need && offer->credentials[i]->need == COLLEGA__NEED__NEED_MUST;
  bool full = offer->place->postcode && strlen(offer->place->postcode) == FULL_POSTCODE;
  return required >= 2 || full;
}
