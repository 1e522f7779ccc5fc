/* The deal machine's rules, one by one: proposing, answering, decisions and their chain. */
#include "tests/unit/deals/desk.h"

/* ---- proposing */

static void a_draft_holds_and_is_not_signed(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  does(&desk, DEAL_EVENT_DRAFT, 'a');
  assert_int_equal(phase(&desk, 'a'), PHASE_DRAFT);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_HOLD, 'a'), 1);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_SIGN_HEADER, 0), 0);
  assert_true(holds(&desk, 'a'));
}

static void a_draft_without_room_is_refused_in_the_words_of_the_holds(void **state) {
  (void)state;
  struct desk desk;
  struct collega_error words;
  arrive(&desk);
  error_set(&words, COLLEGA_REFUSED, RULE_no_room, NULL, "2027-01-04", "1", "2", NULL);
  struct deal_event event = event_on(DEAL_EVENT_DRAFT, 'a');
  event.room = false;
  refuses_event(&desk, &event, RULE_no_room);
  event.no_room = &words;
  refuses_event(&desk, &event, RULE_no_room);
  assert_string_equal(desk.error.argument[0], "2027-01-04");
}

static void a_draft_is_signed_only_after_a_welcome_in_time_and_with_room(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  does(&desk, DEAL_EVENT_DRAFT, 'a');
  struct deal_event event = event_on(DEAL_EVENT_SIGN, 'a');
  event.welcomed = false;
  refuses_event(&desk, &event, RULE_not_up_to_date);
  event = event_on(DEAL_EVENT_SIGN, 'a');
  event.room = false;
  refuses_event(&desk, &event, RULE_no_room);
  event = event_on(DEAL_EVENT_SIGN, 'a');
  event.now = BY;
  refuses_event(&desk, &event, RULE_deal_past);
  does(&desk, DEAL_EVENT_SIGN, 'a');
  assert_int_equal(phase(&desk, 'a'), PHASE_PROPOSED);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_SIGN_HEADER, 'a'), 1);
}

static void a_draft_past_its_time_is_void_and_frees_its_hold(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  does(&desk, DEAL_EVENT_DRAFT, 'a');
  struct deal_event event = event_on(DEAL_EVENT_TICK, 0);
  event.now = BY;
  step(&desk, &event);
  assert_int_equal(phase(&desk, 'a'), PHASE_VOID);
  assert_int_equal(why(&desk, 'a'), RULE_lapsed);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_HOLD_DROP, 'a'), 1);
}

static void a_dropped_draft_says_why(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  does(&desk, DEAL_EVENT_DRAFT, 'a');
  struct deal_event event = event_on(DEAL_EVENT_DROP_DRAFT, 'a');
  event.why = RULE_no_room;
  step(&desk, &event);
  assert_int_equal(why(&desk, 'a'), RULE_no_room);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_HOLD_DROP, 'a'), 1);
  refuses(&desk, DEAL_EVENT_DROP_DRAFT, 'a', RULE_deal_not_open);
}

static void what_is_signed_is_not_freed_by_the_own_clock(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  propose(&desk, 'a');
  struct deal_event event = event_on(DEAL_EVENT_TICK, 0);
  event.now = BY + 30 * DAY_MS;
  step(&desk, &event);
  assert_int_equal(phase(&desk, 'a'), PHASE_PROPOSED);
  assert_true(holds(&desk, 'a'));
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_SIGN_ASK, 'a'), 1);
  step(&desk, &event); /* asked once an epoch */
  assert_int_equal(desk.effects.count, 0);
}

static void a_second_proposal_beside_an_open_one_must_replace_it(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  propose(&desk, 'a');
  refuses(&desk, DEAL_EVENT_DRAFT, 'b', RULE_deal_open_already);
  struct deal_event event = event_on(DEAL_EVENT_DRAFT, 'b');
  event.replaces = name('x');
  refuses_event(&desk, &event, RULE_deal_unknown);
  event.replaces = name('a');
  step(&desk, &event);
  assert_int_equal(phase(&desk, 'b'), PHASE_DRAFT);
  assert_true(holds(&desk, 'a')); /* until a DECISION */
}

static void each_side_may_bring_sixteen_deals(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  for (char deal = 1; deal <= 16; deal++)
    does(&desk, DEAL_EVENT_PROPOSAL, deal);
  refuses(&desk, DEAL_EVENT_PROPOSAL, 100, RULE_root_crowded);
  does(&desk, DEAL_EVENT_DRAFT, 101); /* the other side's do not count */
}

static void withdrawing_is_a_request(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  propose(&desk, 'a');
  refuses(&desk, DEAL_EVENT_DECLINE, 'a', RULE_deal_own);
  does(&desk, DEAL_EVENT_WITHDRAW, 'a');
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_SIGN_WITHDRAW, 'a'), 1);
  assert_int_equal(phase(&desk, 'a'), PHASE_PROPOSED);
  assert_true(holds(&desk, 'a'));
  does(&desk, DEAL_EVENT_WITHDRAW, 'a');
  assert_int_equal(desk.effects.count, 0);
}

/* ---- answering */

static void accepting_holds_before_it_signs(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  does(&desk, DEAL_EVENT_PROPOSAL, 'a');
  assert_false(holds(&desk, 'a'));
  does(&desk, DEAL_EVENT_ACCEPT, 'a');
  assert_int_equal(phase(&desk, 'a'), PHASE_RECEIVED);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_HOLD, 'a'), 1);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_SIGN_ACCEPT, 0), 0);
  does(&desk, DEAL_EVENT_ACCEPT_SIGN, 'a');
  assert_int_equal(phase(&desk, 'a'), PHASE_PENDING);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_SIGN_ACCEPT, 'a'), 1);
}

static void an_acceptance_needs_room_time_and_an_offer_that_fits(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  does(&desk, DEAL_EVENT_PROPOSAL, 'a');
  struct deal_event event = event_on(DEAL_EVENT_ACCEPT, 'a');
  event.fits = false;
  refuses_event(&desk, &event, RULE_offer_changed);
  event = event_on(DEAL_EVENT_ACCEPT, 'a');
  event.room = false;
  refuses_event(&desk, &event, RULE_no_room);
  event = event_on(DEAL_EVENT_ACCEPT, 'a');
  event.now = BY;
  refuses_event(&desk, &event, RULE_deal_past);
  refuses(&desk, DEAL_EVENT_ACCEPT, 'x', RULE_deal_unknown);
  does(&desk, DEAL_EVENT_ACCEPT, 'a');
  event = event_on(DEAL_EVENT_ACCEPT_SIGN, 'a');
  event.room = false;
  refuses_event(&desk, &event, RULE_no_room);
  event = event_on(DEAL_EVENT_ACCEPT_SIGN, 'a');
  event.welcomed = false;
  refuses_event(&desk, &event, RULE_not_up_to_date);
}

static void an_acceptance_past_its_time_is_taken_back_before_it_is_signed(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  does(&desk, DEAL_EVENT_PROPOSAL, 'a');
  does(&desk, DEAL_EVENT_ACCEPT, 'a');
  struct deal_event event = event_on(DEAL_EVENT_TICK, 0);
  event.now = BY;
  step(&desk, &event);
  assert_int_equal(phase(&desk, 'a'), PHASE_RECEIVED);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_HOLD_DROP, 'a'), 1);
  assert_false(holds(&desk, 'a'));
}

static void declining_is_a_request_and_cannot_follow_a_signed_acceptance(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  does(&desk, DEAL_EVENT_PROPOSAL, 'a');
  does(&desk, DEAL_EVENT_ACCEPT, 'a');
  does(&desk, DEAL_EVENT_DECLINE, 'a'); /* the acceptance was only drafted */
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_HOLD_DROP, 'a'), 1);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_SIGN_DECLINE, 'a'), 1);
  assert_int_equal(phase(&desk, 'a'), PHASE_RECEIVED);
  refuses(&desk, DEAL_EVENT_ACCEPT, 'a', RULE_deal_declined_already);
  does(&desk, DEAL_EVENT_PROPOSAL, 'b');
  accept(&desk, 'b');
  refuses(&desk, DEAL_EVENT_DECLINE, 'b', RULE_deal_accepted_already);
  refuses(&desk, DEAL_EVENT_WITHDRAW, 'b', RULE_deal_of_other);
}

static void an_unreachable_decider_ends_only_what_is_not_signed(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  propose(&desk, 'a');
  does(&desk, DEAL_EVENT_PROPOSAL, 'b');
  does(&desk, DEAL_EVENT_UNREACHABLE, 0);
  assert_int_equal(phase(&desk, 'a'), PHASE_PROPOSED);
  assert_int_equal(phase(&desk, 'b'), PHASE_VOID);
  assert_int_equal(why(&desk, 'b'), RULE_decider_unreachable);
  arrive(&desk);
  does(&desk, DEAL_EVENT_DRAFT, 'a');
  does(&desk, DEAL_EVENT_UNREACHABLE, 0);
  assert_int_equal(phase(&desk, 'a'), PHASE_VOID);
}

/* ---- decisions */

static void a_conclusion_agrees_and_voids_the_rest_of_the_root(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  propose(&desk, 'a');
  does(&desk, DEAL_EVENT_PROPOSAL, 'b');
  accept(&desk, 'b');
  does(&desk, DEAL_EVENT_PROPOSAL, 'c');
  conclude(&desk, 'b');
  assert_int_equal(phase(&desk, 'b'), PHASE_CONCLUDED);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_HOLD_AGREE, 'b'), 1);
  assert_int_equal(phase(&desk, 'a'), PHASE_VOID);
  assert_int_equal(why(&desk, 'a'), RULE_replaced);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_HOLD_DROP, 'a'), 1);
  assert_int_equal(phase(&desk, 'c'), PHASE_VOID);
  conclude(&desk, 'b'); /* once more changes nothing */
  assert_int_equal(desk.effects.count, 0);
  does(&desk, DEAL_EVENT_PROPOSAL, 'd'); /* too late */
  assert_int_equal(phase(&desk, 'd'), PHASE_VOID);
  refuses(&desk, DEAL_EVENT_DRAFT, 'e', RULE_deal_not_open);
}

static void a_received_deal_moves_on_a_decision_too(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  does(&desk, DEAL_EVENT_PROPOSAL, 'a');
  decided(&desk, 'a', COLLEGA__VERDICT__VERDICT_VOID, 0, 'v');
  assert_int_equal(phase(&desk, 'a'), PHASE_VOID);
  assert_int_equal(why(&desk, 'a'), RULE_declined);
  does(&desk, DEAL_EVENT_PROPOSAL,
       'b'); /* concluded by an acceptance that this restored party forgot */
  conclude(&desk, 'b');
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_HOLD, 'b'), 1);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_HOLD_AGREE, 'b'), 1);
}

static void two_decisions_that_differ_are_refused(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  propose(&desk, 'a');
  does(&desk, DEAL_EVENT_PROPOSAL, 'b');
  conclude(&desk, 'a');
  struct deal_event event = decision('a', COLLEGA__VERDICT__VERDICT_VOID, 0, '2', 0);
  refuses_event(&desk, &event, RULE_decision_differs);
  event = decision('b', COLLEGA__VERDICT__VERDICT_CONCLUDED, 1, '3', 0);
  refuses_event(&desk, &event, RULE_decision_differs);
}

static void no_decision_is_taken_before_a_welcome_nor_of_an_older_epoch(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  propose(&desk, 'a');
  desk.negotiation.welcomed = false;
  struct deal_event event = decision('a', COLLEGA__VERDICT__VERDICT_CONCLUDED, 1, '1', 0);
  refuses_event(&desk, &event, RULE_decider_epoch_unknown);
  event = event_on(DEAL_EVENT_WELCOME, 0);
  event.epoch_number = 2;
  step(&desk, &event);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_SIGN_ASK, 'a'), 1);
  conclude(&desk, 'a'); /* of epoch 1 */
  assert_int_equal(phase(&desk, 'a'), PHASE_PROPOSED);
  struct id deal = name('a');
  assert_false(deal_shows(&desk.negotiation, &deal, COLLEGA__VERDICT__VERDICT_CONCLUDED, 1));
  event = decision('a', COLLEGA__VERDICT__VERDICT_CONCLUDED, 1, '2', 0);
  event.epoch_number = 2;
  step(&desk, &event);
  assert_int_equal(phase(&desk, 'a'), PHASE_CONCLUDED);
  assert_true(deal_shows(&desk.negotiation, &deal, COLLEGA__VERDICT__VERDICT_CONCLUDED, 1));
}

/* ---- the chain */

static void an_amendment_replaces_what_was_agreed_and_overtakes_its_rivals(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  propose(&desk, 'a');
  conclude(&desk, 'a');
  amend(&desk, 'b', 'a', '1', DEAL_EVENT_DRAFT);
  amend(&desk, 'c', 'a', '1', DEAL_EVENT_PROPOSAL);
  does(&desk, DEAL_EVENT_SIGN, 'b');
  accept(&desk, 'c');
  decided(&desk, 'c', COLLEGA__VERDICT__VERDICT_AMENDED, 2, '2');
  assert_int_equal(phase(&desk, 'c'), PHASE_CONCLUDED);
  assert_true(holds(&desk, 'c'));
  assert_false(holds(&desk, 'a'));
  assert_int_equal(phase(&desk, 'b'), PHASE_VOID);
  assert_int_equal(why(&desk, 'b'), RULE_overtaken);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_HOLD_DROP, 'b'), 1);
}

static void an_amendment_must_follow_the_last_entry(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  struct deal_event event = event_on(DEAL_EVENT_DRAFT, 'b');
  event.amends = name('a');
  event.predecessor = name('9');
  refuses_event(&desk, &event, RULE_no_agreement);
  propose(&desk, 'a');
  conclude(&desk, 'a');
  refuses_event(&desk, &event, RULE_overtaken);
  amend(&desk, 'c', 'a', '9', DEAL_EVENT_PROPOSAL); /* of an entry that is not known here yet */
  assert_int_equal(phase(&desk, 'c'), PHASE_RECEIVED);
  refuses(&desk, DEAL_EVENT_ACCEPT, 'c', RULE_overtaken);
}

static void a_termination_is_signed_again_for_the_new_last_entry(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  refuses(&desk, DEAL_EVENT_TERMINATE, 0, RULE_no_agreement);
  does(&desk, DEAL_EVENT_PROPOSAL, 'a');
  accept(&desk, 'a');
  conclude(&desk, 'a');
  amend(&desk, 'b', 'a', '1', DEAL_EVENT_PROPOSAL);
  accept(&desk, 'b');
  struct deal_event event = event_on(DEAL_EVENT_TERMINATE, 0);
  event.terminate_effective = 12345;
  step(&desk, &event);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_SIGN_TERMINATE, 'a'), 1);
  assert_int_equal(desk.effects.effect[0].effective, 12345);
  assert_int_equal(phase(&desk, 'a'), PHASE_CONCLUDED); /* until it is decided */
  decided(&desk, 'b', COLLEGA__VERDICT__VERDICT_AMENDED, 2, '2');
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_SIGN_TERMINATE, 'b'), 1);
  event = decision('b', COLLEGA__VERDICT__VERDICT_TERMINATED, 3, '3', '2');
  event.effective = 12346;
  step(&desk, &event);
  assert_int_equal(phase(&desk, 'a'), PHASE_TERMINATED);
  assert_int_equal(phase(&desk, 'b'), PHASE_TERMINATED);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_HOLD_END, 'b'), 1);
  refuses(&desk, DEAL_EVENT_TERMINATE, 0, RULE_no_agreement);
}

static void an_entry_that_comes_late_changes_only_its_own_deal(void **state) {
  (void)state;
  struct desk desk;
  arrive(&desk);
  propose(&desk, 'a');
  conclude(&desk, 'a');
  amend(&desk, 'b', 'a', '1', DEAL_EVENT_DRAFT);
  does(&desk, DEAL_EVENT_SIGN, 'b');
  struct deal_event end = decision('b', COLLEGA__VERDICT__VERDICT_TERMINATED, 3, '3', '2');
  end.effective = 500;
  step(&desk, &end); /* the amendment's own word is still under way */
  assert_int_equal(phase(&desk, 'a'), PHASE_TERMINATED);
  assert_int_equal(phase(&desk, 'b'), PHASE_PROPOSED);
  decided(&desk, 'b', COLLEGA__VERDICT__VERDICT_AMENDED, 2, '2');
  assert_int_equal(phase(&desk, 'b'), PHASE_TERMINATED);
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_HOLD_AGREE, 'b'),
                   1); /* its terms ran until the last day */
  assert_int_equal(effects_of(&desk, DEAL_EFFECT_HOLD_END, 'b'), 1);
  assert_int_equal(desk.negotiation.position, 3);
}

/* ---- ids */

static void both_sides_come_to_the_same_match_and_root(void **state) {
  (void)state;
  uint8_t offer[SHORT_ID_BYTES] = {9}, party[ID_BYTES] = {7};
  struct id one, other, first, second;
  match_id(&one, bytes_of(offer, sizeof offer), bytes_of(party, sizeof party));
  match_id(&other, bytes_of(party, sizeof party), bytes_of(offer, sizeof offer));
  assert_true(id_equal(&one, &other));
  negotiation_root(&first, &one, 0);
  negotiation_root(&second, &one, 1);
  assert_false(id_equal(&first, &second));
  negotiation_root(&second, &other, 0);
  assert_true(id_equal(&first, &second));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_draft_holds_and_is_not_signed),
      cmocka_unit_test(a_draft_without_room_is_refused_in_the_words_of_the_holds),
      cmocka_unit_test(a_draft_is_signed_only_after_a_welcome_in_time_and_with_room),
      cmocka_unit_test(a_draft_past_its_time_is_void_and_frees_its_hold),
      cmocka_unit_test(a_dropped_draft_says_why),
      cmocka_unit_test(what_is_signed_is_not_freed_by_the_own_clock),
      cmocka_unit_test(a_second_proposal_beside_an_open_one_must_replace_it),
      cmocka_unit_test(each_side_may_bring_sixteen_deals),
      cmocka_unit_test(withdrawing_is_a_request),
      cmocka_unit_test(accepting_holds_before_it_signs),
      cmocka_unit_test(an_acceptance_needs_room_time_and_an_offer_that_fits),
      cmocka_unit_test(an_acceptance_past_its_time_is_taken_back_before_it_is_signed),
      cmocka_unit_test(declining_is_a_request_and_cannot_follow_a_signed_acceptance),
      cmocka_unit_test(an_unreachable_decider_ends_only_what_is_not_signed),
      cmocka_unit_test(a_conclusion_agrees_and_voids_the_rest_of_the_root),
      cmocka_unit_test(a_received_deal_moves_on_a_decision_too),
      cmocka_unit_test(two_decisions_that_differ_are_refused),
      cmocka_unit_test(no_decision_is_taken_before_a_welcome_nor_of_an_older_epoch),
      cmocka_unit_test(an_amendment_replaces_what_was_agreed_and_overtakes_its_rivals),
      cmocka_unit_test(an_amendment_must_follow_the_last_entry),
      cmocka_unit_test(a_termination_is_signed_again_for_the_new_last_entry),
      cmocka_unit_test(an_entry_that_comes_late_changes_only_its_own_deal),
      cmocka_unit_test(both_sides_come_to_the_same_match_and_root),
  };
  return cmocka_run_group_tests_name("deals: the deal machine", tests, NULL, NULL);
}
