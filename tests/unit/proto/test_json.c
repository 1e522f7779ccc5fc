/* JSON to messages and back. */
#include "filler.h"

#include "base/words.h"
#include "proto/check.h"
#include "proto/guard.h"
#include "proto/json.h"
#include "proto/limits.h"
#include "proto/mail.pb-c.h"
#include "proto/proof.pb-c.h"

static const char offer_text[] =
    "{ \"kind\": \"loan_out\", \"title\": \"Magazijnmedewerkers beschikbaar\", \"establishment\": "
    "\"000012345678\",\n"
    "  \"occupation\": { \"isco\": \"4321\", \"esco\": "
    "\"http://data.europa.eu/esco/occupation/1\", "
    "\"title\": \"magazijnmedewerker\" },\n"
    "  \"skills\": [ { \"label\": \"orderpicken\", \"esco\": "
    "\"http://data.europa.eu/esco/skill/2\", \"need\": \"must\" } ],\n"
    "  \"credentials\": [ { \"code\": \"forklift\", \"label\": \"heftruckcertificaat\", \"need\": "
    "\"nice\" } ],\n"
    "  \"languages\": [ { \"code\": \"nl\", \"level\": \"B1\", \"need\": \"must\" } ],\n"
    "  \"education\": 2, \"headcount\": 12, \"min_headcount\": 1,\n"
    "  \"period\": { \"from\": \"2027-01-04\", \"until\": \"2027-03-26\", \"flex_days\": 14 },\n"
    "  \"hours\": { \"per_week_min\": 24, \"per_week_max\": 40, \"slots\": [ \"mon-am\", "
    "\"mon-pm\" ] },\n"
    "  \"place\": { \"country\": \"NL\", \"postcode\": \"4811\", \"city\": \"Breda\", \"region\": "
    "\"AM25\" },\n"
    "  \"travel_km\": 40, \"sector\": \"52.10\", \"reason\": \"low_season\",\n"
    "  \"terms\": { \"cost_basis\": \"cost_price\", \"cao\": \"Beroepsgoederenvervoer\", "
    "\"contract\": \"permanent\",\n"
    "    \"vat\": \"standard\", \"return_guarantee\": true, \"takeover\": \"none\" },\n"
    "  \"audience\": \"network\", \"expires\": \"2027-01-31T23:00:00Z\", \"carve\": false,\n"
    "  \"description\": \"Ploeg van twaalf.\\nAllen ervaren.\" }";
static const char private_text[] = "{ \"reference\": \"HR-2027-0113\", \"contact\": { \"name\": "
                                   "\"P. Jansen\", \"email\": \"p@snijder.nl\", "
                                   "\"phone\": \"076 123 45 67\" }, \"hourly_cost_cents\": 2380, "
                                   "\"currency\": \"EUR\", \"address\": \"Kade 1, Breda\", "
                                   "\"note\": \"bel vooraf\" }";

static int set_up(void **state) {
  *state = arena_new(64 * 1024, LIMIT_ARENA_BYTES);
  return *state ? 0 : -1;
}

static int tear_down(void **state) {
  struct arena *arena = *state;
  arena_destroy(&arena);
  return 0;
}

static json_t *parsed(const char *text) {
  json_t *json;
  struct collega_error error;
  if (json_parse(bytes_of(text, strlen(text)), &json, &error)) fail_msg("not JSON: %s", text);
  return json;
}

static enum collega_status read_as(const ProtobufCMessageDescriptor *type, const char *text,
                                   struct arena *arena, ProtobufCMessage **out,
                                   struct collega_error *error) {
  json_t *json = parsed(text);
  error_clear(error);
  enum collega_status status = json_to_message(json, type, NULL, arena, out, error);
  json_decref(json);
  return status;
}

/* ---- round trips */

static void a_full_offer_comes_back_as_it_was_written(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  ProtobufCMessage *message;
  json_t *json = parsed(offer_text);
  assert_int_equal(
      json_to_message(json, &collega__offer__descriptor, NULL, arena, &message, &error),
      COLLEGA_OK);
  Collega__Offer *offer = (Collega__Offer *)message;
  assert_int_equal(offer->kind, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT);
  assert_int_equal(offer->period->until - offer->period->from, 81);
  assert_int_equal(offer->skills[0]->need, COLLEGA__NEED__NEED_MUST);
  assert_true(offer->has_expires && offer->expires == INT64_C(1801436400000));
  assert_true(offer->has_carve && !offer->carve);
  assert_int_equal(check_offer(offer, &error), COLLEGA_OK);
  json_t *again = json_from_message(message);
  assert_true(json_equal(json, again));
  json_decref(again);
  json_decref(json);
}

static void the_private_part_is_left_alone_and_read_by_itself(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  ProtobufCMessage *message;
  static const char *const skip[] = {"private", NULL};
  json_t *json = parsed(offer_text);
  json_object_set_new(json, "private", parsed(private_text));
  assert_refused(json_to_message(json, &collega__offer__descriptor, NULL, arena, &message, &error),
                 &error, json_unknown_plain, "private");
  assert_int_equal(
      json_to_message(json, &collega__offer__descriptor, skip, arena, &message, &error),
      COLLEGA_OK);
  const json_t *inner = json_object_get(json, "private");
  assert_int_equal(
      json_to_message(inner, &collega__offer_private__descriptor, NULL, arena, &message, &error),
      COLLEGA_OK);
  assert_int_equal(((Collega__OfferPrivate *)message)->hourly_cost_cents, 2380);
  json_t *again = json_from_message(message);
  assert_true(json_equal(inner, again));
  json_decref(again);
  /* Only at the top: a skipped name deeper down is unknown as ever. */
  json_object_set_new(json_object_get(json, "place"), "private", json_true());
  assert_refused(json_to_message(json, &collega__offer__descriptor, skip, arena, &message, &error),
                 &error, json_unknown_plain, "place.private");
  json_decref(json);
}

static void every_message_of_the_schema_goes_round(void **state) {
  struct arena *arena = *state;
  const struct message_rules *rules;
  for (size_t i = 0; (rules = rules_at(i)); i++) {
    for (unsigned variant = 0; variant < 12; variant++) {
      arena_reset(arena);
      struct collega_error error;
      ProtobufCMessage *message =
          variant < 6 ? fill(rules->type, variant, arena) : fill_least(rules->type, variant, arena);
      json_t *json = json_from_message(message);
      assert_non_null(json);
      char *text = json_dumps(json, 0);
      json_decref(json);
      json = parsed(text);
      free(text);
      ProtobufCMessage *read;
      if (json_to_message(json, rules->type, NULL, arena, &read, &error))
        fail_msg("%s: %s at %s", rules->type->name, rule_name(error.rule), error.field);
      json_decref(json);
      assert_true(bytes_equal(message_pack(message, arena), message_pack(read, arena)));
    }
  }
}

static void values_look_as_documented(void **state) {
  struct arena *arena = *state;
  Collega__Decision *decision =
      (Collega__Decision *)fill_least(&collega__decision__descriptor, 0, arena);
  decision->time = INT64_C(1801436400001);
  decision->has_effective = 1;
  decision->effective = 20822;
  json_t *json = json_from_message(&decision->base);
  assert_string_equal(json_string_value(json_object_get(json, "time")), "2027-01-31T23:00:00.001Z");
  assert_string_equal(json_string_value(json_object_get(json, "effective")), "2027-01-04");
  assert_string_equal(json_string_value(json_object_get(json, "verdict")), "concluded");
  assert_int_equal(json_string_length(json_object_get(json, "root")), 64);
  assert_int_equal(json_string_length(json_object_get(json, "epoch")), 16);
  assert_null(json_object_get(json, "basis")); /* absent is absent */
  assert_null(json_object_get(json, "voids"));
  json_decref(json);
}

/* ---- what is refused, and how it is said */

static void refuses_each_member_that_is_wrong_with_its_path(void **state) {
  struct arena *arena = *state;
  static const struct {
    const char *text, *field;
    enum rule rule;
  } cases[] = {
      {"[]", "", RULE_json_object},
      {"{}", "kind", RULE_required},
      {"{\"kind\":1}", "kind", RULE_json_text},
      {"{\"kind\":\"LOAN_OUT\"}", "kind", RULE_form_enum},
      {"{\"kind\":null}", "kind", RULE_json_null},
      {"{\"headcount\":\"12\"}", "headcount", RULE_json_integer},
      {"{\"headcount\":12.0}", "headcount", RULE_json_fraction},
      {"{\"headcount\":1e1}", "headcount", RULE_json_fraction},
      {"{\"headcount\":true}", "headcount", RULE_json_integer},
      {"{\"headcount\":-1}", "headcount", RULE_range},
      {"{\"headcount\":4294967308}", "headcount", RULE_range},
      {"{\"carve\":1}", "carve", RULE_json_flag},
      {"{\"carve\":\"true\"}", "carve", RULE_json_flag},
      {"{\"hours\":[]}", "hours", RULE_json_object},
      {"{\"hours\":{\"per_week_min\":0}}", "hours.per_week_min", RULE_range},
      {"{\"hours\":{\"per_week_min\":1}}", "hours.per_week_max", RULE_required},
      {"{\"skills\":{}}", "skills", RULE_json_array},
      {"{\"skills\":null}", "skills", RULE_json_null},
      {"{\"skills\":[null]}", "skills[0]", RULE_json_null},
      {"{\"skills\":[1]}", "skills[0]", RULE_json_object},
      {"{\"skills\":[{\"label\":\"a\"},{\"label\":\"b\"},{\"label\":\"c\",\"need\":\"maybe\"}]}",
       "skills[2].need", RULE_form_enum},
      {"{\"skills\":[{\"label\":\"a\"},{\"need\":\"must\"}]}", "skills[1].label", RULE_required},
      {"{\"languages\":[1,2,3,4,5,6,7,8,9,10,11]}", "languages", RULE_too_many},
      {"{\"period\":{\"from\":20822}}", "period.from", RULE_form_date},
      {"{\"period\":{\"from\":\"04-01-2027\"}}", "period.from", RULE_form_date},
      {"{\"period\":{\"from\":\"2027-02-30\"}}", "period.from", RULE_form_date},
      {"{\"expires\":\"2027-01-31\"}", "expires", RULE_form_time},
      {"{\"expires\":1801436400000}", "expires", RULE_form_time},
      {"{\"occupation\":{\"esco\":\"x\"}}", "occupation.esco", RULE_too_short},
      {"{\"titel\":\"x\"}", "titel", RULE_json_unknown},
      {"{\"hours\":{\"per_week_mim\":1}}", "hours.per_week_mim", RULE_json_unknown},
      {"{\"salary\":1}", "salary", RULE_json_unknown_plain},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct collega_error error;
    ProtobufCMessage *message;
    if (!read_as(&collega__offer__descriptor, cases[i].text, arena, &message, &error))
      fail_msg("accepted: %s", cases[i].text);
    assert_null(message);
    if (error.rule != cases[i].rule || strcmp(error.field, cases[i].field))
      fail_msg("%s: %s at '%s'", cases[i].text, rule_name(error.rule), error.field);
  }
}

static void names_the_nearest_member(void **state) {
  struct arena *arena = *state;
  static const char *const cases[][2] = {
      {"titel", "title"},    {"head_count", "headcount"},   {"min_headcout", "min_headcount"},
      {"Kind", "kind"},      {"credential", "credentials"}, {"descripton", "description"},
      {"expire", "expires"}, {"langauges", "languages"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct collega_error error;
    ProtobufCMessage *message;
    char text[80];
    snprintf(text, sizeof text, "{\"%s\":1}", cases[i][0]);
    assert_refused(read_as(&collega__offer__descriptor, text, arena, &message, &error), &error,
                   json_unknown, cases[i][0]);
    assert_string_equal(error.argument[0], cases[i][1]);
  }
}

static void survives_names_of_any_length_and_kind(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  ProtobufCMessage *message;
  char text[4096];
  snprintf(text, sizeof text, "{\"%04000d\":1}", 0);
  assert_int_equal(read_as(&collega__offer__descriptor, text, arena, &message, &error),
                   COLLEGA_INVALID);
  assert_int_equal(read_as(&collega__offer__descriptor, "{\"\":1}", arena, &message, &error),
                   COLLEGA_INVALID);
  assert_int_equal(
      read_as(&collega__offer__descriptor, "{\"a\\u001b[2J\":1}", arena, &message, &error),
      COLLEGA_INVALID);
  assert_string_equal(error.field, "a?[2J");
}

static void money_is_whole_cents(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  ProtobufCMessage *message;
  const ProtobufCMessageDescriptor *type = &collega__offer_private__descriptor;
  assert_refused(read_as(type, "{\"hourly_cost_cents\":23.80}", arena, &message, &error), &error,
                 json_cents, "hourly_cost_cents");
  assert_refused(read_as(type, "{\"hourly_cost_cents\":\"2380\"}", arena, &message, &error), &error,
                 json_cents, "hourly_cost_cents");
  assert_refused(read_as(type, "{\"hourly_cost_cents\":-1}", arena, &message, &error), &error,
                 range, "hourly_cost_cents");
}

static void bytes_are_hexadecimal_of_the_right_length(void **state) {
  struct arena *arena = *state;
  struct collega_error error;
  ProtobufCMessage *message;
  const ProtobufCMessageDescriptor *type = &collega__offer_ref__descriptor;
  assert_int_equal(
      read_as(type, "{\"offer\":\"000102030405060708090a0b0c0d0e0F\"}", arena, &message, &error),
      COLLEGA_OK);
  assert_int_equal(((Collega__OfferRef *)message)->offer.data[15], 15);
  static const char *const wrong[] = {"{\"offer\":\"00\"}", "{\"offer\":\"\"}",
                                      "{\"offer\":\"000102030405060708090a0b0c0d0e0g\"}",
                                      "{\"offer\":\"000102030405060708090a0b0c0d0e0f00\"}"};
  for (size_t i = 0; i < 4; i++) {
    assert_refused(read_as(type, wrong[i], arena, &message, &error), &error, json_hex, "offer");
    assert_string_equal(error.argument[0], "32");
  }
  type = &collega__mail_item__descriptor;
  assert_int_equal(read_as(type, "{\"seq\":1,\"decision\":\"00ff\"}", arena, &message, &error),
                   COLLEGA_OK);
  assert_refused(read_as(type, "{\"seq\":1,\"decision\":\"00f\"}", arena, &message, &error), &error,
                 json_hex_any, "decision");
  assert_refused(read_as(type, "{\"seq\":1,\"decision\":\"\"}", arena, &message, &error), &error,
                 empty, "decision");
}

static void takes_no_more_memory_than_the_arena_has(void **state) {
  (void)state;
  struct arena *small = arena_new(64, 128);
  struct collega_error error;
  ProtobufCMessage *message;
  json_t *json = parsed(offer_text);
  assert_int_equal(
      json_to_message(json, &collega__offer__descriptor, NULL, small, &message, &error),
      COLLEGA_FULL);
  json_decref(json);
  arena_destroy(&small);
}

/* ---- texts */

static void refuses_texts_that_are_not_json_and_says_where(void **state) {
  (void)state;
  static const struct {
    const char *text;
    enum rule rule;
    const char *line, *column;
  } cases[] = {
      {"{\"a\":1,\n \"a\":2}", RULE_json_duplicate, "2", NULL},
      {"{\"a\":1} x", RULE_json_trailing, "1", NULL},
      {"{\"a\":1}{}", RULE_json_trailing, "1", NULL},
      {"{\n\n\"a\":", RULE_json_end, "3", NULL},
      {"", RULE_json_end, "1", NULL},
      {"{\"a\":\"\xff\"}", RULE_json_utf8, NULL, NULL},
      {"{\"a\":\"\\u0000\"}", RULE_json_nul, "1", NULL},
      {"{\"a\":99999999999999999999}", RULE_json_number_size, "1", NULL},
      {"{'a':1}", RULE_json_syntax, "1", NULL},
      {"{\"a\":1,}", RULE_json_syntax, "1", NULL},
      {"{\"a\":01}", RULE_json_syntax, "1", NULL},
      {"{\"a\":NaN}", RULE_json_syntax, "1", NULL},
      {"{\"a\":1 // x\n}", RULE_json_syntax, NULL, NULL},
      {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", RULE_json_depth, "1",
       "33"},
      {"\n[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", RULE_json_depth, "2", "33"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct collega_error error;
    json_t *json;
    struct bytes text = bytes_of(cases[i].text, strlen(cases[i].text));
    if (json_parse(text, &json, &error) != COLLEGA_INVALID) fail_msg("accepted: %s", cases[i].text);
    assert_null(json);
    if (error.rule != cases[i].rule) fail_msg("%s: %s", cases[i].text, rule_name(error.rule));
    if (cases[i].line) assert_string_equal(error.argument[0], cases[i].line);
    if (cases[i].column) assert_string_equal(error.argument[1], cases[i].column);
  }
}

static void takes_brackets_within_texts_for_what_they_are(void **state) {
  (void)state;
  json_t *json = parsed("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[ \\\" [[[[ \\\\\"]");
  json_decref(json);
  json = parsed("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"); /* 32 */
  json_decref(json);
}

static void a_megabyte_of_brackets_is_refused(void **state) {
  (void)state;
  size_t length = 1024 * 1024;
  char *text = test_malloc(length);
  memset(text, '[', length);
  json_t *json;
  struct collega_error error;
  assert_refused(json_parse(bytes_of(text, length), &json, &error), &error, json_depth, "");
  test_free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_full_offer_comes_back_as_it_was_written),
      TEST(the_private_part_is_left_alone_and_read_by_itself),
      TEST(every_message_of_the_schema_goes_round),
      TEST(values_look_as_documented),
      TEST(refuses_each_member_that_is_wrong_with_its_path),
      TEST(names_the_nearest_member),
      TEST(survives_names_of_any_length_and_kind),
      TEST(money_is_whole_cents),
      TEST(bytes_are_hexadecimal_of_the_right_length),
      TEST(takes_no_more_memory_than_the_arena_has),
      TEST(refuses_texts_that_are_not_json_and_says_where),
      TEST(takes_brackets_within_texts_for_what_they_are),
      TEST(a_megabyte_of_brackets_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
