/* LMDB environments: opening with a version, a map that is reserved once, one opening a process,
 * quarantine of what is damaged, backup while running. Full sync always. */
#ifndef COLLEGA_BASE_DISK_H
#define COLLEGA_BASE_DISK_H
#include <lmdb.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "base/words.h"

/* For programs, not for libraries: from now on, reading a damaged page ends the process with a sentence
 * in `speaks` on standard error and exit status 1, where it would have died of a signal. Before the
 * first disk_open; once. */
void disk_watch_damage(enum language speaks);

struct disk;
struct disk_options {
  const char *path;   /* directory, made if missing (0700) unless `must_exist` */
  const char *format; /* "collega-ledger", written in the database "meta" at creation */
  uint32_t version;   /* newer on disk than this: refused; older: `migrate` is called */
  uint64_t map_bytes; /* 0: 64 GiB of address space, COLLEGA_MAP_MIB overrides */
  unsigned databases; /* most named databases */
  bool must_exist;
  bool read_only;
  /* For many small commits, one after another: zeroes are written behind the end of the file before
   * they are needed, half a MiB at a time. A commit that makes the file longer waits for the file
   * system's journal besides its own sync, and for all that others have in that journal. */
  bool grows_ahead;
  /* Migrates from `from` inside a write transaction; NULL: nothing older exists. */
  enum collega_status (*migrate)(MDB_env *env, MDB_txn *txn, uint32_t from,
                                 struct collega_error *error);
};
/* Refuses NFS, a second opening in this process, a foreign or newer format. A file that LMDB cannot
 * open is moved aside whole as PATH.damaged-N and reported (COLLEGA_DAMAGED, rule disk_damaged: what was
 * moved where and what to do). */
enum collega_status disk_open(const struct disk_options *options, struct disk **out,
                              struct collega_error *error) COLLEGA_MUST_CHECK;
void disk_close(struct disk **disk);
MDB_env *disk_env(const struct disk *disk);
/* MDB_NOTLS read transactions are used throughout: they are not bound to threads. */
enum collega_status disk_read(struct disk *disk, MDB_txn **txn,
                              struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status disk_write(struct disk *disk, MDB_txn **txn,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
/* Commits; on failure the transaction is gone and *error says why (full: COLLEGA_FULL). */
enum collega_status disk_commit(MDB_txn **txn, struct collega_error *error) COLLEGA_MUST_CHECK;
void disk_abort(MDB_txn **txn);
/* Translates an LMDB error number; `what` names the operation. */
enum collega_status disk_error(struct collega_error *error, const char *what, int number);
/* Clears readers of dead processes; call at start and every minute. Returns how many. */
int disk_check_readers(struct disk *disk);
/* Used bytes, bytes of the map, and free bytes of the file system; new work is refused above 90 % of
 * the map or below 64 MiB free (COLLEGA_FULL), with a warning from 70 %. */
struct disk_room {
  uint64_t used, map, free;
};
enum collega_status disk_room(struct disk *disk, struct disk_room *out,
                              struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status disk_has_room(struct disk *disk,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
/* Shortens the file to its last page in use, and syncs that. What lies behind it was written by a commit whose end was
 * not: power went, or the process died. Waits for who writes; readers may go on. */
enum collega_status disk_cut_tail(struct disk *disk,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
/* A compacted copy into the new directory `path`. */
enum collega_status disk_backup(struct disk *disk, const char *path,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
