/* deal propose, accept, decline, withdraw, list, show. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/process/process.h"
#include "client/cli/deals.h"
#include "client/exchange/deal_machine.h"
#include "proto/guard.h"
#include "proto/json.h"

#define TERMS_FILE_BYTES (1024u * 1024u)

/* ---- reading a row */

enum collega_status desk_deal_terms(struct desk *desk, const CollegaStore__DealRow *row,
                                    Collega__Terms **out, struct collega_error *error) {
  *out = NULL;
  if (!row->has_terms) return COLLEGA_OK;
  ProtobufCMessage *salted = NULL;
  unsigned hidden = 0;
  enum collega_status status =
      guard_unpack(&collega__salted_terms__descriptor, bytes_of(row->terms.data, row->terms.len),
                   desk->arena, &salted, error);
  return status == COLLEGA_OK
             ? terms_read((Collega__SaltedTerms *)salted, desk->arena, out, &hidden, error)
             : status;
}

/* The work section's fields stand at the top, the other sections under their names. */
static json_t *terms_json(const Collega__Terms *terms) {
  if (!terms) return json_object();
  json_t *whole = json_from_message(&terms->base);
  json_t *out = whole ? json_deep_copy(json_object_get(whole, "work")) : NULL;
  const char *name;
  json_t *section;
  bool ok = whole != NULL;
  if (ok && !out) out = json_object();
  json_object_foreach(whole, name, section) {
    if (strcmp(name, "work") != 0) ok = ok && out && json_object_set(out, name, section) == 0;
  }
  json_decref(whole);
  if (ok) return out;
  json_decref(out);
  return NULL;
}

static const Collega__DealHeader *deal_header(struct desk *desk, const CollegaStore__DealRow *row) {
  ProtobufCMessage *body = NULL;
  if (guard_unpack(&collega__body__descriptor, bytes_of(row->header.data, row->header.len),
                   desk->arena, &body, NULL) != COLLEGA_OK)
    return NULL;
  return ((const Collega__Body *)body)->deal;
}

enum collega_status desk_deal_thread(struct desk *desk, const struct id *deal, struct id *thread,
                                     struct collega_error *error) {
  CollegaStore__DealRow *row = NULL;
  enum collega_status status = desk_deal_row(desk, deal, &row, error);
  const Collega__DealHeader *header = status == COLLEGA_OK ? deal_header(desk, row) : NULL;
  if (status == COLLEGA_OK &&
      (!header || !id_from(thread, header->thread.data, header->thread.len)))
    return error_set(error, COLLEGA_DAMAGED, RULE_exchange_damaged, NULL, "deals", NULL);
  return status;
}

static const char *release_text(uint32_t state) {
  switch ((enum release_phase)state) {
  case RELEASE_ASKED:
    return "asked";
  case RELEASE_RECEIVED:
    return "received";
  case RELEASE_KEPT:
    return "kept";
  case RELEASE_KEPT_BY_OTHER:
    return "kept_by_other";
  case RELEASE_SIGNED:
  case RELEASE_DONE:
    return "signed";
  case RELEASE_NONE:
    break;
  }
  return NULL;
}

/* What it follows on, and what followed it. */
static bool links_json(struct desk *desk, const CollegaStore__DealRow *row,
                       const Collega__DealHeader *header, json_t *out) {
  ProtobufCMessage *message = NULL;
  bool ok = json_put(out, "thread", json_hex(header->thread.data, header->thread.len));
  if (ok && header->has_replaces)
    ok = json_put(out, "replaces", json_hex(header->replaces.data, header->replaces.len));
  if (ok && header->has_amends)
    ok = json_put(out, "amends", json_hex(header->amends.data, header->amends.len));
  if (ok && release_text(row->release_state))
    ok = json_put(out, "release", json_string(release_text(row->release_state)));
  if (ok && row->has_effective)
    ok = json_put(out, "effective", json_date(row->effective)) &&
         json_put(out, "disputed", json_boolean(row->disputed));
  if (!ok ||
      row_get(desk->txn, TABLE_ROOTS, bytes_of(row->root.data, row->root.len),
              &collega_store__root_row__descriptor, desk->arena, &message, NULL) != COLLEGA_OK)
    return ok;
  const CollegaStore__RootRow *root = (const CollegaStore__RootRow *)message;
  bool agreed = row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_CONCLUDED ||
                row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_TERMINATED;
  if (agreed && root->has_last_deal &&
      !bytes_equal(bytes_of(root->last_deal.data, root->last_deal.len),
                   bytes_of(row->deal.data, row->deal.len)))
    ok = json_put(out, "amended_by", json_hex(root->last_deal.data, root->last_deal.len));
  if (ok && agreed && root->terminate_wanted)
    ok = json_put(out, "ending", json_date(root->terminate_effective));
  return ok;
}

/* What stands in for an offer of ours, where we published none. */
static bool capacity_json(struct desk *desk, const CollegaStore__DealRow *row,
                          const Collega__DealHeader *header, json_t *out) {
  ProtobufCMessage *message = NULL;
  const Collega__OfferRef *own = row->lends ? header->edges[0]->lends : header->edges[0]->borrows;
  if (!own->has_capacity ||
      row_get(desk->txn, TABLE_CAPACITIES, bytes_of(own->capacity.data, own->capacity.len),
              &collega_store__capacity__descriptor, desk->arena, &message, NULL) != COLLEGA_OK)
    return true;
  const CollegaStore__Capacity *capacity = (const CollegaStore__Capacity *)message;
  json_t *entry = json_pack("{s:i, s:i}", "headcount", (int)capacity->headcount, "hours_per_week",
                            (int)capacity->hours_per_week);
  bool ok = entry && json_put(entry, "id", json_hex(own->capacity.data, own->capacity.len)) &&
            json_put(entry, "from", json_date(capacity->from));
  if (ok && capacity->has_until) ok = json_put(entry, "until", json_date(capacity->until));
  if (ok) return json_put(out, "capacity", entry);
  json_decref(entry);
  return false;
}

json_t *deal_json(struct desk *desk, const CollegaStore__DealRow *row) {
  Collega__Terms *terms = NULL;
  struct id counterparty;
  const Collega__DealHeader *header = deal_header(desk, row);
  if (!header || desk_deal_terms(desk, row, &terms, NULL) != COLLEGA_OK ||
      !id_from(&counterparty, row->counterparty.data, row->counterparty.len))
    return NULL;
  json_t *out = json_object(), *offers = json_array();
  bool ok =
      out && offers && json_put(out, "id", json_hex(row->deal.data, row->deal.len)) &&
      json_put(out, "state", json_string(deal_state_name(row, terms, date_of_time(desk->now)))) &&
      json_put(out, "mine", json_boolean(row->mine)) &&
      json_put(out, "lends", json_boolean(row->lends)) &&
      json_put(out, "counterparty", json_party(desk, &counterparty)) &&
      json_put(out, "terms", terms_json(terms));
  for (size_t i = 0; ok && i < row->n_offers; ++i)
    ok = json_array_append_new(offers, json_hex(row->offers[i].data, row->offers[i].len)) == 0;
  ok = ok && json_object_set(out, "offers", offers) == 0 &&
       json_put(out, "accept_by", json_time(row->accept_by)) &&
       json_put(out, "decider", json_hex(header->decider.data, header->decider.len)) &&
       json_put(out, "root", json_hex(row->root.data, row->root.len)) &&
       json_put(out, "waits_for_signature", json_boolean(row->has_act)) &&
       links_json(desk, row, header, out) && capacity_json(desk, row, header, out);
  if (ok && row->why)
    ok = json_put(out, "why", json_string(row->why)) &&
         json_put(out, "why_text", json_string(row_words(desk, row->why, NULL, 0)));
  json_decref(offers);
  if (ok) return out;
  json_decref(out);
  return NULL;
}

/* ---- waiting for what became of it */

struct awaited {
  struct id deal;
  bool until_decided; /* else until it has left: no act waits and nothing of it is in the outbox */
};

static bool outbox_visit_deal(void *context, const CollegaStore__OutboxItem *item) {
  struct awaited *awaited = ((void **)context)[0];
  bool *waiting = ((void **)context)[1];
  if (item->has_deal && item->deal.len == ID_BYTES &&
      memcmp(item->deal.data, awaited->deal.byte, ID_BYTES) == 0)
    *waiting = true;
  return !*waiting;
}

static enum collega_status deal_moved(struct desk *desk, void *context, bool *met,
                                      struct collega_error *error) {
  struct awaited *awaited = context;
  CollegaStore__DealRow *row = NULL;
  enum collega_status status = desk_deal_row(desk, &awaited->deal, &row, error);
  if (status != COLLEGA_OK) return status;
  bool open = row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_DRAFT ||
              row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_PROPOSED ||
              row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_RECEIVED ||
              row->state == COLLEGA_STORE__DEAL_STATE__DEAL_STATE_PENDING;
  *met = !open;
  if (*met || awaited->until_decided || row->has_act) return COLLEGA_OK;
  bool waiting = false;
  void *pair[2] = {awaited, &waiting};
  status = outbox_each(desk->txn, 0, desk->arena, outbox_visit_deal, pair, error);
  *met = status == COLLEGA_OK && !waiting;
  return status;
}

enum collega_status desk_act_done(struct desk *desk, const struct id *deal, bool until_decided,
                                  enum rule said, struct collega_error *error) {
  struct awaited awaited = {*deal, until_decided};
  enum collega_status status = COLLEGA_OK;
  if (argument_value(desk->arguments, "wait"))
    status = desk_wait(desk, deal_moved, &awaited, error);
  return status == COLLEGA_OK ? desk_act_told(desk, deal, said, error) : status;
}

enum collega_status desk_act_told(struct desk *desk, const struct id *deal, enum rule said,
                                  struct collega_error *error) {
  CollegaStore__DealRow *row = NULL;
  Collega__Terms *terms = NULL;
  bool json = argument_json(desk->arguments),
       waited = argument_value(desk->arguments, "wait") != NULL;
  if (!json && !said) return COLLEGA_OK;
  if (!json && !waited) {
    say(desk, said, hex_text(desk, deal->byte, 4), NULL);
    return COLLEGA_OK;
  }
  enum collega_status status = desk_read(desk, error);
  if (status == COLLEGA_OK) status = desk_deal_row(desk, deal, &row, error);
  if (status == COLLEGA_OK && json) return json_print(deal_json(desk, row), error);
  if (status == COLLEGA_OK) status = desk_deal_terms(desk, row, &terms, error);
  if (status == COLLEGA_OK)
    say(desk, RULE_said_deal_state, hex_text(desk, deal->byte, 4),
        deal_state_name(row, terms, date_of_time(desk->now)), NULL);
  return status;
}

/* ---- propose */

enum collega_status desk_mandate_option(struct desk *desk, struct id *mandate,
                                        const struct id **out, struct collega_error *error) {
  const char *typed = argument_value(desk->arguments, "mandate");
  *out = NULL;
  if (!typed) return COLLEGA_OK;
  struct id prefix;
  size_t digits = 0, found = 0;
  const struct known_party *self =
      members_find(exchange_members(desk->exchange, desk->txn), &desk->party);
  if (!hex_prefix_read(&prefix, &digits, typed))
    return error_set(error, COLLEGA_USAGE, RULE_id_malformed, "--mandate", typed, NULL);
  for (size_t i = 0; self && i < self->mandate_count; ++i)
    if (hex_prefix_fits(self->mandates[i].record.byte, ID_BYTES, &prefix, digits)) {
      *mandate = self->mandates[i].record;
      ++found;
    }
  if (found == 0)
    return error_set(error, COLLEGA_NOT_FOUND, RULE_id_unknown, "--mandate", typed, NULL);
  if (found > 1)
    return error_set(error, COLLEGA_REFUSED, RULE_id_ambiguous, "--mandate", typed, NULL);
  *out = mandate;
  return COLLEGA_OK;
}

enum collega_status desk_terms_option(struct desk *desk, Collega__Terms **out,
                                      struct collega_error *error) {
  const char *file = argument_value(desk->arguments, "terms");
  *out = NULL;
  if (!file) return COLLEGA_OK;
  struct buffer text;
  json_t *json = NULL;
  ProtobufCMessage *terms = NULL;
  buffer_init(&text, TERMS_FILE_BYTES + 1);
  enum collega_status status = file_read(file, TERMS_FILE_BYTES, &text, error);
  if (status == COLLEGA_OK) status = json_parse(bytes_of(text.data, text.length), &json, error);
  if (status == COLLEGA_OK)
    status = json_to_message(json, &collega__terms__descriptor, NULL, desk->arena, &terms, error);
  json_decref(json);
  buffer_free(&text);
  *out = (Collega__Terms *)terms;
  return status;
}

enum collega_status desk_read_proposal(struct desk *desk, struct proposal *proposal,
                                       struct collega_error *error) {
  const struct arguments *arguments = desk->arguments;
  bool given = false;
  int64_t number = 0;
  Collega__Terms *terms = NULL;
  enum collega_status status =
      option_number(arguments, "headcount", 1, 10000, &given, &number, error);
  if (given) proposal->headcount = (uint32_t)number;
  if (status == COLLEGA_OK)
    status = option_number(arguments, "hours", 1, 60, &given, &number, error);
  if (status == COLLEGA_OK && given) proposal->hours_per_week = (uint32_t)number;
  if (status == COLLEGA_OK)
    status = option_date(arguments, "from", &proposal->has_from, &proposal->from, error);
  if (status == COLLEGA_OK)
    status = option_date(arguments, "until", &proposal->has_until, &proposal->until, error);
  if (status == COLLEGA_OK)
    status = option_money(arguments, "rate", &proposal->has_rate, &proposal->rate_cents, error);
  if (status == COLLEGA_OK)
    status = option_time(arguments, "accept-by", &given, &proposal->accept_by, error);
  if (status == COLLEGA_OK) status = desk_terms_option(desk, &terms, error);
  proposal->terms = terms;
  return status;
}

enum collega_status command_deal_propose(const struct arguments *arguments,
                                         struct collega_error *error) {
  struct desk desk;
  struct proposal proposal = {0};
  struct id match, deal, mandate;
  struct short_id offer;
  const char *to = argument_value(arguments, "to");
  if ((argument_count(arguments) == 1) == (to != NULL))
    return error_set(error, COLLEGA_USAGE, RULE_propose_to_what, NULL, NULL);
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  status = desk_read_proposal(&desk, &proposal, error); /* usage before look-ups */
  if (status == COLLEGA_OK && to) {
    status = desk_offer_id(&desk, to, &offer, error);
    proposal.to_offer = &offer;
  } else if (status == COLLEGA_OK) {
    status = desk_match_id(&desk, argument_at(arguments, 0), &match, error);
    proposal.match = &match;
  }
  if (status == COLLEGA_OK) status = desk_mandate_option(&desk, &mandate, &proposal.mandate, error);
  desk_release(&desk);
  if (status == COLLEGA_OK)
    status = deal_propose(desk.exchange, &desk.party, &proposal, desk.now, &deal, error);
  if (status == COLLEGA_OK && !argument_json(arguments)) {
    printf("%s\n", hex_text(&desk, deal.byte, ID_BYTES));
    fflush(stdout);
  }
  if (status == COLLEGA_OK) status = desk_act_done(&desk, &deal, false, RULE_NONE, error);
  desk_close(&desk);
  return status;
}

/* ---- accept, decline, withdraw */

enum collega_status desk_open_deal(const struct arguments *arguments, struct desk *desk,
                                   struct id *deal, struct collega_error *error) {
  enum collega_status status = desk_open(arguments, desk, error);
  if (status != COLLEGA_OK) return status;
  status = desk_deal_id(desk, argument_at(arguments, 0), deal, error);
  if (status != COLLEGA_OK) desk_close(desk);
  return status;
}

enum collega_status command_deal_accept(const struct arguments *arguments,
                                        struct collega_error *error) {
  struct desk desk;
  struct id deal, mandate;
  const struct id *chosen = NULL;
  enum collega_status status = desk_open_deal(arguments, &desk, &deal, error);
  if (status != COLLEGA_OK) return status;
  status = desk_mandate_option(&desk, &mandate, &chosen, error);
  desk_release(&desk);
  if (status == COLLEGA_OK)
    status = deal_accept(desk.exchange, &desk.party, &deal, chosen, desk.now, error);
  if (status == COLLEGA_OK) status = desk_act_done(&desk, &deal, true, RULE_said_accepted, error);
  desk_close(&desk);
  return status;
}

enum collega_status command_deal_decline(const struct arguments *arguments,
                                         struct collega_error *error) {
  struct desk desk;
  struct id deal;
  enum collega_status status = desk_open_deal(arguments, &desk, &deal, error);
  if (status != COLLEGA_OK) return status;
  desk_release(&desk);
  status = deal_decline(desk.exchange, &desk.party, &deal, desk.now, error);
  if (status == COLLEGA_OK) status = desk_act_done(&desk, &deal, true, RULE_said_declined, error);
  desk_close(&desk);
  return status;
}

enum collega_status command_deal_withdraw(const struct arguments *arguments,
                                          struct collega_error *error) {
  struct desk desk;
  struct id deal;
  enum collega_status status = desk_open_deal(arguments, &desk, &deal, error);
  if (status != COLLEGA_OK) return status;
  desk_release(&desk);
  status = deal_withdraw(desk.exchange, &desk.party, &deal, desk.now, error);
  if (status == COLLEGA_OK)
    status = desk_act_done(&desk, &deal, true, RULE_said_withdraw_asked, error);
  desk_close(&desk);
  return status;
}

/* ---- list and show */

struct deals {
  struct desk *desk;
  CollegaStore__DealRow **rows;
  size_t count, capacity;
  bool failed;
};

static bool deals_visit(void *context, struct bytes key, struct bytes value) {
  struct deals *deals = context;
  struct arena *arena = deals->desk->arena;
  (void)key;
  CollegaStore__DealRow *row =
      (CollegaStore__DealRow *)row_unpack(&collega_store__deal_row__descriptor, value, arena);
  if (!row) return true;
  CollegaStore__DealRow **rows =
      array_grow(arena, deals->rows, deals->count, &deals->capacity, sizeof *rows);
  deals->failed = rows == NULL;
  if (!rows) return false;
  deals->rows = rows;
  deals->rows[deals->count++] = row;
  return true;
}

static int newest_first(const void *one, const void *other) {
  uint64_t a = (*(CollegaStore__DealRow *const *)one)->entry,
           b = (*(CollegaStore__DealRow *const *)other)->entry;
  return a < b ? 1 : a > b ? -1 : 0;
}

static const char *why_text(struct desk *desk, const CollegaStore__DealRow *row) {
  if (row->disputed) return row_words(desk, rule_name(RULE_said_disputed), NULL, 0);
  return row->why ? row_words(desk, row->why, NULL, 0) : "";
}

static void print_deal(struct desk *desk, struct table *table, const CollegaStore__DealRow *row) {
  Collega__Terms *terms = NULL;
  struct id counterparty;
  if (desk_deal_terms(desk, row, &terms, NULL) != COLLEGA_OK ||
      !id_from(&counterparty, row->counterparty.data, row->counterparty.len))
    return;
  bool dutch = desk->language == LANGUAGE_NL;
  char people[16] = "", from[32] = "", until[32] = "", accept_by[32];
  const char *function = "";
  if (terms && terms->work) {
    snprintf(people, sizeof people, "%" PRIu32, terms->work->headcount);
    date_write(from, sizeof from, terms->work->from);
    if (terms->work->has_until) date_write(until, sizeof until, terms->work->until);
    function = safe(desk, terms->work->function);
  }
  time_write(accept_by, sizeof accept_by, row->accept_by);
  const char *cells[] = {hex_text(desk, row->deal.data, 4),
                         deal_state_name(row, terms, date_of_time(desk->now)),
                         row->lends ? (dutch ? "uit aan" : "out to")
                                    : (dutch ? "in van" : "in from"),
                         party_name(desk, &counterparty),
                         people,
                         function,
                         from,
                         until,
                         accept_by,
                         why_text(desk, row)};
  table_row(table, cells);
}

static enum collega_status print_deals(struct desk *desk, CollegaStore__DealRow *const *rows,
                                       size_t count, struct collega_error *error) {
  static const char *const dutch[] = {"id",      "staat", "",           "werkgever",     "mensen",
                                      "functie", "van",   "tot en met", "antwoord vóór", "waarom"};
  static const char *const english[] = {"id",       "state", "",      "employer",  "people",
                                        "function", "from",  "until", "accept by", "why"};
  struct table *table = table_new(10, desk->language == LANGUAGE_NL ? dutch : english, 1u << 4);
  if (!table) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  for (size_t i = 0; i < count; ++i)
    print_deal(desk, table, rows[i]);
  table_print(table, stdout);
  table_destroy(&table);
  return COLLEGA_OK;
}

static enum collega_status any_deal(struct desk *desk, void *context, bool *met,
                                    struct collega_error *error) {
  struct deals *deals = context;
  deals->count = deals->capacity = 0;
  enum collega_status status =
      table_each(desk->txn, TABLE_DEALS, bytes_of("", 0), NULL, deals_visit, deals, error);
  if (status == COLLEGA_OK && deals->failed)
    status = error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  *met = deals->count > 0;
  return status;
}

enum collega_status command_deal_list(const struct arguments *arguments,
                                      struct collega_error *error) {
  struct desk desk;
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  struct deals deals = {.desk = &desk};
  status = desk_wait(&desk, any_deal, &deals, error);
  if (status == COLLEGA_OK && deals.count)
    qsort(deals.rows, deals.count, sizeof(CollegaStore__DealRow *), newest_first);
  if (status == COLLEGA_OK && argument_json(arguments)) {
    json_t *list = json_array();
    for (size_t k = 0; list && k < deals.count; ++k)
      list = json_add(list, deal_json(&desk, deals.rows[k]));
    status = json_print_list("deals", list, error);
  } else if (status == COLLEGA_OK && deals.count == 0) {
    say(&desk, RULE_said_no_deals, NULL);
  } else if (status == COLLEGA_OK) {
    status = print_deals(&desk, deals.rows, deals.count, error);
  }
  desk_close(&desk);
  return status;
}

enum collega_status command_deal_show(const struct arguments *arguments,
                                      struct collega_error *error) {
  struct desk desk;
  struct id deal;
  CollegaStore__DealRow *row = NULL;
  enum collega_status status = desk_open_deal(arguments, &desk, &deal, error);
  if (status != COLLEGA_OK) return status;
  struct awaited awaited = {deal, true};
  if (argument_value(arguments, "wait")) status = desk_wait(&desk, deal_moved, &awaited, error);
  if (status == COLLEGA_OK) status = desk_deal_row(&desk, &deal, &row, error);
  if (status == COLLEGA_OK) status = json_print(deal_json(&desk, row), error);
  desk_close(&desk);
  return status;
}
