/* Mandates: who may sign for a party. Each is a record that is published, and so is its end; what a party signs names
 * the one that it was signed with. */
#ifndef COLLEGA_CLIENT_EXCHANGE_MANDATES_H
#define COLLEGA_CLIENT_EXCHANGE_MANDATES_H
#include "client/exchange/exchange.h"

struct mandate_input {
  const char *person, *function;
  const char *ground;       /* NULL: none told */
  bool jointly;             /* only together with another: recorded, and cannot sign yet */
  uint32_t headcount_limit; /* 0: none */
  collega_time from,
      until; /* from 0: now; until 0: open, else the first moment at which it is over */
};
/* COLLEGA_INVALID names the field; COLLEGA_REFUSED mandate_too_many. *mandate: its id. */
enum collega_status mandate_add(struct exchange *exchange, const struct id *party,
                                const struct mandate_input *input, collega_time now,
                                struct id *mandate, struct collega_error *error) COLLEGA_MUST_CHECK;
/* Here it ends at once, for others when the broker has receipted it. COLLEGA_REFUSED mandate_unknown, mandate_over. */
enum collega_status mandate_end(struct exchange *exchange, const struct id *party,
                                const struct id *mandate, collega_time now,
                                struct collega_error *error) COLLEGA_MUST_CHECK;

enum mandate_state {
  MANDATE_IN_FORCE,
  MANDATE_NOT_YET, /* valid from a later time */
  MANDATE_OVER,    /* its time is over */
  MANDATE_ENDED,   /* by its employer */
  MANDATE_REFUSED, /* by the broker: it says why in the outbox */
};
enum collega_status mandate_state(struct ledger_txn *txn, const struct known_mandate *mandate,
                                  collega_time now, enum mandate_state *out,
                                  struct collega_error *error) COLLEGA_MUST_CHECK;
const char *mandate_state_name(enum mandate_state state); /* "in_force" .. "refused" */

/* The mandate to name: the wanted one, which must cover; else the only one that covers. A party that never had one
 * signs as "holder of the key, not named" (zero); one that has some must have one that covers: COLLEGA_REFUSED
 * mandate_none_covers, mandate_choose, or why the only one it has does not. */
enum collega_status exchange_choose_mandate(struct exchange *exchange, struct ledger_txn *txn,
                                            const struct id *party, const struct id *wanted,
                                            uint32_t headcount, collega_time now, struct id *out,
                                            struct collega_error *error) COLLEGA_MUST_CHECK;
#endif
