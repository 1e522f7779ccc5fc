/* Aligned columns. Cells are made safe when they come in: a name from outside can neither break the
 * columns nor drive the terminal. */
#include "base/terminal/parts.h"
#include <stdlib.h>
#include <string.h>

struct table {
  size_t columns, rows;
  unsigned numeric;
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

static void print_row(const struct table *table, size_t row, const size_t *widths, FILE *out) {
  for (size_t i = 0; i < table->columns; i++) {
    const char *cell = cell_at(table, row, i);
    bool last = i + 1 == table->columns, right = i < 32 && (table->numeric >> i & 1) != 0;
    int padding = (int)(widths[i] - utf8_columns(cell));
    if (right)
      fprintf(out, "%*s%s", padding, "", cell);
    else
      fprintf(out, "%s%*s", cell, last ? 0 : padding, "");
    if (!last) fputs("  ", out);
  }
}

void table_print(const struct table *table, FILE *out) {
  if (table == NULL || table->columns == 0) return;
  size_t *widths = calloc(table->columns, sizeof *widths);
  if (widths == NULL || table->text.failed || table->offsets.failed) {
    fputs("collega: out of memory\n", stderr);
    free(widths);
    return;
  }
  for (size_t row = 0; row <= table->rows; row++)
    for (size_t i = 0; i < table->columns; i++) {
      size_t columns = utf8_columns(cell_at(table, row, i));
      if (columns > widths[i]) widths[i] = columns;
    }
  bool colour = terminal_colour(out);
  for (size_t row = 0; row <= table->rows; row++) {
    if (row == 0 && colour) fputs("\033[1m", out);
    print_row(table, row, widths, out);
    fputs(row == 0 && colour ? "\033[0m\n" : "\n", out);
  }
  free(widths);
}

void table_destroy(struct table **table) {
  if (*table == NULL) return;
  buffer_free(&(*table)->text);
  buffer_free(&(*table)->offsets);
  free(*table);
  *table = NULL;
}
