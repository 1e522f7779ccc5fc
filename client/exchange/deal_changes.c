/* What a user asks of an agreement, or of a negotiation: its end, and release. Stored as a draft act;
 * the daemon writes and signs the record when it is up to date. */
#include "client/exchange/deal_rows.h"
#include "client/exchange/mandates.h"

#include <inttypes.h>
#include <stdio.h>

struct asking {
  struct exchange *exchange;
  struct ledger_txn *txn;
  const struct id *party;
  collega_time now;
  struct arena *arena;
  struct deal_view view;
  struct negotiation negotiation;
  CollegaStore__RootRow *root; /* NULL: none yet */
  struct collega_error *error;
};

static enum collega_status open_asking(struct asking *asking, const struct id *deal) {
  enum collega_status status =
      deal_view_read(asking->txn, asking->party, deal, asking->arena, &asking->view, asking->error);
  if (status == COLLEGA_NOT_FOUND)
    return error_set(asking->error, COLLEGA_NOT_FOUND, RULE_deal_unknown, NULL, NULL);
  return status == COLLEGA_OK
             ? negotiation_load(asking->txn, asking->party, &asking->view.root, asking->arena,
                                &asking->negotiation, &asking->root, asking->error)
             : status;
}

/* The machine's word, on the copy that was loaded. *news false: it was asked before. */
static enum collega_status try_event(struct asking *asking, const struct deal_event *event,
                                     bool *news) {
  struct deal_effects effects;
  enum collega_status status = deal_step(&asking->negotiation, event, &effects, asking->error);
  *news = status == COLLEGA_OK && effects.count > 0;
  return status;
}

static enum collega_status append(struct asking *asking, const struct id *deal,
                                  CollegaStore__DealAct *act) {
  field_set_id(&act->deal, deal);
  return exchange_append_act(asking->exchange, asking->txn, asking->party, deal, act, asking->now,
                             asking->arena, asking->error);
}

/* ---- the end of an agreement */

struct ending {
  collega_date effective;
  uint32_t headcount;
  const struct id *mandate;
};

static enum collega_status check_effective(struct asking *asking, const Collega__TermsWork *work,
                                           collega_date effective) {
  collega_date today = date_of_time(asking->now), last = work->has_until ? work->until : DATE_OPEN;
  char first[32], until[32] = "...";
  if (effective >= today && effective < last) return COLLEGA_OK;
  date_write(first, sizeof first, today);
  if (last != DATE_OPEN) date_write(until, sizeof until, last - 1);
  return error_set(asking->error, COLLEGA_REFUSED, RULE_terminate_days, "effective", first, until,
                   NULL);
}

/* A part is fewer than all who are left. *people: who the end is about. */
static enum collega_status check_headcount(struct asking *asking, const Collega__TermsWork *work,
                                           uint32_t headcount, uint32_t *people) {
  uint32_t left = deal_people(asking->view.row, work->headcount, DATE_OPEN);
  char text[16], most[16];
  *people = headcount > 0 ? headcount : left;
  if (headcount == 0) return COLLEGA_OK;
  snprintf(text, sizeof text, "%" PRIu32, left);
  snprintf(most, sizeof most, "%d", REDUCTIONS_MOST);
  if (negotiation_reductions(&asking->negotiation) >= REDUCTIONS_MOST)
    return error_set(asking->error, COLLEGA_REFUSED, RULE_reductions_most, "headcount", most, NULL);
  if (headcount < left) return COLLEGA_OK;
  return error_set(asking->error, COLLEGA_REFUSED,
                   left == 1 ? RULE_terminate_headcount_one : RULE_terminate_headcount, "headcount",
                   text, NULL);
}

static enum collega_status terminate(struct asking *asking, const struct ending *ending,
                                     struct id *last) {
  CollegaStore__DealAct act = COLLEGA_STORE__DEAL_ACT__INIT;
  struct deal_event event = {.kind = DEAL_EVENT_TERMINATE,
                             .now = asking->now,
                             .terminate_effective = ending->effective,
                             .terminate_headcount = ending->headcount};
  uint32_t people;
  Collega__Terms *terms;
  struct id mandate;
  bool news;
  enum collega_status status = try_event(asking, &event, &news);
  if (status != COLLEGA_OK) return status;
  if (!news && (asking->negotiation.terminate_effective != ending->effective ||
                asking->negotiation.terminate_headcount != ending->headcount)) {
    char text[32];
    date_write(text, sizeof text, asking->negotiation.terminate_effective);
    return error_set(asking->error, COLLEGA_REFUSED, RULE_terminate_asked, "effective", text, NULL);
  }
  *last = asking->negotiation.last_deal;
  status =
      deal_view_read(asking->txn, asking->party, last, asking->arena, &asking->view, asking->error);
  if (status == COLLEGA_NOT_FOUND) return exchange_row_damaged(asking->error, "roots");
  if (status == COLLEGA_OK)
    status = deal_terms(asking->view.row, asking->arena, &terms, asking->error);
  if (status != COLLEGA_OK) return status;
  status = check_headcount(asking, terms->work, ending->headcount, &people);
  if (status == COLLEGA_OK) status = check_effective(asking, terms->work, ending->effective);
  if (status == COLLEGA_OK)
    status = exchange_choose_mandate(asking->exchange, asking->txn, asking->party, ending->mandate,
                                     people, asking->now, &mandate, asking->error);
  /* Asked again: to sign with another mandate what waits to be signed. */
  bool again = status == COLLEGA_OK && !news && asking->view.row->has_act &&
               !(asking->root && asking->root->has_terminate_mandate &&
                 field_is(&asking->root->terminate_mandate, &mandate));
  if (status != COLLEGA_OK || (!news && !again)) return status;
  act.kind = COLLEGA_STORE__ACT_KIND__ACT_KIND_TERMINATE;
  act.has_effective = true;
  act.effective = ending->effective;
  act.has_headcount = ending->headcount > 0;
  act.headcount = ending->headcount;
  act.has_mandate = !id_is_zero(&mandate);
  field_set_id(&act.mandate, &mandate);
  return append(asking, last, &act);
}

/* ---- release */

static enum collega_status release(struct asking *asking, enum deal_release what) {
  CollegaStore__DealAct act = COLLEGA_STORE__DEAL_ACT__INIT;
  struct deal_event event = {
      .kind = DEAL_EVENT_RELEASE, .deal = asking->view.deal, .now = asking->now};
  bool news;
  if (what == DEAL_RELEASE_SIGN) event.kind = DEAL_EVENT_RELEASE_SIGN;
  if (what == DEAL_RELEASE_KEEP) event.kind = DEAL_EVENT_RELEASE_KEEP;
  enum collega_status status = try_event(asking, &event, &news);
  if (status != COLLEGA_OK || !news) return status;
  act.kind = what == DEAL_RELEASE_ASK ? COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE
                                      : COLLEGA_STORE__ACT_KIND__ACT_KIND_RELEASE_ANSWER;
  act.has_sign_release = what != DEAL_RELEASE_ASK;
  act.sign_release = what == DEAL_RELEASE_SIGN;
  return append(asking, &asking->view.deal, &act);
}

/* ---- the doors */

static enum collega_status begin(struct asking *asking, const struct id *deal) {
  if (!exchange_identity(asking->exchange, asking->party))
    return error_set(asking->error, COLLEGA_NOT_FOUND, RULE_party_not_ours, NULL, NULL);
  asking->arena = exchange_arena();
  if (!asking->arena) return exchange_no_memory(asking->error);
  enum collega_status status = exchange_begin(asking->exchange, &asking->txn, asking->error);
  if (status != COLLEGA_OK) return status;
  status = open_asking(asking, deal);
  return status == COLLEGA_OK ? COLLEGA_OK
                              : exchange_end(asking->exchange, &asking->txn, status, asking->error);
}

enum collega_status deal_terminate(struct exchange *exchange, const struct id *party,
                                   const struct id *deal, collega_date effective,
                                   uint32_t headcount, const struct id *mandate, collega_time now,
                                   struct id *last, struct collega_error *error) {
  struct ending ending = {effective, headcount, mandate};
  struct asking asking = {.exchange = exchange, .party = party, .now = now, .error = error};
  enum collega_status status = begin(&asking, deal);
  if (status == COLLEGA_OK)
    status = exchange_end(exchange, &asking.txn, terminate(&asking, &ending, last), error);
  arena_destroy(&asking.arena);
  return status;
}

enum collega_status deal_release(struct exchange *exchange, const struct id *party,
                                 const struct id *deal, enum deal_release what, collega_time now,
                                 struct collega_error *error) {
  struct asking asking = {.exchange = exchange, .party = party, .now = now, .error = error};
  enum collega_status status = begin(&asking, deal);
  if (status == COLLEGA_OK)
    status = exchange_end(exchange, &asking.txn, release(&asking, what), error);
  arena_destroy(&asking.arena);
  return status;
}
