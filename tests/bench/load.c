/* Load on a broker: employers that join, publish, follow, or only stay connected. It speaks the protocol of
 * docs/protocol.md with sockets of its own and shares no code with the node.
 *
 *   load join ENDPOINT                                        tokens on standard input: members 1, 2, ...
 *   load publish ENDPOINT TOKEN PID RECORDS RUN WINDOW COUNT  member 1 follows, COUNT members from 2 on publish
 *   load idle ENDPOINT TOKEN PID COUNT                        sessions that were welcomed and say nothing more
 *
 * TOKEN is any invitation of that broker, for its key; ENDPOINT is where it listens now. PID is the broker's
 * process, whose CPU and memory are looked at. WINDOW is how many records a publisher may have without a receipt.
 * What is published is made and signed before the clock starts. */
#include "tests/bench/measure.h"
#include "tests/bench/offers.h"
#include "tests/bench/peek.h"
#include "tests/bench/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "proto/guard.h"
#include "proto/invitation.h"
#include "proto/limits.h"

#define FOLLOWER        1
#define PUBLISHERS_MOST 16
#define WARM            10
#define ARENA_BYTES     ((size_t)4 << 30)

/* ---- sessions */

struct session {
  void *socket;
  struct employer employer;
  struct id broker;
  struct epoch epoch; /* the broker's */
  uint64_t log_seq;   /* where its log stood at Welcome */
};

static struct arena *arena_make(void) {
  struct arena *arena = arena_new(65536, ARENA_BYTES);
  NEED(arena != NULL);
  return arena;
}

static Collega__Invitation *token_read(const char *token, const char *endpoint,
                                       struct target *target, struct arena *arena) {
  Collega__Invitation *invitation = NULL;
  NEED(invitation_read(token, arena, &invitation, NULL) == COLLEGA_OK);
  NEED(strlen(endpoint) < sizeof target->endpoint);
  strcpy(target->endpoint, endpoint);
  memcpy(target->key, invitation->link_key.data, sizeof target->key);
  return invitation;
}

static void frame_pack_send(void *socket, const Collega__ToBroker *frame, struct arena *arena) {
  struct bytes packed = message_pack(&frame->base, arena);
  NEED(packed.data != NULL);
  frame_send(socket, packed.data, packed.length);
}

/* The next frame that is no Ping (which is answered) and no Credit; the caller closes it. */
static struct peek answer_receive(void *socket, zmq_msg_t *message) {
  for (;;) {
    frame_receive(socket, message);
    struct peek peek = peek_frame(zmq_msg_data(message), zmq_msg_size(message));
    if (peek.kind != ANSWER_PING && peek.kind != ANSWER_CREDIT) return peek;
    zmq_msg_close(message);
    if (peek.kind == ANSWER_CREDIT) continue;
    uint8_t buffer[64];
    Collega__Pong pong = COLLEGA__PONG__INIT;
    Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;
    pong.number = peek.ping;
    frame.pong = &pong;
    frame_send(socket, buffer, collega__to_broker__pack(&frame, buffer));
  }
}

static const Collega__FromBroker *answer_unpack(zmq_msg_t *message, struct arena *arena) {
  ProtobufCMessage *frame = NULL;
  struct bytes packed = bytes_of(zmq_msg_data(message), zmq_msg_size(message));
  NEED(guard_unpack(&collega__from_broker__descriptor, packed, arena, &frame, NULL) == COLLEGA_OK);
  return (const Collega__FromBroker *)frame;
}

/* Connects with the member's own key, says Hello and takes the Welcome. */
static void session_open(struct session *session, void *context, const struct target *target,
                         uint32_t member, struct arena *arena) {
  zmq_msg_t message;
  Collega__Hello hello = COLLEGA__HELLO__INIT;
  Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;
  employer_make(&session->employer, member);
  session->socket = dealer_open(context, target, identity_link_secret(session->employer.identity));
  hello.version = PROTOCOL_VERSION;
  hello.card = employer_card(&session->employer, arena);
  hello.head = &session->employer.head;
  frame.hello = &hello;
  frame_pack_send(session->socket, &frame, arena);
  NEED(answer_receive(session->socket, &message).kind == ANSWER_WELCOME);
  const Collega__Welcome *welcome = answer_unpack(&message, arena)->welcome;
  zmq_msg_close(&message);
  NEED(welcome->member && id_from(&session->broker, welcome->cards[0]->signer.data, ID_BYTES) &&
       epoch_from(&session->epoch, welcome->epoch.data, welcome->epoch.len));
  session->log_seq = welcome->log_seq;
  employer_head_seen(&session->employer, welcome->seen);
}

static void session_close(struct session *session) {
  zmq_close(session->socket);
  employer_clear(&session->employer);
}

/* ---- join */

static void join_one(void *context, const char *endpoint, const char *token, uint32_t member) {
  struct arena *arena = arena_make();
  struct target target;
  struct employer employer;
  zmq_msg_t message;
  Collega__Join join = COLLEGA__JOIN__INIT;
  Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;
  const Collega__Invitation *invitation = token_read(token, endpoint, &target, arena);
  employer_make(&employer, member);
  void *socket = dealer_open(context, &target, invitation->secret.data);
  join.card = employer_card(&employer, arena);
  frame.join = &join;
  frame_pack_send(socket, &frame, arena);
  NEED(answer_receive(socket, &message).kind == ANSWER_CERT);
  zmq_msg_close(&message);
  zmq_close(socket);
  employer_clear(&employer);
  arena_destroy(&arena);
}

static void join_all(const char *endpoint) {
  char line[INVITATION_TEXT_BYTES];
  void *context = context_open(1000);
  uint32_t joined = 0;
  int64_t began = nanoseconds();
  while (fgets(line, sizeof line, stdin) != NULL)
    join_one(context, endpoint, line, ++joined);
  say("joined", joined);
  say("joins", per_second(joined, nanoseconds() - began));
  zmq_ctx_term(context);
}

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

static void give_credit(void *socket, uint32_t records, size_t bytes) {
  uint8_t buffer[64];
  Collega__Credit credit = COLLEGA__CREDIT__INIT;
  Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;
  credit.records = records;
  credit.bytes = (uint32_t)bytes;
  frame.credit = &credit;
  frame_send(socket, buffer, collega__to_broker__pack(&frame, buffer));
}

static void follow_from(const struct session *session, struct arena *arena) {
  Collega__Follow follow = COLLEGA__FOLLOW__INIT;
  Collega__Filter everything = COLLEGA__FILTER__INIT;
  Collega__Cursor cursor = COLLEGA__CURSOR__INIT, *cursors[] = {&cursor};
  Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;
  cursor.origin = (ProtobufCBinaryData){ID_BYTES, (uint8_t *)(uintptr_t)session->broker.byte};
  cursor.epoch = (ProtobufCBinaryData){EPOCH_BYTES, (uint8_t *)(uintptr_t)session->epoch.byte};
  cursor.seq = session->log_seq;
  follow.number = 1;
  follow.filter = &everything;
  follow.n_cursors = 1;
  follow.cursors = cursors;
  frame.follow = &follow;
  frame_pack_send(session->socket, &frame, arena);
}

/* Takes the board until all of it was read, and gives credit back as a node does: in quarters of a window. */
static void take_board(const struct plan *plan, const struct session *session) {
  uint64_t through = session->log_seq, last = through + plan->records * plan->publishers;
  uint64_t counted = 0;
  uint32_t records = 0;
  size_t bytes = 0;
  while (through < last) {
    zmq_msg_t message;
    struct peek peek = answer_receive(session->socket, &message);
    NEED(peek.kind == ANSWER_BOARD && peek.through >= through && peek.through <= last);
    int64_t now = nanoseconds();
    for (uint64_t seq = through; seq < peek.through; seq++)
      delivered(plan)[seq - session->log_seq] = now;
    through = peek.through;
    counted += peek.records;
    records += peek.records;
    bytes += zmq_msg_size(&message);
    zmq_msg_close(&message);
    if (records < CREDIT_RECORDS / 4 && bytes < CREDIT_BYTES / 4) continue;
    give_credit(session->socket, records, bytes);
    records = 0;
    bytes = 0;
  }
  plan->shared->ended = nanoseconds();
  NEED(counted == plan->records * plan->publishers);
}

static noreturn void be_follower(const struct plan *plan, int ready) {
  struct arena *arena = arena_make();
  struct target target;
  struct session session;
  die_with_parent();
  token_read(plan->token, plan->endpoint, &target, arena);
  void *context = context_open(1);
  session_open(&session, context, &target, FOLLOWER, arena);
  follow_from(&session, arena);
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
  token_read(plan->token, plan->endpoint, &target, arena);
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
  token_read(token, endpoint, &target, arena);
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

int main(int count, char **arguments) {
  if (bytes_start(NULL) != COLLEGA_OK) give_up("no randomness");
  const char *part = count > 1 ? arguments[1] : "";
  if (count == 3 && strcmp(part, "join") == 0) {
    join_all(arguments[2]);
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
    give_up("usage: %s join ENDPOINT | publish ENDPOINT TOKEN PID RECORDS RUN WINDOW COUNT | "
            "idle ENDPOINT TOKEN PID COUNT",
            arguments[0]);
  }
  return 0;
}
