/* Only ids are wanted of an entry, and a part of the board holds thousands of records: nothing is unpacked. The
 * bytes were judged when they came in; what has been damaged since can at worst name offers that are not there. */
#include "client/match/touched.h"

#include <string.h>

#include "proto/wire.h"

#define LEAST_TOUCHED 64u

void touched_begin(struct touched_set *set, struct arena *arena) {
  *set = (struct touched_set){.arena = arena};
  random_fill(set->secret, sizeof set->secret);
}

/* ---- the set */

static struct touched **place_of(const struct touched_set *set, const struct short_id *offer) {
  uint8_t hash[crypto_shorthash_BYTES];
  crypto_shorthash(hash, offer->byte, sizeof offer->byte, set->secret);
  size_t at = (size_t)get_be64(hash) & (set->size - 1);
  while (set->table[at] && memcmp(&set->table[at]->offer, offer, sizeof *offer) != 0)
    at = (at + 1) & (set->size - 1);
  return &set->table[at];
}

static bool grow(struct touched_set *set) {
  if (set->count * 2 < set->size) return true;
  size_t size = set->size ? set->size * 2 : LEAST_TOUCHED;
  struct touched **table = arena_zero(set->arena, size * sizeof *table);
  if (!table) return false;
  set->table = table;
  set->size = size;
  for (struct touched *touched = set->first; touched; touched = touched->next)
    *place_of(set, &touched->offer) = touched;
  return true;
}

static void touch(struct touched_set *set, struct bytes id) {
  struct short_id offer;
  if (!short_id_from(&offer, id.data, id.length)) return;
  struct touched *touched = NULL;
  if (grow(set)) {
    struct touched **place = place_of(set, &offer);
    if (*place) return;
    *place = touched = arena_take(set->arena, sizeof *touched);
  }
  set->failed = set->failed || !touched;
  if (!touched) return;
  *touched = (struct touched){offer, set->first};
  set->first = touched;
  ++set->count;
}

/* ---- fields of fields, by their numbers in the schema */

/* Does anything stand at the end of `path`, which ends with 0? */
static bool holds(struct bytes message, const uint8_t *path) {
  uint32_t number;
  struct bytes content;
  while (wire_next(&message, &number, &content))
    if (number == path[0] && (!path[1] || holds(content, path + 1))) return true;
  return false;
}

/* Touches all that stand at the end of `path`, which ends with 0. */
static void touch_all(struct touched_set *set, struct bytes message, const uint8_t *path) {
  uint32_t number;
  struct bytes content;
  while (wire_next(&message, &number, &content)) {
    if (number != path[0]) continue;
    if (path[1])
      touch_all(set, content, path + 1);
    else
      touch(set, content);
  }
}

void touched_entry(struct touched_set *set, const struct ledger_event *event) {
  /* Run.bodies 7; Body.offer 20, status 21; their id 1 */
  static const uint8_t board_offer[] = {5, 1, 7, 20, 1, 0}; /* Board.runs, BoardRun.run */
  static const uint8_t board_status[] = {5, 1, 7, 21, 1, 0};
  static const uint8_t board_revocation[] = {5, 1, 7, 14, 0};
  static const uint8_t board_tombstone[] = {6, 1, 0};  /* Board.tombstones, Tombstone.offer */
  static const uint8_t own_offer[] = {1, 7, 20, 1, 0}; /* OwnRecords.run */
  static const uint8_t own_status[] = {1, 7, 21, 1, 0};
  static const uint8_t mail_offer[] = {5, 5, 7, 20, 1, 0}; /* MailIn.letter, Letter.runs */
  static const uint8_t mail_status[] = {5, 5, 7, 21, 1, 0};
  if (!event->payload.data) return;
  switch (event->kind) {
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_BOARD:
    touch_all(set, event->payload, board_offer);
    touch_all(set, event->payload, board_status);
    touch_all(set, event->payload, board_tombstone);
    set->revoked = set->revoked || holds(event->payload, board_revocation);
    return;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_OWN_RECORDS:
    touch_all(set, event->payload, own_offer);
    touch_all(set, event->payload, own_status);
    return;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MAIL_IN:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_FETCHED:
    touch_all(set, event->payload, mail_offer);
    touch_all(set, event->payload, mail_status);
    return;
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_GENESIS:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_PARTY:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_EPOCH:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_JOINED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_RECEIPTS:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_RESET:  /* no offers by name: all are looked at */
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_FILTER: /* the same */
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_DECISION_IN:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_DRAFT:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_SIGNED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_ACT_DROPPED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_STORED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_REFUSED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_WELCOME:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MATCH_ACT:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_QUESTION:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MAIL_BAD:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_LAPSED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_ADOPTED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_SEALED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_RESTORED:
  case COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_ERASED:
  case _COLLEGA_STORE__ENTRY_KIND_IS_INT_SIZE:
    return;
  }
}
