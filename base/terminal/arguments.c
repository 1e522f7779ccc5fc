/* What was typed: getopt_long fed from the tables, and the answers that commands ask of it. */
#include "base/terminal/parts.h"
#include "base/suggest.h"
#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* getopt's numbers for long options begin beyond the characters. */
#define FIRST_LONG 256

static const struct option_row built_in[] = {
    {.name = "help", .nl = "laat deze hulp zien", .en = "show this help"},
    {.name = "version", .nl = "laat de versie zien", .en = "show the version"}};
enum { BUILT_IN = sizeof built_in / sizeof built_in[0] };

/* The rows that hold for these arguments, in getopt's order: common, the command's, built in. */
static const struct option_row *row_at(const struct arguments *arguments, size_t index) {
  const struct program *program = arguments->program;
  const struct command_row *command = arguments->command;
  if (index < program->common_count) return &program->common[index];
  index -= program->common_count;
  size_t own = command == NULL ? 0 : command->option_count;
  if (index < own) return &command->options[index];
  index -= own;
  return index < BUILT_IN ? &built_in[index] : NULL;
}

static size_t row_count(const struct arguments *arguments) {
  size_t own = arguments->command == NULL ? 0 : arguments->command->option_count;
  return arguments->program->common_count + own + BUILT_IN;
}

static enum collega_status unknown_option(const struct arguments *arguments, const char *typed,
                                          struct collega_error *error) {
  const char *name = typed + strspn(typed, "-");
  char bare[64];
  snprintf(bare, sizeof bare, "%.*s", (int)strcspn(name, "="), name);
  const char *nearest = NULL;
  size_t smallest = SIZE_MAX;
  for (size_t i = 0; i < row_count(arguments); i++) {
    size_t distance = edit_distance(bare, row_at(arguments, i)->name);
    if (distance >= smallest) continue;
    smallest = distance;
    nearest = row_at(arguments, i)->name;
  }
  if (nearest == NULL || !near_enough(bare, smallest))
    return error_set(error, COLLEGA_USAGE, RULE_option_unknown, NULL, typed, NULL);
  char suggestion[80];
  snprintf(suggestion, sizeof suggestion, "--%s", nearest);
  return error_set(error, COLLEGA_USAGE, RULE_option_unknown_suggest, NULL, typed, suggestion,
                   NULL);
}

/* getopt returned '?' or ':'; *typed is the word that it stopped at. */
static enum collega_status refused_option(const struct arguments *arguments, int answer, int which,
                                          const char *typed, struct collega_error *error) {
  char name[80];
  if (which >= FIRST_LONG) {
    snprintf(name, sizeof name, "--%s", row_at(arguments, (size_t)(which - FIRST_LONG))->name);
    enum rule rule = answer == ':' ? RULE_option_needs_value : RULE_option_takes_no_value;
    return error_set(error, COLLEGA_USAGE, rule, NULL, name, NULL);
  }
  if (which != 0) {
    snprintf(name, sizeof name, "-%c", which);
    return error_set(error, COLLEGA_USAGE, RULE_option_unknown, NULL, name, NULL);
  }
  return unknown_option(arguments, typed, error);
}

static enum collega_status take_option(struct arguments *arguments, const struct option_row *row,
                                       const char *value, struct collega_error *error) {
  if (row == &built_in[0]) {
    arguments->help = true;
    return COLLEGA_OK;
  }
  if (row == &built_in[1]) {
    arguments->version = true;
    return COLLEGA_OK;
  }
  char name[80];
  snprintf(name, sizeof name, "--%s", row->name);
  if (row->argument != NULL && !row->repeats && argument_value(arguments, row->name) != NULL)
    return error_set(error, COLLEGA_USAGE, RULE_option_twice, NULL, name, NULL);
  /* A script's variable that was never set is no choice: nothing is hidden, saved or signed for it. */
  if (value != NULL && value[0] == '\0')
    return error_set(error, COLLEGA_USAGE, RULE_option_empty, NULL, name, NULL);
  arguments->given[arguments->given_count++] = (struct given){row, value == NULL ? "" : value};
  if (value != NULL && strcmp(row->name, "lang") == 0) {
    if (strcmp(value, "nl") != 0 && strcmp(value, "en") != 0)
      return error_set(error, COLLEGA_USAGE, RULE_option_language, name, NULL);
    arguments->language = language_choose(value);
  }
  return COLLEGA_OK;
}

enum collega_status arguments_read(struct arguments *arguments, int argc, char **argv,
                                   struct collega_error *error) {
  size_t count = row_count(arguments);
  struct option *options = calloc(count + 1, sizeof *options);
  if (options == NULL) return error_set(error, COLLEGA_SYSTEM, RULE_out_of_memory, NULL, NULL);
  for (size_t i = 0; i < count; i++) {
    const struct option_row *row = row_at(arguments, i);
    options[i] = (struct option){.name = row->name,
                                 .has_arg = row->argument == NULL ? no_argument : required_argument,
                                 .val = FIRST_LONG + (int)i};
  }
  /* getopt's state is the process's: 0 makes it begin anew. Only program_main's thread is here. */
  optind = 0;
  opterr = 0;
  enum collega_status status = COLLEGA_OK;
  while (status == COLLEGA_OK) {
    optopt = 0;
    int answer = getopt_long(argc, argv, arguments->command == NULL ? "+:h" : ":h", options, NULL);
    if (answer == -1) break;
    if (answer == 'h')
      arguments->help = true;
    else if (answer >= FIRST_LONG)
      status =
          take_option(arguments, row_at(arguments, (size_t)(answer - FIRST_LONG)), optarg, error);
    else
      status = refused_option(arguments, answer, optopt, argv[optind - 1], error);
  }
  free(options);
  arguments->words = argv + optind;
  arguments->word_count = (size_t)(argc - optind);
  return status;
}

const char *argument_value_at(const struct arguments *arguments, const char *option, size_t index) {
  for (size_t i = 0; i < arguments->given_count; i++)
    if (strcmp(arguments->given[i].row->name, option) == 0 && index-- == 0)
      return arguments->given[i].value;
  return NULL;
}

const char *argument_value(const struct arguments *arguments, const char *option) {
  return argument_value_at(arguments, option, 0);
}

enum collega_status argument_number(const struct arguments *arguments, const char *option,
                                    int64_t least, int64_t most, int64_t fallback, int64_t *out,
                                    struct collega_error *error) {
  const char *text = argument_value(arguments, option);
  *out = fallback;
  if (text == NULL) return COLLEGA_OK;
  char *end;
  errno = 0;
  int64_t number = strtoll(text, &end, 10);
  if (errno == 0 && end != text && *end == '\0' && number >= least && number <= most) {
    *out = number;
    return COLLEGA_OK;
  }
  char name[80], low[24], high[24];
  snprintf(name, sizeof name, "--%s", option);
  snprintf(low, sizeof low, "%" PRId64, least);
  snprintf(high, sizeof high, "%" PRId64, most);
  return error_set(error, COLLEGA_USAGE, RULE_option_number, name, low, high, NULL);
}

size_t argument_count(const struct arguments *arguments) {
  return arguments->word_count;
}

const char *argument_at(const struct arguments *arguments, size_t index) {
  assert(index < arguments->word_count && "ask argument_count first");
  return arguments->words[index];
}

enum language argument_language(const struct arguments *arguments) {
  return arguments->language;
}

bool argument_json(const struct arguments *arguments) {
  return argument_value(arguments, "json") != NULL;
}

enum collega_status argument_home(const struct arguments *arguments, const char **out,
                                  struct collega_error *error) {
  *out = argument_value(arguments, "home");
  if (*out == NULL) *out = getenv(arguments->program->home_variable);
  if (*out != NULL && (*out)[0] != '\0') return COLLEGA_OK;
  *out = NULL;
  return error_set(error, COLLEGA_USAGE, RULE_home_not_given, NULL,
                   arguments->program->home_variable, NULL);
}
