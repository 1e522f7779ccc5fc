/* A manual page in roff, in English as manual pages are; `--lang nl --help` is the Dutch help. */
#include "base/terminal/parts.h"
#include <ctype.h>
#include <string.h>

/* roff reads backslashes, and dots and quotes at the start of a line; hyphens are to stay hyphens
 * so that options can be copied from the page. */
static void roff(FILE *out, const char *text) {
  for (const char *at = text; *at != '\0'; at++) {
    if (*at == '\\')
      fputs("\\e", out);
    else if (*at == '-')
      fputs("\\-", out);
    else if ((*at == '.' || *at == '\'') && at == text)
      fprintf(out, "\\&%c", *at);
    else
      fputc(*at, out);
  }
}

static void roff_option(FILE *out, const struct option_row *option) {
  fputs(".TP\n\\fB\\-\\-", out);
  roff(out, option->name);
  fputs("\\fR", out);
  if (option->argument != NULL) {
    fputs(" \\fI", out);
    roff(out, option->argument);
    fputs("\\fR", out);
  }
  fputc('\n', out);
  roff(out, option->en);
  fputc('\n', out);
}

void program_man_page(const struct program *program, FILE *out) {
  fputs(".TH ", out);
  for (const char *at = program->name; *at != '\0'; at++)
    fputc(toupper((unsigned char)*at), out);
  fprintf(out, " 1 \"\" \"Collega %s\"\n.SH NAME\n", COLLEGA_VERSION);
  roff(out, program->name);
  fputs(" \\- ", out);
  roff(out, program->en);
  fputs("\n.SH SYNOPSIS\n\\fB", out);
  roff(out, program->name);
  fputs("\\fR [\\fIoptions\\fR] \\fIcommand\\fR ...\n.SH COMMANDS\n", out);
  for (size_t i = 0; i < program->command_count; i++) {
    const struct command_row *command = &program->commands[i];
    fputs(".SS \"", out);
    roff(out, command->path);
    if (command->usage != NULL && command->usage[0] != '\0') {
      fputc(' ', out);
      roff(out, command->usage);
    }
    fputs("\"\n", out);
    roff(out, command->en);
    fputc('\n', out);
    for (size_t j = 0; j < command->option_count; j++)
      roff_option(out, &command->options[j]);
  }
  fputs(".SH OPTIONS\n", out);
  for (size_t i = 0; i < program->common_count; i++)
    roff_option(out, &program->common[i]);
  fputs(".TP\n\\fB\\-\\-help\\fR\nshow help, of the command where one is given\n"
        ".TP\n\\fB\\-\\-version\\fR\nshow the version\n",
        out);
  fputs(".SH ENVIRONMENT\n.TP\n\\fB", out);
  roff(out, program->home_variable);
  fputs("\\fR\nthe home, where \\fB\\-\\-home\\fR is not given\n"
        ".SH EXIT STATUS\n"
        ".TP\n0\ndone\n.TP\n1\nrefused or not found; the reason is on standard error\n"
        ".TP\n2\nwrong usage\n.TP\n3\nwhat is needed cannot be reached\n",
        out);
}
