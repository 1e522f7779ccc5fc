/* A worker's thread: unpacks and verifies what came from nodes, and reads the store for what goes
 * to them. Its read transaction takes a new moment for every job and is let go before the next
 * wait, so that the file can reuse its pages. */
#include "broker/daemon/threads.h"
#include "base/log.h"
#include "broker/admin/report.h"
#include "broker/mail/mailbox.h"
#include "broker/store/member_rows.h"
#include "proto/check.h"
#include "proto/guard.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define READ_FIRST_BLOCK (64u * 1024u)
#define READ_ARENA_BYTES (64u * 1024u * 1024u) /* a part of 4 MiB, unpacked and cut for one group */
#define LIVE_FRAMES_MOST 64u
#define TOGETHER_US      400 /* what was done within it goes back at once */

struct worker {
  const struct thread_world *world;
  struct job_queue *jobs;
  struct store_txn *txn; /* NULL before the first read */
  struct member_source source;
  struct members *members;
  struct job *waiting;                /* received, not begun yet */
  struct job *first_done, *last_done; /* not given back yet */
  int64_t since;                      /* when the first of them was begun */
};

/* ---- frames */

/* The card of a Hello must be one of this home's: signed by a key that is known, and the home's
 * own. */
static enum collega_status check_card(struct worker *worker, struct request *request,
                                      struct collega_error *error) {
  struct run_view view;
  enum collega_status status = run_read(request->frame->hello->card, request->arena, &view, error);
  if (status != COLLEGA_OK) return status;
  const struct record *record = &view.records[0];
  if (view.count != 1 || record->body->card == NULL || record->refused != NULL)
    return error_set(error, COLLEGA_INVALID, RULE_hello_card, "hello.card", NULL);
  if (id_is_zero(&request->home)) return COLLEGA_OK; /* invited: nobody yet, and told so */
  if (!id_equal(&view.signer, &request->home))
    return error_set(error, COLLEGA_REFUSED, RULE_hello_card, "hello.card", NULL);
  return members_verify_run(worker->members, &view, error);
}

static void take_frame(struct worker *worker, struct job *job) {
  struct request *request = job->request;
  ProtobufCMessage *message = NULL;
  if (guard_unpack_borrowing(&collega__to_broker__descriptor, request->packed, request->arena,
                             &message, &job->error) != COLLEGA_OK) {
    job->malformed = true;
    return;
  }
  const Collega__ToBroker *frame = (const Collega__ToBroker *)message;
  if (frame_to_broker(frame) == 0) {
    error_set(&job->error, COLLEGA_INVALID, RULE_frame_one, NULL, NULL);
    job->malformed = true;
    return;
  }
  request->frame = frame;
  job->cost = cost_to_broker(frame, request->packed.length);
  if (frame->hello != NULL)
    job->card_refused = check_card(worker, request, &job->error) != COLLEGA_OK;
  else if (frame->join || frame->publish || frame->send || frame->ack || frame->decide)
    request_prepare(request, worker->members, clock_now());
}

/* ---- reads */

static enum collega_status read_live(struct worker *worker, struct job *job) {
  job->frames = arena_take(job->arena, LIVE_FRAMES_MOST * sizeof *job->frames);
  if (job->frames == NULL) return error_set(&job->error, COLLEGA_FULL, RULE_arena_full, NULL, NULL);
  uint64_t after = job->after;
  while (after < job->part->last_seq && job->frame_count < LIVE_FRAMES_MOST) {
    struct board_frame frame = {.after = after};
    enum collega_status status =
        board_live(job->part, &worker->world->broker, &worker->world->epoch, job->group->number,
                   job->group->filter, after, job->arena, &frame.frame, &frame.records,
                   &frame.through, &job->error);
    if (status != COLLEGA_OK) return status;
    if (frame.through <= after) break; /* nothing more: what follows is read from the log */
    after = frame.through;
    job->frames[job->frame_count++] = frame;
  }
  return COLLEGA_OK;
}

static enum collega_status read_mail(struct worker *worker, struct job *job) {
  if (job->after == MAILBOX_NOT_KNOWN) {
    struct box box;
    enum collega_status status = box_read(worker->txn, &job->party, &box, &job->error);
    if (status != COLLEGA_OK) return status;
    job->after = box.acknowledged;
  }
  job->through = job->after;
  return mail_read(worker->txn, &job->party, &worker->world->epoch, job->after, job->most_records,
                   job->most_bytes, job->arena, &job->frame, &job->records, &job->through,
                   &job->error);
}

/* Only a home's own parties: itself, and those it hosts. */
static enum collega_status check_hosted(struct worker *worker, struct job *job,
                                        const struct id *home) {
  struct party_row row;
  bool found = false;
  enum collega_status status = party_row_read(worker->txn, &job->party, &row, &found, &job->error);
  if (status != COLLEGA_OK) return status;
  if (found && id_equal(&row.host, home)) return COLLEGA_OK;
  return error_set(&job->error, COLLEGA_REFUSED, RULE_party_not_hosted, "party", NULL);
}

static enum collega_status read_fetch(struct worker *worker, struct job *job) {
  enum collega_status status = check_hosted(worker, job, &job->home);
  if (status != COLLEGA_OK) return status;
  Collega__Fetch fetch = COLLEGA__FETCH__INIT;
  fetch.what = job->what;
  fetch.party = (ProtobufCBinaryData){ID_BYTES, job->party.byte};
  fetch.after = job->through = job->after;
  return fetch_read(worker->txn, &worker->world->epoch, &fetch, &job->through, job->arena,
                    &job->frame, &job->records, &job->done, &job->error);
}

/* Welcome, the mailboxes of the parties that the home hosts, and whether it came with a new key. */
static enum collega_status read_welcome(struct worker *worker, struct job *job) {
  static const uint8_t none[LINK_KEY_BYTES];
  struct party_row row;
  bool found = false;
  enum collega_status status = welcome_read(worker->txn, &job->home, job->member, clock_now(),
                                            job->arena, &job->frame, &job->error);
  if (status == COLLEGA_OK && job->member)
    status = party_row_read(worker->txn, &job->home, &row, &found, &job->error);
  if (status != COLLEGA_OK || !job->member) return status;
  job->replaces_link = found && memcmp(row.old_link_key, none, sizeof none) != 0 &&
                       memcmp(row.link_key, job->link_key, sizeof job->link_key) == 0;
  return party_rows_hosted(worker->txn, &job->home, &job->parties, &job->party_count, &job->error);
}

static enum collega_status read_figures(struct worker *worker, struct job *job) {
  struct store_room room;
  enum collega_status status = store_room(worker->world->store, &room, &job->error);
  if (status != COLLEGA_OK) return status;
  store_check_readers(worker->world->store);
  job->figures =
      (struct figures){.store_used = room.used, .store_map = room.map, .store_free = room.free};
  return report_mailbox_bytes(worker->txn, &job->figures.mailbox_bytes, &job->error);
}

static enum collega_status read_report(struct worker *worker, struct job *job) {
  const char *command = json_string_value(json_object_get(job->question, "command"));
  if (command != NULL && strcmp(command, "members") == 0)
    return report_members(worker->txn, clock_now(), &job->report, &job->error);
  bool invites = command != NULL && strcmp(command, "invite") == 0;
  const char *lost = json_string_value(json_object_get(job->question, "recover"));
  if (invites && lost != NULL && lost[0] != '\0')
    return report_recovery(worker->txn, lost, &job->report, &job->error);
  if (invites || (command != NULL && strcmp(command, "revoke") == 0)) {
    const char *text =
        json_string_value(json_object_get(job->question, invites ? "host" : "member"));
    return report_find_member(worker->txn, text == NULL ? "" : text, &job->party, &job->error);
  }
  return report_status(worker->world->store, worker->txn, clock_now(), &job->report, &job->error);
}

static enum collega_status begin(struct worker *worker, struct job *job) {
  job->arena = arena_new(READ_FIRST_BLOCK, READ_ARENA_BYTES);
  if (job->arena == NULL)
    return error_set(&job->error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  if (worker->txn == NULL) return store_read(worker->world->store, &worker->txn, &job->error);
  return store_renew(worker->txn, &job->error);
}

static enum collega_status read_kind(struct worker *worker, struct job *job) {
  switch (job->kind) {
  case JOB_WELCOME:
    return read_welcome(worker, job);
  case JOB_BOARD:
    return board_read(worker->txn, &worker->world->broker, &worker->world->epoch,
                      job->group->number, job->group->filter, job->after, job->arena, &job->frame,
                      &job->records, &job->through, &job->error);
  case JOB_LIVE:
    return read_live(worker, job);
  case JOB_MAIL:
    return read_mail(worker, job);
  case JOB_FETCH:
    return read_fetch(worker, job);
  case JOB_REPORT:
    return read_report(worker, job);
  case JOB_FIGURES:
    return read_figures(worker, job);
  case JOB_FRAME:
  case JOB_FORGET:
  case JOB_COMMIT:
  case JOB_SWEEP:
  case JOB_COMMITTED:
  case JOB_STOP:
    break;
  }
  return COLLEGA_OK;
}

static void read_store(struct worker *worker, struct job *job) {
  job->status = begin(worker, job);
  if (job->status == COLLEGA_OK) {
    job->status = read_kind(worker, job);
    store_rest(worker->txn);
  }
}

static void forget(struct worker *worker, struct job *job) {
  for (size_t i = 0; i < job->party_count; i++)
    members_forget(worker->members, &job->parties[i]);
}

/* ---- the thread */

static void worker_end(struct worker *worker) {
  store_end(&worker->txn);
  members_destroy(&worker->members);
  job_list_destroy(&worker->waiting);
  free(worker);
}

/* Each time something goes back the loop is woken. So what takes little goes back together: when
 * nothing more waits here, or TOGETHER_US after the first of it was begun. */
static void give_back(struct worker *worker, struct job *job, bool now) {
  if (job != NULL) {
    if (worker->last_done == NULL)
      worker->first_done = job;
    else
      worker->last_done->next = job;
    worker->last_done = job;
  }
  if (worker->first_done == NULL) return;
  if (!now && clock_monotonic_us() - worker->since < TOGETHER_US) return;
  struct job *first = worker->first_done;
  worker->first_done = worker->last_done = NULL;
  job_send(worker->world->back, &first);
}

static struct job *next_job(struct worker *worker) {
  if (worker->waiting == NULL) worker->waiting = job_receive(worker->jobs);
  if (worker->waiting == NULL) {
    give_back(worker, NULL, true);
    worker->waiting = job_wait(worker->jobs);
  }
  struct job *job = worker->waiting;
  worker->waiting = job->next;
  job->next = NULL;
  return job;
}

static void *run(void *context) {
  struct worker *worker = context;
  for (bool going = true; going;) {
    struct job *job = next_job(worker);
    if (worker->first_done == NULL) worker->since = clock_monotonic_us();
    switch (job->kind) {
    case JOB_FRAME:
      take_frame(worker, job);
      break;
    case JOB_FORGET:
      forget(worker, job);
      job_destroy(&job);
      continue;
    case JOB_STOP:
      going = false;
      break;
    case JOB_WELCOME:
    case JOB_BOARD:
    case JOB_LIVE:
    case JOB_MAIL:
    case JOB_FETCH:
    case JOB_REPORT:
    case JOB_FIGURES:
      read_store(worker, job);
      break;
    case JOB_COMMIT:
    case JOB_SWEEP:
    case JOB_COMMITTED:
      break; /* never a worker's */
    }
    give_back(worker, job, !going);
  }
  worker_end(worker);
  return NULL;
}

enum collega_status worker_start(const struct thread_world *world, struct job_queue *jobs,
                                 const char *name, struct thread *thread,
                                 struct collega_error *error) {
  struct worker *worker = calloc(1, sizeof *worker);
  if (worker == NULL) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  worker->world = world;
  worker->jobs = jobs;
  worker->source = (struct member_source){world->store, world->broker};
  worker->members = members_new(member_source_load, &worker->source);
  int number = worker->members == NULL ? ENOMEM : 0;
  if (number == 0) number = pthread_create(&thread->id, NULL, run, worker);
  thread->started = number == 0;
  if (thread->started) {
    pthread_setname_np(thread->id, name);
    return COLLEGA_OK;
  }
  worker_end(worker);
  return error_system(error, "worker", number);
}
