#include "tests/unit/match/samples.h"

#include <string.h>

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

Collega__Offer *sample_random(struct arena *arena, uint64_t *state) {
  static const char *const isco[] = {"4321", "4322", "8344", "9333",
                                     "5120", "5131", "5321", "2221"};
  static const char *const postcodes[] = {"4811", "5015", "3011", "1118",
                                          "9718", "6541", "7521", "5611"};
  static const char *const skills[] = {"orderpicken", "laden en lossen", "koken", "rapporteren",
                                       "kassa bedienen"};
  static const char *const levels[] = {"A1", "A2", "B1", "B2", "C1", "C2"};
  Collega__Offer *made = plain(arena, (Collega__OfferKind)(1 + sample_number(state, 4)));
  made->occupation->isco = arena_text(arena, isco[sample_number(state, 8)]);
  made->headcount = 1 + sample_number(state, 20);
  if (sample_number(state, 3) == 0) {
    made->has_min_headcount = 1;
    made->min_headcount = 1 + sample_number(state, made->headcount);
  }
  made->period->from = FIRST_DAY + (int32_t)sample_number(state, 120);
  made->period->until = made->period->from + (int32_t)sample_number(state, 200);
  if (sample_number(state, 2)) {
    made->period->has_flex_days = 1;
    made->period->flex_days = sample_number(state, 30);
  }
  made->hours->per_week_min = 8 + sample_number(state, 24);
  made->hours->per_week_max = made->hours->per_week_min + sample_number(state, 16);
  made->place->postcode = arena_text(arena, postcodes[sample_number(state, 8)]);
  if (sample_number(state, 2)) {
    made->has_travel_km = 1;
    made->travel_km = sample_number(state, 120);
  }
  made->n_skills = sample_number(state, 4);
  made->skills = arena_take(arena, 4 * sizeof(Collega__Skill *));
  for (size_t i = 0; i < made->n_skills; ++i)
    made->skills[i] = skill(arena, skills[(sample_number(state, 2) + 2 * i) % 5],
                            (Collega__Need)(1 + sample_number(state, 2)));
  made->n_languages = sample_number(state, 2);
  made->languages = arena_take(arena, sizeof(Collega__Language *));
  if (made->n_languages)
    made->languages[0] = language(arena, "nl", levels[sample_number(state, 6)],
                                  (Collega__Need)(1 + sample_number(state, 2)));
  made->n_credentials = sample_number(state, 4) == 0;
  made->credentials = arena_take(arena, sizeof(Collega__Credential *));
  if (made->n_credentials)
    made->credentials[0] =
        credential(arena, "forklift", (Collega__Need)(1 + sample_number(state, 2)));
  return made;
}
