/* Records: a run read, verified, cut and cut again, and the receipts that go with it. */
#include "proto/record.h"

#include <string.h>

#include "proto/guard.h"
#include "proto/limits.h"
#include "tests/fuzz/fuzz.h"

/* What is cut out of a run is a run of the same tree, and can be cut again. */
static void cut(struct fuzz_input *input, const struct run_view *view, struct arena *arena) {
  uint32_t picked[64];
  size_t count = 0;
  uint8_t bits = 0;
  for (uint32_t i = 0; i < view->count && i < 64; i++) {
    if (i % 8 == 0) bits = fuzz_byte(input);
    if (bits >> (i % 8) & 1) picked[count++] = i;
  }
  if (count == 0) return;
  struct collega_error error;
  struct run_view part;
  Collega__Run *run = NULL;
  fuzz_must(run_cut(view, picked, count, arena, &run, &error) == COLLEGA_OK);
  fuzz_must(run_read_bytes(message_pack(&run->base, arena), arena, &part, &error) == COLLEGA_OK);
  fuzz_must(part.count == count && id_equal(&part.root, &view->root));
  for (size_t i = 0; i < count; i++)
    fuzz_must(id_equal(&part.records[i].id, &view->records[picked[i]].id));
}

static void receipts(struct fuzz_input *input, const struct run_view *view, const uint8_t *key,
                     struct arena *arena) {
  static struct id ids[LIMIT_RUN_RECORDS];
  static uint64_t seqs[LIMIT_RUN_RECORDS];
  struct collega_error error;
  Collega__ReceiptRun *receipt = (Collega__ReceiptRun *)fuzz_unpack(
      &collega__receipt_run__descriptor, fuzz_piece(input), arena, &error);
  if (receipt == NULL) return;
  for (size_t i = 0; i < view->count; i++)
    ids[i] = view->records[i].id;
  error_clear(&error);
  if (receipt_verify(receipt, ids, view->count, key, seqs, &error) != COLLEGA_OK) {
    fuzz_check_error(&error);
    return;
  }
  for (size_t i = 1; i < view->count; i++)
    fuzz_must(seqs[i] > seqs[i - 1]);
  if (receipt->n_leaves > 0 || receipt->tree_size != view->count) return;
  struct id leaves[LIMIT_RUN_RECORDS > 64 ? 64 : LIMIT_RUN_RECORDS];
  if (view->count > 64) return;
  for (size_t i = 0; i < view->count; i++) {
    struct receipt_position position = {.seq = seqs[i], .time = receipt->time};
    fuzz_must(id_from(&position.origin, receipt->origin.data, receipt->origin.len));
    fuzz_must(epoch_from(&position.epoch, receipt->epoch.data, receipt->epoch.len));
    receipt_leaf(&leaves[i], &position, &ids[i]);
  }
  uint32_t last = (uint32_t)view->count - 1;
  Collega__ReceiptRun *part = NULL;
  fuzz_must(receipt_cut(receipt, leaves, &last, 1, arena, &part, &error) == COLLEGA_OK);
  fuzz_must(receipt_verify(part, &ids[last], 1, key, seqs, &error) == COLLEGA_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  struct fuzz_input input = fuzz_begin(data, length);
  fuzz_forgive(fuzz_byte(&input) & 1);
  struct bytes key = fuzz_piece(&input), packed = fuzz_piece(&input);
  uint8_t signing[32] = {0};
  memcpy(signing, key.data, key.length < sizeof signing ? key.length : sizeof signing);
  struct arena *arena = fuzz_arena();
  struct run_view view;
  struct collega_error error;
  error_clear(&error);
  if (run_read_bytes(packed, arena, &view, &error) == COLLEGA_OK) {
    fuzz_must(view.count > 0 && view.count <= LIMIT_RUN_RECORDS);
    for (size_t i = 0; i < view.count; i++)
      if (view.records[i].refused != NULL) fuzz_check_error(view.records[i].refused);
    error_clear(&error);
    if (run_verify(&view, signing, &error) != COLLEGA_OK) fuzz_check_error(&error);
    receipts(&input, &view, signing, arena);
    cut(&input, &view, arena);
  } else {
    fuzz_check_error(&error);
  }
  arena_destroy(&arena);
  return 0;
}
