/* From a plan to its proposals: one deal for each loan that we are a side of, each with its people, hours and
 * days. One refusal does not hold up the others, and each deal is noted in the plan's file at once, so that none
 * is made twice. */
#include "client/library/planning.h"
#include "client/library/slot_words.h"
#include "proto/lists.h"

struct proposing {
  const struct view *view;
  json_t *plan;
  const struct id *only;
  const struct proposal *wanted;
  plan_told told;
  void *context;
  json_t *deals, *refused;
  size_t ours; /* loans that we are a side of */
};

static enum collega_status no_memory(struct collega_error *error) {
  return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
}

static bool read_side(const json_t *loan, const char *name, struct id *party,
                      struct short_id *offer) {
  const json_t *side = json_object_get(loan, name);
  const char *id = json_string_value(json_object_get(json_object_get(side, "party"), "id"));
  const char *of = json_string_value(json_object_get(side, "offer"));
  return id && of && hex_read(party->byte, ID_BYTES, id) &&
         hex_read(offer->byte, SHORT_ID_BYTES, of);
}

static bool acts(const struct proposing *proposing, const struct id *party) {
  if (proposing->only) return id_equal(party, proposing->only);
  return exchange_identity(proposing->view->exchange, party) != NULL;
}

static json_t *party_of(const json_t *loan, const char *side) {
  return json_object_get(json_object_get(loan, side), "party");
}

static enum collega_status keep_deal(struct proposing *proposing, json_t *loan,
                                     const struct id *deal, const char *other,
                                     struct collega_error *error) {
  json_t *item = json_pack("{s:o, s:O, s:O}", "id", json_hex(deal->byte, ID_BYTES), "people",
                           json_object_get(loan, "people"), "counterparty", party_of(loan, other));
  proposing->deals = json_add(proposing->deals, item);
  if (proposing->told) proposing->told(proposing->context, party_of(loan, other), deal, NULL);
  if (!proposing->deals || !json_put(loan, "deal", json_hex(deal->byte, ID_BYTES)))
    return no_memory(error);
  return plan_file_write(proposing->view, proposing->plan, error);
}

static enum collega_status keep_refusal(struct proposing *proposing, const json_t *loan,
                                        const char *other, const struct collega_error *why,
                                        struct collega_error *error) {
  char text[600];
  const char *arguments[COLLEGA_ERROR_ARGUMENTS];
  for (size_t i = 0; i < COLLEGA_ERROR_ARGUMENTS; ++i)
    arguments[i] = why->argument[i];
  words_render(proposing->view->language, why->rule, arguments, COLLEGA_ERROR_ARGUMENTS, text,
               sizeof text);
  if (proposing->told) proposing->told(proposing->context, party_of(loan, other), NULL, text);
  proposing->refused =
      json_add(proposing->refused,
               json_pack("{s:O, s:s, s:s, s:s}", "counterparty", party_of(loan, other), "rule",
                         rule_name(why->rule), "field", why->field, "text", text));
  return proposing->refused ? COLLEGA_OK : no_memory(error);
}

/* The days of this loan, in the words of terms. */
static size_t loan_slots(const json_t *loan, char *slots[WEEK_SLOTS]) {
  uint32_t set = slots_of_json(json_object_get(loan, "slots"));
  size_t count = 0;
  for (unsigned slot = 0; slot < WEEK_SLOTS; ++slot)
    if (set & 1u << slot) slots[count++] = (char *)(uintptr_t)slot_text((int)slot);
  return count;
}

static enum collega_status propose_loan(struct proposing *proposing, json_t *loan,
                                        struct collega_error *error) {
  const struct view *view = proposing->view;
  struct id lender, borrower, deal;
  struct short_id supply, demand;
  char *slots[WEEK_SLOTS];
  if (!read_side(loan, "supply", &lender, &supply) ||
      !read_side(loan, "demand", &borrower, &demand))
    return error_set(error, COLLEGA_DAMAGED, RULE_plan_damaged, NULL,
                     json_string_value(json_object_get(proposing->plan, "id")), NULL);
  bool borrows = acts(proposing, &borrower);
  if (!borrows && !acts(proposing, &lender)) return COLLEGA_OK;
  ++proposing->ours;
  if (json_object_get(loan, "deal")) return COLLEGA_OK;
  struct proposal proposal = *proposing->wanted;
  struct collega_error why;
  proposal.own_offer = borrows ? &demand : &supply;
  proposal.to_offer = borrows ? &supply : &demand;
  proposal.headcount = (uint32_t)json_integer_value(json_object_get(loan, "people"));
  proposal.hours_per_week = (uint32_t)json_integer_value(json_object_get(loan, "hours"));
  proposal.slot_count = loan_slots(loan, slots);
  proposal.slots = slots;
  const char *other = borrows ? "supply" : "demand";
  enum collega_status status = deal_propose(view->exchange, borrows ? &borrower : &lender,
                                            &proposal, view->now, &deal, &why);
  return status == COLLEGA_OK ? keep_deal(proposing, loan, &deal, other, error)
                              : keep_refusal(proposing, loan, other, &why, error);
}

static enum collega_status propose_all(struct proposing *proposing, struct collega_error *error) {
  enum collega_status status = COLLEGA_OK;
  size_t index;
  json_t *loan;
  if (!proposing->deals || !proposing->refused) return no_memory(error);
  json_array_foreach(json_object_get(proposing->plan, "loans"), index, loan) {
    status = propose_loan(proposing, loan, error);
    if (status != COLLEGA_OK) return status;
  }
  if (!proposing->ours)
    return error_set(error, COLLEGA_REFUSED, RULE_plan_nothing_ours, NULL, NULL);
  if (json_array_size(proposing->deals) + json_array_size(proposing->refused) == 0)
    return error_set(error, COLLEGA_EXISTS, RULE_plan_proposed_already, NULL, NULL);
  return COLLEGA_OK;
}

enum collega_status plan_propose(const struct view *view, json_t *plan, const struct id *only,
                                 const struct proposal *wanted, plan_told told, void *context,
                                 json_t **out, struct collega_error *error) {
  struct proposing proposing = {.view = view,
                                .plan = plan,
                                .only = only,
                                .wanted = wanted,
                                .told = told,
                                .context = context,
                                .deals = json_array(),
                                .refused = json_array()};
  *out = NULL;
  enum collega_status status = propose_all(&proposing, error);
  if (status == COLLEGA_OK) {
    *out = json_pack("{s:O, s:O, s:O}", "plan", json_object_get(plan, "id"), "deals",
                     proposing.deals, "refused", proposing.refused);
    if (!*out) status = no_memory(error);
  }
  json_decref(proposing.deals);
  json_decref(proposing.refused);
  return status;
}
