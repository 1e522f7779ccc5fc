/* Fault points: places where a test build may be told to die, as if by kill -9. The list is
 * fault.def; `COLLEGA_FAULT=name:n` raises SIGKILL at the nth passage of the point. And numbers that
 * a test build reads from files, so that tests can turn the clock or fill the disk. Release builds
 * contain none of it. */
#ifndef COLLEGA_BASE_FAULT_H
#define COLLEGA_BASE_FAULT_H
#include <stdint.h>
enum fault {
#define FAULT(name, where) FAULT_##name,
#include "fault.def"
#undef FAULT
  FAULT_COUNT
};
#ifdef COLLEGA_TESTING
void fault_point(enum fault fault);
/* What a test has turned: the number in the file that the environment variable names, read again at
 * every call. `otherwise` when it names none, or the file says nothing. */
int64_t fault_number(const char *variable, int64_t otherwise);
#else
static inline int64_t fault_number(const char *variable, int64_t otherwise) {
  (void)variable;
  return otherwise;
}
static inline void fault_point(enum fault fault) {
  (void)fault;
}
#endif
#endif
