/* A manual page in roff, in English as manual pages are; `--lang nl --help` is the Dutch help. */
#include "base/terminal/parts.h"
#include "base/config.h"
#include <ctype.h>
#include <inttypes.h>
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

static void roff_title(FILE *out, const char *name) {
  fputs(".TP\n\\fB", out);
  roff(out, name);
  fputs("\\fR\n", out);
}

static void roff_rows(FILE *out, const struct manual_row *rows, size_t count) {
  for (size_t i = 0; i < count; i++) {
    roff_title(out, rows[i].name);
    roff(out, rows[i].en);
    fputc('\n', out);
  }
}

static void print_commands(const struct program *program, FILE *out) {
  fputs(".SH COMMANDS\n", out);
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
}

static void print_options(const struct program *program, FILE *out) {
  fputs(".SH OPTIONS\nThese hold for every command.\n", out);
  for (size_t i = 0; i < program->common_count; i++)
    roff_option(out, &program->common[i]);
  fputs(".TP\n\\fB\\-\\-help\\fR\nshow help, of the command where one is given\n"
        ".TP\n\\fB\\-\\-version\\fR\nshow the version\n",
        out);
}

static void print_settings(const struct program *program, FILE *out) {
  if (program->setting_count == 0) return;
  fputs(
      ".SH SETTINGS\nThey stand in \\fIsettings.ini\\fR in the home, as name = value under a "
      "[section]; "
      "section and name are written here with a dot between. At SIGHUP the daemon reads them again "
      "and logs what changed.\n",
      out);
  for (size_t i = 0; i < program->setting_count; i++) {
    const struct setting *setting = &program->settings[i];
    roff_title(out, setting->name);
    roff(out, setting->help_en);
    fputs(". Usually ", out);
    roff(out, setting->fallback[0] == '\0' ? "empty" : setting->fallback);
    if (setting->kind == SETTING_NUMBER)
      fprintf(out, ", from %" PRId64 " to %" PRId64, setting->min, setting->max);
    if (setting->kind == SETTING_CHOICE) {
      fputs(", one of ", out);
      roff(out, setting->choices);
    }
    fprintf(out, ". %s\n", setting->live ? "Taken over at SIGHUP." : "A change needs a restart.");
  }
}

static void print_environment(const struct program *program, FILE *out) {
  static const struct manual_row shared[] = {
      {"LC_ALL, LC_MESSAGES, LANG", NULL,
       "the language, where --lang is not given: Dutch when it begins with nl"},
      {"NO_COLOR", NULL, "when set and not empty, nothing is coloured"},
      {"COLLEGA_LOG", NULL,
       "debug, info, warning or error: from which level on a daemon logs, on standard error"},
      {"NOTIFY_SOCKET", NULL, "where a daemon tells that it is ready, as systemd asks"},
  };
  fputs(".SH ENVIRONMENT\n", out);
  roff_title(out, program->home_variable);
  fputs("the home, where \\fB\\-\\-home\\fR is not given\n", out);
  roff_rows(out, shared, sizeof shared / sizeof shared[0]);
}

static void print_examples(const struct program *program, FILE *out) {
  if (program->example_count == 0) return;
  fputs(".SH EXAMPLES\n", out);
  for (size_t i = 0; i < program->example_count; i++) {
    const struct manual_row *example = &program->examples[i];
    fputs(".PP\n", out);
    roff(out, example->en);
    fputs("\n.PP\n.nf\n", out);
    for (const char *line = example->name; *line != '\0';) {
      char one[256];
      size_t length = strcspn(line, "\n");
      snprintf(one, sizeof one, "%.*s", (int)length, line);
      fputs("    ", out);
      roff(out, one);
      fputc('\n', out);
      line += length + (line[length] == '\n');
    }
    fputs(".fi\n", out);
  }
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
  fputs(
      "\\fR [\\fIoptions\\fR] \\fIcommand\\fR ...\n.SH DESCRIPTION\n"
      "Ids may be typed as any prefix that fits one thing only. Times are ISO 8601. With "
      "\\fB\\-\\-json\\fR a command writes one document to standard output, and an error as one to "
      "standard error: {\"error\":{\"status\",\"rule\",\"field\",\"message\",\"arguments\"}}, in "
      "which "
      "all but the message is stable.\n",
      out);
  print_commands(program, out);
  print_options(program, out);
  print_settings(program, out);
  if (program->file_count > 0) {
    fputs(".SH FILES\nIn the home:\n", out);
    roff_rows(out, program->files, program->file_count);
  }
  print_environment(program, out);
  fputs(
      ".SH EXIT STATUS\n"
      ".TP\n0\ndone\n.TP\n1\nrefused or not found; the reason is on standard error\n"
      ".TP\n2\nwrong usage\n"
      ".TP\n3\nwhat is needed cannot be reached, or the time to wait ran out; what was asked stays "
      "queued\n",
      out);
  print_examples(program, out);
}
