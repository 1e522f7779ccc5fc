/* Guard: any bytes as any message of the schema. What it takes it takes again after packing, and no
 * field of it breaks its form. */
#include <string.h>

#include "proto/check.h"
#include "proto/guard.h"
#include "proto/limits.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  struct fuzz_input input = fuzz_begin(data, length);
  const ProtobufCMessageDescriptor *type = fuzz_type(fuzz_byte(&input));
  struct bytes packed = fuzz_rest(&input);
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
