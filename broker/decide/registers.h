/* Registers in the store: one row for each root, rewritten whole with every step of the decider.
 *
 * registers  root (32) -> parties (32 each), root epoch (4), epoch (4), position (4), last decision
 *            (32), last deal (32), last verdict (4), last effective day (4), answered (4 each),
 *            asked (4), released (1), deals (4), then each deal: id (32), amendment (1), verdict
 *            (4), position (4), decision (32), why (text), proposer (4), waiting (4), in time (1),
 *            waiting basis (32), waiting predecessor (32); then the parts that were ended (4), each:
 *            position (4), deal (32), decision (32), people (4), last day (4), by (32), basis (32),
 *            time (8). A row of an older program ends before them: it has none
 *
 * Rules stand by name: their numbers change whenever a sentence is added. */
#ifndef COLLEGA_BROKER_REGISTERS_H
#define COLLEGA_BROKER_REGISTERS_H
#include "broker/decide/decider.h"
#include "broker/store/store.h"

/* A root without a register: all zero, as decider_step wants a new one. */
enum collega_status register_read(struct store_txn *txn, const struct id *root,
                                  struct decide_register *out,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status register_write(struct store_txn *txn, const struct decide_register *reg,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
