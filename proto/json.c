/* From messages to JSON, and JSON texts to values. json_read.c goes the other way. */
#include "proto/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "proto/field.h"
#include "proto/rules_table.h"

#define DEPTH_MOST 32 /* no document of ours is nested deeper than ten */

/* ---- texts */

static enum collega_status refuse_at(struct collega_error *error, enum rule rule, int line,
                                     int column) {
  char line_text[16], column_text[16], depth[16];
  snprintf(line_text, sizeof line_text, "%d", line < 1 ? 1 : line);
  snprintf(column_text, sizeof column_text, "%d", column < 1 ? 1 : column);
  snprintf(depth, sizeof depth, "%d", DEPTH_MOST);
  return error_set(error, COLLEGA_INVALID, rule, NULL, line_text, column_text, depth, NULL);
}

/* jansson parses recursively and as deep as 2,048; this looks at brackets outside of texts first.
 */
static enum collega_status check_depth(struct bytes text, struct collega_error *error) {
  int depth = 0, line = 1, column = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.length; i++) {
    uint8_t c = text.data[i];
    if ((c & 0xc0) != 0x80) column++;
    if (c == '\n') {
      line++;
      column = 0;
    }
    if (quoted && c == '\\') {
      i++;
      column++;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == '{' || c == '[')) {
      if (++depth > DEPTH_MOST) return refuse_at(error, RULE_json_depth, line, column);
    } else if (!quoted && (c == '}' || c == ']')) {
      depth--;
    }
  }
  return COLLEGA_OK;
}

static enum rule parse_fault(enum json_error_code code) {
  switch (code) {
  case json_error_premature_end_of_input:
    return RULE_json_end;
  case json_error_end_of_input_expected:
    return RULE_json_trailing;
  case json_error_invalid_utf8:
    return RULE_json_utf8;
  case json_error_null_character:
  case json_error_null_byte_in_key:
    return RULE_json_nul;
  case json_error_duplicate_key:
    return RULE_json_duplicate;
  case json_error_numeric_overflow:
    return RULE_json_number_size;
  case json_error_stack_overflow:
    return RULE_json_depth;
  case json_error_out_of_memory:
    return RULE_out_of_memory;
  case json_error_unknown:
  case json_error_cannot_open_file:
  case json_error_invalid_argument:
  case json_error_invalid_syntax:
  case json_error_invalid_format:
  case json_error_wrong_type:
  case json_error_null_value:
  case json_error_item_not_found:
  case json_error_index_out_of_range:
    break;
  }
  return RULE_json_syntax;
}

enum collega_status json_parse(struct bytes text, json_t **out, struct collega_error *error) {
  *out = NULL;
  enum collega_status status = check_depth(text, error);
  if (status) return status;
  json_error_t fault;
  *out = json_loadb(text.length ? (const char *)text.data : "", text.length, JSON_REJECT_DUPLICATES,
                    &fault);
  if (*out) return COLLEGA_OK;
  enum rule rule = parse_fault(json_error_code(&fault));
  if (rule == RULE_out_of_memory) return error_set(error, COLLEGA_SYSTEM, rule, NULL, NULL);
  return refuse_at(error, rule, fault.line, fault.column);
}

/* ---- messages */

static json_t *hexadecimal(const ProtobufCBinaryData *bytes) {
  char small[2 * 64 + 1]; /* takes every id, key and signature */
  char *text = bytes->len <= 64 ? small : malloc(2 * bytes->len + 1);
  if (!text) return NULL;
  hex_write(text, bytes->data, bytes->len);
  json_t *json = json_string(text);
  if (text != small) free(text);
  return json;
}

static json_t *number(const struct field_rule *rule, int64_t value) {
  char text[40];
  if (rule->form == FORM_TIME) {
    time_write(text, sizeof text, value);
    return json_string(text);
  }
  if (rule->form == FORM_DATE) {
    date_write(text, sizeof text, (collega_date)value);
    return json_string(text);
  }
  return json_integer(value);
}

static json_t *value_to_json(const struct field_rule *rule, const void *value) {
  char text[ENUM_TEXT_BYTES];
  switch (rule->type) {
  case PROTOBUF_C_TYPE_STRING:
    return json_string(*(const char *const *)value);
  case PROTOBUF_C_TYPE_BYTES:
    return hexadecimal(value);
  case PROTOBUF_C_TYPE_MESSAGE:
    return json_from_message(*(const ProtobufCMessage *const *)value);
  case PROTOBUF_C_TYPE_BOOL:
    return json_boolean(*(const protobuf_c_boolean *)value);
  case PROTOBUF_C_TYPE_ENUM:
    return enum_text(rule->values, *(const int *)value, text) ? json_string(text) : NULL;
  case PROTOBUF_C_TYPE_INT32:
    return number(rule, *(const int32_t *)value);
  case PROTOBUF_C_TYPE_UINT32:
    return number(rule, *(const uint32_t *)value);
  case PROTOBUF_C_TYPE_INT64:
    return number(rule, *(const int64_t *)value);
  case PROTOBUF_C_TYPE_UINT64:
    return number(rule, (int64_t) * (const uint64_t *)value);
  case FIELD_TYPES_OF_NONE:
    break;
  }
  return NULL;
}

static json_t *field_to_json(const ProtobufCMessage *message, const struct field_rule *rule,
                             const ProtobufCFieldDescriptor *field) {
  const void *value = field_value(message, field);
  if (rule->label != PROTOBUF_C_LABEL_REPEATED) return value_to_json(rule, value);
  json_t *list = json_array();
  size_t count = *(const size_t *)field_quantifier(message, field);
  const uint8_t *items = *(const uint8_t *const *)value;
  for (size_t i = 0; i < count && list; i++) {
    /* _new: takes the reference, also of NULL, which fails. */
    if (json_array_append_new(list, value_to_json(rule, items + i * rule->size))) {
      json_decref(list);
      list = NULL;
    }
  }
  return list;
}

json_t *json_from_message(const ProtobufCMessage *message) {
  const struct message_rules *rules = rules_of(message->descriptor);
  json_t *object = rules ? json_object() : NULL;
  for (uint32_t i = 0; object && i < rules->count; i++) {
    const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
    if (!field_present(message, field)) continue;
    if (json_object_set_new(object, rules->fields[i].name,
                            field_to_json(message, &rules->fields[i], field))) {
      json_decref(object);
      object = NULL;
    }
  }
  return object;
}
