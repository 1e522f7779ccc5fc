/* The receipt of one commit with all hashes of its tree, so that the part for any leaves is looked
 * up instead of hashed again: a commit of 4,096 runs of one record is cut 4,096 times. */
#ifndef COLLEGA_BROKER_RECEIPT_TREE_H
#define COLLEGA_BROKER_RECEIPT_TREE_H
#include "broker/board/frame.h"

#define RECEIPT_TREE_LEVELS 13 /* 4,096 leaves and the root above them */

struct receipt_tree {
  struct bytes stem; /* packed ReceiptRun of all leaves: every part begins with it */
  uint64_t first_seq;
  uint32_t size; /* leaves */
  unsigned levels;
  const struct id *nodes[RECEIPT_TREE_LEVELS]; /* nodes[0]: the leaves */
};
/* `stem` and `leaves` are borrowed; the rest lies in the arena. NULL: exhausted. */
struct receipt_tree *receipt_tree_build(struct arena *arena, struct bytes stem, uint64_t first_seq,
                                        const struct id *leaves, uint32_t size);

/* The part for some ascending leaves: base + picks[i], or base + i where picks is NULL. */
struct receipt_part {
  const struct receipt_tree *tree;
  uint32_t base, count;
  const uint32_t *picks;
  const struct id **rest;                 /* into the tree */
  size_t rest_count, leaves_bytes, bytes; /* `bytes`: of the packed ReceiptRun */
};
/* False: the arena is exhausted. */
bool receipt_part_prepare(struct receipt_part *part, const struct receipt_tree *tree, uint32_t base,
                          const uint32_t *picks, uint32_t count, struct arena *arena);
/* Writes part->bytes bytes. */
void receipt_part_write(const struct receipt_part *part, struct frame *frame);
#endif
