/* Looking up what is built in. The tables themselves are in lists_isco.c and lists_places.c. */
#include "proto/lists.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/lists_tables.h"

/* Four characters as a number that orders as strcmp does. */
static uint32_t code_key(const char code[4]) {
  const uint8_t *byte = (const uint8_t *)code;
  return (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];
}

/* Asked for every offer that passes: no calls inside. */
const struct isco_row *isco_find(const char *code) {
  char padded[5] = {0};
  size_t length = strlen(code);
  if (length >= sizeof padded) return NULL;
  memcpy(padded, code, length);
  uint32_t wanted = code_key(padded);
  size_t low = 0, high = ISCO_ROWS;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    uint32_t at = code_key(isco_rows[middle].code); /* ended, and filled up, by NUL */
    if (at == wanted) return &isco_rows[middle];
    if (at < wanted)
      low = middle + 1;
    else
      high = middle;
  }
  return NULL;
}

static int compare_region(const void *code, const void *row) {
  return strcmp(code, ((const struct region_row *)row)->code);
}

const struct region_row *region_find(const char *code) {
  return bsearch(code, region_rows, REGION_ROWS, sizeof *region_rows, compare_region);
}

size_t isco_count(void) {
  return ISCO_ROWS;
}

const struct isco_row *isco_at(size_t index) {
  return index < ISCO_ROWS ? &isco_rows[index] : NULL;
}

size_t region_count(void) {
  return REGION_ROWS;
}

const struct region_row *region_at(size_t index) {
  return index < REGION_ROWS ? &region_rows[index] : NULL;
}

const struct postcode_row *postcode_area_find(const char *postcode) {
  char tens = postcode[0];
  if (tens < '1' || tens > '9') return NULL;
  char ones = postcode[1];
  if (ones < '0' || ones > '9') return NULL;
  return &postcode_rows[(tens - '1') * 10 + (ones - '0')];
}

#define SHARE_CERTAIN 0.9995 /* of the area's postcodes; the table has two decimals */

bool postcode_area_certain(const struct postcode_row *area) {
  return area->share >= SHARE_CERTAIN;
}

int slot_read(const char *text, size_t length) {
  static const char days[7][4] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
  static const char parts[4][3] = {"am", "pm", "ev", "ni"};
  if (length != 6 || text[3] != '-') return -1;
  for (int day = 0; day < 7; day++) {
    if (text[0] != days[day][0] || text[1] != days[day][1] || text[2] != days[day][2]) continue;
    for (int part = 0; part < 4; part++)
      if (text[4] == parts[part][0] && text[5] == parts[part][1]) return day * 4 + part;
  }
  return -1;
}

const char *slot_text(int index) {
  static const char names[28][7] = {"mon-am", "mon-pm", "mon-ev", "mon-ni", "tue-am", "tue-pm",
                                    "tue-ev", "tue-ni", "wed-am", "wed-pm", "wed-ev", "wed-ni",
                                    "thu-am", "thu-pm", "thu-ev", "thu-ni", "fri-am", "fri-pm",
                                    "fri-ev", "fri-ni", "sat-am", "sat-pm", "sat-ev", "sat-ni",
                                    "sun-am", "sun-pm", "sun-ev", "sun-ni"};
  return index >= 0 && index < 28 ? names[index] : NULL;
}

int slot_index(const char *slot) {
  return slot_read(slot, strlen(slot));
}

/* Codes in use between Dutch employers; any other code of the right form may be used as well. */
static const struct credential_row credentials[] = {
    {"aerial-platform", "certificaat hoogwerker", "aerial work platform certificate"},
    {"asbestos", "DAV-certificaat asbest verwijderen", "asbestos removal certificate"},
    {"beveiligingspas", "beveiligingspas (grijze pas)", "security guard pass"},
    {"bhv", "bedrijfshulpverlener (BHV)", "company emergency response officer"},
    {"big-arts", "BIG-registratie arts", "BIG registration, physician"},
    {"big-verpleegkundige", "BIG-registratie verpleegkundige", "BIG registration, nurse"},
    {"big-verzorgende-ig", "diploma verzorgende IG", "care worker IG diploma"},
    {"adr", "ADR-certificaat gevaarlijke stoffen", "ADR certificate, dangerous goods"},
    {"chauffeurskaart-taxi", "chauffeurskaart taxi", "taxi driver card"},
    {"code-95", "vakbekwaamheid code 95", "driver qualification code 95"},
    {"driver-card", "bestuurderskaart tachograaf", "tachograph driver card"},
    {"driving-licence-am", "rijbewijs AM", "driving licence AM"},
    {"driving-licence-b", "rijbewijs B", "driving licence B"},
    {"driving-licence-be", "rijbewijs BE", "driving licence BE"},
    {"driving-licence-c", "rijbewijs C", "driving licence C"},
    {"driving-licence-c1", "rijbewijs C1", "driving licence C1"},
    {"driving-licence-ce", "rijbewijs CE", "driving licence CE"},
    {"driving-licence-d", "rijbewijs D", "driving licence D"},
    {"driving-licence-t", "trekkerrijbewijs T", "driving licence T"},
    {"ehbo", "EHBO-diploma", "first aid diploma"},
    {"f-gassen", "F-gassencertificaat", "fluorinated gases certificate"},
    {"forklift", "heftruckcertificaat", "forklift certificate"},
    {"haccp", "HACCP-certificaat voedselveiligheid", "HACCP food safety certificate"},
    {"hijsbewijs", "certificaat veilig hijsen", "safe lifting certificate"},
    {"horeca-sociale-hygiene", "verklaring sociale hygiëne", "social hygiene certificate"},
    {"kraanmachinist", "TCVT-certificaat kraanmachinist", "crane operator certificate"},
    {"lasdiploma", "lasdiploma", "welding diploma"},
    {"nen-3140", "NEN 3140 voldoende onderricht persoon", "NEN 3140 instructed person, electrical"},
    {"nen-3140-vakbekwaam", "NEN 3140 vakbekwaam persoon", "NEN 3140 skilled person, electrical"},
    {"onderwijsbevoegdheid", "onderwijsbevoegdheid", "teaching qualification"},
    {"reachtruck", "reachtruckcertificaat", "reach truck certificate"},
    {"skj", "SKJ-registratie jeugdzorg", "SKJ registration, youth care"},
    {"spuitlicentie", "bewijs van vakbekwaamheid gewasbescherming", "crop protection licence"},
    {"steigerbouw", "certificaat steigerbouw", "scaffolding certificate"},
    {"taxi-pas", "taxipas", "taxi pass"},
    {"vca", "VCA basis", "VCA basic safety"},
    {"vca-vil", "VIL-VCU leidinggevende intermediair", "VIL-VCU safety for intermediaries"},
    {"vca-vol", "VCA VOL leidinggevende", "VCA safety for supervisors"},
    {"vog", "verklaring omtrent het gedrag", "certificate of conduct"},
};

const struct credential_row *credential_find(const char *code) {
  for (size_t i = 0; i < sizeof credentials / sizeof *credentials; i++)
    if (!strcmp(credentials[i].code, code)) return &credentials[i];
  return NULL;
}
