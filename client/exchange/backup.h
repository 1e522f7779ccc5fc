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
/* The kind of a home that is not whole yet. */
#define RESTORING_KIND "node-restoring"
/* What a restored home does, and one whose ledger was imported: it begins a new ledger epoch and says that all must be
 * fetched before it signs. The keys of its parties are there. */
enum collega_status node_begin_anew(struct ledger *ledger, collega_time now,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
/* Copies parties/ID/identity of the home or backup `from`. */
enum collega_status node_copy_keys(const char *from, const char *to,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
