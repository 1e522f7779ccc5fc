/* UTF-8 as we believe it: strict, and without the characters that make a text look like another one
 * or drive a terminal. */
#include "base/bytes.h"
#include <string.h>

/* Reads one code point at data (length > 0). Returns the bytes it takes, 0 when malformed. */
static size_t code_point(const uint8_t *data, size_t length, uint32_t *out) {
  uint8_t first = data[0];
  if (first < 0x80) {
    *out = first;
    return 1;
  }
  size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || length < size) return 0;
  uint32_t point = first & (0x7FU >> size);
  for (size_t i = 1; i < size; i++) {
    if ((data[i] & 0xC0) != 0x80) return 0;
    point = point << 6 | (data[i] & 0x3FU);
  }
  bool overlong = (size == 3 && point < 0x800) || (size == 4 && point < 0x10000);
  bool surrogate = point >= 0xD800 && point <= 0xDFFF;
  if (overlong || surrogate || point > 0x10FFFF) return 0;
  *out = point;
  return size;
}

size_t utf8_next(const uint8_t *data, size_t length, uint32_t *out) {
  return length == 0 ? 0 : code_point(data, length, out);
}

bool utf8_valid(const uint8_t *data, size_t length) {
  uint32_t point;
  for (size_t at = 0, size; at < length; at += size) {
    size = code_point(data + at, length - at, &point);
    if (size == 0) return false;
  }
  return true;
}

bool utf8_control(uint32_t point) {
  return point < 0x20 || (point >= 0x7F && point <= 0x9F) || point == 0x2028 || point == 0x2029 ||
         (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
}

/* Eight at a time, as most texts are nothing else. A byte is not printable ASCII when it is below 0x20, is 0x7F,
 * or has its highest bit set. */
size_t utf8_plain(const uint8_t *data, size_t length) {
  const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
  size_t at = 0;
  for (; at + 8 <= length; at += 8) {
    uint64_t word;
    memcpy(&word, data + at, 8);
    /* Exact where no byte has its high bit, and then the subtraction borrows only where a byte is too
     * small; with such a byte the whole word is left to the loop below, which is always safe. */
    uint64_t below = word - 0x20 * ones, deleted = (word ^ (0x7F * ones)) - ones;
    if ((word | below | deleted) & high) break;
  }
  while (at < length && data[at] >= 0x20 && data[at] < 0x7F)
    at++;
  return at;
}

bool utf8_text(const uint8_t *data, size_t length, bool lines) {
  uint32_t point;
  for (size_t at = utf8_plain(data, length), size; at < length;
       at += size, at += utf8_plain(data + at, length - at)) {
    size = code_point(data + at, length - at, &point);
    if (size == 0) return false;
    if (utf8_control(point) && !(lines && point == '\n')) return false;
  }
  return true;
}

struct range {
  uint32_t first, last;
};

static bool within(uint32_t point, const struct range *ranges, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (point >= ranges[i].first && point <= ranges[i].last) return true;
  return false;
}

/* None for marks that are drawn over the character before them, joiners and variation selectors; two
 * for East Asian wide characters and pictures. */
static size_t point_columns(uint32_t point) {
  static const struct range none[] = {{0x0300, 0x036F}, {0x0483, 0x0489},  {0x0591, 0x05BD},
                                      {0x064B, 0x065F}, {0x1AB0, 0x1AFF},  {0x1DC0, 0x1DFF},
                                      {0x200B, 0x200F}, {0x20D0, 0x20FF},  {0xFE00, 0xFE0F},
                                      {0xFE20, 0xFE2F}, {0x1F3FB, 0x1F3FF}};
  static const struct range two[] = {
      {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},
      {0x4E00, 0x9FFF},   {0xA000, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},
      {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
      {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};
  if (within(point, none, sizeof none / sizeof none[0])) return 0;
  return within(point, two, sizeof two / sizeof two[0]) ? 2 : 1;
}

size_t utf8_fit(const char *text, size_t most, size_t *columns) {
  const uint8_t *data = (const uint8_t *)text;
  size_t length = strlen(text), at = 0;
  uint32_t point;
  *columns = 0;
  while (at < length) {
    size_t size = code_point(data + at, length - at, &point);
    /* Not UTF-8 after all: a terminal shows one mark for the byte. */
    size_t more = size == 0 ? 1 : point_columns(point);
    if (more > most - *columns) break;
    *columns += more;
    at += size == 0 ? 1 : size;
  }
  return at;
}

size_t utf8_columns(const char *text) {
  size_t columns;
  utf8_fit(text, SIZE_MAX, &columns);
  return columns;
}

size_t utf8_cut(const char *text, size_t most) {
  size_t length = strnlen(text, most + 1);
  if (length <= most) return length;
  size_t end = most;
  while (end > 0 && ((uint8_t)text[end] & 0xC0) == 0x80)
    end--;
  return end;
}
