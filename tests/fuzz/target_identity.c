/* The file of an identity: loaded, or refused with a reason; what was loaded is saved and loaded as
 * the same, signs what verifies, and can be recovered only with its own text. */
#include "proto/keys.h"

#include <string.h>

#include "base/process/process.h"
#include "tests/fuzz/fuzz.h"

static void use(struct identity *identity, const char *recovery, uint8_t how) {
  struct collega_error error;
  struct epoch epoch = {{1}};
  struct id root = {{2}};
  uint8_t signature[64];
  char fingerprint[FINGERPRINT_BYTES];
  const struct id *party = identity_party(identity);
  fingerprint_write(fingerprint, party);
  fuzz_must(fingerprint_fits(fingerprint, party));
  (void)fingerprint_fits(recovery, party);
  uint32_t number = identity_card_number(identity);
  identity_sign(identity, PURPOSE_HEAD, 1, &root, signature);
  fuzz_must(signature_verify(identity_public(identity)->signing, PURPOSE_HEAD, party, 1, &root,
                             signature));
  fuzz_must(identity_signing_key(identity, number) != NULL);
  fuzz_must(identity_signing_key(identity, number + 1) == NULL);
  fuzz_must(identity_card_run(identity, number + 1).length == 0);
  error_clear(&error);
  enum collega_status status = COLLEGA_OK;
  if (how & 1)
    status = identity_rotate(identity, &epoch, 9, FUZZ_NOW, &error);
  else if (how & 2)
    status = identity_recover(identity, recovery, &epoch, 9, FUZZ_NOW, &error);
  if (status == COLLEGA_OK && how & 3)
    fuzz_must(identity_card_number(identity) == number + 1);
  else if (status != COLLEGA_OK)
    fuzz_check_error(&error);
  if (how & 4) (void)identity_expire(identity, FUZZ_NOW + 200 * DAY_MS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  struct fuzz_input input = fuzz_begin(data, length);
  uint8_t how = fuzz_byte(&input);
  struct arena *arena = fuzz_arena();
  const char *recovery = fuzz_text(fuzz_piece(&input), arena), *directory = fuzz_directory();
  struct bytes text = fuzz_rest(&input);
  struct collega_error error;
  struct identity *identity = NULL, *again = NULL;
  char path[128];
  error_clear(&error);
  fuzz_empty_directory(directory);
  fuzz_must(path_join(path, sizeof path, directory, "identity", &error) == COLLEGA_OK);
  fuzz_must(file_write(path, text.data, text.length, 0600, &error) == COLLEGA_OK);
  if (identity_load(directory, &identity, &error) == COLLEGA_OK) {
    use(identity, recovery, how);
    fuzz_must(identity_save(identity, directory, &error) == COLLEGA_OK);
    fuzz_must(identity_load(directory, &again, &error) == COLLEGA_OK);
    fuzz_must(id_equal(identity_party(again), identity_party(identity)));
    fuzz_must(identity_card_number(again) == identity_card_number(identity));
    identity_destroy(&again);
  } else {
    fuzz_must(identity == NULL);
    fuzz_check_error(&error);
  }
  identity_destroy(&identity);
  arena_destroy(&arena);
  return 0;
}
