/* places import, show: the postcodes of this node. Neither opens the ledger; import replaces HOME/places whole,
 * under the eyes of a running daemon if need be. */
#include <inttypes.h>
#include <string.h>

#include "base/process/process.h"
#include "client/cli/common.h"
#include "client/library/places_import.h"

#define DEGREES "%.4f"

static enum collega_status places_path(const struct desk *desk, char path[4096],
                                       struct collega_error *error) {
  return path_join(path, 4096, desk->home, PLACES_FILE, error);
}

/* Written, then opened as every reader does: what is told is what is there. */
static enum collega_status put_places(const struct desk *desk, const struct buffer *bytes,
                                      struct collega_error *error) {
  char path[4096];
  struct places *places = NULL;
  enum collega_status status = places_path(desk, path, error);
  if (status == COLLEGA_OK) status = file_write(path, bytes->data, bytes->length, 0600, error);
  if (status == COLLEGA_OK) status = bell_ring(desk->home, error);
  if (status == COLLEGA_OK) status = places_open(path, &places, error);
  places_close(&places);
  return status;
}

static enum collega_status tell_report(struct desk *desk, const struct places_report *report,
                                       struct collega_error *error) {
  const struct places_size *size = &report->size;
  if (argument_json(desk->arguments))
    return json_print(json_pack("{s:I,s:I,s:I,s:I,s:I}", "rows", (json_int_t)report->rows,
                                "postcodes", (json_int_t)size->postcodes, "towns",
                                (json_int_t)size->towns, "without_region",
                                (json_int_t)size->without_region, "other_countries",
                                (json_int_t)report->other_countries),
                      error);
  if (report->other_countries)
    tell(desk, stderr, RULE_said_places_other, count_text(desk, report->other_countries), NULL);
  if (size->without_region)
    tell(desk, stderr, RULE_said_places_regions, count_text(desk, size->without_region), NULL);
  say(desk, RULE_said_places, count_text(desk, size->postcodes), count_text(desk, size->towns),
      NULL);
  return COLLEGA_OK;
}

enum collega_status command_places_import(const struct arguments *arguments,
                                          struct collega_error *error) {
  struct desk desk;
  struct buffer bytes;
  struct places_report report;
  enum collega_status status = desk_open_bare(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  status = places_import(argument_at(arguments, 0),
                         argument_count(arguments) > 1 ? argument_at(arguments, 1) : NULL, &bytes,
                         &report, error);
  if (status == COLLEGA_OK) status = put_places(&desk, &bytes, error);
  if (status == COLLEGA_OK) status = tell_report(&desk, &report, error);
  buffer_free(&bytes);
  desk_close(&desk);
  return status;
}

static enum collega_status print_place(struct desk *desk, const struct place_fact *fact,
                                       struct collega_error *error) {
  char postcode[8] = "";
  if (fact->postcode) snprintf(postcode, sizeof postcode, "%u", (unsigned)fact->postcode);
  if (argument_json(desk->arguments)) {
    json_t *out = json_pack("{s:s,s:f,s:f}", "town", fact->town, "latitude", (double)fact->latitude,
                            "longitude", (double)fact->longitude);
    bool whole = out && (!*postcode || json_put(out, "postcode", json_string(postcode))) &&
                 (!fact->region || json_put(out, "region", json_string(fact->region)));
    if (!whole) json_decref(out);
    return json_print(whole ? out : NULL, error);
  }
  static const char *const dutch[] = {"postcode", "plaats", "regio", "breedte", "lengte"};
  static const char *const english[] = {"postcode", "town", "region", "latitude", "longitude"};
  struct table *table = table_new(5, desk->language == LANGUAGE_NL ? dutch : english, 3u << 3);
  if (!table) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  char latitude[24], longitude[24];
  snprintf(latitude, sizeof latitude, DEGREES, (double)fact->latitude);
  snprintf(longitude, sizeof longitude, DEGREES, (double)fact->longitude);
  table_row(table, (const char *const[]){postcode, safe(desk, fact->town),
                                         fact->region ? fact->region : "", latitude, longitude});
  table_print(table, stdout);
  table_destroy(&table);
  return COLLEGA_OK;
}

enum collega_status command_places_show(const struct arguments *arguments,
                                        struct collega_error *error) {
  struct desk desk;
  char path[4096];
  struct places *places = NULL;
  struct place_fact fact;
  enum collega_status status = desk_open_bare(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  status = places_path(&desk, path, error);
  if (status == COLLEGA_OK) status = places_open(path, &places, error);
  if (status == COLLEGA_OK) {
    const char *typed = typed_text(&desk);
    if (!places)
      status = error_set(error, COLLEGA_NOT_FOUND, RULE_places_none_yet, NULL, NULL);
    else if (places_postcode(places, typed, &fact) || places_town(places, typed, &fact))
      status = print_place(&desk, &fact, error);
    else
      status = error_set(error, COLLEGA_NOT_FOUND, RULE_said_places_unknown, NULL, typed, NULL);
  }
  places_close(&places);
  desk_close(&desk);
  return status;
}
