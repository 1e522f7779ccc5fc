/* Ids, hexadecimal, base64url, numbers, UTF-8 and the hash. */
#include "support.h"

static void id_of_wrong_length_is_refused_and_zeroed(void **state) {
  (void)state;
  uint8_t data[33];
  memset(data, 7, sizeof data);
  struct id id;
  assert_true(id_from(&id, data, 32));
  assert_int_equal(id.byte[31], 7);
  assert_false(id_from(&id, data, 31));
  assert_true(id_is_zero(&id));
  assert_false(id_from(&id, data, 33));
  struct epoch epoch;
  assert_true(epoch_from(&epoch, data, 8));
  assert_false(epoch_from(&epoch, data, 0));
  struct short_id short_id;
  assert_true(short_id_from(&short_id, data, 16));
  assert_false(short_id_from(&short_id, data, 17));
}

static void empty_bytes_are_equal_whatever_they_point_at(void **state) {
  (void)state;
  assert_true(bytes_equal(bytes_of(NULL, 0), bytes_of("x", 0)));
  assert_false(bytes_equal(bytes_of("a", 1), bytes_of("b", 1)));
  assert_false(bytes_equal(bytes_of("a", 1), bytes_of("ab", 2)));
}

static void hex_goes_there_and_back(void **state) {
  (void)state;
  const uint8_t data[] = {0x00, 0x0f, 0xf0, 0xff};
  char text[9];
  hex_write(text, data, sizeof data);
  assert_string_equal(text, "000ff0ff");
  uint8_t back[4];
  assert_true(hex_read(back, 4, "000FF0fF"));
  assert_memory_equal(back, data, 4);
  assert_true(hex_read(back, 0, ""));
}

static void hex_of_another_length_or_alphabet_is_refused(void **state) {
  (void)state;
  uint8_t back[4];
  assert_false(hex_read(back, 4, "000ff0f"));
  assert_false(hex_read(back, 4, "000ff0ff0"));
  assert_false(hex_read(back, 4, "000ff0fg"));
  assert_false(hex_read(back, 4, ""));
  assert_false(hex_read(back, 0, "0"));
}

static void a_prefix_of_an_id_fits_to_the_digit(void **state) {
  (void)state;
  struct id prefix;
  size_t digits;
  assert_true(hex_prefix_read(&prefix, &digits, "abc"));
  assert_int_equal(digits, 3);
  uint8_t data[32] = {0xab, 0xc7};
  assert_true(hex_prefix_fits(data, sizeof data, &prefix, digits));
  data[1] = 0xd7;
  assert_false(hex_prefix_fits(data, sizeof data, &prefix, digits));
  assert_false(hex_prefix_fits(data, 1, &prefix, digits));
}

static void a_prefix_has_1_to_64_digits(void **state) {
  (void)state;
  struct id prefix;
  size_t digits;
  char text[66];
  memset(text, 'f', 65);
  text[65] = '\0';
  assert_false(hex_prefix_read(&prefix, &digits, text));
  text[64] = '\0';
  assert_true(hex_prefix_read(&prefix, &digits, text));
  assert_int_equal(digits, 64);
  assert_int_equal(prefix.byte[31], 0xff);
  assert_false(hex_prefix_read(&prefix, &digits, ""));
  assert_false(hex_prefix_read(&prefix, &digits, "12x"));
}

static void base64_goes_there_and_back(void **state) {
  (void)state;
  static const struct {
    const char *plain, *encoded;
  } known[] = {{"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"}, {"\xfb\xff", "-_8"}};
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    char text[16];
    uint8_t back[16];
    size_t length = strlen(known[i].plain);
    assert_int_equal(base64_write(text, sizeof text, (const uint8_t *)known[i].plain, length),
                     strlen(known[i].encoded));
    assert_string_equal(text, known[i].encoded);
    assert_int_equal(base64_read(back, sizeof back, text, strlen(text)), length);
    assert_memory_equal(back, known[i].plain, length);
  }
}

static void base64_that_does_not_fit_is_not_written(void **state) {
  (void)state;
  char text[4];
  assert_int_equal(base64_write(text, 4, (const uint8_t *)"fo", 2), 3);
  assert_int_equal(base64_write(text, 3, (const uint8_t *)"fo", 2), 0);
  assert_int_equal(base64_write(text, 0, (const uint8_t *)"fo", 2), 0);
}

static void malformed_base64_is_refused(void **state) {
  (void)state;
  uint8_t out[8];
  static const char *const wrong[] = {"Z", "Zg==", "Zh", "Zm9v!", "Zm 9v", "Zm9+", "Zm9/"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
    assert_int_equal(base64_read(out, sizeof out, wrong[i], strlen(wrong[i])), 0);
  assert_int_equal(base64_read(out, 2, "Zm9v", 4), 0);      /* does not fit */
  assert_int_equal(base64_read(out, 8, "Zm9v\0Zm8", 8), 0); /* NUL is not of the alphabet */
}

static void numbers_are_big_endian(void **state) {
  (void)state;
  uint8_t out[8];
  put_be32(out, 0x01020304);
  assert_memory_equal(out, "\1\2\3\4", 4);
  assert_int_equal(get_be32(out), 0x01020304);
  put_be64(out, UINT64_C(0xfffefdfcfbfaf9f8));
  assert_int_equal(out[0], 0xff);
  assert_int_equal(out[7], 0xf8);
  assert_true(get_be64(out) == UINT64_C(0xfffefdfcfbfaf9f8));
}

static bool valid(const char *text) {
  return utf8_valid((const uint8_t *)text, strlen(text));
}

static void utf8_is_read_strictly(void **state) {
  (void)state;
  assert_true(valid(""));
  assert_true(valid("Müller \xe2\x82\xac \xf0\x9f\x90\x9d"));
  assert_true(valid("\xf4\x8f\xbf\xbf"));         /* U+10FFFF */
  assert_true(valid("\xed\x9f\xbf\xee\x80\x80")); /* around the surrogates */
  static const char *const wrong[] = {"\x80",
                                      "\xc3",
                                      "\xc0\xaf",
                                      "\xc1\xbf",
                                      "\xe0\x9f\xbf",
                                      "\xf0\x8f\xbf\xbf", /* overlong */
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf", /* surrogates */
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff",
                                      "\xe2\x82",
                                      "\xe2\x28\xa1",
                                      "a\xf0\x9f\x90"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
    assert_false(valid(wrong[i]));
}

static void text_has_no_controls_and_no_turned_direction(void **state) {
  (void)state;
  static const char *const wrong[] = {"\x1b[31m",     "\x7f",         "\t",
                                      "\r",           "\xc2\x85",     "\xe2\x80\xa8",
                                      "\xe2\x80\xa9", "\xe2\x80\xaa", "\xe2\x80\xae",
                                      "\xe2\x81\xa6", "\xe2\x81\xa9", "\xff"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    assert_false(utf8_text((const uint8_t *)wrong[i], strlen(wrong[i]), false));
    assert_false(utf8_text((const uint8_t *)wrong[i], strlen(wrong[i]), true));
  }
  assert_true(utf8_text((const uint8_t *)"a\nb", 3, true));
  assert_false(utf8_text((const uint8_t *)"a\nb", 3, false));
  assert_false(utf8_text((const uint8_t *)"a\0b", 3, true));
}

/* Long texts are read eight bytes at a time: every byte at every place, with two fillings. */
static void text_is_judged_the_same_at_every_place(void **state) {
  (void)state;
  for (int filling = 0; filling < 2; filling++)
    for (size_t at = 0; at < 27; at++)
      for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t text[27];
        memset(text, filling ? '~' : ' ', sizeof text);
        text[at] = (uint8_t)byte;
        bool plain = byte >= 0x20 && byte < 0x7F; /* a lone byte from 0x80 on is no UTF-8 */
        assert_int_equal(utf8_text(text, sizeof text, false), plain);
        assert_int_equal(utf8_text(text, sizeof text, true), plain || byte == '\n');
      }
}

static void columns_count_characters_not_bytes(void **state) {
  (void)state;
  assert_int_equal(utf8_columns("Müller"), 6);
  assert_int_equal(utf8_columns("Mu\xcc\x88ller"), 6); /* u and a combining diaeresis */
  assert_int_equal(utf8_columns(""), 0);
  assert_int_equal(utf8_columns("物流"), 4);
  size_t columns;
  assert_int_equal(utf8_fit("物流x", 3, &columns), 3); /* half a character is none */
  assert_int_equal(columns, 2);
  assert_int_equal(utf8_fit("Mu\xcc\x88ller", 2, &columns), 4); /* with the mark over it */
  assert_int_equal(columns, 2);
  assert_int_equal(utf8_fit("ab", 9, &columns), 2);
}

static void text_is_cut_where_a_character_ends(void **state) {
  (void)state;
  assert_int_equal(utf8_cut("a\xe2\x82\xac", 4), 4);
  assert_int_equal(utf8_cut("a\xe2\x82\xac", 3), 1);
  assert_int_equal(utf8_cut("a\xe2\x82\xac", 1), 1);
  assert_int_equal(utf8_cut("abc", 10), 3);
}

static void the_hash_is_blake2b_of_tag_and_parts(void **state) {
  (void)state;
  struct id one, parts_hashed;
  hash_one(&one, "a", "bc", 2);
  /* BLAKE2b-256 of "abc", from the reference implementation. */
  char text[65];
  hex_write(text, one.byte, ID_BYTES);
  assert_string_equal(text, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
  const struct bytes parts[] = {bytes_of("b", 1), bytes_of(NULL, 0), bytes_of("c", 1)};
  hash_parts(&parts_hashed, "a", parts, 3);
  assert_true(id_equal(&one, &parts_hashed));
}

int main(void) {
  if (bytes_start(NULL) != COLLEGA_OK) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(id_of_wrong_length_is_refused_and_zeroed),
      cmocka_unit_test(empty_bytes_are_equal_whatever_they_point_at),
      cmocka_unit_test(hex_goes_there_and_back),
      cmocka_unit_test(hex_of_another_length_or_alphabet_is_refused),
      cmocka_unit_test(a_prefix_of_an_id_fits_to_the_digit),
      cmocka_unit_test(a_prefix_has_1_to_64_digits),
      cmocka_unit_test(base64_goes_there_and_back),
      cmocka_unit_test(base64_that_does_not_fit_is_not_written),
      cmocka_unit_test(malformed_base64_is_refused),
      cmocka_unit_test(numbers_are_big_endian),
      cmocka_unit_test(utf8_is_read_strictly),
      cmocka_unit_test(text_has_no_controls_and_no_turned_direction),
      cmocka_unit_test(text_is_judged_the_same_at_every_place),
      cmocka_unit_test(columns_count_characters_not_bytes),
      cmocka_unit_test(text_is_cut_where_a_character_ends),
      cmocka_unit_test(the_hash_is_blake2b_of_tag_and_parts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
