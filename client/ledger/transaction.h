/* Inside the room: what a transaction is, and what its files share. Not for other rooms. */
#ifndef COLLEGA_CLIENT_LEDGER_TRANSACTION_H
#define COLLEGA_CLIENT_LEDGER_TRANSACTION_H
#include "base/disk/disk.h"
#include "client/ledger/ledger.h"

/* Never changed once open: threads may share it, each with transactions of its own. */
struct ledger {
  char *home;
  struct disk *disk;
  MDB_dbi table[TABLE_COUNT];
};

struct ledger_txn {
  struct ledger *ledger;
  MDB_txn *mdb;
  bool writing;
  bool changed;      /* something was written: the bell rings after the commit */
  bool head_changed; /* `head` must be stored before the commit */
  struct ledger_head head;
  bool replaying;           /* ledger_rebuild: nothing is appended */
  uint64_t outbox_replayed; /* while replaying: the number given last */
  struct late_rows *late;   /* while replaying: rows that are written later (late.h); else NULL */
  struct buffer scratch;    /* a row while it is packed */
};

/* The database of a table, also for messages. */
const char *table_name(enum ledger_table table);

/* Opens the environment HOME/NAME; the tables are not open yet. */
enum collega_status ledger_environment(const char *home, const char *name, bool must_exist,
                                       struct ledger **out,
                                       struct collega_error *error) COLLEGA_MUST_CHECK;
/* flags: 0 or MDB_CREATE. COLLEGA_NOT_FOUND without words: the creation was never finished. */
enum collega_status ledger_tables(struct ledger *ledger, MDB_txn *mdb, unsigned flags,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;

/* Rows of our own may be large (a bulk import is one payload); this only stops a damaged length. */
#define LEDGER_ARENA_BYTES ((size_t)1 << 30)

/* Brings an environment of an older version up to this one, in the transaction given. */
enum collega_status ledger_migrate(MDB_env *env, MDB_txn *txn, uint32_t from,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
/* Loads, and stores, txn->head. COLLEGA_NOT_FOUND: the ledger has no genesis entry. */
enum collega_status head_load(struct ledger_txn *txn,
                              struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status ledger_head_store(struct ledger_txn *txn,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;
/* Entry 1, with txn->head.epoch as the first ledger epoch. */
enum collega_status chain_begin(struct ledger_txn *txn, collega_time now,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
/* Reads entry `number`, which must follow the hash `previous`, with its payload, and checks
 * both. *hash (which may be `previous`) becomes the entry's own. COLLEGA_DAMAGED names the
 * number. `event` may be NULL; its pointers live in the arena. */
enum collega_status chain_check(struct ledger_txn *txn, uint64_t number, const struct id *previous,
                                struct arena *arena, struct id *hash, struct ledger_event *event,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
/* The hash that an entry of kind ERASED tells of the reduced payload of entry `number`. COLLEGA_NOT_FOUND,
 * no words: none does. */
enum collega_status erased_hash(struct ledger_txn *txn, uint64_t number, struct id *out,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
/* Notes that entry `entry` is of kind ERASED: erased_hash looks there. */
enum collega_status erased_note(struct ledger_txn *txn, uint64_t entry,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
void payload_hash(struct id *out, struct bytes salt, struct bytes data);
/* The next number of an outbox item; numbers are never given twice. */
enum collega_status outbox_next_number(struct ledger_txn *txn, uint64_t *number,
                                       struct collega_error *error) COLLEGA_MUST_CHECK;
/* After a replay: the stored counter must not lie before what the replay gave out. */
enum collega_status outbox_keep_number(struct ledger_txn *txn,
                                       struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
