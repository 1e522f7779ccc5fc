/* Which occupations a text may mean: proposals for a person to choose from, never an answer. They come from the
 * taxonomy of this home where one was imported, else from the labels of ISCO-08, which are built in. */
#ifndef COLLEGA_CLIENT_OCCUPATION_GUIDE_H
#define COLLEGA_CLIENT_OCCUPATION_GUIDE_H
#include "base/error.h"
#include "base/words.h"

#define OCCUPATION_PROPOSALS 5u /* as many as a person looks through */

struct occupation_guide;
struct occupation_proposal {
  char isco[5];      /* four digits */
  const char *label; /* in the guide's language where there is one; valid while the guide is open */
  const char *esco;  /* the occupation's address; NULL: of the built-in list, which knows none */
};

/* `path`: where a taxonomy may lie; one that is damaged is an error. */
enum collega_status occupation_guide_open(const char *path, enum language language,
                                          struct occupation_guide **out,
                                          struct collega_error *error) COLLEGA_MUST_CHECK;
void occupation_guide_close(struct occupation_guide **guide);
/* The likeliest first, at most `most`; what is hardly like the text is left out. Returns how many. */
size_t occupation_propose(struct occupation_guide *guide, const char *text, size_t most,
                          struct occupation_proposal *out);
#endif
