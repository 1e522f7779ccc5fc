/* The forms of rules.proto, one function each, and what the sentences about a single value need.
 *
 * Lengths stand in the table (where a form fixes its own, proto/rules.py filled them in), so a form
 * only looks at characters. Nothing here knows of other fields; that is the check's. */
#include "proto/field.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "proto/lists.h"

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
static bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
static bool is_capital(char c) {
  return c >= 'A' && c <= 'Z';
}
static bool is_letter(char c) {
  return is_lower(c) || is_capital(c);
}

static bool all(const char *text, size_t length, bool (*fits)(char)) {
  for (size_t i = 0; i < length; i++)
    if (!fits(text[i])) return false;
  return length > 0;
}

static bool begins(const char *text, size_t length, const char *start) {
  size_t size = strlen(start);
  return length >= size && !memcmp(text, start, size);
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n';
}
static bool is_code(char c) {
  return is_lower(c) || is_digit(c) || c == '-' || c == '_' || c == '.' || c == ':';
}
static bool is_host(char c) {
  return is_letter(c) || is_digit(c) || c == '-' || c == '.';
}
static bool is_host6(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
}
static bool is_phone(char c) {
  return is_digit(c) || c == '+' || c == ' ' || c == '-' || c == '(' || c == ')';
}

static bool uri_fits(const char *text, size_t length) {
  size_t start = begins(text, length, "https://") ? 8 : begins(text, length, "http://") ? 7 : 0;
  return start && length > start && utf8_plain((const uint8_t *)text, length) == length &&
         !memchr(text, ' ', length);
}

static bool level_fits(const char *text, size_t length) {
  return length == 2 && text[0] >= 'A' && text[0] <= 'C' && (text[1] == '1' || text[1] == '2');
}

/* 48, 4811, 4811AB. */
static bool postcode_fits(const char *text, size_t length) {
  if (length == 6) return all(text, 4, is_digit) && all(text + 4, 2, is_capital);
  return (length == 2 || length == 4) && all(text, length, is_digit);
}

static bool region_fits(const char *text, size_t length) {
  return length == 4 && begins(text, length, "AM") && all(text + 2, 2, is_digit);
}

/* SBI as published, 52, 52.1, 52.10, 52.102, or as a prefix, 5, or without the point, 5210. */
static bool sector_fits(const char *text, size_t length) {
  const char *point = memchr(text, '.', length);
  if (!point) return length <= 5 && all(text, length, is_digit);
  return point == text + 2 && all(text, 2, is_digit) && all(text + 3, length - 3, is_digit);
}

static bool slot_fits(const char *text, size_t length) {
  return slot_read(text, length) >= 0;
}

/* One '@' with something before it, and a domain with a point inside it after it. Printable ASCII
 * and, as internationalised addresses have it, any other character that is not a blank. */
static bool email_fits(const char *text, size_t length) {
  const char *at = memchr(text, '@', length);
  if (!at || at == text || !utf8_text((const uint8_t *)text, length, false)) return false;
  const char *domain = at + 1, *end = text + length;
  size_t rest = (size_t)(end - domain);
  if (rest < 3 || memchr(domain, '@', rest) || memchr(text, ' ', length)) return false;
  const char *point = memchr(domain, '.', rest);
  return point && point != domain && end[-1] != '.' && end[-1] != '-';
}

static bool phone_fits(const char *text, size_t length) {
  if (!all(text, length, is_phone)) return false;
  for (size_t i = 0; i < length; i++)
    if (is_digit(text[i])) return true;
  return false;
}

/* network, or named: and 1 to 32 KvK numbers, none twice. Whether twice is the check's to say. */
static bool audience_fits(const char *text, size_t length) {
  if (length == 7 && begins(text, length, "network")) return true;
  if (!begins(text, length, "named:")) return false;
  text += 6;
  length -= 6;
  for (size_t count = 1; count <= 32; count++) {
    if (length < 8 || !all(text, 8, is_digit)) return false;
    if (length == 8) return true;
    if (text[8] != ',') return false;
    text += 9;
    length -= 9;
  }
  return false;
}

static bool vat_fits(const char *text, size_t length) {
  static const char *const plain[] = {"standard", "reverse", "group"};
  for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
    if (length == strlen(plain[i]) && begins(text, length, plain[i])) return true;
  return begins(text, length, "exempt:") && length > 7 &&
         utf8_text((const uint8_t *)text, length, false);
}

/* tcp://host:port; an IPv6 address stands in brackets. */
static bool address_fits(const char *text, size_t length) {
  if (!begins(text, length, "tcp://")) return false;
  const char *host = text + 6, *end = text + length, *colon = end;
  while (colon > host && colon[-1] != ':')
    colon--;
  if (colon == host) return false;
  colon--;
  size_t host_length = (size_t)(colon - host), port_length = (size_t)(end - colon) - 1;
  if (port_length < 1 || port_length > 5 || !all(colon + 1, port_length, is_digit)) return false;
  unsigned port = 0;
  for (const char *at = colon + 1; at < end; at++)
    port = port * 10 + (unsigned)(*at - '0');
  if (port < 1 || port > 65535) return false;
  if (host_length > 2 && host[0] == '[' && colon[-1] == ']')
    return all(host + 1, host_length - 2, is_host6);
  return all(host, host_length, is_host);
}

/* The rule that a text of this form breaks; RULE_NONE: none. */
static enum rule text_fault(enum form form, const char *text, size_t length) {
  const uint8_t *data = (const uint8_t *)text;
  switch (form) {
  case FORM_LINE:
    return utf8_text(data, length, false) ? RULE_NONE : RULE_text_line;
  case FORM_TEXT:
    return utf8_text(data, length, true) ? RULE_NONE : RULE_text_lines;
  case FORM_CODE:
    return all(text, length, is_code) ? RULE_NONE : RULE_form_code;
  case FORM_KVK:
    return length == 8 && all(text, length, is_digit) ? RULE_NONE : RULE_form_kvk;
  case FORM_ESTABLISHMENT:
    return length == 12 && all(text, length, is_digit) ? RULE_NONE : RULE_form_establishment;
  case FORM_ISCO:
    return length == 4 && all(text, length, is_digit) ? RULE_NONE : RULE_form_isco;
  case FORM_URI:
    return uri_fits(text, length) ? RULE_NONE : RULE_form_uri;
  case FORM_LANGUAGE:
    return length == 2 && all(text, length, is_lower) ? RULE_NONE : RULE_form_language;
  case FORM_LEVEL:
    return level_fits(text, length) ? RULE_NONE : RULE_form_level;
  case FORM_POSTCODE:
    return postcode_fits(text, length) ? RULE_NONE : RULE_form_postcode;
  case FORM_COUNTRY:
    return length == 2 && all(text, length, is_capital) ? RULE_NONE : RULE_form_country;
  case FORM_REGION:
    return region_fits(text, length) ? RULE_NONE : RULE_form_region;
  case FORM_SECTOR:
    return sector_fits(text, length) ? RULE_NONE : RULE_form_sector;
  case FORM_SLOT:
    return slot_fits(text, length) ? RULE_NONE : RULE_form_slot;
  case FORM_CURRENCY:
    return length == 3 && all(text, length, is_capital) ? RULE_NONE : RULE_form_currency;
  case FORM_EMAIL:
    return email_fits(text, length) ? RULE_NONE : RULE_form_email;
  case FORM_PHONE:
    return phone_fits(text, length) ? RULE_NONE : RULE_form_phone;
  case FORM_AUDIENCE:
    return audience_fits(text, length) ? RULE_NONE : RULE_form_audience;
  case FORM_VAT:
    return vat_fits(text, length) ? RULE_NONE : RULE_form_vat;
  case FORM_ADDRESS:
    return address_fits(text, length) ? RULE_NONE : RULE_form_address;
  case FORMS_OF_NO_TEXT:
    break; /* not texts: the build has checked that no text field has them */
  }
  return RULE_NONE;
}

static enum collega_status refuse_number(struct collega_error *error, enum rule rule,
                                         int64_t number) {
  char text[24];
  snprintf(text, sizeof text, "%" PRId64, number);
  return error_set(error, COLLEGA_INVALID, rule, NULL, text, NULL);
}

/* A form of fixed shape says what it wants; "is shorter than 8 bytes" would not help anybody. */
static bool has_own_sentence(enum form form) {
  return form != FORM_LINE && form != FORM_TEXT && form != FORM_CODE && form != FORM_URI &&
         form != FORM_EMAIL && form != FORM_PHONE && form != FORM_AUDIENCE && form != FORM_VAT &&
         form != FORM_ADDRESS;
}

static inline bool length_fits(const struct field_rule *rule, size_t length) {
  return length >= (uint64_t)rule->min && length <= (uint64_t)rule->max;
}

static enum collega_status refuse_length(const struct field_rule *rule, size_t length,
                                         struct collega_error *error) {
  uint64_t least = (uint64_t)rule->min, most = (uint64_t)rule->max;
  if (rule->type == PROTOBUF_C_TYPE_STRING && has_own_sentence(rule->form)) {
    /* Outside its sizes no text fits the form. */
    enum rule fault = text_fault(rule->form, "", 0);
    return error_set(error, COLLEGA_INVALID, fault, NULL, NULL);
  }
  if (least == most) return refuse_number(error, RULE_bytes_length, rule->min);
  if (length == 0) return error_set(error, COLLEGA_INVALID, RULE_empty, NULL, NULL);
  if (length < least) return refuse_number(error, RULE_too_short, rule->min);
  return refuse_number(error, RULE_too_long, rule->max);
}

enum collega_status field_check_bytes(const struct field_rule *rule, size_t length,
                                      struct collega_error *error) {
  return length_fits(rule, length) ? COLLEGA_OK : refuse_length(rule, length, error);
}

enum collega_status field_check_text(const struct field_rule *rule, const char *text, size_t length,
                                     struct collega_error *error) {
  if (!length_fits(rule, length)) return refuse_length(rule, length, error);
  if (!length) return COLLEGA_OK; /* the rule allows it */
  enum rule fault = text_fault(rule->form, text, length);
  if (!fault && rule->min > 0 && all(text, length, is_blank)) fault = RULE_empty;
  if (!fault) return COLLEGA_OK;
  /* No form lets a NUL through, so it is looked for only here. */
  if (memchr(text, 0, length)) fault = RULE_text_nul;
  return error_set(error, COLLEGA_INVALID, fault, NULL, NULL);
}

/* date_read and date_write end here. */
#define DATE_MOST 73048

enum collega_status field_check_number(const struct field_rule *rule, int64_t value,
                                       struct collega_error *error) {
  bool date = rule->form == FORM_DATE;
  bool fits = (!rule->has_min || value >= rule->min) && (!rule->has_max || value <= rule->max);
  if (fits && (!date || value <= DATE_MOST)) return COLLEGA_OK;
  if (rule->form == FORM_TIME) return error_set(error, COLLEGA_INVALID, RULE_form_time, NULL, NULL);
  if (date) return error_set(error, COLLEGA_INVALID, RULE_form_date, NULL, NULL);
  char least[24], most[24];
  snprintf(least, sizeof least, "%" PRId64, rule->min);
  snprintf(most, sizeof most, "%" PRId64, rule->max);
  return error_set(error, COLLEGA_INVALID, RULE_range, NULL, least, most, NULL);
}

/* The names that are allowed, over two arguments: thirteen reasons do not fit one. */
static void list_values(const struct field_rule *rule, char first[120], char second[120]) {
  first[0] = second[0] = 0;
  char *into = first;
  for (unsigned i = 0; i < rule->values->n_values; i++) {
    int value = rule->values->values[i].value;
    char name[ENUM_TEXT_BYTES];
    if (value < rule->min || value > rule->max || !enum_text(rule->values, value, name)) continue;
    if (into == first && strlen(first) + strlen(name) + 2 > 119) into = second;
    size_t used = strlen(into);
    const char *between = first[0] ? " " : "";
    snprintf(into + used, 120 - used, "%s%s", between, name);
  }
}

static bool enum_has(const ProtobufCEnumDescriptor *type, int value) {
  if (type->n_value_ranges != 1) /* with gaps */
    return protobuf_c_enum_descriptor_get_value(type, value) != NULL;
  int first = type->value_ranges[0].start_value;
  return value >= first && value - first < (int)type->n_values;
}

enum collega_status field_check_enum(const struct field_rule *rule, int64_t value,
                                     struct collega_error *error) {
  bool fits = value >= rule->min && value <= rule->max && enum_has(rule->values, (int)value);
  if (fits) return COLLEGA_OK;
  char first[120], second[120];
  list_values(rule, first, second);
  return error_set(error, COLLEGA_INVALID, RULE_form_enum, NULL, first, second, NULL);
}

enum collega_status field_check_count(const struct field_rule *rule, size_t count,
                                      struct collega_error *error) {
  if (count > rule->at_most) return refuse_number(error, RULE_too_many, rule->at_most);
  if (count >= rule->at_least) return COLLEGA_OK;
  if (!count) return error_set(error, COLLEGA_INVALID, RULE_required, NULL, NULL);
  return refuse_number(error, RULE_too_few, rule->at_least);
}

enum collega_status field_name_error(struct collega_error *error, const struct field_rule *rule,
                                     size_t index) {
  if (!error) return COLLEGA_INVALID;
  if (rule->label == PROTOBUF_C_LABEL_REPEATED) {
    char prefix[96];
    snprintf(prefix, sizeof prefix, "%s[%zu]", rule->name, index);
    error_prefix(error, prefix);
  } else {
    error_prefix(error, rule->name);
  }
  return error->status;
}

/* How long the prefix of the enum's values is: "OFFER_KIND_" for OfferKind. */
static size_t enum_prefix(const ProtobufCEnumDescriptor *type) {
  size_t length = 1;
  for (const char *at = type->short_name; *at; at++)
    length += at != type->short_name && is_capital(*at) ? 2 : 1;
  return length;
}

bool enum_text(const ProtobufCEnumDescriptor *type, int value, char out[ENUM_TEXT_BYTES]) {
  const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value(type, value);
  out[0] = 0;
  if (!found) return false;
  const char *name = found->name + enum_prefix(type);
  size_t length = strlen(name);
  if (length >= ENUM_TEXT_BYTES) return false;
  for (size_t i = 0; i <= length; i++)
    out[i] = is_capital(name[i]) ? (char)(name[i] - 'A' + 'a') : name[i];
  return true;
}

bool enum_from_text(const ProtobufCEnumDescriptor *type, const char *text, int *value) {
  for (unsigned i = 0; i < type->n_values; i++) {
    char name[ENUM_TEXT_BYTES];
    if (enum_text(type, type->values[i].value, name) && !strcmp(name, text)) {
      *value = type->values[i].value;
      return true;
    }
  }
  return false;
}
