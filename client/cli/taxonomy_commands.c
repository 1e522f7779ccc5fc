/* taxonomy import, search, code: the occupations and skills of this node, and titles against them. None of them
 * opens the ledger; import replaces HOME/taxonomy whole, under the eyes of a running daemon if need be. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/process/process.h"
#include "client/cli/common.h"
#include "client/library/csv.h"
#include "client/library/taxonomy_import.h"
#include "client/library/title_list.h"
#include "client/match/taxonomy_search.h"

#define SHOWN_OF_A_RULE 5u /* of what was left out; --json tells more */
#define HITS_USUAL      10
#define HITS_MOST       100
#define PROPOSALS_USUAL 3
#define TITLES_BYTES    (16u * 1024u * 1024u)
#define TITLES_STEP     50u

static enum collega_status taxonomy_path(const struct desk *desk, char path[4096],
                                         struct collega_error *error) {
  return path_join(path, 4096, desk->home, TAXONOMY_FILE, error);
}

/* ---- import */

static json_t *told_json(const struct desk *desk, const struct taxonomy_report *report,
                         const struct taxonomy_told *told) {
  char words[200];
  words_render(desk->language, told->rule, NULL, 0, words, sizeof words);
  return json_pack("{s:s,s:I,s:s,s:s,s:s,s:s}", "file", report->files[told->file].name, "row",
                   (json_int_t)told->row, "field", told->field, "about", told->about, "rule",
                   rule_name(told->rule), "message", words);
}

static json_t *report_json(const struct desk *desk, const struct taxonomy_report *report,
                           const struct taxonomy_size *size) {
  json_t *files = json_array(), *skipped = json_array();
  for (size_t i = 0; files && i < report->file_count; ++i)
    files = json_add(files,
                     json_pack("{s:s,s:b,s:I}", "file", report->files[i].name, "taken",
                               report->files[i].taken, "rows", (json_int_t)report->files[i].rows));
  for (size_t i = 0; skipped && i < report->told_count; ++i)
    skipped = json_add(skipped, told_json(desk, report, &report->told[i]));
  return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:I,s:o}", "occupations",
                   (json_int_t)size->concepts[TAXONOMY_OCCUPATION], "skills",
                   (json_int_t)size->concepts[TAXONOMY_SKILL], "groups",
                   (json_int_t)size->concepts[TAXONOMY_GROUP], "labels", (json_int_t)size->labels,
                   "skill_relations", (json_int_t)size->skill_relations, "bytes",
                   (json_int_t)size->bytes, "files", files, "skipped_count",
                   (json_int_t)report->skipped, "skipped", skipped);
}

/* How many were told before this one for the same reason. */
static size_t told_before(const struct taxonomy_report *report, size_t index) {
  size_t before = 0;
  for (size_t i = 0; i < index; ++i)
    before += report->told[i].rule == report->told[index].rule;
  return before;
}

static enum collega_status print_skipped(struct desk *desk, const struct taxonomy_report *report,
                                         struct collega_error *error) {
  if (!report->skipped) return COLLEGA_OK;
  tell(desk, stderr, RULE_said_taxonomy_skipped, count_text(desk, report->skipped), NULL);
  static const char *const dutch[] = {"bestand", "rij", "kolom", "wat er ontbreekt", "adres"};
  static const char *const english[] = {"file", "row", "column", "what is missing", "address"};
  struct table *table = table_new(5, desk->language == LANGUAGE_NL ? dutch : english, 1u << 1);
  if (!table) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  for (size_t i = 0; i < report->told_count; ++i) {
    const struct taxonomy_told *told = &report->told[i];
    if (told_before(report, i) >= SHOWN_OF_A_RULE) continue;
    char words[200];
    words_render(desk->language, told->rule, NULL, 0, words, sizeof words);
    const char *cells[] = {safe(desk, report->files[told->file].name), count_text(desk, told->row),
                           told->field, words, safe(desk, told->about)};
    table_row(table, cells);
  }
  table_print(table, stderr);
  table_destroy(&table);
  return COLLEGA_OK;
}

static void print_files(struct desk *desk, const struct taxonomy_report *report) {
  for (size_t i = 0; i < report->file_count; ++i) {
    const struct taxonomy_file *file = &report->files[i];
    tell(desk, stderr, file->taken ? RULE_said_taxonomy_file : RULE_said_taxonomy_passed,
         safe(desk, file->name), count_text(desk, file->rows), NULL);
  }
}

/* Written, then opened as every reader does: what is told is what is there. */
static enum collega_status put_taxonomy(const struct desk *desk, const struct buffer *bytes,
                                        struct taxonomy_size *size, struct collega_error *error) {
  char path[4096];
  struct taxonomy *taxonomy = NULL;
  enum collega_status status = taxonomy_path(desk, path, error);
  if (status == COLLEGA_OK) status = file_write(path, bytes->data, bytes->length, 0600, error);
  if (status == COLLEGA_OK) status = bell_ring(desk->home, error);
  if (status == COLLEGA_OK) status = taxonomy_open(path, &taxonomy, error);
  if (status == COLLEGA_OK) taxonomy_size(taxonomy, size);
  taxonomy_close(&taxonomy);
  return status;
}

static enum collega_status import_esco(struct desk *desk, struct taxonomy_report *report,
                                       struct collega_error *error) {
  const char *paths[TAXONOMY_FILES_MOST];
  size_t count = argument_count(desk->arguments);
  for (size_t i = 0; i < count; ++i)
    paths[i] = argument_at(desk->arguments, i);
  struct buffer bytes;
  struct taxonomy_size size;
  struct desk_telling telling = {.desk = desk, .what = RULE_progress_rows_read};
  enum collega_status status =
      taxonomy_import(paths, count, desk_tell_step, &telling, &bytes, report, error);
  progress_close(&telling.progress);
  if (status == COLLEGA_OK) status = put_taxonomy(desk, &bytes, &size, error);
  buffer_free(&bytes);
  if (status != COLLEGA_OK) return status;
  if (argument_json(desk->arguments)) return json_print(report_json(desk, report, &size), error);
  print_files(desk, report);
  status = print_skipped(desk, report, error);
  say(desk, RULE_said_taxonomy, count_text(desk, size.concepts[TAXONOMY_OCCUPATION]),
      count_text(desk, size.concepts[TAXONOMY_SKILL]), count_text(desk, size.labels),
      count_text(desk, size.skill_relations), NULL);
  return status;
}

enum collega_status command_taxonomy_import(const struct arguments *arguments,
                                            struct collega_error *error) {
  struct desk desk;
  enum collega_status status = desk_open_bare(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  struct taxonomy_report *report = calloc(1, sizeof *report);
  if (!report) {
    status = error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  } else {
    status = import_esco(&desk, report, error);
    taxonomy_report_free(report);
  }
  free(report);
  desk_close(&desk);
  return status;
}

/* ---- search */

static const char *language_code(const struct desk *desk) {
  return desk->language == LANGUAGE_NL ? "nl" : "en";
}

static const char *kind_word(const struct desk *desk, enum taxonomy_kind kind) {
  bool dutch = desk->language == LANGUAGE_NL;
  switch (kind) {
  case TAXONOMY_OCCUPATION:
    return dutch ? "beroep" : "occupation";
  case TAXONOMY_SKILL:
    return dutch ? "vaardigheid" : "skill";
  case TAXONOMY_GROUP:
    return dutch ? "groep" : "group";
  case TAXONOMY_KINDS:
    break;
  }
  return "";
}

static const char *kind_name(enum taxonomy_kind kind) {
  static const char *const names[TAXONOMY_KINDS] = {"occupation", "skill", "group"};
  return names[kind];
}

static void isco_text(const struct taxonomy *taxonomy, uint32_t concept, char out[8]) {
  if (taxonomy_kind(taxonomy, concept) == TAXONOMY_OCCUPATION)
    snprintf(out, 8, "%04u", taxonomy_isco(taxonomy, concept) % 10000u);
  else
    out[0] = '\0';
}

static json_t *hit_json(const struct desk *desk, const struct taxonomy *taxonomy,
                        const struct taxonomy_hit *hit) {
  char isco[8];
  isco_text(taxonomy, hit->concept, isco);
  json_t *out =
      json_pack("{s:s,s:s,s:s,s:s,s:f}", "kind", kind_name(taxonomy_kind(taxonomy, hit->concept)),
                "esco", taxonomy_uri(taxonomy, hit->concept), "label",
                taxonomy_name(taxonomy, hit->concept, language_code(desk)), "found_as",
                taxonomy_label(taxonomy, hit->label).text, "score",
                (double)(int)(hit->score * 10000.0 + 0.5) / 10000.0);
  if (out && *isco && !json_put(out, "isco", json_string(isco))) {
    json_decref(out);
    return NULL;
  }
  return out;
}

static json_t *hits_json(const struct desk *desk, const struct taxonomy *taxonomy,
                         const struct taxonomy_hit *hits, size_t count) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < count; ++i)
    list = json_add(list, hit_json(desk, taxonomy, &hits[i]));
  return list;
}

static enum collega_status print_hits(struct desk *desk, const struct taxonomy *taxonomy,
                                      const struct taxonomy_hit *hits, size_t count,
                                      struct collega_error *error) {
  if (argument_json(desk->arguments))
    return json_print_list("found", hits_json(desk, taxonomy, hits, count), error);
  if (!count) {
    say(desk, RULE_said_taxonomy_nothing, NULL);
    return COLLEGA_OK;
  }
  static const char *const dutch[] = {"score",    "soort",        "isco",
                                      "benaming", "gevonden als", "adres"};
  static const char *const english[] = {"score", "kind", "isco", "label", "found as", "address"};
  struct table *table = table_new(6, desk->language == LANGUAGE_NL ? dutch : english, 1u);
  if (!table) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  table_may_cut(table, 1u << 3 | 1u << 4);
  for (size_t i = 0; i < count; ++i) {
    char score[FRACTION_BYTES], isco[8];
    fraction_write(score, desk->language, hits[i].score);
    isco_text(taxonomy, hits[i].concept, isco);
    const char *cells[] = {
        score,
        kind_word(desk, taxonomy_kind(taxonomy, hits[i].concept)),
        isco,
        safe(desk, taxonomy_name(taxonomy, hits[i].concept, language_code(desk))),
        safe(desk, taxonomy_label(taxonomy, hits[i].label).text),
        safe(desk, taxonomy_uri(taxonomy, hits[i].concept))};
    table_row(table, cells);
  }
  table_print(table, stdout);
  table_destroy(&table);
  return COLLEGA_OK;
}

/* What titles are held against: the desk, the taxonomy, its index. */
struct reading {
  struct desk desk;
  struct taxonomy *taxonomy;
  struct taxonomy_search *search;
};

static enum collega_status reading_open(struct reading *reading, const struct arguments *arguments,
                                        enum taxonomy_kind first, enum taxonomy_kind last,
                                        struct collega_error *error) {
  char path[4096];
  memset(reading, 0, sizeof *reading);
  enum collega_status status = desk_open_bare(arguments, &reading->desk, error);
  if (status == COLLEGA_OK) status = taxonomy_path(&reading->desk, path, error);
  if (status == COLLEGA_OK) status = taxonomy_open(path, &reading->taxonomy, error);
  if (status != COLLEGA_OK) return status;
  reading->search = taxonomy_search_new(reading->taxonomy, first, last, NULL);
  return reading->search ? COLLEGA_OK
                         : error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

static void reading_close(struct reading *reading) {
  taxonomy_search_destroy(&reading->search);
  taxonomy_close(&reading->taxonomy);
  desk_close(&reading->desk);
}

enum collega_status command_taxonomy_search(const struct arguments *arguments,
                                            struct collega_error *error) {
  struct reading reading;
  bool occupations = argument_value(arguments, "occupations") != NULL;
  bool skills = argument_value(arguments, "skills") != NULL;
  bool both = occupations == skills;
  int64_t limit = HITS_USUAL;
  enum collega_status status =
      argument_number(arguments, "limit", 1, HITS_MOST, HITS_USUAL, &limit, error);
  if (status != COLLEGA_OK) return status;
  status =
      reading_open(&reading, arguments, both || occupations ? TAXONOMY_OCCUPATION : TAXONOMY_SKILL,
                   both || skills ? TAXONOMY_SKILL : TAXONOMY_OCCUPATION, error);
  if (status == COLLEGA_OK) {
    struct taxonomy_hit hits[HITS_MOST];
    size_t count = taxonomy_search(reading.search, typed_text(&reading.desk), (size_t)limit, hits);
    status = print_hits(&reading.desk, reading.taxonomy, hits, count, error);
  }
  reading_close(&reading);
  return status;
}

/* ---- code: a list of titles */

static void csv_cell_print(FILE *out, const char *text) {
  struct buffer cell;
  buffer_init(&cell, 0);
  csv_cell(&cell, text);
  fputs(buffer_text(&cell), out);
  buffer_free(&cell);
}

static void print_proposals(const struct reading *reading, const char *title,
                            const struct taxonomy_hit *hits, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    char isco[8];
    isco_text(reading->taxonomy, hits[i].concept, isco);
    csv_cell_print(stdout, title);
    printf(",%zu,%.4f,%s,%s,", i + 1, hits[i].score, isco,
           taxonomy_uri(reading->taxonomy, hits[i].concept));
    csv_cell_print(
        stdout, taxonomy_name(reading->taxonomy, hits[i].concept, language_code(&reading->desk)));
    putc('\n', stdout);
  }
}

static enum collega_status code_titles(struct reading *reading, struct title_list *titles,
                                       size_t most, struct collega_error *error) {
  struct desk *desk = &reading->desk;
  struct desk_telling telling = {.desk = desk, .what = RULE_progress_rows_read};
  struct taxonomy_hit hits[HITS_MOST];
  bool json = argument_json(desk->arguments);
  json_t *list = json ? json_array() : NULL;
  const char *title = NULL;
  uint32_t row = 0;
  enum collega_status status = COLLEGA_OK;
  if (!json) puts("title,rank,score,isco,esco,label");
  while ((status = title_list_next(titles, &title, &row, error)) == COLLEGA_OK && title) {
    size_t count = taxonomy_search(reading->search, title, most, hits);
    if (!json) print_proposals(reading, title, hits, count);
    if (json && list)
      list =
          json_add(list, json_pack("{s:I,s:s,s:o}", "row", (json_int_t)row, "title", title,
                                   "proposals", hits_json(desk, reading->taxonomy, hits, count)));
    if (row % TITLES_STEP == 0) desk_tell_step(&telling, row, 0);
  }
  progress_close(&telling.progress);
  if (json && status == COLLEGA_OK) return json_print_list("titles", list, error);
  json_decref(list);
  return status;
}

enum collega_status command_taxonomy_code(const struct arguments *arguments,
                                          struct collega_error *error) {
  struct reading reading;
  struct buffer text = {0};
  int64_t limit = PROPOSALS_USUAL;
  enum collega_status status =
      argument_number(arguments, "limit", 1, HITS_MOST, PROPOSALS_USUAL, &limit, error);
  if (status != COLLEGA_OK) return status;
  status = reading_open(&reading, arguments, TAXONOMY_OCCUPATION, TAXONOMY_OCCUPATION, error);
  if (status == COLLEGA_OK)
    status = file_read(argument_at(arguments, 0), TITLES_BYTES, &text, error);
  struct title_list *titles = NULL;
  if (status == COLLEGA_OK)
    status = title_list_open(argument_at(arguments, 0), bytes_of(text.data, text.length), &titles,
                             error);
  if (status == COLLEGA_OK) status = code_titles(&reading, titles, (size_t)limit, error);
  title_list_close(&titles);
  buffer_free(&text);
  reading_close(&reading);
  return status;
}
