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
  const char *name; /* "accept-by" */
  /* "TIME"; NULL: a flag. Completion offers files for FILE and DIR, and the words themselves where
   * it lists them in lower case ("nl|en"). */
  const char *argument;
  const char *nl, *en; /* help */
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
/* A name and what it is, for the manual page: an environment variable, a file, an example. */
struct manual_row {
  const char *name; /* an example's: the lines to type, one a line */
  const char *nl, *en;
};
struct setting; /* base/config.h */
struct program {
  const char *name;          /* "collega" */
  const char *nl, *en;       /* what it is */
  const char *home_variable; /* "COLLEGA_HOME" */
  const struct option_row *common;
  size_t common_count;
  const struct command_row *commands;
  size_t command_count;
  const struct setting *settings; /* of HOME/settings.ini: `help settings` and the manual page */
  size_t setting_count;
  const struct manual_row *files, *examples; /* files: names within the home */
  size_t file_count, example_count;
  void (*start)(enum language language); /* before a command runs, in its language; may be NULL */
};
/* Parses argv, runs the command, prints errors ("collega: field: sentence") on standard error in the
 * chosen language (with --json as {"error":{...}} there), returns the exit status. `--help`, `help`,
 * `help settings` and `--version` are built in. With an unknown command the nearest is suggested. */
int program_main(const struct program *program, int argc, char **argv);
/* --home, else the variable, else an error that says how to give it. */
enum collega_status argument_home(const struct arguments *arguments, const char **out,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
/* A roff man page and a bash completion from the same tables. */
void program_man_page(const struct program *program, FILE *out);
void program_completion(const struct program *program, FILE *out);

/* Aligned columns. Cells are copied. Right-aligned where `numeric` has the column's bit. On a
 * terminal that is too narrow, columns that table_may_cut names (a bit each) are cut, with an
 * ellipsis; when that is not enough each row becomes a block of lines "heading  cell". What does not
 * go to a terminal is never cut. A column in which nothing stands is left out. */
struct table;
struct table *table_new(size_t columns, const char *const *headings, unsigned numeric);
void table_row(struct table *table, const char *const *cells);
void table_may_cut(struct table *table, unsigned columns);
void table_print(const struct table *table, FILE *out);
void table_print_blocks(const struct table *table, FILE *out); /* blocks, however wide it is */
void table_destroy(struct table **table);
bool terminal_colour(FILE *stream); /* a terminal, NO_COLOR unset */
/* A sentence behind `lead`, and a line end. On a terminal that is too narrow it goes on in lines that begin with
 * `indent` blanks; a word that is wider than those stands alone. */
#define SENTENCE_INDENT 2
void terminal_print(FILE *out, const char *lead, size_t indent, const char *text);
/* The same behind what stands on the line already, up to `column`. */
void terminal_go_on(FILE *out, size_t column, size_t indent, const char *text);
size_t terminal_columns(FILE *stream); /* 0: no terminal, or not known: as wide as need be */

/* Progress of long work, one line that is written over, on standard error: only when that is a
 * terminal. `what` ("rows read") is copied. total 0: not known. NULL for no progress, which the other
 * two take. */
struct progress;
struct progress *progress_open(const char *what, uint64_t total);
void progress_step(struct progress *progress, uint64_t done);
void progress_close(struct progress **progress); /* clears the line */
/* What came from outside, with control characters escaped for a terminal; in the arena. */
const char *terminal_safe(struct arena *arena, const char *text);
#endif
