/* The deal machine when one party ends a part of an agreement: what it takes, in whatever order, and what it signs. */
#include "tests/unit/deals/desk.h"

/* `by`: a letter for each part, the party that ended it; one person each. */
static struct deal_event reduced(char deal, Collega__Verdict verdict, uint32_t position,
                                 char record, const char *by) {
  static struct reduction parts[REDUCTIONS_MOST];
  struct deal_event event = decision(deal, verdict, position, record, 0);
  event.reductions = parts;
  for (; by[event.reduction_count] != 0; event.reduction_count++)
    parts[event.reduction_count] =
        (struct reduction){.headcount = 1,
                           .effective = 700,
                           .by = name(by[event.reduction_count]),
                           .basis = name((char)('A' + (int)event.reduction_count)),
                           .time = NOW};
  return event;
}

#define CONCLUDED  COLLEGA__VERDICT__VERDICT_CONCLUDED
#define AMENDED    COLLEGA__VERDICT__VERDICT_AMENDED
#define REDUCED    COLLEGA__VERDICT__VERDICT_REDUCED
#define TERMINATED COLLEGA__VERDICT__VERDICT_TERMINATED

static struct deal_slot *slot(struct desk *desk, char deal) {
  struct id id = name(deal);
  return negotiation_deal(&desk->negotiation, &id);
}

static void propose_after(struct desk *desk, char deal, char amends, char predecessor) {
  struct deal_event event = event_on(DEAL_EVENT_DRAFT, deal);
  if (amends != 0) event.amends = name(amends);
  if (predecessor != 0) event.predecessor = name(predecessor);
  step(desk, &event);
  event = event_on(DEAL_EVENT_SIGN, deal);
  step(desk, &event);
}

static void agree(struct desk *desk) {
  arrive(desk);
  propose_after(desk, 'a', 0, 0);
  struct deal_event event = decision('a', CONCLUDED, 1, '1', 0);
  step(desk, &event);
}

static void want(struct desk *desk, uint32_t headcount) {
  struct deal_event event = event_on(DEAL_EVENT_TERMINATE, 0);
  event.terminate_effective = 700;
  event.terminate_headcount = headcount;
  step(desk, &event);
}

static void a_part_frees_nobody_before_the_decision(void **state) {
  (void)state;
  struct desk desk;
  agree(&desk);
  want(&desk, 2);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_SIGN_TERMINATE, 'a'), 1);
  assert_int_equal(desk.effects.effect[0].headcount, 2);
  assert_int_equal(desk.effects.count, 1);
  struct deal_event event = reduced('a', REDUCED, 2, '2', "P");
  step(&desk, &event);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_HOLD_REDUCE, 'a'), 1);
  assert_int_equal(desk.effects.effect[0].reduction_count, 1);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_SIGN_TERMINATE, 'a'), 0); /* it is done */
  assert_false(desk.negotiation.terminate_wanted);
  assert_int_equal(slot(&desk, 'a')->phase, PHASE_CONCLUDED);
  assert_int_equal(desk.negotiation.position, 2);
  step(&desk, &event); /* said twice is said once */
  assert_int_equal(desk.effects.count, 0);
  want(&desk, 1); /* another one, after the new last entry */
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_SIGN_TERMINATE, 'a'), 1);
}

static void the_others_part_does_not_stand_for_ours(void **state) {
  (void)state;
  struct desk desk;
  agree(&desk);
  want(&desk, 1);
  struct deal_event event = reduced('a', REDUCED, 2, '2', "Q");
  step(&desk, &event);
  assert_true(desk.negotiation.terminate_wanted);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_SIGN_TERMINATE, 'a'), 1); /* after the other's */
  event = event_on(DEAL_EVENT_TERMINATE_DROP, 0);
  step(&desk, &event);
  assert_false(desk.negotiation.terminate_wanted);
  want(&desk, 0); /* all may still end; and that wish no one drops */
  step(&desk, &event);
  assert_true(desk.negotiation.terminate_wanted);
}

static void an_entry_that_was_missed_is_known_by_the_next(void **state) {
  (void)state;
  struct desk desk;
  agree(&desk);
  want(&desk, 1);
  struct deal_event event = reduced('a', REDUCED, 3, '3', "PQ");
  step(&desk, &event);
  assert_int_equal(slot(&desk, 'a')->reduced, 2);
  assert_int_equal(desk.effects.effect[0].reduction_count, 2);
  assert_false(desk.negotiation.terminate_wanted); /* our own is among them */
  event = reduced('a', REDUCED, 2, '2', "P");
  step(&desk, &event);
  assert_int_equal(desk.effects.count, 0);
  assert_int_equal(slot(&desk, 'a')->reduced, 2);
  event = reduced('a', TERMINATED, 5, '5', "PQQ"); /* and one more, before the end */
  event.effective = 800;
  step(&desk, &event);
  assert_int_equal(slot(&desk, 'a')->reduced, 3);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_HOLD_REDUCE, 'a'), 1);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_HOLD_END, 'a'), 1);
  assert_int_equal(slot(&desk, 'a')->phase, PHASE_TERMINATED);
}

static void a_part_of_a_deal_whose_own_entry_was_missed_makes_it_agreed(void **state) {
  (void)state;
  struct desk desk;
  agree(&desk);
  propose_after(&desk, 'b', 'a', '1');
  struct deal_event event = reduced('b', REDUCED, 3, '3', "Q");
  step(&desk, &event);
  assert_int_equal(slot(&desk, 'b')->phase, PHASE_CONCLUDED);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_HOLD_AGREE, 'b'), 1);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_HOLD_REDUCE, 'b'), 1);
  event = decision('b', AMENDED, 2, '2', 0);
  step(&desk, &event);
  assert_int_equal(desk.effects.count, 0);
}

/* The end of an amendment of which a part had ended comes before all of them. */
static void what_ran_until_the_end_is_known_when_its_entry_comes(void **state) {
  (void)state;
  struct desk desk;
  agree(&desk);
  propose_after(&desk, 'b', 'a', '1');
  struct deal_event event = reduced('b', TERMINATED, 4, '4', "Q");
  event.effective = 800;
  step(&desk, &event);
  assert_int_equal(slot(&desk, 'b')->phase, PHASE_PROPOSED);
  event = decision('b', AMENDED, 2, '2', 0);
  step(&desk, &event);
  assert_int_equal(slot(&desk, 'b')->phase, PHASE_TERMINATED);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_HOLD_AGREE, 'b'), 1);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_HOLD_END, 'b'), 1);
}

static void an_amendment_whose_place_a_part_took_is_overtaken(void **state) {
  (void)state;
  struct desk desk;
  agree(&desk);
  propose_after(&desk, 'b', 'a', '1');
  struct deal_event event = reduced('a', REDUCED, 2, '2', "Q");
  step(&desk, &event);
  assert_int_equal(slot(&desk, 'b')->phase, PHASE_VOID);
  assert_int_equal(slot(&desk, 'b')->why, RULE_overtaken);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_HOLD_DROP, 'b'), 1);
  propose_after(&desk, 'c', 'a', '2'); /* the next one names the part's entry, and ends the count */
  event = decision('c', AMENDED, 3, '3', 0);
  step(&desk, &event);
  assert_int_equal(slot(&desk, 'c')->reduced, 0);
  assert_int_equal(slot(&desk, 'c')->phase, PHASE_CONCLUDED);
}

static void entries_that_contradict_are_refused(void **state) {
  (void)state;
  struct desk desk;
  agree(&desk);
  struct deal_event event = reduced('z', REDUCED, 2, '2', "Q");
  refuses_event(&desk, &event, RULE_deal_unknown);
  event = reduced('a', REDUCED, 3, '2', "Q"); /* one part, two positions on */
  refuses_event(&desk, &event, RULE_decision_differs);
  event = reduced('a', REDUCED, 2, '2', "");
  refuses_event(&desk, &event, RULE_decision_differs);
  event = reduced('a', REDUCED, 2, '2', "Q");
  step(&desk, &event);
  event = decision('a', CONCLUDED, 2, '7', 0);
  refuses_event(&desk, &event, RULE_decision_differs);
  event = reduced('a', REDUCED, 2, '7', "QQ");
  refuses_event(&desk, &event, RULE_decision_differs);
}

/* A restored home finds its own request again. What was carried out is not asked for a second time. */
static void a_copy_ends_a_part_once(void **state) {
  (void)state;
  struct desk desk;
  agree(&desk);
  struct deal_event event = event_on(DEAL_EVENT_COPY, 'a');
  event.act = COLLEGA_STORE__ACT_KIND__ACT_KIND_TERMINATE;
  event.predecessor = name('0');
  event.terminate_headcount = 1;
  event.carried_out = true;
  step(&desk, &event);
  assert_false(desk.negotiation.terminate_wanted);
  event.carried_out = false;
  step(&desk, &event);
  assert_true(desk.negotiation.terminate_wanted);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_SIGN_TERMINATE, 'a'), 1);
  event = reduced('a', REDUCED, 2, '2', "P");
  step(&desk, &event);
  assert_false(desk.negotiation.terminate_wanted);
}

static void only_parts_that_were_taken_are_shown(void **state) {
  (void)state;
  struct desk desk;
  agree(&desk);
  struct id deal = name('a');
  assert_false(deal_shows(&desk.negotiation, &deal, REDUCED, 2));
  struct deal_event event = reduced('a', REDUCED, 2, '2', "P");
  step(&desk, &event);
  assert_true(deal_shows(&desk.negotiation, &deal, REDUCED, 2));
  assert_false(deal_shows(&desk.negotiation, &deal, REDUCED, 3));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_part_frees_nobody_before_the_decision),
      cmocka_unit_test(the_others_part_does_not_stand_for_ours),
      cmocka_unit_test(an_entry_that_was_missed_is_known_by_the_next),
      cmocka_unit_test(a_part_of_a_deal_whose_own_entry_was_missed_makes_it_agreed),
      cmocka_unit_test(what_ran_until_the_end_is_known_when_its_entry_comes),
      cmocka_unit_test(an_amendment_whose_place_a_part_took_is_overtaken),
      cmocka_unit_test(entries_that_contradict_are_refused),
      cmocka_unit_test(a_copy_ends_a_part_once),
      cmocka_unit_test(only_parts_that_were_taken_are_shown),
  };
  return cmocka_run_group_tests_name("deal machine: parts", tests, NULL, NULL);
}
