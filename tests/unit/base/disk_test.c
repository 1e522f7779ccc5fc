/* LMDB environments: versions, limits, damage, backup. */
#include "support.h"
#include "base/disk/disk.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct disk_options options_for(const char *path) {
  return (struct disk_options){
      .path = path, .format = "test", .version = 1, .map_bytes = 16 << 20, .databases = 2};
}

/* Opens what must open. */
static struct disk *opened(const struct disk_options *options) {
  struct disk *disk;
  struct collega_error error;
  if (disk_open(options, &disk, &error) != COLLEGA_OK) {
    char words[400];
    error_render(LANGUAGE_EN, &error, words, sizeof words);
    fail_msg("%s", words);
  }
  return disk;
}

/* Must not open, by `status` and `rule`. */
static struct collega_error not_opened(const struct disk_options *options,
                                       enum collega_status status, enum rule rule) {
  struct disk *disk;
  struct collega_error error;
  assert_int_equal(disk_open(options, &disk, &error), status);
  assert_null(disk);
  assert_string_equal(rule_name(error.rule), rule_name(rule));
  return error;
}

static enum collega_status put(struct disk *disk, uint64_t number, size_t size,
                               struct collega_error *error) {
  MDB_txn *txn;
  MDB_dbi rows;
  enum collega_status status = disk_write(disk, &txn, error);
  if (status != COLLEGA_OK) return status;
  uint8_t key_bytes[8], *data = calloc(1, size);
  assert_non_null(data);
  put_be64(key_bytes, number);
  data[0] = (uint8_t)number;
  MDB_val key = {8, key_bytes}, value = {size, data};
  int result = mdb_dbi_open(txn, "rows", MDB_CREATE, &rows);
  if (result == 0) result = mdb_put(txn, rows, &key, &value, 0);
  free(data);
  if (result == 0) return disk_commit(&txn, error);
  disk_abort(&txn);
  return disk_error(error, "put", result);
}

static enum collega_status get(struct disk *disk, uint64_t number, uint8_t *first,
                               struct collega_error *error) {
  MDB_txn *txn;
  MDB_dbi rows;
  enum collega_status status = disk_read(disk, &txn, error);
  if (status != COLLEGA_OK) return status;
  uint8_t key_bytes[8];
  put_be64(key_bytes, number);
  MDB_val key = {8, key_bytes}, value;
  int result = mdb_dbi_open(txn, "rows", 0, &rows);
  if (result == 0) result = mdb_get(txn, rows, &key, &value);
  if (result == 0) *first = *(uint8_t *)value.mv_data;
  disk_abort(&txn);
  return disk_error(error, "get", result);
}

static void what_is_committed_is_there_after_reopening(void **state) {
  struct disk_options options = options_for(scratch_path(*state, "ledger"));
  struct disk *disk = opened(&options);
  struct stat about;
  assert_int_equal(stat(options.path, &about), 0);
  assert_int_equal(about.st_mode & 0777, 0700);
  assert_int_equal(put(disk, 1, 10, NULL), COLLEGA_OK);
  disk_close(&disk);
  assert_null(disk);
  disk = opened(&options);
  uint8_t first;
  struct collega_error error;
  assert_int_equal(get(disk, 1, &first, &error), COLLEGA_OK);
  assert_int_equal(first, 1);
  assert_int_equal(get(disk, 2, &first, &error), COLLEGA_NOT_FOUND);
  assert_int_equal(disk_check_readers(disk), 0);
  disk_close(&disk);
}

static void a_second_opening_in_the_process_is_refused(void **state) {
  struct disk_options options = options_for(scratch_path(*state, "ledger"));
  struct disk *disk = opened(&options);
  not_opened(&options, COLLEGA_REFUSED, RULE_disk_open_twice);
  char other_name[200];
  snprintf(other_name, sizeof other_name, "%s/./", options.path);
  struct disk_options same = options_for(other_name);
  not_opened(&same, COLLEGA_REFUSED, RULE_disk_open_twice);
  assert_int_equal(put(disk, 1, 10, NULL), COLLEGA_OK); /* the first goes on */
  disk_close(&disk);
  disk = opened(&options);
  disk_close(&disk);
}

static void what_does_not_exist_is_not_made_for_a_reader(void **state) {
  struct disk_options options = options_for(scratch_path(*state, "none"));
  options.must_exist = true;
  not_opened(&options, COLLEGA_NOT_FOUND, RULE_disk_missing);
  options.must_exist = false;
  options.read_only = true;
  not_opened(&options, COLLEGA_NOT_FOUND, RULE_disk_missing);
  assert_int_not_equal(access(options.path, F_OK), 0);
}

static void a_newer_version_and_another_format_are_refused(void **state) {
  struct disk_options options = options_for(scratch_path(*state, "ledger"));
  options.version = 7;
  struct disk *disk = opened(&options);
  disk_close(&disk);
  options.version = 6;
  struct collega_error error = not_opened(&options, COLLEGA_REFUSED, RULE_disk_newer);
  assert_string_equal(error.argument[1], "7");
  assert_string_equal(error.argument[2], "6");
  options.version = 7;
  options.format = "other";
  error = not_opened(&options, COLLEGA_REFUSED, RULE_disk_foreign);
  assert_string_equal(error.argument[1], "test");
  options.format = "test";
  disk = opened(&options); /* and nothing was changed */
  disk_close(&disk);
}

static enum collega_status migrate_well(MDB_env *env, MDB_txn *txn, uint32_t from,
                                        struct collega_error *error) {
  (void)env;
  assert_int_equal(from, 1);
  MDB_dbi rows;
  MDB_val key = {8, "\0\0\0\0\0\0\0\5"}, value = {1, "m"};
  int result = mdb_dbi_open(txn, "rows", MDB_CREATE, &rows);
  if (result == 0) result = mdb_put(txn, rows, &key, &value, 0);
  return disk_error(error, "migrate", result);
}

static enum collega_status migrate_badly(MDB_env *env, MDB_txn *txn, uint32_t from,
                                         struct collega_error *error) {
  enum collega_status status = migrate_well(env, txn, from, error);
  assert_int_equal(status, COLLEGA_OK);
  return error_set(error, COLLEGA_DAMAGED, RULE_out_of_memory, NULL, NULL);
}

static void an_older_version_is_migrated_whole_or_not_at_all(void **state) {
  struct disk_options options = options_for(scratch_path(*state, "ledger"));
  struct disk *disk = opened(&options);
  disk_close(&disk);
  options.version = 2;
  not_opened(&options, COLLEGA_REFUSED, RULE_disk_too_old); /* no migration is known */
  options.migrate = migrate_well;
  options.read_only = true;
  not_opened(&options, COLLEGA_REFUSED, RULE_disk_older);
  options.read_only = false;
  options.migrate = migrate_badly;
  not_opened(&options, COLLEGA_DAMAGED, RULE_out_of_memory);
  options.version = 1;
  disk = opened(&options);
  uint8_t first;
  assert_int_equal(get(disk, 5, &first, NULL), COLLEGA_NOT_FOUND);
  disk_close(&disk);
  options.version = 2;
  options.migrate = migrate_well;
  disk = opened(&options);
  assert_int_equal(get(disk, 5, &first, NULL), COLLEGA_OK);
  disk_close(&disk);
  disk = opened(&options); /* and is not called again: `from` would not be 1 */
  disk_close(&disk);
}

/* Overwrites `length` bytes of data.mdb at `offset`. */
static void overwrite(const char *directory, off_t offset, const void *data, size_t length) {
  char file[200];
  snprintf(file, sizeof file, "%s/data.mdb", directory);
  int fd = open(file, O_WRONLY | O_CREAT, 0600);
  assert_true(fd >= 0);
  assert_int_equal(pwrite(fd, data, length, offset), (ssize_t)length);
  close(fd);
}

static void a_garbage_file_is_moved_aside_and_the_next_start_works(void **state) {
  struct disk_options options = options_for(scratch_path(*state, "ledger"));
  struct disk *disk = opened(&options);
  disk_close(&disk);
  char garbage[20000], aside[200];
  memset(garbage, 'x', sizeof garbage);
  for (int i = 1; i <= 2; i++) {
    overwrite(options.path, 0, garbage, sizeof garbage);
    struct collega_error error = not_opened(&options, COLLEGA_DAMAGED, RULE_disk_damaged);
    snprintf(aside, sizeof aside, "%s.damaged-%d", options.path, i);
    assert_string_equal(error.argument[1], aside);
    assert_int_equal(access(aside, F_OK), 0);
    disk = opened(&options);
    disk_close(&disk);
  }
}

static void meta_pages_that_would_crash_lmdb_are_damage(void **state) {
  struct scratch *scratch = *state;
  static const struct {
    off_t offset;
    uint64_t value;
  } wounds[] = {
      {40, 0},                  /* a page size of nothing */
      {40, 0x7fffffff},         /* and of too much */
      {4096 + 40, 0x41000},     /* another one in the second */
      {136, UINT64_C(1) << 60}, /* a last page beyond the map */
      {4096 + 136, UINT64_C(1) << 60},
  };
  for (size_t i = 0; i < sizeof wounds / sizeof wounds[0]; i++) {
    char path[100];
    snprintf(path, sizeof path, "%s/wound-%zu", scratch->directory, i);
    struct disk_options options = options_for(path);
    struct disk *disk = opened(&options);
    assert_int_equal(put(disk, 1, 10, NULL), COLLEGA_OK);
    disk_close(&disk);
    overwrite(path, wounds[i].offset, &wounds[i].value, wounds[i].offset % 4096 == 40 ? 4 : 8);
    struct disk *again;
    struct collega_error error;
    enum collega_status status = disk_open(&options, &again, &error);
    /* Of the two last pages only the newer one counts. */
    if (wounds[i].offset % 4096 == 136 && status == COLLEGA_OK)
      disk_close(&again);
    else
      assert_int_equal(status, COLLEGA_DAMAGED);
  }
}

static void a_file_cut_short_is_an_error_and_no_crash(void **state) {
  struct scratch *scratch = *state;
  int damaged = 0;
  for (int tenths = 0; tenths < 10; tenths++) {
    char path[100], file[120];
    snprintf(path, sizeof path, "%s/cut-%d", scratch->directory, tenths);
    snprintf(file, sizeof file, "%s/data.mdb", path);
    struct disk_options options = options_for(path);
    struct disk *disk = opened(&options);
    for (uint64_t i = 0; i < 40; i++)
      assert_int_equal(put(disk, i, 3000, NULL), COLLEGA_OK);
    disk_close(&disk);
    struct stat about;
    assert_int_equal(stat(file, &about), 0);
    assert_int_equal(truncate(file, about.st_size / 10 * tenths + 100), 0);
    enum collega_status status = disk_open(&options, &disk, NULL);
    uint8_t first;
    for (uint64_t i = 0; status == COLLEGA_OK && i < 40; i++)
      status = get(disk, i, &first, NULL);
    if (status != COLLEGA_OK) assert_int_equal(status, COLLEGA_DAMAGED);
    damaged += status == COLLEGA_DAMAGED;
    disk_close(&disk);
  }
  assert_true(damaged >= 5);
}

static void who_only_reads_moves_nothing(void **state) {
  struct disk_options options = options_for(scratch_path(*state, "ledger"));
  struct disk *disk = opened(&options);
  disk_close(&disk);
  overwrite(options.path, 0, "garbage!garbage!garbage!garbage!", 32);
  options.read_only = true;
  not_opened(&options, COLLEGA_DAMAGED, RULE_disk_corrupt);
  assert_int_equal(access(options.path, F_OK), 0);
}

static void what_another_process_has_open_is_not_moved(void **state) {
  struct disk_options options = options_for(scratch_path(*state, "ledger"));
  int ready[2], finish[2];
  assert_int_equal(pipe(ready), 0);
  assert_int_equal(pipe(finish), 0);
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    struct disk *disk;
    char byte = disk_open(&options, &disk, NULL) == COLLEGA_OK ? 'y' : 'n';
    close(finish[1]);
    if (write(ready[1], &byte, 1) != 1 || read(finish[0], &byte, 1) != 0) _exit(1);
    _exit(0);
  }
  char byte = 0;
  assert_int_equal(read(ready[0], &byte, 1), 1);
  assert_int_equal(byte, 'y');
  overwrite(options.path, 0, "garbage!garbage!garbage!garbage!", 32);
  not_opened(&options, COLLEGA_DAMAGED, RULE_disk_damaged_in_use);
  assert_int_equal(access(options.path, F_OK), 0);
  close(finish[1]);
  int status;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  close(finish[0]);
  close(ready[0]);
  close(ready[1]);
  not_opened(&options, COLLEGA_DAMAGED, RULE_disk_damaged);
}

static void a_full_map_is_told_in_words_and_reading_goes_on(void **state) {
  struct disk_options options = options_for(scratch_path(*state, "ledger"));
  options.map_bytes = 1 << 20;
  struct disk *disk = opened(&options);
  struct collega_error error = {.status = COLLEGA_OK};
  struct disk_room room;
  assert_int_equal(disk_has_room(disk, &error), COLLEGA_OK);
  bool asked_in_time = false;
  enum collega_status status = COLLEGA_OK;
  uint64_t rows = 0;
  for (; status == COLLEGA_OK && rows < 1000; rows++) {
    status = put(disk, rows, 3000, &error);
    asked_in_time = asked_in_time || disk_has_room(disk, NULL) == COLLEGA_FULL;
  }
  assert_int_equal(status, COLLEGA_FULL);
  char words[300];
  error_render(LANGUAGE_NL, &error, words, sizeof words);
  assert_non_null(strstr(words, "de database is vol"));
  assert_true(asked_in_time);
  assert_int_equal(disk_room(disk, &room, &error), COLLEGA_OK);
  assert_true(room.map == 1 << 20 && room.used <= room.map && room.used > room.map / 10 * 8);
  assert_true(room.free > 0);
  assert_int_equal(disk_has_room(disk, &error), COLLEGA_FULL);
  assert_string_equal(rule_name(error.rule), "disk_map_nearly_full");
  for (uint64_t i = 0; i + 1 < rows; i++) {
    uint8_t first;
    assert_int_equal(get(disk, i, &first, &error), COLLEGA_OK);
    assert_int_equal(first, (uint8_t)i);
  }
  disk_close(&disk);
}

static void given_back_pages_are_room_again(void **state) {
  struct disk_options options = options_for(scratch_path(*state, "ledger"));
  options.map_bytes = 1 << 20;
  struct disk *disk = opened(&options);
  while (disk_has_room(disk, NULL) == COLLEGA_OK) {
    static uint64_t number;
    assert_int_equal(put(disk, number++, 3000, NULL), COLLEGA_OK);
  }
  MDB_txn *txn;
  MDB_dbi rows;
  assert_int_equal(disk_write(disk, &txn, NULL), COLLEGA_OK);
  assert_int_equal(mdb_dbi_open(txn, "rows", 0, &rows), 0);
  assert_int_equal(mdb_drop(txn, rows, 0), 0);
  assert_int_equal(disk_commit(&txn, NULL), COLLEGA_OK);
  assert_int_equal(disk_has_room(disk, NULL), COLLEGA_OK);
  disk_close(&disk);
}

static void what_lies_behind_the_last_page_is_cut_off(void **state) {
  struct disk_options options = options_for(scratch_path(*state, "ledger"));
  struct disk *disk = opened(&options);
  for (uint64_t i = 0; i < 20; i++)
    assert_int_equal(put(disk, i, 3000, NULL), COLLEGA_OK);
  char file[200], name[] = "Wilhelmina";
  snprintf(file, sizeof file, "%s/data.mdb", options.path);
  MDB_envinfo info;
  MDB_stat stat_of;
  assert_int_equal(mdb_env_info(disk_env(disk), &info), 0);
  assert_int_equal(mdb_env_stat(disk_env(disk), &stat_of), 0);
  off_t end = (off_t)((info.me_last_pgno + 1) * stat_of.ms_psize);
  overwrite(options.path, end + 100 * (off_t)stat_of.ms_psize, name, sizeof name);
  uint8_t first;
  struct collega_error error;
  struct stat about;
  assert_int_equal(disk_cut_tail(disk, &error), COLLEGA_OK);
  assert_int_equal(stat(file, &about), 0);
  assert_true(about.st_size <= end);
  assert_int_equal(get(disk, 19, &first, &error), COLLEGA_OK);
  assert_int_equal(put(disk, 20, 30000, NULL), COLLEGA_OK); /* it grows again */
  disk_close(&disk);
  disk = opened(&options);
  assert_int_equal(get(disk, 20, &first, &error), COLLEGA_OK);
  assert_int_equal(disk_cut_tail(disk, &error), COLLEGA_OK);
  assert_int_equal(get(disk, 20, &first, &error), COLLEGA_OK);
  disk_close(&disk);
}

/* Bytes of the file behind the last page that is used. */
static off_t room_behind(const struct disk_options *options, struct disk *disk) {
  char file[200];
  struct stat about;
  MDB_envinfo info;
  MDB_stat stat_of;
  snprintf(file, sizeof file, "%s/data.mdb", options->path);
  assert_int_equal(stat(file, &about), 0);
  assert_int_equal(mdb_env_info(disk_env(disk), &info), 0);
  assert_int_equal(mdb_env_stat(disk_env(disk), &stat_of), 0);
  return about.st_size - (off_t)((info.me_last_pgno + 1) * stat_of.ms_psize);
}

static void small_commits_find_the_file_long_enough(void **state) {
  struct disk_options options = options_for(scratch_path(*state, "store"));
  options.grows_ahead = true;
  struct disk *disk = opened(&options);
  for (uint64_t i = 0; i < 300; i++) {
    assert_int_equal(put(disk, i, 3000, NULL), COLLEGA_OK);
    if (i >= 2) assert_true(room_behind(&options, disk) > 0);
  }
  assert_int_equal(put(disk, 300, 2 << 20, NULL), COLLEGA_OK); /* more than was there */
  assert_true(room_behind(&options, disk) <= 0);
  assert_int_equal(put(disk, 301, 1 << 20, NULL), COLLEGA_OK); /* comes after a large one */
  assert_true(room_behind(&options, disk) <= 0);
  disk_close(&disk);
  options.grows_ahead = false;
  disk = opened(&options);
  uint8_t first;
  for (uint64_t i = 0; i < 302; i++) {
    assert_int_equal(get(disk, i, &first, NULL), COLLEGA_OK);
    assert_int_equal(first, (uint8_t)i);
  }
  disk_close(&disk);
}

static void a_backup_is_made_while_running_and_opens(void **state) {
  struct scratch *scratch = *state;
  char copy[100];
  snprintf(copy, sizeof copy, "%s/copy", scratch->directory);
  struct disk_options options = options_for(scratch_path(scratch, "ledger"));
  struct disk *disk = opened(&options), *restored;
  for (uint64_t i = 0; i < 20; i++)
    assert_int_equal(put(disk, i, 3000, NULL), COLLEGA_OK);
  struct collega_error error;
  assert_int_equal(disk_backup(disk, copy, &error), COLLEGA_OK);
  assert_int_equal(disk_backup(disk, copy, &error), COLLEGA_EXISTS);
  assert_int_equal(put(disk, 20, 3000, NULL), COLLEGA_OK);
  struct disk_options from_copy = options_for(copy);
  from_copy.must_exist = true;
  restored = opened(&from_copy);
  uint8_t first;
  assert_int_equal(get(restored, 19, &first, &error), COLLEGA_OK);
  assert_int_equal(get(restored, 20, &first, &error), COLLEGA_NOT_FOUND);
  disk_close(&restored);
  disk_close(&disk);
}

static void a_forked_child_is_refused(void **state) {
  struct disk_options options = options_for(scratch_path(*state, "ledger"));
  struct disk *disk = opened(&options);
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    MDB_txn *txn;
    _exit(disk_read(disk, &txn, NULL) == COLLEGA_REFUSED ? 0 : 1);
  }
  int status;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  disk_close(&disk);
}

int main(void) {
  unsetenv("COLLEGA_MAP_MIB");
  setenv("COLLEGA_LOG", "error", 1);
  const struct CMUnitTest tests[] = {
      scratch_test(what_is_committed_is_there_after_reopening),
      scratch_test(a_second_opening_in_the_process_is_refused),
      scratch_test(what_does_not_exist_is_not_made_for_a_reader),
      scratch_test(a_newer_version_and_another_format_are_refused),
      scratch_test(an_older_version_is_migrated_whole_or_not_at_all),
      scratch_test(a_garbage_file_is_moved_aside_and_the_next_start_works),
      scratch_test(meta_pages_that_would_crash_lmdb_are_damage),
      scratch_test(a_file_cut_short_is_an_error_and_no_crash),
      scratch_test(who_only_reads_moves_nothing),
      scratch_test(what_another_process_has_open_is_not_moved),
      scratch_test(a_full_map_is_told_in_words_and_reading_goes_on),
      scratch_test(given_back_pages_are_room_again),
      scratch_test(what_lies_behind_the_last_page_is_cut_off),
      scratch_test(small_commits_find_the_file_long_enough),
      scratch_test(a_backup_is_made_while_running_and_opens),
      scratch_test(a_forked_child_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
