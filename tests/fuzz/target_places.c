/* GeoNames' postcodes and a table of municipalities: they become places that keep their promises, or are refused
 * with the place of the fault.
 *
 * An input: a byte (odd: with municipalities), a piece with those, then the postcodes. */
#include "client/library/places_import.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/imported.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  struct fuzz_input input = fuzz_begin(data, length);
  bool with_regions = fuzz_byte(&input) & 1;
  struct places_source regions = {"gemeenten.csv", fuzz_piece(&input)};
  struct places_source lines = {"NL.txt", fuzz_rest(&input)};
  struct places_report report;
  struct places *places = NULL;
  struct collega_error error;
  struct buffer made;
  error_clear(&error);
  if (places_import_bytes(&lines, with_regions ? &regions : NULL, &made, &report, &error) ==
      COLLEGA_OK) {
    fuzz_must(places_read(bytes_of(made.data, made.length), &places, &error) == COLLEGA_OK);
    fuzz_must(places_count(places) == report.size.postcodes &&
              report.rows >= report.size.postcodes);
    fuzz_must(places_town_count(places) == report.size.towns);
    look_at_places(places, true);
    places_close(&places);
  } else {
    fuzz_check_error(&error);
    fuzz_must(made.length == 0);
  }
  buffer_free(&made);
  return 0;
}
