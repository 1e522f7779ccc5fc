/* What must hold. The first half holds each change against the table of transitions (made from
 * tests/model/transitions.txt, the same from which the Spin models have their guards); here is what each guard
 * means in the C code's terms. The second half: the invariants of the design, section 6. */
#include "checker.h"
#include "transitions_table.h"
#include <stdio.h>
#include <string.h>

static char wrong_text[256];
static size_t taken[TRANSITIONS]; /* how often each row was what allowed a change */

/* ---- guards at a party */

struct party_change {
  const struct negotiation *before;
  const struct deal_slot *slot; /* as it is after; its shape never changes */
  const struct deal_slot *old;  /* NULL: new in this step */
  const struct deal_event *event;
};

static const struct deal_slot *slot_in(const struct negotiation *negotiation,
                                       const struct id *deal) {
  for (size_t i = 0; i < negotiation->count; i++)
    if (id_equal(&negotiation->deals[i].deal, deal)) return &negotiation->deals[i];
  return NULL;
}

static bool runs(const struct negotiation *negotiation) {
  const struct deal_slot *last = slot_in(negotiation, &negotiation->last_deal);
  return negotiation->position > 0 && last != NULL && last->phase == PHASE_CONCLUDED;
}

static bool full(const struct negotiation *negotiation) {
  return negotiation->release == RELEASE_SIGNED || negotiation->release == RELEASE_DONE;
}

static bool about_it(const struct party_change *change) {
  return id_equal(&change->event->deal, &change->slot->deal);
}

static bool voids_it(const struct party_change *change) {
  const struct deal_event *event = change->event;
  const struct deal_slot *slot = change->slot;
  for (size_t i = 0; i < event->void_count; i++)
    if (id_equal(&event->voids[i], &slot->deal)) return true;
  if (event->verdict == COLLEGA__VERDICT__VERDICT_VOID) return about_it(change);
  if (about_it(change)) return false;
  if (event->verdict == COLLEGA__VERDICT__VERDICT_TERMINATED || !slot->amendment) return true;
  return id_equal(&slot->predecessor, &change->before->last_decision);
}

static bool says_released(const struct deal_event *event) {
  return event->verdict == COLLEGA__VERDICT__VERDICT_RELEASED ||
         (event->verdict == COLLEGA__VERDICT__VERDICT_VOID && event->why == RULE_released);
}

static bool releases(const struct party_change *change) {
  const struct deal_event *event = change->event;
  bool asked = change->before->release == RELEASE_ASKED;
  switch (event->kind) {
  case DEAL_EVENT_DECISION:
    return says_released(event);
  case DEAL_EVENT_RELEASE_SIGN:
    return true;
  case DEAL_EVENT_RELEASE_IN:
    return asked;
  case DEAL_EVENT_RELEASE_ANSWER_IN:
    return asked && event->signed_answer;
  case DEAL_EVENT_COPY:
    return event->act == COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE_ANSWER && event->signed_answer;
  case DEAL_EVENT_DRAFT:
  case DEAL_EVENT_SIGN:
  case DEAL_EVENT_DROP_DRAFT:
  case DEAL_EVENT_PROPOSAL:
  case DEAL_EVENT_ACCEPT:
  case DEAL_EVENT_ACCEPT_SIGN:
  case DEAL_EVENT_DECLINE:
  case DEAL_EVENT_WITHDRAW:
  case DEAL_EVENT_WELCOME:
  case DEAL_EVENT_TICK:
  case DEAL_EVENT_QUESTION:
  case DEAL_EVENT_REFUSED:
  case DEAL_EVENT_UNREACHABLE:
  case DEAL_EVENT_TERMINATE:
  case DEAL_EVENT_TERMINATE_DROP:
  case DEAL_EVENT_RELEASE:
  case DEAL_EVENT_RELEASE_KEEP:
    break;
  }
  return false;
}

static bool may_come(const struct party_change *change) {
  const struct negotiation *before = change->before;
  if (!change->slot->amendment) return before->position == 0;
  return runs(before) && id_equal(&change->slot->predecessor, &before->last_decision);
}

/* Of the chain: what became of each deal that was agreed, its parts, and the end. */
static uint32_t entries_known(const struct negotiation *before) {
  uint32_t known = before->position > 0 && !runs(before);
  for (size_t i = 0; i < before->count; i++)
    if (before->deals[i].phase == PHASE_CONCLUDED || before->deals[i].phase == PHASE_TERMINATED)
      known += 1 + before->deals[i].reduced;
  return known;
}

static bool root_open(const struct party_change *change) {
  const struct negotiation *before = change->before;
  if (full(before)) return false;
  return before->position == 0 ||
         (change->slot->amendment && (runs(before) || entries_known(before) < before->position));
}

static bool something_signed(const struct negotiation *negotiation) {
  for (size_t i = 0; i < negotiation->count; i++) {
    enum deal_phase phase = negotiation->deals[i].phase;
    if (phase == PHASE_PROPOSED || phase == PHASE_PENDING || phase == PHASE_CONCLUDED) return true;
  }
  return false;
}

static bool copies(const struct party_change *change, CollegaStore__ActKind act) {
  return change->event->kind == DEAL_EVENT_COPY && change->event->act == act;
}

static bool refuses(const struct party_change *change, CollegaStore__ActKind act) {
  return about_it(change) && (change->event->act == 0 || change->event->act == act);
}

/* A guard that is not a party's is false here. */
static bool party_guard(const struct party_change *change, unsigned guard) {
  const struct negotiation *before = change->before;
  const struct deal_event *event = change->event;
  const struct deal_slot *slot = change->slot;
  switch ((enum table_guard)guard) {
  case GUARD_ROOM:
    return event->room;
  case GUARD_FITS:
    return event->fits;
  case GUARD_IN_TIME:
    return event->now < slot->accept_by;
  case GUARD_PAST:
    return event->now >= slot->accept_by;
  case GUARD_WELCOMED:
    return event->welcomed;
  case GUARD_UNBLOCKED:
    return !full(before) && before->release != RELEASE_ASKED;
  case GUARD_MAY_COME:
    return may_come(change);
  case GUARD_RELEASE_NEW:
    return event->kind == DEAL_EVENT_RELEASE ||
           copies(change, COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE);
  case GUARD_OF_HEADER:
    return refuses(change, COLLEGA_STORE__ACT_KIND__ACT_KIND_PROPOSE);
  case GUARD_OF_ACCEPTANCE:
    return refuses(change, COLLEGA_STORE__ACT_KIND__ACT_KIND_ACCEPT);
  case GUARD_OWN_HEADER:
    return copies(change, COLLEGA_STORE__ACT_KIND__ACT_KIND_PROPOSE) && about_it(change);
  case GUARD_OWN_ACCEPTANCE:
    return copies(change, COLLEGA_STORE__ACT_KIND__ACT_KIND_ACCEPT) && about_it(change);
  case GUARD_OWN_RELEASE:
    return copies(change, COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE);
  case GUARD_OWN_ANSWER:
    return copies(change, COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE_ANSWER);
  case GUARD_ROOT_OPEN:
    return root_open(change);
  case GUARD_FULL:
    return full(before);
  case GUARD_DECLINED:
    return change->old != NULL && change->old->decline_sent;
  case GUARD_KNOWN_EPOCH:
    return before->welcomed;
  case GUARD_CURRENT:
    return event->epoch_number >= before->epoch_number;
  case GUARD_VOIDS_IT:
    return voids_it(change);
  case GUARD_MAKES_IT:
    return about_it(change) && (event->verdict == COLLEGA__VERDICT__VERDICT_CONCLUDED ||
                                event->verdict == COLLEGA__VERDICT__VERDICT_AMENDED ||
                                event->verdict == COLLEGA__VERDICT__VERDICT_REDUCED);
  case GUARD_ENDS_IT:
    return event->verdict == COLLEGA__VERDICT__VERDICT_TERMINATED ||
           (about_it(change) && event->position < before->position && !runs(before));
  case GUARD_RELEASES:
    return releases(change);
  case GUARD_RELEASE_ASKED:
    return before->release == RELEASE_ASKED;
  case GUARD_RELEASE_ASKED_BY_OTHER:
    return before->release == RELEASE_RECEIVED;
  case GUARD_SIGNED_ANSWER:
    return event->signed_answer;
  case GUARD_SOMETHING_SIGNED:
    return something_signed(before);
  case GUARD_MAY_RULE:
  case GUARD_ROOT_FREE:
  case GUARD_AMENDS:
  case GUARD_FOLLOWS:
  case GUARD_ACCEPT_IN_TIME:
  case GUARD_LATE:
  case GUARD_CANNOT_COME:
  case GUARD_SHOWN_DEAL:
  case GUARD_SHOWN_VOID:
  case GUARD_COMPLETES:
  case GUARD_LODGED:
  case GUARD_ANOTHER:
  case GUARD_NAMES_LAST:
  case GUARD_ENDS_PART:
  case GUARDS:
    break;
  }
  return false;
}

/* ---- guards at the decider */

struct decider_change {
  const struct decide_register *before, *after;
  const struct register_deal *deal; /* NULL: the chain */
  const struct decide_request *request;
  uint32_t epoch;
  collega_time now;
};

static bool chain_ended(const struct decide_register *reg) {
  return reg->last_verdict == COLLEGA__VERDICT__VERDICT_TERMINATED ||
         reg->last_verdict == COLLEGA__VERDICT__VERDICT_RELEASED;
}

static bool answered(const struct decide_register *reg, uint32_t epoch) {
  return reg->answered[0] == epoch && reg->answered[1] == epoch;
}

static bool shown(const struct decider_change *change, bool as_void) {
  const struct decide_request *request = change->request;
  for (size_t i = 0; i < request->shown_count; i++) {
    const struct shown_decision *decision = &request->shown[i];
    bool is_void = decision->verdict == COLLEGA__VERDICT__VERDICT_VOID;
    if (is_void != as_void) continue;
    if (change->deal == NULL ? decision->position > change->before->position
                             : id_equal(&decision->deal, &change->deal->deal))
      return true;
  }
  return false;
}

static bool follows(const struct decider_change *change) {
  const struct decide_register *before = change->before;
  return before->position > 0 && !chain_ended(before) &&
         id_equal(&change->request->predecessor, &before->last_decision);
}

static bool decider_guard(const struct decider_change *change, unsigned guard) {
  const struct decide_register *before = change->before, *after = change->after;
  bool amends = change->deal != NULL && change->deal->amendment;
  switch ((enum table_guard)guard) {
  case GUARD_MAY_RULE:
    return after->root_epoch == change->epoch || answered(before, change->epoch) ||
           before->released;
  case GUARD_ROOT_FREE:
    return before->position == 0;
  case GUARD_AMENDS:
    return amends;
  case GUARD_FOLLOWS:
    return follows(change);
  case GUARD_ACCEPT_IN_TIME:
    return change->now < change->request->accept_by;
  case GUARD_LATE:
    return change->now >= change->request->accept_by;
  case GUARD_CANNOT_COME:
    return before->released || (amends ? !follows(change) : before->position > 0);
  case GUARD_SHOWN_DEAL:
    return shown(change, false);
  case GUARD_SHOWN_VOID:
    return shown(change, true);
  case GUARD_COMPLETES:
    return !answered(before, change->epoch) && answered(after, change->epoch);
  case GUARD_LODGED:
    return after->released;
  case GUARD_ANOTHER:
    return change->deal == NULL || !id_equal(&change->deal->deal, &change->request->deal);
  case GUARD_ENDS_PART:
    return change->request->headcount > 0;
  case GUARD_NAMES_LAST:
    return id_equal(&change->request->terminate_predecessor, &before->last_decision);
  case GUARD_ROOM:
  case GUARD_FITS:
  case GUARD_IN_TIME:
  case GUARD_PAST:
  case GUARD_WELCOMED:
  case GUARD_UNBLOCKED:
  case GUARD_MAY_COME:
  case GUARD_RELEASE_NEW:
  case GUARD_OF_HEADER:
  case GUARD_OF_ACCEPTANCE:
  case GUARD_OWN_HEADER:
  case GUARD_OWN_ACCEPTANCE:
  case GUARD_OWN_RELEASE:
  case GUARD_OWN_ANSWER:
  case GUARD_ROOT_OPEN:
  case GUARD_FULL:
  case GUARD_DECLINED:
  case GUARD_KNOWN_EPOCH:
  case GUARD_CURRENT:
  case GUARD_VOIDS_IT:
  case GUARD_MAKES_IT:
  case GUARD_ENDS_IT:
  case GUARD_RELEASES:
  case GUARD_RELEASE_ASKED:
  case GUARD_RELEASE_ASKED_BY_OTHER:
  case GUARD_SIGNED_ANSWER:
  case GUARD_SOMETHING_SIGNED:
  case GUARDS:
    break;
  }
  return false;
}

/* ---- the table */

static bool row_allows(const struct transition *row, const struct party_change *party,
                       const struct decider_change *decider) {
  for (size_t i = 0; i < row->guard_count; i++)
    if (!(party != NULL ? party_guard(party, row->guards[i])
                        : decider_guard(decider, row->guards[i])))
      return false;
  for (size_t i = 0; i < row->denied_count; i++)
    if (party != NULL ? party_guard(party, row->denied[i]) : decider_guard(decider, row->denied[i]))
      return false;
  return true;
}

static const char *hold_against_table(enum table_object object, unsigned from, unsigned event,
                                      unsigned to, const struct party_change *party,
                                      const struct decider_change *decider) {
  static const char *const objects[] = {"proposer", "acceptor", "release", "register", "chain"};
  for (size_t i = 0; i < TRANSITIONS; i++) {
    const struct transition *row = &transitions[i];
    if (row->object == object && (row->from & 1u << from) && (row->events & 1u << event) &&
        (row->to & 1u << to) && row_allows(row, party, decider)) {
      taken[i]++;
      return NULL;
    }
  }
  snprintf(wrong_text, sizeof wrong_text, "no transition of the %s from state %u to %u on event %u",
           objects[object], from, to, event);
  return wrong_text;
}

/* Every kind of event in the table's terms; EVENTS_NONE: none changes a state. */
#define EVENTS_NONE 31
static unsigned event_of(enum deal_event_kind kind) {
  switch (kind) {
  case DEAL_EVENT_DRAFT:
    return EVENT_DRAFT;
  case DEAL_EVENT_SIGN:
    return EVENT_SIGN;
  case DEAL_EVENT_DROP_DRAFT:
    return EVENT_DROP_DRAFT;
  case DEAL_EVENT_PROPOSAL:
    return EVENT_PROPOSAL;
  case DEAL_EVENT_ACCEPT:
    return EVENT_ACCEPT;
  case DEAL_EVENT_ACCEPT_SIGN:
    return EVENT_ACCEPT_SIGN;
  case DEAL_EVENT_DECLINE:
    return EVENT_DECLINE;
  case DEAL_EVENT_WITHDRAW:
    return EVENT_WITHDRAW;
  case DEAL_EVENT_TICK:
    return EVENT_TICK;
  case DEAL_EVENT_DECISION:
    return EVENT_DECISION;
  case DEAL_EVENT_REFUSED:
    return EVENT_REFUSED;
  case DEAL_EVENT_UNREACHABLE:
    return EVENT_UNREACHABLE;
  case DEAL_EVENT_RELEASE:
    return EVENT_RELEASE;
  case DEAL_EVENT_RELEASE_IN:
    return EVENT_RELEASE_IN;
  case DEAL_EVENT_RELEASE_SIGN:
    return EVENT_RELEASE_SIGN;
  case DEAL_EVENT_RELEASE_KEEP:
    return EVENT_RELEASE_KEEP;
  case DEAL_EVENT_RELEASE_ANSWER_IN:
    return EVENT_RELEASE_ANSWER_IN;
  case DEAL_EVENT_COPY:
    return EVENT_COPY;
  case DEAL_EVENT_WELCOME:
  case DEAL_EVENT_QUESTION:
  case DEAL_EVENT_TERMINATE:
  case DEAL_EVENT_TERMINATE_DROP:
    break;
  }
  return EVENTS_NONE;
}

static unsigned state_of(const struct deal_slot *slot, bool mine) {
  if (slot == NULL) return mine ? (unsigned)STATE_PROPOSER_NONE : (unsigned)STATE_ACCEPTOR_NONE;
  switch (slot->phase) {
  case PHASE_NONE:
    return mine ? (unsigned)STATE_PROPOSER_NONE : (unsigned)STATE_ACCEPTOR_NONE;
  case PHASE_DRAFT:
    return mine ? (unsigned)STATE_PROPOSER_DRAFT : 31;
  case PHASE_PROPOSED:
    return mine ? (unsigned)STATE_PROPOSER_PROPOSED : 31;
  case PHASE_RECEIVED:
    return mine                   ? 31
           : slot->accept_drafted ? (unsigned)STATE_ACCEPTOR_ACCEPTING
                                  : (unsigned)STATE_ACCEPTOR_RECEIVED;
  case PHASE_PENDING:
    return mine ? 31 : (unsigned)STATE_ACCEPTOR_PENDING;
  case PHASE_CONCLUDED:
    return mine ? (unsigned)STATE_PROPOSER_CONCLUDED : (unsigned)STATE_ACCEPTOR_CONCLUDED;
  case PHASE_VOID:
    return mine ? (unsigned)STATE_PROPOSER_VOID : (unsigned)STATE_ACCEPTOR_VOID;
  case PHASE_RELEASED:
    return mine ? (unsigned)STATE_PROPOSER_RELEASED : (unsigned)STATE_ACCEPTOR_RELEASED;
  case PHASE_TERMINATED:
    return mine ? (unsigned)STATE_PROPOSER_TERMINATED : (unsigned)STATE_ACCEPTOR_TERMINATED;
  }
  return 31;
}

static unsigned release_state_of(enum release_phase release) {
  switch (release) {
  case RELEASE_NONE:
    return STATE_RELEASE_NONE;
  case RELEASE_ASKED:
    return STATE_RELEASE_ASKED;
  case RELEASE_SIGNED:
    return STATE_RELEASE_SIGNED;
  case RELEASE_KEPT:
    return STATE_RELEASE_KEPT;
  case RELEASE_KEPT_BY_OTHER:
    return STATE_RELEASE_KEPT_BY_OTHER;
  case RELEASE_DONE:
    return STATE_RELEASE_DONE;
  case RELEASE_RECEIVED:
    return STATE_RELEASE_RECEIVED;
  }
  return 31;
}

const char *check_party_step(const struct negotiation *before, const struct negotiation *after,
                             const struct deal_event *event) {
  const char *wrong = NULL;
  for (size_t i = 0; i < after->count && wrong == NULL; i++) {
    const struct deal_slot *slot = &after->deals[i];
    const struct deal_slot *old = i < before->count ? &before->deals[i] : NULL;
    unsigned from = state_of(old, slot->mine), to = state_of(slot, slot->mine);
    struct party_change change = {before, slot, old, event};
    if (old != NULL && !id_equal(&old->deal, &slot->deal)) return "a deal took another's place";
    if (from != to)
      wrong = hold_against_table(slot->mine ? OBJECT_PROPOSER : OBJECT_ACCEPTOR, from,
                                 event_of(event->kind), to, &change, NULL);
  }
  if (wrong == NULL && before->release != after->release) {
    static const struct deal_slot no_deal;
    struct party_change change = {before, &no_deal, NULL, event};
    wrong =
        hold_against_table(OBJECT_RELEASE, release_state_of(before->release), event_of(event->kind),
                           release_state_of(after->release), &change, NULL);
  }
  if (after->position < before->position) return "the chain went back";
  return wrong;
}

static unsigned verdict_state(int verdict) {
  if (verdict == COLLEGA__VERDICT__VERDICT_CONCLUDED) return STATE_REGISTER_CONCLUDED;
  if (verdict == COLLEGA__VERDICT__VERDICT_AMENDED) return STATE_REGISTER_AMENDED;
  return verdict == COLLEGA__VERDICT__VERDICT_VOID ? STATE_REGISTER_VOID : STATE_REGISTER_NONE;
}

static unsigned chain_state(const struct decide_register *reg) {
  if (reg->position == 0) return STATE_CHAIN_NONE;
  if (reg->last_verdict == COLLEGA__VERDICT__VERDICT_TERMINATED) return STATE_CHAIN_TERMINATED;
  if (reg->last_verdict == COLLEGA__VERDICT__VERDICT_RELEASED) return STATE_CHAIN_RELEASED;
  if (reg->last_verdict == COLLEGA__VERDICT__VERDICT_REDUCED) return STATE_CHAIN_REDUCED;
  return reg->last_verdict == COLLEGA__VERDICT__VERDICT_AMENDED ? STATE_CHAIN_AMENDED
                                                                : STATE_CHAIN_CONCLUDED;
}

const char *check_decider_step(const struct decide_register *before,
                               const struct decide_register *after,
                               const struct decide_request *request, uint32_t epoch,
                               collega_time now) {
  static const unsigned events[] = {EVENT_ACCEPT,    EVENT_DECLINE, EVENT_WITHDRAW, EVENT_ASK,
                                    EVENT_TERMINATE, EVENT_RELEASE, EVENT_ANSWER};
  const char *wrong = NULL;
  struct decider_change change = {before, after, NULL, request, epoch, now};
  for (size_t i = 0; i < after->count && wrong == NULL; i++) {
    const struct register_deal *deal = &after->deals[i];
    unsigned from = verdict_state(i < before->count ? before->deals[i].verdict : 0);
    unsigned to = verdict_state(deal->verdict);
    change.deal = deal;
    if (from != to)
      wrong = hold_against_table(OBJECT_REGISTER, from, events[request->kind], to, NULL, &change);
  }
  change.deal = NULL;
  if (wrong == NULL && after->position != before->position)
    wrong = hold_against_table(OBJECT_CHAIN, chain_state(before), events[request->kind],
                               chain_state(after), NULL, &change);
  return wrong;
}

/* ---- the invariants */

static unsigned row_people(const struct world *world, const struct world_row *row, size_t deal,
                           unsigned day) {
  unsigned people = world->deals[deal].people;
  if (!row->there || !(row->days & 1u << day)) return 0;
  return people > row->ended[day] ? people - row->ended[day] : 0;
}

unsigned people_on(const struct world *world, unsigned day, size_t with) {
  unsigned largest[WORLD_ROOTS] = {0}, sum = 0;
  for (size_t i = 0; i < world->deal_count; i++) {
    size_t root = world->deals[i].root;
    unsigned people = row_people(world, &world->sides[root][SIDE_EMPLOYER].rows[i], i, day);
    if (i == with && (world->deals[i].days & 1u << day)) people = world->deals[i].people;
    if (people > largest[root]) largest[root] = people;
  }
  for (size_t i = 0; i < world->roots; i++)
    sum += largest[i];
  return sum;
}

static bool is_agreed(const struct deal_slot *slot) {
  return slot->phase == PHASE_CONCLUDED || slot->phase == PHASE_TERMINATED;
}

static const struct register_deal *registered(const struct decide_register *reg,
                                              const struct id *deal) {
  for (size_t i = 0; i < reg->count; i++)
    if (id_equal(&reg->deals[i].deal, deal)) return &reg->deals[i];
  return NULL;
}

/* 2. Concluded at a party implies concluded at the decider; one that was restored may have to be told, but
 * never says the opposite. */
static const char *check_against_register(const struct world *world, size_t root,
                                          const struct negotiation *side) {
  const struct decide_register *reg = &world->registers[root];
  for (size_t i = 0; i < side->count; i++) {
    const struct deal_slot *slot = &side->deals[i];
    const struct register_deal *deal = registered(reg, &slot->deal);
    int verdict = deal != NULL ? deal->verdict : 0;
    bool agreed = verdict == COLLEGA__VERDICT__VERDICT_CONCLUDED ||
                  verdict == COLLEGA__VERDICT__VERDICT_AMENDED;
    if (is_agreed(slot) && !agreed && (!world->restores || verdict != 0))
      return "invariant 2: concluded at a party, not at the decider";
    if (slot->phase == PHASE_VOID && agreed)
      return "invariant 2: void at a party, concluded at the decider";
  }
  return NULL;
}

/* What the decider holds both parties to, they hold people for; unless they know of an end that it forgot. */
static const char *check_held(const struct decide_register *reg, const struct negotiation *side) {
  const struct deal_slot *slot = slot_in(side, &reg->last_deal);
  if (reg->position == 0 || chain_ended(reg) || side->position > reg->position) return NULL;
  if (slot == NULL || !(deal_holds(side, slot) || slot->phase == PHASE_TERMINATED))
    return "concluded at the decider, and a party holds nobody for it";
  return NULL;
}

static const char *check_rows(const struct world *world, size_t root, enum side who) {
  const struct world_side *side = &world->sides[root][who];
  for (size_t i = 0; i < side->negotiation.count; i++) {
    const struct deal_slot *slot = &side->negotiation.deals[i];
    const struct world_row *row = &side->rows[world_find(world, &slot->deal)];
    bool holds = deal_holds(&side->negotiation, slot);
    /* Beside an agreement the ledger drops the root's other rows; an open one has its word coming. */
    if (holds && !row->there && side->negotiation.position == 0)
      return "it holds people, and there is no hold";
    if (holds && slot->phase == PHASE_CONCLUDED && !(row->there && row->agreed))
      return "agreed, and no hold says so";
    if (!holds && row->there && slot->phase != PHASE_TERMINATED)
      return "a hold stands for a deal that holds nobody";
  }
  return NULL;
}

/* Parts of the chain's last deal that ended. */
static uint32_t reduced(const struct negotiation *negotiation) {
  const struct deal_slot *last = slot_in(negotiation, &negotiation->last_deal);
  return last != NULL ? last->reduced : 0;
}

/* 1, and at most one deal of a root is concluded; two sides at the same position hold the same. */
static const char *check_sides(const struct negotiation *one, const struct negotiation *two) {
  size_t concluded = 0;
  for (size_t i = 0; i < one->count; i++) {
    const struct deal_slot *mine = &one->deals[i], *theirs = slot_in(two, &mine->deal);
    concluded += !mine->amendment && is_agreed(mine);
    if (theirs != NULL && ((is_agreed(mine) && theirs->phase == PHASE_VOID) ||
                           (is_agreed(theirs) && mine->phase == PHASE_VOID)))
      return "invariant 1: concluded at one party, void at the other";
    for (size_t j = 0; j < two->count; j++)
      if (!mine->amendment && !two->deals[j].amendment && is_agreed(mine) &&
          is_agreed(&two->deals[j]) && !id_equal(&mine->deal, &two->deals[j].deal))
        return "invariant 6: the parties hold different deals of one root as concluded";
  }
  if (concluded > 1) return "invariant 6: two deals of one root concluded at a party";
  if (one->position == two->position && runs(one) && runs(two) &&
      (!id_equal(&one->last_deal, &two->last_deal) || reduced(one) != reduced(two)))
    return "the chains differ";
  return NULL;
}

/* 7. A part ends once for each time that its party's user wanted it; whatever is lost, said again or restored. */
static const char *check_parts(const struct world *world, size_t root) {
  const struct decide_register *reg = &world->registers[root];
  for (int who = 0; who < 2; who++) {
    const struct world_side *side = &world->sides[root][who];
    struct id party = world_party(root, (enum side)who);
    size_t ended = 0;
    for (size_t i = 0; i < reg->reduction_count; i++)
      ended += id_equal(&reg->reductions[i].part.by, &party);
    if (ended > side->parts_wanted) return "invariant 7: a part ended that nobody wanted to end";
  }
  return NULL;
}

/* What goes on is as many people at both, on every day. */
static const char *check_same_people(const struct world *world, size_t root) {
  const struct world_side *one = &world->sides[root][SIDE_EMPLOYER],
                          *two = &world->sides[root][SIDE_BIDDER];
  size_t last = world_find(world, &one->negotiation.last_deal);
  for (unsigned day = 0; day < WORLD_DAYS && one->negotiation.position > 0; day++)
    if (row_people(world, &one->rows[last], last, day) !=
        row_people(world, &two->rows[last], last, day))
      return "the parties hold different numbers of people";
  return NULL;
}

/* 4. One decision at a position, one on a deal, in each epoch. */
static const char *check_written(const struct world *world, size_t root) {
  for (size_t i = world->decision_count; i-- > 0 && world->decisions[i].step == world->step;) {
    const struct world_decision *new = &world->decisions[i];
    for (size_t j = 0; j < i; j++) {
      const struct world_decision *old = &world->decisions[j];
      if (old->root != root || old->epoch != new->epoch) continue;
      if (new->position > 0 && old->position == new->position)
        return "invariant 4: two entries at one position";
      if (old->deal == new->deal && (new->position == 0 || old->position == 0))
        return "invariant 4: two words on one deal";
    }
  }
  return NULL;
}

const char *check_invariants(const struct world *world, size_t root) {
  const struct negotiation *one = &world->sides[root][SIDE_EMPLOYER].negotiation;
  const struct negotiation *two = &world->sides[root][SIDE_BIDDER].negotiation;
  const char *wrong = NULL;
  for (unsigned day = 0; day < WORLD_DAYS; day++)
    if (people_on(world, day, WORLD_DEALS) > WORLD_PEOPLE)
      return "invariant 3: more people than are offered";
  for (int who = 0; who < 2 && wrong == NULL; who++)
    wrong = check_rows(world, root, (enum side)who);
  if (wrong == NULL) wrong = check_written(world, root);
  if (wrong == NULL) wrong = check_parts(world, root);
  if (wrong != NULL || full(one) || full(two)) return wrong; /* a full RELEASE beats the rest */
  if ((wrong = check_sides(one, two)) != NULL) return wrong;
  for (int who = 0; who < 2 && wrong == NULL; who++) {
    const struct negotiation *side = who == 0 ? one : two;
    wrong = check_against_register(world, root, side);
    if (wrong == NULL) wrong = check_held(&world->registers[root], side);
  }
  return wrong;
}

/* A deal that both know ends in one state. Of a released root one side may have heard, before it knew of the RELEASE, that
 * a deal is void, and the other after it, when no decision counts: over it is at both, and holds nobody. */
static const char *check_same_ends(const struct negotiation *one, const struct negotiation *two) {
  for (size_t i = 0; i < one->count; i++) {
    const struct deal_slot *mine = &one->deals[i], *theirs = slot_in(two, &mine->deal);
    if (theirs == NULL || mine->phase == theirs->phase) continue;
    if (!full(one) || is_agreed(mine) || is_agreed(theirs))
      return "the sides end a deal differently";
  }
  return NULL;
}

/* 5. When all are back, nothing stays open, and all three say the same. */
const char *check_settled(const struct world *world, size_t root) {
  const struct decide_register *reg = &world->registers[root];
  const struct negotiation *sides[2] = {&world->sides[root][SIDE_EMPLOYER].negotiation,
                                        &world->sides[root][SIDE_BIDDER].negotiation};
  const char *wrong = NULL;
  for (int who = 0; who < 2; who++) {
    const struct negotiation *side = sides[who];
    for (size_t i = 0; i < side->count; i++) {
      enum deal_phase phase = side->deals[i].phase;
      if (phase != PHASE_VOID && phase != PHASE_RELEASED && !is_agreed(&side->deals[i]))
        return "invariant 5: a deal stays open";
    }
    if (side->release == RELEASE_ASKED || side->release == RELEASE_RECEIVED)
      return "invariant 5: a RELEASE stays without an answer";
    if (side->terminate_wanted && runs(side)) return "a termination was lost";
  }
  if (full(sides[0]) != full(sides[1])) return "released at one party only";
  if ((wrong = check_same_ends(sides[0], sides[1])) != NULL) return wrong;
  if (full(sides[0])) {
    if (reg->position > 0 && !chain_ended(reg))
      return "both are released, and the decider says concluded";
    return NULL;
  }
  if (sides[0]->position != sides[1]->position || runs(sides[0]) != runs(sides[1]))
    return "the sides end differently";
  if (reg->position != sides[0]->position ||
      (reg->position > 0 && chain_ended(reg) == runs(sides[0])))
    return "the decider ends otherwise than the parties";
  return check_same_people(world, root);
}

const char *checker_never_taken(size_t *at) {
  while (*at < TRANSITIONS && taken[*at] > 0)
    (*at)++;
  return *at < TRANSITIONS ? transitions[(*at)++].name : NULL;
}
