/* What goes out, and what a commit leads to. Nothing waits here in memory: an answer that its
 * session does not take cuts the session, which comes back and asks again; what is durable is read
 * again. */
#include "broker/daemon/broker.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/words.h"
#include "proto/guard.h"
#include <stdlib.h>
#include <string.h>

#define SMALL_ARENA_BYTES (64u * 1024u)
#define CUT_LINGER_MS     SECOND_MS /* for the node to read why */

/* Answers cost no credit, so a node could ask without end and read nothing. Every PROBE_BYTES of
 * answers are followed by a Ping; until its Pong comes, ANSWERS_MOST_BYTES may be under way. */
#define PROBE_BYTES        (1u * 1024u * 1024u)
#define ANSWERS_MOST_BYTES (16u * 1024u * 1024u)
#define PROBE_NUMBER       (UINT64_C(1) << 62) /* set in the numbers of these Pings */

#define FIELD_RECEIPTS 3u
#define FIELD_BOARD    4u
#define FIELD_RESET    5u
#define FIELD_MAIL     6u
#define FIELD_QUESTION 8u
#define FIELD_REFUSAL  9u
#define FIELD_PING     11u

/* The number of the one field that is set: it stands in the first byte. */
static uint32_t field_of(struct bytes packed) {
  return packed.length == 0 ? 0 : packed.data[0] >> 3;
}

static bool costs_credit(uint32_t field) {
  return field == FIELD_BOARD || field == FIELD_RESET || field == FIELD_MAIL ||
         field == FIELD_QUESTION;
}

void broker_heard_pong(struct session *session, uint64_t number) {
  if (session->probe == 0 || number != (PROBE_NUMBER | session->probe)) return;
  session->read_bytes = session->probe;
  session->probe = 0;
}

/* Counts an answer that is about to be sent. False: too many are unread. */
static bool count_answer(struct broker *broker, struct session *session, struct bytes packed) {
  uint32_t field = field_of(packed);
  if (costs_credit(field)) return true;
  session->answered_bytes += packed.length;
  uint64_t unread = session->answered_bytes - session->read_bytes;
  if (field == FIELD_PING || unread < PROBE_BYTES) return true;
  if (session->probe == 0) {
    session->probe = session->answered_bytes;
    Collega__Ping ping = COLLEGA__PING__INIT;
    ping.number = PROBE_NUMBER | session->probe;
    Collega__FromBroker frame = COLLEGA__FROM_BROKER__INIT;
    frame.ping = &ping;
    broker_send_message(broker, session, &frame);
  }
  return session->ended == 0 && unread < ANSWERS_MOST_BYTES;
}

static bool too_slow(struct broker *broker, struct session *session) {
  if (session->ended != 0) return false;
  log_warning("session_slow", "session=%llu", (unsigned long long)session->number);
  limits_offends(broker, session, OFFENCE_slow);
  broker_cut(broker, session, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_QUOTA, NULL);
  return false;
}

bool broker_send(struct broker *broker, struct session *session, struct bytes packed) {
  if (session->ended != 0 || packed.length == 0) return false;
  if (!count_answer(broker, session, packed)) return too_slow(broker, session);
  struct bytes routing = bytes_of(session->routing, session->routing_length);
  switch (server_send_copy(broker->router, routing, packed)) {
  case SENT:
    return true;
  case SENT_FULL:
    return too_slow(broker, session);
  case SENT_GONE:
    broker_end(broker, session);
    return false;
  }
  return false;
}

void broker_send_message(struct broker *broker, struct session *session,
                         const Collega__FromBroker *frame) {
  struct arena *arena = arena_new(512, SMALL_ARENA_BYTES);
  if (arena != NULL) broker_send(broker, session, message_pack(&frame->base, arena));
  arena_destroy(&arena);
}

void broker_refuse(struct broker *broker, struct session *session, const struct id *which,
                   Collega__RefusalCode code, const struct collega_error *error) {
  metric_refused(broker->metrics, (int)code);
  limits_offends(broker, session, OFFENCE_refused);
  struct arena *arena = arena_new(512, SMALL_ARENA_BYTES);
  if (arena != NULL) broker_send(broker, session, refusal_pack(arena, which, code, error));
  arena_destroy(&arena);
}

void broker_end(struct broker *broker, struct session *session) {
  if (session->ended != 0) return;
  follow_stop_all(broker->follows, session);
  session_end(broker->sessions, session, clock_monotonic());
}

void broker_cut(struct broker *broker, struct session *session, Collega__RefusalCode code,
                const struct collega_error *error) {
  if (session->ended != 0) return;
  char party[2 * SHORT_ID_BYTES + 1];
  hex_write(party, session->home.byte, SHORT_ID_BYTES);
  metric_add(broker->metrics, METRIC_sessions_cut, 1);
  limits_offends(broker, session, OFFENCE_cut);
  log_info("session_cut", "session=%llu party=%s rule=%s", (unsigned long long)session->number,
           party, error == NULL ? "session_slow" : rule_name(error->rule));
  if (error != NULL) broker_refuse(broker, session, NULL, code, error);
  int descriptor = session->descriptor;
  uint16_t port = session->port;
  bool told = error != NULL && session->ended == 0;
  broker_end(broker, session);
  /* The reason is still on its way; what the node says meanwhile is dropped. */
  if (told)
    connection_leave(broker->connections, descriptor, clock_monotonic() + CUT_LINGER_MS);
  else
    connection_hang_up(descriptor, port);
}

bool credit_covers(const struct session *session, struct frame_cost need) {
  const struct credit *credit = &session->machine.send;
  return credit->records >= need.records && credit->bytes >= (int64_t)need.bytes;
}

void broker_give_credit(struct broker *broker, struct session *session, struct frame_cost cost) {
  if (limits_credit(broker, session, cost)) broker_return_credit(broker, session, cost);
}

void broker_return_credit(struct broker *broker, struct session *session, struct frame_cost cost) {
  struct credit due;
  if (!broker_session_committed(&session->machine, cost, &due)) return;
  Collega__Credit credit = COLLEGA__CREDIT__INIT;
  credit.records = (uint32_t)due.records;
  credit.bytes = (uint32_t)due.bytes;
  Collega__FromBroker frame = COLLEGA__FROM_BROKER__INIT;
  frame.credit = &credit;
  broker_send_message(broker, session, &frame);
}

void broker_pump(struct broker *broker, struct session *session) {
  if (session->ended != 0) return;
  session->full = false;
  board_pump(broker, session);
  if (session->ended == 0) mail_pump(broker, session);
}

/* ---- after a commit */

/* In our own bytes. */
static int refusal_code_in(struct bytes packed) {
  Collega__FromBroker *frame = collega__from_broker__unpack(NULL, packed.length, packed.data);
  int code = frame != NULL && frame->refusal != NULL ? (int)frame->refusal->code : 0;
  collega__from_broker__free_unpacked(frame, NULL);
  return code;
}

static void answer_one(struct broker *broker, const struct answer *answer) {
  uint32_t field = field_of(answer->packed);
  if (field == FIELD_REFUSAL) metric_refused(broker->metrics, refusal_code_in(answer->packed));
  if (answer->session & CONTROL_NUMBER) {
    order_committed(broker, answer->session, answer->packed);
    return;
  }
  bool to_home = !id_is_zero(&answer->home);
  struct session *session = to_home ? session_of_home(broker->sessions, &answer->home)
                                    : session_by_number(broker->sessions, answer->session);
  if (session == NULL || session->ended != 0) return;
  if (field == FIELD_REFUSAL) limits_offends(broker, session, OFFENCE_refused);
  if (to_home && !session->welcomed) return; /* it asks when it is */
  if (field ==
      FIELD_QUESTION) { /* the only one that costs; it is asked again when the party asks */
    struct frame_cost cost = {field, answer->records, answer->packed.length};
    if (!broker_session_may_send(&session->machine, cost)) {
      metric_add(broker->metrics, METRIC_credit_waits, 1);
      return;
    }
  }
  if (!broker_send(broker, session, answer->packed)) return;
  if (field == FIELD_RECEIPTS) metric_add(broker->metrics, METRIC_receipts, 1);
  fault_point(FAULT_broker_answer_after);
}

/* Keys that come and go. A revoked one is cut off at once. */
static void take_keys(struct broker *broker, const struct job *job) {
  for (size_t i = 0; i < job->admitted_count; i++)
    if (!links_admit(broker->links, &job->admitted[i])) log_error("links", "out of memory");
  for (size_t i = 0; i < job->result.link_key_count; i++)
    if (!job->result.link_key_added[i]) links_drop(broker->links, job->result.link_keys[i]);
  if (job->result.link_key_count == job->admitted_count) return; /* none was dropped */
  struct collega_error error;
  error_set(&error, COLLEGA_REFUSED, RULE_link_key_unknown, NULL, NULL);
  for (struct session *next, *session = session_first(broker->sessions); session != NULL;
       session = next) {
    next = session_next(session);
    if (session->ended == 0 && links_find(broker->links, session->link_key, clock_now()) == NULL)
      broker_cut(broker, session, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_MEMBER, &error);
  }
}

static void forget_changed(struct broker *broker, const struct commit_result *result) {
  if (result->changed_count == 0) return;
  for (size_t i = 0; i < broker->worker_count; i++) {
    struct job *job = job_new(JOB_FORGET);
    size_t size = result->changed_count * sizeof *job->parties;
    if (job != NULL) job->parties = malloc(size);
    if (job == NULL || job->parties == NULL) {
      /* A worker that went on believing a revoked key would be worse than a restart. */
      log_error("forget", "out of memory");
      broker->failed = true;
      job_destroy(&job);
      return;
    }
    memcpy(job->parties, result->changed, size);
    job->party_count = result->changed_count;
    job_send(broker->workers[i], &job);
  }
}

/* One request of the batch is over: its credit goes back, and a session that waited for it is
 * greeted. */
static void request_over(struct broker *broker, struct job **job, bool failed) {
  struct request *request = (*job)->request;
  struct session *session = session_by_number(broker->sessions, (*job)->session);
  bool acknowledged = request->kind == REQUEST_ACK && !failed;
  if (session != NULL) {
    session->committing--;
    struct collega_error error;
    error_set(&error, COLLEGA_FULL, RULE_broker_full, NULL, NULL);
    /* Its later frames would build on a head that was not stored. Those that wait in the committer
     * already are refused for their head, but nobody is told: the session has ended by then, and
     * the home's next one is greeted only when they are over. */
    if (session->ended == 0 && failed)
      broker_cut(broker, session, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_FULL, &error);
    else if (session->ended == 0)
      broker_give_credit(broker, session, (*job)->cost);
    struct session *newest = session_of_home(broker->sessions, &request->home);
    if (session->ended != 0 && newest != NULL && newest->welcome_waits) welcome_try(broker, newest);
  }
  broker_job_over(broker, job);
  if (acknowledged) fault_point(FAULT_broker_ack_after_commit);
}

void broker_committed(struct broker *broker, struct job **job) {
  struct commit_result *result = &(*job)->result;
  bool failed = (*job)->status != COLLEGA_OK;
  broker->at_committer -= (*job)->batch_count;
  gather_send(broker); /* it writes while we answer */
  if (failed) {
    char text[256];
    error_render(LANGUAGE_EN, &(*job)->error, text, sizeof text);
    log_error("commit", "requests=%zu reason=%s", (*job)->batch_count, text);
  }
  take_keys(broker, *job);
  forget_changed(broker, result);
  metric_add(broker->metrics, METRIC_commits, failed ? 0 : 1);
  if (result->log != NULL) {
    broker->head = result->log->last_seq;
    metric_add(broker->metrics, METRIC_records, result->log->last_seq + 1 - result->log->first_seq);
  }
  for (size_t i = 0; i < result->answer_count; i++)
    answer_one(broker, &result->answers[i]);
  for (size_t i = 0; i < (*job)->batch_count; i++) {
    (*job)->batch[i]->error = (*job)->error;
    request_over(broker, &(*job)->batch[i], failed);
  }
  (*job)->batch_count = 0;
  if (result->log != NULL) board_news(broker, result->log);
  for (size_t i = 0; i < result->mail_count; i++)
    mail_news(broker, &result->mail[i]);
  job_destroy(job);
}
