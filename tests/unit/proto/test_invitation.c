/* Invitation tokens: written, read, and damaged. */
#include "filler.h"

#include "base/words.h"
#include "proto/invitation.h"
#include "proto/limits.h"

static int set_up(void **state) {
  *state = arena_new(16 * 1024, LIMIT_ARENA_BYTES);
  return *state ? 0 : -1;
}

static int tear_down(void **state) {
  struct arena *arena = *state;
  arena_destroy(&arena);
  return 0;
}

static const Collega__Invitation *sample(struct arena *arena) {
  return (Collega__Invitation *)fill(&collega__invitation__descriptor, 1, arena);
}

static void a_token_is_read_as_it_was_written(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  char token[INVITATION_TEXT_BYTES];
  const Collega__Invitation *invitation = sample(arena);
  assert_int_equal(invitation_write(invitation, token, &error), COLLEGA_OK);
  assert_memory_equal(token, "collega1.", 9);
  Collega__Invitation *read;
  assert_int_equal(invitation_read(token, arena, &read, &error), COLLEGA_OK);
  assert_string_equal(read->name, invitation->name);
  assert_string_equal(read->kvk, invitation->kvk);
  assert_int_equal(read->expires, invitation->expires);
  assert_int_equal(read->n_addresses, invitation->n_addresses);
  assert_memory_equal(read->secret.data, invitation->secret.data, 32);
}

static void blanks_and_line_ends_are_ignored(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  char token[INVITATION_TEXT_BYTES], pasted[2 * INVITATION_TEXT_BYTES] = " \n";
  assert_int_equal(invitation_write(sample(arena), token, &error), COLLEGA_OK);
  size_t length = 2;
  for (size_t i = 0; token[i]; i++) {
    pasted[length++] = token[i];
    if (i % 20 == 7) {
      memcpy(pasted + length, "\r\n\t ", 4);
      length += 4;
    }
  }
  pasted[length] = 0;
  Collega__Invitation *read;
  assert_int_equal(invitation_read(pasted, arena, &read, &error), COLLEGA_OK);
}

static void every_changed_character_is_noticed(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  char token[INVITATION_TEXT_BYTES];
  Collega__Invitation *read;
  assert_int_equal(invitation_write(sample(arena), token, &error), COLLEGA_OK);
  static const char others[] = "Aa0-_Bz9=+/.%";
  for (size_t i = 0; token[i]; i++) {
    char right = token[i];
    for (const char *other = others; *other; other++) {
      if (*other == right) continue;
      token[i] = *other;
      arena_reset(arena);
      assert_int_equal(invitation_read(token, arena, &read, &error), COLLEGA_INVALID);
      assert_int_equal(error.rule, i < 9 ? RULE_invitation_none : RULE_invitation_damaged);
      assert_null(read);
    }
    token[i] = right;
  }
}

static void every_lost_or_doubled_character_is_noticed(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  char token[INVITATION_TEXT_BYTES], changed[INVITATION_TEXT_BYTES + 2];
  Collega__Invitation *read;
  assert_int_equal(invitation_write(sample(arena), token, &error), COLLEGA_OK);
  for (size_t i = 0; token[i]; i++) {
    arena_reset(arena);
    snprintf(changed, sizeof changed, "%.*s%s", (int)i, token, token + i + 1);
    assert_int_equal(invitation_read(changed, arena, &read, &error), COLLEGA_INVALID);
    snprintf(changed, sizeof changed, "%.*s%s", (int)i + 1, token, token + i);
    assert_int_equal(invitation_read(changed, arena, &read, &error), COLLEGA_INVALID);
    snprintf(changed, sizeof changed, "%.*s", (int)i, token);
    assert_int_equal(invitation_read(changed, arena, &read, &error), COLLEGA_INVALID);
  }
}

static void other_texts_are_no_invitations(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  Collega__Invitation *read;
  static const char *const texts[] = {"", "collega1", "collega2.AAAA", "https://example.nl",
                                      "Collega1.AAAA"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    assert_refused(invitation_read(texts[i], arena, &read, &error), &error, invitation_none, "");
  static const char *const damaged[] = {"collega1.", "collega1.A", "collega1.AAAA",
                                        "collega1.AAAAAA", "collega1.!!!!"};
  for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++)
    assert_refused(invitation_read(damaged[i], arena, &read, &error), &error, invitation_damaged,
                   "");
  char *endless = test_malloc(1 << 20);
  memset(endless, 'A', (1 << 20) - 1);
  endless[(1 << 20) - 1] = 0;
  memcpy(endless, "collega1.", 9);
  assert_refused(invitation_read(endless, arena, &read, &error), &error, invitation_none, "");
  test_free(endless);
}

static void a_whole_token_with_a_bad_field_names_it(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  Collega__Invitation *invitation = (Collega__Invitation *)sample(arena);
  invitation->kvk = (char *)"1234";
  char token[INVITATION_TEXT_BYTES];
  assert_refused(invitation_write(invitation, token, &error), &error, form_kvk, "kvk");
  assert_string_equal(token, "");
  /* Written by somebody else's program, with a right checksum. */
  uint8_t data[2048];
  size_t length = collega__invitation__pack(invitation, data);
  struct id hash;
  hash_one(&hash, "", data, length);
  memcpy(data + length, hash.byte, 4);
  memcpy(token, "collega1.", 9);
  assert_true(base64_write(token + 9, sizeof token - 9, data, length + 4) > 0);
  Collega__Invitation *read;
  assert_refused(invitation_read(token, arena, &read, &error), &error, form_kvk, "kvk");
}

static void the_longest_invitation_fits(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  Collega__Invitation *invitation = (Collega__Invitation *)sample(arena);
  char name[121], address[256], *addresses[8];
  memset(name, 'n', 120);
  name[120] = 0;
  snprintf(address, sizeof address, "tcp://%0243d:65535", 0);
  assert_int_equal(strlen(address), 255);
  for (size_t i = 0; i < 8; i++)
    addresses[i] = address;
  invitation->name = invitation->broker_name = name;
  invitation->addresses = addresses;
  invitation->n_addresses = 8;
  char token[INVITATION_TEXT_BYTES];
  Collega__Invitation *read;
  assert_int_equal(invitation_write(invitation, token, &error), COLLEGA_OK);
  assert_int_equal(invitation_read(token, arena, &read, &error), COLLEGA_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void) {
  if (bytes_start(NULL)) return 1;
  const struct CMUnitTest tests[] = {
      TEST(a_token_is_read_as_it_was_written),  TEST(blanks_and_line_ends_are_ignored),
      TEST(every_changed_character_is_noticed), TEST(every_lost_or_doubled_character_is_noticed),
      TEST(other_texts_are_no_invitations),     TEST(a_whole_token_with_a_bad_field_names_it),
      TEST(the_longest_invitation_fits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
