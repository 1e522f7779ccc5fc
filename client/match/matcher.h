/* The matcher: follows the ledger (cursor "matcher"), keeps the engine up to date and writes TABLE_MATCHES.
 * Part of the daemon, but any process with the ledger open may run it: it catches up from its cursor, and at
 * most one writes at a time by the ledger's lock. */
#ifndef COLLEGA_CLIENT_MATCHER_H
#define COLLEGA_CLIENT_MATCHER_H
#include "client/ledger/ledger.h"
#include "client/match/engine.h"

/* Counts the matches found in this home, as a cursor of that name; a row keeps the number it was found under. It
 * goes on after a rebuild: matches are then found anew. */
#define MATCHES_FOUND "matches"

struct matcher;
/* `weight`: of the parts (match.h); NULL: the default ones. What the home has imported (places, taxonomy) the
 * matcher finds by itself, and follows. */
enum collega_status matcher_open(struct ledger *ledger, const double weight[MATCH_PARTS],
                                 struct matcher **out,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
void matcher_close(struct matcher **matcher);
/* Reads what is new in the ledger and writes the matches of offers that were touched (my open offers against
 * everybody's open offers; at most 50 kept per offer, best first). *changed: how many rows were written. */
enum collega_status matcher_run(struct matcher *matcher, collega_time now, uint32_t *changed,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
/* Writes down how far it is. A run does so by itself when there are rows to write, and when it finds nothing new:
 * who runs it once calls this. */
enum collega_status matcher_settle(struct matcher *matcher,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
