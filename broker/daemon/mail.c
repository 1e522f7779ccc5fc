/* Welcome, mailboxes and fetches: what is read from the store for one home. A part is read only
 * when there is credit for some of it, and what was read but could not be sent is read again
 * later. */
#include "broker/daemon/broker.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/words.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FIELD_MAIL 6u
#define MAIL_ITEMS 256u /* of one frame (link.proto) */
#define MAIL_BYTES LIMIT_BOARD_BYTES

/* ---- Welcome */

/* What an older session of this home has at the committer may still move its head: Welcome tells
 * the head, so it is read after that. */
static bool older_is_busy(const struct broker *broker, const struct session *session) {
  uint64_t number = session->older;
  while (number != 0) {
    const struct session *older = session_by_number(broker->sessions, number);
    if (older == NULL) return false;
    if (older->committing > 0) return true;
    number = older->older;
  }
  return false;
}

void welcome_try(struct broker *broker, struct session *session) {
  session->welcome_waits = older_is_busy(broker, session);
  if (session->welcome_waits) return;
  session->older = 0;
  struct job *job = job_new(JOB_WELCOME);
  if (job == NULL) {
    broker_cut(broker, session, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_FULL, NULL);
    return;
  }
  job->session = session->number;
  job->home = session->home;
  job->member = !id_is_zero(&session->home);
  memcpy(job->link_key, session->link_key, sizeof job->link_key);
  job_send(broker_worker_of(broker, session->number), &job);
}

static struct session *session_for(struct broker *broker, const struct job *job) {
  struct session *session = session_by_number(broker->sessions, job->session);
  return session == NULL || session->ended != 0 ? NULL : session;
}

static void log_failed(const char *event, const struct collega_error *error) {
  char text[256];
  error_render(LANGUAGE_EN, error, text, sizeof text);
  log_error(event, "reason=%s", text);
}

/* The home has come with the link key of a new card: the one before it comes in no more. */
static void replace_link(struct broker *broker, struct session *session) {
  struct job *job = job_new(JOB_COMMIT);
  if (job != NULL) job->request = request_new(REQUEST_LINKED);
  if (job == NULL || job->request == NULL) { /* it is looked at again when the home comes back */
    job_destroy(&job);
    return;
  }
  job->session = job->request->session = session->number;
  job->request->home = session->home;
  memcpy(job->request->link_key, session->link_key, sizeof job->request->link_key);
  session->committing++;
  broker->under_way++;
  broker_commit(broker, &job);
  gather_complete(broker);
}

void welcome_back(struct broker *broker, struct job *job) {
  struct session *session = session_for(broker, job);
  if (session == NULL) return;
  if (job->status != COLLEGA_OK) {
    log_failed("welcome", &job->error);
    broker_cut(broker, session, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_FULL, &job->error);
    return;
  }
  if (!broker_send(broker, session, job->frame) || !job->member) return;
  if (job->replaces_link) replace_link(broker, session);
  session->welcomed = true;
  for (size_t i = 0; i < job->party_count; i++)
    if (session_mailbox(session, &job->parties[i]) == NULL) return; /* the next tick tries again */
  if (session_mailbox(session, &session->home) != NULL) mail_pump(broker, session);
}

/* ---- mailboxes */

static bool mail_waits(const struct session *session, const struct mailbox_sent *box) {
  if (box->reading || session->full) return false;
  if (!box->look && box->sent >= box->newest) return false;
  const struct credit *credit = &session->machine.send;
  return credit->records > 0 && credit->bytes > 0 && credit_covers(session, box->need);
}

static void read_mailbox(struct broker *broker, struct session *session, struct mailbox_sent *box) {
  struct job *job = job_new(JOB_MAIL);
  if (job == NULL) return; /* the next tick tries again */
  const struct credit *credit = &session->machine.send;
  job->session = session->number;
  job->party = box->party;
  job->after = box->sent;
  job->newest = box->newest;
  job->most_records = credit->records < MAIL_ITEMS ? (uint32_t)credit->records : MAIL_ITEMS;
  job->most_bytes = credit->bytes < MAIL_BYTES ? (size_t)credit->bytes : MAIL_BYTES;
  box->reading = true;
  job_send(broker_worker_of(broker, session->number), &job);
}

static void read_fetch(struct broker *broker, struct session *session) {
  const struct session_fetch *fetch = &session->fetches[0];
  struct job *job = job_new(JOB_FETCH);
  if (job == NULL) return;
  job->session = session->number;
  job->home = session->home;
  job->party = fetch->party;
  job->what = fetch->what;
  job->after = fetch->after;
  session->fetching = true;
  job_send(broker_worker_of(broker, session->number), &job);
}

void mail_pump(struct broker *broker, struct session *session) {
  if (!session->welcomed || session->ended != 0 || broker->draining) return;
  for (size_t i = 0; i < session->mailbox_count; i++)
    if (mail_waits(session, &session->mailboxes[i]))
      read_mailbox(broker, session, &session->mailboxes[i]);
  if (session->fetch_count > 0 && !session->fetching && !session->full &&
      credit_covers(session, session->fetch_need))
    read_fetch(broker, session);
}

void mail_news(struct broker *broker, const struct mail_news *news) {
  struct session *session = session_of_home(broker->sessions, &news->home);
  if (session == NULL || !session->welcomed) return; /* it waits on disk */
  struct mailbox_sent *box = session_mailbox(session, &news->party);
  if (box == NULL) return;
  if (box->newest < news->seq) box->newest = news->seq;
  mail_pump(broker, session);
}

/* Sends a frame that was read for this session. False: it was not sent, *need says what it
 * lacked. */
static bool send_read(struct broker *broker, struct session *session, const struct job *job,
                      struct frame_cost *need) {
  struct frame_cost cost = {FIELD_MAIL, job->records, job->frame.length};
  *need = (struct frame_cost){0, 0, 0};
  if (!broker_session_may_send(&session->machine, cost)) {
    metric_add(broker->metrics, METRIC_credit_waits, 1);
    *need = cost;
    return false;
  }
  if (!broker_send(broker, session, job->frame)) return false;
  metric_add(broker->metrics, METRIC_mail_sent, job->records);
  fault_point(FAULT_broker_mail_sent);
  return true;
}

void mail_back(struct broker *broker, struct job *job) {
  struct session *session = session_for(broker, job);
  struct mailbox_sent *box = session == NULL ? NULL : session_mailbox(session, &job->party);
  if (box == NULL) return;
  box->reading = false;
  if (job->status != COLLEGA_OK) {
    log_failed("mail_read", &job->error);
    return; /* the next tick tries again */
  }
  box->sent = job->after;
  box->look = job->records > 0;
  if (job->records == 0) {
    /* What was known then and is not there now is acknowledged. */
    if (box->sent < job->newest) box->sent = job->newest;
    mail_pump(broker, session);
    return;
  }
  struct frame_cost need;
  bool sent = send_read(broker, session, job, &need);
  if (session->ended != 0) return; /* and its mailboxes are gone */
  box->need = need;
  if (!sent) return;
  box->sent = job->through;
  mail_pump(broker, session);
}

/* ---- fetches */

void fetch_start(struct broker *broker, struct session *session, const Collega__Fetch *fetch) {
  if (session->fetch_count == SESSION_FETCHES_MOST) {
    char most[12];
    struct collega_error error;
    snprintf(most, sizeof most, "%u", SESSION_FETCHES_MOST);
    error_set(&error, COLLEGA_REFUSED, RULE_fetch_many, NULL, most, NULL);
    broker_refuse(broker, session, NULL, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_QUOTA, &error);
    return;
  }
  struct session_fetch *place = &session->fetches[session->fetch_count++];
  place->what = fetch->what;
  place->after = fetch->after;
  id_from(&place->party, fetch->party.data, fetch->party.len);
  mail_pump(broker, session);
}

static void fetch_over(struct session *session) {
  session->fetch_count--;
  memmove(&session->fetches[0], &session->fetches[1],
          session->fetch_count * sizeof session->fetches[0]);
}

void fetch_back(struct broker *broker, struct job *job) {
  struct session *session = session_for(broker, job);
  if (session == NULL) return;
  session->fetching = false;
  if (session->fetch_count == 0) return;
  if (job->status != COLLEGA_OK) {
    broker_refuse(broker, session, NULL, refusal_code_of(&job->error), &job->error);
    if (session->ended == 0) fetch_over(session);
  } else {
    struct frame_cost need;
    bool sent = send_read(broker, session, job, &need);
    if (session->ended != 0) return;
    session->fetch_need = need;
    if (!sent) return;
    session->fetches[0].after = job->through;
    if (job->done) fetch_over(session);
  }
  mail_pump(broker, session);
}
