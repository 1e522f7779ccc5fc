/* The broker's half of a session: turns, credit, silence. */
#include "frames.h"

#define NOW INT64_C(1000000)

static struct link_answer give(struct broker_session *session, enum sent kind, uint32_t number,
                               size_t bytes) {
  struct to_broker frame;
  to_broker(&frame, kind, number);
  return broker_session_frame(session, cost_to_broker(&frame.frame, bytes), &frame.frame, NOW);
}

static void expect(struct link_answer answer, enum link_verdict verdict, enum rule rule) {
  assert_int_equal(answer.verdict, verdict);
  assert_string_equal(rule_name(answer.rule), rule_name(rule));
}

static struct broker_session ready(void) {
  struct broker_session session;
  broker_session_start(&session, PEER_MEMBER, NOW);
  expect(give(&session, SENT_HELLO, 0, 400), LINK_TAKE, RULE_NONE);
  return session;
}

static void a_member_says_hello_first(void **state) {
  (void)state;
  struct broker_session session;
  broker_session_start(&session, PEER_MEMBER, NOW);
  expect(give(&session, SENT_PUBLISH, 1, 400), LINK_REFUSE, RULE_hello_first);
  expect(give(&session, SENT_HELLO, 0, 400), LINK_TAKE, RULE_NONE);
  expect(give(&session, SENT_PUBLISH, 1, 400), LINK_TAKE, RULE_NONE);
}

static void a_second_hello_cuts(void **state) {
  (void)state;
  struct broker_session session = ready();
  expect(give(&session, SENT_HELLO, 0, 400), LINK_CUT, RULE_hello_twice);
  expect(give(&session, SENT_PUBLISH, 1, 400), LINK_CUT, RULE_link_key_unknown);
}

static void another_version_cuts(void **state) {
  (void)state;
  struct broker_session session;
  broker_session_start(&session, PEER_MEMBER, NOW);
  struct to_broker frame;
  to_broker(&frame, SENT_HELLO, 0);
  frame.hello.version = PROTOCOL_VERSION + 1;
  expect(broker_session_frame(&session, cost_to_broker(&frame.frame, 9), &frame.frame, NOW),
         LINK_CUT, RULE_protocol_version);
}

static void a_member_cannot_join(void **state) {
  (void)state;
  struct broker_session session = ready();
  expect(give(&session, SENT_JOIN, 0, 400), LINK_REFUSE, RULE_join_member);
}

static void an_invited_key_only_joins(void **state) {
  (void)state;
  struct broker_session session;
  broker_session_start(&session, PEER_INVITED, NOW);
  expect(give(&session, SENT_JOIN, 0, 400), LINK_TAKE, RULE_NONE);
  expect(give(&session, SENT_HELLO, 0, 400), LINK_TAKE, RULE_NONE);
  expect(give(&session, SENT_JOIN, 0, 400), LINK_TAKE, RULE_NONE);
  expect(give(&session, SENT_PUBLISH, 1, 400), LINK_REFUSE, RULE_join_only);
  expect(give(&session, SENT_FOLLOW, 0, 40), LINK_REFUSE, RULE_join_only);
}

static void an_unknown_key_is_cut_at_its_first_frame(void **state) {
  (void)state;
  struct broker_session session;
  broker_session_start(&session, PEER_NONE, NOW);
  struct link_answer answer = give(&session, SENT_PING, 1, 4);
  expect(answer, LINK_CUT, RULE_link_key_unknown);
  assert_false(answer.send_pong);
}

static void a_ping_is_answered_at_any_time(void **state) {
  (void)state;
  struct broker_session session;
  broker_session_start(&session, PEER_MEMBER, NOW);
  struct link_answer answer = give(&session, SENT_PING, 77, 4);
  expect(answer, LINK_TAKE, RULE_NONE);
  assert_true(answer.send_pong);
  assert_int_equal(answer.pong, 77);
}

static void more_records_than_credit_cut(void **state) {
  (void)state;
  struct broker_session session = ready();
  for (uint32_t sent = 0; sent < CREDIT_RECORDS; sent += 4096)
    expect(give(&session, SENT_PUBLISH, 4096, 4096), LINK_TAKE, RULE_NONE);
  expect(give(&session, SENT_ACK, 0, 40), LINK_TAKE, RULE_NONE);
  expect(give(&session, SENT_PUBLISH, 1, 40), LINK_CUT, RULE_credit_exceeded);
}

static void more_bytes_than_credit_cut(void **state) {
  (void)state;
  struct broker_session session = ready();
  for (uint32_t sent = 0; sent < CREDIT_BYTES; sent += LIMIT_FRAME_BYTES)
    expect(give(&session, SENT_SEND, 0, LIMIT_FRAME_BYTES), LINK_TAKE, RULE_NONE);
  expect(give(&session, SENT_ACK, 0, 1), LINK_CUT, RULE_credit_exceeded);
}

static void credit_returns_in_quarters_of_the_window(void **state) {
  (void)state;
  struct broker_session session = ready();
  struct credit credit;
  struct frame_cost cost = {3, CREDIT_RECORDS / 4 - 1, 100};
  expect(give(&session, SENT_PUBLISH, cost.records, cost.bytes), LINK_TAKE, RULE_NONE);
  expect(give(&session, SENT_PUBLISH, 1, 50), LINK_TAKE, RULE_NONE);
  assert_false(broker_session_committed(&session, cost, &credit));
  assert_true(broker_session_committed(&session, (struct frame_cost){3, 1, 50}, &credit));
  assert_int_equal(credit.records, CREDIT_RECORDS / 4);
  assert_int_equal(credit.bytes, 150);
  assert_int_equal(session.given.open.records, CREDIT_RECORDS);
  assert_int_equal(session.given.open.bytes, CREDIT_BYTES);
}

static void nothing_that_costs_is_sent_before_hello(void **state) {
  (void)state;
  struct broker_session session;
  broker_session_start(&session, PEER_MEMBER, NOW);
  assert_false(broker_session_may_send(&session, (struct frame_cost){4, 1, 100}));
  assert_true(broker_session_may_send(&session, (struct frame_cost){9, 0, 0}));
}

static void sending_stops_without_credit_and_goes_on_with_it(void **state) {
  (void)state;
  struct broker_session session = ready();
  struct frame_cost board = {4, 4096, 4096};
  for (uint32_t sent = 0; sent < CREDIT_RECORDS; sent += 4096)
    assert_true(broker_session_may_send(&session, board));
  assert_false(broker_session_may_send(&session, board));
  assert_true(broker_session_may_send(&session, (struct frame_cost){10, 0, 0}));
  assert_int_equal(session.send.records, 0);
  expect(give(&session, SENT_CREDIT, 4096, 4), LINK_TAKE, RULE_NONE);
  assert_true(broker_session_may_send(&session, board));
}

static void credit_given_for_ever_stops_growing(void **state) {
  (void)state;
  struct broker_session session = ready();
  for (int i = 0; i < 100; i++)
    give(&session, SENT_CREDIT, 1000000, 4);
  assert_int_equal(session.send.records, 1000000);
}

static void the_third_unreadable_frame_cuts(void **state) {
  (void)state;
  struct broker_session session = ready();
  expect(broker_session_malformed(&session, NOW), LINK_REFUSE, RULE_frame_malformed);
  expect(give(&session, SENT_PUBLISH, 1, 10), LINK_TAKE, RULE_NONE);
  expect(give(&session, SENT_NOTHING, 0, 10), LINK_REFUSE, RULE_frame_malformed);
  expect(broker_session_malformed(&session, NOW), LINK_CUT, RULE_frame_malformed);
  assert_false(broker_session_may_send(&session, (struct frame_cost){9, 0, 0}));
}

static void silence_is_pinged_once_and_then_cut(void **state) {
  (void)state;
  struct broker_session session = ready();
  bool send_ping;
  uint64_t ping = 0;
  assert_int_equal(broker_session_tick(&session, NOW + PING_EVERY_MS - 1, &send_ping, &ping),
                   LINK_TAKE);
  assert_false(send_ping);
  assert_int_equal(broker_session_tick(&session, NOW + PING_EVERY_MS, &send_ping, &ping),
                   LINK_TAKE);
  assert_true(send_ping);
  assert_int_equal(ping, 1);
  broker_session_tick(&session, NOW + PING_EVERY_MS + 1000, &send_ping, &ping);
  assert_false(send_ping);
  assert_int_equal(broker_session_tick(&session, NOW + SESSION_STALE_MS - 1, &send_ping, &ping),
                   LINK_TAKE);
  assert_int_equal(broker_session_tick(&session, NOW + SESSION_STALE_MS, &send_ping, &ping),
                   LINK_CUT);
}

static void a_pong_keeps_the_session(void **state) {
  (void)state;
  struct broker_session session = ready();
  bool send_ping;
  uint64_t ping;
  broker_session_tick(&session, NOW + PING_EVERY_MS, &send_ping, &ping);
  struct to_broker frame;
  to_broker(&frame, SENT_PONG, 1);
  collega_time later = NOW + SESSION_STALE_MS - 1;
  broker_session_frame(&session, cost_to_broker(&frame.frame, 4), &frame.frame, later);
  assert_int_equal(broker_session_tick(&session, later + PING_EVERY_MS, &send_ping, &ping),
                   LINK_TAKE);
  assert_true(send_ping);
  assert_int_equal(ping, 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_member_says_hello_first),
      cmocka_unit_test(a_second_hello_cuts),
      cmocka_unit_test(another_version_cuts),
      cmocka_unit_test(a_member_cannot_join),
      cmocka_unit_test(an_invited_key_only_joins),
      cmocka_unit_test(an_unknown_key_is_cut_at_its_first_frame),
      cmocka_unit_test(a_ping_is_answered_at_any_time),
      cmocka_unit_test(more_records_than_credit_cut),
      cmocka_unit_test(more_bytes_than_credit_cut),
      cmocka_unit_test(credit_returns_in_quarters_of_the_window),
      cmocka_unit_test(nothing_that_costs_is_sent_before_hello),
      cmocka_unit_test(sending_stops_without_credit_and_goes_on_with_it),
      cmocka_unit_test(credit_given_for_ever_stops_growing),
      cmocka_unit_test(the_third_unreadable_frame_cuts),
      cmocka_unit_test(silence_is_pinged_once_and_then_cut),
      cmocka_unit_test(a_pong_keeps_the_session),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
