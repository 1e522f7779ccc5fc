/* Inside the preparing of requests: shared by request.c and prepare_decide.c only. */
#ifndef COLLEGA_BROKER_PREPARE_H
#define COLLEGA_BROKER_PREPARE_H
#include "broker/commit/request.h"

/* Fields of ToBroker. */
enum {
  TO_BROKER_JOIN = 2,
  TO_BROKER_PUBLISH = 3,
  TO_BROKER_SEND = 5,
  TO_BROKER_ACK = 6,
  TO_BROKER_DECIDE = 7
};
/* Marks the request as refused, with request->error; returns its status. */
enum collega_status prepare_refuse(struct request *request, Collega__RefusalCode code);
/* Verifies a run by its signer's card; otherwise the request is refused. */
enum collega_status prepare_verify(struct request *request, struct members *members,
                                   const struct run_view *view);
/* The contents of the first `count` occurrences of a field, verbatim. NULL: the arena is
 * exhausted. */
struct bytes *prepare_field_contents(struct bytes packed, uint32_t number, size_t count,
                                     struct arena *arena);
/* A Decide: header first, then what the party asks. */
void prepare_decide(struct request *request, struct members *members);
#endif
