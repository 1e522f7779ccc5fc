/* Sessions: one for each connection that has sent a message. A session belongs to the authenticated
 * key, and of a home (or an invitation) only the newest one counts: an older one is cut when a
 * newer one speaks. A cut session stays in the table for a while, so that what still arrives from
 * it is recognised.
 *
 * One thread owns the table and all in it. */
#ifndef COLLEGA_BROKER_SESSION_SESSION_H
#define COLLEGA_BROKER_SESSION_SESSION_H
#include "broker/session/links.h"

#define SESSION_ROUTING_MOST      16 /* libzmq's own routing ids take 5 bytes */
#define SESSION_FETCHES_MOST      4u /* Fetch requests waiting, per session */
#define SESSION_KEPT_AFTER_CUT_MS MINUTE_MS
#define MAILBOX_NOT_KNOWN         UINT64_MAX

struct follow;
struct job; /* the daemon's: a frame on its way */
/* How far a mailbox of this home was sent in this session. Nothing is kept in memory but two
 * numbers. */
struct mailbox_sent {
  struct id party;
  uint64_t sent;          /* last seq sent; MAILBOX_NOT_KNOWN: the store is asked from where on */
  uint64_t newest;        /* last seq that is known to stand in the mailbox */
  bool look;              /* there may be more than `newest` says */
  bool reading;           /* a worker reads it */
  struct frame_cost need; /* of a frame that found too little credit; zero: none */
};
struct session_fetch {
  Collega__FetchClass what;
  struct id party;
  uint64_t after;
};

struct session {
  uint64_t number; /* never given twice; answers name it */
  uint8_t routing[SESSION_ROUTING_MOST];
  uint8_t routing_length;
  uint8_t link_key[PEER_KEY_BYTES];
  struct id home; /* the host party; zero: invited */
  struct broker_session machine;
  int descriptor;     /* of the connection, for hanging up; -1: not known */
  uint16_t port;      /* the peer's, to be sure that the descriptor is still its */
  bool welcomed;      /* Welcome is sent: mail may follow */
  bool welcome_waits; /* for what an older session of this home has under way */
  uint64_t older;     /* number of the session before it that may have; 0: none */
  bool full;          /* its pipe took no more: what is durable waits */
  collega_time ended; /* when it was cut */
  uint64_t answered_bytes,
      read_bytes;                 /* of answers, which cost no credit: sent, and known to be read */
  uint64_t probe;                 /* answered_bytes when the open probe was sent; 0: none is open */
  struct frame_cost owed;         /* credit that is kept back by the party's rates */
  uint32_t preparing, committing; /* frames at a worker, requests at the committer */
  size_t preparing_bytes;
  /* Frames in their order, and the daemon's: those that wait for a worker, and those that came back
   * before an earlier one did. */
  struct job *first_waiting, *last_waiting, *done;
  uint64_t frames_in, frames_out;     /* how many came, and how many were judged */
  uint32_t at_workers, at_workers_us; /* frames, and what they may take */
  uint32_t forged; /* above 0: a signature did not hold, so many good frames ago */
  struct follow **follows;
  size_t follow_count;
  struct mailbox_sent *mailboxes;
  size_t mailbox_count;
  struct session_fetch fetches[SESSION_FETCHES_MOST];
  uint32_t fetch_count;
  bool fetching;
  struct frame_cost fetch_need;
  struct session_handles *handles; /* the table's */
};

struct sessions;
struct sessions *sessions_new(void); /* NULL: out of memory */
void sessions_destroy(struct sessions **sessions);
struct session *session_by_routing(const struct sessions *sessions, struct bytes routing);
struct session *session_by_number(const struct sessions *sessions, uint64_t number);
/* The one that counts; NULL: not connected. */
struct session *session_of_home(const struct sessions *sessions, const struct id *home);
/* A first message came. *older (may be set to NULL) is the session that was the newest until now;
 * it may have ended, and have something at the committer still; the caller cuts it. NULL: out of
 * memory, or the routing id is too long or in use. */
struct session *session_add(struct sessions *sessions, struct bytes routing,
                            const struct peer_entry *link, int descriptor, uint16_t port,
                            collega_time now, struct session **older);
/* It counts no more, but stays in the table. Its follows must be stopped first. `now` is not 0. */
void session_end(struct sessions *sessions, struct session *session, collega_time now);
void session_remove(struct sessions *sessions, struct session **session);
struct session *session_first(const struct sessions *sessions);
struct session *session_next(const struct session *session);
size_t sessions_open(const struct sessions *sessions); /* not ended */

/* The place for a mailbox, made if there is none. NULL: out of memory. Holds until the next
 * call. */
struct mailbox_sent *session_mailbox(struct session *session, const struct id *party);
#endif
