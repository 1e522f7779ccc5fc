/* Conditions under which programs run, for LD_PRELOAD, so that a test which assumes that one side has heard, that a disk
 * is quick, or what day it is, fails on every machine and not on one in a hundred runs:
 *
 * COLLEGA_LATE=WORD[:MS]   a process whose command line contains WORD hears late: what it reads from a TCP connection,
 *                          after the handshake, waits for that time first (700 ms)
 * COLLEGA_SLOW_DISK=1      a sync takes up to 600 ms
 * COLLEGA_DAY_AHEAD=SEC    the wall clock, and the times of files, are that much later; timers are not
 *
 * Each is read once. Where none is set, nothing is changed. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define LATE_MS         700
#define HANDSHAKE_READS 6 /* of a connection: a late handshake would be given up */
#define MOST_FDS        65536

static pthread_once_t once = PTHREAD_ONCE_INIT;
static long late_ms, day_ahead;
static bool slow_disk;
static unsigned char
    reads[MOST_FDS]; /* of each connection, up to HANDSHAKE_READS; of one I/O thread each */

static ssize_t (*real_recv)(int, void *, size_t, int);
static int (*real_close)(int);
static int (*real_fdatasync)(int);
static int (*real_fsync)(int);
static int (*real_msync)(void *, size_t, int);
static int (*real_clock_gettime)(clockid_t, struct timespec *);
static int (*real_fstatat)(int, const char *, struct stat *, int);

static bool command_line_has(const char *word, size_t length) {
  char line[4096];
  FILE *file = fopen("/proc/self/cmdline", "r");
  if (file == NULL) return false;
  size_t count = fread(line, 1, sizeof line, file);
  fclose(file);
  return memmem(line, count, word, length) != NULL;
}

static void find(void *pointer, const char *name) {
  void *symbol = dlsym(RTLD_NEXT, name);
  if (symbol == NULL) abort();
  memcpy(pointer, &symbol, sizeof symbol);
}

static void prepare(void) {
  find(&real_recv, "recv");
  find(&real_close, "close");
  find(&real_fdatasync, "fdatasync");
  find(&real_fsync, "fsync");
  find(&real_msync, "msync");
  find(&real_clock_gettime, "clock_gettime");
  find(&real_fstatat, "fstatat");
  const char *late = getenv("COLLEGA_LATE"), *day = getenv("COLLEGA_DAY_AHEAD");
  slow_disk = getenv("COLLEGA_SLOW_DISK") != NULL;
  day_ahead = day != NULL ? atol(day) : 0;
  if (late == NULL) return;
  size_t length = strcspn(late, ":");
  if (command_line_has(late, length))
    late_ms = late[length] == ':' ? atol(late + length + 1) : LATE_MS;
}

static void pause_ms(long ms) {
  int kept = errno;
  struct timespec time = {ms / 1000, ms % 1000 * 1000000};
  nanosleep(&time, NULL);
  errno = kept;
}

/* ---- who hears late */

static bool is_tcp(int fd) {
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  return getsockname(fd, (struct sockaddr *)&address, &length) == 0 &&
         (address.ss_family == AF_INET || address.ss_family == AF_INET6);
}

ssize_t recv(int fd, void *bytes, size_t count, int flags) {
  char first;
  pthread_once(&once, prepare);
  if (late_ms > 0 && fd >= 0 && fd < MOST_FDS && is_tcp(fd) &&
      real_recv(fd, &first, 1, MSG_PEEK | MSG_DONTWAIT) > 0) {
    if (reads[fd] < HANDSHAKE_READS)
      reads[fd]++;
    else
      pause_ms(late_ms);
  }
  return real_recv(fd, bytes, count, flags);
}

int close(int fd) {
  pthread_once(&once, prepare);
  if (fd >= 0 && fd < MOST_FDS) reads[fd] = 0;
  return real_close(fd);
}

/* ---- a slow disk */

/* Half of all syncs are quick, most others take 30 ms, some 600. */
static void slow_down(void) {
  static __thread uint64_t random;
  if (!slow_disk) return;
  if (random == 0) {
    struct timespec now;
    real_clock_gettime(CLOCK_MONOTONIC, &now);
    random = ((uint64_t)now.tv_nsec * UINT64_C(0x9E3779B97F4A7C15)) | 1;
  }
  random ^= random << 13;
  random ^= random >> 7;
  random ^= random << 17;
  unsigned roll = (unsigned)(random % 10);
  if (roll >= 5) pause_ms(roll == 9 ? 600 : roll == 8 ? 150 : 30);
}

int fdatasync(int fd) {
  pthread_once(&once, prepare);
  slow_down();
  return real_fdatasync(fd);
}

int fsync(int fd) {
  pthread_once(&once, prepare);
  slow_down();
  return real_fsync(fd);
}

int msync(void *start, size_t length, int flags) {
  pthread_once(&once, prepare);
  slow_down();
  return real_msync(start, length, flags);
}

/* ---- another day */

int clock_gettime(clockid_t clock, struct timespec *out) {
  pthread_once(&once, prepare);
  int result = real_clock_gettime(clock, out);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    out->tv_sec += day_ahead;
  return result;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  *out = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
  return 0;
}

time_t time(time_t *out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != NULL) *out = now.tv_sec;
  return now.tv_sec;
}

int fstatat(int directory, const char *restrict path, struct stat *restrict out, int flags) {
  pthread_once(&once, prepare);
  int result = real_fstatat(directory, path, out, flags);
  if (result == 0) {
    out->st_atim.tv_sec += day_ahead;
    out->st_mtim.tv_sec += day_ahead;
    out->st_ctim.tv_sec += day_ahead;
  }
  return result;
}

int stat(const char *restrict path, struct stat *restrict out) {
  return fstatat(AT_FDCWD, path, out, 0);
}

int lstat(const char *restrict path, struct stat *restrict out) {
  return fstatat(AT_FDCWD, path, out, AT_SYMLINK_NOFOLLOW);
}

int fstat(int fd, struct stat *out) {
  return fstatat(fd, "", out, AT_EMPTY_PATH);
}
