/* Inside the room: a proposal while it is drawn up. */
#ifndef COLLEGA_CLIENT_EXCHANGE_PROPOSE_H
#define COLLEGA_CLIENT_EXCHANGE_PROPOSE_H
#include "client/exchange/deal_rows.h"

struct side {
  CollegaStore__OfferRow *row; /* NULL: a capacity made to fit */
  Collega__Offer *offer;
  const char *name;
};

struct drawing {
  struct exchange *exchange;
  struct ledger_txn *txn;
  const struct id *party;
  const struct proposal *wanted;
  collega_time now;
  struct arena *arena;
  struct collega_error *error;
  struct side mine, theirs;
  struct id thread, counterparty;
  bool lends;
  const Collega__OfferPrivate *private_part; /* NULL: none */
  Collega__TermsWork work;                   /* headcount, days and hours as chosen */
  struct short_id capacity;                  /* of the one made to fit */
  CollegaStore__BrokerRow *broker;
};

/* propose_terms.c: the terms from both offers, the private part, the user's file and options;
 * checked. */
enum collega_status propose_terms(struct drawing *drawing, Collega__Terms **out) COLLEGA_MUST_CHECK;
#endif
