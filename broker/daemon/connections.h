/* Connections, by descriptor: which session speaks on each, and how much was delivered of what the
 * kernel received. A message of endless parts passes libzmq's limits on size and number, and
 * nothing of it is delivered until memory is gone; here it shows as bytes that came and did not
 * arrive. One thread. */
#ifndef COLLEGA_BROKER_DAEMON_CONNECTIONS_H
#define COLLEGA_BROKER_DAEMON_CONNECTIONS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An honest node has at most its credit under way; the rest is for encryption, frames and small
 * talk. */
#define CHOKE_BYTES (24u * 1024u * 1024u)
#define CHOKE_ROUND 1000 /* connections looked at in one round */
/* A node says Hello as soon as its handshake is done, which takes HANDSHAKE_MS at most. */
#define SILENT_MOST_MS 10000

struct connections;
struct connections *connections_new(void); /* NULL: out of memory */
void connections_destroy(struct connections **connections);
/* `now` is monotonic. */
void connection_open(struct connections *connections, int descriptor, uint16_t port, int64_t now);
/* Returns the session that spoke on it; 0: none. */
uint64_t connection_end(struct connections *connections, int descriptor);
/* The other end's address and port, as they were told by connection_name; "": not known. */
void connection_name(struct connections *connections, int descriptor, const char *address);
const char *connection_address(const struct connections *connections, int descriptor);
/* Is it open, and has nobody spoken on it? */
bool connection_silent(const struct connections *connections, int descriptor);
void connection_speaks(struct connections *connections, int descriptor, uint64_t session);
void connection_delivered(struct connections *connections, int descriptor, size_t bytes);
/* Looks at the next CHOKE_ROUND connections, and finds those that are choked, or silent for too
 * long. `received` tells the kernel's count (connection_received). Each is found once. */
enum connection_fault { CONNECTION_CHOKED, CONNECTION_SILENT };
struct connection_watch {
  int64_t now;
  uint64_t (*received)(int descriptor);
  void (*found)(void *context, int descriptor, uint16_t port, uint64_t session,
                enum connection_fault fault);
  void *context;
};
void connections_watch(struct connections *connections, const struct connection_watch *watch);
/* It is to be hung up on at `at`, unless it ends before. */
void connection_leave(struct connections *connections, int descriptor, int64_t at);
bool connection_leaving(const struct connections *connections, int descriptor);
void connections_hang_up_due(struct connections *connections, int64_t now,
                             void (*hang_up)(int descriptor, uint16_t port));
size_t connections_count(const struct connections *connections);
#endif
