/* The bell: a file of our own that changes after a commit. LMDB's data file changes before readers
 * can see the commit, and its lock file raises no event at all. */
#include "base/process/process.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define LONGEST 4096 /* emptied beyond that; nobody reads the bytes */

static enum collega_status bell_path(char out[PATH_MAX], const char *home,
                                     struct collega_error *error) {
  return path_join(out, PATH_MAX, home, "changed", error);
}

static int bell_open(const char *path) {
  return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

enum collega_status bell_ring(const char *home, struct collega_error *error) {
  char path[PATH_MAX];
  enum collega_status status = bell_path(path, home, error);
  if (status != COLLEGA_OK) return status;
  int fd = bell_open(path);
  if (fd < 0) return error_system(error, path, errno);
  struct stat about;
  int number = 0;
  if (fstat(fd, &about) == 0 && about.st_size >= LONGEST && ftruncate(fd, 0) != 0) number = errno;
  if (number == 0 && write(fd, "\a", 1) != 1) number = errno;
  close(fd);
  return number == 0 ? COLLEGA_OK : error_system(error, path, number);
}

enum collega_status bell_listen(const char *home, int *fd, struct collega_error *error) {
  char path[PATH_MAX];
  *fd = -1;
  enum collega_status status = bell_path(path, home, error);
  if (status != COLLEGA_OK) return status;
  int file = bell_open(path); /* so that there is something to watch */
  if (file < 0) return error_system(error, path, errno);
  close(file);
  int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (watch < 0) return error_system(error, "inotify", errno);
  if (inotify_add_watch(watch, path, IN_MODIFY) < 0) {
    int number = errno;
    close(watch);
    return error_system(error, path, number);
  }
  *fd = watch;
  return COLLEGA_OK;
}

void bell_drain(int fd) {
  _Alignas(struct inotify_event) char events[4096];
  for (;;) {
    ssize_t got = read(fd, events, sizeof events);
    if (got > 0 || (got < 0 && errno == EINTR)) continue;
    return;
  }
}
