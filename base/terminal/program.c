/* A command line program: common options, a command of one to three words, its options and words.
 *
 * The line is read in two steps, because an option means what its command's table says: first the
 * common options that stand before the command, then, with the command known, all that follows. */
#include "base/terminal/parts.h"
#include "base/suggest.h"
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define MOST_WORDS 3
#define PATH_BYTES 128

/* The language and form that an error will be told in when the line itself cannot be read. */
static void look_ahead(int argc, char **argv, enum language *language, bool *json) {
  for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
    if (strcmp(argv[i], "--json") == 0) *json = true;
    if (strncmp(argv[i], "--lang=", 7) == 0) *language = language_choose(argv[i] + 7);
    if (strcmp(argv[i], "--lang") == 0 && i + 1 < argc) *language = language_choose(argv[i + 1]);
  }
}

static const char *status_name(enum collega_status status) {
  switch (status) {
  case COLLEGA_OK:
    return "ok";
  case COLLEGA_USAGE:
    return "usage";
  case COLLEGA_INVALID:
    return "invalid";
  case COLLEGA_REFUSED:
    return "refused";
  case COLLEGA_NOT_FOUND:
    return "not_found";
  case COLLEGA_EXISTS:
    return "exists";
  case COLLEGA_UNREACHABLE:
    return "unreachable";
  case COLLEGA_BUSY:
    return "busy";
  case COLLEGA_FULL:
    return "full";
  case COLLEGA_DAMAGED:
    return "damaged";
  case COLLEGA_FORGED:
    return "forged";
  case COLLEGA_SYSTEM:
    return "system";
  }
  return "system";
}

/* A JSON string of what may not be UTF-8. */
static json_t *json_of(const char *text) {
  if (utf8_valid((const uint8_t *)text, strlen(text))) return json_string(text);
  struct buffer buffer;
  buffer_init(&buffer, 0);
  safe_append(&buffer, text);
  json_t *value = json_string(buffer_text(&buffer));
  buffer_free(&buffer);
  return value;
}

static void print_json_error(const struct collega_error *error, const char *message) {
  json_t *list = json_array();
  size_t count = COLLEGA_ERROR_ARGUMENTS;
  while (count > 0 && error->argument[count - 1][0] == '\0')
    count--;
  for (size_t i = 0; i < count; i++)
    json_array_append_new(list, json_of(error->argument[i]));
  json_t *document =
      json_pack("{s:{s:s,s:s,s:o,s:o,s:o}}", "error", "status", status_name(error->status), "rule",
                rule_name(error->rule), "field", json_of(error->field), "message", json_of(message),
                "arguments", list);
  if (document != NULL)
    json_dumpf(document, stderr, JSON_COMPACT);
  else
    fputs("{\"error\":{}}", stderr); /* out of memory, or nearly */
  fputc('\n', stderr);
  json_decref(document);
}

static void print_error(const struct program *program, enum language language, bool json,
                        const struct collega_error *error) {
  char message[1024];
  error_render(language, error, message, sizeof message);
  if (json) {
    words_render(language, error->rule,
                 (const char *const[]){error->argument[0], error->argument[1], error->argument[2],
                                       error->argument[3]},
                 COLLEGA_ERROR_ARGUMENTS, message, sizeof message);
    print_json_error(error, message);
    return;
  }
  struct buffer safe;
  buffer_init(&safe, 0);
  safe_append(&safe, message);
  fprintf(stderr, "%s: ", program->name);
  terminal_go_on(stderr, strlen(program->name) + 2, SENTENCE_INDENT, buffer_text(&safe));
  buffer_free(&safe);
}

/* Joins the first `count` words with spaces; false when they are longer than any command. */
static bool join_words(char out[PATH_BYTES], char *const *words, size_t count) {
  size_t length = 0;
  out[0] = '\0';
  for (size_t i = 0; i < count; i++) {
    int printed = snprintf(out + length, PATH_BYTES - length, "%s%s", i == 0 ? "" : " ", words[i]);
    if (printed < 0 || (size_t)printed >= PATH_BYTES - length) return false;
    length += (size_t)printed;
  }
  return true;
}

/* The command that the first words name; *used of them. NULL: none. */
static const struct command_row *find_command(const struct program *program, char *const *words,
                                              size_t count, size_t *used) {
  for (size_t most = count < MOST_WORDS ? count : MOST_WORDS; most > 0; most--) {
    char path[PATH_BYTES];
    if (!join_words(path, words, most)) continue;
    for (size_t i = 0; i < program->command_count; i++)
      if (strcmp(program->commands[i].path, path) == 0) {
        *used = most;
        return &program->commands[i];
      }
  }
  return NULL;
}

static bool is_group(const struct program *program, const char *prefix) {
  for (size_t i = 0; i < program->command_count; i++)
    if (path_begins(program->commands[i].path, prefix)) return true;
  return false;
}

/* How many of the words lead to a group of commands ("offer" of "offer pubish"). */
static size_t group_words(const struct program *program, char *const *words, size_t count) {
  size_t found = 0;
  char path[PATH_BYTES];
  for (size_t i = 1; i <= count && i < MOST_WORDS; i++)
    if (words[i - 1][0] != '\0' && join_words(path, words, i) && is_group(program, path)) found = i;
  return found;
}

static enum collega_status incomplete(const struct program *program, const char *group,
                                      struct collega_error *error) {
  struct buffer choice;
  buffer_init(&choice, 0);
  for (size_t i = 0; i < program->command_count; i++) {
    const char *path = program->commands[i].path;
    if (!path_begins(path, group)) continue;
    buffer_print(&choice, "%s%s", choice.length == 0 ? "" : ", ", path + strlen(group) + 1);
  }
  error_set(error, COLLEGA_USAGE, RULE_command_incomplete, NULL, group, buffer_text(&choice), NULL);
  buffer_free(&choice);
  return COLLEGA_USAGE;
}

/* Why no command was found among the words. */
static enum collega_status explain(const struct program *program, char *const *words, size_t count,
                                   struct collega_error *error) {
  if (count == 0)
    return error_set(error, COLLEGA_USAGE, RULE_command_missing, NULL, program->name, NULL);
  size_t plain = 0; /* words up to the first option */
  while (plain < count && words[plain][0] != '-')
    plain++;
  size_t group = group_words(program, words, plain);
  char typed[PATH_BYTES];
  if (group == plain && group > 0 && join_words(typed, words, group))
    return incomplete(program, typed, error);
  const char *nearest = NULL;
  size_t smallest = SIZE_MAX, told = group + 1 < plain ? group + 1 : plain;
  for (size_t most = 1; most <= plain && most <= MOST_WORDS; most++) {
    if (!join_words(typed, words, most)) break;
    for (size_t i = 0; i < program->command_count; i++) {
      size_t distance = edit_distance(typed, program->commands[i].path);
      if (distance >= smallest || !near_enough(typed, distance)) continue;
      smallest = distance;
      nearest = program->commands[i].path;
      told = most;
    }
  }
  if (plain == 0 || !join_words(typed, words, told == 0 ? 1 : told))
    snprintf(typed, sizeof typed, "%.40s", words[0]);
  if (nearest != NULL)
    return error_set(error, COLLEGA_USAGE, RULE_command_unknown_suggest, NULL, typed, nearest,
                     NULL);
  return error_set(error, COLLEGA_USAGE, RULE_command_unknown, NULL, typed, program->name, NULL);
}

static enum collega_status check_count(const struct arguments *arguments,
                                       struct collega_error *error) {
  const struct command_row *command = arguments->command;
  size_t count = arguments->word_count;
  if (count < command->least)
    return error_set(error, COLLEGA_USAGE, RULE_arguments_missing, NULL, command->usage, NULL);
  for (size_t i = 0; i < count && i < command->most; i++)
    if (arguments->words[i][0] == '\0')
      return error_set(error, COLLEGA_USAGE, RULE_arguments_empty, NULL, command->usage, NULL);
  if (count <= command->most) return COLLEGA_OK;
  char usage[200];
  const char *own = command->usage == NULL ? "" : command->usage;
  snprintf(usage, sizeof usage, "%s %s%s%s", arguments->program->name, command->path,
           own[0] == '\0' ? "" : " ", own);
  return error_set(error, COLLEGA_USAGE, RULE_arguments_many, NULL, arguments->words[command->most],
                   usage, NULL);
}

/* `help`, `help offer`, `help offer publish`, and the same with --help; `help --man` and
 * `help --completion`, which are not told. */
static enum collega_status show_help(const struct arguments *arguments, char *const *words,
                                     size_t count, struct collega_error *error) {
  const struct program *program = arguments->program;
  size_t used = 0, plain = 0;
  /* For the build, which installs what comes out. */
  if (count == 1 && strcmp(words[0], "--man") == 0) {
    program_man_page(program, stdout);
    return COLLEGA_OK;
  }
  if (count == 1 && strcmp(words[0], "--completion") == 0) {
    program_completion(program, stdout);
    return COLLEGA_OK;
  }
  while (plain < count && words[plain][0] != '-')
    plain++;
  if (plain == 1 && program->setting_count > 0 && strcmp(words[0], "settings") == 0) {
    help_settings(program, arguments->language, stdout);
    return COLLEGA_OK;
  }
  const struct command_row *command = find_command(program, words, plain, &used);
  if (command != NULL) {
    help_command(program, command, arguments->language, stdout);
    return COLLEGA_OK;
  }
  char group[PATH_BYTES];
  if (!join_words(group, words, plain) || (plain > 0 && !is_group(program, group)))
    return explain(program, words, plain, error);
  help_program(program, group, arguments->language, stdout);
  return COLLEGA_OK;
}

static bool asks_help(char *const *words, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0) return true;
  return false;
}

static enum collega_status run_command(struct arguments *arguments, struct collega_error *error) {
  const struct program *program = arguments->program;
  char **words = arguments->words;
  size_t count = arguments->word_count, used = 0;
  if (count > 0 && strcmp(words[0], "help") == 0)
    return show_help(arguments, words + 1, count - 1, error);
  if (arguments->help) return show_help(arguments, words, count, error);
  const struct command_row *command = find_command(program, words, count, &used);
  if (command == NULL && count > 0 && asks_help(words, count))
    return show_help(arguments, words, count, error);
  if (command == NULL) return explain(program, words, count, error);
  arguments->command = command;
  /* The command's last word stands where getopt expects the program's name. */
  enum collega_status status =
      arguments_read(arguments, (int)(count - used) + 1, words + used - 1, error);
  if (status != COLLEGA_OK) return status;
  if (arguments->help) {
    help_command(program, command, arguments->language, stdout);
    return COLLEGA_OK;
  }
  status = check_count(arguments, error);
  return status == COLLEGA_OK ? command->run(arguments, error) : status;
}

int program_main(const struct program *program, int argc, char **argv) {
  struct collega_error error = {.status = COLLEGA_OK};
  struct arguments arguments = {.program = program, .language = language_choose(NULL)};
  bool json = false;
  look_ahead(argc, argv, &arguments.language, &json);
  arguments.given = calloc((size_t)argc + 1, sizeof *arguments.given);
  enum collega_status status = COLLEGA_OK;
  if (arguments.given == NULL)
    status = error_set(&error, COLLEGA_SYSTEM, RULE_out_of_memory, NULL, NULL);
  if (status == COLLEGA_OK) status = arguments_read(&arguments, argc, argv, &error);
  if (status == COLLEGA_OK && arguments.version) {
    printf("%s %s\n", program->name, COLLEGA_VERSION);
  } else if (status == COLLEGA_OK) {
    if (program->start != NULL) program->start(arguments.language);
    status = run_command(&arguments, &error);
  }
  /* What was to be read by a script and was not written is a failure, whatever the command says. */
  errno = 0;
  if ((fflush(stdout) != 0 || ferror(stdout) != 0) && status == COLLEGA_OK)
    status = error_output(&error, errno);
  if (status != COLLEGA_OK) {
    error.status = status;
    print_error(program, arguments.language, json, &error);
  }
  free(arguments.given);
  return error_exit_status(status);
}
