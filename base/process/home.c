/* Homes: one directory that holds all a node or a broker has. The file `home` in it names the kind,
 * so that a broker's command does not touch a node's home and the other way round. */
#include "base/process/process.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KIND_FILE  "home"
#define KIND_BYTES 64

/* Reads the kind of a home. COLLEGA_NOT_FOUND: `path` is not a home. */
static enum collega_status read_kind(const char *path, char kind[KIND_BYTES],
                                     struct collega_error *error) {
  char file[PATH_MAX];
  enum collega_status status = path_join(file, sizeof file, path, KIND_FILE, error);
  if (status != COLLEGA_OK) return status;
  struct buffer content;
  status = file_read(file, KIND_BYTES - 1, &content, error);
  if (status == COLLEGA_OK) {
    const char *text = buffer_text(&content);
    size_t length = strcspn(text, "\n");
    memcpy(kind, text, length);
    kind[length] = '\0';
  } else if (status == COLLEGA_NOT_FOUND) {
    status = error_set(error, COLLEGA_NOT_FOUND, RULE_home_missing, NULL, path, NULL);
  }
  buffer_free(&content);
  return status;
}

/* Makes the directories above `path` that are missing, as mkdir -p does. 0, or an error number. */
static int make_parents(const char *path) {
  char partial[PATH_MAX];
  size_t length = strlen(path);
  if (length >= sizeof partial) return ENAMETOOLONG;
  memcpy(partial, path, length + 1);
  for (char *slash = partial + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
    if (slash[1] == '\0') break;
    *slash = '\0';
    if (mkdir(partial, 0755) != 0 && errno != EEXIST) return errno;
    *slash = '/';
  }
  return 0;
}

/* 0: empty; 1: something is in it; -1: errno says why it cannot be read. */
static int directory_in_use(const char *path) {
  DIR *directory = opendir(path);
  if (directory == NULL) return -1;
  int found = 0;
  for (struct dirent *entry; found == 0 && (entry = readdir(directory)) != NULL;)
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) found = 1;
  closedir(directory);
  return found;
}

enum collega_status home_create(const char *path, const char *kind, struct collega_error *error) {
  char found[KIND_BYTES];
  enum collega_status status = read_kind(path, found, error);
  if (status == COLLEGA_OK)
    return error_set(error, COLLEGA_EXISTS, RULE_home_exists, NULL, path, NULL);
  if (status != COLLEGA_NOT_FOUND) return status;
  error_clear(error);
  int number = make_parents(path);
  if (number != 0) return error_system(error, path, number);
  if (mkdir(path, 0700) != 0) {
    if (errno != EEXIST) return error_system(error, path, errno);
    int in_use = directory_in_use(path);
    if (in_use > 0) return error_set(error, COLLEGA_REFUSED, RULE_home_not_empty, NULL, path, NULL);
    if (in_use < 0 || chmod(path, 0700) != 0) return error_system(error, path, errno);
  }
  return home_become(path, kind, error);
}

enum collega_status home_become(const char *path, const char *kind, struct collega_error *error) {
  char file[PATH_MAX], content[KIND_BYTES];
  enum collega_status status = path_join(file, sizeof file, path, KIND_FILE, error);
  if (status != COLLEGA_OK) return status;
  int length = snprintf(content, sizeof content, "%s\n", kind);
  return file_write(file, content, (size_t)length, 0600, error);
}

enum collega_status home_check(const char *path, const char *kind, struct collega_error *error) {
  char found[KIND_BYTES];
  enum collega_status status = read_kind(path, found, error);
  if (status != COLLEGA_OK) return status;
  if (strcmp(found, kind) != 0)
    return error_set(error, COLLEGA_REFUSED, RULE_home_other_kind, NULL, path, found, kind, NULL);
  return COLLEGA_OK;
}
