/* Mail: stored, counted, read, acknowledged, fetched again. */
#include "world.h"

#include <string.h>

#include "broker/mail/mailbox.h"

#define SMALLEST_SEALED 1024u

/* An envelope as it is on the wire; what is sealed in it is nobody's business here. */
static struct bytes envelope_until(struct world *world, struct party *from, const struct id *to,
                                   size_t sealed, bool with_copy, collega_time not_after) {
  uint8_t *noise = arena_take(world->arena, sealed);
  assert_non_null(noise);
  random_fill(noise, sealed);
  Collega__Envelope envelope = COLLEGA__ENVELOPE__INIT;
  envelope.from = (ProtobufCBinaryData){ID_BYTES, from->id.byte};
  envelope.to = (ProtobufCBinaryData){ID_BYTES, (uint8_t *)(uintptr_t)to->byte};
  envelope.epoch = (ProtobufCBinaryData){EPOCH_BYTES, from->epoch.byte};
  envelope.seq = ++from->seq;
  envelope.not_after = not_after;
  envelope.sealed = (ProtobufCBinaryData){sealed, noise};
  envelope.has_copy = envelope.has_copy_to = with_copy;
  envelope.copy = envelope.sealed;
  return message_pack(&envelope.base, world->arena);
}

static struct bytes envelope_of(struct world *world, struct party *from, const struct id *to,
                                size_t sealed, bool with_copy) {
  return envelope_until(world, from, to, sealed, with_copy, world->now + DAY_MS);
}

static struct request *send_request(struct world *world, struct party *from,
                                    struct bytes envelope) {
  Collega__Send sending = COLLEGA__SEND__INIT;
  sending.envelope = (ProtobufCBinaryData){envelope.length, (uint8_t *)(uintptr_t)envelope.data};
  sending.head = next_head(world, from);
  Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;
  frame.send = &sending;
  return frame_request(world, from, &frame);
}

static void send_mail(struct world *world, struct party *from, struct bytes envelope) {
  commit_one(world, send_request(world, from, envelope));
}

static void acknowledge(struct world *world, struct party *party, uint64_t seq) {
  struct broker_state broker = world_state(world);
  Collega__Ack ack = COLLEGA__ACK__INIT;
  ack.party = (ProtobufCBinaryData){ID_BYTES, party->id.byte};
  ack.epoch = (ProtobufCBinaryData){EPOCH_BYTES, broker.epoch.byte};
  ack.seq = seq;
  Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;
  frame.ack = &ack;
  commit_one(world, frame_request(world, party, &frame));
  assert_int_equal(world->result.answer_count, 0);
}

static const Collega__Mail *read_mail(struct world *world, const struct id *party, uint64_t after,
                                      uint32_t most, size_t most_bytes, uint64_t *last) {
  struct broker_state broker = world_state(world);
  struct store_txn *txn = world_read(world);
  struct bytes frame;
  uint32_t items;
  must(mail_read(txn, party, &broker.epoch, after, most, most_bytes, world->arena, &frame, &items,
                 last, &error));
  store_end(&txn);
  if (!frame.data) return NULL;
  const Collega__Mail *mail = unpack_answer(world, frame)->mail;
  assert_non_null(mail);
  assert_int_equal(mail->n_items, items);
  return mail;
}

static const Collega__Mail *fetch(struct world *world, const struct party *party,
                                  Collega__FetchClass what, uint64_t *after, bool *done) {
  struct broker_state broker = world_state(world);
  Collega__Fetch fetching = COLLEGA__FETCH__INIT;
  fetching.what = what;
  fetching.party = (ProtobufCBinaryData){ID_BYTES, (uint8_t *)(uintptr_t)party->id.byte};
  struct store_txn *txn = world_read(world);
  struct bytes frame;
  uint32_t items;
  must(
      fetch_read(txn, &broker.epoch, &fetching, after, world->arena, &frame, &items, done, &error));
  store_end(&txn);
  const Collega__Mail *mail = unpack_answer(world, frame)->mail;
  assert_int_equal(mail->fetched, what);
  assert_int_equal(mail->last, *done);
  assert_int_equal(mail->n_items, items);
  return mail;
}

static void assert_envelope(const Collega__MailItem *item, uint64_t seq, struct bytes envelope) {
  assert_int_equal(item->seq, seq);
  assert_true(item->has_envelope);
  assert_true(bytes_equal(bytes_of(item->envelope.data, item->envelope.len), envelope));
}

static void mail_is_stored_answered_and_read_as_it_came(void **state) {
  struct world *world = *state;
  struct party from, to;
  party_join(world, &from, 1);
  party_join(world, &to, 2);
  struct bytes first = envelope_of(world, &from, &to.id, SMALLEST_SEALED, true);
  struct bytes second = envelope_of(world, &from, &to.id, 4096, false);
  struct id hash;
  send_mail(world, &from, first);
  const Collega__Stored *stored = answer_at(world, 0)->stored;
  assert_non_null(stored);
  envelope_hash(&hash, first);
  assert_memory_equal(stored->hash.data, hash.byte, ID_BYTES);
  assert_int_equal(stored->seq, 1);
  assert_int_equal(world->result.mail_count, 1);
  assert_true(id_equal(&world->result.mail[0].party, &to.id));
  assert_int_equal(world->result.mail[0].seq, 1);
  send_mail(world, &from, second);
  uint64_t last;
  const Collega__Mail *mail = read_mail(world, &to.id, 0, 100, LIMIT_BOARD_BYTES, &last);
  assert_int_equal(mail->n_items, 2);
  assert_int_equal(last, 2);
  assert_envelope(mail->items[0], 1, first);
  assert_envelope(mail->items[1], 2, second);
  assert_null(read_mail(world, &to.id, 2, 100, LIMIT_BOARD_BYTES, &last));
  assert_null(read_mail(world, &from.id, 0, 100, LIMIT_BOARD_BYTES, &last));
  party_free(&from);
  party_free(&to);
}

static void a_frame_of_mail_keeps_to_its_limits(void **state) {
  struct world *world = *state;
  struct party from, to;
  party_join(world, &from, 1);
  party_join(world, &to, 2);
  for (size_t i = 0; i < 10; i++)
    send_mail(world, &from, envelope_of(world, &from, &to.id, 262144, true));
  uint64_t last = 0, seen = 0;
  const Collega__Mail *mail;
  while ((mail = read_mail(world, &to.id, last, 100, SIZE_MAX, &last))) {
    assert_int_equal(mail->n_items, 1); /* each is half a megabyte with its copy */
    seen += mail->n_items;
  }
  assert_int_equal(seen, 10);
  mail = read_mail(world, &to.id, 0, 100, 10, &last);
  assert_int_equal(mail->n_items, 1); /* one at the least */
  party_free(&from);
  party_free(&to);
}

static void a_duplicate_envelope_gets_its_first_answer(void **state) {
  struct world *world = *state;
  struct party from, to;
  party_join(world, &from, 1);
  party_join(world, &to, 2);
  struct bytes envelope = envelope_of(world, &from, &to.id, SMALLEST_SEALED, true);
  send_mail(world, &from, envelope);
  struct bytes answer = world->result.answers[0].packed;
  struct bytes kept = bytes_of(arena_copy(world->arena, answer.data, answer.length), answer.length);
  send_mail(world, &from, envelope_of(world, &from, &to.id, SMALLEST_SEALED, true));
  world->now += 2 * DAY_MS; /* past its not-after */
  send_mail(world, &from, envelope);
  assert_true(bytes_equal(world->result.answers[0].packed, kept));
  assert_int_equal(world->result.mail_count, 0);
  uint64_t last;
  assert_int_equal(read_mail(world, &to.id, 0, 100, LIMIT_BOARD_BYTES, &last)->n_items, 2);

  from.seq -= 2;
  world->now -= 2 * DAY_MS;
  send_mail(world, &from, envelope_of(world, &from, &to.id, SMALLEST_SEALED, true));
  assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_SEQUENCE_TAKEN);
  party_free(&from);
  party_free(&to);
}

static void mail_to_strangers_from_others_and_out_of_time_is_refused(void **state) {
  struct world *world = *state;
  struct party from, to, stranger;
  party_join(world, &from, 1);
  party_join(world, &to, 2);
  party_make(world, &stranger, 3);
  send_mail(world, &from, envelope_of(world, &from, &stranger.id, SMALLEST_SEALED, true));
  assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_UNKNOWN);
  struct bytes envelope = envelope_of(world, &from, &to.id, SMALLEST_SEALED, true);
  world->now += 2 * DAY_MS;
  send_mail(world, &from, envelope);
  assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_EXPIRED);
  send_mail(world, &from,
            envelope_until(world, &from, &to.id, SMALLEST_SEALED, true, world->now + 200 * DAY_MS));
  assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_INVALID);
  struct request *request =
      send_request(world, &to, envelope_of(world, &from, &to.id, SMALLEST_SEALED, true));
  commit_one(world, request); /* the home of `to`, in the name of `from` */
  assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED);
  party_free(&from);
  party_free(&to);
  party_free(&stranger);
}

static void one_sender_fills_its_share_and_no_more_until_it_is_acknowledged(void **state) {
  struct world *world = *state;
  struct party from, other, to;
  party_join(world, &from, 1);
  party_join(world, &other, 2);
  party_join(world, &to, 3);
  enum { SHARE = MAILBOX_SENDER_BYTES / 262144u };
  for (size_t i = 0; i < SHARE; i++) {
    send_mail(world, &from, envelope_of(world, &from, &to.id, 262144, false));
    assert_non_null(answer_at(world, 0)->stored);
  }
  send_mail(world, &from, envelope_of(world, &from, &to.id, SMALLEST_SEALED, false));
  assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_QUOTA);
  assert_string_equal(answer_at(world, 0)->refusal->rule, "mailbox_sender_full");
  send_mail(world, &other, envelope_of(world, &other, &to.id, SMALLEST_SEALED, false));
  assert_non_null(answer_at(world, 0)->stored);

  acknowledge(world, &to, 3);
  send_mail(world, &from, envelope_of(world, &from, &to.id, 262144, false));
  assert_non_null(answer_at(world, 0)->stored);
  acknowledge(world, &to, 1000000); /* no more than there is */
  struct store_txn *txn = world_read(world);
  struct box box;
  uint64_t waiting;
  must(box_read(txn, &to.id, &box, &error));
  must(sender_read(txn, &to.id, &from.id, &waiting, &error));
  store_end(&txn);
  assert_int_equal(box.waiting_bytes, 0);
  assert_int_equal(waiting, 0);
  assert_int_equal(box.acknowledged, box.last_seq);
  party_free(&from);
  party_free(&other);
  party_free(&to);
}

static void an_acknowledgement_of_another_epoch_changes_nothing(void **state) {
  struct world *world = *state;
  struct party from, to;
  party_join(world, &from, 1);
  party_join(world, &to, 2);
  send_mail(world, &from, envelope_of(world, &from, &to.id, SMALLEST_SEALED, false));
  struct epoch elsewhere = {{1, 2, 3}};
  Collega__Ack ack = COLLEGA__ACK__INIT;
  ack.party = (ProtobufCBinaryData){ID_BYTES, to.id.byte};
  ack.epoch = (ProtobufCBinaryData){EPOCH_BYTES, elsewhere.byte};
  ack.seq = 1;
  Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;
  frame.ack = &ack;
  commit_one(world, frame_request(world, &to, &frame));
  struct store_txn *txn = world_read(world);
  struct box box;
  must(box_read(txn, &to.id, &box, &error));
  store_end(&txn);
  assert_int_equal(box.acknowledged, 0);
  assert_int_equal(box.waiting_bytes, SMALLEST_SEALED);
  party_free(&from);
  party_free(&to);
}

static void a_restored_home_fetches_what_it_sent_and_received(void **state) {
  struct world *world = *state;
  struct party from, to;
  party_join(world, &from, 1);
  party_join(world, &to, 2);
  struct bytes with_copy = envelope_of(world, &from, &to.id, SMALLEST_SEALED, true);
  struct bytes without = envelope_of(world, &from, &to.id, SMALLEST_SEALED, false);
  struct bytes later = envelope_of(world, &from, &to.id, SMALLEST_SEALED, true);
  send_mail(world, &from, with_copy);
  send_mail(world, &from, without);
  send_mail(world, &from, later);
  acknowledge(world, &to, 3);
  uint64_t after = 0;
  bool done = false;
  const Collega__Mail *copies =
      fetch(world, &from, COLLEGA__FETCH_CLASS__FETCH_CLASS_COPIES, &after, &done);
  assert_true(done);
  assert_int_equal(copies->n_items, 2);
  assert_envelope(copies->items[0], 1, with_copy);
  assert_envelope(copies->items[1], 2, later);
  after = 0;
  const Collega__Mail *mail =
      fetch(world, &to, COLLEGA__FETCH_CLASS__FETCH_CLASS_MAIL, &after, &done);
  assert_true(done);
  assert_int_equal(mail->n_items, 3); /* acknowledged or not */
  after = 0;
  const Collega__Mail *decisions =
      fetch(world, &to, COLLEGA__FETCH_CLASS__FETCH_CLASS_DECISIONS, &after, &done);
  assert_true(done);
  assert_int_equal(decisions->n_items, 0);
  party_free(&from);
  party_free(&to);
}

static void a_long_fetch_comes_in_parts(void **state) {
  struct world *world = *state;
  struct party from, to;
  party_join(world, &from, 1);
  party_join(world, &to, 2);
  enum { COUNT = 300 };
  struct request *requests[COUNT];
  for (size_t i = 0; i < COUNT; i++)
    requests[i] =
        send_request(world, &from, envelope_of(world, &from, &to.id, SMALLEST_SEALED, true));
  assert_int_equal(commit_requests(world, requests, COUNT), COLLEGA_OK);
  uint64_t after = 0, seen = 0;
  size_t parts = 0;
  for (bool done = false; !done; parts++)
    seen += fetch(world, &from, COLLEGA__FETCH_CLASS__FETCH_CLASS_COPIES, &after, &done)->n_items;
  assert_int_equal(seen, COUNT);
  assert_true(parts > 1);
  party_free(&from);
  party_free(&to);
}

/* Several rounds over all tables. */
static void sweep(struct world *world) {
  for (size_t i = 0; i < 8; i++) {
    bool more;
    must(commit_sweep(world->commit, world->now, &more, &error));
  }
}

static void mail_goes_after_its_lifetime_and_with_it_its_share_of_the_quota(void **state) {
  struct world *world = *state;
  struct party from, to;
  party_join(world, &from, 1);
  party_join(world, &to, 2);
  struct bytes old = envelope_of(world, &from, &to.id, SMALLEST_SEALED, true);
  send_mail(world, &from, old);
  world->now += 10 * DAY_MS;
  struct bytes recent = envelope_of(world, &from, &to.id, SMALLEST_SEALED, true);
  send_mail(world, &from, recent);
  world->now += MAIL_LIFETIME_MS - 10 * DAY_MS - 1;
  sweep(world);
  uint64_t last, after = 0, waiting;
  assert_int_equal(read_mail(world, &to.id, 0, 100, LIMIT_BOARD_BYTES, &last)->n_items, 2);

  world->now += 1;
  sweep(world);
  const Collega__Mail *mail = read_mail(world, &to.id, 0, 100, LIMIT_BOARD_BYTES, &last);
  assert_int_equal(mail->n_items, 1);
  assert_envelope(mail->items[0], 2, recent);
  bool done;
  const Collega__Mail *copies =
      fetch(world, &from, COLLEGA__FETCH_CLASS__FETCH_CLASS_COPIES, &after, &done);
  assert_int_equal(copies->n_items, 1);
  assert_envelope(copies->items[0], 2, recent);
  struct store_txn *txn = world_read(world);
  must(sender_read(txn, &to.id, &from.id, &waiting, &error));
  store_end(&txn);
  assert_int_equal(waiting, SMALLEST_SEALED);
  /* What was forgotten cannot be stored again. */
  world->now += 10 * DAY_MS;
  sweep(world);
  send_mail(world, &from, old);
  assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_EXPIRED);
  party_free(&from);
  party_free(&to);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
  const struct CMUnitTest tests[] = {
      TEST(mail_is_stored_answered_and_read_as_it_came),
      TEST(a_frame_of_mail_keeps_to_its_limits),
      TEST(a_duplicate_envelope_gets_its_first_answer),
      TEST(mail_to_strangers_from_others_and_out_of_time_is_refused),
      TEST(one_sender_fills_its_share_and_no_more_until_it_is_acknowledged),
      TEST(an_acknowledgement_of_another_epoch_changes_nothing),
      TEST(a_restored_home_fetches_what_it_sent_and_received),
      TEST(a_long_fetch_comes_in_parts),
      TEST(mail_goes_after_its_lifetime_and_with_it_its_share_of_the_quota),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
