/* The arena and the growing buffer, at their limits. */
#include "support.h"

static void an_arena_refuses_beyond_its_limit(void **state) {
  (void)state;
  struct arena *arena = arena_new(64, 1024);
  for (int i = 0; i < 64; i++)
    assert_non_null(arena_take(arena, 16));
  assert_int_equal(arena_used(arena), 1024);
  assert_false(arena_exhausted(arena));
  assert_null(arena_take(arena, 1));
  assert_true(arena_exhausted(arena));
  arena_reset(arena);
  assert_int_equal(arena_used(arena), 0);
  assert_false(arena_exhausted(arena));
  assert_non_null(arena_take(arena, 1024));
  arena_destroy(&arena);
  assert_null(arena);
}

static void a_size_that_overflows_is_refused(void **state) {
  (void)state;
  struct arena *arena = arena_new(64, SIZE_MAX);
  assert_null(arena_take(arena, SIZE_MAX));
  assert_null(arena_take(arena, SIZE_MAX - 8));
  assert_non_null(arena_take(arena, 8));
  arena_destroy(&arena);
}

static void pieces_are_aligned_and_do_not_overlap(void **state) {
  (void)state;
  struct arena *arena = arena_new(256, 1 << 20);
  uint8_t *piece[200];
  for (size_t i = 0; i < 200; i++) {
    piece[i] = arena_take(arena, i * 7);
    assert_non_null(piece[i]);
    assert_int_equal((uintptr_t)piece[i] % 16, 0);
    memset(piece[i], (int)i, i * 7);
  }
  for (size_t i = 0; i < 200; i++)
    for (size_t j = 0; j < i * 7; j++)
      assert_int_equal(piece[i][j], i);
  arena_destroy(&arena);
}

static void an_arena_copies_clears_and_prints(void **state) {
  (void)state;
  struct arena *arena = arena_new(16, 4096);
  assert_string_equal(arena_text(arena, "aanbod"), "aanbod");
  assert_string_equal(arena_print(arena, "%d van %s", 3, "12"), "3 van 12");
  assert_memory_equal(arena_copy(arena, "ab", 2), "ab", 2);
  uint8_t *zero = arena_zero(arena, 100);
  for (int i = 0; i < 100; i++)
    assert_int_equal(zero[i], 0);
  assert_null(arena_print(arena, "%5000d", 1));
  assert_true(arena_exhausted(arena));
  arena_destroy(&arena);
  arena_destroy(&arena); /* nothing is there: nothing happens */
}

static void a_buffer_grows_and_ends_with_nul(void **state) {
  (void)state;
  struct buffer buffer;
  buffer_init(&buffer, 0);
  assert_string_equal(buffer_text(&buffer), "");
  for (int i = 0; i < 1000; i++)
    buffer_print(&buffer, "%03d", i);
  assert_int_equal(buffer.length, 3000);
  assert_memory_equal(buffer_text(&buffer) + 2997, "999", 4);
  buffer_free(&buffer);
  assert_int_equal(buffer.length, 0);
}

static void a_refusal_of_a_buffer_sticks(void **state) {
  (void)state;
  struct buffer buffer;
  buffer_init(&buffer, 4);
  buffer_append(&buffer, "abc", 3);
  assert_string_equal(buffer_text(&buffer), "abc");
  buffer_append(&buffer, "d", 1);
  assert_false(buffer.failed);
  assert_string_equal(buffer_text(&buffer), "abcd");
  buffer_append(&buffer, "e", 1);
  assert_true(buffer.failed);
  assert_int_equal(buffer.length, 4);
  assert_null(buffer_extend(&buffer, 0));
  assert_string_equal(buffer_text(&buffer), "");
  buffer_free(&buffer);
  assert_false(buffer.failed);
  buffer_print(&buffer, "%s", "abcde");
  assert_true(buffer.failed);
  buffer_free(&buffer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_arena_refuses_beyond_its_limit),
      cmocka_unit_test(a_size_that_overflows_is_refused),
      cmocka_unit_test(pieces_are_aligned_and_do_not_overlap),
      cmocka_unit_test(an_arena_copies_clears_and_prints),
      cmocka_unit_test(a_buffer_grows_and_ends_with_nul),
      cmocka_unit_test(a_refusal_of_a_buffer_sticks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
