/* Revisions that expired before the board had them: they waited too long to be sent, or a restored broker had
 * lost them. The board goes on showing the revision before such a one, for as long as that one says, and nobody
 * but its author knows better. So the author withdraws the offer. The daemon looks at all own offers once, and
 * again whenever a revision lapsed or was refused. */
#include "client/exchange/offer_inside.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/words.h"

struct unseen {
  struct ledger_txn *txn;
  collega_time now;
  struct arena *arena; /* of one row */
  struct short_id *offer;
  size_t count, capacity;
  enum collega_status status;
  struct collega_error *error;
};

static bool add(struct unseen *unseen, struct bytes offer) {
  if (unseen->count == unseen->capacity) {
    size_t capacity = unseen->capacity ? 2 * unseen->capacity : 16;
    struct short_id *grown = realloc(unseen->offer, capacity * sizeof *grown);
    if (!grown) return false;
    unseen->offer = grown;
    unseen->capacity = capacity;
  }
  return !short_id_from(&unseen->offer[unseen->count], offer.data, offer.length) || ++unseen->count;
}

static enum collega_status judge(const struct unseen *unseen, const CollegaStore__OfferRow *row,
                                 bool *is_unseen) {
  Collega__Offer *offer;
  struct own_record own;
  *is_unseen = false;
  if (row->by_mail || row->revision == 1 ||
      row->state == COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN)
    return COLLEGA_OK;
  enum collega_status status =
      own_record_get(unseen->txn, field_bytes(&row->content), &own, unseen->error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK;
  if (status == COLLEGA_OK) status = offer_of_row(row, unseen->arena, &offer, unseen->error);
  if (status != COLLEGA_OK) return status;
  bool too_late = row->refused && rule_from_name(row->refused) == RULE_not_after_past;
  bool over = offer->has_expires && offer->expires <= unseen->now;
  *is_unseen = own.state != RECORD_RECEIPTED && (too_late || over);
  return COLLEGA_OK;
}

static bool visit_mine(void *context, struct bytes key, struct bytes value) {
  struct unseen *unseen = context;
  CollegaStore__OfferRow *row = NULL;
  bool is_unseen = false;
  (void)value;
  arena_reset(unseen->arena);
  if (key.length != ID_BYTES + SHORT_ID_BYTES) return true;
  struct bytes offer = bytes_of(key.data + ID_BYTES, SHORT_ID_BYTES);
  unseen->status = offer_row(unseen->txn, offer, unseen->arena, &row, unseen->error);
  if (unseen->status == COLLEGA_OK) unseen->status = judge(unseen, row, &is_unseen);
  if (unseen->status == COLLEGA_OK && is_unseen && !add(unseen, offer))
    unseen->status = exchange_no_memory(unseen->error);
  return unseen->status == COLLEGA_OK;
}

static enum collega_status find(struct exchange *exchange, struct unseen *unseen) {
  enum collega_status status = ledger_read(exchange->ledger, &unseen->txn, unseen->error);
  if (status == COLLEGA_OK)
    status = table_each(unseen->txn, TABLE_MINE, bytes_of(NULL, 0), NULL, visit_mine, unseen,
                        unseen->error);
  ledger_abort(&unseen->txn);
  return status == COLLEGA_OK ? unseen->status : status;
}

enum collega_status offers_look_unseen(struct exchange *exchange, collega_time now,
                                       uint32_t *changed, struct collega_error *error) {
  *changed = 0;
  if (exchange->unseen_known) return COLLEGA_OK;
  struct unseen unseen = {.now = now, .arena = exchange_arena(), .error = error};
  if (!unseen.arena) return exchange_no_memory(error);
  enum collega_status status = find(exchange, &unseen);
  arena_destroy(&unseen.arena);
  for (size_t i = 0; status == COLLEGA_OK && i < unseen.count; i++) {
    status = offer_state_by_itself(exchange, &unseen.offer[i],
                                   COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN, now, error);
    if (status == COLLEGA_OK) ++*changed;
    if (status == COLLEGA_REFUSED) status = COLLEGA_OK; /* the user was there first */
  }
  if (*changed) log_info("offers_withdrawn", "count=%u why=unseen", (unsigned)*changed);
  exchange->unseen_known = status == COLLEGA_OK;
  free(unseen.offer);
  return status;
}
