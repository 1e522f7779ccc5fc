/* offer list, show; what changes an offer stands in offer_changes.c. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/common.h"
#include "proto/json.h"

/* ---- list and show */

const char *offer_state_text(Collega__OfferState state) {
  switch (state) {
  case COLLEGA__OFFER_STATE__OFFER_STATE_OPEN:
    return "open";
  case COLLEGA__OFFER_STATE__OFFER_STATE_PAUSED:
    return "paused";
  case COLLEGA__OFFER_STATE__OFFER_STATE_FILLED:
    return "filled";
  case COLLEGA__OFFER_STATE__OFFER_STATE_WITHDRAWN:
    return "withdrawn";
  case COLLEGA__OFFER_STATE__OFFER_STATE_EXPIRED:
    return "expired";
  case _COLLEGA__OFFER_STATE_IS_INT_SIZE:
    break;
  }
  return "unknown";
}

static const char *shown_state(struct desk *desk, const CollegaStore__OfferRow *row,
                               const Collega__Offer *offer) {
  return row->refused ? "refused" : offer_state_text(offer_state(row, offer, desk->now));
}

static json_t *offer_json(struct desk *desk, const CollegaStore__OfferRow *row, bool with_private) {
  Collega__Offer *offer = NULL;
  struct id author;
  struct collega_error error;
  if (offer_of_row(row, desk->arena, &offer, &error) != COLLEGA_OK ||
      !id_from(&author, row->author.data, row->author.len))
    return NULL;
  json_t *out = json_object();
  bool ok = out && json_put(out, "id", json_hex(row->offer.data, row->offer.len)) &&
            json_put(out, "revision", json_integer(row->revision)) &&
            json_put(out, "state", json_string(shown_state(desk, row, offer))) &&
            json_put(out, "mine", json_boolean(row->mine)) &&
            json_put(out, "author", json_party(desk, &author)) &&
            json_put(out, "offer", json_from_message(&offer->base));
  if (ok && row->position) {
    json_t *position = json_object();
    ok = position &&
         json_put(position, "origin",
                  json_hex(row->position->origin.data, row->position->origin.len)) &&
         json_put(position, "epoch",
                  json_hex(row->position->epoch.data, row->position->epoch.len)) &&
         json_put(position, "seq", json_integer((json_int_t)row->position->seq)) &&
         json_put(position, "time", json_time(row->position->time)) &&
         json_object_set(out, "receipt", position) == 0;
    json_decref(position);
  }
  if (ok && row->refused) {
    char *words = row->refused_words;
    ok = json_put(out, "refused",
                  json_pack("{s:s, s:s}", "rule", row->refused, "words",
                            row_words(desk, row->refused, &words, words ? 1 : 0)));
  }
  if (ok && with_private && row->has_private_ && row->private_.len) {
    ProtobufCMessage *hidden =
        row_unpack(&collega__offer_private__descriptor,
                   bytes_of(row->private_.data, row->private_.len), desk->arena);
    ok = hidden && json_put(json_object_get(out, "offer"), "private", json_from_message(hidden));
  }
  if (ok) return out;
  json_decref(out);
  return NULL;
}

struct listing {
  struct desk *desk;
  CollegaStore__OfferRow **rows;
  size_t count, capacity;
  bool only_mine, all, failed;
};

static bool list_visit(void *context, struct bytes key, struct bytes value) {
  struct listing *listing = context;
  struct arena *arena = listing->desk->arena;
  (void)key;
  CollegaStore__OfferRow *row =
      (CollegaStore__OfferRow *)row_unpack(&collega_store__offer_row__descriptor, value, arena);
  Collega__Offer *offer = NULL;
  if (!row || offer_of_row(row, arena, &offer, NULL) != COLLEGA_OK) return true;
  if (listing->only_mine && !row->mine) return true;
  if (!listing->all && !row->mine &&
      offer_state(row, offer, listing->desk->now) != COLLEGA__OFFER_STATE__OFFER_STATE_OPEN)
    return true;
  CollegaStore__OfferRow **rows =
      array_grow(arena, listing->rows, listing->count, &listing->capacity, sizeof *rows);
  listing->failed = rows == NULL;
  if (!rows) return false;
  listing->rows = rows;
  listing->rows[listing->count++] = row;
  return true;
}

static int newest_first(const void *one, const void *other) {
  uint64_t a = (*(CollegaStore__OfferRow *const *)one)->entry,
           b = (*(CollegaStore__OfferRow *const *)other)->entry;
  return a < b ? 1 : a > b ? -1 : 0;
}

static const char *kind_text(struct desk *desk, Collega__OfferKind kind) {
  bool dutch = desk->language == LANGUAGE_NL;
  switch (kind) {
  case COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT:
    return dutch ? "uitlenen" : "loan out";
  case COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_IN:
    return dutch ? "inlenen" : "loan in";
  case COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_OUT:
    return dutch ? "van werk" : "transfer out";
  case COLLEGA__OFFER_KIND__OFFER_KIND_TRANSFER_IN:
    return dutch ? "naar werk" : "transfer in";
  case _COLLEGA__OFFER_KIND_IS_INT_SIZE:
    break;
  }
  return "?";
}

static void print_row(struct desk *desk, struct table *table, const CollegaStore__OfferRow *row) {
  Collega__Offer *offer = NULL;
  struct id author;
  if (offer_of_row(row, desk->arena, &offer, NULL) != COLLEGA_OK ||
      !id_from(&author, row->author.data, row->author.len))
    return;
  char from[32], until[32] = "", people[16], hours[32];
  date_write(from, sizeof from, offer->period->from);
  if (offer->period->has_until) date_write(until, sizeof until, offer->period->until);
  snprintf(people, sizeof people, "%" PRIu32, offer->headcount);
  snprintf(hours, sizeof hours, "%" PRIu32 "-%" PRIu32, offer->hours->per_week_min,
           offer->hours->per_week_max);
  const char *cells[] = {hex_text(desk, row->offer.data, 4),
                         kind_text(desk, offer->kind),
                         people,
                         safe(desk, offer->title),
                         hours,
                         from,
                         until,
                         safe(desk, offer->place->city ? offer->place->city : offer->place->region),
                         row->mine ? (desk->language == LANGUAGE_NL ? "wij" : "us")
                                   : party_name(desk, &author),
                         shown_state(desk, row, offer)};
  table_row(table, cells);
}

enum collega_status command_offer_list(const struct arguments *arguments,
                                       struct collega_error *error) {
  struct desk desk;
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  struct listing listing = {.desk = &desk,
                            .only_mine = argument_value(arguments, "mine") != NULL,
                            .all = argument_value(arguments, "all") != NULL};
  status = table_each(desk.txn, TABLE_OFFERS, bytes_of("", 0), NULL, list_visit, &listing, error);
  if (status == COLLEGA_OK && listing.failed)
    status = error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  if (status == COLLEGA_OK && listing.count)
    qsort(listing.rows, listing.count, sizeof(CollegaStore__OfferRow *), newest_first);
  if (status == COLLEGA_OK && argument_json(arguments)) {
    json_t *list = json_array();
    for (size_t i = 0; list && i < listing.count; ++i)
      list = json_add(list, offer_json(&desk, listing.rows[i], false));
    status = json_print_list("offers", list, error);
  } else if (status == COLLEGA_OK && listing.count == 0) {
    say(&desk, RULE_said_no_offers, NULL);
  } else if (status == COLLEGA_OK) {
    static const char *const dutch[] = {"id",  "soort",      "mensen", "titel",   "uur/week",
                                        "van", "tot en met", "plaats", "van wie", "staat"};
    static const char *const english[] = {"id",   "kind",  "people", "title", "hours/week",
                                          "from", "until", "place",  "whose", "state"};
    struct table *table = table_new(10, desk.language == LANGUAGE_NL ? dutch : english, 1u << 2);
    if (!table) {
      desk_close(&desk);
      return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
    }
    for (size_t i = 0; i < listing.count; ++i)
      print_row(&desk, table, listing.rows[i]);
    table_print(table, stdout);
    table_destroy(&table);
  }
  desk_close(&desk);
  return status;
}

enum collega_status command_offer_show(const struct arguments *arguments,
                                       struct collega_error *error) {
  struct desk desk;
  struct short_id id;
  CollegaStore__OfferRow *row = NULL;
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  status = desk_offer_id(&desk, argument_at(arguments, 0), &id, error);
  if (status == COLLEGA_OK) status = desk_offer_row(&desk, &id, &row, error);
  if (status == COLLEGA_OK) status = json_print(offer_json(&desk, row, row->mine), error);
  desk_close(&desk);
  return status;
}
