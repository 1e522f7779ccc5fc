/* Carving as a flow: from a source through each person (nothing, or at least so many hours) to the job, over the parts of
 * the week where the job names them, and back. Its unit is an hour, or a part of the week. */
#include <stdlib.h>
#include <string.h>

#include "client/match/plan.h"
#include "client/match/solve_least.h"

#define WEEK_SLOTS 28u
#define ANY        0u

struct person {
  uint32_t lender;
  int32_t least, most; /* units */
  uint32_t slots;      /* of the job, that this person can work */
};
struct carve {
  const struct carve_job *job;
  struct person *persons;
  size_t count;
  int32_t parts; /* of the week that the job names; 0: none */
  int32_t hours; /* to give away; along the week in whole posts */
  struct flow_arc *arcs;
  int32_t *least, *flow;
  size_t arc_count, first_work;
};

static int32_t bits(uint32_t set) {
  return (int32_t)__builtin_popcount(set);
}

/* ---- persons, the best fitting first */

static int by_fit(const void *one, const void *other) {
  const struct person *a = one, *b = other;
  return a->lender < b->lender ? -1 : a->lender > b->lender;
}

struct order {
  uint32_t lender;
  int32_t score;
};

static int by_lender_score(const void *one, const void *other) {
  const struct order *a = one, *b = other;
  if (a->score != b->score) return a->score > b->score ? -1 : 1;
  return a->lender < b->lender ? -1 : a->lender > b->lender;
}

static bool person_of(const struct carve *carve, uint32_t number, struct person *out) {
  const struct carve_job *job = carve->job;
  const struct carve_lender *lender = &job->lenders[number];
  int32_t most = lender->hours_max < job->hours ? lender->hours_max : job->hours;
  int32_t least = lender->hours_min > 1 ? lender->hours_min : 1;
  *out = (struct person){.lender = number, .least = least, .most = most};
  if (carve->parts == 0) return most >= least;
  out->slots = lender->slots == ANY ? job->slots : lender->slots & job->slots;
  out->least = (least * carve->parts + job->hours - 1) / job->hours; /* rounded up */
  out->most = most * carve->parts / job->hours;
  if (out->most > bits(out->slots)) out->most = bits(out->slots);
  return out->most >= out->least && out->most > 0;
}

/* More persons of one lender than the job could take side by side are of no use. */
static bool take_persons(struct carve *carve) {
  const struct carve_job *job = carve->job;
  struct order *order = malloc((job->lender_count + 1) * sizeof *order);
  carve->persons = malloc(CARVE_PERSONS_MOST * sizeof *carve->persons);
  if (!order || !carve->persons) {
    free(order);
    return false;
  }
  for (uint32_t i = 0; i < job->lender_count; ++i)
    order[i] = (struct order){i, job->lenders[i].score};
  qsort(order, job->lender_count, sizeof *order, by_lender_score);
  for (size_t i = 0; i < job->lender_count; ++i) {
    struct person person;
    if (job->lenders[order[i].lender].score < 1 || !person_of(carve, order[i].lender, &person))
      continue;
    int64_t useful = (int64_t)job->posts * job->hours;
    for (int32_t j = 0; j < job->lenders[order[i].lender].people && j < useful &&
                        carve->count < CARVE_PERSONS_MOST;
         ++j)
      carve->persons[carve->count++] = person;
  }
  free(order);
  qsort(carve->persons, carve->count, sizeof *carve->persons, by_fit);
  return true;
}

/* ---- the network: node 0 is source and sink, then the persons, then the parts of the week */

static void add_arc(struct carve *carve, uint32_t from, uint32_t to, int32_t most, int32_t least,
                    int32_t cost) {
  carve->least[carve->arc_count] = least;
  carve->arcs[carve->arc_count++] = (struct flow_arc){from, to, most, cost};
}

static void build(struct carve *carve) {
  const struct carve_job *job = carve->job;
  uint32_t persons = (uint32_t)carve->count;
  for (uint32_t i = 0; i < persons; ++i) {
    const struct person *person = &carve->persons[i];
    add_arc(carve, 0, 1 + i, person->most, person->least, -job->lenders[person->lender].score);
  }
  if (carve->parts == 0)
    add_arc(carve, 1 + persons, 0, carve->hours, 0, 0);
  else
    for (uint32_t slot = 0; slot < WEEK_SLOTS; ++slot)
      add_arc(carve, 1 + persons + slot, 0, job->slots & 1u << slot ? carve->hours / job->hours : 0,
              0, 0);
  carve->first_work = carve->arc_count;
  for (uint32_t i = 0; i < persons; ++i) {
    const struct person *person = &carve->persons[i];
    if (carve->parts == 0) add_arc(carve, 1 + i, 1 + persons, person->most, 0, 0);
    for (uint32_t slot = 0; carve->parts && slot < WEEK_SLOTS; ++slot)
      if (person->slots & 1u << slot) add_arc(carve, 1 + i, 1 + persons + slot, 1, 0, 0);
  }
}

/* ---- the parts, from the flow */

static bool same_part(const struct carve_part *one, const struct carve_part *other) {
  return one->lender == other->lender && one->hours == other->hours && one->slots == other->slots;
}

static void add_part(const struct carve *carve, struct carving *out, struct carve_part part) {
  const struct carve_lender *lender = &carve->job->lenders[part.lender];
  out->hours += part.hours;
  out->value += (int64_t)part.hours * lender->score;
  for (size_t i = out->part_count; i > 0 && out->parts[i - 1].lender == part.lender; --i)
    if (same_part(&out->parts[i - 1], &part) && out->parts[i - 1].people < carve->job->posts) {
      ++out->parts[i - 1].people;
      return;
    }
  out->parts[out->part_count++] = part;
}

/* A share of the hours for each part of the week, rounded down for a person as a whole; the least was rounded up in
 * parts, so no person falls below it. */
static void write_parts(const struct carve *carve, struct carving *out) {
  const struct carve_job *job = carve->job;
  size_t at = carve->first_work;
  for (uint32_t i = 0; i < carve->count; ++i) {
    int32_t units = 0;
    uint32_t slots = 0;
    for (; at < carve->arc_count && carve->arcs[at].from == 1 + i; ++at) {
      units += carve->flow[at];
      if (carve->parts && carve->flow[at])
        slots |= 1u << (carve->arcs[at].to - 1 - (uint32_t)carve->count);
    }
    if (units == 0) continue;
    int32_t hours = carve->parts ? units * job->hours / carve->parts : units;
    add_part(carve, out, (struct carve_part){carve->persons[i].lender, 1, (uint8_t)hours, slots});
  }
}

static enum collega_status solve(struct carve *carve, flow_over over, void *context,
                                 struct carving *out, struct collega_error *error) {
  size_t arcs = carve->count * (2 + WEEK_SLOTS) + WEEK_SLOTS + 2;
  carve->arcs = malloc(arcs * sizeof *carve->arcs);
  carve->least = calloc(arcs, sizeof *carve->least);
  carve->flow = calloc(arcs, sizeof *carve->flow);
  out->parts = malloc((carve->count + 1) * sizeof *out->parts);
  if (!carve->arcs || !carve->least || !carve->flow || !out->parts)
    return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  build(carve);
  struct least_network network = {
      {1 + carve->count + WEEK_SLOTS, carve->arc_count, carve->arcs, NULL, NULL},
      carve->least,
      UINT64_MAX};
  struct least_result result;
  enum collega_status status = least_solve(&network, over, context, carve->flow, &result, error);
  if (status != COLLEGA_OK) return status;
  write_parts(carve, out);
  out->optimal = result.optimal;
  int64_t hours_of_unit = carve->parts ? carve->job->hours : 1,
          units = carve->parts ? carve->parts : 1;
  out->bound = result.optimal ? out->value : -result.bound * hours_of_unit / units;
  if (out->bound < out->value) out->bound = out->value;
  return status;
}

enum collega_status plan_carve(const struct carve_job *job, flow_over over, void *context,
                               struct carving *out, struct collega_error *error) {
  *out = (struct carving){0};
  if (job->posts < 0 || job->posts > 10000 || job->hours == 0 || job->taken < 0)
    return error_set(error, COLLEGA_INVALID, RULE_flow_network, NULL, NULL);
  int32_t hours = job->posts * job->hours - job->taken;
  struct carve carve = {.job = job, .parts = bits(job->slots), .hours = hours > 0 ? hours : 0};
  out->asked = carve.hours;
  enum collega_status status = take_persons(&carve)
                                   ? solve(&carve, over, context, out, error)
                                   : error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  free(carve.persons);
  free(carve.arcs);
  free(carve.least);
  free(carve.flow);
  if (status != COLLEGA_OK) carving_free(out);
  return status;
}

void carving_free(struct carving *carving) {
  free(carving->parts);
  *carving = (struct carving){0};
}
