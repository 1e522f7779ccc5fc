#include "tests/unit/match/samples.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/match/made_up.h"

#define FIRST_DAY 20822 /* 2027-01-04 */

#define NEW(type, init_function)                                                                   \
  type *made = arena_zero(arena, sizeof *made);                                                    \
  init_function(made)

static Collega__Skill *skill(struct arena *arena, const char *label, Collega__Need need) {
  NEW(Collega__Skill, collega__skill__init);
  made->label = arena_text(arena, label);
  made->has_need = 1;
  made->need = need;
  return made;
}

static Collega__Credential *credential(struct arena *arena, const char *code, Collega__Need need) {
  NEW(Collega__Credential, collega__credential__init);
  made->code = arena_text(arena, code);
  made->has_need = 1;
  made->need = need;
  return made;
}

static Collega__Language *language(struct arena *arena, const char *code, const char *level,
                                   Collega__Need need) {
  NEW(Collega__Language, collega__language__init);
  made->code = arena_text(arena, code);
  made->level = arena_text(arena, level);
  made->has_need = 1;
  made->need = need;
  return made;
}

static Collega__Offer *plain(struct arena *arena, Collega__OfferKind kind) {
  NEW(Collega__Offer, collega__offer__init);
  made->kind = kind;
  made->title = arena_text(arena, "Magazijnmedewerkers");
  made->occupation = arena_zero(arena, sizeof *made->occupation);
  collega__occupation__init(made->occupation);
  made->occupation->isco = arena_text(arena, "4321");
  made->headcount = 6;
  made->period = arena_zero(arena, sizeof *made->period);
  collega__period__init(made->period);
  made->period->from = FIRST_DAY;
  made->period->has_until = 1;
  made->period->until = FIRST_DAY + 80;
  made->hours = arena_zero(arena, sizeof *made->hours);
  collega__hours__init(made->hours);
  made->hours->per_week_min = 24;
  made->hours->per_week_max = 40;
  made->place = arena_zero(arena, sizeof *made->place);
  collega__place__init(made->place);
  made->place->postcode = arena_text(arena, "4811");
  made->place->region = arena_text(arena, "AM25");
  return made;
}

static Collega__Offer *sample(struct arena *arena, Collega__OfferKind kind) {
  Collega__Offer *made = plain(arena, kind);
  made->n_skills = 2;
  made->skills = arena_take(arena, 2 * sizeof(Collega__Skill *));
  made->skills[0] = skill(arena, "orderpicken", COLLEGA__NEED__NEED_MUST);
  made->skills[1] = skill(arena, "laden en lossen", COLLEGA__NEED__NEED_NICE);
  made->n_credentials = 1;
  made->credentials = arena_take(arena, sizeof(Collega__Credential *));
  made->credentials[0] = credential(arena, "forklift", COLLEGA__NEED__NEED_MUST);
  made->n_languages = 1;
  made->languages = arena_take(arena, sizeof(Collega__Language *));
  made->languages[0] = language(arena, "nl", "B1", COLLEGA__NEED__NEED_MUST);
  made->has_travel_km = 1;
  made->travel_km = 40;
  return made;
}

Collega__Offer *sample_out(struct arena *arena) {
  return sample(arena, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT);
}

Collega__Offer *sample_in(struct arena *arena) {
  return sample(arena, COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_IN);
}

struct id sample_employer(unsigned n) {
  struct id id = {{0}};
  put_be32(id.byte, n);
  return id;
}

/* xorshift64*: Vigna, 2016. */
uint32_t sample_number(uint64_t *state, uint32_t below) {
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return (uint32_t)((*state * UINT64_C(2685821657736338717)) >> 33) % below;
}

static void random_period(Collega__Offer *made, uint64_t *state) {
  bool transfer = made->kind == COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_OUT ||
                  made->kind == COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_IN;
  made->period->from = FIRST_DAY + (int32_t)sample_number(state, 120);
  made->period->until = made->period->from + (int32_t)sample_number(state, 200);
  made->period->has_until = !transfer || sample_number(state, 3) > 0;
  if (sample_number(state, 2)) {
    made->period->has_flex_days = 1;
    made->period->flex_days = sample_number(state, 30);
  }
}

static void random_place(struct arena *arena, Collega__Offer *made, uint64_t *state) {
  static const char *const postcodes[] = {"4811", "5015", "3011", "1118",
                                          "9718", "6541", "7521", "5611"};
  static const char *const regions[] = {"AM25", "AM01", "AM20", NULL};
  made->place->region = arena_text(arena, regions[sample_number(state, 3)]);
  made->place->postcode = NULL;
  if (sample_number(state, 8) > 0)
    made->place->postcode = arena_text(arena, postcodes[sample_number(state, 8)]);
  if (sample_number(state, 4) ==
      0) { /* any area: some lie so close that the engine puts them together */
    char any[8];
    snprintf(any, sizeof any, "%u11", 10 + (unsigned)sample_number(state, 90));
    made->place->postcode = arena_text(arena, any);
  }
  if (sample_number(state, 20) == 0) made->place->country = arena_text(arena, "BE");
  if (sample_number(state, 2)) {
    made->has_travel_km = 1;
    made->travel_km = sample_number(state, 120);
  }
}

/* Two that the made-up taxonomy does not have: another one, and one of its own in other letters. */
static const char *random_address(uint64_t *state) {
  uint32_t at = sample_number(state, MADE_UP_SKILLS + 2);
  return at < MADE_UP_SKILLS    ? made_up_concepts[at]
         : at == MADE_UP_SKILLS ? "http://another.one/skill/1"
                                : "http://made.up/SKILL/1";
}

static void random_skills(struct arena *arena, Collega__Offer *made, uint64_t *state) {
  static const char *const skills[] = {"orderpicken", "Laden en lossen", "laden en lossen",
                                       "koken",       "rapporteren",     "kassa bedienen"};
  made->n_skills = sample_number(state, 5);
  made->skills = arena_take(arena, 5 * sizeof(Collega__Skill *));
  for (size_t i = 0; i < made->n_skills; ++i) {
    made->skills[i] =
        skill(arena, skills[sample_number(state, 6)], (Collega__Need)(1 + sample_number(state, 2)));
    if (sample_number(state, 2) == 0)
      made->skills[i]->esco = arena_text(arena, random_address(state));
  }
}

static void random_languages(struct arena *arena, Collega__Offer *made, uint64_t *state) {
  static const char *const codes[] = {"nl", "en", "pl"};
  static const char *const levels[] = {"A1", "A2", "B1", "B2", "C1", "C2"};
  made->n_languages = sample_number(state, 3);
  made->languages = arena_take(arena, 3 * sizeof(Collega__Language *));
  for (size_t i = 0; i < made->n_languages; ++i) {
    made->languages[i] = language(arena, codes[i], levels[sample_number(state, 6)],
                                  (Collega__Need)(1 + sample_number(state, 2)));
    if (sample_number(state, 4) == 0) made->languages[i]->level = NULL;
  }
}

static void random_terms(struct arena *arena, Collega__Offer *made, uint64_t *state) {
  static const char *const agreements[] = {"Horeca", "Beroepsgoederenvervoer"};
  static const char *const treatments[] = {"standard", "reverse"};
  if (sample_number(state, 3) == 0) return;
  made->terms = arena_zero(arena, sizeof *made->terms);
  collega__offer_terms__init(made->terms);
  if (sample_number(state, 2))
    made->terms->cao = arena_text(arena, agreements[sample_number(state, 2)]);
  if (sample_number(state, 2))
    made->terms->vat = arena_text(arena, treatments[sample_number(state, 2)]);
  made->terms->has_return_guarantee = sample_number(state, 2) == 0;
  made->terms->return_guarantee = sample_number(state, 2) == 0;
  made->terms->has_takeover = sample_number(state, 2) == 0;
  made->terms->takeover = (Collega__Takeover)(1 + sample_number(state, 3));
}

Collega__Offer *sample_random(struct arena *arena, uint64_t *state) {
  static const char *const isco[] = {"4321", "4322", "4311", "8344",
                                     "9333", "5120", "5131", "2221"};
  static const char *const slots[] = {"mon-am", "mon-pm", "tue-am", "sat-ev"};
  static const char *const credentials[] = {"forklift", "vca"};
  Collega__Offer *made = plain(arena, (Collega__OfferKind)(1 + sample_number(state, 4)));
  made->occupation->isco = arena_text(arena, isco[sample_number(state, 8)]);
  /* Often of another unit group than the offer says. */
  uint32_t esco = sample_number(state, 2 * MADE_UP_OCCUPATIONS);
  if (esco < MADE_UP_OCCUPATIONS)
    made->occupation->esco = arena_text(arena, made_up_occupations[esco].uri);
  else if (esco == MADE_UP_OCCUPATIONS)
    made->occupation->esco = arena_text(arena, "http://another.one/occupation/1");
  made->headcount = 1 + sample_number(state, 20);
  if (sample_number(state, 3) == 0) {
    made->has_min_headcount = 1;
    made->min_headcount = 1 + sample_number(state, made->headcount);
  }
  random_period(made, state);
  made->hours->per_week_min = 8 + sample_number(state, 24);
  made->hours->per_week_max = made->hours->per_week_min + sample_number(state, 16);
  made->hours->n_slots = sample_number(state, 3);
  made->hours->slots = arena_take(arena, 3 * sizeof(char *));
  for (size_t i = 0; i < made->hours->n_slots; ++i)
    made->hours->slots[i] = arena_text(arena, slots[(i * 2 + sample_number(state, 2)) % 4]);
  random_place(arena, made, state);
  random_skills(arena, made, state);
  random_languages(arena, made, state);
  random_terms(arena, made, state);
  made->n_credentials = sample_number(state, 4) == 0;
  made->credentials = arena_take(arena, sizeof(Collega__Credential *));
  if (made->n_credentials)
    made->credentials[0] = credential(arena, credentials[sample_number(state, 2)],
                                      (Collega__Need)(1 + sample_number(state, 2)));
  return made;
}
