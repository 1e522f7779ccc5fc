/* Queues of jobs: a list under a lock that is held for a few instructions, and an eventfd. */
#include "broker/daemon/queue.h"
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct job_queue {
  pthread_mutex_t lock;
  struct job *first, *last;
  bool resting; /* the next job rings */
  bool rung;    /* since the receiver took something last */
  int bell;
};

struct job_queue *job_queue_new(void) {
  struct job_queue *queue = calloc(1, sizeof *queue);
  if (queue == NULL) return NULL;
  queue->bell = eventfd(0, EFD_CLOEXEC);
  int number = queue->bell < 0 ? errno : pthread_mutex_init(&queue->lock, NULL);
  if (number == 0) return queue;
  if (queue->bell >= 0) close(queue->bell);
  free(queue);
  errno = number;
  return NULL;
}

void job_queue_destroy(struct job_queue **queue) {
  struct job_queue *dead = *queue;
  if (dead == NULL) return;
  *queue = NULL;
  job_list_destroy(&dead->first);
  pthread_mutex_destroy(&dead->lock);
  close(dead->bell);
  free(dead);
}

/* Writes 1 to the counter, or reads it away: neither can fail, and none waits but for the bell. */
static void ring(const struct job_queue *queue) {
  uint64_t one = 1;
  while (write(queue->bell, &one, sizeof one) < 0 && errno == EINTR) {}
}

static void hear(const struct job_queue *queue) {
  uint64_t times;
  while (read(queue->bell, &times, sizeof times) < 0 && errno == EINTR) {}
}

void job_send(struct job_queue *queue, struct job **list) {
  struct job *first = *list, *last = first;
  *list = NULL;
  while (last->next != NULL)
    last = last->next;
  pthread_mutex_lock(&queue->lock);
  if (queue->last == NULL)
    queue->first = first;
  else
    queue->last->next = first;
  queue->last = last;
  bool rings = queue->resting;
  queue->resting = false;
  queue->rung = queue->rung || rings;
  pthread_mutex_unlock(&queue->lock);
  if (rings) ring(queue);
}

static struct job *take(struct job_queue *queue, bool *rung) {
  pthread_mutex_lock(&queue->lock);
  struct job *list = queue->first;
  *rung = queue->rung;
  queue->first = queue->last = NULL;
  queue->resting = queue->rung = false;
  pthread_mutex_unlock(&queue->lock);
  return list;
}

struct job *job_receive(struct job_queue *queue) {
  bool rung;
  struct job *list = take(queue, &rung);
  if (rung) hear(queue);
  return list;
}

struct job *job_wait(struct job_queue *queue) {
  struct job *list = job_receive(queue);
  for (bool rung; list == NULL; list = take(queue, &rung)) /* heard here, if it rang */
    if (job_queue_rest(queue)) hear(queue);
  return list;
}

bool job_queue_rest(struct job_queue *queue) {
  pthread_mutex_lock(&queue->lock);
  queue->resting = queue->first == NULL;
  bool rests = queue->resting;
  pthread_mutex_unlock(&queue->lock);
  return rests;
}

int job_queue_bell(const struct job_queue *queue) {
  return queue->bell;
}
