/* What the targets share: input, fixed randomness, forgiveness. */
#define _XOPEN_SOURCE 700
#include "tests/fuzz/fuzz.h"

#include <ftw.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/words.h"
#include "proto/guard.h"
#include "proto/limits.h"

#define SEAL_BYTES   crypto_box_SEALBYTES
#define SCARCE_BYTES 1024u

/* The only mutable state of a target: libFuzzer calls it through a function of its own, with no
 * room for a context. One thread draws and forgives. */
static struct {
  uint64_t random;
  bool forgive;
  char directory[64];
} fuzz;

_Noreturn void fuzz_broken(const char *what, const char *file, int line) {
  fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
  abort();
}

/* ---- randomness */

static uint64_t draw(void) { /* splitmix64 */
  uint64_t z = (fuzz.random += UINT64_C(0x9E3779B97F4A7C15));
  z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
  return z ^ (z >> 31);
}

static const char *source_name(void) {
  return "fuzz";
}

static uint32_t source_number(void) {
  return (uint32_t)draw();
}

static void source_fill(void *const out, const size_t size) {
  uint8_t *bytes = out;
  for (size_t i = 0; i < size; i++)
    bytes[i] = (uint8_t)draw();
}

static struct randombytes_implementation source = {
    .implementation_name = source_name, .random = source_number, .buf = source_fill};

/* ---- forgiveness (linked with --wrap) */

int __real_crypto_sign_verify_detached(const unsigned char *signature, const unsigned char *message,
                                       unsigned long long length, const unsigned char *key);
int __wrap_crypto_sign_verify_detached(const unsigned char *signature, const unsigned char *message,
                                       unsigned long long length, const unsigned char *key);
int __real_crypto_box_seal_open(unsigned char *out, const unsigned char *sealed,
                                unsigned long long length, const unsigned char *public_key,
                                const unsigned char *secret);
int __wrap_crypto_box_seal_open(unsigned char *out, const unsigned char *sealed,
                                unsigned long long length, const unsigned char *public_key,
                                const unsigned char *secret);

int __wrap_crypto_sign_verify_detached(const unsigned char *signature, const unsigned char *message,
                                       unsigned long long length, const unsigned char *key) {
  if (fuzz.forgive) return 0;
  return __real_crypto_sign_verify_detached(signature, message, length, key);
}

int __wrap_crypto_box_seal_open(unsigned char *out, const unsigned char *sealed,
                                unsigned long long length, const unsigned char *public_key,
                                const unsigned char *secret) {
  if (__real_crypto_box_seal_open(out, sealed, length, public_key, secret) == 0) return 0;
  if (!fuzz.forgive || length < SEAL_BYTES) return -1;
  memcpy(out, sealed + SEAL_BYTES, (size_t)length - SEAL_BYTES);
  return 0;
}

void fuzz_forgive(bool on) {
  fuzz.forgive = on;
}

/* ---- input */

static void remove_directory(void) {
  if (fuzz.directory[0] == '\0') return;
  fuzz_empty_directory(fuzz.directory);
  rmdir(fuzz.directory);
}

int LLVMFuzzerInitialize(int *count, char ***arguments) {
  (void)count, (void)arguments;
  struct collega_error error;
  setenv("COLLEGA_LOG", "error", 0);
  randombytes_set_implementation(&source);
  fuzz_must(bytes_start(&error) == COLLEGA_OK);
  return 0;
}

struct fuzz_input fuzz_begin(const uint8_t *data, size_t length) {
  fuzz.random = 1;
  fuzz.forgive = false;
  return (struct fuzz_input){data, length};
}

uint8_t fuzz_byte(struct fuzz_input *input) {
  if (input->length == 0) return 0;
  input->length--;
  return *input->data++;
}

uint32_t fuzz_number(struct fuzz_input *input) {
  uint32_t number = 0;
  for (int i = 0; i < 4; i++)
    number = number << 8 | fuzz_byte(input);
  return number;
}

struct bytes fuzz_piece(struct fuzz_input *input) {
  size_t wanted = (size_t)fuzz_byte(input) << 8;
  wanted |= fuzz_byte(input);
  if (wanted > input->length) wanted = input->length;
  struct bytes piece = bytes_of(input->data, wanted);
  input->data += wanted;
  input->length -= wanted;
  return piece;
}

struct bytes fuzz_rest(struct fuzz_input *input) {
  struct bytes rest = bytes_of(input->data, input->length);
  input->length = 0;
  return rest;
}

const char *fuzz_text(struct bytes bytes, struct arena *arena) {
  char *text = arena_take(arena, bytes.length + 1);
  fuzz_must(text != NULL);
  if (bytes.length > 0) memcpy(text, bytes.data, bytes.length);
  text[bytes.length] = '\0';
  return text;
}

/* ---- the schema */

static size_t type_count(void) {
  size_t count = 0;
  while (rules_at(count) != NULL)
    count++;
  return count;
}

const ProtobufCMessageDescriptor *fuzz_type(uint8_t number) {
  return rules_at(number % type_count())->type;
}

bool fuzz_type_is_scarce(uint8_t number) {
  return number / type_count() == 1;
}

uint8_t fuzz_type_number(const ProtobufCMessageDescriptor *type) {
  size_t number = 0;
  while (rules_at(number) != NULL && rules_at(number)->type != type)
    number++;
  fuzz_must(rules_at(number) != NULL && number <= UINT8_MAX);
  return (uint8_t)number;
}

struct arena *fuzz_arena(void) {
  struct arena *arena = arena_new(4096, LIMIT_ARENA_BYTES);
  fuzz_must(arena != NULL);
  return arena;
}

struct arena *fuzz_arena_scarce(void) {
  struct arena *arena = arena_new(SCARCE_BYTES, SCARCE_BYTES);
  fuzz_must(arena != NULL);
  return arena;
}

void fuzz_check_error(const struct collega_error *error) {
  char text[1024];
  fuzz_must(error->status != COLLEGA_OK && error->rule != RULE_NONE);
  fuzz_must(utf8_valid((const uint8_t *)error->field, strlen(error->field)));
  for (int language = 0; language < 2; language++) {
    size_t length = error_render((enum language)language, error, text, sizeof text);
    fuzz_must(length > 0 && length < sizeof text && text[length] == '\0');
    fuzz_must(utf8_valid((const uint8_t *)text, length));
  }
}

ProtobufCMessage *fuzz_unpack(const ProtobufCMessageDescriptor *type, struct bytes packed,
                              struct arena *arena, struct collega_error *error) {
  ProtobufCMessage *message = NULL;
  error_clear(error);
  if (guard_unpack(type, packed, arena, &message, error) == COLLEGA_OK) {
    fuzz_must(message != NULL);
    return message;
  }
  fuzz_check_error(error);
  return NULL;
}

/* ---- files */

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *at) {
  (void)about, (void)type;
  return at->level == 0 ? 0 : remove(path);
}

void fuzz_empty_directory(const char *path) {
  nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *fuzz_directory(void) {
  if (fuzz.directory[0] != '\0') return fuzz.directory;
  const char *memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
  snprintf(fuzz.directory, sizeof fuzz.directory, "%s/collega-fuzz-XXXXXX", memory);
  fuzz_must(mkdtemp(fuzz.directory) != NULL);
  atexit(remove_directory);
  return fuzz.directory;
}
