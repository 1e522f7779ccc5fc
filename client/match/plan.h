/* Plans: which loans of a whole board go together best.
 *
 * Lent are people. A pair is a supply offer (loan_out, transfer_out) and a demand offer that fit (match.h); it may
 * carry 0 people, or `least` and more. The value of a plan is
 *
 *   sum over its loans of people * score          score 0 .. 10000
 *
 * and no offer carries more people than it has free. An offer that is given `in_return` (its reason is swap or
 * rotation) is lent only in a ring: a circle of 2 to 4 different employers in which each lends so many people to
 * the next. With PLAN_RINGS every offer is given so: nobody lends who does not borrow as many.
 *
 * A demand may be a job that lenders share, on different parts of the week (`sharing`): then its loans are parts
 * as in a carving (below), worth people * hours / hours of a post * score, rounded down for the job as a whole. In
 * a ring it is lent whole places. Which people each job gets is tried in every way where that is little work; else
 * it starts from the flow in which each has a place of its own, and each job in turn is carved out of those and of
 * who is left.
 *
 * How. Loans without rings are a min-cost flow (solve.h), with leasts by branch and bound (solve_least.h):
 * optimal. Rings of at most four are hard to pack (with a limit on length beyond two it is NP-hard: Abraham, Blum
 * and Sandholm, Clearing algorithms for barter exchange markets, 2007), so all rings are listed, each as two
 * halves that meet, and packed by branch and bound, best first; where there are too many for that, the best of two
 * greedy packings is given: by the rings' average score, and by the circles of the best circulation. The bound is
 * that of the flow or circulation in which rings may have any length.
 *
 * Pure: no clock but `over`. */
#ifndef COLLEGA_CLIENT_MATCH_PLAN_H
#define COLLEGA_CLIENT_MATCH_PLAN_H
#include "base/bytes.h"
#include "client/match/solve.h"

#define PLAN_SCORE_MOST 10000
#define PLAN_RING_MOST  4u /* employers */
#define PLAN_DEGREE_MOST                                                                           \
  32u /* pairs of one employer, in and out, that rings are made of: its best */
#define PLAN_RINGS_MOST   1000000u /* listed at most */
#define PLAN_SEARCH_RINGS 64u      /* more are not searched, only packed */
#define PLAN_SEARCH_SHARES                                                                         \
  2000000u /* ways to give people to shared jobs, times pairs: beyond, not all are tried */

struct plan_offer {
  uint32_t employer; /* one number for each legal employer, 0 .. offer_count - 1 */
  int32_t people;    /* free, 0 .. 10000 */
  bool supplies, in_return;
};
struct plan_pair {
  uint32_t supply, demand; /* offers */
  int32_t score;           /* 1 .. PLAN_SCORE_MOST */
  int32_t least;           /* people of one loan, 1 and more */
};
/* Of an offer: a person's hours a week, or a post's, and the parts of the week (bit slot_index; 0: any). */
struct plan_week {
  uint8_t hours_min, hours_max; /* 1 .. 60 */
  uint32_t slots;
};
struct plan_job {
  uint32_t offer;              /* a demand that is not given in return */
  int32_t posts;               /* of which offer.people are wholly free */
  int32_t taken;               /* hours a week of all posts that are given away already */
  const int32_t *taken_people; /* by slot, who work there already; NULL: nobody */
};
struct plan_sharing {
  const struct plan_week *weeks; /* by offer */
  const struct plan_job *jobs;   /* each of another offer */
  size_t job_count;
};
struct plan_board {
  const struct plan_offer *offers;
  const struct plan_pair *pairs;
  size_t offer_count, pair_count;
  const struct plan_sharing *sharing; /* NULL: nothing is shared */
};
enum plan_mode { PLAN_LOANS, PLAN_RINGS };

struct plan_loan {
  uint32_t pair;
  int32_t people;
  uint32_t ring;  /* 1 ..: loans of one number form it, in order; 0: none */
  uint8_t hours;  /* a week, of each, in a job that is shared; 0: a place of their own */
  uint32_t slots; /* then: their parts of the week; 0: neither side names any */
};
struct plan {
  struct plan_loan *loans;
  size_t loan_count, ring_count;
  int64_t people, value, bound; /* value <= best value <= bound */
  bool optimal;
  bool rings_cut;     /* there were more rings, or pairs of an employer, than were listed */
  size_t best_pair;   /* the single loan of the highest value; SIZE_MAX: there is none */
  int64_t best_value; /* of it alone */
};
/* Frees nothing that was in *out before. COLLEGA_INVALID flow_network: a number is out of range; COLLEGA_FULL. */
enum collega_status plan_make(const struct plan_board *board, enum plan_mode mode, flow_over over,
                              void *context, struct plan *out,
                              struct collega_error *error) COLLEGA_MUST_CHECK;
void plan_free(struct plan *plan);
/* Whether the plan obeys every rule above: for tests, and before anything is proposed. */
bool plan_obeys(const struct plan_board *board, enum plan_mode mode, const struct plan *plan);

/* ---- carving: one job, so many posts of so many hours a week, out of part-time loans.
 *
 * Loans on different parts of the week share a post. A person of a lender gives 0 hours or hours_min .. hours_max
 * a week, on parts that the lender offers (no slots: on any), each part once, and whole parts only. No part of the
 * week has more people than posts, and all together give no more than the job's hours.
 *
 * Where the job names parts of the week (slots), people work those alone, and each has an equal share of the
 * hours; a person's hours are rounded down. Where it names none, a part has the hours of carve_slot_hours, and who
 * offers no parts works any hours, on parts that are for the employers to choose: of them only the hours are
 * counted.
 *
 * The value is the sum of hours * score; where shares of hours are rounded down, the best is that of whole parts. */
#define WEEK_SLOTS         28u
#define CARVE_PERSONS_MOST 4096u /* more are left out, the least fitting first */

struct carve_lender {
  int32_t people, score;
  uint8_t hours_min, hours_max;
  uint32_t slots; /* bit slot_index; 0: any */
};
struct carve_job {
  int32_t posts;
  uint8_t hours;               /* a week, each post */
  int32_t taken;               /* hours a week of all posts that are given away already */
  uint32_t slots;              /* 0: none named */
  const int32_t *taken_people; /* by slot, who work there already; NULL: nobody */
  const struct carve_lender *lenders;
  size_t lender_count;
};
struct carve_part {
  uint32_t lender;
  int32_t people; /* at most as many as there are posts */
  uint8_t hours;  /* a week, each of them */
  uint32_t slots; /* 0: neither the job nor the lender names any */
};
struct carving {
  struct carve_part
      *parts; /* by lender; people of one lender with the same hours and slots together */
  size_t part_count;
  int32_t hours, asked; /* a week, all posts together, less what is taken */
  int64_t value, bound;
  bool optimal;
  size_t
      best_lender; /* the single lender whose people, side by side, are worth the most; SIZE_MAX: none */
  int32_t best_people; /* of them, each with best_hours a week */
  int32_t best_hours;
};
/* Hours of a part of the week where the job names none: 4, of a night 8. */
int32_t carve_slot_hours(unsigned slot);
enum collega_status plan_carve(const struct carve_job *job, flow_over over, void *context,
                               struct carving *out, struct collega_error *error) COLLEGA_MUST_CHECK;
void carving_free(struct carving *carving);
/* Whether the parts obey every rule above: for tests, and before anything is proposed. */
bool carving_obeys(const struct carve_job *job, const struct carving *carving);
#endif
