/* A market's document as rows, and those as CSV. */
#include <inttypes.h>
#include <stdio.h>

#include "client/library/csv.h"
#include "client/library/market.h"

#define KEY_BYTES 400u /* of a region and an occupation */

static const char *const side_names[] = {"out", "in"};

static const char *member(const json_t *object, const char *name) {
  const char *text = json_string_value(json_object_get(object, name));
  return text ? text : "";
}

struct telling {
  market_told told;
  void *context;
};

static void tell(const struct telling *telling, const char *table, const char *key,
                 const char *name, bool asked, const json_t *figure, const char *value) {
  telling->told(telling->context,
                &(struct market_row){table, key, name, asked, json_object_get(figure, "people"),
                                     json_object_get(figure, "offers"),
                                     json_object_get(figure, "employers"),
                                     json_object_get(figure, value)});
}

static void tell_sides(const struct telling *telling, const char *table, const char *key,
                       const char *name, const json_t *sides, const char *value) {
  for (size_t side = 0; side < 2; ++side)
    tell(telling, table, key, name, side == 1, json_object_get(sides, side_names[side]), value);
}

void market_rows(const json_t *market, market_told told, void *context) {
  static const char *const tables[] = {"regions", "sectors", "occupations"};
  const struct telling telling = {told, context};
  size_t index;
  json_t *row;
  tell_sides(&telling, "open", "", "", json_object_get(market, "open"), "");
  for (size_t i = 0; i < sizeof tables / sizeof *tables; ++i)
    json_array_foreach(json_object_get(market, tables[i]), index, row)
        tell_sides(&telling, tables[i], member(row, "key"), member(row, "name"), row, "");
  json_array_foreach(json_object_get(market, "skills"), index, row)
      tell(&telling, "skills", member(row, "key"), member(row, "name"), true, row, "");
  json_array_foreach(json_object_get(market, "short"), index, row) {
    char key[KEY_BYTES];
    snprintf(key, sizeof key, "%s %s", member(row, "region"), member(row, "occupation"));
    tell(&telling, "short", key, member(row, "name"), true, row, "short");
  }
  for (size_t side = 0; side < 2; ++side) {
    tell(&telling, "matching", "median_hours", "", side == 1,
         json_object_get(json_object_get(market, "matching"), side_names[side]), "median_hours");
    tell(&telling, "filled", "rate", "", side == 1,
         json_object_get(json_object_get(market, "filled"), side_names[side]), "rate");
  }
}

/* ---- CSV */

static void csv_number(struct buffer *out, const json_t *value) {
  buffer_append(out, ",", 1);
  if (json_is_integer(value)) buffer_print(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
  if (json_is_real(value)) buffer_print(out, "%.4f", json_real_value(value));
}

static void csv_row(void *context, const struct market_row *row) {
  struct buffer *out = context;
  const char *const cells[] = {row->table, row->key, row->name, side_names[row->asked]};
  for (size_t i = 0; i < sizeof cells / sizeof *cells; ++i) {
    if (i) buffer_append(out, ",", 1);
    csv_cell(out, cells[i]);
  }
  csv_number(out, row->people);
  csv_number(out, row->offers);
  csv_number(out, row->employers);
  csv_number(out, row->value);
  buffer_append(out, "\n", 1);
}

void market_csv(const json_t *market, struct buffer *out) {
  buffer_print(out, "table,key,name,side,people,offers,employers,value\n");
  market_rows(market, csv_row, out);
}
