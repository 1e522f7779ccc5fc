/* The node's half of a session.
 *
 *   OFF --start--> WAITING --its time has come--> HELLO --Welcome--> READY
 *   HELLO, READY --cut, lost, silent--> WAITING
 *
 * The first connection is made at once. Every later one waits a random time, because after a
 * restart of the broker all its nodes come at once and a handshake costs it a millisecond. */
#include "base/words.h"
#include "proto/link/credit.h"
#include <string.h>

void node_session_start(struct node_session *session, bool joining, collega_time now) {
  *session = (struct node_session){
      .phase = NODE_SESSION_WAITING,
      .reconnect_at = now,
      .send = credit_window(),
      .given = {.open = credit_window()},
      .heard = now,
      .joining = joining,
  };
}

void node_session_lost(struct node_session *session, collega_time now, uint32_t random) {
  if (session->phase == NODE_SESSION_OFF) return;
  uint32_t failures = session->failures == UINT32_MAX ? UINT32_MAX : session->failures + 1;
  uint64_t spread = (uint64_t)RECONNECT_SPREAD_MS + 1;
  node_session_start(session, session->joining, now + (collega_time)((random * spread) >> 32));
  session->failures = failures;
}

static void begin(struct node_session *session, collega_time now) {
  session->phase = NODE_SESSION_HELLO;
  session->since = session->heard = now;
}

void node_session_hello_sent(struct node_session *session, collega_time now) {
  if (session->phase == NODE_SESSION_WAITING || session->phase == NODE_SESSION_HELLO)
    begin(session, now);
}

enum node_action node_session_tick(struct node_session *session, collega_time now,
                                   uint32_t random) {
  switch (session->phase) {
  case NODE_SESSION_OFF:
    return NODE_NOTHING;
  case NODE_SESSION_WAITING:
    if (now < session->reconnect_at) return NODE_NOTHING;
    begin(session, now);
    return NODE_CONNECT;
  case NODE_SESSION_HELLO:
    if (now - session->since < WELCOME_WAIT_MS) return NODE_NOTHING;
    node_session_lost(session, now, random);
    return NODE_DISCONNECT;
  case NODE_SESSION_READY:
    if (now - session->heard >= SESSION_STALE_MS) {
      node_session_lost(session, now, random);
      return NODE_DISCONNECT;
    }
    if (session->ping_open || now - session->heard < PING_EVERY_MS) return NODE_NOTHING;
    session->ping_open = true;
    session->ping++;
    return NODE_PING;
  }
  return NODE_NOTHING;
}

static struct link_answer cut(Collega__RefusalCode code, enum rule rule) {
  return link_answer(LINK_CUT, code, rule);
}

static struct link_answer welcome(struct node_session *session, const Collega__Welcome *frame) {
  if (session->phase == NODE_SESSION_READY)
    return cut(COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED, RULE_welcome_twice);
  if (frame->version != PROTOCOL_VERSION)
    return cut(COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED, RULE_protocol_version);
  session->phase = NODE_SESSION_READY;
  session->failures = 0;
  session->send = (struct credit){0, 0};
  credit_add(&session->send, frame->credit);
  return link_take();
}

/* Ping, Pong, Credit and Refusal: right at any time. */
static bool keeps_going(struct node_session *session, const Collega__FromBroker *frame,
                        struct link_answer *answer) {
  *answer = link_take();
  if (frame->ping != NULL) {
    answer->send_pong = true;
    answer->pong = frame->ping->number;
    return true;
  }
  if (frame->credit != NULL) credit_add(&session->send, frame->credit);
  if (frame->refusal != NULL && strcmp(frame->refusal->rule, rule_name(RULE_hello_first)) == 0)
    *answer = cut(frame->refusal->code, RULE_hello_first);
  return frame->credit != NULL || frame->pong != NULL || frame->refusal != NULL;
}

struct link_answer node_session_frame(struct node_session *session, struct frame_cost cost,
                                      const Collega__FromBroker *frame, collega_time now) {
  if (session->phase == NODE_SESSION_OFF || session->phase == NODE_SESSION_WAITING)
    return cut(COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED, RULE_hello_first);
  session->heard = now;
  session->ping_open = false;
  if (cost.field == 0) return cut(COLLEGA__REFUSAL_CODE__REFUSAL_CODE_MALFORMED, RULE_frame_one);
  struct link_answer answer;
  if (keeps_going(session, frame, &answer)) return answer;
  if (frame->welcome != NULL) return welcome(session, frame->welcome);
  if (frame->cert != NULL) {
    if (!session->joining)
      return cut(COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED, RULE_join_member);
    session->phase = NODE_SESSION_READY;
    session->failures = 0;
    return link_take();
  }
  if (session->phase != NODE_SESSION_READY)
    return cut(COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED, RULE_welcome_first);
  if (!credit_charge(&session->given.open, cost))
    return cut(COLLEGA__REFUSAL_CODE__REFUSAL_CODE_QUOTA, RULE_credit_exceeded);
  return link_take();
}

#define FIELD_JOIN 2u

bool node_session_may_send(struct node_session *session, struct frame_cost cost) {
  if (session->phase != NODE_SESSION_HELLO && session->phase != NODE_SESSION_READY) return false;
  if (cost.records == 0 && cost.bytes == 0) return true;
  if (session->joining != (cost.field == FIELD_JOIN)) return false;
  if (session->phase == NODE_SESSION_HELLO && !session->joining) return false;
  return credit_charge(&session->send, cost);
}

bool node_session_committed(struct node_session *session, struct frame_cost cost,
                            struct credit *credit) {
  if (session->phase != NODE_SESSION_READY || (cost.records == 0 && cost.bytes == 0)) return false;
  return credit_return(&session->given, cost, credit);
}
