/* What readers of HOME/taxonomy, HOME/places and HOME/courses may rely on. */
#include "tests/fuzz/imported.h"

#include <stdlib.h>
#include <string.h>

#include "client/match/occupation.h"
#include "client/match/taxonomy_search.h"
#include "tests/fuzz/fuzz.h"

#define LOOKED_AT 40u /* of each kind: the first ones; pairs of them are many */
#define HITS      5u
#define ALIKE     0.999

/* ---- taxonomy */

static void look_at_labels(const struct taxonomy *taxonomy, uint32_t concept, bool ours) {
  uint32_t first, count = taxonomy_labels(taxonomy, concept, &first);
  const char *name = taxonomy_name(taxonomy, concept, "nl");
  if (ours) fuzz_must((count == 0) == (*name == '\0'));
  for (uint32_t i = first; i < first + count; ++i) {
    struct taxonomy_label label = taxonomy_label(taxonomy, i);
    size_t length = strlen(label.text);
    if (ours)
      fuzz_must(length > 0 && utf8_text((const uint8_t *)label.text, length, false) &&
                (!label.preferred || i == first ||
                 strcmp(label.language, taxonomy_label(taxonomy, i - 1).language) != 0));
  }
}

static void look_at_relations(const struct taxonomy *taxonomy, uint32_t concept, bool ours) {
  struct taxonomy_size size;
  const uint32_t *list;
  taxonomy_size(taxonomy, &size);
  uint32_t all = size.concepts[0] + size.concepts[1] + size.concepts[2];
  uint32_t count = taxonomy_skills(taxonomy, concept, &list);
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t skill = list[i] & TAXONOMY_CONCEPT;
    fuzz_must(skill < all);
    if (ours)
      fuzz_must(taxonomy_kind(taxonomy, skill) == TAXONOMY_SKILL &&
                taxonomy_kind(taxonomy, concept) == TAXONOMY_OCCUPATION);
  }
  count = taxonomy_broader(taxonomy, concept, &list);
  for (uint32_t i = 0; i < count; ++i)
    fuzz_must(list[i] < all && (!ours || list[i] != concept));
  count = taxonomy_related(taxonomy, concept, &list);
  for (uint32_t i = 0; i < count; ++i) {
    fuzz_must(list[i] < all);
    double there = taxonomy_skill_closeness(taxonomy, concept, list[i]),
           back = taxonomy_skill_closeness(taxonomy, list[i], concept);
    if (ours) fuzz_must(there > 0 && there >= back && back >= there);
  }
}

/* Closeness of the first occupations with each other, and with their unit groups. */
static void look_at_closeness(const struct taxonomy *taxonomy, uint32_t occupations, bool ours) {
  if (occupations > LOOKED_AT) occupations = LOOKED_AT;
  for (uint32_t i = 0; i < occupations; ++i) {
    uint32_t first, key = taxonomy_key(taxonomy, i);
    fuzz_must(key < taxonomy_keys(taxonomy));
    fuzz_must(taxonomy_key_isco(taxonomy, key) == taxonomy_isco(taxonomy, i));
    uint32_t group = taxonomy_group(taxonomy, taxonomy_isco(taxonomy, i), &first);
    fuzz_must(group > 0 && key >= first && key - first < group);
    if (ours) fuzz_must(taxonomy_near(taxonomy, key)[key] == UINT8_MAX);
    for (uint32_t j = 0; j < occupations; ++j) {
      double there = taxonomy_closeness(taxonomy, i, j), back = taxonomy_closeness(taxonomy, j, i);
      fuzz_must(there >= 0 && there <= 1);
      if (ours) fuzz_must(there >= back && back >= there);
    }
  }
}

/* A label that stands there letter for letter is found, and nothing scores above it. */
void search_taxonomy(const struct taxonomy *taxonomy, bool ours) {
  struct taxonomy_size size;
  struct taxonomy_search *search =
      taxonomy_search_new(taxonomy, TAXONOMY_OCCUPATION, TAXONOMY_SKILL, NULL);
  fuzz_must(search != NULL);
  taxonomy_size(taxonomy, &size);
  uint32_t searched = size.concepts[TAXONOMY_OCCUPATION] + size.concepts[TAXONOMY_SKILL];
  for (uint32_t i = 0; i < searched && i < HITS; ++i) {
    struct taxonomy_hit hits[HITS];
    char folded[TAXONOMY_FOLDED_BYTES];
    uint32_t first, count = taxonomy_labels(taxonomy, i, &first);
    if (!count) continue;
    const char *text = taxonomy_label(taxonomy, first).text;
    size_t found = taxonomy_search(search, text, HITS, hits);
    fuzz_must(found <= HITS);
    for (size_t j = 0; j < found; ++j) {
      fuzz_must(hits[j].score >= 0 && hits[j].score <= 2 - ALIKE && hits[j].concept < searched);
      fuzz_must(j == 0 || hits[j].score <= hits[j - 1].score);
    }
    if (ours && taxonomy_fold(text, folded) > 0) fuzz_must(found > 0 && hits[0].score > ALIKE);
  }
  taxonomy_search_destroy(&search);
}

void look_at_taxonomy(const struct taxonomy *taxonomy, bool ours) {
  struct taxonomy_size size;
  taxonomy_size(taxonomy, &size);
  uint32_t occupations = size.concepts[TAXONOMY_OCCUPATION];
  uint32_t all = occupations + size.concepts[TAXONOMY_SKILL] + size.concepts[TAXONOMY_GROUP];
  if (ours) fuzz_must(occupations > 0);
  for (uint32_t i = 0; i < all; ++i) {
    enum taxonomy_kind kind = taxonomy_kind(taxonomy, i);
    const char *uri = taxonomy_uri(taxonomy, i);
    uint32_t found = taxonomy_find(taxonomy, kind, uri);
    fuzz_must(i >= taxonomy_first(taxonomy, kind) && taxonomy_isco(taxonomy, i) <= 9999);
    fuzz_must(!ours || found == i);
    look_at_labels(taxonomy, i, ours);
    if (i < LOOKED_AT || i + LOOKED_AT > all) look_at_relations(taxonomy, i, ours);
  }
  fuzz_must(taxonomy_find(taxonomy, TAXONOMY_SKILL, "http://nowhere") == TAXONOMY_NOT_THERE ||
            !ours);
  look_at_closeness(taxonomy, occupations, ours);
}

/* ---- places */

static void look_at_fact(const struct place_fact *fact, bool ours) {
  fuzz_must(fact->latitude >= (float)PLACES_LATITUDE_MIN &&
            fact->latitude <= (float)PLACES_LATITUDE_MAX);
  fuzz_must(fact->longitude >= (float)PLACES_LONGITUDE_MIN &&
            fact->longitude <= (float)PLACES_LONGITUDE_MAX);
  size_t length = strlen(fact->town);
  if (ours) fuzz_must(length > 0 && utf8_text((const uint8_t *)fact->town, length, false));
}

void look_at_places(const struct places *places, bool ours) {
  size_t count = 0;
  fuzz_must(places_stamp(places) != 0);
  for (unsigned postcode = 1000; postcode <= 9999; ++postcode) {
    char text[7] = "0000AB";
    struct place_fact fact, town;
    for (unsigned i = 0, left = postcode; i < 4; ++i, left /= 10)
      text[3 - i] = (char)('0' + left % 10);
    if (!places_postcode(places, text, &fact)) continue;
    fuzz_must(fact.postcode == postcode);
    look_at_fact(&fact, ours);
    if (++count > LOOKED_AT) continue;
    if (places_town(places, fact.town, &town)) look_at_fact(&town, ours);
    Collega__Place place = COLLEGA__PLACE__INIT;
    double latitude, longitude;
    place.postcode = text;
    fuzz_must(places_find(places, &place, &latitude, &longitude) == PLACE_POSTCODE);
    (void)places_region(places, &place);
    place.postcode = NULL;
    place.city = (char *)(uintptr_t)fact.town;
    (void)places_find(places, &place, &latitude, &longitude);
    (void)places_region(places, &place);
  }
  fuzz_must(count == places_count(places));
  fuzz_must(!ours || places_town_count(places) <= count);
}

/* ---- courses */

void look_at_courses(const struct courses *courses) {
  struct isco_span spans[COURSES_REACH];
  size_t built_in = courses_count(NULL);
  fuzz_must(courses_count(courses) - built_in <= COURSES_MOST);
  for (size_t i = 0; i < courses_count(courses); ++i) {
    const struct course *course = courses_at(courses, i);
    fuzz_must(course->length >= 1 && course->length <= COURSE_LENGTH_MOST);
    fuzz_must(course->closes < COURSE_KINDS && course->unit < COURSE_UNITS);
    const char *const texts[] = {course->what, course->nl, course->en};
    for (size_t j = 0; j < 3; ++j)
      fuzz_must(*texts[j] && utf8_text((const uint8_t *)texts[j], strlen(texts[j]), false));
    switch (course->closes) {
    case COURSE_CREDENTIAL:
      fuzz_must(courses_for_credential(courses, course->what) != NULL);
      break;
    case COURSE_SKILL:
      fuzz_must(courses_for_skill(courses, course->what, NULL) != NULL);
      fuzz_must(courses_for_skill(courses, "", course->what) != NULL);
      break;
    case COURSE_OCCUPATION: {
      uint16_t from = (uint16_t)strtoul(course->from, NULL, 10);
      if (strlen(course->from) < 4) break;
      fuzz_must(courses_reach(courses, from, true, spans) > 0);
      fuzz_must(courses_for_occupation(courses, from, spans[0].first) != NULL);
      break;
    }
    case COURSE_KINDS:
      fuzz_must(false);
    }
  }
}
