/* What the ways of publishing share. */
#include "client/cli/publishing.h"

#include <stdio.h>

enum collega_status publishing_store(struct desk *desk, const struct offer_inputs *inputs,
                                     struct publication *out, struct collega_error *error) {
  bool once = argument_value(desk->arguments, "once") != NULL;
  struct view view = desk_view(desk);
  desk_release(desk);
  struct progress *progress =
      inputs->count > 1 ? desk_progress(desk, RULE_progress_storing, 0) : NULL;
  progress_step(progress, 0);
  enum collega_status status = publication_store(&view, inputs, once, out, error);
  progress_close(&progress);
  if (status == COLLEGA_OK) desk_warn_one_person(desk, inputs, out->already);
  return status;
}

enum collega_status publishing_print(struct desk *desk, const struct publication *publication,
                                     struct collega_error *error) {
  struct view view = desk_view(desk);
  size_t already = publication_already(publication);
  if (argument_json(desk->arguments))
    return json_print(document_publication(&view, publication), error);
  for (size_t i = 0; i < publication->inputs.count; ++i)
    printf("%s\n", hex_text(desk, publication->ids[i].byte, SHORT_ID_BYTES));
  if (already) {
    char there[24], all[24];
    snprintf(there, sizeof there, "%zu", already);
    snprintf(all, sizeof all, "%zu", publication->inputs.count);
    tell(desk, stderr, RULE_said_published_before, there, all, NULL);
  }
  return COLLEGA_OK;
}

static enum collega_status receipted(struct desk *desk, void *context, bool *met,
                                     struct collega_error *error) {
  const struct publication *publication = context;
  *met = true;
  for (size_t i = 0; i < publication->inputs.count && *met; ++i) {
    CollegaStore__OfferRow *row = NULL;
    enum collega_status status = desk_offer_row(desk, &publication->ids[i], &row, error);
    if (status != COLLEGA_OK) return status;
    if (row->refused)
      return error_set(error, COLLEGA_REFUSED, rule_from_name(row->refused),
                       hex_text(desk, publication->ids[i].byte, 8),
                       row->refused_words ? row->refused_words : "", NULL);
    *met = row->position || row->by_mail;
  }
  return COLLEGA_OK;
}

enum collega_status publishing_wait(struct desk *desk, struct publication *publication,
                                    struct collega_error *error) {
  if (!argument_value(desk->arguments, "wait")) return COLLEGA_OK;
  fflush(stdout);
  return desk_wait(desk, receipted, publication, error);
}
