/* Frames written by splicing: fields of protobuf messages laid one after another in an arena, with
 * bytes that are already packed taken as they are. For what is large and relayed verbatim;
 * everything small goes through protobuf-c. */
#ifndef COLLEGA_BROKER_FRAME_H
#define COLLEGA_BROKER_FRAME_H
#include "base/bytes.h"

/* `failed` sticks once the arena is exhausted: check it once, at the end. */
struct frame {
  struct arena *arena;
  uint8_t *data;
  size_t length, capacity;
  bool failed;
};
void frame_start(struct frame *frame, struct arena *arena, size_t capacity);
void frame_raw(struct frame *frame, const void *data, size_t length);
void frame_varint(struct frame *frame, uint64_t value);
void frame_number(struct frame *frame, uint32_t field, uint64_t value);
void frame_bytes(struct frame *frame, uint32_t field, const void *data, size_t length);
/* The tag and length of a field whose `length` bytes the caller writes next. */
void frame_open(struct frame *frame, uint32_t field, size_t length);
size_t varint_size(uint64_t value);
/* Bytes of a whole field with a length: tag, length, content. Field numbers below 16. */
size_t frame_field_size(size_t length);

/* Reading packed bytes of ours: the next field. False at the end, and (with *bad set) when
 * malformed. */
struct field {
  uint32_t number;
  uint32_t wire;
  uint64_t value;
  struct bytes content;
};
bool field_next(struct bytes *rest, struct field *field, bool *bad);
bool varint_next(struct bytes *rest, uint64_t *value);
#endif
