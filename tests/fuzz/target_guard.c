/* Guard: any bytes as any message of the schema. What it takes it takes again after packing, and no
 * field of it breaks its form; a message that borrows its texts from the bytes is the same. With too
 * little memory it says so, or takes what it would take anyway. */
#include <string.h>

#include "proto/check.h"
#include "proto/guard.h"
#include "proto/limits.h"
#include "tests/fuzz/fuzz.h"

static void with_little(const ProtobufCMessageDescriptor *type, struct bytes packed) {
  struct arena *arena = fuzz_arena_scarce();
  struct collega_error error;
  enum collega_status walked = guard_walk(type, packed, &error);
  ProtobufCMessage *message = fuzz_unpack(type, packed, arena, &error);
  fuzz_must(message == NULL || walked == COLLEGA_OK);
  fuzz_must(message != NULL || walked != COLLEGA_OK || error.status == COLLEGA_FULL);
  arena_destroy(&arena);
}

static void borrowing(const ProtobufCMessageDescriptor *type, struct bytes packed,
                      struct bytes same) {
  struct arena *arena = fuzz_arena();
  struct collega_error error;
  ProtobufCMessage *message = NULL;
  fuzz_must(guard_unpack_borrowing(type, packed, arena, &message, &error) == COLLEGA_OK);
  fuzz_must(bytes_equal(message_pack(message, arena), same));
  arena_destroy(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  struct fuzz_input input = fuzz_begin(data, length);
  uint8_t number = fuzz_byte(&input);
  const ProtobufCMessageDescriptor *type = fuzz_type(number);
  struct bytes packed = fuzz_rest(&input);
  if (fuzz_type_is_scarce(number)) {
    with_little(type, packed);
    return 0;
  }
  struct arena *arena = fuzz_arena(), *second = fuzz_arena();
  struct collega_error error;
  enum collega_status walked = guard_walk(type, packed, &error);
  ProtobufCMessage *message = fuzz_unpack(type, packed, arena, &error);
  if (message != NULL) {
    fuzz_must(walked == COLLEGA_OK);
    fuzz_must(check_fields(message, &error) == COLLEGA_OK);
    struct bytes again = message_pack(message, second);
    fuzz_must(again.data != NULL || again.length == 0);
    fuzz_must(again.length <= 3 * packed.length); /* packed numbers come out unpacked */
    borrowing(type, packed, again);
    arena_reset(arena);
    ProtobufCMessage *same = fuzz_unpack(type, again, arena, &error);
    fuzz_must(same != NULL);
    struct arena *third = fuzz_arena();
    fuzz_must(bytes_equal(message_pack(same, third), again));
    arena_destroy(&third);
  }
  fuzz_must(arena_used(arena) <= LIMIT_ARENA_BYTES);
  arena_destroy(&second);
  arena_destroy(&arena);
  return 0;
}
