/* A side: its ledger, what its effects do, and what arrives at it. */
#include "world_inside.h"
#include "checker.h"
#include <string.h>

bool world_room_for(struct world *world, size_t deal) {
  if (world->deals[deal].root >= world->roots) return false;
  for (unsigned day = 0; day < WORLD_DAYS; day++)
    if (people_on(world, day, deal) > WORLD_PEOPLE) return false;
  return true;
}

static void show_held(const struct world *world, struct world_side *side, struct message *answer) {
  for (size_t i = 0; i < side->held_count; i++) {
    const struct world_decision *held = &world->decisions[side->held[i]];
    struct id deal = world->deals[held->deal].id;
    if (deal_shows(&side->negotiation, &deal, (Collega__Verdict)held->verdict, held->position))
      answer->shown[answer->shown_count++] = side->held[i];
  }
}

static void reduce_row(struct world_row *row, const struct deal_effect *effect) {
  memset(row->ended, 0, sizeof row->ended);
  row->ended_parts = (unsigned)effect->reduction_count;
  row->ended_people = 0;
  for (size_t i = 0; i < effect->reduction_count; i++) {
    const struct reduction *part = &effect->reductions[i];
    row->ended_people += part->headcount;
    for (collega_date day = part->effective + 1; day < WORLD_DAYS; day++)
      row->ended[day] += part->headcount;
  }
}

unsigned world_people_left(const struct world *world, const struct world_side *side, size_t deal) {
  unsigned ended = side->rows[deal].ended_people, people = world->deals[deal].people;
  return ended < people ? people - ended : 0;
}

static const char *apply_effect(struct world *world, size_t root, enum side who,
                                const struct deal_effect *effect) {
  struct world_side *side = &world->sides[root][who];
  enum side other = who == SIDE_EMPLOYER ? SIDE_BIDDER : SIDE_EMPLOYER;
  size_t deal = world_find(world, &effect->deal);
  struct world_row *row = deal != NO_DEAL ? &side->rows[deal] : NULL;
  struct message *message;
  switch (effect->kind) {
  case DEAL_EFFECT_HOLD:
    if (row == NULL) return "a hold on no deal";
    row->there = true;
    row->agreed = false;
    row->days = world->deals[deal].days;
    break;
  case DEAL_EFFECT_HOLD_DROP:
    if (row == NULL) return "a drop on no deal";
    row->there = false;
    break;
  case DEAL_EFFECT_HOLD_AGREE:
    if (row == NULL || !row->there) return "agreed without a hold";
    /* As the ledger does it: the other rows of the root go. */
    for (size_t i = 0; i < world->deal_count; i++)
      if (i != deal && world->deals[i].root == root) side->rows[i].there = false;
    row->agreed = true;
    break;
  case DEAL_EFFECT_HOLD_END:
    if (row == NULL || !row->there || !row->agreed) return "an end without an agreement";
    row->days &= (2u << effect->effective) - 1;
    break;
  case DEAL_EFFECT_HOLD_REDUCE:
    if (row == NULL) return "a part of no deal";
    reduce_row(row, effect);
    break;
  case DEAL_EFFECT_SIGN_HEADER:
    world_post(world, MAIL_PROPOSAL, root, other, deal);
    break;
  case DEAL_EFFECT_SIGN_ACCEPT:
    world_post(world, ASK_ACCEPT, root, who, deal);
    break;
  case DEAL_EFFECT_SIGN_DECLINE:
    world_post(world, ASK_DECLINE, root, who, deal);
    break;
  case DEAL_EFFECT_SIGN_WITHDRAW:
    world_post(world, ASK_WITHDRAW, root, who, deal);
    break;
  case DEAL_EFFECT_SIGN_ASK:
    world_post(world, ASK_ASK, root, who, deal);
    break;
  case DEAL_EFFECT_SIGN_TERMINATE:
    /* As the ledger does it: a part of fewer than that is not signed. */
    side->too_few =
        effect->headcount > 0 && effect->headcount >= world_people_left(world, side, deal);
    if (side->too_few) break;
    message = world_post(world, ASK_TERMINATE, root, who, deal);
    message->basis = world_number_id('t', world->terminates++);
    message->headcount = effect->headcount;
    message->predecessor = side->negotiation.last_decision;
    message->effective = effect->effective;
    break;
  case DEAL_EFFECT_SIGN_EPOCH_ANSWER:
    message = world_post(world, ASK_ANSWER, root, who, NO_DEAL);
    if (side->negotiation.count > 0)
      message->deal = world_find(world, &side->negotiation.deals[0].deal);
    message->epoch = side->negotiation.answered_epoch;
    message->signed_answer =
        side->negotiation.release == RELEASE_SIGNED; /* shows both signatures */
    show_held(world, side, message);
    break;
  case DEAL_EFFECT_SIGN_RELEASE:
    world_post(world, MAIL_RELEASE, root, other, NO_DEAL);
    break;
  case DEAL_EFFECT_SIGN_RELEASE_ANSWER:
    world_post(world, MAIL_RELEASE_ANSWER, root, other, NO_DEAL)->signed_answer =
        effect->signed_answer;
    break;
  case DEAL_EFFECT_LODGE_RELEASE:
    /* A request to the decider carries a header; a party that never had one leaves it to the other. */
    if (side->negotiation.count > 0)
      world_post(world, ASK_RELEASE, root, who,
                 world_find(world, &side->negotiation.deals[0].deal));
    break;
  case DEAL_EFFECT_CHANGED:
    break;
  }
  return NULL;
}

/* One event at one side, in one transaction: all of it is stored, or nothing. *stored tells. */
const char *world_side_step(struct world *world, size_t root, enum side who,
                            struct deal_event *event, bool *taken) {
  static struct deal_effects effects;
  struct world_side *side = &world->sides[root][who];
  struct negotiation before = side->negotiation;
  event->now = world_clock(world, root, who);
  *taken = false;
  enum collega_status status = deal_step(&side->negotiation, event, &effects, NULL);
  if (!world->winding_up && world_one_in(world, 24)) { /* a crash before the commit */
    side->negotiation = before;
    return NULL;
  }
  const char *wrong = check_party_step(&before, &side->negotiation, event);
  if (wrong != NULL) return wrong;
  if (status != COLLEGA_OK) {
    world->refusals++;
    if (memcmp(&before, &side->negotiation, sizeof before) != 0)
      return "a refused event changed something";
    if (effects.count != 0) return "a refused event has effects";
    return NULL;
  }
  *taken = true;
  for (size_t i = 0; i < effects.count && wrong == NULL; i++)
    wrong = apply_effect(world, root, who, &effects.effect[i]);
  if (wrong == NULL && side->too_few) {
    struct deal_event drop = {.kind = DEAL_EVENT_TERMINATE_DROP};
    side->too_few = false;
    if (deal_step(&side->negotiation, &drop, &effects, NULL) != COLLEGA_OK)
      return "a wish that cannot be kept is not dropped";
  }
  return wrong != NULL ? wrong : check_invariants(world, root);
}

/* ---- what arrives */

void world_proposal_event(const struct world_deal *deal, struct deal_event *event) {
  event->deal = deal->id;
  event->replaces = deal->replaces;
  event->amends = deal->amends;
  event->predecessor = deal->predecessor;
  event->accept_by = deal->accept_by;
}

static size_t decision_event(const struct world *world, const struct world_decision *decision,
                             struct deal_event *event, struct id *voids) {
  size_t count = 0;
  event->deal = world->deals[decision->deal].id;
  event->epoch_number = decision->epoch;
  event->verdict = (Collega__Verdict)decision->verdict;
  event->position = decision->position;
  event->decision = decision->id;
  event->decided_predecessor = decision->predecessor;
  event->why = decision->why;
  event->effective = decision->effective;
  event->reductions = decision->reductions;
  event->reduction_count = decision->reduction_count;
  for (size_t i = 0; i < world->decision_count && decision->position > 0; i++) {
    const struct world_decision *with = &world->decisions[i];
    if (with->root == decision->root && with->step == decision->step && with->position == 0)
      voids[count++] = world->deals[with->deal].id;
  }
  event->voids = voids;
  return event->void_count = count;
}

static void remember(struct world_side *side, size_t decision) {
  for (size_t i = 0; i < side->held_count; i++)
    if (side->held[i] == decision) return;
  if (side->held_count < WORLD_SHOWN) side->held[side->held_count++] = decision;
}

const char *world_side_takes(struct world *world, const struct message *message, bool *taken) {
  struct world_side *side = &world->sides[message->root][message->side];
  struct id voids[WORLD_DEALS];
  struct deal_event event = {.kind = DEAL_EVENT_PROPOSAL};
  uint32_t named = 0;
  switch (message->kind) {
  case MAIL_PROPOSAL:
    world_proposal_event(&world->deals[message->deal], &event);
    named = world->deals[message->deal].epoch;
    break;
  case MAIL_DECISION:
    event.kind = DEAL_EVENT_DECISION;
    event.party = world_party(message->root, message->side);
    decision_event(world, &world->decisions[message->decision], &event, voids);
    break;
  case MAIL_RELEASE:
    event.kind = DEAL_EVENT_RELEASE_IN;
    break;
  case MAIL_RELEASE_ANSWER:
    event.kind = DEAL_EVENT_RELEASE_ANSWER_IN;
    event.signed_answer = message->signed_answer;
    break;
  case FRAME_QUESTION:
    event.kind = DEAL_EVENT_QUESTION;
    event.epoch_number = message->epoch;
    break;
  case ASK_ACCEPT:
  case ASK_DECLINE:
  case ASK_WITHDRAW:
  case ASK_ASK:
  case ASK_TERMINATE:
  case ASK_RELEASE:
  case ASK_ANSWER:
    return "a request went to a side";
  }
  if (event.kind == DEAL_EVENT_QUESTION && !side->negotiation.welcomed) { /* no session, no frame */
    *taken = true;
    return NULL;
  }
  bool counts = event.epoch_number >= side->negotiation.epoch_number;
  const char *wrong = world_side_step(world, message->root, message->side, &event, taken);
  if (wrong == NULL && *taken && named != 0 && side->negotiation.root_epoch_number == 0 &&
      side->negotiation.count == 1)
    side->negotiation.root_epoch_number = named;
  /* The shell keeps a decision whose deal it knows, if it is of no older epoch than it has heard of. */
  if (wrong == NULL && *taken && counts && message->kind == MAIL_DECISION &&
      negotiation_deal(&side->negotiation, &event.deal) != NULL)
    remember(side, message->decision);
  return wrong;
}

/* Some message arrives: perhaps again later, perhaps not now. Without a Welcome a decision has to wait. */
