/* The deal machine, second part: what a DECISION does, and RELEASE.
 *
 * A decision speaks for its whole root. The chain (concluded, amended or reduced ..., terminated) counts by
 * position, and the entry with the highest position that was seen is what holds; an entry that comes late only
 * tells what became of its own deal. A deal of which parts were ended goes on with fewer people: each such entry,
 * and the end, lists them all, so that none is missed for coming late. A restored decider says everything again in
 * its new epoch, under new record ids: same position, same deal, and from then on the new id is the one to follow.
 *
 * RELEASE is the only way out without the decider, so both signatures together beat every decision, earlier
 * or later. It is one question with one answer: who asks keeps its hold and signs nothing else until then. */
#include "client/exchange/deal_inside.h"
#include <string.h>

/* ---- decisions */

static void void_others(struct deal_work *work, const struct id *concluded) {
  struct negotiation *negotiation = work->negotiation;
  for (size_t i = 0; i < negotiation->count; i++) {
    struct deal_slot *slot = &negotiation->deals[i];
    if (!slot->amendment && deal_is_open(slot) && !id_equal(&slot->deal, concluded))
      deal_settle(work, slot, PHASE_VOID, RULE_replaced);
  }
}

/* Those of the root that the decision names as void with it. */
static void void_named(struct deal_work *work) {
  const struct deal_event *event = work->event;
  for (size_t i = 0; i < event->void_count; i++) {
    struct deal_slot *slot = negotiation_deal(work->negotiation, &event->voids[i]);
    if (slot != NULL && deal_is_open(slot) && !id_equal(&slot->deal, &event->deal))
      deal_settle(work, slot, PHASE_VOID, slot->amendment ? RULE_overtaken : RULE_replaced);
  }
}

/* The place after `predecessor` is taken: what wanted it is over. */
static void void_overtaken(struct deal_work *work, const struct id *predecessor,
                           const struct id *by) {
  struct negotiation *negotiation = work->negotiation;
  for (size_t i = 0; i < negotiation->count; i++) {
    struct deal_slot *slot = &negotiation->deals[i];
    if (slot->amendment && deal_is_open(slot) && !id_equal(&slot->deal, by) &&
        id_equal(&slot->predecessor, predecessor))
      deal_settle(work, slot, PHASE_VOID, RULE_overtaken);
  }
}

/* The deal becomes what is agreed: its hold takes the place of what was agreed before. */
static void agree(struct deal_work *work, struct deal_slot *slot) {
  deal_hold(work, slot);
  deal_emit(work, DEAL_EFFECT_HOLD_AGREE, &slot->deal);
  slot->phase = PHASE_CONCLUDED;
  slot->accept_drafted = false;
  slot->why = RULE_NONE;
  work->negotiation->last_deal = slot->deal;
  deal_emit(work, DEAL_EFFECT_CHANGED, &slot->deal);
}

static void end(struct deal_work *work, struct deal_slot *slot, collega_date effective) {
  slot->phase = PHASE_TERMINATED;
  slot->why = RULE_terminated;
  deal_emit(work, DEAL_EFFECT_HOLD_END, &slot->deal)->effective = effective;
  deal_emit(work, DEAL_EFFECT_CHANGED, &slot->deal);
}

/* So many parts of the deal have ended, as the decision lists them; unless more are known already. */
static void reduce(struct deal_work *work, struct deal_slot *slot) {
  const struct deal_event *event = work->event;
  if (event->reduction_count <= slot->reduced) return;
  slot->reduced = (uint32_t)event->reduction_count;
  struct deal_effect *effect = deal_emit(work, DEAL_EFFECT_HOLD_REDUCE, &slot->deal);
  effect->reductions = event->reductions;
  effect->reduction_count = event->reduction_count;
  deal_emit(work, DEAL_EFFECT_CHANGED, &slot->deal);
}

/* One that this party asked for, among those that are new here: there is no other, for each waits until the one before
 * is decided. */
static void part_is_done(struct deal_work *work, size_t known) {
  struct negotiation *negotiation = work->negotiation;
  const struct deal_event *event = work->event;
  for (size_t i = known; i < event->reduction_count; i++)
    if (negotiation->terminate_headcount > 0 && id_equal(&event->reductions[i].by, &event->party))
      negotiation->terminate_wanted = false;
}

static void set_last(struct negotiation *negotiation, const struct deal_event *event) {
  negotiation->position = event->position;
  negotiation->last_decision = event->decision;
}

static enum collega_status take_void(struct deal_work *work) {
  const struct deal_event *event = work->event;
  struct deal_slot *slot = negotiation_deal(work->negotiation, &event->deal);
  if (slot != NULL && (slot->phase == PHASE_CONCLUDED || slot->phase == PHASE_TERMINATED))
    return deal_refuse(work, RULE_decision_differs);
  if (slot != NULL && deal_is_open(slot)) deal_settle(work, slot, PHASE_VOID, event->why);
  void_named(work);
  return COLLEGA_OK;
}

/* Where in the chain the deal itself stands, of which this is an entry. */
static uint32_t deal_position(const struct deal_event *event) {
  uint32_t parts = (uint32_t)event->reduction_count;
  return event->position > parts ? event->position - parts : 0;
}

/* An entry below the one that holds: it tells what became of its deal. When all that followed it was the
 * termination, and the parts that it lists, its terms are the ones that ran until the last day. */
static enum collega_status take_earlier(struct deal_work *work) {
  struct negotiation *negotiation = work->negotiation;
  const struct deal_event *event = work->event;
  struct deal_slot *slot = negotiation_deal(negotiation, &event->deal);
  if (event->verdict == COLLEGA__VERDICT__VERDICT_TERMINATED)
    return deal_refuse(work, RULE_decision_differs);
  if (slot == NULL) return deal_refuse(work, RULE_deal_unknown);
  reduce(work, slot);
  if (!deal_is_open(slot)) return COLLEGA_OK;
  if (agreement_runs(negotiation) ||
      deal_position(event) + slot->reduced + 1 != negotiation->position) {
    deal_settle(work, slot, agreement_runs(negotiation) ? PHASE_CONCLUDED : PHASE_TERMINATED,
                RULE_NONE);
  } else {
    deal_emit(work, DEAL_EFFECT_HOLD,
              &slot->deal); /* put again: the ledger dropped it beside what was agreed */
    agree(work, slot);
    end(work, slot, negotiation->terminate_effective);
  }
  if (deal_position(event) == 1) void_others(work, &slot->deal);
  return COLLEGA_OK;
}

/* Said again, by a network that repeats or by a decider that was restored. A termination that waits is signed
 * for the id that now counts. */
static enum collega_status take_again(struct deal_work *work) {
  struct negotiation *negotiation = work->negotiation;
  const struct deal_event *event = work->event;
  bool ends = event->verdict == COLLEGA__VERDICT__VERDICT_TERMINATED;
  const struct deal_slot *last = negotiation_deal(negotiation, &negotiation->last_deal);
  if (ends == agreement_runs(negotiation) ||
      (!ends && (last == NULL || !id_equal(&event->deal, &negotiation->last_deal) ||
                 event->reduction_count != last->reduced)))
    return deal_refuse(work, RULE_decision_differs);
  negotiation->last_decision = event->decision;
  terminate_sign(work);
  return COLLEGA_OK;
}

/* A part of the deal was ended by one party. When the deal itself has yet to come in, this says that it came about. */
static enum collega_status take_reduction(struct deal_work *work) {
  struct negotiation *negotiation = work->negotiation;
  const struct deal_event *event = work->event;
  struct deal_slot *slot = negotiation_deal(negotiation, &event->deal);
  if (slot == NULL) return deal_refuse(work, RULE_deal_unknown);
  bool begun = negotiation->position > 0;
  bool last = begun && id_equal(&slot->deal, &negotiation->last_deal);
  uint32_t known = last ? slot->reduced : 0;
  bool fits = last ? deal_position(event) + known == negotiation->position : deal_is_open(slot);
  if (!fits || event->reduction_count == 0) return deal_refuse(work, RULE_decision_differs);
  struct id predecessor = negotiation->last_decision;
  bool next = event->position == negotiation->position + 1;
  if (!last) agree(work, slot);
  if (!last && (begun || deal_position(event) == 1)) void_others(work, &slot->deal);
  set_last(negotiation, event);
  reduce(work, slot);
  part_is_done(work, known);
  if (next) void_overtaken(work, &predecessor, &slot->deal);
  terminate_sign(work);
  return COLLEGA_OK;
}

static enum collega_status take_termination(struct deal_work *work) {
  struct negotiation *negotiation = work->negotiation;
  const struct deal_event *event = work->event;
  bool next = event->position == negotiation->position + 1, begun = negotiation->position > 0;
  struct deal_slot *last = negotiation_deal(
      negotiation, negotiation->position > 0 ? &negotiation->last_deal : &event->deal);
  if (last == NULL) return deal_refuse(work, RULE_deal_unknown);
  struct deal_slot *ended = negotiation_deal(negotiation, &event->deal);
  if (last->phase != PHASE_CONCLUDED) agree(work, last); /* its conclusion has yet to come */
  if (ended != NULL) reduce(work, ended);
  set_last(negotiation, event);
  negotiation->terminate_effective = event->effective;
  negotiation->terminate_wanted = false;
  end(work, last, event->effective);
  for (size_t i = 0; i < negotiation->count; i++) {
    struct deal_slot *slot = &negotiation->deals[i];
    if (slot->phase == PHASE_CONCLUDED) {
      slot->phase = PHASE_TERMINATED;
      slot->why = RULE_terminated;
      deal_emit(work, DEAL_EFFECT_CHANGED, &slot->deal);
    } else if (deal_is_open(slot) && (next || (begun && !slot->amendment))) {
      /* With an entry missing between, an open deal may be that entry: it waits for its own word. */
      deal_settle(work, slot, PHASE_VOID, slot->amendment ? RULE_terminated : RULE_replaced);
    }
  }
  return COLLEGA_OK;
}

static enum collega_status take_entry(struct deal_work *work) {
  struct negotiation *negotiation = work->negotiation;
  const struct deal_event *event = work->event;
  struct deal_slot *slot = negotiation_deal(negotiation, &event->deal);
  bool conclusion = event->verdict == COLLEGA__VERDICT__VERDICT_CONCLUDED;
  if (event->position == 0 || conclusion != (event->position == 1))
    return deal_refuse(work, RULE_decision_differs);
  if (event->position == negotiation->position) return take_again(work);
  if (event->position < negotiation->position) return take_earlier(work);
  if (negotiation->position > 0 && !agreement_runs(negotiation))
    return deal_refuse(work, RULE_decision_differs);
  if (event->verdict == COLLEGA__VERDICT__VERDICT_TERMINATED) return take_termination(work);
  if (event->verdict == COLLEGA__VERDICT__VERDICT_REDUCED) return take_reduction(work);
  if (slot == NULL) return deal_refuse(work, RULE_deal_unknown);
  if (!deal_is_open(slot)) return deal_refuse(work, RULE_decision_differs);
  struct id predecessor = negotiation->last_decision;
  bool next = event->position == negotiation->position + 1, begun = negotiation->position > 0;
  agree(work, slot);
  set_last(negotiation, event);
  if (conclusion || begun) void_others(work, &slot->deal); /* else one of them is the conclusion */
  if (next && !conclusion) void_overtaken(work, &predecessor, &slot->deal);
  void_named(work);
  terminate_sign(work);
  return COLLEGA_OK;
}

/* ---- release */

/* Both have signed: whatever stood is over, agreed people too. */
static void release_root(struct deal_work *work, enum release_phase phase) {
  struct negotiation *negotiation = work->negotiation;
  for (size_t i = 0; i < negotiation->count; i++) {
    struct deal_slot *slot = &negotiation->deals[i];
    if (slot->phase == PHASE_VOID || slot->phase == PHASE_RELEASED) continue;
    if (slot->phase == PHASE_TERMINATED && id_equal(&slot->deal, &negotiation->last_deal))
      deal_emit(work, DEAL_EFFECT_HOLD_DROP, &slot->deal); /* the days until its last one */
    deal_settle(work, slot, slot->phase == PHASE_DRAFT ? PHASE_VOID : PHASE_RELEASED,
                RULE_released);
  }
  negotiation->release = phase;
  negotiation->terminate_wanted = false;
}

enum collega_status decision_take(struct deal_work *work) {
  struct negotiation *negotiation = work->negotiation;
  const struct deal_event *event = work->event;
  /* Until a Welcome has told the decider's epoch, this may be the word of one that was restored since. */
  if (!negotiation->welcomed) return deal_refuse(work, RULE_decider_epoch_unknown);
  if (event->epoch_number < negotiation->epoch_number || release_is_full(negotiation))
    return COLLEGA_OK;
  enum collega_status status = COLLEGA_OK;
  bool releases = event->verdict == COLLEGA__VERDICT__VERDICT_RELEASED;
  bool voids = event->verdict == COLLEGA__VERDICT__VERDICT_VOID;
  if (releases || (voids && event->why == RULE_released)) {
    release_root(work, RELEASE_DONE);
    /* A decider that was restored may know of fewer entries than this party: the chain never goes back. */
    if (releases && event->position >= negotiation->position) set_last(negotiation, event);
  } else {
    status = voids ? take_void(work) : take_entry(work);
  }
  if (status == COLLEGA_OK) negotiation->epoch_number = event->epoch_number;
  return status;
}

/* What was only drafted is never signed once a RELEASE is asked for. */
static void drop_drafts(struct deal_work *work) {
  struct negotiation *negotiation = work->negotiation;
  for (size_t i = 0; i < negotiation->count; i++) {
    struct deal_slot *slot = &negotiation->deals[i];
    if (slot->phase == PHASE_DRAFT)
      deal_settle(work, slot, PHASE_VOID, RULE_withdrawn);
    else if (slot->phase == PHASE_RECEIVED && slot->accept_drafted)
      deal_settle(work, slot, PHASE_RECEIVED, RULE_NONE);
  }
}

static bool something_signed(const struct negotiation *negotiation) {
  for (size_t i = 0; i < negotiation->count; i++) {
    enum deal_phase phase = negotiation->deals[i].phase;
    if (phase == PHASE_PROPOSED || phase == PHASE_PENDING || phase == PHASE_CONCLUDED) return true;
  }
  return false;
}

static enum collega_status release_ask(struct deal_work *work) {
  struct negotiation *negotiation = work->negotiation;
  if (negotiation->release != RELEASE_NONE) return deal_refuse(work, RULE_release_asked_already);
  if (!something_signed(negotiation)) return deal_refuse(work, RULE_deal_not_open);
  drop_drafts(work);
  negotiation->release = RELEASE_ASKED;
  deal_emit(work, DEAL_EFFECT_SIGN_RELEASE, &work->event->deal);
  deal_emit(work, DEAL_EFFECT_CHANGED, &work->event->deal);
  return COLLEGA_OK;
}

static void release_answer(struct deal_work *work, bool signed_answer) {
  deal_emit(work, DEAL_EFFECT_SIGN_RELEASE_ANSWER, &work->event->deal)->signed_answer =
      signed_answer;
  if (signed_answer) {
    release_root(work, RELEASE_SIGNED);
    deal_emit(work, DEAL_EFFECT_LODGE_RELEASE, &work->negotiation->root);
  } else {
    work->negotiation->release = RELEASE_KEPT;
    deal_emit(work, DEAL_EFFECT_CHANGED, &work->event->deal);
  }
}

/* Both asked at once: both want it, so each signs the other's. A party that has KEPT never asks, so a request
 * that is repeated by the network cannot be signed after it was KEPT. */
static void release_in(struct deal_work *work) {
  struct negotiation *negotiation = work->negotiation;
  if (negotiation->release == RELEASE_ASKED) release_answer(work, true);
  if (negotiation->release != RELEASE_NONE) return;
  negotiation->release = RELEASE_RECEIVED;
  deal_emit(work, DEAL_EFFECT_CHANGED, &work->event->deal);
}

static void release_answer_in(struct deal_work *work, bool signed_answer) {
  struct negotiation *negotiation = work->negotiation;
  if (signed_answer) {
    release_root(work, RELEASE_DONE);
    deal_emit(work, DEAL_EFFECT_LODGE_RELEASE, &negotiation->root);
    return;
  }
  negotiation->release = RELEASE_KEPT_BY_OTHER;
  deal_emit(work, DEAL_EFFECT_CHANGED, &work->event->deal);
  terminate_sign(work); /* had to wait for the answer */
}

enum collega_status release_step(struct deal_work *work) {
  enum release_phase release = work->negotiation->release;
  enum deal_event_kind kind = work->event->kind;
  if (kind == DEAL_EVENT_RELEASE) return release_ask(work);
  if (kind == DEAL_EVENT_RELEASE_IN) {
    release_in(work);
  } else if (kind == DEAL_EVENT_RELEASE_ANSWER_IN) {
    if (release == RELEASE_NONE || release == RELEASE_RECEIVED)
      return deal_refuse(work, RULE_release_not_asked);
    if (release == RELEASE_ASKED) release_answer_in(work, work->event->signed_answer);
  } else {
    if (release != RELEASE_RECEIVED) return deal_refuse(work, RULE_release_not_asked);
    release_answer(work, kind == DEAL_EVENT_RELEASE_SIGN);
  }
  return COLLEGA_OK;
}

enum collega_status release_copy(struct deal_work *work) {
  struct negotiation *negotiation = work->negotiation;
  bool open = negotiation->release == RELEASE_NONE || negotiation->release == RELEASE_RECEIVED;
  if (work->event->act == COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE) {
    if (!open) return COLLEGA_OK;
    drop_drafts(work);
    negotiation->release = RELEASE_ASKED;
  } else if (work->event->act == COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE_ANSWER) {
    if (!open && negotiation->release != RELEASE_ASKED) return COLLEGA_OK;
    if (work->event->signed_answer)
      release_root(work, RELEASE_SIGNED);
    else
      negotiation->release = RELEASE_KEPT;
  }
  return COLLEGA_OK;
}
