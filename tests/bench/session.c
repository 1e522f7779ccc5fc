/* See session.h. */
#include "tests/bench/session.h"

#include <string.h>

#include "proto/guard.h"
#include "proto/invitation.h"
#include "proto/limits.h"
#include "tests/bench/measure.h"

#define ARENA_BYTES ((size_t)4 << 30)

struct arena *arena_make(void) {
  struct arena *arena = arena_new(65536, ARENA_BYTES);
  NEED(arena != NULL);
  return arena;
}

void token_target(const char *token, const char *endpoint, struct target *target,
                  struct arena *arena) {
  Collega__Invitation *invitation = NULL;
  NEED(invitation_read(token, arena, &invitation, NULL) == COLLEGA_OK);
  NEED(strlen(endpoint) < sizeof target->endpoint);
  strcpy(target->endpoint, endpoint);
  memcpy(target->key, invitation->link_key.data, sizeof target->key);
}

void frame_pack_send(void *socket, const Collega__ToBroker *frame, struct arena *arena) {
  struct bytes packed = message_pack(&frame->base, arena);
  NEED(packed.data != NULL);
  frame_send(socket, packed.data, packed.length);
}

bool frame_told(void *socket, zmq_msg_t *message, struct peek *peek) {
  *peek = peek_frame(zmq_msg_data(message), zmq_msg_size(message));
  if (peek->kind != ANSWER_PING && peek->kind != ANSWER_CREDIT) return true;
  zmq_msg_close(message);
  if (peek->kind == ANSWER_CREDIT) return false;
  uint8_t buffer[64];
  Collega__Pong pong = COLLEGA__PONG__INIT;
  Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;
  pong.number = peek->ping;
  frame.pong = &pong;
  frame_send(socket, buffer, collega__to_broker__pack(&frame, buffer));
  return false;
}

struct peek answer_receive(void *socket, zmq_msg_t *message) {
  struct peek peek;
  do
    frame_receive(socket, message);
  while (!frame_told(socket, message, &peek));
  return peek;
}

void session_hello(struct session *session, void *context, const struct target *target,
                   uint32_t member, struct arena *arena) {
  Collega__Hello hello = COLLEGA__HELLO__INIT;
  Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;
  employer_make(&session->employer, member);
  session->socket = dealer_open(context, target, identity_link_secret(session->employer.identity));
  hello.version = PROTOCOL_VERSION;
  hello.card = employer_card(&session->employer, arena);
  hello.head = &session->employer.head;
  frame.hello = &hello;
  frame_pack_send(session->socket, &frame, arena);
}

void session_welcomed(struct session *session, zmq_msg_t *message, struct arena *arena) {
  ProtobufCMessage *frame = NULL;
  struct bytes packed = bytes_of(zmq_msg_data(message), zmq_msg_size(message));
  NEED(guard_unpack(&collega__from_broker__descriptor, packed, arena, &frame, NULL) == COLLEGA_OK);
  const Collega__Welcome *welcome = ((const Collega__FromBroker *)frame)->welcome;
  zmq_msg_close(message);
  NEED(welcome != NULL && welcome->member && welcome->n_cards > 0 &&
       id_from(&session->broker, welcome->cards[0]->signer.data, ID_BYTES) &&
       epoch_from(&session->epoch, welcome->epoch.data, welcome->epoch.len));
  session->log_seq = welcome->log_seq;
  employer_head_seen(&session->employer, welcome->seen);
}

void session_open(struct session *session, void *context, const struct target *target,
                  uint32_t member, struct arena *arena) {
  zmq_msg_t message;
  session_hello(session, context, target, member, arena);
  NEED(answer_receive(session->socket, &message).kind == ANSWER_WELCOME);
  session_welcomed(session, &message, arena);
}

void session_close(struct session *session) {
  zmq_close(session->socket);
  employer_clear(&session->employer);
}

void give_credit(void *socket, uint32_t records, size_t bytes) {
  uint8_t buffer[64];
  Collega__Credit credit = COLLEGA__CREDIT__INIT;
  Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;
  credit.records = records;
  credit.bytes = (uint32_t)bytes;
  frame.credit = &credit;
  frame_send(socket, buffer, collega__to_broker__pack(&frame, buffer));
}

void owe_credit(void *socket, struct owed_credit *owed, uint32_t records, size_t bytes) {
  owed->records += records;
  owed->bytes += bytes;
  if (owed->records < CREDIT_RECORDS / 4 && owed->bytes < CREDIT_BYTES / 4) return;
  give_credit(socket, owed->records, owed->bytes);
  *owed = (struct owed_credit){0, 0};
}

void session_follow(const struct session *session, Collega__Filter *filter, struct arena *arena) {
  Collega__Follow follow = COLLEGA__FOLLOW__INIT;
  Collega__Filter everything = COLLEGA__FILTER__INIT;
  Collega__Cursor cursor = COLLEGA__CURSOR__INIT, *cursors[] = {&cursor};
  Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;
  cursor.origin = (ProtobufCBinaryData){ID_BYTES, (uint8_t *)(uintptr_t)session->broker.byte};
  cursor.epoch = (ProtobufCBinaryData){EPOCH_BYTES, (uint8_t *)(uintptr_t)session->epoch.byte};
  cursor.seq = session->log_seq;
  follow.number = 1;
  follow.filter = filter ? filter : &everything;
  follow.n_cursors = 1;
  follow.cursors = cursors;
  frame.follow = &follow;
  frame_pack_send(session->socket, &frame, arena);
}
