/* Carving a job of ours: who works when already, who could work when, and the loans that share its places. */
#include <stdlib.h>

#include "client/ledger/holds.h"
#include "client/library/planning.h"
#include "client/library/slot_words.h"
#include "proto/lists.h"

static enum collega_status no_memory(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

bool planning_may_carve(const struct planned *job) {
  return job->offer->has_carve && job->offer->carve && !kind_supplies(job->offer->kind) &&
         job->card->min_headcount <= 1;
}

/* ---- who works when already: by the terms of the deals that hold people. Terms that name no part of the week
 * stand in the way of all of it. */

#define EVERY_SLOT ((1u << WEEK_SLOTS) - 1)

struct taking {
  const struct view *view;
  collega_date from, until;
  int32_t *people; /* by slot: the most on any day */
};

static enum collega_status slots_of_hold(const struct view *view, const CollegaStore__Hold *hold,
                                         uint32_t *out, struct collega_error *error) {
  struct id deal;
  CollegaStore__DealRow *row = NULL;
  Collega__Terms *terms = NULL;
  *out = EVERY_SLOT;
  if (!id_from(&deal, hold->deal.data, hold->deal.len)) return COLLEGA_OK;
  enum collega_status status = view_deal(view, &deal, &row, error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status == COLLEGA_OK) status = view_terms(view, row, &terms, error);
  if (status != COLLEGA_OK || !terms || !terms->work || !terms->work->n_slots) return status;
  *out = 0;
  for (size_t i = 0; i < terms->work->n_slots; ++i) {
    int slot = slot_index(terms->work->slots[i]);
    if (slot >= 0) *out |= 1u << slot;
  }
  return COLLEGA_OK;
}

static bool same_root(const CollegaStore__Hold *one, const CollegaStore__Hold *other) {
  return bytes_equal(bytes_of(one->root.data, one->root.len),
                     bytes_of(other->root.data, other->root.len));
}

/* Within one negotiation the larger counts, as holds do. */
static void count_day(const struct taking *taking, const CollegaStore__Hold *const *rows,
                      const uint32_t *slots, size_t count, collega_date day) {
  for (unsigned slot = 0; slot < WEEK_SLOTS; ++slot) {
    uint64_t sum = 0, largest = 0;
    for (size_t i = 0; i < count; ++i) {
      if (i && !same_root(rows[i], rows[i - 1])) {
        sum += largest;
        largest = 0;
      }
      uint64_t people = slots[i] & 1u << slot ? holds_row_on_day(rows[i], day) : 0;
      if (people > largest) largest = people;
    }
    sum += largest;
    if (sum > (uint64_t)taking->people[slot])
      taking->people[slot] = sum < INT32_MAX ? (int32_t)sum : INT32_MAX;
  }
}

/* As with all holds, the most are there on the first day, or on one on which some begin. */
static enum collega_status look(void *context, const CollegaStore__Hold *const *rows, size_t count,
                                struct collega_error *error) {
  struct taking *taking = context;
  uint32_t *slots = arena_take(taking->view->arena, (count + 1) * sizeof *slots);
  if (!slots) return no_memory(error);
  for (size_t i = 0; i < count; ++i) {
    enum collega_status status = slots_of_hold(taking->view, rows[i], &slots[i], error);
    if (status != COLLEGA_OK) return status;
  }
  count_day(taking, rows, slots, count, taking->from);
  for (size_t i = 0; i < count; ++i)
    if (rows[i]->from > taking->from && rows[i]->from <= taking->until)
      count_day(taking, rows, slots, count, rows[i]->from);
  return COLLEGA_OK;
}

enum collega_status planning_take_parts(const struct view *view, struct planning *out,
                                        struct planned *job, struct collega_error *error) {
  const Collega__Period *period = job->offer->period;
  struct taking taking = {.view = view,
                          .from = period->from,
                          .until = period->has_until ? period->until : DATE_OPEN,
                          .people = arena_zero(out->arena, WEEK_SLOTS * sizeof *taking.people)};
  if (!taking.people) return no_memory(error);
  job->taken_people = taking.people;
  return holds_show(view->txn, &job->author, &job->id, look, &taking, error);
}

/* ---- the job in pieces */

/* Who lends only several at once does not fill a piece. */
static struct carve_lender *carve_lenders(const struct view *view, const struct planning *out) {
  const struct match_card *job = out->offers[0].card;
  struct carve_lender *lenders = arena_zero(view->arena, (out->pair_count + 1) * sizeof *lenders);
  for (size_t i = 0; lenders && i < out->pair_count; ++i) {
    const struct planned *from = &out->offers[out->pairs[i].supply];
    const struct match_card *card = from->card;
    lenders[i] = (struct carve_lender){
        .people = out->pairs[i].least > 1 ? 0 : from->people,
        .score = out->pairs[i].score,
        .hours_min = card->hours_min > job->hours_min ? card->hours_min : job->hours_min,
        .hours_max = card->hours_max < job->hours_max ? card->hours_max : job->hours_max,
        .slots = card->slots};
  }
  return lenders;
}

/* As the week goes; then who works the most hours. */
static int by_days(const void *one, const void *other) {
  const struct planned_loan *a = one, *b = other;
  int order = slots_compare(a->slots, b->slots);
  if (order) return order;
  if (a->hours != b->hours) return a->hours > b->hours ? -1 : 1;
  return a->supply < b->supply ? -1 : a->supply > b->supply;
}

static enum collega_status take_carving(const struct view *view, struct planning *out,
                                        const struct carving *carving,
                                        struct collega_error *error) {
  out->kind = PLANNING_CARVED;
  out->loans = arena_zero(view->arena, (carving->part_count + 1) * sizeof *out->loans);
  if (!out->loans) return no_memory(error);
  for (size_t i = 0; i < carving->part_count; ++i) {
    const struct carve_part *part = &carving->parts[i];
    const struct plan_pair *pair = &out->pairs[part->lender];
    out->loans[out->loan_count++] = (struct planned_loan){
        pair->supply, pair->demand, part->people, part->hours, part->slots, 0, true, pair->score};
  }
  if (out->loan_count) qsort(out->loans, out->loan_count, sizeof *out->loans, by_days);
  out->hours = carving->hours;
  out->asked_hours = carving->asked;
  out->value = carving->value;
  out->bound = carving->bound;
  out->optimal = carving->optimal;
  if (out->pairs_cut) /* the best of them come first */
    out->board_bound = (int64_t)carving->asked * out->pairs[0].score;
  out->best_pair = carving->best_lender;
  out->best_people = carving->best_people;
  out->best_hours = (unsigned)carving->best_hours;
  return COLLEGA_OK;
}

enum collega_status planning_carve(const struct view *view, struct planning *out,
                                   struct collega_error *error) {
  const struct planned *own = &out->offers[0];
  struct carving carving;
  struct carve_job job = {.posts = (int32_t)own->offer->headcount,
                          .hours = own->card->hours_max,
                          .taken =
                              own->taken_hours < INT32_MAX ? (int32_t)own->taken_hours : INT32_MAX,
                          .slots = own->card->slots,
                          .taken_people = own->taken_people,
                          .lenders = carve_lenders(view, out),
                          .lender_count = out->pair_count};
  if (!job.lenders) return no_memory(error);
  enum collega_status status = plan_carve(&job, planning_over, &out->until, &carving, error);
  if (status != COLLEGA_OK) return status;
  status = carving_obeys(&job, &carving)
               ? take_carving(view, out, &carving, error)
               : error_set(error, COLLEGA_DAMAGED, RULE_plan_broken, NULL, NULL);
  carving_free(&carving);
  return status;
}
