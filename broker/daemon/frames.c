/* What comes in. The loop looks at nothing inside a frame: it knows the key behind it, how long it
 * is and whose turn that makes it. A worker unpacks it; when it is back the session's machine
 * judges it, and what asks for a change goes to the committer.
 *
 * A session has only a few frames at the workers at a time, whichever has least to do; the others
 * wait here. So one member uses every core, and a member that sends without pause is never far ahead
 * of one that sends a single frame. They may come back in another order: each is judged when all
 * before it were. */
#include "broker/daemon/broker.h"
#include "base/fault.h"
#include "base/log.h"
#include <stdlib.h>
#include <string.h>

#define RECEIVE_ROUND 256 /* messages, before the other sockets are looked at again */
/* Of one session at a worker: its credit, and room for what costs nothing. */
#define PREPARING_MOST_BYTES (CREDIT_BYTES + LIMIT_FRAME_BYTES)
#define PREPARING_MOST       (CREDIT_RECORDS + 4096u)
/* What a frame may take a worker, about: a signature, and hashing and checking what it holds. */
#define SIGNATURE_US 50u
#define BYTES_A_US   200u
/* Of one session at each worker: what keeps it busy until the loop comes round, and no more, so
 * that others need not wait long behind it; of large frames one in hand and one more. */
#define AT_WORKER_MOST_US 600u
#define AT_WORKER_LEAST   2u
/* A signature that does not hold costs as much as one that does. Whose did not has one frame at the
 * workers at a time, until as many of its frames were good: so it keeps one worker busy, and the
 * others are there for others. */
#define FORGED_REMEMBERED 64u

struct job_queue *broker_worker_of(const struct broker *broker, uint64_t number) {
  return broker->workers[number % broker->worker_count];
}

static void message_free(void *memory) {
  zmq_msg_close(memory);
}

/* A job that owns the frame; NULL: out of memory, the frame is dropped. */
static struct job *frame_job(struct session *session, zmq_msg_t *body) {
  struct job *job = job_new_frame(request_new(REQUEST_PUBLISH)); /* preparing finds out the kind */
  if (job == NULL) return NULL;
  struct request *request = job->request;
  zmq_msg_t *kept = arena_take(request->arena, sizeof *kept);
  if (kept == NULL) {
    job_destroy(&job);
    return NULL;
  }
  zmq_msg_init(kept);
  zmq_msg_move(kept, body);
  request->frame_memory = kept;
  request->frame_free = message_free;
  request->packed = bytes_of(zmq_msg_data(kept), zmq_msg_size(kept));
  request->session = job->session = session->number;
  request->home = session->home;
  memcpy(request->link_key, session->link_key, sizeof request->link_key);
  job->wire_bytes = request->packed.length;
  return job;
}

/* ---- a session's frames, in order */

void broker_frames_drop(struct session *session) {
  job_list_destroy(&session->first_waiting);
  job_list_destroy(&session->done);
}

static uint32_t work_of(const struct job *job) {
  return SIGNATURE_US + (uint32_t)(job->wire_bytes / BYTES_A_US);
}

/* May the session have one more at the workers? */
static bool may_feed(const struct broker *broker, const struct session *session) {
  if (session->forged > 0) return session->at_workers == 0;
  return session->at_workers < AT_WORKER_LEAST * broker->worker_count ||
         session->at_workers_us < AT_WORKER_MOST_US * broker->worker_count;
}

static size_t idlest(const struct broker *broker) {
  size_t found = 0;
  for (size_t i = 1; i < broker->worker_count; i++)
    if (broker->at_worker_us[i] < broker->at_worker_us[found]) found = i;
  return found;
}

static struct job *first_waiting(struct session *session) {
  struct job *job = session->first_waiting;
  session->first_waiting = job->next;
  job->next = NULL;
  return job;
}

/* As many of the session's frames to workers as it may have there. */
static void feed(struct broker *broker, struct session *session) {
  while (session->first_waiting != NULL && may_feed(broker, session)) {
    struct job *job = first_waiting(session);
    if (session->ended != 0) { /* nobody waits for it any more */
      session->preparing--;
      session->preparing_bytes -= job->wire_bytes;
      broker_job_over(broker, &job);
      continue;
    }
    job->worker = idlest(broker);
    broker->at_worker_us[job->worker] += work_of(job);
    session->at_workers++;
    session->at_workers_us += work_of(job);
    job_send(broker->workers[job->worker], &job);
  }
}

static void queue_frame(struct broker *broker, struct session *session, struct job *job) {
  job->order = session->frames_in++;
  if (session->first_waiting == NULL)
    session->first_waiting = job;
  else
    session->last_waiting->next = job;
  session->last_waiting = job;
  feed(broker, session);
}

/* Into the list of those that are done, which is short and in order. */
static void keep_done(struct session *session, struct job *job) {
  struct job **at = &session->done;
  while (*at != NULL && (*at)->order < job->order)
    at = &(*at)->next;
  job->next = *at;
  *at = job;
}

/* The next one whose turn it is; NULL: it is not back yet. */
static struct job *next_done(struct session *session) {
  struct job *job = session->done;
  if (job == NULL || job->order != session->frames_out) return NULL;
  session->done = job->next;
  job->next = NULL;
  session->frames_out++;
  return job;
}

static void say(struct collega_error *error, enum collega_status status, enum rule rule) {
  error_set(error, status, rule, NULL, NULL);
}

/* The session behind a message, made if it is the first; NULL: nobody who may speak. */
static struct session *session_behind(struct broker *broker, struct bytes routing,
                                      const char *user_id, int descriptor) {
  uint8_t key[PEER_KEY_BYTES];
  struct collega_error error;
  const struct peer_entry *peer =
      zap_user_key(user_id, key) ? links_find(broker->links, key, clock_now()) : NULL;
  struct session *session = session_by_routing(broker->sessions, routing);
  if (session != NULL && session->ended != 0) return NULL;
  bool same =
      session == NULL || (user_id != NULL && memcmp(session->link_key, key, sizeof key) == 0);
  char address[PEER_ADDRESS_BYTES];
  uint16_t port = 0;
  if (session == NULL || peer == NULL || !same) connection_peer(descriptor, address, &port);
  if (peer == NULL || !same) { /* revoked, expired, or a message without a key */
    say(&error, COLLEGA_REFUSED, RULE_link_key_unknown);
    if (session != NULL)
      broker_cut(broker, session, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_MEMBER, &error);
    else
      connection_hang_up(descriptor, port);
    return NULL;
  }
  if (session != NULL) return session;
  if (!limits_session(broker, peer, routing, descriptor)) return NULL;
  broker_monitor(broker); /* the end of an older connection with this descriptor comes first */
  struct session *older;
  session =
      session_add(broker->sessions, routing, peer, descriptor, port, clock_monotonic(), &older);
  if (session == NULL) {
    log_error("session", "no memory for a session");
    connection_hang_up(descriptor, port);
    return NULL;
  }
  limits_heard(broker, descriptor);
  connection_speaks(broker->connections, descriptor, session->number);
  if (older != NULL) {
    session->older = older->committing > 0 ? older->number : older->older;
    if (older->ended == 0) {
      say(&error, COLLEGA_REFUSED, RULE_session_superseded);
      broker_cut(broker, older, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED, &error);
    }
  }
  return session;
}

static void take_message(struct broker *broker, zmq_msg_t *routing, zmq_msg_t *body, size_t parts) {
  struct bytes from = bytes_of(zmq_msg_data(routing), zmq_msg_size(routing));
  size_t size = zmq_msg_size(body);
  int descriptor = parts > 0 ? zmq_msg_get(body, ZMQ_SRCFD) : -1;
  connection_delivered(broker->connections, descriptor, size);
  metric_add(broker->metrics, METRIC_frames_received, 1);
  struct session *session =
      session_behind(broker, from, parts > 0 ? zmq_msg_gets(body, "User-Id") : NULL, descriptor);
  if (session == NULL) return;
  struct collega_error error;
  if (parts != 1) {
    metric_add(broker->metrics, METRIC_multipart, 1);
    limits_offends(broker, session, OFFENCE_multipart);
    say(&error, COLLEGA_INVALID, RULE_frame_parts);
    broker_cut(broker, session, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_MALFORMED, &error);
    return;
  }
  session->preparing_bytes += size;
  session->preparing++;
  bool too_much =
      session->preparing_bytes > PREPARING_MOST_BYTES || session->preparing > PREPARING_MOST;
  struct job *job = too_much || size > LIMIT_FRAME_BYTES ? NULL : frame_job(session, body);
  if (job == NULL) {
    session->preparing_bytes -= size;
    session->preparing--;
    limits_offends(broker, session, too_much ? OFFENCE_credit : OFFENCE_malformed);
    say(&error, COLLEGA_REFUSED, too_much ? RULE_credit_exceeded : RULE_frame_malformed);
    broker_cut(broker, session,
               too_much ? COLLEGA__REFUSAL_CODE__REFUSAL_CODE_QUOTA
                        : COLLEGA__REFUSAL_CODE__REFUSAL_CODE_MALFORMED,
               &error);
    return;
  }
  broker->under_way++;
  broker->under_way_bytes += size;
  fault_point(FAULT_broker_frame_received);
  queue_frame(broker, session, job);
}

void broker_receive(struct broker *broker) {
  for (int i = 0; i < RECEIVE_ROUND; i++) {
    zmq_msg_t routing, body;
    size_t parts;
    if (!server_receive(broker->router, &routing, &body, &parts)) return;
    take_message(broker, &routing, &body, parts);
    zmq_msg_close(&routing);
    zmq_msg_close(&body);
  }
}

void broker_job_over(struct broker *broker, struct job **job) {
  broker->under_way--;
  broker->under_way_bytes -= (*job)->wire_bytes;
  job_destroy(job);
}

/* ---- back from the worker */

static void pong(struct broker *broker, struct session *session, uint64_t number) {
  Collega__Pong answer = COLLEGA__PONG__INIT;
  answer.number = number;
  Collega__FromBroker frame = COLLEGA__FROM_BROKER__INIT;
  frame.pong = &answer;
  broker_send_message(broker, session, &frame);
}

static void greet(struct broker *broker, struct session *session, const struct job *job) {
  if (job->card_refused)
    broker_cut(broker, session, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_MEMBER, &job->error);
  else
    welcome_try(broker, session);
}

/* A frame whose turn it is. Gives the job away when it is for the committer. */
static void take_frame(struct broker *broker, struct session *session, struct job **job) {
  const Collega__ToBroker *frame = (*job)->request->frame;
  struct frame_cost cost = (*job)->cost;
  if (frame->join || frame->publish || frame->send || frame->ack || frame->decide) {
    if ((*job)->request->prepared == COLLEGA_FORGED)
      session->forged = FORGED_REMEMBERED;
    else if (session->forged > 0)
      session->forged--;
    (*job)->kind = JOB_COMMIT;
    session->committing++;
    broker_commit(broker, job);
    return;
  }
  if (frame->pong != NULL) broker_heard_pong(session, frame->pong->number);
  if (frame->hello != NULL)
    greet(broker, session, *job);
  else if (frame->follow != NULL)
    board_follow(broker, session, frame->follow);
  else if (frame->fetch != NULL)
    fetch_start(broker, session, frame->fetch);
  else if (frame->credit != NULL)
    broker_pump(broker, session);
  if (session->ended == 0) broker_give_credit(broker, session, cost);
}

static void judge(struct broker *broker, struct session *session, struct job **job) {
  struct request *request = (*job)->request;
  collega_time now = clock_monotonic();
  if (!limits_frame(broker, session, (*job)->cost)) return;
  struct link_answer answer =
      (*job)->malformed
          ? broker_session_malformed(&session->machine, now)
          : broker_session_frame(&session->machine, (*job)->cost, request->frame, now);
  struct collega_error error = (*job)->error;
  if ((*job)->malformed) {
    metric_add(broker->metrics, METRIC_frames_malformed, 1);
    limits_offends(broker, session, OFFENCE_malformed);
  } else if (answer.rule == RULE_protocol_version) {
    char theirs[16], ours[16];
    snprintf(theirs, sizeof theirs, "%u", request->frame->hello->version);
    snprintf(ours, sizeof ours, "%u", PROTOCOL_VERSION);
    error_set(&error, COLLEGA_REFUSED, answer.rule, NULL, theirs, ours, NULL);
  } else if (answer.verdict != LINK_TAKE) {
    say(&error, COLLEGA_REFUSED, answer.rule);
  }
  switch (answer.verdict) {
  case LINK_TAKE:
    if (answer.send_pong)
      pong(broker, session, answer.pong);
    else
      take_frame(broker, session, job);
    break;
  case LINK_REFUSE:
    broker_refuse(broker, session, NULL, answer.code, &error);
    break;
  case LINK_CUT:
    if (answer.rule == RULE_credit_exceeded) limits_offends(broker, session, OFFENCE_credit);
    broker_cut(broker, session, answer.code, &error);
    break;
  }
}

/* One whose turn it is. */
static void take_back(struct broker *broker, struct session *session, struct job *job) {
  session->preparing--;
  session->preparing_bytes -= job->wire_bytes;
  if (session->ended == 0) judge(broker, session, &job);
  if (job != NULL) broker_job_over(broker, &job);
  if (session->preparing == 0) gather_complete(broker);
}

void broker_frame_back(struct broker *broker, struct job **job) {
  struct session *session = session_by_number(broker->sessions, (*job)->session);
  broker->at_worker_us[(*job)->worker] -= work_of(*job);
  if (session == NULL) { /* never: a session stays while it has frames on their way */
    broker_job_over(broker, job);
    return;
  }
  session->at_workers--;
  session->at_workers_us -= work_of(*job);
  keep_done(session, *job);
  *job = NULL;
  for (struct job *next; (next = next_done(session)) != NULL;)
    take_back(broker, session, next);
  feed(broker, session);
}
