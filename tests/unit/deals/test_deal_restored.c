/* The deal machine where somebody was restored, and where both give up: what is asked and answered again, what
 * copies of former messages bring back, and RELEASE. */
#include "tests/unit/deals/desk.h"

/* ---- the restored decider, the restored party */

static void a_question_is_answered_and_what_was_asked_is_asked_again(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  propose(&desk, 'a');
  does(&desk, DEAL_EVENT_WITHDRAW, 'a');
  does(&desk, DEAL_EVENT_PROPOSAL, 'b');
  accept(&desk, 'b');
  struct deal_event event = event_on(DEAL_EVENT_QUESTION, 0);
  event.epoch_number = 2;
  step(&desk, &event);
  assert_int_equal(desk.negotiation.answered_epoch, 2);
  assert_int_equal(desk.effects.effect[0].kind, DEAL_EFFECT_SIGN_EPOCH_ANSWER);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_SIGN_WITHDRAW, 'a'), 1);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_SIGN_ACCEPT, 'b'), 1);
  conclude(&desk, 'b'); /* of epoch 1: it said that it holds none */
  assert_int_equal(phase(&desk, 'b'), PHASE_PENDING);
  event.epoch_number = 1;
  step(&desk, &event);
  assert_int_equal(desk.effects.count, 0);
}

static void a_running_agreement_is_asked_about_once_after_a_restore(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  propose(&desk, 'a');
  conclude(&desk, 'a');
  does(&desk, DEAL_EVENT_WELCOME, 0);
  assert_int_equal(desk.effects.count, 0);
  struct deal_event event = event_on(DEAL_EVENT_WELCOME, 0);
  event.epoch_number = 2;
  step(&desk, &event);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_SIGN_ASK, 'a'), 1);
  event.kind = DEAL_EVENT_QUESTION;
  step(&desk, &event);
  event.kind = DEAL_EVENT_WELCOME;
  step(&desk, &event);
  assert_int_equal(desk.effects.count, 0);
}

static void a_restated_entry_gives_the_id_to_follow(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  propose(&desk, 'a');
  conclude(&desk, 'a');
  does(&desk, DEAL_EVENT_TERMINATE, 0);
  struct deal_event event = decision('a', COLLEGA__VERDICT__VERDICT_CONCLUDED, 1, '8', 0);
  event.epoch_number = 2;
  step(&desk, &event);
  struct id restated = name('8');
  assert_true(id_equal(&desk.negotiation.last_decision, &restated));
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_SIGN_TERMINATE, 'a'), 1);
}

static void a_refused_message_binds_nobody(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  propose(&desk, 'a');
  struct deal_event event = event_on(DEAL_EVENT_REFUSED, 'a');
  event.act = COLLEGA_STORE__ACT_KIND__ACT_KIND_WITHDRAW;
  step(&desk, &event);
  assert_int_equal(phase(&desk, 'a'), PHASE_PROPOSED); /* the header was taken */
  does(&desk, DEAL_EVENT_REFUSED, 'a');
  assert_int_equal(phase(&desk, 'a'), PHASE_VOID);
  does(&desk, DEAL_EVENT_PROPOSAL, 'b');
  accept(&desk, 'b');
  does(&desk, DEAL_EVENT_REFUSED, 'b');
  assert_int_equal(phase(&desk, 'b'), PHASE_RECEIVED);
  assert_false(holds(&desk, 'b'));
  conclude(&desk, 'b'); /* an earlier acceptance, forgotten, had been taken */
  assert_int_equal(phase(&desk, 'b'), PHASE_CONCLUDED);
}

static void a_copy_binds_again_whatever_the_room(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  struct deal_event event = event_on(DEAL_EVENT_COPY, 'a');
  event.act = COLLEGA_STORE__ACT_KIND__ACT_KIND_PROPOSE;
  event.room = false;
  step(&desk, &event);
  assert_int_equal(phase(&desk, 'a'), PHASE_PROPOSED);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_HOLD, 'a'), 1);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_SIGN_HEADER, 0), 0);
  event = event_on(DEAL_EVENT_COPY, 'b');
  event.act = COLLEGA_STORE__ACT_KIND__ACT_KIND_ACCEPT;
  refuses_event(&desk, &event, RULE_deal_unknown);
  does(&desk, DEAL_EVENT_PROPOSAL, 'b');
  step(&desk, &event);
  assert_int_equal(phase(&desk, 'b'), PHASE_PENDING);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_HOLD, 'b'), 1);
  event = event_on(DEAL_EVENT_COPY, 0);
  event.act =
      COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE_ANSWER; /* KEEP: it must not be signed later */
  step(&desk, &event);
  does(&desk, DEAL_EVENT_RELEASE_IN, 0);
  refuses(&desk, DEAL_EVENT_RELEASE_SIGN, 0, RULE_release_not_asked);
}

static struct deal_event copy_of(CollegaStore__ActKind act, char deal) {
  struct deal_event event = event_on(DEAL_EVENT_COPY, deal);
  event.act = act;
  return event;
}

static void a_copy_that_comes_late_binds_nothing(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  propose(&desk, 'a');
  conclude(&desk, 'a');
  struct deal_event event = copy_of(COLLEGA_STORE__ACT_KIND__ACT_KIND_PROPOSE, 'b');
  step(&desk, &event); /* the root was decided meanwhile */
  assert_int_equal(phase(&desk, 'b'), PHASE_VOID);
  assert_false(holds(&desk, 'b'));
  does(&desk, DEAL_EVENT_RELEASE_IN, 0);
  does(&desk, DEAL_EVENT_RELEASE_SIGN, 0);
  event = copy_of(COLLEGA_STORE__ACT_KIND__ACT_KIND_PROPOSE, 'c');
  step(&desk, &event); /* and now it is free */
  assert_int_equal(phase(&desk, 'c'), PHASE_RELEASED);
  assert_false(holds(&desk, 'c'));
}

/* A restored home may hear how an agreement ended before it hears what had become of it. */
static void an_amendment_that_comes_after_the_end_waits_where_an_entry_is_missing(void **state) {
  (void)state;
  for (int mine = 0; mine < 2; mine++)
    for (uint32_t position = 2; position <= 3; position++) {
      struct desk desk;
      arrive(&desk);
      propose(&desk, 'a');
      conclude(&desk, 'a');
      struct deal_event end =
          decision('b', COLLEGA__VERDICT__VERDICT_TERMINATED, position, '3', '2');
      end.effective = 500;
      step(&desk, &end);
      struct deal_event event = mine ? copy_of(COLLEGA_STORE__ACT_KIND__ACT_KIND_PROPOSE, 'b')
                                     : event_on(DEAL_EVENT_PROPOSAL, 'b');
      event.amends = name('a');
      event.predecessor = name('1');
      step(&desk, &event);
      if (position == 2) { /* nothing is missing */
        assert_int_equal(phase(&desk, 'b'), PHASE_VOID);
        continue;
      }
      assert_int_equal(phase(&desk, 'b'), mine ? PHASE_PROPOSED : PHASE_RECEIVED);
      decided(&desk, 'b', COLLEGA__VERDICT__VERDICT_AMENDED, 2, '2');
      assert_int_equal(phase(&desk, 'b'), PHASE_TERMINATED);
      assert_int_equal(effects_of(&desk, DEAL_EFFECT_HOLD_END, 'b'), 1);
      amend(&desk, 'c', 'a', '1', DEAL_EVENT_PROPOSAL);
      assert_int_equal(phase(&desk, 'c'), PHASE_VOID); /* nothing is missing any more */
    }
}

static void copies_of_release_and_its_answer_come_back(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  propose(&desk, 'a');
  struct deal_event event = copy_of(COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE, 0);
  step(&desk, &event);
  assert_int_equal(desk.negotiation.release, RELEASE_ASKED);
  assert_true(holds(&desk, 'a'));        /* who asks keeps its hold */
  for (int mine = 0; mine < 2; mine++) { /* a proposal of ours, or an acceptance */
    arrive(&desk);
    if (mine) {
      propose(&desk, 'a');
    } else {
      does(&desk, DEAL_EVENT_PROPOSAL, 'a');
      accept(&desk, 'a');
    }
    event = copy_of(COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE_ANSWER, 0);
    event.signed_answer = true;
    step(&desk, &event);
    assert_int_equal(desk.negotiation.release, RELEASE_SIGNED);
    assert_int_equal(phase(&desk, 'a'), PHASE_RELEASED);
    assert_false(holds(&desk, 'a'));
  }
}

/* ---- release */

static void who_asks_for_release_keeps_its_hold_and_signs_nothing_else(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  refuses(&desk, DEAL_EVENT_RELEASE, 0, RULE_deal_not_open);
  propose(&desk, 'a');
  does(&desk, DEAL_EVENT_PROPOSAL, 'b');
  does(&desk, DEAL_EVENT_ACCEPT, 'b');
  does(&desk, DEAL_EVENT_RELEASE, 'a');
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_SIGN_RELEASE, 'a'), 1);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_HOLD_DROP, 'b'), 1); /* only drafted */
  assert_true(holds(&desk, 'a'));
  refuses(&desk, DEAL_EVENT_ACCEPT, 'b', RULE_release_under_way);
  refuses(&desk, DEAL_EVENT_WITHDRAW, 'a', RULE_release_under_way);
  refuses(&desk, DEAL_EVENT_RELEASE, 'a', RULE_release_asked_already);
  struct deal_event event = event_on(DEAL_EVENT_RELEASE_ANSWER_IN, 0);
  step(&desk, &event); /* KEEP */
  assert_int_equal(desk.negotiation.release, RELEASE_KEPT_BY_OTHER);
  does(&desk, DEAL_EVENT_ACCEPT, 'b');
  event.signed_answer = true; /* answered once */
  step(&desk, &event);
  assert_int_equal(phase(&desk, 'a'), PHASE_PROPOSED);
}

static void both_signatures_beat_every_decision(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  propose(&desk, 'a');
  conclude(&desk, 'a');
  refuses(&desk, DEAL_EVENT_RELEASE_SIGN, 0, RULE_release_not_asked);
  does(&desk, DEAL_EVENT_RELEASE_IN, 0);
  assert_int_equal(phase(&desk, 'a'), PHASE_CONCLUDED);
  does(&desk, DEAL_EVENT_RELEASE_SIGN, 0);
  assert_int_equal(phase(&desk, 'a'), PHASE_RELEASED);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_HOLD_DROP, 'a'), 1);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_LODGE_RELEASE, 0), 1);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_SIGN_RELEASE_ANSWER, 0), 1);
  conclude(&desk, 'a');
  assert_int_equal(phase(&desk, 'a'), PHASE_RELEASED);
  does(&desk, DEAL_EVENT_PROPOSAL, 'b');
  assert_int_equal(phase(&desk, 'b'), PHASE_RELEASED);
}

static void a_release_asked_by_both_is_signed_by_both(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  propose(&desk, 'a');
  does(&desk, DEAL_EVENT_RELEASE, 'a');
  does(&desk, DEAL_EVENT_RELEASE_IN, 0);
  assert_int_equal(desk.negotiation.release, RELEASE_SIGNED);
  assert_int_equal(phase(&desk, 'a'), PHASE_RELEASED);
}

static void what_was_kept_is_not_signed_later(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  propose(&desk, 'a');
  does(&desk, DEAL_EVENT_RELEASE_IN, 0);
  does(&desk, DEAL_EVENT_RELEASE_KEEP, 0);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_SIGN_RELEASE_ANSWER, 0), 1);
  assert_false(desk.effects.effect[0].signed_answer);
  does(&desk, DEAL_EVENT_RELEASE_IN, 0); /* the network repeats it */
  refuses(&desk, DEAL_EVENT_RELEASE_SIGN, 0, RULE_release_not_asked);
  refuses(&desk, DEAL_EVENT_RELEASE, 'a', RULE_release_asked_already);
  assert_int_equal(phase(&desk, 'a'), PHASE_PROPOSED);
}

static void a_release_lodged_by_the_other_is_learnt_from_the_decision(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  propose(&desk, 'a');
  does(&desk, DEAL_EVENT_RELEASE, 'a');
  struct deal_event event = decision('a', COLLEGA__VERDICT__VERDICT_VOID, 0, 'v', 0);
  event.why = RULE_released;
  step(&desk, &event);
  assert_int_equal(phase(&desk, 'a'), PHASE_RELEASED);
  assert_int_equal(desk.negotiation.release, RELEASE_DONE);
}

/* The decider was restored from before the end of the agreement, and both lodged the RELEASE with what it was. */
static void a_release_at_a_decider_that_forgot_entries_leaves_the_chain_as_long(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  propose(&desk, 'a');
  conclude(&desk, 'a');
  decided(&desk, 'a', COLLEGA__VERDICT__VERDICT_TERMINATED, 2, '2');
  struct deal_event event = decision('a', COLLEGA__VERDICT__VERDICT_RELEASED, 1, 'l', 0);
  event.epoch_number = 2;
  step(&desk, &event);
  assert_int_equal(phase(&desk, 'a'), PHASE_RELEASED);
  assert_int_equal(desk.negotiation.release, RELEASE_DONE);
  assert_int_equal(desk.negotiation.position, 2);
  struct id last = name('2');
  assert_true(id_equal(&desk.negotiation.last_decision, &last));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_question_is_answered_and_what_was_asked_is_asked_again),
      cmocka_unit_test(a_running_agreement_is_asked_about_once_after_a_restore),
      cmocka_unit_test(a_restated_entry_gives_the_id_to_follow),
      cmocka_unit_test(a_refused_message_binds_nobody),
      cmocka_unit_test(a_copy_binds_again_whatever_the_room),
      cmocka_unit_test(a_copy_that_comes_late_binds_nothing),
      cmocka_unit_test(an_amendment_that_comes_after_the_end_waits_where_an_entry_is_missing),
      cmocka_unit_test(copies_of_release_and_its_answer_come_back),
      cmocka_unit_test(who_asks_for_release_keeps_its_hold_and_signs_nothing_else),
      cmocka_unit_test(both_signatures_beat_every_decision),
      cmocka_unit_test(a_release_asked_by_both_is_signed_by_both),
      cmocka_unit_test(what_was_kept_is_not_signed_later),
      cmocka_unit_test(a_release_lodged_by_the_other_is_learnt_from_the_decision),
      cmocka_unit_test(a_release_at_a_decider_that_forgot_entries_leaves_the_chain_as_long),
  };
  return cmocka_run_group_tests_name("deals: the deal machine, restored and released", tests, NULL,
                                     NULL);
}
