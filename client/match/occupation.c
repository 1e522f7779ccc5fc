/* Closeness in the ISCO tree: digits in common from the left. */
#include "client/match/occupation.h"

uint16_t occupation_key(const char *isco) {
  unsigned key = 0;
  for (size_t i = 0; i < 4 && isco[i] >= '0' && isco[i] <= '9'; ++i)
    key = key * 10u + (unsigned)(isco[i] - '0');
  return (uint16_t)key;
}

double occupation_closeness(uint16_t one, uint16_t other) {
  if (one == other) return 1.0;
  if (one / 10 == other / 10) return 0.7;
  if (one / 100 == other / 100) return 0.4;
  return one / 1000 == other / 1000 ? 0.15 : 0.0;
}
