/* A lender and a borrower whose offers match. */
#include "pair.h"

struct pair pair_make(struct world *world, uint32_t lent, uint32_t wanted) {
  struct pair pair = {.world = world,
                      .lender = world_home(world, "Snijder BV", "12345678", true),
                      .borrower = world_home(world, "Bakker BV", "87654321", true)};
  pair.out = world_publish(world, pair.lender, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT, lent);
  pair.in = world_publish(world, pair.borrower, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_IN, wanted);
  world_settle(world);
  pair.match = world_match(pair.lender, &pair.out, &pair.in);
  return pair;
}

void pair_match_borrower(const struct pair *pair) {
  struct id match = world_match(pair->borrower, &pair->in, &pair->out);
  assert_true(id_equal(&match, &pair->match));
}

struct id pair_propose(struct world *world, const struct pair *pair, uint32_t headcount) {
  struct proposal proposal = {.match = &pair->match, .headcount = headcount};
  struct id deal;
  must(deal_propose(pair->lender->exchange, &pair->lender->party, &proposal, world->now, &deal,
                    &error));
  return deal;
}
