/* Limits of the processor: what libsodium does by itself, one call after another. On one core by the CPU that was used,
 * on all at once by the clock: then it matters what else goes on.
 *
 *   limit_cpu CALLS      Ed25519 on one core and on all at once, BLAKE2b-256 of 600 and of 64 bytes */
#include "tests/bench/measure.h"

#include <sodium.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIGNED_BYTES                                                                               \
  92 /* what a signature of ours covers: a tag, a purpose, an id, a size, a root */
#define CORES_MOST 64

struct keys {
  unsigned char public_key[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
};

static double verify_rate(size_t calls, int64_t (*clock)(void)) {
  struct keys keys;
  unsigned char message[SIGNED_BYTES] = {1}, signature[crypto_sign_BYTES];
  crypto_sign_keypair(keys.public_key, keys.secret);
  crypto_sign_detached(signature, NULL, message, sizeof message, keys.secret);
  int64_t began = clock();
  for (size_t i = 0; i < calls; i++)
    NEED(crypto_sign_verify_detached(signature, message, sizeof message, keys.public_key) == 0);
  return per_second(calls, clock() - began);
}

static double sign_rate(size_t calls) {
  struct keys keys;
  unsigned char message[SIGNED_BYTES] = {1}, signature[crypto_sign_BYTES];
  crypto_sign_keypair(keys.public_key, keys.secret);
  int64_t began = thread_nanoseconds();
  for (size_t i = 0; i < calls; i++) {
    message[1] = signature[0];
    crypto_sign_detached(signature, NULL, message, sizeof message, keys.secret);
  }
  return per_second(calls, thread_nanoseconds() - began);
}

static double hash_rate(size_t calls, size_t length) {
  unsigned char data[1024], hash[32] = {0};
  NEED(length <= sizeof data);
  memset(data, 'x', sizeof data);
  int64_t began = thread_nanoseconds();
  for (size_t i = 0; i < calls; i++) {
    data[0] = hash[0];
    crypto_generichash(hash, sizeof hash, data, length, NULL, 0);
  }
  return per_second(calls, thread_nanoseconds() - began);
}

/* All cores at once: what they do together is less than the sum where cores share units. */
static double verify_rate_of_all(size_t calls, size_t cores) {
  double *rates =
      mmap(NULL, cores * sizeof *rates, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  NEED(rates != MAP_FAILED);
  for (size_t i = 0; i < cores; i++) {
    pid_t child = fork();
    NEED(child >= 0);
    if (child > 0) continue;
    die_with_parent();
    rates[i] = verify_rate(calls, nanoseconds);
    _exit(0);
  }
  double sum = 0;
  for (size_t i = 0; i < cores; i++)
    NEED(wait(NULL) > 0);
  for (size_t i = 0; i < cores; i++) {
    NEED(rates[i] > 0);
    sum += rates[i];
  }
  munmap(rates, cores * sizeof *rates);
  return sum;
}

int main(int count, char **arguments) {
  if (count != 2 || sodium_init() < 0) give_up("usage: %s CALLS", arguments[0]);
  size_t calls = number_argument(arguments[1]);
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  say("cores", (double)cores);
  say("verify", verify_rate(calls, thread_nanoseconds));
  say("verify_all", verify_rate_of_all(calls, cores < 1            ? 1
                                              : cores > CORES_MOST ? CORES_MOST
                                                                   : (size_t)cores));
  say("sign", sign_rate(calls));
  say("hash_600", hash_rate(calls * 50, 600));
  say("hash_64", hash_rate(calls * 50, 64));
  return 0;
}
