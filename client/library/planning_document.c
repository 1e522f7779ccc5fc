/* A plan as a document, and the files that keep it. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/process/process.h"
#include "client/library/planning.h"
#include "proto/json.h"
#include "proto/lists.h"

#define PLAN_ID_BYTES 16u
#define PLAN_ID_TAG   "collega/plan/1"
#define SENTENCE      400

static enum collega_status no_plan_memory(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

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
static bool is_closed(const struct planning *planning, enum rule rule) {
  return rule == RULE_match_headcount_fewer ||
         (rule == RULE_match_hours_fewer && planning->kind == PLANNING_CARVED);
}

static json_t *words_json(const struct view *view, const struct planning *planning,
                          const struct collega_error *words, size_t count) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < count; ++i) {
    if (is_closed(planning, words[i].rule)) continue;
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
  ok =
      ok && json_put(out, "supply", side_json(view, supply)) &&
      json_put(out, "demand", side_json(view, demand)) &&
      json_put(out, "people", json_integer(loan->people)) &&
      json_put(out, "hours", json_integer((json_int_t)loan->hours)) &&
      json_put(out, "score", json_real((double)loan->score / PLAN_SCORE_MOST)) &&
      (!loan->slots || json_put(out, "slots", slots_json(loan->slots))) &&
      (!loan->ring || json_put(out, "ring", json_integer((json_int_t)loan->ring))) &&
      json_put(out, "reasons", words_json(view, planning, result->reasons, result->reason_count)) &&
      json_put(out, "gaps", words_json(view, planning, result->gaps, result->gap_count));
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

/* ---- files */

static enum collega_status plans_path(const struct view *view, const char *name, char path[4096],
                                      struct collega_error *error) {
  char directory[4096];
  enum collega_status status =
      path_join(directory, sizeof directory, ledger_home(exchange_ledger(view->exchange)),
                PLANS_DIRECTORY, error);
  if (status == COLLEGA_OK && mkdir(directory, 0700) != 0 && errno != EEXIST)
    return error_system(error, directory, errno);
  if (status == COLLEGA_OK && !name) memcpy(path, directory, strlen(directory) + 1);
  return status == COLLEGA_OK && name ? path_join(path, 4096, directory, name, error) : status;
}

static bool is_plan_name(const char *name) {
  return strlen(name) == 2 * PLAN_ID_BYTES && strspn(name, "0123456789abcdef") == 2 * PLAN_ID_BYTES;
}

/* What is older than PLANS_KEPT_DAYS goes when a new one comes. What cannot be removed stays. */
static void drop_old(const struct view *view, const char *directory) {
  DIR *entries = opendir(directory);
  if (!entries) return;
  for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
    struct stat about;
    if (!is_plan_name(entry->d_name) || fstatat(dirfd(entries), entry->d_name, &about, 0) != 0 ||
        (int64_t)about.st_mtime * SECOND_MS > view->now - PLANS_KEPT_DAYS * DAY_MS)
      continue;
    unlinkat(dirfd(entries), entry->d_name, 0);
  }
  closedir(entries);
}

enum collega_status plan_file_write(const struct view *view, const json_t *plan,
                                    struct collega_error *error) {
  char path[4096];
  const char *id = json_string_value(json_object_get(plan, "id"));
  char *text = json_dumps(plan, JSON_INDENT(1) | JSON_SORT_KEYS);
  enum collega_status status =
      text && id ? plans_path(view, NULL, path, error) : no_plan_memory(error);
  if (status == COLLEGA_OK) drop_old(view, path);
  if (status == COLLEGA_OK) status = plans_path(view, id, path, error);
  if (status == COLLEGA_OK) status = file_write(path, text, strlen(text), 0600, error);
  free(text);
  return status;
}

static enum collega_status find_name(const struct view *view, const char *typed,
                                     char name[2 * PLAN_ID_BYTES + 1],
                                     struct collega_error *error) {
  char directory[4096];
  struct id_search search;
  uint8_t found[PLAN_ID_BYTES];
  enum collega_status status = plans_path(view, NULL, directory, error);
  if (status != COLLEGA_OK) return status;
  if (!id_search_begin(&search, typed, PLAN_ID_BYTES))
    return error_set(error, COLLEGA_INVALID, RULE_id_malformed, NULL, typed, NULL);
  DIR *entries = opendir(directory);
  if (!entries) return error_system(error, directory, errno);
  for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
    uint8_t id[PLAN_ID_BYTES];
    if (is_plan_name(entry->d_name) && hex_read(id, PLAN_ID_BYTES, entry->d_name) &&
        !id_search_give(&search, id))
      break;
  }
  closedir(entries);
  status = id_search_end(&search, typed, found, error);
  if (status == COLLEGA_NOT_FOUND)
    return error_set(error, COLLEGA_NOT_FOUND, RULE_plan_unknown, NULL, typed, NULL);
  if (status == COLLEGA_OK) hex_write(name, found, PLAN_ID_BYTES);
  return status;
}

enum collega_status plan_file_read(const struct view *view, const char *typed, json_t **out,
                                   struct collega_error *error) {
  char name[2 * PLAN_ID_BYTES + 1], path[4096];
  struct buffer text;
  *out = NULL;
  enum collega_status status = find_name(view, typed, name, error);
  if (status == COLLEGA_OK) status = plans_path(view, name, path, error);
  if (status != COLLEGA_OK) return status;
  status = file_read(path, PLAN_FILE_BYTES, &text, error);
  if (status == COLLEGA_OK) {
    *out = json_loadb((const char *)text.data, text.length, 0, NULL);
    if (!json_is_object(*out) || !json_is_array(json_object_get(*out, "loans"))) {
      json_decref(*out);
      *out = NULL;
      status = error_set(error, COLLEGA_DAMAGED, RULE_plan_damaged, NULL, path, NULL);
    }
  }
  buffer_free(&text);
  return status;
}
