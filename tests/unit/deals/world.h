/* A world in which the two cores meet: one employer with three people, up to ten bidders, one decider, and
 * everything that goes wrong between them. Messages are lost, repeated and reordered; clocks differ; a crash
 * undoes a step that was not stored; the decider comes back from an old backup in a new epoch.
 *
 * The world plays the shells: it keeps what a ledger and a broker's store would keep, does what the effects
 * say, and checks after each step that what must hold holds (checker.h). */
#ifndef TESTS_DEALS_WORLD_H
#define TESTS_DEALS_WORLD_H
#include "broker/decide/decider.h"
#include "client/exchange/deal_machine.h"

#define WORLD_ROOTS     10 /* a root for each bidder */
#define WORLD_DEALS     160
#define WORLD_DAYS      4
#define WORLD_PEOPLE    3 /* what the employer offers, each day */
#define WORLD_DECISIONS 2048
#define WORLD_MESSAGES  4096
#define WORLD_SHOWN     64

enum side { SIDE_EMPLOYER, SIDE_BIDDER };

struct world_deal {
  struct id id, replaces, amends, predecessor;
  size_t root;
  enum side proposer;
  unsigned people, days; /* days: a bit each */
  collega_time accept_by;
  uint32_t epoch; /* number of the decider's epoch that the header names */
};
struct world_row {
  bool there, agreed;
  unsigned days;
  unsigned ended[WORLD_DAYS]; /* people who ended before each day */
  unsigned ended_parts, ended_people;
};
struct world_decision {
  struct id id, predecessor;
  size_t root, deal, step;
  int verdict;
  uint32_t position, epoch;
  enum rule why;
  collega_date effective;
  struct reduction reductions[REDUCTIONS_MOST];
  size_t reduction_count;
  bool lost; /* a restore took it */
};
enum message_kind {
  MAIL_PROPOSAL,
  MAIL_DECISION,
  MAIL_RELEASE,
  MAIL_RELEASE_ANSWER,
  FRAME_QUESTION, /* to a side */
  ASK_ACCEPT,
  ASK_DECLINE,
  ASK_WITHDRAW,
  ASK_ASK,
  ASK_TERMINATE,
  ASK_RELEASE,
  ASK_ANSWER /* to the decider */
};
struct message {
  enum message_kind kind;
  size_t root, deal, decision;
  enum side side; /* to whom; of a request: from whom */
  bool signed_answer, lost, delivered;
  uint32_t epoch;
  struct id predecessor, basis;
  collega_date effective;
  uint32_t headcount;
  size_t shown[WORLD_SHOWN], shown_count;
};
struct world_side {
  struct negotiation negotiation;
  struct world_row rows[WORLD_DEALS];
  size_t held[WORLD_SHOWN], held_count; /* decisions in its ledger */
  size_t parts_wanted;                  /* how often its user wanted a part to end */
  bool too_few;                         /* for the part that it is to sign */
  bool cut_off; /* the decider's restore ended its session, and it has not been welcomed since */
};
struct world {
  uint64_t seed, random;
  collega_time now, skew[1 + WORLD_ROOTS], decider_skew;
  size_t roots, deal_count, decision_count, message_count, step, clean_decisions, terminates;
  uint32_t epoch;
  bool winding_up; /* all are back: no new wishes, nothing breaks */
  bool trouble;    /* the decider may be restored in this life */
  bool steady;     /* the clocks differ by less than the machine allows for */
  bool restores;   /* the decider was restored at least once */
  struct world_side sides[WORLD_ROOTS][2];
  struct decide_register registers[WORLD_ROOTS], backup[WORLD_ROOTS];
  size_t backup_decisions;
  struct world_deal deals[WORLD_DEALS];
  struct world_decision decisions[WORLD_DECISIONS];
  struct message messages[WORLD_MESSAGES];
  char trace[1 << 16];
  size_t trace_length;
  /* what the runs have come to, so that a test can see that they were not empty */
  size_t concluded, amended, reduced, terminated, released, voided, questions, adopted, refusals;
};

/* Runs one life from `seed`; NULL, or what went wrong (in the world's own memory). */
const char *world_run(struct world *world, uint64_t seed);
/* World and checker: what is wrong, in words, with where it happened. Returns the text. */
const char *world_wrong(struct world *world, size_t root, const char *what);
struct id world_party(size_t root, enum side side);
size_t world_find(const struct world *world, const struct id *deal); /* WORLD_DEALS: not there */
#endif
