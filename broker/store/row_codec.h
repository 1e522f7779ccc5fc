/* Small fixed rows to bytes and back: numbers big-endian, bytes as they are, texts behind one byte
 * of length. Reading past the end marks the row as bad instead of reading on: check once, at the
 * end. */
#ifndef COLLEGA_BROKER_ROW_CODEC_H
#define COLLEGA_BROKER_ROW_CODEC_H
#include <string.h>

#include "base/bytes.h"

#define ROW_MOST_BYTES 512
struct row_out {
  uint8_t data[ROW_MOST_BYTES];
  size_t length;
};
struct row_in {
  const uint8_t *at;
  size_t left;
  bool bad;
};

static inline void row_put(struct row_out *row, const void *data, size_t length) {
  if (length > ROW_MOST_BYTES - row->length) return; /* no row of ours is that long */
  memcpy(row->data + row->length, data, length);
  row->length += length;
}
static inline void row_put_u8(struct row_out *row, uint8_t value) {
  row_put(row, &value, 1);
}
static inline void row_put_u32(struct row_out *row, uint32_t value) {
  uint8_t bytes[4];
  put_be32(bytes, value);
  row_put(row, bytes, sizeof bytes);
}
static inline void row_put_u64(struct row_out *row, uint64_t value) {
  uint8_t bytes[8];
  put_be64(bytes, value);
  row_put(row, bytes, sizeof bytes);
}
static inline void row_put_text(struct row_out *row, const char *text) {
  size_t length = strlen(text);
  if (length > UINT8_MAX) length = utf8_cut(text, UINT8_MAX);
  row_put_u8(row, (uint8_t)length);
  row_put(row, text, length);
}
static inline struct bytes row_bytes(const struct row_out *row) {
  return bytes_of(row->data, row->length);
}

static inline struct row_in row_reader(struct bytes bytes) {
  return (struct row_in){bytes.data, bytes.length, false};
}
static inline void row_get(struct row_in *row, void *out, size_t length) {
  if (length > row->left) row->bad = true;
  if (row->bad) {
    memset(out, 0, length);
    return;
  }
  memcpy(out, row->at, length);
  row->at += length;
  row->left -= length;
}
static inline uint8_t row_get_u8(struct row_in *row) {
  uint8_t value;
  row_get(row, &value, 1);
  return value;
}
static inline uint32_t row_get_u32(struct row_in *row) {
  uint8_t bytes[4];
  row_get(row, bytes, sizeof bytes);
  return get_be32(bytes);
}
static inline uint64_t row_get_u64(struct row_in *row) {
  uint8_t bytes[8];
  row_get(row, bytes, sizeof bytes);
  return get_be64(bytes);
}
static inline void row_get_text(struct row_in *row, char *out, size_t capacity) {
  size_t length = row_get_u8(row);
  if (length >= capacity) row->bad = true;
  if (row->bad) length = 0;
  row_get(row, out, length);
  out[length] = 0;
}
/* True when all was there, and nothing else. */
static inline bool row_complete(const struct row_in *row) {
  return !row->bad && row->left == 0;
}
static inline enum collega_status row_damaged(struct collega_error *error, const char *table) {
  return error_set(error, COLLEGA_DAMAGED, RULE_disk_corrupt, NULL, table, "row", NULL);
}
#endif
