/* Finding occupations and skills by what people type: any language that was imported, alternative labels, misspelt,
 * written as one word or as several.
 *
 * A text is folded (lower case, without accents, other signs as blanks) and taken apart into features: its words, and
 * the pieces of three and of four characters of each word with its ends marked. A feature that is rare among the labels
 * tells more: weight ln((labels + 1) / (labels that have it + 0.5)). Then
 *
 *   score = 0.6 * cosine of the text and the concept's nearest label
 *         + 0.4 * part of the text's weight (squared) that occurs in any label of the concept           0 .. 1
 *
 * so that a text that stands there letter for letter scores 1. Pieces carry over misspellings and compounds
 * (heftruckchauffeur, heftruck chauffeur): n-gram retrieval after Damashek, Gauging similarity with n-grams, Science
 * 267, 1995. A score is a proposal's likeness, no probability; docs/matching.md tells how often the first is right. */
#ifndef COLLEGA_CLIENT_TAXONOMY_SEARCH_H
#define COLLEGA_CLIENT_TAXONOMY_SEARCH_H
#include "client/match/taxonomy.h"

#define TAXONOMY_QUERY_BYTES 400u /* what is longer is cut */

struct taxonomy_search;
struct taxonomy_hit {
  uint32_t concept, label; /* the label that is nearest to the text */
  double score;
};
/* Over the concepts of kind [first, last], of a taxonomy that stays open longer. left_out: a byte for each label of the
 * taxonomy, not 0 for those that are not to be known (tests hold labels out); or NULL. NULL: out of memory. Takes some
 * 5 bytes for each character of a label. Not thread-safe. */
struct taxonomy_search *taxonomy_search_new(const struct taxonomy *taxonomy,
                                            enum taxonomy_kind first, enum taxonomy_kind last,
                                            const uint8_t *left_out);
void taxonomy_search_destroy(struct taxonomy_search **search);
/* The best `most` concepts, best first; of equal scores the one whose preferred label it is, then by address;
 * returns how many. */
size_t taxonomy_search(struct taxonomy_search *search, const char *text, size_t most,
                       struct taxonomy_hit *out);
/* Folds a text as the search does; `out` has room for TAXONOMY_FOLDED_BYTES. Returns the length. */
#define TAXONOMY_FOLDED_BYTES (2u * TAXONOMY_QUERY_BYTES + 3u)
size_t taxonomy_fold(const char *text, char *out);
#endif
