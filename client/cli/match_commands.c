/* match list, show. With the daemon down the matcher runs here, so that the answer is as fresh as the ledger. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/process/process.h"
#include "client/cli/common.h"
#include "client/match/matcher.h"

struct finding {
  const struct short_id *offer; /* NULL: of all our offers */
  const char *state;
  bool mine, has_kind;
  Collega__OfferKind kind;
  struct match_rows rows;
  size_t all; /* before the options took some away */
};

static bool is_wanted(const struct view *view, const struct finding *finding,
                      const CollegaStore__MatchRow *row) {
  struct short_id id;
  struct id match;
  CollegaStore__OfferRow *ours = NULL;
  Collega__Offer *offer = NULL;
  const char *state = NULL;
  bool mine = false;
  if (finding->state && strcmp(finding->state, view_match_state(view, row)) != 0) return false;
  if (finding->mine && (!id_from(&match, row->match.data, row->match.len) ||
                        match_state(view->txn, &view->party, &match, view->now, view->arena, &state,
                                    &mine, NULL) != COLLEGA_OK ||
                        !mine))
    return false;
  return !finding->has_kind || (short_id_from(&id, row->mine.data, row->mine.len) &&
                                view_offer(view, &id, &ours, NULL) == COLLEGA_OK &&
                                offer_of_row(ours, view->arena, &offer, NULL) == COLLEGA_OK &&
                                offer->kind == finding->kind);
}

static enum collega_status find_all(struct desk *desk, void *context, bool *met,
                                    struct collega_error *error) {
  struct finding *finding = context;
  struct view view = desk_view(desk);
  enum collega_status status = view_matches(&view, finding->offer, &finding->rows, error);
  struct match_rows *rows = &finding->rows;
  size_t kept = 0;
  finding->all = rows->count;
  for (size_t i = 0; status == COLLEGA_OK && i < rows->count; ++i)
    if (is_wanted(&view, finding, rows->row[i])) rows->row[kept++] = rows->row[i];
  rows->count = kept;
  *met = kept > 0;
  return status;
}

static void print_match(struct desk *desk, struct table *table, const CollegaStore__MatchRow *row) {
  struct short_id mine, counter;
  CollegaStore__OfferRow *mine_row = NULL, *counter_row = NULL;
  Collega__Offer *ours = NULL, *theirs = NULL;
  struct id author;
  if (!short_id_from(&mine, row->mine.data, row->mine.len) ||
      !short_id_from(&counter, row->counter.data, row->counter.len) ||
      desk_offer_row(desk, &mine, &mine_row, NULL) != COLLEGA_OK ||
      desk_offer_row(desk, &counter, &counter_row, NULL) != COLLEGA_OK ||
      offer_of_row(mine_row, desk->arena, &ours, NULL) != COLLEGA_OK ||
      offer_of_row(counter_row, desk->arena, &theirs, NULL) != COLLEGA_OK ||
      !id_from(&author, counter_row->author.data, counter_row->author.len))
    return;
  struct view view = desk_view(desk);
  char score[FRACTION_BYTES], people[24];
  fraction_write(score, desk->language, (double)row->score / 10000.0);
  snprintf(people, sizeof people, "%" PRIu32, theirs->headcount);
  const char *cells[] = {
      hex_text(desk, row->match.data, 4),
      state_text(desk, view_match_state(&view, row)),
      score,
      safe(desk, ours->title),
      people,
      safe(desk, theirs->title),
      party_name(desk, &author),
      safe(desk, theirs->place->city ? theirs->place->city : theirs->place->region)};
  table_row(table, cells);
}

static enum collega_status print_matches(struct desk *desk, const struct match_rows *rows,
                                         struct collega_error *error) {
  static const char *const dutch[] = {"id",     "staat",      "score",     "ons aanbod",
                                      "mensen", "hun aanbod", "werkgever", "plaats"};
  static const char *const english[] = {"id",     "state",       "score",    "our offer",
                                        "people", "their offer", "employer", "place"};
  struct table *table =
      table_new(8, desk->language == LANGUAGE_NL ? dutch : english, (1u << 2) | (1u << 4));
  if (!table) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  table_may_cut(table, 1u << 3 | 1u << 5 | 1u << 6 | 1u << 7); /* titles, employer, place */
  for (size_t i = 0; i < rows->count; ++i)
    print_match(desk, table, rows->row[i]);
  table_print(table, stdout);
  table_destroy(&table);
  return COLLEGA_OK;
}

static enum collega_status match_here(struct desk *desk, struct collega_error *error) {
  desk_release(desk);
  enum collega_status status = view_match_here(exchange_ledger(desk->exchange), desk->now, error);
  return status == COLLEGA_OK ? desk_read(desk, error) : status;
}

enum collega_status command_match_list(const struct arguments *arguments,
                                       struct collega_error *error) {
  struct desk desk;
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  struct finding finding = {.mine = argument_value(arguments, "mine") != NULL};
  struct short_id id;
  const char *offer = argument_value(arguments, "offer");
  status = option_choice(&desk, "state", MATCH_STATE_CHOICES, &finding.state, error);
  if (status == COLLEGA_OK) status = option_kind(&desk, &finding.has_kind, &finding.kind, error);
  if (status == COLLEGA_OK && offer) {
    finding.offer = &id;
    status = desk_offer_id(&desk, offer, &id, error);
    if (status != COLLEGA_OK) error_prefix(error, "--offer");
  }
  if (status == COLLEGA_OK) status = match_here(&desk, error);
  if (status == COLLEGA_OK) status = desk_wait(&desk, find_all, &finding, error);
  if (status == COLLEGA_OK && argument_json(arguments)) {
    struct view view = desk_view(&desk);
    status = json_print(document_matches(&view, &finding.rows), error);
  } else if (status == COLLEGA_OK && finding.rows.count == 0) {
    say(&desk, finding.all ? RULE_said_none_such : RULE_said_no_matches, NULL);
  } else if (status == COLLEGA_OK) {
    status = print_matches(&desk, &finding.rows, error);
  }
  desk_close(&desk);
  return status;
}

static enum collega_status print_parts(struct desk *desk, const CollegaStore__MatchRow *row,
                                       struct collega_error *error) {
  static const char *const dutch[] = {"onderdeel", "score", "weegt"};
  static const char *const english[] = {"part", "score", "weight"};
  struct table *table =
      table_new(3, desk->language == LANGUAGE_NL ? dutch : english, (1u << 1) | (1u << 2));
  if (!table) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  for (size_t i = 0; i < row->n_parts; ++i) {
    char rule[64], name[64], score[FRACTION_BYTES], weight[FRACTION_BYTES];
    snprintf(rule, sizeof rule, "part_%s", row->parts[i]->name);
    snprintf(name, sizeof name, "%s", row->parts[i]->name);
    if (rule_from_name(rule))
      words_render(desk->language, rule_from_name(rule), NULL, 0, name, sizeof name);
    fraction_write(score, desk->language, (double)row->parts[i]->score / 10000.0);
    fraction_write(weight, desk->language, (double)row->parts[i]->weight / 10000.0);
    table_row(table, (const char *const[]){name, score, weight});
  }
  table_print(table, stdout);
  table_destroy(&table);
  return COLLEGA_OK;
}

static void print_words(struct desk *desk, enum rule heading, CollegaStore__Words *const *words,
                        size_t count) {
  if (!count) return;
  say(desk, heading, NULL);
  for (size_t i = 0; i < count; ++i)
    terminal_print(stdout, "  - ", 4,
                   row_words(desk, words[i]->rule, words[i]->arguments, words[i]->n_arguments));
}

enum collega_status command_match_show(const struct arguments *arguments,
                                       struct collega_error *error) {
  struct desk desk;
  struct id id;
  CollegaStore__MatchRow *row = NULL;
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  status = match_here(&desk, error);
  struct view view = desk_view(&desk);
  if (status == COLLEGA_OK) status = view_match_id(&view, argument_at(arguments, 0), &id, error);
  if (status == COLLEGA_OK) status = view_match(&view, &id, &row, error);
  if (status == COLLEGA_OK && argument_json(arguments)) {
    status = json_print(document_match(&view, row), error);
  } else if (status == COLLEGA_OK) {
    struct match_rows rows = {.row = &row, .count = 1};
    status = print_matches(&desk, &rows, error);
    if (status == COLLEGA_OK) status = print_parts(&desk, row, error);
    print_words(&desk, RULE_said_reasons, row->reasons, row->n_reasons);
    print_words(&desk, RULE_said_gaps, row->gaps, row->n_gaps);
    print_words(&desk, RULE_said_closers, row->closers, row->n_closers);
    say(&desk, RULE_said_next, NULL);
    const char *short_id = hex_text(&desk, row->match.data, 4);
    printf("  collega match interest %s\n  collega deal propose %s\n", short_id, short_id);
  }
  desk_close(&desk);
  return status;
}
