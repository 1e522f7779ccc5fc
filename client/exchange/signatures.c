/* A signature costs about as much as all the rest of fifty records, and none needs another: so they go
 * in blocks to threads, one for each core. The blocks are few, so that whoever adds faster than they
 * are judged waits instead of piling them up. */
#include "client/exchange/signatures.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_JOBS   64u /* a thread works on them for some milliseconds */
#define BLOCKS       32u
#define THREADS_MOST 16

struct block {
  struct signature_job job[BLOCK_JOBS];
  unsigned count;
  bool given; /* to the threads; under the mutex */
};

struct job_list {
  struct signature_job *job;
  size_t count, capacity;
};

struct signatures {
  pthread_t thread[THREADS_MOST];
  int threads;
  pthread_mutex_t mutex;
  pthread_cond_t filled, emptied;
  /* Under the mutex: how many blocks, in a circle. */
  size_t given, taken;
  bool over;
  struct job_list left;
  bool no_memory;
  struct block block[BLOCKS];
};

bool signature_fits(const struct signature_job *job, const uint8_t key[32]) {
  return signature_verify(key, job->purpose, &job->signer, job->tree_size, &job->root,
                          job->signature);
}

/* Under the mutex, or without threads. */
static void leave(struct signatures *signatures, const struct signature_job *job) {
  struct job_list *list = &signatures->left;
  if (list->count == list->capacity) {
    size_t capacity = list->capacity ? 2 * list->capacity : 16;
    struct signature_job *grown = realloc(list->job, capacity * sizeof *grown);
    signatures->no_memory = signatures->no_memory || !grown;
    if (!grown) return;
    list->job = grown;
    list->capacity = capacity;
  }
  list->job[list->count++] = *job;
}

static void judge(struct signatures *signatures, const struct block *block) {
  for (unsigned i = 0; i < block->count; i++) {
    if (signature_fits(&block->job[i], block->job[i].key)) continue;
    pthread_mutex_lock(&signatures->mutex);
    leave(signatures, &block->job[i]);
    pthread_mutex_unlock(&signatures->mutex);
  }
}

static void *work(void *context) {
  struct signatures *signatures = context;
  pthread_mutex_lock(&signatures->mutex);
  for (;;) {
    while (signatures->taken == signatures->given && !signatures->over)
      pthread_cond_wait(&signatures->filled, &signatures->mutex);
    if (signatures->taken == signatures->given) break;
    struct block *block = &signatures->block[signatures->taken++ % BLOCKS];
    pthread_mutex_unlock(&signatures->mutex);
    judge(signatures, block);
    pthread_mutex_lock(&signatures->mutex);
    block->given = false;
    pthread_cond_signal(&signatures->emptied);
  }
  pthread_mutex_unlock(&signatures->mutex);
  return NULL;
}

struct signatures *signatures_new(void) {
  struct signatures *signatures = calloc(1, sizeof *signatures);
  if (!signatures) return NULL;
  pthread_mutex_init(&signatures->mutex, NULL);
  pthread_cond_init(&signatures->filled, NULL);
  pthread_cond_init(&signatures->emptied, NULL);
  return signatures;
}

static void start_threads(struct signatures *signatures) {
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  int wanted = cores < 1 ? 1 : cores > THREADS_MOST ? THREADS_MOST : (int)cores;
  while (signatures->threads < wanted &&
         pthread_create(&signatures->thread[signatures->threads], NULL, work, signatures) == 0)
    signatures->threads++;
}

/* The block that is being filled. */
static struct block *filling(struct signatures *signatures) {
  return &signatures->block[signatures->given % BLOCKS];
}

static void give_block(struct signatures *signatures) {
  if (signatures->threads == 0) start_threads(signatures);
  if (signatures->threads == 0) { /* the system gives none */
    judge(signatures, filling(signatures));
    filling(signatures)->count = 0;
    return;
  }
  pthread_mutex_lock(&signatures->mutex);
  filling(signatures)->given = true;
  signatures->given++;
  pthread_cond_signal(&signatures->filled);
  while (filling(signatures)->given)
    pthread_cond_wait(&signatures->emptied, &signatures->mutex);
  pthread_mutex_unlock(&signatures->mutex);
  filling(signatures)->count = 0;
}

void signatures_add(struct signatures *signatures, const struct signature_job *job) {
  struct block *block = filling(signatures);
  block->job[block->count++] = *job;
  if (block->count == BLOCK_JOBS) give_block(signatures);
}

enum collega_status signatures_put_off(struct signatures *signatures,
                                       const struct signature_job *job,
                                       struct collega_error *error) {
  pthread_mutex_lock(&signatures->mutex);
  leave(signatures, job);
  bool no_memory = signatures->no_memory;
  pthread_mutex_unlock(&signatures->mutex);
  return no_memory ? error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL) : COLLEGA_OK;
}

static void end_threads(struct signatures *signatures) {
  pthread_mutex_lock(&signatures->mutex);
  signatures->over = true;
  pthread_cond_broadcast(&signatures->filled);
  pthread_mutex_unlock(&signatures->mutex);
  for (int i = 0; i < signatures->threads; i++)
    pthread_join(signatures->thread[i], NULL);
  signatures->threads = 0;
}

static int by_entry(const void *one, const void *other) {
  const struct signature_job *a = one, *b = other;
  return a->entry < b->entry ? -1 : a->entry > b->entry;
}

enum collega_status signatures_end(struct signatures *signatures, struct signature_job **left,
                                   size_t *count, struct collega_error *error) {
  end_threads(signatures);
  judge(signatures, filling(signatures)); /* what is too little for a block */
  if (signatures->no_memory) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  struct job_list *list = &signatures->left;
  if (list->count > 1) qsort(list->job, list->count, sizeof *list->job, by_entry);
  *left = list->job;
  *count = list->count;
  return COLLEGA_OK;
}

void signatures_destroy(struct signatures **signatures) {
  struct signatures *own = *signatures;
  if (!own) return;
  end_threads(own);
  pthread_mutex_destroy(&own->mutex);
  pthread_cond_destroy(&own->filled);
  pthread_cond_destroy(&own->emptied);
  free(own->left.job);
  free(own);
  *signatures = NULL;
}
