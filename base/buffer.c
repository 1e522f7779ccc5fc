/* A buffer that grows up to its limit. A refusal sticks, so a writer of many pieces asks once. */
#include "base/bytes.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNLIMITED      ((size_t)1 << 30)
#define FIRST_CAPACITY 256

void buffer_init(struct buffer *buffer, size_t limit) {
  *buffer = (struct buffer){.limit = limit == 0 ? UNLIMITED : limit};
}

void buffer_free(struct buffer *buffer) {
  free(buffer->data);
  buffer_init(buffer, buffer->limit);
}

/* Room for `size` more bytes, which the limit has already allowed. */
static bool reserve(struct buffer *buffer, size_t size) {
  size_t needed = buffer->length + size;
  if (needed <= buffer->capacity) return true;
  size_t capacity = buffer->capacity == 0 ? FIRST_CAPACITY : buffer->capacity;
  while (capacity < needed)
    capacity = capacity > SIZE_MAX / 2 ? needed : 2 * capacity;
  uint8_t *data = realloc(buffer->data, capacity);
  if (data == NULL) {
    buffer->failed = true;
    return false;
  }
  buffer->data = data;
  buffer->capacity = capacity;
  return true;
}

uint8_t *buffer_extend(struct buffer *buffer, size_t size) {
  if (buffer->failed) return NULL;
  if (size > buffer->limit - buffer->length) {
    buffer->failed = true;
    return NULL;
  }
  if (!reserve(buffer, size == 0 ? 1 : size)) return NULL;
  uint8_t *at = buffer->data + buffer->length;
  buffer->length += size;
  return at;
}

void buffer_append(struct buffer *buffer, const void *data, size_t size) {
  uint8_t *at = buffer_extend(buffer, size);
  if (at != NULL && size > 0) memcpy(at, data, size);
}

void buffer_print(struct buffer *buffer, const char *format, ...) {
  if (buffer->failed) return;
  va_list list, again;
  va_start(list, format);
  va_copy(again, list);
  int printed = vsnprintf(NULL, 0, format, list);
  size_t length = printed < 0 ? 0 : (size_t)printed;
  if (printed < 0 || length > buffer->limit - buffer->length) {
    buffer->failed = true;
  } else if (reserve(buffer, length + 1)) {
    vsnprintf((char *)buffer->data + buffer->length, length + 1, format, again);
    buffer->length += length;
  }
  va_end(again);
  va_end(list);
}

const char *buffer_text(struct buffer *buffer) {
  if (buffer->failed || !reserve(buffer, 1)) return "";
  buffer->data[buffer->length] = '\0';
  return (const char *)buffer->data;
}
