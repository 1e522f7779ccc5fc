/* Messages as they should not be: what a guard and a reader of JSON meet first from somebody who means ill. Each
 * message of the schema is broken in each way; merging keeps those that reach something new. */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/seeds.h"

/* ---- bytes */

struct wire {
  struct maker *maker;
  const ProtobufCMessageDescriptor *type;
  struct bytes packed;
};

static void put_varint(struct buffer *out, uint64_t number) {
  for (; number > 127; number >>= 7)
    put_byte(out, (unsigned)(number & 127) | 128);
  put_byte(out, (unsigned)number);
}

/* The type, the first `keep` bytes of the message, then `more`. */
static void seed_with(const struct wire *wire, size_t keep, const struct buffer *more) {
  struct buffer seed;
  if (keep + more->length > SEED_BYTES) return;
  buffer_init(&seed, 0);
  put_byte(&seed, fuzz_type_number(wire->type));
  put_bytes(&seed, bytes_of(wire->packed.data, keep));
  put_bytes(&seed, bytes_of(more->data, more->length));
  write_seed(wire->maker, "guard", &seed);
  buffer_free(&seed);
}

/* Contents of a field of length: of no message, text, id or list of numbers is each of them right. */
static const struct {
  size_t length;
  const char *bytes;
} contents[] = {{0, ""},
                {1, "\xff"},
                {3, "\xc3\xa9"
                    "x"},
                {4, "a\0b\n"},
                {5, "\xe2\x80\xae"
                    "xy"},
                {11, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"},
                {2, "\x08\x01"},
                {40, "0123456789012345678901234567890123456789"}};
static const uint64_t numbers[] = {0, 1, 100000, INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX};

static void break_field(const struct wire *wire, uint32_t number) {
  size_t whole = wire->packed.length;
  struct buffer more;
  buffer_init(&more, 0);
  for (size_t i = 0; i < sizeof contents / sizeof contents[0]; ++i) {
    more.length = 0;
    put_varint(&more, (uint64_t)number << 3 | 2);
    put_varint(&more, contents[i].length);
    put_bytes(&more, bytes_of((const uint8_t *)contents[i].bytes, contents[i].length));
    seed_with(wire, 0, &more);
    if (i == 0) seed_with(wire, whole, &more); /* a second time, or one more */
  }
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; ++i) {
    more.length = 0;
    put_varint(&more, (uint64_t)number << 3);
    put_varint(&more, numbers[i]);
    seed_with(wire, 0, &more);
    if (i == 0) seed_with(wire, whole, &more);
  }
  buffer_free(&more);
}

void seed_wire_faults(struct maker *maker, const ProtobufCMessageDescriptor *type,
                      struct bytes packed) {
  static const char *const tails[] = {
      "\x0b",                                         /* a group */
      "\x0d\1\2\3\4",                                 /* four bytes fixed */
      "\xf8\xff\xff\xff\x0f\x01",                     /* a field with the largest number */
      "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", /* a varint too long */
      "\x0a\x7f"};                                    /* longer than what is left */
  const struct wire wire = {maker, type, packed};
  struct buffer more, seed;
  buffer_init(&more, 0);
  for (size_t i = 0; i < sizeof tails / sizeof tails[0]; ++i) {
    more.length = 0;
    put_bytes(&more, text_bytes(tails[i]));
    seed_with(&wire, packed.length, &more);
  }
  more.length = 0;
  seed_with(&wire, packed.length / 2, &more);
  put_bytes(&more, packed); /* every field twice */
  seed_with(&wire, packed.length, &more);
  for (unsigned i = 0; i < type->n_fields; ++i)
    break_field(&wire, type->fields[i].id);
  buffer_free(&more);
  buffer_init(&seed, 0);
  for (unsigned number = fuzz_type_number(type); number <= UINT8_MAX; ++number) {
    if (fuzz_type((uint8_t)number) != type || !fuzz_type_is_scarce((uint8_t)number)) continue;
    put_byte(&seed, number);
    put_bytes(&seed, packed);
    write_seed(maker, "guard", &seed);
  }
  buffer_free(&seed);
}

/* ---- JSON */

void put_json(struct buffer *out, const ProtobufCMessageDescriptor *type, unsigned how,
              const json_t *json) {
  char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
  fuzz_must(text != NULL);
  put_byte(out, fuzz_type_number(type));
  put_byte(out, how);
  put_bytes(out, text_bytes(text));
  free(text);
}

static void seed_json(struct maker *maker, const ProtobufCMessageDescriptor *type, unsigned how,
                      const json_t *json) {
  struct buffer seed;
  buffer_init(&seed, 0);
  put_json(&seed, type, how, json);
  if (seed.length <= SEED_BYTES) write_seed(maker, "json", &seed);
  buffer_free(&seed);
}

/* A value that is none of these, or not this one. */
static json_t *wrong_value(size_t which, const json_t *right) {
  static const char *const texts[] = {
      "", "2027-02-30", "0g", "NONE_OF_THESE", "2027-01-31T23:00:00Z", "\xe2\x80\xae"};
  size_t count = sizeof texts / sizeof texts[0];
  if (which < count) return json_string(texts[which]);
  switch (which - count) {
  case 0:
    return json_null();
  case 1:
    return json_true();
  case 2:
    return json_integer(-1);
  case 3:
    return json_integer(INT64_MAX);
  case 4:
    return json_real(40.0);
  case 5:
    return json_object();
  case 6:
    return json_array();
  case 7:
    return json_pack("[O, O]", right, right);
  case 8:
    return json_array_size(right) ? json_incref(json_array_get(right, 0)) : json_null();
  }
  return NULL;
}

static void break_member(struct maker *maker, const ProtobufCMessageDescriptor *type, json_t *json,
                         const char *name) {
  json_t *wrong, *right = json_incref(json_object_get(json, name));
  for (size_t i = 0; (wrong = wrong_value(i, right)) != NULL; ++i) {
    fuzz_must(json_object_set_new(json, name, wrong) == 0);
    seed_json(maker, type, i & 1, json);
  }
  fuzz_must(json_object_del(json, name) == 0);
  seed_json(maker, type, 0, json);
  fuzz_must(json_object_set_new(json, name, right) == 0);
}

void seed_json_faults(struct maker *maker, const ProtobufCMessageDescriptor *type, json_t *json) {
  static const char *const texts[] = {"{\"a\":1,\"a\":2}",
                                      "{\"a\\u0000b\":1}",
                                      "{\"title\":\"a\\u0000\"}",
                                      "{\"a\":1e999}",
                                      "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
                                      "{\"a\":99999999999999999999}",
                                      "{\"a\":\"\xff\"}",
                                      "{} x",
                                      "",
                                      "{\"a\""};
  struct buffer seed;
  buffer_init(&seed, 0);
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; ++i) {
    put_byte(&seed, fuzz_type_number(type));
    put_byte(&seed, 0);
    put_bytes(&seed, text_bytes(texts[i]));
    write_seed(maker, "json", &seed);
  }
  buffer_free(&seed);
  seed_json(maker, type, 2, json);
  for (unsigned i = 0; i < type->n_fields; ++i)
    if (json_object_get(json, type->fields[i].name))
      break_member(maker, type, json, type->fields[i].name);
}
