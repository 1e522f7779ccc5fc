/* Records of class members behind their subject, and the loader that gives them to
 * proto/members. */
#include "home.h"
#include <stdlib.h>
#include <string.h>

static const struct epoch epoch = {{1, 2, 3, 4, 5, 6, 7, 8}};

static struct identity *new_identity(void) {
  char recovery[RECOVERY_TEXT_BYTES];
  struct identity *identity = NULL;
  must(identity_create(false, &epoch, 1, TEST_TIME, recovery, &identity, &error));
  return identity;
}

static void put_run(struct ledger_txn *txn, struct bytes packed,
                    const struct receipt_position *position) {
  struct arena *arena = arena_new(4096, 1 << 20);
  struct run_view view;
  struct id subject;
  must(run_read_bytes(packed, arena, &view, &error));
  assert_ptr_equal(member_subject(view.records[0].body, &subject), view.records[0].body);
  must(ledger_member_put(txn, &subject, view.run, position, &error));
  arena_destroy(&arena);
}

static Collega__Run *sign_mandate(const struct identity *identity, uint64_t seq,
                                  struct arena *arena) {
  Collega__Mandate mandate = COLLEGA__MANDATE__INIT;
  mandate.person = "J. de Vries";
  mandate.function = "directeur";
  mandate.valid_from = TEST_TIME;
  Collega__Body body;
  body_init(&body, identity_party(identity), &epoch, seq);
  body.type = COLLEGA__BODY_TYPE__BODY_TYPE_MANDATE;
  body.mandate = &mandate;
  size_t size = collega__body__get_packed_size(&body);
  uint8_t *packed = arena_take(arena, size);
  collega__body__pack(&body, packed);
  const struct bytes bytes = bytes_of(packed, size);
  Collega__Run *run = NULL;
  must(run_sign(identity, &bytes, 1, arena, &run, &error));
  return run;
}

static void what_is_stored_is_known_again(void **state) {
  struct test_home *home = *state;
  struct identity *identity = new_identity();
  const struct id *party = identity_party(identity);
  struct arena *arena = arena_new(4096, 1 << 20);
  Collega__Run *mandate = sign_mandate(identity, 2, arena);
  const struct receipt_position position = {
      .origin = test_id(9), .epoch = epoch, .seq = 77, .time = TEST_TIME + 5};
  struct ledger_txn *txn = test_write(home);
  put_run(txn, identity_card_run(identity, 0), NULL);
  must(ledger_member_put(txn, party, mandate, &position, &error));
  test_commit(txn);
  home_reopen(home);

  txn = test_read(home);
  struct members *members = members_new(ledger_members_loader, &txn);
  const struct known_party *known = members_find(members, party);
  assert_non_null(known);
  assert_int_equal(known->card_count, 1);
  assert_memory_equal(known->cards[0].keys.signing, identity_public(identity)->signing, 32);
  assert_int_equal(known->mandate_count, 1);
  assert_string_equal(known->mandates[0].person, "J. de Vries");
  assert_true(id_equal(&known->mandates[0].anchor.origin, &position.origin));
  assert_memory_equal(known->mandates[0].anchor.epoch.byte, epoch.byte, EPOCH_BYTES);
  assert_int_equal(known->mandates[0].anchor.seq, 77);
  assert_true(known->mandates[0].anchor.time == TEST_TIME + 5);
  struct id record;
  record_id(&record, bytes_of(mandate->bodies[0].data, mandate->bodies[0].len));
  assert_non_null(known_party_mandate(known, &record));

  const struct id stranger = test_id(5);
  assert_null(members_find(members, &stranger));
  members_destroy(&members);
  ledger_abort(&txn);
  arena_destroy(&arena);
  identity_destroy(&identity);
}

static void a_loader_reads_the_transaction_of_the_moment(void **state) {
  struct test_home *home = *state;
  struct identity *identity = new_identity();
  struct ledger_txn *txn = test_read(home);
  struct members *members = members_new(ledger_members_loader, &txn);
  assert_null(members_find(members, identity_party(identity)));
  ledger_abort(&txn);
  txn = test_write(home);
  put_run(txn, identity_card_run(identity, 0), NULL);
  test_commit(txn);
  txn = test_read(home);
  assert_non_null(members_find(members, identity_party(identity)));
  members_destroy(&members);
  ledger_abort(&txn);
  identity_destroy(&identity);
}

static size_t row_length(struct ledger_txn *txn, const struct id *party) {
  struct bytes value;
  must(table_get(txn, TABLE_PARTIES, bytes_of(party->byte, ID_BYTES), &value, &error));
  return value.length;
}

static void a_duplicate_adds_nothing_but_the_position_that_was_missing(void **state) {
  struct identity *identity = new_identity();
  const struct id *party = identity_party(identity);
  const struct receipt_position position = {
      .origin = test_id(9), .epoch = epoch, .seq = 4, .time = TEST_TIME};
  struct ledger_txn *txn = test_write(*state);
  put_run(txn, identity_card_run(identity, 0), NULL);
  size_t bare = row_length(txn, party);
  put_run(txn, identity_card_run(identity, 0), NULL);
  assert_int_equal(row_length(txn, party), bare);
  put_run(txn, identity_card_run(identity, 0), &position);
  size_t placed = row_length(txn, party);
  assert_true(placed > bare && placed < bare + 80);
  struct receipt_position later = position;
  later.seq = UINT64_MAX; /* would be longer; the first position stands */
  put_run(txn, identity_card_run(identity, 0), &later);
  assert_int_equal(row_length(txn, party), placed);
  ledger_abort(&txn);
  identity_destroy(&identity);
}

static void a_record_that_no_longer_verifies_is_left_out(void **state) {
  struct identity *identity = new_identity(), *other = new_identity();
  const struct id *party = identity_party(identity);
  struct arena *arena = arena_new(4096, 1 << 20);
  struct ledger_txn *txn = test_write(*state);
  put_run(txn, identity_card_run(identity, 0), NULL);
  Collega__Run *forged = sign_mandate(identity, 2, arena);
  forged->signature.data[3] ^= 1;
  must(ledger_member_put(txn, party, forged, NULL, &error));
  Collega__Run *genuine = sign_mandate(identity, 3, arena);
  must(ledger_member_put(txn, party, genuine, NULL, &error));
  struct members *members = members_new(ledger_members_loader, &txn);
  const struct known_party *known = members_find(members, party);
  assert_non_null(known);
  assert_int_equal(known->mandate_count, 1);
  assert_null(members_find(members, identity_party(other)));
  members_destroy(&members);
  ledger_abort(&txn);
  arena_destroy(&arena);
  identity_destroy(&identity);
  identity_destroy(&other);
}

static void the_subject_is_whom_the_record_is_about(void **state) {
  (void)state;
  struct id author = test_id(1), about = test_id(2), subject;
  Collega__Body body;
  const ProtobufCBinaryData party = {ID_BYTES, about.byte};
  Collega__MemberCert cert = COLLEGA__MEMBER_CERT__INIT;
  Collega__Revocation revocation = COLLEGA__REVOCATION__INIT;
  Collega__MandateEnd end = COLLEGA__MANDATE_END__INIT;
  Collega__EpochStart start = COLLEGA__EPOCH_START__INIT;
  Collega__OfferStatus offer_status = COLLEGA__OFFER_STATUS__INIT;
  cert.party = revocation.party = party;

  body_init(&body, &author, &epoch, 1);
  body.cert = &cert;
  assert_non_null(member_subject(&body, &subject));
  assert_true(id_equal(&subject, &about));
  body_init(&body, &author, &epoch, 1);
  body.revocation = &revocation;
  assert_non_null(member_subject(&body, &subject));
  assert_true(id_equal(&subject, &about));
  body_init(&body, &author, &epoch, 1);
  body.mandate_end = &end;
  assert_non_null(member_subject(&body, &subject));
  assert_true(id_equal(&subject, &author));
  body_init(&body, &author, &epoch, 1);
  body.epoch_start = &start;
  assert_non_null(member_subject(&body, &subject));
  assert_true(id_equal(&subject, &author));
  body_init(&body, &author, &epoch, 1);
  body.status = &offer_status;
  assert_null(member_subject(&body, &subject));
}

#define WITH_HOME(test) cmocka_unit_test_setup_teardown(test, home_setup, home_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_HOME(what_is_stored_is_known_again),
      WITH_HOME(a_loader_reads_the_transaction_of_the_moment),
      WITH_HOME(a_duplicate_adds_nothing_but_the_position_that_was_missing),
      WITH_HOME(a_record_that_no_longer_verifies_is_left_out),
      WITH_HOME(the_subject_is_whom_the_record_is_about),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
