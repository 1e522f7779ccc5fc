/* All members come back at once, as after a broker's restart.
 *
 *   storm ENDPOINT TOKEN PID SESSIONS SPREAD_MS
 *
 * Members 2 .. SESSIONS + 1 connect at moments uniform over SPREAD_MS (a node spreads its reconnects over 15 s) and
 * say Hello; member 1 publishes one record at a time meanwhile. Told: when the last Welcome had come, how long a
 * member waited for its own, and the receipts' latency while they came. PID is the broker's process. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/bench/measure.h"
#include "tests/bench/session.h"

#define TOGETHER       2500u /* sessions of one process: two descriptors each */
#define PROCESSES_MOST 8u
#define RECEIPTS_MOST  200000u

struct shared {
  int64_t began;
  int64_t waited[PROCESSES_MOST * TOGETHER]; /* from the moment of connecting to Welcome */
  int64_t last[PROCESSES_MOST];
  volatile int over;
  size_t receipts;
  int64_t latencies[RECEIPTS_MOST];
};
struct coming { /* one process's sessions */
  struct shared *shared;
  struct target target;
  size_t first, count, spread_ms;
  void *context;
  int poll;
  struct session *sessions;
  int64_t *connected;
  struct arena *arena;
  size_t welcomed;
};

/* What a session has waiting. ZeroMQ's descriptor only tells that something may have changed. */
static void look(struct coming *coming, size_t index) {
  struct session *session = &coming->sessions[index];
  for (;;) {
    zmq_msg_t message;
    struct peek peek;
    zmq_msg_init(&message);
    if (zmq_msg_recv(&message, session->socket, ZMQ_DONTWAIT) < 0) {
      NEED(errno == EAGAIN);
      zmq_msg_close(&message);
      return;
    }
    if (!frame_told(session->socket, &message, &peek)) continue;
    NEED(peek.kind == ANSWER_WELCOME);
    session_welcomed(session, &message, coming->arena);
    arena_reset(coming->arena);
    coming->shared->waited[coming->first + index] = nanoseconds() - coming->connected[index];
    coming->welcomed++;
  }
}

static void come(struct coming *coming, size_t index) {
  struct session *session = &coming->sessions[index];
  int descriptor;
  size_t size = sizeof descriptor;
  coming->connected[index] = nanoseconds();
  session_hello(session, coming->context, &coming->target, 2 + (uint32_t)(coming->first + index),
                coming->arena);
  NEED(zmq_getsockopt(session->socket, ZMQ_FD, &descriptor, &size) == 0);
  struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = index};
  NEED(epoll_ctl(coming->poll, EPOLL_CTL_ADD, descriptor, &event) == 0);
  look(coming, index);
}

static noreturn void be_members(struct coming *coming, size_t process) {
  die_with_parent();
  int64_t *due = calloc(coming->count, sizeof *due);
  coming->sessions = calloc(coming->count, sizeof *coming->sessions);
  coming->connected = calloc(coming->count, sizeof *coming->connected);
  coming->arena = arena_make();
  coming->context = context_open((int)coming->count);
  coming->poll = epoll_create1(0);
  NEED(due != NULL && coming->sessions != NULL && coming->connected != NULL && coming->poll >= 0);
  for (size_t i = 0; i < coming->count; i++) {
    uint32_t random;
    random_fill(&random, sizeof random);
    due[i] = (int64_t)((double)random / 4294967296.0 * (double)coming->spread_ms * 1e6);
  }
  qsort(due, coming->count, sizeof *due, compare_times);
  for (size_t next = 0; coming->welcomed < coming->count;) {
    int64_t now = nanoseconds() - coming->shared->began;
    for (; next < coming->count && due[next] <= now; next++)
      come(coming, next);
    struct epoll_event events[64];
    int found = epoll_wait(coming->poll, events, 64, next < coming->count ? 1 : 200);
    for (int i = 0; i < found; i++)
      look(coming, (size_t)events[i].data.u64);
    if (found == 0 && next == coming->count) /* a wake-up that came between two looks */
      for (size_t i = 0; i < coming->count; i++)
        look(coming, i);
    if (now > (int64_t)(coming->spread_ms + 60000) * 1000000) give_up("not all came back");
  }
  coming->shared->last[process] = nanoseconds();
  while (!coming->shared->over) /* they stay as long as the others come */
    usleep(10000);
  _exit(0);
}

static noreturn void be_publisher(struct shared *shared, const struct target *target) {
  struct arena *arena = arena_make();
  struct session session;
  die_with_parent();
  void *context = context_open(1);
  session_open(&session, context, target, 1, arena);
  while (!shared->over && shared->receipts < RECEIPTS_MOST) {
    zmq_msg_t message;
    struct bytes frame = employer_publish(&session.employer, 1, arena);
    int64_t began = nanoseconds();
    frame_send(session.socket, frame.data, frame.length);
    NEED(answer_receive(session.socket, &message).kind == ANSWER_RECEIPTS);
    zmq_msg_close(&message);
    shared->latencies[shared->receipts++] = nanoseconds() - began;
    arena_reset(arena);
    usleep(1000); /* it is looked at, not what is measured */
  }
  exit(0);
}

int main(int count, char **arguments) {
  if (count != 6 || bytes_start(NULL) != COLLEGA_OK)
    give_up("usage: %s ENDPOINT TOKEN PID SESSIONS SPREAD_MS", arguments[0]);
  pid_t broker = (pid_t)number_argument(arguments[3]);
  size_t sessions = number_argument(arguments[4]);
  size_t processes = (sessions + TOGETHER - 1) / TOGETHER;
  struct coming coming = {.spread_ms = number_argument(arguments[5])};
  NEED(processes <= PROCESSES_MOST);
  descriptors_raise();
  coming.shared =
      mmap(NULL, sizeof *coming.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  NEED(coming.shared != MAP_FAILED);
  struct arena *arena = arena_make();
  token_target(arguments[2], arguments[1], &coming.target, arena);
  double used = process_seconds(broker);
  pid_t publisher = fork();
  NEED(publisher >= 0);
  if (publisher == 0) be_publisher(coming.shared, &coming.target);
  coming.shared->began = nanoseconds();
  for (size_t i = 0; i < processes; i++) {
    coming.first = i * TOGETHER;
    coming.count = sessions - coming.first < TOGETHER ? sessions - coming.first : TOGETHER;
    pid_t child = fork();
    NEED(child >= 0);
    if (child == 0) be_members(&coming, i);
  }
  int64_t last = 0;
  for (size_t i = 0; i < processes; i++) {
    while (coming.shared->last[i] == 0) {
      int status = 0;
      if (waitpid(-1, &status, WNOHANG) > 0) give_up("a process of the measurement ended early");
      usleep(10000);
    }
    if (coming.shared->last[i] > last) last = coming.shared->last[i];
  }
  coming.shared->over = 1;
  say("all_back_s", (double)(last - coming.shared->began) / 1e9);
  say("cpu_per_session_us", (process_seconds(broker) - used) * 1e6 / (double)sessions);
  say("bytes_per_session", process_memory(broker) / (double)sessions);
  for (size_t i = 0; i <= processes; i++)
    NEED(wait(NULL) > 0);
  size_t receipts = coming.shared->receipts;
  say("welcome_p50_ms", (double)percentile(coming.shared->waited, sessions, 0.5) / 1e6);
  say("welcome_p99_ms", (double)percentile(coming.shared->waited, sessions, 0.99) / 1e6);
  say("receipts", (double)receipts);
  say("receipt_p50_us", (double)percentile(coming.shared->latencies, receipts, 0.5) / 1e3);
  say("receipt_p99_us", (double)percentile(coming.shared->latencies, receipts, 0.99) / 1e3);
  return 0;
}
