/* The table of a node's settings: reader, template and man page come from it. */
#include "client/daemon/settings.h"

const struct setting node_settings[] = {
    {"link.reconnect_spread_ms", SETTING_NUMBER, "15000", 0, 15000,
     "na een verbroken verbinding wordt willekeurig tussen 0 en zoveel milliseconden gewacht",
     "after a lost connection the node waits a random time between 0 and this many milliseconds"},
};
const size_t node_settings_count = sizeof node_settings / sizeof node_settings[0];
