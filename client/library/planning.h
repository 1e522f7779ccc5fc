/* Plans of a home: from its board to a plan, what a person reads of it, and the file that keeps it.
 *
 * A plan binds nobody and is in no ledger: it is a document, HOME/plans/ID, kept for PLANS_KEPT_DAYS, so that what was
 * shown is what is proposed. Others' offers count with the whole headcount that they tell, our own with what is free.
 * What is found are loans that each obey every hard rule of match.h. */
#ifndef COLLEGA_CLIENT_LIBRARY_PLANNING_H
#define COLLEGA_CLIENT_LIBRARY_PLANNING_H
#include "client/library/document.h"
#include "client/match/match.h"
#include "client/match/plan.h"
#include "client/match/places.h"
#include "client/match/taxonomy.h"

#define PLANS_DIRECTORY   "plans"
#define PLANS_KEPT_DAYS   30
#define PLAN_SECONDS      10 /* usual time to search */
#define PLAN_SECONDS_MOST 600
#define PLAN_LENDERS_MOST 10000u
#define PLAN_BRUTE_PAIRS                                                                           \
  400000u /* up to so many possible pairs all are judged; beyond, each request's best */
#define PLAN_NEIGHBOURS 20u               /* of each request, where not all are judged */
#define PLANNING_BYTES  ((size_t)4 << 30) /* of offers and pairs: some 4 KB for each offer */
#define PLAN_FILE_BYTES (256u * 1024u * 1024u)
#define PLAN_ID_BYTES   16u

enum planning_kind {
  PLANNING_OFFER,  /* one own offer and several counterparties */
  PLANNING_CARVED, /* one own job in part-time pieces */
  PLANNING_BOARD,  /* all offers together; jobs that may be shared, in pieces */
  PLANNING_RINGS   /* all together, nobody lends who does not borrow */
};
const char *planning_kind_name(enum planning_kind kind); /* "offer", "carved", "board", "rings" */

/* An open offer that the party may see. */
struct planned {
  const Collega__Offer *offer;
  struct short_id id;
  struct id author;
  const struct known_party *party; /* NULL: not known here */
  const struct match_card *card;
  uint32_t employer; /* one number for each KvK number */
  bool mine;         /* its author lives here */
  Collega__OfferState state;
  collega_time received; /* when its content was receipted; 0: not yet */
  int32_t people;        /* free */
  uint64_t taken_hours;  /* a week, of our own */
  const int32_t
      *taken_people; /* by part of the week; NULL: nobody. Of our own that may be carved */
};
struct planned_loan {
  size_t supply, demand; /* of the offers */
  int32_t people;
  unsigned hours; /* a week, each */
  uint32_t slots; /* bit slot_index; 0: neither side names any */
  uint32_t ring;
  bool shared; /* a part of a job that lenders share */
  int32_t score;
};
struct planning {
  struct arena *arena;      /* of the offers and pairs */
  struct match_rules rules; /* the default weights, and what was imported: */
  struct places *places;    /* NULL: none */
  struct taxonomy *taxonomy;
  enum planning_kind kind;
  struct planned *offers; /* PLANNING_OFFER, PLANNING_CARVED: ours is the first */
  size_t offer_count;
  struct plan_pair *pairs;
  size_t pair_count;
  int64_t until; /* by clock_monotonic: the search ends; 0: never */
  struct planned_loan *loans;
  size_t loan_count;
  int64_t value, bound; /* people, or hours, times score */
  bool optimal;
  bool rings_cut;
  bool pairs_cut; /* not all pairs were looked at: each request's best, or as far as time went */
  int64_t board_bound;        /* pairs_cut: no plan of all pairs is worth more; -1: not known */
  int32_t hours, asked_hours; /* PLANNING_CARVED: a week */
  size_t best_pair;           /* of the pairs; SIZE_MAX: none */
  int32_t best_people;        /* of it alone, each with */
  unsigned best_hours;        /* a week */
  int64_t milliseconds;
};
struct planning_request {
  enum planning_kind kind;
  struct short_id
      offer; /* PLANNING_OFFER: ours; where it may be carved and that fills more, the plan is carved */
  int seconds; /* to search; 0: as long as it takes */
  bool closed; /* offers that are no longer open too: for market figures */
};
/* planning_free, after an error too. */
enum collega_status planning_make(const struct view *view, const struct planning_request *request,
                                  struct planning *out,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
void planning_free(struct planning *planning);
/* The plan as a document, docs/plans.md; its "id" tells its content. NULL: out of memory. */
json_t *document_plan(const struct view *view, const struct planning *planning);
/* {"sentences": [...]}'s list for a plan's document, in the view's language: what it does, compared with doing
 * nothing and with the best single match, and how far from the best it may be. */
json_t *plan_sentences(const struct view *view, const json_t *plan);

/* ---- files. COLLEGA_NOT_FOUND plan_unknown, COLLEGA_DAMAGED plan_damaged */
enum collega_status plan_file_write(const struct view *view, const json_t *plan,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
/* `typed`: any unambiguous beginning of its id. */
enum collega_status plan_file_read(const struct view *view, const char *typed, json_t **out,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;

/* The same of a file's bytes; `name` is what a fault names. What is read has all that a plan has, and figures that
 * can be reckoned with. */
enum collega_status plan_read(struct bytes text, const char *name, json_t **out,
                              struct collega_error *error) COLLEGA_MUST_CHECK;

/* ---- proposing. Told of each loan that is tried: the other side (as json_party has it), and the deal, or why
 * there is none (the other is NULL). */
typedef void (*plan_told)(void *context, const json_t *other, const struct id *deal,
                          const char *why);
/* A deal for each loan of the plan's document that a party of ours is a side of (with `only`, that one; where both
 * are ours, from the borrower's) and that has none yet, with its people, hours and days; else as `wanted` says. No
 * transaction of this thread may be open: view->txn is not used. *out: {"plan","deals","refused"}, a new
 * reference. Refused loans are no failure. COLLEGA_REFUSED plan_nothing_ours, COLLEGA_EXISTS
 * plan_proposed_already, COLLEGA_DAMAGED plan_damaged; after another failure some deals may have been made: they
 * are noted in the plan's file. */
enum collega_status plan_propose(const struct view *view, json_t *plan, const struct id *only,
                                 const struct proposal *wanted, plan_told told, void *context,
                                 json_t **out, struct collega_error *error) COLLEGA_MUST_CHECK;

/* ---- what planning.c, planning_board.c and planning_carve.c share */
enum collega_status planning_load(const struct view *view, const struct planning_request *request,
                                  struct planning *out,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status planning_pairs(struct planning *out,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
/* Whether this job may be shared by several lenders, on different parts of the week. */
bool planning_may_carve(const struct planned *job);
/* Who works when already in a job of ours that may be carved: its taken_people, in the planning's arena. */
enum collega_status planning_take_parts(const struct view *view, struct planning *out,
                                        struct planned *job,
                                        struct collega_error *error) COLLEGA_MUST_CHECK;
/* The first offer, carved: replaces the loans. */
enum collega_status planning_carve(const struct view *view, struct planning *out,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
bool planning_over(
    void *until); /* a flow_over: clock_monotonic is past *(int64_t *)until; 0: never */
/* Whether the two may meet at all: other employers, each in the other's audience. */
bool planned_may_meet(const struct planned *one, const struct planned *other);
#endif
