/* A node's home: made once, opened by every command and by the daemon.
 *
 *   HOME/home                      "node"
 *   HOME/ledger/                   the ledger
 *   HOME/parties/ID/identity       the secret side of each party that lives here
 *   HOME/invitation                the token that waits for a broker (join.c)
 *
 * Everything that init can refuse it refuses before the first file exists. */
#include "client/exchange/inside.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/process/process.h"
#include "proto/check.h"
#include "proto/check_text.h"
#include "proto/guard.h"

/* ---- init */

static enum collega_status check_employer(const struct node_init *init,
                                          struct collega_error *error) {
  Collega__LegalEntity entity = COLLEGA__LEGAL_ENTITY__INIT;
  entity.name = (char *)(uintptr_t)init->name;
  entity.kvk = (char *)(uintptr_t)init->kvk;
  enum collega_status status = check_fields(&entity.base, error);
  return status == COLLEGA_OK ? check_no_bsn(&entity.base, error) : status;
}

/* The options are called signatory and function; the schema says person and function. */
static enum collega_status check_signatory(const struct node_init *init, collega_time now,
                                           Collega__Mandate *mandate, struct collega_error *error) {
  if (!init->signatory != !init->function) {
    return error_set(error, COLLEGA_USAGE, RULE_signatory_and_function,
                     init->signatory ? "function" : "signatory", NULL);
  }
  if (!init->signatory) return COLLEGA_OK;
  collega__mandate__init(mandate);
  mandate->person = (char *)(uintptr_t)init->signatory;
  mandate->function = (char *)(uintptr_t)init->function;
  mandate->jointly = false;
  mandate->valid_from = now;
  enum collega_status status = check_fields(&mandate->base, error);
  if (status == COLLEGA_OK) status = check_no_bsn(&mandate->base, error);
  if (status != COLLEGA_OK && error && strcmp(error->field, "person") == 0)
    strcpy(error->field, "signatory");
  return status;
}

static enum collega_status party_directory(char out[PATH_MAX], const char *home,
                                           const struct id *party, struct collega_error *error) {
  char name[sizeof "parties/" + 2 * ID_BYTES] = "parties/";
  hex_write(name + strlen(name), party->byte, ID_BYTES);
  return path_join(out, PATH_MAX, home, name, error);
}

static enum collega_status make_directory(const char *path, struct collega_error *error) {
  if (mkdir(path, 0700) == 0 || errno == EEXIST) return COLLEGA_OK;
  return error_system(error, path, errno);
}

static enum collega_status identity_store(const char *home, const struct identity *identity,
                                          struct collega_error *error) {
  char path[PATH_MAX];
  enum collega_status status = path_join(path, sizeof path, home, "parties", error);
  if (status == COLLEGA_OK) status = make_directory(path, error);
  if (status == COLLEGA_OK) status = party_directory(path, home, identity_party(identity), error);
  if (status == COLLEGA_OK) status = make_directory(path, error);
  return status == COLLEGA_OK ? identity_save(identity, path, error) : status;
}

/* The host party's entry: from it come its rows and its own card. */
static enum collega_status append_party(struct exchange *exchange, struct ledger_txn *txn,
                                        const struct node_init *init,
                                        const struct identity *identity, collega_time now,
                                        struct arena *arena, struct collega_error *error) {
  CollegaStore__PartyInit content = COLLEGA_STORE__PARTY_INIT__INIT;
  struct bytes card = identity_card_run(identity, 0);
  field_set_id(&content.party, identity_party(identity));
  field_set(&content.card, card.data, card.length);
  content.name = (char *)(uintptr_t)init->name;
  content.kvk = (char *)(uintptr_t)init->kvk;
  struct ledger_event event = {.time = now,
                               .kind = COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_PARTY,
                               .party = identity_party(identity)};
  enum collega_status status = exchange_pack(arena, &content.base, &event.payload, error);
  return status == COLLEGA_OK ? exchange_append(exchange, txn, &event, error) : status;
}

static enum collega_status append_mandate(struct exchange *exchange, struct ledger_txn *txn,
                                          Collega__Mandate *mandate,
                                          const struct identity *identity, collega_time now,
                                          struct arena *arena, struct collega_error *error) {
  Collega__Body *body = NULL;
  struct id record;
  enum collega_status status =
      exchange_own_body(exchange, txn, identity_party(identity), arena, &body, error);
  if (status != COLLEGA_OK) return status;
  body->type = COLLEGA__BODY_TYPE__BODY_TYPE_MANDATE;
  body->mandate = mandate;
  return exchange_append_record(exchange, txn, identity, body, now, arena, &record, error);
}

/* The first transaction of a new home. `exchange` is only as far as apply needs it. */
static enum collega_status fill_ledger(struct exchange *exchange, const struct node_init *init,
                                       Collega__Mandate *mandate, collega_time now,
                                       struct id *party, char recovery_text[RECOVERY_TEXT_BYTES],
                                       struct collega_error *error) {
  struct ledger_txn *txn = NULL;
  struct identity *identity = NULL;
  struct epoch epoch;
  uint64_t sequence = 0;
  struct arena *arena = exchange_arena();
  if (!arena) return exchange_no_memory(error);
  enum collega_status status = exchange_begin(exchange, &txn, error);
  if (status != COLLEGA_OK) goto done;
  status = ledger_epoch(txn, &epoch, error);
  /* The card is the party's first record; its id is only known once the card is. */
  if (status == COLLEGA_OK)
    status = identity_create(true, &epoch, 1, now, recovery_text, &identity, error);
  if (status != COLLEGA_OK) goto done;
  *party = *identity_party(identity);
  exchange->host = *party;
  status = ledger_next_sequence(txn, party, SEQUENCE_RECORDS, 1, &sequence, error);
  if (status == COLLEGA_OK && sequence != 1) status = exchange_row_damaged(error, "sequence");
  if (status == COLLEGA_OK) status = append_party(exchange, txn, init, identity, now, arena, error);
  if (status == COLLEGA_OK && init->signatory)
    status = append_mandate(exchange, txn, mandate, identity, now, arena, error);
  /* Keys before the ledger that names them: a ledger without its keys would be of no use. */
  if (status == COLLEGA_OK) status = identity_store(exchange->home, identity, error);
done:
  status = exchange_end(exchange, &txn, status, error);
  identity_destroy(&identity);
  arena_destroy(&arena);
  return status;
}

enum collega_status node_init(const struct node_init *init, collega_time now, struct id *party,
                              char recovery_text[RECOVERY_TEXT_BYTES],
                              struct collega_error *error) {
  Collega__Mandate mandate;
  enum collega_status status = check_employer(init, error);
  if (status == COLLEGA_OK) status = check_signatory(init, now, &mandate, error);
  if (status == COLLEGA_OK) status = home_create(init->home, "node", error);
  if (status == COLLEGA_OK) status = ledger_create(init->home, now, error);
  if (status != COLLEGA_OK) return status;
  struct exchange exchange = {.home = (char *)(uintptr_t)init->home};
  status = ledger_open(init->home, &exchange.ledger, error);
  if (status == COLLEGA_OK)
    status = fill_ledger(&exchange, init, &mandate, now, party, recovery_text, error);
  members_destroy(&exchange.members);
  ledger_close(&exchange.ledger);
  return status;
}

/* ---- open */

struct own_list {
  struct id party[64];
  bool host[64];
  size_t count;
  bool damaged;
};

static bool visit_own(void *context, struct bytes key, struct bytes value) {
  struct own_list *list = context;
  struct arena *arena = arena_new(1024, 65536);
  CollegaStore__OwnParty *row = arena ? (CollegaStore__OwnParty *)row_unpack(
                                            &collega_store__own_party__descriptor, value, arena)
                                      : NULL;
  if (!row || list->count == sizeof list->party / sizeof list->party[0] ||
      !id_from(&list->party[list->count], key.data, key.length)) {
    list->damaged = true;
  } else {
    list->host[list->count++] = row->host;
  }
  arena_destroy(&arena);
  return !list->damaged;
}

static enum collega_status load_identity(struct exchange *exchange, const struct id *party,
                                         struct collega_error *error) {
  char directory[PATH_MAX];
  enum collega_status status = party_directory(directory, exchange->home, party, error);
  if (status != COLLEGA_OK) return status;
  struct identity *identity = NULL;
  status = identity_load(directory, &identity, error);
  if (status != COLLEGA_OK) return status;
  struct identity **grown =
      realloc(exchange->identities, (exchange->identity_count + 1) * sizeof(struct identity *));
  if (!grown) {
    identity_destroy(&identity);
    return exchange_no_memory(error);
  }
  exchange->identities = grown;
  grown[exchange->identity_count++] = identity;
  return COLLEGA_OK;
}

static enum collega_status load_identities(struct exchange *exchange, struct collega_error *error) {
  struct own_list list = {.count = 0};
  struct ledger_txn *txn = NULL;
  enum collega_status status = ledger_read(exchange->ledger, &txn, error);
  if (status == COLLEGA_OK)
    status = table_each(txn, TABLE_OWN, bytes_of(NULL, 0), NULL, visit_own, &list, error);
  ledger_abort(&txn);
  if (status != COLLEGA_OK) return status;
  if (list.damaged) return exchange_row_damaged(error, "own");
  if (list.count == 0)
    return error_set(error, COLLEGA_DAMAGED, RULE_home_unfinished, NULL, exchange->home, NULL);
  for (int host = 1; host >= 0; host--) {
    for (size_t i = 0; i < list.count && status == COLLEGA_OK; i++) {
      if (list.host[i] != (host == 1)) continue;
      if (host) exchange->host = list.party[i];
      status = load_identity(exchange, &list.party[i], error);
    }
  }
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
  if (status == COLLEGA_OK) status = load_identities(exchange, error);
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
  arena_destroy(&own->filter_arena);
  exchange_drop_held(own);
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

size_t exchange_party_count(const struct exchange *exchange) {
  return exchange->identity_count;
}

const struct id *exchange_party_at(const struct exchange *exchange, size_t index) {
  return identity_party(exchange->identities[index]);
}

struct identity *exchange_identity(struct exchange *exchange, const struct id *party) {
  for (size_t i = 0; i < exchange->identity_count; i++) {
    if (id_equal(identity_party(exchange->identities[i]), party)) return exchange->identities[i];
  }
  return NULL;
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
  return COLLEGA_OK;
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
