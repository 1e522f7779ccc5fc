/* The closeness of all pairs of occupations, by the formula in taxonomy.h. */
#ifndef COLLEGA_CLIENT_TAXONOMY_CLOSENESS_H
#define COLLEGA_CLIENT_TAXONOMY_CLOSENESS_H
#include "client/match/taxonomy_file.h"

/* `concepts` as in the file, of which the first `occupations` are occupations; `out` has room for all pairs. False: out
 * of memory. */
bool taxonomy_closeness_fill(const struct file_concept *concepts, uint32_t count,
                             uint32_t occupations, const uint32_t *skills, const uint32_t *broader,
                             uint8_t *out);
#endif
