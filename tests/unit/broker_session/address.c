/* Soft limits by address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include <stdio.h>
#include "broker/session/address.h"

#define NOW INT64_C(1000000)
#define BAD "192.0.2.7"

static void an_unknown_address_may_connect(void **state) {
  (void)state;
  struct addresses *addresses = addresses_new();
  assert_true(address_may_connect(addresses, BAD, NOW));
  addresses_destroy(&addresses);
}

static void refusals_add_up_and_are_forgiven_one_by_one(void **state) {
  (void)state;
  struct addresses *addresses = addresses_new();
  for (int i = 0; i < ADDRESS_REFUSED_MOST; i++) {
    assert_true(address_may_connect(addresses, BAD, NOW));
    address_refused(addresses, BAD, NOW);
  }
  assert_false(address_may_connect(addresses, BAD, NOW));
  assert_false(address_may_connect(addresses, BAD, NOW + ADDRESS_REFUSED_BACK_MS - 1));
  assert_true(address_may_connect(addresses, BAD, NOW + ADDRESS_REFUSED_BACK_MS));
  address_refused(addresses, BAD, NOW + ADDRESS_REFUSED_BACK_MS);
  assert_false(address_may_connect(addresses, BAD, NOW + ADDRESS_REFUSED_BACK_MS));
  assert_true(address_may_connect(addresses, "192.0.2.8", NOW));
  addresses_destroy(&addresses);
}

static void many_refusals_do_not_add_up_for_hours(void **state) {
  (void)state;
  struct addresses *addresses = addresses_new();
  for (int i = 0; i < 10000; i++)
    address_refused(addresses, BAD, NOW);
  assert_false(address_may_connect(addresses, BAD, NOW));
  assert_true(address_may_connect(addresses, BAD, NOW + ADDRESS_REFUSED_BACK_MS));
  addresses_destroy(&addresses);
}

static void an_address_with_a_known_key_is_never_limited(void **state) {
  (void)state;
  struct addresses *addresses = addresses_new();
  address_admitted(addresses, BAD, NOW);
  for (int i = 0; i < 1000; i++)
    address_refused(addresses, BAD, NOW);
  assert_true(address_may_connect(addresses, BAD, NOW + ADDRESS_TRUSTED_MS - 1));
  addresses_destroy(&addresses);
}

static void connections_on_which_nobody_spoke_are_counted(void **state) {
  (void)state;
  struct addresses *addresses = addresses_new();
  for (int i = 0; i < ADDRESS_SILENT_MOST; i++) {
    address_opened(addresses, BAD);
    assert_true(address_may_connect(addresses, BAD, NOW));
  }
  address_opened(addresses, BAD);
  assert_false(address_may_connect(addresses, BAD, NOW));
  address_spoke(addresses, BAD);
  assert_true(address_may_connect(addresses, BAD, NOW));
  address_opened(addresses, BAD);
  address_admitted(addresses, BAD, NOW); /* many nodes behind one address */
  for (int i = ADDRESS_SILENT_MOST + 1; i < ADDRESS_SILENT_TRUSTED; i++)
    address_opened(addresses, BAD);
  assert_true(address_may_connect(addresses, BAD, NOW));
  address_opened(addresses, BAD);
  assert_false(address_may_connect(addresses, BAD, NOW));
  addresses_destroy(&addresses);
}

static void the_worst_addresses_come_first(void **state) {
  (void)state;
  struct addresses *addresses = addresses_new();
  struct address_offender worst[3];
  address_admitted(addresses, "192.0.2.1", NOW); /* nothing wrong with it */
  assert_int_equal(addresses_worst(addresses, worst, 3), 0);
  for (int i = 2; i < 8; i++) {
    char text[32];
    snprintf(text, sizeof text, "192.0.2.%d", i);
    for (int times = 0; times < i % 5 + 1; times++)
      address_refused(addresses, text, NOW);
  }
  address_note(addresses, "192.0.2.3", ADDRESS_TURNED_AWAY);
  address_note(addresses, "192.0.2.3", ADDRESS_SILENT);
  address_note(addresses, "192.0.2.3", ADDRESS_SILENT);
  assert_int_equal(addresses_worst(addresses, worst, 3), 3);
  assert_string_equal(worst[0].address, "192.0.2.3");
  assert_int_equal(worst[0].total, 7);
  assert_int_equal(worst[0].refused, 4);
  assert_int_equal(worst[0].turned_away, 1);
  assert_int_equal(worst[0].silent, 2);
  assert_string_equal(worst[1].address, "192.0.2.4");
  assert_int_equal(worst[2].total, 3);
  addresses_destroy(&addresses);
}

static void the_table_does_not_grow_without_end(void **state) {
  (void)state;
  struct addresses *addresses = addresses_new();
  char text[32];
  for (int i = 0; i < ADDRESSES_MOST + 100; i++) {
    snprintf(text, sizeof text, "10.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
    address_refused(addresses, text, NOW);
  }
  assert_int_equal(addresses_count(addresses), ADDRESSES_MOST);
  addresses_destroy(&addresses);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_unknown_address_may_connect),
      cmocka_unit_test(refusals_add_up_and_are_forgiven_one_by_one),
      cmocka_unit_test(many_refusals_do_not_add_up_for_hours),
      cmocka_unit_test(an_address_with_a_known_key_is_never_limited),
      cmocka_unit_test(connections_on_which_nobody_spoke_are_counted),
      cmocka_unit_test(the_worst_addresses_come_first),
      cmocka_unit_test(the_table_does_not_grow_without_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
