/* A network's table of courses, and lists of titles: read, or refused with the row of the fault.
 *
 * An input: a byte (odd: titles), then the table. */
#include <string.h>

#include "client/library/courses_import.h"
#include "client/library/title_list.h"
#include "client/match/taxonomy_search.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/imported.h"

static void read_courses(struct bytes text) {
  struct courses *courses = NULL;
  struct collega_error error;
  struct buffer made;
  size_t count = 0;
  error_clear(&error);
  if (courses_import_bytes("cursussen.csv", text, &made, &count, &error) == COLLEGA_OK) {
    fuzz_must(courses_read(bytes_of(made.data, made.length), &courses, &error) == COLLEGA_OK);
    fuzz_must(courses_count(courses) == courses_count(NULL) + count);
    look_at_courses(courses);
    courses_close(&courses);
  } else {
    fuzz_check_error(&error);
    fuzz_must(strncmp(error.field, "cursussen.csv row ", 18) == 0);
  }
  buffer_free(&made);
}

static void read_titles(struct bytes text) {
  struct title_list *list = NULL;
  struct collega_error error;
  const char *title = NULL;
  uint32_t row = 0, last = 0;
  enum collega_status status;
  error_clear(&error);
  fuzz_must(title_list_open("titels.csv", text, &list, &error) == COLLEGA_OK);
  while ((status = title_list_next(list, &title, &row, &error)) == COLLEGA_OK && title) {
    char folded[TAXONOMY_FOLDED_BYTES];
    size_t length = strlen(title);
    fuzz_must(length <= TAXONOMY_QUERY_BYTES && utf8_text((const uint8_t *)title, length, false));
    fuzz_must(taxonomy_fold(title, folded) < sizeof folded && row > last);
    last = row;
  }
  if (status != COLLEGA_OK) {
    fuzz_check_error(&error);
    fuzz_must(title == NULL && strncmp(error.field, "titels.csv row ", 15) == 0);
  }
  title_list_close(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  struct fuzz_input input = fuzz_begin(data, length);
  if (fuzz_byte(&input) & 1)
    read_titles(fuzz_rest(&input));
  else
    read_courses(fuzz_rest(&input));
  return 0;
}
