/* The limit of the store: LMDB with full sync, rows of 600 bytes appended in order, a growing file.
 *
 *   limit_store DIRECTORY MILLISECONDS      DIRECTORY exists and is empty */
#include "tests/bench/measure.h"

#include <lmdb.h>
#include <stdlib.h>
#include <string.h>

#define ROW_BYTES    600
#define COMMITS_MOST 100000u
#define MAP_BYTES    ((size_t)16 << 30)

static int64_t latencies[COMMITS_MOST];

struct place {
  MDB_env *environment;
  MDB_dbi table;
  uint64_t next;
};

static void append(struct place *place, MDB_txn *transaction) {
  static unsigned char row[ROW_BYTES];
  unsigned char key[8];
  uint64_t number = place->next++;
  for (size_t i = 0; i < sizeof key; i++)
    key[i] = (unsigned char)(number >> (56 - 8 * i));
  memcpy(row, key, sizeof key);
  MDB_val at = {sizeof key, key}, value = {sizeof row, row};
  NEED(mdb_put(transaction, place->table, &at, &value, MDB_APPEND) == 0);
}

/* Commits of `rows` for about `allowance` nanoseconds, at least ten of them. */
static double commit_rate(struct place *place, size_t rows, int64_t allowance, int64_t *median) {
  size_t commits = 0;
  int64_t began = nanoseconds(), now = began;
  while ((now - began < allowance || commits < 10) && commits < COMMITS_MOST) {
    int64_t before = now;
    MDB_txn *transaction = NULL;
    NEED(mdb_txn_begin(place->environment, NULL, 0, &transaction) == 0);
    for (size_t i = 0; i < rows; i++)
      append(place, transaction);
    NEED(mdb_txn_commit(transaction) == 0);
    now = nanoseconds();
    latencies[commits++] = now - before;
  }
  double rate = per_second(commits * rows, now - began);
  *median = percentile(latencies, commits, 0.5);
  return rate;
}

int main(int count, char **arguments) {
  if (count != 3) give_up("usage: %s DIRECTORY MILLISECONDS", arguments[0]);
  int64_t allowance = (int64_t)number_argument(arguments[2]) * 1000000 / 3, median = 0;
  struct place place = {.next = 1};
  MDB_txn *transaction = NULL;
  NEED(mdb_env_create(&place.environment) == 0 &&
       mdb_env_set_mapsize(place.environment, MAP_BYTES) == 0);
  int number = mdb_env_open(place.environment, arguments[1], 0, 0600);
  if (number != 0) give_up("%s: %s", arguments[1], mdb_strerror(number));
  NEED(mdb_txn_begin(place.environment, NULL, 0, &transaction) == 0);
  NEED(mdb_dbi_open(transaction, NULL, 0, &place.table) == 0 && mdb_txn_commit(transaction) == 0);
  double one = commit_rate(&place, 1, allowance, &median);
  say("commit_1", one);
  say("commit_1_p50_us", (double)median / 1e3);
  say("commit_64", commit_rate(&place, 64, allowance, &median));
  say("commit_1024", commit_rate(&place, 1024, allowance, &median));
  mdb_env_close(place.environment);
  return 0;
}
