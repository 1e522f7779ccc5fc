/* The parts of base/terminal that program.c puts together. Not for other rooms. */
#ifndef COLLEGA_BASE_TERMINAL_PARTS_H
#define COLLEGA_BASE_TERMINAL_PARTS_H
#include "base/terminal/terminal.h"

struct given {
  const struct option_row *row;
  const char *value; /* "" for a flag */
};
struct arguments {
  const struct program *program;
  const struct command_row *command; /* NULL while only the common options are read */
  struct given *given;               /* room for every word typed */
  size_t given_count;
  char **words; /* the positional ones, within argv */
  size_t word_count;
  enum language language;
  bool help, version;
};

/* Reads the options in argv[1..] with the common table and, when set, the command's. Before a
 * command is known (`command` NULL) reading stops at the first word that is no option; then what
 * follows is left in words. Words are argv's own, which getopt reorders. */
enum collega_status arguments_read(struct arguments *arguments, int argc, char **argv,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;

/* True when `path` is `prefix`, or begins with it and a space. An empty prefix begins every
 * path. */
bool path_begins(const char *path, const char *prefix);
/* The commands that begin with `prefix` ("" all), and the common options. */
void help_program(const struct program *program, const char *prefix, enum language language,
                  FILE *out);
/* The settings of HOME/settings.ini, with their usual values and whether a running program takes over
 * a changed one. */
void help_settings(const struct program *program, enum language language, FILE *out);
void help_command(const struct program *program, const struct command_row *command,
                  enum language language, FILE *out);

/* Appends text with controls, bidirectional marks and broken UTF-8 written as escapes. */
void safe_append(struct buffer *buffer, const char *text);
#endif
