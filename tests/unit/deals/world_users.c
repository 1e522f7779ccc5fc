/* What the users do. */
#include "world_inside.h"
#include <string.h>

static struct deal_slot *some_slot(struct world *world, struct negotiation *negotiation,
                                   enum deal_phase phase) {
  size_t start = negotiation->count > 0 ? world_chance(world, negotiation->count) : 0;
  for (size_t i = 0; i < negotiation->count; i++) {
    struct deal_slot *slot = &negotiation->deals[(start + i) % negotiation->count];
    if (slot->phase == phase) return slot;
  }
  return NULL;
}

static bool user_drafts(struct world *world, size_t root, enum side who, bool counter, bool amend,
                        const char **wrong) {
  struct world_side *side = &world->sides[root][who];
  struct negotiation *negotiation = &side->negotiation;
  struct deal_event event = {.kind = DEAL_EVENT_DRAFT};
  bool taken;
  if (world->deal_count == WORLD_DEALS || amend != (negotiation->position > 0)) return false;
  size_t index = world->deal_count;
  struct world_deal *deal = &world->deals[index];
  unsigned first = (unsigned)world_chance(world, WORLD_DAYS),
           last = (unsigned)(first + world_chance(world, WORLD_DAYS - first));
  *deal = (struct world_deal){
      .id = world_number_id('d', index),
      .root = root,
      .proposer = who,
      .people = 1 + (unsigned)world_chance(world, WORLD_PEOPLE),
      .days = ((2u << last) - 1) & ~((1u << first) - 1),
      .accept_by = world->now + (60 + (collega_time)world_chance(world, 400)) * SECOND_MS,
      .epoch = negotiation->epoch_number};
  if (deal->epoch == 0) return false; /* a header names an epoch: it was told by a Welcome */
  if (counter) {
    struct deal_slot *slot =
        some_slot(world, negotiation, world_one_in(world, 2) ? PHASE_RECEIVED : PHASE_PROPOSED);
    if (slot == NULL) return false;
    deal->replaces = slot->deal;
  }
  if (amend) {
    deal->amends = negotiation->last_deal;
    deal->predecessor = negotiation->last_decision;
  }
  world_proposal_event(deal, &event);
  world->deal_count++; /* the room is asked for as if it stood */
  event.room = who == SIDE_BIDDER ? !world_one_in(world, 16) : world_room_for(world, index);
  uint32_t named = deal->epoch;
  *wrong = world_side_step(world, root, who, &event, &taken);
  if (negotiation_deal(negotiation, &event.deal) == NULL)
    world->deal_count--;
  else if (negotiation->root_epoch_number == 0 && negotiation->count == 1)
    negotiation->root_epoch_number = named;
  return true;
}

/* Half of the ends are of a part, where there is more than one left. False: an end is wanted already. */
static bool user_wants_part(struct world *world, size_t root, enum side who,
                            struct deal_event *event) {
  const struct world_side *side = &world->sides[root][who];
  const struct negotiation *negotiation = &side->negotiation;
  size_t last = world_find(world, &negotiation->last_deal);
  if (negotiation->terminate_wanted) return false;
  if (negotiation->position == 0 || last == NO_DEAL || world_one_in(world, 3)) return true;
  unsigned left = world_people_left(world, side, last);
  if (left > 1) event->terminate_headcount = 1 + (uint32_t)world_chance(world, left - 1);
  return true;
}

/* False: there is nothing of the kind to do. */
bool world_user_acts(struct world *world, size_t root, enum side who, const char **wrong) {
  struct negotiation *negotiation = &world->sides[root][who].negotiation;
  struct deal_event event = {.fits = !world_one_in(world, 20), .welcomed = negotiation->welcomed};
  enum deal_phase phase = PHASE_NONE;
  bool taken;
  switch (world_chance(world, 16)) {
  case 0:
    return user_drafts(world, root, who, false, false, wrong);
  case 1:
    return user_drafts(world, root, who, true, false, wrong);
  case 2:
  case 3:
    return user_drafts(world, root, who, world_one_in(world, 4), true, wrong);
  case 4:
  case 5:
    event.kind = DEAL_EVENT_SIGN;
    phase = PHASE_DRAFT;
    break;
  case 6:
  case 7:
    event.kind = DEAL_EVENT_ACCEPT;
    phase = PHASE_RECEIVED;
    break;
  case 8:
  case 9:
  case 10:
    event.kind = DEAL_EVENT_ACCEPT_SIGN;
    phase = PHASE_RECEIVED;
    break;
  case 11:
    if (!world_one_in(world, 3)) return false;
    event.kind = world_one_in(world, 3) ? DEAL_EVENT_DECLINE : DEAL_EVENT_WITHDRAW;
    phase = event.kind == DEAL_EVENT_DECLINE ? PHASE_RECEIVED : PHASE_PROPOSED;
    break;
  case 12:
    if (!world_one_in(world, 4)) return false;
    event.kind = DEAL_EVENT_DROP_DRAFT;
    phase = world_one_in(world, 2) ? PHASE_DRAFT : PHASE_RECEIVED;
    break;
  case 13:
    if (!world_one_in(world, 8)) return false;
    event.kind = DEAL_EVENT_TERMINATE;
    event.terminate_effective = (collega_date)world_chance(world, WORLD_DAYS);
    if (!user_wants_part(world, root, who, &event)) return false;
    break;
  case 14:
    if (!world_one_in(world, 8)) return false;
    event.kind = DEAL_EVENT_RELEASE;
    break;
  default:
    event.kind = world_one_in(world, 2) ? DEAL_EVENT_RELEASE_SIGN : DEAL_EVENT_RELEASE_KEEP;
    break;
  }
  if (phase != PHASE_NONE) {
    struct deal_slot *slot = some_slot(world, negotiation, phase);
    if (slot == NULL) return false;
    event.deal = slot->deal;
    event.room = !world_one_in(world, 16) &&
                 (who == SIDE_BIDDER || world_room_for(world, world_find(world, &slot->deal)));
  }
  /* Only the daemon signs, and it does so after a Welcome; drafts are made at any time. */
  bool signs = event.kind != DEAL_EVENT_SIGN && event.kind != DEAL_EVENT_ACCEPT &&
               event.kind != DEAL_EVENT_ACCEPT_SIGN && event.kind != DEAL_EVENT_DROP_DRAFT;
  if (signs && !negotiation->welcomed) return false;
  world_note(world, "%zu: root %zu side %d does %d\n", world->step, root, (int)who,
             (int)event.kind);
  *wrong = world_side_step(world, root, who, &event, &taken);
  if (taken && event.kind == DEAL_EVENT_TERMINATE && event.terminate_headcount > 0)
    world->sides[root][who].parts_wanted++;
  return true;
}
