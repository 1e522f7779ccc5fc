/* Which ledgers this process has open, and how many hold each. */
#include "client/library/shared_ledger.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/process/process.h"

struct opening {
  struct opening *next;
  struct ledger *ledger;
  size_t holders;
  dev_t device; /* of the home, whatever path led to it */
  ino_t inode;
  pid_t process;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct opening *openings;

static struct opening *find(const struct stat *about) {
  for (struct opening *each = openings; each; each = each->next)
    if (each->device == about->st_dev && each->inode == about->st_ino && each->process == getpid())
      return each;
  return NULL;
}

static enum collega_status open_new(const char *home, const struct stat *about, struct ledger **out,
                                    struct collega_error *error) {
  struct opening *opening = calloc(1, sizeof *opening);
  if (!opening) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  enum collega_status status = ledger_open(home, &opening->ledger, error);
  if (status != COLLEGA_OK) {
    free(opening);
    return status;
  }
  opening->holders = 1;
  opening->device = about->st_dev;
  opening->inode = about->st_ino;
  opening->process = getpid();
  opening->next = openings;
  openings = opening;
  *out = opening->ledger;
  return COLLEGA_OK;
}

enum collega_status shared_ledger_take(const char *home, struct ledger **out,
                                       struct collega_error *error) {
  struct stat about;
  *out = NULL;
  enum collega_status status = home_check(home, "node", error);
  if (status != COLLEGA_OK) return status;
  if (stat(home, &about) != 0) return error_system(error, home, errno);
  pthread_mutex_lock(&mutex);
  struct opening *opening = find(&about);
  if (opening) {
    ++opening->holders;
    *out = opening->ledger;
  } else {
    status = open_new(home, &about, out, error);
  }
  pthread_mutex_unlock(&mutex);
  return status;
}

void shared_ledger_release(struct ledger **ledger) {
  if (!*ledger) return;
  pthread_mutex_lock(&mutex);
  for (struct opening **link = &openings; *link; link = &(*link)->next) {
    struct opening *opening = *link;
    if (opening->ledger != *ledger) continue;
    if (--opening->holders == 0) {
      *link = opening->next;
      ledger_close(&opening->ledger);
      free(opening);
    }
    break;
  }
  pthread_mutex_unlock(&mutex);
  *ledger = NULL;
}
