/* Merkle trees of RFC 6962's shape: a tree of n leaves splits at the largest power of two below n.
 *
 * Whole trees are hashed in one pass over the leaves: a stack holds the roots of the perfect subtrees
 * so far, one for each bit of the number of leaves, and is folded from the right at the end. Trees of
 * which only some leaves are known are walked from the top: their depth is at most 32, and every step
 * looks only at the slice of known leaves below it, so hostile indices cost no more than honest ones.
 */
#include "proto/tree.h"

#include <sodium.h>
#include <string.h>

#include "proto/limits.h"

#define TREE_DEPTH 32 /* more than any tree_size can need */

void tree_leaf(struct id *out, const void *datum, size_t length) {
  static const uint8_t tag = 0x00;
  crypto_generichash_state state;
  crypto_generichash_init(&state, NULL, 0, ID_BYTES);
  crypto_generichash_update(&state, &tag, 1);
  crypto_generichash_update(&state, datum, length);
  crypto_generichash_final(&state, out->byte, ID_BYTES);
}

void tree_node(struct id *out, const struct id *left, const struct id *right) {
  uint8_t datum[1 + 2 * ID_BYTES];
  datum[0] = 0x01;
  memcpy(datum + 1, left->byte, ID_BYTES);
  memcpy(datum + 1 + ID_BYTES, right->byte, ID_BYTES);
  crypto_generichash(out->byte, ID_BYTES, datum, sizeof datum, NULL, 0);
}

void tree_root(struct id *out, const struct id *leaves, size_t size) {
  struct id stack[TREE_DEPTH];
  size_t depth = 0;
  for (size_t index = 0; index < size; index++) {
    stack[depth++] = leaves[index];
    /* As many perfect subtrees of equal size end here as the next index has trailing zeros. */
    for (size_t next = index + 1; (next & 1) == 0; next >>= 1) {
      tree_node(&stack[depth - 2], &stack[depth - 2], &stack[depth - 1]);
      depth--;
    }
  }
  while (depth > 1) {
    tree_node(&stack[depth - 2], &stack[depth - 2], &stack[depth - 1]);
    depth--;
  }
  *out = stack[0];
}

/* What is known of a tree: some leaves, ascending, and the hashes of all that holds none of them. */
struct known_tree {
  const uint32_t *indices; /* NULL: every leaf is known */
  const struct id *leaves;
  const struct id *rest;
  size_t rest_count;
  size_t rest_used;
};

static size_t split_of(size_t size) {
  size_t split = 1;
  while (split * 2 < size)
    split *= 2;
  return split;
}

/* The first position in [first, last) whose index is not below `boundary`. */
static size_t first_not_below(const uint32_t *indices, size_t first, size_t last, size_t boundary) {
  while (first < last) {
    size_t middle = first + (last - first) / 2;
    if (indices[middle] < boundary) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  return first;
}

static size_t known_split(const struct known_tree *tree, size_t first, size_t last,
                          size_t boundary) {
  if (!tree->indices) return boundary < first ? first : (boundary > last ? last : boundary);
  return first_not_below(tree->indices, first, last, boundary);
}

/* The root of the subtree over leaves [begin, begin + size), whose known leaves stand at positions
 * [first, last). Takes hashes of the rest in the order in which they stand. */
static bool subtree_root(struct known_tree *tree, size_t begin, size_t size, size_t first,
                         size_t last, struct id *out) {
  if (first == last) {
    if (tree->rest_used == tree->rest_count) return false;
    *out = tree->rest[tree->rest_used++];
    return true;
  }
  if (last - first == size) {
    tree_root(out, tree->leaves + first, size);
    return true;
  }
  size_t split = split_of(size);
  size_t middle = known_split(tree, first, last, begin + split);
  struct id left, right;
  if (!subtree_root(tree, begin, split, first, middle, &left)) return false;
  if (!subtree_root(tree, begin + split, size - split, middle, last, &right)) return false;
  tree_node(out, &left, &right);
  return true;
}

struct picks {
  const uint32_t *indices;
  struct id *rest;
  size_t rest_count;
};

/* Appends to picks->rest the roots of the maximal subtrees of [begin, begin + size) without a pick; the
 * picks of this subtree stand at [from, until). */
static bool subtree_rest(struct known_tree *tree, struct picks *picks, size_t begin, size_t size,
                         size_t first, size_t last, size_t from, size_t until) {
  if (from == until) {
    return subtree_root(tree, begin, size, first, last, &picks->rest[picks->rest_count++]);
  }
  if (until - from == size) return last - first == size;
  size_t split = split_of(size);
  size_t middle = known_split(tree, first, last, begin + split);
  size_t between = first_not_below(picks->indices, from, until, begin + split);
  return subtree_rest(tree, picks, begin, split, first, middle, from, between) &&
         subtree_rest(tree, picks, begin + split, size - split, middle, last, between, until);
}

static bool ascending_below(const uint32_t *indices, size_t count, size_t size) {
  for (size_t i = 0; i < count; i++) {
    if (indices[i] >= size || (i > 0 && indices[i] <= indices[i - 1])) return false;
  }
  return true;
}

size_t tree_rest(const struct id *leaves, size_t size, const uint32_t *picked, size_t count,
                 struct id *rest) {
  struct known_tree tree = {.leaves = leaves};
  struct picks picks = {.indices = picked, .rest = rest};
  if (!subtree_rest(&tree, &picks, 0, size, 0, size, 0, count)) return 0;
  return picks.rest_count;
}

bool tree_root_of_some(struct id *out, size_t size, const uint32_t *picked, const struct id *leaves,
                       size_t count, const struct id *rest, size_t rest_count) {
  if (size == 0 || size > LIMIT_RUN_RECORDS || count == 0 || count > size) return false;
  if (rest_count > size - count || !ascending_below(picked, count, size)) return false;
  struct known_tree tree = {picked, leaves, rest, rest_count, 0};
  return subtree_root(&tree, 0, size, 0, count, out) && tree.rest_used == rest_count;
}

bool tree_cut(size_t size, const uint32_t *known, const struct id *leaves, size_t known_count,
              const struct id *rest, size_t rest_count, const uint32_t *picked, size_t count,
              struct id *rest_out, size_t *rest_out_count) {
  *rest_out_count = 0;
  if (size == 0 || size > LIMIT_RUN_RECORDS || known_count > size || count == 0) return false;
  if (rest_count > size - known_count || count > known_count) return false;
  if (known ? !ascending_below(known, known_count, size) : known_count != size) return false;
  if (!ascending_below(picked, count, size)) return false;
  /* Every pick must be known: a leaf of which only a hash above it stands in the rest has no path. */
  for (size_t i = 0, position = 0; known && i < count; i++) {
    while (position < known_count && known[position] < picked[i])
      position++;
    if (position == known_count || known[position] != picked[i]) return false;
  }
  struct known_tree tree = {known, leaves, rest, rest_count, 0};
  struct picks picks = {picked, rest_out, 0};
  if (!subtree_rest(&tree, &picks, 0, size, 0, known_count, 0, count)) return false;
  *rest_out_count = picks.rest_count;
  return tree.rest_used == rest_count;
}
