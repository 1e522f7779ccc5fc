/* Inside the room: a talk's row. */
#ifndef COLLEGA_CLIENT_EXCHANGE_TALK_H
#define COLLEGA_CLIENT_EXCHANGE_TALK_H
#include "client/exchange/inside.h"

#define THREAD_KEY_BYTES (2 * ID_BYTES + 8)
#define TALK_INTERESTED  "interested"
#define TALK_DECLINED    "declined"
#define TALK_TALK        "talk"

/* TABLE_THREADS: number 0 is the talk's own row, the others are entries of the chain. */
void thread_key(uint8_t key[THREAD_KEY_BYTES], struct bytes party, struct bytes thread,
                uint64_t number);
/* COLLEGA_NOT_FOUND, no words: nothing was said yet. */
enum collega_status thread_row(struct ledger_txn *txn, struct bytes party, struct bytes thread,
                               struct arena *arena, CollegaStore__ThreadRow **out,
                               struct collega_error *error) COLLEGA_MUST_CHECK;
/* Is one of the thread's entries about this envelope? `envelope` NULL: no. */
enum collega_status thread_holds(struct ledger_txn *txn, struct bytes party, struct bytes thread,
                                 const struct id *envelope, bool *out,
                                 struct collega_error *error) COLLEGA_MUST_CHECK;
/* When the envelope of a letter was sealed, by its end, and to whom; not later than `latest`. An envelope
 * that was erased left both beside it. */
enum collega_status mail_sealed(const CollegaStore__MailIn *mail, collega_time latest,
                                struct arena *arena, collega_time *at, ProtobufCBinaryData *to,
                                struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
