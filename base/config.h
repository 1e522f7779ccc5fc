/* Settings: one table a program, `HOME/settings.ini` read with inih. A setting has a name
 * ("section.name"), a kind, a default, a range and help in two languages; the reader, --help and the man
 * page come from the table. Unknown names and values out of range are errors that name file and line. */
#ifndef COLLEGA_BASE_CONFIG_H
#define COLLEGA_BASE_CONFIG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "error.h"

enum setting_kind { SETTING_TEXT, SETTING_NUMBER, SETTING_FLAG, SETTING_CHOICE };
struct setting {
  const char *name; /* "store.map_gib" */
  enum setting_kind kind;
  const char *fallback; /* as text */
  int64_t min, max;     /* SETTING_NUMBER; SETTING_TEXT: length */
  const char *help_nl, *help_en;
  bool live; /* a running program takes over a changed value at SIGHUP; others need a restart */
  const char *choices; /* SETTING_CHOICE: "debug|info|warning|error"; NULL for the others */
};
struct config;
/* Reads `path` (a missing file: all defaults). The table must outlive the config. */
enum collega_status config_load(const char *path, const struct setting *table, size_t count,
                                struct config **out,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
void config_destroy(struct config **config);
const char *config_text(const struct config *config,
                        const char *name); /* asserts the name exists */
int64_t config_number(const struct config *config,
                      const char *name); /* flags: 0 or 1; choices: which */
/* Reads `path` again for a program that runs and gives it to `take`, which may refuse it. Then *config
 * is replaced, log.level (which the table must have) holds, and what changed is logged, and what waits
 * for the next start. When the file or `take` says no, the reason is logged, nothing changes, and the
 * answer is false. */
typedef enum collega_status (*config_take)(void *context, const struct config *fresh,
                                           struct collega_error *error);
bool config_reload(const char *path, struct config **config, config_take take, void *context);
/* Writes a file with all settings of the table, commented out with their help; refuses to overwrite. */
enum collega_status config_write_template(const char *path, const struct setting *table,
                                          size_t count,
                                          struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
