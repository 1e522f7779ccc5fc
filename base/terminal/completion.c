/* Completion for bash: a function that finds the words typed so far that are no options, and offers
 * the words that can follow, the command's options, or files. */
#include "base/terminal/parts.h"
#include <ctype.h>
#include <string.h>

static void function_name(const struct program *program, FILE *out) {
  fputc('_', out);
  for (const char *at = program->name; *at != '\0'; at++)
    fputc(isalnum((unsigned char)*at) ? *at : '_', out);
}

/* The options that take a value, so that the value is not counted as a word of the command. */
static void print_valued(const struct option_row *options, size_t count, FILE *out) {
  for (size_t i = 0; i < count; i++)
    if (options[i].argument != NULL) fprintf(out, "|--%s", options[i].name);
}

/* Whether an earlier command has the same first `length` bytes and goes on with a space or ends. */
static bool seen_before(const struct program *program, size_t index, size_t length) {
  const char *path = program->commands[index].path;
  for (size_t i = 0; i < index; i++) {
    const char *other = program->commands[i].path;
    if (strncmp(other, path, length) == 0 && (other[length] == ' ' || other[length] == '\0'))
      return true;
  }
  return false;
}

/* Whether an earlier command goes on after these first `length` bytes. One that ends there does not ("plan" before
 * "plan show"). */
static bool group_before(const struct program *program, size_t index, size_t length) {
  const char *path = program->commands[index].path;
  for (size_t i = 0; i < index; i++)
    if (strncmp(program->commands[i].path, path, length) == 0 &&
        program->commands[i].path[length] == ' ')
      return true;
  return false;
}

/* Whether a command is also the beginning of others. */
static bool goes_on(const struct program *program, const char *path) {
  for (size_t i = 0; i < program->command_count; i++)
    if (path_begins(program->commands[i].path, path) &&
        program->commands[i].path[strlen(path)] == ' ')
      return true;
  return false;
}

/* The words that can follow `prefix`. */
static void print_next_words(const struct program *program, const char *prefix, FILE *out) {
  size_t skip = strlen(prefix) + (prefix[0] == '\0' ? 0 : 1);
  fprintf(out, "  '%s') next='", prefix);
  for (size_t i = 0; i < program->command_count; i++) {
    const char *path = program->commands[i].path;
    if (!path_begins(path, prefix)) continue;
    size_t length = skip + strcspn(path + skip, " ");
    if (!seen_before(program, i, length)) fprintf(out, "%.*s ", (int)(length - skip), path + skip);
  }
  fprintf(out, "%s' ;;\n", prefix[0] == '\0' ? "help" : "");
}

/* Whether completion offers files for an argument: "FILE", "DIR", "FILE.json|FILE.csv|-". */
static bool takes_file(const char *argument) {
  return argument != NULL && (strstr(argument, "FILE") != NULL || strstr(argument, "DIR") != NULL);
}

/* What follows an option that takes a value: the values it lists ("nl|en"), files, or nothing. */
static void print_values(const char *path, const struct option_row *options, size_t count,
                         FILE *out) {
  for (size_t i = 0; i < count; i++) {
    const char *argument = options[i].argument;
    if (argument == NULL) continue;
    if (path[0] != '\0')
      fprintf(out, "  '%s'*:--%s) ", path, options[i].name);
    else
      fprintf(out, "  *:--%s) ", options[i].name);
    if (takes_file(argument)) {
      fputs("kind=files next= ;;\n", out);
    } else if (islower((unsigned char)argument[0])) {
      fputs("kind=words next='", out);
      for (const char *at = argument; *at != '\0'; at++)
        fputc(*at == '|' ? ' ' : *at, out);
      fputs("' ;;\n", out);
    } else {
      fputs("kind=none ;;\n", out);
    }
  }
}

/* Of the commands that go on, or of the others. */
static void print_options(const struct program *program, bool on, FILE *out) {
  for (size_t i = 0; i < program->command_count; i++) {
    const struct command_row *command = &program->commands[i];
    bool files = takes_file(command->usage);
    if (goes_on(program, command->path) != on) continue;
    if (command->option_count == 0 && !files) continue;
    fprintf(out, "  '%s '*) %soptions='", command->path, files ? "kind=files " : "");
    for (size_t j = 0; j < command->option_count; j++)
      fprintf(out, "--%s ", command->options[j].name);
    fputs("' ;;\n", out);
  }
}

/* The shell takes the first pattern that fits, and "plan *" fits "plan show" too: it comes last. */
static void print_words(const struct program *program, FILE *out) {
  fputs("  case $path in\n", out);
  print_next_words(program, "", out);
  for (size_t i = 0; i < program->command_count; i++) {
    const char *path = program->commands[i].path;
    for (const char *space = strchr(path, ' '); space != NULL; space = strchr(space + 1, ' ')) {
      size_t length = (size_t)(space - path);
      char prefix[128];
      if (length >= sizeof prefix || group_before(program, i, length)) continue;
      memcpy(prefix, path, length);
      prefix[length] = '\0';
      print_next_words(program, prefix, out);
    }
  }
  fputs("  esac\n  case \"$path \" in\n", out);
  print_options(program, false, out);
  print_options(program, true, out);
  fputs("  esac\n", out);
}

/* bash makes words of their own of "=" and of what follows it. */
void program_completion(const struct program *program, FILE *out) {
  function_name(program, out);
  fputs("() {\n"
        "  local word=${COMP_WORDS[COMP_CWORD]} last=${COMP_WORDS[COMP_CWORD-1]}\n"
        "  local path= next= options= kind= i\n"
        "  if [[ $word == = ]]; then word=; fi\n"
        "  if [[ $last == = ]]; then last=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
        "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
        "    case ${COMP_WORDS[i]} in\n"
        "    =",
        out);
  print_valued(program->common, program->common_count, out);
  for (size_t i = 0; i < program->command_count; i++)
    print_valued(program->commands[i].options, program->commands[i].option_count, out);
  fputs(") [[ ${COMP_WORDS[i+1]} == = ]] && ((i++)); ((i++)) ;;\n"
        "    -*) ;;\n"
        "    *) path=\"${path:+$path }${COMP_WORDS[i]}\" ;;\n"
        "    esac\n"
        "  done\n",
        out);
  print_words(program, out);
  fputs("  case $path:$last in\n", out);
  for (int on = 0; on < 2; on++)
    for (size_t i = 0; i < program->command_count; i++)
      if (goes_on(program, program->commands[i].path) == (on == 1))
        print_values(program->commands[i].path, program->commands[i].options,
                     program->commands[i].option_count, out);
  print_values("", program->common, program->common_count, out);
  fputs("  esac\n  if [[ $kind != words && $kind != none && $word == -* ]]; then\n"
        "    COMPREPLY=($(compgen -W \"$options",
        out);
  for (size_t i = 0; i < program->common_count; i++)
    fprintf(out, " --%s", program->common[i].name);
  fputs(" --help --version\" -- \"$word\"))\n"
        "  elif [[ $kind != none && -n $next ]]; then\n"
        "    COMPREPLY=($(compgen -W \"$next\" -- \"$word\"))\n"
        "  elif [[ $kind == files ]]; then\n"
        "    compopt -o filenames 2>/dev/null\n"
        "    mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
        "  else\n"
        "    COMPREPLY=()\n"
        "  fi\n"
        "}\ncomplete -F ",
        out);
  function_name(program, out);
  fprintf(out, " %s\n", program->name);
}
