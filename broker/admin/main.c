/* `collega-broker`: the tables of its commands and options. Parser, help, man page and completion
 * come from them. */
#include "base/disk/disk.h"
#include "base/process/process.h"
#include "broker/admin/office.h"
#include "broker/daemon/settings.h"

#define COUNT(table)   (sizeof(table) / sizeof((table)[0]))
#define NO_OPTIONS     NULL, 0
#define OPTIONS(table) table, COUNT(table)

static const struct option_row common[] = {
    {"home", "DIR", "de map van deze broker (of COLLEGA_BROKER_HOME)",
     "this broker's directory (or COLLEGA_BROKER_HOME)", false},
    {"json", NULL, "antwoord als één JSON-document", "answer as one JSON document", false},
    {"lang", "nl|en", "taal van de tekst", "language of the text", false},
};
static const struct option_row init_options[] = {
    {"name", "NAME", "naam van het netwerk", "the network's name", false},
    {"listen", "ADDRESS",
     "waar knooppunten verbinding maken (tcp://127.0.0.1:7440; poort 0 kiest een vrije)",
     "where nodes connect (tcp://127.0.0.1:7440; port 0 picks a free one)", false},
};
static const struct option_row invite_options[] = {
    {"name", "NAME", "naam van wie wordt uitgenodigd", "name of whom it invites", false},
    {"kvk", "NUMBER", "KvK-nummer, acht cijfers",
     "number at the chamber of commerce (KvK), eight digits", false},
    {"role", "employer|network|desk|observer|broker", "wat het lid is (standaard employer)",
     "what the member is (employer by default)", false},
    {"days", "N", "zo lang geldig (standaard 14)", "valid so long (14 by default)", false},
    {"host", "ID|KVK|NAME", "een netwerk dat lid is, en bij wie deze partij zal wonen",
     "a network that is a member, at whose node this party will live", false},
    {"recover", "ID|KVK|NAME", "een lid dat niets meer heeft dan zijn herstelsleutel",
     "a member that has nothing left but its recovery key", false},
};
static const struct option_row revoke_options[] = {
    {"reason", "TEXT", "waarom; alle leden kunnen het lezen", "why; all members can read it",
     false},
};

static const struct command_row commands[] = {
    {"init", "--name NAME", "maak een broker", "make a broker", OPTIONS(init_options), 0, 0,
     command_init},
    {"run", "", "de broker: tot hij wordt gestopt", "the broker: until it is stopped", NO_OPTIONS,
     0, 0, command_run},
    {"invite", "--name NAME --kvk NUMBER",
     "nodig een lid uit; toont alleen de uitnodiging, die geheim is",
     "invite a member; prints only the invitation, which is secret", OPTIONS(invite_options), 0, 0,
     command_invite},
    {"members", "", "wie lid is", "who is a member", NO_OPTIONS, 0, 0, command_members},
    {"status", "", "hoe het staat", "how things stand", NO_OPTIONS, 0, 0, command_status},
    {"revoke", "ID|KVK|NAME", "trek de toegang van een lid in, meteen",
     "revoke a member's access, at once", OPTIONS(revoke_options), 1, 1, command_revoke},
    {"backup", "DIR", "maak een reservekopie in een nieuwe map, terwijl de broker doorgaat",
     "make a backup in a new directory, while the broker goes on", NO_OPTIONS, 1, 1,
     command_backup},
    {"restore", "DIR",
     "maak van een reservekopie een nieuwe werkmap (--home), met een nieuw tijdvak",
     "make a new home (--home) of a backup, with a new epoch", NO_OPTIONS, 1, 1, command_restore},
};

static const struct manual_row files[] = {
    {"settings.ini", "instellingen", "settings; init writes all of them, commented out"},
    {"identity", "de geheime sleutels", "the secret keys; who has them is this broker"},
    {"store/", "logboek, post, registers, leden", "log, mailboxes, registers, members (LMDB)"},
    {"control.sock", "waar commando's een draaiende broker vinden",
     "where commands reach a running broker"},
    {"endpoint, http", "waar hij nu luistert", "where it listens now"},
    {"lock", "vast zolang de broker draait", "held while the broker runs"},
};
static const struct manual_row examples[] = {
    {"collega-broker init --home /var/lib/collega --name \"ACE West-Brabant\"\n"
     "collega-broker run --home /var/lib/collega",
     "Een broker maken en starten:", "To make a broker and start it:"},
    {"collega-broker invite --home /var/lib/collega --name \"Snijder BV\" --kvk 12345678",
     "Een werkgever uitnodigen:", "To invite an employer; what it prints is a secret:"},
    {"collega-broker backup --home /var/lib/collega /backup/collega",
     "Een reservekopie maken:", "To back it up while it runs:"},
};

static const struct program program = {
    .name = "collega-broker",
    .nl = "de broker van een netwerk: geeft berichten door, bewaart post, beslist over "
          "overeenkomsten",
    .en = "a network's broker: relays records, keeps mail, decides deals",
    .home_variable = "COLLEGA_BROKER_HOME",
    .common = common,
    .common_count = COUNT(common),
    .commands = commands,
    .command_count = COUNT(commands),
    .settings = broker_settings,
    .setting_count = BROKER_SETTING_COUNT,
    .files = files,
    .file_count = COUNT(files),
    .examples = examples,
    .example_count = COUNT(examples),
    .start = disk_watch_damage,
};

int main(int argc, char **argv) {
  process_start();
  struct collega_error error;
  if (bytes_start(&error) != COLLEGA_OK) {
    char text[256];
    error_render(language_choose(NULL), &error, text, sizeof text);
    fprintf(stderr, "collega-broker: %s\n", text);
    return error_exit_status(error.status);
  }
  return program_main(&program, argc, argv);
}
