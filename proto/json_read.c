/* From JSON to messages: as strict as the guard, and in words a person can act on.
 *
 * People write offers and terms by hand and programs write them by template, so every refusal names
 * the path ("skills[2].need") and says what would be right; a name that is nearly one of ours
 * brings the nearest. Nothing is guessed: no number in quotes, no null for absent, no 40.0 for 40.
 */
#include "proto/json.h"
#include "base/suggest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "proto/check.h"
#include "proto/field.h"
#include "proto/rules_table.h"

struct reader {
  struct arena *arena;
  struct collega_error *error;
};

static enum collega_status refuse(struct reader *reader, enum rule rule) {
  return error_set(reader->error, COLLEGA_INVALID, rule, NULL, NULL);
}

static enum collega_status no_memory(struct reader *reader) {
  return error_set(reader->error, COLLEGA_FULL, RULE_arena_full, NULL, NULL);
}

static enum collega_status message_from(struct reader *reader, const json_t *json,
                                        const ProtobufCMessageDescriptor *type,
                                        const char *const *skip, ProtobufCMessage **out);

static enum collega_status read_text(struct reader *reader, const struct field_rule *rule,
                                     const json_t *json, char **out) {
  if (!json_is_string(json)) return refuse(reader, RULE_json_text);
  const char *text = json_string_value(json);
  enum collega_status status =
      field_check_text(rule, text, json_string_length(json), reader->error);
  if (status) return status;
  *out = arena_text(reader->arena, text);
  return *out ? COLLEGA_OK : no_memory(reader);
}

static enum collega_status read_bytes(struct reader *reader, const struct field_rule *rule,
                                      const json_t *json, ProtobufCBinaryData *out) {
  if (!json_is_string(json)) return refuse(reader, RULE_json_text);
  size_t length = json_string_length(json);
  bool fixed = rule->min == rule->max;
  if (!fixed && length % 2) return refuse(reader, RULE_json_hex_any);
  enum collega_status status =
      fixed ? COLLEGA_OK : field_check_bytes(rule, length / 2, reader->error);
  if (status) return status;
  size_t size = fixed ? (size_t)rule->min : length / 2;
  uint8_t *data = arena_take(reader->arena, size ? size : 1);
  if (!data) return no_memory(reader);
  if (length != 2 * size || !hex_read(data, size, json_string_value(json))) {
    if (!fixed) return refuse(reader, RULE_json_hex_any);
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRId64, 2 * rule->min);
    return error_set(reader->error, COLLEGA_INVALID, RULE_json_hex, NULL, digits, NULL);
  }
  *out = (ProtobufCBinaryData){size, data};
  return COLLEGA_OK;
}

static enum collega_status read_enum(struct reader *reader, const struct field_rule *rule,
                                     const json_t *json, int *out) {
  if (!json_is_string(json)) return refuse(reader, RULE_json_text);
  int value = 0;
  /* The values of the schema begin at 1: 0 brings the sentence that lists them. */
  if (!enum_from_text(rule->values, json_string_value(json), &value)) value = 0;
  *out = value;
  return field_check_enum(rule, value, reader->error);
}

static enum collega_status read_number(struct reader *reader, const struct field_rule *rule,
                                       const json_t *json, int64_t *out) {
  if (rule->form == FORM_TIME) {
    if (!json_is_string(json) || !time_read(json_string_value(json), out))
      return refuse(reader, RULE_form_time);
  } else if (rule->form == FORM_DATE) {
    collega_date date;
    if (!json_is_string(json) || !date_read(json_string_value(json), &date))
      return refuse(reader, RULE_form_date);
    *out = date;
  } else {
    if (rule->form == FORM_CENTS && !json_is_integer(json)) return refuse(reader, RULE_json_cents);
    if (json_is_real(json)) return refuse(reader, RULE_json_fraction);
    if (!json_is_integer(json)) return refuse(reader, RULE_json_integer);
    *out = json_integer_value(json);
  }
  return field_check_number(rule, *out, reader->error);
}

/* One value into `out`, where protobuf-c keeps it. */
static enum collega_status read_value(struct reader *reader, const struct field_rule *rule,
                                      const json_t *json, void *out) {
  if (json_is_null(json)) return refuse(reader, RULE_json_null);
  int64_t value = 0;
  enum collega_status status;
  switch (rule->type) {
  case PROTOBUF_C_TYPE_STRING:
    return read_text(reader, rule, json, out);
  case PROTOBUF_C_TYPE_BYTES:
    return read_bytes(reader, rule, json, out);
  case PROTOBUF_C_TYPE_MESSAGE:
    return message_from(reader, json, rule->message, NULL, out);
  case PROTOBUF_C_TYPE_ENUM:
    return read_enum(reader, rule, json, out);
  case PROTOBUF_C_TYPE_BOOL:
    if (!json_is_boolean(json)) return refuse(reader, RULE_json_flag);
    *(protobuf_c_boolean *)out = json_is_true(json);
    return COLLEGA_OK;
  case PROTOBUF_C_TYPE_INT32:
    status = read_number(reader, rule, json, &value);
    *(int32_t *)out = (int32_t)value; /* in the field's range, which the build has checked */
    return status;
  case PROTOBUF_C_TYPE_UINT32:
    status = read_number(reader, rule, json, &value);
    *(uint32_t *)out = (uint32_t)value;
    return status;
  case PROTOBUF_C_TYPE_INT64:
    return read_number(reader, rule, json, out);
  case PROTOBUF_C_TYPE_UINT64:
    status = read_number(reader, rule, json, &value);
    *(uint64_t *)out = (uint64_t)value;
    return status;
  case FIELD_TYPES_OF_NONE:
    break;
  }
  return refuse(reader, RULE_wire_type);
}

static enum collega_status read_list(struct reader *reader, const struct field_rule *rule,
                                     const json_t *json, size_t *count, void **out) {
  if (json_is_null(json)) return refuse(reader, RULE_json_null);
  if (!json_is_array(json)) return refuse(reader, RULE_json_array);
  *count = json_array_size(json);
  enum collega_status status = field_check_count(rule, *count, reader->error);
  if (status || !*count) return status;
  size_t size = rule->size;
  uint8_t *items = arena_zero(reader->arena, *count * size);
  if (!items) return no_memory(reader);
  for (size_t i = 0; i < *count; i++) {
    status = read_value(reader, rule, json_array_get(json, i), items + i * size);
    if (status) {
      char place[24];
      snprintf(place, sizeof place, "[%zu]", i);
      error_prefix(reader->error, place);
      return status;
    }
  }
  *out = items;
  return COLLEGA_OK;
}

static enum collega_status read_field(struct reader *reader, const struct field_rule *rule,
                                      const ProtobufCFieldDescriptor *field, const json_t *json,
                                      ProtobufCMessage *message) {
  uint8_t *base = (uint8_t *)message;
  if (rule->label == PROTOBUF_C_LABEL_REPEATED) {
    void *items = NULL;
    size_t count = 0;
    enum collega_status status = read_list(reader, rule, json, &count, &items);
    memcpy(base + field->quantifier_offset, &count, sizeof count);
    memcpy(base + field->offset, &items, sizeof items);
    return status;
  }
  bool has_flag = field->label == PROTOBUF_C_LABEL_OPTIONAL &&
                  field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_MESSAGE;
  if (has_flag) *(protobuf_c_boolean *)(base + field->quantifier_offset) = 1;
  return read_value(reader, rule, json, base + field->offset);
}

/* ---- names that are not ours */

/* Prints what a stranger wrote as a field's name: only what a field's name may hold. */
static void printable_name(char out[64], const char *name) {
  size_t i = 0;
  for (; name[i] && i < 63; i++)
    out[i] = name[i] > ' ' && name[i] <= '~' ? name[i] : '?';
  out[i] = 0;
}

static enum collega_status unknown_member(struct reader *reader, const struct message_rules *rules,
                                          const char *name) {
  const char *nearest = NULL;
  size_t best = SIZE_MAX;
  for (uint32_t i = 0; i < rules->count; i++) {
    size_t this = edit_distance(name, rules->fields[i].name);
    if (this < best) {
      best = this;
      nearest = rules->fields[i].name;
    }
  }
  char shown[64];
  printable_name(shown, name);
  /* More than half of it other: no help to name it. */
  if (!nearest || best > (strlen(nearest) + 1) / 2)
    return error_set(reader->error, COLLEGA_INVALID, RULE_json_unknown_plain, shown, NULL);
  return error_set(reader->error, COLLEGA_INVALID, RULE_json_unknown, shown, nearest, NULL);
}

static const struct field_rule *find_member(const struct message_rules *rules, const char *name) {
  for (uint32_t i = 0; i < rules->count; i++)
    if (!strcmp(rules->fields[i].name, name)) return &rules->fields[i];
  return NULL;
}

static bool listed(const char *const *list, const char *name) {
  for (; list && *list; list++)
    if (!strcmp(*list, name)) return true;
  return false;
}

static enum collega_status message_from(struct reader *reader, const json_t *json,
                                        const ProtobufCMessageDescriptor *type,
                                        const char *const *skip, ProtobufCMessage **out) {
  const struct message_rules *rules = rules_of(type);
  if (!rules)
    return error_set(reader->error, COLLEGA_INVALID, RULE_wire_unknown_message, NULL,
                     type->short_name, NULL);
  if (!json_is_object(json)) return refuse(reader, RULE_json_object);
  ProtobufCMessage *message = arena_zero(reader->arena, type->sizeof_message);
  if (!message) return no_memory(reader);
  protobuf_c_message_init(type, message);
  uint64_t seen = 0;
  const char *name;
  json_t *member;
  /* jansson's loop wants a pointer it could change; it is not changed. */
  json_object_foreach((json_t *)json, name, member) {
    if (listed(skip, name)) continue;
    const struct field_rule *rule = find_member(rules, name);
    if (!rule) return unknown_member(reader, rules, name);
    size_t place = (size_t)(rule - rules->fields);
    enum collega_status status = read_field(reader, rule, &type->fields[place], member, message);
    if (status) {
      error_prefix(reader->error, rule->name);
      return status;
    }
    seen |= UINT64_C(1) << place;
  }
  uint64_t missing = rules->required & ~seen;
  if (missing) {
    const char *first = rules->fields[__builtin_ctzll(missing)].name;
    return error_set(reader->error, COLLEGA_INVALID, RULE_required, first, NULL);
  }
  *out = message;
  return COLLEGA_OK;
}

enum collega_status json_to_message(const json_t *json, const ProtobufCMessageDescriptor *type,
                                    const char *const *skip, struct arena *arena,
                                    ProtobufCMessage **out, struct collega_error *error) {
  struct reader reader = {arena, error};
  *out = NULL;
  return message_from(&reader, json, type, skip, out);
}
