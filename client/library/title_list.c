/* Titles out of a table, one at a time. */
#include "client/library/title_list.h"

#include <stdlib.h>
#include <string.h>

#include "client/library/csv.h"
#include "client/library/import_place.h"
#include "client/match/taxonomy_search.h"

struct title_list {
  struct csv_reader csv;
  struct csv_record record;
  size_t column;
  char name[IMPORT_NAME_BYTES];
  char title[TAXONOMY_QUERY_BYTES + 1];
};

enum collega_status title_list_open(const char *name, struct bytes text, struct title_list **out,
                                    struct collega_error *error) {
  *out = calloc(1, sizeof **out);
  if (!*out) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  import_name((*out)->name, name);
  csv_open(&(*out)->csv, text);
  return COLLEGA_OK;
}

void title_list_close(struct title_list **list) {
  if (!*list) return;
  csv_close(&(*list)->csv);
  free(*list);
  *list = NULL;
}

/* Whether the record names the columns. */
static bool is_header(struct title_list *list) {
  for (size_t i = 0; i < list->record.count && i < CSV_COLUMNS_MOST; ++i)
    if (bytes_equal(list->record.cell[i], bytes_of("title", 5)) ||
        bytes_equal(list->record.cell[i], bytes_of("titel", 5))) {
      list->column = i;
      return true;
    }
  return false;
}

static bool take_title(struct title_list *list) {
  if (list->record.fault || list->column >= list->record.count) return false;
  struct bytes cell = list->record.cell[list->column];
  if (cell.length > TAXONOMY_QUERY_BYTES || !utf8_text(cell.data, cell.length, false)) return false;
  if (cell.length) memcpy(list->title, cell.data, cell.length);
  list->title[cell.length] = '\0';
  return true;
}

enum collega_status title_list_next(struct title_list *list, const char **title, uint32_t *row,
                                    struct collega_error *error) {
  const struct csv_record *record = &list->record;
  *title = NULL;
  while (csv_next(&list->csv, &list->record)) {
    *row = record->row;
    if ((record->row == 1 && is_header(list)) || csv_empty(record)) continue;
    if (!take_title(list))
      return import_bad(record->fault ? record->fault : RULE_taxonomy_title, bytes_of("", 0),
                        list->name, record->row, "", error);
    *title = list->title;
    return COLLEGA_OK;
  }
  return list->csv.cells.failed ? error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL)
                                : COLLEGA_OK;
}
