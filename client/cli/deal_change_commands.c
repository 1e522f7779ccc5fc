/* deal counter, amend, terminate, release. */
#include <inttypes.h>
#include <string.h>

#include "client/cli/deals.h"
#include "client/exchange/deal_machine.h"
#include "client/library/deal_steps.h"

/* ---- counter and amend: proposals that start from another */

typedef enum collega_status (*changer)(struct exchange *exchange, const struct id *party,
                                       const struct id *deal, const struct proposal *proposal,
                                       collega_time now, struct id *out,
                                       struct collega_error *error);

static enum collega_status change(const struct arguments *arguments, changer what,
                                  bool until_decided, struct collega_error *error) {
  struct desk desk;
  struct proposal proposal = {0};
  struct id deal, made, mandate;
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  status = desk_read_proposal(&desk, &proposal, error); /* usage before look-ups */
  if (status == COLLEGA_OK) status = desk_deal_id(&desk, argument_at(arguments, 0), &deal, error);
  if (status == COLLEGA_OK) status = desk_mandate_option(&desk, &mandate, &proposal.mandate, error);
  desk_release(&desk);
  if (status == COLLEGA_OK)
    status = what(desk.exchange, &desk.party, &deal, &proposal, desk.now, &made, error);
  if (status == COLLEGA_OK && !argument_json(arguments)) {
    printf("%s\n", hex_text(&desk, made.byte, ID_BYTES));
    fflush(stdout);
  }
  if (status == COLLEGA_OK) status = desk_act_done(&desk, &made, until_decided, RULE_NONE, error);
  desk_close(&desk);
  return status;
}

enum collega_status command_deal_counter(const struct arguments *arguments,
                                         struct collega_error *error) {
  return change(arguments, deal_counter, false, error);
}

/* Nothing to change is nothing to sign. */
enum collega_status command_deal_amend(const struct arguments *arguments,
                                       struct collega_error *error) {
  static const char *const options[] = {"headcount", "from", "until", "hours", "rate", "terms"};
  bool any = false;
  for (size_t i = 0; i < sizeof options / sizeof options[0]; ++i)
    any = any || argument_value(arguments, options[i]);
  if (!any) return error_set(error, COLLEGA_USAGE, RULE_amend_what, NULL, NULL);
  return change(arguments, deal_amend, true, error);
}

/* ---- terminate */

/* Decided, or given up because too few are left for it. */
static enum collega_status is_terminated(struct desk *desk, void *context, bool *met,
                                         struct collega_error *error) {
  CollegaStore__DealRow *row = NULL;
  Collega__Terms *terms = NULL;
  char left[16];
  struct view view = desk_view(desk);
  enum collega_status status = desk_deal_row(desk, context, &row, error);
  if (status == COLLEGA_OK) status = desk_deal_terms(desk, row, &terms, error);
  if (status != COLLEGA_OK) return status;
  const CollegaStore__RootRow *root = view_root(&view, row);
  *met = !root || !root->terminate_wanted;
  if (!root || !root->terminate_dropped) return COLLEGA_OK;
  uint32_t people = terms && terms->work ? deal_people(row, terms->work->headcount, DATE_OPEN) : 0;
  snprintf(left, sizeof left, "%" PRIu32, people);
  return error_set(error, COLLEGA_REFUSED, rule_from_name(root->terminate_dropped), "--headcount",
                   left, NULL);
}

static void tell_part_ended(struct desk *desk, const struct id *deal, int64_t people,
                            collega_date last) {
  char count[24], day[16];
  snprintf(count, sizeof count, "%" PRId64, people);
  date_write(day, sizeof day, last);
  say(desk, RULE_said_part_ended, hex_text(desk, deal->byte, 4), count, day, NULL);
}

enum collega_status command_deal_terminate(const struct arguments *arguments,
                                           struct collega_error *error) {
  struct desk desk;
  struct id deal, last, mandate;
  const struct id *chosen = NULL;
  bool given = false;
  collega_date effective = 0;
  int64_t headcount = 0;
  enum collega_status status = option_date(arguments, "effective", &given, &effective, error);
  if (status == COLLEGA_OK && !given)
    status = error_set(error, COLLEGA_USAGE, RULE_option_missing, "--effective", NULL);
  if (status == COLLEGA_OK)
    status = option_number(arguments, "headcount", 1, 10000, &given, &headcount, error);
  if (status != COLLEGA_OK) return status;
  status = desk_open_deal(arguments, &desk, &deal, error);
  if (status != COLLEGA_OK) return status;
  status = desk_mandate_option(&desk, &mandate, &chosen, error);
  desk_release(&desk);
  if (status == COLLEGA_OK)
    status = deal_terminate(desk.exchange, &desk.party, &deal, effective, (uint32_t)headcount,
                            chosen, desk.now, &last, error);
  if (status == COLLEGA_OK && argument_value(arguments, "wait"))
    status = desk_wait(&desk, is_terminated, &last, error);
  if (status == COLLEGA_OK && headcount && argument_value(arguments, "wait") &&
      !argument_json(arguments))
    tell_part_ended(&desk, &deal, headcount, effective);
  else if (status == COLLEGA_OK)
    status = desk_act_told(&desk, &deal, RULE_said_terminating, error);
  desk_close(&desk);
  return status;
}

/* ---- release */

struct releasing {
  struct id deal;
  bool until_answered; /* else until our answer is signed */
};

static enum collega_status release_moved(struct desk *desk, void *context, bool *met,
                                         struct collega_error *error) {
  struct releasing *releasing = context;
  CollegaStore__DealRow *row = NULL;
  enum collega_status status = desk_deal_row(desk, &releasing->deal, &row, error);
  if (status != COLLEGA_OK) return status;
  *met = releasing->until_answered ? row->release_state != (uint32_t)RELEASE_ASKED : !row->has_act;
  return COLLEGA_OK;
}

enum collega_status command_deal_release(const struct arguments *arguments,
                                         struct collega_error *error) {
  struct desk desk;
  struct releasing releasing;
  bool sign = argument_value(arguments, "sign") != NULL,
       keep = argument_value(arguments, "keep") != NULL;
  if (sign && keep) return error_set(error, COLLEGA_USAGE, RULE_release_which, NULL, NULL);
  enum collega_status status = desk_open_deal(arguments, &desk, &releasing.deal, error);
  if (status != COLLEGA_OK) return status;
  desk_release(&desk);
  enum deal_release what = sign ? DEAL_RELEASE_SIGN : keep ? DEAL_RELEASE_KEEP : DEAL_RELEASE_ASK;
  releasing.until_answered = what == DEAL_RELEASE_ASK;
  status = deal_release(desk.exchange, &desk.party, &releasing.deal, what, desk.now, error);
  if (status == COLLEGA_OK && argument_value(arguments, "wait"))
    status = desk_wait(&desk, release_moved, &releasing, error);
  if (status == COLLEGA_OK)
    status = desk_act_told(&desk, &releasing.deal,
                           sign   ? RULE_said_release_signed
                           : keep ? RULE_said_release_kept
                                  : RULE_said_release_asked,
                           error);
  desk_close(&desk);
  return status;
}
