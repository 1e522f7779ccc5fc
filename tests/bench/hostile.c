/* Peers that mean harm, until they are killed. What a well-behaved member feels of them is measured beside them.
 *
 *   hostile ENDPOINT TOKEN half COUNT      COUNT connections that never finish a handshake
 *   hostile ENDPOINT TOKEN garbage MEMBER  a member that sends what nobody can read, is cut, and comes again
 *   hostile ENDPOINT TOKEN forged MEMBER   a member that publishes runs whose signature is wrong, as fast as it may
 *
 * Prints "ready" when it has begun. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "proto/guard.h"
#include "proto/limits.h"
#include "tests/bench/measure.h"
#include "tests/bench/session.h"

#define FORGED_WINDOW 64u /* unanswered runs */

static void ready(void) {
  puts("ready");
  fflush(stdout);
}

/* ---- half open */

static int connect_raw(const char *endpoint) {
  const char *colon = strrchr(endpoint, ':');
  struct sockaddr_in address = {.sin_family = AF_INET};
  NEED(colon != NULL && strncmp(endpoint, "tcp://127.0.0.1:", 16) == 0);
  address.sin_port = htons((uint16_t)atoi(colon + 1));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int descriptor = socket(AF_INET, SOCK_STREAM, 0);
  if (descriptor < 0) return -1;
  if (connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0) return descriptor;
  close(descriptor);
  return -1;
}

static noreturn void stay_half_open(const char *endpoint, size_t count) {
  struct pollfd *connections = calloc(count, sizeof *connections);
  NEED(connections != NULL);
  for (size_t i = 0; i < count; i++)
    connections[i] = (struct pollfd){.fd = connect_raw(endpoint), .events = POLLIN};
  ready();
  for (;;) { /* who is hung up on comes again */
    poll(connections, count, 50);
    for (size_t i = 0; i < count; i++) {
      char buffer[256];
      if (connections[i].fd < 0) connections[i].fd = connect_raw(endpoint);
      if (!connections[i].revents || recv(connections[i].fd, buffer, sizeof buffer, 0) > 0)
        continue;
      close(connections[i].fd);
      connections[i].fd = connect_raw(endpoint);
    }
  }
}

/* ---- garbage */

static noreturn void send_garbage(const struct target *target, uint32_t member) {
  uint8_t garbage[4096];
  struct employer employer;
  employer_make(&employer, member);
  void *context = context_open(4);
  bool told = false;
  for (;;) {
    void *socket = dealer_open(context, target, identity_link_secret(employer.identity));
    int wait = 200;
    NEED(zmq_setsockopt(socket, ZMQ_RCVTIMEO, &wait, sizeof wait) == 0);
    for (int i = 0; i < 64; i++) {
      random_fill(garbage, sizeof garbage);
      if (zmq_send(socket, garbage, sizeof garbage, ZMQ_DONTWAIT) < 0) break;
    }
    for (zmq_msg_t answer;;) { /* its refusals, until it is cut */
      zmq_msg_init(&answer);
      bool came = zmq_msg_recv(&answer, socket, 0) >= 0;
      zmq_msg_close(&answer);
      if (!came) break;
    }
    zmq_close(socket);
    if (!told) ready();
    told = true;
  }
}

/* ---- forged */

static noreturn void publish_forged(const struct target *target, uint32_t member,
                                    struct arena *arena) {
  struct session session;
  void *context = context_open(1);
  session_open(&session, context, target, member, arena);
  Collega__Publish publish = COLLEGA__PUBLISH__INIT;
  Collega__ToBroker frame = COLLEGA__TO_BROKER__INIT;
  publish.run = employer_offers(&session.employer, 1, arena);
  publish.run->signature.data[7] ^= 1;
  publish.head = employer_next_head(&session.employer);
  frame.publish = &publish;
  struct bytes packed = message_pack(&frame.base, arena);
  ready();
  for (size_t unanswered = 0;;) {
    for (; unanswered < FORGED_WINDOW; unanswered++)
      frame_send(session.socket, packed.data, packed.length);
    zmq_msg_t answer;
    frame_receive(session.socket, &answer); /* refusals; credit comes between them */
    const uint8_t *data = zmq_msg_data(&answer);
    if (data[0] >> 3 == ANSWER_REFUSAL && unanswered > 0) unanswered--;
    zmq_msg_close(&answer);
  }
}

int main(int count, char **arguments) {
  if (count != 5 || bytes_start(NULL) != COLLEGA_OK)
    give_up("usage: %s ENDPOINT TOKEN half|garbage|forged NUMBER", arguments[0]);
  die_with_parent();
  struct arena *arena = arena_make();
  struct target target;
  token_target(arguments[2], arguments[1], &target, arena);
  size_t number = number_argument(arguments[4]);
  if (strcmp(arguments[3], "half") == 0) stay_half_open(arguments[1], number);
  if (strcmp(arguments[3], "garbage") == 0) send_garbage(&target, (uint32_t)number);
  if (strcmp(arguments[3], "forged") == 0) publish_forged(&target, (uint32_t)number, arena);
  give_up("no such kind: %s", arguments[3]);
}
