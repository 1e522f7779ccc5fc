/* Test vectors of the protocol: what another implementation must arrive at, byte for byte. */
#ifndef COLLEGA_TESTS_VECTORS_H
#define COLLEGA_TESTS_VECTORS_H
#include <jansson.h>
#include <stdbool.h>

struct vector_file {
  const char *name;      /* tests/vectors/NAME.json */
  json_t *(*make)(void); /* a new reference */
  bool random;           /* sealing is randomised: the committed file is opened, not compared */
};
extern const struct vector_file vector_files[];
extern const size_t vector_file_count;
#endif
