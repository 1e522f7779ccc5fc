/* Between the loop and the matcher the ledger is the queue: an eventfd says "look", the cursor in the ledger says
 * where from. Wakes that come during a run fall together into the next one. */
#include "client/daemon/matcher_thread.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/words.h"
#include "client/match/matcher.h"
#include "client/exchange/node_clock.h"

#define LOOK_AGAIN_MS 5000 /* the bell is a hint */

struct matcher_thread {
  pthread_t thread;
  int wake;
  atomic_bool stop;
  struct matcher *matcher;
  const char *home; /* the ledger's, which outlives the thread */
};

static void *work(void *context) {
  struct matcher_thread *self = context;
  while (!atomic_load(&self->stop)) {
    uint32_t changed = 0;
    struct collega_error error;
    error_clear(&error);
    if (matcher_run(self->matcher, node_clock_now(self->home), &changed, &error) != COLLEGA_OK)
      log_warning("matcher_failed", "rule=%s", rule_name(error.rule));
    else if (changed)
      log_debug("matched", "rows=%u", changed);
    struct pollfd wait = {.fd = self->wake, .events = POLLIN};
    uint64_t count;
    if (poll(&wait, 1, LOOK_AGAIN_MS) > 0 && read(self->wake, &count, sizeof count) < 0 &&
        errno != EAGAIN)
      break;
  }
  return NULL;
}

enum collega_status matcher_thread_start(struct ledger *ledger, const double weight[MATCH_PARTS],
                                         struct matcher_thread **out, struct collega_error *error) {
  struct matcher_thread *self = calloc(1, sizeof *self);
  if (!self) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  enum collega_status status = COLLEGA_OK;
  self->home = ledger_home(ledger);
  self->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (self->wake < 0) status = error_system(error, "eventfd", errno);
  if (status == COLLEGA_OK) status = matcher_open(ledger, weight, &self->matcher, error);
  if (status == COLLEGA_OK) {
    int failed = pthread_create(&self->thread, NULL, work, self);
    if (failed) status = error_system(error, "pthread_create", failed);
    if (!failed) pthread_setname_np(self->thread, "matcher"); /* for `top -H` */
  }
  if (status != COLLEGA_OK) {
    matcher_close(&self->matcher);
    if (self->wake >= 0) close(self->wake);
    free(self);
    return status;
  }
  *out = self;
  return COLLEGA_OK;
}

void matcher_thread_wake(struct matcher_thread *thread) {
  uint64_t one = 1;
  /* A full counter already wakes. */
  if (write(thread->wake, &one, sizeof one) < 0 && errno != EAGAIN)
    log_warning("matcher_wake_failed", "error=%s", strerror(errno));
}

void matcher_thread_stop(struct matcher_thread **thread) {
  if (!thread || !*thread) return;
  atomic_store(&(*thread)->stop, true);
  matcher_thread_wake(*thread);
  pthread_join((*thread)->thread, NULL);
  matcher_close(&(*thread)->matcher);
  close((*thread)->wake);
  free(*thread);
  *thread = NULL;
}
