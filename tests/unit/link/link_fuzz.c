/* Both halves under random events, in any order and at any time. What must hold whatever comes:
 * credit is never negative, nothing is taken out of turn, what was cut stays cut, and what two
 * halves believe of each other's credit agrees while no frame is under way. */
#include "frames.h"

static uint64_t next(uint64_t *state) { /* splitmix64: the same run on every machine */
  uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
  z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
  return z ^ (z >> 31);
}

static uint32_t below(uint64_t *state, uint32_t limit) {
  return (uint32_t)(next(state) % limit);
}

static void credit_is_not_negative(const struct credit *send, const struct credit_given *given) {
  assert_true(send->records >= 0 && send->bytes >= 0);
  assert_true(given->open.records >= 0 && given->open.bytes >= 0);
  assert_true(given->back.records >= 0 && given->back.bytes >= 0);
}

/* What the test itself knows of the broker's session, kept by other means than the machine's
 * phase. */
struct known {
  bool greeted, cut;
  enum peer_role role;
};

static void check_turn(struct known *known, enum sent kind, struct link_answer answer) {
  if (known->cut) assert_int_equal(answer.verdict, LINK_CUT);
  if (answer.verdict == LINK_CUT) known->cut = true;
  if (answer.verdict != LINK_TAKE) {
    assert_int_not_equal(answer.rule, RULE_NONE);
    assert_false(answer.send_pong);
    return;
  }
  assert_int_not_equal(kind, SENT_NOTHING);
  bool keeps_alive = kind == SENT_PING || kind == SENT_PONG || kind == SENT_CREDIT;
  if (kind == SENT_HELLO) {
    assert_false(known->greeted);
    known->greeted = true;
  } else if (known->role == PEER_INVITED) {
    assert_true(keeps_alive || kind == SENT_JOIN);
  } else {
    assert_true(keeps_alive || (known->greeted && kind != SENT_JOIN));
  }
}

static void the_brokers_half_holds_under_any_frames(void **state) {
  (void)state;
  uint64_t seed = 7440;
  for (int round = 0; round < 300; round++) {
    struct known known = {.role = (enum peer_role)below(&seed, 3)};
    struct broker_session session;
    collega_time now = 1;
    broker_session_start(&session, known.role, now);
    for (int step = 0; step < 200; step++) {
      now += below(&seed, 4000);
      enum sent kind = (enum sent)below(&seed, SENT_COUNT);
      if (kind == SENT_HELLO && known.greeted && below(&seed, 8) != 0) kind = SENT_PUBLISH;
      size_t bytes = below(&seed, LIMIT_FRAME_BYTES);
      uint32_t number = 1 + below(&seed, 4096);
      struct to_broker frame;
      to_broker(&frame, kind, number);
      struct frame_cost cost = cost_to_broker(&frame.frame, bytes);
      struct credit before = session.given.open, due;
      bool send_ping;
      uint64_t ping;
      switch (below(&seed, 8)) {
      case 0:
        if (broker_session_committed(&session, cost, &due))
          assert_true(due.records >= CREDIT_RECORDS / 4 || due.bytes >= CREDIT_BYTES / 4);
        break;
      case 1:
        if (broker_session_may_send(&session, cost)) assert_false(known.cut);
        break;
      case 2:
        if (broker_session_tick(&session, now, &send_ping, &ping) == LINK_CUT)
          known.cut = true;
        else
          assert_false(known.cut);
        break;
      case 3:
        if (below(&seed, 20) == 0)
          check_turn(&known, SENT_NOTHING, broker_session_malformed(&session, now));
        break;
      default: {
        struct link_answer answer = broker_session_frame(&session, cost, &frame.frame, now);
        check_turn(&known, kind, answer);
        if (answer.verdict == LINK_TAKE && kind != SENT_HELLO)
          assert_int_equal(before.records - session.given.open.records, cost.records);
        else if (kind != SENT_HELLO)
          assert_int_equal(before.records, session.given.open.records);
      }
      }
      credit_is_not_negative(&session.send, &session.given);
    }
  }
}

static void the_nodes_half_holds_under_any_frames(void **state) {
  (void)state;
  uint64_t seed = 7441;
  for (int round = 0; round < 300; round++) {
    struct node_session session;
    collega_time now = 1;
    bool joining = below(&seed, 2) == 1, welcomed = false;
    node_session_start(&session, joining, now);
    for (int step = 0; step < 200; step++) {
      now += below(&seed, 3000);
      struct from_broker frame;
      enum told kind = (enum told)below(&seed, TOLD_COUNT);
      from_broker(&frame, kind, kind == TOLD_REFUSAL ? 0 : below(&seed, 4096));
      struct frame_cost cost = cost_from_broker(&frame.frame, below(&seed, LIMIT_FRAME_BYTES));
      struct credit due;
      uint32_t failures = session.failures;
      enum node_session_phase phase = session.phase;
      bool connected = phase == NODE_SESSION_HELLO || phase == NODE_SESSION_READY;
      switch (below(&seed, 6)) {
      case 0: {
        enum node_action action = node_session_tick(&session, now, (uint32_t)next(&seed));
        if (action == NODE_CONNECT) {
          assert_false(connected);
          node_session_hello_sent(&session, now);
        }
        if (action == NODE_DISCONNECT) {
          assert_true(connected);
          assert_int_equal(session.failures, failures + 1);
          welcomed = false;
        }
        if (action == NODE_PING) assert_int_equal(phase, NODE_SESSION_READY);
        break;
      }
      case 1:
        if (node_session_committed(&session, cost, &due))
          assert_int_equal(phase, NODE_SESSION_READY);
        break;
      case 2:
        if (node_session_may_send(&session, cost)) assert_true(connected);
        break;
      default: {
        struct link_answer answer = node_session_frame(&session, cost, &frame.frame, now);
        assert_int_not_equal(answer.verdict, LINK_REFUSE);
        if (answer.verdict == LINK_TAKE) {
          assert_true(connected);
          assert_int_not_equal(kind, TOLD_NOTHING);
          if (kind == TOLD_WELCOME) assert_int_not_equal(phase, NODE_SESSION_READY);
          if (kind == TOLD_CERT) assert_true(joining);
          if (kind == TOLD_BOARD || kind == TOLD_MAIL) assert_true(welcomed);
          if (kind == TOLD_WELCOME || kind == TOLD_CERT) welcomed = true;
        } else {
          node_session_lost(&session, now, (uint32_t)next(&seed));
          welcomed = false;
        }
      }
      }
      credit_is_not_negative(&session.send, &session.given);
    }
  }
}

/* A node and a broker that keep to the rules: nobody is ever cut, and neither waits for credit for
 * ever. */
static void two_honest_halves_never_stall(void **state) {
  (void)state;
  uint64_t seed = 7442;
  struct broker_session broker;
  struct node_session node;
  struct to_broker up;
  struct from_broker down;
  broker_session_start(&broker, PEER_MEMBER, 1);
  node_session_start(&node, false, 1);
  assert_int_equal(node_session_tick(&node, 1, 0), NODE_CONNECT);
  node_session_hello_sent(&node, 1);
  to_broker(&up, SENT_HELLO, 0);
  assert_int_equal(
      broker_session_frame(&broker, cost_to_broker(&up.frame, 500), &up.frame, 1).verdict,
      LINK_TAKE);
  from_broker(&down, TOLD_WELCOME, 0);
  down.credit.records = CREDIT_RECORDS;
  down.credit.bytes = CREDIT_BYTES;
  assert_int_equal(
      node_session_frame(&node, cost_from_broker(&down.frame, 900), &down.frame, 1).verdict,
      LINK_TAKE);
  struct frame_cost waiting[1024]; /* taken by the broker, not yet committed */
  size_t count = 0;
  unsigned delivered = 0;
  for (int step = 0; step < 100000; step++) {
    to_broker(&up, SENT_PUBLISH, 1 + below(&seed, 4096));
    struct frame_cost cost = cost_to_broker(&up.frame, 1 + below(&seed, LIMIT_FRAME_BYTES));
    if (count < 1024 && node_session_may_send(&node, cost)) {
      assert_int_equal(broker_session_frame(&broker, cost, &up.frame, step).verdict, LINK_TAKE);
      waiting[count++] = cost;
      delivered++;
      continue;
    }
    assert_true(count > 0); /* without credit something of ours is under way */
    struct credit credit;
    for (size_t i = 0; i < count; i++) {
      if (!broker_session_committed(&broker, waiting[i], &credit)) continue;
      from_broker(&down, TOLD_CREDIT, 0);
      down.credit.records = (uint32_t)credit.records;
      down.credit.bytes = (uint32_t)credit.bytes;
      assert_int_equal(
          node_session_frame(&node, cost_from_broker(&down.frame, 20), &down.frame, step).verdict,
          LINK_TAKE);
    }
    count = 0;
    assert_int_equal(node.send.records, broker.given.open.records);
    assert_int_equal(node.send.bytes, broker.given.open.bytes);
  }
  assert_true(delivered > 50000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_brokers_half_holds_under_any_frames),
      cmocka_unit_test(the_nodes_half_holds_under_any_frames),
      cmocka_unit_test(two_honest_halves_never_stall),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
