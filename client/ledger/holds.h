/* Holds: how many people of an offer or capacity are held or agreed, per calendar day.
 *
 * A hold row belongs to one deal of one root; of its people some may end before the others (`ends`). Within a root
 * the larger counts per day, not the sum; so a counter-proposal or an amendment holds only what it adds. Over
 * roots it is the sum. With `carve` the measure is people times hours a week against headcount times
 * hours_per_week_max. */
#ifndef COLLEGA_CLIENT_HOLDS_H
#define COLLEGA_CLIENT_HOLDS_H
#include "client/ledger/ledger.h"

#define DATE_OPEN INT32_MAX
struct capacity {
  uint32_t headcount, hours_per_week;
  bool carve;
  collega_date from, until;
};
/* Would `wanted` fit beside what stands (rows of the same deal are ignored)? COLLEGA_REFUSED, rule
 * no_room: arguments the first day that is full, what is free then, what is asked. Days outside the
 * capacity's period offer nothing; with carve the numbers are people times hours a week. */
enum collega_status holds_fit(struct ledger_txn *txn, const struct capacity *capacity,
                              const CollegaStore__Hold *wanted,
                              struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status holds_put(struct ledger_txn *txn, const CollegaStore__Hold *hold,
                              struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status holds_drop(struct ledger_txn *txn, const struct id *party,
                               const struct short_id *subject, const struct id *root,
                               const struct id *deal,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
/* Held becomes agreed, and the other deals' rows of the root go. COLLEGA_NOT_FOUND, no words and nothing
 * changed, when the deal has no row. */
enum collega_status holds_agree(struct ledger_txn *txn, const struct id *party,
                                const struct short_id *subject, const struct id *root,
                                const struct id *deal,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
/* A deal's row, in the arena. COLLEGA_NOT_FOUND, no words: it has none. */
enum collega_status holds_find(struct ledger_txn *txn, const struct id *party,
                               const struct short_id *subject, const struct id *root,
                               const struct id *deal, struct arena *arena, CollegaStore__Hold **out,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
/* The most people (with carve: people-hours) that stand on any day of from..until. */
enum collega_status holds_most(struct ledger_txn *txn, const struct id *party,
                               const struct short_id *subject, collega_date from,
                               collega_date until, bool carve, uint64_t *out,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
/* Shows all rows of a subject at once, those of one root together; they live as long as the call of `look` lasts. */
typedef enum collega_status (*holds_look)(void *context, const CollegaStore__Hold *const *rows,
                                          size_t count, struct collega_error *error);
enum collega_status holds_show(struct ledger_txn *txn, const struct id *party,
                               const struct short_id *subject, holds_look look, void *context,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
/* Pure: the people of one row who are there on a day. */
uint64_t holds_row_on_day(const CollegaStore__Hold *row, collega_date day);
/* Pure: the sum over roots of the larger per day, of `rows`, on `day`. The core of all of the above; the
 * property tests drive it against a plain calendar. */
uint64_t holds_on_day(const CollegaStore__Hold *const *rows, size_t count, collega_date day,
                      bool carve);
#endif
