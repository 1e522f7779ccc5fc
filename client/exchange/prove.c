/* The proof of an agreement: everything that shows who agreed to what, when, and who could sign,
 * in one file that needs nothing else. */
#include "client/exchange/deal_rows.h"

#include "proto/guard.h"
#include "proto/limits.h"
#include "proto/proof.h"

#define PROOF_MEMBERS 200 /* as the schema allows */

struct proving {
  struct ledger_txn *txn;
  struct arena *arena;
  struct collega_error *error;
  Collega__Receipted *members[PROOF_MEMBERS];
  size_t count;
};

static enum collega_status run_of(struct proving *proving, const ProtobufCBinaryData *packed,
                                  Collega__Run **out) {
  *out = (Collega__Run *)row_unpack(&collega__run__descriptor, field_bytes(packed), proving->arena);
  return *out ? COLLEGA_OK : exchange_row_damaged(proving->error, "deals");
}

/* What says who a party is and who may sign for it. Epoch starts and trust lists say neither. */
static bool belongs(const Collega__Body *body) {
  return body->card || body->cert || body->mandate || body->mandate_end || body->revocation;
}

/* Every card, certificate and mandate of the party that the board brought, with the broker's
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
    if (!belongs(view.records[0].body)) continue;
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

/* The decision that concluded the deal. */
static enum collega_status conclusion_of(struct proving *proving, const CollegaStore__DealRow *row,
                                         Collega__Run **out) {
  enum collega_status status = COLLEGA_OK;
  *out = NULL;
  for (size_t i = 0; status == COLLEGA_OK && i < row->n_decisions && !*out; i++) {
    struct run_view view;
    status = run_read_bytes(field_bytes(&row->decisions[i]), proving->arena, &view, proving->error);
    if (status != COLLEGA_OK || !view.records[0].body->decision) continue;
    Collega__Verdict verdict = view.records[0].body->decision->verdict;
    if (verdict == COLLEGA__VERDICT__VERDICT_CONCLUDED)
      status = run_of(proving, &row->decisions[i], out);
  }
  if (status == COLLEGA_OK && !*out)
    return error_set(proving->error, COLLEGA_REFUSED, RULE_proof_not_concluded, NULL, NULL);
  return status;
}

static enum collega_status fill_deal(struct proving *proving, const CollegaStore__DealRow *row,
                                     unsigned hide, Collega__ProofDeal *out) {
  collega__proof_deal__init(out);
  enum collega_status status = conclusion_of(proving, row, &out->decision);
  if (status != COLLEGA_OK) return status;
  if (!row->has_acceptance_run) /* the other side's letter is still on its way */
    return error_set(proving->error, COLLEGA_REFUSED, RULE_proof_acceptance, NULL, NULL);
  const Collega__SaltedTerms *salted = (const Collega__SaltedTerms *)row_unpack(
      &collega__salted_terms__descriptor, field_bytes(&row->terms), proving->arena);
  if (!salted) return exchange_row_damaged(proving->error, "terms");
  status = run_of(proving, &row->header_run, &out->header);
  if (status == COLLEGA_OK) status = run_of(proving, &row->acceptance_run, &out->acceptance);
  if (status == COLLEGA_OK)
    status = terms_hide(salted, hide, proving->arena, &out->terms, proving->error);
  return status;
}

static enum collega_status prove(struct proving *proving, const struct id *party,
                                 const struct id *deal, unsigned hide, collega_time now,
                                 struct bytes *file) {
  Collega__Proof proof = COLLEGA__PROOF__INIT;
  Collega__ProofDeal proved, *deals = &proved;
  CollegaStore__BrokerRow *broker;
  struct deal_view view;
  enum collega_status status =
      deal_view_read(proving->txn, deal, proving->arena, &view, proving->error);
  if (status == COLLEGA_NOT_FOUND || (status == COLLEGA_OK && !id_equal(&view.party, party)))
    return error_set(proving->error, COLLEGA_NOT_FOUND, RULE_deal_unknown, NULL, NULL);
  if (status == COLLEGA_OK && view.row->state != COLLEGA_STORE__DEAL_STATE__DEAL_STATE_CONCLUDED)
    return error_set(proving->error, COLLEGA_REFUSED, RULE_proof_not_concluded, NULL, NULL);
  if (status == COLLEGA_OK) status = fill_deal(proving, view.row, hide, &proved);
  if (status == COLLEGA_OK) status = add_party(proving, &view.decider);
  if (status == COLLEGA_OK) status = add_party(proving, &view.party);
  if (status == COLLEGA_OK) status = add_party(proving, &view.counterparty);
  if (status == COLLEGA_OK)
    status = exchange_broker(proving->txn, proving->arena, &broker, proving->error);
  if (status != COLLEGA_OK) return status;
  if (!broker) return exchange_row_damaged(proving->error, "brokers");
  proof.version = 1;
  proof.n_deals = 1;
  proof.deals = &deals;
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
  struct proving proving = {.arena = arena, .error = error};
  enum collega_status status = ledger_read(exchange->ledger, &proving.txn, error);
  if (status == COLLEGA_OK) status = prove(&proving, party, deal, hide, now, file);
  ledger_abort(&proving.txn);
  return status;
}
