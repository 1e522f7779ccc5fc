/* The threads beside the loop: workers do what costs CPU or may wait for a page of the store; one
 * committer writes. Each has a queue of what it is to do, and they share the one back to the loop:
 * nothing else is common to two of them. */
#ifndef COLLEGA_BROKER_DAEMON_THREADS_H
#define COLLEGA_BROKER_DAEMON_THREADS_H
#include "broker/daemon/queue.h"
#include <pthread.h>

#define WORKERS_MOST 16
struct thread_world { /* what every thread may read; outlives them all */
  struct store *store;
  struct job_queue *back; /* to the loop: what is done */
  struct id broker;
  struct epoch epoch;
};
struct thread {
  pthread_t id;
  bool started;
};
/* The thread receives from `jobs`, which stays the caller's, and is named `name` (15 characters at the
 * most: what `top -H` shows). */
enum collega_status worker_start(const struct thread_world *world, struct job_queue *jobs,
                                 const char *name, struct thread *thread,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* Takes over *commit, which the thread closes when it ends; after an error too. */
enum collega_status committer_start(const struct thread_world *world, struct job_queue *jobs,
                                    struct commit **commit, struct thread *thread,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
/* Waits for a thread that was started and has been sent JOB_STOP. */
void thread_join(struct thread *thread);
#endif
