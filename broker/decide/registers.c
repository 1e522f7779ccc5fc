/* The decider's registers to bytes and back. */
#include "broker/decide/registers.h"

#include <string.h>

#include "base/words.h"
#include "broker/store/row_codec.h"

static void put_deal(struct row_out *row, const struct register_deal *deal) {
  row_put(row, deal->deal.byte, ID_BYTES);
  row_put_u8(row, deal->amendment);
  row_put_u32(row, (uint32_t)deal->verdict);
  row_put_u32(row, deal->position);
  row_put(row, deal->decision.byte, ID_BYTES);
  row_put_text(row, deal->why == RULE_NONE ? "" : rule_name(deal->why));
  row_put_u32(row, deal->proposer);
  row_put_u32(row, (uint32_t)deal->waiting);
  row_put_u8(row, deal->in_time);
  row_put(row, deal->waiting_basis.byte, ID_BYTES);
  row_put(row, deal->waiting_predecessor.byte, ID_BYTES);
}

static void get_deal(struct row_in *row, struct register_deal *deal) {
  char why[UINT8_MAX + 1];
  row_get(row, deal->deal.byte, ID_BYTES);
  deal->amendment = row_get_u8(row) != 0;
  deal->verdict = (int)row_get_u32(row);
  deal->position = row_get_u32(row);
  row_get(row, deal->decision.byte, ID_BYTES);
  row_get_text(row, why, sizeof why);
  deal->why = why[0] ? rule_from_name(why) : RULE_NONE;
  deal->proposer = row_get_u32(row);
  deal->waiting = (int)row_get_u32(row);
  deal->in_time = row_get_u8(row) != 0;
  row_get(row, deal->waiting_basis.byte, ID_BYTES);
  row_get(row, deal->waiting_predecessor.byte, ID_BYTES);
  if (deal->proposer > 1) row->bad = true;
}

static void put_reduction(struct row_out *row, const struct register_reduction *reduction) {
  row_put_u32(row, reduction->position);
  row_put(row, reduction->deal.byte, ID_BYTES);
  row_put(row, reduction->decision.byte, ID_BYTES);
  row_put_u32(row, reduction->part.headcount);
  row_put_u32(row, (uint32_t)reduction->part.effective);
  row_put(row, reduction->part.by.byte, ID_BYTES);
  row_put(row, reduction->part.basis.byte, ID_BYTES);
  row_put_u64(row, (uint64_t)reduction->part.time);
}

static void get_reduction(struct row_in *row, struct register_reduction *reduction) {
  reduction->position = row_get_u32(row);
  row_get(row, reduction->deal.byte, ID_BYTES);
  row_get(row, reduction->decision.byte, ID_BYTES);
  reduction->part.headcount = row_get_u32(row);
  reduction->part.effective = (collega_date)row_get_u32(row);
  row_get(row, reduction->part.by.byte, ID_BYTES);
  row_get(row, reduction->part.basis.byte, ID_BYTES);
  reduction->part.time = (collega_time)row_get_u64(row);
}

static void put_head(struct row_out *row, const struct decide_register *reg) {
  row_put(row, reg->parties[0].byte, ID_BYTES);
  row_put(row, reg->parties[1].byte, ID_BYTES);
  row_put_u32(row, reg->root_epoch);
  row_put_u32(row, reg->epoch);
  row_put_u32(row, reg->position);
  row_put(row, reg->last_decision.byte, ID_BYTES);
  row_put(row, reg->last_deal.byte, ID_BYTES);
  row_put_u32(row, (uint32_t)reg->last_verdict);
  row_put_u32(row, (uint32_t)reg->last_effective);
  row_put_u32(row, reg->answered[0]);
  row_put_u32(row, reg->answered[1]);
  row_put_u32(row, reg->asked);
  row_put_u8(row, reg->released);
  row_put_u32(row, (uint32_t)reg->count);
}

enum collega_status register_read(struct store_txn *txn, const struct id *root,
                                  struct decide_register *out, struct collega_error *error) {
  memset(out, 0, sizeof *out);
  struct bytes value;
  enum collega_status status =
      store_get(txn, STORE_REGISTERS, bytes_of(root->byte, ID_BYTES), &value, error);
  if (status || !value.data) return status;
  struct row_in row = row_reader(value);
  out->root = *root;
  row_get(&row, out->parties[0].byte, ID_BYTES);
  row_get(&row, out->parties[1].byte, ID_BYTES);
  out->root_epoch = row_get_u32(&row);
  out->epoch = row_get_u32(&row);
  out->position = row_get_u32(&row);
  row_get(&row, out->last_decision.byte, ID_BYTES);
  row_get(&row, out->last_deal.byte, ID_BYTES);
  out->last_verdict = (int)row_get_u32(&row);
  out->last_effective = (collega_date)row_get_u32(&row);
  out->answered[0] = row_get_u32(&row);
  out->answered[1] = row_get_u32(&row);
  out->asked = row_get_u32(&row);
  out->released = row_get_u8(&row) != 0;
  out->count = row_get_u32(&row);
  if (out->count > REGISTER_DEALS) return row_damaged(error, "registers");
  for (size_t i = 0; i < out->count; i++)
    get_deal(&row, &out->deals[i]);
  if (row.left > 0) out->reduction_count = row_get_u32(&row);
  if (out->reduction_count > REDUCTIONS_MOST) return row_damaged(error, "registers");
  for (size_t i = 0; i < out->reduction_count; i++)
    get_reduction(&row, &out->reductions[i]);
  return row_complete(&row) ? COLLEGA_OK : row_damaged(error, "registers");
}

enum collega_status register_write(struct store_txn *txn, const struct decide_register *reg,
                                   struct collega_error *error) {
  struct row_out rows[REGISTER_DEALS + REDUCTIONS_MOST + 2];
  struct bytes parts[REGISTER_DEALS + REDUCTIONS_MOST + 2];
  size_t count = 0;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    rows[i].length = 0;
  put_head(&rows[count++], reg);
  for (size_t i = 0; i < reg->count; i++)
    put_deal(&rows[count++], &reg->deals[i]);
  row_put_u32(&rows[count++], (uint32_t)reg->reduction_count);
  for (size_t i = 0; i < reg->reduction_count; i++)
    put_reduction(&rows[count++], &reg->reductions[i]);
  for (size_t i = 0; i < count; i++)
    parts[i] = row_bytes(&rows[i]);
  return store_put_parts(txn, STORE_REGISTERS, bytes_of(reg->root.byte, ID_BYTES), parts, count,
                         error);
}
