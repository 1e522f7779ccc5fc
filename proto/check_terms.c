/* Terms, and what they share with offers: dates, slots, and texts that must not name a citizen. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/check_text.h"
#include "proto/field.h"
#include "proto/lists.h"

/* Nine digits, 9*d1 + 8*d2 + ... + 2*d8 - d9 a multiple of eleven: the test every BSN passes, and
 * one other number in eleven. 000000000 passes it and is nobody's. */
static bool eleven_test(const char *digits) {
  int sum = -(digits[8] - '0');
  for (int i = 0; i < 8; i++)
    sum += (9 - i) * (digits[i] - '0');
  return sum % 11 == 0 && memcmp(digits, "000000000", 9) != 0;
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
static bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (unsigned char)c >= 0x80;
}

/* A number of nine digits covers every ninth character or more, so only those are looked at until one
 * is a digit. */
bool text_holds_bsn(const char *text) {
  size_t length = strlen(text);
  for (size_t at = 8; at < length; at += 9) {
    if (!is_digit(text[at])) continue;
    size_t from = at, until = at + 1;
    while (from > 0 && is_digit(text[from - 1]))
      from--;
    while (until < length && is_digit(text[until]))
      until++;
    bool alone = (from == 0 || !is_word(text[from - 1])) && !is_word(text[until]);
    if (until - from == 9 && alone && eleven_test(text + from)) return true;
    at = until - 1; /* the next number begins behind the character that ends this one */
  }
  return false;
}

static enum collega_status check_texts(const struct message_rules *rules,
                                       const ProtobufCMessage *message,
                                       struct collega_error *error);

static enum collega_status check_text_value(const struct field_rule *rule, const void *value,
                                            struct collega_error *error) {
  if (rule->form == FORM_MESSAGE)
    return check_texts(rule->inner, *(const ProtobufCMessage *const *)value, error);
  if (!text_holds_bsn(*(const char *const *)value)) return COLLEGA_OK;
  return error_set(error, COLLEGA_INVALID, RULE_bsn_forbidden, NULL, NULL);
}

static enum collega_status check_texts(const struct message_rules *rules,
                                       const ProtobufCMessage *message,
                                       struct collega_error *error) {
  for (uint64_t rest = rules->free_text; rest; rest &= rest - 1) {
    unsigned place = (unsigned)__builtin_ctzll(rest);
    const struct field_rule *rule = &rules->fields[place];
    const ProtobufCFieldDescriptor *field = &message->descriptor->fields[place];
    if (!field_present(message, field)) continue;
    const uint8_t *values = field_value(message, field);
    size_t count = 1;
    if (rule->label == PROTOBUF_C_LABEL_REPEATED) {
      count = *(const size_t *)field_quantifier(message, field);
      values = *(const uint8_t *const *)(const void *)values;
    }
    for (size_t item = 0; item < count; item++) {
      enum collega_status status = check_text_value(rule, values + item * rule->size, error);
      if (status) {
        field_name_error(error, rule, item);
        return status;
      }
    }
  }
  return COLLEGA_OK;
}

enum collega_status check_no_bsn(const ProtobufCMessage *message, struct collega_error *error) {
  const struct message_rules *rules = rules_of(message->descriptor);
  return rules ? check_texts(rules, message, error) : COLLEGA_OK;
}

enum collega_status check_dates(collega_date from, collega_date until, const char *field,
                                struct collega_error *error) {
  if (from <= until) return COLLEGA_OK;
  char text[32];
  date_write(text, sizeof text, from);
  return error_set(error, COLLEGA_INVALID, RULE_order_of_dates, field, text, NULL);
}

enum collega_status check_slots(char *const *slots, size_t count, const char *field,
                                struct collega_error *error) {
  uint32_t seen = 0;
  for (size_t i = 0; i < count; i++) {
    int slot = slot_index(slots[i]);
    uint32_t bit = slot < 0 ? 0 : UINT32_C(1) << slot;
    if (seen & bit) {
      char path[64];
      snprintf(path, sizeof path, "%s[%zu]", field, i);
      return error_set(error, COLLEGA_INVALID, RULE_listed_twice, path, slots[i], NULL);
    }
    seen |= bit;
  }
  return COLLEGA_OK;
}

static enum collega_status check_work(const Collega__TermsWork *work, struct collega_error *error) {
  if (work->has_until) {
    enum collega_status status = check_dates(work->from, work->until, "work.until", error);
    if (status) return status;
  }
  if (work->isco && !isco_find(work->isco))
    return error_set(error, COLLEGA_INVALID, RULE_isco_unknown, "work.isco", work->isco, NULL);
  return check_slots(work->slots, work->n_slots, "work.slots", error);
}

static enum collega_status check_place(const Collega__TermsPlace *place,
                                       struct collega_error *error) {
  bool dutch = !place->country || !strcmp(place->country, "NL");
  if (!dutch || !place->postcode || postcode_area_find(place->postcode)) return COLLEGA_OK;
  char area[3] = {place->postcode[0], place->postcode[1], 0};
  return error_set(error, COLLEGA_INVALID, RULE_postcode_unknown, "place.postcode", area, NULL);
}

static enum collega_status check_rates(const Collega__TermsRates *rates,
                                       struct collega_error *error) {
  bool amounts = rates->has_hourly_cents || rates->n_build_up || rates->n_allowances;
  if (amounts && !rates->currency)
    return error_set(error, COLLEGA_INVALID, RULE_currency_required, "rates.currency", NULL);
  return COLLEGA_OK;
}

static enum collega_status check_persons(const Collega__Terms *terms, struct collega_error *error) {
  const Collega__TermsPersons *persons = terms->persons;
  if (terms->work && persons->n_persons > terms->work->headcount) {
    char headcount[16];
    snprintf(headcount, sizeof headcount, "%" PRIu32, terms->work->headcount);
    return error_set(error, COLLEGA_INVALID, RULE_persons_many, "persons.persons", headcount, NULL);
  }
  for (size_t i = 0; i < persons->n_persons; i++)
    for (size_t j = 0; j < i; j++)
      if (!strcmp(persons->persons[i]->reference, persons->persons[j]->reference)) {
        char field[64];
        snprintf(field, sizeof field, "persons.persons[%zu].reference", i);
        return error_set(error, COLLEGA_INVALID, RULE_listed_twice, field,
                         persons->persons[i]->reference, NULL);
      }
  return COLLEGA_OK;
}

enum collega_status check_terms(const Collega__Terms *terms, struct collega_error *error) {
  enum collega_status status = COLLEGA_OK;
  if (terms->work) status = check_work(terms->work, error);
  if (!status && terms->place) status = check_place(terms->place, error);
  if (!status && terms->rates) status = check_rates(terms->rates, error);
  if (!status && terms->persons) status = check_persons(terms, error);
  if (!status) status = check_no_bsn(&terms->base, error);
  return status;
}
