/* Offers: what a user publishes. All of a batch is checked before anything is stored; then one
 * transaction numbers, signs and stores it. What becomes of an offer later: offer_changes.c. */
#include "client/exchange/offer_inside.h"

#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "proto/check.h"
#include "proto/check_text.h"
#include "proto/guard.h"
#include "proto/lists.h"

#define PUBLISH_ARENA_BYTES ((size_t)1 << 30) /* a bulk import */

/* ---- preparing one offer */

enum collega_status offer_region(const Collega__Place *place, const char **out,
                                 struct collega_error *error) {
  *out = place->region;
  if (place->region || !place->postcode || (place->country && strcmp(place->country, "NL") != 0))
    return COLLEGA_OK;
  const struct postcode_row *area = postcode_area_find(place->postcode);
  if (!area) return COLLEGA_OK; /* check_offer has refused it */
  if (!postcode_area_certain(area)) {
    const struct region_row *region = region_find(area->region);
    return error_set(error, COLLEGA_INVALID, RULE_region_needed, "place.region", area->digits,
                     area->region, region ? region->name : "", NULL);
  }
  *out = area->region;
  return COLLEGA_OK;
}

/* The end of the last day; a transfer without one lasts as long as an offer may. */
static collega_time period_end(const Collega__Period *period, collega_time now) {
  if (!period->has_until) return now + OFFER_LIFETIME_MS;
  return time_of_date(period->until + 1, 0, 0);
}

static void fill_expires(Collega__Offer *offer, collega_time now) {
  if (offer->has_expires) return;
  collega_time end = period_end(offer->period, now);
  offer->has_expires = true;
  offer->expires = end < now + OFFER_LIFETIME_MS ? end : now + OFFER_LIFETIME_MS;
}

static enum collega_status check_private(const Collega__OfferPrivate *private_part,
                                         struct collega_error *error) {
  enum collega_status status = check_fields(&private_part->base, error);
  if (status == COLLEGA_OK) status = check_no_bsn(&private_part->base, error);
  if (status != COLLEGA_OK) error_prefix(error, "private");
  return status;
}

enum collega_status offer_prepare(const struct offer_input *input, collega_time now,
                                  struct prepared *out, struct collega_error *error) {
  enum collega_status status = check_fields(&input->offer->base, error);
  if (status == COLLEGA_OK) status = check_offer(input->offer, error);
  if (status == COLLEGA_OK && input->private_part)
    status = check_private(input->private_part, error);
  if (status != COLLEGA_OK) return status;
  out->offer = *input->offer;
  out->place = *input->offer->place;
  out->offer.place = &out->place;
  out->private_part = input->private_part;
  const char *region = NULL;
  status = offer_region(&out->place, &region, error);
  if (status != COLLEGA_OK) return status;
  out->place.region = (char *)(uintptr_t)region; /* protobuf-c's structures know no const */
  fill_expires(&out->offer, now);
  return check_offer_now(&out->offer, now, error);
}

static void name_input(struct collega_error *error, size_t index, size_t count) {
  char place[32];
  if (!error || count == 1) return;
  snprintf(place, sizeof place, "[%zu]", index);
  error_prefix(error, place);
}

/* ---- publishing */

static enum collega_status add_offer(struct offer_batch *batch, const struct prepared *prepared,
                                     struct collega_error *error) {
  struct audience audience;
  if (!audience_is_named(prepared->offer.audience))
    return offer_batch_revision(batch, prepared, 1, NULL, error);
  /* An entry of its own: it goes by other ways than what stands before it. */
  enum collega_status status = offer_batch_publish(batch, error);
  if (status == COLLEGA_OK)
    status = audience_read(batch->exchange, batch->txn, prepared->offer.audience, batch->party,
                           batch->now, &audience, error);
  if (status == COLLEGA_OK) status = offer_batch_revision(batch, prepared, 1, NULL, error);
  return status == COLLEGA_OK ? offer_batch_mail(batch, &audience, error) : status;
}

/* `already` NULL: all are new. */
static enum collega_status publish_all(struct offer_batch *batch, struct prepared *prepared,
                                       size_t count, bool *already, struct collega_error *error) {
  enum collega_status status = offer_batch_begin(batch, count, error);
  if (status == COLLEGA_OK && already)
    status = offer_once_mark(batch->txn, batch->party, prepared, count, batch->now, batch->arena,
                             already, error);
  for (size_t i = 0; status == COLLEGA_OK && i < count; i++) {
    if (already && already[i]) continue;
    random_fill(prepared[i].id.byte, SHORT_ID_BYTES);
    status = add_offer(batch, &prepared[i], error);
    if (status != COLLEGA_OK) name_input(error, i, count);
  }
  return status == COLLEGA_OK ? offer_batch_publish(batch, error) : status;
}

static enum collega_status publish(struct exchange *exchange, const struct id *party,
                                   const struct offer_input *inputs, size_t count, collega_time now,
                                   struct short_id *ids, bool *already,
                                   struct collega_error *error) {
  if (!exchange_identity(exchange, party))
    return error_set(error, COLLEGA_NOT_FOUND, RULE_party_not_ours, NULL, NULL);
  if (count == 0) return COLLEGA_OK;
  struct ledger_txn *txn = NULL;
  enum collega_status status = COLLEGA_OK;
  struct arena *arena = arena_new(WORK_FIRST_BYTES, PUBLISH_ARENA_BYTES);
  struct prepared *prepared = arena ? arena_take(arena, count * sizeof *prepared) : NULL;
  if (!prepared) status = exchange_no_memory(error);
  for (size_t i = 0; status == COLLEGA_OK && i < count; i++) {
    status = offer_prepare(&inputs[i], now, &prepared[i], error);
    if (status != COLLEGA_OK) name_input(error, i, count);
  }
  if (status == COLLEGA_OK) status = exchange_begin(exchange, &txn, error);
  if (status == COLLEGA_OK) {
    struct offer_batch batch = {
        .exchange = exchange, .txn = txn, .party = party, .now = now, .arena = arena};
    status = publish_all(&batch, prepared, count, already, error);
    fault_point(FAULT_node_publish_before_commit);
    status = exchange_end(exchange, &txn, status, error);
    fault_point(FAULT_node_publish_after_commit);
  }
  for (size_t i = 0; status == COLLEGA_OK && i < count; i++)
    ids[i] = prepared[i].id;
  arena_destroy(&arena);
  return status;
}

enum collega_status offer_publish(struct exchange *exchange, const struct id *party,
                                  const struct offer_input *inputs, size_t count, collega_time now,
                                  struct short_id *ids, struct collega_error *error) {
  return publish(exchange, party, inputs, count, now, ids, NULL, error);
}

enum collega_status offer_publish_once(struct exchange *exchange, const struct id *party,
                                       const struct offer_input *inputs, size_t count,
                                       collega_time now, struct short_id *ids, bool *already,
                                       struct collega_error *error) {
  memset(already, 0, count * sizeof *already);
  return publish(exchange, party, inputs, count, now, ids, already, error);
}

/* ---- reading */

enum collega_status offer_of_record(struct ledger_txn *txn, struct bytes record,
                                    struct short_id *out, struct collega_error *error) {
  struct own_record own;
  enum collega_status status = own_record_get(txn, record, &own, error);
  if (status != COLLEGA_OK) return status;
  *out = own.offer;
  return own.has_offer ? COLLEGA_OK : COLLEGA_NOT_FOUND;
}

enum collega_status offer_of_row(const CollegaStore__OfferRow *row, struct arena *arena,
                                 Collega__Offer **out, struct collega_error *error) {
  const Collega__Body *body = NULL;
  enum collega_status status = body_of_bytes(field_bytes(&row->body), arena, &body, error);
  if (status != COLLEGA_OK) return status;
  if (!body->offer) return exchange_row_damaged(error, "offers");
  *out = body->offer->offer;
  return COLLEGA_OK;
}

Collega__OfferState offer_state(const CollegaStore__OfferRow *row, const Collega__Offer *offer,
                                collega_time now) {
  Collega__OfferState state = (Collega__OfferState)row->state;
  bool ended = state == COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN ||
               state == COLLEGA__OFFER_STATE__OFFER_STATE_FILLED;
  collega_time expires = offer->has_expires ? offer->expires : period_end(offer->period, now);
  return !ended && expires <= now ? COLLEGA__OFFER_STATE__OFFER_STATE_EXPIRED : state;
}
