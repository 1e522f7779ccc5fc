/* Offers to match, made in an arena and changed by the tests. */
#ifndef COLLEGA_TESTS_MATCH_SAMPLES_H
#define COLLEGA_TESTS_MATCH_SAMPLES_H
#include "client/match/engine.h"

/* A loan out of warehouse workers in Breda with all there is, and the loan in that it fits exactly. */
Collega__Offer *sample_out(struct arena *arena);
Collega__Offer *sample_in(struct arena *arena);
/* Employer number `n`. */
struct id sample_employer(unsigned n);
/* A random offer that passes check_offer; `state` is the generator's. */
Collega__Offer *sample_random(struct arena *arena, uint64_t *state);
uint32_t sample_number(uint64_t *state, uint32_t below);
#endif
