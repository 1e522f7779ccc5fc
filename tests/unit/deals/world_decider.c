/* The decider: its store, what its effects do, its backup. */
#include "world_inside.h"
#include "checker.h"
#include "base/words.h"
#include <string.h>

static size_t write_decision(struct world *world, size_t root, const struct decide_effect *effect) {
  struct decide_register *reg = &world->registers[root];
  size_t index = world->decision_count++;
  struct world_decision *decision = &world->decisions[index];
  *decision = (struct world_decision){.id = world_number_id('e', index),
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
  world_note(world, "  decision %zu of root %zu, epoch %u: deal %zu verdict %d position %u, %s\n",
             index, root, world->epoch, decision->deal, effect->verdict, effect->position,
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
    world_post(world, MAIL_DECISION, root, SIDE_EMPLOYER, NO_DEAL)->decision = index;
    world_post(world, MAIL_DECISION, root, SIDE_BIDDER, NO_DEAL)->decision = index;
    break;
  case DECIDE_EFFECT_REPEAT:
    index = (size_t)get_be64(effect->decision.byte + 1);
    if (effect->decision.byte[0] != 'e' || index >= world->decision_count ||
        world->decisions[index].lost)
      return "a decision is repeated that is not stored";
    if (world->decisions[index].epoch != world->epoch)
      return "a decision of an older epoch is repeated";
    world_post(world, MAIL_DECISION, root, to, NO_DEAL)->decision = index;
    break;
  case DECIDE_EFFECT_QUESTION:
    world->questions++;
    if (world->winding_up ||
        !world_one_in(world, 3)) /* a frame of the session, not mail: it may find nobody */
      world_post(world, FRAME_QUESTION, root, to, NO_DEAL)->epoch = world->epoch;
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

const char *world_decider_takes(struct world *world, const struct message *message, bool *taken) {
  static struct decide_effects effects;
  struct shown_decision shown[WORLD_SHOWN];
  size_t root = message->root;
  struct decide_register *reg = &world->registers[root], before = *reg;
  struct decide_request request = {
      .kind = kind_of(message->kind),
      .party = world_party(root, message->side),
      .root = world_number_id('r', root),
      .basis = message->kind == ASK_TERMINATE ? message->basis : world_number_id('b', world->step),
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
      world_one_in(world, 24)) { /* a crash before the fsync: nothing was answered */
    *reg = before;
    return NULL;
  }
  *taken = true;
  const char *wrong = check_decider_step(&before, reg, &request, world->epoch, now);
  for (size_t i = 0; i < effects.count && wrong == NULL; i++)
    wrong = decider_effect(world, root, &effects.effect[i]);
  return wrong != NULL ? wrong : check_invariants(world, root);
}

void world_restore_decider(struct world *world) {
  memcpy(world->registers, world->backup, sizeof world->registers);
  for (size_t i = world->backup_decisions; i < world->decision_count; i++)
    world->decisions[i].lost = true;
  world->epoch++;
  world->restores = true;
  for (size_t i = 0; i < world->roots; i++)
    world->sides[i][SIDE_EMPLOYER].cut_off = world->sides[i][SIDE_BIDDER].cut_off = true;
  world->decider_skew = world_some_skew(world, world->steady ? 12 : 60);
  /* What stood in the mailboxes and was not fetched may be gone as well; so is every question. */
  for (size_t i = world->message_count; i-- > 0;) {
    const struct message *message = &world->messages[i];
    if (message->kind == FRAME_QUESTION ||
        (message->kind == MAIL_DECISION && world_one_in(world, 2)))
      world_remove_message(world, i);
  }
}

void world_back_up_decider(struct world *world) {
  memcpy(world->backup, world->registers, sizeof world->backup);
  world->backup_decisions = world->decision_count;
}
