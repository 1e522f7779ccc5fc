/* offer publish: JSON here, CSV in publish_csv.c. */
#include <string.h>
#include <strings.h>

#include "base/process/process.h"
#include "client/cli/publishing.h"
#include "proto/json.h"

static enum collega_status publish_json(struct desk *desk, const char *file,
                                        struct collega_error *error) {
  struct publication published;
  struct buffer text;
  json_t *json = NULL;
  if (argument_value(desk->arguments, "skip-bad"))
    return error_set(error, COLLEGA_USAGE, RULE_skip_bad_csv, "--skip-bad", NULL);
  enum collega_status status = file_read(file, OFFERS_FILE_BYTES, &text, error);
  if (status == COLLEGA_OK) status = json_parse(bytes_of(text.data, text.length), &json, error);
  struct view view = desk_view(desk);
  struct offer_inputs read;
  if (status == COLLEGA_OK) status = offer_inputs_read(&view, json, &read, error);
  if (status == COLLEGA_OK) status = publishing_store(desk, &read, &published, error);
  if (status == COLLEGA_OK) status = publishing_print(desk, &published, error);
  if (status == COLLEGA_OK) status = publishing_wait(desk, &published, error);
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
  status = csv ? publish_csv(&desk, file, error) : publish_json(&desk, file, error);
  desk_close(&desk);
  return status;
}
