/* Board frames out of runs, from the store or from memory. */
#ifndef COLLEGA_BROKER_BOARD_H
#define COLLEGA_BROKER_BOARD_H
#include "broker/board/receipt_tree.h"
#include "broker/store/log_rows.h"

/* A row of the log in memory, with the receipt of its commit. */
struct log_run {
  struct log_row row;
  const struct receipt_tree *tree;
};
#endif
