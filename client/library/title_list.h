/* A list of titles as a spreadsheet writes it (csv.h): the column named "title" or "titel"; without one the first
 * column, and then the first row is a title too. */
#ifndef COLLEGA_CLIENT_LIBRARY_TITLE_LIST_H
#define COLLEGA_CLIENT_LIBRARY_TITLE_LIST_H
#include "base/bytes.h"

struct title_list;
/* `name` for errors; `text` is the caller's and stays until the list is closed. COLLEGA_FULL out_of_memory. */
enum collega_status title_list_open(const char *name, struct bytes text, struct title_list **out,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
void title_list_close(struct title_list **list);
/* The next title, in UTF-8 without control characters, 0 .. TAXONOMY_QUERY_BYTES bytes, valid until the next call,
 * and its row; *title NULL: no more. Empty rows are passed over. COLLEGA_INVALID, the field "FILE row N": a fault
 * of form (csv.h), or taxonomy_title where it is no text or too long; the list ends there. */
enum collega_status title_list_next(struct title_list *list, const char **title, uint32_t *row,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
