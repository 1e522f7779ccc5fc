/* One field: its form, its range, and its name in an error. Shared by guard, check and JSON. */
#ifndef COLLEGA_PROTO_FIELD_H
#define COLLEGA_PROTO_FIELD_H
#include "base/bytes.h"
#include "proto/rules_table.h"

/* `case FIELD_TYPES_OF_NONE:` in a switch over all types: those that no field of the schema has, as the build has
 * checked. `case FORMS_OF_NO_TEXT:` over all forms: those that no field of text has. */
#define FIELD_TYPES_OF_NONE                                                                        \
  PROTOBUF_C_TYPE_SINT32:                                                                          \
  case PROTOBUF_C_TYPE_SFIXED32:                                                                   \
  case PROTOBUF_C_TYPE_SINT64:                                                                     \
  case PROTOBUF_C_TYPE_SFIXED64:                                                                   \
  case PROTOBUF_C_TYPE_FIXED32:                                                                    \
  case PROTOBUF_C_TYPE_FIXED64:                                                                    \
  case PROTOBUF_C_TYPE_FLOAT:                                                                      \
  case PROTOBUF_C_TYPE_DOUBLE
#define FORMS_OF_NO_TEXT                                                                           \
  FORM_ID:                                                                                         \
  case FORM_KEY:                                                                                   \
  case FORM_SIGNATURE:                                                                             \
  case FORM_EPOCH:                                                                                 \
  case FORM_SHORT_ID:                                                                              \
  case FORM_BLOB:                                                                                  \
  case FORM_MESSAGE:                                                                               \
  case FORM_NUMBER:                                                                                \
  case FORM_TIME:                                                                                  \
  case FORM_DATE:                                                                                  \
  case FORM_CENTS:                                                                                 \
  case FORM_ENUM:                                                                                  \
  case FORM_FLAG

/* One value against its rule. COLLEGA_INVALID names the rule; the field is the caller's to name. */
enum collega_status field_check_text(const struct field_rule *rule, const char *text, size_t length,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status field_check_bytes(const struct field_rule *rule, size_t length,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status field_check_number(const struct field_rule *rule, int64_t value,
                                       struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status field_check_enum(const struct field_rule *rule, int64_t value,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
/* How many items a repeated field has. */
enum collega_status field_check_count(const struct field_rule *rule, size_t count,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;
/* Puts the field's name before the path of the error, "skills[3]" where it is repeated. Always
 * returns error->status (COLLEGA_INVALID without an error), so that a caller can return it. */
enum collega_status field_name_error(struct collega_error *error, const struct field_rule *rule,
                                     size_t index);

/* Where protobuf-c keeps a field: the value (of a repeated one: the array), and its count or presence. */
static inline const void *field_value(const ProtobufCMessage *message,
                                      const ProtobufCFieldDescriptor *field) {
  return (const uint8_t *)message + field->offset;
}
static inline const void *field_quantifier(const ProtobufCMessage *message,
                                           const ProtobufCFieldDescriptor *field) {
  return (const uint8_t *)message + field->quantifier_offset;
}
/* Required ones are always; repeated ones when there is an item. */
static inline bool field_present(const ProtobufCMessage *message,
                                 const ProtobufCFieldDescriptor *field) {
  if (field->label == PROTOBUF_C_LABEL_REQUIRED) return true;
  if (field->label == PROTOBUF_C_LABEL_REPEATED)
    return *(const size_t *)field_quantifier(message, field) > 0;
  if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE) {
    const void *pointer = *(const void *const *)field_value(message, field);
    return pointer && pointer != field->default_value;
  }
  return *(const protobuf_c_boolean *)field_quantifier(message, field);
}

/* An enum value as JSON has it: lower case without the enum's prefix. False: it does not fit, or is
 * no value of the enum. `out` of 40 bytes takes any of the schema. */
#define ENUM_TEXT_BYTES 40
bool enum_text(const ProtobufCEnumDescriptor *type, int value, char out[ENUM_TEXT_BYTES]);
bool enum_from_text(const ProtobufCEnumDescriptor *type, const char *text, int *value);
#endif
