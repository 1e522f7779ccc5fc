/* From ESCO's files to a taxonomy: finding the files, telling what each is, and its rows into the builder. */
#include "client/library/taxonomy_import.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/process/process.h"
#include "client/library/csv.h"
#include "client/library/import_place.h"
#include "proto/lists.h"

#define STEP_ROWS      1000u
#define ZIP_PIECE      65536u
#define ZIP_READ_BLOCK 65536u
#define NO_COLUMN      SIZE_MAX

struct import {
  struct taxonomy_builder *builder;
  struct taxonomy_report *report;
  taxonomy_step step;
  void *context;
  uint64_t rows;
};

enum column {
  CONCEPT_TYPE,
  CONCEPT_URI,
  ISCO_GROUP,
  PREFERRED,
  ALTERNATIVES,
  OCCUPATION_URI,
  SKILL_URI,
  RELATION_TYPE,
  BROADER_TYPE,
  BROADER_URI,
  ORIGINAL_SKILL,
  RELATED_SKILL,
  BROADER_NAMES, /* of collections */
  COLUMNS
};
static const char *const column_names[COLUMNS] = {[CONCEPT_TYPE] = "conceptType",
                                                  [CONCEPT_URI] = "conceptUri",
                                                  [ISCO_GROUP] = "iscoGroup",
                                                  [PREFERRED] = "preferredLabel",
                                                  [ALTERNATIVES] = "altLabels",
                                                  [OCCUPATION_URI] = "occupationUri",
                                                  [SKILL_URI] = "skillUri",
                                                  [RELATION_TYPE] = "relationType",
                                                  [BROADER_TYPE] = "broaderType",
                                                  [BROADER_URI] = "broaderUri",
                                                  [ORIGINAL_SKILL] = "originalSkillUri",
                                                  [RELATED_SKILL] = "relatedSkillUri",
                                                  [BROADER_NAMES] = "broaderConceptPT"};

/* A file that is being read. */
struct sheet_file {
  struct import *import;
  uint32_t number; /* in the report */
  const char *name;
  char language[3];
  size_t column[COLUMNS];
  const struct csv_record *record;
};

static enum collega_status no_memory(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

static enum collega_status bad(const struct sheet_file *file, enum column column, enum rule rule,
                               struct bytes value, struct collega_error *error) {
  return import_bad(rule, value, file->name, file->record->row, column_names[column], error);
}

/* An error of the row, or of one of its columns. */
static enum collega_status at_row(const struct sheet_file *file, enum collega_status status,
                                  const char *column, struct collega_error *error) {
  return import_at(status, file->name, file->record->row, column, error);
}

/* ---- rows */

static bool has(const struct sheet_file *file, enum column column) {
  return file->column[column] != NO_COLUMN;
}

static struct bytes cell(const struct sheet_file *file, enum column column) {
  size_t at = file->column[column];
  return at < file->record->count ? file->record->cell[at] : bytes_of("", 0);
}

static bool is(struct bytes value, const char *text) {
  return value.length == strlen(text) && memcmp(value.data, text, value.length) == 0;
}

static struct bytes trimmed(struct bytes text) {
  while (text.length && (text.data[0] == ' ' || text.data[0] == '\t'))
    text = bytes_of(text.data + 1, text.length - 1);
  while (text.length && (text.data[text.length - 1] == ' ' || text.data[text.length - 1] == '\t'))
    --text.length;
  return text;
}

static enum collega_status add_label(const struct sheet_file *file, uint32_t concept,
                                     enum column column, struct bytes text,
                                     struct collega_error *error) {
  enum collega_status status = taxonomy_build_label(file->import->builder, concept, file->language,
                                                    column == PREFERRED, text, error);
  return status == COLLEGA_OK ? status : at_row(file, status, column_names[column], error);
}

/* Alternative labels stand one a line in their cell. */
static enum collega_status add_labels(const struct sheet_file *file, uint32_t concept,
                                      struct collega_error *error) {
  struct bytes left = cell(file, ALTERNATIVES), preferred = trimmed(cell(file, PREFERRED));
  enum collega_status status =
      preferred.length ? add_label(file, concept, PREFERRED, preferred, error) : COLLEGA_OK;
  while (status == COLLEGA_OK && left.length) {
    const uint8_t *end = memchr(left.data, '\n', left.length);
    size_t length = end ? (size_t)(end - left.data) : left.length;
    struct bytes text = trimmed(bytes_of(left.data, length));
    if (text.length) status = add_label(file, concept, ALTERNATIVES, text, error);
    size_t used = end ? length + 1 : length;
    left = bytes_of(left.data + used, left.length - used);
  }
  return status;
}

static enum collega_status concept_row(const struct sheet_file *file, struct collega_error *error) {
  struct bytes type = cell(file, CONCEPT_TYPE), code = cell(file, ISCO_GROUP);
  enum taxonomy_kind kind = TAXONOMY_OCCUPATION;
  uint16_t isco = 0;
  if (is(type, "Occupation")) {
    char digits[5] = "";
    if (code.length == 4) memcpy(digits, code.data, 4);
    if (strspn(digits, "0123456789") != 4 || !isco_find(digits))
      return bad(file, ISCO_GROUP, RULE_isco_unknown, code, error);
    isco = (uint16_t)strtoul(digits, NULL, 10);
  } else if (is(type, "KnowledgeSkillCompetence")) {
    kind = TAXONOMY_SKILL;
  } else if (is(type, "SkillGroup")) {
    kind = TAXONOMY_GROUP;
  } else {
    return bad(file, CONCEPT_TYPE, RULE_taxonomy_type, type, error);
  }
  uint32_t concept = 0;
  enum collega_status status = taxonomy_build_concept(
      file->import->builder, kind, cell(file, CONCEPT_URI), isco, &concept, error);
  if (status != COLLEGA_OK) return at_row(file, status, column_names[CONCEPT_URI], error);
  return add_labels(file, concept, error);
}

static enum collega_status skill_row(const struct sheet_file *file, struct collega_error *error) {
  struct bytes type = cell(file, RELATION_TYPE);
  bool essential = is(type, "essential");
  if (!essential && !is(type, "optional"))
    return bad(file, RELATION_TYPE, RULE_taxonomy_relation, type, error);
  struct taxonomy_source source = {file->number, file->record->row};
  enum collega_status status =
      taxonomy_build_skill(file->import->builder, cell(file, OCCUPATION_URI), cell(file, SKILL_URI),
                           essential, source, error);
  return status == COLLEGA_OK ? status : at_row(file, status, "", error);
}

static enum collega_status related_row(const struct sheet_file *file, struct collega_error *error) {
  struct taxonomy_source source = {file->number, file->record->row};
  enum collega_status status = taxonomy_build_related(
      file->import->builder, cell(file, ORIGINAL_SKILL), cell(file, RELATED_SKILL), source, error);
  return status == COLLEGA_OK ? status : at_row(file, status, "", error);
}

/* The tree of ISCO groups is built in: relations to its groups are not taken. */
static enum collega_status broader_row(const struct sheet_file *file, struct collega_error *error) {
  if (is(cell(file, BROADER_TYPE), "ISCOGroup")) return COLLEGA_OK;
  struct taxonomy_source source = {file->number, file->record->row};
  enum collega_status status = taxonomy_build_broader(
      file->import->builder, cell(file, CONCEPT_URI), cell(file, BROADER_URI), source, error);
  return status == COLLEGA_OK ? status : at_row(file, status, "", error);
}

/* ---- one file */

typedef enum collega_status (*row_reader)(const struct sheet_file *file,
                                          struct collega_error *error);

static row_reader reader_of(const struct sheet_file *file) {
  if (has(file, OCCUPATION_URI) && has(file, SKILL_URI) && has(file, RELATION_TYPE))
    return skill_row;
  if (has(file, ORIGINAL_SKILL) && has(file, RELATED_SKILL)) return related_row;
  if (has(file, CONCEPT_URI) && has(file, BROADER_URI) && has(file, BROADER_TYPE))
    return broader_row;
  bool labelled = has(file, CONCEPT_TYPE) && has(file, CONCEPT_URI) && has(file, PREFERRED) &&
                  has(file, ALTERNATIVES);
  return labelled && !has(file, BROADER_NAMES) ? concept_row : NULL;
}

static void find_columns(struct sheet_file *file, const struct csv_record *header) {
  for (size_t i = 0; i < COLUMNS; ++i) {
    file->column[i] = NO_COLUMN;
    for (size_t j = 0; j < header->count && j < CSV_COLUMNS_MOST; ++j)
      if (is(header->cell[j], column_names[i])) file->column[i] = j;
  }
}

/* "occupations_nl.csv": the two letters before the end. */
static bool find_language(struct sheet_file *file, const char *name) {
  size_t length = strlen(name);
  if (length < 7 || name[length - 7] != '_') return false;
  const char *at = name + length - 6;
  if (at[0] < 'a' || at[0] > 'z' || at[1] < 'a' || at[1] > 'z') return false;
  file->language[0] = at[0];
  file->language[1] = at[1];
  return true;
}

/* ISCO's own groups have labels too, and no concepts here. */
static bool of_isco(const struct sheet_file *file) {
  return is(cell(file, CONCEPT_TYPE), "ISCOGroup") && !has(file, BROADER_URI);
}

static enum collega_status read_rows(struct sheet_file *file, struct csv_reader *csv,
                                     struct csv_record *record, row_reader reader,
                                     struct collega_error *error) {
  struct import *import = file->import;
  struct taxonomy_file *told = &import->report->files[file->number];
  size_t columns = record->count;
  enum collega_status status = COLLEGA_OK;
  while (status == COLLEGA_OK && csv_next(csv, record)) {
    if (csv_empty(record)) continue;
    if (told->rows == 0 && of_isco(file)) return COLLEGA_OK;
    if (record->fault || record->count != columns)
      return import_bad(record->fault ? record->fault : RULE_taxonomy_cells, bytes_of("", 0),
                        file->name, record->row, "", error);
    status = reader(file, error);
    told->taken = true;
    ++told->rows;
    if (++import->rows % STEP_ROWS == 0 && import->step)
      import->step(import->context, import->rows, 0);
  }
  if (status == COLLEGA_OK && csv->cells.failed) return no_memory(error);
  return status;
}

static enum collega_status read_sheet(struct import *import, const char *name, struct bytes text,
                                      struct collega_error *error) {
  struct taxonomy_report *report = import->report;
  if (report->file_count == TAXONOMY_FILES_MOST)
    return error_set(error, COLLEGA_INVALID, RULE_taxonomy_too_large, name, NULL);
  struct sheet_file file = {.import = import, .number = (uint32_t)report->file_count};
  struct taxonomy_file *told = &report->files[report->file_count++];
  import_name(told->name, name);
  file.name = told->name;
  struct csv_reader csv;
  struct csv_record *record = malloc(sizeof *record);
  if (!record) return no_memory(error);
  enum collega_status status = COLLEGA_OK;
  csv_open(&csv, text);
  if (csv_next(&csv, record)) {
    file.record = record;
    find_columns(&file, record);
    row_reader reader = reader_of(&file);
    if (reader == concept_row && !find_language(&file, name))
      status = error_set(error, COLLEGA_INVALID, RULE_taxonomy_language, name, NULL);
    else if (reader)
      status = read_rows(&file, &csv, record, reader, error);
  }
  if (status == COLLEGA_OK && csv.cells.failed) status = no_memory(error);
  csv_close(&csv);
  free(record);
  return status;
}

/* ---- finding files */

static bool ends_with(const char *text, const char *end) {
  size_t length = strlen(text), wanted = strlen(end);
  return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

static enum collega_status zip_failed(struct archive *archive, const char *path,
                                      struct collega_error *error) {
  const char *words = archive_error_string(archive);
  char name[IMPORT_NAME_BYTES];
  import_name(name, path);
  return error_set(error, COLLEGA_INVALID, RULE_taxonomy_zip, name, words ? words : "-", NULL);
}

/* Sizes that a zip tells are not believed: what comes out is counted. */
static enum collega_status zip_entry(struct archive *archive, const char *path, const char *name,
                                     struct buffer *text, struct collega_error *error) {
  for (;;) {
    uint8_t piece[ZIP_PIECE];
    la_ssize_t got = archive_read_data(archive, piece, sizeof piece);
    if (got < 0) return zip_failed(archive, path, error);
    if (got == 0) return COLLEGA_OK;
    if ((size_t)got > TAXONOMY_CSV_BYTES - text->length) {
      char most[24];
      snprintf(most, sizeof most, "%u", TAXONOMY_CSV_BYTES);
      return error_set(error, COLLEGA_INVALID, RULE_file_too_large, NULL, name, most, NULL);
    }
    buffer_append(text, piece, (size_t)got);
    if (text->failed) return no_memory(error);
  }
}

static enum collega_status read_entries(struct import *import, struct archive *archive,
                                        const char *path, struct collega_error *error) {
  enum collega_status status = COLLEGA_OK;
  while (status == COLLEGA_OK) {
    struct archive_entry *entry = NULL;
    int answer = archive_read_next_header(archive, &entry);
    if (answer == ARCHIVE_EOF) break;
    /* A warning is that of a name which is in no known form; the others can be read all the same. */
    if (answer != ARCHIVE_OK && answer != ARCHIVE_WARN) {
      status = zip_failed(archive, path, error);
      break;
    }
    const char *inside = archive_entry_pathname(entry);
    if (!inside || !ends_with(inside, ".csv") || archive_entry_filetype(entry) != AE_IFREG)
      continue;
    struct buffer text;
    buffer_init(&text, TAXONOMY_CSV_BYTES);
    status = zip_entry(archive, path, inside, &text, error);
    if (status == COLLEGA_OK)
      status = read_sheet(import, inside, bytes_of(text.data, text.length), error);
    buffer_free(&text);
  }
  return status;
}

/* The sheets of an archive that was opened, or could not be: `answer`. libarchive gives names in the thread's
 * locale, and in ours, C, there would be none with an accent. */
static enum collega_status read_archive(struct import *import, struct archive *archive, int answer,
                                        const char *path, struct collega_error *error) {
  locale_t named = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
  locale_t before = named ? uselocale(named) : (locale_t)0;
  enum collega_status status = answer == ARCHIVE_OK ? read_entries(import, archive, path, error)
                                                    : zip_failed(archive, path, error);
  archive_read_free(archive);
  if (!named) return status;
  uselocale(before);
  freelocale(named);
  return status;
}

static struct archive *zip_reader(void) {
  struct archive *archive = archive_read_new();
  if (!archive || archive_read_support_format_zip(archive) == ARCHIVE_OK) return archive;
  archive_read_free(archive);
  return NULL;
}

static enum collega_status read_zip(struct import *import, const char *path,
                                    struct collega_error *error) {
  struct archive *archive = zip_reader();
  if (!archive) return no_memory(error);
  int answer = archive_read_open_filename(archive, path, ZIP_READ_BLOCK);
  return read_archive(import, archive, answer, path, error);
}

static enum collega_status read_zip_bytes(struct import *import, const char *name,
                                          struct bytes bytes, struct collega_error *error) {
  struct archive *archive = zip_reader();
  if (!archive) return no_memory(error);
  int answer = archive_read_open_memory(archive, bytes.data, bytes.length);
  return read_archive(import, archive, answer, name, error);
}

static enum collega_status read_csv(struct import *import, const char *path,
                                    struct collega_error *error) {
  struct buffer text;
  enum collega_status status = file_read(path, TAXONOMY_CSV_BYTES, &text, error);
  if (status == COLLEGA_OK)
    status = read_sheet(import, path, bytes_of(text.data, text.length), error);
  buffer_free(&text);
  return status;
}

static enum collega_status read_bytes(struct import *import,
                                      const struct taxonomy_source_bytes *source,
                                      struct collega_error *error) {
  return ends_with(source->name, ".zip")
             ? read_zip_bytes(import, source->name, source->bytes, error)
             : read_sheet(import, source->name, source->bytes, error);
}

static int is_source(const struct dirent *entry) {
  return ends_with(entry->d_name, ".csv") || ends_with(entry->d_name, ".zip");
}

static enum collega_status read_file(struct import *import, const char *path,
                                     struct collega_error *error) {
  return ends_with(path, ".zip") ? read_zip(import, path, error) : read_csv(import, path, error);
}

static enum collega_status read_path(struct import *import, const char *path,
                                     struct collega_error *error) {
  struct stat about;
  if (stat(path, &about) != 0)
    return errno == ENOENT
               ? error_set(error, COLLEGA_NOT_FOUND, RULE_file_missing, NULL, path, NULL)
               : error_system(error, path, errno);
  if (!S_ISDIR(about.st_mode)) return read_file(import, path, error);
  struct dirent **entries = NULL;
  int count = scandir(path, &entries, is_source, alphasort);
  if (count < 0) return error_system(error, path, errno);
  enum collega_status status = COLLEGA_OK;
  for (int i = 0; i < count; ++i) {
    char inside[4096];
    if (status == COLLEGA_OK)
      status = path_join(inside, sizeof inside, path, entries[i]->d_name, error);
    if (status == COLLEGA_OK) status = read_file(import, inside, error);
    free(entries[i]);
  }
  free(entries);
  return status;
}

/* ---- all */

static void keep(void *context, const struct taxonomy_skipped *skipped) {
  struct taxonomy_report *report = context;
  ++report->skipped;
  if (!report->told) report->told = calloc(TAXONOMY_SKIPPED_KEPT, sizeof *report->told);
  if (!report->told || report->told_count == TAXONOMY_SKIPPED_KEPT) return;
  struct taxonomy_told *told = &report->told[report->told_count++];
  told->rule = skipped->rule;
  told->file = skipped->source.file;
  told->row = skipped->source.row;
  snprintf(told->field, sizeof told->field, "%s", skipped->field);
  snprintf(told->about, sizeof told->about, "%s", skipped->about);
}

/* All sources into a builder, then the file. `paths` or `sources`, the other is NULL. */
static enum collega_status import_all(const char *const *paths,
                                      const struct taxonomy_source_bytes *sources, size_t count,
                                      struct import *import, struct buffer *out,
                                      struct collega_error *error) {
  struct taxonomy_report *report = import->report;
  buffer_init(out, 0);
  memset(report, 0, sizeof *report);
  import->builder = taxonomy_builder_new();
  enum collega_status status = import->builder ? COLLEGA_OK : no_memory(error);
  for (size_t i = 0; status == COLLEGA_OK && i < count; ++i)
    status = paths ? read_path(import, paths[i], error) : read_bytes(import, &sources[i], error);
  if (status == COLLEGA_OK) {
    struct taxonomy_source where = {0};
    status = taxonomy_build_finish(import->builder, keep, report, &where, out, error);
    if (status != COLLEGA_OK && where.row)
      import_at(status, report->files[where.file].name, where.row, "broaderUri", error);
  }
  taxonomy_builder_destroy(&import->builder);
  return status;
}

enum collega_status taxonomy_import(const char *const *paths, size_t count, taxonomy_step step,
                                    void *context, struct buffer *out,
                                    struct taxonomy_report *report, struct collega_error *error) {
  struct import import = {.report = report, .step = step, .context = context};
  return import_all(paths, NULL, count, &import, out, error);
}

enum collega_status taxonomy_import_bytes(const struct taxonomy_source_bytes *sources, size_t count,
                                          struct buffer *out, struct taxonomy_report *report,
                                          struct collega_error *error) {
  struct import import = {.report = report};
  return import_all(NULL, sources, count, &import, out, error);
}

void taxonomy_report_free(struct taxonomy_report *report) {
  free(report->told);
  report->told = NULL;
}
