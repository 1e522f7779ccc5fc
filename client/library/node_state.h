/* What a running daemon tells the other processes of its home: HOME/daemon, a small text file replaced whole.
 * A hint for people (`collega status`), never an input to decisions. Lines "name value". */
#ifndef COLLEGA_CLIENT_NODE_STATE_H
#define COLLEGA_CLIENT_NODE_STATE_H
#include "base/clock.h"
#include "base/error.h"
#include "base/bytes.h"

struct node_state {
  bool running;           /* on reading: a daemon holds the home's lock */
  bool connected, behind; /* behind: the broker has seen a head that this ledger does not hold */
  collega_time since;     /* of `connected` as it is */
  char broker_address[256];
  enum rule problem; /* of the last failed attempt; RULE_NONE: none */
};
enum collega_status node_state_write(const char *home, const struct node_state *state,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
/* A missing or unreadable file gives zeros. */
void node_state_read(const char *home, struct node_state *out);
#endif
