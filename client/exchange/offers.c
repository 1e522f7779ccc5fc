/* Offers: what a user publishes and withdraws. All of a batch is checked before anything is
 * stored; then one transaction numbers, signs and stores it. */
#include "client/exchange/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "proto/check.h"
#include "proto/check_text.h"
#include "proto/guard.h"
#include "proto/lists.h"

#define PUBLISH_ARENA_BYTES ((size_t)1 << 30) /* a bulk import */
#define RUN_BODIES_BYTES                                                                           \
  (LIMIT_FRAME_BYTES * 3 / 4) /* a run travels in one frame, with what surrounds it */
#define SHARE_CERTAIN 0.9995  /* of a postcode area that lies in one region */

/* ---- preparing one offer */

struct prepared {
  Collega__Offer offer; /* as it will be published; its parts are the caller's */
  Collega__Place place;
  const Collega__OfferPrivate *private_part;
  struct short_id id;
};

static enum collega_status fill_region(struct prepared *prepared, struct collega_error *error) {
  Collega__Place *place = &prepared->place;
  if (place->region || !place->postcode || (place->country && strcmp(place->country, "NL") != 0))
    return COLLEGA_OK;
  const struct postcode_row *area = postcode_area_find(place->postcode);
  if (!area) return COLLEGA_OK; /* check_offer has refused it */
  if (area->share < SHARE_CERTAIN) {
    const struct region_row *region = region_find(area->region);
    return error_set(error, COLLEGA_INVALID, RULE_region_needed, "place.region", area->digits,
                     area->region, region ? region->name : "", NULL);
  }
  place->region = (char *)(uintptr_t)area->region;
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

static enum collega_status prepare(const struct offer_input *input, collega_time now,
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
  status = fill_region(out, error);
  if (status != COLLEGA_OK) return status;
  fill_expires(&out->offer, now);
  random_fill(out->id.byte, SHORT_ID_BYTES);
  return check_offer_now(&out->offer, now, error);
}

static void name_input(struct collega_error *error, size_t index, size_t count) {
  char place[32];
  if (!error || count == 1) return;
  snprintf(place, sizeof place, "[%zu]", index);
  error_prefix(error, place);
}

/* ---- named audiences */

static bool is_named(const Collega__Offer *offer) {
  return offer->audience && strncmp(offer->audience, "named:", 6) == 0;
}

/* The members whose KvK number stands in the audience. */
struct named {
  struct exchange *exchange;
  struct ledger_txn *txn;
  const char *audience;
  struct id found[32];
  char kvk[32][9];
  size_t count;
};

static bool visit_party(void *context, struct bytes key, struct bytes value) {
  struct named *named = context;
  struct id party;
  (void)value;
  if (!id_from(&party, key.data, key.length)) return true;
  const struct known_party *known =
      members_find(exchange_members(named->exchange, named->txn), &party);
  const char *kvk = known ? known_party_kvk(known) : "";
  if (strlen(kvk) != 8 || !strstr(named->audience, kvk) || named->count == 32) return true;
  named->found[named->count] = party;
  memcpy(named->kvk[named->count++], kvk, 9);
  return true;
}

static enum collega_status find_named(struct named *named, struct collega_error *error) {
  enum collega_status status =
      table_each(named->txn, TABLE_PARTIES, bytes_of(NULL, 0), NULL, visit_party, named, error);
  for (const char *one = named->audience + 6; status == COLLEGA_OK && *one; one += one[8] ? 9 : 8) {
    bool known = false;
    for (size_t i = 0; i < named->count; i++)
      known = known || memcmp(named->kvk[i], one, 8) == 0;
    char kvk[9] = {0};
    memcpy(kvk, one, 8);
    if (!known)
      status = error_set(error, COLLEGA_NOT_FOUND, RULE_audience_unknown, "audience", kvk, NULL);
  }
  return status;
}

/* One envelope for each party named, with the run of the one record. */
static enum collega_status seal_to_named(struct exchange *exchange, struct ledger_txn *txn,
                                         const struct id *party, const Collega__Offer *offer,
                                         Collega__Run *run, collega_time now, struct arena *arena,
                                         CollegaStore__OwnRecords *content,
                                         struct collega_error *error) {
  struct named named = {.exchange = exchange, .txn = txn, .audience = offer->audience};
  enum collega_status status = find_named(&named, error);
  if (status != COLLEGA_OK) return status;
  content->has_mail_only = content->mail_only = true;
  content->envelopes = arena_take(arena, (named.count + 1) * sizeof *content->envelopes);
  if (!content->envelopes) return exchange_no_memory(error);
  for (size_t i = 0; status == COLLEGA_OK && i < named.count; i++) {
    struct bytes envelope = {NULL, 0};
    if (id_equal(&named.found[i], party)) continue;
    status = exchange_seal(exchange, txn, party, &named.found[i], &run, 1, NULL, true, now, arena,
                           &envelope, error);
    field_set(&content->envelopes[content->n_envelopes], envelope.data, envelope.length);
    if (status == COLLEGA_OK) content->n_envelopes++;
  }
  return status;
}

/* ---- publishing */

/* Bodies of one signed run. */
struct batch {
  struct exchange *exchange;
  struct ledger_txn *txn;
  const struct id *party;
  collega_time now;
  struct arena *arena;
  struct bytes *bodies;
  ProtobufCBinaryData *privates;
  const Collega__Offer *named; /* a batch of one: its audience is named */
  size_t count, bytes;
  struct id first;
};

/* Signs what the batch holds as one tree and appends it. */
static enum collega_status batch_flush(struct batch *batch, struct collega_error *error) {
  if (batch->count == 0) return COLLEGA_OK;
  CollegaStore__OwnRecords content = COLLEGA_STORE__OWN_RECORDS__INIT;
  Collega__Run *run = NULL;
  struct bytes packed;
  const struct identity *identity = exchange_identity(batch->exchange, batch->party);
  enum collega_status status =
      run_sign(identity, batch->bodies, batch->count, batch->arena, &run, error);
  if (status == COLLEGA_OK) status = exchange_pack(batch->arena, &run->base, &packed, error);
  if (status == COLLEGA_OK && batch->named)
    status = seal_to_named(batch->exchange, batch->txn, batch->party, batch->named, run, batch->now,
                           batch->arena, &content, error);
  if (status != COLLEGA_OK) return status;
  field_set(&content.run, packed.data, packed.length);
  content.n_privates = batch->count;
  content.privates = batch->privates;
  struct ledger_event event = {.time = batch->now,
                               .kind = COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_OWN_RECORDS,
                               .party = batch->party,
                               .record = &batch->first};
  status = exchange_pack(batch->arena, &content.base, &event.payload, error);
  if (status == COLLEGA_OK) status = exchange_append(batch->exchange, batch->txn, &event, error);
  batch->count = batch->bytes = 0;
  batch->named = NULL;
  return status;
}

/* Adds a finished body; `named` (may be NULL) gets a run and an entry of its own. */
static enum collega_status batch_add(struct batch *batch, struct bytes body,
                                     const struct id *record, struct bytes private_part,
                                     const Collega__Offer *named, struct collega_error *error) {
  enum collega_status status = COLLEGA_OK;
  if (named || batch->count == LIMIT_RUN_RECORDS || batch->bytes + body.length > RUN_BODIES_BYTES)
    status = batch_flush(batch, error);
  if (status != COLLEGA_OK) return status;
  if (batch->count == 0) batch->first = *record;
  batch->bodies[batch->count] = body;
  field_set(&batch->privates[batch->count],
            private_part.data ? private_part.data : (const uint8_t *)"", private_part.length);
  batch->count++;
  batch->bytes += body.length;
  batch->named = named;
  return named ? batch_flush(batch, error) : COLLEGA_OK;
}

static enum collega_status batch_begin(struct batch *batch, size_t count,
                                       struct collega_error *error) {
  size_t room = count < LIMIT_RUN_RECORDS ? count : LIMIT_RUN_RECORDS;
  batch->bodies = arena_take(batch->arena, room * sizeof *batch->bodies);
  batch->privates = arena_take(batch->arena, room * sizeof *batch->privates);
  return batch->bodies && batch->privates ? COLLEGA_OK : exchange_no_memory(error);
}

static enum collega_status add_offer(struct batch *batch, struct prepared *prepared,
                                     struct collega_error *error) {
  Collega__OfferRevision revision = COLLEGA__OFFER_REVISION__INIT;
  Collega__Body *body = NULL;
  struct bytes packed, private_part = {NULL, 0};
  struct id record;
  enum collega_status status =
      exchange_own_body(batch->exchange, batch->txn, batch->party, batch->arena, &body, error);
  if (status != COLLEGA_OK) return status;
  field_set(&revision.id, prepared->id.byte, SHORT_ID_BYTES);
  revision.revision = 1;
  revision.offer = &prepared->offer;
  body->type = COLLEGA__BODY_TYPE__BODY_TYPE_OFFER;
  body->offer = &revision;
  body->has_not_after = true;
  body->not_after = prepared->offer.expires;
  status = body_finish(body, batch->arena, &packed, &record, error);
  if (status == COLLEGA_OK && prepared->private_part)
    status = exchange_pack(batch->arena, &prepared->private_part->base, &private_part, error);
  if (status != COLLEGA_OK) return status;
  return batch_add(batch, packed, &record, private_part,
                   is_named(&prepared->offer) ? &prepared->offer : NULL, error);
}

static enum collega_status publish_all(struct batch *batch, struct prepared *prepared, size_t count,
                                       struct collega_error *error) {
  enum collega_status status = batch_begin(batch, count, error);
  for (size_t i = 0; status == COLLEGA_OK && i < count; i++) {
    status = add_offer(batch, &prepared[i], error);
    if (status != COLLEGA_OK) name_input(error, i, count);
  }
  return status == COLLEGA_OK ? batch_flush(batch, error) : status;
}

enum collega_status offer_publish(struct exchange *exchange, const struct id *party,
                                  const struct offer_input *inputs, size_t count, collega_time now,
                                  struct short_id *ids, struct collega_error *error) {
  if (!exchange_identity(exchange, party))
    return error_set(error, COLLEGA_NOT_FOUND, RULE_party_not_ours, NULL, NULL);
  if (count == 0) return COLLEGA_OK;
  struct ledger_txn *txn = NULL;
  enum collega_status status = COLLEGA_OK;
  struct arena *arena = arena_new(WORK_FIRST_BYTES, PUBLISH_ARENA_BYTES);
  struct prepared *prepared = arena ? arena_take(arena, count * sizeof *prepared) : NULL;
  if (!prepared) status = exchange_no_memory(error);
  for (size_t i = 0; status == COLLEGA_OK && i < count; i++) {
    status = prepare(&inputs[i], now, &prepared[i], error);
    if (status != COLLEGA_OK) name_input(error, i, count);
  }
  if (status == COLLEGA_OK) status = exchange_begin(exchange, &txn, error);
  if (status == COLLEGA_OK) {
    struct batch batch = {
        .exchange = exchange, .txn = txn, .party = party, .now = now, .arena = arena};
    status = publish_all(&batch, prepared, count, error);
    fault_point(FAULT_node_publish_before_commit);
    status = exchange_end(exchange, &txn, status, error);
    fault_point(FAULT_node_publish_after_commit);
  }
  for (size_t i = 0; status == COLLEGA_OK && i < count; i++)
    ids[i] = prepared[i].id;
  arena_destroy(&arena);
  return status;
}

/* ---- withdrawing */

static const char *state_word(Collega__OfferState state) {
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
  return "?";
}

static enum collega_status check_withdrawable(const CollegaStore__OfferRow *row,
                                              const Collega__Offer *offer, collega_time now,
                                              struct collega_error *error) {
  if (!row->mine) return error_set(error, COLLEGA_REFUSED, RULE_offer_not_yours, NULL, NULL);
  Collega__OfferState state = offer_state(row, offer, now);
  if (state == COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN ||
      state == COLLEGA__OFFER_STATE__OFFER_STATE_EXPIRED)
    return error_set(error, COLLEGA_REFUSED, RULE_offer_already, NULL, state_word(state), NULL);
  return COLLEGA_OK;
}

static enum collega_status withdraw_row(struct exchange *exchange, struct ledger_txn *txn,
                                        const struct short_id *offer, collega_time now,
                                        struct arena *arena, struct collega_error *error) {
  CollegaStore__OfferRow *row = NULL;
  Collega__Offer *content = NULL;
  Collega__Body *body = NULL;
  Collega__OfferStatus change = COLLEGA__OFFER_STATUS__INIT;
  struct id party, record;
  struct bytes packed;
  enum collega_status status =
      offer_row(txn, bytes_of(offer->byte, SHORT_ID_BYTES), arena, &row, error);
  if (status == COLLEGA_NOT_FOUND)
    return error_set(error, COLLEGA_NOT_FOUND, RULE_offer_unknown, NULL, NULL);
  if (status == COLLEGA_OK) status = offer_of_row(row, arena, &content, error);
  if (status == COLLEGA_OK) status = check_withdrawable(row, content, now, error);
  if (status != COLLEGA_OK) return status;
  if (!id_from(&party, row->author.data, row->author.len))
    return exchange_row_damaged(error, "offers");
  status = exchange_own_body(exchange, txn, &party, arena, &body, error);
  if (status != COLLEGA_OK) return status;
  change.id = row->offer;
  change.number = row->status_number + 1;
  change.state = COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN;
  change.content = row->content;
  body->type = COLLEGA__BODY_TYPE__BODY_TYPE_STATUS;
  body->status = &change;
  status = body_finish(body, arena, &packed, &record, error);
  struct batch batch = {
      .exchange = exchange, .txn = txn, .party = &party, .now = now, .arena = arena};
  if (status == COLLEGA_OK) status = batch_begin(&batch, 1, error);
  if (status == COLLEGA_OK)
    status = batch_add(&batch, packed, &record, bytes_of(NULL, 0),
                       is_named(content) ? content : NULL, error);
  return status == COLLEGA_OK ? batch_flush(&batch, error) : status;
}

enum collega_status offer_withdraw(struct exchange *exchange, const struct short_id *offer,
                                   collega_time now, struct collega_error *error) {
  struct ledger_txn *txn = NULL;
  struct arena *arena = exchange_arena();
  if (!arena) return exchange_no_memory(error);
  enum collega_status status = exchange_begin(exchange, &txn, error);
  if (status == COLLEGA_OK) {
    status = withdraw_row(exchange, txn, offer, now, arena, error);
    fault_point(FAULT_node_publish_before_commit);
    status = exchange_end(exchange, &txn, status, error);
    fault_point(FAULT_node_publish_after_commit);
  }
  arena_destroy(&arena);
  return status;
}

/* ---- reading */

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
