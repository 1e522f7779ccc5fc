/* The committed vectors are what the program makes today; the sealed letter, which is never the same
 * twice, still opens. Run from the repository's root. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "proto/guard.h"
#include "proto/letter.h"
#include "tests/support/people.h"
#include "tests/vectors/vectors.h"

static json_t *committed(const char *name) {
  char path[256];
  json_error_t error;
  snprintf(path, sizeof path, "tests/vectors/%s.json", name);
  json_t *json = json_load_file(path, 0, &error);
  if (!json) print_error("%s: %s\n", path, error.text);
  assert_non_null(json);
  return json;
}

static void what_is_made_today_is_what_was_committed(void **state) {
  (void)state;
  for (size_t i = 0; i < vector_file_count; i++) {
    if (vector_files[i].random) continue;
    json_t *old = committed(vector_files[i].name), *fresh = vector_files[i].make();
    if (!json_equal(old, fresh)) print_error("%s.json differs\n", vector_files[i].name);
    assert_true(json_equal(old, fresh));
    json_decref(old);
    json_decref(fresh);
  }
}

static struct bytes bytes_at(const json_t *json, const char *name, struct arena *arena) {
  const char *text = json_string_value(json_object_get(json, name));
  assert_non_null(text);
  size_t length = strlen(text) / 2;
  uint8_t *data = arena_take(arena, length);
  assert_true(hex_read(data, length, text));
  return bytes_of(data, length);
}

static void the_committed_letter_opens_for_both(void **state) {
  (void)state;
  struct arena *arena = arena_new(65536, 1u << 24);
  struct person people[2];
  struct members *members = members_new(NULL, NULL);
  json_t *json = committed("letter");
  const Collega__Envelope *envelope = NULL;
  assert_int_equal(envelope_read(bytes_at(json, "envelope", arena), arena, &envelope, NULL),
                   COLLEGA_OK);
  for (size_t i = 0; i < 2; i++) {
    person_make(&people[i], (uint8_t)(i + 1), INT64_C(1800000000000));
    assert_int_equal(take_run(members, person_card(&people[i], 0, arena), NULL, NULL, arena),
                     COLLEGA_OK);
  }
  for (size_t i = 0; i < 2; i++) {
    const Collega__Letter *letter = NULL;
    assert_int_equal(letter_open(people[i].identity, members, envelope, arena, &letter, NULL),
                     COLLEGA_OK);
    struct bytes packed = message_pack(&letter->base, arena);
    assert_true(bytes_equal(packed, bytes_at(json, "letter", arena)));
  }
  for (size_t i = 0; i < 2; i++)
    person_clear(&people[i]);
  json_decref(json);
  members_destroy(&members);
  arena_destroy(&arena);
}

int main(void) {
  if (bytes_start(NULL) != COLLEGA_OK) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_made_today_is_what_was_committed),
      cmocka_unit_test(the_committed_letter_opens_for_both),
  };
  return cmocka_run_group_tests_name("vectors", tests, NULL, NULL);
}
