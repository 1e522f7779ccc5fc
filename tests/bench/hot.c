/* The hot paths, each by itself, for counting their instructions (tests/bench/instructions.py).
 *
 *   hot PATH DIRECTORY TIMES
 *
 * Does what PATH names TIMES times, on the same inputs on every run. Everything else it does does not depend on TIMES,
 * so the difference between two runs is the path's alone. DIRECTORY is made. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include "base/words.h"
#include "broker/board/board.h"
#include "broker/commit/commit.h"
#include "broker/store/log_rows.h"
#include "broker/store/member_rows.h"
#include "client/exchange/exchange.h"
#include "client/exchange/parties.h"
#include "proto/check.h"
#include "proto/guard.h"
#include "proto/invitation.h"
#include "proto/limits.h"
#include "proto/link/link.h"
#include "tests/bench/measure.h"
#include "tests/bench/offers.h"

#define RUN         100u
#define MAP_BYTES   (UINT64_C(1) << 30)
#define ARENA_BYTES ((size_t)1 << 30)

struct scene {
  struct arena *arena;   /* of what stays */
  struct arena *scratch; /* of one turn */
  struct employer employer;
  struct bytes frame;            /* a Publish of RUN offers */
  const Collega__ToBroker *read; /* the same, unpacked */
  struct bytes body;
  /* with a broker */
  struct store *store;
  struct identity *identity;
  struct commit *commit;
  struct member_source source;
  struct members *members;
  /* with a node */
  struct exchange *node;
  struct told_head told;
};

static void must(enum collega_status status, const struct collega_error *error) {
  if (status != COLLEGA_OK) give_up("rule %s, field %s", rule_name(error->rule), error->field);
}

static void scene_make(struct scene *scene) {
  struct collega_error error;
  ProtobufCMessage *message;
  scene->arena = arena_new((size_t)1 << 20, ARENA_BYTES);
  scene->scratch = arena_new((size_t)4 << 20, ARENA_BYTES);
  NEED(scene->arena != NULL && scene->scratch != NULL);
  employer_make(&scene->employer, 1);
  scene->frame = employer_publish(&scene->employer, RUN, scene->arena);
  must(guard_unpack(&collega__to_broker__descriptor, scene->frame, scene->arena, &message, &error),
       &error);
  scene->read = (const Collega__ToBroker *)message;
  const ProtobufCBinaryData *body = &scene->read->publish->run->bodies[0];
  scene->body = bytes_of(body->data, body->len);
}

static void commit_all(struct scene *scene, struct request **batch, size_t count,
                       struct commit_result *result) {
  struct collega_error error;
  must(commit_batch(scene->commit, batch, count, clock_now(), result, &error), &error);
}

static struct request *publish_of(struct scene *scene, struct bytes packed) {
  struct request *request = request_new(REQUEST_PUBLISH);
  NEED(request != NULL);
  request->home = *identity_party(scene->employer.identity);
  request->session = 1;
  request->packed = packed;
  request_prepare(request, scene->members, clock_now());
  if (request->prepared != COLLEGA_OK) must(request->prepared, &request->error);
  return request;
}

static void broker_make(struct scene *scene, const char *directory) {
  struct collega_error error;
  struct commit_result result;
  static const struct epoch epoch = {{1, 2, 3, 4, 5, 6, 7, 8}};
  static const uint8_t seed[32] = {1}, recovery[32] = {2};
  struct store_options options = {.path = directory, .map_bytes = MAP_BYTES};
  must(store_open(&options, &scene->store, &error), &error);
  must(identity_create_from(seed, recovery, true, &epoch, 1, clock_now(), &scene->identity, &error),
       &error);
  must(commit_open(scene->store, scene->identity, "Meting", &scene->commit, &error), &error);
  scene->source = (struct member_source){scene->store, *identity_party(scene->identity)};
  scene->members = members_new(member_source_load, &scene->source);
  NEED(scene->members != NULL);
  struct request *invite = request_new(REQUEST_INVITE), *join = request_new(REQUEST_JOIN);
  NEED(invite != NULL && join != NULL);
  Collega__Invitation invitation = COLLEGA__INVITATION__INIT;
  invitation.name = (char *)(uintptr_t) "Meting BV";
  invitation.kvk = (char *)(uintptr_t) "12345678";
  invitation.expires = clock_now() + DAY_MS;
  invite->invitation = &invitation;
  memset(invite->invitation_public, 7, sizeof invite->invitation_public);
  memset(join->link_key, 7, sizeof join->link_key);
  commit_all(scene, &invite, 1, &result);
  commit_result_free(&result);
  Collega__Join content = COLLEGA__JOIN__INIT;
  Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;
  content.card = employer_card(&scene->employer, join->arena);
  frame.join = &content;
  join->packed = message_pack(&frame.base, join->arena);
  request_prepare(join, scene->members, clock_now());
  NEED(join->prepared == COLLEGA_OK);
  commit_all(scene, &join, 1, &result);
  commit_result_free(&result);
  request_destroy(&invite);
  request_destroy(&join);
}

/* ---- the paths */

/* One body: judged, unpacked, its meaning checked. */
static void guard_and_check(struct scene *scene, size_t times) {
  struct collega_error error;
  for (size_t i = 0; i < times; i++) {
    ProtobufCMessage *message;
    must(guard_unpack_borrowing(&collega__body__descriptor, scene->body, scene->scratch, &message,
                                &error),
         &error);
    must(check_body((const Collega__Body *)message, scene->body.length, &error), &error);
    arena_reset(scene->scratch);
  }
}

/* A run of RUN records: bodies, ids, tree. Counted for each record. */
static void read_run(struct scene *scene, size_t times) {
  struct collega_error error;
  for (size_t i = 0; i < times; i += RUN) {
    struct run_view view;
    must(run_read(scene->read->publish->run, scene->scratch, &view, &error), &error);
    arena_reset(scene->scratch);
  }
}

/* Publishes of RUN records, ten to a commit. Counted for each record; making and preparing them is counted by
 * publish_prepare. */
static void publish_commit(struct scene *scene, size_t times) {
  struct request *first = publish_of(scene, scene->frame); /* the heads follow on its own */
  struct commit_result taken;
  commit_all(scene, &first, 1, &taken);
  for (size_t done = 0; done < times;) {
    struct request *batch[10];
    struct commit_result result;
    size_t count = 0;
    for (; count < 10 && done < times; count++, done += RUN)
      batch[count] = publish_of(scene, employer_publish(&scene->employer, RUN, scene->scratch));
    commit_all(scene, batch, count, &result);
    NEED(result.log != NULL && result.log->last_seq - result.log->first_seq + 1 == count * RUN);
    commit_result_free(&result);
    for (size_t i = 0; i < count; i++)
      request_destroy(&batch[i]);
    arena_reset(scene->scratch);
  }
}

static void publish_prepare(struct scene *scene, size_t times) {
  for (size_t done = 0; done < times; done += RUN) {
    struct request *request =
        publish_of(scene, employer_publish(&scene->employer, RUN, scene->scratch));
    request_destroy(&request);
    arena_reset(scene->scratch);
  }
}

/* The frame of one commit of RUN records, for a filter of everything or of one kind. Counted for each record. */
static void board_frames(struct scene *scene, size_t times, Collega__Filter *filter) {
  struct collega_error error;
  struct commit_result result;
  struct request *request = publish_of(scene, scene->frame);
  static const struct epoch epoch = {{1}};
  commit_all(scene, &request, 1, &result);
  for (size_t i = 0; i < times; i += RUN) {
    struct bytes frame;
    uint32_t records;
    uint64_t through;
    must(board_live(result.log, &scene->source.broker, &epoch, 1, filter, result.log->first_seq - 1,
                    scene->scratch, &frame, &records, &through, &error),
         &error);
    NEED(through == result.log->last_seq && records > 0);
    arena_reset(scene->scratch);
  }
  commit_result_free(&result);
  request_destroy(&request);
}

static void board_whole(struct scene *scene, size_t times) {
  Collega__Filter everything = COLLEGA__FILTER__INIT;
  board_frames(scene, times, &everything);
}

static void board_cut(struct scene *scene, size_t times) {
  Collega__Filter filter = COLLEGA__FILTER__INIT;
  Collega__OfferKind kind = COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT;
  filter.n_kinds = 1;
  filter.kinds = &kind;
  board_frames(scene, times, &filter);
}

/* The broker's half of a session: a Publish judged, charged, committed, its credit given back. */
static void session_step(struct scene *scene, size_t times) {
  struct broker_session session;
  Collega__Hello hello = COLLEGA__HELLO__INIT;
  Collega__ToBroker greeting = COLLEGA__TO_BROKER__INIT;
  hello.version = PROTOCOL_VERSION;
  greeting.hello = &hello;
  broker_session_start(&session, PEER_MEMBER, 1);
  struct link_answer answer =
      broker_session_frame(&session, cost_to_broker(&greeting, 100), &greeting, 1);
  for (size_t i = 0; i < times; i++) {
    struct frame_cost cost = cost_to_broker(scene->read, scene->frame.length);
    struct credit due;
    answer = broker_session_frame(&session, cost, scene->read, 2);
    NEED(answer.verdict == LINK_TAKE);
    broker_session_committed(&session, cost, &due);
  }
}

/* ---- a node that reads the broker's board */

static void take_one(struct scene *scene, struct bytes packed) {
  struct collega_error error;
  struct intake_outcome outcome;
  ProtobufCMessage *message;
  must(guard_unpack(&collega__from_broker__descriptor, packed, scene->scratch, &message, &error),
       &error);
  must(intake_frame(scene->node, (const Collega__FromBroker *)message, packed, clock_now(),
                    &scene->told, scene->scratch, &outcome, &error),
       &error);
}

static void take_welcome(struct scene *scene, bool member) {
  struct collega_error error;
  struct store_txn *txn = NULL;
  struct bytes frame;
  must(store_read(scene->store, &txn, &error), &error);
  must(welcome_read(txn, exchange_host(scene->node), member, clock_now(), scene->scratch, &frame,
                    &error),
       &error);
  store_end(&txn);
  take_one(scene, frame);
}

static void take_log(struct scene *scene) {
  struct collega_error error;
  struct store_txn *txn = NULL;
  struct broker_state state;
  struct bytes frame;
  Collega__Filter everything = COLLEGA__FILTER__INIT;
  uint32_t records = 0;
  uint64_t through = 0;
  bool found = false;
  must(store_read(scene->store, &txn, &error), &error);
  must(state_read(txn, &state, &found, &error), &error);
  must(board_read(txn, &scene->source.broker, &state.epoch, 1, &everything, 0, scene->scratch,
                  &frame, &records, &through, &error),
       &error);
  NEED(found && through == state.log_seq);
  store_end(&txn);
  take_one(scene, frame);
}

/* The broker takes what the node asks with its invitation, and the node takes the answer. */
static void join(struct scene *scene, const uint8_t invitation_public[32]) {
  struct collega_error error;
  struct commit_result result;
  struct request *request = request_new(REQUEST_JOIN);
  NEED(request != NULL);
  must(exchange_join(scene->node, exchange_host(scene->node), request->arena, &request->packed,
                     &error),
       &error);
  memcpy(request->link_key, invitation_public, sizeof request->link_key);
  request_prepare(request, scene->members, clock_now());
  if (request->prepared != COLLEGA_OK) must(request->prepared, &request->error);
  commit_all(scene, &request, 1, &result);
  NEED(result.answer_count > 0);
  take_one(scene, result.answers[0].packed);
  commit_result_free(&result);
  request_destroy(&request);
}

static void node_make(struct scene *scene, const char *directory) {
  struct collega_error error;
  struct commit_result result;
  struct id party;
  char home[512], recovery[RECOVERY_TEXT_BYTES], token[INVITATION_TEXT_BYTES];
  char *address = (char *)(uintptr_t) "tcp://127.0.0.1:7440";
  uint8_t secret[32];
  snprintf(home, sizeof home, "%s.node", directory);
  const struct node_init init = {home, "Lezer BV", "87654321", "A. de Boer", "directeur"};
  must(node_init(&init, clock_now(), &party, recovery, &error), &error);
  must(exchange_open(home, &scene->node, &error), &error);
  exchange_use_all_cores(scene->node);

  struct request *invite = request_new(REQUEST_INVITE);
  NEED(invite != NULL);
  Collega__Invitation invitation = COLLEGA__INVITATION__INIT;
  random_fill(secret, sizeof secret);
  NEED(crypto_scalarmult_base(invite->invitation_public, secret) == 0);
  invitation.broker = (ProtobufCBinaryData){ID_BYTES, scene->source.broker.byte};
  invitation.broker_name = invitation.name = (char *)(uintptr_t) "Lezer BV";
  invitation.kvk = (char *)(uintptr_t) "87654321";
  invitation.n_addresses = 1;
  invitation.addresses = &address;
  invitation.link_key =
      (ProtobufCBinaryData){32, (uint8_t *)(uintptr_t)identity_public(scene->identity)->link};
  invitation.secret = (ProtobufCBinaryData){sizeof secret, secret};
  invitation.expires = clock_now() + DAY_MS;
  invite->invitation = &invitation;
  commit_all(scene, &invite, 1, &result);
  commit_result_free(&result);
  must(invitation_write(&invitation, token, &error), &error);
  must(join_store_token(scene->node, token, &error), &error);
  struct request *first = publish_of(scene, scene->frame); /* the heads follow on its own */
  commit_all(scene, &first, 1, &result);
  commit_result_free(&result);
  request_destroy(&first);
  take_welcome(scene, false);
  join(scene, invite->invitation_public);
  take_welcome(scene, true);
  take_log(scene);
  request_destroy(&invite);
  arena_reset(scene->scratch);
}

#define FRAMES 10u

/* The frames of one commit of RUN records each, FRAMES at once. Counted for each record; what the broker does for
 * them is counted by node_frames. */
static void node_boards(struct scene *scene, size_t times, bool take) {
  static const struct epoch none;
  struct collega_error error;
  struct store_txn *txn = NULL;
  struct broker_state state = {.epoch = none};
  Collega__Filter everything = COLLEGA__FILTER__INIT;
  bool found = false;
  must(store_read(scene->store, &txn, &error), &error);
  must(state_read(txn, &state, &found, &error), &error);
  store_end(&txn);
  for (size_t done = 0; done < times;) {
    const Collega__FromBroker *frames[FRAMES];
    size_t count = 0, taken = 0;
    for (; count < FRAMES && done < times; count++, done += RUN) {
      struct commit_result result;
      struct bytes packed;
      uint32_t records;
      uint64_t through;
      ProtobufCMessage *message;
      struct request *request =
          publish_of(scene, employer_publish(&scene->employer, RUN, scene->scratch));
      commit_all(scene, &request, 1, &result);
      must(board_live(result.log, &scene->source.broker, &state.epoch, 1, &everything,
                      result.log->first_seq - 1, scene->scratch, &packed, &records, &through,
                      &error),
           &error);
      commit_result_free(&result);
      request_destroy(&request);
      must(guard_unpack_borrowing(&collega__from_broker__descriptor, packed, scene->scratch,
                                  &message, &error),
           &error);
      frames[count] = (const Collega__FromBroker *)message;
    }
    struct intake_outcome outcome;
    if (take)
      must(intake_boards(scene->node, frames, count, clock_now(), &scene->told, scene->scratch,
                         &taken, &outcome, &error),
           &error);
    NEED(!take || (taken == count && !outcome.frame_due));
    arena_reset(scene->scratch);
  }
}

static void node_frames(struct scene *scene, size_t times) {
  node_boards(scene, times, false);
}

static void node_board(struct scene *scene, size_t times) {
  node_boards(scene, times, true);
}

static const struct path {
  const char *name;
  void (*walk)(struct scene *scene, size_t times);
  bool broker, node;
} paths[] = {
    {"guard_and_check", guard_and_check, false, false},
    {"read_run", read_run, false, false},
    {"publish_prepare", publish_prepare, true, false},
    {"publish_commit", publish_commit, true, false},
    {"board_whole", board_whole, true, false},
    {"board_cut", board_cut, true, false},
    {"session_step", session_step, false, false},
    {"node_frames", node_frames, true, true},
    {"node_board", node_board, true, true},
};

int main(int count, char **arguments) {
  if (count != 4 || bytes_start(NULL) != COLLEGA_OK)
    give_up("usage: %s PATH DIRECTORY TIMES", arguments[0]);
  struct scene scene = {0};
  scene_make(&scene);
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
    if (strcmp(paths[i].name, arguments[1]) != 0) continue;
    if (paths[i].broker) broker_make(&scene, arguments[2]);
    if (paths[i].node) node_make(&scene, arguments[2]);
    paths[i].walk(&scene, number_argument(arguments[3]));
    return 0; /* what it holds ends with it */
  }
  give_up("no such path: %s", arguments[1]);
}
