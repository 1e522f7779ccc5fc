/* plan, plan show, plan propose. A plan is told out of its document, so that what is kept and what is shown are one. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/deals.h"
#include "client/library/planning.h"
#include "client/library/slot_words.h"

#define GAPS_SHOWN 12u /* of a plan; --json has all */

/* ---- showing */

static const char *text_of(struct desk *desk, const json_t *object, const char *name) {
  return safe(desk, json_string_value(json_object_get(object, name)));
}

static const char *who(struct desk *desk, const json_t *loan, const char *side) {
  return text_of(desk, json_object_get(json_object_get(loan, side), "party"), "name");
}

static const char *slots_text(struct desk *desk, const json_t *loan) {
  return slot_words(desk->arena, desk->language, slots_of_json(json_object_get(loan, "slots")));
}

static void loan_row(struct desk *desk, struct table *table, const json_t *loan) {
  char people[24], hours[24], score[FRACTION_BYTES], ring[24] = "";
  snprintf(people, sizeof people, "%" PRId64,
           (int64_t)json_integer_value(json_object_get(loan, "people")));
  snprintf(hours, sizeof hours, "%" PRId64,
           (int64_t)json_integer_value(json_object_get(loan, "hours")));
  fraction_write(score, desk->language, json_number_value(json_object_get(loan, "score")));
  if (json_object_get(loan, "ring"))
    snprintf(ring, sizeof ring, "%" PRId64,
             (int64_t)json_integer_value(json_object_get(loan, "ring")));
  const json_t *supply = json_object_get(loan, "supply"), *demand = json_object_get(loan, "demand");
  table_row(table,
            (const char *const[]){ring, people, hours, score, who(desk, loan, "supply"),
                                  text_of(desk, supply, "title"), text_of(desk, supply, "place"),
                                  who(desk, loan, "demand"), text_of(desk, demand, "title"),
                                  text_of(desk, demand, "place"), slots_text(desk, loan)});
}

static enum collega_status print_loans(struct desk *desk, const json_t *loans,
                                       struct collega_error *error) {
  static const char *const dutch[] = {"ring", "mensen", "uren",   "score", "van",    "biedt",
                                      "in",   "naar",   "vraagt", "te",    "wanneer"};
  static const char *const english[] = {"ring", "people", "hours", "score", "from", "offers",
                                        "in",   "to",     "asks",  "at",    "when"};
  struct table *table = table_new(11, desk->language == LANGUAGE_NL ? dutch : english,
                                  1u | 1u << 1 | 1u << 2 | 1u << 3);
  if (!table) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  table_may_cut(table, 1u << 5 | 1u << 6 | 1u << 8 | 1u << 9);
  size_t index;
  json_t *loan;
  json_array_foreach(loans, index, loan) loan_row(desk, table, loan);
  table_print(table, stdout);
  table_destroy(&table);
  return COLLEGA_OK;
}

/* How many loans have this gap. */
static size_t count_gap(const json_t *loans, const char *text) {
  size_t count = 0, index, number;
  json_t *loan, *gap;
  json_array_foreach(loans, index, loan)
      json_array_foreach(json_object_get(loan, "gaps"), number, gap) {
    const char *has = json_string_value(json_object_get(gap, "text"));
    count += has && strcmp(has, text) == 0;
  }
  return count;
}

/* Whether it was told: by an earlier loan. */
static bool is_told(const json_t *loans, size_t before, const char *text) {
  size_t number;
  json_t *gap;
  for (size_t i = 0; i < before; ++i)
    json_array_foreach(json_object_get(json_array_get(loans, i), "gaps"), number, gap) {
      const char *has = json_string_value(json_object_get(gap, "text"));
      if (has && strcmp(has, text) == 0) return true;
    }
  return false;
}

/* What a planner should know before proposing: the gaps, each once. */
static void print_gaps(struct desk *desk, const json_t *loans) {
  size_t index, number, told = 0, all = json_array_size(loans);
  json_t *loan, *gap;
  json_array_foreach(loans, index, loan) {
    json_array_foreach(json_object_get(loan, "gaps"), number, gap) {
      const char *text = json_string_value(json_object_get(gap, "text"));
      if (told == GAPS_SHOWN) return;
      if (!text || is_told(loans, index, text)) continue;
      if (told++ == 0) say(desk, RULE_said_plan_watch, NULL);
      size_t count = count_gap(loans, text);
      if (count == all && all > 1)
        say(desk, RULE_said_plan_gap_all, safe(desk, text), NULL);
      else if (count > 1)
        say(desk, RULE_said_plan_gap_many, safe(desk, text), count_text(desk, count),
            count_text(desk, all), NULL);
      else
        say(desk, RULE_said_plan_gap, who(desk, loan, "supply"), who(desk, loan, "demand"),
            safe(desk, text), NULL);
    }
  }
}

/* Consumes the plan. */
static enum collega_status tell_plan(struct desk *desk, json_t *plan, struct collega_error *error) {
  struct view view = desk_view(desk);
  json_t *sentences = plan_sentences(&view, plan);
  const json_t *loans = json_object_get(plan, "loans");
  if (argument_json(desk->arguments)) {
    if (!json_put(plan, "sentences", sentences)) {
      json_decref(plan);
      plan = NULL;
    }
    return json_print(plan, error);
  }
  enum collega_status status = COLLEGA_OK;
  if (json_array_size(loans)) status = print_loans(desk, loans, error);
  size_t index;
  json_t *sentence;
  json_array_foreach(sentences, index, sentence)
      printf("%s\n", safe(desk, json_string_value(sentence)));
  print_gaps(desk, loans);
  if (json_array_size(loans)) {
    const char *id = text_of(desk, plan, "id");
    say(desk, RULE_said_plan_next, arena_print(desk->arena, "%.8s", id), NULL);
  }
  json_decref(sentences);
  json_decref(plan);
  return status;
}

/* ---- making */

static enum collega_status read_request(struct desk *desk, struct planning_request *request,
                                        struct collega_error *error) {
  const struct arguments *arguments = desk->arguments;
  const char *offer = argument_value(arguments, "offer");
  bool rings = argument_value(arguments, "rings") != NULL;
  int64_t seconds = PLAN_SECONDS;
  enum collega_status status =
      argument_number(arguments, "time", 1, PLAN_SECONDS_MOST, PLAN_SECONDS, &seconds, error);
  request->seconds = (int)seconds;
  request->kind = offer ? PLANNING_OFFER : rings ? PLANNING_RINGS : PLANNING_BOARD;
  if (status == COLLEGA_OK && offer) {
    status = desk_offer_id(desk, offer, &request->offer, error);
    if (status != COLLEGA_OK) error_prefix(error, "--offer");
  }
  return status;
}

enum collega_status command_plan(const struct arguments *arguments, struct collega_error *error) {
  struct desk desk;
  struct planning planning = {0};
  struct planning_request request = {0};
  bool board = argument_value(arguments, "board") != NULL;
  bool rings = argument_value(arguments, "rings") != NULL;
  if (board == (argument_value(arguments, "offer") != NULL) || (rings && !board))
    return error_set(error, COLLEGA_USAGE, RULE_plan_of_what, NULL, NULL);
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  status = read_request(&desk, &request, error);
  struct view view = desk_view(&desk);
  if (status == COLLEGA_OK) status = planning_make(&view, &request, &planning, error);
  if (status == COLLEGA_OK) {
    json_t *plan = document_plan(&view, &planning);
    if (!plan) status = error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
    if (status == COLLEGA_OK) status = plan_file_write(&view, plan, error);
    if (status == COLLEGA_OK)
      status = tell_plan(&desk, plan, error);
    else
      json_decref(plan);
  }
  planning_free(&planning);
  desk_close(&desk);
  return status;
}

enum collega_status command_plan_show(const struct arguments *arguments,
                                      struct collega_error *error) {
  struct desk desk;
  json_t *plan = NULL;
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  struct view view = desk_view(&desk);
  status = plan_file_read(&view, argument_at(arguments, 0), &plan, error);
  if (status == COLLEGA_OK) status = tell_plan(&desk, plan, error);
  desk_close(&desk);
  return status;
}

/* ---- proposing */

/* As they are made: what is printed has been done. */
static void tell_tried(void *context, const json_t *other, const struct id *deal, const char *why) {
  struct desk *desk = context;
  if (argument_json(desk->arguments)) return;
  if (deal)
    printf("%s\n", hex_text(desk, deal->byte, ID_BYTES));
  else
    fprintf(stderr, "%s: %s\n", text_of(desk, other, "name"), safe(desk, why));
  fflush(stdout);
}

static enum collega_status propose_all(struct desk *desk, json_t *plan,
                                       const struct proposal *wanted, struct collega_error *error) {
  struct view view = desk_view(desk);
  const struct id *only = argument_value(desk->arguments, "as") ? &desk->party : NULL;
  json_t *out = NULL;
  desk_release(desk);
  enum collega_status status =
      plan_propose(&view, plan, only, wanted, tell_tried, desk, &out, error);
  if (status != COLLEGA_OK) return status;
  size_t made = json_array_size(json_object_get(out, "deals"));
  size_t refused = json_array_size(json_object_get(out, "refused"));
  if (argument_json(desk->arguments))
    status = json_print(out, error);
  else
    json_decref(out);
  if (status == COLLEGA_OK && refused)
    return error_set(error, COLLEGA_REFUSED, RULE_plan_some_refused, NULL,
                     count_text(desk, refused), count_text(desk, made + refused), NULL);
  return status;
}

enum collega_status command_plan_propose(const struct arguments *arguments,
                                         struct collega_error *error) {
  struct desk desk;
  struct proposal wanted = {0};
  struct id mandate;
  json_t *plan = NULL;
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  status = desk_read_proposal(&desk, &wanted, error); /* usage before look-ups */
  struct view view = desk_view(&desk);
  if (status == COLLEGA_OK) status = plan_file_read(&view, argument_at(arguments, 0), &plan, error);
  if (status == COLLEGA_OK) status = desk_mandate_option(&desk, &mandate, &wanted.mandate, error);
  if (status == COLLEGA_OK) status = propose_all(&desk, plan, &wanted, error);
  json_decref(plan);
  desk_close(&desk);
  return status;
}
