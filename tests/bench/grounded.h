/* Random offers that are grounded: all ISCO-08 unit groups, with a few that most people work in more often; of
 * each group a dozen skills, of which an offer names some; the 90 postcode areas, each as often; periods of some
 * weeks that begin in the seasons. Half offer, half ask. The same seed gives the same offers. With a taxonomy the
 * occupations are its own, some more often than others, and the skills their essential ones; every fourth offer
 * names the unit group alone. With imported places the postcodes are all those that there are, of four digits. */
#ifndef COLLEGA_BENCH_GROUNDED_H
#define COLLEGA_BENCH_GROUNDED_H
#include "base/bytes.h"
#include "client/match/match.h"
#include "proto/lists.h"
#include "proto/offer.pb-c.h"

#define GROUPS_MAX 500

struct generator {
  uint64_t state;
  const struct isco_row *groups[GROUPS_MAX];
  size_t group_count;
  char postcodes[PLACES_MOST][5];
  size_t postcode_count;
  const struct taxonomy *taxonomy; /* NULL: none */
};

/* What was imported in a home, HOME/taxonomy and HOME/places. */
struct grounded_home {
  struct taxonomy *taxonomy; /* NULL: none */
  struct places *places;     /* NULL: none */
};
/* Says how long opening takes. NULL: there is no home, and nothing in it. */
void grounded_home_open(struct grounded_home *home, const char *path);
void grounded_home_close(struct grounded_home *home);
/* The default rules, with what the home has. */
struct match_rules grounded_rules(const struct grounded_home *home);

/* From the beginning again, when it was in use. The home outlives it. */
void grounded_prepare(struct generator *generator, uint64_t seed, const struct grounded_home *home);
uint32_t grounded_number(struct generator *generator, uint32_t below);
/* How the programs are called that use it: [--seed N] [--home HOME] [--OWN WORD] AMOUNT AMOUNT. Ends the program with
 * `usage` where it is called otherwise. */
struct grounded_options {
  size_t seed;
  const char *home, *own; /* NULL: not told */
  size_t amount[2];
};
struct grounded_options grounded_options(int count, char **arguments, const char *own,
                                         const char *usage);
/* In the arena. */
Collega__Offer *grounded_offer(struct generator *generator, struct arena *arena);
#endif
