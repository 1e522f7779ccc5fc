/* The log, as it arrives on standard error. */
#include "support.h"
#include "base/log.h"
#include <fcntl.h>

/* Sends standard error to a file while `write_lines` runs; returns what was written. */
static const char *captured(struct scratch *scratch, void (*write_lines)(void)) {
  static char text[8192];
  const char *path = scratch_path(scratch, "log");
  int kept = dup(STDERR_FILENO);
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  assert_true(kept >= 0 && fd >= 0);
  dup2(fd, STDERR_FILENO);
  write_lines();
  dup2(kept, STDERR_FILENO);
  ssize_t length = pread(fd, text, sizeof text - 1, 0);
  close(fd);
  close(kept);
  text[length < 0 ? 0 : length] = '\0';
  return text;
}

static void three_levels(void) {
  log_threshold(LOG_INFO);
  log_debug("quiet", "nothing");
  log_info("started", "port=%d", 7440);
  log_error("stopped", "%s", "");
}

static void lines_have_time_level_event_and_text(void **state) {
  unsetenv("COLLEGA_LOG");
  const char *text = captured(*state, three_levels);
  assert_null(strstr(text, "quiet"));
  assert_non_null(strstr(text, "Z info started port=7440\n"));
  assert_non_null(strstr(text, "Z error stopped\n"));
}

static void the_environment_overrides_the_threshold(void **state) {
  setenv("COLLEGA_LOG", "debug", 1);
  assert_non_null(strstr(captured(*state, three_levels), " debug quiet nothing\n"));
  setenv("COLLEGA_LOG", "error", 1);
  assert_null(strstr(captured(*state, three_levels), "started"));
  unsetenv("COLLEGA_LOG");
}

static void hostile(void) {
  log_threshold(LOG_INFO);
  log_info("name", "name=%s", "a\nb\x1b[31m\xff \xe2\x80\xae é");
}

static void values_from_outside_are_escaped(void **state) {
  const char *text = captured(*state, hostile);
  assert_non_null(strstr(text, "name=a\\x0ab\\x1b[31m\\xff \\xe2\\x80\\xae é\n"));
}

static void endless(void) {
  char text[6000];
  memset(text, '\n', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  log_info("long", "%s", text);
}

static void long_lines_are_cut(void **state) {
  const char *text = captured(*state, endless);
  size_t length = strlen(text);
  assert_true(length > 1000 && length <= 2049);
  assert_ptr_equal(strchr(text, '\n'), text + length - 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      scratch_test(lines_have_time_level_event_and_text),
      scratch_test(the_environment_overrides_the_threshold),
      scratch_test(values_from_outside_are_escaped),
      scratch_test(long_lines_are_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
