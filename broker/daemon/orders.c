/* What an administrator asks of a running broker. Questions about the store go to a worker, changes
 * to the committer; the answer is given when the change is on disk. */
#include "broker/daemon/broker.h"
#include "broker/admin/invite.h"
#include "broker/daemon/control.h"
#include <string.h>

static void answer_error(struct broker *broker, uint64_t number,
                         const struct collega_error *error) {
  control_answer_take(broker->control, number & ~CONTROL_NUMBER, control_error(error));
}

static void out_of_memory(struct broker *broker, uint64_t number) {
  struct collega_error error;
  error_set(&error, COLLEGA_SYSTEM, RULE_out_of_memory, NULL, NULL);
  answer_error(broker, number, &error);
}

static const char *text_of(const json_t *question, const char *name) {
  const char *text = json_string_value(json_object_get(question, name));
  return text == NULL ? "" : text;
}

/* Gives the request to the committer. */
static void commit_request(struct broker *broker, uint64_t number, struct request *request) {
  struct job *job = job_new(JOB_COMMIT);
  if (job == NULL || request == NULL) {
    request_destroy(&request);
    job_destroy(&job);
    out_of_memory(broker, number);
    return;
  }
  job->session = request->session = number | CONTROL_NUMBER;
  job->request = request;
  broker->under_way++;
  broker_commit(broker, &job);
  gather_complete(broker);
}

/* `host` NULL: of whoever uses it. `lost` NULL, or the member that is to come back. */
static void invite(struct broker *broker, uint64_t number, const json_t *question,
                   const struct id *host, const json_t *lost) {
  struct collega_error error;
  struct invite_wish wish = {text_of(question, "name"),
                             text_of(question, "kvk"),
                             COLLEGA__ROLE__ROLE_EMPLOYER,
                             json_integer_value(json_object_get(question, "days")),
                             {{0}},
                             NULL};
  if (host != NULL) wish.host = *host;
  const char *role = text_of(question, "role");
  if (role[0] != '\0' && !role_read(role, &wish.role)) {
    error_set(&error, COLLEGA_INVALID, RULE_role_unknown, "role", NULL);
    answer_error(broker, number, &error);
    return;
  }
  if (lost != NULL) invite_wish_recover(&wish, lost);
  struct arena *arena = arena_new(1024, 65536);
  char *addresses[INVITE_ADDRESSES], token[INVITATION_TEXT_BYTES];
  struct invite_broker self = {broker->identity, broker->name, addresses, 0};
  if (arena == NULL) {
    out_of_memory(broker, number);
    return;
  }
  self.address_count = invite_addresses(config_text(broker->config, SETTING_ADVERTISE),
                                        broker->endpoint, arena, addresses, &error);
  struct request *request = NULL;
  if (self.address_count == 0 || wish.days < 0 || wish.days > INVITE_DAYS_MOST ||
      invite_prepare(&self, &wish, clock_now(), token, &request, &error) != COLLEGA_OK) {
    if (wish.days < 0 || wish.days > INVITE_DAYS_MOST)
      error_set(&error, COLLEGA_INVALID, RULE_range, "days", "1", "365", NULL);
    answer_error(broker, number, &error);
  } else {
    control_keep_take(
        broker->control, number,
        json_pack("{s:s,s:s,s:s}", "token", token, "name", wish.name, "kvk", wish.kvk));
    commit_request(broker, number, request);
  }
  arena_destroy(&arena);
}

static void report(struct broker *broker, uint64_t number, json_t *question) {
  struct job *job = job_new(JOB_REPORT);
  if (job == NULL) {
    out_of_memory(broker, number);
    return;
  }
  job->session = number | CONTROL_NUMBER;
  job->question = json_incref(question);
  job_send(broker_worker_of(broker, number), &job);
}

void order_take(struct broker *broker, uint64_t number, json_t *question) {
  const char *command = text_of(question, "command");
  struct collega_error error;
  if (broker->draining) {
    error_set(&error, COLLEGA_BUSY, RULE_broker_stopping, NULL, NULL);
    answer_error(broker, number, &error);
  } else if (strcmp(command, "invite") == 0) {
    if (text_of(question, "host")[0] != '\0' || text_of(question, "recover")[0] != '\0')
      report(broker, number, question); /* who that is, first */
    else
      invite(broker, number, question, NULL, NULL);
  } else if (strcmp(command, "status") == 0 || strcmp(command, "members") == 0 ||
             strcmp(command, "revoke") == 0) {
    report(broker, number, question);
  } else {
    error_set(&error, COLLEGA_INVALID, RULE_control_unknown, NULL, command, NULL);
    answer_error(broker, number, &error);
  }
}

/* What only the running broker knows. */
static json_t *live_json(const struct broker *broker) {
  json_t *metrics = json_object();
  for (unsigned i = 0; i < METRIC_COUNT; i++)
    json_object_set_new(metrics, metric_name((enum metric)i),
                        json_integer((json_int_t)metric_get(broker->metrics, (enum metric)i)));
  collega_time up = clock_now() - (collega_time)metric_get(broker->metrics, METRIC_start_time_ms);
  return json_pack("{s:s,s:s,s:I,s:I,s:o}", "endpoint", broker->endpoint, "http",
                   broker->http_endpoint, "sessions", (json_int_t)sessions_open(broker->sessions),
                   "uptime_seconds", (json_int_t)(up / SECOND_MS), "metrics", metrics);
}

void order_report_back(struct broker *broker, struct job *job) {
  const char *command = text_of(job->question, "command");
  if (job->status != COLLEGA_OK) {
    answer_error(broker, job->session, &job->error);
    return;
  }
  if (strcmp(command, "invite") == 0) {
    bool lost = job->report != NULL;
    invite(broker, job->session & ~CONTROL_NUMBER, job->question, lost ? NULL : &job->party,
           job->report);
    return;
  }
  if (strcmp(command, "revoke") == 0) {
    control_keep_take(broker->control, job->session & ~CONTROL_NUMBER,
                      json_pack("{s:s}", "member", text_of(job->question, "member")));
    commit_request(broker, job->session,
                   revoke_request(&job->party, text_of(job->question, "reason")));
    return;
  }
  if (strcmp(command, "status") == 0)
    json_object_set_new(job->report, "running", live_json(broker));
  control_answer_take(broker->control, job->session & ~CONTROL_NUMBER,
                      json_pack("{s:O}", "result", job->report));
}

void order_committed(struct broker *broker, uint64_t number, struct bytes packed) {
  Collega__FromBroker *frame = collega__from_broker__unpack(NULL, packed.length, packed.data);
  uint64_t client = number & ~CONTROL_NUMBER;
  if (frame != NULL && frame->refusal == NULL) {
    json_t *kept = control_kept(broker->control, client);
    control_answer_take(
        broker->control, client,
        json_pack("{s:o}", "result", kept == NULL ? json_object() : json_incref(kept)));
  } else {
    struct collega_error error;
    refusal_error(frame == NULL ? NULL : frame->refusal, &error);
    answer_error(broker, number, &error);
  }
  collega__from_broker__free_unpacked(frame, NULL);
}
