/* The geometry of distances. */
#include "client/match/point.h"

#include <math.h>

void point_at(double latitude, double longitude, float out[3]) {
  const double radians = acos(-1.0) / 180.0;
  double across = cos(latitude * radians);
  out[0] = (float)(across * cos(longitude * radians));
  out[1] = (float)(across * sin(longitude * radians));
  out[2] = (float)sin(latitude * radians);
}

bool point_nowhere(const float point[3]) {
  return point[0] == 0 && point[1] == 0 && point[2] == 0;
}

double point_chord(const float one[3], const float other[3]) {
  double x = (double)one[0] - (double)other[0], y = (double)one[1] - (double)other[1],
         z = (double)one[2] - (double)other[2];
  return sqrt(x * x + y * y + z * z);
}

/* From the chord: 2 R asin(chord / 2). For what is near it is as exact as the points, some metres. */
double point_distance(const float one[3], const float other[3]) {
  if (point_nowhere(one) || point_nowhere(other)) return -1.0;
  double half = point_chord(one, other) / 2.0;
  return 2.0 * EARTH_KM * asin(half > 1.0 ? 1.0 : half);
}
