/* Tokens: the invitations with which a party becomes a member, or stays one. They wait in files, since they are
 * secrets with an end and no business of the ledger.
 *
 *   HOME/parties/ID/invitation     of a hosted party: the token that waits for the broker
 *   HOME/parties/ID/refused        of a hosted party: why the broker did not take it (a rule and its
 *                                  arguments), until another token comes
 *   HOME/invitation, HOME/refused  the same for the host */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/process/process.h"
#include "base/words.h"
#include "client/exchange/parties.h"

#define REFUSED_FILE       "refused"
#define REFUSED_FILE_BYTES 1024u /* a rule and its arguments, a line each */

/* The host's stand in the home itself. */
static enum collega_status party_file(char out[PATH_MAX], const struct exchange *exchange,
                                      const struct id *party, const char *name,
                                      struct collega_error *error) {
  char directory[PATH_MAX];
  if (id_equal(party, &exchange->host))
    return path_join(out, PATH_MAX, exchange->home, name, error);
  enum collega_status status = exchange_party_directory(directory, exchange->home, party, error);
  return status == COLLEGA_OK ? path_join(out, PATH_MAX, directory, name, error) : status;
}

enum collega_status party_store_token(struct exchange *exchange, const struct id *party,
                                      const char *token, struct collega_error *error) {
  char path[PATH_MAX];
  enum collega_status status = party_file(path, exchange, party, REFUSED_FILE, error);
  if (status == COLLEGA_OK && unlink(path) != 0 && errno != ENOENT)
    status = error_system(error, path, errno);
  if (status == COLLEGA_OK) status = party_file(path, exchange, party, INVITATION_FILE, error);
  if (status == COLLEGA_OK) status = file_write(path, token, strlen(token), 0600, error);
  /* A daemon beside us learns of it by the bell, or when it looks by itself. */
  if (status == COLLEGA_OK && bell_ring(exchange->home, NULL) != COLLEGA_OK) return COLLEGA_OK;
  return status;
}

enum collega_status party_invitation(struct exchange *exchange, const struct id *party,
                                     struct arena *arena, Collega__Invitation **out,
                                     struct collega_error *error) {
  char path[PATH_MAX];
  struct buffer text;
  *out = NULL;
  enum collega_status status = party_file(path, exchange, party, INVITATION_FILE, error);
  if (status != COLLEGA_OK) return status;
  status = file_read(path, INVITATION_TEXT_BYTES, &text, error);
  if (status == COLLEGA_OK) status = invitation_read(buffer_text(&text), arena, out, error);
  buffer_free(&text);
  if (status != COLLEGA_NOT_FOUND) return status;
  if (error) error_clear(error);
  return COLLEGA_OK;
}

bool party_token_waits(const struct exchange *exchange, const struct id *party) {
  char path[PATH_MAX];
  return party_file(path, exchange, party, INVITATION_FILE, NULL) == COLLEGA_OK &&
         access(path, F_OK) == 0;
}

void party_invitation_done(struct exchange *exchange, const struct id *party) {
  char path[PATH_MAX];
  /* Left behind, it costs only a look: it brings the same certificate again. */
  if (party_file(path, exchange, party, INVITATION_FILE, NULL) == COLLEGA_OK) (void)!unlink(path);
  (void)!bell_ring(exchange->home, NULL); /* who waits for that looks at the file */
}

void party_invitation_refused(struct exchange *exchange, const struct id *party,
                              const struct collega_error *why) {
  char path[PATH_MAX];
  struct buffer text;
  const char *rule = rule_name(why->rule);
  buffer_init(&text, REFUSED_FILE_BYTES);
  buffer_append(&text, rule, strlen(rule));
  for (size_t i = 0; i < COLLEGA_ERROR_ARGUMENTS; i++) {
    buffer_append(&text, "\n", 1);
    buffer_append(&text, why->argument[i], strcspn(why->argument[i], "\n"));
  }
  if (!text.failed && party_file(path, exchange, party, REFUSED_FILE, NULL) == COLLEGA_OK &&
      file_write(path, text.data, text.length, 0600, NULL) == COLLEGA_OK)
    party_invitation_done(exchange, party);
  buffer_free(&text);
  (void)!bell_ring(exchange->home, NULL);
}

/* The file is our own; a rule that is not known says nothing more than that it was refused. */
bool party_token_refused(const struct exchange *exchange, const struct id *party,
                         struct collega_error *why) {
  char path[PATH_MAX];
  struct buffer text;
  buffer_init(&text, 0);
  if (party_file(path, exchange, party, REFUSED_FILE, NULL) != COLLEGA_OK ||
      file_read(path, REFUSED_FILE_BYTES, &text, NULL) != COLLEGA_OK) {
    buffer_free(&text);
    return false;
  }
  const char *line[1 + COLLEGA_ERROR_ARGUMENTS];
  char *at = (char *)(uintptr_t)buffer_text(&text);
  for (size_t i = 0; i < 1 + COLLEGA_ERROR_ARGUMENTS; i++) {
    line[i] = at;
    at += strcspn(at, "\n");
    if (*at) *at++ = '\0';
  }
  error_set(why, COLLEGA_REFUSED, rule_from_name(line[0]), NULL, line[1], line[2], line[3], line[4],
            NULL);
  buffer_free(&text);
  return true;
}

/* The newest certificate of the broker that this home has joined; 0: none. */
static enum collega_status certified_until(struct ledger_txn *txn, const struct known_party *known,
                                           struct arena *arena, collega_time *until,
                                           struct collega_error *error) {
  CollegaStore__BrokerRow *broker = NULL;
  *until = 0;
  enum collega_status status = exchange_broker(txn, arena, &broker, error);
  if (status != COLLEGA_OK || !broker || !known) return status;
  for (size_t i = 0; i < known->cert_count; i++) {
    const struct known_cert *cert = &known->certs[i];
    if (field_is(&broker->broker, &cert->broker) && cert->valid_until > *until)
      *until = cert->valid_until;
  }
  return COLLEGA_OK;
}

enum collega_status party_standing(struct exchange *exchange, struct ledger_txn *txn,
                                   const struct id *party, collega_time now, struct arena *arena,
                                   struct party_standing *out, struct collega_error *error) {
  CollegaStore__OwnParty *row;
  const struct known_party *known = members_find(exchange_members(exchange, txn), party);
  memset(out, 0, sizeof *out);
  enum collega_status status = own_row(txn, id_bytes(party), arena, &row, error);
  if (status == COLLEGA_NOT_FOUND) return exchange_row_damaged(error, "own");
  if (status == COLLEGA_OK) status = certified_until(txn, known, arena, &out->valid_until, error);
  if (status != COLLEGA_OK) return status;
  bool waits = party_token_waits(exchange, party);
  bool refused = !waits && party_token_refused(exchange, party, &out->why);
  if (known && known->revoked) {
    out->state = PARTY_REVOKED;
  } else if (row->certified) {
    out->state = out->valid_until > now ? PARTY_CERTIFIED : PARTY_LAPSED;
    if (waits)
      out->renewal = RENEWAL_WAITS;
    else if (refused)
      out->renewal = RENEWAL_REFUSED;
    else if (out->valid_until - now < CERT_NOTICE_MS)
      out->renewal = RENEWAL_DUE;
  } else {
    out->state = waits ? PARTY_INVITED : refused ? PARTY_REFUSED : PARTY_UNCERTIFIED;
  }
  return COLLEGA_OK;
}

/* ---- what the daemon does next */

struct waiting {
  struct exchange *exchange;
  struct arena *arena;
  struct id *out;
  bool found;
};

static bool visit_waiting(void *context, struct bytes key, struct bytes value) {
  struct waiting *search = context;
  Collega__Invitation *invitation = NULL;
  arena_reset(search->arena);
  const CollegaStore__OwnParty *row = (const CollegaStore__OwnParty *)row_unpack(
      &collega_store__own_party__descriptor, value, search->arena);
  if (!row || row->host || !id_from(search->out, key.data, key.length) ||
      party_invitation(search->exchange, search->out, search->arena, &invitation, NULL) !=
          COLLEGA_OK)
    return true;
  search->found = invitation != NULL;
  return !search->found;
}

enum collega_status parties_joining(struct exchange *exchange, struct id *party, bool *any,
                                    struct collega_error *error) {
  struct ledger_txn *txn = NULL;
  struct waiting search = {exchange, exchange_arena(), party, false};
  if (!search.arena) return exchange_no_memory(error);
  if (party_token_waits(exchange, &exchange->host)) { /* to renew, or after a recovery */
    *party = exchange->host;
    *any = true;
    arena_destroy(&search.arena);
    return COLLEGA_OK;
  }
  enum collega_status status = ledger_read(exchange->ledger, &txn, error);
  if (status == COLLEGA_OK) status = parties_load(exchange, txn, error);
  if (status == COLLEGA_OK)
    status = table_each(txn, TABLE_OWN, bytes_of(NULL, 0), NULL, visit_waiting, &search, error);
  ledger_abort(&txn);
  arena_destroy(&search.arena);
  *any = status == COLLEGA_OK && search.found;
  return status;
}

enum collega_status party_is_certified(struct ledger_txn *txn, struct bytes party, bool *certified,
                                       struct collega_error *error) {
  struct arena *arena = arena_new(1024, 65536);
  CollegaStore__OwnParty *row;
  *certified = false;
  if (!arena) return exchange_no_memory(error);
  enum collega_status status = own_row(txn, party, arena, &row, error);
  if (status == COLLEGA_OK) *certified = row->host || row->certified;
  arena_destroy(&arena);
  return status == COLLEGA_NOT_FOUND ? COLLEGA_OK : status;
}
