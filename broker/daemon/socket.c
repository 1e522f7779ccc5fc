/* The server socket. */
#include "broker/daemon/socket.h"
#include "broker/session/zap.h"
#include "proto/limits.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define MONITOR_ENDPOINT "inproc://server.monitor"
#define BACKLOG          4096 /* all of a country's nodes come back after a restart */
#define RECEIVE_MOST     1000 /* messages waiting from one peer; its credit bounds their bytes */
/* Answers to one peer that wait for its socket. A node may have CREDIT_RECORDS requests unanswered;
 * one that has more waiting does not read, and is cut. */
#define SEND_MOST   ((int)CREDIT_RECORDS + 1024)
#define CURVE_BYTES 64 /* what encryption adds to a frame, and a little */

/* Known to libzmq 4.3 but named in its header only for those who ask for its drafts. */
#ifndef ZMQ_ZAP_ENFORCE_DOMAIN
#define ZMQ_ZAP_ENFORCE_DOMAIN 93
#endif

struct option {
  int name, value;
};

static int set_options(void *router, const uint8_t link_secret[32]) {
  static const struct option options[] = {
      {ZMQ_CURVE_SERVER, 1},
      {ZMQ_ZAP_ENFORCE_DOMAIN, 1},
      {ZMQ_ROUTER_MANDATORY, 1},
      {ZMQ_ROUTER_HANDOVER, 0},
      {ZMQ_RCVHWM, RECEIVE_MOST},
      {ZMQ_SNDHWM, SEND_MOST},
      {ZMQ_HANDSHAKE_IVL, (int)HANDSHAKE_MS},
      {ZMQ_LINGER, 0},
      {ZMQ_BACKLOG, BACKLOG},
      {ZMQ_TCP_KEEPALIVE, 1},
      {ZMQ_TCP_KEEPALIVE_IDLE, 60},
      {ZMQ_TCP_KEEPALIVE_INTVL, 15},
      {ZMQ_TCP_KEEPALIVE_CNT, 4},
  };
  for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
    if (zmq_setsockopt(router, options[i].name, &options[i].value, sizeof(int)) != 0) return -1;
  int64_t largest = LIMIT_FRAME_BYTES + CURVE_BYTES;
  if (zmq_setsockopt(router, ZMQ_MAXMSGSIZE, &largest, sizeof largest) != 0) return -1;
  if (zmq_setsockopt(router, ZMQ_ZAP_DOMAIN, ZAP_DOMAIN_NAME, strlen(ZAP_DOMAIN_NAME)) != 0)
    return -1;
  return zmq_setsockopt(router, ZMQ_CURVE_SECRETKEY, link_secret, 32);
}

static void *monitor_open(void *context, void *router) {
  int events = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED |
               ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
               ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
  if (zmq_socket_monitor(router, MONITOR_ENDPOINT, events) != 0) return NULL;
  void *monitor = zmq_socket(context, ZMQ_PAIR);
  if (monitor == NULL) return NULL;
  int zero = 0; /* without a mark: libzmq's I/O thread would wait for us at it */
  zmq_setsockopt(monitor, ZMQ_RCVHWM, &zero, sizeof zero);
  zmq_setsockopt(monitor, ZMQ_LINGER, &zero, sizeof zero);
  if (zmq_connect(monitor, MONITOR_ENDPOINT) == 0) return monitor;
  int number = errno;
  zmq_close(monitor);
  errno = number;
  return NULL;
}

enum collega_status server_open(void *context, const uint8_t link_secret[32], const char *listen,
                                char *endpoint, size_t capacity, void **router, void **monitor,
                                struct collega_error *error) {
  *monitor = NULL;
  *router = zmq_socket(context, ZMQ_ROUTER);
  int six =
      strchr(listen, '[') != NULL; /* asked for: an IPv4 address is not to be told as ::ffff:... */
  bool made = *router != NULL && set_options(*router, link_secret) == 0 &&
              zmq_setsockopt(*router, ZMQ_IPV6, &six, sizeof six) == 0;
  if (made) *monitor = monitor_open(context, *router);
  if (made && *monitor != NULL && zmq_bind(*router, listen) == 0 &&
      zmq_getsockopt(*router, ZMQ_LAST_ENDPOINT, endpoint, &capacity) == 0)
    return COLLEGA_OK;
  int number = errno;
  if (*monitor != NULL) zmq_close(*monitor);
  if (*router != NULL) zmq_close(*router);
  *router = *monitor = NULL;
  return error_set(error, number == EADDRINUSE ? COLLEGA_BUSY : COLLEGA_SYSTEM, RULE_broker_listen,
                   NULL, listen, system_reason(number, zmq_strerror(number)), NULL);
}

enum sent server_send(void *router, struct bytes routing, zmq_msg_t *body) {
  if (zmq_send(router, routing.data, routing.length, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
    return errno == EAGAIN ? SENT_FULL : SENT_GONE;
  return zmq_msg_send(body, router, ZMQ_DONTWAIT) < 0 ? SENT_GONE : SENT;
}

enum sent server_send_copy(void *router, struct bytes routing, struct bytes packed) {
  zmq_msg_t body;
  if (zmq_msg_init_size(&body, packed.length) != 0) return SENT_FULL;
  memcpy(zmq_msg_data(&body), packed.data, packed.length);
  enum sent sent = server_send(router, routing, &body);
  if (sent != SENT) zmq_msg_close(&body);
  return sent;
}

bool server_receive(void *router, zmq_msg_t *routing, zmq_msg_t *body, size_t *parts) {
  zmq_msg_init(routing);
  zmq_msg_init(body);
  *parts = 0;
  if (zmq_msg_recv(routing, router, ZMQ_DONTWAIT) < 0) {
    zmq_msg_close(routing);
    zmq_msg_close(body);
    return false;
  }
  bool more = zmq_msg_more(routing);
  while (more) {
    zmq_msg_t spare, *part = *parts == 0 ? body : &spare;
    if (part == &spare) zmq_msg_init(&spare);
    if (zmq_msg_recv(part, router, ZMQ_DONTWAIT) < 0) break; /* never: messages come whole */
    more = zmq_msg_more(part);
    if (part == &spare) zmq_msg_close(&spare);
    ++*parts;
  }
  return true;
}

bool socket_waits(void *socket) {
  int events = 0;
  size_t size = sizeof events;
  return zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size) == 0 && (events & ZMQ_POLLIN) != 0;
}

int socket_descriptor(void *socket) {
  int descriptor = -1;
  size_t size = sizeof descriptor;
  zmq_getsockopt(socket, ZMQ_FD, &descriptor, &size);
  return descriptor;
}

enum connection_event server_event(void *monitor, int *descriptor) {
  zmq_msg_t head;
  zmq_msg_init(&head);
  uint16_t event = 0;
  int32_t value = -1;
  bool got = zmq_msg_recv(&head, monitor, ZMQ_DONTWAIT) >= 0;
  if (got && zmq_msg_size(&head) == sizeof event + sizeof value) {
    memcpy(&event, zmq_msg_data(&head), sizeof event);
    memcpy(&value, (const uint8_t *)zmq_msg_data(&head) + sizeof event, sizeof value);
  }
  bool more = got && zmq_msg_more(&head);
  zmq_msg_close(&head);
  while (more) { /* the address: our own, of no interest */
    zmq_msg_init(&head);
    more = zmq_msg_recv(&head, monitor, ZMQ_DONTWAIT) >= 0 && zmq_msg_more(&head);
    zmq_msg_close(&head);
  }
  if (!got) return CONNECTION_NONE;
  *descriptor = value;
  if (event == ZMQ_EVENT_ACCEPTED) return CONNECTION_OPENED;
  if (event == ZMQ_EVENT_DISCONNECTED || event == ZMQ_EVENT_CLOSED) return CONNECTION_ENDED;
  return CONNECTION_OTHER;
}

bool connection_peer(int descriptor, char address[PEER_ADDRESS_BYTES], uint16_t *port) {
  struct sockaddr_storage peer;
  socklen_t length = sizeof peer;
  if (descriptor < 0 || getpeername(descriptor, (struct sockaddr *)&peer, &length) != 0)
    return false;
  if (peer.ss_family == AF_INET) {
    const struct sockaddr_in *four = (const struct sockaddr_in *)&peer;
    *port = ntohs(four->sin_port);
    return inet_ntop(AF_INET, &four->sin_addr, address, PEER_ADDRESS_BYTES) != NULL;
  }
  if (peer.ss_family != AF_INET6) return false;
  const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&peer;
  *port = ntohs(six->sin6_port);
  return inet_ntop(AF_INET6, &six->sin6_addr, address, PEER_ADDRESS_BYTES) != NULL;
}

void connection_hang_up(int descriptor, uint16_t port) {
  char address[PEER_ADDRESS_BYTES];
  uint16_t now = 0;
  if (connection_peer(descriptor, address, &now) && now == port) shutdown(descriptor, SHUT_RDWR);
}

uint64_t connection_received(int descriptor) {
  struct tcp_info info;
  socklen_t length = sizeof info;
  if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return 0;
  if (length < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received)
    return 0;
  return info.tcpi_bytes_received;
}
