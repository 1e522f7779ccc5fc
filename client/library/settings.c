/* The table of a node's settings: reader, template and man page come from it. */
#include "client/library/settings.h"
#include <stdio.h>
#include "base/log.h"
#include "base/process/process.h"

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
    {"match.occupation", SETTING_NUMBER, "28", 0, 100,
     "gewicht van het beroep in de score van een match",
     "weight of the occupation in the score of a match", true, NULL},
    {"match.skills", SETTING_NUMBER, "18", 0, 100,
     "gewicht van de vaardigheden in de score van een match",
     "weight of the skills in the score of a match", true, NULL},
    {"match.credentials", SETTING_NUMBER, "5", 0, 100,
     "gewicht van de bewijzen in de score van een match",
     "weight of the credentials in the score of a match", true, NULL},
    {"match.languages", SETTING_NUMBER, "4", 0, 100,
     "gewicht van de talen in de score van een match",
     "weight of the languages in the score of a match", true, NULL},
    {"match.distance", SETTING_NUMBER, "14", 0, 100,
     "gewicht van de afstand in de score van een match",
     "weight of the distance in the score of a match", true, NULL},
    {"match.period", SETTING_NUMBER, "12", 0, 100,
     "gewicht van de periode in de score van een match",
     "weight of the period in the score of a match", true, NULL},
    {"match.hours", SETTING_NUMBER, "7", 0, 100, "gewicht van de uren in de score van een match",
     "weight of the hours in the score of a match", true, NULL},
    {"match.headcount", SETTING_NUMBER, "6", 0, 100,
     "gewicht van het aantal mensen in de score van een match",
     "weight of the headcount in the score of a match", true, NULL},
    {"match.terms", SETTING_NUMBER, "6", 0, 100,
     "gewicht van de voorwaarden in de score van een match",
     "weight of the terms in the score of a match", true, NULL},
    {LOG_LEVEL_SETTING, SETTING_CHOICE, "info", 0, 0,
     "vanaf welk niveau wordt gelogd; COLLEGA_LOG gaat voor",
     "from which level on things are logged; COLLEGA_LOG overrides", true, LOG_LEVEL_CHOICES},
};

enum collega_status settings_weights(const struct config *config, double weight[MATCH_PARTS],
                                     struct collega_error *error) {
  double sum = 0;
  for (size_t i = 0; i < MATCH_PARTS; ++i) {
    char name[40];
    snprintf(name, sizeof name, "match.%s", match_part_name((enum match_part)i));
    weight[i] = (double)config_number(config, name);
    sum += weight[i];
  }
  if (sum <= 0)
    return error_set(error, COLLEGA_INVALID, RULE_match_weights_none, SETTINGS_FILE, NULL);
  for (size_t i = 0; i < MATCH_PARTS; ++i)
    weight[i] /= sum;
  return COLLEGA_OK;
}

enum collega_status settings_weights_of(const char *home, double weight[MATCH_PARTS],
                                        struct collega_error *error) {
  char path[4096];
  struct config *config = NULL;
  enum collega_status status = path_join(path, sizeof path, home, SETTINGS_FILE, error);
  if (status == COLLEGA_OK)
    status = config_load(path, node_settings, NODE_SETTING_COUNT, &config, error);
  if (status == COLLEGA_OK) status = settings_weights(config, weight, error);
  config_destroy(&config);
  return status;
}
