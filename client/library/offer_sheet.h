/* Offers in a table, each row read and judged before anything is published, so that one run tells all that is wrong
 * (docs/csv.md). */
#ifndef COLLEGA_CLIENT_LIBRARY_OFFER_SHEET_H
#define COLLEGA_CLIENT_LIBRARY_OFFER_SHEET_H
#include "client/library/publication.h"

struct sheet_row {
  uint32_t row; /* as a spreadsheet numbers it */
  struct offer_input input;
  const struct collega_error *wrong; /* NULL: a good row; its field is the column's name */
};
struct sheet {
  struct sheet_row *rows; /* all of them, in the view's arena */
  size_t count, capacity, bad;
};
/* COLLEGA_INVALID: the table as a whole is wrong (its header, an open quotation mark, too many rows, none). */
enum collega_status sheet_read(const struct view *view, struct bytes text, struct sheet *out,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
/* The same, telling how far it is: rows read, and about how many there are. */
typedef void (*sheet_step)(void *context, uint64_t done, uint64_t total);
enum collega_status sheet_read_telling(const struct view *view, struct bytes text, sheet_step step,
                                       void *context, struct sheet *out,
                                       struct collega_error *error) COLLEGA_MUST_CHECK;
/* The good rows. */
enum collega_status sheet_inputs(const struct view *view, const struct sheet *sheet,
                                 struct offer_inputs *out,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* Why nothing is published: some rows are bad, or with `skip` all of them; COLLEGA_OK: the good ones may go. */
enum collega_status sheet_verdict(const struct sheet *sheet, bool skip,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
/* What is wrong with a row, in the view's language; in the arena. */
const char *sheet_sentence(const struct view *view, const struct sheet_row *row);
/* {"rows":[{"row", and what an ITEM says} or {"row","field","rule","text"}]}; `published` are the good rows, NULL:
 * nothing was published, and only the bad ones are told. A new reference; NULL: out of memory. */
json_t *document_sheet(const struct view *view, const struct sheet *sheet,
                       const struct publication *published);
#endif
