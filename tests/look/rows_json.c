#include "tests/look/rows_json.h"
#include "base/words.h"
#include <stdio.h>
#include <stdlib.h>

json_t *json_hex(struct bytes bytes) {
  if (bytes.length == 0) return json_null();
  char *text = malloc(2 * bytes.length + 1);
  if (text == NULL) return NULL;
  hex_write(text, bytes.data, bytes.length);
  json_t *value = json_string(text);
  free(text);
  return value;
}

int look_end(json_t *document, enum collega_status status, const struct collega_error *error) {
  if (status != COLLEGA_OK) {
    char text[512];
    error_render(LANGUAGE_EN, error, text, sizeof text);
    fprintf(stderr, "%s\n", text);
  } else if (document == NULL || json_dumpf(document, stdout, JSON_COMPACT) != 0) {
    fprintf(stderr, "out of memory\n");
    status = COLLEGA_FULL;
  }
  json_decref(document);
  return status == COLLEGA_OK ? 0 : 1;
}
