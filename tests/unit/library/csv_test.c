/* Tables: what RFC 4180 says, what spreadsheets do, and that no bytes whatever do harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/words.h"
#include "client/library/offer_csv.h"
#include "tests/support/share.h"

/* A whole table as text: cells in brackets, records on lines of their own, "!rule@column" after a
 * record with a fault. */
static const char *read_all(const char *text, size_t length, struct buffer *out) {
  static struct csv_record record;
  struct csv_reader reader;
  buffer_init(out, 0);
  csv_open(&reader, bytes_of(text, length));
  while (csv_next(&reader, &record)) {
    for (size_t i = 0; i < record.count && i < CSV_COLUMNS_MOST; i++) {
      buffer_append(out, "[", 1);
      buffer_append(out, record.cell[i].data, record.cell[i].length);
      buffer_append(out, "]", 1);
    }
    if (record.fault) buffer_print(out, "!%s@%zu", rule_name(record.fault), record.fault_column);
    buffer_append(out, "\n", 1);
  }
  csv_close(&reader);
  return buffer_text(out);
}

static void reads_what_rfc_4180_says_and_spreadsheets_write(void **state) {
  (void)state;
  static const struct {
    const char *text, *cells;
  } table[] = {
      {"", ""},
      {"a", "[a]\n"},
      {"a,b\nc,d\n", "[a][b]\n[c][d]\n"},
      {"a,b\r\nc,d\r\n", "[a][b]\n[c][d]\n"},
      {"a,b\nc,d", "[a][b]\n[c][d]\n"},
      {"a;b\nc,d;e", "[a][b]\n[c,d][e]\n"},
      {"a,b\nc;d,e", "[a][b]\n[c;d][e]\n"},
      {"a\tb, c\td\n\te \t\"f\tg\"\n", "[a][b, c][d]\n[][e][f\tg]\n"},
      {"\xef\xbb\xbf"
       "a,b\n",
       "[a][b]\n"},
      {"\"a;x;y\",b\n", "[a;x;y][b]\n"},
      {"a,\"b,\"\"c\"\"\"\n", "[a][b,\"c\"]\n"},
      {"a,\"two\r\nlines\"\r\nb,c", "[a][two\nlines]\n[b][c]\n"},
      {"a,b\n,\n", "[a][b]\n[][]\n"},
      {"a,b\n\nc,d\n", "[a][b]\n[]\n[c][d]\n"},
      {" a , \" b \" ,c\n", "[a][ b ][c]\n"},
      {"a,b\n\"\",\"\"\"\"\n", "[a][b]\n[][\"]\n"},
      {"a,b\rc,d\n", "[a][b\rc][d]\n"},
      {"a,b\nc\"d,e\n", "[a][b]\n[c\"d][e]!csv_quote_stray@0\n"},
      {"a,b\nc,\"d\"e\nf,g\n", "[a][b]\n[c][d]!csv_quote_stray@1\n[f][g]\n"},
      {"a,b\nc,\"d\ne,f\n", "[a][b]\n[c][d\ne,f\n]!csv_quote_open@1\n"},
      {"\"", "[]!csv_quote_open@0\n"},
      {"\"\"\"", "[\"]!csv_quote_open@0\n"},
  };
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    struct buffer out;
    assert_string_equal(read_all(table[i].text, strlen(table[i].text), &out), table[i].cells);
    buffer_free(&out);
  }
}

static void numbers_rows_as_a_spreadsheet_does(void **state) {
  (void)state;
  static struct csv_record record;
  struct csv_reader reader;
  const char *text = "a,b\n\"two\nlines\",c\n\nd,e\n";
  csv_open(&reader, bytes_of(text, strlen(text)));
  static const bool empty[] = {false, false, true, false};
  for (uint32_t row = 1; row <= 4; row++) {
    assert_true(csv_next(&reader, &record));
    assert_int_equal(record.row, row);
    assert_int_equal(csv_empty(&record), empty[row - 1]);
  }
  assert_false(csv_next(&reader, &record));
  csv_close(&reader);
}

static void a_cell_has_at_most_64_kib(void **state) {
  (void)state;
  size_t length = CSV_CELL_BYTES + 3;
  char *text = malloc(length);
  assert_non_null(text);
  memset(text, 'x', length);
  memcpy(text + length - 2, ",y", 2);
  struct buffer out;
  const char *cells = read_all(text, length, &out); /* one byte too many */
  assert_non_null(strstr(cells, "[y]!csv_cell_long@0"));
  buffer_free(&out);
  cells = read_all(text + 1, length - 1, &out);
  assert_null(strstr(cells, "!"));
  buffer_free(&out);
  free(text);
}

static void counts_more_cells_than_it_keeps(void **state) {
  (void)state;
  static struct csv_record record;
  struct csv_reader reader;
  char text[2 * CSV_COLUMNS_MOST];
  memset(text, ',', sizeof text);
  csv_open(&reader, bytes_of(text, sizeof text));
  assert_true(csv_next(&reader, &record));
  assert_int_equal(record.count, 2 * CSV_COLUMNS_MOST + 1);
  assert_false(csv_empty(&record));
  csv_close(&reader);
}

static void has_a_column_for_every_field(void **state) {
  (void)state;
  struct offer_column column, again;
  size_t count = 0, required = 0;
  for (; offer_column_at(count, &column); count++) {
    assert_true(offer_column_find(column.path, &again));
    assert_string_equal(again.path, column.path);
    required += column.required;
  }
  assert_int_equal(count, 46);
  assert_int_equal(required, 7);
  static const char *const some[] = {"kind",        "period.until",   "hours.slots",
                                     "skills.must", "languages.nice", "private.contact.email"};
  for (size_t i = 0; i < sizeof some / sizeof *some; i++)
    assert_true(offer_column_find(some[i], &column));
  static const char *const none[] = {"",        "Kind",          "skills",       "period",
                                     "private", "contact.email", "skills.label", "private.contact",
                                     "title "};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++)
    assert_false(offer_column_find(none[i], &column));
}

#define HEADER                                                                                     \
  "kind,title,occupation.isco,headcount,period.from,hours.per_week_min,hours.per_week_max,"        \
  "place.postcode,skills.nice,skills.must,languages.must,terms.return_guarantee\n"

/* Header and first row of a text, as compact JSON; "" and *error when refused. */
static const char *row_json(const char *text, size_t length, char out[4096],
                            struct collega_error *error) {
  static struct csv_record record;
  static struct offer_columns columns;
  struct csv_reader reader;
  json_t *json = NULL;
  out[0] = '\0';
  error_clear(error);
  csv_open(&reader, bytes_of(text, length));
  if (csv_next(&reader, &record) && offer_columns_read(&record, &columns, error) == COLLEGA_OK)
    while (csv_next(&reader, &record)) {
      if (csv_empty(&record)) continue;
      if (offer_row_read(&columns, &record, &json, error) != COLLEGA_OK) break;
      size_t size = json_dumpb(json, out, 4095, JSON_COMPACT | JSON_PRESERVE_ORDER);
      out[size < 4095 ? size : 0] = '\0';
      json_decref(json);
      json = NULL;
    }
  csv_close(&reader);
  return out;
}

static void cells_become_the_json_of_an_offer(void **state) {
  (void)state;
  struct collega_error error;
  char out[4096];
  const char *text = HEADER "loan_out,Koks,5120,2,2027-01-04,24,38,,a b ;; c,d,nl:B1;en,Ja\n";
  assert_string_equal(
      row_json(text, strlen(text), out, &error),
      "{\"kind\":\"loan_out\",\"title\":\"Koks\",\"occupation\":{\"isco\":\"5120\"},\"headcount\":"
      "2,"
      "\"period\":{\"from\":\"2027-01-04\"},\"hours\":{\"per_week_min\":24,\"per_week_max\":38},"
      "\"skills\":[{\"label\":\"a b\",\"need\":\"nice\"},{\"label\":\"c\",\"need\":\"nice\"},"
      "{\"label\":\"d\",\"need\":\"must\"}],\"languages\":[{\"code\":\"nl\",\"level\":\"B1\","
      "\"need\":\"must\"},{\"code\":\"en\",\"need\":\"must\"}],"
      "\"terms\":{\"return_guarantee\":true}}");
}

static void an_error_about_an_item_is_told_of_its_column(void **state) {
  (void)state;
  static struct csv_record record;
  static struct offer_columns columns;
  struct csv_reader reader;
  const char *text = HEADER "loan_out,Koks,5120,2,2027-01-04,24,38,,a;c,d;e,nl:B1,Ja\n";
  csv_open(&reader, bytes_of(text, strlen(text)));
  assert_true(csv_next(&reader, &record));
  assert_int_equal(offer_columns_read(&record, &columns, NULL), COLLEGA_OK);
  assert_true(csv_next(&reader, &record));
  static const char *const paths[][2] = {
      {"skills[1].label", "skills.nice"},       {"skills[2].label", "skills.must"},
      {"skills[3].label", "skills.must"},       {"skills[4].label", "skills[4].label"},
      {"languages[0].level", "languages.must"}, {"headcount", "headcount"},
      {"credentials[0]", "credentials[0]"},
  };
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
    struct collega_error error = {.status = COLLEGA_INVALID};
    snprintf(error.field, sizeof error.field, "%s", paths[i][0]);
    offer_row_name_column(&columns, &record, &error);
    assert_string_equal(error.field, paths[i][1]);
  }
  csv_close(&reader);
}

static void no_bytes_do_harm(void **state) {
  (void)state;
  static const char seed[] =
      HEADER "loan_out,\"Koks, \"\"goede\"\"\",5120,2,2027-01-04,24,38,4811,a;c,d;e,nl:B1;en,Ja\r\n"
             "loan_in,Caf\xc3\xa9,5131,1,2027-01-04,1,60,,,,,nee\n\n";
  static const char spice[] = "\"\";,,\r\n\n\0\xff\xc3\xef\xbb\xbf\t :.-x9";
  char text[sizeof seed + 64], out[4096];
  uint32_t random = 1;
  size_t refused = 0, read = 0;
  for (int round = 0; round < TESTS_SHARE(20000); round++) {
    size_t length = sizeof seed - 1;
    memcpy(text, seed, length);
    for (int change = 0; change < 1 + round % 6; change++) {
      random = random * 1664525 + 1013904223;
      size_t first = round % 3 ? sizeof HEADER - 1 : 0; /* a header changed is mostly refused */
      size_t at = first + (random >> 8) % (length - first);
      char with = spice[(random >> 4) % (sizeof spice - 1)];
      if (random >> 31)
        text[at] = with;
      else if (length < sizeof text)
        memmove(text + at + 1, text + at, length++ - at), text[at] = with;
    }
    if (round % 7 == 0) length = (random >> 8) % length;
    struct collega_error error;
    row_json(text, length, out, &error);
    if (error.status == COLLEGA_OK)
      read++;
    else
      refused++;
    assert_true(error.status == COLLEGA_OK || error.status == COLLEGA_INVALID);
  }
  assert_true(read > TESTS_SHARE(1000) && refused > TESTS_SHARE(1000));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_what_rfc_4180_says_and_spreadsheets_write),
      cmocka_unit_test(numbers_rows_as_a_spreadsheet_does),
      cmocka_unit_test(a_cell_has_at_most_64_kib),
      cmocka_unit_test(counts_more_cells_than_it_keeps),
      cmocka_unit_test(has_a_column_for_every_field),
      cmocka_unit_test(cells_become_the_json_of_an_offer),
      cmocka_unit_test(an_error_about_an_item_is_told_of_its_column),
      cmocka_unit_test(no_bytes_do_harm),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
