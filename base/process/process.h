/* Processes: homes, run lock, signals, readiness, the bell. */
#ifndef COLLEGA_BASE_PROCESS_H
#define COLLEGA_BASE_PROCESS_H
#include <stdbool.h>
#include "base/bytes.h"
#include "base/error.h"

/* A home is a directory 0700 with a file `home` that names its kind ("node" or "broker"). */
enum collega_status home_create(const char *path, const char *kind,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
/* Gives a home another kind, in one step: for one that was not whole until now. */
enum collega_status home_become(const char *path, const char *kind,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
/* Refuses a missing home, or one of the other kind, in words. */
enum collega_status home_check(const char *path, const char *kind,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
/* PATH/NAME into out. */
enum collega_status path_join(char *out, size_t capacity, const char *path, const char *name,
                              struct collega_error *error) COLLEGA_MUST_CHECK;
/* Whole small files. file_write: temporary file, fsync, rename, fsync of the directory. */
enum collega_status file_write(const char *path, const void *data, size_t length, unsigned mode,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
/* Brings the directory in which `path` stands to disk, and with it the name. */
enum collega_status directory_of_sync(const char *path,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;
/* At most `limit` bytes (more: COLLEGA_INVALID, rule file_too_large). "-" is standard input. *out is
 * initialised here; the caller frees it, after an error too. No such file: COLLEGA_NOT_FOUND. */
enum collega_status file_read(const char *path, size_t limit, struct buffer *out,
                              struct collega_error *error) COLLEGA_MUST_CHECK;

/* flock on HOME/lock. COLLEGA_BUSY when another process holds it. The descriptor stays open. */
enum collega_status run_lock_take(const char *home, int *fd,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
bool run_lock_held(const char *home); /* by some process */
void run_lock_release(int *fd);

/* Blocks SIGTERM, SIGINT, SIGHUP, SIGPIPE (ignored) in this thread and those it starts; returns a
 * signalfd for the first three. Call before any thread or ZeroMQ context exists. */
enum collega_status signals_take(int *fd, struct collega_error *error) COLLEGA_MUST_CHECK;
int signals_next(int fd); /* the next signal's number, 0: none waiting */

/* First in main: a file that may grow no further (RLIMIT_FSIZE) is an error that is told, not the end of the process.
 * In test builds COLLEGA_DIE_WITH_PARENT=1 asks the kernel for SIGKILL when the parent dies. */
void process_start(void);
/* One datagram to NOTIFY_SOCKET: "READY=1\nSTATUS=..." (nothing when it is not set). */
void ready_tell(const char *message);

/* The bell: HOME/changed. ring() appends one byte (and keeps the file short); a listener polls the fd
 * and calls bell_drain. A hint only: read from your cursor first, then wait, look again every 5 s. */
enum collega_status bell_ring(const char *home, struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status bell_listen(const char *home, int *fd,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
void bell_drain(int fd);
#endif
