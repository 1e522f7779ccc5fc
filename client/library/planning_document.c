/* A plan as a document. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client/library/planning.h"
#include "proto/json.h"
#include "proto/lists.h"

#define PLAN_ID_TAG "collega/plan/1"
#define SENTENCE    400

/* ---- the document */

static json_t *side_json(const struct view *view, const struct planned *one) {
  json_t *out = json_object();
  const Collega__Place *place = one->offer->place;
  const char *city = place->city ? place->city : place->region;
  bool ok = out && json_put(out, "offer", json_hex(one->id.byte, SHORT_ID_BYTES)) &&
            json_put(out, "party", json_party(view, &one->author)) &&
            json_put(out, "title", json_string(one->offer->title)) &&
            json_put(out, "mine", json_boolean(one->mine)) &&
            (!city || json_put(out, "place", json_string(city)));
  if (ok) return out;
  json_decref(out);
  return NULL;
}

/* That a lender has fewer people, or of a carved job fewer hours, than are asked is what the plan is there for. */
static bool is_closed(const struct planned_loan *loan, enum rule rule) {
  return rule == RULE_match_headcount_fewer || (rule == RULE_match_hours_fewer && loan->shared);
}

static json_t *words_json(const struct view *view, const struct planned_loan *loan,
                          const struct collega_error *words, size_t count) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < count; ++i) {
    if (is_closed(loan, words[i].rule)) continue;
    char text[SENTENCE];
    const char *arguments[COLLEGA_ERROR_ARGUMENTS];
    for (size_t j = 0; j < COLLEGA_ERROR_ARGUMENTS; ++j)
      arguments[j] = words[i].argument[j];
    words_render(view->language, words[i].rule, arguments, COLLEGA_ERROR_ARGUMENTS, text,
                 sizeof text);
    list = json_add(list, json_pack("{s:s, s:s}", "rule", rule_name(words[i].rule), "text", text));
  }
  return list;
}

static json_t *slots_json(uint32_t slots) {
  json_t *list = json_array();
  for (unsigned i = 0; list && i < 28; ++i)
    if (slots & 1u << i) list = json_add(list, json_string(slot_text((int)i)));
  return list;
}

static json_t *loan_json(const struct view *view, const struct planning *planning,
                         const struct planned_loan *loan) {
  const struct planned *supply = &planning->offers[loan->supply];
  const struct planned *demand = &planning->offers[loan->demand];
  struct match_result *result = malloc(sizeof *result);
  json_t *out = json_object();
  bool ok = result && out;
  if (ok)
    match_pair(&planning->rules, supply->offer, &supply->author, demand->offer, &demand->author,
               result);
  ok = ok && json_put(out, "supply", side_json(view, supply)) &&
       json_put(out, "demand", side_json(view, demand)) &&
       json_put(out, "people", json_integer(loan->people)) &&
       json_put(out, "hours", json_integer((json_int_t)loan->hours)) &&
       json_put(out, "score", json_real((double)loan->score / PLAN_SCORE_MOST)) &&
       (!loan->slots || json_put(out, "slots", slots_json(loan->slots))) &&
       (!loan->shared || json_put(out, "shared", json_true())) &&
       (!loan->ring || json_put(out, "ring", json_integer((json_int_t)loan->ring))) &&
       json_put(out, "reasons", words_json(view, loan, result->reasons, result->reason_count)) &&
       json_put(out, "gaps", words_json(view, loan, result->gaps, result->gap_count));
  free(result);
  if (ok) return out;
  json_decref(out);
  return NULL;
}

static json_t *single_json(const struct view *view, const struct planning *planning) {
  if (planning->best_pair == SIZE_MAX) return json_null();
  const struct plan_pair *pair = &planning->pairs[planning->best_pair];
  const struct planned *supply = &planning->offers[pair->supply];
  const struct planned *demand = &planning->offers[pair->demand];
  double score = (double)pair->score / PLAN_SCORE_MOST;
  int64_t units = planning->kind == PLANNING_CARVED
                      ? (int64_t)planning->best_people * planning->best_hours
                      : planning->best_people;
  return json_pack("{s:I, s:i, s:f, s:f, s:o, s:o}", "people", (json_int_t)planning->best_people,
                   "hours", (int)planning->best_hours, "score", score, "value",
                   score * (double)units, "supply", side_json(view, supply), "demand",
                   side_json(view, demand));
}

/* People on offer, and asked for. */
static void count_people(const struct planning *planning, int64_t *offered, int64_t *asked) {
  *offered = *asked = 0;
  for (size_t i = 0; i < planning->offer_count; ++i)
    *(kind_supplies(planning->offers[i].offer->kind) ? offered : asked) +=
        planning->offers[i].people;
}

static int by_number(const void *one, const void *other) {
  uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
  return (a > b) - (a < b);
}

/* Different employers in its loans; of a plan for one offer, without ourselves. */
static size_t count_employers(const struct view *view, const struct planning *planning) {
  bool alone = planning->kind == PLANNING_OFFER || planning->kind == PLANNING_CARVED;
  uint32_t *all = arena_take(view->arena, (2 * planning->loan_count + 1) * sizeof *all);
  size_t count = 0, different = 0;
  for (size_t i = 0; all && i < planning->loan_count; ++i) {
    all[count++] = planning->offers[planning->loans[i].supply].employer;
    all[count++] = planning->offers[planning->loans[i].demand].employer;
  }
  if (count) qsort(all, count, sizeof *all, by_number);
  for (size_t i = 0; i < count; ++i)
    different += i == 0 || all[i] != all[i - 1];
  return alone && different ? different - 1 : different;
}

static bool put_figures(const struct view *view, const struct planning *planning, json_t *out) {
  int64_t offered = 0, asked = 0, people = 0;
  const double most = PLAN_SCORE_MOST;
  count_people(planning, &offered, &asked);
  for (size_t i = 0; i < planning->loan_count; ++i)
    people += planning->loans[i].people;
  bool ok = json_put(out, "people", json_integer(people)) &&
            json_put(out, "people_offered", json_integer(offered)) &&
            json_put(out, "people_asked", json_integer(asked)) &&
            json_put(out, "employers", json_integer((json_int_t)count_employers(view, planning))) &&
            json_put(out, "value", json_real((double)planning->value / most)) &&
            json_put(out, "bound", json_real((double)planning->bound / most)) &&
            json_put(out, "optimal", json_boolean(planning->optimal)) &&
            json_put(out, "pairs_cut", json_boolean(planning->pairs_cut)) &&
            json_put(out, "rings_cut", json_boolean(planning->rings_cut)) &&
            json_put(out, "milliseconds", json_integer(planning->milliseconds)) &&
            json_put(out, "best_single", single_json(view, planning));
  if (ok && planning->pairs_cut && planning->board_bound >= 0)
    ok = json_put(out, "board_bound", json_real((double)planning->board_bound / most));
  if (ok && planning->kind == PLANNING_CARVED)
    ok = json_put(out, "hours", json_integer(planning->hours)) &&
         json_put(out, "hours_asked", json_integer(planning->asked_hours));
  return ok;
}

static json_t *loans_json(const struct view *view, const struct planning *planning) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < planning->loan_count; ++i)
    list = json_add(list, loan_json(view, planning, &planning->loans[i]));
  return list;
}

json_t *document_plan(const struct view *view, const struct planning *planning) {
  json_t *out = json_object();
  bool alone = planning->kind == PLANNING_OFFER || planning->kind == PLANNING_CARVED;
  bool ok = out && json_put(out, "kind", json_string(planning_kind_name(planning->kind))) &&
            json_put(out, "made", json_time(view->now)) &&
            json_put(out, "party", json_party(view, &view->party)) &&
            (!alone || json_put(out, "offer", side_json(view, &planning->offers[0]))) &&
            (!alone || json_put(out, "supplies",
                                json_boolean(kind_supplies(planning->offers[0].offer->kind)))) &&
            put_figures(view, planning, out) && json_put(out, "loans", loans_json(view, planning));
  char *text = ok ? json_dumps(out, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
  if (text) {
    struct id id;
    hash_one(&id, PLAN_ID_TAG, text, strlen(text));
    ok = json_put(out, "id", json_hex(id.byte, PLAN_ID_BYTES));
  }
  free(text);
  if (ok && text) return out;
  json_decref(out);
  return NULL;
}
