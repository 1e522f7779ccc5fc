/* Two homes: a lender, a borrower, their offers on the board, and the match of these at the lender. */
#ifndef COLLEGA_TESTS_EXCHANGE_PAIR_H
#define COLLEGA_TESTS_EXCHANGE_PAIR_H
#include "world.h"

struct pair {
  struct world *world;
  struct home *lender, *borrower;
  struct short_id out, in;
  struct id match;
};
struct pair pair_make(struct world *world, uint32_t lent, uint32_t wanted);
/* The match at the borrower too: it is the same. */
void pair_match_borrower(const struct pair *pair);
/* The lender's proposal for so many people, drafted; the deal's id. */
struct id pair_propose(struct world *world, const struct pair *pair, uint32_t headcount);
#endif
