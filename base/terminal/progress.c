/* Progress of long work: a line on the terminal that is written over. It changes when the percentage
 * does, or, where the total is not known, once in so many steps: no clock is asked. */
#include "base/terminal/terminal.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define STEPS_UNKNOWN 1000 /* between two lines, when there is no percentage */
#define CLEAR_LINE    "\r\033[K"

struct progress {
  uint64_t total, told; /* percentage, or thousands of steps; UINT64_MAX: nothing was told */
  char what[80];
};

struct progress *progress_open(const char *what, uint64_t total) {
  if (terminal_columns(stderr) == 0) return NULL;
  struct progress *progress = calloc(1, sizeof *progress);
  if (progress == NULL) return NULL;
  progress->total = total;
  progress->told = UINT64_MAX;
  memcpy(progress->what, what, utf8_cut(what, sizeof progress->what - 1));
  return progress;
}

void progress_step(struct progress *progress, uint64_t done) {
  if (progress == NULL) return;
  uint64_t now = progress->total == 0      ? done / STEPS_UNKNOWN
                 : done >= progress->total ? 100
                                           : done * 100 / progress->total;
  if (now == progress->told) return;
  progress->told = now;
  if (progress->total == 0 && done == 0)
    fprintf(stderr, CLEAR_LINE "%s ...", progress->what);
  else if (progress->total == 0)
    fprintf(stderr, CLEAR_LINE "%s: %" PRIu64, progress->what, done);
  else
    fprintf(stderr, CLEAR_LINE "%s: %" PRIu64 "%%", progress->what, now);
  fflush(stderr);
}

void progress_close(struct progress **progress) {
  if (*progress == NULL) return;
  if ((*progress)->told != UINT64_MAX) {
    fputs(CLEAR_LINE, stderr);
    fflush(stderr);
  }
  free(*progress);
  *progress = NULL;
}
