/* offer publish: JSON here, CSV in publish_csv.c. */
#include <string.h>
#include <strings.h>

#include "base/process/process.h"
#include "client/cli/offer_input.h"
#include "proto/json.h"

#define OFFER_FILE_BYTES (64u * 1024u * 1024u)
#define OFFERS_A_FILE    100000u

/* One offer, a list of them, or {"offers": [...]}. */
static enum collega_status read_offers(struct desk *desk, const json_t *json,
                                       struct publishing *out, struct collega_error *error) {
  const json_t *list = json_is_object(json) ? json_object_get(json, "offers") : json;
  bool many = json_is_array(list);
  size_t count = many ? json_array_size(list) : 1;
  if (count == 0) return error_set(error, COLLEGA_INVALID, RULE_offers_none, "offers", NULL);
  if (count > OFFERS_A_FILE)
    return error_set(error, COLLEGA_INVALID, RULE_offers_many, "offers", "100000", NULL);
  enum collega_status status = publishing_begin(desk, out, count, error);
  for (size_t i = 0; status == COLLEGA_OK && i < count; ++i) {
    status = offer_input_read(many ? json_array_get(list, i) : json, desk->arena, &out->inputs[i],
                              error);
    if (status == COLLEGA_OK || !many) continue;
    char place[32];
    snprintf(place, sizeof place, "[%zu]", i);
    error_prefix(error, place);
  }
  return status;
}

static enum collega_status publish_json(struct desk *desk, const char *file,
                                        struct collega_error *error) {
  struct publishing publishing = {0};
  struct buffer text;
  json_t *json = NULL;
  if (argument_value(desk->arguments, "skip-bad"))
    return error_set(error, COLLEGA_USAGE, RULE_skip_bad_csv, "--skip-bad", NULL);
  enum collega_status status = file_read(file, OFFER_FILE_BYTES, &text, error);
  if (status == COLLEGA_OK) status = json_parse(bytes_of(text.data, text.length), &json, error);
  if (status == COLLEGA_OK) status = read_offers(desk, json, &publishing, error);
  if (status == COLLEGA_OK) status = publishing_store(desk, &publishing, error);
  if (status == COLLEGA_OK) status = publishing_print(desk, &publishing, error);
  if (status == COLLEGA_OK) status = publishing_wait(desk, &publishing, error);
  json_decref(json);
  buffer_free(&text);
  return status;
}

enum collega_status command_offer_publish(const struct arguments *arguments,
                                          struct collega_error *error) {
  struct desk desk;
  const char *file = argument_at(arguments, 0);
  size_t length = strlen(file);
  bool csv = argument_value(arguments, "csv") != NULL ||
             (length > 4 && strcasecmp(file + length - 4, ".csv") == 0);
  enum collega_status status = desk_open(arguments, &desk, error);
  if (status != COLLEGA_OK) return status;
  status = csv ? publish_csv(&desk, file, OFFER_FILE_BYTES, OFFERS_A_FILE, error)
               : publish_json(&desk, file, error);
  desk_close(&desk);
  return status;
}
