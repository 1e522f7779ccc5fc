#include "tests/bench/grounded.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "tests/bench/measure.h"

#define SKILLS      12
#define LABEL_BYTES 120      /* the most that an offer may have; some of ESCO's are longer */
#define SEED        20270104 /* where none is told */
#define FIRST_DAY   20822    /* 2027-01-04 */

struct grounded_options grounded_options(int count, char **arguments, const char *own,
                                         const char *usage) {
  const struct option known[] = {{"seed", required_argument, NULL, 's'},
                                 {"home", required_argument, NULL, 'h'},
                                 {own, required_argument, NULL, 'o'},
                                 {NULL, 0, NULL, 0}};
  struct grounded_options options = {.seed = SEED};
  int letter;
  while ((letter = getopt_long(count, arguments, "", known, NULL)) != -1) {
    if (letter == 's')
      options.seed = number_argument(optarg);
    else if (letter == 'h')
      options.home = optarg;
    else if (letter == 'o')
      options.own = optarg;
    else
      give_up("usage: %s", usage);
  }
  if (count - optind != 2) give_up("usage: %s", usage);
  for (int i = 0; i < 2; ++i)
    options.amount[i] = number_argument(arguments[optind + i]);
  return options;
}

/* xorshift64*: Vigna, 2016. */
uint32_t grounded_number(struct generator *generator, uint32_t below) {
  uint64_t *state = &generator->state;
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return (uint32_t)((*state * UINT64_C(2685821657736338717)) >> 33) % below;
}

void grounded_home_open(struct grounded_home *home, const char *path) {
  char file[4096];
  struct collega_error error;
  *home = (struct grounded_home){NULL, NULL};
  if (!path) return;
  int64_t began = thread_nanoseconds();
  snprintf(file, sizeof file, "%s/" TAXONOMY_FILE, path);
  if (taxonomy_open(file, &home->taxonomy, &error) != COLLEGA_OK) give_up("cannot open %s", file);
  say("taxonomy_ms", (double)(thread_nanoseconds() - began) / 1e6);
  began = thread_nanoseconds();
  snprintf(file, sizeof file, "%s/" PLACES_FILE, path);
  if (places_open(file, &home->places, &error) != COLLEGA_OK || !home->places)
    give_up("cannot open %s", file);
  say("places_ms", (double)(thread_nanoseconds() - began) / 1e6);
}

void grounded_home_close(struct grounded_home *home) {
  taxonomy_close(&home->taxonomy);
  places_close(&home->places);
}

struct match_rules grounded_rules(const struct grounded_home *home) {
  struct match_rules rules = match_rules_default;
  rules.sources.taxonomy = home->taxonomy;
  rules.sources.places = home->places;
  return rules;
}

static bool is_postcode(const struct places *places, const char *postcode) {
  struct place_fact fact;
  if (places) return places_postcode(places, postcode, &fact);
  return postcode[2] == '1' && postcode[3] == '1' && postcode_area_find(postcode);
}

void grounded_prepare(struct generator *generator, uint64_t seed,
                      const struct grounded_home *home) {
  memset(generator, 0, sizeof *generator);
  generator->state = seed;
  generator->taxonomy = home->taxonomy;
  for (unsigned code = 0; code < 10000; ++code) {
    char digits[5];
    snprintf(digits, sizeof digits, "%04u", code);
    const struct isco_row *row = isco_find(digits);
    if (row && generator->group_count < GROUPS_MAX)
      generator->groups[generator->group_count++] = row;
    if (code >= 1000 && is_postcode(home->places, digits))
      memcpy(generator->postcodes[generator->postcode_count++], digits, sizeof digits);
  }
  NEED(generator->group_count > 400 && generator->postcode_count > 80);
}

/* The square of a uniform number: the first tenth of the groups has a third of the offers. */
static const char *group(struct generator *generator) {
  uint64_t one = grounded_number(generator, 1000);
  return generator->groups[one * one * generator->group_count / 1000000]->code;
}

/* One of the taxonomy's, as an offer names it. Returns its concept. */
static uint32_t occupation(struct generator *generator, struct arena *arena,
                           Collega__Occupation *out) {
  const struct taxonomy *taxonomy = generator->taxonomy;
  struct taxonomy_size size;
  uint64_t one = grounded_number(generator, 1000);
  char isco[8];
  taxonomy_size(taxonomy, &size);
  uint32_t concept = (uint32_t)(one * one * size.concepts[TAXONOMY_OCCUPATION] / 1000000);
  snprintf(isco, sizeof isco, "%04u", (unsigned)taxonomy_isco(taxonomy, concept));
  out->isco = arena_text(arena, isco);
  if (grounded_number(generator, 4)) out->esco = arena_text(arena, taxonomy_uri(taxonomy, concept));
  return concept;
}

static Collega__Skill *skill_new(struct generator *generator, struct arena *arena) {
  Collega__Skill *skill = arena_zero(arena, sizeof *skill);
  NEED(skill);
  collega__skill__init(skill);
  skill->has_need = 1;
  skill->need = grounded_number(generator, 4) ? COLLEGA__NEED__NEED_NICE : COLLEGA__NEED__NEED_MUST;
  return skill;
}

/* Some of its essential skills, which follow each other. */
static void skills_of(struct generator *generator, struct arena *arena, Collega__Offer *offer,
                      uint32_t concept) {
  const struct taxonomy *taxonomy = generator->taxonomy;
  const uint32_t *all;
  uint32_t count = taxonomy_skills(taxonomy, concept, &all),
           most = 3 + grounded_number(generator, 6);
  offer->skills = arena_take(arena, most * sizeof *offer->skills);
  NEED(offer->skills);
  for (uint32_t i = count ? grounded_number(generator, count) : 0;
       i < count && offer->n_skills < most; ++i) {
    uint32_t known = all[i] & TAXONOMY_CONCEPT;
    if (!(all[i] & TAXONOMY_ESSENTIAL)) continue;
    Collega__Skill *skill = skill_new(generator, arena);
    skill->esco = arena_text(arena, taxonomy_uri(taxonomy, known));
    const char *label = taxonomy_name(taxonomy, known, "en");
    skill->label = arena_print(arena, "%.*s", (int)utf8_cut(label, LABEL_BYTES), label);
    offer->skills[offer->n_skills++] = skill;
  }
}

static void skills(struct generator *generator, struct arena *arena, Collega__Offer *offer) {
  offer->n_skills = 3 + grounded_number(generator, 6);
  offer->skills = arena_take(arena, offer->n_skills * sizeof *offer->skills);
  uint32_t first = grounded_number(generator, SKILLS);
  for (size_t i = 0; i < offer->n_skills; ++i) {
    char label[32];
    snprintf(label, sizeof label, "skill %s/%u", offer->occupation->isco,
             (unsigned)((first + i) % SKILLS));
    offer->skills[i] = skill_new(generator, arena);
    offer->skills[i]->label = arena_text(arena, label);
  }
}

Collega__Offer *grounded_offer(struct generator *generator, struct arena *arena) {
  static const uint32_t seasons[] = {0, 60, 90, 160, 240, 270};
  Collega__Offer *offer = arena_zero(arena, sizeof *offer);
  NEED(offer);
  collega__offer__init(offer);
  offer->kind = grounded_number(generator, 2) ? COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT
                                              : COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_IN;
  offer->occupation = arena_zero(arena, sizeof *offer->occupation);
  offer->period = arena_zero(arena, sizeof *offer->period);
  offer->hours = arena_zero(arena, sizeof *offer->hours);
  offer->place = arena_zero(arena, sizeof *offer->place);
  NEED(offer->occupation && offer->period && offer->hours && offer->place);
  collega__occupation__init(offer->occupation);
  collega__period__init(offer->period);
  collega__hours__init(offer->hours);
  collega__place__init(offer->place);
  uint32_t concept = TAXONOMY_NOT_THERE;
  if (generator->taxonomy)
  concept = occupation(generator, arena, offer->occupation);
  else offer->occupation->isco = arena_text(arena, group(generator));
  offer->title = arena_text(arena, offer->kind == COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT
                                       ? "Collega's beschikbaar, enkele weken"
                                       : "Collega's gevraagd, enkele weken");
  offer->headcount = 1 + grounded_number(generator, 12);
  offer->period->from = FIRST_DAY + (int32_t)(seasons[grounded_number(generator, 6)] +
                                              grounded_number(generator, 30));
  offer->period->has_until = 1;
  offer->period->until = offer->period->from + 20 + (int32_t)grounded_number(generator, 100);
  offer->period->has_flex_days = 1;
  offer->period->flex_days = grounded_number(generator, 15);
  offer->hours->per_week_min = 8 * (1 + grounded_number(generator, 3));
  offer->hours->per_week_max = offer->hours->per_week_min + 8 * grounded_number(generator, 3);
  offer->place->postcode =
      generator->postcodes[grounded_number(generator, (uint32_t)generator->postcode_count)];
  offer->has_travel_km = 1;
  offer->travel_km = 20 + 10 * grounded_number(generator, 6);
  if (generator->taxonomy)
    skills_of(generator, arena, offer, concept);
  else
    skills(generator, arena, offer);
  NEED(!arena_exhausted(arena));
  return offer;
}
