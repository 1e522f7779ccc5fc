/* Runs cut without unpacking. The fields are those of message Run; what is written is in the
 * schema's order, so a cut equals what protobuf-c would have packed. */
#include "broker/board/packed_run.h"

#include <string.h>

#include "proto/limits.h"
#include "proto/record.h"
#include "proto/tree.h"

enum {
  RUN_SIGNER = 1,
  RUN_KEY_EPOCH = 2,
  RUN_TREE_SIZE = 3,
  RUN_SIGNATURE = 4,
  RUN_LEAVES = 5,
  RUN_REST = 6,
  RUN_BODIES = 7,
  RUN_RECOVERY = 8
};

static enum collega_status damaged(struct collega_error *error) {
  return error_set(error, COLLEGA_DAMAGED, RULE_disk_corrupt, NULL, "log", "run", NULL);
}

static enum collega_status exhausted(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_arena_full, NULL, NULL);
}

/* How many of each repeated field there are. Leaves may come packed or one by one. */
static bool count_fields(struct bytes packed, uint32_t *leaves, uint32_t *rest, uint32_t *bodies) {
  struct field field;
  bool bad;
  *leaves = *rest = *bodies = 0;
  while (field_next(&packed, &field, &bad)) {
    if (field.number == RUN_BODIES) ++*bodies;
    if (field.number == RUN_REST) ++*rest;
    if (field.number != RUN_LEAVES) continue;
    uint64_t value;
    if (!field.content.data) ++*leaves;
    while (field.content.length) {
      if (!varint_next(&field.content, &value)) return false;
      ++*leaves;
    }
  }
  return !bad && *bodies && *bodies <= LIMIT_RUN_RECORDS && *rest <= LIMIT_RUN_RECORDS &&
         (*leaves == 0 || *leaves == *bodies);
}

static bool take_field(struct packed_run *run, struct field *field, uint32_t *leaf) {
  switch (field->number) {
  case RUN_SIGNER:
    run->signer = field->content;
    return true;
  case RUN_KEY_EPOCH:
    run->key_epoch = (uint32_t)field->value;
    return true;
  case RUN_TREE_SIZE:
    run->tree_size = (uint32_t)field->value;
    return true;
  case RUN_SIGNATURE:
    run->signature = field->content;
    return true;
  case RUN_REST:
    return id_from(&run->rest[run->rest_count++], field->content.data, field->content.length);
  case RUN_BODIES:
    run->bodies[run->count++] = field->content;
    return true;
  case RUN_RECOVERY:
    run->recovery = field->value != 0;
    return true;
  default:
    break; /* a field number, not an enum of ours */
  }
  if (field->number != RUN_LEAVES) return false;
  if (!field->content.data) run->leaves[(*leaf)++] = (uint32_t)field->value;
  while (field->content.length) {
    uint64_t value = 0;
    if (!varint_next(&field->content, &value)) return false;
    run->leaves[(*leaf)++] = (uint32_t)value;
  }
  return true;
}

enum collega_status packed_run_read(struct bytes packed, struct arena *arena,
                                    struct packed_run *out, struct collega_error *error) {
  *out = (struct packed_run){0};
  uint32_t leaves, rest, bodies, leaf = 0;
  if (!count_fields(packed, &leaves, &rest, &bodies)) return damaged(error);
  out->leaves = leaves ? arena_take(arena, leaves * sizeof *out->leaves) : NULL;
  out->rest = arena_take(arena, (rest ? rest : 1) * sizeof *out->rest);
  out->bodies = arena_take(arena, bodies * sizeof *out->bodies);
  if ((leaves && !out->leaves) || !out->rest || !out->bodies) return exhausted(error);
  struct field field;
  bool bad;
  while (field_next(&packed, &field, &bad)) {
    if (!take_field(out, &field, &leaf)) return damaged(error);
  }
  bool fits = out->signer.length == ID_BYTES && out->signature.length == 64 &&
              out->tree_size >= bodies && out->tree_size <= LIMIT_RUN_RECORDS &&
              (out->leaves || out->tree_size == bodies);
  return fits ? COLLEGA_OK : damaged(error);
}

static void write_cut(const struct packed_run *run, const uint32_t *picks, const uint32_t *leaves,
                      uint32_t count, const struct id *rest, size_t rest_count,
                      struct frame *frame) {
  frame_bytes(frame, RUN_SIGNER, run->signer.data, run->signer.length);
  frame_number(frame, RUN_KEY_EPOCH, run->key_epoch);
  frame_number(frame, RUN_TREE_SIZE, run->tree_size);
  frame_bytes(frame, RUN_SIGNATURE, run->signature.data, run->signature.length);
  if (count < run->tree_size) {
    size_t length = 0;
    for (uint32_t i = 0; i < count; i++)
      length += varint_size(leaves[i]);
    frame_open(frame, RUN_LEAVES, length);
    for (uint32_t i = 0; i < count; i++)
      frame_varint(frame, leaves[i]);
  }
  for (size_t i = 0; i < rest_count; i++)
    frame_bytes(frame, RUN_REST, rest[i].byte, ID_BYTES);
  for (uint32_t i = 0; i < count; i++)
    frame_bytes(frame, RUN_BODIES, run->bodies[picks[i]].data, run->bodies[picks[i]].length);
  if (run->recovery) frame_number(frame, RUN_RECOVERY, 1);
}

enum collega_status packed_run_cut(const struct packed_run *run, const struct id *ids,
                                   const uint32_t *picks, uint32_t count, struct arena *arena,
                                   struct bytes *out, struct collega_error *error) {
  struct id *hashes = arena_take(arena, run->count * sizeof *hashes);
  struct id *rest = arena_take(arena, run->tree_size * sizeof *rest);
  uint32_t *leaves = arena_take(arena, count * sizeof *leaves);
  if (!hashes || !rest || !leaves) return exhausted(error);
  for (uint32_t i = 0; i < run->count; i++) {
    struct id id;
    if (!ids) record_id(&id, run->bodies[i]);
    tree_leaf(&hashes[i], ids ? ids[i].byte : id.byte, ID_BYTES);
  }
  size_t bytes = 256;
  for (uint32_t i = 0; i < count; i++) {
    leaves[i] = run->leaves ? run->leaves[picks[i]] : picks[i];
    bytes += 8 + run->bodies[picks[i]].length;
  }
  size_t rest_count = 0;
  if (!tree_cut(run->tree_size, run->leaves, hashes, run->count, run->rest, run->rest_count, leaves,
                count, rest, &rest_count))
    return damaged(error);
  struct frame frame;
  frame_start(&frame, arena, bytes + rest_count * frame_field_size(ID_BYTES));
  write_cut(run, picks, leaves, count, rest, rest_count, &frame);
  if (frame.failed) return exhausted(error);
  *out = bytes_of(frame.data, frame.length);
  return COLLEGA_OK;
}
