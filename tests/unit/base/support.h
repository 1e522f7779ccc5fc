/* What the tests of base/ share: cmocka, and a directory that disappears with the test. */
#ifndef COLLEGA_TESTS_UNIT_BASE_SUPPORT_H
#define COLLEGA_TESTS_UNIT_BASE_SUPPORT_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <ftw.h>
#include <unistd.h>
#include "base/bytes.h"
#include "base/words.h"

struct scratch {
  char directory[64];
  char path[128];
};

static inline int scratch_setup(void **state) {
  struct scratch *scratch = calloc(1, sizeof *scratch);
  if (scratch == NULL) return -1;
  strcpy(scratch->directory, "/tmp/collega-test-XXXXXX");
  *state = scratch;
  return mkdtemp(scratch->directory) == NULL ? -1 : 0;
}

static inline int scratch_remove(const char *path, const struct stat *about, int kind,
                                 struct FTW *place) {
  (void)about, (void)kind, (void)place;
  return remove(path);
}

static inline int scratch_teardown(void **state) {
  struct scratch *scratch = *state;
  int result = nftw(scratch->directory, scratch_remove, 8, FTW_DEPTH | FTW_PHYS);
  free(scratch);
  return result;
}

/* DIRECTORY/NAME, valid until the next call. */
static inline const char *scratch_path(struct scratch *scratch, const char *name) {
  snprintf(scratch->path, sizeof scratch->path, "%s/%s", scratch->directory, name);
  return scratch->path;
}

static inline void scratch_write(const char *path, const void *data, size_t length) {
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_int_equal(fwrite(data, 1, length, file), length);
  assert_int_equal(fclose(file), 0);
}

#define scratch_test(function)                                                                     \
  cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)
#endif
