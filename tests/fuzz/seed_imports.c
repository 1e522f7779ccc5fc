/* Seeds of what is imported: a handful of occupations, skills, postcodes, courses and titles, made up, in the form
 * in which ESCO, GeoNames and spreadsheets write them; whole, with one fault each, and as a home keeps them. */
#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#include "client/library/courses_import.h"
#include "client/library/places_import.h"
#include "client/library/taxonomy_import.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/seeds.h"

/* The numbers of target_esco.c's names. */
enum {
  OCCUPATIONS_EN,
  OCCUPATIONS_NL,
  SKILLS_EN,
  SKILLS_NL,
  GROUPS_EN,
  RELATIONS,
  RELATED,
  BROADER,
  ZIP,
  NO_LANGUAGE
};
static const char *const zip_names[] = {
    "set/occupations_en.csv",      "set/occupations_nl.csv",
    "set/skills_en.csv",           "set/skills_nl.csv",
    "set/skillGroups_en.csv",      "set/occupationSkillRelations_en.csv",
    "set/skillSkillRelations.csv", "set/broaderRelationsSkillPillar.csv"};

#define CONCEPTS "conceptType,conceptUri,iscoGroup,preferredLabel,altLabels\n"
static const char *const set[] = {
    [OCCUPATIONS_EN] =
        CONCEPTS "Occupation,u:o/taxi,8322,taxi driver,\"cab driver\ntaxi chauffeur\"\n"
                 "Occupation,u:o/cook,5120,cook,\"kitchen cook\n\ncook \"\"chef\"\"\"\n"
                 "Occupation,u:o/messenger,9621,messenger,\n",
    [OCCUPATIONS_NL] = CONCEPTS "Occupation,u:o/taxi,8322,taxichauffeur,\n"
                                "Occupation,u:o/cook,5120,kok,\"zelfstandig werkend kok\"\n",
    [SKILLS_EN] = CONCEPTS "KnowledgeSkillCompetence,u:s/drive,,drive,steer\n"
                           "KnowledgeSkillCompetence,u:s/route,,plan a route,\n"
                           "KnowledgeSkillCompetence,u:s/fry,,fry \xc3\xa9gg,\n",
    [SKILLS_NL] = "\xef\xbb\xbf" CONCEPTS "KnowledgeSkillCompetence,u:s/drive,,rijden,\r\n",
    [GROUPS_EN] = CONCEPTS "SkillGroup,u:g/transport,,moving,\nSkillGroup,u:g/all,,all of it,\n",
    [RELATIONS] = "occupationUri,relationType,skillUri\nu:o/taxi,essential,u:s/drive\n"
                  "u:o/taxi,optional,u:s/route\nu:o/messenger,essential,u:s/route\n"
                  "u:o/cook,essential,u:s/fry\nu:o/nobody,optional,u:s/fry\n",
    [RELATED] = "originalSkillUri,originalSkillType,relationType,relatedSkillType,relatedSkillUri\n"
                "u:s/drive,skill,optional,skill,u:s/route\nu:s/gone,skill,optional,skill,u:s/fry\n",
    [BROADER] = "conceptType,conceptUri,broaderType,broaderUri\n"
                "KnowledgeSkillCompetence,u:s/drive,SkillGroup,u:g/transport\n"
                "SkillGroup,u:g/transport,SkillGroup,u:g/all\n"
                "Occupation,u:o/taxi,ISCOGroup,http://isco/8322\n"
                "KnowledgeSkillCompetence,u:s/fry,SkillGroup,u:g/all\n",
};
#define SET (sizeof set / sizeof set[0])

/* Each is put in the place of a file of the set. */
static const struct {
  unsigned file;
  const char *text;
} faults[] = {
    {OCCUPATIONS_EN, CONCEPTS "Occupation,u:o/taxi,9999,x,\n"},
    {OCCUPATIONS_EN, CONCEPTS "Occupation,u:o/taxi,83,x,\n"},
    {OCCUPATIONS_EN, CONCEPTS "Occupation,u:o/taxi,8322\n"},
    {OCCUPATIONS_EN, CONCEPTS "Occupation,u:o/taxi,8322,\"x\n"},
    {OCCUPATIONS_EN, CONCEPTS "Craft,u:o/taxi,8322,x,\n"},
    {OCCUPATIONS_EN, CONCEPTS "ISCOGroup,u:i,0110,x,\n"},
    {OCCUPATIONS_EN, CONCEPTS "Occupation,,8322,x,\n"},
    {OCCUPATIONS_NL, CONCEPTS "Occupation,u:o/taxi,5120,x,\n"},
    {SKILLS_EN, CONCEPTS "KnowledgeSkillCompetence,u:s/drive,,a\xff"
                         "b,\n"},
    {SKILLS_EN, CONCEPTS "Occupation,u:s/drive,8322,drive,\n"},
    {RELATIONS, "occupationUri,relationType,skillUri\nu:o/taxi,maybe,u:s/drive\n"},
    {BROADER, "conceptType,conceptUri,broaderType,broaderUri\n"
              "KnowledgeSkillCompetence,u:s/drive,KnowledgeSkillCompetence,u:s/route\n"
              "KnowledgeSkillCompetence,u:s/route,KnowledgeSkillCompetence,u:s/drive\n"},
    {BROADER, "conceptType,conceptUri,broaderType,broaderUri\n"
              "KnowledgeSkillCompetence,u:s/fry,KnowledgeSkillCompetence,u:s/fry\n"},
    {NO_LANGUAGE, CONCEPTS "Occupation,u:o/taxi,8322,x,\n"},
    {NO_LANGUAGE, "conceptSchemeUri,preferredLabel\nu:x,y\n"},
};

static const char municipalities[] = "gm_code,am_code,naam\nGM0758,AM25,Breda\n0106,AM03,Assen\n";
static const char *const postcodes[] = {
    "NL\t4811\tBreda\tNoord-Brabant\t06\tBreda\t0758\t\t\t51.5887\t4.7764\t6\n"
    "NL\t4812 AB\tBreda\tNoord-Brabant\t06\tBreda\t0758\t\t\t51.59\t4.76\t6\r\n"
    "NL\t9401\tAssen\tDrenthe\t01\tAssen\t0106\t\t\t52.99\t6.56\t6\n"
    "NL\t2511\t's-Gravenhage\tZuid-Holland\t11\tDen Haag\t0518\t\t\t52.07\t4.31\t6\n"
    "BE\t2300\tTurnhout\tAntwerpen\tVAN\t\t\t\t\t51.32\t4.95\t6\n",
    "NL\t7255AB\tHengelo\t\t\t\t\t\t\t52.05\t6.31\t\nNL\t7551\tHengelo\t\t\t\t\t\t\t52.26\t6."
    "79\t\n",
    "NL\t9999\tHoek\t\t\t\t\t\t\t53.7\t7.3\t\n",
    "NL\t1000\tHoek\t\t\t\t\t\t\t50.5\t3.2\t\n",
    "NL\t0811\tNergens\t\t\t\t\t\t\t52.1\t5.2\t\n",
    "NL\t4811\t\t\t\t\t\t\t\t52.1\t5.2\t\n",
    "NL\t4811\tVer weg\t\t\t\t\t\t\t12.5\t5.2\t\n",
    "NL\t4811\tVer weg\t\t\t\t\t\t\t52.5\t1e9\t\n",
    "NL\t4811\tKort\t52.1\t5.2\n",
    "BE\t2300\tTurnhout\tAntwerpen\tVAN\t\t\t\t\t51.32\t4.95\t6\n"};

#define COURSE_COLUMNS "closes,what,from,length,unit,nl,en\n"
static const char *const courses[] = {
    COURSE_COLUMNS "credential,forklift,,2,day,heftruckcursus,fork-lift course\n"
                   "skill,orderpicken,,3,half-day,orderpicken,order picking\n"
                   "skill,u:s/drive,,1,month,rijden,driving\n"
                   "occupation,83,8,12,week,rijopleiding,driving lessons\n"
                   "occupation,9621,8322,5,half-day,omscholing,retraining\n",
    "en;nl;unit;length;what;closes\ncourse;cursus;day;1;vca;credential\n\n;;;;;\n",
    COURSE_COLUMNS "diploma,vca,,1,day,x,y\n",
    COURSE_COLUMNS "credential,,,1,day,x,y\n",
    COURSE_COLUMNS "occupation,83x,8,1,day,x,y\n",
    COURSE_COLUMNS "occupation,83,,1,day,x,y\n",
    COURSE_COLUMNS "skill,a,8,1,day,x,y\n",
    COURSE_COLUMNS "skill,a,,1000,day,x,y\n",
    COURSE_COLUMNS "skill,a,,1,year,x,y\n",
    COURSE_COLUMNS "skill,a,,1,day,,y\n",
    COURSE_COLUMNS "skill,a,,1,day,x,\x01\n",
    COURSE_COLUMNS "skill,a,,1,day\n",
    COURSE_COLUMNS "skill,\"a,,1,day,x,y\n",
    "closes,what\nskill,a\n"};

static const char *const titles[] = {
    "nr;titel;plaats\n1;Taxichauffeur;Breda\n2;\"kok; zelfstandig\";Assen\n;;\n3;;Assen\n",
    "title\ncook\ntaxi driver\n",
    "taxi driver\ncook\n",
    "title\nbad\x07"
    "bell\n",
    "nr,title\n1\n",
    "title\n\"open\n",
    ""};

#define PLAN_START "{\"id\":\"00112233445566778899aabbccddeeff\",\"kind\":\""
#define SIDE(name)                                                                                 \
  "{\"offer\":\"00112233445566778899aabbccddeeff\",\"party\":{\"id\":"                             \
  "\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\",\"name\":\"" name          \
  "\",\"kvk\":\"12345678\"},\"title\":\"kok\",\"place\":\"Breda\",\"mine\":true}"
#define SIDES "\"supply\":" SIDE("Snijder BV") ",\"demand\":" SIDE("Kok \xc3\xa9n Zn")
static const char figures[] =
    ",\"people\":3,\"people_offered\":9,\"people_asked\":4,\"employers\":2,\"value\":2.5,"
    "\"bound\":2.75,\"pairs_cut\":false,\"rings_cut\":false,\"milliseconds\":1,\"hours\":60,"
    "\"hours_asked\":80,\"best_single\":{\"people\":3,\"hours\":24,\"score\":0.9,\"value\":1."
    "8," SIDES "},\"loans\":[";
static const char *const loans[] = {
    "{" SIDES
    ",\"people\":3,\"hours\":20,\"score\":0.83,\"ring\":1,\"slots\":[\"mon-am\",\"tue-pm\"],"
    "\"reasons\":[{\"rule\":\"x\",\"text\":\"y\"}],\"gaps\":[{\"rule\":\"x\",\"text\":\"z\"}]}",
    "{" SIDES
    ",\"people\":1,\"hours\":16,\"score\":0.5,\"slots\":[\"wed-am\",\"thu-am\",\"sat-ni\"],"
    "\"reasons\":[],\"gaps\":[]}",
    "{" SIDES ",\"people\":2,\"hours\":8,\"score\":0.25,\"reasons\":[],\"gaps\":[]}"};

static struct taxonomy_source_bytes source(unsigned file, struct bytes bytes) {
  return (struct taxonomy_source_bytes){zip_names[file] + strlen("set/"), bytes};
}

static void put_file(struct buffer *out, unsigned file, struct bytes bytes) {
  put_byte(out, file);
  put_piece(out, bytes);
}

/* What an import made, as a home keeps it: as it is, and for the checksum to be made to fit. */
static void seed_kept(struct maker *maker, unsigned which, struct buffer *file) {
  struct buffer seed;
  buffer_init(&seed, 0);
  for (unsigned fit = 0; fit <= 12; fit += 4) {
    put_byte(&seed, which | fit);
    put_bytes(&seed, bytes_of(file->data, file->length));
    if (fit) seed.data[seed.length - 2] ^= 1;
    write_seed(maker, "kept", &seed);
  }
  buffer_free(&seed);
  buffer_free(file);
}

/* ---- esco */

/* The set as a zip, packed or not. */
static void put_zip(struct buffer *seed, bool packed) {
  static char memory[16384];
  size_t used = 0;
  struct archive *archive = archive_write_new();
  fuzz_must(archive != NULL && archive_write_set_format_zip(archive) == ARCHIVE_OK);
  fuzz_must((packed ? archive_write_zip_set_compression_deflate(archive)
                    : archive_write_zip_set_compression_store(archive)) == ARCHIVE_OK);
  fuzz_must(archive_write_open_memory(archive, memory, sizeof memory, &used) == ARCHIVE_OK);
  for (size_t i = 0; i < SET; ++i) {
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, zip_names[i]);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, (la_int64_t)strlen(set[i]));
    fuzz_must(archive_write_header(archive, entry) == ARCHIVE_OK);
    fuzz_must(archive_write_data(archive, set[i], strlen(set[i])) == (la_ssize_t)strlen(set[i]));
    archive_entry_free(entry);
  }
  fuzz_must(archive_write_close(archive) == ARCHIVE_OK);
  archive_write_free(archive);
  put_file(seed, ZIP, bytes_of((const uint8_t *)memory, used));
}

static void seed_esco(struct maker *maker) {
  struct buffer seed, made;
  struct taxonomy_source_bytes sources[SET];
  struct taxonomy_report report;
  buffer_init(&seed, 0);
  for (unsigned how = 0; how < 4; ++how) {
    put_byte(&seed, how);
    for (unsigned i = 0; i < SET; ++i)
      put_file(&seed, i, text_bytes(set[i]));
    write_seed(maker, "esco", &seed);
    put_byte(&seed, how);
    put_zip(&seed, how & 1);
    write_seed(maker, "esco", &seed);
  }
  for (unsigned fault = 0; fault < sizeof faults / sizeof faults[0]; ++fault) {
    put_byte(&seed, 0);
    for (unsigned i = 0; i < SET; ++i)
      if (i != faults[fault].file) put_file(&seed, i, text_bytes(set[i]));
    put_file(&seed, faults[fault].file, text_bytes(faults[fault].text));
    write_seed(maker, "esco", &seed);
  }
  buffer_free(&seed);
  for (unsigned i = 0; i < SET; ++i)
    sources[i] = source(i, text_bytes(set[i]));
  fuzz_must(taxonomy_import_bytes(sources, SET, &made, &report, NULL) == COLLEGA_OK);
  taxonomy_report_free(&report);
  seed_kept(maker, 0, &made);
}

/* ---- places, tables, plans */

static void seed_places(struct maker *maker) {
  struct buffer seed, made;
  struct places_report report;
  buffer_init(&seed, 0);
  for (size_t i = 0; i < sizeof postcodes / sizeof postcodes[0]; ++i) {
    put_byte(&seed, i % 2 == 0);
    put_piece(&seed, text_bytes(municipalities));
    put_bytes(&seed, text_bytes(postcodes[i]));
    write_seed(maker, "places", &seed);
  }
  static const char *const wrong[] = {"gm_code\n0758\n", "gm_code,am_code\n75,AM25\n",
                                      "gm_code,am_code\n0758,AM99\n", "gm_code,am_code\n0758\n"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; ++i) {
    put_byte(&seed, 1);
    put_piece(&seed, text_bytes(wrong[i]));
    put_bytes(&seed, text_bytes(postcodes[0]));
    write_seed(maker, "places", &seed);
  }
  buffer_free(&seed);
  struct places_source lines = {"NL.txt", text_bytes(postcodes[0])};
  struct places_source regions = {"g.csv", text_bytes(municipalities)};
  fuzz_must(places_import_bytes(&lines, &regions, &made, &report, NULL) == COLLEGA_OK);
  seed_kept(maker, 1, &made);
}

static void seed_tables(struct maker *maker) {
  struct buffer seed, made;
  size_t count;
  buffer_init(&seed, 0);
  for (size_t i = 0; i < sizeof courses / sizeof courses[0]; ++i) {
    put_byte(&seed, 0);
    put_bytes(&seed, text_bytes(courses[i]));
    write_seed(maker, "tables", &seed);
  }
  for (size_t i = 0; i < sizeof titles / sizeof titles[0]; ++i) {
    put_byte(&seed, 1);
    put_bytes(&seed, text_bytes(titles[i]));
    write_seed(maker, "tables", &seed);
  }
  buffer_free(&seed);
  fuzz_must(courses_import_bytes("c.csv", text_bytes(courses[0]), &made, &count, NULL) ==
            COLLEGA_OK);
  seed_kept(maker, 2, &made);
}

static void put_text(struct buffer *out, const char *text) {
  put_bytes(out, text_bytes(text));
}

/* Of each kind, with no loan to three. */
static void seed_plans(struct maker *maker) {
  static const char *const kinds[] = {"offer", "carved", "board", "rings"};
  struct buffer seed;
  buffer_init(&seed, 0);
  for (unsigned i = 0; i < 32; ++i) {
    put_byte(&seed, 3);
    put_text(&seed, PLAN_START);
    put_text(&seed, kinds[i % 4]);
    put_text(&seed, i & 4 ? "\",\"supplies\":true,\"optimal\":true" : "\",\"optimal\":false");
    put_text(&seed, figures);
    for (unsigned loan = 0; loan < i / 8; ++loan) {
      if (loan) put_text(&seed, ",");
      put_text(&seed, loans[loan]);
    }
    put_text(&seed, "]}");
    write_seed(maker, "kept", &seed);
  }
  buffer_free(&seed);
}

void seed_imports(struct maker *maker) {
  seed_esco(maker);
  seed_places(maker);
  seed_tables(maker);
  seed_plans(maker);
}
