/* The socket side of a node's session: one DEALER over TCP with CURVE to one broker address.
 *
 * It never reconnects by itself (the session's machine times that) and tells when the connection is lost or the
 * handshake is refused. A handshake that runs out of time is a lost connection: nobody has judged the key. One ZeroMQ
 * context a process, made by link_context_new after signals are blocked. Not thread-safe. */
#ifndef COLLEGA_CLIENT_LINK_SOCKET_H
#define COLLEGA_CLIENT_LINK_SOCKET_H
#include <zmq.h>
#include "base/bytes.h"
#include "base/error.h"

struct link_context;
struct link_socket;
enum collega_status link_context_new(struct link_context **out,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
void link_context_destroy(struct link_context **context);

struct link_peer {
  const char *address;       /* tcp://host:port */
  const uint8_t *server_key; /* 32 bytes: the broker's CURVE key */
  const uint8_t *secret;     /* 32 bytes: ours (or an invitation's) */
};
/* Begins to connect; the result comes as link_event. */
enum collega_status link_socket_open(struct link_context *context, const struct link_peer *peer,
                                     struct link_socket **out,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
void link_socket_close(struct link_socket **socket);
/* Fills two poll items (frames, events). */
void link_socket_poll(struct link_socket *socket, zmq_pollitem_t items[2]);

enum link_event { LINK_NOTHING, LINK_CONNECTED, LINK_LOST, LINK_HANDSHAKE_REFUSED };
/* The next event that waits. */
enum link_event link_socket_event(struct link_socket *socket);
/* The next frame into *frame (initialised by the caller with zmq_msg_init); false: none waits. A message of several
 * parts is dropped whole and *bad set. */
bool link_socket_receive(struct link_socket *socket, zmq_msg_t *frame, bool *bad);
/* Queues one frame; false: not now (the connection is full or gone). */
bool link_socket_send(struct link_socket *socket, struct bytes frame);
#endif
