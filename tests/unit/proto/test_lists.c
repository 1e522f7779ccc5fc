/* What is built in: occupations, regions, postcode areas, slots, credentials. */
#include "filler.h"

#include "base/words.h"
#include "proto/lists.h"

static void knows_the_436_unit_groups_and_the_levels_above(void **state) {
  (void)state;
  size_t unit_groups = 0, all = 0;
  for (int number = 0; number < 10000; number++) {
    for (int digits = 1; digits <= 4; digits++) {
      static const int most[] = {0, 10, 100, 1000, 10000};
      if (number >= most[digits]) continue;
      char code[8];
      snprintf(code, sizeof code, "%0*d", digits, number);
      const struct isco_row *row = isco_find(code);
      if (!row) continue;
      assert_string_equal(row->code, code);
      assert_true(strlen(row->en) > 0 && strlen(row->nl) > 0);
      all++;
      unit_groups += digits == 4;
    }
  }
  assert_int_equal(unit_groups, 436);
  assert_int_equal(all, 619);
  assert_string_equal(isco_find("4321")->en, "Stock clerks");
  assert_null(isco_find("4329"));
  assert_null(isco_find(""));
  assert_null(isco_find("43210"));
}

static void knows_the_35_regions(void **state) {
  (void)state;
  assert_int_equal(region_count(), 35);
  for (size_t i = 0; i < region_count(); i++) {
    const struct region_row *row = region_at(i);
    assert_ptr_equal(region_find(row->code), row);
    assert_true(row->latitude > 50.7 && row->latitude < 53.6);
    assert_true(row->longitude > 3.3 && row->longitude < 7.3);
  }
  assert_null(region_at(35));
  assert_null(region_find("AM04"));
  assert_null(region_find("AM99"));
}

static void finds_a_postcode_area_by_two_digits(void **state) {
  (void)state;
  for (int area = 10; area <= 99; area++) {
    char postcode[16];
    snprintf(postcode, sizeof postcode, "%d11AB", area);
    const struct postcode_row *row = postcode_area_find(postcode);
    assert_non_null(row);
    assert_memory_equal(row->digits, postcode, 2);
    assert_non_null(region_find(row->region));
    assert_true(row->share > 0 && row->share <= 1);
  }
  assert_string_equal(postcode_area_find("4811")->region, "AM25"); /* Breda */
  assert_null(postcode_area_find("0911"));
  assert_null(postcode_area_find("4"));
  assert_null(postcode_area_find(""));
  assert_null(postcode_area_find("x1"));
}

static void numbers_the_28_slots(void **state) {
  (void)state;
  assert_int_equal(slot_index("mon-am"), 0);
  assert_int_equal(slot_index("mon-ni"), 3);
  assert_int_equal(slot_index("tue-am"), 4);
  assert_int_equal(slot_index("sun-ni"), 27);
  static const char *const wrong[] = {"",       "mon",    "mon-",   "mon-a", "mon-amx",
                                      "Mon-am", "mon_am", "xxx-am", "mon-xx"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    assert_int_equal(slot_index(wrong[i]), -1);
}

static void labels_common_credentials(void **state) {
  (void)state;
  assert_string_equal(credential_find("forklift")->nl, "heftruckcertificaat");
  assert_non_null(credential_find("vca-vol"));
  assert_non_null(credential_find("code-95"));
  assert_null(credential_find("Forklift"));
  assert_null(credential_find("vca_vol"));
}

static bool finds(const char *words, enum language language, const char *code, size_t among) {
  const struct isco_row *row[20];
  size_t count = isco_search(words, language, row, among);
  for (size_t i = 0; i < count; i++)
    if (!strcmp(row[i]->code, code)) return true;
  return false;
}

static void finds_occupations_by_what_people_call_them(void **state) {
  (void)state;
  assert_true(finds("kok", LANGUAGE_NL, "5120", 1));
  assert_true(finds("KOK", LANGUAGE_EN, "5120", 1));
  assert_true(finds("cook", LANGUAGE_NL, "5120", 1));
  assert_true(finds("conci\u00cbrge", LANGUAGE_NL, "5153", 1)); /* capital with diaeresis */
  assert_true(finds("  teachers   primary ", LANGUAGE_EN, "2341", 1));
  assert_true(finds("hulp", LANGUAGE_NL, "9412", 20));
  assert_true(finds("magazijn", LANGUAGE_NL, "4321", 5));
  const struct isco_row *row[500];
  assert_int_equal(isco_search("", LANGUAGE_NL, row, 500), 0);
  assert_int_equal(isco_search(" \t ", LANGUAGE_NL, row, 500), 0);
  assert_int_equal(isco_search("zzzz", LANGUAGE_NL, row, 500), 0);
  char endless[1000];
  memset(endless, 'e', sizeof endless - 1);
  endless[sizeof endless - 1] = '\0';
  assert_int_equal(isco_search(endless, LANGUAGE_NL, row, 500), 0);
  size_t count = isco_search("e", LANGUAGE_EN, row, 500);
  assert_true(count > 400 && count <= 436);
  for (size_t i = 0; i < count; i++)
    assert_int_equal(strlen(row[i]->code), 4);
  assert_int_equal(isco_search("e", LANGUAGE_EN, row, 3), 3);
}

static void says_whether_a_postcode_area_lies_in_one_region(void **state) {
  (void)state;
  assert_true(postcode_area_certain(postcode_area_find("1012")));
  assert_false(postcode_area_certain(postcode_area_find("1118")));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(knows_the_436_unit_groups_and_the_levels_above),
      cmocka_unit_test(knows_the_35_regions),
      cmocka_unit_test(finds_a_postcode_area_by_two_digits),
      cmocka_unit_test(numbers_the_28_slots),
      cmocka_unit_test(labels_common_credentials),
      cmocka_unit_test(finds_occupations_by_what_people_call_them),
      cmocka_unit_test(says_whether_a_postcode_area_lies_in_one_region),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
