/* Places as points of the unit sphere: three coordinates; all zero, the middle of the earth: a place that is not
 * known. */
#ifndef COLLEGA_CLIENT_POINT_H
#define COLLEGA_CLIENT_POINT_H
#include <stdbool.h>

#define EARTH_KM 6371.0 /* its mean radius */

/* Degrees north and east. */
void point_at(double latitude, double longitude, float out[3]);
bool point_nowhere(const float point[3]);
/* Straight through, in units of the sphere's radius; what is not known is 1 away from all others. */
double point_chord(const float one[3], const float other[3]);
/* Great circle in km; negative: one is not known. */
double point_distance(const float one[3], const float other[3]);
#endif
