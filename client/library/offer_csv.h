/* Offers in the columns of a table: which columns there are, and from cells to the JSON of an offer.
 *
 * A column is named by the path of a field in an offer's JSON: "title", "occupation.isco",
 * "private.contact.email". Lists are one column with semicolons between the items: "hours.slots";
 * "skills.must" and "skills.nice" (labels), "credentials.must" and "credentials.nice" (codes),
 * "languages.must" and "languages.nice" (nl:B1, or nl). An empty cell is an absent field. What the
 * cells mean is judged by the same reader and rules as JSON (proto/json.h). */
#ifndef COLLEGA_CLIENT_LIBRARY_OFFER_CSV_H
#define COLLEGA_CLIENT_LIBRARY_OFFER_CSV_H
#include <jansson.h>
#include "client/library/csv.h"
#include "proto/rules_table.h"

enum column_kind {
  COLUMN_UNNAMED, /* must stay empty */
  COLUMN_VALUE,
  COLUMN_TEXTS, /* a list of texts */
  COLUMN_MUST,  /* a list of skills, credentials or languages, needed */
  COLUMN_NICE   /* the same, welcome */
};
#define COLUMN_PATH_BYTES 64
struct offer_column {
  enum column_kind kind;
  char path[COLUMN_PATH_BYTES];
  const struct field_rule *rule; /* of the field, or of the list */
  bool required;                 /* no offer without it */
};
/* Every column that there can be, in the order of the schema. False: past the last. */
bool offer_column_at(size_t index, struct offer_column *out);
bool offer_column_find(const char *path, struct offer_column *out);

struct offer_columns {
  struct offer_column column[CSV_COLUMNS_MOST];
  size_t count;
};
/* Reads the first record. COLLEGA_INVALID names the column: unknown (with the nearest known),
 * twice, missing though required, too many. */
enum collega_status offer_columns_read(const struct csv_record *header, struct offer_columns *out,
                                       struct collega_error *error) COLLEGA_MUST_CHECK;
/* The offer of a record as JSON (a new reference), not judged but for what cells alone can do
 * wrong; the error's field is the column's name. */
enum collega_status offer_row_read(const struct offer_columns *columns,
                                   const struct csv_record *record, json_t **out,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
/* Turns the field path of an error about that JSON ("skills[2].label") into a column's name. */
void offer_row_name_column(const struct offer_columns *columns, const struct csv_record *record,
                           struct collega_error *error);

/* One cell into the offer's JSON. Empty: nothing changes. Numbers and yes or no become what they
 * are, everything else text. Not UTF-8: COLLEGA_INVALID, rule csv_utf8. */
enum collega_status offer_put(json_t *offer, const struct offer_column *column, struct bytes cell,
                              struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
