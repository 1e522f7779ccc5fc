/* A plan as a document and as sentences, and the files that keep it. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
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
#define HALF_UP       1e-9 /* 0.925 is read as 0.93, here and in the table of loans */

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
  int32_t people = supply->people < demand->people ? supply->people : demand->people;
  double score = (double)pair->score / PLAN_SCORE_MOST;
  unsigned hours = supply->card->hours_max < demand->card->hours_max ? supply->card->hours_max
                                                                     : demand->card->hours_max;
  return json_pack("{s:I, s:i, s:f, s:f, s:o, s:o}", "people", (json_int_t)people, "hours",
                   (int)hours, "score", score, "value", score * people, "supply",
                   side_json(view, supply), "demand", side_json(view, demand));
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

/* ---- sentences */

struct saying {
  const struct view *view;
  const json_t *plan;
  json_t *list;
};

static void add_sentence(struct saying *saying, enum rule rule, const char *one, const char *two,
                         const char *three, const char *four) {
  char text[SENTENCE * 2];
  const char *arguments[COLLEGA_ERROR_ARGUMENTS] = {one, two, three, four};
  words_render(saying->view->language, rule, arguments, COLLEGA_ERROR_ARGUMENTS, text, sizeof text);
  if (saying->list) saying->list = json_add(saying->list, json_string(text));
}

static const char *number_of(const struct saying *saying, int64_t number) {
  const char *text = arena_print(saying->view->arena, "%" PRId64, number);
  return text ? text : "";
}
/* "1 mens", "40 mensen" */
static const char *counted(const struct saying *saying, int64_t number, enum rule one,
                           enum rule many) {
  char text[100];
  const char *digits = number_of(saying, number);
  words_render(saying->view->language, number == 1 ? one : many, &digits, 1, text, sizeof text);
  const char *out = arena_text(saying->view->arena, text);
  return out ? out : "";
}
static const char *people_of(const struct saying *saying, int64_t number) {
  return counted(saying, number, RULE_plan_people_one, RULE_plan_people);
}
static int64_t figure(const struct saying *saying, const char *name) {
  return json_integer_value(json_object_get(saying->plan, name));
}
/* "0,83" in Dutch, "0.83" in English. */
static const char *fraction_of(const struct saying *saying, double value) {
  char *text = arena_print(saying->view->arena, "%.2f", value + HALF_UP);
  char *point = text ? strchr(text, '.') : NULL;
  if (point && saying->view->language == LANGUAGE_NL) *point = ',';
  return text ? text : "";
}
static bool kind_is(const struct saying *saying, const char *kind) {
  const char *is = json_string_value(json_object_get(saying->plan, "kind"));
  return is && strcmp(is, kind) == 0;
}
static const char *side_name(const json_t *loan, const char *side) {
  const char *name = json_string_value(
      json_object_get(json_object_get(json_object_get(loan, side), "party"), "name"));
  return name ? name : "";
}

static void say_done(struct saying *saying) {
  bool supplies = json_is_true(json_object_get(saying->plan, "supplies"));
  int64_t people = figure(saying, "people");
  double value = json_number_value(json_object_get(saying->plan, "value"));
  const char *employers =
      counted(saying, figure(saying, "employers"), RULE_plan_employers_one, RULE_plan_employers);
  if (kind_is(saying, "carved")) {
    int64_t hours = figure(saying, "hours");
    add_sentence(saying, RULE_plan_said_carved, number_of(saying, hours),
                 number_of(saying, figure(saying, "hours_asked")), people_of(saying, people),
                 fraction_of(saying, hours ? value / (double)hours : 0));
    add_sentence(saying, RULE_plan_said_nothing_hours,
                 number_of(saying, figure(saying, "hours_asked")), NULL, NULL, NULL);
    return;
  }
  const char *average = fraction_of(saying, people ? value / (double)people : 0);
  if (kind_is(saying, "offer")) {
    const char *asked =
        number_of(saying, figure(saying, supplies ? "people_offered" : "people_asked"));
    add_sentence(saying, supplies ? RULE_plan_said_placed : RULE_plan_said_filled,
                 number_of(saying, people), asked, employers, average);
    add_sentence(saying, supplies ? RULE_plan_said_nothing_placed : RULE_plan_said_nothing_filled,
                 people_of(saying, figure(saying, supplies ? "people_offered" : "people_asked")),
                 NULL, NULL, NULL);
    return;
  }
  add_sentence(saying, kind_is(saying, "rings") ? RULE_plan_said_rings : RULE_plan_said_board,
               people_of(saying, people), number_of(saying, figure(saying, "employers")), average,
               NULL);
  add_sentence(
      saying, RULE_plan_said_nothing_board, people_of(saying, figure(saying, "people_offered")),
      counted(saying, figure(saying, "people_asked"), RULE_plan_places_one, RULE_plan_places), NULL,
      NULL);
}

static void say_single(struct saying *saying) {
  const json_t *single = json_object_get(saying->plan, "best_single");
  const json_t *loans = json_object_get(saying->plan, "loans");
  if (!json_is_object(single)) return;
  int64_t people = json_integer_value(json_object_get(single, "people"));
  const char *score = fraction_of(saying, json_number_value(json_object_get(single, "score")));
  bool supplies = json_is_true(json_object_get(saying->plan, "supplies"));
  const char *who = side_name(single, supplies ? "demand" : "supply");
  if (kind_is(saying, "carved")) {
    int64_t hours = people * json_integer_value(json_object_get(single, "hours"));
    add_sentence(saying, RULE_plan_said_single_hours, number_of(saying, hours), who, score, NULL);
    return;
  }
  if (kind_is(saying, "offer") && json_array_size(loans) == 1 &&
      json_integer_value(json_object_get(json_array_get(loans, 0), "people")) == people) {
    add_sentence(saying, RULE_plan_said_single_same, who, NULL, NULL, NULL);
    return;
  }
  int64_t more = figure(saying, "people") - people;
  add_sentence(saying, more > 0 ? RULE_plan_said_single_more : RULE_plan_said_single,
               people_of(saying, people), who, score, number_of(saying, more));
}

static void say_bound(struct saying *saying) {
  double value = json_number_value(json_object_get(saying->plan, "value"));
  double bound = json_number_value(json_object_get(saying->plan, "bound"));
  if (json_is_true(json_object_get(saying->plan, "optimal"))) {
    bool cut = json_is_true(json_object_get(saying->plan, "pairs_cut"));
    add_sentence(saying, cut ? RULE_plan_said_best_seen : RULE_plan_said_best, NULL, NULL, NULL,
                 NULL);
    return;
  }
  double more = value > 0 ? ceil((bound - value) / value * 100.0) : 100;
  add_sentence(saying, RULE_plan_said_bound, number_of(saying, (int64_t)more), NULL, NULL, NULL);
}

static void say_rings(struct saying *saying) {
  size_t index;
  json_t *loan;
  json_array_foreach(json_object_get(saying->plan, "loans"), index, loan) {
    int64_t ring = json_integer_value(json_object_get(loan, "ring"));
    int64_t people = json_integer_value(json_object_get(loan, "people"));
    if (ring)
      add_sentence(saying, RULE_plan_said_ring, number_of(saying, ring), side_name(loan, "supply"),
                   people_of(saying, people), side_name(loan, "demand"));
  }
}

json_t *plan_sentences(const struct view *view, const json_t *plan) {
  struct saying saying = {view, plan, json_array()};
  if (json_array_size(json_object_get(plan, "loans")) == 0) {
    add_sentence(&saying, RULE_plan_said_none, NULL, NULL, NULL, NULL);
    return saying.list;
  }
  say_done(&saying);
  say_single(&saying);
  say_bound(&saying);
  say_rings(&saying);
  return saying.list;
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
