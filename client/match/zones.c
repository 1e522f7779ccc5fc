/* Points by their coordinates, in a table with open addressing, and the zones they fall into (zones.h).
 *
 * A point founds a zone when none is near enough and there is room; else it joins the nearest. Any division will do: a
 * search goes by the balls around what is really there. */
#include "client/match/zones.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_POINTS 64u
/* Some 130 zones of that reach cover the Netherlands' places; two-digit areas lie further apart. */
#define ZONE_KM 9.0

/* ---- points */

static size_t point_slot(const struct zones *zones, const float point[3]) {
  uint32_t bits[3];
  memcpy(bits, point, sizeof bits);
  size_t at = ((bits[0] * 2654435769u) ^ (bits[1] * 2246822519u) ^ (bits[2] * 3266489917u)) &
              (zones->table_size - 1);
  while (zones->table[at] &&
         memcmp(zones->point[zones->table[at] - 1], point, 3 * sizeof(float)) != 0)
    at = (at + 1) & (zones->table_size - 1);
  return at;
}

static bool points_grow(struct zones *zones) {
  if (zones->points * 2 < zones->table_size) return true;
  size_t size = zones->table_size ? zones->table_size * 2 : LEAST_POINTS;
  float(*point)[3] = realloc(zones->point, size * sizeof *point);
  if (point) zones->point = point;
  uint8_t *zone_of = realloc(zones->zone_of, size * sizeof *zone_of);
  if (zone_of) zones->zone_of = zone_of;
  bool *coarse = realloc(zones->coarse, size * sizeof *coarse);
  if (coarse) zones->coarse = coarse;
  uint16_t *table = calloc(size, sizeof *table);
  if (!point || !zone_of || !coarse || !table) {
    free(table);
    return false;
  }
  free(zones->table);
  zones->table = table;
  zones->table_size = zones->room = size;
  for (size_t i = 0; i < zones->points; ++i)
    table[point_slot(zones, point[i])] = (uint16_t)(i + 1);
  return true;
}

/* ---- zones */

static uint8_t zone_choose(struct zones *zones, const float point[3]) {
  if (zones->count == 0) zones->count = 1; /* ZONE_NOWHERE: its point is the middle of the earth */
  if (point_nowhere(point)) return ZONE_NOWHERE;
  size_t nearest = ZONE_NOWHERE;
  double least = 4.0; /* no chord is longer than 2 */
  for (size_t i = 1; i < zones->count; ++i) {
    double away = point_chord(zones->zone[i].point, point);
    if (away >= least) continue;
    least = away;
    nearest = i;
  }
  if (least * EARTH_KM > ZONE_KM && zones->count < ZONES_MOST) {
    nearest = zones->count++;
    least = 0;
    memcpy(zones->zone[nearest].point, point, sizeof zones->zone[nearest].point);
  }
  if (least > (double)zones->zone[nearest].radius)
    zones->zone[nearest].radius = nextafterf((float)least, 4.0f);
  return (uint8_t)nearest;
}

bool zones_add(struct zones *zones, const float point[3], bool fine, uint16_t *number) {
  if (!points_grow(zones)) return false;
  size_t slot = point_slot(zones, point);
  *number = POINTS_MOST;
  if (!zones->table[slot]) {
    if (zones->points == POINTS_MOST - 1) {
      zones->crowded = true;
      return true;
    }
    memcpy(zones->point[zones->points], point, 3 * sizeof(float));
    zones->zone_of[zones->points] = zone_choose(zones, point);
    zones->coarse[zones->points] = false;
    zones->table[slot] = (uint16_t)++zones->points;
  }
  *number = (uint16_t)(zones->table[slot] - 1);
  if (!fine) zones->coarse[*number] = zones->zone[zones->zone_of[*number]].coarse = true;
  return true;
}

uint16_t zones_find(const struct zones *zones, const float point[3]) {
  uint16_t entry = zones->table[point_slot(zones, point)];
  return entry ? (uint16_t)(entry - 1) : POINTS_MOST;
}

void zones_free(struct zones *zones) {
  free(zones->point);
  free(zones->zone_of);
  free(zones->coarse);
  free(zones->table);
}

size_t zones_bytes(const struct zones *zones) {
  return zones->room * (sizeof *zones->point + sizeof *zones->zone_of + sizeof *zones->coarse) +
         zones->table_size * sizeof *zones->table;
}
