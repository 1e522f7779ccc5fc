/* Zones hold their points, few or many, and a point keeps its number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "client/match/zones.h"
#include "tests/unit/match/samples.h"

#define POINTS 5000u

/* On the sphere, within a quarter of it. */
static void random_point(uint64_t *random, float point[3]) {
  double x = 1 + sample_number(random, 1000), y = sample_number(random, 1000),
         z = sample_number(random, 1000), length = sqrt(x * x + y * y + z * z);
  point[0] = (float)(x / length);
  point[1] = (float)(y / length);
  point[2] = (float)(z / length);
}

static void zones_hold_their_points(void **state) {
  (void)state;
  struct zones zones = {.count = 0};
  static float points[POINTS][3];
  static uint16_t numbers[POINTS];
  uint64_t random = 20270104;
  for (size_t i = 0; i < POINTS; ++i) {
    random_point(&random, points[i]);
    assert_true(zones_add(&zones, points[i], i % 2, &numbers[i]));
  }
  assert_int_equal(zones.count, ZONES_MOST);
  for (size_t i = 0; i < POINTS; ++i) {
    assert_int_equal(zones_find(&zones, points[i]), numbers[i]);
    uint8_t number = zone_of(&zones, numbers[i]);
    const struct zone *zone = &zones.zone[number];
    assert_int_not_equal(number, ZONE_NOWHERE);
    assert_true(point_chord(zone->point, points[i]) <= (double)zone->radius);
    if (i % 2 == 0) assert_true(zone->coarse && zones.coarse[numbers[i]]);
  }
  zones_free(&zones);
}

static void what_is_nowhere_is_in_no_zone(void **state) {
  (void)state;
  struct zones zones = {.count = 0};
  const float nowhere[3] = {0, 0, 0}, somewhere[3] = {1, 0, 0};
  uint16_t number, again;
  assert_true(zones_add(&zones, somewhere, true, &number));
  assert_int_not_equal(zone_of(&zones, number), ZONE_NOWHERE);
  assert_false(zones.coarse[number]);
  assert_true(zones_add(&zones, somewhere, false, &again));
  assert_int_equal(again, number);
  assert_true(zones.coarse[number]);
  assert_true(zones_add(&zones, nowhere, false, &number));
  assert_int_equal(zone_of(&zones, number), ZONE_NOWHERE);
  assert_int_equal(zones.count, 2);
  zones_free(&zones);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(zones_hold_their_points),
      cmocka_unit_test(what_is_nowhere_is_in_no_zone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
