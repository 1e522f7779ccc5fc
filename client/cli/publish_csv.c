/* offer publish FILE.csv: every row is read and judged before anything is published, so that one
 * run tells all that is wrong. By default one bad row stops the whole file, as one bad offer stops
 * a file of JSON; with --skip-bad the good rows are published and the bad ones told.
 *
 * Ids go to standard output, one a line, as with JSON; bad rows go to standard error as a table.
 * With --json there is one document, {"rows":[...]}, on standard output in either case. */
#include <inttypes.h>
#include <string.h>

#include "base/process/process.h"
#include "client/cli/publishing.h"
#include "client/library/offer_sheet.h"

/* ---- the report */

static enum collega_status print_bad(struct desk *desk, const struct sheet *sheet,
                                     struct collega_error *error) {
  static const char *const dutch[] = {"rij", "kolom", "wat er niet klopt"};
  static const char *const english[] = {"row", "column", "what is wrong"};
  struct view view = desk_view(desk);
  struct table *table = table_new(3, desk->language == LANGUAGE_NL ? dutch : english, 1u);
  if (!table) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  for (size_t i = 0; i < sheet->count; i++) {
    const struct sheet_row *row = &sheet->rows[i];
    if (!row->wrong) continue;
    char number[16];
    snprintf(number, sizeof number, "%" PRIu32, row->row);
    const char *cells[] = {number, row->wrong->field, safe(desk, sheet_sentence(&view, row))};
    table_row(table, cells);
  }
  table_print(table, stderr);
  table_destroy(&table);
  return COLLEGA_OK;
}

/* `published` NULL: nothing was published. */
static enum collega_status report(struct desk *desk, const struct sheet *sheet,
                                  const struct publication *published,
                                  struct collega_error *error) {
  struct view view = desk_view(desk);
  if (argument_json(desk->arguments))
    return json_print(document_sheet(&view, sheet, published), error);
  enum collega_status status = COLLEGA_OK;
  if (published) status = publishing_print(desk, published, error);
  if (status == COLLEGA_OK && sheet->bad) status = print_bad(desk, sheet, error);
  if (status == COLLEGA_OK && sheet->bad && published) {
    char good[24], bad[24];
    snprintf(good, sizeof good, "%zu", published->inputs.count);
    snprintf(bad, sizeof bad, "%zu", sheet->bad);
    tell(desk, stderr, RULE_said_csv_skipped, good, bad, NULL);
  }
  return status;
}

/* ---- publishing */

static enum collega_status publish_good(struct desk *desk, const struct sheet *sheet,
                                        struct collega_error *error) {
  struct publication published;
  struct offer_inputs good;
  struct view view = desk_view(desk);
  enum collega_status status = sheet_inputs(&view, sheet, &good, error);
  if (status == COLLEGA_OK) status = publishing_store(desk, &good, &published, error);
  if (status == COLLEGA_OK) status = report(desk, sheet, &published, error);
  return status == COLLEGA_OK ? publishing_wait(desk, &published, error) : status;
}

enum collega_status publish_csv(struct desk *desk, const char *file, struct collega_error *error) {
  struct buffer text;
  struct sheet sheet;
  struct view view = desk_view(desk);
  enum collega_status status = file_read(file, OFFERS_FILE_BYTES, &text, error);
  struct desk_telling telling = {.desk = desk, .what = RULE_progress_rows_read};
  if (status == COLLEGA_OK)
    status = sheet_read_telling(&view, bytes_of(text.data, text.length), desk_tell_step, &telling,
                                &sheet, error);
  progress_close(&telling.progress);
  buffer_free(&text);
  if (status != COLLEGA_OK) return status;
  status = sheet_verdict(&sheet, argument_value(desk->arguments, "skip-bad") != NULL, error);
  if (status == COLLEGA_OK) return publish_good(desk, &sheet, error);
  enum collega_status told = report(desk, &sheet, NULL, NULL);
  fflush(stdout);
  return told == COLLEGA_OK ? status : told;
}
