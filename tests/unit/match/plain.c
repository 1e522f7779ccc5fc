/* Plain on purpose: no card, no hash, no short cut, nothing of client/match. */
#include "tests/unit/match/plain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "proto/lists.h"

#define WEIGHT_OCCUPATION  0.28
#define WEIGHT_SKILLS      0.18
#define WEIGHT_CREDENTIALS 0.05
#define WEIGHT_LANGUAGES   0.04
#define WEIGHT_DISTANCE    0.14
#define WEIGHT_PERIOD      0.12
#define WEIGHT_HOURS       0.07
#define WEIGHT_HEADCOUNT   0.06
#define WEIGHT_TERMS       0.06
#define BROKEN             (-1.0)

/* ---- occupations of the made-up taxonomy */

/* How much an occupation has of each concept: by its skills, and half as much by what is broader than they. */
static void roles(const struct made_up_occupation *occupation, double out[MADE_UP_CONCEPTS]) {
  for (size_t i = 0; i < MADE_UP_CONCEPTS; ++i)
    out[i] = 0;
  for (size_t i = 0; occupation->skills[i]; ++i) {
    double role = occupation->skills[i] == '+' ? 1.0 : occupation->skills[i] == '-' ? 0.5 : 0.0;
    if (role > out[i]) out[i] = role;
    for (size_t j = 0; j < made_up_broader_count; ++j)
      if (made_up_broader[j].from == i && role / 2 > out[made_up_broader[j].to])
        out[made_up_broader[j].to] = role / 2;
  }
}

static double tree(const char *one, const char *other);

static double as_kept(double closeness) {
  return floor(closeness * 255.0 + 0.5) / 255.0;
}

void plain_prepare(struct plain *plain, bool taxonomy) {
  const double weights[PLAIN_PARTS] = {WEIGHT_OCCUPATION, WEIGHT_SKILLS,    WEIGHT_CREDENTIALS,
                                       WEIGHT_LANGUAGES,  WEIGHT_DISTANCE,  WEIGHT_PERIOD,
                                       WEIGHT_HOURS,      WEIGHT_HEADCOUNT, WEIGHT_TERMS};
  double vector[MADE_UP_OCCUPATIONS][MADE_UP_CONCEPTS];
  memcpy(plain->weight, weights, sizeof weights);
  plain->taxonomy = taxonomy;
  for (size_t i = 0; i < MADE_UP_OCCUPATIONS; ++i)
    roles(&made_up_occupations[i], vector[i]);
  for (size_t c = 0; c < MADE_UP_CONCEPTS; ++c) {
    double holders = 0;
    for (size_t i = 0; i < MADE_UP_OCCUPATIONS; ++i)
      holders += vector[i][c] > 0;
    for (size_t i = 0; i < MADE_UP_OCCUPATIONS && holders > 0; ++i)
      vector[i][c] *= log(MADE_UP_OCCUPATIONS / holders);
  }
  for (size_t i = 0; i < MADE_UP_OCCUPATIONS; ++i)
    for (size_t j = 0; j < MADE_UP_OCCUPATIONS; ++j) {
      double product = 0, one = 0, other = 0;
      for (size_t c = 0; c < MADE_UP_CONCEPTS; ++c) {
        product += vector[i][c] * vector[j][c];
        one += vector[i][c] * vector[i][c];
        other += vector[j][c] * vector[j][c];
      }
      double cosine = one > 0 && other > 0 ? product / sqrt(one * other) : 0;
      plain->closeness[i][j] =
          i == j ? 1.0
                 : as_kept(0.6 * sqrt(cosine) +
                           0.4 * tree(made_up_occupations[i].isco, made_up_occupations[j].isco));
    }
}

/* What an offer names: one occupation, all of a unit group, or none that the taxonomy has. */
struct named {
  const char *isco;
  size_t member[MADE_UP_OCCUPATIONS], count;
  bool one;
};

static struct named named(const struct plain *plain, const Collega__Occupation *occupation) {
  struct named out = {.isco = occupation->isco};
  for (size_t i = 0; plain->taxonomy && i < MADE_UP_OCCUPATIONS; ++i)
    if (occupation->esco && strcmp(made_up_occupations[i].uri, occupation->esco) == 0)
      return (struct named){made_up_occupations[i].isco, {i}, 1, true};
  for (size_t i = 0; plain->taxonomy && i < MADE_UP_OCCUPATIONS; ++i)
    if (strcmp(made_up_occupations[i].isco, out.isco) == 0) out.member[out.count++] = i;
  return out;
}

static bool course_leads(const struct plain *plain, const char *from, const char *to) {
  for (size_t i = 0; plain->taxonomy && i < made_up_course_count; ++i) {
    const struct made_up_course *course = &made_up_courses[i];
    if (strncmp(course->from, from, strlen(course->from)) == 0 &&
        strncmp(course->to, to, strlen(course->to)) == 0)
      return true;
  }
  return false;
}

static double occupations_alone(const struct named *given, const struct named *asked,
                                const struct plain *plain);

static double occupations(const struct plain *plain, const Collega__Offer *supply,
                          const Collega__Offer *demand) {
  struct named given = named(plain, supply->occupation), asked = named(plain, demand->occupation);
  double value = occupations_alone(&given, &asked, plain);
  return value < 0.3 && course_leads(plain, given.isco, asked.isco) ? 0.3 : value;
}

static double occupations_alone(const struct named *given, const struct named *asked,
                                const struct plain *plain) {
  if (given->count == 0 || asked->count == 0) return tree(given->isco, asked->isco);
  bool same_group = strcmp(given->isco, asked->isco) == 0;
  double sum = 0;
  for (size_t i = 0; i < given->count; ++i)
    for (size_t j = 0; j < asked->count; ++j)
      sum += plain->closeness[given->member[i]][asked->member[j]];
  double value = as_kept(sum / (double)(given->count * asked->count));
  if (same_group && !(given->one && asked->one)) value = 1.0;
  return value < 0.1 ? 0.0 : value;
}

static double tree(const char *one, const char *other) {
  if (strcmp(one, other) == 0) return 1.0;
  if (strncmp(one, other, 3) == 0) return 0.7;
  if (strncmp(one, other, 2) == 0) return 0.4;
  return one[0] == other[0] ? 0.15 : 0.0;
}

static bool must(protobuf_c_boolean told, Collega__Need need) {
  return told && need == COLLEGA__NEED__NEED_MUST;
}

static bool same_skill(const Collega__Skill *one, const Collega__Skill *other) {
  if (strcasecmp(one->label, other->label) == 0) return true;
  return one->esco && other->esco && strcmp(one->esco, other->esco) == 0;
}

static bool stands(const struct made_up_pair *pairs, size_t count, size_t from, size_t to) {
  for (size_t i = 0; i < count; ++i)
    if (pairs[i].from == from && pairs[i].to == to) return true;
  return false;
}

static bool is_broader(size_t from, size_t to) {
  return stands(made_up_broader, made_up_broader_count, from, to);
}

static size_t known_skill(const char *esco) {
  size_t at = 0;
  while (at < MADE_UP_SKILLS && (!esco || strcmp(made_up_concepts[at], esco) != 0))
    ++at;
  return at;
}

static double skill_closeness(const struct plain *plain, const Collega__Skill *one,
                              const Collega__Skill *other) {
  if (same_skill(one, other)) return 1.0;
  size_t a = known_skill(one->esco), b = known_skill(other->esco);
  if (!plain->taxonomy || a == MADE_UP_SKILLS || b == MADE_UP_SKILLS) return 0.0;
  if (stands(made_up_related, made_up_related_count, a, b) ||
      stands(made_up_related, made_up_related_count, b, a) || is_broader(a, b) || is_broader(b, a))
    return 0.6;
  for (size_t i = 0; i < MADE_UP_CONCEPTS; ++i)
    if (is_broader(a, i) && is_broader(b, i)) return 0.3;
  return 0.0;
}

static double skills(const struct plain *plain, const Collega__Offer *supply,
                     const Collega__Offer *demand, bool *shared) {
  double asked = 0, met = 0;
  *shared = false;
  for (size_t i = 0; i < demand->n_skills; ++i) {
    double weight = must(demand->skills[i]->has_need, demand->skills[i]->need) ? 2 : 1;
    double closest = 0;
    for (size_t j = 0; j < supply->n_skills; ++j) {
      double closeness = skill_closeness(plain, demand->skills[i], supply->skills[j]);
      if (closeness > closest) closest = closeness;
    }
    asked += weight;
    met += weight * closest;
    if (closest == 1.0) *shared = true;
  }
  return asked > 0 ? met / asked : 1.0;
}

static double credentials(const Collega__Offer *supply, const Collega__Offer *demand) {
  double asked = 0, met = 0;
  for (size_t i = 0; i < demand->n_credentials; ++i) {
    bool required = must(demand->credentials[i]->has_need, demand->credentials[i]->need);
    bool found = false;
    for (size_t j = 0; j < supply->n_credentials; ++j)
      if (strcmp(demand->credentials[i]->code, supply->credentials[j]->code) == 0) found = true;
    if (required && !found) return BROKEN;
    asked += required ? 2 : 1;
    if (found) met += required ? 2 : 1;
  }
  return asked > 0 ? met / asked : 1.0;
}

static double languages(const Collega__Offer *supply, const Collega__Offer *demand) {
  double asked = 0, met = 0;
  for (size_t i = 0; i < demand->n_languages; ++i) {
    const Collega__Language *wanted = demand->languages[i], *spoken = NULL;
    bool required = must(wanted->has_need, wanted->need);
    for (size_t j = supply->n_languages; j > 0; --j)
      if (strcmp(wanted->code, supply->languages[j - 1]->code) == 0)
        spoken = supply->languages[j - 1];
    bool low = spoken && wanted->level && spoken->level && strcmp(spoken->level, wanted->level) < 0;
    if (required && (!spoken || low)) return BROKEN;
    double weight = required ? 2 : 1;
    asked += weight;
    if (spoken) met += low ? weight / 2 : weight;
  }
  return asked > 0 ? met / asked : 1.0;
}

/* Haversine, in degrees as the lists have them. */
static bool position(const Collega__Place *place, double *latitude, double *longitude) {
  if (place->country && strcmp(place->country, "NL") != 0) return false;
  const struct postcode_row *area = place->postcode ? postcode_area_find(place->postcode) : NULL;
  const struct region_row *region = place->region ? region_find(place->region) : NULL;
  if (!area && !region) return false;
  *latitude = area ? area->latitude : region->latitude;
  *longitude = area ? area->longitude : region->longitude;
  return true;
}

static double distance(const Collega__Offer *supply, const Collega__Offer *demand) {
  double latitude[2], longitude[2];
  if (!position(supply->place, &latitude[0], &longitude[0]) ||
      !position(demand->place, &latitude[1], &longitude[1]))
    return 0.5;
  const double radians = acos(-1.0) / 180.0;
  double across = sin((latitude[1] - latitude[0]) * radians / 2),
         along = sin((longitude[1] - longitude[0]) * radians / 2);
  double km = 2 * 6371.0 *
              asin(sqrt(across * across +
                        cos(latitude[0] * radians) * cos(latitude[1] * radians) * along * along));
  if (supply->has_travel_km && km > supply->travel_km + 20.0) return BROKEN;
  if (demand->has_travel_km && km > demand->travel_km + 20.0) return BROKEN;
  return km > 100.0 ? 0.0 : 1.0 - km / 100.0;
}

/* Every shift is tried. */
static double period(const Collega__Offer *supply, const Collega__Offer *demand) {
  const Collega__Period *given = supply->period, *asked = demand->period;
  int32_t given_until = given->has_until ? given->until : given->from + 365;
  int32_t asked_until = asked->has_until ? asked->until : asked->from + 365;
  int32_t flexible = (int32_t)((given->has_flex_days ? given->flex_days : 0) +
                               (asked->has_flex_days ? asked->flex_days : 0));
  int32_t best = 0;
  for (int32_t shift = -flexible; shift <= flexible; ++shift) {
    int32_t from = given->from + shift > asked->from ? given->from + shift : asked->from;
    int32_t until = given_until + shift < asked_until ? given_until + shift : asked_until;
    if (until - from + 1 > best) best = until - from + 1;
  }
  return best > 0 ? (double)best / (double)(asked_until - asked->from + 1) : BROKEN;
}

static double hours(const Collega__Offer *supply, const Collega__Offer *demand) {
  const Collega__Hours *given = supply->hours, *asked = demand->hours;
  if (given->per_week_max < asked->per_week_min || asked->per_week_max < given->per_week_min)
    return BROKEN;
  bool common = given->n_slots == 0 || asked->n_slots == 0;
  for (size_t i = 0; i < given->n_slots; ++i)
    for (size_t j = 0; j < asked->n_slots; ++j)
      if (strcmp(given->slots[i], asked->slots[j]) == 0) common = true;
  if (!common) return BROKEN;
  uint32_t both =
      given->per_week_max < asked->per_week_max ? given->per_week_max : asked->per_week_max;
  return (double)both / (double)asked->per_week_max;
}

static double headcount(const Collega__Offer *supply, const Collega__Offer *demand) {
  if (demand->has_min_headcount && supply->headcount < demand->min_headcount) return BROKEN;
  if (supply->has_min_headcount && demand->headcount < supply->min_headcount) return BROKEN;
  uint32_t both = supply->headcount < demand->headcount ? supply->headcount : demand->headcount;
  return (double)both / (double)demand->headcount;
}

static double terms(const Collega__Offer *supply, const Collega__Offer *demand) {
  const Collega__OfferTerms *given = supply->terms, *asked = demand->terms;
  double value = 1.0;
  if (!given || !asked) return value;
  if (given->cao && asked->cao && strcasecmp(given->cao, asked->cao) != 0) value -= 0.25;
  if (given->vat && asked->vat && strcasecmp(given->vat, asked->vat) != 0) value -= 0.25;
  if (given->has_return_guarantee && given->return_guarantee && asked->has_return_guarantee &&
      !asked->return_guarantee)
    value -= 0.25;
  if (given->has_takeover && asked->has_takeover && given->takeover != asked->takeover)
    value -= 0.25;
  return value;
}

static bool meets(Collega__OfferKind supply, Collega__OfferKind demand) {
  return (supply == COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT &&
          demand == COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_IN) ||
         (supply == COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_OUT &&
          demand == COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_IN);
}

double plain_score(const struct plain *plain, const Collega__Offer *one,
                   const struct id *its_employer, const Collega__Offer *other,
                   const struct id *their_employer) {
  if (memcmp(its_employer, their_employer, sizeof *its_employer) == 0) return BROKEN;
  const Collega__Offer *supply = meets(one->kind, other->kind) ? one : other;
  const Collega__Offer *demand = supply == one ? other : one;
  if (!meets(supply->kind, demand->kind)) return BROKEN;
  bool shared = false;
  double occupation = occupations(plain, supply, demand);
  double parts[] = {occupation,
                    skills(plain, supply, demand, &shared),
                    credentials(supply, demand),
                    languages(supply, demand),
                    distance(supply, demand),
                    period(supply, demand),
                    hours(supply, demand),
                    headcount(supply, demand),
                    terms(supply, demand)};
  if (occupation <= 0 && !shared) return BROKEN;
  double score = 0;
  for (size_t i = 0; i < sizeof parts / sizeof *parts; ++i) {
    if (parts[i] < 0) return BROKEN;
    score += plain->weight[i] * parts[i];
  }
  return score;
}
