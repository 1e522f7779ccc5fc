/* A small honest world for tests of proofs: a broker, two employers, mandates, an agreement, an
 * amendment, a termination. A test bends one thing before it is signed and sees what the judge says. */
#ifndef COLLEGA_TESTS_SUPPORT_AGREEMENT_H
#define COLLEGA_TESTS_SUPPORT_AGREEMENT_H
#include "proto/proof.pb-c.h"
#include "tests/support/people.h"

#define AGREEMENT_NOW     INT64_C(1800000000000)
#define AGREEMENT_MEMBERS 16

struct agreement_world {
  struct arena *arena;
  struct person broker, lender, borrower, stranger;
  struct id lender_mandate, borrower_mandate;
  uint64_t log_seq;
  Collega__Receipted *members[AGREEMENT_MEMBERS];
  size_t member_count;
};
/* `number` tells worlds apart: other keys everywhere. Mandates: 20 people each. */
void agreement_world_make(struct agreement_world *world, uint8_t number);
void agreement_world_clear(struct agreement_world *world);
/* Adds a record of class members, receipted by the broker at `time`. */
Collega__Receipted *agreement_add_member(struct agreement_world *world, Collega__Run *run,
                                         collega_time time);

enum agreement_stage {
  STAGE_TERMS,
  STAGE_HEADER,
  STAGE_ACCEPTANCE,
  STAGE_DECISION,
  STAGE_TERMINATE,
  STAGE_END
};
/* What one entry is made of; `twist` may change it just before that stage is signed. */
struct agreement {
  Collega__TermsWork work;
  Collega__TermsNote note;
  Collega__Terms terms;
  Collega__SaltedTerms *salted;
  Collega__OfferRef lends, borrows;
  Collega__Edge edge, *edges[1];
  Collega__DealHeader header;
  Collega__Acceptance acceptance;
  Collega__Decision decision;
  Collega__Terminate terminate;
  struct person *proposer, *acceptor, *decider, *terminator;
  struct id commitment, root, header_id, acceptance_id, decision_id, terminate_id;
  uint8_t capacities[2][SHORT_ID_BYTES];
  Collega__ProofDeal proved;
  Collega__Run *terminate_run, *termination_run;
};
/* A part that one party ended; `parts` lists it and those before it. */
struct agreement_part {
  Collega__Terminate terminate;
  Collega__Decision decision;
  Collega__Reduction parts[16], *list[16];
  struct person *terminator, *decider;
  struct id by, terminate_id, decision_id;
  Collega__ProofReduction proved;
};
typedef void (*agreement_twist)(struct agreement_world *world, struct agreement *agreement,
                                enum agreement_stage stage);
/* The lender proposes 12 people; the borrower accepts an hour later; decided a minute after that. */
void agreement_conclude(struct agreement_world *world, struct agreement *agreement,
                        agreement_twist twist);
/* Follows `first`, a day later: 10 people. `position` from 2; `before`: the decision it follows. */
void agreement_amend(struct agreement_world *world, const struct agreement *first,
                     const struct id *before, uint32_t position, struct agreement *amendment,
                     agreement_twist twist);
/* Ends `first` a day later, after the entry of `last`; the runs lie in `first`. */
void agreement_terminate(struct agreement_world *world, struct agreement *first,
                         const struct agreement *last, uint32_t position, agreement_twist twist);
/* `who` ends a part of two people of `deal`, on day 20940 + position, after `before` (NULL: after the deal's own
 * entry). The twist may change it before the request is signed (STAGE_TERMINATE) and before the decision is
 * (STAGE_END). */
typedef void (*part_twist)(struct agreement_part *part, enum agreement_stage stage);
void agreement_reduce(struct agreement_world *world, struct agreement *deal, struct person *who,
                      const struct agreement_part *before, uint32_t position,
                      struct agreement_part *part, part_twist twist);
/* The agreement's decision as a restored decider says it again, a day later; `id` gets its record id. */
Collega__Run *agreement_say_again(struct agreement_world *world, const struct agreement *agreement,
                                  Collega__Verdict verdict, struct id *id);
/* As if the deal's own entry were the part's: what follows names it, and lists the parts. */
void agreement_end_after(struct agreement *deal, const struct agreement_part *part);
/* A proof of `deals`, with all members of the world. */
Collega__Proof *agreement_proof(struct agreement_world *world, struct agreement *const *deals,
                                size_t count);
#endif
