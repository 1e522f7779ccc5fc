/* What a frame costs. */
#include "frames.h"

static struct frame_cost sent(enum sent kind, uint32_t number, size_t bytes) {
  struct to_broker frame;
  to_broker(&frame, kind, number);
  return cost_to_broker(&frame.frame, bytes);
}

static struct frame_cost told(enum told kind, uint32_t number, size_t bytes) {
  struct from_broker frame;
  from_broker(&frame, kind, number);
  return cost_from_broker(&frame.frame, bytes);
}

static void expect(struct frame_cost cost, uint32_t field, uint32_t records, size_t bytes) {
  assert_int_equal(cost.field, field);
  assert_int_equal(cost.records, records);
  assert_int_equal(cost.bytes, bytes);
}

static void a_publish_costs_its_records_and_bytes(void **state) {
  (void)state;
  expect(sent(SENT_PUBLISH, 17, 9000), 3, 17, 9000);
}

static void a_send_is_one_record(void **state) {
  (void)state;
  expect(sent(SENT_SEND, 0, 2048), 5, 1, 2048);
}

static void requests_cost_their_bytes_only(void **state) {
  (void)state;
  expect(sent(SENT_JOIN, 0, 500), 2, 0, 500);
  expect(sent(SENT_FOLLOW, 0, 60), 4, 0, 60);
  expect(sent(SENT_ACK, 0, 50), 6, 0, 50);
}

static void greetings_and_keep_alives_are_free(void **state) {
  (void)state;
  expect(sent(SENT_HELLO, 0, 500), 1, 0, 0);
  expect(sent(SENT_CREDIT, 9, 10), 9, 0, 0);
  expect(sent(SENT_PING, 9, 10), 10, 0, 0);
  expect(sent(SENT_PONG, 9, 10), 11, 0, 0);
  expect(told(TOLD_WELCOME, 9, 900), 1, 0, 0);
  expect(told(TOLD_CERT, 0, 900), 2, 0, 0);
  expect(told(TOLD_REFUSAL, 0, 90), 9, 0, 0);
  expect(told(TOLD_CREDIT, 9, 9), 10, 0, 0);
}

static void a_board_costs_records_and_tombstones(void **state) {
  (void)state;
  struct from_broker frame;
  from_broker(&frame, TOLD_BOARD, 5);
  frame.board.n_tombstones = 3;
  expect(cost_from_broker(&frame.frame, 700), 4, 8, 700);
}

static void mail_costs_its_items(void **state) {
  (void)state;
  expect(told(TOLD_MAIL, 4, 8000), 6, 4, 8000);
}

static void an_empty_frame_has_no_field(void **state) {
  (void)state;
  expect(sent(SENT_NOTHING, 0, 1), 0, 0, 1);
  expect(told(TOLD_NOTHING, 0, 1), 0, 0, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_publish_costs_its_records_and_bytes),
      cmocka_unit_test(a_send_is_one_record),
      cmocka_unit_test(requests_cost_their_bytes_only),
      cmocka_unit_test(greetings_and_keep_alives_are_free),
      cmocka_unit_test(a_board_costs_records_and_tombstones),
      cmocka_unit_test(mail_costs_its_items),
      cmocka_unit_test(an_empty_frame_has_no_field),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
