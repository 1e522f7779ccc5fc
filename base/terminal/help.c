/* Help, from the tables that the parser uses. */
#include "base/terminal/parts.h"
#include "base/config.h"
#include <stdlib.h>
#include <string.h>

enum label {
  LABEL_USAGE,
  LABEL_COMMAND,
  LABEL_OPTIONS,
  LABEL_COMMANDS,
  LABEL_COMMON,
  LABEL_MORE,
  LABEL_SETTINGS,
  LABEL_SETTINGS_MORE,
  LABEL_LIVE,
  LABEL_RESTART
};

static const char *label(enum label which, enum language language) {
  bool dutch = language == LANGUAGE_NL;
  switch (which) {
  case LABEL_USAGE:
    return dutch ? "Gebruik:" : "Usage:";
  case LABEL_COMMAND:
    return dutch ? "COMMANDO" : "COMMAND";
  case LABEL_OPTIONS:
    return dutch ? "Opties:" : "Options:";
  case LABEL_COMMANDS:
    return dutch ? "Commando's:" : "Commands:";
  case LABEL_COMMON:
    return dutch ? "Opties bij elk commando:" : "Options of every command:";
  case LABEL_MORE:
    return dutch ? "laat meer zien over één commando." : "tells more about one command.";
  case LABEL_SETTINGS:
    return dutch ? "Instellingen, in settings.ini in de werkmap:"
                 : "Settings, in settings.ini in the home:";
  case LABEL_SETTINGS_MORE:
    return dutch ? "laat de instellingen zien." : "shows the settings.";
  case LABEL_LIVE:
    return dutch ? "meteen bij SIGHUP" : "at once at SIGHUP";
  case LABEL_RESTART:
    return dutch ? "bij een nieuwe start" : "at the next start";
  }
  return "";
}

static const char *text_of(enum language language, const char *nl, const char *en) {
  return language == LANGUAGE_NL ? nl : en;
}

bool path_begins(const char *path, const char *prefix) {
  size_t length = strlen(prefix);
  if (length == 0) return true;
  return strncmp(path, prefix, length) == 0 && path[length] == ' ';
}

#define HELP_COLUMN   34
#define NARROW        72 /* columns; below it the help stands under what it explains */
#define NARROW_INDENT 6

/* "  left      help", with the help on its own line where the left part is too wide. */
static void print_pair(FILE *out, const char *left, const char *help) {
  size_t width = terminal_columns(out), columns = utf8_columns(left) + 2;
  size_t indent = width > 0 && width < NARROW ? NARROW_INDENT : HELP_COLUMN;
  fprintf(out, "  %s", left);
  if (columns + 2 > indent) {
    fputc('\n', out);
    columns = 0;
  }
  fprintf(out, "%*s", (int)(indent - columns), "");
  terminal_go_on(out, indent, indent, help);
}

static void print_options(FILE *out, const struct option_row *options, size_t count,
                          enum language language) {
  for (size_t i = 0; i < count; i++) {
    char left[128];
    snprintf(
        left, sizeof left, "--%s%s%s%s", options[i].name, options[i].argument == NULL ? "" : " ",
        options[i].argument == NULL ? "" : options[i].argument, options[i].repeats ? " ..." : "");
    print_pair(out, left, text_of(language, options[i].nl, options[i].en));
  }
}

static void print_common(const struct program *program, enum language language, FILE *out) {
  fprintf(out, "\n%s\n", label(LABEL_COMMON, language));
  print_options(out, program->common, program->common_count, language);
  print_pair(out, "--help", text_of(language, "laat deze hulp zien", "show this help"));
}

void help_program(const struct program *program, const char *prefix, enum language language,
                  FILE *out) {
  terminal_print(out, "", 0, text_of(language, program->nl, program->en));
  fprintf(out, "\n%s %s %s%s%s ...\n\n%s\n", label(LABEL_USAGE, language), program->name, prefix,
          prefix[0] == '\0' ? "" : " ", label(LABEL_COMMAND, language),
          label(LABEL_COMMANDS, language));
  for (size_t i = 0; i < program->command_count; i++) {
    const struct command_row *command = &program->commands[i];
    if (!path_begins(command->path, prefix)) continue;
    char left[128];
    const char *usage = command->usage == NULL ? "" : command->usage;
    snprintf(left, sizeof left, "%s%s%s", command->path, usage[0] == '\0' ? "" : " ", usage);
    print_pair(out, left, text_of(language, command->nl, command->en));
  }
  print_common(program, language, out);
  fprintf(out, "\n'%s help %s' %s\n", program->name, label(LABEL_COMMAND, language),
          label(LABEL_MORE, language));
  if (program->setting_count > 0)
    fprintf(out, "'%s help settings' %s\n", program->name, label(LABEL_SETTINGS_MORE, language));
}

void help_settings(const struct program *program, enum language language, FILE *out) {
  fprintf(out, "%s\n", label(LABEL_SETTINGS, language));
  for (size_t i = 0; i < program->setting_count; i++) {
    const struct setting *setting = &program->settings[i];
    char left[400], help[600];
    snprintf(left, sizeof left, "%s = %s", setting->name, setting->fallback);
    snprintf(help, sizeof help, "%s; %s", text_of(language, setting->help_nl, setting->help_en),
             label(setting->live ? LABEL_LIVE : LABEL_RESTART, language));
    print_pair(out, left, help);
  }
}

void help_command(const struct program *program, const struct command_row *command,
                  enum language language, FILE *out) {
  const char *usage = command->usage == NULL ? "" : command->usage;
  fprintf(out, "%s %s %s%s%s\n\n", label(LABEL_USAGE, language), program->name, command->path,
          usage[0] == '\0' ? "" : " ", usage);
  terminal_print(out, "", 0, text_of(language, command->nl, command->en));
  if (command->option_count > 0) {
    fprintf(out, "\n%s\n", label(LABEL_OPTIONS, language));
    print_options(out, command->options, command->option_count, language);
  }
  print_common(program, language, out);
}
