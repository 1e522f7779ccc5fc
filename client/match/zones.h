/* Where the offers of an engine are: points, and zones of points that lie together.
 *
 * There are few points (postcode areas, postcodes, towns), and each offer names one; there are at most ZONES_MOST
 * zones, so that a search can ask for the distance to each once, and go through them nearest first. Built-in
 * places, which are two-digit areas, are a zone each, so that the zone tells the distance exactly. Neither is ever
 * taken away. */
#ifndef COLLEGA_CLIENT_ZONES_H
#define COLLEGA_CLIENT_ZONES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "client/match/point.h"

#define POINTS_MOST  UINT16_MAX /* the last number: a point that has none */
#define ZONES_MOST   128u
#define ZONE_NOWHERE 0u /* of places that are not known, and of points without a number */

/* A ball that holds the points of a zone, in units of the sphere's radius; around its first point. */
struct zone {
  float point[3], radius;
  bool coarse; /* one of them is */
};
struct zones {
  float (*point)[3];
  uint8_t *zone_of; /* by point */
  bool *
      coarse; /* by point: an offer there is not known to the postcode, so that travel limits doubt it more */
  size_t points, room;
  uint16_t *table; /* number + 1 by its hash, open addressing; 0: empty */
  size_t table_size;
  bool crowded; /* there are points without a number */
  struct zone zone[ZONES_MOST];
  size_t count;
};

/* The number of a point, POINTS_MOST when there are too many. `fine`: known to the postcode (CARD_PLACE_FINE).
 * False: out of memory. */
bool zones_add(struct zones *zones, const float point[3], bool fine, uint16_t *number);
/* The number of a point that was added. */
uint16_t zones_find(const struct zones *zones, const float point[3]);
void zones_free(struct zones *zones);
size_t zones_bytes(const struct zones *zones);

static inline uint8_t zone_of(const struct zones *zones, uint16_t number) {
  return number == POINTS_MOST ? ZONE_NOWHERE : zones->zone_of[number];
}
#endif
