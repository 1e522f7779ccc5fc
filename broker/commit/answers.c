/* What a batch has to tell when it is on disk: frames to send, and news for the daemon's own
 * tables. */
#include <string.h>

#include "broker/commit/batch.h"
#include "proto/guard.h"

enum { FROM_BROKER_RECEIPTS = 3, RECEIPTS_RECEIPT = 1, RECEIPTS_IDS = 2 };

void *array_grow(struct arena *arena, void *items, size_t count, size_t *capacity, size_t size) {
  if (count < *capacity) return items;
  size_t more = *capacity ? *capacity * 2 : 8;
  void *grown = arena_take(arena, more * size);
  if (!grown) return NULL;
  if (count) memcpy(grown, items, count * size);
  *capacity = more;
  return grown;
}

enum collega_status batch_exhausted(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

static enum collega_status add(struct batch *batch, struct answer answer,
                               struct collega_error *error) {
  struct commit_result *result = batch->result;
  struct answer *answers = answer.packed.data
                               ? array_grow(batch->arena, result->answers, result->answer_count,
                                            &batch->answer_capacity, sizeof *answers)
                               : NULL;
  if (!answers) return batch_exhausted(error);
  result->answers = answers;
  answers[result->answer_count++] = answer;
  return COLLEGA_OK;
}

enum collega_status answer_add(struct batch *batch, uint64_t session, struct bytes packed,
                               uint32_t records, struct collega_error *error) {
  return add(batch, (struct answer){.session = session, .packed = packed, .records = records},
             error);
}

enum collega_status answer_frame(struct batch *batch, uint64_t session, const struct id *home,
                                 const Collega__FromBroker *frame, uint32_t records,
                                 struct collega_error *error) {
  struct answer answer = {
      .session = session, .packed = message_pack(&frame->base, batch->arena), .records = records};
  if (home) answer.home = *home;
  return add(batch, answer, error);
}

enum collega_status answer_refusal(struct batch *batch, uint64_t session, const struct id *which,
                                   Collega__RefusalCode code, const struct collega_error *refusal,
                                   struct collega_error *error) {
  return answer_add(batch, session, refusal_pack(batch->arena, which, code, refusal), 0, error);
}

enum collega_status answer_receipts(struct batch *batch, uint64_t session,
                                    const struct receipt_tree *tree, uint32_t base,
                                    const uint32_t *picks, uint32_t count, const struct id *ids,
                                    struct collega_error *error) {
  struct receipt_part part;
  if (!receipt_part_prepare(&part, tree, base, picks, count, batch->arena))
    return batch_exhausted(error);
  size_t inner = frame_field_size(part.bytes) + count * frame_field_size(ID_BYTES);
  struct frame frame;
  frame_start(&frame, batch->arena, frame_field_size(inner));
  frame_open(&frame, FROM_BROKER_RECEIPTS, inner);
  frame_open(&frame, RECEIPTS_RECEIPT, part.bytes);
  receipt_part_write(&part, &frame);
  for (uint32_t i = 0; i < count; i++)
    frame_bytes(&frame, RECEIPTS_IDS, ids[i].byte, ID_BYTES);
  if (frame.failed) return batch_exhausted(error);
  return answer_add(batch, session, bytes_of(frame.data, frame.length), 0, error);
}

enum collega_status answer_stored(struct batch *batch, uint64_t session, const struct id *hash,
                                  const struct epoch *epoch, uint64_t seq,
                                  struct collega_error *error) {
  Collega__Stored stored = COLLEGA__STORED__INIT;
  stored.hash = (ProtobufCBinaryData){ID_BYTES, (uint8_t *)(uintptr_t)hash->byte};
  stored.epoch = (ProtobufCBinaryData){EPOCH_BYTES, (uint8_t *)(uintptr_t)epoch->byte};
  stored.seq = seq;
  Collega__FromBroker frame = COLLEGA__FROM_BROKER__INIT;
  frame.stored = &stored;
  return answer_frame(batch, session, NULL, &frame, 0, error);
}

enum collega_status news_mail(struct batch *batch, const struct id *party, const struct id *home,
                              uint64_t seq, struct collega_error *error) {
  struct commit_result *result = batch->result;
  struct mail_news *mail = array_grow(batch->arena, result->mail, result->mail_count,
                                      &batch->mail_capacity, sizeof *mail);
  if (!mail) return batch_exhausted(error);
  result->mail = mail;
  mail[result->mail_count++] = (struct mail_news){*party, *home, seq};
  return COLLEGA_OK;
}

enum collega_status news_changed(struct batch *batch, const struct id *party,
                                 struct collega_error *error) {
  struct commit_result *result = batch->result;
  for (size_t i = 0; i < result->changed_count; i++)
    if (id_equal(&result->changed[i], party)) return COLLEGA_OK;
  struct id *changed = array_grow(batch->arena, result->changed, result->changed_count,
                                  &batch->changed_capacity, sizeof *changed);
  if (!changed) return batch_exhausted(error);
  result->changed = changed;
  changed[result->changed_count++] = *party;
  return COLLEGA_OK;
}

enum collega_status news_link(struct batch *batch, const uint8_t key[LINK_KEY_BYTES], bool added,
                              struct collega_error *error) {
  struct commit_result *result = batch->result;
  size_t count = result->link_key_count, flags_capacity = batch->link_capacity;
  void *keys =
      array_grow(batch->arena, result->link_keys, count, &batch->link_capacity, LINK_KEY_BYTES);
  bool *flags =
      array_grow(batch->arena, result->link_key_added, count, &flags_capacity, sizeof *flags);
  if (!keys || !flags) return batch_exhausted(error);
  result->link_keys = keys;
  result->link_key_added = flags;
  memcpy(result->link_keys[count], key, LINK_KEY_BYTES);
  flags[count] = added;
  result->link_key_count++;
  return COLLEGA_OK;
}
