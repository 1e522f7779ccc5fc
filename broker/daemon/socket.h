/* The server socket: a ROUTER with CURVE, its options, and what it takes to send to one peer or to
 * hang up on one. libzmq cannot disconnect a peer, so hanging up is a shutdown of its connection:
 * never a close, which would let the number be given to somebody else while libzmq still uses
 * it. */
#ifndef COLLEGA_BROKER_DAEMON_SOCKET_H
#define COLLEGA_BROKER_DAEMON_SOCKET_H
#include <zmq.h>
#include "base/bytes.h"

/* Binds to `listen` ("tcp://127.0.0.1:0" picks a port) and writes what it was bound to. `monitor`
 * gets accepted and ended connections; both are the caller's to close. */
enum collega_status server_open(void *context, const uint8_t link_secret[32], const char *listen,
                                char *endpoint, size_t capacity, void **router, void **monitor,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
enum sent {
  SENT,
  SENT_FULL,
  SENT_GONE
}; /* FULL: its pipe takes no more now; GONE: not connected */
/* Sends the body on success; otherwise it stays the caller's. */
enum sent server_send(void *router, struct bytes routing, zmq_msg_t *body);
/* Sends a copy of `packed`. Without memory for it: FULL. */
enum sent server_send_copy(void *router, struct bytes routing, struct bytes packed);
/* One message: routing id and body. `parts` counts the frames of the body; of several only the
 * first is kept. False: nothing waits. On true both messages must be closed. */
bool server_receive(void *router, zmq_msg_t *routing, zmq_msg_t *body, size_t *parts);

/* Any socket of libzmq's: does a message wait in it? And the descriptor that can be read when that
 * may have changed since it was asked, or since a receive found nothing. */
bool socket_waits(void *socket);
int socket_descriptor(void *socket);

enum connection_event { CONNECTION_NONE, CONNECTION_OPENED, CONNECTION_ENDED, CONNECTION_OTHER };
enum connection_event server_event(void *monitor, int *descriptor);
/* The peer of a connection. False: not connected (any more). */
#define PEER_ADDRESS_BYTES 64
bool connection_peer(int descriptor, char address[PEER_ADDRESS_BYTES], uint16_t *port);
/* Only if `port` is still the peer's: the descriptor may have been given to another connection. */
void connection_hang_up(int descriptor, uint16_t port);
/* Bytes that the kernel has received on it; 0: not known. */
uint64_t connection_received(int descriptor);
#endif
