/* The deal machine: what one party may do in a negotiation, and what follows from what it hears.
 *
 * A party's signature binds it until the decider has spoken, and between the two anything may happen: the
 * network loses and repeats, clocks differ, machines stop, a decider comes back from a backup. So every
 * rule here is one of three. A hold begins with a signature (or with the draft that waits for one) and ends
 * only on a DECISION or a full RELEASE. What was never signed may be dropped freely. And whatever arrives
 * twice, late or out of order changes nothing the second time.
 *
 * This file: what the user does, proposals, time, Welcome and the restored decider's question.
 * deal_decision.c: decisions and RELEASE. */
#include "client/exchange/deal_inside.h"
#include <string.h>

/* A party's clock may run ahead of its decider's. The decider says nothing when it is asked too early, so the
 * question waits this long past accept_by; clocks that differ more are set right by the next Welcome. */
#define ASK_AFTER_MS (30 * SECOND_MS)
/* Each side may bring this many deals to a root, so that neither can crowd out the other. */
#define DEALS_PER_SIDE (NEGOTIATION_DEALS / 2)

/* ---- the small moves */

struct deal_effect *deal_emit(struct deal_work *work, enum deal_effect_kind kind,
                              const struct id *deal) {
  struct deal_effects *effects = work->effects;
  /* A step makes at most three effects a deal and a few for the root: DEAL_EFFECTS holds them all. */
  struct deal_effect *effect = &effects->effect[effects->count++];
  *effect = (struct deal_effect){.kind = kind, .deal = *deal};
  return effect;
}

enum collega_status deal_refuse(struct deal_work *work, enum rule rule) {
  return error_set(work->error, COLLEGA_REFUSED, rule, NULL, NULL);
}

static enum collega_status refuse_no_room(struct deal_work *work) {
  const struct collega_error *words = work->event->no_room;
  if (words == NULL) return deal_refuse(work, RULE_no_room);
  if (work->error != NULL) *work->error = *words;
  return COLLEGA_REFUSED;
}

bool deal_is_open(const struct deal_slot *slot) {
  return slot->phase == PHASE_DRAFT || slot->phase == PHASE_PROPOSED ||
         slot->phase == PHASE_RECEIVED || slot->phase == PHASE_PENDING;
}

bool release_is_full(const struct negotiation *negotiation) {
  return negotiation->release == RELEASE_SIGNED || negotiation->release == RELEASE_DONE;
}

bool release_blocks(const struct negotiation *negotiation) {
  return negotiation->release == RELEASE_ASKED || release_is_full(negotiation);
}

struct deal_slot *negotiation_deal(struct negotiation *negotiation, const struct id *deal) {
  for (size_t i = 0; i < negotiation->count; i++)
    if (id_equal(&negotiation->deals[i].deal, deal)) return &negotiation->deals[i];
  return NULL;
}

bool agreement_runs(const struct negotiation *negotiation) {
  if (negotiation->position == 0) return false;
  for (size_t i = 0; i < negotiation->count; i++)
    if (id_equal(&negotiation->deals[i].deal, &negotiation->last_deal))
      return negotiation->deals[i].phase == PHASE_CONCLUDED;
  return false;
}

/* An amended agreement stands in its last deal alone; what is left of a terminated one until its last day
 * is in the ledger's rows and no longer changes. */
bool deal_holds(const struct negotiation *negotiation, const struct deal_slot *slot) {
  switch (slot->phase) {
  case PHASE_DRAFT:
  case PHASE_PROPOSED:
  case PHASE_PENDING:
    return true;
  case PHASE_RECEIVED:
    return slot->accept_drafted;
  case PHASE_CONCLUDED:
    return id_equal(&slot->deal, &negotiation->last_deal);
  case PHASE_NONE:
  case PHASE_VOID:
  case PHASE_RELEASED:
  case PHASE_TERMINATED:
    return false;
  }
  return false;
}

bool deal_shows(const struct negotiation *negotiation, const struct id *deal,
                Collega__Verdict verdict, uint32_t position) {
  if (verdict == COLLEGA__VERDICT__VERDICT_REDUCED && position > negotiation->position)
    return false;
  if (verdict == COLLEGA__VERDICT__VERDICT_TERMINATED ||
      verdict == COLLEGA__VERDICT__VERDICT_RELEASED)
    return position <= negotiation->position && !agreement_runs(negotiation);
  for (size_t i = 0; i < negotiation->count; i++) {
    const struct deal_slot *slot = &negotiation->deals[i];
    if (!id_equal(&slot->deal, deal)) continue;
    if (verdict == COLLEGA__VERDICT__VERDICT_VOID) /* released before it was concluded: void, too */
      return slot->phase == PHASE_VOID || slot->phase == PHASE_RELEASED;
    return slot->phase == PHASE_CONCLUDED || slot->phase == PHASE_TERMINATED;
  }
  return false;
}

void deal_hold(struct deal_work *work, const struct deal_slot *slot) {
  if (!deal_holds(work->negotiation, slot)) deal_emit(work, DEAL_EFFECT_HOLD, &slot->deal);
}

void deal_settle(struct deal_work *work, struct deal_slot *slot, enum deal_phase phase,
                 enum rule why) {
  if (deal_holds(work->negotiation, slot)) deal_emit(work, DEAL_EFFECT_HOLD_DROP, &slot->deal);
  slot->phase = phase;
  slot->why = why;
  slot->accept_drafted = false;
  deal_emit(work, DEAL_EFFECT_CHANGED, &slot->deal);
}

/* The acceptance was drafted and not signed: the proposal is as it came. */
static void undraft_acceptance(struct deal_work *work, struct deal_slot *slot) {
  deal_emit(work, DEAL_EFFECT_HOLD_DROP, &slot->deal);
  slot->accept_drafted = false;
  deal_emit(work, DEAL_EFFECT_CHANGED, &slot->deal);
}

void terminate_sign(struct deal_work *work) {
  struct negotiation *negotiation = work->negotiation;
  if (!negotiation->terminate_wanted || !agreement_runs(negotiation) || release_blocks(negotiation))
    return;
  struct deal_effect *effect = deal_emit(work, DEAL_EFFECT_SIGN_TERMINATE, &negotiation->last_deal);
  effect->effective = negotiation->terminate_effective;
  effect->headcount = negotiation->terminate_headcount;
}

static void ask(struct deal_work *work, struct deal_slot *slot) {
  deal_emit(work, DEAL_EFFECT_SIGN_ASK, &slot->deal);
}

static struct deal_slot *add_deal(struct deal_work *work, bool mine) {
  struct negotiation *negotiation = work->negotiation;
  const struct deal_event *event = work->event;
  size_t of_side = 0;
  for (size_t i = 0; i < negotiation->count; i++)
    of_side += negotiation->deals[i].mine == mine;
  if (of_side >= DEALS_PER_SIDE) return NULL;
  struct deal_slot *slot = &negotiation->deals[negotiation->count++];
  *slot = (struct deal_slot){.deal = event->deal,
                             .mine = mine,
                             .amendment = !id_is_zero(&event->amends),
                             .replaces = event->replaces,
                             .amends = event->amends,
                             .predecessor = event->predecessor,
                             .accept_by = event->accept_by};
  return slot;
}

static enum collega_status refuse_crowded(struct deal_work *work) {
  return error_set(work->error, COLLEGA_REFUSED, RULE_root_crowded, NULL, "16", NULL);
}
_Static_assert(DEALS_PER_SIDE == 16, "the words of root_crowded name the number");

/* ---- proposals */

/* May a deal of this shape still come about, as far as this party knows? */
static enum rule may_come_about(const struct negotiation *negotiation, bool amendment,
                                const struct id *predecessor) {
  if (!amendment) return negotiation->position == 0 ? RULE_NONE : RULE_replaced;
  if (!agreement_runs(negotiation)) return RULE_no_agreement;
  return id_equal(predecessor, &negotiation->last_decision) ? RULE_NONE : RULE_overtaken;
}

/* A signature of this party that may be out, or will be. A second proposal beside it must say so, with
 * `replaces`: a decider that lost its memory takes a header without it for the first of a new root. */
static bool own_signature_open(const struct negotiation *negotiation) {
  for (size_t i = 0; i < negotiation->count; i++) {
    const struct deal_slot *slot = &negotiation->deals[i];
    if (!slot->amendment && deal_is_open(slot) && deal_holds(negotiation, slot)) return true;
  }
  return false;
}

static enum collega_status draft(struct deal_work *work) {
  struct negotiation *negotiation = work->negotiation;
  const struct deal_event *event = work->event;
  bool amendment = !id_is_zero(&event->amends), counter = !id_is_zero(&event->replaces);
  if (negotiation_deal(negotiation, &event->deal) != NULL) return COLLEGA_OK;
  if (release_blocks(negotiation)) return deal_refuse(work, RULE_release_under_way);
  if (event->now >= event->accept_by) return deal_refuse(work, RULE_deal_past);
  if (counter && negotiation_deal(negotiation, &event->replaces) == NULL)
    return deal_refuse(work, RULE_deal_unknown);
  enum rule against = may_come_about(negotiation, amendment, &event->predecessor);
  if (against == RULE_replaced) against = RULE_deal_not_open;
  if (against != RULE_NONE) return deal_refuse(work, against);
  if (amendment) {
    const struct deal_slot *amended = negotiation_deal(negotiation, &event->amends);
    if (amended == NULL || amended->phase != PHASE_CONCLUDED)
      return deal_refuse(work, RULE_deal_not_open);
  } else if (!counter && own_signature_open(negotiation)) {
    return deal_refuse(work, RULE_deal_open_already);
  }
  if (!event->room) return refuse_no_room(work);
  struct deal_slot *slot = add_deal(work, true);
  if (slot == NULL) return refuse_crowded(work);
  deal_hold(work, slot);
  slot->phase = PHASE_DRAFT;
  deal_emit(work, DEAL_EFFECT_CHANGED, &slot->deal);
  return COLLEGA_OK;
}

static enum collega_status sign(struct deal_work *work, struct deal_slot *slot) {
  struct negotiation *negotiation = work->negotiation;
  if (slot->phase != PHASE_DRAFT) return deal_refuse(work, RULE_deal_not_open);
  if (!work->event->welcomed) return deal_refuse(work, RULE_not_up_to_date);
  if (release_blocks(negotiation)) return deal_refuse(work, RULE_release_under_way);
  if (work->event->now >= slot->accept_by) return deal_refuse(work, RULE_deal_past);
  enum rule against = may_come_about(negotiation, slot->amendment, &slot->predecessor);
  if (against != RULE_NONE) return deal_refuse(work, against);
  if (!work->event->room) return refuse_no_room(work);
  slot->phase = PHASE_PROPOSED;
  deal_emit(work, DEAL_EFFECT_SIGN_HEADER, &slot->deal);
  deal_emit(work, DEAL_EFFECT_CHANGED, &slot->deal);
  return COLLEGA_OK;
}

static enum collega_status drop_draft(struct deal_work *work, struct deal_slot *slot,
                                      enum rule why) {
  if (slot->phase == PHASE_DRAFT) {
    deal_settle(work, slot, PHASE_VOID, why);
    return COLLEGA_OK;
  }
  if (slot->phase != PHASE_RECEIVED || !slot->accept_drafted)
    return deal_refuse(work, RULE_deal_not_open);
  undraft_acceptance(work, slot);
  return COLLEGA_OK;
}

/* Does the chain have entries, before the one that holds, of which this party has not heard? One that was restored may
 * hear of the end first, and then of what it had amended. */
static bool entry_missing(const struct negotiation *negotiation) {
  uint32_t known = agreement_runs(negotiation) ? 0 : 1; /* the termination */
  for (size_t i = 0; i < negotiation->count; i++) {
    const struct deal_slot *slot = &negotiation->deals[i];
    if (slot->phase == PHASE_CONCLUDED || slot->phase == PHASE_TERMINATED)
      known += 1 + slot->reduced;
  }
  return known < negotiation->position;
}

/* Was it decided, before this party heard of the deal, that it cannot be? */
static bool is_over(const struct negotiation *negotiation, const struct deal_slot *slot) {
  if (negotiation->position == 0) return false;
  return !slot->amendment || (!agreement_runs(negotiation) && !entry_missing(negotiation));
}

/* A proposal may come after the word that ends it: then it is over as it arrives. An amendment whose
 * predecessor is not known here waits, and one that may be a missing entry of a chain that has ended: its own word
 * comes. */
static enum collega_status proposal(struct deal_work *work) {
  struct negotiation *negotiation = work->negotiation;
  if (negotiation_deal(negotiation, &work->event->deal) != NULL) return COLLEGA_OK;
  struct deal_slot *slot = add_deal(work, false);
  if (slot == NULL) return refuse_crowded(work);
  slot->phase = PHASE_RECEIVED;
  if (release_is_full(negotiation)) {
    slot->phase = PHASE_RELEASED;
    slot->why = RULE_released;
  } else if (is_over(negotiation, slot)) {
    slot->phase = PHASE_VOID;
    slot->why = slot->amendment ? RULE_terminated : RULE_replaced;
  }
  deal_emit(work, DEAL_EFFECT_CHANGED, &slot->deal);
  return COLLEGA_OK;
}

/* ---- the other side's answers */

static enum collega_status accept(struct deal_work *work, struct deal_slot *slot) {
  struct negotiation *negotiation = work->negotiation;
  if (slot->mine) return deal_refuse(work, RULE_deal_own);
  if (slot->phase == PHASE_PENDING || (slot->phase == PHASE_RECEIVED && slot->accept_drafted))
    return COLLEGA_OK;
  if (slot->phase != PHASE_RECEIVED) return deal_refuse(work, RULE_deal_not_open);
  if (release_blocks(negotiation)) return deal_refuse(work, RULE_release_under_way);
  if (slot->decline_sent) return deal_refuse(work, RULE_deal_declined_already);
  if (work->event->now >= slot->accept_by) return deal_refuse(work, RULE_deal_past);
  enum rule against = may_come_about(negotiation, slot->amendment, &slot->predecessor);
  if (against != RULE_NONE) return deal_refuse(work, against);
  if (!work->event->fits) return deal_refuse(work, RULE_offer_changed);
  if (!work->event->room) return refuse_no_room(work);
  deal_hold(work, slot);
  slot->accept_drafted = true;
  deal_emit(work, DEAL_EFFECT_CHANGED, &slot->deal);
  return COLLEGA_OK;
}

static enum collega_status accept_sign(struct deal_work *work, struct deal_slot *slot) {
  struct negotiation *negotiation = work->negotiation;
  if (slot->phase == PHASE_PENDING) return COLLEGA_OK;
  if (slot->phase != PHASE_RECEIVED || !slot->accept_drafted)
    return deal_refuse(work, RULE_deal_not_open);
  if (!work->event->welcomed) return deal_refuse(work, RULE_not_up_to_date);
  if (release_blocks(negotiation)) return deal_refuse(work, RULE_release_under_way);
  if (work->event->now >= slot->accept_by) return deal_refuse(work, RULE_deal_past);
  enum rule against = may_come_about(negotiation, slot->amendment, &slot->predecessor);
  if (against != RULE_NONE) return deal_refuse(work, against);
  if (!work->event->room) return refuse_no_room(work);
  slot->phase = PHASE_PENDING;
  slot->accept_drafted = false;
  deal_emit(work, DEAL_EFFECT_SIGN_ACCEPT, &slot->deal);
  deal_emit(work, DEAL_EFFECT_CHANGED, &slot->deal);
  return COLLEGA_OK;
}

static enum collega_status decline(struct deal_work *work, struct deal_slot *slot) {
  if (slot->mine) return deal_refuse(work, RULE_deal_own);
  if (slot->phase == PHASE_PENDING) return deal_refuse(work, RULE_deal_accepted_already);
  if (slot->phase != PHASE_RECEIVED) return deal_refuse(work, RULE_deal_not_open);
  if (release_blocks(work->negotiation)) return deal_refuse(work, RULE_release_under_way);
  if (slot->decline_sent) return COLLEGA_OK;
  if (slot->accept_drafted) undraft_acceptance(work, slot);
  slot->decline_sent = true;
  deal_emit(work, DEAL_EFFECT_SIGN_DECLINE, &slot->deal);
  return COLLEGA_OK;
}

static enum collega_status withdraw(struct deal_work *work, struct deal_slot *slot) {
  if (!slot->mine) return deal_refuse(work, RULE_deal_of_other);
  if (slot->phase == PHASE_DRAFT) return drop_draft(work, slot, RULE_withdrawn);
  if (slot->phase != PHASE_PROPOSED) return deal_refuse(work, RULE_deal_not_open);
  if (release_blocks(work->negotiation)) return deal_refuse(work, RULE_release_under_way);
  if (slot->withdraw_sent) return COLLEGA_OK;
  slot->withdraw_sent = true;
  deal_emit(work, DEAL_EFFECT_SIGN_WITHDRAW, &slot->deal);
  return COLLEGA_OK;
}

static void terminate_want(struct deal_work *work) {
  struct negotiation *negotiation = work->negotiation;
  negotiation->terminate_wanted = true;
  negotiation->terminate_effective = work->event->terminate_effective;
  negotiation->terminate_headcount = work->event->terminate_headcount;
}

static enum collega_status terminate(struct deal_work *work) {
  struct negotiation *negotiation = work->negotiation;
  if (!agreement_runs(negotiation)) return deal_refuse(work, RULE_no_agreement);
  if (release_blocks(negotiation)) return deal_refuse(work, RULE_release_under_way);
  if (negotiation->terminate_wanted) return COLLEGA_OK;
  terminate_want(work);
  terminate_sign(work);
  return COLLEGA_OK;
}

/* A part of what is not there any more cannot end. What is left goes on, and the user decides anew. */
static void terminate_drop(struct deal_work *work) {
  struct negotiation *negotiation = work->negotiation;
  if (!negotiation->terminate_wanted || negotiation->terminate_headcount == 0) return;
  negotiation->terminate_wanted = false;
  deal_emit(work, DEAL_EFFECT_CHANGED, &negotiation->last_deal);
}

/* ---- time and the decider's epoch */

static void tick(struct deal_work *work) {
  struct negotiation *negotiation = work->negotiation;
  collega_time now = work->event->now;
  for (size_t i = 0; i < negotiation->count; i++) {
    struct deal_slot *slot = &negotiation->deals[i];
    if (!deal_is_open(slot) || now < slot->accept_by) continue;
    if (slot->phase == PHASE_DRAFT) {
      deal_settle(work, slot, PHASE_VOID, RULE_lapsed);
      continue;
    }
    if (slot->accept_drafted) undraft_acceptance(work, slot);
    bool asked = slot->ask_sent_epoch_set && slot->ask_sent_epoch == negotiation->epoch_number;
    if (asked || now - slot->accept_by < ASK_AFTER_MS) continue;
    slot->ask_sent_epoch_set = true;
    slot->ask_sent_epoch = negotiation->epoch_number;
    ask(work, slot);
  }
}

/* Has the decider been restored since this root began, and not yet asked this party about it? */
static bool root_is_older(const struct negotiation *negotiation, uint32_t epoch) {
  uint32_t known = negotiation->root_epoch_number != 0 ? negotiation->root_epoch_number
                                                       : negotiation->epoch_number;
  return known != 0 && known < epoch && negotiation->answered_epoch < epoch;
}

/* Open deals are asked about at every Welcome. A decider that came back from a backup may not know that an
 * agreement of ours was changed or ended, and nobody else would tell it: so it is asked about that too, once. */
static void welcome(struct deal_work *work) {
  struct negotiation *negotiation = work->negotiation;
  const struct deal_event *event = work->event;
  bool older = root_is_older(negotiation, event->epoch_number);
  negotiation->welcomed = true;
  if (event->epoch_number > negotiation->epoch_number)
    negotiation->epoch_number = event->epoch_number;
  for (size_t i = 0; i < negotiation->count; i++) {
    struct deal_slot *slot = &negotiation->deals[i];
    bool past = event->now >= slot->accept_by;
    bool last = negotiation->position > 0 && id_equal(&slot->deal, &negotiation->last_deal) &&
                !release_is_full(negotiation);
    slot->ask_sent_epoch_set = false;
    if (slot->phase == PHASE_PROPOSED || slot->phase == PHASE_PENDING ||
        (slot->phase == PHASE_RECEIVED && (past || older)) || (last && older))
      ask(work, slot);
  }
  if (older && negotiation->release == RELEASE_SIGNED)
    deal_emit(work, DEAL_EFFECT_LODGE_RELEASE, &negotiation->root);
}

/* The answer tells the decider what this party holds; what it had asked and got no word on, it asks again,
 * since a restored decider has forgotten that too. */
static void question(struct deal_work *work) {
  struct negotiation *negotiation = work->negotiation;
  uint32_t epoch = work->event->epoch_number;
  if (epoch < negotiation->epoch_number) return;
  bool again = negotiation->answered_epoch == epoch;
  negotiation->epoch_number = epoch;
  negotiation->answered_epoch = epoch;
  deal_emit(work, DEAL_EFFECT_SIGN_EPOCH_ANSWER, &negotiation->root);
  if (again) return;
  for (size_t i = 0; i < negotiation->count; i++) {
    const struct deal_slot *slot = &negotiation->deals[i];
    if (slot->phase == PHASE_PENDING) deal_emit(work, DEAL_EFFECT_SIGN_ACCEPT, &slot->deal);
    if (slot->phase == PHASE_RECEIVED && slot->decline_sent)
      deal_emit(work, DEAL_EFFECT_SIGN_DECLINE, &slot->deal);
    if (slot->phase == PHASE_PROPOSED && slot->withdraw_sent)
      deal_emit(work, DEAL_EFFECT_SIGN_WITHDRAW, &slot->deal);
  }
  terminate_sign(work);
  if (negotiation->release == RELEASE_SIGNED)
    deal_emit(work, DEAL_EFFECT_LODGE_RELEASE, &negotiation->root);
}

/* ---- what the broker will not take, and what a restored party finds again */

static void unreachable_deal(struct deal_work *work, struct deal_slot *slot) {
  /* PROPOSED and PENDING stay: a signature that is out binds, whoever can still be reached. */
  if (slot->phase == PHASE_DRAFT || slot->phase == PHASE_RECEIVED)
    deal_settle(work, slot, PHASE_VOID, RULE_decider_unreachable);
}

static void unreachable(struct deal_work *work) {
  struct negotiation *negotiation = work->negotiation;
  for (size_t i = 0; i < negotiation->count; i++)
    if (id_is_zero(&work->event->deal) || id_equal(&work->event->deal, &negotiation->deals[i].deal))
      unreachable_deal(work, &negotiation->deals[i]);
}

/* A message that can never be taken binds nobody. A refused acceptance leaves the proposal as it came: an
 * earlier acceptance may have been taken (this party was restored and forgot it), so it is not void. */
static void refused(struct deal_work *work, struct deal_slot *slot) {
  CollegaStore__ActKind act = work->event->act;
  bool of_header = act == 0 || act == COLLEGA_STORE__ACT_KIND__ACT_KIND_PROPOSE;
  bool of_acceptance = act == 0 || act == COLLEGA_STORE__ACT_KIND__ACT_KIND_ACCEPT;
  if (of_header && slot->phase == PHASE_PROPOSED)
    deal_settle(work, slot, PHASE_VOID, RULE_message_refused);
  else if (of_acceptance && slot->phase == PHASE_PENDING)
    deal_settle(work, slot, PHASE_RECEIVED, RULE_NONE);
  else if (act == COLLEGA_STORE__ACT_KIND__ACT_KIND_DECLINE)
    slot->decline_sent = false;
  else if (act == COLLEGA_STORE__ACT_KIND__ACT_KIND_WITHDRAW)
    slot->withdraw_sent = false;
  else if (act == COLLEGA_STORE__ACT_KIND__ACT_KIND_ASK)
    slot->ask_sent_epoch_set = false;
}

static enum collega_status copy_header(struct deal_work *work) {
  struct negotiation *negotiation = work->negotiation;
  struct deal_slot *slot = negotiation_deal(negotiation, &work->event->deal);
  if (slot != NULL && slot->phase != PHASE_DRAFT) return COLLEGA_OK;
  if (slot == NULL) slot = add_deal(work, true);
  if (slot == NULL) return refuse_crowded(work);
  if (release_is_full(negotiation)) {
    deal_settle(work, slot, PHASE_RELEASED, RULE_released);
  } else if (is_over(negotiation, slot)) {
    deal_settle(work, slot, PHASE_VOID, slot->amendment ? RULE_terminated : RULE_replaced);
  } else {
    deal_hold(work, slot);
    slot->phase = PHASE_PROPOSED;
    deal_emit(work, DEAL_EFFECT_CHANGED, &slot->deal);
  }
  return COLLEGA_OK;
}

/* The wish to end the agreement stands again. What the copy named may have been overtaken by an amendment:
 * then it is signed for the entry that counts now. A part ends once for each time that it was asked for. */
static enum collega_status copy_terminate(struct deal_work *work) {
  struct negotiation *negotiation = work->negotiation;
  if (!agreement_runs(negotiation) || work->event->carried_out) return COLLEGA_OK;
  terminate_want(work);
  if (!id_equal(&work->event->predecessor, &negotiation->last_decision)) terminate_sign(work);
  return COLLEGA_OK;
}

static enum collega_status copy(struct deal_work *work) {
  const struct deal_event *event = work->event;
  if (event->act == COLLEGA_STORE__ACT_KIND__ACT_KIND_PROPOSE) return copy_header(work);
  if (event->act == COLLEGA_STORE__ACT_KIND__ACT_KIND_TERMINATE) return copy_terminate(work);
  if (event->act != COLLEGA_STORE__ACT_KIND__ACT_KIND_ACCEPT) return release_copy(work);
  struct deal_slot *slot = negotiation_deal(work->negotiation, &event->deal);
  if (slot == NULL) return deal_refuse(work, RULE_deal_unknown);
  if (slot->phase != PHASE_RECEIVED) return COLLEGA_OK;
  deal_hold(work, slot);
  slot->phase = PHASE_PENDING;
  slot->accept_drafted = false;
  deal_emit(work, DEAL_EFFECT_CHANGED, &slot->deal);
  return COLLEGA_OK;
}

/* ---- the step */

enum collega_status deal_step(struct negotiation *negotiation, const struct deal_event *event,
                              struct deal_effects *effects, struct collega_error *error) {
  struct deal_work work = {negotiation, event, effects, error};
  struct deal_slot *slot = negotiation_deal(negotiation, &event->deal);
  effects->count = 0;
  switch (event->kind) {
  case DEAL_EVENT_DRAFT:
    return draft(&work);
  case DEAL_EVENT_PROPOSAL:
    return proposal(&work);
  case DEAL_EVENT_SIGN:
  case DEAL_EVENT_DROP_DRAFT:
  case DEAL_EVENT_ACCEPT:
  case DEAL_EVENT_ACCEPT_SIGN:
  case DEAL_EVENT_DECLINE:
  case DEAL_EVENT_WITHDRAW:
  case DEAL_EVENT_REFUSED:
    break;
  case DEAL_EVENT_WELCOME:
    welcome(&work);
    return COLLEGA_OK;
  case DEAL_EVENT_TICK:
    tick(&work);
    return COLLEGA_OK;
  case DEAL_EVENT_DECISION:
    return decision_take(&work);
  case DEAL_EVENT_QUESTION:
    question(&work);
    return COLLEGA_OK;
  case DEAL_EVENT_UNREACHABLE:
    unreachable(&work);
    return COLLEGA_OK;
  case DEAL_EVENT_TERMINATE:
    return terminate(&work);
  case DEAL_EVENT_TERMINATE_DROP:
    terminate_drop(&work);
    return COLLEGA_OK;
  case DEAL_EVENT_RELEASE:
  case DEAL_EVENT_RELEASE_IN:
  case DEAL_EVENT_RELEASE_SIGN:
  case DEAL_EVENT_RELEASE_KEEP:
  case DEAL_EVENT_RELEASE_ANSWER_IN:
    return release_step(&work);
  case DEAL_EVENT_COPY:
    return copy(&work);
  }
  if (slot == NULL) return deal_refuse(&work, RULE_deal_unknown);
  switch (event->kind) {
  case DEAL_EVENT_SIGN:
    return sign(&work, slot);
  case DEAL_EVENT_DROP_DRAFT:
    return drop_draft(&work, slot, event->why != RULE_NONE ? event->why : RULE_withdrawn);
  case DEAL_EVENT_ACCEPT:
    return accept(&work, slot);
  case DEAL_EVENT_ACCEPT_SIGN:
    return accept_sign(&work, slot);
  case DEAL_EVENT_DECLINE:
    return decline(&work, slot);
  case DEAL_EVENT_WITHDRAW:
    return withdraw(&work, slot);
  case DEAL_EVENT_REFUSED:
    refused(&work, slot);
    return COLLEGA_OK;
  case DEAL_EVENT_DRAFT:
  case DEAL_EVENT_PROPOSAL:
  case DEAL_EVENT_WELCOME:
  case DEAL_EVENT_TICK:
  case DEAL_EVENT_DECISION:
  case DEAL_EVENT_QUESTION:
  case DEAL_EVENT_UNREACHABLE:
  case DEAL_EVENT_TERMINATE:
  case DEAL_EVENT_TERMINATE_DROP:
  case DEAL_EVENT_RELEASE:
  case DEAL_EVENT_RELEASE_IN:
  case DEAL_EVENT_RELEASE_SIGN:
  case DEAL_EVENT_RELEASE_KEEP:
  case DEAL_EVENT_RELEASE_ANSWER_IN:
  case DEAL_EVENT_COPY:
    break;
  }
  return COLLEGA_OK;
}

size_t negotiation_reductions(const struct negotiation *negotiation) {
  size_t count = 0;
  for (size_t i = 0; i < negotiation->count; i++)
    count += negotiation->deals[i].reduced;
  return count;
}

/* ---- names */

const char *deal_phase_name(enum deal_phase phase) {
  switch (phase) {
  case PHASE_NONE:
    return "none";
  case PHASE_DRAFT:
    return "draft";
  case PHASE_PROPOSED:
    return "proposed";
  case PHASE_RECEIVED:
    return "received";
  case PHASE_PENDING:
    return "pending";
  case PHASE_CONCLUDED:
    return "concluded";
  case PHASE_VOID:
    return "void";
  case PHASE_RELEASED:
    return "released";
  case PHASE_TERMINATED:
    return "terminated";
  }
  return "none";
}

void negotiation_root(struct id *out, const struct id *match, uint64_t closed) {
  uint8_t count[8];
  put_be64(count, closed);
  const struct bytes parts[] = {bytes_of(match->byte, ID_BYTES), bytes_of(count, sizeof count)};
  hash_parts(out, "collega/root/1", parts, 2);
}

/* Sorted, so that both sides come to the same id: by their bytes, a shorter one before its continuation. */
void match_id(struct id *out, struct bytes one, struct bytes other) {
  size_t common = one.length < other.length ? one.length : other.length;
  int order = memcmp(one.data, other.data, common);
  if (order == 0) order = one.length <= other.length ? -1 : 1;
  const struct bytes parts[] = {order < 0 ? one : other, order < 0 ? other : one};
  hash_parts(out, "collega/match/1", parts, 2);
}
