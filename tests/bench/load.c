/* Load on a broker: employers that publish, follow, or only stay connected.
 *
 *   load publish ENDPOINT TOKEN PID RECORDS RUN WINDOW COUNT  member 1 follows, COUNT members from 2 on publish
 *   load idle ENDPOINT TOKEN PID COUNT                        sessions that were welcomed and say nothing more
 *   load first ENDPOINT TOKEN                                 from Hello to the receipt of one record, member 1
 *
 * TOKEN is any invitation of that broker, for its key; ENDPOINT is where it listens now. PID is the broker's
 * process, whose CPU and memory are looked at. WINDOW is how many records a publisher may have without a receipt.
 * What is published is made and signed before the clock starts. */
#include "tests/bench/measure.h"
#include "tests/bench/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "proto/limits.h"

#define FOLLOWER        1
#define PUBLISHERS_MOST 16
#define WARM            10

/* ---- publish and follow */

/* Shared by the processes of one measurement. Positions count the records of all publishers. */
struct shared {
  int64_t ended; /* when the follower had the last record */
  int64_t times
      []; /* delivered (one publisher: by record); then for each publisher and frame: sent, receipted */
};
struct plan {
  const char *endpoint, *token;
  pid_t process;
  size_t records, run, window, publishers; /* records: of each publisher */
  size_t frames;                           /* of each publisher */
  struct shared *shared;
};

static int64_t *delivered(const struct plan *plan) {
  return plan->shared->times;
}
static int64_t *sent(const struct plan *plan, size_t publisher) {
  return plan->shared->times + plan->records * plan->publishers + 2 * plan->frames * publisher;
}
static int64_t *receipted(const struct plan *plan, size_t publisher) {
  return sent(plan, publisher) + plan->frames;
}

static void tell(int descriptor) {
  char byte = 1;
  NEED(write(descriptor, &byte, 1) == 1);
}

static void hear(int descriptor) {
  char byte;
  if (read(descriptor, &byte, 1) != 1) give_up("a process of the measurement ended early");
}

/* Takes the board until all of it was read, and gives credit back as a node does: in quarters of a window. */
static void take_board(const struct plan *plan, const struct session *session) {
  uint64_t through = session->log_seq, last = through + plan->records * plan->publishers;
  struct owed_credit owed = {0, 0};
  uint64_t counted = 0;
  while (through < last) {
    zmq_msg_t message;
    struct peek peek = answer_receive(session->socket, &message);
    NEED(peek.kind == ANSWER_BOARD && peek.through >= through && peek.through <= last);
    int64_t now = nanoseconds();
    for (uint64_t seq = through; seq < peek.through; seq++)
      delivered(plan)[seq - session->log_seq] = now;
    through = peek.through;
    counted += peek.records;
    owe_credit(session->socket, &owed, peek.records, zmq_msg_size(&message));
    zmq_msg_close(&message);
  }
  plan->shared->ended = nanoseconds();
  NEED(counted == plan->records * plan->publishers);
}

static noreturn void be_follower(const struct plan *plan, int ready) {
  struct arena *arena = arena_make();
  struct target target;
  struct session session;
  die_with_parent();
  token_target(plan->token, plan->endpoint, &target, arena);
  void *context = context_open(1);
  session_open(&session, context, &target, FOLLOWER, arena);
  session_follow(&session, NULL, arena);
  tell(ready);
  take_board(plan, &session);
  session_close(&session);
  zmq_ctx_term(context);
  exit(0);
}

/* A receipt may speak for part of a frame or for several: they come in the order of the records. */
static void take_receipts(const struct plan *plan, const struct session *session, size_t publisher,
                          size_t *taken) {
  zmq_msg_t message;
  struct peek peek = answer_receive(session->socket, &message);
  zmq_msg_close(&message);
  NEED(peek.kind == ANSWER_RECEIPTS && peek.records > 0);
  int64_t now = nanoseconds();
  for (size_t frame = *taken / plan->run; (frame + 1) * plan->run <= *taken + peek.records; frame++)
    receipted(plan, publisher)[frame] = now;
  *taken += peek.records;
}

static noreturn void be_publisher(const struct plan *plan, size_t publisher, int ready, int start) {
  struct arena *arena = arena_make();
  struct target target;
  struct session session;
  die_with_parent();
  token_target(plan->token, plan->endpoint, &target, arena);
  void *context = context_open(1);
  session_open(&session, context, &target, (uint32_t)(FOLLOWER + 1 + publisher), arena);
  struct bytes *frames = calloc(plan->frames, sizeof *frames);
  NEED(frames != NULL);
  for (size_t i = 0; i < plan->frames; i++)
    frames[i] = employer_publish(&session.employer, plan->run, arena);
  tell(ready);
  hear(start);
  size_t taken = 0, next = 0;
  while (taken < plan->records) {
    while (next < plan->frames && (next + 1) * plan->run <= taken + plan->window) {
      sent(plan, publisher)[next] = nanoseconds();
      frame_send(session.socket, frames[next].data, frames[next].length);
      next++;
    }
    take_receipts(plan, &session, publisher, &taken);
  }
  session_close(&session);
  zmq_ctx_term(context);
  exit(0);
}

static void say_latencies(const struct plan *plan) {
  size_t count = plan->frames * plan->publishers, at = 0;
  int64_t *values = calloc(count, sizeof *values);
  NEED(values != NULL);
  for (size_t p = 0; p < plan->publishers; p++)
    for (size_t i = 0; i < plan->frames; i++)
      values[at++] = receipted(plan, p)[i] - sent(plan, p)[i];
  say("receipt_p50_us", (double)percentile(values, count, 0.5) / 1e3);
  say("receipt_p99_us", (double)percentile(values, count, 0.99) / 1e3);
  if (plan->publishers == 1) { /* records stand in the log in the order in which they were sent */
    for (size_t i = 0; i < count; i++)
      values[i] = delivered(plan)[(i + 1) * plan->run - 1] - sent(plan, 0)[i];
    say("delivery_p50_us", (double)percentile(values, count, 0.5) / 1e3);
    say("delivery_p99_us", (double)percentile(values, count, 0.99) / 1e3);
  }
  free(values);
}

static void publish(struct plan *plan) {
  int ready[2], start[2];
  plan->frames = plan->records / plan->run;
  plan->records = plan->frames * plan->run;
  NEED(plan->frames > 0 && plan->window >= plan->run && plan->publishers <= PUBLISHERS_MOST);
  /* Credit comes back in quarters of a window, so less than three quarters may be under way. */
  NEED(plan->window <= CREDIT_RECORDS / 2 && plan->window * OFFER_BODY_BYTES * 2 <= CREDIT_BYTES);
  size_t size = sizeof *plan->shared + (plan->records + 2 * plan->frames) * plan->publishers *
                                           sizeof plan->shared->times[0];
  plan->shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  NEED(plan->shared != MAP_FAILED && pipe(ready) == 0 && pipe(start) == 0);
  for (size_t i = 0; i <= plan->publishers; i++) {
    pid_t child = fork();
    NEED(child >= 0);
    if (child == 0) close(ready[0]), close(start[1]);
    if (child == 0 && i == 0) be_follower(plan, ready[1]);
    if (child == 0) be_publisher(plan, i - 1, ready[1], start[0]);
  }
  close(ready[1]);
  for (size_t i = 0; i <= plan->publishers; i++)
    hear(ready[0]);
  double used = process_seconds(plan->process);
  int64_t began = nanoseconds();
  for (size_t i = 0; i < plan->publishers; i++)
    tell(start[1]);
  for (size_t i = 0; i <= plan->publishers; i++) {
    int status = 0;
    NEED(wait(&status) > 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
      give_up("a process of the measurement failed");
  }
  used = process_seconds(plan->process) - used;
  size_t records = plan->records * plan->publishers;
  say("records", (double)records);
  say("rate", per_second(records, plan->shared->ended - began));
  say("cpu_per_million", used * 1e6 / (double)records);
  say_latencies(plan);
  munmap(plan->shared, size);
}

/* ---- idle */

static void idle(const char *endpoint, const char *token, pid_t process, size_t count) {
  struct arena *arena = arena_make();
  struct target target;
  struct session *sessions = calloc(count, sizeof *sessions);
  NEED(sessions != NULL && count > WARM);
  descriptors_raise();
  token_target(token, endpoint, &target, arena);
  void *context = context_open((int)count);
  double before = 0;
  int64_t began = nanoseconds();
  for (size_t i = 0; i < count; i++) {
    if (i == WARM) { /* what the broker needs once is not counted */
      before = process_memory(process);
      began = nanoseconds();
    }
    session_open(&sessions[i], context, &target, 1 + (uint32_t)i, arena);
    arena_reset(arena);
  }
  say("opened", per_second(count - WARM, nanoseconds() - began));
  say("bytes_per_session", (process_memory(process) - before) / (double)(count - WARM));
  for (size_t i = 0; i < count; i++)
    session_close(&sessions[i]);
  zmq_ctx_term(context);
  free(sessions);
  arena_destroy(&arena);
}

/* ---- the first receipt */

static void first(const char *endpoint, const char *token) {
  struct arena *arena = arena_make();
  struct target target;
  struct session session;
  zmq_msg_t message;
  token_target(token, endpoint, &target, arena);
  void *context = context_open(1);
  int64_t began = nanoseconds();
  session_open(&session, context, &target, 1, arena);
  struct bytes frame = employer_publish(&session.employer, 1, arena);
  frame_send(session.socket, frame.data, frame.length);
  NEED(answer_receive(session.socket, &message).kind == ANSWER_RECEIPTS);
  zmq_msg_close(&message);
  say("first_receipt_s", (double)(nanoseconds() - began) / 1e9);
  session_close(&session);
  zmq_ctx_term(context);
}

int main(int count, char **arguments) {
  if (bytes_start(NULL) != COLLEGA_OK) give_up("no randomness");
  const char *part = count > 1 ? arguments[1] : "";
  if (count == 4 && strcmp(part, "first") == 0) {
    first(arguments[2], arguments[3]);
  } else if (count == 9 && strcmp(part, "publish") == 0) {
    struct plan plan = {.endpoint = arguments[2],
                        .token = arguments[3],
                        .process = (pid_t)number_argument(arguments[4]),
                        .records = number_argument(arguments[5]),
                        .run = number_argument(arguments[6]),
                        .window = number_argument(arguments[7]),
                        .publishers = number_argument(arguments[8])};
    publish(&plan);
  } else if (count == 6 && strcmp(part, "idle") == 0) {
    idle(arguments[2], arguments[3], (pid_t)number_argument(arguments[4]),
         number_argument(arguments[5]));
  } else {
    give_up(
        "usage: %s first ENDPOINT TOKEN | publish ENDPOINT TOKEN PID RECORDS RUN WINDOW COUNT | "
        "idle ENDPOINT TOKEN PID COUNT",
        arguments[0]);
  }
  return 0;
}
