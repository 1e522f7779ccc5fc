#include "world.h"
#include "checker.h"
#include "base/words.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define STEPS        300
#define STEPS_A_ROOT 50
#define NO_DEAL      WORLD_DEALS
#define NO_MESSAGE   WORLD_MESSAGES

/* ---- chance and words */

static uint64_t chance(struct world *world, uint64_t below) {
  world->random ^= world->random << 13;
  world->random ^= world->random >> 7;
  world->random ^= world->random << 17;
  return (world->random >> 11) % below;
}

static bool one_in(struct world *world, uint64_t count) {
  return chance(world, count) == 0;
}

__attribute__((format(printf, 2, 3))) static void note(struct world *world, const char *format,
                                                       ...) {
  va_list arguments;
  size_t room = sizeof world->trace - world->trace_length;
  va_start(arguments, format);
  int written = vsnprintf(world->trace + world->trace_length, room, format, arguments);
  va_end(arguments);
  if (written > 0 && (size_t)written < room) world->trace_length += (size_t)written;
}

const char *world_wrong(struct world *world, size_t root, const char *what) {
  note(world, "step %zu, root %zu: %s\n", world->step, root, what);
  return world->trace;
}

static struct id number_id(uint8_t kind, size_t number) {
  struct id id = {{0}};
  id.byte[0] = kind;
  put_be64(id.byte + 1, number);
  return id;
}

struct id world_party(size_t root, enum side side) {
  return number_id('p', side == SIDE_EMPLOYER ? 1 : 2 + root);
}

static size_t clock_index(size_t root, enum side side) {
  return side == SIDE_EMPLOYER ? 0 : 1 + root;
}

static collega_time clock_of(const struct world *world, size_t root, enum side side) {
  return world->now + world->skew[clock_index(root, side)];
}

size_t world_find(const struct world *world, const struct id *deal) {
  uint64_t number = get_be64(deal->byte + 1);
  return deal->byte[0] == 'd' && number < world->deal_count ? (size_t)number : NO_DEAL;
}

/* ---- messages */

static struct message *post(struct world *world, enum message_kind kind, size_t root,
                            enum side side, size_t deal) {
  static struct message overflow;
  if (world->message_count == WORLD_MESSAGES) return &overflow; /* the run is ended by its caller */
  struct message *message = &world->messages[world->message_count++];
  *message = (struct message){.kind = kind, .root = root, .side = side, .deal = deal};
  message->lost = !world->winding_up && one_in(world, 8);
  return message;
}

static void remove_message(struct world *world, size_t index) {
  world->messages[index] = world->messages[--world->message_count];
}

/* ---- a side: its ledger, and what its effects do */

static bool room_for(struct world *world, size_t deal) {
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

static unsigned people_left(const struct world *world, const struct world_side *side, size_t deal) {
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
    post(world, MAIL_PROPOSAL, root, other, deal);
    break;
  case DEAL_EFFECT_SIGN_ACCEPT:
    post(world, ASK_ACCEPT, root, who, deal);
    break;
  case DEAL_EFFECT_SIGN_DECLINE:
    post(world, ASK_DECLINE, root, who, deal);
    break;
  case DEAL_EFFECT_SIGN_WITHDRAW:
    post(world, ASK_WITHDRAW, root, who, deal);
    break;
  case DEAL_EFFECT_SIGN_ASK:
    post(world, ASK_ASK, root, who, deal);
    break;
  case DEAL_EFFECT_SIGN_TERMINATE:
    /* As the ledger does it: a part of fewer than that is not signed. */
    side->too_few = effect->headcount > 0 && effect->headcount >= people_left(world, side, deal);
    if (side->too_few) break;
    message = post(world, ASK_TERMINATE, root, who, deal);
    message->basis = number_id('t', world->terminates++);
    message->headcount = effect->headcount;
    message->predecessor = side->negotiation.last_decision;
    message->effective = effect->effective;
    break;
  case DEAL_EFFECT_SIGN_EPOCH_ANSWER:
    message = post(world, ASK_ANSWER, root, who, NO_DEAL);
    if (side->negotiation.count > 0)
      message->deal = world_find(world, &side->negotiation.deals[0].deal);
    message->epoch = side->negotiation.answered_epoch;
    message->signed_answer =
        side->negotiation.release == RELEASE_SIGNED; /* shows both signatures */
    show_held(world, side, message);
    break;
  case DEAL_EFFECT_SIGN_RELEASE:
    post(world, MAIL_RELEASE, root, other, NO_DEAL);
    break;
  case DEAL_EFFECT_SIGN_RELEASE_ANSWER:
    post(world, MAIL_RELEASE_ANSWER, root, other, NO_DEAL)->signed_answer = effect->signed_answer;
    break;
  case DEAL_EFFECT_LODGE_RELEASE:
    /* A request to the decider carries a header; a party that never had one leaves it to the other. */
    if (side->negotiation.count > 0)
      post(world, ASK_RELEASE, root, who, world_find(world, &side->negotiation.deals[0].deal));
    break;
  case DEAL_EFFECT_CHANGED:
    break;
  }
  return NULL;
}

/* One event at one side, in one transaction: all of it is stored, or nothing. *stored tells. */
static const char *side_step(struct world *world, size_t root, enum side who,
                             struct deal_event *event, bool *taken) {
  static struct deal_effects effects;
  struct world_side *side = &world->sides[root][who];
  struct negotiation before = side->negotiation;
  event->now = clock_of(world, root, who);
  *taken = false;
  enum collega_status status = deal_step(&side->negotiation, event, &effects, NULL);
  if (!world->winding_up && one_in(world, 24)) { /* a crash before the commit */
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

/* ---- the decider: its store, and what its effects do */

static size_t write_decision(struct world *world, size_t root, const struct decide_effect *effect) {
  struct decide_register *reg = &world->registers[root];
  size_t index = world->decision_count++;
  struct world_decision *decision = &world->decisions[index];
  *decision = (struct world_decision){.id = number_id('e', index),
                                      .root = root,
                                      .deal = world_find(world, &effect->deal),
                                      .step = world->step,
                                      .verdict = effect->verdict,
                                      .position = effect->position,
                                      .epoch = world->epoch,
                                      .why = effect->why,
                                      .effective = effect->effective};
  size_t first;
  decision->reduction_count = decider_listed(reg, effect, &first);
  for (size_t i = 0; i < decision->reduction_count; i++)
    decision->reductions[i] = reg->reductions[first + i].part;
  if (effect->position > 1) decision->predecessor = reg->last_decision;
  decider_written(reg, effect, &decision->id, world->epoch);
  note(world, "  decision %zu of root %zu, epoch %u: deal %zu verdict %d position %u, %s\n", index,
       root, world->epoch, decision->deal, effect->verdict, effect->position,
       rule_name(effect->why));
  return index;
}

static const char *decider_effect(struct world *world, size_t root,
                                  const struct decide_effect *effect) {
  struct id employer = world_party(root, SIDE_EMPLOYER);
  enum side to = id_equal(&effect->party, &employer) ? SIDE_EMPLOYER : SIDE_BIDDER;
  size_t index;
  switch (effect->kind) {
  case DECIDE_EFFECT_ENTRY:
    if (world->decision_count == WORLD_DECISIONS) return "too many decisions";
    index = write_decision(world, root, effect);
    world->adopted += !id_is_zero(&effect->adopted);
    world->concluded += effect->verdict == COLLEGA__VERDICT__VERDICT_CONCLUDED;
    world->amended += effect->verdict == COLLEGA__VERDICT__VERDICT_AMENDED;
    world->reduced += effect->verdict == COLLEGA__VERDICT__VERDICT_REDUCED;
    world->terminated += effect->verdict == COLLEGA__VERDICT__VERDICT_TERMINATED;
    world->released += effect->verdict == COLLEGA__VERDICT__VERDICT_RELEASED;
    world->voided += effect->verdict == COLLEGA__VERDICT__VERDICT_VOID;
    post(world, MAIL_DECISION, root, SIDE_EMPLOYER, NO_DEAL)->decision = index;
    post(world, MAIL_DECISION, root, SIDE_BIDDER, NO_DEAL)->decision = index;
    break;
  case DECIDE_EFFECT_REPEAT:
    index = (size_t)get_be64(effect->decision.byte + 1);
    if (effect->decision.byte[0] != 'e' || index >= world->decision_count ||
        world->decisions[index].lost)
      return "a decision is repeated that is not stored";
    if (world->decisions[index].epoch != world->epoch)
      return "a decision of an older epoch is repeated";
    post(world, MAIL_DECISION, root, to, NO_DEAL)->decision = index;
    break;
  case DECIDE_EFFECT_QUESTION:
    world->questions++;
    if (world->winding_up ||
        !one_in(world, 3)) /* a frame of the session, not mail: it may find nobody */
      post(world, FRAME_QUESTION, root, to, NO_DEAL)->epoch = world->epoch;
    break;
  case DECIDE_EFFECT_REFUSE:
    world->refusals++;
    break;
  }
  return NULL;
}

static void show(const struct world *world, const struct message *message,
                 struct shown_decision *shown) {
  for (size_t i = 0; i < message->shown_count; i++) {
    const struct world_decision *decision = &world->decisions[message->shown[i]];
    shown[i] = (struct shown_decision){.deal = world->deals[decision->deal].id,
                                       .decision = decision->id,
                                       .predecessor = decision->predecessor,
                                       .verdict = decision->verdict,
                                       .position = decision->position,
                                       .epoch = decision->epoch,
                                       .effective = decision->effective,
                                       .why = decision->why,
                                       .reduction_count = decision->reduction_count};
    memcpy(shown[i].reductions, decision->reductions, sizeof shown[i].reductions);
  }
}

static enum decide_kind kind_of(enum message_kind kind) {
  switch (kind) {
  case ASK_ACCEPT:
    return DECIDE_ACCEPT;
  case ASK_DECLINE:
    return DECIDE_DECLINE;
  case ASK_WITHDRAW:
    return DECIDE_WITHDRAW;
  case ASK_ASK:
    return DECIDE_ASK;
  case ASK_TERMINATE:
    return DECIDE_TERMINATE;
  case ASK_RELEASE:
    return DECIDE_RELEASE;
  case ASK_ANSWER:
  case MAIL_PROPOSAL:
  case MAIL_DECISION:
  case MAIL_RELEASE:
  case MAIL_RELEASE_ANSWER:
  case FRAME_QUESTION:
    break;
  }
  return DECIDE_ANSWER;
}

static const char *decider_takes(struct world *world, const struct message *message, bool *taken) {
  static struct decide_effects effects;
  struct shown_decision shown[WORLD_SHOWN];
  size_t root = message->root;
  struct decide_register *reg = &world->registers[root], before = *reg;
  struct decide_request request = {
      .kind = kind_of(message->kind),
      .party = world_party(root, message->side),
      .root = number_id('r', root),
      .basis = message->kind == ASK_TERMINATE ? message->basis : number_id('b', world->step),
      .terminate_predecessor = message->predecessor,
      .effective = message->effective,
      .headcount = message->headcount,
      .answer_epoch = message->epoch,
      .shown = shown,
      .shown_count = message->shown_count,
      .shown_release = message->kind == ASK_ANSWER && message->signed_answer};
  show(world, message, shown);
  if (message->deal != NO_DEAL) {
    const struct world_deal *deal = &world->deals[message->deal];
    enum side other = deal->proposer == SIDE_EMPLOYER ? SIDE_BIDDER : SIDE_EMPLOYER;
    request.deal = deal->id;
    request.proposer = world_party(root, deal->proposer);
    request.other = world_party(root, other);
    request.replaces = deal->replaces;
    request.amends = deal->amends;
    request.predecessor = deal->predecessor;
    request.header_epoch = deal->epoch;
    request.accept_by = deal->accept_by;
  }
  collega_time now = world->now + world->decider_skew;
  decider_step(reg, &request, world->epoch, now, &effects);
  *taken = false;
  if (!world->winding_up &&
      one_in(world, 24)) { /* a crash before the fsync: nothing was answered */
    *reg = before;
    return NULL;
  }
  *taken = true;
  const char *wrong = check_decider_step(&before, reg, &request, world->epoch, now);
  for (size_t i = 0; i < effects.count && wrong == NULL; i++)
    wrong = decider_effect(world, root, &effects.effect[i]);
  return wrong != NULL ? wrong : check_invariants(world, root);
}

static collega_time some_skew(struct world *world, uint64_t seconds) {
  return ((collega_time)chance(world, 2 * seconds) - (collega_time)seconds) * SECOND_MS;
}

static void restore_decider(struct world *world) {
  memcpy(world->registers, world->backup, sizeof world->registers);
  for (size_t i = world->backup_decisions; i < world->decision_count; i++)
    world->decisions[i].lost = true;
  world->epoch++;
  world->restores = true;
  world->decider_skew = some_skew(world, world->steady ? 12 : 60);
  /* What stood in the mailboxes and was not fetched may be gone as well; so is every question. */
  for (size_t i = world->message_count; i-- > 0;) {
    const struct message *message = &world->messages[i];
    if (message->kind == FRAME_QUESTION || (message->kind == MAIL_DECISION && one_in(world, 2)))
      remove_message(world, i);
  }
}

static void back_up_decider(struct world *world) {
  memcpy(world->backup, world->registers, sizeof world->backup);
  world->backup_decisions = world->decision_count;
}

/* ---- what arrives */

static void proposal_event(const struct world_deal *deal, struct deal_event *event) {
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

static const char *side_takes(struct world *world, const struct message *message, bool *taken) {
  struct world_side *side = &world->sides[message->root][message->side];
  struct id voids[WORLD_DEALS];
  struct deal_event event = {.kind = DEAL_EVENT_PROPOSAL};
  uint32_t named = 0;
  switch (message->kind) {
  case MAIL_PROPOSAL:
    proposal_event(&world->deals[message->deal], &event);
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
  const char *wrong = side_step(world, message->root, message->side, &event, taken);
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
static const char *deliver(struct world *world, size_t index) {
  struct message message = world->messages[index];
  bool to_decider = message.kind >= ASK_ACCEPT, taken = false;
  note(world, "%zu: %s message %d of root %zu side %d deal %zu\n", world->step,
       to_decider ? "decider takes" : "takes", (int)message.kind, message.root, (int)message.side,
       message.kind == MAIL_DECISION ? world->decisions[message.decision].deal : message.deal);
  const char *wrong =
      to_decider ? decider_takes(world, &message, &taken) : side_takes(world, &message, &taken);
  bool waits = !taken && message.kind == MAIL_DECISION &&
               !world->sides[message.root][message.side].negotiation.welcomed;
  bool again = !world->winding_up && one_in(world, 4);
  if (wrong == NULL && !waits && !again && (taken || world->winding_up))
    remove_message(world, index);
  else
    world->messages[index].delivered = taken;
  return wrong;
}

/* ---- what the users do */

static struct deal_slot *some_slot(struct world *world, struct negotiation *negotiation,
                                   enum deal_phase phase) {
  size_t start = negotiation->count > 0 ? chance(world, negotiation->count) : 0;
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
  unsigned first = (unsigned)chance(world, WORLD_DAYS),
           last = (unsigned)(first + chance(world, WORLD_DAYS - first));
  *deal = (struct world_deal){.id = number_id('d', index),
                              .root = root,
                              .proposer = who,
                              .people = 1 + (unsigned)chance(world, WORLD_PEOPLE),
                              .days = ((2u << last) - 1) & ~((1u << first) - 1),
                              .accept_by =
                                  world->now + (60 + (collega_time)chance(world, 400)) * SECOND_MS,
                              .epoch = negotiation->epoch_number};
  if (deal->epoch == 0) return false; /* a header names an epoch: it was told by a Welcome */
  if (counter) {
    struct deal_slot *slot =
        some_slot(world, negotiation, one_in(world, 2) ? PHASE_RECEIVED : PHASE_PROPOSED);
    if (slot == NULL) return false;
    deal->replaces = slot->deal;
  }
  if (amend) {
    deal->amends = negotiation->last_deal;
    deal->predecessor = negotiation->last_decision;
  }
  proposal_event(deal, &event);
  world->deal_count++; /* the room is asked for as if it stood */
  event.room = who == SIDE_BIDDER ? !one_in(world, 16) : room_for(world, index);
  uint32_t named = deal->epoch;
  *wrong = side_step(world, root, who, &event, &taken);
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
  if (negotiation->position == 0 || last == NO_DEAL || one_in(world, 3)) return true;
  unsigned left = people_left(world, side, last);
  if (left > 1) event->terminate_headcount = 1 + (uint32_t)chance(world, left - 1);
  return true;
}

/* False: there is nothing of the kind to do. */
static bool user_acts(struct world *world, size_t root, enum side who, const char **wrong) {
  struct negotiation *negotiation = &world->sides[root][who].negotiation;
  struct deal_event event = {.fits = !one_in(world, 20), .welcomed = negotiation->welcomed};
  enum deal_phase phase = PHASE_NONE;
  bool taken;
  switch (chance(world, 16)) {
  case 0:
    return user_drafts(world, root, who, false, false, wrong);
  case 1:
    return user_drafts(world, root, who, true, false, wrong);
  case 2:
  case 3:
    return user_drafts(world, root, who, one_in(world, 4), true, wrong);
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
    if (!one_in(world, 3)) return false;
    event.kind = one_in(world, 3) ? DEAL_EVENT_DECLINE : DEAL_EVENT_WITHDRAW;
    phase = event.kind == DEAL_EVENT_DECLINE ? PHASE_RECEIVED : PHASE_PROPOSED;
    break;
  case 12:
    if (!one_in(world, 4)) return false;
    event.kind = DEAL_EVENT_DROP_DRAFT;
    phase = one_in(world, 2) ? PHASE_DRAFT : PHASE_RECEIVED;
    break;
  case 13:
    if (!one_in(world, 8)) return false;
    event.kind = DEAL_EVENT_TERMINATE;
    event.terminate_effective = (collega_date)chance(world, WORLD_DAYS);
    if (!user_wants_part(world, root, who, &event)) return false;
    break;
  case 14:
    if (!one_in(world, 8)) return false;
    event.kind = DEAL_EVENT_RELEASE;
    break;
  default:
    event.kind = one_in(world, 2) ? DEAL_EVENT_RELEASE_SIGN : DEAL_EVENT_RELEASE_KEEP;
    break;
  }
  if (phase != PHASE_NONE) {
    struct deal_slot *slot = some_slot(world, negotiation, phase);
    if (slot == NULL) return false;
    event.deal = slot->deal;
    event.room = !one_in(world, 16) &&
                 (who == SIDE_BIDDER || room_for(world, world_find(world, &slot->deal)));
  }
  /* Only the daemon signs, and it does so after a Welcome; drafts are made at any time. */
  bool signs = event.kind != DEAL_EVENT_SIGN && event.kind != DEAL_EVENT_ACCEPT &&
               event.kind != DEAL_EVENT_ACCEPT_SIGN && event.kind != DEAL_EVENT_DROP_DRAFT;
  if (signs && !negotiation->welcomed) return false;
  note(world, "%zu: root %zu side %d does %d\n", world->step, root, (int)who, (int)event.kind);
  *wrong = side_step(world, root, who, &event, &taken);
  if (taken && event.kind == DEAL_EVENT_TERMINATE && event.terminate_headcount > 0)
    world->sides[root][who].parts_wanted++;
  return true;
}

/* ---- time, sessions, crashes */

/* A home has one session: the employer is welcomed in all its roots at once. */
static const char *welcome_home(struct world *world, size_t root, enum side who) {
  const char *wrong = NULL;
  bool taken;
  for (size_t i = 0; i < world->roots && wrong == NULL; i++) {
    if (who == SIDE_BIDDER && i != root) continue;
    struct deal_event event = {.kind = DEAL_EVENT_WELCOME, .epoch_number = world->epoch};
    wrong = side_step(world, i, who, &event, &taken);
  }
  return wrong;
}

static void crash_home(struct world *world, size_t root, enum side who) {
  for (size_t i = 0; i < world->roots; i++)
    if (who == SIDE_EMPLOYER || i == root) world->sides[i][who].negotiation.welcomed = false;
}

static const char *tick(struct world *world, size_t root, enum side who) {
  struct deal_event event = {.kind = DEAL_EVENT_TICK};
  bool taken;
  return side_step(world, root, who, &event, &taken);
}

static size_t some_message(struct world *world) {
  if (world->message_count == 0) return NO_MESSAGE;
  size_t index = chance(world, world->message_count);
  if (!world->messages[index].lost) return index;
  if (one_in(world, 8)) world->messages[index].lost = false; /* its outbox sends it again */
  return NO_MESSAGE;
}

static const char *live_a_step(struct world *world) {
  size_t root = chance(world, world->roots), message;
  enum side who = one_in(world, 2) ? SIDE_EMPLOYER : SIDE_BIDDER;
  uint64_t what = chance(world, 200);
  const char *wrong = NULL;
  if (what < 100) {
    message = some_message(world);
    if (message != NO_MESSAGE) return deliver(world, message);
  } else if (what < 168) {
    for (int tries = 0; tries < 8; tries++)
      if (user_acts(world, root, who, &wrong)) return wrong;
  } else if (what < 178) {
    world->now += (collega_time)chance(world, 8) * SECOND_MS;
    return tick(world, root, who);
  } else if (what < 192) {
    return welcome_home(world, root, who);
  } else if (what < 195) {
    crash_home(world, root, who);
  } else if (what < 198) {
    back_up_decider(world);
  } else if (world->trouble && what == 198) {
    note(world, "%zu: the decider is restored, epoch %u\n", world->step, world->epoch + 1);
    restore_decider(world);
    return check_invariants(world, root);
  }
  return NULL;
}

/* ---- all are back */

static const char *deliver_all(struct world *world) {
  const char *wrong = NULL;
  for (size_t i = 0; i < world->message_count; i++)
    world->messages[i].lost = false;
  while (world->message_count > 0 && wrong == NULL) {
    if (++world->step > 20000) return "messages never end";
    wrong = deliver(world, chance(world, world->message_count));
  }
  return wrong;
}

static const char *answer_releases(struct world *world, size_t root, enum side who) {
  struct deal_event event = {.kind = one_in(world, 2) ? DEAL_EVENT_RELEASE_SIGN
                                                      : DEAL_EVENT_RELEASE_KEEP};
  bool taken;
  if (world->sides[root][who].negotiation.release != RELEASE_RECEIVED) return NULL;
  return side_step(world, root, who, &event, &taken);
}

/* Where clocks are nearly right, a session that stands must do: time alone brings all to an end. A restored
 * decider ends every session. */
static bool wants_welcome(const struct world *world, size_t root, enum side who) {
  bool wants = !world->steady;
  for (size_t i = 0; i < world->roots; i++) {
    const struct negotiation *negotiation = &world->sides[i][who].negotiation;
    if (who == SIDE_BIDDER && i != root) continue;
    wants = wants || !negotiation->welcomed || negotiation->epoch_number != world->epoch;
  }
  return wants;
}

static const char *wind_up(struct world *world) {
  const char *wrong = NULL;
  world->winding_up = true;
  world->now += HOUR_MS; /* past every accept_by, by every clock */
  for (int round = 0; round < 6 && wrong == NULL; round++) {
    for (size_t i = 0; i < world->roots && wrong == NULL; i++) {
      if (i == 0 && wants_welcome(world, i, SIDE_EMPLOYER))
        wrong = welcome_home(world, i, SIDE_EMPLOYER);
      if (wrong == NULL && wants_welcome(world, i, SIDE_BIDDER))
        wrong = welcome_home(world, i, SIDE_BIDDER);
      for (int who = 0; who < 2 && wrong == NULL; who++) {
        wrong = tick(world, i, (enum side)who);
        if (wrong == NULL) wrong = answer_releases(world, i, (enum side)who);
      }
    }
    if (wrong == NULL) wrong = deliver_all(world);
  }
  for (size_t i = 0; i < world->roots && wrong == NULL; i++) {
    wrong = check_settled(world, i);
    if (wrong != NULL) return world_wrong(world, i, wrong);
  }
  return wrong;
}

const char *world_run(struct world *world, uint64_t seed) {
  memset(world, 0, offsetof(struct world, deals)); /* the rest is written before it is read */
  world->seed = seed;
  world->random = seed * UINT64_C(0x9E3779B97F4A7C15) | 1;
  world->trace_length = 0;
  world->now = 1000 * DAY_MS;
  world->trouble = !one_in(world, 4);
  world->epoch = 1;
  /* A third of the lives are all bidders about three people, the others a few roots that go deep. */
  world->roots = one_in(world, 3) ? WORLD_ROOTS : 1 + chance(world, 3);
  world->steady = one_in(world, 2);
  for (size_t i = 0; i <= WORLD_ROOTS; i++)
    world->skew[i] = some_skew(world, world->steady ? 12 : 60);
  for (size_t i = 0; i < world->roots; i++)
    for (int who = 0; who < 2; who++) {
      world->sides[i][who].negotiation.root = number_id('r', i);
      world->sides[i][who].negotiation.decider = number_id('p', 0);
    }
  const char *wrong = NULL;
  size_t steps = STEPS + STEPS_A_ROOT * world->roots;
  for (world->step = 0; world->step < steps && wrong == NULL; world->step++)
    wrong = live_a_step(world);
  if (wrong == NULL) wrong = wind_up(world);
  if (wrong != NULL && wrong != world->trace) wrong = world_wrong(world, 0, wrong);
  return wrong;
}
