/* Whether two offers fit, how well, and why: the plain definitions.
 *
 * One side supplies (loan_out, transfer_out), the other demands; every formula is written in those roles, so the
 * score does not depend on which of the two asks. Hard rules first; an offer that breaks one is no match, and
 * the first gap names the rule. Then seven parts, each 0 .. 1, and
 *
 *   score = sum of match_weights[part] * part
 *
 *   occupation  same ESCO occupation or ISCO-08 unit group 1; same minor group 0.7; sub-major 0.4; major 0.15
 *   skills      weight of the asked skills that are offered / weight of all asked (must 2, nice 1); none asked: 1
 *   distance    1 - km / 100, at least 0; unknown 0.5
 *   period      days in common / days asked (after the best shift that flex_days allow)
 *   hours       the smaller of both weekly maxima / the asked maximum
 *   headcount   the smaller of both / the asked number
 *   terms       1, less 0.25 for each of: another cao, other VAT treatment, no return guarantee where it is asked,
 *               takeover seen differently
 *
 * Places are known to the postcode area (7 km off at the median, 19 km at the 95th percentile), so the travel
 * limit is a hard rule only beyond limit + PLACE_DOUBT_KM; between the two it is told as a gap. */
#include "client/match/match.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "proto/lists.h"

#define PLACE_DOUBT_KM   20.0
#define OPEN_PERIOD_DAYS 365 /* a transfer without an end is compared over a year */

const double match_weights[MATCH_PARTS] = {
    [MATCH_OCCUPATION] = 0.30, [MATCH_SKILLS] = 0.20, [MATCH_DISTANCE] = 0.15,
    [MATCH_PERIOD] = 0.12,     [MATCH_HOURS] = 0.08,  [MATCH_HEADCOUNT] = 0.08,
    [MATCH_TERMS] = 0.07,
};

const char *match_part_name(enum match_part part) {
  static const char *const names[MATCH_PARTS] = {
      [MATCH_OCCUPATION] = "occupation", [MATCH_SKILLS] = "skills", [MATCH_DISTANCE] = "distance",
      [MATCH_PERIOD] = "period",         [MATCH_HOURS] = "hours",   [MATCH_HEADCOUNT] = "headcount",
      [MATCH_TERMS] = "terms",
  };
  return names[part];
}

/* The comparison in roles. */
struct pair {
  const Collega__Offer *supply, *demand;
  struct match_result *out;
};

/* Strings from an offer end up as arguments of sentences; absent ones as an empty text. */
static void say(struct match_result *out, bool gap, enum rule rule, const char *one,
                const char *two, const char *three) {
  size_t *count = gap ? &out->gap_count : &out->reason_count;
  if (*count >= MATCH_WORDS) return;
  struct collega_error *words = gap ? &out->gaps[*count] : &out->reasons[*count];
  error_set(words, COLLEGA_OK, rule, NULL, one ? one : "", two ? two : "", three ? three : "",
            NULL);
  ++*count;
}

static bool breaks(struct match_result *out, enum rule rule, const char *one, const char *two) {
  out->gap_count = 0;
  out->fits = false;
  say(out, true, rule, one, two, NULL);
  return false;
}

static void number_text(char out[24], long number) {
  snprintf(out, 24, "%ld", number);
}

static bool kinds_meet(Collega__OfferKind one, Collega__OfferKind other) {
  switch (one) {
  case COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT:
    return other == COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_IN;
  case COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_IN:
    return other == COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT;
  case COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_OUT:
    return other == COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_IN;
  case COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_IN:
    return other == COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_OUT;
  case _COLLEGA__OFFER_KIND_IS_INT_SIZE:
    break;
  }
  return false;
}

static bool supplies(Collega__OfferKind kind) {
  return kind == COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT ||
         kind == COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_OUT;
}

/* ---- places */

static bool place_point(const Collega__Place *place, double *latitude, double *longitude) {
  if (place->country && strcmp(place->country, "NL") != 0) return false;
  if (place->postcode) {
    const struct postcode_row *area = postcode_area_find(place->postcode);
    if (area) {
      *latitude = area->latitude;
      *longitude = area->longitude;
      return true;
    }
  }
  if (place->region) {
    const struct region_row *region = region_find(place->region);
    if (region) {
      *latitude = region->latitude;
      *longitude = region->longitude;
      return true;
    }
  }
  return false;
}

/* Great circle by the haversine formula, mean radius of the earth 6371.0 km. */
double place_distance(const Collega__Place *one, const Collega__Place *other) {
  double latitude_one, longitude_one, latitude_other, longitude_other;
  if (!place_point(one, &latitude_one, &longitude_one) ||
      !place_point(other, &latitude_other, &longitude_other))
    return -1.0;
  const double radians = acos(-1.0) / 180.0;
  double half_latitude = sin((latitude_other - latitude_one) * radians / 2.0);
  double half_longitude = sin((longitude_other - longitude_one) * radians / 2.0);
  double a = half_latitude * half_latitude + cos(latitude_one * radians) *
                                                 cos(latitude_other * radians) * half_longitude *
                                                 half_longitude;
  return 2.0 * 6371.0 * asin(sqrt(a > 1.0 ? 1.0 : a));
}

static bool judge_distance(struct pair *pair) {
  double distance = place_distance(pair->supply->place, pair->demand->place);
  if (distance < 0) {
    pair->out->part[MATCH_DISTANCE] = 0.5;
    say(pair->out, true, RULE_match_distance_unknown, NULL, NULL, NULL);
    return true;
  }
  char km[24], limit_text[24];
  number_text(km, lround(distance));
  const Collega__Offer *sides[2] = {pair->supply, pair->demand};
  for (size_t i = 0; i < 2; ++i) {
    if (!sides[i]->has_travel_km) continue;
    double limit = (double)sides[i]->travel_km;
    number_text(limit_text, (long)sides[i]->travel_km);
    if (distance > limit + PLACE_DOUBT_KM)
      return breaks(pair->out, RULE_match_too_far, km, limit_text);
    if (distance > limit) say(pair->out, true, RULE_match_maybe_too_far, km, limit_text, NULL);
  }
  double value = 1.0 - distance / 100.0;
  pair->out->part[MATCH_DISTANCE] = value > 0 ? value : 0;
  if (distance < 1.0)
    say(pair->out, false, RULE_match_same_area, NULL, NULL, NULL);
  else
    say(pair->out, false, RULE_match_distance, km, NULL, NULL);
  return true;
}

/* ---- occupation and skills */

static double occupation_closeness(const Collega__Occupation *one,
                                   const Collega__Occupation *other) {
  if (one->esco && other->esco && strcmp(one->esco, other->esco) == 0) return 1.0;
  size_t same = 0;
  while (same < 4 && one->isco[same] && one->isco[same] == other->isco[same])
    ++same;
  static const double by_digits[5] = {0.0, 0.15, 0.4, 0.7, 1.0};
  return by_digits[same];
}

static bool same_skill(const Collega__Skill *one, const Collega__Skill *other) {
  if (one->esco && other->esco) return strcmp(one->esco, other->esco) == 0;
  return strcasecmp(one->label, other->label) == 0;
}

static void judge_skills(struct pair *pair, bool *shared) {
  *shared = false;
  unsigned asked = 0, met = 0;
  for (size_t i = 0; i < pair->demand->n_skills; ++i) {
    const Collega__Skill *wanted = pair->demand->skills[i];
    bool must = wanted->has_need && wanted->need == COLLEGA__NEED__NEED_MUST;
    unsigned weight = must ? 2 : 1;
    bool found = false;
    for (size_t j = 0; j < pair->supply->n_skills && !found; ++j)
      found = same_skill(wanted, pair->supply->skills[j]);
    asked += weight;
    if (found) {
      met += weight;
      *shared = true;
      say(pair->out, false, RULE_match_skill, wanted->label, NULL, NULL);
    } else {
      say(pair->out, true, must ? RULE_match_skill_must_missing : RULE_match_skill_missing,
          wanted->label, NULL, NULL);
    }
  }
  pair->out->part[MATCH_SKILLS] = asked ? (double)met / (double)asked : 1.0;
}

static void judge_occupation(struct pair *pair) {
  const Collega__Occupation *supply = pair->supply->occupation, *demand = pair->demand->occupation;
  double closeness = occupation_closeness(supply, demand);
  pair->out->part[MATCH_OCCUPATION] = closeness;
  const struct isco_row *row = isco_find(demand->isco);
  const char *dutch = row ? row->nl : demand->isco, *english = row ? row->en : demand->isco;
  if (closeness >= 1.0)
    say(pair->out, false, RULE_match_occupation_same_by_language, dutch, english, demand->isco);
  else if (closeness > 0)
    say(pair->out, false, RULE_match_occupation_near_by_language, dutch, english, demand->isco);
  else
    say(pair->out, true, RULE_match_occupation_other_by_language, dutch, english, demand->isco);
}

/* ---- credentials, languages, education */

static bool judge_credentials(struct pair *pair) {
  for (size_t i = 0; i < pair->demand->n_credentials; ++i) {
    const Collega__Credential *wanted = pair->demand->credentials[i];
    const struct credential_row *row = credential_find(wanted->code);
    const char *label = wanted->label ? wanted->label : row ? row->nl : wanted->code;
    bool found = false;
    for (size_t j = 0; j < pair->supply->n_credentials && !found; ++j)
      found = strcmp(wanted->code, pair->supply->credentials[j]->code) == 0;
    if (found)
      say(pair->out, false, RULE_match_credential, label, NULL, NULL);
    else if (wanted->has_need && wanted->need == COLLEGA__NEED__NEED_MUST)
      return breaks(pair->out, RULE_match_credential_must_missing, label, NULL);
    else
      say(pair->out, true, RULE_match_credential_missing, label, NULL, NULL);
  }
  return true;
}

static bool judge_languages(struct pair *pair) {
  for (size_t i = 0; i < pair->demand->n_languages; ++i) {
    const Collega__Language *wanted = pair->demand->languages[i], *spoken = NULL;
    for (size_t j = 0; j < pair->supply->n_languages && !spoken; ++j)
      if (strcmp(wanted->code, pair->supply->languages[j]->code) == 0)
        spoken = pair->supply->languages[j];
    bool must = wanted->has_need && wanted->need == COLLEGA__NEED__NEED_MUST;
    /* levels compare as text: A1 < A2 < B1 ... */
    bool low = spoken && wanted->level && spoken->level && strcmp(spoken->level, wanted->level) < 0;
    if (!spoken || low) {
      if (must)
        return breaks(pair->out, RULE_match_language_must_missing, wanted->code, wanted->level);
      say(pair->out, true, RULE_match_language_missing, wanted->code, wanted->level, NULL);
    } else if (wanted->level && !spoken->level) {
      say(pair->out, true, RULE_match_language_level_unknown, wanted->code, wanted->level, NULL);
    } else {
      say(pair->out, false, RULE_match_language, wanted->code, NULL, NULL);
    }
  }
  return true;
}

static void judge_education(struct pair *pair) {
  if (!pair->demand->has_education || !pair->supply->has_education) return;
  if (pair->supply->education >= pair->demand->education) return;
  char has[24], wants[24];
  number_text(has, (long)pair->supply->education);
  number_text(wants, (long)pair->demand->education);
  say(pair->out, true, RULE_match_education_lower, wants, has, NULL);
}

/* ---- period, hours, headcount, terms */

struct span {
  long from, until;
};

static struct span span_of(const Collega__Period *period) {
  struct span span = {period->from,
                      period->has_until ? period->until : period->from + OPEN_PERIOD_DAYS};
  return span;
}

static long overlap(struct span one, struct span other) {
  long from = one.from > other.from ? one.from : other.from;
  long until = one.until < other.until ? one.until : other.until;
  return until >= from ? until - from + 1 : 0;
}

static bool judge_period(struct pair *pair) {
  struct span supply = span_of(pair->supply->period), demand = span_of(pair->demand->period);
  long flexible =
      (pair->supply->period->has_flex_days ? (long)pair->supply->period->flex_days : 0) +
      (pair->demand->period->has_flex_days ? (long)pair->demand->period->flex_days : 0);
  long asked = demand.until - demand.from + 1;
  long plain = overlap(supply, demand);
  /* The best shift of the whole supply by at most `flexible` days aligns starts or ends. */
  long shifts[2] = {demand.from - supply.from, demand.until - supply.until};
  long best = plain;
  for (size_t i = 0; i < 2; ++i) {
    long shift = shifts[i] > flexible ? flexible : shifts[i] < -flexible ? -flexible : shifts[i];
    struct span moved = {supply.from + shift, supply.until + shift};
    long days = overlap(moved, demand);
    if (days > best) best = days;
  }
  if (best == 0) return breaks(pair->out, RULE_match_period_apart, NULL, NULL);
  pair->out->part[MATCH_PERIOD] = (double)best / (double)asked;
  char days_text[24], asked_text[24];
  number_text(days_text, best);
  number_text(asked_text, asked);
  if (best >= asked && plain >= asked)
    say(pair->out, false, RULE_match_period_whole, NULL, NULL, NULL);
  else if (best >= asked)
    say(pair->out, false, RULE_match_period_shifted, NULL, NULL, NULL);
  else
    say(pair->out, true, RULE_match_period_part, days_text, asked_text, NULL);
  return true;
}

static bool judge_hours(struct pair *pair) {
  const Collega__Hours *supply = pair->supply->hours, *demand = pair->demand->hours;
  uint32_t least =
      supply->per_week_min > demand->per_week_min ? supply->per_week_min : demand->per_week_min;
  uint32_t most =
      supply->per_week_max < demand->per_week_max ? supply->per_week_max : demand->per_week_max;
  char one[24], two[24];
  if (least > most) {
    number_text(one, (long)supply->per_week_max);
    number_text(two, (long)demand->per_week_min);
    return breaks(pair->out, RULE_match_hours_apart, one, two);
  }
  number_text(one, (long)most);
  number_text(two, (long)demand->per_week_max);
  pair->out->part[MATCH_HOURS] = (double)most / (double)demand->per_week_max;
  if (most >= demand->per_week_max)
    say(pair->out, false, RULE_match_hours, one, NULL, NULL);
  else
    say(pair->out, true, RULE_match_hours_fewer, one, two, NULL);
  if (!supply->n_slots || !demand->n_slots) return true;
  for (size_t i = 0; i < demand->n_slots; ++i)
    for (size_t j = 0; j < supply->n_slots; ++j)
      if (strcmp(demand->slots[i], supply->slots[j]) == 0) return true;
  return breaks(pair->out, RULE_match_slots_apart, NULL, NULL);
}

static bool judge_headcount(struct pair *pair) {
  uint32_t supply = pair->supply->headcount, demand = pair->demand->headcount;
  char one[24], two[24];
  number_text(one, (long)supply);
  number_text(two, (long)demand);
  if ((pair->demand->has_min_headcount && supply < pair->demand->min_headcount) ||
      (pair->supply->has_min_headcount && demand < pair->supply->min_headcount))
    return breaks(pair->out, RULE_match_headcount_least, one, two);
  uint32_t both = supply < demand ? supply : demand;
  pair->out->part[MATCH_HEADCOUNT] = (double)both / (double)demand;
  if (supply >= demand)
    say(pair->out, false, RULE_match_headcount, two, NULL, NULL);
  else
    say(pair->out, true, RULE_match_headcount_fewer, one, two, NULL);
  return true;
}

static void judge_terms(struct pair *pair) {
  const Collega__OfferTerms *supply = pair->supply->terms, *demand = pair->demand->terms;
  double value = 1.0;
  if (supply && demand) {
    if (supply->cao && demand->cao && strcasecmp(supply->cao, demand->cao) != 0) {
      value -= 0.25;
      say(pair->out, true, RULE_match_cao_differs, supply->cao, demand->cao, NULL);
    }
    if (supply->vat && demand->vat && strcmp(supply->vat, demand->vat) != 0) {
      value -= 0.25;
      say(pair->out, true, RULE_match_vat_differs, supply->vat, demand->vat, NULL);
    }
    if (supply->has_return_guarantee && supply->return_guarantee && demand->has_return_guarantee &&
        !demand->return_guarantee) {
      value -= 0.25;
      say(pair->out, true, RULE_match_return_differs, NULL, NULL, NULL);
    }
    if (supply->has_takeover && demand->has_takeover && supply->takeover != demand->takeover) {
      value -= 0.25;
      say(pair->out, true, RULE_match_takeover_differs, NULL, NULL, NULL);
    }
  }
  pair->out->part[MATCH_TERMS] = value;
}

void match_pair(const Collega__Offer *mine, const struct id *me, const Collega__Offer *other,
                const struct id *them, struct match_result *out) {
  memset(out, 0, sizeof *out);
  if (!kinds_meet(mine->kind, other->kind)) {
    breaks(out, RULE_match_kinds, NULL, NULL);
    return;
  }
  if (id_equal(me, them)) {
    breaks(out, RULE_match_same_employer, NULL, NULL);
    return;
  }
  struct pair pair = {mine, other, out};
  if (!supplies(mine->kind)) {
    pair.supply = other;
    pair.demand = mine;
  }
  out->fits = true;
  judge_occupation(&pair);
  bool shared_skill = false;
  judge_skills(&pair, &shared_skill);
  if (out->part[MATCH_OCCUPATION] <= 0 && !shared_skill) {
    breaks(out, RULE_match_unrelated, NULL, NULL);
    return;
  }
  if (!judge_credentials(&pair) || !judge_languages(&pair) || !judge_period(&pair) ||
      !judge_hours(&pair) || !judge_headcount(&pair) || !judge_distance(&pair)) {
    memset(out->part, 0, sizeof out->part);
    out->reason_count = 0;
    return;
  }
  judge_education(&pair);
  judge_terms(&pair);
  for (enum match_part part = 0; part < MATCH_PARTS; ++part)
    out->score += match_weights[part] * out->part[part];
}
