/* Rotation and recovery.
 *
 * One write transaction holds off every other process that signs: in it the card gets its number and its
 * place in the ledger, the file is written, and only then does the ledger commit. Killed before that, the
 * file has a card too many, which nobody has used; whoever opens the home next sees that the ledger does not
 * know it (exchange_follow_cards). Killed after it, everything is done.
 *
 * The link: the new card is sent with the old key. Until its receipt is here the old key is used, and from
 * then on the new one; the broker lets the old one go when the new one has been used. */
#include "client/exchange/keys.h"

#include <limits.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/process/process.h"
#include "client/exchange/inside.h"
#include "client/exchange/node_clock.h"

/* ---- which cards count */

static enum collega_status load(struct exchange *exchange, struct identity **identity,
                                struct collega_error *error) {
  char directory[PATH_MAX];
  struct identity *fresh = NULL;
  enum collega_status status =
      exchange_party_directory(directory, exchange->home, identity_party(*identity), error);
  if (status == COLLEGA_OK) status = identity_load(directory, &fresh, error);
  if (status != COLLEGA_OK) return status;
  identity_destroy(identity);
  *identity = fresh;
  return COLLEGA_OK;
}

static bool counts(const struct known_party *self, const struct identity *identity,
                   uint32_t number) {
  const struct id *record = identity_card_record(identity, number);
  return number == 0 ||
         (record && number < self->card_count && id_equal(record, &self->cards[number].record));
}

static enum collega_status follow(struct exchange *exchange, struct members *members,
                                  struct identity **identity, struct collega_error *error) {
  const struct known_party *self = members_find(members, identity_party(*identity));
  if (!self) return COLLEGA_OK; /* a home that is being made */
  uint32_t number = identity_card_number(*identity);
  if (self->card_count > number + 1u || !counts(self, *identity, number)) {
    enum collega_status status = load(exchange, identity, error);
    if (status != COLLEGA_OK) return status;
    number = identity_card_number(*identity);
  }
  while (!counts(self, *identity, number))
    number--;
  identity_cut(*identity, number);
  return COLLEGA_OK;
}

/* The file HOME/keys is written anew before a card is: who finds it as it was has the cards that there are. */
#define MARK_FILE "keys"

static enum collega_status mark_path(const struct exchange *exchange, char out[PATH_MAX],
                                     struct collega_error *error) {
  return path_join(out, PATH_MAX, exchange->home, MARK_FILE, error);
}

struct key_mark exchange_key_mark(const struct exchange *exchange) {
  char path[PATH_MAX];
  struct stat found;
  struct key_mark mark = {0};
  if (mark_path(exchange, path, NULL) != COLLEGA_OK || stat(path, &found) != 0) return mark;
  mark.inode = (uint64_t)found.st_ino;
  mark.seconds = (int64_t)found.st_mtim.tv_sec;
  mark.nanoseconds = (int64_t)found.st_mtim.tv_nsec;
  return mark;
}

enum collega_status exchange_follow_cards(struct exchange *exchange, struct ledger_txn *txn,
                                          struct collega_error *error) {
  struct members *members = exchange_members(exchange, txn);
  struct key_mark mark = exchange_key_mark(exchange), *seen = &exchange->key_mark;
  if (!members) return exchange_no_memory(error);
  bool moved = mark.inode != seen->inode || mark.seconds != seen->seconds ||
               mark.nanoseconds != seen->nanoseconds;
  for (size_t i = 0; i < exchange->identity_count; i++) {
    struct identity **identity = &exchange->identities[i];
    if (!moved && (exchange->cards_followed || identity_card_number(*identity) == 0)) continue;
    enum collega_status status = follow(exchange, members, identity, error);
    if (status != COLLEGA_OK) return status;
  }
  /* Who only reads may see the mark of a card that is not in the ledger yet. */
  if (exchange->writing == txn) {
    *seen = mark;
    exchange->cards_followed = true;
  }
  return COLLEGA_OK;
}

/* ---- the next card */

struct renewal {
  struct exchange *exchange;
  struct ledger_txn *txn;
  const char *recovery; /* NULL: signed by the key before */
  collega_time now;
  struct arena *arena;
  struct collega_error *error;
};

static enum collega_status check_rotation(struct renewal *renewal, const struct id *party,
                                          const struct identity *identity) {
  CollegaStore__BrokerRow *broker = NULL;
  enum collega_status status =
      exchange_broker(renewal->txn, renewal->arena, &broker, renewal->error);
  if (status != COLLEGA_OK || renewal->recovery) return status;
  if (broker && broker->restored)
    return error_set(renewal->error, COLLEGA_REFUSED, RULE_key_after_restore, NULL, NULL);
  const struct known_party *self =
      members_find(exchange_members(renewal->exchange, renewal->txn), party);
  if (self && self->card_count > identity_card_number(identity) + 1u)
    return error_set(renewal->error, COLLEGA_REFUSED, RULE_key_not_newest, NULL, NULL);
  return COLLEGA_OK;
}

static enum collega_status renew(struct renewal *renewal, struct identity *identity) {
  struct exchange *exchange = renewal->exchange;
  const struct id *party = identity_party(identity);
  char directory[PATH_MAX], mark[PATH_MAX];
  struct epoch epoch;
  uint64_t sequence = 0;
  enum collega_status status = check_rotation(renewal, party, identity);
  /* Whoever has a copy of this home may have used its numbers. */
  if (status == COLLEGA_OK && renewal->recovery)
    status = ledger_new_epoch(renewal->txn, renewal->now, renewal->error);
  if (status == COLLEGA_OK) status = ledger_epoch(renewal->txn, &epoch, renewal->error);
  if (status == COLLEGA_OK)
    status =
        ledger_next_sequence(renewal->txn, party, SEQUENCE_RECORDS, 1, &sequence, renewal->error);
  if (status == COLLEGA_OK)
    status = renewal->recovery
                 ? identity_recover(identity, renewal->recovery, &epoch, sequence, renewal->now,
                                    renewal->error)
                 : identity_rotate(identity, &epoch, sequence, renewal->now, renewal->error);
  if (status != COLLEGA_OK) return status;
  uint32_t number = identity_card_number(identity);
  status = exchange_append_run(exchange, renewal->txn, party, identity_card_run(identity, number),
                               identity_card_record(identity, number), renewal->now, renewal->arena,
                               renewal->error);
  if (status == COLLEGA_OK)
    status = exchange_party_directory(directory, exchange->home, party, renewal->error);
  if (status == COLLEGA_OK) status = mark_path(exchange, mark, renewal->error);
  if (status == COLLEGA_OK) status = file_write(mark, "", 0, 0600, renewal->error);
  if (status == COLLEGA_OK) status = identity_save(identity, directory, renewal->error);
  fault_point(FAULT_key_saved);
  return status;
}

static enum collega_status change_card(struct exchange *exchange, const struct id *party,
                                       const char *recovery, collega_time now, uint32_t *number,
                                       struct collega_error *error) {
  struct renewal renewal = {.exchange = exchange,
                            .recovery = recovery,
                            .now = now,
                            .arena = exchange_arena(),
                            .error = error};
  if (!renewal.arena) return exchange_no_memory(error);
  enum collega_status status = node_clock_check(exchange->home, now, error);
  if (status == COLLEGA_OK) status = exchange_begin(exchange, &renewal.txn, error);
  if (status == COLLEGA_OK) {
    struct identity *identity = exchange_identity(exchange, party);
    uint32_t before = identity ? identity_card_number(identity) : 0;
    status = identity ? renew(&renewal, identity)
                      : error_set(error, COLLEGA_NOT_FOUND, RULE_party_not_ours, NULL, NULL);
    status = exchange_end(exchange, &renewal.txn, status, error);
    if (status == COLLEGA_OK)
      *number = identity_card_number(identity);
    else if (identity)
      identity_cut(identity, before);
    fault_point(FAULT_key_committed);
  }
  arena_destroy(&renewal.arena);
  return status;
}

enum collega_status key_rotate(struct exchange *exchange, const struct id *party, collega_time now,
                               uint32_t *number, struct collega_error *error) {
  return change_card(exchange, party, NULL, now, number, error);
}

enum collega_status key_recover(struct exchange *exchange, const struct id *party,
                                const char *recovery_text, collega_time now, uint32_t *number,
                                struct collega_error *error) {
  return change_card(exchange, party, recovery_text, now, number, error);
}

enum collega_status keys_expire(struct exchange *exchange, collega_time now, size_t *destroyed,
                                struct collega_error *error) {
  struct ledger_txn *txn = NULL;
  char directory[PATH_MAX];
  *destroyed = 0;
  /* Writing excludes a command that adds a card meanwhile; nothing is written into the ledger. */
  enum collega_status status = exchange_begin(exchange, &txn, error);
  for (size_t i = 0; status == COLLEGA_OK && i < exchange->identity_count; i++) {
    struct identity *identity = exchange->identities[i];
    size_t count = identity_expire(identity, now);
    if (count == 0) continue;
    status = exchange_party_directory(directory, exchange->home, identity_party(identity), error);
    if (status == COLLEGA_OK) status = identity_save(identity, directory, error);
    *destroyed += count;
  }
  if (*destroyed) log_info("keys_destroyed", "count=%zu", *destroyed);
  return exchange_end(exchange, &txn, status, error);
}

/* ---- the link */

/* Does the broker have it? The first card came to it with Join. */
static enum collega_status is_receipted(struct ledger_txn *txn, const struct identity *identity,
                                        uint32_t number, bool *out, struct collega_error *error) {
  struct own_record own;
  const struct id *record = identity_card_record(identity, number);
  *out = number == 0;
  if (number == 0 || !record) return COLLEGA_OK;
  enum collega_status status = own_record_get(txn, bytes_of(record->byte, ID_BYTES), &own, error);
  *out = status == COLLEGA_OK && own.state == RECORD_RECEIPTED;
  return status == COLLEGA_NOT_FOUND ? COLLEGA_OK : status;
}

enum collega_status key_link_card(struct exchange *exchange, uint32_t turn, uint32_t *number,
                                  struct collega_error *error) {
  struct ledger_txn *txn = NULL;
  enum collega_status status = ledger_read(exchange->ledger, &txn, error);
  if (status == COLLEGA_OK) status = exchange_follow_cards(exchange, txn, error);
  const struct identity *identity = exchange_identity(exchange, &exchange->host);
  uint32_t newest = status == COLLEGA_OK ? identity_card_number(identity) : 0;
  uint32_t usable[8], count = 0, first = 0;
  bool found = false;
  for (uint32_t at = newest + 1; status == COLLEGA_OK && at-- > 0 && count < 8;) {
    bool receipted = false;
    if (!identity_link_secret_of(identity, at)) continue;
    status = is_receipted(txn, identity, at, &receipted, error);
    if (receipted && !found) {
      found = true;
      first = count;
    }
    usable[count++] = at;
  }
  ledger_abort(&txn);
  *number = newest;
  if (status == COLLEGA_OK && count > 0) *number = usable[(first + turn) % count];
  return status;
}
