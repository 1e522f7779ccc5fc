/* The rules of the schema as a C table, generated from the descriptors by proto/rules.py. */
#ifndef COLLEGA_PROTO_RULES_TABLE_H
#define COLLEGA_PROTO_RULES_TABLE_H
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>
#include "proto/forms.h" /* generated: enum form { FORM_ID = 1, ... } from rules.proto */

struct message_rules;
struct field_rule {
  uint32_t number;
  /* Where protobuf-c keeps it in the message: the value (of a repeated field: the array), whether it is there
   * or how many there are (0: text and messages, which are by their pointer, and what is required), and how
   * many bytes one value takes. As its descriptor has it, but beside what else the guard looks at. */
  uint16_t offset, counter;
  uint8_t size;
  const char *name;
  enum form form;
  ProtobufCType type;
  ProtobufCLabel label;
  /* Numbers: the range. Text and bytes: how many bytes; always present, also where the form says
   * it. */
  bool has_min, has_max;
  int64_t min, max;
  uint32_t at_least, at_most;                /* repeated fields */
  const ProtobufCMessageDescriptor *message; /* FORM_MESSAGE */
  const ProtobufCEnumDescriptor *values;     /* FORM_ENUM */
  const struct message_rules *inner;         /* FORM_MESSAGE: rules_of(message) */
};
struct message_rules {
  const ProtobufCMessageDescriptor *type;
  const struct field_rule *fields; /* ascending by number, as type->fields is */
  uint32_t count;                  /* at most 64: sets of fields are bits of a word */
  uint32_t highest;                /* field number */
  const uint8_t *places;           /* places[number]: place in `fields` + 1; 0: no such field */
  uint64_t required;               /* bits: must occur (also repeated ones, at_least > 0) */
  uint64_t repeated;
  uint64_t free_text; /* FORM_LINE and FORM_TEXT, and messages that hold any */
};
#define RULES_MOST_FIELDS 64
/* NULL: not a message of the schema. Constant time. */
const struct message_rules *rules_of(const ProtobufCMessageDescriptor *type);
/* Every message of the schema, for tests and documentation; index from 0. NULL: past the last. */
const struct message_rules *rules_at(size_t index);
#endif
