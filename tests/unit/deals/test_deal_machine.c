/* The deal machine's rules, one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "client/exchange/deal_machine.h"

#define NOW (INT64_C(1000) * DAY_MS)
#define BY  (NOW + DAY_MS)

struct desk { /* one party, and what its last step led to */
  struct negotiation negotiation;
  struct deal_effects effects;
  struct collega_error error;
};

static struct id name(char letter) {
  struct id id = {{0}};
  id.byte[0] = (uint8_t)letter;
  return id;
}

static void arrive(struct desk *desk) {
  memset(desk, 0, sizeof *desk);
  desk->negotiation.root = name('r');
  desk->negotiation.welcomed = true;
  desk->negotiation.epoch_number = desk->negotiation.root_epoch_number = 1;
}

static struct deal_event event_on(enum deal_event_kind kind, char deal) {
  struct deal_event event = {.kind = kind,
                             .now = NOW,
                             .room = true,
                             .fits = true,
                             .welcomed = true,
                             .accept_by = BY,
                             .epoch_number = 1};
  if (deal != 0) event.deal = name(deal);
  return event;
}

static void step(struct desk *desk, const struct deal_event *event) {
  assert_int_equal(deal_step(&desk->negotiation, event, &desk->effects, &desk->error), COLLEGA_OK);
}

static void does(struct desk *desk, enum deal_event_kind kind, char deal) {
  struct deal_event event = event_on(kind, deal);
  step(desk, &event);
}

static void refuses_event(struct desk *desk, const struct deal_event *event, enum rule rule) {
  struct negotiation before = desk->negotiation;
  assert_int_equal(deal_step(&desk->negotiation, event, &desk->effects, &desk->error),
                   COLLEGA_REFUSED);
  assert_int_equal(desk->error.rule, rule);
  assert_int_equal(desk->effects.count, 0);
  assert_memory_equal(&before, &desk->negotiation, sizeof before);
}

static void refuses(struct desk *desk, enum deal_event_kind kind, char deal, enum rule rule) {
  struct deal_event event = event_on(kind, deal);
  refuses_event(desk, &event, rule);
}

static enum deal_phase phase(struct desk *desk, char deal) {
  struct id id = name(deal);
  const struct deal_slot *slot = negotiation_deal(&desk->negotiation, &id);
  return slot != NULL ? slot->phase : PHASE_NONE;
}

static enum rule why(struct desk *desk, char deal) {
  struct id id = name(deal);
  return negotiation_deal(&desk->negotiation, &id)->why;
}

static bool holds(struct desk *desk, char deal) {
  struct id id = name(deal);
  return deal_holds(&desk->negotiation, negotiation_deal(&desk->negotiation, &id));
}

/* How many effects of the kind the last step had; on any deal with deal 0. */
static size_t effects_of(const struct desk *desk, enum deal_effect_kind kind, char deal) {
  struct id id = name(deal);
  size_t count = 0;
  for (size_t i = 0; i < desk->effects.count; i++)
    count += desk->effects.effect[i].kind == kind &&
             (deal == 0 || id_equal(&desk->effects.effect[i].deal, &id));
  return count;
}

static struct deal_event decision(char deal, Collega__Verdict verdict, uint32_t position,
                                  char record, char before) {
  struct deal_event event = event_on(DEAL_EVENT_DECISION, deal);
  event.verdict = verdict;
  event.position = position;
  event.decision = name(record);
  if (before != 0) event.decided_predecessor = name(before);
  event.why = verdict == COLLEGA__VERDICT__VERDICT_VOID ? RULE_declined : RULE_concluded;
  return event;
}

static void decided(struct desk *desk, char deal, Collega__Verdict verdict, uint32_t position,
                    char record) {
  struct deal_event event = decision(deal, verdict, position, record, 0);
  step(desk, &event);
}

static void conclude(struct desk *desk, char deal) {
  decided(desk, deal, COLLEGA__VERDICT__VERDICT_CONCLUDED, 1, '1');
}

static void propose(struct desk *desk, char deal) {
  does(desk, DEAL_EVENT_DRAFT, deal);
  does(desk, DEAL_EVENT_SIGN, deal);
}

static void accept(struct desk *desk, char deal) {
  does(desk, DEAL_EVENT_ACCEPT, deal);
  does(desk, DEAL_EVENT_ACCEPT_SIGN, deal);
}

static void amend(struct desk *desk, char deal, char amended, char predecessor,
                  enum deal_event_kind kind) {
  struct deal_event event = event_on(kind, deal);
  event.amends = name(amended);
  event.predecessor = name(predecessor);
  step(desk, &event);
}

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
      cmocka_unit_test(both_sides_come_to_the_same_match_and_root),
  };
  return cmocka_run_group_tests_name("deals: the deal machine", tests, NULL, NULL);
}
