/* Occupations as numbers, and how close two of them are.
 *
 * Without more the ISCO-08 tree tells: the same unit group (four digits) 1, the same minor group (three) 0.7,
 * sub-major (two) 0.4, major (one) 0.15, else 0. The steps follow the tree's own claim, that groups share skill level
 * and specialisation the more digits they share; their values are ours. */
#ifndef COLLEGA_CLIENT_OCCUPATION_H
#define COLLEGA_CLIENT_OCCUPATION_H
#include <stddef.h>
#include <stdint.h>

/* 0 .. 9999: an ISCO-08 code of four digits. */
#define OCCUPATION_KEYS 10000u

/* `isco`: four digits, as checked in an offer. */
uint16_t occupation_key(const char *isco);
/* 0 .. 1, symmetric; 1 for a key and itself. */
double occupation_closeness(uint16_t one, uint16_t other);
#endif
