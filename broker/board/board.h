/* Board frames out of runs, from the store or from memory. */
#ifndef COLLEGA_BROKER_BOARD_H
#define COLLEGA_BROKER_BOARD_H
#include "broker/board/receipt_tree.h"
#include "broker/store/log_rows.h"
#include "proto/link.pb-c.h"

/* A row of the log in memory, with the receipt of its commit. */
struct log_run {
  struct log_row row;
  const struct receipt_tree *tree;
};
/* Can this follower go on from its cursor? *through: from where; 0: from the start. False: it was
 * somewhere that this log does not know, or before what was compacted since: it is to drop what it
 * has. */
bool board_cursor_known(const Collega__Follow *follow, const struct id *origin,
                        const struct epoch *epoch, uint64_t head, uint64_t compacted,
                        uint64_t *through);
#endif
