/* The table of a node's settings: reader, template and man page come from it. */
#include "client/daemon/settings.h"
#include "base/log.h"

const struct setting node_settings[NODE_SETTING_COUNT] = {
    {"link.reconnect_spread_ms", SETTING_NUMBER, "15000", 0, 15000,
     "na een verbroken verbinding wordt willekeurig tussen 0 en zoveel milliseconden gewacht",
     "after a lost connection the node waits a random time between 0 and this many milliseconds",
     true, NULL},
    {"follow.kinds", SETTING_TEXT, "", 0, 200,
     "alleen deze soorten aanbod van het prikbord, bijvoorbeeld loan_out,loan_in; leeg: alle",
     "only these kinds of offers from the board, for instance loan_out,loan_in; empty: all", true,
     NULL},
    {"follow.occupations", SETTING_TEXT, "", 0, 600,
     "alleen beroepen waarvan de ISCO-code zo begint, bijvoorbeeld 43,9333; leeg: alle",
     "only occupations whose ISCO code begins so, for instance 43,9333; empty: all", true, NULL},
    {"follow.regions", SETTING_TEXT, "", 0, 600,
     "alleen deze arbeidsmarktregio's, bijvoorbeeld AM25,AM26; leeg: alle",
     "only these labour-market regions, for instance AM25,AM26; empty: all", true, NULL},
    {"follow.sectors", SETTING_TEXT, "", 0, 600,
     "alleen sectoren waarvan de SBI-code zo begint, bijvoorbeeld 52.10,86; leeg: alle",
     "only sectors whose SBI code begins so, for instance 52.10,86; empty: all", true, NULL},
    {LOG_LEVEL_SETTING, SETTING_CHOICE, "info", 0, 0,
     "vanaf welk niveau wordt gelogd; COLLEGA_LOG gaat voor",
     "from which level on things are logged; COLLEGA_LOG overrides", true, LOG_LEVEL_CHOICES},
};
