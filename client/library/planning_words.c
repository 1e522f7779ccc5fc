/* A plan in sentences, out of its document: what is kept, shown and told is one. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/library/planning.h"
#include "client/library/slot_words.h"

#define SENTENCE    1600
#define PIECES_TOLD 12u /* of one job; the table of loans has all */
#define JOBS_TOLD   20u

struct saying {
  const struct view *view;
  const json_t *plan;
  json_t *list;
};

static const char *rendered(const struct saying *saying, enum rule rule, const char *one,
                            const char *two, const char *three, const char *four) {
  char text[SENTENCE];
  const char *arguments[COLLEGA_ERROR_ARGUMENTS] = {one, two, three, four};
  words_render(saying->view->language, rule, arguments, COLLEGA_ERROR_ARGUMENTS, text, sizeof text);
  const char *out = arena_text(saying->view->arena, text);
  return out ? out : "";
}

static void add_sentence(struct saying *saying, enum rule rule, const char *one, const char *two,
                         const char *three, const char *four) {
  const char *text = rendered(saying, rule, one, two, three, four);
  if (saying->list) saying->list = json_add(saying->list, json_string(text));
}

static const char *number_of(const struct saying *saying, int64_t number) {
  const char *text = arena_print(saying->view->arena, "%" PRId64, number);
  return text ? text : "";
}
/* "1 mens", "40 mensen" */
static const char *counted(const struct saying *saying, int64_t number, enum rule one,
                           enum rule many) {
  return rendered(saying, number == 1 ? one : many, number_of(saying, number), NULL, NULL, NULL);
}
static const char *people_of(const struct saying *saying, int64_t number) {
  return counted(saying, number, RULE_plan_people_one, RULE_plan_people);
}
static int64_t figure(const struct saying *saying, const char *name) {
  return json_integer_value(json_object_get(saying->plan, name));
}
static const char *fraction_of(const struct saying *saying, double value) {
  char text[FRACTION_BYTES];
  fraction_write(text, saying->view->language, value);
  const char *kept = arena_print(saying->view->arena, "%s", text);
  return kept ? kept : "";
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

/* Over the people of all loans. */
static double average_score(const struct saying *saying) {
  double sum = 0, people = 0;
  size_t index;
  json_t *loan;
  json_array_foreach(json_object_get(saying->plan, "loans"), index, loan) {
    double count = json_number_value(json_object_get(loan, "people"));
    sum += count * json_number_value(json_object_get(loan, "score"));
    people += count;
  }
  return people > 0 ? sum / people : 0;
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
  const char *average = fraction_of(saying, average_score(saying));
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
    add_sentence(saying, RULE_plan_said_single_hours, number_of(saying, hours), who, score,
                 number_of(saying, figure(saying, "hours") - hours));
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

/* How much better something worth `most` is than the plan, in per cent, rounded up. */
static const char *better(const struct saying *saying, const char *most) {
  double value = json_number_value(json_object_get(saying->plan, "value"));
  double bound = json_number_value(json_object_get(saying->plan, most));
  double more = value > 0 ? ceil((bound - value) / value * 100.0) : 100;
  return number_of(saying, more > 0 ? (int64_t)more : 0);
}

static void say_bound(struct saying *saying) {
  bool cut = json_is_true(json_object_get(saying->plan, "pairs_cut"));
  bool alone = json_object_get(saying->plan, "offer") != NULL;
  if (cut)
    add_sentence(saying, alone ? RULE_plan_said_cut_offer : RULE_plan_said_cut,
                 number_of(saying, alone ? PLAN_LENDERS_MOST : PLAN_NEIGHBOURS), NULL, NULL, NULL);
  if (!json_is_true(json_object_get(saying->plan, "optimal")))
    add_sentence(saying, RULE_plan_said_bound, better(saying, "bound"), NULL, NULL, NULL);
  else
    add_sentence(saying, cut ? RULE_plan_said_best_seen : RULE_plan_said_best, NULL, NULL, NULL,
                 NULL);
  if (!cut) return;
  if (json_is_number(json_object_get(saying->plan, "board_bound")))
    add_sentence(saying, RULE_plan_said_cut_bound, better(saying, "board_bound"), NULL, NULL, NULL);
  else
    add_sentence(saying, RULE_plan_said_cut_time, NULL, NULL, NULL, NULL);
}

/* ---- who has which days of a job that is shared */

struct piece {
  uint32_t slots; /* 0: none named */
  const json_t *loan;
};

static int by_days(const void *one, const void *other) {
  return slots_compare(((const struct piece *)one)->slots, ((const struct piece *)other)->slots);
}

/* "Snijder BV (24 uur)", "Jansen (2 mensen, elk 16 uur)" */
static const char *piece_words(const struct saying *saying, const json_t *loan) {
  int64_t people = json_integer_value(json_object_get(loan, "people"));
  const char *hours = number_of(saying, json_integer_value(json_object_get(loan, "hours")));
  const char *name = side_name(loan, "supply");
  return people == 1 ? rendered(saying, RULE_plan_days_person, name, hours, NULL, NULL)
                     : rendered(saying, RULE_plan_days_people, name, people_of(saying, people),
                                hours, NULL);
}

static const char *joined(const struct saying *saying, const char *list, const char *mark,
                          const char *more) {
  const char *out = *list ? arena_print(saying->view->arena, "%s%s%s", list, mark, more) : more;
  return out ? out : "";
}

/* Pieces with the same days together. */
static const char *days_words(const struct saying *saying, const struct piece *pieces,
                              size_t count) {
  const char *text = "";
  for (size_t i = 0; i < count;) {
    uint32_t slots = pieces[i].slots;
    const char *who = "";
    for (; i < count && pieces[i].slots == slots; ++i)
      who = joined(saying, who, ", ", piece_words(saying, pieces[i].loan));
    const char *when = slots ? slot_words(saying->view->arena, saying->view->language, slots)
                             : rendered(saying, RULE_plan_days_open, NULL, NULL, NULL, NULL);
    text = joined(saying, text, "; ", rendered(saying, RULE_plan_days_of, when, who, NULL, NULL));
  }
  return text;
}

/* Names of days begin with letters of ASCII in both languages. */
static const char *with_capital(const struct saying *saying, const char *text) {
  char *out = arena_text(saying->view->arena, text);
  if (out && *out >= 'a' && *out <= 'z') *out = (char)(*out - 'a' + 'A');
  return out ? out : "";
}

/* loans[from .. end): the parts of one job, which lie together. */
static void say_days_of(struct saying *saying, const json_t *loans, size_t from, size_t end) {
  struct piece pieces[PIECES_TOLD];
  size_t count = end - from;
  uint32_t named = 0;
  if (count < 2 || count > PIECES_TOLD) return;
  for (size_t i = 0; i < count; ++i) {
    pieces[i].loan = json_array_get(loans, from + i);
    pieces[i].slots = slots_of_json(json_object_get(pieces[i].loan, "slots"));
    named |= pieces[i].slots;
  }
  if (!named) return;
  qsort(pieces, count, sizeof *pieces, by_days);
  const char *days = with_capital(saying, days_words(saying, pieces, count));
  if (kind_is(saying, "carved"))
    add_sentence(saying, RULE_plan_said_days, days, NULL, NULL, NULL);
  else
    add_sentence(saying, RULE_plan_said_days_at, side_name(pieces[0].loan, "demand"), days, NULL,
                 NULL);
}

static const char *shared_offer(const json_t *loan) {
  if (!json_is_true(json_object_get(loan, "shared"))) return NULL;
  return json_string_value(json_object_get(json_object_get(loan, "demand"), "offer"));
}

static void say_days(struct saying *saying) {
  const json_t *loans = json_object_get(saying->plan, "loans");
  size_t count = json_array_size(loans), told = 0;
  for (size_t i = 0; i < count && told < JOBS_TOLD;) {
    size_t end = i + 1;
    const char *job = shared_offer(json_array_get(loans, i));
    for (; job && end < count; ++end) {
      const char *other = shared_offer(json_array_get(loans, end));
      if (!other || strcmp(job, other) != 0) break;
    }
    if (job) {
      say_days_of(saying, loans, i, end);
      ++told;
    }
    i = end;
  }
}

/* A sentence for each ring: "Ring 1: A lends 3 people to B, B to C, C to A." */
static void say_rings(struct saying *saying) {
  int64_t ring = 0;
  const char *text = "";
  size_t index;
  json_t *loan;
  json_array_foreach(json_object_get(saying->plan, "loans"), index, loan) {
    int64_t number = json_integer_value(json_object_get(loan, "ring"));
    const char *lender = side_name(loan, "supply"), *borrower = side_name(loan, "demand");
    if (number == ring && number) {
      text = rendered(saying, RULE_plan_said_ring_next, text, lender, borrower, NULL);
      continue;
    }
    if (ring) add_sentence(saying, RULE_plan_said_ring_end, text, NULL, NULL, NULL);
    ring = number;
    if (!ring) continue;
    int64_t people = json_integer_value(json_object_get(loan, "people"));
    text = rendered(saying, RULE_plan_said_ring, number_of(saying, ring), lender,
                    people_of(saying, people), borrower);
  }
  if (ring) add_sentence(saying, RULE_plan_said_ring_end, text, NULL, NULL, NULL);
}

json_t *plan_sentences(const struct view *view, const json_t *plan) {
  struct saying saying = {view, plan, json_array()};
  if (json_array_size(json_object_get(plan, "loans")) == 0) {
    add_sentence(&saying, RULE_plan_said_none, NULL, NULL, NULL, NULL);
    return saying.list;
  }
  say_done(&saying);
  say_days(&saying);
  say_single(&saying);
  say_bound(&saying);
  say_rings(&saying);
  return saying.list;
}
