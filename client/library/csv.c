/* Reading CSV, one record at a time. The cells of a record are gathered in one buffer, because a
 * doubled quotation mark makes a cell other than the bytes of the file; where each begins is only
 * turned into an address at the end, as the buffer moves while it grows. */
#include "client/library/csv.h"

#include <string.h>

/* How often `sought` stands in the first record outside quotation marks. */
static size_t count_in_header(struct bytes text, char sought) {
  size_t count = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.length; i++) {
    char c = (char)text.data[i];
    if (c == '"') quoted = !quoted;
    if (c == '\n' && !quoted) break;
    if (c == sought && !quoted) count++;
  }
  return count;
}

void csv_open(struct csv_reader *reader, struct bytes text) {
  memset(reader, 0, sizeof *reader);
  if (text.length >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
    text = bytes_of(text.data + 3, text.length - 3);
  reader->text = text;
  reader->separator = ',';
  size_t most = count_in_header(text, ',');
  for (const char *other = ";\t"; *other; other++) {
    size_t count = count_in_header(text, *other);
    if (count <= most) continue;
    most = count;
    reader->separator = *other;
  }
  buffer_init(&reader->cells, 0);
}

void csv_close(struct csv_reader *reader) {
  buffer_free(&reader->cells);
}

static bool ended(const struct csv_reader *reader) {
  return reader->at == reader->text.length;
}

static char peek(const struct csv_reader *reader) {
  return (char)reader->text.data[reader->at];
}

/* The bytes of a line end that stands here, 0: none. */
static size_t line_end(const struct csv_reader *reader) {
  size_t left = reader->text.length - reader->at;
  if (left >= 1 && peek(reader) == '\n') return 1;
  return left >= 2 && memcmp(reader->text.data + reader->at, "\r\n", 2) == 0 ? 2 : 0;
}

static void fault(struct csv_record *record, enum rule rule) {
  if (record->fault) return;
  record->fault = rule;
  record->fault_column = record->count;
}

/* One cell, being gathered. */
struct cell {
  struct csv_reader *reader;
  struct csv_record *record;
  size_t start;
};

static void add(const struct cell *cell, char c) {
  struct buffer *cells = &cell->reader->cells;
  if (cells->length - cell->start == CSV_CELL_BYTES)
    fault(cell->record, RULE_csv_cell_long);
  else if (cell->record->count < CSV_COLUMNS_MOST)
    buffer_append(cells, &c, 1);
}

/* From behind the opening mark to behind the closing one. */
static void read_quoted(const struct cell *cell) {
  struct csv_reader *reader = cell->reader;
  while (!ended(reader)) {
    size_t end = line_end(reader);
    char c = peek(reader);
    reader->at += end ? end : 1;
    if (end) {
      add(cell, '\n');
    } else if (c != '"') {
      add(cell, c);
    } else if (!ended(reader) && peek(reader) == '"') {
      reader->at++;
      add(cell, '"');
    } else {
      return;
    }
  }
  fault(cell->record, RULE_csv_quote_open);
}

static bool blank(char c) {
  return c == ' ' || c == '\t';
}

static void read_plain(const struct cell *cell, bool after_quotes) {
  struct csv_reader *reader = cell->reader;
  while (!ended(reader) && !line_end(reader) && peek(reader) != reader->separator) {
    char c = peek(reader);
    reader->at++;
    if (c == '"' || (after_quotes && !blank(c))) fault(cell->record, RULE_csv_quote_stray);
    if (!after_quotes) add(cell, c);
  }
  struct buffer *cells = &reader->cells;
  while (!after_quotes && cells->length > cell->start &&
         blank((char)cells->data[cells->length - 1]))
    cells->length--;
}

/* Reads one cell; its length. */
static size_t read_cell(struct csv_reader *reader, struct csv_record *record) {
  struct cell cell = {reader, record, reader->cells.length};
  while (!ended(reader) && blank(peek(reader)) && peek(reader) != reader->separator)
    reader->at++;
  bool quoted = !ended(reader) && peek(reader) == '"';
  if (quoted) {
    reader->at++;
    read_quoted(&cell);
  }
  read_plain(&cell, quoted);
  return reader->cells.length - cell.start;
}

bool csv_next(struct csv_reader *reader, struct csv_record *record) {
  size_t length[CSV_COLUMNS_MOST];
  memset(record, 0, sizeof *record);
  if (ended(reader)) return false;
  record->row = ++reader->row;
  reader->cells.length = 0;
  for (;;) {
    size_t size = read_cell(reader, record);
    if (record->count < CSV_COLUMNS_MOST) length[record->count] = size;
    record->count++;
    size_t end = ended(reader) ? 0 : line_end(reader);
    if (ended(reader) || end) {
      reader->at += end;
      break;
    }
    reader->at++; /* the separator */
  }
  if (reader->cells.failed) return false;
  const uint8_t *at = reader->cells.data ? reader->cells.data : (const uint8_t *)"";
  for (size_t i = 0; i < record->count && i < CSV_COLUMNS_MOST; at += length[i++])
    record->cell[i] = bytes_of(at, length[i]);
  return true;
}

bool csv_empty(const struct csv_record *record) {
  for (size_t i = 0; i < record->count && i < CSV_COLUMNS_MOST; i++)
    if (record->cell[i].length) return false;
  return record->count <= CSV_COLUMNS_MOST && !record->fault;
}

void csv_cell(struct buffer *out, const char *text) {
  bool quoted = strpbrk(text, ",;\"\r\n") != NULL;
  if (quoted) buffer_append(out, "\"", 1);
  if (*text && strchr("=+-@\t", *text)) buffer_append(out, "'", 1);
  for (; *text; ++text) {
    if (*text == '"') buffer_append(out, "\"", 1);
    buffer_append(out, text, 1);
  }
  if (quoted) buffer_append(out, "\"", 1);
}
