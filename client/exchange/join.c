/* Joining: the token waits in a file of the home, since it is a secret with an end and no
 * business of the ledger; the certificate that answers it is an entry (intake.c). */
#include "client/exchange/parties.h"

#include <string.h>

#include "base/process/process.h"
#include "proto/guard.h"

/* One broker a home: a second one would need a head of its own (see the protocol, restored parties). The same
 * one again renews the certificate, or lets in a party that has lost the keys of its link. */
static enum collega_status check_not_joined(struct exchange *exchange,
                                            const Collega__Invitation *invitation,
                                            struct arena *arena, struct collega_error *error) {
  struct ledger_txn *txn = NULL;
  CollegaStore__BrokerRow *broker = NULL;
  enum collega_status status = ledger_read(exchange->ledger, &txn, error);
  if (status == COLLEGA_OK) status = exchange_broker(txn, arena, &broker, error);
  ledger_abort(&txn);
  if (status != COLLEGA_OK || !broker ||
      bytes_equal(field_bytes(&broker->broker), field_bytes(&invitation->broker)))
    return status;
  return error_set(error, COLLEGA_REFUSED, RULE_joined_other, NULL, broker->name, NULL);
}

/* Whoever is invited as one employer must not come in as another. */
static enum collega_status check_invited(struct exchange *exchange,
                                         const Collega__Invitation *invitation, struct arena *arena,
                                         struct collega_error *error) {
  struct ledger_txn *txn = NULL;
  ProtobufCMessage *row = NULL;
  enum collega_status status = ledger_read(exchange->ledger, &txn, error);
  if (status == COLLEGA_OK)
    status = row_get(txn, TABLE_OWN, bytes_of(exchange->host.byte, ID_BYTES),
                     &collega_store__own_party__descriptor, arena, &row, error);
  ledger_abort(&txn);
  if (status == COLLEGA_NOT_FOUND) return exchange_row_damaged(error, "own");
  if (status != COLLEGA_OK) return status;
  const CollegaStore__OwnParty *own = (const CollegaStore__OwnParty *)row;
  if (strcmp(own->kvk, invitation->kvk) == 0) return COLLEGA_OK;
  return error_set(error, COLLEGA_REFUSED, RULE_invitation_kvk, NULL, invitation->name,
                   invitation->kvk, own->kvk, NULL);
}

enum collega_status join_store_token(struct exchange *exchange, const char *token,
                                     struct collega_error *error) {
  Collega__Invitation *invitation = NULL;
  struct arena *arena = exchange_arena();
  if (!arena) return exchange_no_memory(error);
  enum collega_status status = invitation_read(token, arena, &invitation, error);
  if (status == COLLEGA_OK && invitation->has_host)
    status =
        error_set(error, COLLEGA_REFUSED, RULE_invitation_hosted, NULL, invitation->name, NULL);
  if (status == COLLEGA_OK) status = check_not_joined(exchange, invitation, arena, error);
  if (status == COLLEGA_OK) status = check_invited(exchange, invitation, arena, error);
  if (status == COLLEGA_OK) status = party_store_token(exchange, &exchange->host, token, error);
  arena_destroy(&arena);
  return status;
}

/* ---- the frames that open a session */

static enum collega_status own_card(struct exchange *exchange, const struct id *party,
                                    uint32_t number, struct arena *arena, Collega__Run **out,
                                    struct collega_error *error) {
  struct identity *identity = exchange_identity(exchange, party);
  if (!identity) return error_set(error, COLLEGA_NOT_FOUND, RULE_party_not_ours, NULL, NULL);
  struct bytes run = identity_card_run(identity, number);
  *out = (Collega__Run *)row_unpack(&collega__run__descriptor, run, arena);
  return *out ? COLLEGA_OK : exchange_no_memory(error);
}

void exchange_set_link_card(struct exchange *exchange, uint32_t number) {
  exchange->link_card = number;
}

/* Who comes with an invitation shows its first card, by which it is known for good; a member may show a card of its
 * recovery key, which the broker need not have heard of: the link keys that it knew may all be lost. */
static enum collega_status card_to_join(struct exchange *exchange, const struct id *party,
                                        struct arena *arena, uint32_t *number,
                                        struct collega_error *error) {
  struct ledger_txn *txn = NULL;
  CollegaStore__BrokerRow *broker = NULL;
  CollegaStore__OwnParty *own = NULL;
  bool certified = false;
  *number = 0;
  enum collega_status status = ledger_read(exchange->ledger, &txn, error);
  if (status == COLLEGA_OK) status = exchange_follow_cards(exchange, txn, error);
  if (status == COLLEGA_OK) status = exchange_broker(txn, arena, &broker, error);
  if (status == COLLEGA_OK) status = party_is_certified(txn, id_bytes(party), &certified, error);
  if (status == COLLEGA_OK) status = own_row(txn, id_bytes(party), arena, &own, error);
  bool lost = status == COLLEGA_OK && own->lost;
  ledger_abort(&txn);
  const struct identity *identity = exchange_identity(exchange, party);
  if (status != COLLEGA_OK || !identity || (!lost && (!broker || !certified))) return status;
  *number = identity_card_number(identity);
  while (*number > 0 && !identity_card_recovered(identity, *number))
    --*number;
  return COLLEGA_OK;
}

enum collega_status exchange_hello(struct exchange *exchange, struct arena *arena,
                                   struct bytes *frame, struct collega_error *error) {
  Collega__ToBroker to = COLLEGA__TO_BROKER__INIT;
  Collega__Hello hello = COLLEGA__HELLO__INIT;
  Collega__Head head = COLLEGA__HEAD__INIT;
  struct ledger_head at;
  struct ledger_txn *txn = NULL;
  enum collega_status status = ledger_read(exchange->ledger, &txn, error);
  if (status == COLLEGA_OK) status = ledger_head(txn, &at, error);
  ledger_abort(&txn);
  if (status == COLLEGA_OK)
    status = own_card(exchange, &exchange->host, exchange->link_card, arena, &hello.card, error);
  if (status != COLLEGA_OK) return status;
  field_set(&head.epoch, at.epoch.byte, EPOCH_BYTES);
  head.number = at.number;
  field_set_id(&head.hash, &at.hash);
  hello.version = PROTOCOL_VERSION;
  hello.head = &head;
  hello.software = (char *)(uintptr_t) "collega " COLLEGA_VERSION;
  to.hello = &hello;
  return exchange_pack(arena, &to.base, frame, error);
}

enum collega_status exchange_join(struct exchange *exchange, const struct id *party,
                                  struct arena *arena, struct bytes *frame,
                                  struct collega_error *error) {
  Collega__ToBroker to = COLLEGA__TO_BROKER__INIT;
  Collega__Join join = COLLEGA__JOIN__INIT;
  uint32_t number = 0;
  enum collega_status status = card_to_join(exchange, party, arena, &number, error);
  if (status == COLLEGA_OK) status = own_card(exchange, party, number, arena, &join.card, error);
  exchange->joining = *party;
  to.join = &join;
  return status == COLLEGA_OK ? exchange_pack(arena, &to.base, frame, error) : status;
}
