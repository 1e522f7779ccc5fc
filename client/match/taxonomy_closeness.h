/* The closeness of all pairs of keys, by the formula in taxonomy.h. */
#ifndef COLLEGA_CLIENT_TAXONOMY_CLOSENESS_H
#define COLLEGA_CLIENT_TAXONOMY_CLOSENESS_H
#include "client/match/taxonomy_file.h"

/* The sections as in the file; of the `count` concepts the first `occupations` are occupations. */
struct taxonomy_parts {
  const struct file_concept *concepts;
  uint32_t count, occupations;
  const uint32_t *skills, *broader;
  const uint16_t *keys;
  uint32_t key_count;
};
/* `out` has room for the square. False: out of memory. */
bool taxonomy_closeness_fill(const struct taxonomy_parts *parts, uint8_t *out);
#endif
