/* The rules of a plan, read plainly from plan.h: for tests, and before anything is shown or proposed. */
#include <stdlib.h>

#include "client/match/plan_inside.h"

static bool ring_obeys(const struct plan_board *board, const struct plan_loan *loans,
                       size_t length) {
  if (length < 2 || length > PLAN_RING_MOST) return false;
  for (size_t i = 0; i < length; ++i) {
    const struct plan_pair *pair = &board->pairs[loans[i].pair];
    const struct plan_pair *next = &board->pairs[loans[(i + 1) % length].pair];
    if (board->offers[pair->demand].employer != board->offers[next->supply].employer ||
        loans[i].people != loans[0].people)
      return false;
    for (size_t j = 0; j < i; ++j)
      if (board->offers[board->pairs[loans[j].pair].supply].employer ==
          board->offers[pair->supply].employer)
        return false;
  }
  return true;
}

/* Of which offers rings take how many people, and which are shared jobs. */
struct reading {
  const struct plan_board *board;
  enum plan_mode mode;
  const struct plan *plan;
  struct plan_jobs jobs;
  int64_t *carried; /* people by offer; of shared jobs those of rings alone */
  int32_t *left;    /* by offer, after rings */
  bool *read;       /* by offer: its parts, all of them together */
  int64_t value;
};

/* The parts of one job, loans[0 .. count). */
static bool parts_obey(struct reading *reading, uint32_t job, const struct plan_loan *loans,
                       size_t count) {
  const struct plan_board *board = reading->board;
  uint32_t *pairs = calloc(count + 1, sizeof *pairs);
  int32_t *people = calloc(count + 1, sizeof *people), taken[WEEK_SLOTS];
  struct carve_lender *lenders = calloc(count + 1, sizeof *lenders);
  struct carving carving = {.parts = calloc(count + 1, sizeof *carving.parts)};
  bool ok = pairs && people && lenders && carving.parts;
  for (size_t i = 0; ok && i < count; ++i) {
    const struct plan_pair *pair = &board->pairs[loans[i].pair];
    pairs[i] =
        loans[i].pair; /* each part by itself: how many people its lender has is counted below */
    people[i] = loans[i].people;
    carving.parts[carving.part_count++] =
        (struct carve_part){(uint32_t)i, loans[i].people, loans[i].hours, loans[i].slots};
    carving.hours += loans[i].people * loans[i].hours;
    carving.value += (int64_t)loans[i].people * loans[i].hours * pair->score;
    reading->carried[pair->supply] += loans[i].people;
    ok = pair->least <= 1 && !loans[i].ring && !board->offers[pair->supply].in_return;
  }
  carving.bound = carving.value;
  if (ok) {
    int32_t left = reading->left[board->sharing->jobs[job].offer];
    struct carve_job carve = job_carve(board, job, left, pairs, people, count, lenders, taken);
    ok = carving_obeys(&carve, &carving);
    reading->value += carving.value / carve.hours;
  }
  free(pairs);
  free(people);
  free(lenders);
  carving_free(&carving);
  return ok;
}

static size_t end_of_parts(const struct plan_board *board, const struct plan *plan, size_t from) {
  size_t end = from;
  while (end < plan->loan_count && plan->loans[end].hours &&
         board->pairs[plan->loans[end].pair].demand == board->pairs[plan->loans[from].pair].demand)
    ++end;
  return end;
}

static size_t end_of_ring(const struct plan *plan, size_t from) {
  size_t end = from + 1;
  while (plan->loans[from].ring && end < plan->loan_count &&
         plan->loans[end].ring == plan->loans[from].ring)
    ++end;
  return end;
}

/* Loans of whole places: a ring, or one that is none. */
static bool places_obey(struct reading *reading, const struct plan_loan *loans, size_t count) {
  const struct plan_board *board = reading->board;
  bool ok = loans[0].ring == 0 || ring_obeys(board, loans, count);
  for (size_t i = 0; ok && i < count; ++i) {
    const struct plan_pair *pair = &board->pairs[loans[i].pair];
    bool needs_ring = reading->mode == PLAN_RINGS || board->offers[pair->supply].in_return ||
                      board->offers[pair->demand].in_return;
    bool shared = reading->jobs.job && reading->jobs.job[pair->demand] != PLAN_NO_JOB;
    ok = loans[i].people >= pair->least && (loans[i].ring || !(needs_ring || shared));
    reading->carried[pair->supply] += loans[i].people;
    reading->carried[pair->demand] += loans[i].people;
    reading->value += (int64_t)loans[i].people * pair->score;
  }
  return ok;
}

static bool read_loans(struct reading *reading) {
  const struct plan_board *board = reading->board;
  const struct plan *plan = reading->plan;
  bool ok = true;
  for (size_t i = 0; i < board->offer_count; ++i)
    reading->left[i] = board->offers[i].people;
  for (size_t i = 0; i < plan->loan_count; ++i)
    if (plan->loans[i].ring)
      reading->left[board->pairs[plan->loans[i].pair].demand] -= plan->loans[i].people;
  for (size_t i = 0, end = 0; ok && i < plan->loan_count; i = end) {
    uint32_t demand = board->pairs[plan->loans[i].pair].demand;
    uint32_t job = reading->jobs.job ? reading->jobs.job[demand] : PLAN_NO_JOB;
    end = end_of_parts(board, plan, i);
    if (end > i) {
      ok = job != PLAN_NO_JOB && reading->mode == PLAN_LOANS && !reading->read[demand] &&
           parts_obey(reading, job, plan->loans + i, end - i);
      reading->read[demand] = true;
    } else {
      end = end_of_ring(plan, i);
      ok = places_obey(reading, plan->loans + i, end - i);
    }
  }
  for (size_t i = 0; ok && i < board->offer_count; ++i)
    ok = reading->carried[i] <= board->offers[i].people;
  return ok && reading->value == plan->value && plan->value <= plan->bound;
}

bool plan_obeys(const struct plan_board *board, enum plan_mode mode, const struct plan *plan) {
  struct reading reading = {.board = board,
                            .mode = mode,
                            .plan = plan,
                            .carried = calloc(board->offer_count + 1, sizeof *reading.carried),
                            .left = calloc(board->offer_count + 1, sizeof *reading.left),
                            .read = calloc(board->offer_count + 1, sizeof *reading.read)};
  bool ok = reading.carried && reading.left && reading.read &&
            jobs_new(board, &reading.jobs, NULL) == COLLEGA_OK && read_loans(&reading);
  jobs_free(&reading.jobs);
  free(reading.carried);
  free(reading.left);
  free(reading.read);
  return ok;
}
