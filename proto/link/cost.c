/* What frames cost, and credit.
 *
 * Only what makes the other side store, verify or read something costs: a Publish, a Send, a Board,
 * a Mail, and the requests. Answers and keep-alives are free, so that a session without credit can
 * still say that it is alive and give credit back. */
#include "proto/link/credit.h"

/* One Credit frame cannot say more (link.proto); a peer that gives credit for ever stops here. */
#define CREDIT_MOST_RECORDS INT64_C(1000000)
#define CREDIT_MOST_BYTES   INT64_C(1073741824)

static uint32_t sum(uint32_t records, size_t more) {
  return more > UINT32_MAX - records ? UINT32_MAX : records + (uint32_t)more;
}

/* Field number and cost go together: the first field that is set (the check lets only one be). */
struct frame_cost cost_to_broker(const Collega__ToBroker *frame, size_t bytes) {
  if (frame->hello != NULL) return (struct frame_cost){1, 0, 0};
  if (frame->join != NULL) return (struct frame_cost){2, 0, bytes};
  if (frame->publish != NULL)
    return (struct frame_cost){3, sum(0, frame->publish->run->n_bodies), bytes};
  if (frame->follow != NULL) return (struct frame_cost){4, 0, bytes};
  if (frame->send != NULL) return (struct frame_cost){5, 1, bytes};
  if (frame->ack != NULL) return (struct frame_cost){6, 0, bytes};
  if (frame->decide != NULL) return (struct frame_cost){7, 0, bytes};
  if (frame->fetch != NULL) return (struct frame_cost){8, 0, bytes};
  if (frame->credit != NULL) return (struct frame_cost){9, 0, 0};
  if (frame->ping != NULL) return (struct frame_cost){10, 0, 0};
  if (frame->pong != NULL) return (struct frame_cost){11, 0, 0};
  return (struct frame_cost){0, 0, bytes};
}

static uint32_t board_records(const Collega__Board *board) {
  uint32_t records = sum(0, board->n_tombstones);
  for (size_t i = 0; i < board->n_runs; i++)
    records = sum(records, board->runs[i]->run->n_bodies);
  return records;
}

struct frame_cost cost_from_broker(const Collega__FromBroker *frame, size_t bytes) {
  if (frame->welcome != NULL) return (struct frame_cost){1, 0, 0};
  if (frame->cert != NULL) return (struct frame_cost){2, 0, 0};
  if (frame->receipts != NULL) return (struct frame_cost){3, 0, 0};
  if (frame->board != NULL) return (struct frame_cost){4, board_records(frame->board), bytes};
  if (frame->reset != NULL) return (struct frame_cost){5, 0, bytes};
  if (frame->mail != NULL) return (struct frame_cost){6, sum(0, frame->mail->n_items), bytes};
  if (frame->stored != NULL) return (struct frame_cost){7, 0, 0};
  if (frame->question != NULL) return (struct frame_cost){8, 0, bytes};
  if (frame->refusal != NULL) return (struct frame_cost){9, 0, 0};
  if (frame->credit != NULL) return (struct frame_cost){10, 0, 0};
  if (frame->ping != NULL) return (struct frame_cost){11, 0, 0};
  if (frame->pong != NULL) return (struct frame_cost){12, 0, 0};
  return (struct frame_cost){0, 0, bytes};
}

struct credit credit_window(void) {
  return (struct credit){CREDIT_RECORDS, CREDIT_BYTES};
}

bool credit_charge(struct credit *credit, struct frame_cost cost) {
  if (cost.bytes > (size_t)CREDIT_MOST_BYTES) return false;
  int64_t bytes = (int64_t)cost.bytes;
  if (cost.records > credit->records || bytes > credit->bytes) return false;
  credit->records -= cost.records;
  credit->bytes -= bytes;
  return true;
}

static void add(struct credit *credit, int64_t records, int64_t bytes) {
  credit->records += records;
  credit->bytes += bytes;
  if (credit->records > CREDIT_MOST_RECORDS) credit->records = CREDIT_MOST_RECORDS;
  if (credit->bytes > CREDIT_MOST_BYTES) credit->bytes = CREDIT_MOST_BYTES;
}

void credit_add(struct credit *credit, const Collega__Credit *frame) {
  add(credit, frame->records, frame->bytes);
}

bool credit_return(struct credit_given *given, struct frame_cost cost, struct credit *due) {
  int64_t bytes = cost.bytes > (size_t)CREDIT_MOST_BYTES ? CREDIT_MOST_BYTES : (int64_t)cost.bytes;
  add(&given->back, cost.records, bytes);
  if (given->back.records < CREDIT_RECORDS / 4 && given->back.bytes < CREDIT_BYTES / 4)
    return false;
  *due = given->back;
  given->back = (struct credit){0, 0};
  add(&given->open, due->records, due->bytes);
  return true;
}

struct link_answer link_take(void) {
  return (struct link_answer){.verdict = LINK_TAKE};
}

struct link_answer link_answer(enum link_verdict verdict, Collega__RefusalCode code,
                               enum rule rule) {
  return (struct link_answer){.verdict = verdict, .code = code, .rule = rule};
}
