/* The node's side of a link: a session that is fed frames from a broker nobody vouches for, and
 * time, losses and connections in between. */
#include "proto/check.h"
#include "proto/link/link.h"
#include "tests/fuzz/fuzz.h"

#define STEPS_MOST 512

static void check(const struct node_session *session) {
  fuzz_must(session->send.records >= 0 && session->send.bytes >= 0);
  fuzz_must(session->given.open.records >= 0 && session->given.open.bytes >= 0);
}

static bool connected(const struct node_session *session) {
  return session->phase == NODE_SESSION_HELLO || session->phase == NODE_SESSION_READY;
}

static void frame(struct node_session *session, struct fuzz_input *input, collega_time now,
                  struct arena *arena) {
  struct bytes packed = fuzz_piece(input);
  struct collega_error error;
  arena_reset(arena);
  Collega__FromBroker *content =
      (Collega__FromBroker *)fuzz_unpack(&collega__from_broker__descriptor, packed, arena, &error);
  if (content == NULL) { /* as the daemon does */
    node_session_lost(session, now, fuzz_number(input));
    return;
  }
  bool was_ready = session->phase == NODE_SESSION_READY, was = connected(session);
  struct frame_cost cost = cost_from_broker(content, packed.length);
  struct link_answer answer = node_session_frame(session, cost, content, now);
  fuzz_must(answer.verdict != LINK_REFUSE);
  if (answer.verdict == LINK_CUT) {
    node_session_lost(session, now, fuzz_number(input));
    fuzz_must(!connected(session));
    return;
  }
  struct credit due;
  fuzz_must(was && frame_from_broker(content) != 0);
  fuzz_must(was_ready || session->phase == NODE_SESSION_READY || content->refusal ||
            content->cert || content->ping || content->pong || content->credit);
  if (content->board || content->mail) fuzz_must(was_ready);
  (void)node_session_committed(session, cost, &due);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  struct fuzz_input input = fuzz_begin(data, length);
  struct node_session session;
  struct arena *arena = fuzz_arena();
  collega_time now = 1;
  node_session_start(&session, fuzz_byte(&input) & 1, now);
  for (int steps = 0; input.length > 0 && steps < STEPS_MOST; steps++) {
    uint8_t what = fuzz_byte(&input);
    struct frame_cost cost = {3, fuzz_byte(&input), 4096};
    if (what % 8 == 0) now += (collega_time)fuzz_number(&input) % MINUTE_MS;
    if (what % 8 <= 2) {
      if (node_session_tick(&session, now, fuzz_number(&input)) == NODE_CONNECT)
        node_session_hello_sent(&session, now);
      fuzz_must(session.phase != NODE_SESSION_WAITING || session.reconnect_at <= now + MINUTE_MS);
    } else if (what % 8 == 3) {
      fuzz_must(!node_session_may_send(&session, cost) || connected(&session));
    } else {
      frame(&session, &input, now, arena);
    }
    check(&session);
  }
  arena_destroy(&arena);
  return 0;
}
