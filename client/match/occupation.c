/* Closeness in the ISCO tree: digits in common from the left. Else the taxonomy has it ready. */
#include "client/match/occupation.h"

uint16_t isco_number(const char *isco) {
  unsigned code = 0;
  for (size_t i = 0; i < 4 && isco[i] >= '0' && isco[i] <= '9'; ++i)
    code = code * 10u + (unsigned)(isco[i] - '0');
  return (uint16_t)code;
}

double isco_closeness(uint16_t one, uint16_t other) {
  if (one == other) return 1.0;
  if (one / 10 == other / 10) return 0.7;
  if (one / 100 == other / 100) return 0.4;
  return one / 1000 == other / 1000 ? 0.15 : 0.0;
}

uint16_t occupation_key(const struct taxonomy *taxonomy, const char *isco, const char *esco) {
  uint16_t code = isco_number(isco);
  if (!taxonomy) return code;
  uint32_t concept = esco ? taxonomy_find(taxonomy, TAXONOMY_OCCUPATION, esco) : TAXONOMY_NOT_THERE;
  if (concept != TAXONOMY_NOT_THERE)
    return (uint16_t)(OCCUPATION_KEYS + taxonomy_key(taxonomy, concept));
  uint32_t group;
  if (taxonomy_group(taxonomy, code, &group) == 0) return code;
  return (uint16_t)(OCCUPATION_KEYS + group);
}

uint16_t occupation_isco(const struct taxonomy *taxonomy, uint16_t key) {
  return key < OCCUPATION_KEYS ? key : taxonomy_key_isco(taxonomy, key - OCCUPATION_KEYS);
}

double occupation_step(uint8_t step) {
  double closeness = (double)step / 255.0;
  return closeness < OCCUPATION_LEAST ? 0.0 : closeness;
}

double occupation_closeness(const struct taxonomy *taxonomy, uint16_t one, uint16_t other) {
  if (one < OCCUPATION_KEYS || other < OCCUPATION_KEYS)
    return isco_closeness(occupation_isco(taxonomy, one), occupation_isco(taxonomy, other));
  return occupation_step(taxonomy_near(taxonomy, one - OCCUPATION_KEYS)[other - OCCUPATION_KEYS]);
}
