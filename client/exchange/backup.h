/* Backup and restore of a node's home. */
#ifndef COLLEGA_CLIENT_BACKUP_H
#define COLLEGA_CLIENT_BACKUP_H
#include "client/exchange/exchange.h"

/* A copy of the home into the new directory `to` (0700), while its daemon runs on: the ledger as of one
 * moment, the parties' secret keys, the settings. It is no home: it has to be restored first. A directory
 * that is there already: COLLEGA_EXISTS. */
enum collega_status node_backup(struct exchange *exchange, const char *to,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
/* Makes the home `home` of the backup `from`, with a new ledger epoch: its numbers are its own, whatever
 * was signed since the backup was made. */
enum collega_status node_restore(const char *from, const char *home, collega_time now,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
