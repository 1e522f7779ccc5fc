/* `collega`: the tables of its commands and options. Parser, help, man page and completion come from them. */
#include <string.h>

#include "base/disk/disk.h"
#include "base/process/process.h"
#include "client/cli/common.h"
#include "client/cli/deals.h"
#include "client/library/settings.h"

#define AS                                                                                         \
  {                                                                                                \
    "as", "PARTY", "voor deze partij (KvK-nummer, begin van kenmerk of naam)",                     \
        "for this party (KvK number, beginning of id or name)", false                              \
  }
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define WAIT                                                                                       \
  { "wait", "SECONDS", "wacht zo lang op het gevolg", "wait so long for the outcome", false }

static const struct option_row common[] = {
    {"home", "DIR", "de map van dit knooppunt (of COLLEGA_HOME)",
     "this node's directory (or COLLEGA_HOME)", false},
    {"json", NULL, "antwoord als één JSON-document", "answer as one JSON document", false},
    {"lang", "nl|en", "taal van de tekst", "language of the text", false},
};
static const struct option_row init_options[] = {
    {"name", "NAME", "naam van de werkgever", "the employer's name", false},
    {"kvk", "NUMBER", "KvK-nummer, acht cijfers",
     "number at the chamber of commerce (KvK), eight digits", false},
    {"signatory", "NAME", "wie namens de werkgever tekent", "who signs for the employer", false},
    {"function", "TEXT", "functie van wie tekent", "function of who signs", false},
};
static const struct option_row party_options[] = {
    {"name", "NAME", "naam van de werkgever", "the employer's name", false},
    {"kvk", "NUMBER", "KvK-nummer, acht cijfers",
     "number at the chamber of commerce (KvK), eight digits", false},
    {"signatory", "NAME", "wie namens de werkgever tekent", "who signs for the employer", false},
    {"function", "TEXT", "functie van wie tekent", "function of who signs", false},
    {"invitation", "TOKEN", "de uitnodiging om hier te wonen", "the invitation to live here",
     false},
    WAIT};
static const struct option_row wait_options[] = {WAIT};
static const struct option_row as_options[] = {AS};
static const struct option_row act_options[] = {AS, WAIT};
static const struct option_row publish_options[] = {
    {"csv", NULL, "het bestand is CSV; dat hoeft niet bij een naam die eindigt op .csv",
     "the file is CSV; not needed when its name ends in .csv", false},
    {"skip-bad", NULL, "CSV: plaats de goede rijen en noem de andere",
     "CSV: publish the good rows and list the others", false},
    {"once", NULL,
     "sla over wat al onder dezelfde eigen referentie (private.reference) is geplaatst",
     "leave out what was published before under the same reference of yours (private.reference)",
     false},
    AS,
    WAIT};
static const struct option_row new_options[] = {
    {"dry-run", NULL, "toon het aanbod als JSON en plaats niets",
     "show the offer as JSON and publish nothing", false},
    AS,
    WAIT};
#define KIND                                                                                       \
  {                                                                                                \
    "kind", KIND_CHOICES, "alleen deze soort, van onze kant gezien",                               \
        "only this kind, as seen from our side", false                                             \
  }
static const struct option_row offer_list_options[] = {
    {"kind", KIND_CHOICES, "alleen deze soort", "only this kind", false},
    {"state", OFFER_STATE_CHOICES, "alleen in deze staat", "only in this state", false},
    {"mine", NULL, "alleen eigen aanbod", "only our own", false},
    {"all", NULL, "ook wat niet meer open is", "also what is no longer open", false},
    AS,
};
static const struct option_row match_options[] = {
    {"offer", "ID", "alleen bij dit eigen aanbod", "only for this offer of ours", false},
    KIND,
    {"state", MATCH_STATE_CHOICES, "alleen in deze staat", "only in this state", false},
    {"mine", NULL, "alleen waarvoor wij belangstelling toonden", "only where we showed interest",
     false},
    AS,
    WAIT};
static const struct option_row deal_list_options[] = {
    {"state", DEAL_STATE_CHOICES, "alleen in deze staat", "only in this state", false},
    {"awaits", DEAL_AWAITS_CHOICES,
     "alleen wat wacht: op ons, de ander, de beslisser, het knooppunt",
     "only what waits: for us, the other side, the decider, the node", false},
    {"mine", NULL, "alleen eigen voorstellen", "only proposals of ours", false},
    KIND,
    AS,
    WAIT};
#define PROPOSAL                                                                                   \
  {"headcount", "N", "aantal mensen", "number of people", false},                                  \
      {"from", "DATE", "eerste dag", "first day", false},                                          \
      {"until", "DATE", "laatste dag", "last day", false},                                         \
      {"hours", "N", "uren per week", "hours a week", false},                                      \
      {"rate", "AMOUNT", "uurtarief, 23,80", "rate an hour, 23.80", false},                        \
      {"terms", "FILE", "overige voorwaarden, JSON", "further terms, JSON", false},                \
      {"mandate", "ID", "volmacht waarmee wordt getekend", "mandate to sign with", false},         \
      {"accept-by", "TIME", "antwoord vóór (standaard drie werkdagen)",                            \
       "answer by (three working days by default)", false},                                        \
      AS, WAIT
static const struct option_row propose_options[] = {
    {"to", "OFFER", "op een aanbod zonder eigen aanbod", "to an offer, without an offer of our own",
     false},
    PROPOSAL};
static const struct option_row change_options[] = {PROPOSAL};
static const struct option_row terminate_options[] = {
    {"effective", "DATE", "laatste dag", "last day", false},
    {"headcount", "N", "hoeveel mensen minder; de rest gaat door (anders: allen)",
     "how many people fewer; the others go on (else: all)", false},
    {"mandate", "ID", "volmacht waarmee wordt getekend", "mandate to sign with", false},
    AS,
    WAIT};
static const struct option_row release_options[] = {
    {"sign", NULL, "ontheffing gevraagd door de ander: teken die",
     "release asked by the other: sign it", false},
    {"keep", NULL, "ontheffing gevraagd door de ander: houd vast aan wat er is",
     "release asked by the other: keep to what there is", false},
    AS,
    WAIT};
static const struct option_row message_options[] = {
    {"message", "TEXT", "een bericht erbij", "a message with it", false}, AS, WAIT};
static const struct option_row export_options[] = {
    {"complete", "FILE",
     "alles, met inhoud en geheimen, in een nieuw bestand (- is standaarduitvoer)",
     "all of it, contents and secrets included, into a new file (- is standard output)", false}};
static const struct option_row import_options[] = {
    {"keys", "DIR", "maak een nieuwe werkmap met de sleutels van deze werkmap of reservekopie",
     "make a new home, with the keys of this home or backup", false}};
static const struct option_row talk_options[] = {
    {"message", "TEXT", "stuur een bericht", "send a message", false},
    {"terms", "FILE", "stuur voorwaarden in concept, JSON", "send draft terms, JSON", false},
    AS,
    WAIT};
static const struct option_row accept_options[] = {
    {"mandate", "ID", "volmacht waarmee wordt getekend", "mandate to sign with", false}, AS, WAIT};
static const struct option_row prove_options[] = {
    {"hide", "SECTIONS",
     "laat deze onderdelen weg: work, place, rates, persons, contact, rules, ending, note",
     "leave these sections out: work, place, rates, persons, contact, rules, ending, note", false},
    AS,
    WAIT};
static const struct option_row verify_options[] = {
    {"trust", "FINGERPRINT", "vingerafdruk van een netwerk dat u vertrouwt",
     "fingerprint of a network that you trust", true}};
static const struct option_row recover_options[] = {
    {"recovery-key", "FILE|-", "bestand met de herstelsleutel; - is standaardinvoer",
     "file with the recovery key; - is standard input", false},
    {"invitation", "TOKEN",
     "een uitnodiging om weer binnen te komen; zonder werkmap ook om er een te maken",
     "an invitation to come in again; without a home also to make one", false},
    AS,
    WAIT};
static const struct option_row mandate_options[] = {
    {"signatory", "NAME", "wie tekent", "who signs", false},
    {"function", "TEXT", "functie van wie tekent", "function of who signs", false},
    {"jointly", NULL, "alleen samen met een ander: wordt vastgelegd, en kan nog niet tekenen",
     "only together with another: recorded, and cannot sign yet", false},
    {"max-headcount", "N", "hoogstens voor zoveel mensen", "for at most so many people", false},
    {"from", "DATE", "eerste dag (standaard nu)", "first day (now by default)", false},
    {"until", "DATE", "laatste dag", "last day", false},
    {"ground", "TEXT", "waarop de volmacht berust", "what the mandate rests on", false},
    AS,
    WAIT};
static const struct option_row market_options[] = {{"csv", NULL, "als CSV", "as CSV", false}, AS};
static const struct option_row plan_options[] = {
    {"offer", "ID", "voor dit eigen aanbod: van meer werkgevers tegelijk, of in deeltijdstukken",
     "for this offer of ours: of several employers at once, or in part-time pieces", false},
    {"board", NULL, "voor het hele prikbord: wie het beste aan wie uitleent",
     "for the whole board: who best lends to whom", false},
    {"rings", NULL, "met --board: alleen ringen, waarin wie uitleent ook inleent",
     "with --board: only rings, in which who lends also borrows", false},
    {"time", "SECONDS", "zoek hoogstens zo lang (standaard 10)",
     "search at most so long (10 by default)", false},
    AS};
static const struct option_row plan_propose_options[] = {
    {"rate", "AMOUNT", "uurtarief, 23,80", "rate an hour, 23.80", false},
    {"terms", "FILE", "overige voorwaarden, JSON", "further terms, JSON", false},
    {"mandate", "ID", "volmacht waarmee wordt getekend", "mandate to sign with", false},
    {"accept-by", "TIME", "antwoord vóór (standaard drie werkdagen)",
     "answer by (three working days by default)", false},
    AS};
static const struct option_row log_options[] = {
    {"last", "N", "zoveel laatste nummers (standaard 50)",
     "so many of the last entries (50 by default)", false}};
static const struct option_row search_options[] = {
    {"occupations", NULL, "alleen beroepen", "only occupations", false},
    {"skills", NULL, "alleen vaardigheden", "only skills", false},
    {"limit", "N", "hoogstens zoveel (standaard 10)", "at most so many (10 by default)", false}};
static const struct option_row code_options[] = {
    {"limit", "N", "zoveel voorstellen per titel (standaard 3)",
     "so many proposals for each title (3 by default)", false}};

static const struct option_row erase_options[] = {
    {"deal", "ID", "de onderhandeling waarvan deze deal deel is",
     "the negotiation that this deal belongs to", false},
    {"before", "DATE", "wat van vóór deze dag is en nergens meer voor nodig",
     "what is from before this day and needed for nothing any more", false},
    {"yes", NULL, "vraag niet om bevestiging", "do not ask for confirmation", false}};

#define NO_OPTIONS     NULL, 0
#define OPTIONS(table) table, COUNT(table)

static const struct command_row commands[] = {
    {"init", "--name NAME --kvk NUMBER", "maak een knooppunt voor een werkgever",
     "make a node for an employer", OPTIONS(init_options), 0, 0, command_init},
    {"join", "TOKEN", "sluit aan bij een broker met een uitnodiging",
     "join a broker with an invitation", OPTIONS(wait_options), 1, 1, command_join},
    {"run", "", "het knooppunt: verbinding, tekenen, matchen",
     "the node daemon: link, signing, matching", NO_OPTIONS, 0, 0, command_run},
    {"status", "", "hoe het staat, en wat waarop wacht",
     "how things stand, and what waits for what", NO_OPTIONS, 0, 0, command_status},
    {"party add", "--name NAME --kvk NUMBER --invitation TOKEN",
     "huisvest een werkgever op dit knooppunt", "host an employer at this node",
     OPTIONS(party_options), 0, 0, command_party_add},
    {"party renew", "TOKEN", "verleng het certificaat van een werkgever die hier woont",
     "renew the certificate of an employer that lives here", OPTIONS(act_options), 1, 1,
     command_party_renew},
    {"party list", "", "wie hier wonen, en of ze lid zijn",
     "who lives here, and whether as a member", NO_OPTIONS, 0, 0, command_party_list},
    {"offer new", "", "stel aanbod op aan de hand van vragen, en plaats het",
     "write an offer by answering questions, and publish it", OPTIONS(new_options), 0, 0,
     command_offer_new},
    {"offer publish", "FILE.json|FILE.csv|-", "plaats aanbod; toont de kenmerken, een per regel",
     "publish offers; prints their ids, one a line", OPTIONS(publish_options), 1, 1,
     command_offer_publish},
    {"offer list", "", "het prikbord en het eigen aanbod", "the board and our own offers",
     OPTIONS(offer_list_options), 0, 0, command_offer_list},
    {"offer show", "ID", "een aanbod, volledig", "one offer, whole", OPTIONS(as_options), 1, 1,
     command_offer_show},
    {"offer revise", "ID FILE.json|-", "geef een eigen aanbod een nieuwe inhoud",
     "give an offer of ours a new content", OPTIONS(act_options), 2, 2, command_offer_revise},
    {"offer pause", "ID", "zet een eigen aanbod even stil", "pause an offer of ours",
     OPTIONS(act_options), 1, 1, command_offer_pause},
    {"offer resume", "ID", "open een eigen aanbod weer", "open an offer of ours again",
     OPTIONS(act_options), 1, 1, command_offer_resume},
    {"offer filled", "ID", "meld dat een eigen aanbod vervuld is",
     "tell that an offer of ours is filled", OPTIONS(act_options), 1, 1, command_offer_filled},
    {"offer withdraw", "ID", "trek een eigen aanbod voorgoed in",
     "withdraw an offer of ours for good", OPTIONS(act_options), 1, 1, command_offer_withdraw},
    {"match list", "", "wat bij ons aanbod past, het beste eerst",
     "what fits our offers, best first", OPTIONS(match_options), 0, 0, command_match_list},
    {"match show", "ID", "een match: waarom, en wat ontbreekt",
     "one match: why, and what is missing", OPTIONS(as_options), 1, 1, command_match_show},
    {"match interest", "ID", "toon belangstelling; bindt niemand", "show interest; binds nobody",
     OPTIONS(message_options), 1, 1, command_match_interest},
    {"match decline", "ID", "laat een match gaan; bindt niemand", "let a match go; binds nobody",
     OPTIONS(act_options), 1, 1, command_match_decline},
    {"plan", "--offer ID|--board", "wie samen het beste passen, uitgelegd; bindt niemand",
     "who fit best together, explained; binds nobody", OPTIONS(plan_options), 0, 0, command_plan},
    {"plan show", "PLAN", "een plan dat eerder is gemaakt", "a plan that was made before",
     OPTIONS(as_options), 1, 1, command_plan_show},
    {"plan propose", "PLAN",
     "doe de voorstellen van een plan, een per werkgever; toont de kenmerken",
     "make the proposals of a plan, one for each employer; prints their ids",
     OPTIONS(plan_propose_options), 1, 1, command_plan_propose},
    {"market", "",
     "wat er gevraagd en geboden wordt, en waar het knelt; kleine aantallen blijven verborgen",
     "what is asked and offered, and what is short where; small numbers stay hidden",
     OPTIONS(market_options), 0, 0, command_market},
    {"deal talk", "ID", "overleg over een match of deal; zonder opties: wat er gezegd is",
     "talk about a match or deal; without options: what was said", OPTIONS(talk_options), 1, 1,
     command_deal_talk},
    {"deal propose", "MATCH|--to OFFER", "doe een getekend voorstel; toont het kenmerk",
     "make a signed proposal; prints its id", OPTIONS(propose_options), 0, 1, command_deal_propose},
    {"deal accept", "ID", "neem een voorstel aan", "accept a proposal", OPTIONS(accept_options), 1,
     1, command_deal_accept},
    {"deal decline", "ID", "wijs een voorstel af", "decline a proposal", OPTIONS(act_options), 1, 1,
     command_deal_decline},
    {"deal withdraw", "ID", "vraag een eigen voorstel terug", "ask to withdraw a proposal of ours",
     OPTIONS(act_options), 1, 1, command_deal_withdraw},
    {"deal counter", "ID", "doe een tegenvoorstel; toont het kenmerk",
     "make a counter-proposal; prints its id", OPTIONS(change_options), 1, 1, command_deal_counter},
    {"deal amend", "ID", "stel een wijziging van een overeenkomst voor; toont het kenmerk",
     "propose a change of an agreement; prints its id", OPTIONS(change_options), 1, 1,
     command_deal_amend},
    {"deal terminate", "ID --effective DATE", "beëindig een overeenkomst, of een deel ervan",
     "end an agreement, or a part of it", OPTIONS(terminate_options), 1, 1, command_deal_terminate},
    {"deal release", "ID", "vraag de ander elkaar te ontheffen, of antwoord op die vraag",
     "ask the other for release of each other, or answer that", OPTIONS(release_options), 1, 1,
     command_deal_release},
    {"deal list", "", "voorstellen en overeenkomsten, het nieuwste eerst",
     "proposals and agreements, the newest first", OPTIONS(deal_list_options), 0, 0,
     command_deal_list},
    {"deal show", "ID", "een voorstel of overeenkomst, en wat er nu kan",
     "one proposal or agreement, and what can be done next", OPTIONS(act_options), 1, 1,
     command_deal_show},
    {"deal prove", "ID", "het bewijs van een overeenkomst, als bestand",
     "the proof of an agreement, as a file", OPTIONS(prove_options), 1, 1, command_deal_prove},
    {"mandate add", "--signatory NAME --function TEXT", "leg vast wie mag tekenen",
     "record who may sign", OPTIONS(mandate_options), 0, 0, command_mandate_add},
    {"mandate list", "", "wie mag tekenen, en tot wanneer", "who may sign, and until when",
     OPTIONS(as_options), 0, 0, command_mandate_list},
    {"mandate end", "ID", "beëindig een volmacht", "end a mandate", OPTIONS(act_options), 1, 1,
     command_mandate_end},
    {"key rotate", "", "vervang de sleutels door nieuwe", "replace the keys by new ones",
     OPTIONS(act_options), 0, 0, command_key_rotate},
    {"key recover", "--recovery-key FILE|-",
     "vervang de sleutels met de herstelsleutel: ook die van wie ze stal",
     "replace the keys by the recovery key: also those of who stole them", OPTIONS(recover_options),
     0, 0, command_key_recover},
    {"taxonomy import esco", "FILE.csv|FILE.zip|DIR...",
     "lees ESCO in, van alle bestanden samen: beroepen en vaardigheden in elke taal",
     "import ESCO, all files at once: occupations and skills in any language", NO_OPTIONS, 1, 200,
     command_taxonomy_import},
    {"places import", "NL.txt [MUNICIPALITIES.csv]",
     "lees postcodes van GeoNames in, en in welke arbeidsmarktregio gemeenten liggen",
     "import the postcodes of GeoNames, and the labour-market regions of municipalities",
     NO_OPTIONS, 1, 2, command_places_import},
    {"places show", "POSTCODE|TOWN...", "waar een postcode of plaats ligt, zoals ingelezen",
     "where a postcode or town lies, as imported", NO_OPTIONS, 1, 10, command_places_show},
    {"courses import", "FILE.csv",
     "lees korte cursussen in die een gat tussen twee aanbiedingen dichten, in de plaats van de "
     "vorige",
     "import short courses that close a gap between two offers, in place of the former ones",
     NO_OPTIONS, 1, 1, command_courses_import},
    {"courses list", "", "de korte cursussen die matches noemen",
     "the short courses that matches name", NO_OPTIONS, 0, 0, command_courses_list},
    {"taxonomy search", "TEXT...", "zoek beroepen en vaardigheden, het beste eerst",
     "find occupations and skills, best first", OPTIONS(search_options), 1, 50,
     command_taxonomy_search},
    {"taxonomy code", "FILE.csv|-", "voorstellen voor een lijst van functietitels, als CSV",
     "proposals for a list of job titles, as CSV", OPTIONS(code_options), 1, 1,
     command_taxonomy_code},
    {"verify", "FILE", "toets een bewijs, zonder knooppunt of net",
     "judge a proof, without node or network", OPTIONS(verify_options), 1, 1, command_verify},
    {"ledger log", "", "de laatste nummers van het logboek", "the last entries of the ledger",
     OPTIONS(log_options), 0, 0, command_ledger_log},
    {"ledger verify", "", "reken de keten van het logboek na", "check the chain of the ledger",
     NO_OPTIONS, 0, 0, command_ledger_verify},
    {"ledger rebuild", "", "maak de tabellen opnieuw uit de keten",
     "make the tables anew from the chain", NO_OPTIONS, 0, 0, command_ledger_rebuild},
    {"ledger backup", "DIR",
     "maak een reservekopie in een nieuwe map, terwijl het knooppunt doorgaat",
     "make a backup in a new directory, while the node goes on", NO_OPTIONS, 1, 1,
     command_ledger_backup},
    {"ledger erase", "--deal ID|--before DATE",
     "wis persoonsgegevens: van een onderhandeling, of van vóór een dag en voorbij",
     "erase personal data: of a negotiation, or from before a day and over", OPTIONS(erase_options),
     0, 0, command_ledger_erase},
    {"ledger export", "",
     "de keten van het logboek, een JSON-object per regel; of alles in een bestand",
     "the chain of the ledger, one JSON object a line; or all of it in a file",
     OPTIONS(export_options), 0, 0, command_ledger_export},
    {"ledger import", "FILE", "maak een logboek van een volledige uitvoer (export --complete)",
     "make a ledger of a complete export (export --complete)", OPTIONS(import_options), 1, 1,
     command_ledger_import},
    {"ledger restore", "DIR", "maak van een reservekopie een nieuwe werkmap (--home)",
     "make a new home (--home) of a backup", NO_OPTIONS, 1, 1, command_ledger_restore},
};

static const struct manual_row files[] = {
    {"settings.ini", "instellingen", "settings; init writes all of them, commented out"},
    {"parties/ID/identity", "de geheime sleutels van een partij",
     "a party's secret keys; who has them is this party"},
    {"ledger/", "het logboek", "the ledger: chain, offers, deals, what waits to be sent (LMDB)"},
    {"taxonomy", "beroepen en vaardigheden die zijn ingelezen",
     "occupations and skills that were imported (taxonomy import)"},
    {"plans/ID", "plannen, dertig dagen bewaard", "plans, kept for thirty days"},
    {"courses", "korte cursussen die zijn ingelezen",
     "short courses that were imported (courses import)"},
    {"places", "postcodes die zijn ingelezen", "postcodes that were imported (places import)"},
    {"lock", "vast zolang het knooppunt draait", "held while the daemon runs"},
    {"changed", "de bel: er is iets veranderd", "the bell: written after every change"},
};
static const struct manual_row examples[] = {
    {"collega init --home ~/snijder --name \"Snijder BV\" --kvk 12345678\n"
     "collega join --home ~/snijder TOKEN\n"
     "collega run --home ~/snijder",
     "Een knooppunt maken, aansluiten en starten:",
     "To make a node, join with the invitation that the network sent, and start:"},
    {"collega offer publish --wait 20 magazijn.json\n"
     "collega match list --wait 20\n"
     "collega deal propose --headcount 6 --rate 23,80 MATCH",
     "Aanbod plaatsen, zien wat past, een voorstel doen:",
     "To publish an offer, see what fits and propose (the home in COLLEGA_HOME):"},
    {"collega deal show DEAL\n"
     "collega deal accept --wait 60 DEAL\n"
     "collega deal prove DEAL > proof.collega\n"
     "collega verify proof.collega",
     "Een voorstel lezen, aannemen en bewijzen:", "To read a proposal, accept it, and prove it:"},
};

static const struct program program = {
    .name = "collega",
    .nl =
        "knooppunt voor collegiale in- en uitleen: werkgevers lenen elkaar personeel, zonder winst",
    .en = "node for collegial loans: employers lend each other staff, without profit",
    .home_variable = "COLLEGA_HOME",
    .common = common,
    .common_count = COUNT(common),
    .commands = commands,
    .command_count = COUNT(commands),
    .settings = node_settings,
    .setting_count = NODE_SETTING_COUNT,
    .files = files,
    .file_count = COUNT(files),
    .examples = examples,
    .example_count = COUNT(examples),
    .start = disk_watch_damage,
};

int main(int argc, char **argv) {
  struct collega_error error;
  process_start();
  if (bytes_start(&error) != COLLEGA_OK) return error_exit_status(error.status);
  return program_main(&program, argc, argv);
}
