/* Measuring. Processes are looked at through /proc, so that the measured program needs to know nothing. */
#include "tests/bench/measure.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

void give_up(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(1);
}

static int64_t read_clock(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t nanoseconds(void) {
  return read_clock(CLOCK_MONOTONIC);
}
int64_t thread_nanoseconds(void) {
  return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

int compare_times(const void *a, const void *b) {
  int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
  return left < right ? -1 : left > right;
}

int64_t percentile(int64_t *values, size_t count, double part) {
  NEED(count > 0);
  qsort(values, count, sizeof *values, compare_times);
  return values[(size_t)(part * (double)(count - 1))];
}

void say(const char *name, double value) {
  printf("%s %.9g\n", name, value);
  fflush(stdout);
}

double per_second(size_t count, int64_t elapsed) {
  return (double)count * 1e9 / (double)(elapsed > 0 ? elapsed : 1);
}

size_t number_argument(const char *text) {
  char *end = NULL;
  errno = 0;
  unsigned long value = strtoul(text, &end, 10);
  if (errno != 0 || *end != '\0' || value < 1 || value > 100000000)
    give_up("not a number: %s", text);
  return value;
}

double process_seconds(pid_t process) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)process);
  FILE *file = fopen(path, "r");
  if (file == NULL) give_up("%s: %s", path, strerror(errno));
  size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[length] = '\0';
  unsigned long user = 0, system = 0;
  /* The name in parentheses may hold blanks; what follows it begins with field 3. */
  const char *after = strrchr(text, ')');
  NEED(after != NULL && sscanf(after + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                               &user, &system) == 2);
  return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

double process_memory(pid_t process) {
  char path[64], line[256];
  snprintf(path, sizeof path, "/proc/%d/status", (int)process);
  FILE *file = fopen(path, "r");
  if (file == NULL) give_up("%s: %s", path, strerror(errno));
  unsigned long kilobytes = 0;
  while (kilobytes == 0 && fgets(line, sizeof line, file) != NULL)
    if (sscanf(line, "RssAnon: %lu kB", &kilobytes) != 1) kilobytes = 0;
  fclose(file);
  NEED(kilobytes > 0);
  return (double)kilobytes * 1024;
}

void die_with_parent(void) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() == 1) exit(1);
}

void descriptors_raise(void) {
  struct rlimit limit;
  NEED(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = limit.rlim_max;
  NEED(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}
