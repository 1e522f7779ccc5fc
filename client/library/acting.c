/* For whom a view looks, in a home of several parties: which party is meant, and what belongs to which. */
#include <string.h>
#include <strings.h>

#include "client/library/view.h"

#define AS_DIGITS_LEAST 4 /* of an id; fewer may well be the beginning of a name */

/* ---- which party */

struct party_search {
  const char *typed;
  struct id prefix;
  size_t digits; /* 0: not the beginning of an id */
  struct id found;
  size_t count;
  bool exact; /* by its KvK number or its whole id: nothing else counts beside it */
};

static void note(struct party_search *search, const struct id *party, bool exact) {
  if (search->exact || (search->count > 0 && id_equal(&search->found, party))) return;
  if (exact) search->count = 0;
  search->exact = exact;
  search->found = *party;
  search->count++;
}

static void compare(struct party_search *search, const CollegaStore__OwnParty *row,
                    const struct id *party) {
  size_t length = strlen(search->typed);
  if (strcmp(row->kvk, search->typed) == 0 || search->digits == 2 * (size_t)ID_BYTES)
    note(search, party, strcmp(row->kvk, search->typed) == 0 || id_equal(party, &search->prefix));
  else if (strncasecmp(row->name, search->typed, length) == 0)
    note(search, party, false);
  else if (search->digits > 0 &&
           hex_prefix_fits(party->byte, ID_BYTES, &search->prefix, search->digits))
    note(search, party, false);
}

enum collega_status view_party(const struct view *view, const char *typed, struct id *out,
                               struct collega_error *error) {
  struct party_search search = {.typed = typed};
  if (!hex_prefix_read(&search.prefix, &search.digits, typed) || search.digits < AS_DIGITS_LEAST)
    search.digits = 0;
  for (size_t i = 0; *typed && i < exchange_party_count(view->exchange); i++) {
    CollegaStore__OwnParty *row;
    const struct id *party = exchange_party_at(view->exchange, i);
    enum collega_status status = view_own_party(view, party, &row, error);
    if (status != COLLEGA_OK) return status;
    compare(&search, row, party);
  }
  if (search.count == 0)
    return error_set(error, COLLEGA_NOT_FOUND, RULE_party_not_here, NULL, typed, NULL);
  if (search.count > 1)
    return error_set(error, COLLEGA_REFUSED, RULE_party_ambiguous, NULL, typed, NULL);
  *out = search.found;
  return COLLEGA_OK;
}

enum collega_status view_own_party(const struct view *view, const struct id *party,
                                   CollegaStore__OwnParty **out, struct collega_error *error) {
  ProtobufCMessage *row = NULL;
  enum collega_status status =
      row_get(view->txn, TABLE_OWN, bytes_of(party->byte, ID_BYTES),
              &collega_store__own_party__descriptor, view->arena, &row, error);
  *out = (CollegaStore__OwnParty *)row;
  return status == COLLEGA_NOT_FOUND
             ? error_set(error, COLLEGA_DAMAGED, RULE_exchange_damaged, NULL, "own", NULL)
             : status;
}

/* ---- what belongs to another party of this home */

static enum collega_status of_other(const struct view *view, const char *typed,
                                    const struct id *party, struct collega_error *error) {
  CollegaStore__OwnParty *row;
  enum collega_status status = view_own_party(view, party, &row, error);
  return status == COLLEGA_OK ? error_set(error, COLLEGA_REFUSED, RULE_of_other_party, NULL, typed,
                                          row->name, row->kvk, NULL)
                              : status;
}

enum collega_status view_elsewhere(const struct view *view, const char *typed,
                                   enum collega_status status, struct collega_error *error) {
  static const enum ledger_table tables[] = {TABLE_DEALS, TABLE_MATCHES, TABLE_THREADS};
  if (status != COLLEGA_NOT_FOUND) return status;
  for (size_t i = 0; i < exchange_party_count(view->exchange); i++) {
    const struct id *party = exchange_party_at(view->exchange, i);
    if (id_equal(party, &view->party)) continue;
    for (size_t j = 0; j < sizeof tables / sizeof tables[0]; j++) {
      uint8_t found[ID_BYTES];
      if (table_find_prefix(view->txn, tables[j], bytes_of(party->byte, ID_BYTES), typed, found,
                            ID_BYTES, NULL) == COLLEGA_OK)
        return of_other(view, typed, party, error);
    }
  }
  return status;
}

enum collega_status view_check_seen(const struct view *view, const char *typed,
                                    const struct short_id *id, struct collega_error *error) {
  CollegaStore__OfferRow *row = NULL;
  Collega__Offer *offer = NULL;
  struct id author;
  enum collega_status status = view_offer(view, id, &row, error);
  if (status == COLLEGA_OK) status = offer_of_row(row, view->arena, &offer, error);
  if (status != COLLEGA_OK || view_may_see(view, row, offer)) return status;
  if (row->mine && id_from(&author, row->author.data, row->author.len))
    return of_other(view, typed, &author, error);
  return error_set(error, COLLEGA_NOT_FOUND, RULE_id_unknown, NULL, typed, NULL);
}

enum collega_status view_own_offer(const struct view *view, const struct short_id *offer,
                                   struct collega_error *error) {
  CollegaStore__OfferRow *row = NULL;
  struct id author;
  enum collega_status status = view_offer(view, offer, &row, error);
  if (status != COLLEGA_OK) return status;
  if (!id_from(&author, row->author.data, row->author.len))
    return error_set(error, COLLEGA_DAMAGED, RULE_exchange_damaged, NULL, "offers", NULL);
  /* Of somebody in another home: the exchange says so. */
  if (!row->mine || id_equal(&author, &view->party)) return COLLEGA_OK;
  return of_other(view, view_hex(view, offer->byte, 4), &author, error);
}

bool view_may_see(const struct view *view, const CollegaStore__OfferRow *row,
                  const Collega__Offer *offer) {
  if (view_wrote(view, row)) return true;
  return !row->refused && /* a neighbour's that the broker does not take */
         known_party_in_audience(
             members_find(exchange_members(view->exchange, view->txn), &view->party),
             offer->audience);
}

bool view_wrote(const struct view *view, const CollegaStore__OfferRow *row) {
  return bytes_equal(bytes_of(row->author.data, row->author.len),
                     bytes_of(view->party.byte, ID_BYTES));
}
