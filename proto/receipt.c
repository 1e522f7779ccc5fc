/* Receipts: the broker's word that a record is on its disk, with its place in the broker's log.
 *
 * One commit is one tree and one signature, however many records it took. A receipt that travels with
 * some of them carries only the hashes that complete the tree.
 */
#include <string.h>

#include "proto/limits.h"
#include "proto/record.h"
#include "proto/tree.h"

static enum collega_status exhausted(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

static enum collega_status malformed(struct collega_error *error) {
  return error_set(error, COLLEGA_INVALID, RULE_receipt_shape, NULL, NULL);
}

static void borrow(ProtobufCBinaryData *field, const void *data, size_t length) {
  field->data = (uint8_t *)data; /* protobuf-c's fields are not const; packing only reads them */
  field->len = length;
}

void receipt_leaf(struct id *out, const struct receipt_position *position,
                  const struct id *record) {
  uint8_t datum[ID_BYTES + EPOCH_BYTES + 8 + 8 + ID_BYTES];
  uint8_t *at = datum;
  memcpy(at, position->origin.byte, ID_BYTES);
  at += ID_BYTES;
  memcpy(at, position->epoch.byte, EPOCH_BYTES);
  at += EPOCH_BYTES;
  put_be64(at, position->seq);
  at += 8;
  put_be64(at, (uint64_t)position->time);
  at += 8;
  memcpy(at, record->byte, ID_BYTES);
  tree_leaf(out, datum, sizeof datum);
}

enum collega_status receipt_sign(const struct identity *broker, const struct epoch *epoch,
                                 uint64_t first_seq, collega_time time, const struct id *ids,
                                 size_t count, struct arena *arena, Collega__ReceiptRun **out,
                                 struct id *leaves_out, struct collega_error *error) {
  if (count == 0 || count > LIMIT_RUN_RECORDS || first_seq == 0 || first_seq > UINT64_MAX - count) {
    return malformed(error);
  }
  Collega__ReceiptRun *receipt = arena_take(arena, sizeof *receipt);
  struct id *leaves = leaves_out ? leaves_out : arena_take(arena, count * sizeof *leaves);
  uint8_t *signature = arena_take(arena, 64);
  const struct id *origin = arena_copy(arena, identity_party(broker), sizeof *origin);
  const struct epoch *epoch_copy = arena_copy(arena, epoch, sizeof *epoch);
  if (!receipt || !leaves || !signature || !origin || !epoch_copy) return exhausted(error);

  struct receipt_position position = {*origin, *epoch, first_seq, time};
  for (size_t i = 0; i < count; i++) {
    receipt_leaf(&leaves[i], &position, &ids[i]);
    position.seq++;
  }
  struct id root;
  tree_root(&root, leaves, count);
  identity_sign(broker, PURPOSE_RECEIPT, count, &root, signature);

  collega__receipt_run__init(receipt);
  borrow(&receipt->origin, origin, sizeof *origin);
  borrow(&receipt->epoch, epoch_copy, sizeof *epoch_copy);
  receipt->first_seq = first_seq;
  receipt->time = time;
  receipt->tree_size = (uint32_t)count;
  receipt->key_epoch = identity_card_number(broker);
  borrow(&receipt->signature, signature, 64);
  *out = receipt;
  return COLLEGA_OK;
}

enum collega_status receipt_cut(const Collega__ReceiptRun *all, const struct id *leaves,
                                const uint32_t *picked, size_t count, struct arena *arena,
                                Collega__ReceiptRun **out, struct collega_error *error) {
  size_t size = all->tree_size;
  Collega__ReceiptRun *receipt = arena_copy(arena, all, sizeof *all);
  struct id *rest = arena_take(arena, size * sizeof *rest);
  if (!receipt || !rest) return exhausted(error);
  receipt->n_leaves = receipt->n_rest = 0;
  receipt->leaves = NULL;
  receipt->rest = NULL;
  size_t rest_count = 0;
  if (!tree_cut(size, NULL, leaves, size, NULL, 0, picked, count, rest, &rest_count)) {
    return malformed(error);
  }
  if (count < size) {
    receipt->leaves = arena_copy(arena, picked, count * sizeof *picked);
    receipt->rest = arena_take(arena, (rest_count ? rest_count : 1) * sizeof *receipt->rest);
    if (!receipt->leaves || !receipt->rest) return exhausted(error);
    receipt->n_leaves = count;
    receipt->n_rest = rest_count;
    for (size_t i = 0; i < rest_count; i++)
      borrow(&receipt->rest[i], rest[i].byte, ID_BYTES);
  }
  *out = receipt;
  return COLLEGA_OK;
}

/* The verifier takes no arena: leaves and rest lie on its stack, 128 KiB each at the most. */
static bool root_of_some(const Collega__ReceiptRun *receipt, const struct id *leaves, size_t count,
                         struct id *root) {
  struct id rest[LIMIT_RUN_RECORDS];
  for (size_t i = 0; i < receipt->n_rest; i++) {
    if (!id_from(&rest[i], receipt->rest[i].data, receipt->rest[i].len)) return false;
  }
  return tree_root_of_some(root, receipt->tree_size, receipt->leaves, leaves, count, rest,
                           receipt->n_rest);
}

static bool was_seen(const struct receipt_seen *seen, const uint8_t key[32],
                     const struct id *origin, size_t size, const struct id *root,
                     const uint8_t signature[64]) {
  return seen && seen->any && seen->size == size && id_equal(&seen->root, root) &&
         id_equal(&seen->origin, origin) && !memcmp(seen->key, key, sizeof seen->key) &&
         !memcmp(seen->signature, signature, sizeof seen->signature);
}

static bool verify_once(struct receipt_seen *seen, const uint8_t key[32], const struct id *origin,
                        size_t size, const struct id *root, const uint8_t signature[64]) {
  if (was_seen(seen, key, origin, size, root, signature)) return true;
  if (!signature_verify(key, PURPOSE_RECEIPT, origin, size, root, signature)) return false;
  if (!seen) return true;
  *seen = (struct receipt_seen){.any = true, .origin = *origin, .root = *root, .size = size};
  memcpy(seen->key, key, sizeof seen->key);
  memcpy(seen->signature, signature, sizeof seen->signature);
  return true;
}

enum collega_status receipt_root(const Collega__ReceiptRun *receipt, const struct id *ids,
                                 size_t count, struct id *root, uint64_t *seqs,
                                 struct collega_error *error) {
  struct receipt_position position = {.time = receipt->time};
  size_t size = receipt->tree_size;
  bool all = receipt->n_leaves == 0;
  if (size == 0 || size > LIMIT_RUN_RECORDS || count != (all ? size : receipt->n_leaves) ||
      count > size || receipt->n_rest > size - count || receipt->first_seq == 0 ||
      receipt->first_seq > UINT64_MAX - size || receipt->signature.len != 64 ||
      !id_from(&position.origin, receipt->origin.data, receipt->origin.len) ||
      !epoch_from(&position.epoch, receipt->epoch.data, receipt->epoch.len)) {
    return malformed(error);
  }
  struct id leaves[LIMIT_RUN_RECORDS];
  for (size_t i = 0; i < count; i++) {
    uint32_t index = all ? (uint32_t)i : receipt->leaves[i];
    if (index >= size) return malformed(error);
    position.seq = receipt->first_seq + index;
    receipt_leaf(&leaves[i], &position, &ids[i]);
    if (seqs) seqs[i] = position.seq;
  }
  if (all) {
    tree_root(root, leaves, count);
  } else if (!root_of_some(receipt, leaves, count, root)) {
    return malformed(error);
  }
  return COLLEGA_OK;
}

static enum collega_status verify(const Collega__ReceiptRun *receipt, const struct id *ids,
                                  size_t count, const uint8_t key[32], uint64_t *seqs,
                                  struct receipt_seen *seen, struct collega_error *error) {
  struct id root, origin;
  enum collega_status status = receipt_root(receipt, ids, count, &root, seqs, error);
  if (status != COLLEGA_OK) return status;
  if (!id_from(&origin, receipt->origin.data, receipt->origin.len) ||
      !verify_once(seen, key, &origin, receipt->tree_size, &root, receipt->signature.data)) {
    return error_set(error, COLLEGA_FORGED, RULE_receipt_signature, NULL, NULL);
  }
  return COLLEGA_OK;
}

enum collega_status receipt_verify(const Collega__ReceiptRun *receipt, const struct id *ids,
                                   size_t count, const uint8_t key[32], uint64_t *seqs,
                                   struct collega_error *error) {
  return verify(receipt, ids, count, key, seqs, NULL, error);
}

enum collega_status receipt_verify_next(const Collega__ReceiptRun *receipt, const struct id *ids,
                                        size_t count, const uint8_t key[32],
                                        struct receipt_seen *seen, struct collega_error *error) {
  return verify(receipt, ids, count, key, NULL, seen, error);
}
