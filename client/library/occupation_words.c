/* What an offer may have meant by its occupation. */
#include "client/library/occupation_words.h"

#include <stdio.h>
#include <string.h>

#include "base/process/process.h"
#include "client/match/taxonomy.h"

#define LABEL_SHOWN        60u /* bytes: what is longer is still known by its code */
#define PROPOSAL_ARGUMENTS (COLLEGA_ERROR_ARGUMENTS - 1) /* behind the text */

enum collega_status view_occupations(const struct view *view, struct occupation_guide **out,
                                     struct collega_error *error) {
  char path[4096];
  *out = NULL;
  enum collega_status status = path_join(
      path, sizeof path, ledger_home(exchange_ledger(view->exchange)), TAXONOMY_FILE, error);
  return status == COLLEGA_OK ? occupation_guide_open(path, view->language, out, error) : status;
}

static bool is_about_occupation(const struct collega_error *error) {
  return error->status == COLLEGA_INVALID &&
         (strcmp(error->field, "occupation") == 0 || strcmp(error->field, "occupation.isco") == 0);
}

static bool is_code(const char *text) {
  return text[strspn(text, "0123456789")] == '\0';
}

/* The offer's own words; NULL: none. */
static const char *words_for_it(const json_t *offer) {
  const json_t *occupation = json_object_get(offer, "occupation");
  const char *given[] = {json_string_value(occupation),
                         json_string_value(json_object_get(occupation, "isco")),
                         json_string_value(json_object_get(occupation, "title")),
                         json_string_value(json_object_get(offer, "title"))};
  for (size_t i = 0; i < sizeof given / sizeof given[0]; i++)
    if (given[i] && *given[i] && !is_code(given[i])) return given[i];
  return NULL;
}

/* "4321 Stock clerks; 8344 ...": each argument of an error holds as many as fit. */
static void write_proposals(const struct occupation_proposal *proposals, size_t count,
                            struct collega_error *error) {
  size_t at = 1, used = 0, room = sizeof error->argument[0];
  for (size_t i = 0; i < count && at <= PROPOSAL_ARGUMENTS; i++) {
    char one[LABEL_SHOWN + 16];
    size_t shown = utf8_cut(proposals[i].label, LABEL_SHOWN);
    snprintf(one, sizeof one, "%s%.4s %.*s%s", i ? "; " : "", proposals[i].isco, (int)shown,
             proposals[i].label, proposals[i].label[shown] ? "…" : "");
    if (used + strlen(one) + 1 > room) {
      at++;
      used = 0;
      if (at > PROPOSAL_ARGUMENTS) break;
    }
    memcpy(error->argument[at] + used, one, strlen(one) + 1);
    used += strlen(one);
  }
}

void occupation_explain(const struct view *view, struct occupation_guide **guide,
                        const json_t *offer, struct collega_error *error) {
  struct occupation_proposal proposals[OCCUPATION_PROPOSALS];
  const char *text = words_for_it(offer);
  if (!is_about_occupation(error) || !text) return;
  if (!*guide && view_occupations(view, guide, NULL) != COLLEGA_OK) return;
  size_t count = occupation_propose(*guide, text, OCCUPATION_PROPOSALS, proposals);
  if (count == 0) return;
  error_set(error, COLLEGA_INVALID, RULE_occupation_propose, "occupation.isco", text, NULL);
  write_proposals(proposals, count, error);
}
