/* Sockets. Whatever fails ends the program: a benchmark with a hole in it has no figure. */
#include "tests/bench/wire.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include "tests/bench/measure.h"

void target_read(struct target *target, const char *endpoint, const char *key) {
  size_t length = 0;
  NEED(strlen(endpoint) < sizeof target->endpoint);
  strcpy(target->endpoint, endpoint);
  NEED(sodium_hex2bin(target->key, sizeof target->key, key, strlen(key), NULL, &length, NULL) ==
           0 &&
       length == sizeof target->key);
}

void *context_open(int sockets) {
  void *context = zmq_ctx_new();
  NEED(context != NULL && zmq_ctx_set(context, ZMQ_MAX_SOCKETS, sockets + 8) == 0);
  return context;
}

void *dealer_open(void *context, const struct target *target, const uint8_t secret[32]) {
  uint8_t own[32], public_key[32];
  if (secret != NULL)
    memcpy(own, secret, sizeof own);
  else
    randombytes_buf(own, sizeof own);
  crypto_scalarmult_base(public_key, own);
  void *socket = zmq_socket(context, ZMQ_DEALER);
  if (socket == NULL) give_up("socket: %s", zmq_strerror(errno));
  int zero = 0, wait = WAIT_MS;
  NEED(zmq_setsockopt(socket, ZMQ_LINGER, &zero, sizeof zero) == 0);
  NEED(zmq_setsockopt(socket, ZMQ_RCVTIMEO, &wait, sizeof wait) == 0);
  NEED(zmq_setsockopt(socket, ZMQ_SNDTIMEO, &wait, sizeof wait) == 0);
  NEED(zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, target->key, 32) == 0);
  NEED(zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, public_key, 32) == 0);
  NEED(zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, own, 32) == 0);
  if (zmq_connect(socket, target->endpoint) != 0)
    give_up("%s: %s", target->endpoint, zmq_strerror(errno));
  return socket;
}

void frame_send(void *socket, const void *data, size_t length) {
  if (zmq_send(socket, data, length, 0) < 0) give_up("send: %s", zmq_strerror(errno));
}

void frame_receive(void *socket, zmq_msg_t *message) {
  zmq_msg_init(message);
  if (zmq_msg_recv(message, socket, 0) < 0) give_up("no answer: %s", zmq_strerror(errno));
  NEED(!zmq_msg_more(message));
}
