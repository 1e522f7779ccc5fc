/* The broker's half of a session.
 *
 *   NEW --Hello--> READY          a member, or an invited one that asks who this is
 *   NEW, READY --Join--> the same  invited only
 *   any --too much, too silent, unreadable three times--> CUT
 *
 * The key behind a session is judged by the shell at every frame; its role here is what it was when
 * the session began, because an invited key never becomes a member's: the member comes back with
 * its own. */
#include "proto/link/credit.h"

void broker_session_start(struct broker_session *session, enum peer_role role, collega_time now) {
  *session = (struct broker_session){
      .phase = BROKER_SESSION_NEW,
      .role = role,
      .send = credit_window(),
      .given = {.open = credit_window()},
      .heard = now,
  };
}

static struct link_answer cut(struct broker_session *session, Collega__RefusalCode code,
                              enum rule rule) {
  session->phase = BROKER_SESSION_CUT;
  return link_answer(LINK_CUT, code, rule);
}

static struct link_answer out_of_turn(enum rule rule) {
  return link_answer(LINK_REFUSE, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED, rule);
}

static void heard(struct broker_session *session, collega_time now) {
  session->heard = now;
  session->ping_open = false;
}

/* Ping, Pong and Credit: right at any time. */
static bool keeps_going(struct broker_session *session, const Collega__ToBroker *frame,
                        struct link_answer *answer) {
  *answer = link_take();
  if (frame->ping != NULL) {
    answer->send_pong = true;
    answer->pong = frame->ping->number;
    return true;
  }
  if (frame->credit != NULL) credit_add(&session->send, frame->credit);
  return frame->credit != NULL || frame->pong != NULL;
}

static struct link_answer greet(struct broker_session *session, const Collega__Hello *hello) {
  if (session->phase == BROKER_SESSION_READY)
    return cut(session, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED, RULE_hello_twice);
  if (hello->version != PROTOCOL_VERSION)
    return cut(session, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED, RULE_protocol_version);
  session->phase = BROKER_SESSION_READY;
  session->given = (struct credit_given){.open = credit_window()}; /* as Welcome is going to say */
  return link_take();
}

/* Is it this frame's turn? */
static struct link_answer turn(struct broker_session *session, const Collega__ToBroker *frame) {
  if (frame->hello != NULL) return greet(session, frame->hello);
  if (session->role == PEER_INVITED)
    return frame->join != NULL ? link_take() : out_of_turn(RULE_join_only);
  if (frame->join != NULL) return out_of_turn(RULE_join_member);
  if (session->phase != BROKER_SESSION_READY) return out_of_turn(RULE_hello_first);
  return link_take();
}

struct link_answer broker_session_frame(struct broker_session *session, struct frame_cost cost,
                                        const Collega__ToBroker *frame, collega_time now) {
  if (session->phase == BROKER_SESSION_CUT || session->role == PEER_NONE)
    return cut(session, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_MEMBER, RULE_link_key_unknown);
  heard(session, now);
  if (cost.field == 0) return broker_session_malformed(session, now);
  struct link_answer answer;
  if (keeps_going(session, frame, &answer)) return answer;
  answer = turn(session, frame);
  if (answer.verdict == LINK_TAKE && !credit_charge(&session->given.open, cost))
    return cut(session, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_QUOTA, RULE_credit_exceeded);
  return answer;
}

struct link_answer broker_session_malformed(struct broker_session *session, collega_time now) {
  heard(session, now);
  if (session->phase != BROKER_SESSION_CUT && ++session->malformed < MALFORMED_MOST)
    return link_answer(LINK_REFUSE, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_MALFORMED,
                       RULE_frame_malformed);
  return cut(session, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_MALFORMED, RULE_frame_malformed);
}

static bool is_free(struct frame_cost cost) {
  return cost.records == 0 && cost.bytes == 0;
}

bool broker_session_may_send(struct broker_session *session, struct frame_cost cost) {
  if (session->phase == BROKER_SESSION_CUT) return false;
  if (is_free(cost)) return true;
  return session->phase == BROKER_SESSION_READY && credit_charge(&session->send, cost);
}

bool broker_session_committed(struct broker_session *session, struct frame_cost cost,
                              struct credit *credit) {
  if (session->phase == BROKER_SESSION_CUT || is_free(cost)) return false;
  return credit_return(&session->given, cost, credit);
}

enum link_verdict broker_session_tick(struct broker_session *session, collega_time now,
                                      bool *send_ping, uint64_t *ping) {
  *send_ping = false;
  if (session->phase == BROKER_SESSION_CUT) return LINK_CUT;
  if (now - session->heard >= SESSION_STALE_MS) {
    session->phase = BROKER_SESSION_CUT;
    return LINK_CUT;
  }
  if (!session->ping_open && now - session->heard >= PING_EVERY_MS) {
    session->ping_open = *send_ping = true;
    *ping = ++session->ping;
  }
  return LINK_TAKE;
}
