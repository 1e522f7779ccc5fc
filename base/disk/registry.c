/* The one piece of state that belongs to the process: which environments it has open. LMDB keeps
 * fcntl locks, which the system drops for the whole process when any descriptor of the file closes;
 * two openings would silently lose them. */
#include "base/disk/parts.h"
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

struct claim {
  struct claim *next;
  dev_t device;
  ino_t inode;
  pid_t
      process; /* LMDB's locks are not inherited: what a parent has open is free in the child of a fork */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct claim *claims;

bool registry_claim(dev_t device, ino_t inode) {
  struct claim *claim = malloc(sizeof *claim);
  if (claim == NULL) return false;
  *claim = (struct claim){.device = device, .inode = inode, .process = getpid()};
  bool taken = false;
  pthread_mutex_lock(&mutex);
  for (struct claim *other = claims; other != NULL; other = other->next)
    taken = taken ||
            (other->device == device && other->inode == inode && other->process == claim->process);
  if (!taken) {
    claim->next = claims;
    claims = claim;
  }
  pthread_mutex_unlock(&mutex);
  if (taken) free(claim);
  return !taken;
}

void registry_release(dev_t device, ino_t inode) {
  pthread_mutex_lock(&mutex);
  for (struct claim **link = &claims; *link != NULL; link = &(*link)->next) {
    struct claim *claim = *link;
    if (claim->device != device || claim->inode != inode || claim->process != getpid()) continue;
    *link = claim->next;
    free(claim);
    break;
  }
  pthread_mutex_unlock(&mutex);
}
