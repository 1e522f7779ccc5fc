/* market: the figures of the board, for people, as JSON or as CSV. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/common.h"
#include "client/library/market.h"

#define ROWS_SHOWN 20u /* of one table; --json and --csv have all */
#define HIDDEN     "<3"

static const char *member_text(struct desk *desk, const json_t *object, const char *name) {
  return safe(desk, json_string_value(json_object_get(object, name)));
}

/* A number; what is hidden as such. */
static const char *number_text(struct desk *desk, const json_t *figure, const char *name) {
  const json_t *value = json_object_get(figure, name);
  if (!json_is_integer(value)) return HIDDEN;
  return count_text(desk, (uint64_t)json_integer_value(value));
}

static int64_t people_of(const json_t *row, const char *side) {
  return json_integer_value(json_object_get(json_object_get(row, side), "people"));
}

/* The largest first, whichever side. */
static int by_size(const void *one, const void *other) {
  const json_t *a = *(json_t *const *)one, *b = *(json_t *const *)other;
  int64_t left = people_of(a, "out") + people_of(a, "in");
  int64_t right = people_of(b, "out") + people_of(b, "in");
  return (left < right) - (left > right);
}

/* Groups by a code tell code and name; that of what has none, and that of what was too small to tell by itself, a
 * word. */
static const char *group_code(struct desk *desk, const json_t *group) {
  const char *key = member_text(desk, group, "key");
  return strcmp(key, MARKET_OTHERS) == 0 || strcmp(key, MARKET_UNKNOWN) == 0 ? "" : key;
}

static const char *group_name(struct desk *desk, const json_t *group) {
  const char *key = member_text(desk, group, "key"), *name = member_text(desk, group, "name");
  bool dutch = desk->language == LANGUAGE_NL;
  if (strcmp(key, MARKET_OTHERS) == 0) return dutch ? "overige" : "others";
  if (strcmp(key, MARKET_UNKNOWN) == 0) return dutch ? "onbekend" : "unknown";
  return strcmp(key, name) == 0 ? "" : name; /* sectors have no names here */
}

static enum collega_status print_groups(struct desk *desk, const json_t *market, const char *name,
                                        enum rule heading, struct collega_error *error) {
  static const char *const dutch[] = {"", "", "geboden", "door", "gevraagd", "door"};
  static const char *const english[] = {"", "", "offered", "by", "asked", "by"};
  const json_t *list = json_object_get(market, name);
  size_t count = json_array_size(list), index;
  if (!count) return COLLEGA_OK;
  json_t *row, **rows = arena_take(desk->arena, count * sizeof *rows);
  struct table *table = table_new(6, desk->language == LANGUAGE_NL ? dutch : english, 0x3cu);
  if (!rows || !table) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  json_array_foreach(list, index, row) rows[index] = row;
  qsort(rows, count, sizeof *rows, by_size);
  for (size_t i = 0; i < count && i < ROWS_SHOWN; ++i) {
    const json_t *out = json_object_get(rows[i], "out"), *in = json_object_get(rows[i], "in");
    table_row(table, (const char *const[]){
                         group_code(desk, rows[i]), group_name(desk, rows[i]),
                         number_text(desk, out, "people"), number_text(desk, out, "employers"),
                         number_text(desk, in, "people"), number_text(desk, in, "employers")});
  }
  putchar('\n');
  say(desk, heading, NULL);
  table_print(table, stdout);
  table_destroy(&table);
  return COLLEGA_OK;
}

static enum collega_status print_short(struct desk *desk, const json_t *market,
                                       struct collega_error *error) {
  static const char *const dutch[] = {"regio", "beroep", "gevraagd", "geboden", "tekort"};
  static const char *const english[] = {"region", "occupation", "asked", "offered", "short"};
  const json_t *list = json_object_get(market, "short");
  size_t index;
  json_t *row;
  if (!json_array_size(list)) return COLLEGA_OK;
  struct table *table = table_new(5, desk->language == LANGUAGE_NL ? dutch : english, 0x1cu);
  if (!table) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  json_array_foreach(list, index, row) {
    if (index < ROWS_SHOWN)
      table_row(table, (const char *const[]){
                           member_text(desk, row, "region_name"), member_text(desk, row, "name"),
                           number_text(desk, row, "asked"), number_text(desk, row, "offered"),
                           number_text(desk, row, "short")});
  }
  putchar('\n');
  say(desk, RULE_said_market_short, NULL);
  table_print(table, stdout);
  table_destroy(&table);
  return COLLEGA_OK;
}

static void print_skills(struct desk *desk, const json_t *market) {
  const json_t *list = json_object_get(market, "skills");
  size_t index;
  json_t *row;
  if (!json_array_size(list)) return;
  putchar('\n');
  say(desk, RULE_said_market_skills, NULL);
  json_array_foreach(list, index, row) {
    if (index < ROWS_SHOWN)
      say(desk, RULE_said_market_skill, member_text(desk, row, "name"),
          number_text(desk, row, "people"), number_text(desk, row, "employers"), NULL);
  }
}

static void print_shares(struct desk *desk, const json_t *market, const char *side, enum rule soon,
                         enum rule filled) {
  const json_t *one = json_object_get(json_object_get(market, "matching"), side);
  const json_t *other = json_object_get(json_object_get(market, "filled"), side);
  const json_t *hours = json_object_get(one, "median_hours");
  if (json_is_real(hours)) {
    const char *text = arena_print(desk->arena, "%.0f", json_real_value(hours));
    say(desk, soon, number_text(desk, one, "matched"), number_text(desk, one, "offers"),
        text ? text : "", NULL);
  }
  if (json_integer_value(json_object_get(other, "closed")))
    say(desk, filled, number_text(desk, other, "filled"), number_text(desk, other, "closed"), NULL);
}

static enum collega_status print_market(struct desk *desk, const json_t *market,
                                        struct collega_error *error) {
  const json_t *open = json_object_get(market, "open");
  const json_t *out = json_object_get(open, "out"), *in = json_object_get(open, "in");
  say(desk, RULE_said_market_out, number_text(desk, out, "people"),
      number_text(desk, out, "offers"), number_text(desk, out, "employers"), NULL);
  say(desk, RULE_said_market_in, number_text(desk, in, "people"), number_text(desk, in, "offers"),
      number_text(desk, in, "employers"), NULL);
  print_shares(desk, market, "out", RULE_said_market_soon_out, RULE_said_market_filled_out);
  print_shares(desk, market, "in", RULE_said_market_soon_in, RULE_said_market_filled_in);
  enum collega_status status =
      print_groups(desk, market, "regions", RULE_said_market_regions, error);
  if (status == COLLEGA_OK)
    status = print_groups(desk, market, "sectors", RULE_said_market_sectors, error);
  if (status == COLLEGA_OK)
    status = print_groups(desk, market, "occupations", RULE_said_market_occupations, error);
  if (status == COLLEGA_OK) status = print_short(desk, market, error);
  print_skills(desk, market);
  putchar('\n');
  say(desk, RULE_said_market_hidden, NULL);
  return status;
}

enum collega_status command_market(const struct arguments *arguments, struct collega_error *error) {
  struct desk desk;
  json_t *market = NULL;
  bool csv = argument_value(arguments, "csv") != NULL;
  if (csv && argument_json(arguments))
    return error_set(error, COLLEGA_USAGE, RULE_market_one_form, NULL, NULL);
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  struct view view = desk_view(&desk);
  status = market_make(&view, &market, error);
  if (status == COLLEGA_OK && csv) {
    struct buffer text;
    buffer_init(&text, 0);
    market_csv(market, &text);
    if (text.failed)
      status = error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
    else
      fputs(buffer_text(&text), stdout);
    buffer_free(&text);
  } else if (status == COLLEGA_OK && argument_json(arguments)) {
    status = json_print(json_incref(market), error);
  } else if (status == COLLEGA_OK) {
    status = print_market(&desk, market, error);
  }
  json_decref(market);
  desk_close(&desk);
  return status;
}
