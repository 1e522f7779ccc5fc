/* Where a deal stands: of whom something is awaited, what may be done next, and what is held for it. */
#ifndef COLLEGA_CLIENT_LIBRARY_DEAL_STEPS_H
#define COLLEGA_CLIENT_LIBRARY_DEAL_STEPS_H
#include "client/library/view.h"

enum deal_awaited {
  AWAITED_NOBODY,
  AWAITED_US,      /* our answer */
  AWAITED_OTHER,   /* the other side's answer */
  AWAITED_DECIDER, /* a decision was asked for */
  AWAITED_NODE     /* our daemon is to sign or to send */
};
/* "nobody", "us", "other", "decider", "node": stable, for documents. */
const char *deal_awaited_text(enum deal_awaited awaited);

#define DEAL_STEPS_MOST 5
struct deal_steps {
  enum deal_awaited awaited;
  const char *next
      [DEAL_STEPS_MOST]; /* "accept", "release --sign": words after `collega deal`; the most likely first */
  size_t count;
};
/* `terms` may be NULL. */
void deal_steps_read(const struct view *view, const CollegaStore__DealRow *row,
                     const Collega__Terms *terms, struct deal_steps *out);

/* The deal's negotiation, as its party has it; NULL: none. */
const CollegaStore__RootRow *view_root(const struct view *view, const CollegaStore__DealRow *row);
/* The deal whose terms hold now, where that is another of the same negotiation; NULL: this one, or none. */
const ProtobufCBinaryData *view_amended_by(const struct view *view,
                                           const CollegaStore__DealRow *row);
/* Our side of the deal: an offer, or a capacity entry that stands in for one. NULL: damaged. */
const Collega__OfferRef *view_own_side(const struct view *view, const CollegaStore__DealRow *row);
/* What stands in for an offer of ours; NULL: we published one. */
const CollegaStore__Capacity *view_capacity(const struct view *view,
                                            const CollegaStore__DealRow *row);
/* The people held or agreed for it; NULL: none (any more). */
const CollegaStore__Hold *view_hold(const struct view *view, const CollegaStore__DealRow *row);
/* loan_out where we lend, loan_in where we borrow, and the same of transfers. */
Collega__OfferKind view_deal_kind(const CollegaStore__DealRow *row, const Collega__Terms *terms);
#endif
