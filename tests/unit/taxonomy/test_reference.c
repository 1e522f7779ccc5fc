/* The whole of ESCO, where it is present (COLLEGA_REFERENCE_DATA/esco): the import's counts, and how often a title is
 * found that is not in the index.
 *
 * Titles are alternative labels, one of every seventh occupation in each language, drawn by a fixed rule, and held
 * out of the index; those whose folded text stands there under another label all the same are not taken. Each is
 * asked as it is, with one typing error, and, where it has several words, with its first two written as one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/library/taxonomy_import.h"
#include "client/match/taxonomy.h"
#include "client/match/taxonomy_search.h"

#define EVERY  7u /* occupation */
#define WITHIN 10u

struct asked {
  uint32_t concept, label;
};
struct figures {
  size_t asked, first, five, ten;
  double reciprocal;
};
struct reference {
  struct taxonomy *taxonomy;
  struct taxonomy_report report;
};

static bool reference_directory(char *out, size_t capacity) {
  const char *given = getenv("COLLEGA_REFERENCE_DATA");
  snprintf(out, capacity, "%s/esco", given ? given : "");
  return given && access(out, R_OK) == 0;
}

/* Makes a taxonomy of bytes, by way of a file that is gone at once. */
static struct taxonomy *taxonomy_of(const struct buffer *bytes) {
  char path[] = "/tmp/collega-taxonomy-XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, bytes->data, bytes->length), (ssize_t)bytes->length);
  close(fd);
  struct taxonomy *taxonomy = NULL;
  struct collega_error error;
  assert_int_equal(taxonomy_open(path, &taxonomy, &error), COLLEGA_OK);
  unlink(path);
  return taxonomy;
}

static int set_up(void **state) {
  char directory[512];
  struct collega_error error;
  assert_int_equal(bytes_start(&error), COLLEGA_OK);
  if (!reference_directory(directory, sizeof directory)) return 0;
  struct reference *reference = calloc(1, sizeof *reference);
  struct buffer out;
  const char *const paths[] = {directory};
  if (!reference) return -1;
  enum collega_status status =
      taxonomy_import(paths, 1, NULL, NULL, &out, &reference->report, &error);
  if (status != COLLEGA_OK) print_message("%s: rule %d\n", error.field, (int)error.rule);
  assert_int_equal(status, COLLEGA_OK);
  reference->taxonomy = taxonomy_of(&out);
  buffer_free(&out);
  *state = reference;
  return 0;
}

static int tear_down(void **state) {
  struct reference *reference = *state;
  if (!reference) return 0;
  taxonomy_close(&reference->taxonomy);
  taxonomy_report_free(&reference->report);
  free(reference);
  return 0;
}

static struct reference *needed(void **state) {
  if (*state) return *state;
  print_message("skipped: reference data not present\n");
  skip();
  return NULL;
}

static void test_all_of_esco_is_there(void **state) {
  struct reference *reference = needed(state);
  struct taxonomy_size size;
  taxonomy_size(reference->taxonomy, &size);
  assert_int_equal(size.concepts[TAXONOMY_OCCUPATION], 3007);
  assert_int_equal(size.concepts[TAXONOMY_SKILL], 13896);
  assert_int_equal(size.skill_relations, 123855 - 67);
  size_t missing = 0;
  for (size_t i = 0; i < reference->report.told_count; ++i)
    missing += reference->report.told[i].rule == RULE_taxonomy_occupation_missing;
  assert_int_equal(missing, 67);
  print_message("%zu bytes, %u labels, %u broader, %zu skipped\n", size.bytes, size.labels,
                size.broader_relations, reference->report.skipped);
}

/* ---- titles */

/* Whether the text stands there, folded, under a label that is not held out. */
static bool stands_there(const struct taxonomy *taxonomy, uint32_t concept, uint32_t held,
                         const char *folded) {
  uint32_t first, count = taxonomy_labels(taxonomy, concept, &first);
  char other[TAXONOMY_FOLDED_BYTES];
  for (uint32_t i = first; i < first + count; ++i) {
    if (i == held) continue;
    taxonomy_fold(taxonomy_label(taxonomy, i).text, other);
    if (strcmp(other, folded) == 0) return true;
  }
  return false;
}

static size_t hold_out(const struct taxonomy *taxonomy, const char *language, uint8_t *left_out,
                       struct asked *out) {
  struct taxonomy_size size;
  taxonomy_size(taxonomy, &size);
  size_t asked = 0;
  for (uint32_t c = 0; c < size.concepts[TAXONOMY_OCCUPATION]; c += EVERY) {
    uint32_t first, count = taxonomy_labels(taxonomy, c, &first), candidates = 0;
    for (uint32_t i = first; i < first + count; ++i) {
      struct taxonomy_label label = taxonomy_label(taxonomy, i);
      candidates += !label.preferred && strcmp(label.language, language) == 0;
    }
    if (!candidates) continue;
    uint32_t wanted = c / EVERY % candidates;
    for (uint32_t i = first; i < first + count; ++i) {
      struct taxonomy_label label = taxonomy_label(taxonomy, i);
      char folded[TAXONOMY_FOLDED_BYTES];
      if (label.preferred || strcmp(label.language, language) != 0 || wanted-- != 0) continue;
      taxonomy_fold(label.text, folded);
      if (stands_there(taxonomy, c, i, folded)) continue;
      left_out[i] = 1;
      out[asked++] = (struct asked){c, i};
    }
  }
  return asked;
}

/* One typing error, its kind and place from the title's own letters: a letter left out, doubled, or two swapped. */
static void mistype(char *text) {
  size_t length = strlen(text);
  if (length < 4) return;
  unsigned sum = 0;
  for (size_t i = 0; i < length; ++i)
    sum = sum * 31u + (unsigned char)text[i];
  size_t at = 1 + sum % (length - 2);
  if (sum / 7 % 3 == 0) {
    memmove(text + at, text + at + 1, length - at);
  } else if (sum / 7 % 3 == 1) {
    memmove(text + at + 1, text + at, length - at + 1);
  } else {
    char swapped = text[at];
    text[at] = text[at + 1];
    text[at + 1] = swapped;
  }
}

static bool join(char *text) {
  char *blank = strchr(text, ' ');
  if (!blank) return false;
  memmove(blank, blank + 1, strlen(blank));
  return true;
}

enum form { AS_IS, MISTYPED, JOINED, FORMS };

static bool ask(struct taxonomy_search *search, const char *title, enum form form, uint32_t concept,
                struct figures *figures) {
  char text[TAXONOMY_FOLDED_BYTES + 1];
  taxonomy_fold(title, text);
  if (form == MISTYPED) mistype(text);
  if (form == JOINED && !join(text)) return false;
  struct taxonomy_hit hits[WITHIN];
  size_t count = taxonomy_search(search, text, WITHIN, hits);
  ++figures->asked;
  for (size_t i = 0; i < count; ++i) {
    if (hits[i].concept != concept) continue;
    figures->first += i == 0;
    figures->five += i < 5;
    ++figures->ten;
    figures->reciprocal += 1.0 / (double)(i + 1);
    return true;
  }
  return false;
}

static void print_figures(const char *language, const char *form, const struct figures *figures) {
  double asked = (double)figures->asked;
  print_message("%s %-10s %4zu titles: at 1 %.3f, at 5 %.3f, at 10 %.3f, reciprocal rank %.3f\n",
                language, form, figures->asked, (double)figures->first / asked,
                (double)figures->five / asked, (double)figures->ten / asked,
                figures->reciprocal / asked);
}

static void measure(void **state, const char *language, double floor_first, double floor_ten) {
  struct reference *reference = needed(state);
  const struct taxonomy *taxonomy = reference->taxonomy;
  struct taxonomy_size size;
  taxonomy_size(taxonomy, &size);
  uint8_t *left_out = calloc(size.labels + 1, 1);
  struct asked *asked = calloc(size.concepts[TAXONOMY_OCCUPATION], sizeof *asked);
  assert_true(left_out && asked);
  size_t count = hold_out(taxonomy, language, left_out, asked);
  struct taxonomy_search *search =
      taxonomy_search_new(taxonomy, TAXONOMY_OCCUPATION, TAXONOMY_OCCUPATION, left_out);
  assert_non_null(search);
  static const char *const names[FORMS] = {"as it is", "mistyped", "joined"};
  struct figures all = {0};
  for (enum form form = AS_IS; form < FORMS; ++form) {
    struct figures figures = {0};
    for (size_t i = 0; i < count; ++i)
      ask(search, taxonomy_label(taxonomy, asked[i].label).text, form, asked[i].concept, &figures);
    print_figures(language, names[form], &figures);
    all.asked += figures.asked;
    all.first += figures.first;
    all.five += figures.five;
    all.ten += figures.ten;
    all.reciprocal += figures.reciprocal;
  }
  print_figures(language, "all", &all);
  assert_true((double)all.first / (double)all.asked > floor_first);
  assert_true((double)all.ten / (double)all.asked > floor_ten);
  taxonomy_search_destroy(&search);
  free(left_out);
  free(asked);
}

static void test_dutch_titles(void **state) {
  measure(state, "nl", 0.62, 0.87);
}

static void test_english_titles(void **state) {
  measure(state, "en", 0.60, 0.86);
}

/* ---- closeness: the pairs of docs/matching.md */

struct pair {
  const char *one, *other; /* English preferred labels */
};
static const struct pair pairs[] = {
    {"receptionist", "hospitality establishment receptionist"},
    {"receptionist", "customer service representative"},
    {"receptionist", "front line medical receptionist"},
    {"receptionist", "welder"},
    {"taxi driver", "private chauffeur"},
    {"taxi driver", "cargo vehicle driver"},
    {"taxi driver", "bicycle courier"},
    {"taxi driver", "bus driver"},
    {"taxi driver", "cook"},
    {"cook", "industrial cook"},
    {"cook", "kitchen assistant"},
    {"cook", "waiter/waitress"},
    {"cook", "healthcare assistant"},
    {"forklift operator", "warehouse worker"},
    {"warehouse order picker", "warehouse worker"},
    {"nurse responsible for general care", "specialist nurse"},
    {"primary school teacher", "secondary school teacher"},
    {"bricklayer", "tile fitter"},
    {"accountant", "financial auditor"},
    {"software developer", "ICT system analyst"},
    {"steward/stewardess", "waiter/waitress"},
};
#define PAIRS (sizeof pairs / sizeof pairs[0])

static uint32_t by_name(const struct taxonomy *taxonomy, const char *name) {
  struct taxonomy_size size;
  taxonomy_size(taxonomy, &size);
  for (uint32_t c = 0; c < size.concepts[TAXONOMY_OCCUPATION]; ++c)
    if (strcmp(taxonomy_name(taxonomy, c, "en"), name) == 0) return c;
  print_message("not there: %s\n", name);
  return TAXONOMY_NOT_THERE;
}

static double close_by_name(const struct taxonomy *taxonomy, const char *one, const char *other) {
  uint32_t first = by_name(taxonomy, one), second = by_name(taxonomy, other);
  assert_true(first != TAXONOMY_NOT_THERE && second != TAXONOMY_NOT_THERE);
  double closeness = taxonomy_closeness(taxonomy, first, second);
  assert_true(closeness == taxonomy_closeness(taxonomy, second, first));
  return closeness;
}

static void test_pairs_are_as_close_as_they_should_be(void **state) {
  const struct taxonomy *taxonomy = needed(state)->taxonomy;
  for (size_t i = 0; i < PAIRS; ++i)
    print_message("| %s | %s | %.2f |\n", pairs[i].one, pairs[i].other,
                  close_by_name(taxonomy, pairs[i].one, pairs[i].other));
  const char *const taxi = "taxi driver", *const desk = "receptionist", *const cook = "cook";
  double chauffeur = close_by_name(taxonomy, taxi, "private chauffeur");
  double bus = close_by_name(taxonomy, taxi, "bus driver");
  double courier = close_by_name(taxonomy, taxi, "bicycle courier");
  assert_true(chauffeur > bus && bus > courier && courier > close_by_name(taxonomy, taxi, cook));
  double medical = close_by_name(taxonomy, desk, "front line medical receptionist");
  double service = close_by_name(taxonomy, desk, "customer service representative");
  assert_true(medical > service && service > 0.3 && close_by_name(taxonomy, desk, "welder") < 0.1);
  double industrial = close_by_name(taxonomy, cook, "industrial cook");
  double waiter = close_by_name(taxonomy, cook, "waiter/waitress");
  assert_true(industrial > waiter &&
              waiter > close_by_name(taxonomy, cook, "healthcare assistant"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_all_of_esco_is_there),
      cmocka_unit_test(test_dutch_titles),
      cmocka_unit_test(test_english_titles),
      cmocka_unit_test(test_pairs_are_as_close_as_they_should_be),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
