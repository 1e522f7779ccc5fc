/* Between the deal machine and the ledger: a negotiation is a RootRow and the DealRows it lists. */
#include "client/exchange/deal_rows.h"

#include <string.h>

#include "base/words.h"

static void optional_id(struct id *out, protobuf_c_boolean present,
                        const ProtobufCBinaryData *field) {
  if (!present || !id_from(out, field->data, field->len)) memset(out, 0, sizeof *out);
}

static void header_ids(const Collega__DealHeader *header, struct id *replaces, struct id *amends,
                       struct id *predecessor) {
  optional_id(replaces, header->has_replaces, &header->replaces);
  optional_id(amends, header->has_amends, &header->amends);
  optional_id(predecessor, header->has_predecessor, &header->predecessor);
}

/* The act that waits for a signature; 0: none. */
static enum collega_status waiting_act(const CollegaStore__DealRow *row, struct arena *arena,
                                       int *kind, struct collega_error *error) {
  *kind = 0;
  if (!row->has_act) return COLLEGA_OK;
  const CollegaStore__DealAct *act = (const CollegaStore__DealAct *)row_unpack(
      &collega_store__deal_act__descriptor, field_bytes(&row->act), arena);
  if (!act) return exchange_row_damaged(error, "deals");
  *kind = (int)act->kind;
  return COLLEGA_OK;
}

static enum collega_status slot_load(const struct deal_view *view, struct arena *arena,
                                     struct deal_slot *slot, struct collega_error *error) {
  const CollegaStore__DealRow *row = view->row;
  int act;
  memset(slot, 0, sizeof *slot);
  slot->deal = view->deal;
  slot->phase = (enum deal_phase)row->state; /* the same numbers, see deal_machine.h */
  slot->mine = row->mine;
  slot->amendment = view->header->has_amends;
  slot->decline_sent = row->decline_sent;
  slot->withdraw_sent = row->withdraw_sent;
  slot->ask_sent_epoch_set = row->has_ask_sent_epoch;
  slot->ask_sent_epoch = row->ask_sent_epoch;
  header_ids(view->header, &slot->replaces, &slot->amends, &slot->predecessor);
  slot->accept_by = row->accept_by;
  slot->reduced = (uint32_t)row->n_reductions;
  slot->why = row->why ? rule_from_name(row->why) : RULE_NONE;
  enum collega_status status = waiting_act(row, arena, &act, error);
  slot->accept_drafted = act == (int)COLLEGA_STORE__ACT_KIND__ACT_KIND_ACCEPT;
  return status;
}

/* The newest epoch of the decider that is known here. */
static enum collega_status decider_epoch(struct ledger_txn *txn, struct arena *arena,
                                         struct negotiation *out, struct collega_error *error) {
  CollegaStore__BrokerRow *broker;
  enum collega_status status = exchange_broker(txn, arena, &broker, error);
  if (status == COLLEGA_OK && broker && field_is(&broker->broker, &out->decider))
    out->epoch_number = broker->epoch_number;
  return status;
}

enum collega_status negotiation_load(struct ledger_txn *txn, const struct id *party,
                                     const struct id *root, struct arena *arena,
                                     struct negotiation *out, CollegaStore__RootRow **row,
                                     struct collega_error *error) {
  memset(out, 0, sizeof *out);
  out->root = *root;
  out->welcomed = true;
  enum collega_status status = root_row(txn, party, id_bytes(root), arena, row, error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status != COLLEGA_OK) return status;
  const CollegaStore__RootRow *stored = *row;
  if (!id_from(&out->decider, stored->decider.data, stored->decider.len))
    return exchange_row_damaged(error, "roots");
  out->root_epoch_number = stored->decider_epoch_number;
  out->answered_epoch = stored->answered_epoch;
  out->position = stored->position;
  optional_id(&out->last_decision, stored->has_last_decision, &stored->last_decision);
  optional_id(&out->last_deal, stored->has_last_deal, &stored->last_deal);
  out->release = (enum release_phase)stored->release_state;
  out->terminate_wanted = stored->terminate_wanted;
  out->terminate_effective = stored->terminate_effective;
  out->terminate_headcount = stored->terminate_headcount;
  status = decider_epoch(txn, arena, out, error);
  if (out->answered_epoch > out->epoch_number) out->epoch_number = out->answered_epoch;
  bool crowded = stored->n_deals >= NEGOTIATION_DEALS;
  for (size_t i = 0; status == COLLEGA_OK && i < stored->n_deals; i++) {
    struct deal_view view;
    struct id deal;
    if (!id_from(&deal, stored->deals[i].data, stored->deals[i].len))
      return exchange_row_damaged(error, "roots");
    status = deal_view_read(txn, party, &deal, arena, &view, error);
    if (status == COLLEGA_NOT_FOUND) return exchange_row_damaged(error, "roots");
    if (status != COLLEGA_OK) return status;
    /* Of a long negotiation only the deals that are still alive are kept in mind. */
    if (crowded && view.row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_VOID) continue;
    if (out->count == NEGOTIATION_DEALS) return exchange_row_damaged(error, "roots");
    status = slot_load(&view, arena, &out->deals[out->count++], error);
  }
  return status;
}

/* ---- storing */

static enum collega_status slot_store(struct ledger_txn *txn, const struct id *party,
                                      const struct negotiation *negotiation,
                                      const struct deal_slot *slot, struct arena *arena,
                                      struct collega_error *error) {
  CollegaStore__DealRow *row;
  int act = 0;
  enum collega_status status = deal_row(txn, party, id_bytes(&slot->deal), arena, &row, error);
  if (status == COLLEGA_NOT_FOUND) return exchange_row_damaged(error, "deals");
  if (status == COLLEGA_OK) status = waiting_act(row, arena, &act, error);
  if (status != COLLEGA_OK) return status;
  /* An acceptance that the machine took back is not there to be signed. */
  bool taken_back = act == (int)COLLEGA_STORE__ACT_KIND__ACT_KIND_ACCEPT && !slot->accept_drafted;
  const char *why = slot->why == RULE_NONE ? NULL : rule_name(slot->why);
  bool same_why = why && row->why ? strcmp(why, row->why) == 0 : !why && !row->why;
  if (!taken_back && row->state == (CollegaStore__DealState)slot->phase && same_why &&
      row->decline_sent == slot->decline_sent && row->withdraw_sent == slot->withdraw_sent &&
      row->has_ask_sent_epoch == slot->ask_sent_epoch_set &&
      row->ask_sent_epoch == slot->ask_sent_epoch &&
      row->release_state == (uint32_t)negotiation->release)
    return COLLEGA_OK;
  if (taken_back) row->has_act = false;
  row->state = (CollegaStore__DealState)slot->phase;
  row->why = (char *)(uintptr_t)why;
  row->has_decline_sent = row->decline_sent = slot->decline_sent;
  row->has_withdraw_sent = row->withdraw_sent = slot->withdraw_sent;
  row->has_ask_sent_epoch = slot->ask_sent_epoch_set;
  row->ask_sent_epoch = slot->ask_sent_epoch;
  row->has_release_state = negotiation->release != RELEASE_NONE;
  row->release_state = (uint32_t)negotiation->release;
  return deal_row_put(txn, row, error);
}

enum collega_status negotiation_store(struct ledger_txn *txn, const struct negotiation *negotiation,
                                      CollegaStore__RootRow *row, struct arena *arena,
                                      struct collega_error *error) {
  row->has_answered_epoch = negotiation->answered_epoch > 0;
  row->answered_epoch = negotiation->answered_epoch;
  row->has_position = row->has_last_decision = row->has_last_deal = negotiation->position > 0;
  row->position = negotiation->position;
  field_set_id(&row->last_decision, &negotiation->last_decision);
  field_set_id(&row->last_deal, &negotiation->last_deal);
  row->has_release_state = negotiation->release != RELEASE_NONE;
  row->release_state = (uint32_t)negotiation->release;
  /* What both have released each other of is over as well: the next proposal begins anew. */
  row->has_closed = row->closed = negotiation->position > 0 ||
                                  negotiation->release == RELEASE_SIGNED ||
                                  negotiation->release == RELEASE_DONE;
  row->has_terminate_wanted = row->terminate_wanted = negotiation->terminate_wanted;
  row->has_terminate_effective = negotiation->terminate_effective != 0;
  row->terminate_effective = negotiation->terminate_effective;
  row->has_terminate_headcount = negotiation->terminate_headcount != 0;
  row->terminate_headcount = negotiation->terminate_headcount;
  struct id party;
  enum collega_status status = root_row_put(txn, row, error);
  if (status == COLLEGA_OK && !id_from(&party, row->party.data, row->party.len))
    return exchange_row_damaged(error, "roots");
  for (size_t i = 0; status == COLLEGA_OK && i < negotiation->count; i++)
    status = slot_store(txn, &party, negotiation, &negotiation->deals[i], arena, error);
  return status;
}

/* ---- counting */

struct closed_count {
  const struct id *thread;
  struct arena *arena;
  uint64_t count;
  bool damaged;
};

static bool visit_root(void *context, struct bytes key, struct bytes value) {
  struct closed_count *count = context;
  (void)key;
  arena_reset(count->arena);
  const CollegaStore__RootRow *row = (const CollegaStore__RootRow *)row_unpack(
      &collega_store__root_row__descriptor, value, count->arena);
  count->damaged = !row;
  if (row && row->closed && row->has_thread && field_is(&row->thread, count->thread))
    count->count++;
  return !count->damaged;
}

/* A root that was decided with keys that are lost is closed as well. */
static enum collega_status pass_elsewhere(struct ledger_txn *txn, const struct id *party,
                                          const struct id *thread, uint64_t *closed,
                                          struct collega_error *error) {
  struct arena *arena = exchange_arena();
  CollegaStore__RootRow *row;
  struct id root;
  if (!arena) return exchange_no_memory(error);
  enum collega_status status;
  do {
    arena_reset(arena);
    negotiation_root(&root, thread, *closed);
    status = root_elsewhere(txn, party, id_bytes(&root), arena, &row, error);
    if (status == COLLEGA_OK) ++*closed;
  } while (status == COLLEGA_OK);
  arena_destroy(&arena);
  return status == COLLEGA_NOT_FOUND ? COLLEGA_OK : status;
}

enum collega_status negotiation_count_closed(struct ledger_txn *txn, const struct id *party,
                                             const struct id *thread, uint64_t *out,
                                             struct collega_error *error) {
  struct closed_count count = {.thread = thread, .arena = exchange_arena()};
  if (!count.arena) return exchange_no_memory(error);
  enum collega_status status =
      table_each(txn, TABLE_ROOTS, id_bytes(party), NULL, visit_root, &count, error);
  arena_destroy(&count.arena);
  if (status == COLLEGA_OK && count.damaged) return exchange_row_damaged(error, "roots");
  *out = count.count;
  return status == COLLEGA_OK ? pass_elsewhere(txn, party, thread, out, error) : status;
}

/* ---- events */

void header_event(const struct deal_view *view, enum deal_event_kind kind, collega_time now,
                  struct deal_event *out) {
  memset(out, 0, sizeof *out);
  out->kind = kind;
  out->deal = view->deal;
  out->now = now;
  header_ids(view->header, &out->replaces, &out->amends, &out->predecessor);
  out->accept_by = view->header->accept_by;
}

enum collega_status decision_event(const struct record *record, collega_time now,
                                   struct arena *arena, struct deal_event *out,
                                   struct collega_error *error) {
  const Collega__Decision *decision = record->body->decision;
  memset(out, 0, sizeof *out);
  out->kind = DEAL_EVENT_DECISION;
  out->now = now;
  out->decision = record->id;
  out->verdict = decision->verdict;
  out->position = decision->position;
  out->epoch_number = decision->epoch_number;
  out->why = rule_from_name(decision->why);
  out->effective = decision->has_effective ? decision->effective : 0;
  optional_id(&out->deal, true, &decision->deal);
  optional_id(&out->decided_predecessor, decision->has_predecessor, &decision->predecessor);
  struct id *voids = arena_take(arena, (decision->n_voids + 1) * sizeof *voids);
  struct reduction *reductions = arena_take(arena, REDUCTIONS_MOST * sizeof *reductions);
  if (!voids || !reductions) return exchange_no_memory(error);
  out->reduction_count = reductions_read(decision, reductions);
  out->reductions = reductions;
  for (size_t i = 0; i < decision->n_voids; i++)
    optional_id(&voids[i], true, &decision->voids[i]);
  out->voids = voids;
  out->void_count = decision->n_voids;
  return COLLEGA_OK;
}
