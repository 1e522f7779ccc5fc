/* Signals arrive in the loop, by signalfd, and nowhere else. */
#include "base/process/process.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum collega_status signals_take(int *fd, struct collega_error *error) {
  sigset_t ours;
  sigemptyset(&ours);
  sigaddset(&ours, SIGTERM);
  sigaddset(&ours, SIGINT);
  sigaddset(&ours, SIGHUP);
  *fd = -1;
  if (signal(SIGPIPE, SIG_IGN) == SIG_ERR) return error_system(error, "signal", errno);
  int number = pthread_sigmask(SIG_BLOCK, &ours, NULL);
  if (number != 0) return error_system(error, "pthread_sigmask", number);
  *fd = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
  return *fd < 0 ? error_system(error, "signalfd", errno) : COLLEGA_OK;
}

int signals_next(int fd) {
  struct signalfd_siginfo info;
  ssize_t got;
  do {
    got = read(fd, &info, sizeof info);
  } while (got < 0 && errno == EINTR);
  return got == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}
