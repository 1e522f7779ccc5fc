/* Merkle trees over record ids, shaped as in RFC 6962 (section 2.1), with BLAKE2b-256:
 * leaf = H(0x00, datum), node = H(0x01, left, right). For records the datum is the 32-byte id, for
 * receipts 88 bytes (see receipt.h), for terms salt and content (see terms.h). */
#ifndef COLLEGA_PROTO_TREE_H
#define COLLEGA_PROTO_TREE_H
#include "base/bytes.h"

void tree_leaf(struct id *out, const void *datum, size_t length);
void tree_node(struct id *out, const struct id *left, const struct id *right);
/* size 1 .. 4096; `leaves` is not changed. */
void tree_root(struct id *out, const struct id *leaves, size_t size);
/* The hashes of the maximal subtrees that hold none of the `count` ascending `picked` indices, left to
 * right, into `rest` (capacity: at least `size`). Returns how many. */
size_t tree_rest(const struct id *leaves, size_t size, const uint32_t *picked, size_t count,
                 struct id *rest);
/* The root from some leaves and the rest. False when indices are not ascending or out of range, or when
 * there are too few or too many hashes. count >= 1. */
bool tree_root_of_some(struct id *out, size_t size, const uint32_t *picked, const struct id *leaves,
                       size_t count, const struct id *rest, size_t rest_count);
/* The rest for `count` picked indices of a tree of which only the `known` ones (ascending; NULL: all) and
 * their rest are at hand. `rest_out` has room for `size` hashes. False when a pick is not known, or
 * when anything is malformed. */
bool tree_cut(size_t size, const uint32_t *known, const struct id *leaves, size_t known_count,
              const struct id *rest, size_t rest_count, const uint32_t *picked, size_t count,
              struct id *rest_out, size_t *rest_out_count);
#endif
