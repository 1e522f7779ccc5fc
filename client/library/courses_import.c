/* From a spreadsheet of courses to HOME/courses. */
#include "client/library/courses_import.h"

#include <stdlib.h>
#include <string.h>

#include "base/process/process.h"
#include "client/library/csv.h"
#include "client/library/import_place.h"

#define FIELD_BYTES (COURSE_WHAT_BYTES + 2u) /* what is longer is told as such */

struct sheet {
  char file[IMPORT_NAME_BYTES];
  struct csv_record *record;
  size_t column[COURSE_FIELDS]; /* SIZE_MAX: there is none */
  char field[COURSE_FIELDS][FIELD_BYTES];
};

static enum collega_status at_row(const struct sheet *sheet, const char *column,
                                  struct collega_error *error) {
  return import_at(COLLEGA_INVALID, sheet->file, sheet->record->row, column, error);
}

static enum collega_status find_columns(struct sheet *sheet, struct collega_error *error) {
  for (size_t i = 0; i < COURSE_FIELDS; ++i) {
    const char *name = course_field_name((enum course_field)i);
    sheet->column[i] = SIZE_MAX;
    for (size_t j = 0; j < sheet->record->count && j < CSV_COLUMNS_MOST; ++j)
      if (bytes_equal(sheet->record->cell[j], bytes_of(name, strlen(name)))) sheet->column[i] = j;
    if (sheet->column[i] != SIZE_MAX || i == COURSE_FIELD_FROM) continue;
    error_set(error, COLLEGA_INVALID, RULE_courses_column, NULL, NULL);
    return at_row(sheet, name, error);
  }
  return COLLEGA_OK;
}

static void take_cell(struct sheet *sheet, size_t field) {
  char *out = sheet->field[field];
  size_t column = sheet->column[field];
  struct bytes cell = column < sheet->record->count ? sheet->record->cell[column] : bytes_of("", 0);
  size_t length = cell.length < FIELD_BYTES - 1 ? cell.length : FIELD_BYTES - 1;
  if (length) memcpy(out, cell.data, length);
  out[length] = '\0';
  /* A NUL within would cut it: refused as a sign that may not be. */
  if (strlen(out) != length) memcpy(out, "\x01", 2);
}

static enum collega_status take_row(struct sheet *sheet, struct buffer *out,
                                    struct collega_error *error) {
  const char *fields[COURSE_FIELDS];
  struct course course;
  enum course_field at = COURSE_FIELD_CLOSES;
  for (size_t i = 0; i < COURSE_FIELDS; ++i) {
    take_cell(sheet, i);
    fields[i] = sheet->field[i];
    /* Shown in an error, so that it must be text. */
    if (utf8_text((const uint8_t *)fields[i], strlen(fields[i]), false) || !*fields[i]) continue;
    error_set(error, COLLEGA_INVALID, RULE_courses_what, NULL, NULL);
    return at_row(sheet, course_field_name((enum course_field)i), error);
  }
  if (course_of(fields, &course, &at, error) != COLLEGA_OK)
    return at_row(sheet, course_field_name(at), error);
  for (size_t i = 0; i < COURSE_FIELDS; ++i) {
    buffer_append(out, fields[i], strlen(fields[i]));
    buffer_append(out, i + 1 < COURSE_FIELDS ? "\t" : "\n", 1);
  }
  return COLLEGA_OK;
}

static enum collega_status read_rows(struct sheet *sheet, struct csv_reader *csv,
                                     struct buffer *out, size_t *count,
                                     struct collega_error *error) {
  if (!csv_next(csv, sheet->record)) sheet->record->row = 1; /* nothing stands there */
  enum collega_status status = find_columns(sheet, error);
  size_t columns = sheet->record->count;
  while (status == COLLEGA_OK && csv_next(csv, sheet->record)) {
    if (csv_empty(sheet->record)) continue;
    if (sheet->record->fault || sheet->record->count != columns)
      return import_bad(sheet->record->fault ? sheet->record->fault : RULE_taxonomy_cells,
                        bytes_of("", 0), sheet->file, sheet->record->row, "", error);
    if (++*count > COURSES_MOST) {
      error_set(error, COLLEGA_INVALID, RULE_courses_too_many, NULL, NULL);
      return at_row(sheet, "", error);
    }
    status = take_row(sheet, out, error);
  }
  return status;
}

enum collega_status courses_import_bytes(const char *name, struct bytes text, struct buffer *out,
                                         size_t *count, struct collega_error *error) {
  struct csv_reader csv;
  struct sheet *sheet = calloc(1, sizeof *sheet);
  enum collega_status status = COLLEGA_OK;
  *count = 0;
  buffer_init(out, COURSES_FILE_BYTES);
  if (sheet) sheet->record = calloc(1, sizeof *sheet->record);
  if (!sheet || !sheet->record)
    status = error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  if (status == COLLEGA_OK) {
    import_name(sheet->file, name);
    buffer_append(out, COURSES_FIRST_LINE "\n", strlen(COURSES_FIRST_LINE) + 1);
    csv_open(&csv, text);
    status = read_rows(sheet, &csv, out, count, error);
    bool full = csv.cells.failed || out->failed;
    csv_close(&csv);
    if (status == COLLEGA_OK && full)
      status = error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  }
  if (sheet) free(sheet->record);
  free(sheet);
  return status;
}

enum collega_status courses_import(const char *path, struct buffer *out, size_t *count,
                                   struct collega_error *error) {
  struct buffer text;
  *count = 0;
  buffer_init(out, 0);
  enum collega_status status = file_read(path, COURSES_FILE_BYTES, &text, error);
  if (status == COLLEGA_OK)
    status = courses_import_bytes(path, bytes_of(text.data, text.length), out, count, error);
  buffer_free(&text);
  return status;
}
