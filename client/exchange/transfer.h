/* A node's ledger into a file and out of it (the format: proto/ledger.proto, docs/protocol.md). */
#ifndef COLLEGA_CLIENT_TRANSFER_H
#define COLLEGA_CLIENT_TRANSFER_H
#include "client/exchange/exchange.h"

/* Writes the whole ledger, salts and secrets of its letters included but no keys, signed by the host. `path`: a new
 * file (0600), or "-". progress may be NULL. */
enum collega_status node_export(struct exchange *exchange, const char *path, collega_time now,
                                void (*progress)(void *, uint64_t, uint64_t), void *context,
                                uint64_t *entries, struct collega_error *error) COLLEGA_MUST_CHECK;

struct node_import {
  const char *file; /* "-": standard input */
  const char *home; /* has keys and no ledger; with `keys`: a new one is made */
  const char *keys; /* NULL, or a home or a backup whose keys are copied */
  collega_time now;
  void (*progress)(void *, uint64_t, uint64_t); /* may be NULL */
  void *context;
};
struct node_imported {
  uint64_t entries, signatures;
  bool already; /* the home has them all: nothing was done */
};
/* Makes the home's ledger of the file: every hash, signature and record is judged, the tables are made, and a new
 * ledger epoch is begun, as a restored home does. All or nothing. What is wrong with the file is named by entry,
 * field and rule ("entries[12].payload.runs[0]"). COLLEGA_EXISTS: the home has another ledger. */
enum collega_status node_import(const struct node_import *import, struct node_imported *out,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
