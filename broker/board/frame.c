/* Writing and reading protobuf's outer shape by hand. Two wire types occur in our schema: numbers
 * (0) and bytes with a length (2). */
#include "broker/board/frame.h"

#include <string.h>

enum { WIRE_NUMBER = 0, WIRE_LENGTH = 2 };

void frame_start(struct frame *frame, struct arena *arena, size_t capacity) {
  *frame = (struct frame){.arena = arena, .capacity = capacity ? capacity : 64};
  frame->data = arena_take(arena, frame->capacity);
  frame->failed = !frame->data;
}

static uint8_t *room(struct frame *frame, size_t size) {
  if (frame->failed) return NULL;
  if (size > frame->capacity - frame->length) {
    size_t capacity = frame->capacity * 2 + size;
    uint8_t *data = arena_take(frame->arena, capacity);
    if (!data) {
      frame->failed = true;
      return NULL;
    }
    memcpy(data, frame->data, frame->length);
    frame->data = data;
    frame->capacity = capacity;
  }
  uint8_t *at = frame->data + frame->length;
  frame->length += size;
  return at;
}

void frame_raw(struct frame *frame, const void *data, size_t length) {
  uint8_t *at = room(frame, length);
  if (at && length) memcpy(at, data, length);
}

size_t varint_size(uint64_t value) {
  size_t size = 1;
  while (value >= 0x80) {
    value >>= 7;
    size++;
  }
  return size;
}

void frame_varint(struct frame *frame, uint64_t value) {
  uint8_t *at = room(frame, varint_size(value));
  if (!at) return;
  while (value >= 0x80) {
    *at++ = (uint8_t)(value | 0x80);
    value >>= 7;
  }
  *at = (uint8_t)value;
}

void frame_number(struct frame *frame, uint32_t field, uint64_t value) {
  frame_varint(frame, (uint64_t)field << 3 | WIRE_NUMBER);
  frame_varint(frame, value);
}

void frame_open(struct frame *frame, uint32_t field, size_t length) {
  frame_varint(frame, (uint64_t)field << 3 | WIRE_LENGTH);
  frame_varint(frame, length);
}

void frame_bytes(struct frame *frame, uint32_t field, const void *data, size_t length) {
  frame_open(frame, field, length);
  frame_raw(frame, data, length);
}

size_t frame_field_size(size_t length) {
  return 1 + varint_size(length) + length;
}

bool varint_next(struct bytes *rest, uint64_t *value) {
  *value = 0;
  for (unsigned shift = 0; shift < 64 && rest->length; shift += 7) {
    uint8_t byte = *rest->data++;
    rest->length--;
    *value |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool field_next(struct bytes *rest, struct field *field, bool *bad) {
  *bad = false;
  if (!rest->length) return false;
  uint64_t tag = 0;
  *bad = true;
  if (!varint_next(rest, &tag) || tag >> 3 > UINT32_MAX) return false;
  field->number = (uint32_t)(tag >> 3);
  field->wire = tag & 7;
  if (!varint_next(rest, &field->value)) return false;
  field->content = bytes_of(NULL, 0);
  if (field->wire == WIRE_LENGTH) {
    if (field->value > rest->length) return false;
    field->content = bytes_of(rest->data, (size_t)field->value);
    rest->data += field->value;
    rest->length -= (size_t)field->value;
  } else if (field->wire != WIRE_NUMBER) {
    return false;
  }
  *bad = false;
  return true;
}
