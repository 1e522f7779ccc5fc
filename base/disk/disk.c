/* LMDB environments as the ledger and the broker's store use them.
 *
 * Every environment has a database `meta` with two rows: `format` (the text that names whose it is)
 * and `version` (four bytes, big-endian). An older version is migrated in the transaction that also
 * writes the new number; a newer one is refused, because an old program would damage it.
 *
 * The map is address space, reserved once (64 GiB): growing it under live transactions is unsafe.
 * How much may be used is asked with disk_has_room before new work is taken, so that there is
 * always room to finish what was begun. Every commit is a full fsync. */
#include "base/disk/disk.h"
#include "base/disk/parts.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MEBIBYTE       (UINT64_C(1) << 20)
#define DEFAULT_MAP    (UINT64_C(64) << 30)
#define MOST_READERS   512 /* commands and worker threads together */
#define WARN_PERCENT   70
#define REFUSE_PERCENT 90
#define LEAST_FREE     (64 * MEBIBYTE)
#define FILE_MODE      0600
/* disk_options.grows_ahead: the file is made this much longer than it must be, and again when little of
 * that is left, as long as commits are small. One that adds more pays for itself. */
#define AHEAD_BYTES (512u * 1024u)
#define SMALL_BYTES (AHEAD_BYTES / 8)

struct disk {
  MDB_env *env;
  char *path;
  dev_t device;
  ino_t inode;
  bool claimed;
  int watched; /* the damage watcher's slot */
  pid_t process;
  atomic_bool warned; /* one line when the map passes 70 %, not one a record */
  bool grows_ahead;
  uint64_t used; /* bytes, when the last transaction began to write; the writer's */
};

/* --- errors --- */

enum collega_status disk_error(struct collega_error *error, const char *what, int number) {
  const char *reason = system_reason(number, mdb_strerror(number));
  switch (number) {
  case MDB_SUCCESS:
    return COLLEGA_OK;
  case MDB_NOTFOUND:
    return error_set(error, COLLEGA_NOT_FOUND, RULE_disk_not_found, NULL, what, NULL);
  case MDB_KEYEXIST:
    return error_set(error, COLLEGA_EXISTS, RULE_disk_key_exists, NULL, what, NULL);
  case MDB_MAP_FULL:
  case MDB_TXN_FULL:
  case ENOSPC:
  case EDQUOT:
    return error_set(error, COLLEGA_FULL, RULE_disk_full, NULL, what, reason, NULL);
  case MDB_READERS_FULL:
    return error_set(error, COLLEGA_BUSY, RULE_disk_readers_full, NULL, what, NULL);
  case MDB_MAP_RESIZED:
    return error_set(error, COLLEGA_BUSY, RULE_disk_map_resized, NULL, what, NULL);
  case MDB_PAGE_NOTFOUND:
  case MDB_CORRUPTED:
  case MDB_INVALID:
    return error_set(error, COLLEGA_DAMAGED, RULE_disk_corrupt, NULL, what, reason, NULL);
  default: /* LMDB's other codes are our own mistakes, or error numbers of the system */
    return error_set(error, COLLEGA_SYSTEM, RULE_system_call, NULL, what, reason, NULL);
  }
}

/* --- opening --- */

static bool exists_in(const char *path, const char *name) {
  char file[PATH_MAX];
  int printed = snprintf(file, sizeof file, "%s/%s", path, name);
  return printed > 0 && (size_t)printed < sizeof file && access(file, F_OK) == 0;
}

static enum collega_status claim(struct disk *disk, struct collega_error *error) {
  struct stat about;
  if (stat(disk->path, &about) != 0) return error_system(error, disk->path, errno);
  if (!S_ISDIR(about.st_mode)) return error_system(error, disk->path, ENOTDIR);
  if (!registry_claim(about.st_dev, about.st_ino))
    return error_set(error, COLLEGA_REFUSED, RULE_disk_open_twice, NULL, disk->path, NULL);
  disk->device = about.st_dev;
  disk->inode = about.st_ino;
  disk->claimed = true;
  return COLLEGA_OK;
}

static uint64_t map_bytes(const struct disk_options *options) {
  const char *text = getenv("COLLEGA_MAP_MIB");
  if (text != NULL) {
    char *end;
    errno = 0;
    unsigned long long mebibytes = strtoull(text, &end, 10);
    if (errno == 0 && end != text && *end == '\0' && mebibytes > 0 &&
        mebibytes <= SIZE_MAX / MEBIBYTE)
      return mebibytes * MEBIBYTE;
    log_warning("disk", "COLLEGA_MAP_MIB is not a number of MiB: %s", text);
  }
  return options->map_bytes != 0 ? options->map_bytes : DEFAULT_MAP;
}

/* Set once, by the programs that want it; see parts.h. */
static const struct damage_watcher *_Atomic damage_watcher;

void disk_set_watcher(const struct damage_watcher *watcher) {
  atomic_store(&damage_watcher, watcher);
}

static void forget_damage(struct disk *disk) {
  const struct damage_watcher *watcher = atomic_load(&damage_watcher);
  if (watcher && disk->watched >= 0) watcher->forget(disk->watched);
}

static void on_assertion(MDB_env *env, const char *message) {
  const struct disk *disk = mdb_env_get_userctx(env);
  log_error("disk", "%s", message);
  const struct damage_watcher *watcher = atomic_load(&damage_watcher);
  if (watcher) watcher->told(disk->watched);
}

static int open_environment(struct disk *disk, const struct disk_options *options) {
  int number = mdb_env_create(&disk->env);
  if (number == 0) number = mdb_env_set_mapsize(disk->env, map_bytes(options));
  if (number == 0) number = mdb_env_set_maxdbs(disk->env, options->databases + 1); /* and meta */
  if (number == 0) number = mdb_env_set_maxreaders(disk->env, MOST_READERS);
  unsigned flags = MDB_NOTLS | (options->read_only ? (unsigned)MDB_RDONLY : 0U);
  if (number == 0) number = mdb_env_set_userctx(disk->env, disk);
  if (number == 0) number = mdb_env_set_assert(disk->env, on_assertion);
  if (number == 0) number = mdb_env_open(disk->env, disk->path, flags, FILE_MODE);
  const struct damage_watcher *watcher = atomic_load(&damage_watcher);
  disk->watched = number == 0 && watcher ? watcher->watch(disk->path) : -1;
  return number;
}

static bool is_damage(int number) {
  return number == MDB_INVALID || number == MDB_CORRUPTED || number == MDB_PAGE_NOTFOUND;
}

/* What `meta` says. */
struct stamp {
  char format[64]; /* empty: a new environment; "?": one without meta */
  uint32_t version;
};

static int read_stamp(MDB_txn *txn, struct stamp *out) {
  *out = (struct stamp){.version = 0};
  MDB_dbi meta;
  int number = mdb_dbi_open(txn, "meta", 0, &meta);
  if (number == MDB_NOTFOUND) {
    MDB_dbi main_tree;
    MDB_stat stat;
    number = mdb_dbi_open(txn, NULL, 0, &main_tree);
    if (number == 0) number = mdb_stat(txn, main_tree, &stat);
    if (number == 0 && stat.ms_entries > 0) strcpy(out->format, "?");
    return number;
  }
  MDB_val key = {6, "format"}, value;
  if (number == 0) number = mdb_get(txn, meta, &key, &value);
  if (number == 0) {
    size_t length = value.mv_size < sizeof out->format ? value.mv_size : sizeof out->format - 1;
    memcpy(out->format, value.mv_data, length);
    key = (MDB_val){7, "version"};
    number = mdb_get(txn, meta, &key, &value);
  }
  if (number == 0 && value.mv_size == 4) out->version = get_be32(value.mv_data);
  if (number == MDB_NOTFOUND || (number == 0 && value.mv_size != 4)) {
    strcpy(out->format, "?");
    number = 0;
  }
  return number;
}

static int write_stamp(MDB_txn *txn, const struct disk_options *options) {
  MDB_dbi meta;
  int number = mdb_dbi_open(txn, "meta", MDB_CREATE, &meta);
  uint8_t version[4];
  put_be32(version, options->version);
  MDB_val key = {6, "format"}, value = {strlen(options->format), (void *)options->format};
  if (number == 0) number = mdb_put(txn, meta, &key, &value, 0);
  key = (MDB_val){7, "version"};
  value = (MDB_val){sizeof version, version};
  if (number == 0) number = mdb_put(txn, meta, &key, &value, 0);
  return number;
}

/* OK with *change: the stamp has to be written, after the migration if there is an older one. */
static enum collega_status judge_stamp(const struct disk_options *options,
                                       const struct stamp *stamp, bool *change,
                                       struct collega_error *error) {
  char found[16], known[16];
  snprintf(found, sizeof found, "%" PRIu32, stamp->version);
  snprintf(known, sizeof known, "%" PRIu32, options->version);
  *change = stamp->format[0] == '\0' || stamp->version < options->version;
  bool may_change = !options->read_only;
  if (stamp->format[0] == '\0') {
    if (!may_change)
      return error_set(error, COLLEGA_NOT_FOUND, RULE_disk_missing, NULL, options->path, NULL);
    return COLLEGA_OK;
  }
  if (strcmp(stamp->format, options->format) != 0)
    return error_set(error, COLLEGA_REFUSED, RULE_disk_foreign, NULL, options->path, stamp->format,
                     options->format, NULL);
  if (stamp->version > options->version)
    return error_set(error, COLLEGA_REFUSED, RULE_disk_newer, NULL, options->path, found, known,
                     NULL);
  if (*change && options->migrate == NULL)
    return error_set(error, COLLEGA_REFUSED, RULE_disk_too_old, NULL, options->path, found, known,
                     NULL);
  if (*change && !may_change)
    return error_set(error, COLLEGA_REFUSED, RULE_disk_older, NULL, options->path, found, known,
                     NULL);
  return COLLEGA_OK;
}

static enum collega_status bring_up_to_date(struct disk *disk, const struct disk_options *options,
                                            struct collega_error *error) {
  MDB_txn *txn;
  int number = mdb_txn_begin(disk->env, NULL, 0, &txn);
  if (number != 0) return disk_error(error, "begin", number);
  struct stamp stamp;
  bool change = false;
  enum collega_status status = COLLEGA_OK;
  number = read_stamp(txn, &stamp); /* again: another process may have been first */
  if (number != 0) status = disk_error(error, "meta", number);
  if (status == COLLEGA_OK) status = judge_stamp(options, &stamp, &change, error);
  if (status == COLLEGA_OK && change && stamp.format[0] != '\0')
    status = options->migrate(disk->env, txn, stamp.version, error);
  if (status == COLLEGA_OK && change) {
    number = write_stamp(txn, options);
    if (number != 0) status = disk_error(error, "meta", number);
  }
  if (status != COLLEGA_OK) {
    mdb_txn_abort(txn);
    return status;
  }
  return disk_commit(&txn, error);
}

static enum collega_status check_format(struct disk *disk, const struct disk_options *options,
                                        struct collega_error *error) {
  MDB_txn *txn;
  int number = mdb_txn_begin(disk->env, NULL, MDB_RDONLY, &txn);
  if (number != 0) return disk_error(error, "begin", number);
  struct stamp stamp;
  number = read_stamp(txn, &stamp);
  mdb_txn_abort(txn);
  if (number != 0) return disk_error(error, "meta", number);
  bool change;
  enum collega_status status = judge_stamp(options, &stamp, &change, error);
  return status == COLLEGA_OK && change ? bring_up_to_date(disk, options, error) : status;
}

static enum collega_status open_checked(struct disk *disk, const struct disk_options *options,
                                        struct collega_error *error) {
  bool must_exist = options->must_exist || options->read_only;
  if (must_exist && !exists_in(disk->path, "data.mdb"))
    return error_set(error, COLLEGA_NOT_FOUND, RULE_disk_missing, NULL, disk->path, NULL);
  if (!must_exist && mkdir(disk->path, 0700) != 0 && errno != EEXIST)
    return error_system(error, disk->path, errno);
  enum collega_status status = claim(disk, error);
  if (status == COLLEGA_OK) status = disk_refuse_remote(disk->path, error);
  enum disk_look look = DISK_LOOK_NEW;
  if (status == COLLEGA_OK) status = disk_inspect(disk->path, !options->read_only, &look, error);
  if (status != COLLEGA_OK) return status;
  if (look == DISK_LOOK_FOREIGN)
    return error_set(error, COLLEGA_REFUSED, RULE_disk_foreign, NULL, disk->path,
                     "another LMDB format", options->format, NULL);
  bool damaged = look == DISK_LOOK_DAMAGED;
  if (!damaged) {
    int number = open_environment(disk, options);
    if (number != 0 && !is_damage(number)) return disk_error(error, disk->path, number);
    struct collega_error why = {.status = COLLEGA_OK};
    status = number == 0 ? check_format(disk, options, &why) : disk_error(&why, disk->path, number);
    if (status != COLLEGA_OK && error != NULL) *error = why;
    /* What LMDB calls corrupt; a migration that finds its records damaged moves nothing. */
    if (status == COLLEGA_OK || why.rule != RULE_disk_corrupt) return status;
  }
  forget_damage(disk);
  disk->watched = -1;
  mdb_env_close(disk->env); /* it must be closed before it is moved */
  disk->env = NULL;
  /* Who only reads changes nothing, not even the name of what is damaged. */
  if (options->read_only)
    return error_set(error, COLLEGA_DAMAGED, RULE_disk_corrupt, NULL, disk->path,
                     mdb_strerror(MDB_INVALID), NULL);
  return disk_quarantine(disk->path, error);
}

enum collega_status disk_open(const struct disk_options *options, struct disk **out,
                              struct collega_error *error) {
  *out = NULL;
  struct disk *disk = calloc(1, sizeof *disk);
  if (disk == NULL) return error_set(error, COLLEGA_SYSTEM, RULE_out_of_memory, NULL, NULL);
  disk->process = getpid();
  disk->grows_ahead = options->grows_ahead;
  disk->watched = -1;
  disk->path = strdup(options->path);
  enum collega_status status =
      disk->path == NULL ? error_set(error, COLLEGA_SYSTEM, RULE_out_of_memory, NULL, NULL)
                         : open_checked(disk, options, error);
  if (status == COLLEGA_OK)
    *out = disk;
  else
    disk_close(&disk);
  return status;
}

void disk_close(struct disk **disk) {
  struct disk *closing = *disk;
  if (closing == NULL) return;
  forget_damage(closing);
  if (closing->env != NULL) mdb_env_close(closing->env);
  if (closing->claimed) registry_release(closing->device, closing->inode);
  free(closing->path);
  free(closing);
  *disk = NULL;
}

MDB_env *disk_env(const struct disk *disk) {
  return disk->env;
}

/* --- transactions --- */

static enum collega_status begin(struct disk *disk, unsigned flags, MDB_txn **txn,
                                 struct collega_error *error) {
  *txn = NULL;
  if (disk->process != getpid())
    return error_set(error, COLLEGA_REFUSED, RULE_disk_forked, NULL, NULL);
  int number = mdb_txn_begin(disk->env, NULL, flags, txn);
  if (number != 0) *txn = NULL;
  return disk_error(error, "begin", number);
}

enum collega_status disk_read(struct disk *disk, MDB_txn **txn, struct collega_error *error) {
  return begin(disk, MDB_RDONLY, txn, error);
}

/* Zeroes behind the end of the file. Real ones: blocks that are only reserved go through the file
 * system's journal when they are written. It is the writer that does this, so nobody else writes there.
 * If it does not work out, LMDB makes the file longer, as it does without this. */
static void grow_ahead(struct disk *disk) {
  static const uint8_t zeroes[SMALL_BYTES];
  MDB_envinfo info;
  MDB_stat stat;
  struct stat about;
  int fd;
  if (mdb_env_info(disk->env, &info) != 0 || mdb_env_stat(disk->env, &stat) != 0 ||
      mdb_env_get_fd(disk->env, &fd) != 0 || fstat(fd, &about) != 0)
    return;
  uint64_t used = ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
  uint64_t added = used - disk->used, end = (uint64_t)about.st_size;
  bool small = added <= SMALL_BYTES;
  disk->used = used;
  if (!small || end >= used + SMALL_BYTES) return;
  for (; end < used + AHEAD_BYTES; end += sizeof zeroes)
    if (pwrite(fd, zeroes, sizeof zeroes, (off_t)end) != (ssize_t)sizeof zeroes) return;
}

enum collega_status disk_write(struct disk *disk, MDB_txn **txn, struct collega_error *error) {
  enum collega_status status = begin(disk, 0, txn, error);
  if (status == COLLEGA_OK && disk->grows_ahead) grow_ahead(disk);
  return status;
}

enum collega_status disk_commit(MDB_txn **txn, struct collega_error *error) {
  int number = mdb_txn_commit(*txn);
  *txn = NULL;
  return disk_error(error, "commit", number);
}

void disk_abort(MDB_txn **txn) {
  if (*txn != NULL) mdb_txn_abort(*txn);
  *txn = NULL;
}

int disk_check_readers(struct disk *disk) {
  int cleared = 0;
  return mdb_reader_check(disk->env, &cleared) == 0 ? cleared : 0;
}

/* --- room --- */

/* Pages that were given back and will be used again. LMDB keeps them in its first tree: each row is
 * a list of page numbers that begins with its length. */
static int count_free_pages(MDB_txn *txn, uint64_t *out) {
  MDB_cursor *cursor;
  *out = 0;
  int number = mdb_cursor_open(txn, 0, &cursor);
  if (number != 0) return number;
  MDB_val key, value;
  while ((number = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
    size_t pages = 0;
    if (value.mv_size >= sizeof pages) memcpy(&pages, value.mv_data, sizeof pages);
    *out += pages;
  }
  mdb_cursor_close(cursor);
  return number == MDB_NOTFOUND ? 0 : number;
}

/* All but the walk over free pages: `used` counts every page that was ever used. */
static enum collega_status measure(struct disk *disk, struct disk_room *out,
                                   struct collega_error *error) {
  MDB_envinfo info;
  MDB_stat stat;
  struct statvfs space;
  int number = mdb_env_info(disk->env, &info);
  if (number == 0) number = mdb_env_stat(disk->env, &stat);
  if (number != 0) return disk_error(error, "info", number);
  if (statvfs(disk->path, &space) != 0) return error_system(error, disk->path, errno);
  out->used = ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
  out->map = info.me_mapsize;
  out->free =
      (uint64_t)fault_number("COLLEGA_FREE_FILE", (int64_t)(space.f_bavail * space.f_frsize));
  return COLLEGA_OK;
}

static enum collega_status subtract_free_pages(struct disk *disk, struct disk_room *room,
                                               struct collega_error *error) {
  MDB_txn *txn;
  enum collega_status status = disk_read(disk, &txn, error);
  if (status != COLLEGA_OK) return status;
  uint64_t pages = 0;
  MDB_stat stat;
  int number = count_free_pages(txn, &pages);
  if (number == 0) number = mdb_env_stat(disk->env, &stat);
  disk_abort(&txn);
  if (number != 0) return disk_error(error, "free pages", number);
  uint64_t bytes = pages * stat.ms_psize;
  room->used = bytes < room->used ? room->used - bytes : 0;
  return COLLEGA_OK;
}

enum collega_status disk_room(struct disk *disk, struct disk_room *out,
                              struct collega_error *error) {
  enum collega_status status = measure(disk, out, error);
  return status == COLLEGA_OK ? subtract_free_pages(disk, out, error) : status;
}

static bool above(const struct disk_room *room, unsigned percent) {
  return room->used / percent > room->map / 100;
}

enum collega_status disk_has_room(struct disk *disk, struct collega_error *error) {
  struct disk_room room = {0, 0, 0};
  enum collega_status status = measure(disk, &room, error);
  if (status != COLLEGA_OK) return status;
  char used[24], map[24];
  if (room.free < LEAST_FREE) {
    snprintf(used, sizeof used, "%" PRIu64, room.free / MEBIBYTE);
    return error_set(error, COLLEGA_FULL, RULE_disk_file_system_full, NULL, disk->path, used, NULL);
  }
  /* The walk costs something, so it is only made when the answer hangs on it. */
  if (above(&room, WARN_PERCENT)) status = subtract_free_pages(disk, &room, error);
  if (status != COLLEGA_OK) return status;
  bool warn = above(&room, WARN_PERCENT);
  if (atomic_exchange(&disk->warned, warn) != warn && warn)
    log_warning("disk", "path=%s used=%" PRIu64 " map=%" PRIu64 " more than %d percent is used",
                disk->path, room.used, room.map, WARN_PERCENT);
  if (!above(&room, REFUSE_PERCENT)) return COLLEGA_OK;
  snprintf(used, sizeof used, "%" PRIu64, room.used / MEBIBYTE);
  snprintf(map, sizeof map, "%" PRIu64, room.map / MEBIBYTE);
  return error_set(error, COLLEGA_FULL, RULE_disk_map_nearly_full, NULL, used, map, NULL);
}

/* The lock of a write transaction keeps every other process from writing there meanwhile. */
enum collega_status disk_cut_tail(struct disk *disk, struct collega_error *error) {
  MDB_txn *txn;
  MDB_envinfo info;
  MDB_stat stat;
  struct stat about;
  int fd = -1;
  enum collega_status status = disk_write(disk, &txn, error);
  if (status != COLLEGA_OK) return status;
  int number = mdb_env_info(disk->env, &info);
  if (number == 0) number = mdb_env_stat(disk->env, &stat);
  if (number == 0) number = mdb_env_get_fd(disk->env, &fd);
  if (number == 0 && fstat(fd, &about) != 0) number = errno;
  if (number == 0) {
    off_t end = (off_t)((info.me_last_pgno + 1) * stat.ms_psize);
    if (about.st_size > end && (ftruncate(fd, end) != 0 || fsync(fd) != 0)) number = errno;
  }
  disk_abort(&txn);
  return disk_error(error, disk->path, number);
}

/* --- backup --- */

/* 0, or an error number. */
static int sync_path(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  int number = fsync(fd) == 0 ? 0 : errno;
  close(fd);
  return number;
}

enum collega_status disk_backup(struct disk *disk, const char *path, struct collega_error *error) {
  char file[PATH_MAX];
  int printed = snprintf(file, sizeof file, "%s/data.mdb", path);
  if (printed < 0 || (size_t)printed >= sizeof file) return error_system(error, path, ENAMETOOLONG);
  if (mkdir(path, 0700) != 0) {
    if (errno == EEXIST)
      return error_set(error, COLLEGA_EXISTS, RULE_file_exists, NULL, path, NULL);
    return error_system(error, path, errno);
  }
  int number = mdb_env_copy2(disk->env, path, MDB_CP_COMPACT);
  if (number == MDB_INCOMPATIBLE) {
    /* It lost count of its free pages; the plain copy does not need them. */
    unlink(file);
    number = mdb_env_copy2(disk->env, path, 0);
  }
  if (number == 0) number = sync_path(file);
  if (number == 0) number = sync_path(path);
  if (number == 0) return COLLEGA_OK;
  unlink(file);
  rmdir(path);
  return disk_error(error, path, number);
}
