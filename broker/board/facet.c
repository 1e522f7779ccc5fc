/* Filters: or within a set, and between sets; an empty set lets all pass; a set never matches an
 * absent field. An offer without `audience` is for the network. Sectors are compared digit by
 * digit, without the point: "52.1" is a prefix of "52.10", and so is "521". */
#include "broker/board/facet.h"

#include <string.h>

#define AUDIENCE_NETWORK 1

/* AMnn -> nn; 0: not of that form. */
static uint8_t region_number(const char *region) {
  if (strlen(region) != 4 || region[0] != 'A' || region[1] != 'M') return 0;
  int tens = region[2] - '0', units = region[3] - '0';
  if (tens < 0 || tens > 9 || units < 0 || units > 9) return 0;
  return (uint8_t)(tens * 10 + units);
}

/* At most six digits of a sector code; the rest of `out` is zero. */
static size_t sector_digits(char out[6], const char *sector) {
  size_t length = 0;
  memset(out, 0, 6);
  for (; *sector && length < 6; sector++)
    if (*sector != '.') out[length++] = *sector;
  return length;
}

static void facet_of_offer(struct facet *out, const Collega__Offer *offer) {
  out->kind = (uint8_t)offer->kind;
  if (offer->place->region) out->region = region_number(offer->place->region);
  if (!offer->audience || !strcmp(offer->audience, "network")) out->audience = AUDIENCE_NETWORK;
  for (size_t i = 0; i < sizeof out->isco && offer->occupation->isco[i]; i++)
    out->isco[i] = offer->occupation->isco[i];
  if (offer->sector) sector_digits(out->sector, offer->sector);
}

void facet_of_body(struct facet *out, const Collega__Body *body) {
  memset(out, 0, sizeof *out);
  out->type = (uint8_t)body->type;
  if (body->type == COLLEGA__BODY_TYPE__BODY_TYPE_OFFER)
    facet_of_offer(out, body->offer->offer);
  else
    out->any = 1;
}

void board_filter_start(struct board_filter *out, const Collega__Filter *filter) {
  *out = (struct board_filter){.filter = filter};
  for (size_t i = 0; i < filter->n_kinds; i++)
    out->kinds |= 1u << (unsigned)filter->kinds[i];
  for (size_t i = 0; i < filter->n_regions; i++) {
    uint8_t number = region_number(filter->regions[i]);
    out->regions[number / 64] |= UINT64_C(1) << (number % 64);
  }
  out->has_regions = filter->n_regions > 0;
  out->all = !filter->n_kinds && !filter->n_occupations && !filter->n_regions &&
             !filter->n_sectors && !filter->n_audiences;
}

static bool occupation_passes(const Collega__Filter *filter, const struct facet *facet) {
  if (!filter->n_occupations) return true;
  for (size_t i = 0; i < filter->n_occupations; i++) {
    const char *prefix = filter->occupations[i];
    size_t length = strlen(prefix);
    if (length <= sizeof facet->isco && !memcmp(prefix, facet->isco, length)) return true;
  }
  return false;
}

static bool sector_passes(const Collega__Filter *filter, const struct facet *facet) {
  if (!filter->n_sectors) return true;
  for (size_t i = 0; i < filter->n_sectors; i++) {
    char digits[6];
    size_t length = sector_digits(digits, filter->sectors[i]);
    if (facet->sector[0] && !memcmp(digits, facet->sector, length)) return true;
  }
  return false;
}

static bool audience_passes(const Collega__Filter *filter, const struct facet *facet) {
  if (!filter->n_audiences) return true;
  for (size_t i = 0; i < filter->n_audiences; i++)
    if (!strcmp(filter->audiences[i], "network") && facet->audience == AUDIENCE_NETWORK)
      return true;
  return false;
}

bool board_filter_passes(const struct board_filter *filter, const struct facet *facet) {
  if (filter->all || facet->any) return true;
  if (filter->kinds && !(filter->kinds >> facet->kind & 1)) return false;
  if (filter->has_regions &&
      !(facet->region && (filter->regions[facet->region / 64] >> (facet->region % 64) & 1)))
    return false;
  return occupation_passes(filter->filter, facet) && sector_passes(filter->filter, facet) &&
         audience_passes(filter->filter, facet);
}
