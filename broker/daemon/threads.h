/* The threads beside the loop: workers do what costs CPU or may wait for a page of the store; one
 * committer writes. Each has a PAIR to the loop and nothing else in common with it. */
#ifndef COLLEGA_BROKER_DAEMON_THREADS_H
#define COLLEGA_BROKER_DAEMON_THREADS_H
#include "broker/daemon/job.h"
#include <pthread.h>

#define WORKERS_MOST 16
struct thread_world { /* what every thread may read; outlives them all */
  void *context;
  struct store *store;
  struct id broker;
  struct epoch epoch;
};
struct thread {
  pthread_t id;
  bool started;
};
/* `endpoint` is bound by the loop already; the thread is named after it. */
enum collega_status worker_start(const struct thread_world *world, const char *endpoint,
                                 struct thread *thread,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* Takes over *commit, which the thread closes when it ends; after an error too. */
enum collega_status committer_start(const struct thread_world *world, const char *endpoint,
                                    struct commit **commit, struct thread *thread,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
/* "inproc://worker-0" becomes what `top -H` shows: worker-0. */
void thread_name(const struct thread *thread, const char *endpoint);
/* Waits for a thread that was started and has been sent JOB_STOP. */
void thread_join(struct thread *thread);
#endif
