/* Reading a ledger's file and judging it, by two threads of their own, some batches of rows ahead of whoever
 * stores them. */
#ifndef COLLEGA_CLIENT_IMPORT_ROWS_H
#define COLLEGA_CLIENT_IMPORT_ROWS_H
#include "client/exchange/inside.h"
#include "client/exchange/ledger_file.h"

#define IMPORT_BATCH_ROWS  256
#define IMPORT_BATCH_BYTES ((size_t)1 << 20)

struct import_row {
  struct ledger_row row;
  struct ledger_event event;
  ProtobufCMessage *content;
  struct board_read read; /* board NULL: it is no board */
};
struct import_batch { /* rows that were judged; they live in its arena */
  struct import_row row[IMPORT_BATCH_ROWS];
  size_t count;
  struct arena *arena;
};
struct import_rows;
/* Starts to read `file`, behind its LedgerStart. All three arguments must outlive it. */
enum collega_status import_rows_start(struct ledger_file *file, const Collega__LedgerFacts *facts,
                                      struct import_rows **out,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;
/* The next batch; it holds until the next call. *out NULL: there are no more, and the file has said all that it
 * should; only the signatures are not judged yet. */
enum collega_status import_rows_next(struct import_rows *rows, const struct import_batch **out,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
/* After the last batch: waits for the signatures. */
enum collega_status import_rows_end(struct import_rows *rows, uint64_t *signatures,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
void import_rows_destroy(struct import_rows **rows);
/* What the signature of a LedgerStart covers. */
void ledger_facts_root(struct bytes facts, struct id *root);
#endif
