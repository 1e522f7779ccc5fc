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

bool planning_over(void *until) {
  const int64_t *end = until;
  return *end && clock_monotonic() >= *end;
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

/* The parts of the week that both name; where one names none, those of the other. */
static uint32_t loan_slots(const struct planning *out, size_t supply, size_t demand) {
  uint32_t one = out->offers[supply].card->slots, other = out->offers[demand].card->slots;
  return one && other ? one & other : one | other;
}

/* ---- loans and rings */

static enum collega_status take_loans(const struct view *view, struct planning *out,
                                      const struct plan *plan, struct collega_error *error) {
  out->loans = arena_zero(view->arena, (plan->loan_count + 1) * sizeof *out->loans);
  if (!out->loans) return no_memory(error);
  for (size_t i = 0; i < plan->loan_count; ++i) {
    const struct plan_pair *pair = &out->pairs[plan->loans[i].pair];
    out->loans[out->loan_count++] = (struct planned_loan){
        .supply = pair->supply,
        .demand = pair->demand,
        .people = plan->loans[i].people,
        .hours = plan->loans[i].hours ? plan->loans[i].hours
                                      : loan_hours(out, pair->supply, pair->demand),
        .slots = plan->loans[i].hours ? plan->loans[i].slots
                                      : loan_slots(out, pair->supply, pair->demand),
        .ring = plan->loans[i].ring,
        .shared = plan->loans[i].hours > 0,
        .score = pair->score};
  }
  out->value = plan->value;
  out->bound = plan->bound;
  out->optimal = plan->optimal;
  out->rings_cut = plan->rings_cut;
  out->best_pair = plan->best_pair;
  if (plan->best_pair == SIZE_MAX) return COLLEGA_OK;
  const struct plan_pair *best = &out->pairs[plan->best_pair];
  int32_t one = out->offers[best->supply].people, other = out->offers[best->demand].people;
  out->best_people = one < other ? one : other;
  out->best_hours = loan_hours(out, best->supply, best->demand);
  return COLLEGA_OK;
}

/* ---- jobs that may be shared: of a board; where one offer is planned, its own job is carved by itself */

static bool is_shared(const struct planned *one) {
  return planning_may_carve(one) && !is_in_return(one->offer);
}

static enum collega_status find_shared(const struct view *view, const struct planning *out,
                                       struct plan_sharing *sharing, struct collega_error *error) {
  struct plan_week *weeks = arena_zero(view->arena, (out->offer_count + 1) * sizeof *weeks);
  struct plan_job *jobs = arena_zero(view->arena, (out->offer_count + 1) * sizeof *jobs);
  *sharing = (struct plan_sharing){weeks, jobs, 0};
  if (!weeks || !jobs) return no_memory(error);
  for (size_t i = 0; i < out->offer_count; ++i) {
    const struct planned *one = &out->offers[i];
    weeks[i] = (struct plan_week){one->card->hours_min, one->card->hours_max, one->card->slots};
    if (!is_shared(one)) continue;
    jobs[sharing->job_count++] = (struct plan_job){
        .offer = (uint32_t)i,
        .posts = (int32_t)one->offer->headcount,
        .taken = one->taken_hours < INT32_MAX ? (int32_t)one->taken_hours : INT32_MAX,
        .taken_people = one->taken_people};
  }
  return COLLEGA_OK;
}

static enum collega_status plan_loans(const struct view *view, struct planning *out,
                                      struct collega_error *error) {
  struct plan plan;
  struct plan_sharing sharing = {0};
  enum collega_status status = COLLEGA_OK;
  struct plan_offer *offers = arena_zero(view->arena, (out->offer_count + 1) * sizeof *offers);
  if (!offers) return no_memory(error);
  for (size_t i = 0; i < out->offer_count; ++i)
    offers[i] = (struct plan_offer){.employer = out->offers[i].employer,
                                    .people = out->offers[i].people,
                                    .supplies = kind_supplies(out->offers[i].offer->kind),
                                    .in_return = out->kind != PLANNING_OFFER &&
                                                 is_in_return(out->offers[i].offer)};
  if (out->kind == PLANNING_BOARD) status = find_shared(view, out, &sharing, error);
  if (status != COLLEGA_OK) return status;
  struct plan_board board = {offers, out->pairs, out->offer_count, out->pair_count,
                             sharing.job_count ? &sharing : NULL};
  enum plan_mode mode = out->kind == PLANNING_RINGS ? PLAN_RINGS : PLAN_LOANS;
  status = plan_make(&board, mode, planning_over, &out->until, &plan, error);
  if (status != COLLEGA_OK) return status;
  status = plan_obeys(&board, mode, &plan)
               ? take_loans(view, out, &plan, error)
               : error_set(error, COLLEGA_DAMAGED, RULE_plan_broken, NULL, NULL);
  plan_free(&plan);
  return status;
}

enum collega_status planning_make(const struct view *view, const struct planning_request *request,
                                  struct planning *out, struct collega_error *error) {
  int64_t began = clock_monotonic();
  enum collega_status status = planning_load(view, request, out, error);
  if (status != COLLEGA_OK) return status;
  bool carve = request->kind == PLANNING_OFFER && planning_may_carve(&out->offers[0]);
  status = carve ? planning_carve(view, out, error) : plan_loans(view, out, error);
  if (out->pairs_cut && out->board_bound >= 0 && out->bound > out->board_bound) {
    out->bound = out->board_bound; /* what no plan of all can be worth, none of some can */
    out->optimal = out->value == out->bound;
  }
  out->milliseconds = clock_monotonic() - began;
  return status;
}
