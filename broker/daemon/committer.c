/* The committer's thread: takes what the loop has gathered, up to what one transaction may hold,
 * commits it and gives the batch back with what came of it. While one commit waits for the disk the
 * next batch gathers in the loop (gather.c), so commits grow with the load. */
#include "broker/daemon/threads.h"
#include "base/log.h"
#include "base/words.h"
#include "broker/store/member_rows.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_MOST   4096u /* requests; a request that publishes nothing counts for one record */
#define SWEEP_PARTS  8     /* at the most, once a minute */
#define JOIN_RECORDS 8u    /* what a Join or a Revoke may put into the log, at the most */

struct committer {
  const struct thread_world *world;
  struct job_queue *jobs;
  struct commit *commit;
  struct job *waiting; /* received, not taken yet */
  bool stopping, sweep_due;
};

static uint32_t records_of(const struct job *job) {
  if (job->request->kind == REQUEST_JOIN || job->request->kind == REQUEST_REVOKE)
    return JOIN_RECORDS;
  return job->cost.records > 0 ? job->cost.records : 1;
}

/* Mail past its lifetime goes in parts, each a transaction of its own, so that nobody waits long. */
static void sweep(struct committer *committer) {
  struct collega_error error;
  bool more = true;
  for (int part = 0; more && part < SWEEP_PARTS; part++)
    if (commit_sweep(committer->commit, clock_now(), &more, &error) != COLLEGA_OK) {
      log_warning("sweep", "rule=%s", rule_name(error.rule));
      return;
    }
}

/* The same for what is over on the board; the loop hears how far it went. */
static void compact(struct committer *committer) {
  struct collega_error error;
  bool more = true;
  uint64_t through = 0;
  for (int part = 0; more && part < SWEEP_PARTS; part++)
    if (commit_compact(committer->commit, clock_now(), &through, &more, &error) != COLLEGA_OK) {
      log_warning("compact", "rule=%s", rule_name(error.rule));
      return;
    }
  struct job *job = job_new(JOB_SWEEP);
  if (job == NULL) return; /* it is told a minute later */
  job->through = through;
  job_send(committer->world->back, &job);
}

/* The next job; NULL: none waits. */
static struct job *next_job(struct committer *committer, bool wait) {
  if (committer->waiting == NULL)
    committer->waiting = wait ? job_wait(committer->jobs) : job_receive(committer->jobs);
  struct job *job = committer->waiting;
  if (job == NULL) return NULL;
  committer->waiting = job->next;
  job->next = NULL;
  return job;
}

/* The next request; NULL: none waits, or the thread is to stop. */
static struct job *next_request(struct committer *committer, bool wait) {
  while (!committer->stopping) {
    struct job *job = next_job(committer, wait);
    if (job == NULL || job->kind == JOB_COMMIT) return job;
    committer->sweep_due = committer->sweep_due || job->kind == JOB_SWEEP;
    committer->stopping = job->kind == JOB_STOP;
    job_destroy(&job);
    if (wait) return NULL; /* nothing else waits: now is the time to sweep */
  }
  return NULL;
}

/* What waits, into batch->batch. False: nothing, it is time to stop. */
static bool gather(struct committer *committer, struct job *batch) {
  size_t records = 0, bytes = 0;
  struct job *job = next_request(committer, true);
  while (job != NULL) {
    records += records_of(job);
    bytes += job->wire_bytes;
    bool fits = records <= COMMIT_MOST_RECORDS && bytes <= COMMIT_MOST_BYTES;
    if (batch->batch_count > 0 && !fits) {
      job->next = committer->waiting;
      committer->waiting = job;
      break;
    }
    batch->batch[batch->batch_count++] = job;
    if (batch->batch_count == BATCH_MOST) break;
    job = next_request(committer, false);
  }
  return batch->batch_count > 0;
}

/* Whose the keys are that came in: only the store says. */
static enum collega_status read_admitted(struct committer *committer, struct job *batch,
                                         struct collega_error *error) {
  const struct commit_result *result = &batch->result;
  if (result->link_key_count == 0) return COLLEGA_OK;
  struct store_txn *txn = NULL;
  batch->admitted = calloc(result->link_key_count, sizeof *batch->admitted);
  if (batch->admitted == NULL)
    return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  enum collega_status status = store_read(committer->world->store, &txn, error);
  for (size_t i = 0; i < result->link_key_count && status == COLLEGA_OK; i++) {
    struct link_row row;
    bool found = false;
    if (!result->link_key_added[i]) continue;
    status = link_row_read(txn, result->link_keys[i], &row, &found, error);
    if (status != COLLEGA_OK || !found) continue;
    struct peer_entry *entry = &batch->admitted[batch->admitted_count++];
    memcpy(entry->key, row.key, sizeof entry->key);
    entry->party = row.party;
    entry->role = id_is_zero(&row.party) ? PEER_INVITED : PEER_MEMBER;
    entry->expires = entry->role == PEER_INVITED ? row.expires : 0;
  }
  store_end(&txn);
  return status;
}

static void commit_gathered(struct committer *committer, struct job *batch) {
  struct request *requests[BATCH_MOST];
  for (size_t i = 0; i < batch->batch_count; i++)
    requests[i] = batch->batch[i]->request;
  batch->status = commit_batch(committer->commit, requests, batch->batch_count, clock_now(),
                               &batch->result, &batch->error);
  if (batch->status == COLLEGA_OK) batch->status = read_admitted(committer, batch, &batch->error);
}

static void committer_end(struct committer *committer) {
  commit_close(&committer->commit);
  job_list_destroy(&committer->waiting);
  free(committer);
}

static void *run(void *context) {
  struct committer *committer = context;
  while (!committer->stopping) {
    struct job *batch = job_new(JOB_COMMITTED);
    if (batch != NULL) batch->batch = malloc(BATCH_MOST * sizeof(struct job *));
    if (batch == NULL || batch->batch == NULL) {
      /* Nothing was taken; the loop sees the pair end and stops the broker. */
      log_error("committer", "out of memory");
      job_destroy(&batch);
      break;
    }
    if (gather(committer, batch)) {
      commit_gathered(committer, batch);
      job_send(committer->world->back, &batch);
    }
    job_destroy(&batch);
    if (committer->sweep_due) {
      sweep(committer);
      compact(committer);
    }
    committer->sweep_due = false;
  }
  struct job *last = job_new(JOB_STOP);
  if (last != NULL) job_send(committer->world->back, &last);
  committer_end(committer);
  return NULL;
}

enum collega_status committer_start(const struct thread_world *world, struct job_queue *jobs,
                                    struct commit **commit, struct thread *thread,
                                    struct collega_error *error) {
  struct committer *committer = calloc(1, sizeof *committer);
  if (committer == NULL) {
    commit_close(commit);
    return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  }
  committer->world = world;
  committer->jobs = jobs;
  committer->commit = *commit;
  *commit = NULL;
  int number = pthread_create(&thread->id, NULL, run, committer);
  thread->started = number == 0;
  if (thread->started) {
    pthread_setname_np(thread->id, "committer");
    return COLLEGA_OK;
  }
  committer_end(committer);
  return error_system(error, "committer", number);
}

void thread_join(struct thread *thread) {
  if (thread->started) pthread_join(thread->id, NULL);
  thread->started = false;
}
