/* An honest agreement, step by step, as two nodes and a broker would make it. */
#include "agreement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/terms.h"

#define MUST(condition)                                                                            \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                              \
      abort();                                                                                     \
    }                                                                                              \
  } while (0)

static const struct id *party_of(const struct person *person) {
  return identity_party(person->identity);
}

Collega__Receipted *agreement_add_member(struct agreement_world *world, Collega__Run *run,
                                         collega_time time) {
  MUST(world->member_count < AGREEMENT_MEMBERS);
  struct id id = first_id(run, world->arena);
  Collega__Receipted *item = arena_take(world->arena, sizeof *item);
  collega__receipted__init(item);
  item->run = run;
  MUST(receipt_sign(world->broker.identity, &world->broker.epoch, ++world->log_seq, time, &id, 1,
                    world->arena, &item->receipt, NULL, NULL) == COLLEGA_OK);
  world->members[world->member_count++] = item;
  return item;
}

void agreement_world_make(struct agreement_world *world, uint8_t number) {
  memset(world, 0, sizeof *world);
  collega_time start = AGREEMENT_NOW - 30 * DAY_MS;
  world->arena = arena_new(1u << 20, 1u << 28);
  person_make(&world->broker, number, start);
  person_make(&world->lender, (uint8_t)(number + 1), start);
  person_make(&world->borrower, (uint8_t)(number + 2), start);
  person_make(&world->stranger, (uint8_t)(number + 3), start);
  struct arena *arena = world->arena;
  agreement_add_member(world, person_card(&world->broker, 0, arena), start);
  agreement_add_member(world, person_card(&world->lender, 0, arena), start);
  agreement_add_member(world, person_card(&world->borrower, 0, arena), start);
  collega_time end = start + 700 * DAY_MS;
  agreement_add_member(world,
                       make_cert(&world->broker, party_of(&world->lender), "Snijder BV", "12345678",
                                 start, end, arena),
                       start);
  agreement_add_member(world,
                       make_cert(&world->broker, party_of(&world->borrower), "Kwekerij De Vries",
                                 "87654321", start, end, arena),
                       start);
  Collega__Run *mandate =
      make_mandate(&world->lender, "A. Snijder", "directeur", 20, start, 0, arena);
  world->lender_mandate = first_id(mandate, arena);
  agreement_add_member(world, mandate, start);
  mandate = make_mandate(&world->borrower, "B. de Vries", "hoofd personeel", 20, start, 0, arena);
  world->borrower_mandate = first_id(mandate, arena);
  agreement_add_member(world, mandate, start);
}

void agreement_world_clear(struct agreement_world *world) {
  person_clear(&world->broker);
  person_clear(&world->lender);
  person_clear(&world->borrower);
  person_clear(&world->stranger);
  arena_destroy(&world->arena);
}

static void twisted(agreement_twist twist, struct agreement_world *world,
                    struct agreement *agreement, enum agreement_stage stage) {
  if (twist) twist(world, agreement, stage);
}

static void sign_header(struct agreement_world *world, struct agreement *agreement,
                        agreement_twist twist) {
  twisted(twist, world, agreement, STAGE_HEADER);
  Collega__Body body;
  person_body(agreement->proposer, &body);
  body.type = COLLEGA__BODY_TYPE__BODY_TYPE_DEAL;
  body.deal = &agreement->header;
  agreement->proved.header = person_sign(agreement->proposer, &body, world->arena);
  agreement->header_id = first_id(agreement->proved.header, world->arena);
}

static void sign_acceptance(struct agreement_world *world, struct agreement *agreement,
                            agreement_twist twist) {
  collega__acceptance__init(&agreement->acceptance);
  set_field(&agreement->acceptance.deal, agreement->header_id.byte, ID_BYTES);
  agreement->acceptance.has_mandate = 1;
  set_field(&agreement->acceptance.mandate, world->borrower_mandate.byte, ID_BYTES);
  agreement->acceptance.time = agreement->header.time + HOUR_MS;
  twisted(twist, world, agreement, STAGE_ACCEPTANCE);
  Collega__Body body;
  person_body(agreement->acceptor, &body);
  body.type = COLLEGA__BODY_TYPE__BODY_TYPE_ACCEPTANCE;
  body.acceptance = &agreement->acceptance;
  agreement->proved.acceptance = person_sign(agreement->acceptor, &body, world->arena);
  agreement->acceptance_id = first_id(agreement->proved.acceptance, world->arena);
}

static void decision_init(struct agreement_world *world, struct agreement *agreement,
                          Collega__Verdict verdict, uint32_t position, const struct id *before,
                          collega_time time) {
  Collega__Decision *decision = &agreement->decision;
  collega__decision__init(decision);
  set_field(&decision->root, agreement->root.byte, ID_BYTES);
  set_field(&decision->deal, agreement->header_id.byte, ID_BYTES);
  decision->verdict = verdict;
  decision->position = position;
  decision->has_predecessor = before != NULL;
  if (before) set_field(&decision->predecessor, before->byte, ID_BYTES);
  decision->why = "accepted";
  decision->time = time;
  decision->epoch_number = 1;
  set_field(&decision->epoch, world->broker.epoch.byte, EPOCH_BYTES);
}

static Collega__Run *sign_decision(struct agreement_world *world, struct agreement *agreement) {
  Collega__Body body;
  person_body(agreement->decider, &body);
  body.type = COLLEGA__BODY_TYPE__BODY_TYPE_DECISION;
  body.decision = &agreement->decision;
  return person_sign(agreement->decider, &body, world->arena);
}

static void prepare(struct agreement_world *world, struct agreement *agreement, uint32_t headcount,
                    collega_time time) {
  memset(agreement, 0, sizeof *agreement);
  agreement->proposer = &world->lender;
  agreement->acceptor = &world->borrower;
  agreement->decider = &world->broker;
  agreement->terminator = &world->borrower;
  collega__proof_deal__init(&agreement->proved);
  collega__terms_work__init(&agreement->work);
  agreement->work.headcount = headcount;
  agreement->work.from = 20900;
  agreement->work.has_until = 1;
  agreement->work.until = 20980;
  agreement->work.hours_per_week = 32;
  collega__terms_note__init(&agreement->note);
  agreement->note.text = "Werkkleding gaat mee.";
  collega__terms__init(&agreement->terms);
  agreement->terms.work = &agreement->work;
  agreement->terms.note = &agreement->note;

  collega__offer_ref__init(&agreement->lends);
  collega__offer_ref__init(&agreement->borrows);
  agreement->capacities[0][0] = 1;
  agreement->capacities[1][0] = 2;
  agreement->lends.has_capacity = agreement->borrows.has_capacity = 1;
  set_field(&agreement->lends.capacity, agreement->capacities[0], SHORT_ID_BYTES);
  set_field(&agreement->borrows.capacity, agreement->capacities[1], SHORT_ID_BYTES);
  collega__edge__init(&agreement->edge);
  set_field(&agreement->edge.lender, party_of(&world->lender)->byte, ID_BYTES);
  set_field(&agreement->edge.borrower, party_of(&world->borrower)->byte, ID_BYTES);
  agreement->edge.lends = &agreement->lends;
  agreement->edge.borrows = &agreement->borrows;
  set_field(&agreement->edge.commitment, agreement->commitment.byte, ID_BYTES);
  agreement->edges[0] = &agreement->edge;

  memset(agreement->root.byte, 0x77, ID_BYTES);
  Collega__DealHeader *header = &agreement->header;
  collega__deal_header__init(header);
  header->edges = agreement->edges;
  header->n_edges = 1;
  set_field(&header->decider, party_of(&world->broker)->byte, ID_BYTES);
  set_field(&header->decider_epoch, world->broker.epoch.byte, EPOCH_BYTES);
  header->accept_by = time + 3 * DAY_MS;
  set_field(&header->root, agreement->root.byte, ID_BYTES);
  header->has_mandate = 1;
  set_field(&header->mandate, world->lender_mandate.byte, ID_BYTES);
  header->time = time;
  set_field(&header->thread, agreement->root.byte, ID_BYTES);
}

static void commit_terms(struct agreement_world *world, struct agreement *agreement,
                         agreement_twist twist) {
  twisted(twist, world, agreement, STAGE_TERMS);
  MUST(terms_salt(&agreement->terms, world->arena, &agreement->salted, NULL) == COLLEGA_OK);
  MUST(terms_commitment(agreement->salted, &agreement->commitment, NULL) == COLLEGA_OK);
  agreement->proved.terms = agreement->salted;
}

void agreement_conclude(struct agreement_world *world, struct agreement *agreement,
                        agreement_twist twist) {
  prepare(world, agreement, 12, AGREEMENT_NOW);
  commit_terms(world, agreement, twist);
  sign_header(world, agreement, twist);
  sign_acceptance(world, agreement, twist);
  decision_init(world, agreement, COLLEGA__VERDICT__VERDICT_CONCLUDED, 1, NULL,
                AGREEMENT_NOW + HOUR_MS + MINUTE_MS);
  agreement->decision.has_basis = 1;
  set_field(&agreement->decision.basis, agreement->acceptance_id.byte, ID_BYTES);
  twisted(twist, world, agreement, STAGE_DECISION);
  agreement->proved.decision = sign_decision(world, agreement);
  agreement->decision_id = first_id(agreement->proved.decision, world->arena);
}

void agreement_amend(struct agreement_world *world, const struct agreement *first,
                     const struct id *before, uint32_t position, struct agreement *amendment,
                     agreement_twist twist) {
  collega_time time = AGREEMENT_NOW + (position - 1) * DAY_MS;
  prepare(world, amendment, 10, time);
  commit_terms(world, amendment, twist);
  amendment->header.has_amends = amendment->header.has_predecessor = 1;
  set_field(&amendment->header.amends, first->header_id.byte, ID_BYTES);
  set_field(&amendment->header.predecessor, before->byte, ID_BYTES);
  sign_header(world, amendment, twist);
  sign_acceptance(world, amendment, twist);
  decision_init(world, amendment, COLLEGA__VERDICT__VERDICT_AMENDED, position, before,
                time + HOUR_MS + MINUTE_MS);
  twisted(twist, world, amendment, STAGE_DECISION);
  amendment->proved.decision = sign_decision(world, amendment);
  amendment->decision_id = first_id(amendment->proved.decision, world->arena);
}

void agreement_reduce(struct agreement_world *world, struct agreement *deal, struct person *who,
                      const struct agreement_part *before, uint32_t position,
                      struct agreement_part *part, part_twist twist) {
  size_t count = before ? before->decision.n_reductions : 0;
  const struct id *follows = before ? &before->decision_id : &deal->decision_id;
  collega_time time = AGREEMENT_NOW + (position - 1) * DAY_MS;
  memset(part, 0, sizeof *part);
  part->terminator = who;
  part->decider = &world->broker;
  part->by = *party_of(who);
  Collega__Terminate *terminate = &part->terminate;
  collega__terminate__init(terminate);
  set_field(&terminate->deal, deal->header_id.byte, ID_BYTES);
  set_field(&terminate->predecessor, follows->byte, ID_BYTES);
  terminate->effective = 20940 + (int32_t)position;
  terminate->has_headcount = 1;
  terminate->headcount = 2;
  terminate->time = time;
  if (twist) twist(part, STAGE_TERMINATE);
  Collega__Body body;
  person_body(part->terminator, &body);
  body.type = COLLEGA__BODY_TYPE__BODY_TYPE_TERMINATE;
  body.terminate = terminate;
  collega__proof_reduction__init(&part->proved);
  part->proved.terminate = person_sign(part->terminator, &body, world->arena);
  part->terminate_id = first_id(part->proved.terminate, world->arena);
  for (size_t i = 0; i < count; i++)
    part->parts[i] = before->parts[i];
  collega__reduction__init(&part->parts[count]);
  part->parts[count].headcount = terminate->headcount;
  part->parts[count].effective = terminate->effective;
  part->parts[count].time = time + MINUTE_MS;
  set_field(&part->parts[count].by, part->by.byte, ID_BYTES);
  set_field(&part->parts[count].basis, part->terminate_id.byte, ID_BYTES);
  for (size_t i = 0; i <= count; i++)
    part->list[i] = &part->parts[i];
  struct agreement entry = *deal;
  decision_init(world, &entry, COLLEGA__VERDICT__VERDICT_REDUCED, position, follows,
                time + MINUTE_MS);
  part->decision = entry.decision;
  part->decision.has_basis = 1;
  set_field(&part->decision.basis, part->terminate_id.byte, ID_BYTES);
  part->decision.n_reductions = count + 1;
  part->decision.reductions = part->list;
  if (twist) twist(part, STAGE_END);
  entry.decision = part->decision;
  entry.decider = part->decider;
  part->proved.decision = sign_decision(world, &entry);
  part->decision_id = first_id(part->proved.decision, world->arena);
}

Collega__Run *agreement_say_again(struct agreement_world *world, const struct agreement *agreement,
                                  Collega__Verdict verdict, struct id *id) {
  struct agreement again = *agreement;
  again.decision.verdict = verdict;
  again.decision.has_basis = 0;
  again.decision.has_adopted = 1;
  set_field(&again.decision.adopted, agreement->decision_id.byte, ID_BYTES);
  again.decision.time += DAY_MS;
  again.decision.epoch_number++;
  Collega__Run *run = sign_decision(world, &again);
  *id = first_id(run, world->arena);
  return run;
}

void agreement_end_after(struct agreement *deal, const struct agreement_part *part) {
  deal->decision_id = part->decision_id;
  deal->decision.n_reductions = part->decision.n_reductions;
  deal->decision.reductions = part->decision.reductions;
}

void agreement_terminate(struct agreement_world *world, struct agreement *first,
                         const struct agreement *last, uint32_t position, agreement_twist twist) {
  Collega__Terminate *terminate = &first->terminate;
  collega__terminate__init(terminate);
  set_field(&terminate->deal, last->header_id.byte, ID_BYTES);
  set_field(&terminate->predecessor, last->decision_id.byte, ID_BYTES);
  terminate->effective = 20950;
  terminate->time = AGREEMENT_NOW + (position - 1) * DAY_MS;
  terminate->has_mandate = 1;
  set_field(&terminate->mandate, world->borrower_mandate.byte, ID_BYTES);
  twisted(twist, world, first, STAGE_TERMINATE);
  Collega__Body body;
  person_body(first->terminator, &body);
  body.type = COLLEGA__BODY_TYPE__BODY_TYPE_TERMINATE;
  body.terminate = terminate;
  first->terminate_run = person_sign(first->terminator, &body, world->arena);
  first->terminate_id = first_id(first->terminate_run, world->arena);
  size_t parts = last->decision.n_reductions;
  Collega__Reduction **list = last->decision.reductions;
  decision_init(world, first, COLLEGA__VERDICT__VERDICT_TERMINATED, position, &last->decision_id,
                terminate->time + MINUTE_MS);
  set_field(&first->decision.deal, last->header_id.byte, ID_BYTES);
  first->decision.n_reductions = parts;
  first->decision.reductions = list;
  first->decision.has_effective = 1;
  first->decision.effective = terminate->effective;
  first->decision.has_basis = 1;
  set_field(&first->decision.basis, first->terminate_id.byte, ID_BYTES);
  twisted(twist, world, first, STAGE_END);
  first->termination_run = sign_decision(world, first);
}

Collega__Proof *agreement_proof(struct agreement_world *world, struct agreement *const *deals,
                                size_t count) {
  Collega__Proof *proof = arena_take(world->arena, sizeof *proof);
  collega__proof__init(proof);
  proof->version = 1;
  proof->deals = arena_take(world->arena, count * sizeof *proof->deals);
  for (size_t i = 0; i < count; i++)
    proof->deals[i] = &deals[i]->proved;
  proof->n_deals = count;
  proof->terminate = deals[0]->terminate_run;
  proof->termination = deals[0]->termination_run;
  proof->members =
      arena_copy(world->arena, world->members, world->member_count * sizeof *world->members);
  proof->n_members = world->member_count;
  proof->made = AGREEMENT_NOW + 20 * DAY_MS;
  proof->decider_name = "ACE West-Brabant";
  return proof;
}
