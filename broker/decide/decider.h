/* The decider: one write-once register per root, as a pure core. The store keeps registers; the committer
 * calls decider_step inside its transaction and writes what the effects say in the same transaction, then
 * fsyncs, then answers. It sees headers, signatures and times, never terms.
 *
 * At most one entry per position of the chain; at most one deal of a root is ever concluded; a repeat gets
 * the stored bytes. A root older than the current epoch is ruled on only when both parties have answered the
 * question of this epoch. Transitions: tests/model/transitions.txt. */
#ifndef COLLEGA_BROKER_DECIDER_H
#define COLLEGA_BROKER_DECIDER_H
#include "base/bytes.h"
#include "base/clock.h"
#include "proto/deal.pb-c.h"
#include "proto/link.pb-c.h"
#include "proto/reductions.h"

#define REGISTER_DEALS 64
#define DECIDE_EFFECTS 160

struct register_deal {
  struct id deal;
  bool amendment;
  int verdict;        /* Collega__Verdict; 0: none */
  uint32_t position;  /* of a chain entry; 0 for void */
  struct id decision; /* record id of the decision made on it */
  enum rule why;      /* of that decision */
  uint32_t proposer;  /* index in `parties`: each may bring REGISTER_DEALS / 2 deals */
  /* A request that came in before both had answered the question of the epoch; ruled on when they have. */
  int waiting;  /* enum decide_kind + 1; 0: none */
  bool in_time; /* the waiting request came before accept_by, by this decider's clock */
  struct id waiting_basis, waiting_predecessor;
};
/* An entry of the chain by which one party ended a part of `deal`, the chain's last deal then. */
struct register_reduction {
  uint32_t position;
  struct id deal, decision;
  struct reduction part;
};
struct decide_register {
  struct id root, parties[2]; /* zero root: new */
  uint32_t root_epoch;        /* number of the epoch the first header named */
  uint32_t epoch;             /* epoch in which the register was last written or adopted */
  uint32_t position;          /* last entry of the chain; 0: none */
  struct id last_decision, last_deal;
  int last_verdict;
  collega_date last_effective; /* of a termination */
  uint32_t answered[2];        /* number of the epoch each party has answered in */
  uint32_t asked;              /* epoch whose question went out */
  bool released;               /* a full RELEASE is lodged */
  size_t count;
  struct register_deal deals[REGISTER_DEALS];
  size_t reduction_count;
  struct register_reduction reductions[REDUCTIONS_MOST]; /* by position */
};

enum decide_kind {
  DECIDE_ACCEPT,
  DECIDE_DECLINE,
  DECIDE_WITHDRAW,
  DECIDE_ASK,
  DECIDE_TERMINATE,
  DECIDE_RELEASE,
  DECIDE_ANSWER
};
/* A decision that a party shows in its answer: verified as this decider's own of an older epoch. */
struct shown_decision {
  struct id deal, decision, predecessor;
  int verdict;
  uint32_t position, epoch;
  collega_date effective;
  enum rule why; /* RULE_NONE: not known */
  size_t reduction_count;
  struct reduction reductions[REDUCTIONS_MOST]; /* that it lists */
};
struct decide_request {
  enum decide_kind kind;
  struct id party; /* who asks: a party of the edge, its signature verified */
  struct id basis; /* record id of acceptance, decline, ... */
  /* the header, its proposer's signature verified */
  struct id deal, root, proposer, other, replaces, amends, predecessor;
  uint32_t
      header_epoch; /* number of the epoch that the header names; 0: not an epoch of this decider */
  collega_time accept_by;
  /* TERMINATE */
  struct id terminate_predecessor;
  collega_date effective;
  uint32_t headcount; /* how many end; 0: all */
  /* ANSWER */
  uint32_t answer_epoch;
  const struct shown_decision *shown;
  size_t shown_count;
  bool shown_release;
};
enum decide_effect_kind {
  DECIDE_EFFECT_ENTRY, /* write a decision: deal, verdict, position, predecessor, why, adopted */
  DECIDE_EFFECT_REPEAT, /* send the stored decision with record id `decision` again to `party`, in this order */
  DECIDE_EFFECT_QUESTION, /* ask `party` about the root */
  DECIDE_EFFECT_REFUSE    /* answer `party` with code and rule */
};
struct decide_effect {
  enum decide_effect_kind kind;
  struct id deal, party;
  int verdict;
  uint32_t position;
  enum rule why;
  bool has_effective;
  collega_date effective;
  struct id adopted;  /* ENTRY: the decision of an older epoch that it repeats; zero: none */
  struct id decision; /* REPEAT: record id of the stored one */
  struct id basis;    /* ENTRY: record id of the request that it rules on; zero: none */
  Collega__RefusalCode code;
};
struct decide_effects {
  size_t count;
  struct decide_effect effect[DECIDE_EFFECTS];
};

/* `epoch` is the decider's current epoch number, `now` its clock. The register is changed as the effects say;
 * for an ENTRY the caller makes and signs the Decision, then calls decider_written with its record id (in
 * order) before the next step. predecessor of an entry is register->last_decision at that moment. */
void decider_step(struct decide_register *reg, const struct decide_request *request, uint32_t epoch,
                  collega_time now, struct decide_effects *effects);
void decider_written(struct decide_register *reg, const struct decide_effect *entry,
                     const struct id *decision, uint32_t epoch);
/* The reductions that an ENTRY lists: those of its deal, up to its position; none unless it is reduced, terminated or
 * released. Returns how many; *first is where they begin in reg->reductions. */
size_t decider_listed(const struct decide_register *reg, const struct decide_effect *entry,
                      size_t *first);
#endif
