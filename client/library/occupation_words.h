/* An offer without a valid occupation: what it may be, in the error's own words. */
#ifndef COLLEGA_CLIENT_LIBRARY_OCCUPATION_WORDS_H
#define COLLEGA_CLIENT_LIBRARY_OCCUPATION_WORDS_H
#include "client/library/view.h"
#include "client/match/occupation_guide.h"

/* The guide of the view's home, in the view's language. */
enum collega_status view_occupations(const struct view *view, struct occupation_guide **out,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
/* Where *error (not OK) is about the occupation of `offer`, it becomes occupation_propose, with what the offer's
 * own words for it (what stands where the code should be, occupation.title, else the title) may mean: the person
 * chooses, nothing is filled in. Else, or where nothing is like them, *error stays as it is. *guide is opened when
 * it is first needed, and is the caller's to close. */
void occupation_explain(const struct view *view, struct occupation_guide **guide,
                        const json_t *offer, struct collega_error *error);
#endif
