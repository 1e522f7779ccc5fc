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

/* What counts follows from the times at which things were said, not from the order in which they came:
 * a restored home finds its own words and the other side's in another one. Only interests after the
 * last refusal count; the second answers the first if it came while that one lasted. */
static void settle(CollegaStore__ThreadRow *row) {
  bool refused = row->has_mine_declined || row->has_theirs_declined;
  collega_time since = row->mine_declined;
  if (row->has_theirs_declined && (!row->has_mine_declined || row->theirs_declined > since))
    since = row->theirs_declined;
  bool mine = row->has_mine && (!refused || row->mine > since);
  bool theirs = row->has_theirs && (!refused || row->theirs > since);
  collega_time apart = row->mine > row->theirs ? row->mine - row->theirs : row->theirs - row->mine;
  row->has_declined = row->declined = refused && !mine && !theirs;
  row->has_answered = row->answered = mine && theirs && apart <= INTEREST_LIFETIME_MS;
  if (row->declined) return;
  row->has_mine = mine; /* somebody has thought better of it: the former interests are over */
  row->has_theirs = theirs;
}

static void keep_later(protobuf_c_boolean *has, int64_t *kept, collega_time time) {
  if (*has && *kept >= time) return;
  *has = true;
  *kept = time;
}

static void show_interest(CollegaStore__ThreadRow *row, bool mine, collega_time time) {
  if (mine)
    keep_later(&row->has_mine, &row->mine, time);
  else
    keep_later(&row->has_theirs, &row->theirs, time);
  settle(row);
}

static void decline(CollegaStore__ThreadRow *row, bool mine, collega_time time) {
  if (mine)
    keep_later(&row->has_mine_declined, &row->mine_declined, time);
  else
    keep_later(&row->has_theirs_declined, &row->theirs_declined, time);
  settle(row);
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
    decline(row, true, apply->event->time);
  status = put_thread(apply, &act->match, row);
  if (status == COLLEGA_OK && act->has_run) status = note_entry(apply, &act->match);
  if (status == COLLEGA_OK && act->has_envelope_hash)
    return apply_send_erased(apply, &act->envelope_hash, NULL);
  return status == COLLEGA_OK && act->has_envelope
             ? apply_send_envelope(apply, field_bytes(&act->envelope))
             : status;
}

/* What came by letter: what the other side said, or a copy of what we did. */
enum collega_status apply_talk_in(struct apply *apply, const Collega__Body *body,
                                  const struct said *said) {
  CollegaStore__ThreadRow *row;
  const ProtobufCBinaryData *thread =
      body->interest ? &body->interest->thread : &body->talk->thread;
  bool held = false;
  enum collega_status status = thread_holds(apply->txn, own_party(apply), field_bytes(thread),
                                            apply->event->record, &held, apply->error);
  /* A broker that was restored is sent its letters again, and brings here what was here. */
  if (status != COLLEGA_OK || held) return status;
  status = open_thread(apply, thread, said->mine ? &said->to : &body->author, &row);
  if (status != COLLEGA_OK) return status;
  if (body->interest && body->interest->declined)
    decline(row, said->mine, said->time);
  else if (body->interest)
    show_interest(row, said->mine, said->time);
  status = put_thread(apply, thread, row);
  return status == COLLEGA_OK ? note_entry(apply, thread) : status;
}
