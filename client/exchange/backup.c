/* Backup and restore of a home. A backup has a home's files but not its name: the file `home` says "node-backup",
 * so that no daemon starts in it by mistake and signs with numbers that are taken; and "node-unfinished" until all
 * of it is there, so that nothing is restored from a part. A restored home says "node-restoring" until its new
 * epoch is on disk, for the same reason. */
#include "client/exchange/backup.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/disk/disk.h"
#include "base/fault.h"
#include "base/process/process.h"
#include "client/exchange/inside.h"

#define BACKUP_KIND     "node-backup"
#define UNFINISHED_KIND "node-unfinished"
#define FILE_BYTES_MOST (1u << 20)

static enum collega_status copy_file(const char *from, const char *to, const char *name,
                                     bool required, struct collega_error *error) {
  char source[PATH_MAX], target[PATH_MAX];
  struct buffer content;
  enum collega_status status = path_join(source, sizeof source, from, name, error);
  if (status == COLLEGA_OK) status = path_join(target, sizeof target, to, name, error);
  if (status != COLLEGA_OK) return status;
  status = file_read(source, FILE_BYTES_MOST, &content, error);
  if (status == COLLEGA_OK)
    status = file_write(target, content.data, content.length, 0600, error);
  else if (status == COLLEGA_NOT_FOUND && !required)
    status = COLLEGA_OK;
  if (content.data) explicit_bzero(content.data, content.length);
  buffer_free(&content);
  return status;
}

static enum collega_status copy_directory(const char *from, const char *to, const char *name,
                                          char source[PATH_MAX], char target[PATH_MAX],
                                          struct collega_error *error) {
  enum collega_status status = path_join(source, PATH_MAX, from, name, error);
  if (status == COLLEGA_OK) status = path_join(target, PATH_MAX, to, name, error);
  if (status == COLLEGA_OK && mkdir(target, 0700) != 0 && errno != EEXIST)
    status = error_system(error, target, errno);
  return status;
}

/* parties/ID/identity of everyone who lives here. */
enum collega_status node_copy_keys(const char *from, const char *to, struct collega_error *error) {
  char source[PATH_MAX], target[PATH_MAX], one[PATH_MAX], other[PATH_MAX];
  enum collega_status status = copy_directory(from, to, "parties", source, target, error);
  if (status != COLLEGA_OK) return status;
  DIR *parties = opendir(source);
  if (!parties) return error_system(error, source, errno);
  struct dirent *entry;
  while (status == COLLEGA_OK && (entry = readdir(parties))) {
    if (strlen(entry->d_name) != 2 * ID_BYTES) continue;
    status = copy_directory(source, target, entry->d_name, one, other, error);
    /* None is there when a party was about to be made and that was interrupted: nobody knows it. */
    if (status == COLLEGA_OK) status = copy_file(one, other, "identity", false, error);
  }
  closedir(parties);
  return status;
}

enum collega_status node_backup(struct exchange *exchange, const char *to,
                                struct collega_error *error) {
  char path[PATH_MAX];
  enum collega_status status = home_create(to, UNFINISHED_KIND, error);
  if (status == COLLEGA_OK) status = path_join(path, sizeof path, to, "ledger", error);
  /* The ledger first: a party that is added meanwhile has its keys before its ledger knows it. */
  if (status == COLLEGA_OK) status = disk_backup(ledger_disk(exchange->ledger), path, error);
  if (status == COLLEGA_OK) status = node_copy_keys(exchange->home, to, error);
  fault_point(FAULT_copy_keys_written);
  if (status == COLLEGA_OK) status = copy_file(exchange->home, to, "settings.ini", false, error);
  fault_point(FAULT_copy_complete);
  return status == COLLEGA_OK ? home_become(to, BACKUP_KIND, error) : status;
}

enum collega_status exchange_append_restored(struct exchange *exchange, struct ledger_txn *txn,
                                             collega_time now, struct collega_error *error) {
  struct epoch epoch;
  struct ledger_event event = {.time = now,
                               .kind = COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_RESTORED,
                               .payload = bytes_of(epoch.byte, EPOCH_BYTES)};
  enum collega_status status = ledger_epoch(txn, &epoch, error);
  return status == COLLEGA_OK ? exchange_append(exchange, txn, &event, error) : status;
}

enum collega_status node_begin_anew(struct ledger *ledger, collega_time now,
                                    struct collega_error *error) {
  struct exchange *exchange = NULL;
  struct ledger_txn *txn = NULL;
  enum collega_status status = exchange_open_on(ledger, &exchange, error);
  if (status == COLLEGA_OK) status = exchange_begin(exchange, &txn, error);
  if (status == COLLEGA_OK) {
    status = ledger_new_epoch(txn, now, error);
    if (status == COLLEGA_OK) status = exchange_append_restored(exchange, txn, now, error);
    status = exchange_end(exchange, &txn, status, error);
  }
  exchange_close(&exchange);
  return status;
}

static enum collega_status begin_epoch(const char *home, collega_time now,
                                       struct collega_error *error) {
  struct ledger *ledger = NULL;
  enum collega_status status = ledger_open_kind(home, RESTORING_KIND, &ledger, error);
  if (status == COLLEGA_OK) status = node_begin_anew(ledger, now, error);
  ledger_close(&ledger);
  return status;
}

static enum collega_status copy_ledger(const char *from, const char *home,
                                       struct collega_error *error) {
  char source[PATH_MAX], target[PATH_MAX];
  struct disk *disk = NULL;
  enum collega_status status = path_join(source, sizeof source, from, "ledger", error);
  if (status == COLLEGA_OK) status = path_join(target, sizeof target, home, "ledger", error);
  if (status == COLLEGA_OK) status = ledger_disk_open(source, &disk, error);
  if (status == COLLEGA_OK) status = disk_backup(disk, target, error);
  disk_close(&disk);
  return status;
}

enum collega_status node_restore(const char *from, const char *home, collega_time now,
                                 struct collega_error *error) {
  enum collega_status status = home_check(from, BACKUP_KIND, error);
  if (status == COLLEGA_OK) status = home_create(home, RESTORING_KIND, error);
  if (status == COLLEGA_OK) status = node_copy_keys(from, home, error);
  fault_point(FAULT_copy_keys_written);
  if (status == COLLEGA_OK) status = copy_file(from, home, "settings.ini", false, error);
  if (status == COLLEGA_OK) status = copy_ledger(from, home, error);
  if (status == COLLEGA_OK) status = begin_epoch(home, now, error);
  fault_point(FAULT_copy_complete);
  return status == COLLEGA_OK ? home_become(home, "node", error) : status;
}
