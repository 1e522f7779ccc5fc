/* Untrusted bytes. The guard walks the raw protobuf bytes once against the generated table of rules: field
 * numbers and wire types that the schema does not have, repeated singular fields, counts, lengths, depth,
 * missing required fields, non-minimal or overlong varints (> 10 bytes), unknown fields (refused
 * everywhere), packed and unpacked repeated numbers, and every value's form and range. Each value is
 * judged before memory is taken for it, and the memory comes from the caller's arena (a capped bump
 * allocator). Nothing of a guarded message outlives the arena. */
#ifndef COLLEGA_PROTO_GUARD_H
#define COLLEGA_PROTO_GUARD_H
#include <protobuf-c/protobuf-c.h>
#include "base/bytes.h"
#include "proto/rules_table.h"

/* Only judges. COLLEGA_INVALID names field and rule. */
enum collega_status guard_walk(const ProtobufCMessageDescriptor *type, struct bytes bytes,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
/* Judges and unpacks. *out lives in the arena; its bytes fields are copies there (embedded FORM_BLOB bytes
 * too). COLLEGA_FULL: the arena is exhausted. */
enum collega_status guard_unpack(const ProtobufCMessageDescriptor *type, struct bytes bytes,
                                 struct arena *arena, ProtobufCMessage **out,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* The same, but bytes fields point into `bytes`, which must outlive *out. Texts are copies. */
enum collega_status guard_unpack_borrowing(const ProtobufCMessageDescriptor *type,
                                           struct bytes bytes, struct arena *arena,
                                           ProtobufCMessage **out,
                                           struct collega_error *error) COLLEGA_MUST_CHECK;
/* Packs into the arena. NULL data when the arena is exhausted. */
struct bytes message_pack(const ProtobufCMessage *message, struct arena *arena);
#endif
