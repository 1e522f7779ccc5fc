/* The proof of an agreement: everything that shows who agreed to what, when, and who could sign,
 * in one file that needs nothing else. */
#include "client/exchange/deal_rows.h"

#include <string.h>

#include "proto/guard.h"
#include "proto/limits.h"
#include "proto/proof.h"

#define PROOF_MEMBERS 200 /* as the schema allows */

struct proving {
  struct ledger_txn *txn;
  const struct id *party; /* of ours, for whom it is */
  struct arena *arena;
  struct collega_error *error;
  Collega__Receipted *members[PROOF_MEMBERS];
  size_t count;
  const Collega__Proof *proof; /* its deals and end are filled: what they name belongs to it */
};

static enum collega_status run_of(struct proving *proving, const ProtobufCBinaryData *packed,
                                  Collega__Run **out) {
  *out = (Collega__Run *)row_unpack(&collega__run__descriptor, field_bytes(packed), proving->arena);
  return *out ? COLLEGA_OK : exchange_row_damaged(proving->error, "deals");
}

/* Does a body of this run name the mandate it was signed with, and is it this one? */
static bool run_names(const struct proving *proving, const Collega__Run *run,
                      struct bytes mandate) {
  const Collega__Body *body;
  if (!run || run->n_bodies != 1 ||
      body_of_bytes(field_bytes(&run->bodies[0]), proving->arena, &body, NULL) != COLLEGA_OK)
    return false;
  if (body->deal)
    return body->deal->has_mandate && bytes_equal(field_bytes(&body->deal->mandate), mandate);
  if (body->acceptance)
    return body->acceptance->has_mandate &&
           bytes_equal(field_bytes(&body->acceptance->mandate), mandate);
  return body->terminate && body->terminate->has_mandate &&
         bytes_equal(field_bytes(&body->terminate->mandate), mandate);
}

static bool proof_names(const struct proving *proving, struct bytes mandate) {
  const Collega__Proof *proof = proving->proof;
  for (size_t i = 0; i < proof->n_deals; i++)
    if (run_names(proving, proof->deals[i]->header, mandate) ||
        run_names(proving, proof->deals[i]->acceptance, mandate))
      return true;
  for (size_t i = 0; i < proof->n_reductions; i++)
    if (run_names(proving, proof->reductions[i]->terminate, mandate)) return true;
  return run_names(proving, proof->terminate, mandate);
}

/* What says who a party is, and who of it signed: of its mandates those that are named, and their ends. Epoch starts
 * and trust lists say neither. */
static bool belongs(const struct proving *proving, const struct record *record) {
  const Collega__Body *body = record->body;
  if (body->mandate) return proof_names(proving, bytes_of(record->id.byte, ID_BYTES));
  if (body->mandate_end) return proof_names(proving, field_bytes(&body->mandate_end->mandate));
  return body->card || body->cert || body->revocation;
}

/* The cards, certificates and named mandates of the party that the board brought, with the broker's
 * receipt. */
static enum collega_status add_party(struct proving *proving, const struct id *party) {
  ProtobufCMessage *message;
  enum collega_status status =
      row_get(proving->txn, TABLE_PARTIES, bytes_of(party->byte, ID_BYTES),
              &collega_store__party__descriptor, proving->arena, &message, proving->error);
  if (status == COLLEGA_NOT_FOUND) return exchange_row_damaged(proving->error, "parties");
  if (status != COLLEGA_OK) return status;
  const CollegaStore__Party *row = (const CollegaStore__Party *)message;
  for (size_t i = 0; status == COLLEGA_OK && i < row->n_records; i++) {
    const CollegaStore__MemberRecord *record = row->records[i];
    struct run_view view;
    status = run_read_bytes(field_bytes(&record->run), proving->arena, &view, proving->error);
    if (status != COLLEGA_OK) break;
    if (!belongs(proving, &view.records[0])) continue;
    if (proving->count == PROOF_MEMBERS)
      return error_set(proving->error, COLLEGA_REFUSED, RULE_proof_too_large, NULL, NULL);
    Collega__Receipted *receipted = arena_take(proving->arena, sizeof *receipted);
    if (!receipted) return exchange_no_memory(proving->error);
    collega__receipted__init(receipted);
    status = run_of(proving, &record->run, &receipted->run);
    if (status == COLLEGA_OK && record->has_receipt) {
      receipted->receipt = (Collega__ReceiptRun *)row_unpack(
          &collega__receipt_run__descriptor, field_bytes(&record->receipt), proving->arena);
      if (!receipted->receipt) status = exchange_row_damaged(proving->error, "parties");
    }
    proving->members[proving->count++] = receipted;
  }
  return status;
}

/* ---- the chain */

#define CHAIN_MOST 100 /* as the schema allows */

/* A stored decision of the deal that concluded or amended: the one with this id; without `wanted`, the
 * one that follows what the header names. A restored decider says the same again under other ids, and
 * only one of each hangs together with the rest. */
static enum collega_status find_entry(struct proving *proving, const struct deal_view *view,
                                      const struct id *wanted, Collega__Run **out) {
  const CollegaStore__DealRow *row = view->row;
  *out = NULL;
  for (size_t i = 0; i < row->n_decisions && !*out; i++) {
    struct run_view run;
    enum collega_status status =
        run_read_bytes(field_bytes(&row->decisions[i]), proving->arena, &run, proving->error);
    if (status != COLLEGA_OK) return status;
    const Collega__Decision *decision = run.records[0].body->decision;
    if (!decision || (decision->verdict != COLLEGA__VERDICT__VERDICT_CONCLUDED &&
                      decision->verdict != COLLEGA__VERDICT__VERDICT_AMENDED))
      continue;
    bool follows =
        view->header->has_predecessor
            ? decision->has_predecessor && bytes_equal(field_bytes(&decision->predecessor),
                                                       field_bytes(&view->header->predecessor))
            : !decision->has_predecessor;
    if (wanted ? !id_equal(&run.records[0].id, wanted) : !follows) continue;
    status = run_of(proving, &row->decisions[i], out);
    if (status != COLLEGA_OK) return status;
  }
  return COLLEGA_OK;
}

static enum collega_status fill_deal(struct proving *proving, const CollegaStore__DealRow *row,
                                     unsigned hide, Collega__Run *decision,
                                     Collega__ProofDeal *out) {
  collega__proof_deal__init(out);
  out->decision = decision;
  if (!row->has_acceptance_run) /* the other side's letter is still on its way */
    return error_set(proving->error, COLLEGA_REFUSED, RULE_proof_acceptance, NULL, NULL);
  const Collega__SaltedTerms *salted = (const Collega__SaltedTerms *)row_unpack(
      &collega__salted_terms__descriptor, field_bytes(&row->terms), proving->arena);
  if (!salted) return exchange_row_damaged(proving->error, "terms");
  enum collega_status status = run_of(proving, &row->header_run, &out->header);
  if (status == COLLEGA_OK) status = run_of(proving, &row->acceptance_run, &out->acceptance);
  if (status == COLLEGA_OK)
    status = terms_hide(salted, hide, proving->arena, &out->terms, proving->error);
  return status;
}

/* ---- parts that one party ended */

/* The record that a decision follows from, and the entry that it names. *found false: it has not come in. */
static enum collega_status find_request(struct proving *proving, const CollegaStore__RootRow *root,
                                        const Collega__Decision *decision, Collega__Run **out,
                                        struct id *before, bool *found) {
  *found = false;
  for (size_t i = 0; i < root->n_terminates && !*found; i++) {
    struct run_view request;
    enum collega_status status =
        run_read_bytes(field_bytes(&root->terminates[i]), proving->arena, &request, proving->error);
    if (status != COLLEGA_OK) return status;
    if (!decision->has_basis || !field_is(&decision->basis, &request.records[0].id)) continue;
    const Collega__Terminate *terminate = request.records[0].body->terminate;
    if (!terminate || !id_from(before, terminate->predecessor.data, terminate->predecessor.len))
      return exchange_row_damaged(proving->error, "roots");
    *found = true;
    status = run_of(proving, &root->terminates[i], out);
    if (status != COLLEGA_OK) return status;
  }
  return COLLEGA_OK;
}

/* A stored decision that ended a part of the deal, with what it follows from: the one with this id; without `wanted`,
 * the newest, of which the parts hang together. *found false: no part ended there. */
static enum collega_status find_part(struct proving *proving, const CollegaStore__RootRow *root,
                                     const CollegaStore__DealRow *row, const struct id *wanted,
                                     Collega__ProofReduction *out, struct id *before, bool *found) {
  bool lacking = !wanted && row->n_reductions > 0, asked;
  *found = false;
  for (size_t i = 0; i < row->n_decisions; i++) {
    struct run_view run;
    enum collega_status status =
        run_read_bytes(field_bytes(&row->decisions[i]), proving->arena, &run, proving->error);
    if (status != COLLEGA_OK) return status;
    const Collega__Decision *decision = run.records[0].body->decision;
    if (!decision || decision->verdict != COLLEGA__VERDICT__VERDICT_REDUCED ||
        (wanted ? !id_equal(&run.records[0].id, wanted)
                : decision->n_reductions != row->n_reductions))
      continue;
    lacking = true;
    status = find_request(proving, root, decision, &out->terminate, before, &asked);
    if (status != COLLEGA_OK) return status;
    if (!asked || (!wanted && !field_is(&decision->predecessor, before))) continue;
    *found = true;
    return run_of(proving, &row->decisions[i], &out->decision);
  }
  return lacking ? error_set(proving->error, COLLEGA_REFUSED, RULE_proof_end, NULL, NULL)
                 : COLLEGA_OK;
}

/* From the newest part that ended back to the entry of the deal itself, which *wanted becomes. `held` is the room for
 * what it points to. */
static enum collega_status fill_parts(struct proving *proving, const CollegaStore__RootRow *root,
                                      const CollegaStore__DealRow *row, const struct id **wanted,
                                      struct id *held, Collega__Proof *proof) {
  for (;;) {
    struct id before;
    bool found;
    Collega__ProofReduction *part = arena_take(proving->arena, sizeof *part);
    if (!part) return exchange_no_memory(proving->error);
    collega__proof_reduction__init(part);
    enum collega_status status = find_part(proving, root, row, *wanted, part, &before, &found);
    if (status != COLLEGA_OK || !found) return status;
    if (proof->n_reductions == REDUCTIONS_MOST)
      return error_set(proving->error, COLLEGA_REFUSED, RULE_proof_too_large, NULL, NULL);
    memmove(proof->reductions + 1, proof->reductions,
            proof->n_reductions * sizeof(Collega__ProofReduction *));
    proof->reductions[0] = part;
    proof->n_reductions++;
    *held = before;
    *wanted = held;
  }
}

/* ---- the chain, from its end */

/* Is it one of this deal's, its own or of a part of it that ended? */
static enum collega_status is_about(struct proving *proving, const struct deal_view *view,
                                    const struct id *decision, bool *out) {
  *out = false;
  for (size_t i = 0; i < view->row->n_decisions && !*out; i++) {
    struct run_view run;
    enum collega_status status =
        run_read_bytes(field_bytes(&view->row->decisions[i]), proving->arena, &run, proving->error);
    if (status != COLLEGA_OK) return status;
    *out = id_equal(&run.records[0].id, decision);
  }
  return COLLEGA_OK;
}

/* Which of the root's deals the decision with this id is about. */
static enum collega_status deal_of_decision(struct proving *proving,
                                            const CollegaStore__RootRow *root,
                                            const struct id *decision, struct deal_view *view) {
  for (size_t i = 0; i < root->n_deals; i++) {
    struct id deal;
    bool about = false;
    if (!id_from(&deal, root->deals[i].data, root->deals[i].len))
      return exchange_row_damaged(proving->error, "roots");
    enum collega_status status =
        deal_view_read(proving->txn, proving->party, &deal, proving->arena, view, proving->error);
    if (status == COLLEGA_NOT_FOUND) return exchange_row_damaged(proving->error, "roots");
    if (status == COLLEGA_OK) status = is_about(proving, view, decision, &about);
    if (status != COLLEGA_OK) return status;
    if (about) return COLLEGA_OK;
  }
  return error_set(proving->error, COLLEGA_REFUSED, RULE_proof_not_concluded, NULL, NULL);
}

/* From the last entry back to the conclusion; `wanted` NULL: the last is the deal's own. */
static enum collega_status fill_chain(struct proving *proving, const CollegaStore__RootRow *root,
                                      struct deal_view *view, const struct id *wanted,
                                      unsigned hide, Collega__Proof *proof) {
  Collega__ProofDeal **deals = arena_take(proving->arena, CHAIN_MOST * sizeof *deals);
  struct id before;
  size_t count = 0;
  proof->reductions = arena_take(proving->arena, (REDUCTIONS_MOST + 1) * sizeof *proof->reductions);
  if (!deals || !proof->reductions) return exchange_no_memory(proving->error);
  for (;;) {
    Collega__Run *decision = NULL;
    struct id entry;
    enum collega_status status = fill_parts(proving, root, view->row, &wanted, &entry, proof);
    if (status == COLLEGA_OK) status = find_entry(proving, view, wanted, &decision);
    if (status == COLLEGA_OK && !decision)
      return error_set(proving->error, COLLEGA_REFUSED, RULE_proof_not_concluded, NULL, NULL);
    if (status == COLLEGA_OK && count == CHAIN_MOST)
      return error_set(proving->error, COLLEGA_REFUSED, RULE_proof_too_large, NULL, NULL);
    if (status != COLLEGA_OK) return status;
    Collega__ProofDeal *deal = arena_take(proving->arena, sizeof *deal);
    if (!deal) return exchange_no_memory(proving->error);
    status = fill_deal(proving, view->row, hide, decision, deal);
    if (status != COLLEGA_OK) return status;
    memmove(deals + 1, deals, count * sizeof *deals);
    deals[0] = deal;
    count++;
    if (!view->header->has_predecessor) break;
    if (!id_from(&before, view->header->predecessor.data, view->header->predecessor.len))
      return exchange_row_damaged(proving->error, "deals");
    wanted = &before;
    status = deal_of_decision(proving, root, wanted, view);
    if (status != COLLEGA_OK) return status;
  }
  proof->n_deals = count;
  proof->deals = deals;
  return COLLEGA_OK;
}

/* The termination and the record that led to it, which names the entry that it ends. */
static enum collega_status fill_end(struct proving *proving, const CollegaStore__RootRow *root,
                                    const CollegaStore__DealRow *row, Collega__Proof *proof,
                                    struct id *ended) {
  for (size_t i = 0; i < row->n_decisions; i++) {
    struct run_view run;
    bool found;
    enum collega_status status =
        run_read_bytes(field_bytes(&row->decisions[i]), proving->arena, &run, proving->error);
    if (status != COLLEGA_OK) return status;
    const Collega__Decision *decision = run.records[0].body->decision;
    if (!decision || decision->verdict != COLLEGA__VERDICT__VERDICT_TERMINATED) continue;
    status = find_request(proving, root, decision, &proof->terminate, ended, &found);
    if (status != COLLEGA_OK) return status;
    if (found) return run_of(proving, &row->decisions[i], &proof->termination);
  }
  return error_set(proving->error, COLLEGA_REFUSED, RULE_proof_end, NULL, NULL);
}

/* Whichever of its deals was named: the agreement as it stands, with all that became of it. */
static enum collega_status fill_agreement(struct proving *proving, struct deal_view *view,
                                          unsigned hide, Collega__Proof *proof) {
  CollegaStore__RootRow *root;
  struct id last, ended;
  bool agreed = view->row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_CONCLUDED ||
                view->row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_TERMINATED;
  enum collega_status status = root_row(proving->txn, proving->party, field_bytes(&view->row->root),
                                        proving->arena, &root, proving->error);
  if (status == COLLEGA_NOT_FOUND) return exchange_row_damaged(proving->error, "roots");
  if (status == COLLEGA_OK && (!agreed || !root->has_last_deal ||
                               !id_from(&last, root->last_deal.data, root->last_deal.len)))
    return error_set(proving->error, COLLEGA_REFUSED, RULE_proof_not_concluded, NULL, NULL);
  if (status == COLLEGA_OK)
    status =
        deal_view_read(proving->txn, proving->party, &last, proving->arena, view, proving->error);
  if (status == COLLEGA_NOT_FOUND) return exchange_row_damaged(proving->error, "roots");
  if (status != COLLEGA_OK) return status;
  if (view->row->state != COLLEGA_STORE__DEAL_STATE__DEAL_STATE_TERMINATED)
    return fill_chain(proving, root, view, NULL, hide, proof);
  status = fill_end(proving, root, view->row, proof, &ended);
  return status == COLLEGA_OK ? fill_chain(proving, root, view, &ended, hide, proof) : status;
}

static enum collega_status prove(struct proving *proving, const struct id *deal, unsigned hide,
                                 collega_time now, struct bytes *file) {
  Collega__Proof proof = COLLEGA__PROOF__INIT;
  CollegaStore__BrokerRow *broker;
  struct deal_view view;
  enum collega_status status =
      deal_view_read(proving->txn, proving->party, deal, proving->arena, &view, proving->error);
  if (status == COLLEGA_NOT_FOUND)
    return error_set(proving->error, COLLEGA_NOT_FOUND, RULE_deal_unknown, NULL, NULL);
  if (status == COLLEGA_OK) status = fill_agreement(proving, &view, hide, &proof);
  proving->proof = &proof;
  if (status == COLLEGA_OK) status = add_party(proving, &view.decider);
  if (status == COLLEGA_OK) status = add_party(proving, &view.party);
  if (status == COLLEGA_OK) status = add_party(proving, &view.counterparty);
  if (status == COLLEGA_OK)
    status = exchange_broker(proving->txn, proving->arena, &broker, proving->error);
  if (status != COLLEGA_OK) return status;
  if (!broker) return exchange_row_damaged(proving->error, "brokers");
  proof.version = 1;
  proof.n_members = proving->count;
  proof.members = proving->members;
  proof.made = now;
  proof.decider_name = broker->name;
  *file = proof_pack(&proof, proving->arena);
  return file->data ? COLLEGA_OK : exchange_no_memory(proving->error);
}

enum collega_status deal_prove(struct exchange *exchange, const struct id *party,
                               const struct id *deal, unsigned hide, collega_time now,
                               struct arena *arena, struct bytes *file,
                               struct collega_error *error) {
  struct proving proving = {.party = party, .arena = arena, .error = error};
  enum collega_status status = ledger_read(exchange->ledger, &proving.txn, error);
  if (status == COLLEGA_OK) status = prove(&proving, deal, hide, now, file);
  ledger_abort(&proving.txn);
  return status;
}
