/* What the parts of planning share. */
#ifndef COLLEGA_CLIENT_MATCH_PLAN_INSIDE_H
#define COLLEGA_CLIENT_MATCH_PLAN_INSIDE_H
#include "client/match/plan.h"

struct plan_ring {
  uint32_t pair[PLAN_RING_MOST];
  uint32_t length;
};
struct plan_rings {
  struct plan_ring
      *ring; /* best average score first; equals by length, the longer first, then by their pairs */
  size_t count, room;
  bool cut;
};
/* All rings of the board; with `needed` only those that lend an offer which is given in return. */
enum collega_status rings_list(const struct plan_board *board, bool needed, flow_over over,
                               void *context, struct plan_rings *out,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
void rings_free(struct plan_rings *rings);

/* A plan in the making: what each offer has left, and how many people go round each ring. */
struct packing {
  const struct plan_board *board;
  const struct plan_rings *rings;
  int32_t *left;   /* by offer */
  int32_t *people; /* by ring */
  int64_t value;
};
enum collega_status packing_new(struct packing *packing, const struct plan_board *board,
                                const struct plan_rings *rings,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
void packing_free(struct packing *packing);
void packing_clear(struct packing *packing);
/* How many people can still go round; 0: none, or fewer than the leasts of its pairs. */
int32_t packing_room(const struct packing *packing, size_t ring);
int32_t packing_least(const struct packing *packing, size_t ring);
/* Lets so many (more, or with a negative number fewer) go round. */
void packing_put(struct packing *packing, size_t ring, int32_t people);
/* Fills up with rings in their order. */
void packing_greedy(struct packing *packing);
/* First the rings that the best circulation goes round, then the others in order. *bound: no rings, of any length, are
 * worth more. */
enum collega_status packing_circulate(struct packing *packing, flow_over over, void *context,
                                      int64_t *bound,
                                      struct collega_error *error) COLLEGA_MUST_CHECK;

/* ---- jobs that are shared */

struct plan_jobs {
  uint32_t *job;   /* by offer: its number; PLAN_NO_JOB: none */
  uint32_t *first; /* by job, one more than there are: of its pairs */
  uint32_t *
      pair; /* that may be parts of it: nobody in return, and nobody who lends several at once only */
  bool rings; /* somebody is given in return: places of jobs may be lent in rings */
};
#define PLAN_NO_JOB UINT32_MAX
enum collega_status jobs_new(const struct plan_board *board, struct plan_jobs *out,
                             struct collega_error *error) COLLEGA_MUST_CHECK;
void jobs_free(struct plan_jobs *jobs);
/* Hours a week that a job has to give, where of its demand so many people are `left`: rings took the others. */
int32_t job_hours_left(const struct plan_board *board, size_t job, int32_t left);
/* Its carving out of `people` of each of its pairs, which are `pairs`. `lenders`: room for as many; taken: for
 * WEEK_SLOTS. */
struct carve_job job_carve(const struct plan_board *board, size_t job, int32_t left,
                           const uint32_t *pairs, const int32_t *people, size_t count,
                           struct carve_lender *lenders, int32_t *taken);

/* ---- loans out of what is `left` of each offer */
enum loans_how {
  LOANS_BEST,   /* as good as time allows, of demands that are no shared jobs */
  LOANS_QUICK,  /* a first answer, of the same */
  LOANS_PLACES, /* as good as time allows; people of shared jobs have places of their own, by their share of hours */
  LOANS_PLACES_QUICK, /* a first answer, of the same */
  LOANS_BOUND         /* its bound counts: nothing is worth more, rings and shared jobs included */
};
struct loans_answer {
  int64_t value, bound;
  bool optimal;
};
/* flow: people by pair. */
enum collega_status loans_solve(const struct plan_board *board, const struct plan_jobs *jobs,
                                const int32_t *left, enum loans_how how, flow_over over,
                                void *context, int32_t *flow, struct loans_answer *out,
                                struct collega_error *error) COLLEGA_MUST_CHECK;

/* ---- loans and parts together: all that is no ring */
struct plan_part {
  uint32_t pair;
  int32_t people;
  uint8_t hours;
  uint32_t slots;
};
struct leaf {
  int32_t *flow; /* people by pair, of demands that are no shared jobs */
  struct plan_part *part;
  size_t part_count, part_room;
  int64_t value, bound; /* bound: only where nothing is shared */
  bool optimal;
};
enum collega_status leaf_new(const struct plan_board *board, struct leaf *out,
                             struct collega_error *error) COLLEGA_MUST_CHECK;
void leaf_free(struct leaf *leaf);
enum collega_status leaf_copy(const struct plan_board *board, struct leaf *to,
                              const struct leaf *from,
                              struct collega_error *error) COLLEGA_MUST_CHECK;
/* how: LOANS_BEST or LOANS_QUICK. */
enum collega_status leaf_solve(const struct plan_board *board, const struct plan_jobs *jobs,
                               const int32_t *left, enum loans_how how, flow_over over,
                               void *context, struct leaf *out,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
