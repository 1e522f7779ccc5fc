/* Groups of followers: who shares a frame, who waits for a read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include "broker/session/follow.h"
#include "proto/guard.h"

static struct sessions *sessions;
static struct follows *follows;
static struct arena *arena;
static struct session *one, *two;

static struct session *session_of(uint8_t first) {
  struct peer_entry peer = {.role = PEER_MEMBER};
  memset(&peer.party, first, sizeof peer.party);
  uint8_t routing[5] = {first, 1, 2, 3, 4};
  struct session *older;
  return session_add(sessions, bytes_of(routing, sizeof routing), &peer, -1, 0, 1, &older);
}

static int start(void **state) {
  (void)state;
  sessions = sessions_new();
  follows = follows_new();
  arena = arena_new(4096, 1u << 20);
  one = session_of(1);
  two = session_of(2);
  return one != NULL && two != NULL ? 0 : -1;
}

static int stop(void **state) {
  (void)state;
  follow_stop_all(follows, one);
  follow_stop_all(follows, two);
  assert_null(follow_group_first(follows)); /* a group lives as long as somebody needs it */
  assert_int_equal(follows_count(follows), 0);
  follows_destroy(&follows);
  sessions_destroy(&sessions);
  arena_destroy(&arena);
  return 0;
}

static struct bytes filter_of(const char *region) {
  Collega__Filter filter = COLLEGA__FILTER__INIT;
  char *regions[1] = {(char *)(uintptr_t)region};
  filter.regions = regions;
  filter.n_regions = region == NULL ? 0 : 1;
  return message_pack(&filter.base, arena);
}

static void equal_filters_and_numbers_share_a_group(void **state) {
  (void)state;
  struct follow *a = follow_start(follows, one, 1, filter_of("AM25"), 5, 5);
  struct follow *b = follow_start(follows, two, 1, filter_of("AM25"), 5, 5);
  struct follow *c = follow_start(follows, two, 2, filter_of("AM25"), 5, 5);
  struct follow *d = follow_start(follows, one, 2, filter_of("AM24"), 5, 5);
  assert_ptr_equal(a->group, b->group);
  assert_ptr_not_equal(b->group, c->group);
  assert_ptr_not_equal(c->group, d->group);
  assert_int_equal(a->group->followers, 2);
  assert_string_equal(a->group->filter->regions[0], "AM25");
  assert_int_equal(follows_count(follows), 4);
}

static void an_empty_filter_is_a_filter(void **state) {
  (void)state;
  struct follow *follow = follow_start(follows, one, 1, filter_of(NULL), 0, 0);
  assert_non_null(follow);
  assert_int_equal(follow->group->filter->n_regions, 0);
}

static void following_again_under_a_number_replaces(void **state) {
  (void)state;
  follow_start(follows, one, 1, filter_of("AM25"), 5, 5);
  struct follow *again = follow_start(follows, one, 1, filter_of("AM25"), 2, 5);
  assert_int_equal(one->follow_count, 1);
  assert_int_equal(again->through, 2);
  assert_int_equal(again->group->followers, 1);
  follow_start(follows, one, 1, filter_of("AM24"), 5, 5);
  assert_int_equal(one->follow_count, 1);
  assert_int_equal(follow_count_besides(one, 1), 0);
  assert_int_equal(follow_count_besides(one, 2), 1);
}

static void who_is_behind_waits_for_one_shared_read(void **state) {
  (void)state;
  uint64_t after = 99;
  struct follow *a = follow_start(follows, one, 1, filter_of("AM25"), 3, 10);
  struct follow *b = follow_start(follows, two, 1, filter_of("AM25"), 3, 10);
  assert_true(a->waiting && b->waiting);
  assert_true(follow_read_due(a->group, &after));
  assert_int_equal(after, 3);
  assert_false(follow_read_due(a->group, &after)); /* the same read serves both */
  follow_read_done(a->group, 3);
  a->through = b->through = 10;
  follow_settle(a);
  follow_settle(b);
  assert_false(a->waiting || b->waiting);
  assert_false(follow_read_due(a->group, &after));
}

static void different_places_are_different_reads_up_to_a_limit(void **state) {
  (void)state;
  uint64_t after;
  struct session *many[FOLLOW_READS_MOST + 1];
  struct follow *follow = NULL;
  for (uint8_t i = 0; i <= FOLLOW_READS_MOST; i++) {
    many[i] = session_of((uint8_t)(10 + i));
    follow = follow_start(follows, many[i], 1, filter_of("AM25"), i, 100);
  }
  for (uint8_t i = 0; i < FOLLOW_READS_MOST; i++) {
    assert_true(follow_read_due(follow->group, &after));
    assert_int_equal(after, i);
  }
  assert_false(follow_read_due(follow->group, &after));
  follow_read_done(follow->group, 0);
  follow_stop_all(follows, many[0]);
  assert_true(follow_read_due(follow->group, &after));
  assert_int_equal(after, FOLLOW_READS_MOST);
  for (uint8_t i = 1; i <= FOLLOW_READS_MOST; i++)
    follow_stop_all(follows, many[i]);
}

static void without_credit_nobody_reads_for_a_follower(void **state) {
  (void)state;
  uint64_t after;
  struct follow *follow = follow_start(follows, one, 1, filter_of("AM25"), 3, 10);
  follow->blocked = true;
  follow_settle(follow);
  assert_false(follow_read_due(follow->group, &after));
  follow->blocked = false;
  follow_settle(follow);
  assert_true(follow_read_due(follow->group, &after));
}

static void a_group_outlives_its_followers_while_a_job_holds_it(void **state) {
  (void)state;
  struct follow *follow = follow_start(follows, one, 1, filter_of("AM25"), 3, 10);
  struct follow_group *group = follow->group;
  follow_group_hold(group);
  follow_stop_all(follows, one);
  assert_ptr_equal(follow_group_first(follows), group);
  assert_int_equal(group->followers, 0);
  follow_group_drop(follows, group);
  assert_null(follow_group_first(follows));
}

static void bytes_that_are_no_filter_start_nothing(void **state) {
  (void)state;
  assert_null(follow_start(follows, one, 1, bytes_of("\xff\xff", 2), 0, 0));
  assert_int_equal(one->follow_count, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(equal_filters_and_numbers_share_a_group, start, stop),
      cmocka_unit_test_setup_teardown(an_empty_filter_is_a_filter, start, stop),
      cmocka_unit_test_setup_teardown(following_again_under_a_number_replaces, start, stop),
      cmocka_unit_test_setup_teardown(who_is_behind_waits_for_one_shared_read, start, stop),
      cmocka_unit_test_setup_teardown(different_places_are_different_reads_up_to_a_limit, start,
                                      stop),
      cmocka_unit_test_setup_teardown(without_credit_nobody_reads_for_a_follower, start, stop),
      cmocka_unit_test_setup_teardown(a_group_outlives_its_followers_while_a_job_holds_it, start,
                                      stop),
      cmocka_unit_test_setup_teardown(bytes_that_are_no_filter_start_nothing, start, stop),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
