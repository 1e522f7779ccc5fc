/* Random offers that are grounded: all ISCO-08 unit groups, with a few that most people work in more often; of each group
 * a dozen skills, of which an offer names some; the 90 postcode areas, each as often; periods of some weeks that begin in
 * the seasons. Half offer, half ask. The same seed gives the same offers. With a taxonomy the occupations are its own, some
 * more often than others, and the skills their essential ones; every fourth offer names the unit group alone. */
#ifndef COLLEGA_BENCH_GROUNDED_H
#define COLLEGA_BENCH_GROUNDED_H
#include "base/bytes.h"
#include "client/match/taxonomy.h"
#include "proto/lists.h"
#include "proto/offer.pb-c.h"

#define GROUPS_MAX 500

struct generator {
  uint64_t state;
  const struct isco_row *groups[GROUPS_MAX];
  size_t group_count;
  char postcodes[100][5];
  size_t postcode_count;
  const struct taxonomy *taxonomy; /* NULL: none */
};

/* Zero before. `taxonomy` may be set after. */
void grounded_prepare(struct generator *generator, uint64_t seed);
uint32_t grounded_number(struct generator *generator, uint32_t below);
/* In the arena. */
Collega__Offer *grounded_offer(struct generator *generator, struct arena *arena);
#endif
