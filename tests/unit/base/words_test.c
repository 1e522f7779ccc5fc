/* The sentences, and errors as values. */
#include "support.h"
#include <errno.h>

static const struct {
  const char *name, *nl, *en;
} sentences[] = {
#define WORDS(name, nl, en) {#name, nl, en},
#include "base/words.def"
#undef WORDS
};
enum { SENTENCES = sizeof sentences / sizeof sentences[0] };

/* The set of %1 .. %4 and %w1 .. %w4 in a sentence, a bit each; -1: a stray percent sign. */
static int marks(const char *sentence) {
  int set = 0;
  for (const char *at = sentence; (at = strchr(at, '%')) != NULL; at++) {
    const char *digit = at[1] == 'w' ? at + 2 : at + 1;
    if (*digit >= '1' && *digit <= '4')
      set |= 1 << (*digit - '0');
    else if (at[1] != ' ' && at[1] != '\0' && at[1] != ';' && at[1] != ',')
      return -1;
  }
  return set;
}

/* Rules that are given a word in Dutch as %1 and the same word in English as %2. */
static bool by_language(const char *name) {
  static const char ending[] = "_by_language";
  size_t length = strlen(name);
  return length >= sizeof ending - 1 && strcmp(name + length - (sizeof ending - 1), ending) == 0;
}

static void every_rule_has_both_sentences_with_the_same_arguments(void **state) {
  (void)state;
  assert_int_equal(SENTENCES, RULE_COUNT - 1);
  for (size_t i = 0; i < SENTENCES; i++) {
    if (sentences[i].nl[0] == '\0' || sentences[i].en[0] == '\0')
      fail_msg("%s lacks a sentence", sentences[i].name);
    if (!utf8_text((const uint8_t *)sentences[i].nl, strlen(sentences[i].nl), false) ||
        !utf8_text((const uint8_t *)sentences[i].en, strlen(sentences[i].en), false))
      fail_msg("%s is not plain text", sentences[i].name);
    int dutch = marks(sentences[i].nl), english = marks(sentences[i].en);
    if (by_language(sentences[i].name)) {
      /* Both sentences take the word of their own language, which is %1 or %2. */
      if (dutch < 0 || english < 0 || (dutch & 6) != 2 || (english & 6) != 4)
        fail_msg("%s takes the word of the other language", sentences[i].name);
      dutch |= 4;
      english |= 2;
    }
    if (dutch != english || dutch < 0)
      fail_msg("%s has other arguments in Dutch than in English", sentences[i].name);
    /* Arguments count from 1 without a gap. */
    if (((dutch >> 1) & ((dutch >> 1) + 1)) != 0) fail_msg("%s has a gap", sentences[i].name);
  }
}

static void a_rule_keeps_its_name(void **state) {
  (void)state;
  for (unsigned rule = 1; rule < RULE_COUNT; rule++)
    assert_int_equal(rule_from_name(rule_name((enum rule)rule)), rule);
  assert_string_equal(rule_name(RULE_disk_full), "disk_full");
  assert_int_equal(rule_from_name("of a newer program"), RULE_NONE);
  assert_int_equal(rule_from_name(""), RULE_NONE);
  assert_string_equal(rule_name((enum rule)(RULE_COUNT + 5)), "none");
}

static void arguments_take_their_places(void **state) {
  (void)state;
  char out[200];
  const char *const arguments[] = {"/data", "NFS"};
  size_t length = words_render(LANGUAGE_EN, RULE_disk_remote, arguments, 2, out, sizeof out);
  assert_string_equal(out, "/data is on a network file system (NFS); a database must be on a local "
                           "disk");
  assert_int_equal(length, strlen(out));
  words_render(LANGUAGE_NL, RULE_out_of_memory, NULL, 0, out, sizeof out);
  assert_string_equal(out, "te weinig geheugen");
  words_render(LANGUAGE_EN, RULE_system_call, (const char *const[]){"%2", "%1"}, 2, out,
               sizeof out);
  assert_string_equal(out, "%2: %1"); /* an argument is not a sentence */
  words_render(LANGUAGE_EN, RULE_system_call, arguments, 1, out, sizeof out);
  assert_string_equal(out, "/data: ?");
}

static void a_sentence_is_cut_where_a_character_ends(void **state) {
  (void)state;
  char out[6];
  const char *const arguments[] = {"ab\xe2\x82\xac", "x"};
  assert_int_equal(words_render(LANGUAGE_EN, RULE_system_call, arguments, 2, out, 5), 2);
  assert_string_equal(out, "ab");
  assert_int_equal(words_render(LANGUAGE_EN, RULE_system_call, arguments, 2, out, 6), 5);
  assert_int_equal(words_render(LANGUAGE_EN, RULE_system_call, arguments, 2, out, 1), 0);
  assert_string_equal(out, "");
  assert_int_equal(words_render(LANGUAGE_EN, RULE_system_call, arguments, 2, out, 0), 0);
}

static void the_language_comes_from_the_option_or_the_environment(void **state) {
  (void)state;
  setenv("LC_ALL", "nl_NL.UTF-8", 1);
  assert_int_equal(language_choose(NULL), LANGUAGE_NL);
  assert_int_equal(language_choose("en"), LANGUAGE_EN);
  setenv("LC_ALL", "C", 1);
  setenv("LANG", "nl_NL", 1);
  assert_int_equal(language_choose(NULL), LANGUAGE_EN);
  assert_int_equal(language_choose("nl"), LANGUAGE_NL);
  setenv("LC_ALL", "", 1);
  unsetenv("LC_MESSAGES");
  assert_int_equal(language_choose(NULL), LANGUAGE_NL);
  setenv("LANG", "nlx", 1);
  assert_int_equal(language_choose("fr"), LANGUAGE_EN);
  unsetenv("LANG");
  assert_int_equal(language_choose(NULL), LANGUAGE_EN);
}

static void an_error_says_field_and_sentence(void **state) {
  (void)state;
  struct collega_error error;
  char out[200];
  assert_int_equal(
      error_set(&error, COLLEGA_USAGE, RULE_option_number, "headcount", "1", "10000", NULL),
      COLLEGA_USAGE);
  error_render(LANGUAGE_EN, &error, out, sizeof out);
  assert_string_equal(out, "headcount: must be a whole number from 1 to 10000");
  error_prefix(&error, "offer");
  assert_string_equal(error.field, "offer.headcount");
  error_set(&error, COLLEGA_INVALID, RULE_out_of_memory, "[3]", NULL);
  error_prefix(&error, "offers");
  assert_string_equal(error.field, "offers[3]");
  error_set(&error, COLLEGA_INVALID, RULE_out_of_memory, NULL, NULL);
  error_render(LANGUAGE_EN, &error, out, sizeof out);
  assert_string_equal(out, "out of memory");
  error_prefix(&error, "body");
  assert_string_equal(error.field, "body");
}

static void an_error_keeps_within_its_size(void **state) {
  (void)state;
  struct collega_error error;
  char longest[400];
  memset(longest, 'x', sizeof longest - 1);
  longest[sizeof longest - 1] = '\0';
  error_set(&error, COLLEGA_INVALID, RULE_system_call, longest, longest, longest, longest, longest,
            longest, NULL);
  assert_int_equal(strlen(error.field), sizeof error.field - 1);
  assert_int_equal(strlen(error.argument[3]), sizeof error.argument[3] - 1);
  error_prefix(&error, longest);
  assert_int_equal(strlen(error.field), sizeof error.field - 1);
  /* Its own parts may be given to it. */
  error_set(&error, COLLEGA_INVALID, RULE_system_call, "f", "one", "two", NULL);
  error_set(&error, COLLEGA_INVALID, RULE_system_call, error.field, error.argument[1],
            error.argument[0], NULL);
  assert_string_equal(error.argument[0], "two");
  assert_string_equal(error.argument[1], "one");
  error_clear(&error);
  assert_int_equal(error.status, COLLEGA_OK);
  /* Nobody wants the words. */
  assert_int_equal(error_set(NULL, COLLEGA_BUSY, RULE_NONE, NULL, NULL), COLLEGA_BUSY);
  error_prefix(NULL, "x");
  error_clear(NULL);
}

/* Wherever a long text is cut: a character is there whole or not at all, and a byte that is none is told as "\\xff". */
static void an_error_is_cut_where_a_character_ends(void **state) {
  (void)state;
  static const struct {
    const char *given, *told;
  } pieces[] = {{"e\x7f", "e\x7f"}, {"é", "é"}, {"€", "€"}, {"😀", "😀"}, {"\xe2\x82", "\\xe2\\x82"}};
  struct collega_error error;
  for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
    for (size_t before = 100; before < sizeof error.argument[0] + 2; before++) {
      char given[200], told[200];
      snprintf(given, sizeof given, "%.*s%sz", (int)before,
               "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
               "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
               pieces[i].given);
      snprintf(told, sizeof told, "%.*s%sz", (int)before, given, pieces[i].told);
      error_set(&error, COLLEGA_INVALID, RULE_system_call, NULL, given, NULL);
      size_t length = strlen(error.argument[0]), whole = strlen(told);
      assert_memory_equal(error.argument[0], told, length);
      assert_true(utf8_valid((const uint8_t *)error.argument[0], length));
      if (whole < sizeof error.argument[0]) assert_int_equal(length, whole);
      assert_true(length == whole || length + 4 >= sizeof error.argument[0] - 1);
    }
  }
}

static void a_failed_system_call_says_why(void **state) {
  (void)state;
  struct collega_error error;
  char out[200];
  assert_int_equal(error_system(&error, "/nowhere", ENOENT), COLLEGA_SYSTEM);
  error_render(LANGUAGE_EN, &error, out, sizeof out);
  assert_string_equal(out, "/nowhere: no such file or directory");
  error_render(LANGUAGE_NL, &error, out, sizeof out);
  assert_string_equal(out, "/nowhere: dit bestand of deze map bestaat niet");
  assert_int_equal(error_system(&error, "/full", ENOSPC), COLLEGA_FULL);
  error_system(&error, "/odd", ENOANO); /* nobody meets it: the system's own text */
  error_render(LANGUAGE_NL, &error, out, sizeof out);
  assert_string_equal(out, "/odd: No anode");
}

static void reasons_are_sentences_without_arguments(void **state) {
  (void)state;
  size_t found = 0;
  for (int number = 1; number < 200; number++) {
    const char *reason = system_reason(number, "");
    if (*reason == '\0') continue;
    enum rule rule = rule_from_name(reason);
    assert_int_not_equal(rule, RULE_NONE);
    assert_true(strncmp(reason, "reason_", 7) == 0);
    found++;
  }
  size_t said = 0;
  for (size_t i = 0; i < SENTENCES; i++) {
    if (strncmp(sentences[i].name, "reason_", 7) != 0) continue;
    assert_int_equal(marks(sentences[i].nl), 0);
    said++;
  }
  assert_int_equal(found, said); /* each error its own */
  assert_true(found >= 20);
}

static void a_sentence_within_a_sentence_is_looked_up_only_where_it_is_asked_for(void **state) {
  (void)state;
  char out[200];
  const char *const arguments[] = {"reason_permission", "reason_permission"};
  words_render(LANGUAGE_NL, RULE_system_call, arguments, 2, out, sizeof out);
  assert_string_equal(out, "reason_permission: geen toegang");
  words_render(LANGUAGE_NL, RULE_system_call, arguments, 1, out, sizeof out);
  assert_string_equal(out, "reason_permission: ?");
  words_render(LANGUAGE_EN, RULE_system_call, (const char *const[]){"a", "%w1 system_call"}, 2, out,
               sizeof out);
  assert_string_equal(out, "a: %w1 system_call");
}

static void statuses_have_the_promised_exit_status(void **state) {
  (void)state;
  assert_int_equal(error_exit_status(COLLEGA_OK), 0);
  assert_int_equal(error_exit_status(COLLEGA_REFUSED), 1);
  assert_int_equal(error_exit_status(COLLEGA_NOT_FOUND), 1);
  assert_int_equal(error_exit_status(COLLEGA_USAGE), 2);
  assert_int_equal(error_exit_status(COLLEGA_UNREACHABLE), 3);
  assert_int_equal(error_exit_status(COLLEGA_BUSY), 3);
}

static void a_fraction_has_two_decimals_and_the_comma_of_its_language(void **state) {
  (void)state;
  static const struct {
    double value;
    const char *dutch, *english;
  } cases[] = {{0, "0,00", "0.00"},      {1, "1,00", "1.00"},      {0.925, "0,93", "0.93"},
               {0.8349, "0,83", "0.83"}, {12.5, "12,50", "12.50"}, {-0.25, "-0,25", "-0.25"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char text[FRACTION_BYTES];
    fraction_write(text, LANGUAGE_NL, cases[i].value);
    assert_string_equal(text, cases[i].dutch);
    fraction_write(text, LANGUAGE_EN, cases[i].value);
    assert_string_equal(text, cases[i].english);
  }
  char cut[FRACTION_BYTES];
  fraction_write(cut, LANGUAGE_NL, 1e300);
  assert_int_equal(strlen(cut), FRACTION_BYTES - 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_rule_has_both_sentences_with_the_same_arguments),
      cmocka_unit_test(a_rule_keeps_its_name),
      cmocka_unit_test(arguments_take_their_places),
      cmocka_unit_test(a_sentence_is_cut_where_a_character_ends),
      cmocka_unit_test(the_language_comes_from_the_option_or_the_environment),
      cmocka_unit_test(an_error_says_field_and_sentence),
      cmocka_unit_test(an_error_keeps_within_its_size),
      cmocka_unit_test(an_error_is_cut_where_a_character_ends),
      cmocka_unit_test(a_failed_system_call_says_why),
      cmocka_unit_test(reasons_are_sentences_without_arguments),
      cmocka_unit_test(a_sentence_within_a_sentence_is_looked_up_only_where_it_is_asked_for),
      cmocka_unit_test(a_fraction_has_two_decimals_and_the_comma_of_its_language),
      cmocka_unit_test(statuses_have_the_promised_exit_status),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
