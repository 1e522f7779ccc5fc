/* A network's own short courses, from a table as spreadsheets write it: columns closes, what, from, length, unit,
 * nl, en, in any order (client/match/courses.h says what stands in them; `from` may be left out). Whole or not at
 * all: what is wrong is an error whose field is "FILE row N: COLUMN". */
#ifndef COLLEGA_CLIENT_LIBRARY_COURSES_IMPORT_H
#define COLLEGA_CLIENT_LIBRARY_COURSES_IMPORT_H
#include "client/match/courses.h"

/* The bytes of HOME/courses in *out, initialised here; the caller frees it, after an error too. */
enum collega_status courses_import(const char *path, struct buffer *out, size_t *count,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
/* The same of a table in memory. */
enum collega_status courses_import_bytes(const char *name, struct bytes text, struct buffer *out,
                                         size_t *count,
                                         struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
