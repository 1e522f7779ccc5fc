/* The broker's work without its sockets: what a worker does with a frame, what the committer does with what
 * comes out, what a follower's frame costs. So that it is seen where the time goes.
 *
 *   commit DIRECTORY RECORDS RUN BATCH      RECORDS offers in runs of RUN, at most BATCH records a transaction
 *
 * Figures in microseconds of CPU (of this thread) a record, unless their name says otherwise. DIRECTORY is made. */
#include "broker/commit/commit.h"

#include <string.h>
#include "base/words.h"
#include "broker/store/member_rows.h"
#include "proto/guard.h"
#include "proto/limits.h"
#include "tests/bench/measure.h"
#include "tests/bench/offers.h"

#define MAP_BYTES   (UINT64_C(16) << 30)
#define FRAMES_MOST 100000u
#define ARENA_BYTES ((size_t)2 << 30)

struct broker {
  struct store *store;
  struct identity *identity;
  struct commit *commit;
  struct member_source source;
  struct members *members;
};

static struct bytes frames[FRAMES_MOST];
static int64_t latencies[FRAMES_MOST]; /* of each commit */

static void say_each(const char *name, int64_t used, size_t records) {
  say(name, (double)used / 1e3 / (double)records);
}

/* ---- a broker with one member */

static void must(enum collega_status status, const struct collega_error *error) {
  if (status != COLLEGA_OK) give_up("rule %s, field %s", rule_name(error->rule), error->field);
}

static void broker_open(struct broker *broker, const char *directory) {
  struct collega_error error;
  struct epoch epoch;
  char recovery[RECOVERY_TEXT_BYTES];
  random_fill(epoch.byte, sizeof epoch.byte);
  struct store_options options = {.path = directory, .map_bytes = MAP_BYTES};
  must(store_open(&options, &broker->store, &error), &error);
  must(identity_create(true, &epoch, 1, clock_now(), recovery, &broker->identity, &error), &error);
  must(commit_open(broker->store, broker->identity, "Meting", &broker->commit, &error), &error);
  broker->source = (struct member_source){broker->store, *identity_party(broker->identity)};
  broker->members = members_new(member_source_load, &broker->source);
  NEED(broker->members != NULL);
}

/* One transaction. Every request must be taken: a refusal ends the measurement. */
static void commit_all(struct broker *broker, struct request **batch, size_t count,
                       struct commit_result *result) {
  struct collega_error error;
  must(commit_batch(broker->commit, batch, count, clock_now(), result, &error), &error);
}

static void broker_admit(struct broker *broker, const struct employer *employer) {
  struct commit_result result;
  struct request *invite = request_new(REQUEST_INVITE), *join = request_new(REQUEST_JOIN);
  NEED(invite != NULL && join != NULL);
  Collega__Invitation invitation = COLLEGA__INVITATION__INIT;
  invitation.name = (char *)(uintptr_t) "Meting BV";
  invitation.kvk = (char *)(uintptr_t) "12345678";
  invitation.expires = clock_now() + DAY_MS;
  invite->invitation = &invitation;
  random_fill(invite->invitation_public, sizeof invite->invitation_public);
  memcpy(join->link_key, invite->invitation_public, sizeof join->link_key);
  commit_all(broker, &invite, 1, &result);
  commit_result_free(&result);

  Collega__Join content = COLLEGA__JOIN__INIT;
  Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;
  content.card = employer_card(employer, join->arena);
  frame.join = &content;
  join->packed = message_pack(&frame.base, join->arena);
  request_prepare(join, broker->members, clock_now());
  NEED(join->prepared == COLLEGA_OK);
  commit_all(broker, &join, 1, &result);
  NEED(result.log != NULL);
  commit_result_free(&result);
  request_destroy(&invite);
  request_destroy(&join);
  members_forget(broker->members, identity_party(employer->identity));
}

static void broker_close(struct broker *broker) {
  members_destroy(&broker->members);
  commit_close(&broker->commit);
  identity_destroy(&broker->identity);
  store_close(&broker->store);
}

/* ---- what a worker does, step by step; then as it does it */

static void measure_steps(const struct bytes *packed, size_t count, size_t records,
                          const uint8_t key[32]) {
  struct arena *arena = arena_new(65536, LIMIT_ARENA_BYTES);
  struct collega_error error;
  int64_t walked = 0, unpacked = 0, read = 0, verified = 0;
  NEED(arena != NULL);
  for (size_t i = 0; i < count; i++) {
    ProtobufCMessage *message = NULL;
    struct run_view view;
    int64_t began = thread_nanoseconds();
    must(guard_walk(&collega__to_broker__descriptor, packed[i], &error), &error);
    int64_t now = thread_nanoseconds();
    walked += now - began;
    must(guard_unpack(&collega__to_broker__descriptor, packed[i], arena, &message, &error), &error);
    began = thread_nanoseconds();
    unpacked += began - now;
    must(run_read(((const Collega__ToBroker *)message)->publish->run, arena, &view, &error),
         &error);
    now = thread_nanoseconds();
    read += now - began;
    must(run_verify(&view, key, &error), &error);
    verified += thread_nanoseconds() - now;
    arena_reset(arena);
  }
  say_each("guard_walk_us", walked, records);
  say_each("guard_unpack_us", unpacked, records); /* walks too */
  say_each("run_read_us", read, records);         /* guard and check of each body, ids, tree */
  say_each("run_verify_us", verified, records);
  arena_destroy(&arena);
}

static void prepare_all(struct broker *broker, const struct employer *employer, size_t count,
                        const struct bytes *packed, struct request **out) {
  for (size_t i = 0; i < count; i++) {
    out[i] = request_new(REQUEST_PUBLISH);
    NEED(out[i] != NULL);
    out[i]->home = *identity_party(employer->identity);
    out[i]->packed = packed[i];
    out[i]->session = 1;
    request_prepare(out[i], broker->members, clock_now());
    if (out[i]->prepared != COLLEGA_OK) must(out[i]->prepared, &out[i]->error);
  }
}

/* ---- what the committer does */

struct totals {
  int64_t prepared, used, elapsed, followed, freed, live_bytes;
  size_t commits, logged;
};

/* The follower's frames out of what one commit logged. */
static void measure_live(struct broker *broker, const struct log_part *part,
                         struct totals *totals) {
  static const struct epoch epoch = {{1}};
  Collega__Filter everything = COLLEGA__FILTER__INIT;
  struct arena *arena = arena_new(1u << 20, (size_t)64 << 20);
  struct collega_error error;
  uint64_t after = part->first_seq - 1;
  NEED(arena != NULL);
  int64_t began = thread_nanoseconds();
  while (after < part->last_seq) {
    struct bytes frame;
    uint32_t records;
    uint64_t through = 0;
    must(board_live(part, &broker->source.broker, &epoch, 1, &everything, after, arena, &frame,
                    &records, &through, &error),
         &error);
    NEED(through > after);
    after = through;
    totals->live_bytes += (int64_t)frame.length;
  }
  totals->followed += thread_nanoseconds() - began;
  arena_destroy(&arena);
}

static void commit_some(struct broker *broker, struct request **batch, size_t count,
                        struct totals *totals) {
  struct commit_result result;
  int64_t used = thread_nanoseconds(), began = nanoseconds();
  commit_all(broker, batch, count, &result);
  totals->used += thread_nanoseconds() - used;
  latencies[totals->commits] = nanoseconds() - began;
  totals->elapsed += latencies[totals->commits++];
  NEED(result.log != NULL);
  totals->logged += (size_t)(result.log->last_seq - result.log->first_seq + 1);
  measure_live(broker, result.log, totals);
  commit_result_free(&result);
}

/* Frames as they go through the broker: prepared, committed, sent on, forgotten. */
static void take_some(struct broker *broker, const struct employer *employer,
                      const struct bytes *packed, size_t count, struct totals *totals) {
  static struct request *batch[COMMIT_MOST_RECORDS];
  int64_t used = thread_nanoseconds();
  prepare_all(broker, employer, count, packed, batch);
  totals->prepared += thread_nanoseconds() - used;
  commit_some(broker, batch, count, totals);
  used = thread_nanoseconds();
  for (size_t i = 0; i < count; i++)
    request_destroy(&batch[i]);
  totals->freed += thread_nanoseconds() - used;
}

static void say_totals(const struct totals *totals) {
  size_t records = totals->logged;
  say("commits", (double)totals->commits);
  say("commit_p50_us",
      (double)percentile(latencies, totals->commits, 0.5) / 1e3); /* one transaction */
  say_each("prepare_us", totals->prepared, records);
  say_each("commit_us", totals->used, records);
  say_each("commit_elapsed_us", totals->elapsed, records);
  say("commit_rate", per_second(records, totals->elapsed));
  say_each("board_live_us", totals->followed, records);
  say("board_bytes", (double)totals->live_bytes / (double)records);
  say_each("free_us", totals->freed, records);
}

int main(int count, char **arguments) {
  if (count != 5 || bytes_start(NULL) != COLLEGA_OK)
    give_up("usage: %s DIRECTORY RECORDS RUN BATCH", arguments[0]);
  size_t records = number_argument(arguments[2]), run = number_argument(arguments[3]);
  size_t runs = records / run, each = number_argument(arguments[4]) / run;
  NEED(runs >= 1 && runs <= FRAMES_MOST && each >= 1 && each * run <= COMMIT_MOST_RECORDS);
  struct broker broker = {0};
  struct employer employer;
  struct totals totals = {0};
  struct arena *arena = arena_new((size_t)1 << 20, ARENA_BYTES);
  NEED(arena != NULL);
  broker_open(&broker, arguments[1]);
  employer_make(&employer, 1);
  broker_admit(&broker, &employer);
  for (size_t i = 0; i < runs; i++)
    frames[i] = employer_publish(&employer, run, arena);
  say("frame_bytes", (double)frames[0].length);
  measure_steps(frames, runs, runs * run, identity_public(employer.identity)->signing);

  /* No fuller than a transaction may be. */
  while (each > 1 && each * frames[0].length > COMMIT_MOST_BYTES)
    each--;
  for (size_t i = 0; i < runs; i += each)
    take_some(&broker, &employer, &frames[i], runs - i < each ? runs - i : each, &totals);
  NEED(totals.logged == runs * run);
  say_totals(&totals);
  employer_clear(&employer);
  broker_close(&broker);
  arena_destroy(&arena);
  return 0;
}
