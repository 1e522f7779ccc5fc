/* Lists that are built in: ISCO-08 unit groups (436, English and Dutch labels), the 35 labour-market
 * regions, two-digit postcodes with the centre of their area, slots. Sources: ISCO-08 (ILO), regions and
 * postcode areas of the Netherlands (computed centroids, 7 km off at the median). */
#ifndef COLLEGA_PROTO_LISTS_H
#define COLLEGA_PROTO_LISTS_H
#include <stdbool.h>
#include <stddef.h>
#include "base/words.h"

struct isco_row {
  char code[5];
  const char *en, *nl;
}; /* one to four digits */
struct region_row {
  const char *code, *name;
  double latitude, longitude;
};
struct postcode_row {
  char digits[3];
  double latitude, longitude;
  const char *region; /* most common */
  double share;
};
/* NULL: no such code. */
const struct isco_row *isco_find(const char *code); /* any level, 1 to 4 digits */
const struct region_row *region_find(const char *code);
const struct postcode_row *postcode_area_find(const char *postcode); /* by its first two digits */
size_t isco_count(void);
const struct isco_row *isco_at(size_t index); /* of all levels, ascending by code */
size_t region_count(void);
const struct region_row *region_at(size_t index);
/* Whether the whole area lies in the one region. */
bool postcode_area_certain(const struct postcode_row *area);
/* Unit groups whose label in either language holds every word of `words`, in any case, best first: a label that
 * begins with the first word, then one with a word that does, then one that holds it anywhere; labels in `language`
 * before the other. Fills at most `capacity`; returns how many were filled. */
size_t isco_search(const char *words, enum language language, const struct isco_row **out,
                   size_t capacity);
int slot_index(const char *slot);               /* 0 mon-am .. 27 sun-ni, -1: none */
const char *slot_text(int index);               /* "mon-am"; NULL: no such slot */
int slot_read(const char *text, size_t length); /* the same, of a text that no NUL ends */
/* A table of common Dutch credential codes with labels ("forklift": heftruckcertificaat). */
struct credential_row {
  const char *code, *nl, *en;
};
const struct credential_row *credential_find(const char *code);
#endif
