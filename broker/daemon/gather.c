/* What goes to the committer, and when. A commit costs an fsync, a signature and a receipt to each
 * who published, however little is in it: more in one is less for each. So a batch waits while the
 * committer has one, and while those who are in it have more at the workers, a few milliseconds at
 * the most. Who sends one thing at a time waits for nothing. */
#include "broker/daemon/broker.h"

#define GATHER_MS 2

void broker_commit(struct broker *broker, struct job **job) {
  struct job *given = *job;
  *job = NULL;
  given->next = NULL;
  if (broker->gathered_last == NULL) {
    broker->gathered_first = given;
    broker->gathered_since = clock_monotonic();
  } else {
    broker->gathered_last->next = given;
  }
  broker->gathered_last = given;
  broker->gathered++;
}

void gather_complete(struct broker *broker) {
  broker->gathered_complete = broker->gathered_first != NULL;
}

void gather_send(struct broker *broker) {
  if (broker->gathered_first == NULL || broker->at_committer > 0) return;
  if (!broker->gathered_complete && gather_wait(broker) > 0) return;
  struct job *first = broker->gathered_first;
  broker->gathered_first = broker->gathered_last = NULL;
  broker->gathered_complete = false;
  broker->at_committer = broker->gathered;
  broker->gathered = 0;
  job_send(broker->committer, &first);
}

int64_t gather_wait(const struct broker *broker) {
  if (broker->gathered_first == NULL || broker->at_committer > 0) return INT64_MAX;
  int64_t left = broker->gathered_since + GATHER_MS - clock_monotonic();
  return left > 0 ? left : 0;
}

void gather_drop(struct broker *broker) {
  job_list_destroy(&broker->gathered_first);
  broker->gathered_last = NULL;
}
