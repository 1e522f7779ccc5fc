/* Records about offers on their way out: numbered, signed as one run, stored as one entry. What is
 * for the network goes to the board; what is for named employers goes to each of them as a sealed
 * letter, which holds each record as a run of its own. */
#include "client/exchange/offer_inside.h"

#include <string.h>

#include "proto/guard.h"

#define RUN_BODIES_BYTES                                                                           \
  (LIMIT_FRAME_BYTES * 3 / 4) /* a run travels in one frame, with what surrounds it */
#define LETTER_RECORDS 16u

/* ---- audiences */

bool audience_is_named(const char *text) {
  return text && strncmp(text, "named:", 6) == 0;
}

struct looking {
  struct exchange *exchange;
  struct ledger_txn *txn;
  const char *text;
  bool strict;
  collega_time now;
  struct audience *out;
};

static bool visit_party(void *context, struct bytes key, struct bytes value) {
  struct looking *looking = context;
  struct audience *out = looking->out;
  struct id party;
  (void)value;
  if (!id_from(&party, key.data, key.length)) return true;
  const struct known_party *known =
      members_find(exchange_members(looking->exchange, looking->txn), &party);
  const char *kvk = known ? known_party_kvk(known) : "";
  if (strlen(kvk) != 8 || !strstr(looking->text, kvk) || out->count == AUDIENCE_MOST) return true;
  if (looking->strict && (known->revoked || !known_party_cert(known, NULL, looking->now)))
    return true;
  out->party[out->count] = party;
  memcpy(out->kvk[out->count++], kvk, 9);
  return true;
}

enum collega_status audience_read(struct exchange *exchange, struct ledger_txn *txn,
                                  const char *text, const struct id *author, collega_time now,
                                  struct audience *out, struct collega_error *error) {
  bool strict = author != NULL;
  struct looking looking = {exchange, txn, text, strict, now, out};
  memset(out, 0, sizeof *out);
  out->named = audience_is_named(text);
  if (!out->named) return COLLEGA_OK;
  enum collega_status status =
      table_each(txn, TABLE_PARTIES, bytes_of(NULL, 0), NULL, visit_party, &looking, error);
  for (const char *one = text + 6; strict && status == COLLEGA_OK && *one; one += one[8] ? 9 : 8) {
    bool known = false;
    for (size_t i = 0; i < out->count; i++)
      known = known || memcmp(out->kvk[i], one, 8) == 0;
    char kvk[9] = {0};
    memcpy(kvk, one, 8);
    if (!known)
      status = error_set(error, COLLEGA_NOT_FOUND, RULE_audience_unknown, "audience", kvk, NULL);
  }
  /* It would be sent to nobody: with this ledger it would be gone. */
  if (status == COLLEGA_OK && strict && out->count == 1 && id_equal(&out->party[0], author))
    status = error_set(error, COLLEGA_INVALID, RULE_audience_only_you, "audience", NULL);
  return status;
}

bool audience_has(const struct audience *audience, const struct id *party) {
  for (size_t i = 0; i < audience->count; i++)
    if (id_equal(&audience->party[i], party)) return true;
  return false;
}

/* ---- filling */

enum collega_status offer_batch_begin(struct offer_batch *batch, size_t count,
                                      struct collega_error *error) {
  size_t room = count < LIMIT_RUN_RECORDS ? count : LIMIT_RUN_RECORDS;
  batch->bodies = arena_take(batch->arena, room * sizeof *batch->bodies);
  batch->privates = arena_take(batch->arena, room * sizeof *batch->privates);
  return batch->bodies && batch->privates ? COLLEGA_OK : exchange_no_memory(error);
}

static enum collega_status add(struct offer_batch *batch, const Collega__Body *body,
                               struct bytes private_part, struct id *record,
                               struct collega_error *error) {
  struct bytes packed;
  struct id id;
  enum collega_status status = body_finish(body, batch->arena, &packed, &id, error);
  if (status == COLLEGA_OK &&
      (batch->count == LIMIT_RUN_RECORDS || batch->bytes + packed.length > RUN_BODIES_BYTES))
    status = offer_batch_publish(batch, error);
  if (status != COLLEGA_OK) return status;
  if (batch->count == 0) batch->first = id;
  batch->bodies[batch->count] = packed;
  field_set(&batch->privates[batch->count],
            private_part.data ? private_part.data : (const uint8_t *)"", private_part.length);
  batch->count++;
  batch->bytes += packed.length;
  if (record) *record = id;
  return COLLEGA_OK;
}

enum collega_status offer_batch_revision(struct offer_batch *batch, const struct prepared *prepared,
                                         uint32_t number, struct id *record,
                                         struct collega_error *error) {
  Collega__OfferRevision revision = COLLEGA__OFFER_REVISION__INIT;
  Collega__Offer offer = prepared->offer; /* packing takes pointers that are not const */
  Collega__Body *body = NULL;
  struct bytes private_part = {NULL, 0};
  enum collega_status status =
      exchange_own_body(batch->exchange, batch->txn, batch->party, batch->arena, &body, error);
  if (status == COLLEGA_OK && prepared->private_part)
    status = exchange_pack(batch->arena, &prepared->private_part->base, &private_part, error);
  if (status != COLLEGA_OK) return status;
  field_set(&revision.id, prepared->id.byte, SHORT_ID_BYTES);
  revision.revision = number;
  revision.offer = &offer;
  body->type = COLLEGA__BODY_TYPE__BODY_TYPE_OFFER;
  body->offer = &revision;
  body->has_not_after = true;
  body->not_after = prepared->offer.expires;
  return add(batch, body, private_part, record, error);
}

enum collega_status offer_batch_status(struct offer_batch *batch, const struct short_id *offer,
                                       uint32_t number, Collega__OfferState state,
                                       const struct id *content, struct collega_error *error) {
  Collega__OfferStatus change = COLLEGA__OFFER_STATUS__INIT;
  Collega__Body *body = NULL;
  enum collega_status status =
      exchange_own_body(batch->exchange, batch->txn, batch->party, batch->arena, &body, error);
  if (status != COLLEGA_OK) return status;
  field_set(&change.id, offer->byte, SHORT_ID_BYTES);
  change.number = number;
  change.state = state;
  field_set_id(&change.content, content);
  body->type = COLLEGA__BODY_TYPE__BODY_TYPE_STATUS;
  body->status = &change;
  return add(batch, body, bytes_of(NULL, 0), NULL, error);
}

/* ---- signing */

/* One envelope for each party, with every record as a run of one leaf. */
static enum collega_status seal_all(struct offer_batch *batch, Collega__Run *run,
                                    const struct audience *to, CollegaStore__OwnRecords *content,
                                    struct collega_error *error) {
  Collega__Run *single[LETTER_RECORDS];
  struct run_view view;
  enum collega_status status = run_read(run, batch->arena, &view, error);
  if (status == COLLEGA_OK && view.count > LETTER_RECORDS)
    return error_set(error, COLLEGA_INVALID, RULE_letter_content, NULL, NULL);
  for (uint32_t i = 0; status == COLLEGA_OK && i < view.count; i++)
    status = run_cut(&view, &i, 1, batch->arena, &single[i], error);
  if (status != COLLEGA_OK) return status;
  content->has_mail_only = content->mail_only = true;
  content->envelopes = arena_take(batch->arena, (to->count + 1) * sizeof *content->envelopes);
  if (!content->envelopes) return exchange_no_memory(error);
  for (size_t i = 0; status == COLLEGA_OK && i < to->count; i++) {
    struct bytes envelope = {NULL, 0};
    if (id_equal(&to->party[i], batch->party)) continue;
    status = exchange_seal(batch->exchange, batch->txn, batch->party, &to->party[i], single,
                           view.count, NULL, true, batch->now, batch->arena, &envelope, error);
    field_set(&content->envelopes[content->n_envelopes], envelope.data, envelope.length);
    if (status == COLLEGA_OK) content->n_envelopes++;
  }
  return status;
}

static enum collega_status flush(struct offer_batch *batch, const struct audience *to,
                                 struct collega_error *error) {
  if (batch->count == 0) return COLLEGA_OK;
  CollegaStore__OwnRecords content = COLLEGA_STORE__OWN_RECORDS__INIT;
  Collega__Run *run = NULL;
  struct bytes packed;
  const struct identity *identity = exchange_identity(batch->exchange, batch->party);
  if (!identity) return error_set(error, COLLEGA_NOT_FOUND, RULE_party_not_ours, NULL, NULL);
  enum collega_status status =
      run_sign(identity, batch->bodies, batch->count, batch->arena, &run, error);
  if (status == COLLEGA_OK) status = exchange_pack(batch->arena, &run->base, &packed, error);
  if (status == COLLEGA_OK && to) status = seal_all(batch, run, to, &content, error);
  if (status != COLLEGA_OK) return status;
  field_set(&content.run, packed.data, packed.length);
  content.n_privates = batch->count;
  content.privates = batch->privates;
  content.has_by_itself = content.by_itself = batch->by_itself;
  struct ledger_event event = {.time = batch->now,
                               .kind = COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_OWN_RECORDS,
                               .party = batch->party,
                               .record = &batch->first};
  status = exchange_pack(batch->arena, &content.base, &event.payload, error);
  if (status == COLLEGA_OK) status = exchange_append(batch->exchange, batch->txn, &event, error);
  batch->count = batch->bytes = 0;
  batch->by_itself = false;
  return status;
}

enum collega_status offer_batch_publish(struct offer_batch *batch, struct collega_error *error) {
  return flush(batch, NULL, error);
}

enum collega_status offer_batch_mail(struct offer_batch *batch, const struct audience *to,
                                     struct collega_error *error) {
  return flush(batch, to, error);
}
