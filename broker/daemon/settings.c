/* The table of settings. */
#include "broker/daemon/settings.h"
#include "base/log.h"
#include "base/process/process.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>

const struct setting broker_settings[BROKER_SETTING_COUNT] = {
    {SETTING_LISTEN, SETTING_TEXT, "tcp://127.0.0.1:7440", 8, 255,
     "waar knooppunten verbinding maken; poort 0 kiest een vrije poort",
     "where nodes connect; port 0 picks a free one", false, NULL},
    {SETTING_ADVERTISE, SETTING_TEXT, "", 0, 2048,
     "adressen die in uitnodigingen komen, met komma's ertussen; leeg: link.listen",
     "addresses that invitations name, with commas between; empty: link.listen", true, NULL},
    {SETTING_HTTP, SETTING_TEXT, "127.0.0.1:7441", 3, 255,
     "waar /metrics en /healthz te lezen zijn; off: nergens; poort 0 kiest een vrije poort",
     "where /metrics and /healthz can be read; off: nowhere; port 0 picks a free one", false, NULL},
    {SETTING_MAP, SETTING_NUMBER, "64", 1, 16384,
     "adresruimte voor de database, in GiB; de database kan niet groter worden",
     "address space for the database, in GiB; the database cannot become larger", false, NULL},
    {SETTING_WORKERS, SETTING_NUMBER, "2", 1, 16,
     "threads die handtekeningen nazien en het prikbord lezen",
     "threads that verify signatures and read the board", false, NULL},
    {LOG_LEVEL_SETTING, SETTING_CHOICE, "info", 0, 0,
     "vanaf welk niveau wordt gelogd; COLLEGA_LOG gaat voor",
     "from which level on things are logged; COLLEGA_LOG overrides", true, LOG_LEVEL_CHOICES},
    {SETTING_RECORDS, SETTING_NUMBER, "10000", 0, 10000000,
     "berichten die een lid per seconde mag plaatsen of sturen, met tien seconden voorraad; 0: "
     "geen grens",
     "records that a member may publish or send a second, with ten seconds in store; 0: no limit",
     true, NULL},
    {SETTING_BYTES, SETTING_NUMBER, "8388608", 0, 1073741824,
     "bytes die een lid per seconde mag sturen, met tien seconden voorraad; 0: geen grens",
     "bytes that a member may send a second, with ten seconds in store; 0: no limit", true, NULL},
    {SETTING_FRAMES, SETTING_NUMBER, "2000", 0, 1000000,
     "andere verzoeken van een lid per seconde, met tien seconden voorraad; 0: geen grens",
     "other requests of a member a second, with ten seconds in store; 0: no limit", true, NULL},
    {SETTING_SESSIONS, SETTING_NUMBER, "60", 0, 100000,
     "verbindingen die een lid per minuut mag beginnen; 0: geen grens",
     "sessions that a member may begin a minute; 0: no limit", true, NULL},
};

enum collega_status broker_settings_path(char path[PATH_MAX], const char *home,
                                         struct collega_error *error) {
  return path_join(path, PATH_MAX, home, "settings.ini", error);
}

enum collega_status broker_settings_load(const char *home, struct config **out,
                                         struct collega_error *error) {
  char path[PATH_MAX];
  *out = NULL;
  enum collega_status status = broker_settings_path(path, home, error);
  if (status == COLLEGA_OK)
    status = config_load(path, broker_settings, BROKER_SETTING_COUNT, out, error);
  return status;
}

enum collega_status broker_settings_write(const char *home, const char *listen,
                                          struct collega_error *error) {
  char path[PATH_MAX];
  enum collega_status status = broker_settings_path(path, home, error);
  if (status == COLLEGA_OK)
    status = config_write_template(path, broker_settings, BROKER_SETTING_COUNT, error);
  struct buffer text;
  buffer_init(&text, 0);
  if (status == COLLEGA_OK) {
    buffer_free(&text);
    status = file_read(path, 65536, &text, error);
  }
  if (status == COLLEGA_OK) {
    buffer_print(&text, "\n; init\n[link]\nlisten = %s\n", listen);
    status = text.failed ? error_set(error, COLLEGA_SYSTEM, RULE_out_of_memory, NULL, NULL)
                         : file_write(path, text.data, text.length, 0600, error);
  }
  buffer_free(&text);
  return status;
}
