/* A small taxonomy: what goes in comes out, what is missing is told, circles are refused, and no byte of the file can
 * lead its reader astray. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/match/taxonomy_build.h"
#include "client/match/taxonomy_file.h"
#include "client/match/taxonomy_search.h"

struct world {
  struct taxonomy_builder *builder;
  struct taxonomy *taxonomy;
  struct buffer bytes;
  size_t told;
  struct taxonomy_skipped last;
  struct taxonomy_source where;
  struct collega_error error;
};

static struct bytes text(const char *words) {
  return bytes_of(words, strlen(words));
}

static void concept_add(struct world *world, enum taxonomy_kind kind, const char *uri,
                        uint16_t isco, const char *dutch, const char *other) {
  uint32_t concept = 0;
  assert_int_equal(taxonomy_build_concept(world->builder, kind, text(uri), isco, &concept, NULL),
                   COLLEGA_OK);
  assert_int_equal(taxonomy_build_label(world->builder, concept, "nl", true, text(dutch), NULL),
                   COLLEGA_OK);
  assert_int_equal(taxonomy_build_label(world->builder, concept, "en", false, text(other), NULL),
                   COLLEGA_OK);
}

static void skill_add(struct world *world, const char *occupation, const char *skill,
                      bool essential) {
  assert_int_equal(taxonomy_build_skill(world->builder, text(occupation), text(skill), essential,
                                        (struct taxonomy_source){3, 7}, NULL),
                   COLLEGA_OK);
}

static void broader_add(struct world *world, const char *narrower, const char *broader) {
  assert_int_equal(taxonomy_build_broader(world->builder, text(narrower), text(broader),
                                          (struct taxonomy_source){4, 9}, NULL),
                   COLLEGA_OK);
}

static void fill(struct world *world) {
  concept_add(world, TAXONOMY_OCCUPATION, "o:taxi", 8322, "taxichauffeur", "taxi driver");
  concept_add(world, TAXONOMY_OCCUPATION, "o:kok", 5120, "kok", "cook");
  concept_add(world, TAXONOMY_OCCUPATION, "o:courier", 8321, "motorkoerier", "courier");
  concept_add(world, TAXONOMY_OCCUPATION, "o:clerk", 4110, "medewerker kantoor", "clerk");
  concept_add(world, TAXONOMY_SKILL, "s:drive", 0, "rijden", "driving");
  concept_add(world, TAXONOMY_SKILL, "s:cook", 0, "koken", "cooking");
  concept_add(world, TAXONOMY_SKILL, "s:route", 0, "een route plannen", "route planning");
  concept_add(world, TAXONOMY_GROUP, "g:transport", 0, "vervoeren", "transporting");
  skill_add(world, "o:taxi", "s:drive", true);
  skill_add(world, "o:taxi", "s:route", true);
  skill_add(world, "o:courier", "s:drive", true);
  skill_add(world, "o:courier", "s:route", false);
  skill_add(world, "o:kok", "s:cook", true);
  broader_add(world, "s:drive", "g:transport");
  broader_add(world, "s:route", "g:transport");
}

static void tell(void *context, const struct taxonomy_skipped *skipped) {
  struct world *world = context;
  ++world->told;
  world->last = *skipped;
}

static enum collega_status finish(struct world *world) {
  return taxonomy_build_finish(world->builder, tell, world, &world->where, &world->bytes,
                               &world->error);
}

static enum collega_status open_bytes(const struct buffer *bytes, struct taxonomy **out,
                                      struct collega_error *error) {
  char path[] = "/tmp/collega-taxonomy-XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, bytes->data, bytes->length), (ssize_t)bytes->length);
  close(fd);
  enum collega_status status = taxonomy_open(path, out, error);
  unlink(path);
  return status;
}

static int set_up(void **state) {
  struct world *world = calloc(1, sizeof *world);
  if (!world || bytes_start(&world->error) != COLLEGA_OK) return -1;
  world->builder = taxonomy_builder_new();
  fill(world);
  *state = world;
  return 0;
}

static int tear_down(void **state) {
  struct world *world = *state;
  taxonomy_builder_destroy(&world->builder);
  taxonomy_close(&world->taxonomy);
  buffer_free(&world->bytes);
  free(world);
  return 0;
}

static void open_world(struct world *world) {
  assert_int_equal(finish(world), COLLEGA_OK);
  assert_int_equal(open_bytes(&world->bytes, &world->taxonomy, &world->error), COLLEGA_OK);
}

static uint32_t occupation(const struct world *world, const char *uri) {
  uint32_t found = taxonomy_find(world->taxonomy, TAXONOMY_OCCUPATION, uri);
  assert_int_not_equal(found, TAXONOMY_NOT_THERE);
  return found;
}

static void test_what_goes_in_comes_out(void **state) {
  struct world *world = *state;
  open_world(world);
  uint32_t taxi = occupation(world, "o:taxi");
  const uint32_t *list;
  assert_int_equal(taxonomy_isco(world->taxonomy, taxi), 8322);
  assert_string_equal(taxonomy_name(world->taxonomy, taxi, "nl"), "taxichauffeur");
  assert_string_equal(taxonomy_name(world->taxonomy, taxi, "en"), "taxi driver");
  assert_int_equal(taxonomy_skills(world->taxonomy, taxi, &list), 2);
  uint32_t drive = list[0] & TAXONOMY_CONCEPT;
  assert_string_equal(taxonomy_uri(world->taxonomy, drive), "s:drive");
  assert_true(list[0] & TAXONOMY_ESSENTIAL);
  assert_int_equal(taxonomy_broader(world->taxonomy, drive, &list), 1);
  assert_string_equal(taxonomy_uri(world->taxonomy, list[0]), "g:transport");
  assert_int_equal(taxonomy_find(world->taxonomy, TAXONOMY_OCCUPATION, "s:drive"),
                   TAXONOMY_NOT_THERE);
  assert_int_equal(world->told, 0);
}

static void test_closeness_is_symmetric_and_follows_skills(void **state) {
  struct world *world = *state;
  open_world(world);
  uint32_t taxi = occupation(world, "o:taxi"), courier = occupation(world, "o:courier"),
           cook = occupation(world, "o:kok");
  double near = taxonomy_closeness(world->taxonomy, taxi, courier);
  assert_true(near == taxonomy_closeness(world->taxonomy, courier, taxi));
  assert_true(taxonomy_closeness(world->taxonomy, taxi, taxi) == 1.0);
  assert_true(near > 0.8 && near < 1.0);
  assert_true(taxonomy_closeness(world->taxonomy, taxi, cook) == 0.0);
}

static void test_a_relation_with_what_is_missing_is_told_and_left_out(void **state) {
  struct world *world = *state;
  skill_add(world, "o:nowhere", "s:cook", true);
  open_world(world);
  struct taxonomy_size size;
  taxonomy_size(world->taxonomy, &size);
  assert_int_equal(world->told, 1);
  assert_int_equal(world->last.rule, RULE_taxonomy_occupation_missing);
  assert_int_equal(world->last.source.row, 7);
  assert_int_equal(size.skill_relations, 5);
}

static void test_a_circle_is_refused_with_its_place(void **state) {
  struct world *world = *state;
  concept_add(world, TAXONOMY_GROUP, "g:all", 0, "alles", "all");
  broader_add(world, "g:transport", "g:all");
  broader_add(world, "g:all", "s:drive");
  assert_int_equal(finish(world), COLLEGA_INVALID);
  assert_int_equal(world->error.rule, RULE_taxonomy_cycle);
  assert_int_equal(world->where.row, 9);
}

static void test_an_address_has_one_meaning(void **state) {
  struct world *world = *state;
  uint32_t concept;
  assert_int_equal(taxonomy_build_concept(world->builder, TAXONOMY_OCCUPATION, text("o:kok"), 5131,
                                          &concept, &world->error),
                   COLLEGA_INVALID);
  assert_int_equal(world->error.rule, RULE_taxonomy_two_meanings);
}

static void test_nothing_without_occupations(void **state) {
  struct world *world = *state;
  taxonomy_builder_destroy(&world->builder);
  world->builder = taxonomy_builder_new();
  assert_int_equal(finish(world), COLLEGA_INVALID);
  assert_int_equal(world->error.rule, RULE_taxonomy_no_occupations);
}

/* ---- the file */

static void test_every_changed_byte_is_noticed(void **state) {
  struct world *world = *state;
  assert_int_equal(finish(world), COLLEGA_OK);
  for (size_t i = 0; i < world->bytes.length; ++i) {
    struct taxonomy *taxonomy = NULL;
    world->bytes.data[i] ^= 0x41;
    assert_int_equal(open_bytes(&world->bytes, &taxonomy, &world->error), COLLEGA_DAMAGED);
    world->bytes.data[i] ^= 0x41;
  }
  for (size_t length = 0; length < world->bytes.length; length += 13) {
    struct taxonomy *taxonomy = NULL;
    struct buffer part = world->bytes;
    part.length = length;
    assert_int_equal(open_bytes(&part, &taxonomy, &world->error), COLLEGA_DAMAGED);
  }
}

static size_t read_all(const struct taxonomy *taxonomy) {
  struct taxonomy_size size;
  size_t read = 0;
  taxonomy_size(taxonomy, &size);
  uint32_t count = size.concepts[0] + size.concepts[1] + size.concepts[2];
  for (uint32_t c = 0; c < count; ++c) {
    const uint32_t *list;
    read += strlen(taxonomy_uri(taxonomy, c)) + strlen(taxonomy_name(taxonomy, c, "nl"));
    for (uint32_t i = taxonomy_skills(taxonomy, c, &list); i-- > 0;)
      read += strlen(taxonomy_uri(taxonomy, list[i] & TAXONOMY_CONCEPT));
    for (uint32_t i = taxonomy_broader(taxonomy, c, &list); i-- > 0;)
      read += strlen(taxonomy_uri(taxonomy, list[i]));
  }
  for (uint32_t a = 0; a < size.concepts[0]; ++a)
    for (uint32_t b = 0; b < size.concepts[0]; ++b)
      read += taxonomy_closeness(taxonomy, a, b) > 0.5;
  struct taxonomy_search *search =
      taxonomy_search_new(taxonomy, TAXONOMY_OCCUPATION, TAXONOMY_GROUP, NULL);
  struct taxonomy_hit hits[3];
  read += taxonomy_search(search, "kok", 3, hits);
  taxonomy_search_destroy(&search);
  return read;
}

/* With a checksum that fits, as a forger would: refused, or harmless to read (the sanitizers watch). */
static void test_a_forged_file_is_refused_or_harmless(void **state) {
  struct world *world = *state;
  assert_int_equal(finish(world), COLLEGA_OK);
  struct buffer *bytes = &world->bytes;
  size_t refused = 0;
  for (size_t i = FILE_UNCHECKED; i < bytes->length; ++i) {
    struct taxonomy *taxonomy = NULL;
    struct id sum;
    bytes->data[i] ^= 0x81;
    hash_one(&sum, FILE_CHECKSUM_TAG, bytes->data + FILE_UNCHECKED, bytes->length - FILE_UNCHECKED);
    memcpy(bytes->data + offsetof(struct file_head, checksum), sum.byte, ID_BYTES);
    if (open_bytes(bytes, &taxonomy, &world->error) == COLLEGA_OK)
      read_all(taxonomy);
    else
      ++refused;
    taxonomy_close(&taxonomy);
    bytes->data[i] ^= 0x81;
  }
  assert_true(refused > 100);
}

static void test_no_file_is_told_as_such(void **state) {
  struct world *world = *state;
  assert_int_equal(taxonomy_open("/nonexistent/taxonomy", &world->taxonomy, &world->error),
                   COLLEGA_NOT_FOUND);
  assert_int_equal(world->error.rule, RULE_taxonomy_none);
}

/* ---- search */

static void expect_first(struct taxonomy_search *search, const struct world *world,
                         const char *typed, const char *uri) {
  struct taxonomy_hit hits[3];
  assert_true(taxonomy_search(search, typed, 3, hits) >= 1);
  assert_string_equal(taxonomy_uri(world->taxonomy, hits[0].concept), uri);
  assert_true(hits[0].score > 0.0 && hits[0].score <= 1.0);
}

static void test_search_takes_what_people_type(void **state) {
  struct world *world = *state;
  open_world(world);
  struct taxonomy_search *search =
      taxonomy_search_new(world->taxonomy, TAXONOMY_OCCUPATION, TAXONOMY_SKILL, NULL);
  struct taxonomy_hit hits[3];
  assert_non_null(search);
  expect_first(search, world, "TAXICHAUFFEUR", "o:taxi");
  expect_first(search, world, "taxi chauffeur", "o:taxi");
  expect_first(search, world, "taxichaufeur", "o:taxi");
  expect_first(search, world, "kantoormedewerker", "o:clerk");
  expect_first(search, world, "mótorkoërier", "o:courier");
  expect_first(search, world, "route", "s:route");
  assert_int_equal(taxonomy_search(search, "kok", 3, hits), 2); /* koken shares a piece */
  assert_true(hits[0].score == 1.0);
  assert_int_equal(taxonomy_search(search, "", 3, hits), 0);
  assert_int_equal(taxonomy_search(search, "\xff\xfe ?!", 3, hits), 0);
  taxonomy_search_destroy(&search);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_what_goes_in_comes_out),
      TEST(test_closeness_is_symmetric_and_follows_skills),
      TEST(test_a_relation_with_what_is_missing_is_told_and_left_out),
      TEST(test_a_circle_is_refused_with_its_place),
      TEST(test_an_address_has_one_meaning),
      TEST(test_nothing_without_occupations),
      TEST(test_every_changed_byte_is_noticed),
      TEST(test_a_forged_file_is_refused_or_harmless),
      TEST(test_no_file_is_told_as_such),
      TEST(test_search_takes_what_people_type),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
