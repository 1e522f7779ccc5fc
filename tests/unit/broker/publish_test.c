/* Publish: receipts, duplicates, equivocation, leaves judged singly, heads. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

static void a_run_gets_receipts_that_verify(void **state) {
  struct world *world = *state;
  struct party party;
  party_join(world, &party, 7);
  uint64_t before = world_state(world).log_seq;
  struct bytes bodies[3];
  struct id ids[3];
  for (size_t i = 0; i < 3; i++)
    bodies[i] = plain_offer_body(world, &party, "Magazijnmedewerkers");
  bodies_ids(bodies, 3, ids);
  publish(world, &party, bodies, 3);
  assert_int_equal(world->result.answer_count, 1);
  assert_int_equal(world->result.answers[0].session, 7);
  assert_int_equal(assert_receipts(world, answer_at(world, 0), ids, 3), before + 1);
  assert_int_equal(world_state(world).log_seq, before + 3);
  assert_int_equal(world->result.log->first_seq, before + 1);
  assert_int_equal(world->result.log->last_seq, before + 3);
  party_free(&party);
}

static void runs_of_one_batch_share_a_tree_and_each_gets_its_part(void **state) {
  struct world *world = *state;
  struct party first, second;
  party_join(world, &first, 1);
  party_join(world, &second, 2);
  struct bytes bodies[2][2];
  struct id ids[2][2];
  for (size_t i = 0; i < 2; i++) {
    bodies[0][i] = plain_offer_body(world, &first, "Eerste");
    bodies[1][i] = plain_offer_body(world, &second, "Tweede");
  }
  bodies_ids(bodies[0], 2, ids[0]);
  bodies_ids(bodies[1], 2, ids[1]);
  struct request *requests[2] = {
      publish_request(world, &first, sign_run(world, &first, bodies[0], 2)),
      publish_request(world, &second, sign_run(world, &second, bodies[1], 2))};
  assert_int_equal(commit_requests(world, requests, 2), COLLEGA_OK);
  assert_int_equal(world->result.answer_count, 2);
  uint64_t one = assert_receipts(world, answer_at(world, 0), ids[0], 2);
  uint64_t two = assert_receipts(world, answer_at(world, 1), ids[1], 2);
  assert_int_equal(two, one + 2);
  assert_int_equal(answer_at(world, 0)->receipts->receipt->tree_size, 4);
  party_free(&first);
  party_free(&second);
}

static void a_session_gets_one_answer_for_all_its_runs_of_a_batch(void **state) {
  struct world *world = *state;
  struct party party, other;
  party_join(world, &party, 1);
  party_join(world, &other, 2);
  enum { RUNS = 5 };
  struct bytes bodies[RUNS], others[RUNS];
  struct id ids[RUNS], other_ids[RUNS];
  struct request *requests[2 * RUNS];
  for (size_t i = 0; i < RUNS; i++) {
    bodies[i] = plain_offer_body(world, &party, "Koks");
    others[i] = plain_offer_body(world, &other, "Obers");
    requests[2 * i] = publish_request(world, &other, sign_run(world, &other, &others[i], 1));
    requests[2 * i + 1] = publish_request(world, &party, sign_run(world, &party, &bodies[i], 1));
  }
  bodies_ids(bodies, RUNS, ids);
  bodies_ids(others, RUNS, other_ids);
  uint64_t before = world_state(world).log_seq;
  assert_int_equal(commit_requests(world, requests, 2 * RUNS), COLLEGA_OK);
  assert_int_equal(world->result.answer_count, 2);
  for (size_t i = 0; i < 2; i++) {
    bool mine = world->result.answers[i].session == party.session;
    assert_int_equal(assert_receipts(world, answer_at(world, i), mine ? ids : other_ids, RUNS),
                     mine ? before + 2 : before + 1);
  }
  party_free(&party);
  party_free(&other);
}

static void a_duplicate_gets_its_first_answer_byte_for_byte(void **state) {
  struct world *world = *state;
  struct party party, other;
  party_join(world, &party, 1);
  party_join(world, &other, 2);
  struct bytes bodies[3], others[1];
  for (size_t i = 0; i < 3; i++)
    bodies[i] = plain_offer_body(world, &party, "Koks");
  others[0] = plain_offer_body(world, &other, "Obers");
  Collega__Run *run = sign_run(world, &party, bodies, 3);
  struct request *requests[2] = {publish_request(world, &other, sign_run(world, &other, others, 1)),
                                 publish_request(world, &party, run)};
  assert_int_equal(commit_requests(world, requests, 2), COLLEGA_OK);
  assert_int_equal(world->result.answer_count, 2);
  size_t mine = world->result.answers[0].session == party.session ? 0 : 1;
  struct bytes first = world->result.answers[mine].packed;
  struct bytes kept = bytes_of(arena_copy(world->arena, first.data, first.length), first.length);
  uint64_t seq = world_state(world).log_seq;

  world->now += HOUR_MS;
  commit_one(world, publish_request(world, &party, run));
  assert_int_equal(world->result.answer_count, 1);
  assert_true(bytes_equal(world->result.answers[0].packed, kept));
  assert_int_equal(world_state(world).log_seq, seq);
  assert_null(world->result.log);

  world_close(world);
  world_open(world);
  commit_one(world, publish_request(world, &party, run));
  assert_true(bytes_equal(world->result.answers[0].packed, kept));
  party_free(&party);
  party_free(&other);
}

static void a_duplicate_in_one_batch_is_stored_once(void **state) {
  struct world *world = *state;
  struct party party;
  party_join(world, &party, 1);
  struct bytes body = plain_offer_body(world, &party, "Koks");
  struct id id;
  bodies_ids(&body, 1, &id);
  Collega__Run *run = sign_run(world, &party, &body, 1);
  uint64_t before = world_state(world).log_seq;
  struct request *requests[2] = {publish_request(world, &party, run),
                                 publish_request(world, &party, run)};
  assert_int_equal(commit_requests(world, requests, 2), COLLEGA_OK);
  assert_int_equal(world->result.answer_count, 2);
  assert_int_equal(assert_receipts(world, answer_at(world, 0), &id, 1), before + 1);
  assert_int_equal(assert_receipts(world, answer_at(world, 1), &id, 1), before + 1);
  assert_int_equal(world_state(world).log_seq, before + 1);
  party_free(&party);
}

static void another_record_under_a_taken_number_is_equivocation(void **state) {
  struct world *world = *state;
  struct party party;
  party_join(world, &party, 1);
  struct bytes one = plain_offer_body(world, &party, "Koks");
  publish(world, &party, &one, 1);
  party.seq--;
  struct bytes other = plain_offer_body(world, &party, "Obers");
  publish(world, &party, &other, 1);
  assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_SEQUENCE_TAKEN);
  struct id id;
  bodies_ids(&other, 1, &id);
  assert_memory_equal(answer_at(world, 0)->refusal->which.data, id.byte, ID_BYTES);
  party_free(&party);
}

static void leaves_are_judged_singly_and_the_rest_still_verifies(void **state) {
  struct world *world = *state;
  struct party party;
  party_join(world, &party, 1);
  uint64_t before = world_state(world).log_seq;
  struct test_offer over;
  struct short_id offer_id = {{9}};
  test_offer_fill(&over, "Voorbij");
  over.period.from = date_of_time(world->now) - 20;
  over.period.until = date_of_time(world->now) - 10;
  struct bytes bodies[4];
  struct id ids[4];
  bodies[0] = plain_offer_body(world, &party, "Eerste");
  bodies[1] = offer_body(world, &party, &over.offer, &offer_id, 1);
  bodies[2] = plain_offer_body(world, &party, "Tweede");
  bodies[3] = plain_offer_body(world, &party, "Derde");
  bodies_ids(bodies, 4, ids);
  publish(world, &party, bodies, 4);
  assert_int_equal(world->result.answer_count, 2);
  bool first_is_receipts = answer_at(world, 0)->receipts != NULL;
  const Collega__FromBroker *receipts = answer_at(world, first_is_receipts ? 0 : 1);
  const Collega__FromBroker *refusal = answer_at(world, first_is_receipts ? 1 : 0);
  struct id taken[3] = {ids[0], ids[2], ids[3]};
  assert_int_equal(assert_receipts(world, receipts, taken, 3), before + 1);
  assert_non_null(refusal->refusal);
  assert_string_equal(refusal->refusal->rule, "period_over");
  assert_memory_equal(refusal->refusal->which.data, ids[1].byte, ID_BYTES);

  Collega__Filter all = COLLEGA__FILTER__INIT;
  struct board_seen seen;
  read_board(world, &all, before, &seen);
  assert_int_equal(seen.count, 3);
  assert_memory_equal(seen.ids, taken, sizeof taken);

  /* The number that was refused is free, and those around it are not. */
  party.seq = party.seq - 3;
  struct bytes again = plain_offer_body(world, &party, "Alsnog");
  publish(world, &party, &again, 1);
  assert_non_null(answer_at(world, 0)->receipts);
  struct bytes taken_twice = plain_offer_body(world, &party, "Dubbel");
  publish(world, &party, &taken_twice, 1);
  assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_SEQUENCE_TAKEN);
  free(seen.ids);
  free(seen.seqs);
  party_free(&party);
}

static void gaps_in_sequence_numbers_can_be_filled_later(void **state) {
  struct world *world = *state;
  struct party party;
  party_join(world, &party, 1);
  struct bytes bodies[5];
  for (size_t i = 0; i < 5; i++)
    bodies[i] = plain_offer_body(world, &party, "Gaten");
  struct bytes odd[3] = {bodies[0], bodies[2], bodies[4]}, even[2] = {bodies[1], bodies[3]};
  Collega__Run *run = sign_run(world, &party, odd, 3);
  publish(world, &party, odd, 3);
  publish(world, &party, even, 2);
  assert_non_null(answer_at(world, 0)->receipts);
  struct id ids[3];
  bodies_ids(odd, 3, ids);
  uint64_t seq = world_state(world).log_seq;
  commit_one(world, publish_request(world, &party, run));
  assert_receipts(world, answer_at(world, 0), ids, 3);
  assert_int_equal(world_state(world).log_seq, seq);
  party_free(&party);
}

static void sequence_numbers_of_a_run_must_ascend(void **state) {
  struct world *world = *state;
  struct party party;
  party_join(world, &party, 1);
  struct bytes later, bodies[2];
  later = plain_offer_body(world, &party, "Later");
  bodies[1] = plain_offer_body(world, &party, "Eerder");
  bodies[0] = bodies[1];
  bodies[1] = later;
  publish(world, &party, bodies, 2);
  assert_int_equal(world->result.answer_count, 2);
  const Collega__Refusal *refusal = answer_at(world, 0)->refusal;
  if (!refusal) refusal = answer_at(world, 1)->refusal;
  assert_non_null(refusal);
  assert_string_equal(refusal->rule, "sequence_order");
  party_free(&party);
}

static void what_is_past_its_time_is_refused_but_its_duplicate_is_not(void **state) {
  struct world *world = *state;
  struct party party;
  party_join(world, &party, 1);
  struct bytes bodies[2];
  for (size_t i = 0; i < 2; i++) {
    struct test_offer offer;
    struct short_id id;
    test_offer_fill(&offer, "Tijdig");
    random_fill(&id, sizeof id);
    Collega__OfferRevision content = COLLEGA__OFFER_REVISION__INIT;
    content.id = (ProtobufCBinaryData){SHORT_ID_BYTES, id.byte};
    content.revision = 1;
    content.offer = &offer.offer;
    Collega__Body body = COLLEGA__BODY__INIT;
    body.type = COLLEGA__BODY_TYPE__BODY_TYPE_OFFER;
    body.offer = &content;
    body.has_not_after = 1;
    body.not_after = world->now + HOUR_MS;
    bodies[i] = body_of(world, &party, &body);
  }
  Collega__Run *first = sign_run(world, &party, &bodies[0], 1);
  commit_one(world, publish_request(world, &party, first));
  assert_non_null(answer_at(world, 0)->receipts);
  world->now += 2 * HOUR_MS;
  commit_one(world, publish_request(world, &party, first));
  assert_non_null(answer_at(world, 0)->receipts);
  publish(world, &party, &bodies[1], 1);
  assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_EXPIRED);
  party_free(&party);
}

static void only_board_records_of_members_are_taken(void **state) {
  struct world *world = *state;
  struct party party, stranger;
  party_join(world, &party, 1);
  party_make(world, &stranger, 2);
  struct bytes body = plain_offer_body(world, &stranger, "Vreemd");
  publish(world, &stranger, &body, 1);
  assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_MEMBER);

  Collega__Ask ask = COLLEGA__ASK__INIT;
  struct id deal = {{1}};
  ask.deal = (ProtobufCBinaryData){ID_BYTES, deal.byte};
  ask.time = world->now;
  Collega__Body asking = COLLEGA__BODY__INIT;
  asking.type = COLLEGA__BODY_TYPE__BODY_TYPE_ASK;
  asking.ask = &ask;
  body = body_of(world, &party, &asking);
  publish(world, &party, &body, 1);
  assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED);

  struct test_offer offer;
  struct short_id id = {{3}};
  test_offer_fill(&offer, "Genoemd");
  offer.offer.audience = (char *)(uintptr_t) "named:12345678";
  body = offer_body(world, &party, &offer.offer, &id, 1);
  publish(world, &party, &body, 1);
  assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED);
  assert_string_equal(answer_at(world, 0)->refusal->rule, "audience_by_mail");
  party_free(&party);
  party_free(&stranger);
}

static void another_home_cannot_publish_for_a_member(void **state) {
  struct world *world = *state;
  struct party party, thief;
  party_join(world, &party, 1);
  party_join(world, &thief, 2);
  struct bytes body = plain_offer_body(world, &party, "Gestolen");
  struct request *request = publish_request(world, &party, sign_run(world, &party, &body, 1));
  request->home = thief.id;
  commit_one(world, request);
  assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED);
  assert_string_equal(answer_at(world, 0)->refusal->rule, "author_not_hosted");
  party_free(&party);
  party_free(&thief);
}

static void a_forged_run_is_refused_and_its_head_counts_all_the_same(void **state) {
  struct world *world = *state;
  struct party party;
  party_join(world, &party, 1);
  struct bytes body = plain_offer_body(world, &party, "Vervalst");
  Collega__Run *run = sign_run(world, &party, &body, 1);
  run->signature.data[5] ^= 1;
  commit_one(world, publish_request(world, &party, run));
  assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_INVALID);
  run->signature.data[5] ^= 1;
  commit_one(world, publish_request(world, &party, run));
  assert_non_null(answer_at(world, 0)->receipts);
  party_free(&party);
}

static void a_head_that_does_not_follow_forbids_what_is_new(void **state) {
  struct world *world = *state;
  struct party party, copy;
  party_join(world, &party, 1);
  struct bytes first = plain_offer_body(world, &party, "Eerste");
  Collega__Run *first_run = sign_run(world, &party, &first, 1);
  commit_one(world, publish_request(world, &party, first_run));
  copy = party; /* the same home, restored from here */
  struct bytes second = plain_offer_body(world, &party, "Tweede");
  publish(world, &party, &second, 1);
  assert_non_null(answer_at(world, 0)->receipts);

  struct bytes other = plain_offer_body(world, &copy, "Kopie");
  uint64_t seq = world_state(world).log_seq;
  publish(world, &copy, &other, 1);
  assert_refused(world, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_HEAD);
  assert_int_equal(world_state(world).log_seq, seq);
  /* What was taken before keeps its answer. */
  commit_one(world, publish_request(world, &copy, first_run));
  assert_non_null(answer_at(world, 0)->receipts);
  /* And the home that is up to date goes on. */
  struct bytes third = plain_offer_body(world, &party, "Derde");
  publish(world, &party, &third, 1);
  assert_non_null(answer_at(world, 0)->receipts);
  party_free(&party);
}

static void the_same_head_may_come_again(void **state) {
  struct world *world = *state;
  struct party party, before;
  party_join(world, &party, 1);
  struct bytes first = plain_offer_body(world, &party, "Eerste"),
               second = plain_offer_body(world, &party, "Tweede");
  publish(world, &party, &first, 1);
  before = party;
  Collega__Publish publishing = COLLEGA__PUBLISH__INIT;
  publishing.run = sign_run(world, &party, &second, 1);
  publishing.head = next_head(world, &party);
  publishing.head->hash = (ProtobufCBinaryData){ID_BYTES, before.head.byte};
  publishing.head->number = before.head_number;
  publishing.head->has_previous = 0;
  Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;
  frame.publish = &publishing;
  commit_one(world, frame_request(world, &party, &frame));
  assert_non_null(answer_at(world, 0)->receipts);
  party_free(&party);
}

static void more_than_4096_leaves_become_two_trees(void **state) {
  struct world *world = *state;
  struct party party;
  party_join(world, &party, 1);
  enum { RUNS = 3, EACH = 1500 };
  struct request *requests[RUNS];
  struct id *ids = arena_take(world->arena, RUNS * EACH * sizeof *ids);
  uint64_t before = world_state(world).log_seq;
  for (size_t i = 0; i < RUNS; i++) {
    struct bytes *bodies = arena_take(world->arena, EACH * sizeof *bodies);
    for (size_t j = 0; j < EACH; j++)
      bodies[j] = plain_offer_body(world, &party, "Veel");
    bodies_ids(bodies, EACH, ids + i * EACH);
    requests[i] = publish_request(world, &party, sign_run(world, &party, bodies, EACH));
  }
  assert_int_equal(commit_requests(world, requests, RUNS), COLLEGA_OK);
  assert_int_equal(world->result.answer_count, 2); /* of the first two runs, and of the third */
  assert_int_equal(assert_receipts(world, answer_at(world, 0), ids, 2 * EACH), before + 1);
  assert_int_equal(assert_receipts(world, answer_at(world, 1), ids + 2 * EACH, EACH),
                   before + 1 + 2 * EACH);
  Collega__Filter all = COLLEGA__FILTER__INIT;
  struct board_seen seen, live;
  read_board(world, &all, before, &seen);
  read_live(world, world->result.log, &all, before, &live);
  assert_int_equal(seen.count, RUNS * EACH);
  assert_int_equal(live.count, RUNS * EACH);
  assert_memory_equal(seen.ids, ids, RUNS * EACH * sizeof *ids);
  assert_memory_equal(live.ids, ids, RUNS * EACH * sizeof *ids);
  free(seen.ids);
  free(seen.seqs);
  free(live.ids);
  free(live.seqs);
  party_free(&party);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
  const struct CMUnitTest tests[] = {
      TEST(a_run_gets_receipts_that_verify),
      TEST(runs_of_one_batch_share_a_tree_and_each_gets_its_part),
      TEST(a_session_gets_one_answer_for_all_its_runs_of_a_batch),
      TEST(a_duplicate_gets_its_first_answer_byte_for_byte),
      TEST(a_duplicate_in_one_batch_is_stored_once),
      TEST(another_record_under_a_taken_number_is_equivocation),
      TEST(leaves_are_judged_singly_and_the_rest_still_verifies),
      TEST(gaps_in_sequence_numbers_can_be_filled_later),
      TEST(sequence_numbers_of_a_run_must_ascend),
      TEST(what_is_past_its_time_is_refused_but_its_duplicate_is_not),
      TEST(only_board_records_of_members_are_taken),
      TEST(another_home_cannot_publish_for_a_member),
      TEST(a_forged_run_is_refused_and_its_head_counts_all_the_same),
      TEST(a_head_that_does_not_follow_forbids_what_is_new),
      TEST(the_same_head_may_come_again),
      TEST(more_than_4096_leaves_become_two_trees),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
