/* The daemon's session with its broker: the link machine, the socket and the exchange, tied together. One thread. */
#ifndef COLLEGA_CLIENT_DAEMON_SESSION_H
#define COLLEGA_CLIENT_DAEMON_SESSION_H
#include "client/exchange/exchange.h"
#include "client/library/node_state.h"
#include "client/link/socket.h"
#include "proto/link/link.h"

struct node_link;
/* `spread_ms`: reconnects are uniform over 0..spread_ms (at most RECONNECT_SPREAD_MS). */
enum collega_status node_link_open(struct exchange *exchange, struct link_context *context,
                                   int64_t spread_ms, struct node_link **out,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
void node_link_close(struct node_link **link);
void node_link_set_spread(struct node_link *link, int64_t spread_ms);
/* The board is followed by another filter from now on: a new session, in which the exchange says so. */
void node_link_renew(struct node_link *link);
/* Poll items for the socket, if there is one; returns how many (0 or 2). */
int node_link_poll(struct node_link *link, zmq_pollitem_t items[2]);
/* All that waits on the socket: frames to the exchange, answers back. Call after poll. */
void node_link_receive(struct node_link *link);
/* Timers, connecting, signing, the outbox. Call after every wake-up and at least once a second. */
void node_link_work(struct node_link *link);
/* The certificate is stored. */
bool node_link_joined(const struct node_link *link);
/* The broker refused to let us join: *error says why. */
bool node_link_join_refused(const struct node_link *link, struct collega_error *error);
const struct node_state *node_link_state(const struct node_link *link);
#endif
