/* mandate add, list, end: who may sign for the party. */
#include <string.h>

#include "client/cli/common.h"
#include "client/exchange/mandates.h"
#include "client/exchange/node_clock.h"

static const struct known_party *self(struct desk *desk) {
  return members_find(exchange_members(desk->exchange, desk->txn), &desk->party);
}

/* ---- showing */

static enum rule state_words(enum mandate_state state) {
  switch (state) {
  case MANDATE_IN_FORCE:
    return RULE_mandate_state_in_force;
  case MANDATE_NOT_YET:
    return RULE_mandate_state_not_yet;
  case MANDATE_OVER:
    return RULE_mandate_state_over;
  case MANDATE_ENDED:
    return RULE_mandate_state_ended;
  case MANDATE_REFUSED:
    return RULE_mandate_state_refused;
  }
  return RULE_NONE;
}

static void print_mandate(struct desk *desk, struct table *table,
                          const struct known_mandate *mandate, enum mandate_state state) {
  char from[32], until[32] = "", limit[16] = "";
  collega_time over = mandate->ended ? mandate->ended : mandate->valid_until;
  date_write(from, sizeof from, date_of_time(mandate->valid_from));
  if (over) date_write(until, sizeof until, date_of_time(over - 1));
  if (mandate->headcount_limit)
    snprintf(limit, sizeof limit, "%u", (unsigned)mandate->headcount_limit);
  enum rule words = state_words(state);
  if (state == MANDATE_IN_FORCE && mandate->jointly) words = RULE_mandate_state_joint;
  const char *cells[] = {hex_text(desk, mandate->record.byte, 4),
                         row_words(desk, rule_name(words), NULL, 0),
                         safe(desk, mandate->person),
                         safe(desk, mandate->function),
                         limit,
                         from,
                         until,
                         safe(desk, mandate->ground)};
  table_row(table, cells);
}

static enum collega_status print_list(struct desk *desk, struct collega_error *error) {
  static const char *const dutch[] = {"id",        "staat", "wie",        "functie",
                                      "hoogstens", "van",   "tot en met", "grond"};
  static const char *const english[] = {"id",      "state", "who",   "function",
                                        "at most", "from",  "until", "ground"};
  const struct known_party *party = self(desk);
  size_t count = party ? party->mandate_count : 0;
  if (count == 0) {
    say(desk, RULE_said_no_mandates, NULL);
    return COLLEGA_OK;
  }
  struct table *table = table_new(8, desk->language == LANGUAGE_NL ? dutch : english, 1u << 4);
  if (!table) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  enum collega_status status = COLLEGA_OK;
  for (size_t i = 0; status == COLLEGA_OK && i < count; ++i) {
    enum mandate_state state;
    status = mandate_state(desk->txn, &party->mandates[i], desk->now, &state, error);
    if (status == COLLEGA_OK) print_mandate(desk, table, &party->mandates[i], state);
  }
  if (status == COLLEGA_OK) table_print(table, stdout);
  table_destroy(&table);
  return status;
}

enum collega_status command_mandate_list(const struct arguments *arguments,
                                         struct collega_error *error) {
  struct desk desk;
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  struct view view = desk_view(&desk);
  status = argument_json(arguments) ? json_print(document_mandates(&view), error)
                                    : print_list(&desk, error);
  desk_close(&desk);
  return status;
}

/* ---- after a change */

static enum collega_status told(struct desk *desk, const struct id *id, enum rule said,
                                struct collega_error *error) {
  enum collega_status status = desk_read(desk, error);
  if (status == COLLEGA_OK && argument_value(desk->arguments, "wait"))
    status = desk_wait(desk, desk_nothing_waits, NULL, error);
  if (status != COLLEGA_OK) return status;
  const struct known_party *party = self(desk);
  const struct known_mandate *mandate = party ? known_party_mandate(party, id) : NULL;
  if (!mandate) return error_set(error, COLLEGA_NOT_FOUND, RULE_mandate_unknown, "mandate", NULL);
  struct view view = desk_view(desk);
  view.now = node_clock_now(desk->home);
  if (argument_json(desk->arguments)) return json_print(document_mandate(&view, mandate), error);
  if (mandate->jointly && said == RULE_said_mandate_made) said = RULE_said_mandate_joint;
  say(desk, said, hex_text(desk, id->byte, 4), safe(desk, mandate->person), NULL);
  return COLLEGA_OK;
}

/* ---- add, end */

/* A day counts whole: it begins at midnight in Amsterdam. */
static collega_time day_begins(collega_date day) {
  return time_of_date(day, 0, 0);
}

static enum collega_status read_input(const struct arguments *arguments,
                                      struct mandate_input *input, struct collega_error *error) {
  bool given = false;
  int64_t number = 0;
  collega_date day = 0;
  *input = (struct mandate_input){.person = argument_value(arguments, "signatory"),
                                  .function = argument_value(arguments, "function"),
                                  .ground = argument_value(arguments, "ground"),
                                  .jointly = argument_value(arguments, "jointly") != NULL};
  if (!input->person)
    return error_set(error, COLLEGA_USAGE, RULE_option_missing, "--signatory", NULL);
  if (!input->function)
    return error_set(error, COLLEGA_USAGE, RULE_option_missing, "--function", NULL);
  enum collega_status status =
      option_number(arguments, "max-headcount", 1, 100000, &given, &number, error);
  if (status == COLLEGA_OK && given) input->headcount_limit = (uint32_t)number;
  if (status == COLLEGA_OK) status = option_date(arguments, "from", &given, &day, error);
  if (status == COLLEGA_OK && given) input->from = day_begins(day);
  if (status == COLLEGA_OK) status = option_date(arguments, "until", &given, &day, error);
  if (status == COLLEGA_OK && given) input->until = day_begins(day + 1);
  return status;
}

enum collega_status command_mandate_add(const struct arguments *arguments,
                                        struct collega_error *error) {
  struct desk desk;
  struct mandate_input input;
  struct id mandate;
  enum collega_status status = read_input(arguments, &input, error);
  if (status == COLLEGA_OK) status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  desk_release(&desk);
  status = mandate_add(desk.exchange, &desk.party, &input, desk.now, &mandate, error);
  if (status == COLLEGA_OK) status = told(&desk, &mandate, RULE_said_mandate_made, error);
  desk_close(&desk);
  return status;
}

enum collega_status command_mandate_end(const struct arguments *arguments,
                                        struct collega_error *error) {
  struct desk desk;
  struct id mandate;
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  struct view view = desk_view(&desk);
  status = view_mandate_id(&view, argument_at(arguments, 0), &mandate, error);
  if (status == COLLEGA_INVALID)
    status = error_set(error, COLLEGA_USAGE, RULE_id_malformed, "mandate",
                       argument_at(arguments, 0), NULL);
  else if (status != COLLEGA_OK)
    error_prefix(error, "mandate");
  desk_release(&desk);
  if (status == COLLEGA_OK)
    status = mandate_end(desk.exchange, &desk.party, &mandate, desk.now, error);
  if (status == COLLEGA_OK) status = told(&desk, &mandate, RULE_said_mandate_ended, error);
  desk_close(&desk);
  return status;
}
