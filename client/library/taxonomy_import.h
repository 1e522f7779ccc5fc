/* Importing ESCO as the European Commission publishes it: CSV files in any languages, loose, in directories or in
 * zips.
 *
 * What a file is, its columns tell; its language is the end of its name (occupations_nl.csv). Taken are
 * occupations, skills, groups of skills, the relations of occupations to skills and of skills to skills, and the
 * broader relations; other files of the set (collections, concept schemes, the hierarchy as a table) repeat these
 * or are not needed, and are told as passed over.
 *
 * Whole or not at all: a file that is not well formed, a wrong code, a circle of broader relations is an error whose
 * field is "FILE row N: COLUMN", and nothing is written. Relations that point at what is not there are left out and
 * told. One file is in memory at a time. */
#ifndef COLLEGA_CLIENT_LIBRARY_TAXONOMY_IMPORT_H
#define COLLEGA_CLIENT_LIBRARY_TAXONOMY_IMPORT_H
#include "client/library/import_place.h"
#include "client/match/taxonomy_build.h"

#define TAXONOMY_CSV_BYTES                                                                         \
  (64u * 1024u * 1024u) /* one file, unpacked; the largest of ESCO has 21 MB */
#define TAXONOMY_FILES_MOST   256u
#define TAXONOMY_SKIPPED_KEPT 1000u /* told one by one; beyond that only counted */

struct taxonomy_file {
  char name[IMPORT_NAME_BYTES];
  bool taken;
  uint32_t rows;
};
struct taxonomy_told {
  enum rule rule;
  uint32_t file, row; /* of files[] */
  char field[24];
  char about[TAXONOMY_URI_BYTES + 1];
};
struct taxonomy_report {
  struct taxonomy_file files[TAXONOMY_FILES_MOST];
  size_t file_count;
  struct taxonomy_told *told;
  size_t told_count, skipped; /* skipped: those not kept included */
};
/* Called with the rows read so far. */
typedef void (*taxonomy_step)(void *context, uint64_t done, uint64_t total);

/* Reads all paths and makes the file's bytes (taxonomy_file.h) in *out, initialised here; the caller frees it, and the
 * report with taxonomy_report_free, after an error too. */
enum collega_status taxonomy_import(const char *const *paths, size_t count, taxonomy_step step,
                                    void *context, struct buffer *out,
                                    struct taxonomy_report *report,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
/* The same of files in memory, whose names end as those of files. */
struct taxonomy_source_bytes {
  const char *name;
  struct bytes bytes;
};
enum collega_status taxonomy_import_bytes(const struct taxonomy_source_bytes *sources, size_t count,
                                          struct buffer *out, struct taxonomy_report *report,
                                          struct collega_error *error) COLLEGA_MUST_CHECK;
void taxonomy_report_free(struct taxonomy_report *report);
#endif
