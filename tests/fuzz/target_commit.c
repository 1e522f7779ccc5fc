/* The broker behind its sockets: frames of two members and an invited one are guarded, prepared and
 * committed into a store that knows them, and what it answers is what a node may hear. Board,
 * mailboxes and copies can be read after anything.
 *
 * Input: scene and forgiveness, then steps: who speaks and whether the commit waits for the next,
 * then a frame. */
#include "broker/commit/commit.h"

#include <stdlib.h>
#include <string.h>

#include "broker/store/log_rows.h"
#include "broker/store/member_rows.h"
#include "proto/check.h"
#include "proto/guard.h"
#include "tests/fuzz/stage.h"

#define STEPS_MOST 64
#define BATCH_MOST 8

static struct stage stage; /* made once, before the first input */

struct play {
  struct store *store;
  struct commit *commit;
  struct member_source source;
  struct members *members;
  struct request *batch[BATCH_MOST];
  size_t count;
  collega_time now;
};

static void begin(struct play *play, enum scene scene) {
  struct collega_error error;
  struct store_options options = {.path = stage_copy(&stage, scene, "broker"),
                                  .map_bytes = 64u * 1024 * 1024};
  *play = (struct play){.now = stage.now};
  fuzz_must(store_open(&options, &play->store, &error) == COLLEGA_OK);
  fuzz_must(commit_open(play->store, stage.broker, "Netwerk West", &play->commit, &error) ==
            COLLEGA_OK);
  play->source = (struct member_source){play->store, *identity_party(stage.broker)};
  play->members = members_new(member_source_load, &play->source);
  fuzz_must(play->members != NULL);
}

static void heard(struct bytes packed) {
  struct arena *arena = fuzz_arena();
  struct collega_error error;
  Collega__FromBroker *frame =
      (Collega__FromBroker *)fuzz_unpack(&collega__from_broker__descriptor, packed, arena, &error);
  fuzz_must(frame != NULL && frame_from_broker(frame) != 0);
  arena_destroy(&arena);
}

static void commit(struct play *play) {
  if (play->count == 0) return;
  struct commit_result result;
  struct collega_error error;
  error_clear(&error);
  fuzz_must(commit_batch(play->commit, play->batch, play->count, play->now, &result, &error) ==
            COLLEGA_OK);
  for (size_t i = 0; i < result.answer_count; i++)
    heard(result.answers[i].packed);
  for (size_t i = 0; i < result.changed_count; i++)
    members_forget(play->members, &result.changed[i]);
  commit_result_free(&result);
  for (size_t i = 0; i < play->count; i++)
    request_destroy(&play->batch[i]);
  play->count = 0;
}

static void fetch(struct play *play, const Collega__Fetch *wanted) {
  struct store_txn *txn = NULL;
  struct broker_state state;
  struct collega_error error;
  bool found = false, done = false;
  uint64_t after = wanted->after;
  fuzz_must(store_read(play->store, &txn, &error) == COLLEGA_OK);
  fuzz_must(state_read(txn, &state, &found, &error) == COLLEGA_OK && found);
  for (int parts = 0; !done && parts < 64; parts++) {
    struct arena *arena = fuzz_arena();
    struct bytes frame;
    uint32_t items;
    fuzz_must(fetch_read(txn, &state.epoch, wanted, &after, arena, &frame, &items, &done, &error) ==
              COLLEGA_OK);
    heard(frame);
    arena_destroy(&arena);
  }
  store_end(&txn);
}

static void board(struct play *play, const Collega__Filter *filter) {
  struct store_txn *txn = NULL;
  struct broker_state state;
  struct collega_error error;
  bool found = false;
  fuzz_must(store_read(play->store, &txn, &error) == COLLEGA_OK);
  fuzz_must(state_read(txn, &state, &found, &error) == COLLEGA_OK && found);
  for (uint64_t after = 0, through; after < state.log_seq; after = through) {
    struct arena *arena = fuzz_arena();
    struct bytes frame;
    uint32_t records;
    fuzz_must(board_read(txn, &state.broker, &state.epoch, 1, filter, after, arena, &frame,
                         &records, &through, &error) == COLLEGA_OK);
    fuzz_must(through > after);
    heard(frame);
    arena_destroy(&arena);
  }
  store_end(&txn);
}

static void mailbox(struct play *play, const struct id *party) {
  struct store_txn *txn = NULL;
  struct broker_state state;
  struct collega_error error;
  bool found = false;
  struct arena *arena = fuzz_arena();
  struct bytes frame = {NULL, 0};
  uint32_t items = 0;
  uint64_t last = 0;
  fuzz_must(store_read(play->store, &txn, &error) == COLLEGA_OK);
  fuzz_must(state_read(txn, &state, &found, &error) == COLLEGA_OK && found);
  fuzz_must(mail_read(txn, party, &state.epoch, 0, 64, 512u * 1024, arena, &frame, &items, &last,
                      &error) == COLLEGA_OK);
  if (items > 0) heard(frame);
  store_end(&txn);
  arena_destroy(&arena);
}

static void speak(struct play *play, uint8_t who, struct bytes packed) {
  struct request *request = request_new(REQUEST_PUBLISH);
  fuzz_must(request != NULL);
  size_t home = who & 3;
  struct collega_error error;
  request->packed = packed;
  request->session = home + 1;
  memset(request->link_key, 7, sizeof request->link_key);
  if (home < STAGE_HOMES) {
    request->home = stage.home[home];
    memcpy(request->link_key, stage.link_key[home], sizeof request->link_key);
  }
  Collega__ToBroker *frame = (Collega__ToBroker *)fuzz_unpack(&collega__to_broker__descriptor,
                                                              packed, request->arena, &error);
  bool invited_may = frame != NULL && (home < STAGE_HOMES) == (frame->join == NULL);
  if (frame == NULL || frame_to_broker(frame) == 0 || !invited_may) { /* the session's machine */
    request_destroy(&request);
    return;
  }
  if (frame->follow != NULL) board(play, frame->follow->filter);
  if (frame->fetch != NULL && home < STAGE_HOMES) fetch(play, frame->fetch);
  if (!(frame->join || frame->publish || frame->send || frame->ack || frame->decide)) {
    request_destroy(&request);
    return;
  }
  request->frame = frame;
  request_prepare(request, play->members, play->now);
  if (request->prepared != COLLEGA_OK) fuzz_check_error(&request->error);
  play->batch[play->count++] = request;
  if (!(who & 8) || play->count == BATCH_MOST) commit(play);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  static const Collega__Filter everything = COLLEGA__FILTER__INIT;
  if (stage.broker == NULL) stage_make(&stage, NULL, NULL);
  struct fuzz_input input = fuzz_begin(data, length);
  uint8_t how = fuzz_byte(&input);
  struct play play;
  begin(&play, (enum scene)(how % SCENES));
  fuzz_forgive(how >> 4 & 1);
  for (int steps = 0; input.length > 0 && steps < STEPS_MOST; steps++) {
    uint8_t who = fuzz_byte(&input);
    if (who & 16) play.now += DAY_MS;
    speak(&play, who, fuzz_piece(&input));
  }
  commit(&play);
  bool more = false;
  uint64_t through = 0;
  struct collega_error error;
  fuzz_must(commit_sweep(play.commit, play.now, &more, &error) == COLLEGA_OK);
  fuzz_must(commit_compact(play.commit, play.now, &through, &more, &error) == COLLEGA_OK);
  board(&play, &everything);
  for (size_t i = 0; i < STAGE_HOMES; i++)
    mailbox(&play, &stage.home[i]);
  members_destroy(&play.members);
  commit_close(&play.commit);
  store_close(&play.store);
  return 0;
}
