/* Jobs on their way to one thread: from any thread, in the order in which they were sent. A thread
 * takes all that waits at once, and is woken only if it said that it rests: a job to a thread that
 * is busy costs no call of the system. (An inproc socket asks the system several times for each
 * message, and as often whether there is none: with records that are signed alone that was a tenth
 * of the broker's time.) */
#ifndef COLLEGA_BROKER_DAEMON_QUEUE_H
#define COLLEGA_BROKER_DAEMON_QUEUE_H
#include "broker/daemon/job.h"

struct job_queue;
struct job_queue *job_queue_new(void); /* NULL: errno */
/* With what still waits in it. No thread may use it any more. */
void job_queue_destroy(struct job_queue **queue);

/* Gives away the job and those that are linked to it by `next`. There is no limit: what is under
 * way is bounded by the loop. */
void job_send(struct job_queue *queue, struct job **list);

/* ---- for the one thread that receives */

/* All that waits, linked by `next`: the receiver's. NULL: nothing waits. */
struct job *job_receive(struct job_queue *queue);
/* The same, when there is something: waits for it. */
struct job *job_wait(struct job_queue *queue);
/* About to wait for the bell. False: something came already. On true the next job rings, once. */
bool job_queue_rest(struct job_queue *queue);
/* A descriptor that can be read once it rang, until job_receive. */
int job_queue_bell(const struct job_queue *queue);
#endif
