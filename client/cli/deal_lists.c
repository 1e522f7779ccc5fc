/* deal list, show: how deals stand, and what to do next. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/deals.h"
#include "client/cli/offer_questions.h"
#include "client/exchange/deal_machine.h"
#include "client/library/deal_steps.h"
#include "proto/json.h"

static const char *words(const struct desk *desk, enum rule rule, const char *one, const char *two,
                         const char *three) {
  char text[1024];
  words_render(desk->language, rule, (const char *const[]){one, two, three}, 3, text, sizeof text);
  const char *out = arena_text(desk->arena, text);
  return out ? out : "";
}

/* What became of a wish to end a part that came to nothing. */
static const char *dropped_text(struct desk *desk, const CollegaStore__DealRow *row) {
  struct view view = desk_view(desk);
  const CollegaStore__RootRow *root = view_root(&view, row);
  if (!root || !root->terminate_dropped ||
      row->state != COLLEGA_STORE__DEAL_STATE__DEAL_STATE_CONCLUDED)
    return "";
  return words(desk, RULE_said_part_dropped, count_text(desk, root->terminate_headcount), NULL,
               NULL);
}

static const char *why_text(struct desk *desk, const CollegaStore__DealRow *row) {
  if (row->disputed) return words(desk, RULE_said_disputed, NULL, NULL, NULL);
  for (size_t i = 0; i < row->n_reductions; i++)
    if (row->reductions[i]->disputed) return words(desk, RULE_said_part_disputed, NULL, NULL, NULL);
  return row->why ? row_words(desk, row->why, NULL, 0) : dropped_text(desk, row);
}

static const char *date_text(struct desk *desk, collega_date date) {
  char text[32];
  date_write(text, sizeof text, date);
  const char *out = arena_text(desk->arena, text);
  return out ? out : "";
}

static const char *period_text(struct desk *desk, collega_date from, bool has_until,
                               collega_date until) {
  return has_until
             ? words(desk, RULE_said_period, date_text(desk, from), date_text(desk, until), NULL)
             : words(desk, RULE_said_period_open, date_text(desk, from), NULL, NULL);
}

/* ---- list */

/* Neither decided nor ended otherwise. */
static bool answer_counts(const CollegaStore__DealRow *row) {
  return row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_DRAFT ||
         row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_PROPOSED ||
         row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_RECEIVED ||
         row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_PENDING;
}

/* By when an answer counts: month, day and time, as no answer is due in more than 90 days. */
static const char *answer_by(struct desk *desk, const CollegaStore__DealRow *row) {
  char text[32];
  if (!answer_counts(row)) return "";
  time_write_local(text, sizeof text, row->accept_by);
  const char *out = arena_text(desk->arena, text + strlen("2027-"));
  return out ? out : "";
}

/* In a list: what took its place goes before why it ended. */
static const char *remark(struct desk *desk, const CollegaStore__DealRow *row) {
  struct view view = desk_view(desk);
  const ProtobufCBinaryData *after = view_amended_by(&view, row);
  return after ? words(desk, RULE_said_changed_by, hex_text(desk, after->data, 4), NULL, NULL)
               : why_text(desk, row);
}

/* Today, as far as parts of it have ended. */
static uint32_t people_now(const struct desk *desk, const CollegaStore__DealRow *row,
                           const Collega__TermsWork *work) {
  return deal_people(row, work->headcount, date_of_time(desk->now));
}

static void print_deal(struct desk *desk, struct table *table, const CollegaStore__DealRow *row) {
  Collega__Terms *terms = NULL;
  struct id counterparty;
  if (desk_deal_terms(desk, row, &terms, NULL) != COLLEGA_OK ||
      !id_from(&counterparty, row->counterparty.data, row->counterparty.len))
    return;
  bool dutch = desk->language == LANGUAGE_NL;
  const Collega__TermsWork *work = terms ? terms->work : NULL;
  const char *cells[] = {hex_text(desk, row->deal.data, 4),
                         state_text(desk, deal_state_name(row, terms, date_of_time(desk->now))),
                         row->lends ? (dutch ? "uitlener" : "lender")
                                    : (dutch ? "inlener" : "borrower"),
                         party_name(desk, &counterparty),
                         work ? count_text(desk, people_now(desk, row, work)) : "",
                         work ? safe(desk, work->function) : "",
                         work ? date_text(desk, work->from) : "",
                         row->has_effective        ? date_text(desk, row->effective)
                         : work && work->has_until ? date_text(desk, work->until)
                                                   : "",
                         answer_by(desk, row),
                         remark(desk, row)};
  table_row(table, cells);
}

static enum collega_status print_deals(struct desk *desk, const struct deal_rows *rows,
                                       struct collega_error *error) {
  static const char *const dutch[] = {"id",      "staat", "wij",        "werkgever", "mensen",
                                      "functie", "van",   "tot en met", "vóór",      "waarom"};
  static const char *const english[] = {"id",       "state", "we are", "employer", "people",
                                        "function", "from",  "until",  "by",       "why"};
  struct table *table = table_new(10, desk->language == LANGUAGE_NL ? dutch : english, 1u << 4);
  if (!table) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  table_may_cut(table, 1u << 3 | 1u << 5 | 1u << 9); /* employer, function, why */
  for (size_t i = 0; i < rows->count; ++i)
    print_deal(desk, table, rows->row[i]);
  table_print(table, stdout);
  table_destroy(&table);
  return COLLEGA_OK;
}

struct wanted {
  struct deal_rows rows;
  size_t all; /* before the options took some away */
  const char *state, *awaits;
  bool mine, has_kind;
  Collega__OfferKind kind;
};

static bool is_wanted(struct desk *desk, const struct wanted *wanted,
                      const CollegaStore__DealRow *row) {
  Collega__Terms *terms = NULL;
  struct deal_steps steps;
  struct view view = desk_view(desk);
  if (desk_deal_terms(desk, row, &terms, NULL) != COLLEGA_OK) return false;
  if (wanted->mine && !row->mine) return false;
  if (wanted->has_kind && view_deal_kind(row, terms) != wanted->kind) return false;
  if (wanted->state &&
      strcmp(wanted->state, deal_state_name(row, terms, date_of_time(desk->now))) != 0)
    return false;
  if (!wanted->awaits) return true;
  deal_steps_read(&view, row, terms, &steps);
  return strcmp(wanted->awaits, deal_awaited_text(steps.awaited)) == 0;
}

static enum collega_status any_wanted(struct desk *desk, void *context, bool *met,
                                      struct collega_error *error) {
  struct wanted *wanted = context;
  struct view view = desk_view(desk);
  enum collega_status status = view_deals(&view, &wanted->rows, error);
  struct deal_rows *rows = &wanted->rows;
  size_t kept = 0;
  wanted->all = rows->count;
  for (size_t i = 0; status == COLLEGA_OK && i < rows->count; ++i)
    if (is_wanted(desk, wanted, rows->row[i])) rows->row[kept++] = rows->row[i];
  rows->count = kept;
  *met = kept > 0;
  return status;
}

enum collega_status command_deal_list(const struct arguments *arguments,
                                      struct collega_error *error) {
  struct desk desk;
  struct wanted wanted = {.mine = argument_value(arguments, "mine") != NULL};
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  status = option_choice(&desk, "state", DEAL_STATE_CHOICES, &wanted.state, error);
  if (status == COLLEGA_OK)
    status = option_choice(&desk, "awaits", DEAL_AWAITS_CHOICES, &wanted.awaits, error);
  if (status == COLLEGA_OK) status = option_kind(&desk, &wanted.has_kind, &wanted.kind, error);
  if (status == COLLEGA_OK) status = desk_wait(&desk, any_wanted, &wanted, error);
  struct view view = desk_view(&desk);
  if (status == COLLEGA_OK && argument_json(arguments))
    status = json_print(document_deals(&view, &wanted.rows), error);
  else if (status == COLLEGA_OK && wanted.rows.count == 0)
    say(&desk, wanted.all ? RULE_said_none_such : RULE_said_no_deals, NULL);
  else if (status == COLLEGA_OK)
    status = print_deals(&desk, &wanted.rows, error);
  desk_close(&desk);
  return status;
}

/* ---- show */

/* A field's name as a person reads it, where a word was made for it. */
static const char *field_text(const struct desk *desk, const char *name) {
  char rule[80];
  snprintf(rule, sizeof rule, "field_%s", name);
  enum rule known = rule_from_name(rule);
  return known ? words(desk, known, NULL, NULL, NULL) : name;
}

/* name NULL: the values need no names, as in an address. */
static void flatten(const struct desk *desk, struct buffer *out, const char *name,
                    const json_t *value) {
  const char *key;
  json_t *member;
  size_t index;
  bool dutch = desk->language == LANGUAGE_NL;
  if (json_is_object(value)) {
    json_object_foreach((json_t *)(uintptr_t)value, key, member) {
      bool told = strcmp(key, "hourly_cents") == 0 || strcmp(key, "currency") == 0;
      if (!told) flatten(desk, out, name ? key : NULL, member);
    }
    return;
  }
  if (json_is_array(value)) {
    json_array_foreach(value, index, member) flatten(desk, out, name, member);
    return;
  }
  char number[32] = "";
  if (json_is_integer(value))
    snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
  const char *text = json_is_string(value) ? choice_text(desk, json_string_value(value))
                     : json_is_boolean(value)
                         ? (json_is_true(value) ? (dutch ? "ja" : "yes") : (dutch ? "nee" : "no"))
                         : number;
  buffer_print(out, "%s", out->length ? ", " : "");
  if (name) buffer_print(out, "%s: ", field_text(desk, name));
  buffer_print(out, "%s", text);
}

/* A section of the terms in one line: "VAT: standard". "": none. */
static const char *section_text(struct desk *desk, const Collega__Terms *terms, const char *name) {
  static const char *const bare[] = {"place", "contact", "note"};
  json_t *whole = terms ? json_from_message(&terms->base) : NULL;
  const json_t *section = json_object_get(whole, name);
  struct buffer text;
  bool named = true;
  buffer_init(&text, 65536);
  for (size_t i = 0; i < sizeof bare / sizeof bare[0]; ++i)
    named = named && strcmp(name, bare[i]) != 0;
  if (section) flatten(desk, &text, named ? name : NULL, section);
  const char *out = arena_text(desk->arena, buffer_text(&text));
  buffer_free(&text);
  json_decref(whole);
  return out ? out : "";
}

/* Short id and title of the offer on one side. */
static const char *side_text(struct desk *desk, const struct view *view,
                             const Collega__OfferRef *side, const CollegaStore__Capacity *own) {
  struct short_id id;
  CollegaStore__OfferRow *row = NULL;
  Collega__Offer *offer = NULL;
  if (own)
    return words(desk, RULE_said_capacity, count_text(desk, own->headcount),
                 count_text(desk, own->hours_per_week),
                 period_text(desk, own->from, own->has_until, own->until));
  if (!side->has_offer || !short_id_from(&id, side->offer.data, side->offer.len)) return "";
  const char *title = words(desk, RULE_said_not_here, NULL, NULL, NULL);
  if (view_offer(view, &id, &row, NULL) == COLLEGA_OK &&
      offer_of_row(row, desk->arena, &offer, NULL) == COLLEGA_OK)
    title = offer->title;
  const char *out =
      arena_print(desk->arena, "%s %s", hex_text(desk, id.byte, 4), safe(desk, title));
  return out ? out : "";
}

/* "3 people until 2027-02-28", and so for each part that one party ended. */
static const char *parts_text(struct desk *desk, const CollegaStore__DealRow *row) {
  struct buffer text;
  buffer_init(&text, 4096);
  for (size_t i = 0; i < row->n_reductions; i++) {
    const CollegaStore__ReductionRow *part = row->reductions[i];
    buffer_print(&text, "%s%s", text.length ? ", " : "",
                 words(desk, part->disputed ? RULE_said_part_short : RULE_said_part,
                       count_text(desk, part->headcount), date_text(desk, part->effective), NULL));
  }
  const char *out = arena_text(desk->arena, buffer_text(&text));
  buffer_free(&text);
  return out ? out : "";
}

static const char *hold_text(struct desk *desk, const CollegaStore__DealRow *row,
                             const CollegaStore__Hold *hold) {
  if (!hold) return "";
  return words(desk, hold->agreed ? RULE_said_agreed : RULE_said_held,
               count_text(desk, deal_people(row, hold->people, date_of_time(desk->now))),
               period_text(desk, hold->from, hold->until != DATE_OPEN, hold->until), NULL);
}

static const char *decider_name(struct desk *desk, const Collega__DealHeader *header) {
  struct id decider;
  return id_from(&decider, header->decider.data, header->decider.len) ? party_name(desk, &decider)
                                                                      : "";
}

static const char *rate_text(struct desk *desk, const Collega__Terms *terms) {
  if (!terms || !terms->rates || !terms->rates->has_hourly_cents) return "";
  const char *amount = arena_print(
      desk->arena, "%" PRId64 "%c%02d", (int64_t)terms->rates->hourly_cents / 100,
      desk->language == LANGUAGE_NL ? ',' : '.', (int)(terms->rates->hourly_cents % 100));
  return words(desk, RULE_said_rate, terms->rates->currency ? terms->rates->currency : "EUR",
               amount, NULL);
}

/* The deals before and after it, shortened. */
static const char *deal_link(struct desk *desk, bool has, ProtobufCBinaryData id) {
  return has ? hex_text(desk, id.data, 4) : "";
}

static const char *kept_text(struct desk *desk, const CollegaStore__DealRow *row,
                             const Collega__Terms *terms, const char *section) {
  struct view view = desk_view(desk);
  return view_section_erased(&view, row, section)
             ? words(desk, RULE_said_erased_line, NULL, NULL, NULL)
             : section_text(desk, terms, section);
}

static enum collega_status print_facts(struct desk *desk, const CollegaStore__DealRow *row,
                                       const Collega__Terms *terms, const struct id *counterparty,
                                       const Collega__DealHeader *header,
                                       struct collega_error *error) {
  static const char *const dutch[] = {
      "voorstel",      "staat",          "waarom",        "uitlener",      "inlener",
      "functie",       "mensen",         "periode",       "uren per week", "tarief",
      "tarief verder", "personen",       "plaats",        "regels",        "einde",
      "contact",       "notitie",        "ons aanbod",    "hun aanbod",    "vastgehouden",
      "antwoord vóór", "beslisser",      "in plaats van", "wijzigt",       "gewijzigd door",
      "laatste dag",   "deels beëindigd"};
  static const char *const english[] = {
      "proposal",    "state",    "why",          "lender",  "borrower",      "function",
      "people",      "period",   "hours a week", "rate",    "rate, further", "persons",
      "place",       "rules",    "ending",       "contact", "note",          "our offer",
      "their offer", "held",     "answer by",    "decider", "instead of",    "changes",
      "changed by",  "last day", "ended in part"};
  struct view view = desk_view(desk);
  char by[32] = "";
  const char *us = party_name(desk, &desk->party), *them = party_name(desk, counterparty);
  const Collega__TermsWork *work = terms ? terms->work : NULL;
  const Collega__Edge *edge = header->edges[0];
  const ProtobufCBinaryData *after = view_amended_by(&view, row);
  const Collega__OfferRef *other = row->lends ? edge->borrows : edge->lends;
  if (answer_counts(row)) time_write_local(by, sizeof by, row->accept_by);
  const char *cells[] = {
      hex_text(desk, row->deal.data, ID_BYTES),
      state_text(desk, deal_state_name(row, terms, date_of_time(desk->now))),
      why_text(desk, row),
      row->lends ? us : them,
      row->lends ? them : us,
      work ? safe(desk, work->function) : "",
      work ? count_text(desk, people_now(desk, row, work)) : "",
      work ? period_text(desk, work->from, work->has_until, work->until) : "",
      work ? count_text(desk, work->hours_per_week) : "",
      rate_text(desk, terms),
      section_text(desk, terms, "rates"),
      kept_text(desk, row, terms, "persons"),
      section_text(desk, terms, "place"),
      section_text(desk, terms, "rules"),
      section_text(desk, terms, "ending"),
      kept_text(desk, row, terms, "contact"),
      kept_text(desk, row, terms, "note"),
      side_text(desk, &view, view_own_side(&view, row), view_capacity(&view, row)),
      side_text(desk, &view, other, NULL),
      hold_text(desk, row, view_hold(&view, row)),
      by,
      decider_name(desk, header),
      deal_link(desk, header->has_replaces, header->replaces),
      deal_link(desk, header->has_amends, header->amends),
      after ? hex_text(desk, after->data, 4) : "",
      row->has_effective ? date_text(desk, row->effective) : "",
      parts_text(desk, row)};
  size_t count = sizeof cells / sizeof cells[0];
  struct table *table = table_new(count, desk->language == LANGUAGE_NL ? dutch : english, 0);
  if (!table) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  table_row(table, cells);
  table_print_blocks(table, stdout);
  table_destroy(&table);
  return COLLEGA_OK;
}

/* What stands behind the id in the line to type. */
static const char *step_rest(const char *step, bool dutch) {
  if (strcmp(step, "counter") == 0) return dutch ? " --headcount AANTAL" : " --headcount N";
  if (strcmp(step, "amend") == 0) return dutch ? " --until DATUM" : " --until DATE";
  if (strcmp(step, "terminate") == 0) return dutch ? " --effective DATUM" : " --effective DATE";
  if (strcmp(step, "talk") == 0) return dutch ? " --message \"TEKST\"" : " --message \"TEXT\"";
  if (strcmp(step, "prove") == 0) return dutch ? " > bewijs.collega" : " > proof.collega";
  return "";
}

static void print_steps(struct desk *desk, const CollegaStore__DealRow *row,
                        const Collega__Terms *terms, const struct id *counterparty,
                        const Collega__DealHeader *header) {
  struct deal_steps steps;
  struct node_facts facts;
  struct view view = desk_view(desk);
  deal_steps_read(&view, row, terms, &steps);
  switch (steps.awaited) {
  case AWAITED_NOBODY:
    break;
  case AWAITED_US:
    say(desk, RULE_awaited_us, NULL);
    break;
  case AWAITED_OTHER:
    say(desk, RULE_awaited_other, party_name(desk, counterparty), NULL);
    break;
  case AWAITED_DECIDER:
    say(desk, RULE_awaited_decider, decider_name(desk, header), NULL);
    break;
  case AWAITED_NODE:
    say(desk, RULE_awaited_node, NULL);
    break;
  }
  bool ours = steps.awaited == AWAITED_NODE || steps.awaited == AWAITED_DECIDER;
  if (ours && node_facts_read(&view, &facts, NULL) == COLLEGA_OK && facts.why)
    say(desk, facts.why, NULL);
  if (steps.count == 0) return;
  say(desk, RULE_said_next, NULL);
  for (size_t i = 0; i < steps.count; ++i) {
    const char *option = strchr(steps.next[i], ' '); /* "release --sign" */
    size_t length = option ? (size_t)(option - steps.next[i]) : strlen(steps.next[i]);
    printf("  collega deal %.*s %s%s%s\n", (int)length, steps.next[i],
           hex_text(desk, row->deal.data, 4), option ? option : "",
           step_rest(steps.next[i], desk->language == LANGUAGE_NL));
  }
}

static enum collega_status show(struct desk *desk, const CollegaStore__DealRow *row,
                                struct collega_error *error) {
  Collega__Terms *terms = NULL;
  struct id counterparty;
  struct view view = desk_view(desk);
  const Collega__DealHeader *header = view_header(&view, row);
  enum collega_status status = desk_deal_terms(desk, row, &terms, error);
  if (status == COLLEGA_OK &&
      (!header || !id_from(&counterparty, row->counterparty.data, row->counterparty.len)))
    status = error_set(error, COLLEGA_DAMAGED, RULE_exchange_damaged, NULL, "deals", NULL);
  if (status == COLLEGA_OK) status = print_facts(desk, row, terms, &counterparty, header, error);
  if (status == COLLEGA_OK) print_steps(desk, row, terms, &counterparty, header);
  return status;
}

enum collega_status command_deal_show(const struct arguments *arguments,
                                      struct collega_error *error) {
  struct desk desk;
  struct id deal;
  CollegaStore__DealRow *row = NULL;
  enum collega_status status = desk_open_deal(arguments, &desk, &deal, error);
  if (status != COLLEGA_OK) return status;
  status = desk_wait_decided(&desk, &deal, error);
  if (status == COLLEGA_OK) status = desk_deal_row(&desk, &deal, &row, error);
  if (status == COLLEGA_OK)
    status = argument_json(arguments) ? json_print(desk_deal_json(&desk, row), error)
                                      : show(&desk, row, error);
  desk_close(&desk);
  return status;
}
