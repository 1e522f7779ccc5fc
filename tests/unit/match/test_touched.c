/* Which offers an entry touches: read from its bytes alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "client/match/touched.h"
#include "proto/guard.h"
#include "proto/link.pb-c.h"
#include "proto/mail.pb-c.h"

#define OFFERS 300u

static uint8_t ids[OFFERS][SHORT_ID_BYTES];

static ProtobufCBinaryData id_of(size_t number) {
  memset(ids[number], 0, SHORT_ID_BYTES);
  put_be32(ids[number] + 3, (uint32_t)number + 1);
  return (ProtobufCBinaryData){SHORT_ID_BYTES, ids[number]};
}

static ProtobufCBinaryData packed(const ProtobufCMessage *message, struct arena *arena) {
  struct bytes bytes = message_pack(message, arena);
  assert_non_null(bytes.data);
  return (ProtobufCBinaryData){bytes.length, (uint8_t *)(uintptr_t)bytes.data};
}

/* A body with a revision of the offer, or with its status: nothing else of it matters here. */
static ProtobufCBinaryData body_of(size_t number, bool status, struct arena *arena) {
  Collega__Body body = COLLEGA__BODY__INIT;
  Collega__OfferRevision revision = COLLEGA__OFFER_REVISION__INIT;
  Collega__OfferStatus state = COLLEGA__OFFER_STATUS__INIT;
  Collega__Offer offer = COLLEGA__OFFER__INIT;
  Collega__Occupation occupation = COLLEGA__OCCUPATION__INIT;
  Collega__Period period = COLLEGA__PERIOD__INIT;
  Collega__Hours hours = COLLEGA__HOURS__INIT;
  Collega__Place place = COLLEGA__PLACE__INIT;
  char text[] = "x";
  occupation.isco = offer.title = place.city = text;
  offer.occupation = &occupation;
  offer.period = &period;
  offer.hours = &hours;
  offer.place = &place;
  revision.offer = &offer;
  revision.id = state.id = id_of(number);
  if (status)
    body.status = &state;
  else
    body.offer = &revision;
  return packed(&body.base, arena);
}

static Collega__Run *run_of(const size_t *numbers, size_t count, bool status, struct arena *arena) {
  Collega__Run *run = arena_take(arena, sizeof *run);
  assert_non_null(run);
  collega__run__init(run);
  run->bodies = arena_take(arena, count * sizeof *run->bodies);
  for (run->n_bodies = 0; run->n_bodies < count; run->n_bodies++)
    run->bodies[run->n_bodies] = body_of(numbers[run->n_bodies], status, arena);
  return run;
}

static struct bytes board_of(Collega__Run **runs, size_t count, size_t tombstone,
                             struct arena *arena) {
  Collega__Board board = COLLEGA__BOARD__INIT;
  Collega__ReceiptRun receipt = COLLEGA__RECEIPT_RUN__INIT;
  Collega__Tombstone gone = COLLEGA__TOMBSTONE__INIT, *all_gone[] = {&gone};
  Collega__BoardRun parts[4], *all[4];
  assert_true(count <= 4);
  for (size_t i = 0; i < count; i++) {
    collega__board_run__init(&parts[i]);
    parts[i].run = runs[i];
    parts[i].receipt = &receipt;
    all[i] = &parts[i];
  }
  board.n_runs = count;
  board.runs = all;
  gone.offer = id_of(tombstone);
  board.n_tombstones = 1;
  board.tombstones = all_gone;
  return message_pack(&board.base, arena);
}

static void touch(struct touched_set *set, CollegaStore__EntryKind kind, struct bytes payload) {
  struct ledger_event event = {.kind = kind, .payload = payload};
  touched_entry(set, &event);
}

static bool has(const struct touched_set *set, size_t number) {
  ProtobufCBinaryData id = id_of(number);
  size_t found = 0;
  for (const struct touched *one = set->first; one; one = one->next)
    found += memcmp(one->offer.byte, id.data, SHORT_ID_BYTES) == 0;
  assert_true(found <= 1);
  return found;
}

static void board_touches_revisions_states_and_tombstones(void **state) {
  (void)state;
  struct arena *arena = arena_new(65536, 1u << 26);
  struct touched_set set;
  const size_t one[] = {1, 2, 1}, other[] = {2, 3};
  Collega__Run *runs[] = {run_of(one, 3, false, arena), run_of(other, 2, true, arena)};
  touched_begin(&set, arena);
  touch(&set, COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_BOARD, board_of(runs, 2, 7, arena));
  assert_int_equal(set.count, 4);
  assert_true(has(&set, 1) && has(&set, 2) && has(&set, 3) && has(&set, 7));
  assert_false(has(&set, 4));
  assert_false(set.failed);
  arena_destroy(&arena);
}

static void many_offers_each_once(void **state) {
  (void)state;
  struct arena *arena = arena_new(65536, 1u << 26);
  struct touched_set set;
  size_t numbers[OFFERS];
  for (size_t i = 0; i < OFFERS; i++)
    numbers[i] = i;
  Collega__Run *run = run_of(numbers, OFFERS, false, arena);
  touched_begin(&set, arena);
  for (int i = 0; i < 2; i++)
    touch(&set, COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_BOARD, board_of(&run, 1, 0, arena));
  assert_int_equal(set.count, OFFERS);
  for (size_t i = 0; i < OFFERS; i++)
    assert_true(has(&set, i));
  arena_destroy(&arena);
}

static void own_records_and_letters_touch_theirs(void **state) {
  (void)state;
  struct arena *arena = arena_new(65536, 1u << 26);
  struct touched_set set;
  const size_t mine[] = {4, 5}, theirs[] = {6};
  CollegaStore__OwnRecords own = COLLEGA_STORE__OWN_RECORDS__INIT;
  CollegaStore__MailIn mail = COLLEGA_STORE__MAIL_IN__INIT;
  Collega__Letter letter = COLLEGA__LETTER__INIT;
  Collega__Run *run = run_of(theirs, 1, true, arena);
  own.run = packed(&run_of(mine, 2, false, arena)->base, arena);
  letter.n_runs = 1;
  letter.runs = &run;
  mail.has_letter = true;
  mail.letter = packed(&letter.base, arena);
  touched_begin(&set, arena);
  touch(&set, COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_OWN_RECORDS, message_pack(&own.base, arena));
  touch(&set, COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MAIL_IN, message_pack(&mail.base, arena));
  assert_int_equal(set.count, 3);
  assert_true(has(&set, 4) && has(&set, 5) && has(&set, 6));
  /* The same bytes under a kind that holds no offers. */
  touched_begin(&set, arena);
  touch(&set, COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_DRAFT, message_pack(&own.base, arena));
  assert_int_equal(set.count, 0);
  arena_destroy(&arena);
}

/* Bytes that were damaged: nothing is read beyond them (the sanitizers watch), and it ends. */
static void damaged_bytes_are_read_no_further(void **state) {
  (void)state;
  struct arena *arena = arena_new(65536, 1u << 26);
  struct touched_set set;
  const size_t one[] = {1, 2, 3};
  Collega__Run *run = run_of(one, 3, false, arena);
  struct bytes whole = board_of(&run, 1, 7, arena);
  touched_begin(&set, arena);
  for (size_t length = 0; length < whole.length; length++) {
    uint8_t *copy = malloc(length ? length : 1);
    assert_non_null(copy);
    memcpy(copy, whole.data, length);
    touch(&set, COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_BOARD, bytes_of(copy, length));
    for (size_t at = 0; at < length; at += 7) {
      copy[at] ^= 0xff;
      touch(&set, COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_BOARD, bytes_of(copy, length));
      copy[at] ^= 0xff;
    }
    free(copy);
  }
  assert_true(has(&set, 1) && has(&set, 2) && has(&set, 3));
  arena_destroy(&arena);
}

static void memory_that_ends_is_said(void **state) {
  (void)state;
  struct arena *arena = arena_new(65536, 1u << 26), *small = arena_new(256, 2048);
  struct touched_set set;
  size_t numbers[OFFERS];
  for (size_t i = 0; i < OFFERS; i++)
    numbers[i] = i;
  Collega__Run *run = run_of(numbers, OFFERS, false, arena);
  touched_begin(&set, small);
  touch(&set, COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_BOARD, board_of(&run, 1, 0, arena));
  assert_true(set.failed);
  arena_destroy(&small);
  arena_destroy(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(board_touches_revisions_states_and_tombstones),
      cmocka_unit_test(many_offers_each_once),
      cmocka_unit_test(own_records_and_letters_touch_theirs),
      cmocka_unit_test(damaged_bytes_are_read_no_further),
      cmocka_unit_test(memory_that_ends_is_said),
  };
  return bytes_start(NULL) == COLLEGA_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
