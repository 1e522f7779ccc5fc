/* The table of sessions: the newest of a home counts, what is cut is still known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include "broker/session/session.h"

#define NOW INT64_C(1000)

static struct peer_entry peer_of(uint8_t first, enum peer_role role) {
  struct peer_entry entry = {.role = role};
  memset(entry.key, first, sizeof entry.key);
  if (role == PEER_MEMBER) memset(&entry.party, first, sizeof entry.party);
  return entry;
}

static struct bytes routing_of(const char *text) {
  return bytes_of(text, strlen(text));
}

static struct session *add(struct sessions *sessions, const char *routing, uint8_t first,
                           enum peer_role role, struct session **older) {
  struct peer_entry peer = peer_of(first, role);
  return session_add(sessions, routing_of(routing), &peer, -1, 0, NOW, older);
}

static void a_session_is_found_by_routing_number_and_home(void **state) {
  (void)state;
  struct sessions *sessions = sessions_new();
  struct session *older, *session = add(sessions, "aaaaa", 1, PEER_MEMBER, &older);
  assert_null(older);
  assert_ptr_equal(session_by_routing(sessions, routing_of("aaaaa")), session);
  assert_ptr_equal(session_by_number(sessions, session->number), session);
  assert_ptr_equal(session_of_home(sessions, &session->home), session);
  assert_null(session_by_routing(sessions, routing_of("aaaab")));
  assert_int_equal(sessions_open(sessions), 1);
  sessions_destroy(&sessions);
}

static void the_newest_session_of_a_home_counts(void **state) {
  (void)state;
  struct sessions *sessions = sessions_new();
  struct session *older, *first = add(sessions, "aaaaa", 1, PEER_MEMBER, &older);
  struct session *second = add(sessions, "bbbbb", 1, PEER_MEMBER, &older);
  assert_ptr_equal(older, first);
  session_end(sessions, first, NOW + 5);
  assert_ptr_equal(session_of_home(sessions, &second->home), second);
  assert_ptr_equal(session_by_routing(sessions, routing_of("aaaaa")), first);
  assert_int_equal(first->ended, NOW + 5);
  assert_int_equal(first->machine.phase, BROKER_SESSION_CUT);
  assert_true(second->number > first->number);
  assert_int_equal(sessions_open(sessions), 1);
  sessions_destroy(&sessions);
}

static void ending_the_newest_leaves_nobody(void **state) {
  (void)state;
  struct sessions *sessions = sessions_new();
  struct session *older, *session = add(sessions, "aaaaa", 1, PEER_MEMBER, &older);
  struct id home = session->home;
  session_end(sessions, session, NOW);
  assert_null(session_of_home(sessions, &home));
  assert_int_equal(sessions_open(sessions), 0);
  session_remove(sessions, &session);
  assert_null(session_first(sessions));
  sessions_destroy(&sessions);
}

static void one_that_ended_is_still_the_older_of_the_next(void **state) {
  (void)state;
  struct sessions *sessions = sessions_new();
  struct session *older, *first = add(sessions, "aaaaa", 1, PEER_MEMBER, &older);
  session_end(sessions, first, NOW);
  first->committing = 1; /* its last request may still move the home's head */
  struct session *second = add(sessions, "bbbbb", 1, PEER_MEMBER, &older);
  assert_ptr_equal(older, first);
  assert_ptr_equal(session_of_home(sessions, &second->home), second);
  assert_int_equal(sessions_open(sessions), 1);
  sessions_destroy(&sessions);
}

static void invited_keys_are_told_apart_by_key(void **state) {
  (void)state;
  struct sessions *sessions = sessions_new();
  struct session *older;
  assert_non_null(add(sessions, "aaaaa", 1, PEER_INVITED, &older));
  assert_non_null(add(sessions, "bbbbb", 2, PEER_INVITED, &older));
  assert_null(older);
  struct session *third = add(sessions, "ccccc", 2, PEER_INVITED, &older);
  assert_non_null(older);
  session_end(sessions, older, NOW);
  assert_true(id_is_zero(&third->home));
  assert_int_equal(sessions_open(sessions), 2);
  sessions_destroy(&sessions);
}

static void a_routing_id_serves_one_session(void **state) {
  (void)state;
  struct sessions *sessions = sessions_new();
  struct session *older;
  assert_non_null(add(sessions, "aaaaa", 1, PEER_MEMBER, &older));
  assert_null(add(sessions, "aaaaa", 2, PEER_MEMBER, &older));
  assert_null(add(sessions, "", 3, PEER_MEMBER, &older));
  assert_null(add(sessions, "a routing id that is too long", 3, PEER_MEMBER, &older));
  assert_int_equal(sessions_open(sessions), 1);
  sessions_destroy(&sessions);
}

static void a_mailbox_starts_where_the_store_says(void **state) {
  (void)state;
  struct sessions *sessions = sessions_new();
  struct session *older, *session = add(sessions, "aaaaa", 1, PEER_MEMBER, &older);
  struct id other = {{9}};
  struct mailbox_sent *box = session_mailbox(session, &session->home);
  assert_true(box->sent == MAILBOX_NOT_KNOWN && box->look);
  box->sent = 12;
  assert_true(session_mailbox(session, &other)->sent == MAILBOX_NOT_KNOWN);
  assert_int_equal(session_mailbox(session, &session->home)->sent, 12);
  assert_int_equal(session->mailbox_count, 2);
  sessions_destroy(&sessions);
}

static void a_thousand_sessions_are_walked_once_each(void **state) {
  (void)state;
  struct sessions *sessions = sessions_new();
  struct session *older;
  for (unsigned i = 0; i < 1000; i++) {
    struct peer_entry peer = peer_of(0, PEER_MEMBER);
    put_be32(peer.party.byte, i + 1);
    uint8_t routing[5] = {1};
    put_be32(routing + 1, i);
    assert_non_null(
        session_add(sessions, bytes_of(routing, sizeof routing), &peer, -1, 0, NOW, &older));
  }
  size_t count = 0;
  for (struct session *session = session_first(sessions); session != NULL;
       session = session_next(session))
    count++;
  assert_int_equal(count, 1000);
  assert_int_equal(sessions_open(sessions), 1000);
  sessions_destroy(&sessions);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_session_is_found_by_routing_number_and_home),
      cmocka_unit_test(the_newest_session_of_a_home_counts),
      cmocka_unit_test(ending_the_newest_leaves_nobody),
      cmocka_unit_test(one_that_ended_is_still_the_older_of_the_next),
      cmocka_unit_test(invited_keys_are_told_apart_by_key),
      cmocka_unit_test(a_routing_id_serves_one_session),
      cmocka_unit_test(a_mailbox_starts_where_the_store_says),
      cmocka_unit_test(a_thousand_sessions_are_walked_once_each),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
