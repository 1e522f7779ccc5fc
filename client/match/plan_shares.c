/* Jobs that lenders share, beside loans of whole places. A job by itself is a carving (plan_carve.c), exact; which
 * people it gets, and which go elsewhere, is what is decided here. */
#include <stdlib.h>
#include <string.h>

#include "client/match/plan_inside.h"

static enum collega_status no_memory(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

static size_t job_count(const struct plan_board *board) {
  return board->sharing ? board->sharing->job_count : 0;
}

/* ---- the jobs and their pairs */

static bool pair_shares(const struct plan_board *board, const struct plan_jobs *jobs,
                        const struct plan_pair *pair) {
  return jobs->job[pair->demand] != PLAN_NO_JOB && !board->offers[pair->supply].in_return &&
         pair->least <= 1;
}

enum collega_status jobs_new(const struct plan_board *board, struct plan_jobs *out,
                             struct collega_error *error) {
  size_t count = job_count(board);
  *out = (struct plan_jobs){0};
  for (size_t i = 0; i < board->offer_count; ++i)
    out->rings = out->rings || board->offers[i].in_return;
  if (!count) return COLLEGA_OK;
  out->job = malloc((board->offer_count + 1) * sizeof *out->job);
  out->first = calloc(count + 2, sizeof *out->first);
  out->pair = malloc((board->pair_count + 1) * sizeof *out->pair);
  if (!out->job || !out->first || !out->pair) return no_memory(error);
  memset(out->job, 0xff, (board->offer_count + 1) * sizeof *out->job);
  for (uint32_t i = 0; i < count; ++i)
    out->job[board->sharing->jobs[i].offer] = i;
  /* Counted one place further on, so that filling leaves each job's first where it belongs. */
  for (size_t i = 0; i < board->pair_count; ++i)
    if (pair_shares(board, out, &board->pairs[i]))
      ++out->first[out->job[board->pairs[i].demand] + 2];
  for (size_t i = 2; i <= count; ++i)
    out->first[i] += out->first[i - 1];
  for (uint32_t i = 0; i < board->pair_count; ++i)
    if (pair_shares(board, out, &board->pairs[i]))
      out->pair[out->first[out->job[board->pairs[i].demand] + 1]++] = i;
  return COLLEGA_OK;
}

void jobs_free(struct plan_jobs *jobs) {
  free(jobs->job);
  free(jobs->first);
  free(jobs->pair);
  *jobs = (struct plan_jobs){0};
}

int32_t job_hours_left(const struct plan_board *board, size_t job, int32_t left) {
  const struct plan_job *one = &board->sharing->jobs[job];
  int32_t in_rings = board->offers[one->offer].people - left;
  int32_t hours =
      (one->posts - in_rings) * board->sharing->weeks[one->offer].hours_max - one->taken;
  return hours > 0 ? hours : 0;
}

struct carve_job job_carve(const struct plan_board *board, size_t job, int32_t left,
                           const uint32_t *pairs, const int32_t *people, size_t count,
                           struct carve_lender *lenders, int32_t *taken) {
  const struct plan_job *one = &board->sharing->jobs[job];
  const struct plan_week *post = &board->sharing->weeks[one->offer];
  int32_t in_rings = board->offers[one->offer].people - left;
  for (size_t i = 0; i < count; ++i) {
    const struct plan_week *week = &board->sharing->weeks[board->pairs[pairs[i]].supply];
    lenders[i] = (struct carve_lender){
        .people = people[i],
        .score = board->pairs[pairs[i]].score,
        .hours_min = week->hours_min > post->hours_min ? week->hours_min : post->hours_min,
        .hours_max = week->hours_max < post->hours_max ? week->hours_max : post->hours_max,
        .slots = week->slots};
  }
  for (unsigned slot = 0; slot < WEEK_SLOTS; ++slot)
    taken[slot] = in_rings + (one->taken_people ? one->taken_people[slot] : 0);
  return (struct carve_job){.posts = one->posts,
                            .hours = post->hours_max,
                            .taken = one->taken + in_rings * post->hours_max,
                            .slots = post->slots,
                            .taken_people = taken,
                            .lenders = lenders,
                            .lender_count = count};
}

/* ---- an answer */

enum collega_status leaf_new(const struct plan_board *board, struct leaf *out,
                             struct collega_error *error) {
  *out = (struct leaf){.flow = calloc(board->pair_count + 1, sizeof *out->flow)};
  return out->flow ? COLLEGA_OK : no_memory(error);
}

void leaf_free(struct leaf *leaf) {
  free(leaf->flow);
  free(leaf->part);
  *leaf = (struct leaf){0};
}

static bool leaf_room(struct leaf *leaf, size_t room) {
  if (room <= leaf->part_room) return true;
  if (room < 2 * leaf->part_room) room = 2 * leaf->part_room;
  struct plan_part *part = realloc(leaf->part, room * sizeof *part);
  if (!part) return false;
  leaf->part = part;
  leaf->part_room = room;
  return true;
}

enum collega_status leaf_copy(const struct plan_board *board, struct leaf *to,
                              const struct leaf *from, struct collega_error *error) {
  if (!leaf_room(to, from->part_count)) return no_memory(error);
  memcpy(to->flow, from->flow, board->pair_count * sizeof *to->flow);
  if (from->part_count) memcpy(to->part, from->part, from->part_count * sizeof *to->part);
  to->part_count = from->part_count;
  to->value = from->value;
  to->bound = from->bound;
  to->optimal = from->optimal;
  return COLLEGA_OK;
}

/* ---- solving */

struct solving {
  const struct plan_board *board;
  const struct plan_jobs *jobs;
  const int32_t *left; /* as given: of demands; of supplies `room` counts */
  flow_over over;
  void *context;
  int32_t *room;   /* by offer: left, less the people of the parts */
  int32_t *people; /* by place in jobs->pair: that the job may have */
  struct leaf now; /* the parts so far */
  struct leaf *best;
  bool over_now;
  struct collega_error *error;
};

static bool time_over(void *context) {
  struct solving *solving = context;
  if (!solving->over_now && solving->over) solving->over_now = solving->over(solving->context);
  return solving->over_now;
}

/* One job is little work: it gets its first answer even when the time is over, or all jobs of a large board would be
 * empty. */
#define JOB_PATIENCE 32 /* times asked */
struct patience {
  struct solving *solving;
  int left;
};

static bool patience_over(void *context) {
  struct patience *patience = context;
  return time_over(patience->solving) && --patience->left < 0;
}

/* The job out of solving->people. *used: how many of them work. The parts are added, at their value. */
static enum collega_status carve(struct solving *solving, size_t job, int64_t *used,
                                 bool *optimal) {
  const struct plan_board *board = solving->board;
  uint32_t first = solving->jobs->first[job];
  size_t count = solving->jobs->first[job + 1] - first;
  int32_t taken[WEEK_SLOTS];
  struct carve_lender *lenders = malloc((count + 1) * sizeof *lenders);
  struct carving carving;
  struct patience patience = {solving, JOB_PATIENCE};
  *used = 0;
  if (!lenders) return no_memory(solving->error);
  struct carve_job one =
      job_carve(board, job, solving->left[board->sharing->jobs[job].offer],
                solving->jobs->pair + first, solving->people + first, count, lenders, taken);
  enum collega_status status = plan_carve(&one, patience_over, &patience, &carving, solving->error);
  free(lenders);
  if (status != COLLEGA_OK) return status;
  if (!leaf_room(&solving->now, solving->now.part_count + carving.part_count))
    status = no_memory(solving->error);
  for (size_t i = 0; status == COLLEGA_OK && i < carving.part_count; ++i) {
    const struct carve_part *part = &carving.parts[i];
    *used += part->people;
    solving->now.part[solving->now.part_count++] = (struct plan_part){
        solving->jobs->pair[first + part->lender], part->people, part->hours, part->slots};
  }
  solving->now.value += carving.value / one.hours;
  *optimal = carving.optimal;
  carving_free(&carving);
  return status;
}

static enum collega_status keep_better(struct solving *solving) {
  if (solving->now.value <= solving->best->value) return COLLEGA_OK;
  return leaf_copy(solving->board, solving->best, &solving->now, solving->error);
}

/* From the flow in which each has a place: each job in turn, out of those whom the flow gives it and who are left. */
static enum collega_status solve_in_turn(struct solving *solving, enum loans_how how) {
  const struct plan_board *board = solving->board;
  const struct plan_jobs *jobs = solving->jobs;
  struct loans_answer answer;
  enum collega_status status =
      loans_solve(board, jobs, solving->left, how, solving->over, solving->context,
                  solving->now.flow, &answer, solving->error);
  if (status != COLLEGA_OK) return status;
  for (size_t i = 0; i < board->pair_count; ++i)
    solving->room[board->pairs[i].supply] -= solving->now.flow[i];
  for (size_t job = 0; status == COLLEGA_OK && job < job_count(board); ++job) {
    size_t before = solving->now.part_count;
    int64_t used = 0;
    bool optimal = false;
    for (uint32_t i = jobs->first[job]; i < jobs->first[job + 1]; ++i) { /* all are lent to it */
      int32_t *room = &solving->room[board->pairs[jobs->pair[i]].supply];
      solving->people[i] = *room + solving->now.flow[jobs->pair[i]];
      solving->now.flow[jobs->pair[i]] = *room = 0;
    }
    status = carve(solving, job, &used, &optimal);
    for (uint32_t i = jobs->first[job]; i < jobs->first[job + 1]; ++i) /* and come back */
      solving->room[board->pairs[jobs->pair[i]].supply] += solving->people[i];
    for (size_t i = before; i < solving->now.part_count; ++i)
      solving->room[board->pairs[solving->now.part[i].pair].supply] -= solving->now.part[i].people;
  }
  for (size_t i = 0; i < board->pair_count; ++i)
    solving->now.value += (int64_t)solving->now.flow[i] * board->pairs[i].score;
  return status == COLLEGA_OK ? keep_better(solving) : status;
}

/* Of `at` in jobs->pair: every number of people; after the last pair of a job, its carving; after the last job,
 * the loans of who is left. A way that gives a job people who do not work is passed over: there is one that does
 * not. */
static enum collega_status try_from(struct solving *solving, size_t job, uint32_t at);

static enum collega_status end_job(struct solving *solving, size_t job) {
  size_t parts = solving->now.part_count;
  int64_t value = solving->now.value, used = 0, given = 0;
  bool optimal = false;
  enum collega_status status = carve(solving, job, &used, &optimal);
  for (uint32_t i = solving->jobs->first[job]; i < solving->jobs->first[job + 1]; ++i)
    given += solving->people[i];
  if (!optimal) solving->best->optimal = false;
  if (status == COLLEGA_OK && used == given)
    status = try_from(solving, job + 1, solving->jobs->first[job + 1]);
  solving->now.part_count = parts;
  solving->now.value = value;
  return status;
}

static enum collega_status end_all(struct solving *solving) {
  struct loans_answer answer;
  enum collega_status status =
      loans_solve(solving->board, solving->jobs, solving->room, LOANS_BEST, solving->over,
                  solving->context, solving->now.flow, &answer, solving->error);
  if (status != COLLEGA_OK) return status;
  if (!answer.optimal) solving->best->optimal = false;
  int64_t value = solving->now.value;
  solving->now.value += answer.value;
  bool optimal = solving->best->optimal; /* of the whole search, not of this answer */
  status = keep_better(solving);
  solving->best->optimal = optimal;
  solving->now.value = value;
  return status;
}

static enum collega_status try_from(struct solving *solving, size_t job, uint32_t at) {
  if (job == job_count(solving->board)) return end_all(solving);
  if (at == solving->jobs->first[job + 1]) return end_job(solving, job);
  int32_t *room = &solving->room[solving->board->pairs[solving->jobs->pair[at]].supply];
  int32_t most = *room;
  enum collega_status status = COLLEGA_OK;
  for (int32_t people = 0; status == COLLEGA_OK && people <= most; ++people) {
    if (time_over(solving)) {
      solving->best->optimal = false;
      break;
    }
    solving->people[at] = people;
    *room = most - people;
    status = try_from(solving, job, at + 1);
  }
  solving->people[at] = 0;
  *room = most;
  return status;
}

static bool is_little_work(const struct solving *solving) {
  uint64_t ways = solving->board->pair_count + 1;
  size_t pairs = solving->jobs->first[job_count(solving->board)];
  for (size_t i = 0; i < pairs && ways <= PLAN_SEARCH_SHARES; ++i) {
    int32_t left = solving->left[solving->board->pairs[solving->jobs->pair[i]].supply];
    ways *= left > 0 ? (uint64_t)left + 1 : 1;
  }
  return ways <= PLAN_SEARCH_SHARES;
}

static void rooms_reset(struct solving *solving) {
  for (size_t i = 0; i < solving->board->offer_count; ++i)
    solving->room[i] = solving->left[i] > 0 ? solving->left[i] : 0;
  solving->now.part_count = 0;
  solving->now.value = 0;
}

static enum collega_status solve_shared(struct solving *solving, enum loans_how how) {
  rooms_reset(solving);
  solving->best->value = -1;
  bool all = how == LOANS_BEST && is_little_work(solving);
  enum loans_how places = how == LOANS_BEST && !all ? LOANS_PLACES : LOANS_PLACES_QUICK;
  enum collega_status status = solve_in_turn(solving, places);
  solving->best->optimal = all;
  if (status != COLLEGA_OK || !solving->best->optimal) return status;
  rooms_reset(solving);
  return try_from(solving, 0, 0);
}

enum collega_status leaf_solve(const struct plan_board *board, const struct plan_jobs *jobs,
                               const int32_t *left, enum loans_how how, flow_over over,
                               void *context, struct leaf *out, struct collega_error *error) {
  if (!job_count(board)) {
    struct loans_answer answer;
    enum collega_status status =
        loans_solve(board, jobs, left, how, over, context, out->flow, &answer, error);
    out->value = answer.value;
    out->bound = answer.bound;
    out->optimal = answer.optimal;
    return status;
  }
  struct solving solving = {.board = board,
                            .jobs = jobs,
                            .left = left,
                            .over = over,
                            .context = context,
                            .room = malloc((board->offer_count + 1) * sizeof *solving.room),
                            .people = calloc(board->pair_count + 1, sizeof *solving.people),
                            .best = out,
                            .error = error};
  enum collega_status status = leaf_new(board, &solving.now, error);
  if (status == COLLEGA_OK && (!solving.room || !solving.people)) status = no_memory(error);
  if (status == COLLEGA_OK) status = solve_shared(&solving, how);
  leaf_free(&solving.now);
  free(solving.room);
  free(solving.people);
  return status;
}
