/* How far apart two words are. */
#include "base/suggest.h"

#include <stdint.h>
#include <string.h>

#define LONGEST_WORD 63 /* nobody types a longer command; beyond it nothing is suggested */

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

size_t edit_distance(const char *a, const char *b) {
  size_t rows = strlen(a), columns = strlen(b);
  if (rows > LONGEST_WORD || columns > LONGEST_WORD) return SIZE_MAX;
  size_t distance[LONGEST_WORD + 1][LONGEST_WORD + 1];
  for (size_t i = 0; i <= rows; i++)
    distance[i][0] = i;
  for (size_t j = 0; j <= columns; j++)
    distance[0][j] = j;
  for (size_t i = 1; i <= rows; i++)
    for (size_t j = 1; j <= columns; j++) {
      size_t replace = distance[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
      size_t best = least(replace, least(distance[i - 1][j], distance[i][j - 1]) + 1);
      bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      distance[i][j] = swapped ? least(best, distance[i - 2][j - 2] + 1) : best;
    }
  return distance[rows][columns];
}

bool near_enough(const char *typed, size_t distance) {
  size_t allowed = strlen(typed) / 3;
  return distance <= (allowed < 1 ? 1 : allowed);
}
