/* offer list, show; what changes an offer stands in offer_changes.c. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/common.h"
#include "proto/json.h"

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
  struct view view = desk_view(desk);
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
                         view_wrote(&view, row) ? (desk->language == LANGUAGE_NL ? "wij" : "us")
                                                : party_name(desk, &author),
                         view_offer_state(&view, row, offer)};
  table_row(table, cells);
}

enum collega_status command_offer_list(const struct arguments *arguments,
                                       struct collega_error *error) {
  struct desk desk;
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  struct view view = desk_view(&desk);
  struct offer_rows rows;
  enum view_offers which = argument_value(arguments, "mine")  ? VIEW_OFFERS_MINE
                           : argument_value(arguments, "all") ? VIEW_OFFERS_ALL
                                                              : VIEW_OFFERS_OPEN;
  status = view_offers(&view, which, &rows, error);
  if (status == COLLEGA_OK && argument_json(arguments)) {
    status = json_print(document_offers(&view, &rows), error);
  } else if (status == COLLEGA_OK && rows.count == 0) {
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
    table_may_cut(table, 1u << 3 | 1u << 7 | 1u << 8); /* title, place, whose */
    for (size_t i = 0; i < rows.count; ++i)
      print_row(&desk, table, rows.row[i]);
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
  struct view view = desk_view(&desk);
  status = view_offer_id(&view, argument_at(arguments, 0), &id, error);
  if (status == COLLEGA_OK) status = view_offer(&view, &id, &row, error);
  if (status == COLLEGA_OK)
    status = json_print(document_offer(&view, row, view_wrote(&view, row)), error);
  desk_close(&desk);
  return status;
}
