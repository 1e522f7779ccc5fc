/* A party's desk: its negotiation in memory, and what the last step led to. Deals, records and parties are letters. */
#ifndef COLLEGA_TESTS_DEALS_DESK_H
#define COLLEGA_TESTS_DEALS_DESK_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "client/exchange/deal_machine.h"

#define NOW (INT64_C(1000) * DAY_MS)
#define BY  (NOW + DAY_MS)

struct desk { /* one party, and what its last step led to */
  struct negotiation negotiation;
  struct deal_effects effects;
  struct collega_error error;
};

static inline struct id name(char letter) {
  struct id id = {{0}};
  id.byte[0] = (uint8_t)letter;
  return id;
}

static inline void arrive(struct desk *desk) {
  memset(desk, 0, sizeof *desk);
  desk->negotiation.root = name('r');
  desk->negotiation.welcomed = true;
  desk->negotiation.epoch_number = desk->negotiation.root_epoch_number = 1;
}

static inline struct deal_event event_on(enum deal_event_kind kind, char deal) {
  struct deal_event event = {.kind = kind,
                             .now = NOW,
                             .room = true,
                             .fits = true,
                             .welcomed = true,
                             .accept_by = BY,
                             .epoch_number = 1,
                             .party = name('P')};
  if (deal != 0) event.deal = name(deal);
  return event;
}

static inline void step(struct desk *desk, const struct deal_event *event) {
  assert_int_equal(deal_step(&desk->negotiation, event, &desk->effects, &desk->error), COLLEGA_OK);
}

static inline void does(struct desk *desk, enum deal_event_kind kind, char deal) {
  struct deal_event event = event_on(kind, deal);
  step(desk, &event);
}

static inline void refuses_event(struct desk *desk, const struct deal_event *event,
                                 enum rule rule) {
  struct negotiation before = desk->negotiation;
  assert_int_equal(deal_step(&desk->negotiation, event, &desk->effects, &desk->error),
                   COLLEGA_REFUSED);
  assert_int_equal(desk->error.rule, rule);
  assert_int_equal(desk->effects.count, 0);
  assert_memory_equal(&before, &desk->negotiation, sizeof before);
}

static inline void refuses(struct desk *desk, enum deal_event_kind kind, char deal,
                           enum rule rule) {
  struct deal_event event = event_on(kind, deal);
  refuses_event(desk, &event, rule);
}

static inline enum deal_phase phase(struct desk *desk, char deal) {
  struct id id = name(deal);
  const struct deal_slot *slot = negotiation_deal(&desk->negotiation, &id);
  return slot != NULL ? slot->phase : PHASE_NONE;
}

static inline enum rule why(struct desk *desk, char deal) {
  struct id id = name(deal);
  return negotiation_deal(&desk->negotiation, &id)->why;
}

static inline bool holds(struct desk *desk, char deal) {
  struct id id = name(deal);
  return deal_holds(&desk->negotiation, negotiation_deal(&desk->negotiation, &id));
}

/* How many effects of the kind the last step had; on any deal with deal 0. */
static inline size_t effects_of(const struct desk *desk, enum deal_effect_kind kind, char deal) {
  struct id id = name(deal);
  size_t count = 0;
  for (size_t i = 0; i < desk->effects.count; i++)
    count += desk->effects.effect[i].kind == kind &&
             (deal == 0 || id_equal(&desk->effects.effect[i].deal, &id));
  return count;
}

static inline struct deal_event decision(char deal, Collega__Verdict verdict, uint32_t position,
                                         char record, char before) {
  struct deal_event event = event_on(DEAL_EVENT_DECISION, deal);
  event.verdict = verdict;
  event.position = position;
  event.decision = name(record);
  if (before != 0) event.decided_predecessor = name(before);
  event.why = verdict == COLLEGA__VERDICT__VERDICT_VOID ? RULE_declined : RULE_concluded;
  return event;
}

static inline void decided(struct desk *desk, char deal, Collega__Verdict verdict,
                           uint32_t position, char record) {
  struct deal_event event = decision(deal, verdict, position, record, 0);
  step(desk, &event);
}

static inline void conclude(struct desk *desk, char deal) {
  decided(desk, deal, COLLEGA__VERDICT__VERDICT_CONCLUDED, 1, '1');
}

static inline void propose(struct desk *desk, char deal) {
  does(desk, DEAL_EVENT_DRAFT, deal);
  does(desk, DEAL_EVENT_SIGN, deal);
}

static inline void accept(struct desk *desk, char deal) {
  does(desk, DEAL_EVENT_ACCEPT, deal);
  does(desk, DEAL_EVENT_ACCEPT_SIGN, deal);
}

static inline void amend(struct desk *desk, char deal, char amended, char predecessor,
                         enum deal_event_kind kind) {
  struct deal_event event = event_on(kind, deal);
  event.amends = name(amended);
  event.predecessor = name(predecessor);
  step(desk, &event);
}
#endif
