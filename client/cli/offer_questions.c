/* The questions about an offer, and how its answers are told. */
#include "client/cli/offer_questions.h"

#include <inttypes.h>
#include <string.h>

#include "proto/lists.h"

const struct question offer_questions[OFFER_QUESTIONS] = {
    {"kind", RULE_ask_kind, ANSWER_CHOICE, true},
    {"title", RULE_ask_title, ANSWER_VALUE, true},
    {"occupation.isco", RULE_ask_isco, ANSWER_OCCUPATION, true},
    {"occupation.title", RULE_ask_occupation_title, ANSWER_VALUE, false},
    {"headcount", RULE_ask_headcount, ANSWER_VALUE, true},
    {"min_headcount", RULE_ask_min_headcount, ANSWER_VALUE, false},
    {"period.from", RULE_ask_from, ANSWER_VALUE, true},
    {"period.until", RULE_ask_until, ANSWER_UNTIL, false},
    {"period.flex_days", RULE_ask_flex_days, ANSWER_VALUE, false},
    {"hours.per_week_min", RULE_ask_hours_min, ANSWER_VALUE, true},
    {"hours.per_week_max", RULE_ask_hours_max, ANSWER_VALUE, true},
    {"hours.slots", RULE_ask_slots, ANSWER_VALUE, false},
    {"place.postcode", RULE_ask_postcode, ANSWER_VALUE, false},
    {"place.city", RULE_ask_city, ANSWER_VALUE, false},
    {"place.region", RULE_ask_region, ANSWER_REGION, true},
    {"travel_km", RULE_ask_travel, ANSWER_VALUE, false},
    {"establishment", RULE_ask_establishment, ANSWER_VALUE, false},
    {"sector", RULE_ask_sector, ANSWER_VALUE, false},
    {"reason", RULE_ask_reason, ANSWER_CHOICE, false},
    {"skills.must", RULE_ask_skills_must, ANSWER_VALUE, false},
    {"skills.nice", RULE_ask_skills_nice, ANSWER_VALUE, false},
    {"credentials.must", RULE_ask_credentials_must, ANSWER_VALUE, false},
    {"credentials.nice", RULE_ask_credentials_nice, ANSWER_VALUE, false},
    {"languages.must", RULE_ask_languages_must, ANSWER_VALUE, false},
    {"languages.nice", RULE_ask_languages_nice, ANSWER_VALUE, false},
    {"education", RULE_ask_education, ANSWER_VALUE, false},
    {"terms.cost_basis", RULE_ask_cost_basis, ANSWER_CHOICE, false},
    {"terms.cao", RULE_ask_cao, ANSWER_VALUE, false},
    {"terms.contract", RULE_ask_contract, ANSWER_CHOICE, false},
    {"terms.vat", RULE_ask_vat, ANSWER_VALUE, false},
    {"terms.return_guarantee", RULE_ask_return, ANSWER_VALUE, false},
    {"terms.takeover", RULE_ask_takeover, ANSWER_CHOICE, false},
    {"carve", RULE_ask_carve, ANSWER_VALUE, false},
    {"description", RULE_ask_description, ANSWER_VALUE, false},
    {"audience", RULE_ask_audience, ANSWER_VALUE, false},
    {"expires", RULE_ask_expires, ANSWER_VALUE, false},
    {"private.reference", RULE_ask_reference, ANSWER_VALUE, false},
    {"private.contact.name", RULE_ask_contact_name, ANSWER_VALUE, false},
    {"private.contact.email", RULE_ask_contact_email, ANSWER_VALUE, false},
    {"private.contact.phone", RULE_ask_contact_phone, ANSWER_VALUE, false},
    {"private.hourly_cost_cents", RULE_ask_hourly_cost, ANSWER_MONEY, false},
    {"private.currency", RULE_ask_currency, ANSWER_CURRENCY, false},
    {"private.address", RULE_ask_address, ANSWER_VALUE, false},
    {"private.note", RULE_ask_note, ANSWER_VALUE, false},
};

const char *question_label(struct desk *desk, const struct question *question) {
  char text[200];
  bool kind = strcmp(question->column, "kind") == 0; /* "What is it?" */
  words_render(desk->language, kind ? RULE_field_kind : question->words, NULL, 0, text,
               sizeof text);
  char *hint = strstr(text, " (");
  if (hint) *hint = '\0';
  text[strcspn(text, ":")] = '\0'; /* "Occupation: a word to search for" */
  const char *out = arena_text(desk->arena, text);
  return out ? out : "";
}

const char *choice_text(const struct desk *desk, const char *value) {
  char rule[80], text[200];
  snprintf(rule, sizeof rule, "choice_%s", value);
  enum rule known = rule_from_name(rule);
  if (!known) return safe(desk, value);
  words_render(desk->language, known, NULL, 0, text, sizeof text);
  text[strcspn(text, ":")] = '\0';
  const char *out = arena_text(desk->arena, text);
  return out ? out : "";
}

static void add(struct buffer *out, const char *text) {
  buffer_print(out, "%s%s", out->length ? ", " : "", text);
}

/* Skills, credentials and languages that are needed, or welcome. */
static void add_needs(struct buffer *out, const json_t *list, const char *need) {
  size_t index;
  json_t *item;
  json_array_foreach(list, index, item) {
    const char *wanted = json_string_value(json_object_get(item, "need"));
    const char *label = json_string_value(json_object_get(item, "label"));
    const char *code = json_string_value(json_object_get(item, "code"));
    const char *level = json_string_value(json_object_get(item, "level"));
    if (!wanted || strcmp(wanted, need) != 0) continue;
    add(out, label ? label : code ? code : "");
    if (level) buffer_print(out, " %s", level);
  }
}

static void add_value(struct desk *desk, const struct question *question, const json_t *value,
                      struct buffer *out) {
  size_t index;
  json_t *item;
  char text[64];
  if (json_is_array(value)) {
    json_array_foreach(value, index, item) add_value(desk, question, item, out);
  } else if (json_is_string(value)) {
    add(out, question->kind == ANSWER_CHOICE ? choice_text(desk, json_string_value(value))
                                             : json_string_value(value));
  } else if (json_is_boolean(value)) {
    bool dutch = desk->language == LANGUAGE_NL;
    add(out, json_is_true(value) ? (dutch ? "ja" : "yes") : (dutch ? "nee" : "no"));
  } else if (json_is_integer(value) && question->kind == ANSWER_MONEY) {
    snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT "%c%02d", json_integer_value(value) / 100,
             desk->language == LANGUAGE_NL ? ',' : '.', (int)(json_integer_value(value) % 100));
    add(out, text);
  } else if (json_is_integer(value)) {
    snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    add(out, text);
  }
}

/* The name behind a code, the wall time behind an instant. */
static void add_meaning(const struct desk *desk, const struct question *question,
                        const json_t *value, struct buffer *out) {
  const char *code = json_string_value(value);
  collega_time time;
  char local[32];
  if (!code) return;
  const struct isco_row *isco = question->kind == ANSWER_OCCUPATION ? isco_find(code) : NULL;
  const struct region_row *region = question->kind == ANSWER_REGION ? region_find(code) : NULL;
  if (isco) buffer_print(out, " %s", desk->language == LANGUAGE_NL ? isco->nl : isco->en);
  if (region) buffer_print(out, " %s", region->name);
  if (strcmp(question->column, "expires") != 0 || !time_read(code, &time)) return;
  time_write_local(local, sizeof local, time);
  out->length = 0;
  buffer_print(out, "%s", local);
}

const char *question_answer(struct desk *desk, const struct question *question,
                            const json_t *offer) {
  struct buffer text;
  const json_t *at = offer;
  buffer_init(&text, 65536);
  for (const char *part = question->column; at && *part;) {
    char name[64];
    size_t length = strcspn(part, ".");
    snprintf(name, sizeof name, "%.*s", (int)length, part);
    if (json_is_array(at)) {
      add_needs(&text, at, name);
      at = NULL;
      break;
    }
    at = json_object_get(at, name);
    part += length + (part[length] == '.');
  }
  if (at) add_value(desk, question, at, &text);
  add_meaning(desk, question, at, &text);
  const char *out = safe(desk, buffer_text(&text));
  buffer_free(&text);
  return out;
}
