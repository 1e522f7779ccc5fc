/* A table by key (of a card's item, or a concept): which of the offer's skills have this key, which are near to it
 * as a concept (ESCO relates them, or it is broader), and which have it as something broader. What is narrower
 * than a skill, and what is of its kind, shows from the broader concepts of the other's skill. Each set is a bit
 * for each skill. */
#include "client/match/skill_reach.h"

#include <stdlib.h>

struct reached {
  uint32_t key; /* 0 with no set: empty */
  uint64_t same, near, under;
};
struct skill_reach {
  const struct taxonomy *taxonomy;
  bool demands;
  size_t count;
  double weight[CARD_SKILLS_MOST], asked; /* of the skills, where it demands; their sum */
  uint32_t shift;                         /* the table has 1 << (32 - shift) places */
  struct reached table[];
};

/* The place of a key, or the empty one where it would be. Fibonacci hashing (rows.h). */
static struct reached *place_of(const struct skill_reach *reach, uint32_t key) {
  uint32_t mask = (1u << (32u - reach->shift)) - 1u, at = (key * 2654435769u) >> reach->shift;
  const struct reached *one = &reach->table[at];
  while (one->key != key && (one->same | one->near | one->under)) {
    at = (at + 1) & mask;
    one = &reach->table[at];
  }
  return (struct reached *)(uintptr_t)one;
}

static struct reached *take(struct skill_reach *reach, uint32_t key) {
  struct reached *one = place_of(reach, key);
  one->key = key;
  return one;
}

static size_t keys_most(const struct taxonomy *taxonomy, const struct match_card *card) {
  size_t most = card->skill_count;
  const uint32_t *list;
  for (size_t i = 0; taxonomy && i < card->skill_count; ++i) {
    uint32_t key = card->items[i] & CARD_KEY;
    if (card_is_concept(key))
      most +=
          (size_t)taxonomy_related(taxonomy, key, &list) + taxonomy_broader(taxonomy, key, &list);
  }
  return most;
}

static void add_concept(struct skill_reach *reach, uint32_t concept, uint64_t skill) {
  const uint32_t *related, *broader;
  uint32_t related_count = taxonomy_related(reach->taxonomy, concept, &related),
           broader_count = taxonomy_broader(reach->taxonomy, concept, &broader);
  for (uint32_t i = 0; i < related_count; ++i)
    take(reach, related[i])->near |= skill;
  for (uint32_t i = 0; i < broader_count; ++i) {
    struct reached *one = take(reach, broader[i]);
    one->near |= skill;
    one->under |= skill;
  }
}

struct skill_reach *skill_reach_new(const struct taxonomy *taxonomy, const struct match_card *card,
                                    bool demands) {
  uint32_t bits = 4;
  size_t most = keys_most(taxonomy, card);
  while (((size_t)1 << bits) < 2 * most)
    ++bits;
  struct skill_reach *reach =
      calloc(1, sizeof *reach + ((size_t)1 << bits) * sizeof(struct reached));
  if (!reach) return NULL;
  reach->taxonomy = taxonomy;
  reach->demands = demands;
  reach->shift = 32u - bits;
  for (size_t i = 0; i < card->skill_count; ++i) {
    uint32_t item = card->items[i], key = item & CARD_KEY;
    if (!(item & CARD_ALIAS)) {
      reach->weight[reach->count] = item & CARD_MUST ? 2 : 1;
      reach->asked += reach->weight[reach->count++];
    }
    uint64_t skill = UINT64_C(1) << (reach->count - 1);
    take(reach, key)->same |= skill;
    if (taxonomy && card_is_concept(key)) add_concept(reach, key, skill);
  }
  return reach;
}

void skill_reach_free(struct skill_reach *reach) {
  free(reach);
}

/* Adds what the item's skill is the same as, near to, of a kind with. */
static void look_up(const struct skill_reach *reach, uint32_t item, struct reached *sum) {
  uint32_t key = item & CARD_KEY;
  const struct reached *found = place_of(reach, key);
  sum->same |= found->same;
  if (!reach->taxonomy || !card_is_concept(key)) return;
  sum->near |= found->near;
  const uint32_t *broader;
  uint32_t count = taxonomy_broader(reach->taxonomy, key, &broader);
  for (uint32_t i = 0; i < count; ++i) {
    found = place_of(reach, broader[i]);
    sum->near |= found->same;
    sum->under |= found->under;
  }
}

static double closeness(const struct reached *sum, uint64_t skills) {
  if (sum->same & skills) return TAXONOMY_SAME_SKILL;
  if (sum->near & skills) return TAXONOMY_RELATED_SKILL;
  return sum->under & skills ? TAXONOMY_KINDRED_SKILL : 0.0;
}

/* The other supplies: all that it has counts for each skill that is asked. */
static double part_of_supply(const struct skill_reach *reach, const struct match_card *supply,
                             bool *shared) {
  struct reached sum = {.key = 0};
  double met = 0;
  for (size_t i = 0; i < supply->skill_count; ++i)
    look_up(reach, supply->items[i], &sum);
  *shared = sum.same != 0;
  if (reach->asked <= 0) return 1.0;
  for (size_t i = 0; i < reach->count; ++i)
    met += reach->weight[i] * closeness(&sum, UINT64_C(1) << i);
  return met / reach->asked;
}

/* The other demands: each skill that it asks for counts by what it reaches here. */
static double part_of_demand(const struct skill_reach *reach, const struct match_card *demand,
                             bool *shared) {
  double asked = 0, met = 0;
  *shared = false;
  for (size_t i = 0; i < demand->skill_count;) {
    struct reached sum = {.key = 0};
    double weight = demand->items[i] & CARD_MUST ? 2 : 1;
    look_up(reach, demand->items[i++], &sum);
    if (i < demand->skill_count && demand->items[i] & CARD_ALIAS)
      look_up(reach, demand->items[i++], &sum);
    asked += weight;
    met += weight * closeness(&sum, UINT64_MAX);
    *shared = *shared || sum.same;
  }
  return asked > 0 ? met / asked : 1.0;
}

double skill_reach_part(const struct skill_reach *reach, const struct match_card *other,
                        bool *shared) {
  return reach->demands ? part_of_supply(reach, other, shared)
                        : part_of_demand(reach, other, shared);
}
