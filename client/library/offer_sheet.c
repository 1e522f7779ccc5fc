/* A table of offers: its rows, what is wrong with them, and the report. */
#include "client/library/offer_sheet.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/library/document.h"
#include "client/library/offer_csv.h"

struct reading {
  const struct view *view;
  struct offer_judge judge;
  struct places *places;
  struct occupation_guide *guide;
  struct offer_columns columns;
  struct sheet *out;
  sheet_step step; /* NULL: nobody is told */
  void *context;
};

static enum collega_status no_memory(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

/* The status of an error about one row; others (memory, disk) end the reading. */
static bool about_the_row(enum collega_status status) {
  return status == COLLEGA_INVALID || status == COLLEGA_NOT_FOUND;
}

static enum collega_status add_row(struct reading *reading, const struct sheet_row *row,
                                   struct collega_error *error) {
  struct sheet *out = reading->out;
  if (out->count == OFFERS_AT_ONCE)
    return error_set(error, COLLEGA_INVALID, RULE_offers_many, NULL, OFFERS_AT_ONCE_TEXT, NULL);
  struct sheet_row *rows =
      array_grow(reading->view->arena, out->rows, out->count, &out->capacity, sizeof *rows);
  if (!rows) return no_memory(error);
  out->rows = rows;
  out->rows[out->count++] = *row;
  if (row->wrong) out->bad++;
  return COLLEGA_OK;
}

static enum collega_status read_row(struct reading *reading, const struct csv_record *record,
                                    struct collega_error *error) {
  struct sheet_row row = {.row = record->row};
  json_t *json = NULL;
  enum collega_status status = offer_row_read(&reading->columns, record, &json, error);
  if (status == COLLEGA_OK) {
    status = offer_input_take(reading->view, &reading->guide, json, &row.input, error);
    if (status == COLLEGA_OK) status = offer_place_judge(reading->places, &row.input, error);
    if (status == COLLEGA_OK) status = offer_input_judge(&reading->judge, &row.input, error);
    if (status != COLLEGA_OK) offer_row_name_column(&reading->columns, record, error);
  }
  json_decref(json);
  if (status != COLLEGA_OK && !about_the_row(status)) return status;
  if (status != COLLEGA_OK) {
    row.wrong = arena_copy(reading->view->arena, error, sizeof *error);
    if (!row.wrong) return no_memory(error);
  }
  return add_row(reading, &row, error);
}

/* Quotes that never close have swallowed the rest: nothing after this row is known. */
static enum collega_status refuse_open(uint32_t row, struct collega_error *error) {
  char number[16];
  snprintf(number, sizeof number, "%" PRIu32, row);
  return error_set(error, COLLEGA_INVALID, RULE_csv_quote_open, NULL, number, NULL);
}

/* As many as there are rows, unless cells go on over several lines. */
static uint64_t lines_of(struct bytes text) {
  uint64_t lines = 0;
  for (size_t i = 0; i < text.length; i++)
    lines += text.data[i] == '\n';
  return lines;
}

static enum collega_status read_rows(struct reading *reading, struct bytes text,
                                     struct collega_error *error) {
  struct csv_reader reader;
  struct csv_record *record = arena_take(reading->view->arena, sizeof *record);
  if (!record) return no_memory(error);
  csv_open(&reader, text);
  uint64_t lines = lines_of(text);
  enum collega_status status = COLLEGA_OK;
  bool more = csv_next(&reader, record);
  if (more && record->fault != RULE_csv_quote_open)
    status = offer_columns_read(record, &reading->columns, error);
  for (; status == COLLEGA_OK && more; more = csv_next(&reader, record)) {
    if (record->fault == RULE_csv_quote_open)
      status = refuse_open(record->row, error);
    else if (record->row > 1 && !csv_empty(record))
      status = read_row(reading, record, error);
    if (reading->step) reading->step(reading->context, record->row, lines);
  }
  if (status == COLLEGA_OK && reader.cells.failed) status = no_memory(error);
  if (status == COLLEGA_OK && reading->out->count == 0)
    status = error_set(error, COLLEGA_INVALID, RULE_offers_none, NULL, NULL);
  csv_close(&reader);
  return status;
}

enum collega_status sheet_read(const struct view *view, struct bytes text, struct sheet *out,
                               struct collega_error *error) {
  return sheet_read_telling(view, text, NULL, NULL, out, error);
}

enum collega_status sheet_read_telling(const struct view *view, struct bytes text, sheet_step step,
                                       void *context, struct sheet *out,
                                       struct collega_error *error) {
  memset(out, 0, sizeof *out);
  struct reading *reading = arena_zero(view->arena, sizeof *reading);
  if (!reading) return no_memory(error);
  reading->view = view;
  reading->judge.view = view;
  reading->out = out;
  reading->step = step;
  reading->context = context;
  enum collega_status status = view_places(view, &reading->places, error);
  if (status == COLLEGA_OK) status = read_rows(reading, text, error);
  places_close(&reading->places);
  occupation_guide_close(&reading->guide);
  return status;
}

enum collega_status sheet_inputs(const struct view *view, const struct sheet *sheet,
                                 struct offer_inputs *out, struct collega_error *error) {
  out->count = 0;
  out->input = arena_zero(view->arena, (sheet->count - sheet->bad + 1) * sizeof *out->input);
  if (!out->input) return no_memory(error);
  for (size_t i = 0; i < sheet->count; i++)
    if (!sheet->rows[i].wrong) out->input[out->count++] = sheet->rows[i].input;
  return COLLEGA_OK;
}

enum collega_status sheet_verdict(const struct sheet *sheet, bool skip,
                                  struct collega_error *error) {
  if (sheet->bad == 0 || (skip && sheet->bad < sheet->count)) return COLLEGA_OK;
  char bad[24], all[24];
  snprintf(bad, sizeof bad, "%zu", sheet->bad);
  snprintf(all, sizeof all, "%zu", sheet->count);
  if (skip) return error_set(error, COLLEGA_INVALID, RULE_csv_none_good, NULL, all, NULL);
  return error_set(error, COLLEGA_INVALID, RULE_csv_rows_bad, NULL, bad, all, NULL);
}

/* ---- the report */

const char *sheet_sentence(const struct view *view, const struct sheet_row *row) {
  char text[1024];
  const char *arguments[COLLEGA_ERROR_ARGUMENTS];
  for (size_t i = 0; i < COLLEGA_ERROR_ARGUMENTS; i++)
    arguments[i] = row->wrong->argument[i];
  words_render(view->language, row->wrong->rule, arguments, COLLEGA_ERROR_ARGUMENTS, text,
               sizeof text);
  const char *out = arena_text(view->arena, text);
  return out ? out : "";
}

/* `good`: which of the published ones it is, if it is one. */
static json_t *row_json(const struct view *view, const struct sheet_row *row,
                        const struct publication *published, size_t good) {
  json_t *item = json_object();
  bool ok = item && json_put(item, "row", json_integer(row->row));
  if (ok && row->wrong)
    ok = json_put(item, "field", json_string(row->wrong->field)) &&
         json_put(item, "rule", json_string(rule_name(row->wrong->rule))) &&
         json_put(item, "text", json_string(sheet_sentence(view, row)));
  else if (ok)
    ok = publication_put(view, published, good, item);
  if (ok) return item;
  json_decref(item);
  return NULL;
}

json_t *document_sheet(const struct view *view, const struct sheet *sheet,
                       const struct publication *published) {
  size_t good = 0;
  json_t *list = json_array();
  for (size_t i = 0; list && i < sheet->count; i++) {
    const struct sheet_row *row = &sheet->rows[i];
    if (!row->wrong && !published) continue;
    list = json_add(list, row_json(view, row, published, good));
    if (!row->wrong) ++good;
  }
  return json_named("rows", list);
}
