/* Interest and talk as the ledger's rows see them: who showed interest when, and which entries belong
 * to a talk. */
#include "client/exchange/talk.h"

#include <string.h>

#include "proto/guard.h"

static struct bytes own_party(const struct apply *apply) {
  return id_bytes(&apply->party);
}

/* The thread's entries in the order in which they came: numbered by the chain. */
static enum collega_status note_entry(struct apply *apply, const ProtobufCBinaryData *thread) {
  uint8_t key[THREAD_KEY_BYTES], value[8];
  thread_key(key, own_party(apply), field_bytes(thread), apply->event->number);
  put_be64(value, apply->event->number);
  return table_put(apply->txn, TABLE_THREADS, bytes_of(key, sizeof key),
                   bytes_of(value, sizeof value), apply->error);
}

/* The row as it is, or a new one with this counterparty. */
static enum collega_status open_thread(struct apply *apply, const ProtobufCBinaryData *thread,
                                       const ProtobufCBinaryData *counterparty,
                                       CollegaStore__ThreadRow **out) {
  if (thread->len != ID_BYTES) return exchange_row_damaged(apply->error, "threads");
  enum collega_status status = thread_row(apply->txn, own_party(apply), field_bytes(thread),
                                          apply->arena, out, apply->error);
  if (status != COLLEGA_NOT_FOUND) return status;
  *out = arena_take(apply->arena, sizeof **out);
  if (!*out) return exchange_no_memory(apply->error);
  collega_store__thread_row__init(*out);
  (*out)->counterparty = *counterparty;
  return COLLEGA_OK;
}

static enum collega_status put_thread(struct apply *apply, const ProtobufCBinaryData *thread,
                                      const CollegaStore__ThreadRow *row) {
  uint8_t key[THREAD_KEY_BYTES];
  thread_key(key, own_party(apply), field_bytes(thread), 0);
  return row_put(apply->txn, TABLE_THREADS, bytes_of(key, sizeof key), &row->base, apply->error);
}

/* The second interest answers the first if it comes while that one lasts. */
static void show_interest(CollegaStore__ThreadRow *row, bool mine, collega_time time) {
  bool other = mine ? row->has_theirs : row->has_mine;
  collega_time since = mine ? row->theirs : row->mine;
  if (!row->declined && other && time - since <= INTEREST_LASTS_MS)
    row->has_answered = row->answered = true;
  if (mine) {
    row->has_mine = true;
    row->mine = time;
  } else {
    row->has_theirs = true;
    row->theirs = time;
  }
  if (row->declined) { /* somebody has thought better of it: the former interests are over */
    row->has_declined = row->declined = false;
    if (mine)
      row->has_theirs = false;
    else
      row->has_mine = false;
  }
}

static void decline(CollegaStore__ThreadRow *row) {
  row->has_declined = row->declined = true;
  row->has_answered = row->answered = false;
}

/* What we said. */
enum collega_status apply_match_act(struct apply *apply) {
  ProtobufCMessage *message;
  CollegaStore__ThreadRow *row;
  enum collega_status status =
      apply_payload(apply, &collega_store__match_act__descriptor, &message);
  if (status != COLLEGA_OK) return status;
  const CollegaStore__MatchAct *act = (const CollegaStore__MatchAct *)message;
  status = open_thread(apply, &act->match, &act->counterpart, &row);
  if (status != COLLEGA_OK) return status;
  if (strcmp(act->state, TALK_INTERESTED) == 0)
    show_interest(row, true, apply->event->time);
  else if (strcmp(act->state, TALK_DECLINED) == 0)
    decline(row);
  status = put_thread(apply, &act->match, row);
  if (status == COLLEGA_OK && act->has_run) status = note_entry(apply, &act->match);
  return status == COLLEGA_OK && act->has_envelope
             ? apply_send_envelope(apply, field_bytes(&act->envelope))
             : status;
}

/* What the other side said. */
enum collega_status apply_talk_in(struct apply *apply, const Collega__Body *body) {
  CollegaStore__ThreadRow *row;
  const ProtobufCBinaryData *thread =
      body->interest ? &body->interest->thread : &body->talk->thread;
  enum collega_status status = open_thread(apply, thread, &body->author, &row);
  if (status != COLLEGA_OK) return status;
  if (body->interest && body->interest->declined)
    decline(row);
  else if (body->interest)
    show_interest(row, false, apply->event->time);
  status = put_thread(apply, thread, row);
  return status == COLLEGA_OK ? note_entry(apply, thread) : status;
}
