/* ledger erase. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/ask.h"
#include "client/exchange/erase.h"

/* Without --yes it is asked on a terminal, and only there: a script must say what it does. */
static enum collega_status confirm(struct desk *desk, struct collega_error *error) {
  const char *answer = "";
  if (argument_value(desk->arguments, "yes")) return COLLEGA_OK;
  if (!isatty(STDIN_FILENO))
    return error_set(error, COLLEGA_USAGE, RULE_erase_not_confirmed, "yes", NULL);
  enum collega_status status = ask(desk, RULE_erase_confirm, "yes",
                                   desk->language == LANGUAGE_NL ? "nee" : "no", &answer, error);
  if (status != COLLEGA_OK) return status;
  const char *yes = desk->language == LANGUAGE_NL ? "ja" : "yes";
  return strcmp(answer, yes) == 0
             ? COLLEGA_OK
             : error_set(error, COLLEGA_REFUSED, RULE_erase_not_confirmed, "yes", NULL);
}

static enum collega_status read_options(struct desk *desk, struct erasure *erasure, struct id *deal,
                                        struct collega_error *error) {
  const char *typed = argument_value(desk->arguments, "deal");
  bool dated = false;
  collega_date day = 0;
  enum collega_status status = option_date(desk->arguments, "before", &dated, &day, error);
  if (status != COLLEGA_OK) return status;
  if (dated == (typed != NULL))
    return error_set(error, COLLEGA_USAGE, RULE_erase_what, "deal", NULL);
  if (typed) {
    erasure->deal = deal;
    return desk_deal_id(desk, typed, deal, error);
  }
  if (day > date_of_time(desk->now))
    return error_set(error, COLLEGA_INVALID, RULE_erase_future, "before", NULL);
  erasure->before = time_of_date(day, 0, 0);
  return COLLEGA_OK;
}

static enum collega_status told(struct desk *desk, uint64_t entries, bool left,
                                struct collega_error *error) {
  char text[24];
  if (argument_json(desk->arguments))
    return json_print(json_pack("{s:I, s:b}", "entries", (json_int_t)entries, "remains", (int)left),
                      error);
  snprintf(text, sizeof text, "%" PRIu64, entries);
  if (entries > 0)
    say(desk, RULE_said_erased, text, NULL);
  else
    say(desk, RULE_said_erased_none, NULL);
  if (left) say(desk, RULE_said_erased_left, NULL);
  return COLLEGA_OK;
}

enum collega_status command_ledger_erase(const struct arguments *arguments,
                                         struct collega_error *error) {
  struct desk desk;
  struct erasure erasure = {.party = &desk.party};
  struct id deal;
  uint64_t entries = 0;
  bool left = false;
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  status = read_options(&desk, &erasure, &deal, error);
  desk_release(&desk); /* nobody is kept waiting while a person thinks, and no page is held */
  if (status == COLLEGA_OK) status = confirm(&desk, error);
  if (status == COLLEGA_OK)
    status = exchange_erase(desk.exchange, &erasure, desk.now, &entries, error);
  exchange_close(&desk.exchange);
  /* Also when there was nothing to erase: one that was stopped half-way is finished like that. */
  if (status == COLLEGA_OK) status = exchange_scrub(desk.home, &left, error);
  if (status == COLLEGA_OK) status = told(&desk, entries, left, error);
  desk_close(&desk);
  return status;
}
