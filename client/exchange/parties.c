/* The parties that live here: making one, and its keys in memory. A home's first party is its host,
 * which has the link; a network's node hosts others. Each has keys, certificate, mailbox, mandates
 * and rows of its own.
 *
 * Keys are in HOME/parties/ID/identity. */
#include "client/exchange/parties.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/process/process.h"
#include "client/exchange/node_clock.h"
#include "base/words.h"
#include "proto/check.h"
#include "proto/check_text.h"
#include "proto/guard.h"

/* ---- checking */

static enum collega_status check_employer(const struct party_init *init,
                                          struct collega_error *error) {
  Collega__LegalEntity entity = COLLEGA__LEGAL_ENTITY__INIT;
  entity.name = (char *)(uintptr_t)init->name;
  entity.kvk = (char *)(uintptr_t)init->kvk;
  enum collega_status status = check_fields(&entity.base, error);
  return status == COLLEGA_OK ? check_no_bsn(&entity.base, error) : status;
}

/* The options are called signatory and function; the schema says person and function. */
static enum collega_status check_signatory(const struct party_init *init, collega_time begin,
                                           Collega__Mandate *mandate, struct collega_error *error) {
  collega__mandate__init(mandate);
  if (!init->signatory != !init->function)
    return error_set(error, COLLEGA_USAGE, RULE_signatory_and_function,
                     init->signatory ? "function" : "signatory", NULL);
  if (!init->signatory) return COLLEGA_OK;
  mandate->person = (char *)(uintptr_t)init->signatory;
  mandate->function = (char *)(uintptr_t)init->function;
  mandate->jointly = false;
  mandate->valid_from = begin;
  enum collega_status status = check_fields(&mandate->base, error);
  if (status == COLLEGA_OK) status = check_no_bsn(&mandate->base, error);
  if (status != COLLEGA_OK && error && strcmp(error->field, "person") == 0)
    strcpy(error->field, "signatory");
  return status;
}

enum collega_status party_check(const struct party_init *init, collega_time now,
                                struct collega_error *error) {
  Collega__Mandate mandate;
  enum collega_status status = node_clock_check(NULL, now, error);
  if (status == COLLEGA_OK) status = check_employer(init, error);
  return status == COLLEGA_OK ? check_signatory(init, now, &mandate, error) : status;
}

/* ---- keys on disk */

enum collega_status exchange_party_directory(char *out, const char *home, const struct id *party,
                                             struct collega_error *error) {
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
  if (status == COLLEGA_OK)
    status = exchange_party_directory(path, home, identity_party(identity), error);
  if (status == COLLEGA_OK) status = make_directory(path, error);
  return status == COLLEGA_OK ? identity_save(identity, path, error) : status;
}

/* ---- making one */

/* The party's entry: from it come its rows and its own card. */
static enum collega_status append_party(struct exchange *exchange, struct ledger_txn *txn,
                                        const struct party_init *init,
                                        const struct identity *identity, collega_time now,
                                        struct arena *arena, struct collega_error *error) {
  CollegaStore__PartyInit content = COLLEGA_STORE__PARTY_INIT__INIT;
  struct bytes card = identity_card_run(identity, 0);
  const uint32_t newest = identity_card_number(identity);
  ProtobufCBinaryData *later = arena_take(arena, (newest + 1u) * sizeof *later);
  if (!later) return exchange_no_memory(error);
  for (uint32_t number = 1; number <= newest; number++) {
    struct bytes run = identity_card_run(identity, number);
    field_set(&later[number - 1], run.data, run.length);
  }
  content.n_later_cards = newest;
  content.later_cards = later;
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

enum collega_status party_make(struct exchange *exchange, struct ledger_txn *txn,
                               const struct party_init *init, bool host, collega_time now,
                               struct id *party, char recovery_text[RECOVERY_TEXT_BYTES],
                               struct arena *arena, struct collega_error *error) {
  struct identity *identity = NULL;
  Collega__Mandate mandate;
  struct epoch epoch;
  uint64_t sequence = 0;
  enum collega_status status =
      check_signatory(init, node_clock_begin(exchange->home, now), &mandate, error);
  if (status == COLLEGA_OK) status = ledger_epoch(txn, &epoch, error);
  /* The card is the party's first record; its id is only known once the card is. */
  if (status == COLLEGA_OK)
    status = identity_create(host, &epoch, 1, now, recovery_text, &identity, error);
  if (status != COLLEGA_OK) return status;
  *party = *identity_party(identity);
  if (host) exchange->host = *party;
  status = ledger_next_sequence(txn, party, SEQUENCE_RECORDS, 1, &sequence, error);
  if (status == COLLEGA_OK && sequence != 1) status = exchange_row_damaged(error, "sequence");
  if (status == COLLEGA_OK) status = append_party(exchange, txn, init, identity, now, arena, error);
  if (status == COLLEGA_OK && init->signatory)
    status = append_mandate(exchange, txn, &mandate, identity, now, arena, error);
  /* Keys before the ledger that names them: a ledger without its keys would be of no use. */
  if (status == COLLEGA_OK) status = identity_store(exchange->home, identity, error);
  identity_destroy(&identity);
  return status;
}

/* Of a home that is lost nothing is left but the recovery key: the new card follows on all that the broker knows. */
enum collega_status party_make_again(struct exchange *exchange, struct ledger_txn *txn,
                                     const Collega__Invitation *invitation,
                                     const char *recovery_text, collega_time now, struct id *party,
                                     struct arena *arena, struct collega_error *error) {
  const struct party_init init = {.name = invitation->name, .kvk = invitation->kvk};
  struct identity *identity = NULL;
  struct epoch epoch;
  uint64_t sequence = 0;
  struct bytes *cards = arena_take(arena, (invitation->n_cards + 1) * sizeof *cards);
  if (!cards) return exchange_no_memory(error);
  for (size_t i = 0; i < invitation->n_cards; i++)
    cards[i] = field_bytes(&invitation->cards[i]);
  enum collega_status status = identity_of_cards(cards, invitation->n_cards, &identity, error);
  if (status == COLLEGA_OK) status = ledger_epoch(txn, &epoch, error);
  if (status == COLLEGA_OK) {
    *party = *identity_party(identity);
    exchange->host = *party;
    status = ledger_next_sequence(txn, party, SEQUENCE_RECORDS, 1, &sequence, error);
  }
  if (status == COLLEGA_OK)
    status = identity_recover(identity, recovery_text, &epoch, sequence, now, error);
  if (status == COLLEGA_OK)
    status = append_party(exchange, txn, &init, identity, now, arena, error);
  if (status == COLLEGA_OK) status = identity_store(exchange->home, identity, error);
  identity_destroy(&identity);
  return status;
}

/* ---- keys in memory */

struct own_list {
  struct id *party;
  bool *host;
  size_t count, capacity;
  struct arena *arena; /* of one row */
  bool no_memory, damaged;
};

static bool own_list_room(struct own_list *list) {
  if (list->count < list->capacity) return true;
  size_t capacity = list->capacity ? 2 * list->capacity : 16;
  struct id *party = realloc(list->party, capacity * sizeof *party);
  if (party) list->party = party;
  bool *host = party ? realloc(list->host, capacity * sizeof *host) : NULL;
  if (host) list->host = host;
  if (host) list->capacity = capacity;
  return host != NULL;
}

static bool visit_own(void *context, struct bytes key, struct bytes value) {
  struct own_list *list = context;
  arena_reset(list->arena);
  const CollegaStore__OwnParty *row = (const CollegaStore__OwnParty *)row_unpack(
      &collega_store__own_party__descriptor, value, list->arena);
  list->no_memory = !own_list_room(list);
  if (list->no_memory) return false;
  list->damaged = !row || !id_from(&list->party[list->count], key.data, key.length);
  if (list->damaged) return false;
  list->host[list->count++] = row->host;
  return true;
}

static enum collega_status load_identity(struct exchange *exchange, const struct id *party,
                                         struct collega_error *error) {
  char directory[PATH_MAX];
  enum collega_status status = exchange_party_directory(directory, exchange->home, party, error);
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

static enum collega_status load_list(struct exchange *exchange, const struct own_list *list,
                                     struct collega_error *error) {
  enum collega_status status = COLLEGA_OK;
  for (int host = 1; host >= 0; host--) {
    for (size_t i = 0; i < list->count && status == COLLEGA_OK; i++) {
      if (list->host[i] != (host == 1)) continue;
      if (host) exchange->host = list->party[i];
      if (!exchange_identity(exchange, &list->party[i]))
        status = load_identity(exchange, &list->party[i], error);
    }
  }
  return status;
}

enum collega_status parties_load(struct exchange *exchange, struct ledger_txn *txn,
                                 struct collega_error *error) {
  struct own_list list = {.arena = exchange_arena()};
  if (!list.arena) return exchange_no_memory(error);
  enum collega_status status =
      table_each(txn, TABLE_OWN, bytes_of(NULL, 0), NULL, visit_own, &list, error);
  if (status == COLLEGA_OK && list.no_memory) status = exchange_no_memory(error);
  if (status == COLLEGA_OK && list.damaged) status = exchange_row_damaged(error, "own");
  if (status == COLLEGA_OK && list.count == 0)
    status = error_set(error, COLLEGA_DAMAGED, RULE_home_unfinished, NULL, exchange->home, NULL);
  if (status == COLLEGA_OK) status = load_list(exchange, &list, error);
  free(list.party);
  free(list.host);
  arena_destroy(&list.arena);
  return status;
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

/* ---- parties that this home hosts */

struct kvk_search {
  const char *kvk;
  struct arena *arena;
  struct id party;
  bool found, host, certified;
};

static bool visit_kvk(void *context, struct bytes key, struct bytes value) {
  struct kvk_search *search = context;
  arena_reset(search->arena);
  const CollegaStore__OwnParty *row = (const CollegaStore__OwnParty *)row_unpack(
      &collega_store__own_party__descriptor, value, search->arena);
  search->found =
      row && strcmp(row->kvk, search->kvk) == 0 && id_from(&search->party, key.data, key.length);
  if (search->found) {
    search->host = row->host;
    search->certified = row->certified;
  }
  return !search->found;
}

static enum collega_status find_kvk(struct ledger_txn *txn, struct kvk_search *search,
                                    struct collega_error *error) {
  search->arena = exchange_arena();
  if (!search->arena) return exchange_no_memory(error);
  enum collega_status status =
      table_each(txn, TABLE_OWN, bytes_of(NULL, 0), NULL, visit_kvk, search, error);
  arena_destroy(&search->arena);
  return status;
}

/* Is it an invitation, by our broker, for this party to live here? */
static enum collega_status check_invitation(struct exchange *exchange, struct ledger_txn *txn,
                                            const char *kvk, const Collega__Invitation *invitation,
                                            struct arena *arena, struct collega_error *error) {
  CollegaStore__BrokerRow *broker = NULL;
  enum collega_status status = exchange_broker(txn, arena, &broker, error);
  if (status != COLLEGA_OK) return status;
  if (!broker) return error_set(error, COLLEGA_REFUSED, RULE_host_not_joined, NULL, NULL);
  if (!bytes_equal(field_bytes(&broker->broker), field_bytes(&invitation->broker)))
    return error_set(error, COLLEGA_REFUSED, RULE_joined_other, NULL, broker->name, NULL);
  if (!invitation->has_host)
    return error_set(error, COLLEGA_REFUSED, RULE_invitation_own_home, NULL, invitation->name,
                     NULL);
  if (!field_is(&invitation->host, &exchange->host))
    return error_set(error, COLLEGA_REFUSED, RULE_invitation_other_host, NULL, invitation->name,
                     NULL);
  return strcmp(invitation->kvk, kvk) == 0
             ? COLLEGA_OK
             : error_set(error, COLLEGA_REFUSED, RULE_invitation_party, NULL, invitation->name,
                         invitation->kvk, kvk, NULL);
}

static enum collega_status add_or_find(struct exchange *exchange, struct ledger_txn *txn,
                                       const struct party_init *init, collega_time now,
                                       struct id *party, char recovery_text[RECOVERY_TEXT_BYTES],
                                       bool *made, struct arena *arena,
                                       struct collega_error *error) {
  struct kvk_search search = {.kvk = init->kvk};
  enum collega_status status = find_kvk(txn, &search, error);
  if (status != COLLEGA_OK) return status;
  if (search.found && (search.host || search.certified))
    return error_set(error, COLLEGA_EXISTS, RULE_party_here_already, "kvk", init->kvk, NULL);
  *made = !search.found;
  *party = search.party; /* it waits for its certificate: another invitation may bring that */
  if (!*made) return COLLEGA_OK;
  if (exchange->identity_count >= PARTIES_MOST)
    return error_set(error, COLLEGA_REFUSED, RULE_parties_many, NULL, PARTIES_MOST_TEXT, NULL);
  return party_make(exchange, txn, init, false, now, party, recovery_text, arena, error);
}

enum collega_status party_add(struct exchange *exchange, const struct party_init *init,
                              const char *token, collega_time now, struct id *party,
                              char recovery_text[RECOVERY_TEXT_BYTES], bool *made,
                              struct collega_error *error) {
  struct ledger_txn *txn = NULL;
  Collega__Invitation *invitation = NULL;
  struct arena *arena = exchange_arena();
  *made = false;
  if (!arena) return exchange_no_memory(error);
  enum collega_status status = party_check(init, now, error);
  if (status == COLLEGA_OK) status = node_clock_check(exchange->home, now, error);
  if (status == COLLEGA_OK) status = invitation_read(token, arena, &invitation, error);
  if (status == COLLEGA_OK) status = exchange_begin(exchange, &txn, error);
  if (status == COLLEGA_OK) {
    status = check_invitation(exchange, txn, init->kvk, invitation, arena, error);
    if (status == COLLEGA_OK)
      status = add_or_find(exchange, txn, init, now, party, recovery_text, made, arena, error);
    status = exchange_end(exchange, &txn, status, error);
  }
  if (status == COLLEGA_OK && *made) status = load_identity(exchange, party, error);
  if (status == COLLEGA_OK) status = party_store_token(exchange, party, token, error);
  arena_destroy(&arena);
  return status;
}

/* ---- renewing */

/* The hosted party whose certificate the invitation renews. */
static enum collega_status party_to_renew(struct exchange *exchange, struct ledger_txn *txn,
                                          const struct id *wanted,
                                          const Collega__Invitation *invitation, struct id *party,
                                          struct arena *arena, struct collega_error *error) {
  struct kvk_search search = {.kvk = invitation->kvk};
  CollegaStore__OwnParty *row = NULL;
  enum collega_status status = COLLEGA_OK;
  if (wanted) {
    *party = *wanted;
  } else {
    status = find_kvk(txn, &search, error);
    if (status == COLLEGA_OK && !search.found)
      status =
          error_set(error, COLLEGA_NOT_FOUND, RULE_party_not_here, NULL, invitation->kvk, NULL);
    *party = search.party;
  }
  if (status == COLLEGA_OK) status = own_row(txn, id_bytes(party), arena, &row, error);
  if (status == COLLEGA_OK)
    status = check_invitation(exchange, txn, row->kvk, invitation, arena, error);
  if (status != COLLEGA_OK) return status;
  const struct known_party *known = members_find(exchange_members(exchange, txn), party);
  if (known && known->revoked)
    return error_set(error, COLLEGA_REFUSED, RULE_party_was_revoked, NULL, row->name, NULL);
  return row->certified
             ? COLLEGA_OK
             : error_set(error, COLLEGA_REFUSED, RULE_party_not_certified, NULL, row->name, NULL);
}

enum collega_status party_renew(struct exchange *exchange, const struct id *wanted,
                                const char *token, struct id *party, struct collega_error *error) {
  struct ledger_txn *txn = NULL;
  Collega__Invitation *invitation = NULL;
  struct arena *arena = exchange_arena();
  if (!arena) return exchange_no_memory(error);
  enum collega_status status = invitation_read(token, arena, &invitation, error);
  if (status == COLLEGA_OK) status = ledger_read(exchange->ledger, &txn, error);
  if (status == COLLEGA_OK)
    status = party_to_renew(exchange, txn, wanted, invitation, party, arena, error);
  ledger_abort(&txn);
  if (status == COLLEGA_OK) status = party_store_token(exchange, party, token, error);
  arena_destroy(&arena);
  return status;
}
