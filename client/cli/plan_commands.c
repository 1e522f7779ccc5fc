/* plan, plan show, plan propose. A plan is told out of its document, so that what is kept and what is shown are one. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/deals.h"
#include "client/library/planning.h"

#define GAPS_SHOWN 12u /* of a plan; --json has all */

/* ---- showing */

static const char *text_of(struct desk *desk, const json_t *object, const char *name) {
  return safe(desk, json_string_value(json_object_get(object, name)));
}

static const char *who(struct desk *desk, const json_t *loan, const char *side) {
  return text_of(desk, json_object_get(json_object_get(loan, side), "party"), "name");
}

static const char *slots_text(struct desk *desk, const json_t *loan) {
  const char *text = "";
  size_t index;
  json_t *slot;
  json_array_foreach(json_object_get(loan, "slots"), index, slot) {
    const char *more =
        arena_print(desk->arena, "%s%s%s", text, index ? " " : "", json_string_value(slot));
    if (more) text = more;
  }
  return text;
}

static void loan_row(struct desk *desk, struct table *table, const json_t *loan) {
  char people[24], hours[24], score[16], ring[24] = "";
  snprintf(people, sizeof people, "%" PRId64,
           (int64_t)json_integer_value(json_object_get(loan, "people")));
  snprintf(hours, sizeof hours, "%" PRId64,
           (int64_t)json_integer_value(json_object_get(loan, "hours")));
  snprintf(score, sizeof score, "%.2f",
           json_number_value(json_object_get(loan, "score")) +
               1e-9); /* half up, as in the sentences */
  if (json_object_get(loan, "ring"))
    snprintf(ring, sizeof ring, "%" PRId64,
             (int64_t)json_integer_value(json_object_get(loan, "ring")));
  const json_t *supply = json_object_get(loan, "supply"), *demand = json_object_get(loan, "demand");
  table_row(table,
            (const char *const[]){ring, people, hours, score, who(desk, loan, "supply"),
                                  text_of(desk, supply, "title"), text_of(desk, supply, "place"),
                                  who(desk, loan, "demand"), text_of(desk, demand, "title"),
                                  text_of(desk, demand, "place"), slots_text(desk, loan)});
}

static enum collega_status print_loans(struct desk *desk, const json_t *loans,
                                       struct collega_error *error) {
  static const char *const dutch[] = {"ring", "mensen", "uren",   "score", "van",     "biedt",
                                      "in",   "naar",   "vraagt", "te",    "dagdelen"};
  static const char *const english[] = {
      "ring", "people",           "hours", "score", "from", "offers", "in", "to", "asks",
      "at",   "parts of the week"};
  struct table *table = table_new(11, desk->language == LANGUAGE_NL ? dutch : english,
                                  1u | 1u << 1 | 1u << 2 | 1u << 3);
  if (!table) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  table_may_cut(table, 1u << 5 | 1u << 6 | 1u << 8 | 1u << 9);
  size_t index;
  json_t *loan;
  json_array_foreach(loans, index, loan) loan_row(desk, table, loan);
  table_print(table, stdout);
  table_destroy(&table);
  return COLLEGA_OK;
}

/* How many loans have this gap. */
static size_t count_gap(const json_t *loans, const char *text) {
  size_t count = 0, index, number;
  json_t *loan, *gap;
  json_array_foreach(loans, index, loan)
      json_array_foreach(json_object_get(loan, "gaps"), number, gap) {
    const char *has = json_string_value(json_object_get(gap, "text"));
    count += has && strcmp(has, text) == 0;
  }
  return count;
}

/* Whether it was told: by an earlier loan. */
static bool is_told(const json_t *loans, size_t before, const char *text) {
  size_t number;
  json_t *gap;
  for (size_t i = 0; i < before; ++i)
    json_array_foreach(json_object_get(json_array_get(loans, i), "gaps"), number, gap) {
      const char *has = json_string_value(json_object_get(gap, "text"));
      if (has && strcmp(has, text) == 0) return true;
    }
  return false;
}

/* What a planner should know before proposing: the gaps, each once. */
static void print_gaps(struct desk *desk, const json_t *loans) {
  size_t index, number, told = 0, all = json_array_size(loans);
  json_t *loan, *gap;
  json_array_foreach(loans, index, loan) {
    json_array_foreach(json_object_get(loan, "gaps"), number, gap) {
      const char *text = json_string_value(json_object_get(gap, "text"));
      if (told == GAPS_SHOWN) return;
      if (!text || is_told(loans, index, text)) continue;
      if (told++ == 0) say(desk, RULE_said_plan_watch, NULL);
      size_t count = count_gap(loans, text);
      if (count > 1)
        say(desk, RULE_said_plan_gap_many, safe(desk, text), count_text(desk, count),
            count_text(desk, all), NULL);
      else
        say(desk, RULE_said_plan_gap, who(desk, loan, "supply"), who(desk, loan, "demand"),
            safe(desk, text), NULL);
    }
  }
}

/* Consumes the plan. */
static enum collega_status tell_plan(struct desk *desk, json_t *plan, struct collega_error *error) {
  struct view view = desk_view(desk);
  json_t *sentences = plan_sentences(&view, plan);
  const json_t *loans = json_object_get(plan, "loans");
  if (argument_json(desk->arguments)) {
    if (!json_put(plan, "sentences", sentences)) {
      json_decref(plan);
      plan = NULL;
    }
    return json_print(plan, error);
  }
  enum collega_status status = COLLEGA_OK;
  if (json_array_size(loans)) status = print_loans(desk, loans, error);
  size_t index;
  json_t *sentence;
  json_array_foreach(sentences, index, sentence)
      printf("%s\n", safe(desk, json_string_value(sentence)));
  print_gaps(desk, loans);
  if (json_array_size(loans)) {
    const char *id = text_of(desk, plan, "id");
    say(desk, RULE_said_plan_next, arena_print(desk->arena, "%.8s", id), NULL);
  }
  json_decref(sentences);
  json_decref(plan);
  return status;
}

/* ---- making */

static enum collega_status read_request(struct desk *desk, struct planning_request *request,
                                        struct collega_error *error) {
  const struct arguments *arguments = desk->arguments;
  const char *offer = argument_value(arguments, "offer");
  bool rings = argument_value(arguments, "rings") != NULL;
  int64_t seconds = PLAN_SECONDS;
  enum collega_status status =
      argument_number(arguments, "time", 1, PLAN_SECONDS_MOST, PLAN_SECONDS, &seconds, error);
  request->seconds = (int)seconds;
  request->kind = offer ? PLANNING_OFFER : rings ? PLANNING_RINGS : PLANNING_BOARD;
  if (status == COLLEGA_OK && offer) {
    status = desk_offer_id(desk, offer, &request->offer, error);
    if (status != COLLEGA_OK) error_prefix(error, "--offer");
  }
  return status;
}

enum collega_status command_plan(const struct arguments *arguments, struct collega_error *error) {
  struct desk desk;
  struct planning planning = {0};
  struct planning_request request = {0};
  bool board = argument_value(arguments, "board") != NULL;
  bool rings = argument_value(arguments, "rings") != NULL;
  if (board == (argument_value(arguments, "offer") != NULL) || (rings && !board))
    return error_set(error, COLLEGA_USAGE, RULE_plan_of_what, NULL, NULL);
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  status = read_request(&desk, &request, error);
  struct view view = desk_view(&desk);
  if (status == COLLEGA_OK) status = planning_make(&view, &request, &planning, error);
  if (status == COLLEGA_OK) {
    json_t *plan = document_plan(&view, &planning);
    if (!plan) status = error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
    if (status == COLLEGA_OK) status = plan_file_write(&view, plan, error);
    if (status == COLLEGA_OK)
      status = tell_plan(&desk, plan, error);
    else
      json_decref(plan);
  }
  planning_free(&planning);
  desk_close(&desk);
  return status;
}

enum collega_status command_plan_show(const struct arguments *arguments,
                                      struct collega_error *error) {
  struct desk desk;
  json_t *plan = NULL;
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  struct view view = desk_view(&desk);
  status = plan_file_read(&view, argument_at(arguments, 0), &plan, error);
  if (status == COLLEGA_OK) status = tell_plan(&desk, plan, error);
  desk_close(&desk);
  return status;
}

/* ---- proposing */

struct proposing {
  struct desk *desk;
  json_t *plan;
  const struct proposal *wanted; /* what holds for every proposal */
  json_t *deals, *refused;
  size_t ours; /* loans that we are a side of */
};

static bool read_side(const json_t *loan, const char *name, struct id *party,
                      struct short_id *offer) {
  const json_t *side = json_object_get(loan, name);
  const char *id = json_string_value(json_object_get(json_object_get(side, "party"), "id"));
  const char *of = json_string_value(json_object_get(side, "offer"));
  return id && of && hex_read(party->byte, ID_BYTES, id) &&
         hex_read(offer->byte, SHORT_ID_BYTES, of);
}

/* Who is ours and may act: with --as that party alone, else each that lives here. */
static bool acts(const struct desk *desk, const struct id *party) {
  if (argument_value(desk->arguments, "as")) return id_equal(party, &desk->party);
  return exchange_identity(desk->exchange, party) != NULL;
}

static enum collega_status keep_deal(struct proposing *proposing, json_t *loan,
                                     const struct id *deal, const char *other,
                                     struct collega_error *error) {
  struct view view = desk_view(proposing->desk);
  json_t *item = json_pack("{s:o, s:O, s:O}", "id", json_hex(deal->byte, ID_BYTES), "people",
                           json_object_get(loan, "people"), "counterparty",
                           json_object_get(json_object_get(loan, other), "party"));
  proposing->deals = json_add(proposing->deals, item);
  if (!proposing->deals || !json_put(loan, "deal", json_hex(deal->byte, ID_BYTES)))
    return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  return plan_file_write(&view, proposing->plan, error);
}

static enum collega_status keep_refusal(struct proposing *proposing, const json_t *loan,
                                        const char *other, const struct collega_error *why,
                                        struct collega_error *error) {
  char text[600];
  const char *arguments[COLLEGA_ERROR_ARGUMENTS];
  for (size_t i = 0; i < COLLEGA_ERROR_ARGUMENTS; ++i)
    arguments[i] = why->argument[i];
  words_render(proposing->desk->language, why->rule, arguments, COLLEGA_ERROR_ARGUMENTS, text,
               sizeof text);
  if (!argument_json(proposing->desk->arguments))
    fprintf(stderr, "%s: %s\n", who(proposing->desk, loan, other), safe(proposing->desk, text));
  proposing->refused = json_add(
      proposing->refused, json_pack("{s:O, s:s, s:s, s:s}", "counterparty",
                                    json_object_get(json_object_get(loan, other), "party"), "rule",
                                    rule_name(why->rule), "field", why->field, "text", text));
  return proposing->refused ? COLLEGA_OK
                            : error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

/* One refusal does not hold up the others: each is a deal by itself. */
static enum collega_status propose_loan(struct proposing *proposing, json_t *loan,
                                        struct collega_error *error) {
  struct desk *desk = proposing->desk;
  struct id lender, borrower, deal;
  struct short_id supply, demand;
  if (!read_side(loan, "supply", &lender, &supply) ||
      !read_side(loan, "demand", &borrower, &demand))
    return error_set(error, COLLEGA_DAMAGED, RULE_plan_damaged, NULL,
                     argument_at(desk->arguments, 0), NULL);
  bool borrows = acts(desk, &borrower);
  if (!borrows && !acts(desk, &lender)) return COLLEGA_OK;
  ++proposing->ours;
  if (json_object_get(loan, "deal")) return COLLEGA_OK;
  struct proposal proposal = *proposing->wanted;
  struct collega_error why;
  proposal.own_offer = borrows ? &demand : &supply;
  proposal.to_offer = borrows ? &supply : &demand;
  proposal.headcount = (uint32_t)json_integer_value(json_object_get(loan, "people"));
  proposal.hours_per_week = (uint32_t)json_integer_value(json_object_get(loan, "hours"));
  const char *other = borrows ? "supply" : "demand";
  desk_release(desk);
  enum collega_status status = deal_propose(desk->exchange, borrows ? &borrower : &lender,
                                            &proposal, desk->now, &deal, &why);
  if (status != COLLEGA_OK) return keep_refusal(proposing, loan, other, &why, error);
  if (!argument_json(desk->arguments)) printf("%s\n", hex_text(desk, deal.byte, ID_BYTES));
  fflush(stdout);
  return keep_deal(proposing, loan, &deal, other, error);
}

static enum collega_status propose_all(struct proposing *proposing, struct collega_error *error) {
  enum collega_status status = COLLEGA_OK;
  size_t index;
  json_t *loan;
  json_array_foreach(json_object_get(proposing->plan, "loans"), index, loan) {
    status = propose_loan(proposing, loan, error);
    if (status != COLLEGA_OK) return status;
  }
  size_t made = json_array_size(proposing->deals), refused = json_array_size(proposing->refused);
  if (!proposing->ours)
    return error_set(error, COLLEGA_REFUSED, RULE_plan_nothing_ours, NULL, NULL);
  if (made + refused == 0)
    return error_set(error, COLLEGA_EXISTS, RULE_plan_proposed_already, NULL, NULL);
  if (argument_json(proposing->desk->arguments)) {
    json_t *out = json_pack("{s:O, s:O, s:O}", "plan", json_object_get(proposing->plan, "id"),
                            "deals", proposing->deals, "refused", proposing->refused);
    status = json_print(out, error);
  }
  if (status == COLLEGA_OK && refused)
    return error_set(error, COLLEGA_REFUSED, RULE_plan_some_refused, NULL,
                     count_text(proposing->desk, refused),
                     count_text(proposing->desk, made + refused), NULL);
  return status;
}

enum collega_status command_plan_propose(const struct arguments *arguments,
                                         struct collega_error *error) {
  struct desk desk;
  struct proposal wanted = {0};
  struct id mandate;
  json_t *plan = NULL;
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  status = desk_read_proposal(&desk, &wanted, error); /* usage before look-ups */
  struct view view = desk_view(&desk);
  if (status == COLLEGA_OK) status = plan_file_read(&view, argument_at(arguments, 0), &plan, error);
  if (status == COLLEGA_OK) status = desk_mandate_option(&desk, &mandate, &wanted.mandate, error);
  if (status == COLLEGA_OK) {
    struct proposing proposing = {.desk = &desk,
                                  .plan = plan,
                                  .wanted = &wanted,
                                  .deals = json_array(),
                                  .refused = json_array()};
    status = proposing.deals && proposing.refused
                 ? propose_all(&proposing, error)
                 : error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
    json_decref(proposing.deals);
    json_decref(proposing.refused);
  }
  json_decref(plan);
  desk_close(&desk);
  return status;
}
