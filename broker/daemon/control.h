/* The administrator's socket, HOME/control.sock: lines of JSON, a question and its answer at a
 * time. Served by the loop; only who may enter the home can reach it. */
#ifndef COLLEGA_BROKER_DAEMON_CONTROL_H
#define COLLEGA_BROKER_DAEMON_CONTROL_H
#include <jansson.h>
#include <poll.h>
#include "base/bytes.h"

#define CONTROL_CLIENTS      16
#define CONTROL_LINE_BYTES   65536u
#define CONTROL_ANSWER_BYTES (16u * 1024u * 1024u)

struct control;
enum collega_status control_open(const char *home, struct control **out,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
void control_close(struct control **control);
/* The descriptors to poll, at most 1 + CONTROL_CLIENTS. */
size_t control_poll(const struct control *control, struct pollfd *out);
/* Something is to be done on one of them. Calls `take` for every question that has come whole;
 * `take` answers now or later, once. */
void control_serve(struct control *control,
                   void (*take)(void *context, uint64_t number, json_t *question), void *context);
/* Gives `answer` (a reference is taken over) to connection `number`. Who is gone is not waited
 * for. */
void control_answer_take(struct control *control, uint64_t number, json_t *answer);
/* What a connection waits for besides: kept with it until it is answered. NULL: nothing. */
void control_keep_take(struct control *control, uint64_t number, json_t *kept);
json_t *control_kept(const struct control *control, uint64_t number); /* borrowed */

/* The other side: asks and waits for the answer. COLLEGA_UNREACHABLE: no broker answers there. An
 * answer that is an error becomes *error. */
enum collega_status control_ask(const char *home, json_t *question, json_t **out,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
json_t *control_error(const struct collega_error *error);
#endif
