/* The table of sessions: by routing id (for what comes in), by number (for what goes out) and, of
 * those that count, by home. */
#include "broker/session/session.h"
#include "broker/session/table.h"
#include <stdlib.h>
#include <string.h>

/* What uthash needs stands apart, so that only this file knows of it. */
struct session_handles {
  struct session session;
  struct id principal; /* the home, or of an invited one its key */
  bool listed;         /* in by_home: the newest of its home, which may have ended */
  UT_hash_handle by_routing, by_number, by_home;
};

struct sessions {
  struct hash_key hash_key;
  uint64_t last_number;
  struct session_handles *by_routing, *by_number, *by_home;
  size_t open;
};

struct sessions *sessions_new(void) {
  struct sessions *sessions = calloc(1, sizeof *sessions);
  if (sessions != NULL) random_fill(&sessions->hash_key, sizeof sessions->hash_key);
  return sessions;
}

void sessions_destroy(struct sessions **sessions) {
  if (*sessions == NULL) return;
  for (struct session *next, *session = session_first(*sessions); session != NULL; session = next) {
    next = session_next(session);
    session_remove(*sessions, &session);
  }
  free(*sessions);
  *sessions = NULL;
}

static unsigned hash_of(const struct sessions *sessions, const void *data, size_t length) {
  return keyed_hash(&sessions->hash_key, data, length);
}

static struct session *session_in(struct session_handles *handles) {
  return handles == NULL ? NULL : &handles->session;
}

struct session *session_by_routing(const struct sessions *sessions, struct bytes routing) {
  struct session_handles *found = NULL;
  unsigned hash = hash_of(sessions, routing.data, routing.length);
  HASH_FIND_BYHASHVALUE(by_routing, sessions->by_routing, routing.data, routing.length, hash,
                        found);
  return session_in(found);
}

struct session *session_by_number(const struct sessions *sessions, uint64_t number) {
  struct session_handles *found = NULL;
  unsigned hash = hash_of(sessions, &number, sizeof number);
  HASH_FIND_BYHASHVALUE(by_number, sessions->by_number, &number, sizeof number, hash, found);
  return session_in(found);
}

static struct session *newest_of(const struct sessions *sessions, const struct id *home) {
  struct session_handles *found = NULL;
  unsigned hash = hash_of(sessions, home, sizeof *home);
  HASH_FIND_BYHASHVALUE(by_home, sessions->by_home, home, sizeof *home, hash, found);
  return session_in(found);
}

struct session *session_of_home(const struct sessions *sessions, const struct id *home) {
  struct session *session = newest_of(sessions, home);
  return session == NULL || session->ended != 0 ? NULL : session;
}

/* Into all three tables, or into none. */
static bool enter(struct sessions *sessions, struct session_handles *handles) {
  struct session *session = &handles->session;
  unsigned hash = hash_of(sessions, session->routing, session->routing_length);
  HASH_ADD_KEYPTR_BYHASHVALUE(by_routing, sessions->by_routing, session->routing,
                              session->routing_length, hash, handles);
  if (handles->by_routing.tbl == NULL) return false;
  hash = hash_of(sessions, &session->number, sizeof session->number);
  HASH_ADD_KEYPTR_BYHASHVALUE(by_number, sessions->by_number, &session->number,
                              sizeof session->number, hash, handles);
  if (handles->by_number.tbl != NULL) {
    hash = hash_of(sessions, &handles->principal, sizeof handles->principal);
    HASH_ADD_BYHASHVALUE(by_home, sessions->by_home, principal, sizeof handles->principal, hash,
                         handles);
    handles->listed = handles->by_home.tbl != NULL;
    if (handles->listed) return true;
    HASH_DELETE(by_number, sessions->by_number, handles);
  }
  HASH_DELETE(by_routing, sessions->by_routing, handles);
  return false;
}

static void step_aside(struct sessions *sessions, struct session_handles *handles) {
  if (!handles->listed) return;
  HASH_DELETE(by_home, sessions->by_home, handles);
  handles->listed = false;
}

struct session *session_add(struct sessions *sessions, struct bytes routing,
                            const struct peer_entry *link, int descriptor, uint16_t port,
                            collega_time now, struct session **older) {
  *older = NULL;
  if (routing.length == 0 || routing.length > SESSION_ROUTING_MOST) return NULL;
  if (session_by_routing(sessions, routing) != NULL) return NULL;
  struct session_handles *handles = calloc(1, sizeof *handles);
  if (handles == NULL) return NULL;
  struct session *session = &handles->session;
  session->handles = handles;
  session->number = ++sessions->last_number;
  memcpy(session->routing, routing.data, routing.length);
  session->routing_length = (uint8_t)routing.length;
  memcpy(session->link_key, link->key, PEER_KEY_BYTES);
  session->descriptor = descriptor;
  session->port = port;
  if (link->role == PEER_MEMBER)
    session->home = handles->principal = link->party;
  else
    memcpy(handles->principal.byte, link->key, PEER_KEY_BYTES);
  broker_session_start(&session->machine, link->role, now);
  struct session *before = newest_of(sessions, &handles->principal);
  if (before != NULL) step_aside(sessions, before->handles);
  if (!enter(sessions, handles)) {
    free(handles);
    return NULL;
  }
  *older = before;
  sessions->open++;
  return session;
}

void session_end(struct sessions *sessions, struct session *session, collega_time now) {
  session->machine.phase = BROKER_SESSION_CUT;
  if (session->ended == 0) {
    session->ended = now;
    sessions->open--;
  }
  free(session->mailboxes);
  session->mailboxes = NULL;
  session->mailbox_count = 0;
  session->fetch_count = 0;
}

void session_remove(struct sessions *sessions, struct session **session) {
  struct session_handles *handles = (*session)->handles;
  step_aside(sessions, handles);
  if (handles->session.ended == 0) sessions->open--;
  HASH_DELETE(by_number, sessions->by_number, handles);
  HASH_DELETE(by_routing, sessions->by_routing, handles);
  free(handles->session.mailboxes);
  free(handles->session.follows);
  free(handles);
  *session = NULL;
}

struct session *session_first(const struct sessions *sessions) {
  return session_in(sessions->by_number);
}

struct session *session_next(const struct session *session) {
  return session_in(session->handles->by_number.next);
}

size_t sessions_open(const struct sessions *sessions) {
  return sessions->open;
}

struct mailbox_sent *session_mailbox(struct session *session, const struct id *party) {
  for (size_t i = 0; i < session->mailbox_count; i++)
    if (id_equal(&session->mailboxes[i].party, party)) return &session->mailboxes[i];
  size_t size = (session->mailbox_count + 1) * sizeof *session->mailboxes;
  struct mailbox_sent *grown = realloc(session->mailboxes, size);
  if (grown == NULL) return NULL;
  session->mailboxes = grown;
  grown[session->mailbox_count] =
      (struct mailbox_sent){.party = *party, .sent = MAILBOX_NOT_KNOWN, .look = true};
  return &grown[session->mailbox_count++];
}
