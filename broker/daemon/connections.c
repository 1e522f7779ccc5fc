/* The table is an array: the kernel gives the lowest free descriptor, so it stays dense. */
#include "broker/daemon/connections.h"
#include <stdio.h>
#include <stdlib.h>

#define MESSAGE_OVERHEAD 64u /* encryption and framing of one message */
#define HANDSHAKE_BYTES  4096u
#define ADDRESS_BYTES    48 /* of IPv6, as text */

struct connection {
  bool open;
  uint16_t port;
  bool found; /* watched, and told about */
  uint64_t session, delivered;
  int64_t opened_at;
  int64_t leave_at; /* 0: it stays */
  char address[ADDRESS_BYTES];
};
struct connections {
  struct connection *table;
  size_t size, count;
  size_t next; /* to be looked at */
  size_t leaving;
};

struct connections *connections_new(void) {
  return calloc(1, sizeof(struct connections));
}

void connections_destroy(struct connections **connections) {
  if (*connections == NULL) return;
  free((*connections)->table);
  free(*connections);
  *connections = NULL;
}

static struct connection *at(const struct connections *connections, int descriptor) {
  if (descriptor < 0 || (size_t)descriptor >= connections->size) return NULL;
  struct connection *connection = &connections->table[descriptor];
  return connection->open ? connection : NULL;
}

void connection_open(struct connections *connections, int descriptor, uint16_t port, int64_t now) {
  if (descriptor < 0) return;
  if ((size_t)descriptor >= connections->size) {
    size_t size = ((size_t)descriptor + 64) * 2;
    struct connection *grown = realloc(connections->table, size * sizeof *grown);
    if (grown == NULL) return; /* it is served without being watched */
    for (size_t i = connections->size; i < size; i++)
      grown[i] = (struct connection){0};
    connections->table = grown;
    connections->size = size;
  }
  connection_end(connections, descriptor); /* its end went unnoticed */
  connections->count++;
  connections->table[descriptor] =
      (struct connection){.open = true, .port = port, .opened_at = now};
}

void connection_name(struct connections *connections, int descriptor, const char *address) {
  struct connection *connection = at(connections, descriptor);
  if (connection != NULL) snprintf(connection->address, sizeof connection->address, "%s", address);
}

const char *connection_address(const struct connections *connections, int descriptor) {
  const struct connection *connection = at(connections, descriptor);
  return connection == NULL ? "" : connection->address;
}

bool connection_silent(const struct connections *connections, int descriptor) {
  const struct connection *connection = at(connections, descriptor);
  return connection != NULL && connection->session == 0;
}

uint64_t connection_end(struct connections *connections, int descriptor) {
  struct connection *connection = at(connections, descriptor);
  if (connection == NULL) return 0;
  connection->open = false;
  connections->count--;
  if (connection->leave_at != 0) connections->leaving--;
  return connection->session;
}

void connection_speaks(struct connections *connections, int descriptor, uint64_t session) {
  struct connection *connection = at(connections, descriptor);
  if (connection != NULL) connection->session = session;
}

void connection_delivered(struct connections *connections, int descriptor, size_t bytes) {
  struct connection *connection = at(connections, descriptor);
  if (connection != NULL) connection->delivered += bytes + MESSAGE_OVERHEAD;
}

static void watch_one(struct connection *connection, int descriptor,
                      const struct connection_watch *watch) {
  uint64_t most = connection->delivered + HANDSHAKE_BYTES + CHOKE_BYTES;
  bool choked = watch->received(descriptor) > most;
  bool silent = connection->session == 0 && watch->now - connection->opened_at >= SILENT_MOST_MS;
  if (!choked && !silent) return;
  connection->found = true; /* its end is reported by the monitor */
  watch->found(watch->context, descriptor, connection->port, connection->session,
               choked ? CONNECTION_CHOKED : CONNECTION_SILENT);
}

void connections_watch(struct connections *connections, const struct connection_watch *watch) {
  size_t looked = 0;
  for (size_t steps = 0; steps < connections->size && looked < CHOKE_ROUND; steps++) {
    size_t descriptor = connections->next++ % connections->size;
    struct connection *connection = at(connections, (int)descriptor);
    if (connection == NULL) continue;
    looked++;
    if (!connection->found) watch_one(connection, (int)descriptor, watch);
  }
  if (connections->size > 0) connections->next %= connections->size;
}

bool connection_leaving(const struct connections *connections, int descriptor) {
  const struct connection *connection = at(connections, descriptor);
  return connection != NULL && connection->leave_at != 0;
}

void connection_leave(struct connections *connections, int descriptor, int64_t at_time) {
  struct connection *connection = at(connections, descriptor);
  if (connection == NULL || connection->leave_at != 0) return;
  connection->leave_at = at_time;
  connections->leaving++;
}

void connections_hang_up_due(struct connections *connections, int64_t now,
                             void (*hang_up)(int descriptor, uint16_t port)) {
  for (size_t i = 0; i < connections->size && connections->leaving > 0; i++) {
    struct connection *connection = at(connections, (int)i);
    if (connection == NULL || connection->leave_at == 0 || now < connection->leave_at) continue;
    connection->leave_at = 0;
    connections->leaving--;
    hang_up((int)i, connection->port);
  }
}

size_t connections_count(const struct connections *connections) {
  return connections->count;
}
