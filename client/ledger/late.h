/* Rows that a replay keeps in memory and writes in the order of their keys. Inside the room. */
#ifndef COLLEGA_CLIENT_LEDGER_LATE_H
#define COLLEGA_CLIENT_LEDGER_LATE_H
#include "client/ledger/transaction.h"

struct late_rows;
struct late_rows *late_new(void); /* NULL: out of memory */
void late_destroy(struct late_rows **late);
/* Are rows of this table with this key kept? `late` may be NULL. */
bool late_takes(const struct late_rows *late, enum ledger_table table, struct bytes key);
/* False: nothing is known here of the key. *value with data NULL: it was deleted. The value holds until the next
 * late_put. */
bool late_get(const struct late_rows *late, enum ledger_table table, struct bytes key,
              struct bytes *value);
/* Keeps a copy of the row (value NULL: that it was deleted). May write all that is kept. */
enum collega_status late_put(struct late_rows *late, struct ledger_txn *txn,
                             enum ledger_table table, struct bytes key, const struct bytes *value,
                             struct collega_error *error) COLLEGA_MUST_CHECK;
/* Writes the rows of one table, or of all, and forgets them. */
enum collega_status late_flush_table(struct late_rows *late, struct ledger_txn *txn,
                                     enum ledger_table table,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
/* Writes at most about `most` bytes of them; *more: there are others, and nothing is put meanwhile. */
enum collega_status late_flush_some(struct late_rows *late, struct ledger_txn *txn, size_t most,
                                    bool *more, struct collega_error *error) COLLEGA_MUST_CHECK;
size_t late_bytes(const struct late_rows *late); /* what is kept takes */
enum collega_status late_flush(struct late_rows *late, struct ledger_txn *txn,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
