/* Parties for tests. What cannot fail in a test aborts here with a line number. */
#include "people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/guard.h"
#include "proto/limits.h"

#define MUST(condition)                                                                            \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                              \
      abort();                                                                                     \
    }                                                                                              \
  } while (0)

void set_field(ProtobufCBinaryData *field, const void *data, size_t length) {
  field->data = (uint8_t *)data;
  field->len = length;
}

void person_make(struct person *person, uint8_t number, collega_time now) {
  uint8_t seed[32], recovery[32];
  memset(seed, number, sizeof seed);
  memset(recovery, (uint8_t)(number + 128), sizeof recovery);
  memset(person, 0, sizeof *person);
  memset(person->epoch.byte, number, EPOCH_BYTES);
  MUST(identity_create_from(seed, recovery, true, &person->epoch, ++person->seq, now,
                            &person->identity, NULL) == COLLEGA_OK);
}

void person_clear(struct person *person) {
  identity_destroy(&person->identity);
}

const char *person_recovery_text(uint8_t number, char out[RECOVERY_TEXT_BYTES]) {
  char *at = out;
  for (int group = 0; group < 8; group++) {
    uint8_t byte = (uint8_t)(number + 128);
    at += sprintf(at, "%s%02x%02x%02x%02x", group ? " " : "", byte, byte, byte, byte);
  }
  return out;
}

void person_body(struct person *person, Collega__Body *body) {
  body_init(body, identity_party(person->identity), &person->epoch, ++person->seq);
}

Collega__Run *person_sign(const struct person *person, const Collega__Body *body,
                          struct arena *arena) {
  struct bytes packed = message_pack(&body->base, arena);
  MUST(packed.data);
  Collega__Run *run = NULL;
  MUST(run_sign(person->identity, &packed, 1, arena, &run, NULL) == COLLEGA_OK);
  return run;
}

Collega__Run *person_card(const struct person *person, uint32_t number, struct arena *arena) {
  ProtobufCMessage *message = NULL;
  MUST(guard_unpack(&collega__run__descriptor, identity_card_run(person->identity, number), arena,
                    &message, NULL) == COLLEGA_OK);
  return (Collega__Run *)message;
}

struct run_view view_of(const Collega__Run *run, struct arena *arena) {
  struct run_view view;
  struct collega_error error;
  if (run_read(run, arena, &view, &error) != COLLEGA_OK) {
    fprintf(stderr, "run_read: rule %d, field %s\n", (int)error.rule, error.field);
    abort();
  }
  return view;
}

struct id first_id(const Collega__Run *run, struct arena *arena) {
  return view_of(run, arena).records[0].id;
}

enum collega_status take_run(struct members *members, const Collega__Run *run,
                             const struct receipt_position *anchor, enum rule *rule,
                             struct arena *arena) {
  struct run_view view = view_of(run, arena);
  struct collega_error error;
  error_clear(&error);
  enum collega_status status = members_take(members, &view, 0, anchor, NULL, 0, &error);
  if (rule) *rule = error.rule;
  return status;
}

Collega__Run *make_cert(struct person *broker, const struct id *party, const char *name,
                        const char *kvk, collega_time from, collega_time until,
                        struct arena *arena) {
  Collega__LegalEntity entity = COLLEGA__LEGAL_ENTITY__INIT, *entities[1] = {&entity};
  entity.name = (char *)name;
  entity.kvk = (char *)kvk;
  Collega__MemberCert cert = COLLEGA__MEMBER_CERT__INIT;
  set_field(&cert.party, party->byte, ID_BYTES);
  cert.role = COLLEGA__ROLE__ROLE_EMPLOYER;
  cert.entities = entities;
  cert.n_entities = 1;
  cert.valid_from = from;
  cert.valid_until = until;
  Collega__Body body;
  person_body(broker, &body);
  body.type = COLLEGA__BODY_TYPE__BODY_TYPE_CERT;
  body.cert = &cert;
  return person_sign(broker, &body, arena);
}

Collega__Run *make_mandate(struct person *employer, const char *name, const char *function,
                           uint32_t limit, collega_time from, collega_time until,
                           struct arena *arena) {
  Collega__Mandate mandate = COLLEGA__MANDATE__INIT;
  mandate.person = (char *)name;
  mandate.function = (char *)function;
  mandate.has_headcount_limit = limit > 0;
  mandate.headcount_limit = limit;
  mandate.valid_from = from;
  mandate.has_valid_until = until > 0;
  mandate.valid_until = until;
  Collega__Body body;
  person_body(employer, &body);
  body.type = COLLEGA__BODY_TYPE__BODY_TYPE_MANDATE;
  body.mandate = &mandate;
  return person_sign(employer, &body, arena);
}

Collega__Run *make_mandate_end(struct person *employer, const struct id *mandate, collega_time time,
                               struct arena *arena) {
  Collega__MandateEnd end = COLLEGA__MANDATE_END__INIT;
  set_field(&end.mandate, mandate->byte, ID_BYTES);
  end.time = time;
  Collega__Body body;
  person_body(employer, &body);
  body.type = COLLEGA__BODY_TYPE__BODY_TYPE_MANDATE_END;
  body.mandate_end = &end;
  return person_sign(employer, &body, arena);
}

Collega__Run *make_revocation(struct person *broker, const struct id *party, uint64_t seq,
                              collega_time time, struct arena *arena) {
  Collega__Revocation revocation = COLLEGA__REVOCATION__INIT;
  set_field(&revocation.party, party->byte, ID_BYTES);
  set_field(&revocation.origin, identity_party(broker->identity)->byte, ID_BYTES);
  set_field(&revocation.epoch, broker->epoch.byte, EPOCH_BYTES);
  revocation.seq = seq;
  revocation.time = time;
  Collega__Body body;
  person_body(broker, &body);
  body.type = COLLEGA__BODY_TYPE__BODY_TYPE_REVOCATION;
  body.revocation = &revocation;
  return person_sign(broker, &body, arena);
}

Collega__Run *make_statuses(struct person *author, size_t count, struct arena *arena) {
  static const uint8_t offer[SHORT_ID_BYTES] = {7};
  static const uint8_t content[ID_BYTES] = {9};
  struct bytes *bodies = arena_take(arena, count * sizeof *bodies);
  MUST(bodies);
  for (size_t i = 0; i < count; i++) {
    Collega__OfferStatus status = COLLEGA__OFFER_STATUS__INIT;
    set_field(&status.id, offer, sizeof offer);
    status.number = (uint32_t)i + 1;
    status.state = COLLEGA__OFFER_STATE__OFFER_STATE_OPEN;
    set_field(&status.content, content, sizeof content);
    Collega__Body body;
    person_body(author, &body);
    body.type = COLLEGA__BODY_TYPE__BODY_TYPE_STATUS;
    body.status = &status;
    bodies[i] = message_pack(&body.base, arena);
    MUST(bodies[i].data);
  }
  Collega__Run *run = NULL;
  MUST(run_sign(author->identity, bodies, count, arena, &run, NULL) == COLLEGA_OK);
  return run;
}
