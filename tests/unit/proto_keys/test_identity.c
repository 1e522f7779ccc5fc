/* Identities: made, rotated, recovered, saved, loaded, damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/process/process.h"
#include "proto/guard.h"
#include "proto/limits.h"
#include "tests/support/people.h"

#define NOW INT64_C(1800000000000)

struct place {
  char directory[64];
  char file[96];
  struct person person;
};

static int make_place(void **state) {
  struct place *place = calloc(1, sizeof *place);
  strcpy(place->directory, "/tmp/collega-identity-XXXXXX");
  if (!mkdtemp(place->directory)) return -1;
  snprintf(place->file, sizeof place->file, "%s/identity", place->directory);
  person_make(&place->person, 1, NOW);
  *state = place;
  return 0;
}

static int clear_place(void **state) {
  struct place *place = *state;
  person_clear(&place->person);
  unlink(place->file);
  rmdir(place->directory);
  free(place);
  return 0;
}

static void load(const struct place *place, struct identity **out) {
  assert_int_equal(identity_load(place->directory, out, NULL), COLLEGA_OK);
}

static void save(const struct place *place) {
  assert_int_equal(identity_save(place->person.identity, place->directory, NULL), COLLEGA_OK);
}

static void the_party_id_binds_first_signing_key_and_recovery_key(void **state) {
  struct place *place = *state;
  uint8_t both[64], recovery_seed[32], secret[64];
  struct id expected;
  memset(recovery_seed, 129, sizeof recovery_seed);
  memcpy(both, identity_public(place->person.identity)->signing, 32);
  crypto_sign_seed_keypair(both + 32, secret, recovery_seed);
  crypto_generichash(expected.byte, 32, both, 64, NULL, 0);
  assert_memory_equal(identity_party(place->person.identity)->byte, expected.byte, 32);
}

static void what_was_saved_is_loaded(void **state) {
  struct place *place = *state;
  struct person *person = &place->person;
  assert_int_equal(identity_rotate(person->identity, &person->epoch, ++person->seq, NOW + 5, NULL),
                   COLLEGA_OK);
  save(place);
  struct stat status;
  assert_int_equal(stat(place->file, &status), 0);
  assert_int_equal(status.st_mode & 0777, 0600);
  struct identity *loaded = NULL;
  load(place, &loaded);
  assert_true(id_equal(identity_party(loaded), identity_party(person->identity)));
  assert_int_equal(identity_card_number(loaded), 1);
  assert_memory_equal(identity_public(loaded)->signing, identity_public(person->identity)->signing,
                      32);
  assert_memory_equal(identity_link_secret(loaded), identity_link_secret(person->identity), 32);
  assert_true(bytes_equal(identity_card_run(loaded, 0), identity_card_run(person->identity, 0)));
  assert_true(bytes_equal(identity_card_run(loaded, 1), identity_card_run(person->identity, 1)));
  assert_int_equal(identity_card_run(loaded, 2).length, 0);
  uint8_t one[64], two[64];
  struct id root = {{3}};
  identity_sign(person->identity, PURPOSE_HEAD, 7, &root, one);
  identity_sign(loaded, PURPOSE_HEAD, 7, &root, two);
  assert_memory_equal(one, two, 64);
  identity_destroy(&loaded);
}

static void the_recovery_secret_is_not_in_the_file(void **state) {
  struct place *place = *state;
  char text[RECOVERY_TEXT_BYTES];
  struct identity *fresh = NULL;
  assert_int_equal(identity_create(true, &place->person.epoch, 1, NOW, text, &fresh, NULL),
                   COLLEGA_OK);
  assert_int_equal(strlen(text), RECOVERY_TEXT_BYTES - 1);
  assert_int_equal(identity_save(fresh, place->directory, NULL), COLLEGA_OK);
  struct buffer file;
  buffer_init(&file, 0);
  assert_int_equal(file_read(place->file, 1 << 20, &file, NULL), COLLEGA_OK);
  char group[9] = {0};
  memcpy(group, text, 8);
  assert_null(strstr(buffer_text(&file), group));
  buffer_free(&file);
  identity_destroy(&fresh);
}

static void a_changed_character_of_the_file_is_found(void **state) {
  struct place *place = *state;
  save(place);
  struct buffer file;
  buffer_init(&file, 0);
  assert_int_equal(file_read(place->file, 1 << 20, &file, NULL), COLLEGA_OK);
  for (size_t i = 0; i < file.length; i += 3) {
    uint8_t kept = file.data[i];
    file.data[i] = kept == '0' ? '1' : '0';
    assert_int_equal(file_write(place->file, file.data, file.length, 0600, NULL), COLLEGA_OK);
    struct identity *loaded = NULL;
    struct collega_error error;
    assert_int_equal(identity_load(place->directory, &loaded, &error), COLLEGA_DAMAGED);
    assert_int_equal(error.rule, RULE_identity_damaged);
    assert_null(loaded);
    file.data[i] = kept;
  }
  for (size_t length = 0; length < file.length; length += 7) {
    assert_int_equal(file_write(place->file, file.data, length, 0600, NULL), COLLEGA_OK);
    struct identity *loaded = NULL;
    assert_int_equal(identity_load(place->directory, &loaded, NULL), COLLEGA_DAMAGED);
  }
  buffer_free(&file);
}

static void a_missing_file_is_not_a_damaged_one(void **state) {
  struct place *place = *state;
  struct identity *loaded = NULL;
  enum collega_status status = identity_load(place->directory, &loaded, NULL);
  assert_int_not_equal(status, COLLEGA_OK);
  assert_int_not_equal(status, COLLEGA_DAMAGED);
  assert_null(loaded);
}

static void the_recovery_key_makes_the_next_card(void **state) {
  struct place *place = *state;
  struct person *person = &place->person;
  char text[RECOVERY_TEXT_BYTES];
  struct collega_error error;
  assert_int_equal(identity_recover(person->identity, "nonsense", &person->epoch, 2, NOW, &error),
                   COLLEGA_INVALID);
  assert_int_equal(error.rule, RULE_recovery_text);
  person_recovery_text(2, text);
  assert_int_equal(identity_recover(person->identity, text, &person->epoch, 2, NOW, &error),
                   COLLEGA_REFUSED);
  assert_int_equal(error.rule, RULE_recovery_other);
  assert_int_equal(identity_card_number(person->identity), 0);
  person_recovery_text(1, text);
  for (char *at = text; *at; at++) {
    if (*at == ' ') *at = '-';
  }
  assert_int_equal(identity_recover(person->identity, text, &person->epoch, 2, NOW, NULL),
                   COLLEGA_OK);
  assert_int_equal(identity_card_number(person->identity), 1);
  save(place);
  struct identity *loaded = NULL;
  load(place, &loaded);
  identity_destroy(&loaded);
}

static void an_old_unsealing_key_dies_with_its_mail(void **state) {
  struct place *place = *state;
  struct person *person = &place->person;
  uint8_t sealed[16 + crypto_box_SEALBYTES], plain[sizeof sealed];
  size_t length;
  crypto_box_seal(sealed, (const uint8_t *)"sixteen bytes ..", 16,
                  identity_public(person->identity)->sealing);
  struct bytes box = bytes_of(sealed, sizeof sealed);
  assert_int_equal(identity_rotate(person->identity, &person->epoch, 2, NOW, NULL), COLLEGA_OK);
  assert_int_equal(identity_expire(person->identity, NOW + MAIL_LIFETIME_MS), 0);
  assert_true(identity_unseal(person->identity, 0, box, plain, &length));
  assert_int_equal(length, 16);
  assert_memory_equal(plain, "sixteen bytes ..", 16);
  assert_false(identity_unseal(person->identity, 1, box, plain, &length));
  assert_int_equal(identity_expire(person->identity, NOW + MAIL_LIFETIME_MS + 1), 1);
  assert_false(identity_unseal(person->identity, 0, box, plain, &length));
  save(place);
  struct identity *loaded = NULL;
  load(place, &loaded);
  assert_false(identity_unseal(loaded, 0, box, plain, &length));
  assert_true(identity_card_run(loaded, 0).length > 0);
  identity_destroy(&loaded);
}

static void a_signature_fits_only_what_was_signed(void **state) {
  struct place *place = *state;
  const struct identity *identity = place->person.identity;
  const struct id *party = identity_party(identity);
  const uint8_t *key = identity_public(identity)->signing;
  struct id root = {{1}}, other = {{2}};
  uint8_t signature[64];
  identity_sign(identity, PURPOSE_RECORD, 3, &root, signature);
  assert_true(signature_verify(key, PURPOSE_RECORD, party, 3, &root, signature));
  assert_false(signature_verify(key, PURPOSE_RECEIPT, party, 3, &root, signature));
  assert_false(signature_verify(key, PURPOSE_RECORD, &other, 3, &root, signature));
  assert_false(signature_verify(key, PURPOSE_RECORD, party, 4, &root, signature));
  assert_false(signature_verify(key, PURPOSE_RECORD, party, 3, &other, signature));
  signature[63] ^= 0x10;
  assert_false(signature_verify(key, PURPOSE_RECORD, party, 3, &root, signature));
}

static void fingerprints_are_read_as_people_write_them(void **state) {
  struct place *place = *state;
  const struct id *party = identity_party(place->person.identity);
  char text[FINGERPRINT_BYTES], long_text[65], other[FINGERPRINT_BYTES];
  fingerprint_write(text, party);
  assert_int_equal(strlen(text), 39);
  assert_true(fingerprint_fits(text, party));
  hex_write(long_text, party->byte, 32);
  assert_true(fingerprint_fits(long_text, party));
  for (char *at = long_text; *at; at++) {
    if (*at >= 'a') *at = (char)(*at - 32);
  }
  assert_true(fingerprint_fits(long_text, party));
  strcpy(other, text);
  for (char *at = other; *at; at++) {
    if (*at == ' ') *at = ':';
  }
  assert_true(fingerprint_fits(other, party));
  other[0] = other[0] == '0' ? '1' : '0';
  assert_false(fingerprint_fits(other, party));
  long_text[63] = '\0';
  assert_false(fingerprint_fits(long_text, party));
  long_text[30] = '\0';
  assert_false(fingerprint_fits(long_text, party));
  assert_false(fingerprint_fits("", party));
  assert_false(fingerprint_fits("xyz", party));
  /* What is no fingerprint is told apart from one of somebody else. */
  assert_true(fingerprint_valid(text));
  assert_true(fingerprint_valid(other));
  assert_false(fingerprint_valid(""));
  assert_false(fingerprint_valid("a173"));
  text[38] = '\0'; /* an odd number of digits */
  assert_false(fingerprint_valid(text));
  text[38] = 'g';
  assert_false(fingerprint_valid(text));
}

static void the_recovery_key_goes_on_from_cards_alone(void **state) {
  struct place *place = *state;
  struct person *person = &place->person, other;
  struct bytes cards[3], wrong[3];
  struct identity *known = NULL;
  struct collega_error error;
  char text[RECOVERY_TEXT_BYTES];
  person_make(&other, 3, NOW);
  for (int i = 0; i < 2; i++)
    assert_int_equal(identity_rotate(person->identity, &person->epoch, ++person->seq, NOW, NULL),
                     COLLEGA_OK);
  for (uint32_t i = 0; i < 3; i++)
    cards[i] = identity_card_run(person->identity, i);
  assert_int_equal(identity_of_cards(cards, 3, &known, NULL), COLLEGA_OK);
  assert_memory_equal(identity_party(known)->byte, identity_party(person->identity)->byte, 32);
  assert_int_equal(identity_card_number(known), 2);
  assert_null(identity_link_secret_of(known, 2));
  assert_int_equal(
      identity_recover(known, person_recovery_text(3, text), &person->epoch, 9, NOW, &error),
      COLLEGA_REFUSED);
  assert_int_equal(error.rule, RULE_recovery_other);
  assert_int_equal(
      identity_recover(known, person_recovery_text(1, text), &person->epoch, 9, NOW, NULL),
      COLLEGA_OK);
  assert_int_equal(identity_card_number(known), 3);
  assert_true(identity_card_recovered(known, 3));
  assert_non_null(identity_link_secret_of(known, 3));
  identity_destroy(&known);
  /* Another order, a gap, somebody else's, a card without its content, less than a card, none. */
  const struct bytes theirs = identity_card_run(other.identity, 0);
  struct arena *arena = arena_new(65536, 1u << 20);
  Collega__Body hollow;
  person_body(person, &hollow);
  hollow.type = COLLEGA__BODY_TYPE__BODY_TYPE_CARD;
  const struct bytes empty = message_pack(&person_sign(person, &hollow, arena)->base, arena);
  const struct {
    struct bytes card[3];
    size_t count;
  } CASES[] = {{{cards[1], cards[0], cards[2]}, 3},
               {{cards[0], cards[2]}, 2},
               {{cards[0], theirs}, 2},
               {{theirs, cards[1]}, 2},
               {{cards[0], cards[0]}, 2},
               {{cards[0], empty}, 2},
               {{empty}, 1},
               {{bytes_of(cards[0].data, 20)}, 1},
               {{bytes_of(NULL, 0)}, 1},
               {{cards[0]}, 0}};
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    memcpy(wrong, CASES[i].card, sizeof wrong);
    assert_int_equal(identity_of_cards(wrong, CASES[i].count, &known, &error), COLLEGA_FORGED);
    assert_int_equal(error.rule, RULE_card_chain);
    assert_null(known);
  }
  arena_destroy(&arena);
  person_clear(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, clear_place)
int main(void) {
  if (bytes_start(NULL) != COLLEGA_OK) return 1;
  const struct CMUnitTest tests[] = {
      TEST(the_party_id_binds_first_signing_key_and_recovery_key),
      TEST(what_was_saved_is_loaded),
      TEST(the_recovery_secret_is_not_in_the_file),
      TEST(a_changed_character_of_the_file_is_found),
      TEST(a_missing_file_is_not_a_damaged_one),
      TEST(the_recovery_key_makes_the_next_card),
      TEST(an_old_unsealing_key_dies_with_its_mail),
      TEST(a_signature_fits_only_what_was_signed),
      TEST(the_recovery_key_goes_on_from_cards_alone),
      TEST(fingerprints_are_read_as_people_write_them),
  };
  return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
