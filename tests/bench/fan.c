/* Fan-out: one publishes, many follow.
 *
 *   fan ENDPOINT TOKEN PID RECORDS FOLLOWERS FILTERS
 *
 * Member 1 publishes RECORDS offers in runs of 100 with a window of 1,000; members 2 .. FOLLOWERS + 1 follow. With
 * FILTERS 1 they follow everything; with more, follower i follows the occupation i modulo FILTERS (8 at the most) of
 * those in offers.c, each an eighth of the offers. A delivery is a record that came to a follower. PID is the
 * broker's process. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/bench/measure.h"
#include "tests/bench/session.h"

#define RUN            100u
#define WINDOW         1000u
#define TOGETHER       64u /* sessions of one process: zmq_poll looks at all of them each time */
#define PROCESSES_MOST 64u

struct plan {
  struct target target;
  size_t records, followers, filters;
  struct shared { /* of all processes */
    uint64_t delivered[PROCESSES_MOST];
    int64_t ended[PROCESSES_MOST];
  } * shared;
};

static void tell(int descriptor) {
  char byte = 1;
  NEED(write(descriptor, &byte, 1) == 1);
}

static void hear(int descriptor) {
  char byte;
  if (read(descriptor, &byte, 1) != 1) give_up("a process of the measurement ended early");
}

/* Takes what one session has waiting; returns the records. */
static uint32_t take(struct session *session, struct owed_credit *owed, uint64_t *through) {
  uint32_t records = 0;
  zmq_msg_t message;
  for (;;) {
    zmq_msg_init(&message);
    if (zmq_msg_recv(&message, session->socket, ZMQ_DONTWAIT) < 0) {
      zmq_msg_close(&message);
      return records;
    }
    struct peek peek;
    if (!frame_told(session->socket, &message, &peek)) continue;
    NEED(peek.kind == ANSWER_BOARD && peek.through >= *through);
    *through = peek.through;
    records += peek.records;
    owe_credit(session->socket, owed, peek.records, zmq_msg_size(&message));
    zmq_msg_close(&message);
  }
}

static noreturn void be_followers(const struct plan *plan, size_t process, int ready) {
  struct arena *arena = arena_make();
  struct session sessions[TOGETHER];
  struct owed_credit owed[TOGETHER] = {{0, 0}};
  uint64_t through[TOGETHER];
  zmq_pollitem_t items[TOGETHER];
  die_with_parent();
  size_t first = process * TOGETHER, count = plan->followers - first;
  if (count > TOGETHER) count = TOGETHER;
  void *context = context_open(TOGETHER);
  for (size_t i = 0; i < count; i++) {
    session_open(&sessions[i], context, &plan->target, 2 + (uint32_t)(first + i), arena);
    char *occupation = offer_occupation((first + i) % plan->filters);
    Collega__Filter filter = COLLEGA__FILTER__INIT;
    filter.n_occupations = plan->filters > 1;
    filter.occupations = &occupation;
    session_follow(&sessions[i], &filter, arena);
    through[i] = sessions[i].log_seq;
    items[i] = (zmq_pollitem_t){.socket = sessions[i].socket, .events = ZMQ_POLLIN};
  }
  tell(ready);
  uint64_t last = sessions[0].log_seq + plan->records;
  for (size_t left = count; left > 0;) {
    NEED(zmq_poll(items, (int)count, WAIT_MS) > 0);
    for (size_t i = 0; i < count; i++) {
      if (!items[i].revents) continue;
      bool before = through[i] >= last;
      plan->shared->delivered[process] += take(&sessions[i], &owed[i], &through[i]);
      left -= !before && through[i] >= last;
    }
  }
  plan->shared->ended[process] = nanoseconds();
  for (size_t i = 0; i < count; i++)
    session_close(&sessions[i]);
  zmq_ctx_term(context);
  exit(0);
}

static void publish(struct session *session, const struct bytes *frames, size_t count) {
  for (size_t next = 0, taken = 0; taken < count * RUN;) {
    for (; next < count && (next + 1) * RUN <= taken + WINDOW; next++)
      frame_send(session->socket, frames[next].data, frames[next].length);
    zmq_msg_t message;
    struct peek peek = answer_receive(session->socket, &message);
    zmq_msg_close(&message);
    NEED(peek.kind == ANSWER_RECEIPTS);
    taken += peek.records;
  }
}

int main(int count, char **arguments) {
  if (count != 7 || bytes_start(NULL) != COLLEGA_OK)
    give_up("usage: %s ENDPOINT TOKEN PID RECORDS FOLLOWERS FILTERS", arguments[0]);
  struct plan plan = {.records = number_argument(arguments[4]) / RUN * RUN,
                      .followers = number_argument(arguments[5]),
                      .filters = number_argument(arguments[6])};
  pid_t broker = (pid_t)number_argument(arguments[3]);
  size_t processes = (plan.followers + TOGETHER - 1) / TOGETHER;
  int ready[2];
  NEED(plan.records > 0 && processes <= PROCESSES_MOST && plan.filters <= OFFER_OCCUPATIONS);
  plan.shared =
      mmap(NULL, sizeof *plan.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  NEED(plan.shared != MAP_FAILED && pipe(ready) == 0);
  struct arena *arena = arena_make();
  token_target(arguments[2], arguments[1], &plan.target, arena);
  for (size_t i = 0; i < processes; i++) {
    pid_t child = fork();
    NEED(child >= 0);
    if (child > 0) continue;
    close(ready[0]);
    be_followers(&plan, i, ready[1]);
  }
  close(ready[1]);
  for (size_t i = 0; i < processes; i++)
    hear(ready[0]);
  struct session session;
  void *context = context_open(1);
  session_open(&session, context, &plan.target, 1, arena);
  size_t frames_count = plan.records / RUN;
  struct bytes *frames = calloc(frames_count, sizeof *frames);
  NEED(frames != NULL);
  for (size_t i = 0; i < frames_count; i++)
    frames[i] = employer_publish(&session.employer, RUN, arena);
  double used = process_seconds(broker);
  int64_t began = nanoseconds(), ended = began;
  publish(&session, frames, frames_count);
  uint64_t delivered = 0;
  for (size_t i = 0; i < processes; i++) {
    int status = 0;
    NEED(wait(&status) > 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) give_up("a follower failed");
  }
  for (size_t i = 0; i < processes; i++) {
    delivered += plan.shared->delivered[i];
    if (plan.shared->ended[i] > ended) ended = plan.shared->ended[i];
  }
  used = process_seconds(broker) - used;
  say("delivered", (double)delivered);
  say("rate", per_second(delivered, ended - began));
  say("cpu_per_million", used * 1e6 / (double)delivered);
  session_close(&session);
  zmq_ctx_term(context);
  return 0;
}
