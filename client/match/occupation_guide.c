/* Proposals from a taxonomy; the ISCO list is made into a small one, so that both are searched alike. */
#include "client/match/occupation_guide.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/match/occupation.h"
#include "client/match/taxonomy_build.h"
#include "client/match/taxonomy_search.h"
#include "proto/lists.h"

/* Below it two labels have little more in common than an ending. */
#define LEAST_LIKENESS 0.2
#define MOST_AT_ONCE   32u

struct occupation_guide {
  struct taxonomy *taxonomy;
  struct taxonomy_search *search;
  bool built_in;
  const char *language;
};

static enum collega_status add_row(struct taxonomy_builder *builder, const struct isco_row *row,
                                   struct collega_error *error) {
  uint32_t concept;
  enum collega_status status =
      taxonomy_build_concept(builder, TAXONOMY_OCCUPATION, bytes_of(row->code, strlen(row->code)),
                             isco_number(row->code), &concept, error);
  if (status == COLLEGA_OK)
    status = taxonomy_build_label(builder, concept, "nl", true, bytes_of(row->nl, strlen(row->nl)),
                                  error);
  if (status == COLLEGA_OK)
    status = taxonomy_build_label(builder, concept, "en", true, bytes_of(row->en, strlen(row->en)),
                                  error);
  return status;
}

static enum collega_status built_in(struct taxonomy **out, struct collega_error *error) {
  struct taxonomy_builder *builder = taxonomy_builder_new();
  struct taxonomy_source where;
  struct buffer bytes;
  enum collega_status status = COLLEGA_OK;
  if (!builder) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  for (size_t i = 0; status == COLLEGA_OK && i < isco_count(); i++)
    if (strlen(isco_at(i)->code) == 4) status = add_row(builder, isco_at(i), error);
  if (status == COLLEGA_OK) {
    status = taxonomy_build_finish(builder, NULL, NULL, &where, &bytes, error);
    if (status == COLLEGA_OK)
      status = taxonomy_of_taken(&bytes, out, error);
    else
      buffer_free(&bytes);
  }
  taxonomy_builder_destroy(&builder);
  return status;
}

enum collega_status occupation_guide_open(const char *path, enum language language,
                                          struct occupation_guide **out,
                                          struct collega_error *error) {
  *out = NULL;
  struct occupation_guide *guide = calloc(1, sizeof *guide);
  if (!guide) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  guide->language = language == LANGUAGE_NL ? "nl" : "en";
  enum collega_status status = taxonomy_open(path, &guide->taxonomy, error);
  if (status == COLLEGA_NOT_FOUND) {
    guide->built_in = true;
    status = built_in(&guide->taxonomy, error);
  }
  if (status == COLLEGA_OK) {
    guide->search =
        taxonomy_search_new(guide->taxonomy, TAXONOMY_OCCUPATION, TAXONOMY_OCCUPATION, NULL);
    if (!guide->search) status = error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  }
  if (status == COLLEGA_OK)
    *out = guide;
  else
    occupation_guide_close(&guide);
  return status;
}

void occupation_guide_close(struct occupation_guide **guide) {
  if (!guide || !*guide) return;
  taxonomy_search_destroy(&(*guide)->search);
  taxonomy_close(&(*guide)->taxonomy);
  free(*guide);
  *guide = NULL;
}

/* What holds every word of the text as it stands: the built-in labels are few and long, and a part of a word says more
 * there than likeness does. */
static size_t add_holding(const struct occupation_guide *guide, const char *text, size_t most,
                          struct occupation_proposal *out) {
  const struct isco_row *row[MOST_AT_ONCE];
  bool dutch = strcmp(guide->language, "nl") == 0;
  size_t count = isco_search(text, dutch ? LANGUAGE_NL : LANGUAGE_EN, row, most);
  for (size_t i = 0; i < count; i++) {
    out[i] = (struct occupation_proposal){.label = dutch ? row[i]->nl : row[i]->en};
    memcpy(out[i].isco, row[i]->code, sizeof out[i].isco);
  }
  return count;
}

static bool is_among(const struct occupation_proposal *out, size_t count, const char *isco) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(out[i].isco, isco) == 0) return true;
  return false;
}

size_t occupation_propose(struct occupation_guide *guide, const char *text, size_t most,
                          struct occupation_proposal *out) {
  struct taxonomy_hit hits[MOST_AT_ONCE];
  if (most > MOST_AT_ONCE) most = MOST_AT_ONCE;
  size_t filled = guide->built_in ? add_holding(guide, text, most, out) : 0;
  size_t count = taxonomy_search(guide->search, text, most, hits);
  for (size_t i = 0; i < count && filled < most && hits[i].score >= LEAST_LIKENESS; i++) {
    struct occupation_proposal one = {
        .label = taxonomy_name(guide->taxonomy, hits[i].concept, guide->language),
        .esco = guide->built_in ? NULL : taxonomy_uri(guide->taxonomy, hits[i].concept)};
    snprintf(one.isco, sizeof one.isco, "%04u",
             taxonomy_isco(guide->taxonomy, hits[i].concept) % OCCUPATION_KEYS);
    if (!guide->built_in || !is_among(out, filled, one.isco)) out[filled++] = one;
  }
  return filled;
}
