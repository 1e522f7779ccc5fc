/* Fault points: places where a test build may be told to die, as if by kill -9. The list is
 * fault.def; `COLLEGA_FAULT=name:n` raises SIGKILL at the nth passage of the point. Release builds
 * contain none of it. */
#ifndef COLLEGA_BASE_FAULT_H
#define COLLEGA_BASE_FAULT_H
enum fault {
#define FAULT(name, where) FAULT_##name,
#include "fault.def"
#undef FAULT
  FAULT_COUNT
};
#ifdef COLLEGA_TESTING
void fault_point(enum fault fault);
#else
static inline void fault_point(enum fault fault) {
  (void)fault;
}
#endif
#endif
