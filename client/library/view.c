/* Ids, rows and words, as a view sees them. */
#include "client/library/view.h"

#include <string.h>

#include "proto/guard.h"

/* ---- ids */

enum collega_status view_offer_id(const struct view *view, const char *typed, struct short_id *out,
                                  struct collega_error *error) {
  enum collega_status status = table_find_prefix(view->txn, TABLE_OFFERS, bytes_of("", 0), typed,
                                                 out->byte, SHORT_ID_BYTES, error);
  return status == COLLEGA_OK ? view_check_seen(view, typed, out, error) : status;
}

/* In a table whose keys begin with the party. */
static enum collega_status find(const struct view *view, enum ledger_table table, const char *typed,
                                struct id *out, struct collega_error *error) {
  return table_find_prefix(view->txn, table, bytes_of(view->party.byte, ID_BYTES), typed, out->byte,
                           ID_BYTES, error);
}

enum collega_status view_match_id(const struct view *view, const char *typed, struct id *out,
                                  struct collega_error *error) {
  return view_elsewhere(view, typed, find(view, TABLE_MATCHES, typed, out, error), error);
}

enum collega_status view_deal_id(const struct view *view, const char *typed, struct id *out,
                                 struct collega_error *error) {
  return view_elsewhere(view, typed, find(view, TABLE_DEALS, typed, out, error), error);
}

enum collega_status view_thread_id(const struct view *view, const char *typed, struct id *out,
                                   struct collega_error *error) {
  struct id deal;
  enum collega_status status = find(view, TABLE_DEALS, typed, &deal, error);
  if (status == COLLEGA_OK) {
    CollegaStore__DealRow *row = NULL;
    status = view_deal(view, &deal, &row, error);
    const Collega__DealHeader *header = status == COLLEGA_OK ? view_header(view, row) : NULL;
    if (status == COLLEGA_OK && (!header || !id_from(out, header->thread.data, header->thread.len)))
      return error_set(error, COLLEGA_DAMAGED, RULE_exchange_damaged, NULL, "deals", NULL);
    return status;
  }
  if (status == COLLEGA_NOT_FOUND) status = find(view, TABLE_MATCHES, typed, out, error);
  if (status == COLLEGA_NOT_FOUND) status = find(view, TABLE_THREADS, typed, out, error);
  return view_elsewhere(view, typed, status, error);
}

enum collega_status view_mandate_id(const struct view *view, const char *typed, struct id *out,
                                    struct collega_error *error) {
  struct id_search search;
  const struct known_party *self =
      members_find(exchange_members(view->exchange, view->txn), &view->party);
  if (!id_search_begin(&search, typed, ID_BYTES))
    return error_set(error, COLLEGA_INVALID, RULE_id_malformed, NULL, typed, NULL);
  for (size_t i = 0; self && i < self->mandate_count; ++i)
    if (!id_search_give(&search, self->mandates[i].record.byte)) break;
  return id_search_end(&search, typed, out->byte, error);
}

/* ---- rows */

/* What is not there is an id that nobody knows. */
static enum collega_status known(const struct view *view, enum collega_status status,
                                 struct bytes id, struct collega_error *error) {
  return status == COLLEGA_NOT_FOUND ? error_set(error, status, RULE_id_unknown, NULL,
                                                 view_hex(view, id.data, id.length), NULL)
                                     : status;
}

static enum collega_status row_read(const struct view *view, enum ledger_table table,
                                    struct bytes key, const ProtobufCMessageDescriptor *type,
                                    struct bytes id, ProtobufCMessage **out,
                                    struct collega_error *error) {
  return known(view, row_get(view->txn, table, key, type, view->arena, out, error), id, error);
}

enum collega_status view_offer(const struct view *view, const struct short_id *id,
                               CollegaStore__OfferRow **out, struct collega_error *error) {
  struct bytes key = bytes_of(id->byte, SHORT_ID_BYTES);
  return known(view, ledger_offer(view->txn, key, view->arena, out, error), key, error);
}

/* Of a table whose keys begin with the party. */
static enum collega_status party_row(const struct view *view, enum ledger_table table,
                                     const struct id *id, const ProtobufCMessageDescriptor *type,
                                     ProtobufCMessage **out, struct collega_error *error) {
  uint8_t key[2 * ID_BYTES];
  memcpy(key, view->party.byte, ID_BYTES);
  memcpy(key + ID_BYTES, id->byte, ID_BYTES);
  return row_read(view, table, bytes_of(key, sizeof key), type, bytes_of(id->byte, ID_BYTES), out,
                  error);
}

enum collega_status view_match(const struct view *view, const struct id *id,
                               CollegaStore__MatchRow **out, struct collega_error *error) {
  ProtobufCMessage *row = NULL;
  enum collega_status status =
      party_row(view, TABLE_MATCHES, id, &collega_store__match_row__descriptor, &row, error);
  *out = (CollegaStore__MatchRow *)row;
  return status;
}

enum collega_status view_deal(const struct view *view, const struct id *id,
                              CollegaStore__DealRow **out, struct collega_error *error) {
  ProtobufCMessage *row = NULL;
  enum collega_status status =
      party_row(view, TABLE_DEALS, id, &collega_store__deal_row__descriptor, &row, error);
  *out = (CollegaStore__DealRow *)row;
  return status;
}

enum collega_status view_terms(const struct view *view, const CollegaStore__DealRow *row,
                               Collega__Terms **out, struct collega_error *error) {
  *out = NULL;
  if (!row->has_terms) return COLLEGA_OK;
  ProtobufCMessage *salted = NULL;
  unsigned hidden = 0;
  enum collega_status status =
      guard_unpack(&collega__salted_terms__descriptor, bytes_of(row->terms.data, row->terms.len),
                   view->arena, &salted, error);
  return status == COLLEGA_OK
             ? terms_read((Collega__SaltedTerms *)salted, view->arena, out, &hidden, error)
             : status;
}

const Collega__DealHeader *view_header(const struct view *view, const CollegaStore__DealRow *row) {
  ProtobufCMessage *body = NULL;
  if (guard_unpack(&collega__body__descriptor, bytes_of(row->header.data, row->header.len),
                   view->arena, &body, NULL) != COLLEGA_OK)
    return NULL;
  return ((const Collega__Body *)body)->deal;
}

/* ---- words */

const char *view_words(const struct view *view, const char *rule, char *const *arguments,
                       size_t count) {
  char text[1024];
  enum rule known = rule_from_name(rule);
  if (!known) return rule;
  words_render(view->language, known, (const char *const *)arguments, count, text, sizeof text);
  const char *out = arena_text(view->arena, text);
  return out ? out : "";
}

const char *view_hex(const struct view *view, const uint8_t *data, size_t bytes) {
  char *out = arena_take(view->arena, 2 * bytes + 1);
  if (!out) return "";
  hex_write(out, data, bytes);
  return out;
}

const char *view_party_name(const struct view *view, const struct id *party) {
  const struct known_party *known =
      members_find(exchange_members(view->exchange, view->txn), party);
  CollegaStore__BrokerRow *broker = NULL;
  /* A broker certifies others; its own name came with the invitation. */
  if ((!known || known->cert_count == 0) &&
      exchange_broker(view->txn, view->arena, &broker, NULL) == COLLEGA_OK && broker &&
      bytes_equal(bytes_of(broker->broker.data, broker->broker.len),
                  bytes_of(party->byte, ID_BYTES)))
    return broker->name;
  return known ? known_party_name(known) : "";
}

const char *view_offer_state(const struct view *view, const CollegaStore__OfferRow *row,
                             const Collega__Offer *offer) {
  return row->refused ? "refused" : offer_state_text(offer_state(row, offer, view->now));
}

const char *view_match_state(const struct view *view, const CollegaStore__MatchRow *row) {
  const char *state = "suggested";
  struct id match;
  bool mine = false;
  if (id_from(&match, row->match.data, row->match.len) &&
      match_state(view->txn, &view->party, &match, view->now, view->arena, &state, &mine, NULL) !=
          COLLEGA_OK)
    return "suggested";
  return state;
}

bool view_section_erased(const struct view *view, const CollegaStore__DealRow *row,
                         const char *section) {
  const Collega__SaltedTerms *salted =
      row->has_terms
          ? (const Collega__SaltedTerms *)row_unpack(&collega__salted_terms__descriptor,
                                                     bytes_of(row->terms.data, row->terms.len),
                                                     view->arena)
          : NULL;
  for (size_t i = 0; salted && i < salted->n_sections; i++)
    if (salted->sections[i]->has_leaf &&
        strcmp(collega__terms__descriptor.fields[i].name, section) == 0)
      return true;
  return false;
}
