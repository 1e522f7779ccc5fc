/* Aligned columns. Cells are made safe when they come in: a name from outside can neither break the
 * columns nor drive the terminal. */
#include "base/terminal/parts.h"
#include <stdlib.h>
#include <string.h>

#define CUT_LEAST 6 /* columns that a cut cell keeps at least */
#define GAP       2 /* between two columns */

struct table {
  size_t columns, rows;
  unsigned numeric, may_cut;
  struct buffer text;    /* all cells, each ended by NUL; the headings are the first row */
  struct buffer offsets; /* size_t: where each cell begins in text */
};

static void add_cell(struct table *table, const char *cell) {
  size_t offset = table->text.length;
  safe_append(&table->text, cell == NULL ? "" : cell);
  buffer_append(&table->text, "", 1);
  buffer_append(&table->offsets, &offset, sizeof offset);
}

struct table *table_new(size_t columns, const char *const *headings, unsigned numeric) {
  struct table *table = calloc(1, sizeof *table);
  if (table == NULL) return NULL;
  table->columns = columns;
  table->numeric = numeric;
  buffer_init(&table->text, 0);
  buffer_init(&table->offsets, 0);
  for (size_t i = 0; i < columns; i++)
    add_cell(table, headings[i]);
  return table;
}

void table_row(struct table *table, const char *const *cells) {
  if (table == NULL) return;
  for (size_t i = 0; i < table->columns; i++)
    add_cell(table, cells[i]);
  table->rows++;
}

static const char *cell_at(const struct table *table, size_t row, size_t column) {
  size_t offset;
  memcpy(&offset, table->offsets.data + (row * table->columns + column) * sizeof offset,
         sizeof offset);
  return (const char *)table->text.data + offset;
}

void table_may_cut(struct table *table, unsigned columns) {
  if (table != NULL) table->may_cut = columns;
}

static void print_spaces(FILE *out, size_t count) {
  fprintf(out, "%*s", (int)count, "");
}

/* One cell; as the last of its row it is not filled up. */
static void print_cell(const char *cell, size_t width, bool right, bool last, FILE *out) {
  size_t columns, fits = utf8_fit(cell, width, &columns);
  bool cut = cell[fits] != '\0';
  if (cut) fits = utf8_fit(cell, width - 1, &columns); /* room for the ellipsis */
  size_t filled = columns + (cut ? 1 : 0);
  if (right) print_spaces(out, width - filled);
  fprintf(out, "%.*s%s", (int)fits, cell, cut ? "\u2026" : "");
  if (!right && !last) print_spaces(out, width - filled);
}

static void print_rows(const struct table *table, const size_t *widths, bool colour, FILE *out) {
  size_t last_column = table->columns - 1;
  while (last_column > 0 && widths[last_column] == 0)
    last_column--;
  for (size_t row = 0; row <= table->rows; row++) {
    if (row == 0 && colour) fputs("\033[1m", out);
    for (size_t i = 0; i < table->columns; i++) {
      if (widths[i] == 0) continue;
      bool last = i == last_column, right = i < 32 && (table->numeric >> i & 1) != 0;
      print_cell(cell_at(table, row, i), widths[i], right, last, out);
      if (!last) print_spaces(out, GAP);
    }
    fputs(row == 0 && colour ? "\033[0m\n" : "\n", out);
  }
}

/* A block for each row: what is empty is left out. */
static void print_blocks(const struct table *table, bool colour, FILE *out) {
  size_t widest = 0;
  for (size_t i = 0; i < table->columns; i++) {
    size_t columns = utf8_columns(cell_at(table, 0, i));
    if (columns > widest) widest = columns;
  }
  for (size_t row = 1; row <= table->rows; row++) {
    if (row > 1) fputc('\n', out);
    for (size_t i = 0; i < table->columns; i++) {
      const char *cell = cell_at(table, row, i), *heading = cell_at(table, 0, i);
      if (cell[0] == '\0') continue;
      fprintf(out, "%s%s%s", colour ? "\033[1m" : "", heading, colour ? "\033[0m" : "");
      print_spaces(out, widest - utf8_columns(heading) + GAP);
      terminal_go_on(out, widest + GAP, widest + GAP, cell);
    }
  }
}

void table_print_blocks(const struct table *table, FILE *out) {
  if (table == NULL || table->text.failed || table->offsets.failed) return;
  print_blocks(table, terminal_colour(out), out);
}

/* Takes from the widest column that may be cut until all fits; false: it cannot. */
static bool make_fit(const struct table *table, size_t *widths, size_t available) {
  size_t taken = 0;
  for (size_t i = 0; i < table->columns; i++)
    if (widths[i] > 0) taken += widths[i] + (taken > 0 ? GAP : 0);
  while (taken > available) {
    size_t widest = table->columns;
    for (size_t i = 0; i < table->columns && i < 32; i++)
      if ((table->may_cut >> i & 1) != 0 && widths[i] > CUT_LEAST &&
          (widest == table->columns || widths[i] > widths[widest]))
        widest = i;
    if (widest == table->columns) return false;
    widths[widest]--;
    taken--;
  }
  return true;
}

/* 0 for a column in which nothing stands: it is left out. */
static size_t column_width(const struct table *table, size_t column) {
  size_t width = utf8_columns(cell_at(table, 0, column));
  bool any = table->rows == 0;
  for (size_t row = 1; row <= table->rows; row++) {
    size_t columns = utf8_columns(cell_at(table, row, column));
    any = any || columns > 0;
    if (columns > width) width = columns;
  }
  return any ? width : 0;
}

void table_print(const struct table *table, FILE *out) {
  if (table == NULL || table->columns == 0) return;
  size_t *widths = calloc(table->columns, sizeof *widths);
  if (widths == NULL || table->text.failed || table->offsets.failed) {
    fputs("collega: out of memory\n", stderr);
    free(widths);
    return;
  }
  for (size_t i = 0; i < table->columns; i++)
    widths[i] = column_width(table, i);
  size_t available = terminal_columns(out);
  bool colour = terminal_colour(out);
  if (available == 0 || make_fit(table, widths, available))
    print_rows(table, widths, colour, out);
  else
    print_blocks(table, colour, out);
  free(widths);
}

void table_destroy(struct table **table) {
  if (*table == NULL) return;
  buffer_free(&(*table)->text);
  buffer_free(&(*table)->offsets);
  free(*table);
  *table = NULL;
}
