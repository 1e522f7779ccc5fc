/* Proofs: an honest one is valid; damage is found; whatever a forger bends, the judge names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "proto/proof.h"
#include "proto/terms.h"
#include "tests/support/agreement.h"

struct place {
  struct agreement_world world;
  struct agreement first, second;
  struct arena *arena; /* the judge's */
};

static int make_place(void **state) {
  struct place *place = calloc(1, sizeof *place);
  agreement_world_make(&place->world, 10);
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

static void fingerprint_of(const struct person *person, char out[FINGERPRINT_BYTES]) {
  fingerprint_write(out, identity_party(person->identity));
}

static struct proof_judgement judge(struct place *place, const Collega__Proof *proof,
                                    const char *trusted) {
  struct proof_judgement judgement;
  struct bytes file = proof_pack(proof, place->arena);
  assert_non_null(file.data);
  struct collega_error error;
  enum collega_status status =
      proof_judge(file, &trusted, trusted ? 1 : 0, place->arena, &judgement, &error);
  if (status != COLLEGA_OK) print_error("rule %s, field %s\n", rule_name(error.rule), error.field);
  assert_int_equal(status, COLLEGA_OK);
  return judgement;
}

static bool found(const struct proof_judgement *judgement, enum rule rule, bool against) {
  for (size_t i = 0; i < judgement->finding_count; i++) {
    const struct proof_finding *finding = &judgement->findings[i];
    if (finding->words.rule == rule && finding->against == against) return true;
  }
  return false;
}

static void print_findings(const struct proof_judgement *judgement) {
  for (size_t i = 0; i < judgement->finding_count; i++) {
    char text[512];
    error_render(LANGUAGE_EN, &judgement->findings[i].words, text, sizeof text);
    print_message("  %s %s\n", judgement->findings[i].against ? "-" : "+", text);
  }
}

static void expect_valid(const struct proof_judgement *judgement) {
  if (!judgement->valid) print_findings(judgement);
  assert_true(judgement->valid);
}

/* Invalid, and for this reason. */
static void expect_against(const struct proof_judgement *judgement, enum rule rule) {
  if (!found(judgement, rule, true)) {
    print_message("expected: %s\n", rule_name(rule));
    print_findings(judgement);
  }
  assert_true(found(judgement, rule, true));
  assert_false(judgement->valid);
  assert_false(judgement->trusted);
}

/* The agreement alone. */
static Collega__Proof *simple(struct place *place, agreement_twist twist) {
  agreement_conclude(&place->world, &place->first, twist);
  struct agreement *deals[] = {&place->first};
  return agreement_proof(&place->world, deals, 1);
}

/* Agreement, amendment, termination; the twist bends the amendment. */
static Collega__Proof *full(struct place *place, agreement_twist twist, agreement_twist end) {
  agreement_conclude(&place->world, &place->first, NULL);
  agreement_amend(&place->world, &place->first, &place->first.decision_id, 2, &place->second,
                  twist);
  agreement_terminate(&place->world, &place->first, &place->second, 3, end);
  struct agreement *deals[] = {&place->first, &place->second};
  return agreement_proof(&place->world, deals, 2);
}

/* ---- honest */

static void an_honest_agreement_is_valid(void **state) {
  struct place *place = *state;
  struct proof_judgement judgement = judge(place, simple(place, NULL), NULL);
  expect_valid(&judgement);
  assert_false(judgement.trusted);
  assert_true(found(&judgement, RULE_proof_consistent, false));
  assert_true(id_equal(&judgement.broker, identity_party(place->world.broker.identity)));
  assert_string_equal(judgement.broker_name, "ACE West-Brabant");
  assert_string_equal(judgement.lender.name, "Snijder BV");
  assert_string_equal(judgement.lender.kvk, "12345678");
  assert_true(judgement.lender.named);
  assert_string_equal(judgement.lender.mandate_person, "A. Snijder");
  assert_string_equal(judgement.borrower.mandate_function, "hoofd personeel");
  assert_int_equal(judgement.terms->work->headcount, 12);
  assert_int_equal(judgement.hidden, 0);
  assert_int_equal(judgement.decided, AGREEMENT_NOW + HOUR_MS + MINUTE_MS);
  assert_false(judgement.terminated);
  assert_true(id_equal(&judgement.deal, &place->first.header_id));
}

static void amendment_and_termination_are_judged_with_it(void **state) {
  struct place *place = *state;
  struct proof_judgement judgement = judge(place, full(place, NULL, NULL), NULL);
  expect_valid(&judgement);
  assert_int_equal(judgement.terms->work->headcount, 10);
  assert_true(judgement.terminated);
  assert_int_equal(judgement.terminated_on, 20950);
  assert_true(found(&judgement, RULE_proof_amended, false));
}

static void the_fingerprint_decides_about_trust(void **state) {
  struct place *place = *state;
  char right[FINGERPRINT_BYTES], wrong[FINGERPRINT_BYTES];
  fingerprint_of(&place->world.broker, right);
  fingerprint_of(&place->world.lender, wrong);
  Collega__Proof *proof = simple(place, NULL);
  struct proof_judgement judgement = judge(place, proof, right);
  assert_true(judgement.valid && judgement.trusted);
  assert_true(found(&judgement, RULE_proof_trusted, false));
  judgement = judge(place, proof, wrong);
  assert_true(judgement.valid && !judgement.trusted);
}

static void a_completely_forged_world_is_consistent_and_not_trusted(void **state) {
  struct place *place = *state;
  struct agreement_world forged;
  agreement_world_make(&forged, 50);
  agreement_conclude(&forged, &place->first, NULL);
  struct agreement *deals[] = {&place->first};
  char real[FINGERPRINT_BYTES];
  fingerprint_of(&place->world.broker, real);
  struct proof_judgement judgement = judge(place, agreement_proof(&forged, deals, 1), real);
  expect_valid(&judgement);
  assert_false(judgement.trusted);
  assert_true(found(&judgement, RULE_proof_consistent, false));
  agreement_world_clear(&forged);
}

static void sections_may_be_hidden(void **state) {
  struct place *place = *state;
  Collega__Proof *proof = simple(place, NULL);
  unsigned mask = 0;
  assert_int_equal(terms_mask("work,note", &mask, NULL), COLLEGA_OK);
  Collega__SaltedTerms *hidden = NULL;
  assert_int_equal(terms_hide(place->first.salted, mask, place->world.arena, &hidden, NULL),
                   COLLEGA_OK);
  place->first.proved.terms = hidden;
  struct proof_judgement judgement = judge(place, proof, NULL);
  expect_valid(&judgement);
  assert_int_equal(judgement.hidden, mask);
  assert_null(judgement.terms->work);
  assert_true(found(&judgement, RULE_proof_limit_hidden, false));
}

static void no_mandate(struct agreement_world *world, struct agreement *agreement,
                       enum agreement_stage stage) {
  (void)world;
  if (stage == STAGE_HEADER) agreement->header.has_mandate = 0;
}

static void without_a_mandate_the_holder_of_the_key_has_signed(void **state) {
  struct place *place = *state;
  struct proof_judgement judgement = judge(place, simple(place, no_mandate), NULL);
  expect_valid(&judgement);
  assert_false(judgement.lender.named);
  assert_true(judgement.borrower.named);
  assert_true(found(&judgement, RULE_proof_not_named, false));
}

/* ---- damage */

static void every_changed_byte_is_found(void **state) {
  struct place *place = *state;
  struct bytes file = proof_pack(simple(place, NULL), place->arena);
  uint8_t *bytes = arena_copy(place->arena, file.data, file.length);
  struct arena *work = arena_new(1u << 16, 1u << 26);
  struct proof_judgement judgement;
  size_t readable = 0;
  for (size_t i = 0; i < file.length; i++) {
    bytes[i] ^= (uint8_t)(1u << i % 8);
    enum collega_status status =
        proof_judge(bytes_of(bytes, file.length), NULL, 0, work, &judgement, NULL);
    /* Too damaged to be read, or read and told what does not fit: the closing hash at least. */
    assert_true(status == COLLEGA_INVALID ||
                (status == COLLEGA_OK && found(&judgement, RULE_proof_damaged, true)));
    assert_false(judgement.valid);
    readable += status == COLLEGA_OK;
    bytes[i] ^= (uint8_t)(1u << i % 8);
    arena_reset(work);
  }
  for (size_t length = 0; length < file.length; length += 13) {
    enum collega_status status =
        proof_judge(bytes_of(bytes, length), NULL, 0, work, &judgement, NULL);
    assert_true(status == COLLEGA_INVALID || status == COLLEGA_OK);
    assert_false(judgement.valid);
    arena_reset(work);
  }
  assert_true(readable > file.length / 2); /* most damage leaves enough to name it */
  arena_destroy(&work);
}

/* A forger repairs the closing hash: no changed bit of what anybody signed may pass. What nobody signed
 * is told apart: the maker's own words (made, decider_name), and whether a section is shown. */
static void no_changed_bit_of_what_was_signed_survives_a_new_hash(void **state) {
  struct place *place = *state;
  struct collega_error error;
  Collega__Proof *proof = simple(place, NULL);
  struct bytes file = proof_pack(proof, place->arena);
  uint8_t *bytes = arena_copy(place->arena, file.data, file.length);
  struct arena *work = arena_new(1u << 16, 1u << 26);
  size_t content = file.length - ID_BYTES, survivors = 0;
  for (size_t i = 16; i < content; i++) {
    bytes[i] ^= (uint8_t)(1u << i % 8);
    struct id hash;
    hash_one(&hash, "", bytes, content);
    memcpy(bytes + content, hash.byte, ID_BYTES);
    struct proof_judgement judgement;
    enum collega_status status =
        proof_judge(bytes_of(bytes, file.length), NULL, 0, work, &judgement, &error);
    if (status == COLLEGA_OK && judgement.valid) {
      Collega__Proof *changed = NULL;
      assert_int_equal(proof_unpack(bytes_of(bytes, file.length), work, &changed, NULL),
                       COLLEGA_OK);
      bool words =
          changed->made != proof->made || strcmp(changed->decider_name, proof->decider_name) != 0;
      if (!words) print_error("byte %zu of %zu\n", i, file.length);
      assert_true(words);
      survivors++;
    }
    bytes[i] ^= (uint8_t)(1u << i % 8);
    arena_reset(work);
  }
  assert_true(survivors > 0); /* the loop did judge */
  arena_destroy(&work);
}

static void other_files_are_no_proofs(void **state) {
  struct place *place = *state;
  struct proof_judgement judgement;
  struct collega_error error;
  assert_int_equal(proof_judge(bytes_of("{}", 2), NULL, 0, place->arena, &judgement, &error),
                   COLLEGA_INVALID);
  assert_int_equal(error.rule, RULE_proof_not_one);
}

/* ---- forgers: each bends one thing and signs or hashes what it can */

struct forgery {
  agreement_twist twist;
  enum rule rule;
};

static uint8_t nowhere[32] = {0xee};

#define TWIST(name, at, ...)                                                                       \
  static void name(struct agreement_world *world, struct agreement *agreement,                     \
                   enum agreement_stage stage) {                                                   \
    (void)world;                                                                                   \
    if (stage == (at)) {                                                                           \
      __VA_ARGS__                                                                                  \
    }                                                                                              \
  }
TWIST(decider_is_other, STAGE_DECISION, agreement->decider = &world->stranger;)
TWIST(decider_is_lender, STAGE_DECISION, agreement->decider = &world->lender;)
TWIST(lender_accepts_itself, STAGE_ACCEPTANCE, agreement->acceptor = &world->lender;)
TWIST(accepts_another, STAGE_ACCEPTANCE, set_field(&agreement->acceptance.deal, nowhere, 32);)
TWIST(decides_another, STAGE_DECISION, set_field(&agreement->decision.deal, nowhere, 32);)
TWIST(decides_other_root, STAGE_DECISION, set_field(&agreement->decision.root, nowhere, 32);)
TWIST(other_basis, STAGE_DECISION, set_field(&agreement->decision.basis, nowhere, 32);)
TWIST(void_decision, STAGE_DECISION, agreement->decision.verdict = COLLEGA__VERDICT__VERDICT_VOID;
      agreement->decision.position = 0;)
TWIST(decided_late, STAGE_DECISION, agreement->decision.time = agreement->header.accept_by + 1;)
TWIST(other_commitment, STAGE_HEADER, set_field(&agreement->edge.commitment, nowhere, 32);)
TWIST(too_many, STAGE_TERMS, agreement->work.headcount = 21;)
TWIST(header_after_decision, STAGE_HEADER, agreement->header.time += 25 * HOUR_MS;)
TWIST(unknown_mandate, STAGE_HEADER, set_field(&agreement->header.mandate, nowhere, 32);)
TWIST(borrowed_mandate, STAGE_HEADER,
      set_field(&agreement->header.mandate, world->borrower_mandate.byte, 32);)
TWIST(first_amends, STAGE_HEADER,
      agreement->header.has_amends = agreement->header.has_predecessor = 1;
      set_field(&agreement->header.amends, nowhere, 32);
      set_field(&agreement->header.predecessor, nowhere, 32);)
TWIST(decider_takes_part, STAGE_HEADER,
      set_field(&agreement->header.decider, identity_party(world->borrower.identity)->byte, 32);)
TWIST(before_certificate, STAGE_DECISION, agreement->decision.time = AGREEMENT_NOW - 31 * DAY_MS;)

static void a_bent_agreement_is_named(void **state) {
  (void)state;
  const struct forgery forgeries[] = {
      {decider_is_other, RULE_proof_decision_author},
      {decider_is_lender, RULE_proof_decision_author},
      {lender_accepts_itself, RULE_proof_acceptance_author},
      {accepts_another, RULE_proof_acceptance_other},
      {decides_another, RULE_proof_decision_other},
      {decides_other_root, RULE_proof_decision_root},
      {other_basis, RULE_proof_basis},
      {void_decision, RULE_proof_verdict},
      {decided_late, RULE_proof_late},
      {other_commitment, RULE_proof_commitment},
      {too_many, RULE_mandate_limit},
      {header_after_decision, RULE_proof_signed_later},
      {unknown_mandate, RULE_mandate_unknown},
      {borrowed_mandate, RULE_mandate_unknown},
      {first_amends, RULE_proof_first_amends},
      {decider_takes_part, RULE_proof_parties_same},
      {before_certificate, RULE_proof_cert_missing},
      {before_certificate, RULE_proof_mandate_late},
      {before_certificate, RULE_proof_card_late},
  };
  for (size_t i = 0; i < sizeof forgeries / sizeof *forgeries; i++) {
    void *fresh;
    make_place(&fresh);
    struct proof_judgement judgement = judge(fresh, simple(fresh, forgeries[i].twist), NULL);
    expect_against(&judgement, forgeries[i].rule);
    clear_place(&fresh);
  }
}

TWIST(amends_another, STAGE_HEADER, set_field(&agreement->header.amends, nowhere, 32);)
TWIST(amends_other_root, STAGE_HEADER, set_field(&agreement->header.root, nowhere, 32);)
TWIST(follows_another, STAGE_HEADER, set_field(&agreement->header.predecessor, nowhere, 32);)
TWIST(entry_follows_another, STAGE_DECISION,
      set_field(&agreement->decision.predecessor, nowhere, 32);)
TWIST(entry_elsewhere, STAGE_DECISION, agreement->decision.position = 5;)
TWIST(amendment_concludes, STAGE_DECISION,
      agreement->decision.verdict = COLLEGA__VERDICT__VERDICT_CONCLUDED;
      agreement->decision.position = 1; agreement->decision.has_predecessor = 0;)
TWIST(parts_swapped, STAGE_HEADER, ProtobufCBinaryData lender = agreement->edge.lender;
      agreement->edge.lender = agreement->edge.borrower; agreement->edge.borrower = lender;)
TWIST(stranger_amends, STAGE_HEADER, agreement->proposer = &world->stranger;
      set_field(&agreement->edge.lender, identity_party(world->stranger.identity)->byte, 32);)
TWIST(amended_before, STAGE_DECISION, agreement->decision.time -= 3 * DAY_MS;)

static void a_bent_amendment_is_named(void **state) {
  (void)state;
  const struct forgery forgeries[] = {
      {amends_another, RULE_proof_amends},       {amends_other_root, RULE_proof_amend_root},
      {follows_another, RULE_proof_predecessor}, {entry_follows_another, RULE_proof_predecessor},
      {entry_elsewhere, RULE_proof_position},    {amendment_concludes, RULE_proof_verdict},
      {parts_swapped, RULE_proof_amend_parties}, {stranger_amends, RULE_proof_header_author},
      {amended_before, RULE_proof_order},
  };
  for (size_t i = 0; i < sizeof forgeries / sizeof *forgeries; i++) {
    void *fresh;
    make_place(&fresh);
    struct proof_judgement judgement = judge(fresh, full(fresh, forgeries[i].twist, NULL), NULL);
    expect_against(&judgement, forgeries[i].rule);
    clear_place(&fresh);
  }
}

TWIST(ends_another, STAGE_TERMINATE, set_field(&agreement->terminate.deal, nowhere, 32);)
TWIST(end_follows_another, STAGE_TERMINATE,
      set_field(&agreement->terminate.predecessor, nowhere, 32);)
TWIST(stranger_ends, STAGE_TERMINATE, agreement->terminator = &world->stranger;)
TWIST(other_last_day, STAGE_END, agreement->decision.effective = 20951;)
TWIST(end_elsewhere, STAGE_END, agreement->decision.position = 4;)
TWIST(end_by_other, STAGE_END, agreement->decider = &world->stranger;)
TWIST(end_of_other_root, STAGE_END, set_field(&agreement->decision.root, nowhere, 32);)
TWIST(end_of_other_deal, STAGE_END, set_field(&agreement->decision.deal, nowhere, 32);)
TWIST(end_without_request, STAGE_END, set_field(&agreement->decision.basis, nowhere, 32);)

static void a_bent_termination_is_named(void **state) {
  (void)state;
  const struct forgery forgeries[] = {
      {ends_another, RULE_proof_end_other},          {end_follows_another, RULE_proof_predecessor},
      {stranger_ends, RULE_proof_end_author},        {other_last_day, RULE_proof_effective},
      {end_elsewhere, RULE_proof_position},          {end_by_other, RULE_proof_decision_author},
      {end_of_other_root, RULE_proof_decision_root}, {end_of_other_deal, RULE_proof_decision_other},
      {end_without_request, RULE_proof_basis},
  };
  for (size_t i = 0; i < sizeof forgeries / sizeof *forgeries; i++) {
    void *fresh;
    make_place(&fresh);
    struct proof_judgement judgement = judge(fresh, full(fresh, NULL, forgeries[i].twist), NULL);
    expect_against(&judgement, forgeries[i].rule);
    clear_place(&fresh);
  }
}

static void half_a_termination_is_named(void **state) {
  struct place *place = *state;
  Collega__Proof *proof = full(place, NULL, NULL);
  Collega__Run *termination = proof->termination;
  proof->termination = NULL;
  struct proof_judgement judgement = judge(place, proof, NULL);
  expect_against(&judgement, RULE_proof_end_half);
  proof->termination = termination;
  proof->terminate = NULL;
  judgement = judge(place, proof, NULL);
  expect_against(&judgement, RULE_proof_end_half);
}

static void a_left_out_amendment_breaks_the_chain(void **state) {
  struct place *place = *state;
  Collega__Proof *proof = full(place, NULL, NULL);
  proof->n_deals = 1;
  struct proof_judgement judgement = judge(place, proof, NULL);
  expect_against(&judgement, RULE_proof_predecessor);
}

static void terms_of_another_agreement_do_not_fit(void **state) {
  struct place *place = *state;
  Collega__Proof *proof = full(place, NULL, NULL);
  place->first.proved.terms = place->second.salted;
  struct proof_judgement judgement = judge(place, proof, NULL);
  expect_against(&judgement, RULE_proof_commitment);
}

static void parts_in_the_wrong_place_are_named(void **state) {
  struct place *place = *state;
  Collega__Proof *proof = full(place, NULL, NULL);
  Collega__Run *kept = place->first.proved.acceptance;
  place->first.proved.acceptance = place->first.proved.decision;
  struct proof_judgement judgement = judge(place, proof, NULL);
  expect_against(&judgement, RULE_proof_kind);
  place->first.proved.acceptance = make_statuses(&place->world.borrower, 2, place->world.arena);
  judgement = judge(place, proof, NULL);
  expect_against(&judgement, RULE_proof_one_record);
  place->first.proved.acceptance = kept;
}

static void a_signature_by_another_key_is_named(void **state) {
  struct place *place = *state;
  Collega__Proof *proof = simple(place, NULL);
  Collega__Run *runs[] = {place->first.proved.header, place->first.proved.acceptance,
                          place->first.proved.decision};
  for (size_t i = 0; i < 3; i++) {
    runs[i]->signature.data[7] ^= 4;
    struct proof_judgement judgement = judge(place, proof, NULL);
    expect_against(&judgement, RULE_run_signature);
    runs[i]->signature.data[7] ^= 4;
  }
}

/* ---- members */

static void a_missing_card_certificate_or_mandate_is_named(void **state) {
  struct place *place = *state;
  Collega__Proof *proof = simple(place, NULL);
  const enum rule missing[] = {
      RULE_proof_no_card,      RULE_proof_no_card,   RULE_proof_no_card,  RULE_proof_cert_missing,
      RULE_proof_cert_missing, RULE_mandate_unknown, RULE_mandate_unknown};
  Collega__Receipted **all = proof->members;
  size_t count = proof->n_members;
  assert_int_equal(count, sizeof missing / sizeof *missing);
  for (size_t left_out = 0; left_out < count; left_out++) {
    Collega__Receipted *some[AGREEMENT_MEMBERS];
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
      if (i != left_out) some[kept++] = all[i];
    }
    proof->members = some;
    proof->n_members = kept;
    struct proof_judgement judgement = judge(place, proof, NULL);
    expect_against(&judgement, missing[left_out]);
  }
}

static void receipts_are_needed_and_must_be_the_deciders(void **state) {
  struct place *place = *state;
  Collega__Proof *proof = simple(place, NULL);
  Collega__Receipted *mandate = proof->members[5], *card = proof->members[1];
  Collega__ReceiptRun *kept = mandate->receipt;
  mandate->receipt = NULL;
  struct proof_judgement judgement = judge(place, proof, NULL);
  expect_against(&judgement, RULE_proof_receipt_missing);
  expect_against(&judgement, RULE_proof_mandate_late);
  mandate->receipt = card->receipt;
  judgement = judge(place, proof, NULL);
  expect_against(&judgement, RULE_receipt_signature);
  struct id id = place->world.lender_mandate;
  assert_int_equal(receipt_sign(place->world.lender.identity, &place->world.lender.epoch, 1,
                                AGREEMENT_NOW - DAY_MS, &id, 1, place->world.arena,
                                &mandate->receipt, NULL, NULL),
                   COLLEGA_OK);
  judgement = judge(place, proof, NULL);
  expect_against(&judgement, RULE_proof_receipt_origin);
  mandate->receipt = kept;
}

static void a_mandate_known_only_after_the_decision_does_not_count(void **state) {
  struct place *place = *state;
  struct agreement_world *world = &place->world;
  Collega__Run *late = make_mandate(&world->lender, "C. Laat", "directeur", 0,
                                    AGREEMENT_NOW - DAY_MS, 0, world->arena);
  world->lender_mandate = first_id(late, world->arena);
  agreement_add_member(world, late, AGREEMENT_NOW + DAY_MS);
  struct proof_judgement judgement = judge(place, simple(place, NULL), NULL);
  expect_against(&judgement, RULE_proof_mandate_late);
}

static void an_ended_mandate_does_not_cover(void **state) {
  struct place *place = *state;
  struct agreement_world *world = &place->world;
  Collega__Run *end = make_mandate_end(&world->lender, &world->lender_mandate,
                                       AGREEMENT_NOW - DAY_MS, world->arena);
  agreement_add_member(world, end, AGREEMENT_NOW - DAY_MS);
  struct proof_judgement judgement = judge(place, simple(place, NULL), NULL);
  expect_against(&judgement, RULE_mandate_over);
}

/* The proposer dates its proposal before the end, as it may; the decision was after it. */
static void a_mandate_that_ended_before_the_decision_does_not_cover(void **state) {
  struct place *place = *state;
  struct agreement_world *world = &place->world;
  Collega__Proof *before = simple(place, NULL);
  struct run_view view;
  assert_int_equal(run_read(before->deals[0]->header, world->arena, &view, NULL), COLLEGA_OK);
  const Collega__DealHeader *header = view.records[0].body->deal;
  assert_int_equal(run_read(before->deals[0]->decision, world->arena, &view, NULL), COLLEGA_OK);
  collega_time decided = view.records[0].body->decision->time;
  assert_true(header->time < decided);
  collega_time end = header->time + (decided - header->time) / 2;
  Collega__Run *run = make_mandate_end(&world->lender, &world->lender_mandate, end, world->arena);
  agreement_add_member(world, run, end);
  struct proof_judgement judgement = judge(place, simple(place, NULL), NULL);
  expect_against(&judgement, RULE_mandate_over);
}

static void a_mandate_that_ends_later_takes_nothing_back(void **state) {
  struct place *place = *state;
  struct agreement_world *world = &place->world;
  /* Dated back by its author; what counts is when the broker receipted it. */
  Collega__Run *end = make_mandate_end(&world->lender, &world->lender_mandate,
                                       AGREEMENT_NOW - 5 * DAY_MS, world->arena);
  agreement_add_member(world, end, AGREEMENT_NOW + DAY_MS);
  struct proof_judgement judgement = judge(place, simple(place, NULL), NULL);
  assert_true(judgement.valid);
}

static void a_revoked_party_does_not_sign(void **state) {
  struct place *place = *state;
  struct agreement_world *world = &place->world;
  Collega__Run *revocation = make_revocation(&world->broker, identity_party(world->lender.identity),
                                             5, AGREEMENT_NOW - DAY_MS, world->arena);
  agreement_add_member(world, revocation, AGREEMENT_NOW - DAY_MS);
  struct proof_judgement judgement = judge(place, simple(place, NULL), NULL);
  expect_against(&judgement, RULE_proof_revoked);
}

static void a_later_revocation_leaves_the_agreement_valid(void **state) {
  struct place *place = *state;
  struct agreement_world *world = &place->world;
  Collega__Run *revocation = make_revocation(&world->broker, identity_party(world->lender.identity),
                                             50, AGREEMENT_NOW + DAY_MS, world->arena);
  agreement_add_member(world, revocation, AGREEMENT_NOW + DAY_MS);
  struct proof_judgement judgement = judge(place, simple(place, NULL), NULL);
  expect_valid(&judgement);
}

static void strangers_repeats_and_other_records_do_not_belong(void **state) {
  struct place *place = *state;
  struct agreement_world *world = &place->world;
  Collega__Receipted *added = agreement_add_member(
      world, person_card(&world->stranger, 0, world->arena), AGREEMENT_NOW - DAY_MS);
  Collega__Proof *proof = simple(place, NULL);
  struct proof_judgement judgement = judge(place, proof, NULL);
  expect_against(&judgement, RULE_proof_stranger);
  added->run = world->members[5]->run;
  judgement = judge(place, proof, NULL);
  expect_against(&judgement, RULE_proof_twice);
  added->run = make_statuses(&world->lender, 1, world->arena);
  judgement = judge(place, proof, NULL);
  expect_against(&judgement, RULE_proof_kind);
}

static void a_certificate_of_another_broker_is_not_believed(void **state) {
  struct place *place = *state;
  struct agreement_world *world = &place->world;
  Collega__Run *own =
      make_cert(&world->lender, identity_party(world->lender.identity), "Nep BV", "11111111",
                AGREEMENT_NOW - DAY_MS, AGREEMENT_NOW + DAY_MS, world->arena);
  agreement_add_member(world, own, AGREEMENT_NOW - DAY_MS);
  struct proof_judgement judgement = judge(place, simple(place, NULL), NULL);
  expect_against(&judgement, RULE_members_issuer);
}

static void keys_that_rotated_are_followed(void **state) {
  struct place *place = *state;
  struct agreement_world *world = &place->world;
  assert_int_equal(identity_rotate(world->lender.identity, &world->lender.epoch,
                                   ++world->lender.seq, AGREEMENT_NOW - DAY_MS, NULL),
                   COLLEGA_OK);
  Collega__Receipted *card = agreement_add_member(
      world, person_card(&world->lender, 1, world->arena), AGREEMENT_NOW - DAY_MS);
  Collega__Proof *proof = simple(place, NULL);
  struct proof_judgement judgement = judge(place, proof, NULL);
  expect_valid(&judgement);
  struct id id = first_id(card->run, world->arena);
  assert_int_equal(receipt_sign(world->broker.identity, &world->broker.epoch, 99,
                                AGREEMENT_NOW + DAY_MS, &id, 1, world->arena, &card->receipt, NULL,
                                NULL),
                   COLLEGA_OK);
  judgement = judge(place, proof, NULL);
  expect_against(&judgement, RULE_proof_card_late);
  proof->n_members--;
  judgement = judge(place, proof, NULL);
  expect_against(&judgement, RULE_card_unknown);
}

static void the_maker_of_the_file_may_not_contradict_it(void **state) {
  struct place *place = *state;
  struct agreement_world *world = &place->world;
  Collega__Proof *proof = simple(place, NULL);
  struct proof_judgement judgement = judge(place, proof, NULL);
  assert_true(found(&judgement, RULE_proof_name_unsigned, false));
  proof->made = AGREEMENT_NOW - DAY_MS;
  judgement = judge(place, proof, NULL);
  expect_against(&judgement, RULE_proof_made);

  Collega__Run *own =
      make_cert(&world->broker, identity_party(world->broker.identity), "ACE West-Brabant",
                "22222222", AGREEMENT_NOW - DAY_MS, AGREEMENT_NOW + DAY_MS, world->arena);
  agreement_add_member(world, own, AGREEMENT_NOW - DAY_MS);
  proof = simple(place, NULL);
  judgement = judge(place, proof, NULL);
  expect_valid(&judgement);
  assert_false(found(&judgement, RULE_proof_name_unsigned, false));
  proof->decider_name = "Belastingdienst";
  judgement = judge(place, proof, NULL);
  expect_against(&judgement, RULE_proof_name);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, clear_place)
int main(void) {
  if (bytes_start(NULL) != COLLEGA_OK) return 1;
  const struct CMUnitTest tests[] = {
      TEST(an_honest_agreement_is_valid),
      TEST(amendment_and_termination_are_judged_with_it),
      TEST(the_fingerprint_decides_about_trust),
      TEST(a_completely_forged_world_is_consistent_and_not_trusted),
      TEST(sections_may_be_hidden),
      TEST(without_a_mandate_the_holder_of_the_key_has_signed),
      TEST(every_changed_byte_is_found),
      TEST(no_changed_bit_of_what_was_signed_survives_a_new_hash),
      TEST(other_files_are_no_proofs),
      cmocka_unit_test(a_bent_agreement_is_named),
      cmocka_unit_test(a_bent_amendment_is_named),
      cmocka_unit_test(a_bent_termination_is_named),
      TEST(half_a_termination_is_named),
      TEST(a_left_out_amendment_breaks_the_chain),
      TEST(terms_of_another_agreement_do_not_fit),
      TEST(parts_in_the_wrong_place_are_named),
      TEST(a_signature_by_another_key_is_named),
      TEST(a_missing_card_certificate_or_mandate_is_named),
      TEST(receipts_are_needed_and_must_be_the_deciders),
      TEST(a_mandate_known_only_after_the_decision_does_not_count),
      TEST(an_ended_mandate_does_not_cover),
      TEST(a_revoked_party_does_not_sign),
      TEST(a_mandate_that_ended_before_the_decision_does_not_cover),
      TEST(a_mandate_that_ends_later_takes_nothing_back),
      TEST(a_later_revocation_leaves_the_agreement_valid),
      TEST(strangers_repeats_and_other_records_do_not_belong),
      TEST(a_certificate_of_another_broker_is_not_believed),
      TEST(keys_that_rotated_are_followed),
      TEST(the_maker_of_the_file_may_not_contradict_it),
  };
  return cmocka_run_group_tests_name("proof", tests, NULL, NULL);
}
