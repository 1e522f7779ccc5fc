/* The decider's rules, one by one. Decisions get the record ids 'A', 'B', ... in the order they are written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "broker/decide/decider.h"

#define NOW (INT64_C(1000) * DAY_MS)
#define BY  (NOW + DAY_MS)

struct bench {
  struct decide_register reg;
  struct decide_effects effects;
  uint32_t epoch;
  collega_time now;
  char next;
};

static struct id name(char letter) {
  struct id id = {{0}};
  id.byte[0] = (uint8_t)letter;
  return id;
}

static void set_up(struct bench *bench) {
  memset(bench, 0, sizeof *bench);
  bench->epoch = 1;
  bench->now = NOW;
  bench->next = 'A';
}

/* P is the proposer of each deal, Q the other side. */
static struct decide_request request_on(enum decide_kind kind, char party, char deal) {
  return (struct decide_request){.kind = kind,
                                 .party = name(party),
                                 .basis = name('b'),
                                 .deal = name(deal),
                                 .root = name('r'),
                                 .proposer = name('P'),
                                 .other = name('Q'),
                                 .header_epoch = 1,
                                 .accept_by = BY};
}

static void step(struct bench *bench, const struct decide_request *request) {
  decider_step(&bench->reg, request, bench->epoch, bench->now, &bench->effects);
  for (size_t i = 0; i < bench->effects.count; i++) {
    struct id decision = name(bench->next);
    if (bench->effects.effect[i].kind != DECIDE_EFFECT_ENTRY) continue;
    decider_written(&bench->reg, &bench->effects.effect[i], &decision, bench->epoch);
    bench->next++;
  }
}

static void asks(struct bench *bench, enum decide_kind kind, char party, char deal) {
  struct decide_request request = request_on(kind, party, deal);
  step(bench, &request);
}

static void amends(struct bench *bench, char deal, char predecessor) {
  struct decide_request request = request_on(DECIDE_ACCEPT, 'Q', deal);
  request.amends = name('a');
  request.predecessor = name(predecessor);
  step(bench, &request);
}

static void terminates(struct bench *bench, char predecessor) {
  struct decide_request request = request_on(DECIDE_TERMINATE, 'Q', 'a');
  request.terminate_predecessor = name(predecessor);
  request.effective = 777;
  step(bench, &request);
}

static void answers(struct bench *bench, char party, const struct shown_decision *shown,
                    size_t count) {
  struct decide_request request = request_on(DECIDE_ANSWER, party, 'a');
  request.answer_epoch = bench->epoch;
  request.shown = shown;
  request.shown_count = count;
  step(bench, &request);
}

static void is_entry(const struct bench *bench, size_t index, char deal, int verdict,
                     uint32_t position, enum rule why) {
  assert_true(index < bench->effects.count);
  const struct decide_effect *effect = &bench->effects.effect[index];
  struct id id = name(deal);
  assert_int_equal(effect->kind, DECIDE_EFFECT_ENTRY);
  assert_true(id_equal(&effect->deal, &id));
  assert_int_equal(effect->verdict, verdict);
  assert_int_equal(effect->position, position);
  assert_int_equal(effect->why, why);
}

static void is_repeat(const struct bench *bench, size_t index, char party, char decision) {
  assert_true(index < bench->effects.count);
  const struct decide_effect *effect = &bench->effects.effect[index];
  struct id to = name(party), id = name(decision);
  assert_int_equal(effect->kind, DECIDE_EFFECT_REPEAT);
  assert_true(id_equal(&effect->party, &to));
  assert_true(id_equal(&effect->decision, &id));
}

static void is_refusal(const struct bench *bench, size_t index, enum rule why) {
  assert_true(index < bench->effects.count);
  assert_int_equal(bench->effects.effect[index].kind, DECIDE_EFFECT_REFUSE);
  assert_int_equal(bench->effects.effect[index].why, why);
}

static size_t count_of(const struct bench *bench, enum decide_effect_kind kind) {
  size_t count = 0;
  for (size_t i = 0; i < bench->effects.count; i++)
    count += bench->effects.effect[i].kind == kind;
  return count;
}

/* ---- the plain deal */

static void an_acceptance_in_time_concludes(void **state) {
  (void)state;
  struct bench bench;
  set_up(&bench);
  asks(&bench, DECIDE_ACCEPT, 'Q', 'a');
  assert_int_equal(bench.effects.count, 1);
  is_entry(&bench, 0, 'a', COLLEGA__VERDICT__VERDICT_CONCLUDED, 1, RULE_concluded);
}

static void an_acceptance_past_its_time_is_void(void **state) {
  (void)state;
  struct bench bench;
  set_up(&bench);
  bench.now = BY;
  asks(&bench, DECIDE_ACCEPT, 'Q', 'a');
  is_entry(&bench, 0, 'a', COLLEGA__VERDICT__VERDICT_VOID, 0, RULE_lapsed);
}

static void withdrawing_declining_and_asking_late_make_void(void **state) {
  (void)state;
  struct bench bench;
  set_up(&bench);
  asks(&bench, DECIDE_WITHDRAW, 'P', 'a');
  is_entry(&bench, 0, 'a', COLLEGA__VERDICT__VERDICT_VOID, 0, RULE_withdrawn);
  asks(&bench, DECIDE_DECLINE, 'Q', 'c');
  is_entry(&bench, 0, 'c', COLLEGA__VERDICT__VERDICT_VOID, 0, RULE_declined);
  asks(&bench, DECIDE_ASK, 'P', 'd');
  assert_int_equal(bench.effects.count, 0); /* in time: nothing to say */
  bench.now = BY;
  asks(&bench, DECIDE_ASK, 'P', 'd');
  is_entry(&bench, 0, 'd', COLLEGA__VERDICT__VERDICT_VOID, 0, RULE_lapsed);
}

static void what_is_decided_stays_and_is_repeated(void **state) {
  (void)state;
  struct bench bench;
  set_up(&bench);
  asks(&bench, DECIDE_ACCEPT, 'Q', 'a');
  asks(&bench, DECIDE_WITHDRAW, 'P', 'a');
  assert_int_equal(bench.effects.count, 1);
  is_repeat(&bench, 0, 'P', 'A');
  bench.now = BY + DAY_MS;
  asks(&bench, DECIDE_ACCEPT, 'Q', 'a');
  is_repeat(&bench, 0, 'Q', 'A');
  set_up(&bench);
  asks(&bench, DECIDE_DECLINE, 'Q', 'a');
  asks(&bench, DECIDE_ACCEPT, 'Q', 'a');
  is_repeat(&bench, 0, 'Q', 'A');
}

static void only_those_concerned_may_ask(void **state) {
  (void)state;
  struct bench bench;
  set_up(&bench);
  asks(&bench, DECIDE_ACCEPT, 'P', 'a'); /* his own proposal */
  is_refusal(&bench, 0, RULE_deal_not_yours);
  asks(&bench, DECIDE_WITHDRAW, 'Q', 'a');
  is_refusal(&bench, 0, RULE_deal_not_yours);
  struct decide_request request = request_on(DECIDE_ACCEPT, 'Z', 'c');
  request.other = name('Z'); /* the root's name taken by another pair */
  step(&bench, &request);
  is_refusal(&bench, 0, RULE_deal_other_parties);
}

/* ---- one register per root */

static void concluding_one_voids_the_others_in_the_same_step(void **state) {
  (void)state;
  struct bench bench;
  set_up(&bench);
  asks(&bench, DECIDE_ASK, 'P', 'a');
  struct decide_request crossing = request_on(DECIDE_ACCEPT, 'P', 'c');
  crossing.proposer = name('Q');
  crossing.other = name('P');
  step(&bench, &crossing);
  assert_int_equal(bench.effects.count, 2);
  is_entry(&bench, 0, 'c', COLLEGA__VERDICT__VERDICT_CONCLUDED, 1, RULE_concluded);
  is_entry(&bench, 1, 'a', COLLEGA__VERDICT__VERDICT_VOID, 0, RULE_replaced);
  asks(&bench, DECIDE_ACCEPT, 'Q', 'e'); /* one that comes to light later */
  is_entry(&bench, 0, 'e', COLLEGA__VERDICT__VERDICT_VOID, 0, RULE_replaced);
}

static void neither_side_can_crowd_the_other_out(void **state) {
  (void)state;
  struct bench bench;
  set_up(&bench);
  for (char deal = 1; deal <= REGISTER_DEALS / 2; deal++)
    asks(&bench, DECIDE_WITHDRAW, 'P', deal);
  asks(&bench, DECIDE_WITHDRAW, 'P', 100);
  is_refusal(&bench, 0, RULE_root_crowded);
  struct decide_request other = request_on(DECIDE_ACCEPT, 'P', 101);
  other.proposer = name('Q');
  other.other = name('P');
  step(&bench, &other);
  is_entry(&bench, 0, 101, COLLEGA__VERDICT__VERDICT_CONCLUDED, 1, RULE_concluded);
}

/* ---- the chain */

static void an_amendment_takes_the_next_position_or_is_overtaken(void **state) {
  (void)state;
  struct bench bench;
  set_up(&bench);
  asks(&bench, DECIDE_ACCEPT, 'Q', 'a'); /* A */
  struct decide_request rival = request_on(DECIDE_ASK, 'P', 'd');
  rival.amends = name('a');
  rival.predecessor = name('A');
  step(&bench, &rival);
  amends(&bench, 'c', 'A'); /* B */
  is_entry(&bench, 0, 'c', COLLEGA__VERDICT__VERDICT_AMENDED, 2, RULE_amended);
  is_entry(&bench, 1, 'd', COLLEGA__VERDICT__VERDICT_VOID, 0, RULE_overtaken);
  amends(&bench, 'e', 'A');
  is_entry(&bench, 0, 'e', COLLEGA__VERDICT__VERDICT_VOID, 0, RULE_overtaken);
  amends(&bench, 'f', 'B');
  is_entry(&bench, 0, 'f', COLLEGA__VERDICT__VERDICT_AMENDED, 3, RULE_amended);
}

static void a_termination_must_name_the_last_entry(void **state) {
  (void)state;
  struct bench bench;
  set_up(&bench);
  terminates(&bench, 'A');
  is_refusal(&bench, 0, RULE_no_agreement);
  asks(&bench, DECIDE_ACCEPT, 'Q', 'a'); /* A */
  amends(&bench, 'c', 'A');              /* B */
  terminates(&bench, 'A');
  is_refusal(&bench, 0, RULE_overtaken);
  is_repeat(&bench, 1, 'Q', 'A'); /* and is told what it missed */
  is_repeat(&bench, 2, 'Q', 'B');
  terminates(&bench, 'B'); /* C */
  is_entry(&bench, 0, 'c', COLLEGA__VERDICT__VERDICT_TERMINATED, 3, RULE_terminated);
  assert_true(bench.effects.effect[0].has_effective);
  assert_int_equal(bench.effects.effect[0].effective, 777);
  terminates(&bench, 'B');
  is_repeat(&bench, 0, 'Q', 'C');
  amends(&bench, 'd', 'C');
  is_entry(&bench, 0, 'd', COLLEGA__VERDICT__VERDICT_VOID, 0, RULE_terminated);
}

/* `basis` is the id of the request; several are several wishes. */
static void reduces(struct bench *bench, char party, char basis, char predecessor,
                    uint32_t headcount) {
  struct decide_request request = request_on(DECIDE_TERMINATE, party, 'a');
  request.basis = name(basis);
  request.terminate_predecessor = name(predecessor);
  request.effective = 600;
  request.headcount = headcount;
  step(bench, &request);
}

static size_t listed(const struct bench *bench, size_t index) {
  size_t first;
  return decider_listed(&bench->reg, &bench->effects.effect[index], &first);
}

static void a_part_ends_and_the_chain_goes_on(void **state) {
  (void)state;
  struct bench bench;
  set_up(&bench);
  reduces(&bench, 'P', 's', 'A', 2);
  is_refusal(&bench, 0, RULE_no_agreement);
  asks(&bench, DECIDE_ACCEPT, 'Q', 'a'); /* A */
  asks(&bench, DECIDE_ASK, 'P', 'a');
  struct decide_request open = request_on(DECIDE_ASK, 'P', 'c'); /* an amendment that is open */
  open.amends = name('a');
  open.predecessor = name('A');
  step(&bench, &open);
  reduces(&bench, 'P', 's', 'A', 2); /* B, and C for the amendment */
  assert_int_equal(bench.effects.count, 2);
  is_entry(&bench, 0, 'a', COLLEGA__VERDICT__VERDICT_REDUCED, 2, RULE_reduced);
  is_entry(&bench, 1, 'c', COLLEGA__VERDICT__VERDICT_VOID, 0, RULE_overtaken);
  assert_int_equal(listed(&bench, 0), 1);
  assert_int_equal(bench.reg.reductions[0].part.headcount, 2);
  assert_int_equal(bench.reg.reductions[0].part.effective, 600);
  assert_int_equal(bench.reg.reductions[0].part.time, NOW);
  reduces(&bench, 'P', 's', 'A', 2); /* the same once more: what was said */
  assert_int_equal(bench.effects.count, 1);
  is_repeat(&bench, 0, 'P', 'B');
  reduces(&bench, 'Q', 't', 'A', 1); /* the other's came too late */
  is_refusal(&bench, 0, RULE_overtaken);
  is_repeat(&bench, 1, 'Q', 'A');
  is_repeat(&bench, 2, 'Q', 'B');
  reduces(&bench, 'Q', 'u', 'B', 1); /* D */
  is_entry(&bench, 0, 'a', COLLEGA__VERDICT__VERDICT_REDUCED, 3, RULE_reduced);
  assert_int_equal(listed(&bench, 0), 2);
  amends(&bench, 'e', 'D'); /* E */
  is_entry(&bench, 0, 'e', COLLEGA__VERDICT__VERDICT_AMENDED, 4, RULE_amended);
  assert_int_equal(listed(&bench, 0), 0);
  terminates(&bench, 'E'); /* F: what ended of another deal is not of this one */
  is_entry(&bench, 0, 'e', COLLEGA__VERDICT__VERDICT_TERMINATED, 5, RULE_terminated);
  assert_int_equal(listed(&bench, 0), 0);
  reduces(&bench, 'P', 'v', 'F', 1);
  is_repeat(&bench, 0, 'P', 'F');
  asks(&bench, DECIDE_ASK, 'P', 'a');
  assert_int_equal(bench.effects.count, 5); /* all that followed */
  is_repeat(&bench, 1, 'P', 'B');
  is_repeat(&bench, 2, 'P', 'D');
}

static void parts_end_so_often_and_no_more(void **state) {
  (void)state;
  struct bench bench;
  set_up(&bench);
  asks(&bench, DECIDE_ACCEPT, 'Q', 'a');
  for (int i = 0; i < REDUCTIONS_MOST; i++) {
    reduces(&bench, 'P', (char)(1 + i), (char)('A' + i), 1);
    is_entry(&bench, 0, 'a', COLLEGA__VERDICT__VERDICT_REDUCED, (uint32_t)i + 2, RULE_reduced);
  }
  reduces(&bench, 'P', 'z', 'A' + REDUCTIONS_MOST, 1);
  is_refusal(&bench, 0, RULE_reductions_most);
  terminates(&bench, 'A' + REDUCTIONS_MOST);
  is_entry(&bench, 0, 'a', COLLEGA__VERDICT__VERDICT_TERMINATED, REDUCTIONS_MOST + 2,
           RULE_terminated);
  assert_int_equal(listed(&bench, 0), REDUCTIONS_MOST);
}

static struct shown_decision shows_parts(int verdict, uint32_t position, size_t parts) {
  struct shown_decision shown = {.deal = name('a'),
                                 .decision = name('9'),
                                 .predecessor = name('8'),
                                 .verdict = verdict,
                                 .position = position,
                                 .epoch = 1,
                                 .effective = 900,
                                 .reduction_count = parts};
  for (size_t i = 0; i < parts; i++)
    shown.reductions[i] = (struct reduction){.headcount = (uint32_t)i + 1,
                                             .effective = 700 + (collega_date)i,
                                             .by = name('P'),
                                             .basis = name((char)(1 + i)),
                                             .time = NOW};
  return shown;
}

/* One party signs a part, so the other may have missed several: the newest tells of all. */
static void the_newest_part_shown_brings_the_others_along(void **state) {
  (void)state;
  struct bench bench;
  set_up(&bench);
  bench.epoch = 2;
  asks(&bench, DECIDE_ASK, 'P', 'a'); /* names epoch 1: asked of both */
  struct shown_decision shown = shows_parts(COLLEGA__VERDICT__VERDICT_REDUCED, 4, 3);
  answers(&bench, 'Q', &shown, 1);
  is_entry(&bench, 0, 'a', COLLEGA__VERDICT__VERDICT_CONCLUDED, 1, RULE_concluded);
  for (uint32_t i = 1; i <= 3; i++) {
    is_entry(&bench, i, 'a', COLLEGA__VERDICT__VERDICT_REDUCED, 1 + i, RULE_reduced);
    assert_int_equal(listed(&bench, i), i);
    assert_int_equal(bench.reg.reductions[i - 1].part.headcount, i);
  }
  struct id last = name('9'), before = name('8');
  assert_true(id_equal(&bench.effects.effect[3].adopted, &last));
  assert_true(id_equal(&bench.effects.effect[2].adopted, &before));
  assert_true(id_is_zero(&bench.effects.effect[1].adopted));
  shown = shows_parts(COLLEGA__VERDICT__VERDICT_REDUCED, 2, 1); /* the other knows less */
  answers(&bench, 'P', &shown, 1);
  assert_int_equal(count_of(&bench, DECIDE_EFFECT_ENTRY), 0);
  reduces(&bench, 'P', 3, 'D', 1); /* a request that was carried out before the restore */
  is_repeat(&bench, 0, 'P', 'D');
}

static void an_end_shown_alone_brings_the_parts_before_it_along(void **state) {
  (void)state;
  struct bench bench;
  set_up(&bench);
  bench.epoch = 2;
  asks(&bench, DECIDE_ASK, 'P', 'a');
  struct shown_decision shown = shows_parts(COLLEGA__VERDICT__VERDICT_TERMINATED, 4, 2);
  answers(&bench, 'Q', &shown, 1);
  assert_int_equal(count_of(&bench, DECIDE_EFFECT_ENTRY), 4);
  is_entry(&bench, 2, 'a', COLLEGA__VERDICT__VERDICT_REDUCED, 3, RULE_reduced);
  is_entry(&bench, 3, 'a', COLLEGA__VERDICT__VERDICT_TERMINATED, 4, RULE_terminated);
  assert_int_equal(listed(&bench, 3), 2);
}

static void parts_that_the_backup_held_are_said_again(void **state) {
  (void)state;
  struct bench bench;
  set_up(&bench);
  asks(&bench, DECIDE_ACCEPT, 'Q', 'a'); /* A */
  reduces(&bench, 'P', 's', 'A', 2);     /* B */
  bench.epoch = 2;
  asks(&bench, DECIDE_ASK, 'P', 'a'); /* C, D */
  is_entry(&bench, 0, 'a', COLLEGA__VERDICT__VERDICT_CONCLUDED, 1, RULE_concluded);
  is_entry(&bench, 1, 'a', COLLEGA__VERDICT__VERDICT_REDUCED, 2, RULE_reduced);
  struct id before = name('B'), basis = name('s');
  assert_true(id_equal(&bench.effects.effect[1].adopted, &before));
  assert_true(id_equal(&bench.effects.effect[1].basis, &basis));
  reduces(&bench, 'Q', 't', 'D', 1); /* nothing new before both have answered */
  assert_int_equal(count_of(&bench, DECIDE_EFFECT_ENTRY), 0);
  assert_int_equal(count_of(&bench, DECIDE_EFFECT_QUESTION), 2);
}

static void one_who_asks_about_a_deal_hears_what_followed(void **state) {
  (void)state;
  struct bench bench;
  set_up(&bench);
  asks(&bench, DECIDE_ACCEPT, 'Q', 'a');
  amends(&bench, 'c', 'A');
  terminates(&bench, 'B');
  asks(&bench, DECIDE_ASK, 'P', 'a');
  assert_int_equal(bench.effects.count, 3);
  is_repeat(&bench, 0, 'P', 'A');
  is_repeat(&bench, 1, 'P', 'B');
  is_repeat(&bench, 2, 'P', 'C');
}

/* ---- release */

static void a_release_beats_what_was_decided(void **state) {
  (void)state;
  struct bench bench;
  set_up(&bench);
  asks(&bench, DECIDE_ASK, 'P', 'a');
  asks(&bench, DECIDE_RELEASE, 'P', 'a'); /* undecided: void */
  is_entry(&bench, 0, 'a', COLLEGA__VERDICT__VERDICT_VOID, 0, RULE_released);
  asks(&bench, DECIDE_ACCEPT, 'Q', 'c');
  is_entry(&bench, 0, 'c', COLLEGA__VERDICT__VERDICT_VOID, 0, RULE_released);
  set_up(&bench);
  asks(&bench, DECIDE_ACCEPT, 'Q', 'a');
  asks(&bench, DECIDE_RELEASE, 'Q', 'a'); /* concluded: released */
  is_entry(&bench, 0, 'a', COLLEGA__VERDICT__VERDICT_RELEASED, 2, RULE_released);
  asks(&bench, DECIDE_RELEASE, 'P', 'a');
  is_repeat(&bench, 0, 'P', 'A');
  is_repeat(&bench, 1, 'P', 'B');
}

/* ---- after a restore */

static void nothing_is_ruled_on_before_both_have_answered(void **state) {
  (void)state;
  struct bench bench;
  set_up(&bench);
  bench.epoch = 2; /* the register was lost, the header is of epoch 1 */
  asks(&bench, DECIDE_ACCEPT, 'Q', 'a');
  assert_int_equal(count_of(&bench, DECIDE_EFFECT_QUESTION), 2);
  assert_int_equal(count_of(&bench, DECIDE_EFFECT_ENTRY), 0);
  answers(&bench, 'Q', NULL, 0);
  assert_int_equal(count_of(&bench, DECIDE_EFFECT_ENTRY), 0);
  answers(&bench, 'Q', NULL, 0); /* once more is still one party */
  assert_int_equal(count_of(&bench, DECIDE_EFFECT_ENTRY), 0);
  bench.now = BY + DAY_MS;
  answers(&bench, 'P', NULL, 0); /* the acceptance came in time and waited */
  is_entry(&bench, 0, 'a', COLLEGA__VERDICT__VERDICT_CONCLUDED, 1, RULE_concluded);
}

static void an_answer_counts_only_in_the_epoch_that_asked(void **state) {
  (void)state;
  struct bench bench;
  set_up(&bench);
  bench.epoch = 2;
  answers(&bench, 'P', NULL, 0);
  answers(&bench, 'Q', NULL, 0);
  bench.epoch = 3;
  asks(&bench, DECIDE_ACCEPT, 'Q', 'a');
  assert_int_equal(count_of(&bench, DECIDE_EFFECT_QUESTION), 2);
  struct decide_request stale = request_on(DECIDE_ANSWER, 'P', 'a');
  stale.answer_epoch = 2;
  step(&bench, &stale);
  answers(&bench, 'Q', NULL, 0);
  assert_int_equal(count_of(&bench, DECIDE_EFFECT_ENTRY), 0);
}

static void what_a_party_shows_is_adopted_in_a_statement_of_the_new_epoch(void **state) {
  (void)state;
  struct bench bench;
  set_up(&bench);
  bench.epoch = 2;
  const struct shown_decision shown[] = {
      {.deal = name('v'),
       .decision = name('3'),
       .verdict = COLLEGA__VERDICT__VERDICT_VOID,
       .epoch = 1,
       .why = RULE_withdrawn},
      {.deal = name('c'),
       .decision = name('2'),
       .verdict = COLLEGA__VERDICT__VERDICT_AMENDED,
       .position = 2,
       .epoch = 1},
      {.deal = name('a'),
       .decision = name('1'),
       .verdict = COLLEGA__VERDICT__VERDICT_CONCLUDED,
       .position = 1,
       .epoch = 1},
  };
  answers(&bench, 'P', shown, 3);
  is_entry(&bench, 0, 'a', COLLEGA__VERDICT__VERDICT_CONCLUDED, 1, RULE_concluded);
  is_entry(&bench, 1, 'c', COLLEGA__VERDICT__VERDICT_AMENDED, 2, RULE_amended);
  is_entry(&bench, 2, 'v', COLLEGA__VERDICT__VERDICT_VOID, 0, RULE_withdrawn);
  struct id old = name('2');
  assert_true(id_equal(&bench.effects.effect[1].adopted, &old));
  answers(&bench, 'Q', shown, 3); /* nothing new: each hears the last entry again */
  assert_int_equal(count_of(&bench, DECIDE_EFFECT_ENTRY), 0);
  is_repeat(&bench, 0, 'P', 'B');
  is_repeat(&bench, 1, 'Q', 'B');
}

static void what_the_backup_held_is_said_again(void **state) {
  (void)state;
  struct bench bench;
  set_up(&bench);
  asks(&bench, DECIDE_WITHDRAW, 'P', 'v'); /* A */
  asks(&bench, DECIDE_ACCEPT, 'Q', 'a');   /* B */
  terminates(&bench, 'B');                 /* C */
  bench.epoch = 2;
  asks(&bench, DECIDE_ASK, 'P', 'a');
  is_entry(&bench, 0, 'a', COLLEGA__VERDICT__VERDICT_CONCLUDED, 1, RULE_concluded);
  is_entry(&bench, 1, 'a', COLLEGA__VERDICT__VERDICT_TERMINATED, 2, RULE_terminated);
  assert_int_equal(bench.effects.effect[1].effective, 777);
  is_entry(&bench, 2, 'v', COLLEGA__VERDICT__VERDICT_VOID, 0, RULE_withdrawn);
  struct id old = name('C');
  assert_true(id_equal(&bench.effects.effect[1].adopted, &old));
  assert_int_equal(count_of(&bench, DECIDE_EFFECT_REPEAT),
                   0); /* nothing of the older epoch goes out */
}

static void a_termination_shown_without_its_conclusion_brings_it_along(void **state) {
  (void)state;
  struct bench bench;
  set_up(&bench);
  bench.epoch = 2;
  const struct shown_decision end = {.deal = name('a'),
                                     .decision = name('2'),
                                     .predecessor = name('1'),
                                     .verdict = COLLEGA__VERDICT__VERDICT_TERMINATED,
                                     .position = 2,
                                     .epoch = 1,
                                     .effective = 900};
  answers(&bench, 'Q', &end, 1);
  is_entry(&bench, 0, 'a', COLLEGA__VERDICT__VERDICT_CONCLUDED, 1, RULE_concluded);
  is_entry(&bench, 1, 'a', COLLEGA__VERDICT__VERDICT_TERMINATED, 2, RULE_terminated);
  assert_int_equal(bench.effects.effect[1].effective, 900);
}

static void an_amendment_does_not_outlive_what_was_adopted_after_it(void **state) {
  (void)state;
  struct bench bench;
  set_up(&bench);
  asks(&bench, DECIDE_ACCEPT, 'Q', 'a'); /* A */
  bench.epoch = 2;
  asks(&bench, DECIDE_ASK, 'P', 'a'); /* said again as B */
  amends(&bench, 'd', 'B');           /* waits */
  assert_int_equal(count_of(&bench, DECIDE_EFFECT_ENTRY), 0);
  answers(&bench, 'P', NULL, 0);
  const struct shown_decision other = {.deal = name('c'),
                                       .decision = name('x'),
                                       .predecessor = name('A'),
                                       .verdict = COLLEGA__VERDICT__VERDICT_AMENDED,
                                       .position = 2,
                                       .epoch = 1};
  answers(&bench, 'Q', &other, 1);
  is_entry(&bench, 0, 'c', COLLEGA__VERDICT__VERDICT_AMENDED, 2, RULE_amended);
  is_entry(&bench, 1, 'd', COLLEGA__VERDICT__VERDICT_VOID, 0, RULE_overtaken);
}

/* Nothing came before it: what it follows has another name in the new epoch. */
static void an_amendment_from_before_a_restore_is_told_so(void **state) {
  (void)state;
  struct bench bench;
  set_up(&bench);
  asks(&bench, DECIDE_ACCEPT, 'Q', 'a'); /* A */
  bench.epoch = 2;
  amends(&bench, 'd', 'A'); /* A is said again as B; this waits */
  answers(&bench, 'P', NULL, 0);
  answers(&bench, 'Q', NULL, 0);
  is_entry(&bench, 0, 'd', COLLEGA__VERDICT__VERDICT_VOID, 0, RULE_said_anew);
  amends(&bench, 'e', 'A'); /* and so is one that comes now */
  is_entry(&bench, 0, 'e', COLLEGA__VERDICT__VERDICT_VOID, 0, RULE_said_anew);
}

static void a_counter_on_an_unknown_root_counts_as_older(void **state) {
  (void)state;
  struct bench bench;
  set_up(&bench);
  bench.epoch = 2;
  struct decide_request counter = request_on(DECIDE_ACCEPT, 'Q', 'c');
  counter.header_epoch = 2;
  counter.replaces = name('a'); /* of epoch 1, perhaps concluded and forgotten */
  step(&bench, &counter);
  assert_int_equal(count_of(&bench, DECIDE_EFFECT_ENTRY), 0);
  assert_int_equal(count_of(&bench, DECIDE_EFFECT_QUESTION), 2);
  set_up(&bench);
  bench.epoch = 2;
  counter.replaces = name(0);
  step(&bench, &counter); /* a root of this epoch */
  is_entry(&bench, 0, 'c', COLLEGA__VERDICT__VERDICT_CONCLUDED, 1, RULE_concluded);
}

static void a_party_that_never_heard_of_the_root_can_answer(void **state) {
  (void)state;
  struct bench bench;
  set_up(&bench);
  bench.epoch = 2;
  asks(&bench, DECIDE_WITHDRAW, 'P', 'a');
  answers(&bench, 'P', NULL, 0);
  struct decide_request request = {
      .kind = DECIDE_ANSWER, .party = name('Q'), .root = name('r'), .answer_epoch = 2};
  step(&bench, &request);
  is_entry(&bench, 0, 'a', COLLEGA__VERDICT__VERDICT_VOID, 0, RULE_withdrawn);
  struct bench empty;
  set_up(&empty);
  step(&empty, &request);
  is_refusal(&empty, 0, RULE_deal_unknown);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_acceptance_in_time_concludes),
      cmocka_unit_test(an_acceptance_past_its_time_is_void),
      cmocka_unit_test(withdrawing_declining_and_asking_late_make_void),
      cmocka_unit_test(what_is_decided_stays_and_is_repeated),
      cmocka_unit_test(only_those_concerned_may_ask),
      cmocka_unit_test(concluding_one_voids_the_others_in_the_same_step),
      cmocka_unit_test(neither_side_can_crowd_the_other_out),
      cmocka_unit_test(an_amendment_takes_the_next_position_or_is_overtaken),
      cmocka_unit_test(a_termination_must_name_the_last_entry),
      cmocka_unit_test(a_part_ends_and_the_chain_goes_on),
      cmocka_unit_test(parts_end_so_often_and_no_more),
      cmocka_unit_test(the_newest_part_shown_brings_the_others_along),
      cmocka_unit_test(an_end_shown_alone_brings_the_parts_before_it_along),
      cmocka_unit_test(parts_that_the_backup_held_are_said_again),
      cmocka_unit_test(one_who_asks_about_a_deal_hears_what_followed),
      cmocka_unit_test(a_release_beats_what_was_decided),
      cmocka_unit_test(nothing_is_ruled_on_before_both_have_answered),
      cmocka_unit_test(an_answer_counts_only_in_the_epoch_that_asked),
      cmocka_unit_test(what_a_party_shows_is_adopted_in_a_statement_of_the_new_epoch),
      cmocka_unit_test(what_the_backup_held_is_said_again),
      cmocka_unit_test(a_termination_shown_without_its_conclusion_brings_it_along),
      cmocka_unit_test(an_amendment_does_not_outlive_what_was_adopted_after_it),
      cmocka_unit_test(an_amendment_from_before_a_restore_is_told_so),
      cmocka_unit_test(a_counter_on_an_unknown_root_counts_as_older),
      cmocka_unit_test(a_party_that_never_heard_of_the_root_can_answer),
  };
  return cmocka_run_group_tests_name("deals: the decider", tests, NULL, NULL);
}
