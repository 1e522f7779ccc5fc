/* Who follows what, and how far each has read. Followers with the same filter and the same number
 * of their own form a group, because Board frames hold nothing about their receiver: one frame
 * serves all of a group that have read equally far.
 *
 * A group is told of every commit (live parts, frames built from memory). A follower that is behind
 * what is on its way to the group waits for a read from the log; several that wait at the same
 * place share one read. A follower without credit is left where it is: the log is durable, nothing
 * is queued for it.
 *
 * Numbers only: no frames, no transactions, no sockets. One thread, except that workers read
 * `filter`. */
#ifndef COLLEGA_BROKER_SESSION_FOLLOW_H
#define COLLEGA_BROKER_SESSION_FOLLOW_H
#include "broker/session/session.h"

#define FOLLOW_READS_MOST 4 /* reads of one group under way: more would only crowd the workers */

struct follow {
  struct follow_group *group;
  struct session *session;
  uint64_t through; /* read up to and including */
  bool blocked;     /* waits for credit of `need`, or for room in its pipe */
  struct frame_cost need;
  bool reset_due; /* a Reset goes first */
  bool waiting;   /* in which of the group's lists it stands */
  struct follow *previous, *next;
};
struct follow_group {
  uint32_t number;
  const Collega__Filter *filter;
  uint64_t live_from; /* all after this comes by live parts */
  struct follow *idle, *waiting;
  size_t followers;
  uint64_t reads[FOLLOW_READS_MOST];
  size_t read_count;                    /* where the reads under way begin */
  uint32_t jobs;                        /* at workers that hold this group */
  struct follow_group_handles *handles; /* the table's */
};

struct follows;
struct follows *follows_new(void);              /* NULL: out of memory */
void follows_destroy(struct follows **follows); /* all sessions must have stopped */
/* A session follows `filter` under its own `number` from `through` on; what it followed under that
 * number before ends. `packed` are the filter's bytes: equal bytes, equal group. `head` is where
 * the log stands. NULL: out of memory. */
struct follow *follow_start(struct follows *follows, struct session *session, uint32_t number,
                            struct bytes packed, uint64_t through, uint64_t head);
void follow_stop(struct follows *follows, struct follow *follow);
void follow_stop_all(struct follows *follows, struct session *session);
/* The number of follows a session has, not counting one of `number`. */
size_t follow_count_besides(const struct session *session, uint32_t number);

/* Put it where it belongs after `through`, `blocked` or live_from changed. */
void follow_settle(struct follow *follow);
/* A read that should begin now: *after is set, and the read is counted as under way. */
bool follow_read_due(struct follow_group *group, uint64_t *after);
void follow_read_done(struct follow_group *group, uint64_t after);
/* A job that holds the group begins or ends; the group is freed when nobody needs it any more. */
void follow_group_hold(struct follow_group *group);
void follow_group_drop(struct follows *follows, struct follow_group *group);
struct follow_group *follow_group_first(const struct follows *follows);
struct follow_group *follow_group_next(const struct follow_group *group);
size_t follows_count(const struct follows *follows);
#endif
