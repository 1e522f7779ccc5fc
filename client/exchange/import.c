/* A home's ledger out of a file.
 *
 * The file says at its beginning whose ledger it is, how far it goes, and what its last hash is, signed
 * with that party's key; the home has that key. So a file that somebody else made, or changed, is
 * refused before anything of it is read; everything else is judged as it comes all the same. The
 * ledger takes its place in the home in one step, when all of it stands there (client/ledger/import.c).
 *
 * What was exported may be older than what the broker has seen of this home: as after a restore, the
 * ledger begins a new epoch and fetches all before anything is signed. */
#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/process/process.h"
#include "client/exchange/backup.h"
#include "client/exchange/import_rows.h"
#include "client/exchange/inside.h"
#include "client/exchange/transfer.h"
#include "client/exchange/verification.h"
#include "proto/guard.h"

struct importing {
  const struct node_import *what;
  struct ledger_file *file;
  struct arena *arena; /* of the beginning */
  const Collega__LedgerStart *start;
  const Collega__LedgerFacts *facts;
  struct id party;
  struct node_imported *out;
  struct collega_error *error;
};

/* ---- the beginning of the file */

static enum collega_status read_start(struct importing *importing) {
  struct bytes frame;
  ProtobufCMessage *start = NULL, *facts = NULL;
  struct collega_error *error = importing->error;
  enum collega_status status =
      ledger_file_next(importing->file, LEDGER_START_BYTES, importing->arena, &frame, error);
  if (status == COLLEGA_NOT_FOUND)
    status = error_set(error, COLLEGA_INVALID, RULE_wire_truncated, NULL, NULL);
  if (status == COLLEGA_OK)
    status =
        guard_unpack(&collega__ledger_start__descriptor, frame, importing->arena, &start, error);
  if (status == COLLEGA_OK) {
    importing->start = (const Collega__LedgerStart *)start;
    status = guard_unpack(&collega__ledger_facts__descriptor, field_bytes(&importing->start->facts),
                          importing->arena, &facts, error);
    if (status != COLLEGA_OK) error_prefix(error, "facts");
  }
  if (status != COLLEGA_OK) {
    error_prefix(error, "start");
    return status;
  }
  importing->facts = (const Collega__LedgerFacts *)facts;
  if (!id_from(&importing->party, importing->facts->party.data, importing->facts->party.len))
    return exchange_row_damaged(error, "start");
  return COLLEGA_OK;
}

static enum collega_status load_identity(const struct importing *importing, const char *place,
                                         struct identity **out) {
  char directory[PATH_MAX], file[PATH_MAX], name[FINGERPRINT_BYTES];
  enum collega_status status =
      exchange_party_directory(directory, place, &importing->party, importing->error);
  if (status == COLLEGA_OK)
    status = path_join(file, sizeof file, directory, "identity", importing->error);
  if (status != COLLEGA_OK) return status;
  if (access(file, F_OK) != 0) {
    fingerprint_write(name, &importing->party);
    return error_set(importing->error, COLLEGA_REFUSED, RULE_import_other_party,
                     "start.facts.party", name, place, NULL);
  }
  return identity_load(directory, out, importing->error);
}

/* By the home's own keys: who made the file has them, too. */
static enum collega_status check_signer(const struct importing *importing) {
  const struct node_import *what = importing->what;
  const char *place = what->keys ? what->keys : what->home;
  const Collega__LedgerFacts *facts = importing->facts;
  struct identity *identity = NULL;
  struct id root;
  enum collega_status status = load_identity(importing, place, &identity);
  if (status != COLLEGA_OK) return status;
  const uint8_t *key = identity_signing_key(identity, facts->key_epoch);
  ledger_facts_root(field_bytes(&importing->start->facts), &root);
  if (!key) {
    char number[16];
    snprintf(number, sizeof number, "%" PRIu32, facts->key_epoch);
    status = error_set(importing->error, COLLEGA_REFUSED, RULE_import_keys_older,
                       "start.facts.key_epoch", number, place, NULL);
  } else if (!signature_verify(key, PURPOSE_HEAD, &importing->party, facts->number, &root,
                               importing->start->signature.data)) {
    char name[FINGERPRINT_BYTES];
    fingerprint_write(name, &importing->party);
    status = error_set(importing->error, COLLEGA_FORGED, RULE_import_signature, "start.signature",
                       name, NULL);
  }
  identity_destroy(&identity);
  return status;
}

/* ---- a home that has a ledger */

static enum collega_status has_ledger(const char *home, bool *has, struct collega_error *error) {
  char path[PATH_MAX];
  enum collega_status status = path_join(path, sizeof path, home, "ledger/data.mdb", error);
  *has = status == COLLEGA_OK && access(path, F_OK) == 0;
  return status;
}

static enum collega_status compare(const struct importing *importing, struct ledger_txn *txn) {
  const char *home = importing->what->home;
  const uint64_t number = importing->facts->number;
  struct ledger_head head;
  struct id hash;
  char here[24], there[24];
  enum collega_status status = ledger_head(txn, &head, importing->error);
  if (status != COLLEGA_OK) return status;
  snprintf(here, sizeof here, "%" PRIu64, head.number);
  snprintf(there, sizeof there, "%" PRIu64, number);
  if (head.number < number)
    return error_set(importing->error, COLLEGA_EXISTS, RULE_import_ledger_shorter, NULL, home, here,
                     there, NULL);
  status = ledger_hash_at(txn, number, &hash, importing->error);
  if (status == COLLEGA_OK && !field_is(&importing->facts->hash, &hash))
    return error_set(importing->error, COLLEGA_EXISTS, RULE_import_ledger_differs, NULL, home,
                     there, NULL);
  return status;
}

/* Its hash stands for all that went before: the same one is the same ledger. */
static enum collega_status compare_ledger(const struct importing *importing) {
  struct ledger *ledger = NULL;
  struct ledger_txn *txn = NULL;
  enum collega_status status = ledger_open(importing->what->home, &ledger, importing->error);
  if (status != COLLEGA_OK) return status;
  status = ledger_read(ledger, &txn, importing->error);
  if (status == COLLEGA_OK) status = compare(importing, txn);
  ledger_abort(&txn);
  ledger_close(&ledger);
  return status;
}

/* ---- taking the rows */

struct applying {
  struct exchange *exchange;
  const struct import_row *row;
};

/* What the reader has read is not read again. */
static enum collega_status apply_row(struct ledger_txn *txn, const struct ledger_event *event,
                                     void *context, struct collega_error *error) {
  const struct applying *applying = context;
  const struct board_read *read = applying->row->read.board ? &applying->row->read : NULL;
  return exchange_apply_read(applying->exchange, txn, event, read, error);
}

static enum collega_status take_batch(struct ledger_import *import,
                                      const struct import_batch *batch, struct exchange *exchange,
                                      struct collega_error *error) {
  enum collega_status status = COLLEGA_OK;
  for (size_t i = 0; status == COLLEGA_OK && i < batch->count; i++) {
    const struct import_row *row = &batch->row[i];
    struct applying applying = {exchange, row};
    status = ledger_import_put(import, &row->row, &row->event, apply_row, &applying, error);
    if (status == COLLEGA_OK) continue;
    char place[40];
    snprintf(place, sizeof place, "entries[%" PRIu64 "]", row->event.number);
    error_prefix(error, place);
  }
  return status;
}

static enum collega_status take_rows(struct importing *importing, struct import_rows *rows,
                                     struct ledger_import *import) {
  const struct node_import *what = importing->what;
  /* Only as far as apply needs it. */
  struct exchange exchange = {.home = (char *)(uintptr_t)what->home};
  const struct import_batch *batch = NULL;
  enum collega_status status;
  do {
    status = import_rows_next(rows, &batch, importing->error);
    if (status == COLLEGA_OK && batch)
      status = take_batch(import, batch, &exchange, importing->error);
    if (status == COLLEGA_OK && batch && what->progress)
      what->progress(what->context, batch->row[batch->count - 1].event.number,
                     importing->facts->number);
  } while (status == COLLEGA_OK && batch);
  arena_destroy(&exchange.replay_arena);
  return status;
}

/* How far the others had read. The matcher is no such: a new ledger has no matches yet. */
static enum collega_status put_cursors(const struct importing *importing, struct ledger_txn *txn) {
  const Collega__LedgerFacts *facts = importing->facts;
  enum collega_status status = COLLEGA_OK;
  for (size_t i = 0; status == COLLEGA_OK && i < facts->n_cursors; i++) {
    const Collega__LedgerCursor *cursor = facts->cursors[i];
    if (strcmp(cursor->name, MATCHER_CURSOR) != 0)
      status = ledger_cursor_set(txn, cursor->name, get_be64(cursor->place.data), importing->error);
  }
  return status;
}

static enum collega_status fill_ledger(struct importing *importing, struct import_rows *rows,
                                       struct ledger_import *import) {
  struct ledger *ledger;
  struct epoch epoch = {{0}};
  enum collega_status status = take_rows(importing, rows, import);
  if (status == COLLEGA_OK)
    status = import_rows_end(rows, &importing->out->signatures, importing->error);
  if (status == COLLEGA_OK) status = put_cursors(importing, ledger_import_txn(import));
  (void)epoch_from(&epoch, importing->facts->epoch.data, importing->facts->epoch.len);
  if (status == COLLEGA_OK) status = ledger_import_end(import, &epoch, &ledger, importing->error);
  return status == COLLEGA_OK ? node_begin_anew(ledger, importing->what->now, importing->error)
                              : status;
}

static enum collega_status make_ledger(struct importing *importing) {
  struct import_rows *rows = NULL;
  struct ledger_import *import = NULL;
  enum collega_status status =
      ledger_import_begin(importing->what->home, &import, importing->error);
  if (status == COLLEGA_OK)
    status = import_rows_start(importing->file, importing->facts, &rows, importing->error);
  if (status == COLLEGA_OK) status = fill_ledger(importing, rows, import);
  import_rows_destroy(&rows);
  if (status == COLLEGA_OK) return ledger_import_install(&import, importing->error);
  ledger_import_abandon(&import);
  return status;
}

/* ---- the home */

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place) {
  (void)about;
  (void)kind;
  (void)place;
  return remove(path);
}

/* With `keys` the home is new, and goes again when nothing comes of it. */
static enum collega_status make_home(struct importing *importing) {
  const struct node_import *what = importing->what;
  enum collega_status status = home_create(what->home, RESTORING_KIND, importing->error);
  if (status != COLLEGA_OK) return status;
  status = node_copy_keys(what->keys, what->home, importing->error);
  if (status == COLLEGA_OK) status = make_ledger(importing);
  if (status == COLLEGA_OK) status = home_become(what->home, "node", importing->error);
  if (status != COLLEGA_OK) (void)nftw(what->home, remove_one, 8, FTW_DEPTH | FTW_PHYS);
  return status;
}

static enum collega_status fill_home(struct importing *importing) {
  const char *home = importing->what->home;
  bool has;
  int lock = -1;
  enum collega_status status = home_check(home, "node", importing->error);
  if (status == COLLEGA_OK) status = run_lock_take(home, &lock, importing->error);
  if (status == COLLEGA_OK) status = has_ledger(home, &has, importing->error);
  if (status == COLLEGA_OK && has) {
    importing->out->already = true;
    status = compare_ledger(importing);
  } else if (status == COLLEGA_OK) {
    status = make_ledger(importing);
  }
  run_lock_release(&lock);
  return status;
}

enum collega_status node_import(const struct node_import *import, struct node_imported *out,
                                struct collega_error *error) {
  struct collega_error own;
  struct importing importing = {.what = import,
                                .arena = arena_new(65536, 2 * LEDGER_START_BYTES),
                                .out = out,
                                .error = error ? error : &own};
  memset(out, 0, sizeof *out);
  if (!importing.arena) return exchange_no_memory(error);
  enum collega_status status = ledger_file_open(import->file, &importing.file, importing.error);
  if (status == COLLEGA_OK) status = read_start(&importing);
  if (status == COLLEGA_OK && !import->keys)
    status = home_check(import->home, "node", importing.error);
  if (status == COLLEGA_OK) status = check_signer(&importing);
  if (status == COLLEGA_OK) status = import->keys ? make_home(&importing) : fill_home(&importing);
  if (status == COLLEGA_OK) out->entries = importing.facts->number;
  ledger_file_close(&importing.file);
  arena_destroy(&importing.arena);
  return status;
}
