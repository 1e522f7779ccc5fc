/* The proof file: a line of magic so that people and programs see what it is, the packed Proof, and
 * BLAKE2b-256 of all that precedes, so that a file that was cut or damaged says so before anything else
 * is said about it. The hash protects from accidents only: whoever forges can compute it anew.
 */
#include "proto/proof.h"

#include <sodium.h>
#include <string.h>

#include "proto/guard.h"

#define PROOF_MAGIC       "collega-proof-1\n"
#define PROOF_MAGIC_BYTES (sizeof PROOF_MAGIC - 1)

static void closing_hash(struct id *out, const uint8_t *data, size_t length) {
  crypto_generichash(out->byte, ID_BYTES, data, length, NULL, 0);
}

struct bytes proof_pack(const Collega__Proof *proof, struct arena *arena) {
  struct bytes packed = message_pack(&proof->base, arena);
  size_t length = PROOF_MAGIC_BYTES + packed.length;
  uint8_t *file = packed.data ? arena_take(arena, length + ID_BYTES) : NULL;
  if (!file) return bytes_of(NULL, 0);
  memcpy(file, PROOF_MAGIC, PROOF_MAGIC_BYTES);
  memcpy(file + PROOF_MAGIC_BYTES, packed.data, packed.length);
  struct id hash;
  closing_hash(&hash, file, length);
  memcpy(file + length, hash.byte, ID_BYTES);
  return bytes_of(file, length + ID_BYTES);
}

enum collega_status proof_unpack_any(struct bytes file, struct arena *arena, Collega__Proof **out,
                                     bool *hash_fits, struct collega_error *error) {
  *hash_fits = false;
  if (file.length < PROOF_MAGIC_BYTES + ID_BYTES ||
      memcmp(file.data, PROOF_MAGIC, PROOF_MAGIC_BYTES) != 0) {
    return error_set(error, COLLEGA_INVALID, RULE_proof_not_one, NULL, NULL);
  }
  size_t length = file.length - ID_BYTES;
  struct id hash;
  closing_hash(&hash, file.data, length);
  *hash_fits = memcmp(hash.byte, file.data + length, ID_BYTES) == 0;
  ProtobufCMessage *message;
  enum collega_status status = guard_unpack(
      &collega__proof__descriptor,
      bytes_of(file.data + PROOF_MAGIC_BYTES, length - PROOF_MAGIC_BYTES), arena, &message, error);
  if (status == COLLEGA_OK) {
    *out = (Collega__Proof *)message;
  } else if (status == COLLEGA_INVALID && !*hash_fits) {
    /* What the guard stumbled over is where the damage shows. */
    struct collega_error found = error ? *error : (struct collega_error){0};
    error_set(error, COLLEGA_INVALID, RULE_proof_damaged, found.field, NULL);
  }
  return status;
}

enum collega_status proof_unpack(struct bytes file, struct arena *arena, Collega__Proof **out,
                                 struct collega_error *error) {
  bool hash_fits;
  enum collega_status status = proof_unpack_any(file, arena, out, &hash_fits, error);
  if (status == COLLEGA_OK && !hash_fits) {
    return error_set(error, COLLEGA_INVALID, RULE_proof_damaged, NULL, NULL);
  }
  return status;
}
