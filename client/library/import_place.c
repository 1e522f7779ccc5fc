/* The place of a fault in an imported table. */
#include "client/library/import_place.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define VALUE_BYTES 100u
#define PLACE_BYTES 160u

void import_name(char out[IMPORT_NAME_BYTES], const char *path) {
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  size_t used = 0;
  for (size_t left = strlen(name); left;) {
    uint32_t point = 0;
    size_t size = utf8_next((const uint8_t *)name, left, &point);
    bool text = size && !utf8_control(point);
    size_t room = text ? size : 1;
    if (used + room >= IMPORT_NAME_BYTES) break;
    memcpy(out + used, text ? name : "?", room);
    used += room;
    name += size ? size : 1;
    left -= size ? size : 1;
  }
  out[used] = '\0';
}

enum collega_status import_at(enum collega_status status, const char *name, uint32_t row,
                              const char *column, struct collega_error *error) {
  if (!error) return status;
  char place[PLACE_BYTES];
  snprintf(place, sizeof place, "%s row %" PRIu32 "%s%s", name, row, *column ? ": " : "", column);
  error->field[0] = '\0';
  error_prefix(error, place);
  return status;
}

enum collega_status import_bad(enum rule rule, struct bytes value, const char *name, uint32_t row,
                               const char *column, struct collega_error *error) {
  char text[VALUE_BYTES + 2];
  size_t length = value.length <= VALUE_BYTES ? value.length : VALUE_BYTES + 1;
  if (length) memcpy(text, value.data, length);
  text[length] = '\0';
  text[utf8_valid(value.data, value.length) ? utf8_cut(text, VALUE_BYTES) : 0] = '\0';
  error_set(error, COLLEGA_INVALID, rule, NULL, text, NULL);
  return import_at(COLLEGA_INVALID, name, row, column, error);
}
