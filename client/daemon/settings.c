/* The table of a node's settings: reader, template and man page come from it. */
#include "client/daemon/settings.h"

const struct setting node_settings[] = {
    {"link.reconnect_spread_ms", SETTING_NUMBER, "15000", 0, 15000,
     "na een verbroken verbinding wordt willekeurig tussen 0 en zoveel milliseconden gewacht",
     "after a lost connection the node waits a random time between 0 and this many milliseconds"},
    {"follow.kinds", SETTING_TEXT, "", 0, 200,
     "alleen deze soorten aanbod van het prikbord, bijvoorbeeld loan_out,loan_in; leeg: alle",
     "only these kinds of offers from the board, for instance loan_out,loan_in; empty: all"},
    {"follow.occupations", SETTING_TEXT, "", 0, 600,
     "alleen beroepen waarvan de ISCO-code zo begint, bijvoorbeeld 43,9333; leeg: alle",
     "only occupations whose ISCO code begins so, for instance 43,9333; empty: all"},
    {"follow.regions", SETTING_TEXT, "", 0, 600,
     "alleen deze arbeidsmarktregio's, bijvoorbeeld AM25,AM26; leeg: alle",
     "only these labour-market regions, for instance AM25,AM26; empty: all"},
    {"follow.sectors", SETTING_TEXT, "", 0, 600,
     "alleen sectoren waarvan de SBI-code zo begint, bijvoorbeeld 52.10,86; leeg: alle",
     "only sectors whose SBI code begins so, for instance 52.10,86; empty: all"},
};
const size_t node_settings_count = sizeof node_settings / sizeof node_settings[0];
