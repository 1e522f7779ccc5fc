/* What the fuzz targets share.
 *
 * Each target_NAME.c is one program: LLVMFuzzerTestOneInput takes bytes that nobody has looked at,
 * drives what the product would drive with them, and stops the process (fuzz_must) where a promise
 * of a header does not hold. The sanitizers do the rest. The same target is linked twice: with
 * libFuzzer (preset `fuzz`), and with replay.c, which runs the corpus and every crash that was ever
 * found as part of the unit tests.
 *
 * A run depends on its input alone: randomness is a fixed sequence that begins anew with each
 * input, time is FUZZ_NOW, and what is on disk is made anew. */
#ifndef COLLEGA_TESTS_FUZZ_H
#define COLLEGA_TESTS_FUZZ_H
#include <protobuf-c/protobuf-c.h>
#include "base/bytes.h"
#include "base/clock.h"

#define FUZZ_NOW INT64_C(1800000000000) /* 2027-01-15; as AGREEMENT_NOW in tests/support */

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

/* Aborts, and says which promise was broken. */
#define fuzz_must(condition) ((condition) ? (void)0 : fuzz_broken(#condition, __FILE__, __LINE__))
_Noreturn void fuzz_broken(const char *what, const char *file, int line);

/* Begins an input: randomness starts anew, nothing is forgiven. */
struct fuzz_input {
  const uint8_t *data;
  size_t length;
};
struct fuzz_input fuzz_begin(const uint8_t *data, size_t length);
uint8_t fuzz_byte(struct fuzz_input *input);    /* 0 at the end */
uint32_t fuzz_number(struct fuzz_input *input); /* four bytes, big-endian; 0 at the end */
/* Two bytes of length, big-endian, then so many bytes, or what is left of them. */
struct bytes fuzz_piece(struct fuzz_input *input);
struct bytes fuzz_rest(struct fuzz_input *input);
/* Ended by NUL; NUL bytes inside end it earlier, as they would anywhere. */
const char *fuzz_text(struct bytes bytes, struct arena *arena);

/* Signatures and sealed boxes stop a fuzzer at the door. With this, what does not verify counts as
 * verified, and a box that cannot be opened is taken for its content after the 48 bytes that
 * sealing adds: an attacker with a member's key can get that far with any content. */
void fuzz_forgive(bool on);

/* Any message of the schema, by a number. */
const ProtobufCMessageDescriptor *fuzz_type(uint8_t number);
/* The number of a type, for the seeds. */
uint8_t fuzz_type_number(const ProtobufCMessageDescriptor *type);
/* Whether the number is one of the second round, in which memory is short. */
bool fuzz_type_is_scarce(uint8_t number);
/* An arena as a frame gets it. Aborts without memory. */
struct arena *fuzz_arena(void);
/* One that most messages do not fit in. */
struct arena *fuzz_arena_scarce(void);
/* A guarded message in the arena; NULL: refused, and *error names a rule. */
ProtobufCMessage *fuzz_unpack(const ProtobufCMessageDescriptor *type, struct bytes packed,
                              struct arena *arena, struct collega_error *error);
/* Every refusal has a rule, and words that can be shown. */
void fuzz_check_error(const struct collega_error *error);

/* An empty directory of this process, in memory; it goes when the process ends. */
const char *fuzz_directory(void);
void fuzz_empty_directory(const char *path);
#endif
