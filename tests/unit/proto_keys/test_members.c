/* Members: chains of cards, recovery, mandates, certificates, revocations, the loader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/people.h"

#define NOW INT64_C(1800000000000)

struct place {
  struct arena *arena;
  struct members *members;
  struct person employer, broker;
};

static int make_place(void **state) {
  struct place *place = calloc(1, sizeof *place);
  place->arena = arena_new(65536, 0x10000000);
  place->members = members_new(NULL, NULL);
  person_make(&place->employer, 1, NOW);
  person_make(&place->broker, 2, NOW);
  *state = place;
  return 0;
}

static int clear_place(void **state) {
  struct place *place = *state;
  members_destroy(&place->members);
  arena_destroy(&place->arena);
  person_clear(&place->employer);
  person_clear(&place->broker);
  free(place);
  return 0;
}

static const struct id *party_of(const struct person *person) {
  return identity_party(person->identity);
}

static enum collega_status take(struct place *place, const Collega__Run *run, enum rule *rule) {
  return take_run(place->members, run, NULL, rule, place->arena);
}

static enum collega_status take_card(struct place *place, const struct person *person,
                                     uint32_t number) {
  return take(place, person_card(person, number, place->arena), NULL);
}

static void rotate(struct person *person) {
  assert_int_equal(identity_rotate(person->identity, &person->epoch, ++person->seq, NOW, NULL),
                   COLLEGA_OK);
}

static void recover(struct person *person, uint8_t number) {
  char text[RECOVERY_TEXT_BYTES];
  assert_int_equal(identity_recover(person->identity, person_recovery_text(number, text),
                                    &person->epoch, ++person->seq, NOW, NULL),
                   COLLEGA_OK);
}

static void a_first_card_makes_a_party_known(void **state) {
  struct place *place = *state;
  assert_null(members_find(place->members, party_of(&place->employer)));
  assert_int_equal(take_card(place, &place->employer, 0), COLLEGA_OK);
  const struct known_party *party = members_find(place->members, party_of(&place->employer));
  assert_non_null(party);
  assert_int_equal(party->card_count, 1);
  assert_memory_equal(&party->cards[0].keys, identity_public(place->employer.identity),
                      sizeof party->cards[0].keys);
  assert_int_equal(take_card(place, &place->employer, 0), COLLEGA_OK);
  assert_int_equal(members_find(place->members, party_of(&place->employer))->card_count, 1);
}

static void a_card_that_does_not_hash_to_its_party_is_forged(void **state) {
  struct place *place = *state;
  /* The thief's keys under the employer's name, signed by the thief. */
  const struct public_keys *keys = identity_public(place->broker.identity);
  Collega__NodeCard card = COLLEGA__NODE_CARD__INIT;
  set_field(&card.party, party_of(&place->employer)->byte, 32);
  set_field(&card.signing_key, keys->signing, 32);
  set_field(&card.sealing_key, keys->sealing, 32);
  set_field(&card.recovery_key, keys->link, 32);
  Collega__Body body;
  person_body(&place->broker, &body);
  set_field(&body.author, party_of(&place->employer)->byte, 32);
  body.type = COLLEGA__BODY_TYPE__BODY_TYPE_CARD;
  body.card = &card;
  Collega__Run *run = person_sign(&place->broker, &body, place->arena);
  set_field(&run->signer, party_of(&place->employer)->byte, 32);
  enum rule rule;
  assert_int_equal(take(place, run, &rule), COLLEGA_FORGED);
  assert_int_equal(rule, RULE_card_first);
  assert_null(members_find(place->members, party_of(&place->employer)));
}

static void a_chain_of_cards_is_followed_in_order(void **state) {
  struct place *place = *state;
  rotate(&place->employer);
  rotate(&place->employer);
  assert_int_equal(take_card(place, &place->employer, 1), COLLEGA_NOT_FOUND);
  assert_int_equal(take_card(place, &place->employer, 0), COLLEGA_OK);
  assert_int_equal(take_card(place, &place->employer, 2), COLLEGA_NOT_FOUND);
  assert_int_equal(take_card(place, &place->employer, 1), COLLEGA_OK);
  assert_int_equal(take_card(place, &place->employer, 2), COLLEGA_OK);
  uint8_t key[32];
  assert_int_equal(members_signing_key(place->members, party_of(&place->employer), 2, key, NULL),
                   COLLEGA_OK);
  assert_memory_equal(key, identity_public(place->employer.identity)->signing, 32);
  assert_int_equal(members_signing_key(place->members, party_of(&place->employer), 3, key, NULL),
                   COLLEGA_NOT_FOUND);
  assert_int_equal(members_signing_key(place->members, party_of(&place->broker), 0, key, NULL),
                   COLLEGA_NOT_FOUND);
}

static void a_second_card_of_the_same_number_is_refused(void **state) {
  struct place *place = *state;
  struct person thief;
  person_make(&thief, 1, NOW); /* holds the same first secrets */
  rotate(&place->employer);
  rotate(&thief);
  assert_int_equal(take_card(place, &place->employer, 0), COLLEGA_OK);
  assert_int_equal(take_card(place, &place->employer, 1), COLLEGA_OK);
  enum rule rule;
  assert_int_equal(take(place, person_card(&thief, 1, place->arena), &rule), COLLEGA_REFUSED);
  assert_int_equal(rule, RULE_card_conflict);
  person_clear(&thief);
}

/* A card's place in the broker's log. */
static struct receipt_position at(struct place *place, uint64_t seq) {
  return (struct receipt_position){
      .origin = *party_of(&place->broker), .seq = seq, .time = NOW + (collega_time)seq};
}

static enum collega_status take_at(struct place *place, const Collega__Run *run, uint64_t seq) {
  const struct receipt_position anchor = at(place, seq);
  return take_run(place->members, run, &anchor, NULL, place->arena);
}

static enum collega_status verify_at(struct place *place, const Collega__Run *run, uint64_t seq) {
  struct run_view view;
  const struct receipt_position anchor = at(place, seq);
  assert_int_equal(run_read(run, place->arena, &view, NULL), COLLEGA_OK);
  return members_verify_anchored(place->members, &view, seq ? &anchor : NULL, NULL, NULL);
}

static void the_recovery_key_beats_a_thief(void **state) {
  struct place *place = *state;
  struct person thief;
  person_make(&thief, 1, NOW);
  rotate(&thief);
  rotate(&thief);
  assert_int_equal(take_card(place, &thief, 0), COLLEGA_OK);
  assert_int_equal(take_card(place, &thief, 1), COLLEGA_OK);
  assert_int_equal(take_card(place, &thief, 2), COLLEGA_OK);
  Collega__Run *fraud = make_mandate(&thief, "T. Hief", "directeur", 0, NOW, 0, place->arena);
  assert_int_equal(take(place, fraud, NULL), COLLEGA_OK);

  recover(&place->employer, 1);
  assert_int_equal(take_at(place, person_card(&place->employer, 1, place->arena), 9), COLLEGA_OK);

  const struct known_party *party = members_find(place->members, party_of(&place->employer));
  assert_int_equal(party->card_count, 2);
  assert_true(party->cards[1].recovered);
  assert_memory_equal(party->cards[1].keys.signing,
                      identity_public(place->employer.identity)->signing, 32);
  /* What the thief made is known for what was anchored before, and good for nothing after that. */
  assert_int_equal(party->replaced_count, 2);
  assert_int_equal(party->mandate_count, 1);
  assert_true(party->mandates[0].replaced);
  assert_int_equal(party->mandates[0].ended, NOW + 9);
  enum rule rule;
  assert_int_equal(take(place, person_card(&thief, 1, place->arena), &rule), COLLEGA_OK);
  assert_int_equal(take(place, person_card(&thief, 2, place->arena), &rule), COLLEGA_OK);
  assert_int_equal(party->replaced_count, 2);
  Collega__Run *late = make_mandate(&thief, "T. Hief", "later", 0, NOW, 0, place->arena);
  assert_int_equal(take(place, late, &rule), COLLEGA_NOT_FOUND); /* its card is no more */
  assert_int_equal(take_at(place, late, 10), COLLEGA_NOT_FOUND);
  assert_int_equal(take_at(place, late, 8), COLLEGA_OK);
  party = members_find(place->members, party_of(&place->employer));
  assert_int_equal(party->mandates[1].ended, NOW + 9);
  rotate(&thief); /* and once more, from what was put aside */
  assert_int_equal(take(place, person_card(&thief, 3, place->arena), &rule), COLLEGA_OK);
  assert_int_equal(members_find(place->members, party_of(&place->employer))->card_count, 2);
  person_clear(&thief);
}

/* The same cards in any order, with receipts that come with them or later, give the same. */
static void what_a_replaced_card_signed_before_stays_valid_in_whatever_order_it_comes(
    void **state) {
  struct place *place = *state;
  struct person lost;
  person_make(&lost, 1, NOW);
  rotate(&lost);
  rotate(&lost);
  Collega__Run *before = make_mandate(&lost, "A. Snijder", "planner", 0, NOW, 0, place->arena);
  recover(&place->employer, 1);
  Collega__Run *recovered = person_card(&place->employer, 1, place->arena),
               *mine =
                   make_mandate(&place->employer, "B. Nieuw", "directeur", 0, NOW, 0, place->arena),
               *cards[] = {person_card(&lost, 0, place->arena), person_card(&lost, 1, place->arena),
                           person_card(&lost, 2, place->arena), recovered};
  static const struct {
    uint8_t order[4];
    bool receipts_later;
  } CASES[] = {{{0, 1, 2, 3}, false},
               {{0, 3, 1, 2}, false},
               {{0, 1, 3, 2}, false},
               {{0, 3, 1, 2}, true},
               {{0, 1, 2, 3}, true}};
  static const uint64_t seqs[] = {1, 2, 3, 7};
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    members_forget(place->members, party_of(&place->employer));
    for (size_t j = 0; j < 4; j++) {
      const size_t card = CASES[i].order[j];
      assert_int_equal(CASES[i].receipts_later ? take(place, cards[card], NULL)
                                               : take_at(place, cards[card], seqs[card]),
                       COLLEGA_OK);
    }
    for (size_t card = 0; card < 4; card++)
      assert_int_equal(take_at(place, cards[card], seqs[card]), COLLEGA_OK);
    assert_int_equal(verify_at(place, before, 6), COLLEGA_OK);
    assert_int_equal(verify_at(place, before, 0), COLLEGA_OK); /* whenever it was */
    assert_int_not_equal(verify_at(place, before, 7), COLLEGA_OK);
    assert_int_not_equal(verify_at(place, before, 8), COLLEGA_OK);
    assert_int_equal(verify_at(place, mine, 8), COLLEGA_OK);
    assert_int_equal(take_at(place, before, 6), COLLEGA_OK);
    const struct known_party *party = members_find(place->members, party_of(&place->employer));
    assert_int_equal(party->card_count, 2);
    assert_int_equal(party->replaced_count, 2);
    assert_int_equal(party->mandates[0].ended, NOW + 7);
  }
  person_clear(&lost);
}

/* Of two cards that nobody's recovery key has signed the first one stands, replaced or not. */
static void a_stranger_cannot_be_put_aside_into_a_party(void **state) {
  struct place *place = *state;
  struct person other;
  person_make(&other, 3, NOW);
  rotate(&other);
  recover(&place->employer, 1);
  assert_int_equal(take_card(place, &place->employer, 0), COLLEGA_OK);
  assert_int_equal(take_card(place, &place->employer, 1), COLLEGA_OK);
  /* The card of somebody else, with this party's name and predecessor on it. */
  struct id first = first_id(person_card(&place->employer, 0, place->arena), place->arena);
  const struct public_keys *keys = identity_public(other.identity);
  struct run_view view;
  assert_int_equal(
      run_read(person_card(&place->employer, 0, place->arena), place->arena, &view, NULL),
      COLLEGA_OK);
  Collega__NodeCard card = *view.records[0].body->card;
  card.number = 1;
  set_field(&card.signing_key, keys->signing, 32);
  card.has_previous = 1;
  set_field(&card.previous, first.byte, 32);
  Collega__Body body;
  person_body(&place->employer, &body);
  body.type = COLLEGA__BODY_TYPE__BODY_TYPE_CARD;
  body.card = &card;
  Collega__Run *forged = person_sign(&place->employer, &body, place->arena);
  forged->key_epoch = 0; /* signed with card 1, and says card 0 */
  assert_int_equal(take(place, forged, NULL), COLLEGA_FORGED);
  assert_int_equal(members_find(place->members, party_of(&place->employer))->replaced_count, 0);
  person_clear(&other);
}

static void a_recovered_card_is_not_replaced_by_another_recovery(void **state) {
  struct place *place = *state;
  struct person twin;
  person_make(&twin, 1, NOW);
  recover(&place->employer, 1);
  recover(&twin, 1);
  assert_int_equal(take_card(place, &place->employer, 0), COLLEGA_OK);
  assert_int_equal(take_card(place, &place->employer, 1), COLLEGA_OK);
  assert_int_equal(take_card(place, &twin, 1), COLLEGA_REFUSED);
  person_clear(&twin);
}

static void a_card_may_not_change_the_recovery_key(void **state) {
  struct place *place = *state;
  assert_int_equal(take_card(place, &place->employer, 0), COLLEGA_OK);
  const struct public_keys *keys = identity_public(place->broker.identity);
  struct id first = first_id(person_card(&place->employer, 0, place->arena), place->arena);
  Collega__NodeCard card = COLLEGA__NODE_CARD__INIT;
  set_field(&card.party, party_of(&place->employer)->byte, 32);
  card.number = 1;
  set_field(&card.signing_key, keys->signing, 32);
  set_field(&card.sealing_key, keys->sealing, 32);
  set_field(&card.recovery_key, keys->link, 32);
  card.has_previous = 1;
  set_field(&card.previous, first.byte, 32);
  Collega__Body body;
  person_body(&place->employer, &body);
  body.type = COLLEGA__BODY_TYPE__BODY_TYPE_CARD;
  body.card = &card;
  enum rule rule;
  assert_int_equal(take(place, person_sign(&place->employer, &body, place->arena), &rule),
                   COLLEGA_FORGED);
  assert_int_equal(rule, RULE_card_chain);
}

static void a_mandate_covers_what_it_says(void **state) {
  struct place *place = *state;
  assert_int_equal(take_card(place, &place->employer, 0), COLLEGA_OK);
  Collega__Run *run = make_mandate(&place->employer, "A. Snijder", "directeur", 10, NOW,
                                   NOW + 10 * DAY_MS, place->arena);
  struct id mandate = first_id(run, place->arena), unknown = {{1}};
  assert_int_equal(take(place, run, NULL), COLLEGA_OK);
  const struct known_party *party = members_find(place->members, party_of(&place->employer));
  struct collega_error error;
  assert_int_equal(known_mandate_covers(party, &mandate, NOW, 10, &error), COLLEGA_OK);
  assert_int_equal(known_mandate_covers(party, &unknown, NOW, 10, &error), COLLEGA_REFUSED);
  assert_int_equal(error.rule, RULE_mandate_unknown);
  assert_int_equal(known_mandate_covers(party, &mandate, NOW - 1, 10, &error), COLLEGA_REFUSED);
  assert_int_equal(error.rule, RULE_mandate_not_yet);
  assert_int_equal(known_mandate_covers(party, &mandate, NOW + 10 * DAY_MS, 10, &error),
                   COLLEGA_REFUSED);
  assert_int_equal(error.rule, RULE_mandate_over);
  assert_int_equal(known_mandate_covers(party, &mandate, NOW, 11, &error), COLLEGA_REFUSED);
  assert_int_equal(error.rule, RULE_mandate_limit);
}

static void a_mandate_ends_no_earlier_than_its_end_was_received(void **state) {
  struct place *place = *state;
  assert_int_equal(take_card(place, &place->employer, 0), COLLEGA_OK);
  Collega__Run *run =
      make_mandate(&place->employer, "A. Snijder", "directeur", 0, NOW, 0, place->arena);
  struct id mandate = first_id(run, place->arena);
  assert_int_equal(take(place, run, NULL), COLLEGA_OK);
  struct receipt_position anchor = {.origin = {{1}}, .seq = 5, .time = NOW + 3 * DAY_MS};
  Collega__Run *end = make_mandate_end(&place->employer, &mandate, NOW + DAY_MS, place->arena);
  assert_int_equal(take_run(place->members, end, &anchor, NULL, place->arena), COLLEGA_OK);
  const struct known_party *party = members_find(place->members, party_of(&place->employer));
  assert_int_equal(known_mandate_covers(party, &mandate, NOW + 2 * DAY_MS, 1, NULL), COLLEGA_OK);
  struct collega_error error;
  assert_int_equal(known_mandate_covers(party, &mandate, NOW + 3 * DAY_MS, 1, &error),
                   COLLEGA_REFUSED);
  assert_int_equal(error.rule, RULE_mandate_over);
}

static void a_missing_anchor_is_filled_in_once(void **state) {
  struct place *place = *state;
  assert_int_equal(take_card(place, &place->employer, 0), COLLEGA_OK);
  Collega__Run *run =
      make_mandate(&place->employer, "A. Snijder", "directeur", 0, NOW, 0, place->arena);
  struct receipt_position one = {.origin = {{1}}, .seq = 5}, two = {.origin = {{1}}, .seq = 6};
  assert_int_equal(take(place, run, NULL), COLLEGA_OK);
  assert_int_equal(take_run(place->members, run, &one, NULL, place->arena), COLLEGA_OK);
  assert_int_equal(take_run(place->members, run, &two, NULL, place->arena), COLLEGA_OK);
  const struct known_party *party = members_find(place->members, party_of(&place->employer));
  assert_int_equal(party->mandate_count, 1);
  assert_int_equal(party->mandates[0].anchor.seq, 5);
}

static void certificates_come_from_issuers_only(void **state) {
  struct place *place = *state;
  assert_int_equal(take_card(place, &place->employer, 0), COLLEGA_OK);
  assert_int_equal(take_card(place, &place->broker, 0), COLLEGA_OK);
  Collega__Run *own = make_cert(&place->employer, party_of(&place->employer), "Nep BV", "12345678",
                                NOW, NOW + DAY_MS, place->arena);
  struct run_view view = view_of(own, place->arena);
  struct collega_error error;
  assert_int_equal(
      members_take(place->members, &view, 0, NULL, party_of(&place->broker), 1, &error),
      COLLEGA_REFUSED);
  assert_int_equal(error.rule, RULE_members_issuer);
  Collega__Run *real = make_cert(&place->broker, party_of(&place->employer), "Snijder BV",
                                 "12345678", NOW, NOW + DAY_MS, place->arena);
  view = view_of(real, place->arena);
  assert_int_equal(
      members_take(place->members, &view, 0, NULL, party_of(&place->broker), 1, &error),
      COLLEGA_OK);
  const struct known_party *party = members_find(place->members, party_of(&place->employer));
  assert_string_equal(known_party_name(party), "Snijder BV");
  assert_string_equal(known_party_kvk(party), "12345678");
  assert_int_equal(strlen(known_party_name(members_find(place->members, party_of(&place->broker)))),
                   19);
}

static void the_certificate_of_a_time_is_found_among_renewals(void **state) {
  struct place *place = *state;
  const struct id *broker = party_of(&place->broker);
  assert_int_equal(take_card(place, &place->employer, 0), COLLEGA_OK);
  assert_int_equal(take_card(place, &place->broker, 0), COLLEGA_OK);
  for (int i = 0; i < 12; i++) {
    int year = i * 5 % 12; /* out of order */
    Collega__Run *run =
        make_cert(&place->broker, party_of(&place->employer), "Snijder BV", "12345678",
                  NOW + year * DAY_MS, NOW + (year + 1) * DAY_MS, place->arena);
    assert_int_equal(take(place, run, NULL), COLLEGA_OK);
    assert_int_equal(take(place, run, NULL), COLLEGA_OK);
  }
  const struct known_party *party = members_find(place->members, party_of(&place->employer));
  assert_int_equal(party->cert_count, CERTS_KEPT);
  assert_int_equal(party->certs[0].valid_from, NOW + 11 * DAY_MS);
  const struct known_cert *cert = known_party_cert(party, broker, NOW + 9 * DAY_MS + 5);
  assert_non_null(cert);
  assert_int_equal(cert->valid_from, NOW + 9 * DAY_MS);
  assert_null(known_party_cert(party, broker, NOW + 12 * DAY_MS));
  assert_null(known_party_cert(party, party_of(&place->employer), NOW + 9 * DAY_MS));
  assert_non_null(known_party_cert(party, NULL, NOW + 9 * DAY_MS));
}

static void a_revocation_keeps_the_last_valid_position(void **state) {
  struct place *place = *state;
  const struct id *party_id_ = party_of(&place->employer);
  assert_int_equal(take_card(place, &place->employer, 0), COLLEGA_OK);
  assert_int_equal(take_card(place, &place->broker, 0), COLLEGA_OK);
  assert_false(members_find(place->members, party_id_)->revoked);
  assert_int_equal(
      take(place, make_revocation(&place->broker, party_id_, 40, NOW, place->arena), NULL),
      COLLEGA_OK);
  assert_int_equal(
      take(place, make_revocation(&place->broker, party_id_, 60, NOW, place->arena), NULL),
      COLLEGA_OK);
  const struct known_party *party = members_find(place->members, party_id_);
  assert_true(party->revoked);
  assert_int_equal(party->revoked_at.seq, 40);
  assert_true(id_equal(&party->revoked_at.origin, party_of(&place->broker)));
  assert_int_equal(
      take(place, make_revocation(&place->broker, party_id_, 30, NOW, place->arena), NULL),
      COLLEGA_OK);
  assert_int_equal(members_find(place->members, party_id_)->revoked_at.seq, 30);
}

static void a_record_of_an_unknown_signer_is_not_taken(void **state) {
  struct place *place = *state;
  Collega__Run *run =
      make_mandate(&place->employer, "A. Snijder", "directeur", 0, NOW, 0, place->arena);
  enum rule rule;
  assert_int_equal(take(place, run, &rule), COLLEGA_NOT_FOUND);
  assert_int_equal(rule, RULE_party_unknown);
  assert_int_equal(take_card(place, &place->employer, 0), COLLEGA_OK);
  run->signature.data[5] ^= 1;
  assert_int_equal(take(place, run, &rule), COLLEGA_FORGED);
}

static void other_records_are_not_of_this_class(void **state) {
  struct place *place = *state;
  enum rule rule;
  assert_int_equal(take_card(place, &place->employer, 0), COLLEGA_OK);
  assert_int_equal(take(place, make_statuses(&place->employer, 1, place->arena), &rule),
                   COLLEGA_INVALID);
  assert_int_equal(rule, RULE_members_class);
}

/* ---- the loader */

struct shelf {
  struct place *place;
  size_t calls;
  bool broken;
};

static enum collega_status load(void *context, struct members *members, const struct id *party,
                                struct collega_error *error) {
  struct shelf *shelf = context;
  struct place *place = shelf->place;
  shelf->calls++;
  if (shelf->broken) return error_set(error, COLLEGA_SYSTEM, RULE_NONE, NULL, NULL);
  const struct person *people[] = {&place->employer, &place->broker};
  for (size_t i = 0; i < 2; i++) {
    if (!id_equal(party, party_of(people[i]))) continue;
    if (take_run(members, person_card(people[i], 0, place->arena), NULL, NULL, place->arena))
      return COLLEGA_DAMAGED;
    if (i == 1) continue;
    Collega__Run *cert =
        make_cert(&place->broker, party, "Snijder BV", "12345678", NOW, NOW + 1, place->arena);
    if (take_run(members, cert, NULL, NULL, place->arena)) return COLLEGA_DAMAGED;
  }
  return COLLEGA_OK;
}

static void a_party_is_loaded_when_it_is_asked_for(void **state) {
  struct place *place = *state;
  struct shelf shelf = {.place = place};
  struct members *members = members_new(load, &shelf);
  const struct known_party *party = members_find(members, party_of(&place->employer));
  assert_non_null(party);
  assert_string_equal(known_party_name(party), "Snijder BV");
  assert_int_equal(shelf.calls, 2); /* the employer, and the broker for the certificate */
  assert_ptr_equal(members_find(members, party_of(&place->employer)), party);
  assert_int_equal(shelf.calls, 2);
  members_forget(members, party_of(&place->employer));
  assert_non_null(members_find(members, party_of(&place->employer)));
  assert_int_equal(shelf.calls, 3);
  members_destroy(&members);
  assert_null(members);
}

static void strangers_are_asked_for_again_and_not_remembered(void **state) {
  struct place *place = *state;
  struct shelf shelf = {.place = place};
  struct members *members = members_new(load, &shelf);
  struct id stranger = {{77}};
  assert_null(members_find(members, &stranger));
  assert_null(members_find(members, &stranger));
  assert_int_equal(shelf.calls, 2);
  members_destroy(&members);
}

static void a_loader_that_fails_leaves_nothing_behind(void **state) {
  struct place *place = *state;
  struct shelf shelf = {.place = place, .broken = true};
  struct members *members = members_new(load, &shelf);
  uint8_t key[32];
  assert_int_equal(members_signing_key(members, party_of(&place->employer), 0, key, NULL),
                   COLLEGA_SYSTEM);
  shelf.broken = false;
  assert_int_equal(members_signing_key(members, party_of(&place->employer), 0, key, NULL),
                   COLLEGA_OK);
  members_destroy(&members);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, clear_place)
int main(void) {
  if (bytes_start(NULL) != COLLEGA_OK) return 1;
  const struct CMUnitTest tests[] = {
      TEST(a_first_card_makes_a_party_known),
      TEST(a_card_that_does_not_hash_to_its_party_is_forged),
      TEST(a_chain_of_cards_is_followed_in_order),
      TEST(a_second_card_of_the_same_number_is_refused),
      TEST(the_recovery_key_beats_a_thief),
      TEST(what_a_replaced_card_signed_before_stays_valid_in_whatever_order_it_comes),
      TEST(a_stranger_cannot_be_put_aside_into_a_party),
      TEST(a_recovered_card_is_not_replaced_by_another_recovery),
      TEST(a_card_may_not_change_the_recovery_key),
      TEST(a_mandate_covers_what_it_says),
      TEST(a_mandate_ends_no_earlier_than_its_end_was_received),
      TEST(a_missing_anchor_is_filled_in_once),
      TEST(certificates_come_from_issuers_only),
      TEST(the_certificate_of_a_time_is_found_among_renewals),
      TEST(a_revocation_keeps_the_last_valid_position),
      TEST(a_record_of_an_unknown_signer_is_not_taken),
      TEST(other_records_are_not_of_this_class),
      TEST(a_party_is_loaded_when_it_is_asked_for),
      TEST(strangers_are_asked_for_again_and_not_remembered),
      TEST(a_loader_that_fails_leaves_nothing_behind),
  };
  return cmocka_run_group_tests_name("members", tests, NULL, NULL);
}
