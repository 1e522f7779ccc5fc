/* Proofs of an agreement of which one party ended parts: an honest one is valid, and whatever is left out, put in
 * another place or taken from elsewhere is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "proto/proof.h"
#include "tests/support/agreement.h"

/* Twelve people; the lender ends a part of two, the borrower too; an amendment to ten, a part of two, and the end. */
struct place {
  struct agreement_world world;
  struct agreement first, second;
  struct agreement_part one, two, three;
  Collega__ProofReduction *parts[4];
  struct arena *arena; /* the judge's */
};

static int make_place(void **state) {
  struct place *place = calloc(1, sizeof *place);
  agreement_world_make(&place->world, 11);
  place->arena = arena_new(1u << 20, 1u << 26);
  *state = place;
  return 0;
}

static int clear_place(void **state) {
  struct place *place = *state;
  agreement_world_clear(&place->world);
  arena_destroy(&place->arena);
  free(place);
  return 0;
}

static struct proof_judgement judge(struct place *place, const Collega__Proof *proof) {
  struct proof_judgement judgement;
  struct collega_error error;
  struct bytes file = proof_pack(proof, place->arena);
  assert_non_null(file.data);
  assert_int_equal(proof_judge(file, NULL, 0, place->arena, &judgement, &error), COLLEGA_OK);
  return judgement;
}

static bool found(const struct proof_judgement *judgement, enum rule rule, bool against) {
  for (size_t i = 0; i < judgement->finding_count; i++)
    if (judgement->findings[i].words.rule == rule && judgement->findings[i].against == against)
      return true;
  return false;
}

static void is_against(struct place *place, const Collega__Proof *proof, enum rule rule) {
  struct proof_judgement judgement = judge(place, proof);
  assert_false(judgement.valid);
  if (!found(&judgement, rule, true)) print_message("expected: %s\n", rule_name(rule));
  assert_true(found(&judgement, rule, true));
}

/* The agreement and two parts of it. */
static Collega__Proof *reduced(struct place *place, part_twist first, part_twist second) {
  agreement_conclude(&place->world, &place->first, NULL);
  agreement_reduce(&place->world, &place->first, &place->world.lender, NULL, 2, &place->one, first);
  agreement_reduce(&place->world, &place->first, &place->world.borrower, &place->one, 3,
                   &place->two, second);
  struct agreement *deals[] = {&place->first};
  Collega__Proof *proof = agreement_proof(&place->world, deals, 1);
  place->parts[0] = &place->one.proved;
  place->parts[1] = &place->two.proved;
  proof->reductions = place->parts;
  proof->n_reductions = 2;
  return proof;
}

static Collega__Proof *whole(struct place *place) {
  reduced(place, NULL, NULL);
  agreement_amend(&place->world, &place->first, &place->two.decision_id, 4, &place->second, NULL);
  agreement_reduce(&place->world, &place->second, &place->world.borrower, NULL, 5, &place->three,
                   NULL);
  agreement_end_after(&place->second, &place->three);
  agreement_terminate(&place->world, &place->first, &place->second, 6, NULL);
  struct agreement *deals[] = {&place->first, &place->second};
  Collega__Proof *proof = agreement_proof(&place->world, deals, 2);
  place->parts[2] = &place->three.proved;
  proof->reductions = place->parts;
  proof->n_reductions = 3;
  return proof;
}

/* ---- honest */

static void parts_are_told_with_who_ended_them(void **state) {
  struct place *place = *state;
  struct proof_judgement judgement = judge(place, reduced(place, NULL, NULL));
  assert_true(judgement.valid);
  assert_int_equal(judgement.reduction_count, 2);
  assert_int_equal(judgement.reductions[0].headcount, 2);
  assert_int_equal(judgement.reductions[0].effective, 20942);
  assert_true(id_equal(&judgement.reductions[0].by, &judgement.lender.id));
  assert_true(id_equal(&judgement.reductions[1].by, &judgement.borrower.id));
  assert_true(found(&judgement, RULE_proof_reduced, false));
  assert_int_equal(judgement.terms->work->headcount, 12);
  assert_int_equal(reductions_left(12, judgement.reductions, 2, 20942), 12);
  assert_int_equal(reductions_left(12, judgement.reductions, 2, 20943), 10);
  assert_int_equal(reductions_left(12, judgement.reductions, 2, 20944), 8);
  assert_int_equal(reductions_left(3, judgement.reductions, 2, 20999), 0);
}

static void an_amendment_after_them_counts_anew(void **state) {
  struct place *place = *state;
  struct proof_judgement judgement = judge(place, whole(place));
  assert_true(judgement.valid);
  assert_true(judgement.terminated);
  assert_int_equal(judgement.terms->work->headcount, 10);
  assert_int_equal(judgement.reduction_count, 1);
  assert_int_equal(judgement.reductions[0].effective, 20945);
}

/* ---- said again by a restored decider */

static struct id said_again;

static void follows_again(struct agreement_part *part, enum agreement_stage stage) {
  ProtobufCBinaryData *field =
      stage == STAGE_END ? &part->decision.predecessor : &part->terminate.predecessor;
  *field = (ProtobufCBinaryData){ID_BYTES, said_again.byte};
}
static void only_decided_after_again(struct agreement_part *part, enum agreement_stage stage) {
  if (stage == STAGE_END) follows_again(part, stage);
}

/* What follows may name the entry by what was said first, or again, each for itself. */
static void an_entry_may_be_named_by_what_was_said_again(void **state) {
  struct place *place = *state;
  static const part_twist twists[] = {follows_again, only_decided_after_again};
  for (size_t i = 0; i < 2; i++) {
    agreement_conclude(&place->world, &place->first, NULL);
    Collega__Run *again = agreement_say_again(&place->world, &place->first,
                                              COLLEGA__VERDICT__VERDICT_CONCLUDED, &said_again);
    agreement_reduce(&place->world, &place->first, &place->world.lender, NULL, 2, &place->one,
                     twists[i]);
    struct agreement *deals[] = {&place->first};
    Collega__Proof *proof = agreement_proof(&place->world, deals, 1);
    place->parts[0] = &place->one.proved;
    proof->reductions = place->parts;
    proof->n_reductions = 1;
    is_against(place, proof, RULE_proof_predecessor); /* which is not shown */
    proof->deals[0]->again = &again;
    proof->deals[0]->n_again = 1;
    struct proof_judgement judgement = judge(place, proof);
    assert_true(judgement.valid);
    assert_int_equal(judgement.decided, place->first.decision.time);
  }
}

static void something_else_is_not_said_again(void **state) {
  struct place *place = *state;
  Collega__Proof *proof = reduced(place, NULL, NULL);
  Collega__Run *again = agreement_say_again(&place->world, &place->first,
                                            COLLEGA__VERDICT__VERDICT_VOID, &said_again);
  proof->deals[0]->again = &again;
  proof->deals[0]->n_again = 1;
  assert_false(judge(place, proof).valid);
  proof->deals[0]->again = &place->two.proved.decision; /* another entry */
  is_against(place, proof, RULE_proof_again);
  place->first.decider = &place->world.stranger;
  again = agreement_say_again(&place->world, &place->first, COLLEGA__VERDICT__VERDICT_CONCLUDED,
                              &said_again);
  proof->deals[0]->again = &again;
  is_against(place, proof, RULE_proof_decision_author);
}

/* ---- left out, out of place */

static void what_is_left_out_is_missed(void **state) {
  struct place *place = *state;
  Collega__Proof *proof = reduced(place, NULL, NULL);
  proof->n_reductions = 1; /* of what came last a proof can be silent, as of an amendment */
  assert_true(judge(place, proof).valid);
  proof->reductions = place->parts + 1;
  is_against(place, proof, RULE_proof_predecessor);
  is_against(place, proof, RULE_proof_position);
  proof = whole(place);
  proof->n_reductions = 2;
  is_against(place, proof, RULE_proof_reductions);
  proof = whole(place);
  proof->n_reductions = 0;
  is_against(place, proof, RULE_proof_predecessor);
}

static void what_is_told_twice_or_out_of_order_does_not_fit(void **state) {
  struct place *place = *state;
  Collega__Proof *proof = reduced(place, NULL, NULL);
  place->parts[2] = place->parts[1];
  proof->n_reductions = 3;
  is_against(place, proof, RULE_proof_position);
  proof->n_reductions = 2;
  place->parts[1] = place->parts[0];
  place->parts[0] = place->parts[2];
  is_against(place, proof, RULE_proof_position);
}

/* ---- bent */

static void other_number(struct agreement_part *part, enum agreement_stage stage) {
  if (stage == STAGE_END) part->parts[part->decision.n_reductions - 1].headcount = 5;
}
static void other_day(struct agreement_part *part, enum agreement_stage stage) {
  if (stage == STAGE_END) part->parts[part->decision.n_reductions - 1].effective = 20970;
}
static void other_party(struct agreement_part *part, enum agreement_stage stage) {
  if (stage == STAGE_END) memset(part->by.byte, 7, ID_BYTES);
}
static void forgets_the_first(struct agreement_part *part, enum agreement_stage stage) {
  if (stage != STAGE_END) return;
  part->list[0] = part->list[1];
  part->decision.n_reductions = 1;
}
static void ends_all(struct agreement_part *part, enum agreement_stage stage) {
  if (stage == STAGE_TERMINATE) part->terminate.has_headcount = 0;
}
static void own_decider(struct agreement_part *part, enum agreement_stage stage) {
  if (stage == STAGE_END) part->decider = part->terminator;
}
static void other_deal(struct agreement_part *part, enum agreement_stage stage) {
  static uint8_t other[ID_BYTES] = {9};
  if (stage == STAGE_TERMINATE) part->terminate.deal.data = other;
}

static void a_decision_says_what_the_request_says(void **state) {
  struct place *place = *state;
  static const struct {
    part_twist twist;
    enum rule rule;
  } cases[] = {{other_number, RULE_proof_reductions}, {other_day, RULE_proof_reductions},
               {other_party, RULE_proof_reductions},  {forgets_the_first, RULE_proof_reductions},
               {ends_all, RULE_proof_verdict},        {own_decider, RULE_proof_decision_author},
               {other_deal, RULE_proof_end_other}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    is_against(place, reduced(place, NULL, cases[i].twist), cases[i].rule);
}

static void strangers_end_no_part(void **state) {
  struct place *place = *state;
  agreement_conclude(&place->world, &place->first, NULL);
  agreement_reduce(&place->world, &place->first, &place->world.stranger, NULL, 2, &place->one,
                   NULL);
  struct agreement *deals[] = {&place->first};
  Collega__Proof *proof = agreement_proof(&place->world, deals, 1);
  place->parts[0] = &place->one.proved;
  proof->reductions = place->parts;
  proof->n_reductions = 1;
  is_against(place, proof, RULE_proof_end_author);
}

static void a_part_does_not_stand_for_the_end(void **state) {
  struct place *place = *state;
  Collega__Proof *proof = reduced(place, NULL, NULL);
  proof->n_reductions = 1;
  proof->terminate = place->two.proved.terminate;
  proof->termination = place->two.proved.decision;
  is_against(place, proof, RULE_proof_verdict);
}

#define proof_test(name) cmocka_unit_test_setup_teardown(name, make_place, clear_place)

int main(void) {
  if (bytes_start(NULL) != COLLEGA_OK) return 1;
  const struct CMUnitTest tests[] = {
      proof_test(parts_are_told_with_who_ended_them),
      proof_test(an_amendment_after_them_counts_anew),
      proof_test(an_entry_may_be_named_by_what_was_said_again),
      proof_test(something_else_is_not_said_again),
      proof_test(what_is_left_out_is_missed),
      proof_test(what_is_told_twice_or_out_of_order_does_not_fit),
      proof_test(a_decision_says_what_the_request_says),
      proof_test(strangers_end_no_part),
      proof_test(a_part_does_not_stand_for_the_end),
  };
  return cmocka_run_group_tests_name("proofs: parts", tests, NULL, NULL);
}
