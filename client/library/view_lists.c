/* Lists of offers, matches and deals, in the order in which people want them. */
#include "client/library/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/process/process.h"
#include "client/library/settings.h"
#include "client/match/matcher.h"

void *array_grow(struct arena *arena, const void *items, size_t count, size_t *capacity,
                 size_t item_bytes) {
  if (count < *capacity) return (void *)(uintptr_t)items;
  size_t more = *capacity ? 2 * *capacity : 64;
  void *grown = arena_take(arena, more * item_bytes);
  if (!grown) return NULL;
  if (count) memcpy(grown, items, count * item_bytes);
  *capacity = more;
  return grown;
}

static enum collega_status finish(enum collega_status status, bool failed,
                                  struct collega_error *error) {
  return status == COLLEGA_OK && failed
             ? error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL)
             : status;
}

/* ---- offers */

struct offer_listing {
  const struct view *view;
  enum view_offers which;
  struct offer_rows *out;
  bool failed;
};

static bool offer_wanted(const struct offer_listing *listing, const CollegaStore__OfferRow *row,
                         const Collega__Offer *offer) {
  const bool mine = view_wrote(listing->view, row);
  if (!view_may_see(listing->view, row, offer)) return false;
  switch (listing->which) {
  case VIEW_OFFERS_MINE:
    return mine;
  case VIEW_OFFERS_OPEN:
    return mine ||
           offer_state(row, offer, listing->view->now) == COLLEGA__OFFER_STATE__OFFER_STATE_OPEN;
  case VIEW_OFFERS_ALL:
    break;
  }
  return true;
}

static bool offer_visit(void *context, struct bytes key, struct bytes value) {
  struct offer_listing *listing = context;
  struct arena *arena = listing->view->arena;
  struct offer_rows *out = listing->out;
  (void)key;
  CollegaStore__OfferRow *row = NULL;
  Collega__Offer *offer = NULL;
  if (ledger_offer_read(listing->view->txn, value, arena, &row, NULL) != COLLEGA_OK ||
      offer_of_row(row, arena, &offer, NULL) != COLLEGA_OK)
    return true;
  if (!offer_wanted(listing, row, offer)) return true;
  CollegaStore__OfferRow **rows =
      array_grow(arena, out->row, out->count, &out->capacity, sizeof *rows);
  listing->failed = rows == NULL;
  if (!rows) return false;
  out->row = rows;
  out->row[out->count++] = row;
  return true;
}

static int newest_offer(const void *one, const void *other) {
  uint64_t a = (*(CollegaStore__OfferRow *const *)one)->entry,
           b = (*(CollegaStore__OfferRow *const *)other)->entry;
  return a < b ? 1 : a > b ? -1 : 0;
}

enum collega_status view_offers(const struct view *view, enum view_offers which,
                                struct offer_rows *out, struct collega_error *error) {
  memset(out, 0, sizeof *out);
  struct offer_listing listing = {view, which, out, false};
  enum collega_status status =
      table_each(view->txn, TABLE_OFFERS, bytes_of("", 0), NULL, offer_visit, &listing, error);
  if (out->count) qsort(out->row, out->count, sizeof(CollegaStore__OfferRow *), newest_offer);
  return finish(status, listing.failed, error);
}

/* ---- matches */

struct match_listing {
  const struct view *view;
  const struct short_id *offer;
  struct match_rows *out;
  bool failed;
};

/* An offer's time may be over before the matcher has come by. */
static bool is_open(const struct view *view, ProtobufCBinaryData offer) {
  struct short_id id;
  CollegaStore__OfferRow *row = NULL;
  Collega__Offer *content = NULL;
  return short_id_from(&id, offer.data, offer.len) &&
         view_offer(view, &id, &row, NULL) == COLLEGA_OK &&
         offer_of_row(row, view->arena, &content, NULL) == COLLEGA_OK &&
         offer_state(row, content, view->now) == COLLEGA__OFFER_STATE__OFFER_STATE_OPEN;
}

static bool match_visit(void *context, struct bytes key, struct bytes value) {
  struct match_listing *listing = context;
  struct arena *arena = listing->view->arena;
  struct match_rows *out = listing->out;
  (void)key;
  CollegaStore__MatchRow *row =
      (CollegaStore__MatchRow *)row_unpack(&collega_store__match_row__descriptor, value, arena);
  if (!row) return true;
  if (listing->offer && (row->mine.len != SHORT_ID_BYTES ||
                         memcmp(row->mine.data, listing->offer->byte, SHORT_ID_BYTES) != 0))
    return true;
  if (!is_open(listing->view, row->mine) || !is_open(listing->view, row->counter)) return true;
  CollegaStore__MatchRow **rows =
      array_grow(arena, out->row, out->count, &out->capacity, sizeof *rows);
  listing->failed = rows == NULL;
  if (!rows) return false;
  out->row = rows;
  out->row[out->count++] = row;
  return true;
}

static int best_match(const void *one, const void *other) {
  const CollegaStore__MatchRow *a = *(CollegaStore__MatchRow *const *)one,
                               *b = *(CollegaStore__MatchRow *const *)other;
  if (a->score != b->score) return a->score < b->score ? 1 : -1;
  return memcmp(a->match.data, b->match.data, a->match.len);
}

enum collega_status view_matches(const struct view *view, const struct short_id *offer,
                                 struct match_rows *out, struct collega_error *error) {
  memset(out, 0, sizeof *out);
  struct match_listing listing = {view, offer, out, false};
  enum collega_status status =
      table_each(view->txn, TABLE_MATCHES, bytes_of(view->party.byte, ID_BYTES), NULL, match_visit,
                 &listing, error);
  if (out->count) qsort(out->row, out->count, sizeof(CollegaStore__MatchRow *), best_match);
  return finish(status, listing.failed, error);
}

enum collega_status view_match_here(struct ledger *ledger, collega_time now,
                                    struct collega_error *error) {
  struct matcher *matcher = NULL;
  double weight[MATCH_PARTS];
  uint32_t changed = 0;
  if (run_lock_held(ledger_home(ledger))) return COLLEGA_OK; /* the daemon does it */
  enum collega_status status = settings_weights_of(ledger_home(ledger), weight, error);
  if (status == COLLEGA_OK) status = matcher_open(ledger, weight, &matcher, error);
  if (status == COLLEGA_OK) status = matcher_run(matcher, now, &changed, error);
  if (status == COLLEGA_OK) status = matcher_settle(matcher, error);
  matcher_close(&matcher);
  return status;
}

/* ---- deals */

struct deal_listing {
  struct arena *arena;
  struct deal_rows *out;
  bool failed;
};

static bool deal_visit(void *context, struct bytes key, struct bytes value) {
  struct deal_listing *listing = context;
  struct deal_rows *out = listing->out;
  (void)key;
  CollegaStore__DealRow *row = (CollegaStore__DealRow *)row_unpack(
      &collega_store__deal_row__descriptor, value, listing->arena);
  if (!row) return true;
  CollegaStore__DealRow **rows =
      array_grow(listing->arena, out->row, out->count, &out->capacity, sizeof *rows);
  listing->failed = rows == NULL;
  if (!rows) return false;
  out->row = rows;
  out->row[out->count++] = row;
  return true;
}

static int newest_deal(const void *one, const void *other) {
  uint64_t a = (*(CollegaStore__DealRow *const *)one)->entry,
           b = (*(CollegaStore__DealRow *const *)other)->entry;
  return a < b ? 1 : a > b ? -1 : 0;
}

enum collega_status view_deals(const struct view *view, struct deal_rows *out,
                               struct collega_error *error) {
  memset(out, 0, sizeof *out);
  struct deal_listing listing = {view->arena, out, false};
  enum collega_status status =
      table_each(view->txn, TABLE_DEALS, bytes_of(view->party.byte, ID_BYTES), NULL, deal_visit,
                 &listing, error);
  if (out->count) qsort(out->row, out->count, sizeof(CollegaStore__DealRow *), newest_deal);
  return finish(status, listing.failed, error);
}
