/* Full, and no longer full. An offer of which all people are agreed, on every day that is left of
 * its period, becomes filled by a status record of its own; when people come free again it opens.
 * What a user said (filled, paused, withdrawn) is left alone. The daemon looks whenever the ledger
 * moved: at the offers that have agreed holds, and at those that it filled itself. */
#include "client/exchange/offer_inside.h"

#include <stdlib.h>
#include <string.h>

#include "client/exchange/deal_rows.h"

struct looked_at {
  struct id party;
  struct short_id offer;
  size_t first, count; /* its rows in `holds` */
};

struct looking {
  struct arena *arena;   /* the holds */
  struct arena *scratch; /* one offer at a time */
  const CollegaStore__Hold **holds;
  size_t hold_count, hold_capacity;
  struct looked_at *offers;
  size_t offer_count, offer_capacity;
  bool no_memory, damaged;
};

static void *grow(struct looking *looking, void *items, size_t count, size_t *capacity,
                  size_t size) {
  if (count < *capacity) return items;
  size_t wanted = *capacity ? 2 * *capacity : 32;
  void *grown = realloc(items, wanted * size);
  if (!grown) {
    looking->no_memory = true;
    return NULL;
  }
  *capacity = wanted;
  return grown;
}

static bool add_offer(struct looking *looking, const uint8_t *party, const uint8_t *offer) {
  struct looked_at *grown = grow(looking, looking->offers, looking->offer_count,
                                 &looking->offer_capacity, sizeof *looking->offers);
  if (!grown) return false;
  looking->offers = grown;
  struct looked_at *next = &looking->offers[looking->offer_count++];
  memcpy(next->party.byte, party, ID_BYTES);
  memcpy(next->offer.byte, offer, SHORT_ID_BYTES);
  next->first = looking->hold_count;
  next->count = 0;
  return true;
}

/* Rows of one offer stand together: its key comes first. */
static bool visit_hold(void *context, struct bytes key, struct bytes value) {
  struct looking *looking = context;
  const CollegaStore__Hold *hold = (const CollegaStore__Hold *)row_unpack(
      &collega_store__hold__descriptor, value, looking->arena);
  looking->damaged = !hold || key.length < ID_BYTES + SHORT_ID_BYTES;
  if (looking->damaged) return false;
  if (!hold->agreed) return true;
  struct looked_at *last = looking->offer_count ? &looking->offers[looking->offer_count - 1] : NULL;
  if (!last || memcmp(last->party.byte, key.data, ID_BYTES) != 0 ||
      memcmp(last->offer.byte, key.data + ID_BYTES, SHORT_ID_BYTES) != 0) {
    if (!add_offer(looking, key.data, key.data + ID_BYTES)) return false;
    last = &looking->offers[looking->offer_count - 1];
  }
  const CollegaStore__Hold **grown = grow(looking, looking->holds, looking->hold_count,
                                          &looking->hold_capacity, sizeof *looking->holds);
  if (!grown) return false;
  looking->holds = grown;
  looking->holds[looking->hold_count++] = hold;
  last->count++;
  return true;
}

/* ---- those that were filled here: found once, then kept in mind */

struct finding {
  struct exchange *exchange;
  struct ledger_txn *txn;
  struct arena *arena;
  bool failed;
};

static bool keep(struct exchange *exchange, const uint8_t *party, const uint8_t *offer) {
  for (size_t i = 0; i < exchange->filled_count; i++)
    if (memcmp(exchange->filled[i].offer.byte, offer, SHORT_ID_BYTES) == 0) return true;
  struct filled_offer *grown =
      realloc(exchange->filled, (exchange->filled_count + 1) * sizeof *grown);
  if (!grown) return false;
  exchange->filled = grown;
  memcpy(grown[exchange->filled_count].party.byte, party, ID_BYTES);
  memcpy(grown[exchange->filled_count++].offer.byte, offer, SHORT_ID_BYTES);
  return true;
}

static bool visit_mine(void *context, struct bytes key, struct bytes value) {
  struct finding *finding = context;
  CollegaStore__OfferRow *row = NULL;
  (void)value;
  arena_reset(finding->arena);
  if (key.length != ID_BYTES + SHORT_ID_BYTES) return true;
  if (offer_row(finding->txn, bytes_of(key.data + ID_BYTES, SHORT_ID_BYTES), finding->arena, &row,
                NULL) == COLLEGA_OK &&
      row->filled_by_itself)
    finding->failed = !keep(finding->exchange, key.data, key.data + ID_BYTES);
  return !finding->failed;
}

static enum collega_status find_filled(struct exchange *exchange, struct ledger_txn *txn,
                                       struct collega_error *error) {
  struct finding finding = {exchange, txn, exchange_arena(), false};
  if (!finding.arena) return exchange_no_memory(error);
  enum collega_status status =
      table_each(txn, TABLE_MINE, bytes_of(NULL, 0), NULL, visit_mine, &finding, error);
  arena_destroy(&finding.arena);
  if (status == COLLEGA_OK && finding.failed) status = exchange_no_memory(error);
  exchange->filled_known = status == COLLEGA_OK;
  return status;
}

/* ---- judging */

static uint64_t lesser(uint64_t one, uint64_t other) {
  return one < other ? one : other;
}

/* The fewest that are agreed on any day of from .. until: it falls only after the last day of a hold
 * or of some of its people, or is least on the first day. */
static uint64_t least_agreed(const CollegaStore__Hold *const *holds, size_t count,
                             collega_date from, collega_date until, bool carve) {
  uint64_t least = holds_on_day(holds, count, from, carve);
  for (size_t i = 0; i < count; i++) {
    for (size_t j = 0; j <= holds[i]->n_ends; j++) {
      collega_date last = j < holds[i]->n_ends ? holds[i]->ends[j]->until : holds[i]->until;
      if (last >= from && last < until)
        least = lesser(least, holds_on_day(holds, count, last + 1, carve));
    }
  }
  return least;
}

static bool is_full(const Collega__Offer *offer, const CollegaStore__Hold *const *holds,
                    size_t count, collega_date today) {
  struct capacity capacity;
  offer_capacity(offer, &capacity);
  collega_date from = offer->period->from > today ? offer->period->from : today;
  collega_date until = offer->period->has_until ? offer->period->until : DATE_OPEN;
  uint64_t wanted =
      capacity.carve ? (uint64_t)capacity.headcount * capacity.hours_per_week : capacity.headcount;
  return from <= until && least_agreed(holds, count, from, until, capacity.carve) >= wanted;
}

/* The state that the offer should have; 0: as it is. */
static enum collega_status judge(struct ledger_txn *txn, const struct looking *looking,
                                 const struct looked_at *at, collega_time now, uint32_t *state,
                                 struct collega_error *error) {
  CollegaStore__OfferRow *row;
  Collega__Offer *offer;
  *state = 0;
  enum collega_status status =
      offer_row(txn, bytes_of(at->offer.byte, SHORT_ID_BYTES), looking->scratch, &row, error);
  if (status == COLLEGA_NOT_FOUND) return COLLEGA_OK; /* a capacity: nobody sees it */
  if (status == COLLEGA_OK) status = offer_of_row(row, looking->scratch, &offer, error);
  if (status != COLLEGA_OK) return status;
  Collega__OfferState is = offer_state(row, offer, now);
  bool full = is_full(offer, looking->holds + at->first, at->count, date_of_time(now));
  if (is == COLLEGA__OFFER_STATE__OFFER_STATE_OPEN && full)
    *state = COLLEGA__OFFER_STATE__OFFER_STATE_FILLED;
  if (is == COLLEGA__OFFER_STATE__OFFER_STATE_FILLED && row->filled_by_itself && !full)
    *state = COLLEGA__OFFER_STATE__OFFER_STATE_OPEN;
  return COLLEGA_OK;
}

static enum collega_status judge_all(struct ledger_txn *txn, const struct looking *looking,
                                     collega_time now, uint32_t *states,
                                     struct collega_error *error) {
  enum collega_status status = COLLEGA_OK;
  for (size_t i = 0; status == COLLEGA_OK && i < looking->offer_count; i++) {
    arena_reset(looking->scratch);
    status = judge(txn, looking, &looking->offers[i], now, &states[i], error);
  }
  return status;
}

static enum collega_status collect(struct exchange *exchange, struct ledger_txn *txn,
                                   struct looking *looking, struct collega_error *error) {
  enum collega_status status = COLLEGA_OK;
  if (!exchange->filled_known) status = find_filled(exchange, txn, error);
  if (status == COLLEGA_OK)
    status = table_each(txn, TABLE_HOLDS, bytes_of(NULL, 0), NULL, visit_hold, looking, error);
  if (status == COLLEGA_OK && looking->damaged) status = exchange_row_damaged(error, "holds");
  size_t with_holds = looking->offer_count;
  for (size_t i = 0; status == COLLEGA_OK && i < exchange->filled_count; i++) {
    const struct filled_offer *filled = &exchange->filled[i];
    bool seen = false;
    for (size_t j = 0; j < with_holds && !seen; j++)
      seen = memcmp(&looking->offers[j].offer, &filled->offer, sizeof filled->offer) == 0;
    if (!seen && !add_offer(looking, filled->party.byte, filled->offer.byte)) break;
  }
  return status == COLLEGA_OK && looking->no_memory ? exchange_no_memory(error) : status;
}

enum collega_status offers_look_filled(struct exchange *exchange, collega_time now,
                                       uint32_t *changed, struct collega_error *error) {
  struct ledger_txn *txn = NULL;
  struct looking looking = {.arena = exchange_arena(), .scratch = exchange_arena()};
  uint32_t *states = NULL;
  *changed = 0;
  enum collega_status status = looking.arena && looking.scratch
                                   ? ledger_read(exchange->ledger, &txn, error)
                                   : exchange_no_memory(error);
  if (status == COLLEGA_OK) status = collect(exchange, txn, &looking, error);
  if (status == COLLEGA_OK) {
    states = arena_zero(looking.arena, (looking.offer_count + 1) * sizeof *states);
    status = states ? judge_all(txn, &looking, now, states, error) : exchange_no_memory(error);
  }
  ledger_abort(&txn);
  for (size_t i = 0; status == COLLEGA_OK && i < looking.offer_count; i++) {
    const struct looked_at *at = &looking.offers[i];
    if (!states[i] || !exchange_identity(exchange, &at->party)) continue;
    if (states[i] == COLLEGA__OFFER_STATE__OFFER_STATE_FILLED &&
        !keep(exchange, at->party.byte, at->offer.byte))
      status = exchange_no_memory(error);
    if (status == COLLEGA_OK)
      status =
          offer_state_by_itself(exchange, &at->offer, (Collega__OfferState)states[i], now, error);
    if (status == COLLEGA_OK) ++*changed;
    /* The user was there first: what the user said stands. */
    if (status == COLLEGA_REFUSED) status = COLLEGA_OK;
  }
  free(looking.holds);
  free(looking.offers);
  arena_destroy(&looking.scratch);
  arena_destroy(&looking.arena);
  return status;
}
