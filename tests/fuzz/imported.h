/* Looking at what an import made, or what is kept of it: everything that its reader hands out is asked for, and
 * must keep what the header promises. `ours`: our own import made it, so that it is also whole in meaning; else
 * its bytes come from anywhere, and it only must not lead its reader astray. */
#ifndef COLLEGA_TESTS_FUZZ_IMPORTED_H
#define COLLEGA_TESTS_FUZZ_IMPORTED_H
#include "client/match/courses.h"
#include "client/match/places.h"
#include "client/match/taxonomy.h"

void look_at_taxonomy(const struct taxonomy *taxonomy, bool ours);
/* Searches it: the index of a search is many times larger than a small taxonomy, and slow to make. */
void search_taxonomy(const struct taxonomy *taxonomy, bool ours);
void look_at_places(const struct places *places, bool ours);
void look_at_courses(const struct courses *courses);
#endif
