/* The score of two offers, written plainly from the definitions in client/match/match.h: on the offers themselves, with
 * texts compared as texts, and in another arithmetic for places. What the tests hold the program against. */
#ifndef COLLEGA_TESTS_MATCH_PLAIN_H
#define COLLEGA_TESTS_MATCH_PLAIN_H
#include <stdbool.h>

#include "base/bytes.h"
#include "proto/offer.pb-c.h"

/* Negative: a hard rule is broken. */
double plain_score(const Collega__Offer *one, const struct id *its_employer,
                   const Collega__Offer *other, const struct id *their_employer);
#endif
