/* Trees: some leaves and the rest give the root of all, and cutting what was cut gives the same as
 * cutting the whole; what is not a cut of a tree is refused. */
#include "proto/tree.h"

#include <string.h>

#include "tests/fuzz/fuzz.h"

#define LEAVES_MOST 512

static size_t pick(struct fuzz_input *input, const uint32_t *from, size_t count, uint32_t *out) {
  size_t picked = 0;
  uint8_t bits = 0;
  for (size_t i = 0; i < count; i++) {
    if (i % 8 == 0) bits = fuzz_byte(input);
    if (bits >> (i % 8) & 1) out[picked++] = from[i];
  }
  return picked;
}

static void leaves_at(const struct id *leaves, const uint32_t *at, size_t count, struct id *out) {
  for (size_t i = 0; i < count; i++)
    out[i] = leaves[at[i]];
}

static void cut_twice(struct fuzz_input *input, const struct id *leaves, size_t size) {
  static uint32_t all[LEAVES_MOST], some[LEAVES_MOST], fewer[LEAVES_MOST];
  static struct id rest[LEAVES_MOST], shorter[LEAVES_MOST], direct[LEAVES_MOST], of[LEAVES_MOST];
  struct id root, again;
  for (size_t i = 0; i < size; i++)
    all[i] = (uint32_t)i;
  size_t count = pick(input, all, size, some);
  if (count == 0) return;
  size_t rest_count = tree_rest(leaves, size, some, count, rest);
  leaves_at(leaves, some, count, of);
  tree_root(&root, leaves, size);
  fuzz_must(tree_root_of_some(&again, size, some, of, count, rest, rest_count));
  fuzz_must(id_equal(&root, &again));
  fuzz_must(rest_count == 0 ||
            !tree_root_of_some(&again, size, some, of, count, rest, rest_count - 1));
  size_t left = pick(input, some, count, fewer), shorter_count = 0;
  if (left == 0) return;
  fuzz_must(
      tree_cut(size, some, of, count, rest, rest_count, fewer, left, shorter, &shorter_count));
  size_t direct_count = tree_rest(leaves, size, fewer, left, direct);
  fuzz_must(direct_count == shorter_count);
  fuzz_must(memcmp(direct, shorter, direct_count * sizeof direct[0]) == 0);
}

/* Numbers as they come. */
static void any_part(struct fuzz_input *input) {
  uint32_t picked[16];
  struct id leaves[16], rest[16], root;
  size_t size = fuzz_number(input) % 8192, count = fuzz_byte(input) % 17;
  size_t rest_count = fuzz_byte(input) % 17;
  memset(leaves, 1, sizeof leaves);
  memset(rest, 2, sizeof rest);
  for (size_t i = 0; i < count; i++)
    picked[i] = fuzz_number(input) >> (fuzz_byte(input) % 32);
  (void)tree_root_of_some(&root, size, picked, leaves, count, rest, rest_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  static struct id leaves[LEAVES_MOST];
  struct fuzz_input input = fuzz_begin(data, length);
  size_t size = 1 + (((size_t)fuzz_byte(&input) << 8 | fuzz_byte(&input)) % LEAVES_MOST);
  for (size_t i = 0; i < size; i++)
    tree_leaf(&leaves[i], &i, sizeof i);
  cut_twice(&input, leaves, size);
  any_part(&input);
  return 0;
}
