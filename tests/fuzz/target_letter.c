/* Sealed mail: an envelope read and opened by its recipient, who knows its sender. What was opened
 * is sealed again, and opens as the same. */
#include "proto/letter.h"

#include <stdlib.h>
#include <string.h>

#include "proto/guard.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/people.h"

/* The sender is person 2, the recipient person 3, as in the seeds. */
static void seal_again(const Collega__Letter *letter, const struct person *sender,
                       const struct person *recipient, struct members *members,
                       struct arena *arena) {
  struct collega_error error;
  struct bytes packed = {NULL, 0};
  const Collega__Envelope *envelope = NULL;
  const Collega__Letter *again = NULL;
  const struct known_party *to = members_find(members, identity_party(recipient->identity));
  error_clear(&error);
  if (letter_seal(sender->identity, to, letter, true, FUZZ_NOW, arena, &packed, &error) !=
      COLLEGA_OK) {
    fuzz_check_error(&error);
    return;
  }
  fuzz_must(envelope_read(packed, arena, &envelope, &error) == COLLEGA_OK);
  const struct person *readers[] = {recipient, sender};
  for (size_t i = 0; i < 2; i++) {
    fuzz_must(letter_open(readers[i]->identity, members, envelope, arena, &again, &error) ==
              COLLEGA_OK);
    struct bytes first = message_pack(&letter->base, arena);
    struct bytes second = message_pack(&again->base, arena);
    fuzz_must(bytes_equal(first, second));
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  struct fuzz_input input = fuzz_begin(data, length);
  uint8_t how = fuzz_byte(&input);
  struct arena *arena = fuzz_arena();
  struct members *members = members_new(NULL, NULL);
  struct person sender, recipient;
  struct collega_error error;
  const Collega__Envelope *envelope = NULL;
  const Collega__Letter *letter = NULL;
  person_make(&sender, 2, FUZZ_NOW - DAY_MS);
  person_make(&recipient, 3, FUZZ_NOW - DAY_MS);
  fuzz_must(members != NULL);
  if (how & 2) {
    fuzz_must(take_run(members, person_card(&sender, 0, arena), NULL, NULL, arena) == COLLEGA_OK);
    fuzz_must(take_run(members, person_card(&recipient, 0, arena), NULL, NULL, arena) ==
              COLLEGA_OK);
  }
  error_clear(&error);
  fuzz_forgive(how & 1);
  enum collega_status status = envelope_read(fuzz_rest(&input), arena, &envelope, &error);
  const struct person *reader = how & 4 ? &sender : &recipient;
  if (status == COLLEGA_OK)
    status = letter_open(reader->identity, members, envelope, arena, &letter, &error);
  fuzz_forgive(false);
  if (status != COLLEGA_OK) fuzz_check_error(&error);
  if (letter != NULL && how & 2) seal_again(letter, &sender, &recipient, members, arena);
  person_clear(&recipient);
  person_clear(&sender);
  members_destroy(&members);
  arena_destroy(&arena);
  return 0;
}
