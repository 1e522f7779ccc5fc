/* Sessions of the load: employers that speak the protocol of docs/protocol.md with sockets of their own and
 * share no code with the node. Whatever fails ends the program. */
#ifndef COLLEGA_BENCH_SESSION_H
#define COLLEGA_BENCH_SESSION_H
#include "tests/bench/offers.h"
#include "tests/bench/peek.h"
#include "tests/bench/wire.h"

struct session {
  void *socket;
  struct employer employer;
  struct id broker;
  struct epoch epoch; /* the broker's */
  uint64_t log_seq;   /* where its log stood at Welcome */
};
/* An arena as large as anything here needs. */
struct arena *arena_make(void);
/* Where the broker listens, and its key, which any of its invitations holds. */
void token_target(const char *token, const char *endpoint, struct target *target,
                  struct arena *arena);
void frame_pack_send(void *socket, const Collega__ToBroker *frame, struct arena *arena);
/* What a received frame is. A Ping is answered; Pings and Credits are for nobody else: false, and the
 * message is closed. */
bool frame_told(void *socket, zmq_msg_t *message, struct peek *peek);
/* The next frame that is neither; the caller closes it. */
struct peek answer_receive(void *socket, zmq_msg_t *message);

/* Connects with the member's own key and says Hello; session_welcomed takes the answer. */
void session_hello(struct session *session, void *context, const struct target *target,
                   uint32_t member, struct arena *arena);
void session_welcomed(struct session *session, zmq_msg_t *welcome, struct arena *arena);
/* Both, waiting in between. */
void session_open(struct session *session, void *context, const struct target *target,
                  uint32_t member, struct arena *arena);
void session_close(struct session *session);

void give_credit(void *socket, uint32_t records, size_t bytes);
/* From what the log held at Welcome on. NULL: everything. */
void session_follow(const struct session *session, Collega__Filter *filter, struct arena *arena);
/* Gives credit back as a node does, in quarters of a window: counts, and sends when it is time. */
struct owed_credit {
  uint32_t records;
  size_t bytes;
};
void owe_credit(void *socket, struct owed_credit *owed, uint32_t records, size_t bytes);
#endif
