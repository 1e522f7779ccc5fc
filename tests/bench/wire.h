/* Sockets as a node has them: a DEALER over TCP with CURVE, of one context. */
#ifndef COLLEGA_BENCH_WIRE_H
#define COLLEGA_BENCH_WIRE_H
#include <stddef.h>
#include <stdint.h>
#include <zmq.h>

#define WAIT_MS 20000 /* for any single answer: what takes longer is broken */

struct target {
  char endpoint[256];
  uint8_t key[32]; /* the server's CURVE key */
};
/* `key` as 64 hexadecimal digits. */
void target_read(struct target *target, const char *endpoint, const char *key);
void *context_open(int sockets);
/* Connects with the CURVE secret given, NULL: a fresh one. */
void *dealer_open(void *context, const struct target *target, const uint8_t secret[32]);
void frame_send(void *socket, const void *data, size_t length);
/* Waits for a message of one part, at most WAIT_MS. The caller closes it. */
void frame_receive(void *socket, zmq_msg_t *message);
#endif
