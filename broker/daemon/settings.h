/* The broker's settings (HOME/settings.ini): one table for the reader, the template and --help. */
#ifndef COLLEGA_BROKER_DAEMON_SETTINGS_H
#define COLLEGA_BROKER_DAEMON_SETTINGS_H
#include "base/config.h"
#include <limits.h>

#define SETTING_LISTEN    "link.listen"
#define SETTING_ADVERTISE "link.advertise"
#define SETTING_HTTP      "http.listen"
#define SETTING_MAP       "store.map_gib"
#define SETTING_WORKERS   "broker.workers"
#define SETTING_RECORDS   "limits.records_per_second"
#define SETTING_BYTES     "limits.bytes_per_second"
#define SETTING_FRAMES    "limits.frames_per_second"
#define SETTING_SESSIONS  "limits.sessions_per_minute"

#define BROKER_SETTING_COUNT 10
extern const struct setting broker_settings[BROKER_SETTING_COUNT];
enum collega_status broker_settings_path(char path[PATH_MAX], const char *home,
                                         struct collega_error *error) COLLEGA_MUST_CHECK;
enum collega_status broker_settings_load(const char *home, struct config **out,
                                         struct collega_error *error) COLLEGA_MUST_CHECK;
/* Writes the template, with `listen` filled in. */
enum collega_status broker_settings_write(const char *home, const char *listen,
                                          struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
