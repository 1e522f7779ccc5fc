/* Settings: defaults, kinds, ranges, and errors that name file and line. */
#include "support.h"
#include "base/config.h"
#include "base/log.h"

static const struct setting table[] = {
    {"link.listen", SETTING_TEXT, "tcp://127.0.0.1:7440", 1, 40, "waar", "where", false, NULL},
    {"link.members", SETTING_NUMBER, "100", 1, 100000, "hoeveel", "how many", false, NULL},
    {"store.map_gib", SETTING_NUMBER, "64", 1, 1024, "adresruimte", "address space", false, NULL},
    {"store.strict", SETTING_FLAG, "no", 0, 0, "streng", "strict", false, NULL},
    {"store.speed", SETTING_CHOICE, "fair", 0, 0, "hoe snel", "how fast", true, "slow|fair|fast"},
    {LOG_LEVEL_SETTING, SETTING_CHOICE, "info", 0, 0, "log", "log", true, LOG_LEVEL_CHOICES},
};
enum { COUNT = sizeof table / sizeof table[0] };

static enum collega_status load(struct scratch *scratch, const char *text, struct config **config,
                                struct collega_error *error) {
  const char *path = scratch_path(scratch, "settings.ini");
  scratch_write(path, text, strlen(text));
  return config_load(path, table, COUNT, config, error);
}

static void a_missing_file_means_all_defaults(void **state) {
  struct config *config;
  assert_int_equal(config_load(scratch_path(*state, "none.ini"), table, COUNT, &config, NULL),
                   COLLEGA_OK);
  assert_string_equal(config_text(config, "link.listen"), "tcp://127.0.0.1:7440");
  assert_int_equal(config_number(config, "store.map_gib"), 64);
  assert_int_equal(config_number(config, "store.strict"), 0);
  config_destroy(&config);
  assert_null(config);
}

static void a_file_changes_what_it_names(void **state) {
  struct config *config;
  struct collega_error error;
  assert_int_equal(load(*state,
                        "; remark\n[link]\nmembers = 7\n\n[store]\nstrict = yes ; why\n"
                        "map_gib=1024",
                        &config, &error),
                   COLLEGA_OK);
  assert_int_equal(config_number(config, "link.members"), 7);
  assert_int_equal(config_number(config, "store.strict"), 1);
  assert_int_equal(config_number(config, "store.map_gib"), 1024);
  assert_string_equal(config_text(config, "link.members"), "7");
  config_destroy(&config);
}

/* Loads `text`, which must fail by `rule` on `line`. */
static void refused(void **state, const char *text, enum rule rule, const char *line) {
  struct config *config;
  struct collega_error error;
  assert_int_equal(load(*state, text, &config, &error), COLLEGA_INVALID);
  assert_null(config);
  assert_string_equal(rule_name(error.rule), rule_name(rule));
  assert_string_equal(error.argument[0], ((struct scratch *)*state)->path);
  assert_string_equal(error.argument[1], line);
}

static void wrong_settings_are_refused_with_file_and_line(void **state) {
  refused(state, "[link]\nmembres = 7\n", RULE_config_unknown, "2");
  refused(state, "\n\n[link]\n\nmembers = 0\n", RULE_config_number, "5");
  refused(state, "[link]\nmembers = 100001\n", RULE_config_number, "2");
  refused(state, "[link]\nmembers = 7x\n", RULE_config_number, "2");
  refused(state, "[link]\nmembers =\n", RULE_config_number, "2");
  refused(state, "[link]\nmembers = 99999999999999999999\n", RULE_config_number, "2");
  refused(state, "[store]\nstrict = perhaps\n", RULE_config_flag, "2");
  refused(state, "[link]\nlisten =\n", RULE_config_text, "2");
  refused(state, "[link]\nlisten = \x1b[31m\n", RULE_config_text, "2");
  refused(state, "[link]\nlisten = 12345678901234567890123456789012345678901\n", RULE_config_text,
          "2");
  refused(state, "[link]\nmembers = 7\nmembers = 8\n", RULE_config_twice, "3");
  refused(state, "members = 7\n", RULE_config_unknown, "1");
}

static void lines_that_are_no_settings_are_refused(void **state) {
  refused(state, "[link]\nmembers\n", RULE_config_syntax, "2");
  refused(state, "[link\nmembers = 7\n", RULE_config_syntax, "1");
  refused(state, "[link]\nmembers\nmembers = 0\n", RULE_config_syntax, "2");
  char text[400];
  memset(text, 'x', sizeof text);
  memcpy(text, "[link]\nlisten=", 14);
  text[sizeof text - 2] = '\n';
  text[sizeof text - 1] = '\0';
  refused(state, text, RULE_config_line_long, "2");
}

static void the_sentence_reads_well(void **state) {
  struct config *config;
  struct collega_error error;
  assert_int_equal(load(*state, "[link]\nmembers = 0\n", &config, &error), COLLEGA_INVALID);
  char out[300], expected[300];
  error_render(LANGUAGE_NL, &error, out, sizeof out);
  snprintf(expected, sizeof expected,
           "%s, regel 2: link.members moet een geheel getal zijn van 1..100000",
           ((struct scratch *)*state)->path);
  assert_string_equal(out, expected);
}

static void the_template_holds_all_settings_and_changes_none(void **state) {
  struct collega_error error;
  struct config *config;
  const char *path = scratch_path(*state, "settings.ini");
  assert_int_equal(config_write_template(path, table, COUNT, &error), COLLEGA_OK);
  assert_int_equal(config_load(path, table, COUNT, &config, &error), COLLEGA_OK);
  assert_int_equal(config_number(config, "link.members"), 100);
  config_destroy(&config);
  char text[2000] = "";
  FILE *file = fopen(path, "r");
  assert_true(fread(text, 1, sizeof text - 1, file) > 0);
  fclose(file);
  assert_non_null(strstr(text, "[link]\n"));
  assert_non_null(strstr(text, "; waar (bij een nieuwe start)\n; where (at the next start)\n"
                               ";listen = tcp://127.0.0.1:7440\n"));
  assert_non_null(strstr(text, "\n\n[store]\n"));
  assert_non_null(strstr(text, "; 1..1024\n;map_gib = 64\n"));
  assert_non_null(strstr(text, "(at once at SIGHUP)\n; slow|fair|fast\n;speed = fair\n"));
  assert_int_equal(config_write_template(path, table, COUNT, &error), COLLEGA_EXISTS);
}

static void a_choice_is_one_of_its_words_and_nothing_else(void **state) {
  struct config *config;
  struct collega_error error;
  assert_int_equal(load(*state, "", &config, &error), COLLEGA_OK);
  assert_int_equal(config_number(config, "store.speed"), 1);
  config_destroy(&config);
  assert_int_equal(load(*state, "[store]\nspeed = fast\n", &config, &error), COLLEGA_OK);
  assert_int_equal(config_number(config, "store.speed"), 2);
  config_destroy(&config);
  static const char *const wrong[] = {"", "fas", "slow|fair", "FAST", "faster", "air"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    char text[80];
    snprintf(text, sizeof text, "[store]\nspeed = %s\n", wrong[i]);
    refused(state, text, RULE_config_choice, "2");
  }
}

/* ---- reading again */

struct taking {
  int64_t members;
  bool refuse;
  int asked;
};

static enum collega_status take(void *context, const struct config *fresh,
                                struct collega_error *error) {
  struct taking *taking = context;
  taking->asked++;
  taking->members = config_number(fresh, "link.members");
  return taking->refuse ? error_set(error, COLLEGA_INVALID, RULE_out_of_memory, NULL, NULL)
                        : COLLEGA_OK;
}

static void what_is_read_again_replaces_only_what_was_accepted(void **state) {
  struct config *config;
  struct collega_error error;
  struct taking taking = {0};
  struct scratch *scratch = *state;
  assert_int_equal(load(scratch, "[link]\nmembers = 7\n", &config, &error), COLLEGA_OK);
  const char *path = scratch_path(scratch, "settings.ini");
  static const char eight[] = "[link]\nmembers = 8\n", wrong[] = "[link]\nmembers = x\n";
  scratch_write(path, wrong, strlen(wrong));
  assert_false(config_reload(path, &config, take, &taking));
  assert_int_equal(taking.asked, 0);
  scratch_write(path, eight, strlen(eight));
  taking.refuse = true;
  assert_false(config_reload(path, &config, take, &taking));
  assert_int_equal(taking.members, 8);
  assert_int_equal(config_number(config, "link.members"), 7);
  taking.refuse = false;
  assert_true(config_reload(path, &config, take, &taking));
  assert_int_equal(config_number(config, "link.members"), 8);
  config_destroy(&config);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      scratch_test(a_missing_file_means_all_defaults),
      scratch_test(a_file_changes_what_it_names),
      scratch_test(wrong_settings_are_refused_with_file_and_line),
      scratch_test(lines_that_are_no_settings_are_refused),
      scratch_test(the_sentence_reads_well),
      scratch_test(the_template_holds_all_settings_and_changes_none),
      scratch_test(a_choice_is_one_of_its_words_and_nothing_else),
      scratch_test(what_is_read_again_replaces_only_what_was_accepted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
