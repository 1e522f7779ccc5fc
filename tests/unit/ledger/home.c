/* See home.h. */
#include "home.h"
#include "base/disk/disk.h"
#include "base/process/process.h"
#include "base/words.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void test_print_error(const struct collega_error *error) {
  char text[512];
  error_render(LANGUAGE_EN, error, text, sizeof text);
  print_error("%s\n", text);
}

void home_make(struct test_home *home, const char *kind) {
  /* Sanitizers and valgrind have no room for the map that a ledger reserves by default. */
  setenv("COLLEGA_MAP_MIB", "64", 1);
  must(bytes_start(&error));
  memset(home, 0, sizeof *home);
  const char *base = getenv("TMPDIR");
  int length = snprintf(home->directory, sizeof home->directory, "%s/collega-ledger-XXXXXX",
                        base != NULL && strlen(base) < 40 ? base : "/tmp");
  assert_true(length > 0);
  assert_non_null(mkdtemp(home->directory));
  snprintf(home->path, sizeof home->path, "%s/node", home->directory);
  must(home_create(home->path, kind, &error));
}

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *at) {
  (void)about, (void)type, (void)at;
  return remove(path);
}

void home_remove(struct test_home *home) {
  ledger_close(&home->ledger);
  nftw(home->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void home_reopen(struct test_home *home) {
  ledger_close(&home->ledger);
  must(ledger_open(home->path, &home->ledger, &error));
}

int home_setup(void **state) {
  struct test_home *home = calloc(1, sizeof *home);
  assert_non_null(home);
  home_make(home, "node");
  must(ledger_create(home->path, TEST_TIME, &error));
  home_reopen(home);
  *state = home;
  return 0;
}

int home_teardown(void **state) {
  struct test_home *home = *state;
  home_remove(home);
  free(home);
  return 0;
}

struct ledger_txn *test_write(struct test_home *home) {
  struct ledger_txn *txn = NULL;
  must(ledger_write(home->ledger, &txn, &error));
  return txn;
}

struct ledger_txn *test_read(struct test_home *home) {
  struct ledger_txn *txn = NULL;
  must(ledger_read(home->ledger, &txn, &error));
  return txn;
}

void test_commit(struct ledger_txn *txn) {
  must(ledger_commit(&txn, &error));
  assert_null(txn);
}

void raw_put(struct ledger *ledger, const char *table, struct bytes key, struct bytes value) {
  MDB_txn *txn;
  MDB_dbi dbi;
  must(disk_write(ledger_disk(ledger), &txn, &error));
  assert_int_equal(mdb_dbi_open(txn, table, 0, &dbi), 0);
  MDB_val name = {key.length, (void *)(uintptr_t)key.data};
  MDB_val content = {value.length, (void *)(uintptr_t)value.data};
  if (value.data == NULL)
    assert_int_equal(mdb_del(txn, dbi, &name, NULL), 0);
  else
    assert_int_equal(mdb_put(txn, dbi, &name, &content, 0), 0);
  must(disk_commit(&txn, &error));
}

uint8_t *raw_get(struct ledger *ledger, const char *table, struct bytes key, size_t *length) {
  MDB_txn *txn;
  MDB_dbi dbi;
  must(disk_read(ledger_disk(ledger), &txn, &error));
  assert_int_equal(mdb_dbi_open(txn, table, 0, &dbi), 0);
  MDB_val name = {key.length, (void *)(uintptr_t)key.data}, content;
  uint8_t *copy = NULL;
  *length = 0;
  if (mdb_get(txn, dbi, &name, &content) == 0) {
    *length = content.mv_size;
    copy = malloc(content.mv_size + 1);
    assert_non_null(copy);
    memcpy(copy, content.mv_data, content.mv_size);
  }
  disk_abort(&txn);
  return copy;
}

struct id test_id(uint8_t byte) {
  struct id id;
  memset(id.byte, byte, ID_BYTES);
  return id;
}
