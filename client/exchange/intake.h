/* Inside the room: one frame on its way in. */
#ifndef COLLEGA_CLIENT_EXCHANGE_INTAKE_H
#define COLLEGA_CLIENT_EXCHANGE_INTAKE_H
#include "client/exchange/deal_machine.h"
#include "client/exchange/inside.h"

struct intake {
  struct exchange *exchange;
  struct ledger_txn *txn; /* open for writing */
  struct members *members;
  CollegaStore__BrokerRow *broker_row; /* NULL: not joined yet */
  struct id broker;                    /* of the row; zero: not joined yet */
  collega_time now;
  struct told_head *told;
  struct arena *arena;
  struct intake_outcome *outcome;
  struct collega_error *error; /* never NULL */
};
/* What stands open while a frame, or several of the board, are taken. */
enum collega_status intake_begin(struct intake *intake, struct exchange *exchange, collega_time now,
                                 struct told_head *told, struct arena *arena,
                                 struct intake_outcome *outcome,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* Commits, or with `status` not COLLEGA_OK aborts and returns that. */
enum collega_status intake_end(struct intake *intake,
                               enum collega_status status) COLLEGA_MUST_CHECK;
/* The broker's row as it stands now in the transaction. */
enum collega_status intake_read_broker(struct intake *intake) COLLEGA_MUST_CHECK;
/* Each judges its frame and appends at most a few entries; the caller commits. COLLEGA_FORGED:
 * does not verify. */
enum collega_status intake_mail(struct intake *intake,
                                const Collega__Mail *mail) COLLEGA_MUST_CHECK;
/* ---- intake_ahead.c: signatures of a board's runs, by all cores */
struct run_ahead {
  struct run_view view; /* read */
  bool fits;            /* its signature fits `key`, which was its signer's */
  uint8_t key[32];
};
/* Mail that was held back, after a board came. */
enum collega_status intake_held_mail(struct intake *intake) COLLEGA_MUST_CHECK;
enum collega_status intake_append(struct intake *intake, CollegaStore__EntryKind kind,
                                  const struct id *party, const struct id *record,
                                  const struct receipt_position *position,
                                  const ProtobufCMessage *payload) COLLEGA_MUST_CHECK;
/* By whom it is, is not what this broker may say. */
enum collega_status intake_forged(struct intake *intake, enum rule rule) COLLEGA_MUST_CHECK;
/* The receipt is this broker's, and of these records. */
enum collega_status intake_receipt(struct intake *intake, const Collega__ReceiptRun *receipt,
                                   const struct id *ids, size_t count) COLLEGA_MUST_CHECK;

/* ---- intake_fetched.c: a node that is behind catches up */
bool intake_catching_up(const struct intake *intake);
void intake_catch_up_begin(struct intake *intake, const Collega__Welcome *welcome);
/* Goes on to the next step when this one is done: a Fetch to send, or the end. */
enum collega_status intake_catch_up(struct intake *intake) COLLEGA_MUST_CHECK;
enum collega_status intake_fetched(struct intake *intake,
                                   const Collega__Mail *mail) COLLEGA_MUST_CHECK;
/* ---- intake_question.c */
enum collega_status intake_question(struct intake *intake,
                                    const Collega__Question *question) COLLEGA_MUST_CHECK;
/* ---- intake_sequence.c: a number of ours was taken (this home was restored, or copied): a new
 * ledger epoch, and what was refused is signed anew. `item` NULL: a record of a Publish. */
enum collega_status intake_sign_anew(struct intake *intake, const struct id *refused,
                                     const struct own_record *own,
                                     const CollegaStore__OutboxItem *item,
                                     const Collega__Refusal *refusal) COLLEGA_MUST_CHECK;
/* ---- intake_mail.c: one item of a mailbox */
struct mail_place {
  struct id party;
  struct receipt_position position; /* origin: the broker, epoch and seq of the mailbox */
  bool may_wait;                    /* for a new card of its sender, which the board brings */
};
/* How an item is taken. */
enum mail_turn {
  MAIL_NEXT, /* it stands where the mailbox was read to: what cannot be used is recorded as such */
  MAIL_BESIDE, /* a decision as the answer to a question: taken, or here already, or left */
  MAIL_FETCHED /* by a home that is behind: what cannot be used (yet) is left, and *left is set */
};
enum collega_status intake_envelope(struct intake *intake, const struct mail_place *place,
                                    struct bytes bytes, enum mail_turn turn,
                                    bool *left) COLLEGA_MUST_CHECK;
enum collega_status intake_decision_item(struct intake *intake, const struct mail_place *place,
                                         struct bytes bytes, enum mail_turn turn,
                                         bool *left) COLLEGA_MUST_CHECK;
/* A fetched item that cannot be used, whatever comes: recorded with the reason. */
enum collega_status intake_bad_item(struct intake *intake, const struct mail_place *place,
                                    struct bytes bytes) COLLEGA_MUST_CHECK;
/* How far the party's mailbox was read, in the epoch given; 0: nothing of it. */
enum collega_status intake_mail_cursor(struct intake *intake, const struct id *party,
                                       struct bytes epoch, uint64_t *cursor) COLLEGA_MUST_CHECK;
/* The frame's party, one of ours, and its mailbox epoch. */
bool intake_mail_place(struct intake *intake, const Collega__Mail *mail, struct mail_place *place);

/* ---- intake_deals.c: what a letter or the decider says about deals, judged before it is stored */
/* One verified record of a letter from `sender` to `party`, with the letter's terms (may be
 * NULL). Refusals say why. */
enum collega_status intake_deal_record(struct intake *intake, const struct id *party,
                                       const struct id *sender, const struct run_view *view,
                                       const Collega__SaltedTerms *terms) COLLEGA_MUST_CHECK;
/* Would the machine take it? On a copy of the root: the entry makes it so. */
enum collega_status intake_try_event(struct intake *intake, const struct id *party,
                                     const struct id *root, const struct id *decider,
                                     const struct deal_event *event) COLLEGA_MUST_CHECK;
enum collega_status intake_decision(struct intake *intake, const struct id *party,
                                    const struct run_view *view) COLLEGA_MUST_CHECK;
/* ---- intake_changes.c: TERMINATE, RELEASE and its answer; Interest and Talk */
enum collega_status intake_change_record(struct intake *intake, const struct id *party,
                                         const struct id *sender,
                                         const struct run_view *view) COLLEGA_MUST_CHECK;
enum collega_status intake_talk_record(struct intake *intake, const struct id *party,
                                       const struct id *sender,
                                       const struct run_view *view) COLLEGA_MUST_CHECK;
#endif
