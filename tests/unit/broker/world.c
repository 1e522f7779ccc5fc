#include "world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <ftw.h>

#include "base/words.h"
#include "proto/tree.h"

void test_print_error(const struct collega_error *error) {
  char text[512];
  error_render(LANGUAGE_EN, error, text, sizeof text);
  print_error("%s\n", text);
}

/* ---- the broker */

void world_open(struct world *world) {
  char path[96];
  snprintf(path, sizeof path, "%s/store", world->directory);
  struct store_options options = {.path = path, .map_bytes = world->map_bytes};
  must(store_open(&options, &world->store, &error));
  must(commit_open(world->store, world->identity, "ACE Test", &world->commit, &error));
  world->source = (struct member_source){world->store, *identity_party(world->identity)};
  world->members = members_new(member_source_load, &world->source);
  assert_non_null(world->members);
}

void world_close(struct world *world) {
  members_destroy(&world->members);
  commit_close(&world->commit);
  store_close(&world->store);
}

int world_setup(void **state) {
  struct world *world = calloc(1, sizeof *world);
  assert_non_null(world);
  must(bytes_start(&error));
  snprintf(world->directory, sizeof world->directory, "/tmp/collega-broker-XXXXXX");
  assert_non_null(mkdtemp(world->directory));
  world->map_bytes = 256u * 1024u * 1024u;
  world->now = TEST_TIME;
  world->arena = arena_new(65536, 1024u * 1024u * 1024u);
  char recovery[RECOVERY_TEXT_BYTES];
  struct epoch epoch;
  random_fill(&epoch, sizeof epoch);
  must(identity_create(true, &epoch, 1, world->now, recovery, &world->identity, &error));
  world_open(world);
  *state = world;
  return 0;
}

static int remove_entry(const char *path, const struct stat *entry, int type, struct FTW *walk) {
  (void)entry;
  (void)type;
  (void)walk;
  return remove(path);
}

int world_teardown(void **state) {
  struct world *world = *state;
  commit_result_free(&world->result);
  world_close(world);
  identity_destroy(&world->identity);
  arena_destroy(&world->arena);
  nftw(world->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
  free(world);
  return 0;
}

struct store_txn *world_read(struct world *world) {
  struct store_txn *txn = NULL;
  must(store_read(world->store, &txn, &error));
  return txn;
}

struct broker_state world_state(struct world *world) {
  struct store_txn *txn = world_read(world);
  struct broker_state broker;
  bool found = false;
  must(state_read(txn, &broker, &found, &error));
  store_end(&txn);
  assert_true(found);
  return broker;
}

/* ---- parties */

void party_make(struct world *world, struct party *party, uint64_t session) {
  *party = (struct party){.session = session, .seq = 1};
  char recovery[RECOVERY_TEXT_BYTES];
  random_fill(&party->epoch, sizeof party->epoch);
  must(identity_create(true, &party->epoch, 1, world->now, recovery, &party->identity, &error));
  party->id = *identity_party(party->identity);
  memcpy(party->link_key, identity_public(party->identity)->link, sizeof party->link_key);
}

void party_free(struct party *party) {
  identity_destroy(&party->identity);
}

/* Each employer has a number of its own. */
static uint32_t party_number(const struct party *party) {
  uint32_t number;
  memcpy(&number, party->id.byte, sizeof number);
  return number % 90000000u + 10000000u;
}

static void invite(struct world *world, struct party *party, const char *name, collega_time expires,
                   Collega__Role role, const struct id *host) {
  Collega__Invitation invitation = COLLEGA__INVITATION__INIT;
  invitation.name = (char *)(uintptr_t)name;
  char kvk[MEMBER_KVK_BYTES];
  snprintf(kvk, sizeof kvk, "%08u", (party->kvk ? party->kvk : party_number(party)) % 100000000u);
  invitation.kvk = kvk;
  invitation.expires = expires;
  struct request *request = request_new(REQUEST_INVITE);
  assert_non_null(request);
  random_fill(party->invitation_key, sizeof party->invitation_key);
  request->invitation = &invitation;
  request->role = role;
  if (host) request->host = *host;
  memcpy(request->invitation_public, party->invitation_key, sizeof request->invitation_public);
  commit_one(world, request);
}

void party_invite(struct world *world, struct party *party, const char *name,
                  collega_time expires) {
  invite(world, party, name, expires, COLLEGA__ROLE__ROLE_EMPLOYER, NULL);
}

void party_invite_as(struct world *world, struct party *party, const char *name, Collega__Role role,
                     const struct id *host) {
  invite(world, party, name, world->now + DAY_MS, role, host);
}

void party_join(struct world *world, struct party *party, uint64_t session) {
  party_make(world, party, session);
  party_invite(world, party, "Snijder BV", world->now + DAY_MS);
  struct run_view card;
  must(run_read_bytes(identity_card_run(party->identity, 0), world->arena, &card, &error));
  Collega__Join join = COLLEGA__JOIN__INIT;
  join.card = (Collega__Run *)(uintptr_t)card.run;
  Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;
  frame.join = &join;
  struct request *request = frame_request(world, party, &frame);
  memcpy(request->link_key, party->invitation_key, sizeof request->link_key);
  commit_one(world, request);
  assert_int_equal(world->result.answer_count, 1);
  assert_non_null(answer_at(world, 0)->cert);
}

/* ---- bodies */

struct bytes body_of(struct world *world, struct party *party, Collega__Body *body) {
  body->author = (ProtobufCBinaryData){ID_BYTES, party->id.byte};
  body->epoch = (ProtobufCBinaryData){EPOCH_BYTES, party->epoch.byte};
  body->seq = ++party->seq;
  struct bytes packed = message_pack(&body->base, world->arena);
  assert_non_null(packed.data);
  return packed;
}

static char *text(const char *literal) {
  return (char *)(uintptr_t)literal;
}

void test_offer_fill(struct test_offer *out, const char *title) {
  memset(out, 0, sizeof *out);
  collega__offer__init(&out->offer);
  collega__occupation__init(&out->occupation);
  collega__period__init(&out->period);
  collega__hours__init(&out->hours);
  collega__place__init(&out->place);
  out->occupation.isco = text("4321");
  out->period.from = date_of_time(TEST_TIME) + 10;
  out->period.has_until = 1;
  out->period.until = out->period.from + 80;
  out->hours.per_week_min = 24;
  out->hours.per_week_max = 40;
  out->place.region = text("AM25");
  out->offer.kind = COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT;
  out->offer.title = text(title);
  out->offer.occupation = &out->occupation;
  out->offer.headcount = 12;
  out->offer.period = &out->period;
  out->offer.hours = &out->hours;
  out->offer.place = &out->place;
  out->offer.has_expires = 1;
  out->offer.expires = TEST_TIME + 30 * DAY_MS;
}

struct bytes offer_body(struct world *world, struct party *party, const Collega__Offer *offer,
                        const struct short_id *id, uint32_t revision) {
  Collega__OfferRevision content = COLLEGA__OFFER_REVISION__INIT;
  content.id = (ProtobufCBinaryData){SHORT_ID_BYTES, (uint8_t *)(uintptr_t)id->byte};
  content.revision = revision;
  content.offer = (Collega__Offer *)(uintptr_t)offer;
  Collega__Body body = COLLEGA__BODY__INIT;
  body.type = COLLEGA__BODY_TYPE__BODY_TYPE_OFFER;
  body.offer = &content;
  return body_of(world, party, &body);
}

struct bytes plain_offer_body(struct world *world, struct party *party, const char *title) {
  struct test_offer offer;
  struct short_id id;
  test_offer_fill(&offer, title);
  random_fill(&id, sizeof id);
  return offer_body(world, party, &offer.offer, &id, 1);
}

void bodies_ids(const struct bytes *bodies, size_t count, struct id *ids) {
  for (size_t i = 0; i < count; i++)
    record_id(&ids[i], bodies[i]);
}

/* ---- requests */

Collega__Head *next_head(struct world *world, struct party *party) {
  Collega__Head *head = arena_take(world->arena, sizeof *head);
  struct id *previous = arena_copy(world->arena, &party->head, sizeof party->head);
  struct id *hash = arena_take(world->arena, sizeof *hash);
  assert_true(head && previous && hash);
  collega__head__init(head);
  random_fill(hash, sizeof *hash);
  head->epoch = (ProtobufCBinaryData){EPOCH_BYTES, party->epoch.byte};
  head->number = ++party->head_number;
  head->hash = (ProtobufCBinaryData){ID_BYTES, hash->byte};
  head->has_previous = party->told;
  head->previous = (ProtobufCBinaryData){ID_BYTES, previous->byte};
  party->told = true;
  party->head = *hash;
  return head;
}

Collega__Run *sign_run(struct world *world, const struct party *party, const struct bytes *bodies,
                       size_t count) {
  Collega__Run *run = NULL;
  must(run_sign(party->identity, bodies, count, world->arena, &run, &error));
  return run;
}

struct request *frame_request(struct world *world, const struct party *party,
                              Collega__ToBroker *frame) {
  struct request *request = request_new(REQUEST_PUBLISH);
  assert_non_null(request);
  request->packed = message_pack(&frame->base, world->arena);
  assert_non_null(request->packed.data);
  request->session = party->session;
  request->home = party->id;
  memcpy(request->link_key, party->link_key, sizeof request->link_key);
  request_prepare(request, world->members, world->now);
  return request;
}

struct request *publish_request(struct world *world, struct party *party, const Collega__Run *run) {
  Collega__Publish publishing = COLLEGA__PUBLISH__INIT;
  publishing.run = (Collega__Run *)(uintptr_t)run;
  publishing.head = next_head(world, party);
  Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;
  frame.publish = &publishing;
  return frame_request(world, party, &frame);
}

enum collega_status commit_requests(struct world *world, struct request **requests, size_t count) {
  struct collega_error error;
  error_clear(&error);
  commit_result_free(&world->result);
  enum collega_status status =
      commit_batch(world->commit, requests, count, world->now, &world->result, &error);
  for (size_t i = 0; i < world->result.changed_count; i++)
    members_forget(world->members, &world->result.changed[i]);
  for (size_t i = 0; i < count; i++)
    request_destroy(&requests[i]);
  return status;
}

void commit_one(struct world *world, struct request *request) {
  assert_int_equal(commit_requests(world, &request, 1), COLLEGA_OK);
}

void publish(struct world *world, struct party *party, const struct bytes *bodies, size_t count) {
  commit_one(world, publish_request(world, party, sign_run(world, party, bodies, count)));
}

/* ---- answers */

const Collega__FromBroker *unpack_answer(struct world *world, struct bytes packed) {
  ProtobufCMessage *message = NULL;
  assert_true(packed.length <= LIMIT_FRAME_BYTES);
  must(guard_unpack(&collega__from_broker__descriptor, packed, world->arena, &message, &error));
  return (const Collega__FromBroker *)message;
}

const Collega__FromBroker *answer_at(struct world *world, size_t index) {
  assert_true(index < world->result.answer_count);
  return unpack_answer(world, world->result.answers[index].packed);
}

void assert_refused(struct world *world, Collega__RefusalCode code) {
  assert_int_equal(world->result.answer_count, 1);
  const Collega__FromBroker *answer = answer_at(world, 0);
  assert_non_null(answer->refusal);
  assert_int_equal(answer->refusal->code, code);
}

uint64_t assert_receipts(struct world *world, const Collega__FromBroker *answer,
                         const struct id *ids, size_t count) {
  assert_non_null(answer->receipts);
  const Collega__Receipts *receipts = answer->receipts;
  assert_int_equal(receipts->n_ids, count);
  for (size_t i = 0; i < count; i++)
    assert_memory_equal(receipts->ids[i].data, ids[i].byte, ID_BYTES);
  uint64_t *seqs = arena_take(world->arena, count * sizeof *seqs);
  must(receipt_verify(receipts->receipt, ids, count, identity_public(world->identity)->signing,
                      seqs, &error));
  return seqs[0];
}

/* ---- the board */

static void grow_seen(struct board_seen *seen, size_t more) {
  seen->ids = realloc(seen->ids, (seen->count + more) * sizeof *seen->ids);
  seen->seqs = realloc(seen->seqs, (seen->count + more) * sizeof *seen->seqs);
  assert_true(seen->ids && seen->seqs);
}

static void see_run(struct world *world, const Collega__BoardRun *board_run,
                    struct board_seen *seen) {
  struct run_view view;
  must(run_read(board_run->run, world->arena, &view, &error));
  must(members_verify_run(world->members, &view, &error));
  grow_seen(seen, view.count);
  for (size_t i = 0; i < view.count; i++)
    seen->ids[seen->count + i] = view.records[i].id;
  must(receipt_verify(board_run->receipt, seen->ids + seen->count, view.count,
                      identity_public(world->identity)->signing, seen->seqs + seen->count, &error));
  seen->count += view.count;
}

static void see_frame(struct world *world, struct bytes frame, uint64_t after, uint64_t through,
                      struct board_seen *seen) {
  const Collega__Board *board = unpack_answer(world, frame)->board;
  assert_non_null(board);
  assert_int_equal(board->after, after);
  assert_int_equal(board->through, through);
  for (size_t i = 0; i < board->n_runs; i++)
    see_run(world, board->runs[i], seen);
  for (size_t i = 0; i < board->n_tombstones; i++) {
    seen->tombstones =
        realloc(seen->tombstones, (seen->tombstone_count + 1) * sizeof *seen->tombstones);
    assert_non_null(seen->tombstones);
    seen->tombstones[seen->tombstone_count++] = board->tombstones[i];
  }
  seen->frames++;
}

void read_board(struct world *world, const Collega__Filter *filter, uint64_t after,
                struct board_seen *out) {
  struct broker_state broker = world_state(world);
  struct store_txn *txn = world_read(world);
  *out = (struct board_seen){0};
  for (;;) {
    struct arena *arena = arena_new(65536, LIMIT_ARENA_BYTES);
    struct bytes frame;
    uint32_t records;
    uint64_t through;
    must(board_read(txn, &broker.broker, &broker.epoch, 1, filter, after, arena, &frame, &records,
                    &through, &error));
    if (frame.data)
      see_frame(world, frame, after, through, out);
    else
      assert_int_equal(through, after);
    bool more = frame.data != NULL;
    after = through;
    arena_destroy(&arena);
    if (!more) break;
  }
  store_end(&txn);
  assert_int_equal(after, broker.log_seq);
}

void read_live(struct world *world, const struct log_part *part, const Collega__Filter *filter,
               uint64_t after, struct board_seen *out) {
  struct broker_state broker = world_state(world);
  *out = (struct board_seen){0};
  while (after < part->last_seq) {
    struct arena *arena = arena_new(65536, LIMIT_ARENA_BYTES);
    struct bytes frame;
    uint32_t records;
    uint64_t through;
    must(board_live(part, &broker.broker, &broker.epoch, 1, filter, after, arena, &frame, &records,
                    &through, &error));
    see_frame(world, frame, after, through, out);
    assert_true(through > after);
    after = through;
    arena_destroy(&arena);
  }
}
