/* What a person or a peer writes as text: times, dates, ids, fingerprints, names of rules with
 * their arguments, sections to hide, occupations to look for. */
#include "base/words.h"

#include <string.h>

#include "proto/check.h"
#include "proto/keys.h"
#include "proto/lists.h"
#include "proto/terms.h"
#include "tests/fuzz/fuzz.h"

#define TEXT_BYTES 512 /* as long as somebody types; searching takes time that grows with it */

static void times(const char *text) {
  char written[64];
  collega_time time, again;
  collega_date date, same;
  if (time_read(text, &time)) {
    time_write(written, sizeof written, time);
    fuzz_must(time_read(written, &again) && again == time);
    date = date_of_time(time);
    fuzz_must(date_weekday(date) >= 1 && date_weekday(date) <= 7);
    fuzz_must(time_after_working_days(time, 3) > time);
  }
  if (date_read(text, &date)) {
    date_write(written, sizeof written, date);
    fuzz_must(date_read(written, &same) && same == date);
    (void)date_is_working_day(date);
  }
}

static void ids(const char *text) {
  uint8_t bytes[64], again[64];
  char written[129];
  struct id id = {{0}};
  size_t digits = 0;
  (void)fingerprint_fits(text, &id);
  if (hex_read(bytes, 16, text)) {
    hex_write(written, bytes, 16);
    fuzz_must(hex_read(again, 16, written) && memcmp(bytes, again, 16) == 0);
  }
  if (hex_prefix_read(&id, &digits, text)) {
    fuzz_must(digits >= 1 && digits <= 64);
    fuzz_must(hex_prefix_fits(id.byte, ID_BYTES, &id, digits));
  }
  size_t length = base64_read(bytes, sizeof bytes, text, strlen(text));
  if (length > 0) {
    fuzz_must(length <= sizeof bytes);
    fuzz_must(base64_write(written, sizeof written, bytes, length) > 0);
    fuzz_must(base64_read(again, sizeof again, written, strlen(written)) == length);
    fuzz_must(memcmp(bytes, again, length) == 0);
  }
}

static void sentences(const char *name, const char *argument, uint8_t capacity) {
  const char *arguments[] = {argument, "", argument, name};
  char text[256];
  enum rule rule = rule_from_name(name);
  if (rule != RULE_NONE) fuzz_must(strcmp(rule_name(rule), name) == 0);
  size_t room = capacity == 0 ? 1 : capacity;
  size_t length = words_render(LANGUAGE_NL, rule, arguments, 4, text, room);
  fuzz_must(length < room && text[length] == '\0');
  if (utf8_valid((const uint8_t *)argument, strlen(argument)) &&
      utf8_valid((const uint8_t *)name, strlen(name)))
    fuzz_must(utf8_valid((const uint8_t *)text, length)); /* cut where a character ends */
  (void)language_choose(argument);
}

static void lists(const char *text, bool dutch) {
  const struct isco_row *found[8];
  unsigned mask = 0;
  struct collega_error error;
  error_clear(&error);
  size_t most = dutch ? 8 : 1; /* every label is looked at: once for each input is enough */
  fuzz_must(isco_search(text, dutch ? LANGUAGE_NL : LANGUAGE_EN, found, most) <= most);
  if (terms_mask(text, &mask, &error) != COLLEGA_OK) fuzz_check_error(&error);
  (void)isco_find(text), (void)region_find(text), (void)slot_index(text);
  (void)credential_find(text);
  const struct postcode_row *area = postcode_area_find(text);
  if (area != NULL) (void)postcode_area_certain(area);
  (void)text_holds_bsn(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  struct fuzz_input input = fuzz_begin(data, length);
  struct arena *arena = fuzz_arena();
  uint8_t capacity = fuzz_byte(&input);
  struct bytes text = fuzz_piece(&input), rest = fuzz_rest(&input);
  if (text.length > TEXT_BYTES) text.length = TEXT_BYTES;
  if (rest.length > TEXT_BYTES) rest.length = TEXT_BYTES;
  const char *first = fuzz_text(text, arena), *second = fuzz_text(rest, arena);
  times(first), ids(first), lists(first, capacity & 1);
  sentences(first, second, capacity);
  size_t size = strlen(second);
  if (utf8_valid((const uint8_t *)second, size)) {
    fuzz_must(utf8_columns(second) <= size);
    fuzz_must(utf8_cut(second, capacity) <= capacity);
  }
  for (size_t index = 0; index < region_count(); index++)
    fuzz_must(region_at(index) != NULL);
  arena_destroy(&arena);
  return 0;
}
