/* Connections: who speaks on them, and which are choked by a message without end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include "broker/daemon/connections.h"

static uint64_t received_bytes[8];
static int hung_up[8];
static uint64_t received(int descriptor) {
  return received_bytes[descriptor];
}
static void hang_up(int descriptor, uint16_t port) {
  assert_int_equal(port, 4000 + descriptor);
  hung_up[descriptor]++;
}

static struct connections *connections;
static int start(void **state) {
  (void)state;
  memset(received_bytes, 0, sizeof received_bytes);
  memset(hung_up, 0, sizeof hung_up);
  connections = connections_new();
  for (int i = 3; i < 6; i++)
    connection_open(connections, i, (uint16_t)(4000 + i));
  return 0;
}
static int stop(void **state) {
  (void)state;
  connections_destroy(&connections);
  return 0;
}

static void a_connection_remembers_its_session(void **state) {
  (void)state;
  connection_speaks(connections, 4, 77);
  assert_int_equal(connections_count(connections), 3);
  assert_int_equal(connection_end(connections, 4), 77);
  assert_int_equal(connection_end(connections, 4), 0);
  connection_open(connections, 4, 4004);
  assert_int_equal(connection_end(connections, 4), 0);
  assert_int_equal(connection_end(connections, 100), 0);
  assert_int_equal(connection_end(connections, -1), 0);
  assert_int_equal(connections_count(connections), 2);
}

static void what_is_delivered_does_not_choke(void **state) {
  (void)state;
  for (int i = 0; i < 100; i++) {
    received_bytes[3] += 1u << 20;
    connection_delivered(connections, 3, 1u << 20);
  }
  assert_int_equal(connections_watch(connections, received, hang_up), 0);
}

static void what_comes_and_never_arrives_does(void **state) {
  (void)state;
  received_bytes[5] = CHOKE_BYTES;
  assert_int_equal(connections_watch(connections, received, hang_up), 0);
  received_bytes[5] = CHOKE_BYTES + (1u << 20);
  assert_int_equal(connections_watch(connections, received, hang_up), 1);
  assert_int_equal(hung_up[5], 1);
  assert_int_equal(hung_up[3] + hung_up[4], 0);
  assert_int_equal(connections_watch(connections, received, hang_up), 0); /* once */
}

static void a_connection_is_hung_up_on_when_it_is_due(void **state) {
  (void)state;
  connection_leave(connections, 3, 1000);
  connection_leave(connections, 4, 1000);
  connection_end(connections, 4); /* it ended by itself, and the number may be another's now */
  connection_open(connections, 4, 4004);
  connections_hang_up_due(connections, 999, hang_up);
  assert_int_equal(hung_up[3], 0);
  connections_hang_up_due(connections, 1000, hang_up);
  connections_hang_up_due(connections, 2000, hang_up);
  assert_int_equal(hung_up[3], 1);
  assert_int_equal(hung_up[4], 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_connection_remembers_its_session, start, stop),
      cmocka_unit_test_setup_teardown(what_is_delivered_does_not_choke, start, stop),
      cmocka_unit_test_setup_teardown(what_comes_and_never_arrives_does, start, stop),
      cmocka_unit_test_setup_teardown(a_connection_is_hung_up_on_when_it_is_due, start, stop),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
