/* The matcher's thread: woken by the loop, works on the shared ledger, talks to nobody else. */
#ifndef COLLEGA_CLIENT_MATCHER_THREAD_H
#define COLLEGA_CLIENT_MATCHER_THREAD_H
#include "client/ledger/ledger.h"

struct matcher_thread;
/* The ledger must outlive the thread. */
enum collega_status matcher_thread_start(struct ledger *ledger, struct matcher_thread **out,
                                         struct collega_error *error) COLLEGA_MUST_CHECK;
void matcher_thread_wake(struct matcher_thread *thread);
/* Ends after the run under way. */
void matcher_thread_stop(struct matcher_thread **thread);
#endif
