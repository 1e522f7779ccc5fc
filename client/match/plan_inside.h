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

/* The best loans out of what is `left` of each offer. flow: people by pair. */
enum loans_how {
  LOANS_BEST,  /* as good as time allows */
  LOANS_QUICK, /* a first answer */
  LOANS_BOUND  /* its bound counts, and offers given in return may be lent too */
};
struct loans_answer {
  int64_t value, bound;
  bool optimal;
};
enum collega_status loans_solve(const struct plan_board *board, const int32_t *left,
                                enum loans_how how, flow_over over, void *context, int32_t *flow,
                                struct loans_answer *out,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
