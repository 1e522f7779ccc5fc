/* Both halves of a session as pure state machines: no socket, no clock, no memory of content. The
 * shells (client/link, broker/session) read frames with the guard, ask the machine what may happen,
 * and do it.
 *
 * Credit: what one side may send before the other says more, in records and in bytes of frames.
 * Records: a Publish or Board counts its records, Send and Mail their items, everything else 0
 * records; Hello, Welcome, Credit, Ping, Pong, Refusal, Receipts, Stored and Cert cost nothing
 * (they answer or keep alive). The receiver gives credit back when it has committed what it got, in
 * steps of a quarter of the window. Both directions start with a window of CREDIT_RECORDS and
 * CREDIT_BYTES: no Credit frame is needed to begin; Welcome then says what the node's window is.
 * Tombstones count as records.
 *
 * `now` is monotonic: the machines compare times with each other and with nothing else. */
#ifndef COLLEGA_PROTO_LINK_H
#define COLLEGA_PROTO_LINK_H
#include "base/bytes.h"
#include "base/clock.h"
#include "proto/limits.h"
#include "proto/link.pb-c.h"

#define MALFORMED_MOST 3u /* frames of one session that cannot be read: the third cuts */
#define WELCOME_WAIT_MS                                                                            \
  (5 * SECOND_MS) /* a node tries again when no Welcome came; handshake included */

/* What a frame costs: its field number in ToBroker or FromBroker, records, bytes. */
struct frame_cost {
  uint32_t field;
  uint32_t records;
  size_t bytes;
};
struct frame_cost cost_to_broker(const Collega__ToBroker *frame, size_t bytes);
struct frame_cost cost_from_broker(const Collega__FromBroker *frame, size_t bytes);

struct credit {
  int64_t records, bytes;
}; /* what may still be sent */
struct credit_given {
  struct credit open, back;
}; /* given to the peer; committed since the last Credit */

/* ---- the broker's half: one for each connection */
enum peer_role { PEER_NONE, PEER_INVITED, PEER_MEMBER }; /* by its authenticated key */
enum broker_session_phase { BROKER_SESSION_NEW, BROKER_SESSION_READY, BROKER_SESSION_CUT };
struct broker_session {
  enum broker_session_phase phase;
  enum peer_role role;
  struct credit send; /* what the node lets us send */
  struct credit_given given;
  collega_time heard; /* last frame */
  uint64_t ping;
  bool ping_open;
  uint32_t follows;   /* how many */
  uint32_t malformed; /* frames that could not be read */
};
enum link_verdict { LINK_TAKE, LINK_REFUSE, LINK_CUT };
struct link_answer {
  enum link_verdict
      verdict; /* REFUSE: answer with code and rule, go on; CUT: answer, then forget the peer */
  Collega__RefusalCode code;
  enum rule rule;
  bool send_pong;
  uint64_t pong;
};
void broker_session_start(struct broker_session *session, enum peer_role role, collega_time now);
/* A frame came in and passed the guard. Members: Hello first, exactly once, then anything but Join.
 * Invited: Hello or Join; nothing else. Ping, Pong and Credit keep the session going and are taken
 * from both at any time. What comes out of turn: REFUSE; a second Hello, an unknown key, another
 * protocol version: CUT. More than the credit given: CUT (rule credit_exceeded). */
struct link_answer broker_session_frame(struct broker_session *session, struct frame_cost cost,
                                        const Collega__ToBroker *frame, collega_time now);
/* A frame that the guard refused: REFUSE, the third of a session CUT. */
struct link_answer broker_session_malformed(struct broker_session *session, collega_time now);
/* May a frame of this cost be sent now? If so it is charged. */
bool broker_session_may_send(struct broker_session *session, struct frame_cost cost);
/* What was received is committed: *credit is set and true returned when a Credit frame is due. */
bool broker_session_committed(struct broker_session *session, struct frame_cost cost,
                              struct credit *credit);
/* Every second: LINK_CUT when nothing was heard for SESSION_STALE_MS; *ping set when a Ping is
 * due. */
enum link_verdict broker_session_tick(struct broker_session *session, collega_time now,
                                      bool *send_ping, uint64_t *ping);

/* ---- the node's half */
enum node_session_phase {
  NODE_SESSION_OFF,
  NODE_SESSION_WAITING,
  NODE_SESSION_HELLO,
  NODE_SESSION_READY
};
struct node_session {
  enum node_session_phase phase;
  collega_time reconnect_at; /* WAITING */
  collega_time since;        /* HELLO: when it was sent */
  struct credit send;
  struct credit_given given;
  collega_time heard;
  uint64_t ping;
  bool ping_open;
  bool joining;      /* connected with an invitation's key */
  uint32_t failures; /* in a row */
};
enum node_action { NODE_NOTHING, NODE_CONNECT, NODE_DISCONNECT, NODE_PING };
/* `random` is uniform over 0..UINT32_MAX; the first connection is at once, later ones uniform over
 * 0..RECONNECT_SPREAD_MS. */
void node_session_start(struct node_session *session, bool joining, collega_time now);
/* Every second, and when reconnect_at is reached. CONNECT: connect, send Hello (or Join) and call
 * node_session_hello_sent. DISCONNECT: close the socket; the session is WAITING already. PING: send
 * a Ping with session->ping. */
enum node_action node_session_tick(struct node_session *session, collega_time now, uint32_t random);
void node_session_hello_sent(struct node_session *session, collega_time now);
/* A frame came in and passed the guard. LINK_TAKE: deliver it. Welcome makes it READY and sets
 * credit; it must be first (Refusal may come instead; while joining, Cert). CUT: disconnect and
 * wait. A Refusal that says hello_first is a CUT too: the broker has forgotten this session, which
 * begins anew. Never REFUSE. */
struct link_answer node_session_frame(struct node_session *session, struct frame_cost cost,
                                      const Collega__FromBroker *frame, collega_time now);
void node_session_lost(struct node_session *session, collega_time now,
                       uint32_t random); /* cut, refused, socket gone */
bool node_session_may_send(struct node_session *session, struct frame_cost cost);
bool node_session_committed(struct node_session *session, struct frame_cost cost,
                            struct credit *credit);
#endif
