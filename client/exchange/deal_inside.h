/* What the two sources of the deal machine share: one step's work, and the small moves that all events
 * are made of. Nothing outside deal_machine.c and deal_decision.c includes this. */
#ifndef COLLEGA_CLIENT_DEAL_INSIDE_H
#define COLLEGA_CLIENT_DEAL_INSIDE_H
#include "client/exchange/deal_machine.h"

/* One step: all borrowed from the caller of deal_step. */
struct deal_work {
  struct negotiation *negotiation;
  const struct deal_event *event;
  struct deal_effects *effects;
  struct collega_error *error;
};

/* Adds an effect on `deal` and returns it, for its other fields. */
struct deal_effect *deal_emit(struct deal_work *work, enum deal_effect_kind kind,
                              const struct id *deal);
/* COLLEGA_REFUSED with the rule's sentence. */
enum collega_status deal_refuse(struct deal_work *work, enum rule rule);
/* Leaves an open or agreed state for a final one: the hold goes, if there is one. */
void deal_settle(struct deal_work *work, struct deal_slot *slot, enum deal_phase phase,
                 enum rule why);
/* Puts the hold unless it stands already. To be called before the phase changes. */
void deal_hold(struct deal_work *work, const struct deal_slot *slot);
bool deal_is_open(const struct deal_slot *slot); /* draft, proposed, received or pending */
bool release_blocks(const struct negotiation *negotiation);  /* asked here, or full */
bool release_is_full(const struct negotiation *negotiation); /* both have signed */
bool agreement_runs(const struct negotiation *negotiation);  /* concluded, and not ended */
/* Signs TERMINATE for the last entry held, if the user wants all or a part to end and nothing forbids it. */
void terminate_sign(struct deal_work *work);

enum collega_status decision_take(struct deal_work *work) COLLEGA_MUST_CHECK;
enum collega_status release_step(struct deal_work *work)
    COLLEGA_MUST_CHECK; /* RELEASE and its answers */
/* The copy of a RELEASE or of an answer to one, fetched after a restore. */
enum collega_status release_copy(struct deal_work *work) COLLEGA_MUST_CHECK;
#endif
