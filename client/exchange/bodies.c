/* Records and letters of our own: numbered and signed inside the transaction that stores them,
 * so that a number that was given out is never given out again, and nothing is signed that is
 * not stored. */
#include "client/exchange/inside.h"

#include "proto/check.h"
#include "proto/guard.h"
#include "proto/limits.h"

enum collega_status exchange_own_body(struct exchange *exchange, struct ledger_txn *txn,
                                      const struct id *party, struct arena *arena,
                                      Collega__Body **out, struct collega_error *error) {
  (void)exchange;
  Collega__Body *body = arena_take(arena, sizeof *body);
  struct epoch *epoch = arena_take(arena, sizeof *epoch);
  struct id *author = arena_copy(arena, party, sizeof *author);
  if (!body || !epoch || !author) return exchange_no_memory(error);
  uint64_t sequence = 0;
  enum collega_status status = ledger_epoch(txn, epoch, error);
  if (status == COLLEGA_OK)
    status = ledger_next_sequence(txn, party, SEQUENCE_RECORDS, 1, &sequence, error);
  if (status != COLLEGA_OK) return status;
  body_init(body, author, epoch, sequence);
  *out = body;
  return COLLEGA_OK;
}

enum collega_status body_finish(const Collega__Body *body, struct arena *arena,
                                struct bytes *packed, struct id *id, struct collega_error *error) {
  enum collega_status status = check_fields(&body->base, error);
  if (status == COLLEGA_OK) status = exchange_pack(arena, &body->base, packed, error);
  if (status == COLLEGA_OK) status = check_body(body, packed->length, error);
  if (status == COLLEGA_OK) record_id(id, *packed);
  return status;
}

enum collega_status exchange_append_record(struct exchange *exchange, struct ledger_txn *txn,
                                           const struct identity *identity, Collega__Body *body,
                                           collega_time now, struct arena *arena, struct id *record,
                                           struct collega_error *error) {
  struct bytes packed, run_bytes;
  Collega__Run *run = NULL;
  enum collega_status status = body_finish(body, arena, &packed, record, error);
  if (status == COLLEGA_OK) status = run_sign(identity, &packed, 1, arena, &run, error);
  if (status == COLLEGA_OK) status = exchange_pack(arena, &run->base, &run_bytes, error);
  return status == COLLEGA_OK ? exchange_append_run(exchange, txn, identity_party(identity),
                                                    run_bytes, record, now, arena, error)
                              : status;
}

enum collega_status exchange_append_run(struct exchange *exchange, struct ledger_txn *txn,
                                        const struct id *party, struct bytes run,
                                        const struct id *record, collega_time now,
                                        struct arena *arena, struct collega_error *error) {
  CollegaStore__OwnRecords content = COLLEGA_STORE__OWN_RECORDS__INIT;
  field_set(&content.run, run.data, run.length);
  struct ledger_event event = {.time = now,
                               .kind = COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_OWN_RECORDS,
                               .party = party,
                               .record = record};
  enum collega_status status = exchange_pack(arena, &content.base, &event.payload, error);
  return status == COLLEGA_OK ? exchange_append(exchange, txn, &event, error) : status;
}

enum collega_status exchange_seal(struct exchange *exchange, struct ledger_txn *txn,
                                  const struct id *from, const struct id *to, Collega__Run **runs,
                                  size_t count, Collega__SaltedTerms *terms, bool copy,
                                  collega_time now, struct arena *arena, struct bytes *envelope,
                                  struct collega_error *error) {
  const struct identity *identity = exchange_identity(exchange, from);
  const struct known_party *recipient = members_find(exchange_members(exchange, txn), to);
  if (!identity) return error_set(error, COLLEGA_NOT_FOUND, RULE_party_not_ours, NULL, NULL);
  if (!recipient) return error_set(error, COLLEGA_NOT_FOUND, RULE_recipient_unknown, NULL, NULL);
  struct epoch epoch;
  Collega__Letter letter = COLLEGA__LETTER__INIT;
  enum collega_status status = ledger_epoch(txn, &epoch, error);
  if (status == COLLEGA_OK)
    status = ledger_next_sequence(txn, from, SEQUENCE_MAIL, 1, &letter.seq, error);
  if (status != COLLEGA_OK) return status;
  field_set_id(&letter.from, from);
  field_set_id(&letter.to, to);
  field_set(&letter.epoch, epoch.byte, EPOCH_BYTES);
  letter.n_runs = count;
  letter.runs = runs;
  letter.terms = terms;
  status = check_fields(&letter.base, error);
  if (status != COLLEGA_OK) return status;
  return letter_seal(identity, recipient, &letter, copy, now + MAIL_LIFETIME_MS, arena, envelope,
                     error);
}
