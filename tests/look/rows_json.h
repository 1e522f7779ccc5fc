/* What both lookers share: ids as text, lists that know whether memory sufficed, and how it ends. */
#ifndef TESTS_LOOK_ROWS_JSON_H
#define TESTS_LOOK_ROWS_JSON_H
#include <jansson.h>
#include "base/bytes.h"
#include "base/error.h"

/* Hexadecimal text of any bytes; null when there are none. */
json_t *json_hex(struct bytes bytes);
/* Prints the document and gives the exit status; with a failure its words go to standard error. */
int look_end(json_t *document, enum collega_status status, const struct collega_error *error);
#endif
