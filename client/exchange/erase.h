/* Erasing personal data: the sections persons, contact and note of terms, what was said in talks, the
 * private part of offers, mail that could not be read, and the sealed originals of all these. Days,
 * headcount, rates, signatures and hashes stay, and so does who signed (the mandate): that is what a
 * proof is for. */
#ifndef COLLEGA_CLIENT_EXCHANGE_ERASE_H
#define COLLEGA_CLIENT_EXCHANGE_ERASE_H
#include "client/exchange/exchange.h"

struct erasure {
  const struct id *party; /* of ours: whose deal; by age all that live here */
  const struct id
      *deal;           /* of the whole negotiation that it belongs to, and its talk; NULL: by age */
  collega_time before; /* by age: what came before, and of which nothing runs any more */
};
/* One transaction: payloads, the entry that tells of them, and the tables anew from the chain; *entries is
 * how many were reduced (0: there was nothing to erase). Refused: deal_unknown; erase_open while a proposal
 * of the negotiation is open; erase_waiting while one of the letters has yet to be sent. */
enum collega_status exchange_erase(struct exchange *exchange, const struct erasure *erasure,
                                   collega_time now, uint64_t *entries,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
/* Afterwards, with the home closed in this process: overwrites what the database keeps of it. A daemon that
 * runs beside this has written it once and may hold it in memory, or a reader may look at it: then *left,
 * and this is to be done once more. */
enum collega_status exchange_scrub(const char *home, bool *left,
                                   struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
