/* The matcher's thread: woken by the loop, works on the shared ledger, talks to nobody else. */
#ifndef COLLEGA_CLIENT_MATCHER_THREAD_H
#define COLLEGA_CLIENT_MATCHER_THREAD_H
#include "client/ledger/ledger.h"
#include "client/match/match.h"

struct matcher_thread;
/* The ledger must outlive the thread. `weight`: of the parts of a match (match.h). */
enum collega_status matcher_thread_start(struct ledger *ledger, const double weight[MATCH_PARTS],
                                         struct matcher_thread **out,
                                         struct collega_error *error) COLLEGA_MUST_CHECK;
void matcher_thread_wake(struct matcher_thread *thread);
/* Ends after the run under way. */
void matcher_thread_stop(struct matcher_thread **thread);
#endif
