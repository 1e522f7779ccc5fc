/* Whether two offers fit, how well, and why. The formulas stand in match.h.
 *
 * They are written over cards alone; where the offers themselves are at hand too, the same functions say their words.
 * So a score in the engine and the sentences that explain it cannot differ. */
#include "client/match/match.h"

#include <math.h>
#include <string.h>

#include "client/match/occupation.h"
#include "proto/lists.h"

const struct match_rules match_rules_default = {
    .weight = {[MATCH_OCCUPATION] = 0.28,
               [MATCH_SKILLS] = 0.18,
               [MATCH_CREDENTIALS] = 0.05,
               [MATCH_LANGUAGES] = 0.04,
               [MATCH_DISTANCE] = 0.14,
               [MATCH_PERIOD] = 0.12,
               [MATCH_HOURS] = 0.07,
               [MATCH_HEADCOUNT] = 0.06,
               [MATCH_TERMS] = 0.06},
};

const char *match_part_name(enum match_part part) {
  static const char *const names[MATCH_PARTS] = {
      [MATCH_OCCUPATION] = "occupation",
      [MATCH_SKILLS] = "skills",
      [MATCH_CREDENTIALS] = "credentials",
      [MATCH_LANGUAGES] = "languages",
      [MATCH_DISTANCE] = "distance",
      [MATCH_PERIOD] = "period",
      [MATCH_HOURS] = "hours",
      [MATCH_HEADCOUNT] = "headcount",
      [MATCH_TERMS] = "terms",
  };
  return names[part];
}

/* The comparison in roles. Without words `out` and the offers are NULL. */
struct pair {
  const struct match_rules *rules;
  const struct match_card *supply, *demand;
  double *part;
  const Collega__Offer *supply_offer, *demand_offer;
  struct match_result *out;
};

void match_side_fill(struct match_side *side, const struct match_rules *rules,
                     const Collega__Offer *offer, const struct id *author) {
  side->offer = offer;
  side->author = author;
  match_card_fill((struct match_card *)(void *)side->card, offer, &rules->sources);
}

static const struct match_card *card_of(const struct match_side *side) {
  return (const struct match_card *)(const void *)side->card;
}

/* Strings from an offer end up as arguments of sentences; absent ones as an empty text. */
static void say(struct match_result *out, bool gap, enum rule rule, const char *one,
                const char *two, const char *three) {
  if (!out) return;
  size_t *count = gap ? &out->gap_count : &out->reason_count;
  if (*count >= MATCH_WORDS) return;
  struct collega_error *words = gap ? &out->gaps[*count] : &out->reasons[*count];
  error_set(words, COLLEGA_OK, rule, NULL, one ? one : "", two ? two : "", three ? three : "",
            NULL);
  ++*count;
}

/* Numbers of cards: of five digits at most, and never negative. */
static void number_text(char out[24], long number) {
  char digits[24];
  size_t count = 0, at = 0;
  do {
    digits[count++] = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0 && count < sizeof digits - 1);
  while (count > 0)
    out[at++] = digits[--count];
  out[at] = '\0';
}

/* A course that closes the gap just told. */
static void say_course(struct match_result *out, const struct course *course) {
  static const enum rule one[COURSE_UNITS] = {
      RULE_match_course_half_day_by_language, RULE_match_course_day_by_language,
      RULE_match_course_week_by_language, RULE_match_course_month_by_language};
  static const enum rule many[COURSE_UNITS] = {
      RULE_match_course_half_days_by_language, RULE_match_course_days_by_language,
      RULE_match_course_weeks_by_language, RULE_match_course_months_by_language};
  if (!out || !course || out->closer_count == MATCH_WORDS) return;
  char length[24];
  number_text(length, (long)course->length);
  error_set(&out->closers[out->closer_count++], COLLEGA_OK,
            course->length == 1 ? one[course->unit] : many[course->unit], NULL, course->nl,
            course->en, length, NULL);
}

static bool breaks(struct match_result *out, enum rule rule, const char *one, const char *two) {
  if (!out) return false;
  out->gap_count = out->closer_count = 0;
  out->fits = false;
  say(out, true, rule, one, two, NULL);
  return false;
}

/* ---- places */

double place_distance(const struct places *places, const Collega__Place *one,
                      const Collega__Place *other) {
  float points[2][3];
  place_point(places, one, points[0]);
  place_point(places, other, points[1]);
  return point_distance(points[0], points[1]);
}

static bool judge_distance(struct pair *pair) {
  double distance = point_distance(pair->supply->point, pair->demand->point);
  char km[24], limit_text[24];
  if (distance < 0) {
    pair->part[MATCH_DISTANCE] = 0.5;
    say(pair->out, true, RULE_match_distance_unknown, NULL, NULL, NULL);
    return true;
  }
  if (pair->out) number_text(km, lround(distance));
  const struct match_card *sides[2] = {pair->supply, pair->demand};
  bool fine = pair->supply->terms & pair->demand->terms & CARD_PLACE_FINE;
  double doubt = fine ? MATCH_FINE_DOUBT_KM : MATCH_PLACE_DOUBT_KM;
  for (size_t i = 0; i < 2; ++i) {
    double limit = (double)sides[i]->travel_km;
    if (sides[i]->travel_km == CARD_NOT_TOLD || distance <= limit) continue;
    if (pair->out) number_text(limit_text, (long)sides[i]->travel_km);
    if (distance > limit + doubt) return breaks(pair->out, RULE_match_too_far, km, limit_text);
    say(pair->out, true, RULE_match_maybe_too_far, km, limit_text, NULL);
  }
  double value = 1.0 - distance / 100.0;
  pair->part[MATCH_DISTANCE] = value > 0 ? value : 0;
  if (distance < 1.0)
    say(pair->out, false, RULE_match_same_area, NULL, NULL, NULL);
  else
    say(pair->out, false, RULE_match_distance, km, NULL, NULL);
  return true;
}

/* ---- occupation and skills */

/* One skill of a card: its keys (address, label) and whether it must be there. */
struct skill_keys {
  uint32_t key[2];
  size_t count;
  bool must;
};

static size_t next_skill(const struct match_card *card, size_t at, struct skill_keys *out) {
  out->key[0] = card->items[at] & CARD_KEY;
  out->must = (card->items[at] & CARD_MUST) != 0;
  out->count = 1;
  ++at;
  if (at < card->skill_count && card->items[at] & CARD_ALIAS)
    out->key[out->count++] = card->items[at++] & CARD_KEY;
  return at;
}

static bool has_skill(const struct match_card *card, const struct skill_keys *wanted) {
  for (size_t i = 0; i < card->skill_count; ++i) {
    uint32_t key = card->items[i] & CARD_KEY;
    if (key == wanted->key[0] || (wanted->count > 1 && key == wanted->key[1])) return true;
  }
  return false;
}

/* Those of an offer's skills that a taxonomy knows. */
struct known_skills {
  uint32_t concept[CARD_SKILLS_MOST];
  uint8_t number[CARD_SKILLS_MOST]; /* which skill of the offer it is */
  size_t count;
};

static void find_known(const struct match_card *card, struct known_skills *out) {
  for (size_t at = 0, number = 0; at < card->skill_count; ++number) {
    struct skill_keys skill;
    at = next_skill(card, at, &skill);
    if (!card_is_concept(skill.key[0])) continue;
    out->concept[out->count] = skill.key[0];
    out->number[out->count++] = (uint8_t)number;
  }
}

/* The closest of the offered skills to one that is not among them; *number: which skill of the offer it is. */
static double nearest_skill(const struct taxonomy *taxonomy, const struct known_skills *offered,
                            const struct skill_keys *wanted, size_t *number) {
  size_t at = 0;
  if (offered->count == 0 || !card_is_concept(wanted->key[0])) return 0;
  double closeness =
      taxonomy_skill_closest(taxonomy, wanted->key[0], offered->concept, offered->count, &at);
  *number = offered->number[at];
  return closeness;
}

static void judge_skills(struct pair *pair, bool *shared) {
  *shared = false;
  double asked = 0, met = 0;
  size_t number = 0;
  const struct taxonomy *taxonomy = pair->rules->sources.taxonomy;
  struct known_skills offered;
  offered.count = 0;
  if (taxonomy) find_known(pair->supply, &offered);
  for (size_t at = 0; at < pair->demand->skill_count; ++number) {
    struct skill_keys wanted;
    at = next_skill(pair->demand, at, &wanted);
    const char *label = pair->out ? pair->demand_offer->skills[number]->label : NULL;
    double weight = wanted.must ? 2 : 1;
    asked += weight;
    if (has_skill(pair->supply, &wanted)) {
      met += weight;
      *shared = true;
      say(pair->out, false, RULE_match_skill, label, NULL, NULL);
      continue;
    }
    size_t near = 0;
    double closeness = nearest_skill(taxonomy, &offered, &wanted, &near);
    met += weight * closeness;
    if (!pair->out) continue;
    if (closeness > 0)
      say(pair->out, true, wanted.must ? RULE_match_skill_must_near : RULE_match_skill_near, label,
          pair->supply_offer->skills[near]->label, NULL);
    else
      say(pair->out, true, wanted.must ? RULE_match_skill_must_missing : RULE_match_skill_missing,
          label, NULL, NULL);
    say_course(pair->out, courses_for_skill(pair->rules->sources.courses, label,
                                            pair->demand_offer->skills[number]->esco));
  }
  pair->part[MATCH_SKILLS] = asked > 0 ? met / asked : 1.0;
}

static void judge_occupation(struct pair *pair) {
  const struct taxonomy *taxonomy = pair->rules->sources.taxonomy;
  double closeness =
      occupation_closeness(taxonomy, pair->supply->occupation, pair->demand->occupation);
  const struct course *course = NULL;
  if (closeness < MATCH_COURSE_CLOSENESS || (pair->out && closeness < 1.0))
    course = courses_for_occupation(pair->rules->sources.courses,
                                    occupation_isco(taxonomy, pair->supply->occupation),
                                    occupation_isco(taxonomy, pair->demand->occupation));
  if (course && closeness < MATCH_COURSE_CLOSENESS) closeness = MATCH_COURSE_CLOSENESS;
  pair->part[MATCH_OCCUPATION] = closeness;
  if (!pair->out) return;
  say_course(pair->out, course);
  const char *isco = pair->demand_offer->occupation->isco,
             *esco = pair->demand_offer->occupation->esco;
  const struct isco_row *row = isco_find(isco);
  const char *dutch = row ? row->nl : isco, *english = row ? row->en : isco;
  uint32_t concept =
      taxonomy && esco ? taxonomy_find(taxonomy, TAXONOMY_OCCUPATION, esco) : TAXONOMY_NOT_THERE;
  if (concept != TAXONOMY_NOT_THERE) {
    dutch = taxonomy_name(taxonomy, concept, "nl");
    english = taxonomy_name(taxonomy, concept, "en");
  }
  if (closeness >= 1.0)
    say(pair->out, false, RULE_match_occupation_same_by_language, dutch, english, isco);
  else if (closeness > 0)
    say(pair->out, false, RULE_match_occupation_near_by_language, dutch, english, isco);
  else
    say(pair->out, true, RULE_match_occupation_other_by_language, dutch, english, isco);
}

/* ---- credentials, languages, education */

static const char *credential_label(const struct pair *pair, size_t number) {
  if (!pair->out) return NULL;
  const Collega__Credential *wanted = pair->demand_offer->credentials[number];
  const struct credential_row *row = credential_find(wanted->code);
  return wanted->label ? wanted->label : row ? row->nl : wanted->code;
}

static bool judge_credentials(struct pair *pair) {
  const uint32_t *wanted = card_credentials(pair->demand),
                 *offered = card_credentials(pair->supply);
  unsigned asked = 0, met = 0;
  for (size_t i = 0; i < pair->demand->credential_count; ++i) {
    const char *label = credential_label(pair, i);
    bool must = (wanted[i] & CARD_MUST) != 0, found = false;
    for (size_t j = 0; j < pair->supply->credential_count && !found; ++j)
      found = (wanted[i] & CARD_KEY) == (offered[j] & CARD_KEY);
    asked += must ? 2 : 1;
    if (found) {
      met += must ? 2 : 1;
      say(pair->out, false, RULE_match_credential, label, NULL, NULL);
    } else if (must) {
      return breaks(pair->out, RULE_match_credential_must_missing, label, NULL);
    } else {
      say(pair->out, true, RULE_match_credential_missing, label, NULL, NULL);
      if (pair->out)
        say_course(pair->out, courses_for_credential(pair->rules->sources.courses,
                                                     pair->demand_offer->credentials[i]->code));
    }
  }
  pair->part[MATCH_CREDENTIALS] = asked ? (double)met / (double)asked : 1.0;
  return true;
}

/* Counted in halves: a wanted language that is spoken below the asked level is worth one of two. */
static bool judge_languages(struct pair *pair) {
  const uint32_t *wanted = card_languages(pair->demand), *offered = card_languages(pair->supply);
  unsigned asked = 0, met = 0;
  for (size_t i = 0; i < pair->demand->language_count; ++i) {
    const Collega__Language *told = pair->out ? pair->demand_offer->languages[i] : NULL;
    const char *code = told ? told->code : NULL, *level = told ? told->level : NULL;
    const uint32_t *spoken = NULL;
    for (size_t j = 0; j < pair->supply->language_count && !spoken; ++j)
      if (CARD_LANGUAGE(wanted[i]) == CARD_LANGUAGE(offered[j])) spoken = &offered[j];
    bool must = (wanted[i] & CARD_MUST) != 0;
    unsigned weight = must ? 2 : 1;
    uint32_t least = CARD_LEVEL(wanted[i]), has = spoken ? CARD_LEVEL(*spoken) : CARD_NO_LEVEL;
    bool low = spoken && least != CARD_NO_LEVEL && has != CARD_NO_LEVEL && has < least;
    asked += 2 * weight;
    if (!spoken || low) {
      if (must) return breaks(pair->out, RULE_match_language_must_missing, code, level);
      met += spoken ? weight : 0;
      say(pair->out, true, RULE_match_language_missing, code, level, NULL);
      continue;
    }
    met += 2 * weight;
    if (least != CARD_NO_LEVEL && has == CARD_NO_LEVEL)
      say(pair->out, true, RULE_match_language_level_unknown, code, level, NULL);
    else
      say(pair->out, false, RULE_match_language, code, NULL, NULL);
  }
  pair->part[MATCH_LANGUAGES] = asked ? (double)met / (double)asked : 1.0;
  return true;
}

static void judge_education(struct pair *pair) {
  if (!pair->out || pair->demand->education == UINT8_MAX || pair->supply->education == UINT8_MAX ||
      pair->supply->education >= pair->demand->education)
    return;
  char has[24], wants[24];
  number_text(has, (long)pair->supply->education);
  number_text(wants, (long)pair->demand->education);
  say(pair->out, true, RULE_match_education_lower, wants, has, NULL);
}

/* ---- period, hours, headcount, terms */

static long overlap(long one_from, long one_until, long other_from, long other_until) {
  long from = one_from > other_from ? one_from : other_from;
  long until = one_until < other_until ? one_until : other_until;
  return until >= from ? until - from + 1 : 0;
}

/* The most days in common after a shift of the whole supply by at most `flexible` days: the best one aligns starts or
 * ends. */
static long best_overlap(const struct match_card *supply, const struct match_card *demand,
                         long plain) {
  long flexible = (long)supply->flex_days + (long)demand->flex_days, best = plain;
  long shifts[2] = {(long)demand->from - supply->from, (long)demand->until - supply->until};
  for (size_t i = 0; i < 2 && flexible > 0; ++i) {
    long shift = shifts[i] > flexible ? flexible : shifts[i] < -flexible ? -flexible : shifts[i];
    long days = overlap(supply->from + shift, supply->until + shift, demand->from, demand->until);
    if (days > best) best = days;
  }
  return best;
}

static bool judge_period(struct pair *pair) {
  const struct match_card *supply = pair->supply, *demand = pair->demand;
  long asked = (long)demand->until - demand->from + 1;
  long plain = overlap(supply->from, supply->until, demand->from, demand->until);
  long best = best_overlap(supply, demand, plain);
  if (best == 0) return breaks(pair->out, RULE_match_period_apart, NULL, NULL);
  pair->part[MATCH_PERIOD] = (double)best / (double)asked;
  if (!pair->out) return true;
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
  const struct match_card *supply = pair->supply, *demand = pair->demand;
  unsigned least = supply->hours_min > demand->hours_min ? supply->hours_min : demand->hours_min;
  unsigned most = supply->hours_max < demand->hours_max ? supply->hours_max : demand->hours_max;
  char one[24], two[24];
  if (least > most) {
    if (!pair->out) return false;
    number_text(one, (long)supply->hours_max);
    number_text(two, (long)demand->hours_min);
    return breaks(pair->out, RULE_match_hours_apart, one, two);
  }
  if (supply->slots && demand->slots && !(supply->slots & demand->slots))
    return breaks(pair->out, RULE_match_slots_apart, NULL, NULL);
  pair->part[MATCH_HOURS] = (double)most / (double)demand->hours_max;
  if (!pair->out) return true;
  number_text(one, (long)most);
  number_text(two, (long)demand->hours_max);
  if (most >= demand->hours_max)
    say(pair->out, false, RULE_match_hours, one, NULL, NULL);
  else
    say(pair->out, true, RULE_match_hours_fewer, one, two, NULL);
  return true;
}

static bool judge_headcount(struct pair *pair) {
  unsigned supply = pair->supply->headcount, demand = pair->demand->headcount;
  char one[24], two[24];
  if (pair->out) {
    number_text(one, (long)supply);
    number_text(two, (long)demand);
  }
  if (supply < pair->demand->min_headcount || demand < pair->supply->min_headcount)
    return breaks(pair->out, RULE_match_headcount_least, one, two);
  unsigned both = supply < demand ? supply : demand;
  pair->part[MATCH_HEADCOUNT] = (double)both / (double)demand;
  if (supply >= demand)
    say(pair->out, false, RULE_match_headcount, two, NULL, NULL);
  else
    say(pair->out, true, RULE_match_headcount_fewer, one, two, NULL);
  return true;
}

static void judge_terms(struct pair *pair) {
  const struct match_card *supply = pair->supply, *demand = pair->demand;
  const Collega__OfferTerms *given = pair->out ? pair->supply_offer->terms : NULL;
  const Collega__OfferTerms *asked = pair->out ? pair->demand_offer->terms : NULL;
  double value = 1.0;
  if (supply->cao && demand->cao && supply->cao != demand->cao) {
    value -= 0.25;
    if (pair->out) say(pair->out, true, RULE_match_cao_differs, given->cao, asked->cao, NULL);
  }
  if (supply->vat && demand->vat && supply->vat != demand->vat) {
    value -= 0.25;
    if (pair->out) say(pair->out, true, RULE_match_vat_differs, given->vat, asked->vat, NULL);
  }
  if (supply->terms & CARD_RETURN && demand->terms & CARD_RETURN_TOLD &&
      !(demand->terms & CARD_RETURN)) {
    value -= 0.25;
    say(pair->out, true, RULE_match_return_differs, NULL, NULL, NULL);
  }
  unsigned one = supply->terms & CARD_TAKEOVER_MASK, other = demand->terms & CARD_TAKEOVER_MASK;
  if (one && other && one != other) {
    value -= 0.25;
    say(pair->out, true, RULE_match_takeover_differs, NULL, NULL, NULL);
  }
  pair->part[MATCH_TERMS] = value;
}

/* ---- all together; what breaks most often first */

static double score_of(const struct pair *pair) {
  double score = 0;
  for (enum match_part part = 0; part < MATCH_PARTS; ++part)
    score += pair->rules->weight[part] * pair->part[part];
  return score;
}

static bool judge(struct pair *pair, double *score) {
  *score = 0;
  judge_occupation(pair);
  bool shared_skill = false;
  judge_skills(pair, &shared_skill);
  if (pair->part[MATCH_OCCUPATION] <= 0 && !shared_skill)
    return breaks(pair->out, RULE_match_unrelated, NULL, NULL);
  if (!judge_credentials(pair) || !judge_languages(pair) || !judge_period(pair) ||
      !judge_hours(pair) || !judge_headcount(pair) || !judge_distance(pair))
    return false;
  judge_education(pair);
  judge_terms(pair);
  *score = score_of(pair);
  return true;
}

static struct pair pair_of(const struct match_rules *rules, const struct match_card *mine,
                           const struct match_card *other, double *part) {
  bool supplies = kind_supplies((Collega__OfferKind)mine->kind);
  return (struct pair){.rules = rules,
                       .supply = supplies ? mine : other,
                       .demand = supplies ? other : mine,
                       .part = part};
}

bool match_cards(const struct match_rules *rules, const struct match_card *mine,
                 const struct match_card *other, double *score, double part[MATCH_PARTS]) {
  struct pair pair = pair_of(rules, mine, other, part);
  *score = 0;
  return kind_counter((Collega__OfferKind)mine->kind) == (Collega__OfferKind)other->kind &&
         judge(&pair, score);
}

/* The skills, which take longest, come last, and only where they can make a difference. */
bool match_cards_above(const struct match_rules *rules, const struct skill_reach *reach,
                       const struct match_card *mine, const struct match_card *other, double least,
                       double *score) {
  double part[MATCH_PARTS] = {[MATCH_SKILLS] = 1.0};
  struct pair pair = pair_of(rules, mine, other, part);
  *score = 0;
  if (kind_counter((Collega__OfferKind)mine->kind) != (Collega__OfferKind)other->kind ||
      !judge_period(&pair) || !judge_hours(&pair) || !judge_headcount(&pair) ||
      !judge_credentials(&pair) || !judge_languages(&pair) || !judge_distance(&pair))
    return false;
  judge_terms(&pair);
  judge_occupation(&pair);
  if (score_of(&pair) < least) return false;
  bool shared_skill;
  part[MATCH_SKILLS] = skill_reach_part(reach, other, &shared_skill);
  if (part[MATCH_OCCUPATION] <= 0 && !shared_skill) return false;
  *score = score_of(&pair);
  return *score >= least;
}

void match_sides(const struct match_rules *rules, const struct match_side *mine,
                 const struct match_side *other, struct match_result *out) {
  bool supplies = kind_supplies(mine->offer->kind);
  const struct match_side *supply = supplies ? mine : other, *demand = supplies ? other : mine;
  struct pair pair = {
      rules, card_of(supply), card_of(demand), out->part, supply->offer, demand->offer, out};
  memset(out, 0, offsetof(struct match_result, reasons));
  if (kind_counter(mine->offer->kind) != other->offer->kind) {
    breaks(out, RULE_match_kinds, NULL, NULL);
    return;
  }
  if (id_equal(mine->author, other->author)) {
    breaks(out, RULE_match_same_employer, NULL, NULL);
    return;
  }
  out->fits = true;
  if (judge(&pair, &out->score)) return;
  memset(out->part, 0, sizeof out->part);
  out->reason_count = 0;
  out->score = 0;
}

void match_pair(const struct match_rules *rules, const Collega__Offer *mine, const struct id *me,
                const Collega__Offer *other, const struct id *them, struct match_result *out) {
  struct match_side sides[2];
  match_side_fill(&sides[0], rules, mine, me);
  match_side_fill(&sides[1], rules, other, them);
  match_sides(rules, &sides[0], &sides[1], out);
}
