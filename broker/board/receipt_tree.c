/* All hashes of one commit's tree, level by level. Pairing neighbours and moving an odd last node
 * up unchanged gives the shape of RFC 6962: its split at the largest power of two below the size
 * leaves the same subtrees. */
#include "broker/board/receipt_tree.h"

#include "proto/tree.h"

enum { RECEIPT_LEAVES = 8, RECEIPT_REST = 9 }; /* fields of ReceiptRun: the two that a part adds */

struct receipt_tree *receipt_tree_build(struct arena *arena, struct bytes stem, uint64_t first_seq,
                                        const struct id *leaves, uint32_t size) {
  struct receipt_tree *tree = arena_zero(arena, sizeof *tree);
  struct id *nodes = arena_take(arena, ((size_t)size + RECEIPT_TREE_LEVELS) * sizeof *nodes);
  if (!tree || !nodes) return NULL;
  tree->stem = stem;
  tree->first_seq = first_seq;
  tree->size = size;
  tree->nodes[0] = leaves;
  tree->levels = 1;
  for (uint32_t count = size; count > 1 && tree->levels < RECEIPT_TREE_LEVELS; tree->levels++) {
    const struct id *below = tree->nodes[tree->levels - 1];
    uint32_t above = (count + 1) / 2;
    for (uint32_t i = 0; i < count / 2; i++)
      tree_node(&nodes[i], &below[2 * i], &below[2 * i + 1]);
    if (count % 2) nodes[above - 1] = below[count - 1];
    tree->nodes[tree->levels] = nodes;
    nodes += above;
    count = above;
  }
  return tree;
}

static uint32_t pick_at(const struct receipt_part *part, uint32_t index) {
  return part->base + (part->picks ? part->picks[index] : index);
}

/* The first pick in [from, until) that is not below `leaf`. */
static uint32_t first_pick(const struct receipt_part *part, uint32_t from, uint32_t until,
                           uint32_t leaf) {
  while (from < until) {
    uint32_t middle = from + (until - from) / 2;
    if (pick_at(part, middle) < leaf)
      from = middle + 1;
    else
      until = middle;
  }
  return from;
}

/* Node `index` of `level`, under which the picks [from, until) stand: gathers the hashes of its
 * maximal subtrees without picks. */
static void gather(struct receipt_part *part, unsigned level, uint32_t index, uint32_t from,
                   uint32_t until) {
  const struct receipt_tree *tree = part->tree;
  if (from == until) {
    part->rest[part->rest_count++] = &tree->nodes[level][index];
    return;
  }
  uint32_t begin = index << level, end = begin + (1u << level);
  if (end > tree->size) end = tree->size;
  if (until - from == end - begin) return;
  uint32_t split = begin + (1u << (level - 1));
  if (split >= end) { /* an odd node, moved up */
    gather(part, level - 1, 2 * index, from, until);
    return;
  }
  uint32_t middle = first_pick(part, from, until, split);
  gather(part, level - 1, 2 * index, from, middle);
  gather(part, level - 1, 2 * index + 1, middle, until);
}

bool receipt_part_prepare(struct receipt_part *part, const struct receipt_tree *tree, uint32_t base,
                          const uint32_t *picks, uint32_t count, struct arena *arena) {
  *part = (struct receipt_part){.tree = tree, .base = base, .count = count, .picks = picks};
  part->bytes = tree->stem.length;
  if (count == tree->size) return true;
  size_t most = picks ? (size_t)count * tree->levels : 2u * RECEIPT_TREE_LEVELS;
  part->rest = arena_take(arena, (most < tree->size ? most : tree->size) * sizeof *part->rest);
  if (!part->rest) return false;
  gather(part, tree->levels - 1, 0, 0, count);
  for (uint32_t i = 0; i < count; i++)
    part->leaves_bytes += varint_size(pick_at(part, i));
  part->bytes +=
      frame_field_size(part->leaves_bytes) + part->rest_count * frame_field_size(ID_BYTES);
  return true;
}

void receipt_part_write(const struct receipt_part *part, struct frame *frame) {
  frame_raw(frame, part->tree->stem.data, part->tree->stem.length);
  if (part->count == part->tree->size) return;
  frame_open(frame, RECEIPT_LEAVES, part->leaves_bytes);
  for (uint32_t i = 0; i < part->count; i++)
    frame_varint(frame, pick_at(part, i));
  for (size_t i = 0; i < part->rest_count; i++)
    frame_bytes(frame, RECEIPT_REST, part->rest[i]->byte, ID_BYTES);
}
