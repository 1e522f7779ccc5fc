#include "filler.h"

#include "proto/field.h"
#include "proto/lists.h"

static char *text_for(const struct field_rule *rule, unsigned variant, struct arena *arena) {
  static const char *const slots[] = {"mon-am", "wed-ev", "sun-ni"};
  const char *text = "?";
  switch (rule->form) {
  case FORM_LINE:
    text = variant % 2 ? "Café \"De Zwaan\" \\ 漢字" : "x";
    break;
  case FORM_TEXT:
    text = variant % 2 ? "eerste regel\ntweede" : "kort";
    break;
  case FORM_CODE:
    text = variant % 2 ? "a:1" : "x_.-";
    break;
  case FORM_KVK:
    text = "12345678";
    break;
  case FORM_ESTABLISHMENT:
    text = "000012345678";
    break;
  case FORM_ISCO:
    text = "4321";
    break;
  case FORM_URI:
    text = "http://data.europa.eu/esco/occupation/a?b=c";
    break;
  case FORM_LANGUAGE:
    text = "nl";
    break;
  case FORM_LEVEL:
    text = variant % 2 ? "C2" : "A1";
    break;
  case FORM_POSTCODE:
    text = variant % 3 == 0 ? "48" : variant % 3 == 1 ? "4811" : "4811AB";
    break;
  case FORM_COUNTRY:
    text = "NL";
    break;
  case FORM_REGION:
    text = "AM25";
    break;
  case FORM_SECTOR:
    text = variant % 2 ? "52.10" : "52";
    break;
  case FORM_SLOT:
    text = slots[variant % 3];
    break;
  case FORM_CURRENCY:
    text = "EUR";
    break;
  case FORM_EMAIL:
    text = "p.jansen@example.nl";
    break;
  case FORM_PHONE:
    text = "+31 (0)76-123 45 67";
    break;
  case FORM_AUDIENCE:
    text = variant % 2 ? "network" : "named:12345678,87654321";
    break;
  case FORM_VAT:
    text = variant % 2 ? "exempt:onderwijs" : "standard";
    break;
  case FORM_ADDRESS:
    text = variant % 2 ? "tcp://[::1]:7440" : "tcp://127.0.0.1:7440";
    break;
  case FORMS_OF_NO_TEXT:
    fail_msg("not a text: %s", rule->name);
  }
  return arena_text(arena, text);
}

static int64_t number_for(const struct field_rule *rule, unsigned variant) {
  int64_t most = rule->form == FORM_DATE && rule->max > 73048 ? 73048 : rule->max;
  return variant % 3 == 0   ? rule->min
         : variant % 3 == 1 ? most
                            : rule->min + (most / 2 - rule->min / 2);
}

static int enum_for(const struct field_rule *rule, unsigned variant) {
  for (unsigned i = 0; i < rule->values->n_values; i++) {
    int value = rule->values->values[(variant + i) % rule->values->n_values].value;
    if (value >= rule->min && value <= rule->max) return value;
  }
  fail_msg("no value allowed: %s", rule->name);
  return 0;
}

static ProtobufCMessage *fill_some(const ProtobufCMessageDescriptor *type, unsigned variant,
                                   bool all, struct arena *arena);

static void fill_value(const struct field_rule *rule, unsigned variant, bool all,
                       struct arena *arena, void *out) {
  switch (rule->type) {
  case PROTOBUF_C_TYPE_STRING:
    *(char **)out = text_for(rule, variant, arena);
    return;
  case PROTOBUF_C_TYPE_BYTES: {
    size_t length = rule->min > 0 ? (size_t)rule->min : variant % 2;
    uint8_t *data = arena_take(arena, length + 1);
    for (size_t i = 0; i < length; i++)
      data[i] = (uint8_t)(i * 7 + variant + rule->number);
    *(ProtobufCBinaryData *)out = (ProtobufCBinaryData){length, data};
    return;
  }
  case PROTOBUF_C_TYPE_MESSAGE:
    *(ProtobufCMessage **)out = fill_some(rule->message, variant, all, arena);
    return;
  case PROTOBUF_C_TYPE_ENUM:
    *(int *)out = enum_for(rule, variant);
    return;
  case PROTOBUF_C_TYPE_BOOL:
    *(protobuf_c_boolean *)out = variant % 2;
    return;
  case PROTOBUF_C_TYPE_INT32:
    *(int32_t *)out = (int32_t)number_for(rule, variant);
    return;
  case PROTOBUF_C_TYPE_UINT32:
    *(uint32_t *)out = (uint32_t)number_for(rule, variant);
    return;
  case PROTOBUF_C_TYPE_INT64:
    *(int64_t *)out = number_for(rule, variant);
    return;
  case PROTOBUF_C_TYPE_UINT64:
    *(uint64_t *)out = (uint64_t)number_for(rule, variant);
    return;
  case FIELD_TYPES_OF_NONE:
    fail_msg("a type the schema does not use: %s", rule->name);
  }
}

static void fill_list(const struct field_rule *rule, const ProtobufCFieldDescriptor *field,
                      unsigned variant, bool all, struct arena *arena, uint8_t *message) {
  size_t count = all ? 1 + variant % 3 : 0;
  if (count < rule->at_least) count = rule->at_least;
  if (count > rule->at_most) count = rule->at_most;
  size_t size = rule->size;
  uint8_t *items = arena_zero(arena, count * size + 1);
  for (size_t i = 0; i < count; i++)
    fill_value(rule, variant + (unsigned)i, all, arena, items + i * size);
  memcpy(message + field->quantifier_offset, &count, sizeof count);
  memcpy(message + field->offset, &items, sizeof items);
}

static ProtobufCMessage *fill_some(const ProtobufCMessageDescriptor *type, unsigned variant,
                                   bool all, struct arena *arena) {
  const struct message_rules *rules = rules_of(type);
  assert_non_null(rules);
  ProtobufCMessage *message = arena_zero(arena, type->sizeof_message);
  assert_non_null(message);
  protobuf_c_message_init(type, message);
  for (uint32_t i = 0; i < rules->count; i++) {
    const struct field_rule *rule = &rules->fields[i];
    const ProtobufCFieldDescriptor *field = &type->fields[i];
    uint8_t *base = (uint8_t *)message;
    if (rule->label == PROTOBUF_C_LABEL_REPEATED) {
      fill_list(rule, field, variant, all, arena, base);
      continue;
    }
    if (rule->label == PROTOBUF_C_LABEL_OPTIONAL && !all) continue;
    bool has_flag = rule->label == PROTOBUF_C_LABEL_OPTIONAL &&
                    rule->type != PROTOBUF_C_TYPE_STRING && rule->type != PROTOBUF_C_TYPE_MESSAGE;
    if (has_flag) *(protobuf_c_boolean *)(base + field->quantifier_offset) = 1;
    fill_value(rule, variant, all, arena, base + field->offset);
  }
  return message;
}

ProtobufCMessage *fill(const ProtobufCMessageDescriptor *type, unsigned variant,
                       struct arena *arena) {
  return fill_some(type, variant, true, arena);
}

ProtobufCMessage *fill_least(const ProtobufCMessageDescriptor *type, unsigned variant,
                             struct arena *arena) {
  return fill_some(type, variant, false, arena);
}
