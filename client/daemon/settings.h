/* A node's settings (HOME/settings.ini). */
#ifndef COLLEGA_CLIENT_SETTINGS_H
#define COLLEGA_CLIENT_SETTINGS_H
#include "base/config.h"

extern const struct setting node_settings[];
extern const size_t node_settings_count;
#endif
