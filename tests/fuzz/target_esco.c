/* Taxonomies as ESCO publishes them: a set of CSV files and zips becomes a taxonomy that keeps its promises, or is
 * refused with the place of the fault, and nothing is made.
 *
 * An input: a byte (1: the same set once more must give the same bytes; 2: it is searched), then a byte for a
 * file's name and a piece with its content, as often as wanted. */
#include <string.h>

#include "client/library/taxonomy_import.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/imported.h"

#define SOURCES 12u

/* tests/fuzz/seed_imports.c names files by their number here. */
static const char *const names[] = {"occupations_en.csv",
                                    "occupations_nl.csv",
                                    "skills_en.csv",
                                    "skills_nl.csv",
                                    "skillGroups_en.csv",
                                    "occupationSkillRelations.csv",
                                    "skillSkillRelations.csv",
                                    "broaderRelationsSkillPillar.csv",
                                    "all.zip",
                                    "no_language.csv"};

static void look_at_report(const struct taxonomy_report *report) {
  fuzz_must(report->file_count <= TAXONOMY_FILES_MOST && report->told_count <= report->skipped);
  for (size_t i = 0; i < report->file_count; ++i)
    fuzz_must(
        utf8_text((const uint8_t *)report->files[i].name, strlen(report->files[i].name), false));
  for (size_t i = 0; i < report->told_count; ++i) {
    const struct taxonomy_told *told = &report->told[i];
    fuzz_must(told->file < report->file_count && told->row > 1 && told->rule != RULE_NONE);
    fuzz_must(utf8_text((const uint8_t *)told->about, strlen(told->about), false));
  }
}

static void again(const struct taxonomy_source_bytes *sources, size_t count,
                  const struct buffer *first) {
  static struct taxonomy_report report;
  struct buffer second;
  fuzz_must(taxonomy_import_bytes(sources, count, &second, &report, NULL) == COLLEGA_OK);
  fuzz_must(
      bytes_equal(bytes_of(second.data, second.length), bytes_of(first->data, first->length)));
  buffer_free(&second);
  taxonomy_report_free(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  static struct taxonomy_report report;
  struct fuzz_input input = fuzz_begin(data, length);
  struct taxonomy_source_bytes sources[SOURCES];
  struct taxonomy *taxonomy = NULL;
  struct collega_error error;
  struct buffer made;
  size_t count = 0;
  uint8_t how = fuzz_byte(&input);
  for (; count < SOURCES && input.length > 0; ++count) {
    sources[count].name = names[fuzz_byte(&input) % (sizeof names / sizeof names[0])];
    sources[count].bytes = fuzz_piece(&input);
  }
  error_clear(&error);
  if (taxonomy_import_bytes(sources, count, &made, &report, &error) == COLLEGA_OK) {
    look_at_report(&report);
    if (how & 1) again(sources, count, &made);
    fuzz_must(taxonomy_of_taken(&made, &taxonomy, &error) == COLLEGA_OK);
    look_at_taxonomy(taxonomy, true);
    if (how & 2) search_taxonomy(taxonomy, true);
    taxonomy_close(&taxonomy);
  } else {
    fuzz_check_error(&error);
    fuzz_must(made.length == 0);
  }
  buffer_free(&made);
  taxonomy_report_free(&report);
  return 0;
}
