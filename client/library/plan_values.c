/* A plan's document as values. It is read once; what is given out are its own strings, and a few made beside them. */
#include <stdio.h>
#include <stdlib.h>

#include "client/library/node.h"
#include "client/library/planning.h"
#include "client/library/slot_words.h"
#include "proto/lists.h"

#define PLAN_ARENA_BYTES (1024u * 1024u * 1024u)

struct collega_plan {
  json_t *plan;
  struct arena *arena;
  const char **slots, **when; /* by loan */
};

void collega_plan_destroy(struct collega_plan **plan) {
  if (!plan || !*plan) return;
  json_decref((*plan)->plan);
  arena_destroy(&(*plan)->arena);
  free(*plan);
  *plan = NULL;
}

static const json_t *loan_of(const struct collega_plan *plan, size_t index) {
  return json_array_get(json_object_get(plan->plan, "loans"), index);
}

/* "mon-am;mon-pm", as tables of offers have it */
static const char *list_slots(struct arena *arena, uint32_t slots) {
  char text[WEEK_SLOTS * sizeof "mon-am;"] = "";
  size_t length = 0;
  for (unsigned slot = 0; slot < WEEK_SLOTS; ++slot)
    if (slots & 1u << slot)
      length += (size_t)snprintf(text + length, sizeof text - length, "%s%s", length ? ";" : "",
                                 slot_text((int)slot));
  return arena_text(arena, text);
}

static bool name_days(struct collega_plan *plan, enum language language) {
  size_t count = json_array_size(json_object_get(plan->plan, "loans"));
  plan->slots = arena_take(plan->arena, (count + 1) * sizeof *plan->slots);
  plan->when = arena_take(plan->arena, (count + 1) * sizeof *plan->when);
  for (size_t i = 0; plan->slots && plan->when && i < count; ++i) {
    uint32_t slots = slots_of_json(json_object_get(loan_of(plan, i), "slots"));
    plan->slots[i] = list_slots(plan->arena, slots);
    plan->when[i] = slot_words(plan->arena, language, slots);
    if (!plan->slots[i]) return false;
  }
  return plan->slots && plan->when && !arena_exhausted(plan->arena);
}

struct collega_plan *plan_values_take(json_t *document, enum language language) {
  struct collega_plan *plan = calloc(1, sizeof *plan);
  if (!plan) {
    json_decref(document);
    return NULL;
  }
  plan->plan = document;
  plan->arena = arena_new(4096, PLAN_ARENA_BYTES);
  if (!plan->arena || !name_days(plan, language)) collega_plan_destroy(&plan);
  return plan;
}

/* ---- the values */

static int64_t integer(const json_t *object, const char *name) {
  return json_integer_value(json_object_get(object, name));
}
static double number(const json_t *object, const char *name) {
  return json_number_value(json_object_get(object, name));
}
static const char *text(const json_t *object, const char *name) {
  const char *out = json_string_value(json_object_get(object, name));
  return out ? out : "";
}

const char *collega_plan_id(const struct collega_plan *plan) {
  return text(plan->plan, "id");
}

void collega_plan_figures(const struct collega_plan *plan, struct collega_plan_figures *out) {
  const json_t *all = plan->plan;
  fill_sized(
      out,
      &(struct collega_plan_figures){.loans = json_array_size(json_object_get(all, "loans")),
                                     .people = integer(all, "people"),
                                     .people_offered = integer(all, "people_offered"),
                                     .people_asked = integer(all, "people_asked"),
                                     .employers = integer(all, "employers"),
                                     .hours = integer(all, "hours"),
                                     .hours_asked = integer(all, "hours_asked"),
                                     .value = number(all, "value"),
                                     .bound = number(all, "bound"),
                                     .optimal = json_is_true(json_object_get(all, "optimal")),
                                     .pairs_cut = json_is_true(json_object_get(all, "pairs_cut"))},
      sizeof *out);
}

const char *collega_plan_sentence(const struct collega_plan *plan, size_t index) {
  return json_string_value(json_array_get(json_object_get(plan->plan, "sentences"), index));
}

int collega_plan_loan(const struct collega_plan *plan, size_t index,
                      struct collega_plan_loan *out) {
  const json_t *loan = loan_of(plan, index);
  if (!loan) return 0;
  const json_t *supply = json_object_get(loan, "supply"), *demand = json_object_get(loan, "demand");
  const json_t *lender = json_object_get(supply, "party"),
               *borrower = json_object_get(demand, "party");
  fill_sized(out,
             &(struct collega_plan_loan){.supply_offer = text(supply, "offer"),
                                         .demand_offer = text(demand, "offer"),
                                         .lender = text(lender, "name"),
                                         .lender_kvk = text(lender, "kvk"),
                                         .borrower = text(borrower, "name"),
                                         .borrower_kvk = text(borrower, "kvk"),
                                         .people = (uint32_t)integer(loan, "people"),
                                         .hours_per_week = (uint32_t)integer(loan, "hours"),
                                         .ring = (uint32_t)integer(loan, "ring"),
                                         .slots = plan->slots[index],
                                         .when = plan->when[index],
                                         .score = number(loan, "score"),
                                         .deal = text(loan, "deal")},
             sizeof *out);
  return 1;
}

static const char *said(const struct collega_plan *plan, size_t loan, const char *list,
                        size_t index) {
  const json_t *all = json_object_get(loan_of(plan, loan), list);
  return json_string_value(json_object_get(json_array_get(all, index), "text"));
}

const char *collega_plan_reason(const struct collega_plan *plan, size_t loan, size_t index) {
  return said(plan, loan, "reasons", index);
}

const char *collega_plan_gap(const struct collega_plan *plan, size_t loan, size_t index) {
  return said(plan, loan, "gaps", index);
}
