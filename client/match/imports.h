/* What was imported in a home (places, a taxonomy, courses), followed as imports replace its files. */
#ifndef COLLEGA_CLIENT_IMPORTS_H
#define COLLEGA_CLIENT_IMPORTS_H
#include <sys/stat.h>
#include "client/match/card.h"

/* All zero: nothing was read yet. */
struct imports {
  struct places *places;     /* NULL: none */
  struct taxonomy *taxonomy; /* NULL: none */
  struct courses *courses;   /* NULL: none of its own */
  /* As they were when they were read; all zero: none. */
  struct stat places_file, taxonomy_file, courses_file;
};
/* Reads the files of `home` that are not the ones that were read; a damaged one is logged, and the former stays in use.
 * True: something was replaced. What it was before is closed: nothing that was made with it may be used any more. */
bool imports_follow(struct imports *imports, const char *home);
/* Valid until they are followed again, or closed. */
struct match_sources imports_sources(const struct imports *imports);
void imports_close(struct imports *imports);
#endif
