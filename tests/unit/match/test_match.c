/* What match_pair promises: hard rules, parts, words, symmetry. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/words.h"
#include "tests/unit/match/made_up.h"
#include "tests/unit/match/plain.h"
#include "tests/unit/match/samples.h"

struct fixture {
  struct arena *arena;
  Collega__Offer *out, *in;
  struct id lender, borrower;
  struct match_result result;
  struct match_rules rules; /* with a made-up taxonomy and courses */
  struct taxonomy *taxonomy;
  struct courses *courses;
};

static int set_up(void **state) {
  struct fixture *fixture = calloc(1, sizeof *fixture);
  fixture->arena = arena_new(65536, 1u << 24);
  fixture->out = sample_out(fixture->arena);
  fixture->in = sample_in(fixture->arena);
  fixture->lender = sample_employer(1);
  fixture->borrower = sample_employer(2);
  fixture->taxonomy = made_up_taxonomy();
  fixture->courses = made_up_table();
  fixture->rules = match_rules_default;
  fixture->rules.sources =
      (struct match_sources){.taxonomy = fixture->taxonomy, .courses = fixture->courses};
  *state = fixture;
  return 0;
}

static int tear_down(void **state) {
  struct fixture *fixture = *state;
  arena_destroy(&fixture->arena);
  taxonomy_close(&fixture->taxonomy);
  courses_close(&fixture->courses);
  free(fixture);
  return 0;
}

static void judge(struct fixture *fixture) {
  match_pair(&match_rules_default, fixture->in, &fixture->borrower, fixture->out, &fixture->lender,
             &fixture->result);
}

static void breaks(struct fixture *fixture, enum rule rule) {
  judge(fixture);
  assert_false(fixture->result.fits);
  assert_int_equal(fixture->result.gap_count, 1);
  assert_int_equal(fixture->result.gaps[0].rule, rule);
  assert_true(fixture->result.score == 0);
}

static void equal_offers_score_one(void **state) {
  struct fixture *fixture = *state;
  judge(fixture);
  assert_true(fixture->result.fits);
  assert_true(fixture->result.score > 0.999 && fixture->result.score < 1.001);
  assert_int_equal(fixture->result.gap_count, 0);
  assert_true(fixture->result.reason_count >= 5);
}

static void weights_sum_to_one(void **state) {
  (void)state;
  double sum = 0;
  for (size_t i = 0; i < MATCH_PARTS; ++i)
    sum += match_rules_default.weight[i];
  assert_true(sum > 0.999999 && sum < 1.000001);
}

static void the_same_employer_is_no_match(void **state) {
  struct fixture *fixture = *state;
  fixture->borrower = fixture->lender;
  breaks(fixture, RULE_match_same_employer);
}

static void loans_do_not_meet_transfers(void **state) {
  struct fixture *fixture = *state;
  fixture->out->kind = COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_OUT;
  breaks(fixture, RULE_match_kinds);
  fixture->in->kind = COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_IN;
  judge(fixture);
  assert_true(fixture->result.fits);
}

static void a_missing_must_have_is_hard_and_a_nice_one_a_gap(void **state) {
  struct fixture *fixture = *state;
  fixture->out->n_credentials = 0;
  breaks(fixture, RULE_match_credential_must_missing);
  fixture->in->credentials[0]->need = COLLEGA__NEED__NEED_NICE;
  judge(fixture);
  assert_true(fixture->result.fits);
  assert_int_equal(fixture->result.gaps[0].rule, RULE_match_credential_missing);
}

static void a_language_below_level_is_missing(void **state) {
  struct fixture *fixture = *state;
  fixture->out->languages[0]->level = arena_text(fixture->arena, "A2");
  breaks(fixture, RULE_match_language_must_missing);
  fixture->out->languages[0]->level = arena_text(fixture->arena, "C1");
  judge(fixture);
  assert_true(fixture->result.fits);
}

static void periods_meet_only_within_their_flexibility(void **state) {
  struct fixture *fixture = *state;
  fixture->in->period->from = fixture->out->period->until + 10;
  fixture->in->period->until = fixture->in->period->from + 30;
  breaks(fixture, RULE_match_period_apart);
  fixture->in->period->has_flex_days = 1;
  fixture->in->period->flex_days = 14;
  judge(fixture);
  assert_true(fixture->result.fits);
  assert_true(fixture->result.part[MATCH_PERIOD] > 0 && fixture->result.part[MATCH_PERIOD] < 1);
}

static void the_last_day_counts(void **state) {
  struct fixture *fixture = *state;
  fixture->in->period->from = fixture->out->period->until;
  fixture->in->period->until = fixture->in->period->from;
  judge(fixture);
  assert_true(fixture->result.fits);
  assert_true(fixture->result.part[MATCH_PERIOD] == 1.0);
}

static void hours_that_do_not_meet_are_hard(void **state) {
  struct fixture *fixture = *state;
  fixture->out->hours->per_week_max = 23;
  fixture->out->hours->per_week_min = 8;
  breaks(fixture, RULE_match_hours_apart);
}

static void too_few_people_for_the_least_is_hard(void **state) {
  struct fixture *fixture = *state;
  fixture->in->has_min_headcount = 1;
  fixture->in->min_headcount = 7;
  fixture->in->headcount = 12;
  breaks(fixture, RULE_match_headcount_least);
  fixture->in->min_headcount = 6;
  judge(fixture);
  assert_true(fixture->result.fits && fixture->result.part[MATCH_HEADCOUNT] == 0.5);
}

static void distance_breaks_only_beyond_doubt(void **state) {
  struct fixture *fixture = *state;
  fixture->out->place->postcode = arena_text(fixture->arena, "9718"); /* Groningen */
  breaks(fixture, RULE_match_too_far);
  fixture->out->place->postcode = arena_text(fixture->arena, "5015"); /* Tilburg, about 25 km */
  fixture->out->travel_km = 10;
  judge(fixture);
  assert_true(fixture->result.fits);
  bool told = false;
  for (size_t i = 0; i < fixture->result.gap_count; ++i)
    told = told || fixture->result.gaps[i].rule == RULE_match_maybe_too_far;
  assert_true(told);
}

static void distances_are_those_of_the_map(void **state) {
  struct fixture *fixture = *state;
  Collega__Place *breda = fixture->out->place, *groningen = fixture->in->place;
  groningen->postcode = arena_text(fixture->arena, "9718");
  double km = place_distance(NULL, breda, groningen);
  assert_true(km > 200 && km < 240); /* about 220 km as the crow flies */
  groningen->country = arena_text(fixture->arena, "DE");
  assert_true(place_distance(NULL, breda, groningen) < 0);
}

static void nothing_in_common_is_no_match(void **state) {
  struct fixture *fixture = *state;
  fixture->in->occupation->isco = arena_text(fixture->arena, "2221");
  fixture->in->n_skills = 0;
  breaks(fixture, RULE_match_unrelated);
}

static void slots_must_share_one(void **state) {
  struct fixture *fixture = *state;
  char *morning[] = {arena_text(fixture->arena, "mon-am")},
       *evening[] = {arena_text(fixture->arena, "mon-ev")};
  fixture->in->hours->n_slots = 1;
  fixture->in->hours->slots = morning;
  fixture->out->hours->n_slots = 1;
  fixture->out->hours->slots = evening;
  breaks(fixture, RULE_match_slots_apart);
}

static void differing_terms_are_told(void **state) {
  struct fixture *fixture = *state;
  Collega__OfferTerms ours = COLLEGA__OFFER_TERMS__INIT, theirs = COLLEGA__OFFER_TERMS__INIT;
  ours.cao = arena_text(fixture->arena, "Horeca");
  theirs.cao = arena_text(fixture->arena, "Bouw & Infra");
  ours.vat = arena_text(fixture->arena, "standard");
  theirs.vat = arena_text(fixture->arena, "reverse");
  fixture->in->terms = &ours;
  fixture->out->terms = &theirs;
  judge(fixture);
  assert_true(fixture->result.fits && fixture->result.part[MATCH_TERMS] == 0.5);
  assert_int_equal(fixture->result.gap_count, 2);
}

/* The default rules, with what was imported, and with any weights. */
static const struct match_rules *some_rules(struct fixture *fixture, uint64_t *random) {
  double sum = 0;
  uint32_t which = sample_number(random, 3);
  if (which == 0) return &match_rules_default;
  memcpy(fixture->rules.weight, match_rules_default.weight, sizeof fixture->rules.weight);
  if (which == 1) return &fixture->rules;
  for (size_t i = 0; i < MATCH_PARTS; ++i)
    sum += fixture->rules.weight[i] = 1 + sample_number(random, 100);
  for (size_t i = 0; i < MATCH_PARTS; ++i)
    fixture->rules.weight[i] /= sum;
  return &fixture->rules;
}

static void scores_do_not_depend_on_who_asks(void **state) {
  struct fixture *fixture = *state;
  uint64_t random = 20270104;
  struct match_result other;
  unsigned fitting = 0;
  for (int i = 0; i < 6000; ++i) {
    arena_reset(fixture->arena);
    const struct match_rules *rules = some_rules(fixture, &random);
    Collega__Offer *one = sample_random(fixture->arena, &random),
                   *two = sample_random(fixture->arena, &random);
    match_pair(rules, one, &fixture->lender, two, &fixture->borrower, &fixture->result);
    match_pair(rules, two, &fixture->borrower, one, &fixture->lender, &other);
    assert_int_equal(fixture->result.fits, other.fits);
    assert_true(fixture->result.score == other.score);
    assert_true(fixture->result.score >= 0 && fixture->result.score <= 1.000001);
    assert_int_equal(fixture->result.closer_count, other.closer_count);
    fitting += fixture->result.fits;
  }
  assert_true(fitting > 40); /* the generator is not vacuous */
}

static void assert_same_words(const struct collega_error *one, size_t one_count,
                              const struct collega_error *other, size_t other_count) {
  assert_int_equal(one_count, other_count);
  assert_memory_equal(one, other, one_count * sizeof *one);
}

/* Whatever a side was judged against before. */
static void a_side_read_once_is_judged_like_one_read_anew(void **state) {
  struct fixture *fixture = *state;
  uint64_t random = 20270105;
  const struct match_rules *rules = &match_rules_default;
  struct match_result *anew = &fixture->result, once;
  struct match_side sides[60];
  unsigned fitting = 0;
  for (size_t i = 0; i < 60; ++i)
    match_side_fill(&sides[i], rules, sample_random(fixture->arena, &random),
                    i % 7 ? &fixture->lender : &fixture->borrower);
  for (size_t i = 0; i < 60; ++i) {
    for (size_t j = 0; j < 60; ++j) {
      match_sides(rules, &sides[i], &sides[j], &once);
      match_pair(rules, sides[i].offer, sides[i].author, sides[j].offer, sides[j].author, anew);
      assert_int_equal(once.fits, anew->fits);
      assert_memory_equal(&once.score, &anew->score, sizeof once.score);
      assert_memory_equal(once.part, anew->part, sizeof once.part);
      assert_same_words(once.reasons, once.reason_count, anew->reasons, anew->reason_count);
      assert_same_words(once.gaps, once.gap_count, anew->gaps, anew->gap_count);
      assert_same_words(once.closers, once.closer_count, anew->closers, anew->closer_count);
      fitting += once.fits;
    }
  }
  assert_true(fitting > 5); /* the generator is not vacuous */
}

static void a_score_with_words_is_the_plain_one(void **state) {
  struct fixture *fixture = *state;
  uint64_t random = 20270106;
  for (int taxonomy = 0; taxonomy < 2; ++taxonomy) {
    const struct match_rules *rules = taxonomy ? &fixture->rules : &match_rules_default;
    struct plain plain;
    unsigned fitting = 0;
    plain_prepare(&plain, taxonomy);
    for (int i = 0; i < 6000; ++i) {
      arena_reset(fixture->arena);
      Collega__Offer *one = sample_random(fixture->arena, &random),
                     *two = sample_random(fixture->arena, &random);
      double expected = plain_score(&plain, one, &fixture->lender, two, &fixture->borrower);
      match_pair(rules, one, &fixture->lender, two, &fixture->borrower, &fixture->result);
      assert_int_equal(fixture->result.fits, expected >= 0);
      if (expected < 0) continue;
      assert_true(fabs(fixture->result.score - expected) < 1e-6);
      ++fitting;
    }
    assert_true(fitting > 40);
  }
}

static void the_closest_of_several_skills_is_the_first_of_the_best(void **state) {
  struct fixture *fixture = *state;
  const struct taxonomy *taxonomy = fixture->taxonomy;
  uint32_t first = taxonomy_first(taxonomy, TAXONOMY_SKILL), others[6];
  uint64_t random = 20270107;
  unsigned related = 0, kindred = 0;
  for (int i = 0; i < 2000; ++i) {
    uint32_t skill = first + sample_number(&random, MADE_UP_SKILLS);
    size_t count = sample_number(&random, 7), expected = SIZE_MAX, at = SIZE_MAX;
    double best = 0;
    for (size_t j = 0; j < count; ++j) {
      others[j] = first + sample_number(&random, MADE_UP_SKILLS);
      double closeness = taxonomy_skill_closeness(taxonomy, skill, others[j]);
      if (closeness <= best) continue;
      best = closeness;
      expected = j;
    }
    assert_true(taxonomy_skill_closest(taxonomy, skill, others, count, &at) == best);
    assert_int_equal(at, expected);
    related += best == TAXONOMY_RELATED_SKILL;
    kindred += best == TAXONOMY_KINDRED_SKILL;
  }
  assert_true(related > 40 && kindred > 40);
}

static void a_better_offer_never_scores_lower(void **state) {
  struct fixture *fixture = *state;
  uint64_t random = 7;
  struct match_result better;
  unsigned improved = 0;
  for (int i = 0; i < 6000; ++i) {
    arena_reset(fixture->arena);
    const struct match_rules *rules = some_rules(fixture, &random);
    Collega__Offer *supply = sample_random(fixture->arena, &random),
                   *demand = sample_random(fixture->arena, &random);
    supply->kind = COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT;
    demand->kind = COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_IN;
    match_pair(rules, supply, &fixture->lender, demand, &fixture->borrower, &fixture->result);
    /* More people, more hours, the very occupation, next door, all the skills. */
    if (supply->headcount < demand->headcount) supply->headcount = demand->headcount;
    if (supply->hours->per_week_max < demand->hours->per_week_max)
      supply->hours->per_week_max = demand->hours->per_week_max;
    supply->occupation = demand->occupation;
    supply->place = demand->place;
    supply->skills = demand->skills;
    supply->n_skills = demand->n_skills;
    match_pair(rules, supply, &fixture->lender, demand, &fixture->borrower, &better);
    if (!fixture->result.fits) continue;
    assert_true(better.fits);
    assert_true(better.score >= fixture->result.score - 1e-9);
    improved += better.score > fixture->result.score;
  }
  assert_true(improved > 40);
}

static void add_skill(struct fixture *fixture, Collega__Offer *offer, Collega__Skill *skill) {
  Collega__Skill **skills =
      arena_take(fixture->arena, (offer->n_skills + 1) * sizeof(Collega__Skill *));
  for (size_t i = 0; i < offer->n_skills; ++i)
    skills[i] = offer->skills[i];
  skills[offer->n_skills++] = skill;
  offer->skills = skills;
}

/* One more skill among those offered, whichever: no score goes down. */
static void another_skill_never_hurts(void **state) {
  struct fixture *fixture = *state;
  uint64_t random = 11;
  struct match_result better;
  unsigned improved = 0;
  for (int i = 0; i < 6000; ++i) {
    arena_reset(fixture->arena);
    const struct match_rules *rules = some_rules(fixture, &random);
    Collega__Offer *supply = sample_random(fixture->arena, &random),
                   *demand = sample_random(fixture->arena, &random),
                   *other = sample_random(fixture->arena, &random);
    supply->kind = COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT;
    demand->kind = COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_IN;
    if (other->n_skills == 0) continue;
    match_pair(rules, supply, &fixture->lender, demand, &fixture->borrower, &fixture->result);
    add_skill(fixture, supply, other->skills[0]);
    match_pair(rules, supply, &fixture->lender, demand, &fixture->borrower, &better);
    assert_true(better.fits || !fixture->result.fits);
    assert_true(better.score >= fixture->result.score - 1e-9);
    improved += better.score > fixture->result.score + 1e-9;
  }
  assert_true(improved > 40);
}

static void hard_rules_hold_with_any_weights(void **state) {
  struct fixture *fixture = *state;
  uint64_t random = 13;
  unsigned fitting = 0;
  for (int i = 0; i < 6000; ++i) {
    arena_reset(fixture->arena);
    const struct match_rules *rules = some_rules(fixture, &random);
    Collega__Offer *supply = sample_random(fixture->arena, &random),
                   *demand = sample_random(fixture->arena, &random);
    supply->kind = COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT;
    demand->kind = COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_IN;
    match_pair(rules, supply, &fixture->lender, demand, &fixture->borrower, &fixture->result);
    if (!fixture->result.fits) continue;
    ++fitting;
    assert_true(supply->hours->per_week_max >= demand->hours->per_week_min &&
                demand->hours->per_week_max >= supply->hours->per_week_min);
    assert_true(!demand->has_min_headcount || supply->headcount >= demand->min_headcount);
    assert_true(!supply->has_min_headcount || demand->headcount >= supply->min_headcount);
    for (size_t j = 0; j < demand->n_credentials; ++j)
      if (demand->credentials[j]->need == COLLEGA__NEED__NEED_MUST)
        assert_true(supply->n_credentials == 1 &&
                    strcmp(supply->credentials[0]->code, demand->credentials[j]->code) == 0);
  }
  assert_true(fitting > 40);
}

static void a_related_skill_counts_in_part_and_is_named(void **state) {
  struct fixture *fixture = *state;
  fixture->in->n_skills = fixture->out->n_skills = 1;
  fixture->in->skills[0]->esco = arena_text(fixture->arena, "http://made.up/skill/5");
  fixture->out->skills[0]->label = arena_text(fixture->arena, "iets verwants");
  fixture->out->skills[0]->esco = arena_text(fixture->arena, "http://made.up/skill/4");
  match_pair(&fixture->rules, fixture->in, &fixture->borrower, fixture->out, &fixture->lender,
             &fixture->result);
  assert_true(fixture->result.part[MATCH_SKILLS] == 0.6);
  assert_int_equal(fixture->result.gaps[0].rule, RULE_match_skill_must_near);
  assert_string_equal(fixture->result.gaps[0].argument[1], "iets verwants");
  judge(fixture); /* without a taxonomy nobody knows */
  assert_true(fixture->result.part[MATCH_SKILLS] == 0);
  assert_int_equal(fixture->result.gaps[0].rule, RULE_match_skill_must_missing);
}

static void a_course_is_told_for_each_gap_that_it_closes(void **state) {
  struct fixture *fixture = *state;
  char sentence[256];
  fixture->in->credentials[0]->need = COLLEGA__NEED__NEED_NICE;
  fixture->out->n_credentials = 0;
  judge(fixture);
  assert_int_equal(fixture->result.closer_count, 1);
  error_render(LANGUAGE_NL, &fixture->result.closers[0], sentence, sizeof sentence);
  assert_string_equal(sentence, "te dichten met heftruckcursus: 2 dagen");
  error_render(LANGUAGE_EN, &fixture->result.closers[0], sentence, sizeof sentence);
  assert_string_equal(sentence, "to be closed by fork-lift course: 2 days");
}

static void a_course_makes_a_match_of_two_occupations_in_its_direction_only(void **state) {
  struct fixture *fixture = *state;
  char sentence[256];
  fixture->in->n_skills = 0;
  fixture->out->occupation->isco = arena_text(fixture->arena, "8322");
  fixture->in->occupation->isco = arena_text(fixture->arena, "9621");
  judge(fixture);
  assert_true(fixture->result.fits);
  assert_true(fixture->result.part[MATCH_OCCUPATION] == MATCH_COURSE_CLOSENESS);
  error_render(LANGUAGE_NL, &fixture->result.closers[0], sentence, sizeof sentence);
  assert_string_equal(sentence,
                      "te dichten met omscholing van taxichauffeur tot koerier: 5 dagdelen");
  fixture->out->occupation->isco = arena_text(fixture->arena, "9621");
  fixture->in->occupation->isco = arena_text(fixture->arena, "8322");
  breaks(fixture, RULE_match_unrelated);
  assert_int_equal(fixture->result.closer_count, 0);
}

static void every_word_renders_in_both_languages(void **state) {
  struct fixture *fixture = *state;
  judge(fixture);
  for (size_t i = 0; i < fixture->result.reason_count; ++i) {
    char dutch[512], english[512];
    assert_true(error_render(LANGUAGE_NL, &fixture->result.reasons[i], dutch, sizeof dutch) > 0);
    assert_true(error_render(LANGUAGE_EN, &fixture->result.reasons[i], english, sizeof english) >
                0);
    assert_string_not_equal(dutch, english);
    assert_null(strchr(dutch, '%'));
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(equal_offers_score_one),
      TEST(weights_sum_to_one),
      TEST(the_same_employer_is_no_match),
      TEST(loans_do_not_meet_transfers),
      TEST(a_missing_must_have_is_hard_and_a_nice_one_a_gap),
      TEST(a_language_below_level_is_missing),
      TEST(periods_meet_only_within_their_flexibility),
      TEST(the_last_day_counts),
      TEST(hours_that_do_not_meet_are_hard),
      TEST(too_few_people_for_the_least_is_hard),
      TEST(distance_breaks_only_beyond_doubt),
      TEST(distances_are_those_of_the_map),
      TEST(nothing_in_common_is_no_match),
      TEST(slots_must_share_one),
      TEST(differing_terms_are_told),
      TEST(scores_do_not_depend_on_who_asks),
      TEST(a_side_read_once_is_judged_like_one_read_anew),
      TEST(a_score_with_words_is_the_plain_one),
      TEST(the_closest_of_several_skills_is_the_first_of_the_best),
      TEST(a_better_offer_never_scores_lower),
      TEST(another_skill_never_hurts),
      TEST(hard_rules_hold_with_any_weights),
      TEST(a_related_skill_counts_in_part_and_is_named),
      TEST(a_course_is_told_for_each_gap_that_it_closes),
      TEST(a_course_makes_a_match_of_two_occupations_in_its_direction_only),
      TEST(every_word_renders_in_both_languages),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
