/* The broker's settings (HOME/settings.ini): one table for the reader, the template and --help. */
#ifndef COLLEGA_BROKER_DAEMON_SETTINGS_H
#define COLLEGA_BROKER_DAEMON_SETTINGS_H
#include "base/config.h"
#include <stdbool.h>

#define SETTING_LISTEN    "link.listen"
#define SETTING_ADVERTISE "link.advertise"
#define SETTING_HTTP      "http.listen"
#define SETTING_MAP       "store.map_gib"
#define SETTING_WORKERS   "broker.workers"

extern const struct setting broker_settings[];
extern const size_t broker_setting_count;
/* A setting that a running broker takes over at SIGHUP; the others need a restart. */
bool setting_is_live(const char *name);
enum collega_status broker_settings_load(const char *home, struct config **out,
                                         struct collega_error *error) COLLEGA_MUST_CHECK;
/* Writes the template, with `listen` filled in. */
enum collega_status broker_settings_write(const char *home, const char *listen,
                                          struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
