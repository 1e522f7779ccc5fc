/* A taxonomy that was imported: occupations, skills, their labels in any languages, and how close occupations are.
 *
 * It is one file, HOME/taxonomy (its form: taxonomy_file.h), mapped read-only; a taxonomy and all texts that it
 * hands out stay valid until taxonomy_close. It may be shared by threads. Import writes a new file and renames it,
 * so that who has the former open goes on reading that.
 *
 * Concepts are numbers: occupations 0 .. occupations - 1, then skills, then groups of skills, each ascending by
 * address (URI).
 *
 * Closeness of two occupations, precomputed for all pairs (taxonomy_closeness.c):
 *
 *   closeness = 0.6 * sqrt(cosine) + 0.4 * tree                    0 .. 1, in steps of 1/255; 1 for itself
 *   cosine    = the angle between the occupations' vectors of skills. An occupation's weight on a skill is
 *               role * ln(occupations / occupations that have the skill), role 1 where the skill is essential and
 *               0.5 where it is optional; on a skill's broader group half of that, with the group's own count, the
 *               highest where several skills lead to it. So a skill that a thousand occupations share says little,
 *               and two neighbouring skills of one group say something.
 *   tree      = closeness of their ISCO unit groups (occupation.h)
 *
 * Of a unit group, where no occupation is told: with an occupation or another unit group the mean closeness of its
 * occupations, rounded to 1/255; with itself and with its own occupations 1, because nothing speaks against it.
 *
 * Closeness of two skills:
 *
 *   1     the same
 *   0.6   ESCO relates them, or one is broader than the other
 *   0.3   something is broader than both: a skill or a group of skills
 *   0     else
 *
 * The order is ESCO's own (a relation of two skills says that one helps the other, a group only that they are of a
 * kind); the steps are ours.
 *
 * Sources: the cosine of vectors weighted by inverse document frequency is that of text retrieval (Salton, Wong and
 * Yang, A vector space model for automatic indexing, CACM 18, 1975; Sparck Jones, A statistical interpretation of
 * term specificity, Journal of Documentation 28, 1972); skill sets as vectors of occupations after Nedelkoska et al.
 * and ESCO's own skill-occupation matrix. The root spreads the low cosines, which are most of them. The weights 0.6,
 * 0.4 and 0.5 are ours; docs/matching.md shows what they give. */
#ifndef COLLEGA_CLIENT_TAXONOMY_H
#define COLLEGA_CLIENT_TAXONOMY_H
#include <stdbool.h>
#include "base/bytes.h"
#include "base/error.h"

#define TAXONOMY_FILE             "taxonomy" /* in the home */
#define TAXONOMY_OCCUPATIONS_MOST 8000u      /* their closeness takes 70 MB */
#define TAXONOMY_KEYS_MOST        (2u * TAXONOMY_OCCUPATIONS_MOST)
#define TAXONOMY_CONCEPTS_MOST    200000u
#define TAXONOMY_LABELS_MOST      4000000u
#define TAXONOMY_RELATIONS_MOST   4000000u
#define TAXONOMY_TEXT_BYTES       (256u * 1024u * 1024u)
#define TAXONOMY_NOT_THERE        UINT32_MAX

enum taxonomy_kind { TAXONOMY_OCCUPATION, TAXONOMY_SKILL, TAXONOMY_GROUP, TAXONOMY_KINDS };

struct taxonomy;
struct taxonomy_size {
  uint32_t concepts[TAXONOMY_KINDS];
  uint32_t labels, skill_relations, broader_relations, related_skills;
  size_t bytes; /* of the file */
};
struct taxonomy_label {
  const char *text;
  char language[3]; /* "nl" */
  bool preferred;
};

/* No file: COLLEGA_NOT_FOUND, rule taxonomy_none. A file that is damaged or of another version: COLLEGA_DAMAGED, rule
 * taxonomy_damaged; nothing is read beyond it. */
enum collega_status taxonomy_open(const char *path, struct taxonomy **out,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
/* Of the bytes that taxonomy_build_finish made, which it takes over, after an error too. */
enum collega_status taxonomy_of_taken(struct buffer *bytes, struct taxonomy **out,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;
void taxonomy_close(struct taxonomy **taxonomy);
void taxonomy_size(const struct taxonomy *taxonomy, struct taxonomy_size *out);

/* The concept with this address; TAXONOMY_NOT_THERE: none. */
uint32_t taxonomy_find(const struct taxonomy *taxonomy, enum taxonomy_kind kind, const char *uri);
/* The same of up to TAXONOMY_SOME addresses, which takes less than one after another. */
#define TAXONOMY_SOME 48u
void taxonomy_find_some(const struct taxonomy *taxonomy, enum taxonomy_kind kind,
                        const char *const *uris, size_t count, uint32_t *out);
/* The first concept of a kind; the last is before the first of the next. */
uint32_t taxonomy_first(const struct taxonomy *taxonomy, enum taxonomy_kind kind);
/* `concept` as handed out by this taxonomy; so for all below. */
const char *taxonomy_uri(const struct taxonomy *taxonomy, uint32_t concept);
enum taxonomy_kind taxonomy_kind(const struct taxonomy *taxonomy, uint32_t concept);
/* An occupation's ISCO unit group, 0 .. 9999 (occupation.h); 0 for other concepts. */
uint16_t taxonomy_isco(const struct taxonomy *taxonomy, uint32_t concept);
/* The labels of a concept have numbers, *first .. *first + count - 1; labels of one concept stand together, by
 * language, the preferred one first. */
uint32_t taxonomy_labels(const struct taxonomy *taxonomy, uint32_t concept, uint32_t *first);
struct taxonomy_label taxonomy_label(const struct taxonomy *taxonomy, uint32_t label);
/* The preferred label in this language ("nl"), else in English, else any; "" when it has none. */
const char *taxonomy_name(const struct taxonomy *taxonomy, uint32_t concept, const char *language);
/* The skills of an occupation, *out[i] & TAXONOMY_CONCEPT, essential ones with TAXONOMY_ESSENTIAL. */
#define TAXONOMY_ESSENTIAL 0x80000000u
#define TAXONOMY_CONCEPT   0x7fffffffu
uint32_t taxonomy_skills(const struct taxonomy *taxonomy, uint32_t occupation,
                         const uint32_t **out);
uint32_t taxonomy_broader(const struct taxonomy *taxonomy, uint32_t concept, const uint32_t **out);
/* Skills that ESCO relates to a skill; each relation is told at both ends. */
uint32_t taxonomy_related(const struct taxonomy *taxonomy, uint32_t concept, const uint32_t **out);

/* What closeness is kept for has a key: every occupation and every unit group that has one, 0 .. keys - 1. */
uint32_t taxonomy_keys(const struct taxonomy *taxonomy);
uint32_t taxonomy_key(const struct taxonomy *taxonomy, uint32_t occupation);
/* The keys of a unit group, *first .. *first + count - 1, the group's own first; 0: it has no occupations here. */
uint32_t taxonomy_group(const struct taxonomy *taxonomy, uint16_t isco, uint32_t *first);
uint16_t taxonomy_key_isco(const struct taxonomy *taxonomy, uint32_t key);
/* How close each key is to this one, in steps of 1/255: an array of taxonomy_keys bytes. */
const uint8_t *taxonomy_near(const struct taxonomy *taxonomy, uint32_t key);
/* Of two occupations. */
double taxonomy_closeness(const struct taxonomy *taxonomy, uint32_t one, uint32_t other);
/* Of two skills. */
#define TAXONOMY_SAME_SKILL    1.0
#define TAXONOMY_RELATED_SKILL 0.6
#define TAXONOMY_KINDRED_SKILL 0.3
double taxonomy_skill_closeness(const struct taxonomy *taxonomy, uint32_t one, uint32_t other);
/* The most of a skill with any of `others`, and which that is, the first of equals; 0 with none: *at stays as it is. */
double taxonomy_skill_closest(const struct taxonomy *taxonomy, uint32_t skill,
                              const uint32_t *others, size_t count, size_t *at);
/* Tells this taxonomy from others: a hash of all that is in it. */
uint64_t taxonomy_mark(const struct taxonomy *taxonomy);
#endif
