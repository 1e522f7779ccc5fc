/* Invitation tokens, as somebody pastes them. */
#include "proto/invitation.h"

#include <string.h>

#include "proto/guard.h"
#include "tests/fuzz/fuzz.h"

static void same_again(const Collega__Invitation *invitation, struct arena *arena) {
  struct collega_error error;
  char text[INVITATION_TEXT_BYTES];
  Collega__Invitation *again = NULL;
  error_clear(&error);
  if (invitation_write(invitation, text, &error) != COLLEGA_OK) {
    fuzz_check_error(&error); /* too long to be shown */
    return;
  }
  fuzz_must(invitation_read(text, arena, &again, &error) == COLLEGA_OK);
  struct bytes first = message_pack(&invitation->base, arena);
  struct bytes second = message_pack(&again->base, arena);
  fuzz_must(bytes_equal(first, second));
}

/* The first byte: 0, the text of a token; otherwise an Invitation to be written as one. The closing
 * check of a token would keep nearly every change of one out. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  struct fuzz_input input = fuzz_begin(data, length);
  struct arena *arena = fuzz_arena();
  struct collega_error error;
  Collega__Invitation *invitation = NULL;
  error_clear(&error);
  if (fuzz_byte(&input) % 2 == 0) {
    if (invitation_read(fuzz_text(fuzz_rest(&input), arena), arena, &invitation, &error) !=
        COLLEGA_OK)
      fuzz_check_error(&error);
  } else {
    ProtobufCMessage *message =
        fuzz_unpack(&collega__invitation__descriptor, fuzz_rest(&input), arena, &error);
    invitation = (Collega__Invitation *)message;
  }
  if (invitation != NULL) same_again(invitation, arena);
  arena_destroy(&arena);
  return 0;
}
