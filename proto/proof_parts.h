/* What the parts of judging a proof share: the case, its findings, its members. Not for others. */
#ifndef COLLEGA_PROTO_PROOF_PARTS_H
#define COLLEGA_PROTO_PROOF_PARTS_H
#include "proto/members.h"
#include "proto/proof.h"

/* A record of class members, as the proof carries it. */
struct proof_item {
  bool read;      /* the view is usable */
  bool receipted; /* by the decider, and the receipt fits */
  struct run_view view;
  struct receipt_position anchor;
};
struct proof_case {
  struct arena *arena;
  const Collega__Proof *proof;
  struct proof_judgement *out;
  struct members *members;
  struct proof_item *items; /* one for each of proof->members */
  struct id decider, lender, borrower;
  size_t capacity; /* of out->findings */
  size_t against;
  bool exhausted; /* the arena is; nothing can be said */
};

/* Adds a finding. `where` names a place in the file (NULL: none); arguments may end early with NULL. */
void proof_fits(struct proof_case *judged, enum rule rule, const char *const arguments[4]);
void proof_fails(struct proof_case *judged, const char *where, enum rule rule);
void proof_fails_with(struct proof_case *judged, const char *where, enum rule rule,
                      const char *first, const char *second);
void proof_fails_error(struct proof_case *judged, const char *where,
                       const struct collega_error *error);

/* The one record of `run`, of the given kind; NULL (and a finding) when it is something else. */
const struct record *proof_record(struct proof_case *judged, const Collega__Run *run,
                                  Collega__BodyType type, const char *where, struct run_view *view);
bool proof_is_id(const ProtobufCBinaryData *field, const struct id *id);

/* Takes cards, certificates and mandates into judged->members, with the decider's receipts. */
void proof_judge_members(struct proof_case *judged);
/* The receipt's position of a record that the proof carries; NULL: none. */
const struct receipt_position *proof_anchor(const struct proof_case *judged,
                                            const struct id *record);
/* Agreement, amendments, termination. */
void proof_judge_deals(struct proof_case *judged);
#endif
