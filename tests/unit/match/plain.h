/* The score of two offers, written plainly from the definitions in client/match (match.h, occupation.h,
 * taxonomy.h): on the offers themselves, with texts compared as texts, on the made-up taxonomy's tables, and in
 * another arithmetic for places. What the tests hold the program against. */
#ifndef COLLEGA_TESTS_MATCH_PLAIN_H
#define COLLEGA_TESTS_MATCH_PLAIN_H
#include <stdbool.h>

#include "base/bytes.h"
#include "proto/offer.pb-c.h"
#include "tests/unit/match/made_up.h"

#define PLAIN_PARTS 9
struct plain {
  bool taxonomy; /* the made-up one and its courses; else none */
  double weight[PLAIN_PARTS];
  double closeness[MADE_UP_OCCUPATIONS][MADE_UP_OCCUPATIONS];
};
/* With the default weights. */
void plain_prepare(struct plain *plain, bool taxonomy);

/* Negative: a hard rule is broken. */
double plain_score(const struct plain *plain, const Collega__Offer *one,
                   const struct id *its_employer, const Collega__Offer *other,
                   const struct id *their_employer);
#endif
