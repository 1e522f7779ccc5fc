/* Bytes: comparing, hexadecimal, base64url, big-endian numbers, hashing, randomness. */
#include "base/bytes.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>

bool bytes_equal(struct bytes a, struct bytes b) {
  return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

bool id_equal(const struct id *a, const struct id *b) {
  return memcmp(a->byte, b->byte, ID_BYTES) == 0;
}

bool id_is_zero(const struct id *a) {
  uint8_t any = 0;
  for (size_t i = 0; i < ID_BYTES; i++)
    any |= a->byte[i];
  return any == 0;
}

static bool copy_exactly(uint8_t *out, size_t wanted, const uint8_t *data, size_t length) {
  if (length != wanted) {
    memset(out, 0, wanted);
    return false;
  }
  memcpy(out, data, wanted);
  return true;
}

bool id_from(struct id *out, const uint8_t *data, size_t length) {
  return copy_exactly(out->byte, ID_BYTES, data, length);
}

bool epoch_from(struct epoch *out, const uint8_t *data, size_t length) {
  return copy_exactly(out->byte, EPOCH_BYTES, data, length);
}

bool short_id_from(struct short_id *out, const uint8_t *data, size_t length) {
  return copy_exactly(out->byte, SHORT_ID_BYTES, data, length);
}

static const char hex_digits[] = "0123456789abcdef";

/* -1: not a hexadecimal digit. */
static int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

void hex_write(char *out, const uint8_t *data, size_t length) {
  for (size_t i = 0; i < length; i++) {
    out[2 * i] = hex_digits[data[i] >> 4];
    out[2 * i + 1] = hex_digits[data[i] & 15];
  }
  out[2 * length] = '\0';
}

bool hex_read(uint8_t *out, size_t length, const char *text) {
  for (size_t i = 0; i < length; i++) {
    int high = hex_value(text[2 * i]);
    int low = high < 0 ? -1 : hex_value(text[2 * i + 1]);
    if (low < 0) return false;
    out[i] = (uint8_t)(high * 16 + low);
  }
  return text[2 * length] == '\0';
}

bool hex_prefix_read(struct id *out, size_t *digits, const char *text) {
  memset(out, 0, sizeof *out);
  *digits = 0;
  size_t count = 0;
  for (; text[count] != '\0'; count++) {
    int value = hex_value(text[count]);
    if (value < 0 || count == 2 * (size_t)ID_BYTES) return false;
    uint8_t *byte = &out->byte[count / 2];
    *byte = (uint8_t)(count % 2 == 0 ? value << 4 : *byte | value);
  }
  *digits = count;
  return count > 0;
}

bool hex_prefix_fits(const uint8_t *data, size_t length, const struct id *prefix, size_t digits) {
  if (digits > 2 * length || digits > 2 * (size_t)ID_BYTES) return false;
  if (memcmp(data, prefix->byte, digits / 2) != 0) return false;
  return digits % 2 == 0 || data[digits / 2] >> 4 == prefix->byte[digits / 2] >> 4;
}

bool id_search_begin(struct id_search *search, const char *typed, size_t length) {
  *search = (struct id_search){.length = length};
  return hex_prefix_read(&search->prefix, &search->digits, typed);
}

bool id_search_give(struct id_search *search, const uint8_t *data) {
  return !hex_prefix_fits(data, search->length, &search->prefix, search->digits) ||
         id_search_take(search, data);
}

bool id_search_take(struct id_search *search, const uint8_t *data) {
  for (size_t i = 0; i < search->count; i++)
    if (memcmp(search->found[i].byte, data, search->length) == 0) return true;
  memcpy(search->found[search->count++].byte, data, search->length);
  return search->count < ID_CANDIDATES;
}

/* How many digits tell all candidates apart. */
static size_t telling_digits(const struct id_search *search) {
  char one[2 * ID_BYTES + 1], other[2 * ID_BYTES + 1];
  size_t digits = 8;
  for (size_t i = 0; i + 1 < search->count; i++)
    for (size_t j = i + 1; j < search->count; j++) {
      hex_write(one, search->found[i].byte, search->length);
      hex_write(other, search->found[j].byte, search->length);
      size_t same = 0;
      while (one[same] != '\0' && one[same] == other[same])
        same++;
      if (same + 1 > digits) digits = same + 1;
    }
  return digits;
}

void id_search_list(const struct id_search *search, char *out, size_t capacity) {
  size_t digits = telling_digits(search), length = 0;
  out[0] = '\0';
  for (size_t i = 0; i < search->count; i++) {
    char text[2 * ID_BYTES + 1];
    hex_write(text, search->found[i].byte, search->length);
    int printed =
        snprintf(out + length, capacity - length, "%s%.*s", i == 0 ? "" : ", ", (int)digits, text);
    if (printed < 0 || (size_t)printed >= capacity - length) {
      out[length] = '\0'; /* half an id would mislead */
      return;
    }
    length += (size_t)printed;
  }
  if (search->count == ID_CANDIDATES && capacity - length > 5) strcpy(out + length, ", ...");
}

enum collega_status id_search_end(const struct id_search *search, const char *typed, uint8_t *out,
                                  struct collega_error *error) {
  if (search->count == 0)
    return error_set(error, COLLEGA_NOT_FOUND, RULE_id_unknown, NULL, typed, NULL);
  if (search->count > 1) {
    char list[sizeof error->argument[0]];
    id_search_list(search, list, sizeof list);
    return error_set(error, COLLEGA_REFUSED, RULE_id_ambiguous, NULL, typed, list, NULL);
  }
  memcpy(out, search->found[0].byte, search->length);
  return COLLEGA_OK;
}

size_t base64_write(char *out, size_t capacity, const uint8_t *data, size_t length) {
  /* libsodium ends the process when the array is too small, so that is found out before. */
  if (capacity == 0) return 0;
  out[0] = '\0';
  if (length > SIZE_MAX / 2) return 0;
  size_t needed = sodium_base64_encoded_len(length, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  if (needed > capacity) return 0;
  sodium_bin2base64(out, capacity, data, length, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  return needed - 1;
}

size_t base64_read(uint8_t *out, size_t capacity, const char *text, size_t length) {
  size_t written = 0;
  if (sodium_base642bin(out, capacity, text, length, NULL, &written, NULL,
                        sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
    return 0;
  return written;
}

void put_be32(uint8_t *out, uint32_t value) {
  for (int i = 3; i >= 0; i--, value >>= 8)
    out[i] = (uint8_t)value;
}

void put_be64(uint8_t *out, uint64_t value) {
  for (int i = 7; i >= 0; i--, value >>= 8)
    out[i] = (uint8_t)value;
}

uint32_t get_be32(const uint8_t *in) {
  uint32_t value = 0;
  for (int i = 0; i < 4; i++)
    value = value << 8 | in[i];
  return value;
}

uint64_t get_be64(const uint8_t *in) {
  uint64_t value = 0;
  for (int i = 0; i < 8; i++)
    value = value << 8 | in[i];
  return value;
}

void hash_parts(struct id *out, const char *tag, const struct bytes *parts, size_t count) {
  crypto_generichash_state state;
  crypto_generichash_init(&state, NULL, 0, ID_BYTES);
  crypto_generichash_update(&state, (const uint8_t *)tag, strlen(tag));
  for (size_t i = 0; i < count; i++)
    if (parts[i].length > 0) crypto_generichash_update(&state, parts[i].data, parts[i].length);
  crypto_generichash_final(&state, out->byte, ID_BYTES);
}

enum collega_status bytes_start(struct collega_error *error) {
  if (sodium_init() < 0) return error_set(error, COLLEGA_SYSTEM, RULE_sodium_start, NULL, NULL);
  return COLLEGA_OK;
}

void random_fill(void *out, size_t length) {
  randombytes_buf(out, length);
}
