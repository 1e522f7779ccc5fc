/* Records and runs.
 *
 * A run is read in one pass: each body is guarded, unpacked and judged, its id and leaf are hashed, and
 * at the end the leaves and the rest give the root. Everything lies in the caller's arena; bodies stay
 * where the run has them, verbatim, since it is those bytes that are signed, stored and relayed.
 */
#include "proto/record.h"

#include <stdio.h>
#include <string.h>

#include "proto/check.h"
#include "proto/guard.h"
#include "proto/limits.h"
#include "proto/tree.h"

static enum collega_status exhausted(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

void record_id(struct id *out, struct bytes body) {
  hash_one(out, "collega/record/1", body.data, body.length);
}

void record_refuse(struct record *record, const struct collega_error *why, struct arena *arena) {
  static const struct collega_error no_memory = {.status = COLLEGA_FULL, .rule = RULE_arena_full};
  const struct collega_error *kept = arena_copy(arena, why, sizeof *why);
  record->refused = kept ? kept : &no_memory;
}

static void name_body(struct collega_error *error, size_t index) {
  if (!error) return;
  char place[32];
  snprintf(place, sizeof place, "bodies[%zu]", index);
  error_prefix(error, place);
}

/* Reads bodies[index] into *record. */
static enum collega_status read_body(const Collega__Run *run, size_t index, const struct id *signer,
                                     struct arena *arena, struct record *record,
                                     struct collega_error *error) {
  const ProtobufCBinaryData *bytes = &run->bodies[index];
  record->bytes = bytes_of(bytes->data, bytes->len);
  record->leaf = run->n_leaves > 0 ? run->leaves[index] : (uint32_t)index;
  if (bytes->len > LIMIT_BODY_BYTES) {
    return error_set(error, COLLEGA_INVALID, RULE_run_body_size, NULL, NULL);
  }
  ProtobufCMessage *message;
  enum collega_status status =
      guard_unpack_borrowing(&collega__body__descriptor, record->bytes, arena, &message, error);
  if (status != COLLEGA_OK) return status;
  record->body = (const Collega__Body *)message;
  struct id author;
  if (!id_from(&author, record->body->author.data, record->body->author.len) ||
      !id_equal(&author, signer)) {
    return error_set(error, COLLEGA_INVALID, RULE_run_author, "author", NULL);
  }
  /* The recovery key is for cards alone: whoever finds it can take over, but sign nothing else. */
  if (run->has_recovery && run->recovery &&
      record->body->type != COLLEGA__BODY_TYPE__BODY_TYPE_CARD) {
    return error_set(error, COLLEGA_INVALID, RULE_run_recovery, NULL, NULL);
  }
  struct collega_error why;
  record->refused = NULL;
  if (check_body(record->body, record->bytes.length, &why) != COLLEGA_OK)
    record_refuse(record, &why, arena);
  record_id(&record->id, record->bytes);
  return COLLEGA_OK;
}

/* The rest as the array that the tree wants; NULL when it is not what the schema says or memory ends. */
static const struct id *rest_of(ProtobufCBinaryData *const rest, size_t count,
                                struct arena *arena) {
  struct id *out = arena_take(arena, (count ? count : 1) * sizeof *out);
  for (size_t i = 0; out && i < count; i++) {
    if (!id_from(&out[i], rest[i].data, rest[i].len)) return NULL;
  }
  return out;
}

enum collega_status run_read(const Collega__Run *run, struct arena *arena, struct run_view *out,
                             struct collega_error *error) {
  memset(out, 0, sizeof *out);
  size_t count = run->n_bodies;
  bool all = run->n_leaves == 0;
  if (run->tree_size == 0 || run->tree_size > LIMIT_RUN_RECORDS || count == 0 ||
      count != (all ? run->tree_size : run->n_leaves) || (all && run->n_rest > 0)) {
    return error_set(error, COLLEGA_INVALID, RULE_run_shape, NULL, NULL);
  }
  if (!id_from(&out->signer, run->signer.data, run->signer.len) || run->signature.len != 64) {
    return error_set(error, COLLEGA_INVALID, RULE_run_shape, NULL, NULL);
  }
  out->run = run;
  out->count = count;
  out->records = arena_take(arena, count * sizeof *out->records);
  out->leaves = arena_take(arena, count * sizeof *out->leaves);
  if (!out->records || !out->leaves) return exhausted(error);
  for (size_t i = 0; i < count; i++) {
    enum collega_status status = read_body(run, i, &out->signer, arena, &out->records[i], error);
    if (status != COLLEGA_OK) {
      name_body(error, i);
      return status;
    }
    tree_leaf(&out->leaves[i], out->records[i].id.byte, ID_BYTES);
  }
  if (all) {
    tree_root(&out->root, out->leaves, count);
    return COLLEGA_OK;
  }
  const struct id *rest = rest_of(run->rest, run->n_rest, arena);
  if (!rest && arena_exhausted(arena)) return exhausted(error);
  if (!rest || !tree_root_of_some(&out->root, run->tree_size, run->leaves, out->leaves, count, rest,
                                  run->n_rest)) {
    return error_set(error, COLLEGA_INVALID, RULE_run_shape, NULL, NULL);
  }
  return COLLEGA_OK;
}

enum collega_status run_read_bytes(struct bytes packed, struct arena *arena, struct run_view *out,
                                   struct collega_error *error) {
  ProtobufCMessage *message;
  enum collega_status status =
      guard_unpack(&collega__run__descriptor, packed, arena, &message, error);
  if (status != COLLEGA_OK) return status;
  return run_read((const Collega__Run *)message, arena, out, error);
}

enum collega_status run_verify(const struct run_view *view, const uint8_t key[32],
                               struct collega_error *error) {
  if (!signature_verify(key, PURPOSE_RECORD, &view->signer, view->run->tree_size, &view->root,
                        view->run->signature.data)) {
    return error_set(error, COLLEGA_FORGED, RULE_run_signature, NULL, NULL);
  }
  return COLLEGA_OK;
}

/* ---- making runs */

static Collega__Run *run_new(struct arena *arena, size_t bodies, size_t leaves) {
  Collega__Run *run = arena_take(arena, sizeof *run);
  if (!run) return NULL;
  collega__run__init(run);
  run->bodies = arena_take(arena, bodies * sizeof *run->bodies);
  run->n_bodies = bodies;
  run->leaves = leaves ? arena_take(arena, leaves * sizeof *run->leaves) : NULL;
  run->n_leaves = leaves;
  return run->bodies && (run->leaves || !leaves) ? run : NULL;
}

static void borrow(ProtobufCBinaryData *field, struct bytes bytes) {
  field->data =
      (uint8_t *)bytes.data; /* protobuf-c's fields are not const; packing only reads them */
  field->len = bytes.length;
}

enum collega_status run_sign(const struct identity *identity, const struct bytes *bodies,
                             size_t count, struct arena *arena, Collega__Run **out,
                             struct collega_error *error) {
  if (count == 0 || count > LIMIT_RUN_RECORDS) {
    return error_set(error, COLLEGA_INVALID, RULE_run_shape, NULL, NULL);
  }
  Collega__Run *run = run_new(arena, count, 0);
  struct id *leaves = arena_take(arena, count * sizeof *leaves);
  uint8_t *signature = arena_take(arena, 64);
  const struct id *signer = arena_copy(arena, identity_party(identity), sizeof *signer);
  if (!run || !leaves || !signature || !signer) return exhausted(error);
  for (size_t i = 0; i < count; i++) {
    struct id id;
    record_id(&id, bodies[i]);
    tree_leaf(&leaves[i], id.byte, ID_BYTES);
    borrow(&run->bodies[i], bodies[i]);
  }
  struct id root;
  tree_root(&root, leaves, count);
  identity_sign(identity, PURPOSE_RECORD, count, &root, signature);
  borrow(&run->signer, bytes_of(signer, sizeof *signer));
  run->key_epoch = identity_card_number(identity);
  run->tree_size = (uint32_t)count;
  borrow(&run->signature, bytes_of(signature, 64));
  *out = run;
  return COLLEGA_OK;
}

enum collega_status run_cut(const struct run_view *view, const uint32_t *positions, size_t count,
                            struct arena *arena, Collega__Run **out, struct collega_error *error) {
  const Collega__Run *whole = view->run;
  for (size_t i = 0; i < count; i++) {
    if (positions[i] >= view->count || (i > 0 && positions[i] <= positions[i - 1])) count = 0;
  }
  if (count == 0) return error_set(error, COLLEGA_INVALID, RULE_run_shape, NULL, NULL);
  Collega__Run *run = run_new(arena, count, count == whole->tree_size ? 0 : count);
  uint32_t *picked = arena_take(arena, count * sizeof *picked);
  const struct id *rest = rest_of(whole->rest, whole->n_rest, arena);
  struct id *rest_out = arena_take(arena, whole->tree_size * sizeof *rest_out);
  if (!run || !picked || !rest || !rest_out) return exhausted(error);
  for (size_t i = 0; i < count; i++) {
    picked[i] = view->records[positions[i]].leaf;
    borrow(&run->bodies[i], view->records[positions[i]].bytes);
    if (run->leaves) run->leaves[i] = picked[i];
  }
  size_t rest_count = 0;
  if (!tree_cut(whole->tree_size, whole->n_leaves ? whole->leaves : NULL, view->leaves, view->count,
                rest, whole->n_rest, picked, count, rest_out, &rest_count)) {
    return error_set(error, COLLEGA_INVALID, RULE_run_shape, NULL, NULL);
  }
  run->n_rest = rest_count;
  run->rest = rest_count ? arena_take(arena, rest_count * sizeof *run->rest) : NULL;
  if (rest_count && !run->rest) return exhausted(error);
  for (size_t i = 0; i < rest_count; i++)
    borrow(&run->rest[i], bytes_of(rest_out[i].byte, ID_BYTES));
  run->signer = whole->signer;
  run->key_epoch = whole->key_epoch;
  run->tree_size = whole->tree_size;
  run->signature = whole->signature;
  run->has_recovery = whole->has_recovery;
  run->recovery = whole->recovery;
  *out = run;
  return COLLEGA_OK;
}

void body_init(Collega__Body *body, const struct id *author, const struct epoch *epoch,
               uint64_t seq) {
  collega__body__init(body);
  borrow(&body->author, bytes_of(author->byte, ID_BYTES));
  borrow(&body->epoch, bytes_of(epoch->byte, EPOCH_BYTES));
  body->seq = seq;
}
