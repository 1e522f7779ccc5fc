/* Interest and talk: sealed mail about two offers or about a deal, which binds nobody. A command signs
 * and seals it in the transaction that stores it; the daemon only carries it. */
#include "client/exchange/talk.h"

#include <stdlib.h>
#include <string.h>

#include "client/exchange/deal_rows.h"
#include "proto/guard.h"

void thread_key(uint8_t key[THREAD_KEY_BYTES], struct bytes party, struct bytes thread,
                uint64_t number) {
  memcpy(key, party.data, ID_BYTES);
  memcpy(key + ID_BYTES, thread.data, ID_BYTES);
  put_be64(key + 2 * ID_BYTES, number);
}

enum collega_status thread_row(struct ledger_txn *txn, struct bytes party, struct bytes thread,
                               struct arena *arena, CollegaStore__ThreadRow **out,
                               struct collega_error *error) {
  uint8_t key[THREAD_KEY_BYTES];
  ProtobufCMessage *message = NULL;
  thread_key(key, party, thread, 0);
  enum collega_status status =
      row_get(txn, TABLE_THREADS, bytes_of(key, sizeof key), &collega_store__thread_row__descriptor,
              arena, &message, error);
  *out = (CollegaStore__ThreadRow *)message;
  return status;
}

struct thread_search {
  struct ledger_txn *txn;
  struct arena *arena;
  const struct id *envelope;
  bool found;
};

/* An entry of our own words names the thread; the envelope is inside. */
static bool says_by(const struct thread_search *search, const struct ledger_event *event) {
  struct id hash;
  if (event->kind != COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MATCH_ACT || !event->payload.data)
    return event->record && id_equal(event->record, search->envelope);
  const CollegaStore__MatchAct *act = (const CollegaStore__MatchAct *)row_unpack(
      &collega_store__match_act__descriptor, event->payload, search->arena);
  if (act && act->has_envelope_hash &&
      id_from(&hash, act->envelope_hash.data, act->envelope_hash.len))
    return id_equal(&hash, search->envelope);
  if (!act || !act->has_envelope) return false;
  envelope_hash(&hash, field_bytes(&act->envelope));
  return id_equal(&hash, search->envelope);
}

static bool visit_thread(void *context, struct bytes key, struct bytes value) {
  struct thread_search *search = context;
  struct ledger_event event;
  if (key.length != THREAD_KEY_BYTES || value.length != 8 || get_be64(key.data + 2 * ID_BYTES) == 0)
    return true;
  arena_reset(search->arena);
  search->found =
      ledger_entry(search->txn, get_be64(value.data), search->arena, &event, NULL) == COLLEGA_OK &&
      says_by(search, &event);
  return !search->found;
}

enum collega_status thread_holds(struct ledger_txn *txn, struct bytes party, struct bytes thread,
                                 const struct id *envelope, bool *out,
                                 struct collega_error *error) {
  struct thread_search search = {.txn = txn, .envelope = envelope};
  uint8_t prefix[THREAD_KEY_BYTES];
  *out = false;
  if (!envelope || thread.length != ID_BYTES) return COLLEGA_OK;
  search.arena = exchange_arena();
  if (!search.arena) return exchange_no_memory(error);
  thread_key(prefix, party, thread, 0);
  enum collega_status status = table_each(txn, TABLE_THREADS, bytes_of(prefix, 2 * ID_BYTES), NULL,
                                          visit_thread, &search, error);
  arena_destroy(&search.arena);
  *out = search.found;
  return status;
}

enum collega_status mail_sealed(const CollegaStore__MailIn *mail, collega_time latest,
                                struct arena *arena, collega_time *at, ProtobufCBinaryData *to,
                                struct collega_error *error) {
  const Collega__Envelope *envelope;
  *at = mail->sealed;
  *to = mail->to;
  if (mail->envelope.len > 0) {
    enum collega_status status =
        envelope_read(field_bytes(&mail->envelope), arena, &envelope, error);
    if (status != COLLEGA_OK) return status;
    *at = envelope->not_after - MAIL_LIFETIME_MS;
    *to = envelope->to;
  }
  if (*at > latest) *at = latest;
  return COLLEGA_OK;
}

/* ---- with whom, and how it stands */

struct root_search {
  const struct id *thread;
  struct arena *arena;
  struct id deal;
  bool found;
};

static bool visit_root(void *context, struct bytes key, struct bytes value) {
  struct root_search *search = context;
  (void)key;
  const CollegaStore__RootRow *row = (const CollegaStore__RootRow *)row_unpack(
      &collega_store__root_row__descriptor, value, search->arena);
  search->found = row && row->has_thread && field_is(&row->thread, search->thread) &&
                  row->n_deals > 0 && id_from(&search->deal, row->deals[0].data, row->deals[0].len);
  return !search->found;
}

enum collega_status talk_counterparty(struct ledger_txn *txn, const struct id *party,
                                      const struct id *thread, struct arena *arena,
                                      struct id *counterparty, struct collega_error *error) {
  CollegaStore__ThreadRow *row;
  enum collega_status status =
      thread_row(txn, id_bytes(party), id_bytes(thread), arena, &row, error);
  if (status == COLLEGA_OK)
    return id_from(counterparty, row->counterparty.data, row->counterparty.len)
               ? COLLEGA_OK
               : exchange_row_damaged(error, "threads");
  if (status != COLLEGA_NOT_FOUND) return status;
  struct root_search search = {.thread = thread, .arena = arena};
  status = table_each(txn, TABLE_ROOTS, id_bytes(party), NULL, visit_root, &search, error);
  if (status != COLLEGA_OK) return status;
  if (!search.found) return COLLEGA_NOT_FOUND;
  CollegaStore__DealRow *deal;
  status = deal_row(txn, party, id_bytes(&search.deal), arena, &deal, error);
  if (status == COLLEGA_NOT_FOUND ||
      (status == COLLEGA_OK &&
       !id_from(counterparty, deal->counterparty.data, deal->counterparty.len)))
    return exchange_row_damaged(error, "roots");
  return status;
}

enum collega_status match_state(struct ledger_txn *txn, const struct id *party,
                                const struct id *match, collega_time now, struct arena *arena,
                                const char **state, bool *mine, struct collega_error *error) {
  CollegaStore__ThreadRow *row;
  *state = "suggested";
  *mine = false;
  enum collega_status status =
      thread_row(txn, id_bytes(party), id_bytes(match), arena, &row, error);
  if (status != COLLEGA_OK) return status == COLLEGA_NOT_FOUND ? COLLEGA_OK : status;
  collega_time last = row->has_mine ? row->mine : 0;
  if (row->has_theirs && row->theirs > last) last = row->theirs;
  *mine = row->has_mine;
  if (row->declined)
    *state = TALK_DECLINED;
  else if (row->answered)
    *state = "answered";
  else if (row->has_mine || row->has_theirs)
    *state = now - last > INTEREST_LIFETIME_MS ? "lapsed" : TALK_INTERESTED;
  return COLLEGA_OK;
}

/* ---- saying something */

struct saying {
  struct exchange *exchange;
  struct ledger_txn *txn;
  const struct id *party, *thread;
  collega_time now;
  struct arena *arena;
  struct id counterparty;
  struct id *envelope;
  struct collega_error *error;
};

/* `body` NULL: nobody else is told. */
static enum collega_status append(struct saying *saying, const char *state, Collega__Body *body) {
  CollegaStore__MatchAct act = COLLEGA_STORE__MATCH_ACT__INIT;
  struct ledger_event event = {.time = saying->now,
                               .kind = COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MATCH_ACT,
                               .party = saying->party,
                               .record = saying->thread,
                               .counterpart = &saying->counterparty};
  enum collega_status status = COLLEGA_OK;
  field_set_id(&act.match, saying->thread);
  act.state = (char *)(uintptr_t)state;
  act.has_counterpart = true;
  field_set_id(&act.counterpart, &saying->counterparty);
  if (body) {
    struct bytes packed, packed_run, envelope;
    struct id id;
    Collega__Run *run;
    const struct identity *identity = exchange_identity(saying->exchange, saying->party);
    status = body_finish(body, saying->arena, &packed, &id, saying->error);
    if (status == COLLEGA_OK)
      status = run_sign(identity, &packed, 1, saying->arena, &run, saying->error);
    if (status == COLLEGA_OK)
      status = exchange_pack(saying->arena, &run->base, &packed_run, saying->error);
    if (status == COLLEGA_OK)
      status =
          exchange_seal(saying->exchange, saying->txn, saying->party, &saying->counterparty, &run,
                        1, NULL, true, saying->now, saying->arena, &envelope, saying->error);
    if (status != COLLEGA_OK) return status;
    act.has_run = act.has_envelope = true;
    field_set(&act.run, packed_run.data, packed_run.length);
    field_set(&act.envelope, envelope.data, envelope.length);
    envelope_hash(saying->envelope, envelope);
  }
  status = exchange_pack(saying->arena, &act.base, &event.payload, saying->error);
  return status == COLLEGA_OK
             ? exchange_append(saying->exchange, saying->txn, &event, saying->error)
             : status;
}

static enum collega_status own_body(struct saying *saying, Collega__BodyType type,
                                    Collega__Body **body) {
  enum collega_status status = exchange_own_body(saying->exchange, saying->txn, saying->party,
                                                 saying->arena, body, saying->error);
  if (status == COLLEGA_OK) (*body)->type = type;
  return status;
}

static enum collega_status reference(struct saying *saying, const ProtobufCBinaryData *offer,
                                     Collega__OfferRef *out, CollegaStore__OfferRow **row) {
  enum collega_status status =
      offer_row(saying->txn, field_bytes(offer), saying->arena, row, saying->error);
  if (status == COLLEGA_NOT_FOUND)
    return error_set(saying->error, COLLEGA_NOT_FOUND, RULE_offer_unknown, NULL, NULL);
  if (status != COLLEGA_OK) return status;
  collega__offer_ref__init(out);
  out->has_offer = out->has_content = true;
  out->offer = (*row)->offer;
  out->content = (*row)->content;
  return COLLEGA_OK;
}

/* What the match is between; COLLEGA_NOT_FOUND match_unknown. */
static enum collega_status open_match(struct saying *saying, Collega__OfferRef *mine,
                                      Collega__OfferRef *yours) {
  uint8_t key[2 * ID_BYTES];
  ProtobufCMessage *message;
  CollegaStore__OfferRow *own = NULL, *other = NULL;
  memcpy(key, saying->party->byte, ID_BYTES);
  memcpy(key + ID_BYTES, saying->thread->byte, ID_BYTES);
  enum collega_status status =
      row_get(saying->txn, TABLE_MATCHES, bytes_of(key, sizeof key),
              &collega_store__match_row__descriptor, saying->arena, &message, saying->error);
  if (status == COLLEGA_NOT_FOUND)
    return error_set(saying->error, COLLEGA_NOT_FOUND, RULE_match_unknown, NULL, NULL);
  if (status != COLLEGA_OK) return status;
  const CollegaStore__MatchRow *match = (const CollegaStore__MatchRow *)message;
  status = reference(saying, &match->mine, mine, &own);
  if (status == COLLEGA_OK) status = reference(saying, &match->counter, yours, &other);
  if (status == COLLEGA_OK &&
      !id_from(&saying->counterparty, other->author.data, other->author.len))
    return exchange_row_damaged(saying->error, "offers");
  return status;
}

/* Said already, and it still counts. */
static enum collega_status said_before(struct saying *saying, CollegaStore__ThreadRow **row) {
  enum collega_status status =
      thread_row(saying->txn, id_bytes(saying->party), id_bytes(saying->thread), saying->arena, row,
                 saying->error);
  if (status != COLLEGA_NOT_FOUND) return status;
  *row = NULL;
  return COLLEGA_OK;
}

static enum collega_status say_interest(struct saying *saying, const char *text, bool declined) {
  Collega__Interest content = COLLEGA__INTEREST__INIT;
  Collega__OfferRef mine, yours;
  Collega__Body *body = NULL;
  CollegaStore__ThreadRow *row;
  enum collega_status status = open_match(saying, &mine, &yours);
  if (status == COLLEGA_OK) status = said_before(saying, &row);
  if (status != COLLEGA_OK) return status;
  if (declined && row && row->declined) return COLLEGA_OK;
  /* Nobody waits for an answer: that is our own business. */
  if (declined && !(row && (row->has_mine || row->has_theirs)))
    return append(saying, TALK_DECLINED, NULL);
  if (!declined && !text && row && row->has_mine && !row->declined &&
      (row->answered || saying->now - row->mine <= INTEREST_LIFETIME_MS))
    return COLLEGA_OK;
  status = own_body(saying, COLLEGA__BODY_TYPE__BODY_TYPE_INTEREST, &body);
  if (status != COLLEGA_OK) return status;
  field_set_id(&content.thread, saying->thread);
  content.mine = &mine;
  content.yours = &yours;
  content.text = (char *)(uintptr_t)text;
  content.has_declined = content.declined = declined;
  body->interest = &content;
  return append(saying, declined ? TALK_DECLINED : TALK_INTERESTED, body);
}

static enum collega_status say_talk(struct saying *saying, const char *text,
                                    const Collega__Terms *draft) {
  Collega__Talk content = COLLEGA__TALK__INIT;
  Collega__OfferRef mine, yours;
  Collega__Body *body = NULL;
  enum collega_status status =
      talk_counterparty(saying->txn, saying->party, saying->thread, saying->arena,
                        &saying->counterparty, saying->error);
  if (status == COLLEGA_NOT_FOUND) {
    status = open_match(saying, &mine, &yours);
    return status == COLLEGA_OK
               ? error_set(saying->error, COLLEGA_REFUSED, RULE_talk_not_open, NULL, NULL)
               : status;
  }
  if (status == COLLEGA_OK) status = own_body(saying, COLLEGA__BODY_TYPE__BODY_TYPE_TALK, &body);
  if (status != COLLEGA_OK) return status;
  field_set_id(&content.thread, saying->thread);
  content.text = (char *)(uintptr_t)text;
  content.draft = (Collega__Terms *)(uintptr_t)draft;
  body->talk = &content;
  return append(saying, TALK_TALK, body);
}

static enum collega_status begin(struct saying *saying) {
  memset(saying->envelope, 0, sizeof *saying->envelope);
  if (!exchange_identity(saying->exchange, saying->party))
    return error_set(saying->error, COLLEGA_NOT_FOUND, RULE_party_not_ours, NULL, NULL);
  saying->arena = exchange_arena();
  if (!saying->arena) return exchange_no_memory(saying->error);
  return exchange_begin(saying->exchange, &saying->txn, saying->error);
}

static enum collega_status interest(struct saying *saying, const char *text, bool declined) {
  enum collega_status status = begin(saying);
  if (status == COLLEGA_OK)
    status = exchange_end(saying->exchange, &saying->txn, say_interest(saying, text, declined),
                          saying->error);
  arena_destroy(&saying->arena);
  return status;
}

enum collega_status match_interest(struct exchange *exchange, const struct id *party,
                                   const struct id *match, const char *text, collega_time now,
                                   struct id *envelope, struct collega_error *error) {
  struct saying saying = {.exchange = exchange,
                          .party = party,
                          .thread = match,
                          .now = now,
                          .envelope = envelope,
                          .error = error};
  return interest(&saying, text, false);
}

enum collega_status match_decline(struct exchange *exchange, const struct id *party,
                                  const struct id *match, collega_time now, struct id *envelope,
                                  struct collega_error *error) {
  struct saying saying = {.exchange = exchange,
                          .party = party,
                          .thread = match,
                          .now = now,
                          .envelope = envelope,
                          .error = error};
  return interest(&saying, NULL, true);
}

enum collega_status talk_send(struct exchange *exchange, const struct id *party,
                              const struct id *thread, const char *text,
                              const Collega__Terms *draft, collega_time now, struct id *envelope,
                              struct collega_error *error) {
  struct saying saying = {.exchange = exchange,
                          .party = party,
                          .thread = thread,
                          .now = now,
                          .envelope = envelope,
                          .error = error};
  enum collega_status status = begin(&saying);
  if (status == COLLEGA_OK)
    status = exchange_end(exchange, &saying.txn, say_talk(&saying, text, draft), error);
  arena_destroy(&saying.arena);
  return status;
}

/* ---- reading it back */

struct listening {
  struct ledger_txn *txn;
  const struct id *party, *thread;
  struct arena *arena;
  struct talk_line *lines;
  size_t count, capacity;
  bool erased; /* of the entry at hand */
  enum collega_status status;
  struct collega_error *error;
};

static bool keep_line(struct listening *listening, const struct talk_line *line) {
  if (listening->count == listening->capacity) {
    size_t capacity = listening->capacity ? 2 * listening->capacity : 64;
    struct talk_line *grown = realloc(listening->lines, capacity * sizeof *grown);
    if (!grown) listening->status = exchange_no_memory(listening->error);
    if (!grown) return false;
    listening->lines = grown;
    listening->capacity = capacity;
  }
  listening->lines[listening->count++] = *line;
  return true;
}

/* False: stop. */
static bool tell_run(struct listening *listening, const Collega__Run *run, collega_time time) {
  struct run_view view;
  listening->status = run_read(run, listening->arena, &view, listening->error);
  if (listening->status != COLLEGA_OK) return false;
  const Collega__Body *body = view.records[0].body;
  struct talk_line line = {time, id_equal(&view.signer, listening->party), body->interest,
                           body->talk, listening->erased};
  const ProtobufCBinaryData *thread = body->interest ? &body->interest->thread
                                      : body->talk   ? &body->talk->thread
                                                     : NULL;
  if (!thread || !field_is(thread, listening->thread)) return true;
  return keep_line(listening, &line);
}

static bool tell_mail(struct listening *listening, const CollegaStore__MailIn *mail,
                      collega_time time) {
  ProtobufCBinaryData to;
  const Collega__Letter *letter = (const Collega__Letter *)row_unpack(
      &collega__letter__descriptor, field_bytes(&mail->letter), listening->arena);
  if (!letter) listening->status = exchange_row_damaged(listening->error, "mail");
  if (mail->own_copy || mail->fetched) {
    listening->status = mail_sealed(mail, time, listening->arena, &time, &to, listening->error);
    if (listening->status != COLLEGA_OK) return false;
  }
  for (size_t i = 0; letter && i < letter->n_runs; i++)
    if (!tell_run(listening, letter->runs[i], time)) return false;
  return letter != NULL;
}

static bool tell_entry(struct listening *listening, const struct ledger_event *event) {
  if (event->erased || !event->payload.data) return true;
  if (event->kind == COLLEGA_STORE__ENTRY_KIND__ENTRY_KIND_MATCH_ACT) {
    const CollegaStore__MatchAct *act = (const CollegaStore__MatchAct *)row_unpack(
        &collega_store__match_act__descriptor, event->payload, listening->arena);
    if (!act || !act->has_run) return act != NULL;
    const Collega__Run *run = (const Collega__Run *)row_unpack(
        &collega__run__descriptor, field_bytes(&act->run), listening->arena);
    return run && tell_run(listening, run, event->time);
  }
  const CollegaStore__MailIn *mail = (const CollegaStore__MailIn *)row_unpack(
      &collega_store__mail_in__descriptor, event->payload, listening->arena);
  if (!mail || !mail->has_letter) return mail != NULL;
  return tell_mail(listening, mail, event->time);
}

static bool visit_entry(void *context, struct bytes key, struct bytes value) {
  struct listening *listening = context;
  struct ledger_event event;
  if (key.length != THREAD_KEY_BYTES || get_be64(key.data + 2 * ID_BYTES) == 0) return true;
  (void)value;
  listening->status = ledger_entry(listening->txn, get_be64(key.data + 2 * ID_BYTES),
                                   listening->arena, &event, listening->error);
  listening->erased = event.reduced;
  return listening->status == COLLEGA_OK && tell_entry(listening, &event);
}

/* In the order in which it was said: a restored home finds its own words first, and then the other
 * side's. Where times are equal the order of the chain stays. */
static void sort_lines(struct talk_line *lines, size_t count) {
  for (size_t i = 1; i < count; i++) {
    struct talk_line line = lines[i];
    size_t at = i;
    for (; at > 0 && line.time < lines[at - 1].time; at--)
      lines[at] = lines[at - 1];
    lines[at] = line;
  }
}

enum collega_status talk_each(struct ledger_txn *txn, const struct id *party,
                              const struct id *thread, struct arena *arena,
                              bool (*visit)(void *context, const struct talk_line *line),
                              void *context, struct collega_error *error) {
  struct listening listening = {
      .txn = txn, .party = party, .thread = thread, .arena = arena, .error = error};
  uint8_t prefix[THREAD_KEY_BYTES];
  thread_key(prefix, id_bytes(party), id_bytes(thread), 0);
  enum collega_status status = table_each(txn, TABLE_THREADS, bytes_of(prefix, 2 * ID_BYTES), NULL,
                                          visit_entry, &listening, error);
  if (status == COLLEGA_OK) status = listening.status;
  sort_lines(listening.lines, listening.count);
  for (size_t i = 0; status == COLLEGA_OK && i < listening.count; i++)
    if (!visit(context, &listening.lines[i])) break;
  free(listening.lines);
  return status;
}
