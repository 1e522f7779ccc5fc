/* The limits of the wire: a bare ROUTER with CURVE that only passes frames on, in a process of its own.
 *
 *   limit_relay serve [zap]                       prints "endpoint ADDRESS" and "key HEX", then relays; with zap
 *                                                 it asks itself at every handshake who may come in: everybody
 *   limit_relay flow ENDPOINT KEY PID N SIZE      N messages, SIZE a frame: one publisher, one consumer
 *   limit_relay echo ENDPOINT KEY N               N round trips of two hops, one after another
 *   limit_relay idle ENDPOINT KEY PID N           N connections that said one word; memory of process PID
 *
 * A frame's first byte says what the relay does with it: 'C' makes its sender the consumer and is answered,
 * 'E' goes back, anything else goes to the consumer. */
#include "tests/bench/measure.h"
#include "tests/bench/wire.h"

#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MESSAGE_BYTES 600
#define FRAME_BYTES   (64 * MESSAGE_BYTES)
#define WARM          20

/* ---- the relay */

/* Asking costs a connection memory that libzmq keeps as long as it lasts. */
static void *admit_everybody(void *handler) {
  for (;;) {
    char request_id[64];
    int length = 0, more = 1;
    size_t size = sizeof more;
    for (int part = 0; more; part++) { /* version, request id, and what does not matter here */
      char frame[256];
      int got = zmq_recv(handler, frame, sizeof frame, 0);
      NEED(got >= 0 && zmq_getsockopt(handler, ZMQ_RCVMORE, &more, &size) == 0);
      if (part != 1) continue;
      NEED(got <= (int)sizeof request_id);
      memcpy(request_id, frame, (size_t)(length = got));
    }
    NEED(zmq_send(handler, "1.0", 3, ZMQ_SNDMORE) >= 0 &&
         zmq_send(handler, request_id, (size_t)length, ZMQ_SNDMORE) >= 0);
    NEED(zmq_send(handler, "200", 3, ZMQ_SNDMORE) >= 0 &&
         zmq_send(handler, "", 0, ZMQ_SNDMORE) >= 0);
    NEED(zmq_send(handler, "anybody", 7, ZMQ_SNDMORE) >= 0 && zmq_send(handler, "", 0, 0) >= 0);
  }
  return NULL;
}

static void zap_start(void *context) {
  pthread_t thread;
  void *handler = zmq_socket(context, ZMQ_REP);
  NEED(handler != NULL && zmq_bind(handler, "inproc://zeromq.zap.01") == 0);
  NEED(pthread_create(&thread, NULL, admit_everybody, handler) == 0);
}

static void *router_open(void *context, int zap) {
  uint8_t secret[32], public_key[32];
  char endpoint[256], key[65];
  size_t length = sizeof endpoint;
  int one = 1, backlog = 4096;
  randombytes_buf(secret, sizeof secret);
  crypto_scalarmult_base(public_key, secret);
  void *router = zmq_socket(context, ZMQ_ROUTER);
  NEED(router != NULL && zmq_setsockopt(router, ZMQ_CURVE_SERVER, &one, sizeof one) == 0);
  NEED(zmq_setsockopt(router, ZMQ_CURVE_SECRETKEY, secret, sizeof secret) == 0);
  NEED(zmq_setsockopt(router, ZMQ_ROUTER_MANDATORY, &one, sizeof one) == 0);
  NEED(!zap || zmq_setsockopt(router, ZMQ_ZAP_DOMAIN, "bench", 5) == 0);
  NEED(zmq_setsockopt(router, ZMQ_BACKLOG, &backlog, sizeof backlog) == 0);
  NEED(zmq_bind(router, "tcp://127.0.0.1:*") == 0);
  NEED(zmq_getsockopt(router, ZMQ_LAST_ENDPOINT, endpoint, &length) == 0);
  printf("endpoint %s\nkey %s\n", endpoint,
         sodium_bin2hex(key, sizeof key, public_key, sizeof public_key));
  fflush(stdout);
  return router;
}

static void pass_on(void *router, const uint8_t *to, size_t to_length, zmq_msg_t *body) {
  NEED(zmq_send(router, to, to_length, ZMQ_SNDMORE) >= 0 && zmq_msg_send(body, router, 0) >= 0);
}

static void serve(int zap) {
  die_with_parent();
  descriptors_raise();
  uint8_t consumer[16], sender[16];
  size_t consumer_length = 0;
  void *context = context_open(100000);
  if (zap) zap_start(context);
  void *router = router_open(context, zap);
  for (;;) {
    zmq_msg_t body;
    int length = zmq_recv(router, sender, sizeof sender, 0);
    zmq_msg_init(&body);
    NEED(length > 0 && length <= (int)sizeof sender && zmq_msg_recv(&body, router, 0) > 0);
    char first = *(const char *)zmq_msg_data(&body);
    if (first == 'C') memcpy(consumer, sender, consumer_length = (size_t)length);
    if (first == 'C' || first == 'E')
      pass_on(router, sender, (size_t)length, &body);
    else
      pass_on(router, consumer, consumer_length, &body);
  }
}

/* ---- those who use it */

static void ask(void *socket, const char *frame, size_t length) {
  zmq_msg_t answer;
  frame_send(socket, frame, length);
  frame_receive(socket, &answer);
  NEED(zmq_msg_size(&answer) == length);
  zmq_msg_close(&answer);
}

/* Tells through `pipe` when it is ready, and when it had everything. */
static void consume(const struct target *target, size_t frames, int pipe_end) {
  die_with_parent();
  void *context = context_open(1);
  void *socket = dealer_open(context, target, NULL);
  ask(socket, "C", 1);
  int64_t now = nanoseconds();
  NEED(write(pipe_end, &now, sizeof now) == sizeof now);
  for (size_t i = 0; i < frames; i++) {
    zmq_msg_t frame;
    frame_receive(socket, &frame);
    zmq_msg_close(&frame);
  }
  now = nanoseconds();
  NEED(write(pipe_end, &now, sizeof now) == sizeof now);
  zmq_close(socket);
  zmq_ctx_term(context);
  _exit(0);
}

static void flow(const struct target *target, pid_t process, size_t messages, size_t size) {
  static char frame[FRAME_BYTES];
  size_t frames = messages / size, length = size * MESSAGE_BYTES;
  int ends[2];
  int64_t ended = 0;
  NEED(frames > 0 && length <= sizeof frame && pipe(ends) == 0);
  pid_t child = fork();
  NEED(child >= 0);
  if (child == 0) consume(target, frames, ends[1]);
  NEED(close(ends[1]) == 0);
  void *context = context_open(1);
  void *socket = dealer_open(context, target, NULL);
  ask(socket, "E", 1);
  NEED(read(ends[0], &ended, sizeof ended) == sizeof ended);
  memset(frame, 'd', sizeof frame);
  double used = process_seconds(process);
  int64_t began = nanoseconds();
  for (size_t i = 0; i < frames; i++)
    frame_send(socket, frame, length);
  NEED(read(ends[0], &ended, sizeof ended) == sizeof ended);
  used = process_seconds(process) - used;
  say("rate", per_second(frames * size, ended - began));
  say("cpu_per_million", used * 1e6 / (double)(frames * size));
  zmq_close(socket);
  zmq_ctx_term(context);
}

static void echo(const struct target *target, size_t trips) {
  char frame[MESSAGE_BYTES];
  int64_t *latencies = calloc(trips, sizeof *latencies);
  NEED(latencies != NULL);
  void *context = context_open(1);
  void *socket = dealer_open(context, target, NULL);
  memset(frame, 'E', sizeof frame);
  for (size_t i = 0; i < WARM; i++)
    ask(socket, frame, sizeof frame);
  for (size_t i = 0; i < trips; i++) {
    int64_t began = nanoseconds();
    ask(socket, frame, sizeof frame);
    latencies[i] = nanoseconds() - began;
  }
  say("p50_us", (double)percentile(latencies, trips, 0.5) / 1e3);
  say("p99_us", (double)percentile(latencies, trips, 0.99) / 1e3);
  free(latencies);
  zmq_close(socket);
  zmq_ctx_term(context);
}

/* A few connections come before the first look: what the process needs once is not counted. */
static void idle(const struct target *target, pid_t process, size_t connections) {
  void **sockets = calloc(WARM + connections, sizeof *sockets);
  descriptors_raise();
  double before = 0;
  NEED(sockets != NULL);
  void *context = context_open((int)(WARM + connections));
  int64_t began = nanoseconds();
  for (size_t i = 0; i < WARM + connections; i++) {
    if (i == WARM) {
      before = process_memory(process);
      began = nanoseconds();
    }
    sockets[i] = dealer_open(context, target, NULL);
    ask(sockets[i], "E", 1);
  }
  say("opened", per_second(connections, nanoseconds() - began));
  say("bytes_per_connection", (process_memory(process) - before) / (double)connections);
  for (size_t i = 0; i < WARM + connections; i++)
    zmq_close(sockets[i]);
  free(sockets);
  zmq_ctx_term(context);
}

int main(int count, char **arguments) {
  struct target target;
  NEED(sodium_init() >= 0);
  const char *part = count > 1 ? arguments[1] : "";
  if (count == 2 && strcmp(part, "serve") == 0) serve(0);
  if (count == 3 && strcmp(part, "serve") == 0 && strcmp(arguments[2], "zap") == 0) serve(1);
  if (count > 4) target_read(&target, arguments[2], arguments[3]);
  if (count == 7 && strcmp(part, "flow") == 0)
    flow(&target, (pid_t)number_argument(arguments[4]), number_argument(arguments[5]),
         number_argument(arguments[6]));
  else if (count == 5 && strcmp(part, "echo") == 0)
    echo(&target, number_argument(arguments[4]));
  else if (count == 6 && strcmp(part, "idle") == 0)
    idle(&target, (pid_t)number_argument(arguments[4]), number_argument(arguments[5]));
  else
    give_up("usage: %s serve [zap] | flow ENDPOINT KEY PID N SIZE | echo ENDPOINT KEY N | idle "
            "ENDPOINT KEY PID N",
            arguments[0]);
  return 0;
}
