/* Publishing once: an HR system that does not know whether its call came through asks again with the same reference.
 * Looked up inside the transaction that publishes, so that two processes that ask at once cannot both be first. */
#include "client/exchange/offer_inside.h"

#include <stdlib.h>
#include <string.h>

struct referenced {
  const char *reference;
  struct short_id offer;
};
struct looking {
  struct ledger_txn *txn;
  struct arena *arena;
  collega_time now;
  struct referenced *list;
  size_t count, capacity;
  enum collega_status status;
  struct collega_error *error;
};

static bool add(struct looking *looking, const char *reference, const struct short_id *offer) {
  if (looking->count == looking->capacity) {
    size_t capacity = looking->capacity ? 2 * looking->capacity : 64;
    struct referenced *grown = arena_take(looking->arena, capacity * sizeof *grown);
    if (!grown) {
      looking->status = exchange_no_memory(looking->error);
      return false;
    }
    if (looking->count) memcpy(grown, looking->list, looking->count * sizeof *grown);
    looking->list = grown;
    looking->capacity = capacity;
  }
  looking->list[looking->count++] = (struct referenced){reference, *offer};
  return true;
}

static bool visit_mine(void *context, struct bytes key, struct bytes value) {
  struct looking *looking = context;
  struct short_id id;
  CollegaStore__OfferRow *row;
  Collega__Offer *offer = NULL;
  (void)value;
  if (!short_id_from(&id, key.data + ID_BYTES, key.length - ID_BYTES)) return true;
  looking->status = offer_row(looking->txn, bytes_of(id.byte, SHORT_ID_BYTES), looking->arena, &row,
                              looking->error);
  if (looking->status == COLLEGA_NOT_FOUND)
    looking->status = COLLEGA_OK;
  else if (looking->status == COLLEGA_OK && row->has_private_ && row->private_.len)
    looking->status = offer_of_row(row, looking->arena, &offer, looking->error);
  if (looking->status != COLLEGA_OK) return false;
  if (!offer || row->refused) return true;
  Collega__OfferState state = offer_state(row, offer, looking->now);
  if (state == COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN ||
      state == COLLEGA__OFFER_STATE__OFFER_STATE_EXPIRED)
    return true;
  const Collega__OfferPrivate *private_part = (const Collega__OfferPrivate *)row_unpack(
      &collega__offer_private__descriptor, field_bytes(&row->private_), looking->arena);
  if (!private_part) {
    looking->status = exchange_row_damaged(looking->error, "offers");
    return false;
  }
  return !private_part->reference || add(looking, private_part->reference, &id);
}

static int by_reference(const void *one, const void *other) {
  return strcmp(((const struct referenced *)one)->reference,
                ((const struct referenced *)other)->reference);
}

enum collega_status offer_once_mark(struct ledger_txn *txn, const struct id *party,
                                    struct prepared *prepared, size_t count, collega_time now,
                                    struct arena *arena, bool *already,
                                    struct collega_error *error) {
  struct looking looking = {.txn = txn, .arena = arena, .now = now, .error = error};
  enum collega_status status = table_each(txn, TABLE_MINE, bytes_of(party->byte, ID_BYTES), NULL,
                                          visit_mine, &looking, error);
  if (status == COLLEGA_OK) status = looking.status;
  if (status != COLLEGA_OK || looking.count == 0) return status;
  qsort(looking.list, looking.count, sizeof *looking.list, by_reference);
  for (size_t i = 0; i < count; i++) {
    const Collega__OfferPrivate *private_part = prepared[i].private_part;
    if (!private_part || !private_part->reference) continue;
    struct referenced wanted = {.reference = private_part->reference};
    const struct referenced *found =
        bsearch(&wanted, looking.list, looking.count, sizeof *looking.list, by_reference);
    already[i] = found != NULL;
    if (found) prepared[i].id = found->offer;
  }
  return COLLEGA_OK;
}
