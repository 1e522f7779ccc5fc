/* Jobs and the pairs that carry them. */
#include "broker/daemon/job.h"
#include <errno.h>
#include <stdlib.h>
#include <zmq.h>

/* The thread sanitizer cannot see how ZeroMQ orders what happened before a send and after a receive. */
#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#include <sanitizer/tsan_interface.h>
#define GIVE_AWAY(job) __tsan_release(job)
#define TAKE_OVER(job) __tsan_acquire(job)
#endif
#endif
#ifndef GIVE_AWAY
#define GIVE_AWAY(job) ((void)(job))
#define TAKE_OVER(job) ((void)(job))
#endif

struct job *job_new(enum job_kind kind) {
  struct job *job = calloc(1, sizeof *job);
  if (job != NULL) job->kind = kind;
  return job;
}

void job_destroy(struct job **job) {
  struct job *dead = *job;
  if (dead == NULL) return;
  *job = NULL;
  for (size_t i = 0; i < dead->batch_count; i++)
    job_destroy(&dead->batch[i]);
  free(dead->batch);
  if (dead->kind == JOB_COMMITTED) commit_result_free(&dead->result);
  free(dead->admitted);
  if (dead->request != NULL) request_destroy(&dead->request);
  if (dead->part != NULL) log_part_drop(&dead->part);
  arena_destroy(&dead->arena);
  free(dead->parties);
  json_decref(dead->question);
  json_decref(dead->report);
  free(dead);
}

void job_list_destroy(struct job **list) {
  for (struct job *job; (job = *list) != NULL;) {
    *list = job->next;
    job_destroy(&job);
  }
}

void job_send(void *pair, struct job **job) {
  struct job *given = *job;
  *job = NULL;
  GIVE_AWAY(given);
  int sent;
  do
    sent = zmq_send(pair, &given, sizeof(struct job *), 0);
  while (sent < 0 && errno == EINTR);
  if (sent < 0) job_destroy(&given); /* only when the context is going down */
}

struct job *job_receive(void *pair, bool wait) {
  struct job *job = NULL;
  int got;
  do
    got = zmq_recv(pair, &job, sizeof(struct job *), wait ? 0 : ZMQ_DONTWAIT);
  while (got < 0 && errno == EINTR);
  if (got != (int)sizeof(struct job *)) return NULL;
  TAKE_OVER(job);
  return job;
}

static void *pair_new(void *context) {
  void *pair = zmq_socket(context, ZMQ_PAIR);
  if (pair == NULL) return NULL;
  int zero = 0;
  zmq_setsockopt(pair, ZMQ_SNDHWM, &zero, sizeof zero);
  zmq_setsockopt(pair, ZMQ_RCVHWM, &zero, sizeof zero);
  zmq_setsockopt(pair, ZMQ_LINGER, &zero, sizeof zero);
  return pair;
}

static void *pair_or_none(void *pair, int failed) {
  if (pair == NULL || failed == 0) return pair;
  int number = errno;
  zmq_close(pair);
  errno = number;
  return NULL;
}

void *pair_bind(void *context, const char *endpoint) {
  void *pair = pair_new(context);
  return pair_or_none(pair, pair == NULL ? 0 : zmq_bind(pair, endpoint));
}

void *pair_connect(void *context, const char *endpoint) {
  void *pair = pair_new(context);
  return pair_or_none(pair, pair == NULL ? 0 : zmq_connect(pair, endpoint));
}
