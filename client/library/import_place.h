/* Where in an imported table something is wrong: what the imports of tables share. */
#ifndef COLLEGA_CLIENT_LIBRARY_IMPORT_PLACE_H
#define COLLEGA_CLIENT_LIBRARY_IMPORT_PLACE_H
#include "base/bytes.h"

#define IMPORT_NAME_BYTES 64u

/* A file's name without its directories, to be shown: cut where a character ends; what is no text becomes '?'. */
void import_name(char out[IMPORT_NAME_BYTES], const char *path);
/* Makes "occupations_nl.csv row 12: iscoGroup" the error's field, with column "" the row alone. Returns `status`. */
enum collega_status import_at(enum collega_status status, const char *name, uint32_t row,
                              const char *column, struct collega_error *error);
/* A value that breaks a rule, the rule's argument as far as it is text and fits. COLLEGA_INVALID. */
enum collega_status import_bad(enum rule rule, struct bytes value, const char *name, uint32_t row,
                               const char *column, struct collega_error *error);
#endif
