/* Jobs. */
#include "broker/daemon/job.h"
#include <stdlib.h>

struct job *job_new(enum job_kind kind) {
  struct job *job = calloc(1, sizeof *job);
  if (job != NULL) job->kind = kind;
  return job;
}

struct job *job_new_frame(struct request *request) {
  struct job *job = request == NULL ? NULL : arena_zero(request->arena, sizeof *job);
  if (job == NULL) {
    request_destroy(&request);
    return NULL;
  }
  job->kind = JOB_FRAME;
  job->request = request;
  job->in_request = true;
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
  if (dead->part != NULL) log_part_drop(&dead->part);
  arena_destroy(&dead->arena);
  free(dead->parties);
  json_decref(dead->question);
  json_decref(dead->report);
  struct request *request = dead->request;
  if (!dead->in_request) free(dead);
  if (request != NULL) request_destroy(&request);
}

void job_list_destroy(struct job **list) {
  for (struct job *job; (job = *list) != NULL;) {
    *list = job->next;
    job_destroy(&job);
  }
}
