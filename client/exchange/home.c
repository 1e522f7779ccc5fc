/* A node's home: made once, opened by every command and by the daemon.
 *
 *   HOME/home                      "node"
 *   HOME/ledger/                   the ledger
 *   HOME/parties/ID/identity       the secret side of each party that lives here (parties.c)
 *   HOME/invitation                the token that waits for a broker (join.c)
 *
 * Everything that init can refuse it refuses before the first file exists. */
#include "client/exchange/parties.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/process/process.h"

/* ---- init */

/* The first transaction of a new home. `exchange` is only as far as apply needs it. */
static enum collega_status fill_ledger(struct exchange *exchange, const struct party_init *init,
                                       collega_time now, struct id *party,
                                       char recovery_text[RECOVERY_TEXT_BYTES],
                                       struct collega_error *error) {
  struct ledger_txn *txn = NULL;
  struct arena *arena = exchange_arena();
  if (!arena) return exchange_no_memory(error);
  enum collega_status status = exchange_begin(exchange, &txn, error);
  if (status == COLLEGA_OK)
    status = party_make(exchange, txn, init, true, now, party, recovery_text, arena, error);
  status = exchange_end(exchange, &txn, status, error);
  arena_destroy(&arena);
  return status;
}

enum collega_status node_init(const struct node_init *init, collega_time now, struct id *party,
                              char recovery_text[RECOVERY_TEXT_BYTES],
                              struct collega_error *error) {
  const struct party_init host = {init->name, init->kvk, init->signatory, init->function};
  enum collega_status status = party_check(&host, now, error);
  if (status == COLLEGA_OK) status = home_create(init->home, "node", error);
  if (status == COLLEGA_OK) status = ledger_create(init->home, now, error);
  if (status != COLLEGA_OK) return status;
  struct exchange exchange = {.home = (char *)(uintptr_t)init->home};
  status = ledger_open(init->home, &exchange.ledger, error);
  if (status == COLLEGA_OK)
    status = fill_ledger(&exchange, &host, now, party, recovery_text, error);
  members_destroy(&exchange.members);
  ledger_close(&exchange.ledger);
  return status;
}

/* All that can be refused is refused before the first file exists: the keys are tried once without a home. */
static enum collega_status check_recovery(const Collega__Invitation *invitation,
                                          const char *recovery_text, collega_time now,
                                          struct arena *arena, struct collega_error *error) {
  struct identity *identity = NULL;
  struct epoch epoch = {{0}};
  if (invitation->n_cards == 0)
    return error_set(error, COLLEGA_REFUSED, RULE_invitation_no_recovery, NULL, invitation->name,
                     NULL);
  if (invitation->has_host)
    return error_set(error, COLLEGA_REFUSED, RULE_recover_hosted, NULL, invitation->name, NULL);
  struct bytes *cards = arena_take(arena, invitation->n_cards * sizeof *cards);
  if (!cards) return exchange_no_memory(error);
  for (size_t i = 0; i < invitation->n_cards; i++)
    cards[i] = field_bytes(&invitation->cards[i]);
  enum collega_status status = identity_of_cards(cards, invitation->n_cards, &identity, error);
  if (status == COLLEGA_OK)
    status = identity_recover(identity, recovery_text, &epoch, 1, now, error);
  identity_destroy(&identity);
  return status;
}

enum collega_status node_recover(const char *home, const char *token, const char *recovery_text,
                                 collega_time now, struct id *party, struct collega_error *error) {
  Collega__Invitation *invitation = NULL;
  struct ledger_txn *txn = NULL;
  struct arena *arena = exchange_arena();
  struct exchange exchange = {.home = (char *)(uintptr_t)home};
  if (!arena) return exchange_no_memory(error);
  enum collega_status status = invitation_read(token, arena, &invitation, error);
  if (status == COLLEGA_OK) status = check_recovery(invitation, recovery_text, now, arena, error);
  if (status == COLLEGA_OK) status = home_create(home, "node", error);
  if (status == COLLEGA_OK) status = ledger_create(home, now, error);
  if (status == COLLEGA_OK) status = ledger_open(home, &exchange.ledger, error);
  if (status == COLLEGA_OK) {
    status = exchange_begin(&exchange, &txn, error);
    if (status == COLLEGA_OK)
      status =
          party_make_again(&exchange, txn, invitation, recovery_text, now, party, arena, error);
    status = exchange_end(&exchange, &txn, status, error);
  }
  members_destroy(&exchange.members);
  ledger_close(&exchange.ledger);
  arena_destroy(&arena);
  return status;
}

/* ---- open */

static enum collega_status load_parties(struct exchange *exchange, struct collega_error *error) {
  exchange->key_mark = exchange_key_mark(exchange); /* before: what comes after it is seen later */
  struct ledger_txn *txn = NULL;
  enum collega_status status = ledger_read(exchange->ledger, &txn, error);
  if (status == COLLEGA_OK) status = parties_load(exchange, txn, error);
  ledger_abort(&txn);
  return status;
}

static enum collega_status open_on(const char *home, struct ledger *ledger, struct exchange **out,
                                   struct collega_error *error) {
  struct exchange *exchange = calloc(1, sizeof *exchange);
  if (exchange) exchange->home = strdup(home);
  enum collega_status status = exchange && exchange->home ? COLLEGA_OK : exchange_no_memory(error);
  if (status == COLLEGA_OK) {
    exchange->ledger = ledger;
    exchange->ledger_borrowed = ledger != NULL;
    if (!ledger) status = ledger_open(home, &exchange->ledger, error);
  }
  if (status == COLLEGA_OK) status = load_parties(exchange, error);
  if (status == COLLEGA_OK)
    *out = exchange;
  else
    exchange_close(&exchange);
  return status;
}

enum collega_status exchange_open(const char *home, struct exchange **out,
                                  struct collega_error *error) {
  *out = NULL;
  enum collega_status status = home_check(home, "node", error);
  return status == COLLEGA_OK ? open_on(home, NULL, out, error) : status;
}

enum collega_status exchange_open_on(struct ledger *ledger, struct exchange **out,
                                     struct collega_error *error) {
  *out = NULL;
  return open_on(ledger_home(ledger), ledger, out, error);
}

void exchange_close(struct exchange **exchange) {
  struct exchange *own = *exchange;
  if (!own) return;
  for (size_t i = 0; i < own->identity_count; i++)
    identity_destroy(&own->identities[i]);
  free(own->identities);
  free(own->filled);
  free(own->ask_later);
  arena_destroy(&own->filter_arena);
  arena_destroy(&own->replay_arena);
  exchange_drop_held(own);
  exchange_drop_catch_up(own);
  members_destroy(&own->members);
  if (!own->ledger_borrowed) ledger_close(&own->ledger);
  free(own->home);
  free(own);
  *exchange = NULL;
}

struct ledger *exchange_ledger(struct exchange *exchange) {
  return exchange->ledger;
}

const struct id *exchange_host(const struct exchange *exchange) {
  return &exchange->host;
}

/* ---- members in memory */

static bool heads_equal(const struct ledger_head *a, const struct ledger_head *b) {
  return a->number == b->number && id_equal(&a->hash, &b->hash);
}

static void members_renew(struct exchange *exchange, const struct ledger_head *head) {
  members_destroy(&exchange->members);
  exchange->members = members_new(ledger_members_loader, &exchange->txn);
  exchange->members_at = *head;
  exchange->members_stale = false;
}

struct members *exchange_members(struct exchange *exchange, struct ledger_txn *txn) {
  struct ledger_head head = {.number = 0};
  if (exchange->members && exchange->writing == txn) return exchange->members;
  exchange->txn = txn;
  if (ledger_head(txn, &head, NULL) != COLLEGA_OK) head.number = 0;
  if (!exchange->members || exchange->members_stale || !heads_equal(&head, &exchange->members_at))
    members_renew(exchange, &head);
  return exchange->members;
}

/* ---- transactions */

enum collega_status exchange_begin(struct exchange *exchange, struct ledger_txn **txn,
                                   struct collega_error *error) {
  exchange->writing = NULL;
  enum collega_status status = ledger_write(exchange->ledger, txn, error);
  if (status != COLLEGA_OK) return status;
  if (!exchange_members(exchange, *txn)) {
    ledger_abort(txn);
    return exchange_no_memory(error);
  }
  exchange->writing = *txn;
  status = exchange_follow_cards(exchange, *txn, error);
  return status == COLLEGA_OK ? status : exchange_end(exchange, txn, status, error);
}

enum collega_status exchange_end(struct exchange *exchange, struct ledger_txn **txn,
                                 enum collega_status status, struct collega_error *error) {
  struct ledger_head head = {.number = 0};
  exchange->writing = NULL;
  exchange->txn = NULL;
  if (!*txn) return status;
  if (status == COLLEGA_OK) status = ledger_head(*txn, &head, error);
  if (status == COLLEGA_OK) {
    status = ledger_commit(txn, error);
  } else {
    ledger_abort(txn);
  }
  if (status == COLLEGA_OK) {
    exchange->members_at =
        head; /* what was written is in memory too, or members_stale says that it is not */
  } else {
    exchange->members_stale = true;
  }
  return status;
}

enum collega_status exchange_append(struct exchange *exchange, struct ledger_txn *txn,
                                    struct ledger_event *event, struct collega_error *error) {
  enum collega_status status = ledger_append(txn, event, error);
  return status == COLLEGA_OK ? exchange_apply(txn, event, exchange, error) : status;
}
