/* A node's settings (HOME/settings.ini). */
#ifndef COLLEGA_CLIENT_SETTINGS_H
#define COLLEGA_CLIENT_SETTINGS_H
#include "base/config.h"
#include "client/match/match.h"

#define SETTINGS_FILE      "settings.ini" /* in the home */
#define NODE_SETTING_COUNT 15
extern const struct setting node_settings[NODE_SETTING_COUNT];

/* The weights of a match's parts, from numbers 0 .. 100 to parts of their sum. All of them 0: COLLEGA_INVALID, rule
 * match_weights_none. */
enum collega_status settings_weights(const struct config *config, double weight[MATCH_PARTS],
                                     struct collega_error *error) COLLEGA_MUST_CHECK;
/* The same from the settings of a home. */
enum collega_status settings_weights_of(const char *home, double weight[MATCH_PARTS],
                                        struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
