/* Writes the committed vectors: make_vectors DIRECTORY. They change only with the protocol. A randomised
 * file that is already there is left alone. */
#include <stdio.h>
#include <unistd.h>

#include "base/bytes.h"
#include "vectors.h"

int main(int argc, char **argv) {
  if (argc != 2 || bytes_start(NULL) != COLLEGA_OK) {
    fprintf(stderr, "usage: make_vectors DIRECTORY\n");
    return 2;
  }
  for (size_t i = 0; i < vector_file_count; i++) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.json", argv[1], vector_files[i].name);
    if (vector_files[i].random && access(path, F_OK) == 0) continue;
    json_t *json = vector_files[i].make();
    FILE *file = fopen(path, "w");
    int failed = !file || json_dumpf(json, file, JSON_INDENT(1)) != 0 || fputc('\n', file) == EOF;
    if (file && fclose(file) != 0) failed = 1;
    json_decref(json);
    if (!failed) continue;
    perror(path);
    return 1;
  }
  return 0;
}
