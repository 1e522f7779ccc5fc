/* What the ways of publishing share. */
#include "client/cli/publishing.h"

enum collega_status publishing_begin(struct desk *desk, struct publishing *publishing,
                                     const struct offer_inputs *inputs,
                                     struct collega_error *error) {
  publishing->count = inputs->count;
  publishing->inputs = inputs->input;
  publishing->ids = arena_zero(desk->arena, inputs->count * sizeof *publishing->ids);
  if (publishing->ids) return COLLEGA_OK;
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

enum collega_status publishing_store(struct desk *desk, struct publishing *publishing,
                                     struct collega_error *error) {
  desk_release(desk);
  struct progress *progress =
      publishing->count > 1 ? desk_progress(desk, RULE_progress_storing, 0) : NULL;
  progress_step(progress, 0);
  enum collega_status status = offer_publish(desk->exchange, &desk->party, publishing->inputs,
                                             publishing->count, desk->now, publishing->ids, error);
  progress_close(&progress);
  if (status == COLLEGA_OK) desk_warn_one_person(desk, publishing->inputs, publishing->count);
  return status;
}

enum collega_status publishing_print(struct desk *desk, const struct publishing *publishing,
                                     struct collega_error *error) {
  if (!argument_json(desk->arguments)) {
    for (size_t i = 0; i < publishing->count; ++i)
      printf("%s\n", hex_text(desk, publishing->ids[i].byte, SHORT_ID_BYTES));
    return COLLEGA_OK;
  }
  return json_print(document_ids(publishing->ids, publishing->count), error);
}

static enum collega_status receipted(struct desk *desk, void *context, bool *met,
                                     struct collega_error *error) {
  const struct publishing *publishing = context;
  *met = true;
  for (size_t i = 0; i < publishing->count && *met; ++i) {
    CollegaStore__OfferRow *row = NULL;
    enum collega_status status = desk_offer_row(desk, &publishing->ids[i], &row, error);
    if (status != COLLEGA_OK) return status;
    if (row->refused)
      return error_set(error, COLLEGA_REFUSED, rule_from_name(row->refused),
                       hex_text(desk, publishing->ids[i].byte, 8),
                       row->refused_words ? row->refused_words : "", NULL);
    *met = row->position || row->by_mail;
  }
  return COLLEGA_OK;
}

enum collega_status publishing_wait(struct desk *desk, struct publishing *publishing,
                                    struct collega_error *error) {
  if (!argument_value(desk->arguments, "wait")) return COLLEGA_OK;
  fflush(stdout);
  return desk_wait(desk, receipted, publishing, error);
}
