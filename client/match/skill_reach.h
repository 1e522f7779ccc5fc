/* What the skills of one offer reach, prepared once, so that the skills part against each of many others takes a
 * look-up for each of the other's skills instead of a comparison of all pairs. Gives what match.h says, to the
 * last bit. */
#ifndef COLLEGA_CLIENT_SKILL_REACH_H
#define COLLEGA_CLIENT_SKILL_REACH_H
#include "client/match/card.h"

struct skill_reach;
/* Of `card`, whose side demands or supplies. The taxonomy, NULL for none, outlives it. NULL: out of memory. */
struct skill_reach *skill_reach_new(const struct taxonomy *taxonomy, const struct match_card *card,
                                    bool demands);
void skill_reach_free(struct skill_reach *reach);
/* The skills part with an offer of the other side, 0 .. 1; *shared: it has a skill of which the other asks,
 * closeness 1. */
double skill_reach_part(const struct skill_reach *reach, const struct match_card *other,
                        bool *shared);
#endif
