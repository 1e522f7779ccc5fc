/* JSON <-> messages, driven by the table of rules: field names as in the schema; enums in lower case
 * without their prefix ("loan_out"); FORM_TIME as ISO 8601, FORM_DATE as YYYY-MM-DD, ids and other bytes
 * as hexadecimal; absent fields are absent. Errors name the path ("hours.per_week_min", "skills[3].label")
 * and the rule; unknown members are refused with the nearest known name as argument. */
#ifndef COLLEGA_PROTO_JSON_H
#define COLLEGA_PROTO_JSON_H
#include <jansson.h>
#include <protobuf-c/protobuf-c.h>
#include "base/bytes.h"

/* Strict: duplicate members, invalid UTF-8, depth over 32 and trailing text are refused; the position
 * (line, column) is in the arguments. */
enum collega_status json_parse(struct bytes text, json_t **out,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
/* Into a new message in the arena, fields checked. Members named in `skip` (NULL-ended list, may be NULL)
 * are left alone at the top level. */
enum collega_status json_to_message(const json_t *json, const ProtobufCMessageDescriptor *type,
                                    const char *const *skip, struct arena *arena,
                                    ProtobufCMessage **out,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
/* A new reference; NULL: out of memory. */
json_t *json_from_message(const ProtobufCMessage *message);
#endif
