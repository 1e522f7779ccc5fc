/* Command tables, help, aligned tables, colour only on a terminal. */
#ifndef COLLEGA_BASE_TERMINAL_H
#define COLLEGA_BASE_TERMINAL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include "base/bytes.h"
#include "base/words.h"

/* A command's options: getopt_long fed from a table. Every program has the common ones (--home,
 * --json, --lang, --help) in a table of its own that is searched too. */
struct option_row {
  const char *name;     /* "accept-by" */
  const char *argument; /* "TIME"; NULL: a flag */
  const char *nl, *en;  /* help */
  bool repeats;
};
struct arguments; /* what was typed */
const char *argument_value(const struct arguments *arguments,
                           const char *option); /* NULL: not given; flags: "" */
/* An option that repeats: its values in the order typed, NULL beyond the last. */
const char *argument_value_at(const struct arguments *arguments, const char *option, size_t index);
/* A whole number within [least, most], `fallback` when the option is not given (COLLEGA_USAGE). */
enum collega_status argument_number(const struct arguments *arguments, const char *option,
                                    int64_t least, int64_t most, int64_t fallback, int64_t *out,
                                    struct collega_error *error) COLLEGA_MUST_CHECK;
size_t argument_count(const struct arguments *arguments);
const char *argument_at(const struct arguments *arguments, size_t index);
enum language argument_language(const struct arguments *arguments);
bool argument_json(const struct arguments *arguments);

struct command_row {
  const char *path;    /* "offer publish" */
  const char *usage;   /* "FILE.json|FILE.csv|-" */
  const char *nl, *en; /* one line of help */
  const struct option_row *options;
  size_t option_count;
  size_t least, most; /* positional arguments */
  enum collega_status (*run)(const struct arguments *arguments, struct collega_error *error);
};
struct program {
  const char *name;          /* "collega" */
  const char *nl, *en;       /* what it is */
  const char *home_variable; /* "COLLEGA_HOME" */
  const struct option_row *common;
  size_t common_count;
  const struct command_row *commands;
  size_t command_count;
};
/* Parses argv, runs the command, prints errors ("collega: field: sentence") on standard error in the
 * chosen language (with --json as {"error":{...}} there), returns the exit status. `--help`, `help` and
 * `--version` are built in. With an unknown command the nearest is suggested. */
int program_main(const struct program *program, int argc, char **argv);
/* --home, else the variable, else an error that says how to give it. */
enum collega_status argument_home(const struct arguments *arguments, const char **out,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
/* A roff man page and a bash completion from the same tables. */
void program_man_page(const struct program *program, FILE *out);
void program_completion(const struct program *program, FILE *out);

/* Aligned columns. Cells are copied. Right-aligned where `numeric` has the column's bit. */
struct table;
struct table *table_new(size_t columns, const char *const *headings, unsigned numeric);
void table_row(struct table *table, const char *const *cells);
void table_print(const struct table *table, FILE *out);
void table_destroy(struct table **table);
bool terminal_colour(FILE *stream); /* a terminal, NO_COLOR unset */
/* What came from outside, with control characters escaped for a terminal; in the arena. */
const char *terminal_safe(struct arena *arena, const char *text);
#endif
