/* The command line: parsing by the tables, what is said when it is wrong, and tables. */
#include "support.h"
#include "base/terminal/terminal.h"

/* What the last command was given. */
static struct {
  int runs;
  char words[200], accept_by[40], tags[80];
  bool json, draft;
  int64_t headcount;
  enum language language;
} seen;

static enum collega_status run(const struct arguments *arguments, struct collega_error *error) {
  seen.runs++;
  seen.words[0] = '\0';
  for (size_t i = 0; i < argument_count(arguments); i++) {
    strcat(seen.words, argument_at(arguments, i));
    strcat(seen.words, "|");
  }
  const char *value = argument_value(arguments, "accept-by");
  snprintf(seen.accept_by, sizeof seen.accept_by, "%s", value == NULL ? "(none)" : value);
  seen.tags[0] = '\0';
  for (size_t i = 0; (value = argument_value_at(arguments, "tag", i)) != NULL; i++) {
    strcat(seen.tags, value);
    strcat(seen.tags, "|");
  }
  seen.json = argument_json(arguments);
  seen.draft = argument_value(arguments, "draft") != NULL;
  seen.language = argument_language(arguments);
  return argument_number(arguments, "headcount", 1, 10000, 5, &seen.headcount, error);
}

static enum collega_status unreachable(const struct arguments *arguments,
                                       struct collega_error *error) {
  (void)arguments;
  return error_set(error, COLLEGA_UNREACHABLE, RULE_system_call, "broker", "a\x1b[31m\xff", "b",
                   NULL);
}

static enum collega_status home(const struct arguments *arguments, struct collega_error *error) {
  const char *path;
  enum collega_status status = argument_home(arguments, &path, error);
  if (status == COLLEGA_OK) printf("%s\n", path);
  return status;
}

static const struct option_row common[] = {
    {"home", "DIR", "de werkmap", "the home", false},
    {"json", NULL, "antwoord als JSON", "answer as JSON", false},
    {"lang", "nl|en", "de taal", "the language", false},
};
static const struct option_row publish_options[] = {
    {"accept-by", "TIME", "uiterlijk", "at the latest", false},
    {"headcount", "N", "aantal", "how many", false},
    {"tag", "TEXT", "kenmerk", "tag", true},
    {"draft", NULL, "concept", "draft", false},
};
static const struct command_row commands[] = {
    {"offer publish", "FILE ...", "publiceert", "publishes", publish_options, 4, 1, 2, run},
    {"offer list", "", "toont aanbod", "lists offers", NULL, 0, 0, 0, run},
    {"status", NULL, "toestand", "the state", NULL, 0, 0, 0, run},
    {"fail", "", "mislukt", "fails", NULL, 0, 0, 0, unreachable},
    {"home", "", "werkmap", "home", NULL, 0, 0, 0, home},
};
/* What `start` was told. */
static int started = -1;

static void note_start(enum language language) {
  started = (int)language;
}

static const struct program program = {.name = "demo",
                                       .nl = "een proef",
                                       .en = "a trial",
                                       .home_variable = "DEMO_HOME",
                                       .common = common,
                                       .common_count = 3,
                                       .commands = commands,
                                       .command_count = 5,
                                       .start = note_start};

static char said[20000], complained[4000];

/* Runs the line "demo WORD ..."; what it prints ends up in `said` and `complained`. */
static int demo(const char *first, ...) {
  static char copies[20][300];
  char *argv[22] = {copies[0]};
  int argc = 1;
  strcpy(copies[0], "demo");
  va_list list;
  va_start(list, first);
  for (const char *word = first; word != NULL; word = va_arg(list, const char *)) {
    snprintf(copies[argc], sizeof copies[argc], "%s", word);
    argv[argc] = copies[argc];
    argc++;
  }
  va_end(list);
  FILE *kept_out = stdout, *kept_error = stderr;
  memset(said, 0, sizeof said);
  memset(complained, 0, sizeof complained);
  memset(&seen, 0, sizeof seen);
  FILE *out = fmemopen(said, sizeof said - 1, "w");
  FILE *error = fmemopen(complained, sizeof complained - 1, "w");
  stdout = out;
  stderr = error;
  int result = program_main(&program, argc, argv);
  stdout = kept_out;
  stderr = kept_error;
  fclose(out);
  fclose(error);
  return result;
}

static int speak_english(void **state) {
  (void)state;
  return setenv("LC_ALL", "C", 1);
}

static void a_command_gets_its_words_and_options(void **state) {
  (void)state;
  assert_int_equal(demo("--json", "offer", "publish", "a.json", "--accept-by", "noon", "--draft",
                        "-", "--lang=nl", "--tag", "x", "--tag=y", NULL),
                   0);
  assert_int_equal(seen.runs, 1);
  assert_int_equal(started, LANGUAGE_NL); /* before the command, in its language */
  assert_string_equal(seen.words, "a.json|-|");
  assert_string_equal(seen.accept_by, "noon");
  assert_string_equal(seen.tags, "x|y|");
  assert_true(seen.json && seen.draft);
  assert_int_equal(seen.language, LANGUAGE_NL);
  assert_int_equal(seen.headcount, 5);
}

static void what_follows_two_hyphens_is_a_word(void **state) {
  (void)state;
  assert_int_equal(demo("offer", "publish", "--", "--draft", NULL), 0);
  assert_string_equal(seen.words, "--draft|");
  assert_false(seen.draft);
}

static void missing_and_surplus_words_are_refused_with_the_usage(void **state) {
  (void)state;
  assert_int_equal(demo("offer", "publish", NULL), 2);
  assert_string_equal(complained, "demo: something is missing: FILE ...\n");
  assert_int_equal(demo("offer", "publish", "a", "b", "c", NULL), 2);
  assert_string_equal(complained,
                      "demo: 'c' is too much; the usage is: demo offer publish FILE ...\n");
  assert_int_equal(demo("status", "x", NULL), 2);
  assert_string_equal(complained, "demo: 'x' is too much; the usage is: demo status\n");
  assert_int_equal(seen.runs, 0);
}

static void unknown_options_are_refused_and_the_nearest_is_told(void **state) {
  (void)state;
  assert_int_equal(demo("offer", "publish", "a", "--acept-by", "noon", NULL), 2);
  assert_string_equal(complained,
                      "demo: there is no option --acept-by here. Did you mean --accept-by?\n");
  assert_int_equal(demo("offer", "list", "--draft", NULL), 2); /* another command's */
  assert_string_equal(complained, "demo: there is no option --draft here\n");
  assert_int_equal(demo("--colour", "status", NULL), 2);
  assert_int_equal(demo("status", "-x", NULL), 2);
  assert_string_equal(complained, "demo: there is no option -x here\n");
}

static void options_keep_their_form(void **state) {
  (void)state;
  assert_int_equal(demo("offer", "publish", "a", "--accept-by", NULL), 2);
  assert_string_equal(complained, "demo: the option --accept-by needs a value\n");
  assert_int_equal(demo("offer", "publish", "a", "--draft=yes", NULL), 2);
  assert_string_equal(complained, "demo: the option --draft takes no value\n");
  assert_int_equal(demo("offer", "publish", "a", "--accept-by", "1", "--accept-by", "2", NULL), 2);
  assert_string_equal(complained, "demo: the option --accept-by may be given once only\n");
  assert_int_equal(demo("--lang", "fr", "status", NULL), 2);
  assert_string_equal(complained, "demo: --lang: must be nl or en\n");
}

static void numbers_keep_within_their_range(void **state) {
  (void)state;
  assert_int_equal(demo("offer", "publish", "a", "--headcount", "10000", NULL), 0);
  assert_int_equal(seen.headcount, 10000);
  static const char *const wrong[] = {"0", "10001", "-1", "ten", " ", "1x", "99999999999999999999"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    assert_int_equal(demo("offer", "publish", "a", "--headcount", wrong[i], NULL), 2);
    assert_string_equal(complained, "demo: --headcount: must be a whole number from 1 to 10000\n");
  }
}

static void what_is_empty_is_no_value_no_word_and_no_command(void **state) {
  (void)state;
  assert_int_equal(demo("offer", "publish", "a", "--headcount", "", NULL), 2);
  assert_string_equal(complained, "demo: the option --headcount has an empty value\n");
  assert_int_equal(demo("offer", "publish", "a", "--accept-by=", NULL), 2);
  assert_string_equal(complained, "demo: the option --accept-by has an empty value\n");
  assert_int_equal(demo("offer", "publish", "", NULL), 2);
  assert_string_equal(complained,
                      "demo: an empty word is not possible here; needed is: FILE ...\n");
  assert_int_equal(demo("", NULL), 2);
  assert_string_equal(complained, "demo: there is no command ''; 'demo help' lists them\n");
  assert_int_equal(demo("offer", "", NULL), 2);
  assert_string_equal(complained, "demo: there is no command 'offer '; 'demo help' lists them\n");
}

static void the_nearest_command_is_suggested(void **state) {
  (void)state;
  assert_int_equal(demo("offer", "pubish", "a.json", NULL), 2);
  assert_string_equal(complained,
                      "demo: there is no command 'offer pubish'. Did you mean 'offer publish'?\n");
  assert_int_equal(demo("sttaus", NULL), 2);
  assert_string_equal(complained, "demo: there is no command 'sttaus'. Did you mean 'status'?\n");
  assert_int_equal(demo("--lang", "nl", "sttaus", NULL), 2);
  assert_string_equal(complained,
                      "demo: het commando 'sttaus' bestaat niet. Bedoelt u 'status'?\n");
  assert_int_equal(demo("invoice", NULL), 2);
  assert_string_equal(complained, "demo: there is no command 'invoice'; 'demo help' lists them\n");
  assert_int_equal(demo(NULL), 2);
  assert_string_equal(complained, "demo: which command? 'demo help' lists them\n");
  assert_int_equal(demo("", NULL), 2);
}

static void half_a_command_is_told_how_to_go_on(void **state) {
  (void)state;
  assert_int_equal(demo("offer", NULL), 2);
  assert_string_equal(complained,
                      "demo: the command 'offer' is incomplete; choose from: publish, list\n");
}

static void a_very_long_line_is_only_unknown(void **state) {
  (void)state;
  char word[250];
  memset(word, 'x', sizeof word - 1);
  word[sizeof word - 1] = '\0';
  assert_int_equal(demo(word, word, NULL), 2);
  assert_int_equal(demo("offer", "publish", "a", "--accept-by", word, word, word, NULL), 2);
}

static void errors_are_safe_for_the_terminal_and_for_programs(void **state) {
  (void)state;
  assert_int_equal(demo("fail", NULL), 3);
  assert_string_equal(complained, "demo: broker: a\\x1b[31m\\xff: b\n");
  assert_int_equal(demo("fail", "--json", NULL), 3);
  assert_string_equal(complained,
                      "{\"error\":{\"status\":\"unreachable\",\"rule\":\"system_call\",\"field\":"
                      "\"broker\",\"message\":\"a\\u001B[31m\\\\xff: b\",\"arguments\":"
                      "[\"a\\u001B[31m\\\\xff\",\"b\"]}}\n");
  assert_int_equal(demo("--json", "nothing", NULL), 2);
  assert_int_equal(strncmp(complained, "{\"error\":{\"status\":\"usage\"", 26), 0);
}

static void the_home_comes_from_the_option_then_the_variable(void **state) {
  (void)state;
  unsetenv("DEMO_HOME");
  assert_int_equal(demo("home", NULL), 2);
  assert_string_equal(complained, "demo: which home? Give --home DIR or set DEMO_HOME\n");
  setenv("DEMO_HOME", "/a", 1);
  assert_int_equal(demo("home", NULL), 0);
  assert_string_equal(said, "/a\n");
  assert_int_equal(demo("home", "--home", "/b", NULL), 0);
  assert_string_equal(said, "/b\n");
  unsetenv("DEMO_HOME");
}

static void help_is_given_in_the_readers_language(void **state) {
  (void)state;
  assert_int_equal(demo("--help", NULL), 0);
  assert_non_null(strstr(said, "offer publish FILE ...          publishes\n"));
  assert_non_null(strstr(said, "--home DIR"));
  assert_int_equal(demo("help", "offer", "publish", "--lang", "nl", NULL), 0);
  assert_int_equal(demo("--lang", "nl", "help", "offer", "publish", NULL), 0);
  assert_non_null(strstr(said, "Gebruik: demo offer publish FILE ..."));
  assert_non_null(strstr(said, "--accept-by TIME                uiterlijk\n"));
  assert_int_equal(demo("offer", "publish", "--help", NULL), 0);
  assert_non_null(strstr(said, "at the latest"));
  assert_int_equal(demo("offer", "--help", NULL), 0);
  assert_non_null(strstr(said, "offer list"));
  assert_null(strstr(said, "status"));
  assert_int_equal(demo("help", "sttaus", NULL), 2);
  assert_int_equal(demo("--version", NULL), 0);
  assert_string_equal(said, "demo " COLLEGA_VERSION "\n");
}

static void man_page_and_completion_name_every_command(void **state) {
  (void)state;
  char text[8000] = "";
  FILE *out = fmemopen(text, sizeof text - 1, "w");
  program_man_page(&program, out);
  fclose(out);
  assert_non_null(strstr(text, ".TH DEMO 1"));
  assert_non_null(strstr(text, ".SS \"offer publish FILE ...\"\npublishes\n"));
  assert_non_null(strstr(text, "\\fB\\-\\-accept\\-by\\fR \\fITIME\\fR\nat the latest\n"));
  memset(text, 0, sizeof text);
  out = fmemopen(text, sizeof text - 1, "w");
  program_completion(&program, out);
  fclose(out);
  assert_non_null(strstr(text, "'') next='offer status fail home help' ;;\n"));
  assert_non_null(strstr(text, "'offer') next='publish list ' ;;\n"));
  assert_non_null(strstr(
      text, "'offer publish '*) kind=files options='--accept-by --headcount --tag --draft "));
}

static void columns_are_aligned_by_characters(void **state) {
  (void)state;
  char text[500] = "";
  struct table *table = table_new(3, (const char *const[]){"id", "aantal", "naam"}, 1 << 1);
  table_row(table, (const char *const[]){"a1", "12", "Müller"});
  table_row(table, (const char *const[]){"é", "7", "x\x1b[2J\ny"});
  table_row(table, (const char *const[]){NULL, "100000000", ""});
  FILE *out = fmemopen(text, sizeof text - 1, "w");
  table_print(table, out);
  fclose(out);
  table_destroy(&table);
  assert_null(table);
  assert_string_equal(text, "id     aantal  naam\n"
                            "a1         12  Müller\n"
                            "é           7  x\\x1b[2J\\ny\n"
                            "    100000000  \n");
}

static void text_from_outside_cannot_drive_the_terminal(void **state) {
  (void)state;
  struct arena *arena = arena_new(256, 4096);
  assert_string_equal(terminal_safe(arena, "plain é"), "plain é");
  assert_string_equal(terminal_safe(arena, "\x1b]0;x\a\t\n\xe2\x80\xae\xc2\x9b\xff"),
                      "\\x1b]0;x\\x07\\t\\n\\u202e\\x9b\\xff");
  FILE *file = tmpfile();
  assert_false(terminal_colour(file));
  fclose(file);
  arena_destroy(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_command_gets_its_words_and_options),
      cmocka_unit_test(what_follows_two_hyphens_is_a_word),
      cmocka_unit_test(missing_and_surplus_words_are_refused_with_the_usage),
      cmocka_unit_test(unknown_options_are_refused_and_the_nearest_is_told),
      cmocka_unit_test(options_keep_their_form),
      cmocka_unit_test(numbers_keep_within_their_range),
      cmocka_unit_test(what_is_empty_is_no_value_no_word_and_no_command),
      cmocka_unit_test(the_nearest_command_is_suggested),
      cmocka_unit_test(half_a_command_is_told_how_to_go_on),
      cmocka_unit_test(a_very_long_line_is_only_unknown),
      cmocka_unit_test(errors_are_safe_for_the_terminal_and_for_programs),
      cmocka_unit_test(the_home_comes_from_the_option_then_the_variable),
      cmocka_unit_test(help_is_given_in_the_readers_language),
      cmocka_unit_test(man_page_and_completion_name_every_command),
      cmocka_unit_test(columns_are_aligned_by_characters),
      cmocka_unit_test(text_from_outside_cannot_drive_the_terminal),
  };
  return cmocka_run_group_tests(tests, speak_english, NULL);
}
