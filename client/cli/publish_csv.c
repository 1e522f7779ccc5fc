/* offer publish FILE.csv: every row is read and judged before anything is published, so that one
 * run tells all that is wrong. By default one bad row stops the whole file, as one bad offer stops
 * a file of JSON; with --skip-bad the good rows are published and the bad ones told.
 *
 * Ids go to standard output, one a line, as with JSON; bad rows go to standard error as a table.
 * With --json there is one document, {"rows":[...]}, on standard output in either case. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/process/process.h"
#include "client/cli/offer_csv.h"
#include "client/cli/offer_input.h"

struct csv_row {
  uint32_t row;
  struct offer_input input;
  const struct collega_error *wrong; /* NULL: a good row */
};

struct sheet {
  struct desk *desk;
  struct offer_judge judge;
  struct offer_columns columns;
  struct csv_row *rows;
  size_t count, capacity, bad;
  uint32_t most_rows;
};

static enum collega_status no_memory(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

/* The status of an error about one row; others (memory, disk) end the command. */
static bool about_the_row(enum collega_status status) {
  return status == COLLEGA_INVALID || status == COLLEGA_NOT_FOUND;
}

static enum collega_status add_row(struct sheet *sheet, const struct csv_row *row,
                                   struct collega_error *error) {
  if (sheet->count == sheet->most_rows) {
    char most[24];
    snprintf(most, sizeof most, "%" PRIu32, sheet->most_rows);
    return error_set(error, COLLEGA_INVALID, RULE_offers_many, NULL, most, NULL);
  }
  struct csv_row *rows =
      array_grow(sheet->desk->arena, sheet->rows, sheet->count, &sheet->capacity, sizeof *rows);
  if (!rows) return no_memory(error);
  sheet->rows = rows;
  sheet->rows[sheet->count++] = *row;
  if (row->wrong) sheet->bad++;
  return COLLEGA_OK;
}

static enum collega_status read_row(struct sheet *sheet, const struct csv_record *record,
                                    struct collega_error *error) {
  struct csv_row row = {.row = record->row};
  json_t *json = NULL;
  enum collega_status status = offer_row_read(&sheet->columns, record, &json, error);
  if (status == COLLEGA_OK) {
    status = offer_input_read(json, sheet->desk->arena, &row.input, error);
    if (status == COLLEGA_OK) status = offer_input_judge(&sheet->judge, &row.input, error);
    if (status != COLLEGA_OK) offer_row_name_column(&sheet->columns, record, error);
  }
  json_decref(json);
  if (status != COLLEGA_OK && !about_the_row(status)) return status;
  if (status != COLLEGA_OK) {
    row.wrong = arena_copy(sheet->desk->arena, error, sizeof *error);
    if (!row.wrong) return no_memory(error);
  }
  return add_row(sheet, &row, error);
}

/* Quotes that never close have swallowed the rest: nothing after this row is known. */
static enum collega_status refuse_open(uint32_t row, struct collega_error *error) {
  char number[16];
  snprintf(number, sizeof number, "%" PRIu32, row);
  return error_set(error, COLLEGA_INVALID, RULE_csv_quote_open, NULL, number, NULL);
}

static enum collega_status read_rows(struct sheet *sheet, struct bytes text,
                                     struct collega_error *error) {
  struct csv_reader reader;
  struct csv_record *record = arena_take(sheet->desk->arena, sizeof *record);
  if (!record) return no_memory(error);
  csv_open(&reader, text);
  enum collega_status status = COLLEGA_OK;
  bool more = csv_next(&reader, record);
  if (more && record->fault != RULE_csv_quote_open)
    status = offer_columns_read(record, &sheet->columns, error);
  for (; status == COLLEGA_OK && more; more = csv_next(&reader, record)) {
    if (record->fault == RULE_csv_quote_open)
      status = refuse_open(record->row, error);
    else if (record->row > 1 && !csv_empty(record))
      status = read_row(sheet, record, error);
  }
  if (status == COLLEGA_OK && reader.cells.failed) status = no_memory(error);
  if (status == COLLEGA_OK && sheet->count == 0)
    status = error_set(error, COLLEGA_INVALID, RULE_offers_none, NULL, NULL);
  csv_close(&reader);
  return status;
}

/* ---- the report */

static const char *sentence(const struct sheet *sheet, const struct collega_error *wrong) {
  char text[1024];
  const char *arguments[COLLEGA_ERROR_ARGUMENTS];
  for (size_t i = 0; i < COLLEGA_ERROR_ARGUMENTS; i++)
    arguments[i] = wrong->argument[i];
  words_render(sheet->desk->language, wrong->rule, arguments, COLLEGA_ERROR_ARGUMENTS, text,
               sizeof text);
  return safe(sheet->desk, text);
}

static enum collega_status print_bad(const struct sheet *sheet, struct collega_error *error) {
  static const char *const dutch[] = {"rij", "kolom", "wat er niet klopt"};
  static const char *const english[] = {"row", "column", "what is wrong"};
  bool nl = sheet->desk->language == LANGUAGE_NL;
  struct table *table = table_new(3, nl ? dutch : english, 1u);
  if (!table) return no_memory(error);
  for (size_t i = 0; i < sheet->count; i++) {
    const struct csv_row *row = &sheet->rows[i];
    if (!row->wrong) continue;
    char number[16];
    snprintf(number, sizeof number, "%" PRIu32, row->row);
    const char *cells[] = {number, row->wrong->field, sentence(sheet, row->wrong)};
    table_row(table, cells);
  }
  table_print(table, stderr);
  table_destroy(&table);
  return COLLEGA_OK;
}

/* `publishing` NULL: nothing was published; then only the bad rows are told. */
static json_t *report_json(const struct sheet *sheet, const struct publishing *publishing) {
  json_t *list = json_array();
  size_t published = 0;
  for (size_t i = 0; list && i < sheet->count; i++) {
    const struct csv_row *row = &sheet->rows[i];
    if (!row->wrong && !publishing) continue;
    json_t *item = json_object();
    bool ok = json_put(item, "row", json_integer(row->row));
    if (ok && row->wrong)
      ok = json_put(item, "field", json_string(row->wrong->field)) &&
           json_put(item, "rule", json_string(rule_name(row->wrong->rule))) &&
           json_put(item, "text", json_string(sentence(sheet, row->wrong)));
    else if (ok)
      ok = json_put(item, "id", json_hex(publishing->ids[published++].byte, SHORT_ID_BYTES));
    ok = ok && json_array_append(list, item) == 0;
    json_decref(item);
    if (!ok) {
      json_decref(list);
      list = NULL;
    }
  }
  return list;
}

static enum collega_status report(const struct sheet *sheet, const struct publishing *publishing,
                                  struct collega_error *error) {
  if (argument_json(sheet->desk->arguments))
    return json_print_list("rows", report_json(sheet, publishing), error);
  enum collega_status status = COLLEGA_OK;
  if (publishing) status = publishing_print(sheet->desk, publishing, error);
  if (status == COLLEGA_OK && sheet->bad) status = print_bad(sheet, error);
  if (status == COLLEGA_OK && sheet->bad && publishing) {
    char good[24], bad[24];
    snprintf(good, sizeof good, "%zu", publishing->count);
    snprintf(bad, sizeof bad, "%zu", sheet->bad);
    tell(sheet->desk, stderr, RULE_said_csv_skipped, good, bad, NULL);
  }
  return status;
}

/* ---- publishing */

static enum collega_status refuse(const struct sheet *sheet, bool skip,
                                  struct collega_error *error) {
  char bad[24], all[24];
  snprintf(bad, sizeof bad, "%zu", sheet->bad);
  snprintf(all, sizeof all, "%zu", sheet->count);
  enum collega_status status = report(sheet, NULL, error);
  if (status != COLLEGA_OK) return status;
  fflush(stdout);
  if (skip) return error_set(error, COLLEGA_INVALID, RULE_csv_none_good, NULL, all, NULL);
  return error_set(error, COLLEGA_INVALID, RULE_csv_rows_bad, NULL, bad, all, NULL);
}

static enum collega_status publish_good(struct sheet *sheet, struct collega_error *error) {
  struct publishing publishing = {0};
  enum collega_status status =
      publishing_begin(sheet->desk, &publishing, sheet->count - sheet->bad, error);
  size_t good = 0;
  for (size_t i = 0; status == COLLEGA_OK && i < sheet->count; i++)
    if (!sheet->rows[i].wrong) publishing.inputs[good++] = sheet->rows[i].input;
  if (status == COLLEGA_OK) status = publishing_store(sheet->desk, &publishing, error);
  if (status == COLLEGA_OK) status = report(sheet, &publishing, error);
  return status == COLLEGA_OK ? publishing_wait(sheet->desk, &publishing, error) : status;
}

enum collega_status publish_csv(struct desk *desk, const char *file, size_t most_bytes,
                                uint32_t most_rows, struct collega_error *error) {
  struct buffer text;
  bool skip = argument_value(desk->arguments, "skip-bad") != NULL;
  struct sheet *sheet = arena_zero(desk->arena, sizeof *sheet);
  if (!sheet) return no_memory(error);
  sheet->desk = desk;
  sheet->judge.desk = desk;
  sheet->most_rows = most_rows;
  enum collega_status status = file_read(file, most_bytes, &text, error);
  if (status == COLLEGA_OK) status = read_rows(sheet, bytes_of(text.data, text.length), error);
  buffer_free(&text);
  if (status != COLLEGA_OK) return status;
  if (sheet->bad == sheet->count || (sheet->bad && !skip)) return refuse(sheet, skip, error);
  return publish_good(sheet, error);
}
