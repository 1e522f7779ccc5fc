/* Counting fields of protobuf messages without unpacking them. The field numbers are those of link.proto and
 * record.proto. */
#include "tests/bench/peek.h"

#include <string.h>

#include "proto/link.pb-c.h"
#include "tests/bench/measure.h"

enum {
  RECEIPTS_IDS = 2,
  BOARD_THROUGH = 4,
  BOARD_RUNS = 5,
  BOARD_TOMBSTONES = 6,
  BOARD_RUN_RUN = 1,
  RUN_BODIES = 7
};

struct cursor {
  const uint8_t *at, *end;
};
struct field {
  uint64_t number, value;
  struct cursor content;
};

static uint64_t varint(struct cursor *cursor) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    NEED(cursor->at < cursor->end);
    uint8_t byte = *cursor->at++;
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  give_up("a number of more than ten bytes");
}

static bool next(struct cursor *cursor, struct field *field) {
  if (cursor->at == cursor->end) return false;
  uint64_t tag = varint(cursor);
  field->number = tag >> 3;
  field->value = varint(cursor);
  field->content = (struct cursor){cursor->at, cursor->at};
  if ((tag & 7) == 2) {
    NEED(field->value <= (uint64_t)(cursor->end - cursor->at));
    cursor->at += field->value;
    field->content.end = cursor->at;
  }
  return true;
}

static uint32_t count_of(struct cursor cursor, uint64_t number) {
  struct field field;
  uint32_t count = 0;
  while (next(&cursor, &field))
    count += field.number == number;
  return count;
}

static void peek_board(struct cursor cursor, struct peek *peek) {
  struct field field, inner;
  while (next(&cursor, &field)) {
    if (field.number == BOARD_THROUGH) peek->through = field.value;
    if (field.number == BOARD_TOMBSTONES) peek->records++;
    if (field.number != BOARD_RUNS) continue;
    while (next(&field.content, &inner))
      if (inner.number == BOARD_RUN_RUN) peek->records += count_of(inner.content, RUN_BODIES);
  }
}

static noreturn void refused(const void *data, size_t length) {
  Collega__FromBroker *frame = collega__from_broker__unpack(NULL, length, data);
  NEED(frame != NULL && frame->refusal != NULL);
  give_up("refused: %s %s", frame->refusal->rule,
          frame->refusal->field ? frame->refusal->field : "");
}

struct peek peek_frame(const void *data, size_t length) {
  struct cursor cursor = {data, (const uint8_t *)data + length};
  struct field field;
  NEED(next(&cursor, &field));
  struct peek peek = {.kind = (enum answer_kind)field.number};
  if (field.number == ANSWER_REFUSAL) refused(data, length);
  if (field.number == ANSWER_RECEIPTS) peek.records = count_of(field.content, RECEIPTS_IDS);
  if (field.number == ANSWER_BOARD) peek_board(field.content, &peek);
  if (field.number == ANSWER_PING && next(&field.content, &field)) peek.ping = field.value;
  return peek;
}
