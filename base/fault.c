/* Fault points of test builds: see fault.h. A release build has nothing of this file. */
#include "base/fault.h"

#ifdef COLLEGA_TESTING
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const names[FAULT_COUNT] = {
#define FAULT(name, side) [FAULT_##name] = #name,
#include "fault.def"
#undef FAULT
};

/* What COLLEGA_FAULT asks for, read once; `chosen` is FAULT_COUNT when it asks for nothing. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static enum fault chosen = FAULT_COUNT;
static unsigned long wanted;
static atomic_ulong passages;

/* A kill test with a misspelt point would pass without killing anything: better to stop here. */
static void refuse(const char *text) {
  fprintf(stderr, "COLLEGA_FAULT=%s: not of the form name:n with a name from fault.def\n", text);
  abort();
}

static void read_environment(void) {
  const char *text = getenv("COLLEGA_FAULT");
  if (text == NULL || text[0] == '\0') return;
  const char *colon = strchr(text, ':');
  if (colon == NULL) refuse(text);
  char *end;
  wanted = strtoul(colon + 1, &end, 10);
  if (end == colon + 1 || *end != '\0' || wanted == 0) refuse(text);
  size_t length = (size_t)(colon - text);
  for (unsigned i = 0; i < FAULT_COUNT; i++)
    if (strlen(names[i]) == length && memcmp(names[i], text, length) == 0) chosen = (enum fault)i;
  if (chosen == FAULT_COUNT) refuse(text);
}

void fault_point(enum fault fault) {
  pthread_once(&once, read_environment);
  if (fault != chosen) return;
  if (atomic_fetch_add(&passages, 1) + 1 == wanted) raise(SIGKILL);
}

int64_t fault_number(const char *variable, int64_t otherwise) {
  const char *path = getenv(variable);
  if (path == NULL || path[0] == '\0') return otherwise;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return otherwise;
  char text[32];
  ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  if (length <= 0) return otherwise;
  text[length] = '\0';
  return strtoll(text, NULL, 10);
}
#else
/* ISO C wants a declaration in every file. */
extern int fault_points_are_for_test_builds;
#endif
