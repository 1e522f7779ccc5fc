/* The environment: making and opening a ledger, and its transactions.
 *
 * HOME/ledger is one LMDB environment with a database for each table. Creation is one
 * transaction: a process that dies in it leaves an environment without tables, which ledger_open
 * refuses and which ledger_create finishes. The bell rings after the commit, because a listener
 * that woke earlier would not see the entry yet. */
#include "client/ledger/transaction.h"
#include "base/log.h"
#include "base/process/process.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEDGER_FORMAT "collega-ledger"
/* 2: rows of own records say where they are receipted (migrate.c). */
#define LEDGER_VERSION 4

/* Frozen: these names are on disk. "meta" is base/disk's own. */
static const char *const table_names[TABLE_COUNT] = {
    [TABLE_META] = "state",      [TABLE_CHAIN] = "chain",     [TABLE_PAYLOAD] = "payload",
    [TABLE_OWN] = "own",         [TABLE_BROKERS] = "brokers", [TABLE_PARTIES] = "parties",
    [TABLE_OFFERS] = "offers",   [TABLE_MINE] = "mine",       [TABLE_CAPACITIES] = "capacities",
    [TABLE_HOLDS] = "holds",     [TABLE_DEALS] = "deals",     [TABLE_ROOTS] = "roots",
    [TABLE_THREADS] = "threads", [TABLE_MATCHES] = "matches", [TABLE_OUTBOX] = "outbox",
    [TABLE_CURSORS] = "cursors", [TABLE_RECORDS] = "records",
};

const char *table_name(enum ledger_table table) {
  return table_names[table];
}

enum collega_status ledger_environment(const char *home, const char *name, bool must_exist,
                                       struct ledger **out, struct collega_error *error) {
  char path[PATH_MAX];
  enum collega_status status = path_join(path, sizeof path, home, name, error);
  if (status != COLLEGA_OK) return status;
  struct ledger *ledger = calloc(1, sizeof *ledger);
  if (ledger == NULL) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  ledger->home = strdup(home);
  if (ledger->home == NULL) {
    status = error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
    goto failed;
  }
  const struct disk_options options = {
      .path = path,
      .format = LEDGER_FORMAT,
      .version = LEDGER_VERSION,
      .databases = TABLE_COUNT + 1, /* erase.c makes one for a while */
      .must_exist = must_exist,
      .migrate = ledger_migrate,
  };
  status = disk_open(&options, &ledger->disk, error);
  if (status != COLLEGA_OK) goto failed;
  *out = ledger;
  return COLLEGA_OK;
failed:
  ledger_close(&ledger);
  return status;
}

enum collega_status ledger_disk_open(const char *path, struct disk **out,
                                     struct collega_error *error) {
  const struct disk_options options = {.path = path,
                                       .format = LEDGER_FORMAT,
                                       .version = LEDGER_VERSION,
                                       .databases = TABLE_COUNT + 1,
                                       .must_exist = true,
                                       .migrate = ledger_migrate};
  return disk_open(&options, out, error);
}

enum collega_status ledger_tables(struct ledger *ledger, MDB_txn *mdb, unsigned flags,
                                  struct collega_error *error) {
  for (unsigned i = 0; i < TABLE_COUNT; i++) {
    int code = mdb_dbi_open(mdb, table_names[i], flags, &ledger->table[i]);
    if (code == MDB_NOTFOUND) return COLLEGA_NOT_FOUND;
    if (code != 0) return disk_error(error, table_names[i], code);
  }
  return COLLEGA_OK;
}

static enum collega_status missing(const char *home, struct collega_error *error) {
  return error_set(error, COLLEGA_NOT_FOUND, RULE_ledger_missing, NULL, home, NULL);
}

static enum collega_status genesis(struct ledger *ledger, collega_time now,
                                   struct collega_error *error) {
  struct ledger_txn *txn = NULL;
  enum collega_status status = disk_has_room(ledger->disk, error);
  if (status != COLLEGA_OK) return status;
  txn = calloc(1, sizeof *txn);
  if (txn == NULL) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  txn->ledger = ledger;
  txn->writing = true;
  buffer_init(&txn->scratch, 0);
  status = disk_write(ledger->disk, &txn->mdb, error);
  if (status != COLLEGA_OK) goto done;
  status = ledger_tables(ledger, txn->mdb, MDB_CREATE, error);
  if (status != COLLEGA_OK) goto done;
  status = head_load(txn, error);
  if (status == COLLEGA_OK)
    status = error_set(error, COLLEGA_EXISTS, RULE_ledger_exists, NULL, ledger->home, NULL);
  if (status != COLLEGA_NOT_FOUND) goto done;
  random_fill(txn->head.epoch.byte, EPOCH_BYTES);
  status = chain_begin(txn, now, error);
  if (status != COLLEGA_OK) goto done;
  return ledger_commit(&txn, error);
done:
  ledger_abort(&txn);
  return status;
}

enum collega_status ledger_create(const char *home, collega_time now, struct collega_error *error) {
  enum collega_status status = home_check(home, "node", error);
  if (status != COLLEGA_OK) return status;
  struct ledger *ledger = NULL;
  status = ledger_environment(home, "ledger", false, &ledger, error);
  if (status != COLLEGA_OK) return status;
  status = genesis(ledger, now, error);
  ledger_close(&ledger);
  return status;
}

enum collega_status ledger_open(const char *home, struct ledger **out,
                                struct collega_error *error) {
  return ledger_open_kind(home, "node", out, error);
}

enum collega_status ledger_open_kind(const char *home, const char *kind, struct ledger **out,
                                     struct collega_error *error) {
  *out = NULL;
  enum collega_status status = home_check(home, kind, error);
  if (status != COLLEGA_OK) return status;
  char data[PATH_MAX];
  status = path_join(data, sizeof data, home, "ledger/data.mdb", error);
  if (status != COLLEGA_OK) return status;
  if (access(data, F_OK) != 0) return missing(home, error);

  struct ledger *ledger = NULL;
  struct ledger_txn *txn = NULL;
  MDB_txn *mdb = NULL;
  status = ledger_environment(home, "ledger", true, &ledger, error);
  if (status != COLLEGA_OK) return status;
  disk_check_readers(ledger->disk);
  status = disk_read(ledger->disk, &mdb, error);
  if (status != COLLEGA_OK) goto failed;
  status = ledger_tables(ledger, mdb, 0, error);
  if (status != COLLEGA_OK) {
    disk_abort(&mdb);
    goto failed;
  }
  /* Handles opened in a transaction live on only when it is committed, although it only read. */
  status = disk_commit(&mdb, error);
  if (status != COLLEGA_OK) goto failed;
  status = ledger_read(ledger, &txn, error); /* reads the head */
  if (status != COLLEGA_OK) goto failed;
  ledger_abort(&txn);
  *out = ledger;
  return COLLEGA_OK;
failed:
  ledger_close(&ledger);
  return status == COLLEGA_NOT_FOUND ? missing(home, error) : status;
}

void ledger_close(struct ledger **ledger) {
  if (*ledger == NULL) return;
  disk_close(&(*ledger)->disk);
  free((*ledger)->home);
  free(*ledger);
  *ledger = NULL;
}

const char *ledger_home(const struct ledger *ledger) {
  return ledger->home;
}

struct disk *ledger_disk(struct ledger *ledger) {
  return ledger->disk;
}

static enum collega_status begin(struct ledger *ledger, bool writing, struct ledger_txn **out,
                                 struct collega_error *error) {
  *out = NULL;
  struct ledger_txn *txn = calloc(1, sizeof *txn);
  if (txn == NULL) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  txn->ledger = ledger;
  txn->writing = writing;
  buffer_init(&txn->scratch, 0);
  enum collega_status status = writing ? disk_write(ledger->disk, &txn->mdb, error)
                                       : disk_read(ledger->disk, &txn->mdb, error);
  if (status == COLLEGA_OK) status = head_load(txn, error);
  if (status != COLLEGA_OK) {
    ledger_abort(&txn);
    return status;
  }
  *out = txn;
  return COLLEGA_OK;
}

enum collega_status ledger_read(struct ledger *ledger, struct ledger_txn **out,
                                struct collega_error *error) {
  return begin(ledger, false, out, error);
}

enum collega_status ledger_write(struct ledger *ledger, struct ledger_txn **out,
                                 struct collega_error *error) {
  *out = NULL;
  enum collega_status status = disk_has_room(ledger->disk, error);
  return status == COLLEGA_OK ? begin(ledger, true, out, error) : status;
}

enum collega_status ledger_commit(struct ledger_txn **txn, struct collega_error *error) {
  struct ledger_txn *own = *txn;
  enum collega_status status = own->head_changed ? ledger_head_store(own, error) : COLLEGA_OK;
  /* disk_commit ends the transaction also when it fails. */
  if (status == COLLEGA_OK) status = disk_commit(&own->mdb, error);
  /* What is committed is committed, whether or not the bell rings: listeners look again by
   * themselves. It is silent when nothing was written, or a listener that commits nothing would
   * wake itself. */
  if (status == COLLEGA_OK && own->changed && bell_ring(own->ledger->home, NULL) != COLLEGA_OK)
    log_warning("bell", "home=%s not rung", own->ledger->home);
  ledger_abort(txn);
  return status;
}

void ledger_abort(struct ledger_txn **txn) {
  if (*txn == NULL) return;
  if ((*txn)->mdb != NULL) disk_abort(&(*txn)->mdb);
  buffer_free(&(*txn)->scratch);
  free(*txn);
  *txn = NULL;
}
