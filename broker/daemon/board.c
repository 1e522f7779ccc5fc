/* Follows: what the log holds goes to those who asked for it, as far as their credit reaches.
 *
 * Every commit makes one job for each group of equal followers; the frame that comes back goes to
 * all of the group who have read up to there. Whoever has not is served from the log, by reads that
 * are shared in the same way. A commit in which a group finds nothing is not told: the next frame,
 * or the round every minute, says how far the board was read, and is read from the log because it
 * spans more than a commit. */
#include "broker/daemon/broker.h"
#include "broker/board/board.h"
#include "base/log.h"
#include "base/words.h"
#include "proto/guard.h"
#include <stdlib.h>
#include <string.h>

#define FIELD_BOARD       4u
#define FIELD_RESET       5u
#define RESET_ARENA_BYTES 4096u

static struct job_queue *worker_of_group(const struct broker *broker,
                                         const struct follow_group *group) {
  return broker_worker_of(broker, (uint64_t)((uintptr_t)group >> 6));
}

/* Starts the reads that a group's followers wait for. */
static void start_reads(struct broker *broker, struct follow_group *group) {
  uint64_t after;
  while (!broker->draining && follow_read_due(group, &after)) {
    struct job *job = job_new(JOB_BOARD);
    if (job == NULL) {
      follow_read_done(group, after); /* the next tick tries again */
      return;
    }
    job->group = group;
    job->after = after;
    follow_group_hold(group);
    job_send(worker_of_group(broker, group), &job);
  }
}

/* ---- Follow */

static bool send_reset(struct broker *broker, struct follow *follow) {
  Collega__Reset reset = COLLEGA__RESET__INIT;
  reset.follow = follow->group->number;
  reset.origin = (ProtobufCBinaryData){ID_BYTES, broker->world.broker.byte};
  reset.epoch = (ProtobufCBinaryData){EPOCH_BYTES, broker->world.epoch.byte};
  reset.through = broker->head;
  Collega__FromBroker frame = COLLEGA__FROM_BROKER__INIT;
  frame.reset = &reset;
  struct arena *arena = arena_new(256, RESET_ARENA_BYTES);
  struct bytes packed = arena == NULL ? bytes_of(NULL, 0) : message_pack(&frame.base, arena);
  struct session *session = follow->session;
  struct frame_cost cost = {FIELD_RESET, 0, packed.length};
  follow->blocked = packed.length == 0 || !broker_session_may_send(&session->machine, cost);
  if (follow->blocked)
    follow->need = cost;
  else
    follow->reset_due = false; /* before sending: a session that is gone takes its follows along */
  bool sent = !follow->blocked && broker_send(broker, session, packed);
  arena_destroy(&arena);
  return sent;
}

static void refuse_memory(struct broker *broker, struct session *session) {
  struct collega_error error;
  error_set(&error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  broker_refuse(broker, session, NULL, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_FULL, &error);
}

void board_follow(struct broker *broker, struct session *session, const Collega__Follow *frame) {
  uint64_t through;
  bool known = board_cursor_known(frame, &broker->world.broker, &broker->world.epoch, broker->head,
                                  broker->compacted, &through);
  struct arena *arena = arena_new(1024, LIMIT_FRAME_BYTES);
  size_t size = collega__filter__get_packed_size(frame->filter);
  struct bytes packed =
      arena == NULL ? bytes_of(NULL, 0) : message_pack(&frame->filter->base, arena);
  struct follow *follow = NULL;
  if (packed.length == size)
    follow = follow_start(broker->follows, session, frame->number, packed, through, broker->head);
  arena_destroy(&arena);
  if (follow == NULL) {
    refuse_memory(broker, session);
    return;
  }
  struct follow_group *group = follow->group;
  follow_group_hold(group); /* the session may end while it is told */
  if (!known) {
    follow->reset_due = true;
    if (send_reset(broker, follow) || session->ended == 0) follow_settle(follow);
  }
  start_reads(broker, group);
  follow_group_drop(broker->follows, group);
}

void board_pump(struct broker *broker, struct session *session) {
  for (size_t i = 0; session->ended == 0 && i < session->follow_count; i++) {
    struct follow *follow = session->follows[i];
    if (!follow->blocked || !credit_covers(session, follow->need)) continue;
    follow->blocked = false;
    if (follow->reset_due && !send_reset(broker, follow) && session->ended != 0) return;
    follow_settle(follow);
    start_reads(broker, follow->group);
  }
}

/* ---- delivery */

/* Sessions found gone in the middle of a list are ended when the list is done. */
struct gone {
  struct session **sessions;
  size_t count, capacity;
};

static void note_gone(struct gone *gone, struct session *session) {
  if (gone->count == gone->capacity) {
    size_t capacity = gone->capacity * 2 + 8;
    struct session **grown = realloc(gone->sessions, capacity * sizeof(struct session *));
    if (grown == NULL) return; /* the tick finds it silent */
    gone->sessions = grown;
    gone->capacity = capacity;
  }
  gone->sessions[gone->count++] = session;
}

static void end_gone(struct broker *broker, struct gone *gone) {
  for (size_t i = 0; i < gone->count; i++)
    broker_end(broker, gone->sessions[i]);
  free(gone->sessions);
}

/* One frame to one follower, who has read up to where it begins. */
static void deliver_to(struct broker *broker, struct follow *follow,
                       const struct board_frame *frame, zmq_msg_t *shared, struct gone *gone) {
  struct session *session = follow->session;
  struct frame_cost cost = {FIELD_BOARD, frame->records, frame->frame.length};
  if (session->full || !broker_session_may_send(&session->machine, cost)) {
    metric_add(broker->metrics, METRIC_credit_waits, 1);
    follow->blocked = true;
    follow->need = cost;
    return;
  }
  zmq_msg_t copy;
  zmq_msg_init(&copy);
  zmq_msg_copy(&copy, shared);
  enum sent sent =
      server_send(broker->router, bytes_of(session->routing, session->routing_length), &copy);
  if (sent == SENT) {
    follow->through = frame->through;
    metric_add(broker->metrics, METRIC_board_frames, 1);
    return;
  }
  zmq_msg_close(&copy);
  follow->blocked = true;
  follow->need = cost;
  session->machine.send.records += cost.records; /* not sent after all */
  session->machine.send.bytes += (int64_t)cost.bytes;
  if (sent == SENT_FULL)
    session->full = true;
  else
    note_gone(gone, session);
}

static void deliver_list(struct broker *broker, struct follow *list,
                         const struct board_frame *frame, zmq_msg_t *shared, struct gone *gone) {
  for (struct follow *next, *follow = list; follow != NULL; follow = next) {
    next = follow->next;
    if (follow->through != frame->after || follow->blocked) continue;
    deliver_to(broker, follow, frame, shared, gone);
    follow_settle(follow);
  }
}

/* One frame to all of a group who have read up to where it begins: built once, shared by all. */
static void deliver(struct broker *broker, struct follow_group *group,
                    const struct board_frame *frame, struct gone *gone) {
  zmq_msg_t shared;
  if (zmq_msg_init_size(&shared, frame->frame.length) != 0) return;
  memcpy(zmq_msg_data(&shared), frame->frame.data, frame->frame.length);
  deliver_list(broker, group->idle, frame, &shared, gone);
  deliver_list(broker, group->waiting, frame, &shared, gone);
  zmq_msg_close(&shared);
}

static void settle_all(struct follow_group *group) {
  for (struct follow *next, *follow = group->idle; follow != NULL; follow = next) {
    next = follow->next;
    if (!follow->blocked && follow->through < group->live_from) follow_settle(follow);
  }
}

static void job_done(struct broker *broker, struct follow_group *group, struct gone *gone) {
  end_gone(broker, gone);
  start_reads(broker, group);
  follow_group_drop(broker->follows, group);
}

static void log_failed(const char *event, const struct collega_error *error) {
  char text[256];
  error_render(LANGUAGE_EN, error, text, sizeof text);
  log_error(event, "reason=%s", text);
}

/* Followers who cannot be served now wait for the next tick, so that nothing spins. */
static void hold_back(struct follow_group *group, uint64_t after) {
  for (struct follow *next, *follow = group->waiting; follow != NULL; follow = next) {
    next = follow->next;
    if (follow->through != after) continue;
    follow->blocked = true;
    follow->need = (struct frame_cost){0, 0, 0};
    follow_settle(follow);
  }
}

void board_read_back(struct broker *broker, struct job *job) {
  struct follow_group *group = job->group;
  struct gone gone = {NULL, 0, 0};
  follow_read_done(group, job->after);
  if (job->status != COLLEGA_OK) log_failed("board_read", &job->error);
  if (job->status != COLLEGA_OK || job->through <= job->after || job->frame.length == 0) {
    hold_back(group, job->after);
  } else {
    struct board_frame frame = {job->frame, job->records, job->after, job->through};
    deliver(broker, group, &frame, &gone);
  }
  job_done(broker, group, &gone);
}

void board_live_back(struct broker *broker, struct job *job) {
  struct follow_group *group = job->group;
  struct gone gone = {NULL, 0, 0};
  uint32_t records = 0;
  uint64_t through = job->after;
  if (job->status != COLLEGA_OK) log_failed("board_live", &job->error);
  for (size_t i = 0; i < job->frame_count; i++) {
    records += job->frames[i].records;
    through = job->frames[i].through;
  }
  bool whole = job->status == COLLEGA_OK && through == job->part->last_seq;
  if (records > 0 || !whole) {
    for (size_t i = 0; i < job->frame_count; i++)
      deliver(broker, group, &job->frames[i], &gone);
    if (group->live_from < job->part->last_seq) group->live_from = job->part->last_seq;
    settle_all(group);
  }
  job_done(broker, group, &gone);
}

void board_news(struct broker *broker, struct log_part *part) {
  for (struct follow_group *group = follow_group_first(broker->follows); group != NULL;
       group = follow_group_next(group)) {
    if (group->followers == 0) continue;
    struct job *job = job_new(JOB_LIVE);
    if (job == NULL) { /* they read it from the log */
      group->live_from = part->last_seq;
      settle_all(group);
      continue;
    }
    job->group = group;
    job->after = part->first_seq - 1;
    job->part = part;
    log_part_hold(part);
    follow_group_hold(group);
    job_send(worker_of_group(broker, group), &job);
  }
}

void board_quiet(struct broker *broker) {
  for (struct follow_group *group = follow_group_first(broker->follows); group != NULL;
       group = follow_group_next(group)) {
    group->live_from = broker->head;
    settle_all(group);
    start_reads(broker, group);
  }
}
