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
#define NOW 5000
static int choked, silent;
static uint64_t last_session;
static void found(void *context, int descriptor, uint16_t port, uint64_t session,
                  enum connection_fault fault) {
  assert_null(context);
  assert_int_equal(port, 4000 + descriptor);
  last_session = session;
  if (fault == CONNECTION_CHOKED)
    choked++;
  else
    silent++;
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
  choked = silent = 0;
  connections = connections_new();
  for (int i = 3; i < 6; i++)
    connection_open(connections, i, (uint16_t)(4000 + i), NOW);
  return 0;
}
static int stop(void **state) {
  (void)state;
  connections_destroy(&connections);
  return 0;
}

static void watch_at(int64_t now) {
  struct connection_watch watch = {now, received, found, NULL};
  connections_watch(connections, &watch);
}

static void a_connection_remembers_its_session(void **state) {
  (void)state;
  connection_speaks(connections, 4, 77);
  assert_int_equal(connections_count(connections), 3);
  assert_int_equal(connection_end(connections, 4), 77);
  assert_int_equal(connection_end(connections, 4), 0);
  connection_open(connections, 4, 4004, NOW);
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
  watch_at(NOW);
  assert_int_equal(choked, 0);
}

static void what_comes_and_never_arrives_does(void **state) {
  (void)state;
  connection_speaks(connections, 5, 55);
  received_bytes[5] = CHOKE_BYTES;
  watch_at(NOW);
  assert_int_equal(choked, 0);
  received_bytes[5] = CHOKE_BYTES + (1u << 20);
  watch_at(NOW);
  assert_int_equal(choked, 1);
  assert_int_equal(last_session, 55);
  watch_at(NOW); /* once */
  assert_int_equal(choked, 1);
}

static void who_never_speaks_is_found(void **state) {
  (void)state;
  connection_name(connections, 3, "192.0.2.7");
  connection_speaks(connections, 4, 44);
  assert_true(connection_silent(connections, 3));
  assert_false(connection_silent(connections, 4));
  assert_false(connection_silent(connections, 9));
  watch_at(NOW + SILENT_MOST_MS - 1);
  assert_int_equal(silent, 0);
  watch_at(NOW + SILENT_MOST_MS);
  assert_int_equal(silent, 2); /* 3 and 5 */
  watch_at(NOW + 2 * SILENT_MOST_MS);
  assert_int_equal(silent, 2);
  assert_string_equal(connection_address(connections, 3), "192.0.2.7");
  assert_string_equal(connection_address(connections, 9), "");
}

static void a_connection_is_hung_up_on_when_it_is_due(void **state) {
  (void)state;
  connection_leave(connections, 3, 1000);
  assert_true(connection_leaving(connections, 3));
  assert_false(connection_leaving(connections, 5));
  connection_leave(connections, 4, 1000);
  connection_end(connections, 4); /* it ended by itself, and the number may be another's now */
  connection_open(connections, 4, 4004, NOW);
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
      cmocka_unit_test_setup_teardown(who_never_speaks_is_found, start, stop),
      cmocka_unit_test_setup_teardown(a_connection_is_hung_up_on_when_it_is_due, start, stop),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
