/* The tree against RFC 6962's own recursive definition, written down once more without any cleverness. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <sodium.h>
#include <string.h>

#include "proto/tree.h"

#define MOST 70

static struct id leaves[MOST];

static int make_leaves(void **state) {
  (void)state;
  for (size_t i = 0; i < MOST; i++) {
    uint8_t datum[2] = {(uint8_t)i, 0x5a};
    tree_leaf(&leaves[i], datum, sizeof datum);
  }
  return 0;
}

static struct id naive_root(const struct id *list, size_t size) {
  if (size == 1) return list[0];
  size_t split = 1;
  while (split * 2 < size)
    split *= 2;
  struct id left = naive_root(list, split), right = naive_root(list + split, size - split);
  uint8_t datum[65] = {1};
  memcpy(datum + 1, left.byte, 32);
  memcpy(datum + 33, right.byte, 32);
  struct id out;
  crypto_generichash(out.byte, 32, datum, sizeof datum, NULL, 0);
  return out;
}

static bool holds_pick(size_t begin, size_t size, const uint32_t *picked, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (picked[i] >= begin && picked[i] < begin + size) return true;
  }
  return false;
}

static size_t naive_rest(size_t begin, size_t size, const uint32_t *picked, size_t count,
                         struct id *out) {
  if (!holds_pick(begin, size, picked, count)) {
    out[0] = naive_root(leaves + begin, size);
    return 1;
  }
  if (size == 1) return 0;
  size_t split = 1;
  while (split * 2 < size)
    split *= 2;
  size_t left = naive_rest(begin, split, picked, count, out);
  return left + naive_rest(begin + split, size - split, picked, count, out + left);
}

/* A random non-empty ascending choice out of `size`; the generator is seeded, so a failure repeats. */
static uint32_t next_random(uint32_t *random) {
  return *random = *random * 1664525u + 1013904223u;
}

static size_t choose(uint32_t *random, size_t size, uint32_t *picked) {
  size_t count = 0;
  uint32_t share = 1 + (next_random(random) >> 16) % 8;
  for (uint32_t i = 0; i < size; i++) {
    if ((next_random(random) >> 16) % 8 < share) picked[count++] = i;
  }
  if (count == 0) picked[count++] = (next_random(random) >> 16) % (uint32_t)size;
  return count;
}

static void a_leaf_is_hashed_after_a_zero_byte(void **state) {
  (void)state;
  uint8_t datum[33] = {0};
  memset(datum + 1, 0xab, 32);
  struct id expected, got;
  crypto_generichash(expected.byte, 32, datum, sizeof datum, NULL, 0);
  tree_leaf(&got, datum + 1, 32);
  assert_memory_equal(expected.byte, got.byte, 32);
}

static void roots_of_all_sizes_are_those_of_the_definition(void **state) {
  (void)state;
  for (size_t size = 1; size <= MOST; size++) {
    struct id expected = naive_root(leaves, size), got;
    tree_root(&got, leaves, size);
    assert_memory_equal(expected.byte, got.byte, 32);
  }
}

static void picks_and_their_rest_give_the_root_back(void **state) {
  (void)state;
  uint32_t random = 1;
  for (size_t size = 1; size <= MOST; size++) {
    for (int round = 0; round < 20; round++) {
      uint32_t picked[MOST];
      struct id rest[MOST], expected[MOST], some[MOST], root, got;
      size_t count = choose(&random, size, picked);
      size_t rest_count = tree_rest(leaves, size, picked, count, rest);
      assert_int_equal(rest_count, naive_rest(0, size, picked, count, expected));
      assert_memory_equal(rest, expected, rest_count * sizeof *rest);
      for (size_t i = 0; i < count; i++)
        some[i] = leaves[picked[i]];
      tree_root(&root, leaves, size);
      assert_true(tree_root_of_some(&got, size, picked, some, count, rest, rest_count));
      assert_memory_equal(root.byte, got.byte, 32);
    }
  }
}

static void a_part_can_be_cut_from_a_part(void **state) {
  (void)state;
  uint32_t random = 2;
  for (size_t size = 1; size <= MOST; size++) {
    for (int round = 0; round < 10; round++) {
      uint32_t known[MOST], chosen[MOST], picked[MOST];
      struct id rest[MOST], some[MOST], expected[MOST], cut[MOST];
      size_t known_count = choose(&random, size, known);
      size_t rest_count = tree_rest(leaves, size, known, known_count, rest);
      for (size_t i = 0; i < known_count; i++)
        some[i] = leaves[known[i]];
      size_t count = choose(&random, known_count, chosen);
      for (size_t i = 0; i < count; i++)
        picked[i] = known[chosen[i]];
      size_t cut_count = 0;
      assert_true(tree_cut(size, known, some, known_count, rest, rest_count, picked, count, cut,
                           &cut_count));
      assert_int_equal(cut_count, naive_rest(0, size, picked, count, expected));
      assert_memory_equal(cut, expected, cut_count * sizeof *cut);
    }
  }
}

static void only_what_is_known_can_be_cut(void **state) {
  (void)state;
  const uint32_t known[] = {1, 4}, picked[] = {2};
  const struct id some[] = {leaves[1], leaves[4]};
  struct id rest[8], cut[8];
  size_t cut_count, rest_count = tree_rest(leaves, 8, known, 2, rest);
  assert_false(tree_cut(8, known, some, 2, rest, rest_count, picked, 1, cut, &cut_count));
}

static void malformed_picks_are_refused(void **state) {
  (void)state;
  struct id rest[8], root;
  const uint32_t good[] = {1, 5};
  const struct id some[] = {leaves[1], leaves[5]};
  size_t rest_count = tree_rest(leaves, 8, good, 2, rest);
  assert_true(tree_root_of_some(&root, 8, good, some, 2, rest, rest_count));
  const uint32_t twice[] = {1, 1}, backward[] = {5, 1}, outside[] = {1, 8};
  assert_false(tree_root_of_some(&root, 8, twice, some, 2, rest, rest_count));
  assert_false(tree_root_of_some(&root, 8, backward, some, 2, rest, rest_count));
  assert_false(tree_root_of_some(&root, 8, outside, some, 2, rest, rest_count));
  assert_false(tree_root_of_some(&root, 8, good, some, 0, rest, rest_count));
  assert_false(tree_root_of_some(&root, 0, good, some, 2, rest, rest_count));
  assert_false(tree_root_of_some(&root, 4097, good, some, 2, rest, rest_count));
  assert_false(tree_root_of_some(&root, 1, good, some, 2, rest, 0));
}

static void too_few_or_too_many_hashes_are_refused(void **state) {
  (void)state;
  uint32_t random = 3;
  for (size_t size = 2; size <= MOST; size++) {
    uint32_t picked[MOST];
    struct id rest[MOST + 1], some[MOST], got;
    size_t count = choose(&random, size, picked);
    size_t rest_count = tree_rest(leaves, size, picked, count, rest);
    for (size_t i = 0; i < count; i++)
      some[i] = leaves[picked[i]];
    if (rest_count > 0)
      assert_false(tree_root_of_some(&got, size, picked, some, count, rest, rest_count - 1));
    rest[rest_count] = leaves[0];
    assert_false(tree_root_of_some(&got, size, picked, some, count, rest, rest_count + 1));
  }
}

static void a_forged_rest_gives_another_root(void **state) {
  (void)state;
  uint32_t random = 4;
  for (size_t size = 2; size <= MOST; size++) {
    uint32_t picked[MOST];
    struct id rest[MOST], some[MOST], root, got;
    size_t count = choose(&random, size, picked);
    size_t rest_count = tree_rest(leaves, size, picked, count, rest);
    for (size_t i = 0; i < count; i++)
      some[i] = leaves[picked[i]];
    tree_root(&root, leaves, size);
    for (size_t i = 0; i < rest_count; i++) {
      rest[i].byte[i % 32] ^= 1;
      assert_true(tree_root_of_some(&got, size, picked, some, count, rest, rest_count));
      assert_memory_not_equal(root.byte, got.byte, 32);
      rest[i].byte[i % 32] ^= 1;
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_leaf_is_hashed_after_a_zero_byte),
      cmocka_unit_test(roots_of_all_sizes_are_those_of_the_definition),
      cmocka_unit_test(picks_and_their_rest_give_the_root_back),
      cmocka_unit_test(a_part_can_be_cut_from_a_part),
      cmocka_unit_test(only_what_is_known_can_be_cut),
      cmocka_unit_test(malformed_picks_are_refused),
      cmocka_unit_test(too_few_or_too_many_hashes_are_refused),
      cmocka_unit_test(a_forged_rest_gives_another_root),
  };
  return cmocka_run_group_tests_name("tree", tests, make_leaves, NULL);
}
