/* JSON: any text as any message of the schema. What was read is written, and read again the same. */
#include "proto/json.h"

#include <string.h>

#include "proto/check.h"
#include "proto/guard.h"
#include "tests/fuzz/fuzz.h"

static void same_again(const ProtobufCMessage *message, struct arena *arena) {
  struct collega_error error;
  json_t *json = json_from_message(message);
  fuzz_must(json != NULL);
  ProtobufCMessage *again = NULL;
  fuzz_must(json_to_message(json, message->descriptor, NULL, arena, &again, &error) == COLLEGA_OK);
  struct bytes first = message_pack(message, arena), second = message_pack(again, arena);
  fuzz_must(arena_exhausted(arena) || bytes_equal(first, second));
  json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  static const char *const skip[] = {"private", NULL};
  struct fuzz_input input = fuzz_begin(data, length);
  const ProtobufCMessageDescriptor *type = fuzz_type(fuzz_byte(&input));
  uint8_t how = fuzz_byte(&input);
  bool skipping = how & 1, scarce = how & 2;
  struct arena *arena = scarce ? fuzz_arena_scarce() : fuzz_arena();
  struct collega_error error;
  json_t *json = NULL;
  ProtobufCMessage *message = NULL;
  error_clear(&error);
  enum collega_status status = json_parse(fuzz_rest(&input), &json, &error);
  if (status == COLLEGA_OK)
    status = json_to_message(json, type, skipping ? skip : NULL, arena, &message, &error);
  if (status == COLLEGA_OK) {
    fuzz_must(check_fields(message, &error) == COLLEGA_OK);
    if (!scarce) same_again(message, arena);
  } else {
    fuzz_check_error(&error);
  }
  json_decref(json);
  arena_destroy(&arena);
  return 0;
}
