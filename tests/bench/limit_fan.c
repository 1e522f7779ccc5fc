/* The limit of fan-out: a bare XPUB with CURVE, messages of 600 bytes, one a frame, to SUBs that take everything.
 *
 *   limit_fan SUBSCRIBERS MESSAGES
 *
 * The publisher is a process of its own, whose CPU is told, as the broker's is. It keeps at most a window of
 * messages ahead of the slowest subscriber, so that none is dropped. */
#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>
#include "tests/bench/measure.h"

#define MESSAGE_BYTES  600
#define TOGETHER       64u
#define PROCESSES_MOST 64u
#define WINDOW         2000u

struct shared {
  char endpoint[256];
  uint8_t key[32];
  atomic_int open;
  _Atomic(uint64_t) least[PROCESSES_MOST]; /* received by the slowest subscriber of each process */
  atomic_int go;
};

static void set_int(void *socket, int option, int value) {
  NEED(zmq_setsockopt(socket, option, &value, sizeof value) == 0);
}

static noreturn void subscribe(struct shared *shared, size_t process, size_t count,
                               uint64_t messages) {
  die_with_parent();
  void *context = zmq_ctx_new(), *sockets[TOGETHER];
  zmq_pollitem_t items[TOGETHER];
  uint64_t received[TOGETHER] = {0};
  NEED(context != NULL);
  for (size_t i = 0; i < count; i++) {
    uint8_t secret[32], public_key[32];
    randombytes_buf(secret, sizeof secret);
    crypto_scalarmult_base(public_key, secret);
    sockets[i] = zmq_socket(context, ZMQ_SUB);
    NEED(sockets[i] != NULL);
    set_int(sockets[i], ZMQ_RCVHWM, 0);
    set_int(sockets[i], ZMQ_LINGER, 0);
    NEED(zmq_setsockopt(sockets[i], ZMQ_CURVE_SERVERKEY, shared->key, 32) == 0);
    NEED(zmq_setsockopt(sockets[i], ZMQ_CURVE_PUBLICKEY, public_key, 32) == 0);
    NEED(zmq_setsockopt(sockets[i], ZMQ_CURVE_SECRETKEY, secret, 32) == 0);
    NEED(zmq_setsockopt(sockets[i], ZMQ_SUBSCRIBE, "", 0) == 0);
    NEED(zmq_connect(sockets[i], shared->endpoint) == 0);
    items[i] = (zmq_pollitem_t){.socket = sockets[i], .events = ZMQ_POLLIN};
  }
  for (uint64_t least = 0; least < messages;) {
    NEED(zmq_poll(items, (int)count, 60000) > 0);
    for (size_t i = 0; i < count; i++) {
      zmq_msg_t message;
      zmq_msg_init(&message);
      while (items[i].revents && zmq_msg_recv(&message, sockets[i], ZMQ_DONTWAIT) >= 0)
        received[i]++;
      zmq_msg_close(&message);
    }
    least = received[0];
    for (size_t i = 1; i < count; i++)
      if (received[i] < least) least = received[i];
    atomic_store(&shared->least[process], least);
  }
  for (size_t i = 0; i < count; i++)
    zmq_close(sockets[i]);
  zmq_ctx_term(context);
  exit(0);
}

static noreturn void publish(struct shared *shared, size_t subscribers, size_t processes,
                             uint64_t messages) {
  die_with_parent();
  uint8_t secret[32];
  size_t length = sizeof shared->endpoint;
  char message[MESSAGE_BYTES], subscription[64];
  void *context = zmq_ctx_new(), *socket = context ? zmq_socket(context, ZMQ_XPUB) : NULL;
  NEED(socket != NULL);
  randombytes_buf(secret, sizeof secret);
  crypto_scalarmult_base(shared->key, secret);
  set_int(socket, ZMQ_CURVE_SERVER, 1);
  set_int(socket, ZMQ_SNDHWM, 0);
  set_int(socket, ZMQ_XPUB_VERBOSE, 1);
  NEED(zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, secret, sizeof secret) == 0);
  NEED(zmq_bind(socket, "tcp://127.0.0.1:*") == 0);
  NEED(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, shared->endpoint, &length) == 0);
  atomic_store(&shared->open, 1);
  for (size_t i = 0; i < subscribers; i++)
    NEED(zmq_recv(socket, subscription, sizeof subscription, 0) >= 0);
  memset(message, 'd', sizeof message);
  atomic_store(&shared->go, 1);
  for (uint64_t sent = 0; sent < messages; sent++) {
    for (size_t i = 0; i < processes && sent % 64 == 0;) {
      if (sent < atomic_load(&shared->least[i]) + WINDOW)
        i++;
      else
        usleep(50);
    }
    NEED(zmq_send(socket, message, sizeof message, 0) >= 0);
  }
  for (size_t i = 0; i < processes; i++)
    while (atomic_load(&shared->least[i]) < messages)
      usleep(200);
  atomic_store(&shared->go, 2);
  pause();
  exit(1);
}

static void wait_for(const atomic_int *what, int value) {
  while (atomic_load(what) < value)
    usleep(200);
}

int main(int count, char **arguments) {
  if (count != 3 || sodium_init() < 0) give_up("usage: %s SUBSCRIBERS MESSAGES", arguments[0]);
  size_t subscribers = number_argument(arguments[1]);
  uint64_t messages = number_argument(arguments[2]);
  size_t processes = (subscribers + TOGETHER - 1) / TOGETHER;
  NEED(processes <= PROCESSES_MOST);
  struct shared *shared =
      mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  NEED(shared != MAP_FAILED);
  pid_t publisher = fork();
  NEED(publisher >= 0);
  if (publisher == 0) publish(shared, subscribers, processes, messages);
  wait_for(&shared->open, 1);
  for (size_t i = 0; i < processes; i++) {
    size_t left = subscribers - i * TOGETHER;
    pid_t child = fork();
    NEED(child >= 0);
    if (child == 0) subscribe(shared, i, left < TOGETHER ? left : TOGETHER, messages);
  }
  wait_for(&shared->go, 1);
  double used = process_seconds(publisher);
  int64_t began = nanoseconds();
  wait_for(&shared->go, 2);
  int64_t ended = nanoseconds();
  used = process_seconds(publisher) - used;
  for (size_t i = 0; i < processes; i++)
    NEED(wait(NULL) > 0);
  kill(publisher, SIGKILL);
  size_t deliveries = subscribers * messages;
  say("rate", per_second(deliveries, ended - began));
  say("cpu_per_million", used * 1e6 / (double)deliveries);
  return 0;
}
