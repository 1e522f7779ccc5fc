/* The proof of an agreement (see proof.proto): writing it to bytes and judging it without a ledger. */
#ifndef COLLEGA_PROTO_PROOF_H
#define COLLEGA_PROTO_PROOF_H
#include "base/bytes.h"
#include "base/clock.h"
#include "proto/proof.pb-c.h"
#include "proto/reductions.h"

struct bytes proof_pack(const Collega__Proof *proof,
                        struct arena *arena); /* with magic and closing hash */
/* The same, but a closing hash that does not fit is told instead of refused, so that the judge can go on and
 * name what was changed. */
enum collega_status proof_unpack_any(struct bytes file, struct arena *arena, Collega__Proof **out,
                                     bool *hash_fits,
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status proof_unpack(struct bytes file, struct arena *arena, Collega__Proof **out,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;

/* One finding: a sentence (rule and arguments) and whether it speaks for or against. */
struct proof_finding {
  bool against;
  struct collega_error words;
};
struct proof_party {
  struct id id;
  char name[128], kvk[16], mandate_person[128], mandate_function[128];
  bool named;
};
struct proof_judgement {
  bool valid;       /* everything fits */
  bool trusted;     /* the vouching broker is one of `trusted_brokers` */
  struct id broker; /* the decider that vouches */
  char broker_name[128];
  struct proof_party lender, borrower;
  const Collega__Terms *terms; /* in force, in the arena */
  unsigned hidden;             /* sections not shown, bits 1 << kind */
  struct id deal;
  collega_time decided;                         /* conclusion */
  struct reduction reductions[REDUCTIONS_MOST]; /* parts of what is in force that one party ended */
  size_t reduction_count;
  bool terminated;
  collega_date terminated_on;
  struct proof_finding *findings;
  size_t finding_count;
};
/* Checks magic, closing hash, guard, every signature, card chains to party ids, certificates by the
 * decider valid at the decision, receipts, mandates covering the headcount at signing (or not named),
 * header/acceptance/decision belonging together, commitment, chain of entries, times (decision before
 * accept_by). `fingerprints` are those given with --trust. Never fails on bad input: the judgement says what
 * does not fit. COLLEGA_INVALID only when it is no proof file at all, or too damaged to be read. */
enum collega_status proof_judge(struct bytes file, const char *const *fingerprints,
                                size_t fingerprint_count, struct arena *arena,
                                struct proof_judgement *out,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
