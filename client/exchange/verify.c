/* Going over the chain of a ledger once more, for what the hashes do not say (verification.h). */
#include "client/exchange/verification.h"

#include <inttypes.h>
#include <stdio.h>

#include "client/exchange/inside.h"

#define VERIFY_CHUNK 256 /* entries in one read transaction: a long one makes the file grow */

struct verifying {
  struct verification *verification;
  struct arena *arena;
  uint64_t next, until;
};

static enum collega_status verify_chunk(struct exchange *exchange, struct verifying *verifying,
                                        struct collega_error *error) {
  struct ledger_txn *txn = NULL;
  struct ledger_event event;
  struct ledger_head head;
  enum collega_status status = ledger_read(exchange->ledger, &txn, error);
  if (status != COLLEGA_OK) return status;
  status = ledger_head(txn, &head, error);
  verifying->until = head.number;
  for (int i = 0; status == COLLEGA_OK && i < VERIFY_CHUNK && verifying->next <= verifying->until;
       i++) {
    arena_reset(verifying->arena);
    status = ledger_entry(txn, verifying->next, verifying->arena, &event, error);
    ProtobufCMessage *content = NULL;
    if (status == COLLEGA_OK) status = verification_read(&event, verifying->arena, &content, error);
    if (status == COLLEGA_OK)
      status = verification_take(verifying->verification, &event, content, verifying->arena, NULL,
                                 error);
    if (status == COLLEGA_OK) verifying->next++;
  }
  ledger_abort(&txn);
  return status;
}

enum collega_status exchange_verify(struct exchange *exchange,
                                    void (*progress)(void *, uint64_t, uint64_t), void *context,
                                    uint64_t *signatures, struct collega_error *error) {
  struct verifying verifying = {.verification = verification_new(),
                                .arena = arena_new(REPLAY_FIRST_BYTES, WORK_ARENA_BYTES),
                                .next = 1,
                                .until = 1};
  enum collega_status status = COLLEGA_OK;
  char number[24];
  *signatures = 0;
  if (!verifying.verification || !verifying.arena) status = exchange_no_memory(error);
  while (status == COLLEGA_OK && verifying.next <= verifying.until) {
    status = verify_chunk(exchange, &verifying, error);
    if (progress) progress(context, verifying.next - 1, verifying.until);
  }
  if (status == COLLEGA_FORGED || status == COLLEGA_INVALID) {
    snprintf(number, sizeof number, "%" PRIu64, verifying.next);
    status = error_set(error, COLLEGA_DAMAGED, RULE_entry_signature, NULL, number, NULL);
  }
  if (status == COLLEGA_OK) status = verification_end(verifying.verification, error);
  if (verifying.verification) *signatures = verification_signatures(verifying.verification);
  verification_destroy(&verifying.verification);
  arena_destroy(&verifying.arena);
  return status;
}
