/* The best of many offers, exactly, without judging most of them.
 *
 * A search goes through the rows in the order of their occupation's closeness, in each through the cells in the
 * order of their zone's distance, keeps the best k so far, and passes over every row, cell and entry whose bound
 * is below the k-th. A bound is never below the score (the comments at the bounds say why), so the answer is that
 * of judging all. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/match/rows.h"

#define ROUNDING 1e-6 /* bounds and scores are sums of a few doubles from floats */
#define BUCKETS  256u

/* What of self's skill another offer may have, as bits of its signature: the skill itself, what is related to it
 * or broader or narrower, what is of its kind. Of a row only those bits count that the shelf's filter has for it. */
struct probe {
  uint64_t same, near_keys;
  uint32_t near_kinds, kin_kinds;
};
/* The same of keys, in as many words as a cell has. */
struct wide_probe {
  uint64_t same[WIDE], near_keys[WIDE];
};
/* A zone that is not too far away; `gain`: the most that the distance part gives there. */
struct reached_zone {
  double gain;
  uint8_t zone;
  bool exact; /* it is a single point, or nothing depends on it */
};
struct candidate;
struct search {
  const struct match_rules *rules;
  const struct held *self;
  const struct zones *zones;
  uint16_t isco;          /* self's unit group */
  const uint8_t *near;    /* of the taxonomy, for self's occupation; NULL: the tree tells */
  bool supplies;          /* self does */
  double asked_weight;    /* of self's skills, where it demands; 0: none asked */
  double occupation[256]; /* what a step of closeness to self's occupation gives */
  double unknown;         /* the most of the parts that no entry tells */
  bool
      weightless; /* occupations count for nothing: 0 does not tell that there is nothing in common */
  bool nowhere;   /* self's place is not known */
  double travel_km[2]; /* beyond this self takes nobody; of a fine, of a coarse place */
  struct isco_span courses[COURSES_REACH]; /* where courses lead to or come from, seen from self */
  size_t course_count;
  double course;      /* the least closeness in the row that is searched: by a course, or 0 */
  float *place_bound; /* by point: distance_bound, NOT_YET where it was not asked for */
  struct reached_zone reached[ZONES_MOST]; /* nearest first */
  size_t reached_count;
  struct skill_reach *reach;
  struct candidate *candidates;
  size_t candidate_count;
  struct test *tests;
  size_t test_count;
  double weight[CARD_SKILLS_MOST]; /* of self's skills */
  size_t skill_count;
  struct wide_probe *wide;           /* for each row, where self supplies: of all skills */
  const struct wide_probe *any_wide; /* in the row that is searched */
  struct probe *probes; /* for each row: of all skills, then, where self demands, of each */
  size_t row_probes;
  const struct probe *any; /* of all skills, in the row that is searched; of each behind it */
  size_t most, count;
  struct match_found *found;
};
#define NOT_YET (-9.0f)

/* Asked for ahead. */
#define ZONES_AHEAD   4u
#define ROWS_AHEAD    2u
#define CELLS_AHEAD   2u
#define ENTRIES_AHEAD 64u   /* of a cell: their times */
#define HELD_AHEAD    128u  /* of an offer */
#define CANDIDATES    2048u /* at once */

/* Better first; equal scores by id, so that the order is stable. */
static bool before(const struct match_found *one, const struct match_found *other) {
  if (one->score > other->score) return true;
  if (one->score < other->score) return false;
  return memcmp(one->id.byte, other->id.byte, SHORT_ID_BYTES) < 0;
}

static void keep(struct search *search, const struct match_found *found) {
  if (search->count == search->most) {
    if (!before(found, &search->found[search->most - 1])) return;
    --search->count;
  }
  size_t at = search->count++;
  for (; at > 0 && before(found, &search->found[at - 1]); --at)
    search->found[at] = search->found[at - 1];
  search->found[at] = *found;
}

/* Below this no offer gets in any more. */
static double least(const struct search *search) {
  return search->count < search->most ? -1.0 : search->found[search->most - 1].score - ROUNDING;
}

/* ---- skills */

/* What to look for in a row's filter, and what it means for which of self's skills. */
enum test_kind { TEST_SAME, TEST_NEAR_KEY, TEST_NEAR_KIND, TEST_KIN_KIND };
struct test {
  uint32_t key;
  uint16_t skill;
  uint16_t kind; /* enum test_kind */
};

static void add_tests(struct search *search, const uint32_t *keys, uint32_t count, size_t skill,
                      enum test_kind kind) {
  for (uint32_t i = 0; i < count; ++i)
    search->tests[search->test_count++] = (struct test){keys[i], (uint16_t)skill, (uint16_t)kind};
}

static size_t most_tests(const struct search *search) {
  const struct match_card *card = &search->self->card;
  const struct taxonomy *taxonomy = search->rules->sources.taxonomy;
  size_t most = 1;
  for (size_t i = 0; i < card->skill_count; ++i) {
    uint32_t key = card->items[i] & CARD_KEY;
    const uint32_t *list;
    if (taxonomy && card_is_concept(key))
      most += 1u + taxonomy_related(taxonomy, key, &list) +
              2u * (size_t)taxonomy_broader(taxonomy, key, &list);
  }
  return most + card->skill_count;
}

/* Self's skills, once for all rows. */
static bool prepare_skills(struct search *search) {
  const struct match_card *card = &search->self->card;
  const struct taxonomy *taxonomy = search->rules->sources.taxonomy;
  search->tests = malloc(most_tests(search) * sizeof *search->tests);
  if (!search->tests) return false;
  for (size_t i = 0; i < card->skill_count; ++i) {
    uint32_t item = card->items[i], key = item & CARD_KEY;
    if (!(item & CARD_ALIAS)) {
      double weight = item & CARD_MUST ? 2 : 1;
      search->asked_weight += weight;
      search->weight[search->skill_count++] = weight;
    }
    size_t skill = search->skill_count - 1;
    add_tests(search, &key, 1, skill, TEST_SAME);
    if (!taxonomy || !card_is_concept(key)) continue;
    const uint32_t *related, *broader;
    uint32_t related_count = taxonomy_related(taxonomy, key, &related),
             broader_count = taxonomy_broader(taxonomy, key, &broader);
    add_tests(search, &key, 1, skill, TEST_NEAR_KIND);
    add_tests(search, related, related_count, skill, TEST_NEAR_KEY);
    add_tests(search, broader, broader_count, skill, TEST_NEAR_KEY);
    add_tests(search, broader, broader_count, skill, TEST_KIN_KIND);
  }
  return true;
}

static void probe_add(struct probe *probe, const struct test *test) {
  switch ((enum test_kind)test->kind) {
  case TEST_SAME:
    probe->same |= key_bit(test->key);
    return;
  case TEST_NEAR_KEY:
    probe->near_keys |= key_bit(test->key);
    return;
  case TEST_NEAR_KIND:
    probe->near_kinds |= kind_bit(test->key);
    return;
  case TEST_KIN_KIND:
    probe->kin_kinds |= kind_bit(test->key);
    return;
  }
}

static void wide_add(struct wide_probe *wide, const struct test *test) {
  uint32_t word = key_word(test->key);
  if (test->kind == TEST_SAME) wide->same[word] |= key_bit(test->key);
  if (test->kind == TEST_NEAR_KEY) wide->near_keys[word] |= key_bit(test->key);
}

/* Self's skills as they may occur in each row. */
static bool probe_rows(struct search *search, const struct shelf *shelf) {
  search->row_probes = 1 + (search->supplies ? 0 : search->skill_count);
  search->probes = calloc(shelf->count * search->row_probes, sizeof *search->probes);
  if (search->supplies) search->wide = calloc(shelf->count, sizeof *search->wide);
  if (!search->probes || (search->supplies && !search->wide)) return false;
  for (size_t i = 0; i < search->test_count; ++i) {
    const struct test *test = &search->tests[i];
    bool of_kind = test->kind == TEST_NEAR_KIND || test->kind == TEST_KIN_KIND;
    const uint64_t *rows = filter_rows(shelf, test->key, of_kind);
    for (size_t word = 0; word * 64 < shelf->count; ++word)
      for (uint64_t left = rows[word]; left; left &= left - 1) {
        size_t row = word * 64 + (size_t)__builtin_ctzll(left);
        struct probe *any = &search->probes[row * search->row_probes];
        probe_add(any, test);
        if (search->supplies)
          wide_add(&search->wide[row], test);
        else
          probe_add(any + 1 + test->skill, test);
      }
  }
  return true;
}

/* The most closeness to self's skill that something with these bits can have. */
static double probe_bound(const struct probe *probe, uint64_t keys, uint32_t kinds) {
  if (probe->same & keys) return TAXONOMY_SAME_SKILL;
  if (probe->near_keys & keys || probe->near_kinds & kinds) return TAXONOMY_RELATED_SKILL;
  return probe->kin_kinds & kinds ? TAXONOMY_KINDRED_SKILL : 0.0;
}

/* The most of the skills part. Two skills may share a bit, so it can be more than is met and never less. Where the
 * other side demands, its weights are in its card: the closest of all pairs bounds the mean. `content`: it, or one
 * of them, asks for nothing. */
static double skills_bound(const struct search *search, uint64_t keys, uint32_t kinds,
                           bool content) {
  if (search->supplies) return content ? 1.0 : probe_bound(search->any, keys, kinds);
  if (search->asked_weight <= 0) return 1.0;
  double met = 0;
  for (size_t i = 0; i < search->skill_count; ++i)
    met += search->weight[i] * probe_bound(&search->any[1 + i], keys, kinds);
  return met / search->asked_weight;
}

static bool in_common(const uint64_t one[WIDE], const uint64_t other[WIDE]) {
  return ((one[0] & other[0]) | (one[1] & other[1]) | (one[2] & other[2]) | (one[3] & other[3])) !=
         0;
}

/* The same of a cell or a row. */
static double span_skills_bound(const struct search *search, const struct span *span,
                                bool content) {
  if (!search->supplies) return skills_bound(search, span_keys(span), span->kinds, content);
  const struct probe *any = search->any;
  const struct wide_probe *wide = search->any_wide;
  if (content || in_common(wide->same, span->keys)) return 1.0;
  if (any->near_kinds & span->kinds || in_common(wide->near_keys, span->keys))
    return TAXONOMY_RELATED_SKILL;
  return any->kin_kinds & span->kinds ? TAXONOMY_KINDRED_SKILL : 0.0;
}

/* The same of one entry, where self supplies: each skill that is met has a bit in common, and a bit that several skills
 * share counts as often. The more skills are met the better, and best if they are those that must be there. */
static double demand_bound(const struct search *search, const struct times *times,
                           const struct entry *entry) {
  const struct probe *any = search->any;
  if (times->skills == 0) return skills_bound(search, entry->keys, entry->kinds, entry->keys == 0);
  unsigned asked = times->skills, hits = (unsigned)__builtin_popcountll(entry->keys & any->same);
  unsigned met = hits ? hits + times->shared : 0;
  double others = any->near_keys & entry->keys || any->near_kinds & entry->kinds
                      ? TAXONOMY_RELATED_SKILL
                  : any->kin_kinds & entry->kinds ? TAXONOMY_KINDRED_SKILL
                                                  : 0.0;
  if (met > asked) met = asked;
  return (2.0 * met + (asked - met) * others) / (2.0 * met + (asked - met));
}

/* ---- period, distance */

/* The most of the period part, where there are days in common. A shift moves either end by at most the flexible
 * days, so widening one side by them at both ends covers every shift; more than what either side has is never in
 * common. */
static double period_bound(const struct search *search, const struct times *times) {
  const struct match_card *self = &search->self->card;
  long other_from = (long)times->from, other_until = (long)times->until;
  long flexible = (long)self->flex_days + (long)times->flex_days;
  long from = self->from > other_from - flexible ? self->from : other_from - flexible;
  long until = self->until < other_until + flexible ? self->until : other_until + flexible;
  long own = (long)self->until - self->from + 1, other = other_until - other_from + 1;
  long days = until - from + 1, asked = search->supplies ? other : own;
  long shorter = own < other ? own : other;
  return (double)(days < shorter ? days : shorter) / (double)asked;
}

/* The chord is shorter than the arc, so this is never below the distance part, and where it is beyond a travel
 * limit the arc is too. A place that is not known stands in the middle of the earth, 6,371 km from all others: it
 * counts half. Negative: too far. */
static double distance_bound(const struct search *search, double away, bool coarse) {
  if (away > 0.9 || search->nowhere) return 0.5;
  double km = away * EARTH_KM;
  if (km > search->travel_km[coarse]) return -1.0;
  return km < 100.0 ? 1.0 - km / 100.0 : 0.0;
}

static double place_bound(const struct search *search, const struct entry *entry) {
  const float *self = search->self->card.point;
  if (entry->point == POINTS_MOST)
    return distance_bound(search, point_chord(self, entry->held->card.point), true);
  float *known = &search->place_bound[entry->point];
  /* Rounded to a float it may be a little less: ROUNDING covers that. */
  if (*known < -2.0f)
    *known = (float)distance_bound(search, point_chord(self, search->zones->point[entry->point]),
                                   search->zones->coarse[entry->point]);
  return (double)*known;
}

/* Once for all rows: the zones that are near enough, nearest first. */
static void reach_zones(struct search *search) {
  const struct zones *zones = search->zones;
  for (size_t i = 0; i < zones->count; ++i) {
    double away =
        point_chord(search->self->card.point, zones->zone[i].point) - (double)zones->zone[i].radius;
    bool anywhere = i == ZONE_NOWHERE && zones->crowded;
    double near =
        anywhere ? 1.0 : distance_bound(search, away > 0 ? away : 0, zones->zone[i].coarse);
    if (near < 0) continue;
    struct reached_zone one = {.gain = search->rules->weight[MATCH_DISTANCE] * near,
                               .zone = (uint8_t)i,
                               .exact = !anywhere && zones->zone[i].radius <= 0};
    size_t at = search->reached_count++;
    for (; at > 0 && search->reached[at - 1].gain < one.gain; --at)
      search->reached[at] = search->reached[at - 1];
    search->reached[at] = one;
  }
}

/* ---- entries, cells, rows */

/* What the entry's occupation gives: it is exact. `of_row`: what the closest of its row gives. */
static double entry_occupation(const struct search *search, const struct entry *entry,
                               double of_row) {
  if (!search->near || entry->occupation < OCCUPATION_KEYS) return of_row;
  return search->occupation[search->near[entry->occupation - OCCUPATION_KEYS]];
}

/* Days in common after the best shift, and hours, or neither: hard rules. */
static bool times_meet(const struct match_card *self, struct times times) {
  long flexible = (long)self->flex_days + (long)times.flex_days;
  return ((long)times.from - flexible <= self->until) &
         ((long)times.until + flexible >= self->from) &
         ((unsigned)times.hours_min <= self->hours_max) &
         ((unsigned)times.hours_max >= self->hours_min);
}

/* Of up to 64 entries: a bit for each that meets, found without a branch that could be guessed wrong. */
static uint64_t all_that_meet(const struct match_card *self, const struct times *times,
                              uint32_t count) {
  uint64_t found = 0;
  for (uint32_t i = 0; i < count; ++i)
    found |= (uint64_t)times_meet(self, times[i]) << i;
  return found;
}

/* The most that an offer of this entry can score; `others` is what its occupation, its distance and the parts that
 * no entry tells can give. Negative: below `least`. */
static double entry_bound(const struct search *search, const struct times *times,
                          const struct entry *entry, double others, double least_score) {
  const double *weight = search->rules->weight;
  double bound = others + weight[MATCH_SKILLS] *
                              (search->supplies ? demand_bound(search, times, entry)
                                                : skills_bound(search, entry->keys, entry->kinds,
                                                               entry->keys == 0));
  if (bound + weight[MATCH_HOURS] + weight[MATCH_PERIOD] < least_score) return -1.0;
  unsigned most = (unsigned)times->hours_max, own = search->self->card.hours_max;
  unsigned asked = search->supplies ? most : own, both = most < own ? most : own;
  bound += weight[MATCH_PERIOD] * period_bound(search, times) +
           weight[MATCH_HOURS] * (double)both / (double)asked;
  return bound < least_score ? -1.0 : bound;
}

/* The most that any offer of a span can score, but for the distance. Negative: a hard rule is broken by all of them. */
static double span_bound(const struct search *search, const struct span *span, bool content,
                         double others) {
  const struct match_card *self = &search->self->card;
  if (span->from > (long)self->until + self->flex_days ||
      span->until < (long)self->from - self->flex_days || span->hours_min > self->hours_max ||
      span->hours_max < self->hours_min)
    return -1.0;
  return others + search->rules->weight[MATCH_PERIOD] + search->rules->weight[MATCH_HOURS] +
         search->rules->weight[MATCH_SKILLS] * span_skills_bound(search, span, content);
}

/* A cell that may hold something good; `bound`: the most that it can be. */
struct visit {
  const struct cell *cell;
  const struct reached_zone *zone;
  double bound;
};

/* Rows and cells lie all over memory, and waiting for them was most of a search: what comes next is asked for ahead. */
static void fetch(const void *from, size_t bytes) {
  for (size_t i = 0; i < bytes; i += 64)
    __builtin_prefetch((const char *)from + i);
}

/* ---- candidates: entries that may get in, in a heap, best bound first. Judged in that order few of them need to be. */

struct candidate {
  double bound;
  const struct held *held;
};

static void sift_down(struct candidate *heap, size_t count, size_t at) {
  struct candidate moved = heap[at];
  for (size_t child; (child = 2 * at + 1) < count; at = child) {
    if (child + 1 < count && heap[child + 1].bound > heap[child].bound) ++child;
    if (heap[child].bound <= moved.bound) break;
    heap[at] = heap[child];
  }
  heap[at] = moved;
}

static void judge_candidates(struct search *search) {
  struct candidate *heap = search->candidates;
  size_t count = search->candidate_count;
  search->candidate_count = 0;
  for (size_t i = count / 2; i-- > 0;)
    sift_down(heap, count, i);
  while (count > 0 && heap[0].bound >= least(search)) {
    const struct held *held = heap[0].held;
    struct match_found found = {.id = held->id};
    heap[0] = heap[--count];
    if (count > 0) {
      sift_down(heap, count, 0);
      fetch(heap[0].held, HELD_AHEAD);
    }
    if (held->author != search->self->author &&
        match_cards_above(search->rules, search->reach, &search->self->card, &held->card,
                          least(search), &found.score))
      keep(search, &found);
  }
}

static void add_candidate(struct search *search, const struct entry *entry, double bound) {
  if (search->candidate_count == CANDIDATES) judge_candidates(search);
  search->candidates[search->candidate_count++] = (struct candidate){bound, entry->held};
}

/* `of_row`: what the closest occupation of the row gives. */
static void search_entry(struct search *search, const struct visit *visit, uint32_t at,
                         double of_row) {
  const double *weight = search->rules->weight;
  const struct entry *entry = &cell_entries(visit->cell)[at];
  double least_score = least(search), course = weight[MATCH_OCCUPATION] * search->course;
  double occupation = entry_occupation(search, entry, of_row);
  if (occupation < course) occupation = course;
  if (visit->bound - of_row + occupation < least_score) return;
  if (occupation <= 0 && !(entry->keys & search->any->same) && !search->weightless) return;
  double near = visit->zone->gain;
  if (!visit->zone->exact) {
    double part = place_bound(search, entry);
    if (part < 0) return;
    near = weight[MATCH_DISTANCE] * part;
  }
  double bound = entry_bound(search, &visit->cell->times[at], entry,
                             search->unknown + occupation + near, least_score);
  if (bound >= 0) add_candidate(search, entry, bound);
}

static void search_cell(struct search *search, const struct visit *visit, double of_row) {
  const struct cell *cell = visit->cell;
  for (uint32_t at = 0; at < cell->count; at += 64) {
    uint32_t count = cell->count - at < 64 ? cell->count - at : 64;
    uint64_t met = all_that_meet(&search->self->card, cell->times + at, count);
    /* Their entries stand elsewhere: asked for all at once, they come together. */
    for (uint64_t left = met; left; left &= left - 1)
      __builtin_prefetch(&cell_entries(cell)[at + (uint32_t)__builtin_ctzll(left)].occupation);
    for (uint64_t left = met; left; left &= left - 1)
      search_entry(search, visit, at + (uint32_t)__builtin_ctzll(left), of_row);
  }
}

/* The cells of a row whose offers name skills, or none. `most`: what they can be at most, their distance aside. */
static size_t choose_cells(const struct search *search, const struct row *row, unsigned names,
                           double others, double most, struct visit *visits) {
  size_t count = 0;
  double least_score = least(search);
  for (size_t i = 0; i < search->reached_count; ++i) {
    const struct reached_zone *zone = &search->reached[i];
    if (most + zone->gain < least_score) break;
    if (i + ZONES_AHEAD < search->reached_count) {
      size_t ahead = zone[ZONES_AHEAD].zone * CELLS_A_ZONE + names;
      if (row->cell_of[ahead]) __builtin_prefetch(&row->cells[row->cell_of[ahead] - 1]);
    }
    uint16_t cell_of = row->cell_of[zone->zone * CELLS_A_ZONE + names];
    if (!cell_of) continue;
    const struct cell *cell = &row->cells[cell_of - 1];
    if (cell->count == 0) continue;
    double bound = span_bound(search, &cell->span, names == NAMES_NONE, others + zone->gain);
    if (bound >= 0 && bound >= least_score) visits[count++] = (struct visit){cell, zone, bound};
  }
  return count;
}

static void fetch_entries(const struct cell *cell) {
  uint32_t count = cell->count < ENTRIES_AHEAD ? cell->count : ENTRIES_AHEAD;
  fetch(cell->times, count * sizeof *cell->times);
}

static void search_row(struct search *search, const struct row *row, double of_row,
                       struct visit *visits) {
  double others = search->unknown + of_row;
  size_t count = 0;
  for (unsigned names = 0; names < CELLS_A_ZONE; ++names) {
    if ((names == NAMES_NONE ? row->nameless : row->offers - row->nameless) == 0) continue;
    double most = span_bound(search, &row->span, names == NAMES_NONE, others);
    if (most >= 0) count += choose_cells(search, row, names, others, most, visits + count);
  }
  for (size_t i = 0; i < count && i < CELLS_AHEAD; ++i)
    fetch_entries(visits[i].cell);
  for (size_t i = 0; i < count; ++i) {
    if (i + CELLS_AHEAD < count) fetch_entries(visits[i + CELLS_AHEAD].cell);
    if (visits[i].bound >= least(search)) search_cell(search, &visits[i], of_row);
  }
  judge_candidates(search);
}

static double course_closeness(const struct search *search, const struct row *row) {
  for (size_t i = 0; i < search->course_count; ++i)
    if (row->isco >= search->courses[i].first && row->isco <= search->courses[i].last)
      return MATCH_COURSE_CLOSENESS;
  return 0.0;
}

/* The closest occupation that a row may hold, courses aside. */
static double row_closeness(const struct search *search, const struct row *row) {
  if (!search->near || row->key_count == 0) return isco_closeness(search->isco, row->isco);
  const uint8_t *near = search->near + row->first_key;
  uint8_t best = 0;
  for (uint32_t i = 0; i < row->key_count; ++i)
    best = near[i] > best ? near[i] : best;
  return occupation_step(best);
}

/* Rows, closest occupation first. */
struct reach {
  const struct row *row;
  double closeness;
  uint32_t bucket;
};

/* Into buckets by closeness: what is in one differs by less than a step, and their order does not matter. */
static void reach_sort(const struct reach *from, size_t count, struct reach *out) {
  size_t start[BUCKETS + 1] = {0};
  for (size_t i = 0; i < count; ++i)
    ++start[BUCKETS - from[i].bucket];
  for (size_t i = 1; i <= BUCKETS; ++i)
    start[i] += start[i - 1];
  for (size_t i = 0; i < count; ++i)
    out[start[BUCKETS - 1 - from[i].bucket]++] = from[i];
}

static void search_rows(struct search *search, const struct shelf *shelf, const struct reach *reach,
                        struct visit *visits) {
  const double *weight = search->rules->weight;
  double rest =
      weight[MATCH_SKILLS] + weight[MATCH_DISTANCE] + weight[MATCH_PERIOD] + weight[MATCH_HOURS];
  for (size_t i = 0; i < shelf->count; ++i) {
    const struct row *row = reach[i].row;
    if (i + ROWS_AHEAD < shelf->count) {
      fetch(reach[i + ROWS_AHEAD].row->cell_of, CELLS_A_ROW * sizeof *row->cell_of);
    }
    double bucket_most = (double)(reach[i].bucket + 1) / (double)(BUCKETS - 1);
    double others = search->unknown + weight[MATCH_OCCUPATION] * reach[i].closeness;
    if (search->unknown + weight[MATCH_OCCUPATION] * bucket_most + rest < least(search)) break;
    if (row->offers == 0 || others + rest < least(search)) continue;
    search->any = &search->probes[(size_t)(row - shelf->rows) * search->row_probes];
    search->any_wide = search->supplies ? &search->wide[row - shelf->rows] : NULL;
    search->course = course_closeness(search, row);
    if (reach[i].closeness <= 0 && !(span_keys(&row->span) & search->any->same)) continue;
    search_row(search, row, weight[MATCH_OCCUPATION] * reach[i].closeness, visits);
  }
}

static enum collega_status search_shelf(struct search *search, const struct shelf *shelf,
                                        struct collega_error *error) {
  if (shelf->count == 0 || search->most == 0) return COLLEGA_OK;
  struct reach *reach = malloc(2 * shelf->count * sizeof *reach);
  struct visit *visits = malloc(CELLS_A_ROW * sizeof *visits);
  search->place_bound = malloc(search->zones->points * sizeof *search->place_bound);
  search->reach =
      skill_reach_new(search->rules->sources.taxonomy, &search->self->card, !search->supplies);
  search->candidates = malloc(CANDIDATES * sizeof *search->candidates);
  bool ready = reach && visits && search->candidates && search->place_bound && search->reach &&
               prepare_skills(search) && probe_rows(search, shelf);
  if (ready) {
    for (size_t i = 0; i < search->zones->points; ++i)
      search->place_bound[i] = NOT_YET;
    reach_zones(search);
    for (size_t i = 0; i < shelf->count; ++i) {
      double closeness = row_closeness(search, &shelf->rows[i]),
             course = course_closeness(search, &shelf->rows[i]);
      if (closeness < course) closeness = course;
      reach[i] =
          (struct reach){&shelf->rows[i], closeness, (uint32_t)(closeness * (double)(BUCKETS - 1))};
    }
    reach_sort(reach, shelf->count, reach + shelf->count);
    search_rows(search, shelf, reach + shelf->count, visits);
  }
  free(reach);
  free(visits);
  free(search->place_bound);
  skill_reach_free(search->reach);
  free(search->candidates);
  free(search->tests);
  free(search->probes);
  free(search->wide);
  return ready ? COLLEGA_OK : error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

enum collega_status rows_search(struct match_engine *engine, size_t set, const struct held *self,
                                size_t most, struct match_found *out, size_t *count,
                                struct collega_error *error) {
  Collega__OfferKind kind = (Collega__OfferKind)self->card.kind;
  const struct match_rules *rules = &engine->rules;
  struct search search = {
      .rules = rules,
      .self = self,
      .zones = &engine->zones,
      .isco = occupation_isco(rules->sources.taxonomy, self->card.occupation),
      .near = self->card.occupation < OCCUPATION_KEYS
                  ? NULL
                  : taxonomy_near(rules->sources.taxonomy, self->card.occupation - OCCUPATION_KEYS),
      .supplies = kind_supplies(kind),
      .unknown = rules->weight[MATCH_CREDENTIALS] + rules->weight[MATCH_LANGUAGES] +
                 rules->weight[MATCH_HEADCOUNT] + rules->weight[MATCH_TERMS],
      .nowhere = point_nowhere(self->card.point),
      .most = most,
      .found = out,
  };
  for (size_t coarse = 0; coarse < 2; ++coarse) {
    bool fine = !coarse && self->card.terms & CARD_PLACE_FINE;
    search.travel_km[coarse] =
        self->card.travel_km == CARD_NOT_TOLD
            ? 2 * EARTH_KM
            : self->card.travel_km + (fine ? MATCH_FINE_DOUBT_KM : MATCH_PLACE_DOUBT_KM) + 0.01;
  }
  search.course_count =
      courses_reach(rules->sources.courses, search.isco, search.supplies, search.courses);
  for (unsigned i = 0; i < 256; ++i)
    search.occupation[i] = rules->weight[MATCH_OCCUPATION] * occupation_step((uint8_t)i);
  search.weightless = rules->weight[MATCH_OCCUPATION] <= 0;
  enum collega_status status =
      search_shelf(&search, shelf_of(engine, set, kind_counter(kind)), error);
  *count = search.count;
  return status;
}
