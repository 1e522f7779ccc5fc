/* The node's half of a session: connecting, Welcome, credit, coming back. */
#include "frames.h"

#define NOW INT64_C(1000000)

static struct link_answer give(struct node_session *session, enum told kind, uint32_t number,
                               size_t bytes) {
  struct from_broker frame;
  from_broker(&frame, kind, number);
  return node_session_frame(session, cost_from_broker(&frame.frame, bytes), &frame.frame, NOW);
}

static void expect(struct link_answer answer, enum link_verdict verdict, enum rule rule) {
  assert_int_equal(answer.verdict, verdict);
  assert_string_equal(rule_name(answer.rule), rule_name(rule));
}

static struct node_session greeted(bool joining) {
  struct node_session session;
  node_session_start(&session, joining, NOW);
  assert_int_equal(node_session_tick(&session, NOW, 0), NODE_CONNECT);
  node_session_hello_sent(&session, NOW);
  return session;
}

static struct node_session ready(void) {
  struct node_session session = greeted(false);
  expect(give(&session, TOLD_WELCOME, 100, 900), LINK_TAKE, RULE_NONE);
  return session;
}

static void the_first_connection_is_at_once(void **state) {
  (void)state;
  struct node_session session;
  node_session_start(&session, false, NOW);
  assert_int_equal(node_session_tick(&session, NOW, UINT32_MAX), NODE_CONNECT);
  assert_int_equal(node_session_tick(&session, NOW, UINT32_MAX), NODE_NOTHING);
}

static void reconnects_spread_evenly_over_the_whole_time(void **state) {
  (void)state;
  enum { PARTS = 15 };
  unsigned hits[PARTS + 1] = {0};
  for (uint32_t i = 0; i < 15000; i++) {
    struct node_session session = ready();
    node_session_lost(&session, NOW, (uint32_t)(((uint64_t)i << 32) / 15000));
    assert_int_equal(session.phase, NODE_SESSION_WAITING);
    assert_in_range(session.reconnect_at, NOW, NOW + RECONNECT_SPREAD_MS);
    hits[(session.reconnect_at - NOW) * PARTS / RECONNECT_SPREAD_MS]++;
  }
  for (int i = 0; i < PARTS; i++)
    assert_in_range(hits[i], 990, 1010);
  struct node_session last = ready();
  node_session_lost(&last, NOW, UINT32_MAX);
  assert_int_equal(last.reconnect_at, NOW + RECONNECT_SPREAD_MS);
  assert_int_equal(node_session_tick(&last, last.reconnect_at - 1, 0), NODE_NOTHING);
  assert_int_equal(node_session_tick(&last, last.reconnect_at, 0), NODE_CONNECT);
}

static void no_welcome_is_a_failure(void **state) {
  (void)state;
  struct node_session session = greeted(false);
  assert_int_equal(node_session_tick(&session, NOW + WELCOME_WAIT_MS - 1, 0), NODE_NOTHING);
  assert_int_equal(node_session_tick(&session, NOW + WELCOME_WAIT_MS, 0), NODE_DISCONNECT);
  assert_int_equal(session.phase, NODE_SESSION_WAITING);
  assert_int_equal(session.failures, 1);
}

static void welcome_makes_it_ready_and_sets_credit(void **state) {
  (void)state;
  struct node_session session = greeted(false);
  assert_false(node_session_may_send(&session, (struct frame_cost){3, 1, 10}));
  session.failures = 4;
  expect(give(&session, TOLD_WELCOME, 100, 900), LINK_TAKE, RULE_NONE);
  assert_int_equal(session.phase, NODE_SESSION_READY);
  assert_int_equal(session.failures, 0);
  assert_int_equal(session.send.records, 100);
  assert_true(node_session_may_send(&session, (struct frame_cost){3, 60, 60}));
  assert_false(node_session_may_send(&session, (struct frame_cost){3, 60, 10}));
  assert_true(node_session_may_send(&session, (struct frame_cost){3, 40, 40}));
  assert_int_equal(session.send.records, 0);
}

static void welcome_comes_first_and_once(void **state) {
  (void)state;
  struct node_session session = greeted(false);
  expect(give(&session, TOLD_BOARD, 1, 90), LINK_CUT, RULE_welcome_first);
  session = ready();
  expect(give(&session, TOLD_WELCOME, 100, 900), LINK_CUT, RULE_welcome_twice);
}

static void a_refusal_may_come_instead_of_a_welcome(void **state) {
  (void)state;
  struct node_session session = greeted(false);
  expect(give(&session, TOLD_REFUSAL, 0, 90), LINK_TAKE, RULE_NONE);
  assert_int_equal(session.phase, NODE_SESSION_HELLO);
}

static void a_broker_that_forgot_the_session_is_greeted_anew(void **state) {
  (void)state;
  struct node_session session = ready();
  expect(give(&session, TOLD_REFUSAL, 1, 90), LINK_CUT, RULE_hello_first);
}

static void a_certificate_answers_a_join_only(void **state) {
  (void)state;
  struct node_session session = greeted(true);
  assert_true(node_session_may_send(&session, (struct frame_cost){2, 0, 500}));
  assert_false(node_session_may_send(&session, (struct frame_cost){3, 1, 500}));
  expect(give(&session, TOLD_CERT, 0, 900), LINK_TAKE, RULE_NONE);
  session = ready();
  expect(give(&session, TOLD_CERT, 0, 900), LINK_CUT, RULE_join_member);
}

static void a_broker_that_sends_more_than_allowed_is_cut(void **state) {
  (void)state;
  struct node_session session = ready();
  for (uint32_t sent = 0; sent < CREDIT_RECORDS; sent += 4096)
    expect(give(&session, TOLD_BOARD, 4096, 9), LINK_TAKE, RULE_NONE);
  expect(give(&session, TOLD_MAIL, 1, 9), LINK_CUT, RULE_credit_exceeded);
}

static void credit_goes_back_after_the_commit(void **state) {
  (void)state;
  struct node_session session = ready();
  struct credit credit;
  expect(give(&session, TOLD_BOARD, 4096, 9), LINK_TAKE, RULE_NONE);
  assert_true(node_session_committed(&session, (struct frame_cost){4, 4096, 9}, &credit));
  assert_int_equal(credit.records, 4096);
  assert_int_equal(session.given.open.records, CREDIT_RECORDS);
}

static void a_silent_broker_is_pinged_and_then_left(void **state) {
  (void)state;
  struct node_session session = ready();
  assert_int_equal(node_session_tick(&session, NOW + PING_EVERY_MS - 1, 0), NODE_NOTHING);
  assert_int_equal(node_session_tick(&session, NOW + PING_EVERY_MS, 0), NODE_PING);
  assert_int_equal(node_session_tick(&session, NOW + PING_EVERY_MS + 1, 0), NODE_NOTHING);
  assert_int_equal(node_session_tick(&session, NOW + SESSION_STALE_MS, 0), NODE_DISCONNECT);
  assert_int_equal(session.phase, NODE_SESSION_WAITING);
}

static void frames_of_a_session_that_is_gone_change_nothing(void **state) {
  (void)state;
  struct node_session session = ready();
  node_session_lost(&session, NOW, 5);
  expect(give(&session, TOLD_CREDIT, 1000, 9), LINK_CUT, RULE_hello_first);
  assert_int_equal(session.phase, NODE_SESSION_WAITING);
  assert_int_equal(session.send.records, CREDIT_RECORDS);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_first_connection_is_at_once),
      cmocka_unit_test(reconnects_spread_evenly_over_the_whole_time),
      cmocka_unit_test(no_welcome_is_a_failure),
      cmocka_unit_test(welcome_makes_it_ready_and_sets_credit),
      cmocka_unit_test(welcome_comes_first_and_once),
      cmocka_unit_test(a_refusal_may_come_instead_of_a_welcome),
      cmocka_unit_test(a_broker_that_forgot_the_session_is_greeted_anew),
      cmocka_unit_test(a_certificate_answers_a_join_only),
      cmocka_unit_test(a_broker_that_sends_more_than_allowed_is_cut),
      cmocka_unit_test(credit_goes_back_after_the_commit),
      cmocka_unit_test(a_silent_broker_is_pinged_and_then_left),
      cmocka_unit_test(frames_of_a_session_that_is_gone_change_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
