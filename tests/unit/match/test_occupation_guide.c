/* Proposals of occupations for what people write, from the built-in list and from a taxonomy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/match/occupation_guide.h"
#include "client/match/taxonomy_build.h"
#include "proto/lists.h"

static struct occupation_guide *open_guide(const char *path, enum language language) {
  struct occupation_guide *guide = NULL;
  struct collega_error error;
  if (occupation_guide_open(path, language, &guide, &error) != COLLEGA_OK)
    fail_msg("%s", rule_name(error.rule));
  return guide;
}

/* The place of `isco` among the proposals for the text, 1 first; 0: not among five. */
static size_t place(struct occupation_guide *guide, const char *text, const char *isco) {
  struct occupation_proposal found[OCCUPATION_PROPOSALS];
  size_t count = occupation_propose(guide, text, OCCUPATION_PROPOSALS, found);
  assert_true(count <= OCCUPATION_PROPOSALS);
  for (size_t i = 0; i < count; i++) {
    assert_non_null(isco_find(found[i].isco));
    assert_null(found[i].esco);
    if (strcmp(found[i].isco, isco) == 0) return i + 1;
  }
  return 0;
}

static void titles_are_likened_to_the_built_in_list(void **state) {
  (void)state;
  struct occupation_guide *dutch = open_guide("/nonexistent/taxonomy", LANGUAGE_NL);
  struct occupation_guide *english = open_guide("/nonexistent/taxonomy", LANGUAGE_EN);
  assert_int_equal(place(dutch, "Magazijnmedewerkers beschikbaar", "4321"), 1);
  assert_int_equal(place(dutch, "heftruckchauffeur", "8344"), 1);
  assert_int_equal(place(dutch, "Koks (v/m) gezocht!", "5120"), 1);
  assert_int_not_equal(place(dutch, "magazijn", "4321"), 0); /* a part of a word */
  assert_int_not_equal(place(dutch, "verpleegkundigen", "2221"), 0);
  assert_int_equal(place(english, "software developer", "2512"), 1);
  assert_int_not_equal(place(english, "cook", "5120"), 0);
  occupation_guide_close(&dutch);
  occupation_guide_close(&english);
}

static void what_is_like_nothing_gets_no_proposal(void **state) {
  (void)state;
  struct occupation_guide *guide = open_guide("/nonexistent/taxonomy", LANGUAGE_NL);
  struct occupation_proposal found[3];
  static const char *const texts[] = {"", " ", "zqx", "1234", "\xff\xfe", "!?"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
    assert_int_equal(occupation_propose(guide, texts[i], 3, found), 0);
  char endless[3000];
  memset(endless, 'e', sizeof endless - 1);
  endless[sizeof endless - 1] = '\0';
  assert_true(occupation_propose(guide, endless, 3, found) <= 3);
  assert_int_equal(occupation_propose(guide, "koks", 1, found), 1);
  assert_int_equal(occupation_propose(guide, "koks", 0, found), 0);
  occupation_guide_close(&guide);
}

static void labels_are_in_the_readers_language(void **state) {
  (void)state;
  struct occupation_proposal found[1];
  struct occupation_guide *guide = open_guide("/nonexistent/taxonomy", LANGUAGE_EN);
  assert_int_equal(occupation_propose(guide, "koks", 1, found), 1); /* typed in the other one */
  assert_string_equal(found[0].label, "Cooks");
  occupation_guide_close(&guide);
}

static struct bytes text_bytes(const char *text) {
  return bytes_of(text, strlen(text));
}

static void write_taxonomy(const char *path) {
  struct taxonomy_builder *builder = taxonomy_builder_new();
  struct taxonomy_source where;
  struct buffer bytes;
  uint32_t concept;
  assert_non_null(builder);
  assert_int_equal(taxonomy_build_concept(builder, TAXONOMY_OCCUPATION,
                                          text_bytes("http://e/o/picker"), 9333, &concept, NULL),
                   COLLEGA_OK);
  assert_int_equal(
      taxonomy_build_label(builder, concept, "nl", true, text_bytes("orderpicker"), NULL),
      COLLEGA_OK);
  assert_int_equal(taxonomy_build_finish(builder, NULL, NULL, &where, &bytes, NULL), COLLEGA_OK);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes.data, 1, bytes.length, file), bytes.length);
  assert_int_equal(fclose(file), 0);
  buffer_free(&bytes);
  taxonomy_builder_destroy(&builder);
}

static void a_taxonomy_takes_the_lists_place(void **state) {
  (void)state;
  char path[] = "/tmp/collega-guide-XXXXXX";
  struct occupation_proposal found[5];
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  close(fd);
  write_taxonomy(path);
  struct occupation_guide *guide = open_guide(path, LANGUAGE_NL);
  assert_int_equal(occupation_propose(guide, "orderpicker", 5, found), 1);
  assert_string_equal(found[0].isco, "9333");
  assert_string_equal(found[0].label, "orderpicker");
  assert_string_equal(found[0].esco, "http://e/o/picker");
  occupation_guide_close(&guide);
  assert_int_equal(truncate(path, 100), 0);
  struct collega_error error;
  assert_int_equal(occupation_guide_open(path, LANGUAGE_NL, &guide, &error), COLLEGA_DAMAGED);
  assert_null(guide);
  unlink(path);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(titles_are_likened_to_the_built_in_list),
      cmocka_unit_test(what_is_like_nothing_gets_no_proposal),
      cmocka_unit_test(labels_are_in_the_readers_language),
      cmocka_unit_test(a_taxonomy_takes_the_lists_place),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
