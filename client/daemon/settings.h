/* A node's settings (HOME/settings.ini). */
#ifndef COLLEGA_CLIENT_SETTINGS_H
#define COLLEGA_CLIENT_SETTINGS_H
#include "base/config.h"

#define NODE_SETTING_COUNT 6
extern const struct setting node_settings[NODE_SETTING_COUNT];
#endif
