/* One opening of a ledger for all handles of the process: LMDB's locks belong to the process, and a second opening of
 * the same environment would lose them. This list and the registry of base/disk are the only state that belongs to the
 * process rather than to a handle. */
#ifndef COLLEGA_CLIENT_LIBRARY_SHARED_LEDGER_H
#define COLLEGA_CLIENT_LIBRARY_SHARED_LEDGER_H
#include "client/ledger/ledger.h"

/* Opens the ledger of a home, or shares the opening there is; any thread. Each take has its release. What a parent took
 * before a fork is not the child's: the child opens anew. */
enum collega_status shared_ledger_take(const char *home, struct ledger **out,
                                       struct collega_error *error) COLLEGA_MUST_CHECK;
/* Clears the caller's pointer; NULL is allowed. */
void shared_ledger_release(struct ledger **ledger);
#endif
