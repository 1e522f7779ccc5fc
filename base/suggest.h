/* The nearest known word to what was typed. */
#ifndef COLLEGA_BASE_SUGGEST_H
#define COLLEGA_BASE_SUGGEST_H
#include <stdbool.h>
#include <stddef.h>

/* How many letters must change to get from one word to the other (insert, drop, replace, swap). Words longer than 63
 * are near to nothing: SIZE_MAX. */
size_t edit_distance(const char *a, const char *b);
/* Whether a word that far away is worth suggesting for what was typed. */
bool near_enough(const char *typed, size_t distance);
#endif
