/* The broker's side of a link without sockets: handshakes, sessions, frames, credit, follows, in
 * any order. Two members, an invited one and a stranger on four connections.
 *
 * An input is a sequence of steps, one byte each: what (low four bits), on which connection (the
 * next two); a frame follows as a piece. */
#include "broker/session/follow.h"
#include "broker/session/zap.h"
#include "proto/check.h"
#include "proto/guard.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define CONNECTIONS 4
#define STEPS_MOST  512

struct stage {
  struct links *links;
  struct addresses *addresses;
  struct sessions *sessions;
  struct follows *follows;
  struct arena *arena;
  collega_time now;
  uint64_t head;
  uint8_t routing[CONNECTIONS]; /* of the connection that is open now */
};

static struct peer_entry peer_of(size_t connection) {
  struct peer_entry entry = {.role = connection == 2 ? PEER_INVITED : PEER_MEMBER};
  memset(entry.key, (int)connection + 1, sizeof entry.key);
  if (entry.role == PEER_MEMBER) memset(&entry.party, (int)connection % 2 + 1, sizeof entry.party);
  return entry;
}

static void begin(struct stage *stage) {
  *stage = (struct stage){links_new(),  addresses_new(), sessions_new(), follows_new(),
                          fuzz_arena(), .now = 1,        .head = 100};
  fuzz_must(stage->links && stage->addresses && stage->sessions && stage->follows);
  for (size_t i = 0; i < CONNECTIONS - 1; i++) {
    struct peer_entry entry = peer_of(i);
    fuzz_must(links_admit(stage->links, &entry));
    stage->routing[i] = (uint8_t)i;
  }
}

static void end_session(struct stage *stage, struct session *session) {
  follow_stop_all(stage->follows, session);
  session_end(stage->sessions, session, stage->now);
}

static void end(struct stage *stage) {
  for (struct session *at = session_first(stage->sessions); at != NULL; at = session_next(at))
    if (at->ended == 0) end_session(stage, at);
  fuzz_must(sessions_open(stage->sessions) == 0 && follows_count(stage->follows) == 0);
  sessions_destroy(&stage->sessions);
  follows_destroy(&stage->follows);
  addresses_destroy(&stage->addresses);
  links_destroy(&stage->links);
  arena_destroy(&stage->arena);
}

static void check(const struct session *session) {
  const struct broker_session *machine = &session->machine;
  fuzz_must(machine->send.records >= 0 && machine->send.bytes >= 0);
  fuzz_must(machine->given.open.records >= 0 && machine->given.open.bytes >= 0);
  fuzz_must(machine->given.open.records + machine->given.back.records <= CREDIT_RECORDS);
  fuzz_must(machine->given.open.bytes + machine->given.back.bytes <= CREDIT_BYTES);
  fuzz_must(machine->malformed <= MALFORMED_MOST);
  fuzz_must(session->follow_count <= LIMIT_FILTERS);
}

static void shake(struct stage *stage, struct fuzz_input *input, size_t connection) {
  struct bytes frames[ZAP_FRAMES + 1];
  size_t count = fuzz_byte(input) % (ZAP_FRAMES + 2);
  for (size_t i = 0; i < count; i++)
    frames[i] = fuzz_piece(input);
  char address[64] = "192.0.2.1";
  address[8] = (char)('1' + connection);
  enum zap_verdict verdict = zap_judge(frames, count, stage->links, stage->now);
  if (verdict == ZAP_ADMIT) {
    fuzz_must(count == ZAP_FRAMES && links_find(stage->links, frames[6].data, stage->now) != NULL);
    address_admitted(stage->addresses, address, stage->now);
    fuzz_must(address_may_connect(stage->addresses, address, stage->now));
  } else {
    address_refused(stage->addresses, address, stage->now);
  }
}

static struct session *speaking(struct stage *stage, size_t connection) {
  struct session *older = NULL;
  struct peer_entry entry = peer_of(connection);
  if (links_find(stage->links, entry.key, stage->now) == NULL) return NULL;
  struct bytes routing = bytes_of(&stage->routing[connection], 1);
  struct session *session = session_by_routing(stage->sessions, routing);
  if (session == NULL) {
    session = session_add(stage->sessions, routing, &entry, -1, 0, stage->now, &older);
    fuzz_must(session != NULL);
    if (older != NULL && older->ended == 0) end_session(stage, older);
  }
  return session->ended == 0 ? session : NULL;
}

static void follow(struct stage *stage, struct session *session, const Collega__Follow *wanted) {
  struct arena *arena = fuzz_arena();
  struct bytes packed = message_pack(&wanted->filter->base, arena);
  uint64_t through = wanted->n_cursors > 0 ? wanted->cursors[0]->seq % (stage->head + 1) : 0;
  if (follow_count_besides(session, wanted->number) < LIMIT_FILTERS) {
    struct follow *made =
        follow_start(stage->follows, session, wanted->number, packed, through, stage->head);
    fuzz_must(made != NULL && made->session == session);
    follow_settle(made);
  }
  arena_destroy(&arena);
}

static void frame(struct stage *stage, struct fuzz_input *input, struct session *session) {
  struct bytes packed = fuzz_piece(input);
  struct collega_error error;
  arena_reset(stage->arena);
  Collega__ToBroker *content = (Collega__ToBroker *)fuzz_unpack(&collega__to_broker__descriptor,
                                                                packed, stage->arena, &error);
  struct link_answer answer;
  struct frame_cost cost = {0};
  bool greeted = session->machine.phase == BROKER_SESSION_READY;
  if (content == NULL || frame_to_broker(content) == 0) {
    answer = broker_session_malformed(&session->machine, stage->now);
    fuzz_must(answer.verdict != LINK_TAKE);
  } else {
    cost = cost_to_broker(content, packed.length);
    answer = broker_session_frame(&session->machine, cost, content, stage->now);
  }
  fuzz_must(answer.verdict == LINK_TAKE || answer.rule != RULE_NONE);
  if (answer.verdict == LINK_CUT) {
    end_session(stage, session);
    return;
  }
  if (answer.verdict == LINK_REFUSE) return;
  bool free_of_turn = content->ping || content->pong || content->credit || content->hello;
  fuzz_must(free_of_turn || greeted || content->join);
  fuzz_must(session->machine.role != PEER_INVITED || free_of_turn || content->join);
  if (content->follow != NULL) follow(stage, session, content->follow);
  struct credit due;
  if ((cost.bytes ^ stage->head) & 1) (void)broker_session_committed(&session->machine, cost, &due);
}

static void reads(struct stage *stage, bool done) {
  for (struct follow_group *group = follow_group_first(stage->follows), *next; group != NULL;
       group = next) {
    next = follow_group_next(group);
    fuzz_must(group->followers > 0 || group->jobs > 0);
    uint64_t after;
    if (!follow_read_due(group, &after)) continue;
    fuzz_must(group->read_count <= FOLLOW_READS_MOST);
    follow_group_hold(group);
    if (done) {
      for (struct follow *at = group->waiting, *later; at != NULL; at = later) {
        later = at->next;
        if (at->through == after) at->through = stage->head;
        follow_settle(at);
      }
    }
    follow_read_done(group, after);
    follow_group_drop(stage->follows, group);
  }
}

static void tick(struct stage *stage, struct session *session) {
  bool ping = false;
  uint64_t number = 0;
  if (broker_session_tick(&session->machine, stage->now, &ping, &number) == LINK_CUT)
    end_session(stage, session);
}

static void step(struct stage *stage, struct fuzz_input *input) {
  uint8_t what = fuzz_byte(input);
  size_t connection = what >> 4 & 3;
  struct session *session = speaking(stage, connection);
  struct frame_cost cost = {6, fuzz_byte(input), 1024};
  switch (what & 15) {
  case 0:
    shake(stage, input, connection);
    return;
  case 1: /* the connection ends; a new one begins under another routing id */
    if (session != NULL) end_session(stage, session);
    stage->routing[connection] = (uint8_t)(stage->routing[connection] + CONNECTIONS);
    session = session_by_routing(stage->sessions, bytes_of(&stage->routing[connection], 1));
    if (session != NULL && session->ended != 0) session_remove(stage->sessions, &session);
    return;
  case 2:
    stage->now += (collega_time)fuzz_byte(input) * SECOND_MS / 4;
    if (session != NULL) tick(stage, session);
    break;
  case 3:
    stage->head += fuzz_byte(input);
    reads(stage, true);
    break;
  case 4:
    reads(stage, false);
    break;
  case 5:
    if (session != NULL) (void)broker_session_may_send(&session->machine, cost);
    break;
  case 6:
    if (session != NULL) fuzz_must(session_mailbox(session, &session->home) != NULL);
    break;
  default:
    if (session != NULL) frame(stage, input, session);
  }
  session = session_by_routing(stage->sessions, bytes_of(&stage->routing[connection], 1));
  if (session != NULL && session->ended == 0) check(session);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  struct fuzz_input input = fuzz_begin(data, length);
  struct stage stage;
  begin(&stage);
  for (int steps = 0; input.length > 0 && steps < STEPS_MOST; steps++)
    step(&stage, &input);
  end(&stage);
  return 0;
}
