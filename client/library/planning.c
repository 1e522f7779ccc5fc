/* A plan of the board: the request, the search within its time, and the loans that come out of it. */
#include "client/library/planning.h"

#include <string.h>

static enum collega_status no_memory(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

const char *planning_kind_name(enum planning_kind kind) {
  static const char *const names[] = {[PLANNING_OFFER] = "offer",
                                      [PLANNING_CARVED] = "carved",
                                      [PLANNING_BOARD] = "board",
                                      [PLANNING_RINGS] = "rings"};
  return names[kind];
}

static bool time_is_over(void *context) {
  const int64_t *until = context;
  return clock_monotonic() >= *until;
}

/* Swaps and rotations are asked for as such: who offers that wants somebody back. */
static bool is_in_return(const Collega__Offer *offer) {
  return offer->has_reason && (offer->reason == COLLEGA__REASON__REASON_SWAP ||
                               offer->reason == COLLEGA__REASON__REASON_ROTATION);
}

static unsigned loan_hours(const struct planning *out, size_t supply, size_t demand) {
  unsigned one = out->offers[supply].card->hours_max, other = out->offers[demand].card->hours_max;
  return one < other ? one : other;
}

/* ---- loans and rings */

static enum collega_status take_loans(const struct view *view, struct planning *out,
                                      const struct plan *plan, struct collega_error *error) {
  out->loans = arena_zero(view->arena, (plan->loan_count + 1) * sizeof *out->loans);
  if (!out->loans) return no_memory(error);
  for (size_t i = 0; i < plan->loan_count; ++i) {
    const struct plan_pair *pair = &out->pairs[plan->loans[i].pair];
    out->loans[out->loan_count++] =
        (struct planned_loan){.supply = pair->supply,
                              .demand = pair->demand,
                              .people = plan->loans[i].people,
                              .hours = loan_hours(out, pair->supply, pair->demand),
                              .ring = plan->loans[i].ring,
                              .score = pair->score};
  }
  out->value = plan->value;
  out->bound = plan->bound;
  out->optimal = plan->optimal;
  out->rings_cut = plan->rings_cut;
  out->best_pair = plan->best_pair;
  return COLLEGA_OK;
}

static enum collega_status plan_loans(const struct view *view, struct planning *out, int64_t until,
                                      struct collega_error *error) {
  struct plan plan;
  struct plan_offer *offers = arena_zero(view->arena, (out->offer_count + 1) * sizeof *offers);
  if (!offers) return no_memory(error);
  for (size_t i = 0; i < out->offer_count; ++i)
    offers[i] = (struct plan_offer){.employer = out->offers[i].employer,
                                    .people = out->offers[i].people,
                                    .supplies = kind_supplies(out->offers[i].offer->kind),
                                    .in_return = out->kind != PLANNING_OFFER &&
                                                 is_in_return(out->offers[i].offer)};
  struct plan_board board = {offers, out->pairs, out->offer_count, out->pair_count};
  enum plan_mode mode = out->kind == PLANNING_RINGS ? PLAN_RINGS : PLAN_LOANS;
  enum collega_status status = plan_make(&board, mode, time_is_over, &until, &plan, error);
  if (status != COLLEGA_OK) return status;
  status = plan_obeys(&board, mode, &plan)
               ? take_loans(view, out, &plan, error)
               : error_set(error, COLLEGA_DAMAGED, RULE_plan_broken, NULL, NULL);
  plan_free(&plan);
  return status;
}

/* ---- carving: our job in pieces */

static bool may_carve(const struct planned *own) {
  return own->offer->has_carve && own->offer->carve && !kind_supplies(own->offer->kind) &&
         own->card->min_headcount <= 1;
}

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

static enum collega_status plan_pieces(const struct view *view, struct planning *out, int64_t until,
                                       struct collega_error *error) {
  const struct planned *own = &out->offers[0];
  struct carving carving;
  struct carve_job job = {.posts = (int32_t)own->offer->headcount,
                          .hours = own->card->hours_max,
                          .taken =
                              own->taken_hours < INT32_MAX ? (int32_t)own->taken_hours : INT32_MAX,
                          .slots = own->card->slots,
                          .lenders = carve_lenders(view, out),
                          .lender_count = out->pair_count};
  if (!job.lenders) return no_memory(error);
  enum collega_status status = plan_carve(&job, time_is_over, &until, &carving, error);
  if (status != COLLEGA_OK) return status;
  out->kind = PLANNING_CARVED;
  out->loan_count = 0;
  out->loans = arena_zero(view->arena, (carving.part_count + 1) * sizeof *out->loans);
  for (size_t i = 0; out->loans && i < carving.part_count; ++i) {
    const struct carve_part *part = &carving.parts[i];
    const struct plan_pair *pair = &out->pairs[part->lender];
    out->loans[out->loan_count++] = (struct planned_loan){
        pair->supply, pair->demand, part->people, part->hours, part->slots, 0, pair->score};
  }
  out->hours = carving.hours;
  out->asked_hours = carving.asked;
  out->value = carving.value;
  out->bound = carving.bound;
  out->optimal = carving.optimal;
  carving_free(&carving);
  return out->loans ? COLLEGA_OK : no_memory(error);
}

enum collega_status planning_make(const struct view *view, const struct planning_request *request,
                                  struct planning *out, struct collega_error *error) {
  int64_t began = clock_monotonic();
  enum collega_status status = planning_load(view, request, out, error);
  if (status != COLLEGA_OK) return status;
  int64_t until = out->until;
  status = plan_loans(view, out, until, error);
  if (status == COLLEGA_OK && request->kind == PLANNING_OFFER && may_carve(&out->offers[0]))
    status = plan_pieces(view, out, until, error);
  out->milliseconds = clock_monotonic() - began;
  return status;
}
