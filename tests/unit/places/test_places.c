/* Places: what goes in comes out, towns of one name are told apart by not being known, and no byte of the file can lead
 * its reader astray. With the reference data, where it is present: every postcode lies in its two-digit area. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/library/places_import.h"
#include "client/match/match.h"
#include "client/match/places_file.h"
#include "proto/lists.h"

static struct bytes text(const char *words) {
  return bytes_of(words, strlen(words));
}

static void row(struct places_builder *builder, unsigned postcode, const char *town,
                const char *municipality, double latitude, double longitude) {
  assert_int_equal(places_build_row(builder, postcode, text(town), text(municipality), latitude,
                                    longitude, NULL),
                   COLLEGA_OK);
}

static void small(struct buffer *bytes, struct places_size *size) {
  struct places_builder *builder = places_builder_new();
  assert_non_null(builder);
  row(builder, 4811, "Breda", "0758", 51.58, 4.77);
  row(builder, 4811, "Breda", "0758", 51.60, 4.79);
  row(builder, 4812, "Breda", "0758", 51.59, 4.76);
  row(builder, 9401, "Assen", "0106", 52.99, 6.56);
  row(builder, 7255, "Hengelo", "1876", 52.05, 6.31);
  row(builder, 7551, "Hengelo", "0164", 52.26, 6.79);
  row(builder, 2511, "'s-Gravenhage", "", 52.07, 4.31);
  assert_int_equal(places_build_region(builder, text("0758"), "AM25", NULL), COLLEGA_OK);
  assert_int_equal(places_build_region(builder, text("0106"), "AM03", NULL), COLLEGA_OK);
  assert_int_equal(places_build_region(builder, text("0106"), "AM99", NULL), COLLEGA_INVALID);
  assert_int_equal(places_build_region(builder, text("GM01"), "AM03", NULL), COLLEGA_INVALID);
  assert_int_equal(places_build_finish(builder, bytes, size, NULL), COLLEGA_OK);
  places_builder_destroy(&builder);
}

static struct places *opened(void) {
  struct buffer bytes;
  struct places_size size;
  struct places *places = NULL;
  small(&bytes, &size);
  assert_int_equal(places_read(bytes_of(bytes.data, bytes.length), &places, NULL), COLLEGA_OK);
  buffer_free(&bytes);
  return places;
}

static void postcodes_and_towns_are_found(void **state) {
  (void)state;
  struct places *places = opened();
  struct place_fact fact;
  assert_int_equal(places_count(places), 6);
  assert_int_equal(places_town_count(places), 3);
  assert_true(places_postcode(places, "4811AB", &fact));
  assert_int_equal(fact.postcode, 4811);
  assert_string_equal(fact.town, "Breda");
  assert_string_equal(fact.region, "AM25");
  assert_true(fabs((double)fact.latitude - 51.59) < 1e-4 &&
              fabs((double)fact.longitude - 4.78) < 1e-4);
  assert_true(places_postcode(places, "7255", &fact) && fact.region == NULL);
  assert_false(places_postcode(places, "4813", &fact));
  assert_false(places_postcode(places, "48", &fact));
  assert_false(places_postcode(places, "0811", &fact));
  assert_false(places_postcode(places, NULL, &fact));
  assert_true(places_town(places, "bReDa", &fact) && fact.postcode == 0);
  assert_string_equal(fact.region, "AM25");
  assert_true(places_town(places, "s Gravenhage", &fact));
  assert_string_equal(fact.town, "'s-Gravenhage");
  assert_false(places_town(places, "Hengelo", &fact)); /* two, 40 km apart */
  assert_false(places_town(places, "", &fact));
  assert_false(places_town(NULL, "Breda", &fact));
  places_close(&places);
}

static void a_place_is_known_by_the_first_of_four_ways(void **state) {
  (void)state;
  struct places *places = opened();
  double latitude, longitude;
  Collega__Place place = COLLEGA__PLACE__INIT;
  assert_int_equal(places_find(places, &place, &latitude, &longitude), PLACE_UNKNOWN);
  place.region = (char[]){"AM25"};
  assert_int_equal(places_find(places, &place, &latitude, &longitude), PLACE_AREA);
  assert_true(fabs(latitude - region_find("AM25")->latitude) < 1e-9);
  place.city = (char[]){"Assen"};
  assert_int_equal(places_find(places, &place, &latitude, &longitude), PLACE_POSTCODE);
  assert_true(fabs(latitude - 52.99) < 1e-4);
  place.postcode = (char[]){"4899"}; /* not imported: its area */
  assert_int_equal(places_find(places, &place, &latitude, &longitude), PLACE_AREA);
  assert_true(fabs(latitude - postcode_area_find("48")->latitude) < 1e-9);
  place.postcode = (char[]){"4812"};
  assert_int_equal(places_find(places, &place, &latitude, &longitude), PLACE_POSTCODE);
  assert_int_equal(places_find(NULL, &place, &latitude, &longitude), PLACE_AREA);
  place.country = (char[]){"BE"};
  assert_int_equal(places_find(places, &place, &latitude, &longitude), PLACE_UNKNOWN);
  places_close(&places);
}

static void a_region_comes_from_the_offer_then_the_postcode_then_the_area(void **state) {
  (void)state;
  struct places *places = opened();
  Collega__Place place = COLLEGA__PLACE__INIT;
  assert_null(places_region(places, &place));
  place.city = (char[]){"Assen"};
  assert_string_equal(places_region(places, &place), "AM03");
  place.postcode = (char[]){"4811"};
  assert_string_equal(places_region(places, &place), "AM25");
  place.postcode = (char[]){"7255"}; /* its municipality has no region: the area's */
  assert_string_equal(places_region(places, &place), postcode_area_find("72")->region);
  assert_string_equal(places_region(NULL, &place), postcode_area_find("72")->region);
  place.region = (char[]){"AM38"};
  assert_string_equal(places_region(places, &place), "AM38");
  places_close(&places);
}

static void nearer_places_make_a_travel_limit_hard(void **state) {
  (void)state;
  struct places *places = opened();
  Collega__Place breda = COLLEGA__PLACE__INIT, other = COLLEGA__PLACE__INIT;
  breda.postcode = (char[]){"4811"};
  other.postcode = (char[]){"4812"};
  double fine = place_distance(places, &breda, &other),
         coarse = place_distance(NULL, &breda, &other);
  assert_true(fine > 0.5 && fine < 3);
  assert_true(coarse < 0.001); /* one area */
  places_close(&places);
}

/* Every byte turned: refused, or (in the head's unchecked part) never a crash. */
static void no_damaged_file_is_read(void **state) {
  (void)state;
  struct buffer bytes;
  struct places_size size;
  small(&bytes, &size);
  for (size_t i = 0; i < bytes.length; ++i) {
    struct places *places = NULL;
    bytes.data[i] ^= 0x41;
    assert_int_equal(places_read(bytes_of(bytes.data, bytes.length), &places, NULL),
                     COLLEGA_DAMAGED);
    assert_null(places);
    bytes.data[i] ^= 0x41;
  }
  for (size_t length = 0; length < bytes.length; ++length) {
    struct places *places = NULL;
    assert_int_equal(places_read(bytes_of(bytes.data, length), &places, NULL), COLLEGA_DAMAGED);
  }
  buffer_free(&bytes);
}

static void set_checksum(struct buffer *bytes) {
  struct id checksum;
  hash_one(&checksum, PLACES_CHECKSUM_TAG, bytes->data + PLACES_UNCHECKED,
           bytes->length - PLACES_UNCHECKED);
  memcpy(bytes->data + offsetof(struct places_head, checksum), checksum.byte, ID_BYTES);
}

/* A file may be made with a right checksum by anybody: what it tells must still point into it. */
static void no_file_that_points_outside_is_read(void **state) {
  (void)state;
  struct buffer bytes;
  struct places_size size;
  small(&bytes, &size);
  size_t at = sizeof(struct places_head);
  for (; at + 4 <= bytes.length; at += 2) {
    struct places *places = NULL;
    uint8_t before[4];
    memcpy(before, bytes.data + at, 4);
    memset(bytes.data + at, 0xff, 4);
    set_checksum(&bytes);
    if (places_read(bytes_of(bytes.data, bytes.length), &places, NULL) == COLLEGA_OK) {
      struct place_fact fact;
      const char *names[] = {"Breda", "Assen", "9401", "4811", "Hengelo"};
      for (size_t i = 0; i < sizeof names / sizeof *names; ++i)
        if (places_town(places, names[i], &fact) || places_postcode(places, names[i], &fact))
          assert_true(strlen(fact.town) < bytes.length);
    }
    places_close(&places);
    memcpy(bytes.data + at, before, 4);
  }
  buffer_free(&bytes);
}

/* What is kept is a float: the one next to the bound lies just beyond it. */
static void the_corners_of_the_country_belong_to_it(void **state) {
  (void)state;
  static const char lines[] = "NL\t9999\tHoek\t\t\t\t\t\t\t53.7\t7.3\t\n"
                              "NL\t1000\tTeen\t\t\t\t\t\t\t50.5\t3.2\t\n";
  struct buffer bytes;
  struct places_report report;
  struct places *places = NULL;
  struct place_fact fact;
  assert_int_equal(places_import_bytes(&(struct places_source){"NL.txt", text(lines)}, NULL, &bytes,
                                       &report, NULL),
                   COLLEGA_OK);
  assert_int_equal(places_read(bytes_of(bytes.data, bytes.length), &places, NULL), COLLEGA_OK);
  assert_true(places_postcode(places, "9999", &fact) && places_town(places, "Teen", &fact));
  places_close(&places);
  buffer_free(&bytes);
}

static void the_reference_postcodes_lie_in_their_areas(void **state) {
  (void)state;
  struct buffer bytes;
  struct places_report report;
  struct places *places = NULL;
  char path[4096];
  const char *given = getenv("COLLEGA_REFERENCE_DATA");
  snprintf(path, sizeof path, "%s/geo/NL.txt", given ? given : "");
  if (!given || access(path, R_OK) != 0) {
    print_message("skipped: reference data not present\n");
    skip();
  }
  assert_int_equal(places_import(path, NULL, &bytes, &report, NULL), COLLEGA_OK);
  assert_int_equal(places_read(bytes_of(bytes.data, bytes.length), &places, NULL), COLLEGA_OK);
  buffer_free(&bytes);
  assert_true(places_count(places) > 4000);
  size_t near = 0;
  for (unsigned number = 1000; number < 10000; ++number) {
    char postcode[8];
    struct place_fact fact;
    snprintf(postcode, sizeof postcode, "%u", number);
    if (!places_postcode(places, postcode, &fact)) continue;
    Collega__Place place = COLLEGA__PLACE__INIT;
    place.postcode = postcode;
    float points[2][3];
    place_point(places, &place, points[0]);
    place_point(NULL, &place, points[1]);
    near += point_distance(points[0], points[1]) < 25.0;
  }
  assert_true(near * 100 > places_count(places) * 97);
  places_close(&places);
}

int main(void) {
  struct collega_error error;
  if (bytes_start(&error) != COLLEGA_OK) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(postcodes_and_towns_are_found),
      cmocka_unit_test(a_place_is_known_by_the_first_of_four_ways),
      cmocka_unit_test(a_region_comes_from_the_offer_then_the_postcode_then_the_area),
      cmocka_unit_test(nearer_places_make_a_travel_limit_hard),
      cmocka_unit_test(no_damaged_file_is_read),
      cmocka_unit_test(no_file_that_points_outside_is_read),
      cmocka_unit_test(the_corners_of_the_country_belong_to_it),
      cmocka_unit_test(the_reference_postcodes_lie_in_their_areas),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
