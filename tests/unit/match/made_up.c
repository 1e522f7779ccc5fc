#include "tests/unit/match/made_up.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "client/match/taxonomy_build.h"

/* Two unit groups with several occupations, some with one; 4311 and 2221 of the samples have none. */
const struct made_up_occupation made_up_occupations[MADE_UP_OCCUPATIONS] = {
    {"http://made.up/occupation/keeper", "4321", "stock keeper", "++-  +    "},
    {"http://made.up/occupation/picker", "4321", "order picker", "+ +   -   "},
    {"http://made.up/occupation/planner", "4322", "planner", "    ++-   "},
    {"http://made.up/occupation/lifter", "8344", "fork-lift driver", "++      + "},
    {"http://made.up/occupation/stacker", "8344", "stacker driver", " +      +-"},
    {"http://made.up/occupation/mover", "9333", "mover", "  +     -+"},
    {"http://made.up/occupation/cook", "5120", "cook", "   ++ +   "},
    {"http://made.up/occupation/baker", "5120", "baker", "   +  +   "},
    {"http://made.up/occupation/waiter", "5131", "waiter", "   -+-    "},
    {"http://made.up/occupation/odd", "3118", "odd one", "         +"},
};
const char *const made_up_concepts[MADE_UP_CONCEPTS] = {
    "http://made.up/skill/0", "http://made.up/skill/1", "http://made.up/skill/2",
    "http://made.up/skill/3", "http://made.up/skill/4", "http://made.up/skill/5",
    "http://made.up/skill/6", "http://made.up/skill/7", "http://made.up/skill/8",
    "http://made.up/skill/9", "http://made.up/group/0", "http://made.up/group/1",
    "http://made.up/group/2",
};
const struct made_up_pair made_up_broader[] = {
    {0, 10}, {1, 10}, {2, 0}, {3, 11}, {4, 11}, {4, 12}, {6, 3}, {7, 1}, {8, 12}, {10, 12},
};
const size_t made_up_broader_count = sizeof made_up_broader / sizeof *made_up_broader;
const struct made_up_pair made_up_related[] = {{5, 4}, {9, 2}, {7, 8}};
const size_t made_up_related_count = sizeof made_up_related / sizeof *made_up_related;

const struct made_up_course made_up_courses[] = {{"5120", "22"}, {"8", "4321"}, {"43", "51"}};
const size_t made_up_course_count = sizeof made_up_courses / sizeof *made_up_courses;

static struct bytes text(const char *from) {
  return bytes_of(from, strlen(from));
}

static void build(struct taxonomy_builder *builder, struct collega_error *error) {
  const struct taxonomy_source source = {0, 1};
  uint32_t concept;
  for (unsigned i = 0; i < MADE_UP_CONCEPTS; ++i)
    assert_int_equal(taxonomy_build_concept(builder,
                                            i < MADE_UP_SKILLS ? TAXONOMY_SKILL : TAXONOMY_GROUP,
                                            text(made_up_concepts[i]), 0, &concept, error),
                     COLLEGA_OK);
  for (unsigned i = 0; i < MADE_UP_OCCUPATIONS; ++i) {
    const struct made_up_occupation *one = &made_up_occupations[i];
    uint16_t isco = (uint16_t)strtoul(one->isco, NULL, 10);
    assert_int_equal(
        taxonomy_build_concept(builder, TAXONOMY_OCCUPATION, text(one->uri), isco, &concept, error),
        COLLEGA_OK);
    assert_int_equal(taxonomy_build_label(builder, concept, "en", true, text(one->label), error),
                     COLLEGA_OK);
    for (unsigned j = 0; one->skills[j]; ++j)
      if (one->skills[j] != ' ')
        assert_int_equal(taxonomy_build_skill(builder, text(one->uri), text(made_up_concepts[j]),
                                              one->skills[j] == '+', source, error),
                         COLLEGA_OK);
  }
  for (size_t i = 0; i < made_up_broader_count; ++i)
    assert_int_equal(
        taxonomy_build_broader(builder, text(made_up_concepts[made_up_broader[i].from]),
                               text(made_up_concepts[made_up_broader[i].to]), source, error),
        COLLEGA_OK);
  for (size_t i = 0; i < made_up_related_count; ++i)
    assert_int_equal(
        taxonomy_build_related(builder, text(made_up_concepts[made_up_related[i].from]),
                               text(made_up_concepts[made_up_related[i].to]), source, error),
        COLLEGA_OK);
}

static void nothing_left_out(void *context, const struct taxonomy_skipped *skipped) {
  (void)context;
  fail_msg("left out: %s", skipped->about);
}

struct taxonomy *made_up_taxonomy(void) {
  struct taxonomy_builder *builder = taxonomy_builder_new();
  struct taxonomy_source where;
  struct collega_error error;
  struct buffer out;
  assert_non_null(builder);
  build(builder, &error);
  assert_int_equal(taxonomy_build_finish(builder, nothing_left_out, NULL, &where, &out, &error),
                   COLLEGA_OK);
  taxonomy_builder_destroy(&builder);
  char path[] = "/tmp/collega-made-up-XXXXXX";
  int file = mkstemp(path);
  assert_true(file >= 0);
  assert_int_equal(write(file, out.data, out.length), (ssize_t)out.length);
  close(file);
  struct taxonomy *taxonomy = NULL;
  assert_int_equal(taxonomy_open(path, &taxonomy, &error), COLLEGA_OK);
  unlink(path);
  buffer_free(&out);
  return taxonomy;
}

struct courses *made_up_table(void) {
  char table[1024] = COURSES_FIRST_LINE "\n";
  struct courses *courses = NULL;
  struct collega_error error;
  for (size_t i = 0; i < made_up_course_count; ++i) {
    size_t at = strlen(table);
    snprintf(table + at, sizeof table - at, "occupation\t%s\t%s\t3\tweek\tcursus\tcourse\n",
             made_up_courses[i].to, made_up_courses[i].from);
  }
  assert_int_equal(courses_read(text(table), &courses, &error), COLLEGA_OK);
  return courses;
}
