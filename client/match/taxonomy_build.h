/* Building a taxonomy: concepts, labels and relations in any order, then the file in one piece.
 *
 * Relations may name concepts that come later, or never: those are told at the end and left out. Each relation has a
 * source (a file's number, as the caller counts, and a row in it), so that what is told can say where. Numbers and
 * texts are bounded by taxonomy.h; beyond: COLLEGA_INVALID, rule taxonomy_too_large. Texts are copied. */
#ifndef COLLEGA_CLIENT_TAXONOMY_BUILD_H
#define COLLEGA_CLIENT_TAXONOMY_BUILD_H
#include "client/match/taxonomy.h"

#define TAXONOMY_URI_BYTES   160u /* as in an offer */
#define TAXONOMY_LABEL_BYTES 400u

struct taxonomy_source {
  uint32_t file, row;
};
/* What was left out. `field` as in the file; `about`: the address that is missing. Only valid during the call. */
struct taxonomy_skipped {
  enum rule rule;
  struct taxonomy_source source;
  const char *field, *about;
};
typedef void (*taxonomy_tell)(void *context, const struct taxonomy_skipped *skipped);

struct taxonomy_builder;
struct taxonomy_builder *taxonomy_builder_new(void); /* NULL: out of memory */
void taxonomy_builder_destroy(struct taxonomy_builder **builder);
/* A concept, once or more (a file for each language); isco of an occupation, 0 .. 9999. The same address with another
 * kind or group: COLLEGA_INVALID, rule taxonomy_two_meanings. *out: for its labels. */
enum collega_status taxonomy_build_concept(struct taxonomy_builder *builder,
                                           enum taxonomy_kind kind, struct bytes uri, uint16_t isco,
                                           uint32_t *out,
                                           struct collega_error *error) COLLEGA_MUST_CHECK;
/* language: two letters. */
enum collega_status taxonomy_build_label(struct taxonomy_builder *builder, uint32_t concept,
                                         const char *language, bool preferred, struct bytes text,
                                         struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status taxonomy_build_skill(struct taxonomy_builder *builder, struct bytes occupation,
                                         struct bytes skill, bool essential,
                                         struct taxonomy_source source,
                                         struct collega_error *error) COLLEGA_MUST_CHECK;
/* Two skills of which ESCO says that one helps the other; told once, in either order. */
enum collega_status taxonomy_build_related(struct taxonomy_builder *builder, struct bytes skill,
                                           struct bytes related, struct taxonomy_source source,
                                           struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status taxonomy_build_broader(struct taxonomy_builder *builder, struct bytes narrower,
                                           struct bytes broader, struct taxonomy_source source,
                                           struct collega_error *error) COLLEGA_MUST_CHECK;
/* The file's bytes into *out, which the caller frees (initialised here). Broader relations in a circle:
 * COLLEGA_INVALID, rule taxonomy_cycle, *where one of them. No occupation at all: rule taxonomy_no_occupations. */
enum collega_status taxonomy_build_finish(struct taxonomy_builder *builder, taxonomy_tell tell,
                                          void *context, struct taxonomy_source *where,
                                          struct buffer *out,
                                          struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
