/* Letters: sealed, opened by recipient and sender, and by nobody else; envelopes that were changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/guard.h"
#include "proto/letter.h"
#include "proto/limits.h"
#include "proto/tree.h"
#include "tests/support/people.h"

#define NOW INT64_C(1800000000000)

struct place {
  struct arena *arena;
  struct members *members;
  struct person from, to, other;
  Collega__Letter letter;
  Collega__Run *runs[1];
};

static const struct id *party_of(const struct person *person) {
  return identity_party(person->identity);
}

static int make_place(void **state) {
  struct place *place = calloc(1, sizeof *place);
  place->arena = arena_new(65536, 0x10000000);
  place->members = members_new(NULL, NULL);
  person_make(&place->from, 1, NOW);
  person_make(&place->to, 2, NOW);
  person_make(&place->other, 3, NOW);
  struct person *people[] = {&place->from, &place->to, &place->other};
  for (size_t i = 0; i < 3; i++) {
    if (take_run(place->members, person_card(people[i], 0, place->arena), NULL, NULL, place->arena))
      return -1;
  }
  place->runs[0] = make_statuses(&place->from, 1, place->arena);
  collega__letter__init(&place->letter);
  set_field(&place->letter.from, party_of(&place->from)->byte, 32);
  set_field(&place->letter.to, party_of(&place->to)->byte, 32);
  set_field(&place->letter.epoch, place->from.epoch.byte, 8);
  place->letter.seq = 17;
  place->letter.runs = place->runs;
  place->letter.n_runs = 1;
  *state = place;
  return 0;
}

static int clear_place(void **state) {
  struct place *place = *state;
  members_destroy(&place->members);
  arena_destroy(&place->arena);
  person_clear(&place->from);
  person_clear(&place->to);
  person_clear(&place->other);
  free(place);
  return 0;
}

static Collega__Envelope *sealed(struct place *place, bool copy) {
  struct bytes packed;
  assert_int_equal(letter_seal(place->from.identity,
                               members_find(place->members, party_of(&place->to)), &place->letter,
                               copy, NOW + DAY_MS, place->arena, &packed, NULL),
                   COLLEGA_OK);
  const Collega__Envelope *envelope = NULL;
  assert_int_equal(envelope_read(packed, place->arena, &envelope, NULL), COLLEGA_OK);
  return (Collega__Envelope *)envelope;
}

static enum collega_status open_by(struct place *place, const struct person *person,
                                   const Collega__Envelope *envelope, enum rule *rule) {
  const Collega__Letter *letter = NULL;
  struct collega_error error;
  error_clear(&error);
  enum collega_status status =
      letter_open(person->identity, place->members, envelope, place->arena, &letter, &error);
  if (rule) *rule = error.rule;
  if (status == COLLEGA_OK) {
    struct bytes one = message_pack(&letter->base, place->arena);
    struct bytes two = message_pack(&place->letter.base, place->arena);
    assert_true(bytes_equal(one, two));
  }
  return status;
}

static void the_recipient_opens_what_the_sender_sealed(void **state) {
  struct place *place = *state;
  Collega__Envelope *envelope = sealed(place, false);
  assert_int_equal(envelope->not_after, NOW + DAY_MS);
  assert_false(envelope->has_copy);
  assert_int_equal(open_by(place, &place->to, envelope, NULL), COLLEGA_OK);
}

static void only_recipient_and_sender_open_it(void **state) {
  struct place *place = *state;
  enum rule rule;
  Collega__Envelope *envelope = sealed(place, false);
  assert_int_equal(open_by(place, &place->other, envelope, &rule), COLLEGA_REFUSED);
  assert_int_equal(rule, RULE_letter_not_ours);
  assert_int_equal(open_by(place, &place->from, envelope, &rule), COLLEGA_REFUSED); /* no copy */
  envelope = sealed(place, true);
  assert_int_equal(open_by(place, &place->from, envelope, NULL), COLLEGA_OK);
  assert_int_equal(open_by(place, &place->to, envelope, NULL), COLLEGA_OK);
  /* Somebody who readdresses the envelope has not the key. */
  set_field(&envelope->to, party_of(&place->other)->byte, 32);
  assert_int_equal(open_by(place, &place->other, envelope, &rule), COLLEGA_FORGED);
  assert_int_equal(rule, RULE_letter_seal);
}

static void a_changed_envelope_does_not_fit_its_letter(void **state) {
  struct place *place = *state;
  enum rule rule;
  Collega__Envelope *envelope = sealed(place, false);
  uint8_t epoch[8] = {9};
  ProtobufCBinaryData kept = envelope->from;
  set_field(&envelope->from, party_of(&place->other)->byte, 32);
  assert_int_equal(open_by(place, &place->to, envelope, &rule), COLLEGA_FORGED);
  assert_int_equal(rule, RULE_letter_envelope);
  envelope->from = kept;
  envelope->seq++;
  assert_int_equal(open_by(place, &place->to, envelope, &rule), COLLEGA_FORGED);
  assert_int_equal(rule, RULE_letter_envelope);
  envelope->seq--;
  set_field(&envelope->epoch, epoch, 8);
  assert_int_equal(open_by(place, &place->to, envelope, &rule), COLLEGA_FORGED);
  assert_int_equal(rule, RULE_letter_envelope);
  set_field(&envelope->epoch, place->from.epoch.byte, 8);
  envelope->sealed_to = 1;
  assert_int_equal(open_by(place, &place->to, envelope, &rule), COLLEGA_FORGED);
  assert_int_equal(rule, RULE_letter_seal);
}

/* A letter for one recipient, resealed by that recipient for another: the inside still says to whom. */
static void a_letter_cannot_be_passed_on_as_if_to_another(void **state) {
  struct place *place = *state;
  Collega__Envelope *envelope = sealed(place, false);
  uint8_t *plain = arena_take(place->arena, envelope->sealed.len);
  size_t length = 0;
  assert_true(identity_unseal(place->to.identity, 0,
                              bytes_of(envelope->sealed.data, envelope->sealed.len), plain,
                              &length));
  assert_int_equal(crypto_box_seal(envelope->sealed.data, plain, length,
                                   identity_public(place->other.identity)->sealing),
                   0);
  set_field(&envelope->to, party_of(&place->other)->byte, 32);
  enum rule rule;
  assert_int_equal(open_by(place, &place->other, envelope, &rule), COLLEGA_FORGED);
  assert_int_equal(rule, RULE_letter_envelope);
}

/* Sealed by somebody who puts another's name inside and out. */
static void a_letter_in_anothers_name_has_no_fitting_signature(void **state) {
  struct place *place = *state;
  struct bytes packed = message_pack(&place->letter.base, place->arena);
  struct id id, root;
  uint8_t signature[64];
  hash_one(&id, "collega/letter/1", packed.data, packed.length);
  tree_leaf(&root, id.byte, 32);
  identity_sign(place->other.identity, PURPOSE_LETTER, 1, &root, signature);
  Collega__SignedLetter outer = COLLEGA__SIGNED_LETTER__INIT;
  set_field(&outer.letter, packed.data, packed.length);
  set_field(&outer.signature, signature, 64);
  struct bytes whole = message_pack(&outer.base, place->arena);
  uint8_t plain[1024 - crypto_box_SEALBYTES] = {0};
  memcpy(plain, whole.data, whole.length);
  plain[whole.length] = 0x80;
  Collega__Envelope *envelope = sealed(place, false);
  assert_int_equal(envelope->sealed.len, 1024);
  crypto_box_seal(envelope->sealed.data, plain, sizeof plain,
                  identity_public(place->to.identity)->sealing);
  enum rule rule;
  assert_int_equal(open_by(place, &place->to, envelope, &rule), COLLEGA_FORGED);
  assert_int_equal(rule, RULE_letter_signature);
}

static void an_unknown_sender_is_not_found(void **state) {
  struct place *place = *state;
  Collega__Envelope *envelope = sealed(place, false);
  members_forget(place->members, party_of(&place->from));
  enum rule rule;
  assert_int_equal(open_by(place, &place->to, envelope, &rule), COLLEGA_NOT_FOUND);
  assert_int_equal(rule, RULE_party_unknown);
}

static void every_changed_byte_of_the_box_is_found(void **state) {
  struct place *place = *state;
  Collega__Envelope *envelope = sealed(place, false);
  for (size_t i = 0; i < envelope->sealed.len; i++) {
    envelope->sealed.data[i] ^= (uint8_t)(1u << i % 8);
    assert_int_equal(open_by(place, &place->to, envelope, NULL), COLLEGA_FORGED);
    envelope->sealed.data[i] ^= (uint8_t)(1u << i % 8);
  }
  envelope->sealed.len--;
  assert_int_equal(open_by(place, &place->to, envelope, NULL), COLLEGA_INVALID);
  envelope->sealed.len = 512;
  assert_int_equal(open_by(place, &place->to, envelope, NULL), COLLEGA_INVALID);
}

static void a_truncated_envelope_is_refused(void **state) {
  struct place *place = *state;
  struct bytes packed;
  assert_int_equal(letter_seal(place->from.identity,
                               members_find(place->members, party_of(&place->to)), &place->letter,
                               true, NOW, place->arena, &packed, NULL),
                   COLLEGA_OK);
  const Collega__Envelope *envelope = NULL;
  for (size_t length = 0; length < packed.length; length += 11) {
    enum collega_status status =
        envelope_read(bytes_of(packed.data, length), place->arena, &envelope, NULL);
    assert_int_equal(status, COLLEGA_INVALID);
  }
}

static void sealed_mail_is_a_power_of_two_long(void **state) {
  struct place *place = *state;
  char text[4096];
  Collega__Talk talk = COLLEGA__TALK__INIT;
  uint8_t thread[32] = {1};
  set_field(&talk.thread, thread, 32);
  talk.text = text;
  size_t before = 0, sizes = 0;
  for (size_t length = 1; length < 4096; length += 41) {
    memset(text, 'x', length);
    text[length] = '\0';
    Collega__Body body;
    person_body(&place->from, &body);
    body.type = COLLEGA__BODY_TYPE__BODY_TYPE_TALK;
    body.talk = &talk;
    place->runs[0] = person_sign(&place->from, &body, place->arena);
    Collega__Envelope *envelope = sealed(place, true);
    assert_int_equal(envelope->sealed.len & (envelope->sealed.len - 1), 0);
    assert_int_equal(envelope->sealed.len, envelope->copy.len);
    assert_true(envelope->sealed.len >= 1024 && envelope->sealed.len >= before);
    if (envelope->sealed.len > before) sizes++;
    before = envelope->sealed.len;
    assert_int_equal(open_by(place, &place->to, envelope, NULL), COLLEGA_OK);
  }
  assert_int_equal(sizes, 4); /* 1, 2, 4 and 8 KiB */
}

static void the_newest_card_is_sealed_to_and_the_old_one_still_opens(void **state) {
  struct place *place = *state;
  Collega__Envelope *old = sealed(place, false);
  struct person *to = &place->to;
  assert_int_equal(identity_rotate(to->identity, &to->epoch, ++to->seq, NOW, NULL), COLLEGA_OK);
  assert_int_equal(
      take_run(place->members, person_card(to, 1, place->arena), NULL, NULL, place->arena),
      COLLEGA_OK);
  Collega__Envelope *fresh = sealed(place, false);
  assert_int_equal(old->sealed_to, 0);
  assert_int_equal(fresh->sealed_to, 1);
  assert_int_equal(open_by(place, to, old, NULL), COLLEGA_OK);
  assert_int_equal(open_by(place, to, fresh, NULL), COLLEGA_OK);
}

static void what_is_too_large_is_refused_in_words(void **state) {
  struct place *place = *state;
  Collega__Section sections[8], *list[8];
  static uint8_t content[65536];
  Collega__SaltedTerms terms = COLLEGA__SALTED_TERMS__INIT;
  for (size_t i = 0; i < 8; i++) {
    collega__section__init(&sections[i]);
    sections[i].kind = (Collega__SectionKind)(i + 1);
    sections[i].has_content = 1;
    set_field(&sections[i].content, content, sizeof content);
    list[i] = &sections[i];
  }
  terms.sections = list;
  terms.n_sections = 8;
  place->letter.terms = &terms;
  struct bytes packed;
  struct collega_error error;
  assert_int_equal(letter_seal(place->from.identity,
                               members_find(place->members, party_of(&place->to)), &place->letter,
                               false, NOW, place->arena, &packed, &error),
                   COLLEGA_INVALID);
  assert_int_equal(error.rule, RULE_letter_too_large);
}

static void a_letter_must_name_its_own_sender_and_recipient(void **state) {
  struct place *place = *state;
  struct bytes packed;
  set_field(&place->letter.to, party_of(&place->other)->byte, 32);
  assert_int_equal(letter_seal(place->from.identity,
                               members_find(place->members, party_of(&place->to)), &place->letter,
                               false, NOW, place->arena, &packed, NULL),
                   COLLEGA_INVALID);
}

static void the_envelope_hash_covers_all_its_bytes(void **state) {
  (void)state;
  struct id one, two, expected;
  uint8_t bytes[] = {1, 2, 3};
  envelope_hash(&one, bytes_of(bytes, 3));
  hash_one(&expected, "collega/envelope/1", bytes, 3);
  assert_memory_equal(one.byte, expected.byte, 32);
  bytes[2] ^= 1;
  envelope_hash(&two, bytes_of(bytes, 3));
  assert_memory_not_equal(one.byte, two.byte, 32);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, clear_place)
int main(void) {
  if (bytes_start(NULL) != COLLEGA_OK) return 1;
  const struct CMUnitTest tests[] = {
      TEST(the_recipient_opens_what_the_sender_sealed),
      TEST(only_recipient_and_sender_open_it),
      TEST(a_changed_envelope_does_not_fit_its_letter),
      TEST(a_letter_cannot_be_passed_on_as_if_to_another),
      TEST(a_letter_in_anothers_name_has_no_fitting_signature),
      TEST(an_unknown_sender_is_not_found),
      TEST(every_changed_byte_of_the_box_is_found),
      TEST(a_truncated_envelope_is_refused),
      TEST(sealed_mail_is_a_power_of_two_long),
      TEST(the_newest_card_is_sealed_to_and_the_old_one_still_opens),
      TEST(what_is_too_large_is_refused_in_words),
      TEST(a_letter_must_name_its_own_sender_and_recipient),
      TEST(the_envelope_hash_covers_all_its_bytes),
  };
  return cmocka_run_group_tests_name("letter", tests, NULL, NULL);
}
