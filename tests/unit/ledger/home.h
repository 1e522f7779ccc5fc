/* A home with a ledger for one test, in a directory of its own that goes with it. */
#ifndef COLLEGA_TESTS_LEDGER_HOME_H
#define COLLEGA_TESTS_LEDGER_HOME_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "client/ledger/ledger.h"

#define TEST_TIME INT64_C(1800000000000)

struct test_home {
  char directory[64], path[80];
  struct ledger *ledger;
};

/* Prints the sentence of `error` when status is not COLLEGA_OK. */
#define must(call)                                                                                 \
  do {                                                                                             \
    struct collega_error error = {.status = COLLEGA_OK};                                           \
    enum collega_status status_of_call = (call);                                                   \
    if (status_of_call != COLLEGA_OK) test_print_error(&error);                                    \
    assert_int_equal(status_of_call, COLLEGA_OK);                                                  \
  } while (0)
void test_print_error(const struct collega_error *error);

/* cmocka set-up and tear-down: *state is a struct test_home with an open ledger. */
int home_setup(void **state);
int home_teardown(void **state);
/* The same without a ledger in it; `kind` is the home's. */
void home_make(struct test_home *home, const char *kind);
void home_remove(struct test_home *home);
void home_reopen(struct test_home *home);

struct ledger_txn *test_write(struct test_home *home);
struct ledger_txn *test_read(struct test_home *home);
void test_commit(struct ledger_txn *txn);

/* Behind the ledger's back, through LMDB: value.data NULL deletes. */
void raw_put(struct ledger *ledger, const char *table, struct bytes key, struct bytes value);
/* A copy of a row; the caller frees it. *length 0 and NULL: absent. */
uint8_t *raw_get(struct ledger *ledger, const char *table, struct bytes key, size_t *length);

/* An id whose bytes are all `byte`. */
struct id test_id(uint8_t byte);
#endif
