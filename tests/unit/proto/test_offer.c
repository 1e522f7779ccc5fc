/* The rules of offers, each broken once. Offers are written as a user writes them, in JSON. */
#include "filler.h"

#include "base/clock.h"
#include "base/words.h"
#include "proto/check.h"
#include "proto/json.h"
#include "proto/limits.h"

/* A whole offer, with the members of the object `changed` in place of its own. */
static const char *const skip[] = {"private", NULL};

static enum collega_status read_offer(struct arena *arena, const char *changed,
                                      Collega__Offer **out, struct collega_error *error) {
  static const char whole[] = "{\"kind\":\"loan_out\",\"title\":\"Magazijn\",\"occupation\":{"
                              "\"isco\":\"4321\"},\"headcount\":12,"
                              "\"period\":{\"from\":\"2027-01-04\",\"until\":\"2027-03-26\"},"
                              "\"hours\":{\"per_week_min\":24,\"per_week_max\":40},"
                              "\"place\":{\"postcode\":\"4811\",\"region\":\"AM25\"}}";
  json_t *json, *changes;
  assert_int_equal(json_parse(bytes_of(whole, strlen(whole)), &json, error), COLLEGA_OK);
  enum collega_status status = json_parse(bytes_of(changed, strlen(changed)), &changes, error);
  if (status) fail_msg("not JSON: %s", changed);
  assert_int_equal(json_object_update(json, changes), 0);
  ProtobufCMessage *message = NULL;
  status = json_to_message(json, &collega__offer__descriptor, skip, arena, &message, error);
  json_decref(json);
  json_decref(changes);
  *out = (Collega__Offer *)message;
  return status ? status : check_offer(*out, error);
}

static int set_up(void **state) {
  *state = arena_new(64 * 1024, LIMIT_ARENA_BYTES);
  return *state ? 0 : -1;
}

static int tear_down(void **state) {
  struct arena *arena = *state;
  arena_destroy(&arena);
  return 0;
}

static void accepts_offers_that_are_right(void **state) {
  struct arena *arena = *state;
  static const char *const changes[] = {
      "{}",
      "{\"kind\":\"transfer_in\",\"period\":{\"from\":\"2027-01-04\"}}",
      "{\"kind\":\"transfer_out\",\"period\":{\"from\":\"2027-01-04\",\"until\":\"2027-01-04\"}}",
      "{\"min_headcount\":12}",
      "{\"hours\":{\"per_week_min\":40,\"per_week_max\":40,\"slots\":[\"mon-am\",\"mon-pm\"]}}",
      "{\"place\":{}}",
      "{\"place\":{\"country\":\"BE\",\"postcode\":\"0911\"}}",
      "{\"place\":{\"postcode\":\"4811AB\",\"city\":\"Breda\"}}",
      "{\"audience\":\"named:12345678,87654321\"}",
      "{\"languages\":[{\"code\":\"nl\"},{\"code\":\"en\"}]}",
      "{\"credentials\":[{\"code\":\"vca\"},{\"code\":\"vca-vol\"}]}",
      "{\"private\":{\"whatever\":1}}",
      "{\"title\":\"order 123456789\"}", /* nine digits, but no BSN */
  };
  for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
    struct collega_error error;
    Collega__Offer *offer;
    if (read_offer(arena, changes[i], &offer, &error))
      fail_msg("%s: %s at %s", changes[i], rule_name(error.rule), error.field);
  }
}

static void refuses_each_offer_that_breaks_a_rule(void **state) {
  struct arena *arena = *state;
  static const struct {
    const char *changed, *field;
    enum rule rule;
  } cases[] = {
      {"{\"occupation\":{\"isco\":\"4329\"}}", "occupation.isco", RULE_isco_unknown},
      {"{\"occupation\":{\"isco\":\"432\"}}", "occupation.isco", RULE_form_isco},
      {"{\"min_headcount\":13}", "min_headcount", RULE_headcount_min},
      {"{\"headcount\":0}", "headcount", RULE_range},
      {"{\"headcount\":10001}", "headcount", RULE_range},
      {"{\"period\":{\"from\":\"2027-03-26\",\"until\":\"2027-03-25\"}}", "period.until",
       RULE_order_of_dates},
      {"{\"period\":{\"from\":\"2027-03-26\"}}", "period.until", RULE_until_required},
      {"{\"kind\":\"loan_in\",\"period\":{\"from\":\"2027-03-26\"}}", "period.until",
       RULE_until_required},
      {"{\"period\":{\"from\":\"2027-02-29\",\"until\":\"2027-03-25\"}}", "period.from",
       RULE_form_date},
      {"{\"hours\":{\"per_week_min\":32,\"per_week_max\":24}}", "hours.per_week_max",
       RULE_hours_order},
      {"{\"hours\":{\"per_week_min\":0,\"per_week_max\":24}}", "hours.per_week_min", RULE_range},
      {"{\"hours\":{\"per_week_min\":1,\"per_week_max\":61}}", "hours.per_week_max", RULE_range},
      {"{\"hours\":{\"per_week_min\":1,\"per_week_max\":2,\"slots\":[\"mon-am\",\"tue-am\",\"mon-"
       "am\"]}}",
       "hours.slots[2]", RULE_listed_twice},
      {"{\"hours\":{\"per_week_min\":1,\"per_week_max\":2,\"slots\":[\"mon-xx\"]}}",
       "hours.slots[0]", RULE_form_slot},
      {"{\"languages\":[{\"code\":\"nl\"},{\"code\":\"nl\",\"level\":\"B1\"}]}",
       "languages[1].code", RULE_listed_twice},
      {"{\"languages\":[{\"code\":\"nl\",\"level\":\"B3\"}]}", "languages[0].level",
       RULE_form_level},
      {"{\"credentials\":[{\"code\":\"vca\"},{\"code\":\"bhv\"},{\"code\":\"vca\"}]}",
       "credentials[2].code", RULE_listed_twice},
      {"{\"credentials\":[{\"code\":\"VCA\"}]}", "credentials[0].code", RULE_form_code},
      {"{\"place\":{\"postcode\":\"0911\"}}", "place.postcode", RULE_postcode_unknown},
      {"{\"place\":{\"country\":\"NL\",\"postcode\":\"01\"}}", "place.postcode",
       RULE_postcode_unknown},
      {"{\"place\":{\"postcode\":\"4811 AB\"}}", "place.postcode", RULE_form_postcode},
      {"{\"place\":{\"region\":\"AM04\"}}", "place.region", RULE_region_unknown},
      {"{\"place\":{\"region\":\"Brabant\"}}", "place.region", RULE_form_region},
      {"{\"audience\":\"named:12345678,87654321,12345678\"}", "audience", RULE_listed_twice},
      {"{\"audience\":\"named:\"}", "audience", RULE_form_audience},
      {"{\"audience\":\"everyone\"}", "audience", RULE_form_audience},
      {"{\"title\":\"\"}", "title", RULE_empty},
      {"{\"title\":\"   \"}", "title", RULE_empty},
      {"{\"skills\":[{\"label\":\" \"}]}", "skills[0].label", RULE_empty},
      {"{\"title\":\"twee\\nregels\"}", "title", RULE_text_line},
      {"{\"title\":\"voor 111222333\"}", "title", RULE_bsn_forbidden},
      {"{\"skills\":[{\"label\":\"a\"},{\"label\":\"123456782\"}]}", "skills[1].label",
       RULE_bsn_forbidden},
      {"{\"description\":\"zie\\n111222333\"}", "description", RULE_bsn_forbidden},
      {"{\"education\":9}", "education", RULE_range},
      {"{\"travel_km\":1001}", "travel_km", RULE_range},
      {"{\"sector\":\"H\"}", "sector", RULE_form_sector},
      {"{\"reason\":\"boredom\"}", "reason", RULE_form_enum},
      {"{\"establishment\":\"12345678\"}", "establishment", RULE_form_establishment},
      {"{\"terms\":{\"vat\":\"none\"}}", "terms.vat", RULE_form_vat},
      {"{\"kind\":\"loan\"}", "kind", RULE_form_enum},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct collega_error error;
    Collega__Offer *offer;
    if (!read_offer(arena, cases[i].changed, &offer, &error))
      fail_msg("accepted: %s", cases[i].changed);
    if (error.rule != cases[i].rule || strcmp(error.field, cases[i].field))
      fail_msg("%s: %s at %s", cases[i].changed, rule_name(error.rule), error.field);
  }
}

static collega_time at(const char *text) {
  collega_time time;
  assert_true(time_read(text, &time));
  return time;
}

static void an_offer_is_published_before_its_period_is_over(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  Collega__Offer *offer;
  assert_int_equal(read_offer(arena, "{}", &offer, &error), COLLEGA_OK); /* until 2027-03-26 */
  assert_int_equal(check_offer_now(offer, at("2027-03-26T22:59:59Z"), &error), COLLEGA_OK);
  assert_refused(check_offer_now(offer, at("2027-03-26T23:00:00Z"), &error), &error, period_over,
                 "period.until");
  const char *open = "{\"kind\":\"transfer_in\",\"period\":{\"from\":\"2027-01-04\"}}";
  assert_int_equal(read_offer(arena, open, &offer, &error), COLLEGA_OK);
  assert_int_equal(check_offer_now(offer, at("2030-01-01T00:00:00Z"), &error), COLLEGA_OK);
}

static void an_offer_expires_after_now_and_within_180_days(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  Collega__Offer *offer;
  assert_int_equal(read_offer(arena, "{\"expires\":\"2027-03-01T12:00:00Z\"}", &offer, &error),
                   COLLEGA_OK);
  collega_time expires = at("2027-03-01T12:00:00Z");
  assert_refused(check_offer_now(offer, expires, &error), &error, expires_past, "expires");
  assert_int_equal(check_offer_now(offer, expires - 1, &error), COLLEGA_OK);
  assert_int_equal(check_offer_now(offer, expires - 180 * DAY_MS, &error), COLLEGA_OK);
  assert_refused(check_offer_now(offer, expires - 180 * DAY_MS - 1, &error), &error, expires_late,
                 "expires");
  assert_string_equal(error.argument[0], "180");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(accepts_offers_that_are_right),
      TEST(refuses_each_offer_that_breaks_a_rule),
      TEST(an_offer_is_published_before_its_period_is_over),
      TEST(an_offer_expires_after_now_and_within_180_days),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
