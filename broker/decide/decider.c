/* The decider: what follows for a root from one request.
 *
 * Three rules carry it. A deal is ruled on once, and an entry of the chain stands at its position for ever; a
 * request about something ruled on gets the stored bytes. At most one deal of a root is concluded, and that
 * ends the others in the same step. And a decider that lost its memory to a restore says nothing new about a
 * root from before, until both parties have told it, in its new epoch, what they hold: what they show, and
 * what its backup still held, it says again in the new epoch; a request that came too early waits.
 *
 * One party may end a part of the agreement; then the chain goes on. Its entry, like the one that ends all, is signed
 * by one party only, so a party may lack several of them. Therefore each lists all parts of its deal that ended
 * before: whoever holds the newest holds all.
 *
 * How old a root is: as old as its first header. A header that replaces or amends another, on a root that is
 * not known here, is not the first; which epoch the first named is then unknown, and counts as older. */
#include "broker/decide/decider.h"
#include <string.h>

#define DEALS_PER_SIDE (REGISTER_DEALS / 2)

/* One step: all borrowed from the caller. */
struct ruling {
  struct decide_register *reg;
  const struct decide_request *request;
  uint32_t epoch;
  collega_time now;
  struct decide_effects *effects;
  bool renewed; /* everything known is said again in this step: nothing need be repeated */
  bool
      moved; /* the chain got an entry whose record id is not known before the caller has written it */
};

/* ---- effects */

static struct decide_effect *emit(struct ruling *ruling, enum decide_effect_kind kind,
                                  const struct id *deal) {
  /* At most an entry for each deal and a repeat of each entry of the chain to both: DECIDE_EFFECTS. */
  struct decide_effect *effect = &ruling->effects->effect[ruling->effects->count++];
  *effect = (struct decide_effect){.kind = kind, .deal = *deal};
  return effect;
}

static void refuse(struct ruling *ruling, Collega__RefusalCode code, enum rule why) {
  struct decide_effect *effect = emit(ruling, DECIDE_EFFECT_REFUSE, &ruling->request->deal);
  effect->party = ruling->request->party;
  effect->code = code;
  effect->why = why;
}

static void repeat(struct ruling *ruling, const struct id *party, const struct id *deal,
                   uint32_t position, int verdict, const struct id *decision) {
  if (ruling->renewed) return;
  struct decide_effect *effect = emit(ruling, DECIDE_EFFECT_REPEAT, deal);
  effect->party = *party;
  effect->position = position;
  effect->verdict = verdict;
  effect->decision = *decision;
}

static struct decide_effect *entry(struct ruling *ruling, const struct id *deal, int verdict,
                                   uint32_t position, enum rule why, const struct id *basis) {
  struct decide_effect *effect = emit(ruling, DECIDE_EFFECT_ENTRY, deal);
  effect->verdict = verdict;
  effect->position = position;
  effect->why = why;
  if (basis != NULL) effect->basis = *basis;
  return effect;
}

/* ---- the register */

static struct register_deal *find(struct decide_register *reg, const struct id *deal) {
  for (size_t i = 0; i < reg->count; i++)
    if (id_equal(&reg->deals[i].deal, deal)) return &reg->deals[i];
  return NULL;
}

static struct register_deal *at_position(struct decide_register *reg, uint32_t position) {
  for (size_t i = 0; i < reg->count; i++)
    if (reg->deals[i].verdict != 0 && reg->deals[i].position == position) return &reg->deals[i];
  return NULL;
}

static struct register_reduction *reduction_at(struct decide_register *reg, uint32_t position) {
  for (size_t i = 0; i < reg->reduction_count; i++)
    if (reg->reductions[i].position == position) return &reg->reductions[i];
  return NULL;
}

static const struct register_reduction *reduction_of_basis(const struct decide_register *reg,
                                                           const struct id *basis) {
  for (size_t i = 0; i < reg->reduction_count; i++)
    if (id_equal(&reg->reductions[i].part.basis, basis)) return &reg->reductions[i];
  return NULL;
}

static uint32_t index_of(const struct decide_register *reg, const struct id *party) {
  return id_equal(&reg->parties[0], party) ? 0 : 1;
}

static bool closes_chain(int verdict) {
  return verdict == COLLEGA__VERDICT__VERDICT_TERMINATED ||
         verdict == COLLEGA__VERDICT__VERDICT_RELEASED;
}

static bool ended(const struct decide_register *reg) {
  return closes_chain(reg->last_verdict);
}

static struct register_deal *add(struct decide_register *reg, const struct id *deal, bool amendment,
                                 uint32_t proposer) {
  size_t of_side = 0;
  for (size_t i = 0; i < reg->count; i++)
    of_side += reg->deals[i].proposer == proposer;
  if (of_side >= DEALS_PER_SIDE) return NULL;
  struct register_deal *slot = &reg->deals[reg->count++];
  *slot = (struct register_deal){.deal = *deal, .amendment = amendment, .proposer = proposer};
  return slot;
}

static bool both_answered(const struct decide_register *reg, uint32_t epoch) {
  return reg->answered[0] == epoch && reg->answered[1] == epoch;
}

/* May something new be said about this root? */
static bool may_rule(const struct ruling *ruling) {
  const struct decide_register *reg = ruling->reg;
  return reg->root_epoch == ruling->epoch || both_answered(reg, ruling->epoch);
}

static void ask_parties(struct ruling *ruling) {
  struct decide_register *reg = ruling->reg;
  for (int i = 0; i < 2; i++)
    if (reg->answered[i] != ruling->epoch)
      emit(ruling, DECIDE_EFFECT_QUESTION, &ruling->request->deal)->party = reg->parties[i];
  reg->asked = ruling->epoch;
}

/* ---- what is written */

static void void_deal(struct ruling *ruling, struct register_deal *slot, enum rule why,
                      const struct id *basis) {
  slot->verdict = COLLEGA__VERDICT__VERDICT_VOID;
  slot->position = 0;
  slot->why = why;
  slot->waiting = 0;
  entry(ruling, &slot->deal, slot->verdict, 0, why, basis);
}

static void void_open(struct ruling *ruling, bool amendments, enum rule why,
                      const struct id *basis) {
  struct decide_register *reg = ruling->reg;
  for (size_t i = 0; i < reg->count; i++)
    if (reg->deals[i].verdict == 0 && reg->deals[i].amendment == amendments)
      void_deal(ruling, &reg->deals[i], why, basis);
}

/* The next entry of the chain is a deal: the conclusion, or an amendment. */
static struct decide_effect *extend(struct ruling *ruling, struct register_deal *slot, int verdict,
                                    uint32_t position, const struct id *basis) {
  struct decide_register *reg = ruling->reg;
  slot->verdict = verdict;
  slot->position = position;
  slot->why = verdict == COLLEGA__VERDICT__VERDICT_CONCLUDED ? RULE_concluded : RULE_amended;
  slot->waiting = 0;
  ruling->moved = true;
  reg->position = position;
  reg->last_deal = slot->deal;
  reg->last_verdict = verdict;
  return entry(ruling, &slot->deal, verdict, position, slot->why, basis);
}

/* The last entry of all: terminated or released. */
static struct decide_effect *close_chain(struct ruling *ruling, const struct id *deal, int verdict,
                                         uint32_t position, const struct id *basis) {
  struct decide_register *reg = ruling->reg;
  bool terminated = verdict == COLLEGA__VERDICT__VERDICT_TERMINATED;
  ruling->moved = true;
  reg->position = position;
  reg->last_verdict = verdict;
  struct decide_effect *effect =
      entry(ruling, deal, verdict, position, terminated ? RULE_terminated : RULE_released, basis);
  effect->has_effective = terminated;
  effect->effective = reg->last_effective;
  return effect;
}

/* A part of the chain's last deal ends; the chain goes on. False: the register takes no more of them. */
static bool reduce(struct ruling *ruling, const struct reduction *part, const struct id *adopted) {
  struct decide_register *reg = ruling->reg;
  if (reg->reduction_count == REDUCTIONS_MOST) return false;
  reg->reductions[reg->reduction_count++] = (struct register_reduction){
      .position = reg->position + 1, .deal = reg->last_deal, .part = *part};
  ruling->moved = true;
  reg->position++;
  reg->last_verdict = COLLEGA__VERDICT__VERDICT_REDUCED;
  entry(ruling, &reg->last_deal, reg->last_verdict, reg->position, RULE_reduced, &part->basis)
      ->adopted = *adopted;
  return true;
}

/* The entry of the chain at a position, to one party. One that was never told to this decider is not there. */
static void repeat_entry(struct ruling *ruling, const struct id *party, uint32_t at) {
  struct decide_register *reg = ruling->reg;
  const struct register_deal *slot = at_position(reg, at);
  const struct register_reduction *part = reduction_at(reg, at);
  if (slot != NULL)
    repeat(ruling, party, &slot->deal, at, slot->verdict, &slot->decision);
  else if (part != NULL)
    repeat(ruling, party, &part->deal, at, COLLEGA__VERDICT__VERDICT_REDUCED, &part->decision);
  else if (at == reg->position && ended(reg))
    repeat(ruling, party, &reg->last_deal, at, reg->last_verdict, &reg->last_decision);
}

/* Entries of the chain from `position` on, in order, to one party. */
static void repeat_chain(struct ruling *ruling, const struct id *party, uint32_t position) {
  for (uint32_t at = position; at <= ruling->reg->position; at++)
    repeat_entry(ruling, party, at);
}

/* The stored word on a deal; for one of the chain also what followed. */
static void repeat_deal(struct ruling *ruling, const struct register_deal *slot) {
  const struct id *party = &ruling->request->party;
  if (slot->position > 0)
    repeat_chain(ruling, party, slot->position);
  else
    repeat(ruling, party, &slot->deal, 0, slot->verdict, &slot->decision);
}

/* ---- after a restore */

/* What the backup still held is said again in the new epoch, the chain first, each under a new record id. */
static void renew(struct ruling *ruling) {
  struct decide_register *reg = ruling->reg;
  if (reg->epoch == ruling->epoch) return;
  reg->epoch = ruling->epoch;
  ruling->renewed = true;
  ruling->moved = reg->position > 0;
  struct id last = reg->last_decision;
  memset(&reg->last_decision, 0, sizeof reg->last_decision); /* the first entry follows none */
  for (uint32_t position = 1; position <= reg->position; position++) {
    struct register_deal *slot = at_position(reg, position);
    const struct register_reduction *part = reduction_at(reg, position);
    if (slot != NULL)
      entry(ruling, &slot->deal, slot->verdict, position, slot->why, NULL)->adopted =
          slot->decision;
    else if (part != NULL)
      entry(ruling, &part->deal, COLLEGA__VERDICT__VERDICT_REDUCED, position, RULE_reduced,
            &part->part.basis)
          ->adopted = part->decision;
    else if (position == reg->position && ended(reg))
      close_chain(ruling, &reg->last_deal, reg->last_verdict, position, NULL)->adopted = last;
  }
  for (size_t i = 0; i < reg->count; i++) {
    struct register_deal *slot = &reg->deals[i];
    if (slot->verdict == COLLEGA__VERDICT__VERDICT_VOID)
      entry(ruling, &slot->deal, slot->verdict, 0, slot->why, NULL)->adopted = slot->decision;
  }
}

/* A shown deal that the register does not know belongs to either side: it goes where there is room. */
static struct register_deal *find_or_add(struct decide_register *reg, const struct id *deal,
                                         bool amendment, uint32_t proposer) {
  struct register_deal *slot = find(reg, deal);
  if (slot == NULL) slot = add(reg, deal, amendment, proposer);
  return slot != NULL ? slot : add(reg, deal, amendment, 1 - proposer);
}

static bool adopt_deal(struct ruling *ruling, const struct id *deal, int verdict, uint32_t position,
                       const struct id *decision) {
  bool amendment = verdict == COLLEGA__VERDICT__VERDICT_AMENDED;
  uint32_t side = index_of(ruling->reg, &ruling->request->party);
  struct register_deal *slot = find_or_add(ruling->reg, deal, amendment, side);
  if (slot == NULL || slot->verdict != 0) return false; /* ruled on: our own word stands */
  extend(ruling, slot, verdict, position, NULL)->adopted = *decision;
  return true;
}

/* What stood before the end, or before the part that ended, as far as it is not known here: the entry of the deal, and
 * the parts of it that ended. Both parties held the entry that an amendment follows, so nothing else can be missing. Of
 * most of these the record id is not told; the one right before is named. */
static bool adopt_before(struct ruling *ruling, const struct shown_decision *shown) {
  struct decide_register *reg = ruling->reg;
  static const struct id unknown;
  bool reduces = shown->verdict == COLLEGA__VERDICT__VERDICT_REDUCED;
  uint32_t parts = (uint32_t)shown->reduction_count;
  uint32_t last = reduces ? shown->position : shown->position - 1; /* of the chain that goes on */
  if (last <= parts) return false;
  uint32_t deal_at = last - parts;
  if (reg->position < deal_at) {
    int verdict =
        deal_at == 1 ? COLLEGA__VERDICT__VERDICT_CONCLUDED : COLLEGA__VERDICT__VERDICT_AMENDED;
    bool named = deal_at + 1 == shown->position;
    if (!adopt_deal(ruling, &shown->deal, verdict, deal_at, named ? &shown->predecessor : &unknown))
      return false;
  }
  if (!id_equal(&reg->last_deal, &shown->deal)) return false;
  for (uint32_t at = reg->position + 1; at <= last; at++) {
    const struct id *adopted = at == shown->position       ? &shown->decision
                               : at + 1 == shown->position ? &shown->predecessor
                                                           : &unknown;
    if (!reduce(ruling, &shown->reductions[at - deal_at - 1], adopted)) return false;
  }
  return true;
}

/* Every entry that both parties signed names one that both held; what one party ended, in part or whole, the other may
 * lack. The newest of these tells of those before it. */
static void adopt_entry(struct ruling *ruling, const struct shown_decision *shown) {
  struct decide_register *reg = ruling->reg;
  if (shown->verdict == COLLEGA__VERDICT__VERDICT_CONCLUDED ||
      shown->verdict == COLLEGA__VERDICT__VERDICT_AMENDED) {
    adopt_deal(ruling, &shown->deal, shown->verdict, shown->position, &shown->decision);
    return;
  }
  bool reduces = shown->verdict == COLLEGA__VERDICT__VERDICT_REDUCED;
  if ((reduces || reg->position + 1 < shown->position) && !adopt_before(ruling, shown)) return;
  if (reduces) return;
  reg->last_effective = shown->effective;
  close_chain(ruling, &shown->deal, shown->verdict, shown->position, NULL)->adopted =
      shown->decision;
}

static void adopt_void(struct ruling *ruling, const struct shown_decision *shown) {
  struct decide_register *reg = ruling->reg;
  uint32_t side = index_of(reg, &ruling->request->party);
  struct register_deal *slot = find_or_add(reg, &shown->deal, false, side);
  if (slot == NULL || slot->verdict != 0) return;
  enum rule why = shown->why != RULE_NONE ? shown->why : RULE_decided_before;
  void_deal(ruling, slot, why, NULL);
  ruling->effects->effect[ruling->effects->count - 1].adopted = shown->decision;
}

/* What the party shows beyond what is known here: the chain in order, then what was void. */
static void adopt(struct ruling *ruling) {
  const struct decide_request *request = ruling->request;
  struct decide_register *reg = ruling->reg;
  for (; !reg->released;) {
    const struct shown_decision *next = NULL;
    for (size_t i = 0; i < request->shown_count; i++) {
      const struct shown_decision *shown = &request->shown[i];
      if (shown->position > reg->position && (next == NULL || shown->position < next->position))
        next = shown;
    }
    uint32_t before = reg->position;
    if (next == NULL || ended(reg)) break;
    adopt_entry(ruling, next);
    if (reg->position == before) break;
  }
  for (size_t i = 0; i < request->shown_count; i++)
    if (request->shown[i].verdict == COLLEGA__VERDICT__VERDICT_VOID)
      adopt_void(ruling, &request->shown[i]);
}

/* ---- rulings */

/* The amendment does not follow on the last entry. Another came first, unless what it names is no entry as this
 * epoch has said them: then it was signed before a restore. */
static enum rule why_not_next(const struct ruling *ruling, const struct id *predecessor) {
  const struct decide_register *reg = ruling->reg;
  if (reg->root_epoch == ruling->epoch) return RULE_overtaken;
  for (size_t i = 0; i < reg->count; i++) {
    const struct register_deal *slot = &reg->deals[i];
    if (slot->verdict != 0 && slot->position > 0 && slot->position < reg->position &&
        id_equal(&slot->decision, predecessor))
      return RULE_overtaken;
  }
  for (size_t i = 0; i < reg->reduction_count; i++)
    if (reg->reductions[i].position < reg->position &&
        id_equal(&reg->reductions[i].decision, predecessor))
      return RULE_overtaken;
  return RULE_said_anew;
}

/* Why this deal can never come about any more, whatever is asked; RULE_NONE: it still can. An amendment's
 * predecessor is an entry that exists already: if it is not the last, it will not be. */
static enum rule never(const struct ruling *ruling, bool amendment, const struct id *predecessor) {
  const struct decide_register *reg = ruling->reg;
  if (reg->released) return RULE_released;
  if (!amendment) return reg->position > 0 ? RULE_replaced : RULE_NONE;
  if (reg->position == 0) return RULE_overtaken;
  if (ended(reg)) return RULE_terminated;
  bool follows = !ruling->moved && id_equal(predecessor, &reg->last_decision);
  return follows ? RULE_NONE : why_not_next(ruling, predecessor);
}

static void rule_on(struct ruling *ruling, struct register_deal *slot, enum decide_kind kind,
                    bool in_time, const struct id *predecessor, const struct id *basis) {
  struct decide_register *reg = ruling->reg;
  enum rule why = never(ruling, slot->amendment, predecessor);
  if (why == RULE_NONE && kind == DECIDE_DECLINE) why = RULE_declined;
  if (why == RULE_NONE && kind == DECIDE_WITHDRAW) why = RULE_withdrawn;
  if (why == RULE_NONE && !in_time) why = RULE_lapsed;
  if (why != RULE_NONE) {
    void_deal(ruling, slot, why, basis);
  } else if (kind == DECIDE_ACCEPT && slot->amendment) {
    extend(ruling, slot, COLLEGA__VERDICT__VERDICT_AMENDED, reg->position + 1, basis);
    void_open(ruling, true, RULE_overtaken, basis); /* none of them can name the new entry yet */
  } else if (kind == DECIDE_ACCEPT) {
    extend(ruling, slot, COLLEGA__VERDICT__VERDICT_CONCLUDED, 1, basis);
    void_open(ruling, false, RULE_replaced, basis);
  }
  /* An ASK in time: there is nothing to say yet. */
}

/* The first request that would be ruled on is kept; an ASK, which only may come to something, gives way. */
static void keep_waiting(struct ruling *ruling, struct register_deal *slot) {
  const struct decide_request *request = ruling->request;
  bool in_time = ruling->now < request->accept_by;
  if (slot->waiting != 0 && (slot->waiting != DECIDE_ASK + 1 || !slot->in_time)) return;
  slot->waiting = (int)request->kind + 1;
  slot->in_time = in_time;
  slot->waiting_basis = request->basis;
  slot->waiting_predecessor = request->predecessor;
}

static void decide_deal(struct ruling *ruling, struct register_deal *slot) {
  const struct decide_request *request = ruling->request;
  if (slot->verdict != 0) {
    repeat_deal(ruling, slot);
    if (!may_rule(ruling)) ask_parties(ruling);
    return;
  }
  if (!may_rule(ruling) && !ruling->reg->released) {
    keep_waiting(ruling, slot);
    ask_parties(ruling);
    return;
  }
  rule_on(ruling, slot, request->kind, ruling->now < request->accept_by, &request->predecessor,
          &request->basis);
}

static void decide_reduce(struct ruling *ruling) {
  const struct decide_request *request = ruling->request;
  static const struct id none;
  struct reduction part = {.headcount = request->headcount,
                           .effective = request->effective,
                           .by = request->party,
                           .basis = request->basis,
                           .time = ruling->now};
  if (reduce(ruling, &part, &none))
    void_open(ruling, true, RULE_overtaken, &request->basis); /* none can name the new entry yet */
  else
    refuse(ruling, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_QUOTA, RULE_reductions_most);
}

static void decide_terminate(struct ruling *ruling) {
  struct decide_register *reg = ruling->reg;
  const struct decide_request *request = ruling->request;
  const struct register_reduction *done = reduction_of_basis(reg, &request->basis);
  if (reg->position > 0 && ended(reg)) {
    repeat_chain(ruling, &request->party, reg->position);
  } else if (done != NULL) { /* it came before */
    repeat_chain(ruling, &request->party, done->position);
  } else if (!may_rule(ruling)) {
    ask_parties(ruling); /* the party signs again for the entry that this leads to */
  } else if (reg->position == 0 || reg->released) {
    refuse(ruling, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED, RULE_no_agreement);
  } else if (!id_equal(&request->terminate_predecessor, &reg->last_decision)) {
    refuse(ruling, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED, RULE_overtaken);
    repeat_chain(ruling, &request->party, 1);
  } else if (request->headcount > 0) {
    decide_reduce(ruling);
  } else {
    reg->last_effective = request->effective;
    close_chain(ruling, &reg->last_deal, COLLEGA__VERDICT__VERDICT_TERMINATED, reg->position + 1,
                &request->basis);
    void_open(ruling, true, RULE_terminated, &request->basis);
  }
}

/* Both signatures beat every decision, so this waits for no answer. */
static void lodge_release(struct ruling *ruling) {
  struct decide_register *reg = ruling->reg;
  const struct id *basis = &ruling->request->basis;
  reg->released = true;
  if (reg->position > 0 && !ended(reg))
    close_chain(ruling, &reg->last_deal, COLLEGA__VERDICT__VERDICT_RELEASED, reg->position + 1,
                basis);
  void_open(ruling, false, RULE_released, basis);
  void_open(ruling, true, RULE_released, basis);
}

static void decide_release(struct ruling *ruling, const struct register_deal *slot) {
  if (ruling->reg->released && slot->verdict != 0)
    repeat_deal(ruling, slot);
  else
    lodge_release(ruling);
}

/* Both have answered now: what waited is ruled on. A party that wants an end signs it for the last entry when
 * it hears that again. */
static void rule_on_waiting(struct ruling *ruling) {
  struct decide_register *reg = ruling->reg;
  for (size_t i = 0; i < reg->count; i++) {
    struct register_deal *slot = &reg->deals[i];
    if (slot->verdict != 0) continue;
    if (slot->waiting != 0) {
      struct id basis = slot->waiting_basis, predecessor = slot->waiting_predecessor;
      enum decide_kind kind = (enum decide_kind)(slot->waiting - 1);
      slot->waiting = 0;
      rule_on(ruling, slot, kind, slot->in_time, &predecessor, &basis);
    } else if (!slot->amendment && reg->position > 0) {
      void_deal(ruling, slot, RULE_replaced, NULL);
    }
  }
  if (reg->position == 0 || ruling->moved || ended(reg))
    return; /* a new entry goes to both anyway */
  for (int i = 0; i < 2; i++)
    repeat_entry(ruling, &reg->parties[i], reg->position);
}

static void take_answer(struct ruling *ruling) {
  struct decide_register *reg = ruling->reg;
  const struct decide_request *request = ruling->request;
  if (request->answer_epoch != ruling->epoch) { /* to a question that no longer counts */
    if (!may_rule(ruling)) ask_parties(ruling);
    return;
  }
  bool before = both_answered(reg, ruling->epoch);
  reg->answered[index_of(reg, &request->party)] = ruling->epoch;
  if (!before) adopt(ruling);
  if (request->shown_release) lodge_release(ruling);
  if (!before && both_answered(reg, ruling->epoch))
    rule_on_waiting(ruling);
  else if (!both_answered(reg, ruling->epoch))
    ask_parties(ruling);
}

/* ---- the step */

static void open_register(struct ruling *ruling) {
  struct decide_register *reg = ruling->reg;
  const struct decide_request *request = ruling->request;
  bool first = id_is_zero(&request->replaces) && id_is_zero(&request->amends);
  memset(reg, 0, sizeof *reg);
  reg->root = request->root;
  reg->parties[0] = request->proposer;
  reg->parties[1] = request->other;
  reg->epoch = ruling->epoch;
  /* Epoch 1 was never restored: nothing can have been forgotten. */
  reg->root_epoch = first || ruling->epoch == 1 ? request->header_epoch : 0;
}

static bool allowed(const struct decide_request *request) {
  bool by_proposer = id_equal(&request->party, &request->proposer);
  switch (request->kind) {
  case DECIDE_ACCEPT:
  case DECIDE_DECLINE:
    return !by_proposer;
  case DECIDE_WITHDRAW:
    return by_proposer;
  case DECIDE_ASK:
  case DECIDE_TERMINATE:
  case DECIDE_RELEASE:
  case DECIDE_ANSWER:
    return true;
  }
  return false;
}

/* The parties of a root are the same in each of its headers, in either role. */
static bool parties_fit(const struct decide_register *reg, const struct decide_request *request) {
  const struct id *one = &reg->parties[0], *two = &reg->parties[1];
  bool asks = id_equal(&request->party, one) || id_equal(&request->party, two);
  if (id_is_zero(&request->deal)) return asks;
  return asks && ((id_equal(&request->proposer, one) && id_equal(&request->other, two)) ||
                  (id_equal(&request->proposer, two) && id_equal(&request->other, one)));
}

void decider_step(struct decide_register *reg, const struct decide_request *request, uint32_t epoch,
                  collega_time now, struct decide_effects *effects) {
  struct ruling ruling = {
      .reg = reg, .request = request, .epoch = epoch, .now = now, .effects = effects};
  bool has_header = !id_is_zero(&request->deal);
  effects->count = 0;
  /* Only an answer may come without a header: a party can be asked about a root that it never heard of. */
  if (!has_header && (request->kind != DECIDE_ANSWER || id_is_zero(&reg->root))) {
    refuse(&ruling, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_UNKNOWN, RULE_deal_unknown);
    return;
  }
  if (id_is_zero(&reg->root)) open_register(&ruling);
  if (!parties_fit(reg, request)) {
    refuse(&ruling, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED, RULE_deal_other_parties);
    return;
  }
  if (!allowed(request)) {
    refuse(&ruling, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED, RULE_deal_not_yours);
    return;
  }
  renew(&ruling);
  struct register_deal *slot = has_header ? find(reg, &request->deal) : NULL;
  if (has_header && slot == NULL) {
    if (request->header_epoch < reg->root_epoch) reg->root_epoch = request->header_epoch;
    slot =
        add(reg, &request->deal, !id_is_zero(&request->amends), index_of(reg, &request->proposer));
  }
  if (has_header && slot == NULL) {
    refuse(&ruling, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_QUOTA, RULE_root_crowded);
    return;
  }
  switch (request->kind) {
  case DECIDE_ACCEPT:
  case DECIDE_DECLINE:
  case DECIDE_WITHDRAW:
  case DECIDE_ASK:
    decide_deal(&ruling, slot);
    return;
  case DECIDE_TERMINATE:
    decide_terminate(&ruling);
    return;
  case DECIDE_RELEASE:
    decide_release(&ruling, slot);
    return;
  case DECIDE_ANSWER:
    take_answer(&ruling);
    return;
  }
}

void decider_written(struct decide_register *reg, const struct decide_effect *effect,
                     const struct id *decision, uint32_t epoch) {
  struct register_deal *slot = find(reg, &effect->deal);
  struct register_reduction *part = reduction_at(reg, effect->position);
  if (effect->verdict == COLLEGA__VERDICT__VERDICT_REDUCED) {
    if (part != NULL) part->decision = *decision;
  } else if (slot != NULL && !closes_chain(effect->verdict)) {
    slot->decision = *decision;
  }
  if (effect->position > 0) reg->last_decision = *decision;
  reg->epoch = epoch;
}

size_t decider_listed(const struct decide_register *reg, const struct decide_effect *effect,
                      size_t *first) {
  size_t count = 0;
  *first = 0;
  if (effect->verdict != COLLEGA__VERDICT__VERDICT_REDUCED && !closes_chain(effect->verdict))
    return 0;
  for (size_t i = 0; i < reg->reduction_count; i++) {
    const struct register_reduction *part = &reg->reductions[i];
    if (part->position > effect->position || !id_equal(&part->deal, &effect->deal)) continue;
    if (count++ == 0) *first = i;
  }
  return count;
}
