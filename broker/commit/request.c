/* Preparing requests: everything that costs CPU and needs no more than the members, done by a
 * worker, so that the committer only looks up, writes and signs once.
 *
 * A record that breaks a rule is marked here and refused by the committer, which first looks
 * whether it is a duplicate: what was taken once is answered as it was then, however late it comes
 * again. */
#include "broker/commit/request.h"

#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "broker/board/facet.h"
#include "broker/board/frame.h"
#include "broker/commit/prepare.h"
#include "proto/check.h"
#include "proto/guard.h"
#include "proto/limits.h"

#define REQUEST_FIRST_BLOCK 6144u /* the request, its job, and an offer in a Publish */

struct request *request_new(enum request_kind kind) {
  struct arena *arena = arena_new(REQUEST_FIRST_BLOCK, LIMIT_ARENA_BYTES + REQUEST_FIRST_BLOCK);
  struct request *request = arena ? arena_zero(arena, sizeof *request) : NULL;
  if (!request) {
    arena_destroy(&arena);
    return NULL;
  }
  request->kind = kind;
  request->arena = arena;
  return request;
}

void request_destroy(struct request **request) {
  struct request *dead = *request;
  if (!dead) return;
  *request = NULL;
  if (dead->frame_free) dead->frame_free(dead->frame_memory);
  struct arena *arena = dead->arena; /* the request lies in it */
  arena_destroy(&arena);
}

Collega__RefusalCode refusal_code_of(const struct collega_error *error) {
  switch (error->status) {
  case COLLEGA_FULL:
    return COLLEGA__REFUSAL_CODE__REFUSAL_CODE_FULL;
  case COLLEGA_NOT_FOUND:
    return COLLEGA__REFUSAL_CODE__REFUSAL_CODE_UNKNOWN;
  case COLLEGA_REFUSED:
    return COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED;
  case COLLEGA_OK:
  case COLLEGA_USAGE:
  case COLLEGA_INVALID:
  case COLLEGA_EXISTS:
  case COLLEGA_UNREACHABLE:
  case COLLEGA_BUSY:
  case COLLEGA_DAMAGED:
  case COLLEGA_FORGED:
  case COLLEGA_SYSTEM:
    break;
  }
  return error->rule == RULE_not_after_past ? COLLEGA__REFUSAL_CODE__REFUSAL_CODE_EXPIRED
                                            : COLLEGA__REFUSAL_CODE__REFUSAL_CODE_INVALID;
}

struct bytes refusal_pack(struct arena *arena, const struct id *which, Collega__RefusalCode code,
                          const struct collega_error *error) {
  Collega__Refusal refusal = COLLEGA__REFUSAL__INIT;
  char *arguments[COLLEGA_ERROR_ARGUMENTS];
  if (which && !id_is_zero(which)) {
    refusal.has_which = 1;
    refusal.which = (ProtobufCBinaryData){ID_BYTES, (uint8_t *)(uintptr_t)which->byte};
  }
  refusal.code = code;
  refusal.rule = (char *)(uintptr_t)rule_name(error->rule);
  if (error->field[0]) refusal.field = (char *)(uintptr_t)error->field;
  for (size_t i = 0; i < COLLEGA_ERROR_ARGUMENTS && error->argument[i][0]; i++) {
    arguments[i] = (char *)(uintptr_t)error->argument[i];
    refusal.n_arguments = i + 1;
  }
  refusal.arguments = arguments;
  Collega__FromBroker frame = COLLEGA__FROM_BROKER__INIT;
  frame.refusal = &refusal;
  return message_pack(&frame.base, arena);
}

enum collega_status prepare_refuse(struct request *request, Collega__RefusalCode code) {
  request->refusal = code;
  request->prepared = request->error.status ? request->error.status : COLLEGA_INVALID;
  return request->prepared;
}

static enum collega_status refuse_by_error(struct request *request) {
  return prepare_refuse(request, refusal_code_of(&request->error));
}

/* The content of a field inside packed bytes, verbatim; the guard has seen that it is there
 * once. */
static struct bytes field_content(struct bytes packed, uint32_t number) {
  struct field field;
  bool bad;
  while (field_next(&packed, &field, &bad))
    if (field.number == number) return field.content;
  return bytes_of(NULL, 0);
}

struct bytes *prepare_field_contents(struct bytes packed, uint32_t number, size_t count,
                                     struct arena *arena) {
  struct bytes *out = arena_zero(arena, (count ? count : 1) * sizeof *out);
  struct field field;
  bool bad;
  for (size_t i = 0; out && i < count && field_next(&packed, &field, &bad);)
    if (field.number == number) out[i++] = field.content;
  return out;
}

enum collega_status prepare_verify(struct request *request, struct members *members,
                                   const struct run_view *view) {
  enum collega_status status = members_verify_run(members, view, &request->error);
  if (status == COLLEGA_NOT_FOUND)
    return prepare_refuse(request, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_MEMBER);
  return status ? refuse_by_error(request) : COLLEGA_OK;
}

static void name_first_record(struct request *request, const Collega__Run *run) {
  if (run->n_bodies) record_id(&request->which, bytes_of(run->bodies[0].data, run->bodies[0].len));
}

/* ---- Join */

static void refuse_join(struct request *request, enum rule rule, const char *field) {
  error_set(&request->error, COLLEGA_INVALID, rule, field, NULL);
  refuse_by_error(request);
}

/* The first card of a party, by its own key. */
static void verify_first(struct request *request, const Collega__NodeCard *card) {
  struct id party;
  party_id(&party, card->signing_key.data, card->recovery_key.data);
  if (!id_equal(&party, &request->run.signer))
    refuse_join(request, RULE_join_card, NULL);
  else if (run_verify(&request->run, card->signing_key.data, &request->error))
    refuse_by_error(request);
}

/* A later one, of a party that is known, by its recovery key. */
static void verify_recovered(struct request *request, struct members *members) {
  if (!members_find(members, &request->run.signer)) {
    refuse_join(request, RULE_join_card, NULL);
    return;
  }
  enum collega_status status =
      members_take(members, &request->run, 0, NULL, NULL, 0, &request->error);
  members_forget(members, &request->run.signer); /* it counts once it is in the log */
  if (status == COLLEGA_NOT_FOUND) request->error.status = COLLEGA_INVALID;
  if (status) refuse_by_error(request);
}

static void prepare_join(struct request *request, struct members *members) {
  const Collega__Run *card_run = request->frame->join->card;
  request->run_bytes = field_content(field_content(request->packed, TO_BROKER_JOIN), 1);
  name_first_record(request, card_run);
  if (run_read(card_run, request->arena, &request->run, &request->error)) {
    refuse_by_error(request);
    return;
  }
  const struct record *record = &request->run.records[0];
  const Collega__NodeCard *card = record->body->card;
  if (record->refused) {
    request->error = *record->refused;
    refuse_by_error(request);
    return;
  }
  bool recovery = card_run->has_recovery && card_run->recovery;
  if (request->run.count != 1 || !card || recovery != (card->number > 0)) {
    refuse_join(request, RULE_join_card, NULL);
    return;
  }
  if (recovery)
    verify_recovered(request, members);
  else
    verify_first(request, card);
}

/* ---- Publish */

static enum collega_status judge_offer(const Collega__Offer *offer, collega_time now,
                                       struct collega_error *error) {
  if (offer->audience && strcmp(offer->audience, "network") != 0)
    return error_set(error, COLLEGA_REFUSED, RULE_audience_by_mail, "audience", NULL);
  enum collega_status status = check_offer_now(offer, now, error);
  if (status) error_prefix(error, "offer");
  return status;
}

/* What a member may put on the board, and until when. */
static enum collega_status judge_body(const Collega__Body *body, collega_time now,
                                      struct collega_error *error) {
  if (body->has_not_after && now > body->not_after) {
    char text[40];
    time_write(text, sizeof text, body->not_after);
    return error_set(error, COLLEGA_INVALID, RULE_not_after_past, "not_after", text, NULL);
  }
  bool allowed = body->type == COLLEGA__BODY_TYPE__BODY_TYPE_OFFER ||
                 body->type == COLLEGA__BODY_TYPE__BODY_TYPE_STATUS ||
                 body->type == COLLEGA__BODY_TYPE__BODY_TYPE_MANDATE ||
                 body->type == COLLEGA__BODY_TYPE__BODY_TYPE_MANDATE_END ||
                 (body->type == COLLEGA__BODY_TYPE__BODY_TYPE_CARD && body->card->number > 0);
  if (!allowed) return error_set(error, COLLEGA_REFUSED, RULE_publish_type, NULL, NULL);
  return body->offer ? judge_offer(body->offer->offer, now, error) : COLLEGA_OK;
}

static void judge_record(struct record *record, collega_time now, struct arena *arena) {
  struct collega_error why;
  if (!record->refused && judge_body(record->body, now, &why)) record_refuse(record, &why, arena);
}

/* Cards are verified by taking them into this worker's own table, which forgets them again: they
 * count only once they are in the log. */
static void judge_cards(struct run_view *run, struct members *members, struct arena *arena) {
  bool taken = false;
  for (size_t i = 0; i < run->count; i++) {
    struct record *record = &run->records[i];
    if (record->body->type != COLLEGA__BODY_TYPE__BODY_TYPE_CARD || record->refused) continue;
    taken = true;
    struct collega_error why;
    if (members_take(members, run, i, NULL, NULL, 0, &why) == COLLEGA_OK) continue;
    if (why.status == COLLEGA_NOT_FOUND)
      why.status = COLLEGA_INVALID; /* a gap in the chain, not an unknown recipient */
    record_refuse(record, &why, arena);
  }
  if (taken) members_forget(members, &run->signer);
}

static void prepare_publish(struct request *request, struct members *members, collega_time now) {
  const Collega__Run *run = request->frame->publish->run;
  request->run_bytes = field_content(field_content(request->packed, TO_BROKER_PUBLISH), 1);
  name_first_record(request, run);
  if (run_read(run, request->arena, &request->run, &request->error)) {
    refuse_by_error(request);
    return;
  }
  request->facets = arena_take(request->arena, request->run.count * sizeof *request->facets);
  if (!request->facets) {
    error_set(&request->error, COLLEGA_FULL, RULE_arena_full, NULL, NULL);
    refuse_by_error(request);
    return;
  }
  if (prepare_verify(request, members, &request->run)) return;
  for (size_t i = 0; i < request->run.count; i++) {
    judge_record(&request->run.records[i], now, request->arena);
    facet_of_body(&request->facets[i], request->run.records[i].body);
  }
  judge_cards(&request->run, members, request->arena);
}

/* ---- Send */

static void prepare_send(struct request *request) {
  struct bytes packed =
      bytes_of(request->frame->send->envelope.data, request->frame->send->envelope.len);
  envelope_hash(&request->envelope_hash, packed);
  request->which = request->envelope_hash;
  if (envelope_read(packed, request->arena, &request->envelope, &request->error))
    refuse_by_error(request);
}

/* ---- all */

static void prepare_kind(struct request *request, struct members *members, collega_time now) {
  switch (frame_to_broker(request->frame)) {
  case TO_BROKER_JOIN:
    request->kind = REQUEST_JOIN;
    prepare_join(request, members);
    return;
  case TO_BROKER_PUBLISH:
    request->kind = REQUEST_PUBLISH;
    prepare_publish(request, members, now);
    return;
  case TO_BROKER_SEND:
    request->kind = REQUEST_SEND;
    prepare_send(request);
    return;
  case TO_BROKER_ACK:
    request->kind = REQUEST_ACK;
    return;
  case TO_BROKER_DECIDE:
    request->kind = REQUEST_DECIDE;
    prepare_decide(request, members);
    return;
  default:
    break; /* a field number: what is left is none of the committer's */
  }
  error_set(&request->error, COLLEGA_INVALID, RULE_frame_one, NULL, NULL);
  prepare_refuse(request, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_MALFORMED);
}

void request_prepare(struct request *request, struct members *members, collega_time now) {
  ProtobufCMessage *message = (ProtobufCMessage *)(uintptr_t)request->frame;
  if (!message && guard_unpack_borrowing(&collega__to_broker__descriptor, request->packed,
                                         request->arena, &message, &request->error)) {
    prepare_refuse(request, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_MALFORMED);
    return;
  }
  request->frame = (const Collega__ToBroker *)message;
  prepare_kind(request, members, now);
}
