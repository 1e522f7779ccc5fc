/* A damaged environment is moved aside whole, so that nothing of it is lost and the program can
 * start again: with a backup, or empty and refilled from the broker. */
#include "base/disk/parts.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MOST_QUARANTINED 1000

int disk_alone(const char *path) {
  char file[PATH_MAX];
  int printed = snprintf(file, sizeof file, "%s/lock.mdb", path);
  if (printed < 0 || (size_t)printed >= sizeof file) return -1;
  int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return -1;
  /* Every opener holds this byte shared. A lock of the open file, not of the process, so that
   * closing it here cannot drop anybody else's. */
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
  if (fcntl(fd, F_OFD_SETLK, &lock) == 0) return fd;
  close(fd);
  return -1;
}

enum collega_status disk_quarantine(const char *path, struct collega_error *error) {
  int alone = disk_alone(path);
  if (alone < 0)
    return error_set(error, COLLEGA_DAMAGED, RULE_disk_damaged_in_use, NULL, path, NULL);
  char plain[PATH_MAX], aside[PATH_MAX];
  size_t length = strnlen(path, sizeof plain);
  while (length > 1 && path[length - 1] == '/')
    length--;
  int printed = snprintf(plain, sizeof plain, "%.*s", (int)length, path);
  int number = printed < 0 || (size_t)printed >= sizeof plain ? ENAMETOOLONG : EEXIST;
  for (int i = 1; number == EEXIST && i <= MOST_QUARANTINED; i++) {
    printed = snprintf(aside, sizeof aside, "%s.damaged-%d", plain, i);
    if (printed < 0 || (size_t)printed >= sizeof aside)
      number = ENAMETOOLONG;
    else
      number = renameat2(AT_FDCWD, plain, AT_FDCWD, aside, RENAME_NOREPLACE) == 0 ? 0 : errno;
  }
  close(alone);
  if (number != 0) return error_system(error, path, number);
  return error_set(error, COLLEGA_DAMAGED, RULE_disk_damaged, NULL, plain, aside, NULL);
}
