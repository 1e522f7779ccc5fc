/* Settings: one table a program, `HOME/settings.ini` read with inih. A setting has a name
 * ("section.name"), a kind, a default, a range and help in two languages; the reader, --help and the man
 * page come from the table. Unknown names and values out of range are errors that name file and line. */
#ifndef COLLEGA_BASE_CONFIG_H
#define COLLEGA_BASE_CONFIG_H
#include <stddef.h>
#include <stdint.h>
#include "error.h"

enum setting_kind { SETTING_TEXT, SETTING_NUMBER, SETTING_FLAG };
struct setting {
  const char *name; /* "store.map_gib" */
  enum setting_kind kind;
  const char *fallback; /* as text */
  int64_t min, max;     /* SETTING_NUMBER; SETTING_TEXT: length */
  const char *help_nl, *help_en;
};
struct config;
/* Reads `path` (a missing file: all defaults). The table must outlive the config. */
enum collega_status config_load(const char *path, const struct setting *table, size_t count,
                                struct config **out,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
void config_destroy(struct config **config);
const char *config_text(const struct config *config,
                        const char *name);                            /* asserts the name exists */
int64_t config_number(const struct config *config, const char *name); /* flags: 0 or 1 */
/* Writes a file with all settings of the table, commented out with their help; refuses to overwrite. */
enum collega_status config_write_template(const char *path, const struct setting *table,
                                          size_t count,
                                          struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
