/* What ZAP admits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include "broker/session/zap.h"

static struct links *links;
static uint8_t key[PEER_KEY_BYTES];
static struct bytes frames[ZAP_FRAMES];

static struct bytes text(const char *words) {
  return bytes_of(words, strlen(words));
}

static int start(void **state) {
  (void)state;
  links = links_new();
  struct peer_entry entry = {.role = PEER_INVITED, .expires = 1000};
  memset(key, 7, sizeof key);
  memcpy(entry.key, key, sizeof key);
  frames[0] = text("1.0");
  frames[1] = text("1");
  frames[2] = text(ZAP_DOMAIN_NAME);
  frames[3] = text("127.0.0.1");
  frames[4] = text("");
  frames[5] = text("CURVE");
  frames[6] = bytes_of(key, sizeof key);
  return links_admit(links, &entry) ? 0 : -1;
}

static int stop(void **state) {
  (void)state;
  links_destroy(&links);
  return 0;
}

static void a_known_key_is_admitted(void **state) {
  (void)state;
  assert_int_equal(zap_judge(frames, ZAP_FRAMES, links, 999), ZAP_ADMIT);
}

static void unknown_and_expired_keys_are_refused(void **state) {
  (void)state;
  assert_int_equal(zap_judge(frames, ZAP_FRAMES, links, 1000), ZAP_REFUSE);
  key[0] ^= 1;
  assert_int_equal(zap_judge(frames, ZAP_FRAMES, links, 999), ZAP_REFUSE);
}

static void other_mechanisms_domains_and_lengths_are_refused(void **state) {
  (void)state;
  frames[5] = text("NULL");
  assert_int_equal(zap_judge(frames, ZAP_FRAMES - 1, links, 999), ZAP_REFUSE);
  frames[5] = text("PLAIN");
  assert_int_equal(zap_judge(frames, ZAP_FRAMES, links, 999), ZAP_REFUSE);
  frames[5] = text("CURVE");
  frames[2] = text("");
  assert_int_equal(zap_judge(frames, ZAP_FRAMES, links, 999), ZAP_REFUSE);
  frames[2] = text(ZAP_DOMAIN_NAME);
  frames[6].length--;
  assert_int_equal(zap_judge(frames, ZAP_FRAMES, links, 999), ZAP_REFUSE);
}

static void another_shape_is_malformed(void **state) {
  (void)state;
  assert_int_equal(zap_judge(frames, 3, links, 999), ZAP_MALFORMED);
  frames[0] = text("2.0");
  assert_int_equal(zap_judge(frames, ZAP_FRAMES, links, 999), ZAP_MALFORMED);
}

static void a_user_id_is_the_key_in_hexadecimal(void **state) {
  (void)state;
  char user_id[ZAP_USER_ID_BYTES];
  uint8_t out[PEER_KEY_BYTES];
  hex_write(user_id, key, sizeof key);
  assert_true(zap_user_key(user_id, out));
  assert_memory_equal(out, key, sizeof key);
  user_id[3] = 'x';
  assert_false(zap_user_key(user_id, out));
  assert_false(zap_user_key("", out));
  assert_false(zap_user_key(NULL, out));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_known_key_is_admitted, start, stop),
      cmocka_unit_test_setup_teardown(unknown_and_expired_keys_are_refused, start, stop),
      cmocka_unit_test_setup_teardown(other_mechanisms_domains_and_lengths_are_refused, start,
                                      stop),
      cmocka_unit_test_setup_teardown(another_shape_is_malformed, start, stop),
      cmocka_unit_test_setup_teardown(a_user_id_is_the_key_in_hexadecimal, start, stop),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
