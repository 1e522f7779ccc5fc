/* Who may come in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include "broker/session/links.h"

static struct peer_entry entry_of(uint8_t first, enum peer_role role, collega_time expires) {
  struct peer_entry entry = {.role = role, .expires = expires};
  memset(entry.key, first, sizeof entry.key);
  if (role == PEER_MEMBER) memset(&entry.party, first, sizeof entry.party);
  return entry;
}

static void a_key_is_known_until_it_is_dropped(void **state) {
  (void)state;
  struct links *links = links_new();
  struct peer_entry entry = entry_of(1, PEER_MEMBER, 0);
  assert_null(links_find(links, entry.key, 5));
  assert_true(links_admit(links, &entry));
  assert_int_equal(links_find(links, entry.key, 5)->role, PEER_MEMBER);
  links_drop(links, entry.key);
  assert_null(links_find(links, entry.key, 5));
  links_drop(links, entry.key);
  links_destroy(&links);
}

static void an_invitation_ends_when_it_expires(void **state) {
  (void)state;
  struct links *links = links_new();
  struct peer_entry entry = entry_of(2, PEER_INVITED, 1000);
  assert_true(links_admit(links, &entry));
  assert_non_null(links_find(links, entry.key, 999));
  assert_null(links_find(links, entry.key, 1000));
  links_destroy(&links);
}

static void an_entry_is_replaced_and_counted_once(void **state) {
  (void)state;
  struct links *links = links_new();
  struct peer_entry entry = entry_of(3, PEER_INVITED, 1000);
  assert_true(links_admit(links, &entry));
  assert_int_equal(links_count(links, PEER_INVITED), 1);
  entry = entry_of(3, PEER_MEMBER, 0);
  assert_true(links_admit(links, &entry));
  assert_true(links_admit(links, &entry));
  assert_int_equal(links_count(links, PEER_INVITED), 0);
  assert_int_equal(links_count(links, PEER_MEMBER), 1);
  assert_int_equal(links_count(links, PEER_NONE), 0);
  links_destroy(&links);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_key_is_known_until_it_is_dropped),
      cmocka_unit_test(an_invitation_ends_when_it_expires),
      cmocka_unit_test(an_entry_is_replaced_and_counted_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
