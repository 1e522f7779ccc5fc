/* Settings: inih reads the lines, the program's table says what they mean.
 *
 * inih counts lines but tells the number only at the end, and splits lines that are longer than its
 * own array without a word; so the lines are fed to it by a reader of ours that counts and
 * measures. */
#include "base/config.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/words.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct value {
  char *text;     /* NULL: the table's fallback */
  int64_t number; /* numbers and flags */
};

struct config {
  const struct setting *table;
  size_t count;
  struct value *values;
};

/* One reading of a file. */
struct reading {
  FILE *file;
  const char *path;
  int line;
  struct config *config;
  struct collega_error *error;
  enum collega_status status; /* the first thing that was wrong */
};

static bool same_word(const char *text, const char *const *words, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(text, words[i]) == 0) return true;
  return false;
}

/* Turns text into the setting's value; false when it is not of its kind or out of its range. */
static bool understand(const struct setting *setting, const char *text, int64_t *number) {
  static const char *const yes[] = {"yes", "true", "on", "1", "ja"};
  static const char *const no[] = {"no", "false", "off", "0", "nee"};
  *number = 0;
  switch (setting->kind) {
  case SETTING_TEXT: {
    int64_t length = (int64_t)strlen(text);
    return length >= setting->min && (setting->max == 0 || length <= setting->max) &&
           utf8_text((const uint8_t *)text, (size_t)length, false);
  }
  case SETTING_NUMBER: {
    char *end;
    errno = 0;
    *number = strtoll(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *number >= setting->min &&
           *number <= setting->max;
  }
  case SETTING_FLAG:
    *number = same_word(text, yes, sizeof yes / sizeof yes[0]);
    return *number == 1 || same_word(text, no, sizeof no / sizeof no[0]);
  case SETTING_CHOICE: {
    size_t length = strlen(text);
    for (const char *at = setting->choices; length > 0 && strchr(text, '|') == NULL; at++) {
      if (strncmp(at, text, length) == 0 && (at[length] == '|' || at[length] == '\0')) return true;
      at = strchr(at, '|');
      if (at == NULL) break;
      ++*number;
    }
    return false;
  }
  }
  return false;
}

static enum collega_status wrong_value(struct reading *reading, const struct setting *setting,
                                       const char *line) {
  char range[64];
  snprintf(range, sizeof range, "%" PRId64 "..%" PRId64, setting->min, setting->max);
  switch (setting->kind) {
  case SETTING_TEXT:
    return error_set(reading->error, COLLEGA_INVALID, RULE_config_text, NULL, reading->path, line,
                     setting->name, range, NULL);
  case SETTING_NUMBER:
    return error_set(reading->error, COLLEGA_INVALID, RULE_config_number, NULL, reading->path, line,
                     setting->name, range, NULL);
  case SETTING_FLAG:
    return error_set(reading->error, COLLEGA_INVALID, RULE_config_flag, NULL, reading->path, line,
                     setting->name, NULL);
  case SETTING_CHOICE:
    return error_set(reading->error, COLLEGA_INVALID, RULE_config_choice, NULL, reading->path, line,
                     setting->name, setting->choices, NULL);
  }
  return COLLEGA_INVALID;
}

/* Our fgets for inih. A line that does not fit ends the reading with an error of its own. */
static char *next_line(char *out, int capacity, void *stream) {
  struct reading *reading = stream;
  if (reading->status != COLLEGA_OK || fgets(out, capacity, reading->file) == NULL) return NULL;
  reading->line++;
  if (strchr(out, '\n') != NULL || feof(reading->file)) return out;
  char line[16], most[16];
  snprintf(line, sizeof line, "%d", reading->line);
  snprintf(most, sizeof most, "%d", capacity - 2);
  reading->status = error_set(reading->error, COLLEGA_INVALID, RULE_config_line_long, NULL,
                              reading->path, line, most, NULL);
  return NULL;
}

static enum collega_status take_setting(struct reading *reading, const char *section,
                                        const char *key, const char *text) {
  struct config *config = reading->config;
  char line[16], name[256];
  snprintf(line, sizeof line, "%d", reading->line);
  snprintf(name, sizeof name, "%s%s%s", section, section[0] == '\0' ? "" : ".", key);
  size_t index = 0;
  while (index < config->count && strcmp(config->table[index].name, name) != 0)
    index++;
  if (index == config->count)
    return error_set(reading->error, COLLEGA_INVALID, RULE_config_unknown, NULL, reading->path,
                     line, name, NULL);
  struct value *value = &config->values[index];
  if (value->text != NULL)
    return error_set(reading->error, COLLEGA_INVALID, RULE_config_twice, NULL, reading->path, line,
                     name, NULL);
  if (!understand(&config->table[index], text, &value->number))
    return wrong_value(reading, &config->table[index], line);
  value->text = strdup(text);
  if (value->text == NULL)
    return error_set(reading->error, COLLEGA_SYSTEM, RULE_out_of_memory, NULL, NULL);
  return COLLEGA_OK;
}

/* inih's handler: 0 says that the line was wrong. */
static int take_line(void *user, const char *section, const char *key, const char *text) {
  struct reading *reading = user;
  if (reading->status == COLLEGA_OK) reading->status = take_setting(reading, section, key, text);
  return reading->status == COLLEGA_OK;
}

/* The reader and the handler are given the same struct. */
static enum collega_status read_lines(struct reading *reading) {
  int first_wrong = ini_parse_stream(next_line, reading, take_line, reading);
  char line[16];
  snprintf(line, sizeof line, "%d", first_wrong);
  /* A line that inih itself does not understand never reaches the handler. */
  if (first_wrong > 0 && (reading->status == COLLEGA_OK || first_wrong < reading->line))
    return error_set(reading->error, COLLEGA_INVALID, RULE_config_syntax, NULL, reading->path, line,
                     NULL);
  if (reading->status != COLLEGA_OK) return reading->status;
  if (first_wrong < 0)
    return error_set(reading->error, COLLEGA_SYSTEM, RULE_out_of_memory, NULL, NULL);
  if (ferror(reading->file)) return error_system(reading->error, reading->path, EIO);
  return COLLEGA_OK;
}

enum collega_status config_load(const char *path, const struct setting *table, size_t count,
                                struct config **out, struct collega_error *error) {
  *out = NULL;
  struct config *config = calloc(1, sizeof *config);
  if (config != NULL) config->values = calloc(count == 0 ? 1 : count, sizeof *config->values);
  if (config == NULL || config->values == NULL) {
    free(config);
    return error_set(error, COLLEGA_SYSTEM, RULE_out_of_memory, NULL, NULL);
  }
  config->table = table;
  config->count = count;
  enum collega_status status = COLLEGA_OK;
  FILE *file = fopen(path, "re");
  if (file == NULL && errno != ENOENT) status = error_system(error, path, errno);
  if (file != NULL) {
    struct reading reading = {.file = file, .path = path, .config = config, .error = error};
    status = read_lines(&reading);
    fclose(file);
  }
  for (size_t i = 0; i < count && status == COLLEGA_OK; i++) {
    if (config->values[i].text != NULL) continue;
    bool sound = understand(&table[i], table[i].fallback, &config->values[i].number);
    assert(sound && "a fallback of the table breaks its own rule");
    (void)sound;
  }
  if (status != COLLEGA_OK) {
    config_destroy(&config);
    return status;
  }
  *out = config;
  return COLLEGA_OK;
}

void config_destroy(struct config **config) {
  if (*config == NULL) return;
  for (size_t i = 0; i < (*config)->count; i++)
    free((*config)->values[i].text);
  free((*config)->values);
  free(*config);
  *config = NULL;
}

static size_t index_of(const struct config *config, const char *name) {
  size_t index = 0;
  while (index < config->count && strcmp(config->table[index].name, name) != 0)
    index++;
  assert(index < config->count && "a setting that is not in the table");
  return index;
}

const char *config_text(const struct config *config, const char *name) {
  size_t index = index_of(config, name);
  const char *text = config->values[index].text;
  return text != NULL ? text : config->table[index].fallback;
}

int64_t config_number(const struct config *config, const char *name) {
  return config->values[index_of(config, name)].number;
}

/* Tells the log of every setting that differs; whether a restart is needed for one of them. */
static bool tell_changes(const struct config *before, const struct config *after) {
  size_t changed = 0, waiting = 0;
  for (size_t i = 0; i < before->count; i++) {
    const struct setting *setting = &before->table[i];
    if (strcmp(config_text(before, setting->name), config_text(after, setting->name)) == 0)
      continue;
    changed++;
    if (!setting->live) waiting++;
    log_info("reload", "setting=%s %s", setting->name,
             setting->live ? "changed" : "changes at the next start");
  }
  if (changed == 0) log_info("reload", "no setting changed");
  return waiting > 0;
}

static enum log_level level_of(const struct config *config) {
  return (enum log_level)config_number(config, LOG_LEVEL_SETTING);
}

bool config_reload(const char *path, struct config **config, config_take take, void *context) {
  struct config *fresh;
  struct collega_error error;
  enum collega_status status =
      config_load(path, (*config)->table, (*config)->count, &fresh, &error);
  if (status == COLLEGA_OK) status = take(context, fresh, &error);
  if (status != COLLEGA_OK) {
    char text[512];
    error_render(LANGUAGE_EN, &error, text, sizeof text);
    log_error("reload", "nothing changed: %s", text);
    config_destroy(&fresh);
    return false;
  }
  /* Told at the more talkative of both levels: whoever changed the level wants to see that it took. */
  enum log_level before = level_of(*config), after = level_of(fresh);
  log_threshold(before < after ? before : after);
  if (tell_changes(*config, fresh)) log_warning("reload", "restart to take over all settings");
  config_destroy(config);
  log_threshold(after);
  *config = fresh; /* settings that need a restart were read once, at the start */
  return true;
}

enum collega_status config_write_template(const char *path, const struct setting *table,
                                          size_t count, struct collega_error *error) {
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0 && errno == EEXIST)
    return error_set(error, COLLEGA_EXISTS, RULE_file_exists, NULL, path, NULL);
  if (fd < 0) return error_system(error, path, errno);
  FILE *file = fdopen(fd, "w");
  if (file == NULL) {
    int number = errno;
    close(fd);
    return error_system(error, path, number);
  }
  const char *section = "";
  size_t section_length = 0;
  for (size_t i = 0; i < count; i++) {
    const char *dot = strchr(table[i].name, '.');
    size_t length = dot == NULL ? 0 : (size_t)(dot - table[i].name);
    if (length != section_length || memcmp(section, table[i].name, length) != 0)
      fprintf(file, "%s[%.*s]\n", i == 0 ? "" : "\n", (int)length, table[i].name);
    section = table[i].name;
    section_length = length;
    fprintf(file, "; %s (%s)\n; %s (%s)\n", table[i].help_nl,
            table[i].live ? "meteen bij SIGHUP" : "bij een nieuwe start", table[i].help_en,
            table[i].live ? "at once at SIGHUP" : "at the next start");
    if (table[i].kind == SETTING_NUMBER)
      fprintf(file, "; %" PRId64 "..%" PRId64 "\n", table[i].min, table[i].max);
    if (table[i].kind == SETTING_CHOICE) fprintf(file, "; %s\n", table[i].choices);
    fprintf(file, ";%s = %s\n", dot == NULL ? table[i].name : dot + 1, table[i].fallback);
  }
  bool failed = ferror(file) != 0;
  failed = fflush(file) != 0 || fsync(fd) != 0 || failed;
  int number = errno;
  failed = fclose(file) != 0 || failed;
  return failed ? error_system(error, path, number) : COLLEGA_OK;
}
