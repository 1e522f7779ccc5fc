/* Just enough reading of a broker's frames to count what came: a load client that unpacked every record would
 * measure itself. */
#ifndef COLLEGA_BENCH_PEEK_H
#define COLLEGA_BENCH_PEEK_H
#include "base/bytes.h"

/* Fields of FromBroker. */
enum answer_kind {
  ANSWER_WELCOME = 1,
  ANSWER_CERT = 2,
  ANSWER_RECEIPTS = 3,
  ANSWER_BOARD = 4,
  ANSWER_MAIL = 6,
  ANSWER_STORED = 7,
  ANSWER_REFUSAL = 9,
  ANSWER_CREDIT = 10,
  ANSWER_PING = 11,
  ANSWER_PONG = 12
};
struct peek {
  enum answer_kind kind;
  uint64_t ping;    /* PING: its number */
  uint64_t through; /* BOARD: the last seq that was read */
  uint32_t records; /* RECEIPTS: record ids; BOARD: records and tombstones, as its credit counts */
};
/* Ends the program when the frame is none, and with the rule when it is a refusal. */
struct peek peek_frame(const void *data, size_t length);
#endif
