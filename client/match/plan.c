/* The whole plan: rings for what is given in return, loans for the rest, both together as good as time allows. */
#include "client/match/plan.h"

#include <stdlib.h>
#include <string.h>

#include "client/match/plan_inside.h"

#define PLAN_POSTS_MOST 10000

struct making {
  const struct plan_board *board;
  enum plan_mode mode;
  bool in_return; /* some offer is */
  flow_over over;
  void *context;
  struct plan_rings rings;
  struct packing packing, best; /* best: its people and value alone count */
  struct plan_jobs jobs;
  struct leaf leaf, best_leaf; /* what is no ring */
  int64_t best_value;
  bool cut;           /* the search did not see everything */
  int64_t loan_bound; /* of the loans without any ring */
  struct collega_error *error;
};

static bool is_over(const struct making *making) {
  return making->over && making->over(making->context);
}

static enum collega_status no_memory(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

/* ---- a leaf: these rings, and the best loans of what they leave */

static enum collega_status take_leaf(struct making *making, enum loans_how how) {
  struct leaf *leaf = &making->leaf;
  enum collega_status status = COLLEGA_OK;
  leaf->value = 0;
  if (making->mode == PLAN_LOANS)
    status = leaf_solve(making->board, &making->jobs, making->packing.left, how, making->over,
                        making->context, leaf, making->error);
  if (status != COLLEGA_OK) return status;
  if (making->mode == PLAN_LOANS && how == LOANS_BEST && !leaf->optimal) making->cut = true;
  if (how == LOANS_QUICK && !making->packing.value) making->loan_bound = leaf->bound;
  int64_t value = making->packing.value + leaf->value;
  if (value <= making->best_value) return COLLEGA_OK;
  making->best_value = value;
  memcpy(making->best.people, making->packing.people,
         making->rings.count * sizeof *making->best.people);
  return leaf_copy(making->board, &making->best_leaf, leaf, making->error);
}

/* The most that rings from `ring` on, and loans, can add to what is packed. */
static enum collega_status bound_of(struct making *making, size_t ring, int64_t *out) {
  struct loans_answer answer = {0};
  if (making->mode == PLAN_LOANS) {
    enum collega_status status =
        loans_solve(making->board, &making->jobs, making->packing.left, LOANS_BOUND, making->over,
                    making->context, making->leaf.flow, &answer, making->error);
    *out = answer.bound;
    return status;
  }
  *out = 0;
  for (size_t i = ring; i < making->rings.count; ++i) {
    const struct plan_ring *one = &making->rings.ring[i];
    int64_t score = 0;
    for (uint32_t j = 0; j < one->length; ++j)
      score += making->board->pairs[one->pair[j]].score;
    *out += score * packing_room(&making->packing, i);
  }
  return COLLEGA_OK;
}

/* How many go round this ring: all that can, then fewer, then none. Deep as the number of rings, which is bounded. */
static enum collega_status search_from(struct making *making, size_t ring) {
  if (ring == making->rings.count) return take_leaf(making, LOANS_BEST);
  if (is_over(making)) {
    making->cut = true;
    return COLLEGA_OK;
  }
  int32_t room = packing_room(&making->packing, ring);
  if (room == 0) return search_from(making, ring + 1);
  int64_t bound = 0;
  enum collega_status status = bound_of(making, ring, &bound);
  if (status != COLLEGA_OK || making->packing.value + bound <= making->best_value) return status;
  int32_t least = packing_least(&making->packing, ring);
  for (int32_t people = room; status == COLLEGA_OK && people >= 0;
       people = people == least ? 0 : people - 1) {
    if (people) packing_put(&making->packing, ring, people);
    status = search_from(making, ring + 1);
    if (people) packing_put(&making->packing, ring, -people);
    if (people == 0) break;
  }
  return status;
}

/* ---- all */

/* Packings by rule of thumb: no ring at all, the best ones first, those of the best circulation. */
static enum collega_status pack_quickly(struct making *making, int64_t *circle_bound) {
  enum collega_status status = take_leaf(making, LOANS_QUICK);
  if (!making->rings.count) return status;
  packing_greedy(&making->packing);
  if (status == COLLEGA_OK) status = take_leaf(making, LOANS_QUICK);
  if (status == COLLEGA_OK && making->mode == PLAN_RINGS) {
    status = packing_circulate(&making->packing, making->over, making->context, circle_bound,
                               making->error);
    if (status == COLLEGA_OK) status = take_leaf(making, LOANS_QUICK);
  }
  return status;
}

/* Of few rings all packings are tried; of many the best one so far gets the best loans. */
static enum collega_status pack_well(struct making *making) {
  packing_clear(&making->packing);
  bool all = making->rings.count <= PLAN_SEARCH_RINGS && !making->rings.cut;
  if (all) return search_from(making, 0);
  making->cut = true;
  for (size_t i = 0; i < making->rings.count; ++i)
    if (making->best.people[i]) packing_put(&making->packing, i, making->best.people[i]);
  return take_leaf(making, LOANS_BEST);
}

/* Whole places; of a shared job also one of which only some hours are left. */
static int32_t places_of(const struct plan_board *board, const struct plan_jobs *jobs,
                         size_t offer) {
  int32_t people = board->offers[offer].people;
  if (!jobs->job || jobs->job[offer] == PLAN_NO_JOB) return people;
  int32_t each = board->sharing->weeks[offer].hours_max;
  return (job_hours_left(board, jobs->job[offer], people) + each - 1) / each;
}

/* Each person at the best score of their offer, by either side: holds for every plan, and needs no search. */
static int64_t plain_bound(const struct plan_board *board, const struct plan_jobs *jobs,
                           int32_t *best) {
  int64_t sides[2] = {0, 0};
  memset(best, 0, board->offer_count * sizeof *best);
  for (size_t i = 0; i < board->pair_count; ++i) {
    const struct plan_pair *pair = &board->pairs[i];
    if (pair->score > best[pair->supply]) best[pair->supply] = pair->score;
    if (pair->score > best[pair->demand]) best[pair->demand] = pair->score;
  }
  for (size_t i = 0; i < board->offer_count; ++i)
    sides[board->offers[i].supplies] += (int64_t)places_of(board, jobs, i) * best[i];
  return sides[0] < sides[1] ? sides[0] : sides[1];
}

static enum collega_status bound_whole(struct making *making, int64_t circle_bound, int64_t *out) {
  if (making->mode == PLAN_LOANS && !making->in_return && !making->jobs.job) {
    *out = making->loan_bound; /* nothing was left out of it */
    return COLLEGA_OK;
  }
  packing_clear(&making->packing);
  if (making->mode == PLAN_RINGS) {
    *out = circle_bound;
    return COLLEGA_OK;
  }
  struct loans_answer answer;
  enum collega_status status =
      loans_solve(making->board, &making->jobs, making->packing.left, LOANS_BOUND, making->over,
                  making->context, making->leaf.flow, &answer, making->error);
  *out = answer.bound;
  return status;
}

static void add_loan(struct plan *out, uint32_t pair, int32_t people, uint32_t ring,
                     const struct plan_board *board) {
  out->loans[out->loan_count++] = (struct plan_loan){.pair = pair, .people = people, .ring = ring};
  out->people += people;
  out->value += (int64_t)people * board->pairs[pair].score;
}

/* Parts of one job lie together. */
static void add_parts(struct plan *out, const struct leaf *leaf, const struct plan_board *board) {
  int64_t hours = 0;
  for (size_t i = 0; i < leaf->part_count; ++i) {
    const struct plan_part *part = &leaf->part[i];
    const struct plan_pair *pair = &board->pairs[part->pair];
    out->loans[out->loan_count++] =
        (struct plan_loan){part->pair, part->people, 0, part->hours, part->slots};
    out->people += part->people;
    hours += (int64_t)part->people * part->hours * pair->score;
    if (i + 1 < leaf->part_count && board->pairs[leaf->part[i + 1].pair].demand == pair->demand)
      continue;
    out->value += hours / board->sharing->weeks[pair->demand].hours_max;
    hours = 0;
  }
}

static enum collega_status write_plan(const struct making *making, struct plan *out) {
  const struct plan_board *board = making->board;
  size_t count = 1 + making->best_leaf.part_count;
  for (size_t i = 0; i < making->rings.count; ++i)
    count += making->best.people[i] ? making->rings.ring[i].length : 0;
  for (size_t i = 0; i < board->pair_count; ++i)
    count += making->best_leaf.flow[i] > 0;
  out->loans = calloc(count, sizeof *out->loans);
  if (!out->loans) return no_memory(making->error);
  for (size_t i = 0; i < making->rings.count; ++i) {
    const struct plan_ring *ring = &making->rings.ring[i];
    if (!making->best.people[i]) continue;
    ++out->ring_count;
    for (uint32_t j = 0; j < ring->length; ++j)
      add_loan(out, ring->pair[j], making->best.people[i], (uint32_t)out->ring_count, board);
  }
  for (uint32_t i = 0; i < board->pair_count; ++i)
    if (making->best_leaf.flow[i] > 0) add_loan(out, i, making->best_leaf.flow[i], 0, board);
  add_parts(out, &making->best_leaf, board);
  return COLLEGA_OK;
}

/* What one loan alone would do, as somebody would make it who takes the best match. */
static void find_best_single(const struct plan_board *board, struct plan *out) {
  out->best_pair = SIZE_MAX;
  for (size_t i = 0; i < board->pair_count; ++i) {
    const struct plan_pair *pair = &board->pairs[i];
    int32_t one = board->offers[pair->supply].people, other = board->offers[pair->demand].people;
    int32_t people = one < other ? one : other;
    int64_t value = (int64_t)people * pair->score;
    if (people < pair->least || value <= out->best_value) continue;
    out->best_value = value;
    out->best_pair = i;
  }
}

static bool board_fits(const struct plan_board *board) {
  for (size_t i = 0; i < board->offer_count; ++i)
    if (board->offers[i].people < 0 || board->offers[i].employer >= board->offer_count)
      return false;
  for (size_t i = 0; i < board->pair_count; ++i) {
    const struct plan_pair *pair = &board->pairs[i];
    if (pair->supply >= board->offer_count || pair->demand >= board->offer_count ||
        !board->offers[pair->supply].supplies || board->offers[pair->demand].supplies ||
        pair->score < 1 || pair->score > PLAN_SCORE_MOST || pair->least < 1 ||
        board->offers[pair->supply].employer == board->offers[pair->demand].employer)
      return false;
  }
  for (size_t i = 0; board->sharing && i < board->sharing->job_count; ++i) {
    const struct plan_job *job = &board->sharing->jobs[i];
    if (job->offer >= board->offer_count || board->offers[job->offer].supplies ||
        board->offers[job->offer].in_return || job->posts < board->offers[job->offer].people ||
        job->posts > PLAN_POSTS_MOST || job->taken < 0)
      return false;
  }
  for (size_t i = 0; board->sharing && i < board->offer_count; ++i) {
    const struct plan_week *week = &board->sharing->weeks[i];
    if (week->hours_min < 1 || week->hours_max < week->hours_min || week->slots >> WEEK_SLOTS)
      return false;
  }
  return board->offer_count < FLOW_NODES_MOST / 2 && board->pair_count < FLOW_ARCS_MOST / 2;
}

static bool any_in_return(const struct plan_board *board) {
  for (size_t i = 0; i < board->offer_count; ++i)
    if (board->offers[i].in_return) return true;
  return false;
}

static enum collega_status make(struct making *making, struct plan *out) {
  const struct plan_board *board = making->board;
  int64_t circle_bound = 0, bound = 0;
  enum collega_status status = COLLEGA_OK;
  making->in_return = any_in_return(board);
  if (making->mode == PLAN_RINGS || making->in_return)
    status = rings_list(board, making->mode == PLAN_LOANS, making->over, making->context,
                        &making->rings, making->error);
  if (status == COLLEGA_OK)
    status = packing_new(&making->packing, board, &making->rings, making->error);
  if (status == COLLEGA_OK)
    status = packing_new(&making->best, board, &making->rings, making->error);
  if (status == COLLEGA_OK) status = leaf_new(board, &making->leaf, making->error);
  if (status == COLLEGA_OK) status = leaf_new(board, &making->best_leaf, making->error);
  if (status == COLLEGA_OK && making->mode == PLAN_LOANS)
    status = jobs_new(board, &making->jobs, making->error);
  if (status == COLLEGA_OK) status = pack_quickly(making, &circle_bound);
  if (status == COLLEGA_OK) status = bound_whole(making, circle_bound, &bound);
  int64_t plain =
      status == COLLEGA_OK ? plain_bound(board, &making->jobs, making->packing.left) : 0;
  if (plain < bound) bound = plain;
  if (status == COLLEGA_OK && making->best_value < bound) status = pack_well(making);
  if (status == COLLEGA_OK) status = write_plan(making, out);
  if (status != COLLEGA_OK) return status;
  out->rings_cut = making->rings.cut;
  out->optimal = (!making->cut && !making->rings.cut) || out->value == bound;
  out->bound = out->optimal ? out->value : bound;
  find_best_single(board, out);
  return status;
}

enum collega_status plan_make(const struct plan_board *board, enum plan_mode mode, flow_over over,
                              void *context, struct plan *out, struct collega_error *error) {
  *out = (struct plan){0};
  if (!board_fits(board)) return error_set(error, COLLEGA_INVALID, RULE_flow_network, NULL, NULL);
  struct making making = {.board = board,
                          .mode = mode,
                          .over = over,
                          .context = context,
                          .best_value = -1,
                          .error = error};
  enum collega_status status = make(&making, out);
  rings_free(&making.rings);
  packing_free(&making.packing);
  packing_free(&making.best);
  leaf_free(&making.leaf);
  leaf_free(&making.best_leaf);
  jobs_free(&making.jobs);
  if (status != COLLEGA_OK) plan_free(out);
  return status;
}

void plan_free(struct plan *plan) {
  free(plan->loans);
  *plan = (struct plan){0};
}
