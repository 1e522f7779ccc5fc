/* What every measuring program needs: a clock, percentiles, what another process has used, and one way to
 * say a figure. A figure is a line "name value" on standard output; tests/bench/run reads them. */
#ifndef COLLEGA_BENCH_MEASURE_H
#define COLLEGA_BENCH_MEASURE_H
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>
#include <sys/types.h>

/* Ends the program with status 1 and a sentence on standard error. A benchmark that cannot do what it was
 * asked for prints no figure at all. */
noreturn void give_up(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define NEED(condition)                                                                            \
  do {                                                                                             \
    if (!(condition)) give_up("%s:%d: %s", __FILE__, __LINE__, #condition);                        \
  } while (0)

int64_t nanoseconds(void);        /* monotonic, the same for all processes of the machine */
int64_t thread_nanoseconds(void); /* of CPU that this thread has used */
/* Sorts `values`; `part` is 0 to 1. */
int64_t percentile(int64_t *values, size_t count, double part);
int compare_times(const void *a, const void *b); /* of int64_t, for qsort */

void say(const char *name, double value);
/* `count` things in `elapsed` nanoseconds, as things a second. */
double per_second(size_t count, int64_t elapsed);
/* A whole number from the command line, 1 to 100 million. */
size_t number_argument(const char *text);

double process_seconds(pid_t process); /* CPU used until now, user and system, all threads */
/* Anonymous memory that is resident, in bytes: what a process has for itself, without mapped files. */
double process_memory(pid_t process);
/* The child is killed when its parent ends, however that ends. */
void die_with_parent(void);
/* As many open files as the system allows at all. */
void descriptors_raise(void);
#endif
