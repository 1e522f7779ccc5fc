/* Messages of store.proto whose bytes come from outside: a ledger that was exported. The wire's schema
 * has rules for every field, and a guard; these messages never travel otherwise, and have a shape
 * alone. So this walk looks at the shape, before protobuf-c believes it: known fields of their wire
 * type, singular ones once (many would be merged, in quadratic time), known values of enums, texts
 * without NUL. What it costs in memory the arena limits. */
#include "client/ledger/transaction.h"
#include <stdio.h>
#include <string.h>

#define FIELDS_MOST 64

struct walk {
  const uint8_t *at, *end;
};

static enum collega_status refuse(struct collega_error *error, enum rule rule, const char *field) {
  return error_set(error, COLLEGA_INVALID, rule, field, NULL);
}

static bool read_varint(struct walk *walk, uint64_t *out) {
  *out = 0;
  for (unsigned shift = 0; shift < 64 && walk->at < walk->end; shift += 7) {
    uint8_t byte = *walk->at++;
    *out |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) return shift < 63 || byte < 2;
  }
  return false;
}

static enum collega_status unknown_field(const ProtobufCMessageDescriptor *type, uint64_t number,
                                         struct collega_error *error) {
  char text[24];
  snprintf(text, sizeof text, "%llu", (unsigned long long)number);
  return error_set(error, COLLEGA_INVALID, RULE_wire_unknown_field, NULL, text, type->short_name,
                   NULL);
}

static bool has_length(const ProtobufCFieldDescriptor *field) {
  return field->type == PROTOBUF_C_TYPE_MESSAGE || field->type == PROTOBUF_C_TYPE_STRING ||
         field->type == PROTOBUF_C_TYPE_BYTES;
}

static enum collega_status walk_message(const ProtobufCMessageDescriptor *type, struct bytes bytes,
                                        struct collega_error *error);

static enum collega_status walk_value(const ProtobufCFieldDescriptor *field, struct walk *walk,
                                      struct collega_error *error) {
  uint64_t value;
  if (!read_varint(walk, &value)) return refuse(error, RULE_wire_truncated, field->name);
  if (field->type == PROTOBUF_C_TYPE_ENUM)
    return value <= INT32_MAX && protobuf_c_enum_descriptor_get_value(field->descriptor, (int)value)
               ? COLLEGA_OK
               : refuse(error, RULE_outside_enum, field->name);
  if (!has_length(field)) return COLLEGA_OK;
  if (value > (uint64_t)(walk->end - walk->at))
    return refuse(error, RULE_wire_truncated, field->name);
  const struct bytes content = bytes_of(walk->at, (size_t)value);
  walk->at += value;
  if (field->type == PROTOBUF_C_TYPE_STRING && content.length > 0 &&
      memchr(content.data, 0, content.length))
    return refuse(error, RULE_text_nul, field->name);
  if (field->type != PROTOBUF_C_TYPE_MESSAGE) return COLLEGA_OK;
  enum collega_status status = walk_message(field->descriptor, content, error);
  if (status != COLLEGA_OK) error_prefix(error, field->name);
  return status;
}

static enum collega_status walk_message(const ProtobufCMessageDescriptor *type, struct bytes bytes,
                                        struct collega_error *error) {
  struct walk walk = {bytes.data, bytes.data + bytes.length};
  uint64_t seen = 0, tag;
  while (walk.at < walk.end) {
    if (!read_varint(&walk, &tag)) return refuse(error, RULE_wire_truncated, NULL);
    const ProtobufCFieldDescriptor *field =
        tag >> 3 <= UINT32_MAX ? protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3))
                               : NULL;
    if (!field) return unknown_field(type, tag >> 3, error);
    const uint64_t bit = (uint64_t)1 << (field - type->fields) % FIELDS_MOST;
    if ((tag & 7) != (has_length(field) ? 2u : 0u))
      return refuse(error, RULE_wire_type, field->name);
    if (field->label != PROTOBUF_C_LABEL_REPEATED && seen & bit)
      return refuse(error, RULE_wire_repeated, field->name);
    seen |= bit;
    enum collega_status status = walk_value(field, &walk, error);
    if (status != COLLEGA_OK) return status;
  }
  for (unsigned i = 0; i < type->n_fields; i++)
    if (type->fields[i].label == PROTOBUF_C_LABEL_REQUIRED &&
        !(seen & (uint64_t)1 << i % FIELDS_MOST))
      return refuse(error, RULE_required, type->fields[i].name);
  return COLLEGA_OK;
}

enum collega_status row_unpack_outside(const ProtobufCMessageDescriptor *type, struct bytes bytes,
                                       struct arena *arena, ProtobufCMessage **out,
                                       struct collega_error *error) {
  *out = NULL;
  enum collega_status status = walk_message(type, bytes, error);
  if (status != COLLEGA_OK) return status;
  *out = row_unpack(type, bytes, arena);
  if (*out) return COLLEGA_OK;
  return arena_exhausted(arena) ? error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL)
                                : refuse(error, RULE_wire_truncated, NULL);
}
