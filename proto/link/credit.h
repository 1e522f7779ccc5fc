/* Credit, as both halves of a session keep it. Internal to this room. */
#ifndef COLLEGA_PROTO_LINK_CREDIT_H
#define COLLEGA_PROTO_LINK_CREDIT_H
#include "proto/link/link.h"

/* A fresh window of CREDIT_RECORDS and CREDIT_BYTES. */
struct credit credit_window(void);
/* Charges `cost`, whole or not at all: credit never becomes negative. */
bool credit_charge(struct credit *credit, struct frame_cost cost);
/* Adds what a Credit frame gives. A peer cannot push it past what one frame can say. */
void credit_add(struct credit *credit, const Collega__Credit *frame);
/* What was received is committed; true (and *due, which is counted as given) from a quarter of the
 * window. */
bool credit_return(struct credit_given *given, struct frame_cost cost, struct credit *due);
/* How the shells are told: takes, or why not. */
struct link_answer link_take(void);
struct link_answer link_answer(enum link_verdict verdict, Collega__RefusalCode code,
                               enum rule rule);
#endif
