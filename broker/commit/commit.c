/*~ The committer. Read commit_batch first: it is the whole story. A batch is one transaction; every
 * request is looked up, judged and written in the order in which it came; then one signature covers
 * all new leaves of the log, one fsync makes everything so, and only then is there anything to
 * send.
 *
 * A request can be refused, and the batch goes on. A failure - of the disk, of memory - ends the
 * batch: nothing of it is on disk, the sequence numbers are as they were, and every request is told
 * so. */
#include "broker/commit/commit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "base/log.h"
#include "broker/commit/cards.h"
#include "proto/guard.h"
#include "proto/limits.h"

#define RESULT_ARENA_BYTES  (256u * 1024u * 1024u)
#define SCRATCH_ARENA_BYTES (64u * 1024u * 1024u)

/* ---- batches */

static bool result_start(struct commit_result *result) {
  *result = (struct commit_result){.arena = arena_new(16384, RESULT_ARENA_BYTES)};
  return result->arena != NULL;
}

void commit_result_free(struct commit_result *result) {
  log_part_drop(&result->log);
  arena_destroy(&result->arena);
  *result = (struct commit_result){0};
}

static enum collega_status batch_start(struct batch *batch, struct commit *commit, collega_time now,
                                       struct commit_result *result, struct collega_error *error) {
  *batch = (struct batch){.commit = commit,
                          .now = now,
                          .result = result,
                          .arena = result->arena,
                          .state = commit->state};
  enum collega_status status = store_has_room(commit->store, error);
  return status ? status : store_write(commit->store, &batch->txn, error);
}

static enum collega_status batch_finish(struct batch *batch, struct collega_error *error) {
  enum collega_status status = batch_sign(batch, error);
  if (!status) status = state_write(batch->txn, &batch->state, error);
  if (status) return status;
  if (batch->decided) fault_point(FAULT_broker_decide_before_commit);
  fault_point(FAULT_broker_commit_before);
  status = store_commit(&batch->txn, error);
  if (status) return status;
  fault_point(FAULT_broker_commit_after);
  if (batch->decided) fault_point(FAULT_broker_decide_after_commit);
  batch->commit->state = batch->state;
  return COLLEGA_OK;
}

static const Collega__Head *head_of(const struct request *request) {
  const Collega__ToBroker *frame = request->frame;
  if (!frame) return NULL;
  if (frame->publish) return frame->publish->head;
  if (frame->send) return frame->send->head;
  return frame->decide ? frame->decide->head : NULL;
}

/* Refused before it came here. Its head still counts: the home has told it, and what it sends next
 * follows on it. */
static enum collega_status take_refused(struct batch *batch, struct request *request,
                                        struct collega_error *error) {
  const Collega__Head *head = head_of(request);
  enum collega_status status = COLLEGA_OK;
  bool fits = false;
  if (head && !id_is_zero(&request->home)) status = gate_head(batch, request, head, &fits, error);
  if (!status && fits) status = head_store(batch, request, head, error);
  if (status) return status;
  return answer_refusal(batch, request->session, &request->which, request->refusal, &request->error,
                        error);
}

static enum collega_status take(struct batch *batch, struct request *request,
                                struct collega_error *error) {
  if (request->prepared) return take_refused(batch, request, error);
  switch (request->kind) {
  case REQUEST_JOIN:
    return take_join(batch, request, error);
  case REQUEST_PUBLISH:
    return take_publish(batch, request, error);
  case REQUEST_SEND:
    return take_send(batch, request, error);
  case REQUEST_ACK:
    return take_ack(batch, request, error);
  case REQUEST_DECIDE:
    return take_decide(batch, request, error);
  case REQUEST_INVITE:
    return take_invite(batch, request, error);
  case REQUEST_REVOKE:
    return take_revoke(batch, request, error);
  case REQUEST_LINKED:
    return link_used(batch, &request->home, request->link_key, error);
  }
  return COLLEGA_OK;
}

/* Nothing was stored: everyone is told. Why exactly, which disk and how full, is for the
 * administrator's eyes. If even that cannot be said, the error alone remains. */
static void refuse_all(struct request **requests, size_t count, struct commit_result *result,
                       const struct collega_error *why) {
  struct arena *arena = result->arena;
  struct collega_error full;
  error_set(&full, COLLEGA_FULL, RULE_broker_full, NULL, NULL);
  log_part_drop(&result->log);
  *result = (struct commit_result){.arena = arena};
  result->answers = arena_take(arena, (count ? count : 1) * sizeof *result->answers);
  for (size_t i = 0; result->answers && i < count; i++) {
    bool order = requests[i]->kind == REQUEST_INVITE || requests[i]->kind == REQUEST_REVOKE;
    struct bytes packed = refusal_pack(
        arena, &requests[i]->which, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_FULL, order ? why : &full);
    if (!packed.data) return;
    result->answers[result->answer_count++] =
        (struct answer){.session = requests[i]->session, .packed = packed};
  }
}

enum collega_status commit_batch(struct commit *commit, struct request **requests, size_t count,
                                 collega_time now, struct commit_result *result,
                                 struct collega_error *error) {
  struct collega_error why;
  if (!result_start(result)) return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  error_clear(&why);
  struct batch batch;
  enum collega_status status = batch_start(&batch, commit, now, result, &why);
  for (size_t i = 0; !status && i < count; i++) {
    arena_reset(commit->scratch);
    status = take(&batch, requests[i], &why);
  }
  if (!status) status = batch_finish(&batch, &why);
  store_end(&batch.txn);
  if (!status) return COLLEGA_OK;
  refuse_all(requests, count, result, &why);
  if (error) *error = why;
  return status;
}

/* ---- gates */

enum collega_status refuse_rule(struct batch *batch, const struct request *request,
                                Collega__RefusalCode code, enum rule rule,
                                struct collega_error *error) {
  struct collega_error why;
  error_set(&why, COLLEGA_REFUSED, rule, NULL, NULL);
  return answer_refusal(batch, request->session, &request->which, code, &why, error);
}

enum collega_status gate_member(struct batch *batch, const struct request *request,
                                const struct id *party, struct party_row *row, bool *passed,
                                struct collega_error *error) {
  struct party_row home, other;
  bool found = false;
  *passed = false;
  enum collega_status status = party_row_read(batch->txn, &request->home, &home, &found, error);
  if (status) return status;
  if (!found || !party_row_in_force(&home, batch->now))
    return refuse_rule(batch, request, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_MEMBER,
                       RULE_not_member, error);
  struct party_row *of_party = &home;
  if (!id_equal(party, &request->home)) {
    of_party = &other;
    status = party_row_read(batch->txn, party, &other, &found, error);
    if (status) return status;
    bool hosted = found && id_equal(&other.host, &request->home);
    if (!hosted || !party_row_in_force(&other, batch->now))
      return refuse_rule(batch, request, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_NOT_ALLOWED,
                         hosted ? RULE_not_member : RULE_author_not_hosted, error);
  }
  *passed = true;
  if (row) *row = *of_party;
  return COLLEGA_OK;
}

enum collega_status gate_head(struct batch *batch, const struct request *request,
                              const Collega__Head *head, bool *fits, struct collega_error *error) {
  struct head_row stored;
  bool found = false;
  enum collega_status status = head_row_read(batch->txn, &request->home, &stored, &found, error);
  if (status) return status;
  struct bytes known = bytes_of(stored.hash.byte, ID_BYTES);
  if (!found)
    *fits = !head->has_previous;
  else if (head->has_previous &&
           bytes_equal(bytes_of(head->previous.data, head->previous.len), known))
    *fits = true;
  else
    *fits = bytes_equal(bytes_of(head->hash.data, head->hash.len), known) &&
            head->number == stored.number;
  return COLLEGA_OK;
}

enum collega_status head_store(struct batch *batch, const struct request *request,
                               const Collega__Head *head, struct collega_error *error) {
  struct head_row row = {.number = head->number};
  if (!epoch_from(&row.epoch, head->epoch.data, head->epoch.len) ||
      !id_from(&row.hash, head->hash.data, head->hash.len))
    return COLLEGA_OK; /* the guard has checked both lengths */
  return head_row_write(batch->txn, &request->home, &row, error);
}

enum collega_status refuse_head(struct batch *batch, const struct request *request,
                                struct collega_error *error) {
  return refuse_rule(batch, request, COLLEGA__REFUSAL_CODE__REFUSAL_CODE_HEAD, RULE_head_other,
                     error);
}

/* ---- opening */

/* The broker's own card `number` into the log, and into the state what follows from it. */
static enum collega_status log_own_card(struct batch *batch, uint32_t number,
                                        struct collega_error *error) {
  struct bytes run = identity_card_run(batch->commit->identity, number);
  struct run_view view;
  enum collega_status status =
      run.length ? run_read_bytes(run, batch->arena, &view, error) : COLLEGA_NOT_FOUND;
  if (status || view.count != 1 || !view.records[0].body->card)
    return error_set(error, COLLEGA_DAMAGED, RULE_broker_card_missing, NULL, NULL);
  const Collega__Body *body = view.records[0].body;
  if (number == 0) {
    epoch_from(&batch->state.author_epoch, body->epoch.data, body->epoch.len);
    batch->state.epoch = batch->state.author_epoch;
  }
  bool own = !memcmp(body->epoch.data, batch->state.author_epoch.byte, EPOCH_BYTES);
  if (own && body->seq > batch->state.author_seq) batch->state.author_seq = body->seq;
  const struct record *records[1] = {&view.records[0]};
  struct facet facet = {.type = (uint8_t)body->type, .any = 1};
  struct log_entry entry = {
      .run = run, .records = records, .facets = &facet, .count = 1, .author = view.signer};
  uint64_t seq;
  status = batch_log(batch, &entry, &seq, error);
  struct party_row row;
  bool found;
  if (!status) status = party_row_read(batch->txn, &view.signer, &row, &found, error);
  if (status) return status;
  if (!found) {
    row = (struct party_row){.host = view.signer, .role = COLLEGA__ROLE__ROLE_BROKER};
    memcpy(row.name, batch->state.name, sizeof row.name);
  }
  row.card = view.records[0].id;
  row.card_number = number;
  return party_row_write(batch->txn, &view.signer, &row, error);
}

/* Cards that the identity has and the log has not: the first one, or those of a rotation since. */
static enum collega_status log_own_cards(struct batch *batch, struct collega_error *error) {
  struct party_row row;
  bool found;
  enum collega_status status =
      party_row_read(batch->txn, &batch->state.broker, &row, &found, error);
  uint32_t next = !status && found ? row.card_number + 1 : 0;
  for (; !status && next <= identity_card_number(batch->commit->identity); next++)
    status = log_own_card(batch, next, error);
  return status;
}

/* The number of the epoch that a restored broker opens. Numbers rise, and none may be given twice: not
 * even by a broker that is restored a second time from the same backup, which knows nothing of the
 * epoch that it opened the first time. So the clock gives it: the seconds since 1970, and at least one
 * more than what the backup knows. (docs/decisions/0012-numbers-of-epochs.md) */
static uint32_t next_epoch_number(uint32_t known, collega_time now) {
  int64_t seconds = now / SECOND_MS;
  return seconds > known && seconds <= UINT32_MAX ? (uint32_t)seconds : known + 1;
}

static enum collega_status open_epoch(struct batch *batch, bool first,
                                      struct collega_error *error) {
  struct broker_state *state = &batch->state;
  struct epoch previous = state->epoch;
  uint64_t last_kept = first ? 0 : state->log_seq;
  if (!first) {
    random_fill(state->epoch.byte, EPOCH_BYTES);
    state->author_epoch = state->epoch;
    state->author_seq = 0;
  }
  state->epoch_number = first ? 1 : next_epoch_number(state->epoch_number, batch->now);
  state->restored = false;
  Collega__EpochStart start = COLLEGA__EPOCH_START__INIT;
  start.epoch = (ProtobufCBinaryData){EPOCH_BYTES, state->epoch.byte};
  start.number = state->epoch_number;
  start.has_previous = !first;
  start.previous = (ProtobufCBinaryData){EPOCH_BYTES, previous.byte};
  start.last_kept = last_kept;
  start.time = batch->now;
  Collega__Body body = COLLEGA__BODY__INIT;
  body.type = COLLEGA__BODY_TYPE__BODY_TYPE_EPOCH_START;
  body.epoch_start = &start;
  struct bytes run;
  struct id id;
  uint64_t seq;
  enum collega_status status =
      epoch_write(batch->txn, state->epoch_number, &state->epoch, last_kept, batch->now, error);
  return status ? status : batch_own_record(batch, &body, true, &run, &id, &seq, error);
}

/* Nobody is served in the second that gave the epoch its number: whoever is restored in that same second
 * opens another epoch under the same number, and of this one nobody has heard. */
static void outlast_second(uint32_t number, collega_time opened) {
  const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
  if (opened / SECOND_MS != (int64_t)number) return;
  while (clock_now() / SECOND_MS == (int64_t)number)
    (void)nanosleep(&pause, NULL);
}

/* What must be in the log before anybody is served: the broker's cards, and the start of its
 * epoch. */
static enum collega_status prepare_state(struct batch *batch, const char *name,
                                         struct collega_error *error) {
  struct broker_state *state = &batch->state;
  bool found;
  enum collega_status status = state_read(batch->txn, state, &found, error);
  if (status) return status;
  if (found && !id_equal(&state->broker, &batch->commit->broker))
    return error_set(error, COLLEGA_REFUSED, RULE_store_other_broker, NULL, NULL);
  state->broker = batch->commit->broker;
  size_t length = utf8_cut(name, sizeof state->name - 1);
  memset(state->name, 0, sizeof state->name);
  memcpy(state->name, name, length);
  status = log_own_cards(batch, error);
  if (!status && (!found || state->restored)) status = open_epoch(batch, !found, error);
  return status;
}

enum collega_status commit_open(struct store *store, struct identity *identity, const char *name,
                                struct commit **out, struct collega_error *error) {
  *out = NULL;
  struct commit *commit = calloc(1, sizeof *commit);
  struct commit_result result;
  if (!commit || !result_start(&result)) {
    free(commit);
    return error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  }
  commit->store = store;
  commit->identity = identity;
  commit->broker = *identity_party(identity);
  commit->scratch = arena_new(65536, SCRATCH_ARENA_BYTES);
  struct batch batch = {0};
  enum collega_status status = commit->scratch
                                   ? batch_start(&batch, commit, clock_now(), &result, error)
                                   : error_set(error, COLLEGA_FULL, RULE_out_of_memory, NULL, NULL);
  if (!status) status = prepare_state(&batch, name, error);
  if (!status) status = batch_finish(&batch, error);
  store_end(&batch.txn);
  commit_result_free(&result);
  if (status) {
    commit_close(&commit);
    return status;
  }
  outlast_second(commit->state.epoch_number, batch.now);
  *out = commit;
  return COLLEGA_OK;
}

void commit_close(struct commit **commit) {
  if (!*commit) return;
  arena_destroy(&(*commit)->scratch);
  free(*commit);
  *commit = NULL;
}
