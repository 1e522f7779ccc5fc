/* ZeroMQ, kept at arm's length: see the header. */
#include "client/link/socket.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "proto/limits.h"

#define SEND_HIGH_WATER    256 /* frames; bytes are bounded by the broker's credit */
#define RECEIVE_HIGH_WATER 64  /* frames; what we give as credit bounds the bytes */

struct link_context {
  void *zmq;
  unsigned sockets; /* numbers the monitors' endpoints */
};
struct link_socket {
  void *dealer, *monitor;
  int64_t connected_at; /* monotonic: the handshake began */
};

/* A broker that does not let a key in says so, or hangs up, as soon as it comes to the handshake. One that is hung up
 * on for want of progress (HANDSHAKE_MS, by either side) was not judged: whoever is at the other end is overloaded, or
 * the line is bad. The two sides' timers differ, hence the half. */
#define UNJUDGED_MS (HANDSHAKE_MS / 2)

static enum collega_status zmq_failed(struct collega_error *error, const char *what) {
  return error_set(error, COLLEGA_SYSTEM, RULE_system_call, NULL, what,
                   system_reason(zmq_errno(), zmq_strerror(zmq_errno())), NULL);
}

enum collega_status link_context_new(struct link_context **out, struct collega_error *error) {
  struct link_context *context = calloc(1, sizeof *context);
  if (!context) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  context->zmq = zmq_ctx_new();
  if (!context->zmq) {
    free(context);
    return zmq_failed(error, "zmq_ctx_new");
  }
  *out = context;
  return COLLEGA_OK;
}

void link_context_destroy(struct link_context **context) {
  if (!context || !*context) return;
  zmq_ctx_term((*context)->zmq);
  free(*context);
  *context = NULL;
}

static bool set_number(void *socket, int option, int value) {
  return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

static bool set_options(void *dealer, const struct link_peer *peer) {
  uint8_t public_key[32];
  int64_t frame_bytes = LIMIT_FRAME_BYTES;
  bool ok = crypto_scalarmult_base(public_key, peer->secret) == 0 &&
            zmq_setsockopt(dealer, ZMQ_CURVE_SERVERKEY, peer->server_key, 32) == 0 &&
            zmq_setsockopt(dealer, ZMQ_CURVE_PUBLICKEY, public_key, 32) == 0 &&
            zmq_setsockopt(dealer, ZMQ_CURVE_SECRETKEY, peer->secret, 32) == 0 &&
            zmq_setsockopt(dealer, ZMQ_MAXMSGSIZE, &frame_bytes, sizeof frame_bytes) == 0 &&
            set_number(dealer, ZMQ_LINGER, 0) && set_number(dealer, ZMQ_IMMEDIATE, 1) &&
            set_number(dealer, ZMQ_RECONNECT_IVL, -1) &&
            set_number(dealer, ZMQ_SNDHWM, SEND_HIGH_WATER) &&
            set_number(dealer, ZMQ_RCVHWM, RECEIVE_HIGH_WATER) &&
            set_number(dealer, ZMQ_HANDSHAKE_IVL, (int)HANDSHAKE_MS) &&
            set_number(dealer, ZMQ_TCP_KEEPALIVE, 1) &&
            set_number(dealer, ZMQ_TCP_KEEPALIVE_IDLE, 60) && set_number(dealer, ZMQ_IPV6, 1);
  return ok;
}

enum collega_status link_socket_open(struct link_context *context, const struct link_peer *peer,
                                     struct link_socket **out, struct collega_error *error) {
  enum collega_status status = COLLEGA_OK;
  char endpoint[64];
  snprintf(endpoint, sizeof endpoint, "inproc://collega.monitor.%u", ++context->sockets);
  struct link_socket *socket = calloc(1, sizeof *socket);
  if (!socket) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  socket->dealer = zmq_socket(context->zmq, ZMQ_DEALER);
  socket->monitor = zmq_socket(context->zmq, ZMQ_PAIR);
  if (!socket->dealer || !socket->monitor)
    status = zmq_failed(error, "zmq_socket");
  else if (!set_options(socket->dealer, peer) || !set_number(socket->monitor, ZMQ_LINGER, 0))
    status = zmq_failed(error, "zmq_setsockopt");
  else if (zmq_socket_monitor(
               socket->dealer, endpoint,
               ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED |
                   ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                   ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) != 0 ||
           zmq_connect(socket->monitor, endpoint) != 0)
    status = zmq_failed(error, "zmq_socket_monitor");
  else if (zmq_connect(socket->dealer, peer->address) != 0)
    status = error_set(error, COLLEGA_UNREACHABLE, RULE_link_address, "address", peer->address,
                       system_reason(zmq_errno(), zmq_strerror(zmq_errno())), NULL);
  if (status != COLLEGA_OK) {
    link_socket_close(&socket);
    return status;
  }
  *out = socket;
  return COLLEGA_OK;
}

void link_socket_close(struct link_socket **socket) {
  if (!socket || !*socket) return;
  if ((*socket)->dealer) {
    zmq_socket_monitor((*socket)->dealer, NULL, 0);
    zmq_close((*socket)->dealer);
  }
  if ((*socket)->monitor) zmq_close((*socket)->monitor);
  free(*socket);
  *socket = NULL;
}

void link_socket_poll(struct link_socket *socket, zmq_pollitem_t items[2]) {
  items[0] = (zmq_pollitem_t){.socket = socket->dealer, .events = ZMQ_POLLIN};
  items[1] = (zmq_pollitem_t){.socket = socket->monitor, .events = ZMQ_POLLIN};
}

/* LINK_NOTHING: of no consequence to the session. */
static enum link_event take_event(struct link_socket *socket, uint16_t number) {
  switch (number) {
  case ZMQ_EVENT_CONNECTED:
    socket->connected_at = clock_monotonic();
    return LINK_NOTHING;
  case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
    return LINK_CONNECTED;
  case ZMQ_EVENT_CLOSED:
  case ZMQ_EVENT_DISCONNECTED:
    return LINK_LOST;
  case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
    if (clock_monotonic() - socket->connected_at >= UNJUDGED_MS) return LINK_LOST;
    return LINK_HANDSHAKE_REFUSED;
  default:
    return LINK_HANDSHAKE_REFUSED;
  }
}

enum link_event link_socket_event(struct link_socket *socket) {
  enum link_event event = LINK_NOTHING;
  zmq_msg_t frame;
  zmq_msg_init(&frame);
  /* An event is two parts: number and value, then the endpoint. */
  while (event == LINK_NOTHING && zmq_msg_recv(&frame, socket->monitor, ZMQ_DONTWAIT) >= 0) {
    uint16_t number = 0;
    if (zmq_msg_size(&frame) >= sizeof number) memcpy(&number, zmq_msg_data(&frame), sizeof number);
    while (zmq_msg_more(&frame) && zmq_msg_recv(&frame, socket->monitor, ZMQ_DONTWAIT) >= 0) {}
    event = take_event(socket, number);
  }
  zmq_msg_close(&frame);
  return event;
}

bool link_socket_receive(struct link_socket *socket, zmq_msg_t *frame, bool *bad) {
  *bad = false;
  if (zmq_msg_recv(frame, socket->dealer, ZMQ_DONTWAIT) < 0) return false;
  while (zmq_msg_more(frame)) {
    *bad = true;
    if (zmq_msg_recv(frame, socket->dealer, ZMQ_DONTWAIT) < 0) break;
  }
  return true;
}

bool link_socket_send(struct link_socket *socket, struct bytes frame) {
  return zmq_send(socket->dealer, frame.data, frame.length, ZMQ_DONTWAIT) >= 0;
}
