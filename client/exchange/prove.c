/* The proof of an agreement: everything that shows who agreed to what, when, and who could sign,
 * in one file that needs nothing else.
 *
 * It is judged before it is given away, as whoever gets it will judge it. A home that was restored has its agreements
 * back before it has read the board, and without what the board brings - cards, certificates, mandates, the decider's
 * receipts for them - nobody could check it. */
#include "client/exchange/deal_rows.h"

#include <string.h>

#include "base/words.h"
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

/* Something that belongs to it is still on its way. */
static enum collega_status not_yet(const struct proving *proving, enum rule lacks) {
  return error_set(proving->error, COLLEGA_UNREACHABLE, RULE_proof_not_yet, NULL, rule_name(lacks),
                   NULL);
}

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
  if (status == COLLEGA_NOT_FOUND) return not_yet(proving, RULE_proof_lacks_card);
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

/* The ids by which what follows an entry names it: its request, and its decision. A restored decider says an entry
 * again under another id, so they may be two; and the one that was said first is neither, perhaps. */
struct names {
  struct id id[2];
  bool met[2];
};

static bool take_names(struct names *out, const ProtobufCBinaryData *request,
                       const ProtobufCBinaryData *decision) {
  *out = (struct names){.met = {false, false}};
  return id_from(&out->id[0], request->data, request->len) &&
         id_from(&out->id[1], decision->data, decision->len);
}

/* An entry of the chain: what the decider said first, as far as is known here, and what it said again. */
struct stated {
  const Collega__Decision *decision;
  const ProtobufCBinaryData *packed;
  const ProtobufCBinaryData *again[2];
  size_t again_count;
};

static enum collega_status read_decision(struct proving *proving, const ProtobufCBinaryData *packed,
                                         struct id *id, const Collega__Decision **out) {
  struct run_view run;
  enum collega_status status =
      run_read_bytes(field_bytes(packed), proving->arena, &run, proving->error);
  if (status != COLLEGA_OK) return status;
  *id = run.records[0].id;
  *out = run.records[0].body->decision;
  return *out ? COLLEGA_OK : exchange_row_damaged(proving->error, "deals");
}

static bool same_entry(const Collega__Decision *one, const Collega__Decision *other) {
  return one->verdict == other->verdict && one->position == other->position;
}

/* Which of the deal's entries is meant; *found false: none. */
static enum collega_status find_named(struct proving *proving, const CollegaStore__DealRow *row,
                                      const struct names *names, const Collega__Decision **entry) {
  *entry = NULL;
  for (size_t i = 0; i < row->n_decisions && !*entry; i++) {
    const Collega__Decision *decision;
    struct id id;
    enum collega_status status = read_decision(proving, &row->decisions[i], &id, &decision);
    if (status != COLLEGA_OK) return status;
    if (id_equal(&id, &names->id[0]) || id_equal(&id, &names->id[1])) *entry = decision;
  }
  return COLLEGA_OK;
}

static void take_again(struct stated *out, const ProtobufCBinaryData *packed) {
  for (size_t i = 0; i < out->again_count; i++)
    if (out->again[i] == packed) return;
  if (out->again_count < 2) out->again[out->again_count++] = packed;
}

/* All that was said of the entry: the first of it counts, for it was in time; of the others those that are named. */
static enum collega_status read_stated(struct proving *proving, const CollegaStore__DealRow *row,
                                       const Collega__Decision *entry, struct names *names,
                                       struct stated *out) {
  *out = (struct stated){.again_count = 0};
  for (int pass = 0; pass < 2; pass++) {
    for (size_t i = 0; i < row->n_decisions; i++) {
      const Collega__Decision *decision;
      struct id id;
      enum collega_status status = read_decision(proving, &row->decisions[i], &id, &decision);
      if (status != COLLEGA_OK) return status;
      if (!same_entry(decision, entry)) continue;
      if (pass == 0) {
        if (out->decision && out->decision->epoch_number <= decision->epoch_number) continue;
        out->decision = decision;
        out->packed = &row->decisions[i];
        continue;
      }
      for (size_t j = 0; j < 2; j++) {
        if (!id_equal(&id, &names->id[j])) continue;
        names->met[j] = true;
        if (out->packed != &row->decisions[i]) take_again(out, &row->decisions[i]);
      }
    }
  }
  return names->met[0] && names->met[1]
             ? COLLEGA_OK
             : error_set(proving->error, COLLEGA_UNREACHABLE, RULE_proof_gap, NULL, NULL);
}

static enum collega_status runs_of_again(struct proving *proving, const struct stated *stated,
                                         Collega__Run ***out, size_t *count) {
  Collega__Run **runs = arena_take(proving->arena, 2 * sizeof *runs);
  if (!runs) return exchange_no_memory(proving->error);
  *out = runs;
  *count = stated->again_count;
  for (size_t i = 0; i < stated->again_count; i++) {
    enum collega_status status = run_of(proving, stated->again[i], &runs[i]);
    if (status != COLLEGA_OK) return status;
  }
  return COLLEGA_OK;
}

/* The acceptance that the decision names; where none is, the one that is there. */
static enum collega_status pick_acceptance(struct proving *proving,
                                           const CollegaStore__DealRow *row,
                                           const Collega__Decision *decision,
                                           const ProtobufCBinaryData **out) {
  *out = &row->acceptance_run;
  for (size_t i = 0; decision->has_basis && i < row->n_other_acceptances; i++) {
    struct run_view run;
    enum collega_status status = run_read_bytes(field_bytes(&row->other_acceptances[i]),
                                                proving->arena, &run, proving->error);
    if (status != COLLEGA_OK) return status;
    if (field_is(&decision->basis, &run.records[0].id)) *out = &row->other_acceptances[i];
  }
  return COLLEGA_OK;
}

static enum collega_status fill_deal(struct proving *proving, const CollegaStore__DealRow *row,
                                     unsigned hide, const struct stated *stated,
                                     Collega__ProofDeal *out) {
  collega__proof_deal__init(out);
  if (!row->has_acceptance_run) /* the other side's letter is still on its way */
    return error_set(proving->error, COLLEGA_UNREACHABLE, RULE_proof_acceptance, NULL, NULL);
  const Collega__SaltedTerms *salted = (const Collega__SaltedTerms *)row_unpack(
      &collega__salted_terms__descriptor, field_bytes(&row->terms), proving->arena);
  if (!salted) return exchange_row_damaged(proving->error, "terms");
  const ProtobufCBinaryData *acceptance;
  enum collega_status status = pick_acceptance(proving, row, stated->decision, &acceptance);
  if (status == COLLEGA_OK) status = run_of(proving, &row->header_run, &out->header);
  if (status == COLLEGA_OK) status = run_of(proving, acceptance, &out->acceptance);
  if (status == COLLEGA_OK) status = run_of(proving, stated->packed, &out->decision);
  if (status == COLLEGA_OK) status = runs_of_again(proving, stated, &out->again, &out->n_again);
  if (status == COLLEGA_OK)
    status = terms_hide(salted, hide, proving->arena, &out->terms, proving->error);
  return status;
}

/* ---- what one party ended */

/* The record that a decision follows from. NULL: it has not come in. */
static enum collega_status find_request(struct proving *proving, const CollegaStore__RootRow *root,
                                        const Collega__Decision *decision, Collega__Run **out,
                                        const Collega__Terminate **terminate) {
  *terminate = NULL;
  for (size_t i = 0; i < root->n_terminates && !*terminate; i++) {
    struct run_view request;
    enum collega_status status =
        run_read_bytes(field_bytes(&root->terminates[i]), proving->arena, &request, proving->error);
    if (status != COLLEGA_OK) return status;
    if (!decision->has_basis || !field_is(&decision->basis, &request.records[0].id)) continue;
    *terminate = request.records[0].body->terminate;
    if (!*terminate) return exchange_row_damaged(proving->error, "roots");
    status = run_of(proving, &root->terminates[i], out);
    if (status != COLLEGA_OK) return status;
  }
  return COLLEGA_OK;
}

/* The entry goes before those that are there; *names becomes what it follows. */
static enum collega_status fill_part(struct proving *proving, const CollegaStore__RootRow *root,
                                     const struct stated *stated, struct names *names,
                                     Collega__Proof *proof) {
  const Collega__Terminate *terminate;
  Collega__ProofReduction *part = arena_take(proving->arena, sizeof *part);
  if (!part) return exchange_no_memory(proving->error);
  collega__proof_reduction__init(part);
  enum collega_status status =
      find_request(proving, root, stated->decision, &part->terminate, &terminate);
  if (status == COLLEGA_OK && !terminate)
    return error_set(proving->error, COLLEGA_UNREACHABLE, RULE_proof_end, NULL, NULL);
  if (status == COLLEGA_OK && proof->n_reductions == REDUCTIONS_MOST)
    return error_set(proving->error, COLLEGA_REFUSED, RULE_proof_too_large, NULL, NULL);
  if (status == COLLEGA_OK) status = run_of(proving, stated->packed, &part->decision);
  if (status == COLLEGA_OK) status = runs_of_again(proving, stated, &part->again, &part->n_again);
  if (status != COLLEGA_OK) return status;
  memmove(proof->reductions + 1, proof->reductions,
          proof->n_reductions * sizeof(Collega__ProofReduction *));
  proof->reductions[0] = part;
  proof->n_reductions++;
  return take_names(names, &terminate->predecessor, &stated->decision->predecessor)
             ? COLLEGA_OK
             : exchange_row_damaged(proving->error, "roots");
}

/* ---- the chain, from its end */

/* Which of the root's deals these name, and the entry. */
static enum collega_status find_entry(struct proving *proving, const CollegaStore__RootRow *root,
                                      const struct names *names, struct deal_view *view,
                                      const Collega__Decision **entry) {
  for (size_t i = 0; i < root->n_deals; i++) {
    struct id deal;
    if (!id_from(&deal, root->deals[i].data, root->deals[i].len))
      return exchange_row_damaged(proving->error, "roots");
    enum collega_status status =
        deal_view_read(proving->txn, proving->party, &deal, proving->arena, view, proving->error);
    if (status == COLLEGA_NOT_FOUND) return exchange_row_damaged(proving->error, "roots");
    if (status == COLLEGA_OK) status = find_named(proving, view->row, names, entry);
    if (status != COLLEGA_OK || *entry) return status;
  }
  return error_set(proving->error, COLLEGA_REFUSED, RULE_proof_not_concluded, NULL, NULL);
}

static enum collega_status fill_entry(struct proving *proving, const struct deal_view *view,
                                      const struct stated *stated, unsigned hide,
                                      Collega__Proof *proof) {
  if (proof->n_deals == CHAIN_MOST)
    return error_set(proving->error, COLLEGA_REFUSED, RULE_proof_too_large, NULL, NULL);
  Collega__ProofDeal *deal = arena_take(proving->arena, sizeof *deal);
  if (!deal) return exchange_no_memory(proving->error);
  enum collega_status status = fill_deal(proving, view->row, hide, stated, deal);
  if (status != COLLEGA_OK) return status;
  memmove(proof->deals + 1, proof->deals, proof->n_deals * sizeof *proof->deals);
  proof->deals[0] = deal;
  proof->n_deals++;
  return COLLEGA_OK;
}

/* From the entry that `names` name back to the conclusion. */
static enum collega_status fill_chain(struct proving *proving, const CollegaStore__RootRow *root,
                                      struct deal_view *view, struct names names, unsigned hide,
                                      Collega__Proof *proof) {
  proof->deals = arena_take(proving->arena, CHAIN_MOST * sizeof *proof->deals);
  proof->reductions = arena_take(proving->arena, (REDUCTIONS_MOST + 1) * sizeof *proof->reductions);
  if (!proof->deals || !proof->reductions) return exchange_no_memory(proving->error);
  for (;;) {
    const Collega__Decision *entry;
    struct stated stated;
    enum collega_status status = find_entry(proving, root, &names, view, &entry);
    if (status == COLLEGA_OK) status = read_stated(proving, view->row, entry, &names, &stated);
    if (status != COLLEGA_OK) return status;
    if (stated.decision->verdict == COLLEGA__VERDICT__VERDICT_REDUCED) {
      status = fill_part(proving, root, &stated, &names, proof);
      if (status != COLLEGA_OK) return status;
      continue;
    }
    status = fill_entry(proving, view, &stated, hide, proof);
    if (status != COLLEGA_OK || !view->header->has_predecessor) return status;
    if (!take_names(&names, &view->header->predecessor, &stated.decision->predecessor))
      return exchange_row_damaged(proving->error, "deals");
  }
}

/* The termination and the record that led to it. *names: the entry that it ends. */
static enum collega_status fill_end(struct proving *proving, const CollegaStore__RootRow *root,
                                    const CollegaStore__DealRow *row, Collega__Proof *proof,
                                    struct names *names) {
  for (size_t i = 0; i < row->n_decisions; i++) {
    const Collega__Decision *decision;
    const Collega__Terminate *terminate;
    struct id id;
    enum collega_status status = read_decision(proving, &row->decisions[i], &id, &decision);
    if (status != COLLEGA_OK) return status;
    if (decision->verdict != COLLEGA__VERDICT__VERDICT_TERMINATED) continue;
    status = find_request(proving, root, decision, &proof->terminate, &terminate);
    if (status != COLLEGA_OK) return status;
    if (!terminate) continue;
    if (!take_names(names, &terminate->predecessor, &decision->predecessor))
      return exchange_row_damaged(proving->error, "roots");
    return run_of(proving, &row->decisions[i], &proof->termination);
  }
  return error_set(proving->error, COLLEGA_UNREACHABLE, RULE_proof_end, NULL, NULL);
}

/* Whichever of its deals was named: the agreement as it stands, with all that became of it. */
static enum collega_status fill_agreement(struct proving *proving, struct deal_view *view,
                                          unsigned hide, Collega__Proof *proof) {
  CollegaStore__RootRow *root;
  struct id last;
  struct names names;
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
  if (view->row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_TERMINATED)
    status = fill_end(proving, root, view->row, proof, &names);
  else if (!take_names(&names, &root->last_decision, &root->last_decision))
    status = exchange_row_damaged(proving->error, "roots");
  return status == COLLEGA_OK ? fill_chain(proving, root, view, names, hide, proof) : status;
}

/* ---- judged before it is given away */

/* What the finding lacks, if the board can still bring it. */
static enum rule lacks(const struct proof_finding *finding) {
  if (!finding->against) return RULE_NONE;
  if (finding->words.rule == RULE_proof_receipt_missing) return RULE_proof_lacks_receipt;
  if (finding->words.rule == RULE_proof_cert_missing) return RULE_proof_lacks_cert;
  if (finding->words.rule == RULE_proof_no_card) return RULE_proof_lacks_card;
  if (finding->words.rule == RULE_mandate_unknown) return RULE_proof_lacks_mandate;
  return finding->words.status == COLLEGA_NOT_FOUND ? RULE_proof_lacks_card : RULE_NONE;
}

/* Of all that does not fit, first what may still come: the rest may follow from it. */
static enum collega_status judge(const struct proving *proving, struct bytes file) {
  struct proof_judgement judgement;
  enum collega_status status =
      proof_judge(file, NULL, 0, proving->arena, &judgement, proving->error);
  if (status != COLLEGA_OK || judgement.valid) return status;
  const struct proof_finding *first = NULL;
  for (size_t i = 0; i < judgement.finding_count; i++) {
    enum rule rule = lacks(&judgement.findings[i]);
    if (rule != RULE_NONE) return not_yet(proving, rule);
    if (!first && judgement.findings[i].against) first = &judgement.findings[i];
  }
  if (!first) return exchange_no_memory(proving->error);
  if (proving->error) {
    *proving->error = first->words;
    proving->error->status = COLLEGA_FORGED;
    error_prefix(proving->error, "proof");
  }
  return COLLEGA_FORGED;
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
  struct bytes packed = proof_pack(&proof, proving->arena);
  if (!packed.data) return exchange_no_memory(proving->error);
  status = judge(proving, packed);
  if (status == COLLEGA_OK) *file = packed;
  return status;
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
