/* A small taxonomy that exists nowhere, as tables, from which the tests build one and the plain score reckons. */
#ifndef COLLEGA_TESTS_MATCH_MADE_UP_H
#define COLLEGA_TESTS_MATCH_MADE_UP_H
#include "client/match/courses.h"
#include "client/match/taxonomy.h"

#define MADE_UP_OCCUPATIONS 10
#define MADE_UP_CONCEPTS    13 /* skills, then groups of skills */
#define MADE_UP_SKILLS      10

struct made_up_occupation {
  const char *uri, *isco, *label;
  /* Of each skill: '+' essential, '-' optional, ' ' not. */
  const char *skills;
};
struct made_up_pair {
  unsigned from, to; /* of made_up_concepts */
};
extern const struct made_up_occupation made_up_occupations[MADE_UP_OCCUPATIONS];
extern const char *const made_up_concepts[MADE_UP_CONCEPTS];
extern const struct made_up_pair made_up_broader[], made_up_related[];
extern const size_t made_up_broader_count, made_up_related_count;

/* Courses that lead from one beginning of an ISCO code to another. */
struct made_up_course {
  const char *from, *to;
};
extern const struct made_up_course made_up_courses[];
extern const size_t made_up_course_count;
struct courses *made_up_table(void); /* of them; the caller closes it */

/* By way of a file that is gone at once; the caller closes it. */
struct taxonomy *made_up_taxonomy(void);
#endif
