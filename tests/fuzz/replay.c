/* Runs a target over files: replay FILE|DIRECTORY... Every file is one input; a broken promise or a
 * sanitizer ends the process. Without a single file it fails: a test that tests nothing is none. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

#define INPUT_MOST_BYTES ((size_t)16 << 20)

static size_t run_file(const char *path) {
  FILE *file = fopen(path, "rb");
  uint8_t *data = malloc(INPUT_MOST_BYTES);
  fuzz_must(file != NULL && data != NULL);
  size_t length = fread(data, 1, INPUT_MOST_BYTES, file);
  fclose(file);
  /* A copy of just its length, so that reading past the end is seen. */
  uint8_t *exact = malloc(length == 0 ? 1 : length);
  fuzz_must(exact != NULL);
  if (length > 0) memcpy(exact, data, length);
  free(data);
  fprintf(stderr, "%s\n", path); /* the last one is the one that broke it */
  LLVMFuzzerTestOneInput(exact, length);
  free(exact);
  return 1;
}

static size_t run_path(const char *path) {
  DIR *directory = opendir(path);
  if (directory == NULL && errno == ENOTDIR) return run_file(path);
  if (directory == NULL) return 0; /* a target without crashes has no directory of them */
  size_t count = 0;
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    if (entry->d_name[0] == '.') continue;
    char inner[PATH_MAX];
    snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
    count += run_file(inner);
  }
  closedir(directory);
  return count;
}

int main(int count, char **arguments) {
  LLVMFuzzerInitialize(&count, &arguments);
  size_t inputs = 0;
  for (int i = 1; i < count; i++)
    inputs += run_path(arguments[i]);
  printf("%zu inputs\n", inputs);
  return inputs > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
