/* libcollega as a stranger links it: only what the public header says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <collega/collega.h>

#include "proto/proof.h"
#include "tests/support/agreement.h"

struct place {
  struct agreement_world world;
  struct agreement agreement;
  struct bytes file;
  char fingerprint[FINGERPRINT_BYTES];
};

static int make_place(void **state) {
  struct place *place = calloc(1, sizeof *place);
  agreement_world_make(&place->world, 30);
  agreement_conclude(&place->world, &place->agreement, NULL);
  struct agreement *deals[] = {&place->agreement};
  place->file = proof_pack(agreement_proof(&place->world, deals, 1), place->world.arena);
  fingerprint_write(place->fingerprint, identity_party(place->world.broker.identity));
  *state = place;
  return 0;
}

static int clear_place(void **state) {
  struct place *place = *state;
  agreement_world_clear(&place->world);
  free(place);
  return 0;
}

static struct collega_judgement *judge(const struct place *place, const char *trusted) {
  struct collega_judgement *judgement = NULL;
  assert_int_equal(collega_proof_judge(place->file.data, place->file.length, &trusted,
                                       trusted ? 1 : 0, &judgement),
                   0);
  assert_non_null(judgement);
  return judgement;
}

static void an_honest_proof_is_consistent_and_trusted_when_its_network_is(void **state) {
  const struct place *place = *state;
  struct collega_judgement *judgement = judge(place, NULL);
  assert_int_equal(collega_judgement_verdict(judgement), COLLEGA_VERDICT_CONSISTENT);
  assert_string_equal(collega_judgement_fingerprint(judgement), place->fingerprint);
  collega_judgement_destroy(&judgement);
  assert_null(judgement);
  judgement = judge(place, place->fingerprint);
  assert_int_equal(collega_judgement_verdict(judgement), COLLEGA_VERDICT_TRUSTED);
  collega_judgement_destroy(&judgement);
}

static void it_says_what_was_agreed_and_by_whom(void **state) {
  const struct place *place = *state;
  struct collega_judgement *judgement = judge(place, NULL);
  assert_int_equal(collega_judgement_headcount(judgement), 12);
  assert_true(collega_judgement_from(judgement) > 0);
  assert_true(collega_judgement_until(judgement) >= collega_judgement_from(judgement));
  assert_true(collega_judgement_concluded(judgement) > AGREEMENT_NOW);
  assert_int_equal(strlen(collega_judgement_kvk(judgement, COLLEGA_SIDE_LENDER)), 8);
  assert_string_not_equal(collega_judgement_name(judgement, COLLEGA_SIDE_LENDER),
                          collega_judgement_name(judgement, COLLEGA_SIDE_BORROWER));
  assert_true(strlen(collega_judgement_signatory(judgement, COLLEGA_SIDE_BORROWER)) > 0);
  collega_judgement_destroy(&judgement);
}

static void what_is_no_proof_says_so_in_both_languages(void **state) {
  (void)state;
  static const char *const files[] = {"", "x", "collega-proof-1\n"};
  for (size_t i = 0; i < 3; ++i) {
    struct collega_judgement *judgement = NULL;
    int against = 0;
    assert_int_equal(collega_proof_judge(files[i], strlen(files[i]), NULL, 0, &judgement), 0);
    assert_int_equal(collega_judgement_verdict(judgement), COLLEGA_VERDICT_NO_PROOF);
    assert_int_equal(collega_judgement_finding_count(judgement), 1);
    const char *english =
        collega_judgement_finding(judgement, 0, COLLEGA_LANGUAGE_ENGLISH, &against);
    assert_int_equal(against, 1);
    assert_string_not_equal(english,
                            collega_judgement_finding(judgement, 0, COLLEGA_LANGUAGE_DUTCH, NULL));
    assert_null(collega_judgement_finding(judgement, 1, COLLEGA_LANGUAGE_DUTCH, NULL));
    collega_judgement_destroy(&judgement);
  }
}

static void a_changed_proof_gives_nothing_to_rely_on(void **state) {
  const struct place *place = *state;
  uint8_t *copy = malloc(place->file.length);
  for (size_t at = 0; at < place->file.length; at += 97) {
    memcpy(copy, place->file.data, place->file.length);
    copy[at] ^= 4;
    struct collega_judgement *judgement = NULL;
    assert_int_equal(collega_proof_judge(copy, place->file.length, NULL, 0, &judgement), 0);
    assert_true(collega_judgement_verdict(judgement) < COLLEGA_VERDICT_CONSISTENT);
    assert_int_equal(collega_judgement_headcount(judgement), 0);
    assert_true(collega_judgement_finding_count(judgement) > 0);
    collega_judgement_destroy(&judgement);
  }
  free(copy);
}

static void the_version_is_told(void **state) {
  (void)state;
  assert_non_null(strchr(collega_version(), '.'));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, clear_place)
int main(void) {
  struct collega_error error;
  if (bytes_start(&error) != COLLEGA_OK) return 1;
  const struct CMUnitTest tests[] = {
      TEST(an_honest_proof_is_consistent_and_trusted_when_its_network_is),
      TEST(it_says_what_was_agreed_and_by_whom),
      TEST(what_is_no_proof_says_so_in_both_languages),
      TEST(a_changed_proof_gives_nothing_to_rely_on),
      TEST(the_version_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
