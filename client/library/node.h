/* Inside the room: a handle, and what every call through it does first and last. */
#ifndef COLLEGA_CLIENT_LIBRARY_NODE_H
#define COLLEGA_CLIENT_LIBRARY_NODE_H
#include "client/library/document.h"
#include "client/library/event.h"
#include "include/collega/collega.h"

#define NODE_EVENTS 256u /* read ahead in one transaction */

struct collega_node {
  pid_t process;         /* that opened it */
  struct ledger *ledger; /* shared with the process's other handles */
  struct exchange *exchange;
  enum language language;
  struct id party;

  /* Following: the consumer's name ("": not yet), the bell, and the events that were read ahead. */
  char consumer[41];
  int bell;
  struct event_place read;  /* how far was read */
  struct event_place given; /* how far was given out */
  struct event events[NODE_EVENTS];
  size_t next, count; /* those not given yet: events[next .. count) */
};
void node_drop_events(struct collega_node *node);

/* One call: its error, arena and read transaction. */
struct call {
  struct collega_node *node;
  char **json;
  struct collega_failure *failure;
  struct collega_error error;
  struct view view;
  enum language language;
};
/* Clears *json. Any handle: NULL and inherited ones are refused. A fresh read transaction is open then. */
enum collega_status call_begin(struct call *call, struct collega_node *node, char **json,
                               struct collega_failure *failure) COLLEGA_MUST_CHECK;
/* The same for calls without a handle: no view but its arena. */
enum collega_status call_begin_alone(struct call *call, int language, char **json,
                                     struct collega_failure *failure) COLLEGA_MUST_CHECK;
/* Ends the read transaction: before anything is written. */
void call_release(struct call *call);
/* A new one: what was just written is seen. */
enum collega_status call_renew(struct call *call) COLLEGA_MUST_CHECK;
/* COLLEGA_USAGE argument_null, under the argument's name. */
enum collega_status call_need(struct call *call, const void *argument,
                              const char *name) COLLEGA_MUST_CHECK;
/* COLLEGA_USAGE argument_unknown. */
enum collega_status call_unknown(struct call *call, const char *name,
                                 long value) COLLEGA_MUST_CHECK;
/* The text as JSON, a new reference; NULL text is refused. */
enum collega_status call_parse(struct call *call, const char *text, size_t length, size_t most,
                               json_t **out) COLLEGA_MUST_CHECK;
/* Writes document (consumed; may be NULL when status is not COLLEGA_OK) to *json and the error to *failure, releases
 * everything, gives the public code. */
int call_end(struct call *call, enum collega_status status, json_t *document);
/* Fills a caller's structure as far as its `size`, its first member, goes; the size stays. */
void fill_sized(void *out, const void *from, size_t bytes);
/* For calls that give no document. */
int call_end_bare(struct call *call, enum collega_status status);

/* plan_values.c: takes a plan's document, with its sentences, over, also on failure. NULL: out of memory. */
struct collega_plan *plan_values_take(json_t *document, enum language language);
#endif
