/* Proof files: whatever stands in one, the judge comes to a judgement, and says what does not fit. */
#include "proto/proof.h"

#include "proto/limits.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  static const char *const fingerprints[] = {"0000 1111 2222 3333 4444 5555 6666 7777"};
  struct fuzz_input input = fuzz_begin(data, length);
  fuzz_forgive(fuzz_byte(&input) & 1);
  struct bytes file = fuzz_rest(&input);
  struct arena *arena = arena_new(65536, 256u << 20), *second = arena_new(65536, 256u << 20);
  fuzz_must(arena != NULL && second != NULL);
  struct proof_judgement judgement;
  struct collega_error error;
  error_clear(&error);
  if (proof_judge(file, fingerprints, 1, arena, &judgement, &error) == COLLEGA_OK) {
    fuzz_must(judgement.finding_count > 0); /* it always has something to say */
    bool against = false;
    for (size_t i = 0; i < judgement.finding_count; i++)
      against = against || judgement.findings[i].against;
    fuzz_must(judgement.valid == !against);
  } else {
    fuzz_check_error(&error);
  }
  Collega__Proof *proof = NULL;
  if (proof_unpack(file, second, &proof, &error) == COLLEGA_OK)
    fuzz_must(bytes_equal(proof_pack(proof, second), file));
  arena_destroy(&second);
  arena_destroy(&arena);
  return 0;
}
