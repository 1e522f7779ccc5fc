/* Whole small files: keys, cards, tokens, settings. They are written beside their place, brought to
 * disk and renamed, so that a reader finds the old file or the new one and never a part. */
#include "base/process/process.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE 16384

enum collega_status path_join(char *out, size_t capacity, const char *path, const char *name,
                              struct collega_error *error) {
  int length = snprintf(out, capacity, "%s/%s", path, name);
  if (length < 0 || (size_t)length >= capacity)
    return error_set(error, COLLEGA_INVALID, RULE_path_too_long, NULL, path, name, NULL);
  return COLLEGA_OK;
}

/* 0, or an error number. */
static int write_all(int fd, const uint8_t *data, size_t length) {
  while (length > 0) {
    ssize_t written = write(fd, data, length);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    data += written;
    length -= (size_t)written;
  }
  return 0;
}

/* Brings the directory of `path` to disk, and with it the new name. 0, or an error number. */
static int sync_directory(const char *path) {
  char directory[PATH_MAX];
  size_t length = strlen(path);
  if (length >= sizeof directory) return ENAMETOOLONG;
  memcpy(directory, path, length + 1);
  char *slash = strrchr(directory, '/');
  if (slash == NULL)
    strcpy(directory, ".");
  else if (slash == directory)
    slash[1] = '\0';
  else
    *slash = '\0';
  int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno;
  int number = fsync(fd) == 0 ? 0 : errno;
  close(fd);
  return number;
}

enum collega_status directory_of_sync(const char *path, struct collega_error *error) {
  int number = sync_directory(path);
  return number == 0 ? COLLEGA_OK : error_system(error, path, number);
}

enum collega_status file_write(const char *path, const void *data, size_t length, unsigned mode,
                               struct collega_error *error) {
  char beside[PATH_MAX];
  int printed = snprintf(beside, sizeof beside, "%s.new-XXXXXX", path);
  if (printed < 0 || (size_t)printed >= sizeof beside)
    return error_system(error, path, ENAMETOOLONG);
  int fd = mkostemp(beside, O_CLOEXEC); /* 0600 from the first moment */
  if (fd < 0) return error_system(error, path, errno);
  int number = write_all(fd, data, length);
  if (number == 0 && fchmod(fd, (mode_t)mode) != 0) number = errno;
  if (number == 0 && fsync(fd) != 0) number = errno;
  if (close(fd) != 0 && number == 0) number = errno;
  if (number == 0 && rename(beside, path) != 0) number = errno;
  if (number != 0) {
    unlink(beside);
    return error_system(error, path, number);
  }
  return directory_of_sync(path, error);
}

static enum collega_status read_all(int fd, const char *path, size_t limit, struct buffer *out,
                                    struct collega_error *error) {
  uint8_t piece[PIECE];
  for (;;) {
    ssize_t got = read(fd, piece, sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return error_system(error, path, errno);
    if (got == 0) return COLLEGA_OK;
    if ((size_t)got > limit - out->length) {
      char most[24];
      snprintf(most, sizeof most, "%zu", limit);
      return error_set(error, COLLEGA_INVALID, RULE_file_too_large, NULL, path, most, NULL);
    }
    buffer_append(out, piece, (size_t)got);
    if (out->failed) return error_set(error, COLLEGA_SYSTEM, RULE_out_of_memory, NULL, NULL);
  }
}

enum collega_status file_read(const char *path, size_t limit, struct buffer *out,
                              struct collega_error *error) {
  buffer_init(out, limit);
  if (strcmp(path, "-") == 0) return read_all(STDIN_FILENO, path, limit, out, error);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT)
    return error_set(error, COLLEGA_NOT_FOUND, RULE_file_missing, NULL, path, NULL);
  if (fd < 0) return error_system(error, path, errno);
  enum collega_status status = read_all(fd, path, limit, out, error);
  close(fd);
  return status;
}
