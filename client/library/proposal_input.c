/* From JSON to a proposal. The names are few, and not a message of the schema: what they become is. */
#include "client/library/proposal_input.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/suggest.h"
#include "proto/json.h"

#define HEADCOUNT_MOST 10000
#define HOURS_MOST     60
#define RATE_MOST      99999999 /* cents */

struct reading {
  const struct view *view;
  struct proposal_input *out;
  bool any_term;
  struct collega_error *error;
};
typedef enum collega_status (*taker)(struct reading *reading, const json_t *value);

static enum collega_status wrong(struct reading *reading, enum rule rule) {
  return error_set(reading->error, COLLEGA_INVALID, rule, NULL, NULL);
}

static enum collega_status number(struct reading *reading, const json_t *value, int64_t most,
                                  int64_t *out) {
  char text[24];
  if (!json_is_integer(value)) return wrong(reading, RULE_json_integer);
  *out = json_integer_value(value);
  snprintf(text, sizeof text, "%" PRId64, most);
  if (*out < 1 || *out > most)
    return error_set(reading->error, COLLEGA_INVALID, RULE_range, NULL, "1", text, NULL);
  reading->any_term = true;
  return COLLEGA_OK;
}

static enum collega_status text(struct reading *reading, const json_t *value, const char **out) {
  *out = json_string_value(value);
  return *out ? COLLEGA_OK : wrong(reading, RULE_json_text);
}

static enum collega_status date(struct reading *reading, const json_t *value, bool *has,
                                collega_date *out) {
  const char *typed = NULL;
  enum collega_status status = text(reading, value, &typed);
  if (status != COLLEGA_OK) return status;
  *has = date_read(typed, out);
  reading->any_term = true;
  return *has ? COLLEGA_OK : wrong(reading, RULE_json_date);
}

/* ---- the members */

static enum collega_status take_match(struct reading *reading, const json_t *value) {
  const char *typed = NULL;
  enum collega_status status = text(reading, value, &typed);
  if (status == COLLEGA_OK)
    status = view_match_id(reading->view, typed, &reading->out->match, reading->error);
  reading->out->proposal.match = &reading->out->match;
  return status;
}

static enum collega_status take_to(struct reading *reading, const json_t *value) {
  const char *typed = NULL;
  enum collega_status status = text(reading, value, &typed);
  if (status == COLLEGA_OK)
    status = view_offer_id(reading->view, typed, &reading->out->offer, reading->error);
  reading->out->proposal.to_offer = &reading->out->offer;
  return status;
}

static enum collega_status take_headcount(struct reading *reading, const json_t *value) {
  int64_t read = 0;
  enum collega_status status = number(reading, value, HEADCOUNT_MOST, &read);
  reading->out->proposal.headcount = (uint32_t)read;
  return status;
}

static enum collega_status take_hours(struct reading *reading, const json_t *value) {
  int64_t read = 0;
  enum collega_status status = number(reading, value, HOURS_MOST, &read);
  reading->out->proposal.hours_per_week = (uint32_t)read;
  return status;
}

static enum collega_status take_rate(struct reading *reading, const json_t *value) {
  struct proposal *proposal = &reading->out->proposal;
  proposal->has_rate = true;
  if (!json_is_integer(value)) return wrong(reading, RULE_json_cents);
  return number(reading, value, RATE_MOST, &proposal->rate_cents);
}

static enum collega_status take_from(struct reading *reading, const json_t *value) {
  struct proposal *proposal = &reading->out->proposal;
  return date(reading, value, &proposal->has_from, &proposal->from);
}

static enum collega_status take_until(struct reading *reading, const json_t *value) {
  struct proposal *proposal = &reading->out->proposal;
  return date(reading, value, &proposal->has_until, &proposal->until);
}

static enum collega_status take_accept_by(struct reading *reading, const json_t *value) {
  const char *typed = NULL;
  enum collega_status status = text(reading, value, &typed);
  if (status != COLLEGA_OK) return status;
  return time_read(typed, &reading->out->proposal.accept_by) ? COLLEGA_OK
                                                             : wrong(reading, RULE_json_time);
}

static enum collega_status take_mandate(struct reading *reading, const json_t *value) {
  const char *typed = NULL;
  enum collega_status status = text(reading, value, &typed);
  if (status == COLLEGA_OK)
    status = view_mandate_id(reading->view, typed, &reading->out->mandate, reading->error);
  reading->out->proposal.mandate = &reading->out->mandate;
  return status;
}

static enum collega_status take_terms(struct reading *reading, const json_t *value) {
  reading->any_term = true;
  return terms_input_read(value, reading->view->arena, &reading->out->proposal.terms,
                          reading->error);
}

static const struct member {
  const char *name;
  taker take;
  bool only_new, not_plan;
} members[] = {
    {"match", take_match, true, true},          {"to", take_to, true, true},
    {"headcount", take_headcount, false, true}, {"from", take_from, false, false},
    {"until", take_until, false, false},        {"hours_per_week", take_hours, false, true},
    {"rate_cents", take_rate, false, false},    {"accept_by", take_accept_by, false, false},
    {"mandate", take_mandate, false, false},    {"terms", take_terms, false, false},
};
#define MEMBERS (sizeof members / sizeof *members)

static bool is_known(const struct member *member, enum proposal_use use) {
  return (use == PROPOSAL_NEW || !member->only_new) && (use != PROPOSAL_PLAN || !member->not_plan);
}

/* ---- reading */

static enum collega_status unknown(const char *name, enum proposal_use use,
                                   struct collega_error *error) {
  const char *nearest = NULL;
  size_t best = SIZE_MAX;
  for (size_t i = 0; i < MEMBERS; ++i) {
    size_t distance = edit_distance(name, members[i].name);
    if (distance >= best || !is_known(&members[i], use)) continue;
    best = distance;
    nearest = members[i].name;
  }
  if (!near_enough(name, best))
    return error_set(error, COLLEGA_INVALID, RULE_json_unknown_plain, name, NULL);
  return error_set(error, COLLEGA_INVALID, RULE_json_unknown, name, nearest, NULL);
}

static enum collega_status take(struct reading *reading, enum proposal_use use, const char *name,
                                const json_t *value) {
  for (size_t i = 0; i < MEMBERS; ++i) {
    if (strcmp(members[i].name, name) != 0 || !is_known(&members[i], use)) continue;
    enum collega_status status = members[i].take(reading, value);
    if (status != COLLEGA_OK) error_prefix(reading->error, name);
    return status;
  }
  return unknown(name, use, reading->error);
}

enum collega_status proposal_input_read(const struct view *view, const json_t *json,
                                        enum proposal_use use, struct proposal_input *out,
                                        struct collega_error *error) {
  struct reading reading = {.view = view, .out = out, .error = error};
  const char *name;
  json_t *value;
  memset(out, 0, sizeof *out);
  if (!json_is_object(json)) return error_set(error, COLLEGA_INVALID, RULE_json_object, NULL, NULL);
  json_object_foreach((json_t *)(uintptr_t)json, name, value) {
    enum collega_status status = take(&reading, use, name, value);
    if (status != COLLEGA_OK) return status;
  }
  if (use == PROPOSAL_NEW && !out->proposal.match == !out->proposal.to_offer)
    return error_set(error, COLLEGA_INVALID, RULE_match_or_offer, NULL, NULL);
  if (use == PROPOSAL_AMEND && !reading.any_term)
    return error_set(error, COLLEGA_INVALID, RULE_amend_nothing, NULL, NULL);
  return COLLEGA_OK;
}

enum collega_status terms_input_read(const json_t *json, struct arena *arena,
                                     const Collega__Terms **out, struct collega_error *error) {
  ProtobufCMessage *terms = NULL;
  enum collega_status status =
      json_to_message(json, &collega__terms__descriptor, NULL, arena, &terms, error);
  *out = (const Collega__Terms *)terms;
  return status;
}
