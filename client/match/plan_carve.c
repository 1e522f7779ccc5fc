/* Carving as a flow: from a source through each person (nothing, or at least so many hours) along the parts of the
 * week to the week as a whole, and back. Its unit is a part of the week where the job names them; else an hour, of
 * which a person gives a part all or none: an arc whose least is all that it can carry. */
#include <stdlib.h>
#include <string.h>

#include "client/match/plan.h"
#include "client/match/solve_least.h"

#define ANY        0u
#define HALF_DAY   4 /* hours of a part that is no night; every part's hours are some of these */
#define NIGHT      8
#define POSTS_MOST 10000

struct person {
  uint32_t lender;
  int32_t least, most; /* units */
  uint32_t slots;      /* of the week, that this person can work; ANY: the hours alone count */
};
struct carve {
  const struct carve_job *job;
  struct person *persons;
  size_t count;
  int32_t parts; /* of the week that the job names; 0: none */
  int32_t hours; /* to give away */
  struct flow_arc *arcs;
  int32_t *least, *flow;
  size_t arc_count, first_work;
};

static int32_t bits(uint32_t set) {
  return (int32_t)__builtin_popcount(set);
}

int32_t carve_slot_hours(unsigned slot) {
  return slot % 4 == 3 ? NIGHT : HALF_DAY;
}

static int32_t hours_of_slots(uint32_t slots) {
  int32_t hours = 0;
  for (unsigned slot = 0; slot < WEEK_SLOTS; ++slot)
    if (slots & 1u << slot) hours += carve_slot_hours(slot);
  return hours;
}

static int32_t hours_left(const struct carve_job *job) {
  int32_t hours = job->posts * job->hours - job->taken;
  return hours > 0 ? hours : 0;
}

/* Posts where nobody works in this part of the week. */
static int32_t posts_left(const struct carve_job *job, unsigned slot) {
  int32_t taken = job->taken_people ? job->taken_people[slot] : 0;
  return job->posts > taken ? job->posts - taken : 0;
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
  int32_t most = lender->hours_max < job->hours ? lender->hours_max : job->hours, room = most;
  int32_t least = lender->hours_min > 1 ? lender->hours_min : 1;
  *out = (struct person){.lender = number, .least = least, .most = most};
  if (carve->parts) {
    out->slots = lender->slots == ANY ? job->slots : lender->slots & job->slots;
    out->least = (least * carve->parts + job->hours - 1) / job->hours; /* rounded up */
    out->most = most * carve->parts / job->hours;
    room = bits(out->slots);
  } else if (lender->slots != ANY) {
    out->slots = lender->slots;
    out->least = (least + HALF_DAY - 1) / HALF_DAY * HALF_DAY;
    out->most = most / HALF_DAY * HALF_DAY;
    room = hours_of_slots(out->slots);
  }
  if (out->most > room) out->most = room;
  return out->most >= out->least && out->most > 0;
}

static int32_t hours_of_units(const struct carve *carve, int32_t units) {
  return carve->parts ? units * carve->job->hours / carve->parts : units;
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

/* ---- the network: node 0 is source and sink, then the persons, the parts of the week, and the week */

static void add_arc(struct carve *carve, uint32_t from, uint32_t to, int32_t most, int32_t least,
                    int32_t cost) {
  carve->least[carve->arc_count] = least;
  carve->arcs[carve->arc_count++] = (struct flow_arc){from, to, most, cost};
}

static uint32_t slot_node(const struct carve *carve, unsigned slot) {
  return 1 + (uint32_t)carve->count + slot;
}

static void build(struct carve *carve) {
  const struct carve_job *job = carve->job;
  uint32_t week = slot_node(carve, WEEK_SLOTS);
  for (uint32_t i = 0; i < carve->count; ++i) {
    const struct person *person = &carve->persons[i];
    add_arc(carve, 0, 1 + i, person->most, person->least, -job->lenders[person->lender].score);
  }
  for (unsigned slot = 0; slot < WEEK_SLOTS; ++slot) {
    int32_t unit = carve->parts ? 1 : carve_slot_hours(slot);
    add_arc(carve, slot_node(carve, slot), week, posts_left(job, slot) * unit, 0, 0);
  }
  int32_t units = carve->parts ? carve->hours * carve->parts / job->hours : carve->hours;
  add_arc(carve, week, 0, units, 0, 0);
  carve->first_work = carve->arc_count;
  for (uint32_t i = 0; i < carve->count; ++i) {
    const struct person *person = &carve->persons[i];
    if (person->slots == ANY) add_arc(carve, 1 + i, week, person->most, 0, 0);
    for (unsigned slot = 0; slot < WEEK_SLOTS; ++slot) {
      int32_t unit = carve->parts ? 1 : carve_slot_hours(slot);
      if (person->slots & 1u << slot) add_arc(carve, 1 + i, slot_node(carve, slot), unit, unit, 0);
    }
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
  uint32_t week = slot_node(carve, WEEK_SLOTS);
  size_t at = carve->first_work;
  for (uint32_t i = 0; i < carve->count; ++i) {
    int32_t units = 0;
    uint32_t slots = 0;
    for (; at < carve->arc_count && carve->arcs[at].from == 1 + i; ++at) {
      units += carve->flow[at];
      if (carve->flow[at] && carve->arcs[at].to != week)
        slots |= 1u << (carve->arcs[at].to - slot_node(carve, 0));
    }
    if (units == 0) continue;
    add_part(carve, out,
             (struct carve_part){carve->persons[i].lender, 1, (uint8_t)hours_of_units(carve, units),
                                 slots});
  }
}

/* What one lender alone would do, as somebody would make it who takes the best match: people side by side. */
static void find_best_single(const struct carve *carve, struct carving *out) {
  const struct carve_job *job = carve->job;
  int64_t best = 0;
  out->best_lender = SIZE_MAX;
  for (uint32_t i = 0; i < job->lender_count; ++i) {
    const struct carve_lender *lender = &job->lenders[i];
    struct person person;
    if (lender->score < 1 || !person_of(carve, i, &person)) continue;
    int32_t hours = hours_of_units(carve, person.most);
    int32_t people = lender->people < job->posts ? lender->people : job->posts;
    if (people > carve->hours / hours) people = carve->hours / hours;
    int64_t value = (int64_t)people * hours * lender->score;
    if (value <= best) continue;
    best = value;
    out->best_lender = i;
    out->best_people = people;
    out->best_hours = hours;
  }
}

static enum collega_status solve(struct carve *carve, flow_over over, void *context,
                                 struct carving *out, struct collega_error *error) {
  size_t arcs = carve->count * (1 + WEEK_SLOTS) + WEEK_SLOTS + 2;
  carve->arcs = malloc(arcs * sizeof *carve->arcs);
  carve->least = calloc(arcs, sizeof *carve->least);
  carve->flow = calloc(arcs, sizeof *carve->flow);
  out->parts = malloc((carve->count + 1) * sizeof *out->parts);
  if (!carve->arcs || !carve->least || !carve->flow || !out->parts)
    return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  build(carve);
  struct least_network network = {
      {2 + carve->count + WEEK_SLOTS, carve->arc_count, carve->arcs, NULL, NULL},
      carve->least,
      UINT64_MAX};
  struct least_result result;
  enum collega_status status = least_solve(&network, over, context, carve->flow, &result, error);
  if (status != COLLEGA_OK) return status;
  write_parts(carve, out);
  find_best_single(carve, out);
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
  if (job->posts < 0 || job->posts > POSTS_MOST || job->hours == 0 || job->taken < 0 ||
      job->slots >> WEEK_SLOTS)
    return error_set(error, COLLEGA_INVALID, RULE_flow_network, NULL, NULL);
  struct carve carve = {.job = job, .parts = bits(job->slots), .hours = hours_left(job)};
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

/* ---- the rules, read plainly */

/* Whether people of this lender may give such a part. */
static bool part_obeys(const struct carve_job *job, const struct carve_part *part) {
  if (part->lender >= job->lender_count || part->people < 1 || part->people > job->posts)
    return false;
  const struct carve_lender *lender = &job->lenders[part->lender];
  if (part->hours < lender->hours_min || part->hours > lender->hours_max || part->hours == 0 ||
      part->hours > job->hours)
    return false;
  if (lender->slots != ANY && (part->slots == ANY || part->slots & ~lender->slots)) return false;
  if (job->slots)
    return part->slots != ANY && !(part->slots & ~job->slots) &&
           part->hours == bits(part->slots) * job->hours / bits(job->slots);
  return part->slots == ANY || part->hours == hours_of_slots(part->slots);
}

bool carving_obeys(const struct carve_job *job, const struct carving *carving) {
  int64_t there[WEEK_SLOTS] = {0}, hours = 0, value = 0;
  int64_t *people = calloc(job->lender_count + 1, sizeof *people);
  bool ok = people != NULL;
  for (size_t i = 0; ok && i < carving->part_count; ++i) {
    const struct carve_part *part = &carving->parts[i];
    ok = part_obeys(job, part);
    if (!ok) break;
    people[part->lender] += part->people;
    ok = people[part->lender] <= job->lenders[part->lender].people;
    hours += (int64_t)part->people * part->hours;
    value += (int64_t)part->people * part->hours * job->lenders[part->lender].score;
    for (unsigned slot = 0; slot < WEEK_SLOTS; ++slot)
      if (part->slots & 1u << slot) there[slot] += part->people;
  }
  for (unsigned slot = 0; ok && slot < WEEK_SLOTS; ++slot)
    ok = there[slot] <= posts_left(job, slot);
  free(people);
  return ok && hours == carving->hours && hours <= hours_left(job) && value == carving->value &&
         value <= carving->bound;
}
