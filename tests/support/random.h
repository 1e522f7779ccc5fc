/* Numbers for tests that draw their cases from a seed, and repeat them by it: splitmix64 (Steele, Lea and Flood,
 * 2014). */
#ifndef COLLEGA_TESTS_SUPPORT_RANDOM_H
#define COLLEGA_TESTS_SUPPORT_RANDOM_H
#include <stdint.h>

static inline uint64_t random_next(uint64_t *state) {
  uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}
/* 0 up to `bound`, which is above 0 and not reached. */
static inline int32_t random_below(uint64_t *state, int32_t bound) {
  return (int32_t)(random_next(state) % (uint64_t)bound);
}
#endif
