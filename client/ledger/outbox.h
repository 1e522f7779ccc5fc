/* The outbox: what waits to be sent, in order; filled in the same transaction as the entry it comes from.
 * An item leaves when all of it is receipted or stored; a refused or lapsed one stays, marked, until
 * `outbox_forget`. */
#ifndef COLLEGA_CLIENT_OUTBOX_H
#define COLLEGA_CLIENT_OUTBOX_H
#include "client/ledger/ledger.h"

/* item->number is set. `open`: leaves to settle (1 for mail and decide). */
enum collega_status outbox_put(struct ledger_txn *txn, CollegaStore__OutboxItem *item,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
/* Another content under its number. */
enum collega_status outbox_update(struct ledger_txn *txn, const CollegaStore__OutboxItem *item,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status outbox_get(struct ledger_txn *txn, uint64_t number, struct arena *arena,
                               CollegaStore__OutboxItem **out,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
/* Items after `number` that are not refused, ascending; visit returns false to stop. */
enum collega_status outbox_each(struct ledger_txn *txn, uint64_t after, struct arena *arena,
                                bool (*visit)(void *context, const CollegaStore__OutboxItem *item),
                                void *context, struct collega_error *error) COLLEGA_MUST_CHECK;
/* `leaves` of the item are settled (receipted, stored, or refused singly); at 0 open it is removed. */
enum collega_status outbox_settle(struct ledger_txn *txn, uint64_t number, uint32_t leaves,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status outbox_refuse(struct ledger_txn *txn, uint64_t number, const char *rule,
                                  const char *const *arguments, size_t count,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status outbox_forget(struct ledger_txn *txn, uint64_t number,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
/* The item whose key (first record id, envelope hash) this is. Few are open at a time: a scan. */
enum collega_status outbox_find(struct ledger_txn *txn, const struct id *key, struct arena *arena,
                                CollegaStore__OutboxItem **out,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
struct outbox_counts {
  uint64_t waiting, refused; /* items */
  uint64_t records,
      mail; /* that wait: records for the board; sealed mail and questions to a decider */
  collega_time oldest;
};
enum collega_status outbox_count(struct ledger_txn *txn, struct outbox_counts *out,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
