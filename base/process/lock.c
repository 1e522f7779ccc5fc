/* One daemon per home: flock on HOME/lock. The lock dies with its process; the number in the file
 * is only for the sentence that a second one gets. */
#include "base/process/process.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

/* run_lock_held() takes the lock shared for a moment, and a daemon that starts in that moment must
 * not be turned away: it tries again while the lock can be shared, at most so often. */
#define TRIES 1000

static int lock_open(const char *home, int flags) {
  char path[PATH_MAX];
  if (path_join(path, sizeof path, home, "lock", NULL) != COLLEGA_OK) {
    errno = ENAMETOOLONG;
    return -1;
  }
  return open(path, flags | O_CLOEXEC, 0600);
}

/* 0: taken; else an error number, EWOULDBLOCK when another process holds it. */
static int take(int fd) {
  for (int i = 0; i < TRIES; i++) {
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) return 0;
    if (errno != EWOULDBLOCK && errno != EINTR) return errno;
    if (flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) return EWOULDBLOCK;
    flock(fd, LOCK_UN);
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  }
  return EWOULDBLOCK;
}

enum collega_status run_lock_take(const char *home, int *fd, struct collega_error *error) {
  *fd = -1;
  int opened = lock_open(home, O_RDWR | O_CREAT);
  if (opened < 0) return error_system(error, home, errno);
  int number = take(opened);
  char text[24] = "?";
  if (number == 0) {
    int length = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    /* Not being able to write it costs only a nicer sentence. */
    if (ftruncate(opened, 0) != 0 || pwrite(opened, text, (size_t)length, 0) != length) errno = 0;
    *fd = opened;
    return COLLEGA_OK;
  }
  if (number == EWOULDBLOCK) {
    ssize_t got = pread(opened, text, sizeof text - 1, 0);
    if (got > 0) text[strspn(text, "0123456789")] = '\0';
    error_set(error, COLLEGA_BUSY, RULE_home_busy, NULL, home, text, NULL);
    close(opened);
    return COLLEGA_BUSY;
  }
  close(opened);
  return error_system(error, home, number);
}

bool run_lock_held(const char *home) {
  int fd = lock_open(home, O_RDONLY);
  if (fd < 0) return false;
  bool held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  close(fd);
  return held;
}

void run_lock_release(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}
