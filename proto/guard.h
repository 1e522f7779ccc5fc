/* Untrusted bytes. The guard walks the raw protobuf bytes against the generated table of rules before
 * any memory is spent: field numbers and wire types that the schema does not have, repeated singular
 * fields, counts, lengths, depth, missing required fields, non-minimal or overlong varints (> 10 bytes),
 * unknown fields (refused everywhere), packed and unpacked repeated numbers. Then protobuf-c unpacks
 * into the caller's arena (a capped bump allocator). Nothing of a guarded message outlives the arena. */
#ifndef COLLEGA_PROTO_GUARD_H
#define COLLEGA_PROTO_GUARD_H
#include <protobuf-c/protobuf-c.h>
#include "base/bytes.h"
#include "proto/rules_table.h"

/* Only the walk. COLLEGA_INVALID names field and rule. */
enum collega_status guard_walk(const ProtobufCMessageDescriptor *type, struct bytes bytes,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
/* Walks, unpacks, checks every field's form (check_fields). *out lives in the arena; its bytes fields are
 * copies there (embedded FORM_BLOB bytes too). */
enum collega_status guard_unpack(const ProtobufCMessageDescriptor *type, struct bytes bytes,
                                 struct arena *arena, ProtobufCMessage **out,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* Packs into the arena. NULL data when the arena is exhausted. */
struct bytes message_pack(const ProtobufCMessage *message, struct arena *arena);
#endif
