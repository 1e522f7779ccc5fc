/* CSV as spreadsheets write it: RFC 4180, with commas, semicolons or tabs, with CRLF or LF.
 *
 * A mark of UTF-8 at the start is skipped. The separator is found in the first line: whichever of
 * comma, semicolon and tab occurs most often outside quotation marks. Blanks around a cell that is not
 * quoted do not count; within quotation marks CRLF is read as LF. Faults of form are told with the
 * record, so that the rest can be read. */
#ifndef COLLEGA_CLIENT_LIBRARY_CSV_H
#define COLLEGA_CLIENT_LIBRARY_CSV_H
#include "base/bytes.h"

#define CSV_COLUMNS_MOST 256 /* an offer has 43 columns; more cells are counted, not kept */
#define CSV_CELL_BYTES   (64u * 1024u) /* one cell */

struct csv_record {
  uint32_t row; /* as a spreadsheet numbers it: the first line is row 1 */
  size_t count; /* cells; may be more than are kept */
  struct bytes cell[CSV_COLUMNS_MOST];
  enum rule fault; /* RULE_NONE, csv_cell_long, csv_quote_stray, csv_quote_open */
  size_t fault_column;
};

struct csv_reader {
  struct bytes text; /* the caller's; stays until the reader is closed */
  size_t at;
  char separator;
  uint32_t row;
  struct buffer cells; /* of the record read last */
};

void csv_open(struct csv_reader *reader, struct bytes text);
void csv_close(struct csv_reader *reader);
/* The next record, valid until the next call; false at the end. Out of memory shows in
 * reader->cells.failed, and ends the reading. */
bool csv_next(struct csv_reader *reader, struct csv_record *record);
/* Appends one cell as it is written: quoted where it must be. A text that a spreadsheet would take for a formula
 * gets an apostrophe before it. */
void csv_cell(struct buffer *out, const char *text);
/* Nothing stands in it: an empty line, or only empty cells. */
bool csv_empty(const struct csv_record *record);
#endif
