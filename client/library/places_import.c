/* From GeoNames' lines and a table of municipalities to places. */
#include "client/library/places_import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/process/process.h"
#include "client/library/csv.h"
#include "client/library/import_place.h"
#include "proto/lists.h"

#define FIELDS      12u
#define COORDINATES 24u /* bytes of one, at most */

/* As GeoNames' readme names them. */
enum field { COUNTRY, POSTCODE, PLACE, MUNICIPALITY = 6, LATITUDE = 9, LONGITUDE = 10 };

struct line {
  const char *file;
  uint32_t row;
  struct bytes field[FIELDS];
};

/* "4811", "4811AB" or "4811 AB"; 0: none of these. */
static unsigned postcode_of(struct bytes text) {
  unsigned number = 0;
  if (text.length < 4 || text.length > 7) return 0;
  for (size_t i = 0; i < 4; ++i) {
    if (text.data[i] < '0' || text.data[i] > '9') return 0;
    number = number * 10u + (unsigned)(text.data[i] - '0');
  }
  size_t letters = text.length == 7 && text.data[4] == ' ' ? 5 : 4;
  if (text.length != 4 && text.length != letters + 2) return 0;
  for (size_t i = letters; i < text.length; ++i)
    if (text.data[i] < 'A' || text.data[i] > 'Z') return 0;
  char area[3] = {(char)text.data[0], (char)text.data[1], '\0'};
  return postcode_area_find(area) ? number : 0;
}

/* Digits with a point, within the bounds: no locale, no exponents. */
static bool coordinate(struct bytes text, double least, double most, double *out) {
  double value = 0, step = 0;
  if (text.length == 0 || text.length > COORDINATES) return false;
  for (size_t i = 0; i < text.length; ++i) {
    uint8_t byte = text.data[i];
    if (byte == '.' && step <= 0 && i > 0) {
      step = 1;
    } else if (byte >= '0' && byte <= '9') {
      if (step > 0)
        value += (step /= 10) * (double)(byte - '0');
      else
        value = value * 10 + (double)(byte - '0');
    } else {
      return false;
    }
  }
  *out = value;
  return value >= least && value <= most;
}

static enum collega_status take_line(struct places_builder *builder, const struct line *line,
                                     struct collega_error *error) {
  double latitude = 0, longitude = 0;
  struct bytes place = line->field[PLACE];
  unsigned postcode = postcode_of(line->field[POSTCODE]);
  if (!postcode)
    return import_bad(RULE_places_postcode, line->field[POSTCODE], line->file, line->row,
                      "postal code", error);
  if (place.length == 0 || place.length > PLACES_NAME_BYTES ||
      !utf8_text(place.data, place.length, false))
    return import_bad(RULE_places_name, bytes_of("", 0), line->file, line->row, "place name",
                      error);
  if (!coordinate(line->field[LATITUDE], PLACES_LATITUDE_MIN, PLACES_LATITUDE_MAX, &latitude))
    return import_bad(RULE_places_latitude, line->field[LATITUDE], line->file, line->row,
                      "latitude", error);
  if (!coordinate(line->field[LONGITUDE], PLACES_LONGITUDE_MIN, PLACES_LONGITUDE_MAX, &longitude))
    return import_bad(RULE_places_longitude, line->field[LONGITUDE], line->file, line->row,
                      "longitude", error);
  return places_build_row(builder, postcode, place, line->field[MUNICIPALITY], latitude, longitude,
                          error);
}

/* Counts all fields; keeps as many as there should be. */
static size_t split(struct bytes text, struct bytes field[FIELDS]) {
  size_t count = 0;
  for (;;) {
    const uint8_t *tab = text.length ? memchr(text.data, '\t', text.length) : NULL;
    size_t length = tab ? (size_t)(tab - text.data) : text.length;
    if (count < FIELDS) field[count] = bytes_of(text.data, length);
    ++count;
    if (!tab) return count;
    text = bytes_of(tab + 1, text.length - length - 1);
  }
}

static enum collega_status read_lines(struct places_builder *builder, const char *file,
                                      struct bytes text, struct places_report *report,
                                      struct collega_error *error) {
  struct line line = {.file = file};
  enum collega_status status = COLLEGA_OK;
  while (status == COLLEGA_OK && text.length) {
    const uint8_t *end = memchr(text.data, '\n', text.length);
    size_t length = end ? (size_t)(end - text.data) : text.length;
    struct bytes whole = bytes_of(text.data, length);
    text = bytes_of(text.data + length + (end != NULL), text.length - length - (end != NULL));
    ++line.row;
    if (whole.length && whole.data[whole.length - 1] == '\r') --whole.length;
    if (!whole.length) continue;
    size_t count = split(whole, line.field);
    if (count != FIELDS) {
      char number[24];
      snprintf(number, sizeof number, "%zu", count);
      return import_bad(RULE_places_fields, bytes_of(number, strlen(number)), file, line.row, "",
                        error);
    }
    if (!bytes_equal(line.field[COUNTRY], bytes_of("NL", 2))) {
      ++report->other_countries;
      continue;
    }
    ++report->rows;
    status = take_line(builder, &line, error);
  }
  return status;
}

/* ---- municipalities and their regions */

static size_t column_of(const struct csv_record *header, const char *name) {
  for (size_t i = 0; i < header->count && i < CSV_COLUMNS_MOST; ++i)
    if (bytes_equal(header->cell[i], bytes_of(name, strlen(name)))) return i;
  return SIZE_MAX;
}

static enum collega_status take_municipality(struct places_builder *builder, const char *file,
                                             uint32_t row, struct bytes municipality,
                                             struct bytes region, struct collega_error *error) {
  char code[8] = "";
  if (municipality.length == 6 && memcmp(municipality.data, "GM", 2) == 0)
    municipality = bytes_of(municipality.data + 2, 4);
  if (region.length < sizeof code) memcpy(code, region.data, region.length);
  if (!region_find(code))
    return import_bad(RULE_region_unknown, region, file, row, "am_code", error);
  enum collega_status status = places_build_region(builder, municipality, code, error);
  return status == COLLEGA_OK
             ? status
             : import_bad(RULE_places_municipality, municipality, file, row, "gm_code", error);
}

static enum collega_status read_regions(struct places_builder *builder, const char *file,
                                        struct bytes text, struct csv_record *record,
                                        struct collega_error *error) {
  struct csv_reader csv;
  enum collega_status status = COLLEGA_OK;
  csv_open(&csv, text);
  bool any = csv_next(&csv, record);
  size_t municipality = any ? column_of(record, "gm_code") : SIZE_MAX;
  size_t region = any ? column_of(record, "am_code") : SIZE_MAX, columns = record->count;
  if (municipality == SIZE_MAX || region == SIZE_MAX)
    status = import_bad(RULE_places_columns, bytes_of("", 0), file, 1, "", error);
  while (status == COLLEGA_OK && csv_next(&csv, record)) {
    if (csv_empty(record)) continue;
    if (record->fault || record->count != columns)
      status = import_bad(record->fault ? record->fault : RULE_taxonomy_cells, bytes_of("", 0),
                          file, record->row, "", error);
    else
      status = take_municipality(builder, file, record->row, record->cell[municipality],
                                 record->cell[region], error);
  }
  if (status == COLLEGA_OK && csv.cells.failed)
    status = error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  csv_close(&csv);
  return status;
}

/* ---- all */

enum collega_status places_import_bytes(const struct places_source *places,
                                        const struct places_source *regions, struct buffer *out,
                                        struct places_report *report, struct collega_error *error) {
  char name[IMPORT_NAME_BYTES], regions_name[IMPORT_NAME_BYTES];
  enum collega_status status = COLLEGA_OK;
  memset(report, 0, sizeof *report);
  buffer_init(out, 0);
  struct places_builder *builder = places_builder_new();
  struct csv_record *record = calloc(1, sizeof *record);
  if (!builder || !record) status = error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  import_name(name, places->name);
  if (status == COLLEGA_OK) status = read_lines(builder, name, places->text, report, error);
  if (status == COLLEGA_OK && regions) {
    import_name(regions_name, regions->name);
    status = read_regions(builder, regions_name, regions->text, record, error);
  }
  if (status == COLLEGA_OK) {
    status = places_build_finish(builder, out, &report->size, error);
    if (status == COLLEGA_INVALID) error_prefix(error, name);
  }
  free(record);
  places_builder_destroy(&builder);
  return status;
}

enum collega_status places_import(const char *path, const char *regions, struct buffer *out,
                                  struct places_report *report, struct collega_error *error) {
  struct buffer text, table;
  memset(report, 0, sizeof *report);
  buffer_init(out, 0);
  buffer_init(&table, 0);
  enum collega_status status = file_read(path, PLACES_FILE_BYTES, &text, error);
  if (status == COLLEGA_OK && regions)
    status = file_read(regions, PLACES_FILE_BYTES, &table, error);
  if (status == COLLEGA_OK) {
    const struct places_source one = {path, bytes_of(text.data, text.length)};
    const struct places_source other = {regions, bytes_of(table.data, table.length)};
    status = places_import_bytes(&one, regions ? &other : NULL, out, report, error);
  }
  buffer_free(&table);
  buffer_free(&text);
  return status;
}
