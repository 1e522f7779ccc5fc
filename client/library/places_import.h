/* Importing places: the postcode file that GeoNames publishes for the Netherlands (NL.txt or NL_full.txt: lines of 12
 * fields, separated by tabs) and, where the user has one, a table of municipalities with their labour-market regions
 * (CSV with columns gm_code and am_code, as Statistics Netherlands publishes it).
 *
 * Whole or not at all: a line that is not well formed, a postcode that cannot exist, a place outside the Netherlands is
 * an error whose field is "FILE row N: COLUMN", and nothing is written. Lines of other countries are counted. */
#ifndef COLLEGA_CLIENT_LIBRARY_PLACES_IMPORT_H
#define COLLEGA_CLIENT_LIBRARY_PLACES_IMPORT_H
#include "client/match/places.h"

#define PLACES_FILE_BYTES (256u * 1024u * 1024u) /* of all countries it has 140 MB */

struct places_report {
  uint64_t rows, other_countries;
  struct places_size size;
};
/* Reads the files (`regions` may be NULL) and makes HOME/places' bytes in *out, initialised here; the caller frees it,
 * after an error too. */
enum collega_status places_import(const char *path, const char *regions, struct buffer *out,
                                  struct places_report *report,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
/* The same of files in memory. */
struct places_source {
  const char *name;
  struct bytes text;
};
enum collega_status places_import_bytes(const struct places_source *places,
                                        const struct places_source *regions, struct buffer *out,
                                        struct places_report *report,
                                        struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
