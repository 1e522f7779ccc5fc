#include "proto/wire.h"

static bool read_varint(struct bytes *rest, uint64_t *out) {
  *out = 0;
  for (unsigned shift = 0; rest->length && shift < 64; shift += 7) {
    uint8_t byte = *rest->data;
    *rest = bytes_of(rest->data + 1, rest->length - 1);
    *out |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool wire_next(struct bytes *rest, uint32_t *number, struct bytes *content) {
  uint64_t tag, value;
  while (read_varint(rest, &tag) && read_varint(rest, &value)) {
    if ((tag & 7) == 0) continue; /* a number */
    if ((tag & 7) != 2 || tag >> 3 > UINT32_MAX || value > rest->length) return false;
    *number = (uint32_t)(tag >> 3);
    *content = bytes_of(rest->data, (size_t)value);
    *rest = bytes_of(rest->data + value, rest->length - (size_t)value);
    return true;
  }
  return false;
}
