/* offer list, show; what changes an offer stands in offer_changes.c. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/offer_questions.h"
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
                         state_text(desk, view_offer_state(&view, row, offer))};
  table_row(table, cells);
}

static enum collega_status print_offers(struct desk *desk, const struct offer_rows *rows,
                                        struct collega_error *error) {
  static const char *const dutch[] = {"id",  "soort",      "mensen", "titel",   "uren",
                                      "van", "tot en met", "plaats", "van wie", "staat"};
  static const char *const english[] = {"id",   "kind",  "people", "title", "hours",
                                        "from", "until", "place",  "whose", "state"};
  struct table *table = table_new(10, desk->language == LANGUAGE_NL ? dutch : english, 1u << 2);
  if (!table) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  table_may_cut(table, 1u << 3 | 1u << 7 | 1u << 8); /* title, place, whose */
  for (size_t i = 0; i < rows->count; ++i)
    print_row(desk, table, rows->row[i]);
  table_print(table, stdout);
  table_destroy(&table);
  return COLLEGA_OK;
}

/* Those of the kind and in the state that were asked for. */
static void keep_wanted(struct desk *desk, struct offer_rows *rows, const char *state,
                        const Collega__OfferKind *kind) {
  struct view view = desk_view(desk);
  size_t kept = 0;
  for (size_t i = 0; i < rows->count; ++i) {
    Collega__Offer *offer = NULL;
    if (offer_of_row(rows->row[i], desk->arena, &offer, NULL) != COLLEGA_OK) continue;
    if (kind && offer->kind != *kind) continue;
    if (state && strcmp(state, view_offer_state(&view, rows->row[i], offer)) != 0) continue;
    rows->row[kept++] = rows->row[i];
  }
  rows->count = kept;
}

enum collega_status command_offer_list(const struct arguments *arguments,
                                       struct collega_error *error) {
  struct desk desk;
  const char *state = NULL;
  bool has_kind = false;
  Collega__OfferKind kind = COLLEGA__OFFER_KIND__OFFER_KIND_LOAN_OUT;
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  struct view view = desk_view(&desk);
  struct offer_rows rows = {0};
  status = option_choice(&desk, "state", OFFER_STATE_CHOICES, &state, error);
  if (status == COLLEGA_OK) status = option_kind(&desk, &has_kind, &kind, error);
  enum view_offers which = argument_value(arguments, "mine")           ? VIEW_OFFERS_MINE
                           : state || argument_value(arguments, "all") ? VIEW_OFFERS_ALL
                                                                       : VIEW_OFFERS_OPEN;
  if (status == COLLEGA_OK) status = view_offers(&view, which, &rows, error);
  bool any = rows.count > 0;
  if (status == COLLEGA_OK) keep_wanted(&desk, &rows, state, has_kind ? &kind : NULL);
  if (status == COLLEGA_OK && argument_json(arguments))
    status = json_print(document_offers(&view, &rows), error);
  else if (status == COLLEGA_OK && rows.count == 0)
    say(&desk, any ? RULE_said_none_such : RULE_said_no_offers, NULL);
  else if (status == COLLEGA_OK)
    status = print_offers(&desk, &rows, error);
  desk_close(&desk);
  return status;
}

/* ---- show */

#define FIRST_CELLS 6

static enum collega_status print_offer(struct desk *desk, const CollegaStore__OfferRow *row,
                                       struct collega_error *error) {
  static const char *const dutch[] = {"Aanbod", "Van", "Staat", "Waarom", "Versie", "Ontvangst"};
  static const char *const english[] = {"Offer", "Whose", "State", "Why", "Revision", "Receipt"};
  const char *headings[FIRST_CELLS + OFFER_QUESTIONS], *cells[FIRST_CELLS + OFFER_QUESTIONS];
  struct view view = desk_view(desk);
  Collega__Offer *content = NULL;
  struct id author;
  char receipt[32] = "", revision[16], *words = row->refused_words;
  enum collega_status status = offer_of_row(row, desk->arena, &content, error);
  json_t *document =
      status == COLLEGA_OK ? document_offer(&view, row, view_wrote(&view, row)) : NULL;
  if (status == COLLEGA_OK && (!document || !id_from(&author, row->author.data, row->author.len)))
    status = error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  struct table *table = NULL;
  if (status == COLLEGA_OK) {
    if (row->position) time_write_local(receipt, sizeof receipt, row->position->time);
    snprintf(revision, sizeof revision, "%" PRIu32, row->revision);
    const char *first[FIRST_CELLS] = {
        hex_text(desk, row->offer.data, SHORT_ID_BYTES),
        party_name(desk, &author),
        state_text(desk, view_offer_state(&view, row, content)),
        row->refused ? row_words(desk, row->refused, &words, words ? 1 : 0) : "",
        revision,
        receipt};
    for (size_t i = 0; i < FIRST_CELLS; ++i) {
      headings[i] = desk->language == LANGUAGE_NL ? dutch[i] : english[i];
      cells[i] = first[i];
    }
    const json_t *offer = json_object_get(document, "offer");
    for (size_t i = 0; i < OFFER_QUESTIONS; ++i) {
      headings[FIRST_CELLS + i] = question_label(desk, &offer_questions[i]);
      cells[FIRST_CELLS + i] = question_answer(desk, &offer_questions[i], offer);
    }
    table = table_new(FIRST_CELLS + OFFER_QUESTIONS, headings, 0);
    if (!table) status = error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  }
  table_row(table, cells);
  table_print_blocks(table, stdout);
  table_destroy(&table);
  json_decref(document);
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
  if (status == COLLEGA_OK && argument_json(arguments))
    status = json_print(document_offer(&view, row, view_wrote(&view, row)), error);
  else if (status == COLLEGA_OK)
    status = print_offer(&desk, row, error);
  desk_close(&desk);
  return status;
}
