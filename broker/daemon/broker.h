/* The loop's own state, shared by the files that make up the loop and by nobody else.
 *
 *   frames.c    what comes in: one frame a message, to a worker, back, judged, on to the committer
 *   gather.c    what goes to the committer, and when
 *   answers.c   what goes out after a commit, and how a session is cut
 *   board.c     follows: live parts, reads, credit
 *   mail.c      Welcome, mailboxes, fetches
 *   control.c   the administrator's socket; orders.c what is asked there
 *   limits.c    rates of parties, limits of addresses, who offends
 *   loop.c      the poll set, the ticks, the end */
#ifndef COLLEGA_BROKER_DAEMON_BROKER_H
#define COLLEGA_BROKER_DAEMON_BROKER_H
#include "broker/daemon/connections.h"
#include "broker/daemon/metrics.h"
#include "broker/daemon/settings.h"
#include "broker/daemon/socket.h"
#include "broker/daemon/threads.h"
#include "broker/session/standing.h"
#include "broker/session/zap.h"

#define ENDPOINT_BYTES 256
/* Frames between receipt and answer, all sessions together: above it the loop reads no more until
 * work is done, and TCP makes the senders wait. */
#define UNDER_WAY_MOST_BYTES (256u * 1024u * 1024u)
#define UNDER_WAY_MOST       131072u

struct control;
struct broker {
  const char *home;
  struct config *config;
  const struct identity *identity;
  char name[128];
  char endpoint[ENDPOINT_BYTES], http_endpoint[ENDPOINT_BYTES];
  struct thread_world world;
  struct metrics *metrics;
  void *context, *router, *monitor, *zap;
  struct job_queue *committer, *workers[WORKERS_MOST];
  struct job *came;                    /* from the threads, not looked at yet */
  uint64_t at_worker_us[WORKERS_MOST]; /* of frames: what they may take */
  size_t at_committer;                 /* requests */
  struct job *gathered_first, *gathered_last;
  size_t gathered;
  int64_t gathered_since; /* when the first of them came */
  bool gathered_complete; /* somebody has nothing more to add: it waits for nobody */
  size_t worker_count;
  int signals;
  struct control *control;
  struct links *links;
  struct addresses *addresses;
  struct standings *standings;
  struct sessions *sessions;
  struct follows *follows;
  struct connections *connections;
  struct zap_counts handshakes;
  uint64_t head;      /* last sequence number of the log */
  uint64_t compacted; /* up to here only the members class is left on the board */
  size_t under_way, under_way_bytes;
  size_t connections_most; /* beyond it nobody is let in who has not spoken yet */
  bool figures_asked;
  bool paced; /* credit is kept back from some session */
  bool draining, failed;
};

/* ---- loop.c */
/* Until SIGTERM or SIGINT, or until a thread fails. */
enum collega_status broker_loop(struct broker *broker,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
void broker_monitor(struct broker *broker); /* takes note of connections that opened and ended */

/* ---- limits.c: rates of parties, limits of addresses, and who is told of in the metrics */
void limits_take_settings(struct broker *broker, const struct config *config);
/* A connection from `address` came: false, hung up on. */
bool limits_opened(struct broker *broker, int descriptor, const char *address);
/* Somebody speaks on it for the first time, or it ends. */
void limits_heard(struct broker *broker, int descriptor);
/* May a session begin? If not, that is told, and the connection left soon. */
bool limits_session(struct broker *broker, const struct peer_entry *peer, struct bytes routing,
                    int descriptor);
/* A frame is about to be taken. False: the session was cut. */
bool limits_frame(struct broker *broker, struct session *session, struct frame_cost cost);
/* May credit go back? If not, the session owes it. */
bool limits_credit(struct broker *broker, struct session *session, struct frame_cost cost);
void limits_tick(struct broker *broker); /* every tick: credit that may go back now */
void limits_tell(struct broker *broker); /* every second: who is told of */
void limits_watch(struct broker *broker, collega_time now); /* every tick */
void limits_offends(struct broker *broker, const struct session *session, enum offence offence);

/* ---- frames.c */
void broker_receive(struct broker *broker);
void broker_frame_back(struct broker *broker, struct job **job);
void broker_job_over(struct broker *broker,
                     struct job **job); /* of a frame: counts it out and frees it */
/* The worker of what is read for a session, or for a group of followers. */
struct job_queue *broker_worker_of(const struct broker *broker, uint64_t number);
/* At the end: frees the frames that a session still has here. */
void broker_frames_drop(struct session *session);

/* ---- gather.c */
/* Gives away what is to be committed. */
void broker_commit(struct broker *broker, struct job **job);
/* What was gathered waits for nothing more: somebody in it has no more under way. */
void gather_complete(struct broker *broker);
/* To the committer, if it is time. */
void gather_send(struct broker *broker);
/* Milliseconds until it is time; INT64_MAX: it is not known. */
int64_t gather_wait(const struct broker *broker);
void gather_drop(struct broker *broker); /* at the end */

/* ---- answers.c */
/* Sends packed bytes; a frame that costs must have been allowed by broker_session_may_send before.
 * A session that is gone or does not read is ended: false. */
bool broker_send(struct broker *broker, struct session *session, struct bytes packed);
/* A Pong came: if it answers a probe, the node has read what was sent before it. */
void broker_heard_pong(struct session *session, uint64_t number);
void broker_send_message(struct broker *broker, struct session *session,
                         const Collega__FromBroker *frame);
void broker_refuse(struct broker *broker, struct session *session, const struct id *which,
                   Collega__RefusalCode code, const struct collega_error *error);
/* Says why, then hangs up. `error` NULL: nothing is said. */
void broker_cut(struct broker *broker, struct session *session, Collega__RefusalCode code,
                const struct collega_error *error);
/* The session's connection is gone, or is no longer wanted. */
void broker_end(struct broker *broker, struct session *session);
/* What was received is dealt with: gives credit back when it is due. */
void broker_give_credit(struct broker *broker, struct session *session, struct frame_cost cost);
/* The same, whatever the rates say. */
void broker_return_credit(struct broker *broker, struct session *session, struct frame_cost cost);
void broker_committed(struct broker *broker, struct job **job);
/* Credit came, or room in the pipe: everything of this session that waits for it. */
void broker_pump(struct broker *broker, struct session *session);
/* Does this frame find enough credit? */
bool credit_covers(const struct session *session, struct frame_cost need);

/* ---- board.c */
void board_follow(struct broker *broker, struct session *session, const Collega__Follow *follow);
void board_pump(struct broker *broker, struct session *session);
void board_news(struct broker *broker, struct log_part *part);
void board_read_back(struct broker *broker, struct job *job);
void board_live_back(struct broker *broker, struct job *job);
void board_quiet(
    struct broker *broker); /* every minute: tells quiet groups how far the board was read */

/* ---- mail.c */
void welcome_try(struct broker *broker, struct session *session);
void welcome_back(struct broker *broker, struct job *job);
void mail_news(struct broker *broker, const struct mail_news *news);
void mail_pump(struct broker *broker, struct session *session);
void mail_back(struct broker *broker, struct job *job);
void fetch_start(struct broker *broker, struct session *session, const Collega__Fetch *fetch);
void fetch_back(struct broker *broker, struct job *job);

/* ---- orders.c */
#define CONTROL_NUMBER (UINT64_C(1) << 63) /* set in the numbers of control connections */
void order_take(struct broker *broker, uint64_t number, json_t *question);
void order_report_back(struct broker *broker, struct job *job);
void order_committed(struct broker *broker, uint64_t number, struct bytes packed);
#endif
