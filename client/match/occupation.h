/* Occupations as numbers, and how close two of them are.
 *
 * Without a taxonomy, and where one of the two is not in it, the ISCO-08 tree tells: the same unit group (four
 * digits) 1, the same minor group (three) 0.7, sub-major (two) 0.4, major (one) 0.15, else 0. The steps follow the
 * tree's own claim, that groups share skill level and specialisation the more digits they share; their values are
 * ours.
 *
 * With one, closeness is the taxonomy's (taxonomy.h), between the occupations that the offers name by address; an
 * offer that names none, or one that the taxonomy does not know, counts as its unit group. Where the taxonomy
 * knows the address, its own unit group counts, whatever the offer says.
 *
 * Closeness below OCCUPATION_LEAST counts as 0: nearly all occupations share some skill that says nothing. */
#ifndef COLLEGA_CLIENT_OCCUPATION_H
#define COLLEGA_CLIENT_OCCUPATION_H
#include <stddef.h>
#include <stdint.h>

#include "client/match/taxonomy.h"

/* 0 .. 9999: an ISCO-08 code of four digits; from here on a key of the taxonomy. */
#define OCCUPATION_KEYS  10000u
#define OCCUPATION_LEAST 0.1

/* Closeness in the tree: 0 .. 1, symmetric; codes 0 .. 9999. */
double isco_closeness(uint16_t one, uint16_t other);
uint16_t isco_number(const char *isco); /* four digits, as checked in an offer */

/* `taxonomy`: NULL for none; the numbers that it gave are compared with no other. esco: an address, or NULL. */
uint16_t occupation_key(const struct taxonomy *taxonomy, const char *isco, const char *esco);
uint16_t occupation_isco(const struct taxonomy *taxonomy, uint16_t key);
/* 0 .. 1, symmetric; 1 for a key and itself. */
double occupation_closeness(const struct taxonomy *taxonomy, uint16_t one, uint16_t other);
/* A closeness as the taxonomy keeps it, as a number. */
double occupation_step(uint8_t step);
#endif
