/* A table of offers, from bytes to messages: every fault names a column or a row. */
#include "client/library/offer_csv.h"
#include "proto/check.h"
#include "proto/json.h"
#include "tests/fuzz/fuzz.h"

static void one_row(const struct offer_columns *columns, const struct csv_record *record) {
  static const char *const skip[] = {"private", NULL};
  struct arena *arena = fuzz_arena();
  struct collega_error error;
  json_t *json = NULL;
  ProtobufCMessage *message = NULL;
  error_clear(&error);
  enum collega_status status = offer_row_read(columns, record, &json, &error);
  if (status == COLLEGA_OK)
    status = json_to_message(json, &collega__offer__descriptor, skip, arena, &message, &error);
  if (status == COLLEGA_OK) status = check_offer((const Collega__Offer *)message, &error);
  if (status != COLLEGA_OK) {
    offer_row_name_column(columns, record, &error);
    fuzz_check_error(&error);
  }
  json_decref(json);
  arena_destroy(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  static struct csv_record record;
  static struct offer_columns columns;
  struct fuzz_input input = fuzz_begin(data, length);
  struct csv_reader reader;
  struct collega_error error;
  csv_open(&reader, fuzz_rest(&input));
  error_clear(&error);
  columns.count = 0;
  bool named = csv_next(&reader, &record);
  if (named && offer_columns_read(&record, &columns, &error) != COLLEGA_OK) {
    fuzz_check_error(&error);
    named = false;
  }
  uint32_t row = 0;
  for (size_t rows = 0; csv_next(&reader, &record) && rows < 64; rows++) {
    fuzz_must(record.row > row);
    row = record.row;
    for (size_t i = 0; i < record.count && i < CSV_COLUMNS_MOST; i++)
      fuzz_must(record.cell[i].length <= CSV_CELL_BYTES);
    if (named && !csv_empty(&record)) one_row(&columns, &record);
  }
  csv_close(&reader);
  return 0;
}
