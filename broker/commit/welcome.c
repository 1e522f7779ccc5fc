/* Welcome: who the broker is, where it stands, what it has seen of this home. */
#include <string.h>

#include "broker/commit/commit.h"
#include "broker/store/log_rows.h"
#include "broker/store/member_rows.h"
#include "proto/guard.h"
#include "proto/limits.h"

#define CARDS_MOST 16u /* in the schema */

static ProtobufCBinaryData field_of(const void *data, size_t length) {
  return (ProtobufCBinaryData){length, (uint8_t *)(uintptr_t)data};
}

struct cards {
  struct arena *arena;
  Collega__Run *runs[CARDS_MOST];
  size_t count;
};

/* The newest of them, ascending: a first card is always wanted, so the second makes room for the
 * rest. */
static enum collega_status add_card(void *context, const struct member_record *record,
                                    struct collega_error *error) {
  struct cards *cards = context;
  struct run_view view;
  enum collega_status status = run_read_bytes(record->run, cards->arena, &view, error);
  if (status || record->index >= view.count || !view.records[record->index].body->card)
    return status;
  if (cards->count == CARDS_MOST) {
    memmove(&cards->runs[1], &cards->runs[2], (CARDS_MOST - 2) * sizeof cards->runs[0]);
    cards->count--;
  }
  cards->runs[cards->count++] = (Collega__Run *)(uintptr_t)view.run;
  return COLLEGA_OK;
}

static void limits_fill(Collega__Limits *limits) {
  collega__limits__init(limits);
  limits->frame_bytes = LIMIT_FRAME_BYTES;
  limits->body_bytes = LIMIT_BODY_BYTES;
  limits->mail_bytes = LIMIT_MAIL_BYTES;
  limits->run_records = LIMIT_RUN_RECORDS;
  limits->filters = LIMIT_FILTERS;
  limits->mail_days = (uint32_t)(MAIL_LIFETIME_MS / DAY_MS);
  limits->mailbox_bytes = MAILBOX_BYTES;
  limits->mailbox_bytes_per_sender = MAILBOX_SENDER_BYTES;
}

enum collega_status welcome_read(struct store_txn *txn, const struct id *home, bool member,
                                 collega_time now, struct arena *arena, struct bytes *frame,
                                 struct collega_error *error) {
  struct broker_state state;
  struct head_row head;
  struct cards cards = {.arena = arena};
  bool found = false, seen = false;
  enum collega_status status = state_read(txn, &state, &found, error);
  if (!status && !found)
    return error_set(error, COLLEGA_DAMAGED, RULE_disk_corrupt, NULL, "state", "row", NULL);
  if (!status)
    status = member_records_walk(txn, &state.broker, &state.broker, add_card, &cards, error);
  if (!status && member) status = head_row_read(txn, home, &head, &seen, error);
  if (status) return status;

  Collega__Limits limits;
  Collega__Credit credit = COLLEGA__CREDIT__INIT;
  Collega__Head told = COLLEGA__HEAD__INIT;
  Collega__Welcome welcome = COLLEGA__WELCOME__INIT;
  limits_fill(&limits);
  credit.records = CREDIT_RECORDS;
  credit.bytes = CREDIT_BYTES;
  welcome.version = PROTOCOL_VERSION;
  welcome.n_cards = cards.count;
  welcome.cards = cards.runs;
  welcome.time = now;
  welcome.limits = &limits;
  welcome.epoch = field_of(state.epoch.byte, EPOCH_BYTES);
  welcome.epoch_number = state.epoch_number;
  welcome.log_seq = state.log_seq;
  welcome.name = state.name;
  welcome.credit = &credit;
  welcome.member = member;
  if (seen) {
    told.epoch = field_of(head.epoch.byte, EPOCH_BYTES);
    told.number = head.number;
    told.hash = field_of(head.hash.byte, ID_BYTES);
    welcome.seen = &told;
  }
  Collega__FromBroker from = COLLEGA__FROM_BROKER__INIT;
  from.welcome = &welcome;
  *frame = message_pack(&from.base, arena);
  return frame->data ? COLLEGA_OK : error_set(error, COLLEGA_FULL, RULE_arena_full, NULL, NULL);
}
