/* A node behind its socket: frames from a broker are guarded and taken into a ledger that is in the
 * middle of something. Whatever comes, the ledger still verifies, and taking a frame twice changes
 * nothing more than taking it once.
 *
 * Input: scene, home and forgiveness, then frames as pieces. */
#include "client/exchange/exchange.h"
#include "client/ledger/ledger.h"
#include "proto/check.h"
#include "proto/guard.h"
#include "tests/fuzz/stage.h"

#define STEPS_MOST 32

static struct stage stage; /* made once, before the first input */

static uint64_t entries(struct exchange *exchange) {
  struct ledger_txn *txn = NULL;
  struct ledger_head head;
  struct collega_error error;
  fuzz_must(ledger_read(exchange_ledger(exchange), &txn, &error) == COLLEGA_OK);
  fuzz_must(ledger_head(txn, &head, &error) == COLLEGA_OK);
  ledger_abort(&txn);
  return head.number;
}

static void sent(struct bytes packed) {
  struct arena *arena = fuzz_arena();
  struct collega_error error;
  Collega__ToBroker *frame =
      (Collega__ToBroker *)fuzz_unpack(&collega__to_broker__descriptor, packed, arena, &error);
  fuzz_must(frame != NULL && frame_to_broker(frame) != 0);
  arena_destroy(&arena);
}

/* *again: a second time changes nothing. Where the home turns out to be behind, the daemon would
 * hang up, and every time it is told so is told in the ledger. */
static enum collega_status taken(struct exchange *exchange, struct bytes packed,
                                 struct told_head *told, bool *again) {
  struct arena *arena = arena_new(65536, (size_t)64 << 20);
  fuzz_must(arena != NULL);
  struct collega_error error;
  struct intake_outcome outcome = {0};
  error_clear(&error);
  Collega__FromBroker *frame =
      (Collega__FromBroker *)fuzz_unpack(&collega__from_broker__descriptor, packed, arena, &error);
  enum collega_status status = COLLEGA_INVALID;
  if (frame != NULL && frame_from_broker(frame) != 0) {
    status = intake_frame(exchange, frame, packed, stage.now, told, arena, &outcome, &error);
    if (status != COLLEGA_OK) fuzz_check_error(&error);
    *again = !outcome.fenced && !outcome.caught_up;
    if (status == COLLEGA_OK && outcome.frame_due) sent(outcome.frame);
  }
  arena_destroy(&arena);
  return status;
}

/* What waits is packed, signed and may be sent. */
static void outgoing(struct exchange *exchange, struct told_head *told) {
  struct collega_error error;
  uint32_t acts = 0, records = 0;
  uint64_t number = 0;
  error_clear(&error);
  if (exchange_sign(exchange, stage.now, true, &acts, &error) != COLLEGA_OK)
    fuzz_check_error(&error);
  for (uint64_t after = 0, frames = 0; frames < 64; after = number, frames++) {
    struct arena *arena = arena_new(65536, (size_t)64 << 20);
    struct bytes frame = {NULL, 0};
    fuzz_must(arena != NULL);
    fuzz_must(exchange_next_frame(exchange, after, stage.now, told, arena, &frame, &records,
                                  &number, &error) == COLLEGA_OK);
    if (number != 0) sent(frame);
    arena_destroy(&arena);
    if (number == 0) break;
  }
}

/* The chain gives the same tables again. */
static void rebuilds(struct exchange *exchange) {
  struct home home = {.exchange = exchange};
  struct collega_error error;
  uint64_t checked = 0;
  struct id before = world_tables(&home), after;
  fuzz_must(ledger_verify(exchange_ledger(exchange), 1, NULL, NULL, &checked, &error) ==
            COLLEGA_OK);
  fuzz_must(ledger_rebuild(exchange_ledger(exchange), exchange_apply, exchange, &error) ==
            COLLEGA_OK);
  after = world_tables(&home);
  fuzz_must(id_equal(&before, &after));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  if (stage.broker == NULL) stage_make(&stage, NULL, NULL);
  struct fuzz_input input = fuzz_begin(data, length);
  uint8_t how = fuzz_byte(&input);
  struct collega_error error;
  struct exchange *exchange = NULL;
  struct told_head told = {0};
  const char *home =
      stage_copy(&stage, (enum scene)(how % SCENES), how >> 2 & 1 ? "home1" : "home0");
  fuzz_must(exchange_open(home, &exchange, &error) == COLLEGA_OK);
  fuzz_forgive(how >> 4 & 1);
  for (int steps = 0; input.length > 0 && steps < STEPS_MOST; steps++) {
    struct bytes packed = fuzz_piece(&input);
    bool again = false;
    if (taken(exchange, packed, &told, &again) != COLLEGA_OK || !again) continue;
    struct told_head before = told;
    uint64_t count = entries(exchange);
    fuzz_must(taken(exchange, packed, &told, &again) == COLLEGA_OK);
    fuzz_must(entries(exchange) == count);
    told = before;
  }
  if (how >> 3 & 1) outgoing(exchange, &told);
  rebuilds(exchange);
  exchange_close(&exchange);
  return 0;
}
