/* Runs and receipts: signing, cutting, verifying, and what happens to every bit that is changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "proto/guard.h"
#include "proto/limits.h"
#include "proto/tree.h"
#include "tests/support/people.h"

#define NOW INT64_C(1800000000000)

struct place {
  struct arena *arena;
  struct person author, broker;
};

static int make_place(void **state) {
  struct place *place = calloc(1, sizeof *place);
  place->arena = arena_new(65536, 0x10000000);
  person_make(&place->author, 1, NOW);
  person_make(&place->broker, 2, NOW);
  *state = place;
  return 0;
}

static int clear_place(void **state) {
  struct place *place = *state;
  arena_destroy(&place->arena);
  person_clear(&place->author);
  person_clear(&place->broker);
  free(place);
  return 0;
}

static const uint8_t *key_of(const struct person *person) {
  return identity_public(person->identity)->signing;
}

static void a_signed_run_verifies_by_its_author_only(void **state) {
  struct place *place = *state;
  struct run_view view = view_of(make_statuses(&place->author, 5, place->arena), place->arena);
  assert_int_equal(view.count, 5);
  assert_int_equal(run_verify(&view, key_of(&place->author), NULL), COLLEGA_OK);
  assert_int_equal(run_verify(&view, key_of(&place->broker), NULL), COLLEGA_FORGED);
}

static void a_record_id_covers_tag_and_body(void **state) {
  struct place *place = *state;
  struct run_view view = view_of(make_statuses(&place->author, 1, place->arena), place->arena);
  struct id expected;
  hash_one(&expected, "collega/record/1", view.records[0].bytes.data, view.records[0].bytes.length);
  assert_memory_equal(view.records[0].id.byte, expected.byte, 32);
}

static void every_changed_bit_of_a_run_is_detected(void **state) {
  struct place *place = *state;
  struct run_view whole = view_of(make_statuses(&place->author, 6, place->arena), place->arena);
  const uint32_t positions[] = {1, 2, 4};
  Collega__Run *run = NULL;
  assert_int_equal(run_cut(&whole, positions, 3, place->arena, &run, NULL), COLLEGA_OK);
  struct bytes packed = message_pack(&run->base, place->arena);
  uint8_t *bytes = arena_copy(place->arena, packed.data, packed.length);
  struct arena *work = arena_new(65536, 0x1000000);
  struct members *members = members_new(NULL, NULL);
  assert_int_equal(
      take_run(members, person_card(&place->author, 0, place->arena), NULL, NULL, place->arena),
      COLLEGA_OK);
  for (size_t i = 0; i < 8 * packed.length; i++) {
    bytes[i / 8] ^= (uint8_t)(1u << i % 8);
    struct run_view view;
    enum collega_status status = run_read_bytes(bytes_of(bytes, packed.length), work, &view, NULL);
    if (status == COLLEGA_OK) status = members_verify_run(members, &view, NULL);
    assert_int_not_equal(status, COLLEGA_OK);
    bytes[i / 8] ^= (uint8_t)(1u << i % 8);
    arena_reset(work);
  }
  struct run_view view;
  assert_int_equal(run_read_bytes(bytes_of(bytes, packed.length), work, &view, NULL), COLLEGA_OK);
  assert_int_equal(members_verify_run(members, &view, NULL), COLLEGA_OK);
  members_destroy(&members);
  arena_destroy(&work);
}

static void every_single_record_of_a_run_stands_alone(void **state) {
  struct place *place = *state;
  for (size_t size = 1; size <= 9; size++) {
    struct run_view whole =
        view_of(make_statuses(&place->author, size, place->arena), place->arena);
    for (uint32_t i = 0; i < size; i++) {
      Collega__Run *run = NULL;
      assert_int_equal(run_cut(&whole, &i, 1, place->arena, &run, NULL), COLLEGA_OK);
      struct run_view one = view_of(run, place->arena);
      assert_int_equal(one.count, 1);
      assert_int_equal(one.records[0].leaf, i);
      assert_true(id_equal(&one.records[0].id, &whole.records[i].id));
      assert_int_equal(run_verify(&one, key_of(&place->author), NULL), COLLEGA_OK);
    }
  }
}

static void a_part_of_a_part_verifies(void **state) {
  struct place *place = *state;
  struct run_view whole = view_of(make_statuses(&place->author, 13, place->arena), place->arena);
  const uint32_t first[] = {0, 3, 4, 9, 12}, second[] = {1, 3};
  Collega__Run *run = NULL;
  assert_int_equal(run_cut(&whole, first, 5, place->arena, &run, NULL), COLLEGA_OK);
  struct run_view part = view_of(run, place->arena);
  assert_int_equal(run_cut(&part, second, 2, place->arena, &run, NULL), COLLEGA_OK);
  struct run_view last = view_of(run, place->arena);
  assert_int_equal(last.records[0].leaf, 3);
  assert_int_equal(last.records[1].leaf, 9);
  assert_int_equal(run_verify(&last, key_of(&place->author), NULL), COLLEGA_OK);
}

static void cutting_what_is_not_there_is_refused(void **state) {
  struct place *place = *state;
  struct run_view whole = view_of(make_statuses(&place->author, 4, place->arena), place->arena);
  const uint32_t outside[] = {1, 4}, backward[] = {2, 1};
  Collega__Run *run = NULL;
  assert_int_equal(run_cut(&whole, outside, 2, place->arena, &run, NULL), COLLEGA_INVALID);
  assert_int_equal(run_cut(&whole, backward, 2, place->arena, &run, NULL), COLLEGA_INVALID);
  assert_int_equal(run_cut(&whole, outside, 0, place->arena, &run, NULL), COLLEGA_INVALID);
}

static void a_run_whose_counts_do_not_fit_is_refused(void **state) {
  struct place *place = *state;
  struct run_view view;
  Collega__Run *run = make_statuses(&place->author, 3, place->arena);
  run->tree_size = 4;
  assert_int_equal(run_read(run, place->arena, &view, NULL), COLLEGA_INVALID);
  run->tree_size = 3;
  ProtobufCBinaryData rest = run->signer, *rests = &rest;
  run->n_rest = 1;
  run->rest = rests;
  assert_int_equal(run_read(run, place->arena, &view, NULL), COLLEGA_INVALID);
  run->n_rest = 0;
  uint32_t leaves[] = {0, 1};
  run->leaves = leaves;
  run->n_leaves = 2;
  assert_int_equal(run_read(run, place->arena, &view, NULL), COLLEGA_INVALID);
}

static void another_authors_body_fails_the_run(void **state) {
  struct place *place = *state;
  Collega__Run *run = make_statuses(&place->author, 2, place->arena);
  set_field(&run->signer, identity_party(place->broker.identity)->byte, ID_BYTES);
  struct run_view view;
  struct collega_error error;
  assert_int_equal(run_read(run, place->arena, &view, &error), COLLEGA_INVALID);
  assert_int_equal(error.rule, RULE_run_author);
}

static void a_body_that_breaks_a_rule_of_meaning_is_marked_alone(void **state) {
  struct place *place = *state;
  Collega__MandateEnd good = COLLEGA__MANDATE_END__INIT;
  uint8_t mandate[32] = {1};
  set_field(&good.mandate, mandate, 32);
  good.time = NOW;
  Collega__Body first, second;
  person_body(&place->author, &first);
  first.type = COLLEGA__BODY_TYPE__BODY_TYPE_TALK; /* not what it holds */
  first.mandate_end = &good;
  person_body(&place->author, &second);
  second.type = COLLEGA__BODY_TYPE__BODY_TYPE_MANDATE_END;
  second.mandate_end = &good;
  struct bytes bodies[] = {message_pack(&first.base, place->arena),
                           message_pack(&second.base, place->arena)};
  Collega__Run *run = NULL;
  assert_int_equal(run_sign(place->author.identity, bodies, 2, place->arena, &run, NULL),
                   COLLEGA_OK);
  struct run_view view = view_of(run, place->arena);
  assert_non_null(view.records[0].refused);
  assert_null(view.records[1].refused);
  assert_int_equal(run_verify(&view, key_of(&place->author), NULL), COLLEGA_OK);
}

static void the_recovery_key_signs_nothing_but_cards(void **state) {
  struct place *place = *state;
  Collega__Run *run = make_statuses(&place->author, 1, place->arena);
  run->has_recovery = run->recovery = 1;
  struct run_view view;
  struct collega_error error;
  assert_int_equal(run_read(run, place->arena, &view, &error), COLLEGA_INVALID);
  assert_int_equal(error.rule, RULE_run_recovery);
}

static void no_run_and_too_long_a_run_cannot_be_signed(void **state) {
  struct place *place = *state;
  static struct bytes bodies[LIMIT_RUN_RECORDS + 1];
  for (size_t i = 0; i <= LIMIT_RUN_RECORDS; i++)
    bodies[i] = bytes_of("x", 1);
  Collega__Run *run = NULL;
  const struct identity *author = place->author.identity;
  assert_int_equal(run_sign(author, bodies, 0, place->arena, &run, NULL), COLLEGA_INVALID);
  assert_int_equal(run_sign(author, bodies, LIMIT_RUN_RECORDS + 1, place->arena, &run, NULL),
                   COLLEGA_INVALID);
  assert_int_equal(run_sign(author, bodies, LIMIT_RUN_RECORDS, place->arena, &run, NULL),
                   COLLEGA_OK);
}

static void an_exhausted_arena_is_an_error_not_a_crash(void **state) {
  struct place *place = *state;
  Collega__Run *run = make_statuses(&place->author, 50, place->arena);
  for (size_t limit = 1024; limit < 16384; limit += 512) {
    struct arena *small = arena_new(1024, limit);
    struct run_view view;
    assert_int_not_equal(run_read(run, small, &view, NULL), COLLEGA_OK);
    arena_destroy(&small);
  }
}

/* ---- receipts */

static void name_ids(struct id *ids, size_t count) {
  memset(ids, 0, count * sizeof *ids);
  for (size_t i = 0; i < count; i++)
    put_be32(ids[i].byte, (uint32_t)i + 1);
}

static void one_signature_receipts_a_whole_commit(void **state) {
  struct place *place = *state;
  struct id ids[9];
  uint64_t seqs[9];
  name_ids(ids, 9);
  Collega__ReceiptRun *receipt = NULL;
  assert_int_equal(receipt_sign(place->broker.identity, &place->broker.epoch, 100, NOW, ids, 9,
                                place->arena, &receipt, NULL, NULL),
                   COLLEGA_OK);
  assert_int_equal(receipt_verify(receipt, ids, 9, key_of(&place->broker), seqs, NULL), COLLEGA_OK);
  for (uint64_t i = 0; i < 9; i++)
    assert_int_equal(seqs[i], 100 + i);
  assert_int_equal(receipt_verify(receipt, ids, 9, key_of(&place->author), seqs, NULL),
                   COLLEGA_FORGED);
  assert_int_equal(receipt_verify(receipt, ids, 8, key_of(&place->broker), seqs, NULL),
                   COLLEGA_INVALID);
  ids[3].byte[31] ^= 1;
  assert_int_equal(receipt_verify(receipt, ids, 9, key_of(&place->broker), seqs, NULL),
                   COLLEGA_FORGED);
}

static void a_cut_receipt_tells_the_sequence_of_its_records(void **state) {
  struct place *place = *state;
  struct id ids[11], leaves[11];
  name_ids(ids, 11);
  Collega__ReceiptRun *all = NULL, *part = NULL;
  assert_int_equal(receipt_sign(place->broker.identity, &place->broker.epoch, 7, NOW, ids, 11,
                                place->arena, &all, leaves, NULL),
                   COLLEGA_OK);
  const uint32_t picked[] = {2, 3, 10};
  const struct id some[] = {ids[2], ids[3], ids[10]}, swapped[] = {ids[3], ids[2], ids[10]};
  assert_int_equal(receipt_cut(all, leaves, picked, 3, place->arena, &part, NULL), COLLEGA_OK);
  uint64_t seqs[3];
  assert_int_equal(receipt_verify(part, some, 3, key_of(&place->broker), seqs, NULL), COLLEGA_OK);
  assert_int_equal(seqs[0], 9);
  assert_int_equal(seqs[1], 10);
  assert_int_equal(seqs[2], 17);
  assert_int_equal(receipt_verify(part, swapped, 3, key_of(&place->broker), seqs, NULL),
                   COLLEGA_FORGED);
  const uint32_t everything[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  assert_int_equal(receipt_cut(all, leaves, everything, 11, place->arena, &part, NULL), COLLEGA_OK);
  assert_int_equal(part->n_leaves, 0);
  assert_int_equal(receipt_verify(part, ids, 11, key_of(&place->broker), NULL, NULL), COLLEGA_OK);
}

static void every_changed_bit_of_a_receipt_is_detected(void **state) {
  struct place *place = *state;
  struct id ids[6], leaves[6];
  name_ids(ids, 6);
  Collega__ReceiptRun *all = NULL, *part = NULL;
  assert_int_equal(receipt_sign(place->broker.identity, &place->broker.epoch, 7, NOW, ids, 6,
                                place->arena, &all, leaves, NULL),
                   COLLEGA_OK);
  const uint32_t picked[] = {1, 4};
  const struct id some[] = {ids[1], ids[4]};
  assert_int_equal(receipt_cut(all, leaves, picked, 2, place->arena, &part, NULL), COLLEGA_OK);
  struct bytes packed = message_pack(&part->base, place->arena);
  uint8_t *bytes = arena_copy(place->arena, packed.data, packed.length);
  struct arena *work = arena_new(4096, 0x100000);
  /* Also after the right one was seen. */
  struct receipt_seen seen = {.any = false};
  assert_int_equal(receipt_verify_next(part, some, 2, key_of(&place->author), &seen, NULL),
                   COLLEGA_FORGED);
  assert_false(seen.any);
  for (int i = 0; i < 2; i++)
    assert_int_equal(receipt_verify_next(part, some, 2, key_of(&place->broker), &seen, NULL),
                     COLLEGA_OK);
  assert_true(seen.any);
  assert_int_equal(receipt_verify_next(part, some, 2, key_of(&place->author), &seen, NULL),
                   COLLEGA_FORGED);
  for (size_t i = 0; i < 8 * packed.length; i++) {
    bytes[i / 8] ^= (uint8_t)(1u << i % 8);
    ProtobufCMessage *message;
    if (guard_unpack(&collega__receipt_run__descriptor, bytes_of(bytes, packed.length), work,
                     &message, NULL) == COLLEGA_OK) {
      const Collega__ReceiptRun *changed = (const Collega__ReceiptRun *)message;
      /* The key epoch says which key; with the wrong one nothing is found or nothing fits. */
      if (changed->key_epoch == 0) {
        assert_int_not_equal(receipt_verify(changed, some, 2, key_of(&place->broker), NULL, NULL),
                             COLLEGA_OK);
        assert_int_not_equal(
            receipt_verify_next(changed, some, 2, key_of(&place->broker), &seen, NULL), COLLEGA_OK);
      }
    }
    bytes[i / 8] ^= (uint8_t)(1u << i % 8);
    arena_reset(work);
  }
  arena_destroy(&work);
}

static void a_sequence_that_would_wrap_is_refused(void **state) {
  struct place *place = *state;
  struct id ids[2];
  name_ids(ids, 2);
  Collega__ReceiptRun *receipt = NULL;
  assert_int_equal(receipt_sign(place->broker.identity, &place->broker.epoch, UINT64_MAX, NOW, ids,
                                2, place->arena, &receipt, NULL, NULL),
                   COLLEGA_INVALID);
  assert_int_equal(receipt_sign(place->broker.identity, &place->broker.epoch, 1, NOW, ids, 2,
                                place->arena, &receipt, NULL, NULL),
                   COLLEGA_OK);
  receipt->first_seq = UINT64_MAX;
  assert_int_equal(receipt_verify(receipt, ids, 2, key_of(&place->broker), NULL, NULL),
                   COLLEGA_INVALID);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, clear_place)
int main(void) {
  if (bytes_start(NULL) != COLLEGA_OK) return 1;
  const struct CMUnitTest tests[] = {
      TEST(a_signed_run_verifies_by_its_author_only),
      TEST(a_record_id_covers_tag_and_body),
      TEST(every_changed_bit_of_a_run_is_detected),
      TEST(every_single_record_of_a_run_stands_alone),
      TEST(a_part_of_a_part_verifies),
      TEST(cutting_what_is_not_there_is_refused),
      TEST(a_run_whose_counts_do_not_fit_is_refused),
      TEST(another_authors_body_fails_the_run),
      TEST(a_body_that_breaks_a_rule_of_meaning_is_marked_alone),
      TEST(the_recovery_key_signs_nothing_but_cards),
      TEST(no_run_and_too_long_a_run_cannot_be_signed),
      TEST(an_exhausted_arena_is_an_error_not_a_crash),
      TEST(one_signature_receipts_a_whole_commit),
      TEST(a_cut_receipt_tells_the_sequence_of_its_records),
      TEST(every_changed_bit_of_a_receipt_is_detected),
      TEST(a_sequence_that_would_wrap_is_refused),
  };
  return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}
